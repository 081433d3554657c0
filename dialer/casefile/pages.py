"""Cases: found by whatever is known of them, newest first, masked.

One case: who and what now, everything that happened, why the next step is what it is.

What may be done to a case from its page. What was decided on an older page is refused, told what happened meanwhile,
and keeps what was typed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends, Form, Path, Query
from starlette.responses import FileResponse, Response

from dialer.casefile.acts import (
    ask_person,
    call_now,
    change_grade,
    close_case,
    hand_over,
    mark_duplicate,
    note_case,
    opt_out,
)
from dialer.casefile.reading import CaseSheet, read_case, read_words, reveal, units_to_hand_to
from dialer.casefile.view import TEMPLATE, Typed, case_facts
from dialer.cases.persons import Person
from dialer.cases.search import SoughtKind, open_search, seal_search, search_cases, understand
from dialer.core.access import Permission
from dialer.core.case import CaseAct, CaseStatus
from dialer.core.errors import Conflict, Invalid, NotFound, Overtaken
from dialer.core.periods import Period, period_of
from dialer.core.values import FraudType, Grade, OutcomeKind, Track
from dialer.language import gettext_noop
from dialer.org.staff import list_units
from dialer.outcomes.filing import file_for_case
from dialer.web.console import CurrentRequest, RequestContext, Section
from dialer.web.formats import typed_unit, unit_tree
from dialer.wording.sentences import refusal_sentence
from dialer.work.tasks import approve_outcome
from dialer.work.visits import show_photo

search_pages = Section()
_TEMPLATE = "console/cases.html"
_PAGE = 50
_DIGITS = 19
"""As many has the largest number of a row."""


@search_pages.get("/cases", act=Permission.SEE_CASES, nav=gettext_noop("Cases"), order=40)
def cases(
    visit: CurrentRequest,
    who: str = "",
    no: str = "",
    grade: str = "",
    status: str = "",
    fraud: str = "",
    unit: str = "",
    load: str = "",
    since: Annotated[str, Query(alias="from")] = "",
    until: Annotated[str, Query(alias="to")] = "",
    before: int | None = None,
) -> Response:
    asked = {
        "who": who,
        "no": no,
        "grade": grade,
        "status": status,
        "fraud": fraud,
        "unit": unit,
        "load": load if load.isdecimal() and len(load) < _DIGITS else "",
        "from": since,
        "to": until,
    }
    asked = {name: text.strip() for name, text in asked.items() if text.strip()}
    period, wanted, wrong = Period(), None, {}
    try:
        # A search that cannot be opened any more is none.
        wanted = open_search(visit.services, who, who=visit.who) if who else None
    except Invalid as fault:
        wrong = {fault.field: refusal_sentence(fault, visit.lang)}
        asked.pop("who", None)
    try:
        period = period_of(since, until, timezone=visit.services.centre.timezone)
    except Invalid as fault:
        wrong |= {fault.field: refusal_sentence(fault, visit.lang)}
    found = search_cases(
        visit.services,
        sought=wanted.sought if wanted is not None else None,
        instruction_no=no,
        grade=_member(Grade, grade),
        status=_member(CaseStatus, status),
        fraud_type=_member(FraudType, fraud),
        unit_id=int(unit) if unit.isdecimal() else None,
        load_id=int(asked["load"]) if "load" in asked else None,
        visible_to=visit.member.unit_id,
        period=period,
        before_id=before,
        limit=_PAGE,
    )
    facts: dict[str, Any] = {
        "found": found,
        "asked": asked,
        "wrong": wrong,
        "wanted": wanted,
        "units": unit_tree(list_units(visit.services, visible_to=visit.member.unit_id)),
        "older": _address(asked, before=found.next_before_id) if found.next_before_id else "",
        "newest": _address(asked) if before else "",
        "without": {name: _address({k: v for k, v in asked.items() if k != name}) for name in asked},
        "grades": list(Grade),
        "statuses": list(CaseStatus),
        "frauds": list(FraudType),
    }
    if visit.is_part:
        return visit.part(_TEMPLATE, "found", **facts)
    return visit.page(_TEMPLATE, **facts)


@search_pages.post("/cases/find", act=Permission.SEE_CASES)
def find(visit: CurrentRequest, text: Annotated[str, Form()] = "") -> Response:
    """From the search box to an address that holds nothing personal."""
    wanted = understand(visit.services, text)
    match wanted.kind:
        case SoughtKind.NOTHING:
            return visit.go("/cases")
        case SoughtKind.CASE:
            return visit.go(f"/cases/{wanted.case_id}")
        case SoughtKind.INSTRUCTION:
            return visit.go(_address({"no": wanted.instruction_no}))
        case _:
            shift = visit.app.settings.console.session_seconds
            token = seal_search(visit.services, wanted, who=visit.who, good_seconds=shift)
            return visit.go(_address({"who": token}))


_Word = TypeVar("_Word", bound=StrEnum)


def _member(kind: type[_Word], value: str) -> _Word | None:
    """Nothing is asked by a word that is none."""
    return next((member for member in kind if member.value == value), None)


def _address(asked: Mapping[str, object], **more: object) -> str:
    query = urlencode({**asked, **more})
    return "/cases" + (f"?{query}" if query else "")


case_pages = Section()
_LARGEST_ID = 2**63 - 1
_FOR_GOOD = "private, max-age=31536000, immutable"
_UNPROCESSABLE = 422

CaseId = Annotated[int, Path(ge=1, le=_LARGEST_ID)]
Text = Annotated[str, Form(max_length=2000)]


@case_pages.get("/cases/{case_id}", act=Permission.SEE_CASES)
def case(visit: CurrentRequest, case_id: CaseId) -> Response:
    return _page(visit, read_case(visit.services, case_id, visible_to=visit.member.unit_id))


@case_pages.post("/cases/{case_id}/reveal", act=Permission.REVEAL)
def show_person(visit: CurrentRequest, case_id: CaseId, why: Text = "") -> Response:
    """The person in clear, on this one answer."""
    unit_id = visit.member.unit_id
    try:
        person = reveal(visit.services, case_id, who=visit.who, why=why, visible_to=unit_id)
    except Invalid as fault:
        return _refused(visit, case_id, "reveal", fault)
    return _page(visit, read_case(visit.services, case_id, visible_to=unit_id), person=person)


@case_pages.post("/cases/{case_id}/words", act=Permission.REVEAL)
def show_words(visit: CurrentRequest, case_id: CaseId, why: Text = "") -> Response:
    """What was said, typed and written, in clear on this one answer."""
    try:
        sheet = read_words(visit.services, case_id, who=visit.who, why=why, visible_to=visit.member.unit_id)
    except Invalid as fault:
        return _refused(visit, case_id, "words", fault)
    return _page(visit, sheet)


@case_pages.post("/cases/{case_id}/photos/{photo_id}", act=Permission.REVEAL)
def photo(visit: CurrentRequest, case_id: CaseId, photo_id: UUID, why: Text = "") -> Response:
    """The picture itself."""
    unit_id = visit.member.unit_id
    sheet = read_case(visit.services, case_id, visible_to=unit_id)
    if photo_id not in {photo.client_id for photo in sheet.photos}:
        raise NotFound(kind="photo", key=photo_id)
    try:
        media_type, content = show_photo(visit.services, photo_id, who=visit.who, why=why, visible_to=unit_id)
    except Invalid as fault:
        return _refused(visit, case_id, f"photo-{photo_id}", fault)
    return Response(content, media_type=media_type, headers={"Content-Disposition": "inline"})


@case_pages.get("/clips/{file}", act=Permission.SEE_CASES)
def clip(visit: CurrentRequest, file: str) -> Response:
    """A prompt as it was spoken. There is no other sound: nobody's voice is kept."""
    path = visit.services.rendered_scripts.sounds.path(file, real_now=visit.services.real.now())
    if path is None:
        raise NotFound(kind="clip", key=file)
    return FileResponse(path, media_type="audio/wav", headers={"Cache-Control": _FOR_GOOD})


