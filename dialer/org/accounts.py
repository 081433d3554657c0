"""Accounts of staff: add, change, disable, reset; and the first administrator, by a link that works once. All
audited.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta

from dialer.core.access import (
    FIRST_LINK,
    RESERVED_NAMES,
    TERMINAL_NAME,
    Actor,
    Permission,
    Role,
    required_text,
)
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.events import AlarmCode
from dialer.core.text import Text, gettext_noop
from dialer.db.acts import OpenAct
from dialer.db.alarms import raise_alarm
from dialer.db.unit_of_work import Tx
from dialer.db.units import check_unit, is_unit_visible
from dialer.runtime.services import Services
from dialer.staff.passwords import check_password, hash_password, temporary_password
from dialer.staff.sign_in import SignedIn, audit_sign_in, centre_words, complete_sign_in, token_hash
from dialer.staff.store import (
    Member,
    Session,
    end_session,
    end_sessions_of,
    find_member,
    insert_member,
    is_sign_in_link_good,
    is_staff_empty,
    lock_administrators,
    lock_logins_of,
    make_first_sign_in_link,
    open_sessions,
    revise_staff,
    set_staff_password,
    use_sign_in_link,
)
from dialer.work.tasks import return_work_of

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,31}")
_NAME_MOST = 60
LONGEST_REASON = 500
LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPassword:
    """An account with its new password, which is stored only as a hash."""

    member: Member
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """The checked details of an account to be made."""

    login: str
    display_name: str
    role: Role
    unit_id: int | None
    language: str

    @classmethod
    def checked(
        cls, *, login: str, display_name: str, role: Role, unit_id: int | None, language: str
    ) -> NewAccount:
        """The details as a person typed them, checked. Raises `Invalid`."""
        if language not in LANGUAGES:
            raise Invalid(field="language", problem="is not zh or en")
        return cls(
            login=login_of(login),
            display_name=display_name_of(display_name),
            role=role,
            unit_id=unit_id,
            language=language,
        )


class LoginTaken(Conflict):
    """An account with this login exists, disabled or not."""

    def __init__(self, login: str) -> None:
        super().__init__(Text("an account named %(name)s exists already: choose another login", name=login))


def add_staff(
    services: Services,
    actor: Actor,
    *,
    login: str,
    display_name: str,
    role: Role,
    unit_id: int | None,
    language: str,
    password: str | None = None,
) -> NewPassword:
    """A new account with a password that is valid for a while and must be changed at the first sign-in, or with the
    `password` given, which stays valid. Raises `Invalid`, and `Conflict` where the login is taken.
    """
    account = NewAccount.checked(
        login=login, display_name=display_name, role=role, unit_id=unit_id, language=language
    )
    chosen = password if password is not None else temporary_password()
    if password is not None:
        check_password(chosen, login=account.login, words=[account.display_name, *centre_words(services)])
    made = hash_password(chosen)
    seconds = services.sessions.temporary_password_seconds if password is None else None
    with services.act(actor, Permission.MANAGE_STAFF) as act:
        check_unit(act.tx, unit_id, actor.unit_id)
        member = insert_account(act, services, account, password_hash=made, temporary_seconds=seconds)
    return NewPassword(member=member, password=chosen)


def insert_account(
    act: OpenAct,
    services: Services,
    account: NewAccount,
    *,
    password_hash: str,
    temporary_seconds: float | None,
    **facts: object,
) -> Member:
    """The new account; its password expires after `temporary_seconds`, or never if that is None. Raises `Conflict`
    where the login is taken.
    """
    real_now = services.real.now()
    member = insert_member(
        act.tx,
        login=account.login,
        display_name=account.display_name,
        password_hash=password_hash,
        role=account.role,
        unit_id=account.unit_id,
        language=account.language,
        must_change=temporary_seconds is not None,
        by=act.by,
        real_now=real_now,
        password_until=None if temporary_seconds is None else real_now + timedelta(seconds=temporary_seconds),
    )
    if member is None:
        raise LoginTaken(account.login)
    audit_member(act, "staff_add", member, role=account.role.value, unit_id=account.unit_id, **facts)
    return member


def change_staff(
    services: Services,
    actor: Actor,
    login: str,
    *,
    display_name: str,
    role: Role,
    unit_id: int | None,
    revision: int,
) -> None:
    """Changes the account; another role or unit ends its sessions and returns its work to the queue. Raises `NotFound`,
    `Invalid`, and `Conflict` when somebody changed it since `revision`, or for another role of the last administrator.
    """
    shown = display_name_of(display_name)
    with services.act(actor, Permission.MANAGE_STAFF) as act:
        check_unit(act.tx, unit_id, actor.unit_id)
        member = get_account(act.tx, login, actor.unit_id)
        check_revision(member, revision)
        revise_account(act, services, member, display_name=shown, role=role, unit_id=unit_id)
    if (role, unit_id) != (member.role, member.unit_id):
        return_work_of(services, actor, member.login)


def check_still_manages_staff(tx: Tx, login: str) -> Member:
    """The account that asked for something. Raises `Conflict` if it may no longer manage accounts."""
    asker = find_member(tx, login)
    if asker is None or asker.disabled_at is not None or not asker.actor.may(Permission.MANAGE_STAFF):
        raise Conflict("who asked for this may no longer manage accounts: refuse it")
    return asker


def check_revision(member: Member, revision: int) -> None:
    """Raises `Conflict` where somebody changed the account since `revision`."""
    if member.revision != revision:
        raise Conflict(
            Text("%(login)s was changed meanwhile: reload the page", login=member.login),
            current=member.display_name,
        )


def revise_account(
    act: OpenAct,
    services: Services,
    member: Member,
    *,
    display_name: str,
    role: Role,
    unit_id: int | None,
    **facts: object,
) -> None:
    """Gives the account this name, role and unit; another role or unit ends its sessions. Raises `Conflict` for another
    role of the last administrator of a kind.
    """
    if role is not member.role:
        _check_not_last_administrator(act.tx, member)
    revise_staff(act.tx, member.id, display_name=display_name, role=role.value, unit_id=unit_id)
    if (role, unit_id) != (member.role, member.unit_id):
        end_sessions_of(act.tx, member.id, real_now=services.real.now())
    audit_member(act, "staff_change", member, role=role.value, unit_id=unit_id, **facts)


def disable_staff(services: Services, actor: Actor, login: str) -> None:
    """Disables the account, ends its sessions and returns its work to the queue. Raises `NotFound`, and `Conflict` for
    the last administrator and for one's own account.
    """
    real_now = services.real.now()
    with services.act(actor, Permission.MANAGE_STAFF) as act:
        tx = act.tx
        member = get_account(tx, login, actor.unit_id)
        if actor.signed(member.login):
            raise Conflict("you cannot disable your own account")
        _check_not_last_administrator(tx, member)
        revise_staff(tx, member.id, disabled_at=real_now, locked_until=None)
        end_sessions_of(tx, member.id, real_now=real_now)
        audit_member(act, "staff_disable", member)
    return_work_of(services, actor, member.login)


def enable_staff(services: Services, actor: Actor, login: str) -> None:
    """Enables the account, with its old password. Raises `NotFound` and `Invalid`."""
    with services.act(actor, Permission.MANAGE_STAFF) as act:
        enable_account(act, get_account(act.tx, login, actor.unit_id))


def enable_account(act: OpenAct, member: Member, **facts: object) -> None:
    """Enables the account."""
    revise_staff(act.tx, member.id, disabled_at=None, locked_until=None)
    audit_member(act, "staff_enable", member, **facts)


def note_alone(act: OpenAct, kind: str, name: str, *, why: str) -> None:
    """Raises the alarm and audits that somebody does alone what a second person confirms. `kind`: of change; `name`:
    the account's login or the token's name. Raises `Conflict` where a security administrator can confirm it, and
    `Invalid` without a reason.
    """
    reason = required_text("why", why)[:LONGEST_REASON]
    able = lock_logins_of(act.tx, Role.SECURITY_ADMINISTRATOR, without=(name, act.by))
    if able:
        raise Conflict(
            Text("%(login)s can confirm this in the console: ask for it, not alone", login=able[0])
        )
    facts = {"who": act.by, "change": kind, "name": name}
    raise_alarm(act.tx, AlarmCode.CHANGED_ALONE, now=act.now, facts=facts)
    act.audit("changed_alone", f"staff/{name}", why=reason, facts={"kind": kind})


def set_temporary_password(
    act: OpenAct, services: Services, member: Member, *, password_hash: str, **facts: object
) -> Member:
    """Sets a password that is valid for a while and ends all sessions of the account; returns the account."""
    real_now = services.real.now()
    set_staff_password(
        act.tx,
        member.id,
        password_hash=password_hash,
        real_now=real_now,
        temporary_until=real_now + timedelta(seconds=services.sessions.temporary_password_seconds),
    )
    audit_member(act, "staff_reset", member, **facts)
    return get_account(act.tx, member.login)


def list_sessions(services: Services, login: str | None = None) -> list[Session]:
    """Valid sessions that are not idle, of all accounts or of one. Raises `NotFound`."""
    real_now = services.real.now()
    with services.store.begin() as tx:
        return open_sessions(
            tx,
            real_now=real_now,
            idle_since=real_now - timedelta(seconds=services.sessions.idle_seconds),
            staff_id=get_account(tx, login).id if login is not None else None,
        )


def end_sessions(services: Services, actor: Actor, login: str) -> int:
    """Ends all sessions of the account; returns how many. Raises `NotFound` and `Invalid`."""
    with services.act(actor, Permission.MANAGE_STAFF, Permission.OWN_ACCOUNT) as act:
        member = get_account(act.tx, login, actor.unit_id)
        if not actor.signed(member.login):
            actor.check_may(Permission.MANAGE_STAFF)
        ended = end_sessions_of(act.tx, member.id, real_now=services.real.now())
        audit_member(act, "sessions_end", member, ended=ended)
    return ended


def end_own_session(services: Services, member: Member, session_id: int) -> None:
    """Ends one session of the person's own account. Raises `NotFound`."""
    with services.act(member.actor, Permission.OWN_ACCOUNT) as act:
        if not end_session(act.tx, session_id, real_now=services.real.now(), staff_id=member.id):
            raise NotFound(kind="session", key=session_id)
        audit_member(act, "sessions_end", member, ended=1)


