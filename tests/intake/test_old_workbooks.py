from __future__ import annotations

from datetime import UTC, datetime

from dialer.intake.records import Accepted, IntakeOptions, Rejected
from tests.intake.in_process import read_list
from tests.intake.old_workbook import biff, ole

OPTIONS = IntakeOptions(now=datetime(2026, 11, 25, 1, 0, tzinfo=UTC))


def test_an_old_workbook_is_read_like_a_new_one():
    data = ole(
        biff(
            [
                ["下发名单"],
                [],
                ["姓名", "手机号", "等级", "拟转金额"],
                ["王伟", 13800138000.0, "高危", 3000.0],
                ["李娜", "139-0013-9000", 1.0, "3万元"],
                ["赵云", "1.38E+10", "低危", ""],
                ["合计", 3.0, "", ""],
            ],
            "名单",
        )
    )
    reader = read_list(data, filename="名单.xls", options=OPTIONS)
    first, second, third = list(reader)
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert isinstance(third, Rejected)
    assert (first.line, first.sheet, first.record.phones) == (4, "名单", ("+8613800138000",))
    assert (second.record.grade.value, second.record.amount_at_risk_fen) == ("high", 3_000_000)
    assert third.column == "手机号"
    assert reader.skipped == 3