def _refused(visit: RequestContext, case_id: int, act: str, fault: Invalid) -> Response:
    form = Typed(act=act, wrong={"why": refusal_sentence(fault, visit.lang)})
    sheet = read_case(visit.services, case_id, visible_to=visit.member.unit_id)
    return _page(visit, sheet, typed=form, status=_UNPROCESSABLE)


def _page(
    visit: RequestContext,
    sheet: CaseSheet,
    *,
    person: Person | None = None,
    typed: Typed | None = None,
    status: int = 200,
) -> Response:
    """Htmx takes out of the answer what it asked for."""
    facts = case_facts(visit, sheet, person=person, typed=typed)
    if visit.is_part:
        return visit.part(TEMPLATE, "case", status=status, **facts)
    return visit.page(TEMPLATE, status=status, **facts)


case_act_pages = Section()
_CONFLICT, _UNPROCESSABLE_CASE_ACTS = 409, 422
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


@case_act_pages.post("/cases/{case_id}/note", act=Permission.WORK_CASES)
def note(visit: CurrentRequest, case_id: CaseId, ground: Ground, words: Text = "") -> Response:
    unit_id = visit.member.unit_id
    return _done(
        visit,
        case_id,
        Typed(act=CaseAct.NOTE.value, fields={"words": words}),
        ground,
        lambda: note_case(visit.services, case_id, by=visit.who, words=words, visible_to=unit_id),
        gettext_noop("The note is kept."),
    )


