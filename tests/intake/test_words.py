from __future__ import annotations

import pytest

from dialer.core.values import FraudType, Grade, Tag, WarningKind
from dialer.intake.cells import Unreadable, read_fraud_type, read_grade, read_kind, read_tags

GRADES = {
    Grade.EXTRA_HIGH: [
        "特高危", "特高", "极高", "极高危", "extra_high", "Extra High", "EXTRA-HIGH", "0级", "特高危预警",
    ],
    Grade.HIGH: [
        "高危", "高", "红", "红色", "high", "HIGH", "High", "1级", "１级", "一级", "Ⅰ级", "1", "1.0", "高风险",
        " 高危 ", "高危预警", "一级预警", "高级", "红色预警", "高（红色）", "高 危", "level 1", "high risk", "风险：高",
        "\ufeff高危",
    ],
    Grade.MEDIUM: [
        "中危", "中", "橙", "橙色", "黄", "黄色", "medium", "2级", "二级", "Ⅱ级", "2", "中风险", "中等", "mid",
    ],
    Grade.LOW: ["低危", "低", "蓝", "蓝色", "low", "3级", "三级", "Ⅲ级", "3", "低风险", "4级"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("word", "grade"), [(word, grade) for grade, words in GRADES.items() for word in words]
)
def test_every_known_word_for_a_grade(word: str, grade: Grade):
    assert read_grade(word) is grade


@pytest.mark.parametrize(
    "word", ["紫色", "未知等级", "绿", "高低", "中高", "不详", "5级", "12", "?", "高危低危", "A", "1.5"]
)
def test_a_grade_that_is_there_but_means_nothing_to_us_is_unreadable(word: str):
    with pytest.raises(Unreadable):
        read_grade(word)


@pytest.mark.parametrize("word", ["", " ", "　", "-", "—", "/", "无", "NULL"])
def test_an_empty_grade_is_none(word: str):
    assert read_grade(word) is None


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("资金", WarningKind.FUND), ("资金类", WarningKind.FUND), ("fund", WarningKind.FUND),
        ("通联", WarningKind.TELECOM), ("通联预警", WarningKind.TELECOM), ("Telecom", WarningKind.TELECOM),
        ("网络", WarningKind.WEB_APP), ("网址访问", WarningKind.WEB_APP), ("web_app", WarningKind.WEB_APP),
        ("ＡＰＰ", WarningKind.WEB_APP), ("", WarningKind.UNKNOWN), ("其他", WarningKind.UNKNOWN),
    ],
)  # fmt: skip
def test_kinds(word: str, kind: WarningKind):
    assert read_kind(word) is kind


@pytest.mark.parametrize(
    ("word", "fraud_type"),
    [
        ("刷单返利", FraudType.FAKE_ORDER_REBATE),
        ("虚假网络投资理财", FraudType.INVESTMENT),
        ("虚假购物服务", FraudType.SHOPPING),
        ("冒充电商物流客服", FraudType.FAKE_CUSTOMER_SERVICE),
        ("虚假贷款", FraudType.LOAN),
        ("虚假征信", FraudType.CREDIT),
        ("冒充领导熟人", FraudType.BOSS_OR_ACQUAINTANCE),
        ("冒充公检法及政府机关", FraudType.POLICE_IMPERSONATION),
        ("网络婚恋交友", FraudType.ROMANCE),
        ("网络游戏产品虚假交易", FraudType.GAME_TRADE),
        ("冒充公检法类", FraudType.POLICE_IMPERSONATION),
        ("冒充购物客服退款", FraudType.FAKE_CUSTOMER_SERVICE),
        ("兼职刷单", FraudType.FAKE_ORDER_REBATE),
        ("杀猪盘", FraudType.ROMANCE),
        ("虚假 贷款", FraudType.LOAN),
        ("police_impersonation", FraudType.POLICE_IMPERSONATION),
        ("INVESTMENT", FraudType.INVESTMENT),
        ("新型骗局", FraudType.UNKNOWN),
        ("", FraudType.UNKNOWN),
    ],
)
def test_fraud_types(word: str, fraud_type: FraudType):
    assert read_fraud_type(word) is fraud_type


def test_every_fraud_type_is_read_by_its_stored_value():
    assert {read_fraud_type(fraud_type.value) for fraud_type in FraudType} == set(FraudType)


@pytest.mark.parametrize(
    ("cell", "tags", "others"),
    [
        ("未成年", {Tag.MINOR}, ()),
        ("老年、听障", {Tag.ELDERLY, Tag.HEARING}, ()),
        ("蒙语,独居", {Tag.MONGOLIAN}, ("独居",)),
        *(
            (word, {tag}, ())
            for tag, words in {
                Tag.MINOR: ("未成年人", "学生", "儿童", "minor"),
                Tag.ELDERLY: ("老年人", "老人", "高龄", "elderly"),
                Tag.HEARING: ("听障", "听力残疾", "聋哑", "hearing"),
                Tag.MONGOLIAN: ("蒙语", "蒙古语", "蒙古族", "mongolian"),
            }.items()
            for word in words
        ),
        ("elderly; minor", {Tag.ELDERLY, Tag.MINOR}, ()),
        ("无", set(), ()),
        ("", set(), ()),
    ],
)
def test_tags_and_the_words_that_are_none(cell: str, tags: set[Tag], others: tuple[str, ...]):
    assert read_tags(cell) == (frozenset(tags), others)
