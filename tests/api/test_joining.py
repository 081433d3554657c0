"""Requests share transactions: the urgent first, none lost, and what one breaks costs only itself."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from dialer.api.gate import WriteBatcher
from dialer.core.errors import Unavailable
from dialer.db import tables as t
from dialer.intake.records import Field
from dialer.org.staff_store import Token, TokenScope
from dialer.warnings.deliveries import Answer, Delivery, WarningStatus, read_warnings
from tests.api.office import Office
from tests.outcomes.town import MORNING, Scenario

TOKEN = Token(
    id=1,
    name="bank",
    scopes=frozenset(TokenScope),
    unit="",
    created_at=MORNING,
    expires_at=MORNING + timedelta(days=1),
    revoked_at=None,
    last_used_on=None,
)


@pytest.fixture
def scenario(fresh_database: str) -> Iterator[Scenario]:
    scenario = Scenario(fresh_database)
    yield scenario
    scenario.store.dispose()


def delivery(scenario: Scenario, name: str, *, grade: str = "低", size: int = 1) -> Delivery:
    cells = [{Field.PHONE: "13800138000", Field.NAME: name, Field.GRADE: grade}] * size
    return read_warnings(scenario.services, cells, token=TOKEN)


class Books:
    """Takes deliveries when it is let, and remembers which came together."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.begun = threading.Semaphore(0)
        self.let = threading.Semaphore(0)
        self.broken = ""
        self.fault: Exception = RuntimeError("broken")

    def take(self, deliveries: Sequence[Delivery]) -> list[tuple[Answer, ...]]:
        names = [one.accepted[0].record.name for one in deliveries]
        self.batches.append(names)
        self.begun.release()
        assert self.let.acquire(timeout=60)
        if self.broken in names:
            raise self.fault
        return [(Answer(status=WarningStatus.ACCEPTED, source=name),) for name in names]

    def open(self) -> None:
        for _ in range(100):
            self.let.release()


@pytest.fixture
def books() -> Books:
    return Books()


@pytest.fixture
def joining(books: Books) -> Iterator[WriteBatcher]:
    with ThreadPoolExecutor(2) as threads:
        yield WriteBatcher(books.take, threads)


def test_what_comes_meanwhile_goes_together_and_the_urgent_first(
    scenario: Scenario, books: Books, joining: WriteBatcher
):
    told = [joining.put(delivery(scenario, "一"))]
    assert books.begun.acquire(timeout=60)
    told += [joining.put(delivery(scenario, name)) for name in ("二", "三")]
    told.append(joining.put(delivery(scenario, "急", grade="特高危")))
    books.open()
    assert [one.result(timeout=60)[0].source for one in told] == ["一", "二", "三", "急"]
    assert books.batches == [["一"], ["急", "二", "三"]]


def test_a_transaction_holds_a_thousand_and_the_urgent_do_not_wait_for_the_many(
    scenario: Scenario, books: Books, joining: WriteBatcher
):
    told = [joining.put(delivery(scenario, "一"))]
    assert books.begun.acquire(timeout=60)
    told += [joining.put(delivery(scenario, name, size=600)) for name in ("多", "众")]
    told.append(joining.put(delivery(scenario, "急", grade="高")))
    books.open()
    for one in told:
        one.result(timeout=60)
    assert books.batches == [["一"], ["急", "多"], ["众"]]


def test_what_one_breaks_costs_only_itself(scenario: Scenario, books: Books, joining: WriteBatcher):
    books.broken = "坏"
    first = joining.put(delivery(scenario, "一"))
    assert books.begun.acquire(timeout=60)
    good, bad = joining.put(delivery(scenario, "好")), joining.put(delivery(scenario, "坏"))
    books.open()
    assert good.result(timeout=60)[0].status is WarningStatus.ACCEPTED
    assert isinstance(bad.exception(timeout=60), RuntimeError)
    assert first.result(timeout=60)
    assert joining.put(delivery(scenario, "后")).result(timeout=60)


def test_while_the_database_is_down_all_are_told_at_once(
    scenario: Scenario, books: Books, joining: WriteBatcher
):
    books.broken, books.fault = "坏", Unavailable(part="database", problem="is down")
    first = joining.put(delivery(scenario, "一"))
    assert books.begun.acquire(timeout=60)
    told = [joining.put(delivery(scenario, name)) for name in ("好", "坏")]
    books.open()
    assert [type(one.exception(timeout=60)) for one in told] == [Unavailable, Unavailable]
    assert first.result(timeout=60)
    assert books.batches == [["一"], ["好", "坏"]]


def test_who_has_gone_before_the_turn_is_left_out(scenario: Scenario, books: Books, joining: WriteBatcher):
    first = joining.put(delivery(scenario, "一"))
    assert books.begun.acquire(timeout=60)
    gone, stays = joining.put(delivery(scenario, "走")), joining.put(delivery(scenario, "留"))
    assert gone.cancel()
    books.open()
    assert stays.result(timeout=60)
    assert first.result(timeout=60)
    assert books.batches == [["一"], ["留"]]


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
