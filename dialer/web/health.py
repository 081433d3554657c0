"""Whether this process lives, whether it can do its work now, and whether the engine behind it does its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dialer.bootstrap import Application
from dialer.errors import Unavailable
from dialer.store import schema
from dialer.usecases.watch_cycle import EngineState, look_at_engine


async def live(_request: Request) -> Response:
    """The process answers."""
    return JSONResponse({"status": "live"})


def ready(app: Application) -> Callable[[Request], Awaitable[Response]]:
    """200 when the database answers, else 503 and which part does not. An older process than its database stays ready:
    it still takes webhooks, and says so.
    """
    built_for = app.engine.schema

    def ask() -> bool:
        with app.engine.store.begin() as tx:
            return schema.revision(tx) == built_for

    async def handle(_request: Request) -> Response:
        try:
            ours = await asyncio.to_thread(ask)
        except Unavailable as fault:
            return JSONResponse({"status": "not ready", "part": fault.part}, status_code=503)
        return JSONResponse(
            {"status": "ready"} if ours else {"status": "ready", "schema": "newer than this process"}
        )

    return handle


def engine(app: Application) -> Callable[[Request], Awaitable[Response]]:
    """200 while whole cycles are completed: a tick was sent, and a worker swept, dialled, reconciled and audited to the
    end. 503 when the last whole one is older than `scheduler.late_seconds`, with the parts that are late.
    """
    limit = app.settings.scheduler.late_seconds

    async def handle(_request: Request) -> Response:
        try:
            state = await asyncio.to_thread(look_at_engine, app.engine, late_seconds=limit)
        except Unavailable as fault:
            return JSONResponse({"status": "late", "late": [fault.part]}, status_code=503)
        return JSONResponse(_told(state, limit), status_code=503 if state.late else 200)

    return handle


def _told(state: EngineState, limit_seconds: float) -> dict[str, object]:
    def rounded(seconds: float | None) -> float | None:
        return None if seconds is None else round(seconds, 1)

    return {
        "status": "late" if state.late else "whole",
        "late": list(state.late),
        "cycle_seconds_ago": rounded(state.cycle_seconds),
        "limit_seconds": limit_seconds,
        "parts_seconds_ago": {name: rounded(age) for name, age in state.parts_seconds.items()},
        "leader": state.leader,
        "leader_seconds_ago": rounded(state.leader_seconds),
    }
