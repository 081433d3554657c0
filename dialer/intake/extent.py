"""How large an xlsx sheet becomes when it is opened: the native reader keeps every cell up to the last filled one."""

from __future__ import annotations

import re
import zipfile
from typing import Final

LARGEST_CELLS: Final = 60_000_000
_SHEET: Final = re.compile(r"xl/worksheets/[^/]+\.xml")
_DIMENSION: Final = re.compile(rb'<dimension ref="(?:[A-Z]+[0-9]+:)?([A-Z]+)([0-9]+)"')
_FILLED: Final = re.compile(rb'<c r="([A-Z]{1,3})([0-9]{1,7})"[^>/]*>')
_HEAD: Final = 4096
_CHUNK: Final = 1 << 20
_OVERLAP: Final = 256


def is_too_large(archive: zipfile.ZipFile) -> bool:
    """True when a stray cell far away would make a sheet larger than memory; read closely only where it may be."""
    return any(
        _SHEET.fullmatch(name)
        and _announced(archive, name) > LARGEST_CELLS
        and _filled(archive, name) > LARGEST_CELLS
        for name in archive.namelist()
    )


def _announced(archive: zipfile.ZipFile, name: str) -> int:
    with archive.open(name) as sheet:
        dimension = _DIMENSION.search(sheet.read(_HEAD))
    return _column(dimension[1]) * int(dimension[2]) if dimension else LARGEST_CELLS + 1


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
