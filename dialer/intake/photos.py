"""A picture is decoded and written anew, without what the camera noted about the place and itself.

The bytes may be made to do harm: only the process of `runtime/uploads.py` that is ended for it calls this.
"""

from __future__ import annotations

import io
import struct
from typing import BinaryIO, Final

from PIL import (  # noqa: F401 - the plug-ins of the formats, which Pillow else imports when it meets one
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

Image.preinit()
_FORMATS: Final = ("JPEG", "PNG", "WEBP")
_DRAWN: Final = frozenset({"icc_profile", "transparency", "gamma"})
"""What Pillow keeps beside the pixels and a viewer needs to show them."""
_QUALITY: Final = 95
_UPRIGHT: Final = 1
_MOST_TURNED: Final = 8


def written_anew(stream: BinaryIO, *, most_pixels: int) -> tuple[str, bytes] | PictureFault:
    """Its format as Pillow names it, and a JPEG, PNG or WebP without place, time, device and comments; how it is to be
    turned stays. A JPEG is written with the quality that it came with. Of a moving picture the first one is kept.
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