@case_act_pages.post("/cases/{case_id}/call", act=Permission.WORK_CASES)
def ring(visit: CurrentRequest, case_id: CaseId, ground: Ground) -> Response:
    return _done(
        visit,
        case_id,
        Typed(act=CaseAct.CALL_NOW.value),
        ground,
        lambda: call_now(
            visit.services, case_id, by=visit.who, expected=ground.expected, visible_to=visit.member.unit_id
        ),
        gettext_noop("The robot rings as soon as a line is free."),
    )


@case_act_pages.post("/cases/{case_id}/raise", act=Permission.WORK_CASES)
def raise_grade(
    visit: CurrentRequest, case_id: CaseId, ground: Ground, grade: Text = "", why: Text = ""
) -> Response:
    return _grade(visit, case_id, ground, CaseAct.RAISE, grade, why, gettext_noop("The grade is raised."))


@case_act_pages.post("/cases/{case_id}/lower", act=Permission.LOWER_CASES)
def lower_grade(
    visit: CurrentRequest, case_id: CaseId, ground: Ground, grade: Text = "", why: Text = ""
) -> Response:
    return _grade(visit, case_id, ground, CaseAct.LOWER, grade, why, gettext_noop("The grade is lowered."))


@case_act_pages.post("/cases/{case_id}/caller", act=Permission.WORK_CASES)
def caller(visit: CurrentRequest, case_id: CaseId, ground: Ground, why: Text = "") -> Response:
    done = gettext_noop("Waiting for a caller to accept the call.")
    return _person(visit, case_id, ground, CaseAct.ASK_CALLER, Track.HUMAN, why, done)


@case_act_pages.post("/cases/{case_id}/officer", act=Permission.WORK_CASES)
def officer(visit: CurrentRequest, case_id: CaseId, ground: Ground, why: Text = "") -> Response:
    done = gettext_noop("Waiting for an officer to accept the visit.")
    return _person(visit, case_id, ground, CaseAct.ASK_OFFICER, Track.VISIT, why, done)


@case_act_pages.post("/cases/{case_id}/unit", act=Permission.WORK_CASES)
def unit(visit: CurrentRequest, case_id: CaseId, ground: Ground, unit: Text = "", why: Text = "") -> Response:
    return _done(
        visit,
        case_id,
        Typed(act=CaseAct.HAND_OVER.value, fields={"unit": unit, "why": why}),
        ground,
        lambda: hand_over(
            visit.services,
            case_id,
            to_unit_id=typed_unit(units_to_hand_to(visit.services), unit[:200]),
            by=visit.who,
            expected=ground.expected,
            why=why,
            visible_to=visit.member.unit_id,
        ),
        gettext_noop("It is on its way to the other unit."),
    )


@case_act_pages.post("/cases/{case_id}/close", act=Permission.WORK_CASES)
def close(
    visit: CurrentRequest, case_id: CaseId, ground: Ground, outcome: Text = "", why: Text = ""
) -> Response:
    return _done(
        visit,
        case_id,
        Typed(act=CaseAct.CLOSE.value, fields={"outcome": outcome, "why": why}),
        ground,
        lambda: close_case(
            visit.services,
            case_id,
            _chosen(OutcomeKind, outcome, field="outcome"),
            by=visit.who,
            expected=ground.expected,
            why=why,
            visible_to=visit.member.unit_id,
        ),
        gettext_noop("The case is closed."),
    )


@case_act_pages.post("/cases/{case_id}/duplicate", act=Permission.WORK_CASES)
def duplicate(visit: CurrentRequest, case_id: CaseId, ground: Ground, of: Text = "") -> Response:
    return _done(
        visit,
        case_id,
        Typed(act=CaseAct.MARK_DUPLICATE.value, fields={"of": of}),
        ground,
        lambda: mark_duplicate(
            visit.services,
            case_id,
            of=_case_number(of),
            by=visit.who,
            expected=ground.expected,
            visible_to=visit.member.unit_id,
        ),
        gettext_noop("The case is marked as a duplicate."),
    )


