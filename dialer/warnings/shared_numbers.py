"""Many names on one number: only so many people with the same telephone may have open cases of warnings of the API and
of lists. The warnings of further ones wait together for a person, who decides whether it is a family, a switchboard, or
false. A customer at a counter and a verdict of the robot always get a case, and an alarm.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from dialer.cases.persons import PersonIdentity, identify_person, people_with_open_cases, read_directory
from dialer.core.events import AlarmCode
from dialer.core.sources import HoldReason
from dialer.core.values import Grade
from dialer.db.alarms import alarm_row, raise_alarm, raise_alarms
from dialer.db.sources import add_sources
from dialer.db.unit_of_work import Tx
from dialer.db.vault import BlindKind
from dialer.intake.records import Field, Record
from dialer.runtime.services import Services
from dialer.warnings.held_store import add_to_held_list

COLUMNS: Final = tuple(field for field in Field if field not in {Field.ROW_NUMBER, Field.REJECTION})
"""The fields of a warning in the order of its raw cells, which are the columns of a list of waiting ones."""
_HEADING: Final = (",".join(field.value for field in COLUMNS) + "\r\n").encode()


def hold_further_names(
    services: Services, now: datetime, tx: Tx, new: Mapping[int, Record], *, high_wait: bool = False
) -> Collection[int]:
    """Stores those of the new warnings of a list that are about further people with a number that many have, as lists
    that wait for a person; returns their positions. `high_wait`: those of high grades were stored before, when the list
    began to wait for a second person.
    """
    crowded = further_names(tx, new, most=services.sources.names_a_number)
    held: dict[tuple[str, bool, bytes], list[list[str]]] = {}
    for place, number in crowded.items():
        if high_wait and new[place].grade.is_high:
            continue
        key = new[place].source, new[place].grade is Grade.EXTRA_HIGH, number
        held.setdefault(key, []).append(record_cells(new[place]))
    if held:
        add_sources(tx, {name for name, _, _ in held})
    for (name, extra_high, number), rows in held.items():
        hold_rows(tx, name, HoldReason.NAMES, rows, extra_high=extra_high, number_blind=number, now=now)
    return crowded.keys()


def hold_rows(
    tx: Tx,
    name: str,
    reason: HoldReason,
    rows: Sequence[Sequence[str]],
    *,
    extra_high: bool,
    number_blind: bytes | None,
    now: datetime,
) -> None:
    """Stores rows of cells, one for each field of a warning, as a list of this source that waits for a person, with
    an alarm.
    """
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    load_id = add_to_held_list(
        tx,
        source=name,
        reason=reason,
        extra_high=extra_high,
        heading=_HEADING,
        rows=text.getvalue().encode(),
        count=len(rows),
        number_blind=number_blind,
        now=now,
    )
    facts = {"source": name, "reason": reason.value, "extra_high": extra_high}
    raise_alarm(tx, AlarmCode.WARNINGS_WAIT, now=now, load_id=load_id, facts=facts)


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


def raise_many_names(tx: Tx, opened: Mapping[int, Record], *, most: int, now: datetime) -> None:
    """Raises an alarm for each of these cases, which were opened just now for these records, with a number that more
    than `most` people with open cases have.
    """
    indexes = {
        case_id: [own for phone in record.phones for own in tx.vault.blinds(phone, kind=BlindKind.PHONE)]
        for case_id, record in opened.items()
    }
    people = people_with_open_cases(tx, {index for own in indexes.values() for index in own})
    crowded = [
        case_id
        for case_id, own in sorted(indexes.items())
        if any(len(people.get(index, ())) > most for index in own)
    ]
    if crowded:
        alarms = [alarm_row(AlarmCode.MANY_NAMES, at=now, case_id=case_id) for case_id in crowded]
        raise_alarms(tx, alarms)


def further_names(tx: Tx, new: Mapping[int, Record], *, most: int) -> dict[int, bytes]:
    """Of these records, by position, those about somebody who is not known yet, with a number that `most` people with
    an open case have already, or get by this batch: with the blind index of the number.
    """
    indexes = {
        phone: tx.vault.blinds(phone, kind=BlindKind.PHONE)
        for record in new.values()
        for phone in record.phones
    }
    current = {index: own[0] for own in indexes.values() for index in own}
    people: dict[bytes, set[object]] = {index: set() for index in current.values()}
    for index, ids in people_with_open_cases(tx, current).items():
        people[current[index]] |= ids
    numbers = {place: [indexes[phone][0] for phone in record.phones] for place, record in new.items()}
    together = Counter(index for own in numbers.values() for index in own)
    if all(len(ids) + together[index] <= most for index, ids in people.items()):
        return {}
    asked = {place: _identity(tx, record) for place, record in new.items()}
    directory = read_directory(tx, list(asked.values()))
    held: dict[int, bytes] = {}
    for place, own in numbers.items():
        known = directory.find(asked[place])
        who = known.id if known is not None else _somebody_new(asked[place], place)
        full = next((index for index in own if known is None and len(people[index] - {who}) >= most), None)
        if full is not None:
            held[place] = full
            continue
        for index in own:
            people[index].add(who)
    return held


def _identity(tx: Tx, record: Record) -> PersonIdentity:
    return identify_person(
        tx.vault, name=record.name, phones=record.phones, id_number=record.id_number, id_valid=record.id_valid
    )


def _somebody_new(identity: PersonIdentity, place: int) -> object:
    """Whom a record of the batch is about; without name and id number it is always somebody new."""
    return identity.id_number or identity.name_phones or ("", place)
