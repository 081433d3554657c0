"""The line group: calls per second, lines, pauses, and the breaker that stops calls to a carrier in trouble. It is
stored in the database, where neither a lost broker nor a second worker resets it.

The settings say what the lines can carry; a supervisor can set less while the service runs. Only the first start takes
the pace from the settings; later starts change nothing, and changed settings apply when a person says so. Several
failures in a row open the breaker, and one call that the carrier takes closes it.

The next slot also reveals that the machine's clock was set back, since pacing plans only a moment ahead. What was
postponed by the later clock is then due at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.core.access import ROBOT, Actor, Permission, required_text
from dialer.core.attempt import LIVE_STATES, AttemptState
from dialer.core.breaker import BatchFailures, Breaker, BreakerRules
from dialer.core.errors import Invalid, NotFound
from dialer.core.events import AlarmCode
from dialer.core.text import Text
from dialer.db import tables as t
from dialer.db.alarms import raise_alarm, raise_alarm_once
from dialer.db.audit import write_audit
from dialer.db.bulk import in_words
from dialer.db.unit_of_work import Row, Tx, record_of, release_when_idle
from dialer.runtime.plans import parse_plan
from dialer.runtime.services import Services
from dialer.telephony.channels import Placed, RefusalCause, Refused, UncertainResult

GROUP: Final = "main"
"""The one group: all the lines of the centre."""
PACE_HEADROOM = 0.97
"""The share of the set pace that is used, so that sending jitter never pushes a ten-second count over the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineGroup:
    """The state of the line group. `next_slot_at` and the breaker's times are real; `paused_until` and `asked_at` are
    service time.
    """

    calls_per_second: float
    lines: int
    most_calls_per_second: float
    """The highest pace that the settings allow."""
    most_lines: int
    asked_by: str | None
    """Who set a slower pace than the settings."""
    asked_why: str | None
    asked_at: datetime | None
    in_use: int
    next_slot_at: datetime
    breaker: Breaker
    sound: Breaker
    """Open while the carrier cannot get our words (`dialer.calls.sound`): no call leaves."""
    paused_until: datetime | None
    paused_why: str
    timeline: int | None = field(default=None, compare=False)
    """The timeline of the database's history on which calls were claimed last; None: not noted since a restore, or read
    without a lock.
    """
    timeline_now: int | None = field(default=None, compare=False)
    """The present timeline; None where the group was read without a lock."""

    @property
    def has_failed_over(self) -> bool:
        """Whether the database has gone on from an earlier moment since calls were claimed last, as after a failover:
        PostgreSQL begins a new timeline then.
        """
        return self.timeline is not None and self.timeline_now not in {None, self.timeline}

    def slots(
        self, *, real_now: datetime, horizon_seconds: float, lead_seconds: float = 0.0
    ) -> list[datetime]:
        """Real moments, evenly spaced, at which calls may leave within the horizon, as many as lines are free. None is
        nearer than `lead_seconds`, and the horizon begins there.
        """
        gap = timedelta(seconds=1 / (self.calls_per_second * PACE_HEADROOM))
        if self.sound.is_open:
            return []
        free = self.lines - self.in_use
        allowed = self.breaker.may_leave(real_now)
        if allowed is not None:
            free = min(free, allowed)
        first = real_now + timedelta(seconds=lead_seconds)
        end = first + timedelta(seconds=horizon_seconds)
        slot = max(self.next_slot_at, first)
        found: list[datetime] = []
        while len(found) < free and slot < end:
            found.append(slot)
            slot += gap
        return found

    def is_paused(self, now: datetime) -> bool:
        """`now`: service time."""
        return self.paused_until is not None and self.paused_until > now

    def after(self, slots: list[datetime]) -> datetime:
        """The next free slot once these are used."""
        return slots[-1] + timedelta(seconds=1 / (self.calls_per_second * PACE_HEADROOM))


def ensure_line_group(tx: Tx, *, calls_per_second: float, lines: int, real_now: datetime) -> None:
    """Creates the group if it does not exist. An existing group stays as it is: only a person changes its pace."""
    statement = insert(t.line_group).values(
        name=GROUP,
        calls_per_second=calls_per_second,
        lines=lines,
        settings_calls_per_second=calls_per_second,
        settings_lines=lines,
        next_slot_at=real_now,
    )
    tx.execute(statement.on_conflict_do_nothing(index_elements=["name"]))


