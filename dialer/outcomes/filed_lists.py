"""Lists of cases filed with the police 立案: which of their victims had been warned, and which had not.

A filed case is matched to the warned persons by id number, phone and name. A certain match counts at once: it reverses
the success of the cases that were opened before the loss. A doubtful one waits for a supervisor, and so does a certain
one of a list that was loaded by somebody who decides none. A filed case without a match was missed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, BinaryIO, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.cases.persons import MaskedPerson, Person, mask_person, open_person
from dialer.cases.store import get_case
from dialer.core.access import TERMINAL_NAME, Actor, Permission, required_text
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.rates import Period
from dialer.core.values import FiledMatchState, FiledState, FraudType
from dialer.db import tables as t
from dialer.db.acts import OpenAct
from dialer.db.columns import filing_stands
from dialer.db.unit_of_work import Row, Tx
from dialer.db.units import check_case_visible
from dialer.db.vault import BlindKind
from dialer.intake.filed_lists import MOST_FILED, FiledOptions, FiledReader, FiledRecord
from dialer.intake.headings import KnownList
from dialer.intake.records import Column, RejectedRow
from dialer.outcomes.filed_figures import filed_within
from dialer.outcomes.filing import (
    case_number_of,
    correct_for_person,
    file_for_person,
    undo_for_person,
)
from dialer.runtime.services import Services
from dialer.runtime.uploads import known_tables

CERTAIN = 92
"""A score from here on is a certain match: the same id number, or the same name and phone without different
id numbers.
"""
DOUBTFUL = 30
"""A score from here on is a doubtful match, which a supervisor decides."""
_ONE_LIST: Final = 0x66696C65
"""The advisory lock under which a filed case is stored."""
_MOST_CANDIDATES = 20
"""The most persons with one id number or phone that are compared: a phone that more persons share says little."""
_MOST_NAMESAKES = 3
_OPEN = (FiledMatchState.CERTAIN.value, FiledMatchState.CONFIRMED.value)


def similarity(filed: Person, warned: Person) -> int:
    """How likely both are the same person, from 0 to 100. The table is in docs/metrics.md."""
    same_id = bool(filed.id_number) and filed.id_number == warned.id_number
    other_id = bool(filed.id_number and warned.id_number) and not same_id
    same_phone = bool(set(filed.phones) & set(warned.phones))
    same_name = bool(filed.name) and filed.name == warned.name
    other_name = bool(filed.name and warned.name) and not same_name
    if same_id:
        return 92 if other_name else 100
    if same_phone and same_name:
        return 40 if other_id else 95
    if same_phone and not other_id:
        return 50 if other_name else 70
    if same_name and not other_id:
        return DOUBTFUL
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledLoad:
    """The result of loading a list of filed cases. `changed` counts those that were on record with other facts."""

    rows: int
    new: int = 0
    changed: int = 0
    duplicate: int = 0
    rejected: int
    states: Mapping[FiledState, int] = field(default_factory=dict)
    """The states of the new and the changed ones."""
    reversed_cases: tuple[int, ...] = ()
    """Ids of our cases for which this load recorded a filed case."""
    rejects: tuple[RejectedRow, ...] = ()
    columns: tuple[Column, ...] = ()


def load_filed(
    services: Services,
    actor: Actor,
    content: BinaryIO,
    *,
    source: str,
    dry_run: bool = False,
    most: int = MOST_FILED,
) -> FiledLoad:
    """Reads the list, and stores and matches each filed case in a transaction of its own; the same list again changes
    nothing. Raises `UnusableFile`, also for more than `most` rows, of which none is stored. With `dry_run` nothing is
    stored.
    """
    actor.check_may(Permission.LOAD_FILED)
    now = services.clock.now()
    reader = FiledReader(
        FiledOptions(
            now=now,
            timezone=services.centre.timezone,
            default_area=services.centre.area_code,
            most=most,
        )
    )
    records: list[FiledRecord] = []
    rejects: list[RejectedRow] = []
    with closing(known_tables(content, KnownList.FILED)) as tables:
        for row in reader.read(tables):
            if isinstance(row, RejectedRow):
                rejects.append(row)
            else:
                records.append(row)
    done = FiledLoad(
        rows=len(records) + len(rejects),
        rejected=len(rejects),
        rejects=tuple(rejects),
        columns=reader.columns,
    )
    if dry_run:
        with services.store.begin_and_roll_back() as tx:
            for record in records:
                done, _ = _store(OpenAct(tx, actor, services.clock.now), services, record, done, source)
        return done
    must_cancel = False
    try:
        for record in records:
            # One transaction for each: it locks the cases of one person only, so that it cannot deadlock with other
            # writers. The load is recorded as a whole, at its end.
            with services.act(actor, Permission.LOAD_FILED) as act:
                act.needs_no_record()
                # If two lists are loaded at once, the second sees what the first has stored.
                act.tx.execute(sa.select(sa.func.pg_advisory_xact_lock(_ONE_LIST)))
                done, cancels = _store(act, services, record, done, source)
            must_cancel = must_cancel or cancels
    finally:
        if must_cancel:
            services.enqueue("cancel_calls")
        with services.act(actor, Permission.LOAD_FILED) as act:
            facts = {"file": source, "rows": done.rows, "accepted": done.new, "rejected": done.rejected}
            act.audit("load_filed", "filed_record", facts=facts)
    return done


def _store(
    act: OpenAct, services: Services, record: FiledRecord, done: FiledLoad, source: str
) -> tuple[FiledLoad, bool]:
    tx = act.tx
    person = Person(
        name=record.name, phones=record.phones, id_number=record.id_number, address="", family_contact=""
    )
    before = _on_record(tx, record.case_number, person)
    facts = _facts(record, before[0] if before is not None else None, now=act.now)
    is_corrected = False
    if before is not None:
        row, known = before
        merged = _merged(known, person)
        if merged == known and all(row[name] == value for name, value in facts.items()):
            return replace(done, duplicate=done.duplicate + 1), False
        tx.execute(
            sa.update(t.filed_record)
            .where(t.filed_record.c.id == row["id"])
            .values(**facts, sealed=_sealed(tx, merged, record.case_number))
        )
        person, record_id = merged, row["id"]
        is_corrected = any(row[name] != facts[name] for name in ("filed_at", "event_at", "fraud_type"))
        done = replace(done, changed=done.changed + 1)
    else:
        stored = tx.one(
            sa.insert(t.filed_record)
            .values(
                **facts,
                case_number=record.case_number,
                sealed=_sealed(tx, person, record.case_number),
                source=source,
                state=FiledState.NOT_WARNED.value,
                by=act.by,
                at=act.now,
                drill=services.drill,
            )
            .returning(t.filed_record.c.id)
        )
        assert stored is not None
        record_id = stored["id"]
        done = replace(done, new=done.new + 1)
    loss = _Loss(
        case_number=record.case_number,
        fraud_type=FraudType(facts["fraud_type"]),
        happened_at=facts["event_at"] or facts["filed_at"],
    )
    state, case_ids, cancels = _match(act, services, record_id, loss, person, is_corrected=is_corrected)
    states = dict(done.states) | {state: done.states.get(state, 0) + 1}
    return replace(done, states=states, reversed_cases=done.reversed_cases + case_ids), cancels


def _facts(record: FiledRecord, known: Row | None, *, now: datetime) -> dict[str, Any]:
    """The facts to store: what the row does not give stays as it was. A filing without a time gets the time of the
    event, else of the first load; it is never before the event.
    """
    given: dict[str, Any] = {
        "amount_fen": record.amount_fen,
        "filed_at": record.filed_at,
        "event_at": record.event_at,
        "fraud_type": None if record.fraud_type is FraudType.UNKNOWN else record.fraud_type.value,
        "unit": record.unit or None,
    }
    before: Mapping[str, Any] = known or {"fraud_type": FraudType.UNKNOWN.value, "unit": ""}
    facts = {name: before.get(name) if value is None else value for name, value in given.items()}
    if record.filed_at is None:
        times = [at for at in (facts["filed_at"], facts["event_at"]) if at is not None]
        facts["filed_at"] = max(times, default=now)
    return facts


def _sealed(tx: Tx, person: Person, case_number: str) -> bytes:
    facts = {"name": person.name, "phones": person.phones, "id_number": person.id_number}
    return tx.vault.seal_record(facts, table="filed_record", column="sealed", row=case_number)


def _opened(tx: Tx, row: Row) -> Person:
    facts = tx.vault.open_record(row["sealed"], table="filed_record", column="sealed", row=row["case_number"])
    return Person(**facts | {"phones": tuple(facts["phones"])}, address="", family_contact="")


def _on_record(tx: Tx, case_number: str, person: Person) -> tuple[Row, Person] | None:
    """The stored row of this person under this case number; one filed case may have several victims."""
    rows = tx.rows(
        sa.select(t.filed_record).where(t.filed_record.c.case_number == case_number).order_by("id")
    )
    for row in rows:
        known = _opened(tx, row)
        if similarity(person, known) >= CERTAIN or known == person:
            return row, known
        if not (person.name and known.name) and set(person.phones) & set(known.phones):
            return row, known
    return None


def _merged(known: Person, person: Person) -> Person:
    return replace(
        known,
        name=person.name or known.name,
        id_number=person.id_number or known.id_number,
        phones=known.phones + tuple(phone for phone in person.phones if phone not in known.phones),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loss:
    """The facts of a filed case that decide which of our cases it concerns."""

    case_number: str
    fraud_type: FraudType
    happened_at: datetime


def _match(
    act: OpenAct,
    services: Services,
    record_id: int,
    loss: _Loss,
    person: Person,
    *,
    is_corrected: bool,
) -> tuple[FiledState, tuple[int, ...], bool]:
    """Adds the matches that are new, and files the case for the certain ones. `is_corrected`: the type or the time has
    changed, so it may concern other cases of those who were matched already. Returns the new state, the ids of our
    cases for which it is newly recorded, and whether calls must be cancelled.
    """
    tx = act.tx
    decided = {
        row["person_id"]: FiledMatchState(row["state"])
        for row in tx.rows(
            sa.select(t.filed_match).where(t.filed_match.c.record_id == record_id).order_by("id")
        )
    }
    what: dict[str, Any] = {
        "case_number": loss.case_number,
        "fraud_type": loss.fraud_type,
        "happened_at": loss.happened_at,
    }
    case_ids: tuple[int, ...] = ()
    cancels = False
    if is_corrected:
        for person_id, state in decided.items():
            if state.value in _OPEN:
                filed, cancel = correct_for_person(act, services, person_id, **what)
                case_ids += filed
                cancels = cancels or cancel
    is_decided = act.actor.may(Permission.DECIDE_FILED) or act.by == TERMINAL_NAME
    for person_id, score in _candidates(tx, person):
        state = FiledMatchState.CERTAIN if score >= CERTAIN and is_decided else FiledMatchState.DOUBTFUL
        if decided.get(person_id) not in {None, FiledMatchState.DOUBTFUL}:
            continue
        tx.execute(_insert_match(record_id=record_id, person_id=person_id, score=score, state=state))
        if state is FiledMatchState.CERTAIN:
            filed, cancel = file_for_person(act, services, person_id, **what)
            case_ids += filed
            cancels = cancels or cancel
    return _update_state(tx, record_id), case_ids, cancels


def _insert_match(*, record_id: int, person_id: int, score: int, state: FiledMatchState) -> sa.Executable:
    new = insert(t.filed_match).values(
        record_id=record_id, person_id=person_id, score=score, state=state.value
    )
    return new.on_conflict_do_update(
        index_elements=["record_id", "person_id"], set_={"score": score, "state": state.value}
    )


def _candidates(tx: Tx, person: Person) -> list[tuple[int, int]]:
    """The ids of warned persons who may be this one, with their scores. A name that more than `_MOST_NAMESAKES` persons
    have is ignored: alone it is no hint.
    """
    blinds, p = tx.vault.blinds, t.person.c
    found: dict[int, Row] = {}

    def take(condition: sa.ColumnElement[bool], most: int) -> None:
        rows = tx.rows(sa.select(p.id, p.sealed).where(condition).order_by(p.id).limit(most + 1))
        if len(rows) <= most:
            found.update({row["id"]: row for row in rows})

    if person.id_number:
        take(p.id_number_blind.in_(blinds(person.id_number, kind=BlindKind.ID_NUMBER)), _MOST_CANDIDATES)
    if person.phones:
        numbers = [blind for phone in person.phones for blind in blinds(phone, kind=BlindKind.PHONE)]
        holders = sa.select(t.person_phone.c.person_id).where(t.person_phone.c.phone_blind.in_(numbers))
        take(p.id.in_(holders), _MOST_CANDIDATES)
    if person.name:
        take(p.name_blind.in_(blinds(person.name, kind=BlindKind.NAME)), _MOST_NAMESAKES)
    scored = [
        (person_id, similarity(person, open_person(tx, person_id=person_id, sealed=row["sealed"])))
        for person_id, row in found.items()
    ]
    certain = [match for match in scored if match[1] >= CERTAIN]
    # If one of them is certain, the others are different people.
    return certain or [match for match in scored if match[1] >= DOUBTFUL]


def _update_state(tx: Tx, record_id: int) -> FiledState:
    """Updates the state of a filed case from its matches and from the cases that it is recorded for; returns it."""
    r, m = t.filed_record.c, t.filed_match.c
    row = tx.one(
        sa.select(
            sa.func.coalesce(sa.func.bool_or(m.state == FiledMatchState.DOUBTFUL.value), False).label(
                "doubtful"
            ),
            sa.func.coalesce(sa.func.bool_or(m.state.in_(_OPEN)), False).label("known"),
            sa.func.coalesce(
                sa.func.bool_or(
                    m.state.in_(_OPEN)
                    & sa.exists().where(
                        t.filed_case.c.case_number == r.case_number,
                        t.filed_case.c.case_id == t.case.c.id,
                        t.case.c.person_id == m.person_id,
                        # A number typed on the page of a case has no loss with a time: it is recorded for late warnings
                        # too.
                        t.case.c.opened_at <= sa.func.coalesce(r.event_at, r.filed_at),
                        sa.text(filing_stands("filed_case")),
                    )
                ),
                False,
            ).label("warned"),
            sa.func.coalesce(
                sa.func.bool_or(
                    m.state.in_(_OPEN)
                    & sa.exists().where(
                        t.case.c.person_id == m.person_id,
                        t.case.c.opened_at <= sa.func.coalesce(r.event_at, r.filed_at),
                    )
                ),
                False,
            ).label("before"),
        )
        .select_from(t.filed_record.outerjoin(t.filed_match, m.record_id == r.id))
        .where(r.id == record_id)
    )
    assert row is not None
    state = (
        FiledState.WARNED
        if row["warned"]
        else FiledState.WARNED_OTHERWISE
        if row["before"]
        else FiledState.WARNED_LATE
        if row["known"]
        else FiledState.DOUBTFUL
        if row["doubtful"]
        else FiledState.NOT_WARNED
    )
    tx.execute(sa.update(t.filed_record).where(r.id == record_id).values(state=state.value))
    return state


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledMatch:
    """A warned person who is, or may be, the victim of a filed case."""

    id: int
    person: MaskedPerson
    score: int
    state: FiledMatchState
    cases: tuple[int, ...]
    """Ids of all cases of the person, newest first."""
    decided_by: str
    decided_at: datetime | None

    @property
    def counts(self) -> bool:
        """Whether the filed case is recorded for the person."""
        return self.state.value in _OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledLine:
    """One filed case as the page shows it; the person is masked."""

    id: int
    case_number: str
    person: MaskedPerson
    amount_fen: int | None
    filed_at: datetime
    event_at: datetime | None
    fraud_type: FraudType
    unit: str
    source: str
    state: FiledState
    matches: tuple[FiledMatch, ...]
    filed_for: tuple[int, ...]
    """Ids of our cases that it is recorded for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledPage:
    """One page of filed cases, newest first."""

    lines: tuple[FiledLine, ...]
    next_before_id: int | None


