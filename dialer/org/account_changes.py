"""Changes of accounts that wait for a second person: an administrator asks, a security administrator confirms or
refuses, and nothing of the account changes before that. Rows and actions; every step is audited. Times are real.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from dialer.core.access import (
    STAFF_CHANGE_WORDS,
    Actor,
    Permission,
    Role,
    StaffChangeKind,
    StaffChangeState,
    needs_second_person,
    required_text,
)
from dialer.core.errors import Conflict, NotFound
from dialer.core.second_person import RequestEvent
from dialer.core.text import Text, gettext_noop
from dialer.db import tables as t
from dialer.db.acts import OpenAct
from dialer.db.second_person import RequestKind
from dialer.db.unit_of_work import Row, Tx, record_of
from dialer.db.units import check_unit, is_visible_to
from dialer.org.accounts import (
    LONGEST_REASON,
    LoginTaken,
    NewAccount,
    NewPassword,
    change_staff,
    check_revision,
    check_still_manages_staff,
    display_name_of,
    enable_account,
    enable_staff,
    get_account,
    insert_account,
    note_alone,
    revise_account,
    set_temporary_password,
)
from dialer.org.factors import remove_factors
from dialer.runtime.services import Services
from dialer.staff.passwords import hash_password, temporary_password
from dialer.staff.store import Member, find_member, is_staff_empty, lock_administrators
from dialer.work.tasks import return_work_of

CHANGES = RequestKind(
    table=t.staff_change,
    noun=gettext_noop("change"),
    words=STAFF_CHANGE_WORDS,
    acts={
        RequestEvent.APPROVED: "staff_change_confirmed",
        RequestEvent.REFUSED: "staff_change_refused",
        RequestEvent.WITHDRAWN: "staff_change_withdrawn",
    },
)
_PASSWORDS = frozenset({StaffChangeKind.ADD, StaffChangeKind.RESET_PASSWORD})
"""Kinds that end with a new password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffChange:
    """A change that was asked for; `role` and `unit_id` are the new ones."""

    id: int
    kind: StaffChangeKind
    staff_id: int | None
    """None for a new account."""
    revision: int | None
    login: str
    display_name: str
    role: Role
    unit_id: int | None
    language: str
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingChange:
    """A change as the page shows it, with the account as it is now; None for a new one."""

    change: StaffChange
    member: Member | None


def ask_new_account(
    services: Services,
    actor: Actor,
    *,
    login: str,
    display_name: str,
    role: Role,
    unit_id: int | None,
    language: str,
    why: str,
    alone: bool = False,
) -> NewPassword | None:
    """Asks for a new account. Returns it with its password where one person may make it: a clerk, the first account of
    all, or the first security administrator of a centre, for the whole centre; `alone`: any, if there is nobody to
    confirm it. Else returns None, and the account waits to be confirmed. Raises `Invalid`, `NotFound` and `Conflict`.
    """
    account = NewAccount.checked(
        login=login, display_name=display_name, role=role, unit_id=unit_id, language=language
    )
    chosen = temporary_password()
    made = hash_password(chosen)
    with services.act(actor, Permission.MANAGE_STAFF) as act:
        tx = act.tx
        check_unit(tx, unit_id, actor.unit_id)
        if find_member(tx, account.login) is not None:
            raise LoginTaken(account.login)
        is_first = unit_id is None and actor.unit_id is None and _is_first_security_administrator(tx, role)
        is_free = is_first or not needs_second_person(role) or is_staff_empty(tx)
        if is_free or alone:
            if not is_free:
                note_alone(act, StaffChangeKind.ADD.value, account.login, why=why)
            member = insert_account(
                act,
                services,
                account,
                password_hash=made,
                temporary_seconds=services.sessions.temporary_password_seconds,
                **({"alone": True} if is_first or not is_free else {}),
            )
            return NewPassword(member=member, password=chosen)
        _ask(
            act,
            services,
            StaffChangeKind.ADD,
            None,
            login=account.login,
            display_name=account.display_name,
            role=role,
            unit_id=unit_id,
            language=language,
            why=why,
        )
    return None


def ask_change(
    services: Services,
    actor: Actor,
    login: str,
    *,
    display_name: str,
    role: Role,
    unit_id: int | None,
    revision: int,
    why: str,
) -> bool:
    """Changes the account, or asks for the change. True: it is changed, since only its name differs. False: the other
    role or unit waits to be confirmed. Raises `NotFound`, `Invalid` and `Conflict`.
    """
    shown = display_name_of(display_name)
    with services.act(actor, Permission.MANAGE_STAFF) as act:
        check_unit(act.tx, unit_id, actor.unit_id)
        member = get_account(act.tx, login, actor.unit_id)
        check_revision(member, revision)
        is_same = (role, unit_id) == (member.role, member.unit_id)
        if is_same:
            act.needs_no_record()
        else:
            changed = replace(member, display_name=shown, role=role, unit_id=unit_id)
            _ask_for_existing(act, services, StaffChangeKind.CHANGE, changed, why=why)
    if is_same:
        change_staff(
            services, actor, login, display_name=shown, role=role, unit_id=unit_id, revision=revision
        )
    return is_same


