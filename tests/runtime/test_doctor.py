"""Each finding is right about a machine that is well and about one that is not."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dialer.__main__ import build_command_line
from dialer.cli.control import check_names
from dialer.core.errors import SettingsError, Unavailable
from dialer.db.keys import create
from dialer.db.migrations import newest_revision
from dialer.runtime.broker import MessageKey, check_broker, make_app
from dialer.runtime.doctor import (
    Probe,
    check_data_dir,
    check_keys_file,
    check_port,
    check_probe,
    check_python,
    check_telephony,
    examine_installation,
    worst_day,
)
from dialer.runtime.sections import CentreSettings
from dialer.runtime.settings import load_settings

commands = build_command_line()

PROBE = Probe(name="database", run=lambda: "schema 7", fix="dialer migrate")


@pytest.fixture
def listener() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_window_without_an_end_is_said():
    settings = load_settings({"DIALER_POLICY__WINDOW__ANY_HOUR": "true"})
    [found] = [check for check in examine_installation(settings, PROBE) if check.name == "dialling window"]
    assert (found.ok, str(found.detail)) == (True, "robots call at any hour, at night too")
    assert "any_hour = false" in str(found.fix)


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({}, "at worst 34,560 minutes a day;"),  # 24 lines all day
        ({"CALLS_PER_SECOND": "0.01", "LONGEST_CALL_SECONDS": "120"}, "at worst 1,728 minutes a day;"),
        ({"PRICE_A_MINUTE_FEN": "12.5"}, "at worst 34,560 minutes a day, 4,320 yuan"),
        ({"PRICE_A_MINUTE_FEN": "0"}, "34,560 minutes a day, 0 yuan"),
    ],
)
def test_what_calls_could_cost_in_a_day_is_said(env: dict[str, str], told: str):
    settings = load_settings({f"DIALER_TELEPHONY__{name}": value for name, value in env.items()})
    found = worst_day(settings)
    assert found.ok
    assert told in str(found.detail)
    assert "a number at most 20 times a day; countries CN, kinds mobile, fixed_line" in str(found.detail)


def test_a_machine_that_is_well(tmp_path: Path, listener: int):
    tmp_path.chmod(0o700)
    keys = tmp_path / "keys"
    keys.touch(mode=0o600)
    settings = load_settings(
        {
            "DIALER_DATA_DIR": str(tmp_path),
            "DIALER_WEB__PORT": "0",
            "DIALER_KEYS__FILE": str(keys),
            "DIALER_TELEPHONY__BASE_URL": f"http://127.0.0.1:{listener}",
        }
    )
    checks = examine_installation(settings, PROBE)
    assert [check.name for check in checks] == [
        "Python", "data folder", "disk", "embedded servers", "keys file", "cost of calls", "web address",
        "telephony", "database",
    ]  # fmt: skip
    assert [check for check in checks if not check.ok or check.fix] == []
    assert "PostgreSQL) 18" in str(checks[3].detail)
    assert "9.1" in str(checks[3].detail)
    assert str(checks[-1].detail) == "schema 7"


def test_own_parts_are_not_looked_at_when_others_are_configured(tmp_path: Path):
    env = {
        "DIALER_DATA_DIR": str(tmp_path),
        "DIALER_WEB__HOST": "::1",
        "DIALER_WEB__PORT": "0",
        "DIALER_DATABASE__URL": "postgresql+psycopg://u:p@h/d",
        "DIALER_BROKER__URL": "redis://:p@h/0",
    }
    names = [one.name for one in examine_installation(load_settings(env), PROBE)]
    assert names == ["Python", "data folder", "disk", "cost of calls", "web address", "database"]


@pytest.mark.parametrize(
    ("version", "ok"), [((3, 10), False), ((3, 11), True), ((3, 13), True), ((3, 14), False)]
)
def test_python(version: tuple[int, int], ok: bool):
    assert check_python(version).ok is ok


def test_a_data_folder_open_to_others(tmp_path: Path):
    tmp_path.chmod(0o755)
    check = check_data_dir(tmp_path)
    assert (check.ok, str(check.fix)) == (False, f"chmod 700 {tmp_path}")
    assert oct(tmp_path.stat().st_mode & 0o777) == "0o755"


def test_a_data_folder_that_is_still_to_be_made(tmp_path: Path):
    check = check_data_dir(tmp_path / "new")
    assert check.ok
    assert not (tmp_path / "new").exists()


def test_a_data_folder_that_is_a_file(tmp_path: Path):
    (tmp_path / "file").touch()
    check = check_data_dir(tmp_path / "file")
    assert not check.ok
    assert "cannot be written" in str(check.detail)


def test_a_keys_file_that_is_open_or_missing(tmp_path: Path):
    keys = tmp_path / "keys"
    assert not check_keys_file(keys).ok
    keys.touch()
    keys.chmod(0o644)
    check = check_keys_file(keys)
    assert (check.ok, str(check.fix)) == (False, f"chmod 600 {keys}")


def test_a_taken_web_address(listener: int):
    check = check_port("127.0.0.1", listener)
    assert not check.ok
    assert f"127.0.0.1:{listener}" in str(check.detail)


def test_a_taken_address_does_not_matter_while_web_runs_at_other_ports(listener: int):
    check = check_port("127.0.0.1", listener, runs_elsewhere=lambda: True)
    assert check.ok
    assert "web runs at other ports" in str(check.detail)
    assert not check_port("192.0.2.1", listener, runs_elsewhere=lambda: True).ok


def test_a_silent_telephone_network(listener: int):
    assert check_telephony(f"http://127.0.0.1:{listener}/base").ok
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        check = check_telephony(f"http://127.0.0.1:{closed.getsockname()[1]}")
    assert not check.ok
    assert "DIALER_TELEPHONY__BASE_URL" in str(check.fix)


def test_a_failing_probe_is_a_finding_and_a_bug_is_not(tmp_path: Path):
    def unreachable() -> str:
        raise Unavailable(part="database", problem="refused")

    def broken() -> str:
        raise ZeroDivisionError

    check = check_probe(Probe(name="database", run=unreachable, fix="start it"))
    assert (check.ok, str(check.detail), str(check.fix)) == (False, "database: refused", "start it")
    with pytest.raises(ZeroDivisionError):
        check_probe(Probe(name="database", run=broken, fix=""))


@pytest.mark.parametrize("bureau_zh", ["巴彦淖尔市公安局", "某市公安局", "鄂尔多斯市旗公安局"])
def test_a_bureau_of_up_to_nine_signs_leaves_the_question_in_time(bureau_zh: str):
    assert check_names(CentreSettings(bureau_zh=bureau_zh)).fix == ""


def test_the_shipped_names_leave_the_question_in_time_in_recorded_calls_too():
    assert check_names(CentreSettings(), records=True).fix == ""


def test_a_name_that_is_short_enough_for_other_calls_alone_is_advice_where_calls_are_recorded():
    names = CentreSettings(bureau_zh="鄂尔多斯市旗公安局")
    assert (check_names(names).fix, bool(check_names(names, records=True).fix)) == ("", True)


@pytest.mark.parametrize(
    "names",
    [
        {"bureau_zh": "内蒙古自治区某某市公安局"},
        {"bureau_en": "Public Security Bureau of the City of Bayannur"},
    ],
)
def test_a_longer_name_is_advice_that_says_the_seconds_and_fails_nothing(names: dict[str, str]):
    check = check_names(CentreSettings(**names))
    assert check.ok
    assert check.fix
    assert "19 s" in str(check.detail)


def test_a_data_folder_that_this_user_cannot_make(tmp_path: Path):
    (tmp_path / "file").touch()
    check = check_data_dir(tmp_path / "file" / "data")
    assert not check.ok
    assert str(tmp_path / "file") in str(check.detail)


@pytest.mark.parametrize("url", ["sentinel://:p@127.0.0.1:1", "amqp://127.0.0.1"])
def test_an_address_that_no_broker_of_ours_has_is_refused_in_one_line(url: str):
    with pytest.raises(SettingsError, match="Sentinel is not supported"):
        load_settings({"DIALER_BROKER__URL": url})


@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_a_broker_that_does_not_answer_is_one_line(scheme: str, listener: int):
    app = make_app(f"{scheme}://:p@127.0.0.1:1/0", MessageKey(secrets=lambda: (b"0" * 64,)))
    with pytest.raises(Unavailable) as told:
        check_broker(app)
    assert "refused" in str(told.value)
    assert "\n" not in str(told.value)


def test_looking_starts_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DIALER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("DIALER_WEB__PORT", "0")
    told = CliRunner().invoke(commands, ["doctor", "--json"])
    found = {one["name"]: one for one in json.loads(told.stdout)}
    assert "do not run" in found["database and broker"]["detail"]
    assert not (tmp_path / "data").exists()


def test_looking_writes_nothing_and_leaves_an_older_schema(
    empty_database: str, broker_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    create(tmp_path / "keys.toml")
    for name, value in {
        "DIALER_DATABASE__URL": empty_database,
        "DIALER_BROKER__URL": broker_url,
        "DIALER_KEYS__FILE": str(tmp_path / "keys.toml"),
        "DIALER_DATA_DIR": str(tmp_path / "data"),
        "DIALER_WEB__PORT": "0",
    }.items():
        monkeypatch.setenv(name, value)

    def looked() -> dict[str, object]:
        told = CliRunner().invoke(commands, ["doctor", "--json"])
        return {one["name"]: one for one in json.loads(told.stdout)}["database and broker"]

    assert looked() == {
        "name": "database and broker",
        "ok": False,
        "detail": f"the database is at no revision, and this version needs {newest_revision()}",
        "fix": "dialer migrate",
        "mend": "dialer migrate",
    }
    assert CliRunner().invoke(commands, ["migrate"]).exit_code == 0
    assert looked()["ok"]
    assert not (tmp_path / "data").exists() or list((tmp_path / "data").iterdir()) == [
        tmp_path / "data/carrier.json"
    ]
