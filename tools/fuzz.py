"""`make fuzz`: the tests that explore at random, again and again with new seeds, for MINUTES.

With SEED only that one round is run, whole. The last lines of a run that fails are the commands that repeat it. Also
the pytest plugin of its own rounds: it keeps the tests that explore, shuffles them by the seed, and skips the rest
when the time is over.
"""

from __future__ import annotations

import argparse
import os
import random
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SEED = "FUZZ_SEED"
UNTIL = "FUZZ_UNTIL"
_NOTHING_RAN = 5


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    explore = [item for item in items if item.get_closest_marker("hypothesis")]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(explore)])
    random.Random(int(os.environ[SEED])).shuffle(explore)  # noqa: S311  # an order, not a secret
    items[:] = explore


def pytest_runtest_setup() -> None:
    if time.time() > float(os.environ.get(UNTIL, "inf")):
        pytest.skip("the time is over")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for kind in ("failed", "error"):
        for report in terminalreporter.stats.get(kind, []):
            terminalreporter.write_line(f"repeat with: make fuzz SEED={os.environ[SEED]} T='{report.nodeid}'")


def exploring(tests: Path) -> Iterator[str]:
    """The files with such tests: collecting the others takes longer than many a test here."""
    for path in sorted(tests.rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if "hypothesis" in text or "seeds" in text:
            yield str(path.relative_to(ROOT))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A round whose time was over before any test ran has shown nothing."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if session.exitstatus == 0 and reporter is not None and not reporter.stats.get("passed"):
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED


def one_round(seed: int, tests: Sequence[str], until: float | None) -> int:
    """What pytest says of it."""
    sys.stdout.write(f"fuzz: seed {seed}\n")
    sys.stdout.flush()
    env = os.environ | {SEED: str(seed)} | ({UNTIL: str(until)} if until else {})
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tools.fuzz", "-n", "auto", "--dist", "worksteal", "-q", "-rfE",
         "--hypothesis-profile=explore", f"--hypothesis-seed={seed}", *tests],
        cwd=ROOT, env=env, check=False,
    )  # fmt: skip
    return done.returncode


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    ask.add_argument("--seed", type=lambda text: int(text) if text else None)
    ask.add_argument("--minutes", type=float, default=2.0)
    ask.add_argument("tests", nargs="*")
    asked = ask.parse_args()
    tests = asked.tests or list(exploring(ROOT / "tests"))
    if asked.seed is not None:
        return one_round(asked.seed, tests, None)
    until = time.time() + 60 * asked.minutes
    rounds = 0
    while time.time() < until:
        ended = one_round(secrets.randbits(32), tests, until)
        if ended not in {0, _NOTHING_RAN}:
            return ended
        rounds += ended == 0
    sys.stdout.write(f"fuzz: {rounds} rounds passed\n")
    return 0 if rounds else _NOTHING_RAN


if __name__ == "__main__":
    sys.exit(main())
