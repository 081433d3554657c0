"""Reads a target list of any kind row by row. Pure: bytes in, values out; it stores nothing."""

from __future__ import annotations

import io
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice, zip_longest
from pathlib import PurePosixPath, PureWindowsPath
from typing import BinaryIO, Final, Self

from dialer.core.errors import NoPhoneColumn, UnusableFile
from dialer.intake.headings import (
    HEADING_ROWS,
    Corrections,
    Layout,
    best_layout,
    is_blank_row,
    is_footer_with_phone,
    is_heading,
    is_heading_again,
    is_note_or_total,
    known_fields,
    layout_of,
    likely_headings,
)
from dialer.intake.records import Accepted, Column, IntakeOptions, Rejected
from dialer.intake.rows import RowReader
from dialer.intake.text_files import not_text, open_delimited
from dialer.intake.workbooks import ZIP_MAGIC, is_workbook, open_sheets
from dialer.language import Text, gettext_noop

Row = tuple[int, list[str]]
_HEAD: Final = 1024
_OTHER_KINDS: Final = (
    (b"\x89PNG", gettext_noop("a picture")),
    (b"\xff\xd8\xff", gettext_noop("a picture")),
    (b"GIF8", gettext_noop("a picture")),
    (b"BM", gettext_noop("a picture")),
    (b"%PDF", gettext_noop("a PDF")),
    (b"Rar!", gettext_noop("an archive")),
    (b"7z\xbc\xaf", gettext_noop("an archive")),
    (b"\x1f\x8b", gettext_noop("an archive")),
)
_BITMAP: Final = b"BM"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """One list within the file: its layout and its rows below the heading."""

    sheet: str
    layout: Layout
    rows: Iterator[Row]
    skipped: int


