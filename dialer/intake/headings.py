"""Headings of lists of warnings in Chinese and English: which field each column has, where the heading row is, and
which rows below it are not records (blank rows, notes, totals, repeated headings). Also what all other lists share:
finding their heading, columns and rows.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import Final, Generic, TypeVar
from zoneinfo import ZoneInfo

from dialer.core.text import Text
from dialer.intake.cells import (
    LONGEST_VALUE,
    Unreadable,
    cleaned,
    filled,
    folded,
    read_fen,
    read_moment,
    shown,
)
from dialer.intake.records import Column, Field, RejectedRow

HEADING_WORDS: Final = {
    Field.INSTRUCTION_NO: (
        "指令编号 指令号 预警指令编号 预警指令号 指令编码 指令id 预警编号 预警号 预警序号 "
        "线索编号 工单编号 工单号 任务编号 预警id 唯一编号 instructionno instructionnumber "
        "instruction instructionid warningno warningnumber warningid"
    ),
    Field.SOURCE: (
        "来源 数据来源 预警来源 线索来源 指令来源 信息来源 下发单位 下发来源 推送单位 source "
        "datasource origin"
    ),
    Field.KIND: (
        "预警类型 预警类别 预警种类 类型 预警分类 线索类型 kind kindofwarning warningtype warningkind type"
    ),
    Field.FRAUD_TYPE: (
        "诈骗类型 涉诈类型 诈骗类别 诈骗手法 诈骗种类 案件类型 案件类别 案别 手法 作案手法 "
        "涉诈类别 疑似诈骗类型 诈骗方式 fraudtype scamtype fraudcategory scam"
    ),
    Field.GRADE: (
        "等级 预警等级 风险等级 级别 预警级别 风险级别 危险等级 危险级别 高危等级 紧急程度 "
        "风险程度 grade level risklevel riskgrade risk warninglevel warninggrade severity"
    ),
    Field.NAME: (
        "姓名 名字 名称 人员姓名 对象 人员 当事人 name fullname victim victimname personname person targetname"
    ),
    Field.PHONE: (
        "手机号 手机号码 手机 电话 电话号码 联系电话 联系号码 联系方式 联系手机 联系手机号 "
        "移动电话 手机电话 被叫号码 被叫 被叫电话 涉警号码 预警号码 预警手机号 预警电话 备用电话 "
        "备用手机号 备用号码 其他电话 其它电话 其他号码 座机 固话 固定电话 机主号码 号码1 "
        "被劝阻号码 劝阻号码 phone phonenumber phoneno mobile mobilephone mobilenumber mobileno "
        "cell cellphone tel telephone telephonenumber telno contactnumber contactphone msisdn "
        "callee"
    ),
    Field.ID_NUMBER: (
        "证件号 证件号码 身份证号 身份证号码 身份证 公民身份号码 公民身份证号码 居民身份证号 "
        "居民身份证号码 身份号码 身份证件号 身份证件号码 idnumber idno idcard idcardno "
        "idcardnumber identity identitynumber citizenid nationalid"
    ),
    Field.ADDRESS: (
        "地址 住址 家庭住址 家庭地址 现住址 现住地址 居住地址 居住地 户籍地址 户籍地 户籍所在地 "
        "详细地址 联系地址 常住地址 address homeaddress residence"
    ),
    Field.COORDINATES: (
        "经纬度 坐标 位置坐标 地址坐标 住址坐标 地理坐标 经度 纬度 地址经度 地址纬度 coordinates lnglat latlng "
        "longitudeandlatitude longitude latitude lng lon lat"
    ),
    Field.UNIT: (
        "属地 属地机构 属地单位 所属单位 单位 所属机构 机构 管辖单位 辖区 所属辖区 派出所 "
        "所属派出所 属地派出所 责任单位 接收单位 属地公安机关 所属分局 分局 旗县 所属旗县 "
        "属地分局 处置单位 unit areaorunit station jurisdiction policestation organisation organization "
        "department"
    ),
    Field.FAMILY_CONTACT: (
        "家属联系人 家属 家属电话 家属联系方式 家属联系电话 家属姓名 家属手机号 家属手机 "
        "亲属联系人 亲属电话 亲属联系方式 紧急联系人 紧急联系电话 紧急联系人电话 监护人 "
        "监护人电话 监护人联系方式 familycontact family familyphone guardian emergencycontact "
        "nextofkin"
    ),
    Field.FRAUD_NUMBERS: (
        "涉诈号码 涉诈电话 诈骗号码 诈骗电话 嫌疑号码 嫌疑电话 嫌疑人电话 嫌疑人号码 对方号码 "
        "对方电话 主叫号码 主叫 主叫电话 涉诈手机号 可疑号码 fraudnumber fraudnumbers fraudphone "
        "scamnumber scamphone suspectnumber suspectphone caller"
    ),
    Field.FRAUD_URL: (
        "涉诈网址 涉诈网站 诈骗网址 诈骗网站 网址 网站 涉诈url 涉诈域名 域名 访问网址 url "
        "fraudurl scamurl website fraudsite"
    ),
    Field.FRAUD_APP: "涉诈app 诈骗app app app名称 涉诈应用 涉诈软件 应用名称 fraudapp scamapp appname",
    Field.FRAUD_ACCOUNT: (
        "涉诈账号 涉诈账户 诈骗账号 诈骗账户 收款账号 收款账户 对方账号 对方账户 涉诈卡号 "
        "涉案账号 涉案账户 收款卡号 嫌疑账号 嫌疑账户 fraudaccount scamaccount suspectaccount "
        "payeeaccount"
    ),
    Field.TALK_SECONDS: (
        "通话时长 通话时间 时长 通话秒数 通联时长 talkseconds talktime duration callduration talkduration"
    ),
    Field.AMOUNT_AT_RISK: (
        "拟转金额 拟转账金额 涉及金额 涉险金额 风险金额 预警金额 拟转款金额 金额 涉案金额 "
        "amountatrisk atrisk amount intendedamount riskamount"
    ),
    Field.AMOUNT_PAID: (
        "已转金额 已转账金额 已转款金额 被骗金额 损失金额 已损失金额 已付金额 转账金额 amountpaid "
        "paidamount amountalreadypaid paid loss amountlost transferredamount"
    ),
    Field.EVENT_AT: (
        "事件时间 发生时间 通联时间 发案时间 事发时间 接触时间 转账时间 访问时间 eventtime "
        "eventat happenedat occurredat eventdate"
    ),
    Field.PRODUCED_AT: (
        "预警时间 产生时间 生成时间 预警日期 预警产生时间 指令时间 下发时间 下发日期 推送时间 "
        "日期 时间 producedtime producedat warnedat warningtime warningdate createdat createdtime date "
        "time issuedat"
    ),
    Field.EXPIRES_AT: (
        "失效时间 有效期 过期时间 有效期至 到期时间 截止时间 失效日期 截止日期 有效截止时间 "
        "预警失效时间 expires expiresat expiry expirytime expirydate expiretime validuntil "
        "deadline"
    ),
    Field.TAGS: "标签 人员标签 特殊标签 人群标签 人群 特殊人群 人员类别 人员类型 tags tag labels label",
    Field.REMARKS: (
        "备注 说明 备注说明 其他 其它 备考 简要情况 remarks remark note notes comment comments memo"
    ),
    Field.ROW_NUMBER: "序号 行号 编号序号 no serial serialno index rowno rownumber #",
    Field.REJECTION: "拒绝列 拒绝原因 拒绝行 上次未通过原因 reasonofanearlierrefusal",
}


_KNOWN: Final = {word: field for field, words in HEADING_WORDS.items() for word in words.split()}

# Used for the field only if no better heading of the table means it.
WEAK_HEADING_WORDS: Final = {
    "号码": Field.PHONE,
    "联系人": Field.NAME,
    "联系人电话": Field.PHONE,
    "联系人手机": Field.PHONE,
    "联系人手机号": Field.PHONE,
    "联系人手机号码": Field.PHONE,
    "联系人号码": Field.PHONE,
    "number": Field.PHONE,
    "contact": Field.PHONE,
    "编号": Field.INSTRUCTION_NO,
    "id": Field.INSTRUCTION_NO,
}
_WHO: Final = re.compile(
    r"^(?:潜在)?(?:被害人|受害人|受害者|被骗人|预警对象|劝阻对象|被劝阻对象|被劝阻人|预警人员|预警人|事主|当事人|群众|本人|机主|用户"
    r"|客户|人员|对象|被预警人|目标|victim|target|person|customer|user)(?:的)?(?=.)"
)
_NOISE: Final = re.compile(r"[\s_\-:,.;*'\"/\\、。·!?“”‘’]+")
_BRACKETS: Final = re.compile(r"[(\[{【〔<《「].*?[)\]}】〕>》」]")
_COUNTER: Final = re.compile(r"(?<=[^0-9])[0-9一二三四](?:$)")
_MINUTES: Final = re.compile(r"分钟|minute|[(]min|[(]分[)]")
HEADING_LENGTH: Final = 30
_REPEATABLE: Final = frozenset(
    {
        Field.PHONE, Field.REMARKS, Field.COORDINATES, Field.FAMILY_CONTACT, Field.FRAUD_NUMBERS, Field.FRAUD_URL,
        Field.FRAUD_APP, Field.FRAUD_ACCOUNT, Field.TAGS, Field.REJECTION, Field.ROW_NUMBER,
    }
)  # fmt: skip


Corrections = Mapping[str, Field | None]
"""The corrections of columns by a person, by heading as the list shows it; None: the column has no known field."""
NO_CORRECTIONS: Final[Corrections] = {}


def field_of(heading: str) -> Field | None:
    """The field that a heading means by itself; None for an unknown heading."""
    word = normal_heading(heading)
    return _KNOWN.get(word) or _KNOWN.get(_COUNTER.sub("", word)) or _KNOWN.get(_without_person(word))


def fields_of(
    headings: list[str] | tuple[str, ...], corrections: Corrections = NO_CORRECTIONS
) -> tuple[Field | None, ...]:
    """The field of each column: by the correction of its heading, or else by the meaning of the heading. If two columns
    mean the same field, the first wins, unless the field may have several columns.
    """
    corrected = {corrections[heading] for heading in headings if heading in corrections} - _REPEATABLE
    found: list[Field | None] = []
    for heading in headings:
        if heading in corrections:
            found.append(corrections[heading])
            continue
        field = field_of(heading) if heading else None
        is_free = field in _REPEATABLE or (field not in found and field not in corrected)
        found.append(field if is_free else None)
    for index, heading in enumerate(headings):
        if heading in corrections:
            continue
        weak = (
            WEAK_HEADING_WORDS.get(_without_person(normal_heading(heading)))
            if heading and found[index] is None
            else None
        )
        if weak is not None and weak not in found and weak not in corrected:
            found[index] = weak
    return tuple(found)


def yuan_per_unit(heading: str) -> int:
    """10,000 for an amount with 万元 in its heading, else 1."""
    return 10_000 if "万" in heading else 1


def seconds_per_unit(heading: str) -> int:
    """60 for a duration with minutes in its heading, else 1."""
    return 60 if _MINUTES.search(unicodedata.normalize("NFKC", heading).lower()) else 1


def normal_heading(heading: str) -> str:
    """The heading as the word lists have it; '' for a text that is too long to be one."""
    if len(heading) > HEADING_LENGTH * 3:
        return ""
    text = unicodedata.normalize("NFKC", cleaned(heading)).lower()
    text = _NOISE.sub("", text)
    bare = _BRACKETS.sub("", text) or text
    return bare if len(bare) <= HEADING_LENGTH else ""


def _without_person(word: str) -> str:
    bare = _COUNTER.sub("", word)
    return _WHO.sub("", bare) or bare


Row = tuple[int, list[str]]
"""The number of a row as a person counts it, from 1, and its cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTable:
    """One table of a file: its sheet ('' for a text), its first rows, which include the heading, and the other rows."""

    sheet: str
    first: list[Row]
    rest: Iterator[Row]


