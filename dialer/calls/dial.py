"""Places the calls that the next moment allows: claim, fence, POST at its slot, record the answer of the carrier.

Claims reach no further than the horizon, so that an urgent attempt that arrives now waits behind no queue of ours.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dialer.calls.apply import end_attempts
from dialer.calls.claims import (
    Claimed,
    Sending,
    accept_attempts,
    claim_attempts,
    mark_attempts_sending,
    promote_planned,
)
from dialer.calls.pace import Answered, evaluate_breaker, retry_seconds
from dialer.calls.pacing import lock_line_group
from dialer.cases.alarms import raise_alarm_once
from dialer.cases.attempts import doubt_attempts, lock_attempt_rows, lock_live_numbers, requeue_attempts
from dialer.cases.store import note_first_attempts
from dialer.core.errors import Unavailable
from dialer.core.events import AlarmCode
from dialer.core.values import TelephonyResult
from dialer.db.migrations import SchemaMoved, hold_schema
from dialer.db.unit_of_work import Tx
from dialer.intake.phones import closed_until
from dialer.scripts.reading import language_for
from dialer.scripts.rendered import Choice
from dialer.services import Services
from dialer.telephony.channels import Fault, Placed, Refused, SendResult, UncertainResult
from dialer.telephony.client import CallClient, PlaceCall

_log = logging.getLogger(__name__)

_FLUSH_SECONDS = 0.1
_SLICE_SECONDS = 0.1
_FENCE_AHEAD_SECONDS = 0.1
_BETWEEN_CLAIMS_SECONDS = 0.1
_SLACK_SECONDS = 0.3
"""How late a call may leave: what the headroom of the pace makes up for within ten seconds."""
_COUNTED_PER_SECOND = 50.0
"""Above this no carrier counts calls by the second, and a short lag need not cost a claim."""
_WRITE_TRIES = 40
_LONGEST_PAUSE_SECONDS = 0.9


@dataclass(slots=True)
class _Answers:
    """What the carrier answered since the last flush."""

    given: list[tuple[Claimed, SendResult]] = field(default_factory=list)
    late: list[Claimed] = field(default_factory=list)
    """Not sent, because their slots had passed."""

    def __bool__(self) -> bool:
        return bool(self.given or self.late)


async def dial(
    services: Services,
    client: CallClient,
    *,
    for_seconds: float,
    stopping: Callable[[], bool],
    linger_seconds: float = 0.0,
    may_call: Callable[[Tx], bool] | None = None,
) -> int:
    """Places calls until nothing more may be claimed, `for_seconds` have passed or `stopping()` is true; what has been
    claimed is sent or handed back first. Within `linger_seconds` of the last call a line that comes free is used at
    once, not at the next tick. `may_call` is asked before each claim. Returns how many calls were sent.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + for_seconds
    run = _Run(services, client, may_call)
    ends_at = loop.time()
    try:
        while loop.time() < until and not stopping():
            if not run.is_behind():
                claimed = await asyncio.to_thread(run.claim)
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
    """One dialling task: claims ahead while earlier calls are still being posted."""

    def __init__(self, services: Services, client: CallClient, may_call: Callable[[Tx], bool] | None) -> None:
        self.services = services
        self._may_call = may_call
        self.client = client
        self.sending: set[asyncio.Task[None]] = set()
        self.answers = _Answers()
        self.sent = 0
        self.next_slot_at: datetime | None = None
        """The next slot, where the pace alone let nothing be claimed."""
        self._lag = timedelta(0)
        self._half_timeout = timedelta(seconds=services.lines.post_timeout_seconds / 2)
        self._slack = timedelta(seconds=_SLACK_SECONDS)

    def is_behind(self) -> bool:
        """Calls leave later than their slots: more claims would be a queue that an urgent attempt waits behind."""
        if not self.sending:
            self._lag = timedelta(0)
        return self._lag > timedelta(seconds=self.services.lines.horizon_seconds / 2)

    def claim(self) -> list[Claimed]:
        try:
            return self._claim()
        except SchemaMoved as fault:
            with self.services.store.begin() as tx:
                facts = {"found": fault.found, "built_for": fault.built_for}
                raise_alarm_once(tx, AlarmCode.SCHEMA_MOVED, now=self.services.clock.now(), facts=facts)
            raise

    def _claim(self) -> list[Claimed]:
        services = self.services
        rules = services.lines
        self.next_slot_at = None
        # Read here, so that no call waits for it when it is about to leave.
        services.rendered_scripts.now(services.real.now())
        with services.store.begin() as tx:
            if services.schema and not hold_schema(tx, built_for=services.schema):
                return []
            now = services.clock.now()
            if not services.policies.newest.window.is_open(now):
                return []
            if self._may_call is not None and not self._may_call(tx):
                return []
            group = lock_line_group(tx, name=rules.group)
            if group is None:
                return []
            promote_planned(tx, now=now)
            real_now = services.real.now()
            paced = group.calls_per_second <= _COUNTED_PER_SECOND
            self._slack = timedelta(seconds=_SLACK_SECONDS if paced else rules.lease_seconds)
            horizon = timedelta(seconds=rules.horizon_seconds)
            self.next_slot_at = group.next_slot_at if group.next_slot_at >= real_now + horizon else None
            return claim_attempts(
                tx,
                group,
                now=now,
                real_now=real_now,
                horizon_seconds=rules.horizon_seconds,
                lease_seconds=rules.lease_seconds,
                at_most=rules.at_most,
                number_retry_seconds=services.policies.newest.number_spacing_seconds,
                closed_until=lambda number: closed_until(number, services.policies.newest.window, now),
            )

    def send(self, claimed: Sequence[Claimed]) -> None:
        """Starts sending, in slices of about the same moment, so that fencing is one statement a slice."""
        # By the monotonic clock: were the wall clock set back, calls would wait until it reaches their slots again.
        ahead = asyncio.get_running_loop().time() - self.services.real.now().timestamp()
        begin = 0
        for end in range(1, len(claimed) + 1):
            last = end == len(claimed)
            if last or (claimed[end].send_at - claimed[begin].send_at).total_seconds() >= _SLICE_SECONDS:
                task = asyncio.create_task(self._send_slice(claimed[begin:end], ahead))
                self.sending.add(task)
                task.add_done_callback(self.sending.discard)
                begin = end

    async def _send_slice(self, claimed: Sequence[Claimed], ahead: float) -> None:
        await _wait_for(claimed[0].send_at.timestamp() + ahead - _FENCE_AHEAD_SECONDS)
        try:
            allowed, deadline = await asyncio.to_thread(self._fence, claimed)
        except Unavailable as fault:
            # It is unknown whether they are ours to send, so they are not sent: their lease ends, or they are polled.
            _log.warning("%s", fault)
            return
        async with asyncio.TaskGroup() as group:
            for one in claimed:
                if one.attempt_id in allowed:
                    group.create_task(self._post(one, deadline, ahead))

    def _fence(self, claimed: Sequence[Claimed]) -> tuple[set[object], datetime]:
        services = self.services
        choice = services.rendered_scripts.now(services.real.now())
        with services.store.begin() as tx:
            real_now = services.real.now()
            deadline = real_now + timedelta(seconds=services.lines.post_timeout_seconds)
            allowed = mark_attempts_sending(
                tx,
                [sending(choice, one) for one in claimed],
                now=services.clock.now(),
                real_now=real_now,
                poll_at=deadline + timedelta(seconds=services.lines.unknown_after_seconds),
            )
        return set(allowed), deadline

    async def _post(self, claimed: Claimed, deadline: datetime, ahead: float) -> None:
        await _wait_for(claimed.send_at.timestamp() + ahead)
        # A process that was stopped and wakes must not send: its call may be taken for absent by now, and calls of
        # other workers have used the pace.
        last_moment = min(deadline - self._half_timeout, claimed.send_at + self._slack)
        real_now = self.services.real.now()
        self._lag = real_now - claimed.send_at
        if real_now >= last_moment:
            self.answers.late.append(claimed)
            return
        self.sent += 1
        # Connecting takes time too: the request is written only while the call is still far from its deadline.
        until = deadline - self._half_timeout
        order = PlaceCall(
            attempt_id=claimed.attempt_id, to=claimed.to, may_send=lambda: self.services.real.now() < until
        )
        answer = await self.client.send(order)
        self.answers.given.append((claimed, answer))

    async def breathe(self) -> None:
        """Waits until half the horizon has passed, or the next slot is that near; answers are recorded meanwhile."""
        loop = asyncio.get_running_loop()
        idle = not self.sending
        half = self.services.lines.horizon_seconds / 2
        until = loop.time() + half
        if self.next_slot_at is not None:
            away = (self.next_slot_at - self.services.real.now()).total_seconds() - half
            until = loop.time() + min(away, _LONGEST_PAUSE_SECONDS)
        while loop.time() < until and self.sending:
            await asyncio.wait(self.sending, timeout=_FLUSH_SECONDS)
            await self.flush()
        if self.next_slot_at is not None:
            await asyncio.sleep(until - loop.time())
        elif idle:
            await asyncio.sleep(_BETWEEN_CLAIMS_SECONDS)

    async def finish(self) -> None:
        """Everything that was claimed has been sent and recorded."""
        while self.sending:
            await asyncio.wait(self.sending, timeout=_FLUSH_SECONDS)
            await self.flush()
        for _ in range(_WRITE_TRIES):
            await self.flush()
            if not self.answers:
                return
            await asyncio.sleep(_FLUSH_SECONDS)
        _log.warning("answers of the carrier could not be recorded, and will be asked for again")

    async def flush(self) -> None:
        """The answers are recorded; while the database does not take them they are kept for the next time."""
        answers, self.answers = self.answers, _Answers()
        if not answers:
            return
        try:
            await asyncio.to_thread(_record, self.services, answers)
        except Unavailable as fault:
            _log.warning("%s", fault)
            self.answers.given[:0] = answers.given
            self.answers.late[:0] = answers.late


