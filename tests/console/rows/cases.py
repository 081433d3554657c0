"""Cases: who may look for them."""

from __future__ import annotations

from tests.console.row import EVERYBODY, Row

ROWS = (
    Row("GET", "/cases", EVERYBODY),
    Row("POST", "/cases/find", EVERYBODY, form={"text": "1234"}),
)
