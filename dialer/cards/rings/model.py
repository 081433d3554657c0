"""Rings: people who open cards together. Openings are linked by a rare key that they share (phone left, address, agent,
story) within 72 hours; a component of at least three persons gets points, which decide whether it is a ring. Pure.

A key that many people share (a factory, a dormitory, a school, a usual purpose) is a hub: by itself it links nobody.
Two hubs together, such as a dormitory and a story, may still be rare: then the pair is a key. So is a usual story
together with the county elsewhere from which people come.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import combinations
from statistics import median
from typing import Final

LINK_HOURS: Final = 72
LEAST_PERSONS: Final = 3
HUB_PERSONS: Final = 20
"""More persons than this within the link time make a key a hub."""
USUAL_DAYS: Final = 30
"""How many days back people who tell a story count for whether it is usual here."""
_FRESH_DAYS: Final = 6
"""The days just before an opening that do not count for this: a ring works for some days."""
_USUAL_PERSONS: Final = 5
"""This many people outside rings who told a story earlier make it usual."""
MOST_OPENINGS: Final = 200
"""The most openings of one component that are searched."""
_MOST_ROUNDS: Final = 6
FLAG_POINTS: Final = 3
_STUDENT_AGES: Final = range(15, 25)
_GENERATION: Final = 18
_MOST_OF_THEM: Final = 0.8
_MANY_EACH: Final = 2.5
_SEVERAL_EACH: Final = 1.5
"""Cards of a person on average, in a ring: two points, one point."""
_LARGEST_FAMILY: Final = 6
_OLDEST_STUDENT: Final = 30
_FEW_EACH: Final = 2.5


class KeyKind(StrEnum):
    """What openings may share."""

    PHONE = "phone"
    ADDRESS = "address"
    AGENT = "agent"
    STORY = "story"
    HOME = "home"
    """The county elsewhere that issued the id number; used only together with a usual story."""


Part = tuple[KeyKind, bytes]
Key = tuple[Part, ...]
"""One shared value, or a pair of values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One opening for the search for rings. `person` and the keys are blind indexes."""

    id: int
    person: bytes
    at: datetime
    institution_id: int
    outlet_id: int
    parts: tuple[Part, ...]
    employer: bytes | None = None
    age: int | None = None
    home: str = ""
    out_of_town: bool = False
    top_limit: bool = False
    in_ring: bool = False
    """It belongs to a ring that was found earlier."""


FindSharing = Callable[[Sequence[tuple[Key, datetime]]], Mapping[Key, Sequence[Node]]]
"""Finds for each key the openings that have it within `LINK_HOURS` of the moment, and for a story also those of the
`USUAL_DAYS` before, newest first; for a hub only enough of them to recognise it as one.
"""
FindSharingOfMany = Callable[
    [Sequence[tuple[Node, Sequence[tuple[Key, datetime]]]]], Sequence[Mapping[Key, Sequence[Node]]]
]
"""Like `FindSharing`, for several searches at once, each given by the opening from which it started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """A component with its points; with `FLAG_POINTS` it is a finding. `reasons` are the names of the points that
    counted.
    """

    nodes: tuple[Node, ...]
    links: Mapping[Key, tuple[int, ...]]
    """The openings that share each key."""
    points: int
    reasons: tuple[str, ...]

    @property
    def persons(self) -> int:
        """How many different persons it has."""
        return len({node.person for node in self.nodes})

    @property
    def cards(self) -> int:
        return len(self.nodes)

    @property
    def is_found(self) -> bool:
        """Whether it has enough persons and points."""
        return self.persons >= LEAST_PERSONS and self.points >= FLAG_POINTS


def keys_of(node: Node) -> tuple[Key, ...]:
    """The keys of one value that the opening may share."""
    return tuple((part,) for part in node.parts)


def is_hub(nodes: Iterable[Node]) -> bool:
    """Whether more people share the key than a ring has."""
    return len({node.person for node in nodes}) > HUB_PERSONS


