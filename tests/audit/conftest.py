"""A small data set to operate on, and whole applications on the test run's servers."""

from __future__ import annotations

from tests.control.conftest import assembled, environment

__all__ = ["assembled", "environment"]
