"""Orders to correct 督办单: what a unit is to put right, by when, its answer, and who closes it. Pure.

States of an order
=========  ==================================================================
issued     the unit has not signed for it; its people on duty are told
signed     the unit works on it until the deadline
answered   the unit says what it did; a supervisor above it decides
closed     the answer was accepted
withdrawn  a supervisor above the unit took the order back
=========  ==================================================================

An answer that is not accepted is sent back: the order is issued anew, with a new deadline.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from dialer.core.errors import Conflict, Invalid
from dialer.core.text import gettext_noop
from dialer.core.units import Unit

LONGEST_DEADLINE: Final = timedelta(days=90)
LONGEST_TEXT: Final = 2000


class OrderState(StrEnum):
    """How far an order to correct came."""

    ISSUED = "issued"
    SIGNED = "signed"
    ANSWERED = "answered"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do something."""
        return self not in {OrderState.CLOSED, OrderState.WITHDRAWN}


class OrderEvent(StrEnum):
    """What happens to an order to correct."""

    ISSUED = "issued"
    SIGNED = "signed"
    ANSWERED = "answered"
    SENT_BACK = "sent_back"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


_S, _E = OrderState, OrderEvent
ORDER_TRANSITIONS: Final[Mapping[tuple[OrderState, OrderEvent], OrderState]] = {
    (_S.ISSUED, _E.SIGNED): _S.SIGNED,
    (_S.ISSUED, _E.ANSWERED): _S.ANSWERED,
    (_S.ISSUED, _E.WITHDRAWN): _S.WITHDRAWN,
    (_S.SIGNED, _E.ANSWERED): _S.ANSWERED,
    (_S.SIGNED, _E.WITHDRAWN): _S.WITHDRAWN,
    (_S.ANSWERED, _E.SENT_BACK): _S.ISSUED,
    (_S.ANSWERED, _E.CLOSED): _S.CLOSED,
    (_S.ANSWERED, _E.WITHDRAWN): _S.WITHDRAWN,
}
"""Every other event is refused."""
BY_THE_UNIT: Final = frozenset({_E.SIGNED, _E.ANSWERED})
"""What the unit does; the rest is done by a supervisor above it."""


def order_after(state: OrderState, event: OrderEvent) -> OrderState:
    """The state after this event. Raises `Conflict` where the order does not accept it."""
    after = ORDER_TRANSITIONS.get((state, event))
    if after is None:
        raise Conflict(
            gettext_noop("the order has changed meanwhile: look at its page again"), current=state.value
        )
    return after


def next_due(
    event: OrderEvent, *, deadline: datetime, now: datetime, decided_within: timedelta
) -> datetime | None:
    """By when somebody has to act after this event: the unit by the deadline, who decides on an answer
    `decided_within` of it. None: nobody has to.
    """
    if event is OrderEvent.ANSWERED:
        return now + decided_within
    return None if event in {OrderEvent.CLOSED, OrderEvent.WITHDRAWN} else deadline


def checked_deadline(deadline: datetime, *, now: datetime) -> datetime:
    """The deadline. Raises `Invalid` for one that is over or more than 90 days away."""
    if not now < deadline <= now + LONGEST_DEADLINE:
        raise Invalid(
            field="deadline",
            problem=gettext_noop("is not within the next 90 days"),
            fix=gettext_noop("choose a day and a time"),
        )
    return deadline


def is_above(unit_id: int | None, unit: Unit) -> bool:
    """Whether an account of this unit (None: of the whole centre) stands above the unit of an order."""
    return unit_id is None or (unit_id in unit.path and unit_id != unit.id)
