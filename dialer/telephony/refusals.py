"""Whose fault it is that a call was not taken: the number's, ours, or that we were too fast.

By Twilio's error codes (twilio.com/docs/api/errors). What is not listed is ours: a wrong guess must not make a
person's number count as dead.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Fault(StrEnum):
    NUMBER = "number"
    """No call to this number will ever be taken: the next number, or a person."""
    OURS = "ours"
    """Configuration, account, or no way to the carrier: nothing is used up, alarm."""
    SLOW_DOWN = "slow_down"
    """The carrier asks for fewer calls: nothing is used up, wait."""


_NUMBER: Final = frozenset(
    {
        13223,  # Dial: invalid phone number format
        13224,  # Dial: number not supported or invalid
        21201,  # no 'To' number
        21211,  # invalid 'To' number
        21214,  # 'To' number cannot be reached
        21216,  # this account may not call this number: Twilio's own list, number by number
        21217,  # phone number does not appear to be valid
        21401,  # invalid phone number
        21421,  # phone number is invalid
        21610,  # the receiver has opted out of this sender
    }
)

_SLOW_DOWN: Final = frozenset(
    {
        10004,  # call concurrency limit exceeded
        20429,  # too many requests
        22005,  # the queue of calls is too long
    }
)

TOO_MANY: Final = 429


def fault_of(*, http_status: int, code: int | None) -> Fault:
    """For a request that the carrier certainly did not carry out (a 4xx answer)."""
    if http_status == TOO_MANY or code in _SLOW_DOWN:
        return Fault.SLOW_DOWN
    return Fault.NUMBER if code in _NUMBER else Fault.OURS
