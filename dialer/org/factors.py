"""Second factors: codes of an app (TOTP, RFC 6238), recovery codes, and the step from the password to the session.

Passkeys are in `passkeys`. A person manages their own factors; an administrator can only reset them. All audited.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import pyotp
import segno

from dialer.core.access import FactorKind, Permission, SignInStep
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.db.acts import OpenAct
from dialer.db.unit_of_work import Tx
from dialer.org.accounts import audit_member
from dialer.runtime.services import Services
from dialer.staff.factor_store import (
    Factor,
    confirm_factor,
    delete_factors,
    factor_secret,
    factors_of,
    find_step,
    insert_factor,
    recovery_codes_left,
    rename_factor,
    replace_recovery_codes,
    use_factor,
    use_recovery_code,
    use_step,
)
from dialer.staff.passwords import random_groups
from dialer.staff.sign_in import (
    SignedIn,
    SignInRefused,
    audit_sign_in,
    clear_failed_tries,
    complete_sign_in,
    note_failure,
    reserve_tries,
    token_hash,
)
from dialer.staff.store import Member, Session, end_sessions_of, mark_second_factor, member_of

_STEP_SECONDS: Final = 30
_LATE_STEPS: Final = 1
"""A clock may be wrong by one step of 30 seconds either way."""
_CODES: Final = 10
_CODE_GROUPS, _CODE_GROUP = 4, 4
"""A recovery code: 16 letters and digits, about 79 bits."""
_DIGITS: Final = re.compile(r"[0-9]{6}")
LONGEST_FACTOR_NAME: Final = 40
_APP: Final = "totp"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnFactors:
    """The second factors that the page of a person's own account shows."""

    factors: list[Factor]
    codes_left: int

    @property
    def has_totp(self) -> bool:
        return any(factor.kind is FactorKind.TOTP for factor in self.factors)


@dataclass(frozen=True, slots=True, kw_only=True)
class TotpOffer:
    """A key offered to an app; it is not valid before a code of it was typed."""

    secret: str = field(repr=False)
    """In groups of four, to be typed."""
    picture: str = field(repr=False)
    """The key as a QR code: an SVG element."""


def own_factors(services: Services, member: Member) -> OwnFactors:
    """Confirmed factors, the oldest first, and how many recovery codes are left."""
    with services.store.begin() as tx:
        found = [factor for factor in factors_of(tx, member.id) if factor.confirmed_at is not None]
        return OwnFactors(factors=found, codes_left=recovery_codes_left(tx, member.id))


def offer_totp(services: Services, member: Member) -> TotpOffer:
    """A key for an app; the same one until it is confirmed. Raises `Conflict` where the account has one."""
    issuer = services.centre.bureau.get("zh") or "dialer"
    with services.store.begin() as tx:
        secret = _unconfirmed(tx, member)
        if secret is None:
            secret = pyotp.random_base32()
            made = insert_factor(
                tx,
                staff_id=member.id,
                kind=FactorKind.TOTP,
                name=_APP,
                secret=secret.encode(),
                real_now=services.real.now(),
                confirmed=False,
            )
            if made is None:
                raise Conflict("the account has an app already: remove it first")
    address = pyotp.TOTP(secret).provisioning_uri(name=member.login, issuer_name=issuer)
    groups = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    picture = segno.make(address, error="m").svg_inline(scale=5, border=2, dark="#000", light="#fff")
    return TotpOffer(secret=groups, picture=picture)


def _unconfirmed(tx: Tx, member: Member) -> str | None:
    """The key that was offered and not confirmed; None where none was. Raises `Conflict`."""
    found = factors_of(tx, member.id, kind=FactorKind.TOTP)
    if not found:
        return None
    if found[0].confirmed_at is not None:
        raise Conflict("the account has an app already: remove it first")
    return factor_secret(tx, found[0]).decode()


def confirm_totp(services: Services, session: Session, code: str) -> list[str]:
    """Makes the offered app a factor; returns recovery codes if it is the first one, else none. All other sessions of
    the account end. Raises `Invalid`, `NotFound` and `SignInBlocked`.
    """
    real_now = services.real.now()
    with services.store.begin() as tx:
        member = member_of(tx, session.staff_id)
        begun = [
            factor
            for factor in factors_of(tx, session.staff_id, kind=FactorKind.TOTP)
            if factor.confirmed_at is None
        ]
        secret = factor_secret(tx, begun[0]).decode() if begun else ""
    if member is None or not begun:
        raise NotFound(kind="factor", key="")
    tries = reserve_tries(services, member.login, member, session.address, is_second_step=True)
    step = _step_of(secret, code, real_now)
    if step is None:
        note_failure(services, member.login, member, session.address, tries)
        raise Invalid(field="code", problem="does not fit: check the phone's clock, or scan again")
    with services.act(member.actor, Permission.OWN_ACCOUNT) as act:
        clear_failed_tries(act.tx, tries)
        confirm_factor(act.tx, begun[0].id, real_now=real_now)
        use_factor(act.tx, begun[0].id, counter=step, real_now=real_now, rises=True)
        return note_new_factor(act, services, member, session, FactorKind.TOTP)


def note_new_factor(
    act: OpenAct, services: Services, member: Member, session: Session, kind: FactorKind
) -> list[str]:
    """Records that the account has a new factor: its other sessions end, and this one counts as signed in with it.
    Returns new recovery codes if the account has none.
    """
    end_sessions_of(act.tx, member.id, real_now=services.real.now(), but=session.id)
    mark_second_factor(act.tx, session.id)
    audit_member(act, "factor_add", member, factor=kind.value)
    return [] if recovery_codes_left(act.tx, member.id) else _new_codes(act.tx, member)


