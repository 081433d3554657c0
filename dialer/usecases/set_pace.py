"""How fast and on how many lines the robot rings, changed while the service runs.

The settings say what the lines can bear; whoever is in charge says how much of it is used. That stands over every
restart until somebody gives it back; settings that say less hold all the same.
"""

from __future__ import annotations

from dialer.domain.access import actor_name, said
from dialer.errors import Invalid, NotFound
from dialer.language import Text
from dialer.store import audits, pacing
from dialer.store.pacing import Pace
from dialer.store.unit_of_work import Tx
from dialer.usecases.engine import Engine

LEAST_CALLS_PER_SECOND = 0.1
"""Slower would be a pause that never ends."""


def read_pace(engine: Engine) -> Pace:
    with engine.store.begin() as tx:
        return _pace(tx, engine)


def set_pace(
    engine: Engine,
    *,
    calls_per_second: float,
    lines: int,
    by: str,
    why: str,
    seen_by: int | None = None,
) -> Pace:
    """Every worker rings so from its next claim on, within a second. Raises `Invalid`, and `NotFound` for whoever
    belongs to a unit (`seen_by`): lines are the whole centre's.
    """
    who, reason = actor_name(by), said("why", why, mend="a change of the pace names who and why")
    with engine.store.begin() as tx:
        _check_whole(seen_by, engine)
        before = _pace(tx, engine)
        least = min(LEAST_CALLS_PER_SECOND, before.most_calls_per_second)
        if not least <= calls_per_second <= before.most_calls_per_second:
            raise Invalid(
                field="calls_per_second",
                problem="is outside what the settings allow",
                mend=Text(
                    "%(least)s – %(most)s",
                    least=f"{least:g}",
                    most=f"{before.most_calls_per_second:g}",
                ),
            )
        if not 1 <= lines <= before.most_lines:
            raise Invalid(
                field="lines",
                problem="is outside what the settings allow",
                mend=Text("1 – %(most)s", most=before.most_lines),
            )
        now = engine.clock.now()
        pacing.ask_pace(
            tx,
            name=engine.lines.group,
            calls_per_second=calls_per_second,
            lines=lines,
            by=who,
            why=reason,
            now=now,
            real_now=engine.real.now(),
        )
        after = _pace(tx, engine)
        _audit(tx, engine, who, "pace", reason, before, after)
    engine.nudge("dial")
    return after


def restore_pace(engine: Engine, *, by: str, why: str = "", seen_by: int | None = None) -> Pace:
    """What the settings say holds again. Raises `NotFound` as `set_pace` does."""
    who = actor_name(by)
    with engine.store.begin() as tx:
        _check_whole(seen_by, engine)
        before = _pace(tx, engine)
        pacing.restore_pace(tx, name=engine.lines.group, real_now=engine.real.now())
        after = _pace(tx, engine)
        _audit(tx, engine, who, "pace.settings", why.strip(), before, after)
    engine.nudge("dial")
    return after


def _pace(tx: Tx, engine: Engine) -> Pace:
    pace = pacing.pace(tx, name=engine.lines.group)
    if pace is None:
        raise NotFound(kind="line group", key=engine.lines.group)
    return pace


def _check_whole(seen_by: int | None, engine: Engine) -> None:
    if seen_by is not None:
        raise NotFound(kind="line group", key=engine.lines.group)


def _audit(tx: Tx, engine: Engine, who: str, act: str, why: str, before: Pace, after: Pace) -> None:
    audits.write(
        tx,
        who=who,
        act=act,
        subject=f"line_group/{engine.lines.group}",
        why=why,
        now=engine.clock.now(),
        facts={
            "before": f"{before.calls_per_second:g}/s, {before.lines}",
            "after": f"{after.calls_per_second:g}/s, {after.lines}",
        },
    )
