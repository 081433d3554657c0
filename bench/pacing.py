"""How much of the set pace is used while there is work, and the worst window, counted where the calls arrive.

    python -m bench.pacing [--calls-per-second 20] [--seconds 60] [--lines 200]

Aims: at least 95 % used; in no window of T >= 10 s more than pace x T + 1 calls; never more calls at a time than lines.
"""

from __future__ import annotations

import argparse
import json
import time
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from bench.lives import load
from bench.service import service
from dialer.demo.run import read_call_counts

WINDOWS_SECONDS = (10, 20, 30)


def accepted(witness_log: Path) -> list[float]:
    """When the carrier accepted each call (unix seconds), in order."""
    lines = witness_log.read_text(encoding="ascii", errors="replace").splitlines()
    return sorted(float(line.split()[1]) for line in lines if line.startswith("A "))


def most_within(moments: Sequence[float], seconds: float) -> int:
    """The most of them in any window of that length, both its ends included; `moments` in order."""
    ends = (bisect_right(moments, moment + seconds) for moment in moments)
    return max((end - begin for begin, end in enumerate(ends)), default=0)


def longest_gap(moments: Sequence[float]) -> float:
    return max((after - before for before, after in pairwise(moments)), default=0.0)


def run(calls_per_second: float, seconds: float, lines: int) -> dict[str, object]:
    with service(telephony__calls_per_second=str(calls_per_second), telephony__lines=str(lines)) as made:
        load(made, int(calls_per_second * (seconds + 10)))
        made.start()
        log = made.settings.data_dir / "carrier" / "witness.log"
        deadline = time.monotonic() + seconds + 60
        moments: list[float] = []
        while not moments or moments[-1] < moments[0] + seconds:
            if time.monotonic() > deadline:
                raise SystemExit(f"only {len(moments)} calls arrived")
            time.sleep(0.5)
            moments = accepted(log)
        in_time = [moment for moment in moments if moment < moments[0] + seconds]
        carrier = made.app.carrier
        assert carrier is not None
        peak = read_call_counts(carrier).most_lines
    found = {str(span): most_within(moments, span) for span in WINDOWS_SECONDS if span <= seconds}
    over = {span: n for span, n in found.items() if n > calls_per_second * float(span) + 1}
    return {
        "calls_per_second": calls_per_second,
        "seconds": seconds,
        "calls": len(in_time),
        "used_percent": round(100 * len(in_time) / (calls_per_second * seconds), 2),
        "most_calls_in_seconds": found,
        "over_the_pace": over,
        "longest_gap_seconds": round(longest_gap(in_time), 3),
        "lines": lines,
        "most_lines": peak,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls-per-second", type=float, default=20.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--lines", type=int, default=200)
    options = parser.parse_args()
    print(json.dumps(run(options.calls_per_second, options.seconds, options.lines), indent=1))


if __name__ == "__main__":
    main()
