"""What a centre has decided to do about each grade. A case pins the version it began with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from dialer.domain.values import Grade
from dialer.domain.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class GradePolicy:
    """Limits of one grade, in seconds of the service clock. Shipped defaults: settings.toml."""

    first_attempt_seconds: int
    """The first ring is wanted within this time; also what the report calls late."""
    robot_tries: int
    """Robot rings that count before the case is handed to a person."""
    robot_gap_seconds: int
    """From the end of one ring to the next."""
    robot_patience_seconds: int
    """How long a planned ring may wait for a line before the case goes to a person as well."""
    windowed: bool
    """True: waits for the dialling window. False: a person rings when the window is closed."""
    human_after_seconds: int | None
    """0: a person rings at once beside the robot; None: only when the robot fails or is doubted."""
    human_due_seconds: int
    """From the opening of a human call to the moment it is overdue."""
    human_sample_percent: int
    """Of the cases that the robot could not reach, how many a person rings; the rest close as not found yet."""
    visit_after_seconds: int | None
    """Without verified contact by then an officer goes; 0: at once; None: only when the human call fails."""
    visit_when_human_fails: bool
    visit_due_seconds: int
    sign_seconds: int
    """签收: from the opening of an assignment until somebody has signed for it."""
    feedback_seconds: int
    """反馈: until a result is reported."""
    message_when_unreachable: bool = False
    """A message goes where the voice did not get through."""
    message_after_warning: bool = False
    """A message goes to whoever was warned and said who they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UrgencyPolicy:
    """How far each thing moves a ring forward in the queue, in seconds of waiting it is worth."""

    grade_seconds: Mapping[Grade, int]
    amount_seconds_per_tenfold: int
    """For every tenfold of the amount at risk above `amount_floor_fen`."""
    amount_floor_fen: int
    expiry_horizon_seconds: int
    """A warning that expires within this time gains what is missing to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    version: int
    grades: Mapping[Grade, GradePolicy]
    window: Window
    urgency: UrgencyPolicy
    busy_retry_seconds: int
    """Busy on a high grade: probably talking to the scammer right now, so the robot rings again this soon."""
    requeue_seconds: int
    """After a fault of ours (line down, blocked, rate limited): the ring is tried again after this."""
    max_own_faults: int
    """Faults of ours in a row before the case goes to a person."""
    number_spacing_seconds: int
    """Least time between the end of one ring and the next to the same number, whoever's case it is."""
    visit_tries: int
    """Visits that find nobody before the case ends as cannot be found, with an alarm."""
    visit_retry_seconds: int
    watch_seconds: int
    """A success stays provisional this long."""

    def of(self, grade: Grade) -> GradePolicy:
        return self.grades[grade]

    def watch(self) -> timedelta:
        return timedelta(seconds=self.watch_seconds)
