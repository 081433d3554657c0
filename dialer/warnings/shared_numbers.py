"""Many cases on one number: only so many cases of people with the same telephone are open at once, so that no more
tasks, visits and calls are made for it. Warnings of the API, rows of lists and customers at a counter for whom there
would be one more wait together for a person, who decides whether it is a family, a switchboard, or false. The robot
holds its verdicts itself.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

from dialer.cases.persons import (
    PersonIdentity,
    identify_person,
    open_cases_of_numbers,
    open_fraud_types,
    read_directory,
)
from dialer.core.events import AlarmCode
from dialer.core.rules import known_type, same_incident
from dialer.core.sources import COUNTER_SOURCE, HoldReason, is_internal_source
from dialer.core.values import FraudType, Grade
from dialer.db.alarms import alarm_row, raise_alarm, raise_alarms
from dialer.db.sources import add_sources
from dialer.db.unit_of_work import Tx
from dialer.db.vault import BlindKind
from dialer.intake.records import Field, Record
from dialer.runtime.services import Services
from dialer.warnings.arrivals import Held
from dialer.warnings.held_store import HeldContent, add_to_held_list, waiting_among
from dialer.warnings.warning_store import Said

COLUMNS: Final = tuple(field for field in Field if field not in {Field.ROW_NUMBER, Field.REJECTION})
"""The fields of a warning in the order of its raw cells, which are the columns of a list of waiting ones."""
_HEADING: Final = (",".join(field.value for field in COLUMNS) + "\r\n").encode()


def hold_further_cases(
    services: Services,
    now: datetime,
    tx: Tx,
    new: Mapping[int, Record],
    *,
    from_load_id: int | None = None,
    high_wait: bool = False,
) -> Held:
    """Stores those of these new warnings that would open one more case of a number that has many, as lists that wait
    for a person. `from_load_id`: the list whose rows they are. `high_wait`: those of high
    grades were stored before, when the list began to wait for a second person.
    """
    crowded = further_cases(tx, new, most=services.live_sources.cases_a_number)
    stored_before = {place for place in crowded if high_wait and new[place].grade.is_high}
    why = {
        place: (HoldReason.NAMES, number) for place, number in crowded.items() if place not in stored_before
    }
    if outside := {new[place].source for place in why if not is_internal_source(new[place].source)}:
        add_sources(tx, outside)
    held = hold_for_a_person(services, now, tx, new, why, cells=record_cells, from_load_id=from_load_id)
    return replace(held, places=held.places | stored_before)


def hold_for_a_person(
    services: Services,
    now: datetime,
    tx: Tx,
    new: Mapping[int, Record],
    why: Mapping[int, tuple[HoldReason, bytes | None]],
    *,
    cells: Callable[[Record], Sequence[str]],
    from_load_id: int | None = None,
) -> Held:
    """Stores warnings as lists that wait for a person, with an alarm for each list. What waits already with the same
    content is not stored once more. `why`: by position, the reason of each that is held, and the blind index of the
    number that has many cases; `cells`: its row, a cell for each field of a warning.
    """
    if not why:
        return Held()
    contents = {place: _content(services, new[place]) for place in why}
    before = waiting_among(tx, contents.values())
    repeated = frozenset(place for place, content in contents.items() if content in before)
    numbers = {content[:2] for content in before if content.number}
    lists: dict[tuple[str, HoldReason, bool, bytes | None], list[int]] = {}
    for place, (reason, number) in why.items():
        if place not in repeated:
            key = new[place].source, reason, new[place].grade is Grade.EXTRA_HIGH, number
            lists.setdefault(key, []).append(place)
    for (name, reason, extra_high, number), own in lists.items():
        text = io.StringIO()
        csv.writer(text).writerows(cells(new[place]) for place in own)
        load_id = add_to_held_list(
            tx,
            source=name,
            reason=reason,
            extra_high=extra_high,
            heading=_HEADING,
            rows=text.getvalue().encode(),
            contents=[contents[place] for place in own],
            number_blind=number,
            from_load_id=from_load_id,
            now=now,
        )
        facts = {"source": name, "reason": reason.value, "extra_high": extra_high}
        raise_alarm(tx, AlarmCode.WARNINGS_WAIT, now=now, load_id=load_id, facts=facts)
    again = frozenset(
        place for place, content in contents.items() if content[:2] in numbers and place not in repeated
    )
    return Held(places=frozenset(why), repeated=repeated, again=again)


def _content(services: Services, record: Record) -> HeldContent:
    """A customer at a counter is the same under each opening, whatever its number."""
    number = "" if record.source == COUNTER_SOURCE else record.instruction_no
    return HeldContent(record.source, number, Said.of(record).digest(services.derive_key))


def sent_cells(record: Record) -> list[str]:
    """The cells of a warning of the API as they were sent, with the source and number that were found for them."""
    filled = {Field.SOURCE: record.source, Field.INSTRUCTION_NO: record.instruction_no}
    return [filled.get(field, cell) for field, cell in zip(COLUMNS, record.raw, strict=True)]


def record_cells(record: Record) -> list[str]:
    """The cells from which the same record is read again, whatever the columns of its list."""
    values: dict[Field, object] = {
        Field.PHONE: " ".join(record.phones),
        Field.TAGS: " ".join(sorted(record.tags)),
        Field.AMOUNT_AT_RISK: _yuan(record.amount_at_risk_fen),
        Field.AMOUNT_PAID: _yuan(record.amount_paid_fen),
    }
    cells = [values.get(field, getattr(record, field.value, None)) for field in COLUMNS]
    return [
        "" if cell is None else cell.isoformat() if isinstance(cell, datetime) else str(cell)
        for cell in cells
    ]


def _yuan(fen: int | None) -> str:
    return "" if fen is None else f"{fen // 100}.{fen % 100:02}"


def raise_many_cases(tx: Tx, case_ids: Collection[int], *, now: datetime) -> None:
    """Raises an alarm for each of these cases: its number had as many open cases as may be before it was opened."""
    if case_ids:
        raise_alarms(tx, [alarm_row(AlarmCode.MANY_NAMES, at=now, case_id=one) for one in sorted(case_ids)])


def further_cases(
    tx: Tx, new: Mapping[int, Record], *, most: int, of_persons: Mapping[int, int] = MappingProxyType({})
) -> dict[int, bytes]:
    """Of these records, by position, those that would open one more case of a number that has `most` open cases
    already, of whomever, or gets them by this batch, in which higher grades go first: with the blind index of the
    number. `of_persons`: the people who are known beforehand, by position.
    """
    indexes = {
        phone: tx.vault.blinds(phone, kind=BlindKind.PHONE)
        for record in new.values()
        for phone in record.phones
    }
    current = {index: own[0] for own in indexes.values() for index in own}
    cases: dict[bytes, set[object]] = {index: set() for index in current.values()}
    for index, ids in open_cases_of_numbers(tx, current).items():
        cases[current[index]] |= ids
    numbers = {place: [indexes[phone][0] for phone in record.phones] for place, record in new.items()}
    together = Counter(index for own in numbers.values() for index in own)
    if all(len(ids) + together[index] <= most for index, ids in cases.items()):
        return {}
    people = _people(tx, new, of_persons)
    incidents: dict[object, list[FraudType]] = {
        who: [*types] for who, types in open_fraud_types(tx, _ids(people)).items()
    }
    held: dict[int, bytes] = {}
    for place in sorted(numbers, key=lambda place: -new[place].grade.rank):
        if _joins(incidents.setdefault(people[place], []), new[place].fraud_type):
            continue
        full = next((index for index in numbers[place] if len(cases[index]) >= most), None)
        if full is not None:
            held[place] = full
            continue
        incidents[people[place]].append(new[place].fraud_type)
        for index in numbers[place]:
            cases[index].add(("new", place))
    return dict(sorted(held.items()))


def _people(tx: Tx, new: Mapping[int, Record], of_persons: Mapping[int, int]) -> dict[int, object]:
    """Whom each record is about: the id of somebody who is known, or what all records of a new person have in
    common.
    """
    asked = {
        place: replace(_identity(tx, record), person_id=of_persons.get(place))
        for place, record in new.items()
    }
    directory = read_directory(tx, list(asked.values()))
    found = {place: directory.find(identity) for place, identity in asked.items()}
    return {
        place: _somebody_new(asked[place], place) if known is None else known.id
        for place, known in found.items()
    }


def _ids(people: Mapping[int, object]) -> list[int]:
    return [who for who in people.values() if isinstance(who, int)]


def _joins(types: list[FraudType], arriving: FraudType) -> bool:
    """Whether a warning joins one of the person's open cases, of these types; that case has the known type then."""
    for place, open_type in enumerate(types):
        if same_incident(open_type, arriving):
            types[place] = known_type(open_type, arriving)
            return True
    return False


def _identity(tx: Tx, record: Record) -> PersonIdentity:
    return identify_person(
        tx.vault, name=record.name, phones=record.phones, id_number=record.id_number, id_valid=record.id_valid
    )


def _somebody_new(identity: PersonIdentity, place: int) -> object:
    """Whom a record of the batch is about; without name and id number it is always somebody new."""
    return identity.id_number or identity.name_phones or ("", place)
