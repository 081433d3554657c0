"""The one application of a worker process, made when its first task needs it."""

from __future__ import annotations

import threading

from dialer.bootstrap import Application, assemble
from dialer.settings import load_settings

_lock = threading.Lock()
_made: list[Application] = []
_stopping = threading.Event()


def current() -> Application:
    with _lock:
        if not _made:
            _made.append(assemble(load_settings()))
        return _made[0]


def use(application: Application) -> None:
    """Tasks run on this one: for a worker that has it already."""
    with _lock:
        _made[:] = [application]


def stop() -> None:
    """Running tasks hand back what they hold and end soon."""
    _stopping.set()


def stopping() -> bool:
    return _stopping.is_set()
