"""The life of a loaded target list."""

from __future__ import annotations

from enum import StrEnum


class LoadState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    HELD = "held"
    """Its high grades are in the books; the rest waits for a second person."""
    DONE = "done"
    FAILED = "failed"
    """The file is no list; nothing of it was kept."""
    WITHDRAWN = "withdrawn"
    """Taken back by a person: what had not begun is closed, what had begun goes on."""
