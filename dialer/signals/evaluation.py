"""The evaluator turns signals into verdicts, with everything that the rules need about each person in memory. Pure.

The verdict of a person is a function of the set of signals, not of their order. At every moment at which something
happened to the person (a signal about them, or a change of a list for an item that they touched in the 72 hours before)
the rules read the windows that end there; the strongest moment of an incident is its verdict. A late signal is put in
its place, and the moments from there on are evaluated again. Memory covers the windows and, before them, the time for
which late signals are accepted.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from struct import Struct
from struct import error as StructError  # noqa: N812 - it is a class
from typing import Any, Final, NamedTuple

from dialer.core.errors import Refusal
from dialer.core.text import Text
from dialer.core.values import FraudType, Grade
from dialer.signals.conditions import kept_from_firing
from dialer.signals.features import (
    AT,
    FORGET_SECONDS,
    FRAUD_TYPES,
    KNOWN,
    MONEY_SECONDS,
    NO_ITEM,
    ROW,
    SECOND,
    Listings,
    Row,
    Trace,
    compile_rules,
    from_microseconds,
    item_key,
    listing_of,
    rows_of,
    test_passes,
    to_microseconds,
)
from dialer.signals.model import Item, Signal, SignalKind
from dialer.signals.rules import Effect, RuleSet, Test
from dialer.signals.scorecard import Scorecard
from dialer.signals.verdicts import (
    Bands,
    Counterfactual,
    FiredRule,
    ItemStatus,
    SignalName,
    Verdict,
    VerdictChange,
    fill_reason,
    rules_that_fired,
)

GAP: Final = timedelta(hours=72)
"""What follows after this long without a scoring moment is another incident."""
_GAP: Final = GAP // timedelta(microseconds=1)
_SLACK: Final = 6 * 3600 * SECOND
"""Rows are dropped some hours later than they could be, so that many are dropped at once."""
_BUCKETS: Final = 4096
"""Parts of the index of touched items, by the first bits of the item's key."""
_SLOT: Final = (1 << 32) - 1
_STALE: Final = 1 << 16
"""The index is rebuilt when it has this many entries more than twice the number at its last rebuild."""
_FORMAT: Final = 1
_HEAD: Final = Struct("<HIIIIq")


class SnapshotUnreadable(Refusal):
    """Bytes that are not a snapshot of this version: the stored signals have to be replayed instead."""

    def __init__(self) -> None:
        super().__init__(Text("the snapshot of the warning robot cannot be read; replay the stored signals"))


class _Point(NamedTuple):
    """A scoring moment: microseconds, rank of its grade (0: none), score, money in fen, and a bit for each rule that
    fired.
    """

    at: int
    rank: int
    score: int
    money: int
    fired: int

    @property
    def strength(self) -> tuple[int, int, int]:
        return self.rank, self.score, -self.at


class _Incident(NamedTuple):
    since: int
    last: int
    best: _Point

    def joined(self, point: _Point) -> _Incident:
        return _Incident(self.since, point.at, max(self.best, point, key=lambda one: one.strength))


class _Person:
    __slots__ = ("known", "latest", "names", "points", "rows", "settled", "slot")

    def __init__(self, slot: int) -> None:
        self.rows = b""
        self.names = b""
        self.known = b""
        self.latest = 0
        self.points: tuple[_Point, ...] = ()
        self.settled: _Incident | None = None
        self.slot = slot


