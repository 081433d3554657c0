"""Staff and API tokens: sign-in, sessions, names, the phone on a caller's desk.

A try to sign in is counted before the password is checked, by address and by login at an address; too many block that
address for a while. Guesses at one login from all addresses together are limited too, except for a browser that the
account has signed in with before: somebody else's failures do not lock it out.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from cachetools import LRUCache

from dialer.core.access import Actor, Permission, SignInStep
from dialer.core.errors import Conflict, Invalid, NotFound, Refusal
from dialer.core.sources import is_internal_source
from dialer.core.text import Text
from dialer.core.units import Unit
from dialer.db.acts import OpenAct
from dialer.db.audit import write_audit
from dialer.db.sources import add_sources
from dialer.db.unit_of_work import Tx
from dialer.db.units import list_units_of_tree
from dialer.runtime.services import Services
from dialer.staff.devices import known_device
from dialer.staff.factor_store import begin_step
from dialer.staff.passwords import (
    LONGEST_PASSWORD,
    check_password,
    hash_password,
    is_password_outdated,
    is_password_right,
    sign_ins,
)
from dialer.staff.store import (
    Member,
    Session,
    block_sign_in,
    clear_failures,
    delete_old_failures,
    end_oldest_sessions,
    end_session,
    failure_key,
    find_member,
    find_session,
    give_try_back,
    note_blocked_sign_ins,
    note_session_seen,
    password_hash_of,
    reserve_try,
    set_staff,
    set_staff_password,
    start_session,
    valid_session_ids,
)
from dialer.staff.token_store import (
    ApiToken,
    TokenScope,
    all_tokens,
    find_token,
    insert_token,
    revoke_token_named,
)

_SEEN_EVERY = timedelta(seconds=30)
"""The precision with which the last use of a session is recorded."""
_ADDRESS_FACTOR = 4
"""Many people share an address: this many times as many failures are allowed to it as to a login."""
_TOKEN_BYTES = 32


class SignInRefused(Refusal):
    """Unknown login, wrong password or disabled account; the message does not say which."""

    def __init__(self) -> None:
        super().__init__("the login or the password is wrong")


class SignInBlocked(Refusal):
    """Too many tries from this address; no further one is checked before `until`."""

    def __init__(self, *, until: datetime) -> None:
        super().__init__("too many failed sign-ins: wait")
        self.until = until


class PasswordExpired(Refusal):
    """The password was right and was given out too long ago."""

    def __init__(self) -> None:
        super().__init__("the password that was given out has expired: ask the administrator for a new one")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A new session with the token of its cookie, which is not stored."""

    member: Member
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorNeeded:
    """The password was right and the account has a second factor; `token` is that of the step, not of a session."""

    member: Member
    token: str = field(repr=False)


def sign_in(
    services: Services, *, login: str, password: str, address: str, device: str = ""
) -> SignedIn | FactorNeeded:
    """A new session, or the step to the second factor. `device`: the cookie of a browser that was signed in before.
    Raises `SignInRefused`, `SignInBlocked`, `PasswordExpired` and `SignInBusy`; all but the last are in the audit.
    """
    name = login.strip().lower()[:LONGEST_PASSWORD]
    with sign_ins.place(address):
        real_now = services.real.now()
        with services.store.begin() as tx:
            member = find_member(tx, name)
            stored = password_hash_of(tx, member.id) if member is not None else None
        known = "" if member is None else known_device(services, device, member)
        tries = reserve_tries(services, name, member, address, device=known)
        # Outside any transaction: it takes a while on purpose.
        fits = is_password_right(password, stored)
        if not fits or member is None or member.disabled_at is not None:
            note_failure(services, name, member, address, tries)
            raise SignInRefused
        assert stored is not None
        if member.must_change and member.password_until is not None and real_now >= member.password_until:
            note_failure(services, name, member, address, tries)
            raise PasswordExpired
        fresh = hash_password(password) if is_password_outdated(stored) else None
        with services.store.begin() as tx:
            clear_failed_tries(tx, tries)
            if fresh is not None:
                set_staff(tx, member.id, password_hash=fresh)
            if member.has_factor:
                token = open_step(
                    tx,
                    SignInStep.SECOND_FACTOR,
                    {},
                    staff_id=member.id,
                    real_now=real_now,
                    seconds=services.sessions.step_seconds,
                )
                return FactorNeeded(member=member, token=token)
            return complete_sign_in(tx, services, member, address=address, how="password")


