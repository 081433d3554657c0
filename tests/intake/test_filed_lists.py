"""Lists of filed cases: headings of several offices, values as people write them, and each fault at its column."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
import xlsxwriter

from dialer.core.errors import UnusableFile
from dialer.core.text import Lang
from dialer.core.values import FraudType
from dialer.intake.filed_lists import FiledOptions, FiledReader, FiledRecord
from dialer.intake.files import known_tables
from dialer.intake.headings import KnownList
from dialer.intake.records import RejectedRow
from dialer.language.catalogue import say

NOW = datetime(2026, 11, 27, 4, 0, tzinfo=UTC)
"""12:00 in Shanghai."""
HEAD = "案件编号,受害人姓名,联系电话,身份证号码,损失金额（元）,立案时间,发案时间,案件类别,立案单位\n"
ID_NUMBER = "150402199001011237"


def rows(text: str, *, encoding: str = "utf-8") -> list[FiledRecord | RejectedRow]:
    reader = FiledReader(FiledOptions(now=NOW))
    return list(reader.read(known_tables(io.BytesIO(text.encode(encoding)), KnownList.FILED)))


def only(text: str) -> FiledRecord:
    [row] = rows(HEAD + text)
    assert isinstance(row, FiledRecord), row
    return row


def refused(text: str, *, head: str = HEAD) -> tuple[int, str, str]:
    [row] = rows(head + text)
    assert isinstance(row, RejectedRow)
    return row.line, row.column, say(Lang.EN, row.reason)


def test_a_whole_row_as_offices_write_it():
    row = only(
        f"A1508020000002026110031,王 小明,138 0013 8000,{ID_NUMBER},5万,2026年11月26日,2026-11-25 14:30,"
        "刷单返利类,临河区分局\n"
    )
    assert row == FiledRecord(
        line=2,
        case_number="A1508020000002026110031",
        name="王小明",
        phones=("+8613800138000",),
        id_number=ID_NUMBER,
        amount_fen=5_000_000,
        filed_at=datetime(2026, 11, 26, 15, 59, 59, tzinfo=UTC),
        event_at=datetime(2026, 11, 25, 6, 30, tzinfo=UTC),
        fraud_type=FraudType.FAKE_ORDER_REBATE,
        unit="临河区分局",
    )


@pytest.mark.parametrize("day", [1, 27])
def test_a_date_is_the_end_of_its_day_today_too(day: int):
    end = datetime(2026, 11, day, 15, 59, 59, tzinfo=UTC)
    row = only(f"1,王,,{ID_NUMBER},,2026-11-{day:02},2026-11-{day:02},,\n")
    assert row.filed_at == row.event_at == end


def test_a_time_that_is_not_given_is_not_known():
    row = only(f"1,王,,{ID_NUMBER},,,,,\n")
    assert (row.filed_at, row.event_at) == (None, None)


def test_amounts_of_a_column_in_ten_thousands():
    head = HEAD.replace("损失金额（元）", "涉案金额(万元)")
    [row] = rows(f"{head}1,王,,{ID_NUMBER},3.5,,,,\n")
    assert isinstance(row, FiledRecord)
    assert row.amount_fen == 3_500_000


def test_titles_above_totals_below_and_other_encodings():
    text = f"某市电信网络诈骗案件统计表\n\n{HEAD}1,王,,{ID_NUMBER},100,,,,\n合计,,,,100,,,,\n"
    for encoding in ("utf-8", "utf-8-sig", "gb18030", "utf-16"):
        assert len(rows(text, encoding=encoding)) == 1


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        (f",王,,{ID_NUMBER},,,,,\n", "案件编号", "the case number is missing: fill it in"),
        ("1,王,,,,,,,\n", "身份证号码", "neither an id number nor a phone is given: fill in one of them"),
        (
            "1,王,,150402199001011238,,,,,\n",
            "身份证号码",
            "150**** is not a valid id number: correct it, or add a phone",
        ),
        ("1,王,12,,,,,,\n", "联系电话", "12 is not a phone number: correct it, or add an id number"),
        (
            f"1,王,,{ID_NUMBER},很多,,,,\n",
            "损失金额（元）",
            "很多 is not an amount: write it in yuan, such as 50000",
        ),
        (f"1,王,,{ID_NUMBER},,昨天,,,\n", "立案时间", "昨天 is not a time: write it as 2026-11-26 14:30"),
        (f"1,王,,{ID_NUMBER},,,2026-11-28,,\n", "发案时间", "2026-11-28 lies in the future: correct it"),
        (f"1,{'王' * 501},,{ID_NUMBER},,,,,\n", "受害人姓名", "longer than 500 characters: shorten it"),
        (f"{'1' * 101},王,,{ID_NUMBER},,,,,\n", "案件编号", "longer than 100 characters: shorten it"),
    ],
)
def test_a_fault_names_its_line_its_column_and_the_fix(text: str, column: str, reason: str):
    assert refused(text) == (2, column, reason)


@pytest.mark.parametrize("text", ["姓名,电话\n王,13800138000\n", "案件编号,姓名\n1,王\n", "x\n"])
def test_a_list_without_a_number_or_a_person_is_refused(text: str):
    with pytest.raises(UnusableFile, match="no list of filed cases"):
        rows(text)


def test_an_empty_file_is_refused():
    with pytest.raises(UnusableFile, match="empty"):
        rows(" \n")


def test_every_visible_sheet_is_read_and_each_fault_names_its_own():
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        for name, number in (("去年", "A0"), ("临河", "A1"), ("说明", ""), ("五原", "A2")):
            sheet = book.add_worksheet(name)
            if number:
                sheet.write_row(0, 0, ["案件编号", "手机号"])
                sheet.write_row(1, 0, [number, "13800138000"])
                sheet.write_row(2, 0, ["合　计：", "", "1"])
            if name == "去年":
                sheet.hide()
            if name == "临河":
                sheet.activate()  # the first sheet is never hidden while it is the active one
        sheet.write_row(3, 0, [1508020000002026110031, "13800138000"])
    reader = FiledReader(FiledOptions(now=NOW))
    *read, lost = reader.read(known_tables(file, KnownList.FILED))
    assert [row.case_number for row in read if isinstance(row, FiledRecord)] == ["A1", "A2"]
    assert isinstance(lost, RejectedRow)
    assert (lost.sheet, lost.table, lost.line, lost.column) == ("五原", 1, 4, "案件编号")
    assert "lost digits" in say(Lang.EN, lost.reason)
    assert [(column.table, column.heading) for column in reader.columns if column.heading] == [
        (0, "案件编号"), (0, "手机号"), (1, "案件编号"), (1, "手机号"),
    ]  # fmt: skip


def test_a_soft_break_within_a_cell_ends_no_row():
    whole = only(f"A1,王\v小明,13800138000,{ID_NUMBER},5万,2026-11-26,,刷单,临河\u2028分局\n")
    assert (whole.case_number, whole.phones, whole.unit[:2]) == ("A1", ("+8613800138000",), "临河")