async def _wait_for(moment: float) -> None:
    """Of the loop's own clock."""
    wait = moment - asyncio.get_running_loop().time()
    if wait > 0:
        await asyncio.sleep(wait)


def sending(choice: Choice, claimed: Claimed) -> Sending:
    """The claimed attempt with the script that its call speaks to the end, whatever is approved meanwhile."""
    rendered = choice.for_call(
        claimed.fraud_type, claimed.tags, grade=claimed.grade, person_id=claimed.person_id
    )
    return Sending(
        attempt_id=claimed.attempt_id,
        token=claimed.token,
        script_id=rendered.script.id,
        script_hash=rendered.script.content_hash,
        script_version_id=rendered.version_id,
        audio_hash=rendered.audio_hash,
        language=language_for(rendered.script, claimed.tags),
    )


def _record(services: Services, answers: _Answers) -> None:
    """What the carrier answered is in the rows."""
    real_now = services.real.now()
    rules = services.lines
    placed = [(c, answer) for c, answer in answers.given if isinstance(answer, Placed)]
    refused = [(c, answer) for c, answer in answers.given if isinstance(answer, Refused)]
    unsure = [c for c, answer in answers.given if isinstance(answer, UncertainResult)]
    dead = {
        c.attempt_id: (TelephonyResult.INVALID_NUMBER, refusal.code)
        for c, refusal in refused
        if refusal.fault is Fault.NUMBER
    }
    if dead:
        # First and alone: it moves cases, and done again it changes nothing.
        with services.store.begin() as tx:
            cancels = end_attempts(tx, services, dead)
        if cancels:
            services.enqueue("cancel_calls")
    ours = [(c, refusal) for c, refusal in refused if refusal.fault is not Fault.NUMBER]
    with services.store.begin() as tx:
        now = services.clock.now()
        # Lock order: the line group first, as a claim does; then cases, attempts and numbers, each in their order.
        sent = [Answered(sent_at=c.send_at, answer=answer) for c, answer in answers.given]
        evaluate_breaker(tx, services, sent, now=now, real_now=real_now)
        note_first_attempts(tx, [c.case_id for c, _ in placed], at=now)
        returning = [c.attempt_id for c in [*(c for c, _ in ours), *answers.late]]
        if returning or unsure:
            lock_attempt_rows(tx, [*(c.attempt_id for c in [*(c for c, _ in placed), *unsure]), *returning])
            lock_live_numbers(tx, returning)
        accept_attempts(
            tx,
            [(c.attempt_id, answer.sid) for c, answer in placed],
            now=now,
            poll_at=real_now + timedelta(seconds=rules.silence_seconds),
        )
        doubt_attempts(
            tx,
            [(c.attempt_id, c.token) for c in unsure],
            poll_at=real_now + timedelta(seconds=rules.post_timeout_seconds + rules.unknown_after_seconds),
        )
        # Not taken, and not for their numbers: nothing is used up.
        wait = timedelta(seconds=retry_seconds([refusal for _, refusal in ours]))
        requeue_attempts(tx, [(c.attempt_id, c.token) for c, _ in ours], not_before=now + wait)
        requeue_attempts(tx, [(c.attempt_id, c.token) for c in answers.late], not_before=now)
