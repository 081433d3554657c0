"""Filed cases 立案: a warned person has reported a loss to the police, which undoes the success of their cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dialer.cases.effects import Move, move_cases
from dialer.cases.persons import PersonSearch, find_person_ids
from dialer.cases.search import seek_person
from dialer.cases.store import StoredCase, get_case, lock_cases
from dialer.core.access import Actor, Permission
from dialer.core.case import RUNNING_STATUSES, BeforeFiling, Case
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.events import CaseFiled, FilingUndone
from dialer.core.rules import same_incident
from dialer.core.text import Text
from dialer.core.values import FraudType
from dialer.db.acts import OpenAct
from dialer.db.unit_of_work import Tx
from dialer.db.units import check_case_visible
from dialer.outcomes.ledger import (
    add_filed_cases,
    case_ids_filed_under,
    case_ids_of_people,
    filings_of_case,
    undo_filed_cases,
)
from dialer.runtime.services import Services

CONCERNED_WITHIN = timedelta(days=180)
"""A loss does not concern a case that was opened longer than this before it, unless the case is still open or watched.
"""


def concerned_cases(
    cases: Sequence[Case], *, fraud_type: FraudType, happened_at: datetime
) -> tuple[Case, ...]:
    """The cases that a loss concerns: of those opened before it, all that are open or watched; if there are none, the
    newest one that was opened at most `CONCERNED_WITHIN` before it. Cases of another known fraud type are left out. In
    doubt a filing counts against us, never for us.
    """
    alike = [
        case for case in cases if case.opened_at <= happened_at and same_incident(case.fraud_type, fraud_type)
    ]
    running = tuple(case for case in alike if case.status in RUNNING_STATUSES)
    if running:
        return running
    recent = [case for case in alike if case.opened_at > happened_at - CONCERNED_WITHIN]
    return tuple(sorted(recent, key=lambda case: (case.opened_at, case.id))[-1:])


_NUMBER_LENGTH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """The cases that a police case number is recorded for."""

    case_number: str
    case_ids: tuple[int, ...]
    already: bool
    """True: it was recorded for this person before, and nothing has changed."""


def file_case(
    services: Services,
    actor: Actor,
    *,
    case_number: str,
    id_number: str = "",
    phone: str = "",
    fraud_type: FraudType = FraudType.UNKNOWN,
) -> Filed:
    """Records the case number once for the person's cases. Raises `Invalid`, `NotFound` for an unknown person or one
    without a case that it can concern, and `Conflict` if several people match.
    """
    number = case_number_of(case_number)
    sought = seek_person(services, phone=phone, id_number=id_number)
    if sought.is_nothing:
        raise Invalid(field="id number", problem="is missing, and so is a phone", fix="one of them is needed")
    if sought.last4:
        raise Invalid(field="phone", problem="is only the last digits", fix="all of it")
    with services.act(actor, Permission.LOAD_FILED, Permission.WORK_CASES) as act:
        result, must_cancel = _file(act, services, _only_person(act.tx, sought), number, fraud_type)
        _audit_filed(act, result)
    if must_cancel:
        services.enqueue("cancel_calls")
    return result


def file_for_case(services: Services, actor: Actor, case_id: int, *, case_number: str) -> Filed:
    """As `file_case`, for the person and the fraud type of this case. Raises `NotFound` for a case that the actor
    does not see.
    """
    number = case_number_of(case_number)
    with services.act(actor, Permission.WORK_CASES) as act:
        tx = act.tx
        check_case_visible(tx, case_id, actor.unit_id)
        stored = get_case(tx, case_id)
        if stored is None:
            raise NotFound(kind="case", key=case_id)
        result, must_cancel = _file(act, services, stored.person_id, number, stored.case.fraud_type)
        _audit_filed(act, result)
    if must_cancel:
        services.enqueue("cancel_calls")
    return result


def _audit_filed(act: OpenAct, filed: Filed) -> None:
    """Audits, for each case, a number that a person typed; a list and a decision about a match have audit lines of
    their own.
    """
    if filed.already:
        act.needs_no_record()
        return
    for case_id in filed.case_ids:
        act.audit("file_case", f"case/{case_id}", facts={"case_number": filed.case_number})


def case_number_of(text: str) -> str:
    """The number as it was typed, without blanks around it. Raises `Invalid`."""
    number = text.strip()
    if not number or len(number) > _NUMBER_LENGTH:
        raise Invalid(field="case number", problem="is empty or too long")
    return number


def _only_person(tx: Tx, sought: PersonSearch) -> int:
    """The id of the only person that matches. Raises `NotFound`, and `Conflict` for a phone that several
    people share.
    """
    found = find_person_ids(tx, sought, limit=2)
    if not found:
        raise NotFound(kind="a person with this phone or id number", key="")
    if len(found) > 1:
        raise Conflict("several people have this phone: say the id number as well", current="ambiguous")
    return found[0]


def file_for_person(
    act: OpenAct,
    services: Services,
    person_id: int,
    *,
    case_number: str,
    fraud_type: FraudType,
    happened_at: datetime,
) -> tuple[tuple[int, ...], bool]:
    """Records the number for the cases of this person that a loss at this time concerns. Returns the ids of those for
    which it is newly recorded, none if no case was opened before the loss, and whether calls must be cancelled.
    """
    try:
        filed, must_cancel = _file(act, services, person_id, case_number, fraud_type, happened_at)
    except NotFound:
        return (), False
    return () if filed.already else filed.case_ids, must_cancel


def _file(
    act: OpenAct,
    services: Services,
    person_id: int,
    number: str,
    fraud_type: FraudType,
    happened_at: datetime | None = None,
) -> tuple[Filed, bool]:
    """Records the number for the cases of a person that it concerns. Without `happened_at`, the loss happened now."""
    tx = act.tx
    locked = lock_cases(tx, case_ids_of_people(tx, [person_id]))
    before = case_ids_filed_under(tx, case_number=number, case_ids=list(locked))
    if before:
        return Filed(case_number=number, case_ids=tuple(before), already=True), False
    cases = [stored.case for stored in locked.values()]
    chosen = concerned_cases(cases, fraud_type=fraud_type, happened_at=happened_at or act.now)
    if not chosen:
        raise NotFound(kind="a case of this person that the filed one can concern", key="")
    ids = [case.id for case in chosen]
    cancels = _add(act, services, locked, ids, number)
    return Filed(case_number=number, case_ids=tuple(ids), already=False), cancels


def undo_for_person(act: OpenAct, services: Services, person_id: int, *, case_number: str) -> tuple[int, ...]:
    """Undoes the recording of the number for all cases of this person; a case without another number gets back the
    state it had before the first one. Returns the ids of the cases that it was recorded for. Raises `Conflict` for a
    case that an older version filed without recording its earlier state.
    """
    locked = lock_cases(act.tx, case_ids_of_people(act.tx, [person_id]))
    ids = case_ids_filed_under(act.tx, case_number=case_number, case_ids=list(locked))
    _undo(act, services, locked, ids, case_number)
    return tuple(ids)


def correct_for_person(
    act: OpenAct,
    services: Services,
    person_id: int,
    *,
    case_number: str,
    fraud_type: FraudType,
    happened_at: datetime,
) -> tuple[tuple[int, ...], bool]:
    """The type or the time of the loss was corrected: records the number for the cases of this person that the
    corrected loss concerns, and undoes it for all others except those that an older version filed without recording
    their earlier state. Returns the ids of the cases for which it is newly recorded, and whether calls must be
    cancelled.
    """
    tx = act.tx
    locked = lock_cases(tx, case_ids_of_people(tx, [person_id]))
    recorded = case_ids_filed_under(tx, case_number=case_number, case_ids=list(locked))
    cases = {case_id: stored.case for case_id, stored in locked.items()}
    fixed: set[int] = set()
    for case_id in recorded:
        filings = filings_of_case(tx, case_id)
        if filings.numbers != {case_number}:
            continue
        if filings.before is None:
            fixed.add(case_id)
        else:
            cases[case_id] = replace(cases[case_id], status=filings.before.status)
    wanted = [
        case.id
        for case in concerned_cases(list(cases.values()), fraud_type=fraud_type, happened_at=happened_at)
    ]
    removed = [case_id for case_id in recorded if case_id not in wanted and case_id not in fixed]
    added = [case_id for case_id in wanted if case_id not in recorded]
    _undo(act, services, locked, removed, case_number)
    return tuple(added), _add(act, services, locked, added, case_number)


def _add(
    act: OpenAct,
    services: Services,
    locked: dict[int, StoredCase],
    case_ids: Sequence[int],
    case_number: str,
) -> bool:
    """Records the number for these cases; returns whether calls must be cancelled."""
    if not case_ids:
        return False
    earlier = {case_id: BeforeFiling.of(locked[case_id].case) for case_id in case_ids}
    add_filed_cases(act.tx, case_number=case_number, before=earlier, by=act.by, now=act.now)
    moves = [Move(case_id=case_id, event=CaseFiled()) for case_id in case_ids]
    return bool(move_cases(act.tx, locked, moves, policies=services.policies, now=act.now))


def _undo(
    act: OpenAct,
    services: Services,
    locked: dict[int, StoredCase],
    case_ids: Sequence[int],
    case_number: str,
) -> None:
    """Undoes the recording of the number for these cases. No call must be cancelled: calls that were pending before are
    planned again.
    """
    if not case_ids:
        return
    tx, now = act.tx, act.now
    moves: list[Move] = []
    for case_id in case_ids:
        filings = filings_of_case(tx, case_id)
        if filings.numbers != {case_number}:
            continue
        if filings.before is None:
            raise Conflict(
                Text("case %(case)s was filed before its earlier state was recorded", case=case_id),
                current="filed",
            )
        moves.append(Move(case_id=case_id, event=FilingUndone(before=filings.before)))
    undo_filed_cases(tx, case_number=case_number, case_ids=case_ids, by=act.by, now=now)
    move_cases(tx, locked, moves, policies=services.policies, now=now)
