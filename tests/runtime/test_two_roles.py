"""A centre's own PostgreSQL: one role that owns the tables and migrates them, one for the service; or one for both."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dialer.__main__ import build_command_line
from dialer.bootstrap import application
from dialer.db.keys import create
from dialer.db.migrations import MayNotMigrate, owned_tables
from dialer.runtime.embedded import EmbeddedServers, ensure_servers
from dialer.runtime.services import ProcessPurpose
from dialer.runtime.settings import load_settings

commands = build_command_line()


@pytest.fixture
def own_servers(tmp_path: Path) -> Iterator[EmbeddedServers]:
    """Their addresses are configured, as those of a centre's own servers."""
    with ensure_servers(tmp_path / "theirs", ephemeral=True) as servers:
        yield servers


@pytest.fixture
def env(own_servers: EmbeddedServers, tmp_path: Path) -> dict[str, str]:
    create(tmp_path / "keys.toml")
    return {
        "DIALER_DATABASE__URL": own_servers.database_url,
        "DIALER_BROKER__URL": own_servers.broker_url,
        "DIALER_KEYS__FILE": str(tmp_path / "keys.toml"),
        "DIALER_DATA_DIR": str(tmp_path / "data"),
    }


def test_the_owner_migrates_and_the_service_s_role_runs(own_servers: EmbeddedServers, env: dict[str, str]):
    with pytest.raises(MayNotMigrate, match="DIALER_DATABASE__OWNER_URL"):
        application(load_settings(env), ProcessPurpose.SERVE)
    with application(load_settings(env | {"DIALER_DATABASE__OWNER_URL": own_servers.owner_url})):
        pass
    with application(load_settings(env), ProcessPurpose.SERVE) as app, app.services.store.begin() as tx:
        assert owned_tables(tx) == 0


def test_one_role_works_and_doctor_warns(
    own_servers: EmbeddedServers, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
):
    def doctor(url: str) -> dict[str, object]:
        for name, value in (env | {"DIALER_DATABASE__URL": url, "DIALER_WEB__PORT": "0"}).items():
            monkeypatch.setenv(name, value)
        told = CliRunner().invoke(commands, ["doctor", "--json"])
        assert told.exit_code == 0, told.output
        return {load["name"]: load for load in json.loads(told.stdout)}["role of the database"]

    with application(load_settings(env | {"DIALER_DATABASE__OWNER_URL": own_servers.owner_url})):
        pass
    one_role = doctor(own_servers.owner_url)
    assert one_role["ok"]
    assert "tables and could change them" in str(one_role["detail"])
    assert one_role["fix"]
    assert doctor(own_servers.database_url) == {
        "name": "role of the database", "ok": True, "detail": "the service's role owns no table", "fix": "",
        "mend": "",
    }  # fmt: skip