def is_usual(nodes: Iterable[Node], at: datetime) -> bool:
    """Whether enough people outside rings told the same story in the weeks before `at`."""
    before = at - timedelta(days=_FRESH_DAYS)
    return len({node.person for node in nodes if node.at < before and not node.in_ring}) >= _USUAL_PERSONS


_Walk = Generator[tuple[tuple[Key, datetime], ...], Mapping[Key, Sequence[Node]], Ring]


def find_ring(start: Node, look: FindSharing) -> Ring:
    """The component of this opening, searched outward until nothing new is linked or enough was seen."""
    [ring] = find_rings([start], lambda wanted: [look(keys) for _, keys in wanted])
    return ring


def find_rings(starts: Sequence[Node], look: FindSharingOfMany) -> list[Ring]:
    """The result of `find_ring` for each opening, in their order. All searches advance together, so that one call of
    `look` serves a step of all.
    """
    walks = [_walk(start) for start in starts]
    rings: dict[int, Ring] = {}
    waiting: dict[int, tuple[tuple[Key, datetime], ...]] = {}

    def advance(place: int, answer: Mapping[Key, Sequence[Node]] | None) -> None:
        # A search whose opening shares nothing ends at its first step.
        try:
            waiting[place] = next(walks[place]) if answer is None else walks[place].send(answer)
        except StopIteration as end:
            rings[place] = end.value

    for place in range(len(starts)):
        advance(place, None)
    while waiting:
        places = list(waiting)
        found = look([(starts[place], waiting[place]) for place in places])
        waiting.clear()
        for place, answer in zip(places, found, strict=True):
            advance(place, answer)
    return [rings[place] for place in range(len(starts))]


def _walk(start: Node) -> _Walk:
    """One search: yields the keys that it needs, receives the openings that have them, and returns the ring."""
    seen: dict[int, Node] = {start.id: start}
    links: dict[Key, set[int]] = {}
    asked: set[Key] = set()
    hubs: set[Part] = set()
    frontier: deque[Node] = deque([start])
    for _ in range(_MOST_ROUNDS):
        wanted: dict[Key, datetime] = {}
        for node in frontier:
            for key in keys_of(node):
                if key not in asked:
                    wanted.setdefault(key, node.at)
        if not wanted:
            break
        asked |= wanted.keys()
        found = _rare(dict((yield tuple(wanted.items()))), wanted, frontier, hubs)
        pairs = _pairs_of_hubs(frontier, hubs, asked)
        if pairs:
            asked |= pairs.keys()
            found |= yield tuple(pairs.items())
        frontier = deque()
        for key, nodes in found.items():
            if is_hub(nodes):
                continue
            links.setdefault(key, set()).update(node.id for node in nodes)
            for node in nodes:
                if node.id not in seen and len(seen) < MOST_OPENINGS:
                    seen[node.id] = node
                    frontier.append(node)
    return _judged(seen.values(), {key: tuple(sorted(ids)) for key, ids in links.items() if len(ids) > 1})


def _rare(
    found: Mapping[Key, Sequence[Node]],
    wanted: Mapping[Key, datetime],
    frontier: Iterable[Node],
    hubs: set[Part],
) -> dict[Key, Sequence[Node]]:
    """The keys that link by themselves, with their openings; adds the others to `hubs`. A story that is a hub still
    links people who come from the same county elsewhere as a person of the frontier.
    """
    rare: dict[Key, Sequence[Node]] = {}
    for key, nodes in found.items():
        begin, end = within(wanted[key])
        near = [node for node in nodes if begin <= node.at <= end]
        is_story = key[0][0] is KeyKind.STORY
        if not is_hub(near) and not (is_story and is_usual(nodes, wanted[key])):
            rare[key] = near
            continue
        hubs.add(key[0])
        if is_story:
            for home in {node.home for node in frontier if node.out_of_town and key[0] in node.parts}:
                rare[(*key, (KeyKind.HOME, home.encode()))] = [node for node in near if node.home == home]
    return rare


