"""Evidence files. A PDF is stored byte for byte, so it is only inspected: whether it is complete, opens without a
password, and does nothing but show pages. A picture is decoded and encoded again, without what the camera recorded
about the place and itself.

The bytes may be malicious: this runs only in the separate process of `runtime/uploads.py`, which is ended if it takes
more than it may.
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final

from PIL import (  # noqa: F401 - the plug-ins of the formats, which Pillow would otherwise import on first use
    ExifTags,
    Image,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from dialer.core.errors import PictureFault

_HEAD: Final = re.compile(rb"%PDF-[12]\.\d")
_TAIL_BYTES: Final = 2048
_START: Final = re.compile(rb"startxref\s+(\d{1,12})\s+%%EOF")
_ESCAPED: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
_STREAM: Final = re.compile(rb"stream\r?\n")
_LOCKED: Final = re.compile(rb"/Encrypt\b")
_ACTIVE: Final = re.compile(
    rb"/(?:JavaScript|Launch|EmbeddedFiles?|RichMedia|SubmitForm|ImportData|GoToE|XFA|Movie|Rendition)\b"
)
_OBJECTS: Final = b"/ObjStm"
_ONLY_FLATE: Final = re.compile(rb"/Filter\s*(?:/FlateDecode\b|\[\s*/FlateDecode\s*\])")
_MOST_UNPACKED: Final = 256 << 20
_PIECE: Final = 1 << 14


def fault_of_pdf(content: bytes) -> PictureFault | None:
    """The fault of a PDF; None for a complete one without a password that runs no script, starts no program, submits no
    form and embeds no file. Compressed content is inspected uncompressed; objects compressed in a way that hides them
    are refused.
    """
    if _HEAD.match(content) is None:
        return PictureFault.KIND
    start = _START.search(content, max(0, len(content) - _TAIL_BYTES))
    if start is None or int(start[1]) >= len(content):
        return PictureFault.DAMAGE
    plain = _unescaped(content)
    if _LOCKED.search(plain):
        return PictureFault.LOCKED
    if _ACTIVE.search(plain) or _hides_objects(plain):
        return PictureFault.ACTIVE
    return _packed_fault(content)


def _packed_fault(content: bytes) -> PictureFault | None:
    left = _MOST_UNPACKED
    for unpacked in _unpacked(content):
        left -= len(unpacked)
        if left < 0:
            return PictureFault.PIXELS
        if _ACTIVE.search(_unescaped(unpacked)):
            return PictureFault.ACTIVE
    return None


def _unescaped(content: bytes) -> bytes:
    """The content with the characters of names decoded: a name may write any of them as `#` and two digits."""
    return _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), content)


def _hides_objects(plain: bytes) -> bool:
    """Whether a stream of objects is compressed in a way that `_unpacked` cannot read."""
    at = plain.find(_OBJECTS)
    while at >= 0:
        begin, end = plain.rfind(b"obj", 0, at), plain.find(b"stream", at + len(_OBJECTS))
        head = plain[max(0, begin) : end if end >= 0 else len(plain)]
        is_packed = b"/Filter" in head
        if b"/Predictor" in head or (is_packed and _ONLY_FLATE.search(head) is None):
            return True
        at = plain.find(_OBJECTS, at + len(_OBJECTS))
    return False


def _unpacked(content: bytes) -> Iterator[bytes]:
    """The content of each stream, decompressed with Flate as far as possible; empty for one compressed otherwise."""
    for stream in _STREAM.finditer(content):
        unpacking, at = zlib.decompressobj(), stream.end()
        pieces: list[bytes] = []
        left = _MOST_UNPACKED
        try:
            while left > 0 and not unpacking.eof and at < len(content):
                pieces.append(unpacking.decompress(content[at : at + _PIECE], left))
                left -= len(pieces[-1])
                at += _PIECE
        except zlib.error:
            pass  # the part before the error is inspected
        yield b"".join(pieces)


Image.preinit()
_FORMATS: Final = ("JPEG", "PNG", "WEBP")
_DRAWN: Final = frozenset({"icc_profile", "transparency", "gamma"})
"""What Pillow keeps besides the pixels and a viewer needs to show them."""
_QUALITY: Final = 95
_UPRIGHT: Final = 1
_MOST_TURNED: Final = 8


def encode_again(stream: BinaryIO, *, most_pixels: int) -> tuple[str, bytes] | PictureFault:
    """Encodes a picture again as JPEG, PNG or WebP, without place, time, device and comments but with its orientation.
    Returns the name of its format in Pillow and the new bytes, or its fault. A JPEG keeps its quality. Of an animated
    picture only the first frame is kept.
    """
    try:
        picture = Image.open(stream, formats=_FORMATS)
        if picture.width * picture.height > most_pixels:
            return PictureFault.PIXELS
        content = _written(picture)
    except UnidentifiedImageError:
        return PictureFault.KIND
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return PictureFault.PIXELS
    except (OSError, SyntaxError, ValueError, EOFError, struct.error):
        return PictureFault.DAMAGE
    return str(picture.format), content


def _written(picture: Image.Image) -> bytes:
    turned = picture.getexif().get(ExifTags.Base.Orientation, _UPRIGHT)
    picture.load()
    picture.info = {name: value for name, value in picture.info.items() if name in _DRAWN}
    exif = Image.Exif()
    if isinstance(turned, int) and _UPRIGHT < turned <= _MOST_TURNED:
        exif[ExifTags.Base.Orientation] = turned
    target = io.BytesIO()
    picture.save(
        target,
        format="JPEG" if picture.format == "MPO" else picture.format,
        quality="keep" if picture.format == "JPEG" else _QUALITY,
        exif=exif or b"",
        icc_profile=picture.info.get("icc_profile"),
    )
    return target.getvalue()
