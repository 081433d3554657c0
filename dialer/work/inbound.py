"""Inbound calls: whose case a call belongs to, which desk rings, the queue, and the end. One transaction for each
webhook.

A call matched by its number, or by a typed one, opens a human call at the top of the queue before any desk rings, so
that nothing is lost whatever happens next. Lock order: the call, then its case, assignment and number.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, Protocol, assert_never

from dialer.calls.recordings import expect_recording, wants_recording
from dialer.cases.attempts import release_numbers
from dialer.cases.effects import IDLE_ASSIGNMENT, Move, move_cases
from dialer.cases.reveals import note_work_reveal
from dialer.cases.store import Act, StoredCase, get_case, lock_cases, lock_cases_of_people, note_acts
from dialer.core.access import DESK, ROBOT
from dialer.core.case import AssignmentState, CaseStatus, InboundResult, InboundState, RobotState
from dialer.core.errors import NotFound
from dialer.core.events import HandOverAnswered, PersonCalledIn
from dialer.core.inbound import MOST_ASKED, InboundSituation, InboundStep, next_inbound_step
from dialer.core.policy import Window
from dialer.core.timeline import ActKind
from dialer.core.values import Track
from dialer.db.unit_of_work import Tx
from dialer.duty.presence import follow_work
from dialer.intake.phones import normalise_phone
from dialer.runtime.services import Services
from dialer.scripts.dialogue import Utterance
from dialer.scripts.inbound import PLACES, InboundPrompt, inbound_utterance, recorded_notice
from dialer.telephony.callbacks import CallState
from dialer.telephony.webhooks import InboundTurn
from dialer.work.assignments import (
    Assignment,
    Scope,
    assignments_of_case,
    get_assignment,
    hand_assignment_to,
    is_assignment_visible,
    keep_for_caller,
    lock_assignment,
    mark_assignment_opened,
    note_assignment_act,
    release_assignments,
)
from dialer.work.desk_store import take_number_for_desk_call
from dialer.work.inbound_store import (
    FreeDesk,
    InboundCall,
    change_inbound_call,
    earlier_in_inbound_queue,
    free_desks,
    inbound_queue_position,
    live_inbound_sids,
    lock_arrived_call,
    lock_inbound_call,
    owners_of_number,
    take_telephone,
)

_PAUSE_SECONDS: Final = 8
_KEPT_LONGER: Final = timedelta(seconds=20)
"""A task is kept for the caller whose telephone rings, for this much longer than it rings."""
_LANGUAGE: Final = "zh"


def next_inbound_turn(
    services: Services, sid: str, *, caller: str, duty_line: str, step: int = 0, typed: str | None = None
) -> InboundTurn:
    """The next turn of an inbound call, after the turn `step`. `caller` is the number that the network gives, '' for a
    hidden one; `typed` is what was typed at the question, None where nothing was asked. A repeated or late request gets
    the current turn.
    """
    with services.store.begin() as tx:
        now = services.clock.now()
        call = lock_arrived_call(tx, sid, now=now, real_now=services.real.now(), drill=services.drill)
        if step != call.turn:
            return _current_turn(tx, services, call, is_first=not step)
        must_cancel = False
        if call.state is InboundState.ASKING and call.case_id is None:
            number = normalise_phone(caller if typed is None else typed, services.centre.area_code)
            if typed is not None and number is not None:
                # From here on the call takes the same course whether a case is open or not.
                values = {"typed": True, "state": InboundState.WAITING.value}
                change_inbound_call(tx, call.id, **values)
                call = lock_inbound_call(tx, sid)
            call, must_cancel = _match_case(tx, services, call, number, now=now)
        turn = _next_turn(tx, services, call, duty_line=duty_line, now=now)
    if must_cancel:
        services.enqueue("cancel_calls")
    return turn


def _match_case(
    tx: Tx, services: Services, call: InboundCall, number: str | None, *, now: datetime
) -> tuple[InboundCall, bool]:
    """The call with its case, if a case of the number is not over; and whether calls must be ended. A call from one of
    the person's own numbers stops the robot in every case of the person in which it would still call; these and the
    matched case get a human call.
    """
    is_typed = call.typed
    owners = (
        {} if number is None else {owner.person_id: owner.position for owner in owners_of_number(tx, number)}
    )
    cases = lock_cases_of_people(tx, list(owners))
    stored = _most_urgent(case for found in cases.values() for case in found)
    if stored is None:
        return call, False
    others = [] if is_typed else [case for case in cases[stored.person_id] if _robot_would_call(case, stored)]
    locked = {case.case.id: case for case in (stored, *others)}
    event = PersonCalledIn(from_own_number=not is_typed)
    must_cancel = move_cases(
        tx,
        locked,
        [Move(case_id=case_id, event=event) for case_id in locked],
        policies=services.policies,
        now=now,
    )
    (task,) = (task for task in assignments_of_case(tx, stored.case.id) if task.kind is Track.HUMAN)
    _free_for_any_desk(tx, task, now=now, real_now=services.real.now())
    position = None if is_typed else owners[stored.person_id]
    change_inbound_call(
        tx,
        call.id,
        case_id=stored.case.id,
        person_id=stored.person_id,
        number=position,
        assignment_id=task.id,
        state=InboundState.WAITING.value,
        drill=stored.drill,
    )
    if position is not None:
        # The robot and the desks do not call a telephone that is calling us.
        take_number_for_desk_call(tx, call.id, person_id=stored.person_id, number=position)
    facts = {"typed": is_typed}
    note_acts(
        tx,
        [Act(case_id=case_id, kind=ActKind.CALLED_IN, by="", facts=facts) for case_id in locked],
        now=now,
    )
    return lock_inbound_call(tx, call.sid), must_cancel


def _free_for_any_desk(tx: Tx, task: Assignment, *, now: datetime, real_now: datetime) -> None:
    """The person calls now: the task waits neither for an agreed time nor for a caller who has left the desk."""
    if task.state is AssignmentState.OPEN and task.kept_for is not None:
        release_assignments(tx, [task.id])
    elif _holder_of(task) not in {"", DESK} and (task.lease_until is None or task.lease_until <= real_now):
        release_assignments(tx, [task.id])
        facts = {"track": Track.HUMAN.value, "from": task.signed_by}
        note_assignment_act(tx, task, ActKind.LAPSED, by=ROBOT, now=now, facts=facts)


def _robot_would_call(stored: StoredCase, matched: StoredCase) -> bool:
    return (
        stored.case.id != matched.case.id
        and not stored.case.status.is_settled
        and stored.case.robot.state is RobotState.PENDING
    )


def _most_urgent(cases: Iterable[StoredCase]) -> StoredCase | None:
    """The most urgent case: an open one before a watched one, then the highest grade, then the newest; None without
    any.
    """
    return max(
        cases,
        key=lambda case: (case.case.status is CaseStatus.OPEN, case.case.grade.rank, case.case.opened_at),
        default=None,
    )


def _current_turn(tx: Tx, services: Services, call: InboundCall, *, is_first: bool) -> InboundTurn:
    """The current turn, for a request that was answered before: the answer may have been lost."""
    opening = (InboundPrompt.OPENING,) if is_first else ()
    match call.state:
        case InboundState.ENDED:
            return InboundTurn()
        case InboundState.RINGING | InboundState.JOINED:
            return InboundTurn(
                turn=call.turn,
                says=(*_utterances(*opening), *_recording_notice(records=call.records)),
                rings=call.extension,
                ring_seconds=services.inbound.ring_seconds,
                recorded_as=call.id if call.records else None,
            )
        case InboundState.WAITING:
            says = _utterances(*opening, _queue_prompt(tx, call))
            return InboundTurn(turn=call.turn, says=says, waits_seconds=_PAUSE_SECONDS)
        case InboundState.ASKING:
            return InboundTurn(turn=call.turn, says=_utterances(*opening, _question(call.asked)), asks=True)
        case _ as never:
            assert_never(never)


def _question(nth: int) -> InboundPrompt:
    return InboundPrompt.ASK_NUMBER if nth == 1 else InboundPrompt.ASK_AGAIN


def _queue_prompt(tx: Tx, call: InboundCall) -> InboundPrompt:
    place = inbound_queue_position(tx, call)
    return PLACES[place - 1] if place <= len(PLACES) else InboundPrompt.PLACE_MORE


def _is_open(services: Services, now: datetime) -> bool:
    """Whether desks take calls now."""
    rules = services.inbound
    return Window(opens=rules.opens, closes=rules.closes, zone=services.centre.timezone).is_open(now)


def _next_turn(
    tx: Tx, services: Services, call: InboundCall, *, duty_line: str, now: datetime
) -> InboundTurn:
    if call.state is InboundState.ENDED:
        return InboundTurn()
    rules = services.inbound
    opening = () if call.turn else (InboundPrompt.OPENING,)
    number = call.turn + 1
    change_inbound_call(tx, call.id, turn=number)
    has_number = call.case_id is not None or call.typed
    may_ring = has_number or call.asked >= MOST_ASKED
    extension = _ring_telephone(tx, services, call, duty_line=duty_line, now=now) if may_ring else ""
    waited = (now - call.arrived_at).total_seconds()
    step = next_inbound_step(
        InboundSituation(
            has_number=has_number,
            asked=call.asked,
            is_desk_free=bool(extension),
            waited_seconds=waited,
        ),
        wait_seconds=rules.wait_seconds,
    )
    match step:
        case InboundStep.ASK:
            change_inbound_call(tx, call.id, asked=call.asked + 1)
            says = _utterances(*opening, _question(call.asked + 1))
            return InboundTurn(turn=number, says=says, asks=True)
        case InboundStep.RING:
            connecting = () if call.tried else (InboundPrompt.CONNECTING,)
            records = _is_recorded(tx, services, call)
            change_inbound_call(tx, call.id, records=records)
            return InboundTurn(
                turn=number,
                says=(*_utterances(*opening, *connecting), *_recording_notice(records=records)),
                rings=extension,
                ring_seconds=rules.ring_seconds,
                recorded_as=call.id if records else None,
            )
        case InboundStep.WAIT:
            change_inbound_call(tx, call.id, state=InboundState.WAITING.value, tried=[])
            says = _utterances(*opening, _queue_prompt(tx, call))
            return InboundTurn(turn=number, says=says, waits_seconds=_PAUSE_SECONDS)
        case InboundStep.CALL_BACK:
            known = call.case_id is not None
            _end_call(tx, call, InboundResult.CALL_BACK if known else InboundResult.NO_CASE, now=now)
            # At night nobody calls back soon, so nothing is promised; nor to a caller who typed a number: that would
            # reveal that the number has an open case.
            soon = _is_open(services, now) and not call.typed
            last = InboundPrompt.CALL_BACK if soon else InboundPrompt.NO_OFFICER
            return InboundTurn(says=_utterances(*opening, last))
        case InboundStep.NO_OFFICER:
            _end_call(tx, call, InboundResult.NO_CASE, now=now)
            return InboundTurn(says=_utterances(*opening, InboundPrompt.NO_OFFICER))
        case _ as never:
            assert_never(never)


def _is_recorded(tx: Tx, services: Services, call: InboundCall) -> bool:
    """Whether the talk is recorded, as the policy of its case says. After a typed number it is not: what follows must
    not reveal whether the number has an open case.
    """
    if call.case_id is None or call.typed:
        return False
    stored = get_case(tx, call.case_id)
    return stored is not None and wants_recording(services, stored)


def _recording_notice(*, records: bool) -> tuple[Utterance, ...]:
    """The notice of the recording, spoken each time before a telephone of ours rings for a recorded call: an earlier
    answer may have been lost.
    """
    return (recorded_notice(_LANGUAGE),) if records else ()


def _utterances(*prompts: InboundPrompt) -> tuple[Utterance, ...]:
    return tuple(inbound_utterance(prompt, _LANGUAGE) for prompt in prompts)


def _ring_telephone(tx: Tx, services: Services, call: InboundCall, *, duty_line: str, now: datetime) -> str:
    """Has a telephone ring for the call and returns it; '' where none is free. Within the hours of the desks it is a
    desk, else the duty line. A call that came earlier and is still in the queue goes first, at every telephone that may
    take it. Where no case of a typed number is open, any desk may take the call.
    """
    rules = services.inbound
    task = _lock_task(tx, call)
    earlier: list[Assignment] = []
    is_known = task is not None or call.typed
    if is_known:
        since = now - timedelta(seconds=rules.wait_seconds + rules.ring_seconds) - _KEPT_LONGER
        earlier = [get_assignment(tx, task_id) for task_id in earlier_in_inbound_queue(tx, call, since=since)]
    if is_known and _is_open(services, now):
        seen: dict[tuple[int, int | None], bool] = {}
        holder = "" if task is None else _holder_of(task)
        for desk in free_desks(tx, holder=holder, without=call.tried, real_now=services.real.now()):
            if not services.numbers.is_extension(desk.extension):
                continue
            if task is not None and not _may_take(tx, desk, task, seen):
                continue
            first = next((task for task in earlier if _may_take(tx, desk, task, seen)), None)
            if first is not None:
                earlier.remove(first)
            elif take_telephone(tx, call.id, extension=desk.extension, by=desk.login):
                if task is not None and task.state is AssignmentState.OPEN:
                    until = now + timedelta(seconds=rules.ring_seconds) + _KEPT_LONGER
                    keep_for_caller(tx, task.id, by=desk.login, call_at=now, kept_until=until)
                return desk.extension
    may_ring = bool(duty_line) and duty_line not in call.tried and not earlier
    if may_ring and take_telephone(tx, call.id, extension=duty_line, by=DESK):
        return duty_line
    return ""


def _holder_of(task: Assignment) -> str:
    return task.signed_by if task.state is AssignmentState.SIGNED else ""


def _may_take(tx: Tx, desk: FreeDesk, task: Assignment, seen: dict[tuple[int, int | None], bool]) -> bool:
    """Whether this desk may take the task: the desk that holds it, or any desk of its units if nobody or the duty line
    holds it. `seen` caches the answers by task and unit.
    """
    held = _holder_of(task)
    if held not in {"", DESK}:
        return desk.login == held
    key = (task.id, desk.unit_id)
    if key not in seen:
        seen[key] = is_assignment_visible(tx, task.id, Scope(unit_id=desk.unit_id))
    return seen[key]


def _lock_task(tx: Tx, call: InboundCall) -> Assignment | None:
    """The human call of an inbound call, locked after its case; None without a case."""
    if call.assignment_id is None or call.case_id is None:
        return None
    lock_cases(tx, [call.case_id])
    return lock_assignment(tx, call.assignment_id)


def connect_inbound_call(services: Services, sid: str, *, step: int) -> None:
    """The desk that rings since the turn `step` has answered: its caller gets the task, with the person's data opened.
    Late and repeated events change nothing. Raises `NotFound`.
    """
    with services.store.begin() as tx:
        call = lock_inbound_call(tx, sid)
        if call.state is InboundState.RINGING and step == call.turn:
            now = services.clock.now()
            _connect(tx, services, call, joined_at=now, now=now)


def _connect(tx: Tx, services: Services, call: InboundCall, *, joined_at: datetime, now: datetime) -> None:
    change_inbound_call(tx, call.id, state=InboundState.JOINED.value, joined_at=joined_at)
    _give_task(tx, services, call, now=now)
    follow_work(tx, services, call.by)


def _give_task(tx: Tx, services: Services, call: InboundCall, *, now: datetime) -> None:
    task = _lock_task(tx, call)
    if task is None or not task.is_pending:
        return
    if call.by == DESK:
        locked = lock_cases(tx, [task.case_id])
        moves = [Move(case_id=task.case_id, event=HandOverAnswered())]
        move_cases(tx, locked, moves, policies=services.policies, now=now)
    elif task.state is AssignmentState.OPEN or task.is_held_by(call.by) or task.signed_by == DESK:
        _hand_over(tx, services, task, call, now=now)


def _hand_over(tx: Tx, services: Services, task: Assignment, call: InboundCall, *, now: datetime) -> None:
    """Gives the caller the task and opens the person's data to them, which is audited."""
    lease_until = services.real.now() + timedelta(seconds=services.work.lease_seconds)
    idle_at = now + IDLE_ASSIGNMENT
    if not task.is_held_by(call.by):
        hand_assignment_to(tx, task.id, by=call.by, now=now, lease_until=lease_until, idle_at=idle_at)
        facts = {"track": Track.HUMAN.value}
        note_assignment_act(tx, task, ActKind.CLAIMED, by=call.by, now=now, facts=facts)
    held = get_assignment(tx, task.id)
    if not held.is_opened:
        mark_assignment_opened(tx, held)
        subject, facts_of = f"case/{held.case_id}", {"assignment_id": held.id, "token": held.token}
        for act in ("reveal", "conversation"):
            note_work_reveal(
                tx, services, who=call.by, act=act, subject=subject, why="called in", facts=facts_of
            )


