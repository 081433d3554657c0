from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
import xlsxwriter

from dialer.core.errors import UnusableFile
from dialer.intake.files import cell_text
from dialer.intake.reader import ListReader
from dialer.intake.records import Accepted, IntakeOptions, NoticeCode, Rejected
from tests.intake.in_process import read_list

OPTIONS = IntakeOptions(now=datetime(2026, 11, 25, 1, 0, tzinfo=UTC))
HEADING = ["姓名", "手机号", "等级", "预警时间", "拟转金额", "身份证号"]


def workbook(fill: Callable[[xlsxwriter.Workbook], None]) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as pending_writes:
        fill(pending_writes)
    return file.getvalue()


def sheet_of(*rows: list[object], heading: list[str] = HEADING) -> bytes:
    def fill(pending_writes: xlsxwriter.Workbook) -> None:
        sheet = pending_writes.add_worksheet("名单")
        moments = pending_writes.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for index, row in enumerate([["下发名单"], [], heading, *rows]):
            for column, cell in enumerate(row):
                if isinstance(cell, datetime):
                    sheet.write_datetime(index, column, cell, moments)
                elif cell is not None:
                    sheet.write(index, column, cell)

    return workbook(fill)


def read(data: bytes) -> ListReader:
    return read_list(data, filename="名单.xlsx", options=OPTIONS)


def accepted(data: bytes) -> list[Accepted]:
    return [item for item in read(data) if isinstance(item, Accepted)]


def test_numbers_moments_and_text_in_cells():
    data = sheet_of(
        ["王伟", 13800138000.0, "高危", datetime(2026, 11, 20, 7, 52), 3000.0, "11010519491231002X"],  # noqa: DTZ001 - a cell has no time zone
        ["李娜", "139 0013 9000", 1, "2026/11/19 8:05", "3万元", ""],
        ["赵云", 13700137000, "低", 46345.336805555555, 12000.5, None],
    )
    first, second, third = accepted(data)
    assert (first.line, first.sheet) == (4, "名单")
    assert first.record.phones == ("+8613800138000",)
    assert first.record.produced_at == datetime(2026, 11, 19, 23, 52, tzinfo=UTC)
    assert first.record.amount_at_risk_fen == 300_000
    assert first.record.raw == (
        "王伟",
        "13800138000",
        "高危",
        "2026-11-20 07:52:00",
        "3000",
        "11010519491231002X",
    )
    assert second.record.grade.value == "high"
    assert third.record.produced_at == datetime(2026, 11, 19, 0, 5, tzinfo=UTC)
    assert third.record.amount_at_risk_fen == 1_200_050


def test_an_identity_number_that_became_a_float_has_lost_its_digits():
    (item,) = accepted(sheet_of(["王伟", "13800138000", "高", "", "", 110105194912310021.0]))
    assert [notice.code for notice in item.notices] == [NoticeCode.ID_DIGITS_LOST]
    assert item.record.id_number == ""


def test_a_phone_written_as_a_lost_number_is_refused_and_the_rest_is_not():
    data = sheet_of(["王伟", "1.38E+10", "高", "", "", ""], ["李娜", "13800138000", "高", "", "", ""])
    first, second = list(read(data))
    assert isinstance(first, Rejected)
    assert isinstance(second, Accepted)
    assert (first.line, first.sheet, first.column) == (4, "名单", "手机号")


def test_every_sheet_with_a_list_is_read_and_others_are_not():
    def fill(pending_writes: xlsxwriter.Workbook) -> None:
        for name, number in (("临河", "13800138000"), ("说明", ""), ("五原", "13900139000")):
            sheet = pending_writes.add_worksheet(name)
            if number:
                sheet.write_row(0, 0, ["手机号", "姓名"])
                sheet.write_row(1, 0, [number, "王伟"])
            else:
                sheet.write(0, 0, "本表由系统导出")

    reader = read(workbook(fill))
    assert [(item.sheet, item.table, item.line) for item in reader] == [("临河", 0, 2), ("五原", 1, 2)]
    assert [(column.table, column.heading) for column in reader.columns] == [
        (0, "手机号"), (0, "姓名"), (1, "手机号"), (1, "姓名"),
    ]  # fmt: skip


@pytest.mark.parametrize("has_visible", [True, False])
def test_a_hidden_sheet_is_read_only_where_no_visible_one_holds_a_list(has_visible: bool):
    def fill(pending_writes: xlsxwriter.Workbook) -> None:
        visible = pending_writes.add_worksheet("名单")
        if has_visible:
            visible.write_column(0, 0, ["手机号", "13800138000"])
        hidden = pending_writes.add_worksheet("旧名单")
        hidden.write_column(0, 0, ["手机号", "13900139000"])
        hidden.hide()

    assert [item.sheet for item in read(workbook(fill))] == ["名单" if has_visible else "旧名单"]


