"""The verification desk 核查席 on the console: questions of outlets, oldest first, updated live."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from fastapi import Form, Path
from sse_starlette import ServerSentEvent
from starlette.responses import Response

from dialer.cards.counter.desk import (
    answer_question,
    arrive_onsite,
    claim_question,
    count_open,
    desk_mark,
    end_onsite,
    lapse_questions,
    open_questions,
    order_onsite,
    question_for,
    warn_customer,
)
from dialer.cards.openings.checks import shipped_checks
from dialer.core.access import Permission
from dialer.core.cards import DeskAnswer, OnsiteFinding
from dialer.core.errors import Invalid, Unavailable
from dialer.core.text import gettext_noop
from dialer.runtime.services import Services
from dialer.staff.sign_in import valid_sessions
from dialer.web.console import ConsoleContext, CurrentRequest, PageSection, RequestContext
from dialer.web.streams import EventStream, wants_events

desk_pages = PageSection()
_PATH, _TEMPLATE = "/cards/desk", "console/card_desk.html"
_POLL_SECONDS, _POLLS_PER_BEAT = 0.25, 40
_BADGE_SECONDS = 5.0
_MOST_STREAMS, _MOST_OF_A_SESSION = 64, 4
QuestionId = Annotated[int, Path(ge=1, lt=2**63)]
Words = Annotated[str, Form(max_length=500)]
_ACT = Permission.ANSWER_OUTLETS
BASES = (
    gettext_noop("Anti-Telecom Fraud Law, Art. 10"),
    gettext_noop("Anti-Telecom Fraud Law, Art. 16"),
    gettext_noop("Anti-Telecom Fraud Law, Art. 18"),
    gettext_noop("Anti-Telecom Fraud Law, Art. 34"),
)


def _waiting(request: RequestContext) -> int:
    services = request.services
    cache = request.cache(
        "card_desk", lambda unit_id: count_open(services, visible_to=unit_id), seconds=_BADGE_SECONDS
    )
    return int(cache.get(request.member.unit_id).value or 0)


@desk_pages.get(_PATH, act=_ACT, nav=gettext_noop("Verification desk"), order=21, badge=_waiting)
def show_desk(request: CurrentRequest) -> Response:
    return _show(request)


class _Streams:
    """The open streams of this process, by session; `stop` ends them. However many are open, one query serves all that
    see the same units.
    """

    def __init__(self) -> None:
        self.open = Counter[int]()
        self.is_over = False
        self._polling = asyncio.Lock()
        self._marks: dict[int | None, tuple[float, str]] = {}

    def enter(self, session_id: int) -> bool:
        """Counts one more stream of the session; False if there is no room."""
        if self.is_over or self.open.total() >= _MOST_STREAMS or self.open[session_id] >= _MOST_OF_A_SESSION:
            return False
        self.open[session_id] += 1
        return True

    def leave(self, session_id: int) -> None:
        self.open[session_id] -= 1
        self.open += Counter()  # drops sessions without a stream

    def stop(self) -> None:
        self.is_over = True

    async def mark(self, services: Services, unit_id: int | None) -> str:
        """The result of `desk_mark`, at most `_POLL_SECONDS` old. Also ends questions that nobody answered in time."""
        async with self._polling:
            at, mark = self._marks.get(unit_id, (0.0, ""))
            now = asyncio.get_running_loop().time()
            if not at or now - at >= _POLL_SECONDS:
                await asyncio.to_thread(lapse_questions, services)
                mark = await asyncio.to_thread(desk_mark, services, visible_to=unit_id)
                self._marks[unit_id] = (now, mark)
            return mark


@desk_pages.get(_PATH + "/live", act=_ACT)
async def stream_desk(request: CurrentRequest) -> Response:
    """Sends `changed` whenever a question of the unit has changed; the page then reloads its part."""
    assert request.session is not None
    session_id, state = request.session.id, request.request.app.state
    if not hasattr(state, "card_streams"):
        context: ConsoleContext = state.console_context
        state.card_streams = _Streams()
        context.closing.join(state.card_streams.stop)
    streams: _Streams = state.card_streams
    if not streams.enter(session_id):
        return Response(status_code=503, headers={"Retry-After": "15"})
    only_one = not wants_events(request.request)
    events = _changes(request, streams, session_id=session_id, only_one=only_one)
    return EventStream(events, leave=partial(streams.leave, session_id))


async def _changes(
    request: RequestContext, streams: _Streams, *, session_id: int, only_one: bool
) -> AsyncIterator[bytes]:
    services, unit_id = request.services, request.member.unit_id
    seen, polls = "", 0
    while not streams.is_over:
        try:
            mark = await streams.mark(services, unit_id)
            if polls % _POLLS_PER_BEAT == 0 and session_id not in await asyncio.to_thread(
                valid_sessions, services, [session_id]
            ):
                return
        except Unavailable:
            mark = seen
        if mark != seen:
            seen = mark
            yield ServerSentEvent(event="changed", data="", sep="\n").encode()
        elif polls % _POLLS_PER_BEAT == 0:
            yield ServerSentEvent(event="beat", data="", sep="\n").encode()
        if only_one:
            return
        polls += 1
        await asyncio.sleep(_POLL_SECONDS)


@desk_pages.get(_PATH + "/questions/{question_id}", act=_ACT, shows_people=True)
def show_question(request: CurrentRequest, question_id: QuestionId) -> Response:
    return _show(request, chosen=question_id)


@desk_pages.post(_PATH + "/questions/{question_id}/claim", act=_ACT)
def claim(request: CurrentRequest, question_id: QuestionId) -> Response:
    """Claims the question: this member answers it, and nobody else meanwhile."""
    claim_question(request.services, request.actor, question_id)
    return _again(request, question_id)


@desk_pages.post(_PATH + "/questions/{question_id}/answer", act=_ACT)
def answer(
    request: CurrentRequest,
    question_id: QuestionId,
    answer: Annotated[DeskAnswer | None, Form()] = None,
    reason: Words = "",
    basis: Words = "",
) -> Response:
    """Answers the question of an outlet."""
    if answer is None:
        raise Invalid(field="answer", problem="is not chosen", fix="choose one of the list")
    answer_question(request.services, request.actor, question_id, answer=answer, reason=reason, basis=basis)
    return _again(request, question_id)


@desk_pages.post(_PATH + "/questions/{question_id}/warn", act=_ACT)
def warn(request: CurrentRequest, question_id: QuestionId) -> Response:
    """Opens a warning about the customer, whom the robot then calls."""
    case_id = warn_customer(request.services, request.actor, question_id)
    notice = (
        gettext_noop(
            "Nobody can be called: the customer left no number that may be called, or the warning waits."
        )
        if case_id is None
        else gettext_noop("The customer is called.")
    )
    return request.redirect_to(f"{_PATH}/questions/{question_id}", notice=notice)


@desk_pages.post(_PATH + "/questions/{question_id}/onsite", act=_ACT)
def onsite(request: CurrentRequest, question_id: QuestionId, team: Words = "") -> Response:
    """Orders a team to the outlet, which reports what it finds."""
    order_onsite(request.services, request.actor, question_id, team=team)
    return _again(request, question_id)


@desk_pages.post(_PATH + "/questions/{question_id}/arrived", act=_ACT)
def arrived(request: CurrentRequest, question_id: QuestionId) -> Response:
    """Records that the team is at the outlet."""
    arrive_onsite(request.services, request.actor, question_id)
    return _again(request, question_id)


@desk_pages.post(_PATH + "/questions/{question_id}/found", act=_ACT)
def found(
    request: CurrentRequest,
    question_id: QuestionId,
    finding: Annotated[OnsiteFinding, Form()] = OnsiteFinding.NOTHING,
    persons: Annotated[int, Form(ge=0, le=1000)] = 0,
    note: Words = "",
) -> Response:
    """Ends the check on the spot with what was found and how many persons the team checked."""
    end_onsite(request.services, request.actor, question_id, finding=finding, persons=persons, note=note)
    return _again(request, question_id)


def _again(request: RequestContext, question_id: int) -> Response:
    return request.redirect_to(f"{_PATH}/questions/{question_id}")


def _show(request: RequestContext, *, chosen: int | None = None) -> Response:
    services, lang = request.services, request.lang
    lapse_questions(services)
    questions = open_questions(services, visible_to=request.member.unit_id)
    if request.is_part:
        return request.part(_TEMPLATE, "list", questions=questions)
    question = None if chosen is None else question_for(services, request.actor, chosen)
    return request.page(
        _TEMPLATE,
        questions=questions,
        question=question,
        findings=[] if question is None else shipped_checks().sentences(question.findings, lang),
        is_mine=question is not None and request.actor.signed(question.claimed_by),
        answers=list(DeskAnswer),
        onsite_findings=list(OnsiteFinding),
        bases=BASES,
        may_see_rings=request.may(Permission.SEE_OPENERS),
        may_see_cases=request.may(Permission.SEE_CASES),
    )
