"""`dialer up` with nothing to do: memory of all its processes and servers (PSS), and how much of one core they use.

    python -m bench.rest [--seconds 60]

Everything below the one process is counted: the supervisor itself, every process that it keeps, the embedded servers
with all their backends. Aim: below 500 MB in all, below 3 % of a core.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import psutil

from bench.service import answers, ground

_SETTLE_SECONDS = 15.0
"""Until what the start itself costs is over."""


def run(seconds: float) -> dict[str, object]:
    with ground(scheduler__tick_seconds="1.0") as env:
        up = subprocess.Popen([sys.executable, "-m", "dialer", "up"], env=env)
        try:
            _wait_until_cycling(up, int(env["DIALER_WEB__PORT"]))
            time.sleep(_SETTLE_SECONDS)
            before, begun = _cpu(up.pid), time.perf_counter()
            time.sleep(seconds)
            after, passed = _cpu(up.pid), time.perf_counter() - begun
            percent = {name: round((after[name] - before[name]) / passed * 100, 2) for name in sorted(after)}
            memory = _pss_mb(up.pid)
        finally:
            up.send_signal(signal.SIGTERM)
            up.wait(60)
    return {
        "pss_mb": memory | {"all": round(sum(memory.values()), 1)},
        "percent_of_a_core": percent | {"all": round(sum(percent.values()), 2)},
        "seconds": round(passed),
    }


def _wait_until_cycling(up: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 90
    while not answers(port, "/health/engine"):
        if up.poll() is not None or time.monotonic() > deadline:
            raise SystemExit("the service did not come up")
        time.sleep(0.2)


def _processes(pid: int) -> list[psutil.Process]:
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def _name(process: psutil.Process) -> str:
    line = process.cmdline()
    if "dialer" in line:
        words = line[line.index("dialer") + 1 :]
        return words[0] + ("-" + words[2] if len(words) > 2 else "")
    return process.name()


def _cpu(pid: int) -> dict[str, float]:
    """Seconds of processor by name; what has ended meanwhile is with its parent."""
    used: dict[str, float] = defaultdict(float)
    for process in _processes(pid):
        try:
            times = process.cpu_times()
            used[_name(process)] += times.user + times.system + times.children_user + times.children_system
        except psutil.Error:
            continue
    return used


def _pss_mb(pid: int) -> dict[str, float]:
    """From /proc/PID/smaps_rollup: a page that n processes share counts as an nth in each."""
    found: dict[str, float] = defaultdict(float)
    for process in _processes(pid):
        try:
            rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii")
            kib = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
            found[_name(process)] += kib / 1024
        except (psutil.Error, OSError):
            continue
    return {name: round(mb, 1) for name, mb in sorted(found.items())}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60.0)
    print(json.dumps(run(parser.parse_args().seconds), indent=1))


if __name__ == "__main__":
    main()
