"""Enters the items of confirmed warnings in the suspected list: numbers, sites, apps and payees that people touched who
were being defrauded. The list changes as from any other source, so that retro-match finds who else touched them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from dialer.core.sources import ROBOT_SOURCE
from dialer.db.unit_of_work import Row, Tx
from dialer.signals.budget import is_worth_listing, is_worth_removing
from dialer.signals.label_store import answered_verdicts
from dialer.signals.model import Item, ListChange, ListKind, SignalKind
from dialer.signals.observations import Facts
from dialer.signals.store import SignalCodec, StoredSignal, signal_rows
from dialer.signals.verdict_store import reasons_of
from dialer.signals.verdicts import ItemStatus

LIST_NAME: Final = "确认"
"""The name of the list that the robot maintains."""
MOST_AT_ONCE: Final = 50
"""Warnings read in one call, the newest first: no signal is evaluated meanwhile."""
_DIGITS: Final = 48
"""Digits of the item's key in the number of its signal."""


@dataclass(slots=True)
class SuspectedListUpdates:
    """What one process has read of answered warnings; a new process reads them again."""

    read: set[int] = field(default_factory=set)
    answers: dict[Item, dict[tuple[bytes, bool], datetime]] = field(default_factory=dict)
    """By item: (person, whether the warning was right), with the last touch."""

    def changes(
        self,
        tx: Tx,
        codec: SignalCodec,
        standing: Callable[[Item], ItemStatus],
        opened: Callable[[Collection[Row]], Iterable[StoredSignal]],
        *,
        mitigators: frozenset[str],
        keep_days: int,
        now: datetime,
    ) -> list[Mapping[str, Any]]:
        """Raw changes of the list, for `SignalReception`, that follow from the answers since the last call. One call
        reads the newest `MOST_AT_ONCE` verdicts; the next call reads the others. An item that is on no list, trusted
        ones included, is entered when `is_worth_listing` says so; an item on this list is removed when
        `is_worth_removing` does. Only signals that are still stored (`keep_days`) count, and only those whose items may
        belong to a scammer.
        """
        since = now - timedelta(days=keep_days)
        known = answered_verdicts(tx, codec, since=since)
        fresh = sorted(known.keys() - self.read)[-MOST_AT_ONCE:]
        rests_on: dict[tuple[str, str], bool] = {}
        for verdict_id, reasons in reasons_of(tx, fresh).items():
            for reason in reasons:
                if reason.rule not in mitigators:
                    for signal in reason.details["signals"]:
                        rests_on[signal["source"], signal["signal_no"]] = known[verdict_id]
        touched: dict[Item, str] = {}
        for stored in opened(signal_rows(tx, rests_on)):
            signal = stored.signal
            if signal.person is None or not Facts.of_signal(signal).may_name_scammer:
                continue
            key = signal.person, rests_on[signal.source, signal.signal_no]
            for kind, value in stored.items.items():
                item = Item(kind, codec.item(kind, value))
                answers = self.answers.setdefault(item, {})
                answers[key] = max(signal.event_at, answers.get(key, since))
                touched[item] = value
        self.read = self.read & known.keys() | set(fresh)
        self._forget(since)
        found = []
        for item, value in touched.items():
            current, rights = standing(item), [right for _, right in self.answers.get(item, ())]
            confirmed, denied = rights.count(True), rights.count(False)
            if not current.lists and is_worth_listing(confirmed, denied, current.touched):
                found.append(_change(item, value, ListChange.ENTERED, now))
            elif (ListKind.SUSPECTED, LIST_NAME) in current.lists and is_worth_removing(confirmed, denied):
                found.append(_change(item, value, ListChange.REMOVED, now))
        return found

    def _forget(self, since: datetime) -> None:
        for item, answers in list(self.answers.items()):
            kept = {key: at for key, at in answers.items() if at >= since}
            if kept:
                self.answers[item] = kept
            else:
                del self.answers[item]


def _change(item: Item, value: str, change: ListChange, now: datetime) -> Mapping[str, Any]:
    """A raw change of the list. The signal number lets each item be entered once and removed once as long as signals
    are stored.
    """
    return {
        "source": ROBOT_SOURCE,
        "signal_no": f"{item.key.hex()[:_DIGITS]}-{change}",
        "kind": SignalKind.LIST_CHANGE.value,
        "event_at": now.isoformat(),
        item.kind.value: value,
        "list_kind": ListKind.SUSPECTED.value,
        "list_name": LIST_NAME,
        "change": change.value,
    }
