"""Pauses and resumes dialling, everywhere or for a unit, a list or a grade; and says why an attempt has not been called
yet.

A pause always ends, and records who placed it and why. It stops only the robot: human calls, visits and deadlines
continue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dialer.calls.comparison import check_compared
from dialer.calls.pacing import LineGroup, hold_line_group, pause_line_group, read_line_group
from dialer.calls.pause_store import (
    attempts_claimed_under,
    end_pause,
    end_pause_early,
    expired_pauses,
    is_any_withheld,
    is_load,
    is_standing,
    place_pause,
    release_withheld,
    standing_pauses_at,
    withhold_planned,
)
from dialer.cases.attempts import requeue_attempts
from dialer.core.access import ROBOT, Actor, Permission, required_text
from dialer.core.case import Case
from dialer.core.errors import Invalid, NotFound
from dialer.core.policy import Window
from dialer.core.text import Text, gettext_noop
from dialer.core.timeline import LinesNow, NextStep, Obstacle, PendingAttempt, next_steps, obstacles_of
from dialer.core.units import SEPARATOR
from dialer.core.values import Grade, Pause, PauseScope
from dialer.db.acts import OpenAct
from dialer.db.audit import write_audit
from dialer.db.unit_of_work import Tx
from dialer.db.units import check_unit
from dialer.runtime.services import Services

LONGEST_MINUTES = 7 * 24 * 60
_AT_ONCE = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """A new pause and its immediate effects."""

    pause: Pause
    held: int
    """Planned attempts that are withheld now; 0 when everything is paused."""
    handed_back: int
    """Attempts that a worker had claimed and not begun to send."""


def pause_calls(
    services: Services,
    actor: Actor,
    *,
    scope: PauseScope,
    subject: str = "",
    minutes: float,
    why: str,
    unit_id: int | None = None,
) -> Paused:
    """Places a pause: after this returns, and until the pause ends, no attempt that it covers is sent. A unit is named
    by its id or as a list names it, and is paused with all units below it. Staff of a unit can only pause their own
    unit and those below. Raises `Invalid` and `NotFound`.
    """
    reason = required_text("why", why, fix="a pause names who placed it and why")
    if not 0 < minutes <= LONGEST_MINUTES:
        raise Invalid(
            field="minutes",
            problem="is not a length of a pause",
            fix="above 0 minutes, at most seven days",
        )
    with services.act(actor, *_rights(scope)) as act:
        tx = act.tx
        known, unit_id = _named(tx, services, scope, subject, unit_id)
        check_unit(tx, unit_id, actor.unit_id)
        if scope is PauseScope.LOAD and not is_load(tx, int(known)):
            raise NotFound(kind="load", key=known)
        # Claims happen under this lock: a later claim sees the pause, and the attempts of earlier ones are handed back.
        hold_line_group(tx)
        if scope is PauseScope.ALL:
            check_compared(tx)  # The pause of a restore does not end by itself, and must not be replaced.
        until = act.now + timedelta(minutes=minutes)
        pause = place_pause(
            tx, scope=scope, subject=known, unit_id=unit_id, until=until, why=reason, by=act.by, now=act.now
        )
        if scope is PauseScope.ALL:
            pause_line_group(tx, until=until, why=reason)
        claimed = attempts_claimed_under(tx, pause)
        requeue_attempts(tx, claimed, now=act.now, not_before=act.now)
        facts = {"until": until.isoformat(), "handed_back": len(claimed)}
        act.audit("pause", _name(pause), why=reason, facts=facts)
    # A pause of everything is stored in the line group itself: no attempt needs to change.
    held = 0 if scope is PauseScope.ALL else _withhold_planned(services, pause)
    return Paused(pause=pause, held=held, handed_back=len(claimed))


def resume_calls(
    services: Services, actor: Actor, *, scope: PauseScope, subject: str = "", why: str = ""
) -> int:
    """Ends the pause, and releases what it withheld unless another pause covers it. Returns how many attempts were
    released. Raises `NotFound`, and `NotCompared` after a restore.
    """
    with services.act(actor, *_rights(scope)) as act:
        known, _ = _named(act.tx, services, scope, subject, None)
        standing = standing_pauses_at(act.tx, now=act.now)
        pause = next((pause for pause in standing if (pause.scope, pause.subject) == (scope, known)), None)
        if pause is None:
            raise NotFound(kind=_pause_text(scope, known), key="")
        _end_early(act, pause, why=why)
    return _release(services, pause, by=actor.name)


def resume_pause(services: Services, actor: Actor, pause_id: int) -> int:
    """As `resume_calls`, for the pause with this id. Raises `NotFound`, also for a pause that is no longer active."""
    with services.act(actor, Permission.CONTROL) as act:
        standing = standing_pauses_at(act.tx, now=act.now)
        pause = next((pause for pause in standing if pause.id == pause_id), None)
        if pause is None:
            raise NotFound(kind="pause", key=pause_id)
        check_unit(act.tx, pause.unit_id, actor.unit_id)
        _end_early(act, pause, why="")
    return _release(services, pause, by=actor.name)


def _rights(scope: PauseScope) -> tuple[Permission, *tuple[Permission, ...]]:
    """Each of these permits pausing. Who loads lists may pause one."""
    return (Permission.CONTROL, *((Permission.LOAD_LISTS,) if scope is PauseScope.LOAD else ()))


def _end_early(act: OpenAct, pause: Pause, *, why: str) -> None:
    """Ends the pause and audits it. Raises `NotFound` if somebody else has ended it meanwhile, and `NotCompared` after
    a restore.
    """
    if pause.scope is PauseScope.ALL:
        check_compared(act.tx)
    if not end_pause_early(act.tx, pause, now=act.now):
        raise NotFound(kind="pause", key=pause.id)
    if pause.scope is PauseScope.ALL:
        pause_line_group(act.tx, until=None, why="")
    act.audit("resume", _name(pause), why=why.strip())


def read_standing_pauses(services: Services) -> list[Pause]:
    """The pauses that are active now, the widest and longest first."""
    with services.store.begin() as tx:
        return standing_pauses_at(tx, now=services.clock.now())


def end_pauses(services: Services) -> int:
    """Releases what pauses whose time is over still withhold. Returns how many attempts were released. A claim that had
    read a pause can withhold attempts after its end: if no pause is active these are released here, otherwise the
    consistency checker finds them.
    """
    with services.store.begin() as tx:
        now = services.clock.now()
        over = expired_pauses(tx, now=now)
        is_left = not over and not standing_pauses_at(tx, now=now) and is_any_withheld(tx, [])
    released = sum(_release(services, pause, by=None) for pause in over)
    return released + (_release(services, None, by=None) if is_left else 0)


def _withhold_planned(services: Services, pause: Pause) -> int:
    after: int | None = 0
    held = 0
    while after is not None:
        with services.store.begin() as tx:
            if not is_standing(tx, pause, now=services.clock.now()):
                break
            after, count = withhold_planned(tx, pause, after=after, at_once=_AT_ONCE)
        held += count
    return held


def _release(services: Services, pause: Pause | None, *, by: str | None) -> int:
    """Releases withheld attempts in batches, each compared with the pauses that are active then, and marks the pause as
    over when nothing is left; the next tick releases what was locked. `pause` None: releases what a pause that is over
    already still withholds.
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
            if pause is None:
                break
            if not is_any_withheld(tx, standing) and end_pause(tx, pause, by=by, now=now) and by is None:
                write_audit(tx, who=ROBOT, act="pause.over", subject=_name(pause), why="", now=now)
            break
    services.enqueue("dial")
    return released


