"""POST /warnings: JSON objects are read as the cells of a list's row, and each is answered with its result. The answer
to a rejected one names the field, the reason and the correction, and never repeats what the field contained.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import ValidationError

from dialer.api.gate import MayWriteWarnings, parsed, process_of, read_body
from dialer.api.models import (
    MOST_WARNINGS,
    FaultOut,
    FieldProblem,
    NoticeOut,
    Problem,
    ProblemCode,
    WarningIn,
    WarningOut,
    WarningsOut,
    problems,
    warnings_body,
)
from dialer.case_page.reading import StepOut
from dialer.core.text import Text, gettext_noop
from dialer.core.values import Grade
from dialer.intake.cells import Unreadable, read_grade
from dialer.intake.records import Field
from dialer.language.words import bilingual
from dialer.runtime.services import Services
from dialer.staff.token_store import ApiToken
from dialer.warnings.deliveries import (
    NAMES,
    Cells,
    Fault,
    FaultCode,
    WarningDelivery,
    WarningResult,
    WarningStatus,
    read_warnings,
)

_FEN: Final = {Field.AMOUNT_AT_RISK: "amount_at_risk_fen", Field.AMOUNT_PAID: "amount_paid_fen"}
_SHOWN_NAME: Final = 60
_LONG = frozenset({"string_too_long", "too_long"})
_RANGE = frozenset({"greater_than_equal", "less_than_equal"})


class ShapeCode(StrEnum):
    """Why an object does not have the form of a warning."""

    NOT_AN_OBJECT = "not_an_object"
    UNKNOWN_FIELD = "unknown_field"
    MISSING = "missing"
    WRONG_TYPE = "wrong_type"
    TOO_LONG = "too_long"
    OUT_OF_RANGE = "out_of_range"
    TWICE = "twice"


@dataclass(frozen=True, slots=True, kw_only=True)
class MalformedItem:
    """An object that does not have the form of a warning: its wrong field; `nearest` is what was perhaps meant."""

    field: str
    code: ShapeCode
    nearest: str = ""
    high_grade: bool = False


def read_item(value: Any) -> Cells | MalformedItem:  # noqa: ANN401  # JSON may be anything
    """The warning as text cells by field, or why it does not have the form of a warning."""
    if not isinstance(value, dict):
        return MalformedItem(field="", code=ShapeCode.NOT_AN_OBJECT)
    try:
        item = WarningIn.model_validate(value)
    except ValidationError as fault:
        return _misshapen(fault, value)
    cells: dict[Field, str] = {}
    for field, name in NAMES.items():
        held = getattr(item, name)
        fen = getattr(item, _FEN[field]) if field in _FEN else None
        if fen is not None:
            if held is not None and held.strip():
                return MalformedItem(field=_FEN[field], code=ShapeCode.TWICE, high_grade=_is_high(value))
            held = f"{fen // 100}.{fen % 100:02d}"
        if held is not None:
            cells[field] = ",".join(held) if isinstance(held, list) else str(held)
    return cells


def _nearest(field: str) -> str:
    """The field that was perhaps meant. Of a name cut short every longer one: `amount` alone may be either sum."""
    known = list(WarningIn.model_fields)
    stem = field.removesuffix("_fen")
    longer = [
        name for name in known if name.startswith(f"{stem}_") and name.endswith("_fen") == (stem != field)
    ]
    return " / ".join(longer or difflib.get_close_matches(field, known, n=1, cutoff=0.5))


def _misshapen(fault: ValidationError, value: Mapping[str, Any]) -> MalformedItem:
    errors = fault.errors(include_url=False, include_input=False, include_context=False)
    # A misspelt name says more than what is missing because of it.
    first = next((error for error in errors if error["type"] == "extra_forbidden"), errors[0])
    field = str(first["loc"][0])
    kinds = {error["type"] for error in errors if str(error["loc"][0]) == field}
    high = _is_high(value)
    if "extra_forbidden" in kinds:
        shown = field[:_SHOWN_NAME]
        return MalformedItem(
            field=shown, code=ShapeCode.UNKNOWN_FIELD, nearest=_nearest(shown), high_grade=high
        )
    if "missing" in kinds:
        code = ShapeCode.MISSING
    elif kinds & _LONG:
        code = ShapeCode.TOO_LONG
    else:
        code = ShapeCode.OUT_OF_RANGE if kinds & _RANGE else ShapeCode.WRONG_TYPE
    return MalformedItem(field=field, code=code, high_grade=high)


def _is_high(value: Mapping[str, Any]) -> bool:
    word = value.get("grade")
    try:
        grade: Grade | None = read_grade(word) if isinstance(word, str) else None
    except Unreadable:
        return False
    return grade is not None and grade.is_high


_MOMENT: Final = (gettext_noop("date not readable"), gettext_noop("write it like this"))
_AMOUNT: Final = (gettext_noop("amount not readable"), gettext_noop("write it like 12000.50"))
_READ: Final = {
    ("phones", FaultCode.MISSING): (gettext_noop("no phone number"), gettext_noop("add the full number")),
    ("phones", FaultCode.UNUSABLE): (
        gettext_noop("no number that can be called"),
        gettext_noop("give the full number"),
    ),
    ("source", FaultCode.NOT_YOURS): (
        gettext_noop("is not a source for which you may send"),
        gettext_noop("send it with that source's token"),
    ),
    ("grade", FaultCode.UNREADABLE): (
        gettext_noop("grade not readable"),
        gettext_noop("extra_high, high, medium or low"),
    ),
    ("amount_at_risk", FaultCode.UNREADABLE): _AMOUNT,
    ("amount_paid", FaultCode.UNREADABLE): _AMOUNT,
    ("event_at", FaultCode.UNREADABLE): _MOMENT,
    ("produced_at", FaultCode.UNREADABLE): _MOMENT,
    ("expires_at", FaultCode.UNREADABLE): _MOMENT,
    ("expires_at", FaultCode.EXPIRED): (
        gettext_noop("expired"),
        gettext_noop("if it still holds, correct the expiry time"),
    ),
}
_SHAPE: Final = {
    ShapeCode.NOT_AN_OBJECT: (gettext_noop("not an object"), gettext_noop("send each warning as an object")),
    ShapeCode.UNKNOWN_FIELD: (gettext_noop("no such field"), gettext_noop("see /api/v1/openapi.json")),
    ShapeCode.MISSING: (gettext_noop("the field is missing"), gettext_noop("add it")),
    ShapeCode.WRONG_TYPE: (gettext_noop("wrong type"), gettext_noop("see /api/v1/openapi.json")),
    ShapeCode.TOO_LONG: (gettext_noop("too long"), gettext_noop("see /api/v1/openapi.json")),
    ShapeCode.OUT_OF_RANGE: (gettext_noop("out of range"), gettext_noop("see /api/v1/openapi.json")),
    ShapeCode.TWICE: (gettext_noop("one sum given twice"), gettext_noop("keep one of the two")),
}
_MONEY: Final = frozenset({"amount_at_risk", "amount_paid"})


def fault_of_warning(fault: Fault) -> FaultOut:
    """The answer for a warning that breaks the rules of a list's rows."""
    reason, fix = _READ[fault.field, fault.code]
    return FaultOut(field=fault.field, code=fault.code.value, reason=bilingual(reason), fix=bilingual(fix))


