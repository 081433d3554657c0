"""Rows that wait for a decision, of the cases that a unit sees, oldest first; and their number by who made them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from dialer.cards.determinations.store import DETERMINATIONS
from dialer.cases.persons import MaskedPerson, mask_person, open_person
from dialer.core.case import NO_CALL, PENDING_STATES
from dialer.core.values import (
    MONEY_REFUSED,
    ApprovalKind,
    Contact,
    EvidenceKind,
    FiledState,
    OutcomeKind,
    Track,
)
from dialer.db import tables as t
from dialer.db.bulk import in_words
from dialer.db.columns import is_of_actor, is_reversed
from dialer.db.plans import PLAN_VERSIONS
from dialer.db.unit_of_work import Tx, record_of
from dialer.db.units import is_visible_to
from dialer.db.versions import VersionKind
from dialer.figures.bulletins import BULLETINS
from dialer.knowledge.store import CARDS
from dialer.org.account_changes import CHANGES, is_change_visible
from dialer.org.tokens import TOKEN_REQUESTS
from dialer.quality.store import QUALITY_VERSIONS
from dialer.signals.rule_store import RULE_VERSIONS
from dialer.warnings.list_store import AWAITS_APPROVAL
from dialer.work.assignments import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyWaiting:
    """A line with money, or a success without a staff call, that nobody has approved. Amounts in fen."""

    id: int
    case_id: int
    kind: OutcomeKind
    contact: Contact
    track: Track | None
    intended_fen: int
    stopped_fen: int
    returned_fen: int
    recorded_by: str
    recorded_by_name: str
    """'' for somebody without an account."""
    at: datetime
    evidence_kind: EvidenceKind | None
    evidence_fen: int | None
    """The amount that the evidence shows; both are None for lines of older versions and without money."""
    is_without_call: bool
    """A success without a staff call: it counts only once approved. The evidence says why there was no call."""
    at_risk_fen: int | None
    """The amount at risk in the warnings of its case; None if they name none."""
    person: MaskedPerson

    @property
    def largest_fen(self) -> int:
        """The largest of its amounts."""
        return max(self.intended_fen, self.stopped_fen, self.returned_fen)

    @property
    def is_above_risk(self) -> bool:
        """Whether an amount is above what was at risk: such a line is approved only after its evidence was read."""
        return self.at_risk_fen is not None and self.largest_fen > self.at_risk_fen


class MoneyOrder(StrEnum):
    """Which lines stand first."""

    LARGEST = "largest"
    OLDEST = "oldest"


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyReturned:
    """A refused line that its recorder has not answered, or a success without a call whose task is open again. Amounts
    in fen, as they were refused.
    """

    id: int
    case_id: int
    kind: OutcomeKind
    intended_fen: int
    stopped_fen: int
    returned_fen: int
    recorded_by: str
    refused_by: str
    refused_by_name: str
    at: datetime
    """The time of the refusal."""
    why: str
    is_without_call: bool
    """A success without a staff call: there is nothing to correct; the task must be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeBy:
    """Who made what waits, and whose account it concerns; '' for nobody."""

    by: str
    concerns: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionDraft:
    """A version of the warning robot's rules, or of the plan, that nobody has approved."""

    number: int
    drafted_by: str
    drafted_at: datetime


WaitingCounts = Mapping[ApprovalKind, Mapping[MadeBy, int]]

_o = t.outcome.c
_refusal, _later = t.outcome.alias("refusal"), t.outcome.alias("later")
# While its task is open, a success without a call can be approved, and a refused one concerns its recorder.
_MAY_COUNT = sa.or_(
    _o.reason != NO_CALL,
    sa.exists().where(t.assignment.c.id == _o.assignment_id, in_words(t.assignment.c.state, PENDING_STATES)),
)
_WAITING = t.outcome_waiting.join(t.outcome, sa.and_(_o.id == t.outcome_waiting.c.outcome_id, _MAY_COUNT))
_IS_RETURNED = sa.and_(
    # Matches the partial index: lines that reverse another one are few.
    _refusal.c.reverses.is_not(None),
    _refusal.c.reverses == _o.id,
    _refusal.c.reason == MONEY_REFUSED,
    _MAY_COUNT,
    ~sa.exists().where(_later.c.reverses == _refusal.c.id),
    ~sa.literal_column(is_reversed("outcome.id", f"l.reason <> '{MONEY_REFUSED}'"), sa.Boolean),
)


