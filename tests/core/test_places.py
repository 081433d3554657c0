"""A unit has a place only as far as the intervals allow: the true places are always among those that are named."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dialer.core.intervals import Interval, Places, places_of

_WIDTHS = st.floats(0, 0.3)


@st.composite
def measured(draw: st.DrawFn) -> dict[str, tuple[float, Interval]]:
    """Parts with their true values, each within its interval."""
    parts = draw(
        st.lists(st.tuples(st.floats(-1, 1, allow_nan=False), _WIDTHS, _WIDTHS), min_size=1, max_size=9)
    )
    return {
        str(place): (true, Interval(low=true - below, high=true + above))
        for place, (true, below, above) in enumerate(parts)
    }


@given(measured())
def test_the_true_place_is_among_those_that_are_named(parts: dict[str, tuple[float, Interval]]):
    found = places_of({name: interval for name, (_, interval) in parts.items()})
    for name, (true, _) in parts.items():
        smaller = sum(other < true for other, _ in parts.values())
        alike = sum(other == true for other, _ in parts.values())
        assert found[name].first <= smaller + alike
        assert found[name].last >= smaller + 1
        assert 1 <= found[name].first <= found[name].last <= len(parts)


def test_only_what_does_not_overlap_is_ranked():
    found = places_of(
        {
            "a": Interval(low=-0.3, high=-0.2),
            "b": Interval(low=-0.1, high=0.1),
            "c": Interval(low=0.0, high=0.2),
        }
    )
    assert found["a"] == Places(first=1, last=1)
    assert found["b"] == found["c"] == Places(first=2, last=3)
    assert places_of({}) == {}
