"""An entry of a list belongs to its source, lapses, and lowers nothing of other sources."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dialer.core.sources import LISTS_SOURCE, is_internal_source
from dialer.core.values import Grade
from dialer.signals.evaluation import Evaluator
from dialer.signals.model import Direction, Item, ItemKind, ListChange, ListKind, Signal, SignalKind
from dialer.signals.observations import LISTED_FOR
from dialer.signals.rules import shipped_rules

START = datetime(2026, 3, 2, 1, tzinfo=UTC)
PERSON, ACCOUNT = b"p" * 16, Item(ItemKind.ACCOUNT, b"a" * 12)
OTHER = Item(ItemKind.ACCOUNT, b"b" * 12)
HOUR = timedelta(hours=1)


def payment(at: datetime, *, source: str = "bank") -> Signal:
    return Signal(
        source=source, signal_no=at.isoformat(), kind=SignalKind.PAYMENT_ATTEMPT, event_at=at, received_at=at,
        person=PERSON, items=(ACCOUNT,), amount_fen=9_000_000, new_payee=True,
    )  # fmt: skip


def change(
    at: datetime, source: str, list_kind: ListKind, *, removed: bool = False, name: str = ""
) -> Signal:
    return Signal(
        source=source, signal_no=f"L-{at}", kind=SignalKind.LIST_CHANGE, event_at=at, received_at=at, items=(ACCOUNT,),
        list_kind=list_kind, list_name=name, change=ListChange.REMOVED if removed else ListChange.ENTERED,
    )  # fmt: skip


def score(*signals: Signal) -> int:
    evaluator = Evaluator(shipped_rules())
    for signal in signals:
        evaluator.apply(signal)
    verdict = evaluator.verdict(PERSON)
    return verdict.score if verdict else 0


def grade(*signals: Signal) -> Grade | None:
    evaluator = Evaluator(shipped_rules())
    for signal in signals:
        evaluator.apply(signal)
    return evaluator.grade(PERSON)


@pytest.mark.parametrize(("source", "lowers"), [("stranger", False), ("bank", True), (LISTS_SOURCE, True)])
def test_a_trusted_item_lowers_only_what_its_own_source_said_unless_a_person_confirmed_it(
    source: str, lowers: bool
):
    paid = payment(START + HOUR)
    assert score(paid) > 0
    assert (score(change(START, source, ListKind.TRUSTED), paid) < score(paid)) is lowers


@pytest.mark.parametrize(("source", "calms"), [("stranger", False), (LISTS_SOURCE, True)])
def test_calls_of_a_number_that_their_own_source_trusts_take_no_points_off(source: str, calms: bool):
    entered = change(START, source, ListKind.TRUSTED)
    calls = [
        replace(
            payment(START + n * HOUR, source="stranger"), kind=SignalKind.CALL, amount_fen=0, new_payee=False,
            direction=Direction.IN,
        )
        for n in (1, 2)
    ]  # fmt: skip
    listed = replace(change(START, "platform", ListKind.FRAUD), items=(OTHER,))
    paid = replace(payment(START + 3 * HOUR), items=(OTHER,))
    assert (score(entered, listed, *calls, paid) < score(listed, *calls, paid)) is calms


@pytest.mark.parametrize(("source", "ends"), [("stranger", False), ("platform", True)])
def test_only_the_source_that_listed_an_item_takes_it_off(source: str, ends: bool):
    entered, paid = change(START, "platform", ListKind.FRAUD), payment(START + 2 * HOUR)
    taken_off = change(START + HOUR, source, ListKind.FRAUD, removed=True)
    assert (grade(entered, taken_off, paid) is not Grade.EXTRA_HIGH) is ends


def test_what_a_person_confirmed_ends_when_its_source_takes_it_back():
    entered = change(START, LISTS_SOURCE, ListKind.TRUSTED, name="courier")
    taken_back = change(START + HOUR, "courier", ListKind.TRUSTED, removed=True)
    paid = payment(START + 2 * HOUR)
    assert score(entered, taken_back, paid) == score(paid) > score(entered, paid)


def test_an_entry_lapses_and_is_dropped_from_memory():
    entered = change(START, "platform", ListKind.FRAUD)
    evaluator = Evaluator(shipped_rules())
    evaluator.apply(entered)
    before, after = START + LISTED_FOR - timedelta(microseconds=1), START + LISTED_FOR
    assert grade(entered, payment(before)) is Grade.EXTRA_HIGH
    assert grade(entered, payment(after)) is grade(payment(after)) is not Grade.EXTRA_HIGH
    assert evaluator.item_status(ACCOUNT, before).lists == {(ListKind.FRAUD, "")}
    evaluator.sweep(after + timedelta(days=30))
    assert not evaluator.item_status(ACCOUNT, before).lists


def test_an_unconfirmed_entry_lists_nothing():
    entered = replace(change(START, "platform", ListKind.FRAUD), unconfirmed=True)
    assert grade(entered, payment(START + HOUR)) is grade(payment(START + HOUR))
    assert is_internal_source(LISTS_SOURCE), "nobody outside confirms"


def test_entries_of_a_snapshot_without_sources_hold_for_all_and_end_by_any():
    evaluator, restored = (Evaluator(shipped_rules()) for _ in range(2))
    evaluator.apply(change(START, "platform", ListKind.FRAUD))
    evaluator.apply(payment(START + HOUR))
    restored.restore(evaluator.snapshot())
    assert restored.fingerprint() == evaluator.fingerprint()
    data = evaluator.snapshot().replace(b',true,"platform"]', b",true]")
    assert data != evaluator.snapshot()
    restored.restore(data)
    assert restored.item_status(ACCOUNT, START).lists == {(ListKind.FRAUD, "")}
    restored.apply(change(START + HOUR, "another", ListKind.FRAUD, removed=True))
    assert not restored.item_status(ACCOUNT, START + 2 * HOUR).lists
