"""The list of cases: what is asked is what is shown, masked, of the own unit, and nothing personal is in an address."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from io import BytesIO

import pytest
import sqlalchemy as sa
from python_calamine import CalamineWorkbook

from dialer.cases.search import open_search
from dialer.core.access import Role
from dialer.core.case import CaseStatus
from dialer.core.errors import Invalid
from dialer.core.values import FraudType, Grade
from dialer.db import tables as t
from dialer.db.audit import write_audit
from dialer.db.units import add_unit
from dialer.runtime.services import Application
from dialer.server.application import declarations
from tests.console.desk import ConsoleDesk, text
from tests.console.town import ConsoleScenario
from tests.outcomes.town import ID_NUMBER, MORNING, NAME, PHONE


@pytest.fixture
def scenario(console: ConsoleDesk) -> ConsoleScenario:
    return ConsoleScenario(console)


async def shown(console: ConsoleDesk, role: Role = Role.SUPERVISOR, **query: str | int) -> str:
    answer = await console.person(role).get("/cases", **query)
    assert answer.status_code == 200
    return text(answer)


async def test_a_case_is_shown_masked(console: ConsoleDesk, scenario: ConsoleScenario):
    owner = scenario.person(name=NAME, phones=(PHONE,), id_number=ID_NUMBER)
    case_id = scenario.case(
        person_id=owner, grade=Grade.HIGH, fraud_type=FraudType.ROMANCE, amount_at_risk_fen=5_000_000
    )
    page = await console.person(Role.CLERK).get("/cases")
    for told in (f"#{case_id}", "王*", "138****8000", "high", "online romance", "¥50,000", "in 1 day"):
        assert told in text(page)
    for hidden in (NAME, "13800138000", ID_NUMBER):
        assert hidden not in page.text


@pytest.mark.parametrize(
    ("typed", "chip"),
    [
        ("138 0013 8000", "138****8000"),
        ("8000", "****8000"),
        ("王小明", "王*"),
        (ID_NUMBER, "15****1237"),
    ],
)
async def test_a_person_is_found_and_the_address_tells_nothing(
    console: ConsoleDesk, scenario: ConsoleScenario, typed: str, chip: str
):
    scenario.case()
    wanted = scenario.case(person_id=scenario.person(name=NAME, phones=(PHONE,), id_number=ID_NUMBER))
    person = console.person(Role.CALLER)
    sent = await person.post("/cases/find", text=typed)
    address = sent.headers["location"]
    name, _, sealed = address.partition("=")
    assert name == "/cases?who"
    # As bytes: in letters and digits a sealed value holds any four digits once in some ten thousand runs.
    held = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
    assert b"8000" not in held
    assert typed.encode() not in held
    page = text(await person.get(address))
    assert f"#{wanted}" in page
    assert f"Found by: {chip}" in page
    assert page.count("in 1 day") == 1
    [line] = console.audited("search")
    assert line["who"] == "caller"
    assert "8000" not in str([value for value in line.values() if not isinstance(value, bytes)])


async def test_a_case_and_an_instruction_are_found_by_their_number(console: ConsoleDesk):
    for typed, address in (
        ("#42", "/cases/42"),
        ("  ", "/cases"),
        ("Z2026-77", "/cases?no=Z2026-77"),
        ("指令 9 号&x=1", "/cases?no=%E6%8C%87%E4%BB%A4+9+%E5%8F%B7%26x%3D1"),
    ):
        sent = await console.person(Role.CALLER).post("/cases/find", text=typed)
        assert sent.headers["location"] == address
        assert console.audited("search") == []


async def test_digits_alone_find_the_case_of_that_number(console: ConsoleDesk, scenario: ConsoleScenario):
    wanted = scenario.case()
    sent = await console.person(Role.CALLER).post("/cases/find", text=str(wanted))
    assert sent.headers["location"] == f"/cases/{wanted}"
    # A warning with that instruction number comes first; the case is offered beside it.
    owner = scenario.person()
    other = scenario.case(person_id=owner, warning=False)
    scenario.warning(other, person_id=owner, instruction_no=str(wanted))
    sent = await console.person(Role.CALLER).post("/cases/find", text=str(wanted))
    assert sent.headers["location"] == f"/cases?no={wanted}"
    assert f'href="/cases/{wanted}"' in (await console.person(Role.CALLER).get(sent.headers["location"])).text


async def test_four_digits_are_the_end_of_a_phone_and_offer_the_case_of_that_number(
    console: ConsoleDesk, scenario: ConsoleScenario
):
    with console.app.services.store.begin() as tx:
        tx.execute(sa.text("""SELECT setval(pg_get_serial_sequence('"case"', 'id'), 1773)"""))
        near, far = add_unit(tx, name="临河", parent_id=None), add_unit(tx, name="五原", parent_id=None)
    assert scenario.case(unit_id=near) == 1774
    for unit_id, is_offered in ((near, True), (far, False)):
        person = console.person(Role.CALLER, unit_id=unit_id)
        sent = await person.post("/cases/find", text="1774")
        assert sent.headers["location"].startswith("/cases?who=")
        assert ("Or case #1774" in text(await person.get(sent.headers["location"]))) == is_offered


async def test_an_instruction_number_finds_its_case(console: ConsoleDesk, scenario: ConsoleScenario):
    owner = scenario.person()
    wanted = scenario.case(person_id=owner, warning=False)
    scenario.warning(wanted, person_id=owner, instruction_no="Z2026-77")
    scenario.case()
    page = await shown(console, no="Z2026-77")
    assert f"#{wanted}" in page
    assert page.count("in 1 day") == 1


async def test_filters_hold_together(console: ConsoleDesk, scenario: ConsoleScenario):
    wanted = scenario.case(grade=Grade.HIGH, status=CaseStatus.CLOSED, fraud_type=FraudType.ROMANCE)
    others = [
        scenario.case(grade=Grade.LOW, status=CaseStatus.CLOSED, fraud_type=FraudType.ROMANCE),
        scenario.case(grade=Grade.HIGH, fraud_type=FraudType.ROMANCE),
        scenario.case(grade=Grade.HIGH, status=CaseStatus.CLOSED),
    ]
    page = await shown(console, grade="high", status="closed", fraud="romance")
    assert f"#{wanted}" in page
    assert not [other for other in others if f"#{other} " in page]


async def order_of(console: ConsoleDesk, **query: str | int) -> list[int]:
    """The numbers of the cases on the page, in its order."""
    page = await console.person(Role.SUPERVISOR).get("/cases", **query)
    return [int(number) for number in re.findall(r'<a href="/cases/(\d+)">#', page.text)]


async def test_open_cases_are_sorted_by_what_their_page_says(console: ConsoleDesk, scenario: ConsoleScenario):
    first_unit, second_unit = scenario.unit("甲所"), scenario.unit("乙所")
    small = scenario.case(grade=Grade.EXTRA_HIGH, amount_at_risk_fen=100, unit_id=second_unit)
    dear = scenario.case(grade=Grade.LOW, amount_at_risk_fen=900, due_at=MORNING, unit_id=first_unit)
    unknown = scenario.case(grade=Grade.HIGH)
    settled = scenario.case(grade=Grade.HIGH, status=CaseStatus.CLOSED, due_at=None)
    console.account(Role.CALLER, login="li")
    late = {"sign_by": MORNING - timedelta(hours=2), "due_at": MORNING - timedelta(hours=2)}
    scenario.assignment(unknown, kind="human", state="open", **late)
    scenario.assignment(small, kind="human", state="signed", signed_by="li", signed_at=MORNING)
    assert await order_of(console) == [settled, unknown, dear, small]
    assert await order_of(console, sort="money") == [dear, small, unknown]
    assert await order_of(console, sort="grade") == [small, unknown, dear]
    assert (await order_of(console, sort="next"))[0] == dear
    assert (await order_of(console, sort="overdue"))[:2] == [unknown, small]
    assert (await order_of(console, sort="owner"))[0] == small
    assert (await order_of(console, sort="unit"))[2] == unknown
    assert await order_of(console, sort="grade", status="closed") == [settled]
    page = await shown(console, sort="overdue")
    assert "nobody overdue for 2 h" in page
    assert "Caller" in page


async def test_one_act_is_done_to_the_chosen_cases_with_one_reason(
    console: ConsoleDesk, scenario: ConsoleScenario
):
    cases = [scenario.case(grade=Grade.MEDIUM) for _ in range(3)]
    settled = scenario.case(grade=Grade.MEDIUM, status=CaseStatus.CLOSED, due_at=None)
    chief = console.person(Role.SUPERVISOR)
    page = await chief.get("/cases", sort="grade")
    chosen = re.findall(r'name="chosen" value="(\d+-\d+)"', page.text)
    assert [int(one.partition("-")[0]) for one in chosen] == cases[::-1]
    form = {
        "csrf": chief.csrf,
        "chosen": [*chosen, f"{settled}-1"],
        "act": "raise_high",
        "back": "sort=grade",
    }
    for wrong in ({"why": " "}, {"why": "x", "act": "no"}, {"why": "x", "chosen": []}):
        assert (await chief.client.post("/cases/bulk", data=form | wrong)).status_code == 422
    sent = await chief.client.post("/cases/bulk", data=form | {"why": "a wave of calls"})
    assert sent.status_code == 409
    assert "Done for 3 of 4 cases." in text(sent)
    assert f"#{settled} " in text(sent)
    assert [row["grade"] for row in console.rows(t.case)] == ["high"] * 3 + ["medium"]
    assert [line["why"] for line in console.audited("grade_raised")] == ["a wave of calls"] * 3
    again = await chief.client.post("/cases/bulk", data=form | {"why": "again", "chosen": chosen})
    assert "Done for 0 of 3 cases." in text(again)
    chosen = re.findall(r'name="chosen" value="(\d+-\d+)"', (await chief.get("/cases", sort="grade")).text)
    done = await chief.client.post(
        "/cases/bulk", data=form | {"why": "go", "act": "call_now", "chosen": chosen}
    )
    assert (done.status_code, done.headers["location"]) == (303, "/cases?sort=grade")


async def test_what_the_list_shows_is_exported_masked_and_audited(
    console: ConsoleDesk, scenario: ConsoleScenario
):
    owner = scenario.person(name=NAME, phones=(PHONE,))
    case_id = scenario.case(person_id=owner, grade=Grade.HIGH, amount_at_risk_fen=5_000_050)
    scenario.case(grade=Grade.LOW)
    chief = console.person(Role.SUPERVISOR)
    page = await chief.get("/cases", grade="high", sort="money")
    address = unescape(re.findall(r'href="(/cases/file[^"]*)"', page.text)[0])
    file = await chief.get(address)
    sheet = CalamineWorkbook.from_filelike(BytesIO(file.content)).get_sheet_by_index(0).to_python()
    [row] = sheet[-1:]
    assert row[:4] == [case_id, "王*", "138****8000", "high"]
    assert sheet[-2][10:] == ["At risk, yuan", "Opened"]
    assert row[10] == 50000.5
    [line] = console.audited("export")
    assert line["facts"] == {"grade": "high", "sort": "money", "lines": 1, "kind": "xlsx"}
    assert (await console.person(Role.CALLER).get("/cases/file")).status_code == 403
    assert "Export these" not in await shown(console, Role.CALLER)


async def test_a_sorted_list_has_pages(console: ConsoleDesk, scenario: ConsoleScenario):
    cases = [scenario.case(amount_at_risk_fen=n) for n in range(51)]
    assert await order_of(console, sort="money") == cases[:0:-1]
    assert await order_of(console, sort="money", page=2) == cases[:1]
    page = await console.person(Role.SUPERVISOR).get("/cases", sort="money")
    assert "/cases?sort=money&amp;page=2" in page.text


async def test_days_are_the_centres_and_the_last_is_included(console: ConsoleDesk, scenario: ConsoleScenario):
    early = scenario.case(opened_at=MORNING - timedelta(hours=11))  # 23:00 the day before in Shanghai
    today = scenario.case(opened_at=MORNING)
    page = await shown(console, **{"from": "2026-11-24", "to": "2026-11-24"})
    assert f"#{early}" in page
    assert f"#{today}" not in page


async def test_a_wrong_day_is_said_beside_its_field(console: ConsoleDesk):
    assert "is not after from" in await shown(console, **{"from": "2026-11-24", "to": "2026-11-20"})


async def test_an_address_that_somebody_tampered_with_asks_nothing(
    console: ConsoleDesk, scenario: ConsoleScenario
):
    for query in (
        {"grade": "purple"},
        {"unit": "x"},
        {"who": "AAAA"},
        {"who": "not base64 ;"},
        {"status": ""},
    ):
        case_id = scenario.case()
        assert f"#{case_id}" in await shown(console, **query)


async def test_a_search_is_its_own_searcher_s_and_ends(console: ConsoleDesk, scenario: ConsoleScenario):
    scenario.case(person_id=scenario.person(name=NAME, phones=(PHONE,)))
    mine, another = console.person(Role.SUPERVISOR), console.person(Role.AUDITOR)
    sent = await mine.post("/cases/find", text=PHONE)
    found = sent.headers["location"]
    assert "Found by" in text(await mine.get(found))
    refused = text(await another.get(found))
    assert "Found by" not in refused
    assert "The search is not yours: search again" in refused
    token = found.partition("who=")[2]
    login = mine.member.login
    assert open_search(console.app.services, token, who=login).shown == "138****8000"
    console.pass_seconds(console.app.settings.console.session_seconds)
    with pytest.raises(Invalid, match="too long ago"):
        open_search(console.app.services, token, who=login)


async def test_searching_for_many_people_needs_a_reason_then_alarms_then_waits(
    console: ConsoleDesk, scenario: ConsoleScenario
):
    rules, person = console.app.services.reveals, console.person(Role.CALLER)
    why = {"reason": "other", "why": "核对来电"}
    for _ in range(rules.searches_without_reason):
        assert (await person.post("/cases/find", text="8000")).status_code == 303
    refused = await person.client.post(
        "/cases/find",
        data={"csrf": person.csrf, "text": "138 0013 8000"},
        headers={"Referer": "http://test/cases"},
    )
    assert refused.status_code == 422
    assert 'name="why"' in refused.text
    assert 'value="138 0013 8000"' in refused.text
    assert console.audited("search")[-1]["subject"] == "search/phone_end"
    for number in range(rules.searches_without_reason, rules.searches):
        assert (await person.post("/cases/find", text="王小明", **why)).status_code == 303, number
    line = console.audited("search")[-1]
    assert line["facts"]["reason"] == "other"
    [alarm] = [row for row in console.rows(t.alarm) if row["code"] == "many_searches"]
    assert alarm["facts"] == {"who": "caller", "count": rules.searches_alarm}
    over = await person.post("/cases/find", text="8000", **why)
    assert over.status_code == 429
    assert "searched for people 60 times in 10 minutes" in text(over)
    assert (await person.post("/cases/find", text="#1")).status_code == 303, "a case number is nobody's"
    assert (await console.person(Role.AUDITOR).post("/cases/find", text="8000")).status_code == 303
    console.pass_seconds(rules.seconds + 1)
    assert (await person.post("/cases/find", text="8000")).status_code == 303


async def test_an_export_of_masked_people_counts_as_a_search(console: ConsoleDesk, scenario: ConsoleScenario):
    rules, person = console.app.services.reveals, console.person(Role.AUDITOR)
    scenario.case()
    with console.app.services.store.begin() as tx:
        for _ in range(rules.searches - 1):
            facts = {"kind": "xlsx"}
            now = console.app.services.clock.now()
            write_audit(tx, who="auditor", act="export", subject="cases", why="", now=now, facts=facts)
    assert (await person.get("/cases/file", grade="high")).status_code == 200
    over = await person.get("/cases/file")
    assert over.status_code == 429
    assert (await person.post("/cases/find", text="8000")).status_code == 429
    [alarm] = [row for row in console.rows(t.alarm) if row["code"] == "many_searches"]
    assert alarm["facts"] == {"who": "auditor", "count": rules.searches}
    console.pass_seconds(rules.seconds + 1)
    assert (await person.get("/cases/file")).status_code == 200


async def test_who_opens_page_after_page_of_people_raises_the_alarm_and_waits(
    console_app: Application, console: ConsoleDesk, scenario: ConsoleScenario
):
    """Masked people were read page after page, as many as a program could ask for."""
    few = replace(console_app.services.reveals, pages=6, pages_alarm=3)
    desk = ConsoleDesk(replace(console_app, services=replace(console_app.services, reveals=few)))
    cases = [scenario.case() for _ in range(7)]
    person = desk.person(Role.CALLER)
    for case_id in [*cases[:6], *cases[:6]]:
        assert (await person.get(f"/cases/{case_id}")).status_code == 200, "the same pages are open again"
        assert (await person.part(f"/cases/{case_id}")).status_code == 200
    over = await person.get(f"/cases/{cases[6]}")
    assert over.status_code == 429
    assert "you have opened 6 pages with people in this hour" in text(over)
    assert (await person.part("/cases", grade="high")).status_code == 429
    sent = {"csrf": person.csrf, "reason": "", "why": ""}
    shown = await person.client.post(
        f"/cases/{cases[6]}/reveal", data=sent, headers={"Referer": f"http://test/cases/{cases[6]}"}
    )
    assert shown.status_code in {422, 429}
    assert "王*" not in shown.text, "a refused form shows no page that is refused"
    assert (await person.get("/account")).status_code == 200
    assert (await desk.signed_in(desk.account(Role.AUDITOR, login="other")).get("/cases")).status_code == 200
    [alarm] = [row for row in console.rows(t.alarm) if row["code"] == "many_pages"]
    assert (alarm["facts"]["who"], alarm["times"]) == ("caller", 2)
    assert [line["facts"] for line in console.audited("read_pages")] == [{"count": 3}, {"count": 6}]
    console.pass_seconds(3600)
    again = desk.signed_in(person.member)
    assert (await again.get(f"/cases/{cases[6]}")).status_code == 200
    await desk.close()


def test_each_page_of_people_is_counted_and_no_work_in_hand():
    counted = {page.path for page in declarations() if page.shows_people}
    assert counted >= {
        "/cases",
        "/cases/{case_id}",
        "/lists/{load_id}",
        "/lists/drafts/{draft_id}",
        "/overdue",
    }
    assert counted >= {"/visits", "/approvals", "/filed", "/robot/verdicts", "/cards/openers", "/rates/cases"}
    assert not [path for path in counted if path.startswith("/desk")]
    assert all(page.method == "GET" and page.act is not None for page in declarations() if page.shows_people)


async def test_a_search_of_another_installation_finds_nothing_of_ours(
    console: ConsoleDesk, scenario: ConsoleScenario
):
    person = console.person(Role.CALLER)
    sent = await person.post("/cases/find", text="8000")
    token = sent.headers["location"].partition("who=")[2]
    changed = token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")
    assert "Found by" not in text(await person.get("/cases", who=changed))


async def test_each_sees_the_own_unit_and_below(console: ConsoleDesk, scenario: ConsoleScenario):
    city = scenario.unit("市局")
    county, other = scenario.unit("临河分局", city), scenario.unit("五原县局", city)
    station = scenario.unit("新华派出所", county)
    mine = [scenario.case(unit_id=county), scenario.case(unit_id=station)]
    theirs = [scenario.case(unit_id=other), scenario.case(unit_id=city), scenario.case()]
    officer = console.person(Role.OFFICER, unit_id=county)
    page = text(await officer.get("/cases"))
    assert all(f"#{case_id} " in page for case_id in mine)
    assert not any(f"#{case_id} " in page for case_id in theirs)
    assert "新华派出所" in page
    assert "五原县局" not in page
    below = text(await officer.get("/cases", unit=station))
    assert f"#{mine[1]} " in below
    assert f"#{mine[0]} " not in below
    assert "No case is like this" in text(await officer.get("/cases", unit=other))
    whole = await shown(console)
    assert all(f"#{case_id} " in whole for case_id in mine + theirs)


async def test_pages_follow_each_other_without_a_gap(console: ConsoleDesk, scenario: ConsoleScenario):
    owner = scenario.person()
    made = [
        scenario.case(person_id=owner, warning=False, status=CaseStatus.CLOSED, grade=Grade.LOW)
        for _ in range(52)
    ]
    person = console.person(Role.SUPERVISOR)
    first = await person.get("/cases", grade="low")
    assert f"/cases?grade=low&amp;before={made[2]}" in first.text
    second = text(await person.get("/cases", grade="low", before=made[2]))
    assert f"#{made[1]} " in second
    assert f"#{made[2]} " not in second
    assert "Back to the newest" in second


async def test_htmx_gets_the_rows_alone(console: ConsoleDesk, scenario: ConsoleScenario):
    case_id = scenario.case()
    answer = await console.person(Role.CALLER).part("/cases", grade="medium")
    assert f"#{case_id}" in answer.text
    assert "<html" not in answer.text


async def test_a_late_case_is_marked(console: ConsoleDesk, scenario: ConsoleScenario):
    scenario.case(due_at=MORNING - timedelta(minutes=5), missed=True)
    page = (await console.person(Role.CALLER).get("/cases")).text
    assert '<span class="trouble">5 min ago</span>' in page
    assert "tag-trouble" in page


async def test_nothing_found_says_what_to_do(console: ConsoleDesk):
    assert "as soon as a list is loaded" in await shown(console)
    assert "Leave something out" in await shown(console, grade="low")
    assert console.rows(t.case) == []


async def test_the_chosen_columns_alone_are_shown_and_exported(
    console: ConsoleDesk, scenario: ConsoleScenario
):
    case_id = scenario.case(grade=Grade.HIGH, fraud_type=FraudType.ROMANCE, amount_at_risk_fen=5_000_000)
    chief = console.person(Role.SUPERVISOR)
    usual = text(await chief.get("/cases"))
    for address in ("/cases?columns=money&columns=source", "/cases?columns=money,source"):
        page = await chief.get(address)
        told = page.text[page.text.index("<thead>") :]
        assert f"#{case_id}" in told
        assert "¥50,000" in told
        assert "online romance" not in told
        assert "in 1 day" not in told
        assert ">Source<" in told
    assert ">Source<" not in usual
    assert "online romance" in usual
    assert 'name="query" value="columns=money%2Csource"' in page.text
    file = await chief.get("/cases/file?columns=money,source")
    sheet = CalamineWorkbook.from_filelike(BytesIO(file.content)).get_sheet_by_index(0).to_python()
    assert sheet[0] == ["Case", "Person", "Phone", "At risk, yuan", "Source"]


async def test_a_heading_leads_to_the_list_sorted_by_it(console: ConsoleDesk, scenario: ConsoleScenario):
    scenario.case(grade=Grade.HIGH)
    page = await console.person(Role.SUPERVISOR).get("/cases", grade="high", sort="money")
    assert 'href="/cases?grade=high&amp;sort=overdue" title="Sort by this">Overdue by</a>' in page.text
    assert 'href="/cases?grade=high&amp;sort=money" aria-current="true"' in page.text


async def test_filter_order_and_columns_are_saved_under_a_name_and_the_person_sought_is_not(
    console: ConsoleDesk, scenario: ConsoleScenario
):
    scenario.case(person_id=scenario.person(name=NAME, phones=(PHONE,)))
    chief, auditor = console.person(Role.SUPERVISOR), console.person(Role.AUDITOR)
    found = (await chief.post("/cases/find", text=PHONE)).headers["location"].partition("?")[2]
    query = f"{found}&grade=high&sort=money&columns=money,next&before=7"
    saved = await chief.post("/cases/saved", name=" 大额  ", query=query)
    address = "/cases?grade=high&sort=money&columns=next%2Cmoney"
    assert (saved.status_code, saved.headers["location"]) == (303, address)
    page = await chief.get("/cases")
    assert "The filter is saved." in text(page)
    assert f'href="{address.replace("&", "&amp;")}">大额<' in page.text
    assert "大额" not in (await auditor.get("/cases")).text
    [row] = console.rows(t.saved_filter)
    await auditor.post(f"/cases/saved/{row['id']}/delete")
    assert len(console.rows(t.saved_filter)) == 1
    assert (await chief.post(f"/cases/saved/{row['id']}/delete")).headers["location"] == "/cases"
    assert console.rows(t.saved_filter) == []
    refused = await chief.post("/cases/saved", name=" ", query="grade=high")
    assert refused.status_code == 422
    assert "has between 1 and 40 characters" in text(refused)
