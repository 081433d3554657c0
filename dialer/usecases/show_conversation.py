"""The conversation so far, for whoever takes the person over; and the stop-payment tasks that came of one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from dialer.domain.stop_payment import PaidWhen, StopResult
from dialer.domain.values import Answer
from dialer.errors import Invalid
from dialer.scripts.prompts import prompts_of
from dialer.scripts.texts import filled, needs_verification
from dialer.store import assignments, audits, stop_payments
from dialer.store.assignments import Assignment
from dialer.store.reads.conversation import Exchange, conversation
from dialer.store.unit_of_work import Tx
from dialer.usecases.editions import Editions
from dialer.usecases.engine import Engine

_NOON = 12
_FEN_PER_YUAN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One turn in words: what the person did, then what the robot answered."""

    at: datetime
    n: int
    asked_at: str
    pressed: str
    speech: str
    robot: tuple[str, ...]
    desk: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """What the person typed of money that has left; None where they did not."""

    amount_fen: int | None
    payee_account_last4: str | None
    when: PaidWhen | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    assignment: Assignment
    said: tuple[Said, ...]
    paid: Paid | None
    """None: nobody said that money has left."""


def show_hand_over(engine: Engine, assignment_id: int, *, by: str) -> HandOver:
    """Everything that an officer needs before ringing back. Who read it is in the audit. Raises `NotFound`, and
    `Invalid` without a name.
    """
    who = by.strip()
    if not who:
        raise Invalid(field="by", problem="is empty", mend="whoever reads a conversation says who they are")
    with engine.store.begin() as tx:
        assignment = assignments.get(tx, assignment_id)
        audits.write(
            tx,
            who=who,
            act="conversation",
            subject=f"case/{assignment.case_id}",
            why=f"assignment {assignment_id}",
            now=engine.clock.now(),
        )
        return hand_over_of(tx, engine, assignment)


def hand_over_of(tx: Tx, engine: Engine, assignment: Assignment) -> HandOver:
    """As `show_hand_over`, for a use case that has written who reads it."""
    turns = conversation(tx, assignment.case_id)
    return HandOver(
        assignment=assignment, said=tuple(_said(engine.editions, turn) for turn in turns), paid=_paid(turns)
    )


def stop_payment_done(engine: Engine, stop_payment_id: int, *, by: str, result: StopResult) -> None:
    """The task is over, and the audit knows by whom. Raises `NotFound`, `Conflict`, `Invalid`."""
    who = by.strip()
    if not who:
        raise Invalid(field="by", problem="is empty")
    now = engine.clock.now()
    with engine.store.begin() as tx:
        case_id = stop_payments.done(tx, stop_payment_id, by=who, result=result, now=now)
        audits.write(
            tx,
            who=who,
            act="stop_payment",
            subject=f"case/{case_id}",
            why=result.value,
            now=now,
            facts={"stop_payment": stop_payment_id},
        )


def _said(editions: Editions, turn: Exchange) -> Said:
    return Said(
        at=turn.at,
        n=turn.n,
        asked_at=turn.asked_at,
        pressed=turn.value or turn.key,
        speech=turn.speech,
        robot=_texts(editions, turn),
        desk=turn.desk,
    )


def _texts(editions: Editions, turn: Exchange) -> tuple[str, ...]:
    """As spoken; a prompt that the script does not have any more is told by its name."""
    if not turn.script_id:
        return turn.said
    script = editions.of(turn.script_id, turn.script_version_id, turn.audio_hash).script
    prompts = {prompt.id: prompt for prompt in prompts_of(script)}
    told = []
    for prompt_id in turn.said:
        prompt = prompts.get(prompt_id)
        language = next(
            (voice for voice in script.voices_of(turn.language) if prompt and voice in prompt.texts), None
        )
        if prompt is None or language is None:
            told.append(prompt_id)
            continue
        text = prompt.texts[language]
        # A blank that holds something personal stays a blank here.
        told.append(text if needs_verification(script, text) else filled(script, text, language, {}, _NOON))
    return tuple(told)


def _paid(turns: Iterable[Exchange]) -> Paid | None:
    turns = list(turns)
    if not any(turn.answer is Answer.ALREADY_PAID for turn in turns):
        return None
    typed = {turn.collected: turn.value for turn in turns if turn.collected}
    yuan = typed.get("paid_yuan", "")
    when = typed.get("paid_when", "")
    return Paid(
        amount_fen=int(yuan) * _FEN_PER_YUAN if yuan.isdecimal() else None,
        payee_account_last4=typed.get("payee_account_last4") or None,
        when=PaidWhen(when) if when in set(PaidWhen) else None,
    )
