"""Somebody whom we warned has reported to the police that money was lost 立案: a success is undone."""

from __future__ import annotations

from dataclasses import dataclass

from dialer.domain.access import actor_name
from dialer.domain.events import CaseFiled
from dialer.domain.values import FraudType
from dialer.errors import Conflict, Invalid, NotFound
from dialer.outcomes.filing import concerned
from dialer.store import audits, cases, filed
from dialer.store.reads import finding
from dialer.store.seen import check_case_seen
from dialer.store.unit_of_work import Tx
from dialer.usecases.engine import Engine
from dialer.usecases.move_cases import Move, move
from dialer.usecases.seek_person import seek_person

_NUMBER_LENGTH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """The cases that the number is on record for."""

    case_number: str
    case_ids: tuple[int, ...]
    already: bool
    """True: it was on record for this person before, and nothing has changed."""


def file_case(
    engine: Engine,
    *,
    case_number: str,
    by: str,
    id_number: str = "",
    phone: str = "",
    fraud_type: FraudType = FraudType.UNKNOWN,
) -> Filed:
    """On record once, however often it is said. Raises `NotFound` when nobody is known by that or no case of theirs is
    concerned, `Conflict` when several people are.
    """
    who, number = actor_name(by), _number(case_number)
    sought = seek_person(engine, phone=phone, id_number=id_number)
    if sought.is_nothing:
        raise Invalid(
            field="id number", problem="is missing, and so is a phone", mend="one of them is needed"
        )
    if sought.last4:
        raise Invalid(field="phone", problem="is only the last digits", mend="all of it")
    with engine.store.begin() as tx:
        result, must_cancel = _file(tx, engine, _the_person(tx, sought), number, who, fraud_type)
    if must_cancel:
        engine.nudge("cancel_calls")
    return result


def file_for_case(
    engine: Engine, case_id: int, *, case_number: str, by: str, seen_by: int | None = None
) -> Filed:
    """As `file_case`, for the person and the fraud of this case. Raises `NotFound` for one that the unit `seen_by` does
    not see.
    """
    who, number = actor_name(by), _number(case_number)
    with engine.store.begin() as tx:
        check_case_seen(tx, case_id, seen_by)
        stored = cases.get(tx, case_id)
        if stored is None:
            raise NotFound(kind="case", key=case_id)
        result, must_cancel = _file(tx, engine, stored.person_id, number, who, stored.case.fraud_type)
        if not result.already:
            subject, now = f"case/{case_id}", engine.clock.now()
            facts = {"case_number": number}
            audits.write(tx, who=who, act="file_case", subject=subject, why="", now=now, facts=facts)
    if must_cancel:
        engine.nudge("cancel_calls")
    return result


def _number(text: str) -> str:
    number = text.strip()
    if not number or len(number) > _NUMBER_LENGTH:
        raise Invalid(field="case number", problem="is empty or too long")
    return number


def _the_person(tx: Tx, sought: finding.Sought) -> int:
    """A shared phone alone names nobody."""
    found = finding.people(tx, sought, limit=2)
    if not found:
        raise NotFound(kind="a person with this", key="phone or id number")
    if len(found) > 1:
        raise Conflict("several people have this phone: say the id number as well", current="ambiguous")
    return found[0]


def _file(
    tx: Tx, engine: Engine, person_id: int, number: str, by: str, fraud_type: FraudType
) -> tuple[Filed, bool]:
    now = engine.clock.now()
    locked = cases.lock(tx, filed.case_ids_of_people(tx, [person_id]))
    before = filed.recorded(tx, case_number=number, case_ids=list(locked))
    if before:
        return Filed(case_number=number, case_ids=tuple(before), already=True), False
    chosen = concerned([stored.case for stored in locked.values()], fraud_type=fraud_type, now=now)
    if not chosen:
        raise NotFound(kind="a case of this person", key="that the filed one can concern")
    ids = [case.id for case in chosen]
    filed.add(tx, case_number=number, case_ids=ids, by=by, now=now)
    moves = [Move(case_id=case_id, event=CaseFiled()) for case_id in ids]
    cancels = move(tx, locked, moves, policies=engine.policies, now=now)
    return Filed(case_number=number, case_ids=tuple(ids), already=False), bool(cancels)
