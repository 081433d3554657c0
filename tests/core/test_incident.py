from __future__ import annotations

import pytest

from dialer.core.rules import known_type, same_incident
from dialer.core.values import FraudType

LOAN, ROMANCE, UNKNOWN = FraudType.LOAN, FraudType.ROMANCE, FraudType.UNKNOWN


@pytest.mark.parametrize(
    ("open_type", "arriving", "same", "known"),
    [
        (LOAN, LOAN, True, LOAN),
        (LOAN, UNKNOWN, True, LOAN),
        (UNKNOWN, LOAN, True, LOAN),
        (UNKNOWN, UNKNOWN, True, UNKNOWN),
        (LOAN, ROMANCE, False, LOAN),
    ],
)
def test_a_different_scam_is_its_own_incident(
    open_type: FraudType, arriving: FraudType, same: bool, known: FraudType
):
    assert same_incident(open_type, arriving) is same
    assert known_type(open_type, arriving) is known
