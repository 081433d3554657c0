"""The simulated staff of the demo: one report that is refused stops no other."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from dialer.core.case import CaseStatus, StaffTrackState
from dialer.core.presence import PresenceState
from dialer.core.values import Contact, Grade
from dialer.db import tables as t
from dialer.demo import run
from dialer.demo.desks import CALLERS, open_desks, sit_at_desks
from dialer.demo.run import SimulatedStaff
from dialer.demo.staff import work_once_as_staff
from dialer.duty.presence import settle_presences
from dialer.work.supervision import all_desks
from tests.outcomes.town import Scenario

_MANY = 40
"""Of this many some would be called from the caller's own telephone, which a follow-up may not be."""


def test_every_follow_up_is_reported_with_a_call_of_ours(fresh_database: str):
    scenario = Scenario(fresh_database)
    for _ in range(_MANY):
        case_id = scenario.case(
            grade=Grade.MEDIUM,
            status=CaseStatus.WATCHING,
            contact=Contact.VERIFIED,
            human_state=StaffTrackState.OPEN.value,
        )
        scenario.assignment(case_id, reason="follow_up")
    scenario.clock.advance(3600)
    assert work_once_as_staff(scenario.services) == 0, "they are signed for, and nobody has talked yet"
    scenario.clock.advance(300)
    assert work_once_as_staff(scenario.services) == _MANY
    with scenario.tx() as tx:
        done = tx.scalar(sa.select(sa.func.count()).where(t.assignment.c.state == "done"))
    assert done == _MANY
    scenario.close()


def test_a_round_that_fails_does_not_end_the_staff(
    fresh_database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    scenario = Scenario(fresh_database)
    again, rounds = threading.Event(), iter([RuntimeError("王小明")])

    def work(_services: object) -> None:
        for fault in rounds:
            raise fault
        again.set()

    monkeypatch.setattr(run, "work_once_as_staff", work)
    monkeypatch.setattr(run, "_STAFF_SECONDS", 0.001)
    staff = SimulatedStaff(scenario.services)
    staff.start()
    assert again.wait(60)
    staff.stop()
    assert capsys.readouterr().err == "demo staff: RuntimeError\n"
    scenario.close()


def test_the_simulated_callers_have_desks(fresh_database: str):
    scenario = Scenario(fresh_database)
    desks = open_desks(scenario.services)
    assert [desk.login for desk in open_desks(scenario.services)] == [desk.login for desk in desks]
    seen: set[PresenceState] = set()
    for _ in range(len(desks)):
        sit_at_desks(scenario.services, desks)
        sit_at_desks(scenario.services, desks)
        found = all_desks(scenario.services, visible_to=None)
        assert found.count(PresenceState.BREAK) == 1
        assert found.count(PresenceState.FREE) == len(desks) - 1
        seen |= {desk.presence.state for desk in found.desks}
        scenario.clock.advance(900)
        # Their pages are open: silence ends none of them.
        sit_at_desks(scenario.services, desks)
        assert settle_presences(scenario.services) == 0
    case_id = scenario.case(grade=Grade.MEDIUM, human_state=StaffTrackState.OPEN.value)
    scenario.assignment(case_id)
    scenario.clock.advance(60)
    assert work_once_as_staff(scenario.services) == 0
    working = [
        desk.login
        for desk in all_desks(scenario.services, visible_to=None).desks
        if desk.presence.state is PresenceState.ON_TASK
    ]
    assert len(working) == 1
    assert working[0] in CALLERS
    scenario.close()
