"""Many names on one number: only so many people with the same telephone may have open cases of warnings of the API. The
warnings of further ones wait together for a person, who decides whether it is a family, a switchboard, or false.
"""

from __future__ import annotations

from collections.abc import Mapping

from dialer.cases.persons import PersonIdentity, identify_person, people_with_open_cases, read_directory
from dialer.db.unit_of_work import Tx
from dialer.db.vault import BlindKind
from dialer.intake.records import Record


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
    together = [index for own in numbers.values() for index in own]
    if all(len(ids) + together.count(index) <= most for index, ids in people.items()):
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
