"""Calls placed, ended, asked for and found at the carrier, through the official client of Twilio's API.

Its calls API has no idempotency key: a request of which we do not know what became is never sent again here.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from types import TracebackType
from typing import Final, Self, TypeVar
from uuid import UUID

import aiohttp
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.base.values import unset
from twilio.rest import Client
from twilio.rest.api.v2010.account.call import CallInstance

from dialer.errors import Unavailable
from dialer.language import Text, mark
from dialer.telephony.config import TelephonyConfig
from dialer.telephony.progress import CallState
from dialer.telephony.refusals import TOO_MANY, Fault, fault_of
from dialer.telephony.urls import HookUrls
from dialer.telephony.wire import TooFast, Wire

__all__ = [
    "LOST",
    "UNREADABLE",
    "CallClient",
    "CallState",
    "Fault",
    "PlaceCall",
    "Placed",
    "Refused",
    "Unsure",
    "asked",
    "trouble",
]

_T = TypeVar("_T")
_EVENTS: Final = ["initiated", "ringing", "answered", "completed"]
_PART: Final = mark("carrier")
_WRONG_STATE: Final = 21220
"""Twilio's code for ending a call in a way that its state does not allow."""
_PAGE: Final = 1_000
_MOST_CALLS: Final = 5_000
_SID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_UNDECIDED: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, 499})
"""4xx answers that a proxy gives when it lost patience, whatever the carrier did meanwhile."""
_NOT_SENT: Final = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
LOST: Final = (aiohttp.ClientError, TimeoutError, OSError)
UNREADABLE: Final = (ValueError, TypeError, KeyError, AttributeError, TwilioException)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceCall:
    """`to` in E.164."""

    attempt_id: UUID
    to: str
    ring_timeout_seconds: int | None = None
    """None: as configured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The carrier has the call and will ring."""

    sid: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """There is certainly no call. Without `http_status` the request never left."""

    fault: Fault
    code: int | None = None
    http_status: int | None = None
    retry_after_seconds: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsure:
    """There may be a call or none. Look for it before anything else."""

    detail: str


