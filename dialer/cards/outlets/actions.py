"""Outlets 网点: involved cards for each 10,000 opened, by the quarter in which they were opened, beside how completely
the outlet enters its openings; and what is done about an outlet, up to the letter of the competent authority.

Cases surface months late, so the cards of a quarter are compared only with those of the same quarter at all outlets.
The share of an outlet with few openings is drawn towards the mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from dialer.cards.openings.store import Outlet, visible_outlets
from dialer.cards.outlets.store import (
    DaySpan,
    TakenStep,
    completeness,
    insert_step,
    last_steps,
    onsite_of_days,
    opened_cards,
    openings_of_days,
    questions_of_days,
    steps_of,
    steps_within,
    visible_outlet,
)
from dialer.core.access import Actor, Permission, required_text
from dialer.core.cards import NEXT_STEPS, OutletStep
from dialer.core.errors import Conflict, Invalid
from dialer.core.intervals import Estimate, prior_of, shrunk_estimate
from dialer.core.periods import add_months
from dialer.core.text import Text
from dialer.runtime.services import Services

_MONTHS_OF_QUARTER, _MONTHS = 3, 12
COHORTS_SHOWN = 8
LONGEST_MONTHS = 24


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
    span = DaySpan(first=quarter.first, after=quarter.after().first, timezone=services.centre.timezone)
    with services.store.begin() as tx:
        entered, reported = completeness(tx, span)
        counts = opened_cards(tx, span)
    return QuarterCounts(quarter=quarter, counts=counts, entered=entered, reported=reported)


def read_cohort(services: Services, counted: QuarterCounts, *, visible_to: int | None) -> Cohort:
    """The outlets of one quarter that the unit sees, with intervals."""
    counts, reported = counted.counts, counted.reported
    with services.store.begin() as tx:
        last, seen = last_steps(tx), visible_outlets(tx, visible_to=visible_to)
    prior = prior_of(list(counts.values()))
    found = []
    for outlet_id in seen.keys() & (counts.keys() | reported.keys() | last.keys()):
        involved, opened = counts.get(outlet_id, (0, 0))
        interval = shrunk_estimate(involved, opened, prior)
        found.append(
            OutletQuarter(
                outlet=seen[outlet_id],
                opened=opened,
                involved=involved,
                drawn=interval,
                is_high=interval.low > prior.mean,
                entered=counted.entered.get(outlet_id, 0),
                reported=reported.get(outlet_id),
                last=last.get(outlet_id),
            )
        )
    found.sort(key=lambda own: (-own.drawn.low, -own.drawn.share, own.outlet.id))
    return Cohort(quarter=counted.quarter, mean=prior.mean, outlets=tuple(found))


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


def read_matter(
    services: Services, outlet_id: int, *, visible_to: int | None, count: Callable[[Quarter], QuarterCounts]
) -> OutletRecord:
    """The outlet with its quarters and steps. `count` works like `count_quarter`. Raises `NotFound`, also for an outlet
    of another unit.
    """
    today = services.clock.now().astimezone(services.centre.zone).date()
    with services.store.begin() as tx:
        outlet, steps = visible_outlet(tx, outlet_id, visible_to=visible_to), steps_of(tx, outlet_id)
    found = []
    for quarter in quarters_until(today):
        cohort = read_cohort(services, count(quarter), visible_to=visible_to)
        own = next((own for own in cohort.outlets if own.outlet.id == outlet_id), None)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class StepForm:
    """A step about an outlet, with what a letter of the authority says; other steps have no document and no term.
    Raises `Invalid`.
    """

    step: OutletStep
    why: str
    document_no: str = ""
    authority: str = ""
    months: int = 0
    """The term of a letter, from now on."""

    def __post_init__(self) -> None:
        required_text("why", self.why)
        if self.step is OutletStep.LETTER:
            required_text("document_no", self.document_no)
            required_text("authority", self.authority)
            if not 1 <= self.months <= LONGEST_MONTHS:
                problem = Text("is not from 1 to %(most)s", most=LONGEST_MONTHS)
                raise Invalid(field="months", problem=problem)


def take_step(services: Services, actor: Actor, outlet_id: int, form: StepForm) -> None:
    """Records a step about the outlet, in the prescribed order; only a letter of the competent authority suspends.
    Raises `NotFound`, and `Conflict` for a step that does not follow.
    """
    step = form.step
    with services.act(actor, Permission.DECIDE_OPENERS) as act:
        outlet = visible_outlet(act.tx, outlet_id, visible_to=actor.unit_id, lock=True)
        steps = steps_of(act.tx, outlet_id)
        last = steps[-1].step if steps else None
        if step not in NEXT_STEPS[last]:
            raise Conflict(
                "this step does not follow the last one", current="none" if last is None else last.value
            )
        letter: dict[str, object] = {}
        if step is OutletStep.LETTER:
            today = act.now.astimezone(services.centre.zone).date()
            letter = {
                "document_no": form.document_no.strip(),
                "authority": form.authority.strip(),
                "until_on": add_months(today, form.months),
            }
        insert_step(act, outlet_id, step, **letter)
        facts = {"outlet": outlet.code, "step": step.value}
        act.audit("outlet_step", f"outlet/{outlet_id}", why=form.why.strip(), facts=facts)


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


def read_notice(services: Services, actor: Actor, first: date) -> MonthlyNotice:
    """The notice of the month that begins on `first`; the audit records who made it."""
    span = DaySpan(first=first, after=add_months(first, 1), timezone=services.centre.timezone)
    with services.act(actor, Permission.EXPORT) as act:
        tx = act.tx
        seen = visible_outlets(tx, visible_to=actor.unit_id)
        asked, (entered, reported) = questions_of_days(tx, span), completeness(tx, span)
        outlets = [
            MonthOfOutlet(
                outlet=seen[row["outlet_id"]],
                openings=row["openings"],
                flagged=row["flagged"],
                asked=asked.get(row["outlet_id"], 0),
                refused=row["refused"],
                entered=entered.get(row["outlet_id"], 0),
                reported=reported.get(row["outlet_id"]),
            )
            for row in openings_of_days(tx, span)
            if row["outlet_id"] in seen
        ]
        onsite = onsite_of_days(tx, span, list(seen))
        steps = [(seen[outlet_id], step) for outlet_id, step in steps_within(tx, span) if outlet_id in seen]
        act.audit("monthly_notice", "outlet", facts={"month": f"{first:%Y-%m}"})
    before = count_quarter(services, Quarter.of(first).before())
    return MonthlyNotice(
        first=first,
        outlets=tuple(sorted(outlets, key=lambda month: (-month.refused, -month.asked, month.outlet.id))),
        onsite=onsite["n"],
        persons=int(onsite["persons"]),
        suspects=onsite["suspects"],
        cohort=read_cohort(services, before, visible_to=actor.unit_id),
        steps=tuple(steps),
    )


def notice_months(day: date) -> Sequence[date]:
    """The months for which a notice can be made, newest first: this one and those before."""
    return [add_months(day.replace(day=1), -before) for before in range(_MONTHS)]
