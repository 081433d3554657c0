"""The pages of the plan: policy, limits of sources and pace as they are in force, to draft from in a form or as TOML;
and a version beside the one in force, with what it would have changed last week and its approval.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import Form
from starlette.responses import Response

from dialer.control.plan_judgement import PlanWeek
from dialer.control.plan_view import differences, shown_plan
from dialer.control.plans import (
    MOST_ROWS,
    approve_plan,
    draft_plan,
    draft_values,
    judge_plan,
    plan_of_version,
    read_plan,
    read_plans,
)
from dialer.core.access import Permission
from dialer.core.errors import Conflict, Refusal, SettingsError
from dialer.core.text import gettext_noop
from dialer.db.plans import PlanVersion
from dialer.language.sentences import refusal_sentence
from dialer.language.words import sentence
from dialer.runtime.plans import Plan, parse_plan, plan_text
from dialer.script_versions.view import compare
from dialer.web.console import CurrentRequest, PageSection, RequestContext, require_top_unit, sees_everything

plan_pages = PageSection()
_WEEK: Final = timedelta(days=7)
_INVALID, _CONFLICT = 422, 409
_MOST_BYTES: Final = 256 * 1024
Words = Annotated[str, Form(max_length=500)]


def _in_force(request: RequestContext) -> tuple[int | None, Plan]:
    """The number of the version in force, None while the settings are, and the plan."""
    live = plan_of_version(request.services, request.app.settings, None)
    return live.number, parse_plan(live.source)


@plan_pages.get("/plan", act=Permission.SEE_CONTROL)
def plan(request: CurrentRequest, version: int | None = None) -> Response:
    """A version as a form to draft from, without a number the one in force; and all versions."""
    return _show_plan(request, version)


@plan_pages.post("/plan", act=Permission.DRAFT_PLANS, most_bytes=_MOST_BYTES)
def draft(
    request: CurrentRequest,
    version: Annotated[int | None, Form(ge=1, le=1_000_000)] = None,
    name: Annotated[list[str], Form()] = [],  # noqa: B006  # FastAPI copies it
    value: Annotated[list[str], Form()] = [],  # noqa: B006
    source: Annotated[str, Form(max_length=100_000)] = "",
    do: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Stores a new version: from the values of the form, or from the TOML with `do` toml."""
    require_top_unit(request)
    typed = dict(zip(name, value, strict=False))
    text = source.replace("\r\n", "\n")
    channels = request.app.message_channels
    is_toml = do == "toml"
    try:
        if is_toml:
            made = draft_plan(request.services, request.actor, text, channels=channels)
        else:
            made = draft_values(request.services, request.actor, typed, channels=channels)
    except SettingsError as fault:
        if is_toml:
            refused = refusal_sentence(fault, request.lang)
            return _show_plan(request, version, status=_INVALID, refused=refused, source=text)
        wrong = {fault.key: sentence(fault.problem, request.lang)}
        return _show_plan(request, version, status=_INVALID, wrong=wrong, typed=typed)
    except Conflict as fault:
        refused = refusal_sentence(fault, request.lang)
        back = {"source": text} if is_toml else {"typed": typed}
        return _show_plan(request, version, status=_CONFLICT, refused=refused, **back)
    return request.redirect_to(
        f"/plan/versions/{made.number}",
        notice=gettext_noop("The draft is stored and waits for a second person under Approvals."),
    )


@plan_pages.get("/plan/file", act=Permission.SEE_CONTROL)
def file(request: CurrentRequest, version: int | None = None) -> Response:
    """The TOML of a version, without a number that of the plan in force."""
    found = plan_of_version(request.services, request.app.settings, version)
    name = "plan.toml" if found.number is None else f"plan-{found.number}.toml"
    return Response(
        found.source,
        media_type="application/toml",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@plan_pages.get("/plan/versions/{number}", act=Permission.SEE_CONTROL)
def version(request: CurrentRequest, number: int) -> Response:
    """A version beside the plan in force."""
    return _show_version(request, number)


@plan_pages.get("/plan/versions/{number}/week", act=Permission.DRAFT_PLANS)
def last_week(request: CurrentRequest, number: int) -> Response:
    """The same, with what the version would have changed in the last week."""
    chosen = parse_plan(read_plan(request.services, number).source)
    start = request.services.clock.now() - _WEEK
    done = judge_plan(request.services, _in_force(request)[1], chosen, start=start)
    return _show_version(request, number, done=done)


@plan_pages.post("/plan/versions/{number}/approve", act=Permission.APPROVE)
def approve(request: CurrentRequest, number: int, reason: Words = "") -> Response:
    """A second person approves the version, which is then in force."""
    require_top_unit(request)
    try:
        approve_plan(
            request.services, request.actor, number, reason=reason, channels=request.app.message_channels
        )
    except Conflict as fault:
        return _show_version(request, number, refused=refusal_sentence(fault, request.lang), status=_CONFLICT)
    except Refusal as fault:
        return _show_version(request, number, refused=refusal_sentence(fault, request.lang), status=_INVALID)
    return request.redirect_to(
        "/plan", notice=gettext_noop("The plan is approved and holds within seconds, for new cases.")
    )


def _show_plan(
    request: RequestContext,
    number: int | None,
    *,
    wrong: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
    source: str | None = None,
    refused: str = "",
    status: int = 200,
) -> Response:
    live_number, live = _in_force(request)
    version: PlanVersion | None = None
    if number is not None or live_number is not None:
        version = read_plan(request.services, number or live_number or 0)
    chosen = live if version is None else parse_plan(version.source)
    kept = wrong or {}
    page = shown_plan(chosen, request.lang, typed=typed)
    known = {one.key for _, values in (*page.rows, *page.parts) for one in values}
    return request.page(
        "console/plan.html",
        status=status,
        version=version,
        live_number=live_number,
        versions=read_plans(request.services),
        plan=page,
        source=source if source is not None else version.source if version else plan_text(chosen),
        is_in_toml=source is not None,
        wrong=kept,
        refused=refused or next((f"{key}: {text}" for key, text in kept.items() if key not in known), ""),
        **_rights(request),
    )


def _show_version(
    request: RequestContext,
    number: int,
    *,
    done: PlanWeek | None = None,
    refused: str = "",
    status: int = 200,
) -> Response:
    chosen = read_plan(request.services, number)
    live_number, live = _in_force(request)
    live_text = plan_text(live) if live_number is None else read_plan(request.services, live_number).source
    return request.page(
        "console/plan_version.html",
        status=status,
        version=chosen,
        live_number=live_number,
        changes=differences(live, parse_plan(chosen.source), request.lang),
        lines=list(compare(live_text, chosen.source)) if live_text != chosen.source else [],
        done=done,
        refused=refused,
        most_rows=MOST_ROWS,
        may_approve=request.may(Permission.APPROVE) and sees_everything(request),
        **_rights(request),
    )


def _rights(request: RequestContext) -> dict[str, Any]:
    """What the templates need besides their own facts."""
    return {"may_draft": request.may(Permission.DRAFT_PLANS) and sees_everything(request)}