def test_merged_cells_count_for_every_row_they_span_but_an_instruction_number_for_its_first():
    def fill(pending_writes: xlsxwriter.Workbook) -> None:
        sheet = pending_writes.add_worksheet()
        sheet.merge_range(0, 0, 0, 3, "全市名单")
        sheet.write_row(1, 0, ["指令编号", "手机号", "属地", "等级"])
        for row, phone in enumerate(["13800138000", "13800138001", "13800138002"], start=2):
            sheet.write(row, 1, phone)
        sheet.merge_range(2, 0, 4, 0, "YJ1")
        sheet.merge_range(2, 2, 4, 2, "五原县公安局")
        sheet.merge_range(3, 3, 4, 3, "高危")
        sheet.write(2, 3, "低危")

    records = [item.record for item in accepted(workbook(fill))]
    assert [record.unit for record in records] == ["五原县公安局"] * 3
    assert [record.grade.value for record in records] == ["low", "high", "high"]
    assert [record.instruction_derived for record in records] == [False, True, True]


def test_a_heading_merged_over_two_rows():
    def fill(pending_writes: xlsxwriter.Workbook) -> None:
        sheet = pending_writes.add_worksheet()
        sheet.merge_range(0, 0, 1, 0, "姓名")
        sheet.merge_range(0, 1, 0, 2, "联系方式")
        sheet.merge_range(0, 3, 1, 3, "等级")
        sheet.write_row(1, 1, ["手机", "座机"])
        sheet.write_row(2, 0, ["王伟", "13800138000", "0478-8221234", "高危"])

    (item,) = accepted(workbook(fill))
    assert item.record.phones == ("+8613800138000", "+864788221234")
    assert (item.record.name, item.record.grade.value) == ("王伟", "high")


def test_a_list_that_begins_away_from_the_corner():
    def fill(pending_writes: xlsxwriter.Workbook) -> None:
        sheet = pending_writes.add_worksheet()
        sheet.write_row(4, 3, ["姓名", "手机号"])
        sheet.write_row(5, 3, ["王伟", "13800138000"])

    reader = read(workbook(fill))
    (item,) = list(reader)
    assert item.line == 6
    assert [column.letter for column in reader.columns if column.field] == ["D", "E"]


def test_formulas_count_as_their_values_and_text_that_looks_like_one_as_text():
    def fill(pending_writes: xlsxwriter.Workbook) -> None:
        sheet = pending_writes.add_worksheet()
        sheet.write_row(0, 0, ["姓名", "手机号", "拟转金额"])
        sheet.write_string(1, 0, "=cmd|' /C calc'!A0")
        sheet.write_string(1, 1, "13800138000")
        sheet.write_formula(1, 2, "=1000*3", value=3000)

    (item,) = accepted(workbook(fill))
    assert item.record.name == "=cmd|' /C calc'!A0"
    assert item.record.amount_at_risk_fen == 300_000


