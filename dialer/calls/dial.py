"""Places the calls that may leave within the horizon: claims attempts, marks them as sending, sends each POST at its
slot, and records the carrier's answer.

Attempts are claimed no further ahead than the horizon, so that an urgent attempt that arrives now does not wait behind
claimed ones.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from dialer.calls.apply import end_attempts
from dialer.calls.claims import (
    Claim,
    ClaimedAttempt,
    Sending,
    accept_attempts,
    claim_attempts,
    is_any_ready,
    mark_attempts_sending,
    promote_planned,
)
from dialer.calls.comparison import is_history_whole
from dialer.calls.conversation import purpose_of
from dialer.calls.pacing import PostAnswer, evaluate_breaker, lock_line_group, retry_seconds
from dialer.calls.store import SentCall, record_first_calls
from dialer.cases.attempts import doubt_attempts, lock_attempt_rows, lock_live_numbers, requeue_attempts
from dialer.core.errors import Unavailable
from dialer.core.events import AlarmCode
from dialer.core.policy import Policy
from dialer.core.values import TelephonyResult
from dialer.db.alarms import raise_alarm_once
from dialer.db.migrations import SchemaMoved, hold_schema
from dialer.db.unit_of_work import Tx
from dialer.intake.phones import closed_until
from dialer.runtime.services import Services
from dialer.scripts.reading import language_for
from dialer.scripts.rendered import LiveScripts
from dialer.telephony.channels import Placed, RefusalCause, Refused, SendResult, UncertainResult
from dialer.telephony.client import CallClient, PlaceCall

_log = logging.getLogger(__name__)

_FLUSH_SECONDS = 0.1
_SLICE_SECONDS = 0.1
_FENCE_AHEAD_SECONDS = 0.1
_LONGEST_LEAD_SECONDS = 2.0
"""Twice this is less than what a clock may have gone back unnoticed (`pacing.seconds_clock_went_back`)."""
_MARGIN = 1.25
_FORGET = 0.9
_BETWEEN_CLAIMS_SECONDS = 0.1
_CLAIMS_IN_A_ROW = 20
"""How many claims in a row may only postpone attempts, before other work of the task goes on."""
_SLACK_SECONDS = 0.3
"""How late a call may leave: as much as the headroom of the pace compensates within ten seconds."""
_COUNTED_PER_SECOND = 50.0
"""At a higher pace no carrier counts calls by the second, so a call that is a little late can still be sent."""
_WRITE_TRIES = 40
_ANSWERED_SECONDS = 60.0
"""A carrier that has answered within this time counts as answering."""
_LONGEST_PAUSE_SECONDS = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fence:
    """Calls that were marked as sending together."""

    records: dict[UUID, bool]
    """The attempts that may be sent, each with whether its call is recorded."""
    sent_at: datetime
    """When they were marked (service time)."""
    deadline: datetime
    """When their POSTs time out (real time)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """The carrier's answer to one call that was sent at `sent_at` (service time)."""

    claimed: ClaimedAttempt
    sent_at: datetime
    result: SendResult


@dataclass(slots=True)
class _Answers:
    """The carrier's answers since the last flush."""

    given: list[_Answer] = field(default_factory=list)
    late: list[ClaimedAttempt] = field(default_factory=list)
    """Attempts that were not sent because their slots had passed."""

    def __bool__(self) -> bool:
        return bool(self.given or self.late)


@dataclass(slots=True)
class DatabaseDelays:
    """How long the transactions before a call take now, in seconds, as one dialling process measures them. Calls are
    claimed as far ahead as that: where the database is far away, or the machine is busy, they leave at their slots all
    the same.
    """

    claiming: float = 0.0
    marking: float = 0.0

    def note_claiming(self, seconds: float) -> None:
        """A claim took this long."""
        self.claiming = _recent_longest(self.claiming, seconds)

    def note_marking(self, seconds: float) -> None:
        """It took this long to mark calls as sending."""
        self.marking = _recent_longest(self.marking, seconds)

    @property
    def fence_ahead_seconds(self) -> float:
        """How long before their slots calls are marked as sending."""
        return max(_FENCE_AHEAD_SECONDS, min(_LONGEST_LEAD_SECONDS, _MARGIN * self.marking))

    @property
    def lead_seconds(self) -> float:
        """How far away the first slot of a claim is, as seen from within the claim."""
        return self._beyond_usual(self.claiming + self.marking)

    @property
    def horizon_seconds(self) -> float:
        """How much further than usual a claim reaches: until the next claim is through."""
        return self._beyond_usual(self.claiming)

    def _beyond_usual(self, seconds: float) -> float:
        return min(_LONGEST_LEAD_SECONDS, max(0.0, _MARGIN * seconds - _FENCE_AHEAD_SECONDS))


