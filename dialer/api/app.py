"""The API, mounted at /api/v1: its read operations, its errors as problem details, the headers of every answer, and the
answer to an error of our own.
"""

from __future__ import annotations

import logging
from typing import Annotated, Any, Final

from fastapi import APIRouter, FastAPI, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from dialer.api.gate import ApiProcess, MayReadCases, MayReadReport, process_of, unavailable
from dialer.api.models import (
    ABOUT,
    DescribedApi,
    FieldProblem,
    Problem,
    ProblemCode,
    problem_response,
    problems,
)
from dialer.api.openings import openings_router
from dialer.api.signals import signals_router
from dialer.api.warnings import warnings_router
from dialer.case_page.reading import CaseOut, case_out, show_case
from dialer.core.access import Permission
from dialer.core.errors import Invalid, NotFound, Unavailable
from dialer.core.rates import CaseFilter, Dimension
from dialer.core.rota import DutyKind
from dialer.core.text import Text
from dialer.core.values import FraudType, Grade
from dialer.duty.actions import on_duty
from dialer.figures.report import RatesQuery, cut_rates, make_report, moment_of, report_period
from dialer.figures.report_json import CutOut, ReportOut, cut_report_out, report_out
from dialer.figures.unit_record_tables import RecordsOut, records_out
from dialer.figures.unit_records import RecordsQuery, read_unit_records, typed_month
from dialer.language.words import bilingual
from dialer.runtime.services import Application, Services
from dialer.script_versions.trials import running_trials
from dialer.staff.sign_in import is_unit_of_token
from dialer.staff.token_store import ApiToken
from dialer.web.answer_headers import AnswerHeaders

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""No answer is cached, sniffed, framed or read by a page of another site."""

_log = logging.getLogger(__name__)


reading_router: Final = APIRouter()
_LARGEST_ID: Final = 2**63 - 1
_A_DAY: Final = "如 2026-11-25，当地日期或时间 · a day or a moment, local"


class ReportQuery(BaseModel):
    """Unknown names are refused: a misspelt one must not give the figures of another period."""

    model_config = ConfigDict(extra="forbid")

    start: Annotated[
        str | None, Field(alias="from", default=None, max_length=40, description=f"起 · from. {_A_DAY}")
    ]
    end: Annotated[
        str | None,
        Field(alias="to", default=None, max_length=40, description=f"止，含当日 · to, included. {_A_DAY}"),
    ]
    at: Annotated[
        str,
        Field(
            max_length=40,
            description="成效页面地址中的时刻，取该页当时的数字，保留一天 · The moment in the address of the page"
            " of success rates: the figures that it showed, kept for a day.",
        ),
    ] = ""


@reading_router.get(
    "/cases/{case_id}", summary="查看预警单 · One case", response_model=CaseOut, responses=problems(404, 422)
)
async def get_case(
    request: Request,
    token: MayReadCases,
    case_id: Annotated[int, Path(ge=1, le=_LARGEST_ID, description="预警单编号 · the case's id")],
) -> JSONResponse:
    """脱敏的预警单、下一步和经过。限定机构的令牌只能看本机构的预警单。

    The case masked, with what comes next and what happened. A token of one unit sees that unit's cases alone.
    """
    process = process_of(request)
    return JSONResponse(await process.run(lambda: case(process.services, token, case_id)))


def case(services: Services, token: ApiToken, case_id: int) -> dict[str, Any]:
    """As `dialer case ID --json`. Raises `NotFound`, also for another unit's case, and `Unavailable`."""
    story = show_case(services, case_id)
    if token.unit and not is_unit_of_token(services, token, story.file.stored.unit_id):
        raise NotFound(kind="case", key=case_id)
    return case_out(story).plain()


class DutyQuery(BaseModel):
    """Unknown names are refused."""

    model_config = ConfigDict(extra="forbid")

    unit: Annotated[int | None, Field(ge=1, le=_LARGEST_ID, description="机构编号 · a unit's id")] = None


class PersonOnDutyOut(BaseModel):
    """值班人 · Somebody on duty."""

    login: str
    name: str


class DutyGapOut(BaseModel):
    """无人值班的时段 · When nobody is on duty."""

    start: Annotated[str, Field(alias="from")]
    end: Annotated[str, Field(alias="to")]


