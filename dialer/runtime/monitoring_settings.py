"""The settings of who may read the figures of the service without signing in."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network

from pydantic import IPvAnyNetwork, SecretStr

from dialer.runtime.sections import Section


class MonitoringSettings(Section):
    """[monitoring]. Of `/metrics` and `/status`: whoever asks from these networks, or shows the token."""

    networks: tuple[IPvAnyNetwork, ...] = (
        IPv4Network("127.0.0.0/8"),
        IPv6Network("::1/128"),
        IPv4Network("10.0.0.0/8"),
        IPv4Network("172.16.0.0/12"),
        IPv4Network("192.168.0.0/16"),
        IPv6Network("fc00::/7"),
    )
    """The address is the one that the trusted proxies report."""
    token: SecretStr | None = None
    """`Authorization: Bearer ...` of a monitoring system elsewhere. None: the networks alone."""
