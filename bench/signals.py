"""The warning robot under load: signals over the API beside calls, catching up, replay, retro-match; prints JSON.

    python -m bench.signals [--rate 1000] [--seconds 60] [--calls 20] [--contacts 10000000] [--quick] [--only PART,...]

Parts: `sustained` (signals at a steady rate, from the arrival to the committed warning), `catch_up` (a robot that was
stopped works off what waits), `replay` (the same signals again, the same fingerprint), `retro_match` (an item is listed
that some hundred of all persons touched). All processes of the service run, and the line calls a backlog meanwhile.

A warning's time runs from the moment at which the request with the signal that made it extra-high was read to that at
which another connection sees its row, looked for every 10 ms. Only extra-high ones count: the others may wait for their
budget.
"""

from __future__ import annotations

import argparse
import gc
import http.client
import itertools
import json
import os
import random
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import psutil
import sqlalchemy as sa

from bench.backlog import fill
from bench.service import Service, known_for_long, owner_store, service
from bench.signals_rules import START, item, listed
from bench.urgent import accepted_at
from dialer.core.access import unrestricted
from dialer.runtime.services import Services
from dialer.signals.deliveries import SignalReception, take_signals
from dialer.signals.evaluation import Evaluator
from dialer.signals.incidents import PersonState
from dialer.signals.model import ItemKind, Signal, SignalKind
from dialer.signals.replay import replay
from dialer.signals.rules import shipped_rules
from dialer.staff.sign_in import add_token

PARTS = ("sustained", "catch_up", "replay", "retro_match")
PERSONS, A_REQUEST, MULES = 200_000, 100, 50
WARNED_A_SECOND = 2.0
_AGAIN_SECONDS = 0.1
LINE_SECONDS = 60
"""A call holds its line for half a minute: with lines for a whole one the pace limits the calls, not the lines."""
_NUMBERS = itertools.count(1)
"""Of all doors, which are threads, and of all parts: a number that was sent before is a duplicate."""
KINDS = ("call",) * 8 + ("sms",) * 4 + ("web",) * 3 + ("app",) * 2 + ("payment_attempt",) * 3


class Signals:
    """Raw records of a city's usual life; about `WARNED_A_SECOND` of them a second pay to a listed account."""

    def __init__(self, rate: float) -> None:
        self._chance = random.Random(3)  # lives, not secrets
        self._rare = WARNED_A_SECOND / rate

    def some(self, count: int, at: str) -> list[dict[str, Any]]:
        return [self._one(at) for _ in range(count)]

    def _one(self, at: str) -> dict[str, Any]:
        c, n = self._chance, next(_NUMBERS)
        person = c.randrange(PERSONS)
        kind = c.choice(KINDS)
        made: dict[str, Any] = {
            "source": "bench", "signal_no": f"{os.getpid()}-{n}", "kind": kind, "event_at": at,
            "phone": f"138{person:08d}",
        }  # fmt: skip
        if c.random() < self._rare:
            return made | {
                "kind": "payment_attempt", "account": mule(c.randrange(MULES)), "amount_fen": 3_000_000,
                "new_payee": True,
            }  # fmt: skip
        own = person * 8 + c.randrange(8) if c.random() < 0.7 else c.randrange(10**7)
        match kind:
            case "call":
                made |= {
                    "number": f"139{own % 10**8:08d}",
                    "direction": "in",
                    "duration_seconds": int(c.expovariate(1 / 90)),
                }
            case "sms":
                made |= {
                    "number": f"106{own % 10**6:06d}",
                    "direction": "in",
                    "topic": c.choice(("bank", "delivery", "shopping")),
                }
            case "web":
                made |= {"domain": f"d{own % 5000}.example", "topic": c.choice(("shopping", "game", "bank"))}
            case "app":
                made |= {"app": f"app{own % 400}", "from_store": True}
            case _:
                made |= {
                    "account": f"6225{own:012d}",
                    "amount_fen": int(c.lognormvariate(9, 1.5)),
                    "new_payee": c.random() < 0.2,
                }
        return made


def mule(n: int) -> str:
    return f"6222{n:012d}"


