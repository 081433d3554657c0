"""What a rejected warning's sender is told: the field, why, and how to mend it. Never what the field held."""

from __future__ import annotations

from typing import Final

from dialer.language import Text, bilingual, mark
from dialer.usecases.take_warnings import Fault, FaultCode
from dialer.web.api.items import Misshapen, ShapeCode
from dialer.web.api.models import FaultOut

_MOMENT: Final = (mark("date not readable"), mark("write it like this"))
_AMOUNT: Final = (mark("amount not readable"), mark("write it like 12000.50"))
_READ: Final = {
    ("phones", FaultCode.MISSING): (mark("no phone number"), mark("add the full number")),
    ("phones", FaultCode.UNUSABLE): (
        mark("no number that can be rung"),
        mark("give the full number"),
    ),
    ("grade", FaultCode.UNREADABLE): (
        mark("grade not readable"),
        mark("extra_high, high, medium or low"),
    ),
    ("amount_at_risk", FaultCode.UNREADABLE): _AMOUNT,
    ("amount_paid", FaultCode.UNREADABLE): _AMOUNT,
    ("event_at", FaultCode.UNREADABLE): _MOMENT,
    ("produced_at", FaultCode.UNREADABLE): _MOMENT,
    ("expires_at", FaultCode.UNREADABLE): _MOMENT,
    ("expires_at", FaultCode.EXPIRED): (
        mark("expired"),
        mark("if it still holds, mend the expiry time"),
    ),
}
_SHAPE: Final = {
    ShapeCode.NOT_AN_OBJECT: (
        mark("not an object"),
        mark("send each warning as an object"),
    ),
    ShapeCode.UNKNOWN_FIELD: (mark("no such field"), mark("see there")),
    ShapeCode.MISSING: (mark("the field is missing"), mark("add it")),
    ShapeCode.WRONG_TYPE: (mark("wrong type"), mark("see there")),
    ShapeCode.TOO_LONG: (mark("too long"), mark("see there")),
    ShapeCode.OUT_OF_RANGE: (mark("out of range"), mark("see there")),
    ShapeCode.TWICE: (mark("one sum given twice"), mark("keep one of the two")),
}
_MONEY: Final = frozenset({"amount_at_risk", "amount_paid"})


def of_reading(fault: Fault) -> FaultOut:
    """A warning that breaks the rules of a list's rows."""
    reason, mend = _READ[fault.field, fault.code]
    return FaultOut(field=fault.field, code=fault.code.value, reason=bilingual(reason), mend=bilingual(mend))


def of_shape(misshapen: Misshapen) -> FaultOut:
    """An object that is no warning."""
    reason, advice = _SHAPE[misshapen.code]
    mend: str | Text = advice
    if misshapen.nearest:
        mend = Text("did you mean %(nearest)s?", nearest=misshapen.nearest)
    elif misshapen.code is ShapeCode.WRONG_TYPE and misshapen.field in _MONEY:
        name = misshapen.field
        mend = Text("yuan as text, or whole fen as %(name)s_fen", name=name)
    elif misshapen.code is ShapeCode.WRONG_TYPE and misshapen.field == "phones":
        mend = mark("numbers as text, in quotes")
    return FaultOut(
        field=misshapen.field, code=misshapen.code.value, reason=bilingual(reason), mend=bilingual(mend)
    )
