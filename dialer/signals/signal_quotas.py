"""How many signals a source may send: a request above its limits is refused whole until later, with an alarm. Nothing
of it is lost, since its sender has it and is told when to send it again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from dialer.core.events import AlarmCode
from dialer.core.sources import GeneralLimits, StoredCounts, wait_for_signals, with_sent
from dialer.db.alarms import raise_alarm_once
from dialer.db.sources import Source, lock_sources, write_counts
from dialer.db.unit_of_work import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalQuota:
    """What limited sources may still send, in one transaction, which locks them."""

    sources: Mapping[str, Source]
    general: GeneralLimits
    now: datetime
    counts: dict[str, StoredCounts] = field(default_factory=dict)
    """Of the sources whose signals were taken."""
    refused: dict[str, str] = field(default_factory=dict)
    """The limit that was in the way, by source."""

    @classmethod
    def begin(cls, tx: Tx, names: Collection[str], *, general: GeneralLimits, now: datetime) -> SignalQuota:
        """The quota of these sources."""
        return cls(sources=lock_sources(tx, names, now=now), general=general, now=now)

    def take(self, sent: Mapping[str, int]) -> tuple[str, float] | None:
        """Counts the signals of a request, by source, if all may be taken; else the source that sent too many, and the
        seconds until they may be.
        """
        own = {name: count for name, count in sent.items() if name in self.sources}
        for name, count in own.items():
            limits = self.sources[name].limits(self.general)
            wait = wait_for_signals(limits, self._counts(name), self.now, count)
            if wait is not None:
                self.refused[name], wait_seconds = wait
                return name, wait_seconds
        for name, count in own.items():
            self.counts[name] = with_sent(self._counts(name), self.now, signals=count)
        return None

    def _counts(self, name: str) -> StoredCounts:
        return self.counts.get(name, self.sources[name].counts)

    def finish(self, tx: Tx) -> None:
        """Stores the counts, and raises the alarm about what was refused."""
        write_counts(tx, self.counts)
        for name, limit in sorted(self.refused.items()):
            facts = {"source": name, "reason": limit}
            raise_alarm_once(tx, AlarmCode.SIGNALS_REFUSED, now=self.now, facts=facts, names=[name])
