"""Signed requests to the application: webhooks, TwiML and audio, with Twilio's retry rules."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import count
from urllib.parse import quote_plus
from uuid import uuid4

from dialer.carrier.address import Address, BadAddress, parse_address
from dialer.carrier.outbound import OnReply, Outbound, Reply
from dialer.carrier.signature import Signer
from dialer.carrier.timers import Timers

_BETWEEN_RETRIES_SECONDS = 0.1
_BAD_URL = Reply(0, "", b"", "ct")


class Messenger:
    """Sends for all calls. A retry is the same request again with the same idempotency token."""

    def __init__(
        self, *, outbound: Outbound, signer: Signer, timers: Timers, total_seconds: float = 15.0
    ) -> None:
        self._outbound = outbound
        self._signer = signer
        self._timers = timers
        self._total = total_seconds
        self._run = uuid4().hex[:20]
        self._count = count(1)
        settings = signer.settings_header
        self._settings_line = f"X-Twilio-Webhooks-Signature-Settings: {settings}\r\n" if settings else ""

    def send(self, url: str, method: str, params: Mapping[str, str], on_reply: OnReply) -> None:
        """Requests `url` (its fragment stays home); `on_reply` is called once, with the last try's answer."""
        try:
            address = parse_address(url)
        except BadAddress:
            self._timers.soon(lambda: on_reply(_BAD_URL))
            return
        if method == "GET" and params:
            mark = "&" if "?" in address.target else "?"
            query = mark + encode(params)
            address = address._replace(url=address.url + query, target=address.target + query)
            params = {}
        token = f"{self._run}-{next(self._count)}"
        data = self._request(address, method, params, token)
        if address.overrides.retries:
            _Retried(self, address, data, on_reply).send()
        else:
            self.transmit(address, data, on_reply, self._total)

    def transmit(self, address: Address, data: bytes, on_reply: OnReply, left: float) -> None:
        overrides = address.overrides
        limit = min(left, overrides.read_seconds, overrides.total_seconds, self._total)
        self._outbound.send(
            address, data, connect=min(overrides.connect_seconds, limit), total=limit, on_reply=on_reply
        )

    def after_a_moment(self, retried: _Retried) -> None:
        self._timers.really_later(_BETWEEN_RETRIES_SECONDS, retried.send)

    def now(self) -> float:
        return self._timers.unix()

    def _request(self, address: Address, method: str, params: Mapping[str, str], token: str) -> bytes:
        body = encode(params) if params else ""
        length = f"Content-Type: {_FORM}\r\nContent-Length: {len(body)}\r\n" if method == "POST" else ""
        head = (
            f"{method} {address.target} HTTP/1.1\r\nHost: {address.authority}\r\n{length}"
            f"X-Twilio-Signature: {self._signer.sign(address.url, params)}\r\n{self._settings_line}"
            f"I-Twilio-Idempotency-Token: {token}\r\nUser-Agent: TwilioProxy/1.1\r\nAccept: */*\r\n\r\n"
        )
        return (head + body).encode("ascii")


_FORM = "application/x-www-form-urlencoded; charset=UTF-8"


class _Retried:
    """One request with the retries its URL allows."""

    __slots__ = ("_address", "_data", "_left", "_messenger", "_on_reply", "_until")

    def __init__(self, messenger: Messenger, address: Address, data: bytes, on_reply: OnReply) -> None:
        self._messenger = messenger
        self._address = address
        self._data = data
        self._on_reply = on_reply
        self._left = address.overrides.retries
        self._until = messenger.now() + address.overrides.total_seconds

    def send(self) -> None:
        left = max(0.1, self._until - self._messenger.now())
        self._messenger.transmit(self._address, self._data, self._replied, left)

    def _replied(self, reply: Reply) -> None:
        kind = reply.kind
        if (
            not kind
            or self._left == 0
            or not self._address.overrides.wants_retry(kind)
            or self._messenger.now() >= self._until
        ):
            self._on_reply(reply)
        else:
            self._left -= 1
            self._messenger.after_a_moment(self)


_quoted = lru_cache(maxsize=8192)(quote_plus)


def encode(params: Mapping[str, str]) -> str:
    """The parameters as a form. Numbers and moments come again and again, so their escaped form is kept."""
    return "&".join([f"{key}={_quoted(value)}" for key, value in params.items()])
