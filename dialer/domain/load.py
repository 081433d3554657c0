"""The life of a loaded target list."""

from __future__ import annotations

from enum import StrEnum


class LoadState(StrEnum):
    DRAFT = "draft"
    """Dropped and looked at; nothing of it is in the books, and forgotten it goes by itself."""
    WAITING = "waiting"
    RUNNING = "running"
    HELD = "held"
    """Its high grades are in the books; the rest waits for a second person."""
    DONE = "done"
    FAILED = "failed"
    """The file is no list; nothing of it was kept."""
    WITHDRAWN = "withdrawn"
    """Taken back by a person: what had not begun is closed, what had begun goes on."""


class RowFate(StrEnum):
    """What would become of a row of a list that is only looked at."""

    NEW = "new"
    JOINS = "joins"
    """It is about an incident that has its case, or gets it from a row above."""
    DUPLICATE = "duplicate"
    """Its source and instruction number are in the books, or in a row above."""
    EARLY = "early"
    """Of a high grade, in the books before a second person has let in the rest of its list."""
    REFUSED = "refused"
