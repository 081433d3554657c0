"""Who may send us SIP: the kernel drops every message that is not from a trunk, before the stack reads it.

A socket filter (Linux) does it, on the stack's own UDP socket and on its listening TCP and TLS sockets: the sender gets
no answer at all, and the socket counts each dropped message. It needs no privilege. Where it cannot be attached, the
stack refuses the call instead.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import socket
import struct
import sys
from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Final

Address = IPv4Address | IPv6Address

# linux/filter.h and linux/socket.h; the names are theirs.
_SO_ATTACH_FILTER: Final = 26
_SO_MEMINFO: Final = 55
_DROPS: Final = 8
_LD_W_ABS, _LD_B_ABS, _AND_K, _JEQ_K, _JA, _RET_K = 0x20, 0x30, 0x54, 0x15, 0x05, 0x06
_SKF_NET_OFF: Final = 0xFFF00000
_V4_SOURCE, _V6_SOURCE = 12, 8
_WHOLE: Final = 0xFFFFFFFF
_MOST_INSTRUCTIONS: Final = 4096
Instruction = tuple[int, int, int, int]
"""Code, instructions to skip if true, if false, and the constant."""


def filter_program(senders: Iterable[Address]) -> list[Instruction]:
    """A filter of classic BPF that lets the packets of these senders pass whole, and no other."""
    passes: Instruction = (_RET_K, 0, 0, _WHOLE)
    drops: Instruction = (_RET_K, 0, 0, 0)
    every = set(senders)
    four = sorted(address for address in every if isinstance(address, IPv4Address))
    six = sorted(address for address in every if isinstance(address, IPv6Address))
    of_four: list[Instruction] = [(_LD_W_ABS, 0, 0, _SKF_NET_OFF + _V4_SOURCE)]
    for v4 in four:
        of_four += [(_JEQ_K, 0, 1, int(v4)), passes]
    of_four.append(drops)
    of_six: list[Instruction] = []
    for v6 in six:
        words = struct.unpack(">4I", v6.packed)
        for n, word in enumerate(words):
            of_six.append((_LD_W_ABS, 0, 0, _SKF_NET_OFF + _V6_SOURCE + 4 * n))
            # To the next address, past what is left of this one.
            of_six.append((_JEQ_K, 0, 2 * (3 - n) + 1, word))
        of_six.append(passes)
    of_six.append(drops)
    version: list[Instruction] = [(_LD_B_ABS, 0, 0, _SKF_NET_OFF), (_AND_K, 0, 0, 0xF0)]
    # A condition jumps over 255 instructions at most, so it jumps to a jump.
    jump: list[Instruction] = [(_JEQ_K, 0, 1, 0x60), (_JA, 0, 0, len(of_four))]
    return [*version, *jump, *of_four, *of_six]


class Senders:
    """The sockets of the stack that listen on one port, open to these senders alone."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open_to: frozenset[Address] = frozenset()
        self._drops: dict[int, int] = {}

    def admit(self, senders: Iterable[Address]) -> bool:
        """Admits these senders, and those that were admitted before. True where a socket listens and is filtered
        now.
        """
        wanted = self._open_to | set(senders)
        if self._drops and wanted == self._open_to:
            return True
        if sys.platform != "linux" or not self._port:
            return False
        made = filter_program(wanted)
        if len(made) > _MOST_INSTRUCTIONS:
            return False
        code = b"".join(struct.pack("HBBI", *instruction) for instruction in made)
        kept = ctypes.create_string_buffer(code)
        attached = struct.pack("HL", len(made), ctypes.addressof(kept))
        found = dict.fromkeys(self._listening(), 0)
        for number in found:
            with socket.socket(fileno=os.dup(number)) as own:
                own.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, attached)
        self._open_to = wanted
        self._drops = {number: self._drops.get(number, self._count(number)) for number in found}
        return bool(found)

    def dropped(self) -> int:
        """How many messages were dropped since the last call of this method, including those that came faster than the
        stack could read.
        """
        count = 0
        for number, before in self._drops.items():
            now = self._count(number)
            count += (now - before) % 2**32
            self._drops[number] = now
        return count

    @staticmethod
    def _count(number: int) -> int:
        try:
            with socket.socket(fileno=os.dup(number)) as own:
                told = own.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 4 * (_DROPS + 1))
        except OSError:
            return 0
        return int(struct.unpack(f"{len(told) // 4}I", told)[_DROPS])

    def _listening(self) -> Iterable[int]:
        """Descriptors of this process: UDP on the port; TCP on it, and TLS on the next one, that listen."""
        for number, own, _, port in _sockets():
            if own.type == socket.SOCK_DGRAM:
                is_ours = port == self._port
            else:
                listens = own.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
                is_ours = bool(listens) and port in {self._port, self._port + 1}
            if is_ours:
                yield number


def _sockets() -> Iterable[tuple[int, socket.socket, str, int]]:
    """The descriptors of this process that are sockets of the network: each with a copy, which is closed after its
    turn, and its address.
    """
    for path in Path("/proc/self/fd").iterdir():
        number = int(path.name)
        with contextlib.ExitStack() as copies:
            try:
                if not str(path.readlink()).startswith("socket:"):
                    continue
                own = copies.enter_context(socket.socket(fileno=os.dup(number)))
                if own.family not in {socket.AF_INET, socket.AF_INET6}:
                    continue
                host, port = own.getsockname()[:2]
            except OSError:
                continue
            yield number, own, host, port


_ANY: Final = ("0.0.0.0", "::")  # noqa: S104 - compared


def send_from(ours: tuple[str, int], theirs: tuple[str, int], data: bytes) -> None:
    """Sends a datagram from the stack's own UDP socket at this address (Linux). One that cannot be sent is lost, as any
    datagram may be.
    """
    if sys.platform != "linux":
        return
    for _, own, host, port in _sockets():
        if own.type == socket.SOCK_DGRAM and port == ours[1] and host in {ours[0], *_ANY}:
            with contextlib.suppress(OSError):
                own.sendto(data, theirs)
            return


def addresses_of(
    hosts: Iterable[str], resolve: Callable[[str], Iterable[str]]
) -> tuple[frozenset[Address], bool]:
    """The addresses of these hosts, and whether every host has one now."""
    found: set[Address] = set()
    whole = True
    for host in hosts:
        try:
            found.add(ip_address(host))
        except ValueError:
            told = {ip_address(address.partition("%")[0]) for address in resolve(host)}
            whole = whole and bool(told)
            found |= told
    return frozenset(found), whole


async def is_one_of(address: str, hosts: Sequence[str]) -> bool:
    """Whether the address is one of these hosts, or an address of one of their names."""
    if address in hosts:
        return True
    loop = asyncio.get_running_loop()
    for host in hosts:
        with contextlib.suppress(OSError):
            if any(found[4][0] == address for found in await loop.getaddrinfo(host, None)):
                return True
    return False
