"""What a verdict rests on: points, the rules that fired with their signals, and what would have kept them. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Final, NamedTuple

from dialer.core.values import FraudType, Grade
from dialer.signals.conditions import kept_from_firing
from dialer.signals.features import Reading, RuleReader, bound_of, counted_by, needs_any, test_passes
from dialer.signals.incidents import Incident, PersonState, Point
from dialer.signals.observations import Facts, Observation, from_microseconds
from dialer.signals.rules import Effect, RuleSet, Test
from dialer.signals.scorecard import Scorecard
from dialer.signals.verdicts import (
    Bands,
    Counterfactual,
    FiredRule,
    SignalName,
    Verdict,
    VerdictChange,
    fill_reason,
)

MOST_NAMED: Final = 50
"""The most signals that a reason names, the newest of those that its rule counted: each verdict opens them again."""
_FRAUD_TYPES: Final = tuple(FraudType)


class _Score(NamedTuple):
    score: int
    probability: float
    floor: int


class Scorer:
    """The points of rules that fired together make a score, and with the money at risk the rank of a grade."""

    def __init__(self, rules: RuleSet, scorecard: Scorecard, bands: Bands) -> None:
        self.points = scorecard.points_of(rules)
        self._floors = [rule.floor.rank if rule.floor else 0 for rule in rules.rules]
        self._scorecard, self._bands = scorecard, bands
        self._scores: dict[tuple[int, ...], _Score] = {}

    def point(self, at: int, fired: tuple[int, ...], money_fen: int) -> Point:
        """The scoring moment at which these rules fired."""
        known = self._scores.get(fired)
        if known is None:
            score = max(0, sum(self.points[n] for n in fired))
            floor = max((self._floors[n] for n in fired), default=0)
            known = self._scores[fired] = _Score(score, self._scorecard.probability(score), floor)
        grade = self._bands.grade(known.probability, money_fen) if known.score else None
        return Point(at, max(known.floor, grade.rank if grade else 0), known.score, money_fen, fired)


def grade_of_rank(rank: int) -> Grade | None:
    """The grade with this rank; None for 0."""
    return next((grade for grade in Grade if grade.rank == rank), None)


class Explainer:
    """Makes verdicts. `facts` are those that observations refer to."""

    def __init__(
        self, rules: RuleSet, scorecard: Scorecard, scorer: Scorer, reader: RuleReader, facts: Sequence[Facts]
    ) -> None:
        self._rules, self._scorecard = rules.rules, scorecard
        self._scorer, self._reader, self._facts = scorer, reader, facts

    def verdict(self, person: PersonState, incident: Incident, change: VerdictChange) -> Verdict:
        """The verdict on an incident, with everything that it rests on."""
        best = incident.best
        is_gone = change is VerdictChange.WITHDRAWN
        observations = person.observations[: bisect_right(person.observations, best.at, key=attrgetter("at"))]
        reading = self._reader.read_at(best.at, observations, person.contacts)
        fired = () if is_gone else best.fired
        raising = [n for n in fired if self._rules[n].effect is Effect.POINTS]
        return Verdict(
            person=person.key,
            change=change,
            at=from_microseconds(best.at),
            since=from_microseconds(incident.since),
            score=0 if is_gone else best.score,
            probability=0.0 if is_gone else self._scorecard.probability(best.score),
            grade=None if is_gone else grade_of_rank(best.rank),
            fraud_type=self._fraud_type(raising, reading, observations),
            money_fen=best.money_fen,
            hits=tuple(self._hit(n, best.at, reading, observations) for n in raising),
            mitigators=tuple(self._hit(n, best.at, reading, observations) for n in fired if n not in raising),
            kept=tuple(kept for n in raising for kept in self._kept(n, reading, best)),
            calming=self._calming(best),
        )

    def _hit(self, n: int, at: int, reading: Reading, observations: Sequence[Observation]) -> FiredRule:
        rule, names = self._rules[n], self._reader.names[n]
        used = [observations[place] for place in counted_by(reading, names.values())[-MOST_NAMED:]]
        signals = sorted(SignalName(self._facts[seen.facts].source, seen.signal_no) for seen in used)
        values = {name: reading.figures.get(place, 0) for name, place in names.items()}
        return FiredRule(
            rule=rule.id,
            version=rule.version,
            points=abs(self._scorer.points[n]),
            values=values,
            signals=tuple(signals),
            sources=tuple(sorted(self._needed_sources(n, at, reading, observations))),
            reason={language: fill_reason(template, values) for language, template in rule.reason.items()},
        )

    def _needed_sources(
        self, n: int, at: int, reading: Reading, observations: Sequence[Observation]
    ) -> set[str]:
        """The sources without any of which the rule would not have fired: on them depends everything that one of its
        features counted.
        """
        rule, names = self._rules[n], self._reader.names[n]

        def needed(test: Test) -> set[str]:
            counted = [observations[place] for place in reading.counted.get(names[test.feature], ())]
            feature = rule.features[test.feature]
            return set.intersection(*(self._reader.sources_of(seen, feature, at) for seen in counted or ()))

        tests = [test for test in (*rule.all_of, *rule.any_of) if needs_any(test)]
        counted = {test for test in tests if reading.counted.get(names[test.feature])}
        found = {source for test in rule.all_of if test in counted for source in needed(test)}
        passing = [test for test in rule.any_of if test_passes(test, names, reading.figures)]
        if passing and counted.issuperset(passing):
            found |= set.intersection(*map(needed, passing))
        return found

    def _kept(self, n: int, reading: Reading, best: Point) -> Iterable[Counterfactual]:
        rule, names = self._rules[n], self._reader.names[n]
        others = tuple(place for place in best.fired if place != n)
        enough = not self._scorer.point(best.at, others, best.money_fen).rank
        for test in (*rule.all_of, *(rule.any_of if len(rule.any_of) == 1 else ())):
            if not test_passes(test, names, reading.figures):
                continue
            bound = bound_of(test, names, reading.figures)
            figure = reading.figures.get(names[test.feature], 0)
            yield Counterfactual(
                rule=rule.id,
                feature=test.feature,
                figure=figure,
                op=test.op,
                bound=bound,
                said=kept_from_firing(test, rule.features[test.feature], figure=figure, bound=bound),
                enough=enough,
            )

    def _calming(self, best: Point) -> tuple[str, ...]:
        if not best.rank:
            return ()
        return tuple(
            rule.id
            for n, rule in enumerate(self._rules)
            if rule.effect is Effect.MITIGATOR
            and n not in best.fired
            and not self._scorer.point(best.at, tuple(sorted((*best.fired, n))), best.money_fen).rank
        )

    def _fraud_type(
        self, raising: Sequence[int], reading: Reading, observations: Sequence[Observation]
    ) -> FraudType:
        """The type with the most points; of equal ones the first in the order of the ministry. Rules without a type do
        not count.
        """
        points: dict[FraudType, int] = {}
        for n in raising:
            own = self._rules[n].fraud_type
            used = counted_by(reading, self._reader.names[n].values())
            named = {self._facts[observations[place].facts].fraud_type for place in used}
            for fraud_type in filter(None, {own} if own else named):
                points[fraud_type] = points.get(fraud_type, 0) + self._scorer.points[n]
        points.pop(FraudType.UNKNOWN, None)
        return max(
            points, key=lambda name: (points[name], -_FRAUD_TYPES.index(name)), default=FraudType.UNKNOWN
        )
