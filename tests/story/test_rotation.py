"""Keys are rotated in a whole service, while lists arrive and calls run, and its workers are killed in the middle."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from bench.people import name, phone, write_list
from bench.service import ROOT
from dialer.cases.persons import PersonSearch, find_person_ids
from dialer.core.access import unrestricted
from dialer.db import tables as t
from dialer.db.keys import load
from dialer.keys.actions import is_reseal_due
from dialer.keys.reseal import read_progress
from dialer.warnings.lists import submit_list
from tests.story.processes import WORKERS, Processes, processes, until

pytestmark = [pytest.mark.story, pytest.mark.timeout(500)]

WHY = ("--by", "cli", "--why", "yearly")


def dialer(p: Processes, *words: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "dialer", *words, "--json"],
        env=p.made.env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    printed: dict[str, Any] = json.loads(done.stdout)
    return printed


def again(p: Processes, source: str) -> None:
    """Everybody of the lists so far, from another source."""
    path = p.made.settings.data_dir / "again.csv"
    write_list(path, p.people, grade="高危")
    with path.open("rb") as content:
        submit_list(p.services, unrestricted("story"), content, filename=path.name, source=source)


def rows_done(p: Processes) -> int:
    with p.services.store.begin() as tx:
        progress = read_progress(tx)
    return 0 if progress is None else sum(progress.done.values())


def test_keys_are_rotated_while_lists_arrive_and_calls_run_and_workers_are_killed() -> None:
    with processes(calls_per_second=30.0, lines=100) as p:
        p.submit(250)
        until(lambda: p.count('"case"') == p.people)
        # While a transaction from before the rotation is open, resealing does not end: the kill is in the middle of it.
        with p.services.store.begin() as earlier:
            is_open = partial(earlier.scalar, sa.select(1))
            # On a busy machine the acts below take longer than a transaction of the service may do nothing.
            earlier.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            assert is_open()
            assert dialer(p, "keys", "rotate", *WHY)["made"] == {"encryption": 4, "index": 5}
            p.submit(50)
            assert is_open()
            again(p, "bank")
            until(lambda: is_open() and rows_done(p) > 0)
            for worker in WORKERS:
                p.made.running[worker].send_signal(signal.SIGKILL)
                p.made.running[worker].wait()
        assert is_reseal_due(p.services)
        for worker in WORKERS:
            p.spawn(worker, "tests.story.hasty_worker")
        until(lambda: p.count("list_load WHERE state = 'done'") == 3)
        until(lambda: not is_reseal_due(p.services))
        again(p, "operator")
        until(lambda: p.count("list_load WHERE state = 'done'") == 4)
        assert p.count("person") == p.count('"case"') == p.people
        found = set()
        with p.services.store.begin() as tx:
            for n in range(p.people):
                (by_phone,) = find_person_ids(tx, PersonSearch(phone=f"+86{phone(n)}"))
                assert by_phone in find_person_ids(tx, PersonSearch(name=name(n)))
                found.add(by_phone)
            for row in tx.rows(sa.select(t.person)):
                tx.vault.open_record(row["sealed"], table="person", column="sealed", row=row["id"])
        assert len(found) == p.people
        for key in ("1", "2"):
            assert dialer(p, "keys", "retire", key, *WHY)["audit_lines"] == 0
        assert set(load(p.made.settings.data_dir / "keys.json").held) == {3, 4, 5}
        until(p.everybody_called)
        verdict = p.verdict()
        assert (verdict.wrong, verdict.counts["max rings"]) == ([], 1)
        assert dialer(p, "audit", "verify")["whole"]
