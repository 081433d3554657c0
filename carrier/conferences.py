"""Conferences, as Twilio's Conferences and Participants resources: who is in one, who hears whom, what somebody hears
who waits or is on hold, and what the application is told of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol
from uuid import uuid4

from carrier.calls import API_VERSION, Call, Status, bad_parameter, no_such, rfc2822
from carrier.config import Timers
from carrier.lines import Leg
from carrier.lines.sound import entry_tone, hold_sound
from carrier.outbound import Reply
from carrier.player import Player, SoundCache
from carrier.speech_input import Hearing
from carrier.twiml import INVALID_ATTRIBUTE, Conference, Dial
from carrier.webhooks import Messenger, base_params


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What decides whom one participant hears. `coached`: who alone hears this one; '' for all."""

    sid: str
    muted: bool = False
    hold: bool = False
    coached: str = ""


def heard_by(places: Iterable[Place]) -> dict[str, tuple[str, ...]]:
    """Whom each participant of a conference hears. Somebody on hold hears nobody and is heard by nobody, somebody muted
    hears the others, and somebody who coaches is heard by the coached one alone. Nobody hears themselves.
    """
    places = tuple(places)
    return {
        one.sid: ()
        if one.hold
        else tuple(
            other.sid
            for other in places
            if other.sid != one.sid and not other.muted and not other.hold and other.coached in {"", one.sid}
        )
        for one in places
    }


class Entrant(Protocol):
    """A call that enters a conference."""

    call: Call

    @property
    def leg(self) -> Leg: ...

    def error(self, code: int) -> None:
        """Counts one of Twilio's error codes for the call."""


OnLeft = Callable[[dict[str, str]], None]
"""Gets the DialCall parameters, when the participant is out of the conference and the call goes on."""
_LEFT: Final = {"DialCallStatus": "answered"}


@dataclass(slots=True, kw_only=True, eq=False)
class Participant:
    """One call in a conference. Times are real Unix seconds."""

    entrant: Entrant
    room: Conference
    on_left: OnLeft
    created: float
    updated: float
    muted: bool
    hold: bool = False
    coached: str = ""
    ends: bool = False
    beeps_on_exit: bool = True
    hold_url: str | None = None
    hold_method: str = "GET"
    waiting: Waiting | None = None
    announced: Waiting | None = None
    limit: asyncio.TimerHandle | None = None

    @property
    def sid(self) -> str:
        """The sid of the call."""
        return self.entrant.call.sid

    @property
    def place(self) -> Place:
        """What decides whom this participant hears."""
        return Place(sid=self.sid, muted=self.muted, hold=self.hold, coached=self.coached)

    def facts(self) -> dict[str, str]:
        """The parameters of a callback about this participant."""
        facts = {
            "CallSid": self.sid,
            "Muted": _word(self.muted),
            "Hold": _word(self.hold),
            "Coaching": _word(bool(self.coached)),
            "StartConferenceOnEnter": _word(self.room.starts),
            "EndConferenceOnExit": _word(self.ends),
        }
        if self.coached:
            facts["CallSidToCoach"] = self.coached
        if self.room.label:
            facts["ParticipantLabel"] = self.room.label
        return facts

    def as_json(self, conference_sid: str) -> dict[str, object]:
        """As Twilio's API description defines it."""
        call = self.entrant.call
        path = f"/{API_VERSION}/Accounts/{call.account_sid}/Conferences/{conference_sid}"
        return {
            "account_sid": call.account_sid,
            "call_sid": self.sid,
            "label": self.room.label or None,
            "call_sid_to_coach": self.coached or None,
            "coaching": bool(self.coached),
            "conference_sid": conference_sid,
            "date_created": rfc2822(self.created),
            "date_updated": rfc2822(self.updated),
            "end_conference_on_exit": self.ends,
            "muted": self.muted,
            "hold": self.hold,
            "start_conference_on_enter": self.room.starts,
            "status": "connected",
            "queue_time": None,
            "uri": f"{path}/Participants/{self.sid}.json",
        }


