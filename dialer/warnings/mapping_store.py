"""What people have said about the lists of a source: the field of a heading, and the grade that a word means."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.core.values import Grade
from dialer.db import tables as t
from dialer.db.unit_of_work import Tx
from dialer.intake.records import Field


def column_mapping_of(tx: Tx, source: str) -> dict[str, Field | None]:
    """The corrected fields of a source by heading; {} without corrections."""
    rows = tx.rows(sa.select(t.list_mapping).where(t.list_mapping.c.source == source))
    return {row["heading"]: Field(row["field"]) if row["field"] else None for row in rows}


def save_column_mapping(
    tx: Tx, source: str, columns: Mapping[str, Field | None], *, by: str, now: datetime
) -> None:
    """Stores a column mapping, which applies from the next list of this source on. Headings that it does not name stay
    as they were.
    """
    for heading, field in columns.items():
        values = {"field": field.value if field else "", "by": by, "at": now}
        tx.execute(
            insert(t.list_mapping)
            .values(source=source, heading=heading, **values)
            .on_conflict_do_update(index_elements=["source", "heading"], set_=values)
        )


def delete_column_mapping(tx: Tx, source: str) -> int:
    """Deletes the column mapping of the source and its words for grades; returns how many headings were corrected."""
    tx.execute(sa.delete(t.list_grade_word).where(t.list_grade_word.c.source == source))
    return tx.execute(sa.delete(t.list_mapping).where(t.list_mapping.c.source == source)).rowcount


def grade_words_of(tx: Tx, source: str) -> dict[str, Grade]:
    """What words of a source mean that are no grade by themselves; {} without any."""
    rows = tx.rows(sa.select(t.list_grade_word).where(t.list_grade_word.c.source == source))
    return {row["word"]: Grade(row["grade"]) for row in rows}


def save_grade_words(tx: Tx, source: str, words: Mapping[str, Grade], *, by: str, now: datetime) -> None:
    """Stores what these words of a source mean, from its next list on."""
    for word, grade in words.items():
        values = {"grade": grade.value, "by": by, "at": now}
        tx.execute(
            insert(t.list_grade_word)
            .values(source=source, word=word, **values)
            .on_conflict_do_update(index_elements=["source", "word"], set_=values)
        )
