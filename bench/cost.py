"""The price list of the service: what loads and pages cost in units that do not depend on the machine.

    python -m bench.cost [--only TEXT] [--details N]
    python -m bench.cost --save --reason "why the figures changed"

Small loads run on copies of two cities, of 5,000 and of 50,000 cases, and each is counted: statements, buffers, rows
read and discarded, bytes of write-ahead log, calls of Python functions. The figures are compared with
`bench/cost.json`. Ends with 1 where one has grown by more than a tenth, where one that should not depend on the size of
the city does, and where the file itself has grown since its version before without a new reason. `--save` writes what
changed, with the reason beside it.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("cost.json")
SIZES = (5_000, 50_000)
PYTHON = "3.11"
"""The version whose calls are compared: others call other functions of their own library."""
_MOST_GROWTH, _MOST_WITH_SIZE, _NOISE = 1.10, 1.30, 1.02
SLACK = {"buffers": 24, "rows_read": 60, "rows_discarded": 60, "wal_bytes": 8_192, "python_calls": 300}
"""What a figure may grow by in any case: a few of a few say nothing. Of statements each one counts."""

BY_TIME = frozenset({"buffers", "rows_read", "rows_discarded", "wal_bytes", "python_calls"})
"""Figures that a run may raise by itself: a list that is slower by chance tells its progress once more, and each later
check of a row of the list reads one entry of an index more; one run counted the same function of the same page twice as
often. What has grown of them is counted once more.
"""

Figures = Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """The figures of one load by the size of the city, and why they are what they are."""

    reason: str
    sizes: Mapping[int, Figures]


Prices = Mapping[str, Price]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A figure that is more than it may be."""

    load: str
    size: int
    figure: str
    before: int
    now: int
    what: str

    def __str__(self) -> str:
        return (
            f"{self.load}, {self.size:,} cases: {self.figure} {self.before:,} -> {self.now:,}"
            f" ({self.now / max(1, self.before):.2f} times): {self.what}"
        )


def has_grown(figure: str, before: int, now: int, most: float) -> bool:
    """Whether this is more than `most` times as much, and by more than a little."""
    return now > before * most and now - before > SLACK.get(figure, 0)


def grown(stored: Prices, found: Prices) -> Iterator[Fault]:
    """Figures that are more than a tenth above the stored ones; loads and figures that are not stored yet."""
    for load, price in found.items():
        for size, figures in price.sizes.items():
            before = stored[load].sizes.get(size, {}) if load in stored else {}
            for figure, now in figures.items():
                if figure not in before:
                    yield Fault(
                        load=load, size=size, figure=figure, before=0, now=now, what="is not in the file"
                    )
                elif has_grown(figure, before[figure], now, _MOST_GROWTH):
                    yield Fault(
                        load=load, size=size, figure=figure, before=before[figure], now=now, what="has grown"
                    )


def grown_with_size(found: Prices, may_grow: Callable[[str], str]) -> Iterator[Fault]:
    """Figures that depend on the number of cases though they should not. `may_grow`: the reason why those of a load
    may, or "".
    """
    for load, price in found.items():
        if len(price.sizes) < len(SIZES) or may_grow(load):
            continue
        small, large = min(price.sizes), max(price.sizes)
        for figure, now in price.sizes[large].items():
            before = price.sizes[small].get(figure, now)
            if has_grown(figure, before, now, _MOST_WITH_SIZE):
                yield Fault(
                    load=load, size=large, figure=figure, before=before, now=now,
                    what=f"depends on the number of cases: {small:,} against {large:,}",
                )  # fmt: skip


def unexplained(before: Prices, after: Prices) -> list[str]:
    """Loads whose stored figures have grown with the reason of before."""
    return sorted(
        load
        for load, price in after.items()
        if load in before
        and price.reason == before[load].reason
        and any(
            has_grown(figure, before[load].sizes.get(size, {}).get(figure, now), now, _NOISE)
            for size, figures in price.sizes.items()
            for figure, now in figures.items()
        )
    )


