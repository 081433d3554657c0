"""Cells made to do harm: what is too long to be a value takes no time."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from dialer.intake.headings import HEADING_WORDS, layout_of
from dialer.intake.reader import RowReader
from dialer.intake.records import Accepted, Field, IntakeOptions, Rejected

OPTIONS = IntakeOptions(now=datetime(2026, 11, 25, 1, 0, tzinfo=UTC))
MARKS = ("1", "(", "（", "-", "：", "'", "=", "元", "三万", "138", "1,", "转", "年1月", "\u0300")
HEADINGS = [(words if isinstance(words, str) else words[0]).split()[0] for words in HEADING_WORDS.values()]


def read(heading: str, cell: str) -> Accepted | Rejected:
    headings = [heading, *(["手机号"] if heading != "手机号" else []), "姓名"]
    row = [cell, *(["13800138000"] if heading != "手机号" else []), "王伟"]
    reader = RowReader(layout=layout_of(headings), options=OPTIONS)
    reader.has_phone(row)
    return reader.read(1, row)


def _heading(field: Field) -> str:
    words = HEADING_WORDS[field]
    return (words if isinstance(words, str) else words[0]).split()[0]


@pytest.mark.parametrize("heading", HEADINGS)
def test_a_long_cell_of_any_column_takes_no_time(heading: str):
    begun = time.process_time()
    for mark in MARKS:
        for cell in (mark * (60_000 // len(mark)), mark * (60_000 // len(mark)) + "z1"):
            assert isinstance(read(heading, cell), Accepted | Rejected)
    assert time.process_time() - begun < 20


def test_what_is_longer_than_a_value_is_none():
    phone = read(_heading(Field.PHONE), "电" * 500 + "13800138000")
    assert isinstance(phone, Rejected)
    assert isinstance(read(_heading(Field.PHONE), "电" * 489 + "13800138000"), Accepted)
    grade = read(_heading(Field.GRADE), "高危" + "（" * 499)
    assert isinstance(grade, Rejected)
    talk = read(_heading(Field.TALK_SECONDS), "1" * 5000)
    assert isinstance(talk, Accepted)
    assert talk.record.talk_seconds is None
