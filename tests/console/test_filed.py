"""Filed cases on the console: a list loaded, a doubtful match decided, and what a unit's account sees."""

from __future__ import annotations

import re
from datetime import timedelta
from io import BytesIO

import docx
import httpx

from dialer.core.access import Role
from dialer.core.case import CaseStatus
from dialer.core.values import Contact
from dialer.db import tables as t
from tests.console.desk import ConsoleDesk, Person, text
from tests.console.town import ConsoleScenario
from tests.outcomes.town import ID_NUMBER, MORNING, NAME, PHONE

LIST = f"""案件编号,姓名,手机号,身份证号,损失金额,立案时间
A1,{NAME},,{ID_NUMBER},20000,2026-11-26
A2,李四,{PHONE[3:]},,5万,2026-11-26
A3,赵六,13900001111,,1,2026-11-26
A4,孙七,,,1,2026-11-26
"""


async def load(person: Person, content: str, *, name: str = "十一月立案.csv") -> httpx.Response:
    return await person.client.post(
        "/filed", data={"csrf": person.csrf}, files={"file": (name, content.encode())}
    )


async def test_a_list_is_loaded_and_a_doubtful_match_decided(console: ConsoleDesk):
    scenario = ConsoleScenario(console)
    success = {"status": CaseStatus.WATCHING, "outcome": "dissuaded_by_phone", "contact": Contact.VERIFIED}
    until = MORNING + timedelta(days=7)
    sure = scenario.person(name=NAME, phones=("+8613800000009",), id_number=ID_NUMBER)
    first = scenario.case(person_id=sure, watch_until=until, **success)
    other = scenario.person(name="王五", phones=(PHONE,))
    second = scenario.case(person_id=other, watch_until=until, **success)
    console.pass_seconds(3 * 86_400)
    supervisor = console.person(Role.SUPERVISOR)
    shown = await load(supervisor, LIST)
    assert shown.status_code == 200
    page = text(shown)
    assert "Rows 4: new 3, changed 0, on record already 0, rejected 1." in page
    assert "neither an id number nor a phone is given" in page
    assert f"/cases/{first}" in shown.text
    assert "23:59" not in page
    for secret in (NAME, ID_NUMBER, PHONE[3:]):
        assert secret not in shown.text
    assert [row["status"] for row in console.rows(t.case)] == ["reversed", "watching"]
    waiting = await supervisor.get("/filed?state=doubtful")
    assert f"/cases/{second}" in waiting.text
    found = re.search(r'action="(/filed/matches/[0-9]+)/confirm"', waiting.text)
    assert found is not None
    refused = await supervisor.post(f"{found[1]}/confirm", why=" ")
    assert refused.status_code == 422
    assert (await supervisor.post(f"{found[1]}/confirm", why="笔录核对")).status_code == 303
    assert [row["status"] for row in console.rows(t.case)] == ["reversed", "reversed"]
    assert (await supervisor.post(f"{found[1]}/reject", why="x")).status_code == 409
    [line] = console.audited("confirm_filed_match")
    assert line["facts"] == {"case_number": "A2"}
    figures = text(await supervisor.get("/filed"))
    assert "66.7%" in figures
    counted = re.search(r'action="(/filed/matches/[0-9]+)/undo"', (await supervisor.get("/filed")).text)
    assert counted is not None
    assert (await supervisor.post(f"{counted[1]}/undo", why="")).status_code == 422
    assert (await supervisor.post(f"{counted[1]}/undo", why="同号家属")).status_code == 303
    assert [row["status"] for row in console.rows(t.case)] == ["reversed", "watching"]
    assert (await supervisor.post(f"{counted[1]}/undo", why="x")).status_code == 409
    assert console.audited("undo_filed_match")[0]["facts"] == {"case_number": "A2"}
    assert console.audited("load_filed")[-1]["facts"]["rejected"] == 1


async def test_a_clerk_learns_of_no_match_and_ends_nothing(console: ConsoleDesk):
    """An invented list told who had been warned, and ended the calls to anybody on it."""
    scenario = ConsoleScenario(console)
    known = scenario.person(name=NAME, phones=("+8613800000009",), id_number=ID_NUMBER)
    case_id = scenario.case(person_id=known)
    before = [row["status"] for row in console.rows(t.case)]
    console.pass_seconds(3 * 86_400)
    clerk = console.person(Role.CLERK)
    first = LIST.splitlines()[0]
    told = []
    for number, id_number in (("B1", ID_NUMBER), ("B2", "11010119900307109X")):
        loaded = await load(clerk, f"{first}\n{number},{NAME},,{id_number},1,2026-11-26\n")
        assert loaded.status_code == 200
        told.append(text(loaded).partition("A supervisor decides whom they concern.")[0])
        assert "/cases/" not in loaded.text.partition("<main")[2]
    assert told[0] == told[1]
    for query in ("", "?state=doubtful", "?state=not_warned", "?state=warned"):
        page = await clerk.get(f"/filed{query}")
        rows = re.findall(r'<tr id="filed-', page.text)
        assert len(rows) == 2, "no state tells which of them is known"
        words = text(page)
        assert "Warned before" not in words.partition("Drop a list")[2]
        assert "similarity" not in words
    assert [row["status"] for row in console.rows(t.case)] == before
    assert {row["state"] for row in console.rows(t.filed_match)} == {"doubtful"}
    for path in ("/filed/certain", f"/filed/matches/{console.rows(t.filed_match)[0]['id']}/confirm"):
        assert (await clerk.post(path, why="x")).status_code == 403
    supervisor = console.person(Role.SUPERVISOR)
    assert f"/cases/{case_id}" in (await supervisor.get("/filed?state=doubtful")).text


