"""Small PDFs, whole ones and others."""

from __future__ import annotations

import zlib

PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>"


def pdf(*objects: bytes, catalog: bytes = b"", trailer: bytes = b"") -> bytes:
    """One empty page, with further objects, and entries of the catalogue and of the trailer."""
    bodies = [
        b"<</Type/Catalog/Pages 2 0 R" + catalog + b">>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        PAGE,
        *objects,
    ]
    content, places = b"%PDF-1.7\n", []
    for number, body in enumerate(bodies, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(content)
    content += b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    content += b"".join(b"%010d 00000 n \n" % place for place in places)
    content += b"trailer\n<</Size %d/Root 1 0 R%s>>\n" % (len(bodies) + 1, trailer)
    return content + b"startxref\n%d\n%%%%EOF\n" % start


def stream(data: bytes, kind: bytes = b"", *, flate: bool = True) -> bytes:
    packed = zlib.compress(data) if flate else data
    how = b"/Filter/FlateDecode" if flate else b""
    return b"<</Length %d%s%s>>\nstream\n%s\nendstream" % (len(packed), how, kind, packed)
