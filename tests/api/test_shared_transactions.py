"""Requests that arrive together share transactions, and each sender gets the answers to its own warnings."""

from __future__ import annotations

import asyncio

import sqlalchemy as sa

from dialer.db import tables as t
from tests.api.office import Office


async def test_many_senders_at_once_each_get_their_own_answer(office: Office):
    senders = [office.token(f"sender-{n}", "warnings:write") for n in range(4)]

    async def send(n: int) -> tuple[str, str]:
        warning = {"phones": f"1380013{n:04d}", "name": f"甲{n}", "instruction_no": str(n)}
        answer = await office.send(warning, {"phones": "12"}, headers=senders[n % 4])
        one, two = answer.json()["results"]
        assert (one["status"], two["status"]) == ("accepted", "rejected")
        return one["source"], one["instruction_no"]

    told = await asyncio.gather(*(send(n) for n in range(40)))
    assert told == [(f"sender-{n % 4}", str(n)) for n in range(40)]
    with office.app.services.store.begin() as tx:
        audited = tx.rows(
            sa.select(t.audit.c.who, sa.func.count().label("n"))
            .where(t.audit.c.act == "take_warnings")
            .group_by(t.audit.c.who)
            .order_by(t.audit.c.who)
        )
    assert [(row["who"], row["n"]) for row in audited] == [(f"token/sender-{n}", 10) for n in range(4)]
