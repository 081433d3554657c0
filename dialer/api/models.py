"""The bodies that the API takes and gives, refusals as problem details (RFC 9457), and the OpenAPI 3.1 description.

A refusal repeats nothing of what was sent but names of fields.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, computed_field
from pydantic.json_schema import models_json_schema

from dialer.case_page.reading import StepOut
from dialer.core.text import Text
from dialer.intake.cells import LARGEST_FEN, LONGEST_SECONDS
from dialer.intake.records import NoticeCode
from dialer.language.words import bilingual
from dialer.warnings.deliveries import WarningStatus

MEDIA_TYPE = "application/problem+json"


class ProblemCode(StrEnum):
    """Why a request is refused, as `code` of the answer: a program that calls reads this and no sentence."""

    NOT_JSON = "not_json"
    UNKNOWN_SENDER = "unknown_sender"
    NO_SCOPE = "no_scope"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    METHOD = "method_not_allowed"
    TOO_SLOW = "too_slow"
    TOO_LARGE = "too_large"
    MEDIA_TYPE = "media_type"
    INVALID = "invalid"
    TOO_MANY = "too_many_requests"
    FAULT = "fault"
    UNAVAILABLE = "unavailable"


class Fix(BaseModel):
    """How to correct a field. `mend` was its name until 2026-11; it is sent beside it, the same."""

    fix: Annotated[str, Field(default="", description="如何修改 · how to correct it")]

    @computed_field(  # type: ignore[prop-decorator]  # the type checker knows no decorator on a property
        description="同 fix，旧名 · the same as fix, its former name", json_schema_extra={"deprecated": True}
    )
    @property
    def mend(self) -> str:
        return self.fix


class FieldProblem(Fix):
    """字段问题 · One field that must be corrected."""

    index: Annotated[int | None, Field(default=None, description="第几条，从 0 起 · which one, from 0")]
    field: Annotated[str, Field(description="字段名 · the field's name")]
    code: Annotated[str, Field(description="原因代码 · the reason as a code")]
    reason: Annotated[str, Field(description="原因 · the reason in words")]


class ProblemOut(BaseModel):
    """错误 · Problem details of RFC 9457."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "about:blank",
                    "title": "Too Many Requests",
                    "status": 429,
                    "code": "too_many_requests",
                    "detail": "请求过于频繁，请稍后再试 (too many requests: wait and send again)",
                    "errors": [],
                }
            ]
        }
    )

    type: str = "about:blank"
    title: str
    status: int
    code: ProblemCode
    detail: str
    errors: list[FieldProblem] = []


