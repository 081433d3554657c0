"""Rows of the versions of the robot's rules and of their approvals. A version never changes; the newest approval
decides which one the robot evaluates with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from dialer.core.values import VersionState
from dialer.db import tables as t
from dialer.db.unit_of_work import Tx
from dialer.db.versions import VersionKind

RULE_VERSIONS: Final = VersionKind(
    versions=t.rule_version, approvals=t.rule_approval, noun="version of the rules", lock_key=0x72756C65
)


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
    RULE_VERSIONS.lock(tx)


def rule_versions(tx: Tx) -> list[RuleVersion]:
    """All versions, newest first."""
    return [RuleVersion(**row) for row in RULE_VERSIONS.rows(tx)]


def live_rule_version(tx: Tx) -> RuleVersion | None:
    """The version that the robot evaluates with; None before the first approval."""
    return next((version for version in rule_versions(tx) if version.state is VersionState.APPROVED), None)


def live_rules_hash(tx: Tx) -> str:
    """The hash of the live rules; '' if there are none."""
    found = RULE_VERSIONS.live(tx, t.rule_version.c.content_hash)
    return "" if found is None else str(found["content_hash"])


def newest_draft(tx: Tx) -> tuple[int, int] | None:
    """The id and number of the newest version that nobody has approved; None if none is newer than the live one."""
    found = RULE_VERSIONS.newest_draft(tx)
    return None if found is None else (found["id"], found["number"])


def rule_version_by_number(tx: Tx, number: int) -> RuleVersion:
    """The version with this number. Raises `NotFound`."""
    return RuleVersion(**RULE_VERSIONS.by_number(tx, number))


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
    return RULE_VERSIONS.add(
        tx,
        content_hash=content_hash,
        drafted_by=drafted_by,
        now=now,
        files=dict(files),
        scorecard=sa.null() if scorecard is None else dict(scorecard),
    )


def approve_rule_version(
    tx: Tx, version: RuleVersion, *, approved_by: str, reason: str, now: datetime
) -> None:
    """Stores an approval: the robot evaluates with this version from now on. Call `lock_rules` first."""
    RULE_VERSIONS.approve(
        tx, version.id, drafted_by=version.drafted_by, approved_by=approved_by, reason=reason, now=now
    )
