"""A cut through the figures: which cases they are of, and by what they are set side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from dialer.domain.values import FraudType, Grade
from dialer.errors import Invalid
from dialer.outcomes.figures import Slice

_HOURS_A_DAY = 24


class Dimension(StrEnum):
    """By what cases are set side by side. Of a case as it is now; `SCRIPT` is that of its first ring, `HOUR` the hour
    of the centre's day in which it was opened.
    """

    UNIT = "unit"
    GRADE = "grade"
    FRAUD_TYPE = "fraud_type"
    SOURCE = "source"
    SCRIPT = "script"
    HOUR = "hour"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Everything that is given must hold of a case; `unit_ids` None is the whole centre, also what has no unit."""

    unit_ids: tuple[int, ...] | None = None
    grade: Grade | None = None
    fraud_type: FraudType | None = None
    source: str = ""
    script_id: str = ""
    hour: int | None = None

    def __post_init__(self) -> None:
        if self.hour is not None and not 0 <= self.hour < _HOURS_A_DAY:
            raise Invalid(field="hour", problem="is no hour of the day", mend="0 to 23")

    @property
    def is_whole(self) -> bool:
        """Nothing is left out."""
        return self == Cut()


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """`slices` by the dimension's values as text ("" for records without one); a value without records is not there."""

    dimension: Dimension
    total: Slice
    slices: Mapping[str, Slice]


WAIT_BOUNDS_SECONDS = (10, 30, 60, 120, 300, 600, 1_800, 3_600, 14_400, 43_200, 86_400)
"""Where one bar of the distribution of times to the first ring ends and the next begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """Cases by grade and by bar: bar n holds times from bound n-1 (included) to bound n (excluded)."""

    by_grade: Mapping[Grade, tuple[int, ...]]

    @property
    def total(self) -> tuple[int, ...]:
        bars = [0] * (len(WAIT_BOUNDS_SECONDS) + 1)
        for counts in self.by_grade.values():
            for place, count in enumerate(counts):
                bars[place] += count
        return tuple(bars)
