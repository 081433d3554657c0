"""Accepted records become warnings and cases: duplicates are dropped, persons identified, incidents joined and first
steps decided, all in the transaction of the caller. What needs no lock (ids, blind indexes, sealed rows, the first
decision) is prepared beforehand, so that the next batch of a list is prepared while the database writes the last one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from dialer.calls.comparison import match_new_cases
from dialer.cases.effects import PendingWrites, Pieces, write_effects
from dialer.cases.persons import (
    KnownPerson,
    Person,
    PersonIdentity,
    Sealed,
    family_numbers,
    identify_person,
    merge_person,
    read_directory,
    seal_directory_entry,
    write_people,
)
from dialer.cases.store import (
    NewCases,
    StoredCase,
    insert_cases,
    lock_cases_of_people,
    save_cases,
    take_next_ids,
)
from dialer.cases.unassigned import assign_cases_to_unit
from dialer.core.access import ROBOT
from dialer.core.case import Case, CaseStatus, FamilyContact, wants_no_more_calls
from dialer.core.decide import BulkCaseOpener, decide
from dialer.core.events import AlarmCode, WarningJoined
from dialer.core.rules import same_incident
from dialer.db import tables as t
from dialer.db.alarms import alarm_row, raise_alarm_once, raise_alarms
from dialer.db.key_state import follow_plan
from dialer.db.unit_of_work import Tx
from dialer.db.vault import KeyPlan, Vault
from dialer.intake.records import Accepted, Record
from dialer.runtime.services import Services
from dialer.warnings.warning_store import (
    Content,
    Said,
    cases_of_warnings,
    lock_arrivals,
    mark_missed_warnings,
    said_by_warnings,
    warning_content,
    write_warnings,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedCase:
    """A new case: its own row, and the rows of its first call attempts and assignments."""

    stored: StoredCase
    row: tuple[object, ...]
    first_steps: Pieces


class CaseOpener:
    """Opens the cases of one load at one moment, under the policy and the unit tree of that moment."""

    def __init__(self, tx: Tx, services: Services, *, load_id: int | None, now: datetime) -> None:
        self.now = now
        self.load_id = load_id
        self.drill = services.drill
        self._area = services.centre.area_code
        self.policy = services.policies.newest
        self.units = services.units.current(tx)
        self._openings = BulkCaseOpener(now=now, policy=self.policy)
        self._rows = NewCases(load_id)
        self._writes = PendingWrites(now=now)

    def is_current(self, tx: Tx, services: Services) -> bool:
        """Whether the policy and the unit tree are still the same."""
        return self.policy is services.policies.newest and self.units is services.units.current(tx)

    def open(self, record: Record, *, case_id: int, person_id: int, person: Person) -> OpenedCase:
        """A new case for this record and its person, with the effects of its first decision; nothing is written."""
        case = Case(
            id=case_id,
            grade=record.grade,
            fraud_type=record.fraud_type,
            opened_at=self.now,
            policy_version=self.policy.version,
            numbers=len(person.phones),
            expires_at=None if record.missed else record.expires_at,
            amount_at_risk_fen=record.amount_at_risk_fen,
            missed=record.missed,
            tags=record.tags,
            family=FamilyContact.KNOWN if family_numbers(person, self._area) else FamilyContact.NONE,
        )
        decision = self._openings.decide(case)
        unit = self.units.find(record.unit)
        stored = StoredCase(
            case=decision.case,
            person_id=person_id,
            source=record.source,
            unit=self.units.label(unit.id) if unit is not None else record.unit,
            unit_id=unit.id if unit is not None else None,
            drill=self.drill,
            first_attempt_at=None,
        )
        self._writes.enter(stored, decision.effects)
        return OpenedCase(stored=stored, row=self.row(stored), first_steps=self._writes.cut())

    def row(self, stored: StoredCase) -> tuple[object, ...]:
        """The row of a new case as it is now."""
        return self._rows.row(stored)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An accepted record, ready to be written. The ids of its person and its case, and the opened case, are used only
    if these are new.
    """

    accepted: Accepted
    identity: PersonIdentity
    person: Person
    person_id: int
    sealed: Sealed
    opened: OpenedCase
    content: Content

    @property
    def record(self) -> Record:
        return self.accepted.record

    @property
    def case_id(self) -> int:
        return self.opened.stored.case.id


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedBatch:
    """Records of one load at one moment; the load is None for records that no list brought."""

    opener: CaseOpener
    records: tuple[Prepared, ...]
    plan: KeyPlan
    """The keys with which its blind indexes were made."""


