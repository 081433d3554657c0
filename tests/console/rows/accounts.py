"""Accounts of staff: administrators alone, each those of his own unit and below."""

from __future__ import annotations

from collections.abc import Mapping

from dialer.core.access import Role
from dialer.db import tables as t
from tests.console.desk import ConsoleDesk
from tests.console.row import Row

_WHO = frozenset({Role.ADMINISTRATOR})
_PLACE = {"display_name": "Somebody", "role": "caller", "unit": "", "revision": "1"}


def _account(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    """Somebody new in this unit."""
    number = len(desk.rows(t.staff))
    return {"login": desk.account(Role.CALLER, login=f"target{number}", unit_id=unit_id).login}


ROWS = (
    Row("GET", "/accounts", _WHO),
    Row("POST", "/accounts", _WHO, form={"login": "x", "display_name": "", "role": "caller"}, refused=422),
    Row("GET", "/accounts/{login}", _WHO, _account, by_unit=True),
    Row("POST", "/accounts/{login}/change", _WHO, _account, form=_PLACE),
    Row("POST", "/accounts/{login}/disable", _WHO, _account, by_unit=True),
    Row("POST", "/accounts/{login}/enable", _WHO, _account, by_unit=True),
    Row("POST", "/accounts/{login}/reset", _WHO, _account, by_unit=True),
    Row("POST", "/accounts/{login}/factors/reset", _WHO, _account, by_unit=True),
    Row("POST", "/accounts/{login}/sessions/end", _WHO, _account, by_unit=True),
)
