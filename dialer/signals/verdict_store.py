"""Rows of verdicts with their reasons, of random draws and of stopped rules, and the figures for the budget."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert

from dialer.calls.pacing import read_line_group
from dialer.core.access import Role
from dialer.core.case import AssignmentState
from dialer.core.sources import ROBOT_SOURCE
from dialer.core.values import FraudType, Grade, Track, VerdictState
from dialer.db import tables as t
from dialer.db.bulk import IdSet, RowSet, in_words
from dialer.db.unit_of_work import Row, Tx, record_of
from dialer.signals.budget import HALF_LIFE, LEAST_PROBABILITY, Capacity, is_silent

_LOCK: Final = 0x76657264
_v, _r = t.verdict.c, t.verdict_reason.c
_GONE: Final = timedelta(minutes=10)
"""A caller whose session was not used for this long counts as away from the desk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVerdict:
    """A row of the table `verdict`. `personal` is its sealed part: `phone`, `id_number`, `kept`, `calming`."""

    id: int
    person_hash: bytes
    state: VerdictState
    grade: Grade | None
    fraud_type: FraudType
    score: int
    probability: float
    money_fen: int
    rules: tuple[str, ...]
    rules_hash: str
    seq: int
    since: datetime
    event_at: datetime
    received_at: datetime
    opened_at: datetime
    changed_at: datetime
    held_at: datetime | None
    instruction_no: str
    warnings: int
    sent_at: datetime | None
    resent_at: datetime | None
    sent_grade: Grade | None
    sent_fraud_type: FraudType | None
    person_id: int | None
    case_id: int | None
    draw_share: float | None
    drill: bool
    held_for_number: bool
    """Whether it waits for a person because its number had many open cases."""
    personal: Mapping[str, Any]

    @property
    def has_phone(self) -> bool:
        """Whether its person can be called."""
        return bool(self.personal.get("phone"))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReason:
    """A rule that fired for a verdict. `details` is the sealed part: the sentence by language, the figures, and
    copies of the signals.
    """

    verdict_id: int
    rule: str
    version: str
    points: int
    at: datetime
    sources: tuple[str, ...]
    details: Mapping[str, Any]


_PERSONS = IdSet("persons", _v.person_hash)
_VERDICTS = IdSet("verdicts", _v.id)
_OF_VERDICTS = IdSet("verdicts", _r.verdict_id)
_CASES = IdSet("cases", t.case.c.id)
_COLUMNS: Final = tuple(column.name for column in t.verdict.c)


def _opened(tx: Tx, row: Mapping[str, Any]) -> StoredVerdict:
    personal = tx.vault.open_record(
        row["sealed"], table="verdict", column="sealed", row=row["instruction_no"]
    )
    return record_of(StoredVerdict, row, personal=personal, person_hash=bytes(row["person_hash"]))


def lock_verdicts_of(tx: Tx, persons: Collection[bytes]) -> dict[bytes, StoredVerdict]:
    """The verdict of each of these persons that was opened last, by person; locked until the transaction ends."""
    statement = sa.select(t.verdict).where(_PERSONS.clause).order_by(_v.id).with_for_update()
    opened = (_opened(tx, row) for row in tx.rows(statement, _PERSONS.given(persons)))
    return {verdict.person_hash: verdict for verdict in opened}


