"""Bulletins 通报 of a day, a week or a month: drafted from one snapshot, stored with their figures, and decided by a
second person before they leave the centre.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from pydantic import TypeAdapter

from dialer.core.access import SERVICE, Actor, Permission, required_text
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.periods import (
    BULLETIN_WORDS,
    BulletinDays,
    BulletinKind,
    BulletinState,
    days_around,
    period_before,
    period_year_before,
)
from dialer.core.rates import Dimension, Period, Slice
from dialer.core.second_person import RequestEvent
from dialer.core.text import gettext_noop
from dialer.core.values import FraudType, Grade
from dialer.db import tables as t
from dialer.db.second_person import RequestKind
from dialer.db.unit_of_work import Row, Tx
from dialer.figures.reader import Source
from dialer.figures.report import (
    CutReport,
    RatesQuery,
    covers,
    open_figures,
    read_centre_reports,
    refresh_figures_if_large,
)
from dialer.outcomes.filed_figures import FiledFigures, count_filed
from dialer.runtime.services import Services

BULLETINS = RequestKind(
    table=t.bulletin,
    noun=gettext_noop("bulletin"),
    words=BULLETIN_WORDS,
    acts={RequestEvent.APPROVED: "approve_bulletin", RequestEvent.REFUSED: "refuse_bulletin"},
    asked_by="made_by",
)
_MOST_LISTED = 200
_ONE_DRAFT: Final = 0x62756C6C
"""The advisory lock under which a draft is stored."""
LONGEST_WHY = 500
"""The most characters of the reason of a decision; more are cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulletinFigures:
    """All figures of a bulletin, of one moment."""

    days: BulletinDays
    timezone: str
    drill: bool
    is_over: bool
    """False: the period is still running, and the figures end at that moment."""
    report: CutReport
    """The figures of the whole centre, by unit."""
    by_grade: Mapping[Grade, Slice]
    by_fraud_type: Mapping[FraudType, Slice]
    filed: FiledFigures
    filed_before: FiledFigures | None
    filed_year_before: FiledFigures | None


_FIGURES = TypeAdapter(BulletinFigures)


@dataclass(frozen=True, slots=True, kw_only=True)
class BulletinLine:
    """A bulletin without its figures. `id` None: its period is still running, so it is not stored."""

    id: int | None
    days: BulletinDays
    state: BulletinState
    made_by: str
    made_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulletin:
    """A bulletin with its figures."""

    line: BulletinLine
    figures: BulletinFigures


def read_figures(source: Source, services: Services, days: BulletinDays) -> BulletinFigures:
    """The current figures of these days."""
    timezone, now, drill = services.centre.timezone, services.clock.now(), services.drill
    period = days.period(timezone)
    before = period_before(period, timezone=timezone, now=now)
    year_before = period_year_before(period, timezone=timezone, now=now)
    report, whole = read_centre_reports(source, services, RatesQuery(by=Dimension.UNIT, period=period))
    assert period.end is not None
    return BulletinFigures(
        days=days,
        timezone=timezone,
        drill=drill,
        is_over=period.end <= now,
        report=report,
        by_grade=whole.figures.by_grade,
        by_fraud_type=whole.figures.by_fraud_type,
        filed=count_filed(source.tx, period, drill=drill),
        filed_before=_filed_earlier(source.tx, before, drill=drill),
        filed_year_before=_filed_earlier(source.tx, year_before, drill=drill),
    )


def _filed_earlier(tx: Tx, period: Period | None, *, drill: bool) -> FiledFigures | None:
    """None where the database is younger than the period and no list has told of it."""
    filed = None if period is None else count_filed(tx, period, drill=drill)
    return filed if filed is not None and (filed.total.filed or covers(tx, period)) else None


def make_bulletin(services: Services, actor: Actor, days: BulletinDays, *, anew: bool = False) -> Bulletin:
    """The bulletin of these days: the stored one, else a new draft, which is stored if the days are over. With `anew`,
    an undecided draft is replaced by one with the current figures.

    Raises `Invalid` for days that have not begun, and `Conflict` if `anew` is set and the bulletin is approved.
    """
    with open_figures(services) as source:
        tx, now = source.tx, services.clock.now()
        start = days.period(services.centre.timezone).start
        assert start is not None
        if start > now:
            raise Invalid(field=days.kind.value, problem=gettext_noop("has not begun"))
        kept = _find_stored(tx, days)
        if kept is not None and not anew:
            return _bulletin(kept)
        if kept is not None and kept["state"] == BulletinState.APPROVED.value:
            raise Conflict(
                gettext_noop("this bulletin is approved: it is not drafted again"), current=kept["state"]
            )
        figures = read_figures(source, services, days)
        if not figures.is_over:
            line = BulletinLine(
                id=None, days=days, state=BulletinState.DRAFT, made_by=actor.name, made_at=now
            )
            return Bulletin(line=line, figures=figures)
    return _store_draft(services, actor, figures)


def _store_draft(services: Services, actor: Actor, figures: BulletinFigures) -> Bulletin:
    days = figures.days
    with services.act(actor, Permission.APPROVE, Permission.EXPORT) as act:
        tx = act.tx
        # If two people draft at once, the second waits here and gets the first one's draft.
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock(_ONE_DRAFT)))
        kept = _find_stored(tx, days)
        b = t.bulletin
        values: dict[str, Any] = {
            "figures": _FIGURES.dump_python(figures, mode="json"),
            "made_by": act.by,
            "made_at": figures.report.generated_at,
        }
        if kept is None:
            values |= {
                "kind": days.kind.value,
                "first_day": days.first,
                "last_day": days.last,
                "state": BulletinState.DRAFT.value,
                "drill": figures.drill,
            }
            row = tx.one(sa.insert(b).values(**values).returning(b))
        elif kept["state"] == BulletinState.DRAFT.value and kept["made_at"] < values["made_at"]:
            row = tx.one(sa.update(b).where(b.c.id == kept["id"]).values(**values).returning(b))
        else:
            act.needs_no_record()
            return _bulletin(kept)
        assert row is not None
        act.audit("draft_bulletin", f"bulletin/{row['id']}", facts=_facts(row))
        return _bulletin(row)


