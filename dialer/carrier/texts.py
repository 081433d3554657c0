"""Messages: taken, sent, delivered or not, with a status webhook at each step, and an inbox for each number."""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import uuid4

from dialer.carrier.call import API_VERSION, rfc2822
from dialer.carrier.messenger import Messenger
from dialer.carrier.order import Form, checked_url
from dialer.carrier.outbound import Reply
from dialer.carrier.problems import bad_parameter, number_refused
from dialer.carrier.timers import Timers

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_CALLER = re.compile(r"\+?[0-9]{3,15}")
_LONGEST = 1600
_SENT_AFTER_SECONDS = 1.0
_TAKEN_AFTER_SECONDS = 4.0
_GSM_PART, _UCS2_PART = 153, 67


class TextStatus(StrEnum):
    """Twilio's words. The last three are final."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOrder:
    """One message as ordered."""

    to: str
    from_: str
    body: str
    status_callback: str = ""


def read_text_order(form: Form) -> TextOrder:
    """The checked order; anything wrong raises a `RestProblem` with Twilio's code for it."""
    to = form.get("To")
    if not to:
        raise bad_parameter(21604, "A 'To' phone number is required.")
    if not _E164.fullmatch(to):
        raise number_refused(21211)
    from_ = form.get("From")
    if not from_:
        raise bad_parameter(21603, "A 'From' phone number is required.")
    if not _CALLER.fullmatch(from_):
        raise bad_parameter(21212, "The 'From' number is not a valid phone number or shortcode")
    body = form.get("Body")
    if not body:
        raise bad_parameter(21602, "Message body is required.")
    if len(body) > _LONGEST:
        raise bad_parameter(21617, "The concatenated message body exceeds the 1600 character limit.")
    callback = checked_url(form.get("StatusCallback"), 21609, "Invalid 'StatusCallback' URL")
    return TextOrder(to=to, from_=from_, body=body, status_callback=callback)


class Text:
    """A message's record; written only by the board. Times are the real clock's unix seconds."""

    __slots__ = ("account_sid", "created", "error_code", "order", "sent", "sid", "status", "updated")

    def __init__(self, order: TextOrder, *, account_sid: str, created: float, sid: str = "") -> None:
        self.sid = sid or f"SM{uuid4().hex}"
        self.account_sid = account_sid
        self.order = order
        self.status = TextStatus.QUEUED
        self.error_code = 0
        self.created = self.updated = created
        self.sent: float | None = None

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
            "num_media": "0",
            "num_segments": str(-(-len(body) // part)),
            "price": None,
            "price_unit": "USD",
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "uri": f"{uri}.json",
        }


class Memory(Protocol):
    """What outlives a kill."""

    def accepted(self, text: Text) -> None: ...

    def moved(self, text: Text) -> None: ...


class TextBoard:
    """All messages, those that are `remembered` among them. `refusal` and `undeliverable` say a number's error code,
    or 0.
    """

    def __init__(
        self,
        *,
        account_sid: str,
        messenger: Messenger,
        timers: Timers,
        refusal: Callable[[str], int],
        undeliverable: Callable[[str], int],
        memory: Memory,
        remembered: Iterable[Text] = (),
    ) -> None:
        self._account = account_sid
        self._messenger = messenger
        self._timers = timers
        self._refusal = refusal
        self._undeliverable = undeliverable
        self._memory = memory
        self._texts: OrderedDict[str, Text] = OrderedDict()
        self.failed_webhooks = 0
        for text in remembered:
            self._texts[text.sid] = text
            self._go_on(text)

    def create(self, order: TextOrder) -> Text:
        """Accepts a message; what becomes of it is told later."""
        refused = self._refusal(order.to)
        if refused:
            raise number_refused(refused)
        text = Text(order, account_sid=self._account, created=self._timers.unix())
        self._texts[text.sid] = text
        self._memory.accepted(text)
        self._timers.soon(lambda: self._tell(text, text.status))
        self._go_on(text)
        return text

    def find(self, sid: str) -> Text | None:
        return self._texts.get(sid)

    def newest_first(self, *, to: str = "", from_: str = "") -> Iterator[Text]:
        for text in reversed(self._texts.values()):
            if (not to or text.order.to == to) and (not from_ or text.order.from_ == from_):
                yield text

    def inbox(self, number: str) -> list[Text]:
        """What that telephone holds, oldest first."""
        return [
            text
            for text in self._texts.values()
            if text.order.to == number and text.status is TextStatus.DELIVERED
        ]

    def summary(self) -> dict[str, object]:
        """Counts, without numbers. The largest count of one number's equal messages tells a message sent twice."""
        equal = Counter(
            (text.order.to, text.order.body, text.order.status_callback) for text in self._texts.values()
        )
        return {
            "messages": len(self._texts),
            "by_status": dict(Counter(text.status.value for text in self._texts.values())),
            "max_per_callback": max(equal.values(), default=0),
            "failed_webhooks": self.failed_webhooks,
        }

    def _go_on(self, text: Text) -> None:
        """What is still to come of it."""
        if text.status is TextStatus.QUEUED:
            self._timers.later(_SENT_AFTER_SECONDS, lambda: self._move(text, TextStatus.SENT))
        if text.status in {TextStatus.QUEUED, TextStatus.SENT}:
            self._timers.later(_TAKEN_AFTER_SECONDS, lambda: self._end(text))

    def _end(self, text: Text) -> None:
        text.error_code = self._undeliverable(text.order.to)
        self._move(text, TextStatus.UNDELIVERED if text.error_code else TextStatus.DELIVERED)

    def _move(self, text: Text, status: TextStatus) -> None:
        text.status = status
        text.updated = self._timers.unix()
        if status is TextStatus.SENT:
            text.sent = text.updated
        self._memory.moved(text)
        self._tell(text, status)

    def _tell(self, text: Text, status: TextStatus) -> None:
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
        if not reply.fine:
            self.failed_webhooks += 1
