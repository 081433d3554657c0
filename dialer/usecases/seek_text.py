"""One search box: what somebody typed is a case, an instruction, or a person. A person is carried on sealed, since
nothing personal stands in an address.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from dialer.domain.access import actor_name
from dialer.errors import Invalid
from dialer.intake import id_numbers, phones
from dialer.intake.text import cleaned, joined_name
from dialer.store import audits
from dialer.store.reads.finding import Sought
from dialer.store.reads.masking import mask_id_number, mask_name, mask_phone
from dialer.store.vault import KeyMissing, Tampered
from dialer.usecases.engine import Engine

_CASE = re.compile(r"#\s*(\d{1,18})")
_LAST4 = re.compile(r"\d{4}")
_TABLE, _COLUMN = "search", "sought"
_MOST = 100


class SoughtKind(StrEnum):
    """What a search was understood as."""

    NOTHING = "nothing"
    CASE = "case"
    INSTRUCTION = "instruction"
    PHONE = "phone"
    PHONE_END = "phone_end"
    ID_NUMBER = "id_number"
    NAME = "name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """`shown` may stand on a page: masked where it is of a person."""

    kind: SoughtKind
    case_id: int | None = None
    instruction_no: str = ""
    sought: Sought = field(default_factory=Sought)
    shown: str = ""


def understand(engine: Engine, typed: str) -> Wanted:
    """`#12` is a case; four digits end a phone; a phone and an identity number are what they are; other text with a
    digit in it is an instruction's number, and without one a name.
    """
    text = cleaned(typed)[:_MOST].strip()
    found = _CASE.fullmatch(text)
    if found is not None:
        return Wanted(kind=SoughtKind.CASE, case_id=int(found[1]), shown=f"#{found[1]}")
    person = _person(engine, text)
    if person is not None:
        return person
    if any(character.isdigit() for character in text):
        return Wanted(kind=SoughtKind.INSTRUCTION, instruction_no=text, shown=text)
    name = joined_name(text)
    if not name:
        return Wanted(kind=SoughtKind.NOTHING)
    return Wanted(kind=SoughtKind.NAME, sought=Sought(name=name), shown=mask_name(name))


def _person(engine: Engine, text: str) -> Wanted | None:
    """Whom a number alone names."""
    if _LAST4.fullmatch(text):
        return Wanted(kind=SoughtKind.PHONE_END, sought=Sought(last4=text), shown=f"****{text}")
    number, is_valid = id_numbers.normalise(text)
    if is_valid:
        return Wanted(
            kind=SoughtKind.ID_NUMBER, sought=Sought(id_number=number), shown=mask_id_number(number)
        )
    phone = phones.normalise(text, engine.centre.area_code)
    if phone is not None:
        return Wanted(kind=SoughtKind.PHONE, sought=Sought(phone=phone.e164), shown=mask_phone(phone.e164))
    return None


def seal_search(engine: Engine, wanted: Wanted, *, who: str, good_seconds: float) -> str:
    """The person sought, for an address: sealed, and good for whoever searched, for so long. That somebody was sought,
    and by what, is in the audit.
    """
    seeker = actor_name(who)
    until = engine.real.now() + timedelta(seconds=good_seconds)
    with engine.store.begin() as tx:
        audits.write(
            tx,
            who=seeker,
            act="search",
            subject=f"search/{wanted.kind.value}",
            why="",
            now=engine.clock.now(),
        )
    sealed = engine.store.vault.seal_record(
        {
            "kind": wanted.kind.value,
            "shown": wanted.shown,
            "phone": wanted.sought.phone,
            "last4": wanted.sought.last4,
            "name": wanted.sought.name,
            "id_number": wanted.sought.id_number,
            "until": until.timestamp(),
        },
        table=_TABLE,
        column=_COLUMN,
        row=seeker,
    )
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def open_search(engine: Engine, token: str, *, who: str) -> Wanted:
    """What this person sealed not too long ago. Raises `Invalid` for anything else."""
    try:
        sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        record = engine.store.vault.open_record(sealed, table=_TABLE, column=_COLUMN, row=who)
    except (Tampered, KeyMissing, ValueError, binascii.Error, IndexError) as fault:
        raise Invalid(field="who", problem="is not yours: search again") from fault
    if engine.real.now().timestamp() >= record["until"]:
        raise Invalid(field="who", problem="was too long ago: search again")
    return Wanted(
        kind=SoughtKind(record["kind"]),
        shown=record["shown"],
        sought=Sought(
            phone=record["phone"], last4=record["last4"], name=record["name"], id_number=record["id_number"]
        ),
    )
