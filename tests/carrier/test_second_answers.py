"""Answers to an INVITE that the SIP stack leaves open: one that is repeated, and one of a second telephone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from carrier.lines.sip.second_answers import SecondAnswers
from carrier.lines.sip.trace import Traced, read_traced

OURS, TRUNK = "10.0.0.1:5060", "10.0.0.9:5070"


@dataclass
class Handle:
    is_cancelled: bool = False

    def cancel(self) -> None:
        self.is_cancelled = True


@dataclass
class Wire:
    """What was sent and will be sent later."""

    sent: list[str] = field(default_factory=list)
    later: list[tuple[float, Callable[[], object], Handle]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.answers = SecondAnswers(self._send, self._call_later)  # type: ignore[arg-type]

    def _send(self, ours: tuple[str, int], theirs: tuple[str, int], data: bytes) -> None:
        assert (ours, theirs) == (("10.0.0.1", 5060), ("10.0.0.9", 5070))
        self.sent.append(data.decode())

    def _call_later(self, seconds: float, call: Callable[[], object]) -> Handle:
        self.later.append((seconds, call, Handle()))
        return self.later[-1][2]

    def run_later(self) -> None:
        for _, call, handle in self.later:
            if not handle.is_cancelled:
                call()


def traced(
    first: str, *, telephone: str, number: str, received: bool, more: str = "", by: str = "UDP"
) -> Traced:
    way = f"RX {by} {TRUNK} -> {OURS}" if received else f"TX {by} {OURS} -> {TRUNK}"
    tag = f";tag={telephone}" if telephone else ""
    made = read_traced(
        f"{way}\n{first}\r\nFrom: <sip:047896110@trunk>;tag=us\r\nTo: <sip:13800138000@trunk>{tag}\r\n"
        f"Call-ID: abc\r\nCSeq: {number}\r\n{more}Content-Length: 0"
    )
    assert made is not None
    return made


ACK = traced("ACK sip:a@10.0.0.9 SIP/2.0", telephone="a", number="7 ACK", received=False)


def test_an_answer_that_is_repeated_gets_the_same_acknowledgement_again():
    wire = Wire()
    answer = traced("SIP/2.0 200 OK", telephone="a", number="7 INVITE", received=True)
    wire.answers.read(answer)
    assert wire.sent == [], "the stack answers the first"
    wire.answers.read(ACK)
    wire.answers.read(answer)
    wire.answers.read(answer)
    assert wire.sent == [ACK.text + "\r\n\r\n"] * 2
    assert wire.later == []


def test_the_call_of_a_second_telephone_is_acknowledged_and_ended_along_its_route():
    wire = Wire()
    wire.answers.read(ACK)
    answer = traced(
        "SIP/2.0 200 OK",
        telephone="b",
        number="7 INVITE",
        received=True,
        more='Contact: "B" <sip:b@10.0.0.8:5080>;q=1\r\nRecord-Route: <sip:p1;lr>,\r\n <sip:p2;lr>\r\n'
        "Record-Route: <sip:p3;lr>\r\n",
    )
    wire.answers.read(answer)
    wire.answers.read(answer)
    ack, again = wire.sent
    assert ack == again
    assert ack.startswith("ACK sip:b@10.0.0.8:5080 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK")
    assert "\r\nRoute: <sip:p3;lr>\r\nRoute: <sip:p2;lr>\r\nRoute: <sip:p1;lr>\r\n" in ack
    assert "\r\nTo: <sip:13800138000@trunk>;tag=b\r\nFrom: <sip:047896110@trunk>;tag=us\r\n" in ack
    assert "\r\nCSeq: 7 ACK\r\n" in ack
    assert ack.endswith("Content-Length: 0\r\n\r\n")
    wire.run_later()
    byes = wire.sent[2:]
    assert len(byes) > 3, "until it is answered"
    assert len(set(byes)) == 1
    assert byes[0].startswith("BYE sip:b@10.0.0.8:5080 SIP/2.0\r\n")
    assert "\r\nCSeq: 8 BYE\r\n" in byes[0]


def test_a_bye_that_is_answered_is_not_repeated():
    wire = Wire()
    wire.answers.read(ACK)
    wire.answers.read(traced("SIP/2.0 200 OK", telephone="b", number="7 INVITE", received=True))
    other = traced("SIP/2.0 200 OK", telephone="a", number="8 BYE", received=True)
    wire.answers.read(other)
    assert not any(handle.is_cancelled for _, _, handle in wire.later)
    wire.answers.read(traced("SIP/2.0 200 OK", telephone="b", number="8 BYE", received=True))
    wire.run_later()
    assert [text.split()[0] for text in wire.sent] == ["ACK"]


def test_an_answer_after_the_network_refused_is_ended_too():
    wire = Wire()
    wire.answers.read(traced("ACK sip:x SIP/2.0", telephone="proxy", number="7 ACK", received=False))
    wire.answers.read(traced("SIP/2.0 200 OK", telephone="b", number="7 INVITE", received=True))
    wire.run_later()
    assert {text.split()[0] for text in wire.sent} == {"ACK", "BYE"}


def test_the_answer_after_a_challenge_is_the_stacks():
    wire = Wire()
    wire.answers.read(traced("ACK sip:x SIP/2.0", telephone="proxy", number="6 ACK", received=False))
    wire.answers.read(traced("SIP/2.0 200 OK", telephone="a", number="7 INVITE", received=True))
    wire.run_later()
    assert wire.sent == []


def test_over_a_connection_nothing_is_sent():
    wire = Wire()
    wire.answers.read(ACK)
    wire.answers.read(traced("SIP/2.0 200 OK", telephone="b", number="7 INVITE", received=True, by="TCP"))
    wire.run_later()
    assert wire.sent == []
