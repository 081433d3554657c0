"""The consistency checker: every open case has a due time, an open assignment, or a planned or live attempt, and so has
every follow-up that is under way.

It compares cases with their rows. Every finding is a fault of ours. It raises an alarm once for each case, and is
repaired where that is safe: a case that nothing would move is given to a person, a number that no call holds is freed.
"""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from dialer.calls.apply import end_attempts
from dialer.calls.claims import cases_at_carrier
from dialer.calls.pacing import lock_line_group
from dialer.calls.pause_store import expired_pauses, is_uncovered, release_attempts, standing_pauses_at
from dialer.cases.attempts import most_urgent_ready, release_lapsed_claims
from dialer.cases.effects import Move, PendingWrites, move_cases, write_effects
from dialer.cases.store import StoredCase, lock_cases
from dialer.core.attempt import (
    DOUBTFUL_STATES,
    LIVE_STATES,
    OPEN_STATES,
    SENT_STATES,
    WAITING_STATES,
    AttemptState,
)
from dialer.core.case import (
    PENDING_STATES,
    Case,
    CaseStatus,
    DeskCallState,
    InboundState,
    Reason,
    RobotState,
    StaffTrackState,
)
from dialer.core.errors import Unavailable
from dialer.core.events import (
    AlarmCode,
    AssignmentRequested,
    AttemptEnded,
    Effect,
    Event,
    TimePassed,
    WithdrawAssignment,
    WithdrawAttempt,
)
from dialer.core.values import Answer, Contact, TelephonyResult, Track
from dialer.db import tables as t
from dialer.db.alarms import raise_alarm, raise_alarm_once
from dialer.db.bulk import in_words
from dialer.db.columns import FOLLOWED_UP_NOW
from dialer.db.system_state import read_restored, read_service_clock
from dialer.db.unit_of_work import Tx
from dialer.runtime.services import Services

ID_RANGE = 10_000
"""The most open cases in one round, so that a round costs the same whatever the backlog."""
_AT_ONCE = 200
_LATE = timedelta(minutes=2)
"""Real time: sweeps and reconciliations run every second or two."""
_UNRESOLVED = timedelta(minutes=15)
"""Real time: past the moment at which reconciliation gives up by itself."""

_log = logging.getLogger(__name__)


