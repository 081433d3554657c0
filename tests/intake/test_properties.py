from __future__ import annotations

import contextlib
import csv
import io
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from dialer.core.errors import UnusableFile
from dialer.intake.records import Accepted, IntakeOptions, Record, Rejected
from tests.intake.in_process import read_list

OPTIONS = IntakeOptions(now=datetime(2026, 11, 25, 1, 0, tzinfo=UTC), source="s")
HEADINGS = ("指令编号", "姓名", "手机号", "等级", "拟转金额", "预警时间", "备注")
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030")
DELIMITERS = (",", "\t", ";", "|")
NAME = st.text("王李张刘陈杨赵黄周吴徐孙马朱胡", min_size=2, max_size=3)
REMARK = st.text('天地玄黄，。:;|,"\t 0123abc=+-@\n', max_size=12)
ROW = st.tuples(
    st.from_regex(r"YJ[0-9]{6}", fullmatch=True),
    NAME,
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True) | st.sampled_from(["", "无", "123", "见备注"]),
    st.sampled_from(["高危", "中", "3级", "", "紫色"]),
    st.sampled_from(["", "500", "3万元", "12,000.50", "若干"]),
    st.sampled_from(["", "2026-11-20 07:52:00", "2026年11月19日 8时05分", "昨天"]),
    REMARK,
)
ROWS = st.lists(ROW, min_size=1, max_size=8)


def written(rows: list[tuple[str, ...]], order: list[int], encoding: str, delimiter: str) -> bytes:
    text = io.StringIO()
    sheet = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    for row in [HEADINGS, *rows]:
        sheet.writerow([row[place] for place in order])
    return text.getvalue().encode(encoding)


def essence(item: Accepted | Rejected) -> object:
    """What must not depend on how the list was written."""
    if isinstance(item, Rejected):
        return item.column, item.reason, item.high_grade
    record = item.record
    return tuple(getattr(record, name) for name in Record.__dataclass_fields__ if name != "raw"), item.notices


@given(ROWS, st.permutations(range(len(HEADINGS))), st.sampled_from(ENCODINGS), st.sampled_from(DELIMITERS))
def test_no_encoding_delimiter_or_order_of_columns_changes_what_is_read(
    rows: list[tuple[str, ...]], order: list[int], encoding: str, delimiter: str
):
    plain = read_list(written(rows, list(range(len(HEADINGS))), "utf-8", ","), filename="a", options=OPTIONS)
    other = read_list(written(rows, order, encoding, delimiter), filename="b", options=OPTIONS)
    assert [essence(item) for item in other] == [essence(item) for item in plain]


@given(ROWS)
def test_every_row_is_accepted_or_refused_once_and_in_order(rows: list[tuple[str, ...]]):
    items = list(read_list(written(rows, list(range(7)), "utf-8", ","), filename="a", options=OPTIONS))
    assert [item.raw[0] if isinstance(item, Rejected) else item.record.raw[0] for item in items] == [
        row[0] for row in rows
    ]
    assert [item.line for item in items] == sorted(item.line for item in items)


@given(ROWS, st.lists(st.text(max_size=30), min_size=1, max_size=9), st.integers(0, 8))
def test_one_bad_row_changes_no_other(rows: list[tuple[str, ...]], bad: list[str], place: int):
    # A cell with a line break of its own may close the bad row's quote: nobody can say then which row it belongs to.
    clean = [(*row[:6], row[6].translate({ord(one): " " for one in '\r\n"'})) for row in rows]
    text = written(clean, list(range(7)), "utf-8", "\t").decode().splitlines()
    line = "\t".join(bad).replace("\n", " ").replace("\r", " ").encode("utf-8", "replace").decode()
    place = min(place, len(clean))
    spoilt = "\n".join([*text[: place + 1], line, *text[place + 1 :]]).encode()
    expected = list(read_list("\n".join(text).encode(), filename="a", options=OPTIONS))
    with contextlib.suppress(UnusableFile):
        found = list(read_list(spoilt, filename="a", options=OPTIONS))
        kept = [essence(item) for item in found if item.line != place + 2]
        assert kept == [essence(item) for item in expected]
        return
    raise AssertionError("one row made the file unusable")


@given(
    st.binary(max_size=3000)
    | st.builds(
        lambda head, tail: head + tail,
        st.sampled_from([b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"]),
        st.binary(),
    )
    | st.builds(lambda text: ("姓名,手机号\n" + text).encode("utf-8", "replace"), st.text())
    | st.builds(lambda tail: "姓名,手机号\n".encode("gb18030") + tail, st.binary())
    | st.builds(lambda tail: "姓名,手机号\n".encode("utf-16") + tail, st.binary())
)
def test_any_bytes_are_a_list_or_unusable(data: bytes):
    try:
        reader = read_list(data, filename="a", options=OPTIONS)
        items = list(reader)
    except UnusableFile as refused:
        assert "\n" not in str(refused)  # noqa: PT017  # the text matters, not only the class
        return
    assert items
    assert all(isinstance(item, Accepted | Rejected) for item in items)
    assert reader.skipped >= 0
