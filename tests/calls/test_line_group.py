"""The figures of a line group: its slots, its pace, what its breaker keeps of answers, and what is written about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from dialer.calls.pacing import (
    GROUP,
    PACE_HEADROOM,
    LineGroup,
    PostAnswer,
    ensure_line_group,
    evaluate_breaker,
    lock_line_breaker,
    lock_line_group,
    pause_line_group,
    read_breakers,
    read_line_group,
    read_pace,
    reset_times_after_jump,
    restore_pace,
    retry_seconds,
    save_breaker,
    seconds_clock_went_back,
    set_pace,
    take_call_slots,
)
from dialer.core.access import unrestricted
from dialer.core.breaker import Breaker
from dialer.core.errors import Invalid, NotFound
from dialer.db import tables as t
from dialer.db.unit_of_work import Tx
from dialer.runtime.services import LineRules, Services
from dialer.telephony.channels import Placed, RefusalCause, Refused, UncertainResult
from tests.audit_lines import audit_lines
from tests.control.scene import Scene
from tests.outcomes.town import MORNING

GAP = timedelta(seconds=1 / (2.0 * PACE_HEADROOM))
"""Between two calls of two a second."""


class Lines:
    """The line group made anew: two calls a second on five lines, of four and ten in the settings."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.services: Services = replace(scene.services, lines=LineRules())
        self._before = len(self._acts())
        with scene.tx() as tx:
            tx.execute(sa.delete(t.line_group))
            ensure_line_group(tx, calls_per_second=2.0, lines=5, real_now=MORNING)
        self.set(settings_calls_per_second=4.0, settings_lines=10)

    def set(self, **columns: object) -> None:
        self.scene.do(sa.update(t.line_group).values(**columns))

    def row(self) -> dict[str, object]:
        [row] = self.scene.rows(sa.select(t.line_group))
        return row

    def group(self) -> LineGroup:
        with self.scene.tx() as tx:
            group = lock_line_group(tx)
        assert group is not None
        return group

    def group_in(self, tx: Tx) -> LineGroup:
        group = read_line_group(tx)
        assert group is not None
        return group

    def answers(self, *answers: Placed | Refused | UncertainResult, sent: float = 0.0) -> Breaker:
        """The breaker after these answers to calls that left `sent` seconds after the morning."""
        with self.scene.tx() as tx:
            batch = [
                PostAnswer(sent_at=MORNING + timedelta(seconds=sent), answer=answer) for answer in answers
            ]
            evaluate_breaker(tx, batch, now=MORNING, real_now=MORNING + timedelta(seconds=sent))
            return read_breakers(tx)[0]

    def acts(self) -> list[dict[str, object]]:
        """What the audit has about the group since it was made anew."""
        return self._acts()[self._before :]

    def _acts(self) -> list[dict[str, object]]:
        subject = f"line_group/{GROUP}"
        return [dict(line) for line in audit_lines(self.scene.store) if line["subject"] == subject]


@pytest.fixture
def lines(shared: Scene) -> Lines:
    shared.do(sa.delete(t.alarm))
    shared.enqueued.clear()
    return Lines(shared)


def of(**fields: object) -> LineGroup:
    made = LineGroup(
        calls_per_second=2.0,
        lines=5,
        most_calls_per_second=2.0,
        most_lines=5,
        asked_by=None,
        asked_why=None,
        asked_at=None,
        in_use=0,
        next_slot_at=MORNING,
        breaker=Breaker(),
        sound=Breaker(),
        paused_until=None,
        paused_why="",
    )
    return replace(made, **fields)


