"""What the settings accept, and how they refuse the rest: one line that names the key."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pydantic
import pytest

from dialer.core.access import Role
from dialer.core.errors import SettingsError
from dialer.core.values import Grade
from dialer.demo.run import demo_environment
from dialer.runtime.settings import NAMES, PREFIX, load_settings

ROOT = Path(__file__).resolve().parents[2]


SHIPPED = (ROOT / "settings.toml").read_text()
POLICY = SHIPPED[SHIPPED.index("[policy]") :]


def write(file: Path, text: str) -> None:
    """The file holds `text` and, since that has no default, the shipped policy."""
    file.write_text(f"{text}\n{POLICY}")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "settings.toml"
    write(path, "")
    return path


def refusal(env: dict[str, str], file: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(env, file)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_shipped_file_says_what_the_code_falls_back_to(file: Path):
    shipped, bare = load_settings({}, ROOT / "settings.toml"), load_settings({}, file)
    # What the file alone can say: where data lie, who is on the simulated line, the centre's units and public holidays.
    apart: Any = {
        "data_dir": True,
        "carrier": True,
        "centre": {"units"},
        "duty": {"holidays", "working_days"},
    }
    assert shipped.model_dump(exclude=apart) == bare.model_dump(exclude=apart)


def test_the_environment_wins_over_the_file_key_by_key(file: Path):
    write(file, '[web]\nhost = "0.0.0.0"\nport = 9000\n[centre]\ndefault_grade = "high"\n')
    settings = load_settings({"DIALER_WEB__PORT": "9001", "dialer_log__level": "debug", "PATH": "/bin"}, file)
    assert (settings.web.host, settings.web.port) == ("0.0.0.0", 9001)
    assert settings.log.level == "debug"
    assert settings.centre.default_grade is Grade.HIGH


@pytest.mark.parametrize(
    "template",
    [
        "",
        "geo:{latitude},{longitude}?z=17",
        "https://map.local/at?lng={longitude}&lat={latitude}",
        "http://10.1.2.3:8080/#{latitude}/{longitude}",
    ],
)
def test_the_address_of_a_map(file: Path, template: str):
    write(file, f'[work]\nmap_address = "{template}"')
    assert load_settings({}, file).work.map_address == template


@pytest.mark.parametrize(
    "template",
    [
        "geo:{latitude}",
        "geo:{latitude},{latitude},{longitude}",
        "geo:{latitude},{longitude},{name}",
        "javascript:alert({latitude},{longitude})",
        "https://{latitude}/{longitude}",
        "//map.local/{latitude},{longitude}",
        "https://map.local/{latitude} {longitude}",
    ],
)
def test_an_address_that_cannot_be_a_map_is_refused(file: Path, template: str):
    said = refusal({"DIALER_WORK__MAP_ADDRESS": template}, file)
    assert "begins with geo: or https: and names {latitude} and {longitude}" in said


def test_every_name_that_others_rely_on_is_read(file: Path, tmp_path: Path):
    env = {
        "DIALER_DATABASE__URL": "postgresql+psycopg://u:p@h/d",
        "DIALER_BROKER__URL": "redis://:p@h/0",
        "DIALER_TELEPHONY__BASE_URL": "https://api.example.com/",
        "DIALER_TELEPHONY__ACCOUNT_SID": "AC" + "0" * 32,
        "DIALER_TELEPHONY__AUTH_TOKEN": "one",
        "DIALER_TELEPHONY__AUTH_TOKEN_NEXT": "two",
        "DIALER_TELEPHONY__CALLER_NUMBER": "+8601096110",
        "DIALER_TELEPHONY__CALLS_PER_SECOND": "2.5",
        "DIALER_TELEPHONY__LINES": "48",
        "DIALER_WEB__HOST": "::1",
        "DIALER_WEB__PORT": "0",
        "DIALER_WEB__PUBLIC_URL": "https://dialer.example.cn/base/",
        "DIALER_CLOCK__SPEED": "60",
        "DIALER_KEYS__FILE": str(tmp_path / "keys"),
        "DIALER_DATA_DIR": str(tmp_path / "data"),
    }
    assert set(env) <= {PREFIX + name for name in NAMES}
    settings = load_settings(env, file)
    assert settings.database.url.get_secret_value() == env["DIALER_DATABASE__URL"]
    assert settings.broker.url.get_secret_value() == env["DIALER_BROKER__URL"]
    telephony = settings.telephony
    assert telephony.base_url == "https://api.example.com"
    assert telephony.account_sid == env["DIALER_TELEPHONY__ACCOUNT_SID"]
    assert (telephony.auth_token.get_secret_value(), telephony.auth_token_next.get_secret_value()) == (
        "one",
        "two",
    )
    assert (telephony.caller_number, telephony.calls_per_second, telephony.lines) == ("+8601096110", 2.5, 48)
    assert (settings.web.host, settings.web.port) == ("::1", 0)
    assert settings.web.public_url == "https://dialer.example.cn/base"
    assert settings.clock.speed == 60
    assert (settings.keys.file, settings.data_dir) == (tmp_path / "keys", tmp_path / "data")


def test_settings_do_not_change(file: Path):
    settings = load_settings({}, file)
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        settings.web.port = 1


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("DIALER_WEB__PROT", "DIALER_WEB__PORT"),
        ("DIALER_TELEFONY__LINES", "DIALER_TELEPHONY__LINES"),
        ("DIALER_DATABASE_URL", "DIALER_DATABASE__URL"),
        ("DIALER_TELEPHONY__AUTH_TOKENS", "DIALER_TELEPHONY__AUTH_TOKEN"),
    ],
)
def test_a_misspelt_environment_name_is_refused_with_the_right_one(file: Path, name: str, meant: str):
    assert refusal({name: "1"}, file) == f"setting {name}: is not known; did you mean {meant}?"


@pytest.mark.parametrize("value", ["10.0.0.5", "10.0.0.5,10.0.0.6", "[10.0.0.5]"])
def test_a_list_that_is_not_written_as_one_is_named_with_its_fix(file: Path, value: str):
    said = 'setting DIALER_WEB__PROXIES: is not a list; write it as ["one", "two"]'
    assert refusal({"DIALER_WEB__PROXIES": value, "DIALER_WEB__PORT": "8000"}, file) == said


def test_an_environment_name_of_a_whole_section_is_refused(file: Path):
    assert refusal({"DIALER_WEB": '{"port": 1}'}, file).startswith("setting DIALER_WEB: is not known")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[web]\nprot = 1\n", "setting web.prot: is not known; did you mean web.port?"),
        ("[webb]\nport = 1\n", "setting webb: is not known"),
        ("data_dirs = 'x'\n", "setting data_dirs: is not known; did you mean data_dir?"),
        ("[web]\nport = 70000\n", "setting web.port: Input should be less than or equal to 65535"),
        ('[centre]\ntimezone = "Asia/Shangai"\n', "setting centre.timezone: Asia/Shangai is not a time zone"),
        ('[centre]\ndefault_grade = "top"\n', "setting centre.default_grade: Input should be 'extra_high'"),
        (
            '[web]\npublic_url = "dialer.example.cn"\n',
            "setting web.public_url: is not an address such as https://",
        ),
        (
            '[centre]\noffered_languages = ["English"]\n',
            "setting centre.offered_languages.0: String should match",
        ),
        ("[clock]\nspeed = 0.5\n", "setting clock.speed: Input should be greater than or equal to 1"),
        ("web = 3\n", "setting web: Input should be a valid dictionary"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(file: Path, text: str, line: str):
    write(file, text)
    assert refusal({}, file).startswith(line)


def test_languages_to_offer_are_a_list_and_none_by_default(file: Path):
    assert load_settings({}, file).centre.offered_languages == ()
    found = load_settings({"DIALER_CENTRE__OFFERED_LANGUAGES": '["en", "mn"]'}, file)
    assert found.centre.offered_languages == ("en", "mn")


def test_a_wrong_value_is_named_by_the_name_it_was_set_under(file: Path):
    assert refusal({"DIALER_WEB__PORT": "eighty"}, file).startswith(
        "setting DIALER_WEB__PORT: Input should be"
    )


def test_a_secret_is_never_part_of_a_refusal_or_a_representation(file: Path):
    secret = "postgresql://user:hunter2@host/d"
    settings = load_settings(
        {"DIALER_DATABASE__URL": secret, "DIALER_TELEPHONY__AUTH_TOKEN": "hunter2"}, file
    )
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in refusal({"DIALER_TELEPHONY__ACCOUNT_SID": "hunter2"}, file)


@pytest.mark.parametrize(
    "text",
    [
        '[telephony]\nauth_token = "x"\n',
        '[telephony]\nauth_token_next = "x"\n',
        '[database]\nurl = "postgresql://user:word@host/d"\n',
        '[broker]\nurl = "redis://:word@host/0"\n',
    ],
)
def test_secrets_do_not_belong_in_the_file(file: Path, text: str):
    write(file, text)
    line = refusal({}, file)
    assert "a secret does not belong in settings.toml: set DIALER_" in line
    assert "word" not in line


def test_an_address_without_password_may_stand_in_the_file(file: Path):
    write(file, '[broker]\nurl = "redis://cache.local:6379/0"\n')
    assert load_settings({}, file).broker.url.get_secret_value() == "redis://cache.local:6379/0"


def test_a_secret_may_come_from_a_private_file(file: Path, tmp_path: Path):
    token = tmp_path / "token"
    token.write_text("quiet\n")
    token.chmod(0o600)
    env = {"DIALER_TELEPHONY__AUTH_TOKEN_FILE": str(token)}
    assert load_settings(env, file).telephony.auth_token.get_secret_value() == "quiet"
    both = refusal({**env, "DIALER_TELEPHONY__AUTH_TOKEN": "loud"}, file)
    assert "is set beside DIALER_TELEPHONY__AUTH_TOKEN" in both
    token.chmod(0o640)
    assert "can be read by others" in refusal(env, file)
    token.unlink()
    assert "cannot be read" in refusal(env, file)


def test_a_name_set_to_nothing_is_not_set(file: Path):
    settings = load_settings({"DIALER_DATABASE__URL": "", "DIALER_WEB__PORT": ""}, file)
    assert settings.database.url is None
    assert settings.web.port == 8000


def test_folders_count_from_the_file_or_from_where_one_stands(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write(file, 'data_dir = "var"\n[keys]\nfile = "keys.json"\n')
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    settings = load_settings({}, file)
    assert (settings.data_dir, settings.keys.file) == (tmp_path / "var", tmp_path / "keys.json")
    assert load_settings({"DIALER_DATA_DIR": "mine"}, file).data_dir == elsewhere / "mine"


def test_the_file_is_the_named_one_then_the_one_here_then_the_shipped_one(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    assert load_settings({}).data_dir == ROOT / "var"
    write(here / "settings.toml", "[web]\nport = 1\n")
    assert load_settings({}).web.port == 1
    write(file, "[web]\nport = 2\n")
    assert load_settings({"DIALER_SETTINGS": str(file)}).web.port == 2
    with pytest.raises(SettingsError, match="setting DIALER_SETTINGS: /nowhere is not a file"):
        load_settings({"DIALER_SETTINGS": "/nowhere"})


def test_a_file_that_is_no_toml_is_one_line(file: Path):
    file.write_text("[web\n")
    assert "is no TOML" in refusal({}, file)
    file.write_bytes(b"\xff\xfe")
    assert "cannot be read" in refusal({}, file)


def test_a_grade_without_a_policy_is_refused(file: Path):
    file.write_text(SHIPPED.replace("[policy.low]", "[policy.lowest]"))
    assert refusal({}, file).startswith("setting policy.low")


@pytest.mark.parametrize(
    ("name", "value"),
    [("RTP_PORTS", "20000-10000"), ("RTP_PORTS", "60000-70000"), ("LISTEN", "0.0.0.0:99999")],
)
def test_ports_that_do_not_exist_are_refused(file: Path, name: str, value: str):
    assert name.lower() in refusal({f"DIALER_CARRIER__SIP__{name}": value}, file)


def test_a_setting_under_the_name_that_it_had_before_is_read(file: Path):
    assert load_settings({"DIALER_SCHEDULER__AUDIT_SECONDS": "7"}, file).scheduler.consistency_seconds == 7
    assert load_settings({"DIALER_RETENTION__CALLS_IN_DAYS": "7"}, file).retention.inbound_calls_days == 7
    write(file, "[scheduler]\naudit_seconds = 8.0\n")
    assert load_settings({}, file).scheduler.consistency_seconds == 8
    assert (
        load_settings({"DIALER_SCHEDULER__CONSISTENCY_SECONDS": "9"}, file).scheduler.consistency_seconds == 9
    )


def test_a_setting_under_its_old_and_its_new_name_is_refused_where_they_differ(file: Path):
    both = {"DIALER_SCHEDULER__AUDIT_SECONDS": "7", "DIALER_SCHEDULER__CONSISTENCY_SECONDS": "8"}
    beside = "is set beside DIALER_SCHEDULER__CONSISTENCY_SECONDS: keep one"
    assert refusal(both, file) == f"setting DIALER_SCHEDULER__AUDIT_SECONDS: {beside}"
    write(file, "[scheduler]\naudit_seconds = 8.0\nconsistency_seconds = 9.0\n")
    beside = "is set beside scheduler.consistency_seconds: keep one"
    assert refusal({}, file) == f"setting scheduler.audit_seconds: {beside}"


@pytest.mark.parametrize(("former", "now", "waits"), [("true", "waits", True), ("False", "person", False)])
def test_what_happens_outside_the_window_is_a_word_and_the_former_name_is_read(
    file: Path, former: str, now: str, waits: bool
):
    """`windowed = false` was read as: the robot calls at any hour."""
    for env in (
        {"DIALER_POLICY__HIGH__WINDOWED": former},
        {"DIALER_POLICY__HIGH__OUTSIDE_WINDOW": now},
    ):
        rules = load_settings(env, file).policy.policy(zone="Asia/Shanghai").of(Grade.HIGH)
        assert rules.windowed is waits
    file.write_text(SHIPPED.replace('outside_window = "waits"', "windowed = true"))
    assert load_settings({}, file).policy.low.outside_window == "waits"
    assert "waits" in refusal({"DIALER_POLICY__HIGH__OUTSIDE_WINDOW": "always"}, file)


def test_robots_call_at_any_hour_only_where_that_is_said(file: Path):
    equal = {"DIALER_POLICY__WINDOW__OPENS": "00:00", "DIALER_POLICY__WINDOW__CLOSES": "00:00"}
    assert refusal(equal, file) == (
        "setting policy.window: opens and closes are equal: set any_hour = true if robots may call at any hour"
    )
    said = {"DIALER_POLICY__WINDOW__ANY_HOUR": "true"}
    night = datetime(2026, 3, 2, 19, 0, tzinfo=UTC)
    for env, may in ({}, False), (said, True), (equal | said, True):
        assert load_settings(env, file).policy.policy(zone="Asia/Shanghai").window.is_open(night) is may


@pytest.mark.parametrize(
    ("host", "is_own"),
    [
        ("calls.example.cn", True),
        ("CALLS.example.cn.", True),
        ("console.example.cn", True),
        ("old-name.example.cn", True),
        ("10.1.2.3", True),
        ("::1", True),
        ("[fd00::1]", True),
        ("localhost", True),
        ("dialer-1", True),
        ("", True),
        ("evil.example", False),
        ("console.example.cn.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("x.console.example.cn", False),
        ("1.2.3.4.5", False),
    ],
)
def test_pages_have_names_of_their_own(host: str, is_own: bool):
    web = load_settings(
        {
            "DIALER_WEB__PUBLIC_URL": "https://calls.example.cn",
            "DIALER_WEB__CONSOLE_URL": "https://console.example.cn",
            "DIALER_WEB__HOSTS": '["Old-Name.example.cn"]',
        }
    ).web
    assert web.is_own_host(host) is is_own


def loaded_by_a_shell(text: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """What a command says that a shell starts after it has read this file of settings."""
    (tmp_path / "env").write_text(text)
    code = "from dialer.runtime.settings import load_settings; print(load_settings().database.url.get_secret_value())"
    return subprocess.run(
        ["sh", "-c", f'set -a; . {tmp_path}/env; set +a; exec {sys.executable} -c "{code}"'],
        env={name: value for name, value in os.environ.items() if not name.startswith(PREFIX)},
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_an_address_with_an_ampersand_is_taken_whole_or_the_cut_is_told(tmp_path: Path):
    address = "postgresql+psycopg://u:p$w@h/d?sslmode=verify-full&sslrootcert=/ca.pem"
    assert loaded_by_a_shell(f"DIALER_DATABASE__URL='{address}'\n", tmp_path).stdout.strip() == address
    cut = loaded_by_a_shell(f"DIALER_DATABASE__URL={address}\nDIALER_DATA_DIR={tmp_path}\n", tmp_path)
    assert "setting sslrootcert: is a variable: a shell has cut an address at its &" in cut.stderr


def test_a_value_in_quotes_that_its_reader_left_is_named(file: Path):
    told = refusal({"DIALER_BROKER__URL": "'redis://h/0'"}, file)
    assert told == "setting DIALER_BROKER__URL: has quotes that belong to the file: take them away"


def test_every_role_needs_a_second_factor():
    rules = load_settings({}).console.rules()
    assert set(Role) == rules.second_factor_roles
    since = datetime(2026, 12, 1, tzinfo=UTC)
    assert {rules.factor_due(role, since=since) for role in Role} == {datetime(2026, 12, 8, tzinfo=UTC)}
    others = load_settings({"DIALER_CONSOLE__SECOND_FACTOR_ROLES": '["clerk"]'}).console.rules()
    assert others.factor_due(Role.TELLER, since=since) is None


def test_the_demo_asks_for_no_second_factor():
    """Its accounts are printed with their passwords; `dialer demo` says so."""
    assert load_settings(demo_environment({})).console.second_factor_roles == ()
