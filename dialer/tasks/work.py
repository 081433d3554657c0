"""The tasks. None carries anything but ids, and each may run twice or not at all without harm."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from celery import shared_task

from dialer.errors import Unavailable, UnusableFile
from dialer.runtime.loop import run_fast
from dialer.store import loads, renders
from dialer.tasks import application
from dialer.telephony.client import CallClient
from dialer.telephony.messages import MessageClient
from dialer.usecases import cancel_calls as cancelling
from dialer.usecases import claim_errand as claiming
from dialer.usecases import dial as dialling
from dialer.usecases import escalate_unsigned as escalating
from dialer.usecases import fold_figures as folding
from dialer.usecases import load_list as loading
from dialer.usecases import mend_clock as mending
from dialer.usecases import pause as pausing
from dialer.usecases import reconcile as reconciling
from dialer.usecases import send_messages as messaging
from dialer.usecases import sweep as sweeping
from dialer.usecases import watch_cycle as cycling

if TYPE_CHECKING:
    from dialer.usecases.render_script import Studio

_DIAL_SECONDS = 20.0
_LINGER_SECONDS = 2.0
_DIAL_AT_ONCE = 2
_NOTE_SECONDS = 2.0
_FOLD_SECONDS = 1.0
_RENDER_SECONDS = 5.0

_dialling = threading.BoundedSemaphore(_DIAL_AT_ONCE)
_noted: dict[str, float] = {}
_studios: list[Studio] = []
"""The voices of this process, loaded once."""

_log = logging.getLogger(__name__)


@shared_task(name="dialer.dial", ignore_result=True)
def dial() -> None:
    """Rings what may be rung now, for a while. So many at once and no more, or sweeps would wait behind them."""

    async def ring(client: CallClient) -> int:
        app = application.current()
        return await dialling.dial(
            app.engine,
            client,
            for_seconds=_DIAL_SECONDS,
            stopping=application.stopping,
            linger_seconds=_LINGER_SECONDS,
        )

    if not _dialling.acquire(blocking=False):
        return
    try:
        _part("dial", lambda: _with_client(ring))
    finally:
        _dialling.release()


@shared_task(name="dialer.sweep", ignore_result=True)
def sweep() -> None:
    """Everything whose time has come."""
    engine = application.current().engine
    _part(
        "sweep",
        lambda: mending.mend_clock(engine),
        lambda: pausing.end_pauses(engine),
        lambda: sweeping.sweep_attempts(engine),
        lambda: sweeping.sweep_cases(engine),
        lambda: claiming.return_idle(engine),
        lambda: escalating.escalate_unsigned(engine),
    )


@shared_task(name="dialer.reconcile", ignore_result=True)
def reconcile() -> None:
    """Silent attempts are asked about, unwanted calls are ended."""
    engine = application.current().engine
    _part(
        "reconcile",
        lambda: _with_client(lambda client: cancelling.cancel_calls(engine, client)),
        lambda: _with_client(lambda client: reconciling.reconcile(engine, client)),
    )


@shared_task(name="dialer.audit", ignore_result=True)
def audit() -> None:
    """Cases are compared with their rows."""
    _patiently(lambda: cycling.audit_round(application.current().engine))


@shared_task(name="dialer.send_messages", ignore_result=True)
def send_messages() -> None:
    """Planned messages leave, and what became of doubtful ones is asked."""

    async def run() -> None:
        app = application.current()
        async with MessageClient(app.telephony) as client:
            await messaging.send_messages(app.engine, client)
            await messaging.look_for_messages(app.engine, client)

    _patiently(lambda: asyncio.run(run()))


@shared_task(name="dialer.cancel_calls", ignore_result=True)
def cancel_calls() -> None:
    _patiently(
        lambda: _with_client(lambda client: cancelling.cancel_calls(application.current().engine, client))
    )


@shared_task(name="dialer.fold", ignore_result=True)
def fold() -> None:
    """The report's tally is brought up to date, for a moment: a long list must not keep rings waiting."""
    _patiently(lambda: folding.fold_figures(application.current().engine, for_seconds=_FOLD_SECONDS))


@shared_task(name="dialer.load_list", ignore_result=True)
def load_list(load_id: int) -> None:
    """One list, from where it stands to its end."""
    _patiently(lambda: _load(load_id))


@shared_task(name="dialer.resume_loads", ignore_result=True)
def resume_loads() -> None:
    """Lists whose worker has gone."""
    _patiently(_resume)


@shared_task(name="dialer.render_script", ignore_result=True)
def render_script(render_id: int) -> None:
    """The sound of one version, for a while: an urgent list must not wait behind it."""
    _patiently(lambda: _render(render_id))


@shared_task(name="dialer.resume_renders", ignore_result=True)
def resume_renders() -> None:
    """Sound that nobody is making."""
    _patiently(_resume_renders)


def _resume_renders() -> None:
    engine = application.current().engine
    with engine.store.begin() as tx:
        waiting = renders.unfinished(tx, real_now=engine.real.now())
    for render_id in waiting:
        _patiently(partial(_render, render_id))


def _render(render_id: int) -> None:
    # Sound processing is loaded here alone: no worker that renders nothing should pay for it.
    from dialer.usecases.render_script import Studio, render_script  # noqa: PLC0415

    app = application.current()
    if not _studios:
        _studios.append(Studio.of(app.settings.data_dir))
    over = render_script(
        app.engine, render_id, studio=_studios[0], for_seconds=_RENDER_SECONDS, stopping=application.stopping
    )
    if not over and not application.stopping():
        app.engine.nudge("render_script", render_id)


def _resume() -> None:
    engine = application.current().engine
    with engine.store.begin() as tx:
        waiting = loads.unfinished(tx, real_now=engine.real.now())
    for load_id in waiting:
        _patiently(partial(_load, load_id))


def _load(load_id: int) -> None:
    try:
        loading.load_list(application.current().engine, load_id)
    except UnusableFile as fault:
        _log.warning("load %s is no list: %s", load_id, fault)


def _with_client(work: Callable[[CallClient], Awaitable[int]]) -> None:
    async def run() -> None:
        async with application.current().calls() as client:
            await work(client)

    run_fast(run())


def _part(name: str, *works: Callable[[], object]) -> None:
    """One part of the engine's cycle: when all of it was done to its end, that is noted, now and then."""
    engine = application.current().engine
    began_at = engine.real.now()
    done = [_patiently(work) for work in works]
    if all(done) and time.monotonic() - _noted.get(name, -_NOTE_SECONDS) >= _NOTE_SECONDS:
        _noted[name] = time.monotonic()
        _patiently(lambda: cycling.note_part(engine, name, began_at=began_at))


def _patiently(work: Callable[[], object]) -> bool:
    """A part that does not answer costs a log line: the next tick tries again. Whether the work was done."""
    try:
        work()
    except Unavailable as fault:
        _log.warning("%s", fault)
        return False
    return True
