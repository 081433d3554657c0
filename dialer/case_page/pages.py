"""The console's case pages: search, the case itself, personal data in clear, and what a person does to a case. An act
that was decided on an older page is refused; the page then shows what happened since, and keeps what was typed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Depends, Form, Path
from starlette.responses import FileResponse, Response

from dialer.calls.recordings import recording_by_ticket, recording_ticket
from dialer.case_page.acts import (
    SeenCase,
    allow_calls,
    ask_person,
    call_now,
    change_grade,
    close_case,
    mark_duplicate,
    note_case,
    opt_out,
    transfer_case,
)
from dialer.case_page.look_back import LookBack, item_lines, look_back_document, open_look_back, step_words
from dialer.case_page.reading import CaseSheet, read_case, read_words, reveal, units_to_hand_to
from dialer.case_page.view import TEMPLATE, Playing, RefusedAct, case_facts
from dialer.cases.persons import Person
from dialer.core.access import Permission
from dialer.core.case import CaseAct
from dialer.core.errors import Conflict, Invalid, NotFound, Overtaken
from dialer.core.rates import is_in_range
from dialer.core.text import gettext_noop
from dialer.core.values import Grade, OutcomeKind, Track
from dialer.outcomes.evidence_files import reveal_file
from dialer.outcomes.filed_lists import undo_filing
from dialer.outcomes.filing import file_for_case
from dialer.web.console import CurrentRequest, PageSection, RequestContext
from dialer.web.documents import as_docx
from dialer.web.formats import sealed_file, typed_unit, typed_word
from dialer.work.tasks import approve_outcome

case_pages = PageSection()
_SEARCH = "console/cases.html"
_LARGEST_ID = 2**63 - 1
_DIGITS = 18
"""A number of at most this many digits is an id."""
_FOR_GOOD = "private, max-age=31536000, immutable"
_CONFLICT, _UNPROCESSABLE = 409, 422

OVERDUE_PATH = "/overdue"
"""The list of overdue work, which has some of the forms too."""
CaseId = Annotated[int, Path(ge=1, le=_LARGEST_ID)]
Text = Annotated[str, Form(max_length=2000)]
Code = Annotated[str, Form(max_length=40)]


_Word = TypeVar("_Word", bound=StrEnum)


@case_pages.get("/cases/{case_id}", act=Permission.SEE_CASES, shows_people=True)
def case(request: CurrentRequest, case_id: CaseId) -> Response:
    """The page of a case. 404 for one that the reader's unit may not see."""
    return _page(request, read_case(request.services, case_id, visible_to=request.member.unit_id))


@case_pages.get("/cases/{case_id}/look-back", act=Permission.SEE_CASES, shows_people=True)
def look_back(request: CurrentRequest, case_id: CaseId) -> Response:
    """Everything that was done in a case that was filed. 404 for a case without a filed case."""
    look = _look_back(request, case_id, "page")
    zone = request.services.centre.zone
    return request.page(
        "console/look_back.html",
        look=look,
        case=look.sheet.story.file.stored.case,
        masked=look.sheet.story.file.person,
        steps=step_words(look, request.lang),
        lines=lambda item: item_lines(item, request.lang),
        exact=lambda at: f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
        may_export=request.may(Permission.EXPORT),
    )


@case_pages.get("/cases/{case_id}/look-back/docx", act=Permission.EXPORT, shows_people=True)
def look_back_file(request: CurrentRequest, case_id: CaseId) -> Response:
    """The look-back as a file, named in local time."""
    look = _look_back(request, case_id, "docx")
    timezone = request.services.centre.timezone
    document = look_back_document(
        look, lang=request.lang, timezone=timezone, who=request.who, now=request.now
    )
    at = request.now.astimezone(ZoneInfo(timezone))
    return as_docx(document, name=f"look-back-{case_id}-{at:%Y%m%d-%H%M}")


def _look_back(request: RequestContext, case_id: int, kind: str) -> LookBack:
    return open_look_back(
        request.services,
        request.actor,
        case_id,
        lang=request.lang,
        kind=kind,
    )


@case_pages.post("/cases/{case_id}/reveal", act=Permission.REVEAL)
def show_person(request: CurrentRequest, case_id: CaseId, reason: Code = "", why: Text = "") -> Response:
    """The page with the person in clear, in this response only."""
    unit_id = request.member.unit_id
    try:
        person = reveal(request.services, request.actor, case_id, reason=reason, why=why)
    except Invalid as fault:
        return _refused(request, case_id, "reveal", fault)
    return _page(request, read_case(request.services, case_id, visible_to=unit_id), person=person)


