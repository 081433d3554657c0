"""Persons: sealed facts, the blind indexes that find them, and the masked form for pages. Facts in clear leave the
store only by a reveal, which is audited.

Two records are of the same person if they have the same valid id number or, without one, the same name and a common
phone. A shared phone alone never merges persons, and a record with neither id number nor name is always a new person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from types import MappingProxyType

import sqlalchemy as sa

from dialer.core.case import CaseStatus
from dialer.core.values import FraudType
from dialer.db import tables as t
from dialer.db.bulk import CopyIn, IdSet
from dialer.db.unit_of_work import Tx
from dialer.db.vault import BlindKind, KeyMissing, Tampered, Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The personal facts of a person in clear; never logged. Phones are in E.164 form, in the order in which they
    became known.
    """

    name: str
    phones: tuple[str, ...]
    id_number: str
    address: str
    family_contact: str
    coordinates: str = ""
    """Of the address, as `core.places` writes a place; '' where none is known."""

    def phones_include(self, phones: Iterable[str]) -> bool:
        """Whether all of these numbers are known as the person's."""
        return set(phones) <= set(self.phones)


def family_numbers(person: Person, area_code: str) -> tuple[str, ...]:
    """The telephone numbers in the person's family contact, in E.164 form; `area_code` is that of landlines without
    one.
    """
    from dialer.intake.phones import normalise_phones  # noqa: PLC0415  # the memory of a process that reads no numbers

    return tuple(normalise_phones(person.family_contact, area_code)[0]) if person.family_contact else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonIdentity:
    """The blind indexes by which a person is found. Of each there is the one that is written, followed by those that
    rows may still have while the index is being made again.
    """

    id_number: tuple[bytes, ...]
    name_phones: tuple[tuple[bytes, ...], ...]
    person_id: int | None = None
    """The id of a person who is known beforehand, whatever the indexes find."""


def identify_person(
    vault: Vault, *, name: str, phones: Sequence[str], id_number: str, id_valid: bool
) -> PersonIdentity:
    """The blind indexes of these facts; an id number that is not valid has none."""
    return PersonIdentity(
        id_number=vault.blinds(id_number, kind=BlindKind.ID_NUMBER) if id_valid and id_number else (),
        name_phones=tuple(vault.blinds(f"{name}\0{phone}", kind=BlindKind.NAME_PHONE) for phone in phones)
        if name
        else (),
    )


@dataclass(slots=True, kw_only=True)
class KnownPerson:
    """A person of a batch: stored before, or new."""

    id: int
    id_number: bytes | None
    person: Person
    is_new: bool
    changed: bool = False


class Directory:
    """Persons by their blind indexes; read from the database once, then updated by the batch itself."""

    def __init__(self, known: Sequence[KnownPerson], keys: Sequence[tuple[bytes, KnownPerson]]) -> None:
        self.by_id = {person.id_number: person for person in known if person.id_number}
        self.by_person = {person.id: person for person in known}
        self.by_name_phone = dict(keys)
        self.new_keys: list[tuple[bytes, int]] = []

    def find(self, identity: PersonIdentity) -> KnownPerson | None:
        """The same person by the rule of this module; None for a new one."""
        if identity.person_id in self.by_person:
            return self.by_person[identity.person_id]
        for number in identity.id_number:
            if number in self.by_id:
                return self.by_id[number]
        for keys in identity.name_phones:
            for key in keys:
                found = self.by_name_phone.get(key)
                if found is not None and (not identity.id_number or found.id_number is None):
                    return found
        return None

    def add(self, identity: PersonIdentity, known: KnownPerson) -> None:
        """Makes the person findable by all indexes of the identity; an index stays with its first person."""
        if identity.id_number and known.id_number is None:
            known.id_number = identity.id_number[0]
            known.changed = True
        if known.id_number is not None:
            self.by_id.setdefault(known.id_number, known)
        for keys in identity.name_phones:
            if not any(key in self.by_name_phone for key in keys):
                self.by_name_phone[keys[0]] = known
                self.new_keys.append((keys[0], known.id))


