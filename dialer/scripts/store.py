"""Versions of call scripts: what was drafted, who approved it with which sound, and what is live. Nothing is changed
here; what holds is the newest.

The making of sound for versions of scripts: asked for, worked on by one process at a time, done or failed.

Sound files in the database, where every machine and every backup has them.

Trials of one version against another: which ran when, and what became of the people who heard them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert

from dialer.core.errors import NotFound
from dialer.core.events import Reach
from dialer.core.values import Contact, OutcomeKind, RenderState, TelephonyResult, VersionState
from dialer.db import tables as t
from dialer.db.unit_of_work import Row, Tx
from dialer.language import Text

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


def lock_scripts(tx: Tx) -> None:
    """Nobody else drafts, approves or seeds until this transaction ends."""
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def known_script_hashes(tx: Tx) -> dict[tuple[str, str], int]:
    """Script and content to the version's id."""
    rows = tx.rows(
        sa.select(t.script_version.c.script_id, t.script_version.c.content_hash, t.script_version.c.id)
    )
    return {(row["script_id"], row["content_hash"]): row["id"] for row in rows}


def add_script_version(tx: Tx, new: NewVersion, *, now: datetime) -> tuple[int, int]:
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


def approve_script_version(
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


def live_scripts(tx: Tx) -> dict[str, Live]:
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


def spoken_version(tx: Tx, version_id: int, audio_hash: str) -> tuple[int, str, list[ClipRow]]:
    """A version's number, canonical words and clips. Raises `NotFound`."""
    row = tx.one(
        sa.select(t.script_version.c.number, t.script_version.c.canonical, t.script_sound.c.clips)
        .join(t.script_sound, t.script_sound.c.audio_hash == audio_hash)
        .where(t.script_version.c.id == version_id)
    )
    if row is None:
        raise NotFound(kind="script version", key=version_id)
    return row["number"], row["canonical"], row["clips"]


def script_versions_of(tx: Tx, script_id: str = "") -> list[Version]:
    """All, or those of one script, newest first within a script."""
    statement = sa.select(t.script_version).order_by(
        t.script_version.c.script_id, t.script_version.c.number.desc()
    )
    if script_id:
        statement = statement.where(t.script_version.c.script_id == script_id)
    return _whole(tx, tx.rows(statement))


def get_script_version(tx: Tx, script_id: str, number: int) -> Version:
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


def script_version_by_id(tx: Tx, version_id: int) -> Version:
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
    standing = live_scripts(tx)
    in_trial = {
        (script_id, number)
        for (script_id, _), weights in running_script_trials(tx, standing).items()
        for number in weights
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


def running_script_trials(tx: Tx, standing: Mapping[str, Live]) -> dict[tuple[str, str], dict[int, float]]:
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


_OPEN = (RenderState.WAITING.value, RenderState.RUNNING.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Render:
    """`done` of `total` prompts are made. `clips` as `audio.clips.to_plain` writes them."""

    id: int
    version_id: int
    state: RenderState
    done: int
    total: int
    clips: tuple[Mapping[str, Any], ...]
    error: str
    asked_by: str
    asked_at: datetime
    ended_at: datetime | None


def newest_render(tx: Tx, version_id: int) -> Render | None:
    row = tx.one(
        sa.select(t.script_render)
        .where(t.script_render.c.version_id == version_id)
        .order_by(t.script_render.c.id.desc())
        .limit(1)
    )
    return None if row is None else _render(row)


def get_render(tx: Tx, render_id: int) -> Render:
    """Raises `NotFound`."""
    row = tx.one(sa.select(t.script_render).where(t.script_render.c.id == render_id))
    if row is None:
        raise NotFound(kind="rendering", key=render_id)
    return _render(row)


def request_render(tx: Tx, version_id: int, *, total: int, by: str, now: datetime) -> int:
    """The rendering of a version that is under way, begun when there is none. The version's lock is held."""
    under_way = newest_render(tx, version_id)
    if under_way is not None and under_way.state.is_open:
        return under_way.id
    render_id: int = tx.scalar(
        sa.insert(t.script_render)
        .values(
            version_id=version_id,
            state=RenderState.WAITING.value,
            total=total,
            clips=[],
            asked_by=by,
            asked_at=now,
        )
        .returning(t.script_render.c.id)
    )
    return render_id


def take_render(tx: Tx, render_id: int, *, real_now: datetime, lease_until: datetime) -> Render | None:
    """Ours until then; None when it is over, or another process has it."""
    row = tx.one(
        sa.update(t.script_render)
        .where(
            t.script_render.c.id == render_id,
            t.script_render.c.state.in_(_OPEN),
            sa.or_(t.script_render.c.lease_until.is_(None), t.script_render.c.lease_until <= real_now),
        )
        .values(state=RenderState.RUNNING.value, lease_until=lease_until)
        .returning(t.script_render)
    )
    return None if row is None else _render(row)


def advance_render(
    tx: Tx, render_id: int, *, done: int, clips: Sequence[Mapping[str, Any]], lease_until: datetime | None
) -> None:
    """So far it has come; without a lease anybody may go on."""
    tx.execute(
        sa.update(t.script_render)
        .where(t.script_render.c.id == render_id)
        .values(done=done, clips=list(clips), lease_until=lease_until)
    )


def end_render(tx: Tx, render_id: int, state: RenderState, *, now: datetime, error: str = "") -> None:
    tx.execute(
        sa.update(t.script_render)
        .where(t.script_render.c.id == render_id, t.script_render.c.state.in_(_OPEN))
        .values(state=state.value, ended_at=now, error=error, lease_until=None)
    )


def unfinished_renders(tx: Tx, *, real_now: datetime) -> list[int]:
    """Those that nobody is working on."""
    statement = (
        sa.select(t.script_render.c.id)
        .where(
            t.script_render.c.state.in_(_OPEN),
            sa.or_(t.script_render.c.lease_until.is_(None), t.script_render.c.lease_until <= real_now),
        )
        .order_by(t.script_render.c.id)
    )
    return [row["id"] for row in tx.rows(statement)]


def _render(row: Row) -> Render:
    names = ("id", "version_id", "done", "total", "error", "asked_by", "asked_at", "ended_at")
    return Render(
        **{name: row[name] for name in names}, state=RenderState(row["state"]), clips=tuple(row["clips"])
    )


def sound_file_body(tx: Tx, file: str) -> bytes | None:
    found = tx.scalar(sa.select(t.sound_file.c.body).where(t.sound_file.c.file == file))
    return None if found is None else bytes(found)


def known_sound_files(tx: Tx, files: Iterable[str]) -> set[str]:
    """Which of these are kept."""
    statement = sa.select(t.sound_file.c.file).where(t.sound_file.c.file.in_(list(files)))
    return {row["file"] for row in tx.rows(statement)}


def store_sound_files(tx: Tx, files: Mapping[str, tuple[str, bytes]]) -> None:
    """By name: SHA-256 and content. One that is there already stays as it is."""
    rows = [
        {"file": file, "sha256": sha256, "body": content} for file, (sha256, content) in sorted(files.items())
    ]
    if rows:
        tx.execute(insert(t.sound_file).on_conflict_do_nothing(), rows)


DISSUADED_OUTCOMES = (OutcomeKind.DISSUADED_BY_PHONE, OutcomeKind.DISSUADED_IN_PERSON)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """`grade` '' is any that has no trial of its own. `ended_at` None: it is running."""

    id: int
    script_id: str
    grade: str
    weights: Mapping[int, float]
    live: int
    """The number of the version that was live."""
    set_by: str
    reason: str
    at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResults:
    """People whose first answered ring of a trial spoke this version, and what became of them."""

    number: int
    people: int = 0
    verified: int = 0
    dissuaded: int = 0
    hung_up_early: int = 0
    defrauded: int = 0


def begin_trial(
    tx: Tx,
    *,
    approval_id: int,
    script_id: str,
    grade: str,
    weights: Mapping[int, float],
    by: str,
    reason: str,
    now: datetime,
) -> None:
    """Holds for new calls; no weights end it."""
    tx.execute(
        sa.insert(t.script_trial).values(
            approval_id=approval_id,
            script_id=script_id,
            grade=grade,
            weights={str(number): weight for number, weight in weights.items()},
            set_by=by,
            reason=reason,
            at=now,
        )
    )


def newest_trial(tx: Tx, script_id: str, grade: str) -> Trial | None:
    """The running one, else the last that ran."""
    trial, approval, version = t.script_trial, t.script_approval, t.script_version
    row = tx.one(
        sa.select(trial, version.c.number)
        .join(approval, approval.c.id == trial.c.approval_id)
        .join(version, version.c.id == approval.c.version_id)
        .where(
            trial.c.script_id == script_id,
            trial.c.grade == grade,
            trial.c.weights != sa.cast({}, trial.c.weights.type),
        )
        .order_by(trial.c.id.desc())
        .limit(1)
    )
    if row is None:
        return None
    later = sa.select(trial.c.at).where(
        trial.c.script_id == script_id, trial.c.grade == grade, trial.c.id > row["id"]
    )
    went_live = (
        sa.select(approval.c.at)
        .join(version, version.c.id == approval.c.version_id)
        .where(version.c.script_id == script_id, approval.c.goes_live, approval.c.id > row["approval_id"])
    )
    ended = tx.scalar(sa.select(sa.func.min(sa.union_all(later, went_live).subquery().c[0])))
    return Trial(
        id=row["id"],
        script_id=script_id,
        grade=grade,
        weights={int(number): weight for number, weight in row["weights"].items()},
        live=row["number"],
        set_by=row["set_by"],
        reason=row["reason"],
        at=row["at"],
        ended_at=ended,
    )


def trial_grades(tx: Tx, script_id: str) -> list[str]:
    """Grades that ever had a trial of their own."""
    rows = tx.rows(
        sa.select(t.script_trial.c.grade)
        .where(t.script_trial.c.script_id == script_id, t.script_trial.c.grade != "")
        .distinct()
    )
    return sorted(row["grade"] for row in rows)


def trial_results(tx: Tx, trial: Trial, *, drill: bool, other_grades: list[str]) -> dict[int, TrialResults]:
    """By the version's number. A person counts once, with the version of their first answered ring, by the grade that
    their case began with: neither can have been changed by what was said.
    """
    a, version = t.attempt, t.script_version
    first_grade = (
        sa.select(t.warning.c.grade)
        .where(t.warning.c.case_id == a.c.case_id)
        .order_by(t.warning.c.loaded_at, t.warning.c.id)
        .limit(1)
        .scalar_subquery()
    )
    within = [a.c.sent_at >= trial.at]
    if trial.ended_at is not None:
        within.append(a.c.sent_at < trial.ended_at)
    rung = (
        sa.select(
            a.c.person_id,
            a.c.case_id,
            a.c.script_version_id,
            a.c.reach,
            version.c.number,
            first_grade.label("grade"),
        )
        .join(version, version.c.id == a.c.script_version_id)
        .where(
            version.c.script_id == trial.script_id,
            version.c.number.in_(list(trial.weights)),
            a.c.result == TelephonyResult.ANSWERED.value,
            a.c.drill.is_(drill),
            *within,
        )
        .order_by(a.c.person_id, a.c.sent_at, a.c.id)
    )
    first = rung.ext(distinct_on(a.c.person_id)).subquery("first")
    spoken = (
        sa.select(a.c.id)
        .where(
            a.c.case_id == first.c.case_id,
            a.c.script_version_id == first.c.script_version_id,
            a.c.contact == Contact.VERIFIED.value,
        )
        .exists()
    )
    filed = sa.select(t.filed_case.c.id).where(t.filed_case.c.case_id == first.c.case_id).exists()

    def count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.count().filter(condition)

    statement = (
        sa.select(
            first.c.number,
            sa.func.count().label("people"),
            count(spoken).label("verified"),
            count(t.case.c.outcome.in_([kind.value for kind in DISSUADED_OUTCOMES])).label("dissuaded"),
            count(first.c.reach == Reach.HUNG_UP_EARLY.value).label("hung_up_early"),
            count(filed).label("defrauded"),
        )
        .join(t.case, t.case.c.id == first.c.case_id)
        .group_by(first.c.number)
    )
    if trial.grade:
        statement = statement.where(first.c.grade == trial.grade)
    elif other_grades:
        statement = statement.where(first.c.grade.not_in(other_grades))
    found = {row["number"]: TrialResults(**dict(row)) for row in tx.rows(statement)}
    return {number: found.get(number, TrialResults(number=number)) for number in sorted(trial.weights)}


def are_filed_cases_loaded(tx: Tx) -> bool:
    """Whether cases that were filed with the police have been loaded at all."""
    return tx.scalar(sa.select(t.filed_case.c.id).limit(1)) is not None
