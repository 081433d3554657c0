"""The tasks of ringing. None carries anything but ids, and each may run twice or not at all without harm."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import uvloop
from celery import shared_task

from dialer.tasks import application
from dialer.tasks.parts import part, patiently
from dialer.telephony.client import CallClient
from dialer.telephony.desk import DeskClient
from dialer.telephony.messages import MessageClient
from dialer.usecases import cancel_calls as cancelling
from dialer.usecases import claim_errand as claiming
from dialer.usecases import dial as dialling
from dialer.usecases import dial_from_desk as desk_dialling
from dialer.usecases import escalate_unsigned as escalating
from dialer.usecases import fold_figures as folding
from dialer.usecases import mend_clock as mending
from dialer.usecases import pause as pausing
from dialer.usecases import reconcile as reconciling
from dialer.usecases import send_messages as messaging
from dialer.usecases import sweep as sweeping
from dialer.usecases import watch_cycle as cycling
from dialer.usecases.watch_web import WebWatch

_DIAL_SECONDS = 20.0
_LINGER_SECONDS = 2.0
_DIAL_AT_ONCE = 2
_FOLD_SECONDS = 1.0

_web = WebWatch()
_dialling = threading.BoundedSemaphore(_DIAL_AT_ONCE)


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
            may_ring=lambda tx: _web.may_ring(tx, app.engine),
        )

    if not _dialling.acquire(blocking=False):
        return
    try:
        part("dial", lambda: _with_client(ring))
    finally:
        _dialling.release()


@shared_task(name="dialer.sweep", ignore_result=True)
def sweep() -> None:
    """Everything whose time has come."""
    engine = application.current().engine
    part(
        "sweep",
        lambda: mending.mend_clock(engine),
        lambda: pausing.end_pauses(engine),
        lambda: sweeping.sweep_attempts(engine),
        lambda: sweeping.sweep_cases(engine),
        lambda: claiming.return_idle(engine),
        lambda: escalating.escalate_unsigned(engine),
    )


def _settle_desk_calls() -> None:
    async def run() -> None:
        app = application.current()
        async with DeskClient(app.telephony) as client:
            await desk_dialling.settle_desk_calls(app.engine, client)

    uvloop.run(run())


@shared_task(name="dialer.reconcile", ignore_result=True)
def reconcile() -> None:
    """Silent attempts are asked about, unwanted calls are ended."""
    engine = application.current().engine
    part(
        "reconcile",
        lambda: _with_client(lambda client: cancelling.cancel_calls(engine, client)),
        lambda: _with_client(lambda client: reconciling.reconcile(engine, client)),
        _settle_desk_calls,
    )


@shared_task(name="dialer.audit", ignore_result=True)
def audit() -> None:
    """Cases are compared with their rows."""
    patiently(lambda: cycling.audit_round(application.current().engine))


@shared_task(name="dialer.send_messages", ignore_result=True)
def send_messages() -> None:
    """Planned messages leave, and what became of doubtful ones is asked."""

    async def run() -> None:
        app = application.current()
        async with MessageClient(app.telephony) as client:
            await messaging.send_messages(app.engine, client)
            await messaging.look_for_messages(app.engine, client)
            await messaging.ask_about_messages(app.engine, client)

    patiently(lambda: asyncio.run(run()))


@shared_task(name="dialer.cancel_calls", ignore_result=True)
def cancel_calls() -> None:
    patiently(
        lambda: _with_client(lambda client: cancelling.cancel_calls(application.current().engine, client))
    )


@shared_task(name="dialer.fold", ignore_result=True)
def fold() -> None:
    """The report's fact rows are brought up to date, for a moment: a long list must not keep rings waiting."""
    patiently(lambda: folding.fold_figures(application.current().engine, for_seconds=_FOLD_SECONDS))


def _with_client(work: Callable[[CallClient], Awaitable[int]]) -> None:
    async def run() -> None:
        async with CallClient(application.current().telephony) as client:
            await work(client)

    uvloop.run(run())
