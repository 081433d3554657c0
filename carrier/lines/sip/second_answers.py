"""Answers to an INVITE that the stack leaves open (RFC 3261, 13.2.2.4): one that is repeated is acknowledged again, and
the call of a second telephone, on which the trunk has rung too, is acknowledged and ended at once.

Over UDP: over a connection an acknowledgement is not lost, and a second answer is logged.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Final

from carrier.lines.sip.trace import Traced

_log = logging.getLogger(__name__)

Later = Callable[[float, Callable[[], object]], asyncio.TimerHandle]
Send = Callable[[tuple[str, int], tuple[str, int], bytes], object]
"""Sends a datagram from our address to theirs."""
_TAG: Final = re.compile(r";\s*tag\s*=\s*([^\s;,>]+)", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"<([^<>]*)>")
_KEPT: Final = 2000
"""INVITEs whose answers are remembered; an answer is repeated for 32 seconds."""
_BYE_AFTER_SECONDS: Final = (0.0, 0.5, 1.5, 3.5, 7.5, 11.5)
"""When a BYE is sent, until it is answered."""


class SecondAnswers:
    """Reads every SIP message of the process, and answers those answers through `send`. `later` calls after seconds."""

    def __init__(self, send: Send, later: Later) -> None:
        self._send = send
        self._later = later
        self._acknowledged: OrderedDict[tuple[str, str], dict[str, str]] = OrderedDict()
        """By Call-ID and number of the INVITE: by the telephone that answered (To tag), the ACK."""
        self._ending: OrderedDict[tuple[str, str], list[asyncio.TimerHandle]] = OrderedDict()
        """By Call-ID and telephone: the BYEs that will be sent if none is answered."""

    def read(self, message: Traced) -> None:
        """Takes a message that was sent or received. Called on the loop."""
        number, _, method = message.header("CSeq").partition(" ")
        telephone = _tag(message.header("To", "t"))
        invite = (message.call_id, number)
        if method.strip() == "ACK" and not message.is_received and not message.status:
            # The trace leaves out the empty line at the end.
            self._acknowledged.setdefault(invite, {})[telephone] = f"{message.text.rstrip()}\r\n\r\n"
            while len(self._acknowledged) > _KEPT:
                self._acknowledged.popitem(last=False)
        elif message.is_received and 200 <= message.status < 300 and method.strip() == "INVITE":  # noqa: PLR2004
            known = self._acknowledged.get(invite)
            if known is not None:
                self._answer(message, known, telephone)
        elif message.is_received and message.status >= 200 and method.strip() == "BYE":  # noqa: PLR2004
            for later in self._ending.pop((message.call_id, telephone), ()):
                later.cancel()

    def _answer(self, message: Traced, known: dict[str, str], telephone: str) -> None:
        if not message.is_udp:
            if telephone not in known:
                _log.warning("a second telephone has answered a call, and its call cannot be ended")
            return
        if telephone in known:
            self._send(message.ours, message.theirs, known[telephone].encode())
            return
        _log.warning("a second telephone has answered a call: its call is ended")
        known[telephone] = _request(message, "ACK")
        self._send(message.ours, message.theirs, known[telephone].encode())
        bye = _request(message, "BYE").encode()
        self._ending[message.call_id, telephone] = [
            self._later(seconds, partial(self._send, message.ours, message.theirs, bye))
            for seconds in _BYE_AFTER_SECONDS
        ]
        while len(self._ending) > _KEPT:
            self._ending.popitem(last=False)


def _tag(address: str) -> str:
    found = _TAG.search(address)
    return found[1] if found else ""


def _request(answer: Traced, method: str) -> str:
    """A request to the telephone that gave this answer, within its call."""
    number = int(answer.header("CSeq").split()[0])
    contact = _ADDRESS.search(answer.header("Contact", "m"))
    to = answer.header("To", "t")
    target = contact[1] if contact else (_ADDRESS.search(to) or [to, to])[1]
    routes = [one for value in answer.headers("Record-Route") for one in _ADDRESS.findall(value)]
    host, port = answer.ours
    lines = [
        f"{method} {target} SIP/2.0",
        f"Via: SIP/2.0/UDP {f'[{host}]' if ':' in host else host}:{port};branch=z9hG4bK{secrets.token_hex(8)};rport",
        *(f"Route: <{route}>" for route in reversed(routes)),
        "Max-Forwards: 70",
        f"To: {to}",
        f"From: {answer.header('From', 'f')}",
        f"Call-ID: {answer.call_id}",
        f"CSeq: {number if method == 'ACK' else number + 1} {method}",
        "Content-Length: 0",
    ]
    return "\r\n".join([*lines, "", ""])
