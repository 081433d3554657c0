"""Each page of the console, opened once by every role that may see it, without what was counted for another page."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from bench import city
from bench.addresses import Page, pages, readers
from bench.cost_counting import Cost
from bench.cost_loads import ask
from bench.cost_town import Place
from bench.pages import session_token
from dialer.core.access import Role
from dialer.server.application import create_app
from dialer.web.console import SESSION_COOKIE, ConsoleContext

_LEFT_OUT = frozenset({"/board/live", "/help/of", "/notifications/live"})
"""Streams, whose readings go on beside other pages, and an address that leads on; "the live board" reads the first."""


def page_costs(place: Place, *, only: str = "") -> Iterator[tuple[str, Cost]]:
    """The name and the cost of each page whose name has `only` in it."""
    found = city.find(place.app.services.store)
    tokens = {reader.login: session_token(place.app, reader) for reader in readers(found)}
    web = create_app(place.app)
    context: ConsoleContext = web.router.routes[-1].app.state.console_context  # type: ignore[attr-defined]
    with asyncio.Runner() as runner:
        for page in _once(pages(place.app, found, count=place.cases)):
            name = f"page: {page.name}"
            if only not in name or page.path in _LEFT_OUT:
                continue
            headers = {"Cookie": f"{SESSION_COOKIE}={tokens[page.reader.login]}"} if page.reader else {}
            status, _ = runner.run(ask(web, "GET", page.path, headers=headers))
            of_unit = page.reader is not None and page.reader.unit_id is not None
            if status == 404 or (status == 403 and of_unit):  # a page of the whole city
                continue
            if status != 200:
                raise SystemExit(f"{page.name} answered {status}")
            context.caches.clear()
            context.halted.forget(None)
            with place.meter.counting(place.app.services.store) as cost:
                runner.run(ask(web, "GET", page.path, headers=headers))
            yield name, cost


def _once(found: Sequence[Page]) -> list[Page]:
    """Each address for one reader of the whole centre and one of a unit: a supervisor where the page is open to one."""
    chosen: dict[tuple[str, bool], Page] = {}
    for page in found:
        at = (page.path.partition("&who=")[0], page.reader is not None and page.reader.unit_id is not None)
        known = chosen.get(at)
        if known is None or (page.reader is not None and page.reader.role is Role.SUPERVISOR):
            chosen[at] = page
    return list(chosen.values())
