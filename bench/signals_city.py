"""How well the warning robot finds frauds in a made-up city, beside simpler ways at the same budget; prints JSON.

    python -m bench.signals_city --seed 7 [--people 40000] [--quick]

Days 0-20 a city runs on the shipped points, and each week on a scorecard fitted on what is known by then: answers of
the calls, of the random draw, and cases filed meanwhile. Days 21-31 are judged (`judged`) with the last one. The people are a sample and the frauds are not (`City.stands_for`): a call of
an innocent person counts as a whole one of the sample's budget and a victim's as its small part, and what was fitted on such a sample is corrected for
it (`corrected`). `score` compares the fitted score with the number of rules that fired and with any rule, in the same run. On day 32 two
thirds of the frauds change; days 39-45 are judged again (`after_drift`): ours, refitted each day, against top-k
without a random draw. `learning_top_k` is fitted again each day on the answers of its own calls: that is the pure top-k
of the goal. `learning_top_k_with_lists` lists what its calls confirm, as ours does; `frozen_top_k` keeps the scorecard
of day 21; `told_the_truth` is LightGBM that was told everything up to day 38. There are two drifts: `described` is one way that was written down; `unnoticed` are the two of eight ways whose tries score
lowest with the scorecard of the day before (docs/decisions/0772). `curve` has the same at other budgets, each learned
with its own calls. All figures are of a simulation; bench/signals_life.py says what is assumed. LightGBM is the challenger where
it is installed (extra `learning-bench`); else its figures are null. A run takes about five minutes of one core.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from heapq import heapify, heappop, heappush
from typing import Any

from bench.signals_life import (
    DESCRIBED_WAY,
    NEW_WAYS,
    START,
    City,
    Fraud,
    is_of_fraudsters,
    later,
    make,
    tried,
)
from dialer.signals.budget import draw, is_worth_listing, is_worth_removing, missed_fraud, turn
from dialer.signals.evaluation import Evaluator
from dialer.signals.features import counted_by
from dialer.signals.fitting import (
    FittedScorecard,
    LabelledVerdict,
    TooFewLabels,
    calibration_error,
    fit_scorecard,
)
from dialer.signals.incidents import Incident, PersonState
from dialer.signals.model import Item, ListChange, ListKind, Signal, SignalKind
from dialer.signals.observations import item_number, to_microseconds
from dialer.signals.rules import Effect, RuleSet, shipped_rules
from dialer.signals.scorecard import Scorecard
from dialer.signals.verdicts import Bands, Verdict

DAYS, LEARN_UNTIL, JUDGED_UNTIL, DRIFT, AFTER_FROM, AFTER_UNTIL = 46, 21, 32, 32, 39, 46
A_DAY = 0.0016
"""Calls a day for each person of the city: docs/decisions/0770."""
OTHER_BUDGETS = (0.0012, 0.0008, 0.00048, 0.00024)
"""For the curve."""
DRIFT_TOO = 0.00048
"""At this budget of the curve too: what the desks alone could call, which was the budget before."""
DRAWN = 0.04
ANSWERS_AFTER = 1.0
"""Days until a call's answer is known."""
LISTED_AFTER = ANSWERS_AFTER
"""Days until what a confirmed warning rests on is listed."""
_RIGHT, _WRONG = -1, -2
TRIES, WAYS_TAKEN, LEAST_VISIBLE = 200, 2, 0.5
"""Of the drift that goes unnoticed: tries of each way, how many ways stay, and the share of tries of which a rule must see
something, since what no rule sees is found by nobody."""


@dataclass(slots=True)
class Moment:
    """A scoring moment of a person, as the evaluator saw it."""

    hour: float
    person: int
    fired: int
    money: int
    figures: tuple[int, ...]
    items: tuple[int, ...] = ()
    """Of the signals that its rules rest on, without the mitigators."""


def raising_bits(rules: RuleSet) -> int:
    """Of the rules that are no mitigators."""
    return sum(1 << n for n, one in enumerate(rules.rules) if one.effect is Effect.POINTS)


class Recorder(Evaluator):
    """Keeps every scoring moment, under any points."""

    def __init__(self, rules: RuleSet) -> None:
        super().__init__(rules)
        self.moments: list[Moment] = []
        self.last: dict[int, tuple[int, int]] = {}
        self.empty = self.snapshot()

    def record(self, signals: Iterable[Signal]) -> list[Moment]:
        """The moments of these signals alone."""
        self.restore(self.empty)
        self.moments, self.last = [], {}
        for signal in signals:
            self.apply(signal)
        return self.moments

    def _evaluate(self, person: PersonState, _start: int, moments: Sequence[int]) -> None:
        for t in moments:
            observations = [observation for observation in person.observations if observation.at <= t]
            reading = self._reader.read_at(t, observations, person.contacts)
            raising = [n for n in reading.fired if n in self._raising]
            key, bits = int(person.key), sum(1 << n for n in reading.fired)
            if not raising or self.last.get(key) == (bits, reading.money_fen):
                continue
            self.last[key] = (bits, reading.money_fen)
            rested = counted_by(reading, {place for n in raising for place in self._reader.names[n].values()})
            items = dict.fromkeys(
                item
                for n in rested
                if self._facts[observations[n].facts].may_name_scammer
                for item in observations[n].items
            )
            hour = (t - to_microseconds(START)) / 3.6e9
            figures = tuple(reading.figures.get(place, 0) for place in range(self._reader.feature_count))
            self.moments.append(Moment(hour, key, bits, reading.money_fen, figures, tuple(items)))

    def _changes(self, _person: PersonState, _before: Sequence[Incident], _start: int) -> list[Verdict]:
        """Verdicts are not wanted."""
        return []


REMEMBERED = 14 * 24
"""Hours after the first payment in which a call is answered with it."""