def list_filed(
    services: Services,
    *,
    state: FiledState | None = None,
    period: Period = Period(),  # noqa: B008  # frozen
    before_id: int | None = None,
    limit: int = 50,
) -> FiledPage:
    """Filed cases with this state whose filing lies in the period, newest load first."""
    c = t.filed_record.c
    statement = sa.select(t.filed_record).order_by(c.id.desc()).limit(limit + 1)
    if state is not None:
        statement = statement.where(c.state == state.value)
    if before_id is not None:
        statement = statement.where(c.id < before_id)
    statement = statement.where(*filed_within(period))
    with services.store.begin() as tx:
        rows = tx.rows(statement)
        shown = rows[:limit]
        matches = _matches_of(tx, [row["id"] for row in shown])
        filed_for = _filed_for(tx, [row["case_number"] for row in shown])
        lines = tuple(
            _line(tx, row, matches.get(row["id"], ()), filed_for.get(row["case_number"], {})) for row in shown
        )
    return FiledPage(lines=lines, next_before_id=shown[-1]["id"] if len(rows) > limit else None)


def _line(
    tx: Tx, row: Row, matches: tuple[tuple[int, FiledMatch], ...], filed_for: Mapping[int, list[int]]
) -> FiledLine:
    names = ("id", "case_number", "amount_fen", "filed_at", "event_at", "unit", "source")
    taken = {person_id for person_id, match in matches if match.state.value in _OPEN}
    return FiledLine(
        **{name: row[name] for name in names},
        person=mask_person(_opened(tx, row)),
        fraud_type=FraudType(row["fraud_type"]),
        state=FiledState(row["state"]),
        matches=tuple(match for _, match in matches),
        filed_for=tuple(sorted(case for person in taken for case in filed_for.get(person, ()))),
    )


