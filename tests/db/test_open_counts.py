"""The counts of open cases are those of the cases themselves, whatever happens to these."""

from __future__ import annotations

import random
from collections import Counter

import pytest
import sqlalchemy as sa

from dialer.cases.unassigned import (
    assign_text_to_unit,
    unassigned_cases,
    unassigned_groups,
    unassigned_texts,
    unit_text_of_case,
)
from dialer.core.case import CaseStatus
from dialer.core.values import Grade
from dialer.db import tables as t
from dialer.db.units import add_unit, count_cases_without_unit, open_counts_of_units, unassigned_by_text
from tests.outcomes.town import MORNING, Scenario


def counted(scenario: Scenario) -> Counter[tuple[object, str, str]]:
    """What the counts say, by unit, text and grade."""
    with scenario.tx() as tx:
        found: Counter[tuple[object, str, str]] = Counter(
            {
                (unit_id, "", grade.value): n
                for unit_id, grades in open_counts_of_units(tx).items()
                for grade, n in grades.items()
            }
        )
        for row in tx.rows(sa.select(unassigned_by_text())):
            found[None, row["text"], row["grade"]] += row["n"]
        assert count_cases_without_unit(tx) == sum(
            n for (unit_id, _, _), n in found.items() if unit_id is None
        )
    return found


def real(scenario: Scenario) -> Counter[tuple[object, str, str]]:
    with scenario.tx() as tx:
        rows = tx.rows(sa.select(t.case).where(t.case.c.status == "open"))
    return Counter(
        (row["unit_id"], row["unit"][:100] if row["unit_id"] is None else "", row["grade"]) for row in rows
    )


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_the_counts_are_those_of_the_cases(scenario: Scenario, seed: int):
    rng = random.Random(seed)
    with scenario.tx() as tx:
        places = [None, add_unit(tx, name="甲", parent_id=None), add_unit(tx, name="乙", parent_id=None)]
    cases: list[int] = []
    for _ in range(60):
        match rng.randrange(6):
            case 0 | 1 | 2:
                unit_id = rng.choice(places)
                status = rng.choice([CaseStatus.OPEN, CaseStatus.OPEN, CaseStatus.CLOSED])
                text = rng.choice(["", "老城关", "长" * 150])
                cases.append(
                    scenario.case(
                        unit_id=unit_id,
                        unit=text,
                        grade=rng.choice(list(Grade)),
                        status=status,
                        warning=False,
                    )
                )
            case 3 if cases:
                change(scenario, rng.choice(cases), status="closed", due_at=None)
            case 4 if cases:
                change(
                    scenario,
                    rng.choice(cases),
                    unit_id=rng.choice(places),
                    grade=rng.choice(list(Grade)).value,
                )
            case _ if cases:
                gone = cases.pop(rng.randrange(len(cases)))
                with scenario.tx() as tx:
                    tx.execute(sa.delete(t.case).where(t.case.c.id == gone))
        assert counted(scenario) == real(scenario)


def change(scenario: Scenario, case_id: int, **values: object) -> None:
    with scenario.tx() as tx:
        tx.execute(sa.update(t.case).where(t.case.c.id == case_id).values(**values))


def test_a_text_without_end_is_loaded_counted_and_placed(scenario: Scenario):
    with scenario.tx() as tx:
        unit_id = add_unit(tx, name="甲", parent_id=None)
    endless, other = "某某路" * 3000, "某某路" * 3000 + "二号"
    for text in (endless, endless, other):
        scenario.case(unit=text)
    with scenario.tx() as tx:
        (group,) = unassigned_groups(tx)
        assert (group.text, group.cases) == (endless[:100], 3)
        assert sorted(unassigned_texts(tx)) == sorted([endless, other])
        assert assign_text_to_unit(tx, endless, unit_id=unit_id, label="甲", by="li", now=MORNING) == 2
        assert [unassigned_case.text for unassigned_case in unassigned_cases(tx, text=other)] == [other]
    assert counted(scenario) == real(scenario)


def test_a_tray_group_knows_its_oldest_and_its_grades(scenario: Scenario):
    first = scenario.case(unit="老城关", grade=Grade.LOW)
    scenario.case(unit="老城关", grade=Grade.HIGH)
    with scenario.tx() as tx:
        (group,) = unassigned_groups(tx)
        assert count_cases_without_unit(tx) == 2
        assert unit_text_of_case(tx, first) == "老城关"
        assert unit_text_of_case(tx, 999) is None
    assert (group.oldest_id, group.highest) == (first, Grade.HIGH)
    assert group.grades == {Grade.HIGH: 1, Grade.LOW: 1}
