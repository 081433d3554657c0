"""A centre with scripts."""

from __future__ import annotations

from tests.scripts.conftest import centre

__all__ = ["centre"]
