"""Documents of text, tables and charts as docx, for A4 and black print. The file names no author and no machine.

A chart is one of the document's own (DrawingML), not a picture: sharp in print, and its figures can be read from the
table behind it.

LibreOffice, where it is installed, makes a PDF of the same pages, in a process of its own.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from starlette.responses import Response

from dialer.core.errors import Unavailable
from dialer.core.text import Lang, gettext_noop
from dialer.web.charts import Chart, ChartKind, Series

_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_LATIN = "Liberation Serif"
_CHINESE, _CHINESE_HEADING = "仿宋", "黑体"
_A4_CM = (21.0, 29.7)
_MARGIN_CM = 2.2
_POINTS, _TABLE_POINTS, _AFTER_POINTS = 10.5, 9, 4


_UNFIT = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot contain. Typed or pasted text may have some: a line break of Word is a vertical tab."""


def _without_unfit(text: str) -> str:
    return _UNFIT.sub(" ", text.replace("\v", "\n"))


class Document:
    """A document that is written from top to bottom; `content` gives the bytes of the file."""

    def __init__(self, *, title: str, lang: Lang, made_at: datetime) -> None:
        import docx  # loaded only by processes that write documents: memory at rest
        from docx.shared import Cm, Pt

        self._docx: Any = docx.Document()
        self._lang = lang
        [section] = self._docx.sections
        section.page_width, section.page_height = (Cm(side) for side in _A4_CM)
        section.left_margin = section.right_margin = section.top_margin = Cm(_MARGIN_CM)
        section.bottom_margin = Cm(_MARGIN_CM)
        self._width = section.page_width - section.left_margin - section.right_margin
        for name, points, chinese in (
            ("Normal", _POINTS, _CHINESE),
            ("Title", 18, _CHINESE_HEADING),
            ("Heading 1", 13, _CHINESE_HEADING),
        ):
            self._font(self._docx.styles[name], Pt(points), chinese)
        about = self._docx.core_properties
        about.author, about.title, about.comments = "", _without_unfit(title), ""
        about.created = about.modified = made_at
        self._docx.add_paragraph(_without_unfit(title), style="Title")
        self._charts = 0

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
        self._docx.add_heading(_without_unfit(text), level=1)

    def paragraph(self, text: str) -> None:
        from docx.shared import Pt

        layout = self._docx.add_paragraph(_without_unfit(text)).paragraph_format
        layout.space_after = Pt(_AFTER_POINTS)
        if self._lang == Lang.ZH and text:
            layout.first_line_indent = Pt(2 * _POINTS)  # two characters, as Chinese texts begin

    def line(self, text: str) -> None:
        """A centred line, below the title."""
        from docx.enum.text import WD_ALIGN_PARAGRAPH

        self._docx.add_paragraph(_without_unfit(text)).alignment = WD_ALIGN_PARAGRAPH.CENTER

    def chart(self, chart: Chart) -> None:
        """A chart over the whole width; `chart.title` is its alternative text and is printed below it."""
        from docx.enum.text import WD_ALIGN_PARAGRAPH
        from docx.opc.constants import RELATIONSHIP_TYPE
        from docx.opc.packuri import PackURI
        from docx.opc.part import Part
        from docx.oxml import parse_xml

        self._charts += 1
        number, package = self._charts, self._docx.part.package
        workbook = Part(PackURI(f"/word/embeddings/chart{number}.xlsx"), _XLSX, _workbook(chart), package)
        content = _chart_xml(chart, _CHINESE).encode()
        part = Part(PackURI(f"/word/charts/chart{number}.xml"), _CHART, content, package)
        part.relate_to(workbook, RELATIONSHIP_TYPE.PACKAGE)
        relation = self._docx.part.relate_to(part, RELATIONSHIP_TYPE.CHART)
        rows = len(chart.labels) * len(chart.series)
        height = min(
            _CHART_HEIGHT + (rows * _BAR_HEIGHT if chart.kind is ChartKind.BARS else 0), _MOST_CHART_HEIGHT
        )
        paragraph = self._docx.add_paragraph()
        paragraph.paragraph_format.keep_with_next = True
        paragraph.add_run()._r.append(  # noqa: SLF001  # the library has no call for charts
            parse_xml(_drawing_xml(number, relation, int(self._width), height, chart.title))
        )
        caption = self._docx.add_paragraph(_without_unfit(chart.title))
        caption.alignment = WD_ALIGN_PARAGRAPH.CENTER

    def table(
        self,
        head: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        shares: Sequence[float],
        words: int | None = None,
    ) -> None:
        """A table whose columns take these `shares` of the width. The head is repeated on each page; a row is not split
        between pages. The columns after the first `words` are figures, aligned right; None: all columns are words.
        """
        from docx.enum.text import WD_ALIGN_PARAGRAPH
        from docx.oxml import OxmlElement
        from docx.oxml.ns import qn
        from docx.shared import Pt

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
            for column, (cell, text, share) in enumerate(zip(row.cells, line, shares, strict=True)):
                cell.width = int(self._width * share / sum(shares))
                cell.text = ""
                run = cell.paragraphs[0].add_run(_without_unfit(text))
                if words is not None and column >= words:
                    cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT
                run.bold, run.font.size = is_head, Pt(_TABLE_POINTS)
                if is_head:
                    shade = OxmlElement("w:shd")
                    shade.set(qn("w:val"), "clear")
                    shade.set(qn("w:fill"), "E7E7E7")
                    cell._tc.get_or_add_tcPr().append(shade)  # noqa: SLF001  # as above

    def footer(self, text: str) -> None:
        """A footer on every page."""
        self._docx.sections[0].footer.paragraphs[0].text = _without_unfit(text)

    @property
    def content(self) -> bytes:
        written = BytesIO()
        self._docx.save(written)
        return written.getvalue()


