"""A person's own notifications: the rules, a test, what was sent; and the stream by which open pages show them."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

import orjson
from fastapi import Form
from sse_starlette import ServerSentEvent
from starlette.responses import Response

from dialer.core.access import Permission
from dialer.core.errors import Invalid, Unavailable
from dialer.core.notifications import NotificationChannel, WebhookFormat
from dialer.core.text import gettext_noop
from dialer.duty.store import staff_on_rosters
from dialer.language.words import word_of
from dialer.notifications.actions import (
    TypedRules,
    change_rules,
    own_notifications,
    send_test,
    show_on_pages,
    text_of,
)
from dialer.notifications.browsers import add_browser, own_browsers, push_key, remove_browser
from dialer.runtime.services import Services
from dialer.staff.sign_in import valid_sessions
from dialer.web.console import ConsoleContext, CurrentRequest, PageSection, RequestContext
from dialer.web.streams import EventStream, wants_events

notification_pages = PageSection()
_PATH, _TEMPLATE = "/notifications", "console/notifications.html"
_BROWSERS = _PATH + "/browsers"
_ACT = Permission.SEE_DUTY
_POLL_SECONDS, _POLLS_PER_BEAT = 0.5, 30
_ROSTERS_SECONDS = 30.0
_SHOWN_AGAIN_SECONDS = 15.0
_DAY = timedelta(days=1)
_MOST_STREAMS, _MOST_OF_A_SESSION = 1000, 6
_UNFIT = 422


@notification_pages.get(_PATH, act=_ACT)
def show(request: CurrentRequest) -> Response:
    """The reader's own rules, and what was sent to them."""
    return _show(request)


@notification_pages.post(_PATH, act=_ACT)
def change(
    request: CurrentRequest,
    desktop: Annotated[str, Form(max_length=10)] = "",
    push: Annotated[str, Form(max_length=10)] = "",
    webhook: Annotated[str, Form(max_length=10)] = "",
    sms: Annotated[str, Form(max_length=10)] = "",
    call: Annotated[str, Form(max_length=10)] = "",
    quiet_from: Annotated[str, Form(max_length=10)] = "",
    quiet_to: Annotated[str, Form(max_length=10)] = "",
    telephone: Annotated[str, Form(max_length=40)] = "",
    url: Annotated[str, Form(max_length=500)] = "",
    secret: Annotated[str, Form(max_length=200)] = "",
    format: Annotated[str, Form(max_length=20)] = WebhookFormat.STANDARD.value,  # noqa: A002 - the name of the field
) -> Response:
    """Stores the reader's own rules."""
    typed = TypedRules(
        minutes={
            NotificationChannel.DESKTOP: desktop,
            NotificationChannel.PUSH: push,
            NotificationChannel.WEBHOOK: webhook,
            NotificationChannel.SMS: sms,
            NotificationChannel.CALL: call,
        },
        quiet_from=quiet_from,
        quiet_to=quiet_to,
        telephone=telephone,
        url=url,
        secret=secret,
        format=format,
    )
    try:
        change_rules(request.services, request.actor, request.member.id, typed)
    except Invalid as fault:
        return _show(request, typed=typed, wrong=request.wrong(fault))
    return request.redirect_to(_PATH, notice=gettext_noop("Your notifications are saved."))


@notification_pages.post(_PATH + "/test", act=_ACT)
def test(request: CurrentRequest) -> Response:
    """Sends the reader a test by each of their channels."""
    send_test(request.services, request.actor, request.member.id)
    return request.redirect_to(_PATH, notice=gettext_noop("A test is on its way by each of your channels."))


