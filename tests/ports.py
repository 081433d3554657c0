"""Ports for the programs that tests start.

They lie below the ports that the system gives to connections, and above those that sound uses and the demo takes. Each
block is reserved on the whole machine until the test process ends, so that nobody has it between the choice and the
moment at which the program binds it.
"""

from __future__ import annotations

import socket
from contextlib import ExitStack
from typing import Final

_PORTS: Final = range(24_000, 32_760)
_BLOCK: Final = 8
_HELD: Final[list[socket.socket]] = []


def reserve_ports() -> int:
    """The first of eight ports in a row that are free for TCP and UDP, and that no other test gets."""
    for first in _PORTS[::_BLOCK]:
        held = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            # A name without a file, which the system frees with the process: it is the reservation.
            held.bind(f"\0tests-ports-{first}")
        except OSError:
            held.close()
            continue
        _HELD.append(held)
        if all(_is_free(port) for port in range(first, first + _BLOCK)):
            return first
    raise AssertionError("every block of ports is taken")


def _is_free(port: int) -> bool:
    with ExitStack() as stack:
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                stack.enter_context(socket.socket(socket.AF_INET, kind)).bind(("", port))
        except OSError:
            return False
    return True
