"""CPU seconds of a run of tests by folder and phase: a plugin of pytest, `pytest -p tools.cpu` (docs/testing.md).
With `--cpu-by-file` by file of tests.

Of the workers themselves; of the processes that tests start, also of those that still run; of PostgreSQL and Valkey of
the run. With one worker the servers' time is counted for the folder whose test ran meanwhile, with several only in all.
CPU seconds hardly depend on what else the machine does; seconds of the clock do. Linux only: it reads /proc.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

_TICKS = os.sysconf("SC_CLK_TCK")
_PHASES = ("set-up", "call", "tear-down")
_COLUMNS = ("tests", *_PHASES, "children", "servers")
_COLLECTING = "(collecting)"
_SENT = "cpu_seconds"


class CpuTimes:
    """Sums by (folder, column); a worker sends its own to the controller."""

    def __init__(self, *, by_file: bool) -> None:
        self._by_file = by_file
        self.sums: defaultdict[tuple[str, str], float] = defaultdict(float)
        self._servers: tuple[int, ...] = ()
        self._last = self._now()
        self._servers_last = 0.0

    def _now(self) -> tuple[float, float]:
        """Of this process, and of those that it started and that have ended or still run, without the servers."""
        times = os.times()
        ended = times.children_user + times.children_system
        running = sum(_tree(child, self._servers) for child in _children(os.getpid()))
        return times.user + times.system, ended + running

    def _count(self, folder: str, phase: str) -> None:
        own, children = self._now()
        self.sums[folder, phase] += own - self._last[0]
        # Less than before: processes have ended whose parent ended without waiting for them.
        self.sums[folder, "children"] += max(0.0, children - self._last[1])
        self._last = own, children
        servers = sum(_tree(server, ()) for server in self._servers)
        self.sums[folder, "servers"] += max(0.0, servers - self._servers_last)
        self._servers_last = servers

    def pytest_collection_finish(self) -> None:
        self._count(_COLLECTING, "set-up")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None]:
        yield
        self.sums[self._row(item), "tests"] += 1
        if not self._servers and (running := getattr(item, "funcargs", {}).get("embedded_servers")):
            self._servers = _listening(running.owner_url, running.broker_url)
            self._last = self._now()
        self._count(self._row(item), "set-up")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None]:
        yield from self._phase(item, "call")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None]:
        yield from self._phase(item, "tear-down")

    def _phase(self, item: pytest.Item, phase: str) -> Generator[None]:
        try:
            yield
        finally:
            self._count(self._row(item), phase)

    def _row(self, item: pytest.Item) -> str:
        folder = item.path.parent.name
        return f"{folder}/{item.path.name}" if self._by_file else folder

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        sent = getattr(session.config, "workeroutput", None)
        if sent is not None:
            sent[_SENT] = [[*key, value] for key, value in self.sums.items()]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401  # a class of xdist without types
        for folder, column, value in getattr(node, "workeroutput", {}).get(_SENT, ()):
            self.sums[folder, column] += value

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.write_sep("-", "CPU seconds")
        for line in self._table():
            terminalreporter.write_line(line)

    def _table(self) -> Iterator[str]:
        yield f"| {'folder':<12} | " + " | ".join(f"{name:>9}" for name in (*_COLUMNS, "all")) + " |"
        yield "|" + "---|" * (len(_COLUMNS) + 2)
        rows = {folder: [self.sums.get((folder, name), 0.0) for name in _COLUMNS] for folder, _ in self.sums}
        whole = [sum(row[at] for row in rows.values()) for at in range(len(_COLUMNS))]
        for folder, row in [*sorted(rows.items(), key=lambda one: -sum(one[1][1:])), ("all", whole)]:
            figures = [f"{row[0]:9,.0f}", *(f"{value:9.1f}" for value in (*row[1:], sum(row[1:])))]
            yield f"| {folder:<12} | " + " | ".join(figures) + " |"


def _listening(*urls: str) -> tuple[int, ...]:
    ports = {urlsplit(url).port for url in urls}
    found = [
        connection
        for connection in psutil.net_connections(kind="tcp4")
        if connection.status == psutil.CONN_LISTEN
    ]
    return tuple({one.pid for one in found if one.pid and one.laddr and one.laddr.port in ports})


def _tree(process: int, without: tuple[int, ...]) -> float:
    """CPU seconds of a process, of its children that have ended, and of those that run; 0 if it is gone."""
    if process in without:
        return 0.0
    children = sum(_tree(child, without) for child in _children(process))
    with suppress(OSError):
        fields = (
            Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2]
        )
        return children + sum(map(int, fields.split()[11:15])) / _TICKS
    return children


def _children(process: int) -> Iterator[int]:
    with suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            with suppress(OSError):
                yield from map(int, (task / "children").read_text(encoding="ascii").split())


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--cpu-by-file", action="store_true", help="CPU seconds of each file of tests, not folder"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(CpuTimes(by_file=config.getoption("cpu_by_file")), "cpu_times")
