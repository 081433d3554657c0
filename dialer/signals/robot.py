"""`dialer robot` reads committed signals in the order of arrival, evaluates them, and stores verdicts and warnings in
the transaction that also records how far it is. After any end, even a kill, the next process therefore continues
exactly there: no signal is lost and no warning is sent twice.

The state of a shard is in memory, with a snapshot in the database. A process that takes over a shard restores the
snapshot and evaluates the signals since then again, without storing verdicts. Several processes share the shards.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Final

from dialer.core.errors import Refusal, Unavailable
from dialer.core.events import AlarmCode
from dialer.core.sources import ROBOT_SOURCE
from dialer.db.alarms import raise_alarm_once
from dialer.db.jobs import JobClaim
from dialer.db.leases import has_ended, process_name
from dialer.db.migrations import SchemaMoved, hold_schema
from dialer.db.system_state import end_heartbeat, heartbeats, note_heartbeat
from dialer.db.unit_of_work import Row, Tx
from dialer.db.vault import KeyMissing, Tampered
from dialer.runtime.services import Services
from dialer.signals.confirmed import SuspectedListUpdates
from dialer.signals.deliveries import MOST_SIGNALS, SignalReception, SignalStatus, take_signals
from dialer.signals.evaluation import Evaluator, SnapshotUnreadable
from dialer.signals.health import check_health, check_quality
from dialer.signals.model import Item, Signal
from dialer.signals.rule_store import live_rules_hash, newest_draft, rule_version_by_number
from dialer.signals.rules import Effect
from dialer.signals.sending import ChangedVerdict, release_held, send_random_draw, store_verdicts
from dialer.signals.shadow import (
    Grades,
    delete_old_shadow_grades,
    end_shadow,
    start_shadow,
    write_shadow_grades,
)
from dialer.signals.store import (
    EVERY_SHARD,
    SHARDS,
    Shard,
    SignalCodec,
    StoredSignal,
    advance_shards,
    delete_old_signals,
    read_signals,
    read_snapshot,
    release_shards,
    renew_shards,
    shard_holders,
    take_shards,
    write_snapshot,
)
from dialer.signals.verdict_store import delete_old_below
from dialer.signals.verdicts import ItemStatus, Verdict
from dialer.signals.versions import EvaluatorRules, live_rules, parse_version, seed_rules

KIND: Final = "robot"
LEASE_SECONDS: Final = 10.0
"""Another process takes over a shard at most this long after its holder was cut off."""
_AT_ONCE: Final = 1000
_BEAT_SECONDS: Final = 2.0
_BUSY_SECONDS, _QUIET_SECONDS = 0.02, 0.4
_QUIET_AFTER_SECONDS: Final = 5.0
_RELEASE_SECONDS: Final = 1.0
_HEALTH_SECONDS: Final = 15.0
_CLEAN_SECONDS: Final = 600.0
_QUALITY_SECONDS: Final = 3600.0
_LIST_SECONDS: Final = 20.0
_DRAW_EVERY: Final = timedelta(minutes=10)
_BELOW_KEPT: Final = timedelta(days=14)
"""For this long, a case that is filed without a call can still be compared with the verdict of the robot."""

_log = logging.getLogger(__name__)


class WarningRobot:
    """The part of the work that one process does. `stopped` ends it."""

    def __init__(self, services: Services, stopped: threading.Event, *, holder: str = "") -> None:
        self._services = services
        self._stopped = stopped
        self._holder = holder or process_name(os.getpid())
        self._codec = SignalCodec(services.store.vault)
        self._rules: EvaluatorRules | None = None
        self._may_work = False
        self._shards: dict[int, Evaluator] = {}
        self._claims: dict[int, JobClaim] = {}
        self._seq: dict[int, int] = {}
        self._changed: list[ChangedVerdict] = []
        self._newest: tuple[int, int] | None = (0, 0)
        self._draft: tuple[int, EvaluatorRules] | None = None
        self._beside: dict[int, Evaluator] = {}
        self._compared: dict[bytes, Grades] = {}
        self._answers = SuspectedListUpdates()
        self._last: dict[str, float] = {}
        self._snapshot_at: dict[int, float] = {}
        self._snapshot_seq: dict[int, int] = {}

    def run(self) -> None:
        """Works until `stopped`. When the database does not answer, logs a warning and tries the same work again."""
        worked_at = time.monotonic()
        while not self._stopped.is_set():
            try:
                self.do_periodic_work()
                count = self.evaluate_next()
            except (Unavailable, SchemaMoved) as fault:
                _log.warning("%s", fault)
                self._stopped.wait(_BEAT_SECONDS)
                continue
            if count:
                worked_at = time.monotonic()
            if count < _AT_ONCE:
                is_quiet = time.monotonic() - worked_at > _QUIET_AFTER_SECONDS
                self._stopped.wait(_QUIET_SECONDS if is_quiet else _BUSY_SECONDS)
        self.close()

    def close(self) -> None:
        """Writes snapshots and releases the shards for other processes."""
        try:
            self._snapshot(list(self._shards))
            with self._services.store.begin() as tx:
                release_shards(tx, list(self._claims.values()), holder=self._holder)
                end_heartbeat(tx, process=self._holder)
        except Unavailable as fault:
            _log.warning("%s", fault)
        self._shards.clear()
        self._claims.clear()

    def do_periodic_work(self) -> None:
        """Does the periodic work: shards, rules, snapshots, and what one process does for all. While a migration runs
        nothing is done, and `evaluate_next` evaluates nothing. Raises `SchemaMoved`.
        """
        if not self._is_due("beat", _BEAT_SECONDS):
            return
        self._may_work = False
        self._may_work = self._follow_rules_and_shards()
        if not self._may_work:
            return
        every = self._services.signals.snapshot_seconds
        due = [
            shard
            for shard in self._shards
            if time.monotonic() - self._snapshot_at.get(shard, 0.0) >= every
            and self._snapshot_seq.get(shard) != self._seq[shard]
        ]
        # One at a time: warnings wait while a large shard is written.
        self._snapshot(sorted(due, key=lambda shard: self._snapshot_at.get(shard, 0.0))[:1])
        if 0 in self._shards:
            self._do_common_work()

    def _is_due(self, name: str, seconds: float) -> bool:
        now = time.monotonic()
        if now - self._last.get(name, -seconds) < seconds:
            return False
        self._last[name] = now
        return True

    def _holds_schema(self, tx: Tx) -> bool:
        """Prevents migrations until the end of the transaction; False while one runs."""
        return not self._services.schema or hold_schema(tx, built_for=self._services.schema)

    def _follow_rules_and_shards(self) -> bool:
        """Uses the live rules, keeps and takes shards, and evaluates beside by the newest draft; False while a
        migration runs.
        """
        with self._services.store.begin() as tx:
            if not self._holds_schema(tx):
                return False
            new_rules = self._read_new_rules(tx)
            taken, surplus = self._balance_shards(tx)
            draft = newest_draft(tx)
        if new_rules is not None:
            self._rules = new_rules
            _log.info("evaluating with rules %s", new_rules.content_hash[:12])
            for shard, before in list(self._shards.items()):
                renewed = self._evaluator()
                renewed.restore(before.snapshot())
                self._shards[shard] = renewed
        for free in taken:
            self._restore(free)
        if surplus:
            self._snapshot(surplus)
            with self._services.store.begin() as tx:
                release_shards(tx, self._claims_of(surplus), holder=self._holder)
            for shard in surplus:
                self._forget(shard)
        self._follow_draft(draft)
        return True

    def _read_new_rules(self, tx: Tx) -> EvaluatorRules | None:
        """The live rules if they are others than before."""
        if self._rules is None:
            seed_rules(tx, now=self._services.clock.now())
        elif self._rules.content_hash == live_rules_hash(tx):
            return None
        return live_rules(tx)

    def _follow_draft(self, found: tuple[int, int] | None) -> None:
        """Lets the newest draft, if there is one, evaluate the same signals. Each beat adds one more shard, because
        that evaluates all its windows again.
        """
        if found != self._newest:
            self._newest, self._draft, self._beside, self._compared = found, None, {}, {}
            with self._services.store.begin() as tx:
                if found is None:
                    end_shadow(tx)
                    return
                try:
                    rules = parse_version(rule_version_by_number(tx, found[1]))
                except Refusal as fault:
                    _log.warning(
                        "version %s of the rules cannot run beside the live ones: %s", found[1], fault
                    )
                    return
                self._draft = (found[0], rules)
                start_shadow(tx, found[0], now=self._services.clock.now())
        if self._draft is None:
            return
        missing = next((shard for shard in self._shards if shard not in self._beside), None)
        if missing is not None:
            beside = self._evaluator(self._draft[1])
            beside.restore(self._shards[missing].snapshot())
            self._beside[missing] = beside

    @property
    def _live(self) -> EvaluatorRules:
        assert self._rules is not None, "read in each beat before shards are taken"
        return self._rules

    def _evaluator(self, rules: EvaluatorRules | None = None) -> Evaluator:
        rules = rules or self._live
        return Evaluator(
            rules.rules,
            rules.scorecard,
            allowed_lateness=timedelta(seconds=self._services.signals.late_seconds),
        )

    def _balance_shards(self, tx: Tx) -> tuple[list[Shard], list[int]]:
        """Renews the shards that this process still holds, and takes free ones up to a fair share; returns those that
        were taken, and those above the share.
        """
        held = renew_shards(tx, self._claims_of(self._shards), holder=self._holder, seconds=LEASE_SECONDS)
        for lost in set(self._shards) - held:
            self._forget(lost)
        note_heartbeat(tx, process=self._holder, kind=KIND, real_now=self._services.real.now(), facts={})
        gone = [process for process in shard_holders(tx) if process != self._holder and has_ended(process)]
        fair = -(-SHARDS // max(1, len(self._live_processes(tx))))
        taken = take_shards(tx, holder=self._holder, gone=gone, most=fair - len(held), seconds=LEASE_SECONDS)
        return taken, sorted(self._shards)[fair:]

    def _live_processes(self, tx: Tx) -> list[str]:
        """The robot processes that are alive, this one among them."""
        since = self._services.real.now() - timedelta(seconds=LEASE_SECONDS)
        return [
            beat.process
            for beat in heartbeats(tx, kind=KIND)
            if beat.at >= since and not has_ended(beat.process)
        ]

    def _claims_of(self, shards: Iterable[int]) -> list[JobClaim]:
        """Not of all claims: a shard whose state could not be restored must not be kept from the others."""
        return [self._claims[shard] for shard in shards]

    def _forget(self, shard: int) -> None:
        self._shards.pop(shard, None)
        self._claims.pop(shard, None)
        self._beside.pop(shard, None)
        self._seq.pop(shard, None)
        _log.info("shard %s is no longer held by this process", shard)

    def _restore(self, shard: Shard) -> None:
        """Restores the state as of the last signal that was evaluated; if the process is stopped meanwhile, the shard
        is released.
        """
        began = time.monotonic()
        self._claims[shard.shard] = shard.claim
        evaluator = self._evaluator()
        with self._services.store.begin() as tx:
            found = read_snapshot(tx, shard.shard)
        at = 0
        if found is not None:
            try:
                evaluator.restore(found[1])
                at = found[0]
            except SnapshotUnreadable as fault:
                _log.warning("%s", fault)
                evaluator = self._evaluator()
        replayed = 0
        while at < shard.seq and not self._stopped.is_set():
            with self._services.store.begin() as tx:
                rows = read_signals(tx, after=at, shards=[shard.shard], limit=_AT_ONCE)
                renew_shards(
                    tx,
                    self._claims_of([*self._shards, shard.shard]),
                    holder=self._holder,
                    seconds=LEASE_SECONDS,
                )
            rows = [row for row in rows if row["seq"] <= shard.seq]
            if not rows:
                break
            evaluator.apply_all([stored.signal for stored in self._opened(rows)])
            at, replayed = rows[-1]["seq"], replayed + len(rows)
        if at < shard.seq and self._stopped.is_set():
            # The state is incomplete: a snapshot of it would lose the remaining signals for good.
            with self._services.store.begin() as tx:
                release_shards(tx, [self._claims.pop(shard.shard)], holder=self._holder)
            return
        self._shards[shard.shard] = evaluator
        self._seq[shard.shard] = shard.seq
        self._snapshot_seq[shard.shard] = found[0] if found is not None else 0
        _log.info("shard %s: %s signals replayed in %.1f s", shard.shard, replayed, time.monotonic() - began)

    def evaluate_next(self) -> int:
        """Evaluates the next signals and commits what follows; returns how many there were. Raises `Unavailable` if
        they cannot be read; a commit is tried again until the database answers or the process is stopped.
        """
        if not self._may_work or not self._shards:
            return 0
        with self._services.store.begin_single_read() as tx:
            start = min(self._seq.values())
            rows = read_signals(tx, after=start, shards=list(self._shards), limit=_AT_ONCE)
        if not rows:
            return 0
        self._evaluate(rows)
        last = rows[-1]["seq"]
        while True:
            try:
                self._commit(last)
                return len(rows)
            except Unavailable as fault:
                # The state in memory is ahead of the database: it is written as soon as the database answers.
                _log.warning("%s", fault)
                if self._stopped.wait(_BEAT_SECONDS):
                    self._shards.clear()
                    return 0

    def _opened(self, rows: Collection[Row]) -> Iterator[StoredSignal]:
        """Opens the rows. A row that cannot be opened is logged and skipped, so that it does not stop the others."""
        for row in rows:
            try:
                yield self._codec.open(row)
            except (Tampered, KeyMissing) as fault:
                _log.error("%s", fault)

    def _evaluate(self, rows: Collection[Row]) -> None:
        by_shard: dict[int, list[StoredSignal]] = {}
        for stored in self._opened(rows):
            for shard in self._shards if stored.shard == EVERY_SHARD else (stored.shard,):
                if stored.seq > self._seq[shard]:
                    by_shard.setdefault(shard, []).append(stored)
        for shard, read in by_shard.items():
            signals = [stored.signal for stored in read]
            changed = self._shards[shard].apply_all(signals)
            self._changed += [
                ChangedVerdict(
                    verdict=verdict, seq=read[place].seq, received_at=read[place].signal.received_at
                )
                for place, verdict in changed
            ]
            self._compare(shard, signals, changed)
        self._changed.sort(key=lambda change: change.seq)

    def _compare(self, shard: int, signals: Sequence[Signal], changed: Sequence[tuple[int, Verdict]]) -> None:
        """Records the grades of the affected persons by the live rules and by the draft."""
        beside = self._beside.get(shard)
        if beside is None:
            return
        for _, verdict in (*changed, *beside.apply_all(signals)):
            grades = self._shards[shard].grade(verdict.person), beside.grade(verdict.person)
            self._compared[verdict.person] = grades

    def _commit(self, last: int) -> None:
        services = self._services
        with services.store.begin() as tx:
            claims = self._claims_of(self._shards)
            mine = renew_shards(tx, claims, holder=self._holder, seconds=LEASE_SECONDS)
            if mine != set(self._shards):
                # Another process has continued with what this one lost; this one rebuilds all its shards.
                for shard in list(self._shards):
                    self._forget(shard)
                self._changed, self._compared = [], {}
                release_shards(tx, claims, holder=self._holder)
                return
            now = services.clock.now()
            sent = store_verdicts(
                tx, services, self._codec, self._changed, rules_hash=self._live.content_hash, now=now
            )
            advance_shards(tx, mine, seq=last, rules_hash=self._live.content_hash, now=now)
            if self._draft is not None:
                write_shadow_grades(tx, self._draft[0], self._compared, now=now)
            self._tell_of_floods(tx)
        self._changed, self._compared = [], {}
        for evaluator in self._shards.values():
            evaluator.flooding.clear()
        for shard in mine:
            self._seq[shard] = max(last, self._seq[shard])
        if sent:
            services.enqueue("dial")

    def _tell_of_floods(self, tx: Tx) -> None:
        """Raises an alarm about the sources of signals that were left out since the last time."""
        names = set[str]().union(*(evaluator.flooding for evaluator in self._shards.values()))
        if names:
            raise_alarm_once(tx, AlarmCode.MANY_SIGNALS, now=self._services.clock.now(), names=sorted(names))

    def follow_answers(self) -> int:
        """Updates the suspected list from what calls and filed cases have answered since the last time; returns the
        number of changes.
        """
        now = self._services.clock.now()
        mitigators = frozenset(rule.id for rule in self._live.rules.rules if rule.effect is Effect.MITIGATOR)

        def standing(item: Item) -> ItemStatus:
            mine = [evaluator.item_status(item, now) for evaluator in self._shards.values()]
            # Persons are spread evenly over the shards, so these represent the others.
            touched = sum(status.touched for status in mine) * SHARDS // len(mine)
            return ItemStatus(lists=mine[0].lists, touched=touched)

        with self._services.store.begin() as tx:
            changes = self._answers.changes(
                tx, self._codec, standing, self._opened, mitigators=mitigators,
                keep_days=self._services.signals.keep_days, now=now,
            )  # fmt: skip
        taken = 0
        for start in range(0, len(changes), MOST_SIGNALS):
            delivery = SignalReception(self._services).read(
                changes[start : start + MOST_SIGNALS], may_send=lambda source: source == ROBOT_SOURCE
            )
            (answers,) = take_signals(self._services, [delivery])
            taken += sum(answer.status is SignalStatus.ACCEPTED for answer in answers)
        if taken:
            _log.info("made %s changes to the suspected list from answered warnings", taken)
        return taken

    def _snapshot(self, shards: Collection[int]) -> None:
        now = self._services.clock.now()
        for shard in shards:
            evaluator = self._shards[shard]
            # Older signals are rejected on arrival, so this changes no verdict.
            for shard_evaluator in filter(None, (evaluator, self._beside.get(shard))):
                shard_evaluator.sweep(now - timedelta(days=self._services.signals.keep_days))
            content, seq = evaluator.snapshot(), self._seq[shard]
            with self._services.store.begin() as tx:
                claim = self._claims[shard]
                if not renew_shards(tx, [claim], holder=self._holder, seconds=LEASE_SECONDS):
                    continue
                write_snapshot(
                    tx,
                    shard,
                    content,
                    seq=seq,
                    rules_hash=self._live.content_hash,
                    fingerprint=evaluator.fingerprint(),
                    persons=len(evaluator),
                    too_late=evaluator.too_late,
                    now=now,
                )
            self._snapshot_at[shard], self._snapshot_seq[shard] = time.monotonic(), seq

    def _do_common_work(self) -> None:
        services = self._services
        now = services.clock.now()
        if self._is_due("release", _RELEASE_SECONDS):
            with services.store.begin() as tx:
                sent = release_held(tx, services, now=now)
            if sent:
                services.enqueue("dial")
        if self._is_due("health", _HEALTH_SECONDS):
            with services.store.begin() as tx:
                sent = send_random_draw(tx, services, now=now, every=_DRAW_EVERY)
                check_health(tx, now=now)
            if sent:
                services.enqueue("dial")
        if self._is_due("list", _LIST_SECONDS):
            self.follow_answers()
        if self._is_due("quality", _QUALITY_SECONDS):
            with services.store.begin() as tx:
                check_quality(tx, now=now)
        if self._is_due("clean", _CLEAN_SECONDS):
            with services.store.begin() as tx:
                delete_old_signals(tx, before=now - timedelta(days=services.signals.keep_days))
                delete_old_below(tx, before=now - _BELOW_KEPT)
                delete_old_shadow_grades(tx, before=now - _BELOW_KEPT)
