"""What the end of a SIP call means: SIP status, Q.850 cause and where it failed, to the cause of a leg.

`docs/trunk.md` has the same tables; tests/docs/test_trunk.py compares them. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dialer.carrier.lines import Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class SipEnd:
    """How the stack ended a call that was not answered. `status` 0: no response at all came; `q850` 0: no Reason.

    `problem`: the stack's words for a fault of the transport.
    """

    status: int = 0
    q850: int = 0
    problem: str = ""

    @property
    def label(self) -> str:
        """For counts and logs: `486`, `480/20`, `timeout`, `transport`."""
        if self.status:
            return f"{self.status}/{self.q850}" if self.q850 else str(self.status)
        return "timeout" if "timed out" in self.problem.lower() else "transport"


_STATUS = re.compile(r"([1-6][0-9]{2})(?= |$)")
_Q850 = re.compile(r"Q\.850\s*;\s*cause\s*=\s*([0-9]{1,3})", re.IGNORECASE)


def read_end(text: str) -> SipEnd:
    """What the stack says of a closed call: `480 Temporarily Unavailable,Q.850;cause=20;text="..."`."""
    status = _STATUS.match(text)
    q850 = _Q850.search(text)
    return SipEnd(
        status=int(status[1]) if status else 0,
        q850=int(q850[1]) if q850 else 0,
        problem="" if status else text,
    )


BY_STATUS: Final[Mapping[int, Cause]] = {
    404: Cause.INVALID,
    410: Cause.INVALID,
    484: Cause.INVALID,
    485: Cause.INVALID,
    604: Cause.INVALID,
    408: Cause.NO_ANSWER,
    480: Cause.NO_ANSWER,
    487: Cause.NO_ANSWER,
    486: Cause.BUSY,
    600: Cause.BUSY,
    603: Cause.REJECTED,
    607: Cause.REJECTED,
}
"""The person's, by SIP status. Any other status is ours: congestion, 5xx, authentication, a codec, a redirect."""

BY_Q850: Final[Mapping[int, Cause]] = {
    1: Cause.INVALID,
    22: Cause.INVALID,
    28: Cause.INVALID,
    17: Cause.BUSY,
    18: Cause.NO_ANSWER,
    19: Cause.NO_ANSWER,
    20: Cause.POWERED_OFF,
    21: Cause.REJECTED,
    **dict.fromkeys((2, 3, 34, 38, 41, 42, 44, 47, 50, 55, 57, 58, 63, 65, 69, 79, 88), Cause.BLOCKED),
}
"""By Q.850 cause. A cause that is not here says nothing (16, 31, 102, 111, 127): then the status decides."""

AUTHENTICATION: Final = frozenset({401, 402, 403, 407})
"""The trunk refused us: no Reason can make that the person's, unless their telephone had rung before a 403."""


_FORBIDDEN: Final = 403


def cause_of(end: SipEnd, *, has_rung: bool = False) -> Cause:
    """The cause of a call that was not answered. `BLOCKED` is ours, and costs the person no try. `has_rung`: the trunk
    said that the telephone rings: then a 403 with a Reason is what an exchange or gateway makes of a rejected call.
    """
    refused_us = end.status in AUTHENTICATION and not (has_rung and end.status == _FORBIDDEN)
    if refused_us or not end.status:
        return Cause.BLOCKED
    return BY_Q850.get(end.q850) or BY_STATUS.get(end.status, Cause.BLOCKED)


def is_certain(end: SipEnd) -> bool:
    """Whether nothing that was announced can make it another cause: a refusal of our credentials, or a known Reason."""
    return end.status in AUTHENTICATION or end.q850 in BY_Q850


_SERVER_ERRORS: Final = range(500, 600)


def may_fail_over(end: SipEnd, *, may_have_rung: bool) -> bool:
    """Whether the next trunk may be tried: the trunk failed, and the far end cannot have rung."""
    return not may_have_rung and is_fault_of_trunk(end)


def is_fault_of_trunk(end: SipEnd) -> bool:
    """Whether the end says that the trunk itself does not work: such ends in a row rest it. Where the Reason says
    something of the number, the trunk works.
    """
    if not end.status:
        return True
    if BY_Q850.get(end.q850, Cause.BLOCKED) is not Cause.BLOCKED:
        return False
    return end.status in _SERVER_ERRORS or end.status in AUTHENTICATION
