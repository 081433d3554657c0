"""Processes that begin as copies of this one: what it has imported is in memory once for all of them, and is not
imported again: `dialer up` at rest holds 380 MB, and 494 with every process started anew. A copy behaves as a program
of its own: own session, environment, title, signals, and end.

For a process of one thread on Linux; others start programs anew.

What a process has built up by the time it begins its work stays: the garbage collector need not walk it again.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Final, NoReturn

import setproctitle

POSSIBLE: Final = sys.platform == "linux"
_HELD = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
_FAILED, _INTERRUPTED, _EXIT_CODES = 1, 130, 0xFF
_PR_SET_PDEATHSIG = 1
_LAST_DESCRIPTOR = 1 << 20


class Forked:
    """A forked process, as much of `subprocess.Popen` as a guard's holder needs. What is written to `stdin` it reads,
    and what it writes to its standard output is read from `stdout`.
    """

    def __init__(self, pid: int, *, stdin: IO[bytes], stdout: IO[bytes]) -> None:
        self.pid = pid
        self.stdin = stdin
        self.stdout = stdout
        self._code: int | None = None

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """Raises `subprocess.TimeoutExpired`."""
        deadline = None if timeout is None else time.monotonic() + timeout
        pause = 0.001
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() >= deadline:
                raise subprocess.TimeoutExpired("fork", timeout or 0.0)
            time.sleep(pause)
            pause = min(2 * pause, 0.05)
        return code

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


def fill_standard() -> None:
    """Whatever of the three standard files was closed at the start leads nowhere; no other file takes its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115


def fork(run: Callable[[], int], *, stderr: int | None = None, in_our_session: bool = False) -> Forked:
    """A copy of this process that ends with what `run` returns; of open files it has the three standard ones alone.
    `stderr`: where its errors go; None: to ours. It is in a session of its own; or else in ours, and the kernel ends it
    with us.
    """
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        # Whoever started us asked for it, and the kernel would keep no exit codes.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    asked, asking = os.pipe()
    telling, told = os.pipe()
    parent = os.getpid()
    _flush()
    with _held():
        pid = os.fork()
        if pid == 0:
            standard = (asked, told, 2 if stderr is None else stderr)
            _go_on(run, standard, parent=parent if in_our_session else None)
    os.close(asked)
    os.close(told)
    return Forked(pid, stdin=os.fdopen(asking, "wb", 0), stdout=os.fdopen(telling, "rb", 0))


def _go_on(run: Callable[[], int], standard: tuple[int, int, int], *, parent: int | None) -> NoReturn:
    code = _FAILED
    try:
        if parent is None:
            os.setsid()
        else:
            _end_with(parent)
        # Away from 0 to 2 first, so that none is overwritten before its turn.
        for number, descriptor in enumerate([os.dup(each) for each in standard]):
            os.dup2(descriptor, number)
        os.closerange(3, _LAST_DESCRIPTOR)
        code = run()
    except BaseException:  # noqa: BLE001 - nothing of it may go back into what the parent was doing
        traceback.print_exc()
    finally:
        _flush()
        os._exit(code)


def _end_with(parent: int) -> None:
    # Only where it is needed: it is a megabyte.
    import ctypes  # noqa: PLC0415

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(_FAILED)


def told_by(run: Callable[[], object], *, argv: Sequence[str], env: Mapping[str, str]) -> tuple[int, bytes]:
    """The exit code of `argv`, done by a copy of this process, and what it wrote to its standard output."""

    def enter() -> NoReturn:
        be_program(run, argv=argv, env=env)

    copy = fork(enter, in_our_session=True)
    try:
        with copy.stdin, copy.stdout:
            said = copy.stdout.read()
        return copy.wait(), said
    except BaseException:
        copy.kill()
        copy.wait()
        raise


@contextmanager
def _held() -> Iterator[None]:
    """A signal meant for the copy must not reach handlers that are the parent's."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def be_program(run: Callable[[], object], *, argv: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    """This process, a fresh copy, goes on as if `argv` had been started: `run` is what that program does. It is called
    so before the last of its other open files closes, which is how a guard learns that it is there.
    """
    code = _FAILED
    try:
        # First: the title takes the place of the arguments and the environment that the process began with.
        be_called(" ".join(argv))
        os.environ.clear()
        os.environ.update(env)
        os.closerange(3, _LAST_DESCRIPTOR)
        # As the interpreter has them when it begins.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD)
        code = _code_of(run)
        # As the interpreter does when it ends.
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001
        atexit._run_exitfuncs()  # noqa: SLF001
    except BaseException:  # noqa: BLE001 - as above
        traceback.print_exc()
    finally:
        _flush()
        os._exit(code)


def _code_of(run: Callable[[], object]) -> int:
    try:
        run()
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return (end.code or 0) & _EXIT_CODES
        print(end.code, file=sys.stderr)  # noqa: T201 - as the interpreter does
        return _FAILED
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BaseException:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
        return _FAILED
    return 0


def be_called(title: str) -> None:
    """What the list of processes shows for this one."""
    setproctitle.setproctitle(title)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            if stream is not None:
                stream.flush()


def settle() -> None:
    """Everything that exists now is left out of every later collection; called once, between starting and working.

    Modules, routes and statements are some hundreds of thousands of objects that never go, and a whole collection
    halts every request for as long as it takes to look at each of them. Copies of a process share what is never looked
    at: without it `dialer up` at rest holds 496 MB instead of 380.
    """
    gc.collect()
    gc.freeze()
