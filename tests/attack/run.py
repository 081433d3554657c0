"""Attacks on a running service, each counted: forged, replayed and late webhooks; fuzzed files; poisoned messages;
parallel guesses of passwords; slow clients; every page by every role and by other units; sources that speak for others.

    python -m tests.attack.run --seed 7 [--size 1.0]

The service is a real one in a folder of its own, with its own servers and two web processes, which requests reach in
turn; gone afterwards. The same seed makes the same
attacks. Exit code 1 says that something got through; each such thing is a line.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import io
import json
import random
import re
import secrets
import socket
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field
from itertools import cycle

import httpx
import psutil
import redis
import sqlalchemy as sa
from twilio.request_validator import RequestValidator

from bench.service import Service, owner_store, service
from dialer.core.access import Role
from dialer.db import tables as t
from dialer.db.system_state import cycle_parts
from dialer.db.unit_of_work import Store
from dialer.db.units import add_unit
from dialer.runtime.broker import DIAL_QUEUE
from dialer.staff.store import Member
from dialer.web.console import SESSION_COOKIE
from tests.attack.database_owner import audit
from tests.attack.edges import figures, guesses, headers
from tests.attack.leaks import backups, formulas, hosts, openings, recordings
from tests.attack.lists import lists_as_fraud, lowers_a_verdict, rules_stopped
from tests.attack.one_number import kinds_of_fraud, texts_of_a_number
from tests.attack.own_users import numbers, searches, tellers, terminal
from tests.attack.patterns import patterns
from tests.attack.replays import factors, replays
from tests.attack.sources import SOURCE_ATTACKS
from tests.attack.templates import templates
from tests.console.desk import PASSWORD, ConsoleDesk, Person, form_csrf
from tests.console.row import Row, every_row
from tests.intake.hostile import KINDS, fuzz_files, mutated
from tests.runtime.test_broker import poisons
from tests.server.switchboard import Request, Switchboard, life, status, step

SPEED = 2.0
HEAD_SECONDS, BODY_SECONDS, CONNECTIONS = 1.0, 2.0, 300
PATIENCE_SECONDS = 60.0
MOST_SECONDS = 10.0
"""A request of anybody else may take this long during an attack."""
MOST_MEGABYTES = 300
"""A web process may grow by this much during an attack."""
_CLOSED = {401, 403, 404, 405, 429}
_ENDS = {"/sign-out", "/account/sessions/end"}


@dataclass(slots=True, kw_only=True)
class Attack:
    """What was tried, and what got through."""

    name: str
    tried: int = 0
    got_through: list[str] = field(default_factory=list)
    said: str = ""

    def must(self, right: bool, what: str) -> None:
        """Of the last thing that was tried."""
        if not right:
            self.got_through.append(what)


class InTurn(httpx.AsyncHTTPTransport):
    """Sends each request to another web process than the one before."""

    def __init__(self, ports: tuple[int, ...]) -> None:
        super().__init__(limits=httpx.Limits(max_connections=200))
        self._ports = cycle(ports)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(port=next(self._ports))
        return await super().handle_async_request(request)


class LiveDesk(ConsoleDesk):
    """The same over HTTP: people with browsers at the running web processes, each request at another one."""

    def __init__(self, made: Service, ports: tuple[int, ...]) -> None:
        self.app = made.app
        self.ports = ports
        self.clock = made.app.services.real  # type: ignore[assignment]
        self.base_url = f"http://127.0.0.1:{made.settings.web.port}"
        self._clients: list[httpx.AsyncClient] = []
        self._people = {}

    def stranger(self) -> httpx.AsyncClient:
        client = httpx.AsyncClient(
            base_url=self.base_url, timeout=PATIENCE_SECONDS, trust_env=False, transport=InTurn(self.ports)
        )
        self._clients.append(client)
        return client

    def signed_in(self, member: Member) -> Person:
        person = super().signed_in(member)
        person.client.cookies.clear()
        person.client.cookies.set(SESSION_COOKIE, person.token, domain="127.0.0.1")
        return person


@dataclass(slots=True, kw_only=True)
class Target:
    """The service, and what decides the attacks on it."""

    made: Service
    desk: LiveDesk
    chance: random.Random
    seed: int
    size: float

    def owner(self) -> AbstractContextManager[Store]:
        """The database as the owner of its tables has it."""
        return owner_store(self.made.app)

    def times(self, count: int) -> int:
        return max(1, round(count * self.size))

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Of the web processes."""
        return [("127.0.0.1", port) for port in self.desk.ports]

    def web_megabytes(self) -> int:
        """Of the larger web process."""
        webs = [one for name, one in self.made.running.items() if name.startswith("web")]
        return max(psutil.Process(one.pid).memory_info().rss for one in webs) >> 20