def lock_held(tx: Tx, *, limit: int, since: datetime, stops: Sequence[RuleStop] = ()) -> list[StoredVerdict]:
    """Held verdicts, locked: of each grade, the highest first, at most `limit` in the order of `budget.turn`; those of
    incidents before `since` come last in their grade. Leaves out verdicts that rest mainly on what `stops` stop
    (extra-high ones only if they rest on nothing else), have no telephone number, wait for a person because of it, or
    are locked by another process.
    """
    wanted = [_v.state == VerdictState.HELD.value, _v.has_phone, ~_v.held_for_number]
    if stops:
        own = sa.func.coalesce(sa.func.sum(_r.points).filter(~_is_stopped(stops)), 0)
        is_mainly_stopped = sa.and_(_v.grade != Grade.EXTRA_HIGH.value, own * 2 < sa.func.sum(_r.points))
        of_stopped = (
            sa.select(_r.verdict_id)
            .where(_r.verdict_id == _v.id, _r.points > 0)
            .group_by(_r.verdict_id)
            .having(sa.or_(own == 0, is_mainly_stopped))
        )
        rules = [stop.rule for stop in stops]
        wanted.append(
            ~of_stopped.exists() if "" in rules else sa.or_(~_v.rules.overlap(rules), ~of_stopped.exists())
        )
    turn = sa.func.ln(sa.func.greatest(_v.probability, LEAST_PROBABILITY)) / math.log(2)
    turn += sa.extract("epoch", _v.event_at) / HALF_LIFE.total_seconds()
    is_recent = _v.event_at > since
    order = (is_recent.desc(), sa.case((is_recent, turn), else_=_v.score).desc(), _v.id)
    # The ids first: to sort and lock tens of thousands of whole rows takes many times as long. And each grade by
    # itself: many of one must not hide those of another, which has its own budget.
    of_grades = [
        sa.select(_v.id).where(*wanted, _v.grade == grade.value).order_by(*order).limit(limit).subquery()
        for grade in sorted(Grade, key=lambda known: -known.rank)
    ]
    ids = list(tx.execute(sa.union_all(*(sa.select(subquery.c.id) for subquery in of_grades))).scalars())
    rows = tx.rows(
        sa.select(t.verdict)
        .where(_VERDICTS.clause, _v.state == VerdictState.HELD.value)
        .with_for_update(skip_locked=True),
        _VERDICTS.given(ids),
    )
    by_id = {row["id"]: row for row in rows}
    return [_opened(tx, by_id[verdict_id]) for verdict_id in ids if verdict_id in by_id]


def lock_held_by_id(tx: Tx, ids: Collection[int]) -> list[StoredVerdict]:
    """Those of these verdicts that are held, locked."""
    statement = sa.select(t.verdict).where(_VERDICTS.clause, _v.state == VerdictState.HELD.value)
    rows = tx.rows(statement.order_by(_v.id).with_for_update(), _VERDICTS.given(ids))
    return [_opened(tx, row) for row in rows]


def held_verdicts(tx: Tx, *, limit: int) -> list[StoredVerdict]:
    """The held verdicts, highest score first."""
    statement = sa.select(t.verdict).where(_v.state == VerdictState.HELD.value)
    return [_opened(tx, row) for row in tx.rows(statement.order_by(_v.score.desc(), _v.id).limit(limit))]


def verdict_by_id(tx: Tx, verdict_id: int) -> StoredVerdict | None:
    """The verdict with this id."""
    row = tx.one(sa.select(t.verdict).where(_v.id == verdict_id))
    return None if row is None else _opened(tx, row)


def count_urgent_held(tx: Tx, but: Collection[int]) -> int:
    """How many extra-high verdicts that can be called are held, without those with the ids `but`."""
    wanted = (_v.state == VerdictState.HELD.value, _v.grade == Grade.EXTRA_HIGH.value, _v.has_phone)
    statement = sa.select(sa.func.count()).select_from(t.verdict).where(*wanted, _v.id.not_in(list(but)))
    return int(tx.scalar(statement))


def held_since(tx: Tx, before: datetime) -> dict[Grade, int]:
    """How many verdicts that can be called have been held since before this moment, by grade."""
    statement = (
        sa.select(_v.grade, sa.func.count().label("n"))
        .where(_v.state == VerdictState.HELD.value, _v.has_phone, _v.held_at <= before)
        .group_by(_v.grade)
    )
    return {Grade(row["grade"]): row["n"] for row in tx.rows(statement)}


def lock_risen(tx: Tx, *, since: datetime, rules: Collection[str]) -> list[StoredVerdict]:
    """Verdicts first sent since `since` that say more than their last warning and for which one of these rules fired;
    locked, without those that another process has locked.
    """
    ranks = {grade.value: grade.rank for grade in Grade}
    grade, sent = (sa.case(ranks, value=column, else_=0) for column in (_v.grade, _v.sent_grade))
    unknown = FraudType.UNKNOWN.value
    learnt = sa.and_(_v.sent_fraud_type == unknown, _v.fraud_type != unknown)
    statement = (
        sa.select(t.verdict)
        .where(_v.sent_at > since, _v.rules.overlap(list(rules)), sa.or_(grade > sent, learnt))
        .order_by(_v.id)
        .with_for_update(skip_locked=True)
    )
    return [_opened(tx, row) for row in tx.rows(statement)]


def note_without_phone(tx: Tx, verdict_ids: Collection[int]) -> None:
    """Marks verdicts without a telephone number; an earlier version stored them without this mark."""
    statement = sa.update(t.verdict).where(_VERDICTS.clause).values(has_phone=False)
    tx.execute(statement, _VERDICTS.given(verdict_ids))


