"""The success rates of a cut, as the console shows them: side by side, with the cases behind every count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dialer.domain.access import actor_name
from dialer.domain.values import FraudType, Grade
from dialer.errors import Invalid, NotFound
from dialer.outcomes.cuts import Breakdown, Cut, Dimension, Waits
from dialer.outcomes.figures import Figures
from dialer.outcomes.period import Period
from dialer.store import audits, units
from dialer.store.reads import case_search, cut_figures, snapshot
from dialer.store.reads.case_search import CasePage
from dialer.store.reads.cut_figures import BEHIND, Window
from dialer.store.reads.rolled import rolled_figures
from dialer.store.unit_of_work import Tx
from dialer.usecases.engine import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a reader wants to see. `unit_id` None: all that he may see."""

    by: Dimension = Dimension.UNIT
    period: Period = field(default_factory=Period)
    unit_id: int | None = None
    grade: Grade | None = None
    fraud_type: FraudType | None = None
    source: str = ""
    script_id: str = ""
    hour: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CutReport:
    generated_at: datetime
    drill: bool
    timezone: str
    asked: Asked
    breakdown: Breakdown
    waits: Waits
    unit_names: Mapping[str, str]
    """Of the units that stand side by side, by id as text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What a reader may narrow a cut to."""

    units: tuple[tuple[int, str], ...]
    """By id, each with its name as deep as it stands."""
    sources: tuple[str, ...]
    scripts: tuple[str, ...]


def cut_choices(engine: Engine, asked: Asked, *, reader_unit_id: int | None) -> Choices:
    """At once, however many records there are. Raises `NotFound` for a unit that the reader does not see."""
    with engine.store.begin() as tx:
        _window(tx, engine, asked, reader_unit_id)
        return Choices(
            units=_choices(tx, reader_unit_id),
            sources=tuple(cut_figures.sources(tx)),
            scripts=tuple(cut_figures.scripts(tx)),
        )


def cut_rates(engine: Engine, asked: Asked, *, reader_unit_id: int | None) -> CutReport:
    """All numbers of one moment. Raises `NotFound` for a unit that the reader does not see."""
    with engine.store.begin() as tx:
        snapshot.hold(tx)
        window = _window(tx, engine, asked, reader_unit_id)
        return CutReport(
            generated_at=window.now,
            drill=engine.drill,
            timezone=engine.centre.timezone,
            asked=asked,
            breakdown=_breakdown(tx, asked.by, window),
            waits=cut_figures.waits(tx, window),
            unit_names={str(unit.id): unit.name for unit in units.every(tx)},
        )


def cut_breakdown(engine: Engine, asked: Asked, *, reader_unit_id: int | None) -> Breakdown:
    """The figures alone. Raises `NotFound` for a unit that the reader does not see."""
    with engine.store.begin() as tx:
        snapshot.hold(tx)
        return _breakdown(tx, asked.by, _window(tx, engine, asked, reader_unit_id))


PAGE = 50


def ids_behind(
    engine: Engine, asked: Asked, measure: str, *, reader_unit_id: int | None, before_id: int | None = None
) -> tuple[int, ...]:
    """The cases that a count is of, newest first: a page of them, and one more where there are more. Raises `NotFound`
    for a unit that the reader does not see.
    """
    with engine.store.begin() as tx:
        window = _window(tx, engine, asked, reader_unit_id)
        return tuple(cut_figures.behind(tx, measure, window, before_id=before_id, limit=PAGE + 1))


def check_behind(engine: Engine, asked: Asked, measure: str, *, reader_unit_id: int | None) -> None:
    """Raises `Invalid` for a count that is none, and `NotFound` for a unit that the reader does not see."""
    if measure not in BEHIND:
        raise Invalid(field="measure", problem="is not known", mend="a count of the report")
    with engine.store.begin() as tx:
        _window(tx, engine, asked, reader_unit_id)


def page_of(engine: Engine, ids: Sequence[int]) -> CasePage:
    """What `ids_behind` found, masked."""
    shown = ids[:PAGE]
    with engine.store.begin() as tx:
        return CasePage(
            cases=case_search.lines(tx, shown), next_before_id=shown[-1] if len(ids) > PAGE else None
        )


def note_export(engine: Engine, *, who: str, subject: str, facts: Mapping[str, object]) -> None:
    """In the audit before the file leaves."""
    reader = actor_name(who)
    with engine.store.begin() as tx:
        audits.write(
            tx, who=reader, act="export", subject=subject, why="", now=engine.clock.now(), facts=facts
        )


def _window(tx: Tx, engine: Engine, asked: Asked, reader_unit_id: int | None) -> Window:
    top = asked.unit_id if asked.unit_id is not None else reader_unit_id
    unit_ids: tuple[int, ...] | None = None
    depth = 0
    if top is not None:
        unit_ids = tuple(units.subtree_ids(tx, top))
        if not unit_ids or (reader_unit_id is not None and top not in units.subtree_ids(tx, reader_unit_id)):
            raise NotFound(kind="unit", key=top)
        depth = len(units.get(tx, top).path)
    return Window(
        cut=Cut(
            unit_ids=unit_ids,
            grade=asked.grade,
            fraud_type=asked.fraud_type,
            source=asked.source,
            script_id=asked.script_id,
            hour=asked.hour,
        ),
        period=asked.period,
        drill=engine.drill,
        now=engine.clock.now(),
        timezone=engine.centre.timezone,
        depth=depth,
    )


def _breakdown(tx: Tx, dimension: Dimension, window: Window) -> Breakdown:
    """From the sums of days where they hold what is asked: the whole centre by grade or by fraud type."""
    if not window.cut.is_whole or dimension not in {Dimension.GRADE, Dimension.FRAUD_TYPE}:
        return cut_figures.breakdown(tx, dimension, window)
    figures = rolled_figures(tx, window.period, drill=window.drill, now=window.now, timezone=window.timezone)
    return _of_figures(dimension, figures)


def _of_figures(dimension: Dimension, figures: Figures) -> Breakdown:
    slices = figures.by_grade if dimension is Dimension.GRADE else figures.by_fraud_type
    return Breakdown(
        dimension=dimension,
        total=figures.total,
        slices={
            value.value: one
            for value, one in slices.items()
            if one.counts.warnings or one.counts.cases or one.counts.robot_calls
        },
    )


def _choices(tx: Tx, reader_unit_id: int | None) -> tuple[tuple[int, str], ...]:
    seen = units.every(tx)
    if reader_unit_id is not None:
        seen = [unit for unit in seen if reader_unit_id in unit.path]
    names = {unit.id: unit.name for unit in seen}
    return tuple(
        (unit.id, " / ".join(names[step] for step in unit.path if step in names))
        for unit in sorted(seen, key=lambda unit: [names.get(step, "") for step in unit.path])
    )
