"""The supervisor's pages of desks: all of them, live, and one with its day, where a break or a sign-out is forced."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Annotated, Any, Final

from fastapi import Form
from starlette.responses import Response

from dialer.core.access import Permission, is_same_actor
from dialer.core.errors import Conflict, Invalid, Refusal, Unavailable
from dialer.core.listening import ListenMode
from dialer.core.presence import BreakReason, PresenceState
from dialer.core.text import gettext_noop
from dialer.language.words import word_of
from dialer.web.console import CurrentRequest, PageSection, RequestContext
from dialer.web.formats import typed_word
from dialer.web.rendering import PlaceGroup
from dialer.work.desk_view import own_ear_sentence
from dialer.work.supervision import (
    DayOfDesk,
    all_desks,
    check_desk_visible,
    days_of,
    force_break,
    force_sign_out,
    listener_at_desk,
    one_desk,
)
from dialer.work.supervision_store import DeskDay

supervision_pages = PageSection()
_PATH: Final = "/desks"
_TEMPLATE, _ONE_TEMPLATE = "console/desks.html", "console/desks_one.html"
_DAY_SECONDS: Final = 20.0
_UNFIT: Final = 422
SHOWN: Final = (
    PresenceState.FREE,
    PresenceState.ON_TASK,
    PresenceState.ON_CALL,
    PresenceState.AFTER_WORK,
    PresenceState.BREAK,
)
"""The states whose time of the day is shown."""


@supervision_pages.get(
    _PATH,
    act=Permission.MANAGE_DUTY,
    nav=gettext_noop("Desks"),
    order=83,
    group=PlaceGroup.ADMINISTRATION,
)
def show_desks(request: CurrentRequest) -> Response:
    """Every desk of the reader's units, live."""
    return request.page(_TEMPLATE, **_facts(request))


@supervision_pages.get(_PATH + "/live", act=Permission.MANAGE_DUTY, while_idle=True)
def show_live(request: CurrentRequest) -> Response:
    """The same, for an open page."""
    return request.part(_TEMPLATE, "desks", **_facts(request))


@supervision_pages.get(_PATH + "/{staff_id}", act=Permission.MANAGE_DUTY)
def show_one(request: CurrentRequest, staff_id: int) -> Response:
    """One desk: its day, its last changes, and what a supervisor may do about it."""
    return _show_one(request, staff_id)


