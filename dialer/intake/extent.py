"""How large a sheet of an xlsx or ods workbook becomes when it is opened: the native reader keeps every cell up to the
last filled one.
"""

from __future__ import annotations

import re
import zipfile
from typing import Final
from xml.parsers import expat

LARGEST_CELLS: Final = 60_000_000
_SHEET: Final = re.compile(r"xl/worksheets/[^/]+\.xml")
_FILLED: Final = re.compile(rb'<(?:\w+:)?c (?:[^>/]*? )?r="([A-Z]{1,3})([0-9]{1,7})"[^>/]*>')
_BEYOND_Z: Final = re.compile(rb'<(?:\w+:)?c (?:[^>/]*? )?r="[A-Z]{2}')
_ODS_CONTENT: Final = "content.xml"
_OFFICE: Final = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
_TABLE: Final = "urn:oasis:names:tc:opendocument:xmlns:table:1.0"
_CHUNK: Final = 1 << 20
_OVERLAP: Final = 256


def is_too_large(archive: zipfile.ZipFile) -> bool:
    """True when a stray cell far away would make a sheet larger than memory. What a sheet says of its own size is not
    believed: the native reader does not, and ends the process where memory ends.
    """
    names = archive.namelist()
    if _ODS_CONTENT in names:
        return _ods_filled(archive) > LARGEST_CELLS
    return any(
        _SHEET.fullmatch(name) and _is_wide(archive, name) and _filled(archive, name) > LARGEST_CELLS
        for name in names
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


def _ods_filled(archive: zipfile.ZipFile) -> int:
    """Of its largest sheet. Raises `ValueError` for what is no XML."""
    extent = _Extent()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = extent.begin
    try:
        with archive.open(_ODS_CONTENT) as content:
            while chunk := content.read(_CHUNK):
                parser.Parse(chunk, False)
            parser.Parse(b"", True)
    except expat.ExpatError as fault:
        raise ValueError("the content is no XML") from fault
    return max(extent.largest, extent.width * extent.height)


class _Extent:
    """Follows the rows and cells of an ods, which say how often they repeat."""

    def __init__(self) -> None:
        self.largest = self.width = self.height = 0
        self._row = self._column = self._repeated = 0

    def begin(self, name: str, told: dict[str, str]) -> None:
        match name.removeprefix(f"{_TABLE} "):
            case "table":
                self.largest = max(self.largest, self.width * self.height)
                self.width = self.height = self._row = self._repeated = 0
            case "table-row":
                self._row += self._repeated
                self._repeated = int(told.get(f"{_TABLE} number-rows-repeated", "1"))
                self._column = 0
            case "table-cell" | "covered-table-cell":
                self._column += int(told.get(f"{_TABLE} number-columns-repeated", "1"))
                if f"{_OFFICE} value-type" in told:
                    self.width = max(self.width, self._column)
                    self.height = max(self.height, self._row + self._repeated)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number
