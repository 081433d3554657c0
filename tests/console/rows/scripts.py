"""Scripts: who may look at them, change them, and let them be spoken."""

from __future__ import annotations

from collections.abc import Mapping

from dialer.core.access import Role
from dialer.script_versions.actions import seed_scripts
from dialer.scripts.store import script_versions_of
from tests.console.desk import ConsoleDesk
from tests.console.row import Row

_SEE = frozenset({Role.CALLER, Role.SUPERVISOR, Role.ADMINISTRATOR, Role.AUDITOR})
_RATES = frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR, Role.AUDITOR})
_EDIT = frozenset({Role.SUPERVISOR})
_WHY = {"version": "1", "reason": "clearer"}


def _loan(desk: ConsoleDesk, _unit_id: int | None) -> Mapping[str, object]:
    """Scripts are of the whole centre, whatever unit is asked for."""
    with desk.app.services.store.begin() as tx:
        if not script_versions_of(tx, "loan"):
            seed_scripts(tx, now=desk.clock.now())
    return {"script_id": "loan"}


ROWS = (
    Row("GET", "/scripts", _SEE),
    Row("POST", "/scripts", _EDIT, form={"source": "x"}, refused=422),
    Row("GET", "/scripts/{script_id}", _SEE, _loan),
    Row("GET", "/scripts/{script_id}/progress", _SEE, _loan, refused=422),
    Row("POST", "/scripts/{script_id}/render", _EDIT, _loan, form={"version": "1"}),
    Row("POST", "/scripts/{script_id}/approve", _EDIT, _loan, form=_WHY, refused=409),
    Row("GET", "/scripts/{script_id}/versions", _SEE, _loan),
    Row("GET", "/scripts/{script_id}/difference", _SEE, _loan, refused=422),
    Row("GET", "/scripts/{script_id}/file", _SEE, _loan, refused=422),
    Row("GET", "/scripts/{script_id}/draft", _EDIT, _loan),
    Row("GET", "/scripts/{script_id}/walk", _SEE, _loan),
    Row("GET", "/scripts/{script_id}/trial", _RATES, _loan),
    Row("POST", "/scripts/{script_id}/trial", _EDIT, _loan, form={"reason": "x"}, refused=422),
)
