"""Reads a target list row by row. Pure: the tables of a file (`files.py`) in, values out; it stores nothing."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from itertools import chain, zip_longest
from pathlib import PurePosixPath, PureWindowsPath
from typing import Self

from dialer.core.errors import UnusableFile
from dialer.intake.headings import (
    Corrections,
    Layout,
    Row,
    Table,
    best_layout,
    is_blank_row,
    is_footer_with_phone,
    is_heading,
    is_heading_again,
    is_note_or_total,
    layout_of,
)
from dialer.intake.records import Accepted, Column, IntakeOptions, Rejected
from dialer.intake.rows import RowReader


@dataclass(frozen=True, slots=True, kw_only=True)
class _Laid:
    """One list within the file: its layout and its rows below the heading."""

    sheet: str
    layout: Layout
    rows: Iterator[Row]
    skipped: int


class ListReader:
    """Yields every row of the list once, in line order, as Accepted or Rejected.

    `filename` names the source of rows without one. After the last row `skipped` counts the rows that were no records
    (titles, blanks, notes, totals, repeated headings), and `columns` is how the columns of every table were read.
    """

    def __init__(
        self, tables: Generator[Table, None, None], *, filename: str, options: IntakeOptions
    ) -> None:
        """Reads the first row: raises UnusableFile in an empty table."""
        self.skipped = 0
        self.columns: tuple[Column, ...] = ()
        self.options = replace(options, source=options.source or default_source(filename))
        self._tables = tables
        self._next_table = 0
        self._source_rows = self._read()
        self._results: Iterator[Accepted | Rejected] = self._source_rows
        try:
            self._prime()
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[Accepted | Rejected]:
        return self._results

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stops reading."""
        self._source_rows.close()
        self._tables.close()

    def _prime(self) -> None:
        first = next(self._results, None)
        if first is None:
            raise UnusableFile("the list has headings but no rows below them; nothing was loaded")
        self._results = chain((first,), self._results)

    def _read(self) -> Generator[Accepted | Rejected, None, None]:
        for table in self._tables:
            laid = _laid_out(table, self.options.corrections)
            self.skipped += laid.skipped
            yield from self._read_table(laid)

    def _read_table(self, table: _Laid) -> Iterator[Accepted | Rejected]:
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


def _laid_out(table: Table, corrections: Corrections) -> _Laid:
    found = best_layout([cells for _, cells in table.first], corrections)
    assert found is not None, "a table without a heading is none"
    index, layout = found
    return _Laid(
        sheet=table.sheet, layout=layout, rows=chain(table.first[index + 1 :], table.rest), skipped=index
    )


def _second_heading(layout: Layout, cells: list[str], corrections: Corrections) -> Layout:
    """The layout of a heading in two rows: the lower one fills what the upper one left open."""
    return layout_of(
        [
            below if known is None and below and below.strip() else upper or ""
            for upper, known, below in zip_longest(layout.headings, layout.fields, cells)
        ],
        corrections,
    )


def default_source(filename: str) -> str:
    """The source of rows that name none: the file's name without folders and ending, so that a list saved again as
    another kind of file is still the same list.
    """
    return PureWindowsPath(PurePosixPath(filename).name).stem or "list"