@case_pages.post("/cases/{case_id}/words", act=Permission.REVEAL)
def show_words(request: CurrentRequest, case_id: CaseId, reason: Code = "", why: Text = "") -> Response:
    """The page with what was said, typed and written in clear, in this response only."""
    try:
        sheet = read_words(
            request.services,
            request.actor,
            case_id,
            reason=reason,
            why=why,
        )
    except Invalid as fault:
        return _refused(request, case_id, "words", fault)
    return _page(request, sheet)


@case_pages.post("/cases/{case_id}/files/{file_id}", act=Permission.REVEAL)
def file(
    request: CurrentRequest, case_id: CaseId, file_id: UUID, reason: Code = "", why: Text = ""
) -> Response:
    """A photo of a visit, or a file that proves an amount."""
    unit_id = request.member.unit_id
    read_case(request.services, case_id, visible_to=unit_id)
    try:
        found = reveal_file(
            request.services,
            request.actor,
            file_id,
            reason=reason,
            why=why,
            case_id=case_id,
        )
    except Invalid as fault:
        return _refused(request, case_id, f"file-{file_id}", fault)
    return sealed_file(found.content, found.media_type, name=f"{case_id}-{str(file_id)[:8]}")


@case_pages.post("/cases/{case_id}/recordings/{recording_id}", act=Permission.REVEAL)
def recording(
    request: CurrentRequest, case_id: CaseId, recording_id: CaseId, reason: Code = "", why: Text = ""
) -> Response:
    """The page with a player for the recording of a call; its sound can be fetched for ten minutes."""
    unit_id = request.member.unit_id
    try:
        ticket = recording_ticket(
            request.services,
            request.actor,
            case_id,
            recording_id,
            reason=reason,
            why=why,
        )
    except Invalid as fault:
        return _refused(request, case_id, f"recording-{recording_id}", fault)
    sheet = read_case(request.services, case_id, visible_to=unit_id)
    return _page(request, sheet, plays=Playing(recording_id=recording_id, ticket=ticket))


@case_pages.get("/cases/{case_id}/recordings/{recording_id}/sound", act=Permission.REVEAL)
def recording_sound(
    request: CurrentRequest, case_id: CaseId, recording_id: CaseId, ticket: str = ""
) -> Response:
    """The sound, for the player of that page."""
    sound = recording_by_ticket(
        request.services,
        request.actor,
        case_id,
        recording_id,
        ticket,
    )
    return Response(sound, media_type="audio/wav", headers={"Content-Disposition": "inline"})


@case_pages.get("/clips/{file}", act=Permission.SEE_CASES)
def clip(request: CurrentRequest, file: str) -> Response:
    """A prompt as it was spoken, without the person's voice."""
    path = request.services.rendered_scripts.sounds.path(file, real_now=request.services.real.now())
    if path is None:
        raise NotFound(kind="clip", key=file)
    return FileResponse(path, media_type="audio/wav", headers={"Cache-Control": _FOR_GOOD})


def _refused(request: RequestContext, case_id: int, act: str, fault: Invalid) -> Response:
    form = RefusedAct(act=act, wrong=request.wrong(fault))
    sheet = read_case(request.services, case_id, visible_to=request.member.unit_id)
    return _page(request, sheet, typed=form, status=_UNPROCESSABLE)


def _page(
    request: RequestContext,
    sheet: CaseSheet,
    *,
    person: Person | None = None,
    typed: RefusedAct | None = None,
    plays: Playing | None = None,
    status: int = 200,
) -> Response:
    facts = case_facts(request, sheet, person=person, typed=typed, plays=plays)
    if request.is_part:
        return request.part(TEMPLATE, "case", status=status, **facts)
    return request.page(TEMPLATE, status=status, **facts)


