"""A second person approves a large list, a person withdraws one, a clerk says what a source's columns mean.

The lists that were loaded: which, by whom, how far they are, and what came of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from dialer.cases.effects import Move, move_cases
from dialer.cases.store import Act, lock_cases, note_acts
from dialer.core.access import actor_name, said
from dialer.core.errors import Conflict, Invalid, NotFound, Unavailable
from dialer.core.events import CaseClosed
from dialer.core.timeline import ActKind
from dialer.core.values import OutcomeKind
from dialer.db.audit import write_audit
from dialer.db.unit_of_work import Tx
from dialer.intake.records import Column, Field
from dialer.language import Text
from dialer.services import Services
from dialer.warnings.list_store import (
    Load,
    approve_load_row,
    cases_not_begun,
    column_mapping_of,
    columns_of_load,
    get_load,
    loads_awaiting_approval,
    release_closing_load,
    save_column_mapping,
    take_closing_load,
    withdraw_load_row,
)
from dialer.warnings.store import (
    LoadLine,
    LoadOutcome,
    LoadPage,
    RejectLine,
    first_reject_lines,
    load_line,
    load_outcome_of,
    load_page,
    loads_waiting,
    recent_sources,
)

_AT_ONCE = 500
_CLOSING = timedelta(seconds=120)
"""Whoever closes a withdrawn list's cases and says nothing for so long is followed by another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    closed: int
    """Cases that had not begun: closed, with the reason in their timelines."""


def approve_load(services: Services, load_id: int, *, by: str) -> None:
    """The rest of it is loaded now. Raises `NotFound`, and `Conflict` for whoever uploaded it and when it does not
    wait.
    """
    who = actor_name(by)
    with services.store.begin() as tx:
        load = _get(tx, load_id)
        if load.by == who:
            raise Conflict(
                Text(
                    "load %(load)s was uploaded by %(who)s: another person approves it", load=load_id, who=who
                ),
                current="own load",
            )
        now = services.clock.now()
        if not approve_load_row(tx, load_id, by=who, now=now):
            raise Conflict(
                Text("load %(load)s does not wait for approval: %(state)s", load=load_id, state=load.state),
                current=load.state.value,
            )
        write_audit(tx, who=who, act="approve_load", subject=f"load/{load_id}", why="", now=now)
    services.enqueue("load_list", load_id)


def loads_to_approve(services: Services) -> list[Load]:
    """Lists that wait for a second person, oldest first."""
    with services.store.begin() as tx:
        return [_get(tx, load_id) for load_id in loads_awaiting_approval(tx)]


def withdraw_load(services: Services, load_id: int, *, by: str, why: str) -> Withdrawn:
    """Nothing more of it is loaded; cases that it opened and nobody has begun are closed with the reason; what has
    begun goes on. A case that other warnings joined stays. Raises `NotFound`, `Invalid`, and `Conflict` when it was
    withdrawn before.
    """
    who, reason = _withdraw(services, load_id, by=by, why=why)
    return Withdrawn(closed=_close_all(services, load_id, by=who, why=reason))


def begin_withdrawal(services: Services, load_id: int, *, by: str, why: str) -> None:
    """As `withdraw_load`; of a long list the cases are closed by a worker, after this has returned."""
    who, reason = _withdraw(services, load_id, by=by, why=why)
    with suppress(Unavailable):  # a worker does what cannot be done now
        _close_some(services, load_id, by=who, why=reason)
    with services.store.begin() as tx:
        left = bool(cases_not_begun(tx, load_id, limit=1))
        release_closing_load(tx, load_id, until=services.real.now() if left else None)
    services.enqueue("cancel_calls")
    if left:
        services.enqueue("close_withdrawn", load_id)


def close_withdrawn(services: Services, load_id: int) -> int:
    """What a withdrawn list opened and nobody has begun is closed, however often that is tried; how many."""
    with services.store.begin() as tx:
        real_now = services.real.now()
        taken = take_closing_load(tx, load_id, real_now=real_now, until=real_now + _CLOSING)
    if taken is None:
        return 0
    by, why = taken
    return _close_all(services, load_id, by=by, why=why)


def _withdraw(services: Services, load_id: int, *, by: str, why: str) -> tuple[str, str]:
    who, reason = actor_name(by), said("why", why)
    with services.store.begin() as tx:
        load = _get(tx, load_id)
        now = services.clock.now()
        closing_until = services.real.now() + _CLOSING
        if not withdraw_load_row(tx, load_id, by=who, now=now, closing_until=closing_until):
            raise Conflict(
                Text("load %(load)s is %(state)s already", load=load_id, state=load.state),
                current=load.state.value,
            )
        write_audit(tx, who=who, act="withdraw_load", subject=f"load/{load_id}", why=reason, now=now)
    return who, reason


