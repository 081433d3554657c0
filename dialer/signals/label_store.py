"""Labels of verdicts, what is known of those below the threshold, and the figures that the checks of rules compare."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from dialer.core.values import OutcomeKind, ScammerContact, VerdictState
from dialer.db import tables as t
from dialer.db.bulk import IdSet, in_words
from dialer.db.unit_of_work import Tx
from dialer.signals.budget import has_fallen
from dialer.signals.fitting import LabelledVerdict
from dialer.signals.store import SignalCodec
from dialer.signals.verdict_store import opened_details, points_of_rules

_v, _r = t.verdict.c, t.verdict_reason.c
_PERSONS = IdSet("persons", _v.person_hash)
_RIGHT: Final = (OutcomeKind.ALREADY_DEFRAUDED,)
_WRONG: Final = (OutcomeKind.MISMATCH,)
_BEFORE_FILING: Final = timedelta(days=14)
"""A verdict up to this long before a case was filed counts as one on its fraud."""
_MOST_REASONS: Final = 4_000
_RECENT, _REFERENCE = timedelta(days=14), timedelta(days=90)


def case_labels(among: sa.Select[tuple[int]] | None = None) -> sa.Subquery:
    """A subquery of the labels of cases (of `among`, or of all), with the columns `case_id` and `right`. 1, the warning
    was right: there is a filed case, the person was already defrauded or has been contacted by a scammer. 0, it was
    wrong: a mismatch, or no contact by a scammer. Other outcomes give no label; if both apply, the label is 1.
    """
    o, later = t.outcome.c, t.outcome.alias("later")
    right = sa.or_(in_words(o.kind, _RIGHT), o.scammer_contact == ScammerContact.YES.value)
    wrong = sa.or_(in_words(o.kind, _WRONG), o.scammer_contact == ScammerContact.NO.value)
    answers = (
        sa.select(o.case_id, sa.case((right, 1), else_=0).label("right"))
        .where(
            sa.or_(right, wrong),
            ~sa.exists().where(later.c.reverses == o.id),
            *_restricted_to(o.case_id, among),
        )
        .union_all(
            sa.select(t.filed_case.c.case_id, sa.literal(1)).where(
                _filing_is_valid(), *_restricted_to(t.filed_case.c.case_id, among)
            )
        )
        .subquery()
    )
    return (
        sa.select(answers.c.case_id, sa.func.max(answers.c.right).label("right"))
        .group_by(answers.c.case_id)
        .subquery()
    )


def _restricted_to(
    case_id: sa.ColumnElement[int], among: sa.Select[tuple[int]] | None
) -> list[sa.ColumnElement[bool]]:
    return [] if among is None else [case_id.in_(among)]


def _filing_is_valid() -> sa.ColumnElement[bool]:
    change = t.filed_case_change.c
    newest = (
        sa.select(change.stands)
        .where(change.filed_case_id == t.filed_case.c.id)
        .order_by(change.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return sa.func.coalesce(newest, sa.true())


def read_labels(tx: Tx, codec: SignalCodec, *, since: datetime, now: datetime) -> list[LabelledVerdict]:
    """The labels of verdicts opened since `since`: of those whose call was answered, and of those without a call whose
    person has a filed case.
    """
    labels = case_labels()
    rows = tx.rows(
        sa.select(_v.id, _v.draw_share, _v.sent_at, labels.c.right)
        .join(labels, labels.c.case_id == _v.case_id)
        .where(_v.opened_at >= since, _v.sent_at.is_not(None))
        .order_by(_v.id)
    )
    uncalled = _filed_without_call(tx, codec, since=since)
    fired = points_of_rules(tx, [row["id"] for row in rows] + uncalled)
    found = [
        LabelledVerdict(
            fired=frozenset(fired.get(row["id"], ())),
            is_fraud=bool(row["right"]),
            weight=1 / row["draw_share"] if row["draw_share"] else 1.0,
            age_days=max(0.0, (now - row["sent_at"]) / timedelta(days=1)),
        )
        for row in rows
    ]
    return found + [
        LabelledVerdict(fired=frozenset(fired.get(verdict, ())), is_fraud=True, called=False)
        for verdict in uncalled
    ]


def answered_verdicts(tx: Tx, codec: SignalCodec, *, since: datetime) -> dict[int, bool]:
    """By verdict opened since `since`, whether it was right: by `case_labels`, and for those without a call by a filed
    case of the person.
    """
    mine = sa.and_(_v.opened_at >= since, _v.case_id.is_not(None))
    labels = case_labels(sa.select(_v.case_id).where(mine))
    rows = tx.rows(sa.select(_v.id, labels.c.right).join(labels, labels.c.case_id == _v.case_id).where(mine))
    filed = dict.fromkeys(_filed_without_call(tx, codec, since=since), True)
    return filed | {row["id"]: bool(row["right"]) for row in rows}


def _filed_without_call(tx: Tx, codec: SignalCodec, *, since: datetime) -> list[int]:
    """The ids of verdicts that were never sent: for each person of a filed case, the strongest in the two weeks before
    it was filed.
    """
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
            _PERSONS.clause,
            in_words(_v.state, (VerdictState.BELOW, VerdictState.HELD, VerdictState.DROPPED)),
            _v.opened_at >= since,
        )
        .order_by(_v.score, _v.id.desc()),
        _PERSONS.given(filed),
    )
    best = {
        bytes(row["person_hash"]): row["id"]
        for row in rows
        if timedelta(0) <= filed[bytes(row["person_hash"])] - row["event_at"] <= _BEFORE_FILING
    }
    return sorted(best.values())


def read_background(tx: Tx, *, since: datetime) -> dict[frozenset[str], int]:
    """How many verdicts below the threshold had which rules, as the random draws since `since` recorded it. Without
    persons.
    """
    found: dict[frozenset[str], int] = {}
    for patterns in tx.execute(
        sa.select(t.robot_draw.c.patterns).where(t.robot_draw.c.at >= since)
    ).scalars():
        for rules, count in patterns:
            name = frozenset(rules)
            found[name] = found.get(name, 0) + count
    return found


Counts = tuple[int, int]


def precision_of_rules(
    tx: Tx, *, start: datetime, since: datetime, now: datetime
) -> list[tuple[str, Counts, Counts]]:
    """(rule, counts, counts) with the counts (right, labelled) of verdicts opened from `start` to `since`, and from
    then on.
    """
    labels, is_recent = case_labels(), _v.opened_at > since

    def counted(which: sa.ColumnElement[bool], name: str) -> list[sa.ColumnElement[int]]:
        right = sa.func.coalesce(sa.func.sum(labels.c.right).filter(which), 0)
        return [right.label(f"right_{name}"), sa.func.count().filter(which).label(f"all_{name}")]

    rows = tx.rows(
        sa.select(_r.rule, *counted(~is_recent, "before"), *counted(is_recent, "now"))
        .select_from(
            t.verdict_reason.join(t.verdict, _v.id == _r.verdict_id).join(
                labels, labels.c.case_id == _v.case_id
            )
        )
        .where(_v.opened_at > start, _v.opened_at <= now, _r.points > 0)
        .group_by(_r.rule)
        .order_by(_r.rule)
    )
    return [
        (row["rule"], (int(row["right_before"]), row["all_before"]), (int(row["right_now"]), row["all_now"]))
        for row in rows
    ]


def worse_rules(tx: Tx, *, now: datetime) -> list[tuple[str, Counts, Counts]]:
    """The rows of `precision_of_rules` whose rules were right less often in the last two weeks than in the eleven
    before, by more than chance.
    """
    found = precision_of_rules(tx, start=now - _REFERENCE, since=now - _RECENT, now=now)
    return [change for change in found if has_fallen(change[1], change[2])]


def figures_of_rules(tx: Tx, *, start: datetime, end: datetime) -> dict[str, list[int]]:
    """Figures by `rule.feature`, from at most `_MOST_REASONS` reasons between `start` and `end`, spread evenly."""
    within = (_r.at > start, _r.at <= end)
    count = tx.scalar(sa.select(sa.func.count()).select_from(t.verdict_reason).where(*within)) or 0
    every = max(1, count // _MOST_REASONS)
    rows = tx.rows(
        sa.select(t.verdict_reason)
        .where(*within, _r.verdict_id % every == 0)
        .order_by(_r.verdict_id, _r.rule)
        .limit(_MOST_REASONS)
    )
    found: dict[str, list[int]] = {}
    for row in rows:
        for name, value in opened_details(tx, row).get("values", {}).items():
            found.setdefault(f"{row['rule']}.{name}", []).append(int(value))
    return found
