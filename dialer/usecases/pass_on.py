"""A task goes to a colleague: kept for him first, and for anybody when he does not take it in time."""

from __future__ import annotations

from datetime import timedelta

from dialer.domain.access import Act as Permission
from dialer.domain.access import actor_name, may, said
from dialer.domain.acts import ActKind
from dialer.errors import Conflict, Invalid
from dialer.store import acts, assignments, desk, staff
from dialer.store.acts import Act
from dialer.store.desk import Scope
from dialer.store.staff import Member
from dialer.usecases.engine import Engine


def colleagues(engine: Engine, *, by: str, seen_by: int | None) -> list[Member]:
    """Who else works at a desk, of this unit and all below."""
    with engine.store.begin() as tx:
        found = staff.every(tx, seen_by=seen_by)
    return [one for one in found if one.login != by and _works(one)]


def pass_on(
    engine: Engine, assignment_id: int, *, to: str, by: str, token: int | None = None, why: str
) -> None:
    """Its clocks go on. Raises `Overtaken`, `Invalid`, and `Conflict` for somebody who may not take this work."""
    who, reason = actor_name(by), said("why", why)
    with engine.store.begin() as tx:
        held = assignments.lock_held(tx, assignment_id, by=who, token=token)
        colleague = staff.find(tx, to)
        if not to:
            raise Invalid(field="to", problem="choose who takes it over")
        if colleague is None or colleague.login == who or not _works(colleague):
            raise Invalid(field="to", problem="is nobody who works at a desk")
        scope = Scope(unit_id=colleague.unit_id)
        if not desk.is_work_seen(tx, assignment_id, scope):
            raise Conflict("the colleague does not see the work of this unit", current="unit")
        now = engine.clock.now()
        kept_until = now + timedelta(seconds=engine.work.kept_seconds)
        desk.keep(tx, assignment_id, by=colleague.login, call_at=now, kept_until=kept_until)
        facts = {"assignment_id": held.id, "track": held.kind.value, "to": colleague.display_name}
        act = Act(case_id=held.case_id, kind=ActKind.RELEASED, by=who, facts=facts, words=reason)
        acts.note(tx, [act], now=now)


def _works(member: Member) -> bool:
    return member.disabled_at is None and may(member.role, Permission.WORK_DESK)
