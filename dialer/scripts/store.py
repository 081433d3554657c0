"""The rows of call scripts: versions, approvals, renderings of sound, sound files and trials.

A version is never changed. The newest row says what is live, and which trial runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert

from audio.clips import Clip, audio_hash, from_plain, to_plain
from dialer.core.errors import NotFound
from dialer.core.reach import Reach
from dialer.core.text import Text
from dialer.core.values import Contact, OutcomeKind, RenderState, TelephonyResult, VersionState
from dialer.db import tables as t
from dialer.db.columns import filing_stands
from dialer.db.jobs import JobClaim, JobTable, Retries
from dialer.db.unit_of_work import Row, Tx, record_of
from dialer.scripts.model import Script

_LOCK = 0x73637269


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """The decision of one person that a version may be used with this sound."""

    id: int
    approved_by: str
    reason: str
    audio_hash: str
    goes_live: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a script; `number` counts up within its script, from 1."""

    id: int
    script_id: str
    number: int
    content_hash: str
    file: str
    source: str
    bases: Mapping[str, Any]
    """File name and text of each base, by the name in `extends`."""
    drafted_by: str
    drafted_at: datetime
    approvals: tuple[Approval, ...] = ()
    """Oldest first."""
    state: VersionState = VersionState.DRAFT
    is_live: bool = False

    @property
    def audio_hash(self) -> str:
        """The hash of the sound that was approved last; '' for a draft."""
        return self.approvals[-1].audio_hash if self.approvals else ""

    @property
    def was_live(self) -> bool:
        """Whether it is live, or ever was."""
        return any(approval.goes_live for approval in self.approvals)


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """The version of a script that new calls use."""

    script_id: str
    version_id: int
    approval_id: int
    audio_hash: str
    drafted_by: str


def lock_scripts(tx: Tx) -> None:
    """Locks versions, approvals and trials: no other transaction writes them until this one ends."""
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def known_script_hashes(tx: Tx) -> dict[tuple[str, str], int]:
    """The id of each version, by script id and content hash."""
    rows = tx.rows(
        sa.select(t.script_version.c.script_id, t.script_version.c.content_hash, t.script_version.c.id)
    )
    return {(row["script_id"], row["content_hash"]): row["id"] for row in rows}


def add_script_version(
    tx: Tx, script: Script, *, source: str, bases: Mapping[str, Any], drafted_by: str, now: datetime
) -> Version:
    """Stores a new draft of a script, with the text that it was read from. Call `lock_scripts` first."""
    version = t.script_version.c
    newest = sa.select(sa.func.coalesce(sa.func.max(version.number), 0)).where(version.script_id == script.id)
    row = tx.one(
        sa.insert(t.script_version)
        .values(
            script_id=script.id,
            number=newest.scalar_subquery() + 1,
            content_hash=script.content_hash,
            canonical=script.canonical,
            file=script.origin.file,
            source=source,
            bases=dict(bases),
            drafted_by=drafted_by,
            drafted_at=now,
        )
        .returning(*_VERSION)
    )
    assert row is not None
    return Version(**row)


def approve_script_version(
    tx: Tx,
    version: Version,
    clips: Iterable[Clip],
    *,
    approved_by: str,
    reason: str,
    goes_live: bool,
    now: datetime,
) -> None:
    """Approves a version with these clips. Call `lock_scripts` first."""
    digest, rows = audio_hash(clips := tuple(clips)), to_plain(clips)
    tx.execute(insert(t.script_sound).values(audio_hash=digest, clips=rows).on_conflict_do_nothing())
    tx.execute(
        sa.insert(t.script_approval).values(
            version_id=version.id,
            drafted_by=version.drafted_by,
            approved_by=approved_by,
            reason=reason,
            audio_hash=digest,
            goes_live=goes_live,
            at=now,
        )
    )


def live_scripts(tx: Tx) -> dict[str, Live]:
    """The live version of each script, by its id."""
    version, approval = t.script_version, t.script_approval
    newest = (
        sa.select(
            version.c.script_id,
            approval.c.version_id,
            approval.c.id.label("approval_id"),
            approval.c.audio_hash,
            approval.c.drafted_by,
        )
        .join(version, version.c.id == approval.c.version_id)
        .where(approval.c.goes_live)
        .ext(distinct_on(version.c.script_id))
        .order_by(version.c.script_id, approval.c.id.desc())
    )
    return {row["script_id"]: Live(**row) for row in tx.rows(newest)}