def _matches_of(tx: Tx, record_ids: Sequence[int]) -> dict[int, tuple[tuple[int, FiledMatch], ...]]:
    m = t.filed_match.c
    rows = tx.rows(
        sa.select(t.filed_match, t.person.c.sealed)
        .join(t.person, t.person.c.id == m.person_id)
        .where(m.record_id.in_(record_ids))
        .order_by(m.score.desc(), m.id)
    )
    cases: dict[int, list[int]] = {}
    for case in tx.rows(
        sa.select(t.case.c.id, t.case.c.person_id)
        .where(t.case.c.person_id.in_([row["person_id"] for row in rows]))
        .order_by(t.case.c.id.desc())
    ):
        cases.setdefault(case["person_id"], []).append(case["id"])
    found: dict[int, list[tuple[int, FiledMatch]]] = {}
    for row in rows:
        person_id = row["person_id"]
        match = FiledMatch(
            id=row["id"],
            person=mask_person(open_person(tx, person_id=person_id, sealed=row["sealed"])),
            score=row["score"],
            state=FiledMatchState(row["state"]),
            cases=tuple(cases.get(person_id, ())),
            decided_by=row["decided_by"] or "",
            decided_at=row["decided_at"],
        )
        found.setdefault(row["record_id"], []).append((person_id, match))
    return {record_id: tuple(several) for record_id, several in found.items()}