class Truth:
    """Whether a person was being defrauded at an hour: from the beginning until two days after the first payment."""

    def __init__(self, frauds: Sequence[Fraud], stands_for: float) -> None:
        self.stands_for = stands_for
        self.of: dict[int, list[Fraud]] = {}
        for fraud in frauds:
            self.of.setdefault(fraud.person, []).append(fraud)

    def weight(self, person: int) -> float:
        """So many inhabitants the person stands for."""
        return 1.0 if person in self.of else self.stands_for

    def at(self, person: int, hour: float) -> Fraud | None:
        return next(
            (one for one in self.of.get(person, ()) if one.begins <= hour <= one.first_payment + 48), None
        )

    def is_right(self, person: int, hour: float) -> bool:
        """What a call at that hour is answered: there was a scammer, or money is already lost."""
        return any(one.begins <= hour <= one.first_payment + REMEMBERED for one in self.of.get(person, ()))

    def is_in_time(self, person: int, hour: float) -> bool:
        """Whether a fraud is under way that nothing was paid for yet."""
        return any(one.begins <= hour < one.first_payment for one in self.of.get(person, ()))


Score = Callable[[Moment], float]
Order = Callable[[float, Moment], float]
"""Of a value and its moment; the higher goes first."""


Pooled = tuple[int, Moment]
"""Of the draw's pool: the day, and who was below the threshold and not drawn."""
Refit = Callable[[int, "list[Call]", list[Pooled]], Score]
"""Of a day, the calls so far and the pool."""


@dataclass(slots=True)
class Call:
    moment: Moment
    score: float
    weight: float
    drawn: bool
    stands_for: float
    """So many calls of the whole city."""
    fraud: Fraud | None
    is_right: bool
    """What the person answers; also where the fraud is over by then, so that `fraud` is None."""


HELD_HOURS = 72
"""Who has had no scoring moment for this long is held no more; and for this long a person is not called again."""
KEPT_HOURS = 7 * 24
"""So long the robot has a signal."""
WARM_DAYS = 3
"""So many days before those that count a way already calls, so that its queue is what it would be."""


def run_days(
    moments: Sequence[Moment],
    truth: Truth,
    days: range,
    budget: int,
    score: Score,
    *,
    drawn_share: float = 0.0,
    seed: int = 0,
    refit: Refit | None = None,
    pool: list[Pooled] | None = None,
    order: Order | None = None,
    lister: Lister | None = None,
) -> list[Call]:
    """Calls of these days. As in the robot nobody is dropped: places come evenly over the day, and each goes to whose turn
    it is of those who are held then, or to the next who scores; a person is held with the strongest moment of the
    incident. The turn is the robot's, of `score` in place of the probability, or else that of `order`.
    """
    pool = [] if pool is None else pool
    queue = _Queue(truth, budget * (1 - drawn_share) / 24, score, order or robots_turn)
    begin = days.start - WARM_DAYS
    coming = _Coming([moment for moment in moments if begin <= moment.hour / 24 < days.stop], lister)
    if lister is not None:
        coming.file(truth, begin, days.stop)
    for day in range(begin, days.stop):
        if day == days.start:
            queue.forget_calls()
        if refit is not None and day in days:
            queue.use(refit(day, queue.calls, pool))
        coming.run_until((day + 1) * 24, queue)
        if day in days:
            below = {str(one.person): one for one in queue.held_since(day * 24)}
            for name in draw(below, budget * drawn_share, seed=b"%d %d" % (seed, day)):
                queue.call(below.pop(name.key), weight=1 / name.probability, drawn=True)
            pool += [(day, one) for one in below.values()]
    return queue.calls


class _Coming:
    """What comes, in its order: moments, and answers after which an item is listed and people are evaluated again."""

    def __init__(self, moments: Sequence[Moment], lister: Lister | None) -> None:
        self._lister = lister
        self._events: list[tuple[float, int, int, Moment | None, Fraud | None]] = [
            (one.hour, n, 0, one, None) for n, one in enumerate(moments)
        ]
        heapify(self._events)
        self._count = len(moments)
        self._version: dict[int, int] = {}
        self._answered = 0

    def _put(self, hour: float, version: int, one: Moment | None, fraud: Fraud | None) -> None:
        self._count += 1
        heappush(self._events, (hour, self._count, version, one, fraud))

    def file(self, truth: Truth, begin: int, end: int) -> None:
        """Cases that are filed from the one day to before the other."""
        for fraud in (one for group in truth.of.values() for one in group):
            if fraud.filed_day is not None and begin <= fraud.filed_day < end:
                self._put(fraud.filed_day * 24, _RIGHT, None, fraud)

    def run_until(self, hour: float, queue: _Queue) -> None:
        while self._events and self._events[0][0] < hour:
            queue.run_until(self._events[0][0])
            self._note(queue)
            at, _, version, one, fraud = heappop(self._events)
            if version in (_RIGHT, _WRONG):
                self._answer(at, one, fraud, queue, is_right=version == _RIGHT)
            elif one is not None and version == self._version.get(one.person, 0):
                queue.add(one)
        queue.run_until(hour)
        self._note(queue)

    def _note(self, queue: _Queue) -> None:
        """The answers of the calls that were made since."""
        if self._lister is not None:
            for call in queue.made[self._answered :]:
                version = _RIGHT if call.is_right else _WRONG
                self._put(call.moment.hour + LISTED_AFTER * 24, version, call.moment, None)
            self._answered = len(queue.made)

    def _answer(
        self, hour: float, one: Moment | None, fraud: Fraud | None, queue: _Queue, *, is_right: bool
    ) -> None:
        assert self._lister is not None
        if fraud is not None:
            if any(call.fraud is fraud for call in queue.made):
                return
            one = self._lister.known_of(fraud, hour)
        if one is None:
            return
        for person in self._lister.answer(one, hour, is_right=is_right):
            self._version[person] = self._version.get(person, 0) + 1
            for moment in self._lister.moments_after(person, hour):
                self._put(moment.hour, self._version[person], moment, None)


def robots_turn(value: float, one: Moment) -> float:
    return turn(value, START + timedelta(hours=one.hour))


