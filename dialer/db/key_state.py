"""Which keys of the ring this database uses: the plan, which every process follows, and whether all values have been
sealed again. A row of `meta` holds this state; a transaction that changes it locks that row.

A new key is announced first. It is used once every living process has it, so that one process can read what another
writes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from dialer.core.errors import Refusal
from dialer.db import tables as t
from dialer.db.keys import BARE_INDEX_ID, Keys, KeysRefused
from dialer.db.unit_of_work import Store, Tx
from dialer.db.vault import KeyPlan, Vault, plan_of

_STATE: Final = "key_state"
_OLD_FINGERPRINT: Final = "keys_fingerprint"
_CHECK_SECONDS: Final = 1.0
_RETRY_SECONDS: Final = 5.0

_log = logging.getLogger(__name__)


class WrongKeys(Refusal):
    """The values of this database were sealed with other keys; no ring could read them together with rows written
    now.
    """

    def __init__(self) -> None:
        super().__init__(
            "the key ring is not the one this database was made with, or lacks a key that it uses:"
            " set DIALER_KEYS__FILE to the right one"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyState:
    """The keys of a database. `known`: the mark of each key that values may use. `announced`: the mark of each key that
    will be used once every process has it. `since`: when the plan last changed, by the database's clock.
    """

    plan: KeyPlan
    known: Mapping[int, str]
    announced: Mapping[int, str] = field(default_factory=dict)
    since: datetime | None = None
    resealed: bool = True
    """Every value uses the encryption and index keys of the plan."""

    @property
    def every(self) -> dict[int, str]:
        return {**self.known, **self.announced}

    def fits(self, keys: Keys) -> bool:
        """Whether the ring has every key that values may use."""
        marks = keys.marks()
        return all(marks.get(key_id) == mark for key_id, mark in self.known.items())

    def plain(self) -> dict[str, Any]:
        """The state as JSON, as the row stores it."""
        return {
            "encryption": self.plan.encryption,
            "audit": self.plan.audit,
            "index": list(self.plan.index),
            "revision": self.plan.revision,
            "known": {str(key_id): mark for key_id, mark in self.known.items()},
            "announced": {str(key_id): mark for key_id, mark in self.announced.items()},
            "since": None if self.since is None else self.since.isoformat(),
            "resealed": self.resealed,
        }


def _state(plain: Mapping[str, Any]) -> KeyState:
    return KeyState(
        plan=KeyPlan(
            encryption=plain["encryption"],
            audit=plain["audit"],
            index=tuple(plain["index"]),
            revision=plain["revision"],
        ),
        known={int(key_id): mark for key_id, mark in plain["known"].items()},
        announced={int(key_id): mark for key_id, mark in plain["announced"].items()},
        since=None if plain["since"] is None else datetime.fromisoformat(plain["since"]),
        resealed=plain["resealed"],
    )


_READ: Final = sa.select(t.meta.c.value).where(t.meta.c.key == _STATE)


def read_key_state(tx: Tx, *, lock: bool = False) -> KeyState | None:
    """The state of the keys; None before the first start on this database."""
    plain = tx.scalar(_READ.with_for_update() if lock else _READ)
    return None if plain is None else _state(plain)


def write_key_state(tx: Tx, state: KeyState) -> KeyState:
    """Stores the state with the next revision, and returns it; the caller has locked the row."""
    state = replace(state, plan=replace(state.plan, revision=state.plan.revision + 1))
    tx.execute(sa.update(t.meta).where(t.meta.c.key == _STATE).values(value=state.plain()))
    return state


def database_time(tx: Tx) -> datetime:
    """The time by the database's own clock, which also dates its transactions."""
    moment: datetime = tx.scalar(sa.select(sa.func.clock_timestamp()))
    return moment