async def answers(target: Target, attack: Attack, when: str) -> None:
    """Each web process still answers, soon."""
    client = target.desk.stranger()
    for _ in target.desk.ports:
        begun = time.monotonic()
        try:
            code = (await client.get("/health/live")).status_code
        except httpx.HTTPError as fault:
            attack.must(False, f"no answer {when}: {type(fault).__name__}")
            return
        attack.must(code == 200 and time.monotonic() - begun < MOST_SECONDS, f"answer {code} {when}")


async def webhooks(target: Target, attack: Attack) -> None:
    """Nothing that is forged is applied; what comes twice or late changes nothing."""
    config, chance = target.made.app.telephony, target.chance
    board = Switchboard.on(target.made.app.services)
    client = target.desk.stranger()
    public = config.public_url.rstrip("/")

    async def post(request: Request, token: str | None, **signed: object) -> int:
        path, form = request
        sign = RequestValidator(token or "").compute_signature(
            str(signed.get("url", public + path)),
            dict(signed.get("form", form)),  # type: ignore[call-overload]
        )
        headers = {"X-Twilio-Signature": sign} if token is not None else {}
        attack.tried += 1
        return (await client.post(path, data=dict(form), headers=headers)).status_code

    for _ in range(target.times(25)):
        attempt = board.call()
        before = board.attempt_row(attempt), board.case_row(attempt), board.events(attempt)
        for request in (*life(attempt), step(attempt), step(attempt, 1, "start", Digits="1")):
            path, form = request
            changed = {**form, "CallStatus": "completed", "CallDuration": str(chance.randrange(1000))}
            await post(request, None)
            await post(request, "")
            await post(request, secrets.token_hex(16))
            await post((path, changed), config.auth_token, form=form)
            await post(request, config.auth_token, url=public.replace("//", "//x.") + path)
            await post(request, config.auth_token, url=f"{public}/hooks/status/{uuid.uuid4()}")
        after = board.attempt_row(attempt), board.case_row(attempt), board.events(attempt)
        attack.must(before == after, f"a forged webhook was applied: {attempt}")
        requests = life(attempt)
        for request in requests:
            code = await post(request, config.auth_token)
            attack.must(code < 300, f"a true webhook got {code}")
        ended = board.end(attempt)
        again = [*requests * 3, status(attempt, "busy", "9"), status(attempt, "failed", "7"), step(attempt)]
        chance.shuffle(again)
        codes = [await post(request, config.auth_token) for request in again]
        attack.must(max(codes) < 500, f"a late webhook got {max(codes)}")
        late = board.end(attempt)
        ended.pop("kept"), late.pop("kept")
        attack.must(ended == late, f"a late webhook changed {attempt}")
        kept = board.events(attempt)
        attack.must(len(kept) == len(set(kept)), f"a repeated webhook was kept twice: {attempt}")
        code = await post(status(uuid.uuid4(), "completed", "3"), config.auth_token)
        attack.must(code == 404, f"a webhook of no call got {code}")


async def files(target: Target, attack: Attack) -> None:
    """A file is read or refused, by its reader and by the page that takes it, and the web process goes on."""
    fuzzed = await asyncio.to_thread(fuzz_files, target.seed, target.times(20))
    attack.tried += fuzzed.files
    attack.got_through += fuzzed.got_through
    clerk = target.desk.person(Role.CLERK)
    before = target.web_megabytes()
    for kind, build in KINDS.items():
        for number in range(target.times(4)):
            data = mutated(kind, build()[0], random.Random(f"{target.seed}-page-{kind}-{number}"))
            attack.tried += 1
            answer = await clerk.client.post(
                "/lists",
                files={"file": (f"list.{kind}", io.BytesIO(data))},
                data={"csrf": clerk.csrf},
                headers={"X-CSRF-Token": clerk.csrf},
            )
            attack.must(answer.status_code < 500, f"{kind} {number}: {answer.status_code}")
    await answers(target, attack, "after the files")
    grown = target.web_megabytes() - before
    attack.must(grown < MOST_MEGABYTES, f"the web process grew by {grown} MB")


