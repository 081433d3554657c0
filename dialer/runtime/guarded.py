"""Programs that live no longer than this process: sends them to its guard (guard.py), reads what became of them, ends
them.
"""

from __future__ import annotations

import marshal
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from setproctitle import setproctitle

from dialer.runtime import guard
from dialer.runtime.forked import POSSIBLE, be_program, fork

_PATIENCE_SECONDS = 5.0
"""So much longer than its stop steps may a program's end take, or the guard hangs."""
_LEFTOVER_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StopStep:
    """A signal and how long to wait for its effect before the next step; the last step is SIGKILL."""

    signal: signal.Signals
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program that is started again after each of its ends, after a pause that doubles.

    `user`: (uid, gid), for a holder that is root. `is_copy`: a copy of the guard, if that one runs such. `log`: where
    it writes; None: to our standard error. `lock`: a file that is locked while it is kept. `erase`: folders that are
    deleted when it is gone for good.
    """

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    stop_steps: Sequence[StopStep]
    first_pause_seconds: float
    longest_pause_seconds: float
    user: tuple[int, int] | None = None
    is_copy: bool = False
    log: Path | None = None
    lock: Path | None = None
    erase: Sequence[Path] = ()

    def spec(self) -> dict[str, object]:
        """As a guard reads it."""
        return {
            "argv": list(self.argv),
            "env": dict(self.env),
            "cwd": str(self.cwd),
            "stop": [(int(step.signal), step.seconds) for step in self.stop_steps],
            "first_pause": self.first_pause_seconds,
            "longest_pause": self.longest_pause_seconds,
            "user": self.user,
            "is_copy": self.is_copy,
            "log": self.log and str(self.log),
            "lock": self.lock and str(self.lock),
            "erase": [str(path) for path in self.erase],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardEvent:
    """`pid`: the program was started as process `number`. `exit`: it ended with code `number` and is started again
    after `pause_seconds`.
    """

    kind: str
    number: int
    pause_seconds: float = 0.0


class Guarded:
    """A program of a guard. Only the process that started the guard can end it, not a forked copy of that process."""

    def __init__(self, keeper: Guard, program: Program) -> None:
        self._guard = keeper
        self.program = program
        self.pid: int | None = None

    def connect(self) -> socket.socket:
        """The guard's end of a new connection."""
        self._link, theirs = socket.socketpair()
        self._unread = b""
        self.is_alive = True
        """The guard keeps it, which includes the pause before a new start."""
        return theirs

    def disconnect(self) -> None:
        """The guard, if it lives, ends the program."""
        self._link.close()

    def fileno(self) -> int:
        """Readable when there are events or the guard has ended."""
        return self._link.fileno()

    def events(self, *, wait_seconds: float = 0.0) -> list[GuardEvent]:
        """The events since the last call, oldest first; waits up to `wait_seconds` for the first one."""
        if not self.is_alive or not select.select([self._link], [], [], wait_seconds)[0]:
            return []
        try:
            received = self._link.recv(65536)
        except ConnectionResetError:
            received = b""
        self.is_alive = bool(received)
        *lines, self._unread = (self._unread + received).split(b"\n")
        found = []
        for line in lines:
            kind, number, *pause = line.decode().split()
            found.append(
                GuardEvent(kind=kind, number=int(number), pause_seconds=float(pause[0]) if pause else 0.0)
            )
            self.pid = int(number) if kind == "pid" else None
        return found

    def ask_to_stop(self) -> None:
        """The guard begins to stop the program; returns at once, so that several can stop together."""
        if self._guard.is_ours:
            with suppress(OSError):
                self._link.shutdown(socket.SHUT_WR)

    def stop(self) -> int | None:
        """The program is gone, and with its last program the guard. Returns the exit code; None if it did not run, and
        in a forked copy of the process.
        """
        if not self._guard.is_ours:
            return None
        self.ask_to_stop()
        code: int | None = None
        deadline = time.monotonic() + self.longest_stop_seconds + _PATIENCE_SECONDS
        while self.is_alive and (left := deadline - time.monotonic()) > 0:
            for event in self.events(wait_seconds=left):
                code = event.number if event.kind == "exit" else None
        self._guard.remove(self)
        self.disconnect()
        return code

    @property
    def longest_stop_seconds(self) -> float:
        """What its stop steps may take."""
        return sum(step.seconds for step in self.program.stop_steps)


