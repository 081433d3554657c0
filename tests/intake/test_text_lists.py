from __future__ import annotations

import codecs
import io
import tracemalloc
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest

from dialer.core.errors import UnusableFile
from dialer.intake.reader import ListReader
from dialer.intake.records import Accepted, IntakeOptions, Rejected
from tests.intake.in_process import read_list

OPTIONS = IntakeOptions(now=datetime(2026, 11, 25, 1, 0, tzinfo=UTC))
ROWS = [
    ["全市预警名单", "", "", ""],
    ["", "", "", ""],
    ["姓名", "手机号", "等级", "备注"],
    ["王伟", "13800138000", "高危", "已报警"],
    ["李娜", "13900139000", "低危", ""],
]
ENCODINGS = {
    "utf-8": "utf-8",
    "utf-8 with a mark": "utf-8-sig",
    "gb18030": "gb18030",
    "gbk": "gbk",
    "utf-16 with a mark": "utf-16",
    "utf-16 little": "utf-16-le",
    "utf-16 big": "utf-16-be",
    "utf-32 with a mark": "utf-32",
}


def read(data: bytes, filename: str = "a.csv") -> ListReader:
    return read_list(data, filename=filename, options=OPTIONS)


def names(data: bytes, filename: str = "a.csv") -> list[tuple[int, str]]:
    return [(item.line, item.record.name) for item in read(data, filename) if isinstance(item, Accepted)]


@pytest.mark.parametrize(
    ("encoding", "delimiter", "ending"),
    list(product(ENCODINGS, [",", "\t", ";", "|", "，", "；"], ["\n", "\r\n", "\r"])),
)
def test_every_encoding_delimiter_and_line_end(encoding: str, delimiter: str, ending: str):
    text = ending.join(delimiter.join(row) for row in ROWS) + ending
    # The name of the file says nothing that its content does not.
    assert names(text.encode(ENCODINGS[encoding]), "photo.jpg") == [(4, "王伟"), (5, "李娜")]


def test_a_big_endian_mark():
    text = "\n".join(",".join(row) for row in ROWS)
    assert names(codecs.BOM_UTF16_BE + text.encode("utf-16-be")) == [(4, "王伟"), (5, "李娜")]


def test_a_list_in_english_alone():
    data = b"name;mobile;grade;expires\nWang Wei;13800138000;high;2026-12-31\n"
    (item,) = read(data)
    assert isinstance(item, Accepted)
    assert (item.record.name, item.record.grade.value) == ("Wang Wei", "high")


def test_a_delimiter_within_cells_does_not_mislead():
    data = "姓名\t手机号\t备注\n王伟\t13800138000,13900139000\t甲,乙,丙;丁\n".encode()
    (item,) = read(data)
    assert isinstance(item, Accepted)
    assert item.record.phones == ("+8613800138000", "+8613900139000")
    assert item.record.remarks == "甲,乙,丙;丁"


def test_quoted_cells_hold_delimiters_quotes_and_line_breaks():
    data = '姓名,手机号,备注\n"王,伟",13800138000,"他说""好""\n第二行"\n李娜,13900139000,\n'.encode()
    first, second = list(read(data))
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert first.record.name == "王,伟"
    assert first.record.raw[2] == '他说"好"\n第二行'
    assert (first.line, second.line) == (2, 4)


@pytest.mark.parametrize(
    "bad",
    [
        '"王伟,13800138000,高危,',
        '王伟,"13800138000,高危,',
        '王伟,13800138000,高危,"没有收尾',
        '王"伟,13800138000,高危,',
        '"王"伟,13800138000,高危,',
    ],
)
def test_a_stray_quote_swallows_no_other_row(bad: str):
    rows = [f"人{number},139001390{number:02d},低危," for number in range(60)]
    text = "\n".join(["姓名,手机号,等级,备注", *rows[:30], bad, *rows[30:]]) + "\n"
    found = names(text.encode())
    assert len(found) == 61
    assert [line for line, _ in found] == list(range(2, 63))


@pytest.mark.parametrize(("breaks", "rows"), [(50, 1), (51, 52)])
def test_a_quoted_cell_spans_fifty_line_breaks_at_most(breaks: int, rows: int):
    data = '姓名,手机号\n王伟,"13800138000' + "\n13900139000" * breaks + '"\n'
    assert len(list(read(data.encode()))) == rows


def test_a_list_that_is_too_wide_is_refused_for_that_and_not_for_a_missing_phone():
    with pytest.raises(UnusableFile, match="more than 16,384 columns"):
        read(b"phone," * 16_384 + b"name\n")
    first, *_ = read(b"phone\n13800138000\n" + b"," * 16_384 + b"\n")
    assert isinstance(first, Accepted)
    assert len(list(read(("手机号,姓名" + ",备注" * 16_382 + "\n13800138000,王伟\n").encode()))) == 1


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"GIF89a" + bytes(200), "picture"),
        (b"BM\x00\x00" + bytes(200), "picture"),
        (b"7z\xbc\xaf" + bytes(200), "archive"),
        (b"\x1f\x8b" + bytes(200), "archive"),
        (b"PK\x05\x06" + b"x" * 200, "neither"),
    ],
)
def test_other_kinds_of_files_are_called_by_their_names(data: bytes, word: str):
    with pytest.raises(UnusableFile, match=word):
        read(data)


def test_a_text_that_begins_like_a_bitmap_is_a_text():
    assert names("BM,姓名,手机号\n1,王伟,13800138000\n".encode()) == [(2, "王伟")]