_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CHART = "application/vnd.openxmlformats-officedocument.drawingml.chart+xml"
_SPACES = (
    'xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart"'
    ' xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    ' xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"'
    ' xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
)
_CHART_HEIGHT, _BAR_HEIGHT, _MOST_CHART_HEIGHT = 2_000_000, 190_000, 7_400_000
"""In EMU; a centimetre has 360,000."""
_FILLS = ("1F2A37", "9AA5B1", "D5DBE1", "5B6B7C")
_PATTERNS = ("", "wdUpDiag", "", "pct50")
"""Distinguishable in black print: full, slanted, light, dotted."""
_DASHES = ("solid", "dash", "sysDot", "lgDash")
_VALUE_AXIS, _LABEL_AXIS = 2, 1
_MOST_NAMES = 12


def _column(place: int) -> str:
    return chr(ord("B") + place)


def _workbook(chart: Chart) -> bytes:
    """The figures behind the chart, which a reader may open from it."""
    import xlsxwriter

    written = BytesIO()
    with xlsxwriter.Workbook(written, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Sheet1")
        for row, label in enumerate(chart.labels, start=1):
            sheet.write_string(row, 0, _without_unfit(label))
        for column, series in enumerate(chart.series, start=1):
            sheet.write_string(0, column, _without_unfit(series.name))
            for row, value in enumerate(series.values, start=1):
                if value is not None:
                    sheet.write_number(row, column, value)
    return written.getvalue()


def _drawing_xml(number: int, relation: str, width: int, height: int, title: str) -> str:
    return (
        f'<w:drawing {_SPACES}><wp:inline distT="0" distB="0" distL="0" distR="0">'
        f'<wp:extent cx="{width}" cy="{height}"/>'
        f'<wp:docPr id="{number}" name="Chart {number}" descr={quoteattr(_without_unfit(title))}/>'
        '<wp:cNvGraphicFramePr/><a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/chart">'
        f'<c:chart r:id="{relation}"/></a:graphicData></a:graphic></wp:inline></w:drawing>'
    )


def _fill(place: int, *, is_line: bool) -> str:
    colour, pattern = _FILLS[place % len(_FILLS)], _PATTERNS[place % len(_PATTERNS)]
    if is_line:
        return (
            f'<c:spPr><a:ln w="25400"><a:solidFill><a:srgbClr val="{colour}"/></a:solidFill>'
            f'<a:prstDash val="{_DASHES[place % len(_DASHES)]}"/></a:ln></c:spPr>'
        )
    edge = '<a:ln w="6350"><a:solidFill><a:srgbClr val="1F2A37"/></a:solidFill></a:ln>'
    if pattern:
        return (
            f'<c:spPr><a:pattFill prst="{pattern}"><a:fgClr><a:srgbClr val="1F2A37"/></a:fgClr>'
            f'<a:bgClr><a:srgbClr val="FFFFFF"/></a:bgClr></a:pattFill>{edge}</c:spPr>'
        )
    return f'<c:spPr><a:solidFill><a:srgbClr val="{colour}"/></a:solidFill>{edge}</c:spPr>'


def _numbers(values: Sequence[float | None], form: str) -> str:
    points = "".join(
        f'<c:pt idx="{place}"><c:v>{value:.10g}</c:v></c:pt>'
        for place, value in enumerate(values)
        if value is not None
    )
    return f'<c:formatCode>{form}</c:formatCode><c:ptCount val="{len(values)}"/>{points}'


def _whiskers(series: Series, form: str) -> str:
    """Error bars on both sides of a bar: the interval of the true value."""
    if not series.low or not series.high:
        return ""

    def sides(ends: Sequence[float | None], sign: int) -> str:
        spans = [
            max(0.0, sign * (end - value)) if end is not None and value is not None else 0.0
            for end, value in zip(ends, series.values, strict=True)
        ]
        return f"<c:numLit>{_numbers(spans, form)}</c:numLit>"

    return (
        '<c:errBars><c:errBarType val="both"/><c:errValType val="cust"/><c:noEndCap val="0"/>'
        f"<c:plus>{sides(series.high, 1)}</c:plus><c:minus>{sides(series.low, -1)}</c:minus>"
        '<c:spPr><a:ln w="9525"><a:solidFill><a:srgbClr val="000000"/></a:solidFill></a:ln></c:spPr></c:errBars>'
    )


def _chart_xml(chart: Chart, chinese: str) -> str:
    key = '<c:legend><c:legendPos val="t"/><c:overlay val="0"/></c:legend>' if len(chart.series) > 1 else ""
    text = (
        '<c:txPr><a:bodyPr/><a:lstStyle/><a:p><a:pPr><a:defRPr sz="900">'
        f'<a:solidFill><a:srgbClr val="000000"/></a:solidFill>'
        f'<a:latin typeface="{_LATIN}"/><a:ea typeface="{chinese}"/>'
        '</a:defRPr></a:pPr><a:endParaRPr lang="zh-CN"/></a:p></c:txPr>'
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><c:chartSpace {_SPACES}><c:roundedCorners val="0"/>'
        f'<c:chart><c:autoTitleDeleted val="1"/><c:plotArea><c:layout/>{_plot(chart)}{_axes(chart)}</c:plotArea>{key}'
        f'<c:plotVisOnly val="1"/><c:dispBlanksAs val="gap"/></c:chart>{text}'
        '<c:externalData r:id="rId1"><c:autoUpdate val="0"/></c:externalData></c:chartSpace>'
    )


def _plot(chart: Chart) -> str:
    names = "".join(
        f'<c:pt idx="{place}"><c:v>{escape(_without_unfit(label))}</c:v></c:pt>'
        for place, label in enumerate(chart.labels)
    )
    series = "".join(_series(chart, place, names) for place in range(len(chart.series)))
    axes = f'<c:axId val="{_LABEL_AXIS}"/><c:axId val="{_VALUE_AXIS}"/>'
    if chart.kind is ChartKind.LINES:
        return (
            f'<c:lineChart><c:grouping val="standard"/><c:varyColors val="0"/>{series}<c:marker val="1"/>{axes}'
            "</c:lineChart>"
        )
    is_bars = chart.kind is ChartKind.BARS
    way, group = ("bar", "clustered") if is_bars else ("col", "stacked")
    overlap = "" if is_bars else '<c:overlap val="100"/>'
    return (
        f'<c:barChart><c:barDir val="{way}"/><c:grouping val="{group}"/><c:varyColors val="0"/>{series}'
        f'<c:gapWidth val="60"/>{overlap}{axes}</c:barChart>'
    )


def _series(chart: Chart, place: int, names: str) -> str:
    series, is_line = chart.series[place], chart.kind is ChartKind.LINES
    form, column, last = _form(chart), _column(place), len(chart.labels) + 1
    marks = '<c:marker><c:symbol val="none"/></c:marker>' if is_line else '<c:invertIfNegative val="0"/>'
    smooth = '<c:smooth val="0"/>' if is_line else ""
    return (
        f'<c:ser><c:idx val="{place}"/><c:order val="{place}"/>'
        f"<c:tx><c:strRef><c:f>Sheet1!${column}$1</c:f><c:strCache>"
        f'<c:ptCount val="1"/>'
        f'<c:pt idx="0"><c:v>{escape(_without_unfit(series.name))}</c:v></c:pt></c:strCache></c:strRef></c:tx>'
        f"{_fill(place, is_line=is_line)}"
        f"{marks}"
        f"{'' if is_line else _whiskers(series, form)}"
        f"<c:cat><c:strRef><c:f>Sheet1!$A$2:$A${last}</c:f><c:strCache>"
        f'<c:ptCount val="{len(chart.labels)}"/>{names}</c:strCache></c:strRef></c:cat>'
        f"<c:val><c:numRef><c:f>Sheet1!${column}$2:${column}${last}</c:f>"
        f"<c:numCache>{_numbers(series.values, form)}</c:numCache></c:numRef></c:val>"
        f"{smooth}</c:ser>"
    )


def _axes(chart: Chart) -> str:
    is_bars = chart.kind is ChartKind.BARS
    line = '<c:spPr><a:ln w="6350"><a:solidFill><a:srgbClr val="8B96A3"/></a:solidFill></a:ln></c:spPr>'
    limits = '<c:max val="1"/><c:min val="0"/>' if chart.percent and is_bars else '<c:min val="0"/>'
    # The first label is above in a table, so it is above in bars too.
    order = "maxMin" if is_bars else "minMax"
    # A line for each day has room for a dozen of their names.
    every = 1 if is_bars else -(-len(chart.labels) // _MOST_NAMES)
    skip = f'<c:tickLblSkip val="{every}"/>' if every > 1 else ""
    return (
        f'<c:catAx><c:axId val="{_LABEL_AXIS}"/><c:scaling><c:orientation val="{order}"/></c:scaling>'
        f'<c:delete val="0"/><c:axPos val="{"l" if is_bars else "b"}"/>'
        '<c:numFmt formatCode="General" sourceLinked="0"/>'
        f'<c:majorTickMark val="none"/><c:minorTickMark val="none"/><c:tickLblPos val="low"/>{line}'
        f'<c:crossAx val="{_VALUE_AXIS}"/><c:crosses val="autoZero"/><c:auto val="0"/><c:lblOffset val="100"/>'
        f'{skip}<c:noMultiLvlLbl val="1"/></c:catAx>'
        f'<c:valAx><c:axId val="{_VALUE_AXIS}"/><c:scaling><c:orientation val="minMax"/>{limits}</c:scaling>'
        f'<c:delete val="0"/><c:axPos val="{"b" if is_bars else "l"}"/><c:majorGridlines><c:spPr><a:ln w="6350">'
        '<a:solidFill><a:srgbClr val="D5DBE1"/></a:solidFill></a:ln></c:spPr></c:majorGridlines>'
        f'<c:numFmt formatCode="{_form(chart)}" sourceLinked="0"/><c:majorTickMark val="none"/>'
        '<c:minorTickMark val="none"/>'
        f'<c:tickLblPos val="nextTo"/>{line}<c:crossAx val="{_LABEL_AXIS}"/>'
        f'<c:crosses val="{"max" if is_bars else "autoZero"}"/></c:valAx>'
    )


def _form(chart: Chart) -> str:
    return "0%" if chart.percent else "#,##0"


def as_docx(document: Document, *, name: str) -> Response:
    """The answer that a browser saves as `name.docx`."""
    return as_document(document.content, name=name, kind="docx")


def as_document(content: bytes, *, name: str, kind: str) -> Response:
    """The answer that a browser saves under this name; `kind` is docx or pdf."""
    disposition = f'attachment; filename="{name}.{kind}"'
    media = _DOCX if kind == "docx" else "application/pdf"
    return Response(content, media_type=media, headers={"Content-Disposition": disposition})


_PROGRAMS: Final = ("soffice", "libreoffice")
_LONGEST_SECONDS: Final = 90.0
_MOST_WAITING: Final = 3
_conversion_lock = threading.Lock()
"""A conversion takes about 300 MB."""
_waiting_places = threading.BoundedSemaphore(_MOST_WAITING)
"""Each request that waits holds a thread of the console."""


def office_program() -> str | None:
    """The path of LibreOffice; None: it is not installed."""
    return next((path for name in _PROGRAMS if (path := shutil.which(name))), None)


def as_pdf(docx: bytes) -> bytes:
    """The document as PDF. Raises `Unavailable` where LibreOffice is not installed, fails, or takes too long, and at
    once where several documents wait for it already.
    """
    program = office_program()
    if program is None:
        raise Unavailable(
            part="PDF", problem="LibreOffice is not installed on this machine; the docx is the same document"
        )
    if not _waiting_places.acquire(blocking=False):
        raise Unavailable(
            part="PDF", problem=gettext_noop("other documents are being made: try again in a minute")
        )
    try:
        return _converted(program, docx)
    finally:
        _waiting_places.release()


def _converted(program: str, docx: bytes) -> bytes:
    with _conversion_lock, tempfile.TemporaryDirectory(prefix="dialer-pdf-") as folder:
        source = Path(folder) / "document.docx"
        source.write_bytes(docx)
        _convert(program, folder)
        made = source.with_suffix(".pdf")
        if not made.is_file():
            raise Unavailable(part="PDF", problem="LibreOffice made no file")
        return made.read_bytes()


def _convert(program: str, folder: str) -> None:
    """Runs LibreOffice without our settings and keys in its environment, and with a profile that is deleted with the
    folder.
    """
    environment = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    process = subprocess.Popen(  # noqa: S603  # a program of the system, with names of our own
        [
            program, "--headless", "--norestore", f"-env:UserInstallation=file://{folder}/profile",
            "--convert-to", "pdf", "--outdir", folder, f"{folder}/document.docx",
        ],
        env=environment | {"HOME": folder}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        process.wait(_LONGEST_SECONDS)
    except subprocess.TimeoutExpired:
        raise Unavailable(part="PDF", problem="LibreOffice takes too long") from None
    finally:
        # LibreOffice starts a process of its own, which does not end with it.
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
