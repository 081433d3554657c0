"""The audit page: every line can be found, the export is one more, and nothing in a file runs."""

from __future__ import annotations

import ast
import csv
import io
import re
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from python_calamine import CalamineWorkbook

import dialer
from dialer.audit.trail import AuditQuery, search_audit, verify_trail
from dialer.audit.words import ACTS, FACTS, act_words, facts_words, subject_words
from dialer.core.access import Role
from dialer.core.text import Lang
from dialer.core.timeline import ActKind
from dialer.db.audit import write_audit
from tests.console.desk import ConsoleDesk, Person, text
from tests.console.town import ConsoleScenario


def write(console: ConsoleDesk, *, who: str = "wang", act: str = "reveal", **more: object) -> None:
    given = {"subject": "case/7", "why": "rings the family", "now": console.clock.now()} | more
    with console.app.services.store.begin() as tx:
        write_audit(tx, who=who, act=act, **given)  # type: ignore[arg-type]


@pytest.fixture
def auditor(console: ConsoleDesk) -> Person:
    return console.person(Role.AUDITOR)


async def test_a_line_says_who_what_about_what_and_why(console: ConsoleDesk, auditor: Person):
    write(console, facts={"fields": "phone", "lines": 3})
    page = await auditor.get("/audit")
    for told in ("wang", "hidden data looked at", "#7", "rings the family", "fields: phone", "lines: 3"):
        assert told in text(page)
    assert 'href="/cases/7"' in page.text


async def test_a_person_is_named_and_found_by_login_and_by_name(console: ConsoleDesk, auditor: Person):
    console.account(Role.CALLER, login="wang")
    write(console)
    write(console, who="li", why="something else")
    for who in ("wang", "Caller"):
        page = text(await auditor.get("/audit", who=who))
        assert "Caller wang" in page
        assert "rings the family" in page
        assert "something else" not in page


async def test_an_account_is_told_by_its_login(console: ConsoleDesk, auditor: Person):
    await console.person(Role.ADMINISTRATOR).post(
        "/accounts", login="zhao", display_name="Zhao", role="clerk"
    )
    page = text(await auditor.get("/audit"))
    assert "account made account zhao" in page
    assert "role: clerk" in page


async def test_what_is_asked_is_what_is_shown(console: ConsoleDesk, auditor: Person):
    for query in (
        {"who": "wang"},
        {"act": "reveal"},
        {"subject": "case/7"},
        {"subject": "#7"},
        {"from": "2026-11-25", "to": "2026-11-25"},
        {"who": "wang", "act": "reveal", "subject": "#7"},
    ):
        write(console)
        other = {
            "who": "li",
            "act": "pause",
            "subject": "case/8",
            "now": console.clock.now() - timedelta(days=3),
        }
        write(console, **other, why="something else")  # type: ignore[arg-type]
        page = text(await auditor.get("/audit", **query))
        assert "rings the family" in page
        assert "something else" not in page
        assert "No line is like this" in text(await auditor.get("/audit", who="nobody"))


async def test_pages_follow_each_other_though_all_lines_are_of_one_moment(
    console: ConsoleDesk, auditor: Person
):
    for number in range(53):
        write(console, subject=f"case/{1000 + number}")
    first = await auditor.get("/audit")
    older = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert older is not None
    second = await auditor.get(older[1].replace("&amp;", "&"))
    shown = [int(n) for n in re.findall(r"#(\d{4})", text(first) + text(second))]
    assert shown == list(range(1052, 999, -1))


async def test_a_broken_place_begins_at_the_newest(console: ConsoleDesk, auditor: Person):
    for before in (
        "x",
        "2026-11-25~1",
        "2026-11-25T00:00:00+00:00~x",
        "~",
        "9" * 90,
    ):
        write(console)
        assert "rings the family" in text(await auditor.get("/audit", before=before))


async def test_an_export_is_audited_with_its_reason(console: ConsoleDesk, auditor: Person):
    write(console)
    write(console, who="li")
    answer = await auditor.post("/audit/export", kind="csv", why="yearly review", who="wang")
    assert answer.headers["content-disposition"] == 'attachment; filename="audit-20261125-1000.csv"'
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][:3] == ["When", "Who", "What"]
    assert [row[1] for row in rows[1:]] == ["wang"]
    assert rows[1][0] == "2026-11-25 10:00:00+08:00"
    [line] = console.audited("export")
    assert (line["who"], line["why"], line["facts"]) == (
        "auditor",
        "yearly review",
        {"lines": 1, "who": "wang"},
    )


