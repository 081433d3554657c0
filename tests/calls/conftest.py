"""The data set in which calls are placed, and whole applications on the test run's servers."""

from __future__ import annotations

from tests.control.conftest import assembled, environment, scene

__all__ = ["assembled", "environment", "scene"]
