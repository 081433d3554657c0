"""Policies by version: stored once, never changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from dialer.core.errors import NotFound
from dialer.core.policy import Policy, from_plain
from dialer.db import tables as t
from dialer.db.plans import PlanFollower, PlanInForce
from dialer.db.unit_of_work import Store, Tx

_LOCK_POLICIES = 0x706F6C69


def ensure_policy_version(tx: Tx, content: Mapping[str, Any], *, now: datetime) -> int:
    """The number of the policy version with this content, which is created if it is missing."""
    packed = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    content_hash = hashlib.sha256(packed).digest()
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK_POLICIES)))
    version = tx.scalar(
        sa.select(t.policy_version.c.version).where(t.policy_version.c.content_hash == content_hash)
    )
    if version is None:
        version = newest_policy_version(tx) + 1
        tx.execute(
            sa.insert(t.policy_version).values(
                version=version, content=orjson.loads(packed), content_hash=content_hash, created_at=now
            )
        )
    return int(version)


def first_policy_at(tx: Tx) -> datetime:
    """When this database began to be used, on the service clock."""
    begun: datetime = tx.scalar(sa.select(sa.func.min(t.policy_version.c.created_at)))
    return begun


def newest_policy_version(tx: Tx) -> int:
    """The number of the newest policy version; 0 if there is none."""
    return int(tx.scalar(sa.select(sa.func.coalesce(sa.func.max(t.policy_version.c.version), 0))))


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVersion:
    """One version of the policy, without its content."""

    version: int
    content_hash: str
    """SHA-256, as hexadecimal digits."""
    created_at: datetime


def policy_version_of(tx: Tx, version: int) -> PolicyVersion:
    """Raises `NotFound`."""
    found = t.policy_version.c
    row = tx.one(
        sa.select(found.version, found.content_hash, found.created_at).where(found.version == version)
    )
    if row is None:
        raise NotFound(kind="policy version", key=version)
    return PolicyVersion(**dict(row) | {"content_hash": bytes(row["content_hash"]).hex()})


class Policies:
    """Policies by version, each read once, since a version never changes. New cases get that of the plan in force, or
    `of_settings` while there is none.
    """

    def __init__(self, store: Store, *, current: int, plan: PlanFollower | None = None) -> None:
        self._store = store
        self._known: dict[int, Policy] = {}
        self.of_settings = current
        self.plan = plan
        """What tells of the plan in force; None: the settings are."""

    def in_force(self) -> PlanInForce | None:
        """The plan in force; None while the settings are."""
        return None if self.plan is None else self.plan()

    def of(self, version: int) -> Policy:
        """Raises `NotFound`."""
        if version not in self._known:
            with self._store.begin() as tx:
                content = tx.scalar(
                    sa.select(t.policy_version.c.content).where(t.policy_version.c.version == version)
                )
            if content is None:
                raise NotFound(kind="policy version", key=version)
            self._known[version] = from_plain(content, version=version)
        return self._known[version]

    @property
    def newest(self) -> Policy:
        """The policy of new cases."""
        plan = self.in_force()
        return self.of(self.of_settings if plan is None else plan.policy_version)
