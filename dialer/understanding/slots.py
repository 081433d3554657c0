"""What a sentence says besides its intent: an amount in fen, how many minutes ago, a bank, an app. Pure.

Numbers are read as people say them: 三万八, 两千五, 十来万, 3.8万, 5w, 五百块, thirty eight thousand. A number that is
part of a time (十分钟前, 三点), a count (两次, 三个人) or an identification (a phone number) is no amount.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from dialer.intake.cells import folded

_LEAST_FEN: Final = 10_00
"""A smaller number is no amount lost to a fraud: 转了一次."""
_LARGEST_FEN: Final = 100_000_000_00
_AMOUNT_DIGITS: Final = range(3, 8)
"""Digits of an amount said without a unit; more are a telephone or an account."""
_SHORT_NUMBERS: Final = frozenset({"110", "114", "119", "120", "10086", "12321", "12345", "96110"})
_MINUTES_A_DAY: Final = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """The facts in a sentence; None for one that it does not say. `bank` and `app` are names in Chinese."""

    amount_fen: int | None = None
    minutes_ago: int | None = None
    bank: str | None = None
    app: str | None = None

    def as_json(self) -> dict[str, int | str]:
        """Only the facts that the sentence says."""
        facts = {
            "amount_fen": self.amount_fen,
            "minutes_ago": self.minutes_ago,
            "bank": self.bank,
            "app": self.app,
        }
        return {name: value for name, value in facts.items() if value is not None}


_DIGITS: Final[Mapping[str, int]] = (
    dict(zip("零一二三四五六七八九", range(10), strict=True))
    | dict(zip("〇壹贰叁肆伍陆柒捌玖", range(10), strict=True))
    | {"两": 2, "俩": 2, "幺": 1}
)
_UNITS: Final[Mapping[str, int]] = {"十": 10, "百": 100, "千": 1000, "拾": 10, "佰": 100, "仟": 1000}
_MYRIADS: Final[Mapping[str, int]] = {"万": 10_000, "萬": 10_000, "w": 10_000, "亿": 100_000_000}
_SMALL_LETTERS: Final[Mapping[str, int]] = {"k": 1000}

_NUMBER: Final = re.compile(
    r"(?<![a-z0-9.])"
    r"(?:[0-9][0-9,]*(?:\.[0-9]+)?|[零〇一二两俩三四五六七八九十百千壹贰叁肆伍陆柒捌玖拾佰仟])"
    r"[0-9零〇一二两俩三四五六七八九十百千万萬亿壹贰叁肆伍陆柒捌玖拾佰仟.,来多几]*"
    r"(?:[wk](?![a-z])[0-9]?)?"
)
_MONEY_AFTER: Final = re.compile(r"(?:多|来|几)?(?:块|元|人民币|大洋|圆|yuan|rmb|kuai|cny)")
_TIME_AFTER: Final = re.compile(
    r"(?:多|来|几|个)*(?:分钟|分|小时|钟头|点|天|日|号|月|年|周|星期|礼拜|秒|刻钟|岁|minutes?|hours?|days?|weeks?|months?|years?)"
)
_COUNT_AFTER: Final = re.compile(
    r"(?:多|来|几)?(?:次|个|笔|回|遍|人|位|张|家|台|部|步|条|口|下|样|种|楼|层|路|栋|排|斤|瓶|盒|袋|声|键|趟|起|点|句|半|直|会|定|共|般|些|切|起|样|辈子|时)"
)
_TEENS: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
_ENGLISH: Final[Mapping[str, int]] = (
    dict(
        zip(
            _TEENS.split(),
            range(20),
            strict=True,
        )
    )
    | dict(
        zip(
            _TENS.split(),
            range(20, 100, 10),
            strict=True,
        )
    )
    | {"a": 1, "an": 1, "half": 0}
)
_ENGLISH_UNITS: Final[Mapping[str, int]] = {
    "hundred": 100,
    "thousand": 1000,
    "million": 1_000_000,
    "grand": 1000,
}
_ENGLISH_WORDS: Final = "|".join(sorted((*_ENGLISH, *_ENGLISH_UNITS, "and"), key=len, reverse=True))
_ENGLISH_SMALL: Final = "|".join(sorted(_ENGLISH.keys() - {"half"}, key=len, reverse=True))
_ENGLISH_NUMBER: Final = re.compile(
    rf"(?<![a-z])(?:(?:{_ENGLISH_WORDS}|[0-9][0-9,]*(?:\.[0-9]+)?)(?:[ -]|(?![a-z0-9])))+"
)
_MONEY_BEFORE: Final = re.compile(r"(?:[¥￥]|rmb|cny)\s*$")

_BANKS: Final[tuple[tuple[str, str], ...]] = (
    ("中国银行", r"中国银行|中行(?!业)|bank of china|\bboc\b"),
    ("工商银行", r"工商银行|工行|工商(?!局|户|所|管理|执照)|\bicbc\b"),
    ("农业银行", r"农业银行|农行|\babc\b(?= bank)|agricultural bank"),
    ("建设银行", r"建设银行|建行|\bccb\b|construction bank"),
    ("交通银行", r"交通银行|交行"),
    ("邮储银行", r"邮储|邮政储蓄|邮政银行|邮政(?=卡|账户|存折|柜台|取|转|汇)|postal savings"),
    ("招商银行", r"招商银行|招行|招商(?!局|引资)|\bcmb\b|merchants bank"),
    ("浦发银行", r"浦发|浦东发展"),
    ("民生银行", r"民生银行|民生卡"),
    ("兴业银行", r"兴业"),
    ("光大银行", r"光大"),
    ("中信银行", r"中信(?!证券)"),
    ("平安银行", r"平安银行|平安卡"),
    ("华夏银行", r"华夏银行|华夏卡"),
    ("广发银行", r"广发"),
    ("内蒙古银行", r"内蒙古银行"),
    ("蒙商银行", r"蒙商|包商银行"),
    ("农商银行", r"农商行|农商银行|农村商业银行|农商"),
    ("农村信用社", r"信用社|农信社|农村信用|农信"),
    ("微众银行", r"微众"),
    ("网商银行", r"网商银行"),
)
_APPS: Final[tuple[tuple[str, str], ...]] = (
    ("腾讯会议", r"腾讯会议|tencent meeting"),
    ("企业微信", r"企业微信"),
    ("微信", r"微信|wechat|weixin"),
    ("支付宝", r"支付宝|alipay"),
    ("QQ", r"(?<![a-z])qq(?![a-z])|扣扣"),
    ("钉钉", r"钉钉|dingtalk"),
    ("飞书", r"飞书|feishu|lark\b"),
    ("向日葵", r"向日葵|sunlogin"),
    ("ToDesk", r"todesk"),
    ("AnyDesk", r"anydesk"),
    ("TeamViewer", r"teamviewer|team viewer"),
    ("Zoom", r"\bzoom\b|zoom(?=会议|软件)"),
    ("瞩目", r"瞩目"),
    ("Telegram", r"telegram|纸飞机|飞机软件|电报群"),
    ("WhatsApp", r"whatsapp"),
    ("Skype", r"skype"),
    ("抖音", r"抖音|douyin|tiktok"),
    ("快手", r"快手"),
    ("小红书", r"小红书"),
    ("淘宝", r"淘宝|taobao"),
    ("京东", r"京东"),
    ("拼多多", r"拼多多"),
    ("闲鱼", r"闲鱼"),
    ("美团", r"美团"),
    ("云闪付", r"云闪付"),
    ("数字人民币", r"数字人民币"),
    ("手机银行", r"手机银行|mobile bank(?:ing)?"),
    ("网上银行", r"网银|网上银行|online bank(?:ing)?"),
    ("陌陌", r"陌陌"),
    ("探探", r"探探"),
    ("Soul", r"\bsoul\b|soul(?=上|软件)"),
)
_BANK_PATTERNS: Final = tuple((name, re.compile(pattern)) for name, pattern in _BANKS)
_APP_PATTERNS: Final = tuple((name, re.compile(pattern)) for name, pattern in _APPS)

_AGO_WORDS: Final[tuple[tuple[str, int], ...]] = (
    (r"大前天", 3 * _MINUTES_A_DAY),
    (r"前天|the day before yesterday", 2 * _MINUTES_A_DAY),
    (r"昨天|昨晚|昨夜|昨日|昨儿|yesterday|last night", _MINUTES_A_DAY),
    (r"上个?(?:星期|礼拜|周)|last week", 7 * _MINUTES_A_DAY),
    (r"上个?月|last month", 30 * _MINUTES_A_DAY),
    (r"刚刚|刚才|刚(?=转|汇|打|付|交|给|充|把|用|从|在|出去|没忍住)", 0),
    (r"just now|a moment ago|(?:have|i|she|he|'ve) just", 0),
)
_AGO_PATTERNS: Final = tuple((re.compile(pattern), minutes) for pattern, minutes in _AGO_WORDS)
_AGO_NUMBER: Final = r"(?P<number>[0-9]+(?:\.[0-9]+)?|[一二两俩三四五六七八九十百]+|半|几)"
_AGO: Final = re.compile(
    rf"{_AGO_NUMBER}(?:多|来)?个?(?P<half>半)?(?:多)?(?P<unit>分钟|分|小时|钟头|刻钟|天|星期|礼拜|周|个?月)(?P<half_after>半)?"
    r"(?:多|左右)?(?:之?前|以前|了(?!解)|吧|那会)"
)
_AGO_ENGLISH: Final = re.compile(
    rf"(?<![a-z0-9])(?P<number>half|[0-9]+|(?:{_ENGLISH_SMALL})(?:[ -](?:{_ENGLISH_SMALL}))*)(?: (?:a|an|of an))? "
    r"(?P<unit>minute|min|hour|day|week|month)s? ago"
)
_UNIT_MINUTES: Final[Mapping[str, int]] = {
    "分钟": 1,
    "分": 1,
    "小时": 60,
    "钟头": 60,
    "刻钟": 15,
    "天": _MINUTES_A_DAY,
    "星期": 7 * _MINUTES_A_DAY,
    "礼拜": 7 * _MINUTES_A_DAY,
    "周": 7 * _MINUTES_A_DAY,
    "月": 30 * _MINUTES_A_DAY,
    "个月": 30 * _MINUTES_A_DAY,
    "minute": 1,
    "min": 1,
    "hour": 60,
    "day": _MINUTES_A_DAY,
    "week": 7 * _MINUTES_A_DAY,
    "month": 30 * _MINUTES_A_DAY,
}


_LONGEST: Final = 600
"""So many characters of a sentence are read: the time of some patterns grows with the square of the text."""


def read_slots(text: str) -> Slots:
    """The facts of a sentence. Never fails: what cannot be read is None."""
    said = " ".join(folded(text[:_LONGEST]).lower().split())[:_LONGEST]
    closed = re.sub(r"(?<![a-z0-9])\s+|\s+(?![a-z0-9])", "", said)
    return Slots(
        amount_fen=_amount(_without_moments(closed)),
        minutes_ago=_minutes_ago(closed),
        bank=_named(_BANK_PATTERNS, closed),
        app=_named(_APP_PATTERNS, closed),
    )


def marked(text: str) -> str:
    """The text with amounts, moments, banks and apps replaced by one sign each, so that all of a kind count alike."""
    text = _spans_marked(_without_moments(text))
    for _, pattern in _BANK_PATTERNS:
        text = pattern.sub("▣", text)
    return text


def _without_moments(text: str) -> str:
    return _AGO_ENGLISH.sub("⏱", _AGO.sub("⏱", text))


def _spans_marked(text: str) -> str:
    parts: list[str] = []
    at = 0
    for start, end, _ in _amounts(text):
        parts += [text[at:start], "＃"]
        at = end
    return "".join(parts) + text[at:]


def _named(patterns: tuple[tuple[str, re.Pattern[str]], ...], said: str) -> str | None:
    found = [(match.start(), name) for name, pattern in patterns if (match := pattern.search(said))]
    return min(found)[1] if found else None


def _amount(said: str) -> int | None:
    """The largest amount in the text, which is the loss where several are said."""
    return max((fen for _, _, fen in _amounts(said)), default=None)


def _amounts(said: str) -> list[tuple[int, int, int]]:
    """Start, end and fen of every amount, in the order of the text."""
    found: list[tuple[int, int, int]] = []
    for match in _NUMBER.finditer(said):
        number = match[0].rstrip(".,")
        end = match.start() + len(number)
        after = said[end:]
        money = _MONEY_AFTER.match(after)
        if _is_no_amount(
            number, after, money is not None, _MONEY_BEFORE.search(said[: match.start()]) is not None
        ):
            continue
        yuan = read_yuan(number)
        if yuan is not None and _LEAST_FEN <= (fen := int(yuan * 100)) <= _LARGEST_FEN:
            found.append((match.start(), end + (money.end() if money else 0), fen))
    for match in _ENGLISH_NUMBER.finditer(said):
        words = match[0].strip()
        after = said[match.end() :].lstrip()
        money = _MONEY_AFTER.match(after)
        if not re.search(r"thousand|hundred|million|grand", words) and not money:
            continue
        if _TIME_AFTER.match(after):
            continue
        whole = _english(words)
        if whole is not None and _LEAST_FEN <= whole * 100 <= _LARGEST_FEN:
            found = [span for span in found if span[1] <= match.start() or span[0] >= match.end()]
            found.append((match.start(), match.end(), whole * 100))
    return sorted(found)


def _is_no_amount(number: str, after: str, has_money: bool, is_marked: bool) -> bool:
    if has_money or is_marked:
        return False
    bare = number.replace(",", "")
    if _TIME_AFTER.match(after) or after.startswith("%"):
        return True
    has_unit = any(unit in number for unit in "百千万萬亿佰仟wk")
    if not has_unit and _COUNT_AFTER.match(after):
        return True
    if bare.isdecimal():
        return len(bare) not in _AMOUNT_DIGITS or bare in _SHORT_NUMBERS
    # 一二三四: digits read one by one; 三四: about; 十: a count.
    return not has_unit and ("." not in number)


def read_yuan(number: str) -> Decimal | None:
    """The amount of a spoken number in yuan: 三万八 is 38,000, 十来万 100,000, 5w 50,000. None if it is none."""
    text = number.replace(",", "")
    text = re.sub(r"[多来几](?=[万亿千百])|[多来几]+$", "", text)
    if "几" in text or "来" in text or "多" in text:
        return None
    try:
        return _yuan(text)
    except (InvalidOperation, ValueError):
        return None


def _yuan(text: str) -> Decimal | None:
    total, rest = Decimal(0), text
    for sign in ("亿", "万", "萬", "w"):
        head, found, tail = rest.partition(sign)
        if not found:
            continue
        part = _below_myriad(head)
        if part is None:
            return None
        size = _MYRIADS[sign]
        total += part * size
        rest = tail
        if len(rest) == 1 and (digit := _digit(rest)) is not None:
            return total + Decimal(digit) * size / 10
    if not rest:
        return total or None
    last = _below_myriad(rest.removeprefix("零"))
    return None if last is None else total + last


def _digit(sign: str) -> int | None:
    return int(sign) if sign.isdecimal() and sign.isascii() else _DIGITS.get(sign)


def _below_myriad(text: str) -> Decimal | None:
    """A number without 万 and above: 38000, 3.8, 五千六, 一百二十, 5k."""
    if re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", text):
        return Decimal(text)
    if letter := re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)k([0-9]?)", text):
        return Decimal(letter[1]) * 1000 + (Decimal(letter[2]) * 100 if letter[2] else 0)
    total, pending, unit, saw_zero = 0, None, 1, False
    run = ""
    for sign in text:
        if sign in "零〇":
            saw_zero = True
            continue
        if (digit := _digit(sign)) is not None:
            run = f"{run}{sign}" if run.isdecimal() and sign.isdecimal() and sign.isascii() else sign
            if pending is not None and not (sign.isascii() and run != sign):
                return None
            pending = int(run) if run.isascii() and run.isdecimal() else digit
        elif sign in _UNITS:
            unit = _UNITS[sign]
            total += (1 if pending is None else pending) * unit
            pending, run, saw_zero = None, "", False
        else:
            return None
    if pending is not None:
        total += pending * (unit // 10 if unit > 10 and not saw_zero else 1)  # noqa: PLR2004  # 五千六 is 5,600
    return Decimal(total) if total else None


def _english(words: str) -> int | None:
    total, part = 0, 0
    for word in re.split(r"[ -]+", words):
        if word == "and":
            continue
        if word in _ENGLISH_UNITS:
            size = _ENGLISH_UNITS[word]
            part = max(part, 1) * size
            if size >= 1000:  # noqa: PLR2004
                total, part = total + part, 0
        elif word in _ENGLISH:
            part += _ENGLISH[word]
        else:
            try:
                part += int(Decimal(word.replace(",", "")))
            except InvalidOperation:
                return None
    return total + part or None


def _minutes_ago(said: str) -> int | None:
    if found := _AGO.search(said):
        number, unit = found["number"], _UNIT_MINUTES[found["unit"]]
        if number == "几":
            return None
        minutes = Decimal("0.5") * unit if number == "半" else (_below_myriad(number) or Decimal(0)) * unit
        if found["half"] or found["half_after"]:
            minutes += Decimal("0.5") * unit
        return int(minutes)
    if found := _AGO_ENGLISH.search(said):
        unit = _UNIT_MINUTES[found["unit"]]
        if found["number"] == "half":
            return unit // 2
        whole = _english(found["number"])
        return None if whole is None else whole * unit
    return next((minutes for pattern, minutes in _AGO_PATTERNS if pattern.search(said)), None)
