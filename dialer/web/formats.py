"""How pages show times, spans, money, numbers and units in the reader's language, and tables as xlsx or csv files.

In files, text that a spreadsheet would take for a formula is marked as text.
"""

from __future__ import annotations

import csv
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from io import BytesIO, StringIO
from typing import ClassVar, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel
from starlette.datastructures import UploadFile
from starlette.responses import Response

from dialer.core.errors import Invalid, NotFound
from dialer.core.text import Lang, gettext_noop
from dialer.core.units import SEPARATOR, Unit, UnitIndex, find_unit
from dialer.core.values import FEN_PER_YUAN
from dialer.language.catalogue import say, say_many


class Filter(BaseModel):
    """The filter of a list, as typed. The address of the list has all of it but the fields `beside`."""

    beside: ClassVar[frozenset[str]] = frozenset({"before"})

    def asked(self) -> dict[str, str]:
        """The filters that are set, by their names in the address."""
        given = self.model_dump(by_alias=True, exclude=set(self.beside))
        return {name: text.strip() for name, text in given.items() if text.strip()}


_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def format_money(fen: int | None) -> str:
    """¥12,345.67; whole yuan without the zeros; '' for None."""
    if fen is None:
        return ""
    yuan, rest = divmod(abs(fen), FEN_PER_YUAN)
    return ("-" if fen < 0 else "") + f"¥{yuan:,}" + (f".{rest:02}" if rest else "")


def format_number(value: float | None) -> str:
    """12,345 or 12.5; '' for None."""
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
    """The name offered for typing of each active unit: the shortest end of its path that is unique."""
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


_Word = TypeVar("_Word", bound=StrEnum)


def typed_word(kind: type[_Word], text: str) -> _Word | None:
    """The member with this value; None for any other text."""
    try:
        return kind(text)
    except ValueError:
        return None


_MOST_DIGITS = 18
"""The most digits of a number that the database can store."""


def typed_number(text: str, *, field: str) -> int | None:
    """A typed whole number; None for ''. Raises `Invalid`."""
    typed = text.strip()
    if not typed:
        return None
    if not (typed.isascii() and typed.isdecimal() and len(typed) <= _MOST_DIGITS):
        raise Invalid(field=field, problem="is not known")
    return int(typed)


def typed_unit(index: UnitIndex, text: str) -> int:
    """The unit that was typed: an offered name, else a number, name, path or alias. Raises `Invalid`."""
    wanted = text.strip()
    if not wanted:
        raise Invalid(field="unit", problem="is empty", fix="choose a unit")
    offered = {name: unit_id for unit_id, name in unit_names(index).items()}
    if wanted in offered:
        return offered[wanted]
    try:
        return find_unit(index, wanted).id
    except NotFound:
        raise Invalid(
            field="unit", problem="names no unit, or more than one", fix="choose one of the list"
        ) from None


Cell = str | int | float | None

_FORMULA = frozenset("=+-@\N{MINUS SIGN}")
_BREAKS = ("\t", "\r", "\n")
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_LONGEST_TITLE = 31
_WIDEST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One table; every row is as long as the head."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def escape_formula(cell: Cell) -> Cell:
    """Text that a spreadsheet may calculate gets an apostrophe in front; everything else is unchanged. A spreadsheet
    may do so after spaces and invisible characters too, and with full-width characters.
    """
    if not isinstance(cell, str):
        return cell
    first = next((sign for sign in cell if not _is_blank(sign)), "")
    is_formula = unicodedata.normalize("NFKC", first)[:1] in _FORMULA if first else False
    return f"'{cell}" if is_formula or cell.startswith(_BREAKS) else cell


def _is_blank(sign: str) -> bool:
    return sign.isspace() or unicodedata.category(sign) in {"Cc", "Cf"}


def workbook(sheets: Sequence[Sheet]) -> bytes:
    """An xlsx file: one sheet for each table, the first row frozen."""
    import xlsxwriter  # loaded only by processes that write workbooks: memory at rest

    written = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(written, options) as book:
        bold = book.add_format({"bold": True})
        for sheet in sheets:
            page = book.add_worksheet(sheet.title[:_LONGEST_TITLE])
            page.freeze_panes(1, 0)
            for place, name in enumerate(sheet.head):
                page.write_string(0, place, name, bold)
                longest = max([len(name), *(len(str(row[place] or "")) for row in sheet.rows)])
                page.set_column(place, place, min(longest * 1.4 + 2, _WIDEST))
            for line, row in enumerate(sheet.rows, start=1):
                for place, cell in enumerate(row):
                    if isinstance(cell, str):
                        page.write_string(line, place, str(escape_formula(cell)))
                    elif cell is not None:
                        page.write_number(line, place, cell)
    return written.getvalue()


def csv_file(sheets: Sequence[Sheet]) -> bytes:
    """A csv file in UTF-8 with a byte order mark, which spreadsheets need for Chinese; tables below each other."""
    written = StringIO(newline="")
    writer = csv.writer(written)
    for place, sheet in enumerate(sheets):
        if place:
            writer.writerow([])
        if len(sheets) > 1:
            writer.writerow([sheet.title])
        writer.writerow(sheet.head)
        writer.writerows([escape_formula(cell) for cell in row] for row in sheet.rows)
    return written.getvalue().encode("utf-8-sig")


def as_file(sheets: Sequence[Sheet], *, name: str, kind: str) -> Response:
    """The answer that a browser saves as `name.kind`; `kind` is xlsx or csv."""
    body, media = (
        (workbook(sheets), _XLSX) if kind == "xlsx" else (csv_file(sheets), "text/csv; charset=utf-8")
    )
    disposition = f'attachment; filename="{name}.{kind}"'
    return Response(body, media_type=media, headers={"Content-Disposition": disposition})


MOST_EVIDENCE = 52 << 20
"""Bytes of a form with files that prove an amount; number and size of the files have limits of their own."""
FILES_AGAIN = gettext_noop("choose the files again: the browser does not keep them")


def sent_files(files: Sequence[UploadFile] | None) -> list[bytes]:
    """The content of each file that was chosen; a field left empty sends one without a name."""
    return [content for file in files or () if file.filename and (content := file.file.read())]


def sealed_file(content: bytes, media_type: str, *, name: str) -> Response:
    """The answer with a file that was stored sealed. A picture is shown; a PDF is saved, to be opened elsewhere."""
    kind = media_type.rpartition("/")[2]
    how = "inline" if media_type.startswith("image/") else f'attachment; filename="{name}.{kind}"'
    return Response(content, media_type=media_type, headers={"Content-Disposition": how})
