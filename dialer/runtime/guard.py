"""Runs one program for as long as the process that asked for it lives.

It is run as a script, `python -I -S guard.py PARENT FOLDER`, outside of any package, so it uses only the standard
library, and little of that. The arguments identify it in the process list. It reads what to run, starts the program in
a session of its own, and ends it by the given steps as soon as standard input has a line or ends, or the parent is
another process than at the start (it was killed), or SIGTERM arrives. If the guard itself is killed, the kernel sends
the program its first stop signal. It writes `pid N` and `exit N` lines to standard output and exits when the program is
gone.
"""

from __future__ import annotations

import marshal
import os
import select
import sys
import time

# As in `typing`, which is not imported: a guard takes little memory.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from typing import Any, NoReturn
else:
    # Without the enumerations of `signal`, which would be the larger half of a guard.
    import _signal as signal

_PR_SET_PDEATHSIG = 1
HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
_PARENT_CHECK_MS = 1000
_SETTLED_SECONDS = 30.0
_LONGEST_PAUSE_SECONDS = 5.0


class Guard:
    """One program and the pipes that end it."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self._argv: list[str] = spec["argv"]
        self._env: dict[str, str] = spec["env"]
        self._cwd: str = spec["cwd"]
        self._user: list[int] | None = spec["user"]
        self._stop_steps: list[tuple[int, float]] = [
            (int(number), float(wait)) for number, wait in spec["stop"]
        ]
        self._respawn_seconds: float | None = spec["respawn_seconds"]
        self._erase: list[str] = spec["erase"]
        self._parent: int = spec["parent"]
        self._pid = 0
        self._wake = _wake_pipe()

    def exit_code(self) -> int:
        """Runs the program until it has ended for good. Returns the exit code of the guard: that of the program, as a
        shell gives it.
        """
        code = self._run()
        return code if code >= 0 else 128 - code

    def _run(self) -> int:
        pause = self._respawn_seconds or 0.0
        while True:
            started = time.monotonic()
            self._spawn()
            code = self._wait(None)
            asked_to_stop = code is None
            if code is None:
                code = self._stop()
            _report(f"exit {code}")
            if asked_to_stop or self._respawn_seconds is None:
                break
            if time.monotonic() - started > _SETTLED_SECONDS:
                pause = self._respawn_seconds
            if self._must_end(pause):
                break
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        for path in self._erase:
            _erase(path)
        return code

    def _spawn(self) -> None:
        guard = os.getpid()
        # Until the child is the program, a signal to it must wait instead of reaching the handlers of the guard.
        signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
        became, becoming = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            self._become(guard)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
        # The child's end closes when it is the program or has failed: only then is its number reported.
        os.close(becoming)
        os.read(became, 1)
        os.close(became)
        _report(f"pid {self._pid}")

    def _become(self, guard: int) -> NoReturn:
        """The forked child becomes the program; a failure is written to standard error and ends it with 127."""
        # Before the change of user, who may not be able to read the library.
        import ctypes

        try:
            os.setsid()
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(2, 1)
            if self._user is not None:
                os.setgroups([])
                os.setgid(self._user[1])
                os.setuid(self._user[0])
            os.umask(0o077)
            signal.set_wakeup_fd(-1)
            for number in (*HANDLED, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            # After the change of user, which clears it; and the guard may have died before it was set.
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, self._stop_steps[0][0], 0, 0, 0)
            if os.getppid() != guard:
                os._exit(126)
            os.chdir(self._cwd)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
            os.execve(self._argv[0], self._argv, self._env)  # noqa: S606 - a guard runs the given program
        except OSError as error:
            os.write(2, f"guard: cannot run {self._argv[0]}: {error.strerror}\n".encode())
        os._exit(127)

    def _wait(self, seconds: float | None) -> int | None:
        """The exit code, or None when the time is up or (without a time) when the program must end."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            if os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                return self._reap()
            if deadline is None:
                if self._must_end(_PARENT_CHECK_MS / 1000):
                    return None
                continue
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self._sleep(min(left, 0.25))

    def _stop(self) -> int:
        code: int | None = None
        for number, seconds in self._stop_steps:
            self._signal(number)
            code = self._wait(seconds)
            if code is not None:
                break
        if code is None:
            self._signal(signal.SIGKILL)
            os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOWAIT)
            code = self._reap()
        return code

    def _reap(self) -> int:
        """Ends the rest of the group, whose number is safe while the program is not yet collected; the exit code."""
        try:
            os.killpg(self._pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        _, status = os.waitpid(self._pid, 0)
        return os.waitstatus_to_exitcode(status)

    def _signal(self, number: int) -> None:
        try:
            os.kill(self._pid, number)
        except ProcessLookupError:
            pass

    def _must_end(self, seconds: float) -> bool:
        if os.getppid() != self._parent:
            return True
        readable, _, _ = select.select([0, self._wake], [], [], seconds)
        if 0 in readable:
            return True
        return self._wake in readable and any(number != signal.SIGCHLD for number in os.read(self._wake, 64))

    def _sleep(self, seconds: float) -> None:
        readable, _, _ = select.select([self._wake], [], [], seconds)
        if readable:
            os.read(self._wake, 64)


def _erase(path: str) -> None:
    """Deletes the folder, and its parent if that is empty."""
    import shutil

    shutil.rmtree(path, ignore_errors=True)
    try:
        os.rmdir(os.path.dirname(path))  # noqa: PTH106, PTH120 - pathlib would double the start-up time
    except OSError:
        pass


def _wake_pipe() -> int:
    """The reading end of a pipe into which every caught signal's number is written."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in HANDLED:
        signal.signal(number, _ignore_signal)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    return reader


def _ignore_signal(_number: int, _frame: object) -> None:
    """Does nothing: the wake-up pipe has the number already."""


def _report(line: str) -> None:
    try:
        os.write(1, f"{line}\n".encode())
    except OSError:
        pass


def _read_spec() -> dict[str, Any]:
    """The specification that the parent, the same Python, wrote after its length in four bytes. Anything after it is a
    request to stop and must stay in the pipe.
    """
    length = int.from_bytes(_read(4), "big")
    spec: dict[str, Any] = marshal.loads(_read(length))  # noqa: S302 - written by the parent
    return spec


def _read(count: int) -> bytes:
    got = b""
    while len(got) < count:
        piece = os.read(0, count - len(got))
        if not piece:
            sys.exit(0)
        got += piece
    return got


def run() -> int:
    """Runs the guard that standard input specifies; returns its exit code."""
    os.set_blocking(1, False)
    return Guard(_read_spec()).exit_code()


if __name__ == "__main__":
    sys.exit(run())
