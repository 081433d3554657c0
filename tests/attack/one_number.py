"""Attacks on one telephone: many cases, and with them tasks and visits, and many messages, over all cases together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import sqlalchemy as sa

from dialer.calls.messages import send_messages
from dialer.cases.effects import insert_messages, message_row
from dialer.cases.store import lock_cases
from dialer.core.events import SendMessage
from dialer.core.values import FraudType, MessageChannel, MessagePurpose, MessageState
from dialer.db import tables as t
from dialer.telephony.channels import MessageClient, MessageProgress, Placed, SendText
from dialer.warnings.source_limits import waiting_warnings
from tests.attack.sources import WARNINGS, headers_of

if TYPE_CHECKING:
    from tests.attack.run import Attack, Target


class _Counting(MessageClient):
    """A channel that takes every message."""

    channel = MessageChannel.SMS

    def __init__(self) -> None:
        self.sent: list[SendText] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Has nothing to close."""

    async def send(self, order: SendText, /) -> Placed:
        self.sent.append(order)
        return Placed(sid=f"SM{order.message_id.hex}", status="queued")

    async def state(self, _sid: str, /) -> MessageProgress | None:
        return None


def _cases(target: Target, source: str) -> list[int]:
    c = t.case.c
    with target.made.app.services.store.begin() as tx:
        return [row["id"] for row in tx.rows(sa.select(c.id).where(c.source == source).order_by(c.id))]


async def kinds_of_fraud(target: Target, attack: Attack) -> None:
    """A token sends one person under every kind of fraud and further names: few cases are open, the rest wait."""
    client, most = target.desk.stranger(), target.made.settings.sources.cases_a_number
    kinds = [kind for kind in FraudType if kind is not FraudType.UNKNOWN]
    for number in range(target.times(5)):
        name = f"kinds-{number}"
        own = headers_of(target, name, "warnings:write")
        phone = f"1330{target.chance.randrange(10**7):07d}"
        people = [("王一", kind) for kind in kinds] + [(f"李{n}", kinds[0]) for n in range(6)]
        for place, (who, kind) in enumerate(people):
            sent = {"instruction_no": f"K-{place}", "grade": "特高危", "name": who, "phones": phone}
            answer = await client.post(WARNINGS, json=sent | {"fraud_type": kind.value}, headers=own)
            attack.tried += 1
            attack.must(answer.status_code == 200, f"a warning of one number got {answer.text[:80]}")
        opened = len(_cases(target, name))
        attack.must(opened <= most, f"{opened} cases of one number are open, {most} may be")
        waits = sum(one.total for one in waiting_warnings(target.made.app.services, source=name))
        attack.must(
            opened + waits == len(people), f"of {len(people)} warnings {opened} went on, {waits} wait"
        )


async def texts_of_a_number(target: Target, attack: Attack) -> None:
    """Every case of one number has every message due at once: the number gets no more than its budget, and the rest of
    them wait.
    """
    client, services = target.desk.stranger(), target.made.app.services
    most = services.lines.number_messages_an_hour
    for number in range(target.times(5)):
        name = f"texts-{number}"
        own = headers_of(target, name, "warnings:write")
        phone = f"1320{target.chance.randrange(10**7):07d}"
        sent = [
            {"instruction_no": f"T-{n}", "grade": "低危", "name": f"王{n}", "phones": phone}
            for n in range(24)
        ]
        answer = await client.post(WARNINGS, json=sent, headers=own)
        attack.must(answer.status_code == 200, f"warnings of one number got {answer.text[:80]}")
        cases = _cases(target, name)
        with services.store.begin() as tx:
            rows = [
                message_row(
                    stored,
                    SendMessage(purpose=purpose, number=0, channel=MessageChannel.SMS),
                    at=services.clock.now(),
                )
                for stored in lock_cases(tx, cases).values()
                for purpose in MessagePurpose
            ]
            insert_messages(tx, rows)
        channel = _Counting()
        for _ in range(3):
            await send_messages(services, channel)
        attack.tried += len(rows)
        got = sum(order.to == f"+86{phone}" for order in channel.sent)
        attack.must(got <= most, f"one number got {got} messages, {most} an hour may be")
        c = t.message.c
        waits = sa.select(sa.func.count()).where(c.case_id.in_(cases), c.state == MessageState.PLANNED.value)
        with services.store.begin() as tx:
            left = int(tx.scalar(waits))
        attack.must(got + left == len(rows), f"of {len(rows)} messages {got} were sent and {left} wait")
