"""Passkeys (WebAuthn): added to a person's own account, used as a second factor, or in place of password and factor
together.

A passkey belongs to one address of the console: its origin, and the host's name as the relying party. A challenge is
valid once, for minutes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from dialer.core.access import FactorKind, Permission, SignInStep
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.db.unit_of_work import Tx
from dialer.db.vault import BlindKind
from dialer.org.factors import factor_name, member_of_step, note_new_factor
from dialer.runtime.services import Services
from dialer.staff.factor_store import (
    Begun,
    Factor,
    change_step,
    factor_secret,
    factors_of,
    find_passkey,
    find_step,
    insert_factor,
    use_factor,
    use_step,
)
from dialer.staff.sign_in import (
    SignedIn,
    SignInRefused,
    audit_sign_in,
    complete_sign_in,
    open_step,
    token_hash,
)
from dialer.staff.store import Member, Session, member_of

_NAME: Final = "passkey"
_TIMEOUT_MS: Final = 120_000
_LONGEST_CREDENTIAL: Final = 1023
"""Bytes of a credential's id, by the standard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelyingParty:
    """The console as browsers and passkeys know it."""

    id: str
    origin: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyChallenge:
    """The options for the browser, as JSON, and the token of the step."""

    token: str
    options: str


def relying_party(address: str, *, name: str) -> RelyingParty | None:
    """The console at this address; None if the host is an IP address, which browsers refuse."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    try:
        ip_address(host)
    except ValueError:
        pass
    else:
        return None
    if not host or (parts.scheme != "https" and host != "localhost"):
        return None
    return RelyingParty(id=host, origin=f"{parts.scheme}://{parts.netloc}", name=name)


def ask_new_passkey(services: Services, party: RelyingParty, member: Member) -> PasskeyChallenge:
    """The options by which a browser makes a passkey for this account."""
    with services.store.begin() as tx:
        options = generate_registration_options(
            rp_id=party.id,
            rp_name=party.name,
            user_name=member.login,
            user_display_name=member.display_name,
            user_id=tx.vault.blind(f"passkey\0{member.id}", kind=BlindKind.SIGN_IN),
            timeout=_TIMEOUT_MS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED,
                user_verification=UserVerificationRequirement.PREFERRED,
            ),
            exclude_credentials=_described(factors_of(tx, member.id, kind=FactorKind.PASSKEY)),
        )
        token = open_step(
            tx,
            SignInStep.ADD_PASSKEY,
            {"challenge": bytes_to_base64url(options.challenge)},
            staff_id=member.id,
            real_now=services.real.now(),
            seconds=services.sessions.step_seconds,
        )
    return PasskeyChallenge(token=token, options=options_to_json(options))


def add_passkey(
    services: Services, party: RelyingParty, session: Session, *, token: str, credential: str, name: str
) -> list[str]:
    """Makes the passkey a factor; returns recovery codes if it is the first factor, else none. All other sessions of
    the account end. Raises `Invalid` and `Conflict`.
    """
    shown = factor_name(name or _NAME)
    real_now = services.real.now()
    with services.store.begin() as tx:
        begun = use_step(tx, token_hash(token), SignInStep.ADD_PASSKEY, real_now=real_now)
        member = member_of(tx, session.staff_id)
    if begun is None or member is None or begun.staff_id != member.id:
        raise Invalid(field="passkey", problem="was asked for too long ago: try again")
    try:
        made = verify_registration_response(
            credential=credential,
            expected_challenge=base64url_to_bytes(begun.data["challenge"]),
            expected_rp_id=party.id,
            expected_origin=party.origin,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise Invalid(field="passkey", problem="was not accepted: try again") from None
    if len(made.credential_id) > _LONGEST_CREDENTIAL:
        raise Invalid(field="passkey", problem="was not accepted: try again")
    with services.act(member.actor, Permission.OWN_ACCOUNT) as act:
        added = insert_factor(
            act.tx,
            staff_id=member.id,
            kind=FactorKind.PASSKEY,
            name=shown,
            secret=made.credential_public_key,
            real_now=real_now,
            confirmed=True,
            credential_id=made.credential_id,
            counter=made.sign_count,
        )
        if added is None:
            raise Conflict("this passkey is known already")
        return note_new_factor(act, services, member, session, FactorKind.PASSKEY)


def ask_any_passkey(services: Services, party: RelyingParty) -> PasskeyChallenge:
    """The options by which a browser signs in without a password: it chooses the passkey, and verifies its user."""
    options = generate_authentication_options(
        rp_id=party.id, timeout=_TIMEOUT_MS, user_verification=UserVerificationRequirement.REQUIRED
    )
    with services.store.begin() as tx:
        token = open_step(
            tx,
            SignInStep.PASSKEY,
            {"challenge": bytes_to_base64url(options.challenge)},
            real_now=services.real.now(),
            seconds=services.sessions.step_seconds,
        )
    return PasskeyChallenge(token=token, options=options_to_json(options))


def ask_second_passkey(services: Services, party: RelyingParty, token: str) -> PasskeyChallenge:
    """The options by which a browser shows a passkey after the password. Raises `NotFound` for a step that has
    ended.
    """
    member = member_of_step(services, token)
    if member is None:
        raise NotFound(kind="sign-in", key="")
    digest = token_hash(token)
    with services.store.begin() as tx:
        begun = find_step(tx, digest, SignInStep.SECOND_FACTOR, real_now=services.real.now())
        if begun is None:
            raise NotFound(kind="sign-in", key="")
        options = generate_authentication_options(
            rp_id=party.id,
            timeout=_TIMEOUT_MS,
            allow_credentials=_described(factors_of(tx, member.id, kind=FactorKind.PASSKEY)),
            user_verification=UserVerificationRequirement.PREFERRED,
        )
        change_step(tx, begun.id, digest, {"challenge": bytes_to_base64url(options.challenge)})
    return PasskeyChallenge(token=token, options=options_to_json(options))


def sign_in_with_passkey(
    services: Services,
    party: RelyingParty,
    *,
    token: str,
    credential: str,
    address: str,
    after_password: bool,
) -> SignedIn:
    """The session; the step is used up, whatever the result. Raises `SignInRefused`."""
    kind = SignInStep.SECOND_FACTOR if after_password else SignInStep.PASSKEY
    real_now = services.real.now()
    with services.store.begin() as tx:
        begun = use_step(tx, token_hash(token), kind, real_now=real_now)
    try:
        with services.store.begin() as tx:
            member = _authenticated_member(
                tx, services, party, begun, credential, after_password=after_password
            )
            return complete_sign_in(tx, services, member, address=address, how="passkey", second_factor=True)
    except SignInRefused:
        with services.store.begin() as tx:
            audit_sign_in(tx, services, "?", "sign_in_failed", 0, address=address, how="passkey")
        raise


def _authenticated_member(
    tx: Tx,
    services: Services,
    party: RelyingParty,
    begun: Begun | None,
    credential: str,
    *,
    after_password: bool,
) -> Member:
    """The account whose passkey signed the step's challenge; after a password it must be the account of that password.
    Raises `SignInRefused`.
    """
    if begun is None or "challenge" not in begun.data:
        raise SignInRefused
    challenge = base64url_to_bytes(begun.data["challenge"])
    factor, counter = _proven(tx, party, credential, challenge, verified=not after_password)
    member = member_of(tx, factor.staff_id)
    if member is None or member.disabled_at is not None:
        raise SignInRefused
    if after_password and begun.staff_id != member.id:
        raise SignInRefused
    # The counter of a passkey that has one must have risen, and each value is used once; many always report 0.
    now = services.real.now()
    if not use_factor(tx, factor.id, counter=counter, real_now=now, rises=counter > 0):
        raise SignInRefused
    return member


def _proven(
    tx: Tx, party: RelyingParty, credential: str, challenge: bytes, *, verified: bool
) -> tuple[Factor, int]:
    """The passkey that signed the challenge, and its counter. Raises `SignInRefused`."""
    try:
        factor = find_passkey(tx, base64url_to_bytes(str(json.loads(credential)["rawId"])))
        if factor is None:
            raise SignInRefused
        proven = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=factor_secret(tx, factor),
            credential_current_sign_count=factor.counter,
            require_user_verification=verified,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise SignInRefused from None
    return factor, proven.new_sign_count


def _described(factors: list[Factor]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=bytes(factor.credential_id or b"")) for factor in factors]
