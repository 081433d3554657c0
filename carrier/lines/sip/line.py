"""The carrier's side of a line of SIP trunks: chooses the trunk of a call, and sends commands to the SIP process."""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
from base64 import b64decode
from collections import Counter, deque
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Final

import phonenumbers
from cachetools import LRUCache

from carrier.config import Timers
from carrier.lines import Cause, Clip, Leg, LegEvents, MachineDetection, Quality, Recorder
from carrier.lines.sip.announcements import CAUSES, AnnouncementListener, RecognisedAnnouncement
from carrier.lines.sip.board import NO_PROGRESS, NO_SOUND, NO_WAY, Sign, TrunkBoard, TrunkChoice, sign_of
from carrier.lines.sip.link import CALL_ID_DIGITS, Message, StackLink
from carrier.lines.sip.trunks import (
    EXTENSION,
    SipEnd,
    Trunk,
    cause_of,
    is_certain,
    may_fail_over,
    read_end,
)
from carrier.lines.sound import RATE, BadSound, telephone_samples
from carrier.people import AnsweredBy
from carrier.speech_input import Speech

_log = logging.getLogger(__name__)
_KEEP_QUALITY = 1000
_SHOWN_QUALITIES = 100


NOT_OURS_TO_CALL: Final = 21215
"""Twilio's code: the account may not call this number."""
_HOME: Final = "+86"
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")


def refusal(number: str, *, desk_numbers: Container[str], trunks: Sequence[Trunk]) -> int:
    """Twilio's error code for a number that is never dialled, else 0. A short number is dialled only for a desk: if it
    is one of `desk_numbers`, or can be the extension of a desk.
    """
    if number in desk_numbers:
        return 0
    if EXTENSION.fullmatch(number):
        return 0 if _DESK_EXTENSION.fullmatch(number) else NOT_OURS_TO_CALL
    if not _E164.fullmatch(number):
        return 21211
    national = number.removeprefix(_HOME)
    if national == number or national.startswith(_COSTLY_DIGITS):
        return NOT_OURS_TO_CALL
    if phonenumbers.number_type(phonenumbers.parse(number)) in _COSTLY:
        return NOT_OURS_TO_CALL
    return 0 if any(trunk.dialled(number) is not None for trunk in trunks) else NOT_OURS_TO_CALL


_DESK_EXTENSION: Final = re.compile(r"[2-8][0-9]{2}|[1-9][0-9]{3}")
"""No public service has such a number: those of three digits begin with 1 or 9 (110, 999), the others are longer."""
_COSTLY: Final = frozenset(
    {phonenumbers.PhoneNumberType.PREMIUM_RATE, phonenumbers.PhoneNumberType.SHARED_COST}
)
_COSTLY_DIGITS: Final = ("160", "168", "0")
"""Premium services of mainland China; and what no national number begins with: with one more zero than its own a trunk
dials another country.
"""


