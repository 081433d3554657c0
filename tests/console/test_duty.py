"""The page of duty: who is on now, a month that is loaded or refused whole, and a shift taken with one click."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from python_calamine import CalamineWorkbook

from dialer.core.access import Role
from dialer.db import tables as t
from dialer.db.units import add_unit
from tests.console.desk import ConsoleDesk, Person, text
from tests.duty.grids import grid


@pytest.fixture
def unit_id(console: ConsoleDesk) -> int:
    with console.app.services.store.begin() as tx:
        return add_unit(tx, name="城关派出所", parent_id=None)


@pytest.fixture
def supervisor(console: ConsoleDesk) -> Person:
    return console.signed_in(console.account(Role.SUPERVISOR, login="wang"))


@pytest.fixture
def officers(console: ConsoleDesk, unit_id: int) -> list[Person]:
    return [
        console.signed_in(console.account(Role.OFFICER, login=login, unit_id=unit_id))
        for login in ("ann", "ben")
    ]


async def load(person: Person, people: dict[str, str | dict[int, str]], **form: str) -> str:
    fields = {"csrf": person.csrf, "unit": "城关派出所", "kind": "officer", "month": ""} | form
    files = {"file": ("duty.csv", grid("2026-11", people), "text/csv")}
    answer = await person.client.post("/duty/load", data=fields, files=files)
    return answer.headers.get("location") or text(answer)


async def test_a_month_is_loaded_shown_and_downloaded(
    console: ConsoleDesk, supervisor: Person, officers: list[Person], unit_id: int
):
    assert "No unit keeps a roster" in text(await supervisor.get("/duty"))
    address = await load(supervisor, {"ann": {25: "白"}, "ben": {25: "夜", 26: "休"}})
    assert address == f"/duty/{unit_id}/officer?month=2026-11"
    page = text(await supervisor.get(address))
    assert "Loaded: 2026-11, persons 2, shifts 2. Days that are over stay as they were." in page
    assert "None: the month holds as it was loaded." in page
    now = text(await officers[0].get("/duty"))
    assert "high cases usually: 0.0" in now
    assert "城关派出所 visits Officer" in now
    file = await supervisor.get(f"/duty/{unit_id}/officer/file", month="2026-11")
    assert file.headers["content-disposition"] == f'attachment; filename="duty-{unit_id}-officer-202611.xlsx"'
    [taken] = console.audited("export")
    assert (taken["subject"], taken["facts"]["month"]) == (f"unit/{unit_id}", "2026-11")
    fields = {"csrf": supervisor.csrf, "unit": "城关派出所", "kind": "officer"}
    again = await supervisor.client.post("/duty/load", data=fields, files={"file": ("a.xlsx", file.content)})
    assert again.headers["location"] == address
    assert len(console.app.services.store.begin().__enter__().rows(t.duty_entry.select())) == 2


async def test_what_is_wrong_is_shown_by_line_and_column_and_nothing_is_loaded(
    console: ConsoleDesk, supervisor: Person, officers: list[Person]
):
    said = await load(supervisor, {"ann": {25: "中"}, "nobody": "白"})
    assert "2 faults must be corrected; nothing was loaded duty.csv" in said
    assert "3 25 this is no shift: 中 shifts: 白、夜、值; days off: 休、假" in said
    assert "4 姓名 nobody with this name or login sees the work of this unit: nobody" in said
    assert "No unit keeps a roster" in said


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"unit": "不存在"}, "unit"),
        ({"kind": "cook"}, "is not known"),
        ({"month": "2026-13"}, "is not a month"),
        ({"month": "9999-12"}, "is not a month"),
        ({"month": "2026-09"}, "2026-09 is over"),
    ],
)
async def test_a_form_that_does_not_fit_is_refused(
    supervisor: Person, officers: list[Person], form: dict[str, str], why: str
):
    assert why in (await load(supervisor, {"ann": "值"}, **form))


async def test_no_file_and_a_large_one_are_refused(supervisor: Person):
    fields = {"csrf": supervisor.csrf, "unit": "城关派出所", "kind": "officer"}
    assert "Choose a file first." in text(await supervisor.client.post("/duty/load", data=fields))
    files = {"file": ("a.csv", b"x" * (2 * 1024 * 1024 + 1))}
    assert "larger than 2 MB" in text(await supervisor.client.post("/duty/load", data=fields, files=files))


async def test_a_shift_is_taken_with_one_click(
    console: ConsoleDesk, supervisor: Person, officers: list[Person], unit_id: int
):
    ann, ben = officers
    await load(supervisor, {"ann": {25: "白"}})
    assert "Take this shift now" not in text(await ann.get("/duty"))
    assert "Take this shift now" in text(await ben.get("/duty"))
    done = await ben.post("/duty/take", unit=unit_id, kind="officer", instead_of=ann.member.id)
    assert done.headers["location"] == "/duty"
    assert "You are on duty until 11-25 17:30." in text(await ben.get("/duty"))
    refused = await ben.post("/duty/take", unit=unit_id, kind="officer")
    assert (refused.status_code, "you are on duty already" in text(refused)) == (422, True)
    month = text(await supervisor.get(f"/duty/{unit_id}/officer"))
    assert re.search(
        r"Changed since From Until On duty Instead of \S* ?10:00\S* \S* ?17:30\S* Officer Officer", month
    )


async def test_an_unknown_kind_or_month_is_no_page(supervisor: Person, unit_id: int):
    assert (await supervisor.get(f"/duty/{unit_id}/cook")).status_code == 422
    assert (await supervisor.get(f"/duty/{unit_id}/officer", month="x")).status_code == 422
    assert "No shifts in this month" in text(
        await supervisor.get(f"/duty/{unit_id}/officer", month="2027-02")
    )


async def test_two_officers_swap_shifts_on_the_pages(
    console: ConsoleDesk, supervisor: Person, officers: list[Person], unit_id: int
):
    ann, ben = officers
    await load(supervisor, {"ann": {26: "白"}, "ben": {27: "夜"}})
    month, path = f"/duty/{unit_id}/officer", f"/duty/{unit_id}/officer/swaps"
    given, back = f"2026-11-26/{ann.member.id}/白", f"2026-11-27/{ben.member.id}/夜"
    shown = (await ann.get(month)).text
    assert (f'value="{given}"' in shown, shown.count(f'value="{back}"')) == (True, 1)
    takers = shown.partition('name="person"')[2].partition("</select>")[0]
    offered = [f'value="{one.member.id}"' in takers for one in (ann, ben)]
    assert offered == [False, True]
    for wrong in ({"shift": "?"}, {"person": "?"}, {"back": given}, {"shift": back}):
        form = {"month": "2026-11", "shift": given, "person": str(ben.member.id)} | wrong
        answer = await ann.post(path, **form)
        assert (answer.status_code, 'class="fault-code"' in answer.text) == (422, False)
    done = await ann.post(path, shift=given, person=ben.member.id, back=back)
    assert done.headers["location"] == f"{month}?month=2026-11"
    assert "The other person is asked on the page Duty." in text(await ann.get(month))
    [swap] = console.rows(t.duty_swap)
    assert "11-26 白" in text(await ben.get("/duty"))
    answer = await ben.post(f"/duty/swaps/{swap['id']}", answer="?")
    assert (answer.status_code, 'class="fault-code"' in answer.text) == (422, False)
    refused = await ann.post(f"/duty/swaps/{swap['id']}", answer="agree")
    assert (refused.status_code, "supervisor" in text(refused)) == (422, True)
    await ben.post(f"/duty/swaps/{swap['id']}", answer="agree")
    page = text(await ben.get(month))
    assert "11-26 白: Officer instead of Officer 11-27 夜: Officer instead of Officer" in page
    [agreed] = console.audited("swap_agreed")
    assert agreed["facts"] == {
        "kind": "officer", "shift": "2026-11-26 白", "giver": "ann", "taker": "ben", "in_return": "2026-11-27 夜",
    }  # fmt: skip


async def test_leave_is_saved_after_its_gaps_were_shown(
    console: ConsoleDesk, supervisor: Person, officers: list[Person], unit_id: int
):
    ann = officers[0]
    await load(supervisor, {"ann": {26: "白"}})
    form = {
        "person": str(ann.member.id), "start": "2026-11-26T12:00", "end": "2026-11-27T08:00", "leave_reason": "sick",
    }  # fmt: skip
    for field, wrong in (
        ("person", "x"), ("start", ""), ("end", "2026-11-26T12:00"), ("end", "2028-11-26T12:00"), ("leave_reason", "?"),
    ):  # fmt: skip
        answer = await supervisor.post("/duty/leave", **(form | {field: wrong}))
        assert (answer.status_code, 'aria-invalid="true"' in answer.text) == (422, True)
    shown = await supervisor.post("/duty/leave", **form)
    assert "Nobody is on duty then: 城关派出所 · visits: 26 Nov 12:00 – 26 Nov 17:30" in text(shown)
    assert console.rows(t.duty_leave) == []
    [seen] = re.findall(r'name="seen" value="(\w+)"', shown.text)
    assert (await supervisor.post("/duty/leave", **form, seen=seen)).headers["location"] == "/duty/leave"
    saved = text(await supervisor.get("/duty/leave"))
    assert "sick leave" in saved
    assert "The leave is saved." in saved
    assert "already" in text(await supervisor.post("/duty/leave", **form, seen=seen))
    assert "On leave Officer: 26 Nov 12:00 – 27 Nov 08:00" in text(await ann.get(f"/duty/{unit_id}/officer"))
    [leave] = console.rows(t.duty_leave)
    await supervisor.post(f"/duty/leave/{leave['id']}/end")
    assert console.rows(t.duty_leave) == []
    assert len(console.audited("enter_leave")) == len(console.audited("end_leave")) == 1


def planned_on(console: ConsoleDesk) -> list[int]:
    with console.app.services.store.begin() as tx:
        return [row["staff_id"] for row in tx.rows(t.duty_entry.select().order_by(t.duty_entry.c.day))]


async def test_a_shift_is_planned_by_rotation_on_the_page_of_the_month(
    console: ConsoleDesk, supervisor: Person, officers: list[Person], unit_id: int
):
    month = f"/duty/{unit_id}/officer"
    assert "Plan a shift by rotation" not in text(await officers[0].get(month))
    page = await supervisor.get(month)
    assert ("Plan a shift by rotation" in text(page), 'value="2026-11-25"' in page.text) == (True, True)
    form = {"mark": "值", "persons": "ann\nben", "first": "2026-11-29", "last": "2026-12-02", "each": "1"}
    form |= {"weekdays": "1234567"}
    headers = {"Referer": f"http://test{month}"}
    sent = {"csrf": supervisor.csrf} | form | {"persons": "ann nobody"}
    refused = await supervisor.client.post(f"{month}/rotation", data=sent, headers=headers)
    assert refused.status_code == 422
    assert "nobody with this name or login may do this work here: nobody (enter the login)" in text(refused)
    done = await supervisor.post(f"{month}/rotation", **form)
    assert done.headers["location"] == f"{month}?month=2026-11"
    assert "Planned by the rotation: shifts 4." in text(await supervisor.get(done.headers["location"]))
    ann, ben = (officer.member.id for officer in officers)
    assert planned_on(console) == [ann, ben, ann, ben]
    [planned] = console.audited("plan_rotation")
    assert planned["facts"] == {
        "kind": "officer", "shift": "值", "start": "2026-11-29", "until": "2026-12-02", "entries": 4,
    }  # fmt: skip
    weekly = {"weekly": "1", "first": "2026-11-29", "last": "2026-12-01"}
    await supervisor.post(f"{month}/rotation", **(form | weekly))
    assert planned_on(console) == [ann, ben, ben, ben]
    assert "Plan a shift by rotation" not in text(await supervisor.get(month, month="2026-10"))


async def test_the_final_schedule_is_downloaded_as_a_calendar_and_a_second_sheet(
    console: ConsoleDesk, supervisor: Person, officers: list[Person], unit_id: int
):
    ann, ben = officers
    await load(supervisor, {"ann": {25: "白"}, "ben": {26: "夜"}})
    await ben.post("/duty/take", unit=unit_id, kind="officer", instead_of=ann.member.id)
    month = f"/duty/{unit_id}/officer"
    assert "My shifts as a calendar" not in text(await supervisor.get(month))
    assert "My shifts as a calendar" in text(await ann.get(month))
    file = await ben.get(f"{month}/calendar", month="2026-11")
    assert file.headers["content-type"] == "text/calendar; charset=utf-8"
    assert file.headers["content-disposition"] == f'attachment; filename="duty-{unit_id}-officer-202611.ics"'
    assert re.findall(r"UID:(\S+)|DTEND:(\S+)", file.text) == [
        (f"{unit_id}-officer-{ann.member.id}-20261125T0030Z@dialer", ""), ("", "20261125T020000Z"),
        (f"{unit_id}-officer-{ben.member.id}-20261125T0200Z@dialer", ""), ("", "20261125T093000Z"),
        (f"{unit_id}-officer-{ben.member.id}-20261126T0930Z@dialer", ""), ("", "20261127T003000Z"),
    ]  # fmt: skip
    assert "SUMMARY:城关派出所 visits: Officer\r\n" in file.text
    own = await ann.get(f"{month}/calendar", month="2026-11", own="1")
    assert own.text.count("BEGIN:VEVENT") == 1
    assert [one["facts"]["lines"] for one in console.audited("export")] == [3, 1]
    sheet = (await ben.get(f"{month}/file", month="2026-11")).content
    cells = CalamineWorkbook.from_filelike(BytesIO(sheet)).get_sheet_by_index(1).to_python()
    assert cells[2:5] == [
        ["2026-11-25 08:30", "2026-11-25 10:00", "Officer"],
        ["2026-11-25 10:00", "2026-11-25 17:30", "Officer"],
        ["2026-11-25 17:30", "2026-11-26 17:30", "空岗"],
    ]
    assert (await ben.get(f"{month}/calendar", month="x")).status_code == 422
