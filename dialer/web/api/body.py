"""The body of a request: JSON in UTF-8, of bounded size, arriving in bounded time."""

from __future__ import annotations

import asyncio
from email.message import Message
from typing import Any

import orjson
from fastapi import Request

from dialer.language import Text
from dialer.web.api.problems import Problem, ProblemCode

MOST_BYTES = 2 * 1024 * 1024
_SECONDS = 30.0
_BOM = b"\xef\xbb\xbf"


async def read_body(request: Request) -> bytes:
    """The bytes of a JSON body. Raises `Problem` 408, 413 and 415."""
    _refuse_other_types(request)
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > MOST_BYTES:
        raise _too_large()
    body = bytearray()
    try:
        async with asyncio.timeout(_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise _too_large()
    except TimeoutError:
        raise Problem(408, ProblemCode.TOO_SLOW, Text("the body took too long to arrive")) from None
    return bytes(body)


def _refuse_other_types(request: Request) -> None:
    header = Message()
    header["Content-Type"] = request.headers.get("content-type", "")
    charset = str(header.get_param("charset", "utf-8")).lower()
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if header.get_content_type() != "application/json" or charset not in {"utf-8", "utf8"}:
        raise Problem(415, ProblemCode.MEDIA_TYPE, Text("send application/json in UTF-8"))
    if encoding != "identity":
        raise Problem(415, ProblemCode.MEDIA_TYPE, Text("send the body uncompressed"))


def _too_large() -> Problem:
    return Problem(
        413,
        ProblemCode.TOO_LARGE,
        Text("more than %(most)s bytes: send fewer at a time", most=MOST_BYTES),
    )


def parsed(body: bytes) -> Any:  # noqa: ANN401  # JSON may be anything
    """The JSON value. NaN, Infinity, numbers without end, broken UTF-8 and bottomless nesting are none."""
    try:
        return orjson.loads(body.removeprefix(_BOM))
    except orjson.JSONDecodeError as fault:
        raise Problem(
            400,
            ProblemCode.NOT_JSON,
            Text("no valid JSON: line %(line)s, column %(column)s", line=fault.lineno, column=fault.colno),
        ) from None
