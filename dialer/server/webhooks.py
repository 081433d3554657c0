"""The addresses that the carrier calls.

A webhook is verified, stored and applied before it is answered. A 2xx means that its event is committed; otherwise the
answer is an error, with a sentence that is safe to speak, so that the carrier sends it again or uses the fallback
address.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from urllib.parse import unquote_plus
from uuid import UUID

from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from dialer.calls.apply import CallNews
from dialer.calls.conversation import TurnRequest
from dialer.calls.events import CallEvent, apply_call_events
from dialer.calls.messages import apply_message_event
from dialer.calls.recordings import fetch_recording_now
from dialer.calls.sound import FellBack, stop_for_fallback, stop_if_unplayed
from dialer.core.errors import DialerError, Invalid, NotFound, Unavailable
from dialer.core.notifications import NotificationFault
from dialer.core.talk import RoomNews, RoomVoice
from dialer.core.values import MessageState, TelephonyResult
from dialer.notifications.actions import accept_notification, answer_call, apply_news
from dialer.runtime.services import Services
from dialer.scripts.answers import Heard
from dialer.scripts.dialogue import Position, Turn
from dialer.scripts.inbound import hold_notice, listener_notice, recorded_notice
from dialer.telephony.callbacks import (
    CallProgress,
    PersonLeg,
    Stage,
    call_sid,
    caller_left,
    caller_of,
    desk_answered,
    dial_status,
    hand_over_taken,
    machine_verdict,
    message_event,
    parent_sid,
    person_leg,
    read_gather,
    status_event,
    talk_seconds,
    typed_digits,
    unfetched_sound,
    was_forwarded,
    was_unplayed,
)
from dialer.telephony.client import DeskClient
from dialer.telephony.config import (
    AMD_ROUTE,
    CALL_ROUTE,
    CHECK_ROUTE,
    DESK_ROUTE,
    DIAL_ROUTE,
    FALLBACK_ROUTE,
    INBOUND_ROUTE,
    INBOUND_TURN_ROUTE,
    LISTENER_ROUTE,
    MESSAGE_ROUTE,
    NOTIFICATION_ROUTE,
    OFFICER_ROUTE,
    PARTY_ROUTE,
    RECORDING_ROUTE,
    START_STEP,
    STATUS_ROUTE,
    HookUrls,
    TelephonyConfig,
)
from dialer.telephony.public_address import proof
from dialer.telephony.rooms import room_news, write_listener_entry, write_party_entry, write_room_entry
from dialer.telephony.webhooks import (
    SETTINGS,
    SIGNATURE,
    BadSignature,
    InboundTurn,
    fallback_twiml,
    hang_up_twiml,
    verify_signature,
    write_duty_call,
    write_farewell,
    write_hold,
    write_inbound,
    write_notice,
    write_turn,
)
from dialer.web.write_batcher import WriteBatcher
from dialer.work.desk_calls import (
    DutyLineEvent,
    apply_desk_event,
    apply_person_leg_event,
    language_of_desk_call,
    tell_person_of_recording,
)
from dialer.work.desk_talk import apply_room_news
from dialer.work.inbound import connect_inbound_call, end_inbound_call, end_inbound_leg, next_inbound_turn
from dialer.work.listening import (
    admit_listener,
    apply_listener_event,
    apply_room_news_to_listeners,
    language_of_listened,
)
from dialer.work.third_parties import admit_party, apply_party_event, apply_room_news_to_party, bring_over

WEBHOOK_PREFIX = "/hooks"
_BELOW = f"{WEBHOOK_PREFIX}/"
_PERSONAL = frozenset({"From", "To", "Caller", "Called", "SpeechResult", "Digits", "ForwardedFrom"})
_MOST_BYTES = 64 * 1024
_EVENTS_TOGETHER = 200
"""The most events of one transaction, which holds the locks of its rows until its commit."""
_LINGER_SECONDS = 0.02
_FALLBACK_SECONDS = 2.0
"""A person who waits for the safe sentence hears nothing for at most this long."""
_XML = "application/xml"
_SIGNED = {name.lower().encode(): name for name in (SIGNATURE, SETTINGS)}

_log = logging.getLogger(__name__)

Params = list[tuple[str, str]]
WebhookReply = tuple[int, str | None]
"""The HTTP status, and the TwiML of the answer if there is one."""
_KEPT: WebhookReply = (204, None)


@dataclass(slots=True, kw_only=True)
class CarrierWebhook:
    """One verified webhook of an attempt, a message or a desk call. `path` holds the parameters of its address."""

    path: Mapping[str, str]
    params: Params

    @property
    def attempt_id(self) -> UUID:
        return UUID(self.path["attempt_id"])

    @property
    def step(self) -> int:
        return int(self.path["step"])

    @property
    def fields(self) -> dict[str, str]:
        return dict(self.params)

    @property
    def personal(self) -> dict[str, str]:
        """The fields that may name a person, which are stored encrypted."""
        return {name: value for name, value in self.params if name in _PERSONAL and value}


class _TooLarge(Exception):
    """The body of a webhook is larger than any that a carrier signs."""


async def _body(receive: Receive) -> bytes:
    body: bytes = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Invalid(field="webhook", problem="broke off")
        body += message.get("body", b"")
        if len(body) > _MOST_BYTES:
            raise _TooLarge
        if not message.get("more_body", False):
            return body


def form_fields(body: bytes) -> Params:
    """The form's fields in order, repeated and blank ones kept. Raises `Invalid` for a NUL."""
    params: Params = []
    for pair in body.decode("utf-8", "replace").split("&"):
        if not pair:
            continue
        name, _, value = pair.partition("=")
        # Most fields have nothing escaped: `parse_qsl` decodes each of them, which takes three times as long.
        if "%" in pair or "+" in pair:
            name, value = unquote_plus(name, errors="replace"), unquote_plus(value, errors="replace")
        if "\0" in name or "\0" in value:
            raise Invalid(field="webhook", problem="holds a character that cannot be kept")
        params.append((name, value))
    return params