def configure_line_group(tx: Tx, *, calls_per_second: float, lines: int, real_now: datetime) -> None:
    """Creates or updates the group with these settings; its slots, pauses and breaker stay as they were, as does a
    slower pace that was set by hand.
    """
    ensure_line_group(tx, calls_per_second=calls_per_second, lines=lines, real_now=real_now)
    group = t.line_group.c
    _set(
        tx,
        calls_per_second=sa.func.least(group.asked_calls_per_second, calls_per_second),
        lines=sa.func.least(group.asked_lines, lines),
        settings_calls_per_second=calls_per_second,
        settings_lines=lines,
    )


def set_line_pace(
    tx: Tx,
    *,
    calls_per_second: float,
    lines: int,
    by: str,
    why: str,
    now: datetime,
    real_now: datetime,
) -> None:
    """Sets this pace from the next claim on; a next slot that a slower pace had moved further away moves nearer."""
    next_slot = sa.func.least(t.line_group.c.next_slot_at, real_now + timedelta(seconds=1 / calls_per_second))
    _set(
        tx,
        calls_per_second=calls_per_second,
        lines=lines,
        asked_calls_per_second=calls_per_second,
        asked_lines=lines,
        asked_by=by,
        asked_why=why,
        asked_at=now,
        next_slot_at=next_slot,
    )


def _restore_line_pace(tx: Tx, *, real_now: datetime) -> None:
    """Restores the pace of the settings."""
    group = t.line_group.c
    pace_again = sa.func.coalesce(group.settings_calls_per_second, group.calls_per_second)
    _set(
        tx,
        calls_per_second=pace_again,
        lines=sa.func.coalesce(group.settings_lines, group.lines),
        **dict.fromkeys(("asked_calls_per_second", "asked_lines", "asked_by", "asked_why", "asked_at")),
        next_slot_at=sa.func.least(
            group.next_slot_at, sa.literal(real_now) + sa.func.make_interval(0, 0, 0, 0, 0, 0, 1 / pace_again)
        ),
    )


_ROW: Final = sa.select(*(column for column in t.line_group.c if column.name != "timeline")).where(
    t.line_group.c.name == GROUP
)
_TIMELINE: Final = sa.text("pg_walfile_name(pg_current_wal_lsn()) AS wal_file")
"""The name of a file of the log begins with its timeline, in eight hexadecimal digits."""
_LOCKED_ROW: Final = _ROW.add_columns(t.line_group.c.timeline, release_when_idle, _TIMELINE).with_for_update()


def _set(tx: Tx, **values: object) -> None:
    tx.execute(sa.update(t.line_group).where(t.line_group.c.name == GROUP).values(**values))


def lock_line_group(tx: Tx) -> LineGroup | None:
    """The group, locked until the end of the transaction, so that claims run one after the other; None before the first
    start.
    """
    row = tx.one(_LOCKED_ROW)
    return None if row is None else _group(tx, row)


def hold_line_group(tx: Tx) -> None:
    """Locks the group as `lock_line_group` does. Reads only what the release before has too."""
    tx.execute(sa.select(t.line_group.c.name).where(t.line_group.c.name == GROUP).with_for_update())


def read_line_group(tx: Tx) -> LineGroup | None:
    """The line group, not locked; None before the first start."""
    row = tx.one(_ROW)
    return None if row is None else _group(tx, row)


def _group(tx: Tx, row: Row) -> LineGroup:
    in_use = tx.scalar(
        sa.select(sa.func.count()).select_from(t.live_number).where(t.live_number.c.attempt_id.is_not(None))
    )
    return record_of(
        LineGroup,
        row,
        in_use=in_use,
        breaker=_breaker(row),
        sound=_sound_breaker(row),
        most_calls_per_second=row["settings_calls_per_second"] or row["calls_per_second"],
        most_lines=row["settings_lines"] or row["lines"],
        timeline=row.get("timeline"),
        timeline_now=int(row["wal_file"][:8], 16) if "wal_file" in row else None,
    )


