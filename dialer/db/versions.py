"""Rows of drafted texts and of their approvals. A version never changes; somebody else than its author approves it, and
the newest approval decides which one is in force. Rules of the warning robot and plans are stored so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dialer.core.errors import NotFound
from dialer.core.values import VersionState
from dialer.db.columns import is_of_actor
from dialer.db.unit_of_work import Row, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionKind:
    """Where one kind of text is stored. `noun`: what a version is called in a refusal. `lock_key`: of the advisory lock
    under which versions and approvals are written.
    """

    versions: sa.Table
    approvals: sa.Table
    noun: str
    lock_key: int

    def lock(self, tx: Tx) -> None:
        """Lets this transaction alone write versions and approvals until it ends."""
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock(self.lock_key)))

    def rows(self, tx: Tx) -> list[dict[str, Any]]:
        """All versions, newest first, each with `state` and, as of the last one if there are several approvals,
        `approved_by` ('' for a draft) and `approved_at`.
        """
        a = self.approvals.c
        approvals = {row["version_id"]: row for row in tx.rows(sa.select(self.approvals).order_by(a.id))}
        live = tx.scalar(self._newest(a.version_id))
        found = []
        for row in tx.rows(sa.select(self.versions).order_by(self.versions.c.number.desc())):
            approval = approvals.get(row["id"])
            approved = VersionState.APPROVED if row["id"] == live else VersionState.RETIRED
            found.append(
                dict(row)
                | {
                    "approved_by": approval["approved_by"] if approval else "",
                    "approved_at": approval["at"] if approval else None,
                    "state": approved if approval else VersionState.DRAFT,
                }
            )
        return found

    def by_number(self, tx: Tx, number: int) -> dict[str, Any]:
        """The version with this number, as `rows` gives it. Raises `NotFound`."""
        found = next((row for row in self.rows(tx) if row["number"] == number), None)
        if found is None:
            raise NotFound(kind=self.noun, key=number)
        return found

    def live(self, tx: Tx, *columns: sa.ColumnElement[Any]) -> Row | None:
        """These columns of the version in force and of its approval; None before the first approval."""
        return tx.one(self._newest(*columns))

    def newest_draft(self, tx: Tx) -> Row | None:
        """`id` and `number` of the newest version that nobody has approved; None if none is newer than the one in
        force.
        """
        v = self.versions.c
        live = self._newest(v.number).scalar_subquery()
        statement = sa.select(v.id, v.number).where(v.number > live, ~self._is_approved())
        return tx.one(statement.order_by(v.number.desc()).limit(1))

    def waiting(self, *, not_of: str = "") -> sa.Select[Any]:
        """`number`, `drafted_by` and `drafted_at` of the newest version, if nobody has approved it and, where a name is
        given, somebody else has drafted it.
        """
        v, newer = self.versions.c, self.versions.alias("newer")
        statement = sa.select(v.number, v.drafted_by, v.drafted_at).where(
            ~sa.exists().where(newer.c.number > v.number), ~self._is_approved()
        )
        return statement.where(~is_of_actor(v.drafted_by, not_of)) if not_of else statement

    def add(self, tx: Tx, *, content_hash: str, drafted_by: str, now: datetime, **columns: object) -> int:
        """Stores a new draft and returns its number. Call `lock` first."""
        v = self.versions.c
        newest = sa.select(sa.func.coalesce(sa.func.max(v.number), 0)).scalar_subquery()
        row = {"content_hash": content_hash, "drafted_by": drafted_by, "drafted_at": now, **columns}
        return int(tx.scalar(sa.insert(self.versions).values(number=newest + 1, **row).returning(v.number)))

    def approve(
        self,
        tx: Tx,
        version_id: int,
        *,
        drafted_by: str,
        approved_by: str,
        reason: str,
        now: datetime,
        **columns: object,
    ) -> None:
        """Stores an approval: the version is in force from now on. Call `lock` first."""
        row = {"drafted_by": drafted_by, "approved_by": approved_by, "reason": reason, "at": now, **columns}
        tx.execute(sa.insert(self.approvals).values(version_id=version_id, **row))

    def _is_approved(self) -> sa.ColumnElement[bool]:
        return sa.exists().where(self.approvals.c.version_id == self.versions.c.id)

    def _newest(self, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
        a = self.approvals.c
        joined = self.versions.join(self.approvals, a.version_id == self.versions.c.id)
        return sa.select(*columns).select_from(joined).order_by(a.id.desc()).limit(1)
