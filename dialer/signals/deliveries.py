"""Signals that arrive from a request, a file or a stream: each is read by itself, wrong ones are rejected with every
reason, and the others are stored in one transaction. What is answered is committed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from dialer.core.errors import TooMany
from dialer.core.events import AlarmCode
from dialer.core.sources import SourceLimits, is_internal_source
from dialer.core.text import Text
from dialer.db.alarms import raise_alarm_once
from dialer.db.sources import limits_of_source
from dialer.db.unit_of_work import Tx
from dialer.runtime.services import Services
from dialer.signals.model import (
    ListChange,
    ListKind,
    RejectedField,
    Reporter,
    Signal,
    SignalReader,
    SignalReading,
    is_public_service,
)
from dialer.signals.signal_quotas import SignalQuota
from dialer.signals.store import SignalCodec, known_signals, lock_signals, write_signals

MOST_SIGNALS = 1000
"""The most signals in one request."""
_LIMITS_KEPT = timedelta(seconds=5)
LONGEST_VALUE = 4_000
"""The most characters in one field, such as the address of a page: reading a longer one takes seconds."""


class SignalStatus(StrEnum):
    """What became of one signal that was sent."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    """Its source has sent this number before; nothing changed."""
    REJECTED = "rejected"
    """Nothing of it was stored; after correction, the same number can be sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalAnswer:
    """The result of one signal."""

    status: SignalStatus
    source: str = ""
    signal_no: str = ""
    faults: tuple[RejectedField, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedReading:
    """A record that was read, and the sealed bytes to store."""

    reading: SignalReading
    sealed: bytes

    @property
    def key(self) -> tuple[str, str]:
        """Identifies the signal: its source and number."""
        return self.reading.signal.source, self.reading.signal.signal_no


Refused = tuple[RejectedField, ...]
"""Everything that is wrong with a record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalDelivery:
    """Signals that were read and not yet stored."""

    read: tuple[SealedReading | Refused, ...]
    counted: frozenset[str] = frozenset()
    """Sources whose signals are limited in number."""


def _is_outside(source: str) -> bool:
    return not is_internal_source(source)


class SignalReception:
    """Reads raw records: mappings from the name of a field to its value, as a line of a file or as JSON has them."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._codec = SignalCodec(services.store.vault)
        self._limits: dict[str, tuple[datetime, SourceLimits, bool]] = {}
        self._reader = SignalReader(
            zone=services.centre.zone,
            area=services.centre.area_code,
            person=self._codec.person,
            item=self._codec.item,
        )

    def read(
        self,
        sent: Sequence[Mapping[str, Any] | None],
        *,
        source: str = "",
        may_send: Callable[[str], bool] = _is_outside,
        limited: bool = False,
    ) -> SignalDelivery:
        """Reads records. A record without a source gets `source`; None stands for something that is not a record. A
        record of a source that `may_send` does not allow is rejected; by default these are the sources of the service
        itself. `limited`: within the limits of each source, as they were a few seconds ago.
        """
        now = self._services.clock.now()
        read = tuple(self._read(raw, source, may_send, now, limited=limited) for raw in sent)
        names = {item.key[0] for item in read if limited and isinstance(item, SealedReading)}
        counted = frozenset(name for name in names if self._limits_of(name)[0].limits_signals)
        return SignalDelivery(read=read, counted=counted)

    def _read(
        self,
        raw: Mapping[str, Any] | None,
        source: str,
        may_send: Callable[[str], bool],
        now: datetime,
        *,
        limited: bool,
    ) -> SealedReading | Refused:
        if raw is None:
            return (
                RejectedField(field="", reason=Text("is not a signal"), fix=Text("send each as an object")),
            )
        if unfit := _unfit(raw):
            return unfit
        given = raw if raw.get("source") or not source else {**raw, "source": source}
        reading = self._reader.read(given, received_at=now)
        if not isinstance(reading, SignalReading):
            return reading
        refused = _not_its_source(reading, may_send) or self._too_old(reading, now)
        if limited and not refused:
            limits, is_new = self._limits_of(reading.signal.source)
            refused, reading = _beyond(reading.signal, limits), _believed(reading, limits)
            weighs_less = is_new or not limits.may_list_as(ListKind.FRAUD.value)
            reading = _weighing_less(reading) if weighs_less else reading
        if _needs_confirmation(reading):
            reading = replace(reading, signal=replace(reading.signal, unconfirmed=True))
        return refused or SealedReading(reading=reading, sealed=self._codec.seal(reading))

    def _too_old(self, reading: SignalReading, now: datetime) -> Refused:
        kept = timedelta(days=self._services.signals.keep_days)
        if reading.signal.event_at >= now - kept:
            return ()
        reason = Text("is older than the %(days)s days for which signals are kept", days=kept.days)
        return (RejectedField(field="event_at", reason=reason, fix=Text("leave the signal out")),)

    def _limits_of(self, source: str) -> tuple[SourceLimits, bool]:
        """The limits of the source, and whether it is on probation."""
        real_now, services = self._services.real.now(), self._services
        read_at, limits, is_new = self._limits.get(source, (None, SourceLimits(), False))
        if read_at is None or not read_at <= real_now < read_at + _LIMITS_KEPT:
            general = services.live_sources.general_limits()
            with services.store.begin() as tx:
                limits, is_new = limits_of_source(tx, source, general=general, now=services.clock.now())
            self._limits[source] = real_now, limits, is_new
        return limits, is_new


def _not_its_source(reading: SignalReading, may_send: Callable[[str], bool]) -> Refused:
    if may_send(reading.signal.source):
        return ()
    reason = Text("is not a source for which you may send")
    return (RejectedField(field="source", reason=reason, fix=Text("send it with that source's token")),)


def _beyond(signal: Signal, limits: SourceLimits) -> Refused:
    """What the source may not send of this signal."""
    fix = Text("ask the centre: it sets what each source may send")
    if not limits.may_send_kind(signal.kind.value):
        reason = Text("is a kind that this source may not send")
        return (RejectedField(field="kind", reason=reason, fix=fix),)
    if signal.reporter is Reporter.BANK and limits.bank_reports is False:
        reason = Text("is a report of a bank, which this source may not send")
        return (RejectedField(field="reporter", reason=reason, fix=fix),)
    if signal.change is ListChange.ENTERED and not _may_enter(signal.list_kind, limits):
        reason = Text("is a list in which this source may not enter anything")
        return (RejectedField(field="list_kind", reason=reason, fix=fix),)
    return ()


def _may_enter(list_kind: ListKind | None, limits: SourceLimits) -> bool:
    """Whether the source may enter items in this list; fraud items of one that may only suspect count as suspected."""
    kinds = {ListKind.FRAUD, ListKind.SUSPECTED} if list_kind is ListKind.FRAUD else {list_kind}
    return any(kind is not None and limits.may_list_as(kind.value) for kind in kinds)


def _believed(reading: SignalReading, limits: SourceLimits) -> SignalReading:
    """The same with the amount up to which the source is believed."""
    most = limits.most_amount_fen
    if most is None or reading.signal.amount_fen <= most:
        return reading
    return replace(reading, signal=replace(reading.signal, amount_fen=most))


def _weighing_less(reading: SignalReading) -> SignalReading:
    """The same, of a source on probation, or one that may not list as fraud: what it lists as fraud counts as
    suspected, until it enters it again later or two people confirm it.
    """
    signal = reading.signal
    if signal.list_kind is not ListKind.FRAUD or signal.change is not ListChange.ENTERED:
        return reading
    return replace(reading, signal=replace(signal, list_kind=ListKind.SUSPECTED))


def _needs_confirmation(reading: SignalReading) -> bool:
    """Whether somebody outside lists as fraud, or suspects, what everybody uses: half a city would be called."""
    signal = reading.signal
    return (
        signal.change is ListChange.ENTERED
        and signal.list_kind in {ListKind.FRAUD, ListKind.SUSPECTED}
        and not is_internal_source(signal.source)
        and any(is_public_service(item, value) for item, value in reading.items.items())
    )


def _unfit(raw: Mapping[str, Any]) -> Refused:
    """The fault of the first value that no record may have, before any is read; () if there is none."""
    for name, value in raw.items():
        if not isinstance(value, str | int | float | None):
            fix = Text("write one text, number or truth value")
            return (RejectedField(field=name, reason=Text("has the wrong type"), fix=fix),)
        if isinstance(value, str) and len(value) > LONGEST_VALUE:
            reason = Text("is longer than %(most)s characters", most=LONGEST_VALUE)
            fix = Text("write what the field is for and nothing else")
            return (RejectedField(field=name, reason=reason, fix=fix),)
    return ()


class TooManySignals(TooMany):
    """A request with more signals than their source may send now: nothing of it was stored."""

    def __init__(self, source: str, wait_seconds: float) -> None:
        said = Text("more signals than %(source)s may send: wait, then send the same again", source=source)
        super().__init__(said)
        self.wait_seconds = wait_seconds


def take_signals(services: Services, deliveries: Sequence[SignalDelivery]) -> list[tuple[SignalAnswer, ...]]:
    """Stores the signals of all deliveries in one transaction, which is committed on return. The answers to each
    delivery are in the order of its signals.
    """
    if not any(map(_has_signals, deliveries)):
        return [tuple(map(_refusal, delivery.read)) for delivery in deliveries]
    with services.store.begin() as tx:
        return store_signals(tx, deliveries)


def take_within_limits(
    services: Services, deliveries: Sequence[SignalDelivery]
) -> list[tuple[SignalAnswer, ...] | TooManySignals]:
    """As `take_signals`, but a delivery that has more signals than one of its sources may send is not stored, with an
    alarm.
    """
    counted = frozenset[str]().union(*(delivery.counted for delivery in deliveries))
    if not counted:
        return [*take_signals(services, deliveries)]
    now = services.clock.now()
    with services.store.begin() as tx:
        storing = _Storing.begin(tx, deliveries)
        quota = SignalQuota.begin(tx, counted, general=services.live_sources.general_limits(), now=now)
        answers: list[tuple[SignalAnswer, ...] | TooManySignals] = []
        for delivery in deliveries:
            above = quota.take(storing.new_by_source(delivery))
            answers.append(storing.add(delivery) if above is None else TooManySignals(*above))
        storing.finish(tx)
        quota.finish(tx)
    return answers


def store_signals(tx: Tx, deliveries: Sequence[SignalDelivery]) -> list[tuple[SignalAnswer, ...]]:
    """As `take_signals`, in the caller's transaction."""
    storing = _Storing.begin(tx, deliveries)
    answers = [storing.add(delivery) for delivery in deliveries]
    storing.finish(tx)
    return answers


def _has_signals(delivery: SignalDelivery) -> bool:
    return any(isinstance(item, SealedReading) for item in delivery.read)


@dataclass(frozen=True, slots=True)
class _Storing:
    """The signals of a transaction: which are known, and which it will write."""

    seen: set[tuple[str, str]]
    fresh: list[tuple[SignalReading, bytes]]

    @classmethod
    def begin(cls, tx: Tx, deliveries: Sequence[SignalDelivery]) -> _Storing:
        """Lets this transaction alone write signals."""
        lock_signals(tx)
        keys = [
            item.key for delivery in deliveries for item in delivery.read if isinstance(item, SealedReading)
        ]
        return cls(known_signals(tx, keys), [])

    def new_by_source(self, delivery: SignalDelivery) -> Counter[str]:
        """How many of its signals are not known yet."""
        keys = {item.key for item in delivery.read if isinstance(item, SealedReading)}
        return Counter(source for source, _ in keys - self.seen)

    def add(self, delivery: SignalDelivery) -> tuple[SignalAnswer, ...]:
        return tuple(map(self._add, delivery.read))

    def _add(self, item: SealedReading | Refused) -> SignalAnswer:
        if not isinstance(item, SealedReading):
            return _refusal(item)
        status = SignalStatus.DUPLICATE if item.key in self.seen else SignalStatus.ACCEPTED
        if status is SignalStatus.ACCEPTED:
            self.seen.add(item.key)
            self.fresh.append((item.reading, item.sealed))
        source, number = item.key
        return SignalAnswer(status=status, source=source, signal_no=number)

    def finish(self, tx: Tx) -> None:
        if self.fresh:
            write_signals(tx, self.fresh)
        waiting = [reading.signal for reading, _ in self.fresh if reading.signal.unconfirmed]
        if waiting:
            names = {signal.source for signal in waiting}
            raise_alarm_once(tx, AlarmCode.LIST_ITEM_WAITS, now=waiting[0].received_at, names=names)


def _refusal(item: SealedReading | Refused) -> SignalAnswer:
    faults = () if isinstance(item, SealedReading) else item
    return SignalAnswer(status=SignalStatus.REJECTED, faults=faults)