async def sign_ins(target: Target, attack: Attack) -> None:
    """Of many guesses at once five are looked at, whoever else guesses; the true person comes in from elsewhere."""
    desk = target.desk
    most = target.made.settings.console.failures

    async def guess(login: str, password: str, address: str) -> int:
        client = desk.stranger()
        client.headers["X-Forwarded-For"] = address
        client.headers["X-Forwarded-Proto"] = "https"
        page = await client.get("/sign-in")
        for cookie in page.headers.get_list("set-cookie"):  # Secure ones, by hand
            name, _, value = cookie.partition(";")[0].partition("=")
            client.cookies.set(name, value, domain="127.0.0.1")
        data = {"csrf": form_csrf(page), "login": login, "password": password}
        attack.tried += 1
        return (await client.post("/sign-in", data=data)).status_code

    for number in range(target.times(2)):
        login, address = f"guessed{number}", f"198.51.100.{number + 1}"
        desk.account(Role.SUPERVISOR, login=login)
        codes = await asyncio.gather(*(guess(login, f"wrong {n}", address) for n in range(40)))
        looked_at = sum(code == 401 for code in codes)
        attack.must(looked_at <= most, f"{looked_at} guesses at once were looked at")
        attack.must(all(code in {401, 429, 503} for code in codes), f"a guess got {sorted(set(codes))}")
        code = await guess(login, PASSWORD, address)
        attack.must(code in {429, 503}, f"after the guesses the right password got {code}")
        code = await guess(login, PASSWORD, f"203.0.113.{number + 1}")
        attack.must(code == 303, f"the true person got {code} from elsewhere")
    codes = [await guess(f"nobody{n}", "wrong", "198.51.100.200") for n in range(4 * most + 5)]
    attack.must(sum(code == 401 for code in codes) <= 4 * most, "one address tried many logins")


async def slow_clients(target: Target, attack: Attack) -> None:
    """They are closed, use little, and others are answered meanwhile."""
    starts = (
        b"",
        b"GET / HT",
        b"GET / HTTP/1.1\r\nhost: x\r\nx: ",
        b"POST /sign-in HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\na",
        b"POST /hooks/status/x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\na",
    )
    before = target.web_megabytes()
    addresses = cycle(target.addresses)
    with ExitStack() as opened:
        many = []
        for _ in range(target.times(2 * CONNECTIONS * len(target.addresses))):
            one = opened.enter_context(socket.create_connection(next(addresses), timeout=PATIENCE_SECONDS))
            with suppress(OSError):
                one.sendall(target.chance.choice(starts))
            many.append(one)
            attack.tried += 1
            if len(many) % 100 == 0:
                await answers(target, attack, f"beside {len(many)} slow clients")
        begun = time.monotonic()
        left = 0
        for one in many:
            one.settimeout(max(0.01, begun + 3 * (HEAD_SECONDS + BODY_SECONDS) - time.monotonic()))
            try:
                while one.recv(4096):
                    pass
            except TimeoutError:
                left += 1
            except OSError:
                pass
        attack.must(left == 0, f"{left} slow clients stayed open")
    for size in (1 << 20, 8 << 20):
        attack.tried += 1
        with socket.create_connection(next(addresses), timeout=PATIENCE_SECONDS) as one:
            sent, answer = 0, b""
            with suppress(OSError):
                one.sendall(b"GET / HTTP/1.1\r\nx: ")
                for _ in range(size >> 16):
                    one.sendall(b"a" * (1 << 16))
                    sent += 1 << 16
                    await asyncio.sleep(0)
                one.sendall(b"\r\n\r\n")
                answer = one.recv(4096)
            attack.must(not answer.startswith(b"HTTP/1.1 2"), f"a head of {sent} bytes was read")
    grown = target.web_megabytes() - before
    attack.must(grown < MOST_MEGABYTES, f"the web process grew by {grown} MB")
    await answers(target, attack, "after the slow clients")