@case_act_pages.post("/cases/{case_id}/opt-out", act=Permission.WORK_CASES)
def stop_robot(visit: CurrentRequest, case_id: CaseId, ground: Ground, why: Text = "") -> Response:
    return _done(
        visit,
        case_id,
        Typed(act=CaseAct.OPT_OUT.value, fields={"why": why}),
        ground,
        lambda: opt_out(
            visit.services,
            case_id,
            by=visit.who,
            expected=ground.expected,
            why=why,
            visible_to=visit.member.unit_id,
        ),
        gettext_noop("The robot no longer calls for this case."),
    )


@case_act_pages.post("/cases/{case_id}/filed", act=Permission.WORK_CASES)
def filed(visit: CurrentRequest, case_id: CaseId, ground: Ground, case_number: Text = "") -> Response:
    unit_id = visit.member.unit_id
    return _done(
        visit,
        case_id,
        Typed(act="filed", fields={"case_number": case_number}),
        ground,
        lambda: file_for_case(
            visit.services, case_id, case_number=case_number, by=visit.who, visible_to=unit_id
        ),
        gettext_noop("The filed case is on record."),
    )


@case_act_pages.post("/cases/{case_id}/outcomes/{outcome_id}/approve", act=Permission.APPROVE)
def approve(visit: CurrentRequest, case_id: CaseId, outcome_id: CaseId, ground: Ground) -> Response:
    unit_id = visit.member.unit_id
    sheet = read_case(visit.services, case_id, visible_to=unit_id)
    if outcome_id not in {line.id for line in sheet.rows.outcomes}:
        raise NotFound(kind="outcome", key=outcome_id)
    return _done(
        visit,
        case_id,
        Typed(act=f"approve-{outcome_id}"),
        ground,
        lambda: approve_outcome(visit.services, outcome_id, by=visit.who, visible_to=unit_id),
        gettext_noop("The money is approved."),
    )


def _grade(
    visit: RequestContext, case_id: int, ground: _Ground, act: CaseAct, grade: str, why: str, notice: str
) -> Response:
    return _done(
        visit,
        case_id,
        Typed(act=act.value, fields={"grade": grade, "why": why}),
        ground,
        lambda: change_grade(
            visit.services,
            case_id,
            _chosen(Grade, grade, field="grade"),
            by=visit.who,
            expected=ground.expected,
            why=why,
            visible_to=visit.member.unit_id,
            only=act,
        ),
        notice,
    )


def _person(
    visit: RequestContext, case_id: int, ground: _Ground, act: CaseAct, track: Track, why: str, notice: str
) -> Response:
    return _done(
        visit,
        case_id,
        Typed(act=act.value, fields={"why": why}),
        ground,
        lambda: ask_person(
            visit.services,
            case_id,
            track,
            by=visit.who,
            expected=ground.expected,
            why=why,
            visible_to=visit.member.unit_id,
        ),
        notice,
    )


def _done(
    visit: RequestContext, case_id: int, typed: Typed, ground: _Ground, act: Callable[[], object], notice: str
) -> Response:
    """The act, and back to the case; or the page again with what was typed and why it was not done."""
    try:
        act()
    except NotFound as fault:
        if fault.key == case_id:
            raise
        wrong = {"of": visit.say("is not there, or belongs to another unit")}
        return _again(
            visit, case_id, Typed(act=typed.act, fields=typed.fields, wrong=wrong), _UNPROCESSABLE_CASE_ACTS
        )
    except Overtaken:
        changed = Typed(act=typed.act, fields=typed.fields, shown_at=ground.shown_at or visit.now)
        return _again(visit, case_id, changed, _CONFLICT)
    except Conflict as fault:
        why_not = refusal_sentence(fault, visit.lang)
        return _again(visit, case_id, Typed(act=typed.act, fields=typed.fields, refused=why_not), _CONFLICT)
    except Invalid as fault:
        field = _FIELDS.get(fault.field, fault.field)
        wrong = {field: refusal_sentence(fault, visit.lang)}
        return _again(
            visit, case_id, Typed(act=typed.act, fields=typed.fields, wrong=wrong), _UNPROCESSABLE_CASE_ACTS
        )
    return visit.go(f"/cases/{case_id}", notice=notice)


def _again(visit: RequestContext, case_id: int, typed: Typed, status: int) -> Response:
    sheet = read_case(visit.services, case_id, visible_to=visit.member.unit_id)
    return visit.page(TEMPLATE, status=status, **case_facts(visit, sheet, typed=typed))


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
