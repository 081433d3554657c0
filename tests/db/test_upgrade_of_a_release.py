"""A database that an earlier version left behind is opened by this one: nothing is lost, and every figure is the same.

`data/0024.sql` is a dump of a drill of the version whose schema was 0024, after it had called the first targets of the
sample list; what that version reported and listed then is in `data/0024_expected.json`. People and keys are invented.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from dialer.core.values import Suite
from dialer.db.keys import KeyUse, load
from dialer.db.migrations import database_revision, newest_revision
from tests.terminal import signed_in_as

_DATA = Path(__file__).resolve().parent / "data"
_ROOT = _DATA.parents[2]


@pytest.fixture
def earlier(empty_database: str, broker_url: str, tmp_path: Path) -> dict[str, str]:
    """The environment of a service on a copy of that database."""
    with psycopg.connect(empty_database.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute((_DATA / "0024.sql").read_bytes())
    keys = tmp_path / "keys.toml"
    shutil.copyfile(_DATA / "0024_keys.toml", keys)
    keys.chmod(0o600)
    return os.environ | {
        "DIALER_DATABASE__URL": empty_database,
        "DIALER_BROKER__URL": broker_url,
        "DIALER_KEYS__FILE": str(keys),
        "DIALER_DATA_DIR": str(tmp_path / "var"),
        "DIALER_SETTINGS": str(_ROOT / "settings.toml"),
        "PYTHONWARNINGS": "ignore",
    }


def _printed(environment: dict[str, str], *words: str) -> Any:  # noqa: ANN401  # JSON has no narrower type
    done = subprocess.run(
        [sys.executable, "-m", "dialer", *words, "--json"],
        env=environment,
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def expected_lines(environment: dict[str, str]) -> int:
    with psycopg.connect(environment["DIALER_DATABASE__URL"].replace("+psycopg", "")) as connection:
        return connection.execute("SELECT count(*) FROM audit").fetchone()[0]  # type: ignore[index]


def test_cases_and_figures_of_an_earlier_version_are_the_same_after_the_upgrade(earlier: dict[str, str]):
    expected = json.loads((_DATA / "0024_expected.json").read_text(encoding="utf-8"))
    report = _printed(earlier, "report")
    cases = _printed(earlier, "cases")["cases"]
    report["counts"] = {name: report["counts"][name] for name in expected["report"]["counts"]}
    assert {name: report[name] for name in expected["report"]} == expected["report"]
    assert [{name: one[name] for name in expected["cases"][0]} for one in cases] == expected["cases"]
    trail = _printed(earlier, "audit", "verify")
    assert trail["whole"]
    assert trail["lines"] == expected_lines(earlier) > 1
    assert trail["last"] == 1, "the line that covers those of before"
    sql_engine = sa.create_engine(earlier["DIALER_DATABASE__URL"])
    try:
        assert database_revision(sql_engine) == newest_revision()
    finally:
        sql_engine.dispose()


@pytest.mark.story
def test_the_keys_of_an_earlier_version_are_rotated_to_the_other_suite(earlier: dict[str, str]):
    """Its one encryption key had sealed the audit too: it is kept for those lines, and opens nothing else."""
    environment = earlier | {"DIALER_KEYS__SUITE": "sm4-gcm/sm3"}
    expected = json.loads((_DATA / "0024_expected.json").read_text(encoding="utf-8"))
    why = ("--by", "administrator", "--why", "to SM4 and SM3")
    environment |= signed_in_as(*why)
    assert _printed(environment, "keys", "rotate", *why)["made"] == {"encryption": 2, "index": 3, "audit": 4}
    assert _printed(environment, "keys", "reseal", "--by", "administrator")["rows"] > 0
    assert _printed(environment, "keys", "retire", "0", *why)["audit_lines"] == 0
    assert _printed(environment, "keys", "retire", "1", *why)["audit_lines"] > 1
    ring = load(Path(environment["DIALER_KEYS__FILE"]))
    assert {key.id: (key.use, key.suite) for key in ring.held.values()} == {
        1: (KeyUse.AUDIT, Suite.AES_BLAKE2),
        2: (KeyUse.ENCRYPTION, Suite.SM4_SM3),
        3: (KeyUse.INDEX, Suite.SM4_SM3),
        4: (KeyUse.AUDIT, Suite.SM4_SM3),
    }
    status = _printed(environment, "keys", "status", "--counts")
    assert status["resealed"]
    assert [(key["id"], key["state"]) for key in status["keys"]] == [
        (1, "kept"),
        (2, "current"),
        (3, "current"),
        (4, "current"),
    ]
    assert set(status["keys"][0]["values"]) == {"audit"}
    cases = _printed(environment, "cases")["cases"]
    assert [{name: one[name] for name in expected["cases"][0]} for one in cases] == expected["cases"]
    assert _printed(environment, "audit", "verify")["whole"]
