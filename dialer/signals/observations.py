"""Signals as the rules read them: observations of one person, and which items are in which lists. Pure.

Times are whole microseconds since 1970, so that windows are exact. An item is the whole number of eight bytes of its
key.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from dialer.core.sources import LISTS_SOURCE, ROBOT_SOURCE
from dialer.core.values import FraudType, Grade
from dialer.signals.model import (
    FLAGS,
    Direction,
    Item,
    ListChange,
    ListKind,
    Reporter,
    Signal,
    SignalKind,
    Topic,
)

SECOND: Final = 1_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CONTACT_KINDS: Final = {SignalKind.CALL, SignalKind.SMS, SignalKind.WEB, SignalKind.APP}


def to_microseconds(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def from_microseconds(at: int) -> datetime:
    """The moment (UTC) of microseconds since 1970; the reverse of `to_microseconds`."""
    return _EPOCH + timedelta(microseconds=at)


def item_number(item: Item) -> int:
    """The number of an item in memory."""
    return int.from_bytes(blake2b(item.key, digest_size=8, person=item.kind.encode()).digest())


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What many signals have in common: everything but their time, number, items and figure. A payment without a
    direction is one that was made, another signal without one was received.
    """

    source: str
    kind: SignalKind
    direction: Direction
    topic: Topic | None
    fraud_type: FraudType | None
    grade: Grade | None
    reporter: Reporter | None
    flags: frozenset[str]

    @classmethod
    def of_signal(cls, signal: Signal) -> Facts:
        """The facts of a signal."""
        usual = Direction.OUT if signal.kind is SignalKind.PAYMENT_ATTEMPT else Direction.IN
        return cls(
            source=signal.source, kind=signal.kind, direction=signal.direction or usual, topic=signal.topic,
            fraud_type=signal.fraud_type, grade=signal.grade, reporter=signal.reporter,
            flags=frozenset(name for name in FLAGS if getattr(signal, name)),
        )  # fmt: skip

    def to_list(self) -> list[Any]:
        """The values for JSON, in the order of the fields."""
        *words, flags = astuple(self)
        return [*words, sorted(flags)]

    @classmethod
    def from_list(cls, values: list[Any]) -> Facts:
        """The reverse of `to_list`. Raises `ValueError`."""
        source, kind, direction, topic, fraud_type, grade, reporter, flags = values
        return cls(
            source=source,
            kind=SignalKind(kind),
            direction=Direction(direction),
            topic=None if topic is None else Topic(topic),
            fraud_type=None if fraud_type is None else FraudType(fraud_type),
            grade=None if grade is None else Grade(grade),
            reporter=None if reporter is None else Reporter(reporter),
            flags=frozenset(flags),
        )

    @property
    def may_name_scammer(self) -> bool:
        """Whether the items may belong to a scammer: those of a call, message, site or app, or of a payment to a new
        payee. A login has the person's own account.
        """
        if self.kind is SignalKind.PAYMENT_ATTEMPT:
            return self.direction is Direction.OUT and "new_payee" in self.flags
        return self.kind in _CONTACT_KINDS


class Observation(NamedTuple):
    """A signal of one person: `facts` is the place of its facts in the evaluator's list, `figure` its seconds or
    fen.
    """

    at: int
    facts: int
    figure: int
    items: list[int]
    signal_no: str


class Listing(NamedTuple):
    """A change of a list for one item; `key` identifies its signal. `source` is '' for entries of snapshots that had
    none.
    """

    at: int
    key: str
    kind: ListKind
    name: str
    entered: bool
    source: str = ""


_NONE: Final[AbstractSet[ListKind]] = frozenset()
LISTED_FOR: Final = timedelta(days=180)
"""How long an entry of a list holds."""
_LISTED_FOR: Final = LISTED_FOR // timedelta(microseconds=1)
_CONFIRMED: Final = frozenset({"", ROBOT_SOURCE, LISTS_SOURCE})
"""Whose trusted items count for the signals of every source."""


