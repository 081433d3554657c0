"""A live call, from the dial to its final status, on any line; and the second leg that a Dial joins to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from carrier.calls import Call, CallOrder, Status
from carrier.conferences import Conferences
from carrier.config import Timers
from carrier.faults import Faults, InjectedFault
from carrier.lines import Cause, Leg, LegEvents, Line, MachineDetection, Quality
from carrier.lines.sound import RING_SECONDS, ringback
from carrier.people import AnsweredBy
from carrier.player import PlayedCall, Player, SoundCache
from carrier.recordings import OF_CALL, OF_DIAL, CallRecorder
from carrier.speech_input import Hearing, Speech
from carrier.twiml import INVALID_ATTRIBUTE, Dial
from carrier.webhooks import Messenger, Notices, base_params

OnDialled = Callable[[dict[str, str]], None]
"""Gets the DialCall parameters."""

_SETUP_LIMIT_SECONDS = 60.0
_LONGEST_SECONDS = 14_400.0
"""Of a second leg that has become a call of its own, as Twilio's calls."""
TIMED_OUT = 487

# CallStatus and SIP code of each cause. A phone that is switched off (480) or does not exist (404) did not ring; one
# where the call was rejected (603) did.
FINALS: dict[Cause, tuple[Status, int]] = {
    Cause.HUNG_UP: (Status.COMPLETED, 200),
    Cause.BUSY: (Status.BUSY, 486),
    Cause.REJECTED: (Status.BUSY, 603),
    Cause.NO_ANSWER: (Status.NO_ANSWER, 408),
    Cause.POWERED_OFF: (Status.FAILED, 480),
    Cause.INVALID: (Status.FAILED, 404),
    Cause.BLOCKED: (Status.FAILED, 403),
    Cause.FAILED: (Status.FAILED, 503),
    Cause.LOST: (Status.FAILED, 500),
    Cause.NO_SOUND: (Status.COMPLETED, 200),
    Cause.NO_WAY: (Status.FAILED, 488),
}


class CallHost(Protocol):
    """The exchange as a call uses it."""

    @property
    def timers(self) -> Timers: ...
    @property
    def line(self) -> Line: ...
    @property
    def notices(self) -> Notices: ...
    @property
    def faults(self) -> Faults: ...
    @property
    def messenger(self) -> Messenger: ...
    @property
    def sounds(self) -> SoundCache: ...
    @property
    def hearing(self) -> Hearing: ...
    @property
    def conferences(self) -> Conferences: ...
    def note_error(self, code: int) -> None: ...
    def child(self, order: CallOrder, parent: Call) -> Call: ...
    def second_leg(self, bridge: Bridge) -> None: ...
    def child_over(self, call: Call) -> None: ...
    def ringing(self, live: LiveCall) -> None: ...
    def answered(self, live: LiveCall) -> None: ...
    def over(self, live: LiveCall) -> None: ...
    def measured(self, call: Call, quality: Quality) -> None: ...
    def record(self, call: Call, order: CallOrder, *, source: str) -> CallRecorder: ...


