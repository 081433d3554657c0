"""One step of a conversation: what was heard is kept, what it taught is on the attempt, what to say next comes back."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from dialer.domain.attempt import AttemptState
from dialer.domain.events import OfficerWanted
from dialer.domain.values import Answer
from dialer.errors import NotFound
from dialer.scripts.dialogue import Position, Turn, advance, start
from dialer.scripts.hearing import Heard
from dialer.store import calls, cases
from dialer.store.calls import RANK, Call, Change, Kept
from dialer.store.unit_of_work import Tx
from dialer.usecases.choose_script import choose_script, context_for, script_of
from dialer.usecases.engine import Engine
from dialer.usecases.move_cases import Move, move
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
    personal: Mapping[str, str] = field(default_factory=dict)


def talk(engine: Engine, step: Step) -> Turn:
    """The next turn. Asked twice, the answer is the same and nothing is applied twice. Raises `NotFound` for an
    attempt that we never made.
    """
    with engine.store.begin() as tx:
        turn, cancels = apply_step(tx, engine, step)
    if cancels:
        engine.nudge("cancel_calls")
    return turn


def apply_step(tx: Tx, engine: Engine, step: Step) -> tuple[Turn, bool]:
    """As `talk`, in the caller's transaction; also whether calls are to be ended at the carrier."""
    now = engine.clock.now()
    case_of = calls.case_ids(tx, [step.attempt_id])
    if step.attempt_id not in case_of:
        raise NotFound(kind="attempt", key=step.attempt_id)
    case_id = case_of[step.attempt_id]
    locked_cases = cases.lock(tx, [case_id]) if step.position is not None else {}
    call = calls.lock(tx, [step.attempt_id])[step.attempt_id]
    turn = _turn(engine, call, step)
    fresh = calls.keep(tx, [_kept(step, case_id, turn)], at=now)
    if not fresh or call.state is AttemptState.ENDED:
        return turn, False
    newer = step.step >= call.last_step
    answered = RANK[AttemptState.ANSWERED] > RANK[call.state]
    learned = turn.learned if turn.end is None else turn.end
    calls.change(
        tx,
        [
            Change(
                attempt_id=call.attempt_id,
                state=AttemptState.ANSWERED if answered else call.state,
                sid=step.sid or None,
                accepted_at=now,
                ringing_at=now if answered else None,
                answered_at=now if answered else None,
                contact=learned.contact if newer else None,
                answer=learned.answer if newer else None,
                last_step=step.step if newer else None,
                last_node=turn.node if newer else None,
                spoke=True if step.heard.digits or step.heard.speech else None,
                played_seconds=call.played_seconds + spoken_seconds(turn.utterances),
            )
        ],
    )
    if (turn.hand_over or learned.answer in _PEOPLE_NEEDED) and locked_cases:
        answer = learned.answer if learned.answer in _PEOPLE_NEEDED else Answer.WANTS_OFFICER
        wanted = Move(
            case_id=case_id,
            event=OfficerWanted(n=call.n, answer=answer),
            attempt_id=call.attempt_id,
        )
        return turn, bool(move(tx, locked_cases, [wanted], policies=engine.policies, now=now))
    return turn, False


def _turn(engine: Engine, call: Call, step: Step) -> Turn:
    script = script_of(call.script_id) if call.script_id else choose_script(call.fraud_type, call.tags)
    context = context_for(engine, language=call.language, tags=call.tags, now=engine.clock.now())
    if step.position is None:
        return start(script, context)
    return advance(script, step.position, step.heard, context)


def _kept(step: Step, case_id: int, turn: Turn) -> Kept:
    return Kept(
        attempt_id=step.attempt_id,
        case_id=case_id,
        step=f"talk.{step.step}",
        kind="talk",
        facts={
            "at": step.position.node if step.position else "",
            "key": step.heard.digits if len(step.heard.digits) <= 1 else "",
            "then": turn.node,
            "end": turn.end is not None,
            "sid": step.sid,
        },
        personal=step.personal,
    )
