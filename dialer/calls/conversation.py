"""The conversation of a call: its script and its steps. A step stores what was heard, writes what was learned to the
attempt, and replies with the next turn.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from dialer.calls.events import EventReading
from dialer.calls.store import AttemptChange, Call, StoredEvent
from dialer.core.attempt import AttemptEvent, state_after
from dialer.core.case import Reason
from dialer.core.events import AlarmCode, HandOverRequested
from dialer.core.reach import HeardPrompt, Hearing
from dialer.core.values import Answer, FraudType, Grade, Tag
from dialer.runtime.services import Services
from dialer.scripts.answers import Heard
from dialer.scripts.dialogue import Context, Position, Turn, Utterance, advance, start
from dialer.scripts.model import Purpose, Script
from dialer.scripts.reading import choose_script_id
from dialer.scripts.rendered import RenderedScript


def choose_script(services: Services, fraud_type: FraudType, tags: Iterable[Tag]) -> Script:
    """The live script for a fraud type, without regard to trials: for texts that are not spoken in a call."""
    live = services.rendered_scripts.now(services.real.now()).live
    return live[choose_script_id(fraud_type, tags, among={name: e.script for name, e in live.items()})].script


def purpose_of(reason: Reason) -> Purpose:
    """The purpose of a call with this reason, by which the script is chosen."""
    return Purpose.FOLLOW_UP if reason is Reason.FOLLOW_UP else Purpose.WARNING


def rendered_script_of(services: Services, call: Call) -> RenderedScript:
    """The script that the call was placed with, or the live one if none was stored."""
    if call.script_id:
        return services.rendered_scripts.of(call.script_id, call.script_version_id, call.audio_hash)
    choice = services.rendered_scripts.now(services.real.now())
    # Grade and person only choose a version of a trial, and a call of a trial has kept its version.
    return choice.for_call(
        call.fraud_type,
        call.tags,
        grade=Grade.MEDIUM,
        person_id=call.person_id,
        purpose=purpose_of(call.reason),
    )


def context_for(
    services: Services,
    rendered: RenderedScript,
    *,
    language: str,
    tags: frozenset[Tag],
    now: datetime,
    is_recorded: bool = False,
) -> Context:
    """The context of the dialogue: language, tags, the local hour, the available sound, the other languages it offers,
    and whether it must say that the call is recorded.
    """
    return Context(
        language=language,
        tags=tags,
        local_hour=now.astimezone(services.centre.zone).hour,
        clips=rendered.files_by_text,
        slow_clips=rendered.slow_files_by_text,
        recordings=rendered.recordings,
        offered=rendered.offers(services.centre.languages, language),
        is_recorded=is_recorded,
    )


_LETTERS_PER_SECOND = {"zh": 4.0}
_OTHER_LETTERS_PER_SECOND = 13.0
"""The speed of a synthetic voice, for a text without a sound file; slow, so that nobody counts as warned too soon."""


def warning_prompts(rendered: RenderedScript, context: Context) -> frozenset[str]:
    """The prompts that a person must hear to count as warned: those before the first question that are marked so, or
    else the first prompt.
    """
    said = start(rendered.script, context).utterances
    return frozenset(utterance.prompt_id for utterance in said if utterance.must_say) or frozenset(
        utterance.prompt_id for utterance in said[:1]
    )


def _prompts(rendered: RenderedScript, turn: Turn, call: Call) -> list[HeardPrompt]:
    return [
        HeardPrompt(
            utterance.prompt_id,
            round(_seconds(utterance, rendered.seconds), 3),
            utterance.must_say,
            language=language,
        )
        for utterance, language in zip(turn.utterances, _languages(rendered, turn, call), strict=True)
    ]


def _languages(rendered: RenderedScript, turn: Turn, call: Call) -> list[str]:
    """The language of each utterance; '' for the call's own language and for voices that replace it."""
    own = rendered.voices_of(call.language)
    return ["" if utterance.heard_in in own else utterance.heard_in for utterance in turn.utterances]


def _seconds(utterance: Utterance, known: Mapping[str, float]) -> float:
    if utterance.audio and all(file in known for file in utterance.audio):
        return sum(known[file] for file in utterance.audio)
    return len(utterance.text) / _LETTERS_PER_SECOND.get(utterance.language, _OTHER_LETTERS_PER_SECOND)


