"""The organisation read from a spreadsheet, whatever its headings, encoding and order of columns."""

from __future__ import annotations

import io

import pytest
import xlsxwriter

from dialer.core.errors import UnusableFile
from dialer.core.units import UnitField
from dialer.intake.unit_lists import UnitSheet
from tests.intake.in_process import read_units

TEXT = """单位组织表
序号,单位名称,上级单位,级别,别名,状态
1,巴彦淖尔市公安局,,市,,启用
2,临河区公安分局,巴彦淖尔市公安局,县,临河；临河分局,

3,城关派出所,临河区公安分局,所,老城关、 城关,停用
"""


def read(data: bytes) -> UnitSheet:
    return read_units(data)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_text_in_any_encoding(encoding: str):
    sheet = read(TEXT.encode(encoding))
    assert [(line.line, line.name, line.parent, line.level) for line in sheet.lines] == [
        (3, "巴彦淖尔市公安局", "", "市"),
        (4, "临河区公安分局", "巴彦淖尔市公安局", "县"),
        (6, "城关派出所", "临河区公安分局", "所"),
    ]
    assert [line.aliases for line in sheet.lines] == [(), ("临河", "临河分局"), ("老城关", "城关")]
    assert [line.active for line in sheet.lines] == [True, None, False]
    assert sheet.headings[UnitField.PARENT] == "上级单位"


def test_a_workbook():
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as pending_writes:
        page = pending_writes.add_worksheet()
        for row, cells in enumerate(
            [["name", "parent", "aliases"], ["City", "-"], ["County", "City", "C1;C2"]]
        ):
            page.write_row(row, 0, cells)
    sheet = read(file.getvalue())
    assert [(line.line, line.name, line.parent, line.aliases) for line in sheet.lines] == [
        (2, "City", "", ()),
        (3, "County", "City", ("C1", "C2")),
    ]


def test_a_state_that_is_none_is_named_by_its_line():
    (fault,) = read("名称,状态\n甲,也许\n乙,启用\n".encode()).faults
    assert (fault.line, fault.field) == (2, UnitField.STATE)


@pytest.mark.parametrize(
    "data", [b"", b"   \n", "姓名,手机号\n王伟,13800138000\n".encode(), "名称\n甲\n".encode()]
)
def test_what_is_no_list_of_units_is_refused(data: bytes):
    with pytest.raises(UnusableFile):
        read(data)


@pytest.mark.parametrize(
    ("words", "active"),
    [
        ("启用 在用 正常 是 open yes true 1 active OPEN", True),
        ("停用 撤销 关闭 否 closed no false 0 inactive", False),
    ],
)
def test_every_word_for_open_and_closed(words: str, active: bool | None):
    rows = "\n".join(f"甲{n},{word}" for n, word in enumerate(words.split()))
    sheet = read(f"名称,状态\n{rows}\n".encode())
    assert sheet.faults == ()
    assert {line.active for line in sheet.lines} == {active}


def test_a_list_has_twenty_thousand_units_at_most():
    rows = [f"所{n},局" for n in range(20_000)]
    assert len(read("\n".join(["名称,上级", *rows]).encode()).lines) == 20_000
    with pytest.raises(UnusableFile, match="20000"):
        read("\n".join(["名称,上级", *rows, "所,局"]).encode())


@pytest.mark.parametrize("number", ["12.0", "12"])
def test_the_number_of_a_unit_is_kept(number: str):
    sheet = read(f"名称,系统编号\n甲,{number}\n乙,\n".encode())
    assert [line.unit_id for line in sheet.lines] == [12, None]


@pytest.mark.parametrize("number", ["x1", "-1", "１２", "1" * 18])
def test_what_is_no_number_of_ours_is_named_by_its_line(number: str):
    (fault,) = read(f"名称,系统编号\n甲,{number}\n".encode()).faults
    assert (fault.line, fault.field) == (2, UnitField.NUMBER)
