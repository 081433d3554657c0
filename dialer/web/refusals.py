"""The page that is shown when a request is refused or fails: the reason, and what can be done."""

from __future__ import annotations

import logging
from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dialer.core.errors import Conflict, NotFound, Refusal, TooMany, Unavailable
from dialer.db.unit_of_work import UnfitValue
from dialer.language import gettext_noop, say
from dialer.org.passwords import SignInBusy
from dialer.org.staff import SignInBlocked
from dialer.sentences import refusal_sentence
from dialer.web.console import (
    SEE_OTHER,
    SESSION_COOKIE,
    ChangePasswordFirst,
    EnrolFirst,
    Forbidden,
    ForeignForm,
    RequestContext,
    SignInFirst,
    anonymous_context,
    context_or_anonymous,
    drop_cookie,
    put_notice_cookie,
)

CHOOSE_PATH = "/account/password"
ENROL_PATH = "/account/factors"
SIGN_IN_PATH = "/sign-in"

_log = logging.getLogger(__name__)

_TEXTS = {
    400: (
        gettext_noop("This request cannot be read"),
        gettext_noop("Go back, reload the page and try again."),
    ),
    403: (
        gettext_noop("Your role does not allow this"),
        gettext_noop("If you need it for your work, ask the administrator."),
    ),
    404: (
        gettext_noop("There is nothing here"),
        gettext_noop("The address is wrong, or its subject belongs to another unit."),
    ),
    409: (
        gettext_noop("Already handled"),
        gettext_noop("The data has changed meanwhile. Look again, then decide."),
    ),
    413: (gettext_noop("That is too large"), gettext_noop("Send less at once.")),
    422: (
        gettext_noop("Something was filled in incorrectly"),
        gettext_noop("Go back, correct it and send it again."),
    ),
    429: (
        gettext_noop("Too many tries"),
        gettext_noop("Wait a moment, then try again."),
    ),
    500: (
        gettext_noop("Something went wrong on our side"),
        gettext_noop("The error has been logged. Calls go on; please try again."),
    ),
    503: (
        gettext_noop("The database does not answer"),
        gettext_noop("Calls that are due wait and are not lost. This page tries again automatically."),
    ),
}


def add_faults(console: FastAPI) -> None:
    """Every refusal has a page."""
    for kind in (
        SignInFirst,
        Forbidden,
        ForeignForm,
        ChangePasswordFirst,
        EnrolFirst,
        Refusal,
        Unavailable,
        UnfitValue,
        RequestValidationError,
        HTTPException,
    ):
        console.add_exception_handler(kind, _answered)


async def _answered(request: Request, fault: Exception) -> Response:
    """The page of the fault's status: its own advice, that of the status, or the refusal quoted."""
    advice = ""
    quoted: Refusal | None = None
    match fault:
        case SignInFirst():
            return _to_sign_in(request, fault)
        case ChangePasswordFirst():
            return _moved(request, CHOOSE_PATH)
        case EnrolFirst():
            return _moved(request, ENROL_PATH)
        case Forbidden():
            status = 403
        case ForeignForm():
            status = 403
            advice = gettext_noop("The page was too old. Go back, reload it and send it again.")
        case NotFound():
            status = 404
        case SignInBusy() | SignInBlocked() | TooMany():
            status, quoted = 429, fault
        case Refusal():
            status, quoted = 409 if isinstance(fault, Conflict) else 422, fault
        case Unavailable():
            _log.warning("page put off: %s", fault)
            status = 503
        case UnfitValue() | RequestValidationError():
            status = 422
        case HTTPException():
            status = fault.status_code
        case _:
            raise fault
    return _page(await context_or_anonymous(request), status, advice, quoted)


async def failed(request: Request) -> Response:
    """The page of a fault of ours; it reads nothing that could fail as well."""
    return _page(anonymous_context(request), 500, "", None)


def _page(context: RequestContext, status: int, advice: str, quoted: Refusal | None) -> Response:
    title, text = _TEXTS.get(status, _TEXTS[400])
    facts = {
        "title": say(context.lang, title),
        "text": say(context.lang, advice or text),
        "why": refusal_sentence(quoted, context.lang) if quoted is not None else "",
    }
    if context.is_part:
        response = context.page("console/fault_toast.html", status=status, **facts)
        response.headers["HX-Retarget"] = "#toasts"
        response.headers["HX-Reswap"] = "beforeend"
        return response
    response = context.page("console/fault.html", status=status, code=status, **facts)
    if status == HTTPStatus.SERVICE_UNAVAILABLE and context.request.method == "GET":
        response.headers["Refresh"] = "5"
    return response


def _to_sign_in(request: Request, fault: SignInFirst) -> Response:
    query = {"next": fault.next_path} if fault.next_path not in {"", "/"} else {}
    path = SIGN_IN_PATH + (f"?{urlencode(query)}" if query else "")
    response = _moved(request, path)
    if fault.was_signed_in:
        put_notice_cookie(request, response, gettext_noop("You were signed out after a period without use."))
        drop_cookie(request, response, SESSION_COOKIE)
    return response


def _moved(request: Request, path: str) -> Response:
    if request.headers.get("HX-Request") == "true":
        return Response(status_code=401, headers={"HX-Redirect": path})
    return RedirectResponse(path, status_code=SEE_OTHER)
