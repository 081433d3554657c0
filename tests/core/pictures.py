"""Pictures for tests, made as a camera makes them."""

from __future__ import annotations

import io
from functools import cache

from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

SECRET = b"40.7432,107.3876"
_NOTES = SECRET.decode()


def drawn(*, mode: str = "RGB") -> Image.Image:
    """Higher than wide, and no two corners alike."""
    return Image.radial_gradient("L").crop((0, 0, 24, 32)).convert(mode)


def notes(*, orientation: int | None = None) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = _NOTES
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSDateStamp] = _NOTES
    if orientation is not None:
        exif[ExifTags.Base.Orientation] = orientation
    return exif


@cache
def jpeg(*, orientation: int | None = None, colours: bytes | None = None, kind: str = "JPEG") -> bytes:
    """With everything in it that a camera may write. `kind` MPO: a second picture behind it."""
    target = io.BytesIO()
    more = {"save_all": True, "append_images": [drawn()]} if kind == "MPO" else {}
    drawn().save(
        target,
        kind,
        exif=notes(orientation=orientation),
        comment=SECRET,
        xmp=b"http://ns.adobe.com/xap/1.0/\0" + SECRET,
        icc_profile=colours,
        **more,
    )
    return target.getvalue()


@cache
def png() -> bytes:
    target, texts = io.BytesIO(), PngInfo()
    texts.add_text("Comment", _NOTES)
    texts.add_itxt("XML:com.adobe.xmp", _NOTES)
    drawn().save(target, "PNG", pnginfo=texts, exif=notes(orientation=6))
    return target.getvalue()


@cache
def webp() -> bytes:
    target = io.BytesIO()
    drawn().save(target, "WEBP", exif=notes(orientation=6), xmp=SECRET)
    return target.getvalue()
