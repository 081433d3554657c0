"""What is read from the trace of the SIP stack: keys by INFO, and whether the far side sends keys as events."""

from __future__ import annotations

import logging

import pytest

from carrier.lines.sip.trace import SipMessages, Traced, bare_key, read_traced

SOUND = "v=0\r\nm=audio 4000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"


def traced(first: str, body: str, *, kind: str, method: str, way: str = "RX") -> str:
    return (
        f"{way} UDP 10.0.0.9:5070 -> 10.0.0.1:5060\n{first}\r\nCall-ID: abc\r\nCSeq: 2 {method}\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    )


def read(text: str) -> Traced:
    made = read_traced(text)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("body", "kind", "key"),
    [
        ("5", "application/dtmf", "5"),
        ("5\r\n", "Application/DTMF;charset=utf-8", "5"),
        ("d", "application/dtmf", "D"),
        ("10", "application/dtmf", "*"),
        ("11", "application/dtmf", "#"),
        ("12", "application/dtmf", ""),
        ("", "application/dtmf", ""),
        ("Signal=5\r\nDuration=160", "application/dtmf-relay", ""),
        ("5", "text/plain", ""),
    ],
)
def test_a_key_alone_is_read_and_one_that_the_stack_reads_is_not(body: str, kind: str, key: str):
    assert bare_key(read(traced("INFO sip:a SIP/2.0", body, kind=kind, method="INFO"))) == key


def test_only_a_request_of_the_far_side_has_a_key():
    sent = traced("INFO sip:a SIP/2.0", "5", kind="application/dtmf", method="INFO", way="TX")
    answer = traced("SIP/2.0 200 OK", "5", kind="application/dtmf", method="INFO")
    assert (bare_key(read(sent)), bare_key(read(answer))) == ("", "")


def test_the_last_description_of_the_far_side_says_whether_keys_come_as_events():
    messages = SipMessages()

    def take(first: str, body: str, way: str) -> bool | None:
        text = traced(first, body, kind="application/sdp", method="INVITE", way=way)
        messages.emit(logging.LogRecord("sip", logging.DEBUG, "", 0, text, None, None))
        return messages.has_key_events("abc")

    events = "a=rtpmap:101 telephone-event/8000\r\n"
    assert take("INVITE sip:a SIP/2.0", SOUND + events, "TX") is None, "that is ours"
    assert take("SIP/2.0 183 Session Progress", SOUND + events, "RX") is True
    assert take("SIP/2.0 200 OK", SOUND, "RX") is False
    assert messages.has_key_events(None) is None