def complete_sign_in(
    tx: Tx,
    services: Services,
    member: Member,
    *,
    address: str,
    how: str,
    second_factor: bool = False,
) -> SignedIn:
    """A new session for an account whose owner has proven who they are; `how` is for the audit."""
    real_now = services.real.now()
    missing_at = member.factor_missing_at
    if not second_factor and missing_at is None and member.role in services.sessions.second_factor_roles:
        missing_at = real_now
    set_staff(tx, member.id, signed_in_at=real_now, locked_until=None, factor_missing_at=missing_at)
    token = open_session(tx, services, member, address=address, second_factor=second_factor)
    audit_sign_in(tx, services, member.login, "sign_in", member.id, address=address, how=how)
    return SignedIn(member=replace(member, factor_missing_at=missing_at), token=token)


def open_step(
    tx: Tx,
    kind: SignInStep,
    data: Mapping[str, object],
    *,
    real_now: datetime,
    seconds: float,
    staff_id: int | None = None,
) -> str:
    """Stores a step that a browser begins; returns its token, which permits nothing by itself."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    begin_step(
        tx,
        token_hash=token_hash(token),
        kind=kind,
        staff_id=staff_id,
        data=data,
        real_now=real_now,
        expires_at=real_now + timedelta(seconds=seconds),
    )
    return token


def open_session(
    tx: Tx,
    services: Services,
    member: Member,
    *,
    address: str,
    second_factor: bool = False,
) -> str:
    """The token of a new session of this account. If the account then has more than it may, the oldest ones end."""
    rules, real_now = services.sessions, services.real.now()
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    start_session(
        tx,
        staff_id=member.id,
        token_hash=token_hash(token),
        address=address,
        real_now=real_now,
        expires_at=real_now + timedelta(seconds=rules.session_seconds),
        second_factor=second_factor,
    )
    end_oldest_sessions(tx, member.id, most=rules.sessions, real_now=real_now)
    return token


def recognise(services: Services, token: str, *, even_idle: bool = False) -> tuple[Session, Member] | None:
    """The session with this token and its account, recorded as seen now; None when it is not valid. `even_idle`: also
    an idle session, and this does not count as a use.
    """
    if not token:
        return None
    real_now = services.real.now()
    with services.store.begin() as tx:
        found = find_session(tx, token_hash(token))
        if found is None:
            return None
        session, member = found
        longest = timedelta(seconds=services.sessions.idle_seconds)
        if real_now >= session.expires_at or member.disabled_at is not None:
            return None
        if even_idle:
            return found
        if real_now >= session.seen_at + longest:
            return None
        if real_now - session.seen_at >= min(_SEEN_EVERY, longest / 4):
            note_session_seen(tx, session.id, real_now=real_now)
    return found


def valid_sessions(services: Services, session_ids: Iterable[int]) -> set[int]:
    """The ids of those of these sessions that have neither ended nor expired, and whose accounts are enabled."""
    with services.store.begin() as tx:
        return valid_session_ids(tx, session_ids, real_now=services.real.now())


def sign_out(services: Services, actor: Actor, session: Session) -> None:
    """Ends the session: its cookie, and any copy of it, is no longer valid."""
    with services.act(actor, Permission.OWN_ACCOUNT) as act:
        if end_session(act.tx, session.id, real_now=services.real.now()):
            act.audit("sign_out", f"staff/{session.staff_id}", facts={"address": session.address})
        else:
            act.needs_no_record()


def change_password(services: Services, session: Session, *, old: str, new: str, again: str) -> str:
    """Sets the new password, ends every session of the account, and returns the token of a new one. Raises `Invalid`,
    `SignInBusy`, and `SignInBlocked` after too many wrong old ones.
    """
    if new != again:
        raise Invalid(field="again", problem="is not the same as the new password")
    with services.store.begin() as tx:
        stored = password_hash_of(tx, session.staff_id)
        member = find_member(tx, session.login)
    assert member is not None
    check_password(new, login=session.login, words=known_words(services, member))
    with sign_ins.place(session.address):
        tries = reserve_tries(
            services, session.login, member, session.address, device=f"session {session.id}"
        )
        if not is_password_right(old, stored):
            note_failure(services, session.login, member, session.address, tries)
            raise Invalid(field="old", problem="is not the present password")
        made = hash_password(new) if old != new else ""
    real_now = services.real.now()
    with services.act(member.actor, Permission.OWN_ACCOUNT) as act:
        clear_failed_tries(act.tx, tries)
        if made:
            set_staff_password(act.tx, member.id, password_hash=made, real_now=real_now)
            token = open_session(
                act.tx, services, member, address=session.address, second_factor=session.second_factor
            )
            act.audit("password_change", f"staff/{member.id}", facts={"address": session.address})
        else:
            act.needs_no_record()
    if not made:
        raise Invalid(field="new", problem="is the old one")
    return token


def known_words(services: Services, member: Member) -> list[str]:
    """Names and numbers that others know, which no password of this account may contain."""
    return [member.display_name, member.extension, *centre_words(services)]


def centre_words(services: Services) -> list[str]:
    """Names and numbers of the centre, which no password may contain."""
    centre = services.centre
    return [*centre.bureau.values(), centre.hotline, centre.area_code, centre.callback_number]


def token_hash(token: str) -> bytes:
    """The hash of a token; a plain one is enough for 256 random bits."""
    return hashlib.sha256(token.encode()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservedTries:
    """One try, counted under its address and under the login at this address, in this order; `lasts` says of each
    whether it was the last one allowed.
    """

    keys: tuple[bytes, ...]
    lasts: tuple[bool, ...]


def reserve_tries(
    services: Services,
    login: str,
    member: Member | None,
    address: str,
    *,
    is_second_step: bool = False,
    device: str = "",
) -> ReservedTries:
    """Counts one try before the password is checked, so that many at once get no more checks than one after the other.
    Tries at one login from all addresses are counted together; those of a known `device` are counted for it alone. The
    second step, which needs the right password, has a count of its own: its codes are short. A change of the account by
    an administrator, such as a new password, starts the count anew. Raises `SignInBlocked`.
    """
    real_now = services.real.now()
    wait = timedelta(seconds=services.sessions.lock_seconds)
    start, until = real_now - wait, real_now + wait
    failures = services.sessions.failures
    many = failures * _ADDRESS_FACTOR
    step = "factor" if is_second_step else "login"
    account = f"{login}\0{member.revision if member is not None else 0}"
    limits = [("address", address, many), (f"{step} at", f"{account}\0{address}", failures)]
    if is_second_step or not device:
        limits.append((step, account, many))
    else:
        limits.append(("device", f"{account}\0{device}", many))
    with services.store.begin() as tx:
        keys: list[bytes] = []
        lasts: list[bool] = []
        blocked: list[datetime] = []
        # Always in this order, so that no two sign-ins wait for each other.
        for kind, value, most in limits:
            if blocked:
                break  # A try that is not looked at uses up none of what others share.
            key = failure_key(tx, kind, value)
            tries = reserve_try(tx, key, real_now=real_now, window_start=start)
            if tries.blocked_until is not None:
                blocked.append(tries.blocked_until)
            elif tries.count > most:
                block_sign_in(tx, key, until=until)
                blocked.append(until)
            keys.append(key)
            lasts.append(tries.count >= most)
    if blocked:
        raise SignInBlocked(until=max(blocked))
    return ReservedTries(keys=tuple(keys), lasts=tuple(lasts))


def clear_failed_tries(tx: Tx, tries: ReservedTries) -> None:
    """After a successful try, forgets the earlier failures of this login at this address. Those of the address still
    count: otherwise somebody with one right password could go on guessing others.
    """
    give_try_back(tx, tries.keys[0])
    for key in tries.keys[1:]:
        clear_failures(tx, key)


def note_failure(
    services: Services,
    login: str,
    member: Member | None,
    address: str,
    tries: ReservedTries,
) -> None:
    """Records that the reserved try failed; the address is blocked after its last one. The audit names accounts, never
    what was typed.
    """
    real_now = services.real.now()
    wait = timedelta(seconds=services.sessions.lock_seconds)
    until = real_now + wait
    with services.store.begin() as tx:
        delete_old_failures(tx, before=real_now - wait)
        for key, is_last in zip(tries.keys, tries.lasts, strict=True):
            if is_last:
                block_sign_in(tx, key, until=until)
        blocked = any(tries.lasts[1:])
        if blocked:
            note_blocked_sign_ins(tx, login, until=until)
        who = member.login if member is not None else "?"
        number = member.id if member is not None else 0
        audit_sign_in(tx, services, who, "sign_in_failed", number, address=address)
        if blocked:
            audit_sign_in(tx, services, who, "sign_in_locked", number, address=address)


def audit_sign_in(tx: Tx, services: Services, who: str, act: str, staff_id: int, **facts: object) -> None:
    """One line of the audit about somebody who signs in, and so is no actor yet; `who`: "?" for an unknown login."""
    subject, now = f"staff/{staff_id}", services.clock.now()
    write_audit(tx, who=who, act=act, subject=subject, why="", now=now, facts=facts)


TOKEN_PREFIX = "dialer_"  # noqa: S105  # how a token begins; it is no secret
"""Lets a search of disks and repositories recognise a leaked token."""
_SECRET_BYTES = 32
_SECRET = re.compile(TOKEN_PREFIX + r"[A-Za-z0-9_-]{43}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MOST_DAYS = 1100
_MOST_SOURCES, _LONGEST_SOURCE = 50, 200
_SENDING = (TokenScope.WARNINGS_WRITE, TokenScope.SIGNALS_WRITE)
_CACHED = timedelta(seconds=3)
"""A token revoked by another process may be accepted here for this long."""
_CACHE_SIZE = 1000


class UnknownToken(Refusal):
    """No token, or an unknown, expired or revoked one; the message does not say which."""

    def __init__(self) -> None:
        super().__init__("the token is missing or not valid: send Authorization: Bearer and a valid one")


class ScopeMissing(Refusal):
    """A valid token without the scope that is needed."""

    def __init__(self, *, scope: TokenScope) -> None:
        super().__init__(Text("the token has no scope %(scope)s: ask for one that has it", scope=scope.value))
        self.scope = scope


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A new token with its secret, which is stored only as a hash."""

    token: ApiToken
    secret: str = field(repr=False)


