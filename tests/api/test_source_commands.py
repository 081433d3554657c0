"""`dialer source`: limits are set, and what waits is listed."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from dialer.__main__ import build_command_line
from dialer.core.access import unrestricted
from dialer.core.errors import NotFound, NotPermitted
from dialer.intake.records import Field
from dialer.staff.sign_in import add_token
from dialer.warnings.deliveries import read_warnings, take_deliveries
from tests.api.office import ROOT, Opener

app = build_command_line()


@pytest.fixture
def runner(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(ROOT)
    return CliRunner()


def test_limits_are_set_and_what_waits_is_listed(
    runner: CliRunner, environment: dict[str, str], opened: Opener
):
    def run(*words: str) -> str:
        return runner.invoke(app, ["source", *words], catch_exceptions=False).stdout

    services = opened(environment).services
    token = add_token(
        services, unrestricted("test"), name="bank", scopes=["warnings:write"], days=9, unit=""
    ).token
    (before,) = json.loads(run("list", "--json"))
    assert (before["name"], before["on_probation"]) == ("bank", True)
    words = (
        "set", "bank", "--why", "known", "--probation", "no", "--per-day", "1", "--per-minute", "70", "--grade", "high",
        "--amount", "1000", "--kind", "call", "--bank-reports", "no",
        "--list-kind", "suspected",
    )  # fmt: skip
    set_to = json.loads(run(*words))
    assert not set_to["on_probation"]
    limits = set_to["limits"]
    assert (limits["per_day"], limits["per_minute"], limits["per_hour"]) == (1, 70, None)
    assert (limits["most_grade"], limits["most_amount_fen"]) == ("high", 100_000)
    assert (limits["signal_kinds"], limits["bank_reports"]) == (["call"], False)
    assert limits["list_kinds"] == ["suspected"]
    free = (
        "--per-minute",
        "none",
        "--grade",
        "none",
        "--amount",
        "none",
        "--kind",
        "none",
        "--list-kind",
        "none",
        "--bank-reports",
        "none",
    )
    run("set", "bank", "--why", "x", *free)
    limits = json.loads(run("show", "bank"))["limits"]
    assert {name for name, value in limits.items() if value not in (None, [])} == {"per_day"}
    sent = [{Field.INSTRUCTION_NO: f"N{n}", Field.PHONE: f"1380013800{n}"} for n in range(3)]
    take_deliveries(services, [read_warnings(services, sent, token=token)])
    (waits,) = json.loads(run("waiting", "--json"))
    assert (waits["source"], waits["held_for"], waits["extra_high"], waits["total"]) == (
        "bank",
        "per_day",
        False,
        2,
    )
    assert "bank" in run("waiting")
    assert "bank" in run("list")


def test_what_cannot_be_is_refused_in_one_line(runner: CliRunner):
    with pytest.raises(NotFound):
        runner.invoke(app, ["source", "show", "nobody"], catch_exceptions=False)
    with pytest.raises(NotFound):
        runner.invoke(app, ["source", "set", "nobody", "--why", "x"], catch_exceptions=False)
    with pytest.raises(NotPermitted):
        runner.invoke(app, ["source", "release", "7", "--by", "cli"], catch_exceptions=False)
