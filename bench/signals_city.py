"""How well the warning robot finds frauds in a made-up city, beside simpler ways at the same budget; prints JSON.

    python -m bench.signals_city --seed 7 [--quick]

Days 0-20 a city runs on the shipped points, and each week on a scorecard fitted on what is known by then: answers of
the calls, of the random draw, and cases filed meanwhile. Days 21-31 are judged (`judged`) with the last one. On day 32 two
thirds of the frauds change; days 39-45 are judged again (`after_drift`): ours, refitted each day, against a top-k that
learns from its own calls alone and one that learns nothing. All figures are of a simulation; bench/signals_life.py says
what is assumed. LightGBM is the challenger where it is installed (extra `learning-bench`); else its figures are null.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Any

import numpy as np

from bench.signals_life import START, City, Fraud, make
from dialer.signals.budget import draw, missed_fraud
from dialer.signals.evaluation import Evaluator
from dialer.signals.features import ROW, micros
from dialer.signals.rules import Effect, RuleSet, shipped_rules
from dialer.signals.scorecard import Labelled, Scorecard, TooFewLabels, calibration_error, fit

DAYS, LEARN_UNTIL, JUDGED_UNTIL, DRIFT, AFTER_FROM, AFTER_UNTIL = 46, 21, 32, 32, 39, 46
A_DAY = 0.00048
"""Calls a day for each person of the city: docs/decisions/0716."""
DRAWN = 0.04
ANSWERS_AFTER = 1.0
"""Days until a call's answer is known."""


@dataclass(slots=True)
class Moment:
    """A scoring moment of a person, as the evaluator saw it."""

    hour: float
    person: int
    fired: int
    money: int
    figures: tuple[int, ...]


def raising_bits(rules: RuleSet) -> int:
    """Of the rules that are no mitigators."""
    return sum(1 << n for n, one in enumerate(rules.rules) if one.effect is Effect.POINTS)


class Recorder(Evaluator):
    """Keeps every scoring moment, under any points."""

    def __init__(self, rules: RuleSet) -> None:
        super().__init__(rules)
        self.moments: list[Moment] = []
        self.raising = raising_bits(rules)
        self.last: dict[int, tuple[int, int]] = {}

    def _reread(self, person: Any, _start: int, moments: Sequence[int]) -> None:
        key = self._slots[person.slot]
        assert key is not None
        for t in moments:
            rows = [row for row in ROW.iter_unpack(person.rows) if row[0] <= t]
            fired, money = self._score(rows, t, self._listings, person.known)
            if not fired & self.raising or self.last.get(person.slot) == (fired, money):
                continue
            self.last[person.slot] = (fired, money)
            trace = self._compiled.trace(rows, t, self._listings, person.known)
            self.moments.append(Moment((t - micros(START)) / 3.6e9, int(key), fired, money, trace.figures))

    def _told(self, _key: bytes, _person: Any, _before: Any) -> list[Any]:
        """Verdicts are not wanted."""
        return []


REMEMBERED = 14 * 24
"""Hours after the first payment in which a call is answered with it."""


class Truth:
    """Whether a person was being defrauded at an hour: from the beginning until two days after the first payment."""

    def __init__(self, frauds: Sequence[Fraud]) -> None:
        self.of: dict[int, list[Fraud]] = {}
        for one in frauds:
            self.of.setdefault(one.person, []).append(one)

    def at(self, person: int, hour: float) -> Fraud | None:
        return next(
            (one for one in self.of.get(person, ()) if one.begins <= hour <= one.first_payment + 48), None
        )

    def is_right(self, person: int, hour: float) -> bool:
        """What a call at that hour is answered: there was a scammer, or money is already lost."""
        return any(one.begins <= hour <= one.first_payment + REMEMBERED for one in self.of.get(person, ()))


Score = Callable[[Moment], float]


Pooled = tuple[int, Moment]
"""Of the draw's pool: the day, and who was below the line and not drawn."""


