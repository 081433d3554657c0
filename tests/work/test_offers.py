"""Calls are offered to who has been free longest, for some seconds, and passed on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from dialer.core.access import Role, unrestricted
from dialer.core.offers import OfferState, TaskMode
from dialer.core.presence import BreakReason, PresenceEvent, PresenceState
from dialer.core.values import Grade
from dialer.db import tables as t
from dialer.duty.presence import follow_work, own_presence, settle_presences
from dialer.staff.store import Member
from dialer.work.assignments import Assignment, Scope
from dialer.work.inbound_store import free_desks
from dialer.work.offer_store import delete_old_offers
from dialer.work.offers import MOST_PASSED, offer_tasks, own_offer, pass_on, watch_desks
from dialer.work.tasks import claim_next, reassign, release_assignment, schedule_call_back, sign_assignment
from tests.work.bureau import Bureau
from tests.work.test_presence import EVENTS, account, say, state_of

SECONDS = 20.0


@pytest.fixture
def offering(bureau: Bureau) -> Bureau:
    bureau.services = replace(
        bureau.services, work=replace(bureau.services.work, tasks=TaskMode.OFFER, offer_seconds=SECONDS)
    )
    return bureau


def free(bureau: Bureau, *logins: str, unit: str = "") -> list[Member]:
    """These accounts, free one second after the other."""
    members = []
    for login in logins:
        members.append(account(bureau, login, unit=unit))
        say(bureau, EVENTS.FREE, by=login)
        bureau.later(seconds=1)
    return members


def wait(bureau: Bureau, unit: str = "临河分局") -> int:
    """A call that waits; its assignment's id."""
    return int(bureau.assignment_of(bureau.case_with_unit(unit, grade=Grade.EXTRA_HIGH))["id"])


def offered(bureau: Bureau, login: str) -> int | None:
    found = own_offer(bureau.services, by=login)
    return None if found is None else found.assignment_id


def take(bureau: Bureau, login: str) -> Assignment | None:
    return claim_next(bureau.services, unrestricted(login), scope=Scope())


def states(bureau: Bureau) -> list[str]:
    return [row["state"] for row in bureau.rows(sa.select(t.task_offer).order_by(t.task_offer.c.id))]


def test_nothing_is_offered_unless_the_settings_say_so(bureau: Bureau):
    free(bureau, "li")
    task = wait(bureau)
    assert offer_tasks(bureau.services) == 0
    taken = take(bureau, "li")
    assert taken is not None
    assert taken.id == task


def test_the_most_urgent_goes_to_who_has_been_free_longest(offering: Bureau):
    free(offering, "li", "zhao")
    first = wait(offering)
    offering.later(seconds=1)
    second = wait(offering)
    assert offer_tasks(offering.services) == 2
    assert (offered(offering, "li"), offered(offering, "zhao")) == (first, second)
    assert offer_tasks(offering.services) == 0
    taken = take(offering, "li")
    assert taken is not None
    assert (taken.id, taken.signed_by) == (first, "li")
    assert states(offering) == ["taken", "waiting"]
    assert offered(offering, "li") is None


def test_nobody_takes_what_is_offered_to_somebody_else(offering: Bureau):
    free(offering, "li")
    wait(offering)
    offer_tasks(offering.services)
    account(offering, "zhao")
    assert take(offering, "zhao") is None
    say(offering, EVENTS.FREE, by="zhao")
    assert take(offering, "zhao") is None


def test_what_is_not_taken_in_time_goes_to_the_next_and_its_person_to_the_end_of_the_line(offering: Bureau):
    free(offering, "li", "zhao")
    first = wait(offering)
    offer_tasks(offering.services)
    offering.later(seconds=SECONDS - 1)
    assert offer_tasks(offering.services) == 0
    assert offered(offering, "li") == first
    offering.later(seconds=1)
    assert offered(offering, "li") is None
    assert take(offering, "li") is None
    assert offer_tasks(offering.services) == 1
    assert offered(offering, "zhao") == first
    second = wait(offering)
    offer_tasks(offering.services)
    assert offered(offering, "li") == second
    assert states(offering) == ["passed", "waiting", "waiting"]


def test_what_is_passed_on_goes_to_the_next_at_once(offering: Bureau):
    li, _ = free(offering, "li", "zhao")
    task = wait(offering)
    offer_tasks(offering.services)
    assert pass_on(offering.services, unrestricted("li"), staff_id=li.id)
    assert not pass_on(offering.services, unrestricted("li"), staff_id=li.id)
    offer_tasks(offering.services)
    assert offered(offering, "zhao") == task


