"""Where a table keeps its fields: the heading row found, and each field's column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dialer.intake.headings import NO_CORRECTIONS, Corrections, fields_of
from dialer.intake.records import Column, Field
from dialer.intake.text import cleaned

HEADING_ROWS: Final = 100
"""How many rows down a heading is looked for, blank ones counted."""
_CARRIES_NOTHING: Final = frozenset({Field.ROW_NUMBER, Field.REJECTION})


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The headings of one table and what each stands for."""

    headings: tuple[str, ...]
    fields: tuple[Field | None, ...]

    @property
    def score(self) -> int:
        """How many fields are known; 0 without a phone column: nobody could be rung from it."""
        if Field.PHONE not in self.fields:
            return 0
        return sum(field is not None for field in self.fields)

    @property
    def width(self) -> int:
        return len(self.headings)

    def places(self, field: Field) -> tuple[int, ...]:
        """The columns that hold the field, from 0."""
        return tuple(index for index, known in enumerate(self.fields) if known is field)

    def unknown_places(self) -> tuple[int, ...]:
        """The columns whose cells are kept in the remarks."""
        return tuple(index for index, known in enumerate(self.fields) if known is None)

    def columns(self, *, table: int, sheet: str) -> tuple[Column, ...]:
        return tuple(
            Column(table=table, sheet=sheet, index=index, heading=heading, field=field)
            for index, (heading, field) in enumerate(zip(self.headings, self.fields, strict=True))
        )


def layout_of(cells: Sequence[str], corrections: Corrections = NO_CORRECTIONS) -> Layout:
    """The layout that these cells would be as a heading row. Trailing empty cells are no columns."""
    headings = [" ".join(cleaned(cell).split()) for cell in cells]
    while headings and not headings[-1]:
        headings.pop()
    return Layout(headings=tuple(headings), fields=fields_of(headings, corrections))


def best_layout(
    rows: Sequence[Sequence[str]], corrections: Corrections = NO_CORRECTIONS
) -> tuple[int, Layout] | None:
    """The index of the heading row among a table's first rows and its layout; None when there is none.

    A lone phone column counts only as a table of one column: a title may hold the word.
    """
    best: tuple[int, Layout] | None = None
    for index, row in enumerate(rows[:HEADING_ROWS]):
        if not any(row):
            continue
        layout = layout_of(row, corrections)
        if not is_heading(layout):
            continue
        if best is None or (layout.score > best[1].score and index - best[0] <= 2):  # noqa: PLR2004 - a second heading row
            best = index, layout
    return best


def is_heading(layout: Layout) -> bool:
    """True for a row of headings with a phone among them."""
    filled = sum(bool(heading) for heading in layout.headings)
    return layout.score > 1 or (layout.score == 1 and filled == 1)


def likely_headings(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The row that has most known fields, the first one of several cells where none has any; () for no table."""
    best: tuple[int, tuple[str, ...]] = (0, ())
    for row in rows[:HEADING_ROWS]:
        layout = layout_of(row)
        known = sum(field is not None for field in layout.fields)
        if known > best[0] or (not best[1] and sum(map(bool, layout.headings)) > 1):
            best = known, layout.headings
    return best[1]


def known_fields(rows: Sequence[Sequence[str]]) -> tuple[Field, ...]:
    """The known fields of the row that has most, to tell what a list without a phone column has."""
    most: tuple[Field, ...] = ()
    for row in rows[:HEADING_ROWS]:
        fields = tuple(field for field in layout_of(row).fields if field and field not in _CARRIES_NOTHING)
        if len(fields) > len(most):
            most = fields
    return most if len(most) > 1 else ()
