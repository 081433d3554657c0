"""Messages: taken, sent, delivered or not, with a status webhook at each step, and an inbox for each number.

What the carrier remembers of messages across a kill: one that was under way goes on when it comes back.

The REST front's Messages resource: create, fetch and list, with the faults that strike it.
"""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Protocol
from urllib.parse import urlencode
from uuid import uuid4

from aiohttp import web

from dialer.carrier.calls import (
    API_VERSION,
    Form,
    RestProblem,
    bad_parameter,
    checked_url,
    no_such,
    number_refused,
    rfc2822,
    server_error,
    too_many,
)
from dialer.carrier.config import InjectedFault, Timers
from dialer.carrier.exchange import Exchange
from dialer.carrier.journal import SealedLog
from dialer.carrier.outbound import Reply
from dialer.carrier.rest import RestFront, cut, json_answer, problem_answer
from dialer.carrier.webhooks import Messenger

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


class TextMemory(SealedLog):
    """The newest messages and how far they came."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, "texts")

    def recall(self, *, since_unix: float) -> list[Text]:
        """In the order in which they were taken. From now on new records are appended."""
        texts: dict[str, Text] = {}
        for record in self.records():
            match record:
                case {"k": "A", "sid": str(sid), "account": str(account), "at": float(at)}:
                    order = TextOrder(
                        to=str(record["to"]),
                        from_=str(record["from"]),
                        body=str(record["body"]),
                        status_callback=str(record["callback"]),
                    )
                    texts[sid] = Text(order, account_sid=account, created=at, sid=sid)
                case {"k": "M", "sid": str(sid), "at": float(at), "status": str(status)} if sid in texts:
                    text = texts[sid]
                    text.status, text.updated = TextStatus(status), at
                    text.error_code = int(str(record["code"]))
                    if text.status is TextStatus.SENT:
                        text.sent = at
                case _:
                    pass
        self.open()
        return [text for text in texts.values() if text.created >= since_unix]

    def accepted(self, text: Text) -> None:
        """On disk before the answer to the POST is sent."""
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
            }
        )

    def moved(self, text: Text) -> None:
        self.append(
            {
                "k": "M",
                "sid": text.sid,
                "at": text.updated,
                "status": text.status.value,
                "code": text.error_code,
            }
        )


_DEFAULT_PAGE = 50
_LARGEST_PAGE = 1000


class TextFront(RestFront):
    """Handlers for one account, behind the same credentials as calls."""

    def __init__(self, exchange: Exchange, board: TextBoard, *, account_sid: str, auth_token: str) -> None:
        super().__init__(exchange, account_sid=account_sid, auth_token=auth_token)
        self._board = board

    def add_routes(self, app: web.Application) -> None:
        base = f"/{API_VERSION}/Accounts/{{account}}"
        app.router.add_post(f"{base}/Messages.json", self.create_text)
        app.router.add_get(f"{base}/Messages.json", self.list_texts)
        app.router.add_get(f"{base}/Messages/{{sid}}.json", self.fetch_text)

    async def create_text(self, request: web.Request) -> web.StreamResponse:
        faults = self._exchange.faults
        try:
            self._check(request)
            order = read_text_order(Form(await request.read()))
            busy = faults.strikes(InjectedFault.MESSAGE_TOO_MANY, order.to)
            if busy is not None:
                raise too_many(busy.seconds)
            if faults.strikes(InjectedFault.MESSAGE_ERROR_BEFORE, order.to):
                raise server_error()
            text = self._board.create(order)
            if faults.strikes(InjectedFault.MESSAGE_ACCEPT_THEN_CUT, order.to):
                return cut(request)
            return json_answer(text.as_json(), 201)
        except RestProblem as problem:
            return problem_answer(problem)

    async def fetch_text(self, request: web.Request) -> web.StreamResponse:
        return self._answered(request, lambda: self._found(request.match_info["sid"]))

    async def list_texts(self, request: web.Request) -> web.StreamResponse:
        return self._answered(request, lambda: self._page(request))

    def _found(self, sid: str) -> dict[str, object]:
        text = self._board.find(sid)
        if text is None:
            raise no_such(f"resource /Messages/{sid}.json")
        return text.as_json()

    def _page(self, request: web.Request) -> dict[str, object]:
        query = request.query
        if any(name.startswith("DateSent") for name in query):
            raise bad_parameter(20001, "DateSent is not supported: compare date_created")
        size = max(1, min(_whole(query.get("PageSize", ""), _DEFAULT_PAGE), _LARGEST_PAGE))
        page = _whole(query.get("Page", ""), 0)
        chosen = self._board.newest_first(to=query.get("To", ""), from_=query.get("From", ""))
        texts = list(islice(chosen, page * size, (page + 1) * size + 1))
        more, texts = len(texts) > size, texts[:size]
        kept = {name: query[name] for name in ("To", "From") if query.get(name)}
        values = urlencode({**kept, "PageSize": str(size)})
        path = f"/{API_VERSION}/Accounts/{self._account}/Messages.json?{values}"
        return {
            "first_page_uri": f"{path}&Page=0",
            "previous_page_uri": f"{path}&Page={page - 1}" if page else None,
            "next_page_uri": f"{path}&Page={page + 1}" if more else None,
            "uri": f"{path}&Page={page}",
            "page": page,
            "page_size": size,
            "start": page * size,
            "end": page * size + max(0, len(texts) - 1),
            "messages": [text.as_json() for text in texts],
        }


def _whole(text: str, default: int) -> int:
    if not text:
        return default
    if not text.isdecimal():
        raise bad_parameter(20001, "a page is a whole number")
    return int(text)
