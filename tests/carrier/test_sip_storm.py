"""Calls over trunks in a storm: whatever the SIP process says, and whenever it dies, nothing stays in use."""

from __future__ import annotations

import logging
import random
from pathlib import Path
from typing import Any

import orjson
import pytest

from carrier.calls import Call, CallOrder, Status
from carrier.config import CarrierConfig
from carrier.exchange import Exchange
from carrier.lines.sip.line import SipLine
from carrier.lines.sip.link import StackLink
from carrier.lines.sip.trunks import Trunk
from carrier.outbound import Outbound
from tests.carrier.fake_time import FakeOutbound, FakeTimers
from tests.carrier.stage import ACCOUNT, FROM, TOKEN
from tests.carrier.test_documents import wav

STORMS = 60
EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
DOCUMENTS: dict[str, str | bytes] = {
    "/start": "<Response><Gather numDigits='1' timeout='3' action='/next' actionOnEmptyResult='true'>"
    "<Play>/a.wav</Play></Gather></Response>",
    "/next": "<Response><Dial timeout='8' timeLimit='60' action='/end' record='record-from-answer-dual'>"
    "<Number url='/notice'>+8613900139000</Number></Dial></Response>",
    "/notice": "<Response><Play>/a.wav</Play></Response>",
    "/end": "<Response><Play>/a.wav</Play><Hangup/></Response>",
    "/voice": "<Response><Play>/a.wav</Play><Dial timeout='8' action='/end'><Number>801</Number></Dial></Response>",
    "/a.wav": wav(0.5),
}
ENDS = (
    "",
    "486 Busy Here",
    "503 Service Unavailable",
    "Connection refused [111]",
    "480 Gone,Q.850;cause=20",
    "403 Forbidden",
)
SAYS = (
    "ringing",
    "ringing",
    "answered",
    "answered",
    "key",
    "spoken",
    "spoken",
    "judged",
    "silent",
    "held",
    "sound",
)


class Storm:
    """An exchange on two trunks, and a SIP process that says what chance wants."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.timers = FakeTimers()
        self.wire = FakeOutbound(self.timers)
        self.wire.documents = DOCUMENTS
        wire: Outbound = self.wire  # type: ignore[assignment]
        first = {
            "channels": self.chance.choice([1, 3, 30]),
            "calls_per_second": self.chance.choice([0.5, 50.0]),
        }
        self.line = SipLine(
            self.timers,
            trunks=[
                Trunk(name="a", address="10.0.0.1:5060", number="96110", **first),
                Trunk(name="b", address="10.0.0.2:5060", number="96110", order=2),
            ],
            desk_numbers=("801",),
        )
        self.exchange = Exchange(
            CarrierConfig(
                account_sid=ACCOUNT,
                auth_token=TOKEN,
                state_dir=folder,
                max_lines=self.chance.choice([None, 4]),
                inbound_url="http://a.test/voice",
            ),
            line=self.line,
            timers=self.timers,
            outbound=wire,
        )
        self.line.receive = self.exchange.receive
        self.calls: list[Call] = []
        self.up: dict[int, int] = {}
        """The calls of the SIP process, with their newest prompt."""
        self.link = self.process()

    def process(self) -> StackLink:
        """A new one, which is connected."""
        self.up = {}
        link = StackLink(self._told, lambda _sound: None)
        self.line.attach(link)
        return link

    def _told(self, data: bytes) -> None:
        order = orjson.loads(data)
        if order["do"] in {"dial", "answer"}:
            self.up[order["id"]] = 0
        elif order["do"] == "speak" and order["id"] in self.up:
            self.up[order["id"]] = order["say"]

    def act(self) -> None:
        chance = self.chance
        match chance.randrange(12):
            case 0 | 1:
                self.calls.append(self.exchange.create(self._order()))
            case 2 if self.calls:
                status = chance.choice([Status.COMPLETED, Status.CANCELED])
                self.exchange.stop(chance.choice(self.calls).sid, status)
            case 3 if chance.random() < 0.2:
                self.line.detached(self.link)
                self.link = self.process()
            case 4:
                self.line.heard({"on": "incoming", "ref": 1, "trunk": chance.choice("ab"), "caller": ""})
            case 5 if self.up:
                self.end(chance.choice(list(self.up)), chance.choice(ENDS))
            case _ if self.up:
                self._says(chance.choice(list(self.up)))
        self.timers.run(chance.choice([0, 0, 0.1, 1, 5]))

    def end(self, call: int, text: str) -> None:
        del self.up[call]
        self.line.heard({"on": "ended", "id": call, "text": text, "unsent": self.chance.random() < 0.1})

    def _says(self, call: int) -> None:
        what = self.chance.choice(SAYS)
        if what == "sound":
            self.line.heard_sound(f"{call:010}".encode() + bytes(3200))
            return
        values: dict[str, Any] = {
            "key": self.chance.choice("0123*#"),
            "say": self.up[call],
            "by": self.chance.choice(["human", "machine_start", "unknown", "machine_end_beep"]),
            "seconds": 1.0,
            "greeting": 1.0,
            "held": self.chance.random() < 0.5,
        }
        self.line.heard({"on": what, "id": call, **values})

    def _order(self) -> CallOrder:
        chance = self.chance
        return CallOrder(
            to=chance.choice(["+8613800138000", "+8613800138001"]),
            from_=FROM,
            url="http://a.test/start",
            status_callback="http://a.test/status",
            events=EVENTS,
            timeout_seconds=chance.choice([5, 30]),
            time_limit_seconds=chance.choice([20, 600]),
            records=chance.random() < 0.5,
            machine_detection=chance.choice(["", "Enable", "DetectMessageEnd"]),
            async_amd=True,
        )

    def settle(self) -> None:
        """Every call comes to its end, by its own limits."""
        for _ in range(6):
            self.timers.run(8000)
            for call in list(self.up):
                self.end(call, "")


@pytest.mark.parametrize("seed", range(STORMS))
def test_nothing_stays_in_use_and_each_call_ends_once(
    seed: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    storm = Storm(tmp_path, seed)
    for _ in range(storm.chance.randrange(20, 120)):
        storm.act()
    storm.settle()
    exchange, line = storm.exchange, storm.line
    assert (exchange.live_calls(), exchange.lines_in_use, exchange.queued, storm.timers.pending) == (
        [],
        0,
        0,
        0,
    )
    assert {name: state.in_use for name, state in line.board.states.items()} == {"a": 0, "b": 0}
    assert (line._legs, line._recorders) == ({}, {})
    assert all(call.status.final for call in exchange.newest_first())
    assert not [one for one in exchange.recordings.newest_first() if one.status == "in-progress"]
    for call in storm.calls:
        said = [one.params for one in storm.wire.to("/status") if one.params["CallSid"] == call.sid]
        assert sum(Status(one["CallStatus"]).final for one in said if one["CallStatus"] != "initiated") == 1
    assert not [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    exchange.close()
