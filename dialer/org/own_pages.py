"""Pages of the person at the browser: the second step of signing in, passkeys, the identity provider, and their own
account with its password, second factors and sessions.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Form, Query
from starlette.responses import RedirectResponse, Response

from dialer.core.access import FactorKind, Permission
from dialer.core.errors import Conflict, Invalid, NotFound, Unavailable
from dialer.core.text import Lang, gettext_noop
from dialer.org.account_pages import (
    SECOND_PATH,
    UNSAFE,
    UnsafeWay,
    own_path,
    require_private_way,
    show_sign_in,
    signed_in,
    to_second_step,
)
from dialer.org.accounts import end_own_session, end_sessions, list_sessions
from dialer.org.factors import (
    confirm_totp,
    finish_with_code,
    member_of_step,
    name_factor,
    new_recovery_codes,
    offer_totp,
    own_factors,
    remove_factor,
)
from dialer.org.identity import begin_identity, finish_identity, party_of, sign_in_with_certificate
from dialer.org.passkeys import (
    PasskeyChallenge,
    RelyingParty,
    add_passkey,
    ask_any_passkey,
    ask_new_passkey,
    ask_second_passkey,
    sign_in_with_passkey,
)
from dialer.staff.sign_in import FactorNeeded, SignedIn, SignInBlocked, SignInRefused, change_password
from dialer.staff.store import Member
from dialer.web.clients import comes_from
from dialer.web.console import (
    OPEN,
    SEE_OTHER,
    SESSION_COOKIE,
    STEP_COOKIE,
    CurrentRequest,
    PageSection,
    RequestContext,
    cookie_of,
    drop_cookie,
    put_cookie,
)

own_pages = PageSection()
_CHANGE = "console/password.html"
_SECOND = "console/second_step.html"
_FACTORS = "console/factors.html"
_APP = "console/factor_app.html"
_CODES = "console/recovery_codes.html"
_REFUSED, _FORBIDDEN, _UNFIT, _BLOCKED, _UNAVAILABLE = 401, 403, 422, 429, 503
_AGAIN = gettext_noop("That took too long. Sign in again.")
_NO_ACCOUNT = gettext_noop("No account here belongs to this identity, or it is disabled.")
_LONGEST_CREDENTIAL = 16_384
_FRESH = timedelta(minutes=10)
_OLD_SIGN_IN = gettext_noop(
    "Second factors can be changed during the ten minutes after signing in. Sign in again."
)
_JSON = "application/json"


@own_pages.get(SECOND_PATH, act=OPEN)
def second_step_page(
    request: CurrentRequest, next_path: Annotated[str, Query(alias="next")] = ""
) -> Response:
    """Asks for the second factor; without a password given just before, leads to the sign-in."""
    member = _waiting_member(request)
    if member is None:
        return request.redirect_to("/sign-in")
    return _show_second(request, member, next_path)


@own_pages.post(SECOND_PATH, act=OPEN)
def second_step(
    request: CurrentRequest,
    code: Annotated[str, Form()] = "",
    next_path: Annotated[str, Form(alias="next")] = "",
) -> Response:
    """Checks a code of the app or a recovery code and signs in."""
    member = _waiting_member(request)
    try:
        require_private_way(request)
        entered = finish_with_code(
            request.services,
            token=_step_token(request),
            code=code,
            address=request.address,
        )
    except UnsafeWay:
        return show_sign_in(request, next_path, problem=UNSAFE, status=_FORBIDDEN)
    except NotFound:
        return show_sign_in(request, next_path, problem=_AGAIN, status=_REFUSED)
    except SignInRefused:
        assert member is not None
        wrong = gettext_noop("The code is wrong, or was used already.")
        return _show_second(request, member, next_path, problem=wrong, status=_REFUSED)
    except SignInBlocked as fault:
        assert member is not None
        problem = request.refusal(fault)
        return _show_second(request, member, next_path, problem=problem, status=_BLOCKED)
    return signed_in(request, entered, own_path(next_path))


@own_pages.post("/sign-in/second/passkey/ask", act=OPEN)
def ask_for_second_passkey(request: CurrentRequest) -> Response:
    """JSON with the challenge for the browser, for the person whose password was right."""
    return _passkey_options(
        request, ask_second_passkey(request.services, _require_party(request), _step_token(request))
    )


@own_pages.post("/sign-in/second/passkey", act=OPEN)
def second_passkey(
    request: CurrentRequest,
    credential: Annotated[str, Form(max_length=_LONGEST_CREDENTIAL)] = "",
    next_path: Annotated[str, Form(alias="next")] = "",
) -> Response:
    """Checks the browser's answer and signs in, after the password."""
    return _by_passkey(request, credential, next_path, after_password=True)


