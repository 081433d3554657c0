"""Whatever the order in which signals arrive, the verdicts are those of signals in order."""

from __future__ import annotations

import random
import zlib
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.values import FraudType, Grade
from dialer.signals.evaluation import MOST_ALIKE, Evaluator, SnapshotUnreadable
from dialer.signals.explanations import MOST_NAMED
from dialer.signals.features import Contacts, Reading
from dialer.signals.model import (
    Direction,
    Item,
    ItemKind,
    ListChange,
    ListKind,
    Reporter,
    Signal,
    SignalKind,
    Topic,
)
from dialer.signals.observations import Observation
from dialer.signals.rules import shipped_rules
from dialer.signals.scorecard import Scorecard
from dialer.signals.verdicts import Verdict, VerdictChange

START = datetime(2026, 3, 2, 1, tzinfo=UTC)
PERSONS = (b"a" * 16, b"b" * 16)
LATENESS = timedelta(hours=2)
MONTH = timedelta(days=30)
TALKS = {SignalKind.SMS, SignalKind.WEB, SignalKind.APP}
KINDS = (
    *(SignalKind.CALL, SignalKind.SMS, SignalKind.WEB, SignalKind.APP, SignalKind.LIST_CHANGE) * 3,
    *(SignalKind.PAYMENT_ATTEMPT,) * 5, SignalKind.LOGIN, SignalKind.PLATFORM_PUSH, SignalKind.REPORT,
)  # fmt: skip


def key(kind: ItemKind, n: int) -> Item:
    return Item(kind, f"{kind} {n} ........".encode())


def call_at(at: datetime, *, seconds: int) -> Signal:
    return Signal(
        source="s", signal_no=at.isoformat(), kind=SignalKind.CALL, event_at=at, received_at=at, person=PERSONS[0],
        items=(key(ItemKind.NUMBER, 1),), direction=Direction.IN, duration_seconds=seconds,
    )  # fmt: skip


@st.composite
def signals(draw: st.DrawFn, days: int = 4) -> tuple[Signal, ...]:
    """Signals of two persons that touch the same few items, and changes of lists, each at its own minute or not."""
    count = draw(st.integers(1, 30))
    made = []
    for n in range(count):
        kind = draw(st.sampled_from(KINDS))
        at = START + timedelta(minutes=draw(st.integers(0, days * 1440)))
        items: tuple[Item, ...]
        number, domain, app, account = (key(one, draw(st.integers(0, 2))) for one in ItemKind)
        match kind:
            case SignalKind.CALL:
                items = (number,)
            case SignalKind.SMS:
                items = (number, domain)
            case SignalKind.WEB:
                items = (domain,)
            case SignalKind.APP:
                items = (app,)
            case SignalKind.PAYMENT_ATTEMPT | SignalKind.LOGIN:
                items = (account,)
            case SignalKind.LIST_CHANGE:
                items = (draw(st.sampled_from((number, domain, app, account))),)
            case _:
                items = (number, domain, app, account)
        of_list = kind is SignalKind.LIST_CHANGE
        made.append(
            Signal(
                source="s", signal_no=str(n), kind=kind, event_at=at, received_at=at, items=items,
                person=None if of_list else draw(st.sampled_from(PERSONS)),
                direction=draw(st.sampled_from(Direction)),
                duration_seconds=draw(st.sampled_from((0, 90, 700, 3700))) if kind is SignalKind.CALL else 0,
                amount_fen=draw(st.sampled_from((2000, 60000, 2000000, 9000000)))
                if kind is SignalKind.PAYMENT_ATTEMPT
                else 0,
                overseas=draw(st.booleans()), new_payee=draw(st.booleans()), screen_sharing=draw(st.booleans()),
                has_link=draw(st.booleans()), failed=draw(st.booleans()), new_device=draw(st.booleans()),
                topic=draw(st.sampled_from(Topic)) if kind in TALKS else None,
                fraud_type=FraudType.LOAN if kind in {SignalKind.PLATFORM_PUSH, SignalKind.REPORT} else None,
                grade=draw(st.sampled_from(Grade)) if kind is SignalKind.PLATFORM_PUSH else None,
                reporter=draw(st.sampled_from(Reporter)) if kind is SignalKind.REPORT else None,
                list_kind=draw(st.sampled_from(ListKind)) if of_list else None,
                list_name=draw(st.sampled_from(("x", "y"))) if of_list else "",
                change=draw(st.sampled_from(ListChange)) if of_list else None,
            )
        )  # fmt: skip
    return tuple(sorted(made, key=lambda one: one.event_at))