class TestSlots:
    def test_they_are_one_gap_apart_and_the_end_of_the_horizon_is_none(self):
        gap = GAP.total_seconds()
        assert of().slots(real_now=MORNING, horizon_seconds=gap) == [MORNING]
        two = [MORNING, MORNING + GAP]
        assert of().slots(real_now=MORNING, horizon_seconds=gap + 1e-6) == two
        assert of().after(two) == MORNING + 2 * GAP

    def test_there_are_no_more_than_free_lines(self):
        assert len(of(in_use=3).slots(real_now=MORNING, horizon_seconds=60)) == 2
        assert of(in_use=5).slots(real_now=MORNING, horizon_seconds=60) == []

    def test_the_first_is_not_before_the_next_of_the_group_nor_before_now(self):
        later = MORNING + timedelta(seconds=3)
        assert of(next_slot_at=later).slots(real_now=MORNING, horizon_seconds=3.1) == [later]
        assert of().slots(real_now=later, horizon_seconds=0.1) == [later]

    def test_an_open_breaker_lets_one_leave_after_its_wait_and_none_before(self):
        opened = Breaker(troubles=5, openings=1, opened_at=MORNING, wait_until=MORNING + timedelta(seconds=5))
        group = of(breaker=opened)
        assert group.slots(real_now=MORNING, horizon_seconds=60) == []
        assert len(group.slots(real_now=MORNING + timedelta(seconds=5), horizon_seconds=60)) == 1
        assert (
            len(replace(group, in_use=5).slots(real_now=MORNING + timedelta(seconds=5), horizon_seconds=60))
            == 0
        )

    def test_a_pause_is_over_at_its_time(self):
        until = MORNING + timedelta(minutes=1)
        assert not of().is_paused(MORNING)
        assert of(paused_until=until).is_paused(until - timedelta(microseconds=1))
        assert not of(paused_until=until).is_paused(until)


class TestTheRowOfAGroup:
    def test_one_that_exists_stays_as_it_is(self, lines: Lines):
        before = lines.row()
        with lines.scene.tx() as tx:
            ensure_line_group(tx, calls_per_second=9.0, lines=9, real_now=MORNING)
        assert lines.row() == before

    def test_what_the_settings_allow_is_what_holds_where_they_were_never_kept(self, lines: Lines):
        assert (lines.group().most_calls_per_second, lines.group().most_lines) == (4.0, 10)
        lines.set(settings_calls_per_second=None, settings_lines=None)
        assert (lines.group().most_calls_per_second, lines.group().most_lines) == (2.0, 5)

    def test_a_group_that_is_not_there(self, lines: Lines):
        lines.scene.do(sa.delete(t.line_group))
        with lines.scene.tx() as tx:
            assert read_line_group(tx) is None
            assert lock_line_group(tx) is None
            assert read_breakers(tx)[0] == lock_line_breaker(tx) == Breaker()
            assert seconds_clock_went_back(tx, real_now=MORNING, horizon_seconds=1) == 0.0
        with pytest.raises(NotFound) as missing:
            read_pace(lines.services)
        assert (missing.value.kind, missing.value.key) == ("line group", GROUP)

    def test_a_pause_and_its_end(self, lines: Lines):
        until = MORNING + timedelta(hours=1)
        with lines.scene.tx() as tx:
            pause_line_group(tx, until=until, why="线路检修")
        assert (lines.group().paused_until, lines.group().paused_why) == (until, "线路检修")
        with lines.scene.tx() as tx:
            pause_line_group(tx, until=None, why="")
        assert (lines.group().paused_until, lines.group().paused_why) == (None, "")

    def test_slots_that_are_taken_move_the_next_and_no_breaker_that_is_closed(self, lines: Lines):
        with lines.scene.tx() as tx:
            take_call_slots(tx, lines.group(), [MORNING, MORNING + GAP], real_now=MORNING)
        assert lines.group().next_slot_at == MORNING + 2 * GAP
        assert lines.group().breaker == Breaker()

    def test_a_trial_call_is_waited_for(self, lines: Lines):
        opened = Breaker(troubles=5, openings=2, opened_at=MORNING, wait_until=MORNING)
        with lines.scene.tx() as tx:
            save_breaker(tx, opened)
            take_call_slots(tx, lines.group_in(tx), [MORNING], real_now=MORNING)
            waits = replace(opened, wait_until=MORNING + timedelta(seconds=30))
            assert read_breakers(tx)[0] == lock_line_breaker(tx) == waits


