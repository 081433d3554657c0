"""The pages of the inspection of calls 话务质检: which calls were read, and with a reason one of them word by word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Form, Path
from starlette.responses import Response

from dialer.cases.reveals import must_give_reason_to_search
from dialer.core.access import Permission, RevealReason
from dialer.core.errors import Conflict, Invalid
from dialer.core.inspection import TranscriptState
from dialer.core.text import gettext_noop
from dialer.quality.actions import (
    SHOWN_DAYS,
    CallScore,
    FoundCall,
    ShownCall,
    count_calls,
    get_call,
    judge_calls,
    list_calls,
    read_call,
    search_words,
)
from dialer.quality.model import UNSURE_BELOW
from dialer.quality.rule_pages import rule_titles
from dialer.web.console import CurrentRequest, PageSection, RequestContext
from dialer.web.formats import typed_number, typed_word
from dialer.web.rendering import PlaceGroup

quality_pages = PageSection()
_PATH = "/quality"
_PAGE = 50
_UNFIT, _GONE = 422, 409
Number = Annotated[int, Path(ge=1, lt=2**63)]
Text = Annotated[str, Form(max_length=2000)]
Code = Annotated[str, Form(max_length=40)]


@quality_pages.get(
    _PATH, act=Permission.INSPECT_CALLS, nav=gettext_noop("Call quality"), order=57, group=PlaceGroup.RESULTS
)
def calls(request: CurrentRequest, state: str = "", before: str = "") -> Response:
    """How many recorded calls were read, and the newest ones."""
    return _list(request, state=state, before=before)


@quality_pages.post(_PATH + "/search", act=Permission.INSPECT_CALLS)
def search(request: CurrentRequest, words: Code = "", reason: Code = "", why: Text = "") -> Response:
    """The calls in which these words are said. They are in no address: what was sought may be a name."""
    try:
        found = search_words(request.services, request.actor, words, reason=reason, why=why)
    except Invalid as fault:
        return _list(request, words=words, wrong=request.wrong(fault))
    return _list(request, words=words, found=found)


def _list(
    request: RequestContext,
    *,
    state: str = "",
    before: str = "",
    words: str = "",
    found: Sequence[FoundCall] | None = None,
    wrong: dict[str, str] | None = None,
) -> Response:
    services, unit_id = request.services, request.member.unit_id
    wrong = dict(wrong or {})
    chosen, before_id = typed_word(TranscriptState, state), None
    try:
        before_id = typed_number(before, field="before")
    except Invalid as fault:
        wrong |= request.wrong(fault)
    shown = (
        list_calls(services, visible_to=unit_id, state=chosen, before_id=before_id, limit=_PAGE + 1)
        if found is None
        else [one.call for one in found]
    )
    judged = judge_calls(services, [one.recording_id for one in shown])
    return request.page(
        "console/quality.html",
        status=_UNFIT if wrong else 200,
        wrong=wrong,
        counts=count_calls(services, visible_to=unit_id),
        days=SHOWN_DAYS,
        calls=shown[:_PAGE],
        next_before=shown[_PAGE - 1].recording_id if len(shown) > _PAGE else None,
        chosen=chosen,
        states=tuple(TranscriptState),
        reads=services.quality.transcribe,
        scores={key: CallScore.of(found_in) for key, found_in in judged.items()},
        words=words,
        places=None if found is None else {one.call.recording_id: one.places for one in found},
        reveal_reasons=list(RevealReason) if must_give_reason_to_search(services, request.who) else [],
    )


@quality_pages.get(_PATH + "/{recording_id}", act=Permission.INSPECT_CALLS)
def call(request: CurrentRequest, recording_id: Number) -> Response:
    """One call without its words."""
    return _page(request, recording_id)


@quality_pages.post(_PATH + "/{recording_id}", act=Permission.REVEAL)
def show_call(request: CurrentRequest, recording_id: Number, reason: Code = "", why: Text = "") -> Response:
    """The call with its words and its sound, in this response only."""
    try:
        shown = read_call(request.services, request.actor, recording_id, reason=reason, why=why)
    except Invalid as fault:
        return _page(request, recording_id, wrong=request.wrong(fault), status=_UNFIT)
    except Conflict as fault:
        return _page(request, recording_id, refused=request.refusal(fault), status=_GONE)
    return _page(request, recording_id, shown=shown)


def _page(
    request: RequestContext,
    recording_id: int,
    *,
    shown: ShownCall | None = None,
    wrong: dict[str, str] | None = None,
    refused: str = "",
    status: int = 200,
) -> Response:
    facts: dict[str, Any] = {"wrong": wrong or {}, "refused": refused, "shown": shown}
    call = get_call(request.services, recording_id, visible_to=request.member.unit_id)
    judged = judge_calls(request.services, [recording_id])[recording_id]
    return request.page(
        "console/quality_call.html",
        status=status,
        call=call,
        judged=judged,
        score=CallScore.of(judged),
        titles=rule_titles(request),
        may_reveal=request.may(Permission.REVEAL),
        reveal_reasons=list(RevealReason),
        unsure_percent=round(100 * UNSURE_BELOW),
        **facts,
    )