def add_token(
    services: Services,
    actor: Actor,
    *,
    name: str,
    scopes: Sequence[str],
    days: int,
    unit: str,
    sources: Sequence[str] = (),
) -> NewToken:
    """A new token, audited, which sends warnings and signals of its own name and of `sources`. Raises `Invalid`,
    and `Conflict` where the name is in use.
    """
    unit = unit.strip()
    wanted = check_token(name=name, scopes=scopes, days=days, unit=unit, sources=sources)
    with services.act(actor, Permission.MANAGE_STAFF) as act:
        unit_id = typed_unit_of_token(act.tx, services, unit)
        return make_token(
            act, services, name=name, scopes=wanted, days=days, unit=unit, unit_id=unit_id, sources=sources
        )


def typed_unit_of_token(tx: Tx, services: Services, unit: str) -> int | None:
    """The id of the unit that was typed for a new token; None for ''. Raises `Invalid` where the text means no unit or
    more than one.
    """
    if not unit:
        return None
    found = services.units.current(tx).find(unit)
    if found is None:
        raise Invalid(
            field="unit",
            problem="names no unit, or more than one",
            fix="write its name after that of the unit above it",
        )
    return found.id


def is_unit_of_token(services: Services, token: ApiToken, unit_id: int | None) -> bool:
    """Whether the token, which has a unit, sees cases of the unit `unit_id`: its own unit alone. A token without the id
    of its unit sees those of the unit that its text means now.
    """
    own = token.unit_id
    if own is None:
        with services.store.begin() as tx:
            found = services.units.current(tx).find(token.unit)
        own = None if found is None else found.id
    return own is not None and own == unit_id


