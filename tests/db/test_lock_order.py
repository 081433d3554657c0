"""Two that meet never wait for each other: cases are locked before attempts and people's work, these before numbers,
each in the order of their ids. One holds a row, an act comes to it and waits; what lies behind it must still be free.
"""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from dialer.approvals.actions import approve_outcomes
from dialer.calls.apply import CallNews
from dialer.calls.claims import Sending, mark_attempts_sending
from dialer.calls.dial import dial
from dialer.calls.events import apply_call_events
from dialer.calls.reconcile import reconcile
from dialer.cases.effects import Move, move_cases
from dialer.cases.store import lock_cases
from dialer.core.access import unrestricted
from dialer.core.case import AssignmentState
from dialer.core.events import AlarmCode, CaseClosed
from dialer.core.sources import ROBOT_SOURCE
from dialer.core.values import Grade, OutcomeKind, TelephonyResult, Track
from dialer.db import tables as t
from dialer.db.alarms import acknowledge_alarms_of_code, raise_alarm
from dialer.intake.records import Field
from dialer.org.unassigned import assign_unit
from dialer.staff.sign_in import add_token
from dialer.telephony.callbacks import CallProgress, CallState, Stage
from dialer.telephony.channels import Placed
from dialer.telephony.client import PlaceCall
from dialer.warnings.deliveries import read_warnings, take_deliveries
from dialer.warnings.source_limits import read_source
from dialer.warnings.warning_store import ARRIVALS_LOCK
from dialer.work.assignments import Scope
from dialer.work.desk_calls import dial_from_desk
from dialer.work.tasks import WorkReport, claim_next, reclaim, release_assignment, report_assignment
from dialer.work.visits import PhoneAct, add_photo
from tests.core.pictures import jpeg
from tests.signals.post import MULE, OTHER, Post
from tests.work.bureau import Bureau

PATIENCE_SECONDS = 30.0
LOW, HIGH = uuid.UUID(int=1), uuid.UUID(int=2**128 - 1)
NUMBER = b"\x01" * 32


@pytest.fixture
def bureau(fresh_database: str) -> Iterator[Bureau]:
    built = Bureau(fresh_database)
    yield built
    built.close()


@contextmanager
def waiting_for(
    bureau: Bureau | Post, held: sa.ColumnElement[bool] | sa.Select[Any], act: Callable[[], object]
) -> Iterator[sa.Connection]:
    """Somebody holds these rows, or what the statement locks, and `act` waits for it within the block; done when they
    have gone.
    """
    engine = sa.create_engine(bureau.store.url)
    faults: list[Exception] = []

    def run() -> None:
        try:
            act()
        except Exception as fault:  # noqa: BLE001  # told below
            faults.append(fault)

    acting = threading.Thread(target=run)
    try:
        with engine.connect() as holder:
            assert holder.execute(held if isinstance(held, sa.Select) else _lock(held)).all()
            acting.start()
            _until_somebody_waits(engine, acting, faults)
            yield holder
        acting.join(PATIENCE_SECONDS)
    finally:
        engine.dispose()
    assert not faults, faults


def _lock(which: sa.ColumnElement[bool], *, nowait: bool = False) -> sa.Select[Any]:
    return sa.select(sa.literal(1)).where(which).with_for_update(nowait=nowait)


def may_have(holder: sa.Connection, which: sa.ColumnElement[bool]) -> bool:
    return bool(holder.execute(_lock(which, nowait=True)).all())


def _until_somebody_waits(engine: sa.Engine, acting: threading.Thread, faults: list[Exception]) -> None:
    waiting = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    for _ in range(int(PATIENCE_SECONDS / 0.02)):
        with engine.connect() as connection:
            if connection.scalar(waiting):
                return
        acting.join(0.02)
        assert acting.is_alive(), f"it went through without waiting: {faults}"
    raise AssertionError("nobody waits")


