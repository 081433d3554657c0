"""Objections of customers to refusals, restrictions and findings. Another person than those who entered and decided
checks an objection; an upheld one lifts the restriction or the finding at once and notifies the outlets.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from dialer.cards.determinations.objection_store import (
    OBJECTIONS,
    UPHELD,
    insert_objection,
    lift_subject,
    lock_subject,
    mark_notice_seen,
    masked_subject,
    notices_of_outlet,
    notify_outlet,
    objections_shown,
    open_objections_to,
    opened_words,
    sealed_words,
)
from dialer.core.access import Actor, Permission, required_text
from dialer.core.cards import (
    DETERMINATION_MOVES,
    OPENER_MOVES,
    DeterminationState,
    ObjectionAbout,
    ObjectionState,
    OpenerEvent,
    OpenerState,
    OpeningResult,
)
from dialer.core.errors import Conflict, NotFound
from dialer.core.second_person import RequestEvent, state_after
from dialer.core.text import gettext_noop
from dialer.db.acts import OpenAct
from dialer.db.unit_of_work import Row, record_of
from dialer.intake.records import hide_numbers
from dialer.runtime.services import Services

_CHANGED = gettext_noop("the finding is not the one of this objection any more")


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
    entered_by: str
    """Who entered the restriction for the decider; '' for other decisions."""
    taken_by: str
    taken_at: datetime
    due_at: datetime
    is_late: bool
    decided_by: str
    reason: str


def take_objection(
    services: Services,
    actor: Actor,
    about: ObjectionAbout,
    key: int,
    *,
    words: str,
    outlet_id: int | None = None,
) -> int:
    """Takes an objection and returns its id. The same form sent twice is one objection. `outlet_id`: the opening must
    belong to this outlet; a finding must be one that the actor's unit sees. Raises `NotFound`, `Invalid`, and
    `Conflict` if nobody has decided yet, if another objection to the same is open, and if the finding is of a ring,
    lifted or over.
    """
    with services.act(actor, Permission.DECIDE_OPENERS, Permission.ENTER_OPENINGS) as act:
        row = lock_subject(act.tx, about, key, outlet_id=outlet_id, visible_to=actor.unit_id)
        text = required_text("words", words)
        _check_open_to_objection(services, about, row, now=act.now)
        others = open_objections_to(act.tx, about, key)
        for other in others:
            if opened_words(act.tx, other, "sealed") == text and actor.signed(other["taken_by"]):
                act.needs_no_record()
                return int(other["id"])
        if others:
            raise Conflict("an objection to this is open already", current="objected")
        objection_id = insert_objection(
            act,
            about,
            key,
            words=text,
            outlet_id=outlet_id,
            decider=row["decided_by"],
            entered_by=row.get("entered_by"),
            due_at=act.now + timedelta(days=services.cards.objection_days),
        )
        act.audit("take_objection", f"card_objection/{objection_id}")
    return objection_id


def _check_open_to_objection(services: Services, about: ObjectionAbout, row: Row, *, now: datetime) -> None:
    """Raises `Conflict` where nobody has decided, for an opening that was not refused, for a restriction that has
    ended, for a finding that is lifted or over, and for one of a ring, which no check reads; `NotFound` for a
    restriction that is not in force.
    """
    if about is ObjectionAbout.DETERMINATION and row["state"] != DeterminationState.IN_FORCE.value:
        raise NotFound(kind="decision", key=row["id"])
    if row["decided_by"] is None:
        raise Conflict("nothing is decided here yet", current="undecided")
    match about:
        case ObjectionAbout.OPENING:
            if row["result"] != OpeningResult.REFUSED.value:
                raise Conflict("this opening was not refused", current=row["result"])
        case ObjectionAbout.DETERMINATION:
            if row["until_on"] <= now.astimezone(services.centre.zone).date():
                raise Conflict("this restriction has ended", current="over")
        case ObjectionAbout.OPENER:
            if row["ring_id"] is not None:
                raise Conflict("a person of a ring objects to the refusal of the opening", current="ring")
            if row["state"] == OpenerState.LIFTED.value:
                raise Conflict("this finding is lifted already", current="lifted")
            if row["expires_at"] <= now:
                raise Conflict("this finding has expired", current="expired")


def decide_objection(
    services: Services, actor: Actor, objection_id: int, *, uphold: bool, reason: str
) -> None:
    """Upholds or rejects an objection, by somebody who neither entered, decided nor took it. An upheld one lifts the
    restriction or the finding in the same transaction, so that no check finds it from now on, and notifies the outlets.
    Raises `NotFound`, `Invalid` and `Conflict`, also to uphold an objection to a finding that has changed since.
    """
    with services.act(actor, Permission.DECIDE_OPENERS) as act:
        row = OBJECTIONS.lock(act.tx, objection_id, now=act.now)
        why = required_text("reason", reason)
        OBJECTIONS.decide(
            act,
            row,
            RequestEvent.APPROVED if uphold else RequestEvent.REFUSED,
            concerned=(row["decider"], row["entered_by"]),
            why=why,
            columns={"reason_sealed": sealed_words(act.tx, objection_id, "reason_sealed", why)},
        )
        if uphold:
            _lift(act, row)


def _subject_of(row: Row) -> tuple[ObjectionAbout, int]:
    """What an objection is to."""
    return next((about, key) for about in ObjectionAbout if (key := row[f"{about.value}_id"]) is not None)


def _lift(act: OpenAct, objection: Row) -> None:
    about, key = _subject_of(objection)
    if about is ObjectionAbout.OPENING:
        notify_outlet(act, key, UPHELD)
        return
    subject = lock_subject(act.tx, about, key)
    if about is ObjectionAbout.DETERMINATION:
        ended = state_after(
            DETERMINATION_MOVES, DeterminationState(subject["state"]), RequestEvent.UNDONE, otherwise=_CHANGED
        )
        values = {"state": ended.value, "lifted_by": act.by, "lifted_at": act.now}
    else:
        lifted = state_after(
            OPENER_MOVES, OpenerState(subject["state"]), OpenerEvent.OBJECTION_UPHELD, otherwise=_CHANGED
        )
        # The row of an expired finding holds the next one about the same person.
        if subject["decided_at"] > objection["taken_at"]:
            raise Conflict(_CHANGED, current="changed")
        values = {"state": lifted.value, "decided_by": act.by, "decided_at": act.now}
    lift_subject(act, about, subject, values)


def list_objections(services: Services) -> list[Objection]:
    """Open objections by their due time, then decided ones; persons are masked."""
    now = services.clock.now()
    found = []
    with services.store.begin() as tx:
        for row in objections_shown(tx):
            about, key = _subject_of(row)
            found.append(
                record_of(
                    Objection,
                    row,
                    about=about,
                    about_id=key,
                    person=masked_subject(tx, about, key),
                    words=hide_numbers(opened_words(tx, row, "sealed")),
                    reason=hide_numbers(opened_words(tx, row, "reason_sealed")),
                    is_late=row["state"] == ObjectionState.OPEN.value and row["due_at"] < now,
                )
            )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class RestrictionNotice:
    """A notice on the page of an outlet. `opening_no` is that of its own opening."""

    id: int
    code: str
    opening_no: str
    at: datetime


def unseen_notices(services: Services, *, outlet_id: int) -> list[RestrictionNotice]:
    """Notices that the outlet has not seen, oldest first."""
    with services.store.begin() as tx:
        return [RestrictionNotice(**row) for row in notices_of_outlet(tx, outlet_id)]


def note_seen(services: Services, actor: Actor, notice_id: int, *, outlet_id: int) -> None:
    """Records that the outlet has read the notice. Raises `NotFound`."""
    with services.act(actor, Permission.ENTER_OPENINGS) as act:
        mark_notice_seen(act.tx, notice_id, outlet_id=outlet_id, now=act.now)
        act.needs_no_record()