def first_come(_value: float, one: Moment) -> float:
    """Who has waited longest."""
    return -one.hour


class _Queue:
    """Persons who are held, and the places that come: `rate` an hour, at most an hour's of them unused."""

    def __init__(self, truth: Truth, rate: float, score: Score, order: Order) -> None:
        self.calls: list[Call] = []
        self.made: list[Call] = []
        """Those before the days that count too."""
        self._truth, self._rate, self._score, self._order = truth, rate, score, order
        self.now = self._places = 0.0
        self._heap: list[tuple[float, float, int]] = []
        self._held: dict[int, tuple[float, Moment]] = {}
        self._latest: dict[int, float] = {}
        self._called: dict[int, float] = {}

    def forget_calls(self) -> None:
        self.calls = []

    def use(self, score: Score) -> None:
        """From now on, for those who are held as well."""
        self._score = score
        self._held = {person: (score(one), one) for person, (_, one) in self._held.items()}
        self._heap = [self._entry(value, one) for value, one in self._held.values() if value > 0]
        heapify(self._heap)

    def _entry(self, value: float, one: Moment) -> tuple[float, float, int]:
        return -self._order(value, one), one.hour, one.person

    def add(self, one: Moment) -> None:
        self.run_until(one.hour)
        if self._called.get(one.person, -1e9) > one.hour - HELD_HOURS:
            return
        self._latest[one.person] = one.hour
        value = self._score(one)
        if value > self._held.get(one.person, (0.0, one))[0]:
            self._held[one.person] = (value, one)
            heappush(self._heap, self._entry(value, one))
        elif one.person not in self._held:
            self._held[one.person] = (0.0, one)
        self.run_until(one.hour)

    def run_until(self, hour: float) -> None:
        while hour > self.now:
            due = self.now + max(0.0, 1 - self._places) / self._rate
            if due > hour or (one := self._best(due)) is None:
                break
            self._places = min(self._places + (due - self.now) * self._rate, max(1.0, self._rate))
            self._places -= self._truth.weight(one.person) / self._truth.stands_for
            self.now = due
            self.call(one)
        if hour > self.now:
            self._places = min(self._places + (hour - self.now) * self._rate, max(1.0, self._rate))
            self.now = hour

    def _best(self, hour: float) -> Moment | None:
        while self._heap:
            entry = self._heap[0]
            person = entry[2]
            held = self._held.get(person)
            if held is not None and self._entry(*held) == entry:
                if self._latest[person] > hour - HELD_HOURS:
                    return held[1]
                del self._held[person]
            heappop(self._heap)
        return None

    def call(self, one: Moment, *, weight: float = 1.0, drawn: bool = False) -> None:
        """Now."""
        value, _ = self._held.pop(one.person)
        stands_for = self._truth.weight(one.person)
        self._called[one.person] = self.now
        called = replace(one, hour=self.now)
        fraud = self._truth.at(one.person, self.now)
        is_right = self._truth.is_right(one.person, self.now)
        made = Call(called, value, weight, drawn, stands_for, fraud=fraud, is_right=is_right)
        self.calls.append(made)
        self.made.append(made)

    def held_since(self, hour: float) -> list[Moment]:
        """Who has had a moment since then and is still held."""
        return [one for _, one in self._held.values() if self._latest[one.person] >= hour]


class Town:
    """Who touched which items, and whose signals are which."""

    def __init__(self, rules: RuleSet, signals: Iterable[Signal], frauds: Iterable[int]) -> None:
        """`frauds`: persons whose items may be listed."""
        self.recorder = Recorder(rules)
        self.of_person: dict[int, list[Signal]] = {}
        self.changes: dict[Item, list[Signal]] = {}
        for signal in signals:
            if signal.kind is SignalKind.LIST_CHANGE:
                self.changes.setdefault(signal.items[0], []).append(signal)
            else:
                self.of_person.setdefault(int(signal.person or b""), []).append(signal)
        wanted = {item for person in frauds for one in self.of_person.get(person, ()) for item in one.items}
        self.items = {item_number(one): one for one in wanted}
        by_key = {one.key: item_number(one) for one in wanted}
        self.touches: dict[int, list[tuple[float, int]]] = {one: [] for one in self.items}
        for person, own in self.of_person.items():
            for one in own:
                for item in one.items:
                    if item.key in by_key:
                        hour = (one.event_at - START) / timedelta(hours=1)
                        self.touches[by_key[item.key]].append((hour, person))

    def is_listed(self, item: int, at: datetime) -> bool:
        """On any list, that of trusted ones included; the city takes nothing off a list."""
        return any(one.event_at <= at for one in self.changes.get(self.items[item], ()))