def _word(value: bool) -> str:
    return "true" if value else "false"


class Waiting:
    """Plays a sound or a document to somebody who waits or is on hold, from its beginning again when it is over, as the
    application's own call without keys and without a second telephone. After `stop` nothing is heard of it.
    """

    def __init__(
        self,
        entrant: Entrant,
        params: Mapping[str, str],
        url: str | None,
        method: str,
        *,
        messenger: Messenger,
        sounds: SoundCache,
        hearing: Hearing,
        timers: Timers,
        repeats: bool = True,
    ) -> None:
        """`url` None: a sound of the carrier; '' silence. Without `repeats` the document is played once."""
        self._repeats = repeats
        self._entrant = entrant
        self._params = dict(params)
        self._url = url
        self._method = method
        self._timers = timers
        self._began = 0.0
        self._over = False
        self._player = Player(self, messenger=messenger, sounds=sounds, hearing=hearing, timers=timers)

    @property
    def leg(self) -> Leg:
        return self._entrant.leg

    def start(self) -> None:
        """Plays it."""
        if self._url is None:
            self._sound()
        elif self._url:
            self._began = self._timers.monotonic()
            self._player.fetch(self._url, self._method)

    def stop(self) -> None:
        """Stops it."""
        self._over = True
        self._player.stop()

    def _sound(self) -> None:
        if not self._over:
            self.leg.speak(hold_sound(), self._sound)

    # Used by the player.

    def params(self) -> dict[str, str]:
        """Fields of the request for the document."""
        return dict(self._params)

    def skips_fetch(self) -> bool:
        """No injected fault concerns it."""
        return False

    def fallback(self) -> tuple[str, str]:
        """No fallback: who waits hears the carrier's own sound instead."""
        return "", "POST"

    def error(self, code: int) -> None:
        """Counts the error for the call."""
        self._entrant.error(code)

    def finished(self) -> None:
        """Plays it again, unless there was nothing in it."""
        if self._over:
            return
        if not self._repeats:
            self.stop()
        elif self._timers.monotonic() > self._began:
            self.start()
        else:
            self._sound()

    def hang_up(self) -> None:
        """The document is faulty or ends the call: neither ends the wait."""
        self._player.stop()
        if self._repeats:
            self._sound()

    def dial(self, verb: Dial, done: OnLeft, left: OnLeft) -> None:  # noqa: ARG002 - as the player calls it
        """Nobody is called from a wait."""
        self.error(INVALID_ATTRIBUTE)
        self.hang_up()


INIT, IN_PROGRESS, COMPLETED = "init", "in-progress", "completed"
BY_API: Final = "conference-ended-via-api"
_LAST_LEFT, _LAST_KICKED = "last-participant-left", "last-participant-kicked"
_ENDING_LEFT: Final = "participant-with-end-conference-on-exit-left"
_ENDING_KICKED: Final = "participant-with-end-conference-on-exit-kicked"
_LEAST_TO_START = 2
_KEPT = 1000


