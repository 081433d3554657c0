"""One row of the table role by page by unit. Each module of `rows/` has `ROWS`; docs/console.md says how to add one."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dialer.core.access import Role
from tests.console.desk import ConsoleDesk

EVERYBODY = frozenset(Role)
POLICE = EVERYBODY - {Role.TELLER}
CENTRE = POLICE - {Role.SECURITY_ADMINISTRATOR}
"""Who has to do with cases at all."""
AT_WORK = CENTRE - {Role.ANALYST}
"""Who works on cases or runs the centre: the analyst looks only."""
OPEN: None = None
"""Also for people who are not signed in."""

Target = Callable[[ConsoleDesk, int | None], Mapping[str, object]]
"""Makes what the address names, in this unit (None: in none), and returns the address's parts."""


def nothing(_desk: ConsoleDesk, _unit_id: int | None) -> Mapping[str, object]:
    return {}


@dataclass(frozen=True, slots=True)
class Row:
    """Who may call this method of this address."""

    method: str
    path: str
    roles: frozenset[Role] | None
    target: Target = nothing
    by_unit: bool = field(default=False, kw_only=True)
    """What is named belongs to a unit: from another one it is a 404."""
    form: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    refused: int | None = field(default=None, kw_only=True)
    """The one refusal that somebody who may do this gets all the same, for want of a proper form."""


def every_row() -> tuple[Row, ...]:
    """The table, from every module of `rows/`."""
    found: list[Row] = []
    for path in sorted((Path(__file__).parent / "rows").glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"tests_console_rows_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found.extend(module.ROWS)
    return tuple(found)
