"""`dialer token`: the secret on standard output once, and never again."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from dialer.__main__ import build_command_line
from dialer.core.errors import Invalid, NotFound
from dialer.runtime.settings import load_settings
from dialer.staff.sign_in import TokenAuth
from dialer.staff.token_store import TokenScope
from tests.api.office import ROOT, Opener

app = build_command_line()


@pytest.fixture
def runner(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(ROOT)
    return CliRunner()


def test_a_token_is_made_listed_and_revoked(runner: CliRunner, environment: dict[str, str], opened: Opener):
    made = runner.invoke(
        app,
        ["token", "add", "bank", "--scope", "warnings:write", "--scope", "cases:read", "--days", "7"],
        catch_exceptions=False,
    )
    assert made.exit_code == 0
    secret = made.stdout.strip()
    assert "\n" not in secret
    assert "bank" in made.stderr
    assert secret not in made.stderr
    services = opened(environment).services
    assert TokenAuth(services).recognise(secret).scopes == {TokenScope.WARNINGS_WRITE, TokenScope.CASES_READ}
    listed = runner.invoke(app, ["token", "list", "--json"], catch_exceptions=False)
    (one,) = json.loads(listed.stdout)
    assert (one["name"], one["good"], one["scopes"]) == ("bank", True, ["cases:read", "warnings:write"])
    assert secret not in listed.stdout
    assert runner.invoke(app, ["token", "revoke", "bank"], catch_exceptions=False).exit_code == 0
    shown = runner.invoke(app, ["token", "list"], catch_exceptions=False)
    assert "bank" in shown.stdout
    assert not json.loads(runner.invoke(app, ["token", "list", "--json"]).stdout)[0]["good"]


def test_what_cannot_be_is_refused_in_one_line(runner: CliRunner):
    with pytest.raises(Invalid, match="warnings:write"):
        runner.invoke(app, ["token", "add", "bank", "--scope", "all"], catch_exceptions=False)
    with pytest.raises(NotFound):
        runner.invoke(app, ["token", "revoke", "bank"], catch_exceptions=False)


def test_the_settings_of_the_api_are_read(environment: dict[str, str]):
    assert load_settings(environment, ROOT / "settings.toml").api.burst == 1000
