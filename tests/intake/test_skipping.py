from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dialer.core.errors import UnusableFile
from dialer.intake.reader import ListReader
from dialer.intake.records import Accepted, Field, IntakeOptions, Rejected
from tests.intake.in_process import read_list

OPTIONS = IntakeOptions(now=datetime(2026, 11, 25, 1, 0, tzinfo=UTC))
HEADING = "序号,指令编号,姓名,手机号,等级,备注"


def read(*rows: str, heading: str = HEADING) -> ListReader:
    return read_list("\n".join([heading, *rows]).encode(), filename="a.csv", options=OPTIONS)


@pytest.mark.parametrize(
    "row",
    [
        "", ",,,,,", " ,　,,,, ",
        "17,,,,,", "合计,,,,,", "合 计,,,3,,", "合计：3人,,,,,", "总计,,,123人,,", "小计,,,,,",
        ",,合计,3,,", "9,合计,,,,", "共3人,,,,,", "共计 3 条,,,,,", "Total,,,3,,", "合计（人）,,,3,,", "本页小计,,,,,",
        "注：以上名单请于24小时内反馈,,,,,", "备注：无,,,,,", "说明,,,,,",
        "填表说明：一、请核对,二、请签收,,,,", "制表人：张三,,,,,",
        "制表人：张三,,审核人：李四,,,", "制表人：张三,,,联系电话：0478-8221234,,", "填报时间：2026-11-20,,,,,",
        "※ 涉密,,,,,",
        "（以下空白）,,,,,", "以上共三人,,,,,", "第1页 共3页,,,,,", "一、临河区,,,,,",
        ",临河区公安分局,,,,", "------,,,,,",
        "序号,指令编号,姓名,手机号,等级,备注", ",指令编号,姓名,,,", ",,,手机号,,", "数据来源：某平台,,,,,",
    ],
)  # fmt: skip
def test_blank_note_and_totals_rows_are_skipped_and_not_counted(row: str):
    reader = read("1,A1,王伟,13800138000,高危,", row, "2,A2,李娜,13900139000,低危,")
    items = list(reader)
    assert [item.line for item in items] == [2, 4]
    assert all(isinstance(item, Accepted) for item in items)
    assert reader.skipped == 1


@pytest.mark.parametrize(
    "row",
    [
        "3,A3,赵云,,高危,",
        ",,赵云,,,",
        ",,姓名,,,",
        ",A3,,,,",
        "3,A3,合计,,高危,",
        "3,A3,赵云,无,高危,注：号码不详",
        ",,,123,,",
        ",,,见备注,,",
        "备注,A3,赵云,12345,高危,",
    ],
)
def test_a_row_that_may_be_a_person_without_a_phone_is_refused_aloud(row: str):
    items = list(read("1,A1,王伟,13800138000,高危,", row))
    assert isinstance(items[-1], Rejected)
    assert items[-1].field is Field.PHONE


@pytest.mark.parametrize(
    "row",
    [
        "3,A3,合计,13800138001,高危,",
        "合计,A3,赵云,13800138001,高危,",
        "备注,,,13800138001,,",
        "共3人,,,13800138001,,",
    ],
)
def test_a_row_with_a_phone_is_never_skipped(row: str):
    items = list(read("1,A1,王伟,13800138000,高危,", row))
    assert len(items) == 2
    assert all(isinstance(item, Accepted) for item in items)


def test_rows_above_the_heading_are_skipped():
    data = f"名单\n\n2026年11月\n{HEADING}\n1,A1,王伟,13800138000,高危,\n".encode()
    reader = read_list(data, filename="a.csv", options=OPTIONS)
    assert [item.line for item in reader] == [5]
    assert reader.skipped == 3


def test_every_line_is_a_heading_a_row_or_skipped():
    rows = ["1,A1,王伟,13800138000,高危,", ",,,,,", "2,A2,李娜,,低危,", "合计,,,2,,", "注：演练,,,,,"]
    reader = read(*rows)
    assert len(list(reader)) + reader.skipped + 1 == len(rows) + 1


def test_a_heading_in_two_rows_is_read_together():
    data = "序号,姓名,联系方式,,等级\n,,手机,座机,\n1,王伟,13800138000,0478-8221234,高危\n".encode()
    reader = read_list(data, filename="a.csv", options=OPTIONS)
    (item,) = list(reader)
    assert isinstance(item, Accepted)
    assert item.record.phones == ("+8613800138000", "+864788221234")
    assert [column.field for column in reader.columns].count(Field.PHONE) == 2
    assert {column.table for column in reader.columns} == {0}


def test_a_title_over_groups_of_columns_is_no_heading():
    data = "基本信息,,预警信息,\n姓名,手机号,等级,预警时间\n王伟,13800138000,高危,2026-11-20\n".encode()
    (item,) = read_list(data, filename="a.csv", options=OPTIONS)
    assert isinstance(item, Accepted)
    assert (item.record.name, item.record.grade.value) == ("王伟", "high")


def test_a_second_list_below_the_first_is_read_by_its_own_headings():
    data = "姓名,手机号,等级\n王伟,13800138000,高危\n\n手机号,等级,姓名\n13900139000,低危,李娜\n无,高危,赵云\n".encode()
    reader = read_list(data, filename="a.csv", options=OPTIONS)
    first, second, third = list(reader)
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert isinstance(third, Rejected)
    assert (second.record.name, second.record.phones) == ("李娜", ("+8613900139000",))
    assert (first.table, second.table, third.table) == (0, 1, 1)
    assert [column.heading for column in reader.columns if column.table == 1] == ["手机号", "等级", "姓名"]


def test_a_single_column_of_numbers_is_a_list():
    reader = read_list("手机号\n13800138000\n12345\n\n".encode(), filename="a.csv", options=OPTIONS)
    assert [type(item) for item in reader] == [Accepted, Rejected]


def test_columns_tell_how_each_was_understood():
    reader = read_list("姓名,天气,手机号\n王伟,晴,13800138000\n".encode(), filename="a.csv", options=OPTIONS)
    list(reader)
    assert [(column.letter, column.heading, column.field) for column in reader.columns] == [
        ("A", "姓名", Field.NAME),
        ("B", "天气", None),
        ("C", "手机号", Field.PHONE),
    ]


def test_a_list_that_begins_with_the_letters_of_a_bitmap_is_a_list_and_a_bitmap_is_none():
    reader = read_list("BM编号,姓名,手机号\n1,王伟,13800138000\n".encode(), filename="a.csv", options=OPTIONS)
    assert [type(item) for item in reader] == [Accepted]
    with pytest.raises(UnusableFile, match="a picture"):
        list(read_list(b"BM" + bytes(60), filename="a.csv", options=OPTIONS))