def saved(stored: Prices, found: Prices, *, reason: str, whole: bool) -> dict[str, Price]:
    """The prices to store: those that moved by more than chance, with this reason, and the others as they were.
    `whole`: loads that were not found are gone.
    """
    kept = {} if whole else dict(stored)
    for load, price in found.items():
        old = stored.get(load)
        kept[load] = (
            old if old is not None and _is_same(old, price) else Price(reason=reason, sizes=price.sizes)
        )
    return kept


def _is_same(old: Price, new: Price) -> bool:
    return old.sizes.keys() == new.sizes.keys() and all(
        figures.keys() == old.sizes[size].keys()
        and not any(
            has_grown(figure, old.sizes[size][figure], now, _NOISE)
            or has_grown(figure, now, old.sizes[size][figure], _NOISE)
            for figure, now in figures.items()
        )
        for size, figures in new.sizes.items()
    )


def parse(text: str) -> dict[str, Price]:
    """The prices of a file."""
    return {
        load: Price(
            reason=row["reason"], sizes={int(size): found for size, found in row.items() if size != "reason"}
        )
        for load, row in json.loads(text)["loads"].items()
    }


def render(prices: Prices) -> str:
    """The file: one line for each size of each load, so that a difference shows what changed."""
    lines = []
    for load, price in prices.items():
        rows = [f'"reason": {json.dumps(price.reason, ensure_ascii=False)}']
        rows += [f'"{size}": {json.dumps(figures)}' for size, figures in sorted(price.sizes.items())]
        lines.append(f"  {json.dumps(load, ensure_ascii=False)}: {{\n   " + ",\n   ".join(rows) + "\n  }")
    return f'{{\n "python": "{PYTHON}",\n "loads": {{\n' + ",\n".join(lines) + "\n }\n}\n"


def version_before() -> str | None:
    """The file as it was before its last change: that of the last commit, or where that is the same the one before.
    None where there is no history.
    """
    now = FILE.read_text(encoding="utf-8")
    for commit in _git("log", "-n", "2", "--format=%H", "--", FILE.name).split():
        text = _git("show", f"{commit}:./{FILE.name}")
        if text and text != now:
            return text
    return None


