"""Signed requests and their retries, without a network and without waiting."""

from __future__ import annotations

import pytest
from twilio.request_validator import RequestValidator

from carrier.outbound import Outbound, Reply
from carrier.webhooks import Messenger, Signer
from tests.carrier.fake_time import FakeOutbound, FakeTimers
from tests.carrier.stage import TOKEN

OK = Reply(200, "", b"")
KINDS = {
    "": OK,
    "ct": Reply(0, "", b"", "ct"),
    "rt": Reply(0, "", b"", "rt"),
    "4xx": Reply(404, "", b""),
    "5xx": Reply(503, "", b""),
}


class Post:
    """A messenger over a wire that answers as it is told."""

    def __init__(self, *kinds: str, total_seconds: float = 15.0) -> None:
        self.timers = FakeTimers()
        self.wire = FakeOutbound(self.timers)
        self.wire.answers = [KINDS[kind] for kind in kinds]
        wire: Outbound = self.wire  # type: ignore[assignment]
        self.messenger = Messenger(
            outbound=wire, signer=Signer(TOKEN), timers=self.timers, total_seconds=total_seconds
        )
        self.replies: list[Reply] = []

    def send(self, url: str, method: str = "POST", **params: str) -> None:
        self.messenger.send(url, method, params, self.replies.append)
        self.timers.run(100)


@pytest.mark.parametrize(
    ("fragment", "answers", "tries", "last"),
    [
        ("", [""], 1, ""),
        ("", ["ct", ""], 2, ""),
        ("", ["ct", "ct"], 2, "ct"),
        ("", ["rt"], 1, "rt"),
        ("", ["5xx"], 1, "5xx"),
        ("", ["4xx"], 1, "4xx"),
        ("#rc=0", ["ct"], 1, "ct"),
        ("#rc=3", ["ct", "ct", "ct", "ct"], 4, "ct"),
        ("#rc=3&rp=ct,rt,5xx", ["ct", "rt", "5xx", ""], 4, ""),
        ("#rc=3&rp=ct,rt,5xx", ["4xx"], 1, "4xx"),
        ("#rc=2&rp=all", ["4xx", "5xx", "rt"], 3, "rt"),
        ("#rc=5&rp=rt", ["ct"], 1, "ct"),
        ("#rc=5&rp=5xx", ["5xx", ""], 2, ""),
    ],
)
def test_a_request_is_tried_as_often_as_its_url_says(
    fragment: str, answers: list[str], tries: int, last: str
):
    post = Post(*answers)
    post.send(f"http://a.test/hook?x=1{fragment}", A="1")
    assert len(post.wire.sent) == tries
    assert [reply.kind for reply in post.replies] == [last]


@pytest.mark.parametrize("set_by", [-7200.0, 7200.0])
def test_a_clock_that_is_set_changes_no_time_limit(set_by: float):
    post = Post("5xx", "")
    post.messenger.send("http://a.test/hook#rc=1&rp=5xx&tt=15000", "POST", {}, post.replies.append)
    post.timers.set_by = set_by
    post.timers.run(100)
    first, second = post.wire.sent
    assert (first.limits[1], second.limits[1]) == (15.0, pytest.approx(15.0 - second.at))


def test_a_retry_is_the_same_request_with_the_same_token():
    post = Post("5xx", "")
    post.send("http://a.test/hook#rc=1&rp=5xx", A="1", B="二")
    first, second = post.wire.sent
    assert (first.headers, first.params, first.target) == (second.headers, second.params, second.target)
    assert first.headers["I-Twilio-Idempotency-Token"]


def test_two_requests_never_share_a_token():
    post = Post()
    for _ in range(50):
        post.send("http://a.test/hook")
    tokens = {one.headers["I-Twilio-Idempotency-Token"] for one in post.wire.sent}
    assert len(tokens) == 50
    assert tokens.isdisjoint(one.headers["I-Twilio-Idempotency-Token"] for one in again().wire.sent)


