"""The board: everybody sees his own unit's."""

from __future__ import annotations

from tests.console.row import EVERYBODY, Row

ROWS = (
    Row("GET", "/board", EVERYBODY),
    Row("GET", "/board/live", EVERYBODY),
)
