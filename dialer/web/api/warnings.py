"""POST /warnings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from dialer.language import Text, bilingual
from dialer.store.tokens import Token
from dialer.usecases.engine import Engine
from dialer.usecases.take_warnings import Answer, Cells, Delivery, WarningStatus, read_warnings
from dialer.usecases.tell_case import StepOut
from dialer.web.api import faults
from dialer.web.api.body import parsed, read_body
from dialer.web.api.description import problems, warnings_body
from dialer.web.api.desk import MayWriteWarnings, desk_of
from dialer.web.api.items import Misshapen, read_item
from dialer.web.api.models import MOST_WARNINGS, NoticeOut, WarningOut, WarningsOut
from dialer.web.api.problems import FieldProblem, Problem, ProblemCode

router: Final = APIRouter()


@router.post(
    "/warnings",
    summary="发送预警 · Send warnings",
    response_model=WarningsOut,
    responses=problems(400, 408, 413, 415, 422),
    openapi_extra=warnings_body(),
)
async def post_warnings(request: Request, token: MayWriteWarnings) -> Response:
    """一条或多条；入库提交后才返回，逐条说明结果、预警单和下一步。同一来源的同一指令编号重复发送不会重复处理。

    One warning or many. The answer comes after the commit and says of each what became of it, its case and what
    happens next. A source's instruction number is taken once, however often it is sent.
    """
    body = await read_body(request)
    desk = desk_of(request)
    items, delivery = await desk.run(lambda: read(desk.engine, token, body))
    reply = _reply(items, await desk.take(delivery))
    if reply.accepted or reply.merged:
        desk.nudge_dialling()
    if reply.rejected == len(reply.results):
        raise _nothing_readable(reply)
    return Response(reply.model_dump_json(), media_type="application/json")


def read(engine: Engine, token: Token, body: bytes) -> tuple[list[Cells | Misshapen], Delivery]:
    """What was sent, and the part of it that can be taken. Raises `Problem` 400 and 422."""
    items = [read_item(value) for value in _values(parsed(body))]
    cells = [item for item in items if not isinstance(item, Misshapen)]
    high = sum(item.high_grade for item in items if isinstance(item, Misshapen))
    return items, read_warnings(engine, cells, token=token, misshapen_high=high)


def _reply(items: Sequence[Cells | Misshapen], told: Sequence[Answer]) -> WarningsOut:
    answers = iter(told)
    results = [
        _misshapen(index, item) if isinstance(item, Misshapen) else _told(index, next(answers))
        for index, item in enumerate(items)
    ]
    count = {status: sum(result.status is status for result in results) for status in WarningStatus}
    return WarningsOut(
        accepted=count[WarningStatus.ACCEPTED],
        merged=count[WarningStatus.MERGED],
        duplicate=count[WarningStatus.DUPLICATE],
        rejected=count[WarningStatus.REJECTED],
        results=results,
    )


def _values(value: Any) -> list[Any]:  # noqa: ANN401  # JSON may be anything
    values = value if isinstance(value, list) else [value]
    if not 1 <= len(values) <= MOST_WARNINGS:
        raise Problem(
            422,
            ProblemCode.INVALID,
            Text("send 1 to %(most)s warnings at a time", most=MOST_WARNINGS),
        )
    return values


def _misshapen(index: int, item: Misshapen) -> WarningOut:
    return WarningOut(index=index, status=WarningStatus.REJECTED, fault=faults.of_shape(item))


def _told(index: int, told: Answer) -> WarningOut:
    return WarningOut(
        index=index,
        status=told.status,
        source=told.source or None,
        instruction_no=told.instruction_no or None,
        case_id=told.case_id,
        next_steps=[StepOut.model_validate(step) for step in told.next_steps],
        notices=[
            NoticeOut(field=notice.column, code=notice.code, message=bilingual(notice.message))
            for notice in told.notices
        ],
        fault=None if told.fault is None else faults.of_reading(told.fault),
    )


def _nothing_readable(reply: WarningsOut) -> Problem:
    return Problem(
        422,
        ProblemCode.INVALID,
        Text("no warning could be taken: mend them and send again"),
        errors=[
            FieldProblem(index=result.index, **result.fault.model_dump())
            for result in reply.results
            if result.fault is not None
        ],
    )