def _close_all(services: Services, load_id: int, *, by: str, why: str) -> int:
    closed = 0
    while batch := _close_some(services, load_id, by=by, why=why):
        closed += batch
        with services.store.begin() as tx:
            release_closing_load(tx, load_id, until=services.real.now() + _CLOSING)
    with services.store.begin() as tx:
        release_closing_load(tx, load_id, until=None)
    services.enqueue("cancel_calls")
    return closed


def _close_some(services: Services, load_id: int, *, by: str, why: str) -> int:
    with services.store.begin() as tx:
        now = services.clock.now()
        locked = lock_cases(tx, cases_not_begun(tx, load_id, limit=_AT_ONCE))
        # Looked at again under the lock: a ring may have left in between.
        still = set(cases_not_begun(tx, load_id, limit=_AT_ONCE)) & set(locked)
        event = CaseClosed(outcome=OutcomeKind.MISMATCH)
        moves = [Move(case_id=case_id, event=event) for case_id in sorted(still)]
        move_cases(tx, locked, moves, policies=services.policies, now=now)
        facts = {"load_id": load_id}
        noted = [
            Act(case_id=one.case_id, kind=ActKind.LOAD_WITHDRAWN, by=by, facts=facts, words=why)
            for one in moves
        ]
        note_acts(tx, noted, now=now)
    return len(moves)


def correct_columns(services: Services, source: str, columns: Mapping[str, Field | None], *, by: str) -> None:
    """Lists of this source are understood so from now on: by heading, as it is shown; None for a column that carries
    nothing that we know. Raises `Invalid`.
    """
    who, name = actor_name(by), said("source", source)
    if any(not heading.strip() for heading in columns):
        raise Invalid(field="heading", problem="is empty", mend="the heading as the list has it")
    with services.store.begin() as tx:
        now = services.clock.now()
        save_column_mapping(tx, name, columns, by=who, now=now)
        facts = {heading: field.value if field else "" for heading, field in columns.items()}
        write_audit(
            tx, who=who, act="correct_columns", subject="list_mapping", why=name, now=now, facts=facts
        )


def columns_of(services: Services, source: str) -> dict[str, Field | None]:
    """What was said of this source's columns."""
    with services.store.begin() as tx:
        return column_mapping_of(tx, source.strip())


def _get(tx: Tx, load_id: int) -> Load:
    load = get_load(tx, load_id)
    if load is None:
        raise NotFound(kind="load", key=load_id)
    return load


SHOWN_REJECTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    waiting: tuple[LoadLine, ...]
    """For a second person."""
    page: LoadPage


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadFile:
    line: LoadLine
    columns: tuple[Column, ...]
    rejects: tuple[RejectLine, ...]
    """The first of them."""


def show_loads(services: Services, *, visible_to: int | None, before_id: int | None, limit: int) -> Overview:
    """Newest first; `before_id` is where the last page ended."""
    with services.store.begin() as tx:
        return Overview(
            waiting=loads_waiting(tx, seen=visible_to) if before_id is None else (),
            page=load_page(tx, seen=visible_to, before_id=before_id, limit=limit),
        )


def show_load(services: Services, load_id: int, *, visible_to: int | None) -> LoadFile:
    """Raises `NotFound` for one that is not there, or that this unit does not see."""
    with services.store.begin() as tx:
        line = load_line(tx, load_id, seen=visible_to)
        if line is None:
            raise NotFound(kind="load", key=load_id)
        return LoadFile(
            line=line,
            columns=tuple(Column.of(plain) for plain in columns_of_load(tx, load_id)),
            rejects=first_reject_lines(tx, load_id, limit=SHOWN_REJECTS),
        )


def load_outcome(services: Services, load_id: int, *, visible_to: int | None) -> LoadOutcome:
    """Raises `NotFound`."""
    with services.store.begin() as tx:
        if load_line(tx, load_id, seen=visible_to) is None:
            raise NotFound(kind="load", key=load_id)
        return load_outcome_of(tx, load_id, seen=visible_to)


def check_load_visible(services: Services, load_id: int, *, visible_to: int | None) -> None:
    """Raises `NotFound`. A list stays its unit's, so that this holds for the act that follows."""
    with services.store.begin() as tx:
        if load_line(tx, load_id, seen=visible_to) is None:
            raise NotFound(kind="load", key=load_id)


def known_sources(services: Services, *, visible_to: int | None) -> list[str]:
    """What lists have lately come from, to choose from."""
    with services.store.begin() as tx:
        return recent_sources(tx, seen=visible_to)
