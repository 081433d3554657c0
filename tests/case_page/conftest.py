"""The data sets whose cases are read and acted on: small ones, a town and a bureau."""

from __future__ import annotations

from tests.work.conftest import bureau

__all__ = ["bureau"]