@dataclass(slots=True)
class Call:
    moment: Moment
    score: float
    weight: float
    drawn: bool
    fraud: Fraud | None
    is_right: bool
    """What the person answers; also where the fraud is over by then, so that `fraud` is None."""


HELD_HOURS = 72
"""Who has had no scoring moment for so long is held no more; and so long a person is not called again."""
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
    refit: Callable[[int, list[Call], list[Pooled]], Score] | None = None,
    pool: list[Pooled] | None = None,
) -> list[Call]:
    """Calls of these days. As in the robot nobody is dropped: places come evenly over the day, and each goes to the best
    who is held then, or to the next who scores; a person is held with the strongest moment of the incident.
    """
    pool = [] if pool is None else pool
    queue = _Queue(truth, budget * (1 - drawn_share) / 24, score)
    by_day: dict[int, list[Moment]] = {}
    for one in sorted(moments, key=lambda one: one.hour):
        by_day.setdefault(int(one.hour // 24), []).append(one)
    for day in range(days.start - WARM_DAYS, days.stop):
        if day == days.start:
            queue.calls.clear()
        if refit is not None and day in days:
            queue.use(refit(day, queue.calls, pool))
        for one in by_day.get(day, []):
            queue.add(one)
        queue.run_until((day + 1) * 24)
        if day in days:
            below = {str(one.person): one for one in queue.held_since(day * 24)}
            for name in draw(below, budget * drawn_share, seed=b"%d %d" % (seed, day)):
                queue.call(below.pop(name.key), weight=1 / name.probability, drawn=True)
            pool += [(day, one) for one in below.values()]
    return queue.calls


class _Queue:
    """Persons who are held, and the places that come: `rate` an hour, at most an hour's of them unused."""

    def __init__(self, truth: Truth, rate: float, score: Score) -> None:
        self.calls: list[Call] = []
        self._truth, self._rate, self._score = truth, rate, score
        self._now = self._places = 0.0
        self._heap: list[tuple[float, float, int]] = []
        self._held: dict[int, tuple[float, Moment]] = {}
        self._latest: dict[int, float] = {}
        self._called: dict[int, float] = {}

    def use(self, score: Score) -> None:
        """From now on, for those who are held as well."""
        self._score = score
        self._held = {person: (score(one), one) for person, (_, one) in self._held.items()}
        self._heap = [(-value, one.hour, one.person) for value, one in self._held.values()]
        heapify(self._heap)

    def add(self, one: Moment) -> None:
        self.run_until(one.hour)
        if self._called.get(one.person, -1e9) > one.hour - HELD_HOURS:
            return
        self._latest[one.person] = one.hour
        value = self._score(one)
        if value > self._held.get(one.person, (0.0, one))[0]:
            self._held[one.person] = (value, one)
            heappush(self._heap, (-value, one.hour, one.person))
        elif one.person not in self._held:
            self._held[one.person] = (0.0, one)
        self.run_until(one.hour)

    def run_until(self, hour: float) -> None:
        while True:
            due = self._now + max(0.0, 1 - self._places) / self._rate
            if due > hour or (one := self._best(due)) is None:
                break
            self._places = min(self._places + (due - self._now) * self._rate, max(1.0, self._rate))
            self._places -= 1
            self._now = due
            self.call(one)
        self._places = min(self._places + (hour - self._now) * self._rate, max(1.0, self._rate))
        self._now = hour

    def _best(self, hour: float) -> Moment | None:
        while self._heap:
            value, since, person = self._heap[0]
            held = self._held.get(person)
            if held is not None and (-held[0], held[1].hour) == (value, since):
                if self._latest[person] > hour - HELD_HOURS:
                    return held[1]
                del self._held[person]
            heappop(self._heap)
        return None

    def call(self, one: Moment, *, weight: float = 1.0, drawn: bool = False) -> None:
        """Now."""
        value, _ = self._held.pop(one.person)
        self._called[one.person] = self._now
        called = Moment(self._now, one.person, one.fired, one.money, one.figures)
        fraud = self._truth.at(one.person, self._now)
        is_right = self._truth.is_right(one.person, self._now)
        self.calls.append(Call(called, value, weight, drawn=drawn, fraud=fraud, is_right=is_right))

    def held_since(self, hour: float) -> list[Moment]:
        """Who has had a moment since then and is still held."""
        return [one for _, one in self._held.values() if self._latest[one.person] >= hour]


def recall(calls: Sequence[Call], frauds: Sequence[Fraud]) -> dict[str, float]:
    """Of the frauds: warned at all while it went on, and before the first payment."""
    first: dict[int, float] = {}
    for one in calls:
        if one.fraud is not None:
            first[id(one.fraud)] = min(first.get(id(one.fraud), 1e9), one.moment.hour)
    found = [one for one in frauds if id(one) in first]
    early = [one for one in found if first[id(one)] < one.first_payment]
    total = max(1, len(frauds))
    return {
        "recall": round(len(found) / total, 4), "before_payment": round(len(early) / total, 4),
        "precision": round(len([one for one in calls if one.fraud]) / max(1, len(calls)), 4), "calls": len(calls),
    }  # fmt: skip


def ratio(ours: float, theirs: float) -> float:
    return round(ours / max(1e-9, theirs), 3)


RECENT_DAYS = 28
"""What is older is not learned from."""


class Scoring:
    """Points of a scorecard over the bits of rules, remembered."""

    def __init__(self, rules: RuleSet, card: Scorecard) -> None:
        self.points, self.known = card.points_of(rules), {}

    def __call__(self, one: Moment) -> float:
        value = self.known.get(one.fired)
        if value is None:
            value = self.known[one.fired] = max(
                0.0, sum(p for n, p in enumerate(self.points) if one.fired >> n & 1)
            )
        return value + min(one.money, 10**9) / 10**12


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
) -> tuple[list[Labelled], list[Moment], list[float], list[float]]:
    """What is known on a day: answers of calls, and, where `filed`, cases filed by then of people not called."""
    ids = [one.id for one in rules.rules]
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
        Labelled(
            fired=frozenset(name for bit, name in enumerate(ids) if one.fired >> bit & 1),
            is_fraud=y, weight=w, called=place < answered,
        )
        for place, (one, y, w) in enumerate(rows)
    ]  # fmt: skip
    return labelled, [one for one, _, _ in rows], [float(y) for _, y, _ in rows], [w for _, _, w in rows]


