"""How a centre handles each grade: tries, clocks, dialling window, urgency. A case keeps the policy version that it was
opened with. Pure.

The queue is ordered by urgency, a virtual deadline: the moment the case opened, moved forward by what grade, amount and
expiry are worth. An index can sort it, a waiting case moves up by itself, and no case starves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dialer.core.case import Case
from dialer.core.values import Grade, MessageChannel, Track

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Open from `opens` (included) to `closes` (excluded) every day in `zone`; across midnight when
    `closes <= opens`; equal times mean always open.
    """

    opens: time
    closes: time
    zone: str

    def is_open(self, at: datetime) -> bool:
        """Whether calls are allowed at that moment; a window that opens when it closes is always open."""
        if self.opens == self.closes:
            return True
        wall = at.astimezone(ZoneInfo(self.zone)).time()
        if self.opens < self.closes:
            return self.opens <= wall < self.closes
        return wall >= self.opens or wall < self.closes

    def next_open(self, at: datetime) -> datetime:
        """`at` itself when open, else the next opening, strictly later than `at`. Aware UTC in, aware UTC out."""
        if self.is_open(at):
            return at
        zone = ZoneInfo(self.zone)
        day = at.astimezone(zone).date()
        while True:
            # Where clocks go back the opening comes twice, where they go forward it may not come at all.
            for fold in (0, 1):
                wall = datetime.combine(day, self.opens, tzinfo=zone).replace(fold=fold)
                opening = wall.astimezone(at.tzinfo)
                if opening > at and self.is_open(opening):
                    return opening
            day += _ONE_DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class GradePolicy:
    """Limits of one grade, in seconds of the service clock. Shipped defaults: settings.toml."""

    first_attempt_seconds: int
    """The first attempt is due within this time; the report counts later ones as late."""
    robot_tries: int
    """Robot calls that count before the case is handed to a person."""
    robot_gap_seconds: int
    """From the end of one call to the next."""
    robot_patience_seconds: int
    """How long a planned attempt may wait for a line before the case goes to a person as well."""
    windowed: bool
    """True: calls wait for the dialling window. False: a person calls while the window is closed."""
    human_after_seconds: int | None
    """0: a person calls at once, in parallel with the robot; None: only if the robot does not succeed."""
    human_due_seconds: int
    """From the opening of a human call to the moment it is overdue."""
    human_sample_percent: int
    """Of the cases that the robot could not reach, the percentage that a person calls; the others are closed as not
    found yet.
    """
    visit_after_seconds: int | None
    """Without verified contact by then an officer goes; 0: at once; None: only when the human call fails."""
    visit_when_human_fails: bool
    visit_due_seconds: int
    sign_seconds: int
    """签收: from the opening of an assignment to its signing."""
    feedback_seconds: int
    """反馈: from the opening of an assignment to its report."""
    message_when_unreachable: bool = False
    """Send a message when the call did not get through."""
    message_after_warning: bool = False
    """Send a message to a person who was warned and verified."""
    message_channel: MessageChannel = MessageChannel.SMS
    """What carries the messages of this grade."""
    flash_every_seconds: int | None = None
    """From a call that did not get through a flash message goes this often, until the person is reached or the case is
    over; None: none does.
    """
    flash_times: int = 6
    """So many of them at most."""
    family_after_seconds: int | None = None
    """A caller calls the family contact this long after the robot's last call and a human call have not reached the
    person; 0: at once; None: never.
    """
    record_calls: bool = False
    """Calls are recorded (robot calls, calls from a desk and inbound calls), and the person is told so."""
    follow_up_by: Track | None = None
    """How a person is followed up in the watch period; None: not at all."""
    follow_up_then: Track | None = None
    """The next way, if the first did not reach the person; None: no further one."""
    follow_up_after_seconds: int = 86_400
    """From the success to the follow-up."""
    follow_up_tries: int = 2
    """The largest number of robot calls of a follow-up."""
    follow_up_gap_seconds: int = 14_400
    """From the end of one of these calls to the next."""

    def due_seconds(self, track: Track) -> int:
        """When a human call or a visit is due, in seconds after it was opened."""
        return self.human_due_seconds if track is Track.HUMAN else self.visit_due_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class UrgencyPolicy:
    """How far grade, amount and expiry move an attempt forward in the queue, in seconds of waiting."""

    grade_seconds: Mapping[Grade, int]
    amount_seconds_per_tenfold: int
    """For every tenfold of the amount at risk above `amount_floor_fen`."""
    amount_floor_fen: int
    expiry_horizon_seconds: int
    """A warning that expires within this time moves forward by the time that is missing to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The limits by which cases are decided; immutable once stored."""

    version: int
    grades: Mapping[Grade, GradePolicy]
    window: Window
    urgency: UrgencyPolicy
    busy_retry_seconds: int
    """Busy on a high grade: probably talking to the scammer right now, so the robot calls again this soon."""
    requeue_seconds: int
    """After a failure on our side (line down, blocked, rate limited) the call is tried again after this time."""
    max_own_faults: int
    """Failures on our side in a row before the case goes to a person."""
    number_spacing_seconds: int
    """Least time between the end of one call and the next to the same number, across cases."""
    visit_tries: int
    """Visits that find nobody before the case ends as cannot be found, with an alarm."""
    visit_retry_seconds: int
    watch_seconds: int
    """A success stays provisional this long."""

    def of(self, grade: Grade) -> GradePolicy:
        return self.grades[grade]

    def watch(self) -> timedelta:
        """The watch period."""
        return timedelta(seconds=self.watch_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Urgency:
    """`at` is the virtual deadline; the parts, in seconds of waiting each is worth, add up to it."""

    opened_at: datetime
    grade_seconds: int
    amount_seconds: int
    expiry_seconds: int

    @property
    def at(self) -> datetime:
        """The urgency time: the opening time, put earlier by grade, amount and expiry."""
        return self.opened_at - timedelta(
            seconds=self.grade_seconds + self.amount_seconds + self.expiry_seconds
        )


def urgency(case: Case, policy: UrgencyPolicy) -> Urgency:
    """The virtual deadline of a case's next attempt."""
    amount_seconds = expiry_seconds = 0
    amount_fen = case.amount_at_risk_fen
    if amount_fen is not None and amount_fen > policy.amount_floor_fen:
        tenfolds = math.log10(amount_fen / policy.amount_floor_fen)
        amount_seconds = int(tenfolds * policy.amount_seconds_per_tenfold)
    if case.expires_at is not None:
        left = (case.expires_at - case.opened_at).total_seconds()
        expiry_seconds = int(max(0, policy.expiry_horizon_seconds - max(0, left)))
    return Urgency(
        opened_at=case.opened_at,
        grade_seconds=policy.grade_seconds[case.grade],
        amount_seconds=amount_seconds,
        expiry_seconds=expiry_seconds,
    )


def to_plain(policy: Policy) -> dict[str, Any]:
    """The policy as JSON values, without `version`, which identifies the row and not the content."""
    plain = asdict(policy)
    del plain["version"]
    for name in ("opens", "closes"):
        plain["window"][name] = plain["window"][name].isoformat(timespec="minutes")
    for table, name in ((plain, "grades"), (plain["urgency"], "grade_seconds")):
        table[name] = {grade.value: value for grade, value in table[name].items()}
    return plain


def from_plain(plain: Mapping[str, Any], *, version: int) -> Policy:
    """The policy that `to_plain` wrote."""
    window, urgency = plain["window"], plain["urgency"]
    times = {name: time.fromisoformat(window[name]) for name in ("opens", "closes")}
    worth = {Grade(name): seconds for name, seconds in urgency["grade_seconds"].items()}
    parts: dict[str, Any] = {
        "version": version,
        "grades": {Grade(name): _grade_policy(rules) for name, rules in plain["grades"].items()},
        "window": Window(**window | times),
        "urgency": UrgencyPolicy(**urgency | {"grade_seconds": worth}),
    }
    return Policy(**{**plain, **parts})


def _grade_policy(plain: Mapping[str, Any]) -> GradePolicy:
    """A policy stored before channels existed names none: its messages go by SMS. A policy stored before follow-ups
    existed has none.
    """
    channel = MessageChannel(plain.get("message_channel", MessageChannel.SMS))
    ways = {name: plain.get(name) for name in ("follow_up_by", "follow_up_then")}
    tracks = {name: None if way is None else Track(way) for name, way in ways.items()}
    return GradePolicy(**{**plain, "message_channel": channel, **tracks})
