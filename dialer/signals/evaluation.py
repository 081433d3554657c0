"""The evaluator turns signals into verdicts, with everything that the rules need about each person in memory. Pure.

The verdict of a person is a function of the set of signals, not of their order. At every moment at which something
happened to the person (a signal about them, or a change of a list for an item that they touched in the 72 hours before)
the rules read the windows that end there; the strongest moment of an incident is its verdict. A late signal is put in
its place, and the moments from there on are evaluated again. Memory covers the windows and, before them, the time for
which late signals are accepted.

A person at rest is one record of JSON, which is also their line in a snapshot.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right, insort
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from struct import error as StructError  # noqa: N812 - it is a class
from typing import Any, Final, NamedTuple

import orjson

from dialer.core.errors import Refusal
from dialer.core.text import Text
from dialer.core.values import Grade
from dialer.signals.earlier_snapshots import to_format_2
from dialer.signals.explanations import Explainer, Scorer, grade_of_rank
from dialer.signals.features import FORGET_SECONDS, MONEY_SECONDS, RuleReader
from dialer.signals.incidents import Incident, PersonState, latest_in, line_of
from dialer.signals.model import Item, ListKind, Signal, SignalKind
from dialer.signals.observations import (
    SECOND,
    Facts,
    Listing,
    Listings,
    Observation,
    item_number,
    to_microseconds,
)
from dialer.signals.rules import Effect, RuleSet
from dialer.signals.scorecard import Scorecard
from dialer.signals.verdicts import Bands, ItemStatus, Verdict, VerdictChange

_MONEY: Final = MONEY_SECONDS * SECOND
_PARTS: Final = 4096
"""Parts of the index of touched items: few enough to be small, so many that one holds few persons."""
_FORMAT: Final = 2
MOST_ALIKE: Final = 100
"""The most signals of one kind from one source about one person, within a day of each other, that are read. Each is
read with all of them: without a limit, the cost grows with the square of their number and the others wait.
"""
_DAY: Final = 86_400 * SECOND
_NEVER: Final = 1 << 63


class _Resting(NamedTuple):
    """A person at rest. The index holds this one `key`; `record` is a copy, because the encoder leaves its own in a
    larger piece of memory.
    """

    key: bytes
    record: bytes


@dataclass(slots=True, kw_only=True)
class _Concerned:
    """A person whom signals concern that are not evaluated yet, and the incidents `before` them. `place` is that of the
    last signal, `touched` the last touch of the item if it is a change of a list.
    """

    person: PersonState
    before: Sequence[Incident]
    place: int = 0
    touched: int = 0
    newest: list[int] = field(default_factory=list)
    """Moments after all others, to be read."""
    again: int | None = None
    """The moment from which on all are to be read again."""
    since: int = _NEVER
    """The first moment that was read."""

    def read_from(self, at: int) -> None:
        self.again = at if self.again is None else min(at, self.again)

    @property
    def start(self) -> int | None:
        """The first moment that is to be read; None if there is none."""
        return min((*self.newest[:1], *(() if self.again is None else (self.again,))), default=None)

    def evaluated(self) -> None:
        self.since = min(self.since, self.start if self.start is not None else self.since)
        self.newest, self.again = [], None


class SnapshotUnreadable(Refusal):
    """Bytes that are not a snapshot of this version: the stored signals have to be replayed instead."""

    def __init__(self) -> None:
        super().__init__(Text("the snapshot of the warning robot cannot be read; replay the stored signals"))


class Evaluator:
    """One shard. `apply` takes the signals of the persons that belong to the shard, and every change of a list.

    `too_late` and `repeated` count the signals that changed nothing. `flooding` names the sources of signals that were
    left out because there are `MOST_ALIKE` others; the reader clears it.
    """

    def __init__(
        self,
        rules: RuleSet,
        scorecard: Scorecard | None = None,
        *,
        allowed_lateness: timedelta = timedelta(hours=1),
        bands: Bands | None = None,
    ) -> None:
        self.rules = rules
        self.scorecard = scorecard or Scorecard()
        self.bands = bands or Bands()
        self._lateness = allowed_lateness // timedelta(microseconds=1)
        self._raising = {n for n, rule in enumerate(rules.rules) if rule.effect is Effect.POINTS}
        self._scorer = Scorer(rules, self.scorecard, self.bands)
        self._clear()

    def _clear(self) -> None:
        self.too_late = self.repeated = 0
        self.flooding: set[str] = set()
        self._facts: list[Facts] = []
        self._facts_places: dict[Facts, int] = {}
        self._listings = Listings()
        self._reader = RuleReader(self.rules, self._facts, self._listings)
        self._explainer = Explainer(self.rules, self.scorecard, self._scorer, self._reader, self._facts)
        self._keep = self._reader.longest_seconds * SECOND + self._lateness
        self._last_change = 0
        self._resting: dict[bytes, _Resting] = {}
        self._touching: list[list[bytes]] = [[] for _ in range(_PARTS)]
        """By part of the index, the persons with an observation of an item of this part, each once."""
        self._concerned: dict[bytes, _Concerned] = {}
        self._digests = 0
        """The sum of the digests of all incidents so far, modulo 2**128."""

    def __len__(self) -> int:
        return len(self._resting)

    # -- signals ------------------------------------------------------------------------------------------------

    def apply(self, signal: Signal) -> list[Verdict]:
        """The verdicts that the signal changed: usually none or one; after a change of a list one for each person
        affected, ordered by grade (highest first), last touch of the item (latest first) and money (most first). A
        repeated signal, one later than allowed, and one of too many alike changes nothing.
        """
        return [verdict for _, verdict in self.apply_all([signal])]

    def apply_all(self, signals: Sequence[Signal]) -> list[tuple[int, Verdict]]:
        """As `apply` for each of them in turn, but a person whom several concern is evaluated once: the verdict is what
        they changed together. Beside each verdict, the place of the last signal that concerned the person.
        """
        for place, signal in enumerate(signals):
            if signal.kind is SignalKind.LIST_CHANGE:
                self._note_change(place, signal)
            else:
                self._note_signal(place, signal)
        found: list[tuple[_Concerned, Verdict]] = []
        for concerned in self._concerned.values():
            self._read_again(concerned)
            self._drop(concerned.person)
            self._rest(concerned.person)
            changed = self._changes(concerned.person, concerned.before, concerned.since)
            found += [(concerned, verdict) for verdict in changed]
        self._concerned.clear()
        found.sort(
            key=lambda one: (
                one[0].place,
                -(one[1].grade.rank if one[1].grade else 0),
                -one[0].touched,
                -one[1].money_fen,
                one[1].person,
            )
        )
        return [(concerned.place, verdict) for concerned, verdict in found]

    def _note_signal(self, place: int, signal: Signal) -> None:
        """Puts the signal among the observations of its person, who is to be evaluated."""
        assert signal.person is not None
        person = self._person(signal.person) or PersonState(key=signal.person)
        at = to_microseconds(signal.event_at)
        if at < person.latest - self._lateness:
            self.too_late += 1
            return
        alike = 0
        for known in person.observations:
            facts = self._facts[known.facts]
            if facts.source == signal.source:
                if known.signal_no == signal.signal_no:
                    self.repeated += 1
                    return
                alike += facts.kind is signal.kind and -_DAY < known.at - at < _DAY
        if alike >= MOST_ALIKE:
            self.flooding.add(signal.source)
            return
        concerned = self._concern(person, place)
        observation = Observation(
            at=at,
            facts=self._place_of(Facts.of_signal(signal)),
            figure=signal.duration_seconds or signal.amount_fen,
            items=[item_number(item) for item in signal.items],
            signal_no=signal.signal_no,
        )
        self._index(person.key, _parts([observation]) - _parts(person.observations))
        insort(person.observations, observation, key=self._order)
        if person.observations[-1] is observation and at >= self._last_change:
            concerned.newest.append(at)
        else:
            concerned.read_from(at)
        person.latest = max(person.latest, at)

    def _note_change(self, place: int, signal: Signal) -> None:
        """Enters the change of a list; who touched its item is to be evaluated."""
        at = to_microseconds(signal.event_at)
        for concerned in self._concerned.values():
            if at < concerned.person.latest - self._lateness:
                # It counts from the last signal on, not for what those before it have changed.
                self._read_again(concerned)
        item = None if signal.unconfirmed else self._listings.enter(signal)
        if item is None:
            self.repeated += 1
            return
        self._last_change = max(self._last_change, at)
        for person in self._persons_touching(item):
            concerned = self._concern(person, place)
            concerned.touched = person.last_touch(item)
            concerned.read_from(at if at >= person.latest - self._lateness else person.latest)

    def _concern(self, person: PersonState, place: int) -> _Concerned:
        concerned = self._concerned.get(person.key)
        if concerned is None:
            concerned = self._concerned[person.key] = _Concerned(person=person, before=person.incidents())
        concerned.place, concerned.touched = place, 0
        return concerned

    def _read_again(self, concerned: _Concerned) -> None:
        person, start = concerned.person, concerned.start
        if start is None:
            return
        moments = self._moments(person, start) if concerned.again else [*dict.fromkeys(concerned.newest)]
        self._evaluate(person, start, moments)
        concerned.evaluated()

    def item_status(self, item: Item, at: datetime) -> ItemStatus:
        """The lists that contain the item at `at`, and how many persons of this shard touched it in the 72 hours
        before.
        """
        number, t = item_number(item), to_microseconds(at)
        return ItemStatus(
            lists=self._listings.lists_at(number, t),
            touched=sum(
                t - _MONEY < person.last_touch(number) <= t for person in self._persons_touching(number)
            ),
        )

    def sweep(self, now: datetime) -> int:
        """Drops what no window at or after `now` can reach, and persons of whom nothing is left; returns the number of
        those persons. From here on, signals later than allowed at `now` count as too late. Verdicts that are dropped
        remain in the fingerprint.
        """
        limit = to_microseconds(now)
        self._listings.forget_until(limit - self._keep)
        gone = 0
        old = [resting for resting in self._resting.values() if latest_in(resting.record) < limit]
        for resting in old:
            person = PersonState.from_record(*resting)
            person.latest = limit
            self._drop(person)
            if person.is_empty:
                del self._resting[person.key]
                gone += 1
            else:
                self._rest(person)
        return gone

    # -- one person ---------------------------------------------------------------------------------------------

    def _person(self, key: bytes) -> PersonState | None:
        if key in self._concerned:
            return self._concerned[key].person
        resting = self._resting.get(key)
        return None if resting is None else PersonState.from_record(*resting)

    def _index(self, key: bytes, parts: Collection[int]) -> None:
        for part in parts:
            self._touching[part].append(key)

    def _rest(self, person: PersonState) -> None:
        self._resting[person.key] = _Resting(person.key, bytes(memoryview(person.to_record())))

    def _place_of(self, facts: Facts) -> int:
        place = self._facts_places.setdefault(facts, len(self._facts))
        if place == len(self._facts):
            self._facts.append(facts)
        return place

    def _order(self, observation: Observation) -> tuple[int, str, str]:
        return observation.at, self._facts[observation.facts].source, observation.signal_no

    def _persons_touching(self, item: int) -> Iterator[PersonState]:
        """The persons who have an observation of the item."""
        written = b"%d" % item
        for key in [*self._touching[item % _PARTS]]:
            if key in self._concerned or written in self._resting[key].record:
                person = self._person(key)
                if person is not None and person.last_touch(item):
                    yield person

    def _moments(self, person: PersonState, start: int) -> list[int]:
        """The moments from `start` on at which something happened to the person."""
        found: set[int] = set()
        for observation in person.observations:
            at = observation.at
            if at >= start:
                found.add(at)
            for item in observation.items:
                for change in self._listings.changes.get(item, ()):
                    if start <= change.at and at <= change.at < at + _MONEY:
                        found.add(change.at)
        return sorted(found)

    def _evaluate(self, person: PersonState, start: int, moments: Sequence[int]) -> None:
        """Reads the rules at `moments`, none of which is before `start`, and replaces the points from there on."""
        points = [point for point in person.points if point.at < start]
        for t in moments:
            count = bisect_right(person.observations, t, key=attrgetter("at"))
            reading = self._reader.read_at(t, person.observations[:count], person.contacts)
            if reading.fired:
                point = self._scorer.point(t, reading.fired, reading.money_fen)
                # Also without points, so that the random draw can find what the scorecard gives no points for.
                if point.rank or not self._raising.isdisjoint(reading.fired):
                    points.append(point)
        if points != person.points:
            self._digests -= _digest(person)
            person.points = points
            self._digests += _digest(person)

    def _drop(self, person: PersonState) -> None:
        """Drops what no later window reaches, and settles what nothing can change any more."""
        dropped = person.drop_until(person.latest - self._keep)
        for part in _parts(dropped) - _parts(person.observations) if dropped else ():
            self._touching[part].remove(person.key)
        person.forget_until(person.latest - FORGET_SECONDS * SECOND - self._lateness)
        person.settle_until(person.latest - self._lateness)

    # -- verdicts -----------------------------------------------------------------------------------------------

    def _changes(self, person: PersonState, before: Sequence[Incident], start: int) -> list[Verdict]:
        """The verdict on the last incident if it can differ from that of `before`. Something from `start` on is known
        now that was not known.
        """
        incidents = person.incidents()
        last, was = incidents[-1] if incidents else None, before[-1] if before else None
        change, incident = _change(was, last, start), last or was
        return [] if change is None or incident is None else [self._verdict(person, incident, change)]

    def _verdict(self, person: PersonState, incident: Incident, change: VerdictChange) -> Verdict:
        return self._explainer.verdict(person, incident, change)

    def rules_firing(self, key: bytes, at: datetime) -> tuple[str, ...]:
        """The ids of the rules that fire for the person at `at`; () for an unknown person. Memory must still cover that
        moment.
        """
        person = self._person(key)
        if person is None:
            return ()
        t = to_microseconds(at)
        observations = [observation for observation in person.observations if observation.at <= t]
        reading = self._reader.read_at(t, observations, person.contacts)
        return tuple(self.rules.rules[n].id for n in reading.fired)

    def grade(self, key: bytes) -> Grade | None:
        """The grade of the person's last incident; None below the threshold and without an incident."""
        person = self._person(key)
        incidents = person.incidents() if person else []
        return grade_of_rank(incidents[-1].best.rank) if incidents else None

    def verdict(self, key: bytes) -> Verdict | None:
        """The verdict on the person's last incident; None if there is none."""
        person = self._person(key)
        incidents = person.incidents() if person else []
        return self._verdict(person, incidents[-1], VerdictChange.NEW) if person and incidents else None

    # -- fingerprint and snapshot -------------------------------------------------------------------------------

    def fingerprint(self) -> str:
        """The fingerprint of all verdicts so far. The same signals in any order give the same fingerprint, and the sum
        (modulo 2**128) of those of the shards is that of the whole.
        """
        return f"{self._digests % (1 << 128):032x}"

    def snapshot(self) -> bytes:
        """Everything in memory, as input for `restore`. With the same settings the restored evaluator gives the same
        verdicts.
        """
        head = {
            "format": _FORMAT, "basis": self._basis(), "persons": len(self._resting), "too_late": self.too_late,
            "repeated": self.repeated, "facts": [facts.to_list() for facts in self._facts],
            "last_change": self._last_change, "digests": self.fingerprint(),
            "listings": [[item, [[*change] for change in changes]] for item, changes in self._listings.changes.items()],
        }  # fmt: skip
        lines = (line_of(*resting) for resting in self._resting.values())
        return b"\n".join((orjson.dumps(head), *lines))

    def restore(self, data: bytes) -> None:
        """Replaces everything in memory with the snapshot. If its rules, scorecard, bands or lateness differ, the
        windows are kept and the verdicts are computed again from them. Raises `SnapshotUnreadable`.
        """
        try:
            head, *lines = data.split(b"\n")
            if orjson.loads(head)["format"] == 1:
                head, *lines = to_format_2(data).split(b"\n")
            self._load(orjson.loads(head), lines)
        except (ValueError, KeyError, TypeError, IndexError, StructError) as error:
            self._clear()
            raise SnapshotUnreadable from error

    def _load(self, head: dict[str, Any], lines: Sequence[bytes]) -> None:
        if head["format"] != _FORMAT or head["persons"] != len(lines):
            raise ValueError(head["format"])
        self._clear()
        for values in head["facts"]:
            self._place_of(Facts.from_list(values))
        self.too_late, self.repeated = head["too_late"], head["repeated"]
        self._last_change, self._digests = head["last_change"], int(head["digests"], 16)
        for item, changes in head["listings"]:
            self._listings.changes[item] = tuple(
                Listing(at, key, ListKind(kind), *more) for at, key, kind, *more in changes
            )
        is_same = head["basis"] == self._basis()
        for line in lines:
            written, _, record = line.partition(b" ")
            person = PersonState.from_record(bytes.fromhex(written.decode()), record)
            self._index(person.key, _parts(person.observations))
            if not is_same:
                self._digests -= _digest(person)
                person.points, person.settled = [], None
                self._evaluate(person, 0, self._moments(person, 0))
                self._drop(person)
            self._rest(person)

    def _basis(self) -> str:
        """A hash of everything that the points in memory depend on."""
        basis = [
            self.rules.content_hash,
            self.scorecard.content_hash,
            asdict(self.bands),
            self._lateness,
            "lists by source",
        ]
        return hashlib.sha256(orjson.dumps(basis)).hexdigest()


