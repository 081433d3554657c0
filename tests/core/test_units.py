"""Which unit the text of a list means: never a guess between two."""

from __future__ import annotations

import pytest

from dialer.core.units import Unit, UnitIndex, normalise_name

CITY, LINHE, WUYUAN, HANGHOU = 1, 2, 3, 4
LINHE_STATION, WUYUAN_STATION, SHANBA = 5, 6, 7
CLOSED = 8


def _unit(unit_id: int, name: str, *path: int, active: bool = True) -> Unit:
    return Unit(
        id=unit_id,
        name=name,
        parent_id=path[-1] if path else None,
        level="",
        path=(*path, unit_id),
        active=active,
    )


UNITS = (
    _unit(CITY, "巴彦淖尔市公安局"),
    _unit(LINHE, "临河区公安分局", CITY),
    _unit(WUYUAN, "五原县公安局", CITY),
    _unit(HANGHOU, "杭锦后旗公安局", CITY),
    _unit(LINHE_STATION, "城关派出所", CITY, LINHE),
    _unit(WUYUAN_STATION, "城关派出所", CITY, WUYUAN),
    _unit(SHANBA, "陕坝派出所", CITY, HANGHOU),
    _unit(CLOSED, "旧城派出所", CITY, LINHE, active=False),
)


@pytest.mark.parametrize(
    ("text", "unit_id"),
    [
        ("临河区公安分局", LINHE),
        (" 临河区 公安分局　", LINHE),
        ("临河区公安局", LINHE),
        ("临河区分局", LINHE),
        ("临河区", LINHE),
        ("五原县公安分局", WUYUAN),
        ("巴彦淖尔市公安局临河区分局", LINHE),
        ("巴彦淖尔市临河区公安分局", LINHE),
        ("陕坝所", None),
        ("陕坝", SHANBA),
        ("陕坝派出所", SHANBA),
        ("陕坝公安派出所", SHANBA),
        ("杭锦后旗公安局/陕坝派出所", SHANBA),
        ("杭锦后旗陕坝派出所", SHANBA),
        ("巴彦淖尔市公安局-杭锦后旗公安局-陕坝派出所", SHANBA),
        ("五原县城关派出所", WUYUAN_STATION),
        ("临河区公安分局（城关派出所）", LINHE_STATION),
    ],
)
def test_a_text_finds_its_unit(text: str, unit_id: int | None):
    found = UnitIndex(UNITS).find(text)
    assert (found.id if found else None) == unit_id


@pytest.mark.parametrize(
    "text", ["城关派出所", "城关", "", "  ", "磴口县公安局", "陕坝公安局", "旧城派出所", "公安局", "派出所"]
)
def test_what_means_none_or_two_or_a_closed_one_finds_none(text: str):
    assert UnitIndex(UNITS).find(text) is None


def test_full_width_and_case_make_no_difference():
    index = UnitIndex([_unit(1, "Station 12")])
    assert index.find("ｓｔａｔｉｏｎ１２") == index[1]


def test_an_alias_goes_before_a_name():
    index = UnitIndex(
        UNITS, {normalise_name("城关派出所"): WUYUAN_STATION, normalise_name("临河区公安分局"): WUYUAN}
    )
    assert index.find("城关 派出所") == index[WUYUAN_STATION]
    assert index.find("临河区公安分局") == index[WUYUAN]


def test_an_alias_of_a_closed_unit_finds_none():
    assert UnitIndex(UNITS, {normalise_name("老城"): CLOSED}).find("老城") is None


def test_a_bureau_and_a_station_of_one_stem_are_told_apart_and_the_bare_stem_is_neither():
    index = UnitIndex([_unit(1, "临河公安局"), _unit(2, "临河派出所")])
    assert index.find("临河分局") == index[1]
    assert index.find("临河派出所") == index[2]
    assert index.find("临河") is None


def test_a_label_tells_units_of_one_name_apart():
    index = UnitIndex(UNITS)
    assert index.label(SHANBA) == "陕坝派出所"
    assert index.label(WUYUAN_STATION) == "五原县公安局/城关派出所"
    assert index.names(WUYUAN_STATION) == ("巴彦淖尔市公安局", "五原县公安局", "城关派出所")


def test_an_empty_tree_knows_nothing():
    index = UnitIndex()
    assert index.find("临河区公安分局") is None
    assert len(index) == 0
    assert index.get(1) is None


def test_candidates_are_all_that_a_text_could_mean():
    index = UnitIndex(UNITS, {"老城": HANGHOU})
    assert [unit.id for unit in index.candidates("城关派出所")] == [LINHE_STATION, WUYUAN_STATION]
    assert [unit.id for unit in index.candidates("城关")] == [LINHE_STATION, WUYUAN_STATION]
    assert [unit.id for unit in index.candidates("老城")] == [HANGHOU]
    assert index.candidates("没有") == ()
    assert index.candidates("旧城派出所") == ()
    assert index.candidates("") == ()


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("陕坝镇派出所", SHANBA),
        ("临河城关所", LINHE_STATION),
        ("五原县局城关所", WUYUAN_STATION),
        ("临河公安", LINHE),
        ("老城", HANGHOU),
    ],
)
def test_near_names_are_suggested_best_first(text: str, first: int):
    assert UnitIndex(UNITS, {"老城关": HANGHOU}).similar_units(text)[0].id == first


@pytest.mark.parametrize("text", ["", "甲乙丙丁", "派出所", "xyz"])
def test_what_shares_only_its_ending_is_like_nothing(text: str):
    assert UnitIndex(UNITS).similar_units(text) == ()


def test_no_more_are_suggested_than_asked_for_and_no_closed_one():
    index = UnitIndex(UNITS)
    assert len(index.similar_units("城关", most=1)) == 1
    assert CLOSED not in {unit.id for unit in index.similar_units("旧城派出所", most=9)}
