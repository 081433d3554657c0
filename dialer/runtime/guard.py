"""The guard: one process that runs the programs of another one, its holder, and ends them when the holder is gone.

It is a copy of the holder, or runs as a script outside of any package, so it uses the standard library alone. A holder
(guarded.py) sends it each program with a socket of the program's own, on which the guard says `pid N` and
`exit CODE PAUSE` (seconds until the next start). It ends a program by the given steps, at last by SIGKILL, as soon as
that socket has anything or its end; and all of them when its standard input ends, the holder is no longer its parent,
or SIGTERM arrives. Programs are its children, so no number that it signals is another process's. If the guard itself is
killed, the kernel sends each program its first stop signal (on Linux).
"""

from __future__ import annotations

import ctypes
import fcntl
import marshal
import math
import os
import select
import shutil
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

HANDLED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
LAST_DESCRIPTOR: Final = 1 << 20
LENGTH_BYTES: Final = 4
"""A message to the guard: so many bytes that say how long it is, big end first, and a marshalled specification."""
_PR_SET_PDEATHSIG = 1
_HOLDER_CHECK_SECONDS = 1.0
_SETTLED_SECONDS = 60.0
_NOT_RUN = 127


def end_with(parent: int, number: int) -> None:
    """The kernel sends this process the signal `number` when `parent`, from which it was forked, is gone (on Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(126)


class _Guarded:
    """One program. `enter`: what one does that is a copy of the guard; it does not return."""

    def __init__(
        self, spec: dict[str, Any], link: socket.socket, enter: Callable[[dict[str, Any]], NoReturn] | None
    ) -> None:
        self._spec = spec
        self._link = link
        self._enter = enter
        self._steps: list[tuple[int, float]] = spec["stop"]
        self._pause: float = spec["first_pause"]
        self._pid = 0
        self._became: int | None = None
        self._lock: int | None = None
        self._started = 0.0
        self._is_stopping = False
        self.due = 0.0
        """When it is started again, or its end takes the next step."""

    def sources(self) -> list[socket.socket | int]:
        """What it waits for."""
        link = [] if self._is_stopping else [self._link]
        return [*link, *([] if self._became is None else [self._became])]

    def stop(self) -> None:
        """Its end begins. Another guard may keep it from now on."""
        if not self._is_stopping:
            self._is_stopping, self.due = True, time.monotonic()
            if self._lock is not None:
                os.close(self._lock)

    def tend(self, ready: Collection[socket.socket | int]) -> bool:
        """Does what is due. False: it is gone for good."""
        now = time.monotonic()
        if self._link in ready:
            self.stop()
        if self._became in ready:
            self._report()
        if self._pid and os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            self._collect(now)
        if self._is_stopping and not self._pid:
            self._finish()
            return False
        if now >= self.due:
            if self._is_stopping:
                number, seconds = self._steps.pop(0) if self._steps else (signal.SIGKILL, math.inf)
                self.due = now + seconds
                os.kill(self._pid, number)
            else:
                self._start(now)
        return True

    def _start(self, now: float) -> None:
        self._started, self.due = now, math.inf
        # Until the child is the program, a signal to it must wait instead of reaching the handlers of the guard.
        signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
        try:
            if self._spec["lock"] and self._lock is None:
                self._lock = _locked(self._spec["lock"])
            self._fork()
        except OSError as error:
            self._complain(error)
            self._ended(_NOT_RUN, now)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)

    def _fork(self) -> None:
        # The child's end closes when it is the program or has failed: only then is its number reported.
        became, becoming = os.pipe()
        guard = os.getpid()
        try:
            self._pid = os.fork()
            if self._pid == 0:
                self._become(guard)
        except OSError:
            os.close(became)
            raise
        finally:
            os.close(becoming)
        self._became = became

    def _become(self, guard: int) -> NoReturn:
        """The forked child becomes the program; a failure is written to its errors and ends it with 127."""
        spec = self._spec
        try:
            os.setsid()
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            if spec["log"]:
                os.dup2(
                    os.open(spec["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600), 2
                )
            os.dup2(2, 1)
            if spec["user"]:
                os.setgroups([])
                os.setgid(spec["user"][1])
                os.setuid(spec["user"][0])
            os.umask(0o077)
            signal.set_wakeup_fd(-1)
            for number in (*HANDLED, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            # After the change of user, which clears it.
            end_with(guard, self._steps[0][0])
            os.chdir(spec["cwd"])
            if self._enter and spec["is_copy"]:
                self._enter(spec)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
            os.execve(spec["argv"][0], spec["argv"], spec["env"])  # noqa: S606 - a guard runs the given program
        except OSError as error:
            self._complain(error)
        finally:
            os._exit(_NOT_RUN)

    def _complain(self, error: OSError) -> None:
        os.write(2, f"guard: cannot run {self._spec['argv'][0]}: {error.strerror}\n".encode())

    def _report(self) -> None:
        if self._became is not None:
            os.close(self._became)
            self._became = None
            self._say(f"pid {self._pid}")

    def _collect(self, now: float) -> None:
        """Ends the rest of its group, whose number is safe while the program is not yet collected."""
        self._report()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, signal.SIGKILL)
        _, status = os.waitpid(self._pid, 0)
        self._ended(os.waitstatus_to_exitcode(status), now)

    def _ended(self, code: int, now: float) -> None:
        self._pid = 0
        if now - self._started > _SETTLED_SECONDS:
            self._pause = self._spec["first_pause"]
        self.due = now + self._pause
        self._say(f"exit {code} {self._pause}")
        self._pause = min(2 * self._pause, self._spec["longest_pause"])

    def _finish(self) -> None:
        for path in map(Path, self._spec["erase"]):
            shutil.rmtree(path, ignore_errors=True)
            with suppress(OSError):
                path.parent.rmdir()
        self._link.close()

    def _say(self, line: str) -> None:
        with suppress(OSError):
            self._link.send(f"{line}\n".encode())


class _Guard:
    """All programs of one holder. `control`: the socket on which they come."""

    def __init__(
        self,
        control: socket.socket,
        *,
        holder: int,
        enter: Callable[[dict[str, Any]], NoReturn] | None,
    ) -> None:
        self._control = control
        self._holder = holder
        self._enter = enter
        self._unread = b""
        self._links: list[int] = []
        self._programs: list[_Guarded] = []
        self._is_ending = False
        self._wake = _wake_pipe()

    def run(self) -> None:
        """Returns when the holder is gone or needs no guard any more, and no program is left."""
        while self._programs or not self._is_ending:
            ready = self._wait()
            if self._must_end(ready):
                self._is_ending = True
                for program in self._programs:
                    program.stop()
            self._programs = [program for program in self._programs if program.tend(ready)]

    def _wait(self) -> Collection[socket.socket | int]:
        sources: list[socket.socket | int] = [self._wake, *([] if self._is_ending else [self._control])]
        for program in self._programs:
            sources += program.sources()
        due = min((program.due for program in self._programs), default=math.inf)
        left = max(0.0, min(_HOLDER_CHECK_SECONDS, due - time.monotonic()))
        return select.select(sources, [], [], left)[0]

    def _must_end(self, ready: Collection[socket.socket | int]) -> bool:
        told = self._wake in ready and any(number != signal.SIGCHLD for number in os.read(self._wake, 64))
        ended = self._control in ready and not self._receive()
        return told or ended or os.getppid() != self._holder

    def _receive(self) -> bool:
        """Every program that came whole is kept. False: no more will come."""
        received, links, _, _ = socket.recv_fds(self._control, 65536, 16)
        self._unread += received
        for link in links:
            os.set_inheritable(link, False)
            self._links.append(link)
        while len(self._unread) >= (start := LENGTH_BYTES):
            end = start + int.from_bytes(self._unread[:start], "big")
            if len(self._unread) < end:
                break
            spec = marshal.loads(self._unread[start:end])  # noqa: S302 - written by the holder
            connection = socket.socket(fileno=self._links.pop(0))
            connection.setblocking(False)
            self._programs.append(_Guarded(spec, connection, self._enter))
            self._unread = self._unread[end:]
        return bool(received)


def _locked(path: str) -> int:
    """Held until it is closed or this process is gone. Raises BlockingIOError."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        raise
    return file


def _wake_pipe() -> int:
    """The reading end of a pipe into which every caught signal's number is written."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in HANDLED:
        signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
    return reader


def keep(holder: int, enter: Callable[[dict[str, Any]], NoReturn] | None = None) -> int:
    """This process, a child of `holder` with the socket as its standard input, is its guard until it has nothing to do.
    `enter`: what a program that is a copy of this process does.
    """
    os.setsid()
    os.chdir("/")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.closerange(3, LAST_DESCRIPTOR)
    _Guard(socket.socket(fileno=0), holder=holder, enter=enter).run()
    return 0


if __name__ == "__main__":
    sys.exit(keep(int(sys.argv[1])))
