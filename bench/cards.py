"""Two-card control: the rate of checks over many openings, a daily file, and what the checks find of a made-up city.

    python -m bench.cards --seed N [--quick] [--behind 5000000] [--part quality|speed]

The city of the quality part is made of the seed: ordinary openers, rings, and honest look-alikes (students, people whom
a factory hires, families). Addresses and phones of ordinary openers coincide by chance, and the members of a ring give
what they share as often as the ring is careless. Nothing but the openings reaches the checks; who is in a ring is
looked at afterwards.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bench.cards_speed import fitted, speed
from dialer.cards.openings.checks import Facts, shipped_checks
from dialer.cards.rings.model import (
    HUB_PERSONS,
    LEAST_PERSONS,
    USUAL_DAYS,
    Key,
    KeyKind,
    Node,
    find_ring,
    within,
)
from dialer.core.cards import CheckVerdict

START = datetime(2026, 9, 1, tzinfo=UTC)
DAYS = 60
LOCAL = "150802"
_INSTITUTIONS = 24
HOMES = 587_000
"""Households of the project's city: 1,538,715 inhabitants, 2.62 in each (census of 2020)."""
QUARTERS, WITHOUT_ROOM = 1_000, 0.3
"""Quarters and villages of the city, and the share of ordinary openers who name no house. Assumed."""
HOME_PHONE = 0.05
"""Of ordinary openers, those who leave the phone of their household. Assumed."""
SHARED = (0.2, 0.8)
"""How often the members of a ring give what they share, from the most careful ring to the most careless. Assumed."""


@dataclass(slots=True, kw_only=True)
class Act:
    """One opening of the made-up city, and what the checks must not know: `ring`, `kind`."""

    at: datetime
    person: int
    institution: int
    is_sim: bool
    home: str
    age: int
    limit_fen: int
    keys: dict[KeyKind, str] = field(default_factory=dict)
    employer: str = ""
    ring: int | None = None
    kind: str = "ordinary"