async def test_an_altered_line_shows_itself_and_hides_nothing_else(console: ConsoleDesk, auditor: Person):
    case_id = ConsoleScenario(console).case()
    for who in ("wang", "li"):
        write(console, who=who, subject=f"case/{case_id}")
    with console.app.services.store.begin() as tx:
        tx.execute(sa.text("ALTER TABLE audit DISABLE TRIGGER append_only"))
        tx.execute(sa.text("UPDATE audit SET who = 'zhao' WHERE who = 'wang'"))
        tx.execute(sa.text("ALTER TABLE audit ENABLE TRIGGER append_only"))
    page = text(await auditor.get("/audit", subject=f"case/{case_id}"))
    assert page.count("altered, or its key is missing") == 1
    assert page.count("rings the family") == 1
    assert (await console.person(Role.SUPERVISOR).get(f"/cases/{case_id}")).status_code == 200
    answer = await auditor.post("/audit/export", kind="csv", why="review", subject=f"case/{case_id}")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert sorted((row[1], row[-1]) for row in rows[1:]) == [
        ("li", "whole"),
        ("zhao", "altered, or its key is missing"),
    ]


async def test_the_page_says_what_the_last_check_found(console: ConsoleDesk, auditor: Person):
    for who in ("wang", "li", "zhao"):
        write(console, who=who)
    assert "have not been checked yet" in text(await auditor.get("/audit"))
    verify_trail(console.app.services)
    assert re.search(r"Lines up to 3 were checked \d+ s ago: whole", text(await auditor.get("/audit")))
    with console.app.services.store.begin() as tx:
        tx.execute(sa.text("ALTER TABLE audit DISABLE TRIGGER append_only"))
        tx.execute(sa.text("DELETE FROM audit WHERE who = 'li'"))
        tx.execute(sa.text("ALTER TABLE audit ENABLE ALWAYS TRIGGER append_only"))
    page = text(await auditor.get("/audit"))
    assert page.count("does not follow the line before it") == 1
    verify_trail(console.app.services)
    assert "found 1 lines missing or altered" in text(await auditor.get("/audit"))
    answer = await auditor.post("/audit/export", kind="csv", why="review")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert sorted((row[1], row[-2], row[-1]) for row in rows[1:]) == [
        ("wang", "1", "whole"),
        ("zhao", "3", "does not follow the line before it"),
    ]


async def test_the_form_of_an_export_follows_the_filter(console: ConsoleDesk, auditor: Person):
    """htmx brings the form anew with the lines that it is about."""
    part = await auditor.part("/audit", act="reveal")
    assert '<input type="hidden" name="act" value="reveal">' in part.text


async def test_without_a_reason_nothing_leaves(console: ConsoleDesk, auditor: Person):
    answer = await auditor.post("/audit/export", kind="xlsx", why="  ")
    assert answer.status_code == 422
    assert "is empty" in text(answer)
    assert console.audited("export") == []


async def test_a_workbook_holds_the_same_and_runs_nothing(
    console: ConsoleDesk, auditor: Person, tmp_path: Path
):
    write(console, why="=HYPERLINK(1)")
    answer = await auditor.post("/audit/export", kind="xlsx", why="review")
    path = tmp_path / "audit.xlsx"
    path.write_bytes(answer.content)
    rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    assert rows[1][5] == "'=HYPERLINK(1)"


async def test_an_auditor_of_a_unit_sees_the_acts_of_its_people(console: ConsoleDesk):
    scenario = ConsoleScenario(console)
    county, other = scenario.unit("临河分局"), scenario.unit("五原县局")
    console.account(Role.CALLER, login="mine", unit_id=county)
    console.account(Role.CALLER, login="theirs", unit_id=other)
    for who in ("mine", "theirs"):
        write(console, who=who)
    page = text(await console.person(Role.AUDITOR, unit_id=county).get("/audit"))
    assert "mine" in page
    assert "theirs" not in page


@pytest.mark.parametrize(
    ("facts", "chinese"),
    [
        ({"outcome_id": 386}, "处置结果：386"),
        ({"from": "high", "grade": "extra_high"}, "原为：高危，等级：特高危"),
        ({"outcome": "dissuaded_by_phone"}, "处置结果：电话劝阻成功"),
        ({"version": 2, "goes_live": True}, "版本：2，立即启用：是"),
        (
            {"terminal": "li@host", "in_clear": True, "what": "rejects"},
            "终端：li@host，明文：是，内容：未通过数据",
        ),
        ({"how": "password", "address": "10.0.0.1"}, "方式：密码，来自：10.0.0.1"),
        ({"counts": {"persons": 2}}, "数量：当事人数据：2"),
        ({"counts": {"person_key": 1, "person.sealed": 2}}, "数量：3"),
        ({"verdict": "ask_desk", "outlet": "0478-001"}, "核查结果：请询问核查席，网点：0478-001"),
        ({"sms_seconds": 120}, "短信：120 秒后"),
        ({"scopes": ["warnings:write"], "sources": []}, "权限范围：报送预警"),
        ({"something_new": [1]}, "something_new：1"),
    ],
)
async def test_what_was_noted_is_told_in_words(console: ConsoleDesk, facts: dict[str, object], chinese: str):
    write(console, facts=facts)
    with console.app.services.store.begin() as tx:
        (line,) = search_audit(tx, AuditQuery()).lines
    assert sorted(facts_words(line, Lang.ZH).split("，")) == sorted(chinese.split("，"))