def fault_of_item(malformed: MalformedItem) -> FaultOut:
    """The answer for an object that does not have the form of a warning."""
    reason, advice = _SHAPE[malformed.code]
    fix: str | Text = advice
    if malformed.nearest:
        fix = Text("did you mean %(nearest)s?", nearest=malformed.nearest)
    elif malformed.code is ShapeCode.WRONG_TYPE and malformed.field in _MONEY:
        name = malformed.field
        fix = Text("yuan as text, or whole fen as %(name)s_fen", name=name)
    elif malformed.code is ShapeCode.WRONG_TYPE and malformed.field == "phones":
        fix = gettext_noop("numbers as text, in quotes")
    return FaultOut(
        field=malformed.field, code=malformed.code.value, reason=bilingual(reason), fix=bilingual(fix)
    )


warnings_router: Final = APIRouter()


@warnings_router.post(
    "/warnings",
    summary="发送预警 · Send warnings",
    response_model=WarningsOut,
    responses=problems(400, 408, 413, 415, 422),
    openapi_extra=warnings_body(),
)
async def post_warnings(request: Request, token: MayWriteWarnings) -> Response:
    """一条或多条；入库提交后才返回，逐条说明结果。同一来源的同一指令编号重复发送不会重复处理。

    One warning or many. The answer comes after the commit and says of each what became of it. A source's instruction
    number is taken once, however often it is sent.
    """
    body = await read_body(request)
    process = process_of(request)
    items, delivery = await process.run(lambda: read(process.services, token, body))
    reply = _reply(items, await process.take(delivery), tells=token.sees_every_case)
    if reply.accepted:
        process.enqueue(["dial"])
    if reply.rejected == len(reply.results):
        raise _nothing_readable(reply)
    return Response(reply.model_dump_json(), media_type="application/json")


