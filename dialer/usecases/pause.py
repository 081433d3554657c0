"""Pause and resume: all dialling, a unit, a load, a grade. A pause always ends, and names who placed it and why.

It holds what is planned already and whatever comes while it stands. Only robots wait: human calls, visits and the
clocks of impatience go on, so that nobody of a high grade is forgotten behind a pause.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from dialer.domain.access import ROBOT, actor_name, said
from dialer.domain.pause import Hold, PauseScope
from dialer.domain.units import SEPARATOR
from dialer.domain.values import Grade
from dialer.errors import Invalid, NotFound
from dialer.language import Text, mark
from dialer.store import audits, holds, pacing, returns, units
from dialer.store.unit_of_work import Tx
from dialer.usecases.engine import Engine

LONGEST_MINUTES = 7 * 24 * 60
_AT_ONCE = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    hold: Hold
    held: int
    """Rings that were planned already and are held now; none are counted where everything is paused."""
    handed_back: int
    """Rings that a worker had taken and not begun to send."""


def pause(
    engine: Engine,
    *,
    scope: PauseScope,
    subject: str = "",
    minutes: float,
    by: str,
    why: str,
    unit_id: int | None = None,
    seen_by: int | None = None,
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
    with engine.store.begin() as tx:
        known, unit_id = _named(tx, engine, scope, subject, unit_id)
        check_own(tx, unit_id, seen_by=seen_by)
        if scope is PauseScope.LOAD and not holds.is_load(tx, int(known)):
            raise NotFound(kind="load", key=known)
        # Claims happen under this lock: whoever claims after it sees the pause, whoever did before is handed back.
        pacing.lock(tx, name=engine.lines.group)
        now = engine.clock.now()
        until = now + timedelta(minutes=minutes)
        hold = holds.place(
            tx, scope=scope, subject=known, unit_id=unit_id, until=until, why=reason, by=who, now=now
        )
        if scope is PauseScope.ALL:
            pacing.pause(tx, name=engine.lines.group, until=until, why=reason)
        claimed = holds.claimed_under(tx, hold)
        returns.hand_back(tx, claimed, not_before=now)
        audits.write(
            tx,
            who=who,
            act="pause",
            subject=_name(hold),
            why=reason,
            now=now,
            facts={"until": until.isoformat(), "handed_back": len(claimed)},
        )
    # Everything at once is held by the line group itself: no row need change.
    held = 0 if scope is PauseScope.ALL else _hold_planned(engine, hold)
    return Paused(hold=hold, held=held, handed_back=len(claimed))


def resume(engine: Engine, *, scope: PauseScope, subject: str = "", by: str, why: str = "") -> int:
    """The pause is over and what it held is free, unless another covers it; how many rings. Raises `NotFound`."""
    who = actor_name(by)
    with engine.store.begin() as tx:
        now = engine.clock.now()
        known, _ = _named(tx, engine, scope, subject, None)
        hold = _cut_short(tx, engine, scope, known, by=who, why=why, now=now)
        if hold is None:
            raise NotFound(kind="pause of", key=f"{scope.value} {subject}".strip())
    return _release(engine, hold, by=who)


def resume_one(engine: Engine, hold_id: int, *, by: str, why: str = "", seen_by: int | None = None) -> int:
    """As `resume`, of the pause with this number. Raises `NotFound`, also for one that stands no longer."""
    who = actor_name(by)
    with engine.store.begin() as tx:
        now = engine.clock.now()
        found = holds.get(tx, hold_id, now=now)
        if found is None:
            raise NotFound(kind="pause", key=hold_id)
        check_own(tx, found.unit_id, seen_by=seen_by)
        hold = _cut_short(tx, engine, found.scope, found.subject, by=who, why=why, now=now)
        assert hold is not None
    return _release(engine, hold, by=who)


def check_own(tx: Tx, unit_id: int | None, *, seen_by: int | None) -> None:
    """Raises `NotFound` for what is not of this unit or below: what is of no unit is the whole centre's."""
    if seen_by is not None and (unit_id is None or unit_id not in units.subtree_ids(tx, seen_by)):
        raise NotFound(kind="unit", key=unit_id)


def standing_pauses(engine: Engine) -> list[Hold]:
    with engine.store.begin() as tx:
        return holds.standing(tx, now=engine.clock.now())


def end_pauses(engine: Engine) -> int:
    """Every pause whose time is over has let go of what it held; how many rings."""
    with engine.store.begin() as tx:
        over = holds.run_out(tx, now=engine.clock.now())
    return sum(_release(engine, hold, by=None) for hold in over)


def _cut_short(
    tx: Tx, engine: Engine, scope: PauseScope, subject: str, *, by: str, why: str, now: datetime
) -> Hold | None:
    hold = holds.cut_short(tx, scope=scope, subject=subject, now=now)
    if hold is None:
        return None
    if scope is PauseScope.ALL:
        pacing.pause(tx, name=engine.lines.group, until=None, why="")
    audits.write(tx, who=by, act="resume", subject=_name(hold), why=why.strip(), now=now)
    return hold


def _hold_planned(engine: Engine, hold: Hold) -> int:
    after: int | None = 0
    held = 0
    while after is not None:
        with engine.store.begin() as tx:
            after, count = holds.hold_rows(tx, hold, after=after, at_once=_AT_ONCE)
        held += count
    return held


def _release(engine: Engine, hold: Hold, *, by: str | None) -> int:
    """In batches, each against the pauses that stand then. It is over when nothing is left; the next tick goes on with
    what was in other hands just now.
    """
    released = 0
    while True:
        with engine.store.begin() as tx:
            now = engine.clock.now()
            standing = holds.standing(tx, now=now)
            count = holds.release_rows(tx, standing, at_once=_AT_ONCE)
            released += count
            if count == _AT_ONCE:
                continue
            if not holds.is_any_left(tx, standing) and holds.end(tx, hold, by=by, now=now) and by is None:
                audits.write(tx, who=ROBOT, act="pause.over", subject=_name(hold), why="", now=now)
            break
    engine.nudge("dial")
    return released


def _name(hold: Hold) -> str:
    return f"{hold.scope.value}/{hold.subject}" if hold.subject else hold.scope.value


def _named(
    tx: Tx, engine: Engine, scope: PauseScope, subject: str, unit_id: int | None
) -> tuple[str, int | None]:
    """What the pause is of, and which unit that is; a text that is no unit of ours is kept as it was written."""
    if scope is not PauseScope.UNIT:
        return _subject(scope, subject), None
    index = engine.units.current(tx)
    found = index.get(unit_id) if unit_id is not None else index.find(_subject(scope, subject))
    if unit_id is not None and found is None:
        raise NotFound(kind="unit", key=unit_id)
    if found is None:
        return _subject(scope, subject), None
    return SEPARATOR.join(index.names(found.id)), found.id


_WHICH = {
    PauseScope.UNIT: mark("which unit"),
    PauseScope.LOAD: mark("which load"),
    PauseScope.GRADE: mark("which grade"),
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
