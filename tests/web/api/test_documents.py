"""docs/api.md names everything that a sender may meet."""

from __future__ import annotations

import pytest

from dialer.store.tokens import Scope
from dialer.usecases.take_warnings import FaultCode, WarningStatus
from dialer.web.api.items import ShapeCode
from dialer.web.api.models import MOST_WARNINGS, WarningIn
from dialer.web.api.problems import ProblemCode
from tests.web.api.office import ROOT

TEXT = (ROOT / "docs" / "api.md").read_text()
WORDS = [
    *WarningIn.model_fields,
    *(code.value for kind in (Scope, FaultCode, ShapeCode, ProblemCode, WarningStatus) for code in kind),
]


@pytest.mark.parametrize("word", WORDS)
def test_every_word_of_the_api_is_documented(word: str):
    assert f"`{word}`" in TEXT


def test_the_limits_are_the_real_ones():
    assert f"up to {MOST_WARNINGS:,}" in TEXT
