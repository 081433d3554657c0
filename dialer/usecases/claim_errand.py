"""A caller's next task: claimed with a lease that a heartbeat renews, given back, kept for a call at an agreed time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from dialer.domain.access import ROBOT, actor_name, said
from dialer.domain.acts import ActKind
from dialer.domain.values import Track
from dialer.errors import Invalid
from dialer.store import acts, assignments, desk
from dialer.store.acts import Act
from dialer.store.assignments import Assignment
from dialer.store.desk import GivenBack, Scope
from dialer.store.unit_of_work import Tx
from dialer.usecases.engine import Engine

_LONGEST_WAIT = timedelta(days=30)
_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One assignment in somebody's hands. Every act on it carries `assignment.token`."""

    assignment: Assignment
    lease_seconds: float
    """Real: a heartbeat well before they are over keeps it."""
    others: tuple[Assignment, ...]
    """What other people have in hand for the same case: nobody works on it unknowingly."""


def claim_next(engine: Engine, *, by: str, scope: Scope, kind: Track = Track.HUMAN) -> Task | None:
    """The most urgent task of the caller's unit and below is the caller's; None when nothing waits. Whoever has one
    already gets that one again.
    """
    who = actor_name(by)
    rules = engine.work
    with engine.store.begin() as tx:
        now, real_now = engine.clock.now(), engine.real.now()
        lease_until = real_now + timedelta(seconds=rules.lease_seconds)
        idle_at = now + timedelta(seconds=rules.idle_seconds)
        found = desk.claimed_by(tx, who, kind=kind, real_now=real_now)
        if found is None:
            found = desk.claim(
                tx, by=who, kind=kind, scope=scope, now=now, lease_until=lease_until, idle_at=idle_at
            )
            if found is None:
                return None
            claimed = assignments.get(tx, found)
            facts = {"assignment_id": found, "track": kind.value}
            acts.note(tx, [Act(case_id=claimed.case_id, kind=ActKind.CLAIMED, by=who, facts=facts)], now=now)
        else:
            desk.renew(tx, found, lease_until=lease_until, idle_at=idle_at)
        return _task(tx, engine, found)


def _task(tx: Tx, engine: Engine, assignment_id: int) -> Task:
    assignment = assignments.get(tx, assignment_id)
    same_case = assignments.of_case(tx, assignment.case_id)
    return Task(
        assignment=assignment,
        lease_seconds=engine.work.lease_seconds,
        others=tuple(one for one in same_case if one.id != assignment_id and one.signed_by),
    )


def heartbeat(engine: Engine, assignment_id: int, *, by: str, token: int) -> None:
    """The desk is still at it: its lease is full again. Raises `Overtaken`."""
    who = actor_name(by)
    with engine.store.begin() as tx:
        assignments.lock_held(tx, assignment_id, by=who, token=token)
        rules = engine.work
        desk.renew(
            tx,
            assignment_id,
            lease_until=engine.real.now() + timedelta(seconds=rules.lease_seconds),
            idle_at=engine.clock.now() + timedelta(seconds=rules.idle_seconds),
        )


def release_errand(
    engine: Engine, assignment_id: int, *, by: str, token: int | None = None, why: str
) -> None:
    """Back in the queue by the caller's own wish; its clocks go on. Raises `Overtaken`, `Invalid`."""
    who, reason = actor_name(by), said("why", why)
    with engine.store.begin() as tx:
        held = assignments.lock_held(tx, assignment_id, by=who, token=token)
        desk.give_back(tx, [assignment_id])
        _note(tx, engine, held, ActKind.RELEASED, by=who, words=reason)


def call_back(
    engine: Engine, assignment_id: int, *, by: str, token: int | None = None, at: datetime, note: str = ""
) -> None:
    """The person is rung at `at` (aware): by the same caller first, by anybody when he does not take it in time. Raises
    `Overtaken`, `Invalid`.
    """
    who = actor_name(by)
    with engine.store.begin() as tx:
        now = engine.clock.now()
        if not now < at <= now + _LONGEST_WAIT:
            raise Invalid(field="at", problem="is past or too far away", mend="within the next 30 days")
        held = assignments.lock_held(tx, assignment_id, by=who, token=token)
        kept_until = at + timedelta(seconds=engine.work.kept_seconds)
        desk.keep(tx, assignment_id, by=who, call_at=at, kept_until=kept_until)
        facts = {"assignment_id": held.id, "call_at": at.isoformat()}
        act = Act(case_id=held.case_id, kind=ActKind.CALL_BACK, by=who, facts=facts, words=note.strip())
        acts.note(tx, [act], now=now)


def return_idle(engine: Engine) -> int:
    """Everything that somebody signed for and then did nothing about is open again; how many."""
    total = 0
    while True:
        with engine.store.begin() as tx:
            now = engine.clock.now()
            idle = desk.lock_idle(tx, now=now, real_now=engine.real.now(), limit=_AT_ONCE)
            _give_back(tx, idle, ActKind.LAPSED, by=ROBOT, now=now)
        total += len(idle)
        if len(idle) < _AT_ONCE:
            return total


def return_work_of(engine: Engine, who: str, *, by: str) -> int:
    """Whoever's account is disabled has nothing any more: all of it is open again; how many."""
    actor = actor_name(by)
    with engine.store.begin() as tx:
        return return_work(tx, engine, who, by=actor)


def return_work(tx: Tx, engine: Engine, who: str, *, by: str) -> int:
    """As `return_work_of`, in the transaction that disables the account."""
    total = 0
    while True:
        held = desk.lock_held_by(tx, who, limit=_AT_ONCE)
        _give_back(tx, held, ActKind.ACCOUNT_DISABLED, by=by, now=engine.clock.now())
        total += len(held)
        if len(held) < _AT_ONCE:
            return total


def _give_back(tx: Tx, held: list[GivenBack], kind: ActKind, *, by: str, now: datetime) -> None:
    if not held:
        return
    desk.give_back(tx, [one.id for one in held])
    facts = [{"assignment_id": one.id, "track": one.kind.value, "from": one.by} for one in held]
    noted = [
        Act(case_id=one.case_id, kind=kind, by=by, facts=about)
        for one, about in zip(held, facts, strict=True)
    ]
    acts.note(tx, noted, now=now)


def _note(tx: Tx, engine: Engine, held: Assignment, kind: ActKind, *, by: str, words: str) -> None:
    facts = {"assignment_id": held.id, "track": held.kind.value}
    acts.note(
        tx,
        [Act(case_id=held.case_id, kind=kind, by=by, facts=facts, words=words)],
        now=engine.clock.now(),
    )
