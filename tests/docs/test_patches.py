"""Tests replace no part of our own modules: what a test must choose is an argument. The files below did before this was
checked; the list only gets shorter. `tests/conftest.py` makes libraries cheaper for all tests and is not meant.
"""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
PATCH = re.compile(r"\b(?:monkeypatch|patch|broken)\.setattr\(|\bmock\.patch")
STILL = {
    "audit/test_anchors.py": 2,
    "backup/test_backup.py": 1,
    "carrier/test_trunks.py": 5,
    "cli/test_answers.py": 1,
    "console/test_approvals.py": 1,
    "console/test_board.py": 1,
    "console/test_lists.py": 1,
    "console/test_rates.py": 2,
    "console/test_visits.py": 1,
    "control/test_cycle.py": 2,
    "control/test_scheduler.py": 1,
    "control/test_trunks.py": 1,
    "db/test_migration_locks.py": 1,
    "demo/test_staff.py": 2,
    "runtime/test_supervisor.py": 1,
    "server/test_dispatch.py": 3,
    "server/test_server.py": 3,
    "signals/test_doors.py": 4,
    "signals/test_order.py": 1,
    "signals/test_robot.py": 9,
    "staff/test_sign_in.py": 8,
    "web/test_console.py": 3,
}


def test_no_more_tests_replace_a_part_of_ours():
    found = {
        path.relative_to(TESTS).as_posix(): len(PATCH.findall(path.read_text(encoding="utf-8")))
        for path in sorted(TESTS.rglob("test_*.py"))
        if path != Path(__file__).resolve()
    }
    more = {name: number for name, number in found.items() if number > STILL.get(name, 0)}
    assert more == {}, "pass it as an argument instead"