def money_waiting(
    tx: Tx,
    *,
    who: str,
    visible_to: int | None,
    limit: int,
    ids: Collection[int] | None = None,
    order: MoneyOrder = MoneyOrder.OLDEST,
) -> list[MoneyWaiting]:
    """Lines that wait for approval and that `who` did not record; with `ids`, only of these lines."""
    largest = (sa.func.greatest(_o.intended_fen, _o.stopped_fen, _o.returned_fen).desc(),)
    statement = (
        sa.select(
            t.outcome,
            t.staff.c.display_name,
            t.case.c.amount_at_risk_fen.label("at_risk_fen"),
            t.case.c.person_id,
            t.person.c.sealed.label("person_sealed"),
        )
        .select_from(_WAITING)
        .join(t.case, t.case.c.id == _o.case_id)
        .join(t.person, t.person.c.id == t.case.c.person_id)
        .join(t.staff, t.staff.c.login == _o.recorded_by, isouter=True)
        .where(~is_of_actor(_o.recorded_by, who), is_visible_to(t.case.c.unit_id, visible_to))
        .order_by(*(largest if order is MoneyOrder.LARGEST else ()), _o.at, _o.id)
        .limit(limit)
    )
    if ids is not None:
        statement = statement.where(_o.id.in_(ids))
    rows = tx.rows(statement)
    return [
        record_of(
            MoneyWaiting,
            row,
            recorded_by_name=row["display_name"] or "",
            is_without_call=row["reason"] == NO_CALL,
            person=mask_person(open_person(tx, person_id=row["person_id"], sealed=row["person_sealed"])),
        )
        for row in rows
    ]


def money_returned(tx: Tx, *, who: str, visible_to: int | None, limit: int) -> list[MoneyReturned]:
    """Refused lines that `who` recorded, oldest refusal first; without `who`, those of everybody."""
    statement = (
        sa.select(
            t.outcome,
            _refusal.c.recorded_by.label("refused_by"),
            _refusal.c.at.label("refused_at"),
            _refusal.c.evidence_sealed.label("why_sealed"),
            t.staff.c.display_name,
        )
        .select_from(t.outcome)
        .join(_refusal, _IS_RETURNED)
        .join(t.case, t.case.c.id == _o.case_id)
        .join(t.staff, t.staff.c.login == _refusal.c.recorded_by, isouter=True)
        .where(is_visible_to(t.case.c.unit_id, visible_to))
        .order_by(_refusal.c.at, _o.id)
        .limit(limit)
    )
    if who:
        statement = statement.where(is_of_actor(_o.recorded_by, who))
    return [
        record_of(
            MoneyReturned,
            row,
            at=row["refused_at"],
            refused_by_name=row["display_name"] or "",
            why=_unsealed(tx, row["why_sealed"], row["case_id"]),
            is_without_call=row["reason"] == NO_CALL,
        )
        for row in tx.rows(statement)
    ]


def _unsealed(tx: Tx, sealed: bytes | None, case_id: int) -> str:
    if sealed is None:
        return ""
    place = {"table": "outcome", "column": "evidence_sealed", "row": f"case/{case_id}"}
    return tx.vault.open(sealed, **place).decode()


def evidence_of(tx: Tx, outcome_ids: Collection[int]) -> dict[int, str]:
    """The evidence of these lines in clear, for an action that has audited who reads it."""
    rows = tx.rows(sa.select(_o.id, _o.case_id, _o.evidence_sealed).where(_o.id.in_(outcome_ids)))
    return {row["id"]: _unsealed(tx, row["evidence_sealed"], row["case_id"]) for row in rows}


def cases_of_outcomes(tx: Tx, outcome_ids: Collection[int], *, visible_to: int | None) -> dict[int, int]:
    """The id of the case of each of these lines, for cases that the unit sees."""
    rows = tx.rows(
        sa.select(_o.id, _o.case_id)
        .join(t.case, t.case.c.id == _o.case_id)
        .where(_o.id.in_(outcome_ids), is_visible_to(t.case.c.unit_id, visible_to))
    )
    return {row["id"]: row["case_id"] for row in rows}


def _newest_drafts() -> sa.Select[Any]:
    """The newest version of each script, if nobody has approved it: older drafts are out of date."""
    v, newer = t.script_version, t.script_version.alias("newer")
    return sa.select(v.c.id, v.c.drafted_by, v.c.drafted_at).where(
        ~sa.exists().where(newer.c.script_id == v.c.script_id, newer.c.number > v.c.number),
        ~sa.exists().where(t.script_approval.c.version_id == v.c.id),
    )


def rule_drafts(tx: Tx, *, who: str) -> list[VersionDraft]:
    """Versions of the rules that wait for approval and that `who` has not drafted."""
    return _drafts_of(tx, RULE_VERSIONS, who)


def plan_drafts(tx: Tx, *, who: str) -> list[VersionDraft]:
    """The same of plans."""
    return _drafts_of(tx, PLAN_VERSIONS, who)


def quality_drafts(tx: Tx, *, who: str) -> list[VersionDraft]:
    """The same of rules of the inspection of calls."""
    return _drafts_of(tx, QUALITY_VERSIONS, who)


def _drafts_of(tx: Tx, kind: VersionKind, who: str) -> list[VersionDraft]:
    return [record_of(VersionDraft, row) for row in tx.rows(kind.waiting(not_of=who))]


