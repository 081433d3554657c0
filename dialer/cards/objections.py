"""Objections of customers to refusals, restrictions and findings. Another person than those who entered and decided
checks an objection; an upheld one lifts the restriction or the finding at once and notifies the outlets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from dialer.cards.desk import masked_opener
from dialer.cards.store import opening_personal
from dialer.cases.persons import mask_name
from dialer.cases.store import take_next_ids
from dialer.core.access import actor_name, is_same_actor, required_text
from dialer.core.cards import (
    DETERMINATION_MOVES,
    OBJECTION_WORDS,
    OPENER_MOVES,
    DeterminationState,
    ObjectionState,
    OpenerEvent,
    OpenerState,
    OpeningResult,
)
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.second_person import RequestEvent, state_after
from dialer.core.text import gettext_noop
from dialer.db import tables as t
from dialer.db.audit import write_audit
from dialer.db.bulk import word_literal
from dialer.db.second_person import RequestKind
from dialer.db.unit_of_work import Row, Tx
from dialer.db.units import is_visible_to
from dialer.intake.records import hide_numbers
from dialer.runtime.services import Services

_d, _j, _p = t.card_determination.c, t.card_objection.c, t.card_opener.c
_MOST_SHOWN = 200
OBJECTIONS = RequestKind(
    table=t.card_objection,
    noun=gettext_noop("objection"),
    words=OBJECTION_WORDS,
    acts={RequestEvent.APPROVED: "uphold_objection", RequestEvent.REFUSED: "reject_objection"},
    asked_by="taken_by",
)
_CHANGED = gettext_noop("the finding is not the one of this objection any more")
LIFTED = "restriction_lifted"
UPHELD = "objection_upheld"


class ObjectionAbout(StrEnum):
    """What an objection is to: the refusal of an opening, a determination, or the finding about a frequent opener."""

    OPENING = "opening"
    DETERMINATION = "determination"
    OPENER = "opener"


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """An objection to a refusal, a restriction or a finding, with the person masked."""

    id: int
    about: ObjectionAbout
    about_id: int
    person: str
    words: str
    state: ObjectionState
    decider: str
    taken_by: str
    taken_at: datetime
    due_at: datetime
    is_late: bool
    decided_by: str
    reason: str


def take_objection(
    services: Services,
    *,
    words: str,
    by: str,
    opening_id: int | None = None,
    determination_id: int | None = None,
    opener_id: int | None = None,
    outlet_id: int | None = None,
    visible_to: int | None = None,
) -> int:
    """Takes an objection to one of the three and returns its id. The same form sent twice is one objection.
    `outlet_id`: the opening must belong to this outlet; `visible_to`: the finding must be one that this unit sees.
    Raises `NotFound`, `Invalid`, and `Conflict` if nobody has decided yet, if another objection to the same is open,
    and if the finding is of a ring, lifted or over.
    """
    who, now, text = actor_name(by), services.clock.now(), required_text("words", words)
    with services.store.begin() as tx:
        about = {"opening_id": opening_id, "determination_id": determination_id, "opener_id": opener_id}
        today = now.astimezone(services.centre.zone).date()
        decider, entered_by = _decided_by(tx, about, outlet_id, visible_to, now=now, today=today)
        sent_before = _sent_before(tx, about, text, by=who)
        if sent_before is not None:
            return sent_before
        [objection_id] = take_next_ids(tx, t.card_objection, 1)
        place: dict[str, Any] = {"table": "card_objection", "column": "sealed", "row": objection_id}
        tx.execute(
            sa.insert(t.card_objection).values(
                id=objection_id,
                **about,
                outlet_id=outlet_id,
                state=ObjectionState.OPEN.value,
                decider=decider,
                entered_by=entered_by,
                taken_by=who,
                taken_at=now,
                due_at=now + timedelta(days=services.cards.objection_days),
                sealed=tx.vault.seal(text.encode(), **place),
            )
        )
        subject = f"card_objection/{objection_id}"
        write_audit(tx, who=who, act="take_objection", subject=subject, why="", now=now)
    return objection_id


def _sent_before(tx: Tx, about: Mapping[str, int | None], text: str, *, by: str) -> int | None:
    """The open objection to the same decision that this person took with the same words; None without one. Raises
    `Conflict` for another open one: one check answers both.
    """
    of_decision = sa.select(_j.id, _j.sealed, _j.taken_by).where(
        *(_j[name] == value for name, value in about.items() if value is not None),
        _j.state == word_literal(ObjectionState.OPEN),
    )
    others = tx.rows(of_decision)
    for row in others:
        words = tx.vault.open(row["sealed"], table="card_objection", column="sealed", row=row["id"]).decode()
        if words == text and is_same_actor(row["taken_by"], by):
            return int(row["id"])
    if others:
        raise Conflict("an objection to this is open already", current="objected")
    return None


def _decided_by(
    tx: Tx,
    about: Mapping[str, int | None],
    outlet_id: int | None,
    visible_to: int | None,
    *,
    now: datetime,
    today: date,
) -> tuple[str, str | None]:
    """Who made the decision, which is locked, and who had entered it for them. Raises as `take_objection` does."""
    given = {name: key for name, key in about.items() if key is not None}
    if len(given) != 1:
        raise Invalid(field="about", problem="is not chosen", fix="name one opening, restriction or finding")
    [(name, key)] = given.items()
    o = t.opening.c
    if name == "opening_id":
        statement = sa.select(o.decided_by, o.result).where(o.id == key)
        if outlet_id is not None:
            statement = statement.where(o.outlet_id == outlet_id)
    elif name == "determination_id":
        statement = sa.select(_d.decided_by, _d.entered_by, _d.until_on).where(
            _d.id == key, _d.state == word_literal(DeterminationState.IN_FORCE)
        )
    else:
        statement = sa.select(_p.decided_by, _p.state, _p.ring_id, _p.expires_at).where(
            _p.id == key, is_visible_to(_p.unit_id, visible_to)
        )
    row = tx.one(statement.with_for_update())
    if row is None:
        raise NotFound(kind="decision", key=key)
    if row["decided_by"] is None:
        raise Conflict("nothing is decided here yet", current="undecided")
    _require_open_to_objection(row, now=now, today=today)
    return str(row["decided_by"]), row.get("entered_by")


def _require_open_to_objection(row: Row, *, now: datetime, today: date) -> None:
    """Raises `Conflict` for an opening that was not refused, for a restriction that has ended, for a finding that is
    lifted or over, and for one of a ring: no check reads that one.
    """
    if row.get("result", OpeningResult.REFUSED.value) != OpeningResult.REFUSED.value:
        raise Conflict("this opening was not refused", current=row["result"])
    if "until_on" in row and row["until_on"] <= today:
        raise Conflict("this restriction has ended", current="over")
    if row.get("ring_id") is not None:
        raise Conflict("a person of a ring objects to the refusal of the opening", current="ring")
    if row.get("state") == OpenerState.LIFTED.value:
        raise Conflict("this finding is lifted already", current="lifted")
    if "expires_at" in row and row["expires_at"] <= now:
        raise Conflict("this finding has expired", current="expired")


def decide_objection(services: Services, objection_id: int, *, uphold: bool, reason: str, by: str) -> None:
    """Upholds or rejects an objection, by somebody who neither entered, decided nor took it. An upheld one lifts the
    restriction or the finding in the same transaction, so that no check finds it from now on, and notifies the outlets.
    Raises `NotFound`, `Invalid` and `Conflict`, also to uphold an objection to a finding that has changed since.
    """
    who, now, why = actor_name(by), services.clock.now(), required_text("reason", reason)
    with services.store.begin() as tx:
        row = OBJECTIONS.lock(tx, objection_id, now=now)
        place: dict[str, Any] = {"table": "card_objection", "column": "reason_sealed", "row": objection_id}
        OBJECTIONS.decide(
            tx,
            row,
            RequestEvent.APPROVED if uphold else RequestEvent.REFUSED,
            by=who,
            now=now,
            concerned=(row["decider"], row["entered_by"]),
            why=why,
            columns={"reason_sealed": tx.vault.seal(why.encode(), **place)},
        )
        if uphold:
            _lift(tx, row, by=who, now=now)


def _lift(tx: Tx, row: Row, *, by: str, now: datetime) -> None:
    o = t.opening.c
    if row["determination_id"] is not None:
        of = tx.one(sa.select(t.card_determination).where(_d.id == row["determination_id"]).with_for_update())
        assert of is not None
        state = state_after(
            DETERMINATION_MOVES, DeterminationState(of["state"]), RequestEvent.UNDONE, otherwise=_CHANGED
        )
        values: dict[str, Any] = {"state": state.value, "lifted_by": by, "lifted_at": now}
        tx.execute(sa.update(t.card_determination).where(_d.id == of["id"]).values(**values))
        _notify_outlets(tx, o.person_blind == of["person_blind"], LIFTED, now=now)
    elif row["opener_id"] is not None:
        of = tx.one(sa.select(t.card_opener).where(_p.id == row["opener_id"]).with_for_update())
        assert of is not None
        after = state_after(
            OPENER_MOVES, OpenerState(of["state"]), OpenerEvent.OBJECTION_UPHELD, otherwise=_CHANGED
        )
        # The row of an expired finding holds the next one about the same person.
        if of["decided_at"] > row["taken_at"]:
            raise Conflict(_CHANGED, current="changed")
        values = {"state": after.value, "decided_by": by, "decided_at": now}
        tx.execute(sa.update(t.card_opener).where(_p.id == row["opener_id"]).values(**values))
        own = o.id == of["opening_id"] if of["person_blind"] is None else o.person_blind == of["person_blind"]
        _notify_outlets(tx, own, LIFTED, now=now)
    else:
        _notify_outlets(tx, o.id == row["opening_id"], UPHELD, now=now)


def _notify_outlets(tx: Tx, condition: sa.ColumnElement[bool], code: str, *, now: datetime) -> None:
    """Adds a notice for every outlet where this person opened a card or asked for one."""
    o = t.opening.c
    newest = (
        sa.select(
            o.outlet_id, sa.func.max(o.id), sa.literal(code), sa.literal(now, sa.DateTime(timezone=True))
        )
        .where(condition)
        .group_by(o.outlet_id)
    )
    tx.execute(sa.insert(t.outlet_notice).from_select(["outlet_id", "opening_id", "code", "at"], newest))


def list_objections(services: Services) -> list[Objection]:
    """Open objections by their due time, then decided ones; persons are masked."""
    now = services.clock.now()
    is_open = _j.state == word_literal(ObjectionState.OPEN)
    statement = (
        sa.select(t.card_objection).order_by(is_open.desc(), _j.due_at, _j.id.desc()).limit(_MOST_SHOWN)
    )
    with services.store.begin() as tx:
        return [_objection(tx, row, now=now) for row in tx.rows(statement)]


def _objection(tx: Tx, row: Row, *, now: datetime) -> Objection:
    vault = tx.vault
    place: dict[str, Any] = {"table": "card_objection", "row": row["id"]}
    reason = row["reason_sealed"]
    about = next(one for one in ObjectionAbout if row[f"{one.value}_id"] is not None)
    return Objection(
        id=row["id"],
        about=about,
        about_id=row[f"{about.value}_id"],
        person=_person(tx, row),
        words=hide_numbers(vault.open(row["sealed"], column="sealed", **place).decode()),
        state=ObjectionState(row["state"]),
        decider=row["decider"],
        taken_by=row["taken_by"],
        taken_at=row["taken_at"],
        due_at=row["due_at"],
        is_late=row["state"] == ObjectionState.OPEN.value and row["due_at"] < now,
        decided_by=row["decided_by"] or "",
        reason=""
        if reason is None
        else hide_numbers(vault.open(reason, column="reason_sealed", **place).decode()),
    )


def _person(tx: Tx, row: Row) -> str:
    if row["determination_id"] is not None:
        sealed = tx.scalar(sa.select(_d.sealed).where(_d.id == row["determination_id"]))
        place: dict[str, Any] = {
            "table": "card_determination",
            "column": "sealed",
            "row": row["determination_id"],
        }
        return mask_name(tx.vault.open_record(sealed, **place)["name"])
    opening_id = row["opening_id"]
    if opening_id is None:
        opening_id = tx.scalar(sa.select(_p.opening_id).where(_p.id == row["opener_id"]))
    sealed = tx.scalar(sa.select(t.opening.c.sealed).where(t.opening.c.id == opening_id))
    return str(masked_opener(opening_personal(tx, opening_id, sealed))["name"])


@dataclass(frozen=True, slots=True, kw_only=True)
class RestrictionNotice:
    """A notice on the page of an outlet. `opening_no` is that of its own opening."""

    id: int
    code: str
    opening_no: str
    at: datetime


def unseen_notices(services: Services, *, outlet_id: int) -> list[RestrictionNotice]:
    """Notices that the outlet has not seen, oldest first."""
    n = t.outlet_notice.c
    with services.store.begin() as tx:
        rows = tx.rows(
            sa.select(n.id, n.code, n.at, t.opening.c.opening_no)
            .join(t.opening, t.opening.c.id == n.opening_id)
            .where(n.outlet_id == outlet_id, n.seen_at.is_(None))
            .order_by(n.id)
            .limit(20)
        )
    return [RestrictionNotice(**row) for row in rows]


def note_seen(services: Services, notice_id: int, *, outlet_id: int) -> None:
    """Records that the outlet has read the notice. Raises `NotFound`."""
    n = t.outlet_notice.c
    with services.store.begin() as tx:
        done = tx.execute(
            sa.update(t.outlet_notice)
            .where(n.id == notice_id, n.outlet_id == outlet_id)
            .values(seen_at=services.clock.now())
        )
        if not done.rowcount:
            raise NotFound(kind="notice", key=notice_id)
