"""What a phone sends and is answered: by itself as data, from a plain form as the page again."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from starlette.responses import JSONResponse, Response

from dialer.errors import Conflict, Invalid, NotFound, Refusal
from dialer.usecases.visit import FromPhone, Sent
from dialer.web.console.visit import Visit
from dialer.web.console.visit_words import refused_words

Shown = Callable[[int, str], Response]
"""Shows the page again, with this status and this word of what is wrong."""


def from_phone(visit: Visit, client_id: str, told_at: str) -> FromPhone:
    """Raises `Invalid` for a number that is none: what has no number cannot count once."""
    try:
        number = uuid.UUID(client_id)
    except ValueError:
        raise Invalid(field="client_id", problem="is no number that a phone made") from None
    return FromPhone(client_id=number, by=visit.who, told_at=_moment(told_at), seen_by=visit.member.unit_id)


def _moment(text: str) -> datetime | None:
    """The phone's own time; one that it cannot say is left out rather than losing the act."""
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        return None
    return told.astimezone(UTC) if told.tzinfo is not None else None


def taken(visit: Visit, visit_id: int, act: Callable[[], Sent], *, notice: str, again: Shown) -> Response:
    """Whatever the act comes to, said so that a phone may forget it, or keep it and say why it was refused. Raises
    `NotFound` for a visit of another unit.
    """
    try:
        sent = act()
    except Refusal as fault:
        return refused(visit, fault, again=again)
    if visit.is_part:
        return JSONResponse({"stage": sent.stage.value, "state": sent.state.value, "repeated": sent.repeated})
    return visit.go(f"/visits/{visit_id}", notice=notice)


def refused(visit: Visit, fault: Refusal, *, again: Shown) -> Response:
    status = 404 if isinstance(fault, NotFound) else 409 if isinstance(fault, Conflict) else 422
    if visit.is_part:
        return JSONResponse({"refused": refused_words(fault, visit.lang)}, status_code=status)
    if isinstance(fault, NotFound):
        raise fault
    return again(status, refused_words(fault, visit.lang))
