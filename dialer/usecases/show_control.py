"""What whoever is in charge of the dialling sees: what is paused and what that holds, the pace, the live policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dialer.domain.pause import Hold, PauseScope
from dialer.domain.policy import Policy
from dialer.store import holds, pacing, policies
from dialer.store.pacing import Pace
from dialer.store.policies import PolicyVersion
from dialer.store.reads.recent_loads import RecentLoad, recent_loads
from dialer.store.unit_of_work import Tx
from dialer.usecases.engine import Engine

HELD_AT_MOST = 50_000
"""Further is not counted: a page is not worth more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingPause:
    hold: Hold
    held: int
    """Rings that it keeps from leaving now, of the reader's unit and below, counted up to `HELD_AT_MOST`."""
    is_own: bool
    """The reader may end it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePolicy:
    policy: Policy
    version: PolicyVersion
    opens_at: datetime | None
    """The dialling window is closed until then."""


def pauses_seen(engine: Engine, *, unit_id: int | None) -> Sequence[StandingPause]:
    """Those that hold anything of this unit and below; all of them for the whole centre."""
    with engine.store.begin() as tx:
        now = engine.clock.now()
        own = None if unit_id is None else _subtree(tx, engine, unit_id)
        return [
            StandingPause(
                hold=hold,
                held=holds.count_held(tx, hold, unit_id=unit_id, at_most=HELD_AT_MOST),
                is_own=own is None or hold.unit_id in own,
            )
            for hold in holds.standing(tx, now=now)
            if own is None or hold.scope is not PauseScope.UNIT or hold.units & own
        ]


def all_paused(engine: Engine) -> Hold | None:
    """The pause of all dialling, where one stands."""
    with engine.store.begin() as tx:
        found = holds.standing(tx, now=engine.clock.now())
    return next((hold for hold in found if hold.scope is PauseScope.ALL), None)


def live_policy(engine: Engine) -> LivePolicy:
    policy = engine.policies.newest
    with engine.store.begin() as tx:
        version = policies.about(tx, policy.version)
    now = engine.clock.now()
    closed = not policy.window.is_open(now)
    return LivePolicy(
        policy=policy, version=version, opens_at=policy.window.next_open(now) if closed else None
    )


def pace_seen(engine: Engine) -> tuple[Pace | None, int]:
    """The pace, and how many lines are in use."""
    with engine.store.begin() as tx:
        group = pacing.read(tx, name=engine.lines.group)
        return pacing.pace(tx, name=engine.lines.group), group.in_use if group is not None else 0


def loads_to_pause(engine: Engine) -> Sequence[RecentLoad]:
    """The newest lists, which somebody may want to stop."""
    with engine.store.begin() as tx:
        return recent_loads(tx)


def _subtree(tx: Tx, engine: Engine, unit_id: int) -> frozenset[int]:
    return frozenset(unit.id for unit in engine.units.current(tx) if unit_id in unit.path)
