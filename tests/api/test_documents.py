"""docs/api.md names everything that a sender may meet."""

from __future__ import annotations

import pytest

from dialer.api.models import MOST_WARNINGS, ProblemCode, WarningIn
from dialer.api.warnings import ShapeCode
from dialer.staff.token_store import TokenScope
from dialer.warnings.deliveries import FaultCode, WarningStatus
from tests.api.office import ROOT

TEXT = (ROOT / "docs" / "api.md").read_text()
WORDS = [
    *WarningIn.model_fields,
    *(code.value for kind in (TokenScope, FaultCode, ShapeCode, ProblemCode, WarningStatus) for code in kind),
]


@pytest.mark.parametrize("word", WORDS)
def test_every_word_of_the_api_is_documented(word: str):
    assert f"`{word}`" in TEXT


def test_the_limits_are_the_real_ones():
    assert f"up to {MOST_WARNINGS:,}" in TEXT