_PEOPLE_NEEDED = frozenset({Answer.WANTS_OFFICER, Answer.ALREADY_PAID})


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRequest:
    """A request for the next turn of an attempt's call. `position` is None for the first turn."""

    attempt_id: uuid.UUID
    step: int
    sid: str
    position: Position | None
    heard: Heard
    desk: str = ""
    """How the duty line answered, as the carrier reports it, if it was called at this step."""
    forwarded: bool = False
    """The carrier reports that the call was forwarded to another telephone."""
    unplayed: bool = False
    """The carrier reports that it did not play the previous turn completely."""
    personal: Mapping[str, str] = field(default_factory=dict)

    def read(self, services: Services, call: Call, now: datetime) -> EventReading:
        """The next turn of the conversation, and what it changes in the attempt."""
        rendered = rendered_script_of(services, call)
        hearing = self._hearing(call, now)
        turn, unsound = without_damaged_sound(
            services, rendered, _turn(services, rendered, call, self, hearing, now)
        )
        said = _prompts(rendered, turn, call)
        wish = _request_for_staff(turn) if self.position is not None else None
        return EventReading(
            stored=_stored_event(self, call.case_id, turn, unsound, _languages(rendered, turn, call)),
            may_move=wish is not None,
            reply=turn,
            change=partial(self._change, turn, hearing.with_turn(self.step, said, now)),
            event=lambda call, _: None if wish is None else HandOverRequested(n=call.n, answer=wish),
        )

    def _hearing(self, call: Call, now: datetime) -> Hearing:
        """What had been heard when this request came. A repeated request ends no turn: the turn that it requests is
        spoken again.
        """
        hearing = Hearing.of(call.hearing)
        if self.position is None or hearing.step >= self.step:
            return hearing
        if hearing.step == self.step - 1 and self.unplayed:
            return hearing.without_turn()
        if hearing.step == self.step - 1:
            return hearing.after_turn(now, sent_at=self.position.sent_at)
        # The request for a turn between the two was lost.
        return hearing.after_turn(self.position.sent_at or now)

    def _unplayed_seconds(self, call: Call) -> float:
        """The length of the previous turn if it was not played completely: it was counted when it was sent."""
        before = Hearing.of(call.hearing)
        return before.turn_seconds if self.unplayed and before.step == self.step - 1 else 0.0

    def _change(
        self, turn: Turn, hearing: Hearing, call: Call, now: datetime, _poll_at: datetime
    ) -> AttemptChange | None:
        """The change of the attempt. `turn` follows this step; `hearing` is what was heard before it, with `turn` as
        the current one.
        """
        state = state_after(call.state, AttemptEvent.ANSWERED)
        if state is None:
            return None
        newer = self.step >= call.last_step
        answered = state is not call.state
        learned = turn.learned
        return AttemptChange(
            attempt_id=call.attempt_id,
            state=state,
            sid=self.sid or None,
            accepted_at=now,
            ringing_at=now if answered else None,
            answered_at=now if answered else None,
            contact=learned.contact if newer else None,
            answer=learned.answer if newer else None,
            last_step=self.step if newer else None,
            last_node=turn.node if newer else None,
            spoke=True if self.heard.digits or self.heard.speech else None,
            played_seconds=max(0.0, call.played_seconds - self._unplayed_seconds(call))
            + hearing.turn_seconds,
            hearing=hearing.as_json() if newer else None,
            forwarded=True if self.forwarded else None,
        )


def _request_for_staff(turn: Turn) -> Answer | None:
    """The answer in this turn that needs a member of staff during the call; None if there is none."""
    answer = turn.learned.answer
    if answer in _PEOPLE_NEEDED:
        return answer
    return Answer.WANTS_OFFICER if turn.hand_over else None


def _turn(
    services: Services,
    rendered: RenderedScript,
    call: Call,
    step: TurnRequest,
    hearing: Hearing,
    now: datetime,
) -> Turn:
    context = replace(
        context_for(
            services,
            rendered,
            language=call.language,
            tags=call.tags,
            now=now,
            is_recorded=call.records,
        ),
        now=now,
        hearing=hearing,
    )
    if step.position is None:
        return start(rendered.script, context)
    return advance(rendered.script, step.position, step.heard, context)


def without_damaged_sound(
    services: Services, rendered: RenderedScript, turn: Turn
) -> tuple[Turn, tuple[str, ...]]:
    """The turn without damaged sound, and the ids of the prompts whose sound is damaged: the carrier's voice speaks
    these.
    """
    sounds, real_now = services.rendered_scripts.sounds, services.real.now()
    broken = [
        utterance.prompt_id
        for utterance in turn.utterances
        if any(
            not sounds.is_whole(file, rendered.sha256.get(file, ""), real_now=real_now)
            for file in utterance.audio or ()
        )
    ]
    if not broken:
        return turn, ()
    utterances = tuple(
        replace(utterance, audio=None) if utterance.prompt_id in broken else utterance
        for utterance in turn.utterances
    )
    return replace(turn, utterances=utterances), tuple(broken)


def _stored_event(
    step: TurnRequest, case_id: int, turn: Turn, unsound: tuple[str, ...], languages: list[str]
) -> StoredEvent:
    return StoredEvent(
        attempt_id=step.attempt_id,
        case_id=case_id,
        step=f"talk.{step.step}",
        kind="talk",
        facts={
            "at": step.position.node if step.position else "",
            # Typed facts are personal; a single key is not.
            "key": step.heard.digits if len(step.heard.digits) <= 1 and turn.collected is None else "",
            # What the person said is personal; that they spoke is not.
            "spoke": bool(step.heard.speech),
            "collected": turn.collected.name if turn.collected else "",
            "said": [utterance.prompt_id for utterance in turn.utterances],
            "then": turn.node,
            "end": turn.end is not None,
            "desk": step.desk,
            "sid": step.sid,
        }
        | ({"wrong_key": True} if turn.after_wrong_key else {})
        | ({"unsound": list(unsound)} if unsound else {})
        | ({"languages": languages} if any(languages) else {}),
        personal={**step.personal, "collected": turn.collected.value} if turn.collected else step.personal,
        alarm=AlarmCode.SOUND_BROKEN if unsound else None,
    )