class SipLine:
    """A line of trunks. Without a SIP process every call ends as blocked, which is a fault of ours."""

    def __init__(
        self,
        timers: Timers,
        *,
        trunks: Sequence[Trunk],
        desk_numbers: Container[str] = (),
        listener: AnnouncementListener | None = None,
    ) -> None:
        """Without a `listener` announcements are not understood."""
        self.board = TrunkBoard(trunks)
        self.timers = timers
        self.link: StackLink | None = None
        self.listener = listener
        self.strangers = 0
        self.ends: Counter[str] = Counter()
        self.qualities: deque[Message] = deque(maxlen=_KEEP_QUALITY)
        self.receive: Callable[[str, Callable[[LegEvents], Leg]], object] = lambda _caller, _connect: None
        """Takes an inbound call; the exchange sets it. None: the call is refused."""
        self._trunks = tuple(trunks)
        self._desk_numbers = desk_numbers
        self._legs: dict[int, SipLeg] = {}
        self._last = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._samples = LRUCache[str, bytes](_KEEP_SOUNDS)
        self._recorders: dict[int, Recorder] = {}
        self._traces: dict[int, asyncio.Future[list[list[str]]]] = {}

    @property
    def is_connected(self) -> bool:
        """Whether a SIP process is connected."""
        return self.link is not None

    async def trace(self, calls: int) -> list[list[str]]:
        """The SIP messages of the newest calls, masked; empty without a SIP process. Raises `TimeoutError`."""
        if self.link is None:
            return []
        self._last += 1
        ref = self._last
        wanted = self._traces[ref] = asyncio.get_running_loop().create_future()
        self.tell({"do": "trace", "ref": ref, "calls": calls})
        try:
            return await asyncio.wait_for(wanted, _TRACE_SECONDS)
        finally:
            self._traces.pop(ref, None)

    def refusal(self, number: str) -> int:
        """Twilio's error code for numbers outside the dial plan, else 0: other countries, premium services, and short
        numbers that are no desk's.
        """
        return refusal(number, desk_numbers=self._desk_numbers, trunks=self._trunks)

    def dial(self, number: str, *, nth: int, events: LegEvents) -> SipLeg:  # noqa: ARG002 - people decide by it
        """Starts a call on the first trunk that can take it. A number outside the dial plan ends as blocked: nobody has
        checked the number of a second leg before.
        """
        self._last += 1
        leg = SipLeg(self, self._last, number, events)
        self._legs[leg.id] = leg
        self.timers.soon(leg.start)
        return leg

    def as_json(self) -> Message:
        """Every trunk with its use, its problem and its failures by cause; the quality of the newest calls."""
        now = self.timers.monotonic()
        return {
            "is_connected": self.is_connected,
            "strangers": self.strangers,
            "trunks": [
                {
                    "name": state.trunk.name,
                    "order": state.trunk.order,
                    "channels": state.trunk.channels,
                    "in_use": state.in_use,
                    "placed": state.placed,
                    "received": state.received,
                    "problem": state.problem(now) if self.link is not None else "no_process",
                    "registers": state.trunk.registers,
                    "ends": dict(state.ends),
                }
                for state in self.board.states.values()
            ],
            "qualities": list(self.qualities)[-_SHOWN_QUALITIES:],
        }

    # The SIP process

    def heard_sound(self, data: bytes) -> None:
        """Passes on sound of a recorded call, which may have ended already on our side."""
        recorder = self._recorders.get(int(data[:CALL_ID_DIGITS]))
        if recorder is not None:
            recorder.sound(data[CALL_ID_DIGITS:])

    def record(self, leg_id: int, recorder: Recorder) -> None:
        """The sound of this call goes to the recorder, until its end."""
        self._recorders[leg_id] = recorder
        self.tell({"do": "record", "id": leg_id})

    def attach(self, link: StackLink) -> None:
        """Connects a SIP process. Messages from an earlier one are ignored from now on."""
        if self.link is not None:
            self.detached(self.link)
        self.link = link

    def detached(self, link: StackLink) -> None:
        """Ends every call, since the SIP process is gone: a call that was dialled and not answered is lost; one that
        was not dialled yet has reached no phone.
        """
        if self.link is not link:
            return
        self.link = None
        legs = list(self._legs.values())
        self._legs.clear()
        for state in self.board.states.values():
            state.is_registered = False
        recorders = list(self._recorders.values())
        self._recorders.clear()
        for leg in legs:
            leg.lost()
        # After them: the end of one call hangs up the second leg that it dialled, which may wait with a channel.
        for state in self.board.states.values():
            state.in_use = 0
        for recorder in recorders:
            recorder.over()

    def heard(self, message: Message) -> None:
        """Handles a message of the SIP process. One about a call that is over changes nothing. An unexpected exception
        ends the call that the message is about, and no other.
        """
        try:
            self._hear(message)
        except Exception as fault:  # noqa: BLE001 - the link carries every call of the line
            _log.exception("message %s of the SIP process: an unexpected error ends its call", message["on"])
            if message["on"] == "incoming":
                self.tell({"do": "refuse", "ref": message["ref"]})
            elif (leg := self._legs.get(message.get("id", 0))) is not None:
                leg.break_off(type(fault).__name__)

    def _hear(self, message: Message) -> None:
        match message["on"]:
            case "trunk":
                self._trunk_news(message)
            case "stranger":
                self.strangers += message["count"]
            case "incoming":
                self._incoming(message)
            case "trace":
                wanted = self._traces.pop(message["ref"], None)
                if wanted is not None and not wanted.done():
                    wanted.set_result(message["calls"])
            case "ended":
                self._ended(message)
            case what if (leg := self._legs.get(message["id"])) is not None:
                leg.heard(what, message)
            case _:
                pass

    def _incoming(self, message: Message) -> None:
        """An inbound call from a trunk: the exchange takes it, or it is refused."""
        trunk, ref = message["trunk"], message["ref"]

        def connect(events: LegEvents) -> Leg:
            self._last += 1
            leg = SipLeg(self, self._last, "", events)
            leg.came_in(trunk)
            self._legs[leg.id] = leg
            self.tell({"do": "answer", "id": leg.id, "ref": ref})
            return leg

        if trunk not in self.board.states or self.receive(message["caller"], connect) is None:
            self.tell({"do": "refuse", "ref": ref})

    def _trunk_news(self, message: Message) -> None:
        state = self.board.states.get(message["trunk"])
        if state is None:
            return
        before = state.problem(self.timers.monotonic())
        state.is_registered = message.get("registered", state.is_registered)
        state.is_reachable = message.get("reachable", state.is_reachable)
        now = state.problem(self.timers.monotonic())
        if now and now != before:
            _log.warning("trunk %s: %s", state.trunk.name, now)

    def _ended(self, message: Message) -> None:
        recorder = self._recorders.pop(message["id"], None)
        if recorder is not None:
            recorder.over()
        leg = self._legs.pop(message["id"], None)
        if leg is None:
            return
        if message.get("quality"):
            self.qualities.append({"trunk": leg.trunk, **message["quality"]})
            leg.measured(Quality(**message["quality"]))
        early = b64decode(message["early"]) if message.get("early") else b""
        trunk = self.board.states[leg.trunk].trunk
        is_unsent = message.get("unsent", False)
        end = read_end(message["text"], transport=trunk.transport, is_unsent=is_unsent)
        leg.ended_by_stack(end, has_voice=message.get("voice", False), early=early)

    def keep(self, leg: SipLeg) -> None:
        """Keeps a leg that goes on over another trunk."""
        self._legs[leg.id] = leg

    def drop(self, leg: SipLeg) -> None:
        """Forgets a leg that ended before it had a trunk."""
        self._legs.pop(leg.id, None)

    def tell(self, message: Message) -> None:
        """Sends a command to the SIP process, if one is connected."""
        if self.link is not None:
            self.link.tell(message)

    # Sound

    def samples_of(self, clip: Clip, then: Callable[[bytes], None]) -> None:
        """Calls `then` with the samples of a clip; espeak-ng speaks a text. Empty: the clip has no sound."""
        key = clip.name or clip.text
        known = self._samples.get(key)
        if known is not None:
            then(known)
            return
        if clip.wav:
            try:
                samples = telephone_samples(clip.wav)
            except BadSound as problem:
                _log.warning("a prompt cannot be played: %s", problem)
                samples = b""
            self._samples[key] = samples
            then(samples)
            return
        task = asyncio.get_running_loop().create_task(self._spoken(clip, key, then))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _spoken(self, clip: Clip, key: str, then: Callable[[bytes], None]) -> None:
        samples = await speak_text(clip.text)
        if samples:
            samples = samples.ljust(len(_silence(clip)), b"\0")
            self._samples[key] = samples
        then(samples)


