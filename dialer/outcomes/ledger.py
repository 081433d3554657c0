"""The ledger of outcomes, money in whole fen, with a second person's approval; and filed cases 立案. Append-only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects.postgresql import distinct_on, insert

from dialer.core.case import NO_CALL, BeforeFiling, Reason
from dialer.core.errors import Conflict, NotFound
from dialer.core.intervals import ERROR, Adjusted, HitCount, Interval, adjust_each, wilson
from dialer.core.rates import REACHED_OUTCOMES, Period
from dialer.core.text import Text
from dialer.core.timeline import ActKind
from dialer.core.values import (
    MONEY_CORRECTED,
    MONEY_REFUSED,
    MONEY_REPLACED,
    SUCCESSES,
    AmountKind,
    Amounts,
    Answer,
    Contact,
    Evidence,
    EvidenceKind,
    OutcomeKind,
    ScammerContact,
    Track,
)
from dialer.db import tables as t
from dialer.db.bulk import RowSet, among, word_literal
from dialer.db.columns import filing_stands, is_of_actor, is_reversed
from dialer.db.second_person import require_second_person
from dialer.db.unit_of_work import Row, Tx, record_of
from dialer.db.units import is_visible_to, is_within_unit

_REPORTED = "reported"
NO_AMOUNTS = Amounts()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenCall:
    """A staff call with the person that has ended: when it began, and how long it lasted."""

    at: datetime
    talk_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedOutcome:
    """The facts of a line of the ledger that an approval needs."""

    case_id: int
    assignment_id: int | None
    kind: OutcomeKind
    contact: Contact
    reason: str
    recorded_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeLine:
    """A line to be added to the ledger. `evidence` is stored encrypted: the reference of `proof`, or the reason of a
    refusal.
    """

    case_id: int
    assignment_id: int | None
    kind: OutcomeKind
    contact: Contact
    track: Track | None
    reason: str
    drill: bool
    amounts: Amounts = NO_AMOUNTS
    evidence: str = ""
    proof: Evidence | None = None
    reverses: int | None = None
    scammer_contact: ScammerContact | None = None
    said: Sequence[str] = ()
    call: ProvenCall | None = None


def append_outcome(tx: Tx, line: OutcomeLine, *, by: str, now: datetime) -> int:
    """Adds the line to the ledger; returns its id."""
    place = {"table": "outcome", "column": "evidence_sealed", "row": f"case/{line.case_id}"}
    proof, call = line.proof, line.call
    tx.acts_recorded.add(t.outcome.name)
    row = tx.one(
        sa.insert(t.outcome)
        .values(
            case_id=line.case_id,
            assignment_id=line.assignment_id,
            kind=line.kind.value,
            contact=line.contact.value,
            track=line.track.value if line.track else None,
            reason=line.reason,
            intended_fen=line.amounts.intended_fen,
            stopped_fen=line.amounts.stopped_fen,
            returned_fen=line.amounts.returned_fen,
            evidence_sealed=tx.vault.seal(line.evidence.encode(), **place) if line.evidence else None,
            evidence_kind=proof.kind.value if proof else None,
            evidence_fen=proof.shows_fen if proof else None,
            recorded_by=by,
            at=now,
            reverses=line.reverses,
            drill=line.drill,
            scammer_contact=line.scammer_contact.value if line.scammer_contact else None,
            said=list(line.said),
            call_at=call.at if call else None,
            call_seconds=call.talk_seconds if call else None,
        )
        .returning(t.outcome.c.id)
    )
    assert row is not None
    outcome_id: int = row["id"]
    return outcome_id


def _line_against(row: Row, *, reason: str, reverses: int, evidence: str = "") -> OutcomeLine:
    """A line without amounts that reverses a line of the same outcome as this row of the ledger."""
    return OutcomeLine(
        case_id=row["case_id"],
        assignment_id=row["assignment_id"],
        kind=OutcomeKind(row["kind"]),
        contact=Contact(row["contact"]),
        track=Track(row["track"]) if row["track"] else None,
        reason=reason,
        drill=row["drill"],
        evidence=evidence,
        reverses=reverses,
    )


def recorded_outcome(tx: Tx, outcome_id: int) -> RecordedOutcome:
    """The line of the ledger with this id. Raises `NotFound`."""
    row = tx.one(sa.select(t.outcome).where(t.outcome.c.id == outcome_id))
    if row is None:
        raise NotFound(kind="outcome", key=outcome_id)
    return record_of(RecordedOutcome, row)


class AmountsConflict(Conflict):
    """Amounts of the same kind are already approved for this incident, in the lines `others`: the money would
    count twice.
    """

    def __init__(self, outcome_id: int, others: Sequence[int]) -> None:
        text = Text(
            "outcome %(id)s has an amount of the same kind as outcome %(other)s, which is approved: of one incident it"
            " counts once. Approve it in the place of the other, or refuse it",
            id=outcome_id,
            other=", ".join(str(other) for other in others),
        )
        super().__init__(text, current="counted")
        self.outcome_id = outcome_id
        self.others = tuple(others)


class EvidenceUnread(Conflict):
    """Lines that this person approves only after reading their evidence, because their amounts are above what was at
    risk in the warnings.
    """

    def __init__(self, outcome_ids: Collection[int], text: Text | None = None) -> None:
        super().__init__(
            text
            or Text(
                "%(n)s of these lines have more than was at risk in the warnings: read their evidence under Approvals"
                " first",
                n=len(outcome_ids),
            ),
            current="unread",
        )
        self.outcome_ids = tuple(sorted(outcome_ids))


_READ_FOR = timedelta(hours=12)
"""Evidence that was read longer ago must be read again."""


def check_evidence_read(tx: Tx, outcome_ids: Collection[int], *, who: str, now: datetime) -> None:
    """Raises `EvidenceUnread` if an amount is above what was at risk and `who` has not read its evidence."""
    above = _outcomes_above_risk(tx, outcome_ids)
    if above and (unread := above - evidence_read_by(tx, who, above, now=now)):
        raise EvidenceUnread(unread)


def _outcomes_above_risk(tx: Tx, outcome_ids: Collection[int]) -> set[int]:
    """Those of these lines with an amount above what was at risk in the warnings of their case."""
    largest = sa.func.greatest(t.outcome.c.intended_fen, t.outcome.c.stopped_fen, t.outcome.c.returned_fen)
    above = sa.select(t.outcome.c.id).join(t.case, t.case.c.id == t.outcome.c.case_id)
    rows = tx.rows(above.where(t.outcome.c.id.in_(outcome_ids), largest > t.case.c.amount_at_risk_fen))
    return {row["id"] for row in rows}


def evidence_read_by(tx: Tx, who: str, outcome_ids: Collection[int], *, now: datetime) -> set[int]:
    """Those of these lines whose evidence this person has read lately, according to the audit."""
    c = t.audit.c
    outcome_id = c.facts["outcome_id"].as_integer()
    rows = tx.rows(
        sa.select(outcome_id.label("id")).where(
            c.who == who, c.at >= now - _READ_FOR, c.act == "view_evidence", outcome_id.in_(outcome_ids)
        )
    )
    return {row["id"] for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictingLine:
    """Another line of the same incident with an amount of the same kind, which is not reversed. Amounts in fen."""

    id: int
    case_id: int
    """The line's own case: another one where the two cases are duplicates."""
    intended_fen: int
    stopped_fen: int
    returned_fen: int
    evidence_kind: EvidenceKind | None
    evidence_fen: int | None
    recorded_by: str
    at: datetime
    approved_by: str
    """'' while this line itself waits for approval."""