def _parts(observations: Iterable[Observation]) -> set[int]:
    """The parts of the index of the items of these observations."""
    return {item % _PARTS for observation in observations for item in observation.items}


def _change(before: Incident | None, last: Incident | None, start: int) -> VerdictChange | None:
    """How the verdict of the last incident differs from that before; None if it says the same."""
    if last is None:
        return None if before is None else VerdictChange.WITHDRAWN
    if before is None or last.is_apart_from(before):
        return VerdictChange.NEW
    was, is_now = before.best.strength[:2], last.best.strength[:2]
    if was != is_now:
        return VerdictChange.RAISED if is_now > was else VerdictChange.LOWERED
    # What came before its moment may be part of what it rests on: the money, a count, a signal of a rule.
    rests_on_more = start <= last.best.at
    return (
        VerdictChange.RESTATED
        if rests_on_more or (before.since, before.best) != (last.since, last.best)
        else None
    )


def _digest(person: PersonState) -> int:
    """The sum of the digests of the person's incidents."""
    key = hashlib.sha256(person.key).digest()
    return sum(_digest_of(key, incident) for incident in person.incidents())


def _digest_of(key: bytes, incident: Incident) -> int:
    best = incident.best
    fired = sum(1 << n for n in best.fired)
    content = b"%d %d %d %d %d %d" % (incident.since, best.at, best.rank, best.score, best.money_fen, fired)
    return int.from_bytes(hashlib.blake2b(content, key=key, digest_size=16).digest())
