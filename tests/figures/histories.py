"""Random histories of a small town: rows come, change and go, on days and drills and at borders of days."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

import sqlalchemy as sa

from dialer.core.case import CaseStatus
from dialer.core.values import Answer, Contact, FraudType, Grade, OutcomeKind, TelephonyResult
from dialer.db import tables as t
from dialer.db.units import add_unit
from dialer.outcomes.ledger import conflicting_lines
from tests.outcomes.town import MORNING, Scenario

MIDNIGHT = MORNING + timedelta(hours=14)
"""The next midnight in Shanghai."""

_BORDERS = tuple(
    MIDNIGHT + timedelta(days=day) + shift
    for day in (-31, -1, 0, 6)
    for shift in (timedelta(0), timedelta(microseconds=-1), timedelta(microseconds=1))
)

_SOURCES = ("bureau", "通联", "bank@2")
_SCRIPTS = ("", "loan", "general")
_PEOPLE = ("li", "bai")
_REASONS = ("retry", "retry", "retry", "follow_up")


class History:
    """`step` makes one change; the same seed makes the same history."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.scenario = scenario
        self.chance = Random(seed)
        self.cases: list[int] = []
        self._people = [scenario.person() for _ in range(3)]
        with scenario.tx() as tx:
            city = add_unit(tx, name="市局", parent_id=None)
            east = add_unit(tx, name="东区分局", parent_id=city)
            self.units = (city, east, add_unit(tx, name="东门派出所", parent_id=east))

    def moment(self) -> datetime:
        if self.chance.random() < 0.2:
            return self.chance.choice(_BORDERS)
        return MORNING + timedelta(
            microseconds=self.chance.randrange(-40 * 86_400_000_000, 8 * 86_400_000_000)
        )

    def soon(self, moment: datetime) -> datetime:
        return moment + timedelta(microseconds=self.chance.choice((0, self.chance.randrange(4_000_000_000))))

    def drill(self) -> bool:
        return self.chance.random() < 0.25

    def step(self) -> None:
        acts = (self.open, self.open, self.warn, self.call, self.call, self.hand, self.pay, self.file)
        later = (
            self.turn,
            self.turn,
            self.hear,
            self.hear,
            self.report,
            self.regrade,
            self.move,
            self.speak,
            self.undo,
            self.forget,
        )
        self.chance.choice(acts if len(self.cases) < 4 else acts + later)()

    def open(self) -> None:
        chance, opened_at = self.chance, self.moment()
        status = chance.choice(list(CaseStatus))
        self.cases.append(
            self.scenario.case(
                grade=chance.choice(list(Grade)),
                first_grade=chance.choice(list(Grade)),
                fraud_type=chance.choice(list(FraudType)),
                status=status,
                outcome=None if status is CaseStatus.OPEN else chance.choice(list(OutcomeKind)).value,
                contact=chance.choice(list(Contact)),
                opened_at=opened_at,
                first_attempt_at=chance.choice((None, self.soon(opened_at))),
                missed=chance.random() < 0.2,
                warning=chance.random() < 0.9,
                drill=self.drill(),
            )
        )

    def any_case(self) -> int:
        if not self.cases:
            self.open()
        return self.chance.choice(self.cases)

    def warn(self) -> None:
        self.scenario.warning(
            self.any_case(),
            person_id=self.chance.choice(self._people),
            grade=self.chance.choice(list(Grade)).value,
            loaded_at=self.moment(),
            drill=self.drill(),
        )

    def call(self) -> None:
        case_id = self.any_case()
        result = self.chance.choice((None, *(one.value for one in TelephonyResult)))
        self.scenario.attempt(
            case_id,
            n=self._next(t.attempt, case_id),
            result=result,
            sent_at=self.chance.choice((None, self.moment(), self.moment()))
            if result is None
            else self.moment(),
            contact=self.chance.choice(list(Contact)).value,
            answer=self.chance.choice(list(Answer)).value,
            reason=self.chance.choice(_REASONS),
            drill=self.drill(),
        )

    def _next(self, table: sa.Table, case_id: int) -> int:
        with self.scenario.tx() as tx:
            return int(
                tx.scalar(
                    sa.select(sa.func.coalesce(sa.func.max(table.c.n), 0) + 1).where(
                        table.c.case_id == case_id
                    )
                )
            )

    def hand(self) -> None:
        opened_at = self.moment()
        state = self.chance.choice(("done", "withdrawn", "done"))
        self.scenario.assignment(
            self.any_case(),
            kind=self.chance.choice(("human", "visit")),
            state=state,
            opened_at=opened_at,
            sign_by=self.soon(opened_at),
            feedback_by=self.soon(self.soon(opened_at)),
            signed_at=self.chance.choice((None, self.soon(opened_at))),
            done_at=self.soon(opened_at),
            done_by=self.chance.choice(_PEOPLE) if state == "done" else None,
            outcome=self.chance.choice(list(OutcomeKind)).value if state == "done" else None,
            reason=self.chance.choice(_REASONS),
            drill=self.drill(),
        )

    def pay(self) -> None:
        line = self.scenario.outcome(
            self.any_case(),
            at=self.moment(),
            drill=self.drill(),
            **{
                f"{kind}_fen": self.chance.choice((0, 5, 700)) for kind in ("intended", "stopped", "returned")
            },
        )
        with self.scenario.tx() as tx:
            counted = any(one.approved_by for one in conflicting_lines(tx, [line]).get(line, ()))
        if self.chance.random() < 0.5 and not counted:
            self.scenario.approve(line)

    def file(self) -> None:
        with self.scenario.tx() as tx:
            number = f"A{tx.scalar(sa.select(sa.func.count()).select_from(t.filed_case))}"
        self.scenario.put_filed(self.any_case(), number)

    def undo(self) -> None:
        with self.scenario.tx() as tx:
            line = tx.one(sa.select(t.outcome.c.id, t.outcome.c.case_id).order_by(sa.func.random()).limit(1))
        if line is not None:
            self.scenario.outcome(line["case_id"], reverses=line["id"], at=self.moment())

    def _set(self, table: sa.Table, where: Any, **values: object) -> None:  # noqa: ANN401  # as SQLAlchemy's
        with self.scenario.tx() as tx:
            tx.execute(sa.update(table).where(where).values(**values))

    def turn(self) -> None:
        status = self.chance.choice(list(CaseStatus))
        self._set(
            t.case,
            t.case.c.id == self.any_case(),
            status=status.value,
            outcome=self.chance.choice((None, *(kind.value for kind in OutcomeKind))),
            contact=self.chance.choice(list(Contact)).value,
            due_at=None if status.is_settled else MORNING,
            settled_at=self.moment() if status.is_settled else None,
            first_attempt_at=self.chance.choice((None, self.moment())),
        )

    def hear(self) -> None:
        result = self.chance.choice((None, *(one.value for one in TelephonyResult)))
        self._set(
            t.attempt,
            t.attempt.c.case_id == self.any_case(),
            result=result,
            state="ended" if result else self.chance.choice(("planned", "sending", "ringing")),
            sid=sa.case((sa.literal(self.chance.random() < 0.5), None), else_=t.attempt.c.sid),
            sent_at=self.chance.choice((t.attempt.c.sent_at, sa.literal(self.moment()))),
            contact=self.chance.choice(list(Contact)).value,
            answer=self.chance.choice(list(Answer)).value,
        )

    def report(self) -> None:
        """One waits while nobody has signed, or is withdrawn: time alone moves it on."""
        waiting = self.chance.random() < 0.6
        case_id = self.any_case()
        with self.scenario.tx() as tx:
            chosen = tx.scalar(
                sa.select(sa.func.min(t.assignment.c.id)).where(t.assignment.c.case_id == case_id)
            )
        self._set(
            t.assignment,
            sa.and_(
                t.assignment.c.id == chosen,
                ~sa.exists()
                .where(t.assignment.c.case_id == case_id, t.assignment.c.state.in_(("open", "signed")))
                .correlate(None)
                if waiting
                else sa.true(),
            ),
            state=self.chance.choice(("open", "signed")) if waiting else "withdrawn",
            signed_at=self.chance.choice((None, self.moment())),
            sign_by=self.moment(),
            feedback_by=self.moment(),
        )

    def regrade(self) -> None:
        values: dict[str, object] = {"grade": self.chance.choice(list(Grade)).value, "drill": self.drill()}
        self._set(t.case, t.case.c.id == self.any_case(), **values)

    def move(self) -> None:
        """A case of another unit, or of another source than at first."""
        values = {
            "unit_id": self.chance.choice((None, *self.units)),
            "source": self.chance.choice(_SOURCES),
        }
        self._set(t.case, t.case.c.id == self.any_case(), **values)

    def speak(self) -> None:
        """Calls get another script or another end; what was reported was reported by somebody else, at another time."""
        case_id = self.any_case()
        chosen = self.chance.choice((t.attempt, t.assignment))
        if chosen is t.attempt:
            script = self.chance.choice(_SCRIPTS)
            self._set(t.attempt, t.attempt.c.case_id == case_id, script_id=script, ended_at=self.moment())
        else:
            done = sa.and_(t.assignment.c.case_id == case_id, t.assignment.c.state == "done")
            self._set(t.assignment, done, done_by=self.chance.choice(_PEOPLE), done_at=self.moment())

    def forget(self) -> None:
        """What is kept too long goes: a warning, a call, or the person's whole case with them."""
        case_id = self.any_case()
        with self.scenario.tx() as tx:
            for table in (t.attempt, t.warning)[: self.chance.randrange(1, 3)]:
                tx.execute(sa.delete(table).where(table.c.case_id == case_id))
            kept = tx.scalar(
                sa.select(sa.func.count()).select_from(t.outcome).where(t.outcome.c.case_id == case_id)
            ) or tx.scalar(
                sa.select(sa.func.count()).select_from(t.filed_case).where(t.filed_case.c.case_id == case_id)
            )
            if not kept and self.chance.random() < 0.5:
                for table in (t.attempt, t.warning, t.assignment):
                    tx.execute(sa.delete(table).where(table.c.case_id == case_id))
                tx.execute(sa.delete(t.case).where(t.case.c.id == case_id))
                self.cases.remove(case_id)
