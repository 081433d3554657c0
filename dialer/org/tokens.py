"""API tokens that are asked for on the console: an administrator asks, a security administrator confirms and sees the
secret once. Rows and actions; every step is audited. Times are real.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from dialer.core.access import (
    STAFF_CHANGE_WORDS,
    Actor,
    Permission,
    Role,
    StaffChangeState,
    required_text,
)
from dialer.core.errors import Conflict
from dialer.core.second_person import RequestEvent
from dialer.core.text import Text, gettext_noop
from dialer.db import tables as t
from dialer.db.acts import OpenAct
from dialer.db.second_person import RequestKind
from dialer.db.unit_of_work import Row, record_of
from dialer.org.accounts import LONGEST_REASON, check_still_manages_staff, note_alone
from dialer.runtime.services import Services
from dialer.staff.sign_in import NewToken, check_token, make_token, typed_unit_of_token
from dialer.staff.store import is_staff_empty, lock_administrators
from dialer.staff.token_store import TokenScope

TOKEN_REQUESTS = RequestKind(
    table=t.token_request,
    noun=gettext_noop("request for a token"),
    words=STAFF_CHANGE_WORDS,
    acts={
        RequestEvent.APPROVED: "token_confirmed",
        RequestEvent.REFUSED: "token_refused",
        RequestEvent.WITHDRAWN: "token_withdrawn",
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """A request for a token that waits to be confirmed."""

    id: int
    name: str
    scopes: frozenset[TokenScope]
    unit: str
    """Its only unit; '' for the whole city."""
    sources: Sequence[str]
    """Sources for which it may send warnings and signals, besides that of its own name."""
    days: int
    why: str
    asked_by: str
    asked_at: datetime
    expires_at: datetime


def ask_token(
    services: Services,
    actor: Actor,
    *,
    name: str,
    scopes: Sequence[str],
    days: int,
    unit: str,
    sources: Sequence[str] = (),
    why: str,
    alone: bool = False,
) -> NewToken | None:
    """Requests a token, which a security administrator must confirm. Returns it where nobody has an account yet, and
    with `alone` if there is nobody to confirm it; else None. Raises `Invalid`, and `Conflict` where the name is in use
    or requested already, or where nobody can confirm.
    """
    wanted = check_token(name=name, scopes=scopes, days=days, unit=unit, sources=sources)
    real_now, c = services.real.now(), t.token_request.c
    with services.act(actor, Permission.MANAGE_STAFF) as act:
        tx = act.tx
        unit_id = typed_unit_of_token(tx, services, unit)
        if (is_first := is_staff_empty(tx)) or alone:
            if not is_first:
                note_alone(act, "token", name, why=why)
            return make_token(
                act,
                services,
                name=name,
                scopes=wanted,
                days=days,
                unit=unit,
                unit_id=unit_id,
                sources=sources,
            )
        reason = required_text("why", why)[:LONGEST_REASON]
        if not lock_administrators(tx, Role.SECURITY_ADMINISTRATOR):
            raise Conflict(
                "a security administrator must confirm this: make an account for one first, of the whole centre"
            )
        in_use = sa.select(t.api_token.c.id).where(
            t.api_token.c.name == name, t.api_token.c.revoked_at.is_(None)
        )
        if tx.scalar(in_use) is not None:
            raise Conflict(
                Text("a token named %(name)s is in use: revoke it first, or choose another name", name=name)
            )
        waiting = (c.name == name, c.state == StaffChangeState.WAITING.value)
        TOKEN_REQUESTS.expire(tx, c.name == name, now=real_now)
        if tx.scalar(sa.select(c.id).where(*waiting)) is not None:
            raise Conflict(Text("a token named %(name)s is asked for already", name=name))
        request_id = tx.scalar(
            sa.insert(t.token_request)
            .values(
                name=name,
                scopes=sorted(scope.value for scope in wanted),
                unit=unit,
                unit_id=unit_id,
                sources=list(sources),
                days=days,
                why=reason,
                asked_by=act.by,
                asked_at=real_now,
                expires_at=real_now + timedelta(seconds=services.sessions.confirm_seconds),
                state=StaffChangeState.WAITING.value,
            )
            .returning(c.id)
        )
        facts = {"name": name, "scopes": sorted(wanted), "unit": unit, "days": days, "sources": list(sources)}
        act.audit("token_asked", f"token_request/{request_id}", why=reason, facts=facts)
    return None


def waiting_tokens(services: Services) -> list[TokenRequest]:
    """Requests for tokens that wait and have not expired, the oldest first."""
    c = t.token_request.c
    with services.store.begin() as tx:
        rows = tx.rows(
            sa.select(t.token_request)
            .where(TOKEN_REQUESTS.waits(services.real.now()))
            .order_by(c.asked_at, c.id)
        )
        return [record_of(TokenRequest, row) for row in rows]


def confirm_token(services: Services, actor: Actor, request_id: int) -> NewToken:
    """Makes the token; the person who confirms sees its secret, the one who asked does not. It is valid for its days
    from now on. Raises `NotFound` and `Conflict`.
    """
    with services.act(actor, Permission.CONFIRM_STAFF_CHANGES) as act:
        row = TOKEN_REQUESTS.lock(act.tx, request_id, now=services.real.now())
        check_still_manages_staff(act.tx, row["asked_by"])
        wanted = {name: row[name] for name in ("name", "days", "unit", "unit_id", "sources", "asked_by")}
        new = make_token(act, services, scopes=frozenset(map(TokenScope, row["scopes"])), **wanted)
        _decide(act, services, row, RequestEvent.APPROVED, token_id=new.token.id)
    return new


def refuse_token(services: Services, actor: Actor, request_id: int) -> None:
    """Refuses the request, or withdraws it if the actor made it; no token is made. Raises `NotFound` and `Conflict`."""
    with services.act(actor, Permission.SEE_STAFF_CHANGES) as act:
        row = TOKEN_REQUESTS.lock(act.tx, request_id, now=services.real.now())
        event = RequestEvent.WITHDRAWN if actor.signed(row["asked_by"]) else RequestEvent.REFUSED
        _decide(act, services, row, event)


def _decide(
    act: OpenAct, services: Services, row: Row, event: RequestEvent, *, token_id: int | None = None
) -> None:
    facts = {name: row[name] for name in ("name", "asked_by")}
    real_now, columns = services.real.now(), {"token_id": token_id}
    TOKEN_REQUESTS.decide(act, row, event, decided_at=real_now, facts=facts, columns=columns)
