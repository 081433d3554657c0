"""Rules as functions: `RuleReader` reads the observations of a person at a moment and finds the rules that fire. Pure.

A window is exact: at a moment `t`, an observation counts if `t - within < at <= t`. Features that several rules share
are computed once.
"""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

from dialer.signals.model import FLAGS, Direction, ListKind, SignalKind
from dialer.signals.observations import SECOND, Facts, Listings, Observation, to_microseconds
from dialer.signals.rules import Aggregate, Feature, Op, Rule, RuleSet, Test, Where

MONEY_SECONDS: Final = 72 * 3600
"""The window of the money at risk, and of the contacts that a change of a list finds."""
FORGET_SECONDS: Final = 30 * 86400
"""An item that a person has not touched for this long counts as new."""
_FORGET: Final = FORGET_SECONDS * SECOND
_MONEY: Final = MONEY_SECONDS * SECOND

Contacts = dict[int, tuple[int, int]]
"""By item, the first and the last contact of a person with it."""

COMPARE: Final[Mapping[Op, Callable[[Any, Any], bool]]] = {
    Op.EQ: operator.eq,
    Op.NE: operator.ne,
    Op.GE: operator.ge,
    Op.LE: operator.le,
    Op.GT: operator.gt,
    Op.LT: operator.lt,
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What the rules found at a moment: the places of those that fired, the money at risk, and by the place of a
    feature its figure (0 if missing) and the indexes of the observations that it counted.
    """

    fired: tuple[int, ...]
    money_fen: int
    figures: Mapping[int, int]
    counted: Mapping[int, Sequence[int]]


_FactsTest = Callable[[Facts], bool]
_MomentTest = Callable[[Observation, int, AbstractSet[ListKind], int], bool]
"""Of an observation, the first contact with its first item, the kinds of lists with its items, and the moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counter:
    """A feature as functions. `facts_tests` depend on the facts alone, `moment_tests` on everything."""

    place: int
    feature: Feature
    within: int
    gap: int
    after: int | None
    facts_tests: tuple[_FactsTest, ...]
    moment_tests: tuple[_MomentTest, ...]


class RuleReader:
    """The functions of a rule set. `facts` are those that observations refer to; they and the listings may grow.
    `names[n]` maps the features of rule n to their places; `longest_seconds` is the longest of all windows.
    """

    def __init__(self, rules: RuleSet, facts: Sequence[Facts], listings: Listings) -> None:
        self._facts, self._listings = facts, listings
        places: dict[Feature, int] = {}

        def place_of(feature: Feature) -> int:
            if feature.after is not None:
                place_of(feature.after)
            return places.setdefault(feature, len(places))

        self.names = tuple(
            {name: place_of(feature) for name, feature in rule.features.items()} for rule in rules.rules
        )
        self.feature_count = len(places)
        longest = max((feature.within_seconds for feature in places), default=0)
        self.longest_seconds = max(longest, MONEY_SECONDS)
        # A feature that comes after another looks for it before the same observation is counted there.
        self._counters = [self._counter(feature, places) for feature in places][::-1]
        self._aggregates = {place: _aggregate(feature) for feature, place in places.items()}
        self._counters_of_facts: dict[int, tuple[_Counter, ...]] = {}
        self._always: list[tuple[int, _RuleTest]] = []
        self._if_counted: dict[int, list[tuple[int, _RuleTest]]] = defaultdict(list)
        for n, (rule, names) in enumerate(zip(rules.rules, self.names, strict=True)):
            needed = next((names[test.feature] for test in rule.all_of if needs_any(test)), None)
            waiting = self._always if needed is None else self._if_counted[needed]
            waiting.append((n, _rule_test(rule, names)))

    def _relevant(self, place: int) -> tuple[_Counter, ...]:
        found = self._counters_of_facts.get(place)
        if found is None:
            facts = self._facts[place]
            found = self._counters_of_facts[place] = tuple(
                counter
                for counter in self._counters
                if facts.kind in counter.feature.kinds and all(test(facts) for test in counter.facts_tests)
            )
        return found

    def read_at(self, t: int, observations: Sequence[Observation], known: Contacts) -> Reading:
        """What the rules find in the observations up to `t`, oldest first. `known` are the contacts of observations
        that were dropped.
        """
        contacts = dict(known)
        counted: dict[int, list[int]] = {}
        money = 0
        for n, observation in enumerate(observations):
            at, place, figure, items, _ = observation
            first = touch(contacts, items[0], at)[0] if items else at
            if figure > money and at > t - _MONEY and _is_at_risk(self._facts[place]):
                money = figure
            lists = self._listings.kinds_at(items, t, source=self._facts[place].source)
            for counter in self._relevant(place):
                if at <= t - counter.within:
                    continue
                if counter.after is not None:
                    earlier = counted.get(counter.after)
                    if earlier is None:
                        continue
                    if counter.gap and at - observations[earlier[-1]].at > counter.gap:
                        continue
                for test in counter.moment_tests:
                    if not test(observation, first, lists, t):
                        break
                else:
                    counted.setdefault(counter.place, []).append(n)
        figures = {
            place: self._aggregates[place]([observations[n] for n in rows]) for place, rows in counted.items()
        }
        waiting = [*self._always, *(rule for place in counted for rule in self._if_counted.get(place, ()))]
        fired = tuple(sorted(n for n, fires in waiting if fires(figures, t)))
        return Reading(fired, money, figures, counted)

    def _counter(self, feature: Feature, places: Mapping[Feature, int]) -> _Counter:
        return _Counter(
            place=places[feature],
            feature=feature,
            within=feature.within_seconds * SECOND,
            gap=feature.gap_seconds * SECOND,
            after=None if feature.after is None else places[feature.after],
            facts_tests=tuple(filter(None, map(_facts_test, feature.where))),
            moment_tests=tuple(filter(None, map(self._moment_test, feature.where))),
        )

    def _moment_test(self, where: Where) -> _MomentTest | None:
        if where.name == "listed":
            kinds, is_not = {ListKind(str(value)) for value in where.values}, where.op is Op.NE
            if ListKind.TRUSTED in kinds and not is_not:
                # What lowers points may rest on confirmed items alone.
                kinds_at = self._listings.kinds_at
                return lambda observation, _first, _lists, t: (
                    not kinds.isdisjoint(kinds_at(observation.items, t))
                )
            return lambda _observation, _first, lists, _t: kinds.isdisjoint(lists) is is_not
        value = where.values[0]
        if where.name in FLAGS or not isinstance(value, int):
            return None
        compare = COMPARE[where.op]
        # Hours by an exact comparison of microseconds: >= 24 means at least 24 h, = 0 means now or never before.
        hours = value * 3600 * SECOND
        if where.name == "known_hours":
            return lambda observation, first, _lists, _t: compare(observation.at - first, hours)
        if where.name == "listed_hours":
            entered_at = self._listings.entered_at
            return lambda observation, _first, _lists, t: compare(t - entered_at(observation.items, t), hours)
        return lambda observation, _first, _lists, _t: compare(observation.figure, value)

    def sources_of(self, observation: Observation, feature: Feature, at: int) -> set[str]:
        """The sources without which the feature would not have counted the observation at `at`: its own, and that which
        has its item in a list, if it is the only one.
        """
        kinds = {
            ListKind(str(value))
            for where in feature.where
            if where.name == "listed" and where.op is not Op.NE
            for value in where.values
        }
        listing = self._listings.sources_listing(observation.items, kinds, at) if kinds else set()
        return {self._facts[observation.facts].source} | (listing if len(listing) == 1 else set())


def touch(contacts: Contacts, item: int, at: int) -> tuple[int, int]:
    """Notes a contact with the item; returns the first contact, which is this one if the last was forgotten."""
    first, last = contacts.get(item, (at, at))
    contacts[item] = found = (at if at - last > _FORGET else first, at)
    return found


def _is_at_risk(facts: Facts) -> bool:
    if facts.kind is SignalKind.PAYMENT_ATTEMPT:
        return facts.direction is Direction.OUT
    return facts.kind is SignalKind.REPORT


def _facts_test(where: Where) -> _FactsTest | None:
    name, values, is_not = where.name, where.values, where.op is Op.NE
    if name in FLAGS:
        wanted = bool(values[0])
        return lambda facts: (name in facts.flags) is wanted
    if name in {"direction", "topic", "fraud_type", "grade", "reporter"}:
        return lambda facts: (getattr(facts, name) in values) is not is_not
    return None


_Figure = Callable[[Sequence[Observation]], int]
_FIGURES: Final[Mapping[Aggregate, _Figure]] = {
    Aggregate.COUNT: len,
    Aggregate.SUM: lambda observations: sum(observation.figure for observation in observations),
    Aggregate.MAX: lambda observations: max(observation.figure for observation in observations),
    Aggregate.DISTINCT: lambda observations: len(
        {tuple(observation.items[:1]) for observation in observations}
    ),
}


def _aggregate(feature: Feature) -> _Figure:
    figure = _FIGURES[feature.aggregate]
    if not feature.per_item or feature.aggregate is Aggregate.DISTINCT:
        return figure

    def largest_of_one_item(observations: Sequence[Observation]) -> int:
        by_item: dict[tuple[int, ...], list[Observation]] = defaultdict(list)
        for observation in observations:
            by_item[tuple(observation.items[:1])].append(observation)
        return max(map(figure, by_item.values()))

    return largest_of_one_item


_RuleTest = Callable[[Mapping[int, int], int], bool]


def bound_of(test: Test, names: Mapping[str, int], figures: Mapping[int, int]) -> float:
    """What the test compares its feature with."""
    return test.factor * (figures.get(names[test.other], 0) if test.other else 1)


def test_passes(test: Test, names: Mapping[str, int], figures: Mapping[int, int]) -> bool:
    """Whether a test passes with the figures of a reading."""
    return COMPARE[test.op](figures.get(names[test.feature], 0), bound_of(test, names, figures))


def _rule_test(rule: Rule, names: Mapping[str, int]) -> _RuleTest:
    since = 0 if rule.since is None else to_microseconds(rule.since)
    until = None if rule.until is None else to_microseconds(rule.until)

    def fires(figures: Mapping[int, int], t: int) -> bool:
        return (
            all(test_passes(test, names, figures) for test in rule.all_of)
            and (not rule.any_of or any(test_passes(test, names, figures) for test in rule.any_of))
            and t >= since
            and (until is None or t < until)
        )

    return fires


def needs_any(test: Test) -> bool:
    """Whether the test fails as long as its feature has counted nothing."""
    return not test.other and test.factor > 0 and test.op in {Op.EQ, Op.GE, Op.GT}


def counted_by(reading: Reading, places: Iterable[int]) -> list[int]:
    """The indexes of the observations that any of these features counted, oldest first."""
    return sorted({n for place in places for n in reading.counted.get(place, ())})
