"""The organisation as a spreadsheet (name, parent, level, aliases, state, system number), and the boundaries of units
from GeoJSON (RFC 7946): polygons with a name, as rings of longitude and latitude. Pure; it stores nothing.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from dialer.core.errors import UnusableFile
from dialer.core.text import Text, gettext_noop
from dialer.core.units import UnitFault, UnitField, UnitLine
from dialer.intake.cells import cleaned, folded, is_blank
from dialer.intake.headings import KnownTable, Row, SourceTable, heading_row, known_tables

UNIT_HEADING_WORDS: Final = {
    UnitField.NAME: "名称 单位 单位名称 机构 机构名称 name unit",
    UnitField.PARENT: "上级 上级单位 上级机构 上级名称 所属 所属单位 parent",
    UnitField.LEVEL: "级别 层级 类型 level kind",
    UnitField.ALIASES: "别名 简称 其他名称 aliases alias",
    UnitField.STATE: "状态 是否启用 state active",
    # Never 编号 or id alone: lists from other systems use these for their own numbers.
    UnitField.NUMBER: "系统编号 system_no",
}
_KNOWN: Final = {word: field for field, words in UNIT_HEADING_WORDS.items() for word in words.split()}
CLOSED_WORDS: Final = frozenset({"停用", "撤销", "关闭", "否", "closed", "no", "false", "0", "inactive"})
OPEN_WORDS: Final = frozenset({"启用", "在用", "正常", "是", "open", "yes", "true", "1", "active"})
_PARTS: Final = re.compile(r"[;；、,，|\n]+")
_MOST: Final = 20_000
_LONGEST_NUMBER: Final = 18

_STRANGE_STATE: Final = UnitFault(
    line=0,
    field=UnitField.STATE,
    problem=Text("the state is neither open nor closed"),
    fix=Text("write open or closed"),
)
_STRANGE_NUMBER: Final = UnitFault(
    line=0,
    field=UnitField.NUMBER,
    problem=Text("this is not a number of ours"),
    fix=Text("as in the exported list; blank for a new unit"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitSheet:
    """The lines of a list of units, and the heading of each known column, so that a fault can name it."""

    lines: tuple[UnitLine, ...]
    headings: dict[UnitField, str]
    faults: tuple[UnitFault, ...]
    """The faults of cells that cannot be read."""


def read_units(tables: Iterator[SourceTable]) -> UnitSheet:
    """The units in the first table with a column of names. Raises `UnusableFile` if there is none."""
    table = next(known_tables(tables, unit_heading), None)
    if table is None:
        raise UnusableFile("no column of unit names: head one 名称 or name, and the parent's 上级 or parent")
    return _lines(table)


def unit_heading(rows: Sequence[Row]) -> tuple[int, dict[UnitField, int]] | None:
    """Like `heading_row`, for tables with the name and another column."""
    return heading_row(
        rows,
        lambda heading: _KNOWN.get(folded(heading)),
        lambda known: UnitField.NAME in known and len(known) > 1,
    )


def _lines(table: KnownTable[UnitField]) -> UnitSheet:
    lines: list[UnitLine] = []
    faults: list[UnitFault] = []
    for number, cells in table.rows:
        text = {
            field: cleaned(cells[place]) if place < len(cells) else ""
            for field, place in table.fields.items()
        }
        if not any(text.values()):
            continue
        if len(lines) == _MOST:
            raise UnusableFile(Text("the list has more than %(most)s units", most=_MOST))
        state = folded(text.get(UnitField.STATE, ""))
        if state and state not in OPEN_WORDS | CLOSED_WORDS:
            faults.append(replace(_STRANGE_STATE, line=number))
        given = text.get(UnitField.NUMBER, "").removesuffix(".0")
        if given and not (given.isascii() and given.isdecimal() and len(given) < _LONGEST_NUMBER):
            faults.append(replace(_STRANGE_NUMBER, line=number))
            given = ""
        parent = text.get(UnitField.PARENT, "")
        lines.append(
            UnitLine(
                line=number,
                name=text[UnitField.NAME],
                parent="" if is_blank(folded(parent)) else parent,
                level=text.get(UnitField.LEVEL, ""),
                aliases=tuple(
                    part.strip() for part in _PARTS.split(text.get(UnitField.ALIASES, "")) if part.strip()
                ),
                active=None if not state else state not in CLOSED_WORDS,
                unit_id=int(given) if given else None,
            )
        )
    return UnitSheet(lines=tuple(lines), headings=dict(table.headings), faults=tuple(faults))


MOST_BYTES: Final = 32 << 20
_NAMES: Final = ("name", "NAME", "Name", "名称", "单位", "unit", "fullname")
_LEAST_POINTS: Final = 4
"""A ring is closed: its last point is its first one."""
_MOST_POINTS: Final = 1_000
_MOST_AREAS: Final = 5_000
_MOST_OF_ALL: Final = 300_000
"""The most points that are kept of a file: a city with its streets and villages has a tenth of this."""
_PLACES: Final = 5
"""Decimal places of a degree: about a metre."""
_EAST, _NORTH = 180.0, 90.0

Rings = list[list[list[float]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedArea:
    """A feature of the file with its rings, including holes; `number` counts from 1."""

    number: int
    name: str
    rings: Rings


def read_boundaries(content: bytes) -> list[NamedArea]:
    """Every polygon of the file. Raises `UnusableFile` for a file that is not GeoJSON with polygons."""
    if len(content) > MOST_BYTES:
        raise UnusableFile(Text("the file is larger than %(most)s MB", most=MOST_BYTES >> 20))
    try:
        parsed = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise UnusableFile(gettext_noop("the file is no JSON in UTF-8")) from None
    features = _features(parsed)
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


def _features(parsed: Any) -> list[Any]:  # noqa: ANN401  # whatever the file says
    if isinstance(parsed, Mapping) and parsed.get("type") == "FeatureCollection":
        found = parsed.get("features")
        return found if isinstance(found, list) else []
    if isinstance(parsed, Mapping) and parsed.get("type") == "Feature":
        return [parsed]
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
        raise UnusableFile(Text("area %(number)s is not a polygon: %(name)s", number=number, name=name))
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
            points = [_point(corner) for corner in ring] if isinstance(ring, list) else []
            if len(points) < _LEAST_POINTS:
                raise UnusableFile(gettext_noop("a ring has fewer than four points"))
            every = math.ceil(len(points) / _MOST_POINTS)
            yield [*points[::every], points[0]] if every > 1 else points


def _point(parsed: Any) -> list[float]:  # noqa: ANN401  # as above
    if isinstance(parsed, list) and len(parsed) >= 2:  # noqa: PLR2004  # longitude and latitude
        east, north = parsed[0], parsed[1]
        numbers = all(
            isinstance(number, int | float) and not isinstance(number, bool) for number in (east, north)
        )
        if numbers and abs(east) <= _EAST and abs(north) <= _NORTH:
            return [round(float(east), _PLACES), round(float(north), _PLACES)]
    raise UnusableFile(gettext_noop("a point is not a longitude and a latitude in degrees"))