def incidents_of(tx: Tx, case_ids: Collection[int]) -> dict[int, frozenset[int]]:
    """By case, the cases that are one incident with it, itself included: those marked as duplicates of one another,
    directly or through others.
    """
    # As the index ix_event_duplicate_of has it.
    event, of = t.event.c, sa.literal_column("(event.facts ->> 'of')::bigint", sa.BigInteger)
    marked = sa.select(event.case_id, of.label("of")).where(event.kind == word_literal(ActKind.DUPLICATE))
    groups: dict[int, set[int]] = {case_id: {case_id} for case_id in case_ids}
    fresh = set(groups)
    while fresh:
        # Two statements: each uses its index, where one with OR would read all events.
        pairs = {
            (row["case_id"], row["of"])
            for column in (event.case_id, of)
            for row in tx.rows(marked.where(among(column, fresh)))
        }
        fresh = {case_id for pair in pairs for case_id in pair} - groups.keys()
        for case_id, other in pairs:
            merged = groups.get(case_id, {case_id}) | groups.get(other, {other})
            groups |= dict.fromkeys(merged, merged)
    return {case_id: frozenset(groups[case_id]) for case_id in case_ids}


_INCIDENTS = RowSet("incident", {"case_id": sa.BigInteger(), "other_id": sa.BigInteger()})