def ask_reset_or_enable(
    services: Services,
    actor: Actor,
    kind: StaffChangeKind,
    login: str,
    *,
    why: str,
) -> bool:
    """Resets the password or the factors, or enables a disabled account, or asks for it. True: it is done, for a
    clerk's account that is enabled. False: it waits to be confirmed. Raises `NotFound`, `Invalid` and `Conflict`.
    """
    with services.act(actor, Permission.MANAGE_STAFF) as act:
        member = get_account(act.tx, login, actor.unit_id)
        waits = kind is not StaffChangeKind.ENABLE or needs_second_person(member.role)
        if not waits:
            act.needs_no_record()
        else:
            _ask_for_existing(act, services, kind, member, why=why)
    if not waits:
        enable_staff(services, actor, login)
    return not waits


def change_alone(
    services: Services, actor: Actor, kind: StaffChangeKind, login: str, *, why: str
) -> NewPassword | None:
    """Resets the password or the factors of an account, or enables it, at once, if there is nobody to confirm it.
    Returns the new password, if any. Raises `NotFound`, `Invalid` and `Conflict`.
    """
    chosen = temporary_password()
    made = hash_password(chosen)
    with services.act(actor, Permission.MANAGE_STAFF) as act:
        member = get_account(act.tx, login, actor.unit_id)
        note_alone(act, kind.value, login, why=why)
        changed = _reset_or_enable(act, services, kind, member, password_hash=made, alone=True)
    return NewPassword(member=changed, password=chosen) if kind in _PASSWORDS else None


def is_change_visible(visible_to: int | None) -> sa.ColumnElement[bool]:
    """A condition: the unit sees where the account is to be, and where it is now."""
    c, s = t.staff_change.c, t.staff.c
    elsewhere = sa.exists().where(s.login == c.login, ~is_visible_to(s.unit_id, visible_to))
    return sa.and_(is_visible_to(c.unit_id, visible_to), ~elsewhere)


def list_changes(services: Services, *, visible_to: int | None) -> list[WaitingChange]:
    """Changes that wait and have not expired, the oldest first."""
    c = t.staff_change.c
    with services.store.begin() as tx:
        rows = tx.rows(
            sa.select(t.staff_change)
            .where(CHANGES.waits(services.real.now()), is_change_visible(visible_to))
            .order_by(c.asked_at, c.id)
        )
        return [WaitingChange(change=_change(tx, row), member=find_member(tx, row["login"])) for row in rows]


def confirm_change(services: Services, actor: Actor, change_id: int) -> NewPassword | None:
    """Carries out the change; returns the new password, if any, which the person who confirms sees and the one who
    asked does not. Raises `NotFound` and `Conflict`.
    """
    chosen = temporary_password()
    made = hash_password(chosen)
    with services.act(actor, Permission.CONFIRM_STAFF_CHANGES) as act:
        row, change = _lock_waiting(act, services, change_id)
        _decide(act, services, row, RequestEvent.APPROVED, concerned=[change.login])
        asker = check_still_manages_staff(act.tx, change.asked_by)
        member = find_member(act.tx, change.login)
        # In the name of who asked for it; the line of the audit names who confirmed it too.
        asked = OpenAct(act.tx, asker.actor, services.clock.now)
        changed = _carry_out(asked, services, change, member, password_hash=made, confirmed_by=act.by)
    if change.kind is StaffChangeKind.CHANGE:
        return_work_of(services, asker.actor, change.login)
    return NewPassword(member=changed, password=chosen) if change.kind in _PASSWORDS else None


def refuse_change(services: Services, actor: Actor, change_id: int) -> None:
    """Refuses the change; the account stays as it is. Raises `NotFound` and `Conflict`."""
    with services.act(actor, Permission.CONFIRM_STAFF_CHANGES) as act:
        row, _ = _lock_waiting(act, services, change_id)
        _decide(act, services, row, RequestEvent.REFUSED)


def withdraw_change(services: Services, actor: Actor, change_id: int) -> None:
    """Withdraws the change that an administrator asked for. Raises `NotFound` and `Conflict`."""
    with services.act(actor, Permission.MANAGE_STAFF) as act:
        row, _ = _lock_waiting(act, services, change_id)
        _decide(act, services, row, RequestEvent.WITHDRAWN)


def _is_first_security_administrator(tx: Tx, role: Role) -> bool:
    """Whether there has never been one; a disabled one counts too, so that disabling the only one bypasses nobody. Of
    two at once one waits.
    """
    if role is not Role.SECURITY_ADMINISTRATOR:
        return False
    lock_administrators(tx)
    found = sa.select(t.staff.c.id).where(t.staff.c.role == role.value).limit(1)
    return tx.scalar(found) is None