def end_inbound_leg(
    services: Services,
    sid: str,
    *,
    step: int,
    answered: bool,
    talk_seconds: int | None,
    has_left: bool,
    duty_line: str,
) -> InboundTurn:
    """The telephone that rang since the turn `step` did not answer, or the talk is over; `has_left`: the person hung
    up. Returns the next turn; for a repeated or late request the current one. Raises `NotFound`.
    """
    with services.store.begin() as tx:
        call = lock_inbound_call(tx, sid)
        now = services.clock.now()
        if call.state is InboundState.ENDED:
            return InboundTurn()
        if step != call.turn:
            return _current_turn(tx, services, call, is_first=False)
        if answered and call.state is InboundState.RINGING:
            # The event that it answered was lost or arrives later.
            began_at = now - timedelta(seconds=talk_seconds or 0)
            _connect(tx, services, call, joined_at=began_at, now=now)
            call = lock_inbound_call(tx, sid)
        if answered or call.state is InboundState.JOINED:
            joined_at = call.joined_at or now - timedelta(seconds=talk_seconds or 0)
            talked = talk_seconds if talk_seconds is not None else int((now - joined_at).total_seconds())
            change_inbound_call(tx, call.id, joined_at=joined_at, talk_seconds=talked)
            _expect_recording(tx, services, call, called_at=joined_at)
            _end_call(tx, call, InboundResult.JOINED, now=now, talk_seconds=talked)
            follow_work(tx, services, call.by)
            return InboundTurn()
        if has_left:
            _end_call(tx, call, InboundResult.GAVE_UP, now=now)
            return InboundTurn()
        if call.state is InboundState.RINGING:
            _note_unanswered(tx, call)
            call = lock_inbound_call(tx, sid)
        return _next_turn(tx, services, call, duty_line=duty_line, now=now)


