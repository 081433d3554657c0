"""Whole applications on the test run's servers, for calls that are placed and followed."""

from __future__ import annotations

from tests.control.conftest import assembled, environment

__all__ = ["assembled", "environment"]
