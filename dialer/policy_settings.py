"""What a centre decides about grades, windows and urgency, as settings.toml says it; read by `dialer.settings`.

A change makes a new policy version for new cases; a running case keeps the one it began with.
"""

from __future__ import annotations

from datetime import time
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dialer.domain.policy import GradePolicy, Policy, UrgencyPolicy
from dialer.domain.values import Grade
from dialer.domain.window import Window
from dialer.errors import WrongValue
from dialer.language import Text

_DAY = 86_400
_YEAR = 365 * _DAY


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class GradeSection(_Section):
    """Limits of one grade, in seconds. A key that is left out means never, where never is possible."""

    first_attempt_seconds: int = Field(ge=1, le=7 * _DAY)
    robot_tries: int = Field(ge=1, le=20)
    robot_gap_seconds: int = Field(ge=10, le=7 * _DAY)
    robot_patience_seconds: int = Field(ge=10, le=30 * _DAY)
    windowed: bool
    human_after_seconds: int | None = Field(default=None, ge=0, le=7 * _DAY)
    human_due_seconds: int = Field(ge=10, le=30 * _DAY)
    human_sample_percent: int = Field(default=100, ge=0, le=100)
    visit_after_seconds: int | None = Field(default=None, ge=0, le=30 * _DAY)
    visit_when_human_fails: bool
    visit_due_seconds: int = Field(ge=60, le=30 * _DAY)
    sign_seconds: int = Field(ge=10, le=30 * _DAY)
    feedback_seconds: int = Field(ge=60, le=30 * _DAY)
    message_when_unreachable: bool = False
    message_after_warning: bool = False


class WindowSection(_Section):
    """When robots may ring, in the centre's own time; equal times mean always."""

    opens: time = time(9)
    closes: time = time(21)


class UrgencySection(_Section):
    """What each thing is worth in the queue, in seconds of waiting."""

    extra_high_seconds: int = Field(ge=0, le=_YEAR)
    high_seconds: int = Field(ge=0, le=_YEAR)
    medium_seconds: int = Field(ge=0, le=_YEAR)
    low_seconds: int = Field(ge=0, le=_YEAR)
    amount_seconds_per_tenfold: int = Field(ge=0, le=7 * _DAY)
    amount_floor_fen: int = Field(ge=1)
    expiry_horizon_seconds: int = Field(ge=0, le=7 * _DAY)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        steps = (self.extra_high_seconds, self.high_seconds, self.medium_seconds, self.low_seconds)
        if list(steps) != sorted(steps, reverse=True):
            raise WrongValue(Text("a higher grade must not be worth less than a lower one"))
        return self


class PolicySection(_Section):
    """[policy] of settings.toml. Every grade must have its own table."""

    extra_high: GradeSection
    high: GradeSection
    medium: GradeSection
    low: GradeSection
    window: WindowSection = WindowSection()
    urgency: UrgencySection
    busy_retry_seconds: int = Field(ge=5, le=_DAY)
    requeue_seconds: int = Field(ge=1, le=_DAY)
    max_own_faults: int = Field(ge=0, le=100)
    number_spacing_seconds: int = Field(ge=0, le=_DAY)
    visit_tries: int = Field(ge=1, le=20)
    visit_retry_seconds: int = Field(ge=60, le=30 * _DAY)
    watch_seconds: int = Field(ge=60, le=_YEAR)

    def policy(self, *, zone: str) -> Policy:
        """The policy, not yet numbered."""
        urgency = self.urgency
        grades = {
            Grade.EXTRA_HIGH: self.extra_high,
            Grade.HIGH: self.high,
            Grade.MEDIUM: self.medium,
            Grade.LOW: self.low,
        }
        return Policy(
            version=0,
            grades={grade: GradePolicy(**section.model_dump()) for grade, section in grades.items()},
            window=Window(opens=self.window.opens, closes=self.window.closes, zone=zone),
            urgency=UrgencyPolicy(
                grade_seconds={
                    Grade.EXTRA_HIGH: urgency.extra_high_seconds,
                    Grade.HIGH: urgency.high_seconds,
                    Grade.MEDIUM: urgency.medium_seconds,
                    Grade.LOW: urgency.low_seconds,
                },
                amount_seconds_per_tenfold=urgency.amount_seconds_per_tenfold,
                amount_floor_fen=urgency.amount_floor_fen,
                expiry_horizon_seconds=urgency.expiry_horizon_seconds,
            ),
            busy_retry_seconds=self.busy_retry_seconds,
            requeue_seconds=self.requeue_seconds,
            max_own_faults=self.max_own_faults,
            number_spacing_seconds=self.number_spacing_seconds,
            visit_tries=self.visit_tries,
            visit_retry_seconds=self.visit_retry_seconds,
            watch_seconds=self.watch_seconds,
        )
