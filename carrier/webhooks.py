"""Signed requests to the application (webhooks, TwiML, sound) with Twilio's retry rules, and the status callbacks of
calls, with the faults that lose, repeat, delay or reorder them.
"""

from __future__ import annotations

import hmac
from binascii import b2a_base64
from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import count
from urllib.parse import quote_plus
from uuid import uuid4

from carrier.calls import API_VERSION, Call, CallOrder, rfc2822
from carrier.config import Timers
from carrier.faults import Faults, InjectedFault
from carrier.journal import LEG, CallJournal, unless_disk_is_full
from carrier.outbound import Address, BadAddress, OnReply, Outbound, Reply, parse_address
from carrier.recordings import Recording


class Signer:
    """X-Twilio-Signature: base64 of an HMAC with the account's token (SHA-1) or a shared key (SHA-256)."""

    def __init__(self, token: str, *, algorithm: str = "HMAC_SHA1", key_name: str = "") -> None:
        self._key = token.encode()
        self._digest = "sha256" if algorithm == "HMAC_SHA256" else "sha1"
        self.settings_header = f"key={key_name},algorithm={algorithm}" if algorithm == "HMAC_SHA256" else ""

    def sign(self, url: str, params: Mapping[str, str] | None = None) -> str:
        """The signature of `url` as requested (without fragment) and the sorted POST parameters, none for a GET."""
        text = url
        if params:
            text += "".join([key + params[key] for key in sorted(params)])
        digest = hmac.digest(self._key, text.encode(), self._digest)
        return b2a_base64(digest, newline=False).decode("ascii")


_BETWEEN_RETRIES_SECONDS = 0.1
_BAD_URL = Reply(0, "", b"", "ct")


class _Sending:
    """One request, with as many retries as its URL allows. Nothing refers to it once it is over: closures that refer to
    each other cost the garbage collector a tenth of the carrier's processor time.
    """

    __slots__ = ("_address", "_data", "_most", "_on_reply", "_outbound", "_retries", "_timers", "_until")

    def __init__(
        self,
        outbound: Outbound,
        timers: Timers,
        address: Address,
        data: bytes,
        most_seconds: float,
        on_reply: OnReply,
    ) -> None:
        self._outbound = outbound
        self._timers = timers
        self._address = address
        self._data = data
        self._most = most_seconds
        self._on_reply = on_reply
        self._retries = address.overrides.retries
        self._until = timers.monotonic() + address.overrides.total_seconds

    def send(self) -> None:
        overrides = self._address.overrides
        left = max(0.1, self._until - self._timers.monotonic())
        limit = min(left, overrides.read_seconds, self._most)
        connect = min(overrides.connect_seconds, limit)
        self._outbound.send(self._address, self._data, connect=connect, total=limit, on_reply=self._replied)

    def _replied(self, reply: Reply) -> None:
        failure = reply.kind
        if (
            failure
            and self._retries
            and self._address.overrides.wants_retry(failure)
            and self._timers.monotonic() < self._until
        ):
            self._retries -= 1
            self._timers.really_later(_BETWEEN_RETRIES_SECONDS, self.send)
        else:
            self._on_reply(reply)


class Messenger:
    """Sends the requests of all calls. A retry repeats the request with the same idempotency token."""

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
        """Requests `url` without its fragment; `on_reply` is called once, with the answer of the last try."""
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
        _Sending(self._outbound, self._timers, address, data, self._total, on_reply).send()

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


_quoted = lru_cache(maxsize=8192)(quote_plus)


def encode(params: Mapping[str, str]) -> str:
    """The parameters as a form. Escaped values are cached, because numbers and moments repeat."""
    return "&".join([f"{key}={_quoted(value)}" for key, value in params.items()])


_REORDER_SECONDS = 0.05
_DEFAULT_DELAY_SECONDS = 1.0
LAST = "completed"
RECORDING = "recording"
"""The name of the status callbacks of recordings, for faults."""


def base_params(call: Call, status: str) -> dict[str, str]:
    """The parameters of every request about a call."""
    return {
        "CallSid": call.sid,
        "AccountSid": call.account_sid,
        "From": call.from_,
        "To": call.to,
        "Caller": call.from_,
        "Called": call.to,
        "CallStatus": status,
        "ApiVersion": API_VERSION,
        "Direction": call.direction,
    }


