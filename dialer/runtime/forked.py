"""Processes that begin as copies of this one, so that imported modules are in memory once for all of them: `dialer up`
at rest held 380 MB, and 494 MB with every process started anew. A copy behaves as a program of its own, with its own
session, environment, title, signals and end.

Only for a process of one thread on Linux; others start new programs.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final, NoReturn

import setproctitle

from dialer.runtime.guard import HANDLED, LAST_DESCRIPTOR, end_with

POSSIBLE: Final = sys.platform == "linux"
_FAILED, _INTERRUPTED, _EXIT_CODES = 1, 130, 0xFF


def fill_standard() -> None:
    """Standard files that were closed at the start are null devices, so that no other file takes their number."""
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


def fork(run: Callable[[], int], *, stdin: int | None = None, stdout: int | None = None) -> int:
    """The number of a copy of this process that runs `run` and exits with its result. `stdin`, `stdout`: its
    standard files, else ours.
    """
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        # Inherited from the process that started us; with it the kernel would keep no exit codes.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _flush()
    # Signals wait, so that one for the copy does not reach the handlers of the parent.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
    try:
        pid = os.fork()
        if pid == 0:
            _go_on(run, (0 if stdin is None else stdin, 1 if stdout is None else stdout, 2))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return pid


def _go_on(run: Callable[[], int], standard: tuple[int, int, int]) -> NoReturn:
    code = _FAILED
    try:
        # Copies above 2 first, so that none is overwritten before its turn.
        for number, descriptor in enumerate([os.dup(each) for each in standard]):
            os.dup2(descriptor, number)
        code = run()
    except BaseException:  # noqa: BLE001 - no exception may continue in the code of the parent
        traceback.print_exc()
    finally:
        _flush()
        os._exit(code)


def output_of(run: Callable[[], object], *, argv: Sequence[str], env: Mapping[str, str]) -> tuple[int, bytes]:
    """The exit code and the standard output of `argv`, run by a copy of this process that the kernel ends with us."""
    parent = os.getpid()

    def enter() -> NoReturn:
        end_with(parent, signal.SIGKILL)
        be_program(run, argv=argv, env=env)

    reader, writer = os.pipe()
    pid = fork(enter, stdout=writer)
    os.close(writer)
    try:
        with os.fdopen(reader, "rb") as file:
            output = file.read()
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), output


def be_program(run: Callable[[], object], *, argv: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    """This process, a new copy, continues as the program `argv`, which runs `run`. It has that title before the last of
    its other open files closes, which tells a guard that the program runs.
    """
    code = _FAILED
    try:
        # First: the title overwrites the arguments and the environment of the process.
        setproctitle.setproctitle(" ".join(argv))
        os.environ.clear()
        os.environ.update(env)
        os.closerange(3, LAST_DESCRIPTOR)
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


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            if stream is not None:
                stream.flush()


def settle() -> None:
    """The garbage collector ignores everything that exists now. Called once, after start-up.

    Modules, routes and statements are hundreds of thousands of permanent objects, and a full collection would stop
    every request while it visits them. Copies of a process share memory that is not visited: without this `dialer up`
    at rest holds 496 MB instead of 380 MB.
    """
    gc.collect()
    gc.freeze()