def _recent_longest(before: float, seconds: float) -> float:
    return max(seconds, _FORGET * before)


class CarrierCheck:
    """Whether the carrier answers at all, as one dialling process sees it. Calls leave only to a carrier that has
    answered within the last minute, and since the last request without an answer. A harmless request checks this, so
    that a line that resets every connection uses up no attempts. Until the carrier has answered the first order of this
    process, one call leaves at a time.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answered_at: float | None = None
        self._has_answered_an_order = False

    @property
    def is_answering(self) -> bool:
        """Whether the carrier has answered recently."""
        answered_at = self._answered_at
        return answered_at is not None and self._clock() - answered_at < _ANSWERED_SECONDS

    def allowed(self, *, under_way: int) -> int | None:
        """How many calls may leave besides those under way; None: as many as pacing allows."""
        return None if self._has_answered_an_order else max(0, 1 - under_way)

    def note(self, *, answered: bool) -> None:
        """Records the outcome of a harmless request."""
        self._answered_at = self._clock() if answered else None

    def note_order(self, answer: SendResult) -> None:
        """Records the outcome of an order for a call. One that our own list of numbers refused was never sent."""
        if isinstance(answer, Refused) and answer.cause is RefusalCause.NUMBER and answer.http_status is None:
            return
        answered = isinstance(answer, Placed) or (
            isinstance(answer, Refused) and answer.http_status is not None
        )
        self.note(answered=answered)
        self._has_answered_an_order = self._has_answered_an_order or answered


async def dial(
    services: Services,
    client: CallClient,
    *,
    for_seconds: float,
    stopping: Callable[[], bool],
    linger_seconds: float = 0.0,
    allowed: Callable[[Tx], int | None] = lambda _tx: None,
    check: CarrierCheck | None = None,
    delays: DatabaseDelays | None = None,
    probe: Callable[[], Awaitable[None]] | None = None,
) -> int:
    """Places calls until nothing more may be claimed, `for_seconds` have passed or `stopping()` is true; what has been
    claimed is sent or handed back first. Within `linger_seconds` after the last call, a line that becomes free is used
    at once and not at the next tick. `allowed` is called before each claim and returns how many calls may leave; None:
    as many as pacing allows. `check`: see `CarrierCheck`; None: the carrier is not checked. `delays`: what this process
    has measured so far. `probe` is called when calls are stopped because of our sound and it is time to see whether
    they may go on. Returns how many calls were sent.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + for_seconds
    run = _Run(services, client, allowed, check, delays)
    ends_at = loop.time()
    try:
        while loop.time() < until and not stopping():
            if not run.is_behind():
                claimed = await run.claim_ahead()
                if run.must_ask and await run.ask_carrier():
                    claimed = await run.claim_ahead()
                if run.must_probe and probe is not None:
                    await probe()
                if claimed:
                    ends_at = loop.time() + linger_seconds
                elif not run.sending and not run.next_slot_at and loop.time() >= ends_at:
                    break
                run.send(claimed)
            await run.breathe()
    finally:
        await run.finish()
    return run.sent


