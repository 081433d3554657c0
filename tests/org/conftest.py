"""A bureau with its tree."""

from __future__ import annotations

from tests.work.conftest import bureau

__all__ = ["bureau"]
