"""Trunks: their settings, what they dial, and what the end of a SIP call means.

SIP status, Q.850 cause and where the call failed give the cause of a leg; `docs/trunk.md` has the same tables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote

from carrier.lines import Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class SipEnd:
    """How the stack ended a call that was not answered. `status` 0: no final response came; `q850` 0: no Reason.

    `problem`: the stack's text for a fault of the transport. `is_unsent`: it is known that no INVITE was sent.
    """

    status: int = 0
    q850: int = 0
    problem: str = ""
    is_unsent: bool = False

    @property
    def may_have_arrived(self) -> bool:
        """Whether the INVITE may have arrived, although no final response came: responses are lost too, and without one
        it is not known whether a telephone rings.
        """
        return not self.status and not self.is_unsent

    @property
    def label(self) -> str:
        """The name of the end for counts and logs: `486`, `480/20`, `timeout`, `transport`."""
        if self.status:
            return f"{self.status}/{self.q850}" if self.q850 else str(self.status)
        return "timeout" if "timed out" in self.problem.lower() else "transport"


_NO_ADDRESS: Final = "destination address required"
_NO_CONNECTION: Final = ("connection refused", "no route to host", "network is unreachable", "protocol error")
"""The stack's texts for a connection that was not made; the last one where the certificate is not valid. A connection
that is lost later has `Connection reset by peer`. Over UDP these texts prove nothing: the fault can be that of a
repeated INVITE.
"""
_STATUS = re.compile(r"([1-6][0-9]{2})(?= |$)")
_Q850 = re.compile(r"Q\.850\s*;\s*cause\s*=\s*([0-9]{1,3})", re.IGNORECASE)


def read_end(text: str, *, transport: str = "udp", is_unsent: bool = False) -> SipEnd:
    """Reads the stack's text for a closed call, such as `480 Temporarily Unavailable,Q.850;cause=20;text="..."`.
    `is_unsent`: the stack did not take the call.
    """
    status = _STATUS.match(text)
    q850 = _Q850.search(text)
    known = (_NO_ADDRESS,) if transport == "udp" else (_NO_ADDRESS, *_NO_CONNECTION)
    return SipEnd(
        status=int(status[1]) if status else 0,
        q850=int(q850[1]) if q850 else 0,
        problem="" if status else text,
        is_unsent=is_unsent or (status is None and text.lower().startswith(known)),
    )


BY_STATUS: Final[Mapping[int, Cause]] = {
    404: Cause.INVALID,
    410: Cause.INVALID,
    484: Cause.INVALID,
    485: Cause.INVALID,
    604: Cause.INVALID,
    408: Cause.NO_ANSWER,
    480: Cause.NO_ANSWER,
    487: Cause.NO_ANSWER,
    486: Cause.BUSY,
    600: Cause.BUSY,
    603: Cause.REJECTED,
    607: Cause.REJECTED,
}
"""The causes on the person's side, by SIP status. Any other status is a fault of ours: congestion, 5xx, authentication,
a codec, a redirect.
"""

BY_Q850: Final[Mapping[int, Cause]] = {
    1: Cause.INVALID,
    22: Cause.INVALID,
    28: Cause.INVALID,
    17: Cause.BUSY,
    18: Cause.NO_ANSWER,
    19: Cause.NO_ANSWER,
    20: Cause.POWERED_OFF,
    21: Cause.REJECTED,
    **dict.fromkeys((2, 3, 34, 38, 41, 42, 44, 47, 50, 55, 57, 58, 63, 65, 69, 79, 88), Cause.BLOCKED),
}
"""By Q.850 cause. A cause that is not here says nothing (16, 31, 102, 111, 127): then the status decides."""

AUTHENTICATION: Final = frozenset({401, 402, 403, 407})
"""The trunk refused us: no Reason makes this a cause on the person's side, unless their telephone had rung before a
403.
"""


_FORBIDDEN: Final = 403


def cause_of(end: SipEnd, *, has_rung: bool = False) -> Cause:
    """The cause of a call that was not answered. `BLOCKED` is a fault of ours and does not count as a try. `has_rung`:
    the trunk reported that the telephone rings; a 403 with a Reason then means that an exchange or gateway passes on a
    rejected call. `LOST`: it is not known whether a telephone rang.
    """
    if end.may_have_arrived:
        return Cause.LOST
    refused_us = end.status in AUTHENTICATION and not (has_rung and end.status == _FORBIDDEN)
    if refused_us or not end.status:
        return Cause.BLOCKED
    return BY_Q850.get(end.q850) or BY_STATUS.get(end.status, Cause.BLOCKED)


def is_certain(end: SipEnd) -> bool:
    """Whether no announcement can change the cause: the trunk refused us, or the Reason is known."""
    return end.status in AUTHENTICATION or end.q850 in BY_Q850


_SERVER_ERRORS: Final = range(500, 600)


def may_fail_over(end: SipEnd, *, may_have_rung: bool) -> bool:
    """Whether the next trunk may be tried: the trunk refused the call, or never got it, and no telephone rang."""
    return not may_have_rung and not end.may_have_arrived and is_fault_of_trunk(end)


def is_fault_of_trunk(end: SipEnd) -> bool:
    """Whether the end shows that the trunk itself does not work; several such ends in a row rest it. Where the Reason
    concerns the number, the trunk works.
    """
    if not end.status:
        return True
    if BY_Q850.get(end.q850, Cause.BLOCKED) is not Cause.BLOCKED:
        return False
    return end.status in _SERVER_ERRORS or end.status in AUTHENTICATION


MAINLAND: Final = MappingProxyType({"+861": "1", "+86": "0"})
"""How trunks in mainland China are dialled: mobiles as they are, landlines with 0 and the area code."""
EXTENSION = re.compile(r"[0-9]{3,4}")


class BadTrunk(ValueError):
    """A trunk that cannot work. The text names the field and never shows a secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trunk:
    """One trunk. `address` is host or host:port of the operator's side; `number` is shown as the caller.

    `user` and `password` answer a digest challenge; with `registers` the trunk also registers with them, for
    `register_seconds` each time. `proxy`: outbound proxy. Lower `order` is used first; trunks of one order share calls
    by `weight`. `prefixes`: what replaces the beginning of a number (the longest one that matches); a number that
    matches none is not dialled over this trunk.
    """

    name: str
    address: str
    number: str
    user: str = ""
    password: str = field(default="", repr=False)
    registers: bool = False
    proxy: str = ""
    transport: str = "udp"
    srtp: bool = False
    """Sound is encrypted (SRTP, its key in the SIP message), or the call fails."""
    asserts_identity: bool = True
    order: int = 1
    weight: int = 1
    channels: int = 30
    calls_per_second: float = 5.0
    prefixes: Mapping[str, str] = field(default_factory=lambda: MAINLAND)
    keep_alive_seconds: float = 30.0
    register_seconds: int = 300
    accepts_from: tuple[str, ...] = ()
    """Addresses, beside those of `address` and `proxy`, from which inbound calls are taken."""

    def __post_init__(self) -> None:
        if not _is_place(self.address):
            raise BadTrunk("address: a host, or host:port")
        if self.proxy and not _is_place(self.proxy):
            raise BadTrunk("proxy: a host, or host:port")
        if not all(
            _is_address(source) or (_is_place(source) and ":" not in source) for source in self.accepts_from
        ):
            raise BadTrunk("accepts_from: addresses or names, one each; no networks and no ports")
        if not re.fullmatch(r"\+?[0-9]{3,15}", self.number):
            raise BadTrunk("number: digits, with or without +")
        if self.srtp and self.transport != "tls":
            raise BadTrunk('srtp: needs transport = "tls", since the key of the sound is in the message')
        if self.registers and not (self.user and self.password):
            raise BadTrunk("registers: needs user and password")
        if self.channels < 1 or self.weight < 1 or self.calls_per_second <= 0:
            raise BadTrunk("channels, weight and calls_per_second: above zero")

    @property
    def sources(self) -> tuple[str, ...]:
        """Hosts and addresses from which this trunk's inbound calls come."""
        named = (self.host, self.proxy.partition(":")[0], *self.accepts_from)
        return tuple(source for source in named if source)

    @property
    def has_known_addresses(self) -> bool:
        """Whether it calls and answers from `sources` alone. A name without a port may lead to other addresses
        (SRV).
        """
        return all(_has_known_addresses(place) for place in (self.address, self.proxy) if place)

    @property
    def uri_transport(self) -> str:
        """The transport parameter of its SIP addresses; empty for UDP."""
        return "" if self.transport == "udp" else f";transport={self.transport}"

    @property
    def host(self) -> str:
        return self.address.partition(":")[0]

    def dialled(self, number: str) -> str | None:
        """What is dialled for `number` (E.164 or an extension); None: this trunk does not take it."""
        fits = [prefix for prefix in self.prefixes if number.startswith(prefix)]
        if not fits:
            return number if EXTENSION.fullmatch(number) else None
        prefix = max(fits, key=len)
        return self.prefixes[prefix] + number[len(prefix) :]


