"""Seeds of tests that draw at random themselves."""

from __future__ import annotations

import os

import pytest


def seeds(count: int) -> pytest.MarkDecorator:
    """Gives `seed` to a test, `count` times: the same numbers in `make test`, others in each round of `make fuzz`.
    Hypothesis gives the same marker to its own tests.
    """
    first = int(os.environ.get("FUZZ_SEED", "0"))
    return pytest.mark.parametrize(
        "seed", [pytest.param(first + n, marks=pytest.mark.hypothesis) for n in range(count)]
    )