class Lister:
    """What confirmed warnings rest on is entered in the suspected list, as the robot does it, and who touched it is
    evaluated again.
    """

    def __init__(self, town: Town, of_person: Mapping[int, list[Moment]], truth: Truth) -> None:
        self._town, self._of_person, self._truth = town, of_person, truth
        self._told: dict[int, dict[tuple[int, bool], float]] = {}
        self.listed: dict[int, list[Signal]] = {}

    def known_of(self, fraud: Fraud, hour: float) -> Moment | None:
        """The last moment of one who was not called, for whom a case is filed now."""
        its = [
            one
            for one in self._of_person.get(fraud.person, ())
            if fraud.begins <= one.hour <= min(hour, fraud.first_payment + 48)
        ]
        return its[-1] if its else None

    def answer(self, one: Moment, hour: float, *, is_right: bool) -> list[int]:
        """Who touched what is listed or removed now, or will."""
        again: dict[int, None] = {}
        at = START + timedelta(hours=hour)
        for item in one.items:
            if item not in self._town.items or self._town.is_listed(item, at):
                continue
            touches = self._town.touches[item]
            told = self._told.setdefault(item, {})
            told[one.person, is_right] = max(
                (when for when, person in touches if person == one.person and when <= hour), default=hour
            )
            kept = [answer for answer, when in told.items() if when > hour - KEPT_HOURS]
            recent = {person for when, person in touches if hour - HELD_HOURS < when <= hour}
            changes = self.listed.setdefault(item, [])
            confirmed = self._count(person for person, right in kept if right)
            denied = self._count(person for person, right in kept if not right)
            if not changes and is_worth_listing(confirmed, denied, self._count(recent)):
                changes.append(self._change(item, at, ListChange.ENTERED))
            elif len(changes) == 1 and is_worth_removing(confirmed, denied):
                changes.append(self._change(item, at, ListChange.REMOVED))
            else:
                continue
            again |= dict.fromkeys(person for when, person in touches if when > hour - HELD_HOURS)
        return list(again)

    def _count(self, persons: Iterable[int]) -> int:
        """Of the whole city."""
        return round(sum(map(self._truth.weight, persons)))

    def _change(self, item: int, at: datetime, change: ListChange) -> Signal:
        return Signal(
            source="robot", signal_no=f"{item:x}-{change}", kind=SignalKind.LIST_CHANGE, event_at=at,
            received_at=at, items=(self._town.items[item],), list_kind=ListKind.SUSPECTED, list_name="confirmed",
            change=change,
        )  # fmt: skip

    def counts(self) -> dict[str, int]:
        """Items that were listed, those that fraudsters use alone, and how many were removed."""
        items = [one for one, changes in self.listed.items() if changes]
        return {
            "items": len(items), "of_fraudsters": sum(is_of_fraudsters(self._town.items[item]) for item in items),
            "removed": sum(len(self.listed[item]) > 1 for item in items),
        }  # fmt: skip

    def moments_after(self, person: int, hour: float) -> list[Moment]:
        town = self._town
        own = town.of_person[person]
        items = {item for one in own for item in one.items}
        changes = [change for item in items for change in town.changes.get(item, ())]
        mine = {item.key for item in items}
        changes += [one for its in self.listed.values() for one in its if one.items[0].key in mine]
        told = sorted([*changes, *own], key=lambda one: (one.event_at, one.signal_no))
        return [one for one in town.recorder.record(told) if one.hour >= hour]


def recall(calls: Sequence[Call], frauds: Sequence[Fraud]) -> dict[str, float]:
    """Of the frauds: warned at all while it went on, and before the first payment."""
    first: dict[int, float] = {}
    for one in calls:
        if one.fraud is not None:
            first[id(one.fraud)] = min(first.get(id(one.fraud), 1e9), one.moment.hour)
    found = [fraud for fraud in frauds if id(fraud) in first]
    early = [one for one in found if first[id(one)] < one.first_payment]
    total = max(1, len(frauds))
    return {
        "recall": round(len(found) / total, 4), "before_payment": round(len(early) / total, 4),
        "precision": round(
            sum(call.stands_for for call in calls if call.fraud) / max(1.0, sum(call.stands_for for call in calls)), 5
        ),
        "calls": round(sum(call.stands_for for call in calls)),
    }  # fmt: skip


def ratio(ours: float, theirs: float) -> float:
    return round(ours / max(1e-9, theirs), 3)


RECENT_DAYS = 28
"""What is older is not learned from."""


def odds_of_city(probability: float, stands_for: float) -> float:
    """The probability in the whole city of one that was learned in a sample, in which each that is wrong stands for so many."""
    return probability / (probability + (1 - probability) * stands_for)


def corrected(card: Scorecard, stands_for: float) -> Scorecard:
    """A scorecard that was fitted on the sample, for the whole city."""
    steps = tuple((score, odds_of_city(probability, stands_for)) for score, probability in card.steps)
    return replace(card, intercept=card.intercept - math.log(stands_for), steps=steps)


class Scoring:
    """The probability of a scorecard over the bits of rules, remembered; of equal ones the points count."""

    def __init__(self, rules: RuleSet, card: Scorecard) -> None:
        self.card, self.points = card, card.points_of(rules)
        self.known: dict[int, float] = {}

    def points_at(self, fired: int) -> int:
        return max(0, sum(p for n, p in enumerate(self.points) if fired >> n & 1))

    def __call__(self, one: Moment) -> float:
        value = self.known.get(one.fired)
        if value is None:
            score = self.points_at(one.fired)
            value = self.known[one.fired] = self.card.probability(score) + score / 10**6 if score else 0.0
        return value


def any_rule(_moment: Moment) -> float:
    return 1.0


def counted(raising: int) -> Score:
    return lambda one: float((one.fired & raising).bit_count())


def labels_of(
    rules: RuleSet,
    calls: Sequence[Call],
    moments: Mapping[int, list[Moment]],
    truth: Truth,
    day: float,
    *,
    filed: bool,
) -> tuple[list[LabelledVerdict], list[Moment], list[float], list[float]]:
    """What is known on a day: answers of calls, and, where `filed`, cases filed by then of people not called."""
    ids = [rule.id for rule in rules.rules]
    rows: list[tuple[Moment, bool, float]] = [
        (one.moment, one.is_right, one.weight)
        for one in calls
        if day - RECENT_DAYS <= one.moment.hour / 24 <= day - ANSWERS_AFTER
    ]
    answered = len(rows)
    if filed:
        reached = {id(one.fraud) for one in calls}
        for fraud in (one for group in truth.of.values() for one in group):
            if fraud.filed_day is None or not day - RECENT_DAYS <= fraud.filed_day <= day:
                continue
            if id(fraud) in reached:
                continue
            mine = [
                one
                for one in moments.get(fraud.person, [])
                if fraud.begins <= one.hour <= fraud.first_payment + 48
            ]
            if mine:
                rows.append((mine[-1], True, 1.0))
    labelled = [
        LabelledVerdict(
            fired=frozenset(name for bit, name in enumerate(ids) if one.fired >> bit & 1),
            is_fraud=y, weight=w, called=place < answered, age_days=max(0.0, day - one.hour / 24),
        )
        for place, (one, y, w) in enumerate(rows)
    ]  # fmt: skip
    return labelled, [one for one, _, _ in rows], [float(y) for _, y, _ in rows], [w for _, _, w in rows]


