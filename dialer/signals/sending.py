"""Verdicts become warnings: they are stored with their reasons, limited by the budget, and sent in the same way as all
other warnings. An incident of a person has one verdict; it is sent again only when it rises.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

from dialer.cases.persons import sole_persons_of_phones
from dialer.cases.store import take_next_ids
from dialer.core.events import AlarmCode
from dialer.core.sources import ROBOT_SOURCE
from dialer.core.values import FraudType, Grade, VerdictState, WarningKind
from dialer.db import tables as t
from dialer.db.alarms import raise_alarm_once
from dialer.db.unit_of_work import Tx
from dialer.intake.phones import normalise_id_number
from dialer.intake.records import Accepted, Record
from dialer.runtime.services import Services
from dialer.signals.budget import BudgetPolicy, Candidate, Capacity, choose_released, draw, hourly_budget
from dialer.signals.incidents import GAP
from dialer.signals.model import ItemKind, SignalKind
from dialer.signals.source_quotas import within_limits
from dialer.signals.store import SignalCodec, StoredSignal, signal_rows
from dialer.signals.verdict_store import (
    RuleStop,
    StoredReason,
    StoredVerdict,
    count_urgent_held,
    free_capacity,
    last_draw,
    lock_below,
    lock_budget,
    lock_held,
    lock_risen,
    lock_verdicts_of,
    may_be_stopped,
    note_draw,
    note_without_phone,
    others_are_held,
    persons_of,
    persons_of_cases,
    points_of_rules,
    reasons_of,
    rule_stops,
    rules_fired,
    rules_resumed_since,
    sent_since,
    sole_sources,
    stopped_reasons,
    write_reasons,
    write_verdicts,
)
from dialer.signals.verdicts import FiredRule, Verdict, VerdictEvent, moved
from dialer.warnings.arrivals import Held, cases_of_arrivals, prepare_arrivals, take_arrivals
from dialer.warnings.shared_numbers import further_cases, raise_many_cases

_BATCH: Final = 500
_HOUR: Final = timedelta(hours=1)
_PREFIX: Final = "R-"
_LENGTH: Final = 24
_KINDS: Final = {
    SignalKind.PAYMENT_ATTEMPT: WarningKind.FUND,
    SignalKind.CALL: WarningKind.TELECOM,
    SignalKind.SMS: WarningKind.TELECOM,
    SignalKind.WEB: WarningKind.WEB_APP,
    SignalKind.APP: WarningKind.WEB_APP,
}
_ITEMS: Final = {
    ItemKind.NUMBER: "fraud_numbers",
    ItemKind.DOMAIN: "fraud_url",
    ItemKind.APP: "fraud_app",
    ItemKind.ACCOUNT: "fraud_account",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedVerdict:
    """A verdict with the signal that changed it: its number in the order of arrival, and when it arrived."""

    verdict: Verdict
    seq: int
    received_at: datetime


def store_verdicts(
    tx: Tx,
    services: Services,
    codec: SignalCodec,
    changed: Sequence[ChangedVerdict],
    *,
    rules_hash: str,
    now: datetime,
) -> int:
    """Stores the last verdict of each person, and sends what the budget allows; returns how many were sent. Call it in
    the transaction that also records how far the signals are evaluated, so that each verdict is stored and sent exactly
    once.
    """
    last = {change.verdict.person: change for change in changed}
    if not last:
        return 0
    known = lock_verdicts_of(tx, list(last))
    names = {
        name
        for change in last.values()
        for hit in (*change.verdict.hits, *change.verdict.mitigators)
        for name in hit.signals
    }
    signals = {
        (stored.signal.source, stored.signal.signal_no): stored
        for stored in map(codec.open, signal_rows(tx, names))
    }
    ids = iter(take_next_ids(tx, t.verdict, len(last)))
    rows: list[StoredVerdict] = []
    reasons: list[StoredReason] = []
    new: set[int] = set()
    for person, change in last.items():
        before = known.get(person)
        if before is not None and change.verdict.since > before.event_at + GAP:
            before = None
        row = _row(services, change, before, next(ids), _signals_of(change.verdict, signals), rules_hash, now)
        if before is None:
            new.add(row.id)
        rows.append(row)
        reasons += _reasons(row.id, change.verdict, signals, now)
    write_verdicts(tx, rows, new=new)
    write_reasons(tx, reasons, verdict_ids=[row.id for row in rows])
    risen: Sequence[StoredVerdict] = [row for row in rows if row.sent_at is not None and _has_risen(row)]
    if risen:
        risen = _raised_by_active_rules(tx, risen, rule_stops(tx))
    sent = len(send_warnings(tx, services, risen, now=now))
    held = [row for row in rows if row.state is VerdictState.HELD and row.has_phone]
    if held and others_are_held(tx, [row.id for row in held]):
        # These are released with all the others, within a second; only the urgent ones go at once.
        held = [row for row in held if row.grade is Grade.EXTRA_HIGH]
    if held:
        sent += release_held(tx, services, now=now, among=held)
    return sent


def _signals_of(verdict: Verdict, signals: Mapping[tuple[str, str], StoredSignal]) -> list[StoredSignal]:
    names = dict.fromkeys(name for hit in (*verdict.hits, *verdict.mitigators) for name in hit.signals)
    return [signals[name] for name in names if name in signals]


def _row(
    services: Services,
    changed: ChangedVerdict,
    before: StoredVerdict | None,
    new_id: int,
    signals: Sequence[StoredSignal],
    rules_hash: str,
    now: datetime,
) -> StoredVerdict:
    verdict = changed.verdict
    state = moved(VerdictState.BELOW if before is None else before.state, _evaluated(verdict, before))
    held_at = None if before is None else before.held_at
    facts: dict[str, Any] = {
        "grade": verdict.grade,
        "fraud_type": verdict.fraud_type,
        "score": verdict.score,
        "probability": min(1.0, max(0.0, verdict.probability)),
        "money_fen": verdict.money_fen,
        "rules": tuple(hit.rule for hit in verdict.hits),
        "rules_hash": rules_hash,
        "seq": changed.seq,
        "changed_at": now,
        "personal": _personal(verdict, {} if before is None else before.personal, signals),
        "state": state,
        "held_at": held_at or now if state is VerdictState.HELD else held_at,
        "held_for_number": before is not None and before.held_for_number and state is VerdictState.HELD,
    }
    if before is not None:
        return replace(before, **facts, since=verdict.since, event_at=verdict.at)
    return StoredVerdict(
        **facts,
        id=new_id,
        person_hash=verdict.person,
        since=verdict.since,
        event_at=verdict.at,
        received_at=changed.received_at,
        opened_at=now,
        instruction_no=instruction_number(services.derive_key, verdict.person, verdict.since),
        warnings=0,
        sent_at=None,
        resent_at=None,
        sent_grade=None,
        sent_fraud_type=None,
        person_id=None,
        case_id=None,
        draw_share=None,
        drill=services.drill,
    )


def _evaluated(verdict: Verdict, before: StoredVerdict | None) -> VerdictEvent:
    if verdict.grade is None:
        return VerdictEvent.BELOW
    rank = 0 if before is None or before.grade is None else before.grade.rank
    return VerdictEvent.RISEN if verdict.grade.rank > rank else VerdictEvent.ABOVE


def _personal(verdict: Verdict, before: Mapping[str, Any], signals: Sequence[StoredSignal]) -> dict[str, Any]:
    """The sealed part of a verdict. What is known of the person stays, also when its signals are gone."""
    own = [stored for stored in signals if stored.signal.person == verdict.person]
    phones = (stored.phone for stored in own if stored.phone)
    id_numbers = (stored.id_number for stored in own if stored.id_number)
    return {
        "phone": before.get("phone") or next(phones, ""),
        "id_number": before.get("id_number") or next(id_numbers, ""),
        "kept": [
            {
                "rule": kept.rule,
                "feature": kept.feature,
                "figure": kept.figure,
                "op": kept.op.value,
                "bound": kept.bound,
                "said": kept.said.plain(),
                "enough": kept.enough,
            }
            for kept in verdict.kept
        ],
        "calming": list(verdict.calming),
    }


def instruction_number(key: bytes, person: bytes, since: datetime) -> str:
    """The instruction number, derived from the person and the beginning of the incident without revealing either."""
    digest = hmac.digest(key, b"robot\0" + person + since.isoformat().encode(), hashlib.sha256)
    return _PREFIX + digest.hex()[:_LENGTH]


def _reasons(
    verdict_id: int, verdict: Verdict, signals: Mapping[tuple[str, str], StoredSignal], now: datetime
) -> Iterable[StoredReason]:
    hits: list[tuple[FiredRule, int]] = [(hit, hit.points) for hit in verdict.hits]
    hits += [(hit, -hit.points) for hit in verdict.mitigators]
    for hit, points in hits:
        copies = [_copy(signals[name]) for name in hit.signals if name in signals]
        details = {"reason": dict(hit.reason), "values": dict(hit.values), "signals": copies}
        yield StoredReason(
            verdict_id=verdict_id,
            rule=hit.rule,
            version=hit.version,
            points=points,
            at=now,
            sources=hit.sources,
            details=details,
        )


def _copy(stored: StoredSignal) -> dict[str, Any]:
    signal = stored.signal
    facts = {"amount_fen": signal.amount_fen, "duration_seconds": signal.duration_seconds}
    return {
        "source": signal.source,
        "signal_no": signal.signal_no,
        "kind": signal.kind.value,
        "event_at": signal.event_at.isoformat(),
        "items": {kind.value: value for kind, value in stored.items.items()},
        **{name: value for name, value in facts.items() if value},
    }


def _has_risen(row: StoredVerdict) -> bool:
    """Whether the verdict says more than its last warning: a higher grade, or a fraud type that was unknown."""
    if row.grade is None or row.sent_grade is None:
        return False
    learnt = row.sent_fraud_type is FraudType.UNKNOWN and row.fraud_type is not FraudType.UNKNOWN
    return row.grade.rank > row.sent_grade.rank or learnt


def release_held(
    tx: Tx, services: Services, *, now: datetime, among: Sequence[StoredVerdict] | None = None
) -> int:
    """Sends held verdicts in their turn, as far as the budget of the hour allows, and returns how many. `among`: only
    these, which this transaction has written. Extra-high ones need no budget. A verdict that rests mainly on stopped
    rules stays held, an extra-high one only if it rests on nothing else; that some do is an alarm. A verdict that was
    sent, and that stopped rules have raised since, is sent again once they are resumed. One whose number has many open
    cases waits for a person.
    """
    is_urgent = among is not None and all(verdict.grade is Grade.EXTRA_HIGH for verdict in among)
    if not is_urgent:
        lock_budget(tx)
    stops = rule_stops(tx)
    again = 0
    if among is None:
        if resumed := rules_resumed_since(tx, now - GAP):
            risen = [
                verdict for verdict in lock_risen(tx, since=now - 2 * GAP, rules=resumed) if verdict.has_phone
            ]
            risen = [verdict for verdict in risen if verdict.event_at > now - GAP and _has_risen(verdict)]
            again = len(send_warnings(tx, services, _raised_by_active_rules(tx, risen, stops), now=now))
        among = lock_held(tx, limit=_BATCH, since=now - GAP, stops=stops)
        if stops and (urgent := count_urgent_held(tx, [verdict.id for verdict in among])):
            raise_alarm_once(tx, AlarmCode.URGENT_HELD, now=now, facts={"verdicts": urgent})
        if without_phone := [verdict.id for verdict in among if not verdict.has_phone]:
            note_without_phone(tx, without_phone)
    else:
        among = _resting_on_active_rules(tx, among, stops)
        waiting = _for_a_person(tx, [verdict for verdict in among if verdict.held_for_number])
        among = [verdict for verdict in among if verdict.id not in waiting]
    held = [verdict for verdict in among if verdict.has_phone and verdict.grade is not None]
    if not held:
        return again
    if is_urgent:
        rows = within_limits(tx, services, held, now=now)
        return len(send_warnings(tx, services, rows, now=now, at_full=AtFullNumber.WAIT))
    by_key = {str(verdict.id): verdict for verdict in held}
    used = {} if all(verdict.grade is Grade.EXTRA_HIGH for verdict in held) else sent_since(tx, now - _HOUR)
    candidates = [
        Candidate(
            key=key,
            grade=verdict.grade or Grade.LOW,
            score=verdict.score,
            probability=verdict.probability,
            at=verdict.event_at,
        )
        for key, verdict in by_key.items()
    ]
    chosen = choose_released(candidates, budget_now(tx, services), used).released
    rows = within_limits(tx, services, [by_key[candidate.key] for candidate in chosen], now=now)
    return again + len(send_warnings(tx, services, rows, now=now, at_full=AtFullNumber.WAIT))


def _resting_on_active_rules(
    tx: Tx, rows: Sequence[StoredVerdict], stops: Sequence[RuleStop]
) -> Sequence[StoredVerdict]:
    """The verdicts that rest mainly on reasons to which no stop applies, and extra-high ones that rest on any such."""
    stopped = _stopped(tx, rows, stops)
    points = points_of_rules(tx, stopped) if stopped else {}
    return [
        verdict
        for verdict in rows
        if verdict.id not in stopped
        or rests_on_active_rules(verdict, points[verdict.id], stopped[verdict.id])
    ]


def _stopped(
    tx: Tx, rows: Sequence[StoredVerdict], stops: Sequence[RuleStop]
) -> Mapping[int, Collection[str]]:
    """By verdict, the rules among its reasons that are stopped for it."""
    touched = [verdict.id for verdict in rows if may_be_stopped(verdict.rules, stops)]
    return stopped_reasons(tx, touched, stops) if touched else {}


def _raised_by_active_rules(
    tx: Tx, rows: Sequence[StoredVerdict], stops: Sequence[RuleStop]
) -> Sequence[StoredVerdict]:
    """The verdicts, of these that were sent and have risen, whose rise does not depend on stopped rules: the verdict as
    a whole, and what has fired since its last warning, rest mainly on rules that are not stopped.
    """
    rows = _resting_on_active_rules(tx, rows, stops)
    stopped = _stopped(tx, rows, stops)
    if not stopped:
        return rows
    points, fired = points_of_rules(tx, stopped), rules_fired(tx, stopped)

    def since_last(verdict: StoredVerdict) -> dict[str, int]:
        last = verdict.resent_at or verdict.sent_at
        return {
            rule: value
            for rule, value in points.get(verdict.id, {}).items()
            if last is not None and fired[verdict.id][rule] > last
        }

    return [
        verdict
        for verdict in rows
        if verdict.id not in stopped
        or rests_on_active_rules(verdict, since_last(verdict), stopped[verdict.id])
    ]


def rests_on_active_rules(
    verdict: StoredVerdict, points: Mapping[str, int], stopped: Collection[str]
) -> bool:
    """Whether at least half of the points come from rules that are not stopped; for an extra-high verdict any of them
    are enough, since a victim must not wait for what is wrong with a rule that was not needed to find them.
    """
    own = sum(value for rule, value in points.items() if rule not in stopped and value > 0)
    if verdict.grade is Grade.EXTRA_HIGH and own > 0:
        return True
    return own * 2 >= sum(value for value in points.values() if value > 0)


def budget_now(tx: Tx, services: Services) -> Mapping[Grade, int]:
    """How many warnings of each grade the free lines and desks can handle in an hour."""
    rules = services.signals
    free = free_capacity(tx, least_desks=rules.least_desks, real_now=services.real.now())
    lines, desks = free.lines * rules.share, free.desks * rules.share
    return hourly_budget(Capacity(lines=round(lines), desks=round(desks)), BudgetPolicy())


def send_random_draw(tx: Tx, services: Services, *, now: datetime, every: timedelta) -> int:
    """Sends some of the verdicts below the threshold, chosen at random, and returns how many; does nothing within
    `every` after the last draw. Each verdict is drawn from once, and is stored with the probability of being drawn.
    """
    lock_budget(tx)
    before = last_draw(tx)
    if before is not None and now - before < every:
        return 0
    since = now - _HOUR if before is None else before
    hours = min(24.0, (now - since) / _HOUR)
    if hours <= 0:
        return 0
    expected = services.signals.draw_share * sum(budget_now(tx, services).values()) * hours
    pool = {
        str(verdict.id): verdict
        for verdict in lock_below(tx, after=since, until=now)
        if verdict.has_phone and verdict.rules
    }
    seed = hashlib.blake2b(now.isoformat().encode(), key=services.derive_key[:64]).digest()
    drawn = draw(pool, expected, seed=seed)
    chosen = {name.key for name in drawn}
    fired = points_of_rules(tx, [verdict.id for key, verdict in pool.items() if key not in chosen])
    note_draw(
        tx,
        at=now,
        pool=len(pool),
        drawn=len(drawn),
        patterns=Counter(tuple(sorted(rules)) for rules in fired.values()),
    )
    rows = [replace(pool[name.key], draw_share=name.probability) for name in drawn]
    return len(send_warnings(tx, services, rows, now=now))


def _for_a_person(tx: Tx, rows: Sequence[StoredVerdict]) -> set[int]:
    """The ids of those of these verdicts, whose number has many open cases, that wait for a person: not an extra-high
    one that does not rest on one source alone.
    """
    urgent = [row.id for row in rows if row.grade is Grade.EXTRA_HIGH]
    resting = sole_sources(tx, urgent, limited=False) if urgent else {}
    return {row.id for row in rows if row.grade is not Grade.EXTRA_HIGH or row.id in resting}


class AtFullNumber(Enum):
    """What becomes of a verdict that would open one more case of a number that has as many open as may be."""

    WAIT = "wait"
    """It waits for a person, but for an extra-high one that does not rest on one source: that case is opened and
    told.
    """
    TELL = "tell"
    """Its case is opened, with an alarm."""
    GO_ON = "go_on"
    """Its case is opened: a person has decided so."""


def send_warnings(
    tx: Tx,
    services: Services,
    rows: Sequence[StoredVerdict],
    *,
    now: datetime,
    at_full: AtFullNumber = AtFullNumber.TELL,
) -> list[StoredVerdict]:
    """Stores a warning for each verdict, the same way as for lists and the API, and returns the rows with what was
    sent, without those that wait for a person. Every row must have a telephone number.
    """
    if not rows:
        return []
    reasons = reasons_of(tx, [row.id for row in rows])
    earlier = persons_of(tx, [row.person_hash for row in rows])
    sole = sole_persons_of_phones(tx, [row.personal["phone"] for row in rows if row.personal.get("phone")])
    accepted: list[Accepted] = []
    of_persons: list[int | None] = []
    for line, row in enumerate(rows, start=1):
        record = _record(row, reasons.get(row.id, []), now)
        accepted.append(Accepted(line=line, record=record, notices=(), sheet="", table=0))
        known = earlier.get(row.person_hash)
        if known is None and not record.id_number:
            known = sole.get(row.personal.get("phone", ""))
        of_persons.append(known)
    batch = prepare_arrivals(tx, services, accepted, load_id=None, now=now, of_persons=of_persons)
    full: set[int] = set()

    def hold(tx: Tx, new: Mapping[int, Record]) -> Held:
        people = {place: known for place, known in enumerate(of_persons) if known is not None}
        full.update(further_cases(tx, new, most=services.live_sources.cases_a_number, of_persons=people))
        if at_full is AtFullNumber.TELL or not full:
            return Held()
        waiting = _for_a_person(tx, [rows[place] for place in full])
        return Held(places=frozenset(place for place in full if rows[place].id in waiting))

    taken = take_arrivals(tx, services, batch, hold=None if at_full is AtFullNumber.GO_ON else hold)
    cases = cases_of_arrivals(tx, accepted, taken)
    raise_many_cases(tx, {cases[place] for place in full - taken.held}, now=now)
    _hold_for_a_person(tx, [rows[place] for place in sorted(taken.held)], now=now)
    owners = persons_of_cases(tx, list(cases.values()))
    sent = [
        replace(
            row,
            state=moved(row.state, _sending(row)),
            held_for_number=False,
            warnings=row.warnings + 1,
            sent_at=row.sent_at or now,
            resent_at=None if row.sent_at is None else now,
            sent_grade=item.record.grade,
            sent_fraud_type=item.record.fraud_type,
            case_id=cases[position],
            person_id=owners[cases[position]],
        )
        for position, (row, item) in enumerate(zip(rows, accepted, strict=True))
        if position not in taken.held
    ]
    write_verdicts(tx, sent, new=())
    return sent


def _hold_for_a_person(tx: Tx, rows: Sequence[StoredVerdict], *, now: datetime) -> None:
    write_verdicts(tx, [replace(row, held_for_number=True) for row in rows], new=())
    if urgent := sum(row.grade is Grade.EXTRA_HIGH for row in rows):
        raise_alarm_once(tx, AlarmCode.URGENT_HELD, now=now, facts={"verdicts": urgent})


def _sending(row: StoredVerdict) -> VerdictEvent:
    is_draw = row.state is VerdictState.BELOW and row.draw_share is not None
    return VerdictEvent.DRAWN if is_draw else VerdictEvent.WARNED


def _record(row: StoredVerdict, reasons: Sequence[StoredReason], now: datetime) -> Record:
    signals = [
        signal for reason in reasons if reason.points > 0 for signal in reason.details.get("signals", ())
    ]
    items: dict[str, list[str]] = {}
    for signal in signals:
        for kind, value in signal.get("items", {}).items():
            items.setdefault(_ITEMS[ItemKind(kind)], []).append(value)
    kinds = [_KINDS.get(SignalKind(signal["kind"]), WarningKind.UNKNOWN) for signal in signals]
    id_number, id_valid = normalise_id_number(row.personal.get("id_number", ""))
    number = row.warnings + 1
    known = row.sent_fraud_type not in {None, FraudType.UNKNOWN}
    return Record(
        source=ROBOT_SOURCE,
        instruction_no=row.instruction_no if number == 1 else f"{row.instruction_no}-{number}",
        instruction_derived=True,
        kind=next((kind for kind in kinds if kind is not WarningKind.UNKNOWN), WarningKind.UNKNOWN),
        fraud_type=row.sent_fraud_type if known and row.sent_fraud_type else row.fraud_type,
        grade=row.grade or Grade.LOW,
        name="",
        phones=(row.personal["phone"],) if row.personal.get("phone") else (),
        id_number=id_number,
        id_valid=id_valid,
        address="",
        coordinates="",
        unit="",
        family_contact="",
        fraud_numbers=_joined(items, "fraud_numbers"),
        fraud_url=_joined(items, "fraud_url"),
        fraud_app=_joined(items, "fraud_app"),
        fraud_account=_joined(items, "fraud_account"),
        talk_seconds=max((signal.get("duration_seconds", 0) for signal in signals), default=0) or None,
        amount_at_risk_fen=row.money_fen or None,
        amount_paid_fen=None,
        event_at=row.event_at,
        produced_at=now,
        expires_at=None,
        tags=frozenset(),
        remarks="；".join(
            reason.details.get("reason", {}).get("zh", "") for reason in reasons if reason.points > 0
        ),
        missed=False,
        raw=(),
    )


def _joined(items: Mapping[str, Sequence[str]], name: str) -> str:
    return ", ".join(dict.fromkeys(items.get(name, ())))
