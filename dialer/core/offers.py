"""How calls come to desks: whoever presses the button takes the next one, or each is offered to who has been free
longest and passed on. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final


class TaskMode(StrEnum):
    """How calls come to desks."""

    PULL = "pull"
    """Whoever asks for the next one takes the most urgent."""
    OFFER = "offer"
    """Each is offered to who has been free longest."""


class OfferState(StrEnum):
    """How far the offer of a task came."""

    WAITING = "waiting"
    TAKEN = "taken"
    PASSED = "passed"
    """Not taken in time, or passed on."""
    WITHDRAWN = "withdrawn"
    """The task went elsewhere, or the person was not free any more."""


class OfferEvent(StrEnum):
    """What ends an offer."""

    TAKEN = "taken"
    PASSED = "passed"
    WITHDRAWN = "withdrawn"


OFFERS: Final[Mapping[tuple[OfferState, OfferEvent], OfferState]] = {
    (OfferState.WAITING, OfferEvent.TAKEN): OfferState.TAKEN,
    (OfferState.WAITING, OfferEvent.PASSED): OfferState.PASSED,
    (OfferState.WAITING, OfferEvent.WITHDRAWN): OfferState.WITHDRAWN,
}
"""An offer that has ended stays as it is."""


def ended_by(event: OfferEvent) -> OfferState:
    """The state of a waiting offer after this event."""
    return OFFERS[OfferState.WAITING, event]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferableTask:
    """A call that nobody has and nobody is offered."""

    id: int
    token: int
    path: tuple[int, ...] = ()
    """The ids of its unit and of those above; empty: it waits at the centre."""
    kept_for: str = ""
    """An agreed call is offered to this login alone."""
    passed_by: frozenset[int] = field(default_factory=frozenset)
    """The accounts that have passed it on since it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreePerson:
    """Somebody who is free and is offered nothing now."""

    staff_id: int
    login: str
    since: datetime
    """When they became free, or last passed something on."""
    unit_id: int | None = None
    """They take the work of this unit and of those below it; None: of the whole centre."""
    is_top: bool = False
    """It is the topmost unit, which takes what waits at the centre."""

    def may_take(self, task: OfferableTask) -> bool:
        """Whether the task is of the person's units, and kept for nobody else."""
        if task.kept_for not in {"", self.login}:
            return False
        if self.unit_id is None:
            return True
        return self.unit_id in task.path if task.path else self.is_top


def plan_offers(
    tasks: Sequence[OfferableTask], people: Sequence[FreePerson]
) -> tuple[tuple[OfferableTask, FreePerson], ...]:
    """Which of these tasks, the most urgent first, is offered to whom: each to the person who may take it and has been
    free longest, and who has not passed it on unless everybody has. Nobody is offered two.
    """
    line = sorted(people, key=lambda person: (person.since, person.staff_id))
    planned = []
    for task in tasks:
        able = [person for person in line if person.may_take(task)]
        fresh = [person for person in able if person.staff_id not in task.passed_by]
        chosen = next(iter(fresh or able), None)
        if chosen is not None:
            line.remove(chosen)
            planned.append((task, chosen))
    return tuple(planned)
