"""Dial: a second phone of the line is rung and joined to a call that is in progress.

A call while it lives: from the dial to its final status, on any line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from dialer.carrier.calls import Call, CallOrder, Status
from dialer.carrier.config import Timers
from dialer.carrier.faults import Faults, InjectedFault
from dialer.carrier.lines.line import Cause, Leg, Line, Verdict
from dialer.carrier.people import AnsweredBy
from dialer.carrier.player import Player
from dialer.carrier.sound import Sounds
from dialer.carrier.speech_input import Hearing, Speech
from dialer.carrier.twiml import Dial
from dialer.carrier.webhooks import Messenger, Notices, base_params

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

    def said(self, speech: Speech) -> None:
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


_SETUP_LIMIT_SECONDS = 60.0
TIMED_OUT = 487


# What the network says, in Twilio's status and the SIP code beside it. A phone that is switched off (480) or
# does not exist (404) never rang; one that was rejected (603) did.
FINALS: dict[Cause, tuple[Status, int]] = {
    Cause.HUNG_UP: (Status.COMPLETED, 200),
    Cause.BUSY: (Status.BUSY, 486),
    Cause.REJECTED: (Status.BUSY, 603),
    Cause.NO_ANSWER: (Status.NO_ANSWER, 408),
    Cause.POWERED_OFF: (Status.FAILED, 480),
    Cause.INVALID: (Status.FAILED, 404),
    Cause.BLOCKED: (Status.FAILED, 403),
    Cause.FAILED: (Status.FAILED, 503),
}


class CallHost(BridgeHost, Protocol):
    """What a call uses of the exchange, and what it tells it."""

    @property
    def faults(self) -> Faults: ...
    @property
    def messenger(self) -> Messenger: ...
    @property
    def sounds(self) -> Sounds: ...
    @property
    def hearing(self) -> Hearing: ...
    def note_error(self, code: int) -> None: ...
    def rang(self, live: LiveCall) -> None: ...
    def changed(self, live: LiveCall) -> None: ...
    def over(self, live: LiveCall) -> None: ...


class LiveCall:
    """Owns the record, the leg and the player of one call; `_finish` happens exactly once."""

    def __init__(self, exchange: CallHost, call: Call, order: CallOrder, attempt: str, nth: int) -> None:
        self.call = call
        self.order = order
        self.attempt = attempt
        self.errors: list[int] = []
        self._exchange = exchange
        self._timers = exchange.timers
        self._nth = nth
        self._leg: Leg | None = None
        self._player: Player | None = None
        self._bridge: Bridge | None = None
        self._limit: asyncio.TimerHandle | None = None
        self._answered_at: datetime | None = None
        self._verdict_open = False
        self._verdict_due: asyncio.TimerHandle | None = None

    # What the player and the bridge see.

    @property
    def leg(self) -> Leg:
        assert self._leg is not None, "a call has a leg once it is dialled"
        return self._leg

    def params(self) -> dict[str, str]:
        params = base_params(self.call, self.call.status.value)
        if self.call.answered_by:
            params["AnsweredBy"] = self.call.answered_by
        return params

    def skips_fetch(self) -> bool:
        return self._exchange.faults.strikes(InjectedFault.TWIML_SKIP, self.call.to) is not None

    def fallback(self) -> tuple[str, str]:
        return self.order.fallback_url, self.order.fallback_method

    def error(self, code: int) -> None:
        self.errors.append(code)
        self._exchange.note_error(code)

    def finished(self) -> None:
        """The document is over: hung up from our side."""
        self.end(Status.COMPLETED, 200)

    def dial(self, verb: Dial, done: OnDialled, left: OnDialled) -> None:
        def over(result: dict[str, str]) -> None:
            self._bridge = None
            done(result)

        self._bridge = Bridge(self._exchange, self.call, verb, over, left)
        self._bridge.start()

    # What the exchange does.

    def start(self) -> None:
        """Dials. The status stays `queued` until the phone alerts, as Twilio's does."""
        call = self.call
        call.start = self._timers.unix()
        call.queue_ms = int((call.start - call.created) * 1000)
        self._exchange.notices.progress(call, "initiated", "initiated")
        self._limit = self._timers.later(
            self.order.timeout_seconds + _SETUP_LIMIT_SECONDS, lambda: self.end(Status.FAILED, 408)
        )
        self._leg = self._exchange.line.dial(call.to, nth=self._nth, events=self)

    def redirect(self, *, url: str, method: str, twiml: str) -> None:
        """What plays is replaced; only for a call in progress."""
        if twiml:
            self.player().play(twiml.encode())
        else:
            self.player().fetch(url, method)

    def player(self) -> Player:
        """The call's player, made when first needed."""
        if self._player is None:
            self._player = Player(
                self,
                messenger=self._exchange.messenger,
                sounds=self._exchange.sounds,
                hearing=self._exchange.hearing,
                timers=self._timers,
            )
        return self._player

    def answer_now(self) -> bool:
        """The phone answers at this instant if it is ringing and the line can do so."""
        return self._leg is not None and self.call.status is Status.RINGING and self._leg.answer_now()

    def end(self, status: Status, sip_code: int) -> None:
        """Ended from our side: the leg is hung up, the final status told."""
        if self._leg is not None and not self.call.status.final:
            self._leg.hang_up()
        self._finish(status, sip_code)

    def drop(self) -> None:
        """Cut off without a word, as in a crash: nothing is told to anybody."""
        self._silence(told=False)
        if self._verdict_due is not None:
            self._verdict_due.cancel()
        if self._leg is not None:
            self._leg.hang_up()

    # What the line does.

    def rings(self) -> None:
        call = self.call
        if call.status is not Status.QUEUED:
            return
        call.status = Status.RINGING
        call.rang = True
        self._exchange.rang(self)
        self._exchange.notices.progress(call, "ringing", "ringing")
        self._limit_to(self.order.timeout_seconds, lambda: self.end(Status.NO_ANSWER, TIMED_OUT))

    def answered(self, verdict: Verdict) -> None:
        call = self.call
        if call.status is not Status.RINGING:
            return
        call.status = Status.IN_PROGRESS
        call.updated = self._timers.unix()
        self._answered_at = self._timers.service_now()
        self._exchange.changed(self)
        self._exchange.notices.progress(call, "answered", Status.IN_PROGRESS.value)
        if self.order.time_limit_seconds is None:
            self._limit_to(None, self.finished)
        else:
            self._limit_to(self.order.time_limit_seconds, self.finished)
        if not self.order.machine_detection:
            self._begin()
            return
        verdict = self._heard_in_time(verdict)
        due = verdict.after_seconds
        if (
            self.order.machine_detection == "DetectMessageEnd"
            and verdict.answered_by is AnsweredBy.MACHINE_START
        ):
            due += verdict.greeting_seconds
            verdict = Verdict(
                answered_by=AnsweredBy.MACHINE_END_BEEP, after_seconds=due, greeting_seconds=0.0
            )
        if self.order.async_amd:
            self._verdict_open = True
            self._verdict_due = self._timers.later(due, lambda: self._tell_verdict(verdict, due))
            self._begin()
        else:
            self._verdict_due = self._timers.later(due, lambda: self._judged(verdict))

    def pressed(self, key: str) -> None:
        if self._bridge is None and self._player is not None:
            self._player.pressed(key)

    def said(self, speech: Speech) -> None:
        if self._bridge is None and self._player is not None:
            self._player.said(speech)

    def ended(self, cause: Cause) -> None:
        # Once answered, however it ends, the call has taken place.
        status, code = FINALS[cause if self._answered_at is None else Cause.HUNG_UP]
        self._finish(status, code)

    # Within.

    def _heard_in_time(self, verdict: Verdict) -> Verdict:
        """A detection slower than its timeout says `unknown`, as Twilio's does."""
        limit = self.order.detection_timeout_seconds
        if verdict.after_seconds <= limit:
            return verdict
        return Verdict(answered_by=AnsweredBy.UNKNOWN, after_seconds=limit, greeting_seconds=0.0)

    def _judged(self, verdict: Verdict) -> None:
        if not self.call.status.final:
            self.call.answered_by = verdict.answered_by.value
            self._begin()

    def _tell_verdict(self, verdict: Verdict, after_seconds: float) -> None:
        self.call.answered_by = verdict.answered_by.value
        self._exchange.notices.verdict(self.call, verdict.answered_by.value, int(after_seconds * 1000))
        self._verdict_open = False
        if self.call.status.final:
            self.call.order = None

    def _begin(self) -> None:
        if self.call.status.final:
            return
        player = self.player()
        if self.order.twiml:
            player.play(self.order.twiml.encode())
        else:
            player.fetch(self.order.url, self.order.method)

    def _limit_to(self, seconds: float | None, then: Callable[[], None]) -> None:
        if self._limit is not None:
            self._limit.cancel()
        self._limit = None if seconds is None else self._timers.later(seconds, then)

    def _silence(self, *, told: bool = True) -> None:
        self._limit_to(None, self.finished)
        if self._player is not None:
            self._player.stop()
        if self._bridge is not None:
            self._bridge.caller_left(told=told)
            self._bridge = None
        if self._verdict_due is not None and not self.order.async_amd:
            self._verdict_due.cancel()

    def _finish(self, status: Status, sip_code: int) -> None:
        call = self.call
        if call.status.final:
            return
        call.status = status
        call.end = call.updated = self._timers.unix()
        self._silence()
        extras = {"SipResponseCode": str(sip_code)}
        if self._answered_at is not None:
            talked = (self._timers.service_now() - self._answered_at).total_seconds()
            call.duration_seconds = max(1, round(talked))
            extras["CallDuration"] = str(call.duration_seconds or 0)
            extras["Duration"] = str(-(-(call.duration_seconds or 0) // 60))
        else:
            extras["CallDuration"] = "0"
        if call.answered_by:
            extras["AnsweredBy"] = call.answered_by
        if self._leg is not None and self._leg.line_result:
            extras["X-LineResult"] = self._leg.line_result
        self._exchange.over(self)
        self._exchange.notices.progress(call, "completed", status.value, extras)
        if not self._verdict_open:
            # The record is kept long; what was ordered is needed no more.
            call.order = None
