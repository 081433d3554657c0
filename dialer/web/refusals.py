"""The page that is shown when a request is refused or fails: the reason, and what can be done."""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from itertools import islice
from urllib.parse import unquote, urlencode, urlsplit

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Message

from dialer.core.errors import (
    Conflict,
    CountsBusy,
    Invalid,
    NotFound,
    NotPermitted,
    Refusal,
    TooMany,
    Unavailable,
)
from dialer.core.text import gettext_noop
from dialer.db.unit_of_work import UnfitValue
from dialer.language.catalogue import say
from dialer.language.sentences import refusal_sentence
from dialer.staff.passwords import SignInBusy
from dialer.staff.sign_in import SignInBlocked
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
from dialer.web.rendering import RefusedForm

CHOOSE_PATH = "/account/password"
ENROL_PATH = "/account/factors"
_GOES_TO = {ChangePasswordFirst: CHOOSE_PATH, EnrolFirst: ENROL_PATH}
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


_TEXTS_OF: dict[type[Exception], tuple[str, str]] = {
    CountsBusy: (
        gettext_noop("Too much is being counted"),
        gettext_noop("Your figures wait for a place. This page tries again automatically."),
    )
}
"""For refusals whose page says more than that of their status."""


def add_refusal_pages(console: FastAPI) -> None:
    """Adds the page of every refusal to the application."""
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
        case ChangePasswordFirst() | EnrolFirst():
            return _moved(request, _GOES_TO[type(fault)])
        case Forbidden() | NotPermitted():
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
            _log.warning("page answered with 503: %s", fault)
            status = 503
        case RequestValidationError():
            status, quoted = 422, _mistyped(fault)
        case UnfitValue():
            status = 422
        case HTTPException():
            status = fault.status_code
        case _:
            raise fault
    context = await context_or_anonymous(request)
    again = await form_again(request, context, quoted, status) if quoted is not None else None
    return again or _page(context, status, advice, quoted, texts=_TEXTS_OF.get(type(fault)))


def _mistyped(fault: RequestValidationError) -> Invalid | None:
    """The refusal of a form with a value of the wrong type; None if the fault is not in a field of a form."""
    first = fault.errors()[0]
    place, kind = first["loc"], str(first["type"])
    if len(place) < _IN_BODY or place[0] != "body":
        return None
    if kind == "missing":
        problem = gettext_noop("is missing")
    elif kind.startswith("int_"):
        problem = gettext_noop("is not a whole number")
    else:
        problem = gettext_noop("is not one of what can be entered here")
    return Invalid(field=str(place[1]), problem=problem)


_IN_BODY = 2
_MOST_TYPED, _LONGEST_TYPED = 100, 8_000
_SECRETS = re.compile("password|secret|code|credential|csrf")


async def form_again(
    request: Request, context: RequestContext, fault: Refusal, status: int
) -> Response | None:
    """The page that the form was sent from, with what was typed and what is wrong; None if that page is not known or no
    longer contains the form. The form's token has proved that it came from a page of ours, so of the `Referer` only the
    path counts: a proxy may know this machine by another name.
    """
    sent_from = urlsplit(request.headers.get("Referer", ""))
    if request.method != "POST" or context.is_part or not sent_from.path:
        return None
    fields = (await request.form()).items()
    typed = {
        name: text
        for name, text in islice(fields, _MOST_TYPED)
        if isinstance(text, str) and len(text) <= _LONGEST_TYPED and not _SECRETS.search(name)
    }
    field = fault.field.removesuffix("_fen") if isinstance(fault, Invalid) else ""
    sentence = refusal_sentence(fault, context.lang)
    for as_note in (False, True):
        form = RefusedForm(
            action=request.url.path, field=field, sentence=sentence, typed=typed, as_note=as_note
        )
        body = await _page_with(request, sent_from.path, sent_from.query, form)
        if body is None or not form.shown:
            return None
        if form.told:
            break
    return HTMLResponse(body, status_code=status)


_OF_BODY = frozenset({b"content-length", b"content-type", b"transfer-encoding", b"referer"})


async def _page_with(request: Request, path: str, query: str, form: RefusedForm) -> bytes | None:
    """The page as the same reader gets it now; None if the answer is not a page."""
    scope = {
        **{name: request.scope[name] for name in _KEPT_OF_SCOPE if name in request.scope},
        "method": "GET",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name, value) for name, value in request.scope["headers"] if name not in _OF_BODY],
        "state": {"refused": form},
    }
    status, body = 0, b""

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status, body
        if message["type"] == "http.response.start":
            status = message["status"]
        elif message["type"] == "http.response.body":
            body += message.get("body", b"")

    await request.app(scope, receive, send)
    return body if status == HTTPStatus.OK else None


_KEPT_OF_SCOPE = ("type", "asgi", "http_version", "scheme", "server", "client", "root_path", "app_root_path")


async def failed(request: Request) -> Response:
    """The page for an error of our own; it reads nothing that could fail as well."""
    return _page(anonymous_context(request), 500, "", None)


def _page(
    context: RequestContext,
    status: int,
    advice: str,
    quoted: Refusal | None,
    *,
    texts: tuple[str, str] | None = None,
) -> Response:
    title, text = texts or _TEXTS.get(status, _TEXTS[400])
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
    next_path = fault.next_path
    if request.method not in {"GET", "HEAD"} or request.headers.get("HX-Request") == "true":
        # A form, or a part of a page: the page that it is on. Only its path counts, as in `form_again`.
        page = urlsplit(request.headers.get("Referer", ""))
        next_path = page.path + (f"?{page.query}" if page.query else "")
    query = {"next": next_path} if next_path not in {"", "/"} else {}
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