def prepare_arrivals(
    tx: Tx,
    services: Services,
    batch: Sequence[Accepted],
    *,
    load_id: int | None,
    now: datetime,
    of_persons: Sequence[int | None] = (),
) -> PreparedBatch:
    """Prepares the records, in the order given. Takes ids from the sequences, which a rollback does not return.
    `of_persons`: for each record, the person if it is known beforehand; empty if none is.
    """
    plan = tx.vault.plan
    opener = CaseOpener(tx, services, load_id=load_id, now=now)
    ids = [take_next_ids(tx, table, len(batch)) for table in (t.person, t.case, t.warning)]
    known = of_persons or [None] * len(batch)
    records = [
        _prepared(
            tx.vault, opener, accepted, known_id, person_id=person_id, case_id=case_id, warning_id=warning_id
        )
        for accepted, known_id, person_id, case_id, warning_id in zip(batch, known, *ids, strict=True)
    ]
    return PreparedBatch(opener=opener, records=tuple(records), plan=plan)


def _prepared(
    vault: Vault,
    opener: CaseOpener,
    accepted: Accepted,
    known_id: int | None,
    *,
    person_id: int,
    case_id: int,
    warning_id: int,
) -> Prepared:
    record = accepted.record
    person = Person(
        name=record.name,
        phones=record.phones,
        id_number=record.id_number if record.id_valid else "",
        address=record.address,
        family_contact=record.family_contact,
        coordinates=record.coordinates,
    )
    identity = _identity(vault, record)
    return Prepared(
        accepted=accepted,
        identity=identity if known_id is None else replace(identity, person_id=known_id),
        person=person,
        person_id=person_id,
        sealed=seal_directory_entry(vault, person, person_id=person_id),
        opened=opener.open(record, case_id=case_id, person_id=person_id, person=person),
        content=warning_content(vault, accepted, warning_id=warning_id),
    )


def _identity(vault: Vault, record: Record) -> PersonIdentity:
    return identify_person(
        vault,
        name=record.name,
        phones=record.phones,
        id_number=record.id_number,
        id_valid=record.id_valid,
    )


