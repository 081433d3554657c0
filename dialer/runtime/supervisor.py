"""Keeps named child processes running: starts them in order, reports their deaths and new starts, stops them all.

The guard of this process (guarded.py) runs them, so that none outlives this process, whatever ends it. Another guard
takes the place of one that died.
"""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from dialer.runtime.guarded import Guard, Guarded, Program, StopStep

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A process to keep. `env` is its whole environment; it gets SIGTERM and `stop_grace_seconds` to end."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    stop_grace_seconds: float = 10.0


class HistoryEntry(StrEnum):
    """What happened to a child."""

    STARTED = "started"
    DIED = "died"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildEvent:
    """For the log. `code`: the exit code, negative for a signal. `retry_seconds`: the wait before the next start."""

    name: str
    what: HistoryEntry
    pid: int | None = None
    code: int | None = None
    retry_seconds: float | None = None


class Supervisor:
    """Used by one thread; `ask_to_stop` and `pids` may be called from any. `guard`: None: one of its own."""

    def __init__(
        self,
        children: Sequence[Child],
        on_event: Callable[[ChildEvent], object],
        *,
        guard: Guard | None = None,
        first_pause_seconds: float = _FIRST_PAUSE_SECONDS,
    ) -> None:
        names = [child.name for child in children]
        if len(set(names)) != len(names):
            raise ValueError("two children have the same name")
        self._children = children
        self._guard = guard or Guard()
        self._kept: dict[str, Guarded] = {}
        self._first_pause_seconds = first_pause_seconds
        self._on_event = on_event
        self._stopping = threading.Event()
        self._stopped = False
        self._wake_reader, self._wake_writer = os.pipe()
        os.set_blocking(self._wake_writer, False)

    def start(self) -> None:
        """Every child has been started, in the given order."""
        for child in self._children:
            steps = (StopStep(signal=signal.SIGTERM, seconds=child.stop_grace_seconds),)
            self._kept[child.name] = self._guard.add(
                Program(
                    argv=child.argv,
                    env=child.env,
                    cwd=Path.cwd(),
                    stop_steps=steps,
                    first_pause_seconds=self._first_pause_seconds,
                    longest_pause_seconds=_LONGEST_PAUSE_SECONDS,
                    is_copy=True,
                )
            )

    def run_forever(self, each_round: Callable[[], object] = lambda: None) -> None:
        """Keeps the children until SIGTERM, SIGINT or `ask_to_stop`, then stops them, last started first. `each_round`
        is called at least once a second; what it raises stops them too.

        In the main thread, signal handlers are set and restored afterwards.
        """
        main = threading.current_thread() is threading.main_thread()
        before = (
            {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)} if main else {}
        )
        for number in before:
            signal.signal(number, lambda _number, _frame: self.ask_to_stop())
        try:
            while not self._stopping.is_set():
                self.tend()
                each_round()
        finally:
            try:
                self.stop()
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)

    def tend(self, *, seconds: float = 1.0) -> None:
        """Handles the events of up to `seconds`."""
        self._wait(seconds, *self._kept.values())
        for name, guarded in self._kept.items():
            before = guarded.pid
            for event in guarded.events():
                if event.kind == "pid":
                    self._on_event(ChildEvent(name=name, what=HistoryEntry.STARTED, pid=event.number))
                else:
                    self._died(name, before, code=event.number, retry_seconds=event.pause_seconds)
                before = guarded.pid
        if not all(guarded.is_alive for guarded in self._kept.values()):
            self._replace_guard()

    def _wait(self, seconds: float, *sources: Guarded) -> None:
        waited: list[int | Guarded] = [self._wake_reader, *sources]
        if self._wake_reader in select.select(waited, [], [], seconds)[0]:
            os.read(self._wake_reader, 64)

    def _died(self, name: str, pid: int | None, *, code: int | None, retry_seconds: float) -> None:
        self._on_event(
            ChildEvent(name=name, what=HistoryEntry.DIED, pid=pid, code=code, retry_seconds=retry_seconds)
        )

    def _replace_guard(self) -> None:
        for name, guarded in self._kept.items():
            if guarded.pid is not None:
                self._died(name, guarded.pid, code=None, retry_seconds=self._first_pause_seconds)
        self._wait(self._first_pause_seconds)
        if not self._stopping.is_set():
            self._guard.replace()

    def ask_to_stop(self) -> None:
        """`run_forever` stops all children and returns. Safe in a signal handler and from another thread."""
        self._stopping.set()
        # The pipe may be full or closed: the supervisor is awake already or has ended.
        with suppress(OSError):
            os.write(self._wake_writer, b"!")

    def stop(self) -> None:
        """Every child is gone, in reverse starting order. No effect when called again."""
        self._stopping.set()
        if self._stopped:
            return
        self._stopped = True
        for name, guarded in reversed(self._kept.items()):
            pid = guarded.pid
            code = guarded.stop()
            if code is not None:
                self._on_event(ChildEvent(name=name, what=HistoryEntry.STOPPED, pid=pid, code=code))
        os.close(self._wake_reader)
        os.close(self._wake_writer)

    def pids(self) -> dict[str, int]:
        """The process of each child that runs, by the child's name."""
        pids = {name: guarded.pid for name, guarded in self._kept.items()}
        return {name: pid for name, pid in pids.items() if pid is not None}
