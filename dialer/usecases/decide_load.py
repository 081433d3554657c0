"""A second person approves a large list, a person withdraws one, a clerk says what a source's columns mean."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from dialer.domain.access import actor_name, said
from dialer.domain.acts import ActKind
from dialer.domain.events import CaseClosed
from dialer.domain.values import OutcomeKind
from dialer.errors import Conflict, Invalid, NotFound, Unavailable
from dialer.intake.records import Field
from dialer.language import Text
from dialer.store import acts, audits, cases, load_acts, loads
from dialer.store.acts import Act
from dialer.store.loads import Load
from dialer.store.unit_of_work import Tx
from dialer.usecases.engine import Engine
from dialer.usecases.move_cases import Move, move

_AT_ONCE = 500
_CLOSING = timedelta(seconds=120)
"""Whoever closes a withdrawn list's cases and says nothing for so long is followed by another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    closed: int
    """Cases that had not begun: closed, with the reason in their timelines."""


def approve_load(engine: Engine, load_id: int, *, by: str) -> None:
    """The rest of it is loaded now. Raises `NotFound`, and `Conflict` for whoever uploaded it and when it does not
    wait.
    """
    who = actor_name(by)
    with engine.store.begin() as tx:
        load = _get(tx, load_id)
        if load.by == who:
            raise Conflict(
                Text(
                    "load %(load)s was uploaded by %(who)s: another person approves it",
                    load=load_id,
                    who=who,
                ),
                current="own load",
            )
        now = engine.clock.now()
        if not load_acts.approve(tx, load_id, by=who, now=now):
            raise Conflict(
                Text(
                    "load %(load)s does not wait for approval: %(state)s",
                    load=load_id,
                    state=load.state,
                ),
                current=load.state.value,
            )
        audits.write(tx, who=who, act="approve_load", subject=f"load/{load_id}", why="", now=now)
    engine.nudge("load_list", load_id)


def loads_to_approve(engine: Engine) -> list[Load]:
    """Lists that wait for a second person, oldest first."""
    with engine.store.begin() as tx:
        return [_get(tx, load_id) for load_id in load_acts.held(tx)]


def withdraw_load(engine: Engine, load_id: int, *, by: str, why: str) -> Withdrawn:
    """Nothing more of it is loaded; cases that it opened and nobody has begun are closed with the reason; what has
    begun goes on. A case that other warnings joined stays. Raises `NotFound`, `Invalid`, and `Conflict` when it was
    withdrawn before.
    """
    who, reason = _withdraw(engine, load_id, by=by, why=why)
    return Withdrawn(closed=_close_all(engine, load_id, by=who, why=reason))


def begin_withdrawal(engine: Engine, load_id: int, *, by: str, why: str) -> None:
    """As `withdraw_load`; of a long list the cases are closed by a worker, after this has returned."""
    who, reason = _withdraw(engine, load_id, by=by, why=why)
    with suppress(Unavailable):  # a worker does what cannot be done now
        _close_some(engine, load_id, by=who, why=reason)
    with engine.store.begin() as tx:
        left = bool(load_acts.not_begun(tx, load_id, limit=1))
        load_acts.leave_closing(tx, load_id, until=engine.real.now() if left else None)
    engine.nudge("cancel_calls")
    if left:
        engine.nudge("close_withdrawn", load_id)


def close_withdrawn(engine: Engine, load_id: int) -> int:
    """What a withdrawn list opened and nobody has begun is closed, however often that is tried; how many."""
    with engine.store.begin() as tx:
        real_now = engine.real.now()
        taken = load_acts.take_closing(tx, load_id, real_now=real_now, until=real_now + _CLOSING)
    if taken is None:
        return 0
    by, why = taken
    return _close_all(engine, load_id, by=by, why=why)


def _withdraw(engine: Engine, load_id: int, *, by: str, why: str) -> tuple[str, str]:
    who, reason = actor_name(by), said("why", why)
    with engine.store.begin() as tx:
        load = _get(tx, load_id)
        now = engine.clock.now()
        closing_until = engine.real.now() + _CLOSING
        if not load_acts.withdraw(tx, load_id, by=who, now=now, closing_until=closing_until):
            raise Conflict(
                Text("load %(load)s is %(state)s already", load=load_id, state=load.state),
                current=load.state.value,
            )
        audits.write(tx, who=who, act="withdraw_load", subject=f"load/{load_id}", why=reason, now=now)
    return who, reason


def _close_all(engine: Engine, load_id: int, *, by: str, why: str) -> int:
    closed = 0
    while batch := _close_some(engine, load_id, by=by, why=why):
        closed += batch
        with engine.store.begin() as tx:
            load_acts.leave_closing(tx, load_id, until=engine.real.now() + _CLOSING)
    with engine.store.begin() as tx:
        load_acts.leave_closing(tx, load_id, until=None)
    engine.nudge("cancel_calls")
    return closed


def _close_some(engine: Engine, load_id: int, *, by: str, why: str) -> int:
    with engine.store.begin() as tx:
        now = engine.clock.now()
        locked = cases.lock(tx, load_acts.not_begun(tx, load_id, limit=_AT_ONCE))
        # Looked at again under the lock: a ring may have left in between.
        still = set(load_acts.not_begun(tx, load_id, limit=_AT_ONCE)) & set(locked)
        event = CaseClosed(outcome=OutcomeKind.MISMATCH)
        moves = [Move(case_id=case_id, event=event) for case_id in sorted(still)]
        move(tx, locked, moves, policies=engine.policies, now=now)
        facts = {"load_id": load_id}
        noted = [
            Act(case_id=one.case_id, kind=ActKind.LOAD_WITHDRAWN, by=by, facts=facts, words=why)
            for one in moves
        ]
        acts.note(tx, noted, now=now)
    return len(moves)


def correct_columns(engine: Engine, source: str, columns: Mapping[str, Field | None], *, by: str) -> None:
    """Lists of this source are understood so from now on: by heading, as it is shown; None for a column that carries
    nothing that we know. Raises `Invalid`.
    """
    who, name = actor_name(by), said("source", source)
    if any(not heading.strip() for heading in columns):
        raise Invalid(field="heading", problem="is empty", mend="the heading as the list has it")
    with engine.store.begin() as tx:
        now = engine.clock.now()
        load_acts.remember(tx, name, columns, by=who, now=now)
        facts = {heading: field.value if field else "" for heading, field in columns.items()}
        audits.write(
            tx, who=who, act="correct_columns", subject="list_mapping", why=name, now=now, facts=facts
        )


def columns_of(engine: Engine, source: str) -> dict[str, Field | None]:
    """What was said of this source's columns."""
    with engine.store.begin() as tx:
        return load_acts.mapping(tx, source.strip())


def _get(tx: Tx, load_id: int) -> Load:
    load = loads.get(tx, load_id)
    if load is None:
        raise NotFound(kind="load", key=load_id)
    return load
