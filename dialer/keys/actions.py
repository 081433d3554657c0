"""Actions on keys while the service runs: rotation, re-sealing of their values, and retiring old keys."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from dialer.calls.comparison_store import REMEMBERED, are_carrier_calls_open
from dialer.core.access import Actor, Permission
from dialer.core.errors import Conflict, NotFound, Refusal
from dialer.core.text import Text
from dialer.core.values import Suite
from dialer.db.key_state import (
    KeyState,
    database_time,
    follow_plan,
    forget_old_fingerprint,
    oldest_transaction_since,
    read_key_state,
    write_key_state,
)
from dialer.db.keys import Keys, KeySource, KeyUse, save
from dialer.db.system_state import processes_without_keys
from dialer.db.unit_of_work import Tx
from dialer.keys.reseal import (
    AUDIT_LINES,
    PARTS,
    SETTLE_SECONDS,
    ResealBatch,
    ResealProgress,
    needs_key,
    read_progress,
    reseal_batch,
    uses_of_key,
)
from dialer.runtime.services import Services
from dialer.warnings.warning_store import lock_arrivals

_POLL_SECONDS: Final = 0.5


class KeyInUse(Conflict):
    """A key that is still needed: `uses` counts its values by column."""

    def __init__(self, *, key_id: int, uses: Mapping[str, int]) -> None:
        super().__init__(
            Text(
                "key %(key)s is still in use: %(uses)s. `dialer keys status` shows how far re-sealing is",
                key=key_id,
                uses=", ".join(f"{name} {count}" for name, count in uses.items()),
            ),
            current="in_use",
        )
        self.key_id = key_id
        self.uses = dict(uses)


class KeysWaiting(Refusal):
    """Some processes do not have a new key yet; it is not used before they do."""

    def __init__(self, *, key_ids: Collection[int], processes: Collection[str]) -> None:
        super().__init__(
            Text(
                "new keys %(keys)s are made and not in use yet: these processes do not hold them: %(processes)s."
                " Give their machines the same key ring and rotate again",
                keys=", ".join(map(str, key_ids)),
                processes=", ".join(processes),
            )
        )
        self.key_ids = tuple(key_ids)
        self.processes = tuple(processes)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldKey:
    """A key of the ring, and what it does: `state` is current, searched (an index key while the index is made again),
    kept (values may use it), announced (waits for processes), unused, or missing from the ring.
    """

    id: int
    use: str
    suite: str
    mark: str
    state: str
    values: Mapping[str, int] | None = None
    """How many values of each column use it; None: not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysStatus:
    """The keys of this process and of the database, and how far what they sealed has moved to the current ones."""

    keys: tuple[HeldKey, ...]
    is_resealed: bool
    """No value uses another encryption or index key than the current ones."""
    progress: ResealProgress | None
    waiting: tuple[str, ...] = ()
    """Processes that do not have an announced key yet."""


def read_keys_status(services: Services, *, counts: bool = False) -> KeysStatus:
    """The state of the keys. With `counts` every sealed row is read."""
    with services.store.begin() as tx:
        keys, state = tx.vault.keys, _state(tx)
        found = tuple(
            _held(tx, keys, state, key_id, counts=counts) for key_id in sorted({*keys.held, *state.every})
        )
        waiting = processes_without_keys(tx, state.announced, real_now=services.real.now())
        return KeysStatus(
            keys=found,
            is_resealed=state.resealed,
            progress=read_progress(tx),
            waiting=tuple(waiting) if state.announced else (),
        )


def _held(tx: Tx, keys: Keys, state: KeyState, key_id: int, *, counts: bool) -> HeldKey:
    key = keys.held.get(key_id)
    plan = state.plan
    is_index = key is not None and key.use is KeyUse.INDEX
    if key is None:
        stands = "missing"
    elif key_id in {plan.encryption, plan.audit, plan.index[0]}:
        stands = "current"
    elif key_id in plan.index:
        stands = "searched"
    elif key_id in state.known:
        stands = "kept"
    else:
        stands = "announced" if key_id in state.announced else "unused"
    return HeldKey(
        id=key_id,
        use="" if key is None else key.use.value,
        suite="" if key is None else key.suite.value,
        mark=state.every.get(key_id, "") if key is None else key.mark,
        state=stands,
        values=uses_of_key(tx, key_id, is_index=is_index) if counts else None,
    )


def _state(tx: Tx, *, lock: bool = False) -> KeyState:
    state = read_key_state(tx, lock=lock)
    if state is None:
        raise NotFound(kind="key state", key="")
    return state


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """The result of a rotation. `made`: the number of the new key of each use. `stored_in`: the file that the ring was
    written to because this process cannot write the ring itself; then no new key is in use yet.
    """

    made: Mapping[KeyUse, int] = field(default_factory=dict)
    stored_in: Path | None = None


