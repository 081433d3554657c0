"""A PDF is kept as it is when it shows pages and does nothing else, however it is packed and its names are written."""

from __future__ import annotations

import os

import pytest

from dialer.core.errors import PictureFault
from dialer.intake.evidence import fault_of_pdf
from dialer.runtime.uploads import Limits, pdf_fault
from tests.core.pdfs import pdf, stream
from tests.core.pictures import png

OBJECTS = b"/Type/ObjStm/N 1/First 4"
SCRIPT = b"<</S/JavaScript/JS(app.alert(1))>>"


@pytest.mark.parametrize(
    "content",
    [
        pdf(),
        pdf(stream(b"BT (JavaScript, Launch) Tj ET")),
        pdf(stream(b"4 0 <</Type/Annot>>", OBJECTS)),
        pdf(stream(b"4 0 <</Type/Annot>>", OBJECTS, flate=False)),
        pdf(stream(os.urandom(1 << 16), b"/Subtype/Image", flate=False)),
        pdf(catalog=b"/Lang(zh#20CN)"),
        pdf() + b"\n\n",
    ],
)
def test_pages_are_taken(content: bytes):
    assert fault_of_pdf(content) is None
    assert pdf_fault(content) is None


@pytest.mark.parametrize(
    "content",
    [
        pdf(catalog=b"/OpenAction " + SCRIPT),
        pdf(catalog=b"/OpenAction<</S/J#61vaScript/JS(x)>>"),
        pdf(b"<</S/Launch/F(cmd.exe)>>"),
        pdf(catalog=b"/Names<</EmbeddedFiles 9 0 R>>"),
        pdf(stream(b"MZ", b"/Type/EmbeddedFile")),
        pdf(catalog=b"/AcroForm<</XFA 9 0 R>>"),
        pdf(b"<</S/SubmitForm/F(http://x)>>"),
        pdf(stream(b"4 0 " + SCRIPT, OBJECTS)),
        pdf(stream(b"4 0 <</S/#4aavaScript>>", OBJECTS)),
        pdf(stream(b"4 0 " + SCRIPT, OBJECTS, flate=False)),
        pdf(stream(b"anything", OBJECTS + b"/Filter/LZWDecode", flate=False)),
        pdf(stream(b"anything", OBJECTS + b"/Filter[/ASCIIHexDecode/FlateDecode]", flate=False)),
        pdf(stream(b"anything", OBJECTS + b"/DecodeParms<</Predictor 12>>")),
    ],
)
def test_what_does_more_than_show_pages_is_refused(content: bytes):
    assert fault_of_pdf(content) is PictureFault.ACTIVE
    assert pdf_fault(content) is PictureFault.ACTIVE


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", PictureFault.KIND),
        (png(), PictureFault.KIND),
        (b"%PDF-9.9\n" + pdf()[9:], PictureFault.KIND),
        (b"GIF89a" + pdf(), PictureFault.KIND),
        (pdf()[:-40], PictureFault.DAMAGE),
        (pdf().replace(b"startxref\n", b"startxref\n99999"), PictureFault.DAMAGE),
        (pdf(trailer=b"/Encrypt 9 0 R"), PictureFault.LOCKED),
        (pdf(trailer=b"/#45ncrypt 9 0 R"), PictureFault.LOCKED),
    ],
)
def test_what_is_no_whole_pdf_is_refused(content: bytes, fault: PictureFault):
    assert fault_of_pdf(content) is fault
    assert pdf_fault(content) is fault


def test_a_bomb_ends_its_reader_and_nothing_else():
    bomb = pdf(*(stream(b"\0" * (64 << 20)) for _ in range(5)))
    assert len(bomb) < 1 << 20
    assert pdf_fault(bomb) in {PictureFault.PIXELS, PictureFault.DAMAGE}
    tight = Limits(memory_bytes=64 << 20, cpu_seconds=5, wall_seconds=10.0, text_bytes=1 << 20)
    assert pdf_fault(bomb, limits=tight) is PictureFault.DAMAGE
