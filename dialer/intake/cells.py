"""Reads cells of lists, as people write them, as grades, kinds, fraud types, tags, durations, amounts and moments.
Nothing is guessed: an unknown grade is unreadable. A moment without a zone is in the zone of the office.

Grades follow practice: 高 = 红 = 1级, 中 = 橙 = 黄 = 2级, 低 = 蓝 = 3级 (and 4级 where a place has four grades);
extra high has words of its own (特高危, 极高, 0级). cn2an reads Chinese numerals; currency words, digit groups and the
unit of a bare number are read here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final
from zoneinfo import ZoneInfo

from dialer.core.text import Text
from dialer.core.values import FraudType, Grade, Tag, WarningKind


class Unreadable(ValueError):
    """The cell is not empty, but cannot be read as a value of its column."""


_INVISIBLE: Final = dict.fromkeys(
    [*range(0x20), 0x7F, 0xAD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, *range(0x202A, 0x202F), 0x2060, 0xFEFF]
)
_SPACES: Final = {0x09: " ", 0x0A: "\n", 0x0D: "\n", 0xA0: " ", 0x3000: " "}
_CLEAN: Final = _INVISIBLE | _SPACES
_GUARDED: Final = re.compile(r'="(?P<text>[^"]*)"')
_CJK_GAP: Final = re.compile(r"(?<=[\u2e80-\u9fff\uf900-\ufaff])\s+(?=[\u2e80-\u9fff\uf900-\ufaff])")
BLANK_MARKS: Final = frozenset(
    {"", "-", "--", "---", "—", "——", "/", "\\", "无", "空", "暂无", "null", "none", "n/a", "nil", "(null)"}
    # What a spreadsheet writes for a formula that failed.
    | {"#n/a", "#ref!", "#value!", "#name?", "#div/0!", "#num!", "#null!"}
)
_LONGEST_MARK: Final = max(map(len, BLANK_MARKS))
_LONG_DIGITS: Final = re.compile(r"\d{5,}")
_LOST: Final = re.compile(r"[0-9](?:\.[0-9]+)?[eE]\+[0-9]{1,3}")
SHOWN_LENGTH: Final = 16
LONGEST_VALUE: Final = 500
"""The most characters of a value: longer text is not a value, and some patterns would take quadratic time."""


def cleaned(cell: str) -> str:
    """The cell without invisible characters, surrounding space, and the `="…"` or `'` that forces text."""
    text = cell.strip()
    if not text.isprintable():
        text = text.translate(_CLEAN).strip()
    if text[:2] == '="' and (guarded := _GUARDED.fullmatch(text)):
        return guarded["text"].strip()
    if text[:1] == "'" and len(text) > 1:
        return text[1:].strip()
    return text


def folded(cell: str) -> str:
    """The cleaned cell in half-width and lower case, as the word lists have it."""
    text = cleaned(cell)
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", text).lower().strip()


def joined_name(cell: str) -> str:
    """A name without the spaces that align two-character names in a column."""
    text = cleaned(cell)
    if text.isalpha():
        return text
    return " ".join(_CJK_GAP.sub("", text).split())


def is_blank(folded_text: str) -> bool:
    """True for an empty cell and for marks that mean no value, such as - or 无."""
    return folded_text in BLANK_MARKS


DIGITS_LOST: Final = Text(
    "the spreadsheet lost digits of the number: format the column as text and enter the number again"
)


def has_lost_digits(text: str) -> bool:
    """True for a long number in scientific notation: a spreadsheet has made numbers that differed the same."""
    return _LOST.fullmatch(text) is not None


def filled(cell: str) -> str:
    """The cleaned cell; '' for a mark that means no value."""
    text = cleaned(cell)
    if len(text) > _LONGEST_MARK:
        return text
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text).strip()
    return "" if is_blank(plain.lower()) else text


def shown(cell: str) -> str:
    """The cell as a reason quotes it: shortened, with long runs of digits masked."""
    text = _LONG_DIGITS.sub(lambda run: run[0][:3] + "****", " ".join(cleaned(cell).split()))
    return text if len(text) <= SHOWN_LENGTH else text[:SHOWN_LENGTH] + "…"


GRADE_WORDS: Final = {
    Grade.EXTRA_HIGH: "特高 特高危 特级 极高 极高危 超高 超高危 0 零 extra_high extra-high extrahigh critical",
    Grade.HIGH: "高 高危 红 红色 high h 1 一 i",
    Grade.MEDIUM: "中 中危 中等 橙 橙色 黄 黄色 medium middle mid m 2 二 ii",
    Grade.LOW: "低 低危 蓝 蓝色 low l 3 三 iii 4 四 iv",
}
_GRADES: Final = {word: grade for grade, words in GRADE_WORDS.items() for word in words.split()}
_GRADE_NOISE: Final = re.compile(r"\s+|\.0$|[(\[【].*[)\]】]$|^(?:风险|预警|等级|级别|第)+[::]?")
_GRADE_TAIL: Final = re.compile(r"(?:[色]?(?:风险|预警|等级|级别|级|类|度|risk|level|grade))+$")
_GRADE_HEAD: Final = re.compile(r"^(?:level|grade|risk)[:_-]?")

KIND_WORDS: Final = (
    (WarningKind.FUND, ("资金", "转账", "银行卡", "fund", "money", "bank")),
    (WarningKind.TELECOM, ("通联", "电信", "话单", "通话", "电话", "短信", "telecom", "call", "sms")),
    (WarningKind.WEB_APP, ("网络", "网址", "网站", "互联网", "app", "web", "url", "域名")),
)

# The first line that matches wins, so narrower words come before wider ones.
FRAUD_TYPE_WORDS: Final = (
    (FraudType.POLICE_IMPERSONATION, ("公检法", "冒充警", "冒充公安", "冒充政府", "安全账户")),
    (FraudType.GAME_TRADE, ("游戏",)),
    (FraudType.ROMANCE, ("婚恋", "交友", "杀猪盘", "网恋", "裸聊")),
    (FraudType.CREDIT, ("征信", "注销校园贷", "注销贷款")),
    (FraudType.LOAN, ("贷款", "网贷", "贷")),
    (FraudType.FAKE_ORDER_REBATE, ("刷单", "返利", "刷信誉", "兼职", "做任务")),
    (FraudType.FAKE_CUSTOMER_SERVICE, ("客服", "物流", "退款", "理赔", "快递", "百万保障")),
    (FraudType.BOSS_OR_ACQUAINTANCE, ("领导", "熟人", "老板", "亲友", "好友", "冒充亲")),
    (FraudType.INVESTMENT, ("投资", "理财", "荐股", "虚拟币", "炒股", "期货")),
    (FraudType.SHOPPING, ("购物", "网购", "虚假商品")),
)
TAG_WORDS: Final = (
    (Tag.MINOR, ("未成年", "学生", "儿童", "minor")),
    (Tag.ELDERLY, ("老年", "老人", "高龄", "elderly")),
    (Tag.HEARING, ("听障", "听力", "聋", "hearing")),
    (Tag.MONGOLIAN, ("蒙语", "蒙古语", "蒙古族", "mongolian")),
)
_FRAUD_VALUES: Final = frozenset(fraud_type.value for fraud_type in FraudType)
_TAG_BREAKS: Final = re.compile(r"[,、;/|\s+]+")


def read_grade(cell: str) -> Grade | None:
    """The grade; None for an empty cell. Raises `Unreadable` for an unknown word."""
    text = folded(cell)
    if is_blank(text):
        return None
    if known := _GRADES.get(text):
        return known
    if len(text) > LONGEST_VALUE:
        raise Unreadable
    text = _GRADE_NOISE.sub("", _GRADE_NOISE.sub("", text))
    for word in (text, _GRADE_TAIL.sub("", text), _GRADE_HEAD.sub("", text)):
        if known := _GRADES.get(word):
            return known
    raise Unreadable


_YES: Final = frozenset({"1", "true", "yes", "y", "是", "有", "√"})
_NO: Final = frozenset({"0", "false", "no", "n", "否", "没有"})


def read_flag(cell: str) -> bool:
    """Yes or no; no for an empty cell. Raises `Unreadable` for other words."""
    text = folded(cell)
    if text not in _YES and text not in _NO and not is_blank(text):
        raise Unreadable
    return text in _YES


def read_kind(cell: str) -> WarningKind:
    """The kind of warning; unknown for an empty cell and for unknown words."""
    text = folded(cell)
    for kind, words in KIND_WORDS:
        if text == kind.value or any(word in text for word in words):
            return kind
    return WarningKind.UNKNOWN


def read_fraud_type(cell: str) -> FraudType:
    """The fraud type; unknown for an empty cell and for unknown words."""
    text = "".join(folded(cell).split())
    if text in _FRAUD_VALUES:
        return FraudType(text)
    for fraud_type, words in FRAUD_TYPE_WORDS:
        if any(word in text for word in words):
            return fraud_type
    return FraudType.UNKNOWN


def read_tags(cell: str) -> tuple[frozenset[Tag], tuple[str, ...]]:
    """The known tags, and the words that are not tags."""
    known: set[Tag] = set()
    others: list[str] = []
    for word in _TAG_BREAKS.split(folded(cell)):
        if is_blank(word):
            continue
        tags = {tag for tag, signs in TAG_WORDS if any(sign in word for sign in signs)}
        known |= tags
        if not tags:
            others.append(word)
    return frozenset(known), tuple(others)


LONGEST_SECONDS: Final = 7 * 86_400
_DURATION: Final = re.compile(
    r"(?:(?P<hours>[0-9]+)(?:小时|时|h))?(?:(?P<minutes>[0-9]+)(?:分钟|分|min|m))?(?:(?P<seconds>[0-9]+)(?:秒钟|秒|sec|s)?)?"
)
_CLOCK: Final = re.compile(r"(?:(?P<hours>[0-9]{1,3}):)?(?P<minutes>[0-9]{1,3}):(?P<seconds>[0-5]?[0-9])")
_NUMBER: Final = re.compile(r"[0-9]{1,7}(?:\.[0-9]+)?")


def read_seconds(cell: str, *, seconds_per_unit: int = 1) -> int | None:
    """The length in seconds; None for an empty cell. `seconds_per_unit` is the unit of a bare number. Raises
    `Unreadable`.
    """
    text = "".join(folded(cell).split())
    if is_blank(text):
        return None
    if len(text) > LONGEST_VALUE:
        raise Unreadable
    if _NUMBER.fullmatch(text):
        seconds = round(float(text) * seconds_per_unit)
    elif parts := _DURATION.fullmatch(text) or _CLOCK.fullmatch(text):
        hours, minutes, rest = (int(parts[name] or 0) for name in ("hours", "minutes", "seconds"))
        seconds = hours * 3600 + minutes * 60 + rest
    else:
        raise Unreadable
    if seconds > LONGEST_SECONDS:
        raise Unreadable
    return seconds


LARGEST_FEN: Final = 10**14
_PLAIN: Final = re.compile(r"[0-9]{1,12}")
_DECIMAL: Final = re.compile(r"[0-9]+(?:\.[0-9]*)?(?:e\+?[0-9]{1,2})?|\.[0-9]+")
_GROUPED: Final = re.compile(r"([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,4}(?:,[0-9]{4})+)(?![0-9,])")
_CURRENCY: Final = re.compile(r"^(?:约|大约|共|共计|合计)?(?:人民币|rmb|cny|[¥￥])?(.*?)(?:rmb|cny|人民币)?$")
_YUAN: Final = re.compile(r"(?:元|圆|块|块钱|yuan)?(?:整|正)?$")
_ONE_UNIT: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)([亿万千百wk])")
_UNITS: Final = {"百": 100, "千": 1000, "k": 1000, "万": 10_000, "w": 10_000, "亿": 100_000_000}
_WITH_NUMERALS: Final = re.compile(
    r"[0-9.]*[零〇一二三四五六七八九十百千万亿壹贰叁肆伍陆柒捌玖拾佰仟萬两俩][^负点]{0,40}"
)
_AS_CN2AN: Final = str.maketrans("萬俩", "万两")
_SHORT_TENS_OF_MILLIONS: Final = re.compile(r"[^亿]+亿[1-9一二三四五六七八九壹贰叁肆伍陆柒捌玖两]")


def read_fen(cell: str, *, yuan_per_unit: int = 1) -> int | None:
    """The amount in fen; None for an empty cell.

    `yuan_per_unit` is the unit of a bare number (10,000 under a heading in 万元); an amount with its own unit keeps it.
    Raises `Unreadable` for anything but a single amount of zero or more.
    """
    if _PLAIN.fullmatch(cell):
        return _bounded(int(cell) * 100 * yuan_per_unit)
    text = "".join(folded(cell).split())
    if is_blank(text):
        return None
    if len(text) > LONGEST_VALUE:
        raise Unreadable
    stripped = _CURRENCY.fullmatch(text)
    text = stripped[1] if stripped else text
    bare = _YUAN.sub("", text)
    is_in_yuan = bare != text
    text = _GROUPED.sub(lambda group: group[0].replace(",", ""), bare)
    if _DECIMAL.fullmatch(text):
        return _fen(Decimal(text) * (1 if is_in_yuan else yuan_per_unit))
    return _fen(_chinese(text))


def _fen(yuan: Decimal) -> int:
    return _bounded(int((yuan * 100).to_integral_value(rounding=ROUND_HALF_UP)))


def _bounded(fen: int) -> int:
    if fen > LARGEST_FEN:
        raise Unreadable
    return fen


def _chinese(text: str) -> Decimal:
    """三万, 一万二千, 三万五 (short for 三万五千), 3万, 1.5万, 1.5w, 3万5千.

    A decimal fraction of one unit is multiplied here, because cn2an cuts 1.23456万 to whole yuan. It knows 三万五,
    but not 二亿三 (short for 二亿三千万), and fails on some texts with errors other than its own.
    """
    if unit := _ONE_UNIT.fullmatch(text):
        return Decimal(unit[1]) * _UNITS[unit[2]]
    if not _WITH_NUMERALS.fullmatch(text):
        raise Unreadable
    try:
        import cn2an  # noqa: PLC0415  # more than half of the start-up time of the file reader

        text = text.translate(_AS_CN2AN)
        if _SHORT_TENS_OF_MILLIONS.fullmatch(text):
            text += "千万"
        return Decimal(str(cn2an.cn2an(text, "smart")))
    except (ValueError, LookupError, ArithmeticError):
        raise Unreadable from None


_ISO_MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_DATE_AND_TIME: Final = re.compile(
    r"(?P<year>[0-9]{4})\s*[-/.年]\s*(?P<month>[0-9]{1,2})\s*[-/.月]\s*(?P<day>[0-9]{1,2})\s*[日号]?"
    r"(?:[\st,]*(?:星期|周)[一二三四五六日天])?"
    r"(?:[\st,]*(?P<half>上午|下午|凌晨|早上|中午|晚上|am|pm)?\s*"
    r"(?P<hour>[0-9]{1,2})\s*(?:[:时点]\s*(?:(?P<minute>[0-9]{1,2})\s*(?:[:分]\s*(?:(?P<second>[0-9]{1,2})"
    r"(?:[.,][0-9]{1,9})?\s*秒?)?)?)?)\s*(?P<half_after>am|pm)?"
    r"\s*(?P<zone>z|utc|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_WITHOUT_YEAR: Final = re.compile(r"[0-9]{1,2}\s*月\s*[0-9]{1,2}\s*[日号]?(?![0-9]).*")
_COMPACT: Final = re.compile(
    r"(?P<year>20[0-9]{2})(?P<month>[01][0-9])(?P<day>[0-3][0-9])"
    r"(?:(?P<hour>[0-2][0-9])(?P<minute>[0-5][0-9])(?P<second>[0-5][0-9])?)?(?:\.0+)?"
)
_SERIAL: Final = re.compile(r"[2-7][0-9]{4}(?:\.[0-9]+)?")
_UNIX_SECONDS: Final = re.compile(r"1[0-9]{9}(?:\.[0-9]+)?")
_UNIX_MILLISECONDS: Final = re.compile(r"1[0-9]{12}(?:\.0+)?")
_DAY_ZERO: Final = date(1899, 12, 30)
"""Day 0 of spreadsheets."""
_NOON: Final = 12
_LAST_AT_NOON: Final = 2
"""中午1点 and 中午2点 are in the afternoon."""
_MIDNIGHT: Final = 24
"""24:00 and 晚上12点 are the end of the day."""
_YEARS: Final = range(2000, 2100)


def read_moment(
    cell: str, zone: ZoneInfo, *, end_of_day: bool = False, now: datetime | None = None
) -> datetime | None:
    """The moment in UTC; None for an empty cell. A bare date is its beginning, or with `end_of_day` its end: what
    expires on a day is still valid on that day. A day without a year (12月1日) is of the year in which it is closest to
    `now` (aware); without `now` it is unreadable. Raises `Unreadable`.
    """
    try:
        if _ISO_MOMENT.fullmatch(cell) and " 24" not in cell:
            local, is_date = datetime.fromisoformat(cell), False
        else:
            text = " ".join(folded(cell).split())
            if is_blank(text):
                return None
            local, is_date = _moment(_with_year(text, now.astimezone(zone)) if now else text)
        if is_date and end_of_day:
            local += timedelta(days=1)
        moment = local if local.tzinfo else local.replace(tzinfo=zone)
        if moment.year not in _YEARS:
            raise Unreadable
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unreadable from None


_HALF_A_YEAR: Final = timedelta(days=183)


def _with_year(text: str, now: datetime) -> str:
    """The text; a day without a year gets the one in which it is closest to `now`, in the same zone."""
    if not _WITHOUT_YEAR.fullmatch(text):
        return text
    begin = _moment(f"{now.year}年{text}")[0].replace(tzinfo=now.tzinfo)
    year = now.year + (begin < now - _HALF_A_YEAR) - (begin > now + _HALF_A_YEAR)
    return f"{year}年{text}"


def _moment(text: str) -> tuple[datetime, bool]:
    """The moment (naive if the text has no zone) and whether it is a bare date."""
    if parts := _DATE_AND_TIME.fullmatch(text) or _COMPACT.fullmatch(text):
        return _from_parts(parts.groupdict())
    if _SERIAL.fullmatch(text):
        serial = float(text)
        whole = timedelta(days=int(serial), seconds=round((serial - int(serial)) * 86_400))
        return datetime.combine(_DAY_ZERO, time()) + whole, serial.is_integer()
    if _UNIX_MILLISECONDS.fullmatch(text):
        return datetime.fromtimestamp(float(text) / 1000, tz=UTC), False
    if _UNIX_SECONDS.fullmatch(text):
        return datetime.fromtimestamp(float(text), tz=UTC), False
    raise Unreadable


def _from_parts(parts: Mapping[str, str]) -> tuple[datetime, bool]:
    """The moment of the parts, and whether it is a bare date. Missing parts are None or absent."""
    day = date(int(parts["year"]), int(parts["month"]), int(parts["day"]))
    if not parts["hour"]:
        return datetime.combine(day, time()), True
    hour = int(parts["hour"])
    half = parts.get("half") or parts.get("half_after")
    if (half in {"下午", "晚上", "pm"} and hour < _NOON) or (half == "中午" and hour <= _LAST_AT_NOON):
        hour += _NOON
    elif half in {"上午", "am", "凌晨"} and hour == _NOON:
        hour = 0
    elif half == "晚上" and hour == _NOON:
        hour = _MIDNIGHT
    minute, second = int(parts["minute"] or 0), int(parts["second"] or 0)
    is_end = hour == _MIDNIGHT and (half == "晚上" or minute == second == 0)
    moment = datetime.combine(day, time(0 if is_end else hour, minute, second)) + timedelta(days=is_end)
    zone = parts.get("zone")
    if zone in {"z", "utc"}:
        moment = moment.replace(tzinfo=UTC)
    elif zone:
        moment = datetime.fromisoformat(moment.isoformat() + zone)
    return moment, False