def _note_unanswered(tx: Tx, call: InboundCall) -> None:
    """The telephone did not answer: the task is anybody's again, and another telephone is tried."""
    is_known = call.case_id is not None or call.typed
    state = InboundState.WAITING if is_known else InboundState.ASKING
    change_inbound_call(
        tx, call.id, state=state.value, extension="", by="", tried=[*call.tried, call.extension]
    )
    task = _lock_task(tx, call)
    if task is not None and task.state is AssignmentState.OPEN and task.kept_for == call.by:
        release_assignments(tx, [task.id])


def end_inbound_call(services: Services, sid: str) -> None:
    """The call is over; the person hung up unless its end is known already. An unknown call changes nothing."""
    with services.store.begin() as tx:
        try:
            call = lock_inbound_call(tx, sid)
        except NotFound:
            return
        if call.state is InboundState.ENDED:
            return
        now = services.clock.now()
        if call.joined_at is None:
            if call.state is InboundState.RINGING:
                # The event that it was answered may have been lost.
                _expect_recording(tx, services, call, called_at=now)
            _end_call(tx, call, InboundResult.GAVE_UP, now=now)
            return
        talked = int((now - call.joined_at).total_seconds())
        change_inbound_call(tx, call.id, talk_seconds=talked)
        _expect_recording(tx, services, call, called_at=call.joined_at)
        _end_call(tx, call, InboundResult.JOINED, now=now, talk_seconds=talked)
        follow_work(tx, services, call.by)