def background_of(rules: RuleSet, pool: Sequence[Pooled], day: int) -> dict[frozenset[str], int]:
    """How many below the line had which rules, as the draws noted it."""
    bits: dict[int, int] = {}
    for when, one in pool:
        if day - RECENT_DAYS <= when < day:
            bits[one.fired] = bits.get(one.fired, 0) + 1
    ids = [one.id for one in rules.rules]
    return {
        frozenset(name for bit, name in enumerate(ids) if fired >> bit & 1): count
        for fired, count in bits.items()
    }


def challenger(
    moments: Sequence[Moment], labels: Sequence[float], weights: Sequence[float]
) -> Callable[[Sequence[Moment]], Any] | None:
    try:
        import lightgbm  # noqa: PLC0415 - where it is installed
    except ImportError:
        return None
    model = lightgbm.train(
        {"objective": "binary", "num_leaves": 15, "learning_rate": 0.05, "min_data_in_leaf": 20, "verbose": -1, "num_threads": 1,
         "deterministic": True, "seed": 1},
        lightgbm.Dataset(_table(moments), np.array(labels), weight=np.array(weights)), num_boost_round=200,
    )  # fmt: skip
    return lambda rows: model.predict(_table(rows))


def _table(moments: Sequence[Moment]) -> Any:
    return np.array([[*one.figures, one.money] for one in moments], dtype=float)