def check_token(
    *, name: str, scopes: Sequence[str], days: int, unit: str, sources: Sequence[str] = ()
) -> frozenset[TokenScope]:
    """Checks what is wanted of a new token; returns its scopes. Raises `Invalid`."""
    if not _NAME.fullmatch(name):
        raise Invalid(
            field="name",
            problem="is not a name for a token",
            fix="1 to 64 of letters, digits, '.', '_', '-'",
        )
    wanted = _scopes(scopes)
    if unit and TokenScope.REPORT_READ in wanted:
        raise Invalid(
            field="scope",
            problem=Text(
                "%(scope)s shows the whole city, so no token of one unit may have it",
                scope=TokenScope.REPORT_READ.value,
            ),
            fix="leave out the unit or the scope",
        )
    if sources and wanted.isdisjoint(_SENDING):
        fix = Text("leave out the sources, or add %(scope)s", scope=" / ".join(_SENDING))
        raise Invalid(field="source", problem="belongs to a token that sends", fix=fix)
    if any(map(is_internal_source, sources)):
        raise Invalid(
            field="source", problem="is a source of this service itself", fix="name the source that sends"
        )
    if len(sources) > _MOST_SOURCES or not all(
        1 <= len(source.strip()) <= _LONGEST_SOURCE for source in sources
    ):
        fix = Text(
            "%(most)s names at most, each of 1 to %(longest)s characters",
            most=_MOST_SOURCES,
            longest=_LONGEST_SOURCE,
        )
        raise Invalid(field="source", problem="is not a name of a source", fix=fix)
    if not 1 <= days <= _MOST_DAYS:
        raise Invalid(field="days", problem="is out of range", fix=Text("1 to %(most)s", most=_MOST_DAYS))
    return wanted


