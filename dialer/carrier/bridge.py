"""Dial: a second phone of the line is rung and joined to a call that is in progress."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from dialer.carrier.call import Call, Status
from dialer.carrier.ears import Saying
from dialer.carrier.lines.line import Cause, Leg, Line, Verdict
from dialer.carrier.notices import Notices
from dialer.carrier.order import CallOrder
from dialer.carrier.timers import Timers
from dialer.carrier.twiml import Dial

OnDialled = Callable[[dict[str, str]], None]
"""Told the DialCall parameters."""

_STATUS_OF = {
    Cause.HUNG_UP: Status.COMPLETED,
    Cause.BUSY: Status.BUSY,
    Cause.REJECTED: Status.BUSY,
    Cause.NO_ANSWER: Status.NO_ANSWER,
}


class BridgeHost(Protocol):
    """What a bridge uses of the exchange."""

    @property
    def timers(self) -> Timers: ...
    @property
    def line(self) -> Line: ...
    @property
    def notices(self) -> Notices: ...
    def child(self, order: CallOrder, parent: Call) -> Call: ...
    def joined(self, call: Call) -> None: ...


class Bridge:
    """The desk's leg. Its rings are not counted with those of the people we warn."""

    def __init__(
        self,
        exchange: BridgeHost,
        parent: Call,
        verb: Dial,
        done: OnDialled,
        left: OnDialled,
    ) -> None:
        """`done` is told how it went; `left` in its place where the caller left first."""
        self._exchange = exchange
        self._timers = exchange.timers
        self._verb = verb
        self._done = done
        self._left = left
        self._parent_sid = parent.sid
        order = CallOrder(
            to=verb.number,
            from_=verb.caller_id or parent.from_,
            status_callback=verb.status_callback,
            status_method=verb.status_method,
            events=verb.events,
        )
        self.call = exchange.child(order, parent)
        self._leg: Leg | None = None
        self._limit: asyncio.TimerHandle | None = None
        self._answered_at: datetime | None = None
        self._is_told = True

    def start(self) -> None:
        """Rings the desk, for as long as the verb says."""
        self.call.start = self._timers.unix()
        self._tell("initiated", "initiated")
        self._limit = self._timers.later(self._verb.timeout_seconds, lambda: self._hang_up(Status.NO_ANSWER))
        self._leg = self._exchange.line.dial(self.call.to, nth=1, events=self)

    def rings(self) -> None:
        if self.call.status is Status.QUEUED:
            self.call.status = Status.RINGING
            self.call.rang = True
            self._tell("ringing", "ringing")

    def answered(self, verdict: Verdict) -> None:  # noqa: ARG002 - a desk is no machine
        if self.call.status is not Status.RINGING:
            return
        self.call.status = Status.IN_PROGRESS
        self._answered_at = self._timers.service_now()
        self._tell("answered", Status.IN_PROGRESS.value)
        if self._limit is not None:
            self._limit.cancel()
        self._limit = self._timers.later(
            self._verb.time_limit_seconds, lambda: self._hang_up(Status.COMPLETED)
        )

    def pressed(self, key: str) -> None:
        """Keys of the desk's phone go nowhere."""

    def said(self, saying: Saying) -> None:
        """What the two say to each other is theirs."""

    def ended(self, cause: Cause) -> None:
        self._finish(_STATUS_OF.get(cause, Status.FAILED))

    def caller_left(self, *, told: bool) -> None:
        """The first leg is gone: the desk's is hung up. `told` says whether anybody hears of it."""
        self._done = self._left if told else _nothing
        self._is_told = told
        self._hang_up(Status.COMPLETED if self._answered_at is not None else Status.CANCELED)

    def _hang_up(self, status: Status) -> None:
        if self._leg is not None:
            self._leg.hang_up()
        self._finish(status)

    def _finish(self, status: Status) -> None:
        call = self.call
        if call.status.final:
            return
        if self._limit is not None:
            self._limit.cancel()
        call.status = status
        call.end = call.updated = self._timers.unix()
        result = {"DialCallSid": call.sid, "DialCallStatus": status.value}
        if self._answered_at is not None:
            talked = (self._timers.service_now() - self._answered_at).total_seconds()
            call.duration_seconds = max(1, round(talked))
            result["DialCallDuration"] = str(call.duration_seconds)
        if self._is_told:
            self._tell("completed", status.value)
        call.order = None
        self._exchange.joined(call)
        self._done(result)

    def _tell(self, event: str, status: str) -> None:
        """As of any call, to the address that the verb names for it."""
        self._exchange.notices.progress(self.call, event, status, {"ParentCallSid": self._parent_sid})


def _nothing(_result: dict[str, str]) -> None:
    """Nobody is left to be told."""
