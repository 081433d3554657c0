"""Rows become dataclasses by the types of their fields."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from dialer.core.values import Grade, Tag
from dialer.db.unit_of_work import record_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    id: int
    grade: Grade
    before: Grade | None
    tags: frozenset[Tag]
    numbers: tuple[int, ...]
    note: str
    reason: str | None


ROW = {
    "id": 7,
    "grade": "high",
    "before": None,
    "tags": [next(iter(Tag)).value],
    "numbers": [2, 1],
    "note": None,
    "reason": None,
    "more": "is left out",
}


def test_words_arrays_and_missing_text_take_the_types_of_their_fields():
    assert record_of(Record, ROW) == Record(
        id=7,
        grade=Grade.HIGH,
        before=None,
        tags=frozenset({next(iter(Tag))}),
        numbers=(2, 1),
        note="",
        reason=None,
    )
    assert record_of(Record, ROW | {"before": "low"}).before is Grade.LOW


def test_given_fields_need_no_column():
    row = {name: value for name, value in ROW.items() if name != "note"}
    assert record_of(Record, row, note="written").note == "written"


def test_a_prefix_chooses_the_columns():
    row = {f"its_{name}": value for name, value in ROW.items()}
    assert record_of(Record, row, prefix="its_") == record_of(Record, ROW)


def test_a_missing_column_and_an_unknown_word_are_refused():
    with pytest.raises(KeyError):
        record_of(Record, {name: value for name, value in ROW.items() if name != "id"})
    with pytest.raises(ValueError, match="none"):
        record_of(Record, ROW | {"grade": "none"})