def conflicting_lines(
    tx: Tx, outcome_ids: Collection[int], *, visible_to: int | None = None
) -> dict[int, tuple[ConflictingLine, ...]]:
    """The lines that conflict with each of these lines, approved ones first, then the oldest; without the lines that
    have no conflict. Only those of cases that the unit `visible_to` sees.
    """
    if not outcome_ids:
        return {}
    of, other, approval = t.outcome.alias("of"), t.outcome, t.outcome_approval.c
    case_ids = tx.rows(sa.select(of.c.case_id).where(of.c.id.in_(outcome_ids)).distinct())
    incidents = incidents_of(tx, [row["case_id"] for row in case_ids])
    same = sa.or_(
        *(sa.and_(of.c[f"{kind}_fen"] > 0, other.c[f"{kind}_fen"] > 0) for kind in sorted(AmountKind))
    )
    rows = tx.rows(
        sa.select(other, of.c.id.label("of_id"), approval.approved_by)
        .select_from(of)
        .join(_INCIDENTS.clause, _INCIDENTS.c.case_id == of.c.case_id)
        .join(other, sa.and_(other.c.case_id == _INCIDENTS.c.other_id, of.c.id != other.c.id, same))
        .join(t.case, sa.and_(t.case.c.id == other.c.case_id, is_visible_to(t.case.c.unit_id, visible_to)))
        .join(t.outcome_approval, approval.outcome_id == other.c.id, isouter=True)
        .where(of.c.id.in_(outcome_ids), ~_is_reversed(other.c.id))
        .order_by(approval.approved_by.is_(None), other.c.id),
        _INCIDENTS.given(
            [{"case_id": case_id, "other_id": each} for case_id, cases in incidents.items() for each in cases]
        ),
    )
    found: dict[int, tuple[ConflictingLine, ...]] = {}
    for row in rows:
        line = record_of(ConflictingLine, row, approved_by=row["approved_by"] or "")
        found[row["of_id"]] = (*found.get(row["of_id"], ()), line)
    return found


def _reverse_replaced(tx: Tx, others: Sequence[int], *, by: str, now: datetime) -> None:
    """Reverses these approved amounts by new lines; the outcomes stay as they are."""
    for row in tx.rows(sa.select(t.outcome).where(t.outcome.c.id.in_(others)).order_by(t.outcome.c.id)):
        line = _line_against(row, reason=MONEY_REPLACED, reverses=row["id"])
        append_outcome(tx, line, by=by, now=now)