class Finding(StrEnum):
    """What the checker can find. The values are stored in alarms and are labels of the metrics."""

    MISSING_ATTEMPT = "robot_without_attempt"
    STRAY_ATTEMPT = "attempt_without_case"
    MISSING_ASSIGNMENT = "track_without_assignment"
    STRAY_ASSIGNMENT = "assignment_without_track"
    LONG_OVERDUE = "long_overdue"
    NUMBER_LEAKED = "number_leaked"
    CLAIM_LAPSED = "claim_lapsed"
    SUBMISSION_UNRESOLVED = "submission_unresolved"
    SILENCE_UNASKED = "silence_unasked"
    WITHHELD_FOR_NOTHING = "withheld_for_nothing"
    """No pause covers the attempt any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsistencyRound:
    """What one round found, by kind, and how much of it was repaired; the next round starts past case `after`."""

    found: dict[Finding, int]
    repaired: int
    after: int
    complete: bool
    """The round reached the last open case."""

    def plain(self) -> dict[str, object]:
        """The figures as they are noted with the cycle part."""
        return {
            "found": {kind.value: self.found.get(kind, 0) for kind in Finding},
            "repaired": self.repaired,
            "after": self.after,
            "complete": self.complete,
        }


def check_consistency(services: Services, *, after: int = 0, at_once: int = ID_RANGE) -> ConsistencyRound:
    """One round: the next `at_once` open cases past id `after`, and everything that is live or late anywhere."""
    checks = _Round(services)
    with services.store.begin() as tx:
        id_range = next_id_range(tx, after=after, at_most=at_once)
        silent = find_missing_attempts(tx, id_range) if id_range else []
        unassigned = find_missing_assignments(tx, id_range) if id_range else []
        withheld = find_withheld_for_nothing(tx, id_range, now=services.clock.now()) if id_range else []
        complete = id_range is None or next_id_range(tx, after=id_range.last, at_most=1) is None
    checks.repair_each(Finding.MISSING_ATTEMPT, silent, checks.repair_missing_attempt)
    checks.repair_each(
        Finding.MISSING_ASSIGNMENT, {work.case_id for work in unassigned}, checks.repair_missing_assignments
    )
    checks.release(withheld)
    checks.withdraw_strays()
    checks.move_overdue()
    checks.repair_live()
    if checks.cancels:
        services.enqueue("cancel_calls")
    if checks.found:
        _log.error(
            "consistency: %s; %s repaired",
            ", ".join(f"{kind.value} {count}" for kind, count in sorted(checks.found.items())),
            checks.repaired,
        )
    return ConsistencyRound(
        found=dict(checks.found),
        repaired=checks.repaired,
        after=0 if id_range is None or complete else id_range.last,
        complete=complete,
    )


class _Round:
    """The findings of one round. Each case is repaired in its own transaction, after it is checked again under its
    lock.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self.found: Counter[Finding] = Counter()
        self.repaired = 0
        self.cancels = False

    def repair_each(
        self, kind: Finding, case_ids: Iterable[int], repair: Callable[[Tx, StoredCase], bool]
    ) -> None:
        for case_id in sorted(set(case_ids))[:_AT_ONCE]:
            try:
                with self._services.store.begin() as tx:
                    stored = lock_cases(tx, [case_id]).get(case_id)
                    if stored is None or not repair(tx, stored):
                        continue
                    self._report(tx, kind, case_id)
            except Unavailable:
                raise
            except Exception as fault:  # noqa: BLE001  # one case that cannot be repaired must not stop the others
                _log.error(
                    "consistency: case %s (%s): %s", case_id, kind.value, type(fault).__name__
                )  # its text may be personal
                with self._services.store.begin() as tx:
                    self._report(tx, kind, case_id)
            else:
                self.repaired += 1

    def repair_missing_attempt(self, tx: Tx, stored: StoredCase) -> bool:
        """Gives the case the end of its newest attempt as an event or, without an attempt, an unknown end."""
        case = stored.case
        if not find_missing_attempts(tx, IdRange.of(case.id)):
            return False
        newest = newest_attempt_of_case(tx, case.id)
        if newest is not None and newest["n"] == case.robot.attempts and newest["result"] is not None:
            event = AttemptEnded(
                n=case.robot.attempts,
                result=TelephonyResult(newest["result"]),
                contact=Contact(newest["contact"]),
                answer=Answer(newest["answer"]),
            )
            self._move(tx, stored, event, attempt_id=newest["id"])
        else:
            self._move(tx, stored, AttemptEnded(n=case.robot.attempts, result=TelephonyResult.UNKNOWN))
        return True

    def repair_missing_assignments(self, tx: Tx, stored: StoredCase) -> bool:
        """Requests again the assignment that the case counts as open."""
        lost = find_missing_assignments(tx, IdRange.of(stored.case.id))
        now = self._services.clock.now()
        for work in lost:
            case = _without(stored.case, work.track)
            event: Event = AssignmentRequested(track=work.track)
            if case.status is CaseStatus.WATCHING:
                # Its follow-up begins again.
                case, event = replace(case, follow_up=replace(case.follow_up, at=now)), TimePassed()
            stored = self._move(tx, replace(stored, case=case), event)
        return bool(lost)

    def release(self, withheld: Sequence[CheckedAttempt]) -> None:
        """Allows attempts to be called again that were withheld by a pause and that no pause covers now."""
        if withheld:
            with self._services.store.begin() as tx:
                release_attempts(tx, [attempt.attempt_id for attempt in withheld])
                self._report_attempts(tx, Finding.WITHHELD_FOR_NOTHING, withheld)

    def withdraw_strays(self) -> None:
        """Withdraws attempts and assignments that no case waits for."""
        with self._services.store.begin() as tx:
            attempts = find_stray_attempts(tx, limit=_AT_ONCE)
            work = find_stray_assignments(tx, limit=_AT_ONCE)
        self.repair_each(
            Finding.STRAY_ATTEMPT, (attempt.case_id for attempt in attempts), self._withdraw_attempts
        )
        self.repair_each(
            Finding.STRAY_ASSIGNMENT, (assignment.case_id for assignment in work), self._withdraw_work
        )

    def _withdraw_attempts(self, tx: Tx, stored: StoredCase) -> bool:
        strays = find_stray_attempts(tx, case_id=stored.case.id, limit=_AT_ONCE)
        self._write(
            tx, stored, [WithdrawAttempt(n=attempt.n, reason=stored.case.robot.reason) for attempt in strays]
        )
        return bool(strays)

    def _withdraw_work(self, tx: Tx, stored: StoredCase) -> bool:
        strays = find_stray_assignments(tx, case_id=stored.case.id, limit=_AT_ONCE)
        reason = Reason.NONE if stored.case.status is CaseStatus.OPEN else Reason.CASE_CLOSED
        self._write(
            tx, stored, [WithdrawAssignment(track=assignment.track, reason=reason) for assignment in strays]
        )
        return bool(strays)

    def move_overdue(self) -> None:
        """Moves cases long past their due time, each by itself: no sweep runs, or one case breaks the sweep."""
        with self._services.store.begin() as tx:
            clock = read_service_clock(tx)
            speed = 1.0 if clock is None else clock.speed
            before = self._services.clock.now() - _LATE * speed
            overdue = long_overdue_cases(tx, before=before, limit=_AT_ONCE)

        def move_on(tx: Tx, stored: StoredCase) -> bool:
            due_at = stored.case.due_at
            if due_at is None or due_at >= before:
                return False
            at_carrier = stored.case.id in cases_at_carrier(tx, [stored.case.id])
            self._move(tx, stored, TimePassed(is_at_carrier=at_carrier))
            return True

        self.repair_each(Finding.LONG_OVERDUE, overdue, move_on)

    def repair_live(self) -> None:
        """Releases numbers, claims and submissions that nothing else would release."""
        services = self._services
        real_now = services.real.now()
        since = real_now - _UNRESOLVED
        with services.store.begin() as tx:
            lapsed = lapsed_claims(tx, real_before=real_now - _LATE)
            waited = was_comparison_awaited(tx, since=since)
            unresolved = [] if waited else unresolved_attempts(tx, real_before=since)
            unasked = [] if waited else unasked_attempts(tx, real_before=since)
            leaked = count_leaked_numbers(tx)
        if lapsed:
            with services.store.begin() as tx:
                release_lapsed_claims(tx, real_now=real_now, now=services.clock.now())
                self._report_attempts(tx, Finding.CLAIM_LAPSED, lapsed)
        if unresolved:
            with services.store.begin() as tx:
                ends = {attempt.attempt_id: (TelephonyResult.UNKNOWN, None) for attempt in unresolved}
                end_attempts(tx, services, ends)
                self._report_attempts(tx, Finding.SUBMISSION_UNRESOLVED, unresolved)
        known = {attempt.attempt_id for attempt in unresolved}
        silent = [attempt for attempt in unasked if attempt.attempt_id not in known]
        if silent:
            with services.store.begin() as tx:
                self.repaired += ask_carrier_now(tx, silent, real_now=real_now)
                self._report_unasked(tx, {attempt.case_id for attempt in silent})
        if leaked:
            now = services.clock.now()
            with services.store.begin() as tx:
                lock_line_group(tx)
                freed = free_leaked_numbers(tx, now=now)
                if freed:
                    facts = {"finding": Finding.NUMBER_LEAKED.value, "numbers": freed}
                    raise_alarm_once(tx, AlarmCode.NO_NEXT_STEP, now=now, facts=facts)
            self.found[Finding.NUMBER_LEAKED] += freed
            self.repaired += freed

    def _move(
        self, tx: Tx, stored: StoredCase, event: Event, *, attempt_id: uuid.UUID | None = None
    ) -> StoredCase:
        services = self._services
        locked = {stored.case.id: stored}
        moves = [Move(case_id=stored.case.id, event=event, attempt_id=attempt_id)]
        now = services.clock.now()
        self.cancels |= move_cases(tx, locked, moves, policies=services.policies, now=now)
        return locked[stored.case.id]

    def _write(self, tx: Tx, stored: StoredCase, wanted: Sequence[Effect]) -> None:
        pending_writes = PendingWrites(now=self._services.clock.now())
        pending_writes.enter(stored, wanted)
        self.cancels |= write_effects(tx, pending_writes)

    def _report(self, tx: Tx, kind: Finding, case_id: int) -> None:
        self.found[kind] += 1
        raise_alarm(
            tx,
            AlarmCode.NO_NEXT_STEP,
            now=self._services.clock.now(),
            case_id=case_id,
            facts={"finding": kind.value},
        )

    def _report_attempts(self, tx: Tx, kind: Finding, attempts: Sequence[CheckedAttempt]) -> None:
        for case_id in sorted({attempt.case_id for attempt in attempts}):
            self._report(tx, kind, case_id)
        self.repaired += len({attempt.case_id for attempt in attempts})

    def _report_unasked(self, tx: Tx, case_ids: set[int]) -> None:
        """Counts these cases in every round. Only reconciliation can ask about their calls; while it stands still, an
        alarm that is open is not raised again.
        """
        alarmed = cases_with_alarm(tx, case_ids)
        self.found[Finding.SILENCE_UNASKED] += len(alarmed)
        for case_id in sorted(case_ids - alarmed):
            self._report(tx, Finding.SILENCE_UNASKED, case_id)


