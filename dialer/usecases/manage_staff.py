"""Accounts: made, changed, disabled, reset, by an administrator or at the terminal. Everything here is audited."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta

from dialer.domain.access import RESERVED_NAMES, Role, actor_name
from dialer.domain.sessions import SessionRules
from dialer.errors import Conflict, Invalid, NotFound
from dialer.language import Text
from dialer.store import audits, sign_in_failures, staff, staff_sessions, units
from dialer.store.staff import Member
from dialer.store.staff_sessions import Session
from dialer.store.unit_of_work import Tx
from dialer.usecases import passwords
from dialer.usecases.claim_errand import return_work_of
from dialer.usecases.engine import Engine

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,31}")
_NAME_MOST = 60
LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPassword:
    """The only moment at which the password exists on our side."""

    member: Member
    password: str = field(repr=False)


def add_staff(
    engine: Engine,
    *,
    login: str,
    display_name: str,
    role: Role,
    unit_id: int | None,
    language: str,
    by: str,
    seen_by: int | None = None,
    password: str | None = None,
) -> NewPassword:
    """A new account with a password to be changed at the first sign-in, or with the `password` given, which stays.
    Raises `Invalid`, and `Conflict` where the login is taken.
    """
    who, name, shown = actor_name(by), login_of(login), display_name_of(display_name)
    if language not in LANGUAGES:
        raise Invalid(field="language", problem="is not zh or en")
    chosen = password if password is not None else passwords.temporary()
    passwords.check(chosen, login=name)
    made = passwords.hashed(chosen)
    with engine.store.begin() as tx:
        _check_unit(tx, unit_id, seen_by)
        member = staff.add(
            tx,
            login=name,
            display_name=shown,
            password_hash=made,
            role=role,
            unit_id=unit_id,
            language=language,
            must_change=password is None,
            by=who,
            real_now=engine.real.now(),
        )
        if member is None:
            raise Conflict(Text("an account named %(name)s exists already: choose another login", name=name))
        note(tx, engine, who, "staff_add", member, role=role.value, unit_id=unit_id)
    return NewPassword(member=member, password=chosen)


def list_staff(engine: Engine, *, seen_by: int | None = None) -> list[Member]:
    """All accounts, or those of one unit and all below."""
    with engine.store.begin() as tx:
        return staff.every(tx, seen_by=seen_by)


def show_staff(engine: Engine, login: str, *, seen_by: int | None) -> Member:
    """Raises `NotFound`."""
    with engine.store.begin() as tx:
        return _found(tx, login, seen_by)


def change_staff(
    engine: Engine,
    login: str,
    *,
    display_name: str,
    role: Role,
    unit_id: int | None,
    revision: int,
    by: str,
    seen_by: int | None = None,
) -> Member:
    """The account is this from now on, at once in every session of it. Raises `NotFound`, `Invalid`, and `Conflict`
    when somebody changed it since `revision`, or the last administrator would be one no longer.
    """
    who, shown = actor_name(by), display_name_of(display_name)
    with engine.store.begin() as tx:
        _check_unit(tx, unit_id, seen_by)
        member = _found(tx, login, seen_by)
        if member.revision != revision:
            raise Conflict(
                Text("%(login)s was changed meanwhile: look again", login=login), current=member.display_name
            )
        if role is not Role.ADMINISTRATOR:
            _keep_an_administrator(tx, member)
        staff.set_place(tx, member.id, display_name=shown, role=role, unit_id=unit_id)
        note(tx, engine, who, "staff_change", member, role=role.value, unit_id=unit_id)
        return _found(tx, login)


def disable_staff(engine: Engine, login: str, *, by: str, seen_by: int | None = None) -> Member:
    """The account opens nothing from now on, its sessions have ended and its work is open again. Raises `NotFound`,
    and `Conflict` for the last administrator or oneself.
    """
    who, real_now = actor_name(by), engine.real.now()
    with engine.store.begin() as tx:
        member = _found(tx, login, seen_by)
        if member.login == who:
            raise Conflict("nobody disables the own account")
        _keep_an_administrator(tx, member)
        staff.set_disabled(tx, member.id, disabled_at=real_now)
        staff_sessions.end_all(tx, member.id, real_now=real_now)
        note(tx, engine, who, "staff_disable", member)
        after = _found(tx, login)
    return_work_of(engine, member.login, by=who)
    return after


def enable_staff(engine: Engine, login: str, *, by: str, seen_by: int | None = None) -> Member:
    """The account opens again with its old password. Raises `NotFound` and `Invalid`."""
    who = actor_name(by)
    with engine.store.begin() as tx:
        member = _found(tx, login, seen_by)
        staff.set_disabled(tx, member.id, disabled_at=None)
        note(tx, engine, who, "staff_enable", member)
        return _found(tx, login)


def reset_password(engine: Engine, login: str, *, by: str, seen_by: int | None = None) -> NewPassword:
    """A new password to be changed at the next sign-in; locks are gone and all sessions have ended. Raises
    `NotFound`.
    """
    who, chosen = actor_name(by), passwords.temporary()
    made = passwords.hashed(chosen)
    real_now = engine.real.now()
    with engine.store.begin() as tx:
        member = _found(tx, login, seen_by)
        staff.set_password(tx, member.id, password_hash=made, must_change=True, real_now=real_now)
        sign_in_failures.clear(tx, sign_in_failures.key(tx, "login", member.login))
        staff_sessions.end_all(tx, member.id, real_now=real_now)
        note(tx, engine, who, "staff_reset", member)
        return NewPassword(member=_found(tx, login), password=chosen)


def choose_language(engine: Engine, staff_id: int, language: str) -> None:
    if language not in LANGUAGES:
        raise Invalid(field="language", problem="is not zh or en")
    with engine.store.begin() as tx:
        staff.set_language(tx, staff_id, language)


def list_sessions(engine: Engine, rules: SessionRules, login: str | None = None) -> list[Session]:
    """Sessions that open something now, of everybody or of one. Raises `NotFound`."""
    real_now = engine.real.now()
    with engine.store.begin() as tx:
        return staff_sessions.open_ones(
            tx,
            real_now=real_now,
            idle_since=real_now - timedelta(seconds=rules.idle_seconds),
            staff_id=_found(tx, login).id if login is not None else None,
        )


def end_sessions(engine: Engine, login: str, *, by: str, seen_by: int | None = None) -> int:
    """How many sessions of this account have ended now. Raises `NotFound` and `Invalid`."""
    who = actor_name(by)
    with engine.store.begin() as tx:
        member = _found(tx, login, seen_by)
        ended = staff_sessions.end_all(tx, member.id, real_now=engine.real.now())
        note(tx, engine, who, "sessions_end", member, ended=ended)
    return ended


def login_of(login: str) -> str:
    """In its one form. Raises `Invalid`."""
    name = login.strip().lower()
    if not _LOGIN.fullmatch(name):
        raise Invalid(
            field="login", problem="is no login", mend="2 to 32 of small letters, digits, '.', '_', '-'"
        )
    if name in RESERVED_NAMES:
        raise Invalid(field="login", problem="is a name that only the service signs with")
    return name


def display_name_of(display_name: str) -> str:
    """In its one form. Raises `Invalid`."""
    shown = " ".join(display_name.split())
    if not 1 <= len(shown) <= _NAME_MOST:
        raise Invalid(
            field="display_name",
            problem=Text("is empty or longer than %(most)s characters", most=_NAME_MOST),
        )
    return shown


def _check_unit(tx: Tx, unit_id: int | None, seen_by: int | None) -> None:
    """Raises `NotFound` where there is no such unit, or none that `seen_by` sees."""
    if unit_id is not None:
        units.get(tx, unit_id)
    if not _is_seen(tx, unit_id, seen_by):
        raise NotFound(kind="unit", key=unit_id)


def _found(tx: Tx, login: str, seen_by: int | None = None) -> Member:
    """Raises `NotFound`, also for one that the unit `seen_by` does not see."""
    member = staff.find(tx, login.strip().lower())
    if member is None or not _is_seen(tx, member.unit_id, seen_by):
        raise NotFound(kind="account", key=login)
    return member


def _is_seen(tx: Tx, unit_id: int | None, seen_by: int | None) -> bool:
    return seen_by is None or (unit_id is not None and seen_by in units.get(tx, unit_id).path)


def _keep_an_administrator(tx: Tx, member: Member) -> None:
    """Raises `Conflict` when `member` is the last one who can manage accounts. Two at once take turns."""
    if member.role is not Role.ADMINISTRATOR or member.disabled_at is not None:
        return
    if staff.lock_administrators(tx) <= {member.id}:
        raise Conflict("this is the last administrator: make another one first")


def note(tx: Tx, engine: Engine, by: str, act: str, member: Member, **facts: object) -> None:
    """One line of audit about this account."""
    audits.write(
        tx,
        who=by,
        act=act,
        subject=f"staff/{member.id}",
        why="",
        now=engine.clock.now(),
        facts={"login": member.login} | facts,
    )
