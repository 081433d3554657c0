"""What may be done to a case from its page. What was decided on an older page is refused, told what happened meanwhile,
and keeps what was typed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from typing import Annotated, TypeVar

from fastapi import Depends, Form
from starlette.responses import Response

from dialer.domain.access import Act
from dialer.domain.case_acts import CaseAct
from dialer.domain.values import Grade, OutcomeKind, Track
from dialer.errors import Conflict, Invalid, NotFound, Overtaken
from dialer.language import mark
from dialer.sentences import refusal_sentence
from dialer.usecases.act_on_case import (
    ask_person,
    change_grade,
    close_case,
    hand_over,
    mark_duplicate,
    note_case,
    opt_out,
    ring_now,
)
from dialer.usecases.file_case import file_for_case
from dialer.usecases.read_case import read_case, units_to_hand_to
from dialer.usecases.report_errand import approve_outcome
from dialer.web.console.case_view import TEMPLATE, Typed, case_facts
from dialer.web.console.pages.case import CaseId, Text
from dialer.web.console.registry import Section
from dialer.web.console.unit_choice import typed_unit
from dialer.web.console.visit import Asked, Visit

pages = Section()
_CONFLICT, _UNPROCESSABLE = 409, 422
_MOST_DIGITS = 18
_FIELDS = {"case number": "case_number"}
"""Fields of the use cases whose form calls them otherwise."""


class _Ground:
    """The page that an act was decided on."""

    def __init__(
        self, expected: Annotated[int, Form()] = 0, shown_at: Annotated[str, Form(max_length=40)] = ""
    ) -> None:
        self.expected = expected
        self.shown_at: datetime | None = None
        with suppress(ValueError):
            moment = datetime.fromisoformat(shown_at)
            self.shown_at = moment if moment.tzinfo is not None else None


Ground = Annotated[_Ground, Depends()]


@pages.post("/cases/{case_id}/note", act=Act.WORK_CASES)
def note(visit: Asked, case_id: CaseId, ground: Ground, words: Text = "") -> Response:
    unit_id = visit.member.unit_id
    return _done(
        visit,
        case_id,
        Typed(act=CaseAct.NOTE.value, fields={"words": words}),
        ground,
        lambda: note_case(visit.engine, case_id, by=visit.who, words=words, seen_by=unit_id),
        mark("The note is kept."),
    )


@pages.post("/cases/{case_id}/call", act=Act.WORK_CASES)
def ring(visit: Asked, case_id: CaseId, ground: Ground) -> Response:
    return _done(
        visit,
        case_id,
        Typed(act=CaseAct.RING_NOW.value),
        ground,
        lambda: ring_now(
            visit.engine,
            case_id,
            by=visit.who,
            expected=ground.expected,
            seen_by=visit.member.unit_id,
        ),
        mark("The robot rings as soon as a line is free."),
    )


@pages.post("/cases/{case_id}/raise", act=Act.WORK_CASES)
def raise_grade(visit: Asked, case_id: CaseId, ground: Ground, grade: Text = "", why: Text = "") -> Response:
    return _grade(visit, case_id, ground, CaseAct.RAISE, grade, why, mark("The grade is raised."))


@pages.post("/cases/{case_id}/lower", act=Act.LOWER_CASES)
def lower_grade(visit: Asked, case_id: CaseId, ground: Ground, grade: Text = "", why: Text = "") -> Response:
    return _grade(visit, case_id, ground, CaseAct.LOWER, grade, why, mark("The grade is lowered."))


@pages.post("/cases/{case_id}/caller", act=Act.WORK_CASES)
def caller(visit: Asked, case_id: CaseId, ground: Ground, why: Text = "") -> Response:
    done = mark("Waiting for a caller to accept the call.")
    return _person(visit, case_id, ground, CaseAct.ASK_CALLER, Track.HUMAN, why, done)


@pages.post("/cases/{case_id}/officer", act=Act.WORK_CASES)
def officer(visit: Asked, case_id: CaseId, ground: Ground, why: Text = "") -> Response:
    done = mark("Waiting for an officer to accept the visit.")
    return _person(visit, case_id, ground, CaseAct.ASK_OFFICER, Track.VISIT, why, done)


@pages.post("/cases/{case_id}/unit", act=Act.WORK_CASES)
def unit(visit: Asked, case_id: CaseId, ground: Ground, unit: Text = "", why: Text = "") -> Response:
    return _done(
        visit,
        case_id,
        Typed(act=CaseAct.HAND_OVER.value, fields={"unit": unit, "why": why}),
        ground,
        lambda: hand_over(
            visit.engine,
            case_id,
            to_unit_id=typed_unit(units_to_hand_to(visit.engine), unit[:200]),
            by=visit.who,
            expected=ground.expected,
            why=why,
            seen_by=visit.member.unit_id,
        ),
        mark("It is on its way to the other unit."),
    )


@pages.post("/cases/{case_id}/close", act=Act.WORK_CASES)
def close(visit: Asked, case_id: CaseId, ground: Ground, outcome: Text = "", why: Text = "") -> Response:
    return _done(
        visit,
        case_id,
        Typed(act=CaseAct.CLOSE.value, fields={"outcome": outcome, "why": why}),
        ground,
        lambda: close_case(
            visit.engine,
            case_id,
            _chosen(OutcomeKind, outcome, field="outcome"),
            by=visit.who,
            expected=ground.expected,
            why=why,
            seen_by=visit.member.unit_id,
        ),
        mark("The case is closed."),
    )


@pages.post("/cases/{case_id}/duplicate", act=Act.WORK_CASES)
def duplicate(visit: Asked, case_id: CaseId, ground: Ground, of: Text = "") -> Response:
    return _done(
        visit,
        case_id,
        Typed(act=CaseAct.MARK_DUPLICATE.value, fields={"of": of}),
        ground,
        lambda: mark_duplicate(
            visit.engine,
            case_id,
            of=_case_number(of),
            by=visit.who,
            expected=ground.expected,
            seen_by=visit.member.unit_id,
        ),
        mark("The case is marked as a duplicate."),
    )


@pages.post("/cases/{case_id}/opt-out", act=Act.WORK_CASES)
def stop_robot(visit: Asked, case_id: CaseId, ground: Ground, why: Text = "") -> Response:
    return _done(
        visit,
        case_id,
        Typed(act=CaseAct.OPT_OUT.value, fields={"why": why}),
        ground,
        lambda: opt_out(
            visit.engine,
            case_id,
            by=visit.who,
            expected=ground.expected,
            why=why,
            seen_by=visit.member.unit_id,
        ),
        mark("The robot no longer calls for this case."),
    )


@pages.post("/cases/{case_id}/filed", act=Act.WORK_CASES)
def filed(visit: Asked, case_id: CaseId, ground: Ground, case_number: Text = "") -> Response:
    unit_id = visit.member.unit_id
    return _done(
        visit,
        case_id,
        Typed(act="filed", fields={"case_number": case_number}),
        ground,
        lambda: file_for_case(visit.engine, case_id, case_number=case_number, by=visit.who, seen_by=unit_id),
        mark("The filed case is on record."),
    )


@pages.post("/cases/{case_id}/outcomes/{outcome_id}/approve", act=Act.APPROVE)
def approve(visit: Asked, case_id: CaseId, outcome_id: CaseId, ground: Ground) -> Response:
    unit_id = visit.member.unit_id
    sheet = read_case(visit.engine, case_id, seen_by=unit_id)
    if outcome_id not in {line.id for line in sheet.rows.outcomes}:
        raise NotFound(kind="outcome", key=outcome_id)
    return _done(
        visit,
        case_id,
        Typed(act=f"approve-{outcome_id}"),
        ground,
        lambda: approve_outcome(visit.engine, outcome_id, by=visit.who, seen_by=unit_id),
        mark("The money is approved."),
    )


def _grade(
    visit: Visit, case_id: int, ground: _Ground, act: CaseAct, grade: str, why: str, notice: str
) -> Response:
    return _done(
        visit,
        case_id,
        Typed(act=act.value, fields={"grade": grade, "why": why}),
        ground,
        lambda: change_grade(
            visit.engine,
            case_id,
            _chosen(Grade, grade, field="grade"),
            by=visit.who,
            expected=ground.expected,
            why=why,
            seen_by=visit.member.unit_id,
            only=act,
        ),
        notice,
    )


def _person(
    visit: Visit, case_id: int, ground: _Ground, act: CaseAct, track: Track, why: str, notice: str
) -> Response:
    return _done(
        visit,
        case_id,
        Typed(act=act.value, fields={"why": why}),
        ground,
        lambda: ask_person(
            visit.engine,
            case_id,
            track,
            by=visit.who,
            expected=ground.expected,
            why=why,
            seen_by=visit.member.unit_id,
        ),
        notice,
    )


def _done(
    visit: Visit, case_id: int, typed: Typed, ground: _Ground, act: Callable[[], object], notice: str
) -> Response:
    """The act, and back to the case; or the page again with what was typed and why it was not done."""
    try:
        act()
    except NotFound as fault:
        if fault.key == case_id:
            raise
        wrong = {"of": visit.say("is not there, or belongs to another unit")}
        return _again(visit, case_id, Typed(act=typed.act, fields=typed.fields, wrong=wrong), _UNPROCESSABLE)
    except Overtaken:
        changed = Typed(act=typed.act, fields=typed.fields, shown_at=ground.shown_at or visit.now)
        return _again(visit, case_id, changed, _CONFLICT)
    except Conflict as fault:
        why_not = refusal_sentence(fault, visit.lang)
        return _again(visit, case_id, Typed(act=typed.act, fields=typed.fields, refused=why_not), _CONFLICT)
    except Invalid as fault:
        field = _FIELDS.get(fault.field, fault.field)
        wrong = {field: refusal_sentence(fault, visit.lang)}
        return _again(visit, case_id, Typed(act=typed.act, fields=typed.fields, wrong=wrong), _UNPROCESSABLE)
    return visit.go(f"/cases/{case_id}", notice=notice)


def _again(visit: Visit, case_id: int, typed: Typed, status: int) -> Response:
    sheet = read_case(visit.engine, case_id, seen_by=visit.member.unit_id)
    return visit.page(TEMPLATE, status=status, **case_facts(visit, sheet, typed=typed))


_Word = TypeVar("_Word", bound=StrEnum)


def _chosen(kind: type[_Word], value: str, *, field: str) -> _Word:
    try:
        return kind(value)
    except ValueError:
        raise Invalid(field=field, problem="is not chosen") from None


def _case_number(text: str) -> int:
    number = text.strip().removeprefix("#")
    if not number.isdecimal() or len(number) > _MOST_DIGITS:
        raise Invalid(field="of", problem="is no case number")
    return int(number)
