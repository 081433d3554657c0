"""Http goes no further than this machine: the start is refused with the setting and the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.bootstrap import refuse_plain_http
from dialer.core.errors import SettingsError
from dialer.runtime.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("environment", "key"),
    [
        ({"WEB__HOST": "0.0.0.0"}, "web.public_url"),
        ({"WEB__HOST": "10.0.0.5"}, "web.public_url"),
        ({"WEB__HOST": "dialer.example.cn"}, "web.public_url"),
        ({"WEB__PUBLIC_URL": "http://dialer.example.cn"}, "web.public_url"),
        ({"WEB__PUBLIC_URL": "http://10.0.0.5:8000"}, "web.public_url"),
        ({"WEB__CONSOLE_URL": "http://dialer.example.cn"}, "web.console_url"),
        ({"TELEPHONY__BASE_URL": "http://carrier.example.cn"}, "telephony.base_url"),
        ({"IDENTITY__OIDC_ISSUER": "http://id.example.cn"}, "identity.oidc_issuer"),
    ],
)
def test_http_to_another_machine_is_refused(environment: dict[str, str], key: str):
    env = {f"DIALER_{name}": value for name, value in environment.items()}
    with pytest.raises(SettingsError) as refused:
        refuse_plain_http(load_settings(env, ROOT / "settings.toml"))
    assert refused.value.key == key
    assert "https" in str(refused.value)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"WEB__HOST": "::1"},
        {"WEB__HOST": "0.0.0.0", "WEB__PUBLIC_URL": "https://dialer.example.cn"},
        {"WEB__PUBLIC_URL": "http://localhost:8000"},
        {"TELEPHONY__BASE_URL": "http://127.0.0.1:4000"},
        {"TELEPHONY__BASE_URL": "https://carrier.example.cn"},
    ],
)
def test_https_and_the_own_machine_are_good(environment: dict[str, str]):
    env = {f"DIALER_{name}": value for name, value in environment.items()}
    refuse_plain_http(load_settings(env, ROOT / "settings.toml"))
