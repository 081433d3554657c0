"""Import of the organisation: all or nothing, idempotent, and without losing a unit that is in use."""

from __future__ import annotations

import io

import pytest
import sqlalchemy as sa

from dialer.core.access import unrestricted
from dialer.core.errors import Conflict, Invalid, NotFound, UnusableFile
from dialer.core.units import find_unit
from dialer.db import tables as t
from dialer.org.tree import Imported, UnusableUnits, import_units, preview_units, read_units_and_aliases
from tests.work.bureau import Bureau

HEADING = "名称,上级,级别,别名,状态"


def bring(bureau: Bureau, *lines: str, close_missing: bool = False) -> Imported:
    content = io.BytesIO("\n".join((HEADING, *lines)).encode())
    return import_units(bureau.services, unrestricted("li"), content, close_missing=close_missing)


def test_new_moved_and_changed_units(bureau: Bureau):
    done = bring(
        bureau,
        "市局,,市,,",
        "城关派出所,五原分局,所,老城关,",
        "新华派出所,临河分局,,,",
        "警务室,新华派出所,,,",
    )
    assert (done.new, done.moved, done.changed, done.unchanged, done.aliases) == (2, 1, 1, 0, 1)
    index, _ = read_units_and_aliases(bureau.services)
    assert index.names(find_unit(index, "警务室").id) == ("市局", "临河分局", "新华派出所", "警务室")
    assert index.names(bureau.unit["城关派出所"]) == ("市局", "五原分局", "城关派出所")
    assert index.find("老城关") == index[bureau.unit["城关派出所"]]
    assert index[bureau.unit["市局"]].level == "市"
    assert bureau.audited() == ["import_units"]


def test_the_same_list_again_needs_no_record(bureau: Bureau):
    lines = ("市局,,市,总局,", "临河分局,市局,县,,停用", "新华派出所,五原分局,,,")
    bring(bureau, *lines)
    before = bureau.rows(sa.select(t.unit).order_by(t.unit.c.id))
    again = bring(bureau, *lines)
    assert (again.new, again.moved, again.changed, again.aliases, again.unchanged) == (0, 0, 0, 0, 3)
    assert bureau.rows(sa.select(t.unit).order_by(t.unit.c.id)) == before


def test_one_bad_line_and_nothing_is_imported(bureau: Bureau):
    with pytest.raises(UnusableUnits) as refused:
        bring(bureau, "好所,市局,,,", "坏所,没有这个,,,", ",市局,,,", "疑所,市局,,,也许")
    assert [
        (fault.line, column)
        for fault, column in zip(refused.value.faults, refused.value.columns, strict=True)
    ] == [
        (3, "上级"),
        (4, "名称"),
        (5, "状态"),
    ]
    assert "line 3, column 上级" in str(refused.value)
    assert len(bureau.rows(sa.select(t.unit))) == 4


def test_a_cycle_is_refused(bureau: Bureau):
    with pytest.raises(UnusableUnits):
        bring(bureau, "市局,城关派出所,,,")
    assert len(bureau.rows(sa.select(t.unit))) == 4


def test_a_unit_that_is_not_named_stays_or_is_closed(bureau: Bureau):
    (case_id,) = bureau.arrive("城关派出所")
    lines = ("市局,,,,", "临河分局,市局,,,")
    assert bring(bureau, *lines).closed == 0
    assert bring(bureau, *lines, close_missing=True).closed == 2
    station = bureau.unit["城关派出所"]
    assert bureau.units_of([case_id]) == [station]
    assert bureau.units_of(bureau.arrive("城关派出所")) == [None]
    index, _ = read_units_and_aliases(bureau.services)
    assert not index[station].active
    bring(bureau, "城关派出所,临河分局,,,启用")
    assert bureau.units_of(bureau.arrive("城关派出所")) == [station]


def test_waiting_cases_find_what_was_imported(bureau: Bureau):
    waiting = bureau.arrive("新华派出所", "磴口", "别处")
    done = bring(bureau, "新华派出所,临河分局,,,", "磴口分局,市局,,,")
    assert done.placed == 2
    assert [unit is None for unit in bureau.units_of(waiting)] == [False, False, True]