def make_token(
    act: OpenAct,
    services: Services,
    *,
    name: str,
    scopes: frozenset[TokenScope],
    days: int,
    unit: str,
    unit_id: int | None = None,
    sources: Sequence[str] = (),
    **facts: object,
) -> NewToken:
    """As `add_token`, as part of a larger act, with values that `check_token` has accepted; `facts` are for the audit
    too.
    """
    secret = TOKEN_PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    real_now = services.real.now()
    token = insert_token(
        act.tx,
        name=name,
        secret_hash=token_hash(secret),
        scopes=scopes,
        unit=unit,
        unit_id=unit_id,
        sources=sources,
        real_now=real_now,
        expires_at=real_now + timedelta(days=days),
    )
    if token is None:
        raise Conflict(
            Text("a token named %(name)s is in use: revoke it first, or choose another name", name=name)
        )
    if not scopes.isdisjoint({TokenScope.WARNINGS_WRITE, TokenScope.SIGNALS_WRITE}):
        add_sources(act.tx, {name, *token.sources})
    given = {"name": name, "scopes": sorted(scopes), "unit": unit, "days": days}
    act.audit("token_add", f"api_token/{token.id}", facts=given | {"sources": list(token.sources)} | facts)
    return NewToken(token=token, secret=secret)


def _scopes(words: Sequence[str]) -> frozenset[TokenScope]:
    fix = Text("one or more of %(known)s", known=", ".join(TokenScope))
    if not words:
        raise Invalid(field="scope", problem="is missing", fix=fix)
    try:
        return frozenset(map(TokenScope, words))
    except ValueError:
        raise Invalid(field="scope", problem="is not known", fix=fix) from None