def oldest_transaction_since(tx: Tx) -> datetime | None:
    """When the oldest open transaction of other sessions of this database began."""
    oldest: datetime | None = tx.scalar(
        sa.text(
            "SELECT min(xact_start) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
    )
    return oldest


def check_database_keys(tx: Tx, *, may_write: bool = True) -> None:
    """Records at the first start which keys are used, and checks at later starts that the ring has them; the vault then
    follows the plan. Raises `WrongKeys`.
    """
    vault = tx.vault
    state = read_key_state(tx)
    if state is None:
        state = _first_state(tx, vault.keys)
        if may_write:
            row = {"key": _STATE, "value": state.plain()}
            tx.execute(insert(t.meta).values(row).on_conflict_do_nothing(index_elements=["key"]))
            state = read_key_state(tx) or state
    if not state.fits(vault.keys):
        raise WrongKeys
    vault.renew(vault.keys, state.plan)


def _first_state(tx: Tx, keys: Keys) -> KeyState:
    """The state of a new database, or of one whose keys an earlier version recorded."""
    plan, marks = plan_of(keys), keys.marks()
    used = {plan.encryption, plan.audit, *plan.index}
    known = {key_id: marks[key_id] for key_id in used}
    noted = tx.scalar(sa.select(t.meta.c.value).where(t.meta.c.key == _OLD_FINGERPRINT))
    if noted is not None:
        earlier = marks_of_fingerprint(noted)
        known |= earlier
        if BARE_INDEX_ID in earlier:
            plan = replace(plan, index=(BARE_INDEX_ID,))
    return KeyState(plan=plan, known=known)


def marks_of_fingerprint(line: str) -> dict[int, str]:
    """The marks of keys as an earlier version recorded them: `index=.. 1=.. 2=..`."""
    pairs = (pair.split("=") for pair in line.split())
    return {BARE_INDEX_ID if name == "index" else int(name): mark for name, mark in pairs}


def forget_old_fingerprint(tx: Tx) -> None:
    """Deletes the fingerprint that earlier versions compare: it would no longer match."""
    tx.execute(sa.delete(t.meta).where(t.meta.c.key == _OLD_FINGERPRINT))


def follow_plan(tx: Tx) -> KeyPlan:
    """The plan of this transaction's database, which the vault follows from now on. While the caller holds the lock
    that `warning_store.lock_arrivals` takes, the index keys of the plan cannot change. Raises `KeysRefused`.
    """
    state = read_key_state(tx)
    if state is not None and state.plan.revision != tx.vault.plan.revision:
        _follow(tx.vault, state)
    return tx.vault.plan


def _follow(vault: Vault, state: KeyState) -> None:
    keys = vault.keys
    if vault.read_again is not None and keys.marks() != state.every:
        try:
            keys = vault.read_again()
        except KeysRefused as refused:
            _log.error("the key ring cannot be read again: %s", refused)
        missing = [key_id for key_id, mark in state.every.items() if keys.marks().get(key_id) != mark]
        if missing:
            _log.error("the key ring of this process lacks keys: %s", ", ".join(map(str, missing)))
    vault.renew(keys, state.plan)


class KeyFollower:
    """Checks from time to time which keys the database uses, and lets the vault of a store follow. Threads can share
    it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._checking = threading.Lock()
        self._checked_at = -_CHECK_SECONDS
        self._revision = -1
        self._lacks = False

    def __call__(self) -> None:
        pause = _RETRY_SECONDS if self._lacks else _CHECK_SECONDS
        if time.monotonic() - self._checked_at < pause or not self._checking.acquire(blocking=False):
            return
        try:
            self._checked_at = time.monotonic()
            self._check()
        finally:
            self._checking.release()

    def _check(self) -> None:
        vault = self._store.vault
        try:
            with self._store.sql_engine.connect() as connection:
                # Without a transaction: one round trip instead of three, in every process, every second.
                plain = connection.execution_options(isolation_level="AUTOCOMMIT").scalar(_READ)
        except SQLAlchemyError:
            return  # The transaction that follows says what is wrong.
        if plain is None:
            return
        state = _state(plain)
        if state.plan.revision == self._revision and not self._lacks:
            return
        try:
            _follow(vault, state)
        except KeysRefused as refused:
            _log.error("%s", refused)
        marks = vault.keys.marks()
        self._revision = state.plan.revision
        self._lacks = any(marks.get(key_id) != mark for key_id, mark in state.every.items())