class Notices:
    """Sends the status callbacks of calls, each at once on any free connection, so in no guaranteed order."""

    def __init__(
        self,
        *,
        messenger: Messenger,
        faults: Faults,
        timers: Timers,
        call_journal: CallJournal,
        attempt_in: Callable[[str], str],
    ) -> None:
        self._messenger = messenger
        self._faults = faults
        self._timers = timers
        self._call_journal = call_journal
        self._attempt_in = attempt_in
        self._held: dict[str, tuple[str, str, dict[str, str]]] = {}
        self._generation = 0
        self.sent = 0
        self.failed = 0

    def progress(self, call: Call, event: str, status: str, extras: dict[str, str] | None = None) -> None:
        """Reports `event` (initiated, ringing, answered, completed) if the order asks for it."""
        order = call.order
        if order is None or not order.status_callback or event not in order.events:
            return
        params = base_params(call, status)
        params["CallbackSource"] = "call-progress-events"
        params["SequenceNumber"] = str(call.sequence)
        params["Timestamp"] = rfc2822(self._timers.unix()) or ""
        call.sequence += 1
        if extras:
            params.update(extras)
        self._deliver(call.sid, event, order.status_callback, order.status_method, params)

    def verdict(self, call: Call, answered_by: str, detection_ms: int) -> None:
        """Reports the result of asynchronous machine detection, also after the end of the call."""
        order = call.order
        if order is None or not order.async_amd_callback:
            return
        params = {
            "CallSid": call.sid,
            "AccountSid": call.account_sid,
            "AnsweredBy": answered_by,
            "MachineDetectionDuration": str(detection_ms),
        }
        self._deliver(call.sid, "amd", order.async_amd_callback, order.async_amd_method, params)

    def recording(self, recording: Recording, order: CallOrder) -> None:
        """Reports the status of a recording, where its order asks for it."""
        if order.recording_callback and recording.status in order.recording_events:
            url, method = order.recording_callback, order.recording_method
            self._deliver(recording.call_sid, RECORDING, url, method, recording.params())

    def forget(self) -> None:
        """Drops the callbacks that are held back or delayed, as in a crash."""
        self._generation += 1
        self._held.clear()

    def _deliver(self, sid: str, event: str, url: str, method: str, params: dict[str, str]) -> None:
        strikes = self._faults.strikes
        if strikes(InjectedFault.WEBHOOK_DROP, event) or (
            event == LAST and strikes(InjectedFault.LAST_WEBHOOK_DROP, event)
        ):
            return
        if event not in {LAST, "amd", RECORDING} and strikes(InjectedFault.WEBHOOK_REORDER, event):
            self._release(sid)
            self._held[sid] = (url, method, params)
            return
        copies = 2 if strikes(InjectedFault.WEBHOOK_DOUBLE, event) else 1
        late = strikes(InjectedFault.WEBHOOK_DELAY, event)
        generation = self._generation
        for _ in range(copies):
            if late is None:
                self._send(url, method, params)
            else:
                seconds = _DEFAULT_DELAY_SECONDS if late.seconds is None else late.seconds
                self._timers.really_later(seconds, lambda: self._send_late(generation, url, method, params))
        if self._held:
            self._timers.really_later(_REORDER_SECONDS, lambda: self._release(sid))

    def _release(self, sid: str) -> None:
        held = self._held.pop(sid, None)
        if held is not None:
            self._send(*held)

    def _send_late(self, generation: int, url: str, method: str, params: dict[str, str]) -> None:
        if generation == self._generation:
            self._send(url, method, params)

    def _send(self, url: str, method: str, params: dict[str, str]) -> None:
        self.sent += 1
        what = params.get("SequenceNumber", "amd")
        if "ParentCallSid" in params:
            what = f"{LEG}{what}"

        def replied(reply: Reply) -> None:
            if reply.is_success and "RecordingSid" in params:
                return
            if not reply.is_success:
                self.failed += 1
                return
            # An exception here would reach the connection, which carries another request by now.
            with unless_disk_is_full("the answer to a notice"):
                self._call_journal.heard(unix=self._timers.unix(), attempt=self._attempt_in(url), what=what)

        self._messenger.send(url, method, params, replied)