class Door(threading.Thread):
    """A source that sends batches at its share of the rate, and says when it falls behind."""

    def __init__(
        self, made: Service, secret: str, signals: Signals, *, every: float, until: float, batch: int
    ) -> None:
        super().__init__(daemon=True)
        self._headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        self._http = http.client.HTTPConnection("127.0.0.1", made.settings.web.port, timeout=60)
        self._services, self._signals = made.app.services, signals
        self._every, self._until, self._batch = every, until, batch
        self.answers: list[float] = []
        self.sent = self.sent_again = 0
        self.refused = ""

    def run(self) -> None:
        due = time.monotonic()
        while due < self._until:
            time.sleep(max(0.0, due - time.monotonic()))
            body = json.dumps(self._signals.some(self._batch, self._services.clock.now().isoformat()))
            begun = time.perf_counter()
            while True:
                self._http.request("POST", "/api/v1/signals", body, self._headers)
                response = self._http.getresponse()
                told = json.loads(response.read())
                if response.status != http.client.TOO_MANY_REQUESTS:
                    break
                # A source waits and sends the same again.
                self.sent_again += 1
                time.sleep(_AGAIN_SECONDS)
            self.answers.append(time.perf_counter() - begun)
            if response.status != http.client.OK or told["accepted"] != self._batch:
                self.refused = f"not accepted: {response.status} {str(told)[:500]}"
                return
            self.sent += self._batch
            due += self._every


class Watch(threading.Thread):
    """When another connection sees a new extra-high verdict that was sent."""

    def __init__(self, made: Service) -> None:
        super().__init__(daemon=True)
        self._made = made
        self.over = threading.Event()
        self.seen: dict[int, float] = {}

    def run(self) -> None:
        services = self._made.app.services
        newest = 0
        statement = sa.text(
            "SELECT v.id, s.received_at FROM verdict v JOIN signal s ON s.seq = v.seq"
            " WHERE v.id > :after AND v.sent_grade = 'extra_high' AND v.warnings = 1"
        )
        while not self.over.wait(0.01):
            with services.store.begin() as tx:
                rows = tx.rows(statement, {"after": max(0, newest - 500)})
            now = services.clock.now()
            for row in rows:
                self.seen.setdefault(row["id"], (now - row["received_at"]).total_seconds())
                newest = max(newest, row["id"])


def quantiles(seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(seconds) or [0.0]
    return {
        name: round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 3)
        for name, share in (("p50", 0.5), ("p99", 0.99), ("p999", 0.999), ("longest", 1.0))
    }


def behind(made: Service) -> int:
    with made.app.services.store.begin() as tx:
        return int(
            tx.scalar(
                sa.text(
                    "SELECT count(*) FROM signal WHERE seq > (SELECT coalesce(min(seq), 0) FROM robot_shard)"
                )
            )
        )


def list_mules(services: Services) -> None:
    """The accounts that are paid to are on the list of fraud."""
    at = services.clock.now().isoformat()
    raw = [
        {
            "source": "lists", "signal_no": f"m{n}", "kind": "list_change", "account": mule(n), "list_kind": "fraud",
            "change": "entered", "event_at": at,
        }
        for n in range(MULES)
    ]  # fmt: skip
    take_signals(services, [SignalReception(services).read(raw)])


def sustained(made: Service, *, rate: float, seconds: float, calls: float) -> dict[str, Any]:
    services = made.app.services
    token = add_token(
        services, unrestricted("bench"), name="bench", scopes=["signals:write"], days=1, unit=""
    )
    known_for_long(made, "bench")
    doors = 4
    watch = Watch(made)
    watch.start()
    before, began, until = made.cpu(), time.time(), time.monotonic() + seconds
    mix = Signals(rate)
    each = [
        Door(made, token.secret, mix, every=doors * A_REQUEST / rate, until=until, batch=A_REQUEST)
        for _ in range(doors)
    ]
    for n, door in enumerate(each):
        door.start()
        time.sleep(A_REQUEST / rate if n + 1 < doors else 0)
    for door in each:
        door.join()
        if door.refused:
            raise SystemExit(door.refused)
    took = time.time() - began
    time.sleep(3)
    watch.over.set()
    watch.join()
    after = made.cpu()
    sent = sum(door.sent for door in each)
    every, _ = accepted_at(made.settings.data_dir / "carrier")
    placed = sum(began <= at < began + took for at in every)
    return {
        "rate_set": rate, "signals": sent, "signals_per_second": round(sent / took),
        "behind_after_three_seconds": behind(made),
        "requests_sent_again": sum(door.sent_again for door in each),
        "calls_per_second_set": calls, "calls_per_second_meanwhile": round(placed / took, 1),
        "warnings": len(watch.seen),
        "seconds_from_arrival_to_the_committed_warning": quantiles(list(watch.seen.values())),
        "seconds_to_the_api_answer": quantiles([answer for door in each for answer in door.answers]),
        "cpu_share_of_one_core": {name: round((after[name] - used) / took, 2) for name, used in before.items()},
        "pss_mb": made.pss_mb(),
    }  # fmt: skip


