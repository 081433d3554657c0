"""The carrier's admin API, as the demo and the drills use it: its clock, and what it counted itself."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from typing import Any

from dialer.bootstrap import CarrierAccess
from dialer.errors import Unavailable
from dialer.store.facts import ClockRow

_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rings:
    rings: int
    max_rings_per_attempt: int
    most_lines: int
    """At the same time, since the carrier began."""


def rings(access: CarrierAccess) -> Rings:
    """The carrier's own count, which no restart of ours can change. Raises `Unavailable`."""
    answer = _ask(access, "GET", "/admin/rings", None)
    return Rings(
        rings=answer["rings"],
        max_rings_per_attempt=answer["max_rings_per_attempt"],
        most_lines=answer["peak_lines"],
    )


def set_clock(access: CarrierAccess, clock: ClockRow) -> None:
    """The line keeps this time from now on. Raises `Unavailable`."""
    _ask(
        access,
        "PUT",
        "/admin/clock",
        {"anchor_unix": clock.anchor_unix, "epoch": clock.epoch.isoformat(), "speed": clock.speed},
    )


def is_up(access: CarrierAccess) -> bool:
    try:
        _ask(access, "GET", "/admin/health", None)
    except Unavailable:
        return False
    return True


def _ask(access: CarrierAccess, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310  # our own carrier, on loopback
        access.base_url + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {access.admin_token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310
            found: dict[str, Any] = json.loads(response.read() or b"{}")
    except OSError as fault:
        raise Unavailable(part="carrier", problem=type(fault).__name__) from fault
    return found
