"""Charts as SVG, made on the server: no script, sharp in print, and distinguishable without colours by fill, dash and
mark. Beside each the page has the figures as a table. `dialer.web.documents` draws the same values in docx.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise

from markupsafe import Markup, escape

WIDE_PX, NARROW_PX = 860, 350
"""The page shows one of two drawings, so that letters keep their size."""
_LETTER_PX = 12
_NAME_SHARE = 0.3
_ROW_PX, _PLOT_PX, _FOOT_PX, _HEAD_PX = 26, 210, 40, 24
_TICKS = 4
_MOST_LABELS = {WIDE_PX: 14, NARROW_PX: 5}
_HUNDRED = 100
_HALF = 0.5
_LEAST = 1e-9
_LAST_NARROW = 0x2E7F
"""The last code point of narrow characters; those after it are as wide as high."""
_FILLS = 4
_SHADES = 5


class ChartKind(StrEnum):
    """`BARS` lie below each other, with their intervals; `COLUMNS` are stacked; `LINES` run over days."""

    BARS = "bars"
    COLUMNS = "columns"
    LINES = "lines"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One value for each label; None where there is none. `low` and `high`: the interval of the true value, if it is
    known.
    """

    name: str
    values: Sequence[float | None]
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart to draw. With `percent` the values are shares from 0 to 1."""

    kind: ChartKind
    title: str
    labels: Sequence[str]
    series: Sequence[Series]
    percent: bool = False

    def label_of(self, value: float) -> str:
        """A value as it is shown at the axis and in a hint."""
        if self.percent:
            return f"{value * _HUNDRED:.1f}%"
        return f"{value:,.0f}"


def draw_chart(chart: Chart, name: str) -> Markup:
    """The wide and the narrow drawing of a chart. `name` is unique on the page."""
    return Markup("").join(
        _drawing(chart, f"{name}-{kind}", width, kind)
        for kind, width in (("wide", WIDE_PX), ("narrow", NARROW_PX))
    )


def _drawing(chart: Chart, name: str, width: int, kind: str) -> Markup:
    match chart.kind:
        case ChartKind.BARS:
            height, body = _bars(chart, name, width)
        case ChartKind.COLUMNS:
            height, body = _columns(chart, name, width)
        case ChartKind.LINES:
            height, body = _lines(chart, name, width)
    return _svg(name, kind, chart.title, width, height, body)


def _svg(name: str, kind: str, title: str, width: float, height: float, body: Sequence[str]) -> Markup:
    safe = escape(title)
    return Markup(  # noqa: S704  # every text in it is escaped
        f'<svg xmlns="http://www.w3.org/2000/svg" class="drawn drawn-{kind}"'
        f' viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{safe}">'
        f"{_patterns(name)}{''.join(body)}</svg>"
    )


def _patterns(name: str) -> str:
    """Fills for black print: full, slanted lines, dots, and a grid."""
    marks = (
        '<rect width="6" height="6"/>',
        '<path d="M0 6L6 0M-1 1L1 -1M5 7L7 5" fill="none" stroke-width="2.2"/>',
        '<circle cx="3" cy="3" r="1.6"/>',
        '<path d="M0 3H6M3 0V6" fill="none" stroke-width="1"/>',
    )
    return (
        "<defs>"
        + "".join(
            f'<pattern id="{name}-f{place}" class="c{place}" width="6" height="6" patternUnits="userSpaceOnUse">'
            f'<rect class="under" width="6" height="6"/>{mark}</pattern>'
            for place, mark in enumerate(marks)
        )
        + "</defs>"
    )


def _text(x: float, y: float, text: str, anchor: str = "start", kind: str = "") -> str:
    extra = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{extra}>{escape(text)}</text>'


def _hint(text: str) -> str:
    return f"<title>{escape(text)}</title>"


def _scale(chart: Chart, highest: float) -> tuple[float, list[float]]:
    """The top of the axis and where its lines are: round numbers."""
    if chart.percent and highest > _HALF:
        return 1.0, [0, 0.25, 0.5, 0.75, 1.0]
    if highest < _LEAST:
        return 1.0, [0, 1.0]
    raw = highest / _TICKS
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= raw)
    if not chart.percent:
        step = max(1.0, math.ceil(step))
    top = step * math.ceil(highest / step)
    return top, [step * n for n in range(round(top / step) + 1)]


def width_of(text: str) -> float:
    """About how many pixels wide a text is: a Chinese character is as wide as two letters."""
    return sum(_LETTER_PX if ord(sign) > _LAST_NARROW else _LETTER_PX * 0.58 for sign in text)


def _cut(text: str, width: float) -> str:
    """The text, or as much of it as fits."""
    if width_of(text) <= width:
        return text
    while text and width_of(text + "…") > width:
        text = text[:-1]
    return text + "…"


def _legend(chart: Chart, name: str, width: int, *, is_line: bool) -> tuple[list[str], float]:
    """The names of the series, and the height that they take."""
    if len(chart.series) < 2:  # noqa: PLR2004  # one needs no key
        return [], 4
    body: list[str] = []
    x, y = 0.0, 12.0
    for place, series in enumerate(chart.series):
        needed = 26 + width_of(series.name)
        if x and x + needed > width:
            x, y = 0.0, y + 18
        if is_line:
            body.append(f'<path class="l{place % _FILLS}" d="M{x:.1f} {y - 4:.1f}h18"/>')
        else:
            body.append(
                f'<rect x="{x:.1f}" y="{y - 10:.1f}" width="14" height="12" fill="url(#{name}-f{place % _FILLS})"/>'
            )
        body.append(_text(x + 22, y, series.name))
        x += needed + 12
    return body, y + 12


def _bars(chart: Chart, name: str, width: int) -> tuple[float, list[str]]:
    """A block of bars for each label; whiskers show the interval."""
    body, top = _legend(chart, name, width, is_line=False)
    widest = max((width_of(label) for label in chart.labels), default=0)
    left = min(widest + 10, width * (_NAME_SHARE if width > NARROW_PX else 0.36))
    right = width - 62
    known = [
        value for series in chart.series for value in (*series.values, *series.high) if value is not None
    ]
    most, ticks = _scale(chart, max(known, default=0))
    inner = 16 if len(chart.series) > 1 else 14
    block = inner * len(chart.series) + 12
    bottom = top + block * len(chart.labels)

    def x_of(value: float) -> float:
        return left + (right - left) * value / most

    for tick in ticks:
        body.append(f'<path class="grid" d="M{x_of(tick):.1f} {top:.1f}V{bottom:.1f}"/>')
        body.append(_text(x_of(tick), bottom + 16, _tick(chart, tick), "middle", "axis"))
    for row, label in enumerate(chart.labels):
        y = top + row * block + 6
        body.append(_text(left - 8, y + (block - 12) / 2 + 4, _cut(label, left - 10), "end"))
        for place, series in enumerate(chart.series):
            value = series.values[row]
            if value is None:
                continue
            at = y + place * inner
            hint = _hint(f"{label} {series.name}: {chart.label_of(value)}")
            body.append(
                f'<rect x="{left:.1f}" y="{at:.1f}" width="{max(x_of(value) - left, 1):.1f}" height="{inner - 4}"'
                f' fill="url(#{name}-f{place % _FILLS})">{hint}</rect>'
            )
            end = x_of(value)
            low, high = (side[row] if side else None for side in (series.low, series.high))
            if low is not None and high is not None:
                middle = at + (inner - 4) / 2
                end = max(end, x_of(high))
                body.append(
                    f'<path class="whisker" d="M{x_of(low):.1f} {middle:.1f}H{x_of(high):.1f}M{x_of(low):.1f} '
                    f'{middle - 4:.1f}v8M{x_of(high):.1f} {middle - 4:.1f}v8"/>'
                )
            body.append(_text(end + 5, at + inner - 6, chart.label_of(value), kind="value"))
    return bottom + 24, body


def _tick(chart: Chart, tick: float) -> str:
    return f"{tick * _HUNDRED:.0f}%" if chart.percent else f"{tick:,.0f}"


def _frame(chart: Chart, width: int, top: float, highest: float) -> tuple[list[str], float, float, float]:
    """The lines of the axis, its left end, the bottom, and the top of its scale."""
    most, ticks = _scale(chart, highest)
    left = max(width_of(_tick(chart, tick)) for tick in ticks) + 10
    bottom = top + _PLOT_PX
    body = []
    for tick in ticks:
        y = bottom - _PLOT_PX * tick / most
        body.append(f'<path class="grid" d="M{left:.1f} {y:.1f}H{width}"/>')
        body.append(_text(left - 6, y + 4, _tick(chart, tick), "end", "axis"))
    return body, left, bottom, most


def _labels(chart: Chart, width: int, left: float, bottom: float, step: float) -> Iterator[str]:
    """As many labels as have room, the last one among them."""
    widest = max((width_of(label) for label in chart.labels), default=0)
    every = max(1, math.ceil((widest + 10) / step), math.ceil(len(chart.labels) / _MOST_LABELS[width]))
    for place, label in enumerate(chart.labels):
        if place % every:
            continue
        middle = left + step * (place + 0.5)
        half = width_of(label) / 2
        yield _text(min(max(middle, left + half), width - half), bottom + 18, label, "middle", "axis")


def _columns(chart: Chart, name: str, width: int) -> tuple[float, list[str]]:
    """Stacked columns."""
    body, top = _legend(chart, name, width, is_line=False)
    sums = [sum(series.values[place] or 0 for series in chart.series) for place in range(len(chart.labels))]
    frame, left, bottom, most = _frame(chart, width, top, max(sums, default=0))
    body += frame
    step = (width - left) / max(len(chart.labels), 1)
    broad = min(step * 0.7, 48)
    for column, label in enumerate(chart.labels):
        x, y = left + step * (column + 0.5) - broad / 2, bottom
        for place, series in enumerate(chart.series):
            value = series.values[column] or 0
            height = _PLOT_PX * value / most
            if height <= 0:
                continue
            y -= height
            hint = _hint(f"{label} {series.name}: {chart.label_of(value)}")
            body.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{broad:.1f}" height="{height:.1f}" class="part"'
                f' fill="url(#{name}-f{place % _FILLS})">{hint}</rect>'
            )
    body += _labels(chart, width, left, bottom, step)
    return bottom + _FOOT_PX - 12, body


def _lines(chart: Chart, name: str, width: int) -> tuple[float, list[str]]:
    """A line for each series, broken where there is no value; the points carry their value as a hint."""
    body, top = _legend(chart, name, width, is_line=True)
    known = [value for series in chart.series for value in series.values if value is not None]
    frame, left, bottom, most = _frame(chart, width, top, max(known, default=0))
    body += frame
    step = (width - left) / max(len(chart.labels), 1)
    for place, series in reversed(list(enumerate(chart.series))):
        points = [
            None if value is None else (left + step * (at + 0.5), bottom - _PLOT_PX * value / most)
            for at, value in enumerate(series.values)
        ]
        moves = []
        for at, point in enumerate(points):
            if point is not None:
                is_first = at == 0 or points[at - 1] is None
                moves.append(f"{'M' if is_first else 'L'}{point[0]:.1f} {point[1]:.1f}")
        body.append(f'<path class="l{place % _FILLS}" d="{"".join(moves)}"/>')
        for at, point in enumerate(points):
            if point is None:
                continue
            value = series.values[at]
            assert value is not None
            radius = 3 if place == 0 and len(points) <= _HUNDRED else 2
            body.append(
                f'<circle class="c{place % _FILLS}" cx="{point[0]:.1f}" cy="{point[1]:.1f}" r="{radius}">'
                f"{_hint(f'{chart.labels[at]} {series.name}: {chart.label_of(value)}')}</circle>"
            )
    body += _labels(chart, width, left, bottom, step)
    return bottom + _FOOT_PX - 12, body


def shade_bounds(values: Sequence[float]) -> tuple[float, ...]:
    """The upper ends of five shades, so that about as many of the values fall into each."""
    ordered = sorted(values)
    if not ordered:
        return (0.0,) * _SHADES
    return tuple(ordered[max(len(ordered) * n // _SHADES, 1) - 1] for n in range(1, _SHADES + 1))


def shade_of(value: float, bounds: Sequence[float]) -> int:
    """The shade from 1, the lightest, to 5; 0 for no value."""
    if value <= 0:
        return 0
    return next((place + 1 for place, bound in enumerate(bounds) if value <= bound), _SHADES)


def draw_calendar(
    days: Mapping[date, int], *, name: str, title: str, months: Sequence[str], weekdays: Sequence[str]
) -> Markup:
    """A square for each day, a column for each week from Monday on; the higher the value, the darker. `months`: their
    names from January on; `weekdays`: from Monday on.
    """
    if not days:
        return Markup("")
    bounds = shade_bounds([count for count in days.values() if count])
    return Markup("").join(
        _calendar(days, bounds, f"{name}-{kind}", title, months, weekdays, kind, weeks)
        for kind, weeks in (("wide", 54), ("narrow", 20))
    )


def _calendar(
    days: Mapping[date, int],
    bounds: Sequence[float],
    name: str,
    title: str,
    months: Sequence[str],
    weekdays: Sequence[str],
    kind: str,
    weeks_a_row: int,
) -> Markup:
    size, left, head = 15.0, max(width_of(weekday) for weekday in weekdays) + 6, 18.0
    first = min(days) - timedelta(days=min(days).weekday())
    weeks = (max(days) - first).days // 7 + 1
    rows = math.ceil(weeks / weeks_a_row)
    block = head + 7 * size + 10
    body: list[str] = []
    for row in range(rows):
        for place, text in enumerate(weekdays):
            if place in {0, 2, 4, 6}:
                body.append(_text(left - 5, row * block + head + place * size + 11, text, "end", "axis"))
    last_month, room = 0, -math.inf
    for offset in range(weeks * 7):
        day = first + timedelta(days=offset)
        week = offset // 7
        row, column = divmod(week, weeks_a_row)
        x, y = left + column * size, row * block + head + (offset % 7) * size
        if column == 0 and offset % 7 == 0:
            last_month, room = 0, -math.inf
        if day.month != last_month and offset % 7 == 0 and x >= room:
            last_month = day.month
            text = months[day.month - 1]
            room = x + width_of(text) + 8
            body.append(_text(x, row * block + 12, text, kind="axis"))
        count = days.get(day)
        if count is None:
            continue
        body.append(
            f'<rect class="h{shade_of(count, bounds)}" x="{x:.1f}" y="{y:.1f}" width="{size - 2}" height="{size - 2}">'
            f"{_hint(f'{day.isoformat()}: {count:,}')}</rect>"
        )
    width = left + min(weeks, weeks_a_row) * size
    least = WIDE_PX if kind == "wide" else NARROW_PX
    return _svg(name, kind, title, max(width, least), rows * block, body)


Ring = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A unit on a map: its rings of longitude and latitude, its shade from 0 to 5, and the hint shown for it."""

    name: str
    rings: Sequence[Ring]
    shade: int
    hint: str
    href: str = ""


