"""One visit's page, as its parts need it."""

from __future__ import annotations

import uuid
from typing import Any

from starlette.responses import Response

from dialer.domain.errand import WhoSeen
from dialer.domain.values import Contact
from dialer.outcomes.points import points_of
from dialer.store.reads.visit_list import VisitLine
from dialer.usecases.list_units import list_units
from dialer.usecases.open_visit import look_at_visit, may_print, open_visit
from dialer.web.console.unit_choice import unit_tree
from dialer.web.console.visit import Visit
from dialer.web.console.visit_words import (
    CLOCKS,
    RESULTS,
    STEPS,
    course_words,
    over_words,
)

TEMPLATE = "console/visit.html"
_CONFLICT = 409


def show_visit(
    visit: Visit, visit_id: int, *, status: int = 200, wrong: str = "", in_hand: bool = False
) -> Response:
    """The page, or (`in_hand`) what changes when a visit is taken. Whoever has it in hand sees the person in clear, and
    the look is in the audit.
    """
    opened = open_visit(visit.engine, visit_id, who=visit.who, seen_by=visit.member.unit_id)
    line = opened.line
    facts: dict[str, Any] = {
        **_head_facts(visit, line),
        "opened": opened,
        "may_print": may_print(line, who=visit.who),
        "may_answer": line.transfer is not None and _is_of(visit, line.transfer.to_unit_id),
        "course": [(told, course_words(told, visit.lang)) for told in opened.course],
        "points": points_of(line.fraud_type, visit.lang.value),
        "wrong": wrong,
        **form_facts(),
    }
    if in_hand:
        return visit.part(TEMPLATE, "hand", **facts)
    others = [unit for unit in list_units(visit.engine, seen_by=None) if unit.active]
    return visit.page(TEMPLATE, status=status, units=unit_tree(others), **facts)


def show_why_not(visit: Visit, visit_id: int) -> Response:
    """The visit's page, for whoever asked what only its officer gets."""
    wrong = visit.say("Only whoever has the visit in hand sees this.")
    return show_visit(visit, visit_id, status=_CONFLICT, wrong=wrong)


def show_head(visit: Visit, visit_id: int) -> Response:
    """How far the visit is; masked, so that a page may look again and again."""
    line = look_at_visit(visit.engine, visit_id, who=visit.who, seen_by=visit.member.unit_id)
    return visit.part(TEMPLATE, "head", **_head_facts(visit, line))


def _head_facts(visit: Visit, line: VisitLine) -> dict[str, Any]:
    return {
        "line": line,
        "is_mine": line.is_held_by(visit.who),
        "over": "" if line.is_pending else over_words(line, visit.lang),
        "clock": visit.say(CLOCKS[line.clock]),
        "steps": STEPS,
    }


def form_facts() -> dict[str, Any]:
    """What the forms need whichever visit it is."""
    return {
        "people": list(WhoSeen),
        "results": RESULTS,
        "contacts": list(Contact),
        "new_id": lambda: str(uuid.uuid4()),
    }


def _is_of(visit: Visit, unit_id: int) -> bool:
    """The unit is this person's own, or one below it."""
    if visit.member.unit_id is None:
        return True
    return any(unit.id == unit_id for unit in list_units(visit.engine, seen_by=visit.member.unit_id))
