"""Every setting as a row: its value, where it is set, what a restart would change; of a secret that it is set."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.core.errors import SettingsError
from dialer.runtime.settings import NAMES, load_settings
from dialer.runtime.settings_table import SettingRow, settings_table
from tests.conftest import ROOT

SECRET = "not-for-anybody"


def rows(running: dict[str, str], now: dict[str, str] | None = None) -> dict[str, SettingRow]:
    found = settings_table(load_settings(running), running if now is None else now)
    return {row.key: row for row in found}


def test_every_setting_is_there_once():
    found = settings_table(load_settings({}), {})
    assert [row.variable for row in found] == [f"DIALER_{name}" for name in NAMES]


def test_a_setting_says_where_it_is_set(tmp_path: Path):
    file = tmp_path / "settings.toml"
    file.write_text((ROOT / "settings.toml").read_text(encoding="utf-8"), encoding="utf-8")
    secret = tmp_path / "token"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    found = rows(
        {
            "DIALER_SETTINGS": str(file),
            "DIALER_TELEPHONY__LINES": "7",
            "DIALER_TELEPHONY__AUTH_TOKEN_FILE": str(secret),
            "DIALER_SCHEDULER__AUDIT_SECONDS": "9",
        }
    )
    lines = found["telephony.lines"]
    assert (lines.value, lines.place, lines.variable) == (
        "7",
        "DIALER_TELEPHONY__LINES",
        "DIALER_TELEPHONY__LINES",
    )
    assert found["telephony.calls_per_second"].place == str(file)
    assert found["telephony.base_url"].place == ""
    assert found["telephony.auth_token"].place == "DIALER_TELEPHONY__AUTH_TOKEN_FILE"
    former = found["scheduler.consistency_seconds"]
    assert (former.value, former.place) == ("9.0", "DIALER_SCHEDULER__AUDIT_SECONDS")


def test_of_a_secret_nothing_is_shown_but_that_it_is_set():
    found = rows(
        {
            "DIALER_DATABASE__URL": f"postgresql+psycopg://dialer:{SECRET}@db/dialer",
            "DIALER_WEB__PUBLIC_URL": "https://dialer.example.cn",
        },
        {"DIALER_DATABASE__URL": f"postgresql+psycopg://dialer:{SECRET}2@db/dialer"},
    )
    database, unset = found["database.url"], found["telephony.auth_token"]
    assert (database.is_secret, database.is_set, database.is_changed) == (True, True, True)
    assert (unset.is_secret, unset.is_set, unset.is_changed) == (True, False, False)
    assert found["web.public_url"].value == "https://dialer.example.cn"
    assert SECRET not in repr(found)


def test_what_a_restart_would_change_is_told():
    found = rows({"DIALER_TELEPHONY__LINES": "7"}, {"DIALER_TELEPHONY__LINES": "9"})
    assert {key for key, row in found.items() if row.is_changed} == {"telephony.lines"}
    assert (found["telephony.lines"].value, found["telephony.lines"].after_restart) == ("7", "9")


def test_a_process_that_would_not_start_is_told():
    with pytest.raises(SettingsError, match="TELEPHONY__LINES"):
        settings_table(load_settings({}), {"DIALER_TELEPHONY__LINES": "none"})


def test_lists_and_truths_are_as_the_environment_takes_them():
    found = rows({"DIALER_CENTRE__UNITS": '["某县公安局"]'})
    assert found["centre.units"].value == '["某县公安局"]'
    assert found["web.check_public_url"].value == "true"
    assert found["carrier.sip.trunks"].value == "{}"
    assert found["telephony.base_url"].value == ""


@pytest.mark.parametrize(
    ("words", "is_found"),
    [("", True), ("LINES", True), ("tele 24", True), ("tele 25", False), ("DIALER_TELEPHONY__LINES", True)],
)
def test_a_search_finds_every_word_in_names_value_or_place(words: str, is_found: bool):
    assert rows({})["telephony.lines"].matches(words) is is_found
