"""How numbers, dates, amounts and telephone numbers are said aloud, in Mandarin and English. Pure.

Telephone numbers go digit by digit, with 幺 for one in Mandarin as operators say it; amounts are cardinals.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, time
from decimal import Decimal

_ZH_DIGITS = "零一二三四五六七八九"
_ZH_PHONE = str.maketrans("0123456789", "零幺二三四五六七八九")
_EN_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_EN_TEENS = (
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_EN_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_EN_SCALES = ((10**9, "billion"), (10**6, "million"), (10**3, "thousand"))
_EN_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
_MOST = 10**12
"""Numbers from here on are said digit by digit; no amount in this trade is that large."""
_LONG_RUN = 7

_FULL_WIDTH = str.maketrans("０１２３４５６７８９％", "0123456789%")
_SERVICE = re.compile(
    r"(?<![\d.,])(?:0\d{2,3}|1[012]\d|12\d{3}|9[56]\d{3}|100\d{2})(?![\d.,]?\d|\s*(?:元|块|万|%|yuan))"
)
_MOBILE = re.compile(r"(?<!\d)\+?\d[\d-]{6,16}\d(?!\d|\.\d|\s*(?:元|万|yuan))")
_DATE = re.compile(r"(\d{4})[-/年](\d{1,2})[-/月](\d{1,2})日?")
_TIME = re.compile(r"(?<!\d)([01]?\d|2[0-3]):([0-5]\d)(?!\d)")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)%")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_TWO_OF = re.compile(r"(?<![第期一二三四五六七八九十百千万零点])二(?=[个位次天年条名千万])")


_ZH_RUN = "[零幺二三四五六七八九]{3,}"
_EN_DIGIT = rf"(?:{'|'.join(_EN_DIGITS)})"
_SYLLABLE = {"zh": re.compile(r"\w"), "en": re.compile(_EN_DIGIT)}
_SAID_NUMBERS = {
    "zh": re.compile(
        rf"打?(?<![点一零幺二三四五六七八九]){_ZH_RUN}(?: {_ZH_RUN})*(?![零幺二三四五六七八九年])[，。！？；]*"
    ),
    "en": re.compile(rf"\b(?:point )?{_EN_DIGIT}(?: {_EN_DIGIT}){{2,}}\b[,.!?;]*"),
}
"""A telephone number as it is said: three digits or more, not a year and not decimals."""


def as_spoken(text: str, language: str) -> str:
    """The text with every figure written as it is said. Languages other than zh and en come back unchanged."""
    if language not in {"zh", "en"}:
        return text
    text = text.translate(_FULL_WIDTH)
    steps: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
        (_DATE, lambda m: _date_or_digits(m, language)),
        (_TIME, lambda m: clock_time(time(int(m[1]), int(m[2])), language)),
        (_MOBILE, lambda m: digits(m[0], language) if _is_phone(m[0]) else m[0]),
        (_SERVICE, lambda m: digits(m[0], language)),
        (_PERCENT, lambda m: percent(m[1], language)),
        (_NUMBER, lambda m: number(Decimal(m[0].rstrip(",").replace(",", "")), language)),
    )
    for pattern, said in steps:
        text = pattern.sub(said, text)
    return _TWO_OF.sub("两", text) if language == "zh" else text


def pieces(spoken: str, language: str) -> tuple[tuple[str, int], ...]:
    """The parts of a spoken sentence, each with how many syllables have to be slow enough to be written down; 0: none.
    A telephone number is a part of its own, with the mark after it and in Mandarin with the 打 before it: by itself 幺
    is heard as 交. `spoken` is a result of `as_spoken`.
    """
    pattern = _SAID_NUMBERS.get(language)
    found: list[tuple[str, int]] = []
    end = 0
    for number in pattern.finditer(spoken) if pattern else ():
        if number[0].startswith("point "):
            continue
        found += [(spoken[end : number.start()], 0), (number[0], len(_SYLLABLE[language].findall(number[0])))]
        end = number.end()
    found.append((spoken[end:], 0))
    return tuple((text.strip(), count) for text, count in found if any(sign.isalnum() for sign in text))


def digits(run: str, language: str) -> str:
    """A telephone number or a code, one digit after the other; everything that is no digit is left out."""
    bare = [sign for sign in run.translate(_FULL_WIDTH) if sign.isdecimal() and sign.isascii()]
    if language == "zh":
        return "".join(bare).translate(_ZH_PHONE)
    return " ".join(_EN_DIGITS[int(sign)] for sign in bare)


def number(value: Decimal | int, language: str) -> str:
    """A cardinal with its decimals: 12000.5 is 一万二千点五, twelve thousand point five."""
    value = Decimal(value)
    if value < 0:
        return ("负" if language == "zh" else "minus ") + number(-value, language)
    whole, _, decimals = format(value, "f").partition(".")
    decimals = decimals.rstrip("0")
    if int(whole) >= _MOST:
        said = digits(whole, language)
    else:
        said = _zh_cardinal(int(whole)) if language == "zh" else _en_cardinal(int(whole))
    if not decimals:
        return said
    if language == "zh":
        return f"{said}点{''.join(_ZH_DIGITS[int(d)] for d in decimals)}"
    return f"{said} point {digits(decimals, 'en')}"


def calendar_date(day: date, language: str) -> str:
    """二零二六年十一月二十五日; November twenty-five, twenty twenty-six."""
    if language == "zh":
        year = "".join(_ZH_DIGITS[int(d)] for d in str(day.year))
        return f"{year}年{_zh_cardinal(day.month)}月{_zh_cardinal(day.day)}日"
    century, rest = divmod(day.year, 100)
    if rest == 0 or day.year // 10 % 100 == 0:
        year = _en_cardinal(day.year)
    else:
        year = f"{_en_cardinal(century)} {_en_cardinal(rest)}"
    return f"{_EN_MONTHS[day.month - 1]} {_en_cardinal(day.day)}, {year}"


def clock_time(at: time, language: str) -> str:
    """十四点三十分; fourteen thirty."""
    if language == "zh":
        if at.minute == 0:
            return f"{_zh_cardinal(at.hour)}点"
        spare = "零" if at.minute < 10 else ""
        return f"{_zh_cardinal(at.hour)}点{spare}{_zh_cardinal(at.minute)}分"
    if at.minute == 0:
        return f"{_en_cardinal(at.hour)} o'clock"
    spare = "oh " if at.minute < 10 else ""
    return f"{_en_cardinal(at.hour)} {spare}{_en_cardinal(at.minute)}"


def percent(value: str, language: str) -> str:
    said = number(Decimal(value), language)
    return f"百分之{said}" if language == "zh" else f"{said} percent"


def _is_phone(run: str) -> bool:
    return sum(sign.isdecimal() for sign in run) >= _LONG_RUN


def _date_or_digits(found: re.Match[str], language: str) -> str:
    try:
        day = date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return digits(found[0], language)
    return calendar_date(day, language)


def _zh_cardinal(value: int) -> str:
    if value == 0:
        return _ZH_DIGITS[0]
    said, gap = "", False
    for scale, name in ((10**8, "亿"), (10**4, "万"), (1, "")):
        part, value = divmod(value, scale)
        if not part:
            gap = bool(said)
            continue
        if said and (gap or part < 1000):
            said += _ZH_DIGITS[0]
        gap = False
        said += _zh_below_ten_thousand(part) + name
    return said.removeprefix("一") if said.startswith("一十") else said


def _zh_below_ten_thousand(value: int) -> str:
    said, gap = "", False
    for scale, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, value = divmod(value, scale)
        if not digit:
            gap = bool(said)
            continue
        said += (_ZH_DIGITS[0] if gap else "") + _ZH_DIGITS[digit] + name
        gap = False
    return said


def _en_cardinal(value: int) -> str:
    for scale, name in _EN_SCALES:
        if value >= scale:
            whole, rest = divmod(value, scale)
            return f"{_en_cardinal(whole)} {name}" + (f" {_en_cardinal(rest)}" if rest else "")
    if value >= 100:
        hundreds, rest = divmod(value, 100)
        return f"{_EN_DIGITS[hundreds]} hundred" + (f" and {_en_cardinal(rest)}" if rest else "")
    if value >= 20:
        tens, rest = divmod(value, 10)
        return _EN_TENS[tens] + (f"-{_EN_DIGITS[rest]}" if rest else "")
    return _EN_TEENS[value - 10] if value >= 10 else _EN_DIGITS[value]