Known = TypeVar("Known", bound=str)
"""The fields of one kind of list."""
KNOWN_HEADING_ROWS: Final = 21
"""How many rows are searched for the heading of a list that is not one of warnings."""


class KnownList(StrEnum):
    """The kinds of list other than warnings."""

    UNITS = "units"
    FILED = "filed"
    SIGNALS = "signals"
    OPENINGS = "openings"
    ROSTERS = "rosters"


def heading_row(
    rows: Sequence[Row],
    field_of: Callable[[str], Known | None],
    is_list: Callable[[Collection[Known]], bool],
) -> tuple[int, dict[Known, int]] | None:
    """The index of the heading among the first rows of a table, and the column of each field: the first row whose
    fields make a list, None if there is none. If two columns have the same field, the first counts.
    """
    for index, (_, cells) in enumerate(rows[:KNOWN_HEADING_ROWS]):
        fields: dict[Known, int] = {}
        for place, cell in enumerate(cells):
            field = field_of(cell)
            if field is not None:
                fields.setdefault(field, place)
        if is_list(fields.keys()):
            return index, fields
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTable(Generic[Known]):
    """A table whose heading was found: the heading and the column of each field, and the rows below. `number` is its
    position among the tables of the file, from 0.
    """

    number: int
    sheet: str
    columns: tuple[Column, ...]
    headings: Mapping[Known, str]
    fields: Mapping[Known, int]
    rows: Iterator[Row]

    def texts(self) -> Iterator[tuple[Row, dict[Known, str]]]:
        """Each row with the text of its fields, '' for a field without any; rows without any text are left out."""
        for row in self.rows:
            cells = row[1]
            text = {
                field: cells[place].strip() if place < len(cells) else ""
                for field, place in self.fields.items()
            }
            if any(text.values()):
                yield row, text

    def refused(self, row: Row, field: Known, reason: Text) -> RejectedRow:
        """The row as rejected, with the column to blame as the file names it."""
        line, cells = row
        return RejectedRow(
            line=line,
            column=self.headings.get(field, str(field)),
            reason=reason,
            high_grade=False,
            raw=tuple(cells),
            sheet=self.sheet,
            table=self.number,
        )


