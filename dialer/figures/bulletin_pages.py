"""The pages of bulletins 通报: drafted, read, approved or refused by a second person, exported as docx or PDF."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from fastapi import Form, Path
from starlette.responses import Response

from dialer.core.access import Permission, is_same_actor
from dialer.core.errors import Conflict, Invalid, Unavailable
from dialer.core.periods import BulletinKind, BulletinState, add_months, bulletin_days, days_around
from dialer.core.text import gettext_noop
from dialer.figures.bulletin_text import bulletin_document, numbered_sections
from dialer.figures.bulletin_words import days_words, state_words, title_of
from dialer.figures.bulletins import (
    LONGEST_WHY,
    Bulletin,
    decide_bulletin,
    get_bulletin,
    list_bulletins,
    make_bulletin,
    note_taken,
)
from dialer.language.sentences import refusal_sentence
from dialer.web.charts import draw_chart
from dialer.web.console import CurrentRequest, PageSection, RequestContext
from dialer.web.documents import as_document, as_pdf, office_program
from dialer.web.rendering import PlaceGroup

bulletin_pages = PageSection()
_PATH = "/bulletins"
_UNFIT, _TAKEN, _AWAY = 422, 409, 503
Number = Annotated[int, Path(ge=1, lt=2**63)]
ReadDraft = Annotated[datetime | None, Form()]
"""When the draft that the form is shown with was made."""


class PaperKind(StrEnum):
    """The format of an exported bulletin."""

    DOCX = "docx"
    PDF = "pdf"


@bulletin_pages.get(
    _PATH,
    act=Permission.SEE_RATES,
    nav=gettext_noop("Bulletins"),
    order=52,
    group=PlaceGroup.RESULTS,
    whole_centre=True,
)
def bulletins(request: CurrentRequest) -> Response:
    return _list(request)


@bulletin_pages.post(_PATH, act=Permission.APPROVE)
def draft(
    request: CurrentRequest,
    kind: Annotated[BulletinKind, Form()] = BulletinKind.MONTH,
    name: Annotated[str, Form(max_length=20)] = "",
    anew: Annotated[str, Form(max_length=1)] = "",
) -> Response:
    """Drafts the bulletin of the typed days, or opens the stored one."""
    request.check_sees_whole_centre()
    try:
        days = bulletin_days(kind, name.strip())
        made = make_bulletin(request.services, request.actor, days, anew=bool(anew))
    except Invalid as fault:
        return _list(
            request, wrong=refusal_sentence(fault, request.lang), name=name, kind=kind, status=_UNFIT
        )
    except Conflict as fault:
        return _list(
            request, wrong=refusal_sentence(fault, request.lang), name=name, kind=kind, status=_TAKEN
        )
    if made.line.id is None:
        return _show(request, made)
    return request.redirect_to(f"{_PATH}/{made.line.id}")


@bulletin_pages.get(_PATH + "/{bulletin_id}", act=Permission.SEE_RATES)
def bulletin(request: CurrentRequest, bulletin_id: Number) -> Response:
    request.check_sees_whole_centre()
    return _show(request, get_bulletin(request.services, bulletin_id))


@bulletin_pages.get(_PATH + "/{bulletin_id}/file/{kind}", act=Permission.EXPORT)
def take(request: CurrentRequest, bulletin_id: Number, kind: PaperKind) -> Response:
    """The bulletin as docx or PDF; a draft says on its first page that it is one. Audited."""
    request.check_sees_whole_centre()
    found = get_bulletin(request.services, bulletin_id)
    content = bulletin_document(found, lang=request.lang, who=request.who, now=request.now).content
    if kind is PaperKind.PDF:
        try:
            content = as_pdf(content)
        except Unavailable as fault:
            return _show(request, found, refused=refusal_sentence(fault, request.lang), status=_AWAY)
    note_taken(request.services, request.actor, found, kind=kind.value)
    return as_document(content, name=f"bulletin-{found.line.days.name}", kind=kind.value)


@bulletin_pages.post(_PATH + "/{bulletin_id}/approve", act=Permission.APPROVE)
def approve(request: CurrentRequest, bulletin_id: Number, made_at: ReadDraft = None) -> Response:
    """A second person approves the bulletin as it was when they read it."""
    return _decide(request, bulletin_id, approve=True, made_at=made_at, why="")


@bulletin_pages.post(_PATH + "/{bulletin_id}/refuse", act=Permission.APPROVE)
def refuse(
    request: CurrentRequest,
    bulletin_id: Number,
    made_at: ReadDraft = None,
    why: Annotated[str, Form(max_length=LONGEST_WHY)] = "",
) -> Response:
    """A second person refuses it with a reason."""
    return _decide(request, bulletin_id, approve=False, made_at=made_at, why=why)


def _decide(
    request: RequestContext, bulletin_id: int, *, approve: bool, made_at: datetime | None, why: str
) -> Response:
    request.check_sees_whole_centre()
    try:
        decide_bulletin(
            request.services, request.actor, bulletin_id, approve=approve, made_at=made_at, why=why
        )
    except Invalid as fault:
        found = get_bulletin(request.services, bulletin_id)
        return _show(request, found, wrong=refusal_sentence(fault, request.lang), status=_UNFIT)
    except Conflict as fault:
        found = get_bulletin(request.services, bulletin_id)
        return _show(request, found, refused=refusal_sentence(fault, request.lang), status=_TAKEN)
    notice = (
        gettext_noop("The bulletin is approved and may be issued.")
        if approve
        else gettext_noop("The bulletin is refused; it can be drafted again.")
    )
    return request.redirect_to(f"{_PATH}/{bulletin_id}", notice=notice)


def _list(
    request: RequestContext,
    *,
    wrong: str = "",
    name: str = "",
    kind: BulletinKind = BulletinKind.MONTH,
    status: int = 200,
) -> Response:
    request.check_sees_whole_centre()
    today = request.now.astimezone(request.services.centre.zone).date()
    last_month = days_around(BulletinKind.MONTH, add_months(today, -1))
    return request.page(
        "console/bulletins.html",
        status=status,
        lines=list_bulletins(request.services),
        kinds=tuple(BulletinKind),
        chosen=kind,
        name=name or last_month.name,
        wrong=wrong,
        title_of=lambda days: title_of(days, request.lang),
        days_words=lambda days: days_words(days, request.lang),
        draft=BulletinState.DRAFT,
        may_draft=request.may(Permission.APPROVE),
    )


def _show(
    request: RequestContext, found: Bulletin, *, refused: str = "", wrong: str = "", status: int = 200
) -> Response:
    line = found.line
    parts = [
        (heading, part, [draw_chart(chart, f"b{place}-{n}") for n, chart in enumerate(part.charts)])
        for place, (heading, part) in enumerate(numbered_sections(found.figures, request.lang))
    ]
    is_draft = line.id is not None and line.state is BulletinState.DRAFT
    may_decide = is_draft and request.may(Permission.APPROVE)
    is_own = is_same_actor(line.made_by, request.who)
    return request.page(
        "console/bulletin.html",
        status=status,
        line=line,
        title=title_of(line.days, request.lang),
        days=days_words(line.days, request.lang),
        state_line=state_words(found, request.lang),
        parts=parts,
        refused=refused,
        wrong=wrong,
        may_decide=may_decide and not is_own,
        is_own=may_decide and is_own,
        may_take=line.id is not None and request.may(Permission.EXPORT),
        has_pdf=office_program() is not None,
        is_drill=found.figures.drill,
    )