class _Run:
    """One dialling task: it claims ahead while earlier calls are still being posted."""

    def __init__(
        self,
        services: Services,
        client: CallClient,
        allowed: Callable[[Tx], int | None],
        check: CarrierCheck | None,
        delays: DatabaseDelays | None = None,
    ) -> None:
        self.services = services
        self._delays = delays or DatabaseDelays()
        self._allowed = allowed
        self._check = check
        self.must_ask: bool
        """A call could leave, but it is unknown whether the carrier answers."""
        self.must_probe: bool
        """Calls are stopped because of our sound, and have been for long enough."""
        self.client = client
        self.sending: set[asyncio.Task[None]] = set()
        self.answers = _Answers()
        self._recording: asyncio.Task[None] | None = None
        self.sent = 0
        self.next_slot_at: datetime | None = None
        """The next slot, if only the pace prevented a claim."""
        self._lag = timedelta()
        self._half_timeout = timedelta(seconds=services.lines.post_timeout_seconds / 2)
        self._slack = timedelta(seconds=_SLACK_SECONDS)

    def is_behind(self) -> bool:
        """Whether calls leave later than their slots: more claims would form a queue that urgent attempts wait
        behind.
        """
        if not self.sending:
            self._lag = timedelta()
        return self._lag > timedelta(seconds=self.services.lines.horizon_seconds / 2)

    async def claim_ahead(self) -> list[ClaimedAttempt]:
        """As `claim`, in a thread; notes how long it took."""
        begun = asyncio.get_running_loop().time()
        claimed = await asyncio.to_thread(self.claim)
        if claimed:
            self._delays.note_claiming(asyncio.get_running_loop().time() - begun)
        return claimed

    def claim(self) -> list[ClaimedAttempt]:
        """Claims what may leave. While all candidates are postponed because of their numbers, the next ones are tried,
        each in a transaction of its own: a claim takes the locks of numbers in their order, and no number of an earlier
        try may stay locked meanwhile.
        """
        claim = Claim()
        try:
            for _ in range(_CLAIMS_IN_A_ROW):
                claim = self._claim()
                if claim.attempts or not claim.postponed:
                    break
        except SchemaMoved as fault:
            with self.services.store.begin() as tx:
                facts = {"found": fault.found, "built_for": fault.built_for}
                raise_alarm_once(tx, AlarmCode.SCHEMA_MOVED, now=self.services.clock.now(), facts=facts)
            raise
        return list(claim.attempts)

    def _claim(self) -> Claim:
        services = self.services
        rules = services.lines
        self.next_slot_at = None
        self.must_ask = self.must_probe = False
        # The scripts are read here, so that no call that is about to leave waits for them.
        services.rendered_scripts.now(services.real.now())
        with services.store.begin() as tx:
            if services.schema and not hold_schema(tx, built_for=services.schema):
                return Claim()
            now = services.clock.now()
            if not services.policies.newest.window.is_open(now):
                return Claim()
            allowed = self._allowed(tx)
            if self._check is not None:
                allowed = _fewer(allowed, self._check.allowed(under_way=len(self.sending)))
            if allowed == 0:
                return Claim()
            group = lock_line_group(tx)
            if group is None or not is_history_whole(tx, services, group):
                return Claim()
            promote_planned(tx, now=now)
            real_now = services.real.now()
            self.must_probe = group.sound.is_open and group.sound.may_leave(real_now) != 0
            paced = group.calls_per_second <= _COUNTED_PER_SECOND
            self._slack = timedelta(seconds=_SLACK_SECONDS if paced else rules.lease_seconds)
            lead_seconds = self._delays.lead_seconds
            horizon_seconds = rules.horizon_seconds + self._delays.horizon_seconds
            end = real_now + timedelta(seconds=lead_seconds + horizon_seconds)
            self.next_slot_at = group.next_slot_at if group.next_slot_at >= end else None
            if self._check is not None and not self._check.is_answering:
                slots = group.slots(real_now=real_now, horizon_seconds=rules.horizon_seconds)
                self.must_ask = bool(slots) and not group.is_paused(now) and is_any_ready(tx)
                return Claim()
            return claim_attempts(
                tx,
                group,
                now=now,
                real_now=real_now,
                lead_seconds=lead_seconds,
                horizon_seconds=horizon_seconds,
                lease_seconds=rules.lease_seconds,
                at_most=rules.at_most if allowed is None else min(allowed, rules.at_most),
                number_retry_seconds=services.policies.newest.number_spacing_seconds,
                closed_until=lambda number: closed_until(number, services.policies.newest.window, now),
            )

    async def ask_carrier(self) -> bool:
        """Asks the carrier for any answer; True if it answers. No answer counts as a failure for the breaker, but uses
        up no attempt.
        """
        assert self._check is not None
        asked_at = self.services.real.now()
        answers = await self.client.answers()
        self._check.note(answered=answers)
        if not answers:
            no_answer = PostAnswer(sent_at=asked_at, answer=Refused(cause=RefusalCause.OURS))
            await asyncio.to_thread(self._note_trouble, no_answer)
        return answers

    def _note_trouble(self, answered: PostAnswer) -> None:
        services = self.services
        with services.store.begin() as tx:
            real_now = services.real.now()
            evaluate_breaker(tx, [answered], now=services.clock.now(), real_now=real_now)

    def send(self, claimed: Sequence[ClaimedAttempt]) -> None:
        """Starts sending, in slices of about the same moment, so that one statement marks a whole slice as sending."""
        # By the monotonic clock: if the wall clock were set back, calls would wait until it reached their slots again.
        ahead = asyncio.get_running_loop().time() - self.services.real.now().timestamp()
        begin = 0
        for end in range(1, len(claimed) + 1):
            last = end == len(claimed)
            if last or (claimed[end].send_at - claimed[begin].send_at).total_seconds() >= _SLICE_SECONDS:
                task = asyncio.create_task(self._send_slice(claimed[begin:end], ahead))
                self.sending.add(task)
                task.add_done_callback(self.sending.discard)
                begin = end

    async def _send_slice(self, claimed: Sequence[ClaimedAttempt], ahead: float) -> None:
        await _wait_for(claimed[0].send_at.timestamp() + ahead - self._delays.fence_ahead_seconds)
        begun = asyncio.get_running_loop().time()
        try:
            fence = await asyncio.to_thread(self._fence, claimed)
        except Unavailable as fault:
            # It is unknown whether this worker may send them, so it does not: their lease ends, or they are polled.
            _log.warning("%s", fault)
            return
        self._delays.note_marking(asyncio.get_running_loop().time() - begun)
        async with asyncio.TaskGroup() as group:
            for attempt in claimed:
                if attempt.attempt_id in fence.records:
                    group.create_task(self._post(attempt, fence, ahead))

    def _fence(self, claimed: Sequence[ClaimedAttempt]) -> _Fence:
        """Marks the claimed attempts as sending."""
        services = self.services
        choice = services.rendered_scripts.now(services.real.now())
        wanted = [
            prepare_sending(choice, attempt, policy=services.policies.of(attempt.policy_version))
            for attempt in claimed
        ]
        now = services.clock.now()
        with services.store.begin() as tx:
            real_now = services.real.now()
            deadline = real_now + timedelta(seconds=services.lines.post_timeout_seconds)
            allowed = mark_attempts_sending(
                tx,
                wanted,
                now=now,
                real_now=real_now,
                poll_at=deadline + timedelta(seconds=services.lines.unknown_after_seconds),
            )
        records = {sending.attempt_id: sending.records for sending in wanted if sending.attempt_id in allowed}
        return _Fence(records=records, sent_at=now, deadline=deadline)

    async def _post(self, claimed: ClaimedAttempt, fence: _Fence, ahead: float) -> None:
        await _wait_for(claimed.send_at.timestamp() + ahead)
        # A process that was suspended must not send: its call may count as absent by now, and calls of
        # other workers have used the pace.
        last_moment = min(fence.deadline - self._half_timeout, claimed.send_at + self._slack)
        real_now = self.services.real.now()
        self._lag = real_now - claimed.send_at
        if real_now >= last_moment:
            self.answers.late.append(claimed)
            return
        self.sent += 1
        # Connecting takes time too: the request is written only while the call is still far from its deadline.
        until = fence.deadline - self._half_timeout
        order = PlaceCall(
            attempt_id=claimed.attempt_id,
            to=claimed.to,
            records=fence.records[claimed.attempt_id],
            may_send=lambda: self.services.real.now() < until,
        )
        answer = await self.client.send(order)
        if self._check is not None:
            self._check.note_order(answer)
        self.answers.given.append(_Answer(claimed=claimed, sent_at=fence.sent_at, result=answer))

    async def breathe(self) -> None:
        """Waits until half the horizon has passed, or until the next slot is as near as that. Records answers
        meanwhile.
        """
        loop = asyncio.get_running_loop()
        idle = not self.sending
        half = self.services.lines.horizon_seconds / 2
        until = loop.time() + half
        if self.next_slot_at is not None:
            ahead = half + self._delays.lead_seconds + self._delays.horizon_seconds
            away = (self.next_slot_at - self.services.real.now()).total_seconds() - ahead
            until = loop.time() + min(away, _LONGEST_PAUSE_SECONDS)
        while loop.time() < until and self.sending:
            await asyncio.wait(self.sending, timeout=_FLUSH_SECONDS)
            await self._record_meanwhile()
        if self.next_slot_at is not None:
            await asyncio.sleep(until - loop.time())
        elif idle:
            await asyncio.sleep(_BETWEEN_CLAIMS_SECONDS)

    async def _record_meanwhile(self) -> None:
        """Records the answers; where the database takes long, the next claim does not wait for it."""
        if self._recording is None or self._recording.done():
            self._recording = asyncio.create_task(self.flush())
        await asyncio.wait({self._recording}, timeout=_FLUSH_SECONDS)

    async def finish(self) -> None:
        """Waits until everything that was claimed has been sent and recorded."""
        if self._recording is not None:
            await self._recording
        while self.sending:
            await asyncio.wait(self.sending, timeout=_FLUSH_SECONDS)
            await self.flush()
        for _ in range(_WRITE_TRIES):
            await self.flush()
            if not self.answers:
                return
            await asyncio.sleep(_FLUSH_SECONDS)
        _log.warning(
            "answers of the carrier could not be recorded; the carrier will be asked about these calls"
        )

    async def flush(self) -> None:
        """Records the answers; while the database is unavailable, they are kept for the next flush."""
        answers, self.answers = self.answers, _Answers()
        if not answers:
            return
        try:
            await asyncio.to_thread(_record, self.services, answers)
        except Unavailable as fault:
            _log.warning("%s", fault)
            self.answers.given[:0] = answers.given
            self.answers.late[:0] = answers.late


