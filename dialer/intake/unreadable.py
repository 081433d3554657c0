"""The one signal by which a cell's reader says: there is something, and it cannot be read."""

from __future__ import annotations


class Unreadable(ValueError):
    """The cell is not empty and has no meaning as what its column holds. Never leaves this package."""
