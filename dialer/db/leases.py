"""A lease: a name that one process holds for some seconds. It is a job (`dialer.db.jobs`) that never ends, by the clock
of the database.

The holder renews it, and another process takes it over when it has ended. It needs nothing that lasts as long as a
session, so it works through a pooler that gives each transaction another session.
"""

from __future__ import annotations

import os
import secrets
import socket
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from dialer.core.errors import Refusal, Unavailable
from dialer.core.text import Text
from dialer.db import tables as t
from dialer.db.jobs import DATABASE_CLOCK, JobClaim, JobTable
from dialer.db.unit_of_work import Statements, driver_settings

LEADER: Final = "scheduler"
SERVICE: Final = "service"
"""The names of the leases: the process that sends the ticks, and the only `dialer up` of a database.
"""

LEASES: Final = JobTable(kind="lease", waits=sa.true(), due=t.lease.c.until)
_HOLDER = sa.select(t.lease.c.holder, t.lease.c.since).where(
    t.lease.c.name == sa.bindparam("name"), t.lease.c.until > DATABASE_CLOCK
)
_PROC: Final = Path("/proc")
_LONGEST: Final = timedelta(hours=1)
"""Longer than any lease: one that seems to last longer was written before the database's clock was set back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A lease that this process has taken. `token` is higher than that of every earlier holder."""

    name: str
    token: int
    seconds: float

    @property
    def _claim(self) -> JobClaim:
        return JobClaim(key=self.name, token=self.token, tries=0)

    def renew(self, connection: sa.Connection) -> bool:
        """Extends the lease to `seconds` from now. False: another process has taken it, and this transaction must not
        be committed.
        """
        until = DATABASE_CLOCK + timedelta(seconds=self.seconds)
        return LEASES.renew(Statements(connection=connection), self._claim, until=until)

    def end(self, connection: sa.Connection) -> None:
        """Ends the lease: another process can take it at once."""
        LEASES.renew(Statements(connection=connection), self._claim, until=DATABASE_CLOCK)


def take_lease(connection: sa.Connection, name: str, *, holder: str, seconds: float) -> Lease | None:
    """Takes the lease, also from an earlier claim of the same holder; None if another process holds it. A lease whose
    holder was a process of this machine that has ended is taken over.
    """
    tx, held = Statements(connection=connection), t.lease.c
    row = tx.one(_HOLDER, {"name": name})
    may_lose_it = {holder}
    if row is not None and has_ended(row["holder"]):
        may_lose_it.add(row["holder"])
    if row is None:
        ended = {"name": name, "holder": "", "token": 1, "since": DATABASE_CLOCK, "until": DATABASE_CLOCK}
        tx.execute(insert(t.lease).values(ended).on_conflict_do_nothing())
    taken = LEASES.take(
        tx,
        held.name == name,
        real_now=DATABASE_CLOCK,
        lease=timedelta(seconds=seconds),
        or_if=sa.or_(held.holder.in_(sorted(may_lose_it)), held.until > DATABASE_CLOCK + _LONGEST),
        since=sa.case((held.holder == holder, held.since), else_=DATABASE_CLOCK),
        holder=holder,
    )
    return next((Lease(name=name, token=row["token"], seconds=seconds) for row in taken), None)


def process_name(pid: int | None = None) -> str:
    """The name of this process, or of process `pid` of this machine, as a holder; no earlier process had the same name.
    From its last word `has_ended` tells whether the process still runs.
    """
    pid = pid or os.getpid()
    return f"{socket.gethostname()[:60]} pid {pid} {_mark(pid)}.{secrets.token_hex(4)}"


def has_ended(holder: str, *, proc: Path = _PROC) -> bool:
    """Whether the holder is a process of this machine that has ended: the kernel has no process with its number, or
    /proc shows that the number belongs to a later process. False for processes of other machines, and for one that
    /proc hides (hidepid): its lease ends by itself.
    """
    machine, _, rest = holder.partition(" pid ")
    pid, _, name = rest.partition(" ")
    space, _, started = name.rpartition(".")[0].partition(".")
    own_space, _, _ = _mark(os.getpid(), proc).partition(".")
    if machine != socket.gethostname()[:60] or not pid.isdecimal() or not own_space or space != own_space:
        return False
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except OSError:
        pass  # another user's: it runs
    return _mark(int(pid), proc) not in {"", f"{space}.{started}"}


def _mark(pid: int, proc: Path = _PROC) -> str:
    """The PID namespace of a process and its start time; '' if they cannot be read."""
    with suppress(OSError, ValueError, IndexError):
        space = (proc / "self/ns/pid").readlink().name.strip("pid:[]")
        started = (proc / f"{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
        return f"{space}.{started}"
    return ""


class ServiceRuns(Refusal):
    """Another `dialer up` runs on this database. `holder`: its machine and process."""

    def __init__(self, *, holder: str, since: datetime | None) -> None:
        super().__init__(
            Text(
                "another service runs on this database: %(holder)s, since %(since)s. Stop it first;"
                " more web processes and workers beside it are `dialer web` and `dialer worker`",
                holder=holder,
                since="?" if since is None else since.astimezone().isoformat(timespec="seconds"),
            )
        )
        self.holder = holder


class ServiceHold:
    """Reserves a database for one `dialer up`; all its processes use the same holder's name. Used by one thread."""

    seconds = 20.0
    """How long a machine that lost its power still holds the database."""

    def __init__(self, url: str, *, holder: str) -> None:
        self._engine = sa.create_engine(
            url, poolclass=sa.NullPool, hide_parameters=True, connect_args=driver_settings("dialer up")
        )
        self._holder = holder
        self._lease: Lease | None = None

    def take(self) -> None:
        """Takes the lease on the database. Raises `ServiceRuns` and `Unavailable`."""
        try:
            with self._engine.begin() as connection:
                taken = take_lease(connection, SERVICE, holder=self._holder, seconds=self.seconds)
                other = None if taken else connection.execute(_HOLDER, {"name": SERVICE}).first()
        except DBAPIError as fault:
            raise Unavailable(part="database", problem=str(fault.orig or fault).split("\n", 1)[0]) from fault
        if taken is None:
            who = "?" if other is None else str(other.holder).rpartition(" ")[0]
            raise ServiceRuns(holder=who, since=None if other is None else other.since)
        self._lease = taken

    def keep(self) -> None:
        """Takes the lease again, even after it has ended. An unavailable database is ignored. Raises `ServiceRuns` if
        another process has taken the lease meanwhile.
        """
        with suppress(Unavailable):
            self.take()

    def release(self) -> None:
        """Ends the lease, so that another process can take it."""
        lease, self._lease = self._lease, None
        if lease is not None:
            with suppress(DBAPIError), self._engine.begin() as connection:
                lease.end(connection)