class TestAPaceSetByHand:
    def test_it_says_who_why_and_when_and_the_next_call_leaves_within_its_gap(self, lines: Lines):
        lines.set(next_slot_at=MORNING + timedelta(seconds=10))
        pace = set_pace(lines.services, unrestricted(" zhao "), calls_per_second=0.5, lines=1, why=" 检修 ")
        assert pace == lines.group()
        assert (pace.calls_per_second, pace.lines) == (0.5, 1)
        assert (pace.asked_by, pace.asked_why, pace.asked_at) == ("zhao", "检修", MORNING)
        assert pace.next_slot_at == MORNING + timedelta(seconds=2)
        assert lines.scene.enqueued == [("dial",)]
        row = lines.row()
        assert (row["asked_calls_per_second"], row["asked_lines"]) == (0.5, 1)

    def test_the_limits_themselves_are_allowed(self, lines: Lines):
        pace = set_pace(lines.services, unrestricted("zhao"), calls_per_second=4.0, lines=10, why="x")
        assert (pace.calls_per_second, pace.lines) == (4.0, 10)
        pace = set_pace(lines.services, unrestricted("zhao"), calls_per_second=0.1, lines=1, why="x")
        assert (pace.calls_per_second, pace.lines) == (0.1, 1)

    def test_settings_that_are_slower_than_the_least_are_the_least(self, lines: Lines):
        lines.set(settings_calls_per_second=0.05)
        pace = set_pace(lines.services, unrestricted("zhao"), calls_per_second=0.05, lines=1, why="x")
        assert pace.calls_per_second == 0.05

    def test_a_refusal_says_which_field_and_what_is_allowed(self, lines: Lines):
        with pytest.raises(Invalid) as refused:
            set_pace(lines.services, unrestricted("zhao"), calls_per_second=4.5, lines=1, why="x")
        assert (refused.value.field, str(refused.value.fix)) == ("calls_per_second", "0.1 – 4")
        with pytest.raises(Invalid) as refused:
            set_pace(lines.services, unrestricted("zhao"), calls_per_second=1, lines=11, why="x")
        assert (refused.value.field, str(refused.value.fix)) == ("lines", "1 – 10")
        with pytest.raises(Invalid) as refused:
            set_pace(lines.services, unrestricted("zhao"), calls_per_second=1, lines=1, why=" ")
        assert refused.value.field == "why"
        with pytest.raises(NotFound) as missing:
            set_pace(lines.services, unrestricted("zhao", unit_id=1), calls_per_second=1, lines=1, why="x")
        assert (missing.value.kind, missing.value.key) == ("line group", GROUP)

    def test_the_settings_hold_again_and_the_next_call_leaves_within_their_gap(self, lines: Lines):
        set_pace(lines.services, unrestricted("zhao"), calls_per_second=0.5, lines=1, why="检修")
        lines.set(next_slot_at=MORNING + timedelta(seconds=10))
        lines.scene.enqueued.clear()
        pace = restore_pace(lines.services, unrestricted(" qian "), why=" 好了 ")
        assert pace == lines.group()
        assert (pace.calls_per_second, pace.lines) == (4.0, 10)
        assert (pace.asked_by, pace.asked_why, pace.asked_at) == (None, None, None)
        assert pace.next_slot_at == MORNING + timedelta(seconds=0.25)
        row = lines.row()
        assert (row["asked_calls_per_second"], row["asked_lines"]) == (None, None)
        assert lines.scene.enqueued == [("dial",)]
        restored = lines.acts()[-1]
        assert (restored["act"], restored["who"], restored["why"]) == ("pace.settings", "qian", "好了")
        assert restored["facts"] == {"before": "0.5/s, 1", "after": "4/s, 10"}

    def test_what_this_process_has_read_are_the_settings(self, lines: Lines):
        rules = replace(lines.services.lines, settings_calls_per_second=3.0, settings_lines=7)
        pace = restore_pace(replace(lines.services, lines=rules), unrestricted("zhao"))
        assert (pace.calls_per_second, pace.lines) == (3.0, 7)
        assert (pace.most_calls_per_second, pace.most_lines) == (3.0, 7)