def _find_stored(tx: Tx, days: BulletinDays) -> Row | None:
    c = t.bulletin.c
    return tx.one(
        sa.select(t.bulletin).where(
            c.kind == days.kind.value, c.first_day == days.first, c.state != BulletinState.REFUSED.value
        )
    )


def _line(row: Row) -> BulletinLine:
    days = BulletinDays(kind=BulletinKind(row["kind"]), first=row["first_day"], last=row["last_day"])
    return BulletinLine(
        id=row["id"],
        days=days,
        state=BulletinState(row["state"]),
        made_by=row["made_by"],
        made_at=row["made_at"],
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
        why=row["why"],
    )


def _bulletin(row: Row) -> Bulletin:
    return Bulletin(line=_line(row), figures=_FIGURES.validate_python(row["figures"]))


def get_bulletin(services: Services, bulletin_id: int) -> Bulletin:
    """A stored bulletin. Raises `NotFound`."""
    with services.store.begin() as tx:
        return _bulletin(_row(tx, bulletin_id))


def list_bulletins(services: Services, *, waiting_only: bool = False) -> Sequence[BulletinLine]:
    """The stored bulletins without their figures, newest days first."""
    c = t.bulletin.c
    columns = [column for column in t.bulletin.columns if column.name != "figures"]
    statement = sa.select(*columns).order_by(c.last_day.desc(), c.id.desc()).limit(_MOST_LISTED)
    if waiting_only:
        statement = statement.where(BULLETINS.waits(services.clock.now()))
    with services.store.begin() as tx:
        return [_line(row) for row in tx.rows(statement)]


def decide_bulletin(
    services: Services,
    actor: Actor,
    bulletin_id: int,
    *,
    approve: bool,
    made_at: datetime | None,
    why: str = "",
) -> None:
    """Records that a second person approves the draft, or refuses it with a reason; a refused one can be drafted again.
    `made_at`: when the draft that the person has read was made.

    Raises `NotFound`, `Invalid` for a refusal without a reason, and `Conflict` for one's own draft, a decided one, and
    one that is not of `made_at` because it was drafted again meanwhile.
    """
    with services.act(actor, Permission.APPROVE) as act:
        row = BULLETINS.lock(act.tx, bulletin_id, now=act.now)
        if row["made_at"] != made_at:
            raise Conflict(
                gettext_noop("the bulletin was drafted anew with other figures: read it again, then decide"),
                current=row["state"],
            )
        reason = why.strip()[:LONGEST_WHY] if approve else required_text("why", why)[:LONGEST_WHY]
        event = RequestEvent.APPROVED if approve else RequestEvent.REFUSED
        BULLETINS.decide(act, row, event, why=reason, facts=_facts(row), columns={"why": reason})


def _row(tx: Tx, bulletin_id: int) -> Row:
    row = tx.one(sa.select(t.bulletin).where(t.bulletin.c.id == bulletin_id))
    if row is None:
        raise NotFound(kind="bulletin", key=bulletin_id)
    return row


def _facts(row: Row) -> dict[str, object]:
    return {"kind": row["kind"], "first_day": row["first_day"].isoformat()}


def note_taken(services: Services, actor: Actor, bulletin: Bulletin, *, kind: str) -> None:
    """Audits the export of a bulletin as a file. Call it before the file is sent."""
    line = bulletin.line
    subject = f"bulletin/{line.id}" if line.id is not None else "bulletin"
    facts = {"kind": kind, "days": line.days.name, "state": line.state.value}
    with services.act(actor, Permission.EXPORT) as act:
        act.audit("export", subject, facts=facts)


def days_due(kinds: Sequence[BulletinKind], *, now: datetime, timezone: str) -> list[BulletinDays]:
    """The latest day, week and month that are over, of the kinds asked for."""
    today = now.astimezone(ZoneInfo(timezone)).date()
    return [days_around(kind, days_around(kind, today).first - timedelta(days=1)) for kind in kinds]


def draft_due_bulletins(services: Services, kinds: Sequence[BulletinKind]) -> list[int]:
    """Drafts the bulletins that are due and were never drafted, in the name of the service; returns the ids of new
    ones. A refused one is left to people.
    """
    found: list[int] = []
    for days in days_due(kinds, now=services.clock.now(), timezone=services.centre.timezone):
        with services.store.begin() as tx:
            c = t.bulletin.c
            is_known = tx.scalar(
                sa.select(sa.func.count()).where(c.kind == days.kind.value, c.first_day == days.first)
            )
        if not is_known:
            # In small transactions first: the draft would fetch what has changed in its own.
            refresh_figures_if_large(services)
            made = make_bulletin(services, SERVICE, days)
            if made.line.id is not None:
                found.append(made.line.id)
    return found


def day_series(
    counts: Mapping[date, Mapping[str, int]], name: str, first: date, length: int
) -> list[float | None]:
    """The count of each of `length` days from `first` on; None for a day without records."""
    days = [first + timedelta(days=n) for n in range(length)]
    return [float(counts[day].get(name, 0)) if day in counts else None for day in days]
