"""What the reader does now, in a line above the desk and the visits, and the heartbeat by which open pages keep it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final

from fastapi import Form
from starlette.responses import Response

from dialer.core.access import ROBOT, Permission
from dialer.core.errors import Invalid
from dialer.core.presence import SAID, BreakReason, PresenceEvent
from dialer.duty.presence import own_presence, say_presence
from dialer.language.words import actor_word, word_of
from dialer.staff.names import read_display_names
from dialer.web.console import HOMES, CurrentRequest, PageSection, RequestContext
from dialer.web.formats import typed_word

presence_pages = PageSection()
_TEMPLATE: Final = "console/presence.html"


@presence_pages.post("/presence/beat", act=Permission.WORK_CASES, while_idle=True)
def beat(request: CurrentRequest, shown: str = "") -> Response:
    """A page is open: the reader is not silent. With `shown` the answer is the line that the page has; a session that
    has expired through disuse counts as silence.
    """
    if not shown:
        own_presence(request.services, request.member.id, is_there=_is_used(request))
        return Response(status_code=204)
    return _line(request)


@presence_pages.post("/presence", act=Permission.WORK_CASES)
def say(
    request: CurrentRequest,
    state: Annotated[str, Form(max_length=20)] = "",
    reason: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """The reader is free, on a break, or off; with a task in hand, when it is over."""
    event = typed_word(PresenceEvent, state)
    if event is None or event not in SAID:
        raise Invalid(field="state", problem="is not chosen")
    say_presence(request.services, request.actor, event, reason=typed_word(BreakReason, reason))
    return _line(request) if request.is_part else request.redirect_to(HOMES[request.member.role])


def _is_used(request: RequestContext) -> bool:
    assert request.session is not None
    longest = timedelta(seconds=request.services.sessions.idle_seconds)
    return request.services.real.now() < request.session.seen_at + longest


def _line(request: RequestContext) -> Response:
    own = own_presence(request.services, request.member.id, is_there=_is_used(request))
    by = own.set_by if own.set_by not in {"", request.who} else ""
    names = read_display_names(request.services, {by}) if by not in {"", ROBOT} else {}
    return request.part(
        _TEMPLATE,
        "line",
        own=own,
        is_silent=by == ROBOT,
        set_by=actor_word(by, request.lang, names) if by else "",
        reasons=[(one.value, word_of(one, request.lang)) for one in BreakReason],
    )
