"""Photos as evidence: decoded by Pillow, and written without what the camera noted about the place and itself."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import Final

from PIL import ExifTags, Image, UnidentifiedImageError

from dialer.core.errors import Invalid
from dialer.language import Text

_MEDIA_TYPES: Final = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
"""By Pillow's name; MPO is a JPEG with further pictures behind it, as some phones write."""
_MOST_PIXELS: Final = 64_000_000
"""A phone's camera has 50 million. Decoded, each takes four bytes, and a file of some kilobytes may claim more."""
_DRAWN: Final = frozenset({"icc_profile", "transparency", "gamma"})
"""What Pillow keeps beside the pixels and a viewer needs to show them."""
_QUALITY: Final = 95
_UPRIGHT: Final = 1
_MOST_TURNED: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    media_type: str
    content: bytes
    stripped_bytes: int
    """How much smaller it became."""


def clean_photo(data: bytes, *, most_bytes: int) -> Photo:
    """A JPEG, PNG or WebP without place, time, device and comments; how it is to be turned stays. Raises `Invalid`.

    A JPEG is written with the quality that it came with. Of a moving picture the first one is kept.
    """
    if len(data) > most_bytes:
        raise Invalid(
            field="photo",
            problem="is too large",
            mend=Text("%(most)s MB at most", most=most_bytes >> 20),
        )
    try:
        picture = Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP"))
        if picture.width * picture.height > _MOST_PIXELS:
            raise _too_many_pixels()
        content = _written(picture)
    except UnidentifiedImageError:
        raise Invalid(field="photo", problem="is not a supported picture", mend="JPEG, PNG or WebP") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels() from None
    except (OSError, SyntaxError, ValueError, EOFError, struct.error):
        raise Invalid(field="photo", problem="is damaged", mend="take it again") from None
    return Photo(
        media_type=_MEDIA_TYPES[str(picture.format)],
        content=content,
        stripped_bytes=max(0, len(data) - len(content)),
    )


def _too_many_pixels() -> Invalid:
    return Invalid(
        field="photo",
        problem="is too large",
        mend=Text("%(most)s megapixels at most", most=_MOST_PIXELS // 1_000_000),
    )


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
