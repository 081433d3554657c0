"""The tasks of dialling. They carry ids only, and each may run twice or not at all without harm."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TypeVar

import uvloop
from celery import shared_task

from dialer.calls.dial import CarrierCheck, DatabaseDelays, dial
from dialer.calls.messages import ask_about_messages, look_for_messages, send_messages
from dialer.calls.pauses import end_pauses
from dialer.calls.reconcile import WebProcessCheck, cancel_calls, reconcile, sweep_attempts, sweep_cases
from dialer.calls.sound import probe_sound
from dialer.cards.counter.desk import lapse_questions
from dialer.control.health import repair_clock, run_consistency_round
from dialer.control.trunks import has_trunks, watch_trunks
from dialer.core.notifications import NotificationChannel
from dialer.core.values import MessageChannel
from dialer.notifications.actions import ORDER, claim_due, end_lapsed, plan_notifications
from dialer.notifications.sending import (
    place_calls,
    post_webhooks,
    push_session,
    push_to_browsers,
    refuse_all,
    send_texts,
)
from dialer.runtime.services import Application
from dialer.tasks.application import (
    background_task,
    current_application,
    cycle_part,
    is_stopping,
    run_logging_unavailable,
    tick_task,
)
from dialer.telephony.client import CallClient, DeskClient
from dialer.warnings.source_limits import raise_late_extra_high
from dialer.webhooks.sending import webhook_session
from dialer.work.desk_calls import settle_desk_calls
from dialer.work.inbound import settle_inbound_calls
from dialer.work.stop_requests import raise_unanswered
from dialer.work.tasks import return_idle_assignments
from dialer.work.transfers import escalate_unsigned

_DIAL_SECONDS = 20.0
_LINGER_SECONDS = 2.0
_DIAL_AT_ONCE = 2

_T = TypeVar("_T")
_Client = TypeVar("_Client", CallClient, DeskClient)

_web = WebProcessCheck()
_carrier = CarrierCheck()
_delays = DatabaseDelays()
_dialling = threading.BoundedSemaphore(_DIAL_AT_ONCE)


@shared_task(name="dialer.dial", ignore_result=True)
def dial_task() -> None:
    """Places the calls that are due, for a while. A bounded number run at once, so that sweeps do not wait behind
    them.
    """

    async def place_calls(client: CallClient) -> int:
        app = current_application()
        return await dial(
            app.services,
            client,
            for_seconds=_DIAL_SECONDS,
            stopping=is_stopping,
            linger_seconds=_LINGER_SECONDS,
            allowed=lambda tx: _web.allowed(tx, app.services),
            check=_carrier,
            delays=_delays,
            probe=partial(
                probe_sound,
                app.services,
                app.telephony,
                through_proxy=app.settings.web.check_public_url,
            ),
        )

    if not _dialling.acquire(blocking=False):
        return
    try:
        cycle_part("dial", lambda: _with_client(CallClient, place_calls))
    finally:
        _dialling.release()


@shared_task(name="dialer.sweep", ignore_result=True)
def sweep_task() -> None:
    """Does everything that has become due: pauses, attempts, cases, assignments, bank answers and outlets'
    questions.
    """
    services = current_application().services
    cycle_part(
        "sweep",
        lambda: repair_clock(services),
        lambda: end_pauses(services),
        lambda: sweep_attempts(services),
        lambda: sweep_cases(services),
        lambda: return_idle_assignments(services),
        lambda: escalate_unsigned(services),
        lambda: raise_unanswered(services),
        lambda: raise_late_extra_high(services),
        lambda: lapse_questions(services),
    )


@shared_task(name="dialer.reconcile", ignore_result=True)
def reconcile_task() -> None:
    """Asks the carrier about attempts without news, and ends unwanted calls."""
    services = current_application().services
    cycle_part(
        "reconcile",
        lambda: _with_client(CallClient, partial(cancel_calls, services)),
        lambda: _with_client(CallClient, partial(reconcile, services)),
        lambda: _with_client(DeskClient, partial(settle_desk_calls, services)),
        lambda: _with_client(CallClient, partial(settle_inbound_calls, services)),
        _watch_trunks,
    )


_TRUNKS_SECONDS = 10.0


class _TrunkWatch:
    """Checks the trunks every few seconds, on a line of the centre's own."""

    def __init__(self) -> None:
        self._at = -_TRUNKS_SECONDS
        self._failing: frozenset[str] = frozenset()

    def __call__(self) -> None:
        app = current_application()
        if app.carrier is None or not has_trunks(app) or time.monotonic() - self._at < _TRUNKS_SECONDS:
            return
        self._at = time.monotonic()
        self._failing = watch_trunks(app.services, app.carrier, before=self._failing)