class Problem(Exception):
    """A refusal that becomes the answer; `detail` is in both languages."""

    def __init__(
        self,
        status: int,
        code: ProblemCode,
        detail: str | Text,
        *,
        errors: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(str(detail))
        self.status = status
        self.code = code
        self.detail = bilingual(detail)
        self.errors = errors
        self.headers = headers


_RENAMED = {413: "Content Too Large", 422: "Unprocessable Content"}
"""Titles of RFC 9110 that the standard library does not have yet."""


def problem_response(problem: Problem) -> JSONResponse:
    """The answer to send."""
    body = ProblemOut(
        title=_RENAMED.get(problem.status) or HTTPStatus(problem.status).phrase,
        status=problem.status,
        code=problem.code,
        detail=problem.detail,
        errors=list(problem.errors),
    )
    return JSONResponse(
        body.model_dump(mode="json"),
        status_code=problem.status,
        headers=dict(problem.headers or {}),
        media_type=MEDIA_TYPE,
    )


def retry_after(seconds: float) -> dict[str, str]:
    """The header for this wait, in whole seconds, at least one."""
    return {"Retry-After": str(max(1, math.ceil(seconds)))}


MOST_WARNINGS = 1000
_LONG = 2000
_SHORT = 200
_SEVERAL = 20

_Key = Annotated[str, Field(max_length=_SHORT)]
_Text = Annotated[str, Field(max_length=_LONG)]
_Texts = _Text | Annotated[list[_Key], Field(max_length=_SEVERAL)]


def _about(description: str, *examples: object) -> object:
    return Field(default=None, description=description, examples=list(examples))


class WarningIn(BaseModel):
    """一条预警 · One warning. Only `phones` is needed; words, dates and sums may be written as in a list."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        title="Warning",
        json_schema_extra={
            "examples": [
                {
                    "source": "city-bank",
                    "instruction_no": "YJ-2026-001",
                    "grade": "特高危",
                    "fraud_type": "冒充公检法",
                    "name": "王小明",
                    "phones": ["13800138000"],
                    "amount_at_risk": "3万元",
                    "produced_at": "2026-11-25T09:30:00+08:00",
                }
            ]
        },
    )

    phones: Annotated[
        _Texts, Field(description="手机号，一个或多个 · one number or several", examples=["13800138000"])
    ]
    instruction_no: Annotated[
        _Key | None, _about("指令编号，同一来源内唯一 · unique within its source", "YJ-2026-001")
    ]
    source: Annotated[_Key | None, _about("来源，缺省为令牌名称 · default: the token's name", "city-bank")]
    kind: Annotated[_Text | None, _about("预警类型 · fund, telecom or web_app", "资金")]
    fraud_type: Annotated[_Text | None, _about("诈骗类型 · the type of fraud", "冒充公检法", "investment")]
    grade: Annotated[
        _Text | None, _about("等级 · extra_high, high, medium, low, or 特高危/高危/中危/低危", "高危")
    ]
    name: Annotated[_Text | None, _about("姓名 · the person's name", "王小明")]
    id_number: Annotated[_Text | None, _about("证件号 · the person's id number")]
    address: Annotated[_Text | None, _about("地址 · the person's address")]
    coordinates: Annotated[
        _Text | None,
        _about("住址经纬度，WGS 84 · the address's longitude and latitude", "107.416700,40.757400"),
    ]
    unit: Annotated[_Key | None, _about("属地机构，缺省为令牌的机构 · default: the token's unit", "临河分局")]
    family_contact: Annotated[_Text | None, _about("家属联系人 · family contact")]
    fraud_numbers: Annotated[_Texts | None, _about("涉诈号码 · the scammer's numbers")]
    fraud_url: Annotated[_Text | None, _about("涉诈网址 · the scam's address")]
    fraud_app: Annotated[_Text | None, _about("涉诈 APP · the scam's app")]
    fraud_account: Annotated[_Text | None, _about("涉诈账号 · the scammer's account")]
    talk_seconds: Annotated[
        Annotated[int, Field(ge=0, le=LONGEST_SECONDS)] | _Text | None,
        _about("通话时长，秒 · talk time in seconds, or words such as 2分5秒", 125),
    ]
    amount_at_risk: Annotated[
        _Text | None, _about("涉险金额，元，文本 · in yuan, as text", "12000.50", "3万元")
    ]
    amount_at_risk_fen: Annotated[
        Annotated[int, Field(ge=0, le=LARGEST_FEN)] | None,
        _about("涉险金额，分，整数 · in fen; instead of amount_at_risk", 1200050),
    ]
    amount_paid: Annotated[
        _Text | None, _about("已转金额，元，文本 · already paid, in yuan, as text", "5000")
    ]
    amount_paid_fen: Annotated[
        Annotated[int, Field(ge=0, le=LARGEST_FEN)] | None,
        _about("已转金额，分，整数 · in fen; instead of amount_paid", 500000),
    ]
    event_at: Annotated[
        _Text | None, _about("事件时间 · when it happened; without a zone: local", "2026-11-25 09:05")
    ]
    produced_at: Annotated[
        _Text | None, _about("预警时间 · when the warning was made", "2026-11-25T09:30:00+08:00")
    ]
    expires_at: Annotated[_Text | None, _about("失效时间 · when it holds no longer", "2026-11-28")]
    tags: Annotated[_Texts | None, _about("标签 · minor, elderly, hearing, mongolian", ["elderly"])]
    remarks: Annotated[_Text | None, _about("备注 · remarks")]


class SignalIn(BaseModel):
    """一条信号 · One signal: what a source observed of a person, or a change of a list. Fields by kind: docs/api.md."""

    model_config = ConfigDict(
        title="Signal",
        json_schema_extra={
            "examples": [
                {
                    "signal_no": "C-20261127-000001",
                    "kind": "call",
                    "event_at": "2026-11-27T09:30:00+08:00",
                    "phone": "13800138000",
                    "number": "+85291234567",
                    "direction": "in",
                    "duration_seconds": 640,
                    "overseas": True,
                }
            ]
        },
        extra="allow",
    )

    signal_no: Annotated[_Key, Field(description="信号编号，同一来源内唯一 · unique within its source")]
    kind: Annotated[
        _Key,
        Field(
            description="call, sms, web, app, payment_attempt, login, platform_push, report, list_change"
            " · 或 通话、短信、网页、应用、转账、登录、平台推送、举报、名单变更"
        ),
    ]
    event_at: Annotated[_Key, Field(description="发生时间 · when it happened")]
    source: Annotated[_Key | None, _about("来源，缺省为令牌名称 · default: the token's name", "mobile")]
    phone: Annotated[_Key | None, _about("手机号 · the person's telephone number", "13800138000")]
    id_number: Annotated[_Key | None, _about("证件号 · the person's id number")]


class NoticeOut(BaseModel):
    """提示 · Something about an accepted warning that a person may want to correct."""

    field: str
    code: NoticeCode
    message: str


class FaultOut(Fix):
    """拒收原因 · Why a warning was rejected; what was sent is not repeated."""

    field: Annotated[str, Field(description="字段名 · the field that must be corrected")]
    code: Annotated[str, Field(description="原因代码 · the reason as a code")]
    reason: Annotated[str, Field(description="原因 · the reason in words")]


class WarningOut(BaseModel):
    """一条预警的结果 · What became of one warning."""

    index: Annotated[int, Field(description="第几条，从 0 起 · its place in the request, from 0")]
    status: Annotated[
        WarningStatus,
        Field(
            description="accepted 已收; duplicate 该来源已发过同样内容，未作改动; "
            "rejected 未收，改正后可重发 · rejected: nothing was stored, correct it and send it again"
        ),
    ]
    source: str | None = None
    instruction_no: Annotated[
        str | None, Field(description="未给编号时由系统生成 · derived where none was sent")
    ] = None
    case_id: Annotated[
        int | None,
        Field(
            description="所属预警单，仅限可查看全部预警单的令牌 · its case, for tokens that may read any case"
        ),
    ] = None
    next_steps: Annotated[
        list[StepOut], Field(description="最近的在前，同上 · soonest first, for the same tokens")
    ] = []
    notices: list[NoticeOut] = []
    fault: FaultOut | None = None


class WarningsOut(BaseModel):
    """已提交入库后才返回 · Sent after the commit. The four counts add up to the number of warnings."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "accepted": 1,
                    "merged": 0,
                    "duplicate": 0,
                    "rejected": 0,
                    "results": [
                        {
                            "index": 0,
                            "status": "accepted",
                            "source": "city-bank",
                            "instruction_no": "YJ-2026-001",
                            "case_id": 7,
                            "next_steps": [
                                {
                                    "kind": "ring",
                                    "track": "robot",
                                    "reason": "new_warning",
                                    "at": None,
                                    "waits": [],
                                }
                            ],
                            "notices": [],
                            "fault": None,
                        }
                    ],
                }
            ]
        }
    )

    accepted: int
    merged: Annotated[
        int, Field(description="恒为 0，旧字段 · always 0, kept for programs of before", deprecated=True)
    ] = 0
    duplicate: int
    rejected: int
    results: list[WarningOut]