class CellRefused(Exception):
    """A field of a row that must be corrected."""

    def __init__(self, field: str, reason: Text) -> None:
        super().__init__(str(field))
        self.field = field
        self.reason = reason


class KnownCells(Generic[Known]):
    """The cells of one row by field; reading raises `CellRefused`, whose reason says how to correct the cell. `now`: no
    time may lie after it.
    """

    def __init__(self, text: Mapping[Known, str], *, zone: ZoneInfo, now: datetime) -> None:
        for field, cell in text.items():
            if len(cell) > LONGEST_VALUE:
                reason = Text("longer than %(most)s characters: shorten it", most=LONGEST_VALUE)
                raise CellRefused(field, reason)
        self.text, self.zone, self._now = text, zone, now

    def plain(self, field: Known) -> str:
        """The cell; '' for a mark that means no value."""
        return filled(self.text.get(field, ""))

    def fen(self, field: Known, unit: int) -> int | None:
        """The amount in fen; None for an empty cell. `unit`: the yuan of a bare number."""
        cell = self.plain(field)
        try:
            return read_fen(cell, yuan_per_unit=unit)
        except Unreadable:
            reason = Text("%(value)s is not an amount: write it in yuan, such as 50000", value=shown(cell))
            raise CellRefused(field, reason) from None

    def moment(self, field: Known) -> datetime | None:
        """The moment in UTC, of a date its beginning; None for an empty cell."""
        cell = self.text.get(field, "")
        try:
            moment = read_moment(cell, self.zone, now=self._now)
        except Unreadable:
            reason = Text("%(value)s is not a time: write it as 2026-11-26 14:30", value=shown(cell))
            raise CellRefused(field, reason) from None
        if moment is not None and moment > self._now:
            raise CellRefused(field, Text("%(value)s lies in the future: correct it", value=shown(cell)))
        return moment


