"""The settings of the policy: the limits of each grade, the window of calls, and what urgency is worth."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from dialer.core.errors import WrongValue
from dialer.core.policy import GradePolicy, Policy, UrgencyPolicy, Window
from dialer.core.text import Text
from dialer.core.values import Grade, MessageChannel, Track
from dialer.runtime.sections import Section

_DAY = 86_400
_YEAR = 365 * _DAY

FollowUpWay = Annotated[Track | None, BeforeValidator(lambda way: None if way == "none" else way)]
"""`none`: there is no follow-up of this kind."""

_FORMERLY = {"true": "waits", "false": "person"}
OutsideWindow = Annotated[
    Literal["waits", "person"],
    BeforeValidator(lambda way: _FORMERLY.get(str(way).lower(), way)),
]
"""What happens to a robot call outside the window. Earlier releases had `windowed`, true or false."""


class GradeSection(Section):
    """Limits of one grade, in seconds. A limit that may be absent means never when it is."""

    first_attempt_seconds: int = Field(ge=1, le=7 * _DAY)
    robot_tries: int = Field(ge=1, le=20)
    robot_gap_seconds: int = Field(ge=10, le=7 * _DAY)
    robot_patience_seconds: int = Field(ge=10, le=30 * _DAY)
    outside_window: OutsideWindow
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
    message_channel: MessageChannel = MessageChannel.SMS
    flash_every_seconds: int | None = Field(default=None, ge=900, le=_DAY)
    flash_times: int = Field(default=6, ge=1, le=9)
    family_after_seconds: int | None = Field(default=None, ge=0, le=7 * _DAY)
    record_calls: bool = False
    follow_up_by: FollowUpWay = None
    follow_up_then: FollowUpWay = None
    follow_up_after_seconds: int = Field(default=_DAY, ge=60, le=_YEAR)
    follow_up_tries: int = Field(default=2, ge=1, le=20)
    follow_up_gap_seconds: int = Field(default=14_400, ge=60, le=30 * _DAY)


class WindowSection(Section):
    """When robots may call, in the centre's own time."""

    opens: time = time(9)
    closes: time = time(21)
    any_hour: bool = False
    """Robots may call at any hour; the times do not count then."""

    @model_validator(mode="after")
    def _says_so(self) -> Self:
        if self.opens == self.closes and not self.any_hour:
            raise WrongValue(
                Text("opens and closes are equal: set any_hour = true if robots may call at any hour")
            )
        return self

    def window(self, *, zone: str) -> Window:
        """The window; one with equal times is always open."""
        if self.any_hour:
            return Window(opens=time(0), closes=time(0), zone=zone)
        return Window(opens=self.opens, closes=self.closes, zone=zone)


class UrgencySection(Section):
    """What grade, amount and expiry are worth in the queue, in seconds of waiting."""

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


class PolicySection(Section):
    """[policy]. Every grade must have its own table. A change applies to new cases only."""

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

    def _grade(self, grade: Grade) -> GradePolicy:
        rules = getattr(self, grade.value).model_dump()
        return GradePolicy(windowed=rules.pop("outside_window") == "waits", **rules)

    def policy(self, *, zone: str) -> Policy:
        """The policy, not yet numbered."""
        urgency = self.urgency.model_dump()
        return Policy(
            version=0,
            grades={grade: self._grade(grade) for grade in Grade},
            window=self.window.window(zone=zone),
            urgency=UrgencyPolicy(
                grade_seconds={grade: urgency.pop(f"{grade.value}_seconds") for grade in Grade}, **urgency
            ),
            **self.model_dump(exclude={*(grade.value for grade in Grade), "window", "urgency"}),
        )
