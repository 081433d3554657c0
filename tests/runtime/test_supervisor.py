"""Children that are kept, brought back, and never left behind."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import Mock

import psutil
import pytest

from dialer.runtime.embedded import wait_until
from dialer.runtime.processes import ChildProcess
from dialer.runtime.supervisor import Child, ChildEvent, ChildEventKind, Supervisor

Starter = Callable[[str], subprocess.Popen[str]]
SLEEP = "import signal\nwhile True: signal.pause()"
STUBBORN = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SLEEP


def child(name: str, source: str = SLEEP, **more: float) -> Child:
    return Child(name=name, argv=[sys.executable, "-c", source], env={"MARK": name}, **more)


def is_zombie(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() == psutil.STATUS_ZOMBIE
    return False


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def events() -> list[ChildEvent]:
    return []


@pytest.fixture
def supervise(events: list[ChildEvent]) -> Iterator[Callable[..., Supervisor]]:
    made: list[Supervisor] = []

    def make(*children: Child) -> Supervisor:
        supervisor = Supervisor(children, events.append, first_pause_seconds=0.05)
        made.append(supervisor)
        supervisor.start()
        tend_until(supervisor, lambda: len(supervisor.pids()) == len(children))
        return supervisor

    yield make
    for supervisor in made:
        supervisor.stop()


def tend_until(supervisor: Supervisor, condition: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        supervisor.run_once(seconds=0.05)


def test_children_run_in_the_given_order(supervise: Callable[..., Supervisor], events: list[ChildEvent]):
    supervisor = supervise(child("first"), child("second"))
    pids = supervisor.pids()
    assert [event.what for event in events] == [ChildEventKind.STARTED] * 2
    assert {event.name: event.pid for event in events} == pids
    assert list(pids) == ["first", "second"]
    # Linux shows the environment of a program a moment after it has begun to run.
    tend_until(supervisor, lambda: psutil.Process(pids["first"]).environ().get("MARK") == "first")


def test_a_killed_child_comes_back_and_that_is_said(
    supervise: Callable[..., Supervisor], events: list[ChildEvent]
):
    supervisor = supervise(child("worker"), child("web"))
    before = supervisor.pids()
    os.kill(before["worker"], signal.SIGKILL)
    tend_until(supervisor, lambda: supervisor.pids().get("worker") not in {None, before["worker"]})
    assert alive(supervisor.pids()["worker"])
    assert supervisor.pids()["web"] == before["web"]
    assert [(event.what, event.code) for event in events if event.name == "worker"] == [
        (ChildEventKind.STARTED, None),
        (ChildEventKind.DIED, -signal.SIGKILL),
        (ChildEventKind.STARTED, None),
    ]


def test_a_process_that_cannot_be_made_is_tried_again_while_the_others_go_on(
    supervise: Callable[..., Supervisor], events: list[ChildEvent], monkeypatch: pytest.MonkeyPatch
):
    supervisor = supervise(child("worker"), child("web"))
    before = supervisor.pids()
    with monkeypatch.context() as patch:
        patch.setattr(ChildProcess, "start", Mock(side_effect=BlockingIOError(errno.EAGAIN, "no process")))
        os.kill(before["worker"], signal.SIGKILL)
        failed = lambda: [event for event in events if event.what is ChildEventKind.NOT_STARTED]  # noqa: E731 - two lines that read like the question
        tend_until(supervisor, lambda: len(failed()) == 2)
    assert [event.retry_seconds for event in failed()] == [0.1, 0.2]
    tend_until(supervisor, lambda: "worker" in supervisor.pids())
    assert supervisor.pids()["web"] == before["web"]


def test_a_child_that_keeps_dying_waits_longer_each_time(events: list[ChildEvent]):
    supervisor = Supervisor([child("broken", "raise SystemExit(3)")], events.append, first_pause_seconds=0.02)
    supervisor.start()
    try:
        died = lambda: [event for event in events if event.what is ChildEventKind.DIED]  # noqa: E731 - two lines that read like the question
        tend_until(supervisor, lambda: len(died()) >= 4)
        assert [event.code for event in died()[:4]] == [3, 3, 3, 3]
        assert [event.retry_seconds for event in died()[:4]] == [0.02, 0.04, 0.08, 0.16]
    finally:
        supervisor.stop()


def test_a_program_that_does_not_exist_is_a_death_like_any_other(events: list[ChildEvent]):
    missing = Child(name="missing", argv=["/nowhere/program"], env={})
    supervisor = Supervisor([missing], events.append, first_pause_seconds=5)
    supervisor.start()
    try:
        tend_until(supervisor, lambda: any(event.what is ChildEventKind.DIED for event in events))
        assert events[-1].code == 127
        assert supervisor.pids() == {}
    finally:
        supervisor.stop()


def test_stopping_ends_the_last_first_and_leaves_no_zombie(
    supervise: Callable[..., Supervisor], events: list[ChildEvent]
):
    supervisor = supervise(child("first"), child("second"), child("third"))
    pids = list(supervisor.pids().values())
    supervisor.stop()
    assert [event.name for event in events if event.what is ChildEventKind.STOPPED] == [
        "third",
        "second",
        "first",
    ]
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert supervisor.pids() == {}
    assert not [one for one in psutil.Process().children() if is_zombie(one)]


def test_a_child_that_ignores_the_request_is_killed_after_its_grace(
    supervise: Callable[..., Supervisor], events: list[ChildEvent], tmp_path: Path
):
    ready = tmp_path / "ready"
    source = STUBBORN.replace("while True", f"open({str(ready)!r}, 'w').close()\nwhile True")
    supervisor = supervise(child("stubborn", source, stop_grace_seconds=0.3))
    tend_until(supervisor, ready.exists)
    pid = supervisor.pids()["stubborn"]
    begun = time.monotonic()
    supervisor.stop()
    assert 0.3 <= time.monotonic() - begun < 5
    assert not psutil.pid_exists(pid)


def test_a_childs_own_children_go_with_it(supervise: Callable[..., Supervisor], tmp_path: Path):
    note = tmp_path / "grandchild"
    source = f"""
