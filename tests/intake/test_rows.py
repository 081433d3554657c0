from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime, timedelta

import pytest

from dialer.core.values import FraudType, Grade, Tag, WarningKind
from dialer.intake.records import IMPLAUSIBLE_FEN, Accepted, Field, IntakeOptions, NoticeCode, Rejected
from dialer.language.words import bilingual
from tests.intake.in_process import read_list

NOW = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
OPTIONS = IntakeOptions(now=NOW)
WHOLE = {
    "指令编号": "YJ1",
    "来源": "银行",
    "预警类型": "资金",
    "诈骗类型": "虚假贷款",
    "等级": "高危",
    "姓名": "王　伟",
    "手机号": "138 0013 8000/0478-8221234",
    "身份证号": "11010519491231002x",
    "地址": "胜利路1号",
    "属地": "五原县公安局",
    "家属联系人": "妻子 13900139000",
    "涉诈号码": "008512345678",
    "涉诈网址": "http://sample.invalid",
    "涉诈APP": "速贷宝",
    "涉诈账号": "6222000000000000000",
    "通话时长": "2分5秒",
    "拟转金额": "3万元",
    "已转金额": "12.5",
    "事件时间": "2026-11-24 20:00:00",
    "预警时间": "2026-11-24 20:05",
    "失效时间": "2026-11-30",
    "标签": "老年",
    "备注": "已报警",
}


def read_one(row: dict[str, str], **options: object) -> Accepted | Rejected:
    text = "\t".join(row) + "\n" + "\t".join(row.values()) + "\n"
    changed = dataclasses.replace(OPTIONS, **options)
    (result,) = read_list(text.encode(), filename="名单.csv", options=changed)
    return result


def accepted(row: dict[str, str], **options: object) -> Accepted:
    result = read_one(row, **options)
    assert isinstance(result, Accepted), result
    return result


def rejected(row: dict[str, str], **options: object) -> Rejected:
    result = read_one(row, **options)
    assert isinstance(result, Rejected), result
    return result


def codes(result: Accepted) -> list[NoticeCode]:
    return [notice.code for notice in result.notices]


def test_every_field_of_a_whole_row_is_read():
    result = accepted(WHOLE)
    record = result.record
    assert result.notices == ()
    assert result.line == 2
    assert dataclasses.asdict(record) == {
        "source": "银行",
        "instruction_no": "YJ1",
        "instruction_derived": False,
        "kind": WarningKind.FUND,
        "fraud_type": FraudType.LOAN,
        "grade": Grade.HIGH,
        "name": "王伟",
        "phones": ("+8613800138000", "+864788221234"),
        "id_number": "11010519491231002X",
        "id_valid": True,
        "address": "胜利路1号",
        "coordinates": "",
        "unit": "五原县公安局",
        "family_contact": "妻子 13900139000",
        "fraud_numbers": "008512345678",
        "fraud_url": "http://sample.invalid",
        "fraud_app": "速贷宝",
        "fraud_account": "6222000000000000000",
        "talk_seconds": 125,
        "amount_at_risk_fen": 3_000_000,
        "amount_paid_fen": 1250,
        "event_at": datetime(2026, 11, 24, 12, 0, tzinfo=UTC),
        "produced_at": datetime(2026, 11, 24, 12, 5, tzinfo=UTC),
        "expires_at": datetime(2026, 11, 30, 16, 0, tzinfo=UTC),
        "tags": frozenset({Tag.ELDERLY}),
        "remarks": "已报警",
        "missed": False,
        "raw": tuple(WHOLE.values()),
    }
    assert record.key == ("银行", "YJ1")


@pytest.mark.parametrize(
    "cells",
    [
        {"经纬度": "107.4167,40.7574"},
        {"坐标": "北纬40.7574 东经107.4167"},
        {"经度": "107.4167", "纬度": "40.7574"},
        {"纬度": "40.7574", "经度": "107.4167"},
    ],
)
def test_a_place_is_read_from_one_column_or_two(cells: dict[str, str]):
    result = accepted(WHOLE | cells)
    assert result.record.coordinates == "40.757400,107.416700"
    assert result.notices == ()


