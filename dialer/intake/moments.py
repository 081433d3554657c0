"""Dates and times as files hold them, as aware UTC. Text without a zone is the office's local time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from dialer.intake.text import folded, is_blank
from dialer.intake.unreadable import Unreadable

_FAST: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_PARTS: Final = re.compile(
    r"(?P<year>[0-9]{4})\s*[-/.年]\s*(?P<month>[0-9]{1,2})\s*[-/.月]\s*(?P<day>[0-9]{1,2})\s*[日号]?"
    r"(?:[\st,]*(?:星期|周)[一二三四五六日天])?"
    r"(?:[\st,]*(?P<half>上午|下午|凌晨|早上|中午|晚上|am|pm)?\s*"
    r"(?P<hour>[0-9]{1,2})\s*(?:[:时点]\s*(?:(?P<minute>[0-9]{1,2})\s*(?:[:分]\s*(?:(?P<second>[0-9]{1,2})"
    r"(?:[.,][0-9]{1,9})?\s*秒?)?)?)?)\s*(?P<half_after>am|pm)?"
    r"\s*(?P<zone>z|utc|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_COMPACT: Final = re.compile(
    r"(20[0-9]{2})([01][0-9])([0-3][0-9])(?:([0-2][0-9])([0-5][0-9])([0-5][0-9])?)?(?:\.0+)?"
)
_SERIAL: Final = re.compile(r"[2-7][0-9]{4}(?:\.[0-9]+)?")
_UNIX_SECONDS: Final = re.compile(r"1[0-9]{9}(?:\.[0-9]+)?")
_UNIX_MILLISECONDS: Final = re.compile(r"1[0-9]{12}(?:\.0+)?")
_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's day 0, in local time
_NOON: Final = 12
_YEARS: Final = range(2000, 2100)
CACHE_LIMIT: Final = 65_536


class MomentReader:
    """Reads the moments of one list; remembers those it has read, since lists repeat them."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._known: dict[str, datetime | None] = {}

    def read(self, cell: str) -> datetime | None:
        """The moment in UTC, None for an empty cell; a bare date is its beginning. Raises Unreadable."""
        known = self._known
        if cell in known:
            return known[cell]
        moment = self._read(cell, end_of_day=False)
        if len(known) >= CACHE_LIMIT:
            known.clear()
        known[cell] = moment
        return moment

    def read_end(self, cell: str) -> datetime | None:
        """As `read`, but a bare date lasts until that day's end: what expires on a day is good on it."""
        return self._read(cell, end_of_day=True)

    def _read(self, cell: str, *, end_of_day: bool) -> datetime | None:
        if _FAST.fullmatch(cell):
            try:
                return self._utc(datetime.fromisoformat(cell))
            except ValueError:
                raise Unreadable from None
        text = " ".join(folded(cell).split())
        if is_blank(text):
            return None
        try:
            local, is_date = _moment(text)
            if is_date and end_of_day:
                local += timedelta(days=1)
            return self._utc(local)
        except (ValueError, OverflowError):
            raise Unreadable from None

    def _utc(self, local: datetime) -> datetime:
        moment = local if local.tzinfo else local.replace(tzinfo=self._zone)
        if moment.year not in _YEARS:
            raise Unreadable
        return moment.astimezone(UTC)


def _moment(text: str) -> tuple[datetime, bool]:
    """The moment (naive where the text names no zone) and whether it is a bare date."""
    if parts := _PARTS.fullmatch(text):
        return _from_parts(parts)
    if compact := _COMPACT.fullmatch(text):
        numbers = [int(group) for group in compact.groups() if group is not None]
        return datetime(*numbers), len(numbers) == 3  # type: ignore[arg-type]  # noqa: DTZ001, PLR2004
    if _SERIAL.fullmatch(text):
        serial = float(text)
        whole = timedelta(days=int(serial), seconds=round((serial - int(serial)) * 86_400))
        return _EPOCH + whole, serial.is_integer()
    if _UNIX_MILLISECONDS.fullmatch(text):
        return datetime.fromtimestamp(float(text) / 1000, tz=UTC), False
    if _UNIX_SECONDS.fullmatch(text):
        return datetime.fromtimestamp(float(text), tz=UTC), False
    raise Unreadable


def _from_parts(parts: re.Match[str]) -> tuple[datetime, bool]:
    day = datetime(int(parts["year"]), int(parts["month"]), int(parts["day"]))  # noqa: DTZ001
    if parts["hour"] is None:
        return day, True
    hour = int(parts["hour"])
    half = parts["half"] or parts["half_after"]
    if half in {"下午", "晚上", "pm"} and hour < _NOON:
        hour += _NOON
    elif half in {"上午", "am", "凌晨"} and hour == _NOON:
        hour = 0
    clock = time(hour, int(parts["minute"] or 0), int(parts["second"] or 0))
    moment = datetime.combine(day, clock)
    zone = parts["zone"]
    if zone in {"z", "utc"}:
        moment = moment.replace(tzinfo=UTC)
    elif zone:
        moment = datetime.fromisoformat(moment.isoformat() + zone)
    return moment, False
