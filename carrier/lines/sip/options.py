"""OPTIONS requests to a trunk: whether it answers, and, for the check of an installation, its codecs and its clock."""

from __future__ import annotations

import re
import secrets
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_WAIT_SECONDS = 2.0
_STATUS = re.compile(r"SIP/2\.0 [1-6][0-9]{2}\b")
_CODEC = re.compile(r"^a=rtpmap:[0-9]+ ([A-Za-z0-9-]+)/8000", re.MULTILINE)
_STATIC = {"0": "PCMU", "8": "PCMA", "9": "G722", "18": "G729"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionsAnswer:
    """The answer of a SIP server. `codecs` is empty and `clock_seconds` None where the answer does not state them."""

    status: int
    codecs: tuple[str, ...]
    clock_seconds: float | None
    """How far its clock is ahead of ours."""
    took_seconds: float


def ask_options(host: str, port: int, *, within_seconds: float = _WAIT_SECONDS) -> OptionsAnswer | None:
    """Asks over UDP, once more after half the time; None: no answer. Blocks until then. Raises `OSError` for a host
    without an address.
    """
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind) as own:
        own.connect(address)
        here, own_port = own.getsockname()[:2]
        request = _request((host, port), (here, own_port))
        began = time.monotonic()
        own.settimeout(within_seconds / 2)
        for _ in range(2):
            try:
                own.send(request)
                answer = own.recv(65_535).decode("utf-8", "replace")
            except (TimeoutError, ConnectionError):
                continue
            if _STATUS.match(answer):
                return _read(answer, time.monotonic() - began)
    return None


def _request(trunk: tuple[str, int], here: tuple[str, int]) -> bytes:
    host, port = trunk
    own_host, own_port = here
    mark = secrets.token_hex(8)
    return (
        f"OPTIONS sip:{host}:{port} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {own_host}:{own_port};branch=z9hG4bK{mark};rport\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:keepalive@{own_host}>;tag={mark}\r\nTo: <sip:{host}:{port}>\r\n"
        f"Call-ID: {mark}\r\nCSeq: 1 OPTIONS\r\nContact: <sip:keepalive@{own_host}:{own_port}>\r\n"
        "Accept: application/sdp\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def _read(answer: str, took_seconds: float) -> OptionsAnswer:
    head, _, body = answer.partition("\r\n\r\n")
    audio = re.search(r"^m=audio [0-9]+ \S+ ([0-9 ]+)", body, re.MULTILINE)
    static = [_STATIC[kind] for kind in audio[1].split() if kind in _STATIC] if audio else []
    dated = re.search(r"^Date\s*:\s*(.+?)\s*$", head, re.IGNORECASE | re.MULTILINE)
    clock = None
    if dated:
        try:
            server_time = parsedate_to_datetime(dated[1])
        except ValueError:
            server_time = None
        if server_time is not None:
            server_time = server_time if server_time.tzinfo else server_time.replace(tzinfo=UTC)
            clock = (server_time - datetime.now(UTC)).total_seconds()
    return OptionsAnswer(
        status=int(answer[8:11]),
        codecs=tuple(dict.fromkeys([*static, *(name.upper() for name in _CODEC.findall(body))])),
        clock_seconds=clock,
        took_seconds=took_seconds,
    )
