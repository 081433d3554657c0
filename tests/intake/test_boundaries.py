"""GeoJSON of units: polygons with names; what is none of it is refused with its place."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest

from dialer.core.errors import UnusableFile
from dialer.intake.unit_lists import read_boundaries
from dialer.runtime.uploads import boundary_areas

RING = [[107.0, 40.0], [108.0, 40.0], [108.0, 41.0], [107.0, 40.0]]


def file(*features: Any) -> bytes:  # noqa: ANN401  # also what is no feature
    return json.dumps({"type": "FeatureCollection", "features": list(features)}).encode()


def area(name: str = "东区", kind: str = "Polygon", coordinates: Any = None) -> dict[str, Any]:  # noqa: ANN401 - whatever its caller gives
    geometry = {"type": kind, "coordinates": [RING] if coordinates is None else coordinates}
    return {"type": "Feature", "properties": {"name": name}, "geometry": geometry}


def test_polygons_and_groups_of_them_are_rings():
    one, two = read_boundaries(file(area(), area("西区", "MultiPolygon", [[RING], [RING, RING]])))
    assert (one.name, one.number, one.rings) == ("东区", 1, [RING])
    assert len(two.rings) == 3


def test_a_long_ring_is_thinned_and_stays_closed():
    long = [[107 + n / 10_000, 40.0] for n in range(9_999)]
    [one] = read_boundaries(file(area(coordinates=[[*long, long[0]]])))
    assert len(one.rings[0]) <= 1_001
    assert one.rings[0][0] == one.rings[0][-1]


def test_a_byte_order_mark_and_chinese_names_of_the_property_are_read():
    feature = area() | {"properties": {"名称": "东区"}}
    assert read_boundaries(b"\xef\xbb\xbf" + file(feature))[0].name == "东区"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"name,lat\n", "no JSON"),
        (b'{"type": "Topology"}', "no GeoJSON"),
        (b"[" * 100_000, "no JSON"),
        (file(), "0 areas"),
        (file(area(name="")), "area 1 has no name"),
        (file(area(), area("点", "Point", [107.0, 40.0])), "area 2 is not a polygon: 点"),
        (file(area(coordinates=[RING[:3]])), "fewer than four points"),
        (file(area(coordinates=[[[400.0, 40.0]] * 4])), "not a longitude and a latitude"),
        (file(area(coordinates=[[["a", "b"]] * 4])), "not a longitude and a latitude"),
        (file("x"), "area 1 has no name"),
        (file(area(name="\u200b\x1b")), "area 1 has no name"),
        (file(*[area(coordinates=[RING * 250])] * 301), "more than 300000 points"),
    ],
)
def test_what_is_no_geojson_of_polygons_is_refused(content: bytes, says: str):
    with pytest.raises(UnusableFile, match=says):
        read_boundaries(content)


def test_a_file_is_read_in_a_process_of_its_own():
    ring = [[107 + n / 10_000, 40.0] for n in range(999)]
    content = file(area(coordinates=[RING, [*ring, ring[0]]]), area("西区"))
    one, two = boundary_areas(BytesIO(content))
    assert (one.name, one.number, [len(ring) for ring in one.rings]) == ("东区", 1, [4, 1000])
    assert two.rings == [RING]
    for hostile, says in ((b"[" * 100_000, "no JSON"), (b'{"type": "Topology"}', "no GeoJSON")):
        with pytest.raises(UnusableFile, match=says):
            boundary_areas(BytesIO(hostile))


def test_a_name_that_is_no_text_is_refused():
    with pytest.raises(UnusableFile):
        boundary_areas(BytesIO(file(area(name="\ud800"))))
