"""The one application of a worker process, made when its first task needs it, and what every task does around its
action: a part that does not answer is only logged, and a completed part is recorded for the cycle.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from celery import shared_task

from dialer.bootstrap import assemble
from dialer.control.health import note_part_done
from dialer.core.errors import Unavailable
from dialer.db.migration_locks import must_step_aside
from dialer.runtime.broker import TASK_PREFIX
from dialer.runtime.services import Application, ProcessPurpose
from dialer.runtime.settings import load_settings

_P = ParamSpec("_P")

_lock = threading.Lock()
_made: list[Application] = []
_stopping = threading.Event()


def current_application() -> Application:
    """The application of this process."""
    with _lock:
        if not _made:
            _made.append(assemble(load_settings(), ProcessPurpose.SERVE))
        return _made[0]


def use_application(application: Application) -> None:
    """Makes tasks run on this application from now on."""
    with _lock:
        _made[:] = [application]


def stop_application() -> None:
    """Makes running tasks release what they have claimed, and end soon."""
    _stopping.set()


def is_stopping() -> bool:
    """Whether this process is about to end."""
    return _stopping.is_set()


def wait_for_stop(seconds: float) -> bool:
    """As `is_stopping`, after a wait of up to `seconds`."""
    return _stopping.wait(seconds)


_NOTE_SECONDS = 2.0

_noted: dict[str, float] = {}

_log = logging.getLogger(__name__)


def cycle_part(name: str, *works: Callable[[], object]) -> None:
    """Runs one part of the cycle. If all of it succeeds, this is recorded, at most every two seconds."""
    services = current_application().services
    began_at = services.real.now()
    done = [run_logging_unavailable(work) for work in works]
    if all(done) and time.monotonic() - _noted.get(name, -_NOTE_SECONDS) >= _NOTE_SECONDS:
        _noted[name] = time.monotonic()
        run_logging_unavailable(lambda: note_part_done(services, name, began_at=began_at))


def tick_task(name: str) -> Callable[[Callable[_P, None]], Callable[_P, None]]:
    """Declares a Celery task of this name. A part that does not answer is logged, and the next tick tries again."""

    def declare(work: Callable[_P, None]) -> Callable[_P, None]:
        @wraps(work)
        def run(*ids: _P.args, **named: _P.kwargs) -> None:
            run_logging_unavailable(lambda: work(*ids, **named))

        task: Callable[_P, None] = shared_task(name=TASK_PREFIX + name, ignore_result=True)(run)
        return task

    return declare


def background_task(name: str) -> Callable[[Callable[_P, None]], Callable[_P, None]]:
    """As `tick_task`, for work with transactions that take longer than a moment: it does not begin while a migration
    waits for its tables, and a later tick sends it again.
    """

    def declare(work: Callable[_P, None]) -> Callable[_P, None]:
        @wraps(work)
        def run(*ids: _P.args, **named: _P.kwargs) -> None:
            if not must_step_aside(current_application().services.store):
                work(*ids, **named)

        return tick_task(name)(run)

    return declare


def run_logging_unavailable(work: Callable[[], object]) -> bool:
    """True when the work was done. A part that does not answer is logged: the next tick tries again."""
    try:
        work()
    except Unavailable as fault:
        _log.warning("%s", fault)
        return False
    return True
