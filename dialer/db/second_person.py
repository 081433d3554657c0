"""Rows that wait for a second person. Each kind of request is a table of its own; who may decide, what a decision
changes, its line of the audit, and when nobody decided in time are the same for all
(docs/decisions/0825-one-second-person.md).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic

import sqlalchemy as sa

from dialer.core.access import is_same_actor
from dialer.core.errors import Conflict, NotFound
from dialer.core.second_person import (
    RequestEvent,
    RequestState,
    SamePerson,
    SamePlace,
    StateT,
    moves_in_words,
    state_after,
)
from dialer.core.text import Text, gettext_noop
from dialer.db import tables as t
from dialer.db.acts import OpenAct
from dialer.db.bulk import word_literal
from dialer.db.columns import is_of_actor
from dialer.db.unit_of_work import Row, Tx

_NOT_WAITING = gettext_noop("this no longer waits: its time is over")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestKind(Generic[StateT]):
    """How one table stores requests. `noun`: what a request of this kind is called in a refusal. `words`: the states
    it has, as the table stores them. `acts`: the acts of the audit. `asked_by`: the column with who asked. A table with
    a column `expires_at` has requests that expire.
    """

    table: sa.Table
    noun: str
    words: Mapping[RequestState, StateT]
    acts: Mapping[RequestEvent, str]
    asked_by: str = "asked_by"

    def waits(self, now: datetime) -> sa.ColumnElement[bool]:
        """A condition: the request waits and its time is not over. `now` on the clock of `expires_at`."""
        c = self.table.c
        is_waiting = c.state == word_literal(self.words[RequestState.WAITING])
        if "expires_at" not in c:
            return is_waiting
        return sa.and_(is_waiting, sa.or_(c.expires_at.is_(None), c.expires_at > now))

    def state_of(self, row: Row, now: datetime) -> StateT:
        """The state of a row as it is now: a request whose time is over has expired, whether or not that is stored."""
        state = type(self.words[RequestState.WAITING])(row["state"])
        is_over = row.get("expires_at") is not None and row["expires_at"] <= now
        if is_over and state is self.words[RequestState.WAITING]:
            return self.words[RequestState.EXPIRED]
        return state

    def lock(self, tx: Tx, key: int, *seen: sa.ColumnElement[bool], now: datetime) -> Row:
        """The waiting request, locked. Raises `NotFound`, also where `seen` does not hold, and `Conflict` for one that
        no longer waits.
        """
        row = tx.one(sa.select(self.table).where(self.table.c.id == key, *seen).with_for_update())
        if row is None:
            raise NotFound(kind=self.noun, key=key)
        state = self.state_of(row, now)
        if state is not self.words[RequestState.WAITING]:
            who = row["decided_by"]
            decided = _NOT_WAITING if who is None else Text("this was decided by %(who)s", who=who)
            raise Conflict(decided, current=state.value)
        return row

    def expire(self, tx: Tx, which: sa.ColumnElement[bool], *, now: datetime) -> None:
        """Stores of these requests that their time is over, so that the same may be asked for anew."""
        c = self.table.c
        values: dict[str, Any] = {"state": self.words[RequestState.EXPIRED].value}
        tx.execute(
            sa.update(self.table)
            .where(which, c.state == word_literal(self.words[RequestState.WAITING]), c.expires_at <= now)
            .values(**values, decided_at=now)
        )

    def decide(
        self,
        act: OpenAct,
        row: Row,
        event: RequestEvent,
        *,
        decided_at: datetime | None = None,
        concerned: Iterable[str | None] = (),
        subject: str = "",
        why: str = "",
        facts: Mapping[str, object] | None = None,
        columns: Mapping[str, object] | None = None,
    ) -> None:
        """Stores the decision about a request that `lock` returned, with the values of further `columns`, and its line
        of the audit. Raises `SamePerson` if who approves or refuses asked for it or is among `concerned`. `decided_at`:
        on the clock of the table, if that is not the service clock.
        """
        waiting = self.words[RequestState.WAITING]
        after = state_after(moves_in_words(self.words), waiting, event, otherwise=_NOT_WAITING)
        if event is not RequestEvent.WITHDRAWN:
            require_second_person(act.tx, act.by, row[self.asked_by], *concerned)
        act.tx.execute(
            sa.update(self.table)
            .where(self.table.c.id == row["id"])
            .values(state=after.value, decided_by=act.by, decided_at=decided_at or act.now, **(columns or {}))
        )
        act.audit(self.acts[event], subject or f"{self.table.name}/{row['id']}", why=why, facts=facts)


def require_second_person(tx: Tx, by: str, *others: str | None) -> None:
    """Raises `SamePerson` if `by` is one of `others`, None and '' being nobody. People are told apart by their
    accounts: a login in upper case, and the displayed name of an account, mean that account. Raises `SamePlace` at a
    terminal whose user of the machine has acted there by the account of one of `others`.
    """
    names = {name for name in (by, *others) if name}
    s = t.staff.c
    same = sa.or_(
        *(is_of_actor(column, name) for name in sorted(names) for column in (s.login, s.display_name))
    )
    accounts = tx.rows(sa.select(s.login, s.display_name).where(same))
    theirs = {login for name in others if name for login in _logins_of(name, accounts)}
    if _logins_of(by, accounts) & theirs:
        raise SamePerson
    for place in {terminal.partition(" ")[0] for terminal in tx.at_terminals}:
        if _has_acted_at(tx, place, theirs):
            raise SamePlace(place)


def _has_acted_at(tx: Tx, place: str, logins: Collection[str]) -> bool:
    """Whether one of these accounts has acted or signed in at a terminal of this user of this machine, user@machine."""
    a = t.audit.c
    at_place = sa.or_(
        *(sa.func.split_part(a.facts[name].astext, " ", 1) == place for name in ("terminal", "address"))
    )
    found = sa.select(a.id).where(a.who.in_(sorted(logins)), at_place).limit(1)
    return tx.scalar(found) is not None


def _logins_of(name: str, accounts: Iterable[Row]) -> set[str]:
    """The logins that this name may mean: a login means itself, another name all accounts that are displayed by it, and
    at the terminal a name may have no account.
    """
    displayed = {row["login"] for row in accounts if is_same_actor(row["display_name"], name)}
    is_login = any(is_same_actor(row["login"], name) for row in accounts)
    return {name.casefold()} if is_login or not displayed else {login.casefold() for login in displayed}
