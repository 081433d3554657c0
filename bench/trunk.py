"""Calls over a SIP trunk with sound and keys, what they cost, and how many one core carries; beside Debian's baresip.

    python -m bench.trunk [--calls 200] [--rate 15] [--steps 50,100,150,200] [--hold 8]

The persons are sipp, on the same machine: each answers, speaks, and presses the last digit of its number after three
seconds. A gap: the stack had nothing to send in the middle of a prompt, or sent fewer packets than one every 20 ms.
Needs the extra `sip` and Debian's sipp and baresip, as root (`make test-sip` installs them).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Self
from urllib.parse import urlencode

import aiohttp
import psutil
from aiohttp import web

from carrier.config import CarrierConfig, ServiceClock
from carrier.lines.sip.line import SipLine
from carrier.lines.sip.trunks import Trunk
from carrier.lines.sound import BYTES_A_SECOND, telephone_samples, wav_of
from carrier.server import RunningCarrier, start
from tests.sip.peers import (
    HOST,
    Peer,
    Person,
    StackProcess,
    answer,
    description,
    free_port,
    missing,
    pause,
    play,
    prompt,
    ring,
)

ACCOUNT, TOKEN, ADMIN = "AC" + "0" * 32, "bench-token", "bench-admin"
KEYS = "12345"
PACKETS_A_SECOND = 50
LEAST_PACKETS = 0.98
_STAYS = '<recv request="BYE" timeout="60000"/>'
_OK = (
    "<send><![CDATA[\nSIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n"
    "Content-Length: 0\n\n]]></send>"
)


class Stub:
    """The application: asks for a key, checks it, speaks, hangs up; or speaks for ever."""

    def __init__(self) -> None:
        self.base = ""
        self.keys: Counter[bool] = Counter()
        self.ended: Counter[str] = Counter()
        self._wav = prompt()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{what}", self.answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()
        self.base = f"http://{HOST}:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def answer(self, request: web.Request) -> web.Response:
        form = await request.post()
        match request.match_info["what"]:
            case "prompt.wav":
                return web.Response(body=self._wav, content_type="audio/wav")
            case "ask":
                body = (
                    f'<Gather numDigits="1" timeout="20" action="{self.base}/key"><Play>{self.base}/prompt.wav</Play>'
                    "</Gather>"
                )
            case "key":
                self.keys[str(form["Digits"]) == str(form["To"])[-1]] += 1
                body = f"<Play>{self.base}/prompt.wav</Play><Hangup/>"
            case "hold":
                body = f'<Play loop="0">{self.base}/prompt.wav</Play>'
            case _:
                self.ended[str(form["CallStatus"])] += 1
                body = ""
        return web.Response(text=f"<Response>{body}</Response>", content_type="text/xml")


async def _place(carrier: RunningCarrier, stub: Stub, *, calls: int, rate: float, document: str) -> None:
    auth = {"Authorization": aiohttp.encode_basic_auth(ACCOUNT, TOKEN)}
    url = f"{carrier.base_url}/2010-04-01/Accounts/{ACCOUNT}/Calls.json"
    began = time.monotonic()
    async with aiohttp.ClientSession(headers=auth) as session:
        for n in range(calls):
            await asyncio.sleep(max(0.0, began + n / rate - time.monotonic()))
            form = {
                "To": f"+861380013{n // len(KEYS):03d}{KEYS[n % len(KEYS)]}",
                "From": "+8647896110",
                "Url": f"{stub.base}/{document}",
                "StatusCallback": f"{stub.base}/ended",
            }
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            async with session.post(url, data=urlencode(form), headers=headers) as answered:
                if answered.status != 201:
                    raise SystemExit(await answered.text())


def _trunks(peers: Sequence[Peer], *, rate: float) -> list[Trunk]:
    """One for each key: the numbers that end with it."""
    return [
        Trunk(
            name=f"key{key}",
            address=peer.address,
            number="047896110",
            channels=10_000,
            calls_per_second=rate,
            keep_alive_seconds=0,
            prefixes={f"+861380013{n:03d}{key}": f"1380013{n:03d}{key}" for n in range(1000)},
        )
        for key, peer in zip(KEYS, peers, strict=True)
    ]


class Run:
    """A carrier with its SIP process on these trunks; figures of the SIP process."""

    def __init__(self, folder: Path, trunks: list[Trunk]) -> None:
        self.stub = Stub()
        self._folder = folder
        self._trunks = trunks

    async def __aenter__(self) -> Self:
        await self.stub.start()
        config = CarrierConfig(
            account_sid=ACCOUNT,
            auth_token=TOKEN,
            admin_token=ADMIN,
            state_dir=self._folder,
            clock=ServiceClock(),
        )
        self.carrier = await start(config, make_line=lambda timers: SipLine(timers, trunks=self._trunks))
        line = self.carrier.line
        assert isinstance(line, SipLine)
        self.line = line
        self.stack = StackProcess(self.carrier.base_url, ADMIN, self._trunks, rtp_ports="12000-19998")
        await _until(lambda: self.line.link is not None, 20.0)
        (self.process,) = psutil.Process(self.stack.process.pid).children()
        self._cpu = _cpu(self.process)
        self._carrier_cpu = _cpu(psutil.Process())
        self._memory = self.process.memory_info().rss
        return self

    async def __aexit__(self, *_fault: object) -> None:
        self.stack.close()
        await self.carrier.stop()
        await self.stub.stop()

    def costs(self) -> tuple[float, float, int]:
        """Processor seconds of the SIP process and of carrier and stub together, and memory grown, in bytes."""
        return (
            _cpu(self.process) - self._cpu,
            _cpu(psutil.Process()) - self._carrier_cpu,
            self.process.memory_info().rss - self._memory,
        )

    def gaps(self) -> int:
        """Calls in which the sound had a gap."""
        return sum(
            1
            for quality in self.line.qualities
            if quality["gaps"]
            or quality["sent"] < LEAST_PACKETS * PACKETS_A_SECOND * (quality["seconds"] - 0.1)
        )


def _cpu(process: psutil.Process) -> float:
    return float(sum(process.cpu_times()[:2]))


async def _until(true, seconds: float) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - any condition
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise SystemExit("it took too long")
        await asyncio.sleep(0.02)


async def _peers(folder: Path, *, calls: int, steps_of_key) -> list[Peer]:  # type: ignore[no-untyped-def]  # noqa: ANN001 - a function of the script
    made = [Peer(folder, *steps_of_key(key), calls=calls) for key in KEYS]
    return [await one.ready() for one in made]


async def at_a_rate(calls: int, rate: float) -> dict[str, object]:
    """So many calls at the rate, each with a prompt, a key, a prompt, and the end."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def steps(key: str) -> tuple[str, ...]:
            return (
                ring(),
                pause(200),
                answer(),
                play("g711a"),
                pause(3000),
                play(f"dtmf_2833_{key}"),
                _STAYS,
                _OK,
            )

        peers = await _peers(folder, calls=calls, steps_of_key=steps)
        try:
            async with Run(folder / "carrier", _trunks(peers, rate=rate)) as run:
                began = time.monotonic()
                most_memory = 0

                async def watch() -> None:
                    nonlocal most_memory
                    while True:
                        most_memory = max(most_memory, run.costs()[2])
                        await asyncio.sleep(0.25)

                watching = asyncio.create_task(watch())
                await _place(run.carrier, run.stub, calls=calls, rate=rate, document="ask")
                await _until(lambda: sum(run.stub.ended.values()) == calls, 60.0)
                watching.cancel()
                elapsed = time.monotonic() - began
                cpu, carrier_cpu, _ = run.costs()
                await _until(lambda: len(run.line.qualities) == calls, 10.0)
                talked = sum(quality["seconds"] for quality in run.line.qualities)
                return {
                    "calls": calls,
                    "rate": rate,
                    "elapsed_seconds": round(elapsed, 1),
                    "ended": dict(run.stub.ended),
                    "keys_right": run.stub.keys[True],
                    "keys_wrong": run.stub.keys[False],
                    "most_at_once": run.carrier.exchange.peak_lines,
                    "calls_with_a_gap": run.gaps(),
                    "least_mos": min(quality["mos"] for quality in run.line.qualities),
                    "sip_cpu_ms_a_call": round(1000 * cpu / calls, 1),
                    "sip_cpu_ms_a_second_of_talk": round(1000 * cpu / talked, 2),
                    "carrier_and_stub_cpu_ms_a_call": round(1000 * carrier_cpu / calls, 1),
                    "sip_memory_kb_a_call_at_once": round(
                        most_memory / 1024 / max(1, run.carrier.exchange.peak_lines), 1
                    ),
                }
        finally:
            for peer in peers:
                peer.close()


