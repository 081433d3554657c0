"""The page of the warning robot, and the reasons on the page of a case."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from dialer.cli.signals import status_json
from dialer.core.access import Role, unrestricted
from dialer.db import tables as t
from dialer.db.units import add_unit
from dialer.signals.deliveries import SignalReception, take_signals
from dialer.signals.queries import read_status
from dialer.signals.robot import WarningRobot
from dialer.signals.rules import shipped_texts
from dialer.signals.shadow import VerdictDifference, read_shadow
from dialer.signals.verdict_store import stop_rule_row
from dialer.signals.versions import approve_rules, draft_rules
from tests.console.desk import ConsoleDesk
from tests.outcomes.town import MORNING

ACCOUNT = "6222020200001111"
MANY = """
id = "many"
title.zh = "刷单付款"
title.en = "Order-rebate payment"
points = 100
floor = "medium"
fraud_type = "unknown"
when = ["payments >= 1"]
reason.zh = "刷单付款{payments}笔"
reason.en = "{payments} payments about order rebates"

[features.payments]
count = "payment_attempt"
where = ["topic = rebate"]
within = "24h"

[[examples]]
name = "one"
fires = true
signals = [{ kind = "payment_attempt", account = "a", amount_fen = 100, topic = "rebate" }]

[[examples]]
name = "none"
fires = false
signals = [{ kind = "payment_attempt", account = "a", amount_fen = 100 }]
"""


def warned(console: ConsoleDesk) -> int:
    """The case of a warning of the robot."""
    services = console.app.services
    base = {"source": "bank", "event_at": MORNING.isoformat(), "account": ACCOUNT}
    raw = [
        base | {"signal_no": "1", "kind": "list_change", "list_kind": "fraud", "change": "entered"},
        base | {"signal_no": "2", "kind": "payment_attempt", "phone": "13800138000", "amount_fen": 2_000_000},
    ]
    take_signals(services, [SignalReception(services).read(raw)])
    robot = WarningRobot(services, threading.Event())
    robot.do_periodic_work()
    robot.evaluate_next()
    (case,) = console.rows(t.case)
    return int(case["id"])


async def test_a_case_says_why_the_robot_warned_and_the_page_leads_to_it(console: ConsoleDesk):
    case_id = warned(console)
    for language, said in (
        ("zh", "正在向涉诈账户转账，共1笔"),
        ("en", "1 payment to an account on a fraud list"),
    ):
        supervisor = console.signed_in(
            console.account(Role.SUPERVISOR, login=f"boss-{language}", language=language)
        )
        case = await supervisor.get(f"/cases/{case_id}")
        page = await supervisor.get("/robot")
        verdicts = await supervisor.get("/robot/verdicts", state="sent")
        assert f"/cases/{case_id}#reasons" in verdicts.text
        for address in (
            "/robot/verdicts?rule=payment_listed_account",
            "/robot/verdicts?rule=payment_listed_account&amp;warned=1",
            "/robot/signals?source=bank",
        ):
            assert f'href="{address}"' in page.text
        signals = await supervisor.get("/robot/signals", source="bank")
        assert re.findall(r"<td data-label=\"[^\"]+\">([12])</td>", signals.text) == ["2", "1"]
        assert "13800138000" not in signals.text
        assert ACCOUNT not in signals.text
        assert said in case.text
        assert ACCOUNT not in case.text
        assert "****1111" in case.text
        _keep(language, case.text, page.text)


async def test_lists_behind_the_figures_of_a_rule_hold_as_many_as_the_figures_say(console: ConsoleDesk):
    case_id = warned(console)
    supervisor = console.signed_in(console.account(Role.SUPERVISOR, login="boss", language="en"))
    rule = "payment_listed_account"

    async def listed(**wanted: str) -> int:
        page = await supervisor.get("/robot/verdicts", rule=rule, **wanted)
        return len(re.findall(f"/cases/{case_id}#reasons", page.text))

    assert await listed() == await listed(warned="1") == 1
    assert await listed(answer="any") == await listed(answer="right") == 0
    assert await listed(side="live") == 0
    filed = {"case_number": "F-1", "case_id": case_id, "by": "anna", "at": MORNING}
    with console.app.services.store.begin() as tx:
        tx.execute(sa.insert(t.filed_case).values(filed))
    assert await listed(answer="any") == await listed(answer="right") == 1
    page = await supervisor.get("/robot")
    for address in (f"rule={rule}&amp;answer=any", "warned=1&amp;answer=any"):
        assert address in page.text
    low, high = re.findall(r"low=([0-9.]+)&amp;high=([0-9.]+)", page.text)[0]
    assert await listed(low=low, high=high, warned="1", answer="any") == 1


async def test_the_page_shows_what_a_draft_would_do_beside_the_live_rules(console: ConsoleDesk):
    warned(console)
    services = console.app.services
    files = dict(shipped_texts())
    del files["payment_listed_account"]
    files["many"] = MANY
    draft_rules(services, unrestricted("analyst"), files)
    robot = WarningRobot(services, threading.Event())
    with services.store.begin() as tx:
        tx.execute(sa.update(t.robot_shard).values(until=sa.func.clock_timestamp()))
        tx.execute(sa.delete(t.heartbeat))
    for _ in range(10):
        robot._last.clear()
        robot.do_periodic_work()
    base = {
        "source": "bank",
        "event_at": MORNING.isoformat(),
        "kind": "payment_attempt",
        "amount_fen": 90_000,
    }
    raw = [
        base | {"signal_no": "3", "phone": "13800138001", "account": ACCOUNT},
        base | {"signal_no": "4", "phone": "13800138002", "account": "62220202", "topic": "rebate"},
    ]
    take_signals(services, [SignalReception(services).read(raw)])
    robot.evaluate_next()
    for language, said in (
        ("zh", ("版本2与现行规则对照", "不再预警", "新增预警")),
        ("en", ("Version 2 beside the live rules", "no longer warned", "warned as well")),
    ):
        supervisor = console.signed_in(
            console.account(Role.SUPERVISOR, login=f"head-{language}", language=language)
        )
        page = await supervisor.get("/robot")
        for sentence in said:
            assert sentence in page.text
        assert "/robot/verdicts?difference=lost" in page.text
        assert "/robot/verdicts?difference=new" in page.text
        lost = await supervisor.get("/robot/verdicts", difference="lost")
        assert len(re.findall("/cases/[0-9]+#reasons", lost.text)) == 1
        _keep(f"draft_{language}", lost.text, page.text)
    with services.store.begin() as tx:
        shadow = read_shadow(tx)
        assert shadow is not None
        assert shadow.differences == {
            VerdictDifference.NEW: 1,
            VerdictDifference.LOST: 1,
            VerdictDifference.REGRADED: 0,
        }
        assert (shadow.live.warnings, shadow.draft.warnings) == (1, 1)
        assert shadow.live.desk_hours > 0
        status = status_json(read_status(tx, since=services.clock.now(), now=services.clock.now()))
    assert status["shadow"]["differences"] == {"new": 1, "lost": 1, "regraded": 0}
    approve_rules(services, unrestricted("head"), 2, reason="better")
    robot._last.clear()
    robot.do_periodic_work()
    page = await supervisor.get("/robot")
    assert "beside the live rules" not in page.text


def _keep(language: str, *pages: str) -> None:
    """The pages as files, for somebody who looks at them: `SHOW_PAGES=FOLDER`."""
    folder = os.environ.get("SHOW_PAGES")
    if folder:
        static = Path(__file__).resolve().parents[2] / "dialer" / "web" / "static"
        for name, text in zip(("case", "robot"), pages, strict=True):
            found = re.sub(r'(href|src)="/static/', rf'\1="file://{static}/', text)
            (Path(folder) / f"{name}_{language}.html").write_text(found, encoding="utf-8")


async def test_signals_that_changed_no_verdict_open_from_their_figures(console: ConsoleDesk):
    services = console.app.services
    base = {"source": "telecom", "kind": "call", "direction": "in", "number": "+8613911112222"}
    hours_ago = (MORNING - timedelta(hours=3)).isoformat()

    def take(number: str, phone: str, at: str) -> None:
        raw = base | {"signal_no": number, "phone": phone, "event_at": at}
        take_signals(services, [SignalReception(services).read([raw])])

    take("in time", "13800138000", MORNING.isoformat())
    take("late", "13800138000", hours_ago)
    take("of another", "13800138001", hours_ago)
    supervisor = console.signed_in(console.account(Role.SUPERVISOR, login="boss", language="en"))

    async def listed(lack: str) -> list[str]:
        page = await supervisor.get("/robot/signals", lack=lack)
        assert "13800138000" not in page.text
        return re.findall(r"<td data-label=\"Number\">([^<]+)</td>", page.text)

    assert await listed("waiting") == ["in time", "late", "of another"]
    before = (await supervisor.get("/robot")).text
    assert "3 signals are not evaluated yet" in before
    assert 'href="/robot/rules"' not in before  # The robot has not stored its rules yet.
    robot = WarningRobot(services, threading.Event())
    robot.do_periodic_work()
    robot.evaluate_next()
    robot.close()
    assert await listed("waiting") == []
    assert await listed("late") == ["late"]
    page = await supervisor.get("/robot")
    assert "All signals are evaluated" in page.text
    assert 'href="/robot/rules"' in page.text
    assert 'href="/robot/signals?lack=late">1 came too late to change a verdict</a>' in page.text


async def test_rules_of_the_whole_centre_are_not_decided_in_one_of_its_units(console: ConsoleDesk):
    case_id = warned(console)
    files = dict(shipped_texts()) | {"many": MANY}
    draft_rules(console.app.services, unrestricted("analyst"), files)
    (number,) = [row["number"] for row in console.rows(t.rule_version) if row["drafted_by"] == "analyst"]
    with console.app.services.store.begin() as tx:
        city = add_unit(tx, name="市局", parent_id=None)
        station = add_unit(tx, name="城关派出所", parent_id=city)
    local = console.person(Role.SUPERVISOR, unit_id=station)
    assert (await local.post(f"/robot/rules/{number}/approve", reason="ok")).status_code == 403
    assert (await local.post("/robot/rules/resume", rule="many")).status_code == 403
    assert f"/rules/{number}/approve" not in (await local.get(f"/robot/versions/{number}")).text
    assert f"/cases/{case_id}" not in (await local.get("/robot/verdicts", state="sent")).text
    centre = console.person(Role.SUPERVISOR)
    assert f"/rules/{number}/approve" in (await centre.get(f"/robot/versions/{number}")).text
    assert f"/cases/{case_id}" in (await centre.get("/robot/verdicts", state="sent")).text
    assert (await centre.post(f"/robot/rules/{number}/approve", reason="ok")).status_code == 303


async def test_who_drafted_the_rules_is_not_offered_to_approve_them(console: ConsoleDesk):
    drafted = draft_rules(console.app.services, unrestricted("Boss"), {**shipped_texts(), "many": MANY})
    approve = f'action="/robot/rules/{drafted.number}/approve"'
    drafter = console.signed_in(console.account(Role.SUPERVISOR, login="boss", language="en"))
    page = (await drafter.get(f"/robot/versions/{drafted.number}")).text
    assert approve not in page
    assert "You drafted this version: a second person approves it." in page
    second = console.signed_in(console.account(Role.SUPERVISOR, login="second", language="en"))
    assert approve in (await second.get(f"/robot/versions/{drafted.number}")).text


_STOPPED_RULES = [("payment_listed_account", ""), ("contact_just_listed", ""), ("contact_listed", "")]


def held_by_a_stop(
    console: ConsoleDesk, *phones: str, stops: Sequence[tuple[str, str]] = tuple(_STOPPED_RULES)
) -> list[int]:
    """Verdicts that rest on a stopped rule, or a stopped source, alone; their ids. `stops`: rule and source of each."""
    services = console.app.services
    with services.store.begin() as tx:
        for rule, source in stops:
            stop_rule_row(tx, rule, by="robot", facts={}, now=MORNING, source=source)
    base = {"source": "bank", "event_at": MORNING.isoformat(), "account": ACCOUNT}
    raw = [base | {"signal_no": "l", "kind": "list_change", "list_kind": "fraud", "change": "entered"}]
    for phone in phones:
        fields = {"signal_no": phone, "kind": "payment_attempt", "phone": phone, "amount_fen": 2_000_000}
        raw.append(base | fields)
    take_signals(services, [SignalReception(services).read(raw)])
    robot = WarningRobot(services, threading.Event())
    robot.do_periodic_work()
    robot.evaluate_next()
    assert console.rows(t.case) == []
    return [row["id"] for row in console.rows(t.verdict)]


async def test_of_the_stopped_sources_a_held_verdict_names_its_own(console: ConsoleDesk):
    held_by_a_stop(console, "13800138000", stops=[("", "bank"), ("", "carrier")])
    page = (await console.person(Role.SUPERVISOR).get("/robot/held")).text
    assert "stopped source: bank<" in page.replace(" <", "<")
    assert "carrier" not in page


async def test_held_verdicts_say_why_and_are_released_or_dropped_with_one_reason(console: ConsoleDesk):
    ids = held_by_a_stop(console, "13800138000", "13800138001", "13800138002")
    boss = console.signed_in(console.account(Role.SUPERVISOR, login="boss", language="en"))
    page = (await boss.get("/robot/held")).text
    assert page.count("stopped rule: Payment to a listed account") == 3
    assert 'href="/robot/held"' in (await boss.get("/robot")).text
    one = (await boss.get(f"/robot/held/{ids[0]}")).text
    assert "It is held: stopped rule" in one
    assert "1 payment to an account on a fraud list" in one
    assert ACCOUNT not in one
    assert (await boss.post("/robot/held/release", verdict=str(ids[0]), why="")).status_code == 422
    assert (await boss.post("/robot/held/drop", why="seen")).status_code == 422
    sent = await boss.post("/robot/held/release", verdict=[str(ids[0]), str(ids[1])], why="all true")
    assert sent.headers["location"] == "/robot/held"
    dropped = await boss.post("/robot/held/drop", verdict=str(ids[2]), why="a test of the bank")
    assert dropped.status_code == 303
    assert [row["state"] for row in console.rows(t.verdict)] == ["sent", "sent", "dropped"]
    assert len(console.rows(t.case)) == 2
    assert (await boss.post("/robot/held/drop", verdict=str(ids[0]), why="late")).status_code == 409
    acts = [
        (row["act"], row["subject"]) for row in console.rows(t.audit) if row["act"].startswith("verdict_")
    ]
    assert acts == [
        ("verdict_release", f"verdict/{ids[0]}"),
        ("verdict_release", f"verdict/{ids[1]}"),
        ("verdict_drop", f"verdict/{ids[2]}"),
    ]
    assert "dropped by a person" in (await boss.get("/robot")).text


async def test_held_verdicts_are_decided_in_the_whole_centre_alone(console: ConsoleDesk):
    (held,) = held_by_a_stop(console, "13800138000")
    with console.app.services.store.begin() as tx:
        city = add_unit(tx, name="市局", parent_id=None)
        station = add_unit(tx, name="城关派出所", parent_id=city)
    local = console.person(Role.SUPERVISOR, unit_id=station)
    assert (await local.get(f"/robot/held/{held}")).status_code == 403
    for act in ("release", "drop"):
        assert (await local.post(f"/robot/held/{act}", verdict=str(held), why="x")).status_code == 403
    assert 'name="verdict"' not in (await local.get("/robot/held")).text