class ListReader:
    """Yields every row of the list once, in line order, as Accepted or Rejected.

    After the last one `skipped` counts the rows that were no records (titles, blanks, notes, totals, repeated
    headings), and `columns` is how the columns of every table were read.
    """

    def __init__(self, *, tables: Iterator[_Table], options: IntakeOptions) -> None:
        self.skipped = 0
        self.columns: tuple[Column, ...] = ()
        self.options = options
        self._tables = tables
        self._next_table = 0
        self._source_rows = self._read()
        self._results: Iterator[Accepted | Rejected] = self._source_rows

    def __iter__(self) -> Iterator[Accepted | Rejected]:
        return self._results

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stops reading; the stream stays open."""
        self._source_rows.close()

    def prime(self) -> None:
        """Reads the first row. Raises UnusableFile when the list has none."""
        first = next(self._results, None)
        if first is None:
            self.close()
            raise UnusableFile("the list has headings but no rows below them; nothing was loaded")
        self._results = chain((first,), self._results)

    def _read(self) -> Generator[Accepted | Rejected, None, None]:
        for table in self._tables:
            self.skipped += table.skipped
            yield from self._read_table(table)

    def _read_table(self, table: _Table) -> Iterator[Accepted | Rejected]:
        reader = self._row_reader(table.layout, table.sheet)
        is_first = True
        for line, cells in table.rows:
            layout = reader.layout
            if not reader.has_phone(cells):
                if is_blank_row(cells, layout):
                    self.skipped += 1
                    continue
                if is_heading_again(cells, layout):
                    self.skipped += 1
                    renewed = (
                        _second_heading(layout, cells, self.options.corrections)
                        if is_first
                        else layout_of(cells, self.options.corrections)
                    )
                    if is_heading(renewed) and renewed.fields != layout.fields:
                        reader = self._row_reader(renewed, table.sheet, replaces_last=is_first)
                    continue
                if is_note_or_total(cells, layout):
                    self.skipped += 1
                    continue
            elif is_footer_with_phone(cells):
                self.skipped += 1
                continue
            is_first = False
            yield reader.read(line, cells)

    def _row_reader(self, layout: Layout, sheet: str, *, replaces_last: bool = False) -> RowReader:
        if replaces_last:
            self._next_table -= 1
            self.columns = tuple(column for column in self.columns if column.table != self._next_table)
        table = self._next_table
        self._next_table += 1
        self.columns += layout.columns(table=table, sheet=sheet)
        return RowReader(layout=layout, options=self.options, table=table, sheet=sheet)


def read_list(data: bytes | BinaryIO, *, filename: str, options: IntakeOptions) -> ListReader:
    """A reader of the list. The kind is told by the content; `filename` only names the source of its rows.

    A stream must be seekable and stays the caller's. Raises UnusableFile, with one line that says what to do,
    for a file that is no target list: empty, a picture, under a password, without a phone column or any row.
    """
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    reader = ListReader(
        tables=_tables(stream, options.corrections),
        options=replace(options, source=options.source or default_source(filename)),
    )
    reader.prime()
    return reader


def _tables(stream: BinaryIO, corrections: Corrections) -> Iterator[_Table]:
    stream.seek(0)
    head = stream.read(_HEAD)
    if not head.strip():
        stream.seek(0)
        if not _has_content(stream):
            raise UnusableFile("the file is empty; export the list again and load that")
    _refuse_other_kinds(head)
    if is_workbook(head):
        yield from _sheet_tables(stream, corrections)
        return
    rows = open_delimited(stream, corrections)
    first = list(islice(rows, HEADING_ROWS))
    table = _table("", first, rows, corrections)
    if table is None:
        raise _no_phone_column([cells for _, cells in first])
    yield table


def _sheet_tables(stream: BinaryIO, corrections: Corrections) -> Iterator[_Table]:
    sheets = open_sheets(stream)
    heads: list[list[str]] = []
    has_list = False
    # A hidden sheet is read only where no visible one holds a list: it mostly keeps an older copy.
    for is_hidden in (False, True):
        for sheet in sheets:
            if sheet.is_hidden is not is_hidden:
                continue
            rows = sheet.rows()
            first = list(islice(rows, HEADING_ROWS))
            table = _table(sheet.name, first, rows, corrections)
            if table is None:
                heads.extend(cells for _, cells in first)
                continue
            has_list = True
            yield table
        if has_list:
            return
    if not any(any(cells) for cells in heads):
        raise UnusableFile("the workbook is empty; export the list again and load that")
    raise _no_phone_column(heads)


def _table(sheet: str, first: list[Row], rest: Iterable[Row], corrections: Corrections) -> _Table | None:
    found = best_layout([cells for _, cells in first], corrections)
    if found is None:
        return None
    index, layout = found
    return _Table(sheet=sheet, layout=layout, rows=chain(first[index + 1 :], rest), skipped=index)


def _second_heading(layout: Layout, cells: list[str], corrections: Corrections) -> Layout:
    """The layout of a heading in two rows: the lower one fills what the upper one left open."""
    return layout_of(
        [
            below if known is None and below and below.strip() else upper or ""
            for upper, known, below in zip_longest(layout.headings, layout.fields, cells)
        ],
        corrections,
    )


def _no_phone_column(rows: list[list[str]]) -> NoPhoneColumn:
    found = ", ".join(field.value for field in known_fields(rows))
    if found:
        text = Text(
            "the list has no phone column (columns found: %(found)s); name it 手机号 or phone in a heading row"
            " and load it again",
            found=found,
        )
    else:
        text = Text(
            "the list has no phone column; name it 手机号 or phone in a heading row and load it again"
        )
    return NoPhoneColumn(text, headings=likely_headings(rows))


def _refuse_other_kinds(head: bytes) -> None:
    for magic, kind in _OTHER_KINDS:
        if head.startswith(magic) and (magic != _BITMAP or b"\x00" in head):
            raise UnusableFile(
                Text(
                    "the file is %(kind)s, not a target list; save the list as xlsx or csv and load that",
                    kind=Text(kind),
                )
            )
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        raise UnusableFile("the file is a web page, not a workbook; open it, save it as xlsx and load that")
    if head.startswith(b"PK") and not head.startswith(ZIP_MAGIC):
        raise not_text()


def _has_content(stream: BinaryIO) -> bool:
    while chunk := stream.read(1 << 20):
        if chunk.strip():
            return True
    return False


def default_source(filename: str) -> str:
    """The source of rows that name none: the file's name without folders and ending, so that a list saved again as
    another kind of file is still the same list.
    """
    return PureWindowsPath(PurePosixPath(filename).name).stem or "list"