def count_held(tx: Tx) -> int:
    """How many verdicts wait for their budget, or for a stopped rule."""
    statement = sa.select(sa.func.count()).select_from(t.verdict).where(_v.state == VerdictState.HELD.value)
    return int(tx.scalar(statement))


def others_are_held(tx: Tx, ids: Collection[int]) -> bool:
    """Whether any verdict is held, besides these, whose person can be called."""
    statement = sa.select(_v.id).where(
        _v.state == VerdictState.HELD.value, _v.has_phone, ~_v.held_for_number, ~_VERDICTS.clause
    )
    return bool(tx.rows(statement.limit(1), _VERDICTS.given(ids)))


def lock_below(tx: Tx, *, after: datetime, until: datetime) -> list[StoredVerdict]:
    """Verdicts below the threshold opened after `after`, up to `until`; locked, without those that another process has
    locked.
    """
    statement = (
        sa.select(t.verdict)
        .where(_v.state == VerdictState.BELOW.value, _v.opened_at > after, _v.opened_at <= until)
        .order_by(_v.id)
        .with_for_update(skip_locked=True)
    )
    return [_opened(tx, row) for row in tx.rows(statement)]


def write_verdicts(tx: Tx, verdicts: Sequence[StoredVerdict], *, new: Collection[int]) -> None:
    """Stores these rows: inserts those whose id is in `new`, updates the others."""
    rows = []
    for verdict in verdicts:
        row = {name: getattr(verdict, name) for name in _COLUMNS if name != "sealed"}
        row["rules"] = list(verdict.rules)
        row["sealed"] = tx.vault.seal_record(
            verdict.personal, table="verdict", column="sealed", row=verdict.instruction_no
        )
        rows.append(row)
    if fresh := [row for row in rows if row["id"] in new]:
        tx.execute(sa.insert(t.verdict), fresh)
    if changed := [row for row in rows if row["id"] not in new]:
        values: dict[str, Any] = {name: sa.bindparam(name) for name in _COLUMNS if name != "id"}
        update = sa.update(t.verdict).where(_v.id == sa.bindparam("key")).values(values)
        tx.execute(update, [{**row, "key": row["id"]} for row in changed])


_GIVEN = RowSet("given", {"verdict_id": sa.BigInteger(), "rule": sa.Text()})


def write_reasons(tx: Tx, reasons: Sequence[StoredReason], *, verdict_ids: Collection[int]) -> None:
    """Replaces the reasons of these verdicts. A rule that was among them keeps the moment at which it first fired."""
    given = _GIVEN.given([{"verdict_id": reason.verdict_id, "rule": reason.rule} for reason in reasons])
    still = sa.select(_GIVEN.c.rule).where(_GIVEN.c.verdict_id == _r.verdict_id, _GIVEN.c.rule == _r.rule)
    gone = sa.delete(t.verdict_reason).where(_OF_VERDICTS.clause, ~still.exists())
    tx.execute(gone, given | _OF_VERDICTS.given(verdict_ids))
    if not reasons:
        return
    rows = [
        {
            "verdict_id": reason.verdict_id,
            "rule": reason.rule,
            "version": reason.version,
            "points": reason.points,
            "at": reason.at,
            "sources": list(reason.sources),
            "sealed": tx.vault.seal_record(reason.details, **_reason_place(reason.verdict_id, reason.rule)),
        }
        for reason in reasons
    ]
    statement = insert(t.verdict_reason)
    new = {name: statement.excluded[name] for name in ("version", "points", "sources", "sealed")}
    tx.execute(statement.on_conflict_do_update(index_elements=["verdict_id", "rule"], set_=new), rows)


def reasons_of(tx: Tx, verdict_ids: Collection[int]) -> dict[int, list[StoredReason]]:
    """The reasons by verdict, most points first."""
    found: dict[int, list[StoredReason]] = {}
    statement = sa.select(t.verdict_reason).where(_OF_VERDICTS.clause)
    statement = statement.order_by(_r.verdict_id, _r.points.desc(), _r.rule)
    for row in tx.rows(statement, _OF_VERDICTS.given(verdict_ids)):
        reason = record_of(StoredReason, row, details=opened_details(tx, row))
        found.setdefault(reason.verdict_id, []).append(reason)
    return found


