"""`dialer plan` as a person types it."""

from __future__ import annotations

import json
import os
import pwd
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dialer.__main__ import build_command_line
from dialer.bootstrap import application
from dialer.control.plans import approve_plan
from dialer.core.access import Role, unrestricted
from dialer.org.accounts import add_staff
from dialer.runtime.settings import load_settings

app = build_command_line("plan")


@pytest.fixture
def signed(environment: dict[str, str]) -> dict[str, str]:
    """The environment, with the account zhao, who may draft at the terminal."""
    with application(load_settings(environment)) as made:
        add_staff(
            made.services,
            unrestricted("test"),
            login="zhao",
            display_name="赵六",
            role=Role.SUPERVISOR,
            unit_id=None,
            language="zh",
        )
    account = f"{pwd.getpwuid(os.getuid()).pw_name}=zhao"
    return environment | {"DIALER_CONSOLE__TERMINAL_ACCOUNTS": json.dumps([account])}


def run(env: dict[str, str], *words: str) -> Result:
    return CliRunner().invoke(app, ["plan", *words], env=env)


def test_a_plan_is_exported_changed_drafted_compared_and_shown(signed: dict[str, str], tmp_path: Path):
    assert "没有版本" in run(signed, "list").stdout
    file = tmp_path / "plan.toml"
    assert run(signed, "export", str(file)).exit_code == 0
    assert file.read_text() == run(signed, "show").stdout
    assert "cannot be written" in str(run(signed, "export", str(file)).exception)

    file.write_text("# 节前\n" + file.read_text().replace("cases_a_number = 4", "cases_a_number = 9"))
    done = run(signed, "draft", str(file), "--by", "zhao")
    assert done.exit_code == 0, (done.stderr, done.exception)
    assert "第 1 版" in done.stdout
    again = run(signed, "draft", str(file), "--by", "zhao")
    assert "version 1 of the plan says just that" in str(again.exception)
    assert run(signed, "show", "1").stdout == file.read_text()
    assert json.loads(run(signed, "show", "1", "--json").stdout)["number"] == 1
    assert "cases_a_number = 4" in run(signed, "show").stdout

    [version] = json.loads(run(signed, "list", "--json").stdout)
    assert (version["number"], version["state"], version["drafted_by"]) == (1, "draft", "zhao")
    compared = json.loads(run(signed, "compare", "1", "--week", "--json").stdout)
    assert [(one["before"], one["after"]) for one in compared["differences"]] == [("4", "9")]
    assert compared["week"] == []
    shown = run(signed, "compare", "1", "--week").stdout
    assert "近七天没有差别" in shown
    assert "version of the plan 7 does not exist" in str(run(signed, "compare", "7").exception)

    with application(load_settings(signed)) as made:
        approve_plan(made.services, unrestricted("wang"), 1, reason="seen", channels=made.message_channels)
    assert run(signed, "show").stdout == file.read_text()
    assert "与现行方案相同" in run(signed, "compare", "1").stdout
    assert "wang" in run(signed, "list").stdout


def test_a_file_that_is_no_plan_is_refused(signed: dict[str, str], tmp_path: Path):
    file = tmp_path / "plan.toml"
    assert "cannot be read" in str(run(signed, "draft", str(file), "--by", "zhao").exception)
    file.write_text("[pace]\nlines = 1")
    refused = run(signed, "draft", str(file), "--by", "zhao")
    assert refused.exit_code == 1
    assert "policy" in str(refused.exception)
    assert json.loads(run(signed, "list", "--json").stdout) == []


def test_nobody_drafts_without_an_account(environment: dict[str, str], tmp_path: Path):
    file = tmp_path / "plan.toml"
    assert run(environment, "export", str(file)).exit_code == 0
    refused = run(environment, "draft", str(file), "--by", "cli")
    assert refused.exit_code != 0
    assert json.loads(run(environment, "list", "--json").stdout) == []