def new_recovery_codes(services: Services, member: Member) -> list[str]:
    """Ten codes, each of which replaces a factor once; earlier ones no longer work. Raises `Conflict`
    for an account without a factor.
    """
    if not member.has_factor:
        raise Conflict("set up a second factor first")
    with services.act(member.actor, Permission.OWN_ACCOUNT) as act:
        audit_member(act, "recovery_codes", member)
        return _new_codes(act.tx, member)


def _new_codes(tx: Tx, member: Member) -> list[str]:
    codes = [random_groups(_CODE_GROUPS, _CODE_GROUP) for _ in range(_CODES)]
    replace_recovery_codes(tx, member.id, map(_plain, codes))
    return codes


def name_factor(services: Services, member: Member, factor_id: int, name: str) -> None:
    """Names a passkey. Raises `Invalid` and `NotFound`."""
    shown = factor_name(name)
    with services.store.begin() as tx:
        if not rename_factor(tx, member.id, factor_id, shown):
            raise NotFound(kind="factor", key=factor_id)


def factor_name(name: str) -> str:
    """The name with single spaces. Raises `Invalid`."""
    shown = " ".join(name.split())
    if not 1 <= len(shown) <= LONGEST_FACTOR_NAME:
        raise Invalid(field="name", problem="is empty or too long")
    return shown


def remove_factor(services: Services, member: Member, factor_id: int) -> None:
    """Removes one of the person's own factors; with the last one the recovery codes are removed too. Raises `NotFound`,
    and `Conflict` for the last one of a role that needs one.
    """
    with services.act(member.actor, Permission.OWN_ACCOUNT) as act:
        removed = delete_factors(act.tx, member.id, factor_id=factor_id)
        if not removed:
            raise NotFound(kind="factor", key=factor_id)
        left = [factor for factor in factors_of(act.tx, member.id) if factor.confirmed_at is not None]
        if not left and member.role in services.sessions.second_factor_roles:
            raise Conflict("your role needs a second factor: set up another one first")
        if not left:
            replace_recovery_codes(act.tx, member.id, ())
        audit_member(act, "factor_remove", member, factor=removed[0].kind.value)


def remove_factors(act: OpenAct, services: Services, member: Member, **facts: object) -> int:
    """Removes all factors and recovery codes of the account and ends its sessions; returns how many factors it had."""
    removed = delete_factors(act.tx, member.id)
    replace_recovery_codes(act.tx, member.id, ())
    end_sessions_of(act.tx, member.id, real_now=services.real.now())
    audit_member(act, "factor_reset", member, count=len(removed), **facts)
    return len(removed)


def member_of_step(services: Services, token: str) -> Member | None:
    """The account whose second factor the step with this token waits for; None if the step has ended."""
    if not token:
        return None
    with services.store.begin() as tx:
        begun = find_step(tx, token_hash(token), SignInStep.SECOND_FACTOR, real_now=services.real.now())
        member = member_of(tx, begun.staff_id) if begun is not None and begun.staff_id is not None else None
    return None if member is None or member.disabled_at is not None else member


def finish_with_code(services: Services, *, token: str, code: str, address: str) -> SignedIn:
    """The session, for a code of the app or a recovery code; the step is used up. Raises `NotFound` for a step that has
    ended, `SignInRefused` and `SignInBlocked`.
    """
    member = member_of_step(services, token)
    if member is None:
        raise NotFound(kind="sign-in", key="")
    tries = reserve_tries(services, member.login, member, address, is_second_step=True)
    real_now = services.real.now()
    with services.store.begin() as tx:
        how = _accept(tx, member, code, real_now)
        if how:
            if use_step(tx, token_hash(token), SignInStep.SECOND_FACTOR, real_now=real_now) is None:
                raise NotFound(kind="sign-in", key="")
            clear_failed_tries(tx, tries)
            if how == "recovery code":
                left = recovery_codes_left(tx, member.id)
                facts = {"login": member.login, "count": left}
                audit_sign_in(tx, services, member.login, "recovery_code_used", member.id, **facts)
            return complete_sign_in(tx, services, member, address=address, how=how, second_factor=True)
    note_failure(services, member.login, member, address, tries)
    raise SignInRefused


def _accept(tx: Tx, member: Member, code: str, real_now: datetime) -> str:
    """What was accepted, and is used up by that: "totp" or "recovery code"; '' if nothing was."""
    for factor in factors_of(tx, member.id, kind=FactorKind.TOTP):
        if factor.confirmed_at is None:
            continue
        step = _step_of(factor_secret(tx, factor).decode(), code, real_now)
        # The same code again, and any earlier one, is refused.
        if step is not None and use_factor(tx, factor.id, counter=step, real_now=real_now, rises=True):
            return "totp"
    if use_recovery_code(tx, member.id, _plain(code), real_now=real_now):
        return "recovery code"
    return ""


def _step_of(secret: str, code: str, real_now: datetime) -> int | None:
    """The time step whose code this is; None for a code of no present step."""
    digits = unicodedata.normalize("NFKC", "".join(code.split()))
    if not _DIGITS.fullmatch(digits):
        return None
    totp, now = pyotp.TOTP(secret), int(real_now.timestamp()) // _STEP_SECONDS
    for step in range(now - _LATE_STEPS, now + _LATE_STEPS + 1):
        if pyotp.utils.strings_equal(digits, totp.generate_otp(step)):
            return step
    return None


def _plain(code: str) -> str:
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", code)).lower()