def _without(case: Case, track: Track) -> Case:
    """The case as its rows have it: without an assignment on this track."""
    if track is Track.HUMAN:
        return replace(case, human=replace(case.human, state=StaffTrackState.NONE, at=None))
    return replace(case, visit=replace(case.visit, state=StaffTrackState.NONE, at=None))


# Rows that disagree. Each read uses an index or a range of open cases, so its cost does not grow with the backlog.

_HEAD = 2000
_IS_LIVE = in_words(t.attempt.c.state, LIVE_STATES)
_IS_PENDING = in_words(t.assignment.c.state, PENDING_STATES)
_IS_OPEN = t.case.c.status == CaseStatus.OPEN.value
_IS_FOLLOWED_UP = sa.text(f'"case".{FOLLOWED_UP_NOW}')
"""Written exactly as in the index of these cases."""
_IS_WATCHED = t.case.c.status == CaseStatus.WATCHING.value
_ATTEMPT = sa.select(t.attempt.c.id.label("attempt_id"), t.attempt.c.case_id, t.attempt.c.n)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdRange:
    """Cases with ids above `after`, up to and including `last`, that are open or have a follow-up under way."""

    after: int
    last: int

    @staticmethod
    def of(case_id: int) -> IdRange:
        """The range of this case alone."""
        return IdRange(after=case_id - 1, last=case_id)

    def holds(self) -> sa.ColumnElement[bool]:
        """The condition that a row of `case` is in the range, and is open or has a follow-up under way."""
        return sa.and_(sa.or_(_IS_OPEN, _IS_FOLLOWED_UP), t.case.c.id > self.after, t.case.c.id <= self.last)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedAttempt:
    """An attempt row; `n` is its number within the case."""

    attempt_id: uuid.UUID
    case_id: int
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedAssignment:
    """An open assignment that is compared with its case."""

    case_id: int
    track: Track