def _git(*argv: str) -> str:
    try:
        done = subprocess.run(["git", *argv], cwd=FILE.parent, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout if done.returncode == 0 else ""


def unexplained_in_file() -> list[str]:
    """As `unexplained`, of the file against its version before."""
    before = version_before()
    return [] if before is None else unexplained(parse(before), parse(FILE.read_text(encoding="utf-8")))


def lower_of(one: Price, other: Price) -> Price:
    """The price with the lower of two counts of each of `BY_TIME`; the others as in `one`."""
    return replace(
        one,
        sizes={
            size: {
                name: min(value, other.sizes[size][name]) if name in BY_TIME else value
                for name, value in figures.items()
            }
            for size, figures in one.sizes.items()
        },
    )


@dataclass(slots=True)
class Run:
    """What a run found: the prices, and beside them what each load did."""

    prices: dict[str, Price] = field(default_factory=dict)
    details: dict[tuple[str, int], Any] = field(default_factory=dict)

    def add(self, load: str, size: int, cost: Any) -> None:  # noqa: ANN401  # a Cost, whose module is imported late
        sizes = dict(self.prices[load].sizes) if load in self.prices else {}
        self.prices[load] = Price(reason="", sizes=sizes | {size: cost.figures})
        self.details[load, size] = cost


def run(only: str) -> Run:
    """Every load at every size; each size in a process and on a server of its own."""
    found = Run()
    with ProcessPoolExecutor(len(SIZES), mp_context=multiprocessing.get_context("spawn")) as processes:
        for size, costs in zip(SIZES, processes.map(_count, SIZES, [only] * len(SIZES)), strict=True):
            for load, cost in costs.items():
                found.add(load, size, cost)
    return found


def _count(size: int, only: str) -> dict[str, Any]:
    """The cost of each load in a city of this size."""
    from bench.cost_counting import CallCounter  # noqa: PLC0415  # the comparison needs none of the service
    from bench.cost_loads import LOADS  # noqa: PLC0415
    from bench.cost_pages import page_costs  # noqa: PLC0415
    from bench.cost_town import Scene, town  # noqa: PLC0415

    calls = None
    if f"{sys.version_info.major}.{sys.version_info.minor}" == PYTHON:
        calls = CallCounter()
        calls.install()
    found: dict[str, Any] = {}
    with town(calls) as made:
        for load in LOADS:
            if only in load.name:
                _say(size, load.name)
                with made.place(load.scene, size) as place:
                    found[load.name] = load.work(place)
        with made.place(Scene.CITY, size) as place:
            for name, cost in page_costs(place, only=only):
                _say(size, name)
                found[name] = cost
    return found


def _say(size: int, load: str) -> None:
    if sys.stderr.isatty() or os.environ.get("COST_PROGRESS"):
        print(f"{size:,} cases: {load}", file=sys.stderr, flush=True)


def _details(cost: Any, most: int) -> Iterator[str]:  # noqa: ANN401  # a Cost
    """The dearest statements and functions of a load, and the plan of the slowest statement."""
    for each in sorted(cost.statements, key=lambda each: -each.buffers)[:most]:
        yield (
            f"   {each.calls:6} calls {each.rows:8} rows {each.buffers:8} buffers {each.wal_bytes:9} bytes"
            f" {each.text[:160]}"
        )
    for name, count in cost.functions.most_common(most):
        yield f"   {count:8} calls {name}"
    yield "   " + cost.plan.replace("\n", "\n   ")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="loads and pages whose name has this in it")
    parser.add_argument(
        "--details", type=int, default=0, help="so many statements and functions of each load"
    )
    parser.add_argument("--save", action="store_true", help="write what changed into bench/cost.json")
    parser.add_argument("--reason", default="", help="why it changed, for --save")
    options = parser.parse_args()
    if options.save and not options.reason.strip():
        parser.error("--save needs --reason: what made the figures change")
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of sets decides about calls.
        os.execve(
            sys.executable,
            [sys.executable, "-m", "bench.cost", *sys.argv[1:]],
            {**os.environ, "PYTHONHASHSEED": "0"},
        )
    sys.exit(_run(options))


def _run(options: argparse.Namespace) -> int:
    from bench.cost_loads import may_grow  # noqa: PLC0415  # see `run`

    stored = parse(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    made = run(options.only)
    for (load, size), cost in made.details.items():
        if options.details:
            print(f"{load}, {size:,} cases: {json.dumps(cost.figures)}")
            print("\n".join(_details(cost, options.details)))
    if options.save:
        prices = saved(stored, made.prices, reason=options.reason.strip(), whole=not options.only)
        changed = [load for load in prices if prices[load] != stored.get(load)]
        FILE.write_text(render(prices), encoding="utf-8")
        print(f"{len(changed)} of {len(prices)} prices changed: {', '.join(changed[:20])}")
    moved = [] if options.save else grown(stored, made.prices)
    doubtful = [*moved, *grown_with_size(made.prices, may_grow)]
    for load in sorted({fault.load for fault in doubtful if fault.figure in BY_TIME and fault.before}):
        again = run(load).prices[load]
        made.prices[load] = lower_of(made.prices[load], again)
    with_size = list(grown_with_size(made.prices, may_grow))
    faults = with_size if options.save else [*grown(stored, made.prices), *with_size]
    told: set[tuple[str, int]] = set()
    for fault in faults:
        print(fault)
        if (fault.load, fault.size) not in told:
            told.add((fault.load, fault.size))
            print("\n".join(_details(made.details[fault.load, fault.size], 8)))
    silent = unexplained_in_file()
    for load in silent:
        print(f"{load}: bench/cost.json has grown, and its reason is that of the version before")
    if not options.only and not options.save:
        gone = sorted(stored.keys() - made.prices.keys())
        for load in gone:
            print(f"{load}: is in bench/cost.json and was not counted; save the file again")
        faults += [Fault(load=load, size=0, figure="", before=0, now=0, what="is gone") for load in gone]
    if not faults and not silent:
        print(f"{len(made.prices)} prices are as they were")
    return 1 if faults or silent else 0


if __name__ == "__main__":
    main()
