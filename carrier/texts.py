"""Text messages: the Messages resource, the delivery of messages with status webhooks, and the log of messages that
survives a kill.
"""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from uuid import uuid4

from aiohttp import web

from carrier.calls import (
    API_VERSION,
    CALLER,
    Form,
    bad_parameter,
    checked_url,
    no_such,
    number_refused,
    rfc2822,
    server_error,
    too_many,
)
from carrier.config import CarrierConfig, Timers
from carrier.exchange import Exchange
from carrier.faults import InjectedFault
from carrier.journal import SealedLog, unless_disk_is_full
from carrier.outbound import Reply
from carrier.rest import RestFront, cut_connection, json_answer, page_of
from carrier.webhooks import Messenger

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_LONGEST = 1600
_SMS_CLASSES = frozenset({"", "0", "1"})
_SENT_AFTER_SECONDS = 1.0
_TAKEN_AFTER_SECONDS = 4.0
_GSM_PART, _UCS2_PART = 153, 67


class TextStatus(StrEnum):
    """Twilio's MessageStatus. The last three are final."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOrder:
    """The order for one message."""

    to: str
    from_: str
    body: str
    status_callback: str = ""
    flash: bool = False
    """Of class 0: it opens on the screen and is not stored. Our own field, `SmsClass=0`."""


def read_text_order(form: Form) -> TextOrder:
    """Reads and checks the order for a message. Raises `RestProblem` with Twilio's code."""
    to = form.get("To")
    if not to:
        raise bad_parameter(21604, "A 'To' phone number is required.")
    if not _E164.fullmatch(to):
        raise number_refused(21211)
    from_ = form.get("From")
    if not from_:
        raise bad_parameter(21603, "A 'From' phone number is required.")
    if not CALLER.fullmatch(from_):
        raise bad_parameter(21212, "The 'From' number is not a valid phone number or shortcode")
    body = form.get("Body")
    if not body:
        raise bad_parameter(21602, "Message body is required.")
    if len(body) > _LONGEST:
        raise bad_parameter(21617, "The concatenated message body exceeds the 1600 character limit.")
    callback = checked_url(form.get("StatusCallback"), 21609, "Invalid 'StatusCallback' URL")
    sms_class = form.get("SmsClass") or ""
    if sms_class not in _SMS_CLASSES:
        raise bad_parameter(20001, "The 'SmsClass' is 0 or 1.")
    return TextOrder(to=to, from_=from_, body=body, status_callback=callback, flash=sms_class == "0")


