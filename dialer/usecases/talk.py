"""One step of a conversation: what was heard is kept, what it taught is on the attempt, what to say next comes back."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from dialer.domain.attempt import AttemptEvent, after
from dialer.domain.effects import AlarmCode
from dialer.domain.events import OfficerWanted
from dialer.domain.values import Answer
from dialer.scripts.dialogue import End, Position, Turn, advance, start
from dialer.scripts.hearing import Heard
from dialer.scripts.model import Learned
from dialer.store.calls import Call, Change, Kept
from dialer.usecases.choose_script import context_for, edition_of
from dialer.usecases.editions import Edition
from dialer.usecases.engine import Engine
from dialer.usecases.hear_calls import Understood, hear_one
from dialer.usecases.spoken_length import spoken_seconds

_PEOPLE_NEEDED = frozenset({Answer.WANTS_OFFICER, Answer.ALREADY_PAID})


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A request for the next turn of attempt's call. `position` is None at the first."""

    attempt_id: uuid.UUID
    step: int
    sid: str
    position: Position | None
    heard: Heard
    desk: str = ""
    """How the duty line answered, in the carrier's word, where one was rung at this step."""
    personal: Mapping[str, str] = field(default_factory=dict)

    def read(self, engine: Engine, call: Call, now: datetime) -> ReadStep:
        edition = edition_of(engine, call)
        turn, unsound = sounding(engine, edition, _turn(engine, edition, call, self, now))
        wish = _wish(turn) if self.position is not None else None
        return ReadStep(
            kept=_kept(self, call.case_id, turn, unsound),
            may_move=wish is not None,
            reply=turn,
            step=self,
            turn=turn,
            wish=wish,
            seconds=spoken_seconds(edition, turn.utterances),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStep(Understood):
    """A step with the turn that follows it. `wish` is what needs a person while the call still goes on."""

    step: Step
    turn: Turn
    wish: Answer | None
    seconds: float
    """Of our voice, in this turn."""

    def change(
        self,
        engine: Engine,  # noqa: ARG002  # as Reading
        call: Call,
        *,
        now: datetime,
        poll_at: datetime,  # noqa: ARG002  # as Reading
    ) -> Change | None:
        state = after(call.state, AttemptEvent.ANSWERED)
        if state is None:
            return None
        step, turn = self.step, self.turn
        newer = step.step >= call.last_step
        answered = state is not call.state
        learned = _learned(turn)
        return Change(
            attempt_id=call.attempt_id,
            state=state,
            sid=step.sid or None,
            accepted_at=now,
            ringing_at=now if answered else None,
            answered_at=now if answered else None,
            contact=learned.contact if newer else None,
            answer=learned.answer if newer else None,
            last_step=step.step if newer else None,
            last_node=turn.node if newer else None,
            spoke=True if step.heard.digits or step.heard.speech else None,
            played_seconds=call.played_seconds + self.seconds,
        )

    def event(self, call: Call, _change: Change) -> OfficerWanted | None:
        return None if self.wish is None else OfficerWanted(n=call.n, answer=self.wish)


def talk(engine: Engine, step: Step) -> Turn:
    """The next turn. Asked twice, the answer is the same and nothing is applied twice. Raises `NotFound` for an
    attempt that we never made.
    """
    turn = hear_one(engine, step)
    assert turn is not None
    return turn


def _learned(turn: Turn) -> Learned | End:
    return turn.learned if turn.end is None else turn.end


def _wish(turn: Turn) -> Answer | None:
    answer = _learned(turn).answer
    if answer in _PEOPLE_NEEDED:
        return answer
    return Answer.WANTS_OFFICER if turn.hand_over else None


def _turn(engine: Engine, edition: Edition, call: Call, step: Step, now: datetime) -> Turn:
    context = context_for(engine, edition, language=call.language, tags=call.tags, now=now)
    if step.position is None:
        return start(edition.script, context)
    return advance(edition.script, step.position, step.heard, context)


def sounding(engine: Engine, edition: Edition, turn: Turn) -> tuple[Turn, tuple[str, ...]]:
    """The turn with only such sound as is whole, and the prompts whose approved sound is not: those are spoken."""
    sounds, real_now = engine.editions.sounds, engine.real.now()
    broken = [
        utterance.prompt_id
        for utterance in turn.utterances
        if any(
            sounds.whole(file, edition.sha256.get(file, ""), real_now=real_now) is None
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


def _kept(step: Step, case_id: int, turn: Turn, unsound: tuple[str, ...]) -> Kept:
    return Kept(
        attempt_id=step.attempt_id,
        case_id=case_id,
        step=f"talk.{step.step}",
        kind="talk",
        facts={
            "at": step.position.node if step.position else "",
            # What was typed as a fact is personal; a key is not.
            "key": step.heard.digits if len(step.heard.digits) <= 1 and turn.collected is None else "",
            # What was said is personal; that something was is not.
            "spoke": bool(step.heard.speech),
            "collected": turn.collected.name if turn.collected else "",
            "said": [utterance.prompt_id for utterance in turn.utterances],
            "then": turn.node,
            "end": turn.end is not None,
            "desk": step.desk,
            "sid": step.sid,
        }
        | ({"unsound": list(unsound)} if unsound else {}),
        personal={**step.personal, "collected": turn.collected.value} if turn.collected else step.personal,
        alarm=AlarmCode.SOUND_BROKEN if unsound else None,
    )
