"""What the console keeps in a browser, and the proof that a form came from one of our own pages."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from starlette.requests import Request
from starlette.responses import Response

from dialer.language import Lang

SESSION = "dialer_session"
FORM = "dialer_form"
"""Before anybody has signed in, a form's proof hangs on this."""
LANGUAGE = "dialer_language"
NOTICE = "dialer_notice"
"""What the next page says once, such as that something was saved."""
CSRF_FIELD = "csrf"
CSRF_HEADER = "X-CSRF-Token"
_YEAR_SECONDS = 31_536_000
_NOTICE_SECONDS = 60
_OWN_SITE = frozenset({"same-origin", "none"})


def put(request: Request, response: Response, name: str, value: str, *, seconds: int | None = None) -> None:
    """The cookie goes back to us alone, and no script reads it. Without `seconds` it ends with the browser."""
    response.set_cookie(
        name, value, max_age=seconds, path="/", httponly=True, samesite="lax", secure=is_https(request)
    )


def drop(request: Request, response: Response, name: str) -> None:
    response.delete_cookie(name, path="/", httponly=True, samesite="lax", secure=is_https(request))


def put_language(request: Request, response: Response, lang: Lang) -> None:
    put(request, response, LANGUAGE, lang.value, seconds=_YEAR_SECONDS)


def put_notice(request: Request, response: Response, text: str) -> None:
    """`text` is English of the catalogue; the next page says it in its own language."""
    put(request, response, NOTICE, text.encode().hex(), seconds=_NOTICE_SECONDS)


def notice(request: Request) -> str:
    try:
        return bytes.fromhex(request.cookies.get(NOTICE, "")).decode()
    except ValueError:
        return ""


def csrf(request: Request, session_token: str) -> str:
    """What every form of this browser carries; '' where there is nothing to hang it on."""
    secret = session_token or request.cookies.get(FORM, "")
    return csrf_of(secret) if secret else ""


def csrf_of(secret: str) -> str:
    return hmac.new(secret.encode(), b"csrf", hashlib.sha256).hexdigest()[:32]


def new_form_secret() -> str:
    return secrets.token_urlsafe(24)


async def is_own_form(request: Request, wanted: str) -> bool:
    """The request came from a page of ours, by its header or its form's field."""
    if request.headers.get("Sec-Fetch-Site", "none") not in _OWN_SITE:
        return False
    given = request.headers.get(CSRF_HEADER, "")
    if not given:
        field = (await request.form()).get(CSRF_FIELD)
        given = field if isinstance(field, str) else ""
    return bool(wanted) and hmac.compare_digest(given.encode(), wanted.encode())


def is_https(request: Request) -> bool:
    return "https" in {request.url.scheme, request.headers.get("X-Forwarded-Proto", "")}


def address(request: Request, proxies: Sequence[IPv4Network | IPv6Network]) -> str:
    """Who asks; behind proxies of ours, whom the outermost of them names."""
    asks = request.client.host if request.client is not None else ""
    named = [name.strip() for name in ",".join(request.headers.getlist("X-Forwarded-For")).split(",")]
    while _is_of(asks, proxies) and named and named[-1]:
        asks = named.pop()[:64]
    return asks


def _is_of(asks: str, proxies: Sequence[IPv4Network | IPv6Network]) -> bool:
    try:
        who = ip_address(asks)
    except ValueError:
        return False
    return any(who in network for network in proxies)