def rotate_keys(
    services: Services,
    actor: Actor,
    source: KeySource,
    *,
    uses: Collection[KeyUse],
    suite: Suite,
    why: str,
    wait_seconds: float,
    out: Path | None = None,
) -> Rotated:
    """Adds new keys to the ring, which are in use as soon as every live process has them; a new key that is already in
    the ring and was never used is taken instead. Raises `KeysWaiting` if the processes do not have them within
    `wait_seconds`: run it again then. Raises `Conflict` while values are being sealed again.
    """
    actor.check_may(Permission.CONTROL)
    if KeyUse.INDEX in uses:
        _refuse_while_calls_wait(services)
    made, stored_in = _announce(services, source, uses=uses, suite=suite, out=out)
    if stored_in is not None:
        return Rotated(made=made, stored_in=stored_in)
    _wait_for_processes(services, made.values(), wait_seconds=wait_seconds)
    with services.act(actor, Permission.CONTROL) as act:
        tx = act.tx
        lock_arrivals(tx)
        state = _state(tx, lock=True)
        if not state.resealed or not state.announced.keys() >= set(made.values()):
            raise Conflict("values are still being sealed again since the last rotation", current="resealing")
        plan = state.plan
        index = (made[KeyUse.INDEX], *plan.index) if KeyUse.INDEX in made else plan.index
        plan = replace(
            plan,
            encryption=made.get(KeyUse.ENCRYPTION, plan.encryption),
            audit=made.get(KeyUse.AUDIT, plan.audit),
            index=index,
        )
        state = replace(
            state, plan=plan, known=state.every, announced={}, resealed=False, since=database_time(tx)
        )
        write_key_state(tx, state)
        forget_old_fingerprint(tx)
        facts = {use.value: key_id for use, key_id in made.items()} | {"suite": suite.value}
        act.audit("keys_rotated", "keys", why=why, facts=facts)
    with services.store.begin() as tx:
        follow_plan(tx)
    services.enqueue("reseal")
    return Rotated(made=made)


def _refuse_while_calls_wait(services: Services) -> None:
    """After a restore, calls that the carrier listed wait for the lists of their people. They are found by the index of
    their number, which cannot be made again: the number itself is not stored. Raises `Conflict` while there are any.
    """
    since = services.real.now() - REMEMBERED
    with services.store.begin() as tx:
        if are_carrier_calls_open(tx, found_since=since):
            raise Conflict(
                Text(
                    "calls from before a restore wait for their lists, which are found by the index key: load these"
                    " lists again, or rotate the index key %(days)s days after the restore",
                    days=REMEMBERED.days,
                ),
                current="restored",
            )


def _announce(
    services: Services, source: KeySource, *, uses: Collection[KeyUse], suite: Suite, out: Path | None
) -> tuple[dict[KeyUse, int], Path | None]:
    with services.store.begin() as tx:
        state = _state(tx, lock=True)
        if not state.resealed:
            raise Conflict("values are still being sealed again since the last rotation", current="resealing")
        ring = source.load()
        wanted = [use for use in KeyUse if use in uses or not ring.ids(use)]
        made = {use: found for use in wanted if (found := _unused(ring, state, use)) is not None}
        lacking = [use for use in wanted if use not in made]
        if lacking:
            ring, new = ring.with_new(lacking, suite)
            made |= new
            if source.is_writable:
                source.save(ring)
            elif out is None:
                raise Refusal(
                    Text(
                        "%(source)s cannot be written: name a file with --out, store its content where"
                        " %(source)s reads it, delete it, and rotate again",
                        source=source.name,
                    )
                )
            else:
                save(out, ring, source.token)
                return made, out
        marks = ring.marks()
        write_key_state(tx, replace(state, announced={key_id: marks[key_id] for key_id in made.values()}))
        tx.vault.renew(ring, tx.vault.plan)
    return made, None


def _unused(ring: Keys, state: KeyState, use: KeyUse) -> int | None:
    """The newest key of this use, if no value can use it yet."""
    ids = ring.ids(use)
    return ids[-1] if ids and ids[-1] not in state.known else None


def _wait_for_processes(services: Services, key_ids: Collection[int], *, wait_seconds: float) -> None:
    deadline = time.monotonic() + wait_seconds
    while True:
        with services.store.begin() as tx:
            lacking = processes_without_keys(tx, key_ids, real_now=services.real.now())
        if not lacking:
            return
        if time.monotonic() >= deadline:
            raise KeysWaiting(key_ids=sorted(key_ids), processes=lacking)
        time.sleep(_POLL_SECONDS)


def is_reseal_due(services: Services) -> bool:
    """Whether values use keys that are no longer current."""
    with services.store.begin() as tx:
        state = read_key_state(tx)
    return state is not None and not state.resealed