class CallClient:
    """To be entered once a process: `async with CallClient(config) as client`. Its methods may run side by side."""

    def __init__(self, config: TelephonyConfig) -> None:
        self.config = config
        self.urls = HookUrls(config.public_url)
        self._wire: Wire | None = None
        self._client: Client | None = None

    async def __aenter__(self) -> Self:
        config = self.config
        self._wire = Wire(base_url=config.base_url, timeout_seconds=config.timeout_seconds)
        self._client = Client(
            config.account_sid,
            config.auth_token,
            http_client=self._wire,
            # Anything but empty: else the client lets TWILIO_REGION and TWILIO_EDGE of the environment move its host.
            environment={"TWILIO_REGION": ""},
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._wire is not None
        await self._wire.close()

    async def place(self, order: PlaceCall) -> Placed | Refused | Unsure:
        """Asks once for one call. Trouble with carrier or network is an answer, not an exception."""
        try:
            call = await self._create(order)
        except (TooFast, *LOST, *UNREADABLE) as error:
            return trouble(error)
        if not call.sid or not isinstance(call.sid, str):
            return Unsure(detail="the answer names no call")
        return Placed(sid=call.sid, status=str(call.status or "queued"))

    async def cancel(self, sid: str) -> bool:
        """Ends a call that should not ring: withdrawn while queued or ringing, hung up when it talks by now.

        False when the carrier says that there is nothing to end. Raises `Unavailable` when that is not known.
        """
        # Twilio refuses to withdraw a call that talks; others say yes and change nothing.
        status = await self._end(sid, "canceled")
        return status not in {None, "in-progress", "answered"} or await self.hang_up(sid)

    async def hang_up(self, sid: str) -> bool:
        """Ends a call whatever it is doing. False and `Unavailable` as with `cancel`."""
        return await self._end(sid, "completed") is not None

    async def fetch(self, sid: str) -> CallState | None:
        """The call as it is now; None when the carrier has no such call. Raises `Unavailable`."""
        if not _SID.fullmatch(sid):
            return None
        call = await asked(lambda: self.api.calls(sid).fetch_async(), absent=HTTPStatus.NOT_FOUND)
        return None if call is None else _state(call)

    async def find(self, to: str, *, since: datetime, until: datetime) -> list[CallState]:
        """Our calls to a number that were created in the interval, both ends included, to the second.

        The list is complete, or `Unavailable` is raised. Twilio's StartTime filter is no use: it goes by UTC day,
        and a call that is not dialled yet has no start.
        """
        first, last = since.astimezone(UTC).replace(microsecond=0), until.astimezone(UTC)
        calls = await asked(
            lambda: self.api.calls.list_async(to=to, limit=_MOST_CALLS, page_size=_PAGE), absent=None
        )
        if calls is None or len(calls) >= _MOST_CALLS:
            raise Unavailable(part=_PART, problem="more calls to one number than can be looked through")
        states = [_state(call) for call in calls if call.direction in {None, "outbound-api"}]
        return [
            state
            for state in states
            if state.date_created is not None and first <= state.date_created <= last
        ]

    @property
    def api(self) -> Client:
        assert self._client is not None, "the client was not entered"
        return self._client

    async def _create(self, order: PlaceCall) -> CallInstance:
        config, urls = self.config, self.urls
        detect = config.machine_detection
        return await self.api.calls.create_async(
            to=order.to,
            from_=config.caller_number,
            url=urls.call(order.attempt_id, step=0),
            method="POST",
            fallback_url=urls.fallback(order.attempt_id),
            fallback_method="POST",
            status_callback=urls.status(order.attempt_id),
            status_callback_event=_EVENTS,
            status_callback_method="POST",
            timeout=order.ring_timeout_seconds or config.ring_timeout_seconds,
            time_limit=config.talk_limit_seconds,
            machine_detection="Enable" if detect else unset,
            async_amd="true" if detect else unset,
            async_amd_status_callback=urls.amd(order.attempt_id) if detect else unset,
            async_amd_status_callback_method="POST" if detect else unset,
        )

    async def _end(self, sid: str, status: str) -> str | None:
        """The call's status after it was asked to end; None when the carrier has nothing to end."""
        if not _SID.fullmatch(sid):
            return None
        call = await asked(
            lambda: self.api.calls(sid).update_async(status=status),
            absent=HTTPStatus.NOT_FOUND,
            wrong_state=_WRONG_STATE,
        )
        return None if call is None else str(call.status)


async def asked(
    question: Callable[[], Awaitable[_T]], *, absent: int | None, wrong_state: int | None = None
) -> _T | None:
    """The answer; None for the HTTP status or code that means there is none. All other trouble is `Unavailable`."""
    try:
        return await question()
    except TooFast:
        raise Unavailable(part=_PART, problem="too many requests") from None
    except LOST as error:
        raise Unavailable(
            part=_PART, problem=Text("no answer (%(name)s)", name=type(error).__name__)
        ) from None
    except (TwilioRestException, TwilioServiceException) as error:
        if error.status == absent or (wrong_state is not None and error.code == wrong_state):
            return None
        raise Unavailable(
            part=_PART, problem=Text("HTTP %(status)s, code %(code)s", status=error.status, code=error.code)
        ) from None
    except UNREADABLE as error:
        raise Unavailable(
            part=_PART, problem=Text("unreadable answer (%(name)s)", name=type(error).__name__)
        ) from None


def trouble(error: Exception) -> Refused | Unsure:
    """What a failed creation means: certainly no call, or nobody knows."""
    if isinstance(error, TooFast):
        return Refused(
            fault=Fault.SLOW_DOWN, http_status=TOO_MANY, retry_after_seconds=error.retry_after_seconds
        )
    if isinstance(error, _NOT_SENT):
        return Refused(fault=Fault.OURS, detail=f"not sent: {type(error).__name__}")
    if isinstance(error, (TwilioRestException, TwilioServiceException)):
        return _refusal(error)
    if isinstance(error, LOST):
        return Unsure(detail=f"no answer ({type(error).__name__})")
    return Unsure(detail=f"unreadable answer ({type(error).__name__})")


def _refusal(error: TwilioRestException | TwilioServiceException) -> Refused | Unsure:
    status = error.status
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _UNDECIDED:
        return Unsure(detail=f"HTTP {status}")
    code = error.code if isinstance(error.code, int) else None
    return Refused(
        fault=fault_of(http_status=status, code=code), code=code, http_status=status, detail=f"HTTP {status}"
    )


def _state(call: CallInstance) -> CallState:
    created = call.date_created
    duration = call.duration
    return CallState(
        sid=str(call.sid),
        status=str(call.status),
        date_created=created if isinstance(created, datetime) else None,
        answered_by=call.answered_by or "",
        duration_seconds=int(duration) if isinstance(duration, str) and duration.isdecimal() else None,
    )