class Guard:
    """The guard of this process: it runs while it has programs.

    `run`: what a command line does that is run by a copy of this process, which then must have one thread.
    """

    def __init__(self, run: Callable[[Sequence[str]], object] | None = None) -> None:
        self._run = run if POSSIBLE else None
        self._holder = os.getpid()
        self._programs: list[Guarded] = []
        self._control: socket.socket | None = None
        self._pid = 0

    @property
    def is_ours(self) -> bool:
        """False in a forked copy of the process that started it."""
        return os.getpid() == self._holder

    def add(self, program: Program) -> Guarded:
        """The guard starts the program."""
        if self._control is None:
            self._control = self._start()
        guarded = Guarded(self, program)
        self._programs.append(guarded)
        _send(self._control, guarded)
        return guarded

    def remove(self, guarded: Guarded) -> None:
        """It needs no guard any more. One that hangs is killed."""
        if guarded.is_alive or guarded.pid is not None:
            self._lose()
        self._programs.remove(guarded)
        if not self._programs and self._control is not None:
            with suppress(OSError):
                self._control.shutdown(socket.SHUT_WR)
            if not select.select([self._control], [], [], _PATIENCE_SECONDS)[0]:
                os.kill(self._pid, signal.SIGKILL)
            self._collect(self._control)

    def replace(self) -> None:
        """Another guard runs all programs, after the death of this one."""
        self._lose()
        self._control = self._start()
        for guarded in self._programs:
            guarded.disconnect()
            _send(self._control, guarded)

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        argv = [sys.executable, "-I", "-S", guard.__file__, str(self._holder)]
        with theirs:
            if self._run is not None:
                self._pid = fork(lambda: self._keep(argv), stdin=theirs.fileno())
            else:
                standard = (os.POSIX_SPAWN_DUP2, theirs.fileno(), 0)
                self._pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=[standard])
        return ours

    def _keep(self, argv: Sequence[str]) -> int:
        """In the copy of this process that is its guard."""
        run = self._run
        assert run is not None

        def enter(spec: dict[str, Any]) -> NoReturn:
            be_program(lambda: run(spec["argv"]), argv=spec["argv"], env=spec["env"])

        setproctitle(" ".join(argv))
        return guard.keep(self._holder, enter)

    def _lose(self) -> None:
        """The guard and its programs are gone. After its death they have their first stop signal, and get time to end
        before SIGKILL.
        """
        if self._control is None:
            return
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        self._collect(self._control)
        for guarded in self._programs:
            guarded.events()
            guarded.is_alive = False
        longest = max(guarded.longest_stop_seconds for guarded in self._programs)
        left = [guarded.pid for guarded in self._programs if guarded.pid is not None]
        deadline = time.monotonic() + min(longest, _LEFTOVER_SECONDS)
        while (left := [pid for pid in left if _signal_group(pid, 0)]) and time.monotonic() < deadline:
            time.sleep(0.02)
        for pid in left:
            _signal_group(pid, signal.SIGKILL)
        for guarded in self._programs:
            guarded.pid = None

    def _collect(self, control: socket.socket) -> None:
        control.close()
        self._control = None
        # Where SIGCHLD is ignored, the kernel has collected it.
        with suppress(ChildProcessError):
            os.waitpid(self._pid, 0)


def _send(control: socket.socket, guarded: Guarded) -> None:
    """To a guard that is dead already it is lost, as its connection says."""
    spec = marshal.dumps(guarded.program.spec())
    with guarded.connect() as theirs, suppress(OSError):
        message = len(spec).to_bytes(guard.LENGTH_BYTES, "big") + spec
        sent = socket.send_fds(control, [message], [theirs.fileno()])
        control.sendall(message[sent:])


def _signal_group(pid: int, number: int) -> bool:
    """False: there is no such group of ours."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True
