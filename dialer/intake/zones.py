"""Where a number is, as far as its prefix tells, and whether it may be rung there now."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import lru_cache

import phonenumbers

from dialer.domain.window import Window

_MAINLAND = "+86"


def zone_of(number: str) -> str | None:
    """The time zone of an E.164 number; None for the mainland's, whose zone is the centre's own, and where the prefix
    spans several zones or tells none.
    """
    return None if number.startswith(_MAINLAND) else _foreign_zone(number)


@lru_cache(maxsize=4096)
def _foreign_zone(number: str) -> str | None:
    # The table of prefixes is large and seldom needed.
    from phonenumbers.timezone import time_zones_for_number  # noqa: PLC0415

    try:
        zones = time_zones_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return None
    known = [zone for zone in zones if zone != "Etc/Unknown"]
    return known[0] if len(known) == 1 else None


def closed_until(number: str, window: Window, now: datetime) -> datetime | None:
    """When this number may be rung by a robot, if not now: the window holds in the callee's own zone too."""
    zone = zone_of(number)
    if zone is None:
        return None
    there = replace(window, zone=zone)
    return None if there.is_open(now) else there.next_open(now)
