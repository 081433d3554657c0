"""Accounts of staff: administrators, each those of his own unit and below; what they ask for is confirmed by others."""

from __future__ import annotations

from collections.abc import Mapping

from dialer.core.access import Role, StaffChangeKind, unrestricted
from dialer.db import tables as t
from dialer.org.account_changes import ask_reset_or_enable
from tests.console.desk import ConsoleDesk
from tests.console.row import Row

_WHO = frozenset({Role.ADMINISTRATOR})
_CONFIRM = frozenset({Role.SECURITY_ADMINISTRATOR})
_PLACE = {"display_name": "Somebody", "role": "caller", "unit": "", "revision": "1"}
_WHY = {"why": "asked by the person in writing"}


def _account(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    """Somebody new in this unit."""
    number = len(desk.rows(t.staff))
    return {"login": desk.account(Role.CALLER, login=f"target{number}", unit_id=unit_id).login}


def _asked(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    """A reset that an administrator asked for, of somebody in this unit."""
    number = len(desk.rows(t.staff))
    asker = desk.account(Role.ADMINISTRATOR, login=f"asker{number}")
    desk.account(Role.SECURITY_ADMINISTRATOR, login=f"second{number}")
    login = desk.account(Role.CALLER, login=f"target{number}", unit_id=unit_id).login
    ask_reset_or_enable(
        desk.app.services,
        unrestricted(asker.login),
        StaffChangeKind.RESET_FACTORS,
        login,
        why="lost",
    )
    return {"number": desk.rows(t.staff_change)[-1]["id"]}


ROWS = (
    Row("GET", "/accounts", _WHO),
    Row("POST", "/accounts", _WHO, form={"login": "x", "display_name": "", "role": "caller"}, refused=422),
    Row("GET", "/accounts/{login}", _WHO, _account, by_unit=True),
    Row("POST", "/accounts/{login}/change", _WHO, _account, form=_PLACE),
    Row("POST", "/accounts/{login}/disable", _WHO, _account, by_unit=True),
    Row("POST", "/accounts/{login}/enable", _WHO, _account, form=_WHY, by_unit=True, refused=409),
    Row("POST", "/accounts/{login}/reset", _WHO, _account, form=_WHY, by_unit=True, refused=409),
    Row("POST", "/accounts/{login}/factors/reset", _WHO, _account, form=_WHY, by_unit=True, refused=409),
    Row("POST", "/accounts/{login}/sessions/end", _WHO, _account, by_unit=True),
    Row("GET", "/account-changes", _WHO | _CONFIRM),
    Row("POST", "/account-changes/{number}/confirm", _CONFIRM, _asked, by_unit=True),
    Row("POST", "/account-changes/{number}/refuse", _CONFIRM, _asked, by_unit=True),
    Row("POST", "/account-changes/{number}/withdraw", _WHO, _asked, by_unit=True),
)
