"""The client's address: the peer's, or the one that our own proxies name."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from starlette.requests import Request

from dialer.web.clients import client_address

OURS = (ip_network("127.0.0.0/8"), ip_network("10.1.0.0/16"), ip_network("::1/128"))


def asked(peer: str | None, *forwarded: str) -> Request:
    return Request(
        {
            "type": "http",
            "client": None if peer is None else (peer, 40_000),
            "headers": [(b"x-forwarded-for", value.encode()) for value in forwarded],
        }
    )


@pytest.mark.parametrize(
    ("peer", "forwarded", "who"),
    [
        ("203.0.113.7", (), "203.0.113.7"),
        ("203.0.113.7", ("198.51.100.1",), "203.0.113.7"),
        ("127.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        ("::1", ("2001:db8::9",), "2001:db8::9"),
        ("10.1.2.3", ("198.51.100.1",), "198.51.100.1"),
        ("127.0.0.1", ("6.6.6.6, 198.51.100.1, 10.1.2.3",), "198.51.100.1"),
        ("127.0.0.1", ("6.6.6.6", "198.51.100.1"), "198.51.100.1"),
        ("127.0.0.1", (), "127.0.0.1"),
        ("127.0.0.1", ("",), "127.0.0.1"),
        ("127.0.0.1", ("unknown",), "unknown"),
        ("127.0.0.1", ("x" * 500,), "x" * 64),
        (None, ("198.51.100.1",), ""),
    ],
)
def test_only_our_own_proxies_are_believed(peer: str | None, forwarded: tuple[str, ...], who: str):
    assert client_address(asked(peer, *forwarded), OURS) == who
