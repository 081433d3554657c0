"""Files that prove something: photos of visits, and the files that prove amounts. Each is read in a process of its own
and stored sealed; whoever opens one gives a reason, which is audited.

A picture is decoded and encoded again without its metadata, such as place and device. A PDF is stored as it is.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from dialer.cases.reveals import note_reveal
from dialer.core.access import Actor, Permission, RevealReason
from dialer.core.errors import Invalid, NotFound, PictureFault
from dialer.core.text import Text, gettext_noop
from dialer.core.values import Track
from dialer.db import tables as t
from dialer.db.unit_of_work import Tx, record_of
from dialer.db.units import check_case_visible
from dialer.runtime.services import Services
from dialer.runtime.uploads import MOST_PIXELS, clean_picture, pdf_fault

FIELD: Final = "evidence_files"
"""The field of a form with files that prove an amount."""
PDF: Final = "application/pdf"
_MEDIA_TYPES: Final = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
"""By Pillow's name; MPO is a JPEG with further pictures behind it, as some phones write."""
_PDF_BEGINS: Final = b"%PDF-"
_FAULTS: Final = {
    PictureFault.KIND: (gettext_noop("is not a supported picture"), Text("JPEG, PNG or WebP")),
    PictureFault.PIXELS: (
        gettext_noop("is too large"),
        Text("%(most)s megapixels at most", most=MOST_PIXELS // 1_000_000),
    ),
    PictureFault.DAMAGE: (gettext_noop("is damaged"), Text("take it again")),
    PictureFault.BUSY: (gettext_noop("cannot be read at the moment"), Text("send it again in a minute")),
}
_PDF_FAULTS: Final = {
    PictureFault.KIND: (gettext_noop("is no PDF"), Text("a PDF, JPEG, PNG or WebP")),
    PictureFault.PIXELS: (gettext_noop("is too large"), Text("send the pages that prove the amount alone")),
    PictureFault.DAMAGE: (gettext_noop("is damaged"), Text("save or scan it again")),
    PictureFault.BUSY: _FAULTS[PictureFault.BUSY],
    PictureFault.LOCKED: (gettext_noop("is under a password"), Text("save it without one")),
    PictureFault.ACTIVE: (
        gettext_noop("does more than show pages: it has a script, a form that is sent or another file in it"),
        Text("print it into a new PDF, or send a picture of it"),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanFile:
    """A file as it is stored; a picture is encoded again, without metadata."""

    media_type: str
    content: bytes
    stripped_bytes: int
    """How many bytes smaller the file became."""


def clean_photo(data: bytes, *, most_bytes: int, field: str = "photo") -> CleanFile:
    """The picture (JPEG, PNG or WebP) without place, time, device and comments (`intake/evidence.py`). Raises
    `Invalid`.
    """
    _check_size(data, most_bytes, field)
    cleaned = clean_picture(data)
    if isinstance(cleaned, PictureFault):
        problem, fix = _FAULTS[cleaned]
        raise Invalid(field=field, problem=problem, fix=fix)
    kind, content = cleaned
    return CleanFile(
        media_type=_MEDIA_TYPES[kind], content=content, stripped_bytes=max(0, len(data) - len(content))
    )


def clean_evidence(services: Services, sent: Sequence[bytes]) -> tuple[CleanFile, ...]:
    """The files that prove an amount: each a picture as `clean_photo` returns it, or a PDF as it is
    (`intake/evidence.py`). Raises `Invalid` for another kind of file, for one that is too large, and for too many.
    """
    rules = services.work
    if len(sent) > rules.evidence_files:
        most = Text("%(most)s at most", most=rules.evidence_files)
        raise Invalid(field=FIELD, problem=gettext_noop("are too many"), fix=most)
    return tuple(_clean_one(data, most_bytes=rules.photo_bytes) for data in sent)


def _clean_one(data: bytes, *, most_bytes: int) -> CleanFile:
    if not data.startswith(_PDF_BEGINS):
        try:
            return clean_photo(data, most_bytes=most_bytes, field=FIELD)
        except Invalid as fault:
            if fault.problem != Text.of(_FAULTS[PictureFault.KIND][0]):
                raise
            problem, fix = _PDF_FAULTS[PictureFault.KIND]
            raise Invalid(field=FIELD, problem=problem, fix=fix) from None
    _check_size(data, most_bytes, FIELD)
    found = pdf_fault(data)
    if found is not None:
        problem, fix = _PDF_FAULTS[found]
        raise Invalid(field=FIELD, problem=problem, fix=fix)
    return CleanFile(media_type=PDF, content=data, stripped_bytes=0)


def _check_size(data: bytes, most_bytes: int, field: str) -> None:
    if len(data) > most_bytes:
        fix = Text("%(most)s MB at most", most=most_bytes >> 20)
        raise Invalid(field=field, problem=gettext_noop("is too large"), fix=fix)


def _store_file(
    tx: Tx, table: sa.Table, file_id: uuid.UUID, file: CleanFile, *, by: str, now: datetime, **belongs_to: int
) -> None:
    """Stores the sealed file as a row of `visit_photo` or `evidence_file` with this id. `belongs_to`: its other
    columns.
    """
    (key,) = (column.name for column in table.primary_key)
    row = str(file_id)
    values: dict[str, object] = {
        key: file_id,
        **belongs_to,
        "media_type": file.media_type,
        "size_bytes": len(file.content),
        "stripped_bytes": file.stripped_bytes,
        "by": by,
        "at": now,
        "sealed": tx.vault.seal(file.content, table=table.name, column="sealed", row=row),
    }
    tx.execute(sa.insert(table).values(values))


def add_visit_photo(
    tx: Tx,
    client_id: uuid.UUID,
    photo: CleanFile,
    *,
    assignment_id: int,
    case_id: int,
    by: str,
    now: datetime,
) -> None:
    """Stores a photo of a visit, under the id that the phone gave it."""
    _store_file(
        tx, t.visit_photo, client_id, photo, by=by, now=now, assignment_id=assignment_id, case_id=case_id
    )


def add_evidence_files(
    tx: Tx, outcome_id: int, files: Sequence[CleanFile], *, case_id: int, by: str, now: datetime
) -> None:
    """Stores files that prove the amounts of this line of the ledger."""
    for file in files:
        _store_file(
            tx, t.evidence_file, uuid.uuid4(), file, by=by, now=now, outcome_id=outcome_id, case_id=case_id
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFile:
    """A file beside an outcome, without its content."""

    id: uuid.UUID
    outcome_id: int
    media_type: str
    size_bytes: int
    by: str
    at: datetime
    is_photo: bool
    """A photo of the visit that the outcome reports, not a file of the report itself."""


def files_of_outcomes(tx: Tx, outcome_ids: Collection[int]) -> dict[int, tuple[EvidenceFile, ...]]:
    """The files of each line of the ledger, oldest first: those of its report, and for a visit its photos."""
    f, p, o = t.evidence_file.c, t.visit_photo.c, t.outcome.c
    names = ("media_type", "size_bytes", "by", "at")
    own = sa.select(f.id, f.outcome_id, *(f[name] for name in names), sa.false().label("is_photo")).where(
        f.outcome_id.in_(outcome_ids)
    )
    photos = (
        sa.select(
            p.client_id.label("id"),
            o.id.label("outcome_id"),
            *(p[name] for name in names),
            sa.true().label("is_photo"),
        )
        .join(t.outcome, o.assignment_id == p.assignment_id)
        .where(o.id.in_(outcome_ids), o.track == Track.VISIT.value)
    )
    found: dict[int, tuple[EvidenceFile, ...]] = {}
    for row in sorted(tx.rows(own.union_all(photos)), key=lambda row: (row["at"], str(row["id"]))):
        file = record_of(EvidenceFile, row)
        found[file.outcome_id] = (*found.get(file.outcome_id, ()), file)
    return found


def files_of_case(tx: Tx, case_id: int) -> dict[int, tuple[EvidenceFile, ...]]:
    """As `files_of_outcomes`, for the whole ledger of a case."""
    o = t.outcome.c
    has_money = o.intended_fen + o.stopped_fen + o.returned_fen > 0
    f = t.evidence_file.c
    own = sa.select(f.outcome_id.label("id")).where(f.case_id == case_id)
    rows = tx.rows(sa.select(o.id).where(o.case_id == case_id, has_money).union(own))
    return files_of_outcomes(tx, [row["id"] for row in rows])


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsealedFile:
    """A file with its content unsealed."""

    case_id: int
    media_type: str
    content: bytes
    act: str
    """The act under which the audit records a view of the file."""


def unseal_file(tx: Tx, file_id: uuid.UUID) -> UnsealedFile:
    """Unseals a file, for an action that audits who views it and why. Raises `NotFound`."""
    for table, key, act in (
        (t.visit_photo, "client_id", "view_photo"),
        (t.evidence_file, "id", "view_file"),
    ):
        row = tx.one(sa.select(table).where(table.c[key] == file_id))
        if row is not None:
            content = tx.vault.open(row["sealed"], table=table.name, column="sealed", row=str(file_id))
            return UnsealedFile(
                case_id=row["case_id"], media_type=row["media_type"], content=content, act=act
            )
    raise NotFound(kind="file", key=file_id)


def reveal_file(
    services: Services,
    actor: Actor,
    file_id: uuid.UUID,
    *,
    reason: RevealReason | str,
    why: str,
    case_id: int,
) -> UnsealedFile:
    """Unseals a photo of a visit, or a file that proves an amount, of this case; audits the viewer and the reason.
    Raises `NotFound`, also for a file of another case and for a case that the actor does not see, `Invalid`
    and `TooMany`.
    """
    with services.act(actor, Permission.REVEAL) as act:
        found = unseal_file(act.tx, file_id)
        if found.case_id != case_id:
            raise NotFound(kind="file", key=file_id)
        check_case_visible(act.tx, case_id, actor.unit_id)
        subject = f"case/{case_id}"
        note_reveal(act, services, name=found.act, subject=subject, reason=reason, why=why)
    return found
