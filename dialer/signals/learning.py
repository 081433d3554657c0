"""A scorecard is fitted from what calls and filed cases answered, and becomes a draft of the rules that a second person
approves. What nobody asked is no label.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from dialer.core.errors import Conflict
from dialer.core.values import OutcomeKind, ScammerContact, VerdictState
from dialer.db import tables as t
from dialer.db.bulk import in_words
from dialer.db.unit_of_work import Tx
from dialer.language import Text
from dialer.services import Services
from dialer.signals.rule_store import RuleVersion, live_rule_version
from dialer.signals.scorecard import Fitted, Labelled, fit
from dialer.signals.store import SignalCodec
from dialer.signals.versions import draft_rules, rules_of

_v, _r = t.verdict.c, t.verdict_reason.c
_RIGHT: Final = (OutcomeKind.ALREADY_DEFRAUDED,)
_WRONG: Final = (OutcomeKind.MISMATCH,)
_BEFORE_FILING: Final = timedelta(days=14)
"""A verdict so long before a case was filed may be of its fraud."""


def case_labels() -> sa.Subquery:
    """By case, whether its warning was right: a filed case, already defrauded, or contact by a scammer said yes; a
    mismatch or no contact said no. Anything else is no label; right counts before wrong. Columns `case_id`, `right`.
    """
    o, later = t.outcome.c, t.outcome.alias("later")
    right = sa.or_(in_words(o.kind, _RIGHT), o.scammer_contact == ScammerContact.YES.value)
    wrong = sa.or_(in_words(o.kind, _WRONG), o.scammer_contact == ScammerContact.NO.value)
    told = (
        sa.select(o.case_id, sa.case((right, 1), else_=0).label("right"))
        .where(sa.or_(right, wrong), ~sa.exists().where(later.c.reverses == o.id))
        .union_all(sa.select(t.filed_case.c.case_id, sa.literal(1)).where(_filing_stands()))
        .subquery()
    )
    return (
        sa.select(told.c.case_id, sa.func.max(told.c.right).label("right"))
        .group_by(told.c.case_id)
        .subquery()
    )


def _filing_stands() -> sa.ColumnElement[bool]:
    change = t.filed_case_change.c
    newest = (
        sa.select(change.stands)
        .where(change.filed_case_id == t.filed_case.c.id)
        .order_by(change.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return sa.func.coalesce(newest, sa.true())


def read_labels(tx: Tx, codec: SignalCodec, *, since: datetime) -> list[Labelled]:
    """Of verdicts that were opened since then: those whose call was answered, and those that nobody called of persons
    for whom a case was filed.
    """
    labels = case_labels()
    rows = tx.rows(
        sa.select(_v.id, _v.draw_share, labels.c.right)
        .join(labels, labels.c.case_id == _v.case_id)
        .where(_v.opened_at >= since, _v.sent_at.is_not(None))
        .order_by(_v.id)
    )
    uncalled = _filed_without_call(tx, codec, since=since)
    fired = _rules_of(tx, [row["id"] for row in rows] + uncalled)
    found = [
        Labelled(
            fired=fired.get(row["id"], frozenset()),
            is_fraud=bool(row["right"]),
            weight=1 / row["draw_share"] if row["draw_share"] else 1.0,
        )
        for row in rows
    ]
    return found + [
        Labelled(fired=fired.get(one, frozenset()), is_fraud=True, called=False) for one in uncalled
    ]


def _rules_of(tx: Tx, verdict_ids: list[int]) -> dict[int, frozenset[str]]:
    found: dict[int, set[str]] = {}
    for row in tx.rows(sa.select(_r.verdict_id, _r.rule).where(_r.verdict_id.in_(verdict_ids))):
        found.setdefault(row["verdict_id"], set()).add(row["rule"])
    return {one: frozenset(rules) for one, rules in found.items()}


def _filed_without_call(tx: Tx, codec: SignalCodec, *, since: datetime) -> list[int]:
    """The strongest verdict that was never sent of each person of a filed case, from two weeks before it was filed."""
    c = t.filed_record.c
    filed: dict[bytes, datetime] = {}
    for row in tx.rows(sa.select(t.filed_record).where(c.filed_at >= since).order_by(c.id)):
        person = tx.vault.open_record(
            row["sealed"], table="filed_record", column="sealed", row=row["case_number"]
        )
        for phone in person.get("phones", ()):
            filed[codec.person(phone, "")] = row["filed_at"]
        if not person.get("phones") and person.get("id_number"):
            filed[codec.person("", person["id_number"])] = row["filed_at"]
    rows = tx.rows(
        sa.select(_v.id, _v.person_hash, _v.event_at)
        .where(
            _v.person_hash.in_(list(filed)),
            in_words(_v.state, (VerdictState.BELOW, VerdictState.HELD)),
            _v.opened_at >= since,
        )
        .order_by(_v.score, _v.id.desc())
    )
    best = {
        bytes(row["person_hash"]): row["id"]
        for row in rows
        if timedelta(0) <= filed[bytes(row["person_hash"])] - row["event_at"] <= _BEFORE_FILING
    }
    return sorted(best.values())


def read_background(tx: Tx, *, since: datetime) -> dict[frozenset[str], int]:
    """How many verdicts below the line had which rules, as the random draws since then noted it. Holds no person."""
    found: dict[frozenset[str], int] = {}
    for patterns in tx.execute(
        sa.select(t.robot_draw.c.patterns).where(t.robot_draw.c.at >= since)
    ).scalars():
        for rules, count in patterns:
            name = frozenset(rules)
            found[name] = found.get(name, 0) + count
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedRules:
    """What was learned, and the version that waits for a second person. None: nothing was stored."""

    fitted: Fitted
    live: int
    background: int
    draft: RuleVersion | None


def fit_rules(services: Services, *, days: int, by: str, store: bool = True) -> FittedRules:
    """The live rules with a scorecard from the labels of the last `days` become a draft. Raises `TooFewLabels`,
    `LearningMissing`, and `Conflict` when the scorecard stays as it is.
    """
    since = services.clock.now() - timedelta(days=days)
    with services.store.begin() as tx:
        version = live_rule_version(tx)
        if version is None:
            raise Conflict(Text("the robot has never run: there are no live rules"), current="none")
        labelled = read_labels(tx, SignalCodec(services.store.vault), since=since)
        background = read_background(tx, since=since)
    live = rules_of(version)
    fitted = fit(live.rules, live.scorecard, labelled, background)
    draft = None
    if store:
        card = json.loads(fitted.scorecard.to_json())
        draft = draft_rules(services, version.files, by=by, scorecard=card)
    return FittedRules(fitted=fitted, live=version.number, background=sum(background.values()), draft=draft)
