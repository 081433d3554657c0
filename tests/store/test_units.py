"""The tree in the database: its paths hold whatever moves, one text means one unit, every process hears of a change."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from dialer.errors import Conflict, NotFound
from dialer.store import tables as t
from dialer.store import units
from dialer.store.unit_of_work import Tx
from dialer.store.units import Units
from tests.store.reads.town import MORNING, Town


@pytest.fixture
def town(fresh_database: str) -> Iterator[Town]:
    built = Town(fresh_database)
    yield built
    built.close()


@pytest.fixture
def tree(town: Town) -> dict[str, int]:
    """A city with two counties, the first with a station that has a post."""
    with town.tx() as tx:
        city = units.add(tx, name="市局", parent_id=None, level="市")
        linhe = units.add(tx, name="临河分局", parent_id=city, level="县")
        wuyuan = units.add(tx, name="五原分局", parent_id=city)
        station = units.add(tx, name="城关派出所", parent_id=linhe)
        post = units.add(tx, name="警务室", parent_id=station)
    return {"city": city, "linhe": linhe, "wuyuan": wuyuan, "station": station, "post": post}


def test_a_subtree_is_the_unit_and_all_below(town: Town, tree: dict[str, int]):
    with town.tx() as tx:
        assert units.subtree_ids(tx, tree["city"]) == list(tree.values())
        assert units.subtree_ids(tx, tree["linhe"]) == [tree["linhe"], tree["station"], tree["post"]]
        assert units.subtree_ids(tx, tree["post"]) == [tree["post"]]
        assert units.subtree_ids(tx, 999) == []


def test_a_path_leads_from_the_root(town: Town, tree: dict[str, int]):
    with town.tx() as tx:
        assert [u.name for u in units.path(tx, tree["post"])] == ["市局", "临河分局", "城关派出所", "警务室"]
        with pytest.raises(NotFound):
            units.path(tx, 999)


def test_a_moved_unit_takes_everything_below_with_it(town: Town, tree: dict[str, int]):
    with town.tx() as tx:
        units.move(tx, tree["station"], parent_id=tree["wuyuan"])
    with town.tx() as tx:
        assert [u.name for u in units.path(tx, tree["post"])] == ["市局", "五原分局", "城关派出所", "警务室"]
        assert tree["post"] not in units.subtree_ids(tx, tree["linhe"])
        units.move(tx, tree["station"], parent_id=None)
        assert units.get(tx, tree["post"]).path == (tree["station"], tree["post"])


@pytest.mark.parametrize("below", ["linhe", "post"])
def test_a_unit_never_stands_below_itself(town: Town, tree: dict[str, int], below: str):
    with town.tx() as tx, pytest.raises(Conflict):
        units.move(tx, tree["linhe"], parent_id=tree[below])


@pytest.mark.parametrize("parent", ["linhe", None])
def test_a_name_is_taken_once_below_one_parent(town: Town, tree: dict[str, int], parent: str | None):
    parent_id = tree[parent] if parent else None
    with pytest.raises(sa.exc.IntegrityError), town.tx() as tx:
        units.add(tx, name="城关派出所" if parent else "市局", parent_id=parent_id)


def test_one_text_means_one_unit(town: Town, tree: dict[str, int]):
    with town.tx() as tx:
        assert units.teach(tx, " 老 城关 ", unit_id=tree["station"], by="li", now=MORNING)
        assert not units.teach(tx, "老城关", unit_id=tree["station"], by="wang", now=MORNING)
        with pytest.raises(Conflict):
            units.teach(tx, "老城关", unit_id=tree["wuyuan"], by="wang", now=MORNING)
        assert [(a.text, a.unit_id, a.by) for a in units.aliases(tx)] == [("老 城关", tree["station"], "li")]
        assert units.aliases(tx, tree["wuyuan"]) == []
        assert units.forget_alias(tx, "老城关")
        assert not units.forget_alias(tx, "老城关")


def test_a_process_hears_of_every_change(town: Town, tree: dict[str, int]):
    process = Units()
    with town.tx() as tx:
        first = process.current(tx)
        assert first.find("五原") == units.get(tx, tree["wuyuan"])
        assert process.current(tx) is first
    with town.tx() as tx:
        units.teach(tx, "老城关", unit_id=tree["station"], by="li", now=MORNING)
    with town.tx() as tx:
        found = process.current(tx).find("老城关")
    assert found is not None
    assert found.id == tree["station"]
    with town.tx() as tx:
        units.change(tx, tree["station"], active=False)
    with town.tx() as tx:
        assert process.current(tx).find("老城关") is None


def test_what_was_rolled_back_is_forgotten(town: Town, tree: dict[str, int]):
    process = Units()
    with town.store.engine.connect() as connection:
        tx = Tx(connection=connection, vault=town.store.vault)
        units.teach(tx, "老城关", unit_id=tree["station"], by="li", now=MORNING)
        assert process.current(tx).find("老城关") is not None
    with town.tx() as tx:
        units.teach(tx, "新城关", unit_id=tree["station"], by="li", now=MORNING)
    with town.tx() as tx:
        assert process.current(tx).find("老城关") is None
        assert process.current(tx).find("新城关") is not None


@pytest.mark.parametrize("table", [t.case, t.assignment])
def test_a_unit_that_has_work_cannot_be_deleted(town: Town, tree: dict[str, int], table: sa.Table):
    case_id = town.case(unit_id=tree["post"] if table is t.case else None)
    if table is t.assignment:
        town.assignment(case_id, unit_id=tree["post"])
    with pytest.raises(sa.exc.IntegrityError), town.tx() as tx:
        tx.execute(sa.delete(t.unit).where(t.unit.c.id == tree["post"]))
