"""Lists after their upload: approval by a second person, withdrawal, column corrections, and what the console shows."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta

from dialer.cases.effects import Move, move_cases
from dialer.cases.store import Act, lock_cases, note_acts
from dialer.core.access import actor_name, said
from dialer.core.errors import Conflict, Invalid, Unavailable
from dialer.core.events import CaseClosed
from dialer.core.timeline import ActKind
from dialer.core.values import OutcomeKind
from dialer.db.audit import write_audit
from dialer.intake.records import Field
from dialer.language import Text
from dialer.services import Services
from dialer.warnings.list_store import (
    approve_load_row,
    cases_not_begun,
    get_load,
    release_closing_load,
    save_column_mapping,
    take_closing_load,
    withdraw_load_row,
)
from dialer.warnings.queries import LoadOutcome, load_line, load_outcome_of

_CLOSED_AT_ONCE = 500
"""Cases of one transaction."""
_CLOSING_LEASE = timedelta(seconds=120)
"""Another process continues closing a withdrawn list's cases when the first one is silent for so long."""


def approve_load(services: Services, load_id: int, *, by: str) -> None:
    """The rest of it is loaded now. Raises `NotFound`, and `Conflict` for the person who uploaded it and when it does
    not wait.
    """
    who = actor_name(by)
    with services.store.begin() as tx:
        load = get_load(tx, load_id)
        if load.by == who:
            text = Text(
                "load %(load)s was uploaded by %(who)s: another person approves it", load=load_id, who=who
            )
            raise Conflict(text, current="own load")
        now = services.clock.now()
        if not approve_load_row(tx, load_id, by=who, now=now):
            text = Text("load %(load)s does not wait for approval: %(state)s", load=load_id, state=load.state)
            raise Conflict(text, current=load.state.value)
        write_audit(tx, who=who, act="approve_load", subject=f"load/{load_id}", why="", now=now)
    services.enqueue("load_list", load_id)


def withdraw_load(services: Services, load_id: int, *, by: str, why: str) -> int:
    """Nothing more of it is loaded; cases that it opened and that have not begun are closed with the reason in their
    timelines, and what has begun goes on: how many were closed. A case that other warnings joined stays. Raises
    `NotFound`, `Invalid`, and `Conflict` when it was withdrawn before.
    """
    who, reason = _withdraw(services, load_id, by=by, why=why)
    return _close_all(services, load_id, by=who, why=reason)


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
    """Closes the cases of a withdrawn list that have not begun; how many. Safe to repeat."""
    with services.store.begin() as tx:
        real_now = services.real.now()
        taken = take_closing_load(tx, load_id, real_now=real_now, until=real_now + _CLOSING_LEASE)
    if taken is None:
        return 0
    by, why = taken
    return _close_all(services, load_id, by=by, why=why)


def _withdraw(services: Services, load_id: int, *, by: str, why: str) -> tuple[str, str]:
    who, reason = actor_name(by), said("why", why)
    with services.store.begin() as tx:
        load = get_load(tx, load_id)
        now = services.clock.now()
        closing_until = services.real.now() + _CLOSING_LEASE
        if not withdraw_load_row(tx, load_id, by=who, now=now, closing_until=closing_until):
            text = Text("load %(load)s is %(state)s already", load=load_id, state=load.state)
            raise Conflict(text, current=load.state.value)
        write_audit(tx, who=who, act="withdraw_load", subject=f"load/{load_id}", why=reason, now=now)
    return who, reason


def _close_all(services: Services, load_id: int, *, by: str, why: str) -> int:
    closed = 0
    while batch := _close_some(services, load_id, by=by, why=why):
        closed += batch
        with services.store.begin() as tx:
            release_closing_load(tx, load_id, until=services.real.now() + _CLOSING_LEASE)
    with services.store.begin() as tx:
        release_closing_load(tx, load_id, until=None)
    services.enqueue("cancel_calls")
    return closed


def _close_some(services: Services, load_id: int, *, by: str, why: str) -> int:
    with services.store.begin() as tx:
        now = services.clock.now()
        locked = lock_cases(tx, cases_not_begun(tx, load_id, limit=_CLOSED_AT_ONCE))
        # Read again under the lock: a call may have been sent in between.
        not_begun = sorted(set(cases_not_begun(tx, load_id, limit=_CLOSED_AT_ONCE)) & set(locked))
        event = CaseClosed(outcome=OutcomeKind.MISMATCH)
        moves = [Move(case_id=case_id, event=event) for case_id in not_begun]
        move_cases(tx, locked, moves, policies=services.policies, now=now)
        facts = {"load_id": load_id}
        acts = [
            Act(case_id=case_id, kind=ActKind.LOAD_WITHDRAWN, by=by, facts=facts, words=why)
            for case_id in not_begun
        ]
        note_acts(tx, acts, now=now)
    return len(not_begun)


def correct_columns(services: Services, source: str, columns: Mapping[str, Field | None], *, by: str) -> None:
    """Later lists of this source are read with this mapping: by heading as it is shown, None for a column without a
    field. Raises `Invalid`.
    """
    who, name = actor_name(by), said("source", source)
    if any(not heading.strip() for heading in columns):
        raise Invalid(field="heading", problem="is empty", mend="the heading as the list has it")
    facts = {heading: field.value if field else "" for heading, field in columns.items()}
    with services.store.begin() as tx:
        now = services.clock.now()
        save_column_mapping(tx, name, columns, by=who, now=now)
        write_audit(
            tx, who=who, act="correct_columns", subject="list_mapping", why=name, now=now, facts=facts
        )


def load_outcome(services: Services, load_id: int, *, visible_to: int | None) -> LoadOutcome:
    """Raises `NotFound`."""
    with services.store.begin() as tx:
        load_line(tx, load_id, visible_to=visible_to)
        return load_outcome_of(tx, load_id, visible_to=visible_to)


def check_load_visible(services: Services, load_id: int, *, visible_to: int | None) -> None:
    """Raises `NotFound`. A list never changes its unit, so this holds for the act that follows."""
    with services.store.begin() as tx:
        load_line(tx, load_id, visible_to=visible_to)