def opened_details(tx: Tx, row: Row) -> Mapping[str, Any]:
    """The sealed part of a reason."""
    details: Mapping[str, Any] = tx.vault.open_record(
        row["sealed"], **_reason_place(row["verdict_id"], row["rule"])
    )
    return details


def _reason_place(verdict_id: int, rule: str) -> dict[str, str]:
    return {"table": "verdict_reason", "column": "sealed", "row": f"{verdict_id}/{rule}"}


def points_of_rules(tx: Tx, verdict_ids: Collection[int]) -> dict[int, dict[str, int]]:
    """The points by verdict and rule, without opening anything sealed."""
    return _by_rule(tx, verdict_ids, _r.points)


def rules_fired(tx: Tx, verdict_ids: Collection[int]) -> dict[int, dict[str, datetime]]:
    """By verdict and rule, when the rule first fired."""
    return _by_rule(tx, verdict_ids, _r.at)


def _by_rule(tx: Tx, verdict_ids: Collection[int], column: sa.Column[Any]) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    statement = sa.select(_r.verdict_id, _r.rule, column).where(_OF_VERDICTS.clause)
    for verdict_id, rule, value in tx.execute(statement, _OF_VERDICTS.given(verdict_ids)):
        found.setdefault(verdict_id, {})[rule] = value
    return found


def verdicts_of_case(tx: Tx, case_id: int) -> list[StoredVerdict]:
    """The verdicts of the warnings of a case, oldest first."""
    return [
        _opened(tx, row) for row in tx.rows(sa.select(t.verdict).where(_v.case_id == case_id).order_by(_v.id))
    ]


def persons_of(tx: Tx, persons: Collection[bytes]) -> dict[bytes, int]:
    """The id of the person by person hash, from earlier verdicts; without those that have none."""
    statement = (
        sa.select(_v.person_hash, sa.func.max(_v.person_id).label("person_id"))
        .where(_PERSONS.clause, _v.person_id.is_not(None))
        .group_by(_v.person_hash)
    )
    rows = tx.rows(statement, _PERSONS.given(persons))
    return {bytes(row["person_hash"]): row["person_id"] for row in rows}


def persons_of_cases(tx: Tx, case_ids: Collection[int]) -> dict[int, int]:
    """The id of the person by case."""
    statement = sa.select(t.case.c.id, t.case.c.person_id).where(_CASES.clause)
    return {row["id"]: row["person_id"] for row in tx.rows(statement, _CASES.given(case_ids))}


def lock_budget(tx: Tx) -> None:
    """Lets this transaction alone release warnings until it ends."""
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def free_capacity(tx: Tx, *, least_desks: int, real_now: datetime) -> Capacity:
    """Lines that are not in use, and callers at desks who have no task; `least_desks` is the least number of callers
    assumed.
    """
    group = read_line_group(tx)
    lines = 0 if group is None else max(0, group.lines - group.in_use)
    at_desks = tx.scalar(
        sa.select(sa.func.count(sa.distinct(t.staff.c.id)))
        .select_from(t.staff_session.join(t.staff, t.staff.c.id == t.staff_session.c.staff_id))
        .where(
            t.staff.c.role == Role.CALLER.value,
            t.staff_session.c.ended_at.is_(None),
            t.staff_session.c.seen_at > real_now - _GONE,
        )
    )
    assignment = t.assignment.c
    busy = tx.scalar(
        sa.select(sa.func.count())
        .select_from(t.assignment)
        .where(
            assignment.kind == Track.HUMAN.value,
            in_words(assignment.state, [AssignmentState.SIGNED]),
            assignment.lease_until > real_now,
        )
    )
    return Capacity(lines=lines, desks=max(0, max(at_desks, least_desks) - busy))


def sent_since(tx: Tx, moment: datetime) -> dict[Grade, int]:
    """How many verdicts were sent since `moment`, by the grade of the last warning, without those drawn at random."""
    statement = (
        sa.select(_v.sent_grade, sa.func.count().label("n"))
        .where(sa.or_(_v.sent_at > moment, _v.resent_at > moment), _v.state == VerdictState.SENT.value)
        .group_by(_v.sent_grade)
    )
    return {Grade(row["sent_grade"]): row["n"] for row in tx.rows(statement)}


def last_draw(tx: Tx) -> datetime | None:
    """When verdicts below the threshold were last drawn; None before the first draw."""
    found: datetime | None = tx.scalar(sa.select(sa.func.max(t.robot_draw.c.at)))
    return found


