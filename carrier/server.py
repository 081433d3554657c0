"""Starts and stops a carrier, in a given event loop or as a process."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from carrier.admin import AdminFront
from carrier.conference_rest import ConferenceFront
from carrier.config import CarrierConfig, Timers
from carrier.exchange import Exchange
from carrier.lines import Line
from carrier.lines.simulated import SimulatedLine
from carrier.lines.sip.line import SipLine
from carrier.outbound import Outbound
from carrier.rest import RestFront
from carrier.texts import TextBoard, TextFront

_log = logging.getLogger(__name__)
_BACKLOG = 2048
MakeLine = Callable[[Timers], Line]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningCarrier:
    """A carrier that listens. `stop` drops live calls without webhooks."""

    exchange: Exchange
    texts: TextBoard
    line: Line
    base_url: str
    port: int
    runner: web.AppRunner
    outbound: Outbound

    async def stop(self) -> None:
        """Stops listening, and closes every connection and file."""
        self.exchange.halt()
        await self.runner.cleanup()
        self.outbound.close()
        # One turn of the loop, in which closed transports call connection_lost.
        await asyncio.sleep(0)
        self.exchange.close()
        self.texts.close()


async def start(config: CarrierConfig, *, make_line: MakeLine | None = None) -> RunningCarrier:
    """Starts a carrier that listens on `config.host` and `config.port`. Without `make_line` the line is simulated."""
    loop = asyncio.get_running_loop()
    timers = Timers(loop, config.clock.anchored(Timers.unix()))
    simulated = SimulatedLine(
        timers, people=config.people, seed=config.seed, desk_numbers=config.desk_numbers
    )
    line: Line = simulated if make_line is None else make_line(timers)
    outbound = Outbound(loop)
    exchange = Exchange(config, line=line, timers=timers, outbound=outbound)
    if isinstance(line, SimulatedLine | SipLine):
        line.receive = exchange.receive
    app = web.Application()
    rest = RestFront(exchange, account_sid=config.account_sid, auth_token=config.auth_token)
    rest.add_routes(app)
    ConferenceFront(exchange, account_sid=config.account_sid).add_routes(app, rest)
    board = TextBoard(
        config,
        messenger=exchange.messenger,
        timers=timers,
        refusal=line.refusal,
        undeliverable=simulated.text_error if line is simulated else lambda _number: 0,
    )
    if config.has_messages:
        front = TextFront(exchange, board, account_sid=config.account_sid, auth_token=config.auth_token)
        front.add_routes(app)
    AdminFront(exchange, board, token=config.admin_token).add_routes(app)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, config.host, config.port, backlog=_BACKLOG)
    await site.start()
    port = int(runner.addresses[0][1])
    host = f"[{config.host}]" if ":" in config.host else config.host
    exchange.recordings.base_url = f"http://{host}:{port}"
    return RunningCarrier(
        exchange=exchange,
        texts=board,
        line=line,
        base_url=f"http://{host}:{port}",
        port=port,
        runner=runner,
        outbound=outbound,
    )


def run(config: CarrierConfig, *, make_line: MakeLine | None = None) -> None:
    """Serves until SIGTERM or SIGINT, then returns. Without `make_line` the line is simulated."""
    loop_factory = asyncio.new_event_loop
    if sys.platform != "win32":
        import uvloop  # noqa: PLC0415 - not available on Windows

        loop_factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(_serve(config, make_line))


async def _serve(config: CarrierConfig, make_line: MakeLine | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    running = await start(config, make_line=make_line)
    # What is imported stays: the garbage collector need not look at it again and again.
    gc.freeze()
    _log.info(
        "carrier listens on port %d, line %s", running.port, "simulated" if make_line is None else "sip"
    )
    with contextlib.suppress(asyncio.CancelledError):
        await stop.wait()
    await running.stop()
    _log.info("carrier stopped")
