"""How large an xlsx sheet becomes when it is opened: the native reader keeps every cell up to the last filled one."""

from __future__ import annotations

import re
import zipfile
from typing import Final

LARGEST_CELLS: Final = 60_000_000
_SHEET: Final = re.compile(r"xl/worksheets/[^/]+\.xml")
_FILLED: Final = re.compile(rb'<c r="([A-Z]{1,3})([0-9]{1,7})"[^>/]*>')
_BEYOND_Z: Final = re.compile(rb'<c r="[A-Z]{2}')
_CHUNK: Final = 1 << 20
_OVERLAP: Final = 256


def is_too_large(archive: zipfile.ZipFile) -> bool:
    """True when a stray cell far away would make a sheet larger than memory. What a sheet says of its own size is not
    believed: the native reader does not, and ends the process where memory ends.
    """
    return any(
        _SHEET.fullmatch(name) and _is_wide(archive, name) and _filled(archive, name) > LARGEST_CELLS
        for name in archive.namelist()
    )


def _is_wide(archive: zipfile.ZipFile, name: str) -> bool:
    """Anything stands beyond column Z: up to there even the longest sheet is small enough."""
    rest = b""
    with archive.open(name) as sheet:
        while chunk := sheet.read(_CHUNK):
            if _BEYOND_Z.search(rest + chunk):
                return True
            rest = chunk[-_OVERLAP:]
    return False


def _filled(archive: zipfile.ZipFile, name: str) -> int:
    width = height = 0
    rest = b""
    with archive.open(name) as sheet:
        while chunk := sheet.read(_CHUNK):
            for cell in _FILLED.finditer(rest + chunk):
                width, height = max(width, _column(cell[1])), max(height, int(cell[2]))
            rest = chunk[-_OVERLAP:]
    return width * height


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number
