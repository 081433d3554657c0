"""Everything about one case for the page of it, in one transaction: masked, or, audited, with the words in clear."""

from __future__ import annotations

from dataclasses import dataclass

from dialer.domain.access import actor_name, said
from dialer.domain.units import UnitIndex
from dialer.store import audits, desk_calls, visits
from dialer.store.desk_calls import DeskCall
from dialer.store.reads import case_work
from dialer.store.reads.case_work import CaseWork, Words
from dialer.store.reads.conversation import conversation
from dialer.store.seen import check_case_seen
from dialer.store.unit_of_work import Tx
from dialer.store.visits import KeptPhoto
from dialer.usecases.engine import Engine
from dialer.usecases.show_case import CaseStory, story
from dialer.usecases.show_conversation import Paid, Said, paid_in, said_in


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSheet:
    """`words` and `paid` are there only where the words were opened."""

    story: CaseStory
    unit: str
    """As the tree names it; as the list wrote it where no unit was found."""
    is_sorted: bool
    said: tuple[Said, ...]
    rows: CaseWork
    calls: tuple[DeskCall, ...]
    photos: tuple[KeptPhoto, ...]
    words: Words | None = None
    paid: Paid | None = None


def read_case(engine: Engine, case_id: int, *, seen_by: int | None) -> CaseSheet:
    """Raises `NotFound`, also for a case that the unit `seen_by` does not see."""
    with engine.store.begin() as tx:
        check_case_seen(tx, case_id, seen_by)
        return _sheet(tx, engine, case_id, in_clear=False)


def read_words(engine: Engine, case_id: int, *, who: str, why: str, seen_by: int | None) -> CaseSheet:
    """With what was said, typed and written in clear; who read it and why is in the audit before this returns. Raises
    `NotFound` and `Invalid`.
    """
    reader, reason = actor_name(who), said("why", why)
    with engine.store.begin() as tx:
        check_case_seen(tx, case_id, seen_by)
        audits.write(
            tx,
            who=reader,
            act="conversation",
            subject=f"case/{case_id}",
            why=reason,
            now=engine.clock.now(),
        )
        return _sheet(tx, engine, case_id, in_clear=True)


def units_to_hand_to(engine: Engine) -> UnitIndex:
    """The whole centre's: work may go to any of them."""
    with engine.store.begin() as tx:
        return engine.units.current(tx)


def _sheet(tx: Tx, engine: Engine, case_id: int, *, in_clear: bool) -> CaseSheet:
    told = story(tx, engine, case_id)
    stored = told.file.stored
    index = engine.units.current(tx)
    is_sorted = stored.unit_id is not None and index.get(stored.unit_id) is not None
    turns = conversation(tx, case_id, in_clear=in_clear)
    return CaseSheet(
        story=told,
        unit=index.label(stored.unit_id) if is_sorted and stored.unit_id is not None else stored.unit,
        is_sorted=is_sorted,
        said=said_in(engine, turns),
        rows=case_work.case_work(tx, case_id),
        calls=tuple(desk_calls.of_case(tx, case_id)),
        photos=tuple(visits.photos_of(tx, case_id)),
        words=case_work.words(tx, case_id) if in_clear else None,
        paid=paid_in(turns) if in_clear else None,
    )
