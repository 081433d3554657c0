"""The pages of knowledge cards 知识库: read, searched while typing, drafted, decided by a second person, counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Form, Path, Query
from starlette.responses import Response

from dialer.core.access import Permission, is_same_actor
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.knowledge import (
    LONGEST_TITLE,
    CardState,
    TypedText,
    read_card,
    typed_of,
)
from dialer.core.second_person import RequestEvent
from dialer.core.text import gettext_noop
from dialer.core.values import FraudType
from dialer.knowledge.actions import (
    FIGURE_DAYS,
    LONGEST_WHY,
    CardFigures,
    decide_card,
    draft_card,
    read_card_figures,
    read_card_versions,
    read_live_cards,
    search_cards,
    typed_uses,
)
from dialer.knowledge.store import CardVersion
from dialer.knowledge.view import ShownPassage, shown_passage, ticked_passages
from dialer.web.console import CurrentRequest, PageSection, RequestContext, require_top_unit, sees_everything
from dialer.web.formats import typed_word

knowledge_pages = PageSection()
_PATH = "/knowledge"
_LIST, _CARD = "console/knowledge.html", "console/knowledge_card.html"
_UNFIT, _TAKEN = 422, 409
_LONGEST_SEARCH, _LONGEST_PART = 100, 20_000
Number = Annotated[int, Path(ge=1, lt=2**63)]
Words = Annotated[str, Query(max_length=_LONGEST_SEARCH)]
Part = Annotated[str, Form(max_length=_LONGEST_PART)]

KNOWN = (gettext_noop("why this version, in a few words"),)
"""Refusals of the actions that the pages show."""


@knowledge_pages.get(_PATH, act=Permission.SEE_KNOWLEDGE, nav=gettext_noop("Knowledge"), order=45)
def knowledge(request: CurrentRequest, q: Words = "") -> Response:
    """All cards by fraud type; with `q` the passages with these words."""
    figures = _figures(request)
    return request.page(
        _LIST,
        cards=[(one, one.content.text(request.lang)) for one in read_live_cards(request.services)],
        words=q.strip(),
        found=_find(request, q),
        with_boxes=False,
        figures=figures,
        days=FIGURE_DAYS,
        sees_figures=request.may(Permission.SEE_RATES),
        may_edit=_may_edit(request),
    )


@knowledge_pages.get(_PATH + "/search", act=Permission.SEE_KNOWLEDGE)
def search(
    request: CurrentRequest,
    q: Words = "",
    boxes: str = "",
    used: Annotated[list[str] | None, Query()] = None,
) -> Response:
    """The passages with these words, for a page that asks while they are typed. `boxes`: not empty if each has a box
    that belongs to a report; `used`: what is ticked among those that the page shows, which stays.
    """
    if not request.is_part:
        return request.redirect_to(f"{_PATH}?q={q}")
    kept = ticked_passages(request, typed_uses(used or ()))
    keys = {one.key for one in kept}
    found = [one for one in _find(request, q) if one.key not in keys]
    return request.part(_LIST, "found", words=q.strip(), found=[*kept, *found], with_boxes=bool(boxes))


def _find(request: RequestContext, words: str) -> list[ShownPassage]:
    found = search_cards(request.services, words) if words.strip() else []
    return [shown_passage(request, one.version, one.passage.number) for one in found]


def _figures(request: RequestContext) -> CardFigures | None:
    """What came of the cases; None while they are counted, and for those who do not see rates."""
    if not request.may(Permission.SEE_RATES):
        return None
    services = request.services
    cache = request.cache(
        "knowledge", lambda unit_id: read_card_figures(services, visible_to=unit_id), seconds=60
    )
    found: CardFigures | None = cache.get(request.member.unit_id).value
    return found


def _may_edit(request: RequestContext) -> bool:
    return request.may(Permission.EDIT_SCRIPTS) and sees_everything(request)


@dataclass(slots=True)
class CardForm:
    """A version as it was typed."""

    card: Annotated[str, Form(max_length=20)] = ""
    """The id of the card; '' for a new one."""
    fraud_type: Annotated[str, Form(max_length=40)] = ""
    reason: Annotated[str, Form(max_length=LONGEST_WHY)] = ""
    title_zh: Part = ""
    course_zh: Part = ""
    objections_zh: Part = ""
    variants_zh: Part = ""
    never_zh: Part = ""
    title_en: Part = ""
    course_en: Part = ""
    objections_en: Part = ""
    variants_en: Part = ""
    never_en: Part = ""

    def typed(self, lang: str) -> TypedText:
        """The part of the card in this language."""
        return TypedText(**{name: getattr(self, f"{name}_{lang}") for name in _TYPED})


_TYPED = ("title", "course", "objections", "variants", "never")


def _form_of(version: CardVersion) -> CardForm:
    content = version.content
    texts = {"zh": typed_of(content.chinese)}
    if content.english is not None:
        texts["en"] = typed_of(content.english)
    fields = {f"{name}_{lang}": getattr(text, name) for lang, text in texts.items() for name in _TYPED}
    return CardForm(card=str(version.card_id), fraud_type=content.fraud_type.value, **fields)


@knowledge_pages.get(_PATH + "/new", act=Permission.EDIT_SCRIPTS)
def new_card(request: CurrentRequest) -> Response:
    """The form of a card that the centre adds."""
    require_top_unit(request)
    return _show_form(request, CardForm())


@knowledge_pages.post(_PATH, act=Permission.EDIT_SCRIPTS)
def draft(request: CurrentRequest, form: Annotated[CardForm, Depends()]) -> Response:
    """Stores a draft, which waits for a second person."""
    require_top_unit(request)
    card_id = int(form.card) if form.card.isdecimal() else None
    if form.card and card_id is None:
        raise NotFound(kind="card", key=form.card)
    try:
        fraud_type = typed_word(FraudType, form.fraud_type)
        if fraud_type is None:
            raise Invalid(field="fraud_type", problem=gettext_noop("is not chosen"))  # noqa: TRY301
        content = read_card(fraud_type, form.typed("zh"), form.typed("en"))
        made = draft_card(request.services, request.actor, card_id, content, reason=form.reason)
    except Invalid as fault:
        return _show_form(request, form, wrong=request.wrong(fault), status=_UNFIT)
    except Conflict as fault:
        return _show_form(request, form, refused=request.refusal(fault), status=_TAKEN)
    return request.redirect_to(
        f"{_PATH}/{made.card_id}?version={made.number}",
        notice=gettext_noop("The draft is saved: a second person approves it."),
    )


@knowledge_pages.get(_PATH + "/{card_id}", act=Permission.SEE_KNOWLEDGE)
def card(request: CurrentRequest, card_id: Number, version: int | None = None) -> Response:
    """A card: its live version, or the one with this number."""
    return _show_card(request, card_id, version)


@knowledge_pages.get(_PATH + "/{card_id}/draft", act=Permission.EDIT_SCRIPTS)
def edit(request: CurrentRequest, card_id: Number) -> Response:
    """The form of the next version, with the words of the live one."""
    require_top_unit(request)
    versions = read_card_versions(request.services, card_id)
    return _show_form(request, _form_of(_live_of(versions) or versions[0]))


@knowledge_pages.post(_PATH + "/{card_id}/retire", act=Permission.EDIT_SCRIPTS)
def retire(
    request: CurrentRequest, card_id: Number, reason: Annotated[str, Form(max_length=LONGEST_WHY)] = ""
) -> Response:
    """Asks that callers no longer get the card; a second person approves it."""
    require_top_unit(request)
    try:
        made = draft_card(request.services, request.actor, card_id, None, reason=reason)
    except Invalid as fault:
        return _show_card(request, card_id, None, wrong=request.wrong(fault), status=_UNFIT)
    except Conflict as fault:
        return _show_card(request, card_id, None, refused=request.refusal(fault), status=_TAKEN)
    return request.redirect_to(
        f"{_PATH}/{card_id}?version={made.number}",
        notice=gettext_noop("The draft is saved: a second person approves it."),
    )


@knowledge_pages.post(_PATH + "/{card_id}/approve", act=Permission.APPROVE)
def approve(request: CurrentRequest, card_id: Number, number: Annotated[int, Form()] = 0) -> Response:
    """A second person approves the draft, which callers read from then on."""
    notice = gettext_noop("The version is approved: callers read it from now on.")
    return _decide(request, card_id, number, RequestEvent.APPROVED, notice=notice)


@knowledge_pages.post(_PATH + "/{card_id}/refuse", act=Permission.APPROVE)
def refuse(
    request: CurrentRequest,
    card_id: Number,
    number: Annotated[int, Form()] = 0,
    why: Annotated[str, Form(max_length=LONGEST_WHY)] = "",
) -> Response:
    """A second person refuses the draft with a reason."""
    notice = gettext_noop("The draft is refused; its author sees why.")
    return _decide(request, card_id, number, RequestEvent.REFUSED, why=why, notice=notice)


@knowledge_pages.post(_PATH + "/{card_id}/withdraw", act=Permission.EDIT_SCRIPTS)
def withdraw(request: CurrentRequest, card_id: Number, number: Annotated[int, Form()] = 0) -> Response:
    """The author takes the draft back."""
    notice = gettext_noop("The draft is withdrawn.")
    return _decide(request, card_id, number, RequestEvent.WITHDRAWN, notice=notice)


def _decide(
    request: RequestContext, card_id: int, number: int, event: RequestEvent, *, notice: str, why: str = ""
) -> Response:
    require_top_unit(request)
    version = _numbered(read_card_versions(request.services, card_id), number)
    try:
        decide_card(request.services, request.actor, version.id, event, why=why)
    except Invalid as fault:
        return _show_card(request, card_id, number, wrong=request.wrong(fault), status=_UNFIT)
    except Conflict as fault:
        return _show_card(request, card_id, number, refused=request.refusal(fault), status=_TAKEN)
    return request.redirect_to(f"{_PATH}/{card_id}?version={number}", notice=notice)


def _live_of(versions: Sequence[CardVersion]) -> CardVersion | None:
    return next((one for one in versions if one.state is CardState.APPROVED), None)


def _numbered(versions: Sequence[CardVersion], number: int) -> CardVersion:
    found = next((one for one in versions if one.number == number), None)
    if found is None:
        raise NotFound(kind="version of a card", key=number)
    return found


def _show_card(
    request: RequestContext,
    card_id: int,
    number: int | None,
    *,
    refused: str = "",
    wrong: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    versions = read_card_versions(request.services, card_id)
    live = _live_of(versions)
    shown = (live or versions[0]) if number is None else _numbered(versions, number)
    is_draft, is_own = shown.state is CardState.DRAFT, is_same_actor(shown.drafted_by, request.who)
    decides = is_draft and request.may(Permission.APPROVE) and sees_everything(request)
    figures = _figures(request)
    return request.page(
        _CARD,
        status=status,
        version=shown,
        text=shown.content.text(request.lang),
        versions=versions,
        live=live,
        before=live.content.text(request.lang) if is_draft and live is not None else None,
        states=CardState,
        may_edit=_may_edit(request) and not any(one.state is CardState.DRAFT for one in versions),
        may_decide=decides and not is_own,
        is_own=is_draft and is_own,
        refused=refused,
        wrong=wrong or {},
        figures=figures,
        days=FIGURE_DAYS,
        says_zh=[one.says for one in shown.content.chinese.objections],
    )


def _show_form(
    request: RequestContext,
    form: CardForm,
    *,
    wrong: Mapping[str, str] | None = None,
    refused: str = "",
    status: int = 200,
) -> Response:
    facts: dict[str, Any] = {"form": form, "wrong": wrong or {}, "refused": refused}
    return request.page(
        "console/knowledge_draft.html",
        status=status,
        kinds=tuple(FraudType),
        general=FraudType.UNKNOWN,
        longest_title=LONGEST_TITLE,
        longest_part=_LONGEST_PART,
        **facts,
    )
