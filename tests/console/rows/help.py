"""The manual is open to everybody."""

from __future__ import annotations

from collections.abc import Mapping

from tests.console.desk import ConsoleDesk
from tests.console.row import EVERYBODY, OPEN, Row


def _chapter(_desk: ConsoleDesk, _unit_id: int | None) -> Mapping[str, object]:
    return {"name": "caller"}


def _picture(_desk: ConsoleDesk, _unit_id: int | None) -> Mapping[str, object]:
    return {"file": "board-zh.png"}


def _first_step(_desk: ConsoleDesk, _unit_id: int | None) -> Mapping[str, object]:
    return {"step": 1}


ROWS = (
    Row("GET", "/help", OPEN),
    Row("GET", "/help/of", OPEN),
    Row("GET", "/help/tour", EVERYBODY),
    Row("GET", "/help/tour/{step}", EVERYBODY, target=_first_step),
    Row("GET", "/help/{name}", OPEN, target=_chapter),
    Row("GET", "/help/images/{file}", OPEN, target=_picture),
)