def next_id_range(tx: Tx, *, after: int, at_most: int) -> IdRange | None:
    """The range of the next `at_most` such cases past id `after`; None past the last one."""
    parts = (
        sa.select(t.case.c.id)
        .where(condition, t.case.c.id > after)
        .order_by(t.case.c.id)
        .limit(at_most)
        .subquery()
        for condition in (_IS_OPEN, _IS_FOLLOWED_UP)
    )
    both = sa.union_all(*(sa.select(part.c.id) for part in parts)).subquery()
    ids = sa.select(both.c.id).order_by(both.c.id).limit(at_most).subquery()
    last = tx.scalar(sa.select(sa.func.max(ids.c.id)))
    return None if last is None else IdRange(after=after, last=last)


def find_missing_attempts(tx: Tx, id_range: IdRange) -> list[int]:
    """Cases that wait for a robot call without a planned or live attempt."""
    attempt = sa.exists().where(t.attempt.c.case_id == t.case.c.id, in_words(t.attempt.c.state, OPEN_STATES))
    statement = sa.select(t.case.c.id).where(
        id_range.holds(), t.case.c.robot_state == RobotState.PENDING.value, ~attempt
    )
    return [row["id"] for row in tx.rows(statement)]


def newest_attempt_of_case(tx: Tx, case_id: int) -> dict[str, Any] | None:
    """The newest attempt row of a case: its id, n, result, contact and answer."""
    columns = ("id", "n", "result", "contact", "answer")
    row = tx.one(
        sa.select(*(t.attempt.c[name] for name in columns))
        .where(t.attempt.c.case_id == case_id)
        .order_by(t.attempt.c.n.desc())
        .limit(1)
    )
    return None if row is None else dict(row)


