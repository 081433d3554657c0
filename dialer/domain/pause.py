"""What may be paused. A pause always has an end, a person and a reason."""

from __future__ import annotations

from enum import StrEnum


class PauseScope(StrEnum):
    ALL = "all"
    UNIT = "unit"
    LOAD = "load"
    GRADE = "grade"