def spoken_version(tx: Tx, version_id: int, audio_hash: str) -> tuple[int, str, tuple[Clip, ...]]:
    """The number and the canonical text of a version, and the clips of that hash. Raises `NotFound`."""
    row = tx.one(
        sa.select(t.script_version.c.number, t.script_version.c.canonical, t.script_sound.c.clips)
        .join(t.script_sound, t.script_sound.c.audio_hash == audio_hash)
        .where(t.script_version.c.id == version_id)
    )
    if row is None:
        raise NotFound(kind="script version", key=version_id)
    return row["number"], row["canonical"], from_plain(row["clips"])


def script_versions_of(tx: Tx, script_id: str = "") -> list[Version]:
    """All versions, or those of one script, newest first within a script."""
    return _versions(tx, t.script_version.c.script_id == script_id if script_id else sa.true())


def get_script_version(tx: Tx, script_id: str, number: int) -> Version:
    """The version of a script with this number. Raises `NotFound`."""
    version = t.script_version.c
    found = _versions(tx, sa.and_(version.script_id == script_id, version.number == number))
    if not found:
        raise NotFound(kind=Text("version of %(script)s", script=script_id), key=number)
    return found[0]


def script_version_by_id(tx: Tx, version_id: int) -> Version:
    """The version with this id. Raises `NotFound`."""
    found = _versions(tx, t.script_version.c.id == version_id)
    if not found:
        raise NotFound(kind="script version", key=version_id)
    return found[0]


_VERSION = tuple(column for column in t.script_version.c if column.name != "canonical")


def _versions(tx: Tx, which: sa.ColumnElement[bool]) -> list[Version]:
    version, approval = t.script_version.c, t.script_approval.c
    rows = tx.rows(sa.select(*_VERSION).where(which).order_by(version.script_id, version.number.desc()))
    approvals: dict[int, list[Approval]] = {row["id"]: [] for row in rows}
    columns = [approval.version_id, *(approval[name] for name in Approval.__slots__)]
    for row in tx.rows(sa.select(*columns).where(approval.version_id.in_(approvals)).order_by(approval.id)):
        facts = dict(row)
        approvals[facts.pop("version_id")].append(Approval(**facts))
    live = live_scripts(tx)
    live_ids = {row.version_id for row in live.values()}
    in_trial = {
        (script_id, number)
        for (script_id, _), weights in running_script_trials(tx, live).items()
        for number in weights
    }
    found = []
    for row in rows:
        is_spoken = row["id"] in live_ids or (row["script_id"], row["number"]) in in_trial
        approved = VersionState.APPROVED if is_spoken else VersionState.RETIRED
        found.append(
            Version(
                **row,
                approvals=tuple(approvals[row["id"]]),
                state=approved if approvals[row["id"]] else VersionState.DRAFT,
                is_live=row["id"] in live_ids,
            )
        )
    return found


def running_script_trials(tx: Tx, standing: Mapping[str, Live]) -> dict[tuple[str, str], dict[int, float]]:
    """The shares of each version number in the trials under way, by script and grade ('' is any)."""
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
    """One rendering of a version: `done` of `total` prompts are made. `clips` as `audio.clips.to_plain`
    returns them.
    """

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
    """The rendering of a version that was requested last; None if there is none."""
    render = t.script_render.c
    statement = sa.select(*_RENDER).where(render.version_id == version_id).order_by(render.id.desc()).limit(1)
    return _render(tx.one(statement))


def request_render(
    tx: Tx, version_id: int, *, total: int, by: str, now: datetime, real_now: datetime
) -> Render:
    """The rendering of a version that is under way, else a new request. Call `lock_scripts` first."""
    under_way = newest_render(tx, version_id)
    if under_way is not None and under_way.state.is_open:
        return under_way
    new = _render(
        tx.one(
            sa.insert(t.script_render)
            .values(
                version_id=version_id,
                state=RenderState.WAITING.value,
                total=total,
                clips=[],
                asked_by=by,
                asked_at=now,
                lease_until=real_now,
            )
            .returning(*_RENDER)
        )
    )
    assert new is not None
    return new


def _fail_renders(tx: Tx, render_ids: Sequence[int], now: datetime) -> None:
    error = Text("the worker that rendered it ended %(times)s times", times=_RENDER_RETRIES.most).dump()
    tx.execute(
        sa.update(t.script_render)
        .where(t.script_render.c.id.in_(render_ids))
        .values(state=RenderState.FAILED.value, ended_at=now, error=error, lease_until=None)
    )


_RENDER_RETRIES: Final = Retries(most=5, first=timedelta(minutes=1), longest=timedelta(minutes=10))
RENDERS: Final = JobTable(
    kind="render",
    waits=t.script_render.c.state.in_(_OPEN),
    due=t.script_render.c.lease_until,
    unset_is_due=True,
    tries=t.script_render.c.tries,
    retries=_RENDER_RETRIES,
    give_up=_fail_renders,
)
"""Renderings that are not over."""