async def test_the_certain_matches_of_a_clerks_list_are_confirmed_together(console: ConsoleDesk):
    scenario = ConsoleScenario(console)
    sure = scenario.person(name=NAME, phones=("+8613800000009",), id_number=ID_NUMBER)
    perhaps = scenario.person(name="王五", phones=(PHONE,))
    for person_id in (sure, perhaps):
        scenario.case(person_id=person_id)
    console.pass_seconds(3 * 86_400)
    await load(console.person(Role.CLERK), LIST)
    supervisor = console.person(Role.SUPERVISOR)
    waiting = text(await supervisor.get("/filed?state=doubtful"))
    assert "1 match is certain" in waiting
    assert "match is certain" not in text(await supervisor.get("/filed"))
    assert (await supervisor.post("/filed/certain", why=" ")).status_code == 422
    assert (await supervisor.post("/filed/certain", why="名单已核对")).status_code == 303
    assert sorted(row["state"] for row in console.rows(t.filed_match)) == ["confirmed", "doubtful"]
    [line] = console.audited("confirm_filed_match")
    assert line["facts"] == {"case_number": "A1"}
    assert "match is certain" not in text(await supervisor.get("/filed?state=doubtful"))
    county = console.person(Role.SUPERVISOR, unit_id=scenario.unit("临河区"))
    assert (await county.post("/filed/certain", why="x")).status_code == 404


async def test_what_is_no_list_is_refused_in_one_line(console: ConsoleDesk):
    clerk = console.person(Role.CLERK)
    refused = await load(clerk, "姓名,电话\n王,13800138000\n")
    assert refused.status_code == 422
    assert "no list of filed cases: head a column" in text(refused)
    assert (await clerk.get("/filed?from=x")).status_code == 422
    assert (await clerk.get("/filed?before=0")).status_code == 422


async def test_an_account_of_a_unit_sees_none(console: ConsoleDesk):
    console.pass_seconds(3 * 86_400)
    unit = ConsoleScenario(console).unit("临河区")
    of_unit = console.person(Role.SUPERVISOR, unit_id=unit)
    assert (await of_unit.get("/filed")).status_code == 404
    assert (await load(of_unit, LIST)).status_code == 404
    assert console.rows(t.filed_record) == []
    scenario = ConsoleScenario(console)
    scenario.case(person_id=scenario.person(name="王五", phones=(PHONE,)))
    scenario.case(person_id=scenario.person(name=NAME, phones=("+8613800000009",), id_number=ID_NUMBER))
    await load(console.person(Role.SUPERVISOR), LIST)
    before = console.rows(t.filed_match)
    assert {row["state"] for row in before} == {"certain", "doubtful"}
    for row in before:
        for act in ("confirm", "reject", "undo"):
            assert (await of_unit.post(f"/filed/matches/{row['id']}/{act}", why="x")).status_code == 404
    assert console.rows(t.filed_match) == before


async def test_the_page_refuses_what_would_hold_it_too_long(console: ConsoleDesk):
    supervisor = console.person(Role.SUPERVISOR)
    rows = "".join(f"A{n},赵六,13900001111,,1,2026-11-26,{'x' * 600}\n" for n in range(2_001))
    refused = await load(supervisor, "案件编号,姓名,手机号,身份证号,损失金额,立案时间,备注\n" + rows)
    assert refused.status_code == 422
    assert "more than 2,000 filed cases" in text(refused) or "more than 2000 filed cases" in text(refused)
    assert console.rows(t.filed_record) == []
    assert (await load(supervisor, "x" * (16 << 20))).status_code == 413


async def test_the_first_rows_that_were_refused_are_shown(console: ConsoleDesk):
    supervisor = console.person(Role.SUPERVISOR)
    rows = "".join(f"A{n},赵六,,,1,2026-11-26\n" for n in range(201))
    name = "立" * 97 + ".csv"
    shown = await load(supervisor, LIST.partition("\n")[0] + "\n" + rows, name=name)
    assert "Rows 201: new 0, changed 0, on record already 0, rejected 201." in text(shown)
    assert shown.text.count('<td data-label="Line">') == 200
    assert f"{name[:100]} is loaded" in text(shown)
    assert name not in text(shown)
    nothing = await supervisor.post("/filed")
    assert (nothing.status_code, "Choose a file first." in text(nothing)) == (422, True)


