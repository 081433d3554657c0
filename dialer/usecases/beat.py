"""A process says that it is alive, in its own row, for as long as it is."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from dialer.errors import Unavailable
from dialer.store import facts
from dialer.usecases.engine import Engine

BEAT_SECONDS = 2.0

_log = logging.getLogger(__name__)


@contextmanager
def beating(engine: Engine, *, kind: str, told: Mapping[str, object] | None = None) -> Iterator[None]:
    """The process beats within the block; leaving it, its row is gone. A database that does not answer costs a line."""
    process = f"{kind}:{socket.gethostname()}:{os.getpid()}"
    stopped = threading.Event()
    heart = threading.Thread(
        target=_beat, args=(engine, process, kind, dict(told or {}), stopped), name="heart", daemon=True
    )
    heart.start()
    try:
        yield
    finally:
        stopped.set()
        heart.join(timeout=BEAT_SECONDS)
        try:
            with engine.store.begin() as tx:
                facts.stop_beating(tx, process=process)
        except Unavailable as fault:
            _log.warning("%s", fault)


def _beat(
    engine: Engine, process: str, kind: str, told: Mapping[str, object], stopped: threading.Event
) -> None:
    while True:
        try:
            with engine.store.begin() as tx:
                facts.beat(tx, process=process, kind=kind, real_now=engine.real.now(), facts=told)
        except Unavailable as fault:
            _log.warning("%s", fault)
        if stopped.wait(BEAT_SECONDS):
            return
