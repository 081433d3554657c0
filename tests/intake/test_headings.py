from __future__ import annotations

import pytest

from dialer.intake.headings import field_of, fields_of, seconds_per_unit, yuan_per_unit
from dialer.intake.records import Column, Field

VARIANTS = {
    Field.INSTRUCTION_NO: ["指令编号", "指令 编号", "预警编号", "线索编号", "Instruction No.", "instruction_no"],
    Field.SOURCE: ["来源", "数据来源", "Source"],
    Field.KIND: ["预警类型", "预警类别", "Kind"],
    Field.FRAUD_TYPE: ["诈骗类型", "涉诈类型", "案件类别", "Fraud Type", "fraud-type"],
    Field.GRADE: ["等级", "预警等级", "风险等级", "级别", "危险等级", "等级（高/中/低）", "Grade", "Risk Level"],
    Field.NAME: [
        "姓名", "姓　名", "姓\n名", "被害人姓名",
        "潜在受害人姓名", "预警对象姓名", "Name", "*姓名", "姓名：", "Full Name"],
    Field.PHONE: [
        "手机号", "手机号码", "手 机 号", "联系电话", "联系\n电话", "电话", "电话号码", "联系方式", "手机号（必填）",
        "手机号1",
        "被害人手机号码", "潜在受害人联系电话", "被叫号码", "Phone", "PHONE", "Ｐｈｏｎｅ", "Mobile", "Phone Number",
        "tel.",
        "\ufeff手机号", "备用电话", "移动电话", "固定电话",
    ],
    Field.ID_NUMBER: [
        "身份证号", "证件号", "证件号码", "身份证号码", "公民身份号码",
        "受害人身份证号", "ID Number", "id_card"],
    Field.ADDRESS: ["地址", "家庭住址", "现住址", "户籍地址", "Address"],
    Field.UNIT: ["属地", "属地机构", "所属单位", "派出所", "Unit"],
    Field.COORDINATES: ["经纬度", "坐标", "经度", "纬度", "Longitude", "Latitude"],
    Field.FAMILY_CONTACT: ["家属联系人", "家属电话", "监护人电话", "Family Contact"],
    Field.FRAUD_NUMBERS: ["涉诈号码", "诈骗电话", "主叫号码", "嫌疑人电话", "Fraud Number"],
    Field.FRAUD_URL: ["涉诈网址", "网址", "Fraud URL"],
    Field.FRAUD_APP: ["涉诈APP", "涉诈app", "Fraud App"],
    Field.FRAUD_ACCOUNT: ["涉诈账号", "收款账号", "Fraud Account"],
    Field.TALK_SECONDS: ["通话时长", "通话时长（秒）", "Talk Seconds"],
    Field.AMOUNT_AT_RISK: ["拟转金额", "拟转金额（元）", "拟转金额(万元)", "Amount at Risk"],
    Field.AMOUNT_PAID: ["已转金额", "被骗金额", "Amount Paid"],
    Field.EVENT_AT: ["事件时间", "发生时间", "Event Time"],
    Field.PRODUCED_AT: ["预警时间", "下发时间", "Produced Time", "produced_at"],
    Field.EXPIRES_AT: ["失效时间", "有效期至", "过期时间", "Expires", "Expiry Time"],
    Field.TAGS: ["标签", "人员标签", "Tags"],
    Field.REMARKS: ["备注", "备 注", "Remarks", "Notes"],
    Field.ROW_NUMBER: ["序号", "序 号", "No.", "#"],
    Field.REJECTION: ["拒绝列", "拒绝原因"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("heading", "field"), [(word, field) for field, words in VARIANTS.items() for word in words]
)
def test_headings_in_their_variants(heading: str, field: Field):
    assert field_of(heading) is field


def test_every_field_is_tried_above():
    assert set(VARIANTS) == set(Field)


@pytest.mark.parametrize(
    "heading", ["", "民警", "民警电话", "办案单位电话", "王伟", "13800138000", "天气", "手机品牌", "x" * 500]
)
def test_other_headings_stand_for_nothing(heading: str):
    assert field_of(heading) is None


def test_somebody_elses_number_is_never_taken_for_the_targets():
    headings = ["姓名", "手机号", "家属电话", "涉诈号码", "民警电话", "主叫号码", "被叫号码"]
    found = fields_of(headings)
    assert [heading for heading, field in zip(headings, found, strict=True) if field is Field.PHONE] == [
        "手机号",
        "被叫号码",
    ]


def test_of_two_columns_for_one_field_the_first_counts_and_the_other_is_kept_aside():
    assert fields_of(["姓名", "手机号", "备用电话", "被害人姓名"]) == (
        Field.NAME,
        Field.PHONE,
        Field.PHONE,
        None,
    )


def test_a_vague_heading_stands_in_only_where_there_is_no_clear_one():
    assert fields_of(["姓名", "号码"]) == (Field.NAME, Field.PHONE)
    assert fields_of(["姓名", "号码", "手机号"]) == (Field.NAME, None, Field.PHONE)
    assert fields_of(["编号", "手机号"]) == (Field.INSTRUCTION_NO, Field.PHONE)
    assert fields_of(["编号", "指令编号", "手机号"]) == (None, Field.INSTRUCTION_NO, Field.PHONE)


def test_units_in_headings():
    assert (yuan_per_unit("拟转金额（万元）"), yuan_per_unit("拟转金额（元）")) == (10_000, 1)
    assert (seconds_per_unit("通话时长（分钟）"), seconds_per_unit("通话时长")) == (60, 1)


@pytest.mark.parametrize(
    ("index", "letter"), [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ"), (702, "AAA")]
)
def test_columns_are_lettered_as_in_a_spreadsheet(index: int, letter: str):
    assert Column(table=0, sheet="", index=index, heading="", field=None).letter == letter
