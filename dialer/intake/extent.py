"""How large a sheet of a workbook becomes when it is opened: the native reader keeps every cell up to the last filled
one. What a sheet says of its own size is not believed: the native reader does not, and ends the process where memory
ends.
"""

from __future__ import annotations

import re
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Final
from xml.parsers import expat

LARGEST_CELLS: Final = 60_000_000
_ODS_CONTENT: Final = "content.xml"
_PREFIX: Final = rb"<(?:[^\s<>/:=]+:)?"
_ODD_CELL: Final = re.compile(
    # Anything but a cell that says plainly that it stands in one of the columns A to Z, in a row that Excel has.
    _PREFIX + rb'c(?=[\s/>])(?!(?:\s+[\w:]+="[^"<>]*")*?\s+r="[A-Z](?:[0-9]{1,6}|10[0-4][0-9]{4})")'
)
_MARKS: Final = re.compile(
    _PREFIX + rb"""(?P<tag>row|c)(?=[\s/>])|\sr\s*=\s*["'](?P<letters>[A-Za-z]*)(?P<number>[0-9]+)["']"""
)
_PLACE: Final = re.compile(r"([A-Za-z]+)([0-9]+)")
_CHUNK: Final = 1 << 20
_LONGEST_TAG: Final = 1 << 16
_WIDE: Final = 4
_WIDE_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
"""Of letters of two bytes."""
_BEFORE_XML: Final = b"\xef\xbb\xbf \t\r\n"
_MOST_DIGITS: Final = 12
_MOST_LETTERS: Final = 6
"""Beyond any sheet; what is longer is not counted on, which takes the square of its length."""


def is_too_large(archive: zipfile.ZipFile) -> bool:
    """True when a stray cell far away would make a sheet larger than memory. Raises `ValueError` for an ods that is no
    XML.
    """
    return any(filled > LARGEST_CELLS for filled in _filled(archive))


def _filled(archive: zipfile.ZipFile) -> Iterator[int]:
    """Cells of each sheet that could be large, whichever reader would take the workbook for its own."""
    for name in archive.namelist():
        # A sheet may be called anything: what a workbook says of its parts leads there. Up to column Z even the longest
        # is small enough, and to look at each cell of a long list takes seconds.
        if _has_odd_cell(archive, name):
            yield _xlsx_cells(archive, name)
    if _ODS_CONTENT in archive.namelist():
        yield _measured(archive, _ODS_CONTENT, _OdsExtent())


def _has_odd_cell(archive: zipfile.ZipFile, name: str) -> bool:
    rest = b""
    with archive.open(name) as part:
        while chunk := part.read(_CHUNK):
            if not rest:
                if b"\0" in chunk[:_WIDE] or chunk.startswith(_WIDE_MARKS):
                    return True
                if not chunk.lstrip(_BEFORE_XML).startswith(b"<"):
                    return False
            text = rest + chunk
            # A tag that the end of the piece cuts is looked at with the next one.
            whole = text.rfind(b"<")
            rest = text[whole:] if whole >= 0 else text
            if len(rest) > _LONGEST_TAG or _ODD_CELL.search(text[: max(whole, 0)]):
                return True
    return False


def _xlsx_cells(archive: zipfile.ZipFile, name: str) -> int:
    try:
        return _measured(archive, name, _XlsxExtent())
    except ValueError:
        # The native reader minds less what is XML and what is not.
        return _at_most(archive, name)


def _at_most(archive: zipfile.ZipFile, name: str) -> int:
    """By whatever looks like a place in a part that is no XML."""
    row = column = width = height = 0
    rest = b""
    with archive.open(name) as part:
        while chunk := part.read(_CHUNK):
            text = rest + chunk
            whole = text.rfind(b"<")
            rest = text[whole:][:_LONGEST_TAG] if whole >= 0 else b""
            for mark in _MARKS.finditer(text[: whole if whole >= 0 else len(text)]):
                if mark["tag"] == b"row":
                    row, column = row + 1, 0
                elif mark["tag"] == b"c":
                    column += 1
                else:
                    height = max(height, int(mark["number"][:_MOST_DIGITS]))
                    width = max(width, _column(mark["letters"].decode()))
                width, height = max(width, column), max(height, row)
    return width * height


class _Extent(ABC):
    """The largest sheet so far, and the last filled row and column of this one."""

    def __init__(self) -> None:
        self.largest = self.width = self.height = self.row = self.column = 0

    @abstractmethod
    def begin(self, name: str, told: dict[str, str]) -> None:
        """An element begins."""

    def fill(self) -> None:
        self.width, self.height = max(self.width, self.column), max(self.height, self.row)
        self.largest = max(self.largest, self.width * self.height)


def _measured(archive: zipfile.ZipFile, name: str, extent: _Extent) -> int:
    # Names as they are written, prefix and all: the native reader looks at no more.
    parser = expat.ParserCreate()
    parser.StartElementHandler = extent.begin
    try:
        with archive.open(name) as content:
            while chunk := content.read(_CHUNK):
                parser.Parse(chunk, False)
            parser.Parse(b"", True)
    except expat.ExpatError as fault:
        raise ValueError(f"{name} is no XML") from fault
    return extent.largest


class _XlsxExtent(_Extent):
    """A cell stands where it says, or else next to the one before; one without anything inside is a mere format."""

    def begin(self, name: str, told: dict[str, str]) -> None:
        match name.rpartition(":")[2]:
            case "row":
                self.row = _number(told.get("r", ""), self.row + 1)
                self.column = 0
            case "c":
                place = _PLACE.fullmatch(told.get("r", ""))
                self.column = _column(place[1]) if place else self.column + 1
                self.row = _number(place[2], self.row) if place else self.row
            case "v" | "f" | "is":
                self.fill()


class _OdsExtent(_Extent):
    """Rows and cells say how often they repeat; a cell with a value of any kind is filled."""

    def __init__(self) -> None:
        super().__init__()
        self._repeated = 0

    def begin(self, name: str, told: dict[str, str]) -> None:
        match name:
            case "table:table":
                self.width = self.height = self.row = self._repeated = 0
            case "table:table-row":
                before = self.row
                self._repeated = _number(told.get("table:number-rows-repeated", ""), 1)
                self.row = before + self._repeated
                self.column = 0
            case "table:table-cell" | "table:covered-table-cell":
                self.column += _number(told.get("table:number-columns-repeated", ""), 1)
                if any(key.startswith("office:") and "value" in key for key in told):
                    self.fill()


def _number(text: str, otherwise: int) -> int:
    return int(text[:_MOST_DIGITS]) if text.isascii() and text.isdecimal() else otherwise


def _column(letters: str) -> int:
    number = 0
    for letter in letters[:_MOST_LETTERS].upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
