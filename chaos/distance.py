"""A server that is far away: everything to it and from it passes a process of ours, which holds it back."""

from __future__ import annotations

import asyncio
import multiprocessing as mp
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Final

_LARGEST_PACKET: Final = 1 << 16


class Distance:
    """A port of the loopback address that leads to the server, and the way between, which can change."""

    def __init__(self, pipe: Connection, port: int) -> None:
        self._pipe = pipe
        self.port = port

    def set(self, round_trip_seconds: float) -> None:
        """From now on a round trip takes this much longer; 0: as near as the machine has it."""
        self._pipe.send(round_trip_seconds)


@contextmanager
def distant(host: str, port: int, *, round_trip_seconds: float = 0.0) -> Iterator[Distance]:
    """A port that leads to that address, with this much longer round trips. It ends with its caller."""
    context = mp.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, host, port, round_trip_seconds), daemon=True)
    process.start()
    there.close()
    try:
        yield Distance(here, here.recv())
    finally:
        here.close()
        process.join()


class _Way:
    def __init__(self, host: str, port: int, round_trip_seconds: float) -> None:
        self._host, self._port = host, port
        self.one_way_seconds = round_trip_seconds / 2

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Passes everything on, both ways, until either side ends the connection."""
        try:
            far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        packets: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        async with asyncio.TaskGroup() as group:
            group.create_task(_deliver(packets, writer))
            packet = b"-"
            while packet:
                packet = b""
                with suppress(OSError):
                    packet = await reader.read(_LARGEST_PACKET)
                packets.put_nowait((asyncio.get_running_loop().time() + self.one_way_seconds, packet))


async def _deliver(packets: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
    """Writes each packet when it is due, in the order in which they came; the empty one ends the connection."""
    while True:
        due_at, packet = await packets.get()
        await asyncio.sleep(due_at - asyncio.get_running_loop().time())
        if not packet:
            writer.close()
            return
        writer.write(packet)


def _serve(pipe: Connection, host: str, port: int, round_trip_seconds: float) -> None:
    async def main() -> None:
        way, ended = _Way(host, port, round_trip_seconds), asyncio.Event()

        def told() -> None:
            try:
                way.one_way_seconds = pipe.recv() / 2
            except EOFError:
                ended.set()

        asyncio.get_running_loop().add_reader(pipe.fileno(), told)
        server = await asyncio.start_server(way.connected, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await ended.wait()

    # Connections that are open end with the loop.
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