class ActForm:
    """A form of the case page: who sent it, about which case, and which revision of the case it was decided on. `then`:
    where its sender goes on, if not at the case.
    """

    def __init__(
        self,
        request: CurrentRequest,
        case_id: CaseId,
        expected: Annotated[int, Form()] = 0,
        shown_at: Annotated[str, Form(max_length=40)] = "",
        then: Annotated[str, Form(max_length=100)] = "",
    ) -> None:
        self.request = request
        self.then = then if then.partition("?")[0] == OVERDUE_PATH else f"/cases/{case_id}"
        self.seen = SeenCase(
            services=request.services, actor=request.actor, case_id=case_id, revision=expected
        )
        self.shown_at: datetime | None = None
        with suppress(ValueError):
            moment = datetime.fromisoformat(shown_at)
            self.shown_at = moment if moment.tzinfo is not None and is_in_range(moment) else None

    def carry_out(
        self, act: str, typed: Mapping[str, str], do: Callable[[], object], notice: str
    ) -> Response:
        """Carries out the act and shows the case, or shows the form again with what was typed and why the act was
        refused.
        """
        request, case_id = self.request, self.seen.case_id
        form = RefusedAct(act=act, fields=typed)
        try:
            do()
        except NotFound as fault:
            if fault.key == case_id:
                raise
            wrong = {"of": request.say("is not there, or belongs to another unit")}
            return self._show(replace(form, wrong=wrong), _UNPROCESSABLE)
        except Overtaken:
            return self._show(replace(form, shown_at=self.shown_at or request.now), _CONFLICT)
        except Conflict as fault:
            return self._show(replace(form, refused=request.refusal(fault)), _CONFLICT)
        except Invalid as fault:
            wrong = {fault.field.replace(" ", "_"): request.refusal(fault)}
            return self._show(replace(form, wrong=wrong), _UNPROCESSABLE)
        return request.redirect_to(self.then, notice=notice)

    def _show(self, form: RefusedAct, status: int) -> Response:
        sheet = read_case(self.seen.services, self.seen.case_id, visible_to=self.seen.actor.unit_id)
        return self.request.page(TEMPLATE, status=status, **case_facts(self.request, sheet, typed=form))


Sent = Annotated[ActForm, Depends()]


@case_pages.post("/cases/{case_id}/note", act=Permission.WORK_CASES)
def note(form: Sent, words: Text = "") -> Response:
    seen = form.seen
    return form.carry_out(
        CaseAct.NOTE,
        {"words": words},
        lambda: note_case(seen.services, seen.actor, seen.case_id, words=words),
        gettext_noop("Note saved."),
    )


@case_pages.post("/cases/{case_id}/call", act=Permission.WORK_CASES)
def call(form: Sent) -> Response:
    """Has the robot call as soon as a line is free."""
    return form.carry_out(
        CaseAct.CALL_NOW,
        {},
        lambda: call_now(form.seen),
        gettext_noop("The robot calls as soon as a line is free."),
    )


@case_pages.post("/cases/{case_id}/raise", act=Permission.WORK_CASES)
def raise_grade(form: Sent, grade: Text = "", why: Text = "") -> Response:
    return _change_grade(form, CaseAct.RAISE, grade, why, gettext_noop("The grade is raised."))


@case_pages.post("/cases/{case_id}/lower", act=Permission.LOWER_CASES)
def lower_grade(form: Sent, grade: Text = "", why: Text = "") -> Response:
    return _change_grade(form, CaseAct.LOWER, grade, why, gettext_noop("The grade is lowered."))


def _change_grade(form: ActForm, act: CaseAct, grade: str, why: str, notice: str) -> Response:
    return form.carry_out(
        act,
        {"grade": grade, "why": why},
        lambda: change_grade(form.seen, _chosen(Grade, grade, field="grade"), why=why, only=act),
        notice,
    )


@case_pages.post("/cases/{case_id}/caller", act=Permission.WORK_CASES)
def caller(form: Sent, why: Text = "") -> Response:
    """Asks for a human call."""
    notice = gettext_noop("Waiting for a caller to accept the call.")
    return _ask_person(form, CaseAct.ASK_CALLER, Track.HUMAN, why, notice)


@case_pages.post("/cases/{case_id}/officer", act=Permission.WORK_CASES)
def officer(form: Sent, why: Text = "") -> Response:
    """Asks for a visit."""
    notice = gettext_noop("Waiting for an officer to accept the visit.")
    return _ask_person(form, CaseAct.ASK_OFFICER, Track.VISIT, why, notice)


def _ask_person(form: ActForm, act: CaseAct, track: Track, why: str, notice: str) -> Response:
    return form.carry_out(act, {"why": why}, lambda: ask_person(form.seen, track, why=why), notice)