def note_timeline(tx: Tx, timeline: int | None) -> None:
    """Records the timeline on which calls are claimed from now on; None: whichever the database has then."""
    _set(tx, timeline=timeline)


def _breaker(row: Row) -> Breaker:
    return record_of(Breaker, row, wait_until=row["slow_until"])


def _sound_breaker(row: Row) -> Breaker:
    return Breaker(
        openings=row["sound_openings"],
        opened_at=row["sound_opened_at"],
        wait_until=row["sound_wait_until"],
    )


def take_call_slots(tx: Tx, group: LineGroup, slots: list[datetime], *, real_now: datetime) -> None:
    """Marks these slots as used: the next call leaves after them, and after a trial call none leaves until it is
    answered.
    """
    values: dict[str, object] = {"next_slot_at": group.after(slots)}
    if group.breaker.is_open:
        values["slow_until"] = group.breaker.trial_left(real_now, BreakerRules()).wait_until
    _set(tx, **values)


def read_breakers(tx: Tx) -> tuple[Breaker, Breaker]:
    """The breakers of the lines and of our sound, not locked; closed ones before the first start."""
    row = tx.one(_ROW)
    return (Breaker(), Breaker()) if row is None else (_breaker(row), _sound_breaker(row))


def lock_line_breaker(tx: Tx) -> Breaker:
    """The breaker. Locks the line group; must be called before attempts or numbers are locked, as in a claim."""
    row = tx.one(_LOCKED_ROW)
    return Breaker() if row is None else _breaker(row)


def save_breaker(tx: Tx, breaker: Breaker) -> None:
    """Stores the breaker; the caller has locked the line group."""
    _set(
        tx,
        troubles=breaker.troubles,
        openings=breaker.openings,
        opened_at=breaker.opened_at,
        slow_until=breaker.wait_until,
    )


_SOUND_RULES = BreakerRules(opens_after=1)
_SOUND_FORGOTTEN = timedelta(minutes=10)
"""This long after a stop for our sound the next one is as short as the first."""


def fail_sound_breaker(tx: Tx, *, real_now: datetime, by_probe: bool) -> None:
    """Opens the breaker of our sound; while it is open, only a failure `by_probe` makes it wait longer. Locks the line
    group.
    """
    row = tx.one(_ROW.with_for_update())
    if row is None:
        return
    before = _sound_breaker(row)
    if (
        not before.is_open
        and before.wait_until is not None
        and before.wait_until < real_now - _SOUND_FORGOTTEN
    ):
        before = Breaker()
    after = before.after(BatchFailures(answers=1, was_trial=by_probe), real_now=real_now, rules=_SOUND_RULES)
    _set(
        tx,
        sound_openings=after.openings,
        sound_opened_at=after.opened_at,
        sound_wait_until=after.wait_until,
    )


def close_sound_breaker(tx: Tx, *, real_now: datetime) -> None:
    """Closes the breaker of our sound. If it opens again soon, it waits longer."""
    _set(tx, sound_opened_at=None, sound_wait_until=real_now)


def pause_line_group(tx: Tx, *, until: datetime | None, why: str) -> None:
    """Prevents claims until `until` (service time); None lifts the pause."""
    _set(tx, paused_until=until, paused_why=why)


_RULES = BreakerRules()
_LONGEST_SILENCE = timedelta(seconds=_RULES.believed_seconds)
"""The longest pause that a carrier can ask for."""
_CLOCK_TOLERANCE = timedelta(seconds=5)
"""The clocks of synchronised machines differ by less."""


def seconds_clock_went_back(tx: Tx, *, real_now: datetime, horizon_seconds: float) -> float:
    """How many seconds the clock has gone back since the last calls were planned; 0 if it has not, as far as can be
    seen.
    """
    row = tx.one(_ROW)
    if row is None:
        return 0.0
    gap_seconds = 1 / (row["calls_per_second"] * PACE_HEADROOM)
    ahead = row["next_slot_at"] - real_now - timedelta(seconds=horizon_seconds + gap_seconds)
    return ahead.total_seconds() if ahead > _CLOCK_TOLERANCE else 0.0


