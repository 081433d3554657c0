"""Versions of the rules of inspection: delivered with the product, drafted by one person and approved by another."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Final

from dialer.core.access import RELEASED_BY, SHIPPED_BY, Actor, Permission, required_text
from dialer.core.errors import Conflict
from dialer.core.text import gettext_noop
from dialer.core.values import VersionState
from dialer.db.second_person import require_second_person
from dialer.db.unit_of_work import Tx
from dialer.quality.rules import Catalogue, read_catalogue
from dialer.quality.store import QUALITY_VERSIONS, QualityVersion, quality_version, quality_versions
from dialer.runtime.services import Services

LONGEST_WHY: Final = 500


@cache
def shipped_rules() -> str:
    """The rules that the product delivers."""
    return resources.files("dialer.quality").joinpath("rules.toml").read_text(encoding="utf-8")


def content_hash(source: str) -> str:
    """Equal for the same rules."""
    return hashlib.sha256(source.strip().encode()).hexdigest()


def seed_quality_rules(tx: Tx, *, now: datetime, rules: str | None = None) -> bool:
    """Stores the rules of the product, or these, if they are new: in force at once unless the centre has approved its
    own, which stay in force until a person approves these. Returns whether they were new.
    """
    rules = shipped_rules() if rules is None else rules
    wanted = content_hash(rules)
    if any(version.content_hash == wanted for version in quality_versions(tx)):
        return False
    QUALITY_VERSIONS.lock(tx)
    known = quality_versions(tx)
    if any(version.content_hash == wanted for version in known):
        return False
    number = QUALITY_VERSIONS.add(
        tx,
        content_hash=wanted,
        drafted_by=SHIPPED_BY,
        now=now,
        source=rules,
        why="upgrade" if known else "first start",
    )
    live = next((version for version in known if version.state is VersionState.APPROVED), None)
    if live is None or live.drafted_by == SHIPPED_BY:
        made = quality_version(tx, number)
        QUALITY_VERSIONS.approve(
            tx, made.id, drafted_by=SHIPPED_BY, approved_by=RELEASED_BY, reason=made.why, now=now
        )
    return True


def list_versions(services: Services) -> Sequence[QualityVersion]:
    """All versions, newest first."""
    with services.store.begin_single_read() as tx:
        return quality_versions(tx)


def get_version(services: Services, number: int) -> QualityVersion:
    """The version with this number. Raises `NotFound`."""
    with services.store.begin_single_read() as tx:
        return quality_version(tx, number)


def live_catalogue(services: Services) -> tuple[QualityVersion, Catalogue] | None:
    """The version in force and its rules."""
    found = next((one for one in list_versions(services) if one.state is VersionState.APPROVED), None)
    return None if found is None else (found, read_catalogue(found.source))


def draft_rules(services: Services, actor: Actor, source: str, *, why: str) -> int:
    """Stores a draft of all rules and returns its number. Raises `Invalid` without a reason and for rules that are not
    whole, and `Conflict` for rules that were stored before.
    """
    reason = required_text("why", why, fix=gettext_noop("why this version, in a few words"))[:LONGEST_WHY]
    text = source.replace("\r\n", "\n").strip() + "\n"
    read_catalogue(text)
    with services.act(actor, Permission.EDIT_SCRIPTS) as act:
        QUALITY_VERSIONS.lock(act.tx)
        wanted = content_hash(text)
        same = next((one for one in quality_versions(act.tx) if one.content_hash == wanted), None)
        if same is not None:
            raise Conflict(
                gettext_noop("these rules are stored already: approve that version"), current=str(same.number)
            )
        number = QUALITY_VERSIONS.add(
            act.tx, content_hash=wanted, drafted_by=act.by, now=act.now, source=text, why=reason
        )
        act.audit("draft_quality_rules", "quality_rules", why=reason, facts={"number": number})
        return number


def approve_rules(services: Services, actor: Actor, number: int, *, reason: str) -> None:
    """A second person puts the version in force, also an earlier one again. Raises `NotFound`, `Invalid` without a
    reason, `SamePerson` for one's own draft, and `Conflict` for the version that is in force.
    """
    why = required_text("reason", reason)[:LONGEST_WHY]
    with services.act(actor, Permission.APPROVE) as act:
        QUALITY_VERSIONS.lock(act.tx)
        version = quality_version(act.tx, number)
        if version.state is VersionState.APPROVED:
            raise Conflict(gettext_noop("this version is in force already"), current=version.state.value)
        require_second_person(act.tx, act.by, version.drafted_by)
        QUALITY_VERSIONS.approve(
            act.tx, version.id, drafted_by=version.drafted_by, approved_by=act.by, reason=why, now=act.now
        )
        act.audit("approve_quality_rules", "quality_rules", why=why, facts={"number": number})
