"""The results of reading a list: accepted records with notices, rejected rows with reasons, and their workbook.

A row without an instruction number gets one derived from its content: the same for the same row, and without revealing
it. A corrected workbook of rejected rows can be loaded like any list.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dialer.core.text import Text
from dialer.core.values import FraudType, Grade, Tag, WarningKind
from dialer.intake.allowed_numbers import AllowedNumbers

DEFAULT_TIMEZONE: Final = "Asia/Shanghai"
DEFAULT_AREA: Final = "0478"


class Field(StrEnum):
    """A field of a warning record, and the two kinds of column that are not fields."""

    INSTRUCTION_NO = "instruction_no"
    SOURCE = "source"
    KIND = "kind"
    FRAUD_TYPE = "fraud_type"
    GRADE = "grade"
    NAME = "name"
    PHONE = "phone"
    ID_NUMBER = "id_number"
    ADDRESS = "address"
    COORDINATES = "coordinates"
    """Of the address: longitude and latitude in one column, or in two."""
    UNIT = "unit"
    FAMILY_CONTACT = "family_contact"
    FRAUD_NUMBERS = "fraud_numbers"
    FRAUD_URL = "fraud_url"
    FRAUD_APP = "fraud_app"
    FRAUD_ACCOUNT = "fraud_account"
    TALK_SECONDS = "talk_seconds"
    AMOUNT_AT_RISK = "amount_at_risk"
    AMOUNT_PAID = "amount_paid"
    EVENT_AT = "event_at"
    PRODUCED_AT = "produced_at"
    EXPIRES_AT = "expires_at"
    TAGS = "tags"
    REMARKS = "remarks"
    ROW_NUMBER = "row_number"
    """The row numbers of the list itself 序号: ignored."""
    REJECTION = "rejection"
    """A column that an earlier workbook of rejected rows added: ignored."""


class NoticeCode(StrEnum):
    """Why a person should check an accepted row. None of these prevents its call."""

    GRADE_DEFAULTED = "grade_defaulted"
    ID_INVALID = "id_invalid"
    ID_DIGITS_LOST = "id_digits_lost"
    NUMBER_DIGITS_LOST = "number_digits_lost"
    FRAUD_TYPE_UNKNOWN = "fraud_type_unknown"
    KIND_UNKNOWN = "kind_unknown"
    UNIT_UNKNOWN = "unit_unknown"
    PHONE_PART_UNUSABLE = "phone_part_unusable"
    TALK_UNREADABLE = "talk_unreadable"
    PLACE_UNREADABLE = "place_unreadable"
    TAG_UNKNOWN = "tag_unknown"
    TIME_IN_FUTURE = "time_in_future"
    MISSED = "missed"
    EXTRA_CELLS = "extra_cells"
    AMOUNT_IMPLAUSIBLE = "amount_implausible"
    """An amount above `IMPLAUSIBLE_FEN`: it is kept in the remarks and counts as unknown until somebody believes it."""
    NUMBER_USED_AGAIN = "number_used_again"
    """Its source has sent its number before, with other content: a warning of its own, under a number of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowNotice:
    """Something about an accepted row that a person may want to correct. The message contains no personal data."""

    column: str
    code: NoticeCode
    message: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """How one column of a table was understood; `field` is None for an unknown column, whose cells are kept in the
    remarks.
    """

    table: int
    """The number of its table in the file, from 0: a sheet, or a further list below the first with its own headings."""
    sheet: str
    index: int
    heading: str
    field: Field | None
    likely: Field | None = None
    """What a column that nobody has mapped looks like: a grade, a name, a phone or an amount. A person decides."""

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Column:
        """The column from the result of `plain`."""
        meant = {name: Field(plain[name]) if plain.get(name) else None for name in ("field", "likely")}
        return cls(**{**plain, **meant})

    def plain(self) -> dict[str, Any]:
        """The column as JSON values."""
        meant = (("field", self.field), ("likely", self.likely))
        return asdict(self) | {name: field.value if field else None for name, field in meant}

    @property
    def letter(self) -> str:
        """The letters of the column in a spreadsheet: A, B, … AA."""
        letters, rest = "", self.index + 1
        while rest:
            rest, letter = divmod(rest - 1, 26)
            letters = chr(ord("A") + letter) + letters
        return letters


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One warning as its source sent it, normalised. Times are aware UTC, money is whole fen."""

    source: str
    instruction_no: str
    instruction_derived: bool
    kind: WarningKind
    fraud_type: FraudType
    grade: Grade
    name: str
    phones: tuple[str, ...]
    """E.164, at least one, each once, in the order of the list."""
    id_number: str
    id_valid: bool
    address: str
    coordinates: str
    """Of the address, as `core.places` writes a place; '' where none is known."""
    unit: str
    family_contact: str
    fraud_numbers: str
    fraud_url: str
    fraud_app: str
    fraud_account: str
    talk_seconds: int | None
    amount_at_risk_fen: int | None
    amount_paid_fen: int | None
    event_at: datetime | None
    produced_at: datetime | None
    expires_at: datetime | None
    tags: frozenset[Tag]
    remarks: str
    """The remarks, followed by the cells of unknown columns as `heading：cell`, so that nothing is lost."""
    missed: bool
    """Expired before it was read, at a high grade."""
    raw: tuple[str, ...]
    """The row as it is in the file."""

    @property
    def key(self) -> tuple[str, str]:
        """Identifies the warning: its source and instruction number."""
        return self.source, self.instruction_no


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A row that was read as a record."""

    line: int
    """The line (in a text) or row (on a sheet) as a person counts it, from 1."""
    record: Record
    notices: tuple[RowNotice, ...]
    sheet: str
    table: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A rejected row, with its cells in clear."""

    line: int
    column: str
    """The heading, as the file has it, of the first column that must be corrected."""
    reason: Text
    """What is wrong and how to correct it; phones and id numbers in it are masked."""
    high_grade: bool
    """The row's grade was readable and high: the caller raises an alarm."""
    raw: tuple[str, ...]
    sheet: str
    table: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected(RejectedRow):
    """A row that cannot be used, with the field that must be corrected."""

    field: Field


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeOptions:
    """What reading a list needs besides the file."""

    now: datetime
    """Aware; what has expired by then counts as expired."""
    timezone: str = DEFAULT_TIMEZONE
    """The zone of times that are written without one."""
    default_grade: Grade = Grade.MEDIUM
    default_area: str = DEFAULT_AREA
    """The area code, with its leading 0, of landline numbers written without one."""
    source: str = ""
    """The source of rows without one of their own; '': the name of the file."""
    internal: bool = False
    """The rows are the service's own: they may be of a source of the service itself."""
    known_units: Collection[Any] = frozenset()
    """Names of units that need no notice. If empty, every unit counts as known."""
    corrections: Mapping[str, Field | None] = field(default_factory=dict)
    """The corrections of columns by a person, by heading; None: the column has no known field."""
    grade_words: Mapping[str, Grade] = field(default_factory=dict)
    """Words for grades that the source alone uses, by the cell in half-width and lower case."""
    believes_amounts: bool = False
    """Amounts above `IMPLAUSIBLE_FEN` are taken as they stand: a person has looked at them."""
    numbers: AllowedNumbers = field(default_factory=AllowedNumbers)
    """Which numbers may be called: a row with none of them is refused."""
    derive_key: bytes = b""
    """The key of derived instruction numbers, so that they reveal nothing about the person. The same key gives the same
    numbers.
    """