def _ask_for_existing(
    act: OpenAct, services: Services, kind: StaffChangeKind, member: Member, *, why: str
) -> None:
    """Asks for a change of an existing account; `member` is the account as it is to be."""
    _ask(
        act,
        services,
        kind,
        member,
        login=member.login,
        display_name=member.display_name,
        role=member.role,
        unit_id=member.unit_id,
        language=member.language,
        why=why,
    )


def _ask(
    act: OpenAct,
    services: Services,
    kind: StaffChangeKind,
    member: Member | None,
    *,
    login: str,
    role: Role,
    unit_id: int | None,
    why: str,
    **columns: object,
) -> None:
    tx, reason = act.tx, required_text("why", why)[:LONGEST_REASON]
    if not lock_administrators(tx, Role.SECURITY_ADMINISTRATOR):
        raise Conflict(
            "a security administrator must confirm this: make an account for one first, of the whole centre"
        )
    real_now, c = services.real.now(), t.staff_change.c
    waiting = (c.login == login, c.state == StaffChangeState.WAITING.value)
    CHANGES.expire(tx, c.login == login, now=real_now)
    if tx.scalar(sa.select(c.id).where(*waiting)) is not None:
        raise Conflict(
            Text(
                "a change of %(login)s waits already: it is confirmed, refused or withdrawn first",
                login=login,
            )
        )
    change_id = tx.scalar(
        sa.insert(t.staff_change)
        .values(
            kind=kind.value,
            staff_id=None if member is None else member.id,
            revision=None if member is None else member.revision,
            login=login,
            role=role.value,
            unit_id=unit_id,
            why_sealed=tx.vault.seal(reason.encode(), **_place(kind, login, act.by)),
            asked_by=act.by,
            asked_at=real_now,
            expires_at=real_now + timedelta(seconds=services.sessions.confirm_seconds),
            **columns,
        )
        .returning(c.id)
    )
    facts = {"login": login, "kind": kind.value, "role": role.value, "unit_id": unit_id}
    act.audit("staff_change_asked", f"staff_change/{change_id}", why=reason, facts=facts)


def _place(kind: StaffChangeKind, login: str, by: str) -> dict[str, str]:
    """What the sealed reason is bound to."""
    return {"table": "staff_change", "column": "why_sealed", "row": f"{kind.value}/{login}/{by}"}


def _change(tx: Tx, row: Row) -> StaffChange:
    place = _place(StaffChangeKind(row["kind"]), row["login"], row["asked_by"])
    return record_of(StaffChange, row, why=tx.vault.open(bytes(row["why_sealed"]), **place).decode())


def _lock_waiting(act: OpenAct, services: Services, change_id: int) -> tuple[Row, StaffChange]:
    seen = is_change_visible(act.actor.unit_id)
    row = CHANGES.lock(act.tx, change_id, seen, now=services.real.now())
    return row, _change(act.tx, row)


def _decide(
    act: OpenAct, services: Services, row: Row, event: RequestEvent, concerned: Sequence[str] = ()
) -> None:
    facts = {name: row[name] for name in ("login", "kind", "asked_by")}
    CHANGES.decide(act, row, event, decided_at=services.real.now(), concerned=concerned, facts=facts)


def _carry_out(
    act: OpenAct,
    services: Services,
    change: StaffChange,
    member: Member | None,
    *,
    password_hash: str,
    **facts: object,
) -> Member:
    """Carries out the change; returns the account as it is afterwards. `facts`: for its line in the audit."""
    if change.kind is StaffChangeKind.ADD:
        return insert_account(
            act,
            services,
            NewAccount(
                login=change.login,
                display_name=change.display_name,
                role=change.role,
                unit_id=change.unit_id,
                language=change.language,
            ),
            password_hash=password_hash,
            temporary_seconds=services.sessions.temporary_password_seconds,
            **facts,
        )
    if member is None or change.revision is None:
        raise NotFound(kind="account", key=change.login)
    if change.kind is StaffChangeKind.CHANGE:
        check_revision(member, change.revision)
        shown, role, unit_id = change.display_name, change.role, change.unit_id
        revise_account(act, services, member, display_name=shown, role=role, unit_id=unit_id, **facts)
        return get_account(act.tx, change.login)
    return _reset_or_enable(act, services, change.kind, member, password_hash=password_hash, **facts)


def _reset_or_enable(
    act: OpenAct,
    services: Services,
    kind: StaffChangeKind,
    member: Member,
    *,
    password_hash: str,
    **facts: object,
) -> Member:
    """The account as it is afterwards. `kind`: of a change that leaves name, role and unit."""
    if kind is StaffChangeKind.RESET_PASSWORD:
        return set_temporary_password(act, services, member, password_hash=password_hash, **facts)
    if kind is StaffChangeKind.ENABLE:
        enable_account(act, member, **facts)
    else:
        remove_factors(act, services, member, **facts)
    return get_account(act.tx, member.login)