def two_attempts(bureau: Bureau) -> list[int]:
    """Two cases whose attempts lie on the disk against the order of their ids."""
    opened = [bureau.open_case() for _ in range(2)]
    for case_id, attempt_id in zip(opened, (HIGH, LOW), strict=True):
        bureau.do(sa.update(t.attempt).where(t.attempt.c.case_id == case_id).values(id=attempt_id))
    return opened


def test_attempts_of_many_cases_are_withdrawn_in_the_order_of_their_ids(bureau: Bureau):
    opened = two_attempts(bureau)

    def close_both() -> None:
        event = CaseClosed(outcome=OutcomeKind.MISMATCH)
        with bureau.tx() as tx:
            moves = [Move(case_id=case_id, event=event) for case_id in opened]
            move_cases(
                tx, lock_cases(tx, opened), moves, policies=bureau.services.policies, now=bureau.clock.now()
            )

    with waiting_for(bureau, t.attempt.c.id == LOW, close_both) as holder:
        assert may_have(holder, t.attempt.c.id == HIGH)
    assert {row["state"] for row in bureau.rows(sa.select(t.attempt.c.state))} == {"ended"}


def test_attempts_leave_in_the_order_of_their_ids(bureau: Bureau):
    two_attempts(bureau)
    lease = bureau.services.real.now() + timedelta(minutes=1)
    for attempt_id in (HIGH, LOW):
        bureau.change_attempt(attempt_id, state="claimed", token=1, lease_until=lease)
    sent: set[uuid.UUID] = set()

    def fence() -> None:
        wanted = [
            Sending(attempt_id=one, token=1, script_id="s", script_hash="h", language="zh")
            for one in (HIGH, LOW)
        ]
        now = bureau.clock.now()
        with bureau.tx() as tx:
            sent.update(mark_attempts_sending(tx, wanted, now=now, real_now=now, poll_at=now))

    with waiting_for(bureau, t.attempt.c.id == LOW, fence) as holder:
        assert may_have(holder, t.attempt.c.id == HIGH)
    assert sent == {LOW, HIGH}


def test_whoever_waits_to_claim_holds_no_attempt(bureau: Bureau):
    attempt_id = bureau.attempt_of(bureau.open_case())["id"]
    bureau.change_attempt(attempt_id, state="planned", not_before=bureau.clock.now())

    def claim() -> None:
        asyncio.run(dial(bureau.services, _Carrier(), for_seconds=0.2, stopping=lambda: False))  # type: ignore[arg-type]

    with waiting_for(bureau, t.line_group.c.name == "main", claim) as holder:
        assert may_have(holder, t.attempt.c.id == attempt_id)


def test_the_end_of_a_call_frees_its_number_last(bureau: Bureau):
    case_id = bureau.case_with_unit("临河分局", grade=Grade.EXTRA_HIGH)
    attempt_id = bureau.attempt_of(case_id)["id"]
    bureau.put_live_number(NUMBER, attempt_id)
    told = {"contact": "verified", "answer": "wants_officer"}
    bureau.change_attempt(attempt_id, state="answered", sent_at=bureau.clock.now(), played_seconds=20, **told)
    progress = CallProgress(stage=Stage.ENDED, sid="CA1", sequence=3, result=TelephonyResult.ANSWERED)

    def hear() -> None:
        apply_call_events(
            bureau.services, [CallNews(attempt_id=attempt_id, step="status.3", progress=progress)]
        )

    with waiting_for(bureau, t.assignment.c.case_id == case_id, hear) as holder:
        assert may_have(holder, t.live_number.c.phone_blind == NUMBER)
    assert bureau.rows(sa.select(t.live_number.c.attempt_id)) == [{"attempt_id": None}]


