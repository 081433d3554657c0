"""What a rejected warning's sender is told: the field, why, and how to mend it. Never what the field held."""

from __future__ import annotations

from typing import Final

from dialer.usecases.take_warnings import Fault, FaultCode
from dialer.web.api.items import Misshapen, ShapeCode
from dialer.web.api.models import FaultOut

_MOMENT: Final = ("时间无法识别 (date not readable)", "如 2026-11-25T09:30:00+08:00 (write it like this)")
_AMOUNT: Final = ("金额无法识别 (amount not readable)", "如 12000.50 或 3万元 (write it like 12000.50)")
_READ: Final = {
    ("phones", FaultCode.MISSING): ("没有手机号 (no phone number)", "补上完整号码 (add the full number)"),
    ("phones", FaultCode.UNUSABLE): (
        "没有可拨打的号码 (no number that can be rung)",
        "改为完整号码 (give the full number)",
    ),
    ("grade", FaultCode.UNREADABLE): (
        "等级无法识别 (grade not readable)",
        "特高危/高危/中危/低危 (extra_high, high, medium or low)",
    ),
    ("amount_at_risk", FaultCode.UNREADABLE): _AMOUNT,
    ("amount_paid", FaultCode.UNREADABLE): _AMOUNT,
    ("event_at", FaultCode.UNREADABLE): _MOMENT,
    ("produced_at", FaultCode.UNREADABLE): _MOMENT,
    ("expires_at", FaultCode.UNREADABLE): _MOMENT,
    ("expires_at", FaultCode.EXPIRED): (
        "已失效 (expired)",
        "如仍有效请改失效时间 (if it still holds, mend the expiry time)",
    ),
}
_SHAPE: Final = {
    ShapeCode.NOT_AN_OBJECT: (
        "不是对象 (not an object)",
        "每条预警为一个对象 (send each warning as an object)",
    ),
    ShapeCode.UNKNOWN_FIELD: ("没有这个字段 (no such field)", "见 /api/v1/openapi.json (see there)"),
    ShapeCode.MISSING: ("缺少该字段 (the field is missing)", "补上该字段 (add it)"),
    ShapeCode.WRONG_TYPE: ("类型不对 (wrong type)", "见 /api/v1/openapi.json (see there)"),
    ShapeCode.TOO_LONG: ("太长 (too long)", "见 /api/v1/openapi.json (see there)"),
    ShapeCode.OUT_OF_RANGE: ("超出范围 (out of range)", "见 /api/v1/openapi.json (see there)"),
    ShapeCode.TWICE: ("同一金额给了两次 (one sum given twice)", "只留其一 (keep one of the two)"),
}
_MONEY: Final = frozenset({"amount_at_risk", "amount_paid"})


def of_reading(fault: Fault) -> FaultOut:
    """A warning that breaks the rules of a list's rows."""
    reason, mend = _READ[fault.field, fault.code]
    return FaultOut(field=fault.field, code=fault.code.value, reason=reason, mend=mend)


def of_shape(misshapen: Misshapen) -> FaultOut:
    """An object that is no warning."""
    reason, mend = _SHAPE[misshapen.code]
    if misshapen.nearest:
        mend = f"是否为 {misshapen.nearest} (did you mean {misshapen.nearest}?)"
    elif misshapen.code is ShapeCode.WRONG_TYPE and misshapen.field in _MONEY:
        name = misshapen.field
        mend = f'元写成文本 "12000.50"，分用整数 {name}_fen (yuan as text, or whole fen as {name}_fen)'
    elif misshapen.code is ShapeCode.WRONG_TYPE and misshapen.field == "phones":
        mend = '号码写成文本 "13800138000" (numbers as text, in quotes)'
    return FaultOut(field=misshapen.field, code=misshapen.code.value, reason=reason, mend=mend)
