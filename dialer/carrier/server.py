"""Starts and stops a carrier, in a given event loop or as a process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Callable

from aiohttp import web

from dialer.carrier.admin import AdminFront
from dialer.carrier.config import CarrierConfig, Timers
from dialer.carrier.exchange import CallMemory, Exchange
from dialer.carrier.journal import CallJournal
from dialer.carrier.lines import Line
from dialer.carrier.lines.simulated import SimulatedLine
from dialer.carrier.outbound import Outbound
from dialer.carrier.rest import RestFront
from dialer.carrier.texts import TextBoard, TextFront, TextMemory

_log = logging.getLogger(__name__)
_BACKLOG = 2048
MakeLine = Callable[[Timers], Line]


class RunningCarrier:
    """A carrier that listens. `stop` drops live calls without webhooks."""

    def __init__(
        self,
        *,
        runner: web.AppRunner,
        exchange: Exchange,
        texts: TextBoard,
        text_memory: TextMemory,
        outbound: Outbound,
        line: Line,
        host: str,
        port: int,
    ) -> None:
        self.exchange = exchange
        self.texts = texts
        self._text_memory = text_memory
        self.line = line
        self.port = port
        self.base_url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        self._runner = runner
        self._outbound = outbound

    async def stop(self) -> None:
        """Nothing listens; every connection and file is closed."""
        self.exchange.halt()
        await self._runner.cleanup()
        self._outbound.close()
        # One turn of the loop, in which closed transports call connection_lost.
        await asyncio.sleep(0)
        self.exchange.close()
        self._text_memory.close()


async def start(config: CarrierConfig, *, make_line: MakeLine | None = None) -> RunningCarrier:
    """The carrier listens on `config.host` and `config.port`. Without `make_line` the line is simulated."""
    loop = asyncio.get_running_loop()
    timers = Timers(loop, config.clock.anchored(Timers.unix()))
    simulated = SimulatedLine(
        timers, people=config.people, seed=config.seed, desk_numbers=config.desk_numbers
    )
    line: Line = simulated if make_line is None else make_line(timers)
    outbound = Outbound(loop)
    exchange = Exchange(
        config,
        line=line,
        timers=timers,
        outbound=outbound,
        call_journal=CallJournal(config.state_dir),
        memory=CallMemory(config.state_dir),
    )
    app = web.Application()
    RestFront(exchange, account_sid=config.account_sid, auth_token=config.auth_token).add_routes(app)
    texts = TextMemory(config.state_dir)
    board = TextBoard(
        account_sid=config.account_sid,
        messenger=exchange.messenger,
        timers=timers,
        refusal=line.refusal,
        undeliverable=simulated.text_error if line is simulated else lambda _number: 0,
        memory=texts,
        remembered=texts.recall(since_unix=timers.unix() - config.keep_hours * 3600),
    )
    TextFront(exchange, board, account_sid=config.account_sid, auth_token=config.auth_token).add_routes(app)
    AdminFront(
        exchange, board, line=simulated if line is simulated else None, token=config.admin_token
    ).add_routes(app)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, config.host, config.port, backlog=_BACKLOG)
    await site.start()
    port = int(runner.addresses[0][1])
    return RunningCarrier(
        runner=runner,
        exchange=exchange,
        texts=board,
        text_memory=texts,
        outbound=outbound,
        line=line,
        host=config.host,
        port=port,
    )


def run(config: CarrierConfig) -> None:
    """Serves until SIGTERM or SIGINT, then returns."""
    loop_factory = asyncio.new_event_loop
    if sys.platform != "win32":
        import uvloop  # noqa: PLC0415 - not available on Windows

        loop_factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(_serve(config))


async def _serve(config: CarrierConfig) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    running = await start(config)
    _log.info("carrier listens on port %d, line simulated", running.port)
    with contextlib.suppress(asyncio.CancelledError):
        await stop.wait()
    await running.stop()
    _log.info("carrier stopped")