def known_tables(
    tables: Iterable[SourceTable], heading: Callable[[Sequence[Row]], tuple[int, dict[Known, int]] | None]
) -> Iterator[KnownTable[Known]]:
    """Every table with such a heading; read all rows of a table before the next one."""
    number = 0
    for table in tables:
        found = heading(table.first)
        if found is not None:
            index, fields = found
            cells = table.first[index][1]
            yield KnownTable(
                number=number,
                sheet=table.sheet,
                columns=tuple(
                    Column(table=number, sheet=table.sheet, index=place, heading=cleaned(cell), field=None)
                    for place, cell in enumerate(cells)
                ),
                headings={field: cleaned(cells[place]) for field, place in fields.items()},
                fields=fields,
                rows=chain(table.first[index + 1 :], table.rest),
            )
            number += 1


HEADING_ROWS: Final = 100
"""How many rows are searched for a heading, blank rows included."""
_SECOND_ROW_WITHIN: Final = 2
"""A better heading is in the next row, or in the one after a blank row."""
_IGNORED_FIELDS: Final = frozenset({Field.ROW_NUMBER, Field.REJECTION})


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The headings of one table and the field of each."""

    headings: tuple[str, ...]
    fields: tuple[Field | None, ...]

    @property
    def score(self) -> int:
        """How many fields are known; 0 without a phone column, because nobody could be called."""
        if Field.PHONE not in self.fields:
            return 0
        return sum(field is not None for field in self.fields)

    @property
    def width(self) -> int:
        return len(self.headings)

    def places(self, field: Field) -> tuple[int, ...]:
        """The columns with the field, from 0."""
        return tuple(index for index, known in enumerate(self.fields) if known is field)

    def unknown_places(self) -> tuple[int, ...]:
        """The columns whose cells are kept in the remarks."""
        return tuple(index for index, known in enumerate(self.fields) if known is None)

    def columns(self, *, table: int, sheet: str) -> tuple[Column, ...]:
        """The columns with their headings and fields, in order."""
        return tuple(
            Column(table=table, sheet=sheet, index=index, heading=heading, field=field)
            for index, (heading, field) in enumerate(zip(self.headings, self.fields, strict=True))
        )


def layout_of(cells: Sequence[str], corrections: Corrections = NO_CORRECTIONS) -> Layout:
    """The layout of these cells as a heading row. Trailing empty cells are not columns."""
    headings = [" ".join(cleaned(cell).split()) for cell in cells]
    while headings and not headings[-1]:
        headings.pop()
    return Layout(headings=tuple(headings), fields=fields_of(headings, corrections))


def best_layout(
    rows: Sequence[Sequence[str]], corrections: Corrections = NO_CORRECTIONS
) -> tuple[int, Layout] | None:
    """The index of the heading row among the first rows of a table, and its layout; None if there is none.

    A single phone column counts only in a table of one column, because a title may contain the word.
    """
    best: tuple[int, Layout] | None = None
    for index, row in enumerate(rows[:HEADING_ROWS]):
        if not any(row):
            continue
        layout = layout_of(row, corrections)
        if not is_heading(layout):
            continue
        if best is None or (layout.score > best[1].score and index - best[0] <= _SECOND_ROW_WITHIN):
            best = index, layout
    return best


def is_heading(layout: Layout) -> bool:
    """True for a row of headings that include a phone."""
    filled = sum(bool(heading) for heading in layout.headings)
    return layout.score > 1 or (layout.score == 1 and filled == 1)


def likely_headings(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The headings of the row with the most known fields, or of the first row with several cells if none has any; ()
    for no table.
    """
    best: tuple[int, tuple[str, ...]] = (0, ())
    for row in rows[:HEADING_ROWS]:
        layout = layout_of(row)
        known = sum(field is not None for field in layout.fields)
        if known > best[0] or (not best[1] and sum(map(bool, layout.headings)) > 1):
            best = known, layout.headings
    return best[1]


