"""Units of cases: found from the text of the list, or assigned by a person, with all of the same text."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from dialer.cases.unassigned import unassigned_cases, unassigned_groups
from dialer.core.access import unrestricted
from dialer.core.case import CaseStatus
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.values import Grade
from dialer.db import tables as t
from dialer.db.units import change_unit
from dialer.org.unassigned import assign_unit, forget_alias, teach_alias
from tests.work.bureau import Bureau


def test_a_list_row_finds_its_unit(bureau: Bureau):
    cases = bureau.arrive("临河分局", "临河公安局", " 城关 派出所", "五原")
    assert bureau.units_of(cases) == [
        bureau.unit["临河分局"],
        bureau.unit["临河分局"],
        bureau.unit["城关派出所"],
        bureau.unit["五原分局"],
    ]
    assert bureau.row_of(cases[1])["unit"] == "临河分局"
    warning = bureau.rows(sa.select(t.warning).where(t.warning.c.case_id == cases[1]))[0]
    assert warning["unit"] == "临河公安局"


def test_the_assignments_of_a_case_get_its_unit(bureau: Bureau):
    (case_id,) = bureau.arrive("临河", grade="特高危")
    assert {row["unit_id"] for row in bureau.assignments_of(case_id)} == {bureau.unit["临河分局"]}


def test_a_case_of_an_unknown_unit_is_unassigned_and_still_called(bureau: Bureau):
    known, unknown, blank = bureau.arrive("临河", "老城关", "")
    assert bureau.units_of([known, unknown, blank]) == [bureau.unit["临河分局"], None, None]
    assert set(bureau.claimed_cases()) == {known, unknown, blank}
    with bureau.tx() as tx:
        assert {(group.text, group.cases, group.highest) for group in unassigned_groups(tx)} == {
            ("老城关", 1, Grade.HIGH),
            ("", 1, Grade.HIGH),
        }
        assert [unassigned_case.id for unassigned_case in unassigned_cases(tx)] == [blank, unknown]
        assert [unassigned_case.id for unassigned_case in unassigned_cases(tx, text="老城关")] == [unknown]
        assert [unassigned_case.id for unassigned_case in unassigned_cases(tx, before_id=blank)] == [unknown]


def test_the_group_of_the_highest_grade_is_first(bureau: Bureau):
    bureau.arrive("甲", "甲", "甲", grade="中危")
    bureau.arrive("乙", grade="特高危")
    with bureau.tx() as tx:
        assert [group.text for group in unassigned_groups(tx)] == ["乙", "甲"]


def test_a_settled_case_is_not_unassigned(bureau: Bureau):
    bureau.case(status=CaseStatus.CLOSED, unit="老城关")
    with bureau.tx() as tx:
        assert unassigned_groups(tx) == []


def test_a_person_assigns_one_case(bureau: Bureau):
    one, other = bureau.arrive("老城关", "老城关", grade="特高危")
    before = bureau.row_of(one)["revision"]
    done = assign_unit(bureau.services, unrestricted("li"), one, unit_id=bureau.unit["城关派出所"])
    assert (done.placed, done.alias) == (1, "")
    assert bureau.units_of([one, other]) == [bureau.unit["城关派出所"], None]
    assert bureau.row_of(one)["revision"] == before + 1
    assert {row["unit_id"] for row in bureau.assignments_of(one)} == {bureau.unit["城关派出所"]}
    assert bureau.acts_of(one) == ["unit_assigned"]
    assert bureau.audited() == ["assign_unit"]


def test_a_taught_alias_assigns_waiting_and_later_cases(bureau: Bureau):
    one, other, spaced, else_ = bureau.arrive("老城关", "老城关", "老 城 关", "新城关")
    done = assign_unit(
        bureau.services, unrestricted("li"), one, unit_id=bureau.unit["城关派出所"], teach=True
    )
    assert (done.placed, done.alias) == (3, "老城关")
    station = bureau.unit["城关派出所"]
    assert bureau.units_of([one, other, spaced, else_]) == [station, station, station, None]
    assert bureau.units_of(bureau.arrive("老城关")) == [station]


def test_a_case_assigned_meanwhile_is_a_conflict_that_names_its_unit(bureau: Bureau):
    (case_id,) = bureau.arrive("老城关")
    assign_unit(bureau.services, unrestricted("li"), case_id, unit_id=bureau.unit["城关派出所"])
    with pytest.raises(Conflict) as conflict:
        assign_unit(bureau.services, unrestricted("wang"), case_id, unit_id=bureau.unit["五原分局"])
    assert conflict.value.current == "城关派出所"


def test_only_active_units_and_known_cases(bureau: Bureau):
    (case_id,) = bureau.arrive("老城关")
    with bureau.tx() as tx:
        change_unit(tx, bureau.unit["五原分局"], active=False)
    with pytest.raises(Conflict):
        assign_unit(bureau.services, unrestricted("li"), case_id, unit_id=bureau.unit["五原分局"])
    with pytest.raises(NotFound):
        assign_unit(bureau.services, unrestricted("li"), case_id, unit_id=999)
    with pytest.raises(NotFound):
        assign_unit(bureau.services, unrestricted("li"), 999, unit_id=bureau.unit["临河分局"])
    with pytest.raises(Invalid):
        assign_unit(bureau.services, unrestricted(" "), case_id, unit_id=bureau.unit["临河分局"])
    assert bureau.units_of([case_id]) == [None]


def test_an_alias_can_be_taught_and_forgotten(bureau: Bureau):
    waiting = bureau.arrive("老五原", "老五原")
    assert (
        teach_alias(bureau.services, unrestricted("li"), "老五原", unit_id=bureau.unit["五原分局"]).placed
        == 2
    )
    assert bureau.units_of(waiting) == [bureau.unit["五原分局"]] * 2
    forget_alias(bureau.services, unrestricted("li"), "老 五原")
    assert bureau.units_of(bureau.arrive("老五原")) == [None]
    with pytest.raises(NotFound):
        forget_alias(bureau.services, unrestricted("li"), "老五原")
    with pytest.raises(Invalid):
        teach_alias(bureau.services, unrestricted("li"), " ", unit_id=bureau.unit["五原分局"])


def test_a_later_warning_with_a_known_unit_assigns_the_case(bureau: Bureau):
    (case_id,) = bureau.arrive("", name="王伟", grade="特高危")
    assert bureau.arrive("五原", name="王伟", grade="特高危") == [case_id]
    assert bureau.units_of([case_id]) == [bureau.unit["五原分局"]]
    assert {row["unit_id"] for row in bureau.assignments_of(case_id)} == {bureau.unit["五原分局"]}
    assert bureau.arrive("临河", name="王伟", grade="特高危") == [case_id]
    assert bureau.units_of([case_id]) == [bureau.unit["五原分局"]]
