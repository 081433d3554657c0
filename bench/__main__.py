"""All measurements of the service, one after the other, each in a fresh folder: `make bench`.

    python -m bench [--quick] [--save] [NAME ...]

`--quick` takes a tenth of each, to see that they work. `--save` keeps the figures in bench/figures.json and draws the
charts of bench/README.md from them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping

from bench import chart, claim, dispatch, lives, load, pacing, pages, report, rest, tick, urgent

_FULL: Mapping[str, Callable[[], dict[str, object]]] = {
    "rest": lambda: rest.run(30.0),
    "dispatch": lambda: dispatch.run(5_000, 1_000),
    "pacing": lambda: pacing.run(20.0, 60.0, 200),
    "lives": lambda: lives.run(20_000, "2", 1_000),
    "claim": lambda: claim.run([10_000, 100_000, 1_000_000], 40),
    "tick": lambda: tick.run([10_000, 100_000, 1_000_000], 25),
    "urgent": lambda: urgent.run(1_000_000, 200, 50.0),
    "load": lambda: load.run(1_000_000),
    "report": lambda: report.run(5_000_000),
    "pages": lambda: pages.run(1_000_000, 20, calls_per_second=50.0),
}
_QUICK: Mapping[str, Callable[[], dict[str, object]]] = {
    "rest": lambda: rest.run(5.0),
    "dispatch": lambda: dispatch.run(1_000, 100),
    "pacing": lambda: pacing.run(20.0, 12.0, 200),
    "lives": lambda: lives.run(1_000, "2", 100),
    "claim": lambda: claim.run([1_000, 10_000], 10),
    "tick": lambda: tick.run([1_000, 10_000], 5),
    "urgent": lambda: urgent.run(10_000, 20, 50.0),
    "load": lambda: load.run(20_000),
    "report": lambda: report.run(20_000),
    "pages": lambda: pages.run(20_000, 3, seconds=10.0, calls_per_second=50.0),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--save", action="store_true")
    parser.add_argument("names", nargs="*", choices=[[], *_FULL], default=[])
    options = parser.parse_args()
    runs = _QUICK if options.quick else _FULL
    for name in options.names or runs:
        figures = runs[name]()
        print(json.dumps({name: figures}, indent=1), flush=True)
        if options.save:
            chart.save(name, figures)
    if options.save:
        chart.draw()


if __name__ == "__main__":
    main()