def test_who_is_alone_is_offered_it_again_and_is_off_after_three(offering: Bureau):
    [li] = free(offering, "li")
    task = wait(offering)
    for passed in range(MOST_PASSED):
        assert state_of(offering, li) is PresenceState.FREE
        assert offer_tasks(offering.services) == 1
        assert offered(offering, "li") == task
        offering.later(seconds=SECONDS)
        own_presence(offering.services, li.id, is_there=True)
        assert states(offering) == ["passed"] * passed + ["waiting"]
    assert offer_tasks(offering.services) == 0
    assert state_of(offering, li) is PresenceState.OFF
    say(offering, EVENTS.FREE)
    assert offer_tasks(offering.services) == 1


def test_a_taken_task_ends_the_count_of_what_was_passed_on(offering: Bureau):
    [li] = free(offering, "li")
    for _ in range(MOST_PASSED + 1):
        wait(offering)
        offer_tasks(offering.services)
        offering.later(seconds=SECONDS)
        own_presence(offering.services, li.id, is_there=True)
        offer_tasks(offering.services)
        taken = take(offering, "li")
        assert taken is not None
        release_assignment(offering.services, unrestricted("li"), taken.id, token=taken.token, why="x")
    assert state_of(offering, li) is PresenceState.FREE


def test_an_offer_is_withdrawn_when_its_person_is_not_free_or_its_task_is_gone(offering: Bureau):
    free(offering, "li", "zhao")
    first, second = wait(offering), wait(offering)
    offer_tasks(offering.services)
    say(offering, EVENTS.BREAK, BreakReason.MEAL, by="li")
    sign_assignment(offering.services, unrestricted("chief"), second)
    assert offered(offering, "zhao") is None
    offer_tasks(offering.services)
    assert states(offering) == ["withdrawn", "withdrawn", "waiting"]
    assert offered(offering, "zhao") == first


def test_a_task_that_came_back_is_offered_anew_to_who_passed_it_before(offering: Bureau):
    li, _ = free(offering, "li", "zhao")
    wait(offering)
    offer_tasks(offering.services)
    pass_on(offering.services, unrestricted("li"), staff_id=li.id)
    offer_tasks(offering.services)
    taken = take(offering, "zhao")
    assert taken is not None
    say(offering, EVENTS.OFF, by="zhao")
    release_assignment(offering.services, unrestricted("zhao"), taken.id, token=taken.token, why="x")
    offer_tasks(offering.services)
    assert offered(offering, "li") == taken.id


def test_an_agreed_call_is_offered_to_who_agreed_on_it(offering: Bureau):
    free(offering, "li", "zhao")
    wait(offering)
    offer_tasks(offering.services)
    taken = take(offering, "li")
    assert taken is not None
    at = offering.clock.now() + timedelta(minutes=1)
    schedule_call_back(offering.services, unrestricted("li"), taken.id, token=taken.token, at=at)
    assert offer_tasks(offering.services) == 0
    offering.later(minutes=1)
    with offering.tx() as tx:
        tx.execute(sa.update(t.presence).values(seen_at=offering.clock.now()))
    assert offer_tasks(offering.services) == 1
    assert offered(offering, "li") == taken.id
    again = take(offering, "li")
    assert again is not None
    # A colleague is offered it first, and anybody later.
    reassign(offering.services, unrestricted("li"), again.id, to="zhao", token=again.token, why="方言")
    offer_tasks(offering.services)
    assert offered(offering, "zhao") == again.id


@pytest.mark.parametrize(
    ("unit", "goes_to"), [("临河分局", "zhao"), ("城关派出所", "zhao"), ("五原分局", None), ("市局", None)]
)
def test_a_task_is_offered_within_its_units_alone(offering: Bureau, unit: str, goes_to: str | None):
    free(offering, "zhao", unit="临河分局")
    wait(offering, unit)
    offer_tasks(offering.services)
    assert offered(offering, "zhao") is not None if goes_to else offered(offering, "zhao") is None


def test_what_has_no_unit_is_offered_to_the_topmost_unit_and_the_centre(offering: Bureau):
    free(offering, "sun", unit="五原分局")
    free(offering, "wang", unit="市局")
    task = int(offering.assignment_of(offering.open_case(grade=Grade.EXTRA_HIGH))["id"])
    offer_tasks(offering.services)
    assert (offered(offering, "sun"), offered(offering, "wang")) == (None, task)


def test_neither_officers_nor_who_has_no_page_open_are_offered_calls(offering: Bureau):
    account(offering, "chen", role=Role.OFFICER)
    say(offering, EVENTS.FREE, by="chen")
    free(offering, "li")
    offering.later(seconds=80)
    wait(offering)
    assert offer_tasks(offering.services) == 0


