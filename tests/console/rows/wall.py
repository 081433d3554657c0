"""The wall: everybody sees his own unit's."""

from __future__ import annotations

from tests.console.row import EVERYBODY, Row

ROWS = (
    Row("GET", "/wall", EVERYBODY),
    Row("GET", "/wall/live", EVERYBODY),
)