class TestAClockThatWentBack:
    def went_back(self, lines: Lines, seconds: float) -> float:
        """Of a next slot `seconds` further than a claim can have planned."""
        planned = timedelta(seconds=0.4 + 1 / (2.0 * PACE_HEADROOM))
        lines.set(next_slot_at=MORNING + planned + timedelta(seconds=seconds))
        with lines.scene.tx() as tx:
            return seconds_clock_went_back(tx, real_now=MORNING, horizon_seconds=0.4)

    def test_five_seconds_are_no_jump(self, lines: Lines):
        assert self.went_back(lines, 5) == 0.0
        assert self.went_back(lines, 5.001) == pytest.approx(5.001, abs=1e-5)
        assert self.went_back(lines, 3600) == pytest.approx(3600, abs=1e-5)

    def test_calls_leave_again_and_only_what_the_later_clock_put_off_is_due(self, lines: Lines):
        scene = lines.scene
        lease, poll = MORNING + timedelta(seconds=30), MORNING + timedelta(seconds=90)
        cases = {name: scene.open_case() for name in ("kept", "lapsed", "asked", "silent")}
        ids = {name: scene.attempt_of(case_id)["id"] for name, case_id in cases.items()}
        moment = timedelta(microseconds=1)
        claimed = {"state": "claimed", "send_at": MORNING}
        scene.change_attempt(ids["kept"], **claimed, lease_until=lease)
        scene.change_attempt(ids["lapsed"], **claimed, lease_until=lease + moment)
        sent = {"state": "accepted", "sid": None, "posted_at": MORNING, "sent_at": MORNING}
        scene.change_attempt(ids["asked"], **sent, poll_at=poll, lease_until=lease + moment)
        scene.change_attempt(ids["silent"], **sent, poll_at=poll + moment)
        lines.set(next_slot_at=MORNING + timedelta(hours=1), slow_until=MORNING + timedelta(minutes=15))
        with scene.tx() as tx:
            reset_times_after_jump(tx, real_now=MORNING, last_lease=lease, last_poll=poll)
        rows = {name: scene.attempt_of(case_id) for name, case_id in cases.items()}
        assert [rows[name]["lease_until"] for name in ("kept", "lapsed", "asked")] == [
            lease,
            MORNING,
            lease + moment,
        ]
        assert [rows[name]["poll_at"] for name in ("asked", "silent")] == [poll, MORNING]
        assert abs(lines.group().next_slot_at - (MORNING + GAP)) < timedelta(milliseconds=1)
        assert lines.group().breaker.wait_until == MORNING + timedelta(minutes=15), "a carrier may ask for it"
        lines.set(slow_until=MORNING + timedelta(minutes=15) + moment)
        with scene.tx() as tx:
            reset_times_after_jump(tx, real_now=MORNING, last_lease=lease, last_poll=poll)
        assert lines.group().breaker.wait_until == MORNING


TAKEN = Placed(sid="CA1", status="queued")
UNSURE = UncertainResult(detail="no answer")
OURS = Refused(cause=RefusalCause.OURS, code=20003, http_status=401)
NUMBER = Refused(cause=RefusalCause.NUMBER, code=21211, http_status=400)
SLOW = Refused(cause=RefusalCause.SLOW_DOWN, code=20429, http_status=429)


