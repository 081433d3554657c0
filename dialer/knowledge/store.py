"""Rows of knowledge cards: versions, the live ones, and the uses that callers report."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from dialer.core.access import RELEASED_BY, SHIPPED_BY
from dialer.core.case import AssignmentState
from dialer.core.errors import NotFound
from dialer.core.knowledge import CARD_WORDS, CardContent, CardState, card_as_json, card_of_json
from dialer.core.second_person import RequestEvent
from dialer.core.text import gettext_noop
from dialer.core.values import FraudType, Track
from dialer.db import tables as t
from dialer.db.columns import is_of_actor
from dialer.db.second_person import RequestKind
from dialer.db.unit_of_work import Row, Tx, record_of
from dialer.db.units import is_visible_to

CARDS = RequestKind(
    table=t.knowledge_version,
    noun=gettext_noop("version of a card"),
    words=CARD_WORDS,
    acts={
        RequestEvent.APPROVED: "approve_card",
        RequestEvent.REFUSED: "refuse_card",
        RequestEvent.WITHDRAWN: "withdraw_card",
    },
    asked_by="drafted_by",
)
_SEEDING = 0x6B6E6F77
"""The advisory lock under which cards get numbers."""
_v = t.knowledge_version


@dataclass(frozen=True, slots=True, kw_only=True)
class CardVersion:
    """One version of a card."""

    id: int
    card_id: int
    number: int
    content: CardContent
    retires: bool
    """Its approval takes the card away from callers."""
    reason: str
    """Why it was drafted."""
    state: CardState
    drafted_by: str
    drafted_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    why: str
    """Why it was refused."""

    @property
    def is_shipped(self) -> bool:
        return self.drafted_by == SHIPPED_BY


@dataclass(frozen=True, slots=True, kw_only=True)
class CardDraft:
    """A version that waits for a second person. The titles by language; English is '' where the card has none."""

    card_id: int
    number: int
    title: str
    title_en: str
    retires: bool
    drafted_by: str
    drafted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CardUse:
    """A passage that a caller used on a call of this case."""

    card_id: int
    number: int
    passage: int
    case_id: int
    assignment_id: int


def _version(row: Row) -> CardVersion:
    return record_of(CardVersion, row, content=card_of_json(row["content"]))


def lock_cards(tx: Tx) -> None:
    """Held by whoever adds a version, so that numbers follow each other."""
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock(_SEEDING)))


def live_cards(tx: Tx, fraud_types: Collection[FraudType] = tuple(FraudType)) -> list[CardVersion]:
    """The version of each card of these types that callers read: those of general cards last, else in the order of the
    cards.
    """
    newest = (
        sa.select(_v.c.card_id, sa.func.max(_v.c.number).label("number"))
        .where(_v.c.state == CardState.APPROVED.value)
        .group_by(_v.c.card_id)
        .subquery()
    )
    kinds = [kind.value for kind in fraud_types]
    statement = (
        sa.select(_v)
        .join(newest, sa.and_(newest.c.card_id == _v.c.card_id, newest.c.number == _v.c.number))
        .where(~_v.c.retires, _v.c.content["fraud_type"].astext.in_(kinds))
    )
    live = [_version(row) for row in tx.rows(statement)]
    return sorted(live, key=lambda one: (one.content.fraud_type is FraudType.UNKNOWN, one.card_id))


def versions_of_card(tx: Tx, card_id: int) -> list[CardVersion]:
    """All versions of a card, the newest first. Raises `NotFound`."""
    rows = tx.rows(sa.select(_v).where(_v.c.card_id == card_id).order_by(_v.c.number.desc()))
    if not rows:
        raise NotFound(kind="card", key=card_id)
    return [_version(row) for row in rows]


def card_drafts(tx: Tx, *, who: str = "") -> list[CardDraft]:
    """Versions that wait for a second person, the oldest first; not those that `who` has drafted."""
    c = _v.c
    drafts = (
        sa.select(
            c.card_id,
            c.number,
            c.retires,
            c.drafted_by,
            c.drafted_at,
            c.content["zh"]["title"].astext.label("title"),
            sa.func.coalesce(c.content["en"]["title"].astext, "").label("title_en"),
        )
        .where(c.state == CardState.DRAFT.value)
        .order_by(c.drafted_at, c.id)
    )
    if who:
        drafts = drafts.where(~is_of_actor(c.drafted_by, who))
    return [record_of(CardDraft, row) for row in tx.rows(drafts)]


def has_draft(tx: Tx, card_id: int) -> bool:
    """Whether a version of the card waits for a second person."""
    waiting = sa.select(_v.c.id).where(_v.c.card_id == card_id, _v.c.state == CardState.DRAFT.value)
    return tx.one(waiting) is not None


def add_card(tx: Tx, *, shipped_as: str | None = None) -> int:
    """Adds a card without a version; returns its id."""
    row = tx.one(sa.insert(t.knowledge_card).values(shipped_as=shipped_as).returning(t.knowledge_card.c.id))
    assert row is not None
    return int(row["id"])


def add_card_version(
    tx: Tx,
    card_id: int,
    content: CardContent,
    *,
    retires: bool,
    reason: str,
    by: str,
    now: datetime,
    approved_by: str | None = None,
) -> CardVersion:
    """Adds the next version of a card, under `lock_cards`: a draft, or approved at once by another name."""
    last = sa.select(sa.func.coalesce(sa.func.max(_v.c.number), 0)).where(_v.c.card_id == card_id)
    state = CardState.DRAFT if approved_by is None else CardState.APPROVED
    statement = (
        sa.insert(_v)
        .values(
            card_id=card_id,
            number=last.scalar_subquery() + 1,
            content=card_as_json(content),
            digest=content.digest,
            retires=retires,
            reason=reason,
            state=state.value,
            drafted_by=by,
            drafted_at=now,
            decided_by=approved_by,
            decided_at=None if approved_by is None else now,
        )
        .returning(_v)
    )
    row = tx.one(statement)
    assert row is not None
    return _version(row)


def shipped_digests(tx: Tx) -> set[tuple[str, str]]:
    """The name and the digest of everything that the product has delivered so far."""
    statement = sa.select(t.knowledge_card.c.shipped_as, _v.c.digest).join(
        _v, _v.c.card_id == t.knowledge_card.c.id
    )
    rows = tx.rows(statement.where(_v.c.drafted_by == SHIPPED_BY))
    return {(row["shipped_as"], row["digest"]) for row in rows}


def add_shipped(tx: Tx, name: str, content: CardContent, *, now: datetime) -> bool:
    """Stores a card of the product under `lock_cards`. It is approved at once if callers read a version of the product
    so far; if the centre has written its own, it waits as a draft for a person. False: a draft waits there already.
    """
    card = tx.one(sa.select(t.knowledge_card.c.id).where(t.knowledge_card.c.shipped_as == name))
    if card is None:
        card_id, is_own = add_card(tx, shipped_as=name), False
    else:
        card_id = int(card["id"])
        approved = (one for one in versions_of_card(tx, card_id) if one.state is CardState.APPROVED)
        newest = next(approved, None)
        is_own = newest is not None and not newest.is_shipped
        if has_draft(tx, card_id):
            return False
    add_card_version(
        tx,
        card_id,
        content,
        retires=False,
        reason="first start" if card is None else "upgrade",
        by=SHIPPED_BY,
        now=now,
        approved_by=None if is_own else RELEASED_BY,
    )
    return True


def add_uses(
    tx: Tx,
    used: Collection[tuple[int, int]],
    *,
    case_id: int,
    assignment_id: int,
    now: datetime,
) -> None:
    """Records the passages, by the id of their version and their number; unknown ones are left out."""
    ids = {version_id for version_id, _ in used}
    rows = tx.rows(
        sa.select(_v.c.id, _v.c.content).where(_v.c.id.in_(ids), _v.c.state == CardState.APPROVED.value)
    )
    content = {row["id"]: card_of_json(row["content"]) for row in rows}
    known = [
        {
            "assignment_id": assignment_id,
            "version_id": version_id,
            "passage": passage,
            "case_id": case_id,
            "at": now,
        }
        for version_id, passage in sorted(set(used))
        if version_id in content and content[version_id].has_passage(passage)
    ]
    if known:
        tx.execute(sa.insert(t.knowledge_use), known)


def uses_since(tx: Tx, since: datetime, *, drill: bool, visible_to: int | None) -> list[CardUse]:
    """The uses from this moment on, of cases that the unit sees."""
    u = t.knowledge_use.c
    statement = (
        sa.select(_v.c.card_id, _v.c.number, u.passage, u.case_id, u.assignment_id)
        .select_from(t.knowledge_use)
        .join(_v, _v.c.id == u.version_id)
        .join(t.case, t.case.c.id == u.case_id)
        .where(u.at >= since, t.case.c.drill.is_(drill), is_visible_to(t.case.c.unit_id, visible_to))
    )
    return [record_of(CardUse, row) for row in tx.rows(statement)]


def case_ids_of_calls(
    tx: Tx, since: datetime, fraud_types: Sequence[FraudType], *, drill: bool, visible_to: int | None
) -> list[int]:
    """The cases of these types in which a caller reported a call from this moment on, oldest first."""
    a = t.assignment.c
    statement = (
        sa.select(a.case_id)
        .distinct()
        .join(t.case, t.case.c.id == a.case_id)
        .where(
            a.done_at >= since,
            a.kind == Track.HUMAN.value,
            a.state == AssignmentState.DONE.value,
            t.case.c.fraud_type.in_([kind.value for kind in fraud_types]),
            t.case.c.drill.is_(drill),
            is_visible_to(t.case.c.unit_id, visible_to),
        )
        .order_by(a.case_id)
    )
    return [int(row["case_id"]) for row in tx.rows(statement)]