class Evaluator:
    """One shard. `apply` takes the signals of the persons that belong to the shard, and every change of a list.

    `too_late` and `repeated` count the signals that changed nothing.
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
        self.too_late = self.repeated = 0
        self._lateness = allowed_lateness // timedelta(microseconds=1)
        self._compiled = compile_rules(rules)
        self._score = self._compiled.score
        self._keep = self._compiled.longest_seconds * SECOND + self._lateness
        self._points = self.scorecard.points_of(rules)
        self._raising = sum(1 << n for n, rule in enumerate(rules.rules) if rule.effect is Effect.POINTS)
        self._scores: dict[int, tuple[int, float, int, int]] = {}
        self._sources: dict[str, int] = {}
        self._persons: dict[bytes, _Person] = {}
        self._slots: list[bytes | None] = []
        self._touches: list[array[int] | None] = [None] * _BUCKETS
        self._touches_count = self._touches_when_made = 0
        self._listings = Listings()
        self._last_change = 0
        self._closed = 0

    def __len__(self) -> int:
        return len(self._persons)

    # -- signals ------------------------------------------------------------------------------------------------

    def apply(self, signal: Signal) -> list[Verdict]:
        """The verdicts that the signal changed: usually none or one; after a change of a list one for each person
        affected, ordered by grade (highest first), last touch of the item (latest first) and money (most first). A
        repeated signal, and one later than allowed, changes nothing.
        """
        if signal.kind is SignalKind.LIST_CHANGE:
            return self._apply_change(signal)
        assert signal.person is not None
        at = to_microseconds(signal.event_at)
        person = self._persons.get(signal.person)
        if person is None:
            person = self._new(signal.person)
        elif at < person.latest - self._lateness:
            self.too_late += 1
            return []
        source = self._sources.setdefault(signal.source, len(self._sources))
        name = b"%d\t%b\n" % (source, signal.signal_no.encode())
        if person.names.startswith(name) or b"\n" + name in person.names:
            self.repeated += 1
            return []
        before = self._current(person)
        new = rows_of(signal)
        self._index(person, new)
        if self._insert(person, at, new, name) and at >= self._last_change:
            self._reread(person, at, [at])
        else:
            self._reread(person, at, self._moments(person, at))
        person.latest = max(person.latest, at)
        if at - AT.unpack_from(person.rows)[0] > self._keep + _SLACK:
            self._drop(person)
        self._settle(person)
        return self._told(signal.person, person, before)

    def _apply_change(self, signal: Signal) -> list[Verdict]:
        item, change = listing_of(signal)
        if not self._listings.add(item, change):
            self.repeated += 1
            return []
        at = change[0]
        self._last_change = max(self._last_change, at)
        told: list[tuple[int, Verdict]] = []
        for key, person in self._persons_touching(item):
            before = self._current(person)
            start = at if at >= person.latest - self._lateness else person.latest
            self._reread(person, start, self._moments(person, start))
            told += [(_last_touch(person.rows, item), one) for one in self._told(key, person, before)]
        told.sort(
            key=lambda one: (
                -(one[1].grade.rank if one[1].grade else 0),
                -one[0],
                -one[1].money_fen,
                one[1].person,
            )
        )
        return [verdict for _, verdict in told]

    def item_status(self, item: Item, at: datetime) -> ItemStatus:
        """The lists that contain the item at `at`, and how many persons of this shard touched it in the 72 hours
        before.
        """
        key, t = item_key(item), to_microseconds(at)
        start = t - MONEY_SECONDS * SECOND
        return ItemStatus(
            lists=self._listings.lists_at(key, t),
            touched=sum(
                start < _last_touch(person.rows, key) <= t for _, person in self._persons_touching(key)
            ),
        )

    def sweep(self, now: datetime) -> int:
        """Drops what no window at or after `now` can reach, and persons of whom nothing is left; returns the number of
        those persons. From here on, signals later than allowed at `now` count as too late. Verdicts that are dropped
        remain in the fingerprint.
        """
        limit = to_microseconds(now)
        gone = 0
        for key, person in list(self._persons.items()):
            person.latest = max(person.latest, limit)
            self._drop(person)
            self._settle(person)
            if not person.rows and not person.known and not person.points:
                self._close(key, person.settled)
                del self._persons[key]
                self._slots[person.slot] = None
                gone += 1
        if self._touches_count > 2 * self._touches_when_made + _STALE:
            self._rebuild_index()
        return gone

    # -- one person ---------------------------------------------------------------------------------------------

    def _new(self, key: bytes) -> _Person:
        person = self._persons[key] = _Person(len(self._slots))
        self._slots.append(key)
        return person

    def _index(self, person: _Person, new: bytes) -> None:
        """Adds the person to the index for the items of rows that are about to be inserted."""
        for row in ROW.iter_unpack(new):
            for item in row[6:]:
                if item != NO_ITEM and not _touches(person.rows, item):
                    self._note(item, person.slot)

    def _note(self, item: bytes, slot: int) -> None:
        """Adds an entry to the index: four bytes of the item's key and the slot of the person."""
        place = int.from_bytes(item[:2]) % _BUCKETS
        bucket = self._touches[place]
        if bucket is None:
            bucket = self._touches[place] = array("Q")
        bucket.append(int.from_bytes(item[2:6]) << 32 | slot)
        self._touches_count += 1

    def _rebuild_index(self) -> None:
        """Rebuilds the index without the items of dropped rows and the slots of dropped persons."""
        self._touches, self._slots, self._touches_count = [None] * _BUCKETS, [], 0
        for key, person in self._persons.items():
            person.slot = len(self._slots)
            self._slots.append(key)
            items = {item for row in ROW.iter_unpack(person.rows) for item in row[6:]}
            for item in items - {NO_ITEM}:
                self._note(item, person.slot)
        self._touches_when_made = self._touches_count

    def _persons_touching(self, item: bytes) -> list[tuple[bytes, _Person]]:
        """The persons who have a row with the item, with their keys."""
        bucket = self._touches[int.from_bytes(item[:2]) % _BUCKETS] or ()
        tag = int.from_bytes(item[2:6])
        found = []
        for slot in dict.fromkeys(one & _SLOT for one in bucket if one >> 32 == tag):
            key = self._slots[slot]
            if key is not None:
                person = self._persons[key]
                if _touches(person.rows, item):
                    found.append((key, person))
        return found

    @staticmethod
    def _insert(person: _Person, at: int, new: bytes, name: bytes) -> bool:
        """Inserts the rows in the order of time; rows with the same time are ordered by their content. True if they
        went to the end.
        """
        rows = person.rows
        name += b"\n" * (len(new) // ROW.size - 1)
        place = len(rows)
        while place and (AT.unpack_from(rows, place - ROW.size)[0], rows[place - ROW.size : place]) > (
            at,
            new,
        ):
            place -= ROW.size
        if place == len(rows):
            person.names += name
            person.rows = rows + new
            return True
        names = person.names.split(b"\n")
        names[place // ROW.size : place // ROW.size] = name.split(b"\n")[:-1]
        person.names = b"\n".join(names)
        person.rows = rows[:place] + new + rows[place:]
        return False

    def _moments(self, person: _Person, start: int) -> list[int]:
        """The moments from `start` on at which something happened to the person."""
        found: set[int] = set()
        changes = self._listings.changes
        for row in ROW.iter_unpack(person.rows):
            at = row[0]
            if at >= start:
                found.add(at)
            for item in row[6:]:
                if item in changes:
                    found.update(
                        one[0]
                        for one in changes[item]
                        if start <= one[0] and at <= one[0] < at + MONEY_SECONDS * SECOND
                    )
        return sorted(found)

    def _reread(self, person: _Person, start: int, moments: Sequence[int]) -> None:
        """Evaluates the rules at `moments`, none of which is before `start`, and replaces the points from there on."""
        points = person.points
        if points and points[-1].at >= start:
            points = tuple(one for one in points if one.at < start)
        rows = person.rows
        last = AT.unpack_from(rows, len(rows) - ROW.size)[0] if rows else 0
        for t in moments:
            given: Iterable[Row] = ROW.iter_unpack(rows) if t >= last else _until(rows, t)
            fired, money = self._score(given, t, self._listings, person.known)
            if fired:
                point = self._point(t, fired, money)
                # Also without points, so that the random draw can find what the scorecard gives no points for.
                if point.rank or fired & self._raising:
                    points = (*points, point)
        person.points = points

    def _point(self, t: int, fired: int, money: int) -> _Point:
        known = self._scores.get(fired)
        if known is None:
            score = max(0, sum(points for n, points in enumerate(self._points) if fired >> n & 1))
            floor = max(
                (one.floor.rank for n, one in enumerate(self.rules.rules) if fired >> n & 1 and one.floor),
                default=0,
            )
            known = self._scores[fired] = (score, self.scorecard.probability(score), floor, fired)
        # Points with equal bits share one integer object.
        score, probability, floor, fired = known
        grade = self.bands.grade(probability, money) if score else None
        return _Point(t, max(floor, grade.rank if grade else 0), score, money, fired)

    def _current(self, person: _Person) -> _Incident | None:
        """The last incident; earlier incidents of the points in memory are passed over."""
        incident = person.settled
        for point in person.points:
            if incident is None or point.at - incident.last > _GAP:
                incident = _Incident(point.at, point.at, point)
            else:
                incident = incident.joined(point)
        return incident

    def _drop(self, person: _Person) -> None:
        """Turns rows that no later window reaches into known items."""
        limit = person.latest - self._keep
        rows, size = person.rows, ROW.size
        count = 0
        while count * size < len(rows) and AT.unpack_from(rows, count * size)[0] <= limit:
            count += 1
        if count:
            seen: dict[bytes, tuple[int, int]] = {
                item: (first, last) for item, first, last in KNOWN.iter_unpack(person.known)
            }
            for row in ROW.iter_unpack(rows[: count * size]):
                at, item = row[0], row[6]
                first, last = seen.get(item, (at, at))
                seen[item] = (first if at - last <= FORGET_SECONDS * SECOND else at, at)
            seen.pop(NO_ITEM, None)
            person.known = b"".join(KNOWN.pack(item, *times) for item, times in seen.items())
            person.rows = rows[count * size :]
            person.names = person.names.split(b"\n", count)[count]
        if person.known:
            forgotten = person.latest - FORGET_SECONDS * SECOND - self._lateness
            if any(last < forgotten for _, _, last in KNOWN.iter_unpack(person.known)):
                person.known = b"".join(
                    KNOWN.pack(*one) for one in KNOWN.iter_unpack(person.known) if one[2] >= forgotten
                )

    def _settle(self, person: _Person) -> None:
        """Moves points that nothing can change any more into the settled incident."""
        settled = person.latest - self._lateness
        if not person.points or person.points[0].at >= settled:
            return
        key = self._slots[person.slot]
        assert key is not None
        for point in person.points:
            if point.at >= settled:
                break
            if person.settled is None or point.at - person.settled.last > _GAP:
                self._close(key, person.settled)
                person.settled = _Incident(point.at, point.at, point)
            else:
                person.settled = person.settled.joined(point)
        person.points = tuple(point for point in person.points if point.at >= settled)

    # -- verdicts -----------------------------------------------------------------------------------------------

    def _told(self, key: bytes, person: _Person, before: _Incident | None) -> list[Verdict]:
        now = self._current(person)
        if now == before:
            return []
        if now is None:
            assert before is not None
            return [self._verdict(key, person, before, VerdictChange.WITHDRAWN)]
        if before is None or (now.since - before.last > _GAP and now.since > before.since):
            return [self._verdict(key, person, now, VerdictChange.NEW)]
        was, is_now = before.best.strength[:2], now.best.strength[:2]
        if was == is_now:
            return []
        return [
            self._verdict(key, person, now, VerdictChange.RAISED if is_now > was else VerdictChange.LOWERED)
        ]

    def rules_firing(self, person: bytes, at: datetime) -> tuple[str, ...]:
        """The ids of the rules that fire for the person at `at`; () for an unknown person. Memory must still cover that
        moment.
        """
        held = self._persons.get(person)
        if held is None:
            return ()
        t = to_microseconds(at)
        fired, _ = self._score(_until(held.rows, t), t, self._listings, held.known)
        return tuple(rule.id for n, rule in enumerate(self.rules.rules) if fired >> n & 1)

    def grade(self, person: bytes) -> Grade | None:
        """The grade of the person's last incident; None below the threshold and without an incident."""
        held = self._persons.get(person)
        incident = self._current(held) if held else None
        rank = incident.best.rank if incident else 0
        return next((one for one in Grade if one.rank == rank), None)

    def verdict(self, person: bytes) -> Verdict | None:
        """The verdict on the person's last incident; None if there is none."""
        held = self._persons.get(person)
        incident = self._current(held) if held else None
        return (
            None
            if held is None or incident is None
            else self._verdict(person, held, incident, VerdictChange.NEW)
        )

    def _verdict(self, key: bytes, person: _Person, incident: _Incident, change: VerdictChange) -> Verdict:
        best = incident.best
        gone = change is VerdictChange.WITHDRAWN
        trace = self._compiled.trace(_until(person.rows, best.at), best.at, self._listings, person.known)
        names = self._names(person)
        fired = [n for n in range(len(self.rules.rules)) if best.fired >> n & 1] if not gone else []
        hits = [self._hit(n, trace, names) for n in fired]
        raising = [n for n in fired if self.rules.rules[n].effect is Effect.POINTS]
        grade = next((one for one in Grade if one.rank == best.rank), None)
        return Verdict(
            person=key, change=change, at=from_microseconds(best.at), since=from_microseconds(incident.since),
            score=0 if gone else best.score, probability=0.0 if gone else self.scorecard.probability(best.score),
            grade=None if gone else grade, fraud_type=self._fraud_type(raising, trace, person.rows),
            money_fen=best.money,
            hits=tuple(one for n, one in zip(fired, hits, strict=True) if n in raising),
            mitigators=tuple(one for n, one in zip(fired, hits, strict=True) if n not in raising),
            kept=tuple(kept for n in raising for kept in self._kept(n, trace, best)),
            calming=self._calming(best),
        )  # fmt: skip

    def _names(self, person: _Person) -> list[SignalName]:
        """The source and number of the signal of each row, in the order of the rows."""
        sources = list(self._sources)
        parts = (one.split("\t") for one in person.names.decode().split("\n")[:-1])
        return [
            SignalName(sources[int(one[0])], one[1]) if len(one) > 1 else SignalName("", "") for one in parts
        ]

    def _hit(self, n: int, trace: Trace, names: Sequence[SignalName]) -> FiredRule:
        rule, places = self.rules.rules[n], self._compiled.names[n]
        used = sorted({row for place in places.values() for row in trace.rows[place]})
        values = {name: trace.figures[place] for name, place in places.items()}
        return FiredRule(
            rule=rule.id, version=rule.version, points=abs(self._points[n]), values=values,
            signals=tuple(sorted(names[row] for row in used)),
            reason={language: fill_reason(template, values) for language, template in rule.reason.items()},
        )  # fmt: skip

    def _kept(self, n: int, trace: Trace, best: _Point) -> Iterable[Counterfactual]:
        rule, places = self.rules.rules[n], self._compiled.names[n]
        enough = not self._point(best.at, best.fired & ~(1 << n), best.money).rank
        tests: tuple[Test, ...] = (*rule.all_of, *(rule.any_of if len(rule.any_of) == 1 else ()))
        for test in tests:
            if test_passes(test, places, trace.figures):
                bound = test.factor * (trace.figures[places[test.other]] if test.other else 1)
                figure = trace.figures[places[test.feature]]
                said = kept_from_firing(test, rule.features[test.feature], figure=figure, bound=bound)
                yield Counterfactual(
                    rule=rule.id, feature=test.feature, figure=figure, op=test.op, bound=bound, said=said,
                    enough=enough,
                )  # fmt: skip

    def _calming(self, best: _Point) -> tuple[str, ...]:
        if not best.rank:
            return ()
        return tuple(
            rule.id
            for n, rule in enumerate(self.rules.rules)
            if rule.effect is Effect.MITIGATOR
            and not best.fired >> n & 1
            and not self._point(best.at, best.fired | 1 << n, best.money).rank
        )

    def _fraud_type(self, raising: Sequence[int], trace: Trace, rows: bytes) -> FraudType:
        """The type with the most points; of equal ones the first in the order of the ministry. Rules without a type do
        not count.
        """
        points: dict[FraudType, int] = {}
        for n in raising:
            rule = self.rules.rules[n]
            types = {rule.fraud_type} if rule.fraud_type else self._types_named(n, trace, rows)
            for one in types:
                points[one] = points.get(one, 0) + self._points[n]
        points.pop(FraudType.UNKNOWN, None)
        return max(points, key=lambda one: (points[one], -FRAUD_TYPES.index(one)), default=FraudType.UNKNOWN)

    def _types_named(self, n: int, trace: Trace, rows: bytes) -> set[FraudType]:
        used = {row for place in self._compiled.names[n].values() for row in trace.rows[place]}
        codes = {rows[row * ROW.size + 9] for row in used}
        return {FRAUD_TYPES[code - 1] for code in codes if code}

    # -- fingerprint and snapshot -------------------------------------------------------------------------------

    def _close(self, key: bytes, incident: _Incident | None) -> None:
        if incident is not None:
            self._closed = (self._closed + _digest(key, incident)) % (1 << 128)

    def fingerprint(self) -> str:
        """The fingerprint of all verdicts so far. The same signals in any order give the same fingerprint, and the sum
        (modulo 2**128) of those of the shards is that of the whole.
        """
        total = self._closed
        for key, person in self._persons.items():
            incident = person.settled
            for point in person.points:
                if incident is None or point.at - incident.last > _GAP:
                    total += _digest(key, incident) if incident else 0
                    incident = _Incident(point.at, point.at, point)
                else:
                    incident = incident.joined(point)
            total += _digest(key, incident) if incident else 0
        return f"{total % (1 << 128):032x}"

    def snapshot(self) -> bytes:
        """Everything in memory, as input for `restore`. With the same settings the restored evaluator gives the same
        verdicts.
        """
        head = {
            "format": _FORMAT, "basis": self._basis(), "too_late": self.too_late, "repeated": self.repeated,
            "sources": list(self._sources), "last_change": self._last_change, "closed": f"{self._closed:x}",
            "listings": {
                item.hex(): [[at, key.hex(), *rest] for at, key, *rest in changes]
                for item, changes in self._listings.changes.items()
            },
        }  # fmt: skip
        pieces = [json.dumps(head).encode(), b"\n"]
        for key, one in self._persons.items():
            points = json.dumps([one.points, one.settled]).encode() if one.points or one.settled else b""
            pieces += [
                _HEAD.pack(len(key), len(one.rows), len(one.names), len(one.known), len(points), one.latest),
                key, one.rows, one.names, one.known, points,
            ]  # fmt: skip
        return b"".join(pieces)

    def restore(self, data: bytes) -> None:
        """Replaces everything in memory with the snapshot. If its rules, scorecard, bands or lateness differ, the
        windows are kept and the verdicts are computed again from them. Raises `SnapshotUnreadable`.
        """
        try:
            text, _, body = data.partition(b"\n")
            head = json.loads(text)
            if head["format"] == _FORMAT:
                self._load(head, memoryview(body))
                return
        except (ValueError, KeyError, TypeError, IndexError, StructError) as error:
            raise SnapshotUnreadable from error
        raise SnapshotUnreadable

    def _load(self, head: Mapping[str, Any], body: memoryview) -> None:
        self._persons, self._slots, self._listings = {}, [], Listings()
        self._touches, self._touches_count = [None] * _BUCKETS, 0
        self._sources = {source: n for n, source in enumerate(head["sources"])}
        self.too_late, self.repeated = head["too_late"], head["repeated"]
        self._last_change, self._closed = head["last_change"], int(head["closed"], 16)
        for item, changes in head["listings"].items():
            self._listings.changes[bytes.fromhex(item)] = tuple(
                (at, bytes.fromhex(key), bit, name, entered) for at, key, bit, name, entered in changes
            )
        same = head["basis"] == self._basis()
        place = 0
        while place < len(body):
            *lengths, latest = _HEAD.unpack_from(body, place)
            place += _HEAD.size
            parts = []
            for length in lengths:
                parts.append(bytes(body[place : place + length]))
                place += length
            key, rows, names, known, points = parts
            person = self._new(key)
            self._index(person, rows)
            person.rows, person.names, person.known, person.latest = rows, names, known, latest
            if not same:
                self._reread(person, 0, self._moments(person, 0))
                self._settle(person)
            elif points:
                kept, settled = json.loads(points)
                person.points = tuple(_Point(*one) for one in kept)
                person.settled = _Incident(settled[0], settled[1], _Point(*settled[2])) if settled else None
        self._touches_when_made = self._touches_count

    def _basis(self) -> str:
        """A hash of everything that the points in memory depend on."""
        basis = [self.rules.content_hash, self.scorecard.content_hash, asdict(self.bands), self._lateness]
        return hashlib.sha256(json.dumps(basis).encode()).hexdigest()


_FIRST_ITEM: Final = 21
_SECOND_ITEM: Final = 29
"""Offsets in a row, in bytes."""


def _has_at(rows: bytes, needle: bytes, *offsets: int) -> bool:
    """Whether a row has the eight bytes at one of the offsets."""
    place = rows.find(needle)
    while place >= 0:
        if place % ROW.size in offsets:
            return True
        place = rows.find(needle, place + 1)
    return False


def _touches(rows: bytes, item: bytes) -> bool:
    return _has_at(rows, item, _FIRST_ITEM, _SECOND_ITEM)


def _last_touch(rows: bytes, item: bytes) -> int:
    """The time of the last row with the item, in microseconds; 0 if there is none."""
    return max((row[0] for row in ROW.iter_unpack(rows) if item in row[6:]), default=0)


def _until(rows: bytes, t: int) -> list[Row]:
    return [row for row in ROW.iter_unpack(rows) if row[0] <= t]


def _digest(key: bytes, incident: _Incident) -> int:
    best = incident.best
    content = b"%d %d %d %d %d %d" % (incident.since, best.at, best.rank, best.score, best.money, best.fired)
    return int.from_bytes(hashlib.blake2b(content, key=hashlib.sha256(key).digest(), digest_size=16).digest())


__all__ = [
    "Bands", "Counterfactual", "Evaluator", "FiredRule", "SignalName", "SnapshotUnreadable", "Verdict",
    "VerdictChange", "fill_reason", "rules_that_fired",
]  # fmt: skip