def draw_map(areas: Sequence[Area], *, name: str, title: str) -> Markup:
    """Areas in an equirectangular projection around their middle: north is up, distances are true there."""
    points = [point for area in areas for ring in area.rings for point in ring]
    if not points:
        return Markup("")
    west, east = min(p[0] for p in points), max(p[0] for p in points)
    south, north = min(p[1] for p in points), max(p[1] for p in points)
    narrowing = max(math.cos(math.radians((south + north) / 2)), 0.01)
    across, up = max((east - west) * narrowing, 1e-9), max(north - south, 1e-9)
    width = 640.0
    height = min(width * up / across, 620.0)
    scale = min(width / across, height / up)
    body = []
    for area in areas:
        path = "".join(
            "M"
            + "L".join(
                f"{(x - west) * narrowing * scale:.1f} {(north - y) * scale:.1f}" for x, y in _thin(ring)
            )
            + "Z"
            for ring in area.rings
        )
        shape = f'<path class="area h{area.shade}" fill-rule="evenodd" d="{path}">{_hint(area.hint)}</path>'
        body.append(f'<a href="{escape(area.href)}">{shape}</a>' if area.href else shape)
    for area in areas:
        ring = max(area.rings, key=lambda ring: abs(_size(ring)))
        x, y = _middle(ring)
        at = ((x - west) * narrowing * scale, (north - y) * scale)
        body.append(_text(at[0], at[1] + 4, area.name, "middle", f"area-name on{area.shade}"))
    return _svg(name, "map", title, across * scale, up * scale, body)


_MOST_POINTS = 400


def _thin(ring: Ring) -> Ring:
    """Every n-th point of a ring with very many: the drawing is a few hundred pixels wide."""
    every = max(1, len(ring) // _MOST_POINTS)
    return ring[::every]


def _size(ring: Ring) -> float:
    """Twice the signed area, in square degrees."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise([*ring, ring[0]]))


def _middle(ring: Ring) -> tuple[float, float]:
    """The centre of gravity; for a line the middle of its points."""
    twice = _size(ring)
    if abs(twice) < 1e-12:  # noqa: PLR2004  # no area
        return sum(p[0] for p in ring) / len(ring), sum(p[1] for p in ring) / len(ring)
    pairs = list(pairwise([*ring, ring[0]]))
    x = sum((a[0] + b[0]) * (a[0] * b[1] - b[0] * a[1]) for a, b in pairs) / (3 * twice)
    y = sum((a[1] + b[1]) * (a[0] * b[1] - b[0] * a[1]) for a, b in pairs) / (3 * twice)
    return x, y
