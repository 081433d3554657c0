"""Cases: who may look for them."""

from __future__ import annotations

from tests.console.row import CENTRE, Row

ROWS = (
    Row("GET", "/cases", CENTRE),
    Row("POST", "/cases/find", CENTRE, form={"text": "1234"}),
)
