"""Refusals as problem details (RFC 9457). They repeat nothing of what was sent but names of fields."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated

from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from dialer.language import Text, bilingual

MEDIA_TYPE = "application/problem+json"


class ProblemCode(StrEnum):
    NOT_JSON = "not_json"
    UNKNOWN_SENDER = "unknown_sender"
    NO_SCOPE = "no_scope"
    NOT_FOUND = "not_found"
    METHOD = "method_not_allowed"
    TOO_SLOW = "too_slow"
    TOO_LARGE = "too_large"
    MEDIA_TYPE = "media_type"
    INVALID = "invalid"
    TOO_MANY = "too_many_requests"
    FAULT = "fault"
    UNAVAILABLE = "unavailable"


class FieldProblem(BaseModel):
    """字段问题 · One field that must be mended."""

    index: Annotated[
        int | None, Field(default=None, description="第几条预警，从 0 起 · which warning, from 0")
    ]
    field: Annotated[str, Field(description="字段名 · the field's name")]
    code: Annotated[str, Field(description="原因代码 · the reason as a code")]
    reason: Annotated[str, Field(description="原因 · the reason in words")]
    mend: Annotated[str, Field(default="", description="如何修改 · how to mend it")]


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


_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


def problem_response(problem: Problem) -> JSONResponse:
    """The answer to send."""
    body = ProblemOut(
        title=_TITLES.get(problem.status, "Error"),
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
    """Whole seconds, at least one."""
    return {"Retry-After": str(max(1, math.ceil(seconds)))}