def test_blanks_before_a_list_of_any_length_are_no_empty_file():
    assert names(b" " * 5000 + "\n姓名,手机号\n王伟,13800138000\n".encode()) == [(3, "王伟")]


def test_two_stray_quotes_in_rows_apart_swallow_nothing_between():
    rows = [f"人{number},139001390{number:02d},低危," for number in range(9)]
    rows[2] = '"人2,13900139002,低危,'
    rows[6] = '"人6,13900139006,低危,'
    text = "\n".join(["姓名,手机号,等级,备注", *rows]) + "\n"
    assert [line for line, _ in names(text.encode())] == list(range(2, 11))


def test_a_damaged_byte_costs_one_cell_and_no_row():
    text = "姓名,手机号,等级,备注\n" + "".join(f"王伟{n},139001390{n:02d},低危,你好\n" for n in range(50))
    for encoding in ("utf-8", "gb18030"):
        data = bytearray(text.encode(encoding))
        place = data.index("王伟7".encode(encoding))
        data[place] = 0xFF
        items = list(read(bytes(data)))
        assert len(items) == 50
        assert all(isinstance(item, Accepted) for item in items)
        assert [item.record.remarks for item in items if isinstance(item, Accepted)] == ["你好"] * 50, (
            encoding
        )


def test_a_file_cut_in_the_middle_of_a_character():
    data = "姓名,手机号,备注\n王伟,13800138000,已报警\n李娜,13900139000,已报警".encode()[:-1]
    assert [name for _, name in names(data)] == ["王伟", "李娜"]


def test_zero_bytes_in_a_cell_are_dropped():
    assert names("姓名,手机号\n王\x00伟,13800138000\n".encode()) == [(2, "王伟")]


def test_a_note_from_a_spreadsheet_about_its_separator_is_a_title():
    assert names("sep=;\n姓名;手机号\n王伟;13800138000\n".encode()) == [(3, "王伟")]


def test_a_stream_gives_the_same_as_its_bytes_and_stays_open():
    data = "姓名,手机号\n王伟,13800138000\n".encode()
    stream = io.BytesIO(data)
    assert list(read_list(stream, filename="a.csv", options=OPTIONS)) == list(read(data))
    assert not stream.closed


def test_a_reader_may_be_left_before_the_end():
    data = ("姓名,手机号\n" + "王伟,13800138000\n" * 100).encode()
    with read_list(data, filename="a.csv", options=OPTIONS) as reader:
        assert isinstance(next(iter(reader)), Accepted)
    assert list(reader) == []


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty"),
        (b"   \r\n\t\n", "empty"),
        (codecs.BOM_UTF8, "phone column"),
        ("姓名,等级\n王伟,高危\n".encode(), "phone column"),
        ("今天天气很好。\n明天也是。\n".encode(), "phone column"),
        ("王伟,13800138000,高危\n".encode(), "phone column"),
        ("姓名,手机号\n".encode(), "no rows"),
        ("姓名,手机号\n合计,1\n,,\n".encode(), "no rows"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, "picture"),
        (b"\xff\xd8\xff\xe0" + bytes(range(256)) * 8, "picture"),
        (b"%PDF-1.7\n" + bytes(range(256)) * 8, "PDF"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "web page"),
        (b"<?xml version='1.0'?><Workbook/>", "web page"),
        (bytes(range(1, 256)) * 40, "neither"),
        (b"Rar!\x1a\x07\x00" + bytes(200), "archive"),
        (b"x" * (3 << 20), "longer than"),
    ],
)
def test_what_is_no_list_is_refused_in_one_line_that_says_what_to_do(data: bytes, word: str):
    with pytest.raises(UnusableFile) as refused:
        read(data)
    line = str(refused.value)
    assert word in line
    assert "\n" not in line
    assert "王" not in line
    assert "load" in line


def test_a_long_list_needs_little_memory(tmp_path: Path):
    path = tmp_path / "long.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("指令编号,姓名,手机号,等级,预警时间,备注\n")
        for number in range(20_000):
            file.write(
                f"YJ{number},王伟,138{number:08d},低危,2026-11-20 08:{number % 60:02d}:00,{'备注' * 60}\n"
            )
    tracemalloc.start()
    try:
        with path.open("rb") as file:
            found = read_list(file, filename="a.csv", options=OPTIONS)
            count = sum(isinstance(item, Accepted) for item in found)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 20_000
    assert path.stat().st_size > 8_000_000
    assert peak < 7_000_000


def test_gb18030_far_down_a_long_ascii_list_is_still_found():
    rows = "".join(f"Wang,138{number:08d},high,\n" for number in range(5000))
    data = ("name,phone,grade,remarks\n" + rows).encode() + "王伟,13800138000,高危,已报警\n".encode("gb18030")
    last = list(read(data))[-1]
    assert isinstance(last, Accepted)
    assert (last.record.name, last.record.remarks) == ("王伟", "已报警")


def test_one_bad_row_never_sinks_the_rest():
    rows = [
        ["王伟", "13800138000", "高危", ""],
        ["x" * 200_000, "", "\x01\x02", "1" * 5000],
        ["李娜", "13900139000", "低危", ""],
    ]
    text = "姓名,手机号,等级,备注\n" + "\n".join(",".join(row) for row in rows)
    items = list(read(text.encode()))
    assert [type(item) for item in items] == [Accepted, Rejected, Accepted]
