"""Places: a point as a list writes it, the distance between two, and the officers nearest to one. Pure.

Degrees are WGS 84. Points lie in China, so that of two numbers it is always plain which is the longitude.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

_EARTH_METRES: Final = 6_371_008.8
_KILOMETRE: Final = 1000
_LONGITUDES: Final = (73.0, 136.0)
_LATITUDES: Final = (3.0, 54.0)
_PLACES: Final = 6
_NUMBER: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,15})?")
_BETWEEN: Final = re.compile(r"[\s,;/|°:，；：、NE北东纬经度()（）\[\]]*", re.IGNORECASE)
_LEAST_CORNERS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A point on the map, in degrees."""

    longitude: float
    latitude: float

    def __str__(self) -> str:
        """As it is stored: `latitude,longitude` with six decimals, which is 0.1 m."""
        return f"{self.latitude:.{_PLACES}f},{self.longitude:.{_PLACES}f}"


def read_place(text: str) -> Place | None:
    """The point that a cell names, in either order and with or without ° N E 北纬 东经; None for anything else, and for
    a point outside China.
    """
    numbers = _NUMBER.findall(text)
    if len(numbers) != 2 or _BETWEEN.fullmatch(_NUMBER.sub("", text)) is None:  # noqa: PLR2004  # two numbers
        return None
    first, second = (float(number) for number in numbers)
    for longitude, latitude in ((first, second), (second, first)):
        if _within(longitude, _LONGITUDES) and _within(latitude, _LATITUDES):
            return Place(longitude=longitude, latitude=latitude)
    return None


def _within(number: float, limits: tuple[float, float]) -> bool:
    return limits[0] <= number <= limits[1]


def metres_between(one: Place, other: Place) -> float:
    """The distance in metres as the crow flies."""
    north, other_north = math.radians(one.latitude), math.radians(other.latitude)
    east = math.radians(other.longitude - one.longitude)
    half = (
        math.sin((other_north - north) / 2) ** 2
        + math.cos(north) * math.cos(other_north) * math.sin(east / 2) ** 2
    )
    return 2 * _EARTH_METRES * math.asin(min(1.0, math.sqrt(half)))


def middle_of(rings: Sequence[Sequence[Sequence[float]]]) -> Place | None:
    """The centre of gravity of the largest of these rings of [longitude, latitude]; None without one."""
    found = max((_gravity(ring) for ring in rings if len(ring) > _LEAST_CORNERS), default=None)
    return None if found is None else Place(longitude=found[1], latitude=found[2])


def _gravity(ring: Sequence[Sequence[float]]) -> tuple[float, float, float]:
    """The area of a closed ring in square degrees, and the longitude and latitude of its centre of gravity."""
    # Measured from the first corner: the small numbers keep their digits.
    east, north = ring[0][0], ring[0][1]
    corners = [(corner[0] - east, corner[1] - north) for corner in ring]
    double, x, y = 0.0, 0.0, 0.0
    for (x0, y0), (x1, y1) in pairwise(corners):
        cross = x0 * y1 - x1 * y0
        double += cross
        x += (x0 + x1) * cross
        y += (y0 + y1) * cross
    if not double:
        count = len(corners) - 1
        return (
            0.0,
            east + sum(x for x, _ in corners[:-1]) / count,
            north + sum(y for _, y in corners[:-1]) / count,
        )
    return abs(double) / 2, east + x / (3 * double), north + y / (3 * double)


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeOfficer:
    """An officer who is free, and the last place they are known at; None: no place is known."""

    staff_id: int
    name: str
    unit_id: int | None
    place: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NearbyOfficer:
    """A free officer and how far they are in whole kilometres, since distances to the metre from a few known places
    would tell where a masked person lives. None where a place is not known.
    """

    officer: FreeOfficer
    km: int | None


def nearest_first(
    officers: Iterable[FreeOfficer], place: Place | None, *, most: int
) -> tuple[NearbyOfficer, ...]:
    """At most so many of these officers, the nearest first; those whose distance is not known come last, by name."""

    def metres(officer: FreeOfficer) -> float:
        return math.inf if place is None or officer.place is None else metres_between(place, officer.place)

    found = sorted(officers, key=lambda officer: (metres(officer), officer.name, officer.staff_id))[:most]
    return tuple(
        NearbyOfficer(
            officer=officer,
            km=None if (far := metres(officer)) == math.inf else math.floor(far / _KILOMETRE),
        )
        for officer in found
    )


def map_link(template: str, place: Place) -> str:
    """The address of a map at this place by the template of the settings; '' where the template is."""
    return template.replace("{latitude}", f"{place.latitude:.{_PLACES}f}").replace(
        "{longitude}", f"{place.longitude:.{_PLACES}f}"
    )
