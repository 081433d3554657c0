"""Sources: who sends warnings and signals. The service has sources of its own, whose names nobody outside may use:
otherwise a sender could take the numbers under which it will enter its own warnings, and nobody would be called.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from dialer.core.values import Grade

ROBOT_SOURCE: Final = "预警机器人"
"""The source of the robot's own warnings and changes of lists."""
COUNTER_SOURCE: Final = "两卡核查"
"""The source of warnings about customers at a counter (two-card control)."""
LISTS_SOURCE: Final = "名单核准"
"""The source of changes of lists that a person has confirmed."""
DRILL_SOURCE: Final = "/phone"
"""The source of the warning that somebody enters about themselves in a drill."""


def _folded(name: str) -> str:
    """The name as the eye reads it: without spaces and invisible characters, full-width letters as narrow ones."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return "".join(sign for sign in text if not sign.isspace() and unicodedata.category(sign)[0] != "C")


_INTERNAL: Final = frozenset(map(_folded, (ROBOT_SOURCE, COUNTER_SOURCE, LISTS_SOURCE, DRILL_SOURCE)))


def is_internal_source(name: str) -> bool:
    """Whether this is, or looks like, a source of the service itself."""
    return _folded(name) in _INTERNAL


class HoldReason(StrEnum):
    """Why warnings of a source wait for a person to release them."""

    PER_MINUTE = "per_minute"
    PER_HOUR = "per_hour"
    PER_DAY = "per_day"
    EXTRA_HIGH_PER_MINUTE = "extra_high_per_minute"
    EXTRA_HIGH_PER_HOUR = "extra_high_per_hour"
    EXTRA_HIGH_PER_DAY = "extra_high_per_day"
    GRADE = "grade"
    """A higher grade than the source may give."""
    AMOUNT = "amount"
    """A larger amount than the source is believed."""
    UNIT = "unit"
    """For another unit than the source may warn for, or for none."""
    NAMES = "names"
    """About a further person with a number that many people with an open case have already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLimits:
    """What a source may send without a person looking at it. None and (): not limited. Extra-high warnings have limits
    of their own, so that a flood of others does not hold them.
    """

    per_minute: int | None = None
    per_hour: int | None = None
    per_day: int | None = None
    extra_high_per_minute: int | None = None
    extra_high_per_hour: int | None = None
    extra_high_per_day: int | None = None
    signals_per_minute: int | None = None
    """Signals above these limits are refused until later: their sender sends them again."""
    signals_per_hour: int | None = None
    signals_per_day: int | None = None
    most_grade: Grade | None = None
    most_amount_fen: int | None = None
    """Larger amounts of warnings wait for a person; of signals only this much is believed."""
    units: tuple[str, ...] = ()
    """Names of units; warnings for units below them may be sent too."""
    signal_kinds: tuple[str, ...] = ()
    list_kinds: tuple[str, ...] = ()
    """The lists in which it may enter items; where only suspected ones, its fraud items count as these."""
    bank_reports: bool | None = None
    """Whether its signals "report of a bank" are taken; None: yes."""

    def or_else(self, general: SourceLimits) -> SourceLimits:
        """These limits, with the general ones wherever they set none."""
        given = ((field.name, getattr(self, field.name)) for field in fields(self))
        return replace(general, **{name: value for name, value in given if value is not None and value != ()})

    @property
    def limits_warnings(self) -> bool:
        """Whether the number of warnings is limited."""
        return any(getattr(self, name) is not None for name in WARNING_LIMITS)

    @property
    def limits_signals(self) -> bool:
        """Whether the number of signals is limited."""
        return any(getattr(self, name) is not None for name in SIGNAL_LIMITS)

    def may_send_kind(self, kind: str) -> bool:
        """Whether the source may send signals of this kind."""
        return not self.signal_kinds or kind in self.signal_kinds

    def may_list_as(self, kind: str) -> bool:
        """Whether the source may enter items in lists of this kind."""
        return not self.list_kinds or kind in self.list_kinds


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralLimits:
    """The limits of sources for which a person has set none."""

    probation: SourceLimits
    regular: SourceLimits
    """Of sources that are not on probation."""


_SPAN_SECONDS: Final = {"minute": 60, "hour": 3_600, "day": 86_400}
WARNING_LIMITS: Final = tuple(f"{apart}per_{span}" for apart in ("", "extra_high_") for span in _SPAN_SECONDS)
"""The limits that are counts of warnings."""
SIGNAL_LIMITS: Final = tuple(f"signals_per_{span}" for span in _SPAN_SECONDS)
COUNTED_LIMITS: Final = WARNING_LIMITS + SIGNAL_LIMITS
"""The limits that are counts."""
_PARTS: Final = 6
"""Counts of a span are kept for so many parts of it."""

