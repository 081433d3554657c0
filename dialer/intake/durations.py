"""Lengths of talk as people write them (125, 125秒, 2分5秒, 00:02:05), as whole seconds."""

from __future__ import annotations

import re
from typing import Final

from dialer.intake.text import folded, is_blank
from dialer.intake.unreadable import Unreadable

LONGEST_SECONDS: Final = 7 * 86_400
_WORDS: Final = re.compile(
    r"(?:(?P<hours>[0-9]+)(?:小时|时|h))?(?:(?P<minutes>[0-9]+)(?:分钟|分|min|m))?(?:(?P<seconds>[0-9]+)(?:秒钟|秒|sec|s)?)?"
)
_CLOCK: Final = re.compile(r"(?:(?P<hours>[0-9]{1,3}):)?(?P<minutes>[0-9]{1,3}):(?P<seconds>[0-5]?[0-9])")
_NUMBER: Final = re.compile(r"[0-9]{1,7}(?:\.[0-9]+)?")


def read_seconds(cell: str, *, seconds_per_unit: int = 1) -> int | None:
    """The length in seconds, None for an empty cell; a bare number counts `seconds_per_unit`. Raises
    Unreadable.
    """
    text = "".join(folded(cell).split())
    if is_blank(text):
        return None
    if _NUMBER.fullmatch(text):
        seconds = round(float(text) * seconds_per_unit)
    elif parts := _WORDS.fullmatch(text) or _CLOCK.fullmatch(text):
        hours, minutes, rest = (int(parts[name] or 0) for name in ("hours", "minutes", "seconds"))
        seconds = hours * 3600 + minutes * 60 + rest
    else:
        raise Unreadable
    if seconds > LONGEST_SECONDS:
        raise Unreadable
    return seconds
