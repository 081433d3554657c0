"""Pause and resume: all dialling, a unit, a load, a grade. A pause always ends, and names who placed it and why.

It holds what is planned already and whatever comes while it stands. Only robots wait: human calls, visits and the
clocks of impatience go on, so that nobody of a high grade is forgotten behind a pause.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from dialer.calls.pacing import lock_line_group, pause_line_group
from dialer.calls.pause_store import (
    attempts_claimed_under,
    end_pause,
    end_pause_early,
    expired_pauses,
    get_pause,
    is_any_withheld,
    is_load,
    place_pause,
    release_withheld,
    standing_pauses_at,
    withhold_planned,
)
from dialer.cases.attempts import requeue_attempts
from dialer.core.access import ROBOT, actor_name, said
from dialer.core.errors import Invalid, NotFound
from dialer.core.units import SEPARATOR
from dialer.core.values import Grade, Pause, PauseScope
from dialer.db.audit import write_audit
from dialer.db.unit_of_work import Tx
from dialer.language import Text, gettext_noop
from dialer.org.unit_store import subtree_ids
from dialer.services import Services

LONGEST_MINUTES = 7 * 24 * 60
_AT_ONCE = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    hold: Pause
    held: int
    """Rings that were planned already and are held now; none are counted where everything is paused."""
    handed_back: int
    """Rings that a worker had taken and not begun to send."""


def pause_calls(
    services: Services,
    *,
    scope: PauseScope,
    subject: str = "",
    minutes: float,
    by: str,
    why: str,
    unit_id: int | None = None,
    visible_to: int | None = None,
) -> Paused:
    """No ring it covers begins to be sent any more when this returns, until its time. A unit is named by its id or as a
    list would name it, and is paused with all below it. Whoever belongs to a unit (`seen_by`) pauses what is his own.
    Raises `Invalid`, `NotFound`.
    """
    who, reason = actor_name(by), said("why", why, mend="a pause names who placed it and why")
    if not 0 < minutes <= LONGEST_MINUTES:
        raise Invalid(
            field="minutes",
            problem="is no length of a pause",
            mend="above 0 minutes, at most seven days",
        )
    with services.store.begin() as tx:
        known, unit_id = _named(tx, services, scope, subject, unit_id)
        check_own_unit(tx, unit_id, visible_to=visible_to)
        if scope is PauseScope.LOAD and not is_load(tx, int(known)):
            raise NotFound(kind="load", key=known)
        # Claims happen under this lock: whoever claims after it sees the pause, whoever did before is handed back.
        lock_line_group(tx, name=services.lines.group)
        now = services.clock.now()
        until = now + timedelta(minutes=minutes)
        hold = place_pause(
            tx, scope=scope, subject=known, unit_id=unit_id, until=until, why=reason, by=who, now=now
        )
        if scope is PauseScope.ALL:
            pause_line_group(tx, name=services.lines.group, until=until, why=reason)
        claimed = attempts_claimed_under(tx, hold)
        requeue_attempts(tx, claimed, not_before=now)
        write_audit(
            tx,
            who=who,
            act="pause",
            subject=_name(hold),
            why=reason,
            now=now,
            facts={"until": until.isoformat(), "handed_back": len(claimed)},
        )
    # Everything at once is held by the line group itself: no row need change.
    held = 0 if scope is PauseScope.ALL else _hold_planned(services, hold)
    return Paused(hold=hold, held=held, handed_back=len(claimed))


def resume_calls(services: Services, *, scope: PauseScope, subject: str = "", by: str, why: str = "") -> int:
    """The pause is over and what it held is free, unless another covers it; how many rings. Raises `NotFound`."""
    who = actor_name(by)
    with services.store.begin() as tx:
        now = services.clock.now()
        known, _ = _named(tx, services, scope, subject, None)
        hold = _cut_short(tx, services, scope, known, by=who, why=why, now=now)
        if hold is None:
            raise NotFound(kind="pause of", key=f"{scope.value} {subject}".strip())
    return _release(services, hold, by=who)


def resume_pause(
    services: Services, hold_id: int, *, by: str, why: str = "", visible_to: int | None = None
) -> int:
    """As `resume`, of the pause with this number. Raises `NotFound`, also for one that stands no longer."""
    who = actor_name(by)
    with services.store.begin() as tx:
        now = services.clock.now()
        found = get_pause(tx, hold_id, now=now)
        if found is None:
            raise NotFound(kind="pause", key=hold_id)
        check_own_unit(tx, found.unit_id, visible_to=visible_to)
        hold = _cut_short(tx, services, found.scope, found.subject, by=who, why=why, now=now)
        assert hold is not None
    return _release(services, hold, by=who)


def check_own_unit(tx: Tx, unit_id: int | None, *, visible_to: int | None) -> None:
    """Raises `NotFound` for what is not of this unit or below: what is of no unit is the whole centre's."""
    if visible_to is not None and (unit_id is None or unit_id not in subtree_ids(tx, visible_to)):
        raise NotFound(kind="unit", key=unit_id)


