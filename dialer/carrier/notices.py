"""Status callbacks: what the application is told of a call's progress, and the faults that garble it."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate

from dialer.carrier.call import API_VERSION, Call
from dialer.carrier.faults import Fault, Faults
from dialer.carrier.messenger import Messenger
from dialer.carrier.outbound import Reply
from dialer.carrier.timers import Timers
from dialer.carrier.witness import LEG, Witness

_REORDER_SECONDS = 0.05
_DEFAULT_DELAY_SECONDS = 1.0
LAST = "completed"


def base_params(call: Call, status: str) -> dict[str, str]:
    """The parameters that every request about a call carries."""
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
    """Sends them. Order is not guaranteed: each goes out at once, on whichever connection is free."""

    def __init__(
        self,
        *,
        messenger: Messenger,
        faults: Faults,
        timers: Timers,
        witness: Witness,
        attempt_in: Callable[[str], str],
    ) -> None:
        self._messenger = messenger
        self._faults = faults
        self._timers = timers
        self._witness = witness
        self._attempt_in = attempt_in
        self._held: dict[str, tuple[str, str, dict[str, str]]] = {}
        self._age = 0
        self.sent = 0
        self.failed = 0

    def progress(self, call: Call, event: str, status: str, extras: dict[str, str] | None = None) -> None:
        """Tells of `event` (initiated, ringing, answered, completed) if the order asked for it."""
        order = call.order
        if order is None or not order.status_callback or event not in order.events:
            return
        params = base_params(call, status)
        params["CallbackSource"] = "call-progress-events"
        params["SequenceNumber"] = str(call.sequence)
        params["Timestamp"] = formatdate(self._timers.unix(), usegmt=False).replace("-0000", "+0000")
        call.sequence += 1
        if extras:
            params.update(extras)
        self._deliver(call.sid, event, order.status_callback, order.status_method, params)

    def verdict(self, call: Call, answered_by: str, detection_ms: int) -> None:
        """Posts the asynchronous machine-detection result, also when the call is over by then."""
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

    def forget(self) -> None:
        """What is held back or delayed is never sent, as after a crash."""
        self._age += 1
        self._held.clear()

    def _deliver(self, sid: str, event: str, url: str, method: str, params: dict[str, str]) -> None:
        strikes = self._faults.strikes
        if strikes(Fault.WEBHOOK_DROP, event) or (event == LAST and strikes(Fault.LAST_WEBHOOK_DROP, event)):
            return
        if event not in {LAST, "amd"} and strikes(Fault.WEBHOOK_REORDER, event):
            self._release(sid)
            self._held[sid] = (url, method, params)
            return
        copies = 2 if strikes(Fault.WEBHOOK_DOUBLE, event) else 1
        late = strikes(Fault.WEBHOOK_DELAY, event)
        age = self._age
        for _ in range(copies):
            if late is None:
                self._send(url, method, params)
            else:
                seconds = _DEFAULT_DELAY_SECONDS if late.seconds is None else late.seconds
                self._timers.really_later(seconds, lambda: self._send_late(age, url, method, params))
        if self._held:
            self._timers.really_later(_REORDER_SECONDS, lambda: self._release(sid))

    def _release(self, sid: str) -> None:
        held = self._held.pop(sid, None)
        if held is not None:
            self._send(*held)

    def _send_late(self, age: int, url: str, method: str, params: dict[str, str]) -> None:
        if age == self._age:
            self._send(url, method, params)

    def _send(self, url: str, method: str, params: dict[str, str]) -> None:
        self.sent += 1
        what = params.get("SequenceNumber", "amd")
        if "ParentCallSid" in params:
            what = f"{LEG}{what}"

        def replied(reply: Reply) -> None:
            if reply.fine:
                self._witness.heard(unix=self._timers.unix(), attempt=self._attempt_in(url), what=what)
            else:
                self.failed += 1

        self._messenger.send(url, method, params, replied)
