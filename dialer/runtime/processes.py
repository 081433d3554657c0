"""The processes that this one keeps. The kernel ends them with it.

Most are forked from `dialer up`, so that imported modules are in memory once for all of them: an idle service takes 380
MB, and 494 MB with every process started anew. A copy behaves as a program of its own, with its own session,
environment, title, signals and end. Only a process of one thread may make copies.
"""

from __future__ import annotations

import atexit
import gc
import os
import select
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from typing import NoReturn, Self

import setproctitle

_HANDLED = (Signals.SIGTERM, Signals.SIGINT, Signals.SIGHUP, Signals.SIGCHLD)
_FAILED, _INTERRUPTED, _EXIT_CODES = 1, 130, 0xFF
_PR_SET_PDEATHSIG = 1
_LAST_DESCRIPTOR = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program to start. `env` is its whole environment, `user` a (uid, gid) that it runs as, for root only.

    `stop_steps`: the signals that end it and how many seconds each has, before SIGKILL. `last_signal`: what the kernel
    sends it when this process ends. `run`: the function that `argv` runs, if it is to be a copy of this process.
    """

    argv: Sequence[str]
    env: Mapping[str, str]
    stop_steps: Sequence[tuple[Signals, float]]
    last_signal: Signals = Signals.SIGKILL
    folder: Path = Path("/")
    user: tuple[int, int] | None = None
    run: Callable[[], object] | None = None


class ChildProcess:
    """A process in a session of its own, which the kernel ends when this process ends. Only the process that started it
    can end it, not a copy of that process.
    """

    def __init__(self, pid: int, stop_steps: Sequence[tuple[Signals, float]]) -> None:
        self.pid = pid
        self._end = os.pidfd_open(pid)
        self._stop_steps = stop_steps
        self._keeper = os.getpid()
        self._code: int | None = None

    @classmethod
    def start(cls, program: Program, *, output: int | None) -> Self:
        """Starts the program, which writes to `output`, or to our standard error.

        Call it in the main thread: the kernel takes the end of the calling thread for that of this process.
        """
        said = 2 if output is None else output
        if program.run is None:
            return cls(_spawn(program, said), program.stop_steps)
        with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a descriptor
            standard = (nothing.fileno(), said, said)
            pid = _fork(program.run, argv=program.argv, env=program.env, standard=standard, own_session=True)
        return cls(pid, program.stop_steps)

    def fileno(self) -> int:
        """The descriptor that is readable when the process has ended."""
        return self._end

    def has_ended(self, *, wait_seconds: float = 0.0) -> bool:
        """Whether the process has ended, by itself or by `stop`; waits so long for it."""
        return self._code is not None or bool(select.select([self._end], [], [], wait_seconds)[0])

    def ask_to_stop(self) -> None:
        """Sends the first signal and returns at once, so that several can stop together."""
        if os.getpid() == self._keeper and self._code is None:
            os.kill(self.pid, self._stop_steps[0][0])

    def stop(self) -> int | None:
        """Ends the process and what is left of its group. Returns the exit code, negative for a signal; None in a copy
        of the process that started it.
        """
        if os.getpid() != self._keeper:
            return None
        if self._code is None:
            for number, seconds in self._stop_steps:
                os.kill(self.pid, number)
                if self.has_ended(wait_seconds=seconds):
                    break
            # The number of the group is safe while the process is not yet collected.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            _, status = os.waitpid(self.pid, 0)
            os.close(self._end)
            self._code = os.waitstatus_to_exitcode(status)
        return self._code


# The kernel forgets the signal when the user changes, not when the program does; and this process may have ended before
# it was set. The library is loaded before the change of user, who may not be able to read it.
_LAUNCH = """
import ctypes, os, signal, sys
parent, last_signal, uid, gid, folder, *argv = sys.argv[1:]
prctl = ctypes.CDLL(None).prctl
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
os.umask(0o077)
try:
    os.chdir(folder)
    if uid:
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    prctl(1, int(last_signal), 0, 0, 0)
    if os.getppid() != int(parent):
        os._exit(126)
    os.execv(argv[0], argv)