def test_two_schedulers_at_once_offer_nothing_twice(offering: Bureau):
    free(offering, *(f"desk{n}" for n in range(6)))
    for _ in range(6):
        wait(offering)
    with ThreadPoolExecutor(max_workers=2) as pool:
        new = list(pool.map(lambda _: offer_tasks(offering.services), range(2)))
    assert sum(new) == 6
    assert len({offered(offering, f"desk{n}") for n in range(6)}) == 6


def test_two_presses_take_one_task(offering: Bureau):
    free(offering, "li")
    wait(offering)
    wait(offering)
    offer_tasks(offering.services)
    with ThreadPoolExecutor(max_workers=2) as pool:
        taken = list(pool.map(lambda _: take(offering, "li"), range(2)))
    assert len({one.id for one in taken if one is not None}) == 1


def test_old_offers_are_deleted(offering: Bureau):
    free(offering, "li", "zhao")
    wait(offering)
    offer_tasks(offering.services)
    take(offering, "li")
    wait(offering)
    offer_tasks(offering.services)
    with offering.tx() as tx:
        delete_old_offers(tx, before=offering.clock.now() + timedelta(days=1))
    assert states(offering) == ["waiting"]


def test_a_desk_on_a_break_does_not_ring_and_the_longest_free_rings_first(bureau: Bureau):
    free(bureau, "li", "zhao", "sun")
    account(bureau, "qian")
    say(bureau, EVENTS.BREAK, by="li")
    logins = ["li", "zhao", "sun", "qian"]
    with bureau.tx() as tx:
        for n, login in enumerate(logins):
            change = sa.update(t.staff).where(t.staff.c.login == login)
            tx.execute(change.values(extension=f"800{n}"))
        for row in tx.rows(sa.select(t.staff.c.id)):
            tx.execute(
                sa.insert(t.staff_session).values(
                    staff_id=row["id"],
                    token_hash=row["id"].to_bytes(32),
                    address="",
                    created_at=bureau.clock.now(),
                    seen_at=bureau.clock.now(),
                    expires_at=bureau.clock.now() + timedelta(hours=1),
                )
            )
        found = free_desks(tx, holder="", without=[], real_now=bureau.clock.now())
    assert [desk.login for desk in found] == ["zhao", "sun", "qian"]


def stalled(bureau: Bureau) -> list[str]:
    """The units that the open alarm names."""
    watch_desks(bureau.services)
    alarms = bureau.rows(
        sa.select(t.alarm).where(t.alarm.c.code == "desks_stalled", t.alarm.c.seen_at.is_(None))
    )
    return [name for alarm in alarms for name in alarm["facts"]["names"]]


def stay(bureau: Bureau, seconds: float) -> None:
    """Time passes, with the pages of all open."""
    bureau.later(seconds=seconds)
    with bureau.tx() as tx:
        tx.execute(sa.update(t.presence).values(seen_at=bureau.clock.now()))


def test_a_call_that_waits_while_a_desk_is_free_raises_an_alarm(bureau: Bureau):
    free(bureau, "li")
    wait(bureau)
    stay(bureau, bureau.services.work.stall_seconds - 1)
    assert stalled(bureau) == []
    stay(bureau, 1)
    assert stalled(bureau) == ["临河分局"]
    [alarm] = bureau.rows(sa.select(t.alarm).where(t.alarm.c.code == "desks_stalled"))
    assert alarm["times"] == 1
    assert stalled(bureau) == ["临河分局"]
    [alarm] = bureau.rows(sa.select(t.alarm).where(t.alarm.c.code == "desks_stalled"))
    assert alarm["times"] == 1


@pytest.mark.parametrize("said", [EVENTS.BREAK, EVENTS.OFF, None])
def test_no_alarm_while_nobody_is_free(bureau: Bureau, said: PresenceEvent | None):
    account(bureau)
    if said is not None:
        say(bureau, said)
    wait(bureau)
    stay(bureau, 1000)
    assert stalled(bureau) == []


def test_no_alarm_for_calls_that_nobody_who_is_free_may_take(bureau: Bureau):
    free(bureau, "zhao", unit="五原分局")
    account(bureau, "chen", role=Role.OFFICER)
    say(bureau, EVENTS.FREE, by="chen")
    wait(bureau, "临河分局")
    stay(bureau, 1000)
    assert stalled(bureau) == []
    free(bureau, "wang", unit="市局")
    stay(bureau, 1000)
    assert stalled(bureau) == ["临河分局"]