def _filed_for(tx: Tx, case_numbers: Iterable[str]) -> dict[str, dict[int, list[int]]]:
    """Ids of our cases that a number is recorded for, by the number and the person."""
    rows = tx.rows(
        sa.select(t.filed_case.c.case_number, t.filed_case.c.case_id, t.case.c.person_id)
        .join(t.case, t.case.c.id == t.filed_case.c.case_id)
        .where(t.filed_case.c.case_number.in_(list(case_numbers)), sa.text(filing_stands("filed_case")))
    )
    found: dict[str, dict[int, list[int]]] = {}
    for row in rows:
        found.setdefault(row["case_number"], {}).setdefault(row["person_id"], []).append(row["case_id"])
    return found


def decide_match(
    services: Services, actor: Actor, match_id: int, *, is_same_person: bool, why: str
) -> FiledState:
    """Records a supervisor's decision about a doubtful match; returns the state of the filed case afterwards. A
    confirmed match records the filed case for the person's cases. Raises `NotFound`, `Invalid`, and `Conflict` if the
    match is already decided.
    """
    reason = required_text("why", why)
    m, r = t.filed_match.c, t.filed_record.c
    with services.act(actor, Permission.DECIDE_FILED) as act:
        tx = act.tx
        row = tx.one(
            sa.select(t.filed_match, r.case_number, r.fraud_type, r.filed_at, r.event_at)
            .join(t.filed_record, r.id == m.record_id)
            .where(m.id == match_id)
            .with_for_update(of=(t.filed_record, t.filed_match))
        )
        if row is None:
            raise NotFound(kind="match", key=match_id)
        if row["state"] != FiledMatchState.DOUBTFUL.value:
            raise Conflict("this match is decided already", current=row["state"])
        state = FiledMatchState.CONFIRMED if is_same_person else FiledMatchState.REJECTED
        _decide_match(act, match_id, state, why=reason)
        cancels = False
        if is_same_person:
            _, cancels = file_for_person(
                act,
                services,
                row["person_id"],
                case_number=row["case_number"],
                fraud_type=FraudType(row["fraud_type"]),
                happened_at=row["event_at"] or row["filed_at"],
            )
        after = _update_state(tx, row["record_id"])
        act.audit(
            "confirm_filed_match" if is_same_person else "reject_filed_match",
            f"filed_match/{match_id}",
            why=reason,
            facts={"case_number": row["case_number"]},
        )
    if cancels:
        services.enqueue("cancel_calls")
    return after