StoredCounts = Mapping[str, Mapping[str, int]]
"""What a source has sent, as it is stored: for each count of `Sent`, by the number of the part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """How many warnings of a source went on without a person in the minute, hour and day that end now; extra-high ones
    are counted apart. Each counts for up to a sixth of the span longer. Signals are counted if they are limited.
    """

    in_minute: int = 0
    in_hour: int = 0
    in_day: int = 0
    extra_high_in_minute: int = 0
    extra_high_in_hour: int = 0
    extra_high_in_day: int = 0
    signals_in_minute: int = 0
    signals_in_hour: int = 0
    signals_in_day: int = 0

    @classmethod
    def at(cls, counts: StoredCounts, now: datetime) -> Sent:
        """What counts at this moment. A span of any length that ends now touches its present part and the six before:
        no more than these went on in it.
        """
        return cls(**{name: sum(parts.values()) for name, parts in _current(counts, now).items()})


def with_sent(
    counts: StoredCounts, now: datetime, *, warnings: int = 0, extra_high: int = 0, signals: int = 0
) -> StoredCounts:
    """The counts with warnings below extra high, extra-high ones and signals that go on now, without what counts no
    longer.
    """
    found = {name: dict(parts) for name, parts in _current(counts, now).items()}
    for apart, added in (("", warnings), ("extra_high_", extra_high), ("signals_", signals)):
        for span, seconds in _SPAN_SECONDS.items():
            if added:
                parts, part = found.setdefault(f"{apart}in_{span}", {}), str(_part(now, seconds))
                parts[part] = parts.get(part, 0) + added
    return found


def _current(counts: StoredCounts, now: datetime) -> dict[str, dict[str, int]]:
    found = {}
    for name, parts in counts.items():
        oldest = _part(now, _SPAN_SECONDS[name.rpartition("_")[2]]) - _PARTS
        found[name] = {part: count for part, count in parts.items() if int(part) >= oldest}
    return {name: parts for name, parts in found.items() if parts}


def _part(now: datetime, span_seconds: int) -> int:
    return int(now.timestamp()) * _PARTS // span_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the limits of its source look at in one warning."""

    grade: Grade
    amount_fen: int | None
    """The larger of the amounts at risk and already paid."""
    is_in_units: bool = True
    """Whether its unit is one for which the source may warn."""


_ALL: Final = (
    (HoldReason.PER_DAY, "in_day", "per_day"),
    (HoldReason.PER_HOUR, "in_hour", "per_hour"),
    (HoldReason.PER_MINUTE, "in_minute", "per_minute"),
)
_EXTRA_HIGH: Final = (
    (HoldReason.EXTRA_HIGH_PER_DAY, "extra_high_in_day", "extra_high_per_day"),
    (HoldReason.EXTRA_HIGH_PER_HOUR, "extra_high_in_hour", "extra_high_per_hour"),
    (HoldReason.EXTRA_HIGH_PER_MINUTE, "extra_high_in_minute", "extra_high_per_minute"),
)


def reasons_to_wait(limits: SourceLimits, before: Sent, asked: Sequence[Asked]) -> list[HoldReason | None]:
    """Why each warning must wait, None for those that go on. `before`: what of the source went on before these. What
    waits is not counted: a source that sends more all the time still has as many go on as its limits allow. The highest
    grades go first.
    """
    reasons: list[HoldReason | None] = [None] * len(asked)
    taken = {True: 0, False: 0}
    for place in sorted(range(len(asked)), key=lambda place: -asked[place].grade.rank):
        is_extra_high = asked[place].grade is Grade.EXTRA_HIGH
        reasons[place] = _of_content(limits, asked[place]) or _of_count(
            limits, before, taken[is_extra_high], spans=_EXTRA_HIGH if is_extra_high else _ALL
        )
        taken[is_extra_high] += reasons[place] is None
    return reasons


def _of_content(limits: SourceLimits, asked: Asked) -> HoldReason | None:
    if limits.most_grade is not None and asked.grade.rank > limits.most_grade.rank:
        return HoldReason.GRADE
    if limits.most_amount_fen is not None and (asked.amount_fen or 0) > limits.most_amount_fen:
        return HoldReason.AMOUNT
    return None if asked.is_in_units else HoldReason.UNIT


def _of_count(
    limits: SourceLimits, before: Sent, taken: int, *, spans: Sequence[tuple[HoldReason, str, str]]
) -> HoldReason | None:
    for reason, count, limit in spans:
        most = getattr(limits, limit)
        if most is not None and getattr(before, count) + taken >= most:
            return reason
    return None


def wait_for_signals(
    limits: SourceLimits, counts: StoredCounts, now: datetime, signals: int
) -> tuple[str, float] | None:
    """None if so many signals may be taken now; else the limit that is in the way, and the seconds until it is not. A
    limit that is lower than `signals` is always in the way.
    """
    current = _current(counts, now)
    waits = []
    for span, seconds in _SPAN_SECONDS.items():
        most = getattr(limits, f"signals_per_{span}")
        parts = current.get(f"signals_in_{span}", {})
        taken = sum(parts.values())
        if most is None or taken + signals <= most:
            continue
        ends = now.timestamp() + seconds
        for part in sorted(parts, key=int):
            taken -= parts[part]
            if taken + signals <= most:
                ends = (int(part) + _PARTS + 1) * seconds / _PARTS
                break
        waits.append((ends - now.timestamp(), f"signals_per_{span}"))
    if not waits:
        return None
    wait_seconds, limit = max(waits)
    return limit, wait_seconds
