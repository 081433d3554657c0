"""How the rows of the tally are read: by whose definitions, by which slice and measure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from dialer.store import tables as t
from dialer.store.reads.atoms import FORM, FRAUD_TYPES, GRADES, measures_of, unpack
from dialer.store.unit_of_work import Tx

KEY = "tally"
"""The row of `meta` that says how far the tally is to be trusted."""

FIRST_TYPE_SLICE = 16
"""Slices are grades by their place, and from here on fraud types by theirs; the whole is the sum of its grades."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TallyState:
    timezone: str
    as_of: datetime
    """No report of an earlier moment can be made from the tally."""


def state_of(tx: Tx) -> TallyState | None:
    """None: there is no tally, or one by other definitions."""
    held = tx.scalar(sa.select(t.meta.c.value).where(t.meta.c.key == KEY))
    if held is None or held["form"] != FORM:
        return None
    return TallyState(timezone=held["timezone"], as_of=datetime.fromisoformat(held["as_of"]))


Place = tuple[bool, date, int, int]
"""(drill, day, slice, measure)."""


def sums_of(atoms: Mapping[int, int]) -> Counter[Place]:
    """What so many of each atom add, by day."""
    sums: Counter[Place] = Counter()
    for packed, n in atoms.items():
        if not n:
            continue
        atom = unpack(packed)
        slices = (GRADES.index(atom.grade), FIRST_TYPE_SLICE + FRAUD_TYPES.index(atom.fraud_type))
        for measure in measures_of(atom.basis, atom.bits):
            for one in slices:
                sums[atom.drill, atom.day, one, measure] += n
    return sums