ODS_CONTENT = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2">
<office:body><office:spreadsheet><table:table table:name="名单">
<table:table-row><table:table-cell office:value-type="string"><text:p>姓名</text:p></table:table-cell>
<table:table-cell office:value-type="string"><text:p>手机号</text:p></table:table-cell></table:table-row>
<table:table-row><table:table-cell office:value-type="string"><text:p>王伟</text:p></table:table-cell>
<table:table-cell office:value-type="float" office:value="13800138000"><text:p>13800138000</text:p></table:table-cell>
</table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"""


def ods(*, manifest: str = "", more: str = "") -> bytes:
    file = io.BytesIO()
    content = (
        ODS_CONTENT.replace("\n xmlns", " xmlns")
        .replace("\n", "")
        .replace("</table:table>", more + "</table:table>")
    )
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr(
            "META-INF/manifest.xml",
            '<?xml version="1.0"?><manifest:manifest '
            'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            f'<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml">{manifest}'
            "</manifest:file-entry></manifest:manifest>",
        )
    return file.getvalue()


def test_an_open_document_sheet():
    (item,) = accepted(ods())
    assert (item.record.name, item.record.phones) == ("王伟", ("+8613800138000",))


def test_an_open_document_sheet_under_a_password():
    data = ods(manifest='<manifest:encryption-data manifest:checksum-type="SHA1"/>')
    with pytest.raises(UnusableFile, match="password"):
        read(data)


def test_an_office_file_under_a_password():
    # An encrypted workbook is an OLE file whose directory names the package.
    data = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + bytes(2000)
        + "EncryptedPackage".encode("utf-16-le")
        + bytes(2000)
    )
    with pytest.raises(UnusableFile, match="password"):
        read(data)


def test_an_old_workbook_under_a_password():
    # A BIFF8 stream whose first record after its beginning is FILEPASS.
    beginning = b"\x09\x08\x10\x00\x00\x06\x05\x00" + bytes(12) + b"\x2f\x00\x36\x00"
    with pytest.raises(UnusableFile, match="password"):
        read(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + beginning + bytes(4000))


def test_a_zip_under_a_password():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.csv", "x")
    data = bytearray(file.getvalue())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(UnusableFile, match="password"):
        read(bytes(data))


def other_zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    return file.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        other_zip(),
        sheet_of(["王伟", "13800138000"])[:3000],
        b"PK\x03\x04" + b"\xff" * 5000,
        b"PK\x05\x06" + bytes(18),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5000),
        workbook(lambda pending_writes: pending_writes.add_worksheet() and None),
        workbook(lambda pending_writes: pending_writes.add_worksheet().write(0, 0, "说明") and None),
        sheet_of(["王伟", "高危"], heading=["姓名", "等级"]),
        sheet_of(heading=["姓名", "手机号"]),
    ],
)
def test_a_workbook_that_is_no_list_is_refused_in_one_line(data: bytes):
    with pytest.raises(UnusableFile) as refused:
        read(data)
    assert "\n" not in str(refused.value)
    assert "load" in str(refused.value)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (10**15, "1.00000E+15"), (10**15 - 1, "999999999999999"),
        ("王", "王"), (None, ""), (1.0, "1"), (1.5, "1.5"), (13800138000.0, "13800138000"), (7, "7"), (True, "TRUE"),
        (1.10105194912310021e17, "1.10105E+17"), (date(2026, 11, 20), "2026-11-20"), (-3.0, "-3"),
        (datetime(2026, 11, 20, 7, 52), "2026-11-20 07:52:00"),  # noqa: DTZ001  # a cell has no time zone
    ],
)  # fmt: skip
def test_a_cell_reads_as_a_person_would(cell: object, text: str):
    assert cell_text(cell) == text  # type: ignore[arg-type]


_CELL = '<table:table-cell office:value-type="string"{}><text:p>x</text:p></table:table-cell>'
_EMPTY = (
    '<table:table-row table:number-rows-repeated="1048574"><table:table-cell'
    ' table:number-columns-repeated="16384"/></table:table-row>'
)


_TALL = (
    '</table:table><table:table table:name="长"><table:table-row table:number-rows-repeated="70000">'
    "<table:table-cell/></table:table-row><table:table-row>" + _CELL.format("") + "</table:table-row>"
)
_BROAD = (
    '</table:table><table:table table:name="宽"><table:table-row>'
    '<table:table-cell table:number-columns-repeated="1000"/>' + _CELL.format("") + "</table:table-row>"
)


@pytest.mark.parametrize("more", [_TALL + _BROAD, _BROAD + _TALL], ids=["tall first", "broad first"])
def test_sheets_of_an_ods_each_large_in_one_direction_are_read(more: str):
    assert len(accepted(ods(more=more))) == 1


def test_empty_cells_that_repeat_to_the_end_of_an_ods_are_nothing():
    assert len(accepted(ods(more=_EMPTY))) == 1


def written_otherwise(content: bytes, was: bytes, becomes: bytes, *more: tuple[str, bytes]) -> bytes:
    told = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as plain, zipfile.ZipFile(told, "w") as other:
        for name in plain.namelist():
            other.writestr(name, plain.read(name).replace(was, becomes))
        for name, body in more:
            other.writestr(name, body)
    return told.getvalue()


def test_a_sheet_that_is_no_xml_but_can_be_read_is_read():
    def fill(pending_writes: xlsxwriter.Workbook) -> None:
        sheet = pending_writes.add_worksheet()
        sheet.write_column(0, 0, ["手机号", "13800138000"])
        sheet.write(0, 30, "备注")

    content = written_otherwise(workbook(fill), b"<sheetData>", b"<sheetData><!-- \x01 -->")
    assert len(accepted(content)) == 1


def test_a_binary_workbook_is_refused_by_name():
    with pytest.raises(UnusableFile, match="xlsb"):
        read(written_otherwise(sheet_of(["王伟", "13800138000"]), b"", b"", ("xl/workbook.bin", b"")))


def test_formats_at_the_end_of_the_sheet_are_no_stray_cells():
    def fill(pending_writes: xlsxwriter.Workbook) -> None:
        sheet = pending_writes.add_worksheet()
        sheet.write_column(0, 0, ["手机号", "13800138000"])
        sheet.write_blank(1_048_575, 16_383, None, pending_writes.add_format({"bold": True}))

    assert len(accepted(workbook(fill))) == 1