class TestTheBreakerAfterAnswers:
    def test_five_troubles_in_a_row_open_it_and_four_do_not(self, lines: Lines):
        assert lines.answers(OURS, UNSURE, SLOW, OURS) == Breaker(
            troubles=4, wait_until=MORNING + timedelta(seconds=1)
        )
        assert lines.acts() == []
        opened = lines.answers(NUMBER, UNSURE)
        assert opened == Breaker(
            troubles=5, openings=1, opened_at=MORNING, wait_until=MORNING + timedelta(seconds=5)
        )
        [act] = lines.acts()
        assert (act["who"], act["act"], act["why"]) == ("robot", "breaker.opened", "")
        assert act["facts"] == {"troubles": 5}

    def test_a_taken_call_closes_it_and_says_for_how_long_it_was_open(self, lines: Lines):
        lines.answers(*[UNSURE] * 5)
        assert lines.answers(TAKEN, sent=12.3456) == Breaker()
        assert lines.acts()[-1]["act"] == "breaker.closed"
        assert lines.acts()[-1]["facts"] == {"troubles": 5, "open_seconds": 12.346, "openings": 1}
        assert lines.answers(TAKEN, sent=13.0) == Breaker()
        assert len(lines.acts()) == 2

    def test_beside_a_taken_call_troubles_are_not_in_a_row(self, lines: Lines):
        assert lines.answers(TAKEN, *[UNSURE] * 9) == Breaker(troubles=4)
        assert lines.answers(TAKEN, UNSURE, UNSURE) == Breaker(troubles=2)
        assert lines.answers(NUMBER) == Breaker(troubles=2), "it says nothing about the carrier"
        assert lines.answers(TAKEN) == Breaker()

    def test_a_longer_wish_of_the_carrier_is_the_one_that_is_kept(self, lines: Lines):
        wishes = [replace(SLOW, retry_after_seconds=seconds) for seconds in (20, 40, None)]
        assert lines.answers(*wishes) == Breaker(troubles=3, wait_until=MORNING + timedelta(seconds=40))

    def test_only_a_call_that_left_after_half_the_opening_was_its_trial(self, lines: Lines):
        lines.answers(*[UNSURE] * 5)
        still = lines.answers(UNSURE, sent=2.499999)
        assert (still.troubles, still.openings) == (6, 1)
        again = lines.answers(UNSURE, sent=2.5)
        assert (again.troubles, again.openings, again.opened_at) == (7, 2, MORNING)
        assert again.wait_until == MORNING + timedelta(seconds=2.5 + 10)

    def test_an_alarm_says_what_the_carrier_answered(self, lines: Lines):
        def alarms() -> dict[str, Any]:
            rows = lines.scene.rows(sa.select(t.alarm).order_by(t.alarm.c.id))
            return {row["code"]: (row["times"], row["facts"]) for row in rows}

        lines.answers(UNSURE)
        assert alarms() == {}, "one call without an answer is looked for"
        bare = Refused(cause=RefusalCause.OURS)
        lines.answers(OURS, replace(OURS, code=None), bare)
        assert alarms() == {"carrier_trouble": (1, {"codes": [0, 401, 20003], "unanswered": 0})}
        lines.answers(OURS, UNSURE)
        assert alarms()["carrier_trouble"][0] == 1, "it stands already"
        assert alarms()["carrier_down"] == (1, {"codes": [20003], "unanswered": 1})
        lines.answers(OURS)
        assert alarms()["carrier_down"][0] == 1, "it is open already"


def test_a_refused_call_waits_as_long_as_the_carrier_wishes_within_reason():
    assert retry_seconds([]) == retry_seconds([SLOW]) == 5.0
    assert retry_seconds([SLOW, replace(SLOW, retry_after_seconds=40.0), OURS]) == 40.0
    assert retry_seconds([replace(SLOW, retry_after_seconds=3600.0)]) == 900.0


def test_whoever_holds_the_lines_and_does_nothing_loses_them_after_two_seconds(shared: Scene):
    with shared.tx() as tx:
        lock_line_group(tx)
        assert tx.scalar(sa.text("SHOW idle_in_transaction_session_timeout")) == "2s"
    with shared.tx() as tx:
        lock_line_breaker(tx)
        assert tx.scalar(sa.text("SHOW idle_in_transaction_session_timeout")) == "2s"
    with shared.tx() as tx:
        read_line_group(tx)
        assert tx.scalar(sa.text("SHOW idle_in_transaction_session_timeout")) == "20s"
