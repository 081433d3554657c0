"""What a list of units does to the tree: decided as a whole, and nothing with a fault in it."""

from __future__ import annotations

import pytest

from dialer.core.units import Unit, UnitField, UnitLine, UnitPlan, normalise_name, plan_units


def line(number: int, name: str, parent: str = "", *aliases: str) -> UnitLine:
    return UnitLine(line=number, name=name, parent=parent, aliases=aliases)


def unit(unit_id: int, name: str, *above: int) -> Unit:
    return Unit(
        id=unit_id,
        name=name,
        parent_id=above[-1] if above else None,
        level="",
        path=(*above, unit_id),
        active=True,
    )


STANDING = (unit(1, "市局"), unit(2, "临河", 1), unit(3, "城关所", 1, 2), unit(4, "五原", 1))


def faults(plan: UnitPlan) -> list[tuple[int, UnitField]]:
    return [(fault.line, fault.field) for fault in plan.faults]


def test_parents_come_before_children_whatever_the_order_of_lines():
    plan = plan_units([line(2, "所", "县"), line(3, "县", "市"), line(4, "市")], [])
    assert [one.line.name for one in plan.placed] == ["市", "县", "所"]
    assert [one.parent_place for one in plan.placed] == [None, 0, 1]
    assert not plan.faults


def test_what_is_there_already_is_no_new_unit():
    plan = plan_units([line(2, "市局"), line(3, "临河", "市局"), line(4, "城关所", "临河")], STANDING)
    assert [(one.unit_id, one.moves) for one in plan.placed] == [(1, False), (2, False), (3, False)]
    assert plan.missing == (4,)


def test_a_list_may_name_only_what_is_new_below_units_that_are_there():
    plan = plan_units([line(2, "新华所", "市局/临河")], STANDING)
    (one,) = plan.placed
    assert (one.unit_id, one.parent_id, one.parent_place) == (None, 2, None)


def test_a_unit_under_another_parent_has_moved():
    plan = plan_units([line(2, "城关所", "五原")], STANDING)
    (one,) = plan.placed
    assert (one.unit_id, one.parent_id, one.moves) == (3, 4, True)


def test_one_name_below_two_parents_is_two_units():
    plan = plan_units([line(2, "城关所", "临河"), line(3, "城关所", "五原")], STANDING)
    assert [(one.unit_id, one.parent_id) for one in plan.placed] == [(3, 2), (None, 4)]
    assert not plan.faults


def test_a_repeated_name_as_a_parent_must_be_written_with_its_own():
    lines = [line(2, "城关所", "临河"), line(3, "城关所", "五原")]
    assert faults(plan_units([*lines, line(4, "警务室", "城关所")], STANDING)) == [(4, UnitField.PARENT)]
    plan = plan_units([*lines, line(4, "警务室", "五原/城关所")], STANDING)
    assert [one.parent_place for one in plan.placed if one.line.name == "警务室"] == [1]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([line(2, "")], [(2, UnitField.NAME)]),
        ([line(2, "a/b")], [(2, UnitField.NAME)]),
        ([line(2, "所", "没有")], [(2, UnitField.PARENT)]),
        ([line(2, "新"), line(3, "新")], [(3, UnitField.NAME)]),
        ([line(2, "甲", "乙"), line(3, "乙", "甲")], [(2, UnitField.PARENT)]),
        ([line(2, "甲", "甲")], [(2, UnitField.PARENT)]),
        ([line(2, "市局", "城关所")], [(2, UnitField.PARENT)]),
        ([line(2, "临河", "市局", "五原")], [(2, UnitField.ALIASES)]),
        ([line(2, "临河", "市局", "老区"), line(3, "五原", "市局", "老 区")], [(3, UnitField.ALIASES)]),
        ([line(2, "临河", "市局", "老五原")], [(2, UnitField.ALIASES)]),
    ],
)
def test_a_fault_names_its_line_and_column(lines: list[UnitLine], expected: list[tuple[int, UnitField]]):
    plan = plan_units(lines, STANDING, {normalise_name("老五原"): 4})
    assert faults(plan) == expected
    assert all(fault.problem and fault.fix for fault in plan.faults)


def test_two_units_may_change_places():
    """The one above goes below: no circle once both lines hold."""
    plan = plan_units([line(2, "城关所", "市局"), line(3, "临河", "城关所")], STANDING)
    assert not plan.faults
    assert [(one.line.name, one.moves) for one in plan.placed] == [("城关所", True), ("临河", True)]


def test_an_alias_of_its_own_is_no_fault():
    assert not plan_units([line(2, "五原", "市局", "老五原", "五原")], STANDING, {"老五原": 4}).faults


def numbered(number: int, unit_id: int, name: str, parent: str = "") -> UnitLine:
    return UnitLine(line=number, name=name, parent=parent, unit_id=unit_id)


def test_a_number_keeps_a_unit_whatever_it_is_called_and_wherever_it_stands():
    plan = plan_units([numbered(2, 3, "新城所", "五原"), line(3, "城关所", "临河")], STANDING)
    renamed, new = plan.placed
    assert (renamed.unit_id, renamed.renames, renamed.moves, renamed.parent_id) == (3, True, True, 4)
    assert (new.unit_id, new.renames, new.moves) == (None, False, False)
    assert not plan.faults


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([numbered(2, 99, "所", "市局")], [(2, UnitField.NUMBER)]),
        ([numbered(2, 3, "甲", "临河"), numbered(3, 3, "乙", "临河")], [(3, UnitField.NUMBER)]),
        ([numbered(2, 4, "临河", "市局")], [(2, UnitField.NAME)]),
    ],
)
def test_numbers_that_cannot_be(lines: list[UnitLine], expected: list[tuple[int, UnitField]]):
    assert faults(plan_units(lines, STANDING)) == expected


def test_two_units_may_change_names_with_each_other():
    plan = plan_units([numbered(2, 2, "五原", "市局"), numbered(3, 4, "临河", "市局")], STANDING)
    assert [(one.unit_id, one.renames) for one in plan.placed] == [(2, True), (4, True)]
    assert not plan.faults


def test_a_path_of_any_length_tells_two_of_one_name_apart():
    lines = [line(2, "市"), line(3, "甲", "市"), line(4, "乙", "市")]
    lines += [
        line(5, "所", "市/甲"),
        line(6, "所", "市/乙"),
        line(7, "室", "市/甲/所"),
        line(8, "室", "市/乙/所"),
    ]
    lines += [line(9, "岗", "市/乙/所/室")]
    plan = plan_units(lines, [])
    assert not plan.faults
    post = next(one for one in plan.placed if one.line.name == "岗")
    assert post.parent_place is not None
    assert plan.placed[post.parent_place].line.line == 8
