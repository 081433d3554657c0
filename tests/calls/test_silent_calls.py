"""What becomes of a call without news: what the carrier is asked, what each of its answers proves, and when it is asked
again.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from dialer.calls.reconcile import (
    WebProcessCheck,
    cancel_calls,
    reconcile,
    sweep_attempts,
    sweep_cases,
    trials_without_webhooks,
)
from dialer.core.case import Reason, StaffTrackState
from dialer.core.errors import Unavailable
from dialer.core.events import AlarmCode
from dialer.core.values import Grade
from dialer.db import tables as t
from dialer.db.system_state import Restored, note_heartbeat, write_restored
from dialer.telephony.callbacks import CallState
from dialer.telephony.client import PlaceCall
from tests.control.scene import Scene
from tests.outcomes.town import MORNING

POSTED = MORNING + timedelta(seconds=1, microseconds=500_000)
"""Of every call here. Its order may be under way for ten seconds."""
DEADLINE = POSTED + timedelta(seconds=10)
MOMENT = timedelta(microseconds=1)


class Carrier:
    """Answers what it is told to; notes what it is asked. `silent` names what it does not answer."""

    def __init__(self, *listed: CallState, known: tuple[CallState, ...] = ()) -> None:
        self.listed = listed
        self.known = {one.sid: one for one in known}
        self.silent: set[str] = set()
        self.asked: list[tuple[Any, ...]] = []

    def _answer(self, what: str, *about: object) -> None:
        self.asked.append((what, *about))
        if what in self.silent:
            raise Unavailable(part="carrier", problem="is silent")

    async def state(self, sid: str) -> CallState | None:
        self._answer("state", sid)
        return self.known.get(sid)

    async def find(self, order: PlaceCall, *, since: datetime, until: datetime) -> list[CallState]:
        self._answer("find", order, since, until)
        return list(self.listed)

    async def cancel(self, sid: str) -> None:
        self._answer("cancel", sid)

    async def hang_up(self, sid: str) -> None:
        self._answer("hang_up", sid)


@pytest.fixture
def scene(shared: Scene) -> Scene:
    """No case of an earlier test is due, and none of their calls is there."""
    for table in (t.live_number, t.attempt, t.alarm):
        shared.do(sa.delete(table))
    shared.do(sa.delete(t.meta).where(t.meta.c.key == "restored"))
    shared.do(sa.update(t.case).values(due_at=MORNING + timedelta(days=365)))
    shared.do(sa.update(t.line_group).values(next_slot_at=MORNING))
    shared.clock.set(MORNING)
    shared.enqueued.clear()
    return shared


@pytest.fixture
def untold(fresh_database: str) -> Iterator[Scene]:
    """Where no webhook has ever arrived."""
    built = Scene(fresh_database)
    yield built
    built.close()


def silent(scene: Scene, state: str = "unknown", *, at: datetime = DEADLINE, **columns: object) -> uuid.UUID:
    """A call that was posted and of which nothing was heard; `at` is now."""
    case_id = scene.open_case()
    attempt_id: uuid.UUID = scene.attempt_of(case_id)["id"]
    scene.clock.set(at)
    sent = {"sent_at": POSTED, "posted_at": POSTED, "poll_at": at, "lease_until": at} | columns
    scene.change_attempt(attempt_id, state=state, **sent)
    return attempt_id


def row(scene: Scene, attempt_id: uuid.UUID) -> dict[str, Any]:
    [found] = scene.rows(sa.select(t.attempt).where(t.attempt.c.id == attempt_id))
    return found


def events(scene: Scene, attempt_id: uuid.UUID) -> list[tuple[str, str]]:
    rows = scene.rows(sa.select(t.event.c.step, t.event.c.kind).where(t.event.c.attempt_id == attempt_id))
    return [(one["step"], one["kind"]) for one in rows]


def created(at: datetime, *, sid: str = "CA1", status: str = "ringing", **fields: Any) -> CallState:  # noqa: ANN401  # fields of `CallState`
    return CallState(sid=sid, status=status, date_created=at, **fields)


def after(seconds: float) -> datetime:
    """So long after now, which is the deadline unless a test says otherwise."""
    return DEADLINE + timedelta(seconds=seconds)


class TestACallWithASid:
    async def test_is_asked_about_by_it_and_is_what_the_carrier_says(self, scene: Scene):
        attempt_id = silent(scene, "accepted", sid="CA1", polls=1)
        carrier = Carrier(known=(created(POSTED),))
        assert await reconcile(scene.services, carrier) == 1
        assert carrier.asked == [("state", "CA1")]
        found = row(scene, attempt_id)
        assert (found["state"], found["polls"], found["poll_at"]) == ("ringing", 1, after(90))
        assert events(scene, attempt_id) == [(f"poll.{DEADLINE.timestamp():.3f}", "call.ringing")]
        assert scene.enqueued == []
        assert await reconcile(scene.services, carrier) == 0

    async def test_its_end_has_one_step_whoever_reports_it(self, scene: Scene):
        attempt_id = silent(scene, "ringing", sid="CA1")
        carrier = Carrier(known=(created(POSTED, status="no-answer"),))
        assert await reconcile(scene.services, carrier) == 1
        assert (row(scene, attempt_id)["state"], row(scene, attempt_id)["result"]) == ("ended", "no_answer")
        assert events(scene, attempt_id) == [("poll.ended", "call.ended")]

    async def test_that_must_end_is_ended_as_soon_as_it_is_found(self, scene: Scene):
        silent(scene, "unknown", sid="CA1", cancel_asked=True)
        await reconcile(scene.services, Carrier(known=(created(POSTED),)))
        assert scene.enqueued == [("cancel_calls",)]

    async def test_that_a_silent_carrier_was_asked_about_is_asked_about_again(self, scene: Scene):
        attempt_id = silent(scene, "accepted", sid="CA1", polls=2)
        carrier = Carrier()
        carrier.silent = {"state"}
        assert await reconcile(scene.services, carrier) == 1
        found = row(scene, attempt_id)
        assert (found["state"], found["polls"], found["poll_at"]) == ("accepted", 2, after(2))

    async def test_that_the_carrier_denies_a_third_time_is_given_up(self, scene: Scene):
        attempt_id = silent(scene, "accepted", sid="CA1")
        for polls in (1, 2):
            await reconcile(scene.services, Carrier())
            found = row(scene, attempt_id)
            assert (found["state"], found["polls"]) == ("accepted", polls)
            assert found["poll_at"] == scene.clock.now() + timedelta(seconds=2)
            scene.later(seconds=2)
        assert scene.alarms_of(None) == {}
        await reconcile(scene.services, Carrier())
        found = row(scene, attempt_id)
        assert (found["state"], found["result"], found["contact"]) == ("ended", "unknown", "none")
        assert (found["reach"], found["ended_at"], found["error_code"]) == ("nobody", scene.clock.now(), None)
        assert scene.alarms_of(None) == {AlarmCode.UNKNOWN_SUBMISSION: 1}
        case = scene.case_of(found["case_id"])
        assert (case.human.state, case.human.reason) == (StaffTrackState.OPEN, Reason.UNKNOWN_SUBMISSION)


class TestACallWithoutASid:
    async def test_is_looked_for_by_its_number_a_day_around_its_order(self, scene: Scene):
        attempt_id = silent(scene, "sending")
        [phone] = scene.rows(sa.select(t.attempt.c.person_id, t.attempt.c.number))
        assert phone["number"] == 0

        class Looks(Carrier):
            async def find(self, order: PlaceCall, *, since: datetime, until: datetime) -> list[CallState]:
                found = row(scene, attempt_id)
                assert (found["state"], found["poll_at"]) == ("unknown", after(20)), "put off meanwhile"
                assert await reconcile(scene.services, Carrier()) == 0
                return await super().find(order, since=since, until=until)

        carrier = Looks(created(POSTED))
        assert await reconcile(scene.services, carrier) == 1
        [(what, order, since, until)] = carrier.asked
        assert what == "find"
        assert order == PlaceCall(attempt_id=attempt_id, to=order.to)
        assert order.to.startswith("+8613900")
        day = timedelta(days=1)
        assert (since, until) == (POSTED - day, DEADLINE + day)
        found = row(scene, attempt_id)
        assert (found["state"], found["sid"], found["accepted_at"]) == ("ringing", "CA1", DEADLINE)

    @pytest.mark.parametrize(
        "at",
        [
            (POSTED - timedelta(seconds=5)).replace(microsecond=0),
            POSTED,
            DEADLINE + timedelta(seconds=5),
        ],
    )
    async def test_is_the_one_call_of_its_time(self, scene: Scene, at: datetime):
        attempt_id = silent(scene)
        await reconcile(scene.services, Carrier(created(at)))
        assert row(scene, attempt_id)["sid"] == "CA1"

    @pytest.mark.parametrize(
        "listed",
        [
            (created((POSTED - timedelta(seconds=5)).replace(microsecond=0) - MOMENT),),
            (created(DEADLINE + timedelta(seconds=5) + MOMENT),),
            (created(POSTED), created(POSTED, sid="CA2")),
        ],
    )
    async def test_is_given_up_where_it_cannot_be_told_which_one_it_is(
        self, scene: Scene, listed: tuple[CallState, ...]
    ):
        attempt_id = silent(scene)
        await reconcile(scene.services, Carrier(*listed))
        assert row(scene, attempt_id)["result"] == "unknown"
        assert scene.alarms_of(None) == {AlarmCode.UNKNOWN_SUBMISSION: 1}

    async def test_is_no_call_of_another_attempt(self, scene: Scene):
        other = silent(scene, "ringing", sid="CA1")
        scene.change_attempt(other, poll_at=after(60))
        attempt_id = silent(scene)
        await reconcile(scene.services, Carrier(created(POSTED), created(POSTED, sid="CA2")))
        assert row(scene, attempt_id)["sid"] == "CA2"

    async def test_may_still_come_before_its_deadline_is_over(self, scene: Scene):
        attempt_id = silent(scene)
        await reconcile(scene.services, Carrier())
        found = row(scene, attempt_id)
        assert (found["state"], found["polls"], found["poll_at"]) == ("unknown", 0, after(2))
        scene.clock.set(DEADLINE + MOMENT)
        scene.change_attempt(attempt_id, poll_at=scene.clock.now())
        await reconcile(scene.services, Carrier())
        assert row(scene, attempt_id)["polls"] == 1

    async def test_is_waited_for_ten_minutes_where_the_carrier_does_not_answer(self, scene: Scene):
        last = DEADLINE + timedelta(minutes=10)
        attempt_id = silent(scene, at=last, polls=2)
        carrier = Carrier()
        carrier.silent = {"find"}
        assert await reconcile(scene.services, carrier) == 1
        found = row(scene, attempt_id)
        assert (found["state"], found["polls"]) == ("unknown", 2)
        assert found["poll_at"] == last + timedelta(seconds=2)
        scene.clock.set(last + MOMENT)
        scene.change_attempt(attempt_id, poll_at=last)
        await reconcile(scene.services, carrier)
        assert row(scene, attempt_id)["result"] == "unknown"


class TestACallThatTheCarrierDoesNotHave:
    """Two complete listings past its deadline are empty."""

    def absent(self, scene: Scene) -> uuid.UUID:
        return silent(scene, at=after(4), polls=1)

    def earlier(self, scene: Scene, *, seconds: float) -> str:
        """A call that the carrier took `seconds` before the order."""
        attempt_id = silent(scene, "ended", result="no_answer", sid="CA0", at=after(4), poll_at=None)
        scene.change_attempt(attempt_id, posted_at=POSTED - timedelta(seconds=seconds))
        scene.do(
            sa.insert(t.event).values(
                attempt_id=attempt_id,
                case_id=row(scene, attempt_id)["case_id"],
                step="status.1",
                kind="call.ringing",
                at=MORNING,
                facts={},
            )
        )
        return "CA0"

    def is_called_again(self, scene: Scene, attempt_id: uuid.UUID) -> bool:
        found = row(scene, attempt_id)
        if found["state"] == "ended":
            assert found["result"] == "unknown"
            return False
        assert (found["state"], found["not_before"]) == ("planned", scene.clock.now())
        assert (found["polls"], found["lease_until"], found["token"]) == (0, None, 1)
        assert scene.enqueued == [("dial",)]
        return True

    async def test_is_called_again_where_the_carrier_still_knows_an_earlier_one(self, scene: Scene):
        self.earlier(scene, seconds=20 * 3600)
        attempt_id = self.absent(scene)
        carrier = Carrier(known=(created(MORNING, sid="CA0"),))
        await reconcile(scene.services, carrier)
        assert [what for what, *_ in carrier.asked] == ["find", "state"]
        assert self.is_called_again(scene, attempt_id)

    async def test_is_never_called_again_where_the_carrier_knows_no_call_any_more(self, scene: Scene):
        self.earlier(scene, seconds=60)
        attempt_id = self.absent(scene)
        await reconcile(scene.services, Carrier())
        assert not self.is_called_again(scene, attempt_id)
        assert scene.enqueued == []

    async def test_an_earlier_call_counts_for_twenty_hours(self, scene: Scene):
        self.earlier(scene, seconds=20 * 3600 + 1)
        attempt_id = self.absent(scene)
        await reconcile(scene.services, Carrier(known=(created(MORNING, sid="CA0"),)))
        assert not self.is_called_again(scene, attempt_id)

    async def test_an_earlier_call_in_the_listing_needs_no_further_question(self, scene: Scene):
        self.earlier(scene, seconds=60)
        attempt_id = self.absent(scene)
        carrier = Carrier(created(POSTED, sid="CA0"))
        await reconcile(scene.services, carrier)
        assert [what for what, *_ in carrier.asked] == ["find"]
        assert self.is_called_again(scene, attempt_id)

    async def test_a_later_call_in_the_listing_proves_nothing(self, scene: Scene):
        self.earlier(scene, seconds=-5)
        attempt_id = self.absent(scene)
        await reconcile(scene.services, Carrier(created(POSTED + MOMENT, sid="CA0")))
        assert not self.is_called_again(scene, attempt_id)

    async def test_a_carrier_that_falls_silent_meanwhile_has_said_nothing(self, scene: Scene):
        self.earlier(scene, seconds=60)
        attempt_id = self.absent(scene)
        carrier = Carrier()
        carrier.silent = {"state"}
        await reconcile(scene.services, carrier)
        found = row(scene, attempt_id)
        assert (found["state"], found["polls"]) == ("unknown", 1)


async def test_after_a_restore_nothing_is_asked_until_the_comparison_is_done(scene: Scene):
    silent(scene)
    with scene.tx() as tx:
        write_restored(tx, Restored(backup_at=MORNING, restored_at=MORNING))
    carrier = Carrier()
    assert await reconcile(scene.services, carrier) == 0
    assert carrier.asked == []


class TestCallsThatMustEnd:
    async def test_are_hung_up_where_somebody_talks_and_withdrawn_where_it_rings(self, scene: Scene):
        for state, sid in (("answered", "CA1"), ("ringing", "CA2"), ("accepted", "CA3")):
            silent(scene, state, sid=sid, cancel_asked=True)
        silent(scene, "answered", sid="CA4")
        carrier = Carrier()
        assert await cancel_calls(scene.services, carrier) == 3
        assert sorted(carrier.asked) == [("cancel", "CA2"), ("cancel", "CA3"), ("hang_up", "CA1")]

    async def test_are_asked_for_again_where_the_carrier_does_not_answer(self, scene: Scene):
        silent(scene, "ringing", sid="CA1", cancel_asked=True)
        carrier = Carrier()
        carrier.silent = {"cancel"}
        assert await cancel_calls(scene.services, carrier) == 0
        carrier.silent = set()
        assert await cancel_calls(scene.services, carrier) == 1


class TestSweeps:
    def test_every_due_case_is_moved_batch_by_batch(self, scene: Scene):
        cases = [scene.open_case() for _ in range(5)]
        scene.later(hours=3)
        assert sweep_cases(scene.services, at_once=2) == 5
        assert [scene.case_of(case_id).human.state for case_id in cases] == [StaffTrackState.OPEN] * 5
        assert sweep_cases(scene.services) == 0

    def test_a_whole_batch_is_followed_by_another_look(self, scene: Scene):
        scene.open_case()
        scene.later(hours=3)
        assert sweep_cases(scene.services, at_once=1) == 1

    def test_a_case_whose_telephone_rings_waits_for_the_end_of_the_call(self, scene: Scene):
        attempt_id = silent(scene, "ringing", sid="CA1")
        rings = row(scene, attempt_id)["case_id"]
        waits = scene.open_case()
        scene.later(hours=3)
        assert sweep_cases(scene.services) == 2
        assert not scene.case_of(rings).human.is_pending
        assert scene.case_of(waits).human.is_pending

    def test_a_lapsed_claim_and_a_plan_whose_time_has_come_are_ready(self, scene: Scene):
        now = scene.clock.now()
        lapsed, held, planned, later = (scene.open_case() for _ in range(4))
        for case_id, until in ((lapsed, now), (held, now + MOMENT)):
            claimed = {"state": "claimed", "send_at": MORNING, "lease_until": until}
            scene.change_attempt(scene.attempt_of(case_id)["id"], **claimed)
        for case_id, at in ((planned, now), (later, now + MOMENT)):
            scene.change_attempt(scene.attempt_of(case_id)["id"], state="planned", not_before=at)
        sweep_attempts(scene.services)
        states = [scene.attempt_of(case_id)["state"] for case_id in (lapsed, held, planned, later)]
        assert states == ["ready", "claimed", "ready", "planned"]
        assert scene.attempt_of(lapsed)["token"] == 1

    def test_outside_the_window_the_urgent_ones_are_given_to_a_person_batch_by_batch(self, scene: Scene):
        night, opening = MORNING + timedelta(hours=12), MORNING + timedelta(hours=23)
        cases = [scene.open_case(grade=Grade.HIGH) for _ in range(4)]
        low = scene.open_case(grade=Grade.LOW)
        for case_id in (*cases, low):
            scene.change_attempt(scene.attempt_of(case_id)["id"], state="ready")
        before = scene.case_of(low)
        sweep_attempts(scene.services, at_once=2)
        assert opening not in {scene.case_of(case_id).robot.at for case_id in cases}
        scene.clock.set(night)
        sweep_attempts(scene.services)
        assert {scene.case_of(case_id).robot.at for case_id in cases} == {opening}
        assert all(scene.case_of(case_id).human.is_pending for case_id in cases)
        assert scene.case_of(low) == before


class TestWithoutWebhooks:
    def allowed(self, untold: Scene, check: WebProcessCheck | None = None) -> int | None:
        with untold.tx() as tx:
            return (
                trials_without_webhooks(tx, untold.services)
                if check is None
                else check.allowed(tx, untold.services)
            )

    def taken(self, untold: Scene, *, seconds: float) -> uuid.UUID:
        """A call that the carrier took, and whose order left, `seconds` ago."""
        ago = untold.clock.now() - timedelta(seconds=seconds)
        return silent(
            untold,
            "accepted",
            at=untold.clock.now(),
            sid=uuid.uuid4().hex,
            accepted_at=ago,
            sent_at=ago,
            posted_at=ago,
            poll_at=untold.clock.now() + timedelta(seconds=60),
        )

    def test_the_next_trial_leaves_more_than_fifteen_seconds_after_the_last(self, untold: Scene):
        attempt_id = self.taken(untold, seconds=15)
        since = row(untold, attempt_id)["accepted_at"]
        assert self.allowed(untold) == 0
        [alarm] = untold.rows(sa.select(t.alarm.c.code, t.alarm.c.facts))
        assert alarm == {"code": AlarmCode.WEBHOOKS_MISSING, "facts": {"since": since.isoformat()}}
        assert row(untold, attempt_id)["poll_at"] == untold.clock.now()
        untold.clock.advance(1e-6)
        assert self.allowed(untold) == 1

    def test_a_trial_whose_order_has_no_answer_yet_is_one(self, untold: Scene):
        self.taken(untold, seconds=20)
        silent(untold, "sending", at=untold.clock.now(), posted_at=untold.clock.now() - timedelta(seconds=15))
        assert self.allowed(untold) == 0
        untold.clock.advance(1e-6)
        assert self.allowed(untold) == 1

    def test_without_a_web_process_no_trial_leaves_and_with_one_as_many_as_webhooks_allow(
        self, untold: Scene
    ):
        check = WebProcessCheck(lambda: 0.0)
        assert self.allowed(untold, check) == 0
        with untold.tx() as tx:
            note_heartbeat(tx, process="web:1", kind="web", real_now=untold.clock.now(), facts={})
        assert self.allowed(untold, WebProcessCheck(lambda: 0.0)) is None
        self.taken(untold, seconds=20)
        assert self.allowed(untold, WebProcessCheck(lambda: 0.0)) == 1

    def test_that_all_is_well_holds_for_half_a_second_and_nothing_else_does(self, untold: Scene):
        seconds = 0.0
        check = WebProcessCheck(lambda: seconds)
        with untold.tx() as tx:
            note_heartbeat(tx, process="web:1", kind="web", real_now=untold.clock.now(), facts={})
        assert self.allowed(untold, check) is None
        self.taken(untold, seconds=20)
        seconds = 0.49
        assert self.allowed(untold, check) is None
        seconds = 0.5
        assert self.allowed(untold, check) == 1
        untold.do(sa.delete(t.attempt))
        assert self.allowed(untold, check) is None
