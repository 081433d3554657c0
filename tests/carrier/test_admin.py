"""The operator's side of the carrier, and the carrier as a process of its own."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import Self

import aiohttp
import pytest
from twilio.rest import Client

from carrier.lines.sip.line import SipLine
from carrier.lines.sip.trunks import Trunk
from carrier.people import Behaviour
from tests.carrier.stage import ACCOUNT, ADMIN, HANGUP, TO, TOKEN, App, DeskView, Start, ToCarrier
from tests.carrier.test_documents import wav

WAV = b64encode(wav(0.5)).decode()
PATHS = [
    ("GET", "rings"),
    ("GET", "calls"),
    ("GET", "pace"),
    ("GET", "clock"),
    ("PUT", "clock"),
    ("PUT", "people/8613800138000"),
    ("DELETE", "people/8613800138000"),
    ("GET", "faults"),
    ("PUT", "faults"),
    ("DELETE", "faults"),
    ("PUT", "limits"),
    ("POST", "crash"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_every_door_wants_its_own_token(hands: DeskView, method: str, path: str):
    for header in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Bearer {TOKEN}"}):
        async with hands.session.request(
            method, f"{hands.carrier.base_url}/admin/{path}", headers=header
        ) as answer:
            assert answer.status == 401


async def test_without_a_token_set_the_doors_are_closed(bench: Start):
    one = await bench(admin_token="")
    async with one.session.get(
        f"{one.carrier.base_url}/admin/rings", headers={"Authorization": "Bearer "}
    ) as answer:
        assert answer.status == 401


async def test_health_needs_no_token(hands: DeskView):
    async with hands.session.get(f"{hands.carrier.base_url}/admin/health") as answer:
        assert (await answer.json())["status"] == "ok"


async def test_one_number_can_be_given_a_behaviour_of_its_own(bench: Start, app: App):
    app.documents["/start"] = HANGUP
    one = await bench(Behaviour(name="human", share=1))
    await one.admin("PUT", f"people/{TO}", {"pickup": "busy"})
    assert (await app.final(await one.call()))["CallStatus"] == "busy"
    await one.admin("DELETE", f"people/{TO}")
    assert (await app.final(await one.call()))["CallStatus"] == "completed"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", f"people/{TO}", {"keys": ["x"]}),
        ("PUT", f"people/{TO}", {"colour": "blue"}),
        ("PUT", "clock", {"speed": 0}),
        ("PUT", "clock", {"epoch": "today"}),
        ("PUT", "faults", {"nothing": {}}),
        ("PUT", "limits", {"calls_per_second": -1}),
        ("PUT", "limits", {"max_lines": 0}),
        ("PUT", "faults", [1]),
    ],
)
async def test_a_wrong_wish_is_refused_with_a_line(bench: Start, method: str, path: str, body: object):
    one = await bench()
    async with one.session.request(
        method,
        f"{one.carrier.base_url}/admin/{path}",
        json=body,
        headers={"Authorization": f"Bearer {ADMIN}"},
    ) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]


async def test_rings_are_told_per_number_and_per_attempt(bench: Start, app: App):
    app.documents["/start"] = HANGUP
    one = await bench(Behaviour(name="human", share=1), attempt_pattern=r"attempt=(\d+)")
    for n in (1, 1, 2):
        await app.final(await one.call(status_callback=f"{app.base}/status?attempt={n}&try=x{n}"))
    assert (await one.admin("GET", "rings?number=%2B8613800138000"))["rings"] == 3
    assert (await one.admin("GET", "rings?attempt=1"))["rings"] == 2
    counts = await one.admin("GET", "rings")
    assert (counts["rings"], counts["max_rings_per_attempt"], counts["calls"]) == (3, 2, 3)


async def test_the_pace_counts_the_most_calls_in_any_window(hands: DeskView):
    for n in range(5):
        await hands.call(f"+861390013900{n}")
    assert await hands.admin("GET", "pace") == {"seconds": 10.0, "most_calls": 5}
    # Two may have come in the same moment.
    assert (await hands.admin("GET", "pace?seconds=0"))["most_calls"] < 5


async def test_live_calls_are_shown_without_their_numbers(hands: DeskView):
    phone = hands.phones.phone(TO)
    sid = await hands.call()
    await phone.rings()
    shown = await hands.admin("GET", "calls")
    assert [(one["sid"], one["status"], one["rang"]) for one in shown["live"]] == [(sid, "ringing", True)]
    assert TO not in str(shown)


async def test_the_clock_is_changed_without_a_jump(bench: Start):
    one = await bench()
    before = await one.admin("GET", "clock")
    after = await one.admin("PUT", "clock", {"speed": 1})
    assert after["speed"] == 1.0
    assert after["service_now"] >= before["service_now"]
    set_outright = await one.admin(
        "PUT", "clock", {"anchor_unix": 0, "epoch": "2026-11-25T01:00:00+00:00", "speed": 2}
    )
    assert (set_outright["anchor_unix"], set_outright["epoch"]) == (0, "2026-11-25T01:00:00+00:00")


class Process:
    """A carrier in a process of its own, whose people never answer."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.base = f"http://127.0.0.1:{self.port}"
        settings = folder / "carrier.toml"
        settings.write_text(
            f'account_sid = "{ACCOUNT}"\nauth_token = "{TOKEN}"\nadmin_token = "{ADMIN}"\nport = {self.port}\n'
            f'state_dir = "{folder}"\nhearing = "off"\n'
            '[[people]]\nname = "out"\nshare = 1\npickup = "no_answer"\nring_after_seconds = [0, 0]\n',
            encoding="utf-8",
        )
        self._process = subprocess.Popen([sys.executable, "-m", "carrier", "--settings", settings])

    async def __aenter__(self) -> Self:
        async with asyncio.timeout(60):
            while not await self.healthy():  # noqa: ASYNC110 - another process's state
                await asyncio.sleep(0.02)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.end, signal.SIGKILL)

    def end(self, by: signal.Signals) -> int:
        self._process.send_signal(by)
        return self._process.wait(20)

    async def healthy(self) -> bool:
        async with aiohttp.ClientSession() as session:
            try:
                async with session.get(f"{self.base}/admin/health") as answer:
                    return answer.status == 200
            except aiohttp.ClientError:
                return False

    async def rings(self) -> dict[str, object]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.base}/admin/rings", headers={"Authorization": f"Bearer {ADMIN}"}) as answer,
        ):
            counts: dict[str, object] = await answer.json()
            return counts


