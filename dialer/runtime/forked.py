"""Processes that are forked from this one, so that imported modules are in memory once for all of them: an idle `dialer
up` takes 380 MB, and 494 MB with every process started anew. A copy behaves as a program of its own, with its own
session, environment, title, signals and end.

Only for a process of one thread, on Linux; elsewhere new programs are started.
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

from dialer.runtime.guarding import HANDLED

CAN_FORK: Final = sys.platform == "linux"
_FAILED, _INTERRUPTED, _EXIT_CODES = 1, 130, 0xFF
_PR_SET_PDEATHSIG = 1
_LAST_DESCRIPTOR = 1 << 20


class Forked:
    """A forked process, with the part of `subprocess.Popen` that a guard needs. `stdin` and `stdout` are our ends of
    the pipes to its standard input and output.
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
        """Waits for the end of the process; returns its exit code. Raises `subprocess.TimeoutExpired`."""
        deadline = None if timeout is None else time.monotonic() + timeout
        pause = 0.001
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() >= deadline:
                raise subprocess.TimeoutExpired("fork", timeout or 0.0)
            time.sleep(pause)
            pause = min(2 * pause, 0.05)
        return code

    def kill(self) -> None:
        """Ends the process at once if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


def fill_standard() -> None:
    """Opens the null device for each standard file that was closed at the start, so that no other file takes its
    number.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
        if getattr(sys, name) is None:
            stream = open(number, "w" if number else "r", encoding="utf-8", closefd=False)  # noqa: SIM115 - stays open
            setattr(sys, name, stream)


def fork(run: Callable[[], int], *, stderr: int | None = None, in_our_session: bool = False) -> Forked:
    """Starts a copy of this process that runs `run` and exits with its result. The copy has no open files but the
    standard ones. `stderr`: the descriptor of its standard error; None: ours. It has a session of its own unless
    `in_our_session`: then the kernel kills it when this process ends.
    """
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        # Inherited from the process that started us; with it the kernel would keep no exit codes.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    stdin, stdin_writer = os.pipe()
    stdout_reader, stdout = os.pipe()
    parent = os.getpid()
    _flush()
    with _signals_blocked():
        pid = os.fork()
        if pid == 0:
            standard = (stdin, stdout, 2 if stderr is None else stderr)
            _run_copy(run, standard, parent=parent if in_our_session else None)
    os.close(stdin)
    os.close(stdout)
    return Forked(pid, stdin=os.fdopen(stdin_writer, "wb", 0), stdout=os.fdopen(stdout_reader, "rb", 0))


def _run_copy(run: Callable[[], int], standard: tuple[int, int, int], *, parent: int | None) -> NoReturn:
    code = _FAILED
    try:
        if parent is None:
            os.setsid()
        else:
            _end_with(parent)
        # Copies above 2 first, so that none is overwritten before its turn.
        for number, descriptor in enumerate([os.dup(each) for each in standard]):
            os.dup2(descriptor, number)
        os.closerange(3, _LAST_DESCRIPTOR)
        code = run()
    except BaseException:  # noqa: BLE001 - no exception may continue in the code of the parent
        traceback.print_exc()
    finally:
        _flush()
        os._exit(code)


def _end_with(parent: int) -> None:
    import ctypes  # noqa: PLC0415 - a megabyte, needed here only

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(_FAILED)


def output_of(run: Callable[[], object], *, argv: Sequence[str], env: Mapping[str, str]) -> tuple[int, bytes]:
    """The exit code and the standard output of `argv`, run by a copy of this process."""

    def enter() -> NoReturn:
        become_program(run, argv=argv, env=env)

    copy = fork(enter, in_our_session=True)
    try:
        with copy.stdin, copy.stdout:
            output = copy.stdout.read()
        return copy.wait(), output
    except BaseException:
        copy.kill()
        copy.wait()
        raise


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Blocks signals, so that one for the copy does not reach the handlers of the parent."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def become_program(run: Callable[[], object], *, argv: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    """Turns this process, a new copy, into the program `argv`, which runs `run`. Its title is set before the last of
    its other open files closes; that close tells a guard that the program runs.
    """
    code = _FAILED
    try:
        # First: the title overwrites the arguments and the environment of the process.
        set_process_title(" ".join(argv))
        os.environ.clear()
        os.environ.update(env)
        os.closerange(3, _LAST_DESCRIPTOR)
        # As at the start of the interpreter.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
        code = _code_of(run)
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - as at the end of the interpreter
        atexit._run_exitfuncs()  # noqa: SLF001 - as at the end of the interpreter
    except BaseException:  # noqa: BLE001 - no exception may continue in the code of the parent
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


def set_process_title(title: str) -> None:
    """Sets the title of this process in the process list."""
    setproctitle.setproctitle(title)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            if stream is not None:
                stream.flush()


def freeze_startup_objects() -> None:
    """Excludes everything that exists now from garbage collection. Called once, after start-up.

    Modules, routes and statements are hundreds of thousands of permanent objects, and a full collection would stop
    every request while it visits them. Copies of a process share memory that is not visited: without this an idle
    `dialer up` takes 496 MB instead of 380 MB.
    """
    gc.collect()
    gc.freeze()
    if CAN_FORK:
        import ctypes  # noqa: PLC0415 - a megabyte, needed here only

        # Returns memory that the start has freed to the system; not every C library can do it.
        with suppress(AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