def catch_up(made: Service, *, count: int) -> dict[str, Any]:
    """The robot is stopped, `count` signals arrive, and it is started again."""
    robot = made.running.pop("robot")
    robot.kill()
    robot.wait()
    services, signals = made.app.services, Signals(1000)
    reception = SignalReception(services)
    begun = time.perf_counter()
    for _ in range(0, count, 1000):
        take_signals(services, [reception.read(signals.some(1000, services.clock.now().isoformat()))])
    stored = time.perf_counter() - begun
    waiting = behind(made)
    made.start("robot")
    began, first = time.perf_counter(), 0.0
    left = at_first = waiting
    while left:
        time.sleep(0.25)
        left = behind(made)
        if not first and left < waiting:
            first, at_first = time.perf_counter() - began, left
    took = time.perf_counter() - began
    return {
        "signals": waiting, "stored_per_second": round(count / stored),
        "seconds_until_the_first_was_evaluated": round(first, 1),
        "seconds": round(took, 1),
        "signals_per_second": round(at_first / (took - first)) if at_first else round(waiting / took),
    }  # fmt: skip


def again(made: Service) -> dict[str, Any]:
    services = made.app.services
    now = services.clock.now()
    done = replay(services, start=now - timedelta(days=1), end=now + timedelta(minutes=1))
    return {
        "signals": done.signals, "seconds": done.seconds, "signals_per_second": round(done.signals / done.seconds),
        "warnings": done.warnings, "fingerprint": done.fingerprint,
    }  # fmt: skip


class Filled(Evaluator):
    """Takes contacts without reading the rules: only the listing that follows is measured."""

    is_filling = True

    def _evaluate(self, person: PersonState, start: int, moments: Sequence[int]) -> None:
        if not self.is_filling:
            super()._evaluate(person, start, moments)


def retro_match(contacts: int) -> dict[str, Any]:
    """`contacts` calls of one person in ten each; 500 persons touched each of twenty items that are then listed."""
    evaluator = Filled(shipped_rules())
    process = psutil.Process()
    gc.collect()
    gc.disable()
    before, persons = process.memory_info().rss, max(1000, contacts // 10)
    chance = random.Random(5)  # lives, not secrets
    begun = time.perf_counter()
    for n in range(contacts):
        at = START + timedelta(seconds=n * 86_400 / contacts)
        person = n % persons
        number = chance.randrange(20) if chance.random() < 10_000 / contacts else 1000 + n
        evaluator.apply(
            Signal(
                source="telecom", signal_no=f"{n:012d}", kind=SignalKind.CALL, event_at=at, received_at=at,
                person=b"%16d" % person, items=(item(ItemKind.NUMBER, number),), duration_seconds=700,
            )
        )  # fmt: skip
    gc.enable()
    filled, grown = time.perf_counter() - begun, process.memory_info().rss - before
    evaluator.is_filling = False
    now = START + timedelta(days=1)
    took, found = [], 0
    for n in range(20):
        begun = time.perf_counter()
        found += len(evaluator.apply(listed(ItemKind.NUMBER, n, now)))
        took.append(time.perf_counter() - begun)
    assert found
    return {
        "contacts": contacts, "persons": len(evaluator), "persons_found_an_item": round(found / 20),
        "seconds_an_item": quantiles(took), "bytes_a_person": round(grown / len(evaluator)),
        "fill_seconds": round(filled),
    }  # fmt: skip


def run(rate: float, seconds: float, calls: float, contacts: int, parts: Sequence[str]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    if set(parts) - {"retro_match"}:
        with service(
            daytime=True,
            telephony__calls_per_second=str(calls),
            telephony__lines=str(round(calls * LINE_SECONDS)),
            scheduler__tick_seconds="1.0",
        ) as made:
            services = made.app.services
            with owner_store(made.app) as owner:
                fill(
                    owner,
                    count=round(calls * (seconds * 3 + 300)) + 1,
                    before=0,
                    policy=services.policies.newest.version,
                    now=services.clock.now(),
                )
            made.start(within_seconds=180)
            time.sleep(5)
            list_mules(services)
            if "sustained" in parts:
                figures["sustained"] = sustained(made, rate=rate, seconds=seconds, calls=calls)
            if "catch_up" in parts:
                figures["catch_up"] = catch_up(made, count=round(rate * seconds))
            if "replay" in parts:
                made.stop()
                figures["replay"] = again(made)
    if "retro_match" in parts:
        figures["retro_match"] = retro_match(contacts)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=float, default=1000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--calls", type=float, default=20)
    parser.add_argument("--contacts", type=int, default=10_000_000)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything but the rate")
    parser.add_argument("--only", default=",".join(PARTS))
    given = parser.parse_args()
    share = 0.1 if given.quick else 1.0
    parts = given.only.split(",")
    print(
        json.dumps(
            run(
                given.rate,
                given.seconds * (0.25 if given.quick else 1),
                given.calls,
                round(given.contacts * share),
                parts,
            ),
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