def note_draw(
    tx: Tx, *, at: datetime, pool: int, drawn: int, patterns: Mapping[tuple[str, ...], int]
) -> None:
    """Records a draw; `patterns` counts the verdicts that were not drawn by their rules."""
    pairs = [[list(rules), count] for rules, count in sorted(patterns.items())]
    tx.execute(sa.insert(t.robot_draw).values(at=at, pool=pool, drawn=drawn, patterns=pairs))


def delete_old_below(tx: Tx, *, before: datetime) -> int:
    """Deletes verdicts below the threshold that have not changed since `before`; returns how many."""
    statement = sa.delete(t.verdict).where(_v.state == VerdictState.BELOW.value, _v.changed_at < before)
    return tx.execute(statement).rowcount


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleStop:
    """A stop of a rule that has not ended; `facts` are the figures that it was stopped for. With a `source` it is
    stopped only where it depends on this source; with a source and the rule '', so is every rule.
    """

    rule: str
    source: str
    stopped_at: datetime
    stopped_by: str
    facts: Mapping[str, Any]


def rule_stops(tx: Tx) -> list[RuleStop]:
    """The stops that have not ended, by rule and source."""
    s = t.rule_stop.c
    statement = sa.select(s.rule, s.source, s.stopped_at, s.stopped_by, s.facts).where(s.ended_at.is_(None))
    return [RuleStop(**row) for row in tx.rows(statement.order_by(s.rule, s.source))]


def _is_stopped(stops: Sequence[RuleStop]) -> sa.ColumnElement[bool]:
    """A condition: one of these stops applies to the reason."""
    whole = [stop.rule for stop in stops if not stop.source]
    of_source = [
        sa.and_(
            sa.true() if not stop.rule else _r.rule == stop.rule,
            _r.sources.op("@>")(sa.cast([stop.source], ARRAY(sa.Text))),
        )
        for stop in stops
        if stop.source
    ]
    return sa.or_(_r.rule.in_(whole), *of_source)


def may_be_stopped(rules: Collection[str], stops: Sequence[RuleStop]) -> bool:
    """Whether any of the stops may apply to a verdict on which these rules fired."""
    return any(not stop.rule or stop.rule in rules for stop in stops)


def sole_sources(tx: Tx, verdict_ids: Collection[int], *, limited: bool) -> dict[int, set[str]]:
    """By verdict, the sources on which all its reasons depend; nothing for other verdicts. `limited`: only sources with
    limits, which those of the service itself have not.
    """
    is_reason = sa.and_(_OF_VERDICTS.clause, _r.points > 0)
    named = sa.select(_r.verdict_id, sa.func.unnest(_r.sources).label("source")).where(is_reason).subquery()
    of_source = (
        sa.select(named.c.verdict_id, named.c.source, sa.func.count().label("n"))
        .group_by(named.c.verdict_id, named.c.source)
        .subquery()
    )
    of_all = (
        sa.select(_r.verdict_id, sa.func.count().label("n"))
        .where(is_reason)
        .group_by(_r.verdict_id)
        .subquery()
    )
    is_same = sa.and_(of_all.c.verdict_id == of_source.c.verdict_id, of_all.c.n == of_source.c.n)
    statement = sa.select(of_source.c.verdict_id, of_source.c.source).join(of_all, is_same)
    if limited:
        statement = statement.join(t.source, t.source.c.name == of_source.c.source)
    found: dict[int, set[str]] = {}
    for verdict_id, source in tx.execute(statement, _OF_VERDICTS.given(verdict_ids)):
        found.setdefault(verdict_id, set()).add(source)
    return found


def stopped_reasons(tx: Tx, verdict_ids: Collection[int], stops: Sequence[RuleStop]) -> dict[int, set[str]]:
    """By verdict, the rules among its reasons to which one of the stops applies; nothing for verdicts without any."""
    found: dict[int, set[str]] = {}
    statement = sa.select(_r.verdict_id, _r.rule).where(_OF_VERDICTS.clause, _is_stopped(stops))
    for verdict_id, rule in tx.execute(statement, _OF_VERDICTS.given(verdict_ids)):
        found.setdefault(verdict_id, set()).add(rule)
    return found