async def test_the_list_is_read_by_state_by_period_and_page_by_page(console: ConsoleDesk):
    scenario = ConsoleScenario(console)
    for name, phone in ((NAME, PHONE), ("孙七", "+8613700000001")):
        scenario.case(person_id=scenario.person(name=name, phones=(phone,)))
    console.pass_seconds(3 * 86_400)
    supervisor, auditor = console.person(Role.SUPERVISOR), console.person(Role.AUDITOR)
    head = "案件编号,姓名,手机号,立案时间,发案时间\n"
    rows = "".join(f"B{n},赵六,139000099{n},2026-11-26,\n" for n in range(10, 61))
    doubtful = f"A1,李四,{PHONE[3:]},2026-11-20,2026-11-19 08:30\n"
    await load(supervisor, head + doubtful + rows)
    page = await supervisor.get("/filed")
    assert "08:00" in text(page)
    assert "not given" in text(page)
    assert "The period chosen" in text(page)
    older = re.search(r'href="/filed\?before=([0-9]+)"', page.text)
    assert older is not None
    assert "A1" not in text(page)
    assert "A1" in text(await supervisor.get(f"/filed?before={older[1]}"))
    narrowed = await supervisor.get("/filed?state=not_warned")
    assert re.search(r'href="/filed\?state=not_warned&amp;before=[0-9]+"', narrowed.text)
    found = await supervisor.get("/filed", **{"state": "doubtful", "from": "2026-11-20", "to": "2026-11-20"})
    assert ("A1" in text(found), "B10" in text(found)) == (True, False)
    assert 'href="/filed?from=2026-11-20&amp;to=2026-11-20"' in found.text
    assert 'href="/filed?state=warned&amp;from=2026-11-20&amp;to=2026-11-20"' in found.text
    assert 'value="2026-11-20"' in found.text
    assert "Load the list" in text(found)
    assert "Same person" in text(found)
    read_only = text(await auditor.get("/filed?state=doubtful"))
    assert ("Load the list" in read_only.replace("Load the list of", ""), "Same person" in read_only) == (
        False,
        False,
    )
    unknown = await supervisor.get("/filed?state=x")
    assert (unknown.status_code, "B59" in text(unknown)) == (200, True)
    wrong = await supervisor.get("/filed?from=x&state=doubtful")
    assert (wrong.status_code, "A1" in text(wrong)) == (422, True)
    action = re.search(r'action="(/filed/matches/[0-9]+)/confirm"', found.text)
    assert action is not None
    refused = await supervisor.post(f"{action[1]}/confirm", why=" ")
    assert (refused.status_code, "B59" in text(refused)) == (422, False), "only those that wait are shown"
    long = {"why": "错" * 501}
    assert (await supervisor.post(f"{action[1]}/reject", **long)).status_code == 422
    rejected = await supervisor.post(f"{action[1]}/reject", why="错" * 500)
    assert (rejected.status_code, rejected.headers["location"]) == (303, "/filed?state=doubtful")
    again = await supervisor.post(f"{action[1]}/reject", why="x")
    assert (again.status_code, "decided already" in text(again), "B59" in text(again)) == (409, True, False)
    for number in (0, 2**63):
        assert (await supervisor.post(f"/filed/matches/{number}/reject", why="x")).status_code == 422


async def test_a_filed_case_opens_a_look_back_of_every_act(console: ConsoleDesk):
    town = ConsoleScenario(console)
    first = MORNING + timedelta(minutes=2)
    case_id = town.case(person_id=town.person(name="王小明"), opened_at=MORNING, first_attempt_at=first)
    town.attempt(case_id, result="answered", sent_at=first)
    supervisor = console.person(Role.SUPERVISOR)
    path = f"/cases/{case_id}/look-back"
    assert (await supervisor.get(path)).status_code == 404
    assert not console.audited("look_back")
    town.put_filed(case_id, "A7788")
    shown = text(await supervisor.get(path))
    assert "A7788" in shown
    assert "First call attempt" in shown
    assert "2 min after the opening" in shown
    assert "王小明" not in shown
    assert path in (await supervisor.get(f"/cases/{case_id}")).text
    file = await supervisor.get(f"{path}/docx")
    assert re.search(
        r'filename="look-back-[0-9]+-[0-9]{8}-[0-9]{4}\.docx"', file.headers["content-disposition"]
    )
    document = docx.Document(BytesIO(file.content))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    assert "A7788" in cells
    assert any(cell.startswith("Call 1 · answered") for cell in cells)
    assert not any("王小明" in cell for cell in cells)
    assert document.sections[0].footer.paragraphs[0].text.startswith("Made by ")
    assert [line["facts"]["kind"] for line in console.audited("look_back")] == ["page", "docx"]
