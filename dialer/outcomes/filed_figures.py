"""How many of the cases filed with the police 立案 had been warned of before, by type, unit, month and hour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from operator import attrgetter

import sqlalchemy as sa

from dialer.core.rates import WARNED_BEFORE_FILED, Period, Rate
from dialer.core.values import FiledState
from dialer.db import tables as t
from dialer.db.unit_of_work import Tx
from dialer.intake.filed_lists import END_OF_DAY
from dialer.runtime.services import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledCount:
    """The filed cases with one value of `key`: a fraud type, a unit, a month or an hour."""

    key: str
    filed: int
    warned: int
    doubtful: int
    amount_fen: int

    @property
    def decided(self) -> int:
        return self.filed - self.doubtful

    @property
    def missed(self) -> int:
        """Cases whose victim was warned after the loss, of something else, or never."""
        return self.decided - self.warned

    @property
    def rate(self) -> Rate:
        """立案前预警率: the share of the decided filed cases whose victim had been warned before the loss."""
        return Rate(
            definition=WARNED_BEFORE_FILED,
            numerator=self.warned,
            denominator=self.decided,
            excludes={"filed_doubtful": self.doubtful},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledFigures:
    """The filed cases of a period: by type and by unit, most first; by month and by hour in their order."""

    total: FiledCount
    by_type: tuple[FiledCount, ...]
    by_unit: tuple[FiledCount, ...]
    by_month: tuple[FiledCount, ...] = ()
    """By the month of the filing, such as 2026-11; empty in a bulletin, as `by_hour` is."""
    by_hour: tuple[FiledCount, ...] = ()
    """By the hour of the loss in the centre's time zone, such as 09; '' if only the day is known, or nothing."""


def filed_figures(services: Services, period: Period) -> FiledFigures:
    """The figures of the cases whose filing lies in the period; drill records count only in a drill."""
    c, zone, drill = t.filed_record.c, services.centre.timezone, services.drill
    month = sa.func.to_char(sa.func.timezone(zone, c.filed_at), "YYYY-MM")
    local = sa.func.timezone(zone, c.event_at)
    day_alone = sa.cast(local, sa.Time) == END_OF_DAY
    hour = sa.case((day_alone, ""), else_=sa.func.coalesce(sa.func.to_char(local, "HH24"), ""))
    with services.store.begin() as tx:
        return replace(
            count_filed(tx, period, drill=drill),
            by_month=tuple(sorted(_counts(tx, month, period, drill=drill), key=attrgetter("key"))),
            by_hour=tuple(sorted(_counts(tx, hour, period, drill=drill), key=attrgetter("key"))),
        )


def count_filed(tx: Tx, period: Period, *, drill: bool) -> FiledFigures:
    """The result of `filed_figures` without months and hours, in the snapshot of a transaction."""
    [total] = _counts(tx, sa.literal(""), period, drill=drill) or [
        FiledCount(key="", filed=0, warned=0, doubtful=0, amount_fen=0)
    ]
    c = t.filed_record.c
    by_type = _counts(tx, c.fraud_type, period, drill=drill)
    by_unit = _counts(tx, c.unit, period, drill=drill)
    return FiledFigures(total=total, by_type=tuple(by_type), by_unit=tuple(by_unit))


def _counts(tx: Tx, key: sa.ColumnElement[str], period: Period, *, drill: bool) -> list[FiledCount]:
    c = t.filed_record.c
    count = sa.func.count()
    rows = tx.rows(
        sa.select(
            key.label("key"),
            count.label("filed"),
            count.filter(c.state == FiledState.WARNED.value).label("warned"),
            count.filter(c.state == FiledState.DOUBTFUL.value).label("doubtful"),
            sa.func.coalesce(sa.func.sum(c.amount_fen), 0).label("amount_fen"),
        )
        .where(c.drill == drill, *filed_within(period))
        .group_by(sa.text("1"))
        .order_by(sa.text("2 DESC, 1"))
    )
    return [FiledCount(**{**row, "amount_fen": int(row["amount_fen"])}) for row in rows]


def filed_within(period: Period) -> Iterator[sa.ColumnElement[bool]]:
    """SQL conditions on rows of `filed_record`: the filing lies in the period."""
    c = t.filed_record.c
    if period.start is not None:
        yield c.filed_at >= period.start
    if period.end is not None:
        yield c.filed_at < period.end
