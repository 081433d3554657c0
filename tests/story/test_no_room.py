"""No room for logs, in the data folder, or in memory: loud, and afterwards nothing is lost."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

import pytest

from dialer.control.health import WORK_PARTS, note_part_done
from dialer.db.system_state import Heartbeat, cycle_parts, heartbeats
from dialer.scheduler import ALIVE_FILE
from tests.control.scene import Assemble
from tests.control.test_scheduler import leaders, running, until
from tests.server.switchboard import Switchboard, codes, life, step
from tests.story.world import World

pytestmark = pytest.mark.story


@contextmanager
def full_disk_under(descriptor: int) -> Iterator[None]:
    """Every write to this open file says that there is no space left."""
    kept, full = os.dup(descriptor), os.open("/dev/full", os.O_WRONLY)
    try:
        os.dup2(full, descriptor)
        yield
    finally:
        os.dup2(kept, descriptor)
        os.close(kept)
        os.close(full)


async def test_a_carrier_that_cannot_write_down_what_it_does_calls_nobody_unseen(w: World):
    """What it does not write down it does not do; its trouble costs no target a try, and then each is rung once."""
    first = w.open_case()
    await w.until_over(first)
    case_ids = [w.open_case() for _ in range(3)]
    with full_disk_under(w.carrier.exchange.call_journal._file):
        for _ in range(3):
            await w.tick()
        assert w.all_attempts == 1
    await w.until_over(*case_ids)
    assert {w.times_called(w.attempt(case_id)) for case_id in case_ids} == {1}
    assert {w.scene.case_of(case_id).robot.attempts for case_id in case_ids} == {1}
    assert w.held_numbers() == 0


@pytest.mark.parametrize("command", ["scheduler", "worker"])
def test_a_process_whose_log_has_no_room_goes_on_with_its_work(
    assembled: Assemble, environment: dict[str, str], command: str
):
    look = assembled()

    def beats() -> list[Heartbeat]:
        with look.services.store.begin() as tx:
            return heartbeats(tx, kind=command)

    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        process = subprocess.Popen(
            [sys.executable, "-m", "dialer", command],
            env=os.environ | environment | {"DIALER_LOG__LEVEL": "debug"},
            stdout=full,
            stderr=full,
        )
    try:
        until(beats)
        first = beats()[0].at
        until(lambda: beats()[0].at > first)
        process.send_signal(signal.SIGTERM)
        process.wait(90)  # Python's own code then says that it could not flush its output
    finally:
        process.kill()
        process.wait()


def test_a_sign_of_life_that_cannot_be_written_does_not_stop_the_leader(assembled: Assemble):
    app = assembled()
    app.settings.data_dir.mkdir(parents=True, exist_ok=True)
    (app.settings.data_dir / ALIVE_FILE).symlink_to("/proc/no-room/here")
    with running(app):
        until(lambda: leaders(app))

        def noted() -> bool:
            # Again each time: the cycle of a new leader begins after it is known to lead.
            for name in WORK_PARTS:
                note_part_done(app.services, name, began_at=app.services.real.now())
            with app.services.store.begin() as tx:
                return "cycle" in cycle_parts(tx)

        until(noted)
        [leader] = leaders(app)
        assert leader


def test_a_process_without_memory_dies_loudly_and_leaves_no_half_written_row(
    assembled: Assemble, environment: dict[str, str]
):
    look = assembled()
    megabytes = 60
    done = subprocess.run(
        [sys.executable, "-m", "dialer", "scheduler"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20)),
    )
    assert done.returncode != 0
    assert done.stderr.strip()
    with look.services.store.begin() as tx:
        assert heartbeats(tx, kind="scheduler") == []


class NoMemory:
    """A clock for which there is no memory."""

    def now(self) -> datetime:
        raise MemoryError


def test_a_webhook_without_memory_is_a_500_with_the_safe_sentence_and_comes_again(board: Switchboard):
    attempt = board.call()
    news = [step(attempt), *life(attempt)]
    answers = board.ask(*news, services=replace(board.services, clock=NoMemory()))
    assert codes(answers) == [500] * len(news)
    assert all("有人让您转账，不要转" in answer.text for answer in answers)
    assert board.events(attempt) == []
    assert set(codes(board.ask(*news))) == {200, 204}
    assert len(board.events(attempt)) == len(news)