def test_a_file_that_is_not_a_list_is_refused(bureau: Bureau):
    with pytest.raises(UnusableFile):
        import_units(bureau.services, unrestricted("li"), io.BytesIO(b"a,b\n1,2\n"))
    with pytest.raises(Invalid):
        import_units(bureau.services, unrestricted(" "), io.BytesIO(b""))


def test_a_unit_is_found_by_number_name_path_and_alias(bureau: Bureau):
    bring(bureau, "城关派出所,五原分局,,老城关,", "城关派出所,临河分局,,,")
    index, _ = read_units_and_aliases(bureau.services)
    station = bureau.unit["城关派出所"]
    assert find_unit(index, str(station)).id == station
    assert find_unit(index, "临河分局/城关派出所").id == station
    assert find_unit(index, "五原").id == bureau.unit["五原分局"]
    assert find_unit(index, "老城关").id != station
    for strange in ("城关派出所", "没有", "999", ""):
        with pytest.raises(NotFound):
            find_unit(index, strange)


NUMBERED = "名称,上级,级别,别名,状态,系统编号"


def test_units_are_renamed_by_number_and_the_old_name_stays_an_alias(bureau: Bureau):
    linhe, wuyuan, station = (bureau.unit[name] for name in ("临河分局", "五原分局", "城关派出所"))
    rows = [
        NUMBERED,
        f"五原分局,市局,,,,{linhe}",
        f"临河分局,市局,,,,{wuyuan}",
        f"老街派出所,市局/五原分局,,,,{station}",
    ]
    done = import_units(bureau.services, unrestricted("li"), io.BytesIO("\n".join(rows).encode()))
    assert (done.renamed, done.moved, done.aliases) == (3, 0, 1)
    index, _ = read_units_and_aliases(bureau.services)
    assert (index[linhe].name, index[wuyuan].name, index[station].name) == (
        "五原分局",
        "临河分局",
        "老街派出所",
    )
    assert bureau.units_of(bureau.arrive("城关派出所", "临河分局")) == [station, wuyuan]


def test_an_ambiguous_old_name_becomes_no_alias(bureau: Bureau):
    bring(bureau, "城关派出所,五原分局,,,", "城关派出所,临河分局,,,")
    rows = [NUMBERED, f"老街派出所,临河分局,,,,{bureau.unit['城关派出所']}"]
    import_units(bureau.services, unrestricted("li"), io.BytesIO("\n".join(rows).encode()))
    _, aliases = read_units_and_aliases(bureau.services)
    assert aliases == {}


def test_an_invalid_number_is_refused_by_its_line(bureau: Bureau):
    with pytest.raises(UnusableUnits) as refused:
        import_units(bureau.services, unrestricted("li"), io.BytesIO(f"{NUMBERED}\n甲,市局,,,,x1\n".encode()))
    assert [(fault.line, fault.field.value) for fault in refused.value.faults] == [(2, "number")]


def test_a_preview_equals_the_import_and_writes_nothing(bureau: Bureau):
    lines = ("市局,,市,,", "城关派出所,五原分局,所,老城关,", "新华派出所,临河分局,,,", "五原分局,市局,,,停用")
    content = io.BytesIO("\n".join((HEADING, *lines)).encode())
    before = bureau.rows(sa.select(t.unit).order_by(t.unit.c.id))
    seen = preview_units(bureau.services, content, close_missing=True)
    assert bureau.rows(sa.select(t.unit).order_by(t.unit.c.id)) == before
    kinds = [change.kind.value for change in seen.changes]
    done = import_units(
        bureau.services, unrestricted("li"), content, close_missing=True, revision=seen.revision
    )
    assert kinds.count("added") == done.new == 1
    assert kinds.count("moved") == done.moved == 1
    assert kinds.count("alias") == done.aliases == 1
    assert (kinds.count("level"), kinds.count("closed")) == (2, 2)
    assert (seen.unchanged, done.unchanged, seen.missing, done.closed) == (0, 0, 1, 1)
    again = preview_units(bureau.services, content, close_missing=True)
    assert (again.changes, again.unchanged) == ((), 4)


def test_a_tree_changed_since_the_preview_is_not_overwritten(bureau: Bureau):
    content = io.BytesIO(f"{HEADING}\n新华派出所,临河分局,,,\n".encode())
    seen = preview_units(bureau.services, content)
    bring(bureau, "别的所,临河分局,,,")
    with pytest.raises(Conflict):
        import_units(bureau.services, unrestricted("li"), content, revision=seen.revision)
