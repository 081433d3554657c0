"""Voice and SMS through the official client of Twilio's API: calls of the robot and from a desk, and messages. One
pooled session, one time limit, no retries, no log of numbers.

The API has no idempotency key: a request whose result is unknown is never sent again here. A refusal is the number's
fault, ours, or a request to slow down, by Twilio's error codes (twilio.com/docs/api/errors). Codes that are not listed
count as ours: a wrong guess must not make a person's number count as dead.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from uuid import UUID
from xml.sax.saxutils import escape, quoteattr

import aiohttp
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.base.values import unset
from twilio.rest import Client
from twilio.rest.api.v2010.account.call import CallInstance
from twilio.rest.api.v2010.account.message import MessageInstance

from dialer.core.errors import Unavailable
from dialer.core.listening import ListenMode, mode_of
from dialer.core.talk import RoomVoice
from dialer.core.text import Text, gettext_noop
from dialer.core.values import MessageChannel, MessageState
from dialer.telephony.callbacks import MESSAGE_STATES, CallState, PersonLeg, caller_of, result_of
from dialer.telephony.channels import (
    ChannelClient,
    MessageClient,
    MessageProgress,
    Placed,
    RefusalCause,
    Refused,
    SendResult,
    SendText,
    UncertainResult,
)
from dialer.telephony.config import HookUrls, TelephonyConfig, recording_of_dial
from dialer.telephony.http_client import LOST, CarrierHttpClient, NotSent, RateLimited, may_send
from dialer.telephony.rooms import TALK_LIMIT_SECONDS, room_name, write_room_entry

_NUMBER: Final = frozenset(
    {
        13223,  # Dial: invalid phone number format
        13224,  # Dial: number not supported or invalid
        21201,  # no 'To' number
        21211,  # invalid 'To' number
        21214,  # 'To' number cannot be reached
        21216,  # this account may not call this number: Twilio's own list, number by number
        21217,  # phone number does not appear to be valid
        21401,  # invalid phone number
        21421,  # phone number is invalid
        21610,  # the receiver has opted out of this sender
    }
)

NOT_ALLOWED: Final = 21216
"""The code of a number that our own list refuses."""
_SLOW_DOWN: Final = frozenset(
    {
        10004,  # call concurrency limit exceeded
        20429,  # too many requests
        22005,  # the queue of calls is too long
    }
)


_T = TypeVar("_T")
_EVENTS: Final = ["initiated", "ringing", "answered", "completed"]
_RECORDING_EVENTS: Final = ["completed", "absent"]
_PART: Final = gettext_noop("carrier")
_WRONG_STATE: Final = 21220
"""Twilio's code for ending a call in a way that its state does not allow."""
_PAGE: Final = 1_000
_MOST_CALLS: Final = 5_000
_MOST_LISTED: Final = 1_000_000
_SID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_UNDECIDED: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, 499})
"""4xx answers of a proxy that has stopped waiting, whatever the carrier did meanwhile."""
_NOT_SENT: Final = (NotSent, aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
_UNREADABLE: Final = (ValueError, TypeError, KeyError, AttributeError, TwilioException)
REQUEST_ERRORS: Final = (RateLimited, *LOST, *_UNREADABLE)
"""The exceptions that a request may raise; `result_of_error` and `ask_account` interpret them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceCall:
    """`to` in E.164."""

    attempt_id: UUID
    to: str
    records: bool = False
    """Both sides are recorded from the answer on, each in a channel of its own."""
    may_send: Callable[[], bool] | None = None
    """Called when the connection is open and the request is about to be written: a process that was suspended meanwhile
    must not send. False makes the result `UncertainResult`, and no request is sent. None: always send.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedCall:
    """One call of the carrier's list. `to` in E.164, or a telephone of ours. `parent_sid`: of the call that this one is
    the second leg of; '' for a call of its own.
    """

    state: CallState
    created_at: datetime
    to: str
    parent_sid: str = ""
    caller: str = ""
    """The number of an inbound call as the network reports it; '' where it is hidden, and for outbound calls."""
    is_inbound: bool = False


class AccountClient:
    """A connection to the carrier's account. Enter it once per process: `async with CallClient(config) as client`. Its
    methods may run concurrently.
    """

    def __init__(self, config: TelephonyConfig) -> None:
        self.config = config
        self.urls = HookUrls(config.public_url)
        self._wire: CarrierHttpClient | None = None
        self._client: Client | None = None

    async def __aenter__(self) -> Self:
        config = self.config
        self._wire = CarrierHttpClient(base_url=config.base_url, timeout_seconds=config.timeout_seconds)
        self._client = Client(
            config.account_sid,
            config.auth_token,
            http_client=self._wire,
            # Not empty: an empty mapping would let TWILIO_REGION and TWILIO_EDGE of the environment change the host.
            environment={"TWILIO_REGION": ""},
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._wire is not None
        await self._wire.close()

    @property
    def api(self) -> Client:
        """The official client; only inside `async with`."""
        assert self._client is not None, "the client was not entered"
        return self._client

    @property
    def wire(self) -> CarrierHttpClient:
        """The HTTP session; only inside `async with`."""
        assert self._wire is not None, "the client was not entered"
        return self._wire

    async def create(
        self, creation: Callable[[], Awaitable[Any]], *, to: str = "", desk: str = ""
    ) -> SendResult:
        """Sends one request for a call or message to the person's number `to`, through the telephone `desk` if one is
        given, or for a call to that telephone alone: every leg passes here. A number that may not be called is refused
        before anything is sent. A fault of the carrier or the network is a result, not an exception.
        """
        if (to or not desk) and (why := self.config.numbers.refusal(to)) is not None:
            return Refused(cause=RefusalCause.NUMBER, code=NOT_ALLOWED, detail=str(why))
        if desk and not self.config.is_desk(desk):
            return Refused(cause=RefusalCause.NUMBER, code=NOT_ALLOWED, detail="not a telephone of the list")
        try:
            made = await creation()
        except REQUEST_ERRORS as error:
            return result_of_error(error)
        if not made.sid or not isinstance(made.sid, str):
            return UncertainResult(detail="the answer names no sid")
        return Placed(sid=made.sid, status=str(made.status or "queued"))


class CallClient(AccountClient, ChannelClient[PlaceCall, CallState]):
    """Calls of the robot."""

    async def send(self, order: PlaceCall, /) -> SendResult:
        """As `create`."""
        token = may_send.set(order.may_send)
        try:
            return await self.create(lambda: self._create(order), to=order.to)
        finally:
            may_send.reset(token)

    async def answers(self) -> bool:
        """Whether the carrier answers a harmless request, whatever the answer: it lists one of our calls."""
        try:
            await self.api.calls.list_async(limit=1, page_size=1)
        except LOST:
            return False
        except REQUEST_ERRORS:
            return True
        return True

    async def cancel(self, sid: str) -> bool:
        """Ends a call: withdrawn while queued or ringing, hung up when it was answered.

        False when the carrier reports that there is nothing to end. Raises `Unavailable` when that is not known.
        """
        # Twilio refuses to cancel an answered call; others accept and change nothing.
        status = await self._end(sid, "canceled")
        return status not in {None, "in-progress", "answered"} or await self.hang_up(sid)

    async def hang_up(self, sid: str) -> bool:
        """Ends a call whatever it is doing. False and `Unavailable` as with `cancel`."""
        return await self._end(sid, "completed") is not None

    async def state(self, sid: str, /) -> CallState | None:
        """The call as it is now; None when the carrier has no such call. Raises `Unavailable`."""
        if not _SID.fullmatch(sid):
            return None
        call = await ask_account(lambda: self.api.calls(sid).fetch_async(), absent=HTTPStatus.NOT_FOUND)
        return None if call is None else _state(call)

    async def find(self, order: PlaceCall, /, *, since: datetime, until: datetime) -> list[CallState]:
        """Our calls to a number that were created in the interval, both ends included, to the second.

        The list is complete, or `Unavailable` is raised. Twilio's StartTime filter cannot be used: it goes by UTC day,
        and a call that is not dialled yet has no start.
        """
        first, last = since.astimezone(UTC).replace(microsecond=0), until.astimezone(UTC)
        calls = await ask_account(
            lambda: self.api.calls.list_async(to=order.to, limit=_MOST_CALLS, page_size=_PAGE), absent=None
        )
        if calls is None or len(calls) >= _MOST_CALLS:
            raise Unavailable(part=_PART, problem="more calls to one number than can be looked through")
        states = [_state(call) for call in calls if call.direction in {None, "outbound-api"}]
        return [
            state
            for state in states
            if state.date_created is not None and first <= state.date_created <= last
        ]

    async def list_since(self, since: datetime) -> list[ListedCall]:
        """Every call that was created since then, of whatever kind, the newest first; calls to us are marked. The
        list is complete as far as the carrier's records go, or `Unavailable` is raised.
        """
        first = since.astimezone(UTC).replace(microsecond=0)
        calls = await ask_account(lambda: self._newer_than(first), absent=None)
        if calls is None or len(calls) >= _MOST_LISTED:
            raise Unavailable(part=_PART, problem="more calls than can be looked through")
        return calls

    async def _newer_than(self, first: datetime) -> list[ListedCall]:
        """The list has no filter for this (see `find`) and begins with the newest call: it is read until a whole page
        of calls is older than `first`.
        """
        found: dict[str, ListedCall] = {}
        older = 0
        page = await self.api.calls.page_async(page_size=_PAGE)
        while page is not None and older < _PAGE and len(found) < _MOST_LISTED:
            for call in page:
                created = call.date_created
                if not isinstance(created, datetime):
                    raise TypeError("a call without its time")
                if created < first:
                    older += 1
                    continue
                older = 0
                is_inbound = str(call.direction or "") == "inbound"
                number = call._from  # noqa: SLF001 - so the client names the field, since `from` is a keyword
                found[str(call.sid)] = ListedCall(
                    state=_state(call),
                    created_at=created,
                    to=str(call.to or ""),
                    parent_sid=str(call.parent_call_sid or ""),
                    caller=caller_of({"From": str(number)}) if is_inbound and number else "",
                    is_inbound=is_inbound,
                )
            following = page.next_page_url
            page = await self.api.calls.get_page_async(following) if following else None
        return list(found.values())

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
            timeout=config.ring_timeout_seconds,
            time_limit=config.talk_limit_seconds,
            machine_detection="Enable" if detect else unset,
            async_amd="true" if detect else unset,
            async_amd_status_callback=urls.amd(order.attempt_id) if detect else unset,
            async_amd_status_callback_method="POST" if detect else unset,
            record=True if order.records else unset,
            recording_channels="dual" if order.records else unset,
            recording_track="both" if order.records else unset,
            recording_status_callback=urls.recording(order.attempt_id) if order.records else unset,
            recording_status_callback_event=_RECORDING_EVENTS if order.records else unset,
            recording_status_callback_method="POST" if order.records else unset,
            # When something was said is evidence: silence is not trimmed.
            trim="do-not-trim" if order.records else unset,
        )

    async def _end(self, sid: str, status: str) -> str | None:
        """The call's status after it was asked to end; None when the carrier has nothing to end."""
        if not _SID.fullmatch(sid):
            return None
        call = await ask_account(
            lambda: self.api.calls(sid).update_async(status=status),
            absent=HTTPStatus.NOT_FOUND,
            wrong_state=_WRONG_STATE,
        )
        return None if call is None else str(call.status)


_NOTIFICATION_SECONDS: Final = 120
_FINAL: Final = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})
_MOST_LEGS: Final = 20
_IN_PROGRESS: Final = "in-progress"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskOrder:
    """`extension` is the caller's own telephone, `to` the person's in E.164."""

    call_id: UUID
    extension: str
    to: str
    records: bool = False
    """The person's leg is recorded from its answer on, and hears so before it is connected."""


