"""What is done on a visit. From a phone each act may come twice, late, or long after it was done: it counts once."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import File, Form, UploadFile
from starlette.responses import Response

from dialer.domain.access import Act
from dialer.domain.errand import VisitStage, WhoSeen
from dialer.domain.values import Contact, OutcomeKind
from dialer.errors import Invalid, NotFound, Refusal
from dialer.language import mark
from dialer.outcomes.money import Amounts, fen_of
from dialer.usecases.claim_errand import release_errand
from dialer.usecases.open_visit import look_at_transfer, look_at_visit, show_photo_of
from dialer.usecases.transfer_errand import accept_transfer, refuse_transfer, transfer_errand
from dialer.usecases.visit import Sent, VisitReport, add_photo, note_visit, report_visit, take_step, tell_seen
from dialer.web.console.registry import Section
from dialer.web.console.visit import Asked, Visit
from dialer.web.console.visit_page import show_visit
from dialer.web.console.visit_phone import Shown, from_phone, refused, taken

pages = Section()
_PHOTO_BYTES = 12 << 20
"""Of the whole request; how large a photo may be is the setting's."""

_Text = Annotated[str, Form(max_length=4000)]
_Short = Annotated[str, Form(max_length=100)]


@pages.post("/visits/{visit_id}/step", act=Act.WORK_VISITS)
def step(
    visit: Asked, visit_id: int, stage: _Short = "", client_id: _Short = "", told_at: _Short = ""
) -> Response:
    """Accepted, on the way, arrived."""

    def act() -> Sent:
        phone = from_phone(visit, client_id, told_at)
        known = next((one for one in VisitStage if one.value == stage), VisitStage.NONE)
        return take_step(visit.engine, visit_id, known, phone=phone)

    return taken(visit, visit_id, act, notice=mark("It is on record."), again=_again(visit, visit_id))


@pages.post("/visits/{visit_id}/seen", act=Act.WORK_VISITS)
def seen(
    visit: Asked,
    visit_id: int,
    who: _Short = "",
    note: _Text = "",
    client_id: _Short = "",
    told_at: _Short = "",
) -> Response:
    def act() -> Sent:
        phone = from_phone(visit, client_id, told_at)
        met = next((one for one in WhoSeen if one.value == who), None)
        if met is None:
            raise Invalid(field="who", problem=mark("choose the person met"))
        return tell_seen(visit.engine, visit_id, met, phone=phone, note=note)

    return taken(visit, visit_id, act, notice=mark("It is on record."), again=_again(visit, visit_id))


@pages.post("/visits/{visit_id}/note", act=Act.WORK_VISITS)
def note(
    visit: Asked, visit_id: int, words: _Text = "", client_id: _Short = "", told_at: _Short = ""
) -> Response:
    def act() -> Sent:
        phone = from_phone(visit, client_id, told_at)
        return note_visit(visit.engine, visit_id, phone=phone, words=words)

    return taken(visit, visit_id, act, notice=mark("The note is kept."), again=_again(visit, visit_id))


@pages.post("/visits/{visit_id}/photo", act=Act.WORK_VISITS, most_bytes=_PHOTO_BYTES)
def photo(
    visit: Asked,
    visit_id: int,
    photo: Annotated[UploadFile | None, File()] = None,
    client_id: _Short = "",
    told_at: _Short = "",
) -> Response:
    def act() -> Sent:
        phone = from_phone(visit, client_id, told_at)
        content = photo.file.read() if photo is not None else b""
        if not content:
            raise Invalid(field="photo", problem=mark("choose a photo"))
        return add_photo(visit.engine, visit_id, phone=phone, content=content)

    return taken(visit, visit_id, act, notice=mark("The photo is kept."), again=_again(visit, visit_id))


