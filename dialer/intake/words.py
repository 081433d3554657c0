"""The words of lists for grades, kinds, fraud types and tags. Nothing here guesses a grade.

Grades follow practice in three steps: 高 = 红 = 1级, 中 = 橙 = 黄 = 2级, 低 = 蓝 = 3级 (and 4级 where a
place has four). Extra high has words of its own (特高危, 极高, 0级). Any other colour or word is unreadable:
a person must say what was meant.
"""

from __future__ import annotations

import re
from typing import Final

from dialer.domain.values import FraudType, Grade, Tag, WarningKind
from dialer.intake.text import folded, is_blank
from dialer.intake.unreadable import Unreadable

_GRADE_WORDS: Final = {
    Grade.EXTRA_HIGH: "特高 特高危 特级 极高 极高危 超高 超高危 0 零 extra_high extra-high extrahigh critical",
    Grade.HIGH: "高 高危 红 红色 high h 1 一 i",
    Grade.MEDIUM: "中 中危 中等 橙 橙色 黄 黄色 medium middle mid m 2 二 ii",
    Grade.LOW: "低 低危 蓝 蓝色 low l 3 三 iii 4 四 iv",
}
_GRADES: Final = {word: grade for grade, words in _GRADE_WORDS.items() for word in words.split()}
_GRADE_NOISE: Final = re.compile(r"\s+|\.0$|[(\[【].*[)\]】]$|^(?:风险|预警|等级|级别|第)+[::]?")
_GRADE_TAIL: Final = re.compile(r"(?:[色]?(?:风险|预警|等级|级别|级|类|度|risk|level|grade))+$")
_GRADE_HEAD: Final = re.compile(r"^(?:level|grade|risk)[:_-]?")

_KINDS: Final = (
    (WarningKind.FUND, ("资金", "转账", "银行卡", "fund", "money", "bank")),
    (WarningKind.TELECOM, ("通联", "电信", "话单", "通话", "电话", "短信", "telecom", "call", "sms")),
    (WarningKind.WEB_APP, ("网络", "网址", "网站", "互联网", "app", "web", "url", "域名")),
)
# The first line that matches wins, so the narrower words stand above the wider ones.
_FRAUD_TYPES: Final = (
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
_TAGS: Final = (
    (Tag.MINOR, ("未成年", "学生", "儿童", "minor")),
    (Tag.ELDERLY, ("老年", "老人", "高龄", "elderly")),
    (Tag.HEARING, ("听障", "听力", "聋", "hearing")),
    (Tag.MONGOLIAN, ("蒙语", "蒙古语", "蒙古族", "mongolian")),
)
_FRAUD_VALUES: Final = frozenset(fraud_type.value for fraud_type in FraudType)
_TAG_BREAKS: Final = re.compile(r"[,、;/|\s+]+")


def read_grade(cell: str) -> Grade | None:
    """The grade, or None for an empty cell. Raises Unreadable for a word that is in no table."""
    text = folded(cell)
    if is_blank(text):
        return None
    if known := _GRADES.get(text):
        return known
    text = _GRADE_NOISE.sub("", _GRADE_NOISE.sub("", text))
    for word in (text, _GRADE_TAIL.sub("", text), _GRADE_HEAD.sub("", text)):
        if known := _GRADES.get(word):
            return known
    raise Unreadable


def read_kind(cell: str) -> WarningKind:
    """The kind of warning; unknown for an empty cell and for words we do not know."""
    text = folded(cell)
    for kind, words in _KINDS:
        if text == kind.value or any(word in text for word in words):
            return kind
    return WarningKind.UNKNOWN


def read_fraud_type(cell: str) -> FraudType:
    """The fraud type; unknown for an empty cell and for words we do not know."""
    text = "".join(folded(cell).split())
    if text in _FRAUD_VALUES:
        return FraudType(text)
    for fraud_type, words in _FRAUD_TYPES:
        if any(word in text for word in words):
            return fraud_type
    return FraudType.UNKNOWN


def read_tags(cell: str) -> tuple[frozenset[Tag], tuple[str, ...]]:
    """The tags that we know, and the words that are none."""
    known: set[Tag] = set()
    others: list[str] = []
    for word in _TAG_BREAKS.split(folded(cell)):
        if is_blank(word):
            continue
        tags = {tag for tag, signs in _TAGS if any(sign in word for sign in signs)}
        known |= tags
        if not tags:
            others.append(word)
    return frozenset(known), tuple(others)
