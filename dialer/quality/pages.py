"""The pages of the inspection of calls 话务质检: which calls were read, and with a reason one of them word by word."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Form, Path
from starlette.responses import Response

from dialer.core.access import Permission, RevealReason
from dialer.core.errors import Conflict, Invalid
from dialer.core.inspection import TranscriptState
from dialer.core.text import gettext_noop
from dialer.quality.actions import SHOWN_DAYS, ShownCall, count_calls, get_call, list_calls, read_call
from dialer.quality.model import UNSURE_BELOW
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
    services, unit_id = request.services, request.member.unit_id
    wrong: dict[str, str] = {}
    chosen, before_id = None, None
    try:
        chosen = typed_word(TranscriptState, state)
        before_id = typed_number(before, field="before")
    except Invalid as fault:
        wrong = request.wrong(fault)
    found = list_calls(services, visible_to=unit_id, state=chosen, before_id=before_id, limit=_PAGE + 1)
    return request.page(
        "console/quality.html",
        status=_UNFIT if wrong else 200,
        wrong=wrong,
        counts=count_calls(services, visible_to=unit_id),
        days=SHOWN_DAYS,
        calls=found[:_PAGE],
        next_before=found[_PAGE - 1].recording_id if len(found) > _PAGE else None,
        chosen=chosen,
        states=tuple(TranscriptState),
        reads=services.quality.transcribe,
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
    return request.page(
        "console/quality_call.html",
        status=status,
        call=get_call(request.services, recording_id, visible_to=request.member.unit_id),
        may_reveal=request.may(Permission.REVEAL),
        reveal_reasons=list(RevealReason),
        unsure_percent=round(100 * UNSURE_BELOW),
        **facts,
    )
