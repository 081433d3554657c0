"""Attacks by strangers at the edges: guesses from everywhere, and what an address answers to anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from dialer.core.access import Role
from tests.console.desk import PASSWORD, form_csrf

if TYPE_CHECKING:
    from tests.attack.run import Attack, Target


async def guesses(target: Target, attack: Attack) -> None:
    """A hundred addresses guess at one login; a browser that was signed in before is let in meanwhile."""
    desk = target.desk
    desk.account(Role.SUPERVISOR, login="guesses")
    most = 4 * desk.app.settings.console.failures

    async def enter(client: httpx.AsyncClient, password: str, address: str) -> int:
        client.headers["X-Forwarded-For"] = address
        page = await client.get("/sign-in", headers={"X-Forwarded-Proto": "https"})
        for cookie in page.headers.get_list("set-cookie"):  # Secure ones, by hand
            name, _, value = cookie.partition(";")[0].partition("=")
            client.cookies.set(name, value)
        data = {"csrf": form_csrf(page), "login": "guesses", "password": password}
        answer = await client.post("/sign-in", data=data, headers={"X-Forwarded-Proto": "https"})
        for cookie in answer.headers.get_list("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            if name.endswith("dialer_device"):
                client.cookies.set(name, value)
        return answer.status_code

    owner = desk.stranger()
    code = await enter(owner, PASSWORD, "203.0.113.200")
    attack.must(code == 303, f"the true person got {code}")
    looked_at = 0
    for number in range(target.times(100)):
        attack.tried += 1
        code = await enter(desk.stranger(), f"wrong {number}", f"198.51.100.{number % 250 + 1}")
        looked_at += code == 401
    attack.must(looked_at <= most, f"{looked_at} guesses from as many addresses were looked at")
    for kept in list(owner.cookies.jar):
        if kept.name.endswith("dialer_session"):
            owner.cookies.delete(kept.name)
    code = await enter(owner, PASSWORD, "203.0.113.201")
    attack.must(code == 303, f"the true person's own browser got {code} during the guesses")
    attack.said = f"{looked_at} looked at"


async def figures(target: Target, attack: Attack) -> None:
    """A stranger from elsewhere reads the figures of the service through the proxy."""
    client = target.desk.stranger()
    for path in ("/metrics", "/status"):
        for more in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer None"}):
            attack.tried += 1
            answer = await client.get(path, headers={"X-Forwarded-For": "203.0.113.9"} | more)
            attack.must(answer.status_code == 403, f"{path} answered a stranger: {answer.status_code}")


async def headers(target: Target, attack: Attack) -> None:
    """What is not Latin never breaks an answer's headers."""
    client = target.desk.stranger()
    for path in ("/案件?no=王", "/cases/7?x=é", "/\u4e2d#\u6587"):
        for part in ({}, {"HX-Request": "true"}):
            page = await client.get("/sign-in")
            attack.tried += 1
            data = {"csrf": form_csrf(page), "lang": "zh", "next": path}
            answer = await client.post("/language", data=data, headers=part)
            attack.must(answer.status_code < 500, f"/language with {path} got {answer.status_code}")
