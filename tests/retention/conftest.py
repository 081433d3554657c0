"""Installations as those of a backup."""

from __future__ import annotations

from tests.backup.conftest import file, new, old, scene

__all__ = ["file", "new", "old", "scene"]
