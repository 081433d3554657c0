"""Restrictions determined by an authority, and objections. One person enters a determination and another approves it;
it lasts two or three years, at most five together with those before it, and ends by itself. Another person than the one
who decided checks an objection; an upheld one lifts the restriction at once and notifies the outlets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from dialer.cards.desk import masked_opener
from dialer.cards.store import has_open_objection, opening_personal, person_blind
from dialer.cases.persons import mask_id_number, mask_name
from dialer.cases.store import take_next_ids
from dialer.core.access import actor_name, is_same_actor, required_text
from dialer.core.cards import (
    DETERMINATION_MOVES,
    DETERMINATION_WORDS,
    FREED_DETERMINATIONS,
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
from dialer.core.text import Text, gettext_noop
from dialer.db import tables as t
from dialer.db.audit import write_audit
from dialer.db.bulk import in_words, word_literal
from dialer.db.second_person import RequestKind
from dialer.db.unit_of_work import Row, Tx
from dialer.db.units import is_visible_to
from dialer.intake.phones import normalise_id_number
from dialer.intake.records import hide_numbers
from dialer.runtime.services import Services

TERMS = (2, 3)
"""The terms of a determination, in years."""
MOST_YEARS = 5
"""The longest time that determinations following each other may cover, in years."""
_BEGINS = range(2000, 2100)
_d, _j, _p = t.card_determination.c, t.card_objection.c, t.card_opener.c
_MOST_SHOWN = 200
WAITS = timedelta(days=30)
"""A determination that nobody has approved by then has expired: whoever has the document enters it again."""
DETERMINATIONS = RequestKind(
    table=t.card_determination,
    noun=gettext_noop("determination"),
    words=DETERMINATION_WORDS,
    acts={RequestEvent.APPROVED: "approve_determination", RequestEvent.REFUSED: "refuse_determination"},
    asked_by="entered_by",
)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Determination:
    """A restriction, with the person masked. `until_on`: the first day without it."""

    id: int
    person: str
    id_number: str
    document_no: str
    authority: str
    from_on: date
    until_on: date
    state: DeterminationState
    entered_by: str
    entered_at: datetime
    decided_by: str
    is_over: bool
    has_objection: bool
    """An objection to it is open."""


def years_after(start: date, years: int) -> date:
    """The same day `years` later; 1 March for 29 February."""
    try:
        return start.replace(year=start.year + years)
    except ValueError:
        return date(start.year + years, 3, 1)


def enter_determination(
    services: Services,
    *,
    name: str,
    id_number: str,
    document_no: str,
    authority: str,
    from_on: date,
    years: int,
    by: str,
) -> int:
    """Enters what an authority has determined, to wait for a second person; returns its id. Raises `Invalid`, and
    `Conflict` for a document that is on record for this person.
    """
    who, now = actor_name(by), services.clock.now()
    called, document, office = (
        required_text("name", name),
        required_text("document_no", document_no),
        required_text("authority", authority),
    )
    number, is_valid = normalise_id_number(id_number)
    if not is_valid:
        raise Invalid(
            field="id_number", problem="is not a valid id number", fix="compare it with the document"
        )
    if years not in TERMS:
        raise Invalid(field="years", problem="is neither 2 nor 3")
    if from_on.year not in _BEGINS:
        problem = Text("lies before the year %(first)s or after %(last)s", first=_BEGINS[0], last=_BEGINS[-1])
        raise Invalid(field="from_on", problem=problem, fix="compare it with the document")
    until = years_after(from_on, years)
    with services.store.begin() as tx:
        blind = person_blind(tx.vault, number)
        _lock_person(tx, blind)
        DETERMINATIONS.expire(tx, _d.person_blind == blind, now=now)
        _require_term_within_limit(tx, blind, from_on=from_on, until_on=until)
        on_record = sa.select(_d.id).where(
            _d.document_no == document, _d.person_blind == blind, ~in_words(_d.state, FREED_DETERMINATIONS)
        )
        if tx.scalar(on_record) is not None:
            raise Conflict("this document is on record for this person", current="document")
        [determination_id] = take_next_ids(tx, t.card_determination, 1)
        place: dict[str, Any] = {"table": "card_determination", "column": "sealed", "row": determination_id}
        tx.execute(
            sa.insert(t.card_determination).values(
                id=determination_id,
                person_blind=blind,
                document_no=document,
                authority=office,
                from_on=from_on,
                until_on=until,
                state=DeterminationState.WAITING.value,
                sealed=tx.vault.seal_record({"name": called, "id_number": number}, **place),
                entered_by=who,
                entered_at=now,
                expires_at=now + WAITS,
            )
        )
        _note(tx, services, who, "enter_determination", f"card_determination/{determination_id}", document)
    return determination_id


def _lock_person(tx: Tx, blind: bytes) -> None:
    key = int.from_bytes(blind[-8:], "big", signed=True)
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


def _require_term_within_limit(tx: Tx, blind: bytes, *, from_on: date, until_on: date) -> None:
    """Raises `Invalid` if the term, with those that it follows or that follow it, is longer than five years."""
    rows = tx.rows(
        sa.select(_d.from_on, _d.until_on).where(
            _d.person_blind == blind,
            _d.state.in_([DeterminationState.WAITING.value, DeterminationState.IN_FORCE.value]),
        )
    )
    begin, end = from_on, until_on
    spans = [(row["from_on"], row["until_on"]) for row in rows]
    grown = True
    while grown:
        grown = False
        for one in list(spans):
            if one[0] <= end and one[1] >= begin:
                begin, end = min(begin, one[0]), max(end, one[1])
                spans.remove(one)
                grown = True
    if end > years_after(begin, MOST_YEARS):
        problem = Text("with those before it is longer than %(most)s years", most=MOST_YEARS)
        raise Invalid(field="years", problem=problem)


def _note(
    tx: Tx, services: Services, who: str, act: str, subject: str, why: str = "", **facts: object
) -> None:
    write_audit(tx, who=who, act=act, subject=subject, why=why, now=services.clock.now(), facts=facts)


def decide_determination(services: Services, determination_id: int, *, approve: bool, by: str) -> None:
    """A second person puts the determination in force or refuses it; a refused one may be entered again, corrected.
    Raises `NotFound`, `Invalid` and `Conflict`.
    """
    who, now = actor_name(by), services.clock.now()
    with services.store.begin() as tx:
        row = DETERMINATIONS.lock(tx, determination_id, now=now)
        event = RequestEvent.APPROVED if approve else RequestEvent.REFUSED
        DETERMINATIONS.decide(tx, row, event, by=who, now=now)


def list_determinations(services: Services, *, waiting_only: bool = False) -> list[Determination]:
    """Determinations, newest first, with persons masked; `is_over` when the term has ended."""
    now = services.clock.now()
    today = now.astimezone(services.centre.zone).date()
    objected = has_open_objection(_j.determination_id == _d.id).label("objected")
    statement = sa.select(t.card_determination, objected).order_by(_d.id.desc()).limit(_MOST_SHOWN)
    if waiting_only:
        statement = statement.where(DETERMINATIONS.waits(now))
    with services.store.begin() as tx:
        found = []
        for row in tx.rows(statement):
            place: dict[str, Any] = {"table": "card_determination", "column": "sealed", "row": row["id"]}
            person = tx.vault.open_record(row["sealed"], **place)
            found.append(
                Determination(
                    id=row["id"],
                    person=mask_name(person["name"]),
                    id_number=mask_id_number(person["id_number"]),
                    document_no=row["document_no"],
                    authority=row["authority"],
                    from_on=row["from_on"],
                    until_on=row["until_on"],
                    state=DETERMINATIONS.state_of(row, now),
                    entered_by=row["entered_by"],
                    entered_at=row["entered_at"],
                    decided_by=row["decided_by"] or "",
                    is_over=row["until_on"] <= today,
                    has_objection=row["objected"],
                )
            )
    return found


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
        _note(tx, services, who, "take_objection", f"card_objection/{objection_id}")
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
