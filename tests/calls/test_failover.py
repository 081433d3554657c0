"""A claim that meets another timeline of the database places no call before the carrier's calls have been compared."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
import sqlalchemy as sa

from dialer.calls.comparison import (
    UNTIL_RESUMED,
    compare_calls,
    is_history_whole,
    mark_restored,
    read_awaited,
)
from dialer.calls.pacing import lock_line_group, note_timeline
from dialer.calls.pauses import pause_calls, read_standing_pauses
from dialer.calls.reconcile import reconcile
from dialer.core.access import unrestricted
from dialer.core.third_party import PartyKind, ThirdParty
from dialer.core.values import PauseScope
from dialer.db import tables as t
from dialer.db.acts import OpenAct
from dialer.telephony.callbacks import CallState
from dialer.telephony.client import CallClient, ListedCall
from tests.control.scene import Scene

NUMBER = "+8619900000001"


@dataclass(frozen=True)
class _Carrier:
    """Lists these calls; knows the state of each."""

    listed: list[ListedCall]
    knows: bool = True
    config = SimpleNamespace(officer_number="")

    async def list_since(self, _since: datetime) -> list[ListedCall]:
        return self.listed

    async def state(self, sid: str) -> CallState | None:
        return CallState(sid=sid, status="completed") if self.knows else None


@pytest.fixture
def scene(fresh_database: str) -> Iterator[Scene]:
    scene = Scene(fresh_database)
    yield scene
    scene.close()


def claims(scene: Scene) -> bool:
    """Whether a claim may take anything now."""
    with scene.tx() as tx:
        group = lock_line_group(tx)
        assert group is not None
        return is_history_whole(tx, scene.services, group)


def fail_over(scene: Scene) -> None:
    """The database is on another timeline than at the last claim."""
    assert claims(scene)
    with scene.tx() as tx:
        note_timeline(tx, 7)


def reconcile_later(scene: Scene, carrier: _Carrier, *, seconds: float = 60) -> None:
    """The next reconciliation comes so much later in real time."""
    real = scene.services.real.now() + timedelta(seconds=seconds)
    services = replace(scene.services, real=cast("Any", SimpleNamespace(now=lambda: real)))
    asyncio.run(reconcile(services, cast("CallClient", carrier)))


def listed(scene: Scene, status: str, number: str = NUMBER, **fields: Any) -> ListedCall:  # noqa: ANN401 - its fields
    now = scene.services.real.now()
    state = CallState(sid=f"CA{number[-1]}", status=status, date_created=now)
    return ListedCall(state=state, created_at=now, to=number, **fields)


def alarms(scene: Scene) -> list[dict[str, Any]]:
    return scene.rows(sa.select(t.alarm).where(t.alarm.c.code == "database_failed_over"))


def test_the_first_claim_notes_the_timeline_and_the_next_ones_go_on(scene: Scene):
    assert claims(scene)
    assert claims(scene)
    [group] = scene.rows(sa.select(t.line_group.c.timeline))
    assert group["timeline"] == 1
    assert read_awaited(scene.services) is None


def test_another_timeline_pauses_all_dialling_until_the_calls_are_compared(scene: Scene):
    scene.open_case(person_id=scene.person(name="某人", phones=(NUMBER,)))
    fail_over(scene)
    assert not claims(scene)
    assert scene.claimed_cases() == []
    restored = read_awaited(scene.services)
    assert restored is not None
    assert restored.failover
    [pause] = read_standing_pauses(scene.services)
    assert (pause.scope, pause.until, pause.by) == (PauseScope.ALL, UNTIL_RESUMED, "robot")
    assert [alarm["times"] for alarm in alarms(scene)] == [1]

    early = _Carrier([])
    reconcile_later(scene, early, seconds=0)
    assert read_awaited(scene.services), "an order of before may still reach the carrier"
    reconcile_later(scene, early)
    assert read_awaited(scene.services) is None
    assert read_standing_pauses(scene.services) == []
    assert claims(scene)


def test_a_call_that_is_under_way_goes_on_with_its_attempt(scene: Scene):
    case_id = scene.open_case(person_id=scene.person(name="某人", phones=(NUMBER,)))
    fail_over(scene)
    assert not claims(scene)
    reconcile_later(scene, _Carrier([listed(scene, "in-progress")]))
    [attempt] = scene.attempts_of(case_id)
    assert (attempt["state"], attempt["sid"], attempt["result"]) == ("accepted", "CA1", None)
    assert attempt["poll_at"] is not None, "the carrier is asked if no webhook comes"
    assert scene.assignments_of(case_id) == []
    assert claims(scene)
    assert alarms(scene)[0]["facts"]["problem"]["values"]["going_on"] == "1"


def test_a_third_party_and_the_duty_line_are_no_persons_whom_the_robot_called(scene: Scene):
    bank = ThirdParty(key="list:bank", kind=PartyKind.BANK, name="bank", number="+861066107114")
    work = replace(scene.services.work, third_parties=(bank,))
    scene.services = replace(scene.services, work=work)
    fail_over(scene)
    assert not claims(scene)
    reconcile_later(scene, _Carrier([listed(scene, "in-progress", number=bank.number)]))
    assert scene.rows(sa.select(t.carrier_call)) == []
    assert claims(scene)


def test_of_two_cases_of_a_number_one_goes_on_and_the_other_goes_to_a_person(scene: Scene):
    cases = [
        scene.open_case(person_id=scene.person(name=name, phones=(NUMBER,))) for name in ("甲某", "乙某")
    ]
    fail_over(scene)
    assert not claims(scene)
    reconcile_later(scene, _Carrier([listed(scene, "ringing")]))
    states = sorted(scene.attempts_of(case_id)[0]["state"] for case_id in cases)
    assert states == ["accepted", "ended"]
    [ended] = [case_id for case_id in cases if scene.attempts_of(case_id)[0]["state"] == "ended"]
    assert [row["kind"] for row in scene.assignments_of(ended)] == ["human"]


@pytest.mark.parametrize("fields", [{"parent_sid": "CA9"}, {"is_inbound": True, "caller": NUMBER}])
def test_a_call_of_a_caller_or_from_the_person_that_is_under_way_counts_as_answered(
    scene: Scene, fields: dict[str, Any]
):
    case_id = scene.open_case(person_id=scene.person(name="某人", phones=(NUMBER,)))
    fail_over(scene)
    assert not claims(scene)
    reconcile_later(scene, _Carrier([listed(scene, "in-progress", **fields)]))
    [attempt] = scene.attempts_of(case_id)
    assert (attempt["state"], attempt["result"]) == ("ended", "unknown")
    assert read_awaited(scene.services) is None


def test_while_a_person_has_paused_everything_the_pause_keeps_its_time(scene: Scene):
    fail_over(scene)
    pause_calls(scene.services, unrestricted("li"), scope=PauseScope.ALL, minutes=30, why="a drill")
    assert not claims(scene)
    assert read_awaited(scene.services) is None
    assert [pause.by for pause in read_standing_pauses(scene.services)] == ["li"]
    scene.later(minutes=31)
    assert not claims(scene)
    assert read_awaited(scene.services) is not None


def test_with_an_incomplete_list_dialling_stays_paused_and_the_alarm_says_so(scene: Scene):
    case_id = scene.open_case(person_id=scene.person(name="某人", phones=(NUMBER,)))
    attempt_id = scene.attempt_of(case_id)["id"]
    posted_at = scene.services.real.now() - timedelta(hours=1)
    scene.change_attempt(attempt_id, state="ended", sid="CA5", posted_at=posted_at, result="busy")
    fail_over(scene)
    assert not claims(scene)
    assert (awaited := read_awaited(scene.services)) is not None
    assert awaited.backup_at == posted_at
    scene.change_attempt(attempt_id, posted_at=posted_at - timedelta(seconds=1))
    reconcile_later(scene, _Carrier([], knows=False))
    assert read_awaited(scene.services) is not None
    assert [pause.until for pause in read_standing_pauses(scene.services)] == [UNTIL_RESUMED]
    assert "stays paused" in alarms(scene)[0]["facts"]["problem"]["text"]


def test_a_person_may_compare_and_resume_before_the_service_does(scene: Scene):
    fail_over(scene)
    assert not claims(scene)
    found = asyncio.run(compare_calls(scene.services, unrestricted("li"), cast("CallClient", _Carrier([]))))
    assert found is not None
    reconcile_later(scene, _Carrier([]))
    assert [pause.by for pause in read_standing_pauses(scene.services)] == ["robot"], "only they resume it"


def test_a_restored_database_has_no_timeline_of_before(scene: Scene):
    fail_over(scene)
    now = scene.services.real.now()
    with scene.tx() as tx:
        act = OpenAct(tx, unrestricted("li"), scene.services.clock.now)
        mark_restored(act, backup_at=now, restored_at=now, facts={})
    assert claims(scene), "its pause alone stops the calls"
    assert (awaited := read_awaited(scene.services)) is not None
    assert not awaited.failover
