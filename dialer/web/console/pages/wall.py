"""Wall: the service at this moment, for a screen that is read from across the room."""

from __future__ import annotations

import contextlib
import threading
from functools import partial

from sse_starlette import EventSourceResponse
from sse_starlette.sse import SendTimeoutError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from dialer.domain.access import Act
from dialer.language import Lang, mark
from dialer.usecases.list_units import list_units
from dialer.web.console import wall_view
from dialer.web.console.door import House
from dialer.web.console.registry import Section
from dialer.web.console.visit import Asked, Visit
from dialer.web.console.wall_feed import FeedRules, TooMany, Wall, WallFeed

pages = Section()
_EVENTS = "text/event-stream"
_BUSY, _RETRY_SECONDS = 503, "15"
_TAKEN_SECONDS = 20.0
"""A reader who takes nothing for so long is gone."""
_making = threading.Lock()


class _Events(EventSourceResponse):
    """A reader who is gone is no fault. The feed sends its own beats."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with contextlib.suppress(SendTimeoutError, OSError):
            await super().__call__(scope, receive, send)


@pages.get("/board", act=Act.SEE_WALL, nav=mark("Live board"), order=10, while_idle=True)
def wall(visit: Asked) -> Response:
    unit_id = visit.member.unit_id
    found = _feed(visit.request).read(unit_id)
    return visit.page(
        wall_view.TEMPLATE,
        unit_name=_unit_name(visit),
        look=wall_view.look(),
        **wall_view.facts(visit.engine, found, visit.lang),
    )


@pages.get("/board/live", act=Act.SEE_WALL, while_idle=True)
async def live(visit: Asked) -> Response:
    """A stream for a browser that asks for one, and one reading of it for anybody else."""
    assert visit.session is not None
    try:
        events = _feed(visit.request).events(
            session_id=visit.session.id,
            unit_id=visit.member.unit_id,
            lang=visit.lang,
            only_one=_EVENTS not in visit.request.headers.get("accept", ""),
        )
    except TooMany:
        return Response(status_code=_BUSY, headers={"Retry-After": _RETRY_SECONDS})
    return _Events(events, ping=0, send_timeout=_TAKEN_SECONDS)


def _feed(request: Request) -> WallFeed:
    """The one of this application."""
    state = request.app.state
    with _making:
        if not hasattr(state, "wall_feed"):
            house: House = state.house
            app = house.app
            state.wall_feed = WallFeed(
                app.engine,
                late_seconds=app.settings.scheduler.late_seconds,
                rules=FeedRules(patience_seconds=app.settings.console.patience_seconds),
                draw=partial(_draw, house),
            )
            house.closing.join(state.wall_feed.stop)
    feed: WallFeed = state.wall_feed
    return feed


def _draw(house: House, found: Wall, lang: Lang) -> dict[str, object]:
    return dict(wall_view.draw(house.pages, house.app.engine, found, lang))


def _unit_name(visit: Visit) -> str:
    """'' for the whole centre."""
    unit_id = visit.member.unit_id
    if unit_id is None:
        return ""
    return next((unit.name for unit in list_units(visit.engine, seen_by=unit_id) if unit.id == unit_id), "")
