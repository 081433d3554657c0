"""The service for practice: an environment that can reach nothing real, and a database of its own that is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from dialer.bootstrap import application
from dialer.core.access import Role, unrestricted
from dialer.core.errors import Refusal
from dialer.db.system_state import mark_practice_database
from dialer.demo.run import demo_environment, is_port_free, only_run
from dialer.org.accounts import NewPassword, add_staff
from dialer.runtime.embedded import ensure_servers
from dialer.runtime.location import free_port
from dialer.runtime.services import Application, Services
from dialer.runtime.settings import Settings, load_settings
from dialer.staff.passwords import temporary_password
from dialer.staff.store import all_members

PRACTICE_FOLDER: Final = "practice"
"""The folder in the data folder; another one than the demo's, and never the service's own."""
PORT: Final = 8090
_LONG: Final = str(7 * 86_400)
_NEVER: Final = str(30 * 86_400)
_CALLS: Final = "DIALER_POLICY__EXTRA_HIGH__"
_VISITS: Final = "DIALER_POLICY__HIGH__"
_ALONE: Final = {
    "FIRST_ATTEMPT_SECONDS": _LONG,
    "HUMAN_DUE_SECONDS": _NEVER,
    "SIGN_SECONDS": _NEVER,
    "FEEDBACK_SECONDS": _NEVER,
    "VISIT_AFTER_SECONDS": _LONG,
    "VISIT_DUE_SECONDS": _NEVER,
    "VISIT_WHEN_HUMAN_FAILS": "false",
    "FOLLOW_UP_BY": "none",
    "FOLLOW_UP_THEN": "none",
}
"""Of the policy of both grades."""
_ROLES: Final = {
    Role.SUPERVISOR: "实训教员",
    Role.ADMINISTRATOR: "实训系统管理员",
    Role.SECURITY_ADMINISTRATOR: "实训安全管理员",
}


class PracticeRunsAlready(Refusal):
    """Two services for practice in one folder would use each other's database."""

    def __init__(self) -> None:
        super().__init__("practice is running in this folder already: stop it first (Ctrl-C where it runs)")


def practice_environment(env: Mapping[str, str], *, port: int = PORT) -> dict[str, str]:
    """The environment of the processes. Raises `SettingsError` for a setting that points at anything but practice's
    own: so it can never write to the real service or call anybody.
    """
    made = demo_environment(env)
    base = load_settings(env)
    return made | {
        "DIALER_DATA_DIR": str(base.data_dir / PRACTICE_FOLDER),
        "DIALER_WEB__HOST": base.web.host,
        "DIALER_WEB__PORT": str(port if is_port_free(port) else free_port()),
        "DIALER_SIGNALS__STREAM": base.signals.stream,
        # The talk beside the desk is the call.
        "DIALER_WORK__LEAST_CALL_SECONDS": "0",
        "DIALER_WORK__TASKS": "pull",
        # The caller alone calls, or the officer visits: nothing follows while somebody practises.
        "DIALER_POLICY__VISIT_RETRY_SECONDS": _NEVER,
        **{grade + name: value for grade in (_CALLS, _VISITS) for name, value in _ALONE.items()},
        _CALLS + "HUMAN_AFTER_SECONDS": "0",
        _VISITS + "HUMAN_AFTER_SECONDS": _LONG,
    }


@contextmanager
def practice_servers(settings: Settings) -> Iterator[Application]:
    """The application on practice's own servers and database, which stays from one start to the next. Raises
    `PracticeRunsAlready`.
    """
    own = only_run(settings.data_dir, "practice.lock", PracticeRunsAlready)
    with own as folder, ensure_servers(folder) as servers:
        with application(settings) as fresh, fresh.services.store.begin() as tx:
            mark_practice_database(tx)
        with application(settings) as app:
            yield replace(app, servers=servers)


def make_practice_accounts(
    services: Services, callers: Sequence[str], officers: Sequence[str] = ()
) -> list[NewPassword]:
    """At the first start an account for the trainer and each administrator; and one for each of these callers and
    officers, by its login, that is not there yet. Raises `Invalid` for a login that cannot be one.
    """
    with services.store.begin() as tx:
        known = {member.login for member in all_members(tx)}
    wanted = [] if known else [(role.value, name, role) for role, name in _ROLES.items()]
    asked = dict.fromkeys(officers, Role.OFFICER) | dict.fromkeys(callers, Role.CALLER)
    wanted += [(login, login, role) for login, role in asked.items() if login not in known]
    return [
        add_staff(
            services,
            unrestricted("practice"),
            login=login,
            display_name=name,
            role=role,
            unit_id=None,
            language="zh",
            password=temporary_password(),
        )
        for login, name, role in wanted
    ]
