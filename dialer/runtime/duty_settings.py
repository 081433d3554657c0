"""The settings of rosters: the shifts that their cells name, public holidays, and how early a gap raises an alarm."""

from __future__ import annotations

import re
from datetime import date, time
from typing import Final, Self

from pydantic import Field, field_validator, model_validator

from dialer.core.rota import Shift
from dialer.core.rotations import HolidayCalendar
from dialer.runtime.sections import Section

_HOURS: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_LONGEST_MARK: Final = 10


class DutySettings(Section):
    """[duty]."""

    shifts: dict[str, str] = Field(
        default={"白": "08:30-17:30", "夜": "17:30-08:30", "值": "08:30-08:30"}, min_length=1, max_length=20
    )
    """The marks in the cells of a roster and the local hours of each; one that ends at or before its start ends on the
    next day.
    """
    off_marks: tuple[str, ...] = Field(default=("休", "假", "年休", "调休", "病假", "事假"), max_length=50)
    """Marks of days off."""
    gap_hours: int = Field(default=24, ge=1, le=24 * 14)
    """An alarm says so long ahead that nobody is on duty at some time."""
    holidays: tuple[date, ...] = Field(default=(), max_length=2000)
    """Public holidays, which a rotation takes for Sundays. With any, each year that is planned needs its own."""
    working_days: tuple[date, ...] = Field(default=(), max_length=500)
    """Days at weekends on which people work instead, which a rotation takes for Mondays."""

    @field_validator("shifts")
    @classmethod
    def _are_hours(cls, shifts: dict[str, str]) -> dict[str, str]:
        for mark, hours in shifts.items():
            if not (mark.strip() == mark and 0 < len(mark) <= _LONGEST_MARK):
                raise ValueError(f"{mark!r} is no mark of a shift: one to {_LONGEST_MARK} characters")
            if not _HOURS.fullmatch(hours):
                raise ValueError(f"{mark}: {hours!r} are no hours: as 08:30-17:30")
        return shifts

    @model_validator(mode="after")
    def _are_different_days(self) -> Self:
        both = set(self.holidays) & set(self.working_days)
        if both:
            raise ValueError(f"{min(both)} is a public holiday and a working day")
        return self

    def calendar(self) -> HolidayCalendar:
        """The public holidays and the days of work instead."""
        return HolidayCalendar(holidays=frozenset(self.holidays), working_days=frozenset(self.working_days))

    def all_shifts(self) -> tuple[Shift, ...]:
        """The shifts, in the order of the settings."""
        return tuple(_shift(mark, hours) for mark, hours in self.shifts.items())


def _shift(mark: str, hours: str) -> Shift:
    starts, _, ends = hours.partition("-")
    return Shift(mark=mark, starts=time.fromisoformat(starts), ends=time.fromisoformat(ends))
