"""Where each role begins its day."""

from __future__ import annotations

from collections.abc import Mapping

from dialer.domain.access import Role
from dialer.web.console.visit import Visit

HOMES: Mapping[Role, str] = {
    Role.CLERK: "/lists",
    Role.CALLER: "/desk",
    Role.OFFICER: "/visits",
    Role.SUPERVISOR: "/board",
    Role.ADMINISTRATOR: "/accounts",
    Role.AUDITOR: "/audit",
}
_ELSE = "/account"


def home_of(visit: Visit) -> str:
    """The role's own page, else the first one that it may open."""
    open_to = [place.path for place in visit.places]
    wanted = HOMES[visit.member.role]
    return wanted if wanted in open_to else (open_to or [_ELSE])[0]