def known_fields(rows: Sequence[Sequence[str]]) -> tuple[Field, ...]:
    """The known fields of the row with the most, for the error about a list without a phone column."""
    most: tuple[Field, ...] = ()
    for row in rows[:HEADING_ROWS]:
        fields = tuple(field for field in layout_of(row).fields if field and field not in _IGNORED_FIELDS)
        if len(fields) > len(most):
            most = fields
    return most if len(most) > 1 else ()


_TOTALS: Final = re.compile(
    r"(?:本页|本表|本次|全市|全部|累计)?(?:合计|总计|小计|共计|总数|总人数|汇总|累计|grandtotal|subtotal|total|sum)"
    r"[::]?(?:共?[0-9.,]+(?:人|条|名|户|元|万元|rows?)?)?(?:[(].*[)])?"
)
_COUNT: Final = re.compile(r"(?:本页|本表|以上)?共(?:计)?[0-9]+(?:人|条|名|户|行|页).*")
_NOTE: Final = re.compile(
    r"(?:备?注|说明|备注说明|填表说明|填报说明|提示|温馨提示|注意|注意事项|附注?|制表|填表|填报|审核|审批|复核|打印|导出|报送|联系人"
    r"|数据来源|统计|note|notes|remark|remarks|preparedby|approvedby|printed|exported|generated)"
    r"(?:人|人员|单位|时间|日期|人签字|电话|说明|人姓名|领导|于|at|on)?(?:[::]|[0-9]|$)"
)
_SIGNED: Final = re.compile(
    r"(?:制表|填表|填报|审核|审批|复核|打印|导出|报送)(?:人|人员|单位|时间|日期|人签字)?[::].*"
)
_MARKED: Final = re.compile(r"[※*★#—=_~-]{1,3}.*|第[0-9]+页.*|以上.*|[(].*[)]|-+")
_SENTENCE: Final = re.compile(r"[::;。,、!?]")
_NAME_LENGTH: Final = 6
_NUMBER_LIKE: Final = re.compile(r"[0-9a-z\-_/.]+")
_IDENTIFYING: Final = frozenset({Field.NAME, Field.ID_NUMBER, Field.INSTRUCTION_NO})
_FEWEST_HEADINGS: Final = 2


