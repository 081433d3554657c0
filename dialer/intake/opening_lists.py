"""Openings of accounts and SIM cards 开户开卡, from a daily file or sent one at a time. Pure; it stores nothing."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from dialer.core.cards import CardProduct, OpeningChannel, OpeningResult
from dialer.core.errors import UnusableFile
from dialer.core.text import Text
from dialer.intake.cells import (
    DIGITS_LOST,
    Unreadable,
    folded,
    has_lost_digits,
    joined_name,
    read_flag,
    shown,
)
from dialer.intake.headings import (
    CellRefused,
    KnownCells,
    KnownTable,
    Row,
    SourceTable,
    heading_row,
    known_tables,
    yuan_per_unit,
)
from dialer.intake.phones import normalise_id_number, normalise_phones
from dialer.intake.records import DEFAULT_AREA, DEFAULT_TIMEZONE, Column, RejectedRow


class OpeningField(StrEnum):
    """A column of a list of openings, and the name of the field in the API."""

    OPENING_NO = "opening_no"
    OUTLET = "outlet"
    CHANNEL = "channel"
    PRODUCT = "product"
    TELLER = "teller"
    AGENT = "agent"
    NAME = "name"
    ID_NUMBER = "id_number"
    PHONE = "phone"
    ADDRESS = "address"
    EMPLOYER = "employer"
    PURPOSE = "purpose"
    LIMIT = "limit"
    NUMBER = "number"
    ICCID = "iccid"
    ACCOMPANIED = "accompanied"
    GUIDED = "guided"
    ASKED_AT = "asked_at"
    OPENED_AT = "opened_at"
    RESULT = "result"
    WHY = "why"


_HEADINGS: Final = {
    OpeningField.OPENING_NO: "开户编号 开卡编号 业务编号 业务流水号 流水号 受理编号 办理编号 openingno openingnumber",
    OpeningField.OUTLET: "网点编号 网点代码 网点号 机构编号 机构号 营业厅编号 营业厅代码 网点 outlet outletcode branch",
    OpeningField.CHANNEL: "渠道 办理渠道 开户渠道 channel",
    OpeningField.PRODUCT: "产品 卡类型 账户类型 账户类别 业务类型 卡类 产品类型 product",
    OpeningField.TELLER: "柜员 柜员号 经办人 经办柜员 操作员 营业员 teller",
    OpeningField.AGENT: "代办人 代理人 代办人证件号 代理人证件号 代办人姓名 agent",
    OpeningField.NAME: "姓名 客户姓名 户名 机主姓名 开户人 name customer fullname",
    OpeningField.ID_NUMBER: "证件号码 证件号 身份证号 身份证号码 客户证件号码 机主证件号码 idnumber idcard idno",
    OpeningField.PHONE: "预留电话 预留手机号 联系电话 手机号 手机号码 联系方式 phone mobile phoneleft",
    OpeningField.ADDRESS: "地址 住址 居住地址 联系地址 现住址 家庭住址 address",
    OpeningField.EMPLOYER: "工作单位 单位 职业单位 学校 employer company",
    OpeningField.PURPOSE: "用途 开户用途 开卡用途 办卡用途 purpose reason",
    OpeningField.LIMIT: "申请限额 限额 日限额 交易限额 limit",
    OpeningField.NUMBER: "账号 卡号 账户 号码 开户号码 开通号码 account accountnumber number",
    OpeningField.ICCID: "iccid sim卡号 卡片序列号",
    OpeningField.ACCOMPANIED: "有人陪同 陪同 是否陪同 accompanied",
    OpeningField.GUIDED: "他人指挥 受人指挥 被指挥 guided",
    OpeningField.ASKED_AT: "申请时间 受理时间 办理时间 申请日期 askedat requestedat",
    OpeningField.OPENED_AT: "开户时间 开卡时间 开通时间 开户日期 开卡日期 openedat",
    OpeningField.RESULT: "办理结果 结果 受理结果 result",
    OpeningField.WHY: "拒办原因 拒绝原因 未办原因 why refusalreason",
}
_KNOWN: Final = {word: field for field, words in _HEADINGS.items() for word in words.split()}
_NOISE: Final = str.maketrans("", "", " _-:：.·()（）[]【】/*")
MOST_OPENINGS: Final = 100_000
_LONGEST_NUMBER: Final = 100
_REQUIRED: Final = frozenset({OpeningField.OPENING_NO, OpeningField.OUTLET, OpeningField.ID_NUMBER})

PRODUCT_WORDS: Final = {
    CardProduct.ACCOUNT_1: "一类 i类 ⅰ类 一类户 i类户 一类账户 i类账户 account_1 借记卡 储蓄卡",
    CardProduct.ACCOUNT_2: "二类 ii类 ⅱ类 二类户 ii类户 二类账户 ii类账户 account_2",
    CardProduct.ACCOUNT_3: "三类 iii类 ⅲ类 三类户 iii类户 三类账户 iii类账户 account_3",
    CardProduct.CORPORATE: "对公 对公账户 单位账户 企业账户 单位结算账户 corporate",
    CardProduct.SIM_MAIN: "主卡 手机卡 电话卡 移动电话卡 号卡 sim sim_main",
    CardProduct.SIM_SUB: "副卡 sim_sub",
    CardProduct.IOT: "物联网卡 物联网 iot",
}
CHANNEL_WORDS: Final = {
    OpeningChannel.COUNTER: "柜面 柜台 网点 营业厅 厅堂 counter",
    OpeningChannel.SELF_SERVICE: "自助 自助机 自助终端 智能柜员机 self_service",
    OpeningChannel.ONLINE: "线上 网上 手机银行 app 网厅 online",
    OpeningChannel.AGENT: "代理点 代理商 代办点 社会渠道 agent",
}
RESULT_WORDS: Final = {
    OpeningResult.OPENED: "已开 开户成功 成功 已办理 办结 通过 已开通 opened",
    OpeningResult.REFUSED: "拒绝 拒办 已拒绝 不予办理 拒绝开户 refused",
    OpeningResult.ABANDONED: "放弃 客户放弃 未办理 取消 abandoned",
    OpeningResult.IN_PROGRESS: "办理中 受理中 in_progress",
}
_ORDINARY_WORDS: Final = (
    "工资 工资卡 代发工资 发工资 储蓄 存款 存取款 日常 日常消费 日常使用 消费 结算 日常结算 学费 缴费 缴学费 "
    "社保 医保 社保卡 补贴 养老金 换卡 补卡 挂失补卡 网购 购物 上网 通话 打电话 手机上网 家庭 家用 个人使用 自用 "
    "理财 还贷 贷款 房贷 生活 生活费 转账 收款 salary savings daily use"
)
_ORDINARY: Final = frozenset(_ORDINARY_WORDS.split())
"""Ordinary purposes: sharing one connects nobody."""
_LEAST_STORY, _LEAST_ADDRESS = 4, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningRow:
    """The row of a file that an opening was read from."""

    table: KnownTable[OpeningField]
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningRecord:
    """One opening, normalised: aware UTC, whole fen, the phone in E.164, '' and None for what is not known."""

    line: int
    opening_no: str
    outlet: str
    channel: OpeningChannel
    product: CardProduct
    name: str
    id_number: str
    """Valid, in upper case."""
    phone: str
    asked_at: datetime
    result: OpeningResult = OpeningResult.OPENED
    teller: str = ""
    agent: str = ""
    address: str = ""
    employer: str = ""
    purpose: str = ""
    limit_fen: int | None = None
    number: str = ""
    """The number of the account, or the telephone number of the SIM card in E.164."""
    iccid: str = ""
    accompanied: bool = False
    guided: bool = False
    opened_at: datetime | None = None
    why: str = ""
    row: OpeningRow | None = dataclasses.field(default=None, compare=False, repr=False)
    """None for an opening that was sent alone."""

    def refused(self, blamed: OpeningField, reason: Text) -> RejectedRow:
        """The row of the opening as rejected: it was readable but cannot be entered."""
        assert self.row is not None, "an opening that came alone is refused in the answer"
        return self.row.table.refused((self.line, list(self.row.cells)), blamed, reason)

    @property
    def home(self) -> str:
        """The county that issued the id number, six digits."""
        return self.id_number[:6]

    def age_in(self, zone: ZoneInfo) -> int:
        """The age in whole years on the day of `asked_at` in this time zone."""
        born, on = date.fromisoformat(self.id_number[6:14]), self.asked_at.astimezone(zone).date()
        return on.year - born.year - ((on.month, on.day) < (born.month, born.day))

    @property
    def address_key(self) -> str:
        """The address in the form by which openings are linked; '' if it is too short."""
        plain = _plain_key(self.address)
        return plain if len(plain) >= _LEAST_ADDRESS else ""

    @property
    def story_key(self) -> str:
        """The purpose in the form by which openings are linked; '' for an ordinary or very short one."""
        plain = _plain_key(self.purpose)
        return "" if plain in _ORDINARY or len(plain) < _LEAST_STORY else plain


def _plain_key(text: str) -> str:
    folded_text = unicodedata.normalize("NFKC", text).lower()
    return "".join(sign for sign in folded_text if sign.isalnum())


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningOptions:
    """What reading openings needs besides their cells. `outlet`: the outlet if none is given."""

    now: datetime
    timezone: str = DEFAULT_TIMEZONE
    default_area: str = DEFAULT_AREA
    outlet: str = ""
    is_bank: bool = True
    is_asking: bool = False
    """The customer is at the counter: the opening is in progress."""


def read_opening(
    text: Mapping[OpeningField, str], options: OpeningOptions, *, line: int = 1, limit_unit: int = 1
) -> OpeningRecord:
    """The opening of these cells. Raises `CellRefused`, whose reason says how to correct it."""
    read = _Cells(text, options)
    number = read.plain(OpeningField.OPENING_NO).removesuffix(".0")
    if not number or len(number) > _LONGEST_NUMBER:
        raise CellRefused(
            OpeningField.OPENING_NO,
            Text("the opening number is missing or longer than %(most)s characters", most=_LONGEST_NUMBER),
        )
    read.refuse_lost(OpeningField.OPENING_NO, OpeningField.NUMBER, OpeningField.ICCID)
    outlet = read.plain(OpeningField.OUTLET).removesuffix(".0") or options.outlet
    if not outlet:
        raise CellRefused(OpeningField.OUTLET, Text("the outlet is missing: give its code"))
    product = read.product()
    asked_at = read.moment(OpeningField.ASKED_AT)
    opened_at = read.moment(OpeningField.OPENED_AT)
    result = OpeningResult.IN_PROGRESS if options.is_asking else read.result()
    why = read.plain(OpeningField.WHY)
    if result is OpeningResult.REFUSED and not why:
        raise CellRefused(OpeningField.WHY, Text("a refusal needs its reason: fill it in"))
    return OpeningRecord(
        line=line,
        opening_no=number,
        outlet=outlet,
        channel=read.channel(),
        product=product,
        name=read.name(),
        id_number=read.id_number(),
        phone=read.phone(),
        asked_at=asked_at or opened_at or options.now,
        result=result,
        teller=read.plain(OpeningField.TELLER),
        agent=read.plain(OpeningField.AGENT),
        address=read.plain(OpeningField.ADDRESS),
        employer=read.plain(OpeningField.EMPLOYER),
        purpose=read.plain(OpeningField.PURPOSE),
        limit_fen=read.fen(OpeningField.LIMIT, limit_unit),
        number=read.number(product),
        iccid=re.sub(r"\W", "", read.plain(OpeningField.ICCID)).upper(),
        accompanied=read.flag(OpeningField.ACCOMPANIED),
        guided=read.flag(OpeningField.GUIDED),
        opened_at=(opened_at or asked_at or options.now) if result is OpeningResult.OPENED else None,
        why=why,
    )


def card_number(product: CardProduct, given: str, default_area: str) -> str:
    """The number of an account without separators, of a SIM card in E.164; '' if none is given."""
    if product.is_sim:
        phones, _ = normalise_phones(given, default_area)
        if phones:
            return phones[0]
    return re.sub(r"\W", "", given).upper()


class _Cells(KnownCells[OpeningField]):
    def __init__(self, text: Mapping[OpeningField, str], options: OpeningOptions) -> None:
        super().__init__(text, zone=ZoneInfo(options.timezone), now=options.now)
        self._options = options

    def refuse_lost(self, *fields: OpeningField) -> None:
        """Refuses numbers that have lost digits: they may equal other numbers and identify nothing."""
        for field in fields:
            if has_lost_digits(self.plain(field)):
                raise CellRefused(field, DIGITS_LOST)

    def name(self) -> str:
        name = joined_name(self.plain(OpeningField.NAME))
        if not name:
            raise CellRefused(OpeningField.NAME, Text("the name is missing: fill it in"))
        return name

    def id_number(self) -> str:
        given = self.plain(OpeningField.ID_NUMBER)
        number, is_valid = normalise_id_number(given)
        if is_valid:
            return number
        if not given:
            raise CellRefused(OpeningField.ID_NUMBER, Text("the id number is missing: fill it in"))
        raise CellRefused(
            OpeningField.ID_NUMBER,
            Text("%(value)s is not a valid id number: compare it with the card", value=shown(given)),
        )

    def phone(self) -> str:
        given = self.plain(OpeningField.PHONE)
        if not given:
            return ""
        phones, _ = normalise_phones(given, self._options.default_area)
        if not phones:
            raise CellRefused(
                OpeningField.PHONE, Text("%(value)s is not a phone number: correct it", value=shown(given))
            )
        return phones[0]

    def number(self, product: CardProduct) -> str:
        return card_number(product, self.plain(OpeningField.NUMBER), self._options.default_area)

    def product(self) -> CardProduct:
        given = self.plain(OpeningField.PRODUCT)
        found = _PRODUCTS.get(folded(given).replace(" ", ""))
        if found is None and not given:
            found = CardProduct.ACCOUNT_1 if self._options.is_bank else CardProduct.SIM_MAIN
        if found is None:
            raise CellRefused(
                OpeningField.PRODUCT,
                Text(
                    "%(value)s is not a known product: write 一类, 二类, 三类, 对公, 主卡, 副卡 or 物联网卡",
                    value=shown(given),
                ),
            )
        return found

    def channel(self) -> OpeningChannel:
        given = folded(self.plain(OpeningField.CHANNEL))
        return _CHANNELS.get(given, OpeningChannel.OTHER) if given else OpeningChannel.COUNTER

    def result(self) -> OpeningResult:
        given = self.plain(OpeningField.RESULT)
        if not given:
            return OpeningResult.OPENED
        found = _RESULTS.get(folded(given))
        if found is None:
            raise CellRefused(
                OpeningField.RESULT,
                Text("%(value)s is not a known result: write 已开, 拒办 or 放弃", value=shown(given)),
            )
        return found

    def flag(self, field: OpeningField) -> bool:
        cell = self.text.get(field, "")
        try:
            return read_flag(cell)
        except Unreadable:
            raise CellRefused(
                field, Text("%(value)s is neither yes nor no: write 是 or 否", value=shown(cell))
            ) from None


class OpeningReader:
    """Reads the tables of one file. After the last row, `columns` tells how the columns were read."""

    def __init__(self, options: OpeningOptions) -> None:
        self.columns: tuple[Column, ...] = ()
        self._options = options

    def read(self, tables: Iterator[SourceTable]) -> Iterator[OpeningRecord | RejectedRow]:
        """Every row, in the order of the file. Raises `UnusableFile` if no table is a list of openings."""
        count = 0
        for table in known_tables(tables, opening_heading):
            self.columns += table.columns
            unit = yuan_per_unit(table.headings.get(OpeningField.LIMIT, ""))
            for row, text in table.texts():
                count += 1
                if count > MOST_OPENINGS:
                    raise UnusableFile(Text("the list has more than %(most)s openings", most=MOST_OPENINGS))
                try:
                    record = read_opening(text, self._options, line=row[0], limit_unit=unit)
                    yield dataclasses.replace(record, row=OpeningRow(table=table, cells=tuple(row[1])))
                except CellRefused as refused:
                    yield table.refused(row, OpeningField(refused.field), refused.reason)
        if not self.columns:
            raise UnusableFile(
                "no list of openings: head columns 业务编号 or opening number, 网点编号 or outlet,"
                " and 证件号码 or id number"
            )


def opening_heading(rows: Sequence[Row]) -> tuple[int, dict[OpeningField, int]] | None:
    """Like `heading_row`, for tables with the number of the opening, the outlet and the id number."""
    return heading_row(rows, _field_of, lambda known: set(known) >= _REQUIRED)


def _field_of(heading: str) -> OpeningField | None:
    plain = folded(heading).translate(_NOISE)
    for unit in ("万元", "元"):
        plain = plain if plain in _KNOWN else plain.removesuffix(unit)
    return _KNOWN.get(plain)


_PRODUCTS: Final = {word: product for product, words in PRODUCT_WORDS.items() for word in words.split()}
_CHANNELS: Final = {word: channel for channel, words in CHANNEL_WORDS.items() for word in words.split()}
_RESULTS: Final = {word: result for result, words in RESULT_WORDS.items() for word in words.split()}
