"""Cases and reports as they are described. What is sent is the very JSON of `dialer case` and `dialer report`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from dialer.domain.case import CaseStatus
from dialer.domain.values import Contact, FraudType, Grade, OutcomeKind, Tag
from dialer.outcomes.sequential import Finding
from dialer.outcomes.timeline import EntryKind
from dialer.usecases.why_waiting import WaitReason
from dialer.web.api.models import StepOut


class PersonOut(BaseModel):
    """当事人，已脱敏 · The person, masked."""

    name: Annotated[str, Field(examples=["王*"])]
    phones: Annotated[list[str], Field(examples=[["138****8000"]])]
    id_number: Annotated[str, Field(examples=["15****1237"])]
    has_address: bool
    has_family_contact: bool


class WaitingOut(BaseModel):
    """外呼在等什么 · Why its ring has not been made yet: the first thing in its way."""

    reason: WaitReason
    detail: str
    since: datetime
    until: datetime | None


class UrgencyOut(BaseModel):
    """紧急度 · Its rings' place in the queue: a moment, and the seconds that each part is worth."""

    at: datetime
    opened_at: datetime
    grade_seconds: int
    amount_seconds: int
    expiry_seconds: int
    ahead: int | None


class EntryOut(BaseModel):
    """经过 · One fact of the case's story; nothing personal is in it."""

    at: datetime
    kind: EntryKind
    id: str
    by: str
    facts: dict[str, str | int | bool | None]


class CaseOut(BaseModel):
    """预警单，已脱敏 · One case, masked."""

    id: int
    told_at: datetime
    drill: bool
    status: CaseStatus
    outcome: OutcomeKind | None
    contact: Contact
    grade: Grade
    fraud_type: FraudType
    source: str
    unit: str
    load_id: int | None
    warnings: int
    tags: list[Tag]
    missed: bool
    opted_out: bool
    amount_at_risk_fen: int | None
    opened_at: datetime
    expires_at: datetime | None
    first_attempt_at: datetime | None
    succeeded_at: datetime | None
    watch_until: datetime | None
    settled_at: datetime | None
    policy_version: int
    person: PersonOut
    next_steps: list[StepOut]
    waiting: WaitingOut | None
    urgency: UrgencyOut
    timeline: list[EntryOut]


class _Window(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    start: Annotated[datetime | None, Field(alias="from")]
    end: Annotated[datetime | None, Field(alias="to")]


class RateWindowOut(_Window):
    basis: str


class ReportWindowOut(_Window):
    timezone: str


class RateOut(BaseModel):
    """率 · A rate with what it counts; docs/metrics.md defines each."""

    numerator: int
    denominator: int
    value: float | None
    window: RateWindowOut
    excludes: dict[str, int]


class FirstAttemptOut(BaseModel):
    """首次触达用时 · Seconds to the first attempt."""

    cases: int
    p50_seconds: float | None
    p90_seconds: float | None


class MoneyOut(BaseModel):
    """金额，分 · One kind of amount, in fen."""

    approved_fen: int
    unapproved_fen: int
    reversed_fen: int


class SliceOut(BaseModel):
    """The figures of the whole, of a grade or of a type."""

    counts: dict[str, int]
    results: dict[str, int]
    rates: dict[str, RateOut]
    first_attempt: FirstAttemptOut
    amounts: dict[str, MoneyOut]


class MeasureOut(BaseModel):
    """一项指标 · One measure of one version; `finding` says how it compares with the live one, which has none."""

    hits: int
    people: int
    share: float | None
    low: float | None
    high: float | None
    finding: Finding | None
    more_each: int | None


class TriedOut(BaseModel):
    """试验中的一个版本 · One version of a trial."""

    version: int
    weight: float
    live: bool
    measures: dict[str, MeasureOut]


class TrialOut(BaseModel):
    """话术对比试验 · A trial under way, of one grade or of all that have none of their own."""

    script: str
    grade: Grade | None
    begun_at: datetime
    filed_loaded: bool
    versions: list[TriedOut]


class ReportOut(SliceOut):
    """报告 · The report of a window; all figures of one moment."""

    drill: bool
    generated_at: datetime
    window: ReportWindowOut
    left_out: dict[str, int]
    by_grade: dict[str, SliceOut]
    by_fraud_type: dict[str, SliceOut]
    trials: list[TrialOut]