def is_blank_row(cells: Sequence[str], layout: Layout) -> bool:
    """True if no column except the row number has a value; rows that are only numbered in advance are blank too."""
    fields = layout.fields
    width = len(fields)
    return not any(
        cell and not cell.isspace() and (index >= width or fields[index] is not Field.ROW_NUMBER)
        for index, cell in enumerate(cells)
    )


def is_note_or_total(cells: Sequence[str], layout: Layout) -> bool:
    """True for a row without a usable phone that is not a record but a remark on the list, or its total.

    False for a row that may be a person without a phone: that is rejected with a reason, not skipped.
    """
    filled = [(index, text) for index, cell in enumerate(cells) if (text := "".join(folded(cell).split()))]
    if not filled:
        return True
    first_index, first = filled[0]
    if (
        len(filled) > 1
        and layout.fields[first_index : first_index + 1] == (Field.ROW_NUMBER,)
        and first.isdecimal()
    ):
        first_index, first = filled[1]
    if _TOTALS.fullmatch(first) or _COUNT.fullmatch(first) or _SIGNED.fullmatch(first):
        return True
    phones = layout.places(Field.PHONE)
    if any(index in phones for index, _ in filled):
        return False
    if _NOTE.match(first):
        return True
    if len({text for _, text in filled}) > 1:
        return False
    return _is_lone_note(first_index, first, layout)


def is_heading_again(cells: Sequence[str], layout: Layout) -> bool:
    """True for a row of headings: repeated on a new page, or the second row of a heading."""
    filled = [(index, cell) for index, cell in enumerate(cells) if cell.strip()]
    if not filled or not all(field_of(cell) for _, cell in filled):
        return False
    phones = layout.places(Field.PHONE)
    return len(filled) >= _FEWEST_HEADINGS or any(index in phones for index, _ in filled)


def is_footer_with_phone(cells: Sequence[str]) -> bool:
    """True for a line such as 制表人：… 电话：… whose number belongs to an officer."""
    first = next((cell for cell in cells if cell.strip()), "")
    return (":" in first or "：" in first) and bool(_SIGNED.fullmatch("".join(folded(first).split())))


def _is_lone_note(index: int, text: str, layout: Layout) -> bool:
    field = layout.fields[index] if index < layout.width else None
    if _MARKED.fullmatch(text) or _SENTENCE.search(text):
        return True
    if field is Field.NAME:
        return len(text) > _NAME_LENGTH and not text.isascii()
    if field in _IDENTIFYING:
        return not _NUMBER_LIKE.fullmatch(text)
    return True
