"""Rows of the versions of the robot's rules and of their approvals. A version never changes; the newest approval
decides which one the robot evaluates with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from dialer.core.errors import NotFound
from dialer.core.values import VersionState
from dialer.db import tables as t
from dialer.db.unit_of_work import Tx

_LOCK: Final = 0x72756C65


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleVersion:
    """One version of all rules. `files` are their texts by name; `scorecard` its JSON, None if the points of the rules
    apply.
    """

    id: int
    number: int
    content_hash: str
    files: Mapping[str, str]
    scorecard: Mapping[str, Any] | None
    drafted_by: str
    drafted_at: datetime
    approved_by: str
    """'' for a draft; the last one if there are several approvals."""
    approved_at: datetime | None
    state: VersionState


def lock_rules(tx: Tx) -> None:
    """Lets this transaction alone write versions and approvals until it ends."""
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def rule_versions(tx: Tx) -> list[RuleVersion]:
    """All versions, newest first."""
    v, a = t.rule_version.c, t.rule_approval.c
    approvals = {row["version_id"]: row for row in tx.rows(sa.select(t.rule_approval).order_by(a.id))}
    live = tx.scalar(sa.select(a.version_id).order_by(a.id.desc()).limit(1))
    found = []
    for row in tx.rows(sa.select(t.rule_version).order_by(v.number.desc())):
        approval = approvals.get(row["id"])
        approved = VersionState.APPROVED if row["id"] == live else VersionState.RETIRED
        found.append(
            RuleVersion(
                **row,
                approved_by=approval["approved_by"] if approval else "",
                approved_at=approval["at"] if approval else None,
                state=approved if approval else VersionState.DRAFT,
            )
        )
    return found


def live_rule_version(tx: Tx) -> RuleVersion | None:
    """The version that the robot evaluates with; None before the first approval."""
    return next((version for version in rule_versions(tx) if version.state is VersionState.APPROVED), None)


def live_rules_hash(tx: Tx) -> str:
    """The hash of the live rules; '' if there are none."""
    v, a = t.rule_version.c, t.rule_approval.c
    statement = sa.select(v.content_hash).join(t.rule_approval, a.version_id == v.id)
    return tx.scalar(statement.order_by(a.id.desc()).limit(1)) or ""


def newest_draft(tx: Tx) -> tuple[int, int] | None:
    """The id and number of the newest version that nobody has approved; None if none is newer than the live one."""
    v, a = t.rule_version.c, t.rule_approval.c
    live = (
        sa.select(v.number).join(t.rule_approval, a.version_id == v.id).order_by(a.id.desc()).limit(1)
    ).scalar_subquery()
    statement = sa.select(v.id, v.number).where(v.number > live, ~sa.exists().where(a.version_id == v.id))
    found = tx.rows(statement.order_by(v.number.desc()).limit(1))
    return (found[0]["id"], found[0]["number"]) if found else None


def rule_version_by_number(tx: Tx, number: int) -> RuleVersion:
    """The version with this number. Raises `NotFound`."""
    found = next((version for version in rule_versions(tx) if version.number == number), None)
    if found is None:
        raise NotFound(kind="version of the rules", key=number)
    return found


def add_rule_version(
    tx: Tx,
    *,
    content_hash: str,
    files: Mapping[str, str],
    scorecard: Mapping[str, Any] | None,
    drafted_by: str,
    now: datetime,
) -> int:
    """Stores a new draft and returns its number. Call `lock_rules` first."""
    newest = sa.select(sa.func.coalesce(sa.func.max(t.rule_version.c.number), 0)).scalar_subquery()
    row = {
        "content_hash": content_hash,
        "files": dict(files),
        "scorecard": sa.null() if scorecard is None else dict(scorecard),
        "drafted_by": drafted_by,
        "drafted_at": now,
    }
    statement = sa.insert(t.rule_version).values(number=newest + 1, **row).returning(t.rule_version.c.number)
    return int(tx.scalar(statement))


def approve_rule_version(
    tx: Tx, version: RuleVersion, *, approved_by: str, reason: str, now: datetime
) -> None:
    """Stores an approval: the robot evaluates with this version from now on. Call `lock_rules` first."""
    tx.execute(
        sa.insert(t.rule_approval).values(
            version_id=version.id,
            drafted_by=version.drafted_by,
            approved_by=approved_by,
            reason=reason,
            at=now,
        )
    )