def _silence(clip: Clip) -> bytes:
    """Silent samples, as long as one repetition of the clip."""
    return bytes(2 * round(clip.seconds / clip.times * RATE))


NOT_IN_PLAN: Final = "not_in_plan"
"""The key in `SipLine.ends` for calls to numbers that are never dialled."""
_KEEP_SOUNDS = 200
_TRACE_SECONDS = 5.0
_SPEAKER = "espeak-ng"
_SPEAK_SECONDS = 10.0


async def speak_text(text: str) -> bytes:
    """The text as samples, spoken by espeak-ng: hardly intelligible, but better than silence. Empty where that program
    is missing or fails.
    """
    if shutil.which(_SPEAKER) is None:
        _log.warning("a text without sound is played as silence: %s is not installed", _SPEAKER)
        return b""
    voice = "cmn" if any(sign > "\u3400" for sign in text) else "en"
    process = None
    try:
        async with asyncio.timeout(_SPEAK_SECONDS):
            process = await asyncio.create_subprocess_exec(
                _SPEAKER,
                "-v",
                voice,
                "--stdin",
                "--stdout",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            made, _ = await process.communicate(text.encode())
        return telephone_samples(made)
    except BadSound:
        return b""
    except OSError as fault:
        # A `TimeoutError` too. The call goes on.
        _log.warning(
            "a text without sound is played as silence: %s fails (%s)", _SPEAKER, type(fault).__name__
        )
        return b""
    finally:
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()


_LINE_RESULTS: Final = {Cause.POWERED_OFF: "powered_off", Cause.LOST: "lost"}
_ENDED_GREETINGS: Final = {
    AnsweredBy.MACHINE_END_BEEP: "voicemail",
    AnsweredBy.MACHINE_END_SILENCE: "assistant",
}


@dataclass(slots=True, kw_only=True)
class _Speaking:
    say: int
    done: Callable[[], None]


class SipLeg:
    """One call to one phone, over one trunk after the other until one takes it."""

    def __init__(self, line: SipLine, leg_id: int, number: str, events: LegEvents) -> None:
        self.id = leg_id
        self.trunk = ""
        self.line_result = ""
        self.announcement = ""
        self._line = line
        self._number = number
        self._events = events
        self._tried: set[str] = set()
        self._is_sent = False
        self._rang = False
        self._answered = False
        self._over = False
        self._is_silent = False
        self._has_no_way = False
        self._was_given_up = False
        self._is_held = False
        self._speaking: _Speaking | None = None
        self._says = 0
        self._slot: asyncio.TimerHandle | None = None
        self._came_in = False
        self._rests = 0
        """The number of rests of the trunk that the call was sent under."""

    def came_in(self, trunk: str) -> None:
        """Marks the leg as an inbound call from this trunk, which is being answered."""
        self.trunk, self._came_in, self._is_sent, self._rang = trunk, True, True, True
        self._rests = self._line.board.came_in(trunk)

    def start(self) -> None:
        """Dials over the next trunk, or ends as blocked where none is left."""
        if self._over:
            return
        line = self._line
        if line.refusal(self._number):
            line.drop(self)
            line.ends[NOT_IN_PLAN] += 1
            _log.warning("a number outside the dial plan was not dialled")
            self._end(Cause.BLOCKED)
            return
        choice = None
        if line.link is not None:
            choice = line.board.choose(self._number, now=line.timers.monotonic(), without=self._tried)
        if choice is None:
            line.drop(self)
            line.ends["no_trunk"] += 1
            self._end(Cause.BLOCKED)
            return
        self._tried.add(choice.trunk.name)
        self.trunk = choice.trunk.name
        wait = choice.at - line.timers.monotonic()
        if wait <= 0:
            self._place(choice)
        else:
            self._slot = line.timers.really_later(wait, lambda: self._place(choice))

    def _place(self, choice: TrunkChoice) -> None:
        self._slot = None
        if self._over:
            return
        if self._line.link is None:
            self._line.drop(self)
            self._end(Cause.BLOCKED)
            return
        board = self._line.board
        if board.states[self.trunk].problem(self._line.timers.monotonic()):
            # It ceased to work while the call waited.
            board.released(self.trunk)
            self.start()
            return
        self._is_sent = True
        self._rests = board.sent(self.trunk)
        self._line.tell({"do": "dial", "id": self.id, "trunk": self.trunk, "number": choice.dialled})

    # Events of the SIP process

    def heard(self, what: str, message: Message) -> None:
        """Handles an event of this call."""
        if self._over or self._was_given_up:
            return
        match what:
            case "no_progress":
                self._was_given_up = True
            case "ringing":
                self._ringing()
            case "answered":
                self._ringing()
                self._answered = True
                self._events.answered(None)
            case "key":
                self._events.pressed(message["key"])
            case "spoken":
                self._spoken(message["say"])
            case "said":
                self._events.said(Speech(wav=b64decode(message["wav"])))
            case "judged":
                by = AnsweredBy(message["by"])
                self.line_result = _ENDED_GREETINGS.get(by, self.line_result)
                self._events.judged(
                    MachineDetection(
                        answered_by=by,
                        after_seconds=message["seconds"],
                        greeting_seconds=message["greeting"],
                    )
                )
            case _:
                self._heard_of_sound(what, message)

    def _heard_of_sound(self, what: str, message: Message) -> None:
        match what:
            case "silent":
                self._is_silent = True
            case "no_way":
                self._has_no_way = True
            case "unheard":
                if self._speaking is not None:
                    self._events.unplayed()
            case "held":
                # A prompt that the person does not hear waits, and begins again.
                self._is_held = message["held"]
            case _:
                _log.warning("the SIP process sent an unknown event: %s", what)

    def _ringing(self) -> None:
        if not self._rang:
            self._rang = True
            self._note(Sign.REACHED)
            self._events.ringing()

    def _note(self, sign: Sign) -> bool:
        """Notes what this call shows about its trunk. True when the trunk begins to rest."""
        line = self._line
        return line.board.states[self.trunk].note(sign, rests=self._rests, now=line.timers.monotonic())

    def _spoken(self, say: int) -> None:
        speaking = self._speaking
        if speaking is not None and speaking.say == say:
            self._speaking = None
            speaking.done()

    def ended_by_stack(self, end: SipEnd, *, has_voice: bool = False, early: bytes = b"") -> None:
        """The call is over at the trunk, and its channel is free. `has_voice`: sound came after the answer. `early`:
        the sound before an answer, as a WAV file.
        """
        self._line.board.released(self.trunk)
        if self._answered:
            self._note_sound(has_voice=has_voice)
        if self._has_no_way:
            self._note_no_way()
        if self._over:
            return
        if self._was_given_up:
            # No other trunk: an answer may have crossed the CANCEL.
            self._line.ends[NO_PROGRESS] += 1
            self._line.board.states[self.trunk].ends[NO_PROGRESS] += 1
            self._note(Sign.FAULT)
            self._end(Cause.FAILED)
            return
        if self._has_no_way:
            # The telephone was answered: no other trunk rings it again in this call.
            self._end(Cause.NO_WAY)
            return
        if self._answered:
            self._end_answered()
            return
        if self._came_in:
            # Over before it was answered: the person hung up, which says nothing about the trunk.
            self._end(Cause.HUNG_UP)
            return
        self._line.ends[end.label] += 1
        self._line.board.states[self.trunk].ends[end.label] += 1
        if self._note(sign_of(end)):
            _log.warning("trunk %s rests: %s", self.trunk, end.label)
        if may_fail_over(end, may_have_rung=self._rang):
            self._is_sent = False
            self._line.keep(self)
            self.start()
            return
        if early and self._line.listener is not None:
            self._line.listener.listen(early, lambda found: self._unanswered(end, found))
        else:
            self._unanswered(end, None)

    def _end_answered(self) -> None:
        if not self._is_silent:
            self._end(Cause.HUNG_UP)
            return
        self._line.ends[NO_SOUND] += 1
        self.line_result = "no_sound"
        self._end(Cause.NO_SOUND)

    def _note_no_way(self) -> None:
        self._line.ends[NO_WAY] += 1
        self._line.board.states[self.trunk].ends[NO_WAY] += 1
        if self._note(Sign.SILENT):
            _log.warning("trunk %s rests: its answers let no sound of ours leave", self.trunk)

    def _note_sound(self, *, has_voice: bool) -> None:
        """Also of a call that we ended: otherwise only those that the person hangs up would show that sound comes."""
        if self._is_silent:
            self._line.board.states[self.trunk].ends[NO_SOUND] += 1
            if self._note(Sign.SILENT):
                _log.warning("trunk %s rests: its calls carry no sound", self.trunk)
        elif has_voice:
            self._note(Sign.VOICE)

    def _unanswered(self, end: SipEnd, found: RecognisedAnnouncement | None) -> None:
        if self._over:
            return
        cause = cause_of(end, has_rung=self._rang)
        if found is not None:
            self.announcement = f"{found.verdict.value} {found.score:.2f}"
            if not is_certain(end):
                cause = CAUSES.get(found.verdict, cause)
        self.line_result = _LINE_RESULTS.get(cause, "")
        self._end(cause)

    def break_off(self, problem: str) -> None:
        """Ends a call that cannot go on: hangs up, and reports a failure of ours."""
        self.hang_up()
        try:
            self._events.ended(Cause.FAILED)
        except Exception:  # noqa: BLE001 - as above
            _log.exception("a call that was broken off (%s) could not be ended cleanly", problem)

    def measured(self, quality: Quality) -> None:
        """Reports the sound quality of a call that is over, even if we have hung it up."""
        self._events.measured(quality)

    def lost(self) -> None:
        """Ends the call, since the SIP process is gone. A call that waited for its slot is not placed any more."""
        if self._slot is not None:
            self._slot.cancel()
            self._slot = None
        if self._over:
            return
        if self._is_sent:
            self.line_result = _LINE_RESULTS[Cause.LOST]
            self._end(Cause.LOST)
        else:
            self._end(Cause.BLOCKED)

    def _end(self, cause: Cause) -> None:
        if self._is_held and self._speaking is not None:
            self._events.unplayed()
        self._over = True
        self._speaking = None
        self._events.ended(cause)

    # Acts of the carrier

    def speak(self, clip: Clip, done: Callable[[], None]) -> None:
        self._says += 1
        speaking = self._speaking = _Speaking(say=self._says, done=done)

        def play(samples: bytes) -> None:
            link = self._line.link
            if link is None or self._over or self._speaking is not speaking:
                return
            if not samples:
                self._events.unplayed()
            samples = samples or _silence(clip)
            link.tell(
                {
                    "do": "speak",
                    "id": self.id,
                    "say": speaking.say,
                    "sound": link.give(samples),
                    # Not the length: that of a text is estimated, that of a sound rounded.
                    "times": clip.times,
                }
            )

        self._line.samples_of(clip, play)

    def stop_speaking(self) -> None:
        if self._speaking is not None:
            self._speaking = None
            self._line.tell({"do": "stop", "id": self.id})

    def listen(self, question: int) -> None:  # noqa: ARG002 - a real person needs no number
        self._line.tell({"do": "listen", "id": self.id})

    def stop_listening(self) -> None:
        self._line.tell({"do": "deafen", "id": self.id})

    def answer_now(self) -> bool:
        """False: only its owner answers a real phone."""
        return False

    def join(self, other: Leg) -> None:
        assert isinstance(other, SipLeg), "both legs are of one line"
        self._line.tell({"do": "join", "id": self.id, "other": other.id})

    def hear(self, others: Sequence[Leg]) -> None:
        heard = [other.id for other in others if isinstance(other, SipLeg)]
        self._line.tell({"do": "hear", "id": self.id, "others": heard})

    def record(self, recorder: Recorder) -> None:
        self._line.record(self.id, recorder)

    def hang_up(self) -> None:
        if self._over:
            return
        self._over = True
        self._speaking = None
        if self._slot is not None:
            self._slot.cancel()
            self._line.board.released(self.trunk)
            self._line.drop(self)
        elif self._is_sent:
            self._line.tell({"do": "hang_up", "id": self.id})
        else:
            self._line.drop(self)
