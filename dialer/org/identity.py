"""Sign-in with the centre's own identity: an OpenID Connect provider (code flow with PKCE, state, nonce), or a client
certificate that the reverse proxy has verified. Both open existing accounts by their login and create none.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from cryptography import x509
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization

from dialer.core.access import SignInStep
from dialer.core.errors import Unavailable
from dialer.db.unit_of_work import Tx
from dialer.org.passkeys import RelyingParty, relying_party
from dialer.runtime.local import console_url, is_this_machine
from dialer.runtime.sections import IdentitySettings
from dialer.runtime.services import Application, Services
from dialer.runtime.settings import Settings
from dialer.staff.factor_store import Begun, use_step
from dialer.staff.sign_in import (
    FactorNeeded,
    SignedIn,
    SignInRefused,
    audit_sign_in,
    complete_sign_in,
    open_step,
    token_hash,
)
from dialer.staff.store import Member, find_member

BACK_PATH: Final = "/sign-in/identity/back"
_SCOPE: Final = "openid profile"
_ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
_TIMEOUT_SECONDS: Final = 10.0
_LEEWAY_SECONDS: Final = 60
_RANDOM_BYTES: Final = 48
_LONGEST_LOGIN: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInWays:
    """The ways to sign in besides the password."""

    passkey: bool
    identity: str
    """The name of the identity provider; '' without one."""
    certificate: bool


def ways_of(app: Application) -> SignInWays:
    """The ways to sign in besides the password that the settings allow."""
    identity = app.settings.identity
    return SignInWays(
        passkey=party_of(app.settings) is not None,
        identity=(identity.oidc_name or urlsplit(identity.oidc_issuer).hostname or "")
        if identity.oidc_issuer
        else "",
        certificate=identity.certificate_header != "",
    )


def party_of(settings: Settings) -> RelyingParty | None:
    """The console as passkeys know it; None where its address does not allow them."""
    return relying_party(console_url(settings), name=settings.centre.bureau_zh)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentAway:
    """Where the browser is sent, and the token of the step with which it comes back."""

    token: str
    address: str


def begin_identity(services: Services, settings: Settings, next_path: str) -> SentAway:
    """The provider's address for one sign-in. Raises `Unavailable`."""
    identity = settings.identity
    verifier, nonce, state = (secrets.token_urlsafe(_RANDOM_BYTES) for _ in range(3))
    with _client(settings) as client:
        found = _discover(identity)
        address, _ = client.create_authorization_url(
            found["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier
        )
    with services.store.begin() as tx:
        token = open_step(
            tx,
            SignInStep.IDENTITY,
            {"state": state, "nonce": nonce, "verifier": verifier, "next": next_path},
            real_now=services.real.now(),
            seconds=services.sessions.step_seconds,
        )
    return SentAway(token=token, address=address)


def finish_identity(
    services: Services,
    settings: Settings,
    *,
    token: str,
    state: str,
    code: str,
    address: str,
) -> tuple[SignedIn | FactorNeeded, str]:
    """The session, or the step to the second factor; and the page that was asked for. Uses up the step. Raises
    `SignInRefused` and `Unavailable`.
    """
    real_now = services.real.now()
    with services.store.begin() as tx:
        begun = use_step(tx, token_hash(token), SignInStep.IDENTITY, real_now=real_now)
    try:
        login = _login_of_provider(settings, begun, state, code, now=int(real_now.timestamp()))
    except SignInRefused:
        _note_refused(services, address, "identity provider")
        raise
    assert begun is not None
    entered = _enter(services, settings, login, address=address, how="identity provider")
    return entered, str(begun.data["next"])


def _login_of_provider(settings: Settings, begun: Begun | None, state: str, code: str, *, now: int) -> str:
    """The login that the provider names. Raises `SignInRefused` and `Unavailable`."""
    if begun is None or not code or not hmac.compare_digest(state.encode(), begun.data["state"].encode()):
        raise SignInRefused
    login = _claims(settings, begun.data, code, now=now).get(settings.identity.oidc_claim)
    if not isinstance(login, str):
        raise SignInRefused
    return login


def _claims(settings: Settings, begun: Mapping[str, Any], code: str, *, now: int) -> dict[str, Any]:
    """The claims of the provider's signed id token. Raises `SignInRefused` and `Unavailable`."""
    identity = settings.identity
    found = _discover(identity)
    try:
        with _client(settings) as client:
            answer = client.fetch_token(
                found["token_endpoint"],
                code=code,
                code_verifier=begun["verifier"],
                timeout=_TIMEOUT_SECONDS,
            )
        keys = KeySet.import_key_set(cast("KeySetSerialization", _get(found["jwks_uri"])))
        token = jwt.decode(answer["id_token"], keys, algorithms=_ALGORITHMS)
        jwt.JWTClaimsRegistry(
            now=now,
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": found["issuer"]},
            aud={"essential": True, "value": identity.oidc_client_id},
            exp={"essential": True},
            nonce={"essential": True, "value": begun["nonce"]},
        ).validate(token.claims)
    except requests.RequestException:
        raise _unavailable() from None
    except (AuthlibBaseError, JoseError, KeyError, ValueError, TypeError):
        raise SignInRefused from None
    aud = token.claims["aud"]
    is_shared = isinstance(aud, list) and len(aud) > 1
    if (is_shared or "azp" in token.claims) and token.claims.get("azp") != identity.oidc_client_id:
        raise SignInRefused
    return dict(token.claims)


def sign_in_with_certificate(
    services: Services, settings: Settings, *, subject: str, address: str
) -> SignedIn | FactorNeeded:
    """The session of the account that the certificate's subject names, or the step to its second factor. Raises
    `SignInRefused`.
    """
    try:
        login = _login_of_subject(subject, settings.identity.certificate_attribute)
    except SignInRefused:
        _note_refused(services, address, "certificate")
        raise
    return _enter(services, settings, login, address=address, how="certificate")


def _login_of_subject(subject: str, attribute: str) -> str:
    """The value of this attribute in the subject, which is written as in RFC 4514 and must have it exactly once."""
    try:
        found = list(x509.Name.from_rfc4514_string(subject))
    except ValueError:
        raise SignInRefused from None
    values = [part.value for part in found if part.rfc4514_attribute_name == attribute]
    if len(values) != 1 or not isinstance(values[0], str):
        raise SignInRefused
    return values[0]


def _enter(
    services: Services, settings: Settings, login: str, *, address: str, how: str
) -> SignedIn | FactorNeeded:
    elsewhere = settings.identity.has_second_factor
    with services.store.begin() as tx:
        member = find_member(tx, login.strip().lower()[:_LONGEST_LOGIN])
        if member is not None and member.disabled_at is None:
            if member.has_factor and not elsewhere:
                return _second_step(tx, services, member)
            return complete_sign_in(tx, services, member, address=address, how=how, second_factor=elsewhere)
    _note_refused(services, address, how)
    raise SignInRefused


def _second_step(tx: Tx, services: Services, member: Member) -> FactorNeeded:
    token = open_step(
        tx,
        SignInStep.SECOND_FACTOR,
        {},
        staff_id=member.id,
        real_now=services.real.now(),
        seconds=services.sessions.step_seconds,
    )
    return FactorNeeded(member=member, token=token)


def _note_refused(services: Services, address: str, how: str) -> None:
    with services.store.begin() as tx:
        audit_sign_in(tx, services, "?", "sign_in_failed", 0, address=address, how=how)


def _client(settings: Settings) -> OAuth2Session:
    secret = settings.identity.oidc_client_secret
    return OAuth2Session(
        settings.identity.oidc_client_id,
        secret.get_secret_value() if secret is not None else None,
        token_endpoint_auth_method="client_secret_basic" if secret is not None else "none",  # a method's name
        scope=_SCOPE,
        redirect_uri=console_url(settings) + BACK_PATH,
        code_challenge_method="S256",
    )


def _discover(identity: IdentitySettings) -> dict[str, str]:
    """The provider's addresses, from its own description. Raises `Unavailable`."""
    issuer = (identity.oidc_issuer or "").rstrip("/")
    found = _get(issuer + "/.well-known/openid-configuration")
    wanted = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    if str(found.get("issuer", "")).rstrip("/") != issuer or not all(
        _is_safe(found.get(name)) for name in wanted
    ):
        raise _unavailable()
    return {name: str(found[name]) for name in (*wanted, "issuer")}


def _is_safe(address: object) -> bool:
    parts = urlsplit(address) if isinstance(address, str) else urlsplit("")
    return parts.scheme == "https" or (parts.scheme == "http" and is_this_machine(parts.hostname or ""))


def _get(address: str) -> dict[str, Any]:
    """The JSON object at this address. Raises `Unavailable`."""
    try:
        answer = requests.get(address, timeout=_TIMEOUT_SECONDS, allow_redirects=False)
        answer.raise_for_status()
        found = answer.json()
    except (requests.RequestException, ValueError):
        raise _unavailable() from None
    if not isinstance(found, dict):
        raise _unavailable()
    return found


def _unavailable() -> Unavailable:
    return Unavailable(part="identity provider", problem="does not answer, or not as OpenID Connect says")