def list_tokens(services: Services) -> list[ApiToken]:
    """All tokens, oldest first."""
    with services.store.begin() as tx:
        return all_tokens(tx)


def revoke_token(services: Services, actor: Actor, name: str) -> ApiToken:
    """Revokes the token; every process refuses it within seconds. Audited. Raises `NotFound`."""
    with services.act(actor, Permission.SEE_STAFF_CHANGES) as act:
        token = revoke_token_named(act.tx, name, real_now=services.real.now())
        if token is None:
            raise NotFound(kind="token", key=name)
        act.audit("token_revoke", f"api_token/{token.id}", facts={"name": name})
    return token


class TokenAuth:
    """Checks tokens. Caches each for a moment, so that a busy sender does not cost a query for each request."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._known: LRUCache[bytes, tuple[datetime, ApiToken]] = LRUCache(_CACHE_SIZE)
        self._lock = threading.Lock()

    def admit(self, secret: str, scope: TokenScope) -> ApiToken:
        """The valid token with this secret and scope. Raises `UnknownToken`, `ScopeMissing` and `Unavailable`."""
        token = self.recognise(secret)
        if scope not in token.scopes:
            raise ScopeMissing(scope=scope)
        return token

    def recognise(self, secret: str) -> ApiToken:
        """The valid token with this secret, whatever its scopes. Raises `UnknownToken` and `Unavailable`."""
        if not _SECRET.fullmatch(secret):
            raise UnknownToken
        digest = token_hash(secret)
        real_now = self._services.real.now()
        with self._lock:
            read_at, token = self._known.get(digest, (None, None))
        if read_at is None or not read_at <= real_now < read_at + _CACHED:
            with self._services.store.begin() as tx:
                token = find_token(tx, digest, today=real_now.astimezone(self._services.centre.zone).date())
            if token is not None:
                with self._lock:
                    self._known[digest] = real_now, token
        if token is None or not token.is_good(real_now=real_now):
            raise UnknownToken
        return token


def list_units(services: Services, *, visible_to: int | None) -> list[Unit]:
    """The unit and all below, each after its parent, closed ones too; None: all units."""
    with services.store.begin() as tx:
        found = list_units_of_tree(tx)
    mine = [unit for unit in found if visible_to is None or visible_to in unit.path]
    return sorted(mine, key=lambda unit: unit.path)


_EXTENSION: Final = re.compile(r"\+?[0-9]{3,15}|sip:[A-Za-z0-9_.+-]{1,64}@[A-Za-z0-9.-]{1,128}")


def choose_extension(services: Services, member: Member, typed: str) -> str:
    """Sets the telephone on the caller's desk, or none where nothing was typed; returns it as stored. Audited. Raises
    `Invalid`.
    """
    chosen = extension_of(services, typed) if typed.strip() else ""
    with services.act(member.actor, Permission.OWN_ACCOUNT) as act:
        set_staff(act.tx, member.id, extension=chosen)
        act.audit("extension", f"staff/{member.login}", facts={"extension": chosen})
    return chosen


def extension_of(services: Services, typed: str) -> str:
    """The telephone of a desk as the carrier expects it, which is one of the organisation's list. Raises `Invalid`."""
    own = typed.strip()
    if not own.startswith("sip:"):
        own = re.sub(r"[\s-]", "", own)
    if not _EXTENSION.fullmatch(own):
        raise Invalid(field="extension", problem="is not a telephone", fix="digits, or sip:name@host")
    if not services.numbers.is_extension(own):
        raise Invalid(
            field="extension",
            problem="is not a telephone of the centre",
            fix="one that numbers.extensions in settings.toml lists",
        )
    return own
