"""Lists of cases filed with the police 立案: case number, person, loss, times. Pure; it stores nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from dialer.core.errors import UnusableFile
from dialer.core.text import Text
from dialer.core.values import FraudType
from dialer.intake.cells import (
    DIGITS_LOST,
    folded,
    has_lost_digits,
    joined_name,
    read_fraud_type,
    read_moment,
    shown,
)
from dialer.intake.headings import (
    CellRefused,
    KnownCells,
    Row,
    SourceTable,
    heading_row,
    known_tables,
    yuan_per_unit,
)
from dialer.intake.phones import normalise_id_number, normalise_phones
from dialer.intake.records import DEFAULT_AREA, DEFAULT_TIMEZONE, Column, RejectedRow


class FiledField(StrEnum):
    """A column of a list of filed cases."""

    CASE_NUMBER = "case_number"
    NAME = "name"
    PHONE = "phone"
    ID_NUMBER = "id_number"
    AMOUNT = "amount"
    FILED_AT = "filed_at"
    EVENT_AT = "event_at"
    FRAUD_TYPE = "fraud_type"
    UNIT = "unit"


_HEADINGS: Final = {
    FiledField.CASE_NUMBER: (
        "案件编号 案件号 案号 立案编号 立案号 受案编号 受案号 案件编码 警情编号 刑事案件编号 "
        "casenumber caseno filedcase filednumber"
    ),
    FiledField.NAME: (
        "姓名 名字 受害人 受害人姓名 被害人 被害人姓名 事主 事主姓名 报案人 报案人姓名 当事人 当事人姓名 "
        "name victim victimname fullname"
    ),
    FiledField.PHONE: (
        "手机号 手机号码 手机 电话 电话号码 联系电话 联系方式 受害人电话 受害人手机号 被害人电话 被害人手机号 "
        "被害人联系电话 受害人联系电话 事主电话 报案人电话 报案人联系电话 "
        "phone mobile phonenumber telephone victimphone"
    ),
    FiledField.ID_NUMBER: (
        "证件号 证件号码 身份证号 身份证号码 身份证 公民身份号码 居民身份证号码 受害人身份证号 被害人身份证号 "
        "受害人证件号码 被害人证件号码 事主身份证号 报案人身份证号 idnumber idcard idno victimid"
    ),
    FiledField.AMOUNT: (
        "损失金额 被骗金额 涉案金额 案损金额 涉案价值 损失 被骗资金 金额 amount loss lost amountlost"
    ),
    FiledField.FILED_AT: (
        "立案时间 立案日期 受案时间 受案日期 受理时间 报案时间 报案日期 报警时间 "
        "filedat filedtime filingdate reportedat"
    ),
    FiledField.EVENT_AT: (
        "发案时间 案发时间 发生时间 被骗时间 转账时间 作案时间 发案日期 案发日期 eventat eventtime occurredat fraudat"
    ),
    FiledField.FRAUD_TYPE: (
        "诈骗类型 案件类型 案件类别 诈骗类别 类型 类别 案别 诈骗手法 作案手法 手段 fraudtype scamtype type"
    ),
    FiledField.UNIT: (
        "立案单位 受理单位 办案单位 受案单位 主办单位 单位 发案地 派出所 unit station policestation"
    ),
}
_KNOWN: Final = {word: field for field, words in _HEADINGS.items() for word in words.split()}
_NOISE: Final = str.maketrans("", "", " _-:：.·()（）[]【】/*")
MOST_FILED: Final = 50_000
_LONGEST_NUMBER: Final = 100
_LAST_SECOND: Final = timedelta(seconds=1)
END_OF_DAY: Final = time(23, 59, 59)
"""The local time of a moment of which the list gives only the date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledRecord:
    """One filed case from a list, normalised: aware UTC, whole fen, phones in E.164, '' and None for unknown. A date
    without a time is taken at `END_OF_DAY`, even today: if in doubt, the loss came after the warning.
    """

    line: int
    case_number: str
    name: str
    phones: tuple[str, ...]
    id_number: str
    """'' if it is not valid."""
    amount_fen: int | None
    filed_at: datetime | None
    event_at: datetime | None
    fraud_type: FraudType
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledOptions:
    """What reading a list of filed cases needs besides the file."""

    now: datetime
    timezone: str = DEFAULT_TIMEZONE
    default_area: str = DEFAULT_AREA
    most: int = MOST_FILED
    """The most rows; a longer list is refused."""


