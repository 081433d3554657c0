"""An upgrade from the release before, as a drill: processes of two versions side by side on one database, while people
are called, warnings arrive and somebody works in the console. Prints figures, and ends with 1 if anything is wrong.

    python -m tools.upgrade_drill

The release before is a commit, named once: `release_before` of `[tool.dialer]` in pyproject.toml. Its files come from
`git archive`, its libraries are those of this environment. The steps are those of docs/operations.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from http import HTTPStatus
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import httpx
import psycopg
import uvicorn
from lxml.html import fromstring
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.people import name, phone, write_list
from carrier.people import Behaviour
from carrier.server import RunningCarrier
from chaos.checks import check
from dialer.db.keys import create
from dialer.runtime.embedded import EmbeddedServers, ensure_servers
from dialer.runtime.location import free_port
from tools.drills import ROOT, Drill, DrillFailed, carrier_of_a_drill

_LISTED = 40
_CALLS_EACH = 12
"""So many calls are placed in each part of the drill before the next begins, whatever the machine's speed."""
_FIRST_WARNED = 10_000
"""People of warnings by API are numbered from here on."""
_LIVE, _ANSWERS_EACH, _PAGES_EACH = 3, 30, 4
_FOUND_OR_NOT = frozenset({HTTPStatus.OK, HTTPStatus.NOT_FOUND})
_UNREADABLE = 422
_DONE_OR_TOO_LATE = frozenset({HTTPStatus.OK, HTTPStatus.CONFLICT})
_SECONDS_BETWEEN = 0.3
"""Between two warnings, and between two looks of the person in the console."""
_TALKS = Behaviour(
    name="listens, and is not the person",
    share=1,
    keys=("2",),
    ring_after_seconds=(0.3, 0.8),
    answer_after_seconds=(0.5, 1.5),
    key_after_seconds=(1.0, 3.0),
    verdict_after_seconds=0.1,
)
"""A person who is called once is not called again, and calls are long enough that some live at every step."""
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})
_PASSWORD = "one long sentence of the drill"  # noqa: S105 - of an account that is gone with the drill
_LEFT = ("Received unregistered task", "does not know")
"""What an old worker says of a task that only the new version has, and of a script that says more than it can read: it
leaves both, and the next tick sends them again."""
_STATE = (
    "SELECT version_num FROM alembic_version",
    "SELECT state, result, count(*) FROM attempt GROUP BY 1, 2",
    "SELECT code, times, facts FROM alarm WHERE seen_at IS NULL",
    "SELECT kind, process, clock_timestamp() - at, facts FROM heartbeat",
    "SELECT * FROM lease",
    "SELECT * FROM line_group",
    "SELECT state, count(*) FROM list_load GROUP BY 1",
    "SELECT count(*), min(due_at) FROM \"case\" WHERE status = 'open'",
)


class NoHistory(Exception):
    """The release before cannot be had from here; why, in one line."""