def test_a_phone_is_enough():
    record = accepted({"手机号": "13800138000"}).record
    assert record.phones == ("+8613800138000",)
    assert (record.grade, record.fraud_type, record.kind) == (
        Grade.MEDIUM,
        FraudType.UNKNOWN,
        WarningKind.UNKNOWN,
    )
    assert (record.event_at, record.produced_at, record.expires_at) == (None, None, None)
    assert (record.amount_at_risk_fen, record.amount_paid_fen, record.talk_seconds) == (None, None, None)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"手机号": ""}, Field.PHONE),
        ({"手机号": "见备注"}, Field.PHONE),
        ({"手机号": "1.38E+10"}, Field.PHONE),
        ({"手机号": "12345/999"}, Field.PHONE),
        ({"等级": "紫色"}, Field.GRADE),
        ({"拟转金额": "若干"}, Field.AMOUNT_AT_RISK),
        ({"已转金额": "-1"}, Field.AMOUNT_PAID),
        ({"事件时间": "昨天"}, Field.EVENT_AT),
        ({"预警时间": "2026-02-30"}, Field.PRODUCED_AT),
        ({"失效时间": "以后"}, Field.EXPIRES_AT),
        ({"等级": "低危", "失效时间": "2026-11-24"}, Field.EXPIRES_AT),
        ({"等级": "中危", "失效时间": "2026-11-25 08:59"}, Field.EXPIRES_AT),
    ],
)
def test_a_row_is_refused_only_for_these(change: dict[str, str], field: Field):
    result = rejected(WHOLE | change)
    heading = next(heading for heading in reversed(change) if heading != "等级" or field is Field.GRADE)
    assert (result.line, result.field, result.column) == (2, field, heading)
    assert result.raw == tuple((WHOLE | change).values())


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"身份证号": "110105194912310021"}, NoticeCode.ID_INVALID),
        ({"身份证号": "E12345678"}, NoticeCode.ID_INVALID),
        ({"身份证号": "1.10105E+17"}, NoticeCode.ID_DIGITS_LOST),
        ({"指令编号": "2.02611E+17"}, NoticeCode.NUMBER_DIGITS_LOST),
        ({"诈骗类型": "新型骗局"}, NoticeCode.FRAUD_TYPE_UNKNOWN),
        ({"预警类型": "其他"}, NoticeCode.KIND_UNKNOWN),
        ({"等级": ""}, NoticeCode.GRADE_DEFAULTED),
        ({"手机号": "13800138000/123"}, NoticeCode.PHONE_PART_UNUSABLE),
        ({"通话时长": "很久"}, NoticeCode.TALK_UNREADABLE),
        ({"经纬度": "胜利路口"}, NoticeCode.PLACE_UNREADABLE),
        ({"经度": "40.7574"}, NoticeCode.PLACE_UNREADABLE),
        ({"标签": "独居"}, NoticeCode.TAG_UNKNOWN),
        ({"事件时间": "2026-12-01"}, NoticeCode.TIME_IN_FUTURE),
        ({"失效时间": "2026-11-24"}, NoticeCode.MISSED),
    ],
)
def test_anything_else_is_accepted_with_a_notice_that_names_its_column(
    change: dict[str, str], code: NoticeCode
):
    result = accepted(WHOLE | change)
    assert [(notice.code, notice.column) for notice in result.notices] == [(code, next(iter(change)))]


@pytest.mark.parametrize("field", [key for key in WHOLE if key != "手机号"])
def test_an_empty_cell_other_than_the_phone_is_never_a_reason_to_refuse(field: str):
    for blank in ("", "  ", "-", "无", "/"):
        accepted(WHOLE | {field: blank})


def test_a_blank_expiry_never_expires():
    record = accepted(WHOLE | {"失效时间": ""}).record
    assert (record.expires_at, record.missed) == (None, False)


@pytest.mark.parametrize("grade", ["高危", "特高危"])
def test_an_expired_high_grade_is_a_missed_case(grade: str):
    result = accepted(WHOLE | {"等级": grade, "失效时间": "2026-11-24 08:00"})
    assert result.record.missed


def test_the_default_grade_decides_whether_an_expired_row_is_missed_or_refused():
    row = WHOLE | {"等级": "", "失效时间": "2026-11-24"}
    assert accepted(row, default_grade=Grade.HIGH).record.missed
    assert rejected(row, default_grade=Grade.LOW).field is Field.EXPIRES_AT


def test_what_expires_now_is_expired_and_a_second_later_is_not():
    assert rejected(WHOLE | {"等级": "低", "失效时间": "2026-11-25 09:00:00"}).field is Field.EXPIRES_AT
    assert not accepted(WHOLE | {"等级": "低", "失效时间": "2026-11-25 09:00:01"}).record.missed


def test_what_expires_today_is_good_until_midnight():
    assert not accepted(WHOLE | {"等级": "低", "失效时间": "2026-11-25"}).record.missed


