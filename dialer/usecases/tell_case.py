"""A case and a page of cases as JSON: one schema for `dialer case --json`, `dialer cases --json` and the API.

docs/json.md describes them, which a test holds.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from dialer.domain.case import CaseStatus, Reason
from dialer.domain.values import Contact, FraudType, Grade, OutcomeKind, Tag, Track
from dialer.outcomes.next_steps import StepKind, Wait, WaitReason
from dialer.outcomes.timeline import EntryKind
from dialer.store.reads.case_search import CasePage
from dialer.usecases.show_case import CaseStory


class Resource(BaseModel):
    model_config = ConfigDict(from_attributes=True, populate_by_name=True)

    def plain(self) -> dict[str, Any]:
        """JSON-ready: moments as ISO 8601 in UTC, money in fen, words by their value."""
        plain: dict[str, Any] = json.loads(
            json.dumps(self.model_dump(by_alias=True), default=datetime.isoformat)
        )
        return plain


class PersonOut(Resource):
    """当事人，已脱敏 · The person, masked."""

    name: Annotated[str, Field(examples=["王*"])]
    phones: Annotated[list[str], Field(examples=[["138****8000"]])]
    id_number: Annotated[str, Field(examples=["15****1237"])]
    has_address: bool
    has_family_contact: bool


class StepOut(Resource):
    """下一步 · What moves a case next. `at` is null where it may happen at any moment."""

    kind: Annotated[
        StepKind, Field(description="ring: 机器人外呼; errand_opens/errand_due: 人工电话或见面劝阻")
    ]
    track: Track | None
    reason: Annotated[Reason, Field(description="原因代码 · the reason as a code")]
    at: datetime | None
    waits: Annotated[list[Wait], Field(description="外呼在等什么 · why a ring has not been made yet")]


class WaitingOut(Resource):
    """外呼在等什么 · Why its ring has not been made yet: the first thing in its way."""

    reason: WaitReason
    detail: str
    since: datetime
    until: datetime | None


class UrgencyOut(Resource):
    """紧急度 · Its rings' place in the queue: a moment, and the seconds that each part is worth."""

    at: datetime
    opened_at: datetime
    grade_seconds: int
    amount_seconds: int
    expiry_seconds: int
    ahead: int | None


class EntryOut(Resource):
    """经过 · One fact of the case's story; nothing personal is in it."""

    at: datetime
    kind: EntryKind
    id: str
    by: str
    facts: dict[str, str | int | bool | None]


class CaseOut(Resource):
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


class CaseLineOut(Resource):
    """One found case, masked."""

    id: int
    person: PersonOut
    grade: Grade
    fraud_type: FraudType
    status: CaseStatus
    outcome: OutcomeKind | None
    contact: Contact
    source: str
    unit: str
    warnings: int
    robot_attempts: int
    opened_at: datetime
    due_at: datetime | None
    drill: bool


class CasePageOut(Resource):
    cases: list[CaseLineOut]
    next_before_id: int | None


_OF_CASE = (
    "id",
    "status",
    "outcome",
    "contact",
    "grade",
    "fraud_type",
    "warnings",
    "missed",
    "opted_out",
    "amount_at_risk_fen",
    "opened_at",
    "expires_at",
    "watch_until",
    "policy_version",
)


def tell_case(story: CaseStory) -> CaseOut:
    """Masked."""
    file = story.file
    stored = file.stored
    urgency = story.urgency
    return CaseOut.model_validate(
        {
            **{name: getattr(stored.case, name) for name in _OF_CASE},
            "told_at": story.told_at,
            "drill": stored.drill,
            "source": stored.source,
            "unit": stored.unit,
            "load_id": file.load_id,
            "tags": sorted(stored.case.tags),
            "first_attempt_at": stored.first_attempt_at,
            "succeeded_at": file.succeeded_at,
            "settled_at": file.settled_at,
            "person": file.person,
            "next_steps": story.next_steps,
            "waiting": story.waiting,
            "urgency": UrgencyOut(
                at=urgency.at,
                opened_at=urgency.opened_at,
                grade_seconds=urgency.grade_seconds,
                amount_seconds=urgency.amount_seconds,
                expiry_seconds=urgency.expiry_seconds,
                ahead=story.ring.ahead if story.ring is not None else None,
            ),
            "timeline": file.timeline,
        }
    )


def tell_page(page: CasePage) -> CasePageOut:
    """One page of a search, masked."""
    return CasePageOut.model_validate(page)
