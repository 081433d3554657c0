"""Children that are copies of their keeper: programs of their own in every way, and gone with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from dialer.runtime.embedded import wait_until

Starter = Callable[[str], subprocess.Popen[str]]

KEEPER = """
    import os, signal, sys, time
    from dialer.runtime.supervisor import Child, Supervisor

    def sleeps():
        while True: signal.pause()

    def stays():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sleeps()

    def has_a_child():
        if os.fork():
            sleeps()
        sleeps()

    def ends():
        raise SystemExit(3)

    def kept(name, run):
        argv = [sys.executable, "-m", name]
        return Child(name=name, argv=argv, env={{"MARK": name}}, run=run, stop_grace_seconds=1.0)

    supervisor = Supervisor({children}, lambda event: print(event.what, event.pid, event.code, flush=True))
    supervisor.start()
    supervisor.run_forever()
"""
TOLD = """
    import atexit, json, os, sys, threading
    from dialer.runtime import processes
    from dialer.db.vault import RandomPieces

    pieces = RandomPieces(8)
    pieces.take()
    kept_open = open("/dev/null")

    def late():
        threading.Event().wait(0.2)
        print("a thread was waited for", flush=True)

    def run():
        import signal, random
        atexit.register(lambda: print("and what was to be done at the end was done", flush=True))
        threading.Thread(target=late).start()
        print(json.dumps({{
            "env": dict(os.environ), "argv": " ".join(open("/proc/self/cmdline").read().split("\\0")).strip(),
            "piece": pieces.take().hex(),
            "open": sorted(int(name) for name in os.listdir("/proc/self/fd"))[:4],
            "pipe": signal.getsignal(signal.SIGPIPE) is signal.SIG_IGN,
            "interrupt": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
        }}), flush=True)
        {end}

    code, said = processes.output_of(run, argv=["python", "-m", "copy"], env={{"A": "b"}})
    print(json.dumps([code, said.decode(), os.environ.get("A"), pieces.take().hex()]), flush=True)
"""


@pytest.fixture
def tell(python: Starter) -> Callable[[str], tuple[int, list[str], str | None, str]]:
    def told(end: str) -> tuple[int, list[str], str | None, str]:
        process = python(TOLD.format(end=end))
        code, said, mark, piece = json.loads(process.stdout.readline())  # type: ignore[union-attr]
        return code, said.splitlines(), mark, piece

    return told


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def started(process: subprocess.Popen[str]) -> Iterator[int]:
    assert process.stdout is not None
    for line in process.stdout:
        what, pid, _ = line.split()
        if what == "started":
            yield int(pid)


def test_a_copy_is_a_program_of_its_own(tell: Callable[[str], tuple[int, list[str], str | None, str]]):
    code, said, mark, piece = tell("")
    told = json.loads(said[0])
    assert (code, mark) == (0, None)
    assert said[1:] == ["a thread was waited for", "and what was to be done at the end was done"]
    assert told.pop("piece") != piece
    assert told == {
        "env": {"A": "b"},
        "argv": "python -m copy",
        # The fourth is the list of them itself.
        "open": [0, 1, 2, 3],
        "pipe": True,
        "interrupt": True,
    }


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("raise SystemExit", 0),
        ("raise SystemExit(7)", 7),
        ("raise SystemExit('no')", 1),
        ("raise KeyboardInterrupt", 130),
        ("raise ValueError", 1),
        ("raise SystemExit(1 << 40)", 0),
        ("os.kill(os.getpid(), 9)", -signal.SIGKILL),
    ],
)
def test_it_ends_as_a_program_does(
    tell: Callable[[str], tuple[int, list[str], str | None, str]], end: str, code: int
):
    assert tell(end)[0] == code


def test_after_an_error_too_its_threads_are_waited_for(
    tell: Callable[[str], tuple[int, list[str], str | None, str]],
):
    code, said, *_ = tell("raise ValueError")
    assert code == 1
    assert said[1:] == ["a thread was waited for", "and what was to be done at the end was done"]


ASKING = """
    import os, signal, sys
    from dialer.runtime import processes

    def run():
        print(os.getpid(), os.getppid(), file=sys.stderr, flush=True)
        while True: signal.pause()

    # Whoever starts the tests in the background may have it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    {before}
    processes.output_of(run, argv=["x"], env={{}})
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_whoever_is_only_asked_ends_with_whoever_asked(tmp_path: Path, number: signal.Signals):
    with (tmp_path / "errors").open("wb") as errors:
        asking = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(ASKING.format(before=""))], stderr=errors
        )
    try:
        assert wait_until(lambda: len((tmp_path / "errors").read_text().split()) == 2, seconds=60)
        asked = int((tmp_path / "errors").read_text().split()[0])
        assert os.getsid(asked) == os.getsid(asking.pid)
        asking.send_signal(number)
        assert wait_until(lambda: not alive(asked), seconds=60)
    finally:
        asking.kill()
        asking.wait()


