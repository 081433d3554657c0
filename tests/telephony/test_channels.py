"""What a listing proves about a request whose result is uncertain: one table for calls and messages."""

from __future__ import annotations

import pytest

from dialer.telephony.channels import Conclusion, conclude

C = Conclusion


@pytest.mark.parametrize(
    ("fitting", "others", "empty_before", "past_deadline", "expected"),
    [
        (1, 0, 0, False, C.FOUND),
        (1, 3, 9, True, C.FOUND),
        (2, 0, 0, True, C.UNCLEAR),
        (0, 1, 9, True, C.UNCLEAR),
        (0, 0, 0, True, C.NOT_YET),
        (0, 0, 1, True, C.ABSENT),
        (0, 0, 9, True, C.ABSENT),
        (0, 0, 0, False, C.NOT_YET),
        (0, 0, 9, False, C.NOT_YET),
    ],
)
def test_what_a_listing_proves(
    fitting: int, others: int, empty_before: int, past_deadline: bool, expected: Conclusion
):
    found = conclude(fitting=fitting, others=others, empty_before=empty_before, past_deadline=past_deadline)
    assert found is expected
