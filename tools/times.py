"""Where the time of a run goes, by folder of tests, as a table: `python tools/times.py FILE`, of a JUnit file that
`make test T=--junitxml=FILE` writes.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from pathlib import Path
from xml.etree import ElementTree as ET


def table(file: Path) -> str:
    """Tests and seconds of each folder of tests, the slowest first."""
    tests: Counter[str] = Counter()
    seconds: defaultdict[str, float] = defaultdict(float)
    for case in ET.parse(file).iter("testcase"):  # noqa: S314  # our own run wrote it
        folder = ".".join(case.get("classname", "").split(".")[1:2])
        tests[folder] += 1
        seconds[folder] += float(case.get("time", 0))
    lines = [f"| {name} | {tests[name]} | {spent:.0f} |" for name, spent in _slowest(seconds)]
    return "\n".join(["| folder | tests | seconds |", "|---|---|---|", *lines])


def _slowest(seconds: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(seconds.items(), key=lambda one: -one[1])


if __name__ == "__main__":
    sys.stdout.write(table(Path(sys.argv[1])) + "\n")