def _refused(fault: Exception) -> tuple[int, bool]:
    """The status for a webhook that was not applied, never a 2xx, and whether the call may still be going on."""
    match fault:
        case _TooLarge():
            status, speaks = 413, False
        case BadSignature():
            status, speaks = 403, False
        case Invalid():
            status, speaks = 400, False
        case ValueError():
            status, speaks = 400, False
            fault = Invalid(field="webhook", problem="cannot be read")  # the text may quote what was sent
        case NotFound():  # its call belongs to another database
            status, speaks = 404, True
        case Unavailable():
            status, speaks = 503, True
        case _:
            status, speaks = 500, True
            _log.error("webhook failed", exc_info=fault)
    said = str(fault) if isinstance(fault, DialerError) else type(fault).__name__
    _log.warning("webhook answered %d: %s", status, said)
    return status, speaks


def hooks(
    services: Services,
    telephony: TelephonyConfig,
    *,
    count: Callable[[str, int], object] = lambda _hook, _status: None,
) -> Mount:
    """The routes of the webhook addresses in `dialer.telephony.config`; `count` is called with each webhook's name and
    status.
    """
    return Mount(WEBHOOK_PREFIX, _Hooks(services, telephony, count))


class _Hooks:
    def __init__(
        self, services: Services, telephony: TelephonyConfig, count: Callable[[str, int], object]
    ) -> None:
        self._services = services
        self._telephony = telephony
        self._count = count
        self._base = telephony.public_url.rstrip("/")
        self._tokens = telephony.signing_tokens
        self._events: WriteBatcher[CallEvent, Turn | None] = WriteBatcher(
            partial(apply_call_events, services), at_most=_EVENTS_TOGETHER, linger_seconds=_LINGER_SECONDS
        )
        answers: Mapping[str, Callable[[CarrierWebhook], Awaitable[WebhookReply]]] = {
            CALL_ROUTE: self._call,
            DIAL_ROUTE: self._dialled,
            OFFICER_ROUTE: self._officer,
            STATUS_ROUTE: self._status,
            AMD_ROUTE: self._machine,
            RECORDING_ROUTE: self._recording,
            MESSAGE_ROUTE: self._message,
            DESK_ROUTE: self._desk,
            LISTENER_ROUTE: self._listener,
            PARTY_ROUTE: self._party,
            NOTIFICATION_ROUTE: self._notification,
            INBOUND_ROUTE: self._inbound,
            INBOUND_TURN_ROUTE: self._inbound_turn,
            FALLBACK_ROUTE: self._fall_back,
            CHECK_ROUTE: self._check,
        }
        self._answers = {
            (name, len(parameters)): (tuple(name.strip("{}") for name in parameters), answer)
            for route, answer in answers.items()
            for name, *parameters in [route.removeprefix(_BELOW).split("/")]
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; a fault never becomes a 2xx."""
        name, *values = scope["path"].partition(_BELOW)[2].split("/")
        names, answer = self._answers.get((name, len(values)), ((), None))
        if answer is None or not all(values):
            self._count("other", 404)
            await Response(status_code=404)(scope, receive, send)
            return
        if scope["method"] != "POST":
            self._count(name, 405)
            await Response(status_code=405, headers={"Allow": "POST"})(scope, receive, send)
            return
        path = dict(zip(names, values, strict=True))
        try:
            params = form_fields(await _body(receive))
            headers = {
                _SIGNED[key]: value.decode("latin-1") for key, value in scope["headers"] if key in _SIGNED
            }
            verify_signature(url=self._url(scope), params=params, headers=headers, tokens=self._tokens)
            status, twiml = await answer(CarrierWebhook(path=path, params=params))
        except Exception as fault:  # noqa: BLE001  # after any fault the person on the line must hear something
            status, speaks = _refused(fault)
            twiml = self._safe_sentence() if speaks else None
        self._count(name, status)
        if status == HTTPStatus.FORBIDDEN and _is_spoken(name, path.get("what", "")):
            # Not applied. A person on the line must hear a sentence, whatever sent the request: with
            # any other status a carrier would end the call without a word.
            status, twiml = 200, self._safe_sentence()
        kind = "text/plain" if name == "check" else _XML
        response = Response(twiml, status_code=status, media_type=kind if twiml is not None else None)
        await response(scope, receive, send)

    def _url(self, scope: Scope) -> str:
        query = scope["query_string"].decode("latin-1")
        return f"{self._base}{scope['path']}?{query}" if query else f"{self._base}{scope['path']}"

    def _audio_url(self, file: str) -> str:
        return f"{self._base}/audio/{file}"

    async def _call(self, hook: CarrierWebhook) -> WebhookReply:
        """The next turn of a conversation, as TwiML."""
        position = hook.path["position"]
        return await self._turn(
            hook,
            position=None if position == START_STEP else Position.decode(position),
            heard=read_gather(hook.fields),
        )

    async def _dialled(self, hook: CarrierWebhook) -> WebhookReply:
        """How a hand-over ended: if the desk took it or the caller left, the call is over; else the script goes on."""
        desk, took = dial_status(hook.fields), hand_over_taken(hook.fields)
        if took or caller_left(hook.fields):
            await self._events.add(
                DutyLineEvent(attempt_id=hook.attempt_id, step=hook.step, desk=desk, took=took)
            )
            return 200, hang_up_twiml()
        position = Position.decode(hook.path["position"])
        return await self._turn(hook, position=position, heard=Heard.silence(), desk=desk)

    async def _officer(self, hook: CarrierWebhook) -> WebhookReply:
        """The officer has answered: the assignment is theirs while they speak."""
        if desk_answered(hook.fields):
            await self._events.add(
                DutyLineEvent(attempt_id=hook.attempt_id, step=hook.step, desk="answered", talking=True)
            )
        return _KEPT

    async def _turn(
        self, hook: CarrierWebhook, *, position: Position | None, heard: Heard, desk: str = ""
    ) -> WebhookReply:
        turn = await self._events.add(
            TurnRequest(
                attempt_id=hook.attempt_id,
                step=hook.step,
                sid=hook.fields.get("CallSid", ""),
                position=position,
                heard=heard,
                desk=desk,
                forwarded=was_forwarded(hook.fields),
                unplayed=was_unplayed(hook.fields),
                personal=hook.personal,
            )
        )
        assert turn is not None
        await self._stop_if_unplayed(hook)
        twiml = write_turn(
            turn,
            attempt_id=hook.attempt_id,
            step=hook.step,
            config=self._telephony,
            audio_url=self._audio_url,
        )
        return 200, twiml

    async def _status(self, hook: CarrierWebhook) -> WebhookReply:
        progress = status_event(hook.fields)
        step = f"status.{progress.sequence}" if progress.sequence is not None else f"status.{progress.stage}"
        return await self._progress(hook, step, progress)

    async def _machine(self, hook: CarrierWebhook) -> WebhookReply:
        return await self._progress(hook, "amd", machine_verdict(hook.fields))

    async def _progress(self, hook: CarrierWebhook, step: str, progress: CallProgress) -> WebhookReply:
        news = CallNews(attempt_id=hook.attempt_id, step=step, progress=progress, personal=hook.personal)
        await self._events.add(news)
        await self._stop_if_unplayed(hook)
        return _KEPT

    async def _stop_if_unplayed(self, hook: CarrierWebhook) -> None:
        if address := unfetched_sound(hook.fields):
            await asyncio.to_thread(stop_if_unplayed, self._services, hook.attempt_id, address=address)

    async def _recording(self, hook: CarrierWebhook) -> WebhookReply:
        """There is news of a recording; the carrier is then asked for its state."""
        await asyncio.to_thread(fetch_recording_now, self._services, hook.attempt_id)
        return _KEPT

    async def _message(self, hook: CarrierWebhook) -> WebhookReply:
        """The status of a message. Messages are few, so each event has its own transaction."""
        progress, message_id = message_event(hook.fields), UUID(hook.path["message_id"])
        try:
            await asyncio.to_thread(apply_message_event, self._services, message_id, progress)
        except NotFound:
            is_lost = progress.state in {MessageState.UNDELIVERED, MessageState.FAILED}
            fault = NotificationFault.UNDELIVERED if is_lost else None
            if not await asyncio.to_thread(apply_news, self._services, message_id, fault):
                raise
        return _KEPT

    async def _notification(self, hook: CarrierWebhook) -> WebhookReply:
        """A call to somebody on duty: what they hear, the key that they press, and its end."""
        notification_id, fields = UUID(hook.path["notification_id"]), hook.fields
        match hook.path["what"]:
            case "call":
                text, lang = await asyncio.to_thread(answer_call, self._services, notification_id)
                action = HookUrls(self._telephony.public_url).notification(notification_id, "key")
                return 200, write_duty_call(text, lang.value, action=action)
            case "key":
                if typed_digits(fields) != "1":
                    return 200, hang_up_twiml()
                text, lang = await asyncio.to_thread(accept_notification, self._services, notification_id)
                return 200, write_farewell(text, lang.value)
            case "status":
                ended = status_event(fields)
                if ended.stage is Stage.ENDED and ended.result is not TelephonyResult.ANSWERED:
                    fault = NotificationFault.UNANSWERED
                    await asyncio.to_thread(apply_news, self._services, notification_id, fault)
                return _KEPT
            case what:
                raise NotFound(kind="act", key=what)

    async def _desk(self, hook: CarrierWebhook) -> WebhookReply:
        """The status of a desk call, how its second leg ended, news of its room, and what its person hears before the
        caller and on hold. Each event has its own transaction.
        """
        fields = hook.fields
        call_id = UUID(hook.path["call_id"])
        urls = HookUrls(self._telephony.public_url)
        match hook.path["what"]:
            case "dial":
                work = partial(apply_person_leg_event, ends_dial=True)
                if await asyncio.to_thread(work, self._services, call_id, person_leg(fields)):
                    return 200, write_room_entry(call_id, RoomVoice.DESK, urls=urls)
                return 200, hang_up_twiml()
            case "notice":
                language = await asyncio.to_thread(tell_person_of_recording, self._services, call_id)
                return 200, write_notice(recorded_notice(language), audio_url=self._audio_url)
            case "hold":
                language = await asyncio.to_thread(language_of_desk_call, self._services, call_id)
                again = urls.desk(call_id, "hold")
                return 200, write_hold(hold_notice(language), again_url=again, audio_url=self._audio_url)
            case "room":
                await asyncio.to_thread(self._apply_room_news, call_id, room_news(fields))
            case "person":
                ended = status_event(fields)
                if ended.stage is Stage.ENDED and ended.result is not None:
                    leg = PersonLeg(result=ended.result, talk_seconds=ended.duration_seconds)
                    await asyncio.to_thread(apply_person_leg_event, self._services, call_id, leg)
            case _:
                await asyncio.to_thread(self._apply_desk_event, call_id, status_event(fields))
        return _KEPT

    def _apply_desk_event(self, call_id: UUID, progress: CallProgress) -> None:
        party_id = apply_desk_event(self._services, call_id, progress)
        if party_id is None:
            return

        async def bind() -> None:
            async with DeskClient(self._telephony) as client:
                await bring_over(self._services, client, party_id)

        asyncio.run(bind())

    def _apply_room_news(self, call_id: UUID, news: RoomNews) -> None:
        async def apply() -> None:
            async with DeskClient(self._telephony) as client:
                await apply_room_news(self._services, client, call_id, news)
                await apply_room_news_to_listeners(self._services, client, call_id, news)
                await apply_room_news_to_party(self._services, client, call_id, news)

        asyncio.run(apply())

    async def _listener(self, hook: CarrierWebhook) -> WebhookReply:
        """The leg of a supervisor who listens: what it does when it is answered, and its end; and what the two hear of
        it before.
        """
        listener_id, fields = UUID(hook.path["listener_id"]), hook.fields
        match hook.path["what"]:
            case "answer":
                admitted = await asyncio.to_thread(self._admit_listener, listener_id, call_sid(fields))
                if admitted is None:
                    return 200, hang_up_twiml()
                call_id, pause = admitted
                urls = HookUrls(self._telephony.public_url)
                return 200, write_listener_entry(call_id, urls=urls, pause_seconds=pause)
            case "notice":
                language = await asyncio.to_thread(language_of_listened, self._services, listener_id)
                return 200, write_notice(listener_notice(language), audio_url=self._audio_url)
            case "status":
                work = partial(apply_listener_event, self._services, listener_id)
                await asyncio.to_thread(work, status_event(fields))
                return _KEPT
            case what:
                raise NotFound(kind="act", key=what)

    async def _party(self, hook: CarrierWebhook) -> WebhookReply:
        """The leg of a third party: what it does when it is answered, and its end."""
        party_id, fields = UUID(hook.path["party_id"]), hook.fields
        match hook.path["what"]:
            case "answer":
                work = partial(admit_party, self._services, party_id)
                call_id = await asyncio.to_thread(work, call_sid(fields))
                if call_id is None:
                    return 200, hang_up_twiml()
                return 200, write_party_entry(call_id, urls=HookUrls(self._telephony.public_url))
            case "status":
                await asyncio.to_thread(apply_party_event, self._services, party_id, status_event(fields))
                return _KEPT
            case what:
                raise NotFound(kind="act", key=what)

    def _admit_listener(self, listener_id: UUID, sid: str) -> tuple[UUID, int] | None:
        async def admit() -> tuple[UUID, int] | None:
            async with DeskClient(self._telephony) as client:
                return await admit_listener(self._services, client, listener_id, sid)

        return asyncio.run(admit())

    async def _inbound(self, hook: CarrierWebhook) -> WebhookReply:
        """An inbound call; each event has its own transaction."""
        what, fields = hook.path["what"], hook.fields
        match what:
            case "voice":
                duty = self._telephony.officer_number
                work = partial(next_inbound_turn, caller=caller_of(fields), duty_line=duty)
                return self._inbound_twiml(await asyncio.to_thread(work, self._services, call_sid(fields)))
            case "status":
                if status_event(fields).stage is Stage.ENDED:
                    await asyncio.to_thread(end_inbound_call, self._services, call_sid(fields))
                return _KEPT
            case "fallback":
                return await self._fall_back(hook)
            case _:
                raise NotFound(kind="act", key=what)

    async def _inbound_turn(self, hook: CarrierWebhook) -> WebhookReply:
        """What came after a turn of an inbound call; each event has its own transaction."""
        what, fields, duty = hook.path["what"], hook.fields, self._telephony.officer_number
        step = hook.step
        match what:
            case "number" | "wait":
                typed = typed_digits(fields) if what == "number" else None
                work = partial(
                    next_inbound_turn, caller=caller_of(fields), duty_line=duty, step=step, typed=typed
                )
                turn = await asyncio.to_thread(work, self._services, call_sid(fields))
            case "dial":
                work_after = partial(
                    end_inbound_leg,
                    step=step,
                    answered=hand_over_taken(fields),
                    talk_seconds=talk_seconds(fields),
                    has_left=caller_left(fields),
                    duty_line=duty,
                )
                turn = await asyncio.to_thread(work_after, self._services, call_sid(fields))
            case "desk":
                if desk_answered(fields):
                    await asyncio.to_thread(
                        connect_inbound_call, self._services, parent_sid(fields), step=step
                    )
                return _KEPT
            case _:
                raise NotFound(kind="act", key=what)
        return self._inbound_twiml(turn)

    def _inbound_twiml(self, turn: InboundTurn) -> WebhookReply:
        twiml = write_inbound(turn, config=self._telephony, audio_url=self._audio_url)
        return 200, twiml

    async def _fall_back(self, hook: CarrierWebhook) -> WebhookReply:
        """Spoken when the call webhook or its sound has failed. Dialling stops, if the database answers in time."""
        code, attempt_id = hook.fields.get("ErrorCode", ""), hook.path.get("attempt_id")
        _log.warning("fallback spoken: attempt=%s error=%s", attempt_id, code)
        address = _without_ids(hook.fields.get("ErrorUrl", ""))
        try:
            async with asyncio.timeout(_FALLBACK_SECONDS):
                if attempt_id is not None:
                    await self._events.add(FellBack(attempt_id=UUID(attempt_id), error_code=code))
                await asyncio.to_thread(
                    stop_for_fallback, self._services, address=address or self._base, error_code=code
                )
        except (DialerError, TimeoutError) as fault:
            _log.warning("fallback not recorded: %s", fault)
        except Exception:  # noqa: BLE001  # after any fault the person on the line must hear something
            _log.exception("fallback not recorded")
        return 200, self._safe_sentence()

    async def _check(self, hook: CarrierWebhook) -> WebhookReply:
        """Our own request through the public address; see `dialer.telephony.public_address`."""
        return 200, proof(hook.path["nonce"], token=self._telephony.auth_token)

    def _safe_sentence(self) -> str:
        """The safe sentence with the names of the centre, as TwiML."""
        centre = self._services.centre
        names = {
            "bureau": centre.bureau.get("zh"),
            "area_code": centre.area_code,
            "hotline": centre.hotline,
        }
        return fallback_twiml(**{name: said for name, said in names.items() if said})


def _without_ids(url: str) -> str:
    """The address of a sound file, or that of a webhook up to its name."""
    before, hooks, what = url.partition(_BELOW)
    return f"{before}{hooks}{what.partition('/')[0]}"


_SPOKEN = frozenset({"call", "dial", "fallback"})
_NEWS_OF_CALLS_IN = frozenset({"status", "desk"})


def _is_spoken(name: str, what: str) -> bool:
    """Whether a person hears the answer to this webhook. News of an inbound call is heard by nobody."""
    return name in _SPOKEN or (name == "inbound" and what not in _NEWS_OF_CALLS_IN)
