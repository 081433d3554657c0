"""What confirmed warnings rest on is entered in the suspected list: numbers, sites, apps and payees that people touched
who were being defrauded. The list changes as by any other source, so that retro-match finds who else touched them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from dialer.db.unit_of_work import Row, Tx
from dialer.signals.budget import is_worth_listing
from dialer.signals.features import ROW, names_another, rows_of
from dialer.signals.label_store import confirmed_verdicts
from dialer.signals.model import ROBOT_SOURCE, Change, Item, ListKind, SignalKind
from dialer.signals.store import SignalCodec, StoredSignal, signal_rows
from dialer.signals.verdict_store import reasons_of
from dialer.signals.verdicts import Standing

LIST_NAME: Final = "确认"
"""Of the list that the robot keeps itself."""
MOST_AT_ONCE: Final = 50
"""Warnings read in one look, the newest first: meanwhile no signal is evaluated."""
_DIGITS: Final = 48
"""Of an item's key in the number of its signal."""


@dataclass(slots=True)
class Confirmed:
    """What one process has read of confirmed warnings; a new one reads it again."""

    read: set[int] = field(default_factory=set)
    persons: dict[Item, dict[bytes, datetime]] = field(default_factory=dict)
    """Who of the confirmed ones touched an item, and when last."""

    def entries(
        self,
        tx: Tx,
        codec: SignalCodec,
        standing: Callable[[Item], Standing],
        opened: Callable[[Collection[Row]], Iterable[StoredSignal]],
        *,
        mitigators: frozenset[str],
        keep_days: int,
        now: datetime,
    ) -> list[Mapping[str, Any]]:
        """Raw changes of the list that follow from what was confirmed since the last look, for `SignalReception`; of
        the newest `MOST_AT_ONCE`, the others at the next look. An item is entered when `is_worth_listing` says so and
        it is on no list yet, that of trusted ones included. Only signals that are still stored (`keep_days`) count, and
        of them what names somebody else.
        """
        since = now - timedelta(days=keep_days)
        known = set(confirmed_verdicts(tx, codec, since=since))
        fresh = sorted(known - self.read)[-MOST_AT_ONCE:]
        names = {
            (one["source"], one["signal_no"])
            for reasons in reasons_of(tx, fresh).values()
            for reason in reasons
            if reason.rule not in mitigators
            for one in reason.told["signals"]
        }
        touched: dict[Item, str] = {}
        for stored in opened(signal_rows(tx, names)):
            first = rows_of(stored.signal)[: ROW.size]
            if stored.signal.person is None or not names_another(ROW.unpack(first)):
                continue
            for kind, value in stored.items.items():
                item = Item(kind, codec.item(kind, value))
                persons = self.persons.setdefault(item, {})
                persons[stored.signal.person] = max(
                    stored.signal.event_at, persons.get(stored.signal.person, since)
                )
                touched[item] = value
        self.read = self.read & known | set(fresh)
        for item, persons in list(self.persons.items()):
            kept = {person: at for person, at in persons.items() if at >= since}
            if kept:
                self.persons[item] = kept
            else:
                del self.persons[item]
        return [
            _entry(item, value, now)
            for item, value in touched.items()
            if not (its := standing(item)).kinds
            and is_worth_listing(len(self.persons.get(item, ())), its.touched)
        ]


def _entry(item: Item, value: str, now: datetime) -> Mapping[str, Any]:
    return {
        "source": ROBOT_SOURCE,
        "signal_no": item.key.hex()[:_DIGITS],
        "kind": SignalKind.LIST_CHANGE.value,
        "event_at": now.isoformat(),
        item.kind.value: value,
        "list_kind": ListKind.SUSPECTED.value,
        "list_name": LIST_NAME,
        "change": Change.ENTERED.value,
    }
