"""The refused rows as a workbook: their cells, the column to correct and why. Corrected, it loads like any list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from dialer.intake.records import Column, Field
from dialer.language import Text, bilingual

if TYPE_CHECKING:
    import xlsxwriter

COLUMN_HEADING: Final = "拒绝列"
REASON_HEADING: Final = "拒绝原因"
SOURCE_HEADING: Final = "来源"
SHEET_ROWS: Final = 1_000_000
_CELL_LENGTH: Final = 32_767
_WIDTH: Final = 18
_REASON_WIDTH: Final = 60


class RefusedRow(Protocol):
    """What the file needs of a refused row; `Rejected` is one, so is a row from the database."""

    @property
    def table(self) -> int: ...
    @property
    def raw(self) -> Sequence[str]: ...
    @property
    def column(self) -> str: ...
    @property
    def reason(self) -> Text: ...


def write_rejects(
    path: Path, columns: Sequence[Column], rejects: Iterable[RefusedRow], *, source: str = ""
) -> int:
    """The rows stand in `path` under their own headings; returns how many.

    Every cell is text: nothing in it is ever run as a formula. `source` names the source of rows whose list
    has no such column, so that the mended copy is the same warning as the original one.
    """
    import xlsxwriter  # noqa: PLC0415  # a process at rest does without

    sheets: dict[int, _RejectSheet] = {}
    count = 0
    with xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_formulas": False}) as workbook:
        for reject in rejects:
            sheet = sheets.get(reject.table)
            if sheet is None or sheet.is_full:
                own = [column for column in columns if column.table == reject.table]
                sheet = _RejectSheet(workbook, own, source)
                sheets[reject.table] = sheet
            sheet.add(reject)
            count += 1
        if not sheets:
            _RejectSheet(workbook, list(columns), source)
    return count


class _RejectSheet:
    """One sheet of refused rows; those of one table share their headings."""

    def __init__(self, workbook: xlsxwriter.Workbook, columns: Sequence[Column], source: str) -> None:
        self._kept = [column.index for column in columns if column.field is not Field.REJECTION]
        self._width = max((column.index + 1 for column in columns), default=0)
        has_source = any(column.field is Field.SOURCE for column in columns)
        self._source = [] if has_source or not source else [source]
        headings = {column.index: column.heading for column in columns}
        self._sheet = workbook.add_worksheet()
        self._text = workbook.add_format({"num_format": "@"})
        self._next_row = 0
        self._sheet.set_column(0, len(self._kept) + 1, _WIDTH)
        self._sheet.set_column(len(self._kept) + len(self._source) + 1, len(self._kept) + 2, _REASON_WIDTH)
        own = [SOURCE_HEADING] if self._source else []
        self._write([*(headings[index] for index in self._kept), *own, COLUMN_HEADING, REASON_HEADING])

    @property
    def is_full(self) -> bool:
        return self._next_row >= SHEET_ROWS

    def add(self, reject: RefusedRow) -> None:
        raw = reject.raw
        cells = [raw[index] if index < len(raw) else "" for index in self._kept]
        # Cells beyond the headings stay at the end, behind our own columns, where no field is read from.
        over = raw[self._width :]
        self._write([*cells, *self._source, reject.column, bilingual(reject.reason), *over])

    def _write(self, cells: Sequence[str]) -> None:
        for index, cell in enumerate(cells):
            if cell:
                self._sheet.write_string(self._next_row, index, cell[:_CELL_LENGTH], self._text)
        self._next_row += 1
