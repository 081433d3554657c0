"""Notices a database that answers nothing while its machine still does: a stopped process, a disk that hangs, a pooler
that is frozen. TCP does not tell: the kernel of that machine acknowledges what nobody reads. A machine without power is
noticed sooner too than by the 20 s of TCP.

A transaction may rightly take minutes, and a commit waits for a standby. So a long one proves nothing; it is the reason
to ask on a new connection. Where that is not answered either, every connection of the process is cut: its transactions
fail as with a database that is lost, and are tried again where the address of the database leads then.
"""

from __future__ import annotations

import logging
import os
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any, Final

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, Ping

from dialer.db.unit_of_work import Store, driver_settings

_TURN_SECONDS: Final = 1.0
_LONG_TURNS: Final = 4
"""A transaction that takes so many turns is a reason to ask. Turns are counted, not seconds: a process that was stopped
has no old transaction when it wakes.
"""
_PATIENCE_SECONDS: Final = 4
"""For an answer on a new connection; with the turns before it is less than ten seconds."""

_log = logging.getLogger(__name__)


class SilenceWatch:
    """Watches the connections of one store."""

    def __init__(
        self, store: Store, *, answers: Callable[[psycopg.Connection[Any]], bool] | None = None
    ) -> None:
        self._answers = is_answered if answers is None else answers
        self._uses = store.uses
        self._answered_at = 0

    @contextmanager
    def running(self, *, turn_seconds: float = _TURN_SECONDS) -> Iterator[None]:
        """Within the block a thread takes a turn each `turn_seconds`."""
        stopped = threading.Event()

        def watch() -> None:
            while not stopped.wait(turn_seconds):
                try:
                    self.turn()
                except Exception:  # noqa: BLE001  # one fault must not end the watch: the next turn comes
                    _log.exception("the connections of the database cannot be watched")

        thread = threading.Thread(target=watch, name="silence", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()

    def turn(self) -> bool:
        """Counts, and cuts every connection where neither a long transaction nor a new connection is answered; whether
        it did.
        """
        self._uses.turn += 1
        in_use = self._uses.in_use()
        oldest = min(in_use, key=in_use.__getitem__, default=None)
        if oldest is None or self._uses.turn - max(in_use[oldest], self._answered_at) < _LONG_TURNS:
            return False
        if self._answers(oldest):
            self._answered_at = self._uses.turn
            return False
        silent = self._uses.all_open()
        _log.warning("the database answers nothing: %s connections are cut", len(silent))
        for connection in silent:
            _cut(connection)
        return True


def is_answered(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server of this connection, or the pooler before it, answers on a new one; each step within
    `_PATIENCE_SECONDS`. A refusal, as with too many connections, is an answer; of a connection that is closed meanwhile
    nothing is known.
    """
    try:
        info = connection.info
        address = dict(info.get_parameters()) | {
            "host": info.host,
            "port": str(info.port),
            "connect_timeout": str(_PATIENCE_SECONDS),
            "target_session_attrs": "any",
        }
        address.pop("hostaddr", None)
        text = make_conninfo("", **address)
        if PGconn.ping(text.encode()) == Ping.NO_RESPONSE:
            return False
        asking = psycopg.connect(text, password=info.password, **driver_settings("dialer silence"))
        with closing(asking) as asked:
            asked.pgconn.send_query(b"SELECT 1")
            poll = select.poll()
            poll.register(asked.fileno(), select.POLLIN)
            return bool(poll.poll(_PATIENCE_SECONDS * 1000))
    except psycopg.Error:
        return True


def _cut(connection: psycopg.Connection[Any]) -> None:
    """Ends the connection below the driver: the thread that waits for its answer gets an error."""
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as ours:
        ours.shutdown(socket.SHUT_RDWR)
