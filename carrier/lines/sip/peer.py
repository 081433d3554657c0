"""Simulated people behind a real SIP trunk on this machine: for the demo over SIP, and for anybody who tries out a
trunk.

It implements SIP and RTP itself, on the loopback address alone, so that it shares nothing with the stack on the other
side. The simulated line decides who answers, when, and with which keys. A simulated person takes a pause of the robot
for a question. A person who answers says something first; a mailbox plays its greeting and a beep.
"""

from __future__ import annotations

import asyncio
import audioop
import logging
import math
import re
import secrets
import signal
import struct
import time
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from carrier.config import ServiceClock, Timers
from carrier.lines import Cause, Leg, LegEvents, MachineDetection
from carrier.lines.simulated import SimulatedLine
from carrier.lines.sound import FRAME_BYTES, RATE, sine_tone
from carrier.lines.voice import VoiceDetector
from carrier.people import PeopleConfig

_log = logging.getLogger(__name__)

HOST: Final = "127.0.0.1"
_FRAME_SECONDS: Final = 0.02
_FRAME_SAMPLES: Final = FRAME_BYTES // 2
_ALAW: Final = 8
_SILENCE: Final = b"\xd5" * _FRAME_SAMPLES
_KEY_FRAMES: Final = 5
_KEY_PAUSE_FRAMES: Final = 5
_KEYS: Final = "0123456789*#ABCD"
_QUESTION_FRAMES: Final = 60
"""This much silence after the robot has spoken counts as a question: it is longer than the robot's pauses within a
sentence.
"""
_LEAST_SPOKEN_FRAMES: Final = 20
_RESEND_SECONDS: Final = 0.5
_MOST_RESENDS: Final = 10
_FINALS: Final = {
    Cause.BUSY: ("486 Busy Here", ""),
    Cause.REJECTED: ("603 Decline", ""),
    Cause.NO_ANSWER: ("480 Temporarily Unavailable", "Q.850;cause=18"),
    Cause.POWERED_OFF: ("480 Temporarily Unavailable", "Q.850;cause=20"),
    Cause.INVALID: ("404 Not Found", "Q.850;cause=1"),
    Cause.BLOCKED: ("403 Forbidden", ""),
    Cause.FAILED: ("503 Service Unavailable", ""),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One SIP message. `head` is its first line; `headers` are in their order, with names in lower case."""

    head: str
    headers: tuple[tuple[str, str], ...]
    body: str

    @property
    def method(self) -> str:
        """The method of a request; '' for a response."""
        return "" if self.head.startswith("SIP/2.0") else self.head.partition(" ")[0]

    @property
    def status(self) -> int:
        """The status of a response; 0 for a request."""
        return 0 if self.method else int(self.head.split(" ")[1])

    def first(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    def every(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]


_SHORT: Final = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length"}


def read_packet(data: bytes) -> Packet | None:
    """The SIP message in a datagram; None for anything else, such as an empty datagram that keeps a connection open."""
    head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    if "SIP/2.0" not in first:
        return None
    headers = []
    for line in lines:
        name, _, value = line.partition(":")
        name = name.strip().lower()
        headers.append((_SHORT.get(name, name), value.strip()))
    return Packet(head=first, headers=tuple(headers), body=body)


def _user_of(address: str) -> str:
    found = re.search(r"sips?:([^@;>]*)@", address)
    return found[1] if found else ""


def called_number(user: str) -> str:
    """The dialled number in E.164; an extension is returned as it is."""
    if re.fullmatch(r"1[0-9]{10}", user):
        return f"+86{user}"
    return f"+86{user[1:]}" if user.startswith("0") else user


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """The address at which the other side receives sound, and its RTP payload type for keys."""

    address: tuple[str, int]
    key_type: int


def read_media(body: str) -> Media | None:
    """The media in a session description (SDP); None where it has no address or no audio port."""
    host = re.search(r"^c=IN IP4 ([0-9.]+)", body, re.MULTILINE)
    port = re.search(r"^m=audio ([0-9]+) ", body, re.MULTILINE)
    keys = re.search(r"^a=rtpmap:([0-9]+) telephone-event", body, re.MULTILINE)
    if host is None or port is None:
        return None
    return Media(address=(host[1], int(port[1])), key_type=int(keys[1]) if keys else 101)


def voice(seconds: float, *, level: int = 6000) -> bytes:
    """A sound like a voice, as samples: a hum of many harmonics in syllables, with a pause after each."""
    count, made = round(seconds * RATE), []
    turn = 0.0
    for n in range(count):
        turn += 2 * math.pi * (150 + 12 * math.sin(2 * math.pi * 1.3 * n / RATE)) / RATE
        syllable = max(0.08, math.sin(math.pi * (n / RATE % _SYLLABLE_SECONDS) / _SYLLABLE_SECONDS))
        hum = sum(weight * math.sin(k * turn) for k, weight in _HARMONICS)
        made.append(round(level * syllable * hum))
    return struct.pack(f"<{count}h", *made)


_SYLLABLE_SECONDS: Final = 0.24
_HARMONICS: Final = ((1, 0.30), (2, 0.25), (4, 0.35), (5, 0.45), (7, 0.20), (8, 0.30), (11, 0.10), (15, 0.08))
_GREETING_SECONDS, _LONG_GREETING_SECONDS, _BEEP_SECONDS, _BEEP_HERTZ = 0.5, 5.0, 0.4, 1000.0


def greetings() -> tuple[bytes, bytes]:
    """What a person and a mailbox say first; a mailbox ends with its beep."""
    pause = bytes(FRAME_BYTES * 10)
    return (
        voice(_GREETING_SECONDS),
        voice(_LONG_GREETING_SECONDS) + pause + sine_tone(_BEEP_HERTZ, _BEEP_SECONDS),
    )


class _Sound(asyncio.DatagramProtocol):
    """RTP of one call: sends a frame every 20 ms, and reports when the robot speaks and when it pauses."""

    def __init__(self, paused: Callable[[], None], speaks: Callable[[], None]) -> None:
        self._paused = paused
        self._speaks = speaks
        self._transport: asyncio.DatagramTransport | None = None
        self._to: Media | None = None
        self._says: deque[bytes] = deque()
        self._keys: deque[tuple[int, int]] = deque()
        self._sequence = secrets.randbelow(30_000)
        self._time = secrets.randbelow(2**31)
        self._source = secrets.randbelow(2**32)
        self._key_began = 0
        self._voices = VoiceDetector()
        self._spoken = 0
        self._silent = 0
        self.port = 0

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - asyncio's signature
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def start(self, media: Media) -> None:
        self._to = media

    def close(self) -> None:
        self._to = None
        if self._transport is not None:
            self._transport.close()

    def say(self, samples: bytes) -> None:
        """Queues the samples behind those that are being sent."""
        coded = audioop.lin2alaw(samples, 2)
        self._says.extend(coded[at : at + _FRAME_SAMPLES] for at in range(0, len(coded), _FRAME_SAMPLES))

    def press(self, key: str) -> None:
        """Queues a key, as events of RFC 4733, behind those that are being sent."""
        event = _KEYS.index(key)
        self._keys.extend((event, n) for n in range(1, _KEY_FRAMES + 3))
        self._keys.extend((-1, 0) for _ in range(_KEY_PAUSE_FRAMES))

    def tick(self) -> None:
        """Sends the next frame. Called every 20 ms."""
        if self._to is None or self._transport is None:
            return
        self._time = (self._time + _FRAME_SAMPLES) % 2**32
        event, n = self._keys.popleft() if self._keys else (-1, 0)
        if event >= 0:
            if n == 1:
                self._key_began = self._time
            is_over = n > _KEY_FRAMES
            length = min(n, _KEY_FRAMES) * _FRAME_SAMPLES
            body = struct.pack(">BBH", event, 0x80 | 10 if is_over else 10, length)
            self._send(self._to.key_type | (0x80 if n == 1 else 0), self._key_began, body)
            return
        frame = self._says.popleft() if self._says else _SILENCE
        self._send(_ALAW, self._time, frame.ljust(_FRAME_SAMPLES, b"\xd5"))

    def _send(self, kind: int, at: int, body: bytes) -> None:
        assert self._to is not None
        assert self._transport is not None
        self._sequence = (self._sequence + 1) % 65_536
        head = struct.pack(">BBHII", 0x80, kind, self._sequence, at, self._source)
        self._transport.sendto(head + body, self._to.address)

    def datagram_received(self, data: bytes, addr: Any) -> None:  # noqa: ANN401, ARG002 - asyncio's signature
        if len(data) < 12 or data[1] & 0x7F != _ALAW:  # noqa: PLR2004 - the RTP header
            return
        for _, voice in self._voices.hear(audioop.alaw2lin(data[12:], 2)):
            self._heard(voice=voice)

    def _heard(self, *, voice: bool) -> None:
        if voice:
            self._spoken += 1
            self._silent = 0
            if self._spoken == _LEAST_SPOKEN_FRAMES:
                self._speaks()
            return
        self._silent += 1
        if self._silent == _QUESTION_FRAMES and self._spoken >= _LEAST_SPOKEN_FRAMES:
            self._spoken = 0
            self._paused()


@dataclass(slots=True, kw_only=True)
class _Dialog:
    """The parties and numbers of one SIP call, as requests of our side state them."""

    call_id: str
    ours: str
    theirs: str
    target: str
    cseq: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerConfig:
    """`port`: of SIP, on the loopback address; `service_port`: where the service takes inbound calls. `greeting` and
    `long_greeting`: what a person and a mailbox say first, as samples.
    """

    port: int
    service_port: int
    people: PeopleConfig
    seed: str
    desk_numbers: tuple[str, ...] = ()
    greeting: bytes = b""
    long_greeting: bytes = b""


class SipPeer(asyncio.DatagramProtocol):
    """The far end of a trunk: every number is a simulated person's."""

    def __init__(self, config: PeerConfig) -> None:
        self._config = config
        loop = asyncio.get_running_loop()
        self.line = SimulatedLine(
            Timers(loop, ServiceClock()),
            people=config.people,
            seed=config.seed,
            desk_numbers=config.desk_numbers,
        )
        self.line.receive = self._call_in
        self.calls: dict[str, PeerCall] = {}
        self.count: Counter[str] = Counter()
        """Calls so far, by number."""
        self._transport: asyncio.DatagramTransport | None = None
        self._ticker: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def contact(self) -> str:
        return f"<sip:peer@{HOST}:{self._config.port}>"

    @property
    def config(self) -> PeerConfig:
        return self._config

    async def start(self) -> None:
        """Listens from now on. Raises `OSError` where the port is taken."""
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, local_addr=(HOST, self._config.port))
        self._ticker = loop.create_task(self._tick())

    async def stop(self) -> None:
        """Ends every call."""
        for call in list(self.calls.values()):
            call.hang_up()
        if self._ticker is not None:
            self._ticker.cancel()
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - asyncio's signature
        self._transport = transport

    async def _tick(self) -> None:
        due = time.monotonic()
        while True:
            due = max(due + _FRAME_SECONDS, time.monotonic() - 0.2)
            await asyncio.sleep(due - time.monotonic())
            for call in list(self.calls.values()):
                call.sound.tick()

    def send(self, text: str, to: tuple[str, int]) -> None:
        if self._transport is not None:
            self._transport.sendto(text.encode(), to)

    def soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def datagram_received(self, data: bytes, addr: Any) -> None:  # noqa: ANN401 - asyncio's signature
        packet = read_packet(data)
        if packet is None:
            return
        call = self.calls.get(packet.first("call-id"))
        match packet.method:
            case "" if call is not None:
                call.answered_by_service(packet)
            case "INVITE" if call is None:
                self.soon(self._invited(packet, addr[:2]))
            case "OPTIONS" | "REGISTER":
                self.send(answer_to(packet, "200 OK", contact=self.contact), addr[:2])
            case "ACK" if call is not None:
                call.acknowledged()
            case "INVITE" | "CANCEL" | "BYE" | "INFO" | "UPDATE" if call is not None:
                call.asked(packet, addr[:2])
            case "" | "ACK":
                pass
            case _:
                self.send(answer_to(packet, "481 Call Does Not Exist"), addr[:2])

    async def _invited(self, packet: Packet, addr: tuple[str, int]) -> None:
        number = called_number(_user_of(packet.head))
        call_id = packet.first("call-id")
        call = self.calls[call_id] = PeerCall(self, call_id)
        self.send(answer_to(packet, "100 Trying"), addr)
        media = read_media(packet.body)
        if media is None:
            call.take(packet, addr, None)
            call.ended(Cause.FAILED)
            return
        await call.open_sound()
        if call.is_over:
            return
        call.take(packet, addr, media)
        self.count[number] += 1
        call.leg = self.line.dial(number, nth=self.count[number], events=call)

    def _call_in(self, caller: str, connect: Callable[[LegEvents], Leg]) -> None:
        self.soon(self._invite(caller, connect))

    async def _invite(self, caller: str, connect: Callable[[LegEvents], Leg]) -> None:
        call_id = secrets.token_hex(12)
        call = self.calls[call_id] = PeerCall(self, call_id)
        await call.open_sound()
        call.invite(caller, connect, (HOST, self._config.service_port))


