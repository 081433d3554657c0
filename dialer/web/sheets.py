"""Tables as files: xlsx or csv. Text that a spreadsheet would take for a formula is marked as text."""

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
    """Text that a spreadsheet would calculate gets an apostrophe in front; everything else is unchanged."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def workbook(sheets: Sequence[Sheet]) -> bytes:
    """An xlsx file: one sheet a table, the first row frozen."""
    import xlsxwriter  # noqa: PLC0415  # loaded only by processes that write workbooks: memory at rest

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
                        page.write_string(line, place, str(plain(cell)))
                    elif cell is not None:
                        page.write_number(line, place, cell)
    return written.getvalue()


def commas(sheets: Sequence[Sheet]) -> bytes:
    """A csv file in UTF-8 with a byte order mark, which spreadsheets need for Chinese; tables below each other."""
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
    """The answer that a browser saves as `name.kind`; `kind` is xlsx or csv."""
    body, media = (workbook(sheets), _XLSX) if kind == "xlsx" else (commas(sheets), "text/csv; charset=utf-8")
    disposition = f'attachment; filename="{name}.{kind}"'
    return Response(body, media_type=media, headers={"Content-Disposition": disposition})