async def test_a_second_sip_process_is_refused_while_the_first_is_connected(bench: Start):
    """It took the line and, when it ended, left none: the first was not heard any more, and no call could be placed."""
    trunk = Trunk(name="one", address="127.0.0.1:5060", number="96110")
    one = await bench(make_line=lambda timers: SipLine(timers, trunks=[trunk]))
    line = one.carrier.line
    assert isinstance(line, SipLine)
    url, headers = f"{one.carrier.base_url}/admin/line", {"Authorization": f"Bearer {ADMIN}"}
    async with one.session.ws_connect(url, headers=headers) as first:
        link = line.link
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await one.session.ws_connect(url, headers=headers)
        assert (refused.value.status, line.link is link) == (409, True)
        line.tell({"do": "forget", "sound": "a"})
        assert await first.receive_json() == {"do": "forget", "sound": "a"}
    while line.link is not None:  # noqa: ASYNC110 - the server's side closes in a moment
        await asyncio.sleep(0.01)
    async with one.session.ws_connect(url, headers=headers):
        assert line.link is not None


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
async def test_the_process_ends_cleanly_on_a_signal(tmp_path: Path, by: signal.Signals):
    async with Process(tmp_path) as process:
        assert await asyncio.to_thread(process.end, by) == 0


async def test_a_killed_process_comes_back_with_its_calls_and_its_count(tmp_path: Path):
    async with Process(tmp_path) as process:
        client = Client(ACCOUNT, TOKEN, http_client=ToCarrier(process.base))
        made = await client.calls.create_async(to=TO, from_="+8647896110", twiml="<Response/>")
        async with asyncio.timeout(20):
            while (await process.rings())["rings"] != 1:  # noqa: ASYNC110 - another process's state
                await asyncio.sleep(0.02)
        await client.http_client.close()  # type: ignore[attr-defined]
        await asyncio.to_thread(process.end, signal.SIGKILL)
    async with Process(tmp_path) as process:
        client = Client(ACCOUNT, TOKEN, http_client=ToCarrier(process.base))
        found = await client.calls.list_async(to=TO)
        assert [(call.sid, call.status) for call in found] == [(made.sid, "failed")]
        await client.http_client.close()  # type: ignore[attr-defined]
        counts = await process.rings()
        assert (counts["rings"], counts["calls"], counts["by_status"]) == (1, 1, {"lost": 1})