IMPLAUSIBLE_FEN: Final = 200_000_000 * 100
"""An amount above this is more likely a slip (a wrong unit, a number of an account) than money: the largest loss by one
telephone fraud that is publicly known (Duyun, 2015) was 117 million yuan. It would put a case before all others.
"""

DERIVED_PREFIX: Final = "D-"
_LENGTH: Final = 32
LONGEST: Final = 200
_KEPT: Final = 160


def derived_instruction_no(
    *,
    key: bytes,
    source: str,
    name: str,
    phones: tuple[str, ...],
    id_number: str,
    fraud_type: FraudType,
    produced_at: datetime | None,
) -> str:
    """The number derived from source, name, phones in any order, id number, fraud type and produced time.

    The digest is keyed, because a plain hash could be found by trying all phone numbers.
    """
    parts = (
        source,
        name,
        " ".join(sorted(phones)),
        id_number,
        fraud_type.value,
        produced_at.isoformat() if produced_at else "",
    )
    digest = hmac.digest(key, "\x1f".join(parts).encode("utf-8", errors="replace"), "sha256")
    return DERIVED_PREFIX + digest.hex()[:_LENGTH]


def bounded(text: str, *, key: bytes) -> str:
    """The text; if it is longer than `LONGEST`, which the database can index, its beginning and a
    digest of the whole.
    """
    if len(text) <= LONGEST:
        return text
    digest = hmac.digest(key, text.encode("utf-8", errors="replace"), "sha256")
    return f"{text[:_KEPT]}~{digest.hex()[:_LENGTH]}"


if TYPE_CHECKING:
    import xlsxwriter

COLUMN_HEADING: Final = "拒绝列"
REASON_HEADING: Final = "拒绝原因"
SOURCE_HEADING: Final = "来源"
SHEET_ROWS: Final = 1_000_000
_CELL_LENGTH: Final = 32_767
_WIDTH: Final = 18
_REASON_WIDTH: Final = 60


