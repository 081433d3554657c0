"""The life of a call attempt: its states, the events that move it, and what each state allows. Pure.

==========  ==============================================  ====  ===========  =======================================
state       meaning                                         line  the carrier  may the number be dialled again?
==========  ==============================================  ====  ===========  =======================================
planned     its time has not come                           no    not asked    this attempt will be
ready       waits in the queue for its turn and a line      no    not asked    this attempt will be
claimed     a worker holds it under a lease; nothing sent   yes   not asked    yes, as soon as the lease has lapsed
sending     committed just before the POST                  yes   in doubt     only when the carrier has not taken it
unknown     the POST got no answer, or its worker died      yes   in doubt     only when the carrier has not taken it
accepted    the carrier gave a sid                          yes   has taken    no
ringing     the telephone rings                             yes   has taken    no
answered    somebody or something has answered              yes   has taken    no
ended       has a result; nothing changes it any more       no    is done      not by this attempt; its case decides
==========  ==============================================  ====  ===========  =======================================

An attempt that holds a line also holds its number: no other attempt may call it meanwhile.

===========  =============================================  ==================================
event        moves                                          to
===========  =============================================  ==================================
due          planned, ready                                 ready
put_off      planned, ready                                 planned
claimed      ready                                          claimed
posting      claimed                                        sending
in_doubt     sending                                        unknown
not_taken    claimed, sending, unknown                      planned
withdrawn    planned, ready, claimed                        ended
accepted     every state before it                          accepted
ringing      every state before it                          ringing
answered     every state before it                          answered
ended        every state but ended                          ended
===========  =============================================  ==================================

The last four come from the carrier: late, repeated, and in any order. They only ever move an attempt forward, even one
that was handed back meanwhile because its worker was delayed: the carrier has it, so it must not be dialled again.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class AttemptState(StrEnum):
    """Where a call attempt is in its life; the table in the module's docstring says what each state means."""

    PLANNED = "planned"
    READY = "ready"
    CLAIMED = "claimed"
    SENDING = "sending"
    ACCEPTED = "accepted"
    RINGING = "ringing"
    ANSWERED = "answered"
    UNKNOWN = "unknown"
    ENDED = "ended"


class AttemptEvent(StrEnum):
    """What moves a call attempt from one state to the next."""

    DUE = "due"
    """Its time has come."""
    PUT_OFF = "put_off"
    """Its number is in a call or rests, it is outside the window there, or its case has postponed it."""
    CLAIMED = "claimed"
    POSTING = "posting"
    IN_DOUBT = "in_doubt"
    """The POST may or may not have reached the carrier."""
    NOT_TAKEN = "not_taken"
    """Never sent, refused for a reason other than the number, or proven absent at the carrier."""
    WITHDRAWN = "withdrawn"
    """Its case no longer needs it. An attempt that may be at the carrier is cancelled there and ends with the carrier's
    event.
    """
    ACCEPTED = "accepted"
    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"
    """The call is over, the number is invalid, or nothing more can be learned about the attempt."""


_S, _E = AttemptState, AttemptEvent

WAITING_STATES: Final = frozenset({_S.PLANNED, _S.READY})
"""Before the claim."""
UNSENT_STATES: Final = WAITING_STATES | {_S.CLAIMED}
"""Nothing has been sent: the attempt may be withdrawn or lost without consequence."""
DOUBTFUL_STATES: Final = frozenset({_S.SENDING, _S.UNKNOWN})
"""The carrier may or may not have it: never dialled again until it is proven absent."""
TAKEN_STATES: Final = frozenset({_S.ACCEPTED, _S.RINGING, _S.ANSWERED})
SENT_STATES: Final = DOUBTFUL_STATES | TAKEN_STATES
"""May be at the carrier, and is not over."""
LIVE_STATES: Final = SENT_STATES | {_S.CLAIMED}
"""Holds a line and its number."""
OPEN_STATES: Final = frozenset(_S) - {_S.ENDED}
"""Not over."""

_Moves = Mapping[AttemptState, AttemptState]


def _to(target: AttemptState, *states: AttemptState) -> _Moves:
    return MappingProxyType(dict.fromkeys(states, target))


def _forward(target: AttemptState, *, past: tuple[AttemptState, ...] = ()) -> _Moves:
    """Every open state moves to `target`; the states in `past`, which are beyond it, stay."""
    return MappingProxyType({state: state if state in past else target for state in OPEN_STATES})


MOVES: Final[Mapping[AttemptEvent, _Moves]] = MappingProxyType(
    {
        _E.DUE: _to(_S.READY, *WAITING_STATES),
        _E.PUT_OFF: _to(_S.PLANNED, *WAITING_STATES),
        _E.CLAIMED: _to(_S.CLAIMED, _S.READY),
        _E.POSTING: _to(_S.SENDING, _S.CLAIMED),
        _E.IN_DOUBT: _to(_S.UNKNOWN, _S.SENDING),
        _E.NOT_TAKEN: _to(_S.PLANNED, _S.CLAIMED, *DOUBTFUL_STATES),
        _E.WITHDRAWN: _to(_S.ENDED, *UNSENT_STATES),
        _E.ACCEPTED: _forward(_S.ACCEPTED, past=(_S.RINGING, _S.ANSWERED)),
        _E.RINGING: _forward(_S.RINGING, past=(_S.ANSWERED,)),
        _E.ANSWERED: _forward(_S.ANSWERED),
        _E.ENDED: _forward(_S.ENDED),
    }
)
"""For each event, the next state by the present state. The store builds its updates from this."""


def state_after(state: AttemptState, event: AttemptEvent) -> AttemptState | None:
    """The state after the event; None: the event changes nothing in this state."""
    return MOVES[event].get(state)