class Stack:
    """The SIP process of one trunk, as far as a test needs it: it answers what it is asked for."""

    def __init__(self, view: DeskView) -> None:
        self._view = view

    async def __aenter__(self) -> Self:
        headers = {"Authorization": f"Bearer {ADMIN}"}
        self.socket = await self._view.session.ws_connect(
            f"{self._view.carrier.base_url}/admin/line", headers=headers
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.socket.close()


@pytest.fixture
async def trunked(bench: Start) -> DeskView:
    trunk = Trunk(name="one", address="127.0.0.1:5060", number="96110")
    return await bench(make_line=lambda timers: SipLine(timers, trunks=[trunk]))


async def refusal(view: DeskView, method: str, path: str, body: object = None) -> tuple[int, str]:
    url, headers = f"{view.carrier.base_url}/admin/{path}", {"Authorization": f"Bearer {ADMIN}"}
    async with view.session.request(method, url, json=body, headers=headers) as answer:
        return answer.status, (await answer.json()).get("error", "")


async def test_the_trace_is_asked_of_the_sip_process(trunked: DeskView):
    assert await trunked.admin("GET", "trunks/trace") == {"calls": []}
    async with Stack(trunked) as stack:
        for asked, wanted in (("", 1), ("?calls=50", 50)):
            answer = asyncio.create_task(trunked.admin("GET", f"trunks/trace{asked}"))
            order = await stack.socket.receive_json()
            assert (order["do"], order["calls"]) == ("trace", wanted)
            await stack.socket.send_json({"on": "trace", "ref": order["ref"], "calls": [["INVITE"]]})
            assert await answer == {"calls": [["INVITE"]]}


@pytest.mark.parametrize("calls", ["0", "51", "x", "-1"])
async def test_a_trace_of_that_many_calls_is_refused(trunked: DeskView, calls: str):
    assert await refusal(trunked, "GET", f"trunks/trace?calls={calls}") == (400, "calls: 1 to 50")


async def test_the_figures_of_a_call_are_there_once_it_is_measured(trunked: DeskView):
    assert (await refusal(trunked, "GET", "calls/CA1/quality"))[0] == 404
    async with Stack(trunked) as stack:
        sid = await trunked.call()
        order = await stack.socket.receive_json()
        assert (await refusal(trunked, "GET", f"calls/{sid}/quality"))[0] == 404
        quality = {
            "seconds": 2.0, "sent": 100, "received": 99, "lost": 1, "jitter_ms": 0.5, "mos": 4.2, "gaps": 0,
            "one_way": False,
        }  # fmt: skip
        await stack.socket.send_json({"on": "answered", "id": order["id"]})
        await stack.socket.send_json({"on": "ended", "id": order["id"], "text": "", "quality": quality})
        await trunked.app.final(sid)
        assert await trunked.admin("GET", f"calls/{sid}/quality") == quality
        shown = await trunked.admin("GET", "trunks")
        assert (shown["is_connected"], shown["qualities"]) == (True, [{"trunk": "one", **quality}])
        assert [(trunk["name"], trunk["placed"]) for trunk in shown["trunks"]] == [("one", 1)]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"number": "+85212345678", "wav": WAV}, "the trunks do not dial this number (21215)"),
        ({"number": "+8613800138000", "wav": "nothing"}, ""),
        ({"number": "+8613800138000"}, "no RIFF WAVE header"),
    ],
)
async def test_a_test_call_that_cannot_be_made_is_refused(trunked: DeskView, body: object, error: str):
    status, told = await refusal(trunked, "POST", "trunks/call", body)
    assert (status, told if error else "") == (400, error)


async def test_a_line_has_the_routes_of_its_kind(trunked: DeskView, bench: Start):
    people = await bench(Behaviour(name="human", share=1), state="people")
    async with people.session.get(
        f"{people.carrier.base_url}/admin/trunks", headers={"Authorization": f"Bearer {ADMIN}"}
    ) as answer:
        assert answer.status == 404
    async with trunked.session.post(
        f"{trunked.carrier.base_url}/admin/handsets", headers={"Authorization": f"Bearer {ADMIN}"}
    ) as answer:
        assert answer.status == 404
    for method, path in (
        ("PUT", f"people/{TO}"),
        ("DELETE", f"people/{TO}"),
        ("POST", f"people/{TO}/call_in"),
        ("GET", f"inbox/{TO}"),
    ):
        assert await refusal(trunked, method, path, {}) == (409, "this line reaches real people")


@pytest.mark.parametrize("limits", [{"calls_per_second": 0}, {"max_lines": 0}, {"calls_per_second": -1}])
async def test_a_limit_that_admits_no_call_is_refused(hands: DeskView, limits: object):
    assert (await refusal(hands, "PUT", "limits", limits))[0] == 400
    told = await hands.admin("PUT", "limits", {"calls_per_second": 0.5, "max_lines": 1})
    assert told == {"calls_per_second": 0.5, "max_lines": 1}
    exchange = hands.carrier.exchange
    assert (exchange.calls_per_second, exchange.max_lines) == (0.5, 1)
    await hands.admin("PUT", "limits", {})
    assert (exchange.calls_per_second, exchange.max_lines) == (None, None)


async def test_a_body_that_is_no_object_is_refused(hands: DeskView):
    assert await refusal(hands, "PUT", "limits", [1]) == (400, "the body must be a JSON object")