def told(given_signals: Sequence[Signal], lateness: timedelta = timedelta(days=60)) -> Evaluator:
    evaluator = Evaluator(shipped_rules(), allowed_lateness=lateness)
    for given_signal in given_signals:
        evaluator.apply(given_signal)
    return evaluator


def said(verdict: Verdict) -> Verdict:
    """What the verdict says, whatever the signal that changed it and in whatever words."""
    plain = [[replace(hit, reason={}) for hit in hits] for hits in (verdict.hits, verdict.mitigators)]
    return replace(
        verdict,
        change=VerdictChange.NEW,
        hits=tuple(plain[0]),
        mitigators=tuple(plain[1]),
        kept=(),
        calming=(),
    )


def digests(evaluator: Evaluator) -> list[Verdict | None]:
    verdicts = [evaluator.verdict(one) for one in PERSONS]
    return [said(verdict) if verdict else None for verdict in verdicts]


@given(signals(), st.randoms(use_true_random=False))
def test_any_order_with_repeats_gives_the_verdicts_of_the_order_of_events(
    made: tuple[Signal, ...], chance: random.Random
):
    mixed = [*made, *chance.sample(made, len(made) // 3)]
    chance.shuffle(mixed)
    in_order, in_disorder = told(made), told(mixed)
    assert in_disorder.fingerprint() == in_order.fingerprint()
    assert digests(in_disorder) == digests(in_order)
    assert in_disorder.repeated == len(mixed) - len(made)


@given(signals(days=40), st.randoms(use_true_random=False))
def test_windows_that_have_been_dropped_do_not_change_what_late_signals_give(
    made: tuple[Signal, ...], chance: random.Random
):
    """Forty days: rows are dropped, items are remembered and forgotten, incidents end."""
    late = sorted(made, key=lambda one: one.event_at + LATENESS * chance.random())
    in_order, in_disorder = told(made, LATENESS), told(late, LATENESS)
    assert in_disorder.too_late == 0
    assert in_disorder.fingerprint() == in_order.fingerprint()
    everything = told(made)
    assert in_order.fingerprint() == everything.fingerprint()


@pytest.mark.parametrize(
    ("apart", "is_new"),
    [(timedelta(days=29), False), (MONTH, False), (MONTH + timedelta(microseconds=1), True)],
)
@pytest.mark.parametrize("lateness", [LATENESS, timedelta(days=60)], ids=["dropped", "kept"])
def test_a_number_of_thirty_days_ago_is_new_again_whether_its_call_is_kept_or_not(
    lateness: timedelta, apart: timedelta, is_new: bool
):
    calls = [call_at(START, seconds=90), call_at(START + apart, seconds=700)]
    verdict = told(calls, lateness).verdict(PERSONS[0])
    fired = {hit.rule for hit in verdict.hits} if verdict else set()
    assert ("early_unknown_call" in fired) is is_new


@given(signals(days=20), st.integers(0, 29))
def test_a_restored_snapshot_goes_on_as_if_nothing_had_been(made: tuple[Signal, ...], cut: int):
    whole = told(made, LATENESS)
    first = told(made[:cut], LATENESS)
    second = Evaluator(shipped_rules(), allowed_lateness=LATENESS)
    second.restore(first.snapshot())
    for one in made[max(0, cut - 3) :]:
        second.apply(one)
    assert second.fingerprint() == whole.fingerprint()
    assert digests(second) == digests(whole)
    assert [second.item_status(item, made[-1].event_at) for item in made[0].items] == [
        whole.item_status(item, made[-1].event_at) for item in made[0].items
    ]


@given(signals())
def test_shards_add_up_to_the_whole(made: tuple[Signal, ...]):
    whole = told(made)
    shards = [told([one for one in made if one.person in {mine, None}]) for mine in PERSONS]
    total = sum(int(shard.fingerprint(), 16) for shard in shards) % (1 << 128)
    assert f"{total:032x}" == whole.fingerprint()


@given(signals(days=20), st.randoms(use_true_random=False), st.sampled_from((LATENESS, timedelta(days=60))))
def test_signals_that_are_read_together_say_what_they_say_one_by_one(
    made: tuple[Signal, ...], chance: random.Random, lateness: timedelta
):
    mixed = sorted(made, key=lambda one: one.event_at + chance.choice((timedelta(), LATENESS, 2 * LATENESS)))
    apart, together = told(mixed, lateness), Evaluator(shipped_rules(), allowed_lateness=lateness)
    was = Evaluator(shipped_rules(), allowed_lateness=lateness)
    left = list(mixed)
    while left:
        count = chance.randint(1, len(left))
        batch, left = left[:count], left[count:]
        told_last = {verdict.person: (place, verdict) for place, verdict in together.apply_all(batch)}
        for one in batch:
            was.apply(one)
        for place, verdict in told_last.values():
            now = together.verdict(verdict.person)
            assert (
                verdict.change is VerdictChange.WITHDRAWN or replace(verdict, change=VerdictChange.NEW) == now
            )
            assert batch[place].person in {None, verdict.person}
        assert digests(together) == digests(was)
    assert together.snapshot() == apart.snapshot()


def readings(given_signals: Sequence[Signal]) -> int:
    """At how many moments the rules are read when all of them come at once."""
    evaluator, count = Evaluator(shipped_rules(), allowed_lateness=LATENESS), 0
    read_at = evaluator._reader.read_at

    def counted(t: int, observations: Sequence[Observation], known: Contacts) -> Reading:
        nonlocal count
        count += 1
        return read_at(t, observations, known)

    evaluator._reader.read_at = counted  # type: ignore[method-assign]
    evaluator.apply_all(given_signals)
    return count


def test_signals_that_come_at_once_in_whatever_order_are_each_read_once():
    made = calls_within_a_minute(60)
    assert readings(made) == readings(made[::-1]) <= 61


@given(signals())
def test_what_was_told_step_by_step_is_what_is_said_at_the_end(made: tuple[Signal, ...]):
    evaluator = Evaluator(shipped_rules())
    last: dict[bytes, tuple[int, Grade | None]] = {}
    for one in made:
        for verdict in evaluator.apply(one):
            last[verdict.person] = (verdict.score, verdict.grade)
    for person in PERSONS:
        now = evaluator.verdict(person)
        assert last.get(person) == ((now.score, now.grade) if now else None)


@given(signals(), st.randoms(use_true_random=False))
def test_what_was_told_last_is_the_whole_verdict_whatever_came_late(
    made: tuple[Signal, ...], chance: random.Random
):
    """What is stored of a person is the verdict that was told last: its money, moment, rules and signals too."""
    mixed = list(made)
    chance.shuffle(mixed)
    evaluator = Evaluator(shipped_rules(), allowed_lateness=timedelta(days=60))
    last: dict[bytes, Verdict] = {}
    for one in mixed:
        for verdict in evaluator.apply(one):
            last[verdict.person] = verdict
    for person in PERSONS:
        now, told_last = evaluator.verdict(person), last.get(person)
        if now is None:
            assert told_last is None or told_last.change is VerdictChange.WITHDRAWN
        else:
            assert told_last is not None
            assert replace(told_last, change=VerdictChange.NEW) == now


def test_a_signal_in_its_order_that_changes_nothing_tells_nothing():
    first = call_at(START, seconds=700)
    second = call_at(START + timedelta(minutes=1), seconds=20)
    evaluator = told([first])
    assert evaluator.verdict(PERSONS[0]) is not None
    assert evaluator.apply(second) == []
    (again,) = evaluator.apply(call_at(START - timedelta(minutes=1), seconds=0))
    assert again.change is VerdictChange.RESTATED


def test_a_snapshot_under_another_scorecard_is_scored_anew():
    at = START
    call = Signal(
        source="s", signal_no="1", kind=SignalKind.PAYMENT_ATTEMPT, event_at=at, received_at=at, person=PERSONS[0],
        items=(key(ItemKind.ACCOUNT, 1),), amount_fen=9_000_000, new_payee=True,
    )  # fmt: skip
    first = told([call])
    other = Evaluator(shipped_rules(), Scorecard(points={"large_new_payee": 77}))
    other.restore(first.snapshot())
    before, after = first.verdict(PERSONS[0]), other.verdict(PERSONS[0])
    assert before is not None
    assert after is not None
    assert (before.score, after.score) == (10, 77)


@pytest.mark.parametrize("data", [b"", b"{}", b'{"format": 99}\n', b"\x80\x04garbage"])
def test_other_bytes_are_no_snapshot(data: bytes):
    with pytest.raises(SnapshotUnreadable):
        told([]).restore(data)


def test_a_cut_snapshot_is_refused():
    signal = Signal(
        source="s", signal_no="1", kind=SignalKind.LOGIN, event_at=START, received_at=START, person=PERSONS[0]
    )
    with pytest.raises(SnapshotUnreadable):
        told([]).restore(told([signal]).snapshot()[:-5])


def test_a_signal_later_than_allowed_is_counted_and_needs_no_record():
    first = Signal(
        source="s", signal_no="1", kind=SignalKind.REPORT, event_at=START, received_at=START, person=PERSONS[0],
        reporter=Reporter.BANK,
    )  # fmt: skip
    evaluator = told([first], LATENESS)
    before = evaluator.fingerprint()
    late = replace(first, signal_no="2", event_at=START - LATENESS - timedelta(seconds=1))
    assert evaluator.apply(late) == []
    assert (evaluator.too_late, evaluator.fingerprint()) == (1, before)


def test_a_sweep_forgets_persons_of_whom_nothing_is_left_and_what_they_touched():
    item = key(ItemKind.NUMBER, 1)
    evaluator = Evaluator(shipped_rules(), allowed_lateness=LATENESS)
    for person, day in zip(PERSONS, (0, 60), strict=True):
        evaluator.apply(replace(call_at(START + timedelta(days=day), seconds=700), person=person))
    fingerprint, now = evaluator.fingerprint(), START + timedelta(days=60, hours=1)
    assert evaluator.sweep(now) == 1
    assert len(evaluator) == 1
    assert evaluator.fingerprint() == fingerprint
    assert evaluator.item_status(item, now).touched == 1
    evaluator.apply(replace(call_at(now, seconds=700), person=PERSONS[0]))
    assert evaluator.item_status(item, now).touched == 2


@given(signals(days=40))
def test_the_index_has_those_who_touched_an_item_whatever_was_dropped_since(made: tuple[Signal, ...]):
    """Also after a snapshot: a change of a list finds exactly whom the observations name."""
    now = made[-1].event_at
    restored = Evaluator(shipped_rules(), allowed_lateness=LATENESS)
    restored.restore(told(made, LATENESS).snapshot())
    for evaluator in (told(made, LATENESS), restored):
        for kind in ItemKind:
            for item in (key(kind, n) for n in range(3)):
                touched = {
                    one.person
                    for one in made
                    if item in one.items and one.person and now - timedelta(hours=72) < one.event_at
                }
                assert evaluator.item_status(item, now).touched == len(touched)


def life() -> tuple[Signal, ...]:
    """Some of each kind, for the snapshot of an earlier version."""

    def made(n: int, kind: SignalKind, hours: float, **facts: object) -> Signal:
        at = START + timedelta(hours=hours)
        person = None if kind is SignalKind.LIST_CHANGE else PERSONS[n % 2]
        return Signal(
            source=f"s{n % 3}",
            signal_no=str(n),
            kind=kind,
            event_at=at,
            received_at=at,
            person=person,
            **facts,
        )

    number, domain, app, account = (key(kind, 1) for kind in ItemKind)
    entered: dict[str, Any] = {"list_kind": ListKind.FRAUD, "list_name": "x", "change": ListChange.ENTERED}
    return (
        made(0, SignalKind.CALL, -400, items=(number,), direction=Direction.OUT, duration_seconds=90),
        made(1, SignalKind.LIST_CHANGE, -300, items=(account,), **entered),
        made(2, SignalKind.CALL, 0, items=(number,), direction=Direction.IN, duration_seconds=900, overseas=True),
        made(4, SignalKind.SMS, 1, items=(number, domain), topic=Topic.REBATE, has_link=True),
        made(6, SignalKind.APP, 2, items=(app,), screen_sharing=True, topic=Topic.MEETING),
        made(7, SignalKind.LOGIN, 2, new_device=True, failed=True),
        made(8, SignalKind.PAYMENT_ATTEMPT, 3, items=(account,), amount_fen=9_000_000, new_payee=True),
        made(
            9, SignalKind.PLATFORM_PUSH, 4, items=(number, domain, app, account), fraud_type=FraudType.LOAN,
            grade=Grade.HIGH,
        ),
        made(11, SignalKind.REPORT, 5, fraud_type=FraudType.LOAN, reporter=Reporter.BANK, amount_fen=70_000),
    )  # fmt: skip


EARLIER = (
    "eNp1k79v00AUxy9pU2KDUCqWSgxYVjcCunt3vh9MzKgDErAQRe3FP0qoSarYkZBKqw4s7B2Y+AsQ4m9ADCAxdmWHgaFSJxZ4dmwX"
    "qvbZd+f3/H3vnj8n7/nJdPbC5v49j/U9f2SzcYbPfmRiwUPBRyHlgsMoSiKjAsqEpoJTECOpQ8VoEIG2NNKSa9CJShJugEsrEh+L"
    "5dPpZmrzGOtRdGfxboxeVLnZdD4L42KzgZ/RQp9BOTN/iEtqs3wzfGYn20U+U4pxzoFWhoIwnWZlMb9MTsdZPp5sF/X2/IBHIjQg"
    "Egs0YVGhGgwuqMFFQlUSaGUhsloKLFRQeIlrPpvHw+H+vtsjR4SQHo41HGMc5OHPd+2NFWLPGYnu3iQYbxHSJq+XSGk71z4/v3Vj"
    "9RuprfvppBC12+SwidWiO4lzKsZbHnn/5EsLRctXSbcR/dr5cXvt6OmHJlC10SF433/8pow9Ov66/ts7+V5rmAMuOMKljnSZo92m"
    "nfWD448PVki9Dko+IICKMz54w2LhAAwgwNPHs6mUjRDfCwTHgr5nmoAUWnGNl5Co1EPMm8zTdLjAeb1qb1JMb3sby/gdo3NWQ8Am"
    "t8ildvpqvoSiK502uRxnJfrzb2KNsyFWtdHt4MntrrYu3A0chSiNiywZcxtoSp6h4H0vCEpoTGqthdGSguSGywYdZ/CfHv+jvqcW"
    "LjOKchCaS6NEYIA25P4CDX7KKg=="
)
"""The snapshot of format 1 after `life`, compressed."""


def without_lister(digest: Verdict | None) -> Verdict | None:
    """The earlier format did not say who listed an item: s1 did."""
    if digest is None:
        return None
    hits = tuple(
        replace(hit, sources=tuple(sorted({"" if source == "s1" else source for source in hit.sources})))
        for hit in digest.hits
    )
    return replace(digest, hits=hits)


def test_a_snapshot_of_an_earlier_version_is_read_with_its_lists_contacts_and_signals():
    whole, restored = told(life(), LATENESS), Evaluator(shipped_rules(), allowed_lateness=LATENESS)
    restored.restore(zlib.decompress(b64decode(EARLIER)))
    assert digests(restored) == [without_lister(digest) for digest in digests(whole)]
    assert None not in digests(whole)
    for item in (key(kind, 1) for kind in ItemKind):
        assert restored.item_status(item, START + timedelta(hours=5)) == whole.item_status(
            item, START + timedelta(hours=5)
        )
    again = replace(life()[2], signal_no="12", event_at=START + timedelta(hours=6))
    assert [said(one) for one in restored.apply(again)] == [said(one) for one in whole.apply(again)]
    assert restored.apply(life()[-1]) == []
    assert restored.repeated == 1
    assert restored.snapshot().partition(b"\n")[2].count(b"\n") == len(restored) - 1


@pytest.mark.parametrize("cut", [-1, -9, 400])
def test_a_snapshot_of_an_earlier_version_that_is_cut_is_refused(cut: int):
    with pytest.raises(SnapshotUnreadable):
        told([]).restore(zlib.decompress(b64decode(EARLIER))[:cut])


def test_a_snapshot_under_another_scorecard_is_evaluated_again():
    before = told(life(), LATENESS)
    other = Scorecard(points={rule.id: 3 for rule in shipped_rules().rules})
    restored = Evaluator(shipped_rules(), other, allowed_lateness=LATENESS)
    restored.restore(before.snapshot())
    afresh = Evaluator(shipped_rules(), other, allowed_lateness=LATENESS)
    for signal in life():
        afresh.apply(signal)
    assert [restored.verdict(person) for person in PERSONS] == [afresh.verdict(person) for person in PERSONS]
    assert [restored.verdict(person) for person in PERSONS] != [before.verdict(person) for person in PERSONS]


def calls_within_a_minute(
    count: int, *, kind: SignalKind = SignalKind.CALL, source: str = "s"
) -> list[Signal]:
    return [
        replace(
            call_at(START + timedelta(milliseconds=n), seconds=0),
            signal_no=f"{source}{n}",
            kind=kind,
            source=source,
        )
        for n in range(count)
    ]


def test_of_very_many_signals_alike_the_first_are_read_and_those_of_others_too():
    evaluator = told(calls_within_a_minute(MOST_ALIKE + 1))
    assert evaluator.flooding == {"s"}
    alone = told(calls_within_a_minute(MOST_ALIKE))
    assert alone.flooding == set()
    assert evaluator.snapshot() == alone.snapshot()
    evaluator.flooding.clear()
    paid = Signal(
        source="s", signal_no="paid", kind=SignalKind.PAYMENT_ATTEMPT, event_at=START + timedelta(minutes=1),
        received_at=START, person=PERSONS[0], items=(key(ItemKind.ACCOUNT, 1),), amount_fen=9_000_000,
    )  # fmt: skip
    evaluator.apply(replace(paid, kind=SignalKind.LIST_CHANGE, signal_no="listed", person=None, event_at=START,
                            list_kind=ListKind.FRAUD, change=ListChange.ENTERED, list_name="x"))  # fmt: skip
    assert [verdict.grade for verdict in evaluator.apply(paid)] == [Grade.EXTRA_HIGH]
    assert evaluator.apply(calls_within_a_minute(1, source="t")[0]) is not None
    assert evaluator.flooding == set()


def test_a_reason_names_the_newest_signals_and_counts_all():
    verdict = told([replace(one, duration_seconds=45) for one in calls_within_a_minute(80)]).verdict(
        PERSONS[0]
    )
    assert verdict is not None
    (held,) = [hit for hit in verdict.hits if hit.rule == "unknown_number_holds_the_line"]
    assert held.values == {"talked": 80 * 45}
    assert [name.signal_no for name in held.signals] == sorted(f"s{n}" for n in range(80 - MOST_NAMED, 80))


def test_signals_alike_of_another_day_or_person_are_read():
    evaluator = told(calls_within_a_minute(MOST_ALIKE))
    next_day = replace(call_at(START + timedelta(days=1, seconds=1), seconds=0), signal_no="next day")
    other = replace(call_at(START, seconds=0), signal_no="other", person=PERSONS[1])
    evaluator.apply(next_day)
    evaluator.apply(other)
    assert evaluator.flooding == set()
    evaluator.apply(replace(call_at(START + timedelta(seconds=1), seconds=0), signal_no="one more"))
    assert evaluator.flooding == {"s"}