def release_before() -> str:
    """The commit of the release before."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["tool"]["dialer"]["release_before"])


def unpack_release(folder: Path) -> None:
    """The files of the release before are in `folder`. Raises `NoHistory`."""
    commit = release_before()
    try:
        done = subprocess.run(
            ["git", "-c", f"safe.directory={ROOT}", "archive", commit],  # noqa: S607 - git of the search path
            cwd=ROOT, capture_output=True, check=False,
        )  # fmt: skip
    except FileNotFoundError as fault:
        raise NoHistory("git is not installed") from fault
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise NoHistory(f"commit {commit[:8]} is not in this repository's history: {' '.join(said[:1])}")
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")


class Proxy:
    """A reverse proxy before several web processes, as the shipped nginx.conf: in turn, and to the next where one does
    not answer. Counts answers by process and status.
    """

    def __init__(self, ports: dict[str, int]) -> None:
        self.port = free_port()
        self.answers: Counter[tuple[str, int]] = Counter()
        self.wrong: list[str] = []
        self._behind = ports
        self._turn = 0
        # A connection each: one that is kept may be closed by the process just when the next request leaves.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._client = httpx.AsyncClient(timeout=30, follow_redirects=False, limits=limits)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        methods = ["GET", "POST", "PUT", "DELETE"]
        app = Starlette(routes=[Route("/{path:path}", self._pass_on, methods=methods)])
        config = uvicorn.Config(app, port=self.port, log_config=None, access_log=False, lifespan="off")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        try:
            yield
        finally:
            server.should_exit = True
            await serving
            await self._client.aclose()

    async def _pass_on(self, request: Request) -> Response:
        body = await request.body()
        self._turn, first = self._turn + 1, self._turn
        order, faults = list(self._behind), []
        for n in range(len(order)):
            which = order[(first + n) % len(order)]
            url = f"http://127.0.0.1:{self._behind[which]}{request.url.path}"
            if request.url.query:
                url += f"?{request.url.query}"
            try:
                answer = await self._client.request(
                    request.method, url, content=body, headers=request.headers.raw
                )
            except httpx.TransportError as fault:
                faults.append(f"{which} {fault!r}")
                continue
            self.answers[which, answer.status_code] += 1
            if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                self.wrong.append(f"{which}: {request.method} {request.url.path} {answer.status_code}")
            passed = Response(answer.content, status_code=answer.status_code)
            passed.raw_headers = [
                (key.lower(), value)
                for key, value in answer.headers.raw
                if key.decode().lower() not in _HOP_BY_HOP | {"content-encoding"}
            ] + [(b"content-length", str(len(answer.content)).encode())]
            return passed
        self.wrong.append(f"nobody: {request.method} {request.url.path} ({', '.join(faults)})")
        return Response(status_code=502)


class Upgrade(Drill):
    def __init__(self, carrier: RunningCarrier, folder: Path, servers: EmbeddedServers) -> None:
        super().__init__(carrier, folder)
        self.servers = servers
        self.roots = {"old": folder / "release", "new": ROOT}
        self.ports = {version: free_port() for version in self.roots}
        self.proxy = Proxy(self.ports)
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.warned = 0
        self.looks: Counter[str] = Counter()
        self._traffic: asyncio.Future[tuple[None, None]] | None = None
        self._is_over = False

    def environment(self, version: str, *, owner: bool = False) -> dict[str, str]:
        env = self.settings(self.roots[version]) | {
            "DIALER_DATA_DIR": str(self.folder / "data"),
            "DIALER_KEYS__FILE": str(self.folder / "keys.toml"),
            "DIALER_DATABASE__URL": self.servers.database_url,
            "DIALER_BROKER__URL": self.servers.broker_url,
            "DIALER_WEB__PORT": str(self.ports[version]),
            "DIALER_WEB__PUBLIC_URL": f"http://127.0.0.1:{self.proxy.port}",
            "DIALER_TELEPHONY__CALLS_PER_SECOND": "6",
            "DIALER_TELEPHONY__LINES": "60",
            "DIALER_TELEPHONY__SILENCE_SECONDS": "10",
            "DIALER_CONSOLE__REVEALS": "10000",
            "DIALER_LOG__FORMAT": "json",
        }
        return env | ({"DIALER_DATABASE__OWNER_URL": self.servers.owner_url} if owner else {})

    async def run(self) -> None:
        create(self.folder / "keys.toml")
        await self._old("migrate", owner=True)
        token = (await self._old("token", "add", "upstream", "--scope", "warnings:write")).split()[-1]
        password = (
            await self._old("staff", "add", "wang", "--name", "王队", "--role", "supervisor")
        ).split()[-1]
        self._start("old", "web", "worker", "scheduler")
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.proxy.running())
            await self._ready("old")
            browser = await stack.enter_async_context(self._signed_in(password))
            await self._load("old")
            self._traffic = traffic = asyncio.gather(self._warn(token), self._work(browser))
            stack.push_async_callback(self._end)
            await self._calls_more("with the release before")
            await self._migrate()
            await self._side_by_side()
            await self._stop_old()
            await self._calls_more("with the new version alone")
            self._is_over = True
            await traffic
            await self._settle()
        self._stop("new", "scheduler", "worker", "web")
        self._judge()

    async def _migrate(self) -> None:
        """Calls live, and the release before works on: it claims nothing, and takes every webhook."""
        told = json.loads(await self._new("upgrade", "--check", "--json"))
        self.must(told["may_run_beside"], "dialer upgrade --check says that old processes must be stopped")
        await self.until(lambda: self.under_way() >= _LIVE, f"{_LIVE} calls were under way")
        self.figures |= {"migrations": len(told["changes"]), "calls_live_at_migration": self.under_way()}
        began = time.monotonic()
        await self._new("migrate", owner=True)
        self.figures["migrate_seconds"] = round(time.monotonic() - began, 1)
        await self.until(lambda: self._rows("SELECT 1 FROM alarm WHERE code = 'schema_moved'"), "the alarm")
        self._last_old_call = self.calls()
        self._start("new", "web")
        self._must_live()

    async def _side_by_side(self) -> None:
        """First the web processes, then the rest: an old web process may not know what the scripts of new calls say."""
        await self._ready("new", worker="old")
        before = Counter(self.proxy.answers)
        await self._load("new")
        await self.until(
            lambda: all(self._answered(version, since=before) >= _ANSWERS_EACH for version in self.roots),
            "both web processes answered",
        )
        self.figures |= {
            f"answers_{version}": self._answered(version, since=before) for version in self.roots
        }
        await asyncio.to_thread(self._stop, "old", "web")
        del self.ports["old"]
        self._start("new", "worker", "scheduler")
        await self.until(lambda: self.calls() > self._last_old_call, "the new worker placed a call")
        await self._ready("new")
        await self._load("new")
        await self._calls_more("side by side")
        self._must_live()

    def _answered(self, version: str, *, since: Counter[tuple[str, int]]) -> int:
        both = self.proxy.answers - since
        return sum(n for (which, _), n in both.items() if which == version)

    async def _stop_old(self) -> None:
        await self.until(lambda: self.under_way() >= _LIVE, f"{_LIVE} calls were under way")
        for part in ("scheduler", "worker"):
            await asyncio.to_thread(self._stop, "old", part)

    async def _settle(self) -> None:
        everybody = self.people()
        await self.until(lambda: self.calls() >= len(everybody), "everybody was called")
        await self.until(lambda: not self.under_way(), "the last calls were over")
        unfinished = "SELECT 1 FROM attempt WHERE state <> 'ended' LIMIT 1"
        await self.until(lambda: not self._rows(unfinished), "every call attempt was over")
        report = json.loads(await self._new("audit", "verify", "--json"))
        self.must(report["whole"], "the audit is not whole")

    def people(self) -> list[str]:
        numbers = [*range(3 * _LISTED), *range(_FIRST_WARNED, _FIRST_WARNED + self.warned)]
        return [f"+86{phone(n)}" for n in numbers]

    def _judge(self) -> None:
        self.count_calls(self.people())
        verdict = check(self.servers.database_url, self.folder / "carrier", by_api=self.warned)
        self.must(verdict.is_clean, "; ".join(verdict.wrong))
        self.must(not self.proxy.wrong, f"answers above 499: {self.proxy.wrong[:5]}")
        moments = sorted(call.created for call in self.carrier.exchange.newest_first())
        pauses = [after - before for before, after in pairwise(moments)]
        unwell = Counter(row[0] for row in self._rows("SELECT result FROM attempt")) - Counter(
            {"answered": 10**9}
        )
        self.must(not unwell, f"calls that did not go well: {dict(unwell)}")
        self.figures |= {
            "answers": self.proxy.answers.total(),
            "looks": self.looks.total(),
            "pause_seconds": round(max(pauses), 1),
            "warnings": self.warned,
        }
        told = self._log_lines()
        self.must(not told, f"errors in the logs: {told[:5]}")

    def state(self) -> str:
        """What the database and the processes say, to find out why a drill failed."""
        told = [f"{which}: {one.poll()}" for which, one in self.running.items()]
        told += [f"proxy: {dict(self.proxy.answers)} {self.proxy.wrong[:5]}"]
        for statement in _STATE:
            with suppress(psycopg.Error):
                told += [f"{statement}: {self._rows(statement)}"]
        return "\n".join(told)

    # The services.

    def _start(self, version: str, *parts: str) -> None:
        for part in parts:
            with (self.folder / f"{version}-{part}.log").open("wb") as log:
                self.running[f"{version} {part}"] = subprocess.Popen(
                    [sys.executable, "-m", "dialer", part],
                    env=self.environment(version), cwd=self.roots[version], stdout=log, stderr=log,
                )  # fmt: skip

    async def _ready(self, version: str, *, worker: str = "") -> None:
        """Its web process answers and its worker, or the one of the version `worker`, has a heartbeat."""
        url = f"http://127.0.0.1:{self.ports[version]}/health/ready"
        pid = self.running[f"{worker or version} worker"].pid
        async with httpx.AsyncClient() as client:
            for _ in range(3_000):
                self._must_live()
                with suppress(httpx.TransportError):
                    if (await client.get(url)).is_success and self._rows(
                        "SELECT 1 FROM heartbeat WHERE process LIKE %s", f"%:{pid}"
                    ):
                        return
                await asyncio.sleep(0.1)
        self.must(False, f"the {version} version did not come up")

    def _stop(self, version: str, *parts: str) -> None:
        for part in parts:
            process = self.running.pop(f"{version} {part}")
            self.must(process.poll() is None, f"the {part} of the {version} version died")
            process.send_signal(signal.SIGTERM)
            code = process.wait(60)
            self.must(code == 0, f"the {part} of the {version} version ended with {code}")

    def _must_live(self) -> None:
        dead = {which: code for which, one in self.running.items() if (code := one.poll()) is not None}
        self.must(not dead, f"processes died: {dead}")

    def kill(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()

    async def _old(self, *words: str, owner: bool = False) -> str:
        return str(await self._run("old", *words, owner=owner))

    async def _new(self, *words: str, owner: bool = False) -> str:
        return str(await self._run("new", *words, owner=owner))

    async def _run(self, version: str, *words: str, owner: bool) -> str:
        env, root = self.environment(version, owner=owner), self.roots[version]
        told = await self.command(env, *words, root=root)
        return told if isinstance(told, str) else json.dumps(told)

    def _rows(self, statement: str, *given: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.servers.database_url.replace("+psycopg", "")) as connection:
            return connection.execute(statement.encode(), given or None).fetchall()

    def _log_lines(self) -> list[str]:
        """Errors that any process of either version wrote."""
        found = []
        for path in sorted(self.folder.glob("*-*.log")):
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                with suppress(json.JSONDecodeError):
                    if path.stem == "old-worker" and any(words in line for words in _LEFT):
                        continue
                    if json.loads(line).get("level") in {"error", "critical"}:
                        found.append(f"{path.stem}: {line}")
                    continue
                found.append(f"{path.stem}: {line}")
        return found

    # What happens meanwhile.

    async def _load(self, version: str) -> None:
        """A list of people, uploaded by that version's command; a worker of any version takes it."""
        first = self.figures.setdefault("listed", 0)
        path = self.folder / f"list{first}.csv"
        write_list(path, _LISTED, grade="中危", first=int(first))
        self.figures["listed"] = first + _LISTED
        await self._run(version, "load", str(path), "--source", "drill", owner=False)

    async def _calls_more(self, when: str) -> None:
        goal = self.calls() + _CALLS_EACH
        await self.until(lambda: self.calls() >= goal, f"{_CALLS_EACH} calls were placed {when}")

    async def _warn(self, token: str) -> None:
        """Warnings by API, each of another person, one after the other."""
        address = f"http://127.0.0.1:{self.proxy.port}/api/v1/warnings"
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
            while not self._is_over:
                n = _FIRST_WARNED + self.warned
                warning = {
                    "instruction_no": f"API{n}",
                    "grade": "中危",
                    "fraud_type": "刷单返利",
                    "name": name(n),
                    "phones": [phone(n)],
                }
                answer = await client.post(address, json=warning)
                self.must(answer.is_success, f"a warning by API: {answer.status_code} {answer.text}")
                self.must(answer.json()["accepted"] == 1, f"a warning by API: {answer.text}")
                self.warned += 1
                await asyncio.sleep(_SECONDS_BETWEEN)

    @asynccontextmanager
    async def _signed_in(self, password: str) -> AsyncIterator[httpx.AsyncClient]:
        """A supervisor at the proxy, with a password of his own."""
        base = f"http://127.0.0.1:{self.proxy.port}"
        async with httpx.AsyncClient(base_url=base, follow_redirects=True, timeout=60) as client:
            await self._submit(client, await client.get("/sign-in"), login="wang", password=password)
            page = await client.get("/account/password")
            page = await self._submit(client, page, old=password, new=_PASSWORD, again=_PASSWORD)
            ended_early = page.url.path.startswith(("/sign-in", "/account"))
            self.must(not ended_early, f"the sign-in ended at {page.url.path}")
            yield client

    async def _submit(self, client: httpx.AsyncClient, page: httpx.Response, **given: str) -> httpx.Response:
        """The form of the page that has these fields, filled in."""
        forms = [form for form in fromstring(page.text).forms if given.keys() <= set(form.fields.keys())]
        self.must(forms, f"{page.url.path} ({page.status_code}) has no form of {', '.join(given)}")
        fields = {key: value or "" for key, value in forms[0].fields.items()} | given
        return await client.post(str(page.url.join(forms[0].action)), data=fields)

    async def _work(self, client: httpx.AsyncClient) -> None:
        """Every page of the navigation in turn, and now and then a task of the desk, taken at one web process and given
        back at the other.
        """
        chosen = random.Random("drill")  # noqa: S311  # a choice that repeats, no secret
        pages: list[str] = []
        while not self._is_over:
            home = await client.get("/")
            self.must(home.is_success, f"the first page: {home.status_code} {self.proxy.wrong}")
            self.must(not home.url.path.startswith("/sign-in"), "the session ended")
            links = fromstring(home.text).xpath("//nav//a/@href")
            pages = sorted({str(link) for link in links if str(link).startswith("/")})
            for path in chosen.sample(pages, _PAGES_EACH):
                page = await client.get(path)
                # A page of the new version's navigation that the release before lacks is not found there, and it cannot
                # show scripts that say more than it knows.
                cannot = path == "/scripts" and page.status_code == _UNREADABLE
                self.must(cannot or page.status_code in _FOUND_OR_NOT, f"{path}: {page.status_code}")
                self.looks[path] += 1
                await asyncio.sleep(_SECONDS_BETWEEN)
            desk = await client.get("/desk")
            taken = await client.post("/desk/next", data=self._csrf(desk))
            for form in fromstring(taken.text).forms:
                if form.action and form.action.endswith("/release"):
                    fields = {key: value or "" for key, value in form.fields.items()} | {"why": "升级演练"}
                    back = await client.post(form.action, data=fields)
                    self.must(back.status_code in _DONE_OR_TOO_LATE, f"{form.action}: {back.status_code}")
                    self.looks["released"] += back.is_success
                    break
            await asyncio.sleep(_SECONDS_BETWEEN)

    def _csrf(self, page: httpx.Response) -> dict[str, str]:
        return {
            "csrf": next(
                str(form.fields["csrf"]) for form in fromstring(page.text).forms if "csrf" in form.fields
            )
        }

    async def _end(self) -> None:
        self._is_over = True
        if self._traffic is not None:
            await asyncio.gather(self._traffic, return_exceptions=True)

    def watch(self) -> None:
        """What happens meanwhile goes well, and every process lives."""
        if not self._is_over and self._traffic is not None and self._traffic.done():
            self._traffic.result()
        self._must_live()


async def drill(folder: Path) -> dict[str, float | int]:
    """The figures. `folder` has the release in `release`. Raises `DrillFailed`."""
    with ensure_servers(folder / "servers", ephemeral=True) as servers:
        async with carrier_of_a_drill(folder, _TALKS) as carrier:
            made = Upgrade(carrier, folder, servers)
            try:
                await made.run()
            except Exception as fault:
                raise DrillFailed(f"{type(fault).__name__}: {fault}\n{made.state()}") from fault
            finally:
                made.kill()
    return made.figures


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args(arguments)
    folder = given.keep or Path(tempfile.mkdtemp(prefix="dialer-upgrade-"))
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    began = time.monotonic()
    try:
        unpack_release(folder / "release")
        figures = asyncio.run(drill(folder))
    except (DrillFailed, NoHistory) as fault:
        sys.stderr.write(f"upgrade drill: {fault}\n")
        return 1
    finally:
        if not given.keep:
            shutil.rmtree(folder, ignore_errors=True)
    figures["whole_seconds"] = round(time.monotonic() - began, 1)
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