@pages.post("/visits/{visit_id}/report", act=Act.WORK_VISITS)
def report(
    visit: Asked,
    visit_id: int,
    outcome: _Short = "",
    contact: _Short = "",
    intended: _Short = "",
    stopped: _Short = "",
    returned: _Short = "",
    evidence: _Text = "",
    note: _Text = "",
    client_id: _Short = "",
    told_at: _Short = "",
) -> Response:
    """反馈."""

    def act() -> Sent:
        phone = from_phone(visit, client_id, told_at)
        kind = next((one for one in OutcomeKind if one.value == outcome), None)
        if kind is None:
            raise Invalid(field="outcome", problem=mark("choose the result"))
        result = VisitReport(
            outcome=kind,
            contact=next((one for one in Contact if one.value == contact), None),
            amounts=Amounts(
                intended_fen=fen_of(intended or "0", field="intended"),
                stopped_fen=fen_of(stopped or "0", field="stopped"),
                returned_fen=fen_of(returned or "0", field="returned"),
            ),
            evidence=evidence,
            note=note,
        )
        return report_visit(visit.engine, visit_id, result, phone=phone)

    return taken(
        visit,
        visit_id,
        act,
        notice=mark("The report is on record."),
        again=_again(visit, visit_id),
    )


@pages.post("/visits/{visit_id}/photos/{client_id}", act=Act.WORK_VISITS)
def look_at_photo(
    visit: Asked, visit_id: int, client_id: uuid.UUID, why: Annotated[str, Form(max_length=500)] = ""
) -> Response:
    """The picture itself; who looked and why is in the audit."""
    media_type, content = show_photo_of(
        visit.engine, visit_id, client_id, who=visit.who, seen_by=visit.member.unit_id, why=why
    )
    return Response(content, media_type=media_type, headers={"Content-Disposition": "inline"})


@pages.post("/visits/{visit_id}/release", act=Act.WORK_VISITS)
def release(visit: Asked, visit_id: int, why: _Text = "") -> Response:
    """Back to the queue."""
    look_at_visit(visit.engine, visit_id, who=visit.who, seen_by=visit.member.unit_id)
    try:
        release_errand(visit.engine, visit_id, by=visit.who, why=why)
    except Refusal as fault:
        return refused(visit, fault, again=_again(visit, visit_id))
    return visit.go("/visits", notice=mark("The visit is back in the queue. Its clocks go on."))


@pages.post("/visits/{visit_id}/transfer", act=Act.WORK_VISITS)
def transfer(visit: Asked, visit_id: int, to: _Short = "", why: _Text = "") -> Response:
    look_at_visit(visit.engine, visit_id, who=visit.who, seen_by=visit.member.unit_id)
    try:
        if not to.isdecimal() or len(to) > 9:  # noqa: PLR2004  # beyond it none is
            raise Invalid(field="to", problem=mark("choose a unit"))
        transfer_errand(visit.engine, visit_id, to_unit_id=int(to), by=visit.who, why=why)
    except NotFound:
        return _again(visit, visit_id)(422, visit.say("choose a unit"))
    except Refusal as fault:
        return refused(visit, fault, again=_again(visit, visit_id))
    return visit.go(
        f"/visits/{visit_id}", notice=mark("The other unit is asked. Until it accepts the visit stays yours.")
    )


@pages.post("/visits/transfers/{transfer_id}/accept", act=Act.WORK_VISITS)
def accept(visit: Asked, transfer_id: int) -> Response:
    """The visit is this officer's own."""
    line = look_at_transfer(visit.engine, transfer_id, seen_by=visit.member.unit_id)
    try:
        accept_transfer(visit.engine, transfer_id, by=visit.who, seen_by=visit.member.unit_id)
    except Refusal as fault:
        return refused(visit, fault, again=_again(visit, line.id))
    return visit.go(f"/visits/{line.id}", notice=mark("The visit is yours. Its clocks go on."))


@pages.post("/visits/transfers/{transfer_id}/refuse", act=Act.WORK_VISITS)
def refuse(visit: Asked, transfer_id: int, why: _Text = "") -> Response:
    line = look_at_transfer(visit.engine, transfer_id, seen_by=visit.member.unit_id)
    try:
        refuse_transfer(visit.engine, transfer_id, by=visit.who, why=why, seen_by=visit.member.unit_id)
    except Refusal as fault:
        return refused(visit, fault, again=_again(visit, line.id))
    return visit.go("/visits", notice=mark("The transfer is refused; whoever asked sees why."))


def _again(visit: Visit, visit_id: int) -> Shown:
    def show(status: int, wrong: str) -> Response:
        return show_visit(visit, visit_id, status=status, wrong=wrong)

    return show
