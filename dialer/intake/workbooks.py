"""Rows of xlsx, xls and ods workbooks, every cell as the text that a person reads there.

Before a workbook is opened, the size of its sheets is measured from the cells themselves: the native reader keeps every
cell up to the last filled one, whatever the sheet says of its own size, and would end the process where memory ends.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import BinaryIO, Final
from xml.parsers import expat

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from dialer.core.errors import UnusableFile
from dialer.intake.headings import field_of
from dialer.intake.records import Field
from dialer.language import gettext_noop

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
    return any(size > LARGEST_CELLS for size in _sizes(archive))


def _sizes(archive: zipfile.ZipFile) -> Iterator[int]:
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
    def begin(self, name: str, attributes: dict[str, str]) -> None:
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

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        match name.rpartition(":")[2]:
            case "row":
                self.row = _number(attributes.get("r", ""), self.row + 1)
                self.column = 0
            case "c":
                place = _PLACE.fullmatch(attributes.get("r", ""))
                self.column = _column(place[1]) if place else self.column + 1
                self.row = _number(place[2], self.row) if place else self.row
            case "v" | "f" | "is":
                self.fill()


class _OdsExtent(_Extent):
    """Rows and cells say how often they repeat; a cell with a value of any kind is filled."""

    def __init__(self) -> None:
        super().__init__()
        self._repeated = 0

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        match name:
            case "table:table":
                self.width = self.height = self.row = self._repeated = 0
            case "table:table-row":
                before = self.row
                self._repeated = _number(attributes.get("table:number-rows-repeated", ""), 1)
                self.row = before + self._repeated
                self.column = 0
            case "table:table-cell" | "table:covered-table-cell":
                self.column += _number(attributes.get("table:number-columns-repeated", ""), 1)
                if any(key.startswith("office:") and "value" in key for key in attributes):
                    self.fill()


def _number(text: str, otherwise: int) -> int:
    return int(text[:_MOST_DIGITS]) if text.isascii() and text.isdecimal() else otherwise


def _column(letters: str) -> int:
    number = 0
    for letter in letters[:_MOST_LETTERS].upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


ZIP_MAGIC: Final = b"PK\x03\x04"
OLE_MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
LARGEST_EXPANDED: Final = 2 << 30
_EXACT: Final = 10**15
_ENCRYPTED_OLE: Final = re.compile(
    # The directory entry of a sealed xlsx, or a BIFF8 stream whose first record after BOF is FILEPASS.
    re.escape("EncryptedPackage".encode("utf-16-le"))
    + rb"|\x09\x08\x10\x00\x00\x06\x05\x00.{12}(?:\x86\x00\x00\x00)?\x2f\x00",
    re.DOTALL,
)
_OVERLAP: Final = 64
_ODS_MANIFEST: Final = "META-INF/manifest.xml"
_MANIFEST_BYTES: Final = 1 << 20
_XLSB_BOOK: Final = "xl/workbook.bin"
_PASSWORD: Final = gettext_noop(
    "the workbook is protected by a password; save it without one and load it again"
)
_BROKEN: Final = gettext_noop(
    "the workbook cannot be opened; open it in a spreadsheet program, save it as xlsx and load that"
)

Cell = str | int | float | bool | date | time | datetime | timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One sheet of a workbook with its rows still to be read."""

    name: str
    is_hidden: bool
    sheet: CalamineSheet

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Every row with its number from 1, merged cells filled downwards."""
        try:
            yield from _filled_rows(self.sheet)
        except CalamineError:
            raise UnusableFile(_BROKEN) from None


def is_workbook(head: bytes) -> bool:
    """True for the first bytes of a zip or OLE file, which is what every workbook is."""
    return head.startswith((ZIP_MAGIC, OLE_MAGIC))


def open_sheets(stream: BinaryIO) -> list[Sheet]:
    """The work sheets of the workbook in their order. Raises UnusableFile for a password or a broken file."""
    _refuse_encrypted(stream)
    stream.seek(0)
    try:
        workbook = CalamineWorkbook.from_filelike(stream)
        return [
            Sheet(
                name=known.name,
                is_hidden=known.visible is not SheetVisibleEnum.Visible,
                sheet=workbook.get_sheet_by_name(known.name),
            )
            for known in workbook.sheets_metadata
            if known.typ is SheetTypeEnum.WorkSheet
        ]
    except PasswordError:
        raise UnusableFile(_PASSWORD) from None
    except (CalamineError, OSError, ValueError):
        raise UnusableFile(_BROKEN) from None
    except BaseException as fault:
        # A panic of the native reader derives from BaseException; everything else of that kind is not ours.
        if type(fault).__name__ == "PanicException":
            raise UnusableFile(_BROKEN) from None
        raise


def cell_text(cell: Cell) -> str:
    """The cell as text: whole numbers without a fraction, moments as 2026-11-20 07:52:00, a lost number as
    1.5E+17.
    """
    if isinstance(cell, str | None):
        return cell or ""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float | int):
        if abs(cell) >= _EXACT:
            return f"{cell:.5E}"
        return repr(cell) if isinstance(cell, float) and not cell.is_integer() else str(int(cell))
    if isinstance(cell, timedelta):
        return str(int(cell.total_seconds()))
    return cell.isoformat(sep=" ", timespec="seconds") if isinstance(cell, datetime) else cell.isoformat()


def _refuse_encrypted(stream: BinaryIO) -> None:
    stream.seek(0)
    if stream.read(len(OLE_MAGIC)) == OLE_MAGIC:
        stream.seek(0)
        overlap = b""
        while chunk := stream.read(1 << 20):
            if _ENCRYPTED_OLE.search(overlap + chunk):
                raise UnusableFile(_PASSWORD)
            overlap = chunk[-_OVERLAP:]
        return
    stream.seek(0)
    try:
        with zipfile.ZipFile(stream) as archive:
            members = archive.infolist()
            is_sealed = _is_sealed(archive) or any(member.flag_bits & 1 for member in members)
            is_long = sum(member.file_size for member in members) > LARGEST_EXPANDED
            has_stray = not is_sealed and not is_long and is_too_large(archive)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError, zlib.error):
        raise UnusableFile(_BROKEN) from None
    if is_sealed:
        raise UnusableFile(_PASSWORD)
    if any(member.filename == _XLSB_BOOK for member in members):
        raise UnusableFile("a workbook of the kind xlsb is not read; save it as xlsx and load that")
    if has_stray:
        raise UnusableFile(
            "a sheet has a stray cell far from its list; copy the list to a new sheet and load that"
        )
    if is_long:
        raise UnusableFile("the workbook is too large to be opened; save the list as csv and load that")


def _is_sealed(archive: zipfile.ZipFile) -> bool:
    """True for an ods under a password: its manifest names the encryption of its parts."""
    if _ODS_MANIFEST not in archive.namelist():
        return False
    with archive.open(_ODS_MANIFEST) as manifest:
        return b"encryption-data" in manifest.read(_MANIFEST_BYTES)


def _filled_rows(sheet: CalamineSheet) -> Iterator[tuple[int, list[str]]]:
    """Rows from 1; a cell merged over several rows counts for each of them, but an instruction number only
    once.
    """
    if sheet.height == 0 or sheet.start is None:
        return
    # Rows are counted from the sheet's first one, filled or not; columns from the first filled one.
    left = sheet.start[1]
    merged = _merged_below(sheet)
    values: dict[tuple[int, int], str] = {}
    numbered: set[int] = set()
    for row, cells in enumerate(sheet.iter_rows()):
        texts = [""] * left + [cell_text(cell) for cell in cells]
        if merged:
            numbered.update(
                column for column, text in enumerate(texts) if text and field_of(text) is Field.INSTRUCTION_NO
            )
            for column, first in merged.get(row, ()):
                if row == first and column < len(texts):
                    values[first, column] = texts[column]
                elif column < len(texts) and not texts[column] and column not in numbered:
                    texts[column] = values.get((first, column), "")
        yield row + 1, texts


def _merged_below(sheet: CalamineSheet) -> dict[int, list[tuple[int, int]]]:
    """For each row, the columns where a cell merged over several rows stands, with that cell's first row."""
    found: dict[int, list[tuple[int, int]]] = {}
    bottom = sheet.end[0] if sheet.end else 0
    for (first, column), (last, _) in sheet.merged_cell_ranges or ():
        if last > first:
            for row in range(first, min(last, bottom) + 1):
                found.setdefault(row, []).append((column, first))
    return found
