"""Alarms of the service itself (the broker, commits that do not end, hosts that have fallen silent), and the end of
alarms of overdue work.
"""

from __future__ import annotations

from collections.abc import Callable

from dialer.core.errors import Unavailable
from dialer.core.events import AlarmCode
from dialer.core.text import Text, gettext_noop
from dialer.db.alarms import end_alarms_of_done_work, raise_alarm_once
from dialer.db.hosts import raise_alarm_of_hosts, silent_hosts
from dialer.db.system_state import STUCK_COMMIT_SECONDS, commit_without_standby, longest_stuck_commit
from dialer.runtime.services import Services


class BrokerWatch:
    """Looks whether the broker answers; a single failure may be its restart. `check` raises `Unavailable`."""

    def __init__(self, check: Callable[[], object]) -> None:
        self._check = check
        self._has_failed = False

    @property
    def has_failed(self) -> bool:
        """Whether it did not answer at the last look."""
        return self._has_failed

    def look(self, services: Services) -> bool:
        """Whether it answers. Raises the alarm if it did not the time before either."""
        try:
            self._check()
        except Unavailable as fault:
            before, self._has_failed = self._has_failed, True
            if before:
                _raise_broker_alarm(services, fault)
            return False
        self._has_failed = False
        return True


def _raise_broker_alarm(services: Services, fault: Unavailable) -> None:
    problem = Text(gettext_noop("the broker does not answer: %(problem)s"), problem=Text.of(fault.problem))
    fix = gettext_noop(
        "start Redis or Valkey, or see that this machine reaches broker.url; rows keep all that is due, and dialling"
        " goes on with the next tick"
    )
    with services.store.begin() as tx:
        raise_alarm_once(
            tx,
            AlarmCode.BROKER_DOWN,
            now=services.clock.now(),
            facts={"problem": problem.plain(), "fix": Text(fix).plain()},
        )


def raise_stuck_commits(services: Services) -> bool:
    """Whether commits wait for a synchronous standby that does not answer. Raises the alarm, in a transaction that does
    not wait for it.
    """
    with services.store.begin() as tx:
        seconds = longest_stuck_commit(tx)
    if seconds < STUCK_COMMIT_SECONDS:
        return False
    problem = gettext_noop(
        "no commit ends: the synchronous standby of the database does not answer, and PostgreSQL waits for it"
    )
    fix = gettext_noop(
        "start the standby, or take it out of synchronous_standby_names and reload PostgreSQL; what waits is then"
        " committed"
    )
    with services.store.begin() as tx:
        commit_without_standby(tx)
        raise_alarm_once(
            tx,
            AlarmCode.COMMITS_STUCK,
            now=services.clock.now(),
            facts={"problem": Text(problem).plain(), "fix": Text(fix).plain()},
        )
    return True


def raise_silent_hosts(services: Services) -> list[str]:
    """The names of hosts that have fallen silent while others report. Raises their alarm."""
    with services.store.begin() as tx:
        hosts = silent_hosts(tx, real_now=services.real.now())
        raise_alarm_of_hosts(tx, hosts, now=services.clock.now())
    return [host.name for host in hosts]


def end_alarms_without_cause(services: Services) -> int:
    """Ends the alarms of overdue work that is done or withdrawn; returns how many. Those of the service itself stay
    until somebody has acknowledged them, so that a night's fault is seen in the morning.
    """
    with services.store.begin() as tx:
        return end_alarms_of_done_work(tx, now=services.clock.now())
