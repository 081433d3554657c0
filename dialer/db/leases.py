"""A lease: a name that one process holds for some seconds, as a row of `lease` by the clock of the database.

A holder renews it, and another process takes it over when it has ended. Nothing lasts as long as a session does, so it
works through a pooler that gives each transaction another session.
"""

from __future__ import annotations

import os
import secrets
import socket
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from dialer.core.errors import Refusal, Unavailable
from dialer.db.unit_of_work import driver_settings
from dialer.language import Text

LEADER: Final = "scheduler"
ROLLUP: Final = "rollup"
SERVICE: Final = "service"
"""What a lease may be for: to send the ticks, to refresh the rollup, to be the one `dialer up` of a database."""

_TAKE = sa.text("""
INSERT INTO lease AS held (name, holder, token, since, until)
VALUES (:name, :holder, 1, clock_timestamp(), clock_timestamp() + make_interval(secs => :seconds))
ON CONFLICT (name) DO UPDATE SET
    holder = excluded.holder, until = excluded.until,
    token = held.token + CASE WHEN held.holder = :holder THEN 0 ELSE 1 END,
    since = CASE WHEN held.holder = :holder THEN held.since ELSE excluded.since END
WHERE held.until <= clock_timestamp() OR held.until > clock_timestamp() + make_interval(secs => :longest)
    OR held.holder = :holder OR held.holder = :gone
RETURNING token
""")
_RENEW = sa.text("""
UPDATE lease SET until = clock_timestamp() + make_interval(secs => :seconds)
WHERE name = :name AND token = :token
""")
_END = sa.text("UPDATE lease SET until = clock_timestamp() WHERE name = :name AND token = :token")
_HOLDER = sa.text("SELECT holder, since FROM lease WHERE name = :name AND until > clock_timestamp()")
_PROC: Final = Path("/proc")
_LONGEST_SECONDS = 3600.0
"""No lease lasts this long: one that seems to was written before the database's clock was set back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A lease that was taken. `token` is higher than that of every holder before."""

    name: str
    token: int
    seconds: float

    def renew(self, connection: sa.Connection) -> bool:
        """It lasts `seconds` from now on. False: another process has taken it, and what this transaction writes must
        not be written.
        """
        given = {"name": self.name, "token": self.token, "seconds": self.seconds}
        return bool(connection.execute(_RENEW, given).rowcount)

    def end(self, connection: sa.Connection) -> None:
        """Another process may take it at once."""
        connection.execute(_END, {"name": self.name, "token": self.token})


def take_lease(connection: sa.Connection, name: str, *, holder: str, seconds: float) -> Lease | None:
    """None: another process holds it. A holder of this machine whose process has ended holds nothing."""
    row = connection.execute(_HOLDER, {"name": name}).first()
    given = {"name": name, "holder": holder, "seconds": seconds, "longest": _LONGEST_SECONDS, "gone": ""}
    if row is not None and has_ended(row.holder):
        given["gone"] = row.holder
    token = connection.execute(_TAKE, given).scalar()
    return None if token is None else Lease(name=name, token=token, seconds=seconds)


def own_name(pid: int | None = None) -> str:
    """The name of this process, or of another one of this machine, as a holder: no process was ever called so before.
    The last word says how to tell whether it still runs.
    """
    pid = pid or os.getpid()
    return f"{socket.gethostname()[:60]} pid {pid} {_mark(pid)}.{secrets.token_hex(4)}"


def has_ended(holder: str, *, proc: Path = _PROC) -> bool:
    """The holder is a process of this machine that has ended: the kernel knows no such number, or /proc says that it is
    a later process's. False for those of other machines, and for one that /proc hides (hidepid): its lease ends by
    itself.
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
    """Where the number of a process counts, and when it started there; '' where that cannot be read."""
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
    """Holds a database for one `dialer up`, whose processes have that one's name. Used by one thread."""

    seconds = 20.0
    """A machine that lost its power holds the database for this long."""

    def __init__(self, url: str, *, holder: str) -> None:
        self._engine = sa.create_engine(
            url, poolclass=sa.NullPool, hide_parameters=True, connect_args=driver_settings("dialer up")
        )
        self._holder = holder
        self._lease: Lease | None = None

    def take(self) -> None:
        """This process holds the database from now on. Raises `ServiceRuns`, and `Unavailable`."""
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
        """It still holds it, also after the database was away, which is no fault here. Raises `ServiceRuns` when
        another process has taken it meanwhile.
        """
        with suppress(Unavailable):
            self.take()

    def release(self) -> None:
        """Another process may hold it."""
        lease, self._lease = self._lease, None
        if lease is not None:
            with suppress(DBAPIError), self._engine.begin() as connection:
                lease.end(connection)
