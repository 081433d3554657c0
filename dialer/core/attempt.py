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

The last four come from the carrier: late, repeated, and in any order. They only ever move an attempt forward, also one
that was handed back meanwhile because its worker was held up: the carrier has it, so it must not be dialled again.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum, auto
from types import MappingProxyType
from typing import Final


class AttemptState(StrEnum):
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
    DUE = "due"
    """Its time has come."""
    PUT_OFF = "put_off"
    """Its number is in use or rests, it is night there, or its case wants it later."""
    CLAIMED = "claimed"
    POSTING = "posting"
    IN_DOUBT = "in_doubt"
    """The POST may or may not have reached the carrier."""
    NOT_TAKEN = "not_taken"
    """Never sent, refused through no fault of the number, or proven absent at the carrier."""
    WITHDRAWN = "withdrawn"
    """Its case needs it no more. An attempt that may be at the carrier is cancelled there and ends by its event."""
    ACCEPTED = "accepted"
    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"
    """Also: the number is invalid, or nothing more can be learned of the attempt."""


class _Carrier(Enum):
    """What the carrier has of an attempt."""

    NOT_ASKED = auto()
    IN_DOUBT = auto()
    HAS_TAKEN = auto()
    IS_DONE = auto()


_S, _E = AttemptState, AttemptEvent

_MEANING: Final = {
    _S.PLANNED: (False, _Carrier.NOT_ASKED),
    _S.READY: (False, _Carrier.NOT_ASKED),
    _S.CLAIMED: (True, _Carrier.NOT_ASKED),
    _S.SENDING: (True, _Carrier.IN_DOUBT),
    _S.UNKNOWN: (True, _Carrier.IN_DOUBT),
    _S.ACCEPTED: (True, _Carrier.HAS_TAKEN),
    _S.RINGING: (True, _Carrier.HAS_TAKEN),
    _S.ANSWERED: (True, _Carrier.HAS_TAKEN),
    _S.ENDED: (False, _Carrier.IS_DONE),
}
"""Of each state: whether it holds a line, and what the carrier has of it."""


def _states(*, line: bool | None = None, carrier: _Carrier | None = None) -> frozenset[AttemptState]:
    return frozenset(
        state
        for state, (holds_line, has) in _MEANING.items()
        if line in {None, holds_line} and carrier in {None, has}
    )


UNSENT_STATES: Final = _states(carrier=_Carrier.NOT_ASKED)
"""Nothing has been sent: the attempt may be withdrawn or lost without consequence."""
WAITING_STATES: Final = UNSENT_STATES - _states(line=True)
"""Before the claim."""
LIVE_STATES: Final = _states(line=True)
"""Holds a line and its number."""
DOUBTFUL_STATES: Final = _states(carrier=_Carrier.IN_DOUBT)
"""The carrier may or may not have it: never dialled again until it is proven absent."""
TAKEN_STATES: Final = _states(carrier=_Carrier.HAS_TAKEN)
SENT_STATES: Final = DOUBTFUL_STATES | TAKEN_STATES
"""May be at the carrier, and is not over."""
OPEN_STATES: Final = frozenset(AttemptState) - _states(carrier=_Carrier.IS_DONE)
"""Not over."""

_Moves = Mapping[AttemptState, AttemptState]


def _to(target: AttemptState, *states: AttemptState) -> _Moves:
    return MappingProxyType(dict.fromkeys(states, target))


def _forward(target: AttemptState, *, but: tuple[AttemptState, ...] = ()) -> _Moves:
    """Every open state moves to `target`, those that are past it stay."""
    return MappingProxyType({state: state if state in but else target for state in OPEN_STATES})


MOVES: Final[Mapping[AttemptEvent, _Moves]] = MappingProxyType(
    {
        _E.DUE: _to(_S.READY, *WAITING_STATES),
        _E.PUT_OFF: _to(_S.PLANNED, *WAITING_STATES),
        _E.CLAIMED: _to(_S.CLAIMED, _S.READY),
        _E.POSTING: _to(_S.SENDING, _S.CLAIMED),
        _E.IN_DOUBT: _to(_S.UNKNOWN, _S.SENDING),
        _E.NOT_TAKEN: _to(_S.PLANNED, _S.CLAIMED, *DOUBTFUL_STATES),
        _E.WITHDRAWN: _to(_S.ENDED, *UNSENT_STATES),
        _E.ACCEPTED: _forward(_S.ACCEPTED, but=(_S.RINGING, _S.ANSWERED)),
        _E.RINGING: _forward(_S.RINGING, but=(_S.ANSWERED,)),
        _E.ANSWERED: _forward(_S.ANSWERED),
        _E.ENDED: _forward(_S.ENDED),
    }
)
"""By event, the state that follows each state it may meet. The store builds its updates from this."""


def after(state: AttemptState, event: AttemptEvent) -> AttemptState | None:
    """The state after the event; None: the event changes nothing in this state."""
    return MOVES[event].get(state)
