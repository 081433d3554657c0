"""The pages of the rules of inspection: what they found, versions, a draft and its approval by a second person."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Path
from starlette.responses import Response

from dialer.core.access import Permission
from dialer.core.errors import Conflict, Invalid
from dialer.core.inspection import Outcome
from dialer.core.text import Lang, gettext_noop
from dialer.core.values import VersionState
from dialer.quality.actions import SHOWN_DAYS, count_findings
from dialer.quality.rules import read_catalogue
from dialer.quality.versions import (
    LONGEST_WHY,
    approve_rules,
    draft_rules,
    get_version,
    list_versions,
    live_catalogue,
)
from dialer.web.console import CurrentRequest, PageSection, RequestContext, require_top_unit, sees_everything

quality_rule_pages = PageSection()
_PATH = "/quality/rules"
_UNFIT, _TAKEN = 422, 409
_LONGEST_SOURCE = 100_000
Number = Annotated[int, Path(ge=1, lt=2**31)]
Why = Annotated[str, Form(max_length=LONGEST_WHY)]


def rule_titles(request: RequestContext) -> dict[str, str]:
    """The title of each rule in force, by its id, as this reader reads it."""
    found = live_catalogue(request.services)
    return {} if found is None else {rule.id: rule.text(Lang(request.lang)) for rule in found[1].rule}


@quality_rule_pages.get(_PATH, act=Permission.INSPECT_CALLS)
def rules(request: CurrentRequest) -> Response:
    """The rules in force with what they found, and all versions."""
    found = live_catalogue(request.services)
    return request.page(
        "console/quality_rules.html",
        version=None if found is None else found[0],
        rules=() if found is None else found[1].rule,
        counts=count_findings(request.services, visible_to=request.member.unit_id),
        outcomes=tuple(Outcome),
        days=SHOWN_DAYS,
        versions=list_versions(request.services),
        may_edit=request.may(Permission.EDIT_SCRIPTS) and sees_everything(request),
        language=Lang(request.lang),
    )


@quality_rule_pages.get(_PATH + "/draft", act=Permission.EDIT_SCRIPTS)
def edit(request: CurrentRequest) -> Response:
    """The rules in force as a text to be changed."""
    require_top_unit(request)
    found = live_catalogue(request.services)
    return _form(request, source="" if found is None else found[0].source)


@quality_rule_pages.post(_PATH, act=Permission.EDIT_SCRIPTS, most_bytes=4 * _LONGEST_SOURCE)
def draft(
    request: CurrentRequest,
    source: Annotated[str, Form(max_length=_LONGEST_SOURCE)] = "",
    why: Why = "",
) -> Response:
    """Stores a draft, which waits for a second person."""
    require_top_unit(request)
    try:
        number = draft_rules(request.services, request.actor, source, why=why)
    except Invalid as fault:
        return _form(request, source=source, why=why, wrong=request.wrong(fault), status=_UNFIT)
    except Conflict as fault:
        return _form(request, source=source, why=why, refused=request.refusal(fault), status=_TAKEN)
    return request.redirect_to(
        f"{_PATH}/{number}", notice=gettext_noop("The draft is saved: a second person approves it.")
    )


@quality_rule_pages.get(_PATH + "/{number}", act=Permission.INSPECT_CALLS)
def version(request: CurrentRequest, number: Number) -> Response:
    """One version as a text."""
    return _version(request, number)


@quality_rule_pages.post(_PATH + "/{number}/approve", act=Permission.APPROVE)
def approve(request: CurrentRequest, number: Number, reason: Why = "") -> Response:
    """A second person puts the version in force."""
    require_top_unit(request)
    try:
        approve_rules(request.services, request.actor, number, reason=reason)
    except Invalid as fault:
        return _version(request, number, wrong=request.wrong(fault), status=_UNFIT)
    except Conflict as fault:
        return _version(request, number, refused=request.refusal(fault), status=_TAKEN)
    return request.redirect_to(
        _PATH, notice=gettext_noop("The rules are in force; calls are inspected by them from now on.")
    )


def _version(
    request: RequestContext,
    number: int,
    *,
    wrong: dict[str, str] | None = None,
    refused: str = "",
    status: int = 200,
) -> Response:
    found = get_version(request.services, number)
    decides = request.may(Permission.APPROVE) and sees_everything(request)
    is_own = request.actor.signed(found.drafted_by)
    return request.page(
        "console/quality_version.html",
        status=status,
        version=found,
        rules=read_catalogue(found.source).rule,
        language=Lang(request.lang),
        is_own=is_own,
        may_approve=decides and not is_own and found.state is not VersionState.APPROVED,
        wrong=wrong or {},
        refused=refused,
    )


def _form(
    request: RequestContext,
    *,
    source: str,
    why: str = "",
    wrong: dict[str, str] | None = None,
    refused: str = "",
    status: int = 200,
) -> Response:
    return request.page(
        "console/quality_draft.html",
        status=status,
        source=source,
        why=why,
        longest=_LONGEST_SOURCE,
        wrong=wrong or {},
        refused=refused,
    )