def approve_outcome_row(
    tx: Tx, outcome_id: int, *, by: str, now: datetime, in_place: bool = False
) -> tuple[int, ...]:
    """Approves an outcome once. With `in_place`, reverses the approved amounts that it conflicts with, and returns the
    ids of their lines. Raises `NotFound`, `Conflict` if `by` recorded the outcome or it is already approved or
    reversed, and without `in_place` `AmountsConflict`. The caller must have locked the cases of its
    incident.
    """
    row = _get_undecided(tx, outcome_id, by=by)
    others = [line.id for line in conflicting_lines(tx, [outcome_id]).get(outcome_id, ()) if line.approved_by]
    if others and not in_place:
        raise AmountsConflict(outcome_id, others)
    _reverse_replaced(tx, others, by=by, now=now)
    tx.execute(
        sa.insert(t.outcome_approval).values(
            outcome_id=outcome_id, recorded_by=row["recorded_by"], approved_by=by, at=now
        )
    )
    return tuple(others)


def _get_undecided(tx: Tx, outcome_id: int, *, by: str) -> Row:
    """The line, if this person may approve or refuse it. Raises `NotFound` and `Conflict`."""
    row = tx.one(
        sa.select(t.outcome, t.outcome_approval.c.approved_by, _is_reversed(t.outcome.c.id).label("reversed"))
        .join(t.outcome_approval, t.outcome_approval.c.outcome_id == t.outcome.c.id, isouter=True)
        .where(t.outcome.c.id == outcome_id)
    )
    if row is None:
        raise NotFound(kind="outcome", key=outcome_id)
    require_second_person(tx, by, row["recorded_by"])
    if row["approved_by"] is not None:
        raise Conflict(
            Text("outcome %(id)s is approved already by %(who)s", id=outcome_id, who=row["approved_by"]),
            current="approved",
        )
    if row["reversed"]:
        raise Conflict(Text("outcome %(id)s is reversed already", id=outcome_id), current="reversed")
    return row


