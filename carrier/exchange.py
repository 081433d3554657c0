"""The exchange: every call, the queue in front of the lines, what calls share, and the log of calls that survives a
kill.

Without that log a restarted carrier would not list a call that it has placed, and the application would place it again.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from uuid import uuid4

from carrier.calls import Call, CallOrder, Status, bad_parameter, no_such, number_refused
from carrier.conferences import Conferences
from carrier.config import CarrierConfig, Timers
from carrier.faults import Faults, InjectedFault
from carrier.journal import ROTATE_BYTES, CallJournal, Record, SealedLog, unless_disk_is_full
from carrier.lines import Leg, LegEvents, Line, Quality
from carrier.live_call import TIMED_OUT, Bridge, LiveCall
from carrier.outbound import Outbound
from carrier.player import SoundCache
from carrier.recordings import IN_PROGRESS, CallRecorder, Recording, Recordings
from carrier.speech_input import Hearing
from carrier.webhooks import Messenger, Notices, Signer

_log = logging.getLogger(__name__)


class CallLog(SealedLog):
    """The newest calls, live and ended, in the files calls.log and calls.old."""

    def __init__(self, directory: Path, *, rotate_bytes: int = ROTATE_BYTES) -> None:
        super().__init__(directory, "calls", rotate_bytes=rotate_bytes)

    def recall(self, *, since_unix: float) -> list[Call]:
        """Reads the calls, in the order of their creation, and opens the log for new records. A call that was live is
        ended now: completed if it was answered, else failed.
        """
        calls: dict[str, Call] = {}
        for record in self.records():
            _apply(calls, record)
        self.open()
        kept = [call for call in calls.values() if call.created >= since_unix]
        for call in kept:
            if not call.status.final:
                _cut_off(call, call.updated)
                self.ended(call)
        return kept

    def accepted(self, call: Call) -> None:
        """Writes that the call was accepted. Raises `OSError`."""
        self.append(
            {
                "k": "A",
                "sid": call.sid,
                "account": call.account_sid,
                "to": call.to,
                "from": call.from_,
                "at": call.created,
                "n": call.number,
                "parent": call.parent_sid,
                "in": call.direction == INBOUND,
            }
        )

    def answered(self, call: Call) -> None:
        """Writes that the call was answered, at its `updated`."""
        self.append({"k": "P", "sid": call.sid, "at": call.updated})

    def measured(self, call: Call) -> None:
        """Writes the sound quality of the call, if it is known."""
        if call.quality is not None:
            self.append({"k": "Q", "sid": call.sid, "at": call.updated, "quality": asdict(call.quality)})

    def ended(self, call: Call) -> None:
        """Writes how the call ended: a restarted carrier lists it with this status."""
        self.append(
            {
                "k": "E",
                "sid": call.sid,
                "at": call.end,
                "start": call.start,
                "status": call.status.value,
                "seconds": call.duration_seconds,
                "by": call.answered_by,
            }
        )


def _cut_off(call: Call, unix: float) -> None:
    """Ends the record of a call that was live when its carrier ended: completed if it was answered, else failed."""
    call.status = Status.COMPLETED if call.status is Status.IN_PROGRESS else Status.FAILED
    call.end = call.updated = unix


def _apply(calls: dict[str, Call], record: Record) -> None:
    kind, sid, at = record["k"], record["sid"], record["at"]
    if kind == "A":
        calls[sid] = Call(
            sid=sid,
            account_sid=record["account"],
            to=record["to"],
            from_=record["from"],
            created=at,
            updated=at,
            number=record["n"],
            parent_sid=record["parent"],
            direction=INBOUND
            if record.get("in")
            else "outbound-dial"
            if record["parent"]
            else "outbound-api",
        )
    elif call := calls.get(sid):  # None when its first record is gone with an older file
        call.updated = at
        if kind == "P":
            call.status = Status.IN_PROGRESS
        elif kind == "Q":
            call.quality = Quality(**record["quality"])
        else:
            call.status = Status(record["status"])
            call.end, call.start = at, record["start"]
            call.duration_seconds, call.answered_by = record["seconds"], record["by"]


_LONGEST_QUEUE_SECONDS = 86_400
_LONGEST_CALL_IN_SECONDS = 7200
_SHARE_OF_CALLS_IN = 0.5
"""The share of the lines that inbound calls may take: however many people call us, the rest stays for our own calls."""
_FILE_SECONDS = 1.0
"""Real seconds from the end of a recording until its file is reported as ready. At Twilio it takes longer."""
INBOUND = "inbound"
ANONYMOUS = "anonymous"
"""The `From` of a caller whose number is hidden."""


class Exchange:
    """Calls above the rate or the number of lines stay queued in order, and can be cancelled there."""

    def __init__(self, config: CarrierConfig, *, line: Line, timers: Timers, outbound: Outbound) -> None:
        self.line = line
        self.timers = timers
        self.call_journal = CallJournal(config.state_dir)
        self.faults = Faults(config.seed)
        self.messenger = Messenger(
            outbound=outbound,
            signer=Signer(
                config.signer_token, algorithm=config.signing_algorithm, key_name=config.signing_key_name
            ),
            timers=timers,
            total_seconds=config.webhook_timeout_seconds,
        )
        self.notices = Notices(
            messenger=self.messenger,
            faults=self.faults,
            timers=timers,
            call_journal=self.call_journal,
            attempt_in=self.attempt_in,
        )
        self.recordings = Recordings(config.state_dir, now=timers.unix())
        self.sounds = SoundCache(self.messenger)
        self.hearing = Hearing(config.recogniser)
        self.conferences = Conferences(
            account_sid=config.account_sid,
            messenger=self.messenger,
            sounds=self.sounds,
            hearing=self.hearing,
            timers=timers,
        )
        self.lines_in_use = 0
        self.peak_lines = 0
        self.calls_in_refused = 0
        """Inbound calls refused since the start because too many were up."""
        self.errors: Counter[int] = Counter()
        self._config = config
        self._calls: OrderedDict[str, Call] = OrderedDict()
        self._by_number: dict[str, list[Call]] = {}
        self._live: dict[str, LiveCall] = {}
        self._second_legs: dict[str, Bridge] = {}
        self._queue: deque[LiveCall] = deque()
        self._next_slot = 0.0
        self._pump_due: asyncio.TimerHandle | None = None
        self._attempt = re.compile(config.attempt_pattern) if config.attempt_pattern else None
        self._memory = CallLog(config.state_dir)
        for call in self._memory.recall(since_unix=timers.unix() - config.keep_hours * 3600):
            self._keep(call)
        self._made = max((call.number for call in self._calls.values()), default=0)
        self.calls_per_second = config.calls_per_second
        self.max_lines = config.max_lines

    # REST

    def create(self, order: CallOrder) -> Call:
        """Accepts a call, which is dialled as soon as the rate allows and a line is free."""
        now = self.timers.unix()
        refusal = self.line.refusal(order.to)
        if refusal:
            self.refuse(order.to, refusal)
        if self.calls_per_second and len(self._queue) > self.calls_per_second * _LONGEST_QUEUE_SECONDS:
            raise bad_parameter(22005, "The queue of calls is longer than a day")
        call = self._record(order, now)
        attempt = self.attempt_of(order)
        try:
            self._memory.accepted(call)
            nth = self.call_journal.accepted(unix=now, number=order.to, attempt=attempt)
        except OSError:
            # A call that is not on disk is not accepted: no listing may show a call that is never dialled.
            self._forget(call)
            raise
        live = LiveCall(self, call, order, attempt, nth)
        self._live[call.sid] = live
        self._queue.append(live)
        # After the answer to the POST, so that the call's webhooks rarely overtake it.
        self.timers.soon(self._pump)
        return call

    def receive(self, caller: str, connect: Callable[[LegEvents], Leg]) -> Call | None:
        """Takes an inbound call: `connect` makes its leg, which reports to the events that it is given when it is
        answered. `caller`: the number that the network reports, '' for a hidden one. None: no address takes inbound
        calls, too many are up, or the call cannot be written to disk; the line then refuses it.
        """
        config = self._config
        if not config.inbound_url:
            return None
        if self.max_lines is not None and self._calls_in >= max(1, self.max_lines * _SHARE_OF_CALLS_IN):
            self.calls_in_refused += 1
            return None
        order = CallOrder(
            to=config.inbound_number,
            from_=caller or ANONYMOUS,
            url=config.inbound_url,
            fallback_url=config.inbound_fallback,
            status_callback=config.inbound_status,
            time_limit_seconds=_LONGEST_CALL_IN_SECONDS,
        )
        call = self._record(order, self.timers.unix())
        call.direction = INBOUND
        try:
            self._memory.accepted(call)
        except OSError as problem:
            # As with an outbound call. The calls that are up go on.
            _log.error("an inbound call was refused: it cannot be written to disk: %s", problem)
            self._forget(call)
            return None
        live = LiveCall(self, call, order, call.sid, 1)
        self._live[call.sid] = live
        self.lines_in_use += 1
        self.peak_lines = max(self.peak_lines, self.lines_in_use)
        live.receive(connect)
        return call

    @property
    def _calls_in(self) -> int:
        return sum(1 for live in self._live.values() if live.call.direction == INBOUND)

    def refuse(self, number: str, code: int) -> None:
        """Counts the refusal and raises it."""
        with unless_disk_is_full("a refusal"):
            self.call_journal.refuse(unix=self.timers.unix(), number=number, code=code)
        raise number_refused(code)

    def find(self, sid: str) -> Call:
        """The call with this sid, live or ended. Raises `RestProblem` (404) where there is none."""
        call = self._calls.get(sid)
        if call is None:
            raise no_such(f"resource /Calls/{sid}.json")
        return call

    def newest_first(self, *, to: str = "") -> Iterator[Call]:
        """All calls that are kept, or those to one number, newest first."""
        return reversed(self._by_number.get(to, []) if to else self._calls.values())

    def stop(self, sid: str, status: Status) -> Call:
        """`canceled` ends a queued or ringing call, `completed` any live one; else nothing changes."""
        call = self.find(sid)
        live = self._live.get(sid)
        if live is None:
            second = self._second_legs.get(sid)
            if second is not None and status is Status.COMPLETED:
                second.hang_up()
            return call
        if status is Status.CANCELED and self.faults.strikes(InjectedFault.ANSWER_ON_CANCEL, call.to):
            live.answer_now()
        if call.status in {Status.QUEUED, Status.RINGING}:
            live.end(Status.CANCELED, TIMED_OUT)
        elif status is Status.COMPLETED:
            live.end(Status.COMPLETED, 200)
        return call

    def redirect(self, sid: str, *, url: str, method: str, twiml: str) -> Call:
        """Continues a call in progress with another document. Raises `RestProblem` for any other call."""
        call = self.find(sid)
        live = self._live.get(sid) or self._second_legs.get(sid)
        if live is None or call.status is not Status.IN_PROGRESS:
            raise bad_parameter(21220, "Call is not in-progress. Cannot redirect.")
        live.redirect(url=url, method=method, twiml=twiml)
        return call

    def delete(self, sid: str) -> None:
        """Removes the record of a call that is over. Raises `RestProblem` for a live one."""
        call = self.find(sid)
        if not call.status.final:
            raise bad_parameter(20409, "Call is in progress and cannot be deleted")
        self._forget(call)

    # Live calls

    def ringing(self, live: LiveCall) -> None:
        """Counts in the call journal that the phone rings."""
        call = live.call
        call.updated = self.timers.unix()
        with unless_disk_is_full("an event of a call"):
            self.call_journal.rang(unix=call.updated, number=call.to, attempt=live.attempt)

    def answered(self, live: LiveCall) -> None:
        """Writes to the log of calls that the phone was answered."""
        with unless_disk_is_full("an event of a call"):
            self._memory.answered(live.call)

    def over(self, live: LiveCall) -> None:
        """Frees the line of a call that has its final status, and writes how it ended. Its record stays listed."""
        call = live.call
        self._live.pop(call.sid, None)
        with unless_disk_is_full("an event of a call"):
            if call.direction != INBOUND:
                self.call_journal.ended(
                    unix=self.timers.unix(), number=call.to, status=call.status.value, rang=call.rang
                )
            self._memory.ended(call)
        if call.start is not None:
            self.lines_in_use -= 1
        if self._queue:
            self._pump()

    def measured(self, call: Call, quality: Quality) -> None:
        """Keeps the sound quality with the call."""
        call.quality = quality
        with unless_disk_is_full("an event of a call"):
            self._memory.measured(call)

    def record(self, call: Call, order: CallOrder, *, source: str) -> CallRecorder:
        """Starts the recording of a call, or of the second leg that it dialled, which was just answered."""
        return self.recordings.begin(call, order, self._report_recording, source=source)

    def _report_recording(self, recording: Recording, order: CallOrder) -> None:
        """Reports the status of a recording. The final one is reported a moment after the end of the call, so that the
        application knows of that end by then.
        """
        if recording.status == IN_PROGRESS:
            self.notices.recording(recording, order)
        else:
            self.timers.really_later(_FILE_SECONDS, lambda: self.notices.recording(recording, order))

    def child(self, order: CallOrder, parent: Call) -> Call:
        """Creates the record of the second leg that a Dial calls."""
        call = self._record(order, self.timers.unix())
        call.direction = "outbound-dial"
        call.parent_sid = parent.sid
        with unless_disk_is_full("an event of a call"):
            self._memory.accepted(call)
        return call

    def second_leg(self, bridge: Bridge) -> None:
        """Keeps the second leg of a Dial, which can be given a document of its own."""
        self._second_legs[bridge.call.sid] = bridge

    def child_over(self, call: Call) -> None:
        """Writes how the second leg of a Dial ended."""
        self._second_legs.pop(call.sid, None)
        with unless_disk_is_full("an event of a call"):
            self._memory.ended(call)

    def note_error(self, code: int) -> None:
        """Counts one more of Twilio's error codes."""
        self.errors[code] += 1

    def attempt_of(self, order: CallOrder) -> str:
        """The attempt that the order is for: the first group of the pattern in the URL of the order, else that URL."""
        return self.attempt_in(order.status_callback or order.url)

    def attempt_in(self, url: str) -> str:
        """As `attempt_of`, for one URL."""
        if self._attempt is not None:
            found = self._attempt.search(url)
            if found is not None:
                return found.group(1) if found.groups() else found.group()
        return url

    # Operations

    def live_calls(self) -> list[LiveCall]:
        return list(self._live.values())

    @property
    def queued(self) -> int:
        """How many calls wait for a free line, or for their turn at the permitted rate."""
        return sum(1 for live in self._queue if not live.call.status.final)

    def limit(self, *, calls_per_second: float | None, max_lines: int | None) -> None:
        """Sets the calls per second and the lines from now on; None lifts a limit."""
        self.calls_per_second = calls_per_second
        self.max_lines = max_lines
        self._next_slot = 0.0
        self._pump()

    def crash(self, *, memory: bool) -> int:
        """Drops every live call without a webhook; returns how many. With `memory` their records are then failed or
        completed; without it the exchange forgets every call.
        """
        dropped = self.live_calls()
        now = self.timers.unix()
        self.conferences.forget()
        self._drop_second_legs()
        for live in dropped:
            live.drop()
            call = live.call
            _cut_off(call, now)
            if call.direction != INBOUND:
                self.call_journal.ended(unix=now, number=call.to, status=call.status.value, rang=call.rang)
            self._memory.ended(call)
        self._live.clear()
        self._queue.clear()
        self.notices.forget()
        self.sounds.forget()
        self.lines_in_use = 0
        if not memory:
            self._calls.clear()
            self._by_number.clear()
            self._memory.forget()
            self.recordings.forget()
        return len(dropped)

    def halt(self) -> None:
        """Cuts off every live call; no call is dialled any more."""
        self.conferences.forget()
        self._drop_second_legs()
        for live in self.live_calls():
            live.drop()
        self._queue.clear()
        if self._pump_due is not None:
            self._pump_due.cancel()

    def _drop_second_legs(self) -> None:
        """Those that are calls of their own; the others end with the call that dialled them."""
        for bridge in list(self._second_legs.values()):
            if bridge.is_own:
                bridge.caller_left(silent=True)

    def close(self) -> None:
        """Closes the files; recognition under way has no effect."""
        self.hearing.close()
        self._memory.close()
        self.call_journal.close()

    def _record(self, order: CallOrder, now: float) -> Call:
        self._made += 1
        call = Call(
            sid=f"CA{uuid4().hex}",
            account_sid=self._config.account_sid,
            to=order.to,
            from_=order.from_,
            order=order,
            created=now,
            updated=now,
            number=self._made,
        )
        self._keep(call)
        if len(self._calls) > self._config.keep_calls:
            oldest = next((kept for kept in self._calls.values() if kept.status.final), None)
            if oldest is not None:
                self._forget(oldest)
        return call

    def _keep(self, call: Call) -> None:
        self._calls[call.sid] = call
        self._by_number.setdefault(call.to, []).append(call)

    def _forget(self, call: Call) -> None:
        del self._calls[call.sid]
        same_number = self._by_number[call.to]
        same_number.remove(call)
        if not same_number:
            del self._by_number[call.to]

    def _pump(self) -> None:
        """Dials from the queue while a line is free and the rate allows; continues when the next slot is due."""
        queue = self._queue
        while queue:
            if queue[0].call.status.final:
                queue.popleft()
                continue
            if self.max_lines is not None and self.lines_in_use >= self.max_lines:
                return
            if self.calls_per_second is not None:
                # The monotonic clock: one that is set back would stop the queue for as long.
                now = self.timers.monotonic()
                if now < self._next_slot:
                    if self._pump_due is not None:
                        self._pump_due.cancel()
                    self._pump_due = self.timers.really_later(self._next_slot - now, self._pump)
                    return
                self._next_slot = max(now, self._next_slot) + 1.0 / self.calls_per_second
            self.lines_in_use += 1
            self.peak_lines = max(self.peak_lines, self.lines_in_use)
            queue.popleft().start()