class FiledReader:
    """Reads the tables of one file. After the last row, `columns` tells how the columns were read."""

    def __init__(self, options: FiledOptions) -> None:
        self.columns: tuple[Column, ...] = ()
        self._options = options
        self._zone = ZoneInfo(options.timezone)

    def read(self, tables: Iterator[SourceTable]) -> Iterator[FiledRecord | RejectedRow]:
        """Every row, in the order of the file. Raises `UnusableFile` if no table has a case number and a person."""
        count = 0
        for table in known_tables(tables, filed_heading):
            self.columns += table.columns
            for row, text in table.texts():
                line, cells = row
                if _is_total(cells, text):
                    continue
                count += 1
                if count > self._options.most:
                    raise UnusableFile(
                        Text("the list has more than %(most)s filed cases", most=self._options.most)
                    )
                try:
                    yield self._record(line, text, table.headings)
                except CellRefused as refused:
                    yield table.refused(row, FiledField(refused.field), refused.reason)
        if not self.columns:
            raise UnusableFile(
                "no list of filed cases: head a column 案件编号 or case number, and another one"
                " 身份证号, 手机号, id number or phone"
            )

    def _record(
        self, line: int, text: Mapping[FiledField, str], headings: Mapping[FiledField, str]
    ) -> FiledRecord:
        cells = KnownCells(text, zone=self._zone, now=self._options.now)
        number = cells.plain(FiledField.CASE_NUMBER).removesuffix(".0")
        if not number:
            raise CellRefused(FiledField.CASE_NUMBER, Text("the case number is missing: fill it in"))
        if has_lost_digits(number):
            raise CellRefused(FiledField.CASE_NUMBER, DIGITS_LOST)
        if len(number) > _LONGEST_NUMBER:
            raise CellRefused(
                FiledField.CASE_NUMBER,
                Text("longer than %(most)s characters: shorten it", most=_LONGEST_NUMBER),
            )
        name = joined_name(cells.plain(FiledField.NAME))
        id_number, id_valid = normalise_id_number(cells.plain(FiledField.ID_NUMBER))
        phones, _unusable = normalise_phones(cells.plain(FiledField.PHONE), self._options.default_area)
        if not (id_valid and id_number) and not phones:
            raise _no_person(cells)
        return FiledRecord(
            line=line,
            case_number=number,
            name=name,
            phones=tuple(phones),
            id_number=id_number if id_valid else "",
            amount_fen=cells.fen(FiledField.AMOUNT, yuan_per_unit(headings.get(FiledField.AMOUNT, ""))),
            filed_at=self._moment(cells, FiledField.FILED_AT),
            event_at=self._moment(cells, FiledField.EVENT_AT),
            fraud_type=read_fraud_type(text.get(FiledField.FRAUD_TYPE, "")),
            unit=cells.plain(FiledField.UNIT),
        )

    def _moment(self, cells: KnownCells[FiledField], field: FiledField) -> datetime | None:
        begin = cells.moment(field)
        text = cells.text.get(field, "")
        end = read_moment(text, self._zone, end_of_day=True, now=self._options.now)
        # Today too: if it were limited to now, the same list would give another time an hour later.
        return end if end is None or end == begin else end - _LAST_SECOND


def _no_person(cells: KnownCells[FiledField]) -> CellRefused:
    if given := cells.plain(FiledField.ID_NUMBER):
        reason = Text("%(value)s is not a valid id number: correct it, or add a phone", value=shown(given))
        return CellRefused(FiledField.ID_NUMBER, reason)
    if given := cells.plain(FiledField.PHONE):
        reason = Text("%(value)s is not a phone number: correct it, or add an id number", value=shown(given))
        return CellRefused(FiledField.PHONE, reason)
    reason = Text("neither an id number nor a phone is given: fill in one of them")
    return CellRefused(FiledField.ID_NUMBER, reason)


def filed_heading(rows: Sequence[Row]) -> tuple[int, dict[FiledField, int]] | None:
    """Like `heading_row`, for tables with a case number, and a phone or an id number."""
    return heading_row(
        rows,
        _field_of,
        lambda known: (
            FiledField.CASE_NUMBER in known and (FiledField.PHONE in known or FiledField.ID_NUMBER in known)
        ),
    )


def _field_of(heading: str) -> FiledField | None:
    word = folded(heading)
    plain = word.translate(_NOISE)
    without_unit = plain
    for unit in ("万元", "元"):
        without_unit = without_unit.removesuffix(unit)
    return _KNOWN.get(plain) or _KNOWN.get(without_unit)


_TOTALS: Final = frozenset({"total", "合计", "总计", "小计", "共计"})


def _is_total(cells: Sequence[str], text: Mapping[FiledField, str]) -> bool:
    """Whether the row is a line of totals: its first cell says so, and it has no person."""
    first = next(("".join(folded(cell).split()).rstrip(":") for cell in cells if cell.strip()), "")
    return first in _TOTALS and not (text.get(FiledField.PHONE) or text.get(FiledField.ID_NUMBER))