def background_of(rules: RuleSet, pool: Sequence[Pooled], day: int) -> dict[frozenset[str], int]:
    """How many below the threshold had which rules, as the draws noted it."""
    bits: dict[int, int] = {}
    for when, one in pool:
        if day - RECENT_DAYS <= when < day:
            bits[one.fired] = bits.get(one.fired, 0) + 1
    ids = [rule.id for rule in rules.rules]
    return {
        frozenset(name for bit, name in enumerate(ids) if fired >> bit & 1): count
        for fired, count in bits.items()
    }


def challenger(
    moments: Sequence[Moment], labels: Sequence[float], weights: Sequence[float]
) -> Callable[[Sequence[Moment]], Any] | None:
    try:
        import lightgbm  # noqa: PLC0415 - where it is installed
        import numpy as np  # noqa: PLC0415 - comes with it
    except ImportError:
        return None
    model = lightgbm.train(
        {"objective": "binary", "num_leaves": 15, "learning_rate": 0.05, "min_data_in_leaf": 20, "verbose": -1, "num_threads": 1,
         "deterministic": True, "seed": 1},
        lightgbm.Dataset(_table(moments), np.array(labels), weight=np.array(weights)), num_boost_round=200,
    )  # fmt: skip
    return lambda rows: model.predict(_table(rows))


def scores_of(
    predict: Callable[[Sequence[Moment]], Any], moments: Sequence[Moment], stands_for: float
) -> Score:
    """For the whole city."""
    found = (odds_of_city(float(value), stands_for) for value in predict(moments))
    scores = dict(zip(map(id, moments), found, strict=True))
    return lambda moment: scores.get(id(moment), 0.0)


def _table(moments: Sequence[Moment]) -> Any:
    import numpy as np  # noqa: PLC0415 - the extra

    return np.array([[*moment.figures, moment.money] for moment in moments], dtype=float)


def recorded(rules: RuleSet, signals: Iterable[Signal]) -> list[Moment]:
    return Recorder(rules).record(signals)


def run(seed: int, persons: int, budgets: Sequence[float]) -> dict[str, Any]:
    began = time.perf_counter()
    city = make(seed, persons, DAYS, DRIFT)
    rules = shipped_rules()
    figures = Trial(rules, city, recorded(rules, city.signals), seed=seed).all_figures(budgets)
    seconds = round(time.perf_counter() - began, 1)
    return {"seed": seed, "persons": persons, "signals": len(city.signals), **figures, "seconds": seconds}


@dataclass(slots=True)
class Learned:
    """What the learning days brought at a budget a day."""

    budget: int
    calls: list[Call]
    pool: list[Pooled]
    card: Scorecard
    """For the whole city."""
    right: int
    wrong: int


def by_person(moments: Iterable[Moment]) -> dict[int, list[Moment]]:
    found: dict[int, list[Moment]] = {}
    for moment in moments:
        found.setdefault(moment.person, []).append(moment)
    return found


