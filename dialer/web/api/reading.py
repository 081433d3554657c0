"""GET /cases/{case_id} and GET /report."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from dialer.errors import NotFound
from dialer.store.tokens import Token
from dialer.usecases.engine import Engine
from dialer.usecases.make_report import make_report, report_period
from dialer.usecases.show_case import show_case
from dialer.usecases.tell_case import CaseOut, tell_case
from dialer.usecases.tell_report import ReportOut, tell_report
from dialer.usecases.try_scripts import running_trials
from dialer.web.api.description import problems
from dialer.web.api.desk import MayReadCases, MayReadReport, desk_of

router: Final = APIRouter()
_LARGEST_ID: Final = 2**63 - 1
_A_DAY: Final = "如 2026-11-25，当地日期或时间 · a day or a moment, local"


class ReportQuery(BaseModel):
    """A name that is not one of these is refused: a misspelt window must not give the figures of another."""

    model_config = ConfigDict(extra="forbid")

    start: Annotated[
        str | None, Field(alias="from", default=None, max_length=40, description=f"起 · from. {_A_DAY}")
    ]
    end: Annotated[
        str | None,
        Field(alias="to", default=None, max_length=40, description=f"止，含当日 · to, included. {_A_DAY}"),
    ]


@router.get(
    "/cases/{case_id}",
    summary="查看预警单 · One case",
    response_model=CaseOut,
    responses=problems(404, 422),
)
async def get_case(
    request: Request,
    token: MayReadCases,
    case_id: Annotated[int, Path(ge=1, le=_LARGEST_ID, description="预警单编号 · the case's id")],
) -> JSONResponse:
    """脱敏的预警单、下一步和经过。限定机构的令牌只能看本机构的预警单。

    The case masked, with what comes next and what happened. A token of one unit sees that unit's cases alone.
    """
    desk = desk_of(request)
    return JSONResponse(await desk.run(lambda: case(desk.engine, token, case_id)))


def case(engine: Engine, token: Token, case_id: int) -> dict[str, Any]:
    """As `dialer case ID --json`. Raises `NotFound`, also for another unit's case, and `Unavailable`."""
    story = show_case(engine, case_id)
    if token.unit and story.file.stored.unit != token.unit:
        raise NotFound(kind="case", key=case_id)
    return tell_case(story).plain()


@router.get(
    "/report",
    summary="报告 · The report",
    response_model=ReportOut,
    responses=problems(422),
)
async def get_report(
    request: Request, _token: MayReadReport, window: Annotated[ReportQuery, Query()]
) -> JSONResponse:
    """与 `dialer report --json` 相同；每个率都带分子、分母、时间窗和剔除项。

    The same JSON as `dialer report --json`: numerator, denominator, window and exclusions beside every rate.
    """
    desk = desk_of(request)
    return JSONResponse(await desk.run(lambda: report(desk.engine, window)))


def report(engine: Engine, window: ReportQuery) -> dict[str, Any]:
    """As `dialer report --json`. Raises `Invalid` and `Unavailable`."""
    period = report_period(engine, window.start, window.end)
    return tell_report(make_report(engine, period), running_trials(engine)).plain()
