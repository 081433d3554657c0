"""Accepted records become warnings and cases: duplicates refused, persons found, incidents joined, first steps
decided, all in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dialer.domain.access import ROBOT
from dialer.domain.case import Case, CaseStatus
from dialer.domain.events import WarningJoined
from dialer.domain.incident import same_incident
from dialer.domain.machine import decide
from dialer.intake.records import Record
from dialer.store import cases, effects, people, tray, warnings
from dialer.store.book import Book
from dialer.store.cases import StoredCase
from dialer.store.people import Known, Sealed
from dialer.store.unit_of_work import Tx
from dialer.store.warnings import Content
from dialer.usecases.engine import Engine
from dialer.usecases.open_cases import CaseOpener
from dialer.usecases.prepare_arrivals import Prepared, PreparedBatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a batch: counts, and the case of each accepted record (None for a duplicate) and whether it
    joined one that was there before.
    """

    accepted: int
    merged: int
    duplicate: int
    case_ids: tuple[int | None, ...]
    joined: tuple[bool, ...]


def take_arrivals(tx: Tx, engine: Engine, batch: PreparedBatch) -> Taken:
    """The batch is in the books afterwards. Other batches wait meanwhile, so that nobody becomes two persons."""
    warnings.lock_arrivals(tx)
    records = batch.records
    fresh, positions = _without_duplicates(tx, records)
    desk = _Desk(tx, engine, fresh, batch.opener)
    for prepared in fresh:
        desk.take(prepared)
    desk.write()
    case_ids: list[int | None] = [None] * len(records)
    joined = [False] * len(records)
    for position, case_id, has_joined in zip(positions, desk.case_ids, desk.joined, strict=True):
        case_ids[position], joined[position] = case_id, has_joined
    return Taken(
        accepted=len(fresh),
        merged=sum(joined),
        duplicate=len(records) - len(fresh),
        case_ids=tuple(case_ids),
        joined=tuple(joined),
    )


def _without_duplicates(tx: Tx, batch: Sequence[Prepared]) -> tuple[list[Prepared], list[int]]:
    seen = warnings.known_keys(tx, [prepared.record.key for prepared in batch])
    fresh: list[Prepared] = []
    positions: list[int] = []
    for position, prepared in enumerate(batch):
        if prepared.record.key not in seen:
            seen.add(prepared.record.key)
            fresh.append(prepared)
            positions.append(position)
    return fresh, positions


class _Desk:
    """One batch being taken: persons and cases as they become, rows written once at the end."""

    def __init__(self, tx: Tx, engine: Engine, fresh: Sequence[Prepared], opener: CaseOpener) -> None:
        self.tx = tx
        self.engine = engine
        self.load_id = opener.load_id
        self.now = opener.now
        self.as_prepared = opener.still_holds(tx, engine)
        self.opener = (
            opener if self.as_prepared else CaseOpener(tx, engine, load_id=opener.load_id, now=opener.now)
        )
        self.units = self.opener.units
        self.directory = people.directory(tx, [prepared.identity for prepared in fresh])
        self.people: dict[int, Known] = {}
        self.sealed: dict[int, Sealed] = {}
        known = {k.id for k in self.directory.by_id.values()} | {
            k.id for k in self.directory.by_name_phone.values()
        }
        self.cases_of = cases.lock_of_people(tx, sorted(known))
        self.new_cases: dict[int, StoredCase] = {}
        self.rows: dict[int, tuple[object, ...]] = {}
        self.moved: dict[int, StoredCase] = {}
        self.found_units: dict[int, int] = {}
        self.book = Book.begin(self.now)
        self.arrived: list[tuple[Content, int, int]] = []
        self.case_ids: list[int] = []
        self.joined: list[bool] = []

    def take(self, prepared: Prepared) -> None:
        record = prepared.record
        known = self._person(prepared)
        stored = self._joins(known, record)
        self.joined.append(stored is not None)
        if stored is None:
            stored = self._open(prepared, known)
        else:
            self._join(stored, known, record)
        self.case_ids.append(stored.case.id)
        self.arrived.append((prepared.content, known.id, stored.case.id))

    def _person(self, prepared: Prepared) -> Known:
        identity = prepared.identity
        known = self.directory.find(identity)
        if known is None:
            known = Known(
                id=prepared.person_id, id_number=identity.id_number, person=prepared.person, is_new=True
            )
            self.sealed[known.id] = prepared.sealed
        else:
            people.join(known, prepared.person)
        self.directory.add(identity, known)
        self.people[known.id] = known
        return known

    def _joins(self, known: Known, record: Record) -> StoredCase | None:
        """The person's open case of this incident; a watched one when the warning is older than its success."""
        for stored in self.cases_of.get(known.id, ()):
            case = stored.case
            if not same_incident(case.fraud_type, record.fraud_type):
                continue
            if case.status is CaseStatus.OPEN or self._older_than_success(case, record):
                return stored
        return None

    def _older_than_success(self, case: Case, record: Record) -> bool:
        if case.status is not CaseStatus.WATCHING or case.watch_until is None or record.produced_at is None:
            return False
        watch = self.engine.policies.of(case.policy_version).watch()
        return record.produced_at <= case.watch_until - watch

    def _open(self, prepared: Prepared, known: Known) -> StoredCase:
        opened = prepared.opened
        if not self.as_prepared or known.person is not prepared.person:
            opened = self.opener.open(
                prepared.record,
                case_id=prepared.case_id,
                person_id=known.id,
                numbers=len(known.person.phones),
            )
        stored = opened.stored
        self.book.paste(opened.rest)
        self.rows[stored.case.id] = opened.row
        self.new_cases[stored.case.id] = stored
        self.cases_of.setdefault(known.id, []).append(stored)
        return stored

    def _join(self, stored: StoredCase, known: Known, record: Record) -> None:
        joined = WarningJoined(
            grade=record.grade,
            fraud_type=record.fraud_type,
            expires_at=record.expires_at,
            amount_at_risk_fen=record.amount_at_risk_fen,
            tags=record.tags,
            numbers=len(known.person.phones),
            missed=record.missed,
        )
        policy = self.engine.policies.of(stored.case.policy_version)
        decision = decide(stored.case, joined, self.now, policy)
        changed = self._with_unit(replace(stored, case=decision.case), record)
        self.book.enter(changed, decision.effects)
        of_person = self.cases_of[known.id]
        of_person[of_person.index(stored)] = changed
        if stored.case.id in self.new_cases:
            self.new_cases[stored.case.id] = changed
            self.rows[stored.case.id] = self.opener.row(changed)
        else:
            self.moved[stored.case.id] = changed

    def _with_unit(self, stored: StoredCase, record: Record) -> StoredCase:
        """A case that waits for its unit finds it when a later warning names one."""
        unit = self.units.find(record.unit) if stored.unit_id is None else None
        if unit is None:
            return stored
        if stored.case.id not in self.new_cases:
            self.found_units[stored.case.id] = unit.id
        return replace(stored, unit=self.units.label(unit.id), unit_id=unit.id)

    def write(self) -> None:
        people.write(self.tx, self.people.values(), self.directory.new_keys, sealed=self.sealed, now=self.now)
        cases.insert(self.tx, self.rows.values())
        cases.save(self.tx, [stored.case for stored in self.moved.values()], now=self.now)
        warnings.write(self.tx, self.arrived, load_id=self.load_id, drill=self.engine.drill, now=self.now)
        effects.write(self.tx, self.book)
        for case_id, unit_id in self.found_units.items():
            label = self.units.label(unit_id)
            tray.place(self.tx, [case_id], unit_id=unit_id, label=label, by=ROBOT, now=self.now)