def _pairs_of_hubs(frontier: Iterable[Node], hubs: set[Part], asked: set[Key]) -> dict[Key, datetime]:
    pairs: dict[Key, datetime] = {}
    for node in frontier:
        for pair in combinations([part for part in node.parts if part in hubs], 2):
            if pair not in asked:
                pairs.setdefault(pair, node.at)
    return pairs


def _judged(seen: Iterable[Node], links: Mapping[Key, tuple[int, ...]]) -> Ring:
    nodes = tuple(sorted(seen, key=lambda node: (node.at, node.id)))
    persons: dict[bytes, list[Node]] = {}
    for node in nodes:
        persons.setdefault(node.person, []).append(node)
    if len(persons) < LEAST_PERSONS:
        return Ring(nodes=nodes, links=links, points=0, reasons=())
    owner = {node.id: node.person for node in nodes}
    kinds = {
        part[0]
        for key, ids in links.items()
        if len({owner[opening_id] for opening_id in ids if opening_id in owner}) > 1
        for part in key
    }
    points_for = _points_for(persons, kinds, nodes)
    points_by_name = points_for | _points_against(persons, kinds, nodes)
    if kinds == {KeyKind.STORY} and not (points_for["out_of_town"] or points_for["top_limits"]):
        # In a large city, people from one place may tell the same story by chance.
        points_by_name |= dict.fromkeys(("same_story", "institutions", "cards_each"), 0)
    reasons = tuple(name for name, points in points_by_name.items() if points)
    return Ring(nodes=nodes, links=links, points=max(0, sum(points_by_name.values())), reasons=reasons)


def _points_for(
    persons: Mapping[bytes, Sequence[Node]], kinds: set[KeyKind], nodes: Sequence[Node]
) -> dict[str, int]:
    count, each = len(persons), len(nodes) / len(persons)
    firsts = [own[0] for own in persons.values()]
    strangers = sum(node.out_of_town for node in firsts)
    wide = sum(len({node.institution_id for node in own}) > 1 for own in persons.values())
    top = sum(any(node.top_limit for node in own) for own in persons.values())
    return {
        "cards_each": 2 if each >= _MANY_EACH else 1 if each >= _SEVERAL_EACH else 0,
        "out_of_town": 1 if 2 * strangers >= count else 0,
        "top_limits": 1 if 2 * top >= count else 0,
        "institutions": 1 if 2 * wide >= count else 0,
        "same_agent": 1 if KeyKind.AGENT in kinds else 0,
        "same_story": 1 if KeyKind.STORY in kinds else 0,
        "same_phone": 1 if KeyKind.PHONE in kinds else 0,
    }


def _points_against(
    persons: Mapping[bytes, Sequence[Node]], kinds: set[KeyKind], nodes: Sequence[Node]
) -> dict[str, int]:
    """Points against a ring: it is rather a family, a class, or people hired by one employer."""
    firsts = [own[0] for own in persons.values()]
    ages = [node.age for node in firsts if node.age is not None]
    local = 2 * sum(node.out_of_town for node in firsts) < len(persons)
    family = (
        KeyKind.ADDRESS in kinds
        and len(persons) <= _LARGEST_FAMILY
        and len(ages) > 1
        and max(ages) - min(ages) >= _GENERATION
        and len({node.home[:4] for node in firsts}) == 1
    )
    employers = Counter(node.employer for node in firsts if node.employer is not None)
    hired = bool(employers) and employers.most_common(1)[0][1] >= _MOST_OF_THEM * len(persons)
    each = len(nodes) / len(persons)
    school = (
        bool(ages)
        and _STUDENT_AGES.start <= median(ages) < _STUDENT_AGES.stop
        and max(ages) <= _OLDEST_STUDENT
    )
    few = each <= _FEW_EACH
    return {
        "family": -4 if family else 0,
        "one_employer": -4 if hired and few else 0,
        "students": -2 if school and few and local else 0,
    }


def within(at: datetime) -> tuple[datetime, datetime]:
    """The first and last moment at which an opening is linked to one at `at`."""
    return at - timedelta(hours=LINK_HOURS), at + timedelta(hours=LINK_HOURS)
