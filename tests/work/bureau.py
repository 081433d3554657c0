"""A city with two counties and a station, and records that reach it as a list's rows do."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import sqlalchemy as sa

from dialer.case_page.acts import SeenCase
from dialer.core.access import unrestricted
from dialer.core.values import Grade, Track
from dialer.db import tables as t
from dialer.db.units import add_unit
from dialer.intake.records import Accepted, IntakeOptions
from dialer.warnings.arrivals import prepare_arrivals, take_arrivals
from tests.control.scene import Scene
from tests.intake.in_process import read_list

TREE = ("市局", None), ("临河分局", "市局"), ("五原分局", "市局"), ("城关派出所", "临河分局")


class Bureau(Scene):
    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.unit: dict[str, int] = {}
        self._people = count(1)
        with self.tx() as tx:
            for name, parent in TREE:
                parent_id = self.unit[parent] if parent else None
                self.unit[name] = add_unit(tx, name=name, parent_id=parent_id)

    def arrive(self, *texts: str, grade: str = "高危", name: str = "", expires: str = "") -> list[int]:
        """A list whose rows name these units; the cases."""
        rows = ["姓名,手机号,等级,属地,失效时间"]
        for text in texts:
            number = next(self._people)
            rows.append(
                f"{name or f'某人{number}'},1390001{number if not name else 0:04d},{grade},{text},{expires}"
            )
        options = IntakeOptions(now=self.clock.now(), derive_key=bytes(32), source=f"s{next(self._people)}")
        reader = read_list(io.BytesIO("\n".join(rows).encode()), filename="a.csv", options=options)
        batch = [item for item in reader if isinstance(item, Accepted)]
        with self.tx() as tx:
            taken = take_arrivals(
                tx,
                self.services,
                prepare_arrivals(tx, self.services, batch, load_id=None, now=self.clock.now()),
            )
        return [case_id for case_id in taken.case_ids if case_id is not None]

    def case_with_unit(self, name: str, *, grade: Grade = Grade.HIGH) -> int:
        """An open case of a unit, with its rows, as a list would have made it."""
        case_id = self.open_case(grade=grade, unit=name)
        for table, column in ((t.case, t.case.c.id), (t.assignment, t.assignment.c.case_id)):
            self.do(sa.update(table).where(column == case_id).values(unit_id=self.unit[name]))
        return case_id

    def work_rules(self, **changed: int) -> None:
        self.services = replace(self.services, work=replace(self.services.work, **changed))

    def row_of(self, case_id: int) -> dict[str, Any]:
        (row,) = self.rows(sa.select(t.case).where(t.case.c.id == case_id))
        return row

    def assignment_of(self, case_id: int, kind: Track = Track.HUMAN) -> dict[str, Any]:
        return next(row for row in reversed(self.assignments_of(case_id)) if row["kind"] == kind.value)

    def acts_of(self, case_id: int) -> list[str]:
        """Kinds of what people and the clock did to it, in order."""
        found = self.rows(sa.select(t.event).where(t.event.c.case_id == case_id).order_by(t.event.c.id))
        return [row["kind"] for row in found]

    def audited(self) -> list[str]:
        return [row["act"] for row in self.rows(sa.select(t.audit).order_by(t.audit.c.id))]

    def units_of(self, case_ids: Sequence[int]) -> list[int | None]:
        return [self.row_of(case_id)["unit_id"] for case_id in case_ids]


def seen(bureau: Bureau, case_id: int, revision: int, *, by: str = "li") -> SeenCase:
    return SeenCase(services=bureau.services, case_id=case_id, actor=unrestricted(by), revision=revision)