def test_a_call_without_a_unit_stalls_at_the_centre_and_the_topmost_unit(bureau: Bureau):
    free(bureau, "zhao", unit="五原分局")
    bureau.open_case(grade=Grade.EXTRA_HIGH)
    stay(bureau, 1000)
    assert stalled(bureau) == []
    free(bureau, "wang", unit="市局")
    stay(bureau, 1000)
    assert stalled(bureau) == ["-"]


def test_no_alarm_where_a_call_just_came_back_or_is_agreed_for_later(bureau: Bureau):
    free(bureau, "li", "zhao")
    wait(bureau)
    taken = take(bureau, "li")
    assert taken is not None
    stay(bureau, 1000)
    release_assignment(bureau.services, unrestricted("li"), taken.id, token=taken.token, why="x")
    assert stalled(bureau) == []
    again = take(bureau, "li")
    assert again is not None
    at = bureau.clock.now() + timedelta(hours=1)
    schedule_call_back(bureau.services, unrestricted("li"), again.id, token=again.token, at=at)
    stay(bureau, 1000)
    assert stalled(bureau) == []


LOGINS = ("li", "zhao", "sun")


class Offering(RuleBasedStateMachine):
    """Three desks, calls that come, and everything that may happen between two rounds."""

    bureau: Bureau
    run = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).run += 1
        with self.bureau.tx() as tx:
            for table in (t.task_offer, t.presence_change, t.presence):
                tx.execute(sa.delete(table))
            tx.execute(sa.update(t.assignment).values(state="withdrawn", signed_by=None, lease_until=None))

    def _beat(self) -> None:
        with self.bureau.tx() as tx:
            tx.execute(sa.update(t.presence).values(seen_at=self.bureau.clock.now()))

    @rule()
    def call_comes(self) -> None:
        wait(self.bureau)

    @rule(login=st.sampled_from(LOGINS), event=st.sampled_from([EVENTS.FREE, EVENTS.BREAK, EVENTS.OFF]))
    def said(self, login: str, event: object) -> None:
        say(self.bureau, event, by=login)  # type: ignore[arg-type]

    @rule(login=st.sampled_from(LOGINS))
    def pressed(self, login: str) -> None:
        before = offered(self.bureau, login)
        taken = take(self.bureau, login)
        if taken is not None and before is not None:
            assert taken.id == before

    @rule(login=st.sampled_from(LOGINS))
    def released(self, login: str) -> None:
        for row in self.bureau.rows(sa.select(t.assignment).where(t.assignment.c.signed_by == login)):
            release_assignment(
                self.bureau.services, unrestricted(login), row["id"], token=row["token"], why="x"
            )

    @rule()
    def passes(self) -> None:
        self.bureau.later(seconds=11)
        self._beat()

    @rule()
    def round(self) -> None:
        offer_tasks(self.bureau.services)
        waiting = self.bureau.rows(
            sa.select(t.task_offer.c.staff_id, t.task_offer.c.assignment_id).where(
                t.task_offer.c.state == OfferState.WAITING.value
            )
        )
        offered_to = {row["staff_id"] for row in waiting}
        tasks = {row["assignment_id"] for row in waiting}
        people = self.bureau.rows(sa.select(t.presence).where(t.presence.c.state == "free"))
        open_tasks = self.bureau.rows(
            sa.select(t.assignment.c.id).where(
                t.assignment.c.state == "open",
                t.assignment.c.kind == "human",
                t.assignment.c.call_at.is_(None),
            )
        )
        # After a round nobody is idle while a call waits that nobody is offered.
        idle = {row["staff_id"] for row in people} - offered_to
        unoffered = {row["id"] for row in open_tasks} - tasks
        assert not (idle and unoffered)
        assert offered_to <= {row["staff_id"] for row in people}

    @invariant()
    def presence_fits(self) -> None:
        settle_presences(self.bureau.services)
        for login in LOGINS:
            with self.bureau.tx() as tx:
                follow_work(tx, self.bureau.services, login)
        working = self.bureau.rows(
            sa.select(t.staff.c.login)
            .join(t.presence, t.presence.c.staff_id == t.staff.c.id)
            .where(t.presence.c.state == "on_task")
        )
        held = self.bureau.rows(sa.select(t.assignment.c.signed_by).where(t.assignment.c.state == "signed"))
        assert sorted(row["login"] for row in working) == sorted(row["signed_by"] for row in held)


@pytest.fixture
def machine(offering: Bureau) -> type[Offering]:
    for login in LOGINS:
        account(offering, login)
    Offering.bureau = offering
    offering.work_rules(lease_seconds=100_000)
    return Offering


def test_after_every_round_nobody_is_idle_while_a_call_waits(machine: type[Offering]):
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(
            max_examples=12,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )
