"""Sources: people of the whole centre see them, supervisors and administrators set limits, supervisors release."""

from __future__ import annotations

from dialer.core.access import Role
from tests.console.row import Row

_SEE = frozenset({Role.CLERK, Role.SUPERVISOR, Role.ADMINISTRATOR, Role.AUDITOR, Role.ANALYST})
_CHANGE = frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR})

ROWS = (
    Row("GET", "/sources", _SEE),
    Row("GET", "/sources/one", _SEE),
    Row("POST", "/sources/one", _CHANGE, form={"name": "nobody", "per_minute": "x"}, refused=404),
    Row("POST", "/sources/waiting", frozenset({Role.SUPERVISOR}), refused=422),
)