@own_pages.post("/sign-in/passkey/ask", act=OPEN)
def ask_for_passkey(request: CurrentRequest) -> Response:
    """JSON with the challenge for the browser, for any account."""
    return _passkey_options(request, ask_any_passkey(request.services, _require_party(request)))


@own_pages.post("/sign-in/passkey", act=OPEN)
def passkey_sign_in(
    request: CurrentRequest,
    credential: Annotated[str, Form(max_length=_LONGEST_CREDENTIAL)] = "",
    next_path: Annotated[str, Form(alias="next")] = "",
) -> Response:
    """Checks the browser's answer and signs in, without a password."""
    return _by_passkey(request, credential, next_path, after_password=False)


def _by_passkey(
    request: RequestContext, credential: str, next_path: str, *, after_password: bool
) -> Response:
    try:
        require_private_way(request)
        entered = sign_in_with_passkey(
            request.services,
            _require_party(request),
            token=_step_token(request),
            credential=credential,
            address=request.address,
            after_password=after_password,
        )
    except UnsafeWay:
        return show_sign_in(request, next_path, problem=UNSAFE, status=_FORBIDDEN)
    except SignInRefused:
        refused = gettext_noop("The passkey was not accepted. Sign in again.")
        return show_sign_in(request, next_path, problem=refused, status=_REFUSED)
    return signed_in(request, entered, own_path(next_path))


@own_pages.get("/sign-in/identity", act=OPEN)
def to_identity_provider(
    request: CurrentRequest, next_path: Annotated[str, Query(alias="next")] = ""
) -> Response:
    """Redirects to the bureau's identity provider. 404 where none is set."""
    settings = request.app.settings
    if settings.identity.oidc_issuer is None:
        raise NotFound(kind="page", key="")
    try:
        require_private_way(request)
        sent = begin_identity(request.services, settings, own_path(next_path))
    except UnsafeWay:
        return show_sign_in(request, next_path, problem=UNSAFE, status=_FORBIDDEN)
    except Unavailable as fault:
        return _provider_silent(request, next_path, fault)
    response = RedirectResponse(sent.address, status_code=SEE_OTHER)
    put_cookie(request.request, response, STEP_COOKIE, sent.token)
    return response


