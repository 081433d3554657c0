"""Warnings above the limits of their source wait for a person, and nothing of them is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from dialer.core.access import unrestricted
from dialer.core.errors import Conflict, Invalid, NotFound, NotPermitted
from dialer.core.sources import HoldReason, Sent, SourceLimits
from dialer.core.values import Grade
from dialer.db import tables as t
from dialer.signals.store import SignalCodec
from dialer.warnings.lists import load_list
from dialer.warnings.source_limits import (
    change_source,
    list_sources,
    raise_late_extra_high,
    read_source,
    refuse_waiting,
    release_waiting,
    waiting_warnings,
)
from tests.api.office import WANG, Office, first
from tests.audit_lines import audit_lines

CHIEF = unrestricted("chief")
Limit = Callable[..., None]


@pytest.fixture
def limit(office: Office) -> Limit:
    """Sets the limits of a source, which is then not on probation."""

    def set_limits(name: str = "city-bank", **limits: object) -> None:
        change_source(
            office.app.services, CHIEF, name, SourceLimits(**limits), on_probation=False, why="test"
        )

    return set_limits


def numbered(count: int, begin: int = 0, **fields: object) -> Iterator[dict[str, object]]:
    for n in range(begin, begin + count):
        yield {
            "instruction_no": f"N{n}",
            "name": f"王{n}",
            "phones": f"138001{n:05d}",
            "grade": "低危",
            **fields,
        }


def release_all(office: Office) -> None:
    """Released by a person, and loaded by a worker."""
    ids = [one.id for one in waiting_warnings(office.app.services)]
    release_waiting(office.app.services, CHIEF, ids)
    for load_id in ids:
        assert ("load_list", load_id) in office.enqueued
        load_list(office.app.services, load_id)


def contents_waiting(office: Office) -> int:
    with office.app.services.store.begin() as tx:
        return int(tx.scalar(sa.select(sa.func.count()).select_from(t.held_warning)))


def numbers(office: Office) -> list[str]:
    return sorted(row["instruction_no"] for row in office.rows(t.warning))


async def test_above_its_limit_the_warnings_of_a_source_wait_and_the_answer_is_the_same(
    office: Office, limit: Limit
):
    limit(per_hour=3)
    answer = await office.send(*numbered(5))
    assert answer.json()["accepted"] == 5
    assert {result["status"] for result in answer.json()["results"]} == {"accepted"}
    assert [result["case_id"] for result in answer.json()["results"][3:]] == [None, None]
    assert numbers(office) == ["N0", "N1", "N2"]
    [waits] = waiting_warnings(office.app.services)
    assert (waits.source, waits.held_for.value, waits.extra_high, waits.total) == (
        "city-bank",
        "per_hour",
        False,
        2,
    )
    [alarm] = [row for row in office.rows(t.alarm) if row["code"] == "warnings_wait"]
    assert alarm["load_id"] == waits.id
    assert alarm["facts"] == {"source": "city-bank", "reason": "per_hour", "extra_high": False}


async def test_a_source_without_the_right_to_cases_learns_nothing_of_its_limits(office: Office, limit: Limit):
    headers = office.token("small-bank", "warnings:write")
    limit("small-bank", per_day=1)
    told = (await office.send(*numbered(2), headers=headers)).json()["results"]
    plain = [
        {key: value for key, value in one.items() if key not in {"index", "instruction_no"}} for one in told
    ]
    assert plain[0] == plain[1]


async def test_another_source_goes_on_at_once(office: Office, limit: Limit):
    limit(per_minute=0, extra_high_per_minute=0)
    other = office.token("ministry")
    await office.send(*numbered(20))
    real = WANG | {"instruction_no": "YJ-1", "grade": "特高危"}
    assert first(await office.send(real, headers=other))["case_id"] is not None
    assert numbers(office) == ["YJ-1"]


async def test_a_flood_of_low_grades_does_not_hold_an_extra_high_one(office: Office, limit: Limit):
    limit(per_minute=2, extra_high_per_minute=1)
    await office.send(*numbered(10))
    urgent = list(numbered(2, 100, grade="特高危"))
    assert [bool(row["case_id"]) for row in (await office.send(*urgent)).json()["results"]] == [True, False]
    waits = [(one.held_for.value, one.extra_high, one.total) for one in waiting_warnings(office.app.services)]
    assert waits == [("extra_high_per_minute", True, 1), ("per_minute", False, 8)]


async def test_released_warnings_are_what_was_sent(office: Office, limit: Limit):
    whole = {
        "instruction_no": "N1", "name": "合计", "phones": ["13800138000", "13900139000"], "grade": "特高危",
        "id_number": "150402199001011237", "fraud_type": "冒充公检法", "kind": "资金",
        "address": '一路"1"号, 二栋\n三楼',
        "family_contact": "=1+1", "fraud_numbers": "+85291234567", "fraud_url": "http://a.cn/?a=1,2", "fraud_app": "甲",
        "fraud_account": "6222020000000000000", "talk_seconds": 125,
        "amount_at_risk_fen": 1200050, "amount_paid": "3万元",
        "event_at": "2026-11-25T09:05:00+08:00", "produced_at": "2026-11-25T09:30:00+08:00",
        "expires_at": "2030-11-28", "tags": ["elderly"], "remarks": "合计 说明：无",
    }  # fmt: skip
    bare = {"phones": "13700137000"}
    free = office.token("free")
    limit("free")
    await office.send(whole, bare, headers=free)
    limit(per_day=0, extra_high_per_day=0)
    await office.send(whole, bare)
    assert {row["source"] for row in office.rows(t.warning)} == {"free"}
    release_all(office)
    assert waiting_warnings(office.app.services) == []
    rows = office.rows(t.warning)
    vault = office.app.services.store.vault
    said = {"free": [], "city-bank": []}
    for row in rows:
        personal = vault.open_record(row["sealed"], table="warning", column="sealed", row=row["id"])
        left_out = {
            "id",
            "source",
            "case_id",
            "person_id",
            "load_id",
            "sealed",
            "loaded_at",
            "instruction_no",
        }
        said[row["source"]].append(
            ({key: value for key, value in row.items() if key not in left_out}, personal)
        )
    assert len(said["free"]) == 2
    assert sorted(said["city-bank"], key=repr) == sorted(said["free"], key=repr)
    assert {row["instruction_no"] for row in rows if row["source"] == "city-bank"} >= {"N1"}


async def test_each_row_of_a_flood_is_released(office: Office, limit: Limit):
    limit(per_day=0)
    for begin in range(0, 40, 4):
        await office.send(*numbered(4, begin))
    [waits] = waiting_warnings(office.app.services)
    assert waits.total == 40
    release_all(office)
    assert len(numbers(office)) == 40
    [load] = office.rows(t.list_load)
    assert (load["state"], load["accepted"], load["rejected"]) == ("done", 40, 0)


async def test_what_is_sent_again_while_it_waits_is_loaded_once(office: Office, limit: Limit):
    limit(per_day=0)
    statuses = [first(await office.send(*numbered(1)))["status"] for _ in range(3)]
    [waits] = waiting_warnings(office.app.services)
    assert (statuses, waits.total) == (["accepted", "duplicate", "duplicate"], 1)
    assert len([row for row in office.rows(t.alarm) if row["code"] == "warnings_wait"]) == 1
    release_waiting(office.app.services, CHIEF, [waits.id])
    assert first(await office.send(*numbered(1)))["status"] == "duplicate", "released and not yet loaded"
    load_list(office.app.services, waits.id)
    assert (numbers(office), contents_waiting(office)) == (["N0"], 0)
    assert first(await office.send(*numbered(1)))["status"] == "duplicate"
    assert len(office.rows(t.list_load)) == 1


async def test_what_is_sent_again_with_a_higher_grade_while_it_waits_is_not_lost(
    office: Office, limit: Limit
):
    limit(per_day=0, extra_high_per_day=0)
    await office.send(*numbered(1))
    for _ in range(2):
        answer = first(await office.send(*numbered(1, grade="特高危")))
    assert answer["status"] == "duplicate"
    assert [(one.extra_high, one.total) for one in waiting_warnings(office.app.services)] == [
        (True, 1), (False, 1),
    ]  # fmt: skip
    [told] = [row for row in office.rows(t.alarm) if row["code"] == "number_used_again"]
    assert told["facts"] == {"names": ["city-bank"]}
    release_all(office)
    [case] = office.rows(t.case)
    assert case["grade"] == "extra_high"
    assert len(numbers(office)) == 2


async def test_a_refused_warning_that_is_sent_again_waits_again(office: Office, limit: Limit):
    limit(per_day=0)
    for _ in range(2):
        assert first(await office.send(*numbered(1)))["status"] == "accepted"
        [waits] = waiting_warnings(office.app.services)
        refuse_waiting(office.app.services, CHIEF, [waits.id], why="a test of theirs")
    assert contents_waiting(office) == 0


async def test_a_duplicate_counts_for_no_limit(office: Office, limit: Limit):
    limit(per_day=2)
    for _ in range(5):
        await office.send(*numbered(1))
    assert read_source(office.app.services, "city-bank").sent == Sent(in_minute=1, in_hour=1, in_day=1)
    await office.send(*numbered(1, 7))
    assert waiting_warnings(office.app.services) == []


async def test_refused_warnings_are_gone_and_their_reason_is_in_the_audit(office: Office, limit: Limit):
    limit(per_day=0)
    await office.send(*numbered(3))
    [waits] = waiting_warnings(office.app.services)
    with pytest.raises(Invalid):
        refuse_waiting(office.app.services, CHIEF, [waits.id], why=" ")
    assert refuse_waiting(office.app.services, CHIEF, [waits.id], why="a test of theirs") == 3
    assert office.rows(t.warning) == [] == waiting_warnings(office.app.services)
    with office.app.services.store.begin() as tx:
        assert tx.scalar(sa.select(sa.func.count()).select_from(t.list_file)) == 0
    [line] = [row for row in audit_lines(office.app.services.store) if row["act"] == "withdraw_load"]
    assert (line["who"], line["subject"], line["why"]) == ("chief", f"load/{waits.id}", "a test of theirs")
    for decide in (release_waiting, lambda *args: refuse_waiting(*args, why="x")):
        with pytest.raises(Conflict):
            decide(office.app.services, CHIEF, [waits.id])
    await office.send(*numbered(1))
    [again] = waiting_warnings(office.app.services)
    assert again.id != waits.id


async def test_who_may_not_approve_decides_nothing(office: Office, limit: Limit):
    limit(per_day=0)
    await office.send(*numbered(1))
    [waits] = waiting_warnings(office.app.services)
    unit_id = office.unit("临河")
    for actor in (replace(CHIEF, rights=frozenset()), replace(CHIEF, unit_id=unit_id)):
        with pytest.raises(NotPermitted):
            release_waiting(office.app.services, actor, [waits.id])
        with pytest.raises(NotPermitted):
            refuse_waiting(office.app.services, actor, [waits.id], why="x")
        with pytest.raises(NotPermitted):
            change_source(
                office.app.services, actor, "city-bank", SourceLimits(), on_probation=False, why="x"
            )
    assert [one.total for one in waiting_warnings(office.app.services)] == [1]
    with pytest.raises(Invalid):
        release_waiting(office.app.services, CHIEF, [])


async def test_a_new_source_is_on_probation_until_a_person_ends_it(office: Office):
    services = office.app.services
    most = services.sources.probation
    [bank] = list_sources(services)
    assert (bank.name, bank.on_probation) == ("city-bank", True)
    await office.send(*numbered(most.per_minute + 1))
    assert [one.total for one in waiting_warnings(services)] == [1]
    await office.send(*numbered(1, 900, amount_at_risk_fen=most.most_amount_yuan * 100 + 1, grade="特高危"))
    assert {one.held_for.value for one in waiting_warnings(services)} == {"per_minute", "amount"}
    change_source(services, CHIEF, "city-bank", SourceLimits(), on_probation=False, why="known for years")
    await office.send(*numbered(100, 200))
    assert len(numbers(office)) == most.per_minute + 100
    [line] = [row for row in audit_lines(office.app.services.store) if row["act"] == "change_source"]
    assert (line["subject"], line["why"]) == ("source/city-bank", "known for years")
    assert line["facts"] == {"on_probation": [True, False]}


async def test_a_source_for_which_nobody_has_set_limits_has_those_of_the_settings(
    office: Office, limit: Limit
):
    most = office.app.services.sources.regular.extra_high_per_minute
    limit()
    for begin in range(0, most, 50):
        await office.send(*numbered(50, begin, grade="特高危"))
    assert waiting_warnings(office.app.services) == []
    await office.send(*numbered(2, most, grade="特高危"), *numbered(1, most + 2))
    [waits] = waiting_warnings(office.app.services)
    assert (waits.held_for, waits.total) == (HoldReason.EXTRA_HIGH_PER_MINUTE, 2)
    limit(extra_high_per_minute=most + 10)
    await office.send(*numbered(2, most + 10, grade="特高危"))
    assert [one.total for one in waiting_warnings(office.app.services)] == [2], "its own limit holds instead"


async def test_what_went_on_counts_until_its_minute_hour_and_day_are_over(office: Office, limit: Limit):
    services = office.app.services
    limit(per_minute=2)
    await office.send(*numbered(3))
    assert read_source(services, "city-bank").sent == Sent(in_minute=2, in_hour=2, in_day=2)
    office.clock.advance(59)
    await office.send(*numbered(1, 9))
    assert numbers(office) == ["N0", "N1"]
    office.clock.advance(11)
    assert read_source(services, "city-bank").sent == Sent(in_hour=2, in_day=2)
    await office.send(*numbered(1, 10), *numbered(1, 11, grade="特高危"))
    assert read_source(services, "city-bank").sent == Sent(
        in_minute=1, in_hour=3, in_day=3, extra_high_in_minute=1, extra_high_in_hour=1, extra_high_in_day=1
    )
    office.clock.advance(4200)
    assert read_source(services, "city-bank").sent == Sent(in_day=3, extra_high_in_day=1)
    office.clock.advance(86_400 * 7 // 6)
    assert read_source(services, "city-bank").sent == Sent()
    assert numbers(office) == ["N0", "N1", "N10", "N11"]


async def test_a_higher_grade_and_another_unit_wait(office: Office, limit: Limit):
    city = office.unit("赤峰市")
    office.unit("松山分局", parent_id=city)
    office.unit("红山分局")
    limit(most_grade=Grade.HIGH, units=("赤峰市",))
    sent = [
        next(numbered(1, n, **fields))
        for n, fields in enumerate(
            (
                {"unit": "松山分局"}, {"unit": "赤峰市", "grade": "高危"}, {"unit": "红山分局"}, {},
                {"unit": "松山分局", "grade": "特高危"}, {"unit": "no such"},
            )
        )
    ]  # fmt: skip
    await office.send(*sent)
    assert numbers(office) == ["N0", "N1"]
    waits = {(one.held_for.value, one.total) for one in waiting_warnings(office.app.services)}
    assert waits == {("unit", 3), ("grade", 1)}


async def test_the_larger_of_the_two_amounts_counts_and_none_is_nothing(office: Office, limit: Limit):
    limit(most_amount_fen=0)
    await office.send(
        *numbered(1),
        *numbered(1, 1, amount_paid_fen=1),
        *numbered(1, 2, amount_at_risk_fen=1),
        *numbered(1, 3, amount_at_risk_fen=0, amount_paid_fen=0),
    )
    assert numbers(office) == ["N0", "N3"]


@pytest.mark.parametrize(
    "wrong",
    [{"per_minute": -1}, {"extra_high_per_day": 10**7}, {"most_amount_fen": -1}, {"units": ("none",)}],
)
def test_limits_that_cannot_be(office: Office, limit: Limit, wrong: dict[str, Any]):
    with pytest.raises(Invalid):
        limit(**wrong)
    with pytest.raises(NotFound):
        limit("nobody")
    assert read_source(office.app.services, "city-bank").own_limits == SourceLimits()


async def test_extra_high_warnings_that_wait_for_minutes_raise_an_alarm_again_and_again(
    office: Office, limit: Limit
):
    services = office.app.services

    def raised() -> Sequence[int]:
        return [row["times"] for row in office.rows(t.alarm) if row["code"] == "extra_high_waits"]

    limit(per_day=0, extra_high_per_day=0)
    await office.send(*numbered(1), *numbered(1, 5, grade="特高危"))
    seconds = services.sources.extra_high_wait_seconds
    office.clock.advance(seconds - 1)
    assert (raise_late_extra_high(services), raised()) == (0, [])
    office.clock.advance(1)
    assert (raise_late_extra_high(services), raised()) == (1, [1])
    assert (raise_late_extra_high(services), raised()) == (0, [1])
    office.clock.advance(seconds)
    assert (raise_late_extra_high(services), raised()) == (1, [2])
    (told,) = [row["facts"] for row in office.rows(t.alarm) if row["code"] == "extra_high_waits"]
    assert told == {"source": "city-bank", "reason": "extra_high_per_day", "warnings": 1}
    release_all(office)
    office.clock.advance(seconds)
    assert (raise_late_extra_high(services), raised()) == (0, [2])


def signals(*kinds: str, **fields: object) -> list[dict[str, object]]:
    return [
        {
            "signal_no": f"S{n}",
            "kind": kind,
            "event_at": "2026-11-25T01:00:00+00:00",
            "phone": "13800138000",
            **fields,
        }
        for n, kind in enumerate(kinds)
    ]


async def send_signals(office: Office, sent: list[dict[str, object]]) -> dict[str, Any]:
    answer = await office.client.post("/api/v1/signals", json=sent)
    found: dict[str, Any] = answer.json()
    return found


def stored_amounts(office: Office) -> list[tuple[str, int]]:
    codec = SignalCodec(office.app.services.store.vault)
    with office.app.services.store.begin() as tx:
        stored = [codec.open(row) for row in tx.rows(sa.select(t.signal).order_by(t.signal.c.signal_no))]
    return [(one.signal.signal_no, one.signal.amount_fen) for one in stored]


def listed(number: str, **fields: object) -> dict[str, object]:
    (one,) = signals("list_change", number="+85291234567", **fields)
    del one["phone"]
    return one | {"signal_no": number}


@pytest.mark.parametrize(
    ("kinds", "taken"),
    [
        ((), {"F": "fraud", "S": "suspected", "T": "trusted"}),
        (("fraud",), {"F": "fraud"}),
        (("suspected",), {"F": "suspected", "S": "suspected"}),
        (("trusted",), {"T": "trusted"}),
        (("fraud", "suspected"), {"F": "fraud", "S": "suspected"}),
    ],
)
async def test_a_source_enters_items_in_the_lists_that_it_may(
    office: Office, limit: Limit, kinds: tuple[str, ...], taken: dict[str, str]
):
    limit(list_kinds=kinds)
    sent = [
        listed(kind[0].upper(), list_kind=kind, change="entered")
        for kind in ("fraud", "suspected", "trusted")
    ]
    removed = [listed("R", list_kind="trusted", change="removed")]
    answer = await send_signals(office, sent + removed)
    assert {fault["field"] for fault in answer.get("faults", ())} <= {"list_kind"}
    codec = SignalCodec(office.app.services.store.vault)
    with office.app.services.store.begin() as tx:
        stored = [codec.open(row).signal for row in tx.rows(sa.select(t.signal))]
    assert {one.signal_no: one.list_kind for one in stored} == taken | {"R": "trusted"}


async def test_what_a_new_source_lists_as_fraud_counts_as_suspected(office: Office, limit: Limit):
    sent = [
        listed("S0", list_kind="fraud", change="entered"),
        listed("S1", list_kind="trusted", change="entered"),
        listed("S2", list_kind="fraud", change="removed"),
    ]
    assert (await send_signals(office, sent))["accepted"] == 3
    limit()
    office.clock.advance(6)
    assert (await send_signals(office, [sent[0] | {"signal_no": "S3"}]))["accepted"] == 1
    codec = SignalCodec(office.app.services.store.vault)
    with office.app.services.store.begin() as tx:
        stored = [codec.open(row) for row in tx.rows(sa.select(t.signal).order_by(t.signal.c.signal_no))]
    assert [one.signal.list_kind for one in stored] == ["suspected", "trusted", "fraud", "fraud"]


async def test_a_source_sends_the_signals_that_it_may(office: Office, limit: Limit):
    limit(signal_kinds=("call", "report"), bank_reports=False, most_amount_fen=500_000)
    call = signals("call", number="+85291234567", direction="in")
    login = signals("login")
    bank = signals("report", reporter="bank", amount_fen=9_000_000)
    family = signals("report", reporter="family", amount_fen=9_000_000)
    for n, one in enumerate((*call, *login, *bank, *family)):
        one["signal_no"] = f"S{n}"
    answer = await send_signals(office, [*call, *login, *bank, *family])
    assert [(fault["index"], fault["field"]) for fault in answer["faults"]] == [(1, "kind"), (2, "reporter")]
    assert (answer["accepted"], answer["rejected"]) == (2, 2)
    assert stored_amounts(office) == [("S0", 0), ("S3", 500_000)]


async def test_reports_of_a_bank_are_taken_when_a_person_has_said_so(office: Office, limit: Limit):
    bank = signals("report", reporter="bank")
    assert "reporter" in str(await send_signals(office, bank))
    limit(bank_reports=True)
    assert "reporter" in str(await send_signals(office, bank))
    office.clock.advance(6)
    assert (await send_signals(office, bank))["accepted"] == 1
