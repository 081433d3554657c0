"""The consistency checker: every open case has a time to come, an open assignment, or a planned or live attempt, and so
has every follow-up that is under way.

It compares cases with their rows. Every finding is a fault of ours, is raised as an alarm once a case, and is repaired
where that is safe: a case that nothing would move goes to a person, a number that no call holds is free again.
"""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from dialer.calls.apply import end_attempts
from dialer.calls.claims import cases_at_carrier
from dialer.calls.pacing import lock_line_group
from dialer.cases.alarms import raise_alarm, raise_alarm_once
from dialer.cases.attempts import release_lapsed_claims
from dialer.cases.effects import Move, PendingWrites, move_cases, write_effects
from dialer.cases.store import StoredCase, lock_cases
from dialer.control.consistency_store import (
    CheckedAttempt,
    IdRange,
    ask_carrier_now,
    count_leaked_numbers,
    find_missing_assignments,
    find_missing_attempts,
    find_stray_assignments,
    find_stray_attempts,
    free_leaked_numbers,
    lapsed_claims,
    long_overdue_cases,
    newest_attempt_of_case,
    next_id_range,
    unasked_attempts,
    unresolved_attempts,
)
from dialer.core.case import Case, CaseStatus, Reason, StaffTrackState
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
from dialer.db.system_state import read_service_clock
from dialer.db.unit_of_work import Tx
from dialer.services import Services

ID_RANGE = 10_000
"""Open cases in one round, so that a round costs the same whatever the backlog."""
_AT_ONCE = 200
_LATE = timedelta(minutes=2)
"""Real time: sweeps and reconciliations come every second or two."""
_UNRESOLVED = timedelta(minutes=15)
"""Real time: past the moment at which reconciliation gives up by itself."""

_log = logging.getLogger(__name__)


class Finding(StrEnum):
    """The values are stored in alarms and are labels of the metrics."""

    MISSING_ATTEMPT = "robot_without_ring"
    STRAY_ATTEMPT = "ring_without_case"
    MISSING_ASSIGNMENT = "errand_without_assignment"
    STRAY_ASSIGNMENT = "assignment_without_errand"
    LONG_OVERDUE = "long_overdue"
    NUMBER_LEAKED = "number_leaked"
    CLAIM_LAPSED = "claim_lapsed"
    SUBMISSION_UNRESOLVED = "submission_unresolved"
    SILENCE_UNASKED = "silence_unasked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one round found, by kind, and how much of it was repaired; the next round starts past case `after`."""

    found: dict[Finding, int]
    repaired: int
    after: int
    complete: bool
    """The round came to the last open case."""

    def plain(self) -> dict[str, object]:
        """As it is noted with the cycle part."""
        return {
            "found": {kind.value: self.found.get(kind, 0) for kind in Finding},
            "mended": self.repaired,
            "after": self.after,
            "complete": self.complete,
        }


def check_consistency(services: Services, *, after: int = 0, at_once: int = ID_RANGE) -> Verdict:
    """One round: the next `at_once` open cases past id `after`, and everything that is live or late anywhere."""
    checks = _Round(services)
    with services.store.begin() as tx:
        id_range = next_id_range(tx, after=after, at_most=at_once)
        silent = find_missing_attempts(tx, id_range) if id_range else []
        unassigned = find_missing_assignments(tx, id_range) if id_range else []
        complete = id_range is None or next_id_range(tx, after=id_range.last, at_most=1) is None
    checks.repair_each(Finding.MISSING_ATTEMPT, silent, checks.repair_missing_attempt)
    checks.repair_each(
        Finding.MISSING_ASSIGNMENT, {work.case_id for work in unassigned}, checks.repair_missing_assignments
    )
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
    return Verdict(
        found=dict(checks.found),
        repaired=checks.repaired,
        after=0 if id_range is None or complete else id_range.last,
        complete=complete,
    )


class _Round:
    """One round's findings. Each case is repaired in its own transaction, checked again under its lock."""

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
        """The case gets the end of its newest attempt as an event, or without one, an unknown end."""
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
        """The assignment that the case counts as open is requested again."""
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

    def withdraw_strays(self) -> None:
        """Attempts and assignments that no case waits for are withdrawn."""
        with self._services.store.begin() as tx:
            attempts = find_stray_attempts(tx, limit=_AT_ONCE)
            work = find_stray_assignments(tx, limit=_AT_ONCE)
        self.repair_each(
            Finding.STRAY_ATTEMPT, (attempt.case_id for attempt in attempts), self._withdraw_attempts
        )
        self.repair_each(Finding.STRAY_ASSIGNMENT, (one.case_id for one in work), self._withdraw_work)

    def _withdraw_attempts(self, tx: Tx, stored: StoredCase) -> bool:
        strays = find_stray_attempts(tx, case_id=stored.case.id, limit=_AT_ONCE)
        self._write(
            tx, stored, [WithdrawAttempt(n=attempt.n, reason=stored.case.robot.reason) for attempt in strays]
        )
        return bool(strays)

    def _withdraw_work(self, tx: Tx, stored: StoredCase) -> bool:
        strays = find_stray_assignments(tx, case_id=stored.case.id, limit=_AT_ONCE)
        reason = Reason.NONE if stored.case.status is CaseStatus.OPEN else Reason.CASE_CLOSED
        self._write(tx, stored, [WithdrawAssignment(track=one.track, reason=reason) for one in strays])
        return bool(strays)

    def move_overdue(self) -> None:
        """Cases long past their due time, because no sweep runs or one case breaks it: each is moved by itself."""
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
            self._move(tx, stored, TimePassed(ringing=at_carrier))
            return True

        self.repair_each(Finding.LONG_OVERDUE, overdue, move_on)

    def repair_live(self) -> None:
        """Numbers, claims and submissions that nothing else would release."""
        services = self._services
        real_now = services.real.now()
        with services.store.begin() as tx:
            lapsed = lapsed_claims(tx, real_before=real_now - _LATE)
            unresolved = unresolved_attempts(tx, real_before=real_now - _UNRESOLVED)
            unasked = unasked_attempts(tx, real_before=real_now - _UNRESOLVED)
            leaked = count_leaked_numbers(tx)
        if lapsed:
            with services.store.begin() as tx:
                release_lapsed_claims(tx, real_now=real_now, now=services.clock.now())
                self._report_attempts(tx, Finding.CLAIM_LAPSED, lapsed)
        if unresolved:
            with services.store.begin() as tx:
                ends = {attempt.attempt_id: (TelephonyResult.UNKNOWN, None) for attempt in unresolved}
                self.cancels |= end_attempts(tx, services, ends)
                self._report_attempts(tx, Finding.SUBMISSION_UNRESOLVED, unresolved)
        known = {attempt.attempt_id for attempt in unresolved}
        silent = [attempt for attempt in unasked if attempt.attempt_id not in known]
        if silent:
            with services.store.begin() as tx:
                ask_carrier_now(tx, silent, real_now=real_now)
                self._report_attempts(tx, Finding.SILENCE_UNASKED, silent)
        if leaked:
            now = services.clock.now()
            with services.store.begin() as tx:
                lock_line_group(tx, name=services.lines.group)
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
        self.cancels |= bool(
            move_cases(tx, locked, moves, policies=services.policies, now=services.clock.now())
        )
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


def _without(case: Case, track: Track) -> Case:
    """The case as its rows have it: without an assignment on this track."""
    if track is Track.HUMAN:
        return replace(case, human=replace(case.human, state=StaffTrackState.NONE, at=None))
    return replace(case, visit=replace(case.visit, state=StaffTrackState.NONE, at=None))