def _with_new_keys(vault: Vault, prepared: Prepared) -> Prepared:
    """The record prepared again, because keys were rotated after it was prepared."""
    return replace(
        prepared,
        identity=replace(_identity(vault, prepared.record), person_id=prepared.identity.person_id),
        sealed=seal_directory_entry(vault, prepared.person, person_id=prepared.person_id),
        content=warning_content(vault, prepared.accepted, warning_id=prepared.content.id),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The result of a batch: counts, and for each record its case (None for a duplicate) and whether that case existed
    before.
    """

    accepted: int
    merged: int
    duplicate: int
    case_ids: tuple[int | None, ...]
    joined: tuple[bool, ...]
    again: frozenset[int]
    """The positions of records whose number was stored, or waits, with other content. Each accepted one has a number of
    its own.
    """
    held: frozenset[int] = frozenset()
    """The positions of records that were left out, because they wait for a person to release them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Records that must wait, by position; they are stored elsewhere."""

    places: frozenset[int] = frozenset()
    repeated: frozenset[int] = frozenset()
    """Those of them that waited already, with the same content: nothing more was stored."""
    again: frozenset[int] = frozenset()
    """Those of them whose number waits already with other content."""


Hold = Callable[[Tx, Mapping[int, Record]], Held]
"""Which of these new records must wait."""


def take_arrivals(tx: Tx, services: Services, batch: PreparedBatch, *, hold: Hold | None = None) -> Taken:
    """Stores the batch, without those that `hold` names. Other batches wait until the transaction ends, so that nobody
    becomes two persons.
    """
    lock_arrivals(tx)
    plan = follow_plan(tx)
    records = batch.records
    if plan != batch.plan:
        records = tuple(_with_new_keys(tx.vault, prepared) for prepared in records)
    fresh, numbered = _without_duplicates(tx, services, records)
    new = {position: prepared.record for position, prepared in fresh.items()}
    held = hold(tx, new) if hold is not None and new else Held()
    again = held.again.union(numbered) - held.repeated
    if again:
        names = {new[position].source for position in again}
        raise_alarm_once(tx, AlarmCode.NUMBER_USED_AGAIN, now=batch.opener.now, names=names)
    fresh = {position: prepared for position, prepared in fresh.items() if position not in held.places}
    intake = _Intake(tx, services, list(fresh.values()), batch.opener)
    taken = {position: intake.take(prepared) for position, prepared in fresh.items()}
    intake.write()
    results = [taken.get(position, (None, False)) for position in range(len(records))]
    joined = tuple(has_joined for _, has_joined in results)
    return Taken(
        again=again,
        held=held.places - held.repeated,
        accepted=len(fresh),
        merged=sum(joined),
        duplicate=len(records) - len(new) + len(held.repeated),
        case_ids=tuple(case_id for case_id, _ in results),
        joined=joined,
    )


def _without_duplicates(
    tx: Tx, services: Services, records: Sequence[Prepared]
) -> tuple[dict[int, Prepared], list[int]]:
    """The records to store by their position, and the positions of those whose number was stored with other content:
    these get a number of their own, derived from both. A record that says nothing new is a duplicate and left out.
    """
    stored = cases_of_warnings(tx, [prepared.record.key for prepared in records])
    fresh: dict[int, Prepared] = {}
    said: dict[tuple[str, str], Said] = {}
    repeated: list[int] = []
    for position, prepared in enumerate(records):
        key = prepared.record.key
        if key in stored or key in said:
            repeated.append(position)
        else:
            fresh[position], said[key] = prepared, Said.of(prepared.record)
    if not repeated:
        return fresh, []
    said |= said_by_warnings(tx, {records[position].record.key for position in repeated} & stored.keys())
    others: dict[int, Prepared] = {}
    for position in repeated:
        record = records[position].record
        own = Said.of(record)
        if record.key in said and own.differs_from(said[record.key]):
            number = f"{record.instruction_no}~{own.digest(services.derive_key)}"
            others[position] = _numbered(records[position], number)
    known = set(cases_of_warnings(tx, [other.record.key for other in others.values()])) if others else set()
    again = []
    for position, other in others.items():
        if other.record.key not in known:
            known.add(other.record.key)
            fresh[position] = other
            again.append(position)
    return dict(sorted(fresh.items())), again


def _numbered(prepared: Prepared, instruction_no: str) -> Prepared:
    record = replace(prepared.record, instruction_no=instruction_no)
    accepted = replace(prepared.accepted, record=record)
    return replace(prepared, accepted=accepted, content=prepared.content.numbered(instruction_no))


def cases_of_arrivals(tx: Tx, accepted: Sequence[Accepted], taken: Taken) -> dict[int, int]:
    """The case of each record that was taken, by position, also of a duplicate; those that wait have none."""
    cases = {position: case_id for position, case_id in enumerate(taken.case_ids) if case_id is not None}
    repeated = {
        position: item.record.key
        for position, item in enumerate(accepted)
        if position not in cases and position not in taken.held
    }
    of_key = cases_of_warnings(tx, list(repeated.values())) if repeated else {}
    return cases | {position: of_key[key] for position, key in repeated.items() if key in of_key}


class _Intake:
    """One batch: persons and cases change in memory, and their rows are written once at the end."""

    def __init__(self, tx: Tx, services: Services, fresh: Sequence[Prepared], opener: CaseOpener) -> None:
        self.tx = tx
        self.services = services
        self.load_id = opener.load_id
        self.now = opener.now
        self.as_prepared = opener.is_current(tx, services)
        self.opener = (
            opener if self.as_prepared else CaseOpener(tx, services, load_id=opener.load_id, now=opener.now)
        )
        self.units = self.opener.units
        self.directory = read_directory(tx, [prepared.identity for prepared in fresh])
        self.people: dict[int, KnownPerson] = {}
        self.sealed: dict[int, Sealed] = {}
        self.cases_of = lock_cases_of_people(tx, sorted(self.directory.by_person))
        self.new_cases: dict[int, StoredCase] = {}
        self.rows: dict[int, tuple[object, ...]] = {}
        self.changed: dict[int, StoredCase] = {}
        self.found_units: dict[int, int] = {}
        self.no_longer_missed: set[int] = set()
        self.writes = PendingWrites(now=self.now)
        self.arrived: list[tuple[Content, int, int]] = []
        self.kept_apart: set[int] = set()
        """Cases for whose person another source named a further number."""
        self.warned_after_stop: set[int] = set()
        """People who said that it is solved and are warned with a higher grade."""
        self.stops_ended: set[int] = set()
        """The new cases of those people."""

    def take(self, prepared: Prepared) -> tuple[int, bool]:
        """Adds the record to a case; returns the id of the case, and whether that case existed before."""
        known = self._person(prepared)
        stored = self._case_to_join(known, prepared.record)
        if stored is None or not self._is_kept_apart(stored, known, prepared.record):
            merge_person(known, prepared.person)
        if stored is not None:
            self._join(stored, known, prepared.record)
            case_id = stored.case.id
        else:
            case_id = self._open(prepared, known)
            if known.id in self.warned_after_stop:
                self.warned_after_stop.discard(known.id)
                self.stops_ended.add(case_id)
        self.arrived.append((prepared.content, known.id, case_id))
        return case_id, stored is not None

    def _person(self, prepared: Prepared) -> KnownPerson:
        identity = prepared.identity
        known = self.directory.find(identity)
        if known is None:
            known = KnownPerson(
                id=prepared.person_id,
                id_number=next(iter(identity.id_number), None),
                person=prepared.person,
                is_new=True,
            )
            self.sealed[known.id] = prepared.sealed
        self.directory.add(identity, known)
        self.people[known.id] = known
        return known

    def _is_kept_apart(self, stored: StoredCase, known: KnownPerson, record: Record) -> bool:
        """Whether what the record says of the person stays with its own warning: it is of another source than an open
        case of a high grade, does not raise it, and names a further number. Otherwise whoever may send any warning
        could have the robot call a telephone of their own, and end the case by answering it.
        """
        case = stored.case
        is_apart = (
            case.status is CaseStatus.OPEN
            and case.grade.is_high
            and stored.source != record.source
            and record.grade.rank <= case.grade.rank
            and not known.person.phones_include(record.phones)
        )
        if is_apart:
            self.kept_apart.add(case.id)
        return is_apart

    def _case_to_join(self, known: KnownPerson, record: Record) -> StoredCase | None:
        """The person's open case of this incident, or a watched one whose success is later than the warning."""
        for stored in self.cases_of.get(known.id, ()):
            case = stored.case
            if not same_incident(case.fraud_type, record.fraud_type):
                continue
            if case.status is CaseStatus.OPEN or self._warned_before_success(case, record):
                return stored
            if wants_no_more_calls(case, of=record.grade):
                return stored
            if wants_no_more_calls(case, of=case.grade):
                self.warned_after_stop.add(known.id)
        return None

    def _warned_before_success(self, case: Case, record: Record) -> bool:
        if case.status is not CaseStatus.WATCHING or case.watch_until is None or record.produced_at is None:
            return False
        watch = self.services.policies.of(case.policy_version).watch()
        return record.produced_at <= case.watch_until - watch

    def _open(self, prepared: Prepared, known: KnownPerson) -> int:
        opened = prepared.opened
        if not self.as_prepared or known.person is not prepared.person:
            opened = self.opener.open(
                prepared.record,
                case_id=prepared.case_id,
                person_id=known.id,
                person=known.person,
            )
        stored = opened.stored
        self.writes.paste(opened.first_steps)
        self.rows[stored.case.id] = opened.row
        self.new_cases[stored.case.id] = stored
        self.cases_of.setdefault(known.id, []).append(stored)
        return stored.case.id

    def _join(self, stored: StoredCase, known: KnownPerson, record: Record) -> None:
        joined = WarningJoined(
            grade=record.grade,
            fraud_type=record.fraud_type,
            expires_at=record.expires_at,
            amount_at_risk_fen=record.amount_at_risk_fen,
            tags=record.tags,
            numbers=len(known.person.phones),
            missed=record.missed,
            has_family=bool(family_numbers(known.person, self.services.centre.area_code)),
        )
        policy = self.services.policies.of(stored.case.policy_version)
        decision = decide(stored.case, joined, self.now, policy)
        changed = self._with_unit(replace(stored, case=decision.case), record)
        if stored.case.missed and not changed.case.missed:
            self.no_longer_missed.add(stored.case.id)
        self.writes.enter(changed, decision.effects)
        of_person = self.cases_of[known.id]
        of_person[of_person.index(stored)] = changed
        if stored.case.id in self.new_cases:
            self.new_cases[stored.case.id] = changed
            self.rows[stored.case.id] = self.opener.row(changed)
        else:
            self.changed[stored.case.id] = changed

    def _with_unit(self, stored: StoredCase, record: Record) -> StoredCase:
        """The case, with the unit that the record names if the case has none."""
        unit = self.units.find(record.unit) if stored.unit_id is None else None
        if unit is None:
            return stored
        if stored.case.id not in self.new_cases:
            self.found_units[stored.case.id] = unit.id
        return replace(stored, unit=self.units.label(unit.id), unit_id=unit.id)

    def write(self) -> None:
        write_people(self.tx, self.people.values(), self.directory.new_keys, sealed=self.sealed, now=self.now)
        insert_cases(self.tx, self.rows.values())
        save_cases(self.tx, [stored.case for stored in self.changed.values()], now=self.now)
        mark_missed_warnings(self.tx, sorted(self.no_longer_missed))
        write_warnings(self.tx, self.arrived, load_id=self.load_id, drill=self.services.drill, now=self.now)
        write_effects(self.tx, self.writes)
        told = (
            (AlarmCode.NUMBER_OF_ANOTHER_SOURCE, self.kept_apart),
            (AlarmCode.WARNED_AFTER_STOP, self.stops_ended),
        )
        raise_alarms(
            self.tx,
            [alarm_row(code, at=self.now, case_id=one) for code, cases in told for one in sorted(cases)],
        )
        for case_id, unit_id in self.found_units.items():
            label = self.units.label(unit_id)
            assign_cases_to_unit(self.tx, [case_id], unit_id=unit_id, label=label, by=ROBOT, now=self.now)
        match_new_cases(self.tx, self.services, list(self.new_cases))
