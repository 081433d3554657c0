"""What can be wrong with a row: what it is and how to mend it. The Chinese may show the cell, which the values hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from dialer.intake.records import Field
from dialer.intake.text import shown
from dialer.language import Text, mark

_UNREADABLE: Final = {
    Field.GRADE: mark("grade not readable: write extra_high, high, medium or low"),
    Field.AMOUNT_AT_RISK: mark("amount not readable: write it like 12000.50"),
    Field.EVENT_AT: mark("date not readable: write it like 2026-11-20 08:05"),
}
_SAME_AS: Final = {
    Field.AMOUNT_PAID: Field.AMOUNT_AT_RISK,
    Field.PRODUCED_AT: Field.EVENT_AT,
    Field.EXPIRES_AT: Field.EVENT_AT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One reason why a row is refused, with the column that must be mended."""

    field: Field
    place: int
    reason: Text


def no_phone(place: int, cell: str, count: int) -> Problem:
    """The row has no number that can be rung; `count` is how many parts stood in its phone cells."""
    if not cell.strip():
        reason = Text("no phone number: add the full number")
    elif "e+" in cell.lower():
        reason = Text("digits lost to 1.38E+10: enter it as text")
    elif count > 1:
        reason = Text("none of the numbers can be rung: give a full number")
    else:
        reason = Text("no usable phone number: give the full number", cell=shown(cell))
    return Problem(field=Field.PHONE, place=place, reason=reason)


def unreadable(field: Field, place: int, cell: str) -> Problem:
    """The cell holds something that is no grade, amount or date."""
    text = _UNREADABLE[_SAME_AS.get(field, field)]
    return Problem(field=field, place=place, reason=Text(text, cell=shown(cell)))


def expired(place: int, at: datetime, zone: ZoneInfo) -> Problem:
    """A low or medium warning that nobody needs to be rung for any more."""
    local = at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
    reason = Text("expired: if it still holds, mend the expiry time", at=local)
    return Problem(field=Field.EXPIRES_AT, place=place, reason=reason)