async def access(target: Target, attack: Attack) -> None:
    """Every page by every role that may not, and by those who may, about what belongs to another unit."""
    desk, rows = target.desk, list(every_row())
    with desk.app.services.store.begin() as tx:
        city = add_unit(tx, name="市局", parent_id=None)
        county = add_unit(tx, name="临河", parent_id=city)
        elsewhere = add_unit(tx, name="五原", parent_id=city)
    numbers = iter(range(1_000_000))
    people: dict[tuple[Role, int | None], Person] = {}
    opened = 0

    def person_of(role: Role, unit_id: int | None, *, fresh: bool) -> Person:
        if fresh or (role, unit_id) not in people:
            account = desk.account(role, login=f"a{next(numbers)}", unit_id=unit_id)
            people[role, unit_id] = desk.signed_in(account)
        return people[role, unit_id]

    async def ask(row: Row, person: Person, parts: Mapping[str, object]) -> tuple[int, str]:
        path, form = row.path.format(**parts), {"csrf": person.csrf} | dict(row.form)
        sent = {"data": form} if row.method == "POST" else {}
        async with person.client.stream(row.method, path, **sent) as answer:  # type: ignore[arg-type]
            attack.tried += 1
            return answer.status_code, answer.headers.get("location", "")

    target.chance.shuffle(rows)
    for row in rows:
        nobodys = row.target(desk, None)
        code, to = await ask(row, Person(member=None, client=desk.stranger(), token=""), nobodys)  # type: ignore[arg-type]
        if row.roles is None:
            continue
        shut = code in _CLOSED or to.startswith("/sign-in")
        attack.must(shut, f"{row.method} {row.path} by a stranger: {code}")
        for role in Role:
            if role not in row.roles:
                code, _ = await ask(row, person_of(role, None, fresh=False), nobodys)
                attack.must(code == 403, f"{row.method} {row.path} as {role.value}: {code}")
            elif row.by_unit:
                # What is sent may end a session: whoever sends it is nobody else afterwards.
                person = person_of(role, county, fresh=row.method == "POST")
                for unit_id in (elsewhere, None):
                    code, _ = await ask(row, person, row.target(desk, unit_id))
                    attack.must(
                        code == 404, f"{row.method} {row.path} as {role.value} of another unit: {code}"
                    )
                code, _ = await ask(row, person, row.target(desk, county))
                opened += code not in _CLOSED | {500, 503} or code == row.refused
    attack.must(opened > 0, "those who may were shut out too, so that nothing was shown")
    for page, role in ((row.path, role) for row in rows if _is_list(row) for role in sorted(row.roles or ())):
        await _shows_nothing_of(target, attack, elsewhere, page, person_of(role, county, fresh=True))
    attack.said = f"{opened} opened to those who may"


def _is_list(row: Row) -> bool:
    """A page of many things, which is no endless stream."""
    return row.method == "GET" and "{" not in row.path and "live" not in row.path


async def _shows_nothing_of(target: Target, attack: Attack, unit_id: int, path: str, person: Person) -> None:
    """The page links to no case of this unit."""
    attack.tried += 1
    of_unit = sa.select(t.case.c.id).where(t.case.c.unit_id == unit_id)
    with target.desk.app.services.store.begin() as tx:
        foreign = {str(one["id"]) for one in tx.rows(of_unit)}
    page = await person.client.get(path)
    shown = sorted(foreign & set(re.findall(r"/cases/(\d+)", page.text)))
    role = person.member.role.value
    attack.must(not shown, f"{path} shows {role} cases of another unit: {shown[:3]}")


