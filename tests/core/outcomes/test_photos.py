"""Photos are told by their bytes, and lose what the camera wrote about the place, but not which way is up."""

from __future__ import annotations

import struct
import zlib

import pytest

from dialer.errors import Invalid
from dialer.outcomes.photos import clean_photo

SECRET = b"40.7432,107.3876"
MOST = 1 << 20


def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def exif(orientation: int, *, order: str = ">") -> bytes:
    head = b"MM\0*" if order == ">" else b"II*\0"
    entry = struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    return b"Exif\0\0" + head + struct.pack(order + "IH", 8, 1) + entry + struct.pack(order + "I", 0) + SECRET


SCAN = segment(0xDA, b"\1\1\0\0\x3f\0") + b"picture\xff\0data\xff\xd0more" + segment(0xC4, b"tables")
SCAN += segment(0xDA, b"\1\1\0\0\x3f\0") + b"second scan\xff\0" + b"\xff\xd9"
JFIF, COLOUR = segment(0xE0, b"JFIF\0"), segment(0xE2, b"ICC_PROFILE\0colours")
NOTES = segment(0xFE, SECRET) + segment(0xED, SECRET) + segment(0xE2, b"MPF\0" + SECRET)


def jpeg(*parts: bytes, after: bytes = b"") -> bytes:
    return b"\xff\xd8" + b"".join(parts) + SCAN + after


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def webp(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"WEBP" + b"".join(n + struct.pack("<I", len(b)) + b + b"\0" * (len(b) % 2) for n, b in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_a_jpeg_keeps_its_picture_and_colours_and_loses_the_rest():
    data = jpeg(JFIF, segment(0xE1, exif(1)), NOTES, COLOUR, after=b"trailer" + SECRET)
    photo = clean_photo(data, most_bytes=MOST)
    assert photo.media_type == "image/jpeg"
    assert photo.content == jpeg(JFIF, COLOUR)
    assert photo.stripped_bytes == len(data) - len(photo.content)


@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_which_way_is_up_stays(orientation: int, order: str):
    photo = clean_photo(jpeg(segment(0xE1, exif(orientation, order=order))), most_bytes=MOST)
    assert SECRET not in photo.content
    assert struct.pack(">HHIH", 0x0112, 3, 1, orientation) in photo.content
    again = clean_photo(photo.content, most_bytes=MOST)
    assert again.content == photo.content


@pytest.mark.parametrize(
    "notes", [exif(9), b"Exif\0\0MM", b"Exif\0\0??" + SECRET, b"http://ns.adobe.com" + SECRET]
)
def test_notes_that_say_nothing_of_it_turn_nothing(notes: bytes):
    assert clean_photo(jpeg(segment(0xE1, notes)), most_bytes=MOST).content == jpeg()


def test_a_png_keeps_only_the_picture():
    head = b"\x89PNG\r\n\x1a\n"
    kept = chunk(b"IHDR", b"\0" * 13), chunk(b"IDAT", b"data"), chunk(b"IEND", b"")
    data = head + kept[0] + chunk(b"tEXt", SECRET) + chunk(b"eXIf", SECRET) + kept[1] + kept[2] + SECRET
    photo = clean_photo(data, most_bytes=MOST)
    assert (photo.media_type, photo.content) == ("image/png", head + b"".join(kept))


def test_a_webp_says_no_more_that_it_has_notes():
    data = webp((b"VP8X", b"\x1c" + b"\0" * 9), (b"VP8 ", b"picture"), (b"EXIF", SECRET), (b"XMP ", SECRET))
    photo = clean_photo(data, most_bytes=MOST)
    assert photo.media_type == "image/webp"
    assert photo.content == webp((b"VP8X", b"\x10" + b"\0" * 9), (b"VP8 ", b"picture"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a",
        b"%PDF-1.7",
        b"<svg/>",
        b"\xff\xd8\xff",
        jpeg()[:-2],
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\4\0\0\0WEBP",
    ],
)
def test_what_is_no_picture_or_damaged_is_refused(data: bytes):
    with pytest.raises(Invalid):
        clean_photo(data, most_bytes=MOST)


def test_a_picture_has_a_largest_size():
    with pytest.raises(Invalid, match="too large"):
        clean_photo(jpeg(JFIF), most_bytes=20)