@pytest.mark.parametrize(
    "before",
    [
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)",
        "os.close(1); sys.stdout = None; processes.fill_standard()",
        "os.closerange(0, 2); sys.stdin = sys.stdout = None; processes.fill_standard()",
    ],
    ids=["deaf to its children", "without output", "without input"],
)
def test_however_it_was_started_it_hears_what_its_copy_says(tmp_path: Path, before: str):
    source = f"""
        import os, signal, sys
        from dialer.runtime import processes
        {before}
        code, said = processes.output_of(lambda: print("said"), argv=["x"], env={{}})
        print(code, said.decode().strip(), file=sys.stderr)
    """
    told = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(source)], capture_output=True, text=True, check=True
    )
    assert told.stderr == "0 said\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_copy_outlives_its_keeper(python: Starter, number: signal.Signals):
    process = python(KEEPER.format(children="[kept('one', sleeps), kept('two', sleeps)]"))
    told = started(process)
    pids = [next(told), next(told)]
    titles = [f"{sys.executable} -m {name}" for name in ("one", "two")]
    # Linux shows the arguments of a program a moment after it has begun to run.
    assert wait_until(
        lambda: sorted(" ".join(psutil.Process(pid).cmdline()).strip() for pid in pids) == titles, seconds=15
    )
    assert [os.getsid(pid) for pid in pids] == pids
    assert [psutil.Process(pid).ppid() for pid in pids] == [process.pid] * 2
    process.send_signal(number)
    assert wait_until(lambda: not any(alive(pid) for pid in pids), seconds=60)
    if number is not signal.SIGKILL:
        assert process.wait(60) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_copy_that_ignores_every_request_outlives_its_keeper_no_more_than_others(
    python: Starter, number: signal.Signals
):
    process = python(KEEPER.format(children="[kept('one', stays)]"))
    pid = next(started(process))
    process.send_signal(number)
    assert wait_until(lambda: not alive(pid), seconds=60)


def test_a_copy_that_is_killed_takes_its_own_children_along_and_another_is_made(python: Starter):
    process = python(KEEPER.format(children="[kept('one', has_a_child)]"))
    told = started(process)
    first = next(told)
    assert wait_until(lambda: bool(psutil.Process(first).children()), seconds=60)
    [own] = psutil.Process(first).children()
    os.kill(first, signal.SIGKILL)
    second = next(told)
    assert wait_until(lambda: not alive(first) and not alive(own.pid), seconds=60)
    assert alive(second)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


def test_a_copy_that_ends_is_told_with_its_code(python: Starter):
    process = python(KEEPER.format(children="[kept('one', ends)]"))
    assert process.stdout is not None
    assert process.stdout.readline().startswith("started")
    what, _, code = process.stdout.readline().split()
    assert (what, code) == ("died", "3")


def test_what_a_copy_says_goes_where_the_keeper_s_errors_go(tmp_path: Path):
    source = """
        import sys
        from dialer.runtime.supervisor import Child, ChildEventKind, Supervisor

        def run():
            print("said", flush=True)
            print("told", file=sys.stderr, flush=True)

        events = []
        supervisor = Supervisor([Child(name="x", argv=["x"], env={}, run=run)], events.append)
        supervisor.start()
        for _ in range(200):
            supervisor.run_once(seconds=0.05)
            if any(event.what is ChildEventKind.DIED for event in events):
                break
        supervisor.stop()
    """
    with (tmp_path / "errors").open("wb") as errors:
        argv = [sys.executable, "-c", textwrap.dedent(source)]
        subprocess.run(argv, stderr=errors, stdout=subprocess.DEVNULL, check=True)
    assert (tmp_path / "errors").read_text() == "said\ntold\n"
