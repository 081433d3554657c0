"""One case as everybody may see it, and, apart from that and audited, the person behind it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dialer.domain.access import actor_name, said
from dialer.domain.urgency import Urgency, urgency
from dialer.errors import NotFound
from dialer.outcomes.next_steps import PendingRing, Step, Waiting
from dialer.store import audits
from dialer.store.people import Person
from dialer.store.reads import case_file, persons, waiting
from dialer.store.reads.case_file import CaseFile
from dialer.store.seen import check_case_seen
from dialer.store.unit_of_work import Tx
from dialer.usecases.engine import Engine
from dialer.usecases.why_waiting import circumstances


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStory:
    """`urgency` is the place of its rings in the queue, by parts."""

    told_at: datetime
    timezone: str
    file: CaseFile
    next_steps: tuple[Step, ...]
    urgency: Urgency
    ring: PendingRing | None
    waiting: Waiting | None
    """Why its ring has not been made yet: the first of what `next_steps` name."""


def show_case(engine: Engine, case_id: int) -> CaseStory:
    """Masked. Raises `NotFound`."""
    with engine.store.begin() as tx:
        return story(tx, engine, case_id)


def story(tx: Tx, engine: Engine, case_id: int) -> CaseStory:
    """As `show_case`, in the caller's transaction."""
    file = case_file.read(tx, case_id)
    ring = waiting.pending_ring(tx, case_id)
    moment = circumstances(tx, engine)
    case = file.stored.case
    policy = engine.policies.of(case.policy_version)
    return CaseStory(
        told_at=moment.now,
        timezone=engine.centre.timezone,
        file=file,
        next_steps=moment.steps(case, ring),
        urgency=urgency(
            grade=case.grade,
            opened_at=case.opened_at,
            expires_at=case.expires_at,
            amount_at_risk_fen=case.amount_at_risk_fen,
            policy=policy.urgency,
        ),
        ring=ring,
        waiting=next(iter(moment.waits(ring)), None),
    )


def reveal(engine: Engine, case_id: int, *, who: str, why: str, seen_by: int | None = None) -> Person:
    """The person in clear; who looked and why is in the audit before this returns. Raises `NotFound`, also for a case
    that the unit `seen_by` does not see, and `Invalid`.
    """
    viewer, reason = actor_name(who), said("why", why, mend="every look at hidden data names who and why")
    with engine.store.begin() as tx:
        check_case_seen(tx, case_id, seen_by)
        audits.write(
            tx,
            who=viewer,
            act="reveal",
            subject=f"case/{case_id}",
            why=reason,
            now=engine.clock.now(),
        )
        person = persons.of_case(tx, case_id)
        if person is None:
            raise NotFound(kind="case", key=case_id)
    return person
