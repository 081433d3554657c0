"""The page of leave: who is away and who will be, and leave entered after a look at the gaps that it makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import Form
from starlette.responses import Response

from dialer.core.access import Permission
from dialer.core.errors import Conflict, Invalid
from dialer.core.rota import LeaveReason
from dialer.core.text import gettext_noop
from dialer.duty.leave import LeaveGap, end_leave, enter_leave, leave_to_come, seal_of, typed_leave
from dialer.duty.model import RIGHTS
from dialer.language.words import word_of
from dialer.staff.store import all_members
from dialer.web.console import CurrentRequest, PageSection, RequestContext

leave_pages = PageSection()
_PATH = "/duty/leave"
_UNFIT = 422


@leave_pages.get(_PATH, act=Permission.MANAGE_DUTY)
def show(request: CurrentRequest) -> Response:
    """Leave of the accounts that the reader sees, and the form."""
    return _show(request)


@leave_pages.post(_PATH, act=Permission.MANAGE_DUTY)
def enter(
    request: CurrentRequest,
    person: Annotated[str, Form(max_length=20)] = "",
    start: Annotated[str, Form(max_length=30)] = "",
    end: Annotated[str, Form(max_length=30)] = "",
    leave_reason: Annotated[str, Form(max_length=20)] = "",
    seen: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Shows which shifts become gaps; sent again with what was seen, it stores the leave."""
    typed = {"person": person, "start": start, "end": end, "leave_reason": leave_reason}
    try:
        staff_id, reason = _chosen(person, leave_reason)
        leave = typed_leave(request.services, staff_id=staff_id, start=start, end=end)
        gaps = enter_leave(request.services, request.actor, leave, reason=reason, seen=seen)
    except Invalid as fault:
        return _show(request, typed=typed, wrong=request.wrong(fault))
    except Conflict as fault:
        return _show(request, typed=typed, refused=request.refusal(fault))
    if gaps is not None:
        return _show(request, typed=typed, gaps=gaps)
    return request.redirect_to(_PATH, notice=gettext_noop("The leave is saved."))


@leave_pages.post(_PATH + "/{leave_id}/end", act=Permission.MANAGE_DUTY)
def end_now(request: CurrentRequest, leave_id: int) -> Response:
    """Ends leave that has begun, and takes back leave to come."""
    end_leave(request.services, request.actor, leave_id)
    return request.redirect_to(_PATH, notice=gettext_noop("The leave is ended."))


def _chosen(person: str, reason: str) -> tuple[int, LeaveReason]:
    problem, fix = gettext_noop("is not known"), gettext_noop("choose one of the list")
    if reason not in set(LeaveReason):
        raise Invalid(field="leave_reason", problem=problem, fix=fix)
    if not (person.isascii() and person.isdigit()):
        raise Invalid(field="person", problem=problem, fix=fix)
    return int(person), LeaveReason(reason)


def _show(
    request: RequestContext,
    *,
    typed: Mapping[str, str] | None = None,
    wrong: Mapping[str, str] | None = None,
    refused: str = "",
    gaps: Sequence[LeaveGap] | None = None,
) -> Response:
    services = request.services
    with services.store.begin() as tx:
        members = all_members(tx, visible_to=request.member.unit_id)
    rights = set(RIGHTS.values())
    people = [
        (str(member.id), f"{member.display_name} ({member.login})")
        for member in members
        if member.disabled_at is None and rights & member.actor.rights
    ]
    return request.page(
        "console/duty_leave.html",
        status=_UNFIT if refused or wrong else 200,
        leaves=leave_to_come(services, visible_to=request.member.unit_id),
        people=[("", request.say(gettext_noop("choose one"))), *people],
        reasons=[(reason.value, word_of(reason, request.lang)) for reason in LeaveReason],
        typed=dict(typed or {}),
        wrong=dict(wrong or {}),
        refused=refused,
        gaps=gaps,
        seal="" if gaps is None else seal_of(gaps),
        name=dict(people).get((typed or {}).get("person", ""), ""),
    )
