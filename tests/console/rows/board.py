"""The board: everybody sees his own unit's."""

from __future__ import annotations

from tests.console.row import POLICE, Row

ROWS = (
    Row("GET", "/board", POLICE),
    Row("GET", "/board/live", POLICE),
)
