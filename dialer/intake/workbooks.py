"""Rows of xlsx, xls and ods workbooks, every cell as the text that a person reads there."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import BinaryIO, Final

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from dialer.core.errors import UnusableFile
from dialer.intake.headings import Row, field_of
from dialer.intake.records import Field
from dialer.language import Text, gettext_noop

ZIP_MAGIC: Final = b"PK\x03\x04"
OLE_MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MOST_COLUMNS: Final = 16_384
"""As Excel."""
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
    """One sheet of a workbook, not yet in memory."""

    name: str
    is_hidden: bool
    opened: Callable[[], CalamineSheet]

    def rows(self) -> Iterator[Row]:
        """Every row with its number from 1, merged cells filled downwards."""
        try:
            sheet = self.opened()
            if sheet.end is not None and sheet.end[1] >= MOST_COLUMNS:
                raise too_many_columns()
            yield from _filled_rows(sheet)
        except (CalamineError, OSError, ValueError):
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
                opened=partial(workbook.get_sheet_by_name, known.name),
            )
            for known in workbook.sheets_metadata
            if known.typ is SheetTypeEnum.WorkSheet
        ]
    except PasswordError:
        raise UnusableFile(_PASSWORD) from None
    except (CalamineError, OSError, ValueError):
        raise UnusableFile(_BROKEN) from None


def too_many_columns() -> UnusableFile:
    """The error for a table wider than a sheet."""
    return UnusableFile(
        Text(
            "the list has more than %(most)s columns; copy the list alone to a new sheet and load that",
            most=f"{MOST_COLUMNS:,}",
        )
    )


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
        overlap = b""
        while chunk := stream.read(1 << 20):
            if _ENCRYPTED_OLE.search(overlap + chunk):
                raise UnusableFile(_PASSWORD)
            overlap = chunk[-_OVERLAP:]
        return
    try:
        with zipfile.ZipFile(stream) as archive:
            members = archive.infolist()
            is_sealed = _is_sealed(archive) or any(member.flag_bits & 1 for member in members)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError, zlib.error):
        raise UnusableFile(_BROKEN) from None
    if is_sealed:
        raise UnusableFile(_PASSWORD)
    if any(member.filename == _XLSB_BOOK for member in members):
        raise UnusableFile("a workbook of the kind xlsb is not read; save it as xlsx and load that")


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
    if sheet.start is None:
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
