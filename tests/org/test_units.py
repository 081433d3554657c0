"""The tree in the database: its paths hold whatever moves, one text means one unit, every process hears of a change."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from dialer.core.errors import Conflict, NotFound
from dialer.db import tables as t
from dialer.db.unit_of_work import Tx
from dialer.db.units import (
    Units,
    add_unit,
    change_unit,
    check_unit,
    delete_unit_alias,
    get_unit,
    is_unit_visible,
    list_unit_aliases,
    move_unit,
    subtree_ids,
    teach_unit_alias,
)
from tests.outcomes.town import MORNING, Scenario


@pytest.fixture
def tree(scenario: Scenario) -> dict[str, int]:
    """A city with two counties, the first with a station that has a post."""
    with scenario.tx() as tx:
        city = add_unit(tx, name="市局", parent_id=None, level="市")
        linhe = add_unit(tx, name="临河分局", parent_id=city, level="县")
        wuyuan = add_unit(tx, name="五原分局", parent_id=city)
        station = add_unit(tx, name="城关派出所", parent_id=linhe)
        post = add_unit(tx, name="警务室", parent_id=station)
    return {"city": city, "linhe": linhe, "wuyuan": wuyuan, "station": station, "post": post}


def test_a_subtree_is_the_unit_and_all_below(scenario: Scenario, tree: dict[str, int]):
    with scenario.tx() as tx:
        assert subtree_ids(tx, tree["city"]) == list(tree.values())
        assert subtree_ids(tx, tree["linhe"]) == [tree["linhe"], tree["station"], tree["post"]]
        assert subtree_ids(tx, tree["post"]) == [tree["post"]]
        assert subtree_ids(tx, 999) == []


def test_a_unit_sees_its_own_and_all_below(scenario: Scenario, tree: dict[str, int]):
    with scenario.tx() as tx:
        assert is_unit_visible(tx, None, None)
        assert is_unit_visible(tx, tree["post"], None)
        assert is_unit_visible(tx, tree["linhe"], tree["linhe"])
        assert is_unit_visible(tx, tree["post"], tree["linhe"])
        assert not is_unit_visible(tx, tree["city"], tree["linhe"])
        assert not is_unit_visible(tx, tree["wuyuan"], tree["linhe"])
        assert not is_unit_visible(tx, None, tree["city"]), "what has no unit belongs to the whole centre"
        check_unit(tx, None, None)
        check_unit(tx, tree["post"], tree["city"])
        for unit_id, visible_to in ((999, None), (999, tree["city"]), (tree["city"], tree["linhe"])):
            with pytest.raises(NotFound):
                check_unit(tx, unit_id, visible_to)


def test_a_path_leads_from_the_root(scenario: Scenario, tree: dict[str, int]):
    with scenario.tx() as tx:
        assert Units().current(tx).names(tree["post"]) == ("市局", "临河分局", "城关派出所", "警务室")
        with pytest.raises(NotFound):
            get_unit(tx, 999)


def test_a_moved_unit_takes_everything_below_with_it(scenario: Scenario, tree: dict[str, int]):
    with scenario.tx() as tx:
        move_unit(tx, tree["station"], parent_id=tree["wuyuan"])
    with scenario.tx() as tx:
        assert Units().current(tx).names(tree["post"]) == ("市局", "五原分局", "城关派出所", "警务室")
        assert tree["post"] not in subtree_ids(tx, tree["linhe"])
        move_unit(tx, tree["station"], parent_id=None)
        assert get_unit(tx, tree["post"]).path == (tree["station"], tree["post"])


@pytest.mark.parametrize("below", ["linhe", "post"])
def test_a_unit_never_stands_below_itself(scenario: Scenario, tree: dict[str, int], below: str):
    with scenario.tx() as tx, pytest.raises(Conflict):
        move_unit(tx, tree["linhe"], parent_id=tree[below])


@pytest.mark.parametrize("parent", ["linhe", None])
def test_a_name_is_taken_once_below_one_parent(scenario: Scenario, tree: dict[str, int], parent: str | None):
    parent_id = tree[parent] if parent else None
    with pytest.raises(sa.exc.IntegrityError), scenario.tx() as tx:
        add_unit(tx, name="城关派出所" if parent else "市局", parent_id=parent_id)


def test_one_text_means_one_unit(scenario: Scenario, tree: dict[str, int]):
    with scenario.tx() as tx:
        assert teach_unit_alias(tx, " 老 城关 ", unit_id=tree["station"], by="li", now=MORNING)
        assert not teach_unit_alias(tx, "老城关", unit_id=tree["station"], by="wang", now=MORNING)
        with pytest.raises(Conflict):
            teach_unit_alias(tx, "老城关", unit_id=tree["wuyuan"], by="wang", now=MORNING)
        assert [(a.text, a.unit_id, a.by) for a in list_unit_aliases(tx)] == [
            ("老 城关", tree["station"], "li")
        ]
        assert list_unit_aliases(tx, tree["wuyuan"]) == []
        assert delete_unit_alias(tx, "老城关")
        assert not delete_unit_alias(tx, "老城关")


def test_a_process_hears_of_every_change(scenario: Scenario, tree: dict[str, int]):
    process = Units()
    with scenario.tx() as tx:
        first = process.current(tx)
        assert first.find("五原") == get_unit(tx, tree["wuyuan"])
        assert process.current(tx) is first
    with scenario.tx() as tx:
        teach_unit_alias(tx, "老城关", unit_id=tree["station"], by="li", now=MORNING)
    with scenario.tx() as tx:
        found = process.current(tx).find("老城关")
    assert found is not None
    assert found.id == tree["station"]
    with scenario.tx() as tx:
        change_unit(tx, tree["station"], active=False)
    with scenario.tx() as tx:
        assert process.current(tx).find("老城关") is None


def test_what_was_rolled_back_is_forgotten(scenario: Scenario, tree: dict[str, int]):
    process = Units()
    with scenario.store.sql_engine.connect() as connection:
        tx = Tx(connection=connection, vault=scenario.store.vault)
        teach_unit_alias(tx, "老城关", unit_id=tree["station"], by="li", now=MORNING)
        assert process.current(tx).find("老城关") is not None
    with scenario.tx() as tx:
        teach_unit_alias(tx, "新城关", unit_id=tree["station"], by="li", now=MORNING)
    with scenario.tx() as tx:
        assert process.current(tx).find("老城关") is None
        assert process.current(tx).find("新城关") is not None


@pytest.mark.parametrize("table", [t.case, t.assignment])
def test_a_unit_that_has_work_cannot_be_deleted(scenario: Scenario, tree: dict[str, int], table: sa.Table):
    case_id = scenario.case(unit_id=tree["post"] if table is t.case else None)
    if table is t.assignment:
        scenario.assignment(case_id, unit_id=tree["post"])
    with pytest.raises(sa.exc.IntegrityError), scenario.tx() as tx:
        tx.execute(sa.delete(t.unit).where(t.unit.c.id == tree["post"]))
