"""POST /openings/check and POST /openings: an institution has an opening checked while the customer waits, and enters
it. Both take one object; the names of its fields are those of a daily file.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dialer.api.gate import MayWriteOpenings, parsed, process_of, read_body
from dialer.api.models import FieldProblem, Problem, ProblemCode, problems
from dialer.cards.counter.actions import CheckedOpening, check_opening, enter_openings, even_answer
from dialer.cards.openings.checks import ASK_FIRST, CUSTOMER_QUESTIONS, shipped_checks
from dialer.cards.openings.store import Outlet, institution_of_token, outlets_of_institution
from dialer.core.access import Actor, Permission
from dialer.core.cards import CheckVerdict
from dialer.core.errors import Conflict, TooMany
from dialer.core.text import Lang, Text
from dialer.intake.headings import CellRefused
from dialer.intake.opening_lists import (
    OpeningField,
    OpeningOptions,
    OpeningRecord,
    read_opening,
)
from dialer.language.words import bilingual
from dialer.runtime.services import Services
from dialer.staff.token_store import ApiToken

_LONG = 200
_Cell = Annotated[str, Field(max_length=_LONG)]

openings_router: Final = APIRouter()


class OpeningIn(BaseModel):
    """一笔开户或开卡 · One opening. Cells as text, as in a daily file."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "opening_no": "20261127-0001",
                    "outlet": "0478-001",
                    "product": "二类",
                    "name": "张三",
                    "id_number": "150802199001010015",
                    "phone": "13800138000",
                    "purpose": "日常消费",
                }
            ]
        },
    )

    opening_no: Annotated[_Cell, Field(description="业务流水号，机构内唯一 · unique in the institution")]
    outlet: Annotated[_Cell, Field(description="网点编号 · the outlet's code")]
    name: _Cell
    id_number: _Cell
    phone: _Cell = ""
    product: _Cell = ""
    channel: _Cell = ""
    teller: _Cell = ""
    agent: Annotated[_Cell, Field(description="代办人 · who opens for the customer")] = ""
    address: _Cell = ""
    employer: _Cell = ""
    purpose: _Cell = ""
    limit: Annotated[_Cell, Field(description="申请限额，元 · in yuan")] = ""
    number: Annotated[_Cell, Field(description="账号或号码 · account or telephone number")] = ""
    iccid: _Cell = ""
    accompanied: bool = False
    guided: Annotated[bool, Field(description="客户正被他人指挥 · somebody directs the customer")] = False
    asked_at: _Cell = ""
    opened_at: _Cell = ""
    result: Annotated[
        _Cell,
        Field(
            description="已开、拒办、放弃、办理中；不填即已开 · "
            "opened, refused, abandoned, in_progress; opened if it is missing"
        ),
    ] = ""
    why: Annotated[_Cell, Field(description="拒办原因，拒办时必填 · why it was refused: required then")] = ""


class FindingOut(BaseModel):
    """一项发现 · One finding with its basis of law and its expiry."""

    check: str
    sentence: str
    values: dict[str, Any]
    basis: str
    expires_at: str


class CheckOut(BaseModel):
    """核查结论 · What the checks say. The institution decides."""

    opening_id: int
    verdict: Annotated[
        CheckVerdict,
        Field(
            description="clear 未发现, note 提示, ask_desk 请问核查席, restricted 惩戒期内。"
            "系统从不拒绝，由机构决定 · the system never refuses"
        ),
    ]
    findings: list[FindingOut]
    questions: Annotated[
        list[str],
        Field(description="须询问核查席时请问客户 · to ask the customer, where the desk is to be asked"),
    ]
    version: Annotated[str, Field(description="规则版本 · the version of the checks")]


class EnteredOut(BaseModel):
    """录入结果 · What became of it."""

    opening_id: int
    status: Annotated[str, Field(description="new, completed, duplicate")]


_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": OpeningIn.model_json_schema()}},
    }
}


@openings_router.post(
    "/openings/check",
    summary="核查开户 · Check an opening",
    response_model=CheckOut,
    responses=problems(400, 408, 409, 413, 415, 422),
    openapi_extra=_BODY,
)
async def post_check(request: Request, token: MayWriteOpenings) -> JSONResponse:
    """客户在柜台等候时核查一笔正在办理的业务；一个流水号只能查一个人，每次查询都有审计。

    Checks an opening in progress: one number is of one person, and every check is audited.
    """
    body = await read_body(request)
    process = process_of(request)
    wait = even_answer(process.services.cards.answer_seconds)
    answer = await process.run(lambda: check(process.services, token, body))
    await asyncio.sleep(wait())
    return JSONResponse(answer)


