"""The registry of channels: every channel has a client, and no grade names one without."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any, Self

import pytest

from dialer.bootstrap import refuse_unknown_channels
from dialer.core.errors import SettingsError
from dialer.core.policy import from_plain, to_plain
from dialer.core.values import Grade, MessageChannel
from dialer.tasks.application import use_application
from dialer.tasks.dial_work import send_messages_task
from tests.control.scene import Assemble
from tests.core.samples import POLICY


def test_every_channel_that_is_configured_has_a_client_of_its_own(assembled: Assemble):
    registered = assembled().message_channels
    assert MessageChannel.SMS in registered
    assert [make().channel for make in registered.values()] == list(registered)


def test_the_task_asks_every_channel(assembled: Assemble):
    use_application(assembled())
    send_messages_task()


def test_a_channel_that_does_not_answer_keeps_one_thread_and_the_next_task_serves_the_others(
    assembled: Assemble,
):
    served: list[str] = []

    class Channel:
        channel = MessageChannel.SMS

        def __init__(self, name: str) -> None:
            self.name = name

        async def __aenter__(self) -> Self:
            served.append(self.name)
            if served == ["silent"]:  # meanwhile
                await asyncio.to_thread(send_messages_task)
            return self

        async def __aexit__(self, *_: object) -> None:
            pass

    channels: Any = {name: partial(Channel, name) for name in ("silent", "sound")}
    use_application(replace(assembled(), message_channels=channels))
    send_messages_task()
    assert served == ["silent", "sound", "sound"]


def test_a_grade_whose_channel_is_not_configured_stops_the_start():
    refuse_unknown_channels(POLICY, {MessageChannel.SMS})
    with pytest.raises(SettingsError) as refused:
        refuse_unknown_channels(POLICY, ())
    assert refused.value.key == "policy.extra_high.message_channel"


def test_a_policy_of_before_there_were_channels_sends_by_sms():
    plain = to_plain(POLICY)
    for rules in plain["grades"].values():
        assert rules.pop("message_channel") == "sms"
    read = from_plain(plain, version=POLICY.version)
    assert read == POLICY
    assert read.of(Grade.LOW).message_channel is MessageChannel.SMS