def login_of(login: str) -> str:
    """The login in lower case, without spaces around it. Raises `Invalid`."""
    name = login.strip().lower()
    if not _LOGIN.fullmatch(name):
        raise Invalid(
            field="login", problem="is not a login", fix="2 to 32 of small letters, digits, '.', '_', '-'"
        )
    if name in RESERVED_NAMES or name == TERMINAL_NAME:
        raise Invalid(field="login", problem="is a name that only the service signs with")
    return name


def display_name_of(display_name: str) -> str:
    """The name with single spaces. Raises `Invalid`."""
    shown = " ".join(display_name.split())
    if not 1 <= len(shown) <= _NAME_MOST:
        raise Invalid(
            field="display_name", problem=Text("is empty or longer than %(most)s characters", most=_NAME_MOST)
        )
    return shown


def get_account(tx: Tx, login: str, visible_to: int | None = None) -> Member:
    """The account. Raises `NotFound`, also for one outside the unit `visible_to`."""
    member = find_member(tx, login.strip().lower())
    if member is None or not is_unit_visible(tx, member.unit_id, visible_to):
        raise NotFound(kind="account", key=login)
    return member


_LAST = {
    Role.ADMINISTRATOR: gettext_noop("this is the last administrator: add another one first"),
    Role.SECURITY_ADMINISTRATOR: gettext_noop(
        "this is the last security administrator: add another one first"
    ),
}