class Trial:
    """A city whose scoring moments were recorded, without the frauds that go another way after the drift."""

    def __init__(self, rules: RuleSet, city: City, moments: Sequence[Moment], *, seed: int) -> None:
        self.rules, self.city, self.moments, self.frauds = rules, city, moments, city.frauds
        self.seed, self.persons = seed, city.persons
        self.truth = Truth(self.frauds, city.stands_for)
        self.of_person = by_person(moments)
        self.days = range(LEARN_UNTIL, JUDGED_UNTIL)
        self.judged_frauds = [
            fraud
            for fraud in self.frauds
            if fraud.begins / 24 in _Span(self.days) and fraud.first_payment / 24 < JUDGED_UNTIL
        ]

    @cached_property
    def town(self) -> Town:
        persons = {fraud.person for fraud in self.frauds}
        return Town(self.rules, self.city.signals, persons)

    def lister(self) -> Lister:
        return Lister(self.town, self.of_person, self.truth)

    def learn(self, a_day: float, lister: Lister | None = None) -> Learned:
        """The learning days, with a new scorecard each week."""
        rules, shipped = self.rules, Scorecard()
        budget = max(8, round(self.persons * a_day))
        pool: list[Pooled] = []

        def fit(day: int, calls: list[Call], known_by: int) -> FittedScorecard:
            labels, *_ = labels_of(rules, calls, self.of_person, self.truth, known_by, filed=True)
            return fit_scorecard(rules, shipped, labels, background_of(rules, pool, day))

        def weekly(day: int, calls: list[Call], _pool: list[Pooled]) -> Score:
            try:
                found = fit(day, calls, day - day % 7)
            except TooFewLabels:
                return Scoring(rules, shipped)
            return Scoring(rules, corrected(found.scorecard, self.truth.stands_for))

        calls = run_days(
            self.moments, self.truth, range(LEARN_UNTIL), budget, Scoring(rules, shipped), drawn_share=DRAWN,
            seed=self.seed, refit=weekly, pool=pool, lister=lister,
        )  # fmt: skip
        fitted = fit(LEARN_UNTIL, calls, LEARN_UNTIL)
        card = corrected(fitted.scorecard, self.truth.stands_for)
        return Learned(budget, calls, pool, card, fitted.positive, fitted.negative)

    def found(
        self, score: Score, budget: int, order: Order | None = None, lister: Lister | None = None
    ) -> tuple[dict[str, float], list[Call]]:
        """Of the judged days."""
        calls = run_days(self.moments, self.truth, self.days, budget, score, order=order, lister=lister)
        return recall(calls, self.judged_frauds), calls

    def all_figures(self, budgets: Sequence[float]) -> dict[str, Any]:
        learned = self.learn(A_DAY)
        listing = self.learn(A_DAY, self.lister())
        judged = self.judged(learned) | self.judged_with_lists(listing)
        drift = self.after_drift(learned, listing)
        return {
            "frauds": len(self.frauds) + len(self.city.going_another_way), "a_day_for_each_person": A_DAY, "budget_a_day": learned.budget,
            "stands_for": round(self.city.stands_for, 2), "labels": {"right": learned.right, "wrong": learned.wrong}, "simulated": True,
            "score": score_against_counting(judged, drift), "judged": judged, "after_drift": drift,
            "curve": [self.at_budget(budget) for budget in budgets],
        }  # fmt: skip

    def without_a_score(self, budget: int) -> dict[str, Any]:
        """As in a centre that has rules and no score: who has waited longest is called first (`rules_first_come`), or
        whose rule fires when a place is free (`rules_as_they_come`).
        """

        return {
            "rules_first_come": self.found(any_rule, budget, first_come)[0],
            "rules_as_they_come": self.found(any_rule, budget)[0],
        }

    def judged(self, learned: Learned) -> dict[str, Any]:
        rules, card, budget = self.rules, learned.card, learned.budget
        figures: dict[str, Any] = self.without_a_score(budget)
        ways: dict[str, Score | None] = {
            "rules_alone": counted(raising_bits(rules)), "shipped_points": Scoring(rules, Scorecard()),
            "fitted": Scoring(rules, card), "lightgbm": self.lightgbm(learned),
            "lightgbm_told_the_truth": self.told(self.truth.is_right),
            "lightgbm_told_who_has_not_paid": self.told(self.truth.is_in_time),
        }  # fmt: skip
        calls: list[Call] = []
        for name, score in ways.items():
            figures[name] = None
            if score is not None:
                figures[name], made = self.found(score, budget)
                calls = made if name == "fitted" else calls
        figures["fitted_over_rules_alone"] = ratio(
            figures["fitted"]["recall"], figures["rules_alone"]["recall"]
        )
        figures["before_payment_over_rules_alone"] = ratio(
            figures["fitted"]["before_payment"], figures["rules_alone"]["before_payment"]
        )
        if figures["lightgbm"]:
            figures["points_behind_lightgbm"] = round(
                100 * (figures["lightgbm"]["recall"] - figures["fitted"]["recall"]), 2
            )
        figures |= calibrated(card, rules, answered(calls), "calibration_error")
        figures |= calibrated(card, rules, self.warnings(card), "calibration_error_of_all_warnings")
        figures["frauds"] = len(self.judged_frauds)
        drawn = [one for one in learned.calls if one.drawn]
        called = {id(one.fraud) for one in learned.calls if not one.drawn}
        estimate = missed_fraud((1 / one.weight, one.fraud is not None) for one in drawn)
        figures["drawn_in_learning"] = {
            "drawn": len(drawn), "frauds_among_them": sum(one.fraud is not None for one in drawn),
            "estimate": round(estimate.value, 1), "low": round(estimate.low, 1), "high": round(estimate.high, 1),
            "missed_in_truth": missed(self.moments, self.truth, called),
        }  # fmt: skip
        return figures

    def judged_with_lists(self, learned: Learned) -> dict[str, Any]:
        """The same of the robot as it is, which enters in the suspected list what its calls confirm."""
        fired, score = counted(raising_bits(self.rules)), Scoring(self.rules, learned.card)
        alone, _ = self.found(fired, learned.budget, lister=self.lister())
        lister = self.lister()
        fitted, calls = self.found(score, learned.budget, lister=lister)
        return {
            "rules_alone_with_lists": alone, "fitted_with_lists": fitted,
            "with_lists_fitted_over_rules_alone": ratio(fitted["recall"], alone["recall"]),
            "with_lists_before_payment_over_rules_alone": ratio(
                fitted["before_payment"], alone["before_payment"]
            ),
            **calibrated(learned.card, self.rules, answered(calls), "calibration_error_with_lists"),
            "listed": lister.counts(),
        }  # fmt: skip

    def at_budget(self, a_day: float) -> dict[str, Any]:
        """A point of the curve."""
        learned = self.learn(a_day)
        fired = counted(raising_bits(self.rules))
        alone, _ = self.found(fired, learned.budget)
        fitted, calls = self.found(Scoring(self.rules, learned.card), learned.budget)
        return {
            "a_day_for_each_person": a_day, "budget_a_day": learned.budget, "rules_alone": alone, "fitted": fitted,
            **self.without_a_score(learned.budget),
            "fitted_over_rules_alone": ratio(fitted["recall"], alone["recall"]),
            "before_payment_over_rules_alone": ratio(fitted["before_payment"], alone["before_payment"]),
            **calibrated(learned.card, self.rules, answered(calls), "calibration_error"),
            **(self.briefly_after_drift(learned) if a_day == DRIFT_TOO else {}),
        }  # fmt: skip

    def lightgbm(self, learned: Learned) -> Score | None:
        """The challenger, with the labels that the scorecard has."""
        _, rows, answers, _weights = labels_of(
            self.rules, learned.calls, self.of_person, self.truth, LEARN_UNTIL, filed=True
        )
        common = [one for _, one in learned.pool]
        return self._scores(
            challenger([*rows, *common], answers + [0.0] * len(common), [1.0] * (len(rows) + len(common)))
        )

    def told(self, truth: Callable[[int, float], bool]) -> Score | None:
        """The challenger with the truth of every moment of the learning days, which nobody has: what is possible."""
        known = [moment for moment in self.moments if moment.hour < LEARN_UNTIL * 24]
        truths = [float(truth(one.person, one.hour)) for one in known]
        return self._scores(challenger(known, truths, [1.0] * len(known)))

    def _scores(self, predict: Callable[[Sequence[Moment]], Any] | None) -> Score | None:
        if predict is None:
            return None
        return scores_of(predict, self.moments, self.truth.stands_for)

    def warnings(self, card: Scorecard) -> list[Answer]:
        """Every warning of the judged days, called or held: the strongest moment of each incident above the threshold, and
        whether it was right then.
        """
        score, line = Scoring(self.rules, card), Bands().least_probability
        found: list[Answer] = []
        for mine in self.of_person.values():
            best: Moment | None = None
            last = -1e9
            for one in [*(one for one in mine if one.hour / 24 in _Span(self.days)), None]:
                if best is not None and (one is None or one.hour - last > HELD_HOURS):
                    if card.probability(score.points_at(best.fired)) >= line:
                        is_right = self.truth.is_right(best.person, best.hour)
                        found.append(Answer(best.fired, is_right, self.truth.weight(best.person)))
                    best = None
                if one is not None:
                    best = one if best is None or score(one) > score(best) else best
                    last = one.hour
        return found

    def briefly_after_drift(self, learned: Learned) -> dict[str, Any]:
        listing = self.learn(DRIFT_TOO, self.lister())
        return {"after_drift": self.after_drift(learned, listing, briefly=True)}

    def after_drift(self, learned: Learned, listing: Learned, *, briefly: bool = False) -> dict[str, Any]:
        """Recall of the changed frauds, seven days after the change, of both drifts. `listing`: learned with lists."""
        cards: dict[tuple[str, int], Scorecard] = {}
        described = Drift(self, [DESCRIBED_WAY], learned, listing, cards).figures(briefly=briefly)
        tries = self.tries(Scoring(self.rules, cards["ours", DRIFT - 1]))
        taken = least_noticed(tries)
        unnoticed = Drift(self, taken, learned, listing, cards).figures(briefly=briefly)
        return {"described": described, "unnoticed": {"ways": taken, "tries": tries, **unnoticed}}

    def tries(self, score: Scoring) -> dict[str, dict[str, float]]:
        """Of each new way before the drift: the mean of the strongest probability of a try, and the share of which a rule
        saw anything.
        """
        found: dict[str, dict[str, float]] = {}
        for way in NEW_WAYS:
            trial = tried(self.city, way, TRIES, seed=self.seed, drift=DRIFT)
            moments = by_person(self.recorded_again(trial))
            strongest: list[float] = []
            seen = 0
            for fraud in trial.frauds:
                its = [
                    one for one in moments.get(fraud.person, ())
                    if fraud.begins <= one.hour <= fraud.first_payment + 48
                ]  # fmt: skip
                seen += bool(its)
                strongest.append(max((score(one) for one in its), default=0.0))
            found[way] = {
                "probability": round(sum(strongest) / len(strongest), 4), "seen": round(seen / len(strongest), 3),
            }  # fmt: skip
        return found

    def recorded_again(self, more: City) -> list[Moment]:
        """The moments of the persons of `more`, with its signals."""
        persons = {signal.person for signal in more.signals}
        own = [
            signal
            for signal in self.city.signals
            if signal.kind is SignalKind.LIST_CHANGE or signal.person in persons
        ]
        lists = {signal.items[0] for signal in more.signals if signal.kind is SignalKind.LIST_CHANGE}
        assert not lists, "a new way whose items are listed would change the moments of others"
        return recorded(
            self.rules, sorted([*own, *more.signals], key=lambda one: (one.event_at, one.signal_no))
        )


