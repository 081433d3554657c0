from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import python_calamine

from dialer.intake.reader import ListReader
from dialer.intake.records import (
    COLUMN_HEADING,
    REASON_HEADING,
    Accepted,
    IntakeOptions,
    Rejected,
    write_rejects,
)
from dialer.language.words import bilingual
from tests.intake.in_process import read_list

OPTIONS = IntakeOptions(now=datetime(2026, 11, 25, 1, 0, tzinfo=UTC))
LIST = (
    "市局名单\n指令编号,姓名,手机号,等级,职业,备注\n"
    "A1,王伟,13800138000,高危,教师,\n"
    "A2,李娜,见备注,高危,医生,\"=cmd|' /C calc'!A0\"\n"
    "A3,@赵云,13700137000,紫色,,-1+2\n"
)


def read(data: bytes, filename: str = "a.csv") -> ListReader:
    return read_list(data, filename=filename, options=OPTIONS)


def rejects_of(reader: ListReader) -> list[Rejected]:
    return [item for item in reader if isinstance(item, Rejected)]


def write(path: Path, data: bytes, *, source: str = "") -> list[Rejected]:
    reader = read(data)
    rejects = rejects_of(reader)
    assert write_rejects(path, reader.columns, rejects, source=source) == len(rejects)
    return rejects


def rows_of(path: Path) -> list[list[list[object]]]:
    pending_writes = python_calamine.load_workbook(path)
    return [pending_writes.get_sheet_by_name(name).to_python() for name in pending_writes.sheet_names]


def test_the_original_rows_stand_under_their_headings_with_column_and_reason(tmp_path: Path):
    path = tmp_path / "rejects.xlsx"
    first, second = write(path, LIST.encode())
    assert rows_of(path) == [
        [
            ["指令编号", "姓名", "手机号", "等级", "职业", "备注", COLUMN_HEADING, REASON_HEADING],
            ["A2", "李娜", "见备注", "高危", "医生", "=cmd|' /C calc'!A0", "手机号", bilingual(first.reason)],
            ["A3", "@赵云", "13700137000", "紫色", "", "-1+2", "等级", bilingual(second.reason)],
        ]
    ]


def test_no_cell_is_a_formula_and_every_cell_is_text(tmp_path: Path):
    path = tmp_path / "rejects.xlsx"
    write(path, LIST.encode())
    with zipfile.ZipFile(path) as archive:
        sheets = [
            archive.read(name).decode() for name in archive.namelist() if name.startswith("xl/worksheets/")
        ]
    assert sheets
    for sheet in sheets:
        assert "<f>" not in sheet
        assert sheet.count("<c ") == sheet.count('t="inlineStr"') > 0


def test_a_mended_file_is_accepted_whole_and_an_unmended_one_comes_back_the_same(tmp_path: Path):
    path = tmp_path / "rejects.xlsx"
    before = write(path, LIST.encode(), source="a")
    again = read(path.read_bytes(), "rejects.xlsx")
    after = rejects_of(again)
    assert [(item.column, item.reason, item.high_grade) for item in after] == [
        (item.column, item.reason, item.high_grade) for item in before
    ]

    repaired = tmp_path / "mended.csv"
    rows = [[str(cell) for cell in row] for row in rows_of(path)[0]]
    rows[1][2], rows[2][3] = "138 0013 8001", "低危"
    repaired.write_text("\n".join("\t".join(row) for row in rows), "utf-8")
    records = [
        item.record for item in read(repaired.read_bytes(), "mended.csv") if isinstance(item, Accepted)
    ]
    assert [record.key for record in records] == [("a", "A2"), ("a", "A3")]
    assert [record.remarks for record in records] == ["=cmd|' /C calc'!A0；职业：医生", "-1+2"]
    assert records[1].name == "@赵云"


def test_a_list_with_its_own_source_column_gets_no_second_one(tmp_path: Path):
    path = tmp_path / "rejects.xlsx"
    write(path, "来源,手机号\n银行,无\n".encode(), source="a")
    assert rows_of(path)[0][0] == ["来源", "手机号", COLUMN_HEADING, REASON_HEADING]


def test_lists_with_different_headings_keep_a_sheet_each(tmp_path: Path):
    path = tmp_path / "rejects.xlsx"
    write(path, "姓名,手机号\n王伟,无\n\n手机号,等级,姓名\n12,高危,李娜\n".encode())
    sheets = rows_of(path)
    assert [sheet[0][:2] for sheet in sheets] == [["姓名", "手机号"], ["手机号", "等级"]]
    assert [item.table for item in read(path.read_bytes(), "r.xlsx")] == [0, 1]


def test_cells_beyond_the_headings_are_kept(tmp_path: Path):
    path = tmp_path / "rejects.xlsx"
    write(path, "姓名,手机号\n王伟,无,多出\n".encode())
    assert rows_of(path)[0][1][-1] == "多出"


def test_no_rejects_give_an_empty_file_with_the_headings(tmp_path: Path):
    path = tmp_path / "rejects.xlsx"
    write(path, "姓名,手机号\n王伟,13800138000\n".encode())
    assert rows_of(path) == [[["姓名", "手机号", COLUMN_HEADING, REASON_HEADING]]]


def test_a_very_long_cell_does_not_lose_its_row(tmp_path: Path):
    path = tmp_path / "rejects.xlsx"
    write(path, f"姓名,手机号,备注\n王伟,无,{'长' * 40_000}\n".encode())
    assert len(str(rows_of(path)[0][1][2])) == 32_767
