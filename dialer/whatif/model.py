"""What a replay of a period is made of: the cases without anything personal, the people who answer, call and visit as
they were seen, and the centre: plan, rota, lines. Pure.

Every draw is a function of a seed, the case, the track and the number of the try, and of nothing else. So two replays
with one seed meet the same people (common random numbers): a difference between them is one of plan, rota or lines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, Generic, TypeVar

from dialer.core.policy import Policy
from dialer.core.reach import Reach
from dialer.core.rota import DutyChange, DutyEntry, Roster
from dialer.core.values import Answer, Contact, FraudType, Grade, OutcomeKind, TelephonyResult, Track

_Seen = TypeVar("_Seen")
LEAST_SEEN: Final = 30
"""With fewer calls of a grade in an hour of the day, those of the grade at any hour are drawn from."""
LEAST_OF_GRADE: Final = 5
"""With fewer of the grade, all calls: grades differ so much that a few of the same one tell more."""
_MASK: Final = (1 << 64) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class WarnedCase:
    """What opened a case. `opened_at` in UTC."""

    opened_at: datetime
    grade: Grade
    fraud_type: FraudType
    policy_version: int = 0
    numbers: int = 1
    amount_fen: int | None = None
    expires_at: datetime | None = None
    is_minor: bool = False
    missed: bool = False
    """It had expired when it arrived."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotCall:
    """What a robot call brought, and for how long it held a line."""

    result: TelephonyResult
    seconds: float
    contact: Contact = Contact.NONE
    answer: Answer = Answer.NONE
    reach: Reach | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffReport:
    """What a caller or an officer reported, and for how long the task held them: the way, the talk and the report."""

    outcome: OutcomeKind
    contact: Contact
    seconds: float


class Draws(StrEnum):
    """What is drawn for a case."""

    ROBOT = "robot"
    HUMAN = "human"
    VISIT = "visit"
    PAYS = "pays"
    """Whether and when the person would pay."""


_SALTS: Final = {draw: 0x9E3779B97F4A7C15 * (place + 1) & _MASK for place, draw in enumerate(Draws)}


def uniform(seed: int, case: int, what: Draws, n: int = 0) -> float:
    """The draw from 0 (included) to 1 (not) for try `n` of a case: the finalizer of SplitMix64 (G. L. Steele, D. Lea
    and C. H. Flood, 2014) over the four.
    """
    state = (
        seed * 0xD1342543DE82EF95 + case * 0xBF58476D1CE4E5B9 + n * 0x94D049BB133111EB + _SALTS[what]
    ) & _MASK
    for _ in range(2):
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
    return (state >> 11) / (1 << 53)


class Seen(Generic[_Seen]):
    """Calls or visits that were seen, by grade and hour of the local day, to draw from."""

    def __init__(self, seen: Iterable[tuple[Grade, int, _Seen]]) -> None:
        by_hour: dict[tuple[Grade, int], list[_Seen]] = defaultdict(list)
        by_grade: dict[Grade, list[_Seen]] = defaultdict(list)
        self._all: list[_Seen] = []
        for grade, hour, one in seen:
            by_hour[grade, hour].append(one)
            by_grade[grade].append(one)
            self._all.append(one)
        self._by_grade = {grade: found for grade, found in by_grade.items() if len(found) >= LEAST_OF_GRADE}
        self._by_hour = {key: found for key, found in by_hour.items() if len(found) >= LEAST_SEEN}

    def __len__(self) -> int:
        return len(self._all)

    def draw(self, part: float, grade: Grade, hour: int) -> _Seen:
        """One of those seen; `part` from 0 to 1 chooses. Raises `LookupError` if none was seen."""
        found: Sequence[_Seen] = self._by_hour.get((grade, hour)) or self._by_grade.get(grade) or self._all
        if not found:
            raise LookupError("nothing like it was seen")
        return found[int(part * len(found))]


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """How those who are warned, callers and officers behave."""

    robot: Seen[RobotCall]
    reports: Mapping[Track, Seen[StaffReport]]
    between_seconds: Mapping[Track, float] = field(default_factory=dict)
    """From a report until the same person takes what already waits, at the middle of those seen."""


class Order(StrEnum):
    """In which order tasks that wait are taken."""

    OURS = "ours"
    """By urgency, as the service takes them."""
    FIRST_COME = "first_come"
    GRADE = "grade"
    DEADLINE = "deadline"
    """The task that is due first."""
    ORACLE = "oracle"
    """Knows who will pay, when and how much: the largest amount that is not lost yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Centre:
    """The plan, the rota and the lines of a period."""

    policies: Mapping[int, Policy]
    """By version: each case keeps that of its opening."""
    rosters: Mapping[Track, Sequence[Roster]]
    """Of callers (`Track.HUMAN`) and officers (`Track.VISIT`). Those of one kind work as one team."""
    lines: int
    calls_per_second: float
    outages: tuple[tuple[datetime, datetime], ...] = ()
    """Spans in which no robot call leaves."""
    order: Order = Order.OURS

    def with_staff(self, track: Track, more: int) -> Centre:
        """As many more persons on every shift of this kind of work, or, below zero, fewer."""
        if not (rosters := self.rosters.get(track)):
            return self
        first, *others = rosters
        return replace(self, rosters={**self.rosters, track: (with_more(first, more), *others)})


def with_more(roster: Roster, more: int) -> Roster:
    """The roster with so many more persons on each shift that somebody has, and, where hours were seen instead of
    planned, on each such span; below zero the last ones are left out, in whose place nobody comes.
    """
    if not more:
        return roster
    shifts: dict[tuple[object, str], list[DutyEntry]] = defaultdict(list)
    for entry in roster.entries:
        shifts[entry.day, entry.mark].append(entry)
    entries: list[DutyEntry] = []
    for found in shifts.values():
        if more < 0:
            entries += found[: max(0, len(found) + more)]
        else:
            entries += [*found, *(replace(found[0], staff_id=-n) for n in range(1, more + 1))]
    spans: dict[tuple[datetime, datetime], list[int]] = defaultdict(list)
    changes = []
    for change in roster.changes:
        if change.on is not None and change.off is None:
            spans[change.start, change.end].append(change.on)
        else:
            changes.append(change)
    for (start, end), on in spans.items():
        kept = on[: max(0, len(on) + more)] if more < 0 else [*on, *(-n for n in range(1, more + 1))]
        changes += [DutyChange(start=start, end=end, on=staff_id) for staff_id in kept]
    return replace(roster, entries=tuple(entries), changes=tuple(changes))
