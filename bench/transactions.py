"""The transactions of all processes, as a look at `pg_stat_activity` every few milliseconds shows them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from dialer.core.errors import Unavailable
from dialer.db.unit_of_work import Store

_ACTIVITY = sa.text(
    "SELECT pid, application_name, xact_start, query, extract(epoch FROM clock_timestamp() - xact_start) AS seconds"
    " FROM pg_stat_activity WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid()"
    " AND backend_type = 'client backend' AND datname = current_database()"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One transaction: how long it was seen for, its process, and the statement that it was first seen in."""

    seconds: float
    process: str
    statement: str


@dataclass(slots=True)
class Transactions:
    """Those of one database, sampled in a thread of its own."""

    store: Store
    every_seconds: float = 0.05
    _seen: dict[tuple[int, object], Transaction] = field(default_factory=dict)
    _stopped: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Samples until the end of the block."""
        thread = threading.Thread(target=self._watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            thread.join()

    def taken(self) -> list[Transaction]:
        """What was seen since the last call, longest first."""
        seen, self._seen = self._seen, {}
        return sorted(seen.values(), key=lambda one: -one.seconds)

    def _watch(self) -> None:
        while not self._stopped.wait(self.every_seconds):
            with suppress(OperationalError, Unavailable), self.store.begin_single_read() as tx:
                rows = tx.rows(_ACTIVITY)
                seen = self._seen
                for row in rows:
                    key = (row["pid"], row["xact_start"])
                    first = seen.get(key)
                    seen[key] = Transaction(
                        seconds=float(row["seconds"]),
                        process=row["application_name"],
                        statement=" ".join(row["query"].split()) if first is None else first.statement,
                    )
