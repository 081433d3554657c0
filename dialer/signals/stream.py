"""Signals from a stream of the broker, read by a consumer group. An entry is acknowledged after its signal is
committed: of several readers one reads it, and if that reader dies, another does.

An entry contains the fields of one signal, or a field `json` with one object. A rejected entry is acknowledged too, and
is added with the reasons to the stream `NAME:refused`; nothing of the signal is repeated there.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import orjson
import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from dialer.core.errors import Unavailable
from dialer.core.text import Text
from dialer.db.unit_of_work import UnfitValue
from dialer.runtime.broker import redis_url
from dialer.runtime.services import Services
from dialer.signals.deliveries import SignalAnswer, SignalReception, SignalStatus, take_signals
from dialer.signals.model import RejectedField

GROUP: Final = "dialer"
_AT_ONCE: Final = 1000
_BLOCK_MS: Final = 500
_IDLE_MS: Final = 15_000
"""After a reader has had an entry for this long without acknowledging it, another reader may claim it."""
_CLAIM_SECONDS: Final = 5.0
_RETRY_SECONDS: Final = 1.0
_REFUSED_KEPT: Final = 10_000

Entry = tuple[bytes, Mapping[bytes, bytes]]

_log = logging.getLogger(__name__)


class SignalStream:
    """One reader of the stream `name` of the broker at `url`."""

    def __init__(self, services: Services, *, url: str, name: str, idle_ms: int = _IDLE_MS) -> None:
        self._services = services
        self._name = name
        self._idle_ms = idle_ms
        self._reception = SignalReception(services)
        self._consumer = f"{socket.gethostname()}:{os.getpid()}:{threading.get_native_id()}"
        self._client = redis.Redis.from_url(
            redis_url(url, scheme="unix"), socket_timeout=10, retry=Retry(NoBackoff(), 0)
        )
        self._claimed_at = -_CLAIM_SECONDS
        self._is_ready = False

    def run(self, stopped: threading.Event) -> None:
        """Reads until `stopped`. After a fault, such as a broker or database that does not answer, it logs a line,
        waits a second, and reads the entries again.
        """
        while not stopped.is_set():
            try:
                self.read_once(block_ms=_BLOCK_MS)
            except (RedisError, Unavailable) as fault:
                _log.warning("the stream of signals is not read: %s", type(fault).__name__)
            except Exception:  # noqa: BLE001  # one fault must not end the reader: it reads again
                _log.exception("the stream of signals is not read")
            else:
                continue
            self._is_ready, self._claimed_at = False, -_CLAIM_SECONDS
            stopped.wait(_RETRY_SECONDS)
        self._client.close()

    def read_once(self, *, block_ms: int | None = None) -> int:
        """Commits and acknowledges the next entries; returns how many. Raises `Unavailable` and `RedisError`; the
        entries are then read again.
        """
        if not self._is_ready:
            self._make_ready()
        taken = 0
        if time.monotonic() - self._claimed_at >= _CLAIM_SECONDS:
            taken += self._take(self._abandoned())
            self._claimed_at = time.monotonic()
        found: Any = self._client.xreadgroup(
            GROUP, self._consumer, {self._name: ">"}, count=_AT_ONCE, block=block_ms
        )
        return taken + sum(self._take(entries) for _, entries in found or ())

    def _make_ready(self) -> None:
        try:
            self._client.xgroup_create(self._name, GROUP, id="0", mkstream=True)
        except ResponseError as fault:
            if not str(fault).startswith("BUSYGROUP"):
                raise
        # Entries that this reader read but did not acknowledge, since the database did not answer.
        while (found := self._unacknowledged()) and self._take(found):
            pass
        self._is_ready = True

    def _unacknowledged(self) -> Sequence[Entry]:
        found: Any = self._client.xreadgroup(GROUP, self._consumer, {self._name: "0"}, count=_AT_ONCE)
        return found[0][1] if found else ()

    def _abandoned(self) -> Sequence[Entry]:
        found: Any = self._client.xautoclaim(
            self._name, GROUP, self._consumer, min_idle_time=self._idle_ms, count=_AT_ONCE
        )
        entries: Sequence[Entry] = found[1]
        return entries

    def _take(self, entries: Sequence[Entry]) -> int:
        if not entries:
            return 0
        answers = self._answers(entries)
        with self._client.pipeline(transaction=True) as pipe:
            for (entry_id, _), answer in zip(entries, answers, strict=True):
                if answer.status is SignalStatus.REJECTED:
                    faults = [
                        {"field": fault.field, "reason": str(fault.reason), "fix": str(fault.fix)}
                        for fault in answer.faults
                    ]
                    refused: Any = {"entry": entry_id, "faults": orjson.dumps(faults)}
                    pipe.xadd(f"{self._name}:refused", refused, maxlen=_REFUSED_KEPT)
            ids = [entry_id for entry_id, _ in entries]
            pipe.xack(self._name, GROUP, *ids)
            pipe.xdel(self._name, *ids)
            pipe.execute()
        return len(entries)

    def _answers(self, entries: Sequence[Entry]) -> Sequence[SignalAnswer]:
        """The result of each entry. If they fail together, each is stored by itself, and an entry that cannot be read
        or stored is rejected, so that it does not stop those behind it.
        """
        try:
            delivery = self._reception.read([_record(fields) for _, fields in entries])
        except Exception as fault:  # noqa: BLE001 - senders may send any value
            return self._one_by_one(entries, fault)
        try:
            (answers,) = take_signals(self._services, [delivery])
        except UnfitValue as fault:
            return self._one_by_one(entries, fault)
        return answers

    def _one_by_one(self, entries: Sequence[Entry], fault: Exception) -> Sequence[SignalAnswer]:
        if len(entries) > 1:
            return [answer for entry in entries for answer in self._answers([entry])]
        ((entry_id, _),) = entries
        _log.error("entry %s of the stream is refused: %s", entry_id.decode(), type(fault).__name__)
        wrong = RejectedField(
            field="", reason=Text("could not be read"), fix=Text("correct its values and send it again")
        )
        return [SignalAnswer(status=SignalStatus.REJECTED, faults=(wrong,))]


@contextmanager
def reading_stream(services: Services, *, url: str, stopped: threading.Event) -> Iterator[None]:
    """Within the block a thread reads the stream that the settings name, if they name one."""
    name = services.signals.stream
    reader = None
    if name:
        stream = SignalStream(services, url=url, name=name)
        reader = threading.Thread(target=stream.run, args=(stopped,), name="stream", daemon=True)
        reader.start()
    try:
        yield
    finally:
        stopped.set()
        if reader is not None:
            reader.join(timeout=_RETRY_SECONDS)


def _record(fields: Mapping[bytes, bytes] | None) -> Mapping[str, Any] | None:
    """The record in the entry; None if it contains none."""
    if not fields:
        return None  # Deleted while it was pending.
    try:
        if b"json" in fields:
            value = orjson.loads(fields[b"json"])
            return value if isinstance(value, dict) else None
        return {name.decode(): value.decode() for name, value in fields.items()}
    except (UnicodeDecodeError, orjson.JSONDecodeError):
        return None