def answer_to(packet: Packet, status: str, *, contact: str = "", tag: str = "", body: str = "") -> str:
    """The text of a SIP response to the request."""
    to = packet.first("to")
    if tag and ";tag=" not in to:
        to += f";tag={tag}"
    lines = [f"SIP/2.0 {status}", *(f"Via: {via}" for via in packet.every("via"))]
    lines += [f"From: {packet.first('from')}", f"To: {to}", f"Call-ID: {packet.first('call-id')}"]
    lines += [f"CSeq: {packet.first('cseq')}", *([f"Contact: {contact}"] if contact else [])]
    if body:
        lines.append("Content-Type: application/sdp")
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body])


class PeerCall(LegEvents):
    """One call over SIP, and the person in it."""

    def __init__(self, peer: SipPeer, call_id: str) -> None:
        self.leg: Leg | None = None
        self.sound = _Sound(self._question, self._robot_speaks)
        self.is_over = False
        self._peer = peer
        self._call_id = call_id
        self._tag = secrets.token_hex(6)
        self._invite: Packet | None = None
        self._addr = (HOST, 0)
        self._media: Media | None = None
        self._dialog: _Dialog | None = None
        self._is_up = False
        self._questions = 0
        self._resend: asyncio.TimerHandle | None = None
        self._connect: Callable[[LegEvents], Leg] | None = None
        self._last = ""
        self._is_ours = False

    async def open_sound(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self.sound, local_addr=(HOST, 0))

    def take(self, packet: Packet, addr: tuple[str, int], media: Media | None) -> None:
        """Takes the INVITE of a call from the service to a number."""
        self._invite, self._addr, self._media = packet, addr, media
        contact = re.search(r"<([^<>]*)>", packet.first("contact"))
        self._dialog = _Dialog(
            call_id=self._call_id,
            ours=f"{packet.first('to')};tag={self._tag}",
            theirs=packet.first("from"),
            target=contact[1] if contact else f"sip:{addr[0]}:{addr[1]}",
        )

    # What the person does, as the simulated line reports it.

    def ringing(self) -> None:
        self._answer("180 Ringing")

    def answered(self, verdict: MachineDetection | None) -> None:
        if self._is_ours:
            return
        self._answer("200 OK", body=self._description())
        self._is_up = True
        assert self._media is not None
        self.sound.start(self._media)
        config = self._peer.config
        is_machine = verdict is not None and verdict.answered_by.value.startswith("machine")
        self.sound.say(bytes(FRAME_BYTES * 15))
        if is_machine:
            self.sound.say(config.long_greeting)
        else:
            self.sound.say(config.greeting)

    def pressed(self, key: str) -> None:
        self.sound.press(key)

    def ended(self, cause: Cause) -> None:
        if self.is_over:
            return
        if self._is_up:
            self._bye()
        elif self._invite is not None:
            status, reason = _FINALS.get(cause, ("503 Service Unavailable", ""))
            self._answer(status, reason=reason)
        self._close()

    def hang_up(self) -> None:
        """Ends the call, because the process ends."""
        if self.leg is not None:
            self.leg.hang_up()
        self.ended(Cause.FAILED)

    # What the person hears of the robot.

    def _robot_speaks(self) -> None:
        if self.leg is not None:
            self.leg.stop_listening()

    def _question(self) -> None:
        if self.leg is not None and not self.is_over:
            self._questions += 1
            self.leg.listen(self._questions)

    # SIP

    def _description(self) -> str:
        media = self._media
        keys = media.key_type if media is not None else 101
        return (
            f"v=0\r\no=peer 1 1 IN IP4 {HOST}\r\ns=-\r\nc=IN IP4 {HOST}\r\nt=0 0\r\n"
            f"m=audio {self.sound.port} RTP/AVP 8 {keys}\r\na=rtpmap:8 PCMA/8000\r\n"
            f"a=rtpmap:{keys} telephone-event/8000\r\na=fmtp:{keys} 0-15\r\na=sendrecv\r\n"
        )

    def _answer(self, status: str, *, body: str = "", reason: str = "") -> None:
        assert self._invite is not None
        text = answer_to(self._invite, status, contact=self._peer.contact, tag=self._tag, body=body)
        if reason:
            text = text.replace("\r\nContent-Length", f"\r\nReason: {reason}\r\nContent-Length", 1)
        self._last = text
        if status.startswith("1"):
            self._peer.send(text, self._addr)
        else:
            self._send_until_answered(text)

    def _send_until_answered(self, text: str) -> None:
        """Sends the message every half second until the other side answers, ten times at most."""
        self._stop_sending()
        left = _MOST_RESENDS

        def again() -> None:
            nonlocal left
            left -= 1
            self._peer.send(text, self._addr)
            self._resend = asyncio.get_running_loop().call_later(_RESEND_SECONDS, again) if left > 0 else None

        again()

    def _stop_sending(self) -> None:
        if self._resend is not None:
            self._resend.cancel()
            self._resend = None

    def acknowledged(self) -> None:
        self._stop_sending()
        if self.is_over:
            self._forget()

    def asked(self, packet: Packet, addr: tuple[str, int]) -> None:
        """A request within the call."""
        match packet.method:
            case "INVITE" if not self._is_up:
                if self._last:
                    self._peer.send(self._last, addr)
            case "INVITE" | "UPDATE":
                media = read_media(packet.body)
                if media is not None:
                    self._media = media
                    self.sound.start(media)
                text = answer_to(
                    packet, "200 OK", contact=self._peer.contact, tag=self._tag, body=self._description()
                )
                self._peer.send(text, addr)
            case "CANCEL":
                self._peer.send(answer_to(packet, "200 OK", tag=self._tag), addr)
                if not self._is_up and not self.is_over and self._invite is not None:
                    self._leave()
                    self._answer("487 Request Terminated")
                    self._close()
            case "BYE":
                self._peer.send(answer_to(packet, "200 OK", tag=self._tag), addr)
                self._leave()
                self._close()
                self._forget()
            case _:
                self._peer.send(answer_to(packet, "200 OK", tag=self._tag), addr)

    def _leave(self) -> None:
        """The other side has ended the call: hangs up the person's leg."""
        if self.leg is not None:
            self.leg.hang_up()

    def _request(self, method: str, *, more: str = "", body: str = "", number: int | None = None) -> str:
        dialog = self._dialog
        assert dialog is not None
        if number is None:
            dialog.cseq += 1
        typed = "Content-Type: application/sdp\r\n" if body else ""
        return (
            f"{method} {dialog.target} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {HOST}:{self._peer.config.port};branch=z9hG4bK{secrets.token_hex(8)}\r\n"
            f"From: {dialog.ours}\r\nTo: {dialog.theirs}\r\nCall-ID: {dialog.call_id}\r\n"
            f"CSeq: {dialog.cseq if number is None else number} {method}\r\nContact: {self._peer.contact}\r\n"
            f"Max-Forwards: 70\r\n{more}{typed}Content-Length: {len(body)}\r\n\r\n{body}"
        )

    def _bye(self) -> None:
        self._send_until_answered(self._request("BYE"))

    def _close(self) -> None:
        """Ends the sound. The message that was sent last is repeated until it is answered."""
        self.is_over = True
        self.sound.close()
        # A call whose last message is never answered is forgotten.
        asyncio.get_running_loop().call_later(_RESEND_SECONDS * _MOST_RESENDS, self._forget)

    def _forget(self) -> None:
        self._stop_sending()
        self._peer.calls.pop(self._call_id, None)

    # A call of the person to us.

    def invite(self, caller: str, connect: Callable[[LegEvents], Leg], to: tuple[str, int]) -> None:
        """Calls the service; '' hides the number."""
        self._is_ours, self._connect, self._addr = True, connect, to
        user = caller.removeprefix("+86") if caller else "anonymous"
        host = HOST if caller else "anonymous.invalid"
        self._dialog = _Dialog(
            call_id=self._call_id,
            ours=f"<sip:{user}@{host}>;tag={self._tag}",
            theirs=f"<sip:96110@{to[0]}:{to[1]}>",
            target=f"sip:96110@{to[0]}:{to[1]}",
        )
        more = "" if caller else "Privacy: id\r\n"
        self._send_until_answered(self._request("INVITE", more=more, body=self._description(), number=1))

    def answered_by_service(self, packet: Packet) -> None:
        """Handles a response to a request of our side."""
        method = packet.first("cseq").partition(" ")[2].strip()
        if method != "INVITE":
            self._stop_sending()
            if self.is_over:
                self._forget()
            return
        self._stop_sending()
        if packet.status < 200:  # noqa: PLR2004 - the first final one
            return
        dialog = self._dialog
        assert dialog is not None
        dialog.theirs = packet.first("to")
        contact = re.search(r"<([^<>]*)>", packet.first("contact"))
        is_up = packet.status < 300  # noqa: PLR2004 - a success
        if is_up and contact:
            dialog.target = contact[1]
        self._peer.send(self._request("ACK", number=1), self._addr)
        media = read_media(packet.body)
        if not is_up or media is None:
            self._close()
            self._forget()
        elif not self._is_up and self._connect is not None:
            self._is_up, self._media = True, media
            self.sound.start(media)
            self.leg = self._connect(self)


async def serve(config: PeerConfig, *, stopped: asyncio.Event) -> None:
    """Serves until `stopped`. Raises `OSError` where the port is taken."""
    peer = SipPeer(config)
    await peer.start()
    _log.info("simulated people behind SIP port %d", config.port)
    await stopped.wait()
    await peer.stop()


def run(config: PeerConfig) -> None:
    """Serves until SIGTERM or SIGINT."""

    async def until_signalled() -> None:
        stopped = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, stopped.set)
        await serve(config, stopped=stopped)

    asyncio.run(until_signalled())
