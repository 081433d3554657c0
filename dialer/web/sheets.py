"""Tables as files: a workbook, or text with commas. What a spreadsheet would take for a formula arrives as text."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO

from starlette.responses import Response

Cell = str | int | float | None

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_LONGEST_TITLE = 31
_WIDEST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One table; every row is as long as the head."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def plain(cell: Cell) -> Cell:
    """The text with an apostrophe before it where a spreadsheet would calculate it; numbers as they are."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def workbook(sheets: Sequence[Sheet]) -> bytes:
    """One workbook, a sheet a table, its first row held in view."""
    import xlsxwriter  # noqa: PLC0415  # a process at rest does without

    written = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(written, options) as pending_writes:
        bold = pending_writes.add_format({"bold": True})
        for sheet in sheets:
            page = pending_writes.add_worksheet(sheet.title[:_LONGEST_TITLE])
            page.freeze_panes(1, 0)
            for place, name in enumerate(sheet.head):
                page.write_string(0, place, name, bold)
                longest = max([len(name), *(len(str(row[place] or "")) for row in sheet.rows)])
                page.set_column(place, place, min(longest * 1.4 + 2, _WIDEST))
            for line, row in enumerate(sheet.rows, start=1):
                for place, cell in enumerate(row):
                    if isinstance(cell, str):
                        page.write_string(line, place, str(plain(cell)))
                    elif cell is not None:
                        page.write_number(line, place, cell)
    return written.getvalue()


def commas(sheets: Sequence[Sheet]) -> bytes:
    """UTF-8 with a byte order mark, so that a spreadsheet reads the Chinese; tables one below the other."""
    written = StringIO(newline="")
    writer = csv.writer(written)
    for place, sheet in enumerate(sheets):
        if place:
            writer.writerow([])
        if len(sheets) > 1:
            writer.writerow([sheet.title])
        writer.writerow(sheet.head)
        writer.writerows([plain(cell) for cell in row] for row in sheet.rows)
    return written.getvalue().encode("utf-8-sig")


def as_file(sheets: Sequence[Sheet], *, name: str, kind: str) -> Response:
    """The answer that a browser keeps as `name.kind`; `kind` is xlsx or csv."""
    body, media = (workbook(sheets), _XLSX) if kind == "xlsx" else (commas(sheets), "text/csv; charset=utf-8")
    disposition = f'attachment; filename="{name}.{kind}"'
    return Response(body, media_type=media, headers={"Content-Disposition": disposition})