def reset_times_after_jump(tx: Tx, *, real_now: datetime, last_lease: datetime, last_poll: datetime) -> None:
    """Lets calls leave from now on after the clock was set back. Leases later than `last_lease` and polls later than
    `last_poll` were set by the later clock and are due now. The caller has locked the line group.
    """
    group = t.line_group.c
    gap = sa.func.make_interval(0, 0, 0, 0, 0, 0, 1 / (group.calls_per_second * PACE_HEADROOM))
    still_slow = sa.case((group.slow_until > real_now + _LONGEST_SILENCE, real_now), else_=group.slow_until)
    _set(tx, next_slot_at=sa.literal(real_now) + gap, slow_until=still_slow)
    attempt = t.attempt.c
    tx.execute(
        sa.update(t.attempt)
        .where(attempt.state == AttemptState.CLAIMED.value, attempt.lease_until > last_lease)
        .values(lease_until=real_now)
    )
    tx.execute(
        sa.update(t.attempt)
        .where(in_words(attempt.state, LIVE_STATES), attempt.poll_at > last_poll)
        .values(poll_at=real_now)
    )


LEAST_CALLS_PER_SECOND = 0.1
"""A slower pace would be a pause without an end."""


def read_pace(services: Services) -> LineGroup:
    """The line group with the pace that is in force now."""
    with services.store.begin() as tx:
        return _existing_line_group(tx)


def set_pace(services: Services, actor: Actor, *, calls_per_second: float, lines: int, why: str) -> LineGroup:
    """Sets the pace, which every worker follows from its next claim on, within a second. Raises `Invalid`, and
    `NotFound` for staff of a unit: lines belong to the whole centre.
    """
    reason = required_text("why", why, fix="a change of the pace names who and why")

    def change(tx: Tx, before: LineGroup) -> None:
        least = min(LEAST_CALLS_PER_SECOND, before.most_calls_per_second)
        _check_range("calls_per_second", calls_per_second, least, before.most_calls_per_second)
        _check_range("lines", lines, 1, before.most_lines)
        set_line_pace(
            tx,
            calls_per_second=calls_per_second,
            lines=lines,
            by=actor.name,
            why=reason,
            now=services.clock.now(),
            real_now=services.real.now(),
        )

    return _change_pace(services, actor, change, name="pace", why=reason)


def restore_pace(services: Services, actor: Actor, *, why: str = "") -> LineGroup:
    """Restores the pace of the plan in force, or that of the settings as this process has read them. Raises `NotFound`
    as `set_pace` does.
    """
    plan, lines = services.policies.in_force(), services.lines

    def change(tx: Tx, before: LineGroup) -> None:
        if plan is None:
            calls_per_second, most_lines = lines.settings_calls_per_second, lines.settings_lines
        else:
            pace = parse_plan(plan.source).pace
            calls_per_second, most_lines = pace.calls_per_second, pace.lines
        configure_line_group(
            tx,
            calls_per_second=calls_per_second or before.most_calls_per_second,
            lines=most_lines or before.most_lines,
            real_now=services.real.now(),
        )
        _restore_line_pace(tx, real_now=services.real.now())

    return _change_pace(services, actor, change, name="pace.settings", why=why.strip())


def _change_pace(
    services: Services, actor: Actor, change: Callable[[Tx, LineGroup], None], *, name: str, why: str
) -> LineGroup:
    """`name` is that of the act in the audit."""
    if actor.unit_id is not None:
        raise NotFound(kind="line group", key=GROUP)
    with services.act(actor, Permission.CONTROL) as act:
        before = _existing_line_group(act.tx)
        change(act.tx, before)
        after = _existing_line_group(act.tx)
        facts = {
            "before": f"{before.calls_per_second:g}/s, {before.lines}",
            "after": f"{after.calls_per_second:g}/s, {after.lines}",
        }
        act.audit(name, f"line_group/{GROUP}", why=why, facts=facts)
    services.enqueue("dial")
    return after