def run(seed: int, persons: int) -> dict[str, Any]:
    began = time.perf_counter()
    city: City = make(seed, persons, DAYS, DRIFT)
    rules = shipped_rules()
    recorder = Recorder(rules)
    for one in city.signals:
        recorder.apply(one)
    figures = judged_by(rules, recorder.moments, city.frauds, seed=seed, persons=persons)
    seconds = round(time.perf_counter() - began, 1)
    return {"seed": seed, "persons": persons, "signals": len(city.signals), **figures, "seconds": seconds}


def judged_by(
    rules: RuleSet, moments: Sequence[Moment], all_frauds: Sequence[Fraud], *, seed: int, persons: int
) -> dict[str, Any]:
    """All figures of a city whose scoring moments were recorded."""
    truth = Truth(all_frauds)
    of_person: dict[int, list[Moment]] = {}
    for moment in moments:
        of_person.setdefault(moment.person, []).append(moment)
    budget = max(8, round(persons * A_DAY))
    shipped = Scorecard()

    pool: list[Pooled] = []

    def weekly(day: int, calls: list[Call], pool: list[Pooled]) -> Score:
        known = labels_of(rules, calls, of_person, truth, day - day % 7, filed=True)[0]
        try:
            return Scoring(rules, fit(rules, shipped, known, background_of(rules, pool, day)).scorecard)
        except TooFewLabels:
            return Scoring(rules, shipped)

    learning = run_days(
        moments,
        truth,
        range(LEARN_UNTIL),
        budget,
        Scoring(rules, shipped),
        drawn_share=DRAWN,
        seed=seed,
        refit=weekly,
        pool=pool,
    )
    labelled, rows, answers, weights = labels_of(rules, learning, of_person, truth, LEARN_UNTIL, filed=True)
    fitted = fit(rules, shipped, labelled, background_of(rules, pool, LEARN_UNTIL))
    common = [one for _, one in pool]
    rows, answers, weights = rows + common, answers + [0.0] * len(common), [1.0] * (len(rows) + len(common))
    judged = range(LEARN_UNTIL, JUDGED_UNTIL)
    frauds = [
        one
        for one in all_frauds
        if one.begins / 24 in _Span(judged) and one.first_payment / 24 < JUDGED_UNTIL
    ]
    ways: dict[str, Score | None] = {
        "rules_alone": counted(raising_bits(rules)), "shipped_points": Scoring(rules, shipped), "fitted": Scoring(rules, fitted.scorecard),
    }  # fmt: skip
    predict = challenger(rows, answers, weights)
    if predict is not None:
        scores = dict(zip(map(id, moments), predict(moments).tolist(), strict=True))
        ways["lightgbm"] = lambda one: scores.get(id(one), 0.0)
    figures: dict[str, Any] = dict.fromkeys(("rules_alone", "shipped_points", "fitted", "lightgbm"))
    kept: dict[str, list[Call]] = {}
    for name, score in ways.items():
        if score is not None:
            kept[name] = run_days(moments, truth, judged, budget, score)
            figures[name] = recall(kept[name], frauds)
    figures["fitted_over_rules_alone"] = ratio(figures["fitted"]["recall"], figures["rules_alone"]["recall"])
    if predict is not None:
        figures["points_behind_lightgbm"] = round(
            100 * (figures["lightgbm"]["recall"] - figures["fitted"]["recall"]), 2
        )
    figures["fitted_over_rules_alone_at_less"] = {
        share: ratio(
            *(
                recall(run_days(moments, truth, judged, round(budget * float(share)), score), frauds)[
                    "recall"
                ]
                for score in (ways["fitted"], ways["rules_alone"])
                if score is not None
            )
        )
        for share in ("0.5", "0.25")
    }
    figures["before_payment_over_rules_alone"] = ratio(
        figures["fitted"]["before_payment"], figures["rules_alone"]["before_payment"]
    )
    figures["calibration_error"] = round(calibrated(fitted.scorecard, rules, kept["fitted"]), 4)
    figures["frauds"] = len(frauds)
    drawn = [one for one in learning if one.drawn]
    found = {id(one.fraud) for one in learning if not one.drawn}
    estimate = missed_fraud((1 / one.weight, one.fraud is not None) for one in drawn)
    figures["drawn_in_learning"] = {
        "drawn": len(drawn), "frauds_among_them": sum(one.fraud is not None for one in drawn), "estimate": round(estimate.value, 1),
        "low": round(estimate.low, 1), "high": round(estimate.high, 1), "missed_in_truth": missed(moments, truth, found),
    }  # fmt: skip
    return {
        "frauds": len(all_frauds), "budget_a_day": budget,
        "labels": {"right": fitted.positive, "wrong": fitted.negative}, "simulated": True,
        "judged": figures,
        "after_drift": after_drift(moments, truth, of_person, rules, fitted.scorecard, learning, pool, budget, seed, all_frauds),
    }  # fmt: skip


