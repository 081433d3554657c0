"""A policy is stored as JSON and read back as it was."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import time

from dialer.core.policy import from_plain, to_plain
from dialer.core.values import Grade, MessageChannel
from tests.core.samples import POLICY


def test_a_stored_policy_is_the_same_when_it_is_read():
    window = replace(POLICY.window, opens=time(8, 30), closes=time(21, 15), zone="Asia/Urumqi")
    policy = replace(POLICY, version=7, window=window)
    plain = json.loads(json.dumps(to_plain(policy)))
    assert "version" not in plain
    assert (plain["window"]["opens"], plain["window"]["closes"]) == ("08:30", "21:15")
    assert from_plain(plain, version=7) == policy


def test_messages_of_a_policy_from_before_there_were_channels_go_by_sms():
    plain = to_plain(POLICY)
    del plain["grades"]["high"]["message_channel"]
    assert from_plain(plain, version=1).of(Grade.HIGH).message_channel is MessageChannel.SMS


def test_the_watch_period_is_in_seconds():
    assert replace(POLICY, watch_seconds=90).watch().total_seconds() == 90
