"""Boundaries of units from GeoJSON (RFC 7946): polygons with a name, as rings of longitude and latitude."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dialer.core.errors import UnusableFile
from dialer.intake.cells import cleaned
from dialer.language import Text, gettext_noop

MOST_BYTES: Final = 32 << 20
_NAMES: Final = ("name", "NAME", "Name", "名称", "单位", "unit", "fullname")
_LEAST_POINTS: Final = 4
"""A ring is closed: its last point is its first one."""
_MOST_POINTS: Final = 1_000
_MOST_AREAS: Final = 5_000
_MOST_OF_ALL: Final = 300_000
"""Points that are kept of a file: a city with its streets and villages has a tenth."""
_PLACES: Final = 5
"""Of a degree: about a metre."""
_EAST, _NORTH = 180.0, 90.0

Rings = list[list[list[float]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedArea:
    """A feature of the file with its rings, holes among them; `number` counts from 1."""

    number: int
    name: str
    rings: Rings


def read_boundaries(content: bytes) -> list[NamedArea]:
    """Every polygon of the file. Raises `UnusableFile` for what is no GeoJSON of polygons."""
    if len(content) > MOST_BYTES:
        raise UnusableFile(Text("the file is larger than %(most)s MB", most=MOST_BYTES >> 20))
    try:
        told = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise UnusableFile(gettext_noop("the file is no JSON in UTF-8")) from None
    features = _features(told)
    if not 1 <= len(features) <= _MOST_AREAS:
        raise UnusableFile(
            Text("the file has %(n)s areas: 1 to %(most)s are read", n=len(features), most=_MOST_AREAS)
        )
    areas, points = [], 0
    for number, feature in enumerate(features, start=1):
        areas.append(_area(number, feature))
        points += sum(map(len, areas[-1].rings))
        if points > _MOST_OF_ALL:
            raise UnusableFile(
                Text("the areas have more than %(most)s points: simplify them", most=_MOST_OF_ALL)
            )
    return areas


def _features(told: Any) -> list[Any]:  # noqa: ANN401  # whatever the file says
    if isinstance(told, Mapping) and told.get("type") == "FeatureCollection":
        found = told.get("features")
        return found if isinstance(found, list) else []
    if isinstance(told, Mapping) and told.get("type") == "Feature":
        return [told]
    raise UnusableFile(gettext_noop("the file is no GeoJSON: it has no FeatureCollection"))


def _area(number: int, feature: Any) -> NamedArea:  # noqa: ANN401  # as above
    properties = feature.get("properties") if isinstance(feature, Mapping) else None
    given = properties if isinstance(properties, Mapping) else {}
    name = next((cleaned(str(given[key])) for key in _NAMES if given.get(key)), "")
    if not name:
        raise UnusableFile(Text("area %(number)s has no name", number=number))
    geometry = feature.get("geometry")
    rings = list(_rings(geometry if isinstance(geometry, Mapping) else {}))
    if not rings:
        raise UnusableFile(Text("area %(number)s is no polygon: %(name)s", number=number, name=name))
    return NamedArea(number=number, name=name, rings=rings)


def _rings(geometry: Mapping[str, Any]) -> Iterator[list[list[float]]]:
    coordinates = geometry.get("coordinates")
    match geometry.get("type"):
        case "Polygon":
            polygons = [coordinates]
        case "MultiPolygon" if isinstance(coordinates, list):
            polygons = coordinates
        case _:
            return
    for polygon in polygons:
        for ring in polygon if isinstance(polygon, list) else ():
            points = [_point(one) for one in ring] if isinstance(ring, list) else []
            if len(points) < _LEAST_POINTS:
                raise UnusableFile(gettext_noop("a ring has fewer than four points"))
            every = math.ceil(len(points) / _MOST_POINTS)
            yield [*points[::every], points[0]] if every > 1 else points


def _point(told: Any) -> list[float]:  # noqa: ANN401  # as above
    if isinstance(told, list) and len(told) >= 2:  # noqa: PLR2004  # longitude and latitude
        east, north = told[0], told[1]
        numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (east, north))
        if numbers and abs(east) <= _EAST and abs(north) <= _NORTH:
            return [round(float(east), _PLACES), round(float(north), _PLACES)]
    raise UnusableFile(gettext_noop("a point is no longitude and latitude in degrees"))
