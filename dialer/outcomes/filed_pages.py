"""The page of filed cases 立案: loads a list, decides doubtful matches, and shows who had been warned."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import File, Form, Path, Query, UploadFile
from starlette.responses import Response

from dialer.core.access import Permission
from dialer.core.errors import Conflict, Invalid, UnusableFile
from dialer.core.rates import WARNED_BEFORE_FILED, Period, period_of
from dialer.core.text import gettext_noop
from dialer.core.values import FiledState, FraudType
from dialer.intake.filed_lists import END_OF_DAY
from dialer.intake.reader import default_source
from dialer.language.figure_words import rate_sentence
from dialer.language.words import sentence, stored_word
from dialer.outcomes.filed_figures import filed_figures
from dialer.outcomes.filed_lists import (
    FiledLoad,
    certain_waiting,
    confirm_certain,
    decide_match,
    list_filed,
    load_filed,
    undo_match,
)
from dialer.web.console import CurrentRequest, PageSection, RequestContext
from dialer.web.rendering import PlaceGroup

filed_pages = PageSection()
_PATH, _TEMPLATE = "/filed", "console/filed.html"
_UNFIT, _TAKEN = 422, 409
_MOST_FILE = 16 * 1024 * 1024
_MOST_ROWS = 2_000
"""A row takes about 5 ms, and the page waits for all of them; the command loads a longer list."""
_SHOWN_REJECTS = 200
_LONGEST_WHY = 500
MatchNumber = Annotated[int, Path(ge=1, lt=2**63)]


@filed_pages.get(
    _PATH,
    act=Permission.SEE_FILED,
    nav=gettext_noop("Filed cases"),
    order=55,
    group=PlaceGroup.RESULTS,
    whole_centre=True,
    shows_people=True,
)
def show_filed(
    request: CurrentRequest,
    state: Annotated[str, Query(max_length=20)] = "",
    start: Annotated[str, Query(alias="from", max_length=40)] = "",
    end: Annotated[str, Query(alias="to", max_length=40)] = "",
    before: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
) -> Response:
    return _show(request, state=state, start=start, end=end, before=before)


@filed_pages.post(_PATH, act=Permission.LOAD_FILED, most_bytes=_MOST_FILE)
def load(request: CurrentRequest, file: Annotated[UploadFile | None, File()] = None) -> Response:
    """Reads and stores the list at once; the same list again changes nothing."""
    request.check_sees_whole_centre()
    if file is None or not file.filename:
        return _show(request, refused=request.say(gettext_noop("Choose a file first.")))
    name = file.filename[:100]
    try:
        done = load_filed(
            request.services, request.actor, file.file, source=default_source(name), most=_MOST_ROWS
        )
    except UnusableFile as fault:
        return _show(request, refused=f"{name}: {request.refusal(fault)}")
    return _show(request, loaded=done, name=name)


@filed_pages.post("/filed/matches/{match_id}/confirm", act=Permission.DECIDE_FILED)
def confirm(
    request: CurrentRequest,
    match_id: MatchNumber,
    why: Annotated[str, Form(max_length=_LONGEST_WHY)] = "",
) -> Response:
    """Confirms a match: the filed case is recorded for the cases of this person."""
    return _decide(request, match_id, why, is_same_person=True)


@filed_pages.post("/filed/matches/{match_id}/reject", act=Permission.DECIDE_FILED)
def reject(
    request: CurrentRequest,
    match_id: MatchNumber,
    why: Annotated[str, Form(max_length=_LONGEST_WHY)] = "",
) -> Response:
    """Rejects a match: the filed case is about somebody else."""
    return _decide(request, match_id, why, is_same_person=False)


@filed_pages.post("/filed/certain", act=Permission.DECIDE_FILED)
def confirm_all_certain(
    request: CurrentRequest, why: Annotated[str, Form(max_length=_LONGEST_WHY)] = ""
) -> Response:
    """Confirms the certain matches of lists that somebody loaded who decides none."""
    request.check_sees_whole_centre()
    try:
        confirm_certain(request.services, request.actor, why=why)
    except Invalid as fault:
        return _show(request, state=FiledState.DOUBTFUL, refused=request.refusal(fault))
    return request.redirect_to(
        f"{_PATH}?state={FiledState.DOUBTFUL.value}",
        notice=gettext_noop("The certain matches are confirmed."),
    )


@filed_pages.post("/filed/matches/{match_id}/undo", act=Permission.DECIDE_FILED)
def undo(
    request: CurrentRequest,
    match_id: MatchNumber,
    why: Annotated[str, Form(max_length=_LONGEST_WHY)] = "",
) -> Response:
    """Undoes a match that was another person: their cases get back the state they had before."""
    request.check_sees_whole_centre()
    try:
        undone = undo_match(request.services, request.actor, match_id, why=why)
    except Invalid as fault:
        return _show(request, refused=request.refusal(fault))
    except Conflict as fault:
        return _show(request, refused=request.refusal(fault), status=_TAKEN)
    return request.redirect_to(
        f"{_PATH}?state={undone.state.value}",
        notice=gettext_noop("The match is undone: the cases of this person are what they were before."),
    )


def _decide(request: RequestContext, match_id: int, why: str, *, is_same_person: bool) -> Response:
    request.check_sees_whole_centre()
    try:
        decide_match(request.services, request.actor, match_id, is_same_person=is_same_person, why=why)
    except Invalid as fault:
        return _show(request, state=FiledState.DOUBTFUL, refused=request.refusal(fault))
    except Conflict as fault:
        return _show(
            request,
            state=FiledState.DOUBTFUL,
            refused=request.refusal(fault),
            status=_TAKEN,
        )
    notice = (
        gettext_noop("The filed case is recorded for the cases of this person.")
        if is_same_person
        else gettext_noop("The match is rejected.")
    )
    return request.redirect_to(f"{_PATH}?state={FiledState.DOUBTFUL.value}", notice=notice)


def _show(
    request: RequestContext,
    *,
    state: str = "",
    start: str = "",
    end: str = "",
    before: int | None = None,
    refused: str = "",
    status: int = _UNFIT,
    loaded: FiledLoad | None = None,
    name: str = "",
) -> Response:
    request.check_sees_whole_centre()
    period, problem = Period(), ""
    zone = request.services.centre.zone
    try:
        period = period_of(start, end, timezone=request.app.settings.centre.timezone)
    except Invalid as fault:
        problem = request.refusal(fault)
    decides = request.may(Permission.DECIDE_FILED)
    # Who loads a list of guesses learns nothing of who is known.
    finds = decides or not request.may(Permission.LOAD_FILED)
    chosen = FiledState(state) if finds and state in set(FiledState) else None
    page = list_filed(request.services, state=chosen, period=period, before_id=before)
    figures = filed_figures(request.services, period) if finds else None
    given = {"state": chosen or "", "from": start, "to": end}

    def query(**changed: object) -> str:
        return "?" + urlencode({name: str(text) for name, text in (given | changed).items() if text})

    return request.page(
        _TEMPLATE,
        status=status if refused or problem else 200,
        page=page,
        figures=figures,
        definition=rate_sentence(WARNED_BEFORE_FILED, request.lang),
        states=list(FiledState),
        chosen=chosen,
        typed={"from": start, "to": end},
        query=query,
        refused=refused or problem,
        loaded=loaded,
        name=name,
        rejects=[
            (reject.line, reject.sheet, reject.column, sentence(reject.reason, request.lang))
            for reject in (loaded.rejects[:_SHOWN_REJECTS] if loaded else ())
        ],
        whole_period=lambda _: request.say(gettext_noop("The period chosen")),
        hour_word=lambda value: f"{value}:00" if value else request.say(gettext_noop("not given")),
        day_alone=lambda at: at.astimezone(zone).time() == END_OF_DAY,
        type_word=lambda value: stored_word(FraudType, value, request.lang),
        may_load=request.may(Permission.LOAD_FILED),
        may_decide=decides,
        finds=finds,
        certain=len(certain_waiting(request.services)) if decides and chosen is FiledState.DOUBTFUL else 0,
    )
