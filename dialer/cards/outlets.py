"""Outlets 网点: involved cards for each 10,000 opened, by the quarter in which they were opened, beside how completely
the outlet enters its openings; and what is done about an outlet, up to the letter of the competent authority.

Cases surface months late, so the cards of a quarter are compared only with those of the same quarter at all outlets.
The share of an outlet with few openings is drawn towards the mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from dialer.cards.store import Outlet, outlet_of, outlets_of
from dialer.core.access import actor_name, required_text
from dialer.core.cards import (
    FLAGGED,
    NEXT_STEPS,
    OnsiteFinding,
    OpeningFactKind,
    OpeningResult,
    OutletStep,
)
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.intervals import Estimate, prior_of, shrunk_estimate
from dialer.core.periods import add_months, midnight
from dialer.core.text import Text
from dialer.db import tables as t
from dialer.db.audit import write_audit
from dialer.db.bulk import in_words, word_literal
from dialer.db.unit_of_work import Row, Tx
from dialer.db.units import is_visible_to
from dialer.runtime.services import Services

_MONTHS_OF_QUARTER, _MONTHS = 3, 12
COHORTS_SHOWN = 8
LONGEST_MONTHS = 24
_o, _f, _s, _u, _r = t.opening.c, t.opening_fact.c, t.outlet_step.c, t.outlet.c, t.outlet_report.c


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Quarter:
    """A quarter of a year; `number` from 1 to 4."""

    year: int
    number: int

    @property
    def name(self) -> str:
        return f"{self.year}Q{self.number}"

    @property
    def first(self) -> date:
        return date(self.year, 1 + _MONTHS_OF_QUARTER * (self.number - 1), 1)

    def before(self) -> Quarter:
        """The quarter before this one."""
        if self.number == 1:
            return Quarter(year=self.year - 1, number=4)
        return Quarter(year=self.year, number=self.number - 1)

    def after(self) -> Quarter:
        """The quarter after this one."""
        if self.number == 4:  # noqa: PLR2004  # the last quarter
            return Quarter(year=self.year + 1, number=1)
        return Quarter(year=self.year, number=self.number + 1)

    @classmethod
    def of(cls, day: date) -> Quarter:
        """The quarter of a day."""
        return cls(year=day.year, number=1 + (day.month - 1) // _MONTHS_OF_QUARTER)


def quarters_until(day: date) -> list[Quarter]:
    """The last `COHORTS_SHOWN` quarters up to the one of `day`, newest first."""
    quarters = [Quarter.of(day)]
    while len(quarters) < COHORTS_SHOWN:
        quarters.append(quarters[-1].before())
    return quarters


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenStep:
    """A step that was taken about an outlet. `until_on`: the first day after the term of a letter."""

    step: OutletStep
    at: datetime
    by: str
    document_no: str
    authority: str
    until_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutletQuarter:
    """An outlet in one quarter. `drawn`: its share of involved cards, drawn towards the mean. `reported` is None if its
    institution reported nothing; `entered` counts the openings of the days that it reported.
    """

    outlet: Outlet
    opened: int
    involved: int
    drawn: Estimate
    is_high: bool
    """The whole interval lies above the mean of all."""
    entered: int
    reported: int | None
    last: TakenStep | None

    @property
    def completeness(self) -> float | None:
        """Openings entered for each one reported; None if nothing was reported. A low share of involved cards then
        means nothing.
        """
        return self.entered / self.reported if self.reported else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """All outlets that the unit sees, the highest lower bounds first; `mean` is that of the whole city."""

    quarter: Quarter
    mean: float
    outlets: tuple[OutletQuarter, ...]


def _span(services: Services, first: date, after: date) -> sa.ColumnElement[bool]:
    zone = services.centre.timezone
    return sa.and_(_o.asked_at >= midnight(first, zone), _o.asked_at < midnight(after, zone))


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarterCounts:
    """The counts of a quarter for the whole city, by outlet: (involved, opened), openings entered on reported days, and
    openings reported.
    """

    quarter: Quarter
    counts: Mapping[int, tuple[int, int]]
    entered: Mapping[int, int]
    reported: Mapping[int, int]


def count_quarter(services: Services, quarter: Quarter) -> QuarterCounts:
    """Counts all openings of the quarter. With millions of them this takes some seconds, so pages
    cache it for a while.
    """
    with services.store.begin() as tx:
        entered, reported = _completeness(tx, services, quarter.first, quarter.after().first)
        counts = _counts(tx, services, quarter)
    return QuarterCounts(quarter=quarter, counts=counts, entered=entered, reported=reported)


def read_cohort(services: Services, counted: QuarterCounts, *, visible_to: int | None) -> Cohort:
    """The outlets of one quarter that the unit sees, with intervals."""
    counts, entered, reported = counted.counts, counted.entered, counted.reported
    with services.store.begin() as tx:
        last = _last_steps(tx)
        seen = {row["id"] for row in tx.rows(sa.select(_u.id).where(is_visible_to(_u.unit_id, visible_to)))}
        prior = prior_of([(k, n) for k, n in counts.values()])
        scored = []
        wanted = seen & (counts.keys() | reported.keys() | last.keys())
        known = outlets_of(tx, wanted)
        for outlet_id in sorted(wanted):
            involved, opened = counts.get(outlet_id, (0, 0))
            interval = shrunk_estimate(involved, opened, prior)
            scored.append(
                OutletQuarter(
                    outlet=known[outlet_id],
                    opened=opened,
                    involved=involved,
                    drawn=interval,
                    is_high=interval.low > prior.mean,
                    entered=entered.get(outlet_id, 0),
                    reported=reported.get(outlet_id),
                    last=last.get(outlet_id),
                )
            )
    scored.sort(key=lambda one: (-one.drawn.low, -one.drawn.share, one.outlet.id))
    return Cohort(quarter=counted.quarter, mean=prior.mean, outlets=tuple(scored))


def _counts(tx: Tx, services: Services, quarter: Quarter) -> dict[int, tuple[int, int]]:
    """(involved, opened) cards by outlet."""
    cohort = sa.and_(
        _span(services, quarter.first, quarter.after().first), _o.result == word_literal(OpeningResult.OPENED)
    )
    opened = tx.rows(sa.select(_o.outlet_id, sa.func.count().label("n")).where(cohort).group_by(_o.outlet_id))
    involved = tx.rows(
        sa.select(_o.outlet_id, sa.func.count().label("n"))
        .select_from(t.opening_fact.join(t.opening, _o.id == _f.opening_id))
        .where(cohort, _f.kind == word_literal(OpeningFactKind.INVOLVED))
        .group_by(_o.outlet_id)
    )
    found = {row["outlet_id"]: row["n"] for row in involved}
    return {row["outlet_id"]: (found.get(row["outlet_id"], 0), row["n"]) for row in opened}


def _completeness(
    tx: Tx, services: Services, first: date, after: date
) -> tuple[dict[int, int], dict[int, int]]:
    """By outlet, the openings entered on days that were reported, and the openings reported."""
    day = sa.cast(sa.func.timezone(services.centre.timezone, _o.asked_at), sa.Date)
    wanted = sa.and_(_r.day >= first, _r.day < after)
    reported = tx.rows(
        sa.select(_r.outlet_id, sa.func.sum(_r.reported).label("n")).where(wanted).group_by(_r.outlet_id)
    )
    entered = tx.rows(
        sa.select(_o.outlet_id, sa.func.count().label("n"))
        .select_from(
            t.opening.join(t.outlet_report, sa.and_(_r.outlet_id == _o.outlet_id, _r.day == day, wanted))
        )
        .where(_span(services, first, after))
        .group_by(_o.outlet_id)
    )
    return (
        {row["outlet_id"]: int(row["n"]) for row in entered},
        {row["outlet_id"]: int(row["n"]) for row in reported},
    )


def _last_steps(tx: Tx) -> dict[int, TakenStep]:
    newest = sa.select(sa.func.max(_s.id)).group_by(_s.outlet_id)
    return {
        row["outlet_id"]: _step(row) for row in tx.rows(sa.select(t.outlet_step).where(_s.id.in_(newest)))
    }


def _step(row: Row) -> TakenStep:
    return TakenStep(
        step=OutletStep(row["step"]),
        at=row["at"],
        by=row["by"],
        document_no=row["document_no"],
        authority=row["authority"],
        until_on=row["until_on"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutletRecord:
    """An outlet with its quarters back to its first opening, newest first, and the steps taken, oldest first. `due`:
    the term of the last letter is over and nobody has reviewed it.
    """

    outlet: Outlet
    cohorts: tuple[tuple[Quarter, float, OutletQuarter | None], ...]
    """Each quarter, the mean of all outlets, and the outlet in it."""
    steps: tuple[TakenStep, ...]
    following: tuple[OutletStep, ...]
    due: bool


def _visible(tx: Tx, outlet_id: int, visible_to: int | None, *, lock: bool = False) -> Outlet:
    statement = sa.select(_u.id).where(_u.id == outlet_id, is_visible_to(_u.unit_id, visible_to))
    if tx.scalar(statement.with_for_update() if lock else statement) is None:
        raise NotFound(kind="outlet", key=outlet_id)
    return outlet_of(tx, outlet_id)


def _steps_of(tx: Tx, outlet_id: int) -> list[TakenStep]:
    rows = tx.rows(sa.select(t.outlet_step).where(_s.outlet_id == outlet_id).order_by(_s.id))
    return [_step(row) for row in rows]


def read_matter(
    services: Services, outlet_id: int, *, visible_to: int | None, count: Callable[[Quarter], QuarterCounts]
) -> OutletRecord:
    """The outlet with its quarters and steps. `count` works like `count_quarter`. Raises `NotFound`, also for an outlet
    of another unit.
    """
    today = services.clock.now().astimezone(services.centre.zone).date()
    with services.store.begin() as tx:
        outlet, steps = _visible(tx, outlet_id, visible_to), _steps_of(tx, outlet_id)
    found = []
    for quarter in quarters_until(today):
        cohort = read_cohort(services, count(quarter), visible_to=visible_to)
        own = next((one for one in cohort.outlets if one.outlet.id == outlet_id), None)
        found.append((quarter, cohort.mean, own))
    while len(found) > 1 and (found[-1][2] is None or not (found[-1][2].opened or found[-1][2].reported)):
        found.pop()
    last = steps[-1] if steps else None
    return OutletRecord(
        outlet=outlet,
        cohorts=tuple(found),
        steps=tuple(steps),
        following=NEXT_STEPS[None if last is None else last.step],
        due=last is not None and last.until_on is not None and last.until_on <= today,
    )


def take_step(
    services: Services,
    outlet_id: int,
    *,
    step: OutletStep,
    why: str,
    by: str,
    visible_to: int | None,
    document_no: str = "",
    authority: str = "",
    months: int = 0,
) -> None:
    """Records a step about the outlet, in the prescribed order. A letter of the competent authority has a document and
    a term of `months` from now on; only such a letter suspends. Raises `NotFound`, `Invalid`, and `Conflict` for a step
    that does not follow.
    """
    who, now, reason = actor_name(by), services.clock.now(), required_text("why", why)
    is_letter = step is OutletStep.LETTER
    document, office, until_on = "", "", None
    if is_letter:
        document, office = required_text("document_no", document_no), required_text("authority", authority)
        if not 1 <= months <= LONGEST_MONTHS:
            problem = Text("is not from 1 to %(most)s", most=LONGEST_MONTHS)
            raise Invalid(field="months", problem=problem)
        today = now.astimezone(services.centre.zone).date()
        until_on = add_months(today, months)
    with services.store.begin() as tx:
        outlet = _visible(tx, outlet_id, visible_to, lock=True)
        steps = _steps_of(tx, outlet_id)
        last = steps[-1].step if steps else None
        if step not in NEXT_STEPS[last]:
            raise Conflict(
                "this step does not follow the last one", current="none" if last is None else last.value
            )
        tx.execute(
            sa.insert(t.outlet_step).values(
                outlet_id=outlet_id,
                step=step.value,
                at=now,
                by=who,
                document_no=document,
                authority=office,
                until_on=until_on,
            )
        )
        facts = {"outlet": outlet.code, "step": step.value}
        write_audit(
            tx, who=who, act="outlet_step", subject=f"outlet/{outlet_id}", why=reason, now=now, facts=facts
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthOfOutlet:
    """The figures of an outlet in the monthly notice."""

    outlet: Outlet
    openings: int
    flagged: int
    asked: int
    refused: int
    entered: int
    reported: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthlyNotice:
    """The notice 通报 of a month: what outlets and the desk did, and the outlets whose cards were involved."""

    first: date
    outlets: tuple[MonthOfOutlet, ...]
    onsite: int
    persons: int
    suspects: int
    cohort: Cohort
    """The cohort of the quarter before: most of its cases have surfaced."""
    steps: tuple[tuple[Outlet, TakenStep], ...]


def read_notice(services: Services, first: date, *, visible_to: int | None, who: str) -> MonthlyNotice:
    """The notice of the month that begins on `first`; the audit records who made it."""
    reader, after, zone = actor_name(who), add_months(first, 1), services.centre.timezone
    begin, end = midnight(first, zone), midnight(after, zone)
    q, c = t.card_question.c, t.onsite_check.c
    with services.store.begin() as tx:
        seen = {
            row["id"]: row for row in tx.rows(sa.select(_u.id).where(is_visible_to(_u.unit_id, visible_to)))
        }
        flagged = in_words(_o.verdict, FLAGGED)
        rows = tx.rows(
            sa.select(
                _o.outlet_id,
                sa.func.count().label("openings"),
                sa.func.count().filter(flagged).label("flagged"),
                sa.func.count().filter(_o.result == word_literal(OpeningResult.REFUSED)).label("refused"),
            )
            .where(_span(services, first, after))
            .group_by(_o.outlet_id)
        )
        asked = {
            row["outlet_id"]: row["n"]
            for row in tx.rows(
                sa.select(q.outlet_id, sa.func.count().label("n"))
                .where(q.asked_at >= begin, q.asked_at < end)
                .group_by(q.outlet_id)
            )
        }
        entered, reported = _completeness(tx, services, first, after)
        known = outlets_of(tx, seen)
        outlets = tuple(
            MonthOfOutlet(
                outlet=known[row["outlet_id"]],
                openings=row["openings"],
                flagged=row["flagged"],
                asked=asked.get(row["outlet_id"], 0),
                refused=row["refused"],
                entered=entered.get(row["outlet_id"], 0),
                reported=reported.get(row["outlet_id"]),
            )
            for row in rows
            if row["outlet_id"] in seen
        )
        onsite = tx.one(
            sa.select(
                sa.func.count().label("n"),
                sa.func.coalesce(sa.func.sum(c.persons), 0).label("persons"),
                sa.func.count().filter(c.finding == word_literal(OnsiteFinding.SUSPECTS)).label("suspects"),
            ).where(c.ordered_at >= begin, c.ordered_at < end, c.outlet_id.in_(seen or [0]))
        )
        assert onsite is not None
        taken = tuple(
            (known[row["outlet_id"]], _step(row))
            for row in tx.rows(sa.select(t.outlet_step).where(_s.at >= begin, _s.at < end).order_by(_s.id))
            if row["outlet_id"] in seen
        )
        write_audit(
            tx, who=reader, act="monthly_notice", subject="outlet", why="", now=services.clock.now(),
            facts={"month": f"{first:%Y-%m}"},
        )  # fmt: skip
    return MonthlyNotice(
        first=first,
        outlets=tuple(sorted(outlets, key=lambda one: (-one.refused, -one.asked, one.outlet.id))),
        onsite=int(onsite["n"]),
        persons=int(onsite["persons"]),
        suspects=int(onsite["suspects"]),
        cohort=read_cohort(
            services, count_quarter(services, Quarter.of(first).before()), visible_to=visible_to
        ),
        steps=taken,
    )


def notice_months(day: date) -> Sequence[date]:
    """The months for which a notice can be made, newest first: this one and those before."""
    return [add_months(day.replace(day=1), -before) for before in range(_MONTHS)]
