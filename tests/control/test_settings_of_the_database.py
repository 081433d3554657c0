"""A database knows which line and centre it belongs to. A process with other settings does not start, a command only
reads, and the pace is changed by an act alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from click.testing import Result
from typer.testing import CliRunner

from dialer.__main__ import build_command_line
from dialer.bootstrap import assemble
from dialer.calls.pacing import read_pace, restore_pace
from dialer.calls.pauses import pause_calls
from dialer.control.overview import adopt_identity
from dialer.core.access import unrestricted
from dialer.core.errors import Conflict, DialerError, SettingsError
from dialer.core.values import PauseScope
from dialer.db import tables as t
from dialer.db.system_state import (
    OtherSettings,
    RealRecords,
    mark_drill_database,
    note_heartbeat,
    recorded_identity,
)
from dialer.runtime.services import Application, ProcessPurpose
from dialer.runtime.settings import load_settings
from tests.audit_lines import audit_lines
from tests.control.scene import Scene

commands = build_command_line()

SID, TOKEN, OTHER, THIRD = "AC" + "0" * 32, "t" * 32, "o" * 32, "h" * 32
REAL = {
    "DIALER_TELEPHONY__BASE_URL": "https://carrier.example.cn",
    "DIALER_TELEPHONY__ACCOUNT_SID": SID,
    "DIALER_TELEPHONY__AUTH_TOKEN": TOKEN,
    "DIALER_TELEPHONY__CALLS_PER_SECOND": "8",
    "DIALER_TELEPHONY__LINES": "400",
    "DIALER_WEB__PUBLIC_URL": "https://dialer.example.cn",
}
Start = Callable[..., Application]


@pytest.fixture
def start(environment: dict[str, str]):
    """As an entry point does; `_` in place of a value: not set."""
    made: list[Application] = []

    def begin(purpose: ProcessPurpose = ProcessPurpose.SERVE, **env: str) -> Application:
        given = {name: value for name, value in (environment | REAL | env).items() if value != "_"}
        made.append(assemble(load_settings(given), purpose))
        return made[-1]

    yield begin
    for one in made:
        one.close()


BARE = dict.fromkeys(REAL, "_")


def state(app: Application) -> list[list[tuple[object, ...]]]:
    """All that a start may write."""
    tables = (t.meta, t.line_group, t.policy_version, t.script_version, t.audit, t.alarm)
    with app.services.store.begin() as tx:
        return [[tuple(row.values()) for row in tx.rows(sa.select(table))] for table in tables]


def pace(app: Application) -> tuple[float, int]:
    now = read_pace(app.services)
    return now.calls_per_second, now.lines


def test_a_bare_process_does_not_start_and_needs_no_record(start: Start):
    first = start()
    before = state(first)
    with pytest.raises(OtherSettings) as refused:
        start(**BARE)
    assert {difference.setting for difference in refused.value.differences} == {"telephony.base_url"}
    assert "telephony.base_url simulated ≠ https://carrier.example.cn" in str(refused.value)
    assert state(first) == before
    assert pace(first) == (8.0, 400)


def test_a_bare_command_reads_and_writes_nothing(start: Start):
    first = start()
    before = state(first)
    bare = start(ProcessPurpose.COMMAND, **BARE, DIALER_POLICY__BUSY_RETRY_SECONDS="77")
    assert pace(bare) == (8.0, 400)
    with pytest.raises(OtherSettings):
        pause_calls(bare.services, unrestricted("li"), scope=PauseScope.ALL, subject="", minutes=5, why="x")
    with pytest.raises(OtherSettings):
        restore_pace(bare.services, unrestricted("li"))
    assert state(first) == before


def test_each_setting_that_differs_is_named(start: Start):
    start()
    for setting, name, value in (
        ("telephony.base_url", "DIALER_TELEPHONY__BASE_URL", "https://other.example.cn"),
        ("telephony.account_sid", "DIALER_TELEPHONY__ACCOUNT_SID", "AC" + "1" * 32),
        ("telephony.auth_token", "DIALER_TELEPHONY__AUTH_TOKEN", OTHER),
        ("telephony.caller_number", "DIALER_TELEPHONY__CALLER_NUMBER", "+8647800000"),
        ("telephony.officer_number", "DIALER_TELEPHONY__OFFICER_NUMBER", "+8647800001"),
        ("web.public_url", "DIALER_WEB__PUBLIC_URL", "https://elsewhere.example.cn"),
        ("centre.timezone", "DIALER_CENTRE__TIMEZONE", "Asia/Urumqi"),
        ("centre.area_code", "DIALER_CENTRE__AREA_CODE", "0471"),
    ):
        with pytest.raises(OtherSettings) as refused:
            start(**{name: value})
        assert [difference.setting for difference in refused.value.differences] == [setting]
        for secret in (TOKEN, OTHER):
            assert secret not in str(refused.value)


def test_a_token_is_rotated_without_an_act(start: Start):
    start()
    start(DIALER_TELEPHONY__AUTH_TOKEN_NEXT=OTHER)
    start(DIALER_TELEPHONY__AUTH_TOKEN=OTHER)
    start(DIALER_TELEPHONY__AUTH_TOKEN=OTHER)
    with pytest.raises(OtherSettings):
        start(DIALER_TELEPHONY__AUTH_TOKEN=THIRD)


def test_no_start_changes_the_pace_and_an_act_does(start: Start):
    first = start()
    again = start(DIALER_TELEPHONY__CALLS_PER_SECOND="2", DIALER_TELEPHONY__LINES="10")
    assert pace(first) == (8.0, 400)
    restore_pace(again.services, unrestricted("zhao"), why="fewer lines")
    assert pace(first) == (2.0, 10)
    line = audit_lines(first.services.store)[-1]
    assert (line["who"], line["act"], line["facts"]) == (
        "zhao", "pace.settings", {"before": "8/s, 400", "after": "2/s, 10"},
    )  # fmt: skip


def test_an_upgraded_database_belongs_to_its_first_start(start: Start):
    """A command comes first: it records nothing, and its pace does not stay."""
    bare = start(ProcessPurpose.COMMAND, **BARE)
    with bare.services.store.begin() as tx:
        assert recorded_identity(tx) is None
    first = start()
    assert pace(first) == (8.0, 400)
    with pytest.raises(OtherSettings):
        start(**BARE)


def test_a_database_of_real_calls_never_becomes_the_simulated_line_s(start: Start, scene: Scene):
    case = scene.open_case()
    scene.change_attempt(scene.attempt_of(case)["id"], sent_at=scene.clock.now())
    with pytest.raises(RealRecords):
        start(**BARE)


def test_a_drill_never_becomes_a_real_line_s(start: Start):
    bare = start(ProcessPurpose.COMMAND, **BARE)
    with bare.services.store.begin() as tx:
        mark_drill_database(tx)
    with pytest.raises(SettingsError):
        start()


def test_other_settings_are_adopted_by_an_act_that_is_audited(start: Start):
    first = start()
    moved = start(ProcessPurpose.ADOPT, DIALER_CENTRE__AREA_CODE="0471")
    with pytest.raises(DialerError):
        adopt_identity(moved.services, unrestricted("zhao"), moved.identity, why=" ")
    adopt_identity(moved.services, unrestricted("zhao"), moved.identity, why="moved")
    line = audit_lines(first.services.store)[-1]
    assert (line["who"], line["act"], line["why"], line["facts"]) == (
        "zhao", "settings.adopt", "moved", {"centre.area_code": "0478 > 0471"},
    )  # fmt: skip
    start(DIALER_CENTRE__AREA_CODE="0471")
    with pytest.raises(OtherSettings):
        start()


def test_nothing_is_adopted_under_a_running_service(start: Start):
    first = start()
    moved = start(ProcessPurpose.ADOPT, DIALER_CENTRE__AREA_CODE="0471")
    with first.services.store.begin() as tx:
        note_heartbeat(tx, process="w", kind="worker", real_now=first.services.real.now(), facts={})
    with pytest.raises(Conflict, match="worker"):
        adopt_identity(moved.services, unrestricted("zhao"), moved.identity, why="moved")


@pytest.fixture
def run(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    def command(*words: str, **env: str) -> Result:
        for name, value in (environment | REAL | env).items():
            if value == "_":
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        return CliRunner().invoke(commands, list(words))

    return command


def test_the_commands_of_a_bare_shell(start: Start, run: Callable[..., Result]):
    first = start()
    before = state(first)
    assert run("alarms", "--limit", "1", **BARE).exit_code == 0
    refused = run("pause", "--minutes", "5", "--by", "cli", "--why", "x", **BARE)
    assert isinstance(refused.exception, OtherSettings)
    shown = json.loads(run("settings", "show", "--json", **BARE).stdout)
    assert [one["setting"] for one in shown if not one["fits"]] == ["telephony.base_url"]
    checks = {load["name"]: load for load in json.loads(run("doctor", "--json", **BARE).stdout)}
    assert checks["database and broker"]["ok"]
    assert not checks["settings of the database"]["ok"]
    assert not checks["pace"]["ok"]
    assert state(first) == before
    adopted = run("settings", "adopt", "--by", "cli", "--why", "moved", DIALER_CENTRE__AREA_CODE="0471")
    assert adopted.exit_code == 0
    assert "settings.adopt" in {line["act"] for line in audit_lines(first.services.store)}


def test_a_process_with_other_settings_does_not_migrate_the_database(start: Start):
    first = start()
    with first.services.store.begin() as tx:
        tx.execute(sa.text("UPDATE alembic_version SET version_num = '0029'"))
    for purpose in (ProcessPurpose.SERVE, ProcessPurpose.COMMAND):
        with pytest.raises(OtherSettings):
            start(purpose, **BARE)
    with first.services.store.begin() as tx:
        assert tx.scalar(sa.text("SELECT version_num FROM alembic_version")) == "0029"
