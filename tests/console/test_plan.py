"""The plan of the centre: policy, limits of sources and pace, drafted, compared, judged on last week and approved."""

from __future__ import annotations

import html
from dataclasses import replace
from datetime import timedelta

import pytest

from dialer.approvals.actions import watch_drafts
from dialer.calls.pacing import read_pace, restore_pace
from dialer.control.plan_store import read_week
from dialer.control.plan_view import differences
from dialer.control.plans import approve_plan, draft_plan
from dialer.core.access import Role, unrestricted
from dialer.core.errors import Conflict, SettingsError
from dialer.core.text import Lang
from dialer.core.values import Grade, MessageChannel
from dialer.db import tables as t
from dialer.runtime.plans import parse_plan, plan_of_settings, plan_text, plan_values
from dialer.runtime.services import Application
from tests.console.desk import ConsoleDesk, Person
from tests.console.town import ConsoleScenario
from tests.outcomes.town import MORNING

SMS = frozenset({MessageChannel.SMS})


def supervisor(console: ConsoleDesk, login: str, language: str = "en") -> Person:
    return console.signed_in(console.account(Role.SUPERVISOR, login=login, language=language))


def values(console: ConsoleDesk, **changed: str) -> dict[str, list[str]]:
    """The form of the plan of the settings, with these values; keys with __ for the dots."""
    given = {one.key: one.text for one in plan_values(plan_of_settings(console.app.settings))}
    for key, text in changed.items():
        assert key.replace("__", ".") in given
        given[key.replace("__", ".")] = text
    return {"name": list(given), "value": list(given.values())}


def source(console: ConsoleDesk, before: str = "", after: str = "") -> str:
    text = plan_text(plan_of_settings(console.app.settings))
    assert before in text
    return text.replace(before, after, 1) if before else text


async def test_a_limit_is_drafted_compared_judged_on_last_week_and_approved_by_another(console: ConsoleDesk):
    first, second = supervisor(console, "first"), supervisor(console, "second")
    scenario = ConsoleScenario(console)
    scenario.case(unit_id=None)
    shown = (await first.get("/plan")).text
    assert "In force: the settings of this machine" in shown
    changed = values(console, policy__medium__first_attempt_seconds="1", sources__cases_a_number="9")
    sent = await first.post("/plan", **changed)
    assert sent.headers["location"] == "/plan/versions/1"
    compared = html.unescape((await second.get("/plan/versions/1")).text)
    assert "medium · First call within" in compared
    assert "15 min" in compared
    assert "Sources · Open cases of one number" in compared
    console.pass_seconds(120)
    week = html.unescape((await first.get("/plan/versions/1/week")).text)
    assert "first call too late" in week
    assert "cases, calls, tasks and warnings since" in week
    approve = 'action="/plan/versions/1/approve"'
    assert approve in compared
    assert approve not in (await first.get("/plan/versions/1")).text
    assert "/plan/versions/1" in (await second.get("/approvals")).text
    assert "/plan/versions/1" not in (await first.get("/approvals")).text
    assert (await first.post("/plan/versions/1/approve", reason="mine")).status_code == 409
    assert (await second.post("/plan/versions/1/approve", reason="")).status_code == 422
    assert console.app.services.live_sources.cases_a_number == 4
    assert (await second.post("/plan/versions/1/approve", reason="seen")).status_code == 303
    services = console.app.services
    assert services.policies.newest.of(Grade.MEDIUM).first_attempt_seconds == 1
    assert services.live_sources.cases_a_number == 9
    assert "version 1 of the plan" in (await second.get("/control")).text
    assert "version 1 of the plan is in force" in (await second.get("/settings")).text
    acts = [row for row in console.rows(t.audit) if row["act"].startswith("plan_")]
    assert [row["act"] for row in acts] == ["plan_draft", "plan_approve"]
    [version] = console.rows(t.plan_version)
    for row in acts:
        assert row["facts"] == {"version": 1, "hash": version["content_hash"][:12]}