def _check_range(field: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise Invalid(
            field=field,
            problem="is outside what the settings allow",
            fix=Text("%(least)s – %(most)s", least=f"{least:g}", most=f"{most:g}"),
        )


def _existing_line_group(tx: Tx) -> LineGroup:
    group = read_line_group(tx)
    if group is None:
        raise NotFound(kind="line group", key=GROUP)
    return group


_RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PostAnswer:
    """The answer to one POST; `sent_at` is the real moment at which the call was to leave."""

    sent_at: datetime
    answer: Placed | Refused | UncertainResult


def retry_seconds(refused: Sequence[Refused]) -> float:
    """How many seconds calls that were refused for reasons other than their numbers wait before they are ready
    again.
    """
    asked = max((refusal.retry_after_seconds or 0.0 for refusal in refused), default=0.0)
    return min(max(asked, _RETRY_SECONDS), _RULES.believed_seconds)


def evaluate_breaker(tx: Tx, answers: Sequence[PostAnswer], *, now: datetime, real_now: datetime) -> None:
    """Updates the breaker with these answers. Trouble raises an alarm; opening and closing are audited."""
    troubles = [answer for answer in answers if _is_trouble(answer.answer)]
    # A fault of the number says nothing about whether the carrier takes calls.
    taken = any(isinstance(answer.answer, Placed) for answer in answers)
    if not troubles and (not taken or read_breakers(tx)[0].is_untroubled):
        return
    before = lock_line_breaker(tx)
    after = Breaker() if taken else before
    if troubles:
        trouble = _batch_failures(troubles, opened_at=after.opened_at, taken=taken)
        after = after.after(trouble, real_now=real_now, rules=_RULES)
        _raise_breaker_alarm(tx, troubles, opens=after.is_open and not before.is_open, now=now)
    if after != before:
        save_breaker(tx, after)
    if after.is_open != before.is_open:
        _audit_breaker_change(tx, before=before, after=after, now=now, real_now=real_now)


def _is_trouble(answer: Placed | Refused | UncertainResult) -> bool:
    return isinstance(answer, UncertainResult) or (
        isinstance(answer, Refused) and answer.cause is not RefusalCause.NUMBER
    )


def _batch_failures(
    troubles: Sequence[PostAnswer], *, opened_at: datetime | None, taken: bool
) -> BatchFailures:
    """The failures of this batch for the breaker. If a call of the batch was taken, failures are not in a row, however
    many there are.
    """
    refused = [trouble.answer for trouble in troubles if isinstance(trouble.answer, Refused)]
    asked = [refusal.retry_after_seconds for refusal in refused if refusal.retry_after_seconds is not None]
    return BatchFailures(
        answers=min(len(troubles), _RULES.opens_after - 1) if taken else len(troubles),
        asks_to_slow=any(refusal.cause is RefusalCause.SLOW_DOWN for refusal in refused),
        retry_after_seconds=max(asked, default=None),
        # Calls claimed before the breaker opened leave within the horizon; a trial call leaves after the whole wait.
        was_trial=opened_at is not None
        and any(
            trouble.sent_at >= opened_at + timedelta(seconds=_RULES.open_seconds / 2) for trouble in troubles
        ),
    )


def _raise_breaker_alarm(tx: Tx, troubles: Sequence[PostAnswer], *, opens: bool, now: datetime) -> None:
    refused = [trouble.answer for trouble in troubles if isinstance(trouble.answer, Refused)]
    facts = {
        "codes": sorted({refusal.code or refusal.http_status or 0 for refusal in refused}),
        "unanswered": len(troubles) - len(refused),
    }
    if opens:
        raise_alarm(tx, AlarmCode.CARRIER_DOWN, now=now, facts=facts)
    elif refused:
        raise_alarm_once(tx, AlarmCode.CARRIER_TROUBLE, now=now, facts=facts)


def _audit_breaker_change(
    tx: Tx, *, before: Breaker, after: Breaker, now: datetime, real_now: datetime
) -> None:
    facts: dict[str, object] = {"troubles": max(before.troubles, after.troubles)}
    if before.opened_at is not None:
        facts |= {
            "open_seconds": round((real_now - before.opened_at).total_seconds(), 3),
            "openings": before.openings,
        }
    write_audit(
        tx,
        who=ROBOT,
        act="breaker.opened" if after.is_open else "breaker.closed",
        subject=f"line_group/{GROUP}",
        why="",
        now=now,
        facts=facts,
    )