class OnDutyOut(BaseModel):
    """一个单位一个岗位 · One unit and kind of work."""

    unit_id: int
    unit: str
    kind: DutyKind
    people: list[PersonOnDutyOut]
    until: Annotated[
        str | None,
        Field(
            description="下次交接；提醒时段内不变为 null · the next change; null: none within duty.gap_hours"
        ),
    ]
    gap: Annotated[DutyGapOut | None, Field(description="提醒时段内的首个空岗 · the first gap ahead")]


@reading_router.get(
    "/on-duty", summary="当前值班 · Who is on duty", response_model=list[OnDutyOut], responses=problems(422)
)
async def get_on_duty(
    request: Request, token: MayReadCases, window: Annotated[DutyQuery, Query()]
) -> JSONResponse:
    """每个有值班表的单位现在谁值班，与 `dialer duty on --json` 相同。限定机构的令牌只能看本机构。

    Who is on duty now in each unit that keeps a roster, as `dialer duty on --json`. A token of one unit sees that unit.
    """
    process = process_of(request)
    return JSONResponse(await process.run(lambda: duty_now(process.services, token, window.unit)))


def duty_now(services: Services, token: ApiToken, unit_id: int | None) -> list[dict[str, Any]]:
    """Who is on duty in the units that the token sees, as JSON."""
    found = on_duty(services, visible_to=None, unit_id=unit_id)
    return [one.plain() for one in found if not token.unit or is_unit_of_token(services, token, one.unit_id)]


@reading_router.get("/report", summary="报告 · The report", response_model=ReportOut, responses=problems(422))
async def get_report(
    request: Request, token: MayReadReport, window: Annotated[ReportQuery, Query()]
) -> JSONResponse:
    """与 `dialer report --json` 相同；每个率都带分子、分母、时间窗和剔除项。

    The same JSON as `dialer report --json`: numerator, denominator, window and exclusions beside every rate. Audited.
    """
    process = process_of(request)
    return JSONResponse(await process.run(lambda: report(process.services, token, window)))


def report(services: Services, token: ApiToken, window: ReportQuery) -> dict[str, Any]:
    """As `dialer report --json`. Raises `Invalid` and `Unavailable`."""
    period = report_period(services, window.start, window.end)
    trials = () if window.at else running_trials(services)
    made = report_out(make_report(services, period, at=moment_of(window.at)), trials)
    _note_read(services, token, window)
    return made.plain()


_NO_NUL = r"^[^\x00]*$"
"""PostgreSQL stores no NUL."""


class CutQuery(ReportQuery):
    """The filter of the page of success rates."""

    by: Annotated[Dimension, Field(description="分项维度 · the dimension of the parts")] = Dimension.UNIT
    unit: Annotated[int | None, Field(ge=1, le=_LARGEST_ID, description="机构编号 · a unit's id")] = None
    grade: Annotated[Grade | None, Field(description="预警等级 · a grade")] = None
    fraud_type: Annotated[FraudType | None, Field(alias="type", description="诈骗类型 · a fraud type")] = None
    source: Annotated[str, Field(max_length=200, pattern=_NO_NUL, description="来源 · a source")] = ""
    script: Annotated[str, Field(max_length=80, pattern=_NO_NUL, description="话术 · a script")] = ""
    hour: Annotated[
        int | None, Field(ge=0, le=23, description="预警时刻，小时 · the hour of the warning, local")
    ] = None


@reading_router.get(
    "/report/cut",
    summary="分项报告 · A cut of the report",
    response_model=CutOut,
    responses=problems(404, 422),
)
async def get_cut(
    request: Request, token: MayReadReport, window: Annotated[CutQuery, Query()]
) -> JSONResponse:
    """与控制台成效页相同的数字，按机构、等级、类型、来源、话术或时刻分项；每次读取都有审计。

    The figures of the page of success rates, in parts by unit, grade, type, source, script or hour; audited.
    """
    process = process_of(request)
    return JSONResponse(await process.run(lambda: cut(process.services, token, window)))


def cut(services: Services, token: ApiToken, window: CutQuery) -> dict[str, Any]:
    """The cut as JSON. Raises `Invalid`, `NotFound` for an unknown unit, and `Unavailable`."""
    asked = RatesQuery(
        by=window.by,
        period=report_period(services, window.start, window.end),
        unit_id=window.unit,
        cut=CaseFilter(
            grade=window.grade,
            fraud_type=window.fraud_type,
            source=window.source,
            script_id=window.script,
            hour=window.hour,
        ),
    )
    found = cut_rates(services, asked, reader_unit_id=None, at=moment_of(window.at))
    _note_read(services, token, window)
    return cut_report_out(services, asked, found).plain()