KEPT_IN_CLEAR: Final = frozenset(
    {
        Field.INSTRUCTION_NO,
        Field.SOURCE,
        Field.KIND,
        Field.FRAUD_TYPE,
        Field.GRADE,
        Field.UNIT,
        Field.TALK_SECONDS,
        Field.AMOUNT_AT_RISK,
        Field.AMOUNT_PAID,
        Field.EVENT_AT,
        Field.PRODUCED_AT,
        Field.EXPIRES_AT,
        Field.ROW_NUMBER,
    }
)
"""The fields of a rejected row that never name a person. Any other column may, even one without a field."""
_LONG_NUMBER: Final = re.compile(r"(?<![0-9A-Za-z])\+?[0-9][0-9 -]{5,}[0-9Xx](?![0-9A-Za-z])")
"""What may be a phone or id number in a column where it does not belong, or a date: `_DATE` recognises those."""
_OF_A_PERSON: Final = re.compile(r"(\+?86[ -]?)?1[3-9][0-9]{9}|[0-9]{17}[0-9Xx]")
"""A whole cell that is a mobile phone or an id number."""
_DATE: Final = re.compile(r"\d{4}-\d{1,2}-\d{1,2}( \d{1,2})?")
HIDDEN: Final = "****"


def masked_rows(columns: Sequence[Column], rejects: Iterable[RejectedRow]) -> Iterator[RejectedRow]:
    """The rows as they are shown to somebody who may not see personal data."""
    kept = {(column.table, column.index): column.field for column in columns if column.field in KEPT_IN_CLEAR}
    for reject in rejects:
        raw = tuple(_masked(cell, kept.get((reject.table, index))) for index, cell in enumerate(reject.raw))
        yield replace(reject, raw=raw, reason=_without_numbers(reject.reason))


def _without_numbers(reason: Text) -> Text:
    """The reason with long numbers hidden: a cell that it quotes may contain a number with gaps."""
    values = {
        name: _without_numbers(value)
        if isinstance(value, Text)
        else hide_numbers(value)
        if isinstance(value, str)
        else value
        for name, value in reason.values.items()
    }
    return Text(reason.template, **values)


def _masked(cell: str, field: Field | None) -> str:
    if not cell.strip():
        return cell
    if field is None:
        return HIDDEN
    if field is Field.INSTRUCTION_NO:
        return HIDDEN if _OF_A_PERSON.fullmatch(cell.strip()) else cell
    return hide_numbers(cell)


def hide_numbers(cell: str) -> str:
    """The text with everything hidden that may be a phone, id or account number: long numbers except dates."""
    return _LONG_NUMBER.sub(lambda found: found[0] if _DATE.fullmatch(found[0]) else HIDDEN, cell)


def write_rejects(
    path: Path, columns: Sequence[Column], rejects: Iterable[RejectedRow], *, source: str = ""
) -> int:
    """Writes the rows to `path`, those of each table under its own headings; returns how many.

    Every cell is text, so nothing in it is ever run as a formula. `source` is the source of rows whose list has no such
    column, so that the corrected copy of a row is the same warning as the original.
    """
    import xlsxwriter  # noqa: PLC0415  # loaded only when it is needed

    sheets: dict[int, _RejectSheet] = {}
    count = 0
    with xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_formulas": False}) as workbook:
        for reject in rejects:
            sheet = sheets.get(reject.table)
            if sheet is None or sheet.is_full:
                own = [column for column in columns if column.table == reject.table]
                sheet = _RejectSheet(workbook, own, source)
                sheets[reject.table] = sheet
            sheet.add(reject)
            count += 1
        if not sheets:
            _RejectSheet(workbook, list(columns), source)
    return count


class _RejectSheet:
    """One sheet of rejected rows from one table, under the headings of that table."""

    def __init__(self, workbook: xlsxwriter.Workbook, columns: Sequence[Column], source: str) -> None:
        self._kept = [column.index for column in columns if column.field is not Field.REJECTION]
        self._width = max((column.index + 1 for column in columns), default=0)
        has_source = any(column.field is Field.SOURCE for column in columns)
        self._source = [] if has_source or not source else [source]
        headings = {column.index: column.heading for column in columns}
        self._sheet = workbook.add_worksheet()
        self._text = workbook.add_format({"num_format": "@"})
        self._next_row = 0
        self._sheet.set_column(0, len(self._kept) + 1, _WIDTH)
        self._sheet.set_column(len(self._kept) + len(self._source) + 1, len(self._kept) + 2, _REASON_WIDTH)
        own = [SOURCE_HEADING] if self._source else []
        self._write([*(headings[index] for index in self._kept), *own, COLUMN_HEADING, REASON_HEADING])

    @property
    def is_full(self) -> bool:
        return self._next_row >= SHEET_ROWS

    def add(self, reject: RejectedRow) -> None:
        from dialer.language.words import bilingual  # noqa: PLC0415  # the start of a process that reads a file

        raw = reject.raw
        cells = [raw[index] if index < len(raw) else "" for index in self._kept]
        # Cells beyond the headings go to the end, after our own columns, where no field is read.
        over = raw[self._width :]
        self._write([*cells, *self._source, reject.column, bilingual(reject.reason), *over])

    def _write(self, cells: Sequence[str]) -> None:
        for index, cell in enumerate(cells):
            if cell:
                self._sheet.write_string(self._next_row, index, cell[:_CELL_LENGTH], self._text)
        self._next_row += 1
