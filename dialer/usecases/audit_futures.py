"""The auditor: every open case must have a time to come, an open assignment, or a ring that is planned or live.

It compares what cases say with what the rows are. What it finds it tells, once a case, and mends where that is safe: a
case that nothing would move goes to a person, a number that nothing rings is free again. Finding nothing is its
normal work; each finding is a fault of ours.
"""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from dialer.domain.case import Case, CaseStatus, ErrandState, Reason
from dialer.domain.effects import AlarmCode, Effect, WithdrawAttempt, WithdrawErrand
from dialer.domain.events import AttemptEnded, Event, PersonRequested, TimePassed
from dialer.domain.values import Answer, Contact, TelephonyResult, Track
from dialer.errors import Unavailable
from dialer.store import alarms, attempts, cases, effects, facts, futures, pacing, returns
from dialer.store.book import Book
from dialer.store.cases import StoredCase
from dialer.store.futures import Ring, Stretch
from dialer.store.unit_of_work import Tx
from dialer.usecases.engine import Engine
from dialer.usecases.hear_progress import end_attempts
from dialer.usecases.move_cases import Move, move

STRETCH = 10_000
"""Open cases in one round: a round costs the same whether ten thousand wait or a million, which take longer to pass."""
_AT_ONCE = 200
_LATE = timedelta(minutes=2)
"""Real time: sweeps and reconciliations come every second or two."""
_UNRESOLVED = timedelta(minutes=15)
"""Real time: past the moment at which reconciliation gives up by itself."""

_log = logging.getLogger(__name__)


class Finding(StrEnum):
    ROBOT_WITHOUT_RING = "robot_without_ring"
    RING_WITHOUT_CASE = "ring_without_case"
    ERRAND_WITHOUT_ASSIGNMENT = "errand_without_assignment"
    ASSIGNMENT_WITHOUT_ERRAND = "assignment_without_errand"
    LONG_OVERDUE = "long_overdue"
    NUMBER_LEAKED = "number_leaked"
    CLAIM_LAPSED = "claim_lapsed"
    SUBMISSION_UNRESOLVED = "submission_unresolved"
    SILENCE_UNASKED = "silence_unasked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one round found, by kind, and how much of it was mended; `after` is where the next round goes on."""

    found: dict[Finding, int]
    mended: int
    after: int
    complete: bool
    """The round came to the last open case."""

    def plain(self) -> dict[str, object]:
        return {
            "found": {kind.value: self.found.get(kind, 0) for kind in Finding},
            "mended": self.mended,
            "after": self.after,
            "complete": self.complete,
        }


def audit_futures(engine: Engine, *, after: int = 0, at_once: int = STRETCH) -> Verdict:
    """One round: the next stretch of open cases past id `after`, and everything that is live or late anywhere."""
    audit = _Audit(engine)
    with engine.store.begin() as tx:
        stretch = futures.next_stretch(tx, after=after, at_most=at_once)
        silent = futures.robots_without_ring(tx, stretch) if stretch else []
        unassigned = futures.errands_without_assignment(tx, stretch) if stretch else []
        complete = stretch is None or futures.next_stretch(tx, after=stretch.last, at_most=1) is None
    audit.mend_each(Finding.ROBOT_WITHOUT_RING, silent, audit.ring_lost)
    audit.mend_each(Finding.ERRAND_WITHOUT_ASSIGNMENT, {work.case_id for work in unassigned}, audit.work_lost)
    audit.stray_rows()
    audit.late()
    audit.live()
    if audit.cancels:
        engine.nudge("cancel_calls")
    if audit.found:
        _log.error(
            "auditor: %s; %s mended",
            ", ".join(f"{kind.value} {count}" for kind, count in sorted(audit.found.items())),
            audit.mended,
        )
    return Verdict(
        found=dict(audit.found),
        mended=audit.mended,
        after=0 if stretch is None or complete else stretch.last,
        complete=complete,
    )