def drafts_waiting(tx: Tx, *, since: datetime) -> dict[ApprovalKind, int]:
    """How many drafts have waited for a second person since before that moment, by kind; kinds without any are left
    out.
    """
    script, card = t.script_version.c, t.knowledge_version.c
    statements = {
        ApprovalKind.PLAN: PLAN_VERSIONS.waiting().where(PLAN_VERSIONS.versions.c.drafted_at < since),
        ApprovalKind.RULES: RULE_VERSIONS.waiting().where(RULE_VERSIONS.versions.c.drafted_at < since),
        ApprovalKind.SCRIPT: _newest_drafts().where(script.drafted_at < since),
        ApprovalKind.QUALITY: QUALITY_VERSIONS.waiting().where(
            QUALITY_VERSIONS.versions.c.drafted_at < since
        ),
        ApprovalKind.KNOWLEDGE: sa.select(card.id).where(CARDS.waits(since), card.drafted_at < since),
    }
    counts = {kind: len(tx.rows(statement)) for kind, statement in statements.items()}
    return {kind: count for kind, count in counts.items() if count}


def _count_of(kind: VersionKind) -> sa.Select[Any]:
    by = kind.versions.c.drafted_by
    return kind.waiting().with_only_columns(by.label("by"), sa.func.count().label("n")).group_by(by)


def draft_ids(tx: Tx, *, who: str) -> list[int]:
    """Ids of versions of scripts that wait for approval and that `who` has not drafted."""
    drafts = _newest_drafts().where(~is_of_actor(t.script_version.c.drafted_by, who))
    return [row["id"] for row in tx.rows(drafts.order_by(t.script_version.c.drafted_at))]


def count_waiting(tx: Tx, *, visible_to: int | None, now: datetime, real_now: datetime) -> WaitingCounts:
    """The number of rows that wait, by kind and by who made them; for `RETURNED` by the recorder."""
    n = sa.func.count().label("n")
    seen_case = is_visible_to(t.case.c.unit_id, visible_to)
    load, change = t.list_load.c, t.staff_change.c
    token, drafts = t.token_request.c, _newest_drafts().subquery()
    # A case has one open task. With an array these cases are looked up; a join may read all cases of the unit.
    open_stops = sa.select(t.stop_payment.c.case_id).where(t.stop_payment.c.done_at.is_(None))
    statements: dict[ApprovalKind, sa.Select[Any]] = {
        ApprovalKind.MONEY: sa.select(_o.recorded_by.label("by"), n)
        .select_from(_WAITING)
        .join(t.case, t.case.c.id == _o.case_id)
        .where(seen_case)
        .group_by(_o.recorded_by),
        ApprovalKind.RETURNED: sa.select(_o.recorded_by.label("by"), n)
        .select_from(t.outcome)
        .join(_refusal, _IS_RETURNED)
        .join(t.case, t.case.c.id == _o.case_id)
        .where(seen_case)
        .group_by(_o.recorded_by),
        ApprovalKind.STOP_PAYMENT: sa.select(n).where(
            t.case.c.id == sa.any_(sa.func.array(open_stops.scalar_subquery())),
            Scope(unit_id=visible_to).includes(tx, t.case.c.unit_id),
        ),
        ApprovalKind.LIST: sa.select(load.by, n)
        .where(AWAITS_APPROVAL, is_visible_to(load.unit_id, visible_to))
        .group_by(load.by),
        ApprovalKind.SCRIPT: sa.select(drafts.c.drafted_by.label("by"), n).group_by(drafts.c.drafted_by),
        ApprovalKind.RULES: _count_of(RULE_VERSIONS),
        ApprovalKind.QUALITY: _count_of(QUALITY_VERSIONS),
        ApprovalKind.PLAN: _count_of(PLAN_VERSIONS),
        ApprovalKind.ACCOUNT: sa.select(change.asked_by.label("by"), change.login.label("concerns"), n)
        .select_from(t.staff_change)
        .where(CHANGES.waits(real_now), is_change_visible(visible_to))
        .group_by(change.asked_by, change.login),
        ApprovalKind.RESTRICTION: sa.select(t.card_determination.c.entered_by.label("by"), n)
        .where(DETERMINATIONS.waits(now))
        .group_by(t.card_determination.c.entered_by),
        ApprovalKind.BULLETIN: sa.select(t.bulletin.c.made_by.label("by"), n)
        .where(BULLETINS.waits(now))
        .group_by(t.bulletin.c.made_by),
        ApprovalKind.KNOWLEDGE: sa.select(t.knowledge_version.c.drafted_by.label("by"), n)
        .where(CARDS.waits(now))
        .group_by(t.knowledge_version.c.drafted_by),
        ApprovalKind.API_TOKEN: sa.select(token.asked_by.label("by"), n)
        .where(TOKEN_REQUESTS.waits(real_now))
        .group_by(token.asked_by),
        ApprovalKind.FILED: sa.select(n).where(t.filed_record.c.state == FiledState.DOUBTFUL.value),
    }
    return {
        kind: {
            MadeBy(by=row.get("by") or "", concerns=row.get("concerns") or ""): row["n"]
            for row in tx.rows(statement)
        }
        for kind, statement in statements.items()
    }
