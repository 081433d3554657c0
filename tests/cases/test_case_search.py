"""Cases are found by what is known of them, and by nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from dialer.cases.search import CasePage, CaseQuery, search_cases, seek_person
from dialer.core.case import CaseStatus
from dialer.core.errors import Invalid
from dialer.core.rates import Period
from dialer.core.values import FraudType, Grade
from tests.outcomes.town import ID_NUMBER, MORNING, NAME, PHONE, Scenario

DAY = timedelta(days=1)


def found(
    scenario: Scenario,
    *,
    phone: str = "",
    name: str = "",
    id_number: str = "",
    **given: Any,  # noqa: ANN401  # of the query
) -> CasePage:
    sought = seek_person(scenario.services, phone=phone, name=name, id_number=id_number)
    return search_cases(scenario.services, CaseQuery(sought=sought, **given))


def ids(scenario: Scenario, **given: Any) -> list[int]:  # noqa: ANN401  # of the query
    return [line.id for line in found(scenario, **given).cases]


@pytest.fixture
def wanted(scenario: Scenario) -> int:
    """One case to be found among others that share nothing with it."""
    scenario.case()
    owner = scenario.person(name=NAME, phones=(PHONE, "+864788123456"), id_number=ID_NUMBER)
    case_id = scenario.case(
        person_id=owner,
        grade=Grade.EXTRA_HIGH,
        fraud_type=FraudType.ROMANCE,
        status=CaseStatus.WATCHING,
        unit="临河",
        opened_at=MORNING + DAY,
    )
    scenario.case()
    return case_id


def test_found_by_each_thing_that_is_known(scenario: Scenario, wanted: int):
    for given in (
        {"phone": "138 0013 8000"},
        {"phone": "+8613800138000"},
        {"phone": "8000"},
        {"phone": "0478-8123456"},
        {"phone": "3456"},
        {"name": "王小明"},
        {"name": " 王 小 明 "},
        {"id_number": ID_NUMBER[:6] + " " + ID_NUMBER[6:]},
        {"grade": Grade.EXTRA_HIGH},
        {"fraud_type": FraudType.ROMANCE},
        {"status": CaseStatus.WATCHING},
        {"unit": "临河"},
        {"period": Period(start=MORNING + DAY)},
        {"name": "王小明", "phone": "8000", "grade": Grade.EXTRA_HIGH},
    ):
        assert ids(scenario, **given) == [wanted]


def test_nothing_is_found_by_what_does_not_fit(scenario: Scenario, wanted: int):
    for given in (
        {"phone": "13800138001"},
        {"phone": "0013"},
        {"name": "王小"},
        {"name": "王小明", "phone": "0000"},
        {"name": "王小明", "grade": Grade.LOW},
        {"period": Period(end=MORNING)},
        {"load_id": 9},
        {"instruction_no": "none"},
    ):
        assert ids(scenario, **given) == []


def test_a_case_is_found_by_every_warning_that_joined_it(scenario: Scenario):
    owner = scenario.person()
    case_id = scenario.case(person_id=owner)
    scenario.case()
    scenario.warning(case_id, person_id=owner, source="bank", instruction_no="B-77")
    assert ids(scenario, instruction_no=" B-77 ") == [case_id]
    assert ids(scenario, source="bank") == [case_id]
    assert ids(scenario, source="bureau", instruction_no="B-77") == []


def test_everything_without_a_wish_newest_first_page_by_page(scenario: Scenario):
    made = [scenario.case() for _ in range(5)]
    first = found(scenario, limit=2)
    assert [line.id for line in first.cases] == [made[4], made[3]]
    second = found(scenario, limit=2, before_id=first.next_before_id)
    assert [line.id for line in second.cases] == [made[2], made[1]]
    third = found(scenario, limit=2, before_id=second.next_before_id)
    assert ([line.id for line in third.cases], third.next_before_id) == ([made[0]], None)


def test_a_last_page_that_is_full_says_that_it_is_the_last(scenario: Scenario):
    scenario.case()
    scenario.case()
    assert found(scenario, limit=2).next_before_id is None


def test_what_is_found_is_masked(scenario: Scenario, wanted: int):
    (line,) = found(scenario, name=NAME).cases
    assert (line.person.name, line.person.phones) == ("王*", ("138****8000", "****3456"))
    assert NAME not in repr(line)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"phone": "12"}, "phone"),
        ({"phone": "96110"}, "phone"),
        ({"id_number": "150402199001011235"}, "id number"),
    ],
)
def test_what_can_be_no_search_is_refused_without_repeating_it(
    scenario: Scenario, given: dict[str, Any], field: str
):
    with pytest.raises(Invalid) as refused:
        found(scenario, **given)
    assert refused.value.field == field
    for value in given.values():
        assert len(str(value)) < 4 or str(value) not in str(refused.value)
