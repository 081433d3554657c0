"""The made-up city of the benches does not give its answer away."""

from __future__ import annotations

import pytest

from bench.signals_city import Truth, corrected, score_against_counting
from bench.signals_life import FILED_A_YEAR, INHABITANTS, NEW_WAYS, City, later, make
from dialer.signals.scorecard import Scorecard

PERSONS, DAYS = 1_500, 21


@pytest.fixture(scope="module")
def city() -> City:
    return make(11, PERSONS, DAYS, drift=7)


def test_nothing_is_heard_of_or_visited_in_frauds_alone(city: City):
    frauds = [city, later(city, tuple(NEW_WAYS), seed=11, drift=7)]
    victims = {b"%8d" % fraud.person for part in frauds for fraud in part.frauds}

    def topics(*, of_victims: bool) -> set[tuple[str, str]]:
        return {
            (signal.kind, signal.topic)
            for part in frauds
            for signal in part.signals
            if signal.topic and (signal.person in victims) is of_victims
        }

    assert topics(of_victims=True) <= topics(of_victims=False)
    assert len(topics(of_victims=False)) == 3 * 15


def test_as_many_cases_are_filed_as_in_the_year_of_the_project():
    long_city = make(5, 200, 364, drift=400)
    filed = [fraud for fraud in long_city.frauds if fraud.filed_day is not None]
    assert len(filed) == pytest.approx(FILED_A_YEAR, rel=0.15)
    assert long_city.stands_for == INHABITANTS / 200


def test_an_innocent_person_stands_for_many_and_a_victim_for_one(city: City):
    truth = Truth(city.frauds, city.stands_for)
    innocent = next(person for person in range(PERSONS) if person not in truth.of)
    assert truth.weight(city.frauds[0].person) == 1
    assert truth.weight(innocent) == INHABITANTS / PERSONS


def test_what_a_sample_taught_says_less_of_the_city():
    curve = Scorecard(slope=0.05, intercept=-1.0)
    stepped = Scorecard(steps=((0.0, 0.1), (50.0, 0.5), (100.0, 1.0)))
    for card in (curve, stepped):
        for score in (0, 50, 100):
            said, less = card.probability(score), corrected(card, 40.0).probability(score)
            assert less == pytest.approx(said / (said + (1 - said) * 40))


def test_a_score_must_find_more_than_counting_rules_and_than_any_rule():
    way = {"recall": 0.5, "before_payment": 0.4}
    judged = {"fitted": way | {"recall": 0.6}, "rules_alone": way, "rules_as_they_come": way}
    found = score_against_counting(judged, {})
    assert found["judged"]["score_beats_both"] == {"recall": True, "before_payment": False}