def find_missing_assignments(tx: Tx, id_range: IdRange) -> list[CheckedAssignment]:
    """Cases with an open staff track and no open assignment of that kind."""
    found: list[CheckedAssignment] = []
    for track, column in ((Track.HUMAN, t.case.c.human_state), (Track.VISIT, t.case.c.visit_state)):
        work = sa.exists().where(
            t.assignment.c.case_id == t.case.c.id,
            t.assignment.c.kind == track.value,
            _IS_PENDING,
        )
        rows = tx.rows(
            sa.select(t.case.c.id).where(id_range.holds(), column == StaffTrackState.OPEN.value, ~work)
        )
        found.extend(CheckedAssignment(case_id=row["id"], track=track) for row in rows)
    return found


def find_withheld_for_nothing(tx: Tx, id_range: IdRange, *, now: datetime) -> list[CheckedAttempt]:
    """Withheld attempts that no pause covers, not even one whose time is over and that is being ended."""
    pauses = [*standing_pauses_at(tx, now=now), *expired_pauses(tx, now=now)]
    in_range = (t.attempt.c.case_id > id_range.after, t.attempt.c.case_id <= id_range.last)
    waits = in_words(t.attempt.c.state, WAITING_STATES)
    statement = _ATTEMPT.join(t.case, t.case.c.id == t.attempt.c.case_id)
    rows = tx.rows(statement.where(*in_range, id_range.holds(), waits, is_uncovered(pauses)).limit(_HEAD))
    return [CheckedAttempt(**row) for row in rows]


def _is_settled() -> sa.ColumnElement[bool]:
    return ~sa.or_(_IS_OPEN, _IS_WATCHED)


def find_stray_assignments(tx: Tx, *, case_id: int | None = None, limit: int) -> list[CheckedAssignment]:
    """Open assignments of a case that is settled, or whose track of that kind is not open."""
    wanted = sa.or_(
        sa.and_(t.assignment.c.kind == Track.HUMAN.value, t.case.c.human_state == StaffTrackState.OPEN.value),
        sa.and_(t.assignment.c.kind == Track.VISIT.value, t.case.c.visit_state == StaffTrackState.OPEN.value),
    )
    statement = (
        sa.select(t.assignment.c.case_id, t.assignment.c.kind)
        .join(t.case, t.case.c.id == t.assignment.c.case_id)
        .where(_IS_PENDING, sa.or_(_is_settled(), ~wanted))
        .limit(limit)
    )
    if case_id is not None:
        statement = statement.where(t.assignment.c.case_id == case_id)
    return [CheckedAssignment(case_id=row["case_id"], track=Track(row["kind"])) for row in tx.rows(statement)]


def find_stray_attempts(tx: Tx, *, case_id: int | None = None, limit: int) -> list[CheckedAttempt]:
    """Live attempts, and those next in the queue, of a case that is settled or does not wait for that attempt."""
    among: sa.ColumnElement[bool]
    if case_id is None:
        live = sa.select(t.attempt.c.id).where(_IS_LIVE, ~t.attempt.c.cancel_asked)
        ids = sa.union_all(live, most_urgent_ready(limit=_HEAD)).subquery()
        among = t.attempt.c.id.in_(sa.select(ids.c.id))
    else:
        among = sa.and_(
            t.attempt.c.case_id == case_id,
            in_words(t.attempt.c.state, OPEN_STATES),
            ~t.attempt.c.cancel_asked,
        )
    stray = sa.or_(
        _is_settled(),
        t.case.c.robot_state != RobotState.PENDING.value,
        t.case.c.robot_attempts != t.attempt.c.n,
    )
    statement = _ATTEMPT.join(t.case, t.case.c.id == t.attempt.c.case_id).where(among, stray).limit(limit)
    return [CheckedAttempt(**row) for row in tx.rows(statement)]


