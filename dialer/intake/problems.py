"""What can be wrong with a row, in the words that the office gets back: what it is and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from dialer.intake.records import Field
from dialer.intake.text import shown

_UNREADABLE: Final = {
    Field.GRADE: (
        "等级“{}”无法识别，请改为 特高危/高危/中危/低危",
        "grade not readable: write extra_high, high, medium or low",
    ),
    Field.AMOUNT_AT_RISK: (
        "金额“{}”无法识别，请改为数字，如 12000.50 或 3万元",
        "amount not readable: write it like 12000.50",
    ),
    Field.EVENT_AT: (
        "时间“{}”无法识别，请改为 2026-11-20 08:05 的格式",
        "date not readable: write it like 2026-11-20 08:05",
    ),
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
    reason: str


def no_phone(place: int, cell: str, count: int) -> Problem:
    """The row has no number that can be rung; `count` is how many parts stood in its phone cells."""
    if not cell.strip():
        reason = "没有手机号，请补上完整号码 (no phone number: add the full number)"
    elif "e+" in cell.lower():
        reason = "手机号被改成科学计数，数字已丢失，请按文本补录 (digits lost to 1.38E+10: enter it as text)"
    elif count > 1:
        reason = "所列号码都无法拨打，请改为完整号码 (none of the numbers can be rung: give a full number)"
    else:
        reason = (
            f"“{shown(cell)}”不是可拨打的号码，请改为完整号码 (no usable phone number: give the full number)"
        )
    return Problem(field=Field.PHONE, place=place, reason=reason)


def unreadable(field: Field, place: int, cell: str) -> Problem:
    """The cell holds something that is no grade, amount or date."""
    chinese, english = _UNREADABLE[_SAME_AS.get(field, field)]
    return Problem(field=field, place=place, reason=f"{chinese.format(shown(cell))} ({english})")


def expired(place: int, at: datetime, zone: ZoneInfo) -> Problem:
    """A low or medium warning that nobody needs to be rung for any more."""
    local = at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
    reason = f"已于 {local} 失效，如仍有效请改失效时间 (expired: if it still holds, mend the expiry time)"
    return Problem(field=Field.EXPIRES_AT, place=place, reason=reason)
