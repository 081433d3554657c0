"""Two-card control: the rate of checks over many openings, a daily file, and what the checks find of a made-up city.

    python -m bench.cards --seed N [--quick]

The city of the quality part is made of the seed: ordinary openers, rings, and honest look-alikes (students, people whom
a factory hires, families). Nothing but the openings reaches the checks; who is in a ring is looked at afterwards.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO

import sqlalchemy as sa

from bench.service import service
from dialer.cards.checks import Facts, shipped_checks
from dialer.cards.counter import check_opening
from dialer.cards.load import add_institution, add_outlet, load_openings
from dialer.cards.rings import HUB_PERSONS, Key, KeyKind, Node, find_ring, within
from dialer.core.cards import CardProduct, CheckVerdict, InstitutionKind, OpeningChannel, OpeningResult
from dialer.intake.opening_lists import OpeningRecord
from dialer.intake.phones import id_check_character
from dialer.services import Application

START = datetime(2026, 9, 1, tzinfo=UTC)
DAYS = 60
LOCAL = "150802"
_INSTITUTIONS = 24


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
        address, phone = f"home {r.randrange(10**9)}", f"phone {r.randrange(10**10)}"
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
        shares = r.sample(("story", "address", "phone", "agent"), k=r.randint(1, 3))
        for _ in range(size):
            person, at = self._person(), begun + timedelta(hours=r.uniform(0, 30))
            self.members[person] = number
            own = f"own {person}"
            cards = r.randint(2, 12)
            is_local = r.random() < 0.25
            for _ in range(cards):
                keys = {
                    KeyKind.ADDRESS: address if "address" in shares and r.random() < 0.9 else own,
                    KeyKind.PHONE: phone if "phone" in shares and r.random() < 0.8 else own,
                }
                if "story" in shares and r.random() < 0.9:
                    keys[KeyKind.STORY] = story
                if "agent" in shares and r.random() < 0.9:
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

    def add(self, node: Node) -> None:
        for part in node.parts:
            self.nodes[part].append(node)

    def __call__(self, wanted: Sequence[tuple[Key, datetime]]) -> dict[Key, list[Node]]:
        found: dict[Key, list[Node]] = {}
        for key, at in wanted:
            begin, end = within(at)
            nodes, own = self.nodes[key[0]], []
            for node in reversed(nodes[bisect_left(nodes, begin, key=lambda one: one.at) :]):
                if node.at <= min(end, self.until) and all(part in node.parts for part in key[1:]):
                    own.append(node)
                    if len(own) >= 6 * HUB_PERSONS:
                        break
            found[key] = own
        return found


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


_FILL = sa.text(
    """
    INSERT INTO opening (institution_id, outlet_id, opening_no, channel, product, person_blind, phone_blind,
        address_blind, number_blind, home, age, asked_at, opened_at, entered_at, result, verdict, sealed, source, by,
        drill)
    SELECT :institution, :outlet, 'F' || n, 'counter', 'account_2', decode(md5('p' || n * 7 / 10), 'hex'),
        decode(md5('t' || n * 7 / 10), 'hex'), decode(md5('a' || n * 7 / 10), 'hex'), decode(md5('n' || n), 'hex'),
        '150802', 30, at, at, at, 'opened', 'clear', decode(md5('s' || n), 'hex'), 'bench', 'bench', true
    FROM (SELECT n, CAST(:now AS timestamptz) - n % 15552000 * interval '1 second' AS at
        FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) n) made
    """
)


def id_number(n: int) -> str:
    born = date(1960, 1, 1) + timedelta(days=n // 1000 % 15000)
    head = f"{LOCAL}{born:%Y%m%d}{n % 1000:03d}"
    return head + id_check_character(head)


def speed(*, behind: int, checks: int, rows: int) -> dict[str, object]:
    """Checks one after the other over so many openings, and one daily file."""
    with service() as made:
        app: Application = made.app
        services = app.services
        add_institution(services, name="bank", kind=InstitutionKind.BANK, token="", by="bench")
        outlet_id = add_outlet(services, institution="bank", code="1", name="1", unit="", by="bench")
        with services.store.begin() as tx:
            institution_id = tx.scalar(sa.text("SELECT id FROM institution"))
        step, began = 500_000, time.perf_counter()
        for first in range(0, behind, step):
            with services.store.begin() as tx:
                last = min(behind, first + step) - 1
                given = {"institution": institution_id, "outlet": outlet_id, "now": services.clock.now()}
                tx.execute(_FILL, given | {"first": first, "last": last})
        filled = time.perf_counter() - began
        with services.store.sql_engine.connect().execution_options(
            isolation_level="AUTOCOMMIT"
        ) as connection:
            connection.execute(sa.text("ANALYZE opening"))
        services = replace(services, cards=replace(services.cards, checks_per_hour=10**9))
        took = []
        for n in range(checks):
            record = OpeningRecord(
                line=1,
                opening_no=f"C{n}",
                outlet="1",
                channel=OpeningChannel.COUNTER,
                product=CardProduct.ACCOUNT_2,
                name="张三",
                id_number=id_number(n),
                phone=f"+86139{n:08d}",
                address=f"胜利路{n}号院",
                asked_at=services.clock.now(),
                result=OpeningResult.IN_PROGRESS,
            )
            begun = time.perf_counter()
            check_opening(services, record, outlet_id=outlet_id, by="bench", source="bench")
            took.append(time.perf_counter() - begun)
        head = "业务流水号,网点编号,姓名,证件号码,预留电话,账户类型,受理时间\n"
        lines = (
            f"D{n},1,李四,{id_number(1_000_000 + n)},136{n:08d},二类,2026-11-20 09:00\n" for n in range(rows)
        )
        content = BytesIO((head + "".join(lines)).encode())
        begun = time.perf_counter()
        done = load_openings(services, content, institution="bank", source="bench", by="bench")
        loaded = time.perf_counter() - begun
    took.sort()
    return {
        "openings_behind": behind,
        "fill_seconds": round(filled, 1),
        "checks": checks,
        "checks_per_second_one_caller": round(checks / sum(took), 1),
        "check_p50_ms": round(1000 * statistics.median(took), 1),
        "check_p99_ms": round(1000 * took[int(0.99 * len(took)) - 1], 1),
        "file_rows": done.new,
        "file_rejected": done.rejected,
        "file_seconds": round(loaded, 2),
    }


def run(*, seed: int, quick: bool) -> dict[str, object]:
    return {
        "seed": seed,
        "quality": quality(seed, openings=60_000 if quick else 300_000, rings=40),
        **speed(
            behind=100_000 if quick else 5_000_000,
            checks=200 if quick else 2000,
            rows=2000 if quick else 10_000,
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    print(json.dumps(run(seed=options.seed, quick=options.quick), indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
