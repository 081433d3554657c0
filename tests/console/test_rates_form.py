"""The filter of success rates as it is typed, and as it stands in an address."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from dialer.core.errors import Invalid
from dialer.core.rates import CaseFilter, Dimension, period_of
from dialer.core.values import FraudType, Grade
from dialer.figures.pages import RATE_PARAMETERS, BehindForm, RatesForm, spans
from dialer.figures.report import RatesQuery

ZONE = "Asia/Shanghai"
LONGEST = {
    "from": 40, "to": 40, "by": 20, "unit": 20, "grade": 20, "type": 40, "source": 200, "script": 80,
    "version": 100, "hour": 2, "person": 100, "at": 40,
}  # fmt: skip
GIVEN = {
    "from": "2026-11-01", "to": "2026-11-30", "by": "source", "unit": "7", "grade": "high", "type": "loan",
    "source": "通联", "script": "own", "version": "own@3", "hour": "9", "person": "li", "at": "x",
}  # fmt: skip


@pytest.mark.parametrize(("name", "longest"), [*LONGEST.items(), ("measure", 60), ("value", 200)])
def test_a_field_has_its_longest_text(name: str, longest: int):
    kind = RatesForm if name in LONGEST else BehindForm
    given = {"measure": "cases"} if kind is BehindForm else {}
    form = kind.model_validate(given | {name: "x" * longest})
    assert "x" * longest in form.model_dump().values()
    with pytest.raises(ValidationError):
        kind.model_validate(given | {name: "x" * (longest + 1)})


def test_a_count_is_named_and_is_of_the_whole_period_unless_it_says_otherwise():
    with pytest.raises(ValidationError):
        BehindForm.model_validate({})
    form = BehindForm.model_validate({"measure": "cases"})
    assert (form.today, form.before, form.value) == (False, None, "")


def test_a_filter_is_read_as_it_is_given():
    form = RatesForm.model_validate(GIVEN)
    assert form.given == GIVEN
    assert form.asked(ZONE) == RatesQuery(
        by=Dimension.SOURCE,
        period=period_of("2026-11-01", "2026-11-30", timezone=ZONE),
        unit_id=7,
        cut=CaseFilter(
            grade=Grade.HIGH,
            fraud_type=FraudType.LOAN,
            source="通联",
            script_id="own",
            version="own@3",
            hour=9,
            person="li",
        ),
    )
    assert RatesForm().asked(ZONE) == RatesQuery(by=Dimension.UNIT)
    assert RatesForm(by="").asked(ZONE).by is Dimension.UNIT


@pytest.mark.parametrize(
    ("name", "text"),
    [("by", "blue"), ("grade", "blue"), ("type", "blue"), ("unit", "blue"), ("hour", "9h"), ("hour", "24")],
)
def test_what_cannot_be_read_is_refused_by_its_field(name: str, text: str):
    with pytest.raises(Invalid) as refused:
        RatesForm.model_validate({name: text}).asked(ZONE)
    assert refused.value.field == name


def test_an_address_holds_what_is_set_as_of_now():
    form = RatesForm.model_validate({"grade": "high", "at": "2026-11-25T02:00:00.000000Z", "source": "a b"})
    assert form.query() == "by=unit&grade=high&source=a+b"
    assert form.query(grade="", hour="9") == "by=unit&source=a+b&hour=9"
    assert form.query(at="x") == "by=unit&grade=high&source=a+b&at=x"


def test_a_filter_counts_what_narrows_it():
    assert RatesForm.model_validate({"from": "2026-11-01", "by": "grade", "at": "x"}).narrows == 0
    narrowing = [name for name in GIVEN if name not in {"from", "to", "by", "at"}]
    for name in narrowing:
        assert RatesForm.model_validate({name: GIVEN[name]}).narrows == 1, name
    assert RatesForm.model_validate(GIVEN).narrows == len(narrowing) == 8


def test_each_dimension_has_its_filter():
    fields = {field.alias or name for name, field in RatesForm.model_fields.items()}
    assert set(RATE_PARAMETERS) == set(Dimension)
    assert set(RATE_PARAMETERS.values()) <= fields
    assert (RATE_PARAMETERS[Dimension.FRAUD_TYPE], RATE_PARAMETERS[Dimension.HOUR]) == ("type", "hour")


def test_frequent_windows_end_today():
    request: Any = SimpleNamespace(now=datetime(2026, 11, 24, 17, tzinfo=UTC), say=lambda text: text)
    assert spans(request, ZONE) == (
        ("Today", "2026-11-25", "2026-11-25"),
        ("7 days", "2026-11-19", "2026-11-25"),
        ("30 days", "2026-10-27", "2026-11-25"),
        ("This year", "2026-01-01", "2026-11-25"),
        ("All", "", ""),
    )
