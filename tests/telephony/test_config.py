"""Telephony settings that cannot work are refused at start, by the key's name, and never shown with a token."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dialer.core.errors import SettingsError
from dialer.telephony.config import TelephonyConfig

GOOD = TelephonyConfig(
    base_url="http://127.0.0.1:5061",
    account_sid="AC1",
    auth_token="secret-one",
    auth_token_next="secret-two",
    caller_number="+8647896110",
    public_url="https://a.cn",
)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"base_url": "a.cn"}, "telephony.base_url"),
        ({"base_url": ""}, "telephony.base_url"),
        ({"base_url": "ftp://a.cn"}, "telephony.base_url"),
        ({"base_url": "http://a.cn?x=1"}, "telephony.base_url"),
        ({"base_url": "http://user:pass@a.cn"}, "telephony.base_url"),
        ({"public_url": ""}, "telephony.public_url"),
        ({"public_url": "https://"}, "telephony.public_url"),
        ({"public_url": "https://a.cn/#x"}, "telephony.public_url"),
        ({"account_sid": ""}, "telephony.account_sid"),
        ({"account_sid": "AC1/../x"}, "telephony.account_sid"),
        ({"account_sid": "AC1\n"}, "telephony.account_sid"),
        ({"auth_token": ""}, "telephony.auth_token"),
        ({"caller_number": ""}, "telephony.caller_number"),
        ({"caller_number": "police"}, "telephony.caller_number"),
        ({"officer_number": "x"}, "telephony.officer_number"),
        ({"timeout_seconds": 0}, "telephony.timeout_seconds"),
        ({"ring_timeout_seconds": 0}, "telephony.ring_timeout_seconds"),
        ({"ring_timeout_seconds": 601}, "telephony.ring_timeout_seconds"),
        ({"officer_ring_seconds": 0}, "telephony.officer_ring_seconds"),
        ({"talk_limit_seconds": 0}, "telephony.talk_limit_seconds"),
    ],
)
def test_what_cannot_work_is_refused_by_its_key(change: dict[str, object], key: str):
    with pytest.raises(SettingsError) as caught:
        replace(GOOD, **change)  # type: ignore[arg-type]
    assert caught.value.key == key


def test_a_token_is_never_shown():
    assert "secret" not in repr(GOOD)


def test_both_tokens_of_a_rotation_sign():
    assert GOOD.signing_tokens == ("secret-one", "secret-two")
    assert replace(GOOD, auth_token_next=None).signing_tokens == ("secret-one",)
    assert replace(GOOD, auth_token_next="").signing_tokens == ("secret-one",)


def test_twilio_itself_needs_no_base_url():
    assert replace(GOOD, base_url=None).base_url is None