def certain_waiting(services: Services) -> list[int]:
    """The ids of the matches that wait for a decision and are certain by their score, the oldest first."""
    m = t.filed_match.c
    waits = sa.and_(m.state == FiledMatchState.DOUBTFUL.value, m.score >= CERTAIN)
    with services.store.begin() as tx:
        return [row["id"] for row in tx.rows(sa.select(m.id).where(waits).order_by(m.id))]


def confirm_certain(services: Services, actor: Actor, *, why: str) -> int:
    """Confirms the matches that wait and are certain by their score, each as `decide_match` does; returns how many.
    What somebody else decides meanwhile stays as decided. Raises `Invalid` without a reason.
    """
    actor.check_may(Permission.DECIDE_FILED)
    required_text("why", why)
    confirmed = 0
    for match_id in certain_waiting(services):
        with suppress(Conflict, NotFound):
            decide_match(services, actor, match_id, is_same_person=True, why=why)
            confirmed += 1
    return confirmed


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoneMatch:
    """The result of undoing a match."""

    state: FiledState
    """The state of the filed case afterwards."""
    case_ids: tuple[int, ...]
    """Ids of our cases that it had been recorded for."""


def undo_match(services: Services, actor: Actor, match_id: int, *, why: str) -> UndoneMatch:
    """Undoes a match that counted although it is another person: new lines of the ledger give their cases the state
    they had before, and the match never counts again. Raises `NotFound`, `Invalid`, and `Conflict` if the match does
    not count.
    """
    reason = required_text("why", why)
    m, r = t.filed_match.c, t.filed_record.c
    with services.act(actor, Permission.DECIDE_FILED) as act:
        tx = act.tx
        row = tx.one(
            sa.select(t.filed_match, r.case_number)
            .join(t.filed_record, r.id == m.record_id)
            .where(m.id == match_id)
            .with_for_update(of=t.filed_record)
        )
        if row is None:
            raise NotFound(kind="match", key=match_id)
        if row["state"] not in _OPEN:
            raise Conflict("this match does not count", current=row["state"])
        _decide_match(act, match_id, FiledMatchState.UNDONE, why=reason)
        case_ids = undo_for_person(act, services, row["person_id"], case_number=row["case_number"])
        after = _update_state(tx, row["record_id"])
        act.audit(
            "undo_filed_match",
            f"filed_match/{match_id}",
            why=reason,
            facts={"case_number": row["case_number"]},
        )
    return UndoneMatch(state=after, case_ids=case_ids)


