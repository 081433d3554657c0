"""`dialer up` with nothing to do: memory of all its processes and servers (PSS), and how much of one core they use.

    python -m bench.rest [--seconds 30]

Aim: below 500 MB in all, below 3 % of a core.
"""

from __future__ import annotations

import argparse
import json
import time

from bench.service import service


def run(seconds: float) -> dict[str, object]:
    with service(speed=1.0, scheduler__tick_seconds="1.0") as made:
        made.start()
        time.sleep(8)
        before, begun = made.cpu(), time.perf_counter()
        time.sleep(seconds)
        after, passed = made.cpu(), time.perf_counter() - begun
        percent = {name: round((after[name] - before.get(name, 0.0)) / passed * 100, 2) for name in after}
        memory = made.pss_mb()
        return {
            "pss_mb": memory | {"all": round(sum(memory.values()), 1)},
            "percent_of_a_core": percent | {"all": round(sum(percent.values()), 2)},
        }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=30.0)
    print(json.dumps(run(parser.parse_args().seconds), indent=1))


if __name__ == "__main__":
    main()