def long_overdue_cases(tx: Tx, *, before: datetime, limit: int) -> list[int]:
    """Cases that were due before this moment (service time), the longest overdue first."""
    statement = sa.select(t.case.c.id).where(t.case.c.due_at < before).order_by(t.case.c.due_at).limit(limit)
    return [row["id"] for row in tx.rows(statement)]


def _leaked() -> sa.ColumnElement[bool]:
    live = sa.exists().where(t.attempt.c.id == t.live_number.c.attempt_id, _IS_LIVE)
    desk = sa.exists().where(
        t.desk_call.c.id == t.live_number.c.attempt_id, t.desk_call.c.state != DeskCallState.ENDED.value
    )
    inbound = sa.exists().where(
        t.inbound_call.c.id == t.live_number.c.attempt_id,
        t.inbound_call.c.state != InboundState.ENDED.value,
    )
    return sa.and_(t.live_number.c.attempt_id.is_not(None), ~live, ~desk, ~inbound)


def count_leaked_numbers(tx: Tx) -> int:
    """How many numbers are held by a call that has ended: no claim can take them."""
    return int(tx.scalar(sa.select(sa.func.count()).select_from(t.live_number).where(_leaked())))


def free_leaked_numbers(tx: Tx, *, now: datetime) -> int:
    """Frees leaked numbers; returns how many. The caller has locked the line group, so no claim runs meanwhile."""
    return tx.execute(sa.update(t.live_number).where(_leaked()).values(attempt_id=None, free_at=now)).rowcount


def lapsed_claims(tx: Tx, *, real_before: datetime) -> list[CheckedAttempt]:
    """Claims whose lease ended before this moment (real time) and that no sweep has released."""
    a = t.attempt.c
    return _attempts(tx, a.state == AttemptState.CLAIMED.value, a.lease_until < real_before)


def was_comparison_awaited(tx: Tx, *, since: datetime) -> bool:
    """Whether, at some time since this moment (real time), the comparison after a restore had not been made:
    reconciliation asks about nothing until then.
    """
    restored = read_restored(tx)
    return restored is not None and (restored.compared_at is None or restored.compared_at > since)


def unresolved_attempts(tx: Tx, *, real_before: datetime) -> list[CheckedAttempt]:
    """Attempts posted before this moment (real time) of which it is still unknown whether the carrier accepted them."""
    a = t.attempt.c
    return _attempts(tx, in_words(a.state, DOUBTFUL_STATES), a.posted_at < real_before)


def unasked_attempts(tx: Tx, *, real_before: datetime) -> list[CheckedAttempt]:
    """Live attempts about which the carrier has not been asked since this moment (real time)."""
    a = t.attempt.c
    unasked = sa.or_(a.poll_at.is_(None), a.poll_at < real_before)
    return _attempts(tx, in_words(a.state, SENT_STATES), unasked)


def cases_with_alarm(tx: Tx, case_ids: Iterable[int]) -> set[int]:
    """Those of these cases with an open alarm about their next step."""
    a = t.alarm.c
    is_open = sa.and_(a.code == AlarmCode.NO_NEXT_STEP.value, a.seen_at.is_(None))
    rows = tx.rows(sa.select(a.case_id).where(is_open, a.case_id.in_(list(case_ids))))
    return {row["case_id"] for row in rows}


def ask_carrier_now(tx: Tx, attempts: Sequence[CheckedAttempt], *, real_now: datetime) -> int:
    """Has the next reconciliation ask the carrier about those of these that no reconciliation would ask about. Returns
    how many; the rest is due already.
    """
    ids = [attempt.attempt_id for attempt in attempts]
    unasked = (t.attempt.c.id.in_(ids), _IS_LIVE, t.attempt.c.poll_at.is_(None))
    return tx.execute(sa.update(t.attempt).where(*unasked).values(poll_at=real_now)).rowcount


def _attempts(tx: Tx, *conditions: sa.ColumnElement[bool]) -> list[CheckedAttempt]:
    return [CheckedAttempt(**row) for row in tx.rows(_ATTEMPT.where(*conditions).limit(_HEAD))]