def test_what_the_carrier_tells_when_asked_locks_the_case_first(bureau: Bureau):
    case_id = bureau.open_case()
    attempt_id = bureau.attempt_of(case_id)["id"]
    past = bureau.services.real.now() - timedelta(minutes=1)
    bureau.change_attempt(attempt_id, state="ringing", sid="CA1", sent_at=past, posted_at=past, poll_at=past)

    def ask() -> None:
        asyncio.run(reconcile(bureau.services, _Carrier()))  # type: ignore[arg-type]

    with waiting_for(bureau, t.case.c.id == case_id, ask) as holder:
        assert may_have(holder, t.attempt.c.id == attempt_id)
    assert bureau.attempt_of(case_id)["id"] != attempt_id


class _Carrier:
    async def send(self, _order: PlaceCall) -> Placed:
        return Placed(sid="CA1", status="queued")

    async def state(self, sid: str) -> CallState:
        return CallState(sid=sid, status="no-answer", date_created=None)


def test_a_picture_of_a_visit_locks_the_case_first(bureau: Bureau):
    case_id = bureau.case_with_unit("城关派出所", grade=Grade.EXTRA_HIGH)
    visit = int(bureau.assignment_of(case_id, Track.VISIT)["id"])
    phone = PhoneAct(client_id=uuid.uuid4(), actor=unrestricted("officer"))
    picture = jpeg()

    def send() -> None:
        add_photo(bureau.services, visit, phone=phone, content=picture)

    with waiting_for(bureau, t.case.c.id == case_id, send) as holder:
        assert may_have(holder, t.assignment.c.id == visit)


def test_a_call_from_a_desk_locks_the_case_first(bureau: Bureau):
    case_id = bureau.case_with_unit("临河分局", grade=Grade.EXTRA_HIGH)
    task = claim_next(bureau.services, unrestricted("li"), scope=Scope())
    assert task is not None

    class Desk:
        async def call_from_desk(self, _order: object) -> object:
            return None

    def dial() -> None:
        asyncio.run(dial_from_desk(bureau.services, unrestricted("li"), Desk(), task.id, extension="8001"))  # type: ignore[arg-type]

    with waiting_for(bureau, t.case.c.id == case_id, dial) as holder:
        assert may_have(holder, t.assignment.c.id == task.id)


def test_whoever_parks_one_task_for_another_locks_both_cases_first(bureau: Bureau):
    first, second = (bureau.case_with_unit("临河分局", grade=Grade.EXTRA_HIGH) for _ in range(2))
    kept = claim_next(bureau.services, unrestricted("li"), scope=Scope())
    assert kept is not None
    release_assignment(bureau.services, unrestricted("li"), kept.id, why="later")
    in_hand = claim_next(bureau.services, unrestricted("li"), scope=Scope())
    assert in_hand is not None
    other = next(
        row
        for case_id in (first, second)
        for row in bureau.assignments_of(case_id)
        if row["kind"] == Track.HUMAN.value and row["id"] != in_hand.id
    )
    bureau.do(sa.update(t.assignment).where(t.assignment.c.id == other["id"]).values(kept_for="li"))

    def take() -> None:
        after = reclaim(bureau.services, unrestricted("li"), other["id"], scope=Scope(), park=True)
        assert after.state is AssignmentState.SIGNED

    with waiting_for(bureau, t.case.c.id == first, take) as holder:
        assert may_have(holder, t.assignment.c.id.in_([other["id"], in_hand.id]))


def test_cases_that_move_along_are_locked_in_the_order_of_their_ids(bureau: Bureau):
    first, second = bureau.arrive("临河 派出所"), bureau.arrive("临河派出所")

    def place() -> None:
        assign_unit(
            bureau.services, unrestricted("li"), second[0], unit_id=bureau.unit["城关派出所"], alike=True
        )

    with waiting_for(bureau, t.case.c.id == first[0], place) as holder:
        assert may_have(holder, t.case.c.id == second[0])
    assert bureau.units_of([*first, *second]) == [bureau.unit["城关派出所"]] * 2


