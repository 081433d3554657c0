"""Keeps named child processes running: starts them in order, restarts one that dies and reports it, stops them all.

None outlives this process, whatever ends it (processes.py).
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dialer.runtime.processes import ChildProcess, Program

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_SETTLED_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A process to keep running. `env` is its whole environment; it gets SIGTERM and `stop_grace_seconds` to end.
    `run`: the function that `argv` runs, if the child is to be a copy of this process, which then must have one thread.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    stop_grace_seconds: float = 10.0
    run: Callable[[], object] | None = None


class ChildEventKind(StrEnum):
    """What happened to a child."""

    STARTED = "started"
    NOT_STARTED = "not_started"
    """The system could not make the process."""
    DIED = "died"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildEvent:
    """An event of a child, for the log. `code`: the exit code, negative for a signal. `retry_seconds`: the wait before
    the next start.
    """

    name: str
    what: ChildEventKind
    pid: int | None = None
    code: int | None = None
    retry_seconds: float | None = None


@dataclass(slots=True, kw_only=True)
class _Kept:
    child: Child
    process: ChildProcess | None = None
    pid: int | None = None
    pause_seconds: float = _FIRST_PAUSE_SECONDS
    started_at: float = 0.0
    due_at: float = 0.0


class Supervisor:
    """Used by the main thread; `ask_to_stop` and `pids` may be called from any."""

    def __init__(
        self,
        children: Sequence[Child],
        on_event: Callable[[ChildEvent], object],
        *,
        first_pause_seconds: float = _FIRST_PAUSE_SECONDS,
    ) -> None:
        names = [child.name for child in children]
        if len(set(names)) != len(names):
            raise ValueError("two children have the same name")
        self._first_pause_seconds = first_pause_seconds
        self._kept = [_Kept(child=child, pause_seconds=first_pause_seconds) for child in children]
        self._on_event = on_event
        self._selector = selectors.DefaultSelector()
        self._stopping = threading.Event()
        self._stopped = False
        self._wake_reader, self._wake_writer = os.pipe()
        os.set_blocking(self._wake_writer, False)
        os.set_blocking(self._wake_reader, False)
        self._selector.register(self._wake_reader, selectors.EVENT_READ, None)

    def start(self) -> None:
        """Starts every child, in the given order."""
        for kept in self._kept:
            self._launch(kept)

    def run_forever(self, each_round: Callable[[], object] = lambda: None) -> None:
        """Keeps the children running until SIGTERM, SIGINT or `ask_to_stop`, then stops them, last started first.
        `each_round` is called at least once a second; what it raises stops them too.

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
                self.run_once()
                each_round()
        finally:
            try:
                self.stop()
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)

    def run_once(self, *, seconds: float = 1.0) -> None:
        """Handles the events of up to `seconds` and restarts the children that are due."""
        for kept in self._kept:
            if kept.process is not None and kept.pid is None:
                kept.pid = kept.process.pid
                self._on_event(ChildEvent(name=kept.child.name, what=ChildEventKind.STARTED, pid=kept.pid))
        now = time.monotonic()
        due = [kept.due_at for kept in self._kept if kept.process is None]
        wait = max(0.0, min([seconds, *(moment - now for moment in due)]))
        for key, _ in self._selector.select(wait):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake_reader, 64)
            else:
                self._plan_restart(key.data)
        if self._stopping.is_set():
            return
        for kept in self._kept:
            if kept.process is None and time.monotonic() >= kept.due_at:
                self._launch_again(kept)

    def ask_to_stop(self) -> None:
        """Makes `run_forever` stop all children and return. Safe in a signal handler and from another thread."""
        self._stopping.set()
        try:
            os.write(self._wake_writer, b"!")
        except OSError:
            # The pipe is full or closed: the supervisor is awake already or has ended.
            return

    def stop(self) -> None:
        """Stops every child, in reverse starting order. No effect when called again."""
        self._stopping.set()
        if self._stopped:
            return
        self._stopped = True
        for kept in reversed(self._kept):
            if kept.process is not None:
                self._selector.unregister(kept.process)
                code = kept.process.stop()
                kept.process = None
                self._on_event(
                    ChildEvent(name=kept.child.name, what=ChildEventKind.STOPPED, pid=kept.pid, code=code)
                )
                kept.pid = None
        self._selector.close()
        os.close(self._wake_reader)
        os.close(self._wake_writer)

    def pids(self) -> dict[str, int]:
        """The process of each child that runs, by the child's name."""
        return {kept.child.name: kept.pid for kept in self._kept if kept.pid is not None}

    def _launch(self, kept: _Kept) -> None:
        child = kept.child
        steps = [(signal.SIGTERM, child.stop_grace_seconds)]
        kept.process = ChildProcess.start(
            Program(argv=child.argv, env=child.env, stop_steps=steps, run=child.run),
            output=sys.stderr.fileno() if _has_descriptor() else None,
        )
        kept.started_at = time.monotonic()
        self._selector.register(kept.process, selectors.EVENT_READ, kept)

    def _launch_again(self, kept: _Kept) -> None:
        """Starts a child again. Where no process can be made, such as for lack of memory, it is tried again later: the
        other children go on.
        """
        try:
            self._launch(kept)
        except OSError:
            retry = self._plan(kept)
            self._on_event(
                ChildEvent(name=kept.child.name, what=ChildEventKind.NOT_STARTED, retry_seconds=retry)
            )

    def _plan(self, kept: _Kept) -> float:
        """Seconds until the next start, twice as many each time."""
        retry = kept.pause_seconds
        kept.pause_seconds = min(retry * 2, _LONGEST_PAUSE_SECONDS)
        kept.due_at = time.monotonic() + retry
        return retry

    def _plan_restart(self, kept: _Kept) -> None:
        """Reports that the child is dead and plans its next start, later each time it dies soon after a start."""
        assert kept.process is not None
        self._selector.unregister(kept.process)
        code = kept.process.stop()
        if time.monotonic() - kept.started_at > _SETTLED_SECONDS:
            kept.pause_seconds = self._first_pause_seconds
        retry = self._plan(kept)
        pid, kept.pid, kept.process = kept.pid, None, None
        self._on_event(
            ChildEvent(
                name=kept.child.name, what=ChildEventKind.DIED, pid=pid, code=code, retry_seconds=retry
            )
        )


def _has_descriptor() -> bool:
    """Whether standard error has a descriptor; False where it was replaced by an object in memory."""
    try:
        sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return False
    return True