def _name(pause: Pause) -> str:
    return f"{pause.scope.value}/{pause.subject}" if pause.subject else pause.scope.value


def _named(
    tx: Tx, services: Services, scope: PauseScope, subject: str, unit_id: int | None
) -> tuple[str, int | None]:
    """The subject of the pause and the id of its unit; a text that names no known unit is kept as it was written."""
    if scope is not PauseScope.UNIT:
        return _subject(scope, subject), None
    index = services.units.current(tx)
    found = index.get(unit_id) if unit_id is not None else index.find(_subject(scope, subject))
    if unit_id is not None and found is None:
        raise NotFound(kind="unit", key=unit_id)
    if found is None:
        return _subject(scope, subject), None
    return SEPARATOR.join(index.names(found.id)), found.id


def _pause_text(scope: PauseScope, subject: str) -> Text:
    match scope:
        case PauseScope.ALL:
            return Text("pause of all dialling")
        case PauseScope.UNIT:
            return Text("pause of unit %(unit)s", unit=subject)
        case PauseScope.LOAD:
            return Text("pause of load %(load)s", load=subject)
        case PauseScope.GRADE:
            return Text("pause of grade %(grade)s", grade=Grade(subject))


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
        raise Invalid(field=scope.value, problem="is empty", fix=_WHICH[scope])
    if scope is PauseScope.GRADE and text not in {grade.value for grade in Grade}:
        known = ", ".join(grade.value for grade in Grade)
        raise Invalid(field="grade", problem="is not a grade", fix=Text("one of %(known)s", known=known))
    if scope is PauseScope.LOAD:
        if not (text.isascii() and text.isdecimal() and int(text) < 1 << 63):
            raise Invalid(field="load", problem="is not a load", fix="its number")
        return str(int(text))
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What applies to every attempt at one moment. The window is that of the newest policy, which claims use."""

    pauses: Sequence[Pause]
    lines: LinesNow | None
    window: Window
    now: datetime

    def waits(self, attempt: PendingAttempt | None) -> tuple[Obstacle, ...]:
        """What keeps this attempt from being called, the first obstacle first."""
        if attempt is None:
            return ()
        return obstacles_of(attempt, pauses=self.pauses, lines=self.lines, window=self.window, now=self.now)

    def steps(self, case: Case, attempt: PendingAttempt | None) -> tuple[NextStep, ...]:
        """The next steps of the case."""
        return next_steps(case, attempt, self.waits(attempt), now=self.now)


def circumstances(tx: Tx, services: Services) -> Circumstances:
    """The pauses and limits that apply now."""
    now, real_now = services.clock.now(), services.real.now()
    group = read_line_group(tx)
    return Circumstances(
        pauses=standing_pauses_at(tx, now=now),
        lines=None if group is None else _lines_now(group, now=now, real_now=real_now),
        window=services.policies.newest.window,
        now=now,
    )


def _lines_now(group: LineGroup, *, now: datetime, real_now: datetime) -> LinesNow:
    breaker = group.breaker
    lines = LinesNow(in_use=group.in_use, lines=group.lines, calls_per_second=group.calls_per_second)
    if breaker.may_leave(real_now) is None:
        return lines
    until = breaker.wait_until
    # On the service clock; one that runs faster than real time will show a later time by then.
    trouble_until = now + (until - real_now) if until is not None and until > real_now else None
    return replace(lines, troubles=breaker.troubles if breaker.is_open else 0, trouble_until=trouble_until)