def least_noticed(tries: Mapping[str, Mapping[str, float]]) -> list[str]:
    """What goes unnoticed and can be found at all."""
    seen = [way for way, one in tries.items() if one["seen"] >= LEAST_VISIBLE]
    return sorted(seen, key=lambda way: tries[way]["probability"])[:WAYS_TAKEN]


class Drift:
    """The city with the frauds of `ways` after the drift. `cards` holds what was fitted up to the drift, which is the same
    for all ways: (way of calling, day) to scorecard.
    """

    def __init__(
        self,
        trial: Trial,
        ways: Sequence[str],
        learned: Learned,
        listing: Learned,
        cards: dict[tuple[str, int], Scorecard],
    ) -> None:
        more = later(trial.city, ways, seed=trial.seed, drift=DRIFT)
        again = trial.recorded_again(more)
        persons = {fraud.person for fraud in more.frauds}
        self.moments = [moment for moment in trial.moments if moment.person not in persons] + [
            one for one in again if one.person in persons
        ]
        self.of_person = by_person(self.moments)
        self.signals = sorted(
            [*trial.city.signals, *more.signals], key=lambda one: (one.event_at, one.signal_no)
        )
        self.truth = Truth([*trial.frauds, *more.frauds], trial.truth.stands_for)
        self.changed = [fraud for fraud in more.frauds if AFTER_FROM <= fraud.begins / 24 < AFTER_UNTIL - 1]
        self.rules, self.seed, self.cards = trial.rules, trial.seed, cards
        self.learned, self.listing = learned, listing

    @cached_property
    def town(self) -> Town:
        return Town(self.rules, self.signals, self.truth.of)

    def called(
        self, name: str = "", *, draws: bool = False, filed: bool = False, lists: bool = False
    ) -> list[Call]:
        """Of a way of calling that is fitted again each day under its `name`; without one it keeps its scorecard."""
        learned = self.listing if lists else self.learned
        now = [learned.card]

        def refit(day: int, calls: list[Call], pool: list[Pooled]) -> Score:
            if day >= DRIFT or (name, day) not in self.cards:
                every = [*learned.calls, *calls]
                labelled, *_ = labels_of(self.rules, every, self.of_person, self.truth, day, filed=filed)
                common = background_of(self.rules, [*learned.pool, *pool], day) if filed else None
                with suppress(TooFewLabels):
                    fitted = fit_scorecard(self.rules, learned.card, labelled, common).scorecard
                    now[0] = corrected(fitted, self.truth.stands_for)
                self.cards[name, day] = now[0]
            now[0] = self.cards[name, day]
            return Scoring(self.rules, now[0])

        return run_days(
            self.moments, self.truth, range(LEARN_UNTIL, AFTER_UNTIL), learned.budget, Scoring(self.rules, now[0]),
            drawn_share=DRAWN if draws else 0.0, seed=self.seed, refit=refit if name else None,
            lister=Lister(self.town, self.of_person, self.truth) if lists else None,
        )  # fmt: skip

    def counted(self, score: Score) -> list[Call]:
        """Without anything learned."""
        days = range(LEARN_UNTIL, AFTER_UNTIL)
        return run_days(self.moments, self.truth, days, self.learned.budget, score)

    def told(self) -> list[Call]:
        """By a challenger that was told the truth of every moment up to the days that count."""
        known = [moment for moment in self.moments if moment.hour < AFTER_FROM * 24]
        truths = [float(self.truth.is_right(one.person, one.hour)) for one in known]
        predict = challenger(known, truths, [1.0] * len(known))
        if predict is None:
            return []
        days = range(AFTER_FROM, AFTER_UNTIL)
        coming = [moment for moment in self.moments if moment.hour >= (AFTER_FROM - WARM_DAYS) * 24]
        score = scores_of(predict, coming, self.truth.stands_for)
        return run_days(coming, self.truth, days, self.learned.budget, score)

    def figures(self, *, briefly: bool) -> dict[str, Any]:
        """`briefly`: without the ways that only explain."""
        ways = {
            "ours": self.called("ours", draws=True, filed=True, lists=True),
            "learning_top_k": self.called("top-k"),
            "frozen_top_k": self.called(),
            "number_of_rules": self.counted(counted(raising_bits(self.rules))),
            "any_rule": self.counted(any_rule),
        }
        if not briefly:
            ways |= {
                "ours_without_lists": self.called("without lists", draws=True, filed=True),
                "learning_top_k_with_lists": self.called("top-k with lists", lists=True),
                "told_the_truth": self.told(),
            }
        figures: dict[str, Any] = {"frauds": len(self.changed)}
        for what, told in (("recall", ""), ("before_payment", "_before_payment")):
            found = {name: recall(calls, self.changed)[what] for name, calls in ways.items()}
            figures |= {name + told: value for name, value in found.items()}
            for name in ways:
                if not name.startswith(("ours", "told")):
                    least = max(found[name], 1 / max(1, len(self.changed)))
                    figures[f"ours_over_{name}{told}"] = round(found["ours"] / least, 2)
        return figures


