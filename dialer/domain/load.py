"""The life of a loaded target list."""

from __future__ import annotations

from enum import StrEnum


class LoadState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    """The file is no list; nothing of it was kept."""
