"""A period lived again, event by event: the real `decide`, pacing, claim order, rota and presence, with people drawn
from those seen. Pure: no clock, no database, no wire.

What it leaves out, and the answers rest on: one team of callers and one of officers; no two cases share a person or a
telephone; the carrier never fails but in the outages asked for; nobody closes, moves or raises a case by hand, and no
second warning joins one; messages change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from heapq import heappop, heappush
from typing import Any, Final
from zoneinfo import ZoneInfo

from dialer.calls.pacing import LineGroup
from dialer.core.breaker import Breaker
from dialer.core.case import Case, FamilyResult, RobotState
from dialer.core.decide import decide
from dialer.core.events import (
    AssignmentReported,
    AttemptEnded,
    CaseOpened,
    Effect,
    Event,
    ExpediteAssignment,
    ExpediteAttempt,
    OpenAssignment,
    PlanAttempt,
    TimePassed,
    WindowClosed,
    WithdrawAssignment,
    WithdrawAttempt,
)
from dialer.core.offers import FreePerson, OfferableTask, plan_offers
from dialer.core.presence import Presence, PresenceEvent, PresenceState
from dialer.core.rota import Roster, final_schedule
from dialer.core.values import SUCCESSES, Contact, OutcomeKind, Tag, TelephonyResult, Track
from dialer.whatif.model import Centre, Draws, Order, People, RobotCall, StaffReport, WarnedCase, uniform

_DAY: Final = timedelta(days=1)
_TEAMS: Final = (Track.HUMAN, Track.VISIT)
_HORIZON_SECONDS: Final = 1.0
"""A claim takes what may leave within the next second."""
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class Task:
    """An assignment of a case: when it opened, and when somebody took it."""

    case: int
    track: Track
    opened_at: datetime
    urgency_at: datetime
    due_at: datetime
    taken_at: datetime | None = None
    by: int | None = None
    """Who took it."""
    done_at: datetime | None = None
    outcome: OutcomeKind | None = None
    contact: Contact = Contact.NONE
    withdrawn: bool = False
    n: int = 0


@dataclass(slots=True)
class Life:
    """What became of a case in a replay."""

    warned: WarnedCase
    case: Case
    robot_calls: int = 0
    answered: int = 0
    first_call_at: datetime | None = None
    spoken_at: datetime | None = None
    """When the right person was first reached, by whomever."""
    success: OutcomeKind | None = None
    """The outcome that dissuaded the person first."""
    pays_at: datetime | None = None
    """When the person pays unless spoken to before; None: never."""
    calls: list[tuple[datetime, RobotCall]] = field(default_factory=list)
    """When each robot call left, and what it brought in the end."""
    tasks: list[Task] = field(default_factory=list)
    attempt: Any = None
    open: dict[Track, Task] = field(default_factory=dict)


@dataclass(slots=True)
class _Attempt:
    n: int
    urgency_at: datetime
    windowed: bool
    is_live: bool = False


@dataclass(slots=True)
class _Worker:
    staff_id: int
    since: datetime
    presence: Presence = field(default_factory=Presence)
    on_duty_since: datetime | None = None
    busy_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """The lives of a period, and how long each team was on duty and at work, in seconds."""

    lives: Sequence[Life]
    duty_seconds: dict[Track, float]
    busy_seconds: dict[Track, float]


class _Kind(IntEnum):
    """Of events at one moment the first of these comes first."""

    TURN = 0
    OPEN = 1
    ROBOT_END = 2
    REPORT = 3
    RETURN = 4
    """Who has reported takes the next task."""
    DUE = 5
    READY = 6
    SLOT = 7


PaysAt = Callable[[int, WarnedCase], datetime | None]
"""When the person of a case would pay, by the number of the case; None: never."""


def replay(
    cases: Sequence[WarnedCase],
    people: People,
    centre: Centre,
    *,
    zone: ZoneInfo,
    until: datetime,
    seed: int,
    pays_at: PaysAt = lambda _n, _warned: None,
) -> Replayed:
    """The period from the first case, in the order of their opening, until `until`. The same arguments give the same
    lives.
    """
    return _Replay(cases, people, centre, zone=zone, until=until, seed=seed, pays_at=pays_at).run()


class _Replay:
    def __init__(
        self,
        cases: Sequence[WarnedCase],
        people: People,
        centre: Centre,
        *,
        zone: ZoneInfo,
        until: datetime,
        seed: int,
        pays_at: PaysAt,
    ) -> None:
        self._cases, self._people, self._centre, self._zone = cases, people, centre, zone
        self._until, self._seed, self._pays_at = until, seed, pays_at
        self._events: list[tuple[datetime, int, int, int, Any]] = []
        self._serial = 0
        self._lives: list[Life] = []
        self._ready: list[tuple[datetime, int, int]] = []
        self._waiting: dict[Track, list[tuple[Any, int, int]]] = {track: [] for track in _TEAMS}
        self._workers: dict[Track, dict[int, _Worker]] = {track: {} for track in _TEAMS}
        self._free: dict[Track, dict[int, FreePerson]] = {track: {} for track in _TEAMS}
        self._duty = dict.fromkeys(_TEAMS, 0.0)
        start = cases[0].opened_at if cases else until
        self._group = LineGroup(
            calls_per_second=centre.calls_per_second,
            lines=centre.lines,
            most_calls_per_second=centre.calls_per_second,
            most_lines=centre.lines,
            asked_by=None,
            asked_why=None,
            asked_at=None,
            in_use=0,
            next_slot_at=start,
            breaker=Breaker(),
            sound=Breaker(),
            paused_until=None,
            paused_why="",
        )
        self._woken_at: datetime | None = None
        self._is_dialling = False
        if cases:
            self._at(start, _Kind.OPEN, 0)
            for track in _TEAMS:
                for moment, staff_ids in turns(centre.rosters.get(track, ()), start, until):
                    self._at(moment, _Kind.TURN, 0, (track, staff_ids))

    def _at(self, moment: datetime, kind: _Kind, case: int, given: Any = None) -> None:  # noqa: ANN401
        self._serial += 1
        heappush(self._events, (moment, int(kind), self._serial, case, given))

    def run(self) -> Replayed:
        events, until = self._events, self._until
        while events:
            now, kind, _, number, given = heappop(events)
            if now >= until:
                break
            if kind == _Kind.DUE:
                self._due(number, now)
            elif kind == _Kind.ROBOT_END:
                self._robot_ended(number, given, now)
            elif kind == _Kind.READY:
                self._ready_now(number, given, now)
            elif kind == _Kind.REPORT:
                self._reported(number, given, now)
            elif kind == _Kind.RETURN:
                self._set_free(given[0], given[1], now)
            elif kind == _Kind.OPEN:
                self._open(number, now)
            elif kind == _Kind.TURN:
                self._turn(given[0], given[1], now)
            else:
                self._woken_at = None
                self._dial(now)
        for track, workers in self._workers.items():
            spans = (until - w.on_duty_since for w in workers.values() if w.on_duty_since is not None)
            self._duty[track] += sum(span.total_seconds() for span in spans)
        busy = {track: sum(w.busy_seconds for w in self._workers[track].values()) for track in _TEAMS}
        for life in self._lives:
            life.open.clear()
        return Replayed(lives=self._lives, duty_seconds=self._duty, busy_seconds=busy)

    # --- cases -----------------------------------------------------------------------------------------------

    def _open(self, number: int, now: datetime) -> None:
        warned = self._cases[number]
        case = Case(
            id=number,
            grade=warned.grade,
            fraud_type=warned.fraud_type,
            opened_at=now,
            policy_version=warned.policy_version,
            numbers=warned.numbers,
            expires_at=warned.expires_at,
            amount_at_risk_fen=warned.amount_fen,
            missed=warned.missed,
            tags=frozenset({Tag.MINOR}) if warned.is_minor else frozenset(),
        )
        self._lives.append(Life(warned, case, pays_at=self._pays_at(number, warned)))
        if number + 1 < len(self._cases):
            self._at(max(now, self._cases[number + 1].opened_at), _Kind.OPEN, number + 1)
        self._decide(number, CaseOpened(), now)

    def _decide(self, number: int, event: Event, now: datetime) -> None:
        life = self._lives[number]
        before = life.case
        decision = decide(before, event, now, self._centre.policies[before.policy_version])
        after = life.case = decision.case
        if life.success is None and after.outcome in SUCCESSES:
            life.success = after.outcome
        for effect in decision.effects:
            self._apply(number, life, effect, now)
        due = after.due_at
        if due is not None and (due != before.due_at or type(event) is CaseOpened):
            self._at(max(due, now), _Kind.DUE, number)

    def _due(self, number: int, now: datetime) -> None:
        life = self._lives[number]
        due = life.case.due_at
        if due is not None and due <= now:
            is_live = life.attempt is not None and life.attempt.is_live
            self._decide(number, TimePassed(is_at_carrier=is_live), now)

    def _apply(self, number: int, life: Life, effect: Effect, now: datetime) -> None:
        match effect:
            case PlanAttempt() | ExpediteAttempt():
                if life.attempt is not None and life.attempt.is_live and life.attempt.n == effect.n:
                    return
                life.attempt = _Attempt(effect.n, effect.urgency_at, effect.windowed)
                if effect.not_before <= now:
                    self._ready_now(number, life.attempt, now)
                else:
                    self._at(effect.not_before, _Kind.READY, number, life.attempt)
            case WithdrawAttempt():
                if life.attempt is not None and not life.attempt.is_live:
                    life.attempt = None
            case OpenAssignment():
                task = Task(number, effect.track, now, effect.urgency_at, effect.due_at, n=len(life.tasks))
                life.tasks.append(task)
                life.open[effect.track] = task
                self._queue(task, now)
            case ExpediteAssignment():
                waiting = life.open[effect.track]
                waiting.urgency_at = effect.urgency_at
                if waiting.taken_at is None:
                    self._queue(waiting, now)
            case WithdrawAssignment():
                life.open.pop(effect.track).withdrawn = True
            case _:
                pass

    # --- the robot -------------------------------------------------------------------------------------------

    def _ready_now(self, number: int, attempt: _Attempt, now: datetime) -> None:
        if self._lives[number].attempt is attempt:
            heappush(self._ready, (attempt.urgency_at, number, attempt.n))
            self._dial(now)

    def _dial(self, now: datetime) -> None:
        """Calls the most urgent that are ready, as many as pacing and lines allow within the next second."""
        if self._is_dialling:
            return
        self._is_dialling = True
        self._dial_ready(now)
        self._is_dialling = False

    def _dial_ready(self, now: datetime) -> None:
        while self._ready:
            for start, end in self._centre.outages:
                if start <= now < end:
                    self._wake(end)
                    return
            slots = self._group.slots(real_now=now, horizon_seconds=_HORIZON_SECONDS)
            if not slots:
                if self._group.in_use < self._group.lines:
                    self._wake(self._group.next_slot_at)
                return
            used = []
            for slot in slots:
                taken = self._take_ready(now)
                if taken is None:
                    break
                used.append(slot)
                self._call(taken, max(slot, now))
            if used:
                self._group = replace(
                    self._group, in_use=self._group.in_use + len(used), next_slot_at=self._group.after(used)
                )

    def _wake(self, at: datetime) -> None:
        if self._woken_at is None or at < self._woken_at:
            self._woken_at = at
            self._at(at, _Kind.SLOT, 0)

    def _take_ready(self, now: datetime) -> int | None:
        """The most urgent attempt that may be called now; one that may not waits for the window, or for a person."""
        while self._ready:
            urgency_at, number, n = heappop(self._ready)
            life = self._lives[number]
            attempt = life.attempt
            if attempt is None or attempt.n != n or attempt.is_live or attempt.urgency_at != urgency_at:
                continue
            window = self._centre.policies[life.case.policy_version].window
            if window.is_open(now):
                return number
            if attempt.windowed:
                self._at(window.next_open(now), _Kind.READY, number, attempt)
            else:
                self._decide(number, WindowClosed(n=n), now)
        return None

    def _call(self, number: int, at: datetime) -> None:
        life = self._lives[number]
        life.attempt.is_live = True
        life.robot_calls += 1
        life.first_call_at = life.first_call_at or at
        hour = at.astimezone(self._zone).hour
        part = uniform(self._seed, number, Draws.ROBOT, life.attempt.n)
        call = self._people.robot.draw(part, life.case.grade, hour)
        life.calls.append((at, call))
        self._at(at + timedelta(seconds=call.seconds), _Kind.ROBOT_END, number, (life.attempt, call))

    def _robot_ended(self, number: int, given: Any, now: datetime) -> None:  # noqa: ANN401
        attempt, call = given
        life = self._lives[number]
        self._group = replace(self._group, in_use=self._group.in_use - 1)
        if life.attempt is attempt:
            life.attempt = None
        if call.result is TelephonyResult.ANSWERED:
            life.answered += 1
        if call.contact is Contact.VERIFIED:
            life.spoken_at = life.spoken_at or now
        robot = life.case.robot
        if robot.state is RobotState.PENDING and robot.attempts == attempt.n:
            ended = AttemptEnded(
                n=attempt.n, result=call.result, contact=call.contact, answer=call.answer, reach=call.reach
            )
            self._decide(number, ended, now)
        self._dial(now)

    # --- callers and officers --------------------------------------------------------------------------------

    def _queue(self, task: Task, now: datetime) -> None:
        heappush(self._waiting[task.track], (self._place(task, now), task.case, task.n))
        self._hand_out(task.track, now)

    def _place(self, task: Task, now: datetime) -> Any:  # noqa: ANN401
        """What the queue is ordered by."""
        life = self._lives[task.case]
        match self._centre.order:
            case Order.OURS:
                return task.urgency_at
            case Order.FIRST_COME:
                return task.opened_at
            case Order.GRADE:
                return (-life.case.grade.rank, task.opened_at)
            case Order.DEADLINE:
                return task.due_at
            case Order.ORACLE:
                is_lost = life.pays_at is None or life.pays_at <= now or life.spoken_at is not None
                return (is_lost, 0 if is_lost else -(life.warned.amount_fen or 0), task.opened_at)

    def _next_waiting(self, track: Track, now: datetime) -> Task | None:
        """Takes the first that waits out of the queue."""
        waiting = self._waiting[track]
        while waiting:
            place, number, n = heappop(waiting)
            life = self._lives[number]
            task = life.tasks[n]
            if task.withdrawn or task.taken_at is not None or life.open.get(track) is not task:
                continue
            here = self._place(task, now)
            if here != place:
                # It moved: an earlier place was queued then, and the oracle's falls when the money is lost.
                if self._centre.order is Order.ORACLE:
                    heappush(waiting, (here, number, n))
                continue
            return task
        return None

    def _hand_out(self, track: Track, now: datetime) -> None:
        """Gives what waits to those who are free, the most urgent to who has been free longest."""
        free = self._free[track]
        while free:
            task = self._next_waiting(track, now)
            if task is None:
                return
            ((_, person),) = plan_offers((OfferableTask(id=task.case, token=0),), tuple(free.values()))
            del free[person.staff_id]
            self._take(task, self._workers[track][person.staff_id], now)

    def _take(self, task: Task, worker: _Worker, now: datetime) -> None:
        life = self._lives[task.case]
        task.taken_at, task.by = now, worker.staff_id
        worker.presence = worker.presence.after(PresenceEvent.TASK_TAKEN)
        part = uniform(self._seed, task.case, Draws(task.track.value), task.n)
        hour = now.astimezone(self._zone).hour
        report = self._people.reports[task.track].draw(part, life.case.grade, hour)
        self._at(now + timedelta(seconds=report.seconds), _Kind.REPORT, task.case, (task, worker, report))

    def _reported(self, number: int, given: Any, now: datetime) -> None:  # noqa: ANN401
        task: Task
        worker: _Worker
        report: StaffReport
        task, worker, report = given
        life = self._lives[number]
        worker.busy_seconds += report.seconds
        if not task.withdrawn and life.open.get(task.track) is task:
            task.done_at = now
            task.outcome = report.outcome
            del life.open[task.track]
            contact, outcome, family = report.contact, report.outcome, None
            if task.track is Track.HUMAN and life.case.is_family_called:
                contact, outcome = Contact.NONE, OutcomeKind.CANNOT_FIND_YET
                family = FamilyResult.NOT_REACHED
            if outcome in SUCCESSES:
                contact = Contact.VERIFIED
            if contact is Contact.VERIFIED:
                life.spoken_at = life.spoken_at or now
            task.contact = contact
            event = AssignmentReported(track=task.track, outcome=outcome, contact=contact, family=family)
            self._decide(number, event, now)
        pause = self._people.between_seconds.get(task.track, 0.0)
        if pause:
            self._at(now + timedelta(seconds=pause), _Kind.RETURN, number, (task.track, worker))
        else:
            self._set_free(task.track, worker, now)

    def _set_free(self, track: Track, worker: _Worker, now: datetime) -> None:
        worker.presence = worker.presence.after(PresenceEvent.TASK_ENDED)
        worker.since = now
        if worker.presence.state is PresenceState.FREE:
            self._offer_to(track, worker)
            self._hand_out(track, now)

    def _offer_to(self, track: Track, worker: _Worker) -> None:
        self._free[track][worker.staff_id] = FreePerson(
            staff_id=worker.staff_id, login="", since=worker.since
        )

    def _turn(self, track: Track, staff_ids: frozenset[int], now: datetime) -> None:
        """These persons, and nobody else, are on duty from now on; who has a task goes when it is over."""
        workers = self._workers[track]
        for staff_id, worker in workers.items():
            if staff_id not in staff_ids and worker.on_duty_since is not None:
                self._duty[track] += (now - worker.on_duty_since).total_seconds()
                worker.on_duty_since = None
                worker.presence = worker.presence.after(PresenceEvent.OFF)
                self._free[track].pop(staff_id, None)
        for staff_id in sorted(staff_ids):
            worker = workers.get(staff_id) or workers.setdefault(staff_id, _Worker(staff_id, now))
            if worker.on_duty_since is None:
                worker.on_duty_since = now
                worker.presence = worker.presence.after(PresenceEvent.FREE)
                if worker.presence.state is PresenceState.FREE:
                    worker.since = now
                    self._offer_to(track, worker)
        self._hand_out(track, now)


def turns(
    rosters: Sequence[Roster], start: datetime, until: datetime
) -> list[tuple[datetime, frozenset[int]]]:
    """When who is on duty changes, and who is from then on, over all these rosters; day by day, since a roster of a
    year would be read whole for each of its borders.
    """
    found: list[tuple[datetime, frozenset[int]]] = []
    day = start
    while day < until:
        last = min(day + _DAY, until)
        borders: dict[datetime, None] = {day: None}
        of_day = [_part(roster, day, last) for roster in rosters]
        schedules = [final_schedule(roster, day, last) for roster in of_day]
        for schedule in schedules:
            borders |= dict.fromkeys(turn.start for turn in schedule)
        for border in sorted(borders):
            on = frozenset(
                staff_id
                for schedule in schedules
                for turn in schedule
                if turn.start <= border < turn.end
                for staff_id in turn.staff_ids
            )
            if not found or found[-1][1] != on:
                found.append((border, on))
        day = last
    return found


def _part(roster: Roster, start: datetime, end: datetime) -> Roster:
    """What of the roster may count in this span."""
    first = (start - 2 * _DAY).astimezone(roster.zone).date()
    last = (end + _DAY).astimezone(roster.zone).date()
    return replace(
        roster,
        entries=tuple(entry for entry in roster.entries if first <= entry.day <= last),
        swaps=tuple(swap for swap in roster.swaps if first <= swap.day <= last),
        changes=tuple(change for change in roster.changes if change.start < end and change.end > start),
        leaves=tuple(leave for leave in roster.leaves if leave.start < end and leave.end > start),
    )