def reseal(
    services: Services,
    *,
    pause: Callable[[float], bool],
    for_seconds: float | None = None,
    settle_seconds: float = SETTLE_SECONDS,
    heard: Callable[[ResealBatch], None] = lambda _batch: None,
) -> ResealBatch:
    """Re-seals batch after batch until nothing is left, for at most `for_seconds`; returns the last batch. After a
    batch that held the locks of arrivals and of the line group, `pause` gets the seconds that it took, waits as long,
    and returns whether to stop.
    """
    began = time.monotonic()
    while True:
        before = time.monotonic()
        batch = reseal_batch(services, settle_seconds=settle_seconds)
        heard(batch)
        now = time.monotonic()
        is_late = for_seconds is not None and now - began >= for_seconds
        if batch.ends_for_now or is_late or pause(now - before if batch.had_locks else 0.0):
            return batch


def restart_reseal(services: Services, actor: Actor) -> bool:
    """Starts another pass over all values although nothing was rotated; False while one is under way."""
    with services.act(actor, Permission.CONTROL) as act:
        state = _state(act.tx, lock=True)
        if not state.resealed:
            act.needs_no_record()
            return False
        write_key_state(act.tx, replace(state, resealed=False))
        act.audit("keys_reseal_asked", "keys")
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Retired:
    """The result of retiring a key. `audit_lines`: how many lines of the audit need the key, which is kept for them
    alone; 0: it is deleted.
    """

    key_id: int
    audit_lines: int
    in_ring: bool = False
    """The ring cannot be written: a person has to remove the key where the ring is stored."""


def retire_key(services: Services, actor: Actor, source: KeySource, key_id: int, *, why: str) -> Retired:
    """Removes the key from the ring, or keeps it to open lines of the audit only. Every value is checked first. Raises
    `KeyInUse` and `Conflict`, and `NotFound`.
    """
    with services.act(actor, Permission.CONTROL) as act:
        tx = act.tx
        state = _state(tx, lock=True)
        ring = source.load()
        key = ring.held.get(key_id)
        if key is None:
            raise NotFound(kind="key", key=key_id)
        plan = state.plan
        if key_id in {plan.encryption, plan.audit, *plan.index}:
            raise Conflict(Text("key %(key)s is current", key=key_id), current="current")
        if not state.resealed:
            raise Conflict("values are still being sealed again since the last rotation", current="resealing")
        _refuse_open_transactions(tx, state.since)
        uses = uses_of_key(tx, key_id, is_index=key.use is KeyUse.INDEX)
        lines = uses.pop(AUDIT_LINES, 0)
        if key.use is KeyUse.AUDIT and lines:
            uses = {AUDIT_LINES: lines}
        is_index = key.use is KeyUse.INDEX
        if uses and (AUDIT_LINES in uses or needs_key(tx, key_id, is_index=is_index)):
            raise KeyInUse(key_id=key_id, uses=uses)
        known = {known_id: mark for known_id, mark in state.known.items() if known_id != key_id or lines}
        announced = {known_id: mark for known_id, mark in state.announced.items() if known_id != key_id}
        write_key_state(tx, replace(state, known=known, announced=announced))
        forget_old_fingerprint(tx)
        facts = {"key": key_id, "use": key.use.value, "audit_lines": lines, "unreadable": sum(uses.values())}
        act.audit("key_retired", f"key/{key_id}", why=why, facts=facts)
    # The database no longer asks for the key: if the ring cannot be written now, run this again.
    if source.is_writable:
        with services.store.begin() as tx:
            # Read anew under the lock: somebody may have made new keys since.
            _state(tx, lock=True)
            ring = source.load()
            source.save(ring.only_for_audit(key_id) if lines else ring.without(key_id))
    return Retired(key_id=key_id, audit_lines=lines, in_ring=not source.is_writable)


def _refuse_open_transactions(tx: Tx, since: datetime | None) -> None:
    """Raises `Conflict` while a transaction from before the last change is open: it could still write a value with an
    old key.
    """
    oldest = oldest_transaction_since(tx)
    if since is not None and oldest is not None and oldest <= since:
        raise Conflict("a transaction from before the rotation is still open: try again", current="open")


def resealed_share(tx: Tx) -> float:
    """The share re-sealed of the values that used other keys at the last rotation; 1 where every value uses the
    current ones.
    """
    state, progress = read_key_state(tx), read_progress(tx)
    if state is None or state.resealed:
        return 1.0
    return share_done(progress) if progress is not None and progress.revision == state.plan.revision else 0.0


def share_done(progress: ResealProgress) -> float:
    """The share of values that are re-sealed, between 0 and 1."""
    total = sum(progress.total.values())
    done = sum(min(progress.done.get(name, 0), progress.total.get(name, 0)) for name in PARTS)
    return 1.0 if progress.ended_at or not total else done / total
