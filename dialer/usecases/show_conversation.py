"""The conversation so far, for whoever takes the person over; and the stop-payment tasks that came of one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from dialer.domain.access import actor_name
from dialer.domain.stop_payment import PaidWhen, StopResult
from dialer.domain.values import Answer
from dialer.outcomes.money import FEN_PER_YUAN
from dialer.scripts.model import Prompt
from dialer.scripts.prompts import prompts_of
from dialer.scripts.texts import filled, needs_verification
from dialer.store import assignments, audits, stop_payments
from dialer.store.assignments import Assignment
from dialer.store.desk import Scope
from dialer.store.reads import desk_view
from dialer.store.reads.conversation import Exchange, conversation
from dialer.store.unit_of_work import Tx
from dialer.usecases.editions import Edition, EditionMissing, Editions
from dialer.usecases.engine import Engine


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
    spoke: bool = False
    """They said something; what, is in `speech` where it was opened."""
    typed: str = ""
    """Which fact they typed; what, is in `pressed` where it was opened."""
    sounds: tuple[str, ...] = ()
    """The file of each line of `robot`, as it was played; '' for a line that a voice of the network spoke."""


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
    who = actor_name(by)
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
    return HandOver(assignment=assignment, said=said_in(engine, turns), paid=paid_in(turns))


def stop_payment_done(
    engine: Engine, stop_payment_id: int, *, by: str, result: StopResult, seen_by: int | None = None
) -> None:
    """The task is over, and the audit knows by whom. Raises `NotFound`, also for one of a case that the unit `seen_by`
    does not see, `Conflict`, `Invalid`.
    """
    who = actor_name(by)
    now = engine.clock.now()
    with engine.store.begin() as tx:
        if seen_by is not None:
            desk_view.check_stop_payment_seen(tx, stop_payment_id, Scope(unit_id=seen_by))
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


def said_in(engine: Engine, turns: Iterable[Exchange]) -> tuple[Said, ...]:
    """These turns in words."""
    zone = ZoneInfo(engine.centre.timezone)
    voices: dict[tuple[str, int | None, str, str], _Voice] = {}
    told = []
    for turn in turns:
        key = (turn.script_id, turn.script_version_id, turn.audio_hash, turn.language)
        if key not in voices:
            voices[key] = _voice(engine.editions, turn)
        lines = [voices[key].line(turn, name, turn.at.astimezone(zone).hour) for name in turn.said]
        told.append(
            Said(
                at=turn.at,
                n=turn.n,
                asked_at=turn.asked_at,
                pressed=turn.value or turn.key,
                speech=turn.speech,
                robot=tuple(text for text, _ in lines),
                desk=turn.desk,
                spoke=turn.spoke or bool(turn.speech),
                typed=turn.collected,
                sounds=tuple(sound for _, sound in lines),
            )
        )
    return tuple(told)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Voice:
    """What a ring spoke with; without an edition, prompts are told by their names."""

    edition: Edition | None
    language: str
    prompts: Mapping[str, Prompt]

    def line(self, turn: Exchange, name: str, hour: int) -> tuple[str, str]:
        """As spoken, and its file; a prompt that the script does not have any more is told by its name."""
        prompt = self.prompts.get(name)
        if self.edition is None or prompt is None:
            return name, ""
        script = self.edition.script
        for language in script.voices_of(self.language):
            recorded = self.edition.recordings.get((language, name), "")
            if language not in prompt.texts and not recorded:
                continue
            text = prompt.texts.get(language) or prompt.texts[script.voices_of(language)[-1]]
            # A blank that holds something personal stays a blank here.
            if needs_verification(script, text):
                return text, ""
            told = filled(script, text, language, {}, hour)
            file = recorded or self.edition.by_text.get((language, told), "")
            return told, "" if name in turn.unsound else file
        return name, ""


def _voice(editions: Editions, turn: Exchange) -> _Voice:
    try:
        found = editions.of(turn.script_id, turn.script_version_id, turn.audio_hash)
    except EditionMissing:
        return _Voice(edition=None, language=turn.language, prompts={})
    prompts = {prompt.id: prompt for prompt in prompts_of(found.script)}
    return _Voice(edition=found, language=turn.language, prompts=prompts)


def paid_in(turns: Iterable[Exchange]) -> Paid | None:
    turns = list(turns)
    if not any(turn.answer is Answer.ALREADY_PAID for turn in turns):
        return None
    typed = {turn.collected: turn.value for turn in turns if turn.collected}
    yuan = typed.get("paid_yuan", "")
    when = typed.get("paid_when", "")
    return Paid(
        amount_fen=int(yuan) * FEN_PER_YUAN if yuan.isdecimal() else None,
        payee_account_last4=typed.get("payee_account_last4") or None,
        when=PaidWhen(when) if when in set(PaidWhen) else None,
    )
