"""Documents of text and tables as docx, for A4 and black print. The file names no author and no machine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from typing import Any

from starlette.responses import Response

from dialer.language import Lang

_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_LATIN = "Liberation Serif"
_CHINESE, _CHINESE_HEADING = "仿宋", "黑体"
_A4_CM = (21.0, 29.7)
_MARGIN_CM = 2.2


class Document:
    """Written from above to below; `content` gives the bytes of the file."""

    def __init__(self, *, title: str, lang: Lang, made_at: datetime) -> None:
        import docx  # loaded only by processes that write documents: memory at rest
        from docx.shared import Cm, Pt

        self._docx: Any = docx.Document()
        self._lang = lang
        [section] = self._docx.sections
        section.page_width, section.page_height = (Cm(one) for one in _A4_CM)
        section.left_margin = section.right_margin = section.top_margin = Cm(_MARGIN_CM)
        section.bottom_margin = Cm(_MARGIN_CM)
        self._width = section.page_width - section.left_margin - section.right_margin
        for name, points, chinese in (
            ("Normal", 10.5, _CHINESE),
            ("Title", 18, _CHINESE_HEADING),
            ("Heading 1", 13, _CHINESE_HEADING),
        ):
            self._font(self._docx.styles[name], Pt(points), chinese)
        about = self._docx.core_properties
        about.author, about.title, about.comments = "", title, ""
        about.created = about.modified = made_at
        self._docx.add_paragraph(title, style="Title")

    def _font(self, style: Any, size: Any, chinese: str) -> None:  # noqa: ANN401  # the library has no types
        from docx.oxml.ns import qn
        from docx.shared import RGBColor

        style.font.name, style.font.size = _LATIN, size
        style.font.color.rgb = RGBColor(0, 0, 0)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for name in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
            fonts.attrib.pop(qn(name), None)
        fonts.set(qn("w:eastAsia"), chinese)
        fonts.set(qn("w:hAnsi"), _LATIN)

    def heading(self, text: str) -> None:
        self._docx.add_heading(text, level=1)

    def paragraph(self, text: str) -> None:
        self._docx.add_paragraph(text)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], *, shares: Sequence[float]) -> None:
        """`shares` of the width, by column. The head stands again on each page; a row is not torn."""
        from docx.oxml import OxmlElement
        from docx.oxml.ns import qn

        table = self._docx.add_table(rows=0, cols=len(shares), style="Table Grid")
        table.autofit = False
        for column, share in zip(table.columns, shares, strict=True):
            column.width = int(self._width * share / sum(shares))
        lines = [list(head)] if head else []
        for place, line in enumerate([*lines, *rows]):
            row = table.add_row()
            properties = row._tr.get_or_add_trPr()  # noqa: SLF001  # the library has no call for it
            properties.append(OxmlElement("w:cantSplit"))
            is_head = bool(head) and place == 0
            if is_head:
                properties.append(OxmlElement("w:tblHeader"))
            for cell, text, share in zip(row.cells, line, shares, strict=True):
                cell.width = int(self._width * share / sum(shares))
                cell.text = ""
                run = cell.paragraphs[0].add_run(text)
                run.bold = is_head
                if is_head:
                    shade = OxmlElement("w:shd")
                    shade.set(qn("w:val"), "clear")
                    shade.set(qn("w:fill"), "E7E7E7")
                    cell._tc.get_or_add_tcPr().append(shade)  # noqa: SLF001  # as above

    def footer(self, text: str) -> None:
        """On every page."""
        self._docx.sections[0].footer.paragraphs[0].text = text

    @property
    def content(self) -> bytes:
        written = BytesIO()
        self._docx.save(written)
        return written.getvalue()


def as_docx(document: Document, *, name: str) -> Response:
    """The answer that a browser saves as `name.docx`."""
    disposition = f'attachment; filename="{name}.docx"'
    return Response(document.content, media_type=_DOCX, headers={"Content-Disposition": disposition})