def check(services: Services, token: ApiToken, body: bytes) -> dict[str, Any]:
    """The answer as JSON. Raises `Problem`."""
    record, outlet = _read(services, token, body, is_asking=True)
    try:
        checked = check_opening(
            services,
            _actor(token),
            record,
            outlet_id=outlet.id,
            source="api",
            most_unfinished=services.cards.unfinished_a_day_by_token,
        )
    except Conflict as fault:
        raise Problem(409, ProblemCode.CONFLICT, fault.text) from None
    except TooMany as fault:
        raise Problem(429, ProblemCode.TOO_MANY, fault.text) from None
    return check_out(checked).model_dump(mode="json")


def check_out(checked: CheckedOpening) -> CheckOut:
    """What the institution is told, with its sentences in both languages."""
    checks = shipped_checks()
    answer = checks.told(checked.answer, at=checked.at, is_open=False)
    asks = any(finding.check == ASK_FIRST for finding in answer.findings)
    return CheckOut(
        opening_id=checked.opening_id,
        verdict=answer.verdict,
        findings=[
            FindingOut(
                check=finding.check,
                sentence=f"{checks.sentence(finding, Lang.ZH)} ({checks.sentence(finding, Lang.EN)})",
                values=dict(finding.values),
                basis=finding.basis,
                expires_at=finding.expires_at.isoformat(),
            )
            for finding in answer.findings
        ],
        questions=[bilingual(question) for question in CUSTOMER_QUESTIONS] if asks else [],
        version=answer.version,
    )


@openings_router.post(
    "/openings",
    summary="录入开户 · Enter an opening",
    response_model=EnteredOut,
    responses=problems(400, 408, 409, 413, 415, 422),
    openapi_extra=_BODY,
)
async def post_opening(request: Request, token: MayWriteOpenings) -> JSONResponse:
    """录入一笔已办结的业务；同一流水号重复发送不会重复录入，核查过的补上结果。

    Enters an opening with its result, once for its number; one that was checked gets its result.
    """
    body = await read_body(request)
    process = process_of(request)
    return JSONResponse(await process.run(lambda: enter(process.services, token, body)))


def enter(services: Services, token: ApiToken, body: bytes) -> dict[str, Any]:
    """What became of it, as JSON. Raises `Problem`."""
    record, outlet = _read(services, token, body, is_asking=False)
    with services.store.begin() as tx:
        entered = enter_openings(services, tx, _actor(token), [(record, outlet)], source="api")
    if entered.refused:
        raise Problem(409, ProblemCode.CONFLICT, Text("this opening number belongs to another opening"))
    status = "new" if entered.new else "completed" if entered.completed else "duplicate"
    return EnteredOut(opening_id=entered.ids[0], status=status).model_dump()


def _actor(token: ApiToken) -> Actor:
    return Actor(name=f"token/{token.name}", rights=frozenset({Permission.ENTER_OPENINGS}))


def _read(
    services: Services, token: ApiToken, body: bytes, *, is_asking: bool
) -> tuple[OpeningRecord, Outlet]:
    try:
        given = OpeningIn.model_validate(parsed(body))
    except ValidationError as fault:
        errors = fault.errors(include_url=False, include_input=False, include_context=False)
        name = str((errors[0]["loc"] or ("",))[-1])[:60]
        raise _unfit(
            name, str(errors[0]["type"]), Text("not readable"), Text("see /api/v1/openapi.json")
        ) from None
    with services.store.begin() as tx:
        institution = institution_of_token(tx, token.name)
        outlets = {} if institution is None else outlets_of_institution(tx, institution["id"])
    if institution is None:
        raise Problem(403, ProblemCode.NO_SCOPE, Text("this token belongs to no institution"))
    cells = {
        field: ("1" if value is True else "" if value is False else value)
        for field in OpeningField
        for value in [getattr(given, field.value)]
    }
    options = OpeningOptions(
        now=services.clock.now(),
        timezone=services.centre.timezone,
        default_area=services.centre.area_code,
        is_bank=institution["kind"] == "bank",
        is_asking=is_asking,
    )
    try:
        record = read_opening(cells, options)
    except CellRefused as fault:
        # The content of the field is not repeated.
        reason = Text("not readable") if "value" in fault.reason.values else fault.reason
        raise _unfit(fault.field, "unreadable", reason, Text("see /api/v1/openapi.json")) from None
    outlet = outlets.get(record.outlet)
    if outlet is None:
        raise _unfit("outlet", "unknown", Text("no such outlet"), Text("register it, or correct the code"))
    return record, outlet


def _unfit(field: str, code: str, reason: Text, fix: Text) -> Problem:
    error = FieldProblem(index=None, field=field, code=code, reason=bilingual(reason), fix=bilingual(fix))
    return Problem(422, ProblemCode.INVALID, Text("a field of the opening is wrong"), errors=[error])
