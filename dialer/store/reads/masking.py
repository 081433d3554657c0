"""Personal facts as everybody may see them. Unmasked ones leave the store by a reveal only, which is audited."""

from __future__ import annotations

from dataclasses import dataclass

from dialer.store.people import Person

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


def masked(person: Person) -> MaskedPerson:
    return MaskedPerson(
        name=mask_name(person.name),
        phones=tuple(mask_phone(phone) for phone in person.phones),
        id_number=mask_id_number(person.id_number),
        has_address=bool(person.address),
        has_family_contact=bool(person.family_contact),
    )


def mask_name(name: str) -> str:
    """The first character and one star, however long the name is: its length tells nothing."""
    return name[0] + "*" if name else ""


def mask_phone(phone: str) -> str:
    """The last four digits, and of a mobile of China the first three; nothing of a number too short to hide in."""
    national = phone.removeprefix(_CHINA)
    tail = phone[-_TAIL:]
    if phone.startswith(_CHINA) and len(national) == _MOBILE_DIGITS and national.startswith("1"):
        return national[:3] + _STARS + tail
    return _STARS + tail if len(phone) >= 2 * _TAIL else _STARS


def mask_id_number(id_number: str) -> str:
    """The province and the last four; nothing of a text too short to be one."""
    if not id_number:
        return ""
    hidden = len(id_number) - 2 - _TAIL
    return id_number[:2] + _STARS + id_number[-_TAIL:] if hidden >= _TAIL else _STARS
