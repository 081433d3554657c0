"""Reads a list of warnings row by row: each row becomes a warning record, accepted with or without notices, or is
rejected with a reason. Pure: the tables of a file (`files.py`) in, values out; it stores nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache, partial
from itertools import chain, zip_longest
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

from dialer.core.errors import UnusableFile
from dialer.core.places import read_place
from dialer.core.sources import is_internal_source
from dialer.core.text import Text, gettext_noop, joined
from dialer.core.values import FraudType, Grade, Tag, WarningKind
from dialer.intake.cells import (
    Unreadable,
    cleaned,
    filled,
    folded,
    has_lost_digits,
    is_blank,
    joined_name,
    read_fen,
    read_fraud_type,
    read_grade,
    read_kind,
    read_moment,
    read_seconds,
    read_tags,
    shown,
)
from dialer.intake.headings import (
    Corrections,
    Layout,
    Row,
    SourceTable,
    best_layout,
    is_blank_row,
    is_footer_with_phone,
    is_heading,
    is_heading_again,
    is_note_or_total,
    layout_of,
    seconds_per_unit,
    yuan_per_unit,
)
from dialer.intake.likeness import likely_field
from dialer.intake.phones import normalise_id_number, normalise_phones
from dialer.intake.records import (
    IMPLAUSIBLE_FEN,
    Accepted,
    Column,
    Field,
    IntakeOptions,
    NoticeCode,
    Record,
    Rejected,
    RowNotice,
    bounded,
    derived_instruction_no,
)

_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}")
_SCIENTIFIC: Final = re.compile(r"[0-9.]+[eE]\+?[0-9]+")
_CLOCK_GRACE: Final = timedelta(minutes=10)
"""The clocks of two systems may differ by this much."""
_CACHE_LIMIT: Final = 20_000
_SAMPLES: Final = 3
LONGEST_GRADE_WORD: Final = 12
_MOST_UNREAD: Final = 20
_TEXTS: Final = (
    Field.ADDRESS,
    Field.FAMILY_CONTACT,
    Field.FRAUD_NUMBERS,
    Field.FRAUD_URL,
    Field.FRAUD_APP,
    Field.FRAUD_ACCOUNT,
)
_AMOUNTS: Final = (Field.AMOUNT_AT_RISK, Field.AMOUNT_PAID)
_NO_TEXTS: Final = {field.value: "" for field in _TEXTS}
_AMOUNT: Final = gettext_noop("amount not readable: write it like 12000.50")
_MOMENT: Final = gettext_noop("date not readable: write it like 2026-11-20 08:05")
_UNREADABLE: Final = {
    Field.GRADE: gettext_noop("grade not readable: write extra_high, high, medium or low"),
    Field.AMOUNT_AT_RISK: _AMOUNT,
    Field.AMOUNT_PAID: _AMOUNT,
    Field.EVENT_AT: _MOMENT,
    Field.PRODUCED_AT: _MOMENT,
    Field.EXPIRES_AT: _MOMENT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RowProblem:
    """A reason why a row is rejected, with the column that must be corrected."""

    field: Field
    place: int
    reason: Text


def _no_phone(cell: str, count: int) -> Text:
    """The reason of a row without a number that can be called; `count` is the number of parts in its phone cells."""
    if not cell.strip():
        return Text("no phone number: add the full number")
    if "e+" in cell.lower():
        return Text("digits lost to 1.38E+10: enter it as text")
    if count > 1:
        return Text("none of the numbers can be called: give a full number")
    return Text("no usable phone number: give the full number", cell=shown(cell))


def _unreadable(field: Field, place: int, cell: str) -> RowProblem:
    return RowProblem(field=field, place=place, reason=Text(_UNREADABLE[field], cell=shown(cell)))


def _read_grade_word(words: Mapping[str, Grade], cell: str) -> Grade | None:
    """As `read_grade`, with the words of the source, which come first. Raises `Unreadable`."""
    return (words and words.get(folded(cell))) or read_grade(cell)


class RowReader:
    """Reads the rows of one table. Never raises for a row, whatever it contains."""

    def __init__(
        self,
        *,
        layout: Layout,
        options: IntakeOptions,
        table: int = 0,
        sheet: str = "",
        unread_grades: Counter[str] | None = None,
    ) -> None:
        """`unread_grades` counts the words that are no grade, in half-width and lower case."""
        self.layout = layout
        self._table = table
        self._sheet = sheet
        self._options = options
        self._zone = ZoneInfo(options.timezone)
        # The same cells occur many times in a list.
        self._grade_of = lru_cache(_CACHE_LIMIT)(partial(_read_grade_word, options.grade_words))
        self._unread_grades = unread_grades if unread_grades is not None else Counter()
        self._kind_of = lru_cache(_CACHE_LIMIT)(read_kind)
        self._fraud_type_of = lru_cache(_CACHE_LIMIT)(read_fraud_type)
        self._filled = lru_cache(_CACHE_LIMIT)(filled)
        self._is_refused = lru_cache(_CACHE_LIMIT)(
            lambda source: not options.internal and is_internal_source(source)
        )
        known = options.known_units
        self._is_unit = lru_cache(_CACHE_LIMIT)(lambda unit: not known or unit in known)
        self._future = options.now + _CLOCK_GRACE
        self._place_of = {field: (layout.places(field) or (-1,))[0] for field in Field}
        self._places_of = {field: layout.places(field) for field in Field}
        self._phones = layout.places(Field.PHONE)
        self._unknown = layout.unknown_places()
        self._width = layout.width
        self._texts = [(field.value, places) for field in _TEXTS if (places := layout.places(field))]
        moment = lru_cache(_CACHE_LIMIT)(partial(read_moment, zone=self._zone, now=options.now))
        readers: dict[Field, Callable[[str], Any]] = {
            **{
                field: partial(read_fen, yuan_per_unit=yuan_per_unit(self._heading(self._place_of[field])))
                for field in _AMOUNTS
            },
            Field.EVENT_AT: moment,
            Field.PRODUCED_AT: moment,
            Field.EXPIRES_AT: partial(moment, end_of_day=True),
        }
        self._readers = [
            (field, place, read) for field, read in readers.items() if (place := self._place_of[field]) >= 0
        ]
        self._talk_factor = seconds_per_unit(self._heading(self._place_of[Field.TALK_SECONDS]))

    def has_phone(self, cells: list[str]) -> bool:
        """True if the row has a number that can be called."""
        width = len(cells)
        for place in self._phones:
            if place < width and (_MOBILE.fullmatch(cells[place]) or self._numbers(cells[place])[0]):
                return True
        return False

    def read(self, line: int, cells: list[str]) -> Accepted | Rejected:
        """The row as a record, or why it is rejected."""
        width = self._width
        # One empty cell more than there are columns, so that a missing field (place -1) reads as empty.
        row = [*cells[:width], *[""] * (width + 1 - min(len(cells), width))]
        notices: list[RowNotice] = []
        found: list[RowProblem] = []
        place_of = self._place_of
        phones = self._read_phones(row, notices, found)
        grade = self._read_grade(row, notices, found)
        values = self._read_values(row, found)
        doubted = self._doubt_amounts(values, notices)
        self._check_source(row, found)
        for field in (Field.EVENT_AT, Field.PRODUCED_AT):
            if (moment := values.get(field)) is not None and moment > self._future:
                message = Text("the time is in the future")
                self._notice(notices, place_of[field], NoticeCode.TIME_IN_FUTURE, message)
        expires_at = values.get(Field.EXPIRES_AT)
        missed = expires_at is not None and expires_at <= self._options.now
        if missed and expires_at is not None and grade is not None:
            place = place_of[Field.EXPIRES_AT]
            if grade.is_high:
                self._notice(notices, place, NoticeCode.MISSED, Text("expired: kept as missed"))
            else:
                local = expires_at.astimezone(self._zone).strftime("%Y-%m-%d %H:%M")
                reason = Text("expired: if it still holds, correct the expiry time", at=local)
                found.append(RowProblem(field=Field.EXPIRES_AT, place=place, reason=reason))
        if found or grade is None:
            return self._rejected(line, cells, found, grade)
        record = self._record(
            row, cells, values, notices, phones=phones, grade=grade, missed=missed, doubted=doubted
        )
        return Accepted(
            line=line, record=record, notices=tuple(notices), sheet=self._sheet, table=self._table
        )

    def _record(
        self,
        row: list[str],
        cells: list[str],
        values: Mapping[Field, Any],
        notices: list[RowNotice],
        *,
        phones: tuple[str, ...],
        grade: Grade,
        missed: bool,
        doubted: Sequence[int],
    ) -> Record:
        """The record of a row with nothing wrong, with the notices about its other fields."""
        place_of = self._place_of
        kind, fraud_type = self._read_types(row, notices)
        id_number, id_valid = self._read_id(row, notices)
        name = joined_name(filled(row[place_of[Field.NAME]]))
        key = self._options.derive_key
        source = bounded(self._filled(row[place_of[Field.SOURCE]]) or self._options.source, key=key)
        number = self._read_number(row, notices)
        is_derived = not number
        if is_derived:
            number = derived_instruction_no(
                key=key,
                source=source,
                name=name,
                phones=phones,
                id_number=id_number,
                fraud_type=fraud_type,
                produced_at=values.get(Field.PRODUCED_AT),
            )
        tags = self._read_tags(row, notices)
        return Record(
            source=source,
            instruction_no=number,
            instruction_derived=is_derived,
            kind=kind,
            fraud_type=fraud_type,
            grade=grade,
            name=name,
            phones=phones,
            id_number=id_number,
            id_valid=id_valid,
            unit=self._read_unit(row, notices),
            coordinates=self._read_place(row, notices),
            talk_seconds=self._read_talk(row, notices),
            amount_at_risk_fen=values.get(Field.AMOUNT_AT_RISK),
            amount_paid_fen=values.get(Field.AMOUNT_PAID),
            event_at=values.get(Field.EVENT_AT),
            produced_at=values.get(Field.PRODUCED_AT),
            expires_at=values.get(Field.EXPIRES_AT),
            tags=tags,
            remarks=self._remarks(row, cells, notices, doubted),
            missed=missed,
            raw=tuple(cells),
            **(_NO_TEXTS | {name: self._text(places, row) for name, places in self._texts}),
        )

    def _rejected(
        self, line: int, cells: list[str], found: list[RowProblem], grade: Grade | None
    ) -> Rejected:
        first = found[0]
        return Rejected(
            line=line,
            column=self._heading(first.place) or first.field.value,
            field=first.field,
            reason=joined([problem.reason for problem in found]),
            high_grade=grade is not None and grade.is_high,
            raw=tuple(cells),
            sheet=self._sheet,
            table=self._table,
        )

    def _heading(self, place: int) -> str:
        return self.layout.headings[place] if place >= 0 else ""

    def _notice(self, notices: list[RowNotice], place: int, code: NoticeCode, message: Text) -> None:
        notices.append(RowNotice(column=self._heading(place), code=code, message=message))

    def _numbers(self, cell: str) -> tuple[list[str], int]:
        return normalise_phones(cell, self._options.default_area)

    def _read_phones(
        self, row: list[str], notices: list[RowNotice], found: list[RowProblem]
    ) -> tuple[str, ...]:
        places = self._phones
        cell = row[places[0]]
        allowed = self._options.numbers
        if len(places) == 1 and _MOBILE.fullmatch(cell) and allowed.refusal("+86" + cell) is None:
            return ("+86" + cell,)
        numbers: dict[str, None] = {}
        refused: dict[Text, int] = {}
        parts = 0
        for place in places:
            text = cleaned(row[place])
            if is_blank(text.lower()):
                continue
            usable, unusable = self._numbers(text)
            parts += len(usable) + unusable
            for number in usable:
                if (why := allowed.refusal(number)) is None:
                    numbers[number] = None
                else:
                    refused.setdefault(why, place)
                    unusable += 1
            if unusable:
                self._notice(notices, place, NoticeCode.PHONE_PART_UNUSABLE, Text("one number is unusable"))
        if not numbers and refused:
            why, place = next(iter(refused.items()))
            found.append(RowProblem(field=Field.PHONE, place=place, reason=why))
        elif not numbers:
            filled = next((place for place in places if row[place].strip()), places[0])
            found.append(RowProblem(field=Field.PHONE, place=filled, reason=_no_phone(row[filled], parts)))
        return tuple(numbers)

    def _read_grade(self, row: list[str], notices: list[RowNotice], found: list[RowProblem]) -> Grade | None:
        place = self._place_of[Field.GRADE]
        cell = row[place]
        try:
            grade = self._grade_of(cell)
        except Unreadable:
            found.append(_unreadable(Field.GRADE, place, cell))
            word, unread = folded(cell), self._unread_grades
            if len(word) <= LONGEST_GRADE_WORD and (word in unread or len(unread) < _MOST_UNREAD):
                unread[word] += 1
            return None
        if grade is not None:
            return grade
        default = self._options.default_grade
        self._notice(
            notices,
            place,
            NoticeCode.GRADE_DEFAULTED,
            Text("grade blank: %(default)s is taken", default=default),
        )
        return default

    def _check_source(self, row: list[str], found: list[RowProblem]) -> None:
        place = self._place_of[Field.SOURCE]
        if self._is_refused(self._filled(row[place]) or self._options.source):
            reason = Text("the source is one of this service itself: name the source that sends it")
            found.append(RowProblem(field=Field.SOURCE, place=place, reason=reason))

    def _read_values(self, row: list[str], found: list[RowProblem]) -> dict[Field, Any]:
        """Amounts in fen and moments; fields without a cell are left out."""
        values: dict[Field, Any] = {}
        for field, place, read in self._readers:
            if cell := row[place]:
                try:
                    values[field] = read(cell)
                except Unreadable:
                    found.append(_unreadable(field, place, cell))
        return values

    def _read_types(self, row: list[str], notices: list[RowNotice]) -> tuple[WarningKind, FraudType]:
        place_of = self._place_of
        kind_cell, type_cell = row[place_of[Field.KIND]], row[place_of[Field.FRAUD_TYPE]]
        kind = self._kind_of(kind_cell)
        fraud_type = self._fraud_type_of(type_cell)
        has_type = fraud_type is not FraudType.UNKNOWN or not is_blank(folded(type_cell))
        if kind_cell and (kind is WarningKind.UNKNOWN or not has_type):
            # Some offices write the fraud type under 预警类型.
            from_kind = self._fraud_type_of(kind_cell)
            if from_kind is not FraudType.UNKNOWN and not has_type:
                return kind, from_kind
            if kind is WarningKind.UNKNOWN and not is_blank(folded(kind_cell)):
                self._notice(notices, place_of[Field.KIND], NoticeCode.KIND_UNKNOWN, Text("kind not known"))
        if fraud_type is FraudType.UNKNOWN and has_type:
            self._notice(
                notices,
                place_of[Field.FRAUD_TYPE],
                NoticeCode.FRAUD_TYPE_UNKNOWN,
                Text("fraud type not known"),
            )
        return kind, fraud_type

    def _read_id(self, row: list[str], notices: list[RowNotice]) -> tuple[str, bool]:
        place = self._place_of[Field.ID_NUMBER]
        cell = row[place]
        if not cell:
            return "", False
        text = cleaned(cell)
        if is_blank(text.lower()):
            return "", False
        if _SCIENTIFIC.fullmatch(text):
            self._notice(notices, place, NoticeCode.ID_DIGITS_LOST, Text("digits of the id were lost"))
            return "", False
        number, is_valid = normalise_id_number(text)
        if not is_valid:
            self._notice(notices, place, NoticeCode.ID_INVALID, Text("the id number fails its check"))
        return number, is_valid

    def _read_number(self, row: list[str], notices: list[RowNotice]) -> str:
        """The instruction number; '' for none and for one that has lost digits, because a number that many rows share
        identifies no warning.
        """
        place = self._place_of[Field.INSTRUCTION_NO]
        number = filled(row[place])
        if has_lost_digits(number):
            message = Text("digits of the instruction number were lost")
            self._notice(notices, place, NoticeCode.NUMBER_DIGITS_LOST, message)
            return ""
        return bounded(number, key=self._options.derive_key)

    def _read_unit(self, row: list[str], notices: list[RowNotice]) -> str:
        unit = self._filled(row[self._place_of[Field.UNIT]])
        if unit and not self._is_unit(unit):
            self._notice(notices, self._place_of[Field.UNIT], NoticeCode.UNIT_UNKNOWN, Text("unit not known"))
        return unit

    def _read_talk(self, row: list[str], notices: list[RowNotice]) -> int | None:
        place = self._place_of[Field.TALK_SECONDS]
        if place < 0:
            return None
        try:
            return read_seconds(row[place], seconds_per_unit=self._talk_factor)
        except Unreadable:
            self._notice(notices, place, NoticeCode.TALK_UNREADABLE, Text("talk time not readable"))
            return None

    def _read_place(self, row: list[str], notices: list[RowNotice]) -> str:
        places = self._places_of[Field.COORDINATES]
        text = self._text(places, row) if places else ""
        if not text:
            return ""
        place = read_place(text)
        if place is None:
            self._notice(notices, places[0], NoticeCode.PLACE_UNREADABLE, Text("place not readable"))
        return "" if place is None else str(place)

    def _read_tags(self, row: list[str], notices: list[RowNotice]) -> frozenset[Tag]:
        tags: frozenset[Tag] = frozenset()
        for place in self._places_of[Field.TAGS]:
            if row[place]:
                known, others = read_tags(row[place])
                tags |= known
                if others:
                    self._notice(notices, place, NoticeCode.TAG_UNKNOWN, Text("a tag is not known"))
        return tags

    def _text(self, places: Sequence[int], row: list[str]) -> str:
        if len(places) == 1:
            return filled(row[places[0]])
        return " ".join(text for place in places if (text := filled(row[place])))

    def _doubt_amounts(self, values: dict[Field, Any], notices: list[RowNotice]) -> list[int]:
        """Takes implausible amounts out of the values, with a notice; returns their places."""
        if self._options.believes_amounts:
            return []
        fields = [field for field in _AMOUNTS if (values.get(field) or 0) > IMPLAUSIBLE_FEN]
        for field in fields:
            message = Text(
                "the amount of %(yuan)s yuan is implausible: it is kept in the remarks",
                yuan=f"{values.pop(field) // 100:,}",
            )
            self._notice(notices, self._place_of[field], NoticeCode.AMOUNT_IMPLAUSIBLE, message)
        return [self._place_of[field] for field in fields]

    def _remarks(
        self, row: list[str], cells: list[str], notices: list[RowNotice], doubted: Sequence[int]
    ) -> str:
        remarks = self._text(self._places_of[Field.REMARKS], row)
        if not self._unknown and not doubted and len(cells) <= self._width:
            return remarks
        extra = [
            f"{heading}：{text}" if (heading := self._heading(place)) else text
            for place in (*self._unknown, *doubted)
            if row[place] and (text := cleaned(row[place]))
        ]
        over = [text for cell in cells[self._width :] if (text := cleaned(cell))]
        if over:
            self._notice(notices, -1, NoticeCode.EXTRA_CELLS, Text("more cells than headings"))
        return (
            "；".join([remarks, *extra, *over] if remarks else [*extra, *over]) if extra or over else remarks
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _ListTable:
    """One list in the file: its layout and the rows below its heading."""

    sheet: str
    layout: Layout
    first: Sequence[Row]
    """The first rows below the heading; they are among `rows` too."""
    rows: Iterator[Row]
    skipped: int


class ListReader:
    """Yields every row of the list once, in line order, as `Accepted` or `Rejected`.

    `filename` names the source of rows without one. After the last row, `skipped` counts the rows that were not records
    (titles, blanks, notes, totals, repeated headings), and `columns` tells how the columns of every table were read.
    `samples` has some cells of each column, in clear, by its table and its place; `unread_grades` counts the words that
    are no grade.
    """

    def __init__(
        self, tables: Generator[SourceTable, None, None], *, filename: str, options: IntakeOptions
    ) -> None:
        """Reads the first row. Raises `UnusableFile` if there is none."""
        self.skipped = 0
        self.columns: tuple[Column, ...] = ()
        self.samples: dict[tuple[int, int], tuple[str, ...]] = {}
        self.unread_grades: Counter[str] = Counter()
        self.options = replace(options, source=options.source or default_source(filename))
        self._tables = tables
        self._next_table = 0
        self._rows = self._read()
        self._results: Iterator[Accepted | Rejected] = self._rows
        try:
            self._read_first_row()
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[Accepted | Rejected]:
        return self._results

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the tables; nothing more is read."""
        self._rows.close()
        self._tables.close()

    def _read_first_row(self) -> None:
        first = next(self._results, None)
        if first is None:
            raise UnusableFile("the list has headings but no rows below them; nothing was loaded")
        self._results = chain((first,), self._results)

    def _read(self) -> Generator[Accepted | Rejected, None, None]:
        for table in self._tables:
            found = _list_table(table, self.options.corrections)
            self.skipped += found.skipped
            yield from self._read_table(found)

    def _read_table(self, table: _ListTable) -> Iterator[Accepted | Rejected]:
        reader = self._row_reader(table.layout, table.sheet, table.first)
        is_first = True
        for line, cells in table.rows:
            layout = reader.layout
            if not reader.has_phone(cells):
                if is_blank_row(cells, layout):
                    self.skipped += 1
                    continue
                if is_heading_again(cells, layout):
                    self.skipped += 1
                    renewed = (
                        _second_heading(layout, cells, self.options.corrections)
                        if is_first
                        else layout_of(cells, self.options.corrections)
                    )
                    if is_heading(renewed) and renewed.fields != layout.fields:
                        reader = self._row_reader(
                            renewed, table.sheet, table.first[1:] if is_first else (), replaces_last=is_first
                        )
                    continue
                if is_note_or_total(cells, layout):
                    self.skipped += 1
                    continue
            elif is_footer_with_phone(cells):
                self.skipped += 1
                continue
            is_first = False
            yield reader.read(line, cells)

    def _row_reader(
        self, layout: Layout, sheet: str, first: Sequence[Row], *, replaces_last: bool = False
    ) -> RowReader:
        if replaces_last:
            self._next_table -= 1
            self.columns = tuple(column for column in self.columns if column.table != self._next_table)
        table = self._next_table
        self._next_table += 1
        self.columns += tuple(
            self._looked_at(column, layout, first) for column in layout.columns(table=table, sheet=sheet)
        )
        return RowReader(
            layout=layout,
            options=self.options,
            table=table,
            sheet=sheet,
            unread_grades=self.unread_grades,
        )

    def _looked_at(self, column: Column, layout: Layout, first: Sequence[Row]) -> Column:
        """The column with what it looks like if nobody has mapped it; its samples are kept."""
        place = column.index
        cells = [cells[place] for _, cells in first if place < len(cells) and cells[place].strip()]
        self.samples[column.table, place] = tuple(dict.fromkeys(map(cleaned, cells)))[:_SAMPLES]
        if column.field is not None or not column.heading or column.heading in self.options.corrections:
            return column
        mapped = {field for field in layout.fields if field}
        return replace(column, likely=likely_field(column.heading, cells, mapped=mapped))


def _list_table(table: SourceTable, corrections: Corrections) -> _ListTable:
    found = best_layout([cells for _, cells in table.first], corrections)
    assert found is not None, "every table of a list has a heading"
    index, layout = found
    first = table.first[index + 1 :]
    return _ListTable(
        sheet=table.sheet, layout=layout, first=first, rows=chain(first, table.rest), skipped=index
    )


def _second_heading(layout: Layout, cells: list[str], corrections: Corrections) -> Layout:
    """The layout of a heading in two rows: the lower row fills what the upper one left open."""
    return layout_of(
        [
            below if known is None and below and below.strip() else upper or ""
            for upper, known, below in zip_longest(layout.headings, layout.fields, cells)
        ],
        corrections,
    )


def default_source(filename: str) -> str:
    """The source of rows that have none: the name of the file without folders and extension, so that a list saved again
    as another kind of file is still the same list.
    """
    return PureWindowsPath(PurePosixPath(filename).name).stem or "list"
