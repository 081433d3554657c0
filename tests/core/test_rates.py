"""A rate is a part of a whole, says of what, and is explained."""

from __future__ import annotations

import hashlib

import pytest

from dialer.core.errors import Invalid
from dialer.core.rates import (
    COUNT_NAMES,
    DEFINITIONS,
    CaseFilter,
    Counts,
    Definition,
    FirstAttempt,
    Money,
    Rate,
    rates_of,
)
from dialer.core.values import Grade
from dialer.db.measures import ASSIGNMENT_MEASURES, CALL_MEASURES, CASE_MEASURES, WARNING_MEASURES
from tests.docs import rates

METRICS = rates.PAGE.read_text("utf-8")
by_name = pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda d: d.name)


@by_name
def test_every_rate_is_of_things_that_are_counted(definition: Definition):
    assert {definition.numerator, definition.denominator, *definition.excludes} <= set(COUNT_NAMES)
    assert definition.numerator != definition.denominator


def test_every_count_is_explained():
    missing = [name for name in COUNT_NAMES if f"`{name}`" not in METRICS]
    assert missing == []


def test_the_page_of_the_rates_is_fresh():
    shown = METRICS.partition(rates.BEGIN)[2].partition(rates.END)[0]
    assert shown == rates.section(), "write it anew: python -m tests.docs.rates"


CONDITIONS = {
    **{name: condition for part in (WARNING_MEASURES, CASE_MEASURES) for name, condition in part.items()},
    **{name: condition for part in (CALL_MEASURES, ASSIGNMENT_MEASURES) for name, condition in part.items()},
}


def digest(definition: Definition) -> str:
    """Of everything that a rate counts."""
    names = (definition.numerator, definition.denominator, *definition.excludes)
    parts = (definition.basis.value, *(f"{name}: {CONDITIONS[name]}" for name in names))
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=4).hexdigest()


VERSIONS = {
    "answered_per_attempt": (1, "296f82d5"),
    "answered_per_person": (1, "44143ded"),
    "called_back": (1, "6143c7f4"),
    "verified_contact": (2, "f654c929"),
    "dissuaded": (2, "81531841"),
    "dissuaded_by_phone": (2, "c696b07d"),
    "dissuaded_in_person": (2, "bfc691cf"),
    "proven": (1, "6ffa95ea"),
    "followed_up": (1, "94d38a08"),
    "follow_up_verified": (1, "f59d5ae5"),
    "follow_up_undoing": (1, "4e461189"),
    "defrauded_after_success": (1, "c47766d7"),
    "defrauded_after_warning": (1, "dc974b6c"),
    "first_attempt_in_time": (1, "f0704248"),
    "human_reached": (1, "29761633"),
    "visits_met": (1, "ffa13e9a"),
    "signed_in_time": (1, "cb5aeecd"),
    "feedback_in_time": (1, "46189e72"),
    "raised": (1, "8aa18299"),
    "handed_to_person": (1, "43695b40"),
    "false_alarms": (2, "a3d15195"),
}
"""The digest of each rate by its version."""


@by_name
def test_a_rate_that_counts_anything_else_has_another_version(definition: Definition):
    """If this fails: raise `version` of the rate in core/rates.py, then write its new digest here."""
    assert VERSIONS[definition.name] == (definition.version, digest(definition))


def test_what_nobody_counted_is_none():
    assert {name: getattr(Counts(), name) for name in COUNT_NAMES} == dict.fromkeys(COUNT_NAMES, 0)
    assert Counts().results == {}
    assert Money() == Money(approved_fen=0, unapproved_fen=0, reversed_fen=0)
    assert FirstAttempt() == FirstAttempt(cases=0, p50_seconds=None, p90_seconds=None)


def test_nothing_of_nothing_is_null():
    assert {rate.value for rate in rates_of(Counts())} == {None}


def test_a_rate_carries_its_parts_and_what_was_left_out():
    counts = Counts(robot_calls_answered=3, robot_calls_counted=4, robot_calls_unknown=2)
    rate = next(one for one in rates_of(counts) if one.definition.name == "answered_per_attempt")
    assert (rate.numerator, rate.denominator, rate.value) == (3, 4, 0.75)
    assert rate.excludes["robot_calls_unknown"] == 2


@pytest.mark.parametrize(("numerator", "denominator"), [(1, 0), (5, 4), (-1, 3)])
def test_a_part_larger_than_its_whole_cannot_be(numerator: int, denominator: int):
    with pytest.raises(ValueError, match="no part of a whole"):
        Rate(definition=DEFINITIONS[0], numerator=numerator, denominator=denominator, excludes={})


def test_a_cut_is_whole_if_it_leaves_nothing_out():
    assert CaseFilter().is_whole is True
    for given in ({"unit_ids": ()}, {"grade": Grade.LOW}, {"source": "a"}, {"script_id": "b"}, {"hour": 0}):
        assert CaseFilter(**given).is_whole is False


@pytest.mark.parametrize("hour", [-1, 24])
def test_a_cut_by_what_is_no_hour_is_refused(hour: int):
    assert [CaseFilter(hour=one).hour for one in (0, 23)] == [0, 23]
    with pytest.raises(Invalid) as refused:
        CaseFilter(hour=hour)
    assert refused.value.field == "hour"