except OSError as error:
    os.write(2, f"cannot run {argv[0]}: {error.strerror}\\n".encode())
os._exit(127)
"""


def _spawn(program: Program, output: int) -> int:
    """Starts the program in a session of its own, ended by the kernel with this thread; its number."""
    uid, gid = program.user or ("", "")
    told = (os.getpid(), int(program.last_signal), uid, gid, program.folder)
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-S", "-c", _LAUNCH, *map(str, told), *program.argv],
        program.env,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, output, 1),
            (os.POSIX_SPAWN_DUP2, output, 2),
        ],
        setsid=True,
        setsigmask=[],
        setsigdef=[*_HANDLED, signal.SIGPIPE],
    )


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


def _fork(
    run: Callable[[], object],
    *,
    argv: Sequence[str],
    env: Mapping[str, str],
    standard: tuple[int, int, int],
    own_session: bool,
) -> int:
    """Starts a copy of this process that runs `run` as the program `argv` and that the kernel ends with this process.
    Returns its number once it has its title. It has no open files but the three `standard` ones.
    """
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        # Inherited from the process that started us; with it the kernel would keep no exit codes.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    became, becoming = os.pipe()
    parent = os.getpid()
    _flush()
    with _signals_blocked():
        pid = os.fork()
        if pid == 0:
            _become_program(run, argv, env, standard, parent=parent, own_session=own_session)
    os.close(becoming)
    # The other end closes when the copy has its title, or has failed.
    os.read(became, 1)
    os.close(became)
    return pid


def _become_program(
    run: Callable[[], object],
    argv: Sequence[str],
    env: Mapping[str, str],
    standard: tuple[int, int, int],
    *,
    parent: int,
    own_session: bool,
) -> NoReturn:
    """Turns this process, a new copy, into the program `argv`, which runs `run`."""
    code = _FAILED
    try:
        _end_with(parent)
        if own_session:
            os.setsid()
            os.umask(0o077)
        # Copies above 2 first, so that none is overwritten before its turn.
        for number, descriptor in enumerate([os.dup(each) for each in standard]):
            os.dup2(descriptor, number)
        # Before the environment: the title overwrites the arguments and the environment of the process.
        setproctitle.setproctitle(" ".join(argv))
        os.closerange(3, _LAST_DESCRIPTOR)
        os.environ.clear()
        os.environ.update(env)
        # As at the start of the interpreter.
        for number in _HANDLED:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDLED)
        code = _code_of(run)
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - as at the end of the interpreter
        atexit._run_exitfuncs()  # noqa: SLF001 - as at the end of the interpreter
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
    """The exit code and the standard output of `argv`, run by a copy of this process in our session."""
    reader, writer = os.pipe()
    with open(reader, "rb", 0) as said, open(os.devnull, "rb") as nothing:  # noqa: PTH123 - descriptors
        with open(writer, "wb", 0) as writing:  # noqa: PTH123 - a descriptor
            standard = (nothing.fileno(), writing.fileno(), 2)
            pid = _fork(run, argv=argv, env=env, standard=standard, own_session=False)
        try:
            output = said.read()
        except BaseException:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), output


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Blocks signals, so that one for the copy does not reach the handlers of the parent."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


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


def freeze_startup_objects() -> None:
    """Excludes everything that exists now from garbage collection. Called once, after start-up.

    Modules, routes and statements are hundreds of thousands of permanent objects, and a full collection would stop
    every request while it visits them. Copies of a process share memory that is not visited: without this an idle
    `dialer up` takes 496 MB instead of 380 MB.
    """
    gc.collect()
    gc.freeze()
    import ctypes  # noqa: PLC0415 - a megabyte, needed here only

    # Returns memory that the start has freed to the system; not every C library can do it.
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