@pytest.mark.parametrize(
    ("grade", "is_high"),
    [("高危", True), ("特高危", True), ("中危", False), ("低危", False), ("", False), ("紫", False)],
)
def test_a_refused_row_says_whether_its_grade_was_high(grade: str, is_high: bool):
    assert rejected(WHOLE | {"手机号": "", "等级": grade}).high_grade is is_high


def test_a_high_grade_with_an_unreadable_amount_still_raises_the_alarm():
    assert rejected(WHOLE | {"拟转金额": "若干"}).high_grade


def test_several_faults_are_all_told_and_the_first_column_named():
    result = rejected(WHOLE | {"手机号": "", "等级": "紫色", "拟转金额": "若干"})
    assert result.column == "手机号"
    assert all(word in bilingual(result.reason) for word in ("手机号", "紫色", "若干"))


def test_a_reason_has_no_phone_and_no_name_in_clear():
    reason = bilingual(rejected(WHOLE | {"手机号": "138001380001", "拟转金额": "付13800138000"}).reason)
    assert "138001380001" not in reason
    assert "13800138000" not in reason
    assert "王" not in reason


def test_two_phone_columns_give_both_numbers():
    record = accepted({"姓名": "王伟", "手机号": "13800138000", "备用电话": "13900139000"}).record
    assert record.phones == ("+8613800138000", "+8613900139000")


def test_one_usable_column_of_two_is_enough():
    assert accepted({"姓名": "王伟", "手机号": "无", "备用电话": "13900139000"}).record.phones == (
        "+8613900139000",
    )


def test_the_source_is_the_column_else_the_option_else_the_file_name():
    assert accepted(WHOLE, source="市局").record.source == "银行"
    assert accepted(WHOLE | {"来源": ""}, source="市局").record.source == "市局"
    assert accepted(WHOLE | {"来源": ""}).record.source == "名单"


def test_the_file_name_is_a_source_without_its_folders_and_ending():
    data = "手机号\n13800138000\n".encode()
    for filename in ("/srv/in/名单.csv", r"C:\in\名单.xlsx"):
        (result,) = read_list(data, filename=filename, options=OPTIONS)
        assert isinstance(result, Accepted)
        assert result.record.source == "名单"


def test_a_missing_instruction_number_is_derived_and_always_the_same():
    row = WHOLE | {"指令编号": ""}
    first, second = accepted(row).record, accepted(row).record
    assert first.instruction_derived
    assert first.key == second.key
    reordered = accepted(row | {"手机号": "04788221234、+86 13800138000"}).record
    assert reordered.key == first.key


@pytest.mark.parametrize(
    "change",
    [
        {"来源": "运营商"}, {"姓名": "王微"}, {"手机号": "13800138000"}, {"身份证号": ""}, {"诈骗类型": "虚假征信"},
        {"预警时间": "2026-11-24 20:06"},
    ],
)  # fmt: skip
def test_a_derived_number_differs_when_the_warning_does(change: dict[str, str]):
    row = WHOLE | {"指令编号": ""}
    assert accepted(row).record.instruction_no != accepted(row | change).record.instruction_no


def test_a_derived_number_tells_nothing_and_depends_on_the_key():
    row = WHOLE | {"指令编号": ""}
    number = accepted(row, derive_key=b"one").record.instruction_no
    assert number != accepted(row, derive_key=b"two").record.instruction_no
    assert re.fullmatch("D-[0-9a-f]{32}", number)
    assert "13800138000" not in number


def test_what_does_not_enter_the_derived_number_does_not_change_it():
    row = WHOLE | {"指令编号": ""}
    assert (
        accepted(row).record.instruction_no
        == accepted(row | {"备注": "x", "等级": "低"}).record.instruction_no
    )


def test_a_mark_for_nothing_is_nothing_in_every_column():
    """Two people without a name were one person where they shared a landline."""
    marks = ("无", "#N/A", "-", "／", "暂无", "(NULL)")
    columns = ("姓名", "属地", "来源", "指令编号", "地址", "备注")
    for shift in range(len(marks)):
        row = {name: marks[(place + shift) % len(marks)] for place, name in enumerate(columns)}
        result = accepted(WHOLE | row, source="名单", known_units={"临河"})
        record = result.record
        assert (record.name, record.unit, record.address, record.remarks) == ("", "", "", "")
        assert (record.source, record.instruction_derived, codes(result)) == ("名单", True, [])


def test_unknown_columns_are_kept_in_the_remarks():
    record = accepted({"手机号": "13800138000", "备注": "独居", "职业": "教师", "天气": ""}).record
    assert record.remarks == "独居；职业：教师"


