"""Rows of plans, which hold policy, limits of sources and pace as one text, and how a process follows the one in force.
Until somebody has approved one, the settings of each process are in force.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from dialer.core.errors import Unavailable
from dialer.core.values import VersionState
from dialer.db import tables as t
from dialer.db.unit_of_work import Store, Tx, record_of
from dialer.db.versions import VersionKind

PLAN_VERSIONS: Final = VersionKind(
    versions=t.plan_version, approvals=t.plan_approval, noun="version of the plan", lock_key=0x706C616E
)
_CHECK_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanVersion:
    """One version of the plan. `source`: its TOML as it was drafted."""

    id: int
    number: int
    content_hash: str
    source: str
    drafted_by: str
    drafted_at: datetime
    approved_by: str
    """'' for a draft; the last one if there are several approvals."""
    approved_at: datetime | None
    state: VersionState


def plan_versions(tx: Tx) -> list[PlanVersion]:
    """All versions, newest first."""
    return [PlanVersion(**row) for row in PLAN_VERSIONS.rows(tx)]


def plan_by_number(tx: Tx, number: int) -> PlanVersion:
    """The version with this number. Raises `NotFound`."""
    return PlanVersion(**PLAN_VERSIONS.by_number(tx, number))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanInForce:
    """The plan in force. `policy_version`: the number of the policy in it."""

    number: int
    source: str
    policy_version: int


def plan_in_force(tx: Tx) -> PlanInForce | None:
    """The newest approved plan; None while the settings are in force."""
    v, a = t.plan_version.c, t.plan_approval.c
    found = PLAN_VERSIONS.live(tx, v.number, v.source, a.policy_version)
    return None if found is None else record_of(PlanInForce, found)


class PlanFollower:
    """The plan in force as this process knows it: an approval is seen a second later. Threads can share it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.check_seconds = _CHECK_SECONDS
        self._reading = threading.Lock()
        self._read_at = -math.inf
        self._known: PlanInForce | None = None

    def __call__(self) -> PlanInForce | None:
        """None while the settings are in force."""
        is_due = time.monotonic() - self._read_at >= self.check_seconds
        if is_due and self._reading.acquire(blocking=False):
            try:
                self.read()
            finally:
                self._reading.release()
        return self._known

    def read(self) -> PlanInForce | None:
        """The same, read now. What was read last applies where the database does not answer."""
        try:
            with self._store.begin_single_read() as tx:
                self._known = plan_in_force(tx)
        except Unavailable:
            return self._known
        finally:
            self._read_at = time.monotonic()
        return self._known
