"""What happened to a case, one entry a fact. Nothing personal is in an entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class EntryKind(StrEnum):
    """The order of the members is the order in which facts of one moment are told."""

    WARNING = "warning"
    RING_PLANNED = "ring_planned"
    RING_SENT = "ring_sent"
    RINGING = "ringing"
    ANSWERED = "answered"
    SPOKEN = "spoken"
    """A node of the script was reached; `key` says what was pressed to get there."""
    RING_ENDED = "ring_ended"
    MESSAGE = "message"
    """A message, from its planning to its end; `state` says how far it came."""
    ERRAND_OPENED = "errand_opened"
    ERRAND_SIGNED = "errand_signed"
    ERRAND_REPORTED = "errand_reported"
    ERRAND_WITHDRAWN = "errand_withdrawn"
    OUTCOME = "outcome"
    REVERSAL = "reversal"
    APPROVAL = "approval"
    FILED = "filed"
    ALARM = "alarm"
    ALARM_SEEN = "alarm_seen"
    ACT = "act"
    """Something else that a person did to the case."""
    VIEWED = "viewed"
    """Somebody saw or exported what is hidden."""


ORDER = {kind: place for place, kind in enumerate(EntryKind)}

Fact = str | int | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    at: datetime
    kind: EntryKind
    id: str
    """Which row it comes from, such as warning/7; the attempt's is its number in the case."""
    by: str = ""
    """'' for what nobody in particular did."""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    """By name, as values of our enumerations and numbers with their unit in the name."""


def in_order(entries: list[Entry]) -> tuple[Entry, ...]:
    """By time, and facts of one moment in the order in which they can only have happened."""
    return tuple(sorted(entries, key=lambda entry: (entry.at, ORDER[entry.kind], entry.id)))