def _expect_recording(tx: Tx, services: Services, call: InboundCall, *, called_at: datetime) -> None:
    if call.records and call.case_id is not None:
        expect_recording(
            tx,
            inbound_call_id=call.id,
            case_id=call.case_id,
            called_at=called_at,
            real_now=services.real.now(),
            drill=call.drill,
        )


def _end_call(
    tx: Tx,
    call: InboundCall,
    result: InboundResult,
    *,
    now: datetime,
    talk_seconds: int | None = None,
) -> None:
    if call.state is InboundState.RINGING:
        _note_unanswered(tx, call)
    change_inbound_call(tx, call.id, state=InboundState.ENDED.value, result=result.value, ended_at=now)
    release_numbers(tx, [call.id], free_at=now)
    if call.case_id is not None:
        facts: dict[str, object] = {"inbound": result.value, "talk_seconds": talk_seconds}
        if call.records:
            facts["call_id"] = str(call.id)
        by = call.by if result is InboundResult.JOINED else ""
        act = Act(case_id=call.case_id, kind=ActKind.CALL_IN_ENDED, by=by, facts=facts)
        note_acts(tx, [act], now=now)


class CallStates(Protocol):
    """The carrier, asked for the state of a call."""

    async def state(self, sid: str, /) -> CallState | None: ...


_ASK_AFTER: Final = timedelta(minutes=5)
"""In real time."""
_ENDED_STATUSES: Final = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})


async def settle_inbound_calls(services: Services, client: CallStates) -> int:
    """Ends calls whose end event was lost: the carrier reports that they are over, or does not know them. Returns how
    many.
    """
    with services.store.begin() as tx:
        sids = live_inbound_sids(tx, real_before=services.real.now() - _ASK_AFTER)
    ended = 0
    for sid in sids:
        state = await client.state(sid)
        if state is None or state.status in _ENDED_STATUSES:
            end_inbound_call(services, sid)
            ended += 1
    return ended