class DeskClient(CallClient):
    """Calls from a desk, to people on duty, and of the robot."""

    async def call_from_desk(self, order: DeskOrder) -> SendResult:
        """As `create`: the caller's own telephone is called first."""
        return await self.create(
            lambda: self.api.calls.create_async(
                to=order.extension,
                from_=self.config.caller_number,
                twiml=self.twiml(order),
                status_callback=self.urls.desk(order.call_id, "status"),
                status_callback_event=_EVENTS,
                status_callback_method="POST",
                timeout=self.config.ring_timeout_seconds,
                time_limit=TALK_LIMIT_SECONDS,
            ),
            to=order.to,
            desk=order.extension,
        )

    async def call_supervisor(self, listener_id: UUID, extension: str) -> SendResult:
        """As `create`: the telephone of a supervisor who listens is called."""
        answer, status = self.urls.listener(listener_id, "answer"), self.urls.listener(listener_id, "status")
        return await self._call(extension, answer=answer, status=status, is_desk=True)

    async def call_third_party(self, party_id: UUID, to: str) -> SendResult:
        """As `create`: a third party is called, at an outside number or at a telephone of the organisation."""
        answer, status = self.urls.party(party_id, "answer"), self.urls.party(party_id, "status")
        return await self._call(to, answer=answer, status=status, is_desk=self.config.is_desk(to))

    async def call_on_duty(self, notification_id: UUID, to: str) -> SendResult:
        """As `create`: the robot calls somebody on duty about work that waits."""
        urls = self.urls
        answer, status = (
            urls.notification(notification_id, "call"),
            urls.notification(notification_id, "status"),
        )
        return await self._call(to, answer=answer, status=status, seconds=_NOTIFICATION_SECONDS)

    async def _call(
        self, to: str, *, answer: str, status: str, is_desk: bool = False, seconds: int = TALK_LIMIT_SECONDS
    ) -> SendResult:
        """A call of at most `seconds` to somebody of ours, or to whom a desk brings in: what it hears is asked at
        `answer`, and only its end is told at `status`.
        """
        return await self.create(
            lambda: self.api.calls.create_async(
                to=to,
                from_=self.config.caller_number,
                url=answer,
                method="POST",
                status_callback=status,
                status_callback_event=["completed"],
                status_callback_method="POST",
                timeout=self.config.ring_timeout_seconds,
                time_limit=seconds,
            ),
            to="" if is_desk else to,
            desk=to if is_desk else "",
        )

    def twiml(self, order: DeskOrder) -> str:
        """The TwiML for when the caller answers: the person is called and connected."""
        config = self.config
        action = quoteattr(self.urls.desk(order.call_id, "dial"))
        records, notice = "", ""
        if order.records:
            callback = self.urls.recording(order.call_id)
            records = "".join(
                f" {name}={quoteattr(value)}" for name, value in recording_of_dial(callback).items()
            )
            notice = f' url={quoteattr(self.urls.desk(order.call_id, "notice"))} method="POST"'
        return (
            f'<Response><Dial callerId={quoteattr(config.caller_number)} timeout="{config.ring_timeout_seconds}"'
            f' timeLimit="{TALK_LIMIT_SECONDS}" method="POST" action={action}{records}>'
            f"<Number{notice}>{escape(order.to)}</Number></Dial></Response>"
        )

    async def second_leg(self, sid: str) -> PersonLeg | None:
        """How the person's leg of that call ended; None: there was none, or it is not over. Raises `Unavailable`."""
        for leg in await self._second_legs(sid):
            status = str(leg.status)
            result = result_of(status=status, sip_code=None, answered_by="") if status in _FINAL else None
            if result is not None:
                duration = str(leg.duration or "")
                seconds = int(duration) if duration.isdecimal() and int(duration) > 0 else None
                return PersonLeg(result=result, talk_seconds=seconds)
        return None

    async def is_person_on_line(self, sid: str) -> bool:
        """Whether the second leg of that call was answered and is not over. Raises `Unavailable`."""
        return await self._leg_on_line(sid) is not None

    async def enter_room(self, call_id: UUID, sid: str) -> bool:
        """Moves the person of that call into the room; the carrier then asks for a document for the desk. False: the
        person is not on the line. Raises `Unavailable`.
        """
        leg = await self._leg_on_line(sid)
        if leg is None:
            return False
        entry = write_room_entry(call_id, RoomVoice.PERSON, urls=self.urls)
        moved = await ask_account(
            lambda: self.api.calls(leg).update_async(
                twiml=entry,
                status_callback=self.urls.desk(call_id, "person"),
                status_callback_method="POST",
            ),
            absent=HTTPStatus.NOT_FOUND,
            wrong_state=_WRONG_STATE,
        )
        return moved is not None

    async def room_of(self, call_id: UUID) -> str | None:
        """The carrier's id of the room of that call, where it has begun and is not over. Raises `Unavailable`."""
        found = await ask_account(
            lambda: self.api.conferences.list_async(
                friendly_name=room_name(call_id), status=_IN_PROGRESS, limit=1, page_size=1
            ),
            absent=None,
        )
        return next((str(room.sid) for room in found or ()), None)

    async def change_voice(
        self,
        call_id: UUID,
        room_sid: str,
        voice: RoomVoice,
        *,
        hold: bool | None = None,
        mute: bool | None = None,
    ) -> tuple[bool, bool] | None:
        """Holds or mutes one who is in the room; what is None stays. Returns whether the carrier says that they are on
        hold and muted; None for a room or participant that is not there any more. Raises `Unavailable`.
        """
        changed = await ask_account(
            lambda: (
                self.api.conferences(room_sid)
                .participants(voice.value)
                .update_async(
                    hold=unset if hold is None else hold,
                    hold_url=self.urls.desk(call_id, "hold") if hold else unset,
                    hold_method="POST" if hold else unset,
                    muted=unset if mute is None else mute,
                )
            ),
            absent=HTTPStatus.NOT_FOUND,
        )
        return None if changed is None else (bool(changed.hold), bool(changed.muted))

    async def change_ending(self, room_sid: str, voice: RoomVoice, *, ends: bool) -> bool:
        """Has the room end, or go on, when this one leaves it. False: not in the room. Raises `Unavailable`."""
        changed = await ask_account(
            lambda: (
                self.api.conferences(room_sid)
                .participants(voice.value)
                .update_async(end_conference_on_exit=ends)
            ),
            absent=HTTPStatus.NOT_FOUND,
        )
        return changed is not None

    async def hang_up_person(self, sid: str) -> None:
        """Ends the second leg of that call, wherever it is. Raises `Unavailable`."""
        leg = await self._leg_on_line(sid)
        if leg is not None:
            await self.hang_up(leg)

    async def announce_listener(self, listener_id: UUID, room_sid: str) -> bool:
        """Has everybody in the room hear that somebody listens. False: the room is over. Raises `Unavailable`."""
        changed = await ask_account(
            lambda: self.api.conferences(room_sid).update_async(
                announce_url=self.urls.listener(listener_id, "notice"), announce_method="POST"
            ),
            absent=HTTPStatus.NOT_FOUND,
        )
        return changed is not None

    async def change_listener(self, room_sid: str, mode: ListenMode, *, caller_sid: str) -> ListenMode | None:
        """Has the supervisor in the room be heard by nobody, by the caller alone or by all. Returns what the carrier
        says that they are; None: not in the room, or the caller is not. Raises `Unavailable`.
        """
        whispers = mode is ListenMode.WHISPER
        changed = await ask_account(
            lambda: (
                self.api.conferences(room_sid)
                .participants(RoomVoice.SUPERVISOR.value)
                .update_async(
                    muted=mode is ListenMode.LISTEN,
                    coaching=whispers,
                    call_sid_to_coach=caller_sid if whispers else unset,
                )
            ),
            absent=HTTPStatus.NOT_FOUND,
        )
        if changed is None:
            return None
        return mode_of(is_muted=bool(changed.muted), coaches=bool(changed.coaching))

    async def _leg_on_line(self, sid: str) -> str | None:
        return next(
            (str(leg.sid) for leg in await self._second_legs(sid) if str(leg.status) == _IN_PROGRESS), None
        )

    async def _second_legs(self, sid: str) -> list[CallInstance]:
        found = await ask_account(
            lambda: self.api.calls.list_async(parent_call_sid=sid, limit=_MOST_LEGS, page_size=_MOST_LEGS),
            absent=None,
        )
        return list(found or ())


