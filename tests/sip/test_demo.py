"""The demo over SIP, as a person runs it: real calls with sound to simulated people, until everybody is settled."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.demo.test_demo import _environment, _targets, _write

pytestmark = [pytest.mark.story, pytest.mark.timeout(1200)]


def test_the_demo_over_sip_settles_a_list(tmp_path: Path):
    rows = _targets(12)
    _write(tmp_path / "list.csv", rows)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "dialer", "demo", "--line", "sip", "--until-settled", "--json"),
            *("--timeout", "900", "--list", str(tmp_path / "list.csv")),
        ],
        env=_environment(tmp_path),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    told = json.loads(done.stdout)
    assert told["load"]["accepted"] == len(rows)
    assert sum(told["cases"].values()) == len(rows)
    assert told["rings"] >= 6
    assert told["max_rings_per_attempt"] == 1
    counts = told["report"]["counts"]
    assert counts["robot_calls_verified"] > 0, "somebody heard the robot and pressed the keys"
