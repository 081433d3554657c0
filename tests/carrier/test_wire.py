"""What goes over the wire: signatures, connection overrides and retries, and the client that sends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Self

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from carrier.config import ServiceClock, Timers
from carrier.outbound import BadAddress, Outbound, Overrides, Reply, parse_address, parse_overrides
from carrier.webhooks import Messenger, Signer, encode
from tests.carrier.stage import HANGUP, TO, TOKEN, App, DeskView, Start

NAMES = st.text("ABCDEFGHIJabcdefghij0123456789-", min_size=1, max_size=12)


@given(
    params=st.dictionaries(NAMES, st.text(max_size=30), max_size=12), token=st.text(min_size=1, max_size=40)
)
def test_signatures_are_those_of_the_official_validator(params: dict[str, str], token: str):
    url = "https://example.test:8443/hooks/status?attempt=7&step=2"
    for algorithm in ("HMAC_SHA1", "HMAC_SHA256"):
        ours = Signer(token, algorithm=algorithm).sign(url, params)
        assert ours == RequestValidator(token).compute_signature(url, params, algorithm)


@given(
    params=st.dictionaries(NAMES, st.text(st.characters(exclude_categories=["Cs"]), max_size=30), max_size=8)
)
def test_a_form_is_read_back_as_it_was(params: dict[str, str]):
    from urllib.parse import parse_qsl  # noqa: PLC0415 - the reader it is held to

    assert dict(parse_qsl(encode(params), keep_blank_values=True)) == params


@pytest.mark.parametrize(
    ("url", "host", "port", "tls", "target"),
    [
        ("http://a.test/x?y=1#rc=2", "a.test", 80, False, "/x?y=1"),
        ("https://a.test", "a.test", 443, True, "/"),
        ("https://a.test:8443?y=/z", "a.test", 8443, True, "/?y=/z"),
        ("http://[::1]:8080/x", "::1", 8080, False, "/x"),
    ],
)
def test_an_address_is_cut_where_it_should(url: str, host: str, port: int, tls: bool, target: str):
    cut = parse_address(url)
    assert (cut.host, cut.port, cut.tls, cut.target) == (host, port, tls, target)
    assert "#" not in cut.url


@pytest.mark.parametrize(
    "url",
    ["", "/x", "ftp://a/b", "http://", "http://a:b/", "http://u:p@a/", "http://a/ b", "http://a/\r\nX: y"],
)
def test_what_cannot_be_called_is_refused(url: str):
    with pytest.raises(BadAddress):
        parse_address(url)


@pytest.mark.parametrize(
    ("fragment", "expected"),
    [
        ("", Overrides()),
        ("rc=3&rp=ct,rt,5xx", Overrides(retries=3, retry_on=frozenset({"ct", "rt", "5xx"}))),
        ("rc=9&rp=often&ct=50&rt=1", Overrides()),
        ("ct=2000&rt=3000&tt=4000", Overrides(connect_seconds=2, read_seconds=3, total_seconds=4)),
        ("rc=x&=&rp", Overrides()),
    ],
)
def test_overrides_within_bounds_are_taken_and_others_left(fragment: str, expected: Overrides):
    assert parse_overrides(fragment) == expected


async def test_a_status_is_not_sent_again_after_500_by_default(hands: DeskView, app: App):
    app.statuses["/status"] = [500]
    hands.phones.phone(TO)
    sid = await hands.call()
    await hands.client.calls(sid).update_async(status="completed")
    await app.final(sid)
    sequences = [one.params["SequenceNumber"] for one in app.at("/status")]
    assert len(sequences) == len(set(sequences))


@pytest.mark.parametrize(("status", "policy"), [(503, "5xx"), (404, "4xx"), (500, "all"), (0, "rt")])
async def test_overrides_make_a_failed_webhook_come_again_as_the_same(
    hands: DeskView, app: App, status: int, policy: str
):
    app.statuses["/status"] = [status, status, 200]
    sid = await hands.call(
        "+8613900000000",
        status_callback=f"{app.base}/status#rc=3&rp={policy}",
        status_callback_event=["completed"],
    )
    await app.until(lambda: len(app.at("/status")) == 3)
    first, *again = app.at("/status")
    assert [one.params for one in again] == [first.params] * 2
    tokens = {one.headers["I-Twilio-Idempotency-Token"] for one in app.at("/status")}
    assert len(tokens) == 1
    assert all(one.signed for one in app.at("/status"))
    assert first.params["CallSid"] == sid


async def test_retries_stop_at_their_count(hands: DeskView, app: App):
    app.statuses["/status"] = [500] * 10
    await hands.call(
        "+8613900000000",
        status_callback=f"{app.base}/status#rc=2&rp=5xx",
        status_callback_event=["completed"],
    )
    await app.until(lambda: len(app.at("/status")) == 3)
    assert hands.carrier.exchange.notices.sent == 1


async def test_webhooks_can_be_signed_by_a_shared_key(bench: Start, app: App):
    app.documents["/start"] = HANGUP
    app.token = "shared"
    one = await bench(signing_token="shared", signing_algorithm="HMAC_SHA256", signing_key_name="key1")
    line = one.carrier.line
    from carrier.people import Behaviour  # noqa: PLC0415 - one test's person

    line.assign(TO, Behaviour(name="x"))  # type: ignore[attr-defined]
    await app.final(await one.call())
    assert all(heard.signed for heard in app.heard)
    assert app.heard[0].headers["X-Twilio-Webhooks-Signature-Settings"] == "key=key1,algorithm=HMAC_SHA256"


class Raw:
    """A server that answers with given bytes, one list a connection."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers = list(answers)
        self.connections = 0
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while self.answers:
                await reader.readuntil(b"\r\n\r\n")
                answer = self.answers.pop(0)
                if answer is None:
                    await reader.read()
                    break
                writer.write(answer)
                await writer.drain()
                if b"close" in answer:
                    break
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


