from __future__ import annotations

import pytest

from dialer.intake.likeness import likely_field
from dialer.intake.records import Field

NAMES = ["王小明", "李大海", "张伟"]


@pytest.mark.parametrize(
    ("heading", "cells", "field"),
    [
        ("危险程度", ["特急", "一般"], Field.GRADE),
        ("处置优先级别", [], Field.GRADE),
        ("颜色", ["红色", "黄色", ""], Field.GRADE),
        ("风险描述", ["对方自称客服，要求共享屏幕并转账"], None),
        ("当前人", NAMES, Field.NAME),
        ("事主称呼", ["阿古拉", "其其格"], Field.NAME),
        ("地市", ["呼和浩特", "包头", "巴彦淖尔"], None),
        ("渠道", ["高德", "高德", "高德"], None),
        ("怎么找他", ["138 0013 8000", "+86 139-0013-9000"], Field.PHONE),
        ("备用手机二", ["13800138000、0478-8123456"], Field.PHONE),
        ("手机型号", ["华为", "小米"], None),
        ("涉案资金", ["30000", "5万"], Field.AMOUNT_AT_RISK),
        ("数目", ["3万元", "￥500"], Field.AMOUNT_AT_RISK),
        ("资金流向", ["境外", "本地"], None),
        ("年龄", ["34", "2"], None),
        ("批次", ["1", "2", "3"], None),
        ("", [], None),
    ],
)
def test_what_a_column_looks_like(heading: str, cells: list[str], field: Field | None):
    assert likely_field(heading, cells, mapped={Field.PHONE}) is field


def test_a_second_column_of_names_is_of_somebody_else():
    assert likely_field("办案民警", NAMES, mapped={Field.NAME}) is None
    assert likely_field("当前人", NAMES, mapped={Field.PHONE}) is Field.NAME