def merge_person(known: KnownPerson, person: Person) -> None:
    """Adds to the known person the phones that are new, and values for what was blank."""
    before = known.person
    phones = before.phones + tuple(phone for phone in person.phones if phone not in before.phones)
    is_elsewhere = bool(before.address and person.address) and before.address != person.address
    joined = replace(
        before,
        phones=phones,
        name=before.name or person.name,
        id_number=before.id_number or person.id_number,
        address=before.address or person.address,
        family_contact=before.family_contact or person.family_contact,
        coordinates=before.coordinates or ("" if is_elsewhere else person.coordinates),
    )
    if joined != before:
        known.person = joined
        known.changed = True


_KEYS = IdSet("keys", t.person_key.c.name_phone_blind)
_BY_KEY = sa.select(t.person_key.c.name_phone_blind, t.person_key.c.person_id).where(_KEYS.clause)
_ID_NUMBERS = IdSet("id_numbers", t.person.c.id_number_blind)
_IDS = IdSet("ids", t.person.c.id)
_PEOPLE = sa.select(t.person.c.id, t.person.c.id_number_blind, t.person.c.sealed).where(
    sa.or_(_ID_NUMBERS.clause, _IDS.clause)
)


def read_directory(tx: Tx, identities: Sequence[PersonIdentity]) -> Directory:
    """The persons that these identities can match, read under the lock of `warning_store.lock_arrivals`."""
    ids = {number for identity in identities for number in identity.id_number}
    keys = {key for identity in identities for keys in identity.name_phones for key in keys}
    pairs = tx.rows(_BY_KEY, _KEYS.given(keys))
    persons = {identity.person_id for identity in identities if identity.person_id is not None}
    persons.update(pair["person_id"] for pair in pairs)
    people = tx.rows(_PEOPLE, _ID_NUMBERS.given(ids) | _IDS.given(persons))
    known = {
        row["id"]: KnownPerson(
            id=row["id"],
            id_number=bytes(row["id_number_blind"]) if row["id_number_blind"] is not None else None,
            person=open_person(tx, person_id=row["id"], sealed=row["sealed"]),
            is_new=False,
        )
        for row in people
    }
    return Directory(
        list(known.values()), [(bytes(pair["name_phone_blind"]), known[pair["person_id"]]) for pair in pairs]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """The sealed columns of a new person; made before any lock is taken."""

    name_blind: bytes
    sealed: bytes
    phones: tuple[tuple[int, int, bytes, bytes], ...]


_FACTS = tuple(column.name for column in fields(Person))


def seal_directory_entry(vault: Vault, person: Person, *, person_id: int) -> Sealed:
    """The person sealed for storage, with their blind indexes."""
    facts = {name: getattr(person, name) for name in _FACTS}
    # Processes of the release before open nobody with a fact that they do not know.
    if not person.coordinates:
        del facts["coordinates"]
    return Sealed(
        name_blind=vault.blind(person.name, kind=BlindKind.NAME),
        sealed=vault.seal_record(facts, table="person", column="sealed", row=person_id),
        phones=tuple(
            (
                person_id,
                position,
                vault.blind(phone, kind=BlindKind.PHONE),
                vault.blind(phone[-4:], kind=BlindKind.PHONE_LAST4),
            )
            for position, phone in enumerate(person.phones)
        ),
    )


def write_people(
    tx: Tx,
    known: Iterable[KnownPerson],
    new_keys: Sequence[tuple[bytes, int]],
    *,
    sealed: Mapping[int, Sealed] = MappingProxyType({}),
    now: datetime,
) -> None:
    """Writes new and changed persons, their numbers and indexes. `sealed` has new persons by id, sealed beforehand;
    those that have changed since are sealed again.
    """
    rows: list[tuple[object, ...]] = []
    phones: list[tuple[object, ...]] = []
    written = [entry for entry in known if entry.is_new or entry.changed]
    earlier = earlier_indexes(tx, {phone for entry in written for phone in entry.person.phones})
    for entry in written:
        person = entry.person
        ready = sealed.get(entry.id) if not entry.changed else None
        ready = ready or seal_directory_entry(tx.vault, person, person_id=entry.id)
        phones += [(*place, earlier.get(blind, blind), last4) for *place, blind, last4 in ready.phones]
        if entry.is_new:
            rows.append((entry.id, entry.id_number, ready.name_blind, len(person.phones), ready.sealed, now))
            continue
        tx.execute(
            sa.update(t.person)
            .where(t.person.c.id == entry.id)
            .values(
                id_number_blind=entry.id_number,
                name_blind=ready.name_blind,
                numbers=len(person.phones),
                sealed=ready.sealed,
            )
        )
        tx.execute(sa.delete(t.person_phone).where(t.person_phone.c.person_id == entry.id))
    _COPY_PERSON.write(tx, rows)
    _COPY_PHONE.write(tx, phones)
    _COPY_KEY.write(tx, new_keys)


def earlier_indexes(tx: Tx, numbers: Iterable[str]) -> dict[bytes, bytes]:
    """While the index is being made again: the earlier blind index of each number that still has it, by the new one.
    All rows of a number change together, since a live number is recognised by its index.
    """
    if len(tx.vault.plan.index) == 1:
        return {}
    new_of = {
        earlier: blinds[0]
        for blinds in (tx.vault.blinds(phone, kind=BlindKind.PHONE) for phone in numbers)
        for earlier in blinds[1:]
    }
    given = _PHONES.given(new_of) | _LIVE_NUMBERS.given(new_of)
    return {new_of[bytes(row["phone_blind"])]: bytes(row["phone_blind"]) for row in tx.rows(_STILL, given)}


_PHONES = IdSet("phones", t.person_phone.c.phone_blind)
_LIVE_NUMBERS = IdSet("live_numbers", t.live_number.c.phone_blind)
_STILL = sa.union(
    sa.select(t.person_phone.c.phone_blind).where(_PHONES.clause),
    sa.select(t.live_number.c.phone_blind).where(_LIVE_NUMBERS.clause),
)
_COPY_PERSON = CopyIn(t.person, ("id", "id_number_blind", "name_blind", "numbers", "sealed", "created_at"))
_COPY_PHONE = CopyIn(t.person_phone, ("person_id", "position", "phone_blind", "last4_blind"))
_COPY_KEY = CopyIn(t.person_key, ("name_phone_blind", "person_id"))


def open_person(tx: Tx, *, person_id: int, sealed: bytes) -> Person:
    """The facts in clear. Raises `Tampered`."""
    record = tx.vault.open_record(sealed, table="person", column="sealed", row=person_id)
    return Person(**record | {"phones": tuple(record["phones"])})


_STARS = "****"
_CHINA = "+86"
_MOBILE_DIGITS = 11
_TAIL = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedPerson:
    """`name` 王*, `phones` 138****8000, `id_number` 15****1234; '' where nothing is known."""

    name: str
    phones: tuple[str, ...]
    id_number: str
    has_address: bool
    has_family_contact: bool


def mask_person(person: Person) -> MaskedPerson:
    """The person as every user may see them."""
    return MaskedPerson(
        name=mask_name(person.name),
        phones=tuple(mask_phone(phone) for phone in person.phones),
        id_number=mask_id_number(person.id_number),
        has_address=bool(person.address),
        has_family_contact=bool(person.family_contact),
    )


_OPEN_CASES = (
    sa.select(t.person_phone.c.phone_blind, t.case.c.id)
    .join(t.case, t.case.c.person_id == t.person_phone.c.person_id)
    .where(_PHONES.clause, t.case.c.status == CaseStatus.OPEN.value)
    .distinct()
)
_PEOPLE_OF_CASES = IdSet("people", t.case.c.person_id)
_OPEN_TYPES = (
    sa.select(t.case.c.person_id, t.case.c.fraud_type)
    .where(_PEOPLE_OF_CASES.clause, t.case.c.status == CaseStatus.OPEN.value)
    .order_by(t.case.c.id)
)


def open_cases_of_numbers(tx: Tx, phone_blinds: Iterable[bytes]) -> dict[bytes, set[int]]:
    """The ids of the open cases by the number that their people have; numbers of nobody are left out."""
    found: dict[bytes, set[int]] = {}
    for phone_blind, case_id in tx.execute(_OPEN_CASES, _PHONES.given(phone_blinds)):
        found.setdefault(bytes(phone_blind), set()).add(case_id)
    return found


def open_fraud_types(tx: Tx, person_ids: Iterable[int]) -> dict[int, list[FraudType]]:
    """The fraud types of the open cases of each of these people, the oldest first; people without are left out."""
    found: dict[int, list[FraudType]] = {}
    for person_id, fraud_type in tx.execute(_OPEN_TYPES, _PEOPLE_OF_CASES.given(person_ids)):
        found.setdefault(person_id, []).append(FraudType(fraud_type))
    return found


def sole_persons_of_phones(tx: Tx, phones: Sequence[str]) -> dict[str, int]:
    """The id of the person, for each of these numbers that exactly one known person has."""
    c = t.person_phone.c
    blinds = {blind: phone for phone in phones for blind in tx.vault.blinds(phone, kind=BlindKind.PHONE)}
    rows = tx.rows(
        sa.select(c.phone_blind, c.person_id).where(_PHONES.clause).distinct(), _PHONES.given(blinds)
    )
    owners: dict[str, set[int]] = {}
    for row in rows:
        owners.setdefault(blinds[bytes(row["phone_blind"])], set()).add(row["person_id"])
    return {phone: next(iter(ids)) for phone, ids in owners.items() if len(ids) == 1}


def mask_name(name: str) -> str:
    """The first character and one star, however long the name is, so that its length is hidden."""
    return name[0] + "*" if name else ""


def mask_phone(phone: str) -> str:
    """The last four digits, and for a Chinese mobile number also the first three; only stars for a number that is too
    short.
    """
    national = phone.removeprefix(_CHINA)
    tail = phone[-_TAIL:]
    if phone.startswith(_CHINA) and len(national) == _MOBILE_DIGITS and national.startswith("1"):
        return national[:3] + _STARS + tail
    return _STARS + tail if len(phone) >= 2 * _TAIL else _STARS


def mask_id_number(id_number: str) -> str:
    """The province (two digits) and the last four characters; only stars for a text that is too short."""
    if not id_number:
        return ""
    hidden = len(id_number) - 2 - _TAIL
    return id_number[:2] + _STARS + id_number[-_TAIL:] if hidden >= _TAIL else _STARS


def numbers_kept_apart(tx: Tx, case_id: int, person: Person) -> tuple[str, ...]:
    """The numbers in clear that warnings of the case name and that are not among the person's: those of other sources,
    which the robot does not call. A warning that cannot be opened names none.
    """
    c = t.warning.c
    named: dict[str, None] = {}
    for row in tx.rows(sa.select(c.id, c.sealed).where(c.case_id == case_id).order_by(c.id)):
        try:
            content = tx.vault.open_record(row["sealed"], table="warning", column="sealed", row=row["id"])
        except (Tampered, KeyMissing):
            continue
        named |= dict.fromkeys(content.get("phones", ()))
    return tuple(phone for phone in named if phone not in person.phones)


def person_of_case(tx: Tx, case_id: int) -> Person | None:
    """The person of the case in clear, for an action that has audited who views it and why; None if there is no such
    case.
    """
    row = tx.one(
        sa.select(t.person.c.id, t.person.c.sealed)
        .join(t.case, t.case.c.person_id == t.person.c.id)
        .where(t.case.c.id == case_id)
    )
    return None if row is None else open_person(tx, person_id=row["id"], sealed=row["sealed"])


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonSearch:
    """A search for persons, who must match all fields that are not ''. Values are in normal form: E.164, 18
    characters.
    """

    phone: str = ""
    last4: str = ""
    name: str = ""
    id_number: str = ""

    @property
    def is_nothing(self) -> bool:
        return not (self.phone or self.last4 or self.name or self.id_number)


def matching_person_ids(tx: Tx, sought: PersonSearch) -> sa.Select[tuple[int]]:
    """A statement for the ids of all matching persons."""
    statement = sa.select(t.person.c.id)
    blinds = tx.vault.blinds
    if sought.id_number:
        statement = statement.where(
            t.person.c.id_number_blind.in_(blinds(sought.id_number, kind=BlindKind.ID_NUMBER))
        )
    if sought.name:
        statement = statement.where(t.person.c.name_blind.in_(blinds(sought.name, kind=BlindKind.NAME)))
    phone = t.person_phone.c
    for column, kind, typed in (
        (phone.phone_blind, BlindKind.PHONE, sought.phone),
        (phone.last4_blind, BlindKind.PHONE_LAST4, sought.last4),
    ):
        if typed:
            holders = sa.select(phone.person_id).where(column.in_(blinds(typed, kind=kind)))
            statement = statement.where(t.person.c.id.in_(holders))
    return statement


def find_person_ids(tx: Tx, sought: PersonSearch, *, limit: int = 100) -> list[int]:
    """The ids of matching persons, lowest first; none for an empty search."""
    if sought.is_nothing:
        return []
    rows = tx.rows(matching_person_ids(tx, sought).order_by(t.person.c.id).limit(limit))
    return [row["id"] for row in rows]
