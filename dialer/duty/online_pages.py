"""The page of users online: who of the reader's units is signed in and uses the console, by unit and role."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from starlette.responses import Response

from dialer.core.access import Permission, Role
from dialer.duty.presence_store import MOST_ONLINE, users_online
from dialer.web.console import CurrentRequest, PageSection

online_pages = PageSection()
_ROLES = tuple(Role)


@online_pages.get("/duty/online", act=Permission.MANAGE_DUTY)
def show(request: CurrentRequest) -> Response:
    """Accounts with a session that is used, by unit, then role, then name."""
    services = request.services
    real_now, idle_seconds = services.real.now(), services.sessions.idle_seconds
    with services.store.begin() as tx:
        found = users_online(
            tx,
            visible_to=request.member.unit_id,
            real_now=real_now,
            idle_since=real_now - timedelta(seconds=idle_seconds),
        )
        index = services.units.current(tx)
    units = {user.unit_id: () if user.unit_id is None else index.names(user.unit_id) for user in found}
    by_role = Counter(user.role for user in found)
    return request.page(
        "console/duty_online.html",
        users=sorted(found, key=lambda user: (units[user.unit_id], _ROLES.index(user.role), user.name)),
        unit_of=lambda unit_id: "" if unit_id is None else index.label(unit_id),
        counts=[(role, by_role[role]) for role in _ROLES if by_role[role]],
        minutes=int(idle_seconds // 60),
        most=MOST_ONLINE,
    )
