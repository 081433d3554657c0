"""Versions of call scripts: what was drafted, who approved it with which sound, and what is live. Nothing is changed
here; what holds is the newest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert

from dialer.domain.script_life import VersionState
from dialer.errors import NotFound
from dialer.language import Text
from dialer.store import tables as t
from dialer.store.unit_of_work import Row, Tx

_LOCK = 0x73637269

ClipRow = Mapping[str, Any]
"""A clip as `audio.clips.to_plain` writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One person's word that a version may be spoken with this sound."""

    id: int
    approved_by: str
    reason: str
    audio_hash: str
    goes_live: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """`number` counts up within its script, from 1."""

    id: int
    script_id: str
    number: int
    content_hash: str
    file: str
    source: str
    bases: Mapping[str, Any]
    """By the name in `extends`: the base's file name and text."""
    drafted_by: str
    drafted_at: datetime
    approvals: tuple[Approval, ...] = ()
    """Oldest first."""
    state: VersionState = VersionState.DRAFT
    is_live: bool = False

    @property
    def audio_hash(self) -> str:
        """The sound that was approved last; '' for a draft."""
        return self.approvals[-1].audio_hash if self.approvals else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What new calls of a script speak."""

    script_id: str
    version_id: int
    approval_id: int
    audio_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVersion:
    script_id: str
    content_hash: str
    canonical: str
    file: str
    source: str
    bases: Mapping[str, Any]
    drafted_by: str


def lock(tx: Tx) -> None:
    """Nobody else drafts, approves or seeds until this transaction ends."""
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def known_hashes(tx: Tx) -> dict[tuple[str, str], int]:
    """Script and content to the version's id."""
    rows = tx.rows(
        sa.select(t.script_version.c.script_id, t.script_version.c.content_hash, t.script_version.c.id)
    )
    return {(row["script_id"], row["content_hash"]): row["id"] for row in rows}


def add(tx: Tx, new: NewVersion, *, now: datetime) -> tuple[int, int]:
    """The id and the number of a new version. `lock` is held."""
    newest = tx.scalar(
        sa.select(sa.func.coalesce(sa.func.max(t.script_version.c.number), 0)).where(
            t.script_version.c.script_id == new.script_id
        )
    )
    row = tx.one(
        sa.insert(t.script_version)
        .values(
            script_id=new.script_id,
            number=newest + 1,
            content_hash=new.content_hash,
            canonical=new.canonical,
            file=new.file,
            source=new.source,
            bases=dict(new.bases),
            drafted_by=new.drafted_by,
            drafted_at=now,
        )
        .returning(t.script_version.c.id, t.script_version.c.number)
    )
    assert row is not None
    return row["id"], row["number"]


def approve(
    tx: Tx,
    *,
    version_id: int,
    drafted_by: str,
    approved_by: str,
    reason: str,
    sound: tuple[str, Sequence[ClipRow]],
    goes_live: bool,
    now: datetime,
) -> int:
    """Holds at once, with this sound (its hash and its clips); the id of the approval. `lock` is held."""
    audio_hash, clips = sound
    tx.execute(
        insert(t.script_sound).values(audio_hash=audio_hash, clips=list(clips)).on_conflict_do_nothing()
    )
    approval_id: int = tx.scalar(
        sa.insert(t.script_approval)
        .values(
            version_id=version_id,
            drafted_by=drafted_by,
            approved_by=approved_by,
            reason=reason,
            audio_hash=audio_hash,
            goes_live=goes_live,
            at=now,
        )
        .returning(t.script_approval.c.id)
    )
    return approval_id


def live(tx: Tx) -> dict[str, Live]:
    """By script."""
    version, approval = t.script_version, t.script_approval
    newest = (
        sa.select(version.c.script_id, approval.c.version_id, approval.c.id, approval.c.audio_hash)
        .join(version, version.c.id == approval.c.version_id)
        .where(approval.c.goes_live)
        .ext(distinct_on(version.c.script_id))
        .order_by(version.c.script_id, approval.c.id.desc())
    )
    return {
        row["script_id"]: Live(
            script_id=row["script_id"],
            version_id=row["version_id"],
            approval_id=row["id"],
            audio_hash=row["audio_hash"],
        )
        for row in tx.rows(newest)
    }


