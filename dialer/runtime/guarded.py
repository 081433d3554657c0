"""A program that lives no longer than this process: starts its guard, reads its events, stops it."""

from __future__ import annotations

import contextlib
import marshal
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from dialer.core.errors import Unavailable

GUARD_SCRIPT = Path(__file__).with_name("guard.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class StopStep:
    """A signal and how long to wait for its effect before the next step; the last step is SIGKILL."""

    signal: signal.Signals
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program for a guard to run. `user` is (uid, gid), only for a guard that runs as root. `erase`: the folders that
    are deleted at its end.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    stop_steps: Sequence[StopStep]
    user: tuple[int, int] | None = None
    respawn_seconds: float | None = None
    erase: Sequence[Path] = ()

    def spec(self) -> dict[str, object]:
        """The program in the form in which a guard reads it: plain values."""
        return {
            "argv": list(self.argv),
            "env": dict(self.env),
            "cwd": str(self.cwd),
            "user": None if self.user is None else list(self.user),
            "stop": [[int(step.signal), step.seconds] for step in self.stop_steps],
            "respawn_seconds": self.respawn_seconds,
            "erase": [str(path) for path in self.erase],
            "parent": os.getpid(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardEvent:
    """`pid`: the program was started as process `number`. `exit`: it ended with code `number`."""

    kind: str
    number: int


class Guarded:
    """A running guard. Only the process that started it can end it, not a forked copy of that process."""

    def __init__(self, *, program: Program, process: subprocess.Popen[bytes], holder: int) -> None:
        self.name = program.name
        self._longest_stop_seconds = sum(step.seconds for step in program.stop_steps)
        self._process = process
        self._holder = holder
        self._unread = b""
        self.pid: int | None = None

    @classmethod
    def start(cls, program: Program, *, output: IO[bytes] | int | None = None) -> Self:
        """Starts the guard, which starts the program. The program writes to `output`, or to our standard error."""
        process = subprocess.Popen(  # noqa: S603 - our own script
            [sys.executable, "-I", "-S", str(GUARD_SCRIPT), str(os.getpid()), str(program.cwd)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            cwd="/",
            start_new_session=True,
            bufsize=0,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        guarded = cls(program=program, process=process, holder=os.getpid())
        try:
            packed = marshal.dumps(program.spec())
            rest = memoryview(len(packed).to_bytes(4, "big") + packed)
            while rest:
                # A signal can end a write to a pipe early.
                rest = rest[process.stdin.write(rest) :]
        except BrokenPipeError as error:
            guarded.stop()
            raise Unavailable(part=program.name, problem="its guard ended at once") from error
        return guarded

    @property
    def alive(self) -> bool:
        """True while the guard lives, which includes the pause before a new start of the program."""
        return self._process.poll() is None

    def fileno(self) -> int:
        """The descriptor that is readable when there are events or the guard has ended."""
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def events(self, *, wait_seconds: float = 0.0) -> list[GuardEvent]:
        """The events since the last call, oldest first; waits up to `wait_seconds` for the first one."""
        if self._process.stdout is None or self._process.stdout.closed:
            return []
        readable, _, _ = select.select([self.fileno()], [], [], wait_seconds)
        if not readable:
            return []
        with contextlib.suppress(BlockingIOError):
            self._unread += os.read(self.fileno(), 65536)
        *lines, self._unread = self._unread.split(b"\n")
        found = []
        for line in lines:
            kind, _, number = line.decode().partition(" ")
            found.append(GuardEvent(kind=kind, number=int(number)))
            if kind == "pid":
                self.pid = int(number)
        return found

    def ask_to_stop(self) -> None:
        """Tells the guard to stop the program; returns at once, so that several can stop together."""
        if os.getpid() != self._holder or self._process.stdin is None or self._process.stdin.closed:
            return
        with contextlib.suppress(OSError):
            self._process.stdin.write(b"stop\n")
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def stop(self) -> int | None:
        """Stops the program and its guard. Returns the exit code; None in a forked copy of the process."""
        if os.getpid() != self._holder:
            return None
        self.ask_to_stop()
        try:
            code = self._process.wait(self._longest_stop_seconds + 5.0)
        except subprocess.TimeoutExpired:
            # The guard hangs: at its death the kernel signals the program.
            self._process.kill()
            code = self._process.wait()
        if code < 0:
            self.events()
            self._kill_leftover()
        if self._process.stdout is not None:
            self._process.stdout.close()
        return code

    def _kill_leftover(self) -> None:
        """Ends a program whose guard was killed: the kernel has sent it the first stop signal, and it gets time to end
        before SIGKILL.
        """
        if self.pid is None:
            return
        deadline = time.monotonic() + min(self._longest_stop_seconds, 10.0)
        while time.monotonic() < deadline:
            try:
                os.killpg(self.pid, 0)
            except (ProcessLookupError, PermissionError):
                return
            select.select([], [], [], 0.05)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