async def held(calls: int, seconds: float) -> dict[str, object]:
    """`calls` at once, prompts in all of them, for `seconds`; the SIP process has one core."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        a_key = -(-calls // len(KEYS))
        talk = tuple(play("g711a") + pause(8000) for _ in range(4))
        peers = await _peers(folder, calls=a_key, steps_of_key=lambda _key: (ring(), answer(), *talk, _STAYS))
        try:
            async with Run(folder / "carrier", _trunks(peers, rate=50.0)) as run:
                run.process.cpu_affinity([0])
                for peer in peers:
                    for one in psutil.Process(peer.pid).children():
                        one.cpu_affinity([(os.cpu_count() or 2) - 1])
                await _place(run.carrier, run.stub, calls=calls, rate=40.0, document="hold")
                await _until(
                    lambda: sum(state.in_use for state in run.line.board.states.values()) == calls, 30.0
                )
                before = run.costs()[0]
                await asyncio.sleep(seconds)
                used = (run.costs()[0] - before) / seconds
                for live in run.carrier.exchange.live_calls():
                    live.finished()
                await _until(lambda: len(run.line.qualities) == calls, 20.0)
                return {
                    "calls": calls,
                    "calls_with_a_gap": run.gaps(),
                    "core_used": round(used, 2),
                    "memory_mb": round(run.process.memory_info().rss / 1e6, 1),
                }
        finally:
            for one in peers:
                one.close()


_CALLER = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="caller">
<send retrans="500"><![CDATA[
INVITE sip:person@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:caller@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:person@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:caller@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

{sdp}
]]></send>
<recv response="100" optional="true"/><recv response="180" optional="true"/><recv response="183" optional="true"/>
<recv response="200"/>
<send><![CDATA[
ACK sip:person@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:caller@[local_ip]:[local_port]>;tag=[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
{sound}{wait}
<send retrans="500"><![CDATA[
BYE sip:person@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:caller@[local_ip]:[local_port]>;tag=[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

]]></send><recv response="200"/></scenario>
"""


