"""What an import would do is told line by line before it is done."""

from __future__ import annotations

from dialer.core.units import Unit, UnitLine, changes_of, plan_units


def unit(unit_id: int, name: str, *above: int, active: bool = True) -> Unit:
    parent_id = above[-1] if above else None
    return Unit(id=unit_id, name=name, parent_id=parent_id, level="", path=(*above, unit_id), active=active)


STANDING = (unit(1, "市局"), unit(2, "临河", 1), unit(3, "城关所", 1, 2), unit(4, "五原", 1, active=False))


def told(*lines: UnitLine, close_missing: bool = False) -> list[tuple[str, int, str, str, str]]:
    aliases = {"老城关": 3}
    changes = changes_of(plan_units(lines, STANDING, aliases), STANDING, aliases, close_missing=close_missing)
    return [(change.kind.value, change.line, change.name, change.before, change.after) for change in changes]


def test_each_change_is_one_line():
    assert told(
        UnitLine(line=2, name="旧城所", parent="五原", unit_id=3, aliases=("老城关", "旧城")),
        UnitLine(line=3, name="临河", parent="市局", level="县"),
        UnitLine(line=4, name="五原", parent="市局", active=True),
        UnitLine(line=5, name="警务室", parent="旧城所", active=False),
    ) == [
        ("added", 5, "警务室", "", "市局/五原/旧城所"),
        ("moved", 2, "旧城所", "市局/临河", "市局/五原"),
        ("renamed", 2, "旧城所", "城关所", "旧城所"),
        ("closed", 5, "警务室", "市局/五原/旧城所", ""),
        ("opened", 4, "五原", "市局", ""),
        ("level", 3, "临河", "", "县"),
        ("alias", 2, "旧城所", "", "旧城"),
    ]


def test_what_is_missing_is_closed_only_when_that_is_asked_for():
    lines = (UnitLine(line=2, name="市局"), UnitLine(line=3, name="临河", parent="市局"))
    assert told(*lines) == []
    assert told(*lines, close_missing=True) == [("closed", 0, "城关所", "市局/临河", "")]


def test_the_same_again_needs_no_record():
    assert told(UnitLine(line=2, name="城关所", parent="市局/临河", unit_id=3, active=True)) == []