@pytest.mark.parametrize(
    ("subject", "chinese"),
    [
        ("search/phone_end", "按 电话尾号"),
        ("alarms/webhooks_missing", "告警："),
        ("grade/high", "等级 高危"),
        ("database", "数据库"),
        ("list_load/7", "批次 7"),
        ("staff/3", "账号 wang"),
    ],
)
async def test_what_a_line_is_about_is_told_in_words(console: ConsoleDesk, subject: str, chinese: str):
    write(console, subject=subject)
    with console.app.services.store.begin() as tx:
        (line,) = search_audit(tx, AuditQuery()).lines
    assert subject_words(line, Lang.ZH).startswith(chinese)
    assert subject_words(line, Lang.ZH) != subject


async def test_looks_are_summed_by_person_the_largest_first(console: ConsoleDesk, auditor: Person):
    console.account(Role.CALLER, login="wang")
    night = console.clock.now() - timedelta(hours=6)
    for act in ("reveal", "conversation", "search"):
        write(console, act=act)
    for now in (night, night, night):
        write(console, who="li", act="search", now=now)
    write(console, who="zhao", act="pause")
    write(console, who="zhao", now=console.clock.now() - timedelta(days=9))
    first = await auditor.get("/audit/people")
    assert re.findall(r"(?:Caller wang|li) (\d+) (\d+) (\d+) (\d+)", text(first)) == [
        ("2", "1", "0", "0"),
        ("0", "3", "0", "3"),
    ]
    assert "zhao" not in text(first)
    sought = text(await auditor.get("/audit/people", order="searches"))
    assert sought.index("li 0 3") < sought.index("Caller wang 2 1")
    assert 'href="/audit?who=wang&amp;act=search&amp;from=2026-11-19"' in first.text
    assert "zhao 1 0 0" in text(await auditor.get("/audit/people", **{"from": "2026-11-10"}))
    assert (await auditor.get("/audit/people", **{"from": "x"})).status_code == 422


async def test_an_auditor_of_a_unit_sees_the_looks_of_its_people(console: ConsoleDesk):
    scenario = ConsoleScenario(console)
    county, other = scenario.unit("临河分局"), scenario.unit("五原县局")
    console.account(Role.CALLER, login="mine", unit_id=county)
    console.account(Role.CALLER, login="theirs", unit_id=other)
    for who in ("mine", "theirs"):
        write(console, who=who)
    page = text(await console.person(Role.AUDITOR, unit_id=county).get("/audit/people"))
    assert "mine" in page
    assert "theirs" not in page


def test_every_fact_that_is_written_has_its_words():
    """Of the facts that a function spells out beside `act.audit`; those that a page or a list names are its own."""
    spelled = set()
    for path in Path(dialer.__file__).parent.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        if "audit(" not in source:
            continue
        for call in ast.walk(ast.parse(source)):
            if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "audit":
                spelled |= {
                    key.value
                    for given in call.keywords
                    if given.arg == "facts"
                    for part in ast.walk(given.value)
                    if isinstance(part, ast.Dict)
                    for key in part.keys
                    if isinstance(key, ast.Constant) and isinstance(key.value, str)
                }
    assert len(spelled) > 25
    assert spelled - set(FACTS) == set()


def test_every_act_that_is_written_has_its_words():
    root = Path(dialer.__file__).parent
    written = {
        act
        for path in root.rglob("*.py")
        if re.search(
            "write_audit|note_(work_)?reveal|services.act", source := path.read_text(encoding="utf-8")
        )
        for act in re.findall(
            r"(?:\bact=|_audit\(tx, services, [\w.]+, |\bact\.audit\(\s*|"
            r'(?:note_reveal|_change_pace)\([\w., ]+ name=)"([a-z_.]+)"',
            source,
        )
    }
    assert len(written) > 60
    nameless = written - set(ACTS) - {kind.value for kind in ActKind}
    assert not nameless, f"give these a name in dialer/audit/words.py: {nameless}"
    assert act_words("something_new", Lang.ZH) == "something_new"
    assert act_words("reveal", Lang.ZH) == "查看隐藏信息"
    assert act_words("ring_now", Lang.ZH) == act_words("call_now", Lang.ZH) == "立即呼叫", (
        "the word of before"
    )
