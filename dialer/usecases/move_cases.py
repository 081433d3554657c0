"""Applies events to locked cases: decide each, save all, write the effects, say what the carrier must end."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from dialer.domain.case import Case
from dialer.domain.events import Event
from dialer.domain.machine import decide
from dialer.store import cases, effects
from dialer.store.book import Book
from dialer.store.cases import StoredCase
from dialer.store.effects import ToCancel
from dialer.store.policies import Policies
from dialer.store.unit_of_work import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Something that happened to a case; `attempt_id` names the ring it came from."""

    case_id: int
    event: Event
    attempt_id: uuid.UUID | None = None


def move(
    tx: Tx, locked: dict[int, StoredCase], moves: Sequence[Move], *, policies: Policies, now: datetime
) -> list[ToCancel]:
    """Every move in order. `locked` holds the cases of this transaction and is brought up to date."""
    book = Book.begin(now)
    changed: dict[int, Case] = {}
    for one in moves:
        stored = locked.get(one.case_id)
        if stored is None:
            continue
        decision = decide(stored.case, one.event, now, policies.of(stored.case.policy_version))
        if decision.case == stored.case and not decision.effects:
            continue
        stored = replace(stored, case=decision.case)
        locked[one.case_id] = stored
        changed[one.case_id] = decision.case
        book.enter(stored, decision.effects, attempt_id=one.attempt_id)
    cases.save(tx, changed.values(), now=now)
    return effects.write(tx, book)
