"""Which encoding a text file is in, told by its bytes: UTF-8, UTF-16 or GB18030, with or without a mark."""

from __future__ import annotations

import codecs
from typing import BinaryIO, Final

from dialer.errors import UnusableFile

CHUNK: Final = 1 << 20
_SAMPLE: Final = 1 << 16
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS: Final = bytes(set(range(0x20)) - {0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1A, 0x1B}) + b"\x7f"
_BINARY_SHARE: Final = 0.02
_ZERO_SHARE: Final = 0.03
_ZEROS_MIN: Final = 4
_CONTROLS_MIN: Final = 300
"""What one spoilt row of a short list may hold: it is refused by itself."""
_DAMAGED_SHARE: Final = 0.02


def candidates(stream: BinaryIO) -> tuple[str, ...]:
    """The encodings the stream may be in, the likeliest first; more than one only for damaged files.

    The stream is left at its beginning. Raises UnusableFile for bytes that are no text.
    """
    stream.seek(0)
    sample = stream.read(_SAMPLE)
    for mark, encoding in _MARKS:
        if sample.startswith(mark):
            stream.seek(0)
            return (encoding,)
    wide = _wide(sample)
    if wide is not None:
        stream.seek(0)
        return (wide,)
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    if controls > max(len(sample) * _BINARY_SHARE, _CONTROLS_MIN):
        raise not_text()
    found = _whole(stream)
    stream.seek(0)
    return found


def not_text() -> UnusableFile:
    return UnusableFile(
        "the file is neither a text list nor a workbook; save the list as xlsx or csv and load that"
    )


def _wide(sample: bytes) -> str | None:
    """UTF-16 without a mark: digits, commas and line ends have a zero in every second place, always the same
    one.
    """
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    most = max(even, odd)
    if most < max(len(sample) * _ZERO_SHARE / 2, _ZEROS_MIN) or min(even, odd) > most / 10:
        return None
    encoding = "utf-16-le" if odd > even else "utf-16-be"
    text = sample[: len(sample) // 2 * 2].decode(encoding, errors="replace")
    return encoding if text.count("\ufffd") <= len(text) * _DAMAGED_SHARE + 1 else None


def _whole(stream: BinaryIO) -> tuple[str, ...]:
    """Reads the file to its end once: UTF-8 and GB18030 look alike until the first byte that only one
    allows.
    """
    for encoding in ("utf-8", "gb18030"):
        stream.seek(0)
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            while chunk := stream.read(CHUNK):
                _refuse_endless_line(chunk)
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        # Much UTF-8 text, cut or damaged in one place, also passes as GB18030: then the headings decide.
        return ("utf-8",) if encoding == "utf-8" else _plausible(stream, ("gb18030", "utf-8"))
    return _plausible(stream, ("utf-8", "gb18030"))


def _plausible(stream: BinaryIO, encodings: tuple[str, ...]) -> tuple[str, ...]:
    stream.seek(0)
    sample = stream.read(CHUNK)
    damage = {encoding: _damage(sample, encoding) for encoding in encodings}
    kept = tuple(encoding for encoding in encodings if damage[encoding] <= _DAMAGED_SHARE)
    if not kept:
        raise not_text()
    return kept


def _damage(sample: bytes, encoding: str) -> float:
    text = sample.decode(encoding, errors="replace")
    # A single damaged cell in a short list is no reason to refuse the whole.
    return max(text.count("\ufffd") - 4, 0) / max(len(text), 1)


def _refuse_endless_line(chunk: bytes) -> None:
    if len(chunk) == CHUNK and b"\n" not in chunk and b"\r" not in chunk:
        raise UnusableFile(
            "a line of the file is longer than a million characters; save the list as xlsx and load that"
        )
