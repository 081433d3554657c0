"""Whoever has few places sees them all in the bar; whoever has many sees groups."""

from __future__ import annotations

from dialer.core.access import Permission
from dialer.web.rendering import NavigationPlace, PlaceGroup, navigation_of


def place(name: str, group: PlaceGroup | None = None) -> NavigationPlace:
    return NavigationPlace(path=f"/{name}", text=name, act=Permission.SEE_CASES, order=0, group=group)


def shown(places: list[NavigationPlace]) -> list[tuple[str, list[str]]]:
    return [(entry.text, [one.path for one in entry.places]) for entry in navigation_of(places)]


def test_few_places_stand_in_the_bar_themselves():
    places = [place(f"p{n}", PlaceGroup.RESULTS) for n in range(9)]
    assert shown(places) == [(f"p{n}", [f"/p{n}"]) for n in range(9)]


def test_many_places_are_in_groups_at_the_first_one_of_each():
    places = [
        *(place(f"a{n}") for n in range(7)),
        place("rates", PlaceGroup.RESULTS),
        place("audit"),
        place("filed", PlaceGroup.RESULTS),
        place("units", PlaceGroup.ADMINISTRATION),
    ]
    assert shown(places)[7:] == [
        ("Results", ["/rates", "/filed"]),
        ("audit", ["/audit"]),
        ("units", ["/units"]),
    ]