@dataclass(slots=True, kw_only=True, eq=False)
class ConferenceRecord:
    """A conference, live or ended. Times are real Unix seconds."""

    sid: str
    account_sid: str
    name: str
    created: float
    updated: float
    number: int
    """Counts the conferences of this carrier in the order of their creation."""
    status: str = INIT
    reason: str = ""
    ended_by: str = ""
    """The sid of the call that ended it; '' for the API."""
    participants: dict[str, Participant] = field(default_factory=dict)
    """By the sid of the call, in the order in which they entered."""
    callback: str = ""
    callback_method: str = "POST"
    events: frozenset[str] = frozenset()
    sequence: int = 0

    def as_json(self) -> dict[str, object]:
        """As Twilio's API description defines it."""
        path = f"/{API_VERSION}/Accounts/{self.account_sid}/Conferences/{self.sid}"
        return {
            "account_sid": self.account_sid,
            "api_version": API_VERSION,
            "date_created": rfc2822(self.created),
            "date_updated": rfc2822(self.updated),
            "friendly_name": self.name,
            "region": None,
            "sid": self.sid,
            "status": self.status,
            "reason_conference_ended": self.reason or None,
            "call_sid_ending_conference": self.ended_by or None,
            "uri": f"{path}.json",
            "subresource_uris": {
                "participants": f"{path}/Participants.json",
                "recordings": f"{path}/Recordings.json",
            },
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantChange:
    """What is to be changed of a participant; None stays as it is."""

    muted: bool | None = None
    hold: bool | None = None
    hold_url: str | None = None
    hold_method: str = "GET"
    coached: str | None = None
    """'' ends the coaching."""
    ends: bool | None = None
    beeps_on_exit: bool | None = None


class Conferences:
    """All conferences: a name belongs to at most one that is not over."""

    def __init__(
        self, *, account_sid: str, messenger: Messenger, sounds: SoundCache, hearing: Hearing, timers: Timers
    ) -> None:
        self._account = account_sid
        self._messenger = messenger
        self._sounds = sounds
        self._hearing = hearing
        self._timers = timers
        self._all: dict[str, ConferenceRecord] = {}
        self._by_call: dict[str, ConferenceRecord] = {}
        self._made = 0

    # Resources

    def newest_first(self) -> list[ConferenceRecord]:
        """Those that are kept, live and ended."""
        return list(reversed(self._all.values()))

    def find(self, sid: str) -> ConferenceRecord:
        """The conference with this sid. Raises `RestProblem` (404)."""
        found = self._all.get(sid)
        if found is None:
            raise no_such(f"resource /Conferences/{sid}.json")
        return found

    def live(self, name: str) -> ConferenceRecord | None:
        """The conference of this name that is not over; None without one."""
        return next((one for one in self._all.values() if one.name == name and one.status != COMPLETED), None)

    def participant(self, conference: ConferenceRecord, who: str) -> Participant:
        """The participant by the sid of the call, or by its label. Raises `RestProblem` (404)."""
        found = conference.participants.get(who) or next(
            (one for one in conference.participants.values() if who and one.room.label == who), None
        )
        if found is None:
            raise no_such(f"resource /Conferences/{conference.sid}/Participants/{who}.json")
        return found

    # Entering and leaving

    def enter(self, entrant: Entrant, verb: Dial, on_left: OnLeft) -> None:
        """The call enters the conference that the verb names. `on_left` is called when it is out of it again and goes
        on, at once where the conference is full.
        """
        room = verb.conference
        assert room is not None, "the verb names a conference"
        conference = self.live(room.name) or self._create(room.name)
        if len(conference.participants) >= room.most:
            self._timers.soon(lambda: on_left({"DialCallStatus": Status.FAILED.value}))
            return
        now = self._timers.unix()
        one = Participant(
            entrant=entrant,
            room=room,
            on_left=on_left,
            created=now,
            updated=now,
            muted=room.muted,
            coached=room.coached,
            ends=room.ends,
            beeps_on_exit="exit" in room.beeps,
        )
        if room.status_callback and not conference.callback:
            conference.callback, conference.callback_method = room.status_callback, room.status_method
            conference.events = room.events
        conference.participants[one.sid] = one
        self._by_call[one.sid] = conference
        one.limit = self._timers.later(verb.time_limit_seconds, lambda: self.put_out(one.sid))
        self._tell(conference, "join", "participant-join", one)
        others = list(conference.participants.values())
        if (
            conference.status == INIT
            and len(others) >= _LEAST_TO_START
            and any(p.room.starts for p in others)
        ):
            conference.status, conference.updated = IN_PROGRESS, now
            self._tell(conference, "start", "conference-start")
        self._connect(conference)
        if "enter" in room.beeps:
            self._beep(conference, but=one.sid)

    def leave(self, call_sid: str) -> None:
        """The call is over, or has another document now: it is out of its conference. Without one nothing changes."""
        self._remove(call_sid, was_put_out=False)

    def put_out(self, call_sid: str) -> None:
        """Removes the participant: the call goes on after its Dial. Without one nothing changes."""
        conference = self._by_call.get(call_sid)
        one = conference.participants[call_sid] if conference is not None else None
        self._remove(call_sid, was_put_out=True)
        if one is not None:
            one.on_left(_LEFT)

    def end(self, conference: ConferenceRecord, reason: str, *, ended_by: str = "") -> None:
        """Ends the conference: each call goes on after its Dial."""
        if conference.status == COMPLETED:
            return
        left = list(conference.participants.values())
        conference.status, conference.updated = COMPLETED, self._timers.unix()
        conference.reason, conference.ended_by = reason, ended_by
        for one in left:
            self._part(conference, one)
        self._tell(conference, "end", "conference-end")
        for one in left:
            one.on_left(_LEFT)

    def announce(self, conference: ConferenceRecord, url: str, method: str) -> None:
        """Plays a document once to everybody in the conference who is not on hold, over what they hear."""
        for one in list(conference.participants.values()):
            if one.waiting is None:
                self._stop_announcing(one)
                one.announced = self._playing(conference, one, url, method, repeats=False)
                one.announced.start()

    def change(
        self, conference: ConferenceRecord, participant: Participant, change: ParticipantChange
    ) -> None:
        """Changes a participant. Raises `RestProblem` for coaching somebody who is not in the conference."""
        if change.coached and (
            change.coached not in conference.participants or change.coached == participant.sid
        ):
            raise bad_parameter(21240, "CallSidToCoach is not another participant of the conference")
        before = participant.place
        if change.muted is not None:
            participant.muted = change.muted
        if change.coached is not None:
            participant.coached = change.coached
        if change.ends is not None:
            participant.ends = change.ends
        if change.beeps_on_exit is not None:
            participant.beeps_on_exit = change.beeps_on_exit
        if change.hold is not None:
            if change.hold and (not participant.hold or change.hold_url is not None):
                # Another sound for somebody who is on hold already begins at once.
                self._stop_waiting(participant)
                participant.hold_url, participant.hold_method = change.hold_url, change.hold_method
            participant.hold = change.hold
        conference.updated = participant.updated = self._timers.unix()
        if participant.muted != before.muted:
            word = "participant-mute" if participant.muted else "participant-unmute"
            self._tell(conference, "mute", word, participant)
        if participant.hold != before.hold:
            word = "participant-hold" if participant.hold else "participant-unhold"
            self._tell(conference, "hold", word, participant)
        if participant.coached != before.coached:
            self._tell(conference, "modify", "participant-modify", participant)
        self._connect(conference)

    def forget(self) -> None:
        """Forgets every conference, as in a crash: nobody is told."""
        for conference in self._all.values():
            for one in list(conference.participants.values()):
                self._stop_waiting(one)
                self._stop_announcing(one)
                self._lift_limit(one)
        self._all.clear()
        self._by_call.clear()

    def _create(self, name: str) -> ConferenceRecord:
        self._made += 1
        now = self._timers.unix()
        made = ConferenceRecord(
            sid=f"CF{uuid4().hex}",
            account_sid=self._account,
            name=name,
            created=now,
            updated=now,
            number=self._made,
        )
        self._all[made.sid] = made
        if len(self._all) > _KEPT:
            oldest = next((one.sid for one in self._all.values() if one.status == COMPLETED), "")
            self._all.pop(oldest, None)
        return made

    def _remove(self, call_sid: str, *, was_put_out: bool) -> None:
        conference = self._by_call.get(call_sid)
        if conference is None:
            return
        one = conference.participants[call_sid]
        self._part(conference, one)
        if one.beeps_on_exit:
            self._beep(conference, but=call_sid)
        if one.ends:
            self.end(conference, _ENDING_KICKED if was_put_out else _ENDING_LEFT, ended_by=call_sid)
        elif not conference.participants:
            self.end(conference, _LAST_KICKED if was_put_out else _LAST_LEFT, ended_by=call_sid)
        else:
            self._connect(conference)

    def _part(self, conference: ConferenceRecord, one: Participant) -> None:
        """Takes the participant out of the record, and stops what it hears."""
        del conference.participants[one.sid]
        del self._by_call[one.sid]
        for other in conference.participants.values():
            if other.coached == one.sid:
                # Nobody is coached any more: a coach is never heard by all without having been asked in.
                other.muted = True
        self._lift_limit(one)
        self._stop_waiting(one)
        self._stop_announcing(one)
        one.entrant.leg.stop_speaking()
        one.entrant.leg.hear(())
        self._tell(conference, "leave", "participant-leave", one)

    @staticmethod
    def _lift_limit(one: Participant) -> None:
        if one.limit is not None:
            one.limit.cancel()
            one.limit = None

    # Sound

    def _connect(self, conference: ConferenceRecord) -> None:
        """Connects the voices as the participants are now, and lets who hears nobody hear a sound instead."""
        has_begun = conference.status == IN_PROGRESS
        heard = heard_by(one.place for one in conference.participants.values()) if has_begun else {}
        for sid, one in list(conference.participants.items()):
            waits = one.hold or not has_begun
            if not waits:
                self._stop_waiting(one)
            others = [conference.participants[other].entrant.leg for other in heard.get(sid, ())]
            one.entrant.leg.hear(others)
            if waits and one.waiting is None:
                url, method = (
                    (one.hold_url, one.hold_method) if one.hold else (one.room.wait_url, one.room.wait_method)
                )
                self._stop_announcing(one)
                one.waiting = self._playing(conference, one, url, method)
                one.waiting.start()

    def _playing(
        self,
        conference: ConferenceRecord,
        one: Participant,
        url: str | None,
        method: str,
        *,
        repeats: bool = True,
    ) -> Waiting:
        return Waiting(
            one.entrant,
            base_params(one.entrant.call, one.entrant.call.status.value)
            | {"ConferenceSid": conference.sid, "FriendlyName": conference.name},
            url,
            method,
            messenger=self._messenger,
            sounds=self._sounds,
            hearing=self._hearing,
            timers=self._timers,
            repeats=repeats,
        )

    @staticmethod
    def _stop_waiting(one: Participant) -> None:
        if one.waiting is not None:
            one.waiting.stop()
            one.waiting = None

    @staticmethod
    def _stop_announcing(one: Participant) -> None:
        if one.announced is not None:
            one.announced.stop()
            one.announced = None

    @staticmethod
    def _beep(conference: ConferenceRecord, *, but: str) -> None:
        for sid, one in conference.participants.items():
            if sid != but and one.waiting is None:
                one.entrant.leg.speak(entry_tone(), _nothing)

    # The application

    def _tell(
        self, conference: ConferenceRecord, event: str, word: str, about: Participant | None = None
    ) -> None:
        if event not in conference.events or not conference.callback:
            return
        conference.sequence += 1
        params = {
            "ConferenceSid": conference.sid,
            "FriendlyName": conference.name,
            "AccountSid": conference.account_sid,
            "SequenceNumber": str(conference.sequence),
            "Timestamp": rfc2822(self._timers.unix()) or "",
            "StatusCallbackEvent": word,
        }
        if about is not None:
            params |= about.facts()
        if conference.status == COMPLETED and about is None:
            params["ReasonConferenceEnded"] = conference.reason
            if conference.ended_by:
                params["CallSidEndingConference"] = conference.ended_by
        self._messenger.send(conference.callback, conference.callback_method, params, _ignored)


def _ignored(_reply: Reply) -> None:
    """What the application answers to a callback has no effect."""


def _nothing() -> None:
    """Nothing follows the tone."""