def spoken(tx: Tx, version_id: int, audio_hash: str) -> tuple[int, str, list[ClipRow]]:
    """A version's number, canonical words and clips. Raises `NotFound`."""
    row = tx.one(
        sa.select(t.script_version.c.number, t.script_version.c.canonical, t.script_sound.c.clips)
        .join(t.script_sound, t.script_sound.c.audio_hash == audio_hash)
        .where(t.script_version.c.id == version_id)
    )
    if row is None:
        raise NotFound(kind="script version", key=version_id)
    return row["number"], row["canonical"], row["clips"]


def versions(tx: Tx, script_id: str = "") -> list[Version]:
    """All, or those of one script, newest first within a script."""
    statement = sa.select(t.script_version).order_by(
        t.script_version.c.script_id, t.script_version.c.number.desc()
    )
    if script_id:
        statement = statement.where(t.script_version.c.script_id == script_id)
    return _whole(tx, tx.rows(statement))


def version(tx: Tx, script_id: str, number: int) -> Version:
    """Raises `NotFound`."""
    found = _whole(
        tx,
        tx.rows(
            sa.select(t.script_version).where(
                t.script_version.c.script_id == script_id, t.script_version.c.number == number
            )
        ),
    )
    if not found:
        raise NotFound(kind=Text("version of %(script)s", script=script_id), key=number)
    return found[0]


def version_by_id(tx: Tx, version_id: int) -> Version:
    """Raises `NotFound`."""
    found = _whole(tx, tx.rows(sa.select(t.script_version).where(t.script_version.c.id == version_id)))
    if not found:
        raise NotFound(kind="script version", key=version_id)
    return found[0]


def _whole(tx: Tx, rows: Sequence[Row]) -> list[Version]:
    approvals: dict[int, list[Approval]] = {row["id"]: [] for row in rows}
    statement = (
        sa.select(t.script_approval)
        .where(t.script_approval.c.version_id.in_(list(approvals)))
        .order_by(t.script_approval.c.id)
    )
    for row in tx.rows(statement):
        approvals[row["version_id"]].append(_approval(row))
    standing = live(tx)
    in_trial = {
        (script_id, number) for (script_id, _), weights in trials(tx, standing).items() for number in weights
    }
    return [
        _version(
            row,
            tuple(approvals[row["id"]]),
            is_live=(now := standing.get(row["script_id"])) is not None and now.version_id == row["id"],
            in_trial=(row["script_id"], row["number"]) in in_trial,
        )
        for row in rows
    ]


def _version(row: Row, approvals: tuple[Approval, ...], *, is_live: bool, in_trial: bool) -> Version:
    if not approvals:
        state = VersionState.DRAFT
    else:
        state = VersionState.APPROVED if is_live or in_trial else VersionState.RETIRED
    names = (
        "id", "script_id", "number", "content_hash", "file", "source", "bases", "drafted_by", "drafted_at",
    )  # fmt: skip
    return Version(**{name: row[name] for name in names}, approvals=approvals, state=state, is_live=is_live)


def _approval(row: Row) -> Approval:
    names = ("id", "approved_by", "reason", "audio_hash", "goes_live", "at")
    return Approval(**{name: row[name] for name in names})


def trials(tx: Tx, standing: Mapping[str, Live]) -> dict[tuple[str, str], dict[int, float]]:
    """Running trials: script and grade ('' is any) to the share of each version by its number."""
    trial = t.script_trial
    rows = tx.rows(
        sa.select(trial.c.script_id, trial.c.grade, trial.c.weights, trial.c.approval_id)
        .ext(distinct_on(trial.c.script_id, trial.c.grade))
        .order_by(trial.c.script_id, trial.c.grade, trial.c.id.desc())
    )
    return {
        (row["script_id"], row["grade"]): {int(number): w for number, w in row["weights"].items()}
        for row in rows
        if row["weights"]
        and row["script_id"] in standing
        and standing[row["script_id"]].approval_id == row["approval_id"]
    }
