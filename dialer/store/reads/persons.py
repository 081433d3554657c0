"""A person in clear, for a use case that has written who looks and why."""

from __future__ import annotations

import sqlalchemy as sa

from dialer.store import tables as t
from dialer.store.people import Person, open_person
from dialer.store.unit_of_work import Tx


def of_case(tx: Tx, case_id: int) -> Person | None:
    row = tx.one(
        sa.select(t.person.c.id, t.person.c.sealed)
        .join(t.case, t.case.c.person_id == t.person.c.id)
        .where(t.case.c.id == case_id)
    )
    return None if row is None else open_person(tx, person_id=row["id"], sealed=row["sealed"])