_watch_trunks = _TrunkWatch()


@background_task("consistency")
def consistency_task() -> None:
    """Compares the cases with their rows."""
    run_consistency_round(current_application().services)


_channels_at_work: dict[MessageChannel, threading.Lock] = {}


@tick_task("send_messages")
def send_messages_task() -> None:
    """Sends planned messages, and asks about those whose result is uncertain. A channel that this process is already
    working on is left out: if it does not answer, it keeps one thread, and the next task serves the other channels.
    """
    services = current_application().services
    works = [partial(work, services) for work in (send_messages, look_for_messages, ask_about_messages)]
    for channel, open_client in current_application().message_channels.items():
        at_work = _channels_at_work.setdefault(channel, threading.Lock())
        if not at_work.acquire(blocking=False):
            continue
        try:
            run_logging_unavailable(partial(_run_with, open_client, *works))
        finally:
            at_work.release()


_notifying = {channel: threading.Lock() for channel in NotificationChannel}


@tick_task(ORDER)
def notify_task() -> None:
    """Plans notifications of new work, and sends what is due by each channel. One that this process is working on is
    left out, as with messages.
    """
    app = current_application()
    services = app.services
    plan_notifications(services)
    claim_due(services, NotificationChannel.DESKTOP, limit=500)
    end_lapsed(services)
    for channel, send in _SENDING.items():
        if not _notifying[channel].acquire(blocking=False):
            continue
        try:
            run_logging_unavailable(partial(send, app))
        finally:
            _notifying[channel].release()


def _text_people(app: Application) -> None:
    make = app.message_channels.get(MessageChannel.SMS)
    if make is None:
        uvloop.run(refuse_all(app.services, NotificationChannel.SMS))
    else:
        _run_with(make, partial(send_texts, app.services))


def _call_people(app: Application) -> None:
    _run_with(lambda: DeskClient(app.telephony), partial(place_calls, app.services))


def _post_to_people(app: Application) -> None:
    _run_with(lambda: webhook_session(app.services.webhooks), partial(post_webhooks, app.services))


def _push_to_people(app: Application) -> None:
    if not app.services.push.services:
        uvloop.run(refuse_all(app.services, NotificationChannel.PUSH))
    else:
        _run_with(lambda: push_session(app.services.push), partial(push_to_browsers, app.services))


_SENDING: Mapping[NotificationChannel, Callable[[Application], None]] = {
    NotificationChannel.SMS: _text_people,
    NotificationChannel.CALL: _call_people,
    NotificationChannel.WEBHOOK: _post_to_people,
    NotificationChannel.PUSH: _push_to_people,
}


@tick_task("cancel_calls")
def cancel_calls_task() -> None:
    """Ends the calls at the carrier that must end."""
    _with_client(CallClient, partial(cancel_calls, current_application().services))


# Orders of earlier releases' schedulers, which may lead while workers are replaced. None is made of another task, which
# is not there until its application is.
@background_task("audit")
def former_consistency_task() -> None:
    """As `consistency_task`."""
    run_consistency_round(current_application().services)


@tick_task("refresh_rollup")
def former_refresh_rollup_task() -> None:
    """Does nothing: figures are no longer summed in the database."""


@tick_task("fold")
def former_fold_task() -> None:
    """Does nothing, as `former_refresh_rollup_task`."""


def _with_client(kind: type[_Client], *works: Callable[[_Client], Awaitable[object]]) -> None:
    """Runs these one after the other with one client of the telephone network."""
    _run_with(lambda: kind(current_application().telephony), *works)


def _run_with(
    open_client: Callable[[], AbstractAsyncContextManager[_T]], *works: Callable[[_T], Awaitable[object]]
) -> None:
    async def run() -> None:
        async with open_client() as client:
            for work in works:
                await work(client)

    uvloop.run(run())
