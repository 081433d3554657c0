"""People found by what is known of them, through keyed blind indexes: nothing personal is in a statement."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from dialer.store import tables as t
from dialer.store.unit_of_work import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What a person must match, all of it; '' asks nothing. Already in its one normal form: E.164, 18 characters."""

    phone: str = ""
    last4: str = ""
    name: str = ""
    id_number: str = ""

    @property
    def is_nothing(self) -> bool:
        return not (self.phone or self.last4 or self.name or self.id_number)


def matching(tx: Tx, sought: Sought) -> sa.Select[tuple[int]]:
    """A statement for the ids of everybody who matches."""
    statement = sa.select(t.person.c.id)
    blind = tx.vault.blind
    if sought.id_number:
        statement = statement.where(t.person.c.id_number_blind == blind(sought.id_number, kind="id_number"))
    if sought.name:
        statement = statement.where(t.person.c.name_blind == blind(sought.name, kind="name"))
    if sought.phone:
        holders = sa.select(t.person_phone.c.person_id).where(
            t.person_phone.c.phone_blind == blind(sought.phone, kind="phone")
        )
        statement = statement.where(t.person.c.id.in_(holders))
    if sought.last4:
        holders = sa.select(t.person_phone.c.person_id).where(
            t.person_phone.c.last4_blind == blind(sought.last4, kind="phone_last4")
        )
        statement = statement.where(t.person.c.id.in_(holders))
    return statement


def people(tx: Tx, sought: Sought, *, limit: int = 100) -> list[int]:
    """Ids of those who match, lowest first. Nobody matches nothing."""
    if sought.is_nothing:
        return []
    rows = tx.rows(matching(tx, sought).order_by(t.person.c.id).limit(limit))
    return [row["id"] for row in rows]