class SmsClient(AccountClient, MessageClient):
    """Messages by SMS."""

    channel = MessageChannel.SMS

    async def send(self, order: SendText, /) -> SendResult:
        """As `create`. Twilio knows no class of a message: our own carrier reads `SmsClass`, others ignore it and
        send an ordinary message.
        """
        return await self.create(lambda: self._create(order), to=order.to)

    async def _create(self, order: SendText) -> MessageInstance:
        callback = self.urls.message(order.message_id)
        if not order.flash:
            return await self.api.messages.create_async(
                to=order.to, from_=self.config.caller_number, body=order.text, status_callback=callback
            )
        form = {
            "To": order.to,
            "From": self.config.caller_number,
            "Body": order.text,
            "StatusCallback": callback,
            "SmsClass": "0",
        }
        version, account = self.api.api.v2010, self.config.account_sid
        made = await version.create_async(method="POST", uri=f"/Accounts/{account}/Messages.json", data=form)
        return MessageInstance(version, made, account_sid=account)

    async def state(self, sid: str, /) -> MessageProgress | None:
        """How far it came; None for an unknown message or status. Raises `Unavailable`."""
        found = await ask_account(lambda: self.api.messages(sid).fetch_async(), absent=HTTPStatus.NOT_FOUND)
        state = MESSAGE_STATES.get(str(found.status)) if found is not None else None
        if found is None or state is None:
            return None
        code = found.error_code if isinstance(found.error_code, int) else None
        return MessageProgress(state=state, sid=sid, error_code=code)

    async def find(self, order: SendText, /, *, since: datetime, until: datetime) -> list[MessageProgress]:
        """Messages to this number, since the carrier does not store our id. A status that we do not know counts as
        accepted.
        """
        first, last = since.astimezone(UTC).replace(microsecond=0), until.astimezone(UTC)
        found = await ask_account(
            lambda: self.api.messages.list_async(to=order.to, limit=_PAGE, page_size=_PAGE), absent=None
        )
        if found is None or len(found) >= _PAGE:
            raise Unavailable(part=_PART, problem="more messages to one number than can be looked through")
        return [
            MessageProgress(
                state=MESSAGE_STATES.get(str(message.status), MessageState.ACCEPTED), sid=str(message.sid)
            )
            for message in found
            if isinstance(message.date_created, datetime) and first <= message.date_created <= last
        ]


