"""Documents made of what staff typed: no sign that somebody typed or pasted keeps a document from being made."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from zipfile import ZipFile

import docx
import pytest

from dialer.core.text import Lang
from dialer.web.charts import Chart, ChartKind, Series
from dialer.web.documents import Document

NOW = datetime(2026, 11, 27, tzinfo=UTC)


@pytest.mark.parametrize(
    "sign", ["\x01", "\x0b", "\x0c", "\x1f", "\x7f", "\ud800", "\ufffe", "\uffff", "<&\"'>"]
)
def test_no_sign_keeps_a_document_from_being_made(sign: str):
    said = f"东{sign}区"
    made = Document(title=said, lang=Lang.ZH, made_at=NOW)
    made.heading(said)
    made.line(said)
    made.paragraph(said)
    made.footer(said)
    made.table([said], [[said]], shares=[1])
    one = Series(name=said, values=[1.0])
    made.chart(Chart(kind=ChartKind.BARS, title=said, labels=[said], series=[one]))
    content = made.content
    read = docx.Document(BytesIO(content))
    assert all(
        "东" in paragraph.text and "区" in paragraph.text for paragraph in read.paragraphs if paragraph.text
    )
    with ZipFile(BytesIO(content)) as file:
        assert file.testzip() is None


def test_a_line_break_of_word_is_one():
    made = Document(title="x", lang=Lang.ZH, made_at=NOW)
    made.paragraph("第一行\x0b第二行")
    assert docx.Document(BytesIO(made.content)).paragraphs[-1].text == "第一行\n第二行"
