"""Keeps named child processes running: starts them in order, restarts one that dies and reports it, stops them all.

Each child has a guard (guarding.py), so that none outlives this process, whatever ends it.
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
from pathlib import Path

from dialer.core.errors import Unavailable
from dialer.runtime.guarded import Guarded, Program, StopStep

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_SETTLED_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A process to keep running. `env` is its whole environment; it gets SIGTERM and `stop_grace_seconds` to end.
    `run`: the function that `argv` runs, if the child may be a copy of this process, which then must have one thread.
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
    guarded: Guarded | None = None
    pid: int | None = None
    pause_seconds: float = _FIRST_PAUSE_SECONDS
    started_at: float = 0.0
    due_at: float = 0.0


class Supervisor:
    """Used by one thread; `ask_to_stop` and `pids` may be called from any."""

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
        now = time.monotonic()
        due = [kept.due_at for kept in self._kept if kept.guarded is None]
        wait = max(0.0, min([seconds, *(moment - now for moment in due)]))
        for key, _ in self._selector.select(wait):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake_reader, 64)
            else:
                self._read_events(key.data)
        if self._stopping.is_set():
            return
        for kept in self._kept:
            if kept.guarded is None and time.monotonic() >= kept.due_at:
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
            if kept.guarded is not None:
                self._selector.unregister(kept.guarded)
                code = kept.guarded.stop()
                kept.guarded = None
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
        guarded = Guarded.start(
            Program(
                name=child.name,
                argv=child.argv,
                env=child.env,
                cwd=Path.cwd(),
                stop_steps=(StopStep(signal=signal.SIGTERM, seconds=child.stop_grace_seconds),),
                run=child.run,
            ),
            output=sys.stderr.fileno() if _has_descriptor() else None,
        )
        kept.guarded, kept.started_at = guarded, time.monotonic()
        self._selector.register(guarded, selectors.EVENT_READ, kept)

    def _launch_again(self, kept: _Kept) -> None:
        """Starts a child again. Where no process can be made, such as for lack of memory, it is tried again later: the
        other children go on.
        """
        try:
            self._launch(kept)
        except (OSError, Unavailable):
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

    def _read_events(self, kept: _Kept) -> None:
        guarded = kept.guarded
        assert guarded is not None
        code: int | None = None
        for event in guarded.events():
            if event.kind == "pid":
                kept.pid = event.number
                self._on_event(ChildEvent(name=kept.child.name, what=ChildEventKind.STARTED, pid=kept.pid))
            else:
                code = event.number
        if code is not None or not guarded.alive:
            self._plan_restart(kept, guarded, code)

    def _plan_restart(self, kept: _Kept, guarded: Guarded, code: int | None) -> None:
        """Reports that the child is dead, with this code or else that of its guard, and plans its next start, later
        each time it dies soon after a start.
        """
        self._selector.unregister(guarded)
        guard_code = guarded.stop()
        if time.monotonic() - kept.started_at > _SETTLED_SECONDS:
            kept.pause_seconds = self._first_pause_seconds
        retry = self._plan(kept)
        pid, kept.pid, kept.guarded = kept.pid, None, None
        self._on_event(
            ChildEvent(
                name=kept.child.name,
                what=ChildEventKind.DIED,
                pid=pid,
                code=guard_code if code is None else code,
                retry_seconds=retry,
            )
        )


def _has_descriptor() -> bool:
    """Whether standard error has a descriptor; False where it was replaced by an object in memory."""
    try:
        sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return False
    return True
