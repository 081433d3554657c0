"""A file of any kind becomes tables: the sheets of a workbook, or delimited text, read line by line so that a list of
any length needs little memory. Its kind, the encoding of a text (UTF-8, UTF-16 or GB18030, with or without a byte order
mark) and its delimiter are recognised from its bytes. A cell of an xlsx, xls or ods workbook is the text that a person
reads there.

The bytes may be malicious: this runs only in the separate process of `runtime/uploads.py`, which is ended if it takes
more than it may.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import islice
from typing import BinaryIO, Final

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from dialer.core.errors import NoPhoneColumn, UnusableFile
from dialer.core.text import Text, gettext_noop
from dialer.intake.duty_lists import roster_heading
from dialer.intake.filed_lists import filed_heading
from dialer.intake.headings import (
    HEADING_ROWS,
    KNOWN_HEADING_ROWS,
    Corrections,
    KnownList,
    Row,
    SourceTable,
    best_layout,
    field_of,
    known_fields,
    likely_headings,
)
from dialer.intake.opening_lists import opening_heading
from dialer.intake.records import Field
from dialer.intake.signal_lists import signal_heading
from dialer.intake.unit_lists import unit_heading

_ZIP_MAGIC: Final = b"PK\x03\x04"
_OLE_MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MOST_COLUMNS: Final = 16_384
"""The limit of Excel."""
_EXACT: Final = 10**15
_ENCRYPTED_OLE: Final = re.compile(
    # The directory entry of an encrypted xlsx, or a BIFF8 stream whose first record after BOF is FILEPASS.
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
class WorkbookSheet:
    """One sheet of a workbook, not yet in memory."""

    name: str
    is_hidden: bool
    opened: Callable[[], CalamineSheet]

    def rows(self) -> Iterator[Row]:
        """Every row with its number, from 1; merged cells are filled downwards."""
        try:
            sheet = self.opened()
            if sheet.end is not None and sheet.end[1] >= _MOST_COLUMNS:
                raise _too_many_columns()
            yield from _filled_rows(sheet)
        except (CalamineError, OSError, ValueError):
            raise UnusableFile(_BROKEN) from None


def _is_workbook(head: bytes) -> bool:
    """True for the first bytes of a zip or OLE file, which is what every workbook is."""
    return head.startswith((_ZIP_MAGIC, _OLE_MAGIC))


def _open_sheets(stream: BinaryIO) -> list[WorkbookSheet]:
    """The worksheets of the workbook in order. Raises `UnusableFile` for a password or a damaged file."""
    _refuse_encrypted(stream)
    stream.seek(0)
    try:
        workbook = CalamineWorkbook.from_filelike(stream)
        return [
            WorkbookSheet(
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


def _too_many_columns() -> UnusableFile:
    """The error for a table wider than a sheet."""
    return UnusableFile(
        Text(
            "the list has more than %(most)s columns; copy the list alone to a new sheet and load that",
            most=f"{_MOST_COLUMNS:,}",
        )
    )


def cell_text(cell: Cell) -> str:
    """The cell as text: whole numbers without a fraction, moments as 2026-11-20 07:52:00, lengths of time
    as 26:05:00, a lost number as 1.5E+17.
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
        minutes, seconds = divmod(int(cell.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return cell.isoformat(sep=" ", timespec="seconds") if isinstance(cell, datetime) else cell.isoformat()


def _refuse_encrypted(stream: BinaryIO) -> None:
    stream.seek(0)
    if stream.read(len(_OLE_MAGIC)) == _OLE_MAGIC:
        overlap = b""
        while chunk := stream.read(1 << 20):
            if _ENCRYPTED_OLE.search(overlap + chunk):
                raise UnusableFile(_PASSWORD)
            overlap = chunk[-_OVERLAP:]
        return
    try:
        with zipfile.ZipFile(stream) as archive:
            members = archive.infolist()
            is_encrypted = _is_encrypted_ods(archive) or any(member.flag_bits & 1 for member in members)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError, zlib.error):
        raise UnusableFile(_BROKEN) from None
    if is_encrypted:
        raise UnusableFile(_PASSWORD)
    if any(member.filename == _XLSB_BOOK for member in members):
        raise UnusableFile("a workbook of the kind xlsb is not read; save it as xlsx and load that")


def _is_encrypted_ods(archive: zipfile.ZipFile) -> bool:
    """True for an ods with a password: its manifest names the encryption of its parts."""
    if _ODS_MANIFEST not in archive.namelist():
        return False
    with archive.open(_ODS_MANIFEST) as manifest:
        return b"encryption-data" in manifest.read(_MANIFEST_BYTES)


def _filled_rows(sheet: CalamineSheet) -> Iterator[tuple[int, list[str]]]:
    """The rows, numbered from 1. A cell merged over several rows counts for each of them; an instruction number counts
    only once.
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
    """For each row, the columns covered by a cell that is merged over several rows, with the first row of that cell."""
    found: dict[int, list[tuple[int, int]]] = {}
    bottom = sheet.end[0] if sheet.end else 0
    for (first, column), (last, _) in sheet.merged_cell_ranges or ():
        if last > first:
            for row in range(first, min(last, bottom) + 1):
                found.setdefault(row, []).append((column, first))
    return found


_Heading = Callable[[Sequence[Row]], object | None]
_HEAD: Final = 1024
_OTHER_KINDS: Final = (
    (b"\x89PNG", gettext_noop("a picture")),
    (b"\xff\xd8\xff", gettext_noop("a picture")),
    (b"GIF8", gettext_noop("a picture")),
    (b"BM", gettext_noop("a picture")),
    (b"%PDF", gettext_noop("a PDF")),
    (b"Rar!", gettext_noop("an archive")),
    (b"7z\xbc\xaf", gettext_noop("an archive")),
    (b"\x1f\x8b", gettext_noop("an archive")),
)
_BITMAP: Final = b"BM"


def list_tables(stream: BinaryIO, corrections: Corrections) -> Generator[SourceTable, None, None]:
    """The tables of the file that are lists of warnings, at least one; read all rows of a table before the next one.
    Raises `UnusableFile`, with a sentence that says what to do, for a file without such a list: empty, a picture,
    protected by a password, without a phone column.
    """
    stream.seek(0)
    head = stream.read(_HEAD)
    if not head.strip() and not _has_content(stream):
        raise UnusableFile("the file is empty; export the list again and load that")
    _refuse_other_kinds(head)
    if _is_workbook(head):
        yield from _sheet_tables(stream, corrections)
        return
    table = _table_of("", _open_delimited(stream, corrections))
    if best_layout([cells for _, cells in table.first], corrections) is None:
        raise _no_phone_column([cells for _, cells in table.first])
    yield table


def _sheet_tables(stream: BinaryIO, corrections: Corrections) -> Iterator[SourceTable]:
    others: list[list[str]] = []
    has_list = False
    for table in _sheets_with_list(
        _open_sheets(stream),
        lambda rows: best_layout([cells for _, cells in rows], corrections),
        most=HEADING_ROWS,
        others=others,
    ):
        has_list = True
        yield table
    if has_list:
        return
    if not any(any(cells) for cells in others):
        raise UnusableFile("the workbook is empty; export the list again and load that")
    raise _no_phone_column(others)


def _sheets_with_list(
    sheets: Sequence[WorkbookSheet], heading: _Heading, *, most: int, others: list[list[str]]
) -> Iterator[SourceTable]:
    """The sheets with such a heading; the first rows of the others are added to `others`. Hidden sheets are read only
    if no visible one is a list: they mostly contain an older copy.
    """
    for is_hidden in (False, True):
        has_list = False
        for sheet in sheets:
            if sheet.is_hidden is is_hidden:
                table = _table_of(sheet.name, sheet.rows(), most=most)
                if heading(table.first) is None:
                    others.extend(cells for _, cells in table.first)
                else:
                    has_list = True
                    yield table
        if has_list:
            return


def _table_of(sheet: str, rows: Iterator[Row], *, most: int = HEADING_ROWS) -> SourceTable:
    return SourceTable(sheet=sheet, first=list(islice(rows, most)), rest=rows)


_HEADINGS: Final[Mapping[KnownList, _Heading]] = {
    KnownList.UNITS: unit_heading,
    KnownList.FILED: filed_heading,
    KnownList.SIGNALS: signal_heading,
    KnownList.OPENINGS: opening_heading,
    KnownList.ROSTERS: roster_heading,
}


def known_tables(stream: BinaryIO, kind: KnownList) -> Iterator[SourceTable]:
    """The tables of the file that are lists of this kind; for units only the first. Raises `UnusableFile`."""
    tables = _known_tables(stream, _HEADINGS[kind])
    return islice(tables, 1) if kind is KnownList.UNITS else tables


def _known_tables(stream: BinaryIO, heading: _Heading) -> Iterator[SourceTable]:
    stream.seek(0)
    head = stream.read(_SAMPLE)
    if not head.strip():
        raise UnusableFile("the file is empty; nothing was imported")
    if _is_workbook(head):
        yield from _sheets_with_list(_open_sheets(stream), heading, most=KNOWN_HEADING_ROWS, others=[])
        return
    for rows in _every_split(stream):
        table = _table_of("", rows, most=KNOWN_HEADING_ROWS)
        if heading(table.first) is not None:
            yield table
            return


def _every_split(stream: BinaryIO) -> Iterator[Iterator[Row]]:
    for encoding in possible_encodings(stream):
        stream.seek(0)
        text = stream.read().decode(encoding, errors="replace").removeprefix("\ufeff")
        for delimiter in DELIMITERS:
            yield _split_cells(_lines(text), delimiter)


def _no_phone_column(rows: list[list[str]]) -> NoPhoneColumn:
    found = ", ".join(field.value for field in known_fields(rows))
    if found:
        text = Text(
            "the list has no phone column (columns found: %(found)s); name it 手机号 or phone in a heading row"
            " and load it again",
            found=found,
        )
    else:
        text = Text(
            "the list has no phone column; name it 手机号 or phone in a heading row and load it again"
        )
    return NoPhoneColumn(text, headings=likely_headings(rows))


def _refuse_other_kinds(head: bytes) -> None:
    for magic, kind in _OTHER_KINDS:
        if head.startswith(magic) and (magic != _BITMAP or b"\x00" in head):
            raise UnusableFile(
                Text(
                    "the file is %(kind)s, not a list of warnings; save the list as xlsx or csv and load that",
                    kind=Text(kind),
                )
            )
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        raise UnusableFile("the file is a web page, not a workbook; open it, save it as xlsx and load that")
    if head.startswith(b"PK") and not head.startswith(_ZIP_MAGIC):
        raise _not_text()


def _has_content(stream: BinaryIO) -> bool:
    """Whether anything but blanks follows the current position of the stream."""
    while chunk := stream.read(1 << 20):
        if chunk.strip():
            return True
    return False


CHUNK: Final = 1 << 20
_SAMPLE: Final = 1 << 16
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS: Final = bytes(set(range(0x20)) - {0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1A, 0x1B}) + b"\x7f"
_BINARY_SHARE: Final = 0.02
_ZERO_SHARE: Final = 0.03
_ZEROS_MIN: Final = 4
_CONTROLS_MIN: Final = 300
"""One damaged row of a short list may contain this many: only that row is rejected."""
_DAMAGED_SHARE: Final = 0.02


def possible_encodings(stream: BinaryIO) -> tuple[str, ...]:
    """The encodings that the stream may have, the likeliest first; more than one only for damaged files.

    Leaves the stream at its beginning. Raises `UnusableFile` for bytes that are not text.
    """
    stream.seek(0)
    sample = stream.read(_SAMPLE)
    for mark, encoding in _MARKS:
        if sample.startswith(mark):
            stream.seek(0)
            return (encoding,)
    wide = _utf_16_encoding(sample)
    if wide is not None:
        stream.seek(0)
        return (wide,)
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    if controls > max(len(sample) * _BINARY_SHARE, _CONTROLS_MIN):
        raise _not_text()
    found = _encodings_of_whole_file(stream)
    stream.seek(0)
    return found


def _not_text() -> UnusableFile:
    """The error for a file of another kind."""
    return UnusableFile(
        "the file is neither a text list nor a workbook; save the list as xlsx or csv and load that"
    )


def _utf_16_encoding(sample: bytes) -> str | None:
    """The encoding of UTF-16 without a byte order mark, else None: digits, commas and line ends have a zero in every
    second byte, always on the same side.
    """
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    most = max(even, odd)
    if most < max(len(sample) * _ZERO_SHARE / 2, _ZEROS_MIN) or min(even, odd) > most / 10:
        return None
    encoding = "utf-16-le" if odd > even else "utf-16-be"
    text = sample[: len(sample) // 2 * 2].decode(encoding, errors="replace")
    return encoding if text.count("\ufffd") <= len(text) * _DAMAGED_SHARE + 1 else None


def _encodings_of_whole_file(stream: BinaryIO) -> tuple[str, ...]:
    """The encodings that fit the whole file, which is read to its end: UTF-8 and GB18030 look alike until the first
    byte that only one allows.
    """
    for encoding in ("utf-8", "gb18030"):
        stream.seek(0)
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            while chunk := stream.read(CHUNK):
                _refuse_endless_line(chunk)
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        # Much UTF-8 text, cut or damaged in one place, also passes as GB18030: then the headings decide.
        return ("utf-8",) if encoding == "utf-8" else _plausible(stream, ("gb18030", "utf-8"))
    return _plausible(stream, ("utf-8", "gb18030"))


def _plausible(stream: BinaryIO, encodings: tuple[str, ...]) -> tuple[str, ...]:
    stream.seek(0)
    sample = stream.read(CHUNK)
    damage = {encoding: _damage(sample, encoding) for encoding in encodings}
    kept = tuple(encoding for encoding in encodings if damage[encoding] <= _DAMAGED_SHARE)
    if not kept:
        raise _not_text()
    return kept


def _damage(sample: bytes, encoding: str) -> float:
    text = sample.decode(encoding, errors="replace")
    # A single damaged cell in a short list is no reason to refuse the whole file.
    return max(text.count("\ufffd") - 4, 0) / max(len(text), 1)


def _refuse_endless_line(chunk: bytes) -> None:
    if len(chunk) == CHUNK and b"\n" not in chunk and b"\r" not in chunk:
        raise UnusableFile(
            "a line of the file is longer than a million characters; save the list as xlsx and load that"
        )


DELIMITERS: Final = (",", "\t", ";", "|", "，", "；", "｜")
_HEAD_BYTES: Final = 1 << 17
_HEAD_LINES: Final = 120
_JOINED_LINES: Final = 50
"""A quoted cell may span this many lines; a quote left open for longer is a typing error."""


def _open_delimited(stream: BinaryIO, corrections: Corrections) -> Iterator[Row]:
    """The rows of a delimited text with their line numbers, with the encoding and the delimiter that give the heading
    row the most known headings.
    """
    encodings = possible_encodings(stream)
    best = (-1, encodings[0], ",")
    is_too_wide = False
    for encoding in encodings:
        stream.seek(0)
        head = stream.read(_HEAD_BYTES).decode(encoding, errors="replace")
        lines = list(islice(_lines(head), _HEAD_LINES))
        for delimiter in DELIMITERS:
            rows = [cells for _, cells in _split_cells(iter(lines), delimiter)]
            if any(len(cells) > _MOST_COLUMNS for cells in rows):
                is_too_wide = True
                continue
            found = best_layout(rows, corrections)
            score = found[1].score if found else 0
            if score > best[0]:
                best = (score, encoding, delimiter)
    score, encoding, delimiter = best
    if is_too_wide and score <= 0:
        raise _too_many_columns()
    return _rows(stream, encoding, delimiter)


def _lines(text: str) -> Iterator[str]:
    """The lines as `_rows` splits them: a break within a cell, such as the vertical tab of a word processor, does not
    end a line.
    """
    return iter(io.StringIO(text, newline=None))


def _split_cells(lines: Iterator[str], delimiter: str) -> Iterator[Row]:
    """The cells of each line. A quoted cell may contain delimiters and line breaks; an unclosed quote is an ordinary
    character.
    """
    pending: list[str] = []
    number = 0
    while True:
        if pending:
            line = pending.pop(0)
        else:
            following = next(lines, None)
            if following is None:
                return
            line = following
        number += 1
        if '"' not in line:
            yield number, line.rstrip("\n").split(delimiter)
            continue
        cells, used = _quoted(line, lines, pending, delimiter)
        yield number, cells
        number += used


def _quoted(line: str, lines: Iterator[str], pending: list[str], delimiter: str) -> tuple[list[str], int]:
    """The cells of a line with quotes, and how many further lines they took; lines that were not taken stay in
    `pending`.
    """
    record = line
    used = 0
    is_open, is_clean = _quotes(record, delimiter)
    while is_open:
        if used == len(pending):
            following = next(lines, None) if used < _JOINED_LINES else None
            if following is None:
                return _literal(line, delimiter), 0
            pending.append(following)
        record = record.rstrip("\n") + "\n" + pending[used]
        used += 1
        is_open, is_clean = _quotes(record, delimiter)
    if used and not is_clean:
        # The quote that closed it belongs to a later row: the first one was a typing error.
        return _literal(line, delimiter), 0
    del pending[:used]
    return next(csv.reader([record.rstrip("\n")], delimiter=delimiter), []), used


def _literal(line: str, delimiter: str) -> list[str]:
    """The cells of a line whose quotes do not match, without quotes at their ends."""
    return [cell.strip('"') for cell in line.rstrip("\n").split(delimiter)]


def _quotes(record: str, delimiter: str) -> tuple[bool, bool]:
    """Whether a quoted cell is still open, and whether every closing quote was at the end of its cell.

    A quote within an unquoted cell is an ordinary character.
    """
    inside, at_start, is_clean = False, True, True
    index, length = 0, len(record)
    while index < length:
        char = record[index]
        if inside and char == '"':
            after = record[index + 1 : index + 2]
            if after == '"':
                index += 1
            else:
                inside = False
                is_clean = is_clean and after in {"", delimiter, "\n"}
        elif char == '"' and at_start:
            inside = True
        at_start = not inside and char == delimiter
        index += 1
    return inside, is_clean


def _rows(stream: BinaryIO, encoding: str, delimiter: str) -> Iterator[Row]:
    """The rows; the stream stays open."""
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline=None)
    try:
        for number, cells in _split_cells(text, delimiter):
            if len(cells) > _MOST_COLUMNS:
                raise _too_many_columns()
            yield number, cells
    finally:
        if not stream.closed:
            text.detach()
