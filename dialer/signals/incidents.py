"""What the evaluator knows of one person: observations, contacts and scoring moments, which make incidents. Pure."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import timedelta
from operator import attrgetter
from typing import Final, NamedTuple

import orjson

from dialer.signals.features import FORGET_SECONDS, Contacts, touch
from dialer.signals.observations import SECOND, Observation

GAP: Final = timedelta(hours=72)
"""What follows after this long without a scoring moment is another incident."""
_GAP: Final = GAP // timedelta(microseconds=1)
_FORGET: Final = FORGET_SECONDS * SECOND


class Point(NamedTuple):
    """A scoring moment: microseconds, rank of its grade (0: none), score, money in fen, and the places of the rules
    that fired.
    """

    at: int
    rank: int
    score: int
    money_fen: int
    fired: tuple[int, ...]

    @property
    def strength(self) -> tuple[int, int, int]:
        """The strongest point of an incident is its verdict; of equal ones the first."""
        return self.rank, self.score, -self.at


class Incident(NamedTuple):
    """Scoring moments, each at most `GAP` after the one before."""

    since: int
    last: int
    best: Point

    @classmethod
    def of_point(cls, point: Point) -> Incident:
        """The incident that begins with the point."""
        return cls(point.at, point.at, point)

    def joined(self, point: Point) -> Incident | None:
        """The incident with a later point; None if the point begins another one."""
        if point.at - self.last > _GAP:
            return None
        return Incident(self.since, point.at, max(self.best, point, key=attrgetter("strength")))

    def is_apart_from(self, before: Incident) -> bool:
        """Whether it begins more than `GAP` after the other has ended."""
        return self.since - before.last > _GAP


@dataclass(slots=True, kw_only=True)
class PersonState:
    """`latest` is the time of the last observation, `observations` are in the order of time, `contacts` those of
    observations that were dropped. `points` can still change; `settled` is the last incident of those that cannot.
    """

    key: bytes
    latest: int = 0
    observations: list[Observation] = field(default_factory=list)
    contacts: Contacts = field(default_factory=dict)
    points: list[Point] = field(default_factory=list)
    settled: Incident | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left that a later signal could need."""
        return not (self.observations or self.contacts or self.points)

    def incidents(self) -> list[Incident]:
        """The settled incident and those of the points, oldest first."""
        found = [self.settled] if self.settled else []
        for point in self.points:
            joined = found[-1].joined(point) if found else None
            if joined is None:
                found.append(Incident.of_point(point))
            else:
                found[-1] = joined
        return found

    def last_touch(self, item: int) -> int:
        """The time of the last observation with the item; 0 if there is none."""
        return max(
            (observation.at for observation in self.observations if item in observation.items), default=0
        )

    def drop_until(self, limit: int) -> list[Observation]:
        """Turns the observations up to `limit`, which no later window reaches, into contacts; returns them."""
        count = bisect_right(self.observations, limit, key=attrgetter("at"))
        dropped = self.observations[:count]
        del self.observations[:count]
        for observation in dropped:
            if observation.items:
                touch(self.contacts, observation.items[0], observation.at)
        return dropped

    def forget_until(self, limit: int) -> None:
        """Forgets the contacts that were last touched before `limit`."""
        self.contacts = {item: times for item, times in self.contacts.items() if times[1] >= limit}

    def settle_until(self, limit: int) -> None:
        """Joins the points before `limit`, which nothing can change any more, to the settled incident."""
        count = bisect_right(self.points, limit - 1, key=attrgetter("at"))
        for point in self.points[:count]:
            joined = self.settled.joined(point) if self.settled else None
            self.settled = joined or Incident.of_point(point)
        del self.points[:count]

    def to_record(self) -> bytes:
        """The person as JSON, without the key; `latest` comes first."""
        return orjson.dumps(
            [
                self.latest,
                [[*observation] for observation in self.observations],
                [[item, *times] for item, times in self.contacts.items()],
                [[*point] for point in self.points],
                self.settled and [self.settled.since, self.settled.last, [*self.settled.best]],
            ]
        )

    def to_line(self) -> bytes:
        """The person as a line of a snapshot: the key and the record."""
        return line_of(self.key, self.to_record())

    @classmethod
    def from_record(cls, key: bytes, record: bytes) -> PersonState:
        """The reverse of `to_record`. Raises `ValueError` and `TypeError`."""
        latest, observations, contacts, points, settled = orjson.loads(record)
        return cls(
            key=key,
            latest=latest,
            observations=[*map(Observation._make, observations)],
            contacts={item: (first, last) for item, first, last in contacts},
            points=[_point(*values) for values in points],
            settled=settled and Incident(settled[0], settled[1], _point(*settled[2])),
        )


def _point(at: int, rank: int, score: int, money_fen: int, fired: list[int]) -> Point:
    return Point(at, rank, score, money_fen, tuple(fired))


def line_of(key: bytes, record: bytes) -> bytes:
    """The line of a snapshot for a person's record."""
    return b"%b %b" % (key.hex().encode(), record)


def latest_in(record: bytes) -> int:
    """`latest` of a record, without reading the others."""
    return int(record[1 : record.index(b",")])
