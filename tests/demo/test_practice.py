"""The service for practice points at nothing real, and its database can never be used with a real line."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from dialer.bootstrap import refuse_other_line
from dialer.core.access import Role
from dialer.core.errors import DialerError, Refusal, SettingsError
from dialer.db.system_state import is_drill_database, is_practice_database, mark_practice_database
from dialer.demo.practice import (
    PracticeRunsAlready,
    make_practice_accounts,
    practice_environment,
    practice_servers,
)
from dialer.demo.run import DemoRunsAlready, clean_environment, only_run
from dialer.runtime.services import Application
from dialer.runtime.settings import Settings, load_settings
from tests.outcomes.town import Scenario

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("DIALER_")}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DIALER_DATABASE__URL", "postgresql+psycopg://dialer@db/dialer"),
        ("DIALER_BROKER__URL", "redis://broker:6379/0"),
        ("DIALER_TELEPHONY__BASE_URL", "https://api.example"),
        ("DIALER_KEYS__FILE", "/etc/dialer/keys/keys.toml"),
        ("DIALER_CARRIER__LINE", "sip"),
        ("DIALER_AUDIT__ANCHOR_FILE", "/mnt/anchors"),
        ("DIALER_AUDIT__ANCHOR_SYSLOG", "log:514"),
        ("DIALER_ERASURE__REGISTER_FILE", "/mnt/erasures.jsonl"),
    ],
)
def test_settings_of_a_real_service_are_refused(tmp_path: Path, name: str, value: str):
    with pytest.raises(SettingsError):
        practice_environment(CLEAN | {"DIALER_DATA_DIR": str(tmp_path), name: value})


def test_everything_is_its_own_and_only_a_caller_calls(tmp_path: Path):
    settings = load_settings(practice_environment(CLEAN | {"DIALER_DATA_DIR": str(tmp_path)}, port=0))
    assert settings.data_dir == tmp_path / "practice"
    assert settings.is_simulated()
    assert settings.work.least_call_seconds == 0
    grade = settings.policy.extra_high
    assert (grade.human_after_seconds, grade.first_attempt_seconds) == (0, 7 * 86_400)
    assert grade.follow_up_by is None
    assert not grade.visit_when_human_fails
    high = settings.policy.high
    assert min(high.human_after_seconds, high.visit_after_seconds) == 7 * 86_400


def test_a_database_for_practice_takes_no_real_line(fresh_database: str):
    scenario = Scenario(fresh_database)
    with scenario.tx() as tx:
        assert not is_practice_database(tx)
        mark_practice_database(tx)
        mark_practice_database(tx)
        assert is_practice_database(tx)
        assert is_drill_database(tx)
        with pytest.raises(SettingsError):
            refuse_other_line(tx, is_simulated=False)
    scenario.close()


def test_accounts_are_made_once(fresh_database: str):
    scenario = Scenario(fresh_database)
    services = scenario.services
    first = make_practice_accounts(services, ["zhang", "zhang"])
    assert [account.member.role for account in first] == [
        Role.SUPERVISOR,
        Role.ADMINISTRATOR,
        Role.SECURITY_ADMINISTRATOR,
        Role.CALLER,
    ]
    again = make_practice_accounts(services, ["zhang", "li"], ["wang"])
    assert {account.member.login: account.member.role for account in again} == {
        "li": Role.CALLER,
        "wang": Role.OFFICER,
    }
    assert make_practice_accounts(services, []) == []
    scenario.close()


@pytest.mark.parametrize(
    ("begin", "lock", "refusal"),
    [
        (practice_servers, "practice.lock", PracticeRunsAlready),
        (clean_environment, "demo.lock", DemoRunsAlready),
    ],
)
def test_a_second_run_in_the_same_folder_is_refused_until_the_first_ends(
    tmp_path: Path,
    begin: Callable[[Settings], AbstractContextManager[Application]],
    lock: str,
    refusal: Callable[[], Refusal],
):
    settings = load_settings(CLEAN | {"DIALER_DATA_DIR": str(tmp_path / "folder")})
    with only_run(settings.data_dir, lock, refusal):
        with pytest.raises(DialerError) as told, begin(settings):
            pass
        assert type(told.value) is refusal
    with only_run(settings.data_dir, lock, refusal) as again:
        assert [one.name for one in again.iterdir()] == [lock]
