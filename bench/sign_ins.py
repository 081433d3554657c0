"""A flood of sign-ins: how much slower the pages of those who are signed in become.

    python -m bench.sign_ins [--seconds 30] [--flood 100]

One person opens a page after the other, first alone, then while `--flood` clients send a login and a wrong password
again and again: from one address, then each from an address of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import secrets
import statistics
import time
from collections import Counter

import httpx

from bench.service import service
from dialer.core.access import Role
from dialer.runtime.services import Application
from dialer.staff.sign_in import open_session
from dialer.staff.store import insert_member
from dialer.web.console import SESSION_COOKIE

PAGES = ("/cases", "/account", "/control", "/approvals")
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


def signed_in(app: Application) -> str:
    """The token of a supervisor's session."""
    now = app.services.real.now()
    with app.services.store.begin() as tx:
        member = insert_member(
            tx,
            login="bench",
            display_name="bench",
            password_hash="",  # nobody signs in by it
            role=Role.SUPERVISOR,
            unit_id=None,
            language="en",
            must_change=False,
            by="bench",
            real_now=now,
        )
        assert member is not None  # the database is new
        return open_session(tx, app.services, member, address="127.0.0.1")


async def pages(url: str, token: str, seconds: float) -> list[float]:
    """Milliseconds of each page."""
    times = []
    async with httpx.AsyncClient(
        base_url=url, trust_env=False, timeout=60, cookies={SESSION_COOKIE: token}
    ) as client:
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            for path in PAGES:
                begun = time.perf_counter()
                answer = await client.get(path)
                times.append((time.perf_counter() - begun) * 1000)
                if answer.status_code != httpx.codes.OK:
                    raise SystemExit(f"{path}: {answer.status_code}")
    return times


async def flood(url: str, address: str, until: float, answers: Counter[int]) -> None:
    """Wrong passwords, one after the other; 0 is a connection that was closed."""
    headers = {"X-Forwarded-For": address, "X-Forwarded-Proto": "https"}
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60, headers=headers) as client:
        page = await client.get("/sign-in")
        found = _CSRF.search(page.text)
        for cookie in page.headers.get_list("set-cookie"):  # Secure ones, by hand
            name, _, value = cookie.partition(";")[0].partition("=")
            client.cookies.set(name, value, domain="127.0.0.1")
        while time.perf_counter() < until:
            data = {"csrf": found[1] if found else "", "login": secrets.token_hex(4), "password": "wrong"}
            try:
                answers[(await client.post("/sign-in", data=data)).status_code] += 1
            except httpx.HTTPError:
                answers[0] += 1


async def measure(url: str, token: str, seconds: float, addresses: list[str]) -> dict[str, object]:
    answers: Counter[int] = Counter()
    until = time.perf_counter() + seconds
    floods = [asyncio.create_task(flood(url, address, until, answers)) for address in addresses]
    times = await pages(url, token, seconds)
    await asyncio.gather(*floods)
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return {
        "pages": len(times),
        "page_ms": {"p50": round(cuts[49], 1), "p99": round(cuts[98], 1), "most": round(max(times), 1)},
        "sign_ins_per_second": round(sum(answers.values()) / seconds, 1),
        "answers": {str(code): count for code, count in sorted(answers.items())},
    }


def main() -> None:
    ask = argparse.ArgumentParser(prog="bench.sign_ins", description=__doc__.splitlines()[0])
    ask.add_argument("--seconds", type=float, default=30.0, help="of each of the three parts")
    ask.add_argument("--flood", type=int, default=100, help="clients that guess")
    asked = ask.parse_args()
    kinds = {
        "alone": [],
        "one address": ["198.51.100.1"] * asked.flood,
        "many addresses": [f"198.18.{n // 250}.{n % 250 + 1}" for n in range(asked.flood)],
    }
    with service(speed=1.0, log__level="error") as made:
        made.start("web")
        url, token = f"http://127.0.0.1:{made.settings.web.port}", signed_in(made.app)
        asyncio.run(pages(url, token, 2.0))  # templates are compiled
        for kind, addresses in kinds.items():
            print(kind, json.dumps(asyncio.run(measure(url, token, asked.seconds, addresses))), flush=True)


if __name__ == "__main__":
    main()