async def messages(target: Target, attack: Attack) -> None:
    """A message that is not ours is discarded, and the workers go on."""
    made, services = target.made, target.made.app.services
    made.start_rest()
    started = {name: process.pid for name, process in made.running.items()}

    async def works(when: str) -> None:
        asked_at, deadline = services.real.now(), time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            with suppress(Exception):
                services.enqueue("sweep")
            with services.store.begin() as tx:
                part = cycle_parts(tx).get("sweep")
            if part is not None and part.began_at >= asked_at:
                return
            await asyncio.sleep(0.2)
        attack.must(False, f"the workers do nothing {when}")

    await works("at first")
    with made.app.celery.connection_for_write() as connection:
        broker: redis.Redis = connection.default_channel.client
        poisoned = list(poisons().items())
        for _ in range(target.times(2)):
            target.chance.shuffle(poisoned)
            for _, poison in poisoned:
                attack.tried += 1
                broker.lpush(DIAL_QUEUE, poison)
        await works("after poisoned messages")
    for name, process in made.running.items():
        attack.must(process.poll() is None and process.pid == started[name], f"{name} has ended")


ATTACKS: dict[str, Callable[[Target, Attack], Awaitable[None]]] = {
    "webhooks": webhooks,
    "files": files,
    "sign-ins": sign_ins,
    "slow clients": slow_clients,
    "access": access,
    **SOURCE_ATTACKS,
    "kinds of fraud": kinds_of_fraud,
    "texts": texts_of_a_number,
    "numbers": numbers,
    "has rules stopped": rules_stopped,
    "lists as fraud": lists_as_fraud,
    "lowers a verdict": lowers_a_verdict,
    "messages": messages,  # from here on every process runs, and a robot of its own would be one too many
    "searches": searches,
    "tellers": tellers,
    "terminal": terminal,
    "guesses": guesses,
    "headers": headers,
    "figures": figures,
    "replays": replays,
    "factors": factors,
    "formulas": formulas,
    "recordings": recordings,
    "backups": backups,
    "hosts": hosts,
    "openings": openings,
    "templates": templates,
    "patterns": patterns,
    "audit": audit,
}


async def attack_all(made: Service, *, seed: int, size: float, only: list[str]) -> list[Attack]:
    made.start("web", within_seconds=300)
    ports = made.settings.web.port, made.start_web_beside(within_seconds=300)
    desk, told = LiveDesk(made, ports), []
    for name, run in ATTACKS.items():
        if only and name not in only:
            continue
        number = int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:8], "big")
        target = Target(made=made, desk=desk, chance=random.Random(number), seed=seed, size=size)
        attack, begun = Attack(name=name), time.monotonic()
        try:
            await run(target, attack)
        except (httpx.HTTPError, OSError) as fault:
            attack.must(False, f"the service did not answer: {type(fault).__name__}")
        for process, running in made.running.items():
            if process.startswith("web") and running.poll() is not None:
                attack.must(False, f"the process {process} has ended")
        told.append(attack)
        seconds = round(time.monotonic() - begun)
        counts = f"{attack.tried:>7} tried {len(attack.got_through):>5} got through {seconds:>6} s"
        print(f"{name:<14}{counts}  {attack.said}", flush=True)
        for line in attack.got_through[:20]:
            print(f"    {line}", flush=True)
    await desk.close()
    return told


def main() -> int:
    ask = argparse.ArgumentParser(prog="attack", description=__doc__.splitlines()[0])
    ask.add_argument("--seed", default="", help="a number; random by default")
    ask.add_argument("--size", type=float, default=1.0, help="how many of each (0.05 to 100)")
    ask.add_argument("--only", action="append", default=[], choices=[*ATTACKS], help="this attack alone")
    asked = ask.parse_args()
    seed = int(asked.seed) if asked.seed else secrets.randbelow(1_000_000)
    print(f"seed {seed}", flush=True)
    limits = {
        "web__head_seconds": str(HEAD_SECONDS),
        "web__body_seconds": str(BODY_SECONDS),
        "web__connections": str(CONNECTIONS),
        "log__level": "error",
    }
    with service(speed=SPEED, **limits) as made:
        size = min(max(asked.size, 0.05), 100.0)
        told = asyncio.run(attack_all(made, seed=seed, size=size, only=asked.only))
    through = sum(len(attack.got_through) for attack in told)
    print(json.dumps({"seed": seed, "tried": sum(attack.tried for attack in told), "got_through": through}))
    return 1 if through else 0


if __name__ == "__main__":
    sys.exit(main())