def _check_not_last_administrator(tx: Tx, member: Member) -> None:
    """Raises `Conflict` when `member` is the last administrator of a kind. The rows stay locked to the end of the
    transaction.
    """
    if member.role not in _LAST or member.disabled_at is not None:
        return
    if lock_administrators(tx, member.role) <= {member.id}:
        raise Conflict(_LAST[member.role])


def audit_member(act: OpenAct, name: str, member: Member, **facts: object) -> None:
    """One line of audit about this account, with its login."""
    act.audit(name, f"staff/{member.id}", facts={"login": member.login, **facts})


def make_first_link(services: Services, *, seconds: float) -> str | None:
    """The token of a link by which the first administrator is made; it replaces every earlier one. None when there
    are accounts already.
    """
    token = temporary_password().replace("-", "") + temporary_password().replace("-", "")
    real_now = services.real.now()
    with services.store.begin() as tx:
        if not is_staff_empty(tx):
            return None
        make_first_sign_in_link(
            tx,
            token_hash=token_hash(token),
            real_now=real_now,
            expires_at=real_now + timedelta(seconds=seconds),
        )
    return token


def is_first_link_good(services: Services, token: str) -> bool:
    """True while the token is that of the current link and there is no account."""
    with services.store.begin() as tx:
        return is_staff_empty(tx) and is_sign_in_link_good(
            tx, token_hash(token), real_now=services.real.now()
        )


def make_first_administrator(
    services: Services,
    *,
    token: str,
    login: str,
    display_name: str,
    password: str,
    again: str,
    language: str,
    address: str,
) -> SignedIn:
    """The first account, signed in; the link is used up. Raises `Invalid`, and `NotFound` for a link that is not valid
    or a centre that has accounts.
    """
    name, shown = login_of(login), display_name_of(display_name)
    if password != again:
        raise Invalid(field="again", problem="is not the same as the password")
    check_password(password, login=name, words=[shown, *centre_words(services)])
    made = hash_password(password)
    real_now = services.real.now()
    with services.store.begin() as tx:
        if not use_sign_in_link(tx, token_hash(token), real_now=real_now) or not is_staff_empty(tx):
            raise NotFound(kind="link", key="")
        member = insert_member(
            tx,
            login=name,
            display_name=shown,
            password_hash=made,
            role=Role.ADMINISTRATOR,
            unit_id=None,
            language=language if language in LANGUAGES else LANGUAGES[0],
            must_change=False,
            by=FIRST_LINK,
            real_now=real_now,
        )
        assert member is not None
        facts = {"login": name, "role": member.role.value, "unit_id": None}
        audit_sign_in(tx, services, name, "staff_add", member.id, **facts)
        return complete_sign_in(tx, services, member, address=address, how="link")
