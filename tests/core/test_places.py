"""Points that lists name, distances, and who is nearest."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.places import (
    FreeOfficer,
    Place,
    map_link,
    metres_between,
    middle_of,
    nearest_first,
    read_place,
)

LINHE = Place(longitude=107.4167, latitude=40.7574)
BEIJING = Place(longitude=116.4074, latitude=39.9042)
places = st.builds(
    Place,
    longitude=st.floats(73.0, 136.0, allow_nan=False).map(lambda degrees: round(degrees, 6)),
    latitude=st.floats(3.0, 54.0, allow_nan=False).map(lambda degrees: round(degrees, 6)),
)


@pytest.mark.parametrize(
    "text",
    [
        "107.4167,40.7574", "40.7574, 107.4167", "107.4167 40.7574", "107.4167°E 40.7574°N",
        "东经107.4167，北纬40.7574",
        "(107.4167;40.7574)", "经度：107.4167 纬度：40.7574", "107.4167|40.7574",
    ],
)  # fmt: skip
def test_a_point_is_read_in_either_order(text: str):
    assert read_place(text) == LINHE


@pytest.mark.parametrize(
    "text",
    [
        "", "107.4167", "胜利路 107 号 40 室", "40.7,41.2", "107.1,116.2", "2.3,48.8", "0,0", "107.4,40.7,1030",
        "-107.4167,40.7574", "107.4167,-40.7574", "1074167,407574",
    ],
)  # fmt: skip
def test_anything_else_is_no_point(text: str):
    assert read_place(text) is None


@given(places)
def test_what_is_stored_is_read_as_the_same_point(place: Place):
    assert read_place(str(place)) == place


@given(places, places)
def test_a_distance_is_the_same_both_ways_and_within_the_globe(one: Place, other: Place):
    metres = metres_between(one, other)
    assert math.isclose(metres, metres_between(other, one), abs_tol=0.01)
    assert 0 <= metres <= 20_015_200
    assert metres_between(one, one) == 0


def test_distances_are_those_of_the_map():
    assert metres_between(LINHE, BEIJING) == pytest.approx(768_000, rel=0.01)
    north = Place(longitude=LINHE.longitude, latitude=LINHE.latitude + 0.01)
    assert metres_between(LINHE, north) == pytest.approx(1_112, abs=1)


def test_the_middle_is_that_of_the_largest_ring():
    small = [[100.0, 30.0], [100.1, 30.0], [100.1, 30.1], [100.0, 30.1], [100.0, 30.0]]
    large = [[107.0, 40.0], [109.0, 40.0], [109.0, 41.0], [107.0, 41.0], [107.0, 40.0]]
    for rings in ([small, large], [large, small], [small, large[::-1]]):
        found = middle_of(rings)
        assert found is not None
        assert (found.longitude, found.latitude) == pytest.approx((108.0, 40.5))
    triangle = [[107.0, 40.0], [110.0, 40.0], [107.0, 43.0], [107.0, 40.0]]
    found = middle_of([triangle])
    assert found is not None
    assert (found.longitude, found.latitude) == pytest.approx((108.0, 41.0))


def test_a_ring_without_an_area_has_the_middle_of_its_corners():
    line = [[107.0, 40.0], [109.0, 40.0], [107.0, 40.0], [107.0, 40.0]]
    found = middle_of([line])
    assert found is not None
    assert (found.longitude, found.latitude) == pytest.approx((107 + 2 / 3, 40.0))
    assert middle_of([]) is None
    assert middle_of([[[107.0, 40.0], [108.0, 40.0], [107.0, 40.0]]]) is None


def officer(number: int, place: Place | None) -> FreeOfficer:
    return FreeOfficer(staff_id=number, name=f"officer {number}", unit_id=None, place=place)


def test_the_nearest_officer_is_first_and_the_unknown_ones_last():
    far, near, unknown = officer(1, BEIJING), officer(2, LINHE), officer(3, None)
    found = nearest_first([unknown, far, near], LINHE, most=5)
    assert [one.officer.staff_id for one in found] == [2, 1, 3]
    assert found[0].km == 0
    assert found[2].km is None
    assert [one.officer.staff_id for one in nearest_first([unknown, far, near], LINHE, most=1)] == [2]


def test_without_a_place_nobody_has_a_distance():
    found = nearest_first([officer(2, LINHE), officer(1, BEIJING)], None, most=5)
    assert [(one.officer.staff_id, one.km) for one in found] == [(1, None), (2, None)]


def test_the_link_names_the_place():
    assert map_link("geo:{latitude},{longitude}", LINHE) == "geo:40.757400,107.416700"
    assert map_link("https://map.local/?q={longitude},{latitude}&z=16", LINHE) == (
        "https://map.local/?q=107.416700,40.757400&z=16"
    )
    assert map_link("", LINHE) == ""
