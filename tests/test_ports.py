"""Ports that are reserved for the programs of tests."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from tests.ports import reserve_ports

_SHOWS_TWO = "from tests.ports import reserve_ports\nprint(reserve_ports(), reserve_ports())"


def test_two_processes_never_get_the_same_ports():
    ours = (reserve_ports(), reserve_ports())
    done = subprocess.run(
        [sys.executable, "-c", _SHOWS_TWO],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[1],
    )
    blocks = {*ours, *map(int, done.stdout.split())}
    assert len(blocks) == 4
    assert all(abs(block - other) >= 8 for block in blocks for other in blocks if block != other)


def test_a_port_that_is_in_use_for_udp_alone_is_not_given():
    """A program that listens on both did not start on it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as busy:
        following = reserve_ports() + 8
        while True:
            try:
                busy.bind(("127.0.0.1", following + 1))
            except OSError:
                following = reserve_ports() + 8
            else:
                break
        assert reserve_ports() != following


def test_the_system_gives_none_of_them_to_a_connection():
    first, _ = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    assert reserve_ports() + 8 < first
