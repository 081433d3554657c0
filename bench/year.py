"""A year of the city through the real actions, and whether the report gives it back exactly.

    python -m bench.year [--scale 0.05] [--seed 1] [--days 365] [--quick] [--keep FOLDER]

At scale 1.0 the year has 857,200 warnings, 600,000 robot calls, 256,800 human calls, 2,918 visits and 525 filed cases,
and beside them 200 of each life that is rare (`bench/year_people.py`): duplicates, cases that move to another district,
second warnings of a higher grade, withdrawn lists, calls that fail, calls to us, follow-ups, filings that are undone,
erasures. A service in a folder of its own, gone afterwards (or kept in FOLDER, for
`DIALER_SETTINGS=FOLDER/settings.toml DIALER_DATA_DIR=FOLDER/data dialer report`). Lists are loaded, calls are claimed,
sent and talked through key by key, callers claim tasks and report them, officers visit, a second person approves
amounts, the police file cases; the clock runs through the days. Only the carrier and the people are missing: what a
call brings is decided here.

What becomes of every person is decided before anything is loaded. What was done to each is noted while it is done, and
`bench/year_truth.py` counts it without the product, by grade, type, source, district and caller. At the end every count
of the report, its calls by result, its amounts and those of its cuts must be the same numbers, and so must the states
of the filed cases; the rollup must equal a recount, and the parts of every cut must add up to the whole. Prints JSON;
exits with 1 where anything differs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bench.report import vacuum
from bench.service import ground, owner_store
from bench.year_clock import Clock, Meter
from bench.year_days import CALLERS, DAY, Year
from bench.year_people import DISTRICTS, SOURCES, STATIONS, plan, rare
from bench.year_truth import CHECKED, ZONE, Part, differences, parts_of
from dialer.bootstrap import application
from dialer.calls.pacing import set_line_pace
from dialer.core.rates import COUNT_NAMES, Breakdown, CaseFilter, Dimension, Period, Slice
from dialer.core.values import FiledState, Grade
from dialer.db.unit_of_work import Store
from dialer.db.units import add_unit
from dialer.figures.report import RatesQuery, cases_behind, cut_rates, make_report
from dialer.figures.verify import verify_figures
from dialer.outcomes.filed_lists import list_filed
from dialer.runtime.services import Services
from dialer.runtime.settings import load_settings

GOAL_MS = 300
QUICK_SCALE = 0.0005


def shown(services: Services) -> dict[Part, Slice]:
    """The report and its cuts, under the names that the truth has."""
    report = make_report(services)
    parts: dict[Part, Slice] = {("all", ""): report.figures.total}
    parts |= {(Dimension.GRADE.value, grade.value): one for grade, one in report.figures.by_grade.items()}
    parts |= {
        (Dimension.FRAUD_TYPE.value, kind.value): one for kind, one in report.figures.by_fraud_type.items()
    }
    for dimension in (Dimension.SOURCE, Dimension.UNIT, Dimension.PERSON):
        cut = cut_rates(services, RatesQuery(by=dimension), reader_unit_id=None)
        names = cut.unit_names if dimension is Dimension.UNIT else {}
        parts |= {(dimension.value, names.get(v, v)): one for v, one in cut.breakdown.slices.items()}
    return parts


def compare(services: Services, year: Year) -> list[str]:
    """Each figure of `dialer report --json`, of its cuts and of the filed cases that is not what was done."""
    different = differences(parts_of(year.lives, services.clock.now()), shown(services))
    for state in FiledState:
        found = len(list_filed(services, state=state, limit=1_000_000).lines)
        if found != year.filed[state]:
            different.append(f"filed {state.value}: report {found}, truth {year.filed[state]}")
    return different


def adds_up(services: Services) -> list[str]:
    """Each figure of a cut whose parts are not the whole, each part that its own page has otherwise, and each list of
    cases that is not its figure.
    """
    wrong = []
    for dimension in Dimension:
        asked = RatesQuery(by=dimension)
        cut = cut_rates(services, asked, reader_unit_id=None).breakdown
        wrong += [f"{dimension.value}.{name}" for name in COUNT_NAMES if _sum(cut, name) != _whole(cut, name)]
        for place, (value, part) in enumerate(cut.slices.items()):
            if not value:
                continue
            for name in ("cases_reversed", "human_calls", "visits"):
                behind = cases_behind(services, asked.narrowed(value), name, reader_unit_id=None)
                if behind.count != getattr(part.counts, name):
                    wrong.append(f"{dimension.value}={value}.{name}: {behind.count}")
            if place < _OPENED:
                by = Dimension.HOUR if dimension is not Dimension.HOUR else Dimension.UNIT
                own = cut_rates(
                    services, replace(asked.narrowed(value), by=by), reader_unit_id=None
                ).breakdown
                wrong += [
                    f"{dimension.value}={value} by {by.value}.{name}"
                    for name in COUNT_NAMES
                    if not _sum(own, name) == _whole(own, name) == getattr(part.counts, name)
                ]
    return wrong


_OPENED = 5
"""Parts of each cut whose own page is read too."""


def _sum(cut: Breakdown, name: str) -> int:
    return sum(getattr(part.counts, name) for part in cut.slices.values())


def _whole(cut: Breakdown, name: str) -> int:
    return int(getattr(cut.total.counts, name))


def pace(services: Services, end: datetime) -> dict[str, float]:
    """Milliseconds, the median of five."""
    local = end.astimezone(ZONE).replace(hour=0, minute=0, second=0)
    month = Period(start=(local - 29 * DAY).astimezone(UTC), end=(local + DAY).astimezone(UTC))
    works: dict[str, Callable[[], object]] = {
        "report": partial(make_report, services),
        "report_30_days": partial(make_report, services, month),
    }
    for dimension in Dimension:
        for name, period in (("page_by", Period()), ("page_30_days_by", month)):
            asked = RatesQuery(by=dimension, period=period)
            works[f"{name}_{dimension.value}"] = partial(cut_rates, services, asked, reader_unit_id=None)
    narrowed = {
        "source": RatesQuery(by=Dimension.UNIT, cut=CaseFilter(source=SOURCES[0])),
        "hour": RatesQuery(by=Dimension.SOURCE, cut=CaseFilter(hour=9)),
        "grade": RatesQuery(by=Dimension.HOUR, cut=CaseFilter(grade=Grade.LOW)),
        "person": RatesQuery(by=Dimension.GRADE, cut=CaseFilter(person=CALLERS[0])),
    }
    for name, asked in narrowed.items():
        works[f"page_of_one_{name}"] = partial(cut_rates, services, asked, reader_unit_id=None)
    return {name: round(statistics.median(_ms(work) for _ in range(5)), 1) for name, work in works.items()}


def _ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def run(
    scale: float, seed: int, days: int = 365, keep: Path | None = None, *, timed: bool = True
) -> dict[str, object]:
    """The year, and what of it differs; `timed`: also how long the report and its cuts take."""
    with ground(keep=keep) as env, application(load_settings(env)) as app:
        end = datetime.now(UTC).replace(microsecond=0)
        clock = Clock(end - (days + 1) * DAY)
        services = replace(
            app.services, clock=clock, real=clock, enqueue=lambda *_: None, schema=app.services.schema
        )
        year = Year(services, clock, days, end, meter=Meter(services), folder=app.settings.data_dir)
        with owner_store(app) as owner:
            return _run(year, owner, scale, seed) | ({"ms": pace(services, end)} if timed else {})


def _run(year: Year, owner: Store, scale: float, seed: int) -> dict[str, object]:
    services, clock = year.services, year.clock
    people, strangers = plan(scale, seed, year.days)
    people += rare(scale, seed, year.days, len(people))
    # The first call may leave now, a year before the database was made.
    with services.store.begin() as tx:
        set_line_pace(
            tx,
            calls_per_second=500,
            lines=10_000,
            by="bench",
            why="a year",
            now=clock.now(),
            real_now=clock.now(),
        )
    _build(services)
    before = year.meter.read()
    year.run(people, strangers)
    year.close()
    made = year.meter.read() - before
    vacuum(owner)
    different = compare(services, year)
    wrong = adds_up(services)
    began = time.monotonic()
    verified = verify_figures(services)
    total = parts_of(year.lives, clock.now())["all", ""]
    return {
        "scale": scale,
        "seed": seed,
        "days": year.days,
        "made_in_seconds": made.plain(),
        "of_it": {name: used.plain() for name, used in year.took.items()},
        "truth": {name: total[name] for name in CHECKED},
        "filed": {state.value: year.filed[state] for state in FiledState},
        "different": different,
        "not_adding_up": wrong,
        "verify": {
            "days": verified.days,
            "figures": verified.figures,
            "different": verified.different,
            "seconds": round(time.monotonic() - began, 1),
        },
        "goal_ms": GOAL_MS,
    }


def _build(services: Services) -> None:
    """The districts and stations of the city."""
    with services.store.begin() as tx:
        for n in range(1, DISTRICTS + 1):
            district = add_unit(tx, name=f"第{n}分局", parent_id=None, level="county")
            for place in range(1, STATIONS + 1):
                add_unit(tx, name=f"第{n}区第{place}派出所", parent_id=district, level="station")


def is_exact(found: dict[str, object]) -> bool:
    """Whether nothing differs."""
    verified = found["verify"]
    assert isinstance(verified, dict)
    return not (found["different"] or found["not_adding_up"] or verified["different"])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--quick", action="store_true", help=f"scale {QUICK_SCALE} over 40 days")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    scale, days = (QUICK_SCALE, 40) if options.quick else (options.scale, options.days)
    found = run(scale, options.seed, days, options.keep)
    print(json.dumps(found, indent=1, ensure_ascii=False))
    if not is_exact(found):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
