"""Which warnings speak of the same incident."""

from __future__ import annotations

from dialer.domain.values import FraudType


def same_incident(open_type: FraudType, arriving: FraudType) -> bool:
    """True where a warning joins a person's open case: same type, or either unknown. A different scam is its own."""
    return open_type == arriving or FraudType.UNKNOWN in {open_type, arriving}


def known_type(open_type: FraudType, arriving: FraudType) -> FraudType:
    """The type a case carries after the warning joined it."""
    return arriving if open_type is FraudType.UNKNOWN else open_type