def _fewer(one: int | None, other: int | None) -> int | None:
    """The lower of two limits; None: no limit."""
    return min((each for each in (one, other) if each is not None), default=None)


async def _wait_for(moment: float) -> None:
    """Waits until this time by the clock of the event loop."""
    wait = moment - asyncio.get_running_loop().time()
    if wait > 0:
        await asyncio.sleep(wait)


def prepare_sending(choice: LiveScripts, claimed: ClaimedAttempt, *, policy: Policy) -> Sending:
    """The claimed attempt with its script, which the call uses to its end, whatever is approved meanwhile. The call is
    recorded if the policy of its case wants it and the script has words that say so.
    """
    rendered = choice.for_call(
        claimed.fraud_type,
        claimed.tags,
        grade=claimed.grade,
        person_id=claimed.person_id,
        purpose=purpose_of(claimed.reason),
    )
    return Sending(
        attempt_id=claimed.attempt_id,
        token=claimed.token,
        script_id=rendered.script.id,
        script_hash=rendered.script.content_hash,
        script_version_id=rendered.version_id,
        audio_hash=rendered.audio_hash,
        language=language_for(rendered.script, claimed.tags),
        records=policy.of(claimed.grade).record_calls and rendered.script.recorded is not None,
    )


def _record(services: Services, answers: _Answers) -> None:
    """Writes the carrier's answers to the rows."""
    real_now = services.real.now()
    rules = services.lines
    placed = [(answer, answer.result) for answer in answers.given if isinstance(answer.result, Placed)]
    refused = [
        (answer.claimed, answer.result) for answer in answers.given if isinstance(answer.result, Refused)
    ]
    unsure = [answer.claimed for answer in answers.given if isinstance(answer.result, UncertainResult)]
    dead = {
        c.attempt_id: (TelephonyResult.INVALID_NUMBER, refusal.code)
        for c, refusal in refused
        if refusal.cause is RefusalCause.NUMBER
    }
    if dead:
        # First and in its own transaction: it changes cases, and repeating it changes nothing.
        with services.store.begin() as tx:
            end_attempts(tx, services, dead)
    ours = [(c, refusal) for c, refusal in refused if refusal.cause is not RefusalCause.NUMBER]
    with services.store.begin() as tx:
        now = services.clock.now()
        # Lock order: the line group first, as a claim does; then cases, attempts and numbers, each in their order.
        sent = [PostAnswer(sent_at=answer.claimed.send_at, answer=answer.result) for answer in answers.given]
        evaluate_breaker(tx, sent, now=now, real_now=real_now)
        record_first_calls(
            tx,
            [
                SentCall(case_id=answer.claimed.case_id, reason=answer.claimed.reason, sent_at=answer.sent_at)
                for answer, _ in placed
            ],
        )
        returning = [c.attempt_id for c in [*(c for c, _ in ours), *answers.late]]
        if returning or unsure:
            at_carrier = [*(answer.claimed for answer, _ in placed), *unsure]
            lock_attempt_rows(tx, [*(c.attempt_id for c in at_carrier), *returning])
            lock_live_numbers(tx, returning)
        accept_attempts(
            tx,
            [(answer.claimed.attempt_id, result.sid) for answer, result in placed],
            now=now,
            poll_at=real_now + timedelta(seconds=rules.silence_seconds),
        )
        doubt_attempts(
            tx,
            [(c.attempt_id, c.token) for c in unsure],
            poll_at=real_now + timedelta(seconds=rules.post_timeout_seconds + rules.unknown_after_seconds),
        )
        # Not taken for reasons other than their numbers: no try is used up.
        wait = timedelta(seconds=retry_seconds([refusal for _, refusal in ours]))
        requeue_attempts(tx, [(c.attempt_id, c.token) for c, _ in ours], now=now, not_before=now + wait)
        requeue_attempts(tx, [(c.attempt_id, c.token) for c in answers.late], now=now, not_before=now)