def take_render(
    tx: Tx, render_id: int, *, now: datetime, real_now: datetime, lease: timedelta
) -> tuple[Render, JobClaim] | None:
    """Claims the rendering; None if it is over or another process works on it."""
    taken = RENDERS.take(
        tx,
        t.script_render.c.id == render_id,
        now=now,
        real_now=real_now,
        lease=lease,
        returning=_RENDER,
        state=RenderState.RUNNING.value,
    )
    row = next(iter(taken), None)
    render = _render(row)
    return None if row is None or render is None else (render, RENDERS.claim_of(row))


_RENDER = tuple(t.script_render.c[name] for name in Render.__slots__)


def _render(row: Row | None) -> Render | None:
    if row is None:
        return None
    return record_of(Render, row, clips=tuple(row["clips"]))


def sound_file_body(tx: Tx, file: str) -> bytes | None:
    """The content of a sound file in the database; None if it is not there."""
    found = tx.scalar(sa.select(t.sound_file.c.body).where(t.sound_file.c.file == file))
    return None if found is None else bytes(found)


def known_sound_files(tx: Tx, files: Iterable[str]) -> set[str]:
    """Those of these files that are in the database."""
    statement = sa.select(t.sound_file.c.file).where(t.sound_file.c.file.in_(list(files)))
    return {row["file"] for row in tx.rows(statement)}


def store_sound_files(tx: Tx, files: Mapping[str, tuple[str, bytes]]) -> None:
    """Stores sound files. `files`: SHA-256 and content by name. A file that is already there stays as it is."""
    rows = [
        {"file": file, "sha256": sha256, "body": content} for file, (sha256, content) in sorted(files.items())
    ]
    if rows:
        tx.execute(insert(t.sound_file).on_conflict_do_nothing(), rows)


_DISSUADED = (OutcomeKind.DISSUADED_BY_PHONE, OutcomeKind.DISSUADED_IN_PERSON)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A trial of a script. `grade` '' is any that has no trial of its own. `ended_at` None: it is running."""

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
    """The people whose first answered call in a trial spoke this version, counted by result."""

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
    """Begins a trial: new calls use versions in these shares; empty weights end the trial."""
    shares = {str(number): weight for number, weight in weights.items()}
    row = {"approval_id": approval_id, "script_id": script_id, "grade": grade, "weights": shares}
    tx.execute(sa.insert(t.script_trial).values(row | {"set_by": by, "reason": reason, "at": now}))


def newest_trial(tx: Tx, script_id: str, grade: str) -> Trial | None:
    """The running trial of a script and grade, else the last one; None if there was none."""
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
    """The grades that have ever had a trial of their own."""
    rows = tx.rows(
        sa.select(t.script_trial.c.grade)
        .where(t.script_trial.c.script_id == script_id, t.script_trial.c.grade != "")
        .distinct()
    )
    return sorted(row["grade"] for row in rows)


def trial_results(tx: Tx, trial: Trial, *, drill: bool, other_grades: list[str]) -> dict[int, TrialResults]:
    """The results of a trial by version number. A person counts once, with the version of their first answered call and
    the grade that their case began with: what the call said cannot have changed either.
    """
    a, first = t.attempt, _first_answers(trial, drill=drill)
    spoken = (
        sa.select(a.c.id)
        .where(
            a.c.case_id == first.c.case_id,
            a.c.script_version_id == first.c.script_version_id,
            a.c.contact == Contact.VERIFIED.value,
        )
        .exists()
    )
    filed = (
        sa.select(t.filed_case.c.id)
        .where(t.filed_case.c.case_id == first.c.case_id, sa.text(filing_stands("filed_case")))
        .exists()
    )

    def count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.count().filter(condition)

    statement = (
        sa.select(
            first.c.number,
            sa.func.count().label("people"),
            count(spoken).label("verified"),
            count(t.case.c.outcome.in_([kind.value for kind in _DISSUADED])).label("dissuaded"),
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


def _first_answers(trial: Trial, *, drill: bool) -> sa.Subquery:
    """The first answered call of each person during a trial, with the number of its version."""
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
    answered = (
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
    return answered.ext(distinct_on(a.c.person_id)).subquery("first")


def are_filed_cases_loaded(tx: Tx) -> bool:
    """Whether any case has been recorded as filed with the police."""
    return tx.scalar(sa.select(t.filed_case.c.id).limit(1)) is not None