@notification_pages.post(_BROWSERS, act=_ACT)
def add(
    request: CurrentRequest,
    endpoint: Annotated[str, Form(max_length=2000)],
    public: Annotated[str, Form(max_length=200)] = "",
    secret: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Receives what is pushed to the reader in this browser."""
    try:
        add_browser(
            request.services,
            request.actor,
            request.member.id,
            endpoint=endpoint,
            public=public,
            secret=secret,
        )
    except Invalid as fault:
        return _show(request, wrong=request.wrong(fault))
    return request.redirect_to(_PATH, notice=gettext_noop("This browser shows your notifications."))


@notification_pages.post(_BROWSERS + "/{browser_id}/remove", act=_ACT)
def remove(request: CurrentRequest, browser_id: UUID) -> Response:
    """Receives nothing in that browser any more."""
    remove_browser(request.services, request.actor, request.member.id, browser_id)
    return request.redirect_to(_PATH, notice=gettext_noop("The browser is removed."))


def _show(
    request: RequestContext, *, typed: TypedRules | None = None, wrong: dict[str, str] | None = None
) -> Response:
    personal, past = own_notifications(request.services, request.member.id)
    after, rules = personal.rules.after, personal.rules
    key = push_key(request.services)
    stored = TypedRules(
        minutes={
            channel: f"{after[channel].total_seconds() / 60:g}" if channel in after else ""
            for channel in NotificationChannel
        },
        quiet_from=f"{rules.quiet_from:%H:%M}" if rules.quiet_from else "",
        quiet_to=f"{rules.quiet_to:%H:%M}" if rules.quiet_to else "",
        telephone=personal.telephone,
        url=personal.url,
        format=personal.format.value,
    )
    return request.page(
        _TEMPLATE,
        status=_UNFIT if wrong else 200,
        typed=typed or stored,
        wrong=wrong or {},
        is_default=personal.changed_at is None,
        has_secret=bool(personal.secret),
        channels=[one for one in NotificationChannel if key or one is not NotificationChannel.PUSH],
        push_key=key,
        browsers=[
            (one.id, urlsplit(one.browser.endpoint).hostname, one.added_at)
            for one in own_browsers(request.services, request.member.id)
        ],
        formats=[(kind.value, word_of(kind, request.lang)) for kind in WebhookFormat],
        past=past,
    )


@dataclass(slots=True)
class _Stream:
    session_id: int
    staff_id: int
    shown: deque[bytes] = field(default_factory=deque)


class _Streams:
    """The open streams of this process; `stop` ends them. However many are open, one query serves them all."""

    def __init__(self, services: Services) -> None:
        self.open: list[_Stream] = []
        self.is_over = False
        self._services = services
        self._polling = asyncio.Lock()
        self._polled_at = 0.0
        self._recent: deque[tuple[float, int, bytes]] = deque()

    def enter(self, stream: _Stream) -> bool:
        """Adds a stream; False if there is no room."""
        of_session = sum(other.session_id == stream.session_id for other in self.open)
        if self.is_over or len(self.open) >= _MOST_STREAMS or of_session >= _MOST_OF_A_SESSION:
            return False
        self.open.append(stream)
        # Somebody who went to another page as it came has not seen it.
        oldest = time.monotonic() - _SHOWN_AGAIN_SECONDS
        stream.shown += (
            data for at, staff_id, data in self._recent if staff_id == stream.staff_id and at >= oldest
        )
        return True

    def stop(self) -> None:
        self.is_over = True

    async def poll(self) -> None:
        """Takes what pages of this process show now, at most every `_POLL_SECONDS`."""
        async with self._polling:
            now = asyncio.get_running_loop().time()
            if self._polled_at and now - self._polled_at < _POLL_SECONDS:
                return
            self._polled_at = now
            staff_ids = {stream.staff_id for stream in self.open}
            for one in await asyncio.to_thread(show_on_pages, self._services, staff_ids):
                shown = {"id": str(one.id), "text": text_of(self._services, one), "to": one.page}
                data = orjson.dumps(shown)
                self._recent.append((time.monotonic(), one.staff_id, data))
                for stream in self.open:
                    if stream.staff_id == one.staff_id:
                        stream.shown.append(data)
            while self._recent and self._recent[0][0] < time.monotonic() - _SHOWN_AGAIN_SECONDS:
                self._recent.popleft()


@notification_pages.get(_PATH + "/live", act=_ACT, while_idle=True)
async def stream(request: CurrentRequest, always: str = "") -> Response:
    """Sends each notification of the reader as it comes. Without a stream in its Accept the client only asks whether
    there is anything to wait for: 204 for somebody whom no roster names these days, unless `always`.
    """
    assert request.session is not None
    services = request.services
    if not always and request.member.id not in await asyncio.to_thread(_on_rosters, request):
        return Response(status_code=204)
    if not wants_events(request.request):
        return Response(status_code=200)
    state = request.request.app.state
    if not hasattr(state, "notification_streams"):
        context: ConsoleContext = state.console_context
        state.notification_streams = _Streams(services)
        context.closing.join(state.notification_streams.stop)
    streams: _Streams = state.notification_streams
    own = _Stream(session_id=request.session.id, staff_id=request.member.id)
    if not streams.enter(own):
        return Response(status_code=503, headers={"Retry-After": "15"})
    return EventStream(_shown(services, streams, own), leave=lambda: streams.open.remove(own))


def _on_rosters(request: RequestContext) -> frozenset[int]:
    services = request.services

    def read(_: None) -> frozenset[int]:
        with services.store.begin_single_read() as tx:
            now = services.clock.now()
            today = now.astimezone(services.centre.zone).date()
            return staff_on_rosters(tx, first=today - 2 * _DAY, last=today + _DAY, now=now)

    found: frozenset[int] = (
        request.cache("on_rosters", read, seconds=_ROSTERS_SECONDS).get(None).value or frozenset()
    )
    return found


async def _shown(services: Services, streams: _Streams, own: _Stream) -> AsyncIterator[bytes]:
    polls = 0
    while not streams.is_over:
        try:
            if polls % _POLLS_PER_BEAT == 0:
                if own.session_id not in await asyncio.to_thread(valid_sessions, services, [own.session_id]):
                    return
                yield ServerSentEvent(event="beat", data="", sep="\n").encode()
            await streams.poll()
        except Unavailable:
            pass
        while own.shown:
            data = own.shown.popleft().decode()
            yield ServerSentEvent(event="notification", data=data, sep="\n").encode()
        polls += 1
        await asyncio.sleep(_POLL_SECONDS / 2)
