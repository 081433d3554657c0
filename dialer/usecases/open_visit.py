"""One visit for whoever stands before the door: the person in clear for the officer who has it, masked for others."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from dialer.domain.access import actor_name, said
from dialer.domain.values import Tag
from dialer.errors import NotFound
from dialer.store import audits, visits
from dialer.store.desk import Scope
from dialer.store.people import Person
from dialer.store.reads import persons, visit_list
from dialer.store.reads.visit_list import Told, VisitLine
from dialer.store.unit_of_work import Tx
from dialer.store.visits import KeptPhoto
from dialer.usecases.engine import Engine
from dialer.usecases.visit import note_look


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenVisit:
    line: VisitLine
    person: Person | None
    """In clear, and the look is in the audit; None for whoever does not have the visit in hand."""
    tags: tuple[Tag, ...]
    course: tuple[Told, ...]
    photos: tuple[KeptPhoto, ...]


def look_at_visit(engine: Engine, visit_id: int, *, who: str, seen_by: int | None) -> VisitLine:
    """Masked. Raises `NotFound` for what this person's unit does not see."""
    with engine.store.begin() as tx:
        return visit_list.one(tx, visit_id, scope=Scope(unit_id=seen_by), who=who)


def open_visit(engine: Engine, visit_id: int, *, who: str, seen_by: int | None) -> OpenVisit:
    """Raises `NotFound`."""
    viewer = actor_name(who)
    with engine.store.begin() as tx:
        line = visit_list.one(tx, visit_id, scope=Scope(unit_id=seen_by), who=viewer)
        is_mine = line.is_held_by(viewer)
        if is_mine:
            audits.write(
                tx,
                who=viewer,
                act="reveal",
                subject=f"case/{line.case_id}",
                why=in_hand(visit_id),
                now=engine.clock.now(),
            )
        return OpenVisit(
            line=line,
            person=persons.of_case(tx, line.case_id) if is_mine else None,
            tags=visit_list.tags_of(tx, line.case_id),
            course=visit_list.course_of(tx, line, who=viewer, with_words=is_mine),
            photos=_photos_of(tx, line),
        )


def in_hand(visit_id: int) -> str:
    """Why an officer looks at the person whom he is on the way to."""
    return f"见面劝阻在办 visit {visit_id} in hand"


def may_print(line: VisitLine, *, who: str) -> bool:
    """The notice goes with the officer who has the visit, or has made it."""
    return line.is_held_by(who) or line.done_by == who


def look_at_transfer(engine: Engine, transfer_id: int, *, seen_by: int | None) -> VisitLine:
    """The visit that is asked of this unit, or one below it. Raises `NotFound`."""
    with engine.store.begin() as tx:
        return visit_list.of_transfer(tx, transfer_id, unit_id=seen_by)


def show_photo_of(
    engine: Engine, visit_id: int, client_id: uuid.UUID, *, who: str, seen_by: int | None, why: str
) -> tuple[str, bytes]:
    """Media type and content; who looked and why is in the audit. Whoever has the visit in hand need not say why.
    Raises `NotFound`, `Invalid`.
    """
    viewer = actor_name(who)
    with engine.store.begin() as tx:
        line = visit_list.one(tx, visit_id, scope=Scope(unit_id=seen_by), who=viewer)
        if client_id not in {one.client_id for one in _photos_of(tx, line)}:
            raise NotFound(kind="photo", key=client_id)
        reason = in_hand(visit_id) if line.is_held_by(viewer) else said("why", why)
        case_id, media_type, content = visits.open_photo(tx, client_id)
        note_look(tx, engine, case_id, who=viewer, why=reason)
        return media_type, content


def _photos_of(tx: Tx, line: VisitLine) -> tuple[KeptPhoto, ...]:
    return tuple(one for one in visits.photos_of(tx, line.case_id) if one.assignment_id == line.id)