import signal, subprocess, sys
from pathlib import Path
one = subprocess.Popen([sys.executable, "-c", {STUBBORN!r}])
Path({str(note)!r}).write_text(str(one.pid))
while True: signal.pause()
"""
    supervisor = supervise(child("parent", source))
    tend_until(supervisor, lambda: note.exists() and bool(note.read_text()))
    grandchild = int(note.read_text())
    os.kill(supervisor.pids()["parent"], signal.SIGKILL)
    tend_until(supervisor, lambda: not alive(grandchild))


def test_asking_from_another_thread_ends_run_forever(events: list[ChildEvent]):
    supervisor = Supervisor([child("web")], events.append)
    supervisor.start()
    thread = threading.Thread(target=supervisor.run_forever)
    thread.start()
    assert wait_until(lambda: bool(events), seconds=60)
    supervisor.ask_to_stop()
    thread.join(60)
    assert not thread.is_alive()
    assert supervisor.pids() == {}


def test_two_children_of_one_name_are_refused():
    with pytest.raises(ValueError, match="same name"):
        Supervisor([child("web"), child("web")], print)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_child_outlives_the_supervisor(python: Starter, number: signal.Signals):
    process = python(f"""
        import sys
        from dialer.runtime.supervisor import Child, Supervisor
        children = [Child(name=name, argv=[sys.executable, "-c", {SLEEP!r}], env={{}}) for name in ("one", "two")]
        supervisor = Supervisor(children, lambda event: print(event.what, event.pid, flush=True))
        supervisor.start()
        supervisor.run_forever()
    """)
    pids = []
    for _ in range(2):
        what, pid = process.stdout.readline().split()
        assert what == "started"
        pids.append(int(pid))
    assert [psutil.Process(pid).ppid() for pid in pids] == [process.pid] * 2
    process.send_signal(number)
    assert wait_until(lambda: not any(alive(pid) for pid in pids), seconds=60)
    if number is not signal.SIGKILL:
        assert [line.split()[0] for line in process.stdout] == ["stopped", "stopped"]
        assert process.wait(60) == 0
