"""How a record becomes a new case: the case as it begins, and the rows that its first decision asks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dialer.domain.case import Case
from dialer.domain.opening import Openings
from dialer.intake.records import Record
from dialer.store.book import Book, Pieces
from dialer.store.cases import NewCases, StoredCase
from dialer.store.unit_of_work import Tx
from dialer.usecases.engine import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """`row` is the case's own, `rest` are those of its first rings and errands."""

    stored: StoredCase
    row: tuple[object, ...]
    rest: Pieces


class CaseOpener:
    """Opens the cases of one load at one moment, under the policy and the unit tree of that moment."""

    def __init__(self, tx: Tx, engine: Engine, *, load_id: int | None, now: datetime) -> None:
        self.now = now
        self.load_id = load_id
        self.drill = engine.drill
        self.policy = engine.policies.newest
        self.units = engine.units.current(tx)
        self._openings = Openings(now=now, policy=self.policy)
        self._rows = NewCases(load_id)
        self._book = Book.begin(now)

    def still_holds(self, tx: Tx, engine: Engine) -> bool:
        """Neither the policy nor the tree has been changed since."""
        return self.policy is engine.policies.newest and self.units is engine.units.current(tx)

    def open(self, record: Record, *, case_id: int, person_id: int, numbers: int) -> Opened:
        case = Case(
            id=case_id,
            grade=record.grade,
            fraud_type=record.fraud_type,
            opened_at=self.now,
            policy_version=self.policy.version,
            numbers=numbers,
            expires_at=None if record.missed else record.expires_at,
            amount_at_risk_fen=record.amount_at_risk_fen,
            missed=record.missed,
            tags=record.tags,
        )
        decision = self._openings.decide(case)
        unit = self.units.find(record.unit)
        stored = StoredCase(
            case=decision.case,
            person_id=person_id,
            source=record.source,
            unit=self.units.label(unit.id) if unit is not None else record.unit,
            unit_id=unit.id if unit is not None else None,
            drill=self.drill,
            first_attempt_at=None,
        )
        self._book.enter(stored, decision.effects)
        return Opened(stored=stored, row=self.row(stored), rest=self._book.cut())

    def row(self, stored: StoredCase) -> tuple[object, ...]:
        """Also of a case that has changed before it was written."""
        return self._rows.row(stored)
