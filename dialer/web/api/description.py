"""The API described as OpenAPI 3.1: what the framework cannot see is added here."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from dialer.web.api.models import MOST_WARNINGS, WarningIn
from dialer.web.api.problems import MEDIA_TYPE, ProblemOut

_REF = "#/components/schemas/{model}"
_WHY = {
    400: "不是 JSON · No valid JSON",
    401: "令牌缺失或无效 · The token is missing or not valid",
    403: "令牌没有此权限 · The token has not this scope",
    404: "没有这张预警单 · No such case, or not of the token's unit",
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
    "The road for warnings from upstream systems. Every answer of `POST /warnings` is sent after the commit; sending "
    "the same again is always safe."
)


def problems(*own: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of one operation, its own and those that any may give."""
    return {status: _problem(status) for status in sorted({*own, *_ALWAYS})}


def _problem(status: int) -> dict[str, Any]:
    told: dict[str, Any] = {
        "description": _WHY[status],
        "content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="ProblemOut")}}},
    }
    return told | {"headers": _RETRY} if status in {429, 503} else told


def warnings_body() -> dict[str, Any]:
    """The request body of POST /warnings, which is read by hand so that one bad warning costs only itself."""
    one = {"$ref": _REF.format(model="WarningIn")}
    many = {"type": "array", "items": one, "minItems": 1, "maxItems": MOST_WARNINGS}
    return {
        "requestBody": {
            "required": True,
            "description": f"一条预警，或最多 {MOST_WARNINGS} 条的数组 · one warning, or up to {MOST_WARNINGS}",
            "content": {"application/json": {"schema": {"anyOf": [one, many]}}},
        }
    }


class DescribedApi(FastAPI):
    """The framework's description with the models that are only named in it."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            described = super().openapi()
            _, found = models_json_schema(
                [(WarningIn, "validation"), (ProblemOut, "validation")], ref_template=_REF
            )
            described.setdefault("components", {}).setdefault("schemas", {}).update(found["$defs"])
        return super().openapi()
