"""One case: who and what now, everything that happened, why the next step is what it is."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Form, Path
from starlette.responses import FileResponse, Response

from dialer.domain.access import Act
from dialer.errors import Invalid, NotFound
from dialer.sentences import refusal_sentence
from dialer.store.people import Person
from dialer.usecases.read_case import CaseSheet, read_case, read_words
from dialer.usecases.show_case import reveal
from dialer.usecases.visit import show_photo
from dialer.web.console.case_view import TEMPLATE, Typed, case_facts
from dialer.web.console.registry import Section
from dialer.web.console.visit import Asked, Visit

pages = Section()
_LARGEST_ID = 2**63 - 1
_FOR_GOOD = "private, max-age=31536000, immutable"
_UNPROCESSABLE = 422

CaseId = Annotated[int, Path(ge=1, le=_LARGEST_ID)]
Text = Annotated[str, Form(max_length=2000)]


@pages.get("/cases/{case_id}", act=Act.SEE_CASES)
def case(visit: Asked, case_id: CaseId) -> Response:
    return _page(visit, read_case(visit.engine, case_id, seen_by=visit.member.unit_id))


@pages.post("/cases/{case_id}/reveal", act=Act.REVEAL)
def show_person(visit: Asked, case_id: CaseId, why: Text = "") -> Response:
    """The person in clear, on this one answer."""
    unit_id = visit.member.unit_id
    try:
        person = reveal(visit.engine, case_id, who=visit.who, why=why, seen_by=unit_id)
    except Invalid as fault:
        return _refused(visit, case_id, "reveal", fault)
    return _page(visit, read_case(visit.engine, case_id, seen_by=unit_id), person=person)


@pages.post("/cases/{case_id}/words", act=Act.REVEAL)
def show_words(visit: Asked, case_id: CaseId, why: Text = "") -> Response:
    """What was said, typed and written, in clear on this one answer."""
    try:
        sheet = read_words(visit.engine, case_id, who=visit.who, why=why, seen_by=visit.member.unit_id)
    except Invalid as fault:
        return _refused(visit, case_id, "words", fault)
    return _page(visit, sheet)


@pages.post("/cases/{case_id}/photos/{photo_id}", act=Act.REVEAL)
def photo(visit: Asked, case_id: CaseId, photo_id: UUID, why: Text = "") -> Response:
    """The picture itself."""
    unit_id = visit.member.unit_id
    sheet = read_case(visit.engine, case_id, seen_by=unit_id)
    if photo_id not in {photo.client_id for photo in sheet.photos}:
        raise NotFound(kind="photo", key=photo_id)
    try:
        media_type, content = show_photo(visit.engine, photo_id, who=visit.who, why=why, seen_by=unit_id)
    except Invalid as fault:
        return _refused(visit, case_id, f"photo-{photo_id}", fault)
    return Response(content, media_type=media_type, headers={"Content-Disposition": "inline"})


@pages.get("/clips/{file}", act=Act.SEE_CASES)
def clip(visit: Asked, file: str) -> Response:
    """A prompt as it was spoken. There is no other sound: nobody's voice is kept."""
    path = visit.engine.editions.sounds.path(file, real_now=visit.engine.real.now())
    if path is None:
        raise NotFound(kind="clip", key=file)
    return FileResponse(path, media_type="audio/wav", headers={"Cache-Control": _FOR_GOOD})


def _refused(visit: Visit, case_id: int, act: str, fault: Invalid) -> Response:
    form = Typed(act=act, wrong={"why": refusal_sentence(fault, visit.lang)})
    sheet = read_case(visit.engine, case_id, seen_by=visit.member.unit_id)
    return _page(visit, sheet, typed=form, status=_UNPROCESSABLE)


def _page(
    visit: Visit,
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
