"""Finds a server that runs already: whose it is, and how one that nobody keeps any more is ended."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

from dialer.runtime.guarded import GUARD_SCRIPT, Program


class Server(Protocol):
    """What starting, joining and ending need to know of a kind of server."""

    part: str
    name: str
    program_name: str
    folder: Path

    @property
    def marks(self) -> tuple[str, ...]: ...
    def prepare(self, port: int, /) -> None: ...
    def program(self, port: int, /, *, ephemeral: bool) -> Program: ...
    def ready(self, port: int, /) -> bool: ...
    def answers(self, port: int, /) -> bool: ...
    def finish(self, port: int, /) -> None: ...
    def forget_dead_server(self) -> None: ...
    def url(self, port: int, /) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A server's processes, its guard's included. `kept`: there is a guard whose own parent lives."""

    processes: tuple[psutil.Process, ...]
    guarded: bool
    kept: bool


def find_running(server: Server) -> Running | None:
    """None when nothing of it is there. A process number on disk may be recycled; these marks cannot."""
    processes: list[psutil.Process] = []
    guarded = kept = False
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            name = process.name()
            if name == server.program_name:
                line = " ".join(process.cmdline()) + " "
                if any(mark in line for mark in server.marks) and process.status() != psutil.STATUS_ZOMBIE:
                    processes.append(process)
            elif name.startswith("python") and _is_guard(process, server.folder):
                guarded = True
                kept = kept or process.ppid() == int(process.cmdline()[-2])
                processes.append(process)
    return Running(processes=tuple(processes), guarded=guarded, kept=kept) if processes else None


def end_running(running: Running, *, seconds: float) -> None:
    """They are gone: left alone while a guard may be ending them, then asked, then killed."""
    _, alive = psutil.wait_procs(running.processes, timeout=seconds if running.guarded else 0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        if not alive:
            return
        for process in alive:
            with contextlib.suppress(psutil.Error):
                process.send_signal(number)
        _, alive = psutil.wait_procs(alive, timeout=seconds)


def wait_until(condition: Callable[[], bool], *, seconds: float, step_seconds: float = 0.02) -> bool:
    """True as soon as the condition is; False when the time is up."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(step_seconds)
    return True


def _is_guard(process: psutil.Process, folder: Path) -> bool:
    line = process.cmdline()
    return len(line) > 2 and line[-1] == str(folder) and Path(line[-3]).name == GUARD_SCRIPT.name  # noqa: PLR2004
