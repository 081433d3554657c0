"""One account a role for the demo. Their passwords are of this run alone; nothing in the demo is real."""

from __future__ import annotations

from collections.abc import Mapping

from dialer.demo.organisation import HOME
from dialer.domain.access import Role
from dialer.usecases import passwords
from dialer.usecases.choose_extension import choose_extension
from dialer.usecases.engine import Engine
from dialer.usecases.import_units import find_unit, list_units
from dialer.usecases.manage_staff import NewPassword, add_staff

_NAMES: Mapping[Role, str] = {
    Role.CLERK: "演示录入员",
    Role.CALLER: "演示劝阻员",
    Role.OFFICER: "演示民警",
    Role.SUPERVISOR: "演示值班领导",
    Role.ADMINISTRATOR: "演示管理员",
    Role.AUDITOR: "演示审计员",
}
_EXTENSIONS: Mapping[Role, str] = {Role.CALLER: "8001", Role.SUPERVISOR: "8002"}
_UNITS: Mapping[Role, str] = {Role.OFFICER: HOME}
"""Everybody else is of the whole centre."""


def make_accounts(engine: Engine) -> list[NewPassword]:
    """Made anew in each demo's empty database, after its units; each named as its role, and with a telephone where one
    rings people.
    """
    index, _ = list_units(engine)
    made = [
        add_staff(
            engine,
            login=role.value,
            display_name=_NAMES[role],
            role=role,
            unit_id=find_unit(index, _UNITS[role]).id if role in _UNITS else None,
            language="zh",
            by="demo",
            password=passwords.temporary(),
        )
        for role in Role
    ]
    for account in made:
        if account.member.role in _EXTENSIONS:
            choose_extension(engine, account.member, _EXTENSIONS[account.member.role])
    return made