@case_pages.post("/cases/{case_id}/unit", act=Permission.WORK_CASES)
def unit(form: Sent, unit: Text = "", why: Text = "") -> Response:
    """Transfers the case to another unit."""
    units = units_to_hand_to(form.seen.services)
    return form.carry_out(
        CaseAct.HAND_OVER,
        {"unit": unit, "why": why},
        lambda: transfer_case(form.seen, to_unit_id=typed_unit(units, unit[:200]), why=why),
        gettext_noop("The transfer is recorded. Open work waits until the other unit accepts it."),
    )


@case_pages.post("/cases/{case_id}/close", act=Permission.WORK_CASES)
def close(form: Sent, outcome: Text = "", why: Text = "") -> Response:
    """Ends the case with an outcome that is no success."""
    return form.carry_out(
        CaseAct.CLOSE,
        {"outcome": outcome, "why": why},
        lambda: close_case(form.seen, _chosen(OutcomeKind, outcome, field="outcome"), why=why),
        gettext_noop("The case is closed."),
    )


@case_pages.post("/cases/{case_id}/duplicate", act=Permission.WORK_CASES)
def duplicate(form: Sent, of: Text = "") -> Response:
    """Closes the case as a duplicate of the case `of`."""
    return form.carry_out(
        CaseAct.MARK_DUPLICATE,
        {"of": of},
        lambda: mark_duplicate(form.seen, of=_case_number(of)),
        gettext_noop("The case is marked as a duplicate."),
    )


@case_pages.post("/cases/{case_id}/opt-out", act=Permission.WORK_CASES)
def stop_robot(form: Sent, why: Text = "") -> Response:
    """The robot no longer calls for this case."""
    return form.carry_out(
        CaseAct.OPT_OUT,
        {"why": why},
        lambda: opt_out(form.seen, why=why),
        gettext_noop("The robot no longer calls for this case."),
    )


@case_pages.post("/cases/{case_id}/allow-calls", act=Permission.LOWER_CASES)
def allow_calls_again(form: Sent, why: Text = "") -> Response:
    """The next warning of this incident is called again."""
    return form.carry_out(
        CaseAct.ALLOW_CALLS,
        {"why": why},
        lambda: allow_calls(form.seen, why=why),
        gettext_noop("A further warning is called again."),
    )


@case_pages.post("/cases/{case_id}/filed", act=Permission.WORK_CASES)
def filed(form: Sent, case_number: Text = "") -> Response:
    """Records that the police have filed a case: a success of this case is reversed."""
    seen = form.seen
    return form.carry_out(
        "filed",
        {"case_number": case_number},
        lambda: file_for_case(
            seen.services,
            seen.actor,
            seen.case_id,
            case_number=case_number,
        ),
        gettext_noop("The filed case is on record."),
    )


@case_pages.post("/cases/{case_id}/filed/undo", act=Permission.DECIDE_FILED)
def undo_filed(form: Sent, case_number: Text = "", why: Text = "") -> Response:
    """Undoes a number that was recorded by mistake: the case becomes what it was before."""
    seen = form.seen
    return form.carry_out(
        "undo_filed",
        {"case_number": case_number, "why": why},
        lambda: undo_filing(
            seen.services,
            seen.actor,
            seen.case_id,
            case_number=case_number,
            why=why,
        ),
        gettext_noop("The filing is undone: the case is what it was before."),
    )


@case_pages.post("/cases/{case_id}/outcomes/{outcome_id}/approve", act=Permission.APPROVE)
def approve(form: Sent, outcome_id: CaseId) -> Response:
    """Approves the amounts of an outcome of this case; 404 for one of another case."""
    seen = form.seen
    sheet = read_case(seen.services, seen.case_id, visible_to=seen.actor.unit_id)
    if outcome_id not in {line.id for line in sheet.rows.outcomes}:
        raise NotFound(kind="outcome", key=outcome_id)
    return form.carry_out(
        f"approve-{outcome_id}",
        {},
        lambda: approve_outcome(seen.services, seen.actor, outcome_id),
        gettext_noop("Approved."),
    )


def _chosen(kind: type[_Word], value: str, *, field: str) -> _Word:
    member = typed_word(kind, value)
    if member is None:
        raise Invalid(field=field, problem="is not chosen")
    return member


def _case_number(text: str) -> int:
    number = text.strip().removeprefix("#")
    if not number.isdecimal() or len(number) > _DIGITS:
        raise Invalid(field="of", problem="is not a case number")
    return int(number)