def stopped_sources(tx: Tx, verdict_ids: Collection[int], stops: Sequence[RuleStop]) -> dict[int, set[str]]:
    """By verdict, the sources among those of its reasons that are stopped as a whole; nothing for other verdicts."""
    whole = [stop.source for stop in stops if not stop.rule]
    named = sa.select(_r.verdict_id, sa.func.unnest(_r.sources).label("source")).where(_OF_VERDICTS.clause)
    statement = sa.select(named.subquery()).where(sa.column("source").in_(whole))
    found: dict[int, set[str]] = {}
    for verdict_id, source in tx.execute(statement, _OF_VERDICTS.given(verdict_ids)):
        found.setdefault(verdict_id, set()).add(source)
    return found


def rules_resumed_since(tx: Tx, moment: datetime) -> set[str]:
    """The rules that a person has resumed since `moment`."""
    s = t.rule_stop.c
    return set(tx.execute(sa.select(s.rule).where(s.ended_at > moment)).scalars())


def stop_rule_row(
    tx: Tx, rule: str, *, by: str, facts: Mapping[str, Any], now: datetime, source: str = ""
) -> bool:
    """Stops the rule, or only what depends on the source; False if that was stopped already."""
    statement = insert(t.rule_stop).values(
        rule=rule, source=source, stopped_at=now, stopped_by=by, facts=dict(facts)
    )
    no_second = statement.on_conflict_do_nothing(
        index_elements=["rule", "source"], index_where=t.rule_stop.c.ended_at.is_(None)
    )
    return tx.scalar(no_second.returning(t.rule_stop.c.id)) is not None


def sources_resumed_since(tx: Tx, moment: datetime) -> set[str]:
    """The sources that a person has resumed since `moment`."""
    s = t.rule_stop.c
    return set(tx.execute(sa.select(s.source).where(s.rule == "", s.ended_at > moment)).scalars())


def end_source_stop(tx: Tx, source: str, *, by: str, now: datetime) -> bool:
    """Ends the stop of all that depends on the source; False if there was none."""
    s = t.rule_stop.c
    statement = sa.update(t.rule_stop).where(s.rule == "", s.source == source, s.ended_at.is_(None))
    return bool(tx.execute(statement.values(ended_at=now, ended_by=by)).rowcount)


def end_rule_stop(tx: Tx, rule: str, *, by: str, now: datetime) -> bool:
    """Ends all stops of the rule; False if it was not stopped."""
    s = t.rule_stop.c
    statement = sa.update(t.rule_stop).where(s.rule == rule, s.ended_at.is_(None))
    return bool(tx.execute(statement.values(ended_at=now, ended_by=by)).rowcount)


def firings_by_hour(tx: Tx, *, now: datetime, hours: int) -> dict[str, dict[tuple[str, ...], list[int]]]:
    """How often each rule fired for a verdict in each of the hours before `now`, by the sources on which that depends;
    the last hour comes first.
    """
    age = sa.cast(sa.func.floor(sa.extract("epoch", sa.literal(now) - _r.at) / 3600), sa.Integer)
    statement = (
        sa.select(_r.rule, _r.sources, age.label("age"), sa.func.count().label("n"))
        .where(_r.at > now - timedelta(hours=hours), _r.at <= now)
        .group_by(_r.rule, _r.sources, "age")
    )
    found: dict[str, dict[tuple[str, ...], list[int]]] = {}
    for row in tx.rows(statement):
        of_rule = found.setdefault(row["rule"], {})
        of_rule.setdefault(tuple(row["sources"]), [0] * hours)[min(row["age"], hours - 1)] += row["n"]
    return found


def first_minute(tx: Tx, *, since: datetime) -> datetime | None:
    """The first minute since `since` in which a signal arrived; None if none did."""
    at = t.signal_minute.c.at
    found: datetime | None = tx.scalar(sa.select(sa.func.min(at)).where(at >= since))
    return found


def silent_sources(tx: Tx, *, now: datetime) -> list[str]:
    """The sources of the last two days that have sent nothing for longer than chance explains, by name; without the
    robot itself.
    """
    m = t.signal_minute.c
    statement = (
        sa.select(
            m.source,
            sa.func.sum(m.n).label("n"),
            sa.func.min(m.at).label("first_at"),
            sa.func.max(m.at).label("last_at"),
        )
        .where(m.at > now - timedelta(days=2), m.at <= now, m.source != ROBOT_SOURCE)
        .group_by(m.source)
        .order_by(m.source)
    )
    found = []
    for row in tx.rows(statement):
        hours = max(1.0, (row["last_at"] - row["first_at"]) / timedelta(hours=1))
        if is_silent(float(row["n"]) / hours, row["last_at"], now=now):
            found.append(row["source"])
    return found