def _decide_match(act: OpenAct, match_id: int, state: FiledMatchState, *, why: str) -> None:
    seal = act.tx.vault.seal
    act.tx.execute(
        sa.update(t.filed_match)
        .where(t.filed_match.c.id == match_id)
        .values(
            state=state.value,
            decided_by=act.by,
            decided_at=act.now,
            why_sealed=seal(why.encode(), table="filed_match", column="why_sealed", row=match_id),
        )
    )


def undo_filing(
    services: Services, actor: Actor, case_id: int, *, case_number: str, why: str
) -> tuple[int, ...]:
    """Undoes a number that was recorded for this case by mistake, whoever recorded it: all cases of the person lose the
    number and get back the state they had before it, and no match of the number with the person counts again. Returns
    the ids of the cases that it was recorded for. Raises `NotFound` for a case that the actor does not see,
    `Invalid` without a reason and for a number that is not recorded for the case, and `Conflict` as `undo_for_person`
    does.
    """
    number, reason = case_number_of(case_number), required_text("why", why)
    m, r = t.filed_match.c, t.filed_record.c
    with services.act(actor, Permission.DECIDE_FILED) as act:
        tx = act.tx
        check_case_visible(tx, case_id, actor.unit_id)
        stored = get_case(tx, case_id)
        assert stored is not None
        matches = tx.rows(
            sa.select(m.id, m.record_id)
            .join(t.filed_record, r.id == m.record_id)
            .where(r.case_number == number, m.person_id == stored.person_id, m.state.in_(_OPEN))
            .order_by(r.id)
            .with_for_update(of=t.filed_record)
        )
        case_ids = undo_for_person(act, services, stored.person_id, case_number=number)
        if case_id not in case_ids:
            raise Invalid(field="case number", problem="does not stand for this case")
        for match in matches:
            _decide_match(act, match["id"], FiledMatchState.UNDONE, why=reason)
            _update_state(tx, match["record_id"])
        for filed_id in case_ids:
            act.audit("undo_filing", f"case/{filed_id}", why=reason, facts={"case_number": number})
    return case_ids