async def test_a_value_that_is_not_fit_is_named_at_its_field_and_nothing_is_stored(console: ConsoleDesk):
    person = supervisor(console, "first")
    refused = await person.post("/plan", **values(console, policy__low__robot_tries="many"))
    assert refused.status_code == 422
    page = html.unescape(refused.text)
    assert 'value="many"' in page
    assert "Input should be a valid integer" in page
    missing = await person.post("/plan", **values(console, policy__low__robot_tries=""))
    assert "Field required" in missing.text
    order = await person.post("/plan", **values(console, policy__urgency__low_seconds="604801"))
    assert "a higher grade must not be worth less than a lower one" in order.text
    fast = await person.post("/plan", **values(console, pace__lines="25"))
    assert "is above what the settings allow, 24" in fast.text
    assert console.rows(t.plan_version) == []


async def test_the_toml_is_kept_as_it_was_written_and_comes_back_with_its_fault(console: ConsoleDesk):
    person = supervisor(console, "first", language="zh")
    broken = await person.post("/plan", do="toml", source="[policy\nx = 1")
    assert broken.status_code == 422
    assert "[policy" in broken.text
    text = "# 节前\n" + source(console, "lines = 24", "lines = 12")
    made = await person.post("/plan", do="toml", source=text.replace("\n", "\r\n"))  # as browsers send it
    assert made.headers["location"] == "/plan/versions/1"
    again = await person.post("/plan", do="toml", source=text.replace("节前", "节后"))
    assert again.status_code == 409
    assert "节后" in again.text
    assert (await person.get("/plan/file", version="1")).text == text
    assert "机器人外呼速度上限 · " in (await person.get("/plan/versions/1")).text
    assert (await person.get("/plan/file")).text == source(console)


async def test_the_pace_of_an_approved_plan_is_the_most_and_a_slower_one_stays(console: ConsoleDesk):
    services = console.app.services
    made = draft_plan(services, unrestricted("li"), source(console, "lines = 24", "lines = 12"), channels=SMS)
    approve_plan(services, unrestricted("wang"), made.number, reason="seen", channels=SMS)
    assert (read_pace(services).lines, read_pace(services).most_lines) == (12, 12)
    person = supervisor(console, "first")
    await person.post("/control/pace", calls_per_second="0.5", lines="6", pace_why="a fault")
    back = source(console, "robot_tries = 2", "robot_tries = 4")
    second = draft_plan(services, unrestricted("li"), back, channels=SMS)
    approve_plan(services, unrestricted("wang"), second.number, reason="seen", channels=SMS)
    assert (read_pace(services).lines, read_pace(services).most_lines) == (6, 24)
    approve_plan(services, unrestricted("wang"), made.number, reason="as before", channels=SMS)
    restore_pace(services, unrestricted("li"))
    assert read_pace(services).lines == 12


async def test_another_process_follows_an_approval_and_running_cases_keep_their_policy(console: ConsoleDesk):
    services = console.app.services
    case_id = ConsoleScenario(console).case(unit_id=None)
    before = services.policies.newest

    def pinned() -> int:
        return next(row["policy_version"] for row in console.rows(t.case) if row["id"] == case_id)

    had = pinned()
    made = draft_plan(
        services, unrestricted("li"), source(console, "robot_tries = 3", "robot_tries = 7"), channels=SMS
    )
    approve_plan(services, unrestricted("wang"), made.number, reason="seen", channels=SMS)
    follower = type(services.policies.plan)(services.store)  # as of a process that starts later
    found = follower()
    assert found is not None
    assert found.policy_version != before.version
    assert pinned() == had


