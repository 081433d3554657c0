"""A rate is a part of a whole, says of what, and is explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.core.errors import Invalid
from dialer.core.rates import COUNTED, DEFINITIONS, Counts, Cut, Definition, Rate, rates_of
from dialer.core.values import Grade
from dialer.language import Lang
from dialer.words import rate_word

METRICS = (Path(__file__).resolve().parents[2] / "docs" / "metrics.md").read_text("utf-8")
by_name = pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda d: d.name)


def paragraph(name: str) -> str:
    _, found, rest = METRICS.partition(f"### `{name}`")
    assert found, f"docs/metrics.md has no paragraph about {name}"
    return rest.partition("\n#")[0]


@by_name
def test_every_rate_is_of_things_that_are_counted(definition: Definition):
    assert {definition.numerator, definition.denominator, *definition.excludes} <= set(COUNTED)
    assert definition.numerator != definition.denominator


@by_name
def test_every_rate_has_its_paragraph_with_all_of_its_parts(definition: Definition):
    text = paragraph(definition.name)
    for part in (
        rate_word(definition, Lang.ZH),
        definition.title,
        definition.says,
        f"`{definition.numerator}`",
        f"`{definition.denominator}`",
        f"`{definition.basis.value}`",
        *(f"`{name}`" for name in definition.excludes),
    ):
        assert part in text, part


def test_every_count_is_explained():
    missing = [name for name in COUNTED if f"`{name}`" not in METRICS]
    assert missing == []


def test_no_paragraph_is_about_a_rate_that_does_not_exist():
    described = [line.split("`")[1] for line in METRICS.splitlines() if line.startswith("### `")]
    assert described == [definition.name for definition in DEFINITIONS]


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
    assert Cut().is_whole is True
    for given in ({"unit_ids": ()}, {"grade": Grade.LOW}, {"source": "a"}, {"script_id": "b"}, {"hour": 0}):
        assert Cut(**given).is_whole is False


@pytest.mark.parametrize("hour", [-1, 24])
def test_a_cut_by_what_is_no_hour_is_refused(hour: int):
    assert [Cut(hour=one).hour for one in (0, 23)] == [0, 23]
    with pytest.raises(Invalid) as refused:
        Cut(hour=hour)
    assert refused.value.field == "hour"
