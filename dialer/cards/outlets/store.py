"""Counts of openings, involved cards and reports by outlet, and rows of the steps taken about outlets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from dialer.cards.openings.store import Outlet, outlet_of
from dialer.core.cards import FLAGGED, OnsiteFinding, OpeningFactKind, OpeningResult, OutletStep
from dialer.core.errors import NotFound
from dialer.core.periods import midnight
from dialer.db import tables as t
from dialer.db.acts import OpenAct
from dialer.db.bulk import in_words, word_literal
from dialer.db.unit_of_work import Row, Tx, record_of
from dialer.db.units import is_visible_to

_o, _f, _s, _u, _r = t.opening.c, t.opening_fact.c, t.outlet_step.c, t.outlet.c, t.outlet_report.c
_n = sa.func.count().label("n")


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
class DaySpan:
    """The days from `first` up to the one before `after`, in the time zone of the centre."""

    first: date
    after: date
    timezone: str

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """Its beginning and its end."""
        return midnight(self.first, self.timezone), midnight(self.after, self.timezone)


def _within(column: sa.ColumnElement[datetime], span: DaySpan) -> sa.ColumnElement[bool]:
    begin, end = span.moments
    return sa.and_(column >= begin, column < end)


def _by_outlet(tx: Tx, statement: sa.Select[tuple[int, int]]) -> dict[int, int]:
    return {row["outlet_id"]: int(row["n"]) for row in tx.rows(statement)}


def opened_cards(tx: Tx, span: DaySpan) -> dict[int, tuple[int, int]]:
    """(involved, opened) cards by outlet, of what was opened in these days."""
    cohort = sa.and_(_within(_o.asked_at, span), _o.result == word_literal(OpeningResult.OPENED))
    opened = _by_outlet(tx, sa.select(_o.outlet_id, _n).where(cohort).group_by(_o.outlet_id))
    involved = _by_outlet(
        tx,
        sa.select(_o.outlet_id, _n)
        .select_from(t.opening_fact.join(t.opening, _o.id == _f.opening_id))
        .where(cohort, _f.kind == word_literal(OpeningFactKind.INVOLVED))
        .group_by(_o.outlet_id),
    )
    return {outlet_id: (involved.get(outlet_id, 0), count) for outlet_id, count in opened.items()}


def completeness(tx: Tx, span: DaySpan) -> tuple[dict[int, int], dict[int, int]]:
    """By outlet, the openings entered on days that were reported, and the openings reported."""
    day = sa.cast(sa.func.timezone(span.timezone, _o.asked_at), sa.Date)
    wanted = sa.and_(_r.day >= span.first, _r.day < span.after)
    reported = sa.select(_r.outlet_id, sa.func.sum(_r.reported).label("n")).where(wanted)
    entered = (
        sa.select(_o.outlet_id, _n)
        .select_from(
            t.opening.join(t.outlet_report, sa.and_(_r.outlet_id == _o.outlet_id, _r.day == day, wanted))
        )
        .where(_within(_o.asked_at, span))
        .group_by(_o.outlet_id)
    )
    return _by_outlet(tx, entered), _by_outlet(tx, reported.group_by(_r.outlet_id))


def visible_outlet(tx: Tx, outlet_id: int, *, visible_to: int | None, lock: bool = False) -> Outlet:
    """The outlet. Raises `NotFound`, also for one that the unit does not see."""
    statement = sa.select(_u.id).where(_u.id == outlet_id, is_visible_to(_u.unit_id, visible_to))
    if tx.scalar(statement.with_for_update() if lock else statement) is None:
        raise NotFound(kind="outlet", key=outlet_id)
    return outlet_of(tx, outlet_id)


def last_steps(tx: Tx) -> dict[int, TakenStep]:
    """The last step about each outlet, by the id of the outlet."""
    newest = sa.select(sa.func.max(_s.id)).group_by(_s.outlet_id)
    rows = tx.rows(sa.select(t.outlet_step).where(_s.id.in_(newest)))
    return {row["outlet_id"]: record_of(TakenStep, row) for row in rows}


def steps_of(tx: Tx, outlet_id: int) -> list[TakenStep]:
    """The steps taken about the outlet, oldest first."""
    rows = tx.rows(sa.select(t.outlet_step).where(_s.outlet_id == outlet_id).order_by(_s.id))
    return [record_of(TakenStep, row) for row in rows]


def steps_within(tx: Tx, span: DaySpan) -> list[tuple[int, TakenStep]]:
    """The steps of these days, oldest first, each after the id of its outlet."""
    rows = tx.rows(sa.select(t.outlet_step).where(_within(_s.at, span)).order_by(_s.id))
    return [(row["outlet_id"], record_of(TakenStep, row)) for row in rows]


def insert_step(act: OpenAct, outlet_id: int, step: OutletStep, **letter: object) -> None:
    """Stores the step, with what is known of a letter."""
    columns = {"outlet_id": outlet_id, "step": step.value, "at": act.now, "by": act.by}
    act.tx.execute(sa.insert(t.outlet_step).values(**columns, **letter))


def openings_of_days(tx: Tx, span: DaySpan) -> list[Row]:
    """Openings of these days by outlet: all, those the checks asked about (flagged), and those refused."""
    return tx.rows(
        sa.select(
            _o.outlet_id,
            sa.func.count().label("openings"),
            sa.func.count().filter(in_words(_o.verdict, FLAGGED)).label("flagged"),
            sa.func.count().filter(_o.result == word_literal(OpeningResult.REFUSED)).label("refused"),
        )
        .where(_within(_o.asked_at, span))
        .group_by(_o.outlet_id)
    )


def questions_of_days(tx: Tx, span: DaySpan) -> dict[int, int]:
    """How many questions each outlet asked the desk in these days."""
    q = t.card_question.c
    asked = sa.select(q.outlet_id, _n).where(_within(q.asked_at, span))
    return _by_outlet(tx, asked.group_by(q.outlet_id))


def onsite_of_days(tx: Tx, span: DaySpan, outlet_ids: list[int]) -> Row:
    """How many teams were ordered to these outlets (n), how many persons they checked, and how many found suspects."""
    c = t.onsite_check.c
    row = tx.one(
        sa.select(
            _n,
            sa.func.coalesce(sa.func.sum(c.persons), 0).label("persons"),
            sa.func.count().filter(c.finding == word_literal(OnsiteFinding.SUSPECTS)).label("suspects"),
        ).where(_within(c.ordered_at, span), c.outlet_id.in_(outlet_ids))
    )
    assert row is not None
    return row
