"""Photos as evidence: told by their first bytes, and without what the camera wrote about the place and itself."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dialer.errors import Invalid
from dialer.language import Text

_JPEG: Final = b"\xff\xd8\xff"
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_ICC: Final = b"ICC_PROFILE\0"
_EXIF: Final = b"Exif\0\0"
_APP0, _APP2, _APP14, _SOS, _EOI = 0xE0, 0xE2, 0xEE, 0xDA, 0xD9
_KEPT_PNG: Final = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"pHYs"}
)
_WEBP_FLAGS: Final = 0x08 | 0x04
"""Of the VP8X chunk: it has EXIF, it has XMP."""
_ORIENTATION: Final = 0x0112
_UPRIGHT: Final = 1
_MOST_TURNED: Final = 8
_ENTRY_BYTES: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    media_type: str
    content: bytes
    stripped_bytes: int
    """How much was taken out."""


def clean_photo(data: bytes, *, most_bytes: int) -> Photo:
    """A JPEG, PNG or WebP without place, time, device and comments; how it is to be turned stays. Raises `Invalid`."""
    if len(data) > most_bytes:
        raise Invalid(
            field="photo",
            problem="is too large",
            mend=Text("%(most)s MB at most", most=most_bytes >> 20),
        )
    try:
        if data.startswith(_JPEG):
            kept, kind = _clean_jpeg(data), "image/jpeg"
        elif data.startswith(_PNG):
            kept, kind = _clean_png(data), "image/png"
        elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            kept, kind = _clean_webp(data), "image/webp"
        else:
            raise Invalid(field="photo", problem="is no picture that we read", mend="JPEG, PNG or WebP")
    except (IndexError, struct.error, ValueError):
        raise Invalid(field="photo", problem="is damaged", mend="take it again") from None
    return Photo(media_type=kind, content=kept, stripped_bytes=max(0, len(data) - len(kept)))


def _clean_jpeg(data: bytes) -> bytes:
    parts = [data[:2]]
    turned = _UPRIGHT
    for marker, segment in _segments(data):
        body = segment[4:]
        if marker == _APP0 + 1 and body.startswith(_EXIF):
            turned = _orientation(body[len(_EXIF) :])
        is_app = _APP0 <= marker <= _APP0 + 15
        is_comment = marker == 0xFE  # noqa: PLR2004  # COM, as the standard numbers it
        is_colour = marker in {_APP0, _APP14} or (marker == _APP2 and body.startswith(_ICC))
        if is_comment or (is_app and not is_colour):
            continue
        parts.append(segment)
    if turned != _UPRIGHT:
        parts.insert(1, _turned(turned))
    return b"".join(parts)


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Every marker segment to the end of the picture, a scan with its data; what follows the end is not read."""
    place = 2
    while True:
        if data[place] != 0xFF:  # noqa: PLR2004  # a marker begins so
            raise ValueError
        marker = data[place + 1]
        if marker == _EOI:
            yield marker, data[place : place + 2]
            return
        end = place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        if end <= place + 3 or end > len(data):
            raise ValueError
        if marker == _SOS:
            end = _scan_end(data, end)
        yield marker, data[place:end]
        place = end


def _scan_end(data: bytes, place: int) -> int:
    """Where the next marker stands that is no part of the picture's data."""
    while True:
        place = data.index(b"\xff", place)
        following = data[place + 1]
        if following == 0 or 0xD0 <= following <= 0xD7:  # noqa: PLR2004  # a stuffed byte, a restart
            place += 2
        elif following == 0xFF:  # noqa: PLR2004  # fill
            place += 1
        else:
            return place


def _orientation(tiff: bytes) -> int:
    """How the camera was held; 1 where it does not say."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return _UPRIGHT
    try:
        (first,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, first)
        for place in range(first + 2, first + 2 + count * _ENTRY_BYTES, _ENTRY_BYTES):
            tag, _, _, value = struct.unpack_from(order + "HHIH", tiff, place)
            if tag == _ORIENTATION:
                return int(value) if _UPRIGHT < value <= _MOST_TURNED else _UPRIGHT
    except struct.error:
        return _UPRIGHT
    return _UPRIGHT


def _turned(value: int) -> bytes:
    """The one thing of the camera's notes that a viewer needs."""
    tiff = b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, _ORIENTATION, 3, 1, value, 0, 0)
    body = _EXIF + tiff
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def _clean_png(data: bytes) -> bytes:
    parts = [_PNG]
    place = len(_PNG)
    while True:
        (size,) = struct.unpack_from(">I", data, place)
        name = data[place + 4 : place + 8]
        end = place + 12 + size
        if end > len(data):
            raise ValueError
        if name in _KEPT_PNG:
            parts.append(data[place:end])
        if name == b"IEND":
            return b"".join(parts)
        place = end


def _clean_webp(data: bytes) -> bytes:
    (size,) = struct.unpack_from("<I", data, 4)
    end = 8 + size
    if end > len(data):
        raise ValueError
    parts: list[bytes] = []
    place = 12
    while place + 8 <= end:
        name = data[place : place + 4]
        (size,) = struct.unpack_from("<I", data, place + 4)
        following = place + 8 + size + size % 2
        chunk = data[place:following]
        if name == b"VP8X":
            chunk = chunk[:8] + bytes([chunk[8] & ~_WEBP_FLAGS]) + chunk[9:]
        if name not in {b"EXIF", b"XMP "}:
            parts.append(chunk)
        place = following
    if not parts:
        raise ValueError
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body