def _is_reversed(outcome_id: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    return sa.literal_column(is_reversed(str(outcome_id)), sa.Boolean)


def refuse_outcome_row(tx: Tx, outcome_id: int, *, by: str, why: str, now: datetime) -> int:
    """Adds a line that reverses the amounts of this one, with the reason sealed; returns its id. The outcome of the
    case stays as it is, except for a success without a call, which never counted. Raises `NotFound`, and `Conflict` if
    `by` recorded the line, if it needs no approval, or if it is already decided. The caller must have locked the case.
    """
    row = _get_undecided(tx, outcome_id, by=by)
    has_money = row["intended_fen"] or row["stopped_fen"] or row["returned_fen"]
    if not has_money and row["reason"] != NO_CALL:
        raise Conflict(Text("outcome %(id)s has no amounts", id=outcome_id), current="no amounts")
    line = _line_against(row, reason=MONEY_REFUSED, reverses=outcome_id, evidence=why)
    return append_outcome(tx, line, by=by, now=now)


def correct_outcome_row(
    tx: Tx, outcome_id: int, *, amounts: Amounts, evidence: Evidence | None, by: str, now: datetime
) -> int:
    """Answers a refusal for the recorder: adds a line that reverses the refusal and waits for approval itself; returns
    its id. Without amounts the recorder accepts the refusal. Raises `NotFound` for a line that is not refused or that
    another person recorded, and `Conflict` if it is already answered or the outcome itself is reversed. The caller must
    have locked the case.
    """
    refusal = t.outcome.alias("refusal")
    row = tx.one(
        sa.select(t.outcome, refusal.c.id.label("refusal_id"), _is_reversed(refusal.c.id).label("answered"))
        .join(
            refusal,
            sa.and_(refusal.c.reverses == t.outcome.c.id, refusal.c.reason == MONEY_REFUSED),
        )
        .where(t.outcome.c.id == outcome_id, is_of_actor(t.outcome.c.recorded_by, by))
    )
    if row is None:
        raise NotFound(kind="outcome", key=outcome_id)
    if row["reason"] == NO_CALL:
        # It never counted: the task is open again, and the true outcome is reported there.
        raise Conflict(Text("outcome %(id)s is reversed already", id=outcome_id), current="reversed")
    is_undone = sa.text("SELECT " + is_reversed(":id", f"l.reason <> '{MONEY_REFUSED}'"))
    if row["answered"] or tx.scalar(is_undone, {"id": outcome_id}):
        raise Conflict(Text("outcome %(id)s is reversed already", id=outcome_id), current="reversed")
    # What a follow-up reported is not a success of its own, corrected or not.
    reason = row["reason"] if row["reason"] == Reason.FOLLOW_UP.value else MONEY_CORRECTED
    reference = evidence.reference if evidence else ""
    line = _line_against(row, reason=reason, reverses=row["refusal_id"], evidence=reference)
    return append_outcome(tx, replace(line, amounts=amounts, proof=evidence), by=by, now=now)


def case_ids_of_people(tx: Tx, person_ids: Sequence[int]) -> list[int]:
    """The ids of all cases of these persons."""
    rows = tx.rows(sa.select(t.case.c.id).where(t.case.c.person_id.in_(person_ids)).order_by(t.case.c.id))
    return [row["id"] for row in rows]


def case_ids_filed_under(tx: Tx, *, case_number: str, case_ids: Sequence[int]) -> list[int]:
    """The ids of those of these cases for which the number is recorded and not undone."""
    rows = tx.rows(
        sa.select(t.filed_case.c.case_id)
        .where(
            t.filed_case.c.case_number == case_number,
            t.filed_case.c.case_id.in_(case_ids),
            sa.text(filing_stands("filed_case")),
        )
        .order_by(t.filed_case.c.case_id)
    )
    return [row["case_id"] for row in rows]


_BEFORE = TypeAdapter(BeforeFiling)


def add_filed_cases(
    tx: Tx, *, case_number: str, before: Mapping[int, BeforeFiling], by: str, now: datetime
) -> None:
    """Records the number for each of these cases, with the state that the case has now. The caller must have locked the
    cases, and the number must not be recorded for any of them.
    """
    tx.execute(
        insert(t.filed_case)
        .values([{"case_number": case_number, "case_id": i, "by": by, "at": now} for i in before])
        .on_conflict_do_nothing(index_elements=["case_number", "case_id"])
    )
    _change_filings(
        tx,
        case_number=case_number,
        before={i: _BEFORE.dump_python(filing, mode="json") for i, filing in before.items()},
        by=by,
        now=now,
    )


def undo_filed_cases(tx: Tx, *, case_number: str, case_ids: Sequence[int], by: str, now: datetime) -> None:
    """Undoes the recording of the number for these cases. The caller must have locked them."""
    _change_filings(tx, case_number=case_number, before=dict.fromkeys(case_ids), by=by, now=now)


def _change_filings(
    tx: Tx, *, case_number: str, before: Mapping[int, Mapping[str, Any] | None], by: str, now: datetime
) -> None:
    f = t.filed_case.c
    rows = tx.rows(
        sa.select(f.id, f.case_id)
        .where(f.case_number == case_number, f.case_id.in_(list(before)))
        .order_by(f.id)
    )
    tx.execute(
        sa.insert(t.filed_case_change).values(
            [
                {
                    "filed_case_id": row["id"],
                    "case_id": row["case_id"],
                    "stands": before[row["case_id"]] is not None,
                    "before": before[row["case_id"]],
                    "by": by,
                    "at": now,
                }
                for row in rows
            ]
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilings:
    """The filings of a case that are not undone, and the state of the case before the first of them."""

    numbers: frozenset[str]
    before: BeforeFiling | None
    """None without a filing, and for one that an older version recorded without the state before it."""


def filings_of_case(tx: Tx, case_id: int) -> CaseFilings:
    """The filings of a case that are not undone now. Reads its whole history: a case may have been filed, undone, and
    filed again.
    """
    f, c = t.filed_case.c, t.filed_case_change.c
    numbers: set[str] = set()
    before: BeforeFiling | None = None
    for row in tx.rows(
        sa.select(f.case_number, c.stands, c.before)
        .join(t.filed_case_change, c.filed_case_id == f.id, isouter=True)
        .where(f.case_id == case_id)
        .order_by(sa.func.coalesce(c.at, f.at), c.id.nulls_first(), f.id)
    ):
        if row["stands"] is False:
            numbers.discard(row["case_number"])
            continue
        if not numbers:
            before = None if row["before"] is None else _BEFORE.validate_python(row["before"])
        numbers.add(row["case_number"])
    return CaseFilings(numbers=frozenset(numbers), before=before if numbers else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerSuccesses:
    """The successes by phone that one person reported in a window."""

    login: str
    successes: int
    without_call: int
    """Of the successes, those without a staff call."""
    waiting: int
    """Of those without a call, the ones that nobody has approved yet."""

    @property
    def interval(self) -> Interval | None:
        """The interval of the share without a call."""
        return wilson(self.without_call, self.successes)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerReports:
    """The human calls that one person reported in a window."""

    login: str
    reports: int
    successes: int
    too_fast: int
    """Reports of a talk with the person that came sooner after the claim of the task than the shortest staff call
    lasts.
    """
    compared: Adjusted
    """The share of successes compared with that of all others, for the same mix of grades and types."""

    @property
    def interval(self) -> Interval | None:
        """The interval of the share of successes."""
        return wilson(self.successes, self.reports)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceAnswers:
    """Whether a scammer was in contact: the number of cases of a source with each answer. The latest answer in the
    window counts.
    """

    source: str
    yes: int
    no: int
    unknown: int

    @property
    def interval(self) -> Interval | None:
        """The interval of the share of *no*, without the cases whose answer is *unknown*."""
        return wilson(self.no, self.yes + self.no)


def successes_by_caller(
    tx: Tx, period: Period, *, drill: bool, visible_to: int | None = None
) -> list[CallerSuccesses]:
    """The claims of each person, most without a call first; only of cases that the unit `visible_to` sees. Reports of
    follow-ups are left out.
    """
    o, approval = t.outcome.c, t.outcome_approval.c.outcome_id
    without = sa.func.count().filter(o.call_at.is_(None))
    statement = (
        sa.select(
            o.recorded_by.label("login"),
            sa.func.count().label("successes"),
            without.label("without_call"),
            sa.func.count()
            .filter(o.reason == NO_CALL, approval.is_(None), ~_is_reversed(o.id))
            .label("waiting"),
        )
        .join(t.case, t.case.c.id == o.case_id)
        .join(t.outcome_approval, approval == o.id, isouter=True)
        .where(
            *_within(o.at, period, visible_to),
            o.drill == drill,
            o.track == Track.HUMAN.value,
            o.reverses.is_(None),
            o.kind.in_([kind.value for kind in SUCCESSES]),
            o.reason.in_([_REPORTED, NO_CALL]),
        )
        .group_by(o.recorded_by)
        .order_by(without.desc(), o.recorded_by)
    )
    return [record_of(CallerSuccesses, row) for row in tx.rows(statement)]


def reports_by_caller(
    tx: Tx, period: Period, *, drill: bool, least_seconds: int, visible_to: int | None = None
) -> list[CallerReports]:
    """The reports of each person, most reported too fast first, then most reports; only of cases that the unit
    `visible_to` sees. Reports of follow-ups are left out. The chance of one wrong verdict among all of them is `ERROR`.
    """
    o, a, c, e = t.outcome.c, t.assignment.c, t.case.c, t.event.c
    # A task whose report waits for a second person has no owner: the timeline shows when it was claimed.
    claimed_at = (
        sa.select(sa.func.max(e.at))
        .where(e.case_id == o.case_id, e.kind == ActKind.CLAIMED.value, e.by == o.recorded_by, e.at <= o.at)
        .scalar_subquery()
    )
    is_fast = o.at - sa.func.coalesce(claimed_at, a.signed_at) < timedelta(seconds=least_seconds)
    statement = (
        sa.select(
            o.recorded_by.label("login"),
            c.grade,
            c.fraud_type,
            sa.func.count().label("reports"),
            sa.func.count().filter(o.kind.in_([kind.value for kind in SUCCESSES])).label("successes"),
            sa.func.count()
            .filter(o.kind.in_([kind.value for kind in REACHED_OUTCOMES]), is_fast)
            .label("too_fast"),
        )
        .join(t.case, c.id == o.case_id)
        .join(t.assignment, a.id == o.assignment_id)
        .where(
            *_within(o.at, period, visible_to),
            o.drill == drill,
            o.track == Track.HUMAN.value,
            o.reverses.is_(None),
            o.reason.in_([_REPORTED, NO_CALL]),
        )
        .group_by(o.recorded_by, c.grade, c.fraud_type)
    )
    sums: dict[str, Counter[str]] = {}
    kinds: dict[str, dict[str, HitCount]] = {}
    for row in tx.rows(statement):
        login = row["login"]
        counted = {name: row[name] for name in ("reports", "successes", "too_fast")}
        sums.setdefault(login, Counter()).update(counted)
        share = HitCount(people=counted["reports"], hits=counted["successes"])
        kinds.setdefault(login, {})[f"{row['grade']} {row['fraud_type']}"] = share
    compared = adjust_each(kinds, error=ERROR)
    found = [CallerReports(login=login, compared=compared[login], **caller) for login, caller in sums.items()]
    return sorted(found, key=lambda caller: (-caller.too_fast, -caller.reports, caller.login))


def answers_by_source(
    tx: Tx, period: Period, *, drill: bool, visible_to: int | None = None
) -> list[SourceAnswers]:
    """The answers of each source, sources with most cases first. A robot call counts as *yes* if the person has already
    paid, or says in a follow-up that the scammer was in contact again.
    """
    o, a, c = t.outcome.c, t.attempt.c, t.case.c
    asked = (
        sa.select(o.case_id, o.at.label("at"), o.scammer_contact.label("answer"))
        .join(t.case, c.id == o.case_id)
        .where(*_within(o.at, period, visible_to), o.drill == drill, o.scammer_contact.is_not(None))
    )
    by_robot = (
        sa.select(a.case_id, a.sent_at.label("at"), sa.literal(ScammerContact.YES.value).label("answer"))
        .join(t.case, c.id == a.case_id)
        .where(
            *_within(a.sent_at, period, visible_to),
            a.drill == drill,
            a.answer.in_([Answer.ALREADY_PAID.value, Answer.IN_CONTACT.value]),
        )
    )
    every = asked.union_all(by_robot).subquery()
    latest = (
        sa.select(every.c.case_id, every.c.answer)
        .ext(distinct_on(every.c.case_id))
        .order_by(every.c.case_id, every.c.at.desc())
        .subquery()
    )
    counts = {
        word.value: sa.func.count().filter(latest.c.answer == word.value).label(word.value)
        for word in ScammerContact
    }
    statement = (
        sa.select(c.source, *counts.values())
        .join(latest, latest.c.case_id == c.id)
        .group_by(c.source)
        .order_by(sa.func.count().desc(), c.source)
    )
    return [record_of(SourceAnswers, row) for row in tx.rows(statement)]


def _within(
    moment: sa.ColumnElement[datetime], period: Period, visible_to: int | None
) -> Iterator[sa.ColumnElement[bool]]:
    """SQL conditions: the moment is in the window, and the unit sees the joined case."""
    if period.start is not None:
        yield moment >= period.start
    if period.end is not None:
        yield moment < period.end
    if visible_to is not None:
        yield is_within_unit(t.case.c.unit_id, visible_to)