_REF = "#/components/schemas/{model}"
_WHY = {
    400: "不是 JSON · No valid JSON",
    401: "令牌缺失或无效 · The token is missing or not valid",
    403: "令牌没有此权限 · The token has not this scope",
    404: "没有这张预警单 · No such case, or not of the token's unit",
    409: "与已有记录冲突 · It does not fit what is on record; detail says why",
    408: "请求体接收超时 · The body took too long to arrive",
    413: "请求体过大 · The body is too large",
    415: "类型不对 · Not application/json in UTF-8",
    422: "没有可读的内容 · Nothing in the request could be read; errors name the fields",
    429: "过于频繁 · Too many requests; Retry-After says when",
    500: "系统故障 · A fault of ours",
    503: "暂时不可用，请原样重发 · Unavailable: send the same again",
}
_ALWAYS = (401, 403, 429, 500, 503)
_RETRY = {
    "Retry-After": {
        "description": "秒 · seconds",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    }
}
ABOUT = (
    "预警从上游系统进入本系统的接口。文档见 docs/api.md。\n\n"
    "Warnings and signals from upstream systems. Every answer of `POST /warnings` and `POST /signals` is sent "
    "after the commit; sending the same again is always safe."
)


def problems(*own: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI responses of one operation: its own refusals, and those that any operation may give."""
    return {status: _problem(status) for status in sorted({*own, *_ALWAYS})}


def _problem(status: int) -> dict[str, Any]:
    described: dict[str, Any] = {
        "description": _WHY[status],
        "content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="ProblemOut")}}},
    }
    return described | {"headers": _RETRY} if status in {429, 503} else described


def warnings_body() -> dict[str, Any]:
    """The request body of POST /warnings, which is validated item by item so that one bad warning costs only itself."""
    return many_of("WarningIn", MOST_WARNINGS, "一条预警 · one warning")


def many_of(model: str, most: int, one_of_them: str) -> dict[str, Any]:
    """A request body of one object or of a list of up to `most`."""
    item = {"$ref": _REF.format(model=model)}
    many = {"type": "array", "items": item, "minItems": 1, "maxItems": most}
    return {
        "requestBody": {
            "required": True,
            "description": f"{one_of_them}，或最多 {most} 条的数组 · or up to {most}",
            "content": {"application/json": {"schema": {"anyOf": [item, many]}}},
        }
    }


class DescribedApi(FastAPI):
    """The framework's description, and the schemas that it only refers to."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            described = super().openapi()
            _, found = models_json_schema(
                [(WarningIn, "validation"), (SignalIn, "validation"), (ProblemOut, "validation")],
                ref_template=_REF,
            )
            described.setdefault("components", {}).setdefault("schemas", {}).update(found["$defs"])
        return super().openapi()
