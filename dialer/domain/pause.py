"""What may be paused. A pause always has an end, a person and a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class PauseScope(StrEnum):
    ALL = "all"
    UNIT = "unit"
    LOAD = "load"
    GRADE = "grade"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """`subject` is a unit, a load's id or a grade; empty for everything."""

    id: int
    scope: PauseScope
    subject: str
    unit_id: int | None = None
    units: frozenset[int] = frozenset()
    """That unit and all below it."""
    until: datetime
    why: str
    by: str
    placed_at: datetime

    def covers(self, *, grade: str, unit: str, unit_id: int | None, load_id: int | None) -> bool:
        match self.scope:
            case PauseScope.ALL:
                return True
            case PauseScope.UNIT:
                return unit == self.subject if self.unit_id is None else unit_id in self.units
            case PauseScope.LOAD:
                return str(load_id) == self.subject
            case PauseScope.GRADE:
                return grade == self.subject