@dataclass(slots=True, kw_only=True, eq=False)
class TextMessage:
    """The record of a message, written only by the board. Times are real Unix seconds."""

    sid: str
    account_sid: str
    order: TextOrder
    created: float
    updated: float
    sent: float | None = None
    status: TextStatus = TextStatus.QUEUED
    error_code: int = 0

    def as_json(self) -> dict[str, object]:
        """Twilio's representation."""
        uri = f"/{API_VERSION}/Accounts/{self.account_sid}/Messages/{self.sid}"
        body = self.order.body
        part = _GSM_PART if body.isascii() else _UCS2_PART
        return {
            "sid": self.sid,
            "account_sid": self.account_sid,
            "api_version": API_VERSION,
            "to": self.order.to,
            "from": self.order.from_,
            "body": body,
            "status": self.status.value,
            "direction": "outbound-api",
            "date_created": rfc2822(self.created),
            "date_updated": rfc2822(self.updated),
            "date_sent": rfc2822(self.sent),
            "error_code": self.error_code or None,
            "error_message": "Message could not be delivered" if self.error_code else None,
            "messaging_service_sid": None,
            "sms_class": "0" if self.order.flash else None,
            "num_media": "0",
            "num_segments": str(-(-len(body) // part)),
            "price": None,
            "price_unit": "USD",
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "uri": f"{uri}.json",
        }


class TextLog(SealedLog):
    """The newest messages and their status, in the files texts.log and texts.old."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, "texts")

    def recall(self, *, since_unix: float) -> list[TextMessage]:
        """Reads the messages, in the order of their creation, and opens the log for new records."""
        texts: dict[str, TextMessage] = {}
        for record in self.records():
            sid, at = record["sid"], record["at"]
            if record["k"] == "A":
                order = TextOrder(
                    to=record["to"],
                    from_=record["from"],
                    body=record["body"],
                    status_callback=record["callback"],
                    flash=record.get("flash", False),
                )
                texts[sid] = TextMessage(
                    sid=sid, account_sid=record["account"], order=order, created=at, updated=at
                )
            elif text := texts.get(sid):  # None when its first record is gone with an older file
                text.status, text.updated = TextStatus(record["status"]), at
                text.error_code = record["code"]
                if text.status is TextStatus.SENT:
                    text.sent = at
        self.open()
        return [text for text in texts.values() if text.created >= since_unix]

    def accepted(self, text: TextMessage) -> None:
        """Writes that the message was accepted. Raises `OSError`."""
        order = text.order
        self.append(
            {
                "k": "A",
                "sid": text.sid,
                "account": text.account_sid,
                "at": text.created,
                "to": order.to,
                "from": order.from_,
                "body": order.body,
                "callback": order.status_callback,
                "flash": order.flash,
            }
        )

    def moved(self, text: TextMessage) -> None:
        """Writes the message's new status and error code."""
        self.append(
            {
                "k": "M",
                "sid": text.sid,
                "at": text.updated,
                "status": text.status.value,
                "code": text.error_code,
            }
        )


class TextBoard:
    """All messages. `refusal` and `undeliverable` give the error code of a number, 0 without an error."""

    def __init__(
        self,
        config: CarrierConfig,
        *,
        messenger: Messenger,
        timers: Timers,
        refusal: Callable[[str], int],
        undeliverable: Callable[[str], int],
    ) -> None:
        self._account = config.account_sid
        self._messenger = messenger
        self._timers = timers
        self._refusal = refusal
        self._undeliverable = undeliverable
        self._memory = TextLog(config.state_dir)
        self._texts: OrderedDict[str, TextMessage] = OrderedDict()
        self.failed_webhooks = 0
        for text in self._memory.recall(since_unix=timers.unix() - config.keep_hours * 3600):
            self._texts[text.sid] = text
            self._go_on(text)

    def create(self, order: TextOrder) -> TextMessage:
        """Accepts a message; status webhooks report its delivery."""
        refused = self._refusal(order.to)
        if refused:
            raise number_refused(refused)
        now = self._timers.unix()
        text = TextMessage(
            sid=f"SM{uuid4().hex}", account_sid=self._account, order=order, created=now, updated=now
        )
        # First: a message that is not on disk is not accepted, and no listing may show one that is never sent.
        self._memory.accepted(text)
        self._texts[text.sid] = text
        self._timers.soon(lambda: self._notify(text, text.status))
        self._go_on(text)
        return text

    def find(self, sid: str) -> TextMessage | None:
        return self._texts.get(sid)

    def newest_first(self, *, to: str = "", from_: str = "") -> Iterator[TextMessage]:
        """Messages to and from these numbers; an empty number means any."""
        for text in reversed(self._texts.values()):
            if (not to or text.order.to == to) and (not from_ or text.order.from_ == from_):
                yield text

    def inbox(self, number: str) -> list[TextMessage]:
        """The messages delivered to that telephone, oldest first."""
        return [
            text
            for text in self._texts.values()
            if text.order.to == number and text.status is TextStatus.DELIVERED
        ]

    def summary(self) -> dict[str, object]:
        """Counts, without numbers. `max_per_callback` above 1 means that a message was sent twice."""
        equal = Counter(
            (text.order.to, text.order.body, text.order.status_callback) for text in self._texts.values()
        )
        return {
            "messages": len(self._texts),
            "by_status": dict(Counter(text.status.value for text in self._texts.values())),
            "max_per_callback": max(equal.values(), default=0),
            "failed_webhooks": self.failed_webhooks,
        }

    def close(self) -> None:
        """Closes the files."""
        self._memory.close()

    def _go_on(self, text: TextMessage) -> None:
        """Starts the timers of the steps that are still to come."""
        if text.status is TextStatus.QUEUED:
            self._timers.later(_SENT_AFTER_SECONDS, lambda: self._move(text, TextStatus.SENT))
        if text.status in {TextStatus.QUEUED, TextStatus.SENT}:
            self._timers.later(_TAKEN_AFTER_SECONDS, lambda: self._end(text))

    def _end(self, text: TextMessage) -> None:
        text.error_code = self._undeliverable(text.order.to)
        self._move(text, TextStatus.UNDELIVERED if text.error_code else TextStatus.DELIVERED)

    def _move(self, text: TextMessage, status: TextStatus) -> None:
        text.status = status
        text.updated = self._timers.unix()
        if status is TextStatus.SENT:
            text.sent = text.updated
        with unless_disk_is_full("the status of a message"):
            self._memory.moved(text)
        self._notify(text, status)

    def _notify(self, text: TextMessage, status: TextStatus) -> None:
        order = text.order
        if not order.status_callback:
            return
        params = {
            "MessageSid": text.sid,
            "SmsSid": text.sid,
            "MessageStatus": status.value,
            "SmsStatus": status.value,
            "AccountSid": self._account,
            "From": order.from_,
            "To": order.to,
            "ApiVersion": API_VERSION,
        }
        if text.error_code:
            params["ErrorCode"] = str(text.error_code)
        self._messenger.send(order.status_callback, "POST", params, self._replied)

    def _replied(self, reply: Reply) -> None:
        if not reply.is_success:
            self.failed_webhooks += 1


class TextFront(RestFront):
    """Handlers of the Messages resource, with the credentials and the faults of calls."""

    def __init__(self, exchange: Exchange, board: TextBoard, *, account_sid: str, auth_token: str) -> None:
        super().__init__(exchange, account_sid=account_sid, auth_token=auth_token)
        self._board = board

    def add_routes(self, app: web.Application) -> None:
        """Adds Twilio's routes for an account's messages."""
        self.add_route(app, "POST", "/Messages.json", self.create_text, has_own_faults=True)
        self.add_route(app, "GET", "/Messages.json", self.list_texts)
        self.add_route(app, "GET", "/Messages/{sid}.json", self.fetch_text)

    async def create_text(self, request: web.Request) -> object:
        """Accepts a message from Twilio's form: 201, or Twilio's error. Injected faults strike before and after."""
        faults = self._exchange.faults
        order = read_text_order(Form(await request.read()))
        if busy := faults.strikes(InjectedFault.MESSAGE_TOO_MANY, order.to):
            raise too_many(busy.seconds)
        if faults.strikes(InjectedFault.MESSAGE_ERROR_BEFORE, order.to):
            raise server_error()
        text = self._board.create(order)
        if faults.strikes(InjectedFault.MESSAGE_ACCEPT_THEN_CUT, order.to):
            return cut_connection(request)
        return json_answer(text.as_json(), 201)

    async def fetch_text(self, request: web.Request) -> object:
        """One message in its present state. 404 if it is not known."""
        sid = request.match_info["sid"]
        text = self._board.find(sid)
        if text is None:
            raise no_such(f"resource /Messages/{sid}.json")
        return text.as_json()

    async def list_texts(self, request: web.Request) -> object:
        """Messages, newest first, by Twilio's `To` and `From`, in pages. 400 for a filter by `DateSent`."""
        query = request.query
        if any(name.startswith("DateSent") for name in query):
            raise bad_parameter(20001, "DateSent is not supported: compare date_created")
        chosen = self._board.newest_first(to=query.get("To", ""), from_=query.get("From", ""))
        return page_of("Messages", chosen, query, account_sid=self._account, filters=("To", "From"))
