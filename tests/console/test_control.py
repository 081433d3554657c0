"""The control page: pauses, pace, rules as sentences, health of the parts, alarms."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from aiohttp import web

from dialer.calls.comparison import UNTIL_RESUMED, mark_restored
from dialer.calls.pacing import lock_line_group
from dialer.calls.pauses import pause_calls
from dialer.control.pages import common_sentences, grade_sentences, window_sentence
from dialer.core.access import Role, unrestricted
from dialer.core.events import AlarmCode
from dialer.core.policy import Window
from dialer.core.text import Lang
from dialer.core.values import Grade, PauseScope, Track
from dialer.db import tables as t
from dialer.db.acts import OpenAct
from dialer.db.alarms import raise_alarm
from dialer.db.system_state import note_cycle_part, note_heartbeat
from dialer.runtime.local import CarrierAccess
from dialer.runtime.location import free_port
from dialer.runtime.services import Application
from dialer.server.process import raise_public_address_alarm
from dialer.telephony.public_address import PublicAddressBlocked, check_public_address
from tests.console.desk import ConsoleDesk, text
from tests.console.town import ConsoleScenario
from tests.core.samples import POLICY
from tests.outcomes.town import MORNING
from tests.server.switchboard import CONFIG

RING = {"state": "ready", "result": None, "sent_at": None, "sid": None}


def waiting(scenario: ConsoleScenario, *, grade: Grade = Grade.LOW, unit_id: int | None = None) -> int:
    """A case whose ring is ready to leave."""
    case_id = scenario.case(grade=grade, unit_id=unit_id, robot_state="pending", robot_at=MORNING)
    scenario.attempt(case_id, **RING)  # type: ignore[arg-type]  # columns
    return case_id


async def test_a_grade_is_paused_and_resumed_with_a_reason(console: ConsoleDesk):
    scenario = ConsoleScenario(console)
    for _ in range(3):
        waiting(scenario)
    person = console.person(Role.SUPERVISOR)
    answer = await person.post(
        "/control/pause", scope="grade", grade="low", minutes=60, why="the list is wrong"
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/control")
    said = text(await person.get("/control"))
    assert "low 11:00 in 1 h the list is wrong Supervisor 10:00 3 Resume" in said
    [line] = console.audited("pause")
    assert (line["who"], line["subject"], line["why"]) == ("supervisor", "grade/low", "the list is wrong")
    hold_id = console.rows(t.hold)[0]["id"]
    assert (await person.post(f"/control/pauses/{hold_id}/resume")).status_code == 303
    assert "Nothing is paused" in text(await person.get("/control"))
    assert console.audited("resume")[0]["who"] == "supervisor"
    assert (await person.post(f"/control/pauses/{hold_id}/resume")).status_code == 404


async def test_while_everything_is_paused_every_page_says_so_at_once(console: ConsoleDesk):
    scenario = ConsoleScenario(console)
    waiting(scenario)
    person, caller = console.person(Role.SUPERVISOR), console.person(Role.CALLER)
    assert "All dialling is paused" not in text(await caller.get("/account"))
    asked = await person.post("/control/pause", scope="all", minutes=30, why="line test")
    assert "Press once more to pause everything." in text(asked)
    assert console.rows(t.hold) == []
    await person.post("/control/pause", scope="all", minutes=30, why="line test", sure="1")
    assert "All dialling is paused until 10:30 line test · Supervisor" in text(await caller.get("/account"))
    assert "all dialling 10:30 in 30 min line test Supervisor 10:00 1 Resume" in text(
        await person.get("/control")
    )
    assert "All dialling is paused" not in text(await console.stranger().get("/sign-in"))
    await person.post(f"/control/pauses/{console.rows(t.hold)[0]['id']}/resume")
    assert "All dialling is paused" not in text(await caller.get("/account"))


async def test_a_form_with_errors_is_shown_again(console: ConsoleDesk):
    for form, said in (
        ({"scope": "grade", "grade": "", "minutes": "30", "why": "x"}, "which grade"),
        ({"scope": "all", "minutes": "30", "why": " "}, "a pause names who placed it and why"),
        ({"scope": "all", "minutes": "0", "why": "x"}, "is not a length of a pause"),
        ({"scope": "all", "minutes": "ever", "why": "x"}, "is not a whole number"),
        ({"scope": "unit", "unit": "", "minutes": "30", "why": "x"}, "is empty"),
        ({"scope": "list", "minutes": "30", "why": "x"}, "is empty"),
    ):
        answer = await console.person(Role.SUPERVISOR).post("/control/pause", **form)
        assert answer.status_code == 422
        assert said in text(answer)
        assert console.rows(t.hold) == []


async def test_a_unit_is_paused_with_all_below_it(console: ConsoleDesk):
    scenario = ConsoleScenario(console)
    county = scenario.unit("临河")
    station, elsewhere = scenario.unit("新华所", county), scenario.unit("五原")
    for unit_id in (county, station, elsewhere, None):
        waiting(scenario, unit_id=unit_id)
    chief = console.person(Role.SUPERVISOR)
    await chief.post("/control/pause", scope="unit", unit=county, minutes=30, why="x")
    assert "临河 with all below it 10:30 in 30 min x Supervisor 10:00 2 Resume" in text(
        await chief.get("/control")
    )
    held = {row["case_id"] for row in console.rows(t.attempt) if row["held"]}
    assert len(held) == 2
    own = console.person(Role.SUPERVISOR, unit_id=station)
    answer = await own.get("/control")
    assert "临河 with all below it 10:30 in 30 min x Supervisor 10:00 1" in text(answer)
    assert "/resume" not in answer.text
    assert "Nothing is paused" in text(
        await console.person(Role.SUPERVISOR, unit_id=elsewhere).get("/control")
    )


async def test_a_member_of_a_unit_controls_that_unit_alone(console: ConsoleDesk):
    scenario = ConsoleScenario(console)
    county, elsewhere = scenario.unit("临河"), scenario.unit("五原")
    person = console.person(Role.SUPERVISOR, unit_id=county)
    for form in (
        {"scope": "all"},
        {"scope": "grade", "grade": "low"},
        {"scope": "unit", "unit": str(elsewhere)},
    ):
        answer = await person.post("/control/pause", minutes=30, why="x", **form)
        assert answer.status_code == 404, form
    assert console.rows(t.hold) == []
    answer = await person.post("/control/pause", scope="unit", unit=county, minutes=30, why="x")
    assert answer.status_code == 303
    pace = await person.post("/control/pace", calls_per_second="0.5", lines=3, pace_why="x")
    assert pace.status_code == 404
    assert (await person.post("/control/pace/settings")).status_code == 404
    assert "Change the pace" not in text(await person.get("/control"))


async def test_the_pace_is_changed_and_given_back(console: ConsoleDesk):
    person = console.person(Role.SUPERVISOR)
    answer = await person.post("/control/pace", calls_per_second="0.5", lines=6, pace_why="fewer callers")
    assert answer.status_code == 303
    with console.app.services.store.begin() as tx:
        group = lock_line_group(tx)
    assert group is not None
    assert (group.calls_per_second, group.lines) == (0.5, 6)
    said = text(await person.get("/control"))
    assert "0.5 new calls per second, of 1 6 lines, of 24 0 in use now" in said
    assert "Lowered by Supervisor, 10:00: fewer callers" in said
    [line] = console.audited("pace")
    assert line["facts"] == {"before": "1/s, 24", "after": "0.5/s, 6"}
    await person.post("/control/pace/settings")
    assert "From the settings." in text(await person.get("/control"))


async def test_no_pace_is_beyond_the_settings_and_none_is_a_pause(console: ConsoleDesk):
    for pace, lines, said in (
        ("2", "6", "is outside what the settings allow (0.1 – 1)"),
        ("0.01", "6", "is outside what the settings allow (0.1 – 1)"),
        ("nan", "6", "is not a number"),
        ("", "6", "is empty"),
        ("0.5", "25", "is outside what the settings allow (1 – 24)"),
        ("0.5", "0", "is outside what the settings allow (1 – 24)"),
    ):
        answer = await console.person(Role.SUPERVISOR).post(
            "/control/pace", calls_per_second=pace, lines=lines, pace_why="x"
        )
        assert answer.status_code == 422
        assert said in text(answer)
        assert console.audited("pace") == []


async def test_the_rules_are_shown_with_their_version(console: ConsoleDesk):
    said = text(await console.person(Role.CLERK).get("/control"))
    assert "Robots call from 09:00 to 21:00 every day, time of Asia/Shanghai. It is open now." in said
    assert "extra high The robot calls within 1 min, up to 3 times, 2 min apart." in said
    assert "A caller calls at once beside the robot, within 5 min. An officer goes at once" in said
    [row] = console_policies(console)
    assert f"sha256 {bytes(row).hex()[:12]}" in said
    assert "For how long" not in said
    assert "Change the pace" not in said
    console.clock.set(MORNING + timedelta(hours=13))
    late = text(await console.signed_in(console.account(Role.CLERK, login="late")).get("/control"))
    assert "It is closed now and opens at 26 Nov 09:00." in late


def console_policies(console: ConsoleDesk) -> list[bytes]:
    """The hash of the version that is live."""
    with console.app.services.store.begin() as tx:
        return [
            row["content_hash"]
            for row in tx.rows(
                sa.select(t.policy_version.c.content_hash).where(
                    t.policy_version.c.version == console.app.services.policies.of_settings
                )
            )
        ]


@pytest.mark.parametrize("lang", list(Lang))
def test_every_number_of_a_policy_is_in_its_sentences(lang: Lang):
    """A sentence that is copied by hand would not move with the policy."""
    rules = replace(POLICY.of(Grade.LOW), follow_up_by=Track.ROBOT, follow_up_then=Track.HUMAN)
    policy = replace(POLICY, grades={**POLICY.grades, Grade.LOW: rules})
    told = grade_sentences(policy, Grade.LOW, lang)
    for name, other in (
        ("first_attempt_seconds", 7_777),
        ("robot_tries", 9),
        ("robot_gap_seconds", 7_777),
        ("robot_patience_seconds", 7_777),
        ("windowed", not rules.windowed),
        ("human_after_seconds", 7_777 if rules.human_after_seconds is None else None),
        ("human_due_seconds", 7_777),
        ("human_sample_percent", 41),
        ("visit_after_seconds", 7_777 if rules.visit_after_seconds is None else None),
        ("visit_due_seconds", 7_777),
        ("family_after_seconds", 7_777),
        ("flash_every_seconds", 7_777),
        ("sign_seconds", 7_777),
        ("feedback_seconds", 7_777),
        ("message_when_unreachable", not rules.message_when_unreachable),
        ("message_after_warning", not rules.message_after_warning),
        ("follow_up_by", Track.VISIT),
        ("follow_up_then", None),
        ("follow_up_after_seconds", 7_777),
        ("follow_up_tries", 9),
        ("follow_up_gap_seconds", 7_777),
    ):
        changed = replace(POLICY, grades={**POLICY.grades, Grade.LOW: replace(rules, **{name: other})})
        assert grade_sentences(changed, Grade.LOW, lang) != told, name
    common = common_sentences(POLICY, lang)
    for name in (
        "busy_retry_seconds",
        "requeue_seconds",
        "max_own_faults",
        "number_spacing_seconds",
        "visit_tries",
        "visit_retry_seconds",
        "watch_seconds",
    ):
        assert common_sentences(replace(POLICY, **{name: 77_777}), lang) != common, name
    assert "%(" not in " ".join(told + common)


def test_every_kind_of_window_has_its_sentence():
    def told(opens: int, closes: int) -> str:
        window = Window(
            opens=MORNING.time().replace(hour=opens), closes=MORNING.time().replace(hour=closes), zone="UTC"
        )
        return window_sentence(window, Lang.EN)

    assert told(9, 9) == "Robots call at any hour."
    assert told(20, 6) == "Robots call from 20:00 to 06:00 of the next day, time of UTC."


async def test_every_part_has_its_last_good_moment(console: ConsoleDesk):
    person = console.person(Role.AUDITOR)
    said = text(await person.get("/control"))
    assert "Calling workers 0 processes never" in said
    with console.app.services.store.begin() as tx:
        note_heartbeat(tx, process="web:a:1", kind="web", real_now=MORNING, facts={})
        note_heartbeat(tx, process="worker:a:2", kind="worker", real_now=MORNING, facts={"queues": ["dial"]})
        note_heartbeat(
            tx, process="scheduler:a:3:4", kind="scheduler", real_now=MORNING, facts={"leader": True}
        )
        note_cycle_part(tx, "sweep", began_at=MORNING, real_now=MORNING)
        note_cycle_part(
            tx, "consistency", began_at=MORNING, real_now=MORNING, facts={"found": {"no_next_step": 2}}
        )
    console.pass_seconds(20)
    said = text(await person.get("/control"))
    assert "Web 0 processes 20 s ago" in said
    assert "Calling workers 0 processes 20 s ago" in said
    assert "Workers for lists and sound 0 processes never" in said
    assert "Leading scheduler a 3 20 s ago" in said
    assert "Due cases checked 20 s ago" in said
    assert "Consistency check 2 findings in the last round 20 s ago" in said
    assert "breaker closed no report lately" in said
    assert "GB free" in said


async def test_an_open_breaker_says_when_it_tries_again(console: ConsoleDesk):
    with console.app.services.store.begin() as tx:
        tx.execute(
            sa.update(t.line_group).values(
                troubles=7,
                openings=2,
                opened_at=MORNING - timedelta(seconds=25),
                slow_until=MORNING + timedelta(seconds=15),
            )
        )
    said = text(await console.person(Role.CLERK).part("/control/now"))
    assert "dialling stopped 25 s ago, after 7 failures in a row. Next trial call in 15 s." in said
    assert "Telephone network breaker open" in said


async def test_an_alarm_of_the_public_address_says_why_and_what_to_do_in_both_languages(console: ConsoleDesk):
    services = console.app.services
    with pytest.raises(PublicAddressBlocked) as blocked:
        await check_public_address(replace(CONFIG, public_url=f"http://127.0.0.1:{free_port()}"))
    for _ in range(2):
        await asyncio.to_thread(raise_public_address_alarm, services, blocked.value)
    assert len(console.rows(t.alarm)) == 1
    said = text(await console.person(Role.SUPERVISOR).get("/control"))
    assert "no connection. start the proxy, or set web.public_url" in said
    said = text(
        await console.signed_in(console.account(Role.SUPERVISOR, login="zhang", language="zh")).get(
            "/control"
        )
    )
    assert "连接不上。请启动反向代理" in said


async def test_alarms_stand_until_they_are_acknowledged(console: ConsoleDesk):
    scenario = ConsoleScenario(console)
    case_id = scenario.case()
    with scenario.store.begin() as tx:
        raise_alarm(tx, AlarmCode.CARRIER_DOWN, now=MORNING)
        raise_alarm(tx, AlarmCode.HUMAN_OVERDUE, now=MORNING, case_id=case_id)
        raise_alarm(tx, AlarmCode.HUMAN_OVERDUE, now=MORNING + timedelta(minutes=1), case_id=case_id)
    person = console.person(Role.SUPERVISOR)
    said = text(await person.get("/control"))
    assert f"a human call is overdue What to do #{case_id} 10:00 last 10:01 2 Acknowledge" in said
    down = next(row for row in console.rows(t.alarm) if row["code"] == "carrier_down")
    assert (await person.post(f"/control/alarms/{down['id']}/seen")).status_code == 303
    assert "dialling has stopped" not in text(await person.get("/control"))
    assert (
        next(row for row in console.rows(t.alarm) if row["code"] == "carrier_down")["seen_by"] == "supervisor"
    )
    assert console.audited("alarm_seen")[0]["subject"] == f"alarm/{down['id']}"
    assert (await person.post(f"/control/alarms/{down['id']}/seen")).status_code == 303
    assert len(console.audited("alarm_seen")) == 1
    assert "Acknowledge" not in text(await console.person(Role.CLERK).get("/control"))


async def test_an_alarm_has_an_owner_and_stays_open(console: ConsoleDesk):
    with console.app.services.store.begin() as tx:
        raise_alarm(tx, AlarmCode.BROKER_DOWN, now=console.clock.now())
    [alarm] = console.rows(t.alarm)
    chief = console.person(Role.SUPERVISOR)
    address = f"/control/alarms/{alarm['id']}/take"
    assert (await chief.post(address, comment=" ")).status_code == 303
    assert console.rows(t.alarm)[0]["owner"] is None
    sent = await chief.client.post(
        f"{address}?code=broker_down", data={"csrf": chief.csrf, "comment": "restarting Valkey"}
    )
    assert sent.headers["location"] == "/control/alarms/broker_down"
    assert "Supervisor takes care of it: restarting Valkey" in text(await chief.get("/control"))
    [line] = console.audited("alarm_taken")
    assert (line["subject"], line["why"]) == (f"alarm/{alarm['id']}", "restarting Valkey")
    with console.app.services.store.begin() as tx:
        raise_alarm(tx, AlarmCode.BROKER_DOWN, now=console.clock.now())
    [again] = console.rows(t.alarm)
    assert (again["times"], again["owner"], again["seen_at"]) == (2, "supervisor", None)
    await chief.post(f"/control/alarms/{alarm['id']}/seen")
    assert (await chief.post(address, comment="late")).status_code == 404


async def test_all_alarms_of_a_kind_are_seen_at_once_and_only_one_s_own(console: ConsoleDesk):
    scenario = ConsoleScenario(console)
    county = scenario.unit("临河")
    with scenario.store.begin() as tx:
        for unit_id in (county, county, None):
            raise_alarm(tx, AlarmCode.HUMAN_OVERDUE, now=MORNING, case_id=scenario.case(unit_id=unit_id))
        raise_alarm(tx, AlarmCode.CARRIER_TROUBLE, now=MORNING)
    own = console.person(Role.SUPERVISOR, unit_id=county)
    said = text(await own.get("/control"))
    assert "a human call is overdue 2 trouble with the telephone network 1" in said
    assert "Acknowledge all" not in said
    assert "trouble with the telephone network What to do the service" in said
    page = text(await own.get("/control/alarms/human_overdue"))
    assert "Acknowledge all 2: a human call is overdue" in page
    assert "trouble with the telephone network" not in page
    assert (await own.get("/control/alarms/nothing")).status_code == 404
    refused = await own.post("/control/alarms/all/human_overdue/seen")
    assert refused.status_code == 422
    assert all(row["seen_at"] is None for row in console.rows(t.alarm))
    await own.post("/control/alarms/all/human_overdue/seen", why="county calls them")
    await own.post("/control/alarms/all/carrier_trouble/seen", why="county calls them")
    unseen = [row["code"] for row in console.rows(t.alarm) if row["seen_at"] is None]
    assert sorted(unseen) == ["carrier_trouble", "human_overdue"]
    [line] = console.audited("alarm_seen")
    assert (line["facts"], line["why"]) == ({"count": 2}, "county calls them")


async def test_a_page_that_renews_itself_does_not_use_its_session(console: ConsoleDesk):
    person = console.person(Role.CLERK)
    console.pass_seconds(console.app.settings.console.idle_seconds + 1)
    assert (await person.part("/control/now")).status_code == 200
    assert (await person.get("/control")).status_code == 303


async def test_a_pause_of_another_process_is_on_every_page_soon(console: ConsoleDesk):
    pause_calls(console.app.services, unrestricted("zhao"), scope=PauseScope.ALL, minutes=30, why="x")
    assert "All dialling is paused until 10:30" in text(await console.person(Role.OFFICER).get("/account"))


async def test_after_a_restore_resume_asks_the_carrier_first(console: ConsoleDesk):
    with console.app.services.store.begin() as tx:
        act = OpenAct(tx, unrestricted("li"), lambda: MORNING)
        mark_restored(act, backup_at=MORNING, restored_at=MORNING, facts={})
    person = console.person(Role.SUPERVISOR)
    said = text(await person.get("/control"))
    assert "somebody resumes" in said
    assert "restored from the backup of" in said
    [hold] = console.rows(t.hold)
    # The carrier of this test answers nothing.
    assert (await person.post(f"/control/pauses/{hold['id']}/resume")).status_code == 503
    refused = await person.post("/control/pause", scope="all", minutes=15, why="short", sure="1")
    assert refused.status_code == 409
    [still] = console.rows(t.hold)
    assert (still["until"], still["ended_at"]) == (UNTIL_RESUMED, None)


async def test_trunks_are_shown_with_their_use_and_their_failures(console_app: Application):
    one = {"order": 1, "channels": 30, "in_use": 2, "placed": 7, "received": 3, "registers": False}
    told = {
        "strangers": 4,
        "calls_in_refused": 6,
        "trunks": [
            {**one, "name": "operator", "problem": "", "ends": {"486": 2, "timeout": 1}},
            {**one, "name": "spare", "problem": "unreachable", "ends": {}},
        ],
    }

    async def answer(_request: web.Request) -> web.Response:
        return web.json_response(told)

    carrier = web.Application()
    carrier.router.add_get("/admin/trunks", answer)
    runner = web.AppRunner(carrier)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = int(runner.addresses[0][1])
    access = CarrierAccess(port=port, account_sid="AC" + "0" * 32, auth_token="t", admin_token="a")
    of_sip = console_app.settings.carrier.model_copy(update={"line": "sip"})
    settings = console_app.settings.model_copy(update={"carrier": of_sip})
    desk = ConsoleDesk(replace(console_app, settings=settings, carrier=access))
    try:
        said = text(await desk.person(Role.SUPERVISOR).get("/control/now"))
        assert "operator works 2 / 30 7 3 486: 2; no response: 1" in said
        assert "spare does not answer 2 / 30 7 3 —" in said
        assert "4 SIP messages from addresses that are not of a trunk were dropped." in said
        assert (
            "6 inbound calls were refused as busy because inbound calls already used half of the lines."
            in said
        )
        metrics = (await desk.stranger().get("/metrics")).text
        assert 'dialer_trunk_calls{trunk="operator",way="in"} 3.0' in metrics
        assert "dialer_calls_in_refused 6.0" in metrics
        del told["calls_in_refused"]
        assert "were refused as busy" not in text(await desk.person(Role.SUPERVISOR).get("/control/now"))
        await runner.cleanup()
        assert "The carrier does not answer." in text(await desk.person(Role.SUPERVISOR).get("/control/now"))
    finally:
        await runner.cleanup()
        await desk.close()


async def test_without_trunks_the_page_says_nothing_of_them(console: ConsoleDesk):
    assert "Trunks" not in text(await console.person(Role.SUPERVISOR).get("/control"))
