"""The counts of open cases are those of the cases themselves, whatever happens to these."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from dialer.domain.case import CaseStatus
from dialer.domain.values import Grade
from dialer.store import open_counts, tray, units
from dialer.store import tables as t
from tests.store.reads.town import MORNING, Town


@pytest.fixture
def town(fresh_database: str) -> Iterator[Town]:
    built = Town(fresh_database)
    yield built
    built.close()


def counted(town: Town) -> Counter[tuple[object, str, str]]:
    """What the counts say, by unit, text and grade."""
    with town.tx() as tx:
        found: Counter[tuple[object, str, str]] = Counter(
            {
                (unit_id, "", grade.value): n
                for unit_id, grades in open_counts.of_units(tx).items()
                for grade, n in grades.items()
            }
        )
        for row in tx.rows(sa.select(open_counts.by_text())):
            found[None, row["text"], row["grade"]] += row["n"]
        assert open_counts.waiting(tx) == sum(n for (unit_id, _, _), n in found.items() if unit_id is None)
    return found


def real(town: Town) -> Counter[tuple[object, str, str]]:
    with town.tx() as tx:
        rows = tx.rows(sa.select(t.case).where(t.case.c.status == "open"))
    return Counter(
        (row["unit_id"], row["unit"][:100] if row["unit_id"] is None else "", row["grade"]) for row in rows
    )


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_the_counts_are_those_of_the_cases(town: Town, seed: int):
    rng = random.Random(seed)
    with town.tx() as tx:
        places = [None, units.add(tx, name="甲", parent_id=None), units.add(tx, name="乙", parent_id=None)]
    cases: list[int] = []
    for _ in range(60):
        match rng.randrange(6):
            case 0 | 1 | 2:
                unit_id = rng.choice(places)
                status = rng.choice([CaseStatus.OPEN, CaseStatus.OPEN, CaseStatus.CLOSED])
                text = rng.choice(["", "老城关", "长" * 150])
                cases.append(
                    town.case(
                        unit_id=unit_id,
                        unit=text,
                        grade=rng.choice(list(Grade)),
                        status=status,
                        warning=False,
                    )
                )
            case 3 if cases:
                change(town, rng.choice(cases), status="closed", due_at=None)
            case 4 if cases:
                change(
                    town, rng.choice(cases), unit_id=rng.choice(places), grade=rng.choice(list(Grade)).value
                )
            case _ if cases:
                gone = cases.pop(rng.randrange(len(cases)))
                with town.tx() as tx:
                    tx.execute(sa.delete(t.case).where(t.case.c.id == gone))
        assert counted(town) == real(town)


def change(town: Town, case_id: int, **values: object) -> None:
    with town.tx() as tx:
        tx.execute(sa.update(t.case).where(t.case.c.id == case_id).values(**values))


def test_a_text_without_end_is_loaded_counted_and_placed(town: Town):
    with town.tx() as tx:
        unit_id = units.add(tx, name="甲", parent_id=None)
    endless, other = "某某路" * 3000, "某某路" * 3000 + "二号"
    for text in (endless, endless, other):
        town.case(unit=text)
    with town.tx() as tx:
        (group,) = tray.groups(tx)
        assert (group.text, group.cases) == (endless[:100], 3)
        assert sorted(tray.texts(tx)) == sorted([endless, other])
        assert tray.place_text(tx, endless, unit_id=unit_id, label="甲", by="li", now=MORNING) == 2
        assert [one.text for one in tray.cases(tx, text=other)] == [other]
    assert counted(town) == real(town)


def test_a_tray_group_knows_its_oldest_and_its_grades(town: Town):
    first = town.case(unit="老城关", grade=Grade.LOW)
    town.case(unit="老城关", grade=Grade.HIGH)
    with town.tx() as tx:
        (group,) = tray.groups(tx)
        assert open_counts.waiting(tx) == 2
        assert tray.text_of(tx, first) == "老城关"
        assert tray.text_of(tx, 999) is None
    assert (group.oldest_id, group.highest) == (first, Grade.HIGH)
    assert group.grades == {Grade.HIGH: 1, Grade.LOW: 1}