class City:
    """Makes the openings of a seed."""

    def __init__(self, seed: int, *, openings: int, rings: int) -> None:
        self._random = random.Random(seed)
        self._people = 0
        self.acts: list[Act] = []
        self.members: dict[int, int] = {}
        """The ring of each member."""
        for number in range(rings):
            self._ring(number)
        self._look_alikes(openings // 40)
        while len(self.acts) < openings:
            self._ordinary()
        self.acts.sort(key=lambda act: act.at)

    def _person(self) -> int:
        self._people += 1
        return self._people

    def _moment(self) -> datetime:
        day = START + timedelta(days=self._random.randrange(DAYS))
        return day + timedelta(seconds=self._random.randrange(32_400, 61_200))

    def _ordinary(self) -> None:
        r, person = self._random, self._person()
        home = LOCAL if r.random() < 0.8 else f"{r.choice((41, 14, 61, 62, 13))}0{r.randrange(100, 999)}"
        at, age = self._moment(), r.randrange(16, 80)
        house = r.randrange(HOMES)
        address = f"quarter {house % QUARTERS}" if r.random() < WITHOUT_ROOM else f"home {house}"
        phone = f"phone of home {house}" if r.random() < HOME_PHONE else f"phone {r.randrange(10**10)}"
        # A few open several: a new job, a move, a lost purse.
        cards = r.choices((1, 2, 3, 4), weights=(830, 140, 27, 3))[0]
        for _ in range(cards):
            keys = {KeyKind.ADDRESS: address, KeyKind.PHONE: phone}
            if r.random() < 0.15:
                keys[KeyKind.STORY] = f"story {r.randrange(400)}"
            if r.random() < 0.02:
                keys[KeyKind.AGENT] = f"agent {r.randrange(2000)}"
            limit = 30_000_000 if r.random() < 0.05 else 500_000
            self._add(at, person, home, age, limit, keys)
            at += timedelta(hours=r.expovariate(1 / 200))

    def _add(
        self,
        at: datetime,
        person: int,
        home: str,
        age: int,
        limit: int,
        keys: Mapping[KeyKind, str],
        **more: object,
    ) -> None:
        r = self._random
        given = {"institution": r.randrange(_INSTITUTIONS), "is_sim": r.random() < 0.5} | more
        act = Act(at=at, person=person, home=home, age=age, limit_fen=limit, keys=dict(keys), **given)  # type: ignore[arg-type]
        self.acts.append(act)

    def _ring(self, number: int) -> None:
        r = self._random
        size, begun = r.randint(3, 15), self._moment()
        home = f"{r.choice((41, 35, 45, 44, 52))}0{r.randrange(100, 999)}"
        story, address, phone, agent = (
            f"{name} of ring {number}" for name in ("story", "room", "phone", "agent")
        )
        shares, shared = (
            r.sample(("story", "address", "phone", "agent"), k=r.randint(1, 3)),
            r.uniform(*SHARED),
        )
        for _ in range(size):
            person, at = self._person(), begun + timedelta(hours=r.uniform(0, 30))
            self.members[person] = number
            own = f"own {person}"
            cards = r.randint(2, 12)
            is_local = r.random() < 0.25
            for _ in range(cards):
                keys = {
                    KeyKind.ADDRESS: address if "address" in shares and r.random() < shared else own,
                    KeyKind.PHONE: phone if "phone" in shares and r.random() < shared else own,
                }
                if "story" in shares and r.random() < shared:
                    keys[KeyKind.STORY] = story
                if "agent" in shares and r.random() < shared:
                    keys[KeyKind.AGENT] = agent
                limit = 50_000_000 if r.random() < 0.7 else 500_000
                self._add(
                    at,
                    person,
                    LOCAL if is_local else home,
                    r.randrange(18, 45),
                    limit,
                    keys,
                    ring=number,
                    kind="ring",
                )
                at += timedelta(hours=r.expovariate(1 / 7))

    def _look_alikes(self, each: int) -> None:
        r = self._random
        made = 0
        while made < each:  # a class moves into its hall: one room shares the address, many share the story
            begun, size, hall = self._moment(), r.randint(30, 60), r.randrange(10**6)
            for place in range(size):
                person = self._person()
                keys = {
                    KeyKind.ADDRESS: f"hall {hall} room {place // 4}" if r.random() < 0.5 else f"hall {hall}",
                    KeyKind.PHONE: f"own {person}",
                    KeyKind.STORY: f"class of {hall % 5}",
                }
                home = LOCAL if r.random() < 0.6 else f"{r.choice((14, 61, 13))}0{r.randrange(100, 999)}"
                for _ in range(r.choice((1, 2))):
                    at = begun + timedelta(hours=r.uniform(0, 60))
                    self._add(
                        at,
                        person,
                        home,
                        r.randint(17, 22),
                        500_000,
                        keys,
                        employer=f"school {hall}",
                        kind="student",
                    )
                made += 1
        made = 0
        while (
            made < each
        ):  # a factory hires: one dormitory, one agent of the staff office, most from elsewhere
            begun, size, works = self._moment(), r.randint(8, 80), r.randrange(10**6)
            bank = r.randrange(_INSTITUTIONS)
            for _ in range(size):
                person = self._person()
                keys = {KeyKind.ADDRESS: f"dormitory {works}", KeyKind.PHONE: f"own {person}"}
                if r.random() < 0.5:
                    keys[KeyKind.AGENT] = f"staff office {works}"
                home = LOCAL if r.random() < 0.4 else f"{r.choice((41, 62, 52))}0{r.randrange(100, 999)}"
                for card in range(r.choice((1, 1, 2))):
                    at = begun + timedelta(hours=r.uniform(0, 50))
                    more = {"institution": bank} if card == 0 else {}
                    self._add(
                        at,
                        person,
                        home,
                        r.randint(18, 50),
                        500_000,
                        keys,
                        employer=f"works {works}",
                        kind="hired",
                        **more,
                    )
                made += 1
        made = 0
        while made < each:  # a family moves: parents and children share address and one phone
            begun, size, house = self._moment(), r.randint(3, 5), r.randrange(10**9)
            home = LOCAL if r.random() < 0.7 else f"{r.choice((14, 61, 13))}0{r.randrange(100, 999)}"
            parents = [r.randint(28, 52), r.randint(28, 52)]
            ages = parents + [max(3, min(parents) - r.randint(21, 34)) for _ in range(size - 2)]
            for age in ages:
                person = self._person()
                keys = {KeyKind.ADDRESS: f"house {house}", KeyKind.PHONE: f"family {house}"}
                for _ in range(r.choice((1, 1, 2, 3) if age > 18 else (1,))):
                    at = begun + timedelta(hours=r.uniform(0, 60))
                    self._add(at, person, home, age, 500_000, keys, kind="family")
                made += 1


class Memory:
    """Looks for openings that share keys, in memory: the same question that the database answers."""

    def __init__(self) -> None:
        self.nodes: dict[tuple[KeyKind, bytes], list[Node]] = defaultdict(list)
        self.until = START
        self.in_rings: set[int] = set()

    def add(self, node: Node) -> None:
        for part in node.parts:
            self.nodes[part].append(node)

    def __call__(self, wanted: Sequence[tuple[Key, datetime]]) -> dict[Key, list[Node]]:
        found: dict[Key, list[Node]] = {}
        for key, at in wanted:
            begin, end = within(at)
            if key[0][0] is KeyKind.STORY and len(key) == 1:
                begin = at - timedelta(days=USUAL_DAYS)
            nodes, own = self.nodes[key[0]], []
            for node in reversed(nodes[bisect_left(nodes, begin, key=lambda one: one.at) :]):
                if node.at <= min(end, self.until) and all(part in node.parts for part in key[1:]):
                    own.append(replace(node, in_ring=True) if node.id in self.in_rings else node)
                    if len(own) >= 6 * HUB_PERSONS:
                        break
            found[key] = own
        return found


def linkable(city: City) -> float:
    """The share of the members whom anybody could link with two others before their third card who knows which values
    are a ring's own, and links through those alone: no search for rings that reads the keys finds more.
    """
    group: dict[int, set[int]] = {}
    first_with: dict[tuple[KeyKind, str], int] = {}
    cards: dict[int, int] = defaultdict(int)
    at_card: dict[int, int] = {}
    for act in city.acts:
        if act.ring is None:
            continue
        cards[act.person] += 1
        own = group.setdefault(act.person, {act.person})
        for key in act.keys.items():
            if not key[1].endswith(f" of ring {act.ring}"):
                continue
            others = group[first_with.setdefault(key, act.person)]
            if others is not own:
                own |= others
                group.update(dict.fromkeys(others, own))
        if len(own) >= LEAST_PERSONS:
            for one in own:
                at_card.setdefault(one, cards[one] + (one != act.person))
    return sum(at_card.get(person, 99) <= 3 for person in city.members) / len(city.members)


def quality(seed: int, *, openings: int, rings: int) -> dict[str, object]:
    """What the checks find of the city, opening after opening, each as of its own time."""
    city, memory, checks = City(seed, openings=openings, rings=rings), Memory(), shipped_checks()
    own: dict[int, list[Act]] = defaultdict(list)
    flagged: dict[int, int] = {}
    """The card of each flagged person at which it was."""
    persons_of_ring: dict[int, int] = {}
    began = time.perf_counter()
    for number, act in enumerate(city.acts):
        memory.until = act.at
        node = Node(
            id=number,
            person=act.person.to_bytes(8, "big"),
            at=act.at,
            institution_id=act.institution,
            outlet_id=act.institution,
            parts=tuple((kind, value.encode()) for kind, value in act.keys.items()),
            employer=act.employer.encode() or None,
            age=act.age,
            home=act.home,
            out_of_town=act.home != LOCAL,
            top_limit=act.limit_fen >= 20_000_000,
        )
        memory.add(node)
        own[act.person].append(act)
        ring = find_ring(node, memory)
        answer = checks.answer(_facts(own[act.person], act, ring.points if ring.is_found else 0), now=act.at)
        if answer.verdict is CheckVerdict.ASK_DESK:
            flagged.setdefault(act.person, len(own[act.person]))
        if ring.is_found:
            memory.in_rings |= {node.id for node in ring.nodes}
            # A ring is a finding of all its members, also of those who came before it was one.
            for one in {int.from_bytes(node.person, "big") for node in ring.nodes}:
                flagged.setdefault(one, len(own[one]) + (one != act.person))
            members = [city.members.get(int.from_bytes(node.person, "big")) for node in ring.nodes]
            for name in {one for one in members if one is not None}:
                persons_of_ring[name] = max(persons_of_ring.get(name, 0), members.count(name))
    seconds = time.perf_counter() - began
    kinds: dict[str, set[int]] = defaultdict(set)
    for act in city.acts:
        kinds[act.kind].add(act.person)
    early = sum(flagged.get(person, 99) <= 3 for person in city.members)
    look_alikes = kinds["student"] | kinds["hired"] | kinds["family"]
    hit = sum(person in city.members for person in flagged)
    return {
        "openings": len(city.acts),
        "persons": len(own),
        "members_of_rings": len(city.members),
        "recall_before_third_card": round(early / len(city.members), 4),
        "linkable_before_third_card": round(linkable(city), 4),
        "rings": rings,
        "rings_found": round(len(persons_of_ring) / rings, 4),
        "flagged": len(flagged),
        "precision": round(hit / len(flagged), 4) if flagged else None,
        "look_alikes": len(look_alikes),
        "look_alikes_flagged": round(sum(one in flagged for one in look_alikes) / len(look_alikes), 5),
        "flagged_by_kind": {
            kind: f"{sum(one in flagged for one in persons)}/{len(persons)}"
            for kind, persons in sorted(kinds.items())
        },
        "seconds": round(seconds, 1),
    }


def _facts(own: Sequence[Act], act: Act, ring_points: int) -> Facts:
    def since(**span: float) -> list[Act]:
        begin = act.at - timedelta(**span)
        return [one for one in own if one.at >= begin]

    week = since(days=7)
    return Facts(
        cards_24h=len(since(hours=24)),
        cards_7d=len(week),
        cards_30d=len(since(days=30)),
        cards_90d=len(own),
        institutions_7d=len({one.institution for one in week}),
        accounts_7d=sum(not one.is_sim for one in week),
        sims_7d=sum(one.is_sim for one in week),
        out_of_town=int(act.home != LOCAL),
        top_limit=int(act.limit_fen >= 20_000_000),
        age=act.age,
        ring_points=ring_points,
    )


def run(*, seed: int, quick: bool, behind: int, part: str) -> dict[str, object]:
    """The parts that are wanted: `quality`, `speed`, or both for ''."""
    found: dict[str, object] = {"seed": seed}
    if part != "speed":
        found["quality"] = quality(seed, openings=60_000 if quick else 300_000, rings=40)
    if part != "quality":
        made = speed(
            behind=min(behind, 100_000) if quick else behind,
            seconds=10 if quick else 60,
            rows=2000 if quick else 10_000,
            stored=10_000 if quick else 100_000,
            questions=20 if quick else 100,
        )
        found["speed"] = made | {"met": fitted(made)}
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--behind", type=int, default=5_000_000, help="openings that are there already")
    parser.add_argument("--part", choices=("", "quality", "speed"), default="")
    options = parser.parse_args()
    found = run(seed=options.seed, quick=options.quick, behind=options.behind, part=options.part)
    print(json.dumps(found, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