class _LiveLeg(LegEvents):
    """A leg with the record of its call, its time limit, the moment of its answer, and what records it."""

    def __init__(self, exchange: CallHost, call: Call) -> None:
        self.call = call
        self._exchange = exchange
        self._timers = exchange.timers
        self._leg: Leg | None = None
        self._limit: asyncio.TimerHandle | None = None
        self._answered_at: float | None = None
        """By the monotonic clock."""
        self._recorder: CallRecorder | None = None
        self._player: Player | None = None

    @property
    def leg(self) -> Leg:
        """The leg to the phone. AssertionError before the call is dialled."""
        assert self._leg is not None, "a call has a leg once it is dialled"
        return self._leg

    def skips_fetch(self) -> bool:
        """Whether an injected fault makes this request for TwiML fail unsent."""
        return self._exchange.faults.strikes(InjectedFault.TWIML_SKIP, self.call.to) is not None

    def _player_for(self, played: PlayedCall) -> Player:
        """The player of the leg, made when first needed."""
        if self._player is None:
            self._player = Player(
                played,
                messenger=self._exchange.messenger,
                sounds=self._exchange.sounds,
                hearing=self._exchange.hearing,
                timers=self._timers,
            )
        return self._player

    def unplayed(self) -> None:
        """The line has no sound for a clip of this leg."""
        if self._player is not None:
            self._player.has_unplayed = True

    def measured(self, quality: Quality) -> None:
        self._exchange.measured(self.call, quality)

    def _record(self, recorder: CallRecorder) -> None:
        self._recorder = recorder
        self.leg.record(recorder)

    def _limit_to(self, seconds: float | None, then: Callable[[], None]) -> None:
        """Calls `then` after `seconds` of service time; None: never. An earlier limit is cancelled."""
        self._lift_limit()
        if seconds is not None:
            self._limit = self._timers.later(seconds, then)

    def _lift_limit(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

    def _close(self, status: Status) -> None:
        """Gives the record its final status and, after an answer, its duration: at least one second."""
        call = self.call
        call.status = status
        call.end = call.updated = self._timers.unix()
        if self._answered_at is not None:
            talked = (self._timers.monotonic() - self._answered_at) * self._timers.clock.speed
            call.duration_seconds = max(1, round(talked))


class Bridge(_LiveLeg):
    """The second leg of a Dial. Its rings are not counted in the call journal. Where the Dial names a document for it,
    it hears that first, and is connected at its end. Once it was given another document it is a call of its own: the
    Dial is over, and each goes on for itself.
    """

    def __init__(
        self, exchange: CallHost, parent: LiveCall, verb: Dial, done: OnDialled, left: OnDialled
    ) -> None:
        """At its end `done` is called, or `left` where the caller has left first."""
        order = CallOrder(
            to=verb.number,
            from_=verb.caller_id or parent.call.from_,
            status_callback=verb.status_callback,
            status_method=verb.status_method,
            events=verb.events,
            records=verb.recording_channels > 0,
            recording_channels=verb.recording_channels,
            recording_callback=verb.recording_callback,
            recording_method=verb.recording_method,
            recording_events=verb.recording_events,
        )
        super().__init__(exchange, exchange.child(order, parent.call))
        self._order = order
        self._parent = parent
        self._verb = verb
        self._done = done
        self._left = left
        self._has_webhooks = True
        self.is_own = False
        """It was given a document, and is not the second leg of a Dial any more."""

    def start(self) -> None:
        """Calls the second phone, for as long as the verb allows."""
        self.call.start = self._timers.unix()
        self._notify("initiated", "initiated")
        self._limit_to(self._verb.timeout_seconds, lambda: self._hang_up(Status.NO_ANSWER))
        self._exchange.second_leg(self)
        self._leg = self._exchange.line.dial(self.call.to, nth=1, events=self)

    def ringing(self) -> None:
        if self.call.status is Status.QUEUED:
            self.call.status = Status.RINGING
            self.call.rang = True
            self._notify("ringing", "ringing")

    def answered(self, verdict: MachineDetection | None) -> None:  # noqa: ARG002 - an officer's phone is no machine
        if self.call.status is not Status.RINGING:
            return
        self.call.status = Status.IN_PROGRESS
        self._answered_at = self._timers.monotonic()
        if self._order.records:
            # It begins with what this phone hears before it is connected.
            self._record(self._exchange.record(self._parent.call, self._order, source=OF_DIAL))
        self._notify("answered", Status.IN_PROGRESS.value)
        self._limit_to(self._verb.time_limit_seconds, self.hang_up)
        if self._verb.url:
            self._player_for(self).fetch(self._verb.url, self._verb.url_method)
        else:
            self.finished()

    def pressed(self, key: str) -> None:
        """A key counts in the document that is heard before the two are connected, and not after it."""
        if self._player is not None:
            self._player.pressed(key)

    def said(self, speech: Speech) -> None:
        """As `pressed`, for speech."""
        if self._player is not None:
            self._player.said(speech)

    # Used by the player.

    def params(self) -> dict[str, str]:
        """Fields of a request for TwiML, as Twilio sends them."""
        return base_params(self.call, self.call.status.value) | {"ParentCallSid": self._parent.call.sid}

    def fallback(self) -> tuple[str, str]:
        """No fallback: where the document cannot be fetched, the person is not told of it and is not connected."""
        return "", "POST"

    def error(self, code: int) -> None:
        """Counts one of Twilio's error codes for the call that dialled."""
        self._parent.error(code)

    def dial(self, verb: Dial, done: OnDialled, left: OnDialled) -> None:  # noqa: ARG002 - as the player calls it
        """A second leg dials nobody; once it is a call of its own it may enter a conference."""
        if self.is_own and verb.conference is not None:
            self._exchange.conferences.enter(self, verb, done)
            return
        self.error(INVALID_ATTRIBUTE)
        self.hang_up()

    def redirect(self, *, url: str, method: str, twiml: str) -> None:
        """Plays this document from now on, in place of what it did; only for a leg that was answered. If it is the
        second leg of a Dial still, that Dial is over, and the call that dialled goes on after it.
        """
        self._exchange.conferences.leave(self.call.sid)
        self._limit_to(_LONGEST_SECONDS, self.hang_up)
        self.leg.stop_speaking()
        self.leg.hear(())
        if not self.is_own:
            self.is_own = True
            done, self._done = self._done, _ignored
            self._parent.released(self)
            talked = (self._timers.monotonic() - (self._answered_at or 0.0)) * self._timers.clock.speed
            result = {"DialCallSid": self.call.sid, "DialCallStatus": Status.COMPLETED.value}
            done(result | {"DialCallDuration": str(max(1, round(talked)))})
        player = self._player_for(self)
        if twiml:
            player.play(twiml.encode())
        else:
            player.fetch(url, method)

    def finished(self) -> None:
        """Connects both legs. Hangs up instead where the document was not played whole, and at the end of a document of
        its own.
        """
        if self.is_own:
            self.hang_up()
            return
        was_played_whole = self._player is None or not self._player.has_unplayed
        if self._player is not None:
            self._player.stop()
            self._player = None
        if not was_played_whole:
            self.hang_up()
            return
        if self._leg is not None and not self.call.status.final:
            self._parent.join(self._leg)

    def hang_up(self) -> None:
        """Hangs up this leg; the caller's document goes on."""
        self._hang_up(Status.COMPLETED)

    def ended(self, cause: Cause) -> None:
        self._finish(FINALS[cause if self._answered_at is None else Cause.HUNG_UP][0])

    def caller_left(self, *, silent: bool) -> None:
        """Hangs up this leg, since the first one is over. `silent`: without any request to the application."""
        self._done = _ignored if silent else self._left
        self._has_webhooks = not silent
        if silent and self._recorder is not None:
            self._recorder.abandon()
        self._hang_up(Status.COMPLETED if self._answered_at is not None else Status.CANCELED)

    def _hang_up(self, status: Status) -> None:
        if self._leg is not None:
            self._leg.hang_up()
        self._finish(status)

    def _finish(self, status: Status) -> None:
        call = self.call
        if call.status.final:
            return
        self._lift_limit()
        self._exchange.conferences.leave(call.sid)
        if self._player is not None:
            self._player.stop()
            self._player = None
        self._close(status)
        result = {"DialCallSid": call.sid, "DialCallStatus": status.value}
        if self._recorder is not None:
            result["RecordingUrl"] = self._recorder.recording.url
        if call.duration_seconds is not None:
            result["DialCallDuration"] = str(call.duration_seconds)
        if self._has_webhooks:
            self._notify("completed", status.value, {"CallDuration": str(call.duration_seconds or 0)})
        call.order = None
        self._leg = None
        self._exchange.child_over(call)
        self._done(result)

    def _notify(self, event: str, status: str, extras: dict[str, str] | None = None) -> None:
        of_parent = {"ParentCallSid": self._parent.call.sid}
        self._exchange.notices.progress(self.call, event, status, of_parent | (extras or {}))


def _unknown_after(seconds: float) -> MachineDetection:
    return MachineDetection(answered_by=AnsweredBy.UNKNOWN, after_seconds=seconds, greeting_seconds=0.0)


def _ignored(_result: dict[str, str]) -> None:
    """After a crash the result of a Dial goes nowhere."""


_RINGS_OF_A_NOTICE = 4
"""How often the caller hears it ring while the second phone hears its own document."""


def _nothing() -> None:
    """The ringing is over only when the second phone is connected or gone."""


class LiveCall(_LiveLeg):
    """Owns the record, the leg and the player of one call. `_finish` has effect exactly once."""

    def __init__(self, exchange: CallHost, call: Call, order: CallOrder, attempt: str, nth: int) -> None:
        super().__init__(exchange, call)
        self.order = order
        self.attempt = attempt
        self.errors: list[int] = []
        self._nth = nth
        self._bridge: Bridge | None = None
        self._verdict_open = False
        self._verdict_due: asyncio.TimerHandle | None = None

    # Used by the player.

    def params(self) -> dict[str, str]:
        """Fields of a request for TwiML, as Twilio sends them."""
        params = base_params(self.call, self.call.status.value)
        if self.call.answered_by:
            params["AnsweredBy"] = self.call.answered_by
        return params

    def fallback(self) -> tuple[str, str]:
        """Address and method that are asked when the address of the call does not answer."""
        return self.order.fallback_url, self.order.fallback_method

    def error(self, code: int) -> None:
        """Keeps one of Twilio's error codes in the call and counts it."""
        self.errors.append(code)
        self._exchange.note_error(code)

    def finished(self) -> None:
        """Hangs up, since the document is over."""
        self.hang_up()

    def hang_up(self) -> None:
        """The carrier hangs up."""
        self.end(Status.COMPLETED, 200)

    def dial(self, verb: Dial, done: OnDialled, left: OnDialled) -> None:
        """Connects a second phone; the caller hears it ring. At its end `done` gets the DialCall parameters; if this
        call ends first, `left` gets them.
        """

        def over(result: dict[str, str]) -> None:
            self._bridge = None
            self.leg.stop_speaking()
            done(result)

        if verb.conference is not None:
            self._exchange.conferences.enter(self, verb, done)
            return
        self._bridge = Bridge(self._exchange, self, verb, over, left)
        self.leg.speak(ringback(round(verb.timeout_seconds / RING_SECONDS) + _RINGS_OF_A_NOTICE), _nothing)
        self._bridge.start()

    def released(self, bridge: Bridge) -> None:
        """The second phone is a call of its own from now on; the caller does not hear it any more."""
        if self._bridge is bridge:
            self._bridge = None
            self.leg.hear(())

    def join(self, other: Leg) -> None:
        """The second phone is connected: the caller hears it instead of the ringing."""
        self.leg.stop_speaking()
        self.leg.join(other)

    # Used by the exchange.

    def start(self) -> None:
        """Dials. The status stays `queued` until the phone alerts, as Twilio's does."""
        call = self.call
        call.start = self._timers.unix()
        call.queue_ms = int((call.start - call.created) * 1000)
        self._exchange.notices.progress(call, "initiated", "initiated")
        self._limit_to(
            self.order.timeout_seconds + _SETUP_LIMIT_SECONDS, lambda: self.end(Status.FAILED, 408)
        )
        self._leg = self._exchange.line.dial(call.to, nth=self._nth, events=self)

    def receive(self, connect: Callable[[LegEvents], Leg]) -> None:
        """Takes an inbound call: `connect` makes its leg, which reports when it is answered."""
        call = self.call
        call.start = self._timers.unix()
        call.status = Status.RINGING
        self._limit_to(_SETUP_LIMIT_SECONDS, lambda: self.end(Status.FAILED, 408))
        self._leg = connect(self)

    def redirect(self, *, url: str, method: str, twiml: str) -> None:
        """Plays this document from now on, in place of another; only for a call in progress. A telephone that was
        dialled is hung up.
        """
        if self._bridge is not None:
            self._bridge.caller_left(silent=False)
            self._bridge = None
        self._exchange.conferences.leave(self.call.sid)
        if twiml:
            self.player().play(twiml.encode())
        else:
            self.player().fetch(url, method)

    def player(self) -> Player:
        """The player of the call, made when first needed."""
        return self._player_for(self)

    def answer_now(self) -> bool:
        """Makes a ringing phone answer now, if the line can; returns whether it did."""
        return self._leg is not None and self.call.status is Status.RINGING and self._leg.answer_now()

    def end(self, status: Status, sip_code: int) -> None:
        """Hangs up, and gives the call its final status."""
        if self._leg is not None and not self.call.status.final:
            self._leg.hang_up()
        self._finish(status, sip_code)

    def drop(self) -> None:
        """Cuts off the leg without any request to the application, as in a crash."""
        self._stop_all(silent=True)
        if self._verdict_due is not None:
            self._verdict_due.cancel()
        if self._recorder is not None:
            self._recorder.abandon()
        if self._leg is not None:
            self._leg.hang_up()

    # Events of the line.

    def ringing(self) -> None:
        call = self.call
        if call.status is not Status.QUEUED:
            return
        call.status = Status.RINGING
        call.rang = True
        self._exchange.ringing(self)
        self._exchange.notices.progress(call, "ringing", "ringing")
        self._limit_to(self.order.timeout_seconds, lambda: self.end(Status.NO_ANSWER, TIMED_OUT))

    def answered(self, verdict: MachineDetection | None) -> None:
        call = self.call
        if call.status is not Status.RINGING:
            return
        call.status = Status.IN_PROGRESS
        call.updated = self._timers.unix()
        self._answered_at = self._timers.monotonic()
        self._exchange.answered(self)
        self._exchange.notices.progress(call, "answered", Status.IN_PROGRESS.value)
        self._limit_to(self.order.time_limit_seconds, self.finished)
        if self.order.records:
            self._record(self._exchange.record(call, self.order, source=OF_CALL))
        if not self.order.machine_detection:
            self._begin()
            return
        self._verdict_open = True
        if verdict is None:
            # The line listens; without a verdict in time the result is unknown.
            self._await_verdict(_unknown_after(self.order.detection_timeout_seconds), waited_seconds=0.0)
        else:
            self._await_verdict(self._in_time(verdict), waited_seconds=0.0)
        if self.order.async_amd:
            self._begin()

    def judged(self, verdict: MachineDetection) -> None:
        """The verdict of a line that listens. With DetectMessageEnd a machine is reported at the end of its
        greeting.
        """
        if not self._verdict_open or self._verdict_due is None:
            return
        self._verdict_due.cancel()
        waits = self.order.machine_detection == "DetectMessageEnd"
        if waits and verdict.answered_by is AnsweredBy.MACHINE_START:
            # The greeting goes on; where its end is not detected in time, the result is `machine_end_other`.
            limit = max(self.order.detection_timeout_seconds, verdict.after_seconds)
            verdict = replace(verdict, answered_by=AnsweredBy.MACHINE_END_OTHER)
            report = self._report_verdict if self.order.async_amd else self._judged
            self._verdict_due = self._timers.later(
                limit - verdict.after_seconds, lambda: report(verdict, limit)
            )
            return
        self._await_verdict(verdict, waited_seconds=verdict.after_seconds)

    def _await_verdict(self, verdict: MachineDetection, *, waited_seconds: float) -> None:
        """Reports the verdict when it is due: with DetectMessageEnd, a machine's after its greeting."""
        due = verdict.after_seconds
        if (
            self.order.machine_detection == "DetectMessageEnd"
            and verdict.answered_by is AnsweredBy.MACHINE_START
        ):
            due += verdict.greeting_seconds
            verdict = replace(verdict, answered_by=AnsweredBy.MACHINE_END_BEEP)
        report = self._report_verdict if self.order.async_amd else self._judged
        self._verdict_due = self._timers.later(due - waited_seconds, lambda: report(verdict, due))

    def pressed(self, key: str) -> None:
        if self._bridge is None and self._player is not None:
            self._player.pressed(key)

    def said(self, speech: Speech) -> None:
        if self._bridge is None and self._player is not None:
            self._player.said(speech)

    def ended(self, cause: Cause) -> None:
        # A call that was answered is completed, whatever ends it.
        status, code = FINALS[cause if self._answered_at is None else Cause.HUNG_UP]
        self._finish(status, code)

    def _in_time(self, verdict: MachineDetection) -> MachineDetection:
        """A detection slower than its timeout reports `unknown`, as Twilio's does."""
        limit = self.order.detection_timeout_seconds
        return verdict if verdict.after_seconds <= limit else _unknown_after(limit)

    def _judged(self, verdict: MachineDetection, _after_seconds: float) -> None:
        self._verdict_open, self._verdict_due = False, None
        if not self.call.status.final:
            self.call.answered_by = verdict.answered_by.value
            self._begin()

    def _report_verdict(self, verdict: MachineDetection, after_seconds: float) -> None:
        self.call.answered_by = verdict.answered_by.value
        self._exchange.notices.verdict(self.call, verdict.answered_by.value, int(after_seconds * 1000))
        self._verdict_open, self._verdict_due = False, None
        if self.call.status.final:
            self.call.order = None

    def _begin(self) -> None:
        if not self.call.status.final:
            self.redirect(url=self.order.url, method=self.order.method, twiml=self.order.twiml)

    def _stop_all(self, *, silent: bool = False) -> None:
        """Stops the limit, the player, the bridge and a verdict that the call waits for."""
        self._lift_limit()
        self._exchange.conferences.leave(self.call.sid)
        if self._player is not None:
            self._player.stop()
        if self._bridge is not None:
            self._bridge.caller_left(silent=silent)
            self._bridge = None
        if self._verdict_due is not None and not self.order.async_amd:
            self._verdict_due.cancel()
            self._verdict_open = False

    def _finish(self, status: Status, sip_code: int) -> None:
        call = self.call
        if call.status.final:
            return
        self._close(status)
        self._stop_all()
        extras = {"SipResponseCode": str(sip_code), "CallDuration": str(call.duration_seconds or 0)}
        if call.duration_seconds is not None:
            extras["Duration"] = str(-(-call.duration_seconds // 60))
        if call.answered_by:
            extras["AnsweredBy"] = call.answered_by
        if self._leg is not None and self._leg.line_result:
            extras["X-LineResult"] = self._leg.line_result
        if self._player is not None:
            extras |= self._player.missing()
        if self._leg is not None and self._leg.announcement:
            extras["X-Announcement"] = self._leg.announcement
        self._exchange.over(self)
        self._exchange.notices.progress(call, "completed", status.value, extras)
        if not self._verdict_open:
            call.order = None
        # They refer to this call, and would wait for the garbage collector.
        self._leg = self._player = None
