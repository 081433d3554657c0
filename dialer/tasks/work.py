"""The tasks. None carries anything but ids, and each may run twice or not at all without harm."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from celery import shared_task

from dialer.errors import Unavailable, UnusableFile
from dialer.store import loads
from dialer.tasks import application
from dialer.telephony.client import CallClient
from dialer.usecases import cancel_calls as cancelling
from dialer.usecases import dial as dialling
from dialer.usecases import escalate_unsigned as escalating
from dialer.usecases import load_list as loading
from dialer.usecases import pause as pausing
from dialer.usecases import reconcile as reconciling
from dialer.usecases import sweep as sweeping

_DIAL_SECONDS = 20.0

_log = logging.getLogger(__name__)


@shared_task(name="dialer.dial", ignore_result=True)
def dial() -> None:
    """Rings what may be rung now, for a while."""

    async def ring(client: CallClient) -> int:
        app = application.current()
        return await dialling.dial(
            app.engine, client, for_seconds=_DIAL_SECONDS, stopping=application.stopping
        )

    _with_client(ring)


@shared_task(name="dialer.sweep", ignore_result=True)
def sweep() -> None:
    """Everything whose time has come."""
    _patiently(lambda: pausing.end_pauses(application.current().engine))
    _patiently(lambda: sweeping.sweep_attempts(application.current().engine))
    _patiently(lambda: sweeping.sweep_cases(application.current().engine))
    _patiently(lambda: escalating.escalate_unsigned(application.current().engine))


@shared_task(name="dialer.reconcile", ignore_result=True)
def reconcile() -> None:
    """Silent attempts are asked about, unwanted calls are ended."""
    _with_client(lambda client: cancelling.cancel_calls(application.current().engine, client))
    _with_client(lambda client: reconciling.reconcile(application.current().engine, client))


@shared_task(name="dialer.cancel_calls", ignore_result=True)
def cancel_calls() -> None:
    _with_client(lambda client: cancelling.cancel_calls(application.current().engine, client))


@shared_task(name="dialer.load_list", ignore_result=True)
def load_list(load_id: int) -> None:
    """One list, from where it stands to its end."""
    _patiently(lambda: _load(load_id))


@shared_task(name="dialer.resume_loads", ignore_result=True)
def resume_loads() -> None:
    """Lists whose worker has gone."""
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

    _patiently(lambda: asyncio.run(run()))


def _patiently(work: Callable[[], object]) -> None:
    """A part that does not answer costs a log line: the next tick tries again."""
    try:
        work()
    except Unavailable as fault:
        _log.warning("%s", fault)