def again() -> Post:
    post = Post()
    post.send("http://a.test/hook")
    return post


def test_retries_stop_when_their_whole_time_is_over():
    post = Post(*["ct"] * 6)
    post.send("http://a.test/hook#rc=5&tt=250")
    assert len(post.wire.sent) == 4
    assert [round(one.at, 1) for one in post.wire.sent] == [0.0, 0.1, 0.2, 0.3]


@pytest.mark.parametrize(
    ("fragment", "limits"),
    [
        ("", (5.0, 15.0)),
        ("#ct=1000", (1.0, 15.0)),
        ("#rt=2000", (2.0, 2.0)),
        ("#tt=3000&rc=0", (3.0, 3.0)),
        ("#ct=2000&rt=4000&tt=9000", (2.0, 4.0)),
    ],
)
def test_times_to_connect_and_to_answer_are_those_of_the_url(fragment: str, limits: tuple[float, float]):
    post = Post()
    post.send(f"http://a.test/hook{fragment}")
    assert post.wire.sent[0].limits == pytest.approx(limits)


def test_a_get_carries_its_parameters_in_the_address_and_signs_them_there():
    post = Post()
    post.send("https://a.test/x?a=1#rc=2", "GET", To="+861", Say="你 好")
    sent = post.wire.sent[0]
    assert sent.target == "/x?a=1&To=%2B861&Say=%E4%BD%A0+%E5%A5%BD"
    assert sent.params == {}
    assert "Content-Length" not in sent.headers
    signature = RequestValidator(TOKEN).compute_signature(f"https://a.test{sent.target}", {})
    assert sent.headers["X-Twilio-Signature"] == signature


def test_a_get_without_a_query_begins_one():
    post = Post()
    post.send("https://a.test/x", "GET", A="1")
    assert post.wire.sent[0].target == "/x?A=1"


def test_the_host_is_the_urls_with_its_port():
    post = Post()
    post.send("http://a.test:8080/x", A="1")
    assert post.wire.sent[0].headers["Host"] == "a.test:8080"


def test_the_fragment_is_neither_sent_nor_signed():
    post = Post()
    post.send("https://a.test/x#rc=2&rp=5xx", A="1")
    sent = post.wire.sent[0]
    assert "rc=" not in sent.target
    assert RequestValidator(TOKEN).validate(
        "https://a.test/x", {"A": "1"}, sent.headers["X-Twilio-Signature"]
    )


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://a/x", "http://a.test/\r\nEvil: 1", "http://[a/"])
def test_a_url_that_cannot_be_called_fails_as_unreachable_and_sends_nothing(url: str):
    post = Post()
    post.send(url, A="1")
    assert post.wire.sent == []
    assert [reply.kind for reply in post.replies] == ["ct"]


def test_values_cannot_break_out_of_the_form():
    post = Post()
    post.send("http://a.test/x", A="1&B=2\r\nEvil: 1", C="=&?#")
    assert post.wire.sent[0].params == {"A": "1&B=2\r\nEvil: 1", "C": "=&?#"}
    assert "Evil" not in post.wire.sent[0].headers


def test_the_carriers_own_limit_holds_over_the_urls():
    post = Post(total_seconds=2.0)
    post.send("http://a.test/x")
    assert post.wire.sent[0].limits == (2.0, 2.0)


@pytest.mark.parametrize(
    ("reply", "kind", "is_success"),
    [
        (Reply(200, "", b""), "", True),
        (Reply(204, "", b""), "", True),
        (Reply(302, "", b""), "", False),
        (Reply(400, "", b""), "4xx", False),
        (Reply(500, "", b""), "5xx", False),
        (Reply(0, "", b"", "ct"), "ct", False),
    ],
)
def test_a_reply_knows_what_it_is(reply: Reply, kind: str, is_success: bool):
    assert (reply.kind, reply.is_success) == (kind, is_success)
