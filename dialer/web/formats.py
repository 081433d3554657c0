"""How pages show times, spans, money, numbers and units, in the reader's language and the centre's time zone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from dialer.core.errors import Invalid, NotFound
from dialer.core.units import SEPARATOR, Unit, UnitIndex, find_unit
from dialer.core.values import FEN_PER_YUAN
from dialer.language import Lang, say, say_many

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def format_money(fen: int | None) -> str:
    """¥12,345.67; whole yuan without the zeros; '' of None."""
    if fen is None:
        return ""
    yuan, rest = divmod(abs(fen), FEN_PER_YUAN)
    return ("-" if fen < 0 else "") + f"¥{yuan:,}" + (f".{rest:02}" if rest else "")


def format_number(value: float | None) -> str:
    """12,345 or 12.5; '' of None."""
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def format_day(moment: datetime | None, lang: Lang, zone: ZoneInfo) -> str:
    """2026年11月25日, 25 Nov 2026."""
    if moment is None:
        return ""
    local = moment.astimezone(zone)
    if lang is Lang.ZH:
        return f"{local.year}年{local.month}月{local.day}日"
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year}"


def format_clock(moment: datetime | None, zone: ZoneInfo, *, seconds: bool = False) -> str:
    """14:03, or 14:03:20."""
    if moment is None:
        return ""
    return moment.astimezone(zone).strftime("%H:%M:%S" if seconds else "%H:%M")


def format_moment(at: datetime | None, now: datetime, lang: Lang, zone: ZoneInfo) -> str:
    """The time, with the day if it is not today, and the year if it is not this one."""
    if at is None:
        return ""
    local, today = at.astimezone(zone), now.astimezone(zone)
    time = format_clock(at, zone)
    if local.date() == today.date():
        return time
    if local.year != today.year:
        return f"{format_day(at, lang, zone)} {time}"
    if lang is Lang.ZH:
        return f"{local.month}月{local.day}日 {time}"
    return f"{local.day} {_MONTHS[local.month - 1]} {time}"


def format_span(seconds: float | None, lang: Lang) -> str:
    """A duration in its two largest units: 3 min 20 s, 2 h 5 min, 4 days 3 h."""
    if seconds is None:
        return ""
    whole = int(abs(seconds))
    days, rest = divmod(whole, _DAY)
    hours, rest = divmod(rest, _HOUR)
    minutes, left = divmod(rest, _MINUTE)
    parts = []
    if days:
        parts.append(say_many(lang, "%(n)s day", "%(n)s days", days))
    if hours:
        parts.append(say_many(lang, "%(n)s h", "%(n)s h", hours))
    if minutes and not days:
        parts.append(say_many(lang, "%(n)s min", "%(n)s min", minutes))
    if not parts or (left and not days and not hours):
        parts.append(say_many(lang, "%(n)s s", "%(n)s s", left))
    return ("" if lang is Lang.ZH else " ").join(parts)


def say_spans(lang: Lang, text: str, **values: int | str) -> str:
    """As `say`; whole numbers are seconds and are written as durations."""
    spans = {
        name: format_span(value, lang) if isinstance(value, int) else value for name, value in values.items()
    }
    return say(lang, text, **spans)


def format_ago(at: datetime | None, now: datetime, lang: Lang) -> str:
    """3 min ago, in 2 h."""
    if at is None:
        return ""
    seconds = (now - at).total_seconds()
    if seconds < 0:
        return say(lang, "in %(amount)s", amount=format_span(seconds, lang))
    return say(lang, "%(span)s ago", span=format_span(seconds, lang))


def unit_tree(units: Sequence[Unit]) -> list[tuple[int, str]]:
    """Each id with its name, indented by its depth below the highest one shown; in the order of the tree."""
    top = min((len(unit.path) for unit in units), default=1)
    return [(unit.id, "\u3000" * (len(unit.path) - top) + unit.name) for unit in units]


def unit_names(index: UnitIndex) -> dict[int, str]:
    """Each active unit by the shortest end of its path that is unique: what is offered for typing."""
    active = [unit for unit in index if unit.active]
    endings: Counter[tuple[str, ...]] = Counter()
    for unit in index:
        names = index.names(unit.id)
        endings.update(names[-n:] for n in range(1, len(names) + 1))
    found: dict[int, str] = {}
    for unit in active:
        names = index.names(unit.id)
        n = next((n for n in range(1, len(names)) if endings[names[-n:]] == 1), len(names))
        found[unit.id] = SEPARATOR.join(names[-n:])
    return found


def typed_unit(index: UnitIndex, text: str) -> int:
    """The unit of a typed text: an offered name, else a number, name, path or alias. Raises `Invalid`."""
    wanted = text.strip()
    if not wanted:
        raise Invalid(field="unit", problem="is empty", mend="choose a unit")
    offered = {name: unit_id for unit_id, name in unit_names(index).items()}
    if wanted in offered:
        return offered[wanted]
    try:
        return find_unit(index, wanted).id
    except NotFound:
        raise Invalid(
            field="unit", problem="names no unit, or more than one", mend="choose one of the list"
        ) from None