async def baresip_alone(calls: int, rate: float, seconds: float) -> dict[str, object]:
    """Debian's baresip answers `calls` at the rate, and speaks a file in each for `seconds`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        says = folder / "says.wav"
        says.write_bytes(wav_of(telephone_samples(prompt()) + bytes(60 * BYTES_A_SECOND)))
        callee = await Person(folder, says=says, keeps=False).ready()
        try:
            (process,) = psutil.Process(callee.pid).children()
            scenario = folder / "caller.xml"
            scenario.write_text(
                _CALLER.format(sdp=description(), sound=play("g711a"), wait=pause(round(seconds * 1000)))
            )
            before, memory = _cpu(process), process.memory_info().rss
            done = await asyncio.create_subprocess_exec(
                *(
                    "timeout",
                    "120",
                    "sipp",
                    "-sf",
                    str(scenario),
                    "-i",
                    HOST,
                    "-mi",
                    HOST,
                    "-p",
                    str(free_port()),
                ),
                *("-r", str(rate), "-m", str(calls), "-nostdin", callee.address),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=folder,
            )
            most = 0
            while done.returncode is None:
                most = max(most, process.memory_info().rss - memory)
                await asyncio.sleep(0.25)
            cpu = _cpu(process) - before
            return {
                "calls": calls,
                "rate": rate,
                "all_as_planned": done.returncode == 0,
                "cpu_ms_a_call": round(1000 * cpu / calls, 1),
                "cpu_ms_a_second_of_talk": round(1000 * cpu / (calls * seconds), 2),
                "memory_kb_a_call_at_once": round(most / 1024 / min(calls, rate * seconds), 1),
            }
        finally:
            callee.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--rate", type=float, default=15.0)
    parser.add_argument("--steps", default="50,100,150,200,250,300")
    parser.add_argument("--hold", type=float, default=8.0)
    options = parser.parse_args()
    if why := missing():
        raise SystemExit(why)
    assert shutil.which("sipp")
    figures: dict[str, object] = {"at_a_rate": asyncio.run(at_a_rate(options.calls, options.rate))}
    print(json.dumps(figures, indent=1), flush=True)
    talk = 7.0
    figures["baresip_alone"] = asyncio.run(baresip_alone(options.calls, options.rate, talk))
    print(json.dumps(figures["baresip_alone"], indent=1), flush=True)
    steps = []
    for calls in map(int, options.steps.split(",")):
        steps.append(asyncio.run(held(calls, options.hold)))
        print(json.dumps(steps[-1]), flush=True)
        if steps[-1]["calls_with_a_gap"]:
            break
    figures["one_core"] = steps
    clean = [int(str(step["calls"])) for step in steps if not step["calls_with_a_gap"]]
    figures["most_calls_without_a_gap"] = max(clean, default=0)
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