def test_alarms_are_seen_in_the_order_in_which_they_are_raised(bureau: Bureau):
    with bureau.tx() as tx:
        for case_id in (2, 1):
            raise_alarm(tx, AlarmCode.UNSIGNED, now=bureau.clock.now(), case_id=case_id)

    def see() -> None:
        with bureau.tx() as tx:
            code = AlarmCode.UNSIGNED.value
            assert acknowledge_alarms_of_code(tx, code, by="li", now=bureau.clock.now(), where=sa.true()) == 2

    with waiting_for(bureau, t.alarm.c.case_id == 1, see) as holder:
        assert may_have(holder, t.alarm.c.case_id == 2)


def test_approved_successes_without_a_call_lock_all_work_before_the_first_call_attempt(bureau: Bureau):
    opened = [bureau.case_with_unit("临河分局", grade=Grade.EXTRA_HIGH) for _ in range(2)]
    tasks = [int(bureau.assignment_of(case_id)["id"]) for case_id in opened]
    for case_id, attempt_id in zip(opened, (HIGH, LOW), strict=True):
        bureau.do(sa.update(t.attempt).where(t.attempt.c.case_id == case_id).values(id=attempt_id))
    own_phone = WorkReport(outcome=OutcomeKind.DISSUADED_BY_PHONE, no_call="用本人手机拨打")
    lines = [report_assignment(bureau.services, unrestricted("li"), task, own_phone) for task in tasks]

    def approve() -> None:
        assert approve_outcomes(bureau.services, unrestricted("zhao"), lines) == 2

    with waiting_for(bureau, t.assignment.c.id == tasks[1], approve) as holder:
        assert may_have(holder, t.attempt.c.id == HIGH)
    for case_id in opened:
        assert bureau.attempt_of(case_id)["state"] == "ended"


def test_attempts_of_approved_successes_are_locked_in_the_order_of_their_ids(bureau: Bureau):
    opened = [bureau.case_with_unit("临河分局", grade=Grade.EXTRA_HIGH) for _ in range(2)]
    for case_id, attempt_id in zip(opened, (HIGH, LOW), strict=True):
        bureau.do(sa.update(t.attempt).where(t.attempt.c.case_id == case_id).values(id=attempt_id))
    own_phone = WorkReport(outcome=OutcomeKind.DISSUADED_BY_PHONE, no_call="用本人手机拨打")
    lines = [
        report_assignment(
            bureau.services, unrestricted("li"), int(bureau.assignment_of(one)["id"]), own_phone
        )
        for one in opened
    ]

    def approve() -> None:
        approve_outcomes(bureau.services, unrestricted("zhao"), lines)

    with waiting_for(bureau, t.attempt.c.id == LOW, approve) as holder:
        assert may_have(holder, t.attempt.c.id == HIGH)


ARRIVALS = sa.select(sa.func.pg_advisory_xact_lock(ARRIVALS_LOCK))


def test_the_robot_and_the_api_lock_arrivals_before_the_source(fresh_database: str):
    post = Post(fresh_database)
    token = add_token(
        post.services, unrestricted("chief"), name="bank", scopes=["warnings:write"], days=1, unit=""
    ).token
    post.send(post.listed(account=MULE), post.payment(fen=9_000_000, new_payee=True))
    robot = post.robot()
    sent = [{Field.INSTRUCTION_NO: "B1", Field.PHONE: OTHER, Field.NAME: "王伟", Field.GRADE: "高危"}]
    bank = t.source.c.name == "bank"
    acts = (
        lambda: post.work(robot),
        lambda: take_deliveries(post.services, [read_warnings(post.services, sent, token=token)]),
    )
    for act in acts:
        with waiting_for(post, ARRIVALS, act) as holder:
            assert may_have(holder, bank)
    assert {row["source"] for row in post.rows(t.warning)} == {ROBOT_SOURCE, "bank"}
    assert (
        read_source(post.services, "bank").sent.in_hour
        + read_source(post.services, "bank").sent.extra_high_in_hour
        == 2
    )
    post.close()