def test_who_drafted_a_plan_does_not_approve_it(console_app: Application):
    services = console_app.services
    text = plan_text(plan_of_settings(console_app.settings))
    made = draft_plan(services, unrestricted("li"), text, channels=SMS)
    with pytest.raises(Conflict):
        approve_plan(services, unrestricted("LI"), made.number, reason="mine", channels=SMS)
    assert services.policies.in_force() is None
    with pytest.raises(SettingsError, match="message_channel"):
        approve_plan(services, unrestricted("wang"), made.number, reason="x", channels=frozenset())
    assert parse_plan(text) == plan_of_settings(console_app.settings).model_copy(
        update={"pace": parse_plan(text).pace}
    )


@pytest.mark.parametrize("address", ["/plan/versions/99", "/plan?version=99", "/plan/file?version=99"])
async def test_what_is_not_there_is_not_found(console: ConsoleDesk, address: str):
    assert (await supervisor(console, "first").get(address)).status_code == 404


async def test_drafts_that_wait_for_a_second_person_for_too_long_are_an_alarm(console: ConsoleDesk):
    services = console.app.services
    hours = services.work.draft_wait_hours
    made = draft_plan(services, unrestricted("li"), source(console, "lines = 24", "lines = 12"), channels=SMS)
    console.pass_seconds(hours * 3600 - 60)
    assert watch_drafts(services) == 0
    later = draft_plan(services, unrestricted("li"), source(console, "lines = 24", "lines = 9"), channels=SMS)
    console.pass_seconds(120)
    assert watch_drafts(services) == 0, "the newer draft takes the place of the one that has waited"
    console.pass_seconds(hours * 3600)
    assert watch_drafts(services) == 1
    [alarm] = [one for one in console.rows(t.alarm) if one["code"] == "drafts_wait"]
    assert alarm["facts"]["names"] == ["plan"]
    person = supervisor(console, "first", language="zh")
    assert "等待另一人审批的草稿：1 份" in (await person.get("/control")).text
    approve_plan(services, unrestricted("wang"), later.number, reason="seen", channels=SMS)
    assert watch_drafts(services) == 0
    assert made.number == 1


async def test_the_warnings_of_the_week_have_the_larger_of_their_amounts(console: ConsoleDesk):
    scenario, services = ConsoleScenario(console), console.app.services
    case_id = scenario.case(unit_id=None)
    [person_id] = {row["person_id"] for row in console.rows(t.case)}
    for at_risk, paid in ((None, None), (500, None), (None, 300), (200, 900)):
        scenario.warning(case_id, person_id=person_id, amount_at_risk_fen=at_risk, amount_paid_fen=paid)
    with services.store.begin() as tx:
        week = read_week(tx, start=MORNING - timedelta(days=7), now=services.clock.now(), most=100)
    assert sorted(one.asked.amount_fen or 0 for one in week.warnings)[-4:] == [0, 300, 500, 900]


def test_every_limit_that_may_lack_says_what_then_happens(console_app: Application):
    text = plan_text(plan_of_settings(console_app.settings))
    for one in plan_values(parse_plan(text)):
        if one.may_lack and one.text and not one.words:
            name = one.key.rpartition(".")[2]
            [grade] = [grade for grade in Grade if f".{grade.value}." in one.key]
            head, tail = text.split(f"[policy.{grade.value}]")
            kept = tail.splitlines()
            first = next(place for place, line in enumerate(kept) if line.startswith(f"{name} ="))
            dropped = [*kept[:first], *kept[first + 1 :]]
            after = parse_plan(f"{head}[policy.{grade.value}]" + "\n".join(dropped))
            [found] = differences(parse_plan(text), after, Lang.EN)
            assert found.after not in {"", "–"}


def test_an_approved_plan_has_the_robot_look_for_calls_at_once(console_app: Application):
    sent: list[str] = []
    services = replace(console_app.services, enqueue=lambda name, *_: sent.append(name))
    text = plan_text(plan_of_settings(console_app.settings)).replace("lines = 24", "lines = 12")
    made = draft_plan(services, unrestricted("li"), text, channels=SMS)
    assert sent == []
    approve_plan(services, unrestricted("wang"), made.number, reason="seen", channels=SMS)
    assert sent == ["dial"]
