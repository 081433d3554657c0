"""The life of an assignment: a human call or a visit that somebody has to make."""

from __future__ import annotations

from enum import StrEnum


class AssignmentState(StrEnum):
    OPEN = "open"
    SIGNED = "signed"
    """签收: somebody has taken it."""
    DONE = "done"
    WITHDRAWN = "withdrawn"
    """The person was reached on another track, or the case ended."""
