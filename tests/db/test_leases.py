"""A lease has one holder at a time, ends by itself, and cannot be renewed by who has lost it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from dialer.db import tables as t
from dialer.db.leases import ServiceHold, ServiceRuns, has_ended, process_name, take_lease


@pytest.fixture
def engine(fresh_database: str) -> Iterator[sa.Engine]:
    made = sa.create_engine(fresh_database)
    yield made
    made.dispose()


def moved(connection: sa.Connection, *, seconds: float) -> None:
    """The clock of the database goes back by `seconds`."""
    connection.execute(sa.update(t.lease).values(until=t.lease.c.until + sa.text(f"interval '{seconds} s'")))


def test_a_lease_that_ended_is_taken_over_with_a_higher_token_and_not_renewed_by_the_one_before(
    engine: sa.Engine,
):
    with engine.begin() as one:
        first = take_lease(one, "x", holder="here", seconds=30)
        assert first is not None
        assert take_lease(one, "x", holder="there", seconds=30) is None
        again = take_lease(one, "x", holder="here", seconds=30)
        assert again is not None
        assert not first.renew(one), "the same process has it by a later claim"
        first = again
        assert take_lease(one, "y", holder="there", seconds=30) is not None
        assert first.renew(one)
        moved(one, seconds=-31)
        assert first.renew(one)  # nobody took it meanwhile
        moved(one, seconds=-31)
        second = take_lease(one, "x", holder="there", seconds=30)
        assert second is not None
        assert second.token == first.token + 1
        assert not first.renew(one)
        first.end(one)
        assert take_lease(one, "x", holder="here", seconds=30) is None
        second.end(one)
        third = take_lease(one, "x", holder="here", seconds=30)
        assert third is not None
        assert third.token == second.token + 1


def test_a_lease_from_before_the_clock_was_set_back_is_taken_over(engine: sa.Engine):
    with engine.begin() as one:
        assert take_lease(one, "x", holder="here", seconds=30)
        moved(one, seconds=86_400)
        assert take_lease(one, "x", holder="there", seconds=30)


def test_of_many_at_once_one_gets_it(engine: sa.Engine):
    ready, got = threading.Barrier(5), []

    def take(name: str) -> None:
        ready.wait()
        with engine.begin() as connection:
            got.append(take_lease(connection, "x", holder=name, seconds=30))

    threads = [threading.Thread(target=take, args=(f"machine {n}",)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 5
    assert len([one for one in got if one is not None]) == 1


def test_a_process_of_this_machine_that_ended_holds_nothing_and_one_of_another_machine_does(
    engine: sa.Engine,
):
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    living = process_name(child.pid)
    elsewhere = "another-machine" + living[living.index(" pid ") :]
    assert not has_ended(living)
    with engine.begin() as one:
        assert take_lease(one, "x", holder=living, seconds=30)
        assert take_lease(one, "x", holder=process_name(), seconds=30) is None
    child.communicate(b"\n")
    assert has_ended(living)
    assert not has_ended(elsewhere)
    assert not has_ended(process_name())
    # A later process with its number is another one.
    assert has_ended(process_name().replace(f".{process_name().split('.')[1]}.", ".1."))
    with engine.begin() as one:
        assert take_lease(one, "x", holder=f"{os.getpid()}", seconds=30)


def test_a_process_that_proc_hides_from_other_users_has_not_ended(engine: sa.Engine, tmp_path: Path):
    """As /proc mounted with hidepid shows a living process of another user: not at all."""
    (tmp_path / "self" / "ns").mkdir(parents=True)
    (tmp_path / "self" / "ns" / "pid").symlink_to(Path("/proc/self/ns/pid").readlink())
    (tmp_path / str(os.getpid())).symlink_to(f"/proc/{os.getpid()}")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        living = process_name(child.pid)
        assert not has_ended(living, proc=tmp_path)
        child.communicate(b"\n")
    assert has_ended(living, proc=tmp_path)


def test_a_service_that_ended_leaves_the_database_to_the_next_at_once(fresh_database: str):
    first = ServiceHold(fresh_database, holder="here pid 1 x.1")
    second = ServiceHold(fresh_database, holder="there pid 2 x.2")
    second.release()
    first.take()
    with pytest.raises(ServiceRuns):
        second.take()
    first.release()
    second.take()