@pytest.fixture
async def outbound() -> AsyncIterator[Outbound]:
    out = Outbound(asyncio.get_running_loop())
    yield out
    out.close()
    await asyncio.sleep(0)


async def ask(outbound: Outbound, port: int, total: float = 5.0) -> Reply:
    loop = asyncio.get_running_loop()
    messenger = Messenger(
        outbound=outbound, signer=Signer(TOKEN), timers=Timers(loop, ServiceClock()), total_seconds=total
    )
    done: asyncio.Future[Reply] = loop.create_future()
    messenger.send(f"http://127.0.0.1:{port}/x#rc=0", "GET", {}, done.set_result)
    return await asyncio.wait_for(done, 10)


OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 2\r\n\r\nhi"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n"
CLOSE = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"


async def test_a_connection_is_used_again(outbound: Outbound):
    async with Raw(OK, CHUNKED, OK) as server:
        replies = [await ask(outbound, server.port) for _ in range(3)]
        assert [reply.body for reply in replies] == [b"hi", b"hi!", b"hi"]
        assert replies[0].content_type == "text/xml"
        assert server.connections == 1
        outbound.close()


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_an_answer_without_a_length_is_over_with_its_connection(outbound: Outbound, version: str):
    """As simple servers answer; it counted as no answer."""
    head = f"HTTP/{version} 200 OK\r\nContent-Type: text/xml\r\nConnection: close\r\n\r\n".encode()
    async with Raw(head + b"hi", OK) as server:
        assert await ask(outbound, server.port) == Reply(200, "text/xml", b"hi")
        assert (await ask(outbound, server.port)).body == b"hi"
        assert server.connections == 2
        outbound.close()


async def test_a_closed_connection_is_replaced(outbound: Outbound):
    async with Raw(CLOSE, CLOSE) as server:
        replies = [await ask(outbound, server.port) for _ in range(2)]
        assert [reply.body for reply in replies] == [b"hi", b"hi"]
        assert server.connections == 2
        outbound.close()


async def test_many_at_once_all_get_their_own_answer(outbound: Outbound):
    async with Raw(*[OK] * 300) as server:
        replies = await asyncio.gather(*[ask(outbound, server.port) for _ in range(300)])
        assert all(reply.is_success for reply in replies)
        outbound.close()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"nonsense\r\n\r\n", "rt"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nhi", "rt"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n", "rt"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nhi\r\n", "rt"),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "5xx"),
        (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", "4xx"),
    ],
)
async def test_a_bad_answer_is_told_by_its_kind(outbound: Outbound, answer: bytes, kind: str):
    async with Raw(answer) as server:
        assert (await ask(outbound, server.port)).kind == kind
        outbound.close()


async def test_silence_ends_at_the_limit(outbound: Outbound):
    async with Raw(None) as server:
        assert (await ask(outbound, server.port, total=0.1)).kind == "rt"
        outbound.close()


async def test_nobody_there_is_no_connection(outbound: Outbound):
    async with Raw() as server:
        port = server.port
    assert (await ask(outbound, port)).kind == "ct"


async def test_however_many_find_nobody_all_are_told(outbound: Outbound):
    async with Raw() as server:
        port = server.port
    replies = await asyncio.gather(*[ask(outbound, port) for _ in range(600)])
    assert {reply.kind for reply in replies} == {"ct"}


async def test_a_fault_of_the_receiver_is_heard_and_breaks_no_other_request(outbound: Outbound):
    loop = asyncio.get_running_loop()
    faults: list[str] = []
    loop.set_exception_handler(lambda _loop, context: faults.append(str(context.get("exception"))))
    messenger = Messenger(outbound=outbound, signer=Signer(TOKEN), timers=Timers(loop, ServiceClock()))

    def broken(_reply: Reply) -> None:
        raise RuntimeError("the receiver's own")

    async with Raw(OK, OK, OK) as server:
        messenger.send(f"http://127.0.0.1:{server.port}/x#rc=0", "GET", {}, broken)
        assert (await ask(outbound, server.port)).is_success
        assert (await ask(outbound, server.port)).is_success
        outbound.close()
    assert faults == ["the receiver's own"]


@pytest.mark.parametrize(("more", "kind"), [(0, ""), (1, "rt")])
async def test_an_answer_of_more_than_eight_megabytes_is_none(outbound: Outbound, more: int, kind: str):
    size = 8 * 1024 * 1024 + more
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + bytes(size)
    async with Raw(answer) as server:
        reply = await ask(outbound, server.port)
        assert (reply.kind, len(reply.body)) == (kind, 0 if kind else size)


async def test_a_get_carries_its_parameters_in_the_address(app: App):
    loop = asyncio.get_running_loop()
    out = Outbound(loop)
    messenger = Messenger(outbound=out, signer=Signer(TOKEN), timers=Timers(loop, ServiceClock()))
    for path in ("/x", "/x?a=1"):
        done: asyncio.Future[Reply] = loop.create_future()
        messenger.send(f"{app.base}{path}", "GET", {"b": "2 3"}, done.set_result)
        assert (await done).is_success
    out.close()
    assert [heard.query for heard in app.heard] == [{"b": "2 3"}, {"a": "1", "b": "2 3"}]
    assert all(heard.signed and not heard.params for heard in app.heard)
    tokens = {heard.headers["I-Twilio-Idempotency-Token"] for heard in app.heard}
    assert len(tokens) == 2