class _Audit:
    """One round's findings; each case is mended in a transaction of its own, looked at again under its lock."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.found: Counter[Finding] = Counter()
        self.mended = 0
        self.cancels = False

    def mend_each(
        self, kind: Finding, case_ids: Iterable[int], mend: Callable[[Tx, StoredCase], bool]
    ) -> None:
        for case_id in sorted(set(case_ids))[:_AT_ONCE]:
            try:
                with self._engine.store.begin() as tx:
                    stored = cases.lock(tx, [case_id]).get(case_id)
                    if stored is None or not mend(tx, stored):
                        continue
                    self._tell(tx, kind, case_id)
            except Unavailable:
                raise
            except Exception as fault:  # noqa: BLE001  # who breaks its own mending must not stop the others'
                _log.error(
                    "auditor: case %s (%s): %s", case_id, kind.value, type(fault).__name__
                )  # its text may be personal
                with self._engine.store.begin() as tx:
                    self._tell(tx, kind, case_id)
            else:
                self.mended += 1

    def ring_lost(self, tx: Tx, stored: StoredCase) -> bool:
        """The case hears how its newest ring ended, or, where there is none, that nobody knows."""
        case = stored.case
        if not futures.robots_without_ring(tx, Stretch.of(case.id)):
            return False
        newest = futures.newest_ring(tx, case.id)
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

    def work_lost(self, tx: Tx, stored: StoredCase) -> bool:
        """What the case believes to be open is asked for anew, so that somebody has it."""
        lost = futures.errands_without_assignment(tx, Stretch.of(stored.case.id))
        for work in lost:
            forgotten = replace(stored, case=_without(stored.case, work.track))
            stored = self._move(tx, forgotten, PersonRequested(track=work.track))
        return bool(lost)

    def stray_rows(self) -> None:
        """Rings and work that no case waits for: withdrawn, so that nobody is rung or visited for nothing."""
        with self._engine.store.begin() as tx:
            rings = futures.rings_without_case(tx, limit=_AT_ONCE)
            work = futures.assignments_without_errand(tx, limit=_AT_ONCE)
        self.mend_each(Finding.RING_WITHOUT_CASE, (ring.case_id for ring in rings), self._withdraw_rings)
        self.mend_each(Finding.ASSIGNMENT_WITHOUT_ERRAND, (one.case_id for one in work), self._withdraw_work)

    def _withdraw_rings(self, tx: Tx, stored: StoredCase) -> bool:
        strays = futures.rings_without_case(tx, case_id=stored.case.id, limit=_AT_ONCE)
        self._write(
            tx, stored, [WithdrawAttempt(n=ring.n, reason=stored.case.robot.reason) for ring in strays]
        )
        return bool(strays)

    def _withdraw_work(self, tx: Tx, stored: StoredCase) -> bool:
        strays = futures.assignments_without_errand(tx, case_id=stored.case.id, limit=_AT_ONCE)
        reason = Reason.NONE if stored.case.status is CaseStatus.OPEN else Reason.CASE_CLOSED
        self._write(tx, stored, [WithdrawErrand(track=one.track, reason=reason) for one in strays])
        return bool(strays)

    def late(self) -> None:
        """Cases long past their time: no sweep runs, or one of them breaks it. Each is moved alone."""
        with self._engine.store.begin() as tx:
            clock = facts.read_clock(tx)
            speed = 1.0 if clock is None else clock.speed
            before = self._engine.clock.now() - _LATE * speed
            overdue = futures.long_overdue(tx, before=before, limit=_AT_ONCE)

        def move_on(tx: Tx, stored: StoredCase) -> bool:
            due_at = stored.case.due_at
            if due_at is None or due_at >= before:
                return False
            ringing = stored.case.id in attempts.at_the_carrier(tx, [stored.case.id])
            self._move(tx, stored, TimePassed(ringing=ringing))
            return True

        self.mend_each(Finding.LONG_OVERDUE, overdue, move_on)

    def live(self) -> None:
        """Numbers, claims and submissions that nothing would ever let go."""
        engine = self._engine
        real_now = engine.real.now()
        with engine.store.begin() as tx:
            claims = futures.lapsed_claims(tx, real_before=real_now - _LATE)
            unresolved = futures.unresolved(tx, real_before=real_now - _UNRESOLVED)
            unasked = futures.unasked(tx, real_before=real_now - _UNRESOLVED)
            leaked = futures.leaked_numbers(tx)
        if claims:
            with engine.store.begin() as tx:
                returns.lapse_claims(tx, real_now=real_now, now=engine.clock.now())
                self._tell_rings(tx, Finding.CLAIM_LAPSED, claims)
        if unresolved:
            with engine.store.begin() as tx:
                ends = {ring.attempt_id: (TelephonyResult.UNKNOWN, None) for ring in unresolved}
                self.cancels |= end_attempts(tx, engine, ends)
                self._tell_rings(tx, Finding.SUBMISSION_UNRESOLVED, unresolved)
        known = {ring.attempt_id for ring in unresolved}
        silent = [ring for ring in unasked if ring.attempt_id not in known]
        if silent:
            with engine.store.begin() as tx:
                futures.ask_now(tx, silent, real_now=real_now)
                self._tell_rings(tx, Finding.SILENCE_UNASKED, silent)
        if leaked:
            with engine.store.begin() as tx:
                pacing.lock(tx, name=engine.lines.group)
                freed = futures.free_leaked_numbers(tx, now=engine.clock.now())
                if freed:
                    alarms.ring_once(
                        tx,
                        AlarmCode.NO_FUTURE,
                        now=engine.clock.now(),
                        facts={"finding": Finding.NUMBER_LEAKED.value, "numbers": freed},
                    )
            self.found[Finding.NUMBER_LEAKED] += freed
            self.mended += freed

    def _move(
        self, tx: Tx, stored: StoredCase, event: Event, *, attempt_id: uuid.UUID | None = None
    ) -> StoredCase:
        engine = self._engine
        locked = {stored.case.id: stored}
        moves = [Move(case_id=stored.case.id, event=event, attempt_id=attempt_id)]
        self.cancels |= bool(move(tx, locked, moves, policies=engine.policies, now=engine.clock.now()))
        return locked[stored.case.id]

    def _write(self, tx: Tx, stored: StoredCase, wanted: Sequence[Effect]) -> None:
        book = Book.begin(self._engine.clock.now())
        book.enter(stored, wanted)
        self.cancels |= bool(effects.write(tx, book))

    def _tell(self, tx: Tx, kind: Finding, case_id: int) -> None:
        self.found[kind] += 1
        alarms.ring(
            tx,
            AlarmCode.NO_FUTURE,
            now=self._engine.clock.now(),
            case_id=case_id,
            facts={"finding": kind.value},
        )

    def _tell_rings(self, tx: Tx, kind: Finding, rings: Sequence[Ring]) -> None:
        for case_id in sorted({ring.case_id for ring in rings}):
            self._tell(tx, kind, case_id)
        self.mended += len({ring.case_id for ring in rings})


def _without(case: Case, track: Track) -> Case:
    """The case as the rows have it: nobody is on that errand."""
    errand = case.human if track is Track.HUMAN else case.visit
    put = replace(errand, state=ErrandState.NONE, at=None)
    return replace(case, human=put) if track is Track.HUMAN else replace(case, visit=put)