class _Span:
    def __init__(self, days: range) -> None:
        self.days = days

    def __contains__(self, day: float) -> bool:
        return self.days.start <= day < self.days.stop


def calibrated(card: Scorecard, rules: RuleSet, calls: Sequence[Call]) -> float:
    """Calibration error of the calls that were made: probability against whether it was a fraud."""
    points = card.points_of(rules)
    scores = [max(0.0, sum(p for n, p in enumerate(points) if one.moment.fired >> n & 1)) for one in calls]
    return calibration_error(
        [card.probability(one) for one in scores],
        [float(one.is_right) for one in calls],
        [1.0] * len(calls),
    )


def missed(moments: Sequence[Moment], truth: Truth, found: set[int]) -> int:
    """Frauds of the learning days that scored and were not called."""
    return len(
        {
            id(fraud)
            for one in moments
            if one.hour < LEARN_UNTIL * 24 and (fraud := truth.at(one.person, one.hour))
        }
        - found
    )


def after_drift(
    moments: Sequence[Moment], truth: Truth, of_person: Mapping[int, list[Moment]], rules: RuleSet, card: Scorecard,
    learning: list[Call], before: list[Pooled], budget: int, seed: int, frauds: Sequence[Fraud],
) -> dict[str, Any]:  # fmt: skip
    """Recall of the changed frauds, seven days after the change."""
    changed = [one for one in frauds if one.after_drift and AFTER_FROM <= one.begins / 24 < AFTER_UNTIL - 1]
    days = range(LEARN_UNTIL, AFTER_UNTIL)

    def refits(*, filed: bool) -> Callable[[int, list[Call], list[Pooled]], Score]:
        now = [card]

        def refit(day: int, calls: list[Call], pool: list[Pooled]) -> Score:
            labelled, *_ = labels_of(rules, [*learning, *calls], of_person, truth, day, filed=filed)
            common = background_of(rules, [*before, *pool], day) if filed else None
            with suppress(TooFewLabels):
                now[0] = fit(rules, card, labelled, common).scorecard
            return Scoring(rules, now[0])

        return refit

    ours = run_days(
        moments,
        truth,
        days,
        budget,
        Scoring(rules, card),
        drawn_share=DRAWN,
        seed=seed,
        refit=refits(filed=True),
    )
    own_calls = run_days(moments, truth, days, budget, Scoring(rules, card), refit=refits(filed=False))
    frozen = run_days(moments, truth, days, budget, Scoring(rules, card))
    ways = {"ours": ours, "top_k_of_own_calls": own_calls, "frozen_top_k": frozen}
    figures: dict[str, Any] = {"frauds": len(changed)}
    for what, told in (("recall", ""), ("before_payment", "_before_payment")):
        found = {name: recall(calls, changed)[what] for name, calls in ways.items()}
        figures |= {name + told: value for name, value in found.items()}
        best = max(found["top_k_of_own_calls"], found["frozen_top_k"], 1 / max(1, len(changed)))
        figures["ours_over_pure_top_k" + told] = round(found["ours"] / best, 2)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    print(json.dumps(run(given.seed, 8_000 if given.quick else 40_000), indent=1))


if __name__ == "__main__":
    main()
