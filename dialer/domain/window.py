"""When a robot may ring, in the callee's wall time. Pure: the zone's rules come from the tz database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Open from `opens` (included) to `closes` (excluded) every day in `zone`; across midnight when
    `closes <= opens`; equal times mean always open.
    """

    opens: time
    closes: time
    zone: str

    def is_open(self, at: datetime) -> bool:
        if self.opens == self.closes:
            return True
        wall = at.astimezone(ZoneInfo(self.zone)).time()
        if self.opens < self.closes:
            return self.opens <= wall < self.closes
        return wall >= self.opens or wall < self.closes

    def next_open(self, at: datetime) -> datetime:
        """`at` itself when open, else the next opening, strictly later than `at`. Aware UTC in, aware UTC out."""
        if self.is_open(at):
            return at
        zone = ZoneInfo(self.zone)
        day = at.astimezone(zone).date()
        while True:
            # Where clocks go back the opening comes twice, where they go forward it may not come at all.
            for fold in (0, 1):
                wall = datetime.combine(day, self.opens, tzinfo=zone).replace(fold=fold)
                opening = wall.astimezone(at.tzinfo)
                if opening > at and self.is_open(opening):
                    return opening
            day += _ONE_DAY
