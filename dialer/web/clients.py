"""Where a request comes from: its client's address and whether it came by https, as our own proxies report them."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from starlette.requests import Request

Networks = Sequence[IPv4Network | IPv6Network]
_LOOPBACK: Final[Networks] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


def came_by_https(request: Request, proxies: Networks) -> bool:
    """Whether the browser used https, to us or to one of these proxies."""
    forwarded = request.headers.get("X-Forwarded-Proto") == "https"
    return request.url.scheme == "https" or (forwarded and comes_from(request, proxies))


def comes_from(request: Request, proxies: Networks) -> bool:
    """Whether one of these machines sent the request: what its headers say about the client can be trusted."""
    return _is_in_networks(request.client.host if request.client is not None else "", proxies)


def is_from(request: Request, networks: Networks, *, proxies: Networks) -> bool:
    """Whether the request came from one of these networks, as our own proxies report it."""
    return _is_in_networks(client_address(request, proxies), networks)


def is_on_this_machine(request: Request, proxies: Networks) -> bool:
    """Whether the browser runs on this machine."""
    return is_from(request, _LOOPBACK, proxies=proxies)


def client_address(request: Request, proxies: Networks) -> str:
    """The address of the client; behind our own proxies, the one that the outermost of them reports."""
    address = request.client.host if request.client is not None else ""
    named = [name.strip() for name in ",".join(request.headers.getlist("X-Forwarded-For")).split(",")]
    while _is_in_networks(address, proxies) and named and named[-1]:
        address = named.pop()[:64]
    return address


def _is_in_networks(address: str, networks: Networks) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)
