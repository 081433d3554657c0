"""A second person's decision: one person asks, another one approves or refuses, and what nobody decides expires. Pure.

=========  ==============================  ====================================================
event      moves                           who
=========  ==============================  ====================================================
approved   waiting to approved             another person than the one who asked
refused    waiting to refused              the same; a corrected request may follow at once
withdrawn  waiting to withdrawn            the person who asked
expired    waiting to expired              nobody: its time is over; it may be asked for anew
undone     approved to undone              as the kind of request has it: an objection is upheld
=========  ==============================  ====================================================

Each kind of request stores the states by words of its own, and may lack some of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeVar

from dialer.core.errors import Conflict
from dialer.core.text import Text, gettext_noop


class RequestState(StrEnum):
    """Where a request is, whatever its kind calls it."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    UNDONE = "undone"


class RequestEvent(StrEnum):
    """What moves a request; the table in the module's docstring says who does it."""

    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    UNDONE = "undone"


class SamePerson(Conflict):
    """Who asked, or is concerned, does not decide."""

    def __init__(self) -> None:
        super().__init__(
            gettext_noop(
                "a second person decides this: not who entered it or asked for it, and nobody whom it concerns"
            ),
            current="same_person",
        )


class SamePlace(Conflict):
    """Who asked has acted as the same user of the same machine: one user of a machine is one person."""

    def __init__(self, place: str) -> None:
        super().__init__(
            Text(
                "who entered it or asked for it has worked as %(place)s too, and one user of a machine is one person:"
                " decide this in the console, or as another user of the machine",
                place=place,
            ),
            current="same_place",
        )


_S, _E = RequestState, RequestEvent
REQUEST_MOVES: Final[Mapping[RequestEvent, Mapping[RequestState, RequestState]]] = MappingProxyType(
    {
        _E.APPROVED: {_S.WAITING: _S.APPROVED},
        _E.REFUSED: {_S.WAITING: _S.REFUSED},
        _E.WITHDRAWN: {_S.WAITING: _S.WITHDRAWN},
        _E.EXPIRED: {_S.WAITING: _S.EXPIRED},
        _E.UNDONE: {_S.APPROVED: _S.UNDONE},
    }
)
"""For each event, the next state by the present state."""

StateT = TypeVar("StateT", bound=StrEnum)
EventT = TypeVar("EventT", bound=StrEnum)


def moves_in_words(
    words: Mapping[RequestState, StateT],
) -> Mapping[RequestEvent, Mapping[StateT, StateT]]:
    """`REQUEST_MOVES` in the words of one kind of request, without the states that it lacks."""
    return MappingProxyType(
        {
            event: {words[before]: words[after] for before, after in moves.items() if after in words}
            for event, moves in REQUEST_MOVES.items()
        }
    )


def state_after(
    moves: Mapping[EventT, Mapping[StateT, StateT]], state: StateT, event: EventT, *, otherwise: str
) -> StateT:
    """The state after an act of a person. Raises `Conflict` with the sentence `otherwise` where the act no longer fits
    the state.
    """
    after = moves[event].get(state)
    if after is None:
        raise Conflict(otherwise, current=state.value)
    return after
