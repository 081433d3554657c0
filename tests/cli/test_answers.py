"""What a command answers to a person: decisions about the ledger, and values that fit nowhere."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dialer.__main__ import build_command_line
from dialer.bootstrap import application
from dialer.cli.common import run_command
from dialer.cli.terminal import NotSignedIn
from dialer.core.errors import Conflict, Invalid
from dialer.db import tables as t
from dialer.db.keys import create
from dialer.runtime.settings import load_settings
from tests.accounts import add_account
from tests.outcomes.town import MORNING, Scenario
from tests.terminal import signed_in_as

app = build_command_line()


@pytest.fixture
def env(fresh_database: str, broker_url: str, tmp_path: Path) -> dict[str, str]:
    create(tmp_path / "keys.json")
    return {
        "DIALER_DATA_DIR": str(tmp_path / "var"),
        "DIALER_DATABASE__URL": fresh_database,
        "DIALER_BROKER__URL": broker_url,
        "DIALER_KEYS__FILE": str(tmp_path / "keys.json"),
    }


def test_a_second_person_refuses_an_outcome_with_a_reason(env: dict[str, str]):
    with application(load_settings(env)) as made:
        scenario = Scenario.on(made.services)
        for login in ("li", "zhao"):
            add_account(made.services.store, login, name=f"{login}警官")
        line = scenario.outcome(scenario.case(), stopped_fen=20_000, recorded_by="li", at=MORNING)

    def refused(*words: str) -> str:
        command = ["outcome", "refuse", str(line), *words]
        result = CliRunner().invoke(app, command, env=env | signed_in_as(*words), catch_exceptions=False)
        assert result.exit_code == 0
        return result.stdout

    with pytest.raises(Invalid, match="why"):
        refused("--by", "zhao", "--why", " ")
    with pytest.raises(Conflict, match="second person"):
        refused("--by", "LI", "--why", "回单金额不符")
    for other_name in ("li警官", "cli"):
        with pytest.raises((Invalid, NotSignedIn)):
            refused("--by", other_name, "--why", "回单金额不符")
    told = json.loads(refused("--by", "zhao", "--why", "回单金额不符", "--json"))
    with application(load_settings(env)) as made, made.services.store.begin() as tx:
        [reversal] = tx.rows(t.outcome.select().where(t.outcome.c.reverses == line))
    assert told == {"outcome_id": line, "reversal_id": reversal["id"]}
    assert reversal["recorded_by"] == "zhao"
    with pytest.raises(Conflict, match="reversed"):
        refused("--by", "zhao", "--why", "回单金额不符")


@pytest.mark.parametrize("command", ["outcome approve {} --by li", "work show {} --by li", "case {}"])
def test_a_number_larger_than_any_is_one_line(
    env: dict[str, str], command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    for name, value in (env | signed_in_as(*command.split())).items():
        monkeypatch.setenv(name, value)
    with application(load_settings(env)) as made:
        add_account(made.services.store, "li")
    with pytest.raises(SystemExit) as ended:
        run_command(app, command.format("9" * 20).split())
    said = capsys.readouterr().err.splitlines()
    assert (ended.value.code, len(said)) == (1, 1)
    assert "larger" in said[0]


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "dialer：预警单 999999999999 不存在"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"}, "dialer: case 999999999999 does not exist"),
        ({"LANG": ""}, "dialer: case 999999999999 does not exist"),
    ],
)
def test_a_refusal_is_in_the_language_of_the_terminal(
    env: dict[str, str],
    locale: dict[str, str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.delenv("LC_ALL", raising=False)
    command = ["case", "999999999999"]
    for name, value in (env | signed_in_as("--by", "li") | locale).items():
        monkeypatch.setenv(name, value)
    with application(load_settings(env)) as made:
        add_account(made.services.store, "li")
    with pytest.raises(SystemExit):
        run_command(app, command)
    assert capsys.readouterr().err == f"{said}\n"


def test_what_a_command_logs_has_the_format_of_the_settings_and_names_nobody(
    env: dict[str, str], monkeypatch: pytest.MonkeyPatch
):
    def found(*_args: object, **_named: object) -> list[object]:
        logging.getLogger("dialer.test").warning("asked of %s", "13800138000")
        return []

    monkeypatch.setattr("dialer.cli.accounts.all_members", found)
    command = ["staff", "list", "--json"]
    result = CliRunner().invoke(
        app, command, env=env | {"DIALER_LOG__FORMAT": "json"}, catch_exceptions=False
    )
    assert json.loads(result.stdout) == []
    line = json.loads(result.stderr.splitlines()[-1])
    assert (line["process"], line["level"], line["logger"]) == ("accounts", "warning", "dialer.test")
    assert "13800138000" not in result.stderr