def read(
    services: Services, token: ApiToken, body: bytes
) -> tuple[list[Cells | MalformedItem], WarningDelivery]:
    """Every item that was sent, and the delivery of those that are warnings. Raises `Problem` 400 and 422."""
    items = [read_item(value) for value in _values(parsed(body))]
    cells = [item for item in items if not isinstance(item, MalformedItem)]
    high = sum(item.high_grade for item in items if isinstance(item, MalformedItem))
    return items, read_warnings(services, cells, token=token, misshapen_high=high)


def _reply(
    items: Sequence[Cells | MalformedItem], taken: Sequence[WarningResult], *, tells: bool
) -> WarningsOut:
    """The answer. Whether a warning joined a case would tell its sender that another source knows the person, so it
    does not say; `tells`: the sender may read any case, and is told which one it is.
    """
    answers = iter(taken)
    results = [
        WarningOut(index=index, status=WarningStatus.REJECTED, fault=fault_of_item(item))
        if isinstance(item, MalformedItem)
        else _result(index, next(answers), tells=tells)
        for index, item in enumerate(items)
    ]
    count = {status.value: sum(result.status is status for result in results) for status in WarningStatus}
    return WarningsOut(results=results, **count)


def _values(value: Any) -> list[Any]:  # noqa: ANN401  # JSON may be anything
    values = value if isinstance(value, list) else [value]
    if not 1 <= len(values) <= MOST_WARNINGS:
        raise Problem(
            422, ProblemCode.INVALID, Text("send 1 to %(most)s warnings at a time", most=MOST_WARNINGS)
        )
    return values


def _result(index: int, answer: WarningResult, *, tells: bool) -> WarningOut:
    joined = answer.status is WarningStatus.MERGED
    return WarningOut(
        index=index,
        status=WarningStatus.ACCEPTED if joined else answer.status,
        source=answer.source or None,
        instruction_no=answer.instruction_no or None,
        case_id=answer.case_id if tells else None,
        next_steps=[StepOut.model_validate(step) for step in answer.next_steps] if tells else [],
        notices=[
            NoticeOut(field=notice.column, code=notice.code, message=bilingual(notice.message))
            for notice in answer.notices
        ],
        fault=None if answer.fault is None else fault_of_warning(answer.fault),
    )


def _nothing_readable(reply: WarningsOut) -> Problem:
    return Problem(
        422,
        ProblemCode.INVALID,
        Text("no warning could be taken: correct them and send again"),
        errors=[
            FieldProblem(index=result.index, **result.fault.model_dump())
            for result in reply.results
            if result.fault is not None
        ],
    )
