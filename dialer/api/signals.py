"""POST /api/v1/signals: observations of other systems, up to 1,000 in a request, for the warning robot. Each is read by
itself; what was sent is never repeated, not even in a refusal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from dialer.api.gate import MayWriteSignals, parsed, process_of, read_body
from dialer.api.models import FieldProblem, Fix, Problem, ProblemCode, many_of, problems
from dialer.core.text import Text
from dialer.language.words import bilingual
from dialer.signals.deliveries import (
    MOST_SIGNALS,
    SignalAnswer,
    SignalDelivery,
    SignalReception,
    SignalStatus,
)
from dialer.staff.token_store import ApiToken

signals_router: Final = APIRouter()
_SHOWN_NAME: Final = 60


class SignalFaultOut(Fix):
    """拒收原因 · Why a signal was rejected; what was sent is not repeated."""

    index: Annotated[int, Field(description="第几条，从 0 起 · its place in the request, from 0")]
    field: Annotated[str, Field(description="字段名 · the field that must be corrected")]
    reason: Annotated[str, Field(description="原因 · the reason in words")]


class SignalsOut(BaseModel):
    """已提交入库后才返回 · Sent after the commit. The three counts add up to the number of signals."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "accepted": 999,
                    "duplicate": 0,
                    "rejected": 1,
                    "faults": [
                        {
                            "index": 7,
                            "field": "event_at",
                            "reason": "缺失 (is missing)",
                            "fix": "… (write the time with its offset, such as 2026-11-27T09:30:00+08:00)",
                        }
                    ],
                }
            ]
        }
    )

    accepted: int
    duplicate: Annotated[int, Field(description="同一来源已发过该编号 · sent before by this source")]
    rejected: int
    faults: Annotated[
        list[SignalFaultOut], Field(description="每条被拒信号至少一项 · at least one of each rejected signal")
    ]


@signals_router.post(
    "/signals",
    summary="发送信号 · Send signals",
    response_model=SignalsOut,
    responses=problems(400, 408, 413, 415, 422),
    openapi_extra=many_of("SignalIn", MOST_SIGNALS, "一条信号 · one signal"),
)
async def post_signals(request: Request, token: MayWriteSignals) -> Response:
    """通话、短信、网址、应用、转账等信号，入库提交后才返回；有误的逐条拒收并说明原因，其余照收。

    Calls, messages, sites, apps, payments and other observations. The answer comes after the commit; those that are
    wrong are refused one by one with the reason, and the rest are taken.
    """
    body = await read_body(request)
    process = process_of(request)
    delivery = await process.run(lambda: read(process.signal_reception, token, body))
    reply = _reply(await process.take_signals(delivery))
    if reply.rejected == len(delivery.read):
        raise Problem(
            422,
            ProblemCode.INVALID,
            Text("no signal could be taken: correct them and send again"),
            errors=[FieldProblem(code="invalid", **fault.model_dump()) for fault in reply.faults],
        )
    return Response(reply.model_dump_json(), media_type="application/json")


def read(reception: SignalReception, token: ApiToken, body: bytes) -> SignalDelivery:
    """The signals of a body, which may be only of the token's sources. Raises `Problem` 400 and 422."""
    value = parsed(body)
    values = value if isinstance(value, list) else [value]
    if not 1 <= len(values) <= MOST_SIGNALS:
        raise Problem(
            422, ProblemCode.INVALID, Text("send 1 to %(most)s signals at a time", most=MOST_SIGNALS)
        )
    records = [value if isinstance(value, Mapping) else None for value in values]
    return reception.read(records, source=token.name, may_send=token.may_send_for, limited=True)


def _reply(answers: tuple[SignalAnswer, ...]) -> SignalsOut:
    count: dict[str, Any] = {
        status.value: sum(answer.status is status for answer in answers) for status in SignalStatus
    }
    faults = [
        SignalFaultOut(
            index=index,
            field=fault.field[:_SHOWN_NAME],
            reason=bilingual(fault.reason),
            fix=bilingual(fault.fix),
        )
        for index, answer in enumerate(answers)
        for fault in answer.faults
    ]
    return SignalsOut(**count, faults=faults)
