"""Which trunk takes the next call, and whether a trunk works. Pure: `now` is in monotonic seconds.

A trunk that does not work rests, is then on trial, and rests twice as long if the trial fails. `_NEXT` is the table of
these states.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from carrier.lines.sip.trunks import SipEnd, Trunk, is_fault_of_trunk

NO_SOUND: Final = "no_sound"
"""The key in `ends` for calls that we ended because no sound came."""
NO_PROGRESS: Final = "no_progress"
"""The key in `ends` for calls that were cancelled because the trunk said 100 and nothing more."""
NO_WAY: Final = "no_way"
"""The key in `ends` for calls that were answered in a way that lets no sound of ours leave."""


class Health(StrEnum):
    """Whether a trunk works, as its calls show it. After a rest for silence only a voice proves that it works."""

    WORKING = "working"
    RESTING = "resting"
    ON_TRIAL = "on_trial"
    RESTING_SILENT = "resting_silent"
    ON_TRIAL_SILENT = "on_trial_silent"


class Sign(StrEnum):
    """What a call shows about its trunk."""

    FAULT = "fault"
    """The trunk did not take the call."""
    REACHED = "reached"
    """The telephone rang, or the network refused the number."""
    SILENT = "silent"
    """The call was answered, and no sound came, or none could be sent."""
    VOICE = "voice"
    """The call was answered, and sound came."""
    RESTED = "rested"
    """No call: the time of the rest is over."""


_NEXT: Final[Mapping[tuple[Health, Sign], Health]] = {
    (Health.WORKING, Sign.FAULT): Health.RESTING,
    (Health.WORKING, Sign.SILENT): Health.RESTING_SILENT,
    (Health.RESTING, Sign.RESTED): Health.ON_TRIAL,
    (Health.ON_TRIAL, Sign.FAULT): Health.RESTING,
    (Health.ON_TRIAL, Sign.REACHED): Health.WORKING,
    (Health.ON_TRIAL, Sign.VOICE): Health.WORKING,
    (Health.RESTING_SILENT, Sign.RESTED): Health.ON_TRIAL_SILENT,
    (Health.ON_TRIAL_SILENT, Sign.FAULT): Health.RESTING_SILENT,
    (Health.ON_TRIAL_SILENT, Sign.SILENT): Health.RESTING_SILENT,
    (Health.ON_TRIAL_SILENT, Sign.VOICE): Health.WORKING,
}
"""What a sign of a call that was sent since the last rest began makes of a trunk; what is not here changes nothing. A
working trunk rests only after `_BEFORE_REST` of them in a row. While a trunk rests no call is sent over it.
"""
_RESTS: Final = frozenset({Health.RESTING, Health.RESTING_SILENT})
_CLEARS: Final[Mapping[Sign, tuple[Sign, ...]]] = {
    Sign.REACHED: (Sign.FAULT,),
    Sign.VOICE: (Sign.FAULT, Sign.SILENT),
}
"""What a sign of a working trunk ends a row of."""
_BEFORE_REST: Final = 3
_FIRST_REST_SECONDS: Final = 15.0
_LONGEST_REST_SECONDS: Final = 300.0
_LONGEST_WAIT_SECONDS: Final = 30.0
"""The longest wait for a slot at the trunk's rate. A call that waits longer would be given up before it is dialled, as
if nobody had answered.
"""
_SAYS_NOTHING: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkChoice:
    """The trunk for a call, what it dials, and the monotonic second from which its rate allows the call."""

    trunk: Trunk
    dialled: str
    at: float


@dataclass(slots=True, kw_only=True)
class TrunkState:
    """The present state of a trunk. `rests`: how many rests have begun; a call keeps the number that it was sent
    under. `in_a_row`: faults and silent calls of a working trunk.
    """

    trunk: Trunk
    in_use: int = 0
    is_registered: bool = False
    is_reachable: bool = True
    health: Health = Health.WORKING
    rests: int = 0
    rests_until: float = 0.0
    rest_seconds: float = 0.0
    in_a_row: Counter[Sign] = field(default_factory=Counter)
    next_slot: float = 0.0
    share: float = 0.0
    placed: int = 0
    received: int = 0
    ends: Counter[str] = field(default_factory=Counter)

    def problem(self, now: float) -> str:
        """Why the trunk is not used, in one word; empty while it takes calls."""
        if self.trunk.registers and not self.is_registered:
            return "not_registered"
        if not self.is_reachable:
            return "unreachable"
        return "resting" if self.health in _RESTS and now < self.rests_until else ""

    def note(self, sign: Sign, *, rests: int, now: float) -> bool:
        """Applies what a call shows that was sent under the rest number `rests`. A call from before the last rest says
        nothing any more. True when the trunk begins to rest.
        """
        if rests != self.rests:
            return False
        if self.health in _RESTS and now >= self.rests_until:
            self.health = _NEXT[self.health, Sign.RESTED]
        if self.health is Health.WORKING:
            for cleared in _CLEARS.get(sign, ()):
                self.in_a_row[cleared] = 0
            self.in_a_row[sign] += 1
            if self.in_a_row[sign] < _BEFORE_REST:
                return False
        after = _NEXT.get((self.health, sign))
        if after is None:
            return False
        self.health = after
        if after is Health.WORKING:
            self.rest_seconds = 0.0
        elif after in _RESTS:
            self.rests += 1
            self.rest_seconds = min(max(_FIRST_REST_SECONDS, 2 * self.rest_seconds), _LONGEST_REST_SECONDS)
            self.rests_until = now + self.rest_seconds
            self.in_a_row.clear()
            return True
        return False


def sign_of(end: SipEnd) -> Sign:
    """What a call that was not answered shows about its trunk."""
    return Sign.FAULT if is_fault_of_trunk(end) else Sign.REACHED


class TrunkBoard:
    """Chooses the trunk of each call. Used by one thread."""

    def __init__(self, trunks: Sequence[Trunk]) -> None:
        self.states = {trunk.name: TrunkState(trunk=trunk) for trunk in trunks}

    def choose(self, number: str, *, now: float, without: Container[str] = ()) -> TrunkChoice | None:
        """Of the working trunks of the lowest order that have a free channel and a slot soon, the one that is furthest
        below its share. The call occupies its channel and its slot from now on. None: no trunk can take it.
        """
        free = [
            (state, dialled)
            for state in self.states.values()
            if state.trunk.name not in without
            and not state.problem(now)
            and state.in_use < state.trunk.channels
            and state.next_slot - now <= _LONGEST_WAIT_SECONDS
            and (dialled := state.trunk.dialled(number)) is not None
        ]
        if not free:
            return None
        first = min(state.trunk.order for state, _ in free)
        group = [(state, dialled) for state, dialled in free if state.trunk.order == first]
        for state, _ in group:
            state.share += state.trunk.weight
        chosen, dialled = max(group, key=lambda choice: choice[0].share)
        chosen.share -= sum(state.trunk.weight for state, _ in group)
        at = max(now, chosen.next_slot)
        chosen.next_slot = at + 1.0 / chosen.trunk.calls_per_second
        chosen.in_use += 1
        return TrunkChoice(trunk=chosen.trunk, dialled=dialled, at=at)

    def sent(self, name: str) -> int:
        """Counts a call that is sent over this trunk now. Returns the number of rests that it is sent under."""
        state = self.states[name]
        state.placed += 1
        return state.rests

    def came_in(self, name: str) -> int:
        """Counts an inbound call from this trunk, which occupies a channel. Returns the number of rests for its signs:
        of a trunk that rests or is on trial an inbound call says nothing.
        """
        state = self.states[name]
        state.in_use += 1
        state.received += 1
        return state.rests if state.health is Health.WORKING else _SAYS_NOTHING

    def released(self, name: str) -> None:
        """Frees the channel of a call of this trunk that is over."""
        self.states[name].in_use -= 1
