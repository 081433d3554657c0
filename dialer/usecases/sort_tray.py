"""Cases without a unit find one by a person's word, and the next list with the same text finds it by itself."""

from __future__ import annotations

from dataclasses import dataclass

from dialer.errors import Conflict, Invalid, NotFound
from dialer.store import audits, cases, tray, units, warnings
from dialer.store.unit_of_work import Tx
from dialer.usecases.claim_errand import named
from dialer.usecases.engine import Engine
from dialer.usecases.transfer_errand import active_label


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    placed: int
    """Cases that have their unit now, with those that moved along."""
    alias: str
    """The text that means the unit from now on; '' when none was taught."""


def assign_unit(engine: Engine, case_id: int, *, unit_id: int, by: str, teach: bool = False) -> Sorted:
    """The waiting case is the unit's. With `teach` its list's text means that unit from now on, and every waiting case
    with the same text moves along. Raises `NotFound`, and `Conflict` when the case has a unit or is over.
    """
    who = named(by)
    with engine.store.begin() as tx:
        warnings.lock_arrivals(tx)
        label = active_label(tx, engine, unit_id)
        stored = cases.lock(tx, [case_id]).get(case_id)
        if stored is None:
            raise NotFound(kind="case", key=case_id)
        if stored.unit_id is not None or stored.case.status.is_settled:
            current = stored.unit if stored.unit_id is not None else stored.case.status.value
            raise Conflict(f"case {case_id} does not wait for a unit any more: {current}", current=current)
        now = engine.clock.now()
        placed = len(tray.place(tx, [case_id], unit_id=unit_id, label=label, by=who, now=now))
        alias = stored.unit.strip() if teach else ""
        if alias:
            placed += _teach(tx, engine, alias, unit_id=unit_id, label=label, by=who)
        facts = {"unit_id": unit_id, "placed": placed, "taught": bool(alias)}
        audits.write(tx, who=who, act="assign_unit", subject=f"case/{case_id}", why="", now=now, facts=facts)
    return Sorted(placed=placed, alias=alias)


def teach_alias(engine: Engine, text: str, *, unit_id: int, by: str) -> Sorted:
    """Lists that say `text` mean this unit from now on, and every waiting case with that text is the unit's."""
    who = named(by)
    if not text.strip():
        raise Invalid(field="alias", problem="is empty", mend="the unit as lists write it")
    with engine.store.begin() as tx:
        warnings.lock_arrivals(tx)
        label = active_label(tx, engine, unit_id)
        placed = _teach(tx, engine, text, unit_id=unit_id, label=label, by=who)
        facts = {"placed": placed}
        now = engine.clock.now()
        audits.write(tx, who=who, act="teach_alias", subject=f"unit/{unit_id}", why="", now=now, facts=facts)
    return Sorted(placed=placed, alias=text.strip())


def forget_alias(engine: Engine, text: str, *, by: str) -> None:
    """The text means nothing by itself any more; cases keep their units. Raises `NotFound`."""
    who = named(by)
    with engine.store.begin() as tx:
        if not units.forget_alias(tx, text):
            raise NotFound(kind="alias", key=text.strip())
        audits.write(tx, who=who, act="forget_alias", subject="unit_alias", why="", now=engine.clock.now())


def _teach(tx: Tx, engine: Engine, text: str, *, unit_id: int, label: str, by: str) -> int:
    now = engine.clock.now()
    units.teach(tx, text, unit_id=unit_id, by=by, now=now)
    return sum(
        tray.place_text(tx, same, unit_id=unit_id, label=label, by=by, now=now)
        for same in tray.spellings(tx, text)
    )