class _Span:
    def __init__(self, days: range) -> None:
        self.days = days

    def __contains__(self, day: float) -> bool:
        return self.days.start <= day < self.days.stop


@dataclass(frozen=True, slots=True)
class Answer:
    """What rules fired, whether the warning was right, and for how many of the whole city it stands."""

    fired: int
    is_right: bool
    stands_for: float


def answered(calls: Sequence[Call]) -> list[Answer]:
    return [Answer(call.moment.fired, call.is_right, call.stands_for) for call in calls]


def calibrated(card: Scorecard, rules: RuleSet, answers: Sequence[Answer], name: str) -> dict[str, float]:
    """Calibration error, and what chance alone would make of perfect probabilities."""
    import numpy as np  # noqa: PLC0415 - the extra

    score = Scoring(rules, card)
    said = np.array([card.probability(score.points_at(answer.fired)) for answer in answers])
    right = np.array([float(answer.is_right) for answer in answers])
    weights = np.array([answer.stands_for for answer in answers])
    chance, counts = np.random.default_rng(1), np.maximum(1, np.rint(weights)).astype(int)
    lucky = [
        calibration_error(said.tolist(), (chance.binomial(counts, said) / counts).tolist(), counts.tolist())
        for _ in range(100)
    ]
    total = max(1.0, float(weights.sum()))
    said_mean, seen_mean = float(said @ weights) / total, float(right @ weights) / total
    return {
        name: round(calibration_error(said.tolist(), right.tolist(), weights.tolist()), 6),
        f"{name}_said": round(said_mean, 6),
        f"{name}_seen": round(seen_mean, 6),
        f"{name}_by_chance": round(float(np.mean(lucky)), 6),
        f"{name}_count": round(total),
        f"{name}_above_the_threshold": round(float(weights @ (said >= Bands().least_probability))),
    }


def score_against_counting(judged: Mapping[str, Any], drift: Mapping[str, Any]) -> dict[str, Any]:
    """What the fitted score finds beside the number of rules that fired and any rule, and whether it beats both."""
    found: dict[str, Any] = {"judged": _compared(
        {name: judged[way] for name, way in (
            ("score", "fitted"), ("number_of_rules", "rules_alone"), ("any_rule", "rules_as_they_come"),
        )}
    )}  # fmt: skip
    for name, figures in drift.items():
        ways = {"score": "ours", "number_of_rules": "number_of_rules", "any_rule": "any_rule"}
        found[f"after_the_{name}_drift"] = _compared({
            way: {"recall": figures[own], "before_payment": figures[f"{own}_before_payment"]}
            for way, own in ways.items()
        })  # fmt: skip
    return found


def _compared(ways: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    counts = {
        name: {what: figures[what] for what in ("recall", "before_payment")} for name, figures in ways.items()
    }
    beats = {
        what: all(counts["score"][what] > counts[name][what] for name in ("number_of_rules", "any_rule"))
        for what in ("recall", "before_payment")
    }
    return {**counts, "score_beats_both": beats}


def missed(moments: Sequence[Moment], truth: Truth, found: set[int]) -> int:
    """Frauds of the learning days that scored and were not called."""
    return len(
        {
            id(fraud)
            for moment in moments
            if moment.hour < LEARN_UNTIL * 24 and (fraud := truth.at(moment.person, moment.hour))
        }
        - found
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--people", type=int, default=40_000)
    parser.add_argument("--quick", action="store_true", help="8,000 people")
    parser.add_argument("--budgets", type=float, nargs="*", default=OTHER_BUDGETS, help="points of the curve")
    given = parser.parse_args()
    persons = 8_000 if given.quick else given.people
    print(json.dumps(run(given.seed, persons, given.budgets), indent=1))


if __name__ == "__main__":
    main()