def test_an_implausible_amount_is_unknown_and_kept_until_somebody_believes_it():
    row = {"手机号": "13800138000", "等级": "高危", "涉案金额": "500000000000", "备注": "独居"}
    result = accepted(row)
    assert (result.record.amount_at_risk_fen, codes(result)) == (None, [NoticeCode.AMOUNT_IMPLAUSIBLE])
    assert result.record.remarks == "独居；涉案金额：500000000000"
    believed = accepted(row, believes_amounts=True)
    assert (believed.record.amount_at_risk_fen, codes(believed)) == (50_000_000_000_000, [])
    largest = accepted(row | {"涉案金额": str(IMPLAUSIBLE_FEN // 100)})
    assert (largest.record.amount_at_risk_fen, codes(largest)) == (IMPLAUSIBLE_FEN, [])


def test_more_cells_than_headings_are_kept_and_noticed():
    data = "姓名,手机号,备注\n王伟,13800138000,甲,乙\n".encode()
    (result,) = read_list(data, filename="a.csv", options=OPTIONS)
    assert isinstance(result, Accepted)
    assert result.record.remarks == "甲；乙"
    assert codes(result) == [NoticeCode.GRADE_DEFAULTED, NoticeCode.EXTRA_CELLS]


def test_fewer_cells_than_headings_are_empty_ones():
    (result,) = read_list(
        "手机号,姓名,等级,备注\n13800138000,王伟\n".encode(), filename="a.csv", options=OPTIONS
    )
    assert isinstance(result, Accepted)
    assert (result.record.name, result.record.remarks) == ("王伟", "")


def test_a_fraud_type_written_under_the_kind_is_read_as_one():
    record = accepted({"预警类型": "刷单返利", "手机号": "13800138000"}).record
    assert (record.kind, record.fraud_type) == (WarningKind.UNKNOWN, FraudType.FAKE_ORDER_REBATE)


@pytest.mark.parametrize(
    ("kind", "fraud_type", "read"),
    [
        ("刷单返利", "虚假贷款", (WarningKind.UNKNOWN, FraudType.LOAN)),
        ("刷单返利", "新型骗局", (WarningKind.UNKNOWN, FraudType.UNKNOWN)),
        ("网络贷款", "", (WarningKind.WEB_APP, FraudType.LOAN)),
        ("网络贷款", "无", (WarningKind.WEB_APP, FraudType.LOAN)),
        ("资金", "", (WarningKind.FUND, FraudType.UNKNOWN)),
    ],
)
def test_a_fraud_type_of_its_own_column_stands(kind: str, fraud_type: str, read: tuple[object, object]):
    record = accepted({"预警类型": kind, "诈骗类型": fraud_type, "手机号": "13800138000"}).record
    assert (record.kind, record.fraud_type) == read


def test_amounts_under_a_heading_in_ten_thousands():
    record = accepted({"手机号": "13800138000", "拟转金额（万元）": "1.5"}).record
    assert record.amount_at_risk_fen == 1_500_000


def test_units_are_noticed_only_against_a_list_of_known_ones():
    assert codes(accepted(WHOLE)) == []
    assert codes(accepted(WHOLE, known_units=frozenset({"五原县公安局"}))) == []
    assert codes(accepted(WHOLE, known_units=frozenset({"磴口县公安局"}))) == [NoticeCode.UNIT_UNKNOWN]


def test_clocks_may_differ_a_little_before_a_time_is_in_the_future():
    near = (NOW + timedelta(minutes=5)).isoformat()
    assert codes(accepted(WHOLE | {"预警时间": near})) == []


@pytest.mark.parametrize(
    "payload", ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "<script>alert(1)</script>"]
)
def test_cells_that_look_like_formulas_or_markup_are_text(payload: str):
    record = accepted(WHOLE | {"姓名": payload, "备注": payload, "地址": payload}).record
    assert record.name == payload
    assert (record.remarks, record.address) == (payload, payload)


@pytest.mark.parametrize("heading", ["指令编号", "来源"])
def test_a_text_too_long_to_be_an_index_key_keeps_its_beginning_and_stays_the_same(heading: str):
    long = "𠀀" * 6000
    one, again, other = (accepted(WHOLE | {heading: text}).record for text in (long, long, long + "1"))
    assert one.key == again.key != other.key
    assert max(len(part) for part in one.key) <= 200
    assert sum(len(part.encode()) for part in one.key) < 2704
    assert long[:100] in one.key[0 if heading == "来源" else 1]


def test_a_number_of_any_real_length_is_kept_as_it_is():
    assert accepted(WHOLE | {"指令编号": "9" * 200}).record.instruction_no == "9" * 200
