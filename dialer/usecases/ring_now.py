"""A person wants the robot to ring now: the ring goes before others, inside the window and at the line's pace."""

from __future__ import annotations

from dialer.domain.events import RingRequested
from dialer.errors import Invalid, NotFound
from dialer.store import audits, cases
from dialer.usecases.engine import Engine
from dialer.usecases.move_cases import Move, move


def ring_now(engine: Engine, case_id: int, *, by: str, why: str) -> None:
    """The case's ring is due at once, and the audit knows who asked. Raises `NotFound`, `Invalid` without a name, and
    `Conflict` where nobody may be rung any more.
    """
    who = by.strip()
    if not who:
        raise Invalid(field="by", problem="is empty", mend="who wants the ring")
    now = engine.clock.now()
    with engine.store.begin() as tx:
        locked = cases.lock(tx, [case_id])
        if case_id not in locked:
            raise NotFound(kind="case", key=case_id)
        move(tx, locked, [Move(case_id=case_id, event=RingRequested())], policies=engine.policies, now=now)
        audits.write(tx, who=who, act="ring_now", subject=f"case/{case_id}", why=why.strip(), now=now)
    engine.nudge("dial")
