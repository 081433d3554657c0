"""One telephone under many names: a few have cases, the others wait together for a person."""

from __future__ import annotations

from dialer.case_page.reading import read_case
from dialer.core.access import unrestricted
from dialer.core.sources import HoldReason
from dialer.db import tables as t
from dialer.warnings.source_limits import refuse_waiting, waiting_warnings
from tests.api.office import Office
from tests.api.test_source_limits import numbers, release_all

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