_LABEL: Final = r"[A-Za-z0-9\-]{1,63}"
_PLACE: Final = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?(:(?P<port>[0-9]{{1,5}}))?")
_LAST_PORT: Final = 65_535


def _is_place(text: str) -> bool:
    found = _PLACE.fullmatch(text)
    return found is not None and (found["port"] is None or 1 <= int(found["port"]) <= _LAST_PORT)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _has_known_addresses(place: str) -> bool:
    host, _, port = place.partition(":")
    return _is_address(host) or bool(port)


_ANONYMOUS: Final = frozenset({"anonymous", "unavailable", "restricted", "unknown", ""})
_USER: Final = re.compile(r"(?:sips?|tel):([^@;>?]*)", re.IGNORECASE)
_SAID_NAME: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
"""The display name of an address, in which a caller may write anything."""
_FILLING: Final = re.compile(r"[-.()]")
"""What a tel address may have between digits."""
_LONGEST_ADDRESS: Final = 1000
"""A longer header is ignored: a caller may write anything in a name, and it is searched for quotes."""


def caller_in(*, asserted: str, from_: str, privacy: str) -> str:
    """The caller's number as an INVITE from a trunk states it: P-Asserted-Identity before From. '' where the caller
    asks for privacy, or no number is stated.
    """
    if re.search(r"\b(id|user|header)\b", privacy.lower()):
        return ""
    for header in (asserted, from_):
        if len(header) > _LONGEST_ADDRESS:
            continue
        found = _USER.search(_SAID_NAME.sub("", header))
        user = _FILLING.sub("", unquote(found[1]).strip().lower()) if found else ""
        if user not in _ANONYMOUS and re.fullmatch(r"\+?[0-9]{3,20}", user):
            return user
    return ""