async def ask_account(
    question: Callable[[], Awaitable[_T]], *, absent: int | None, wrong_state: int | None = None
) -> _T | None:
    """The answer to the question; None for the HTTP status `absent` or the code `wrong_state`. Every other fault raises
    `Unavailable`.
    """
    try:
        return await question()
    except RateLimited:
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
    except _UNREADABLE as error:
        raise Unavailable(
            part=_PART, problem=Text("unreadable answer (%(name)s)", name=type(error).__name__)
        ) from None


def result_of_error(error: Exception) -> Refused | UncertainResult:
    """The result of a creation that failed with this error: certainly no call or message, or an unknown result."""
    if isinstance(error, RateLimited):
        return Refused(
            cause=RefusalCause.SLOW_DOWN,
            http_status=HTTPStatus.TOO_MANY_REQUESTS,
            retry_after_seconds=error.retry_after_seconds,
        )
    if isinstance(error, _NOT_SENT):
        name = error if isinstance(error, NotSent) else type(error).__name__
        return Refused(cause=RefusalCause.OURS, detail=f"not sent: {name}")
    if isinstance(error, (TwilioRestException, TwilioServiceException)):
        status, code = error.status, error.code if isinstance(error.code, int) else None
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _UNDECIDED:
            return UncertainResult(detail=f"HTTP {status}")
        cause = (
            RefusalCause.SLOW_DOWN
            if code in _SLOW_DOWN
            else RefusalCause.NUMBER
            if code in _NUMBER
            else RefusalCause.OURS
        )
        return Refused(cause=cause, code=code, http_status=status, detail=f"HTTP {status}")
    if isinstance(error, LOST):
        return UncertainResult(detail=f"no answer ({type(error).__name__})")
    return UncertainResult(detail=f"unreadable answer ({type(error).__name__})")


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
