"""Charts as SVG: every value is drawn where it belongs, said in words, and told apart without colours."""

from __future__ import annotations

import re
from datetime import date, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.web.charts import (
    Area,
    Chart,
    ChartKind,
    Series,
    draw_calendar,
    draw_chart,
    draw_map,
    shade_bounds,
    shade_of,
)

SPACE = "{http://www.w3.org/2000/svg}"


def drawings(markup: str) -> list[ET.Element]:
    found = re.findall(r"<svg.*?</svg>", markup, re.DOTALL)
    return [ET.fromstring(one) for one in found]


def chart(kind: ChartKind, *values: list[float | None], percent: bool = False) -> Chart:
    labels = [f"<{n}>" for n in range(len(values[0]))]
    series = [Series(name=f"S{n}", values=one) for n, one in enumerate(values)]
    return Chart(kind=kind, title='"a" & b', labels=labels, series=series, percent=percent)


@pytest.mark.parametrize("kind", ChartKind)
def test_a_chart_is_drawn_wide_and_narrow_with_unlike_ids_and_its_title(kind: ChartKind):
    both = drawings(draw_chart(chart(kind, [1, 2, None], [3, 0, 5]), "x"))
    assert [one.get("class") for one in both] == ["drawn drawn-wide", "drawn drawn-narrow"]
    ids = [one.get("id") for drawing in both for one in drawing.iter() if one.get("id")]
    assert len(ids) == len(set(ids))
    assert {one.get("aria-label") for one in both} == {'"a" & b'}


@given(
    st.sampled_from(ChartKind),
    st.lists(st.one_of(st.none(), st.floats(0, 1e9)), min_size=1, max_size=40),
    st.booleans(),
)
def test_nothing_is_drawn_outside_and_every_value_has_a_hint(
    kind: ChartKind, values: list[float | None], percent: bool
):
    given_values = [None if value is None else value / 1e9 for value in values] if percent else values
    for drawing in drawings(draw_chart(chart(kind, given_values, percent=percent), "x")):
        _, _, width, height = (float(one) for one in (drawing.get("viewBox") or "").split())
        for rect in (one for one in drawing.iter(f"{SPACE}rect") if one.get("x")):
            x, y, w, h = (float(rect.get(name) or 0) for name in ("x", "y", "width", "height"))
            assert -0.1 <= x <= x + w <= width + 0.1
            assert -0.1 <= y <= y + h <= height + 0.1
        hints = len(list(drawing.iter(f"{SPACE}title")))
        if kind is ChartKind.COLUMNS:
            assert hints <= len(values)
        else:
            assert hints == sum(value is not None for value in values)


def test_bars_are_as_long_as_their_share():
    wide, _ = drawings(draw_chart(chart(ChartKind.BARS, [0.25, 1.0], percent=True), "x"))
    quarter, whole = (float(one.get("width") or 0) for one in wide.iter(f"{SPACE}rect") if one.get("x"))
    assert quarter / whole == pytest.approx(0.25, abs=0.01)


def test_series_differ_by_fill_and_by_dash():
    wide, _ = drawings(draw_chart(chart(ChartKind.COLUMNS, [1], [1], [1], [1]), "x"))
    fills = {one.get("fill") for one in wide.iter(f"{SPACE}rect") if one.get("class") == "part"}
    assert len(fills) == 4
    lines, _ = drawings(draw_chart(chart(ChartKind.LINES, [1, 2], [2, 1]), "x"))
    assert {"l0", "l1"} <= {one.get("class") for one in lines.iter(f"{SPACE}path")}


def test_a_line_is_broken_where_there_is_no_value():
    wide, _ = drawings(draw_chart(chart(ChartKind.LINES, [1, 2, None, 4]), "x"))
    [path] = [one.get("d") or "" for one in wide.iter(f"{SPACE}path") if one.get("class") == "l0"]
    assert path.count("M") == 2
    assert path.count("L") == 1


@given(st.dictionaries(st.integers(0, 800), st.integers(0, 10_000), min_size=1, max_size=80))
def test_the_calendar_has_a_square_for_each_day(days: dict[int, int]):
    counts = {date(2025, 1, 1) + timedelta(days=n): count for n, count in days.items()}
    markup = draw_calendar(
        counts, name="c", title="t", months=[str(n) for n in range(12)], weekdays=list("1234567")
    )
    for drawing in drawings(markup):
        squares = [one for one in drawing.iter(f"{SPACE}rect") if (one.get("class") or "").startswith("h")]
        assert len(squares) == len(counts)
        assert len({(one.get("x"), one.get("y")) for one in squares}) == len(counts)


@given(st.lists(st.floats(0.001, 1), min_size=1))
def test_more_is_never_lighter(values: list[float]):
    bounds = shade_bounds(values)
    shades = [shade_of(value, bounds) for value in sorted(values)]
    assert shades == sorted(shades)
    assert set(shades) <= {1, 2, 3, 4, 5}
    assert shade_of(0, bounds) == 0


def test_a_map_has_north_above_and_opens_the_unit():
    def square(east: float, north: float) -> list[list[float]]:
        return [[east, north], [east + 1, north], [east + 1, north + 1], [east, north + 1], [east, north]]

    [drawing] = drawings(
        draw_map(
            [
                Area(name="北", rings=[square(107, 42)], shade=5, hint="北: 1", href="/rates?unit=1&by=unit"),
                Area(name="南", rings=[square(107, 40)], shade=1, hint="南: 0"),
            ],
            name="m",
            title="t",
        )
    )
    heights = {one.text: float(one.get("y") or 0) for one in drawing.iter(f"{SPACE}text")}
    assert heights["北"] < heights["南"]
    assert [one.get("href") for one in drawing.iter(f"{SPACE}a")] == ["/rates?unit=1&by=unit"]