def _counts_for(entry: Listing, source: str) -> bool:
    """Whether the entry counts for signals of this source, '' for those of every source. A trusted item lowers
    verdicts: it counts only for signals of the source that entered it, unless a person has confirmed it.
    """
    return entry.kind is not ListKind.TRUSTED or entry.source == source or entry.source in _CONFIRMED


class Listings:
    """Which items are in which lists, at any moment. Changes may arrive in any order. An entry belongs to its source:
    no other source takes it off. It lapses after `LISTED_FOR`, if it is not entered again.
    """

    def __init__(self) -> None:
        self.changes: dict[int, tuple[Listing, ...]] = {}

    def enter(self, signal: Signal) -> int | None:
        """Takes a change of a list; returns its item, or None if the change was there already."""
        assert signal.list_kind is not None
        item = item_number(signal.items[0])
        change = Listing(
            at=to_microseconds(signal.event_at),
            key=blake2b(f"{signal.source}\t{signal.signal_no}".encode(), digest_size=8).hexdigest(),
            kind=signal.list_kind,
            name=signal.list_name,
            entered=signal.change is ListChange.ENTERED,
            source=signal.source,
        )
        known = self.changes.get(item, ())
        if any(other[:2] == change[:2] for other in known):
            return None
        self.changes[item] = tuple(sorted((*known, change)))
        return item

    def entries_at(self, item: int, at: int) -> Iterator[Listing]:
        """The entries that hold for the item at `at`."""
        state: dict[tuple[str, ListKind, str], Listing] = {}
        for change in self.changes.get(item, ()):
            if change.at <= at:
                if not change.entered:
                    # Also one of before sources were kept, and what a person has confirmed of this source.
                    state.pop(("", change.kind, change.name), None)
                    state.pop((LISTS_SOURCE, change.kind, change.source), None)
                    if change.kind is ListKind.FRAUD:
                        # As which it counted if the source was on probation.
                        state.pop((change.source, ListKind.SUSPECTED, change.name), None)
                state[change.source, change.kind, change.name] = change
        return (entry for entry in state.values() if entry.entered and at - entry.at < _LISTED_FOR)

    def lists_at(self, item: int, at: int) -> frozenset[tuple[ListKind, str]]:
        """Kinds and names of the lists that contain the item at `at` for the signals of every source."""
        return frozenset(
            (entry.kind, entry.name) for entry in self.entries_at(item, at) if _counts_for(entry, "")
        )

    def kinds_at(self, items: list[int], at: int, *, source: str = "") -> AbstractSet[ListKind]:
        """The kinds of lists that contain any of the items at `at`, for a signal of this source; ''
        for those of every source.
        """
        listed = [item for item in items if item in self.changes]
        if not listed:
            return _NONE
        return {
            entry.kind for item in listed for entry in self.entries_at(item, at) if _counts_for(entry, source)
        }

    def sources_listing(self, items: list[int], kinds: AbstractSet[ListKind], at: int) -> set[str]:
        """The sources that have any of the items in a list of these kinds at `at`."""
        return {entry.source for item in items for entry in self.entries_at(item, at) if entry.kind in kinds}

    def forget_until(self, limit: int) -> None:
        """Drops the entries that have lapsed before `limit`."""
        for item, changes in list(self.changes.items()):
            kept = tuple(change for change in changes if change.at + _LISTED_FOR > limit)
            if len(kept) < len(changes):
                if kept:
                    self.changes[item] = kept
                else:
                    del self.changes[item]

    def entered_at(self, items: list[int], at: int) -> int:
        """When one of the items was last entered in a fraud or suspected list, at or before `at`; 0 if never."""
        return max(
            (
                change.at
                for item in items
                for change in self.changes.get(item, ())
                if change.entered and change.kind is not ListKind.TRUSTED and change.at <= at
            ),
            default=0,
        )
