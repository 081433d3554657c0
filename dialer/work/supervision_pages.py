"""The supervisor's pages of desks: all of them, live, and one with its day, where a break or a sign-out is forced."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Form
from starlette.responses import Response

from dialer.core.access import Permission
from dialer.core.errors import Invalid
from dialer.core.presence import BreakReason, PresenceState
from dialer.core.text import gettext_noop
from dialer.language.words import word_of
from dialer.web.console import CurrentRequest, PageSection, RequestContext
from dialer.web.formats import typed_word
from dialer.web.rendering import PlaceGroup
from dialer.work.supervision import DayOfDesk, all_desks, days_of, force_break, force_sign_out, one_desk
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
    )