def read_standing_pauses(services: Services) -> list[Pause]:
    with services.store.begin() as tx:
        return standing_pauses_at(tx, now=services.clock.now())


def end_pauses(services: Services) -> int:
    """Every pause whose time is over has let go of what it held; how many rings."""
    with services.store.begin() as tx:
        over = expired_pauses(tx, now=services.clock.now())
    return sum(_release(services, hold, by=None) for hold in over)


def _cut_short(
    tx: Tx, services: Services, scope: PauseScope, subject: str, *, by: str, why: str, now: datetime
) -> Pause | None:
    hold = end_pause_early(tx, scope=scope, subject=subject, now=now)
    if hold is None:
        return None
    if scope is PauseScope.ALL:
        pause_line_group(tx, name=services.lines.group, until=None, why="")
    write_audit(tx, who=by, act="resume", subject=_name(hold), why=why.strip(), now=now)
    return hold


def _hold_planned(services: Services, hold: Pause) -> int:
    after: int | None = 0
    held = 0
    while after is not None:
        with services.store.begin() as tx:
            after, count = withhold_planned(tx, hold, after=after, at_once=_AT_ONCE)
        held += count
    return held


def _release(services: Services, hold: Pause, *, by: str | None) -> int:
    """In batches, each against the pauses that stand then. It is over when nothing is left; the next tick goes on with
    what was in other hands just now.
    """
    released = 0
    while True:
        with services.store.begin() as tx:
            now = services.clock.now()
            standing = standing_pauses_at(tx, now=now)
            count = release_withheld(tx, standing, at_once=_AT_ONCE)
            released += count
            if count == _AT_ONCE:
                continue
            if not is_any_withheld(tx, standing) and end_pause(tx, hold, by=by, now=now) and by is None:
                write_audit(tx, who=ROBOT, act="pause.over", subject=_name(hold), why="", now=now)
            break
    services.enqueue("dial")
    return released


def _name(hold: Pause) -> str:
    return f"{hold.scope.value}/{hold.subject}" if hold.subject else hold.scope.value


def _named(
    tx: Tx, services: Services, scope: PauseScope, subject: str, unit_id: int | None
) -> tuple[str, int | None]:
    """What the pause is of, and which unit that is; a text that is no unit of ours is kept as it was written."""
    if scope is not PauseScope.UNIT:
        return _subject(scope, subject), None
    index = services.units.current(tx)
    found = index.get(unit_id) if unit_id is not None else index.find(_subject(scope, subject))
    if unit_id is not None and found is None:
        raise NotFound(kind="unit", key=unit_id)
    if found is None:
        return _subject(scope, subject), None
    return SEPARATOR.join(index.names(found.id)), found.id


_WHICH = {
    PauseScope.UNIT: gettext_noop("which unit"),
    PauseScope.LOAD: gettext_noop("which load"),
    PauseScope.GRADE: gettext_noop("which grade"),
}


def _subject(scope: PauseScope, subject: str) -> str:
    text = subject.strip()
    if scope is PauseScope.ALL:
        return ""
    if not text:
        raise Invalid(field=scope.value, problem="is empty", mend=_WHICH[scope])
    if scope is PauseScope.GRADE and text not in {grade.value for grade in Grade}:
        known = ", ".join(grade.value for grade in Grade)
        raise Invalid(field="grade", problem="is no grade", mend=Text("one of %(known)s", known=known))
    if scope is PauseScope.LOAD:
        if not (text.isascii() and text.isdecimal() and int(text) < 1 << 63):
            raise Invalid(field="load", problem="is no load", mend="its number")
        return str(int(text))
    return text