@supervision_pages.post(_PATH + "/{staff_id}/break", act=Permission.MANAGE_DUTY)
def set_break(
    request: CurrentRequest,
    staff_id: int,
    reason: Annotated[str, Form(max_length=20)] = "",
    why: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Has the desk take a break, with a reason that its person sees."""
    try:
        later = force_break(request.services, request.actor, staff_id, reason=_reason(reason), why=why)
    except Invalid as fault:
        typed = {"reason": reason, "why": why}
        return _show_one(request, staff_id, form="break", typed=typed, wrong=request.wrong(fault))
    notice = (
        gettext_noop("The break begins when the task in hand is over.")
        if later
        else gettext_noop("The desk is on a break.")
    )
    return request.redirect_to(_PATH, notice=notice)


@supervision_pages.post(_PATH + "/{staff_id}/sign-out", act=Permission.MANAGE_DUTY)
def sign_out(
    request: CurrentRequest, staff_id: int, why: Annotated[str, Form(max_length=500)] = ""
) -> Response:
    """Ends the sessions of the desk's account; its human calls go back to the queue."""
    try:
        force_sign_out(request.services, request.actor, staff_id, why=why)
    except Invalid as fault:
        return _show_one(request, staff_id, form="sign-out", typed={"why": why}, wrong=request.wrong(fault))
    return request.redirect_to(_PATH, notice=gettext_noop("The desk is signed out."))


@supervision_pages.get(_PATH + "/{staff_id}/ear", act=Permission.LISTEN_IN, while_idle=True)
def show_ear(request: CurrentRequest, staff_id: int) -> Response:
    """The call under way of this desk, and who listens to it, for an open page."""
    return _ear(request, staff_id)


@supervision_pages.post(_PATH + "/{staff_id}/listen", act=Permission.LISTEN_IN)
def listen(
    request: CurrentRequest, staff_id: int, why: Annotated[str, Form(max_length=500)] = ""
) -> Response:
    """Has the reader's own telephone join the call of this desk, muted."""
    _check_seen(request, staff_id)
    extension = request.member.extension
    if not extension:
        own = gettext_noop("Choose your own telephone on the page Desk first.")
        raise Conflict(own, current="no_telephone")
    wrong: dict[str, str] = {}
    try:
        _ask(request, lambda act: act.listen_to, staff_id, extension=extension, why=why)
    except Invalid as fault:
        wrong = request.wrong(fault)
    return _after(request, staff_id, typed={"why": why} if wrong else {}, wrong=wrong)


@supervision_pages.post(_PATH + "/{staff_id}/listen/mode", act=Permission.LISTEN_IN)
def choose_listening(
    request: CurrentRequest, staff_id: int, mode: Annotated[str, Form(max_length=20)] = ""
) -> Response:
    """Has the reader, who listens, be heard by nobody, by the caller alone, or by both."""
    _check_seen(request, staff_id)
    wanted = typed_word(ListenMode, mode)
    if wanted is None:
        raise Invalid(field="mode", problem="is not a known value")
    _ask(request, lambda act: act.change_listening, staff_id, mode=wanted)
    return _after(request, staff_id)


@supervision_pages.post(_PATH + "/{staff_id}/listen/stop", act=Permission.LISTEN_IN)
def leave(request: CurrentRequest, staff_id: int) -> Response:
    """Ends the leg of the reader, who listens."""
    _check_seen(request, staff_id)
    _ask(request, lambda act: act.stop_listening, staff_id)
    return _after(request, staff_id)


def _check_seen(request: RequestContext, staff_id: int) -> None:
    check_desk_visible(request.services, staff_id, visible_to=request.member.unit_id)


def _ask(
    request: RequestContext,
    chosen: Callable[[ModuleType], Callable[..., Awaitable[None]]],
    staff_id: int,
    **given: object,
) -> None:
    """Carries out an act of `dialer.work.listening`."""
    # Imported when first used: the telephony client takes 20 MB that an idle web process does without.
    from dialer.telephony.client import DeskClient  # noqa: PLC0415 - heavy, and of these forms alone
    from dialer.work import listening  # noqa: PLC0415 - heavy, and of these forms alone

    async def ask() -> None:
        async with DeskClient(request.app.telephony) as client:
            await chosen(listening)(request.services, request.actor, client, staff_id, **given)

    try:
        asyncio.run(ask())
    except Unavailable as fault:
        if fault.part != "carrier":
            raise
        raise Refusal(
            gettext_noop("The telephone network does not answer. It is asked again until the call is over.")
        ) from None


def _after(
    request: RequestContext,
    staff_id: int,
    *,
    typed: dict[str, str] | None = None,
    wrong: dict[str, str] | None = None,
) -> Response:
    if request.is_part:
        return _ear(request, staff_id, typed=typed, wrong=wrong)
    if wrong:
        return _show_one(request, staff_id, form="listen", typed=typed, wrong=wrong)
    return request.redirect_to(f"{_PATH}/{staff_id}")


def _ear(
    request: RequestContext,
    staff_id: int,
    *,
    typed: dict[str, str] | None = None,
    wrong: dict[str, str] | None = None,
) -> Response:
    one = one_desk(request.services, staff_id, visible_to=request.member.unit_id)
    facts = _ear_facts(request, staff_id)
    form = "listen" if wrong else ""
    return request.part(
        _ONE_TEMPLATE, "ear", one=one, form=form, typed=typed or {}, wrong=wrong or {}, **facts
    )


def _ear_facts(request: RequestContext, staff_id: int) -> dict[str, Any]:
    ear = listener_at_desk(request.services, staff_id, visible_to=request.member.unit_id)
    listener = ear.listener
    is_own = listener is not None and is_same_actor(listener.by, request.who)
    return {
        "ear": ear,
        "is_own_ear": is_own,
        "ear_text": own_ear_sentence(listener, request.lang) if listener is not None and is_own else "",
        "modes": [(mode, word_of(mode, request.lang), key) for mode, key in _MODES],
        "has_telephone": bool(request.member.extension),
        "is_announced": request.services.work.listening_is_announced,
    }


_MODES: Final = ((ListenMode.LISTEN, "L"), (ListenMode.WHISPER, "W"), (ListenMode.STEP_IN, "I"))


def _reason(text: str) -> BreakReason:
    reason = typed_word(BreakReason, text)
    if reason is None:
        raise Invalid(field="reason", problem="is not chosen")
    return reason


def _facts(request: RequestContext) -> dict[str, Any]:
    services, unit_id = request.services, request.member.unit_id
    days = request.cache(
        "desk_days", lambda unit: days_of(services, visible_to=unit), seconds=_DAY_SECONDS
    ).get(unit_id)
    found = all_desks(services, visible_to=unit_id)
    nothing = DayOfDesk(work=DeskDay(), seconds={})
    with services.store.begin() as tx:
        index = services.units.current(tx)
    return {
        "found": found,
        "days": days.value or {},
        "nothing": nothing,
        "counts": [(state, found.count(state)) for state in PresenceState],
        "shown": SHOWN,
        "unit_of": lambda unit: index.label(unit) if unit is not None else "",
    }


def _show_one(
    request: RequestContext,
    staff_id: int,
    *,
    form: str = "",
    typed: dict[str, str] | None = None,
    wrong: dict[str, str] | None = None,
) -> Response:
    one = one_desk(request.services, staff_id, visible_to=request.member.unit_id)
    return request.page(
        _ONE_TEMPLATE,
        status=_UNFIT if wrong else 200,
        one=one,
        shown=SHOWN,
        reasons=[(reason.value, word_of(reason, request.lang)) for reason in BreakReason],
        form=form,
        typed=typed or {},
        wrong=wrong or {},
        **_ear_facts(request, staff_id),
    )