class UnitsQuery(BaseModel):
    """A month, and the unit below which units are compared."""

    model_config = ConfigDict(extra="forbid")

    month: Annotated[
        str, Field(max_length=10, description="月份，如 2026-11 · a month; default: this one")
    ] = ""
    unit: Annotated[int | None, Field(ge=1, le=_LARGEST_ID, description="机构编号 · a unit's id")] = None


@reading_router.get(
    "/report/units",
    summary="督办台账 · The record of each unit in a month",
    response_model=RecordsOut,
    responses=problems(404, 422),
)
async def get_units(
    request: Request, token: MayReadReport, query: Annotated[UnitsQuery, Query()]
) -> JSONResponse:
    """与控制台督办台账页相同的数字；每次读取都有审计。

    The figures of the page *Unit records*; audited.
    """
    process = process_of(request)
    return JSONResponse(await process.run(lambda: units(process.services, token, query)))


def units(services: Services, token: ApiToken, query: UnitsQuery) -> dict[str, Any]:
    """The records as JSON. Raises `Invalid`, `NotFound` for an unknown unit, and `Unavailable`."""
    today = services.clock.now().astimezone(services.centre.zone).date()
    asked = RecordsQuery(month=typed_month(query.month, today), unit_id=query.unit)
    found = read_unit_records(services, asked, reader_unit_id=None)
    _note_read(services, token, query, subject="records")
    return records_out(services, found).plain()


def _note_read(services: Services, token: ApiToken, window: BaseModel, *, subject: str = "report") -> None:
    given = window.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude_none=True)
    with services.act(token.actor, Permission.EXPORT) as act:
        act.audit("export", subject, facts=given | {"kind": "json"})


API_PREFIX = "/api/v1"


def create_api(app: Application) -> FastAPI:
    """The API of this application, without interactive pages: they would load scripts from another site."""
    api = DescribedApi(
        title="预警劝阻接口 · dialer API",
        description=ABOUT,
        version="1",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        servers=[{"url": API_PREFIX}],
        root_path_in_servers=False,
        separate_input_output_schemas=False,
    )
    api.state.process = ApiProcess(app)
    api.include_router(warnings_router)
    api.include_router(signals_router)
    api.include_router(openings_router)
    api.include_router(reading_router)
    api.add_middleware(AnswerHeaders, what="the API", headers=SECURITY_HEADERS, failed=failed)
    for kind in (Problem, Unavailable, NotFound, Invalid, RequestValidationError, HTTPException):
        api.add_exception_handler(kind, _problem)
    return api


async def failed(_request: Request) -> JSONResponse:
    """The answer to an error of our own."""
    return problem_response(Problem(500, ProblemCode.FAULT, Text("a fault of ours; it is logged")))


async def _problem(_request: Request, fault: Exception) -> JSONResponse:
    return problem_response(_translated(fault))


def _translated(fault: Exception) -> Problem:
    match fault:
        case Problem():
            return fault
        case Unavailable():
            _log.warning("request answered with 503: %s", fault)
            return unavailable(fault)
        case NotFound():
            return Problem(404, ProblemCode.NOT_FOUND, Text("no such %(kind)s", kind=fault.kind))
        case Invalid():
            error = FieldProblem(
                index=None, field=fault.field, code="invalid", reason=str(fault.problem), fix=str(fault.fix)
            )
            return _invalid([error])
        case RequestValidationError():
            reason, fix = bilingual("not readable"), bilingual("see /api/v1/openapi.json")
            names = [str(error["loc"][-1])[:60] for error in fault.errors()]
            return _invalid(
                [
                    FieldProblem(index=None, field=name, code="invalid", reason=reason, fix=fix)
                    for name in names
                ]
            )
        case HTTPException():
            known = {
                404: (ProblemCode.NOT_FOUND, Text("no such address")),
                405: (ProblemCode.METHOD, Text("method not allowed")),
            }
            code, detail = known.get(fault.status_code, (ProblemCode.INVALID, Text("the request is wrong")))
            return Problem(fault.status_code, code, detail, headers=fault.headers)
    raise fault


def _invalid(errors: list[FieldProblem]) -> Problem:
    return Problem(422, ProblemCode.INVALID, Text("a parameter is wrong"), errors=errors)
