"""One telephone with many cases: a few are open, what would open further ones waits together for a person."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
import sqlalchemy as sa

from dialer.case_page.reading import read_case
from dialer.core.access import unrestricted
from dialer.core.errors import Conflict
from dialer.core.sources import HoldReason
from dialer.core.values import LoadState
from dialer.db import tables as t
from dialer.demo.sample_list import build
from dialer.intake.records import Accepted, IntakeOptions
from dialer.warnings.list_store import get_load
from dialer.warnings.lists import load_list, submit_list, withdraw_load
from dialer.warnings.shared_numbers import COLUMNS, record_cells
from dialer.warnings.source_limits import refuse_waiting, release_waiting, waiting_warnings
from tests.api.office import Office
from tests.api.test_source_limits import numbers, release_all
from tests.intake.in_process import read_list
from tests.intake.test_sample_list import NOW

PHONE = "13800990099"
CHIEF = unrestricted("chief")


def named(*names: str, begin: int = 0, phones: str = PHONE, **fields: object) -> list[dict[str, object]]:
    return [
        {"instruction_no": f"M{n}", "name": name, "phones": phones, "grade": "高危", **fields}
        for n, name in enumerate(names, start=begin)
    ]


async def test_warnings_about_further_people_with_one_number_wait_together(office: Office):
    first = [f"王{n}" for n in range(10)]
    answer = await office.send(*named(*first))
    assert {result["status"] for result in answer.json()["results"]} == {"accepted"}
    assert numbers(office) == ["M0", "M1", "M2", "M3"]
    await office.send(*named("李一", begin=20), *named("李二", begin=21, phones="13800990100"))
    assert numbers(office) == ["M0", "M1", "M2", "M21", "M3"]
    (waits,) = waiting_warnings(office.app.services)
    assert (waits.held_for, waits.total) == (HoldReason.NAMES, 7)
    (alarm,) = [row for row in office.rows(t.alarm) if row["code"] == "warnings_wait"]
    assert (alarm["load_id"], alarm["facts"]["reason"]) == (waits.id, "names")
    sheets = [read_case(office.app.services, row["id"], visible_to=None) for row in office.rows(t.case)]
    assert sorted(sum(one.total for one in sheet.names_waiting) for sheet in sheets) == [0, 7, 7, 7, 7]
    release_all(office)
    assert len(numbers(office)) == 12


async def test_who_is_known_is_no_further_person_and_each_number_waits_by_itself(office: Office):
    await office.send(*named(*"赵钱孙李"))
    await office.send(*named("赵", "赵", begin=10))
    assert not waiting_warnings(office.app.services)
    other = "13800990101"
    await office.send(
        *named(*"周吴郑王冯", begin=20, phones=other), *named("陈", "", begin=30, grade="特高危")
    )
    waits = waiting_warnings(office.app.services)
    assert sorted((one.extra_high, one.total) for one in waits) == [(False, 1), (True, 2)]
    assert len({one.number_blind for one in waits}) == 2
    refuse_waiting(office.app.services, CHIEF, [one.id for one in waits], why="false")
    assert not waiting_warnings(office.app.services)
    assert len(office.rows(t.case)) == 8


TYPES = ["冒充公检法", "刷单返利", "虚假贷款", "冒充客服", "投资理财", "杀猪盘"]


async def test_one_person_has_so_many_open_cases_by_kinds_of_fraud_and_what_joins_one_goes_on(office: Office):
    for n, fraud_type in enumerate(TYPES):
        await office.send(*named("王一", begin=n, fraud_type=fraud_type))
    assert len({row["fraud_type"] for row in office.rows(t.case)}) == len(office.rows(t.case)) == 4
    assert numbers(office) == ["M0", "M1", "M2", "M3"]
    await office.send(*named("王一", begin=30, fraud_type=TYPES[0], grade="特高危"), *named("王一", begin=31))
    await office.send(*named("李二", begin=40, fraud_type=TYPES[0], grade="特高危"))
    assert numbers(office) == ["M0", "M1", "M2", "M3", "M30", "M31"]
    waits = waiting_warnings(office.app.services)
    assert [(one.extra_high, one.total) for one in waits] == [(True, 1), (False, 2)]
    release_all(office)
    assert len(office.rows(t.case)) == 7


async def test_of_warnings_sent_together_the_highest_grades_have_the_cases(office: Office):
    low = named(*"赵钱孙李周", grade="低危")
    await office.send(*low, *named(*"吴郑", begin=10, grade="特高危"))
    assert numbers(office) == ["M0", "M1", "M10", "M11"]
    assert [one.total for one in waiting_warnings(office.app.services)] == [3]


def listed(office: Office, *lines: str) -> int:
    content = io.BytesIO(("姓名,手机号,预警等级,涉案金额,人员标签,备注\n" + "\n".join(lines)).encode())
    load_id = submit_list(office.app.services, CHIEF, content, filename="名单.csv", source="县局")
    load_list(office.app.services, load_id)
    return load_id


async def test_rows_of_a_list_about_further_people_with_one_number_wait_until_they_are_released(
    office: Office,
):
    lines = [f"王{n},{PHONE},高危,1234.5,老年人,注{n}" for n in range(6)]
    load_id = listed(office, *lines, "李一,13800990102,高危,,,")
    with office.app.services.store.begin() as tx:
        load = get_load(tx, load_id)
    assert (load.state, load.rows, load.accepted, load.held, load.duplicate) == (LoadState.DONE, 7, 5, 2, 0)
    assert len(office.rows(t.case)) == 5
    (waits,) = waiting_warnings(office.app.services)
    assert (waits.source, waits.held_for, waits.total) == ("县局", HoldReason.NAMES, 2)
    with office.app.services.store.begin() as tx:
        assert "县局" in {row["name"] for row in tx.rows(sa.select(t.source.c.name))}
    release_all(office)
    cases = office.rows(t.case)
    assert (len(cases), {row["amount_at_risk_fen"] for row in cases}) == (7, {None, 123450})
    assert not waiting_warnings(office.app.services)
    assert sorted(map(len, (row["tags"] for row in cases))) == [0, 1, 1, 1, 1, 1, 1]
    first, *others = sorted(row["id"] for row in cases if row["amount_at_risk_fen"])
    sheet = read_case(office.app.services, first, visible_to=None)
    assert (sheet.same_number, sheet.names_waiting) == (tuple(others), ())


async def test_rows_that_wait_are_withdrawn_with_their_list_and_with_no_other(office: Office):
    services = office.app.services
    listed(office, *(f"王{n},{PHONE},高危,,," for n in range(4)))
    wrong = listed(
        office, *(f"李{n},{PHONE},{grade},,," for n, grade in enumerate(["高危", "特高危", "高危"]))
    )
    right = listed(office, f"赵一,{PHONE},高危,,,")
    waits = waiting_warnings(services)
    assert sorted((one.from_load_id, one.extra_high, one.total) for one in waits) == [
        (wrong, False, 2), (wrong, True, 1), (right, False, 1),
    ]  # fmt: skip
    [urgent] = [one.id for one in waits if one.extra_high]
    release_waiting(services, CHIEF, [urgent])
    load_list(services, urgent)
    assert len(office.rows(t.case)) == 5
    assert withdraw_load(services, CHIEF, wrong, why="下发错误") == 1, "the case of the released row"
    assert [one.from_load_id for one in waiting_warnings(services)] == [right]
    with services.store.begin() as tx:
        gone = [get_load(tx, one.id) for one in waits if one.from_load_id == wrong]
    assert {load.state for load in gone} == {LoadState.WITHDRAWN}
    with pytest.raises(Conflict):
        release_waiting(services, CHIEF, [one.id for one in gone if not one.extra_high])
    audited = [row for row in office.rows(t.audit) if row["act"] == "withdraw_load"]
    assert {row["subject"] for row in audited} == {
        f"load/{one}" for one in (wrong, *(load.id for load in gone))
    }


async def test_a_row_that_waits_and_is_listed_again_waits_once(office: Office):
    lines = [f"王{n},{PHONE},高危,,," for n in range(6)]
    listed(office, *lines)
    again = listed(office, *lines, "李一,13800990102,高危,,,")
    [waits] = waiting_warnings(office.app.services)
    with office.app.services.store.begin() as tx:
        load = get_load(tx, again)
    assert (waits.total, load.rows, load.accepted, load.held, load.duplicate) == (2, 7, 1, 0, 6)


def test_the_record_of_a_list_is_read_again_from_the_cells_with_which_it_waits():
    options = IntakeOptions(now=NOW)
    records = [
        item.record
        for item in read_list(build(NOW), filename="", options=options)
        if isinstance(item, Accepted)
    ]
    text = io.StringIO()
    csv.writer(text).writerows([[field.value for field in COLUMNS], *map(record_cells, records)])
    waited = read_list(text.getvalue().encode(), filename="", options=options)
    read = [item.record for item in waited if isinstance(item, Accepted)]
    assert len(read) == len(records) > 400
    for was, now in zip(records, read, strict=True):
        assert now == replace(was, raw=now.raw, instruction_derived=False)
