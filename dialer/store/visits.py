"""What officers' phones send, each act once, and their photos."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.domain.errand import VisitStage
from dialer.errors import Conflict, NotFound
from dialer.outcomes.photos import Photo
from dialer.store import tables as t
from dialer.store.unit_of_work import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """It was taken before."""

    at: datetime
    outcome_id: int | None


def once(
    tx: Tx, client_id: uuid.UUID, *, assignment_id: int, content: bytes, by: str, now: datetime
) -> Repeat | None:
    """None: the act is new and now on record. Raises `Conflict` when the number came with something else before."""
    digest = hashlib.sha256(content).digest()
    new = tx.scalar(
        insert(t.sent_act)
        .values(client_id=client_id, assignment_id=assignment_id, digest=digest, by=by, at=now)
        .on_conflict_do_nothing(index_elements=["client_id"])
        .returning(t.sent_act.c.client_id)
    )
    if new is not None:
        return None
    row = tx.one(sa.select(t.sent_act).where(t.sent_act.c.client_id == client_id))
    assert row is not None
    if bytes(row["digest"]) != digest or row["assignment_id"] != assignment_id:
        raise Conflict("that number was sent with something else before", current="repeated")
    return Repeat(at=row["at"], outcome_id=row["outcome_id"])


def set_outcome(tx: Tx, client_id: uuid.UUID, outcome_id: int) -> None:
    tx.execute(sa.update(t.sent_act).where(t.sent_act.c.client_id == client_id).values(outcome_id=outcome_id))


def set_stage(tx: Tx, assignment_id: int, stage: VisitStage) -> None:
    tx.execute(sa.update(t.assignment).where(t.assignment.c.id == assignment_id).values(stage=stage.value))


def add_photo(
    tx: Tx, client_id: uuid.UUID, photo: Photo, *, assignment_id: int, case_id: int, by: str, now: datetime
) -> None:
    """Kept sealed; only who may see the case may open it."""
    sealed = tx.vault.seal(photo.content, table="visit_photo", column="sealed", row=str(client_id))
    tx.execute(
        sa.insert(t.visit_photo).values(
            client_id=client_id,
            assignment_id=assignment_id,
            case_id=case_id,
            media_type=photo.media_type,
            size_bytes=len(photo.content),
            stripped_bytes=photo.stripped_bytes,
            by=by,
            at=now,
            sealed=sealed,
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPhoto:
    client_id: uuid.UUID
    assignment_id: int
    media_type: str
    size_bytes: int
    by: str
    at: datetime


_ABOUT = ("client_id", "assignment_id", "media_type", "size_bytes", "by", "at")


def photos_of(tx: Tx, case_id: int) -> list[KeptPhoto]:
    """Of a case, oldest first."""
    statement: sa.Select[Any] = (
        sa.select(*(t.visit_photo.c[name] for name in _ABOUT))
        .where(t.visit_photo.c.case_id == case_id)
        .order_by(t.visit_photo.c.at, t.visit_photo.c.client_id)
    )
    return [KeptPhoto(**row) for row in tx.rows(statement)]


def count_photos(tx: Tx, assignment_id: int) -> int:
    statement = sa.select(sa.func.count()).where(t.visit_photo.c.assignment_id == assignment_id)
    return int(tx.scalar(statement))


def open_photo(tx: Tx, client_id: uuid.UUID) -> tuple[int, str, bytes]:
    """Its case, media type and content in clear. Raises `NotFound`."""
    row = tx.one(sa.select(t.visit_photo).where(t.visit_photo.c.client_id == client_id))
    if row is None:
        raise NotFound(kind="photo", key=client_id)
    content = tx.vault.open(row["sealed"], table="visit_photo", column="sealed", row=str(client_id))
    return row["case_id"], row["media_type"], content
