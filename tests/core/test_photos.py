"""Photos are told by their bytes, and lose what the camera wrote about the place, but not which way is up."""

from __future__ import annotations

import io

import pytest
from PIL import ExifTags, Image, ImageChops

from dialer.core.errors import Invalid
from dialer.outcomes.evidence_files import clean_photo
from tests.core.pictures import SECRET, drawn, jpeg, png, webp

MOST = 1 << 20


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize(
    ("data", "media_type"),
    [(jpeg(), "image/jpeg"), (jpeg(kind="MPO"), "image/jpeg"), (png(), "image/png"), (webp(), "image/webp")],
)
def test_the_picture_stays_and_the_camera_s_notes_go(data: bytes, media_type: str):
    data += b"trailer" + SECRET
    photo = clean_photo(data, most_bytes=MOST)
    assert photo.media_type == media_type
    assert SECRET in data
    assert SECRET not in photo.content
    assert photo.stripped_bytes == len(data) - len(photo.content) > 0
    differences = ImageChops.difference(opened(photo.content).convert("RGB"), drawn()).getextrema()
    assert max(high for _low, high in differences) < 40
    assert set(opened(photo.content).getexif()) <= {ExifTags.Base.Orientation}


def test_a_jpeg_keeps_its_quality_and_colours():
    data = jpeg(colours=b"colours")
    content = clean_photo(data, most_bytes=MOST).content
    assert opened(content).quantization == opened(data).quantization
    assert opened(content).info["icc_profile"] == b"colours"


def test_a_transparent_png_stays_so():
    target = io.BytesIO()
    drawn(mode="P").save(target, "PNG", transparency=7)
    assert opened(clean_photo(target.getvalue(), most_bytes=MOST).content).info["transparency"] == 7


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_which_way_is_up_stays(orientation: int):
    photo = clean_photo(jpeg(orientation=orientation), most_bytes=MOST)
    assert dict(opened(photo.content).getexif()) == {ExifTags.Base.Orientation: orientation}
    assert clean_photo(photo.content, most_bytes=MOST).content == photo.content


@pytest.mark.parametrize("orientation", [None, 0, 1, 9])
def test_notes_that_say_nothing_of_it_turn_nothing(orientation: int | None):
    content = clean_photo(jpeg(orientation=orientation), most_bytes=MOST).content
    assert dict(opened(content).getexif()) == {}


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"%PDF-1.7", b"<svg/>", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_refused(data: bytes):
    with pytest.raises(Invalid, match="not a supported picture"):
        clean_photo(data, most_bytes=MOST)


@pytest.mark.parametrize("data", [jpeg()[:-60], png()[: png().index(b"IDAT") + 20], webp()[:60]])
def test_a_picture_that_breaks_off_is_damaged(data: bytes):
    with pytest.raises(Invalid, match="damaged"):
        clean_photo(data, most_bytes=MOST)


def test_a_file_has_a_largest_size():
    with pytest.raises(Invalid, match="too large"):
        clean_photo(jpeg(), most_bytes=20)


@pytest.mark.parametrize("side", [9_000, 12_000, 30_000])
def test_a_small_file_of_too_many_pixels_is_refused(side: int):
    target = io.BytesIO()
    Image.new("1", (side, side)).save(target, "PNG")
    with pytest.raises(Invalid, match="64 megapixels"):
        clean_photo(target.getvalue(), most_bytes=MOST)