@own_pages.get("/sign-in/identity/back", act=OPEN)
def back_from_identity_provider(
    request: CurrentRequest,
    state: Annotated[str, Query(max_length=500)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
) -> Response:
    """Signs in the account that the identity provider names. 404 where no provider is set."""
    settings = request.app.settings
    if settings.identity.oidc_issuer is None:
        raise NotFound(kind="page", key="")
    try:
        entered, next_path = finish_identity(
            request.services,
            settings,
            token=_step_token(request),
            state=state,
            code=code,
            address=request.address,
        )
    except SignInRefused:
        return show_sign_in(request, problem=_NO_ACCOUNT, status=_REFUSED)
    except Unavailable as fault:
        return _provider_silent(request, "", fault)
    return _finish_sign_in(request, entered, next_path)


@own_pages.post("/sign-in/certificate", act=OPEN)
def certificate_sign_in(
    request: CurrentRequest, next_path: Annotated[str, Form(alias="next")] = ""
) -> Response:
    """Signs in the holder of the certificate that a trusted proxy has verified. 404 where no header is set."""
    settings, headers = request.app.settings, request.request.headers
    identity = settings.identity
    if not identity.certificate_header:
        raise NotFound(kind="page", key="")
    is_from_proxy = comes_from(request.request, settings.web.proxies)
    is_verified = is_from_proxy and headers.get(identity.certificate_verified_header) == "SUCCESS"
    subject = headers.get(identity.certificate_header, "") if is_verified else ""
    try:
        require_private_way(request)
        entered = sign_in_with_certificate(
            request.services, settings, subject=subject, address=request.address
        )
    except UnsafeWay:
        return show_sign_in(request, next_path, problem=UNSAFE, status=_FORBIDDEN)
    except SignInRefused:
        missing = gettext_noop("The browser showed no valid certificate of an account here.")
        return show_sign_in(request, next_path, problem=missing, status=_REFUSED)
    return _finish_sign_in(request, entered, own_path(next_path))


def _finish_sign_in(request: RequestContext, entered: SignedIn | FactorNeeded, path: str) -> Response:
    if isinstance(entered, FactorNeeded):
        return to_second_step(request, entered, path)
    return signed_in(request, entered, path)


def _provider_silent(request: RequestContext, next_path: str, fault: Unavailable) -> Response:
    problem = request.refusal(fault)
    return show_sign_in(request, next_path, problem=problem, status=_UNAVAILABLE)


def _step_token(request: RequestContext) -> str:
    return cookie_of(request.request, STEP_COOKIE)


def _waiting_member(request: RequestContext) -> Member | None:
    """The account whose second factor this browser's step waits for; the page is in their language."""
    member = member_of_step(request.services, _step_token(request))
    if member is not None:
        request.lang = Lang(member.language)
    return member


def _show_second(
    request: RequestContext, member: Member, next_path: str, *, problem: str = "", status: int = 200
) -> Response:
    kinds = {factor.kind for factor in own_factors(request.services, member).factors}
    return request.page(
        _SECOND,
        status=status,
        next=own_path(next_path),
        problem=problem,
        has_app=FactorKind.TOTP in kinds,
        has_passkey=FactorKind.PASSKEY in kinds and party_of(request.app.settings) is not None,
    )


def _require_party(request: RequestContext) -> RelyingParty:
    party = party_of(request.app.settings)
    if party is None:
        raise Conflict("passkeys need the https address of the console, by name: web.console_url")
    return party


def _passkey_options(request: RequestContext, asked: PasskeyChallenge) -> Response:
    response = Response(asked.options, media_type=_JSON)
    put_cookie(request.request, response, STEP_COOKIE, asked.token)
    return response


@own_pages.get("/account", act=Permission.OWN_ACCOUNT)
def own_account_page(request: CurrentRequest) -> Response:
    return request.page(
        "console/account.html",
        sessions=list_sessions(request.services, request.who),
        own=own_factors(request.services, request.member),
    )


@own_pages.post("/account/sessions/end", act=Permission.OWN_ACCOUNT)
def end_own_sessions(request: CurrentRequest) -> Response:
    """Signs the person out on every device, this one included."""
    end_sessions(request.services, request.actor, request.who)
    response = request.redirect_to("/sign-in", notice=gettext_noop("You are signed out everywhere."))
    drop_cookie(request.request, response, SESSION_COOKIE)
    return response


@own_pages.post("/account/sessions/{session_id}/end", act=Permission.OWN_ACCOUNT)
def end_one_session(request: CurrentRequest, session_id: int) -> Response:
    """Signs the person out on that device."""
    end_own_session(request.services, request.member, session_id)
    return request.redirect_to("/account", notice=gettext_noop("The session has ended."))


@own_pages.get("/account/factors", act=Permission.OWN_ACCOUNT, while_must_enrol=True)
def factors_page(request: CurrentRequest) -> Response:
    return _show_factors(request)


@own_pages.get("/account/factors/app", act=Permission.OWN_ACCOUNT, while_must_enrol=True)
def app_page(request: CurrentRequest) -> Response:
    if not _is_fresh(request):
        return request.redirect_to("/account/factors")
    return _show_app(request)


@own_pages.post("/account/factors/app", act=Permission.OWN_ACCOUNT, while_must_enrol=True)
def add_app(request: CurrentRequest, code: Annotated[str, Form()] = "") -> Response:
    """Makes the app a second factor once a code of it was right; the first factor also brings recovery codes."""
    assert request.session is not None
    _require_fresh(request)
    try:
        codes = confirm_totp(request.services, request.session, code)
    except (Invalid, SignInBlocked) as fault:
        return _show_app(request, problem=request.refusal(fault))
    return _show_new_codes(request, codes)


@own_pages.post("/account/factors/passkey/ask", act=Permission.OWN_ACCOUNT, while_must_enrol=True)
def ask_for_new_passkey(request: CurrentRequest) -> Response:
    """JSON with the challenge for the browser that makes the passkey."""
    _require_fresh(request)
    return _passkey_options(
        request, ask_new_passkey(request.services, _require_party(request), request.member)
    )


@own_pages.post("/account/factors/passkey", act=Permission.OWN_ACCOUNT, while_must_enrol=True)
def add_own_passkey(
    request: CurrentRequest,
    credential: Annotated[str, Form(max_length=_LONGEST_CREDENTIAL)] = "",
    name: Annotated[str, Form()] = "",
) -> Response:
    """Stores the passkey of the browser's answer; the first factor also brings recovery codes."""
    assert request.session is not None
    _require_fresh(request)
    try:
        codes = add_passkey(
            request.services,
            _require_party(request),
            request.session,
            token=_step_token(request),
            credential=credential,
            name=name,
        )
    except (Invalid, Conflict) as fault:
        return _show_factors(request, problem=request.refusal(fault))
    return _show_new_codes(request, codes)


def _show_new_codes(request: RequestContext, codes: list[str]) -> Response:
    """The page of the new recovery codes, which are shown only once; without new ones the page of all factors."""
    if codes:
        return request.page(_CODES, codes=codes)
    return request.redirect_to("/account/factors", notice=gettext_noop("The second factor is set up."))


@own_pages.post("/account/factors/codes", act=Permission.OWN_ACCOUNT)
def renew_codes(request: CurrentRequest) -> Response:
    """Shows new recovery codes once; the old ones are void."""
    _require_fresh(request)
    return request.page(_CODES, codes=new_recovery_codes(request.services, request.member))


@own_pages.post("/account/factors/sign-in", act=Permission.OWN_ACCOUNT, while_must_enrol=True)
def sign_in_again(request: CurrentRequest) -> Response:
    """Ends this session; signing in leads back to the second factors."""
    assert request.session is not None
    end_own_session(request.services, request.member, request.session.id)
    response = request.redirect_to(f"/sign-in?{urlencode({'next': '/account/factors'})}")
    drop_cookie(request.request, response, SESSION_COOKIE)
    return response


def _is_fresh(request: RequestContext) -> bool:
    """Whether the person signed in a short time ago: in a session that was stolen or forgotten, nobody changes a second
    factor.
    """
    session = request.session
    return session is not None and request.services.real.now() - session.created_at <= _FRESH


def _require_fresh(request: RequestContext) -> None:
    if not _is_fresh(request):
        raise Conflict(_OLD_SIGN_IN)


@own_pages.post("/account/factors/{factor_id}/name", act=Permission.OWN_ACCOUNT)
def name_own_factor(request: CurrentRequest, factor_id: int, name: Annotated[str, Form()] = "") -> Response:
    try:
        name_factor(request.services, request.member, factor_id, name)
    except Invalid as fault:
        return _show_factors(request, problem=request.refusal(fault))
    return request.redirect_to("/account/factors", notice=gettext_noop("The name is changed."))


@own_pages.post("/account/factors/{factor_id}/remove", act=Permission.OWN_ACCOUNT)
def remove_own_factor(request: CurrentRequest, factor_id: int) -> Response:
    assert request.session is not None
    _require_fresh(request)
    try:
        remove_factor(request.services, request.member, factor_id)
    except Conflict as fault:
        return _show_factors(request, problem=request.refusal(fault))
    return request.redirect_to("/account/factors", notice=gettext_noop("The second factor is removed."))


def _show_factors(request: RequestContext, *, problem: str = "") -> Response:
    return request.page(
        _FACTORS,
        status=_UNFIT if problem else 200,
        own=own_factors(request.services, request.member),
        problem=problem,
        can_have_passkeys=party_of(request.app.settings) is not None,
        must_enrol=request.lacks_factor,
        is_fresh=_is_fresh(request),
    )


def _show_app(request: RequestContext, *, problem: str = "") -> Response:
    try:
        offer = offer_totp(request.services, request.member)
    except Conflict as fault:
        return _show_factors(request, problem=request.refusal(fault))
    return request.page(_APP, status=_UNFIT if problem else 200, offer=offer, problem=problem)


@own_pages.get("/account/password", act=Permission.OWN_ACCOUNT, while_must_change=True)
def password_page(request: CurrentRequest) -> Response:
    return request.page(_CHANGE, problems={})


@own_pages.post("/account/password", act=Permission.OWN_ACCOUNT, while_must_change=True)
def set_password(
    request: CurrentRequest,
    old: Annotated[str, Form()] = "",
    new: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    """Changes the password and begins a new session, the first one of an account with the tour of its pages. What is
    wrong is shown beside its field.
    """
    assert request.session is not None
    is_first = request.member.must_change
    try:
        token = change_password(request.services, request.session, old=old, new=new, again=again)
    except Invalid as fault:
        field = "new" if fault.field == "password" else fault.field
        return request.page(_CHANGE, status=_UNFIT, problems={field: request.refusal(fault)})
    except SignInBlocked as fault:
        return request.page(_CHANGE, status=_UNFIT, problems={"old": request.refusal(fault)})
    response = request.redirect_to(
        "/help/tour" if is_first else "/", notice=gettext_noop("The new password is set.")
    )
    put_cookie(request.request, response, SESSION_COOKIE, token)
    return response
