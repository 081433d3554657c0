"""The API, put together: mounted at /api/v1, with its own errors, headers and description."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from dialer.bootstrap import Application
from dialer.errors import Invalid, NotFound, Unavailable
from dialer.language import Text, bilingual
from dialer.web.api import reading, warnings
from dialer.web.api.description import ABOUT, DescribedApi
from dialer.web.api.desk import Desk, unavailable
from dialer.web.api.guard import Guard
from dialer.web.api.problems import FieldProblem, Problem, ProblemCode, problem_response

PREFIX = "/api/v1"

_log = logging.getLogger(__name__)


def create_api(app: Application) -> FastAPI:
    """The API on this application. Its interactive pages are left out: they would load from elsewhere."""
    api = DescribedApi(
        title="预警劝阻接口 · dialer API",
        description=ABOUT,
        version="1",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        servers=[{"url": PREFIX}],
        root_path_in_servers=False,
        separate_input_output_schemas=False,
    )
    api.state.desk = Desk(app)
    api.include_router(warnings.router)
    api.include_router(reading.router)
    api.add_middleware(Guard)
    api.add_exception_handler(Problem, _problem)
    api.add_exception_handler(Unavailable, _problem)
    api.add_exception_handler(NotFound, _problem)
    api.add_exception_handler(Invalid, _problem)
    api.add_exception_handler(RequestValidationError, _problem)
    api.add_exception_handler(HTTPException, _problem)
    return api


async def _problem(_request: Request, fault: Exception) -> JSONResponse:
    return problem_response(_translated(fault))


def _translated(fault: Exception) -> Problem:
    match fault:
        case Problem():
            return fault
        case Unavailable():
            _log.warning("request put off: %s", fault)
            return unavailable(fault)
        case NotFound():
            return Problem(404, ProblemCode.NOT_FOUND, Text("no such %(kind)s", kind=fault.kind))
        case Invalid():
            error = FieldProblem(
                index=None, field=fault.field, code="invalid", reason=str(fault.problem), mend=str(fault.mend)
            )
            return _invalid([error])
        case RequestValidationError():
            return _invalid([_named(error["loc"]) for error in fault.errors()])
        case HTTPException():
            return _of_http(fault)
    raise fault


def _named(location: tuple[int | str, ...]) -> FieldProblem:
    return FieldProblem(
        index=None,
        field=str(location[-1])[:60],
        code="invalid",
        reason=bilingual("not readable"),
        mend=bilingual("see there"),
    )


def _invalid(errors: list[FieldProblem]) -> Problem:
    return Problem(422, ProblemCode.INVALID, Text("a parameter is wrong"), errors=errors)


def _of_http(fault: HTTPException) -> Problem:
    known = {
        404: (ProblemCode.NOT_FOUND, Text("no such address")),
        405: (ProblemCode.METHOD, Text("method not allowed")),
    }
    code, detail = known.get(fault.status_code, (ProblemCode.INVALID, Text("the request is wrong")))
    return Problem(fault.status_code, code, detail, headers=fault.headers)
