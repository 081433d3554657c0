"""The page *Warning robot* 预警机器人: signals by source, verdicts by state, the rules with their precision and
their versions; each figure leads to its verdicts.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import Form
from starlette.responses import Response

from dialer.core.access import Permission
from dialer.core.text import gettext_noop
from dialer.core.values import VerdictState
from dialer.language.catalogue import say
from dialer.signals.queries import (
    CALIBRATION_DAYS,
    MOST_LINES,
    SEARCHED,
    LabelFilter,
    UnevaluatedReason,
    VerdictFilter,
    list_signals,
    list_unevaluated_signals,
    list_verdicts,
    read_status,
)
from dialer.signals.reasons import KIND_WORDS, rule_title
from dialer.signals.rule_store import rule_versions
from dialer.signals.shadow import Side, VerdictDifference
from dialer.signals.source_quotas import resume_source
from dialer.signals.versions import resume_rule
from dialer.web.console import CurrentRequest, PageSection, require_top_unit, sees_everything
from dialer.web.rendering import PlaceGroup

robot_pages = PageSection()
_PATH = "/robot"
_DAYS = timedelta(days=7)
_VERSIONS = 10
_DIFFERENCES = {
    VerdictDifference.NEW: gettext_noop("warned as well"),
    VerdictDifference.LOST: gettext_noop("no longer warned"),
    VerdictDifference.REGRADED: gettext_noop("warned with another grade"),
}
Words = Annotated[str, Form(max_length=500)]


@robot_pages.get(
    _PATH,
    act=Permission.SEE_CONTROL,
    nav=gettext_noop("Warning robot"),
    order=65,
    group=PlaceGroup.ADMINISTRATION,
)
def robot(request: CurrentRequest) -> Response:
    services = request.services
    now = services.clock.now()
    with services.store.begin() as tx:
        facts: dict[str, Any] = {
            "robot": read_status(tx, since=now - _DAYS, now=now),
            "versions": rule_versions(tx)[:_VERSIONS],
        }
    of_all = sees_everything(request)
    return request.page(
        "console/robot.html",
        states=list(VerdictState),
        differences={which: say(request.lang, text) for which, text in _DIFFERENCES.items()},
        title_of=lambda rule: rule_title(rule).get(request.lang.value, rule),
        may_control=request.may(Permission.CONTROL) and of_all,
        **facts,
    )


@robot_pages.get(_PATH + "/verdicts", act=Permission.SEE_CONTROL)
def verdicts(
    request: CurrentRequest,
    state: str = "",
    rule: str = "",
    low: float = -1.0,
    high: float = 1.0,
    difference: str = "",
    side: str = "",
    answer: str = "",
    warned: bool = False,
) -> Response:
    """The verdicts that a figure of the robot page counts."""
    services = request.services
    between = (low, high) if low >= 0 else None
    days = _DAYS if between is None else timedelta(days=CALIBRATION_DAYS)
    chosen = VerdictFilter(
        since=services.clock.now() - days,
        state=VerdictState(state) if state in set(VerdictState) else None,
        rule=rule[:60],
        warned=warned,
        answer=LabelFilter(answer) if answer in set(LabelFilter) else None,
        between=between,
        difference=VerdictDifference(difference) if difference in set(VerdictDifference) else None,
        side=Side(side) if side in set(Side) else None,
    )
    with services.store.begin() as tx:
        lines, count = list_verdicts(tx, chosen, visible_to=request.member.unit_id)
    return request.page(
        "console/robot_verdicts.html",
        lines=lines,
        count=count,
        chosen=chosen,
        days=days.days,
        rule=rule_title(chosen.rule).get(request.lang.value, "") if rule else "",
        difference=say(request.lang, _DIFFERENCES[chosen.difference]) if chosen.difference else "",
        sees_cases=request.may(Permission.SEE_CASES),
    )


@robot_pages.get(_PATH + "/signals", act=Permission.SEE_CONTROL)
def signals(request: CurrentRequest, source: str = "", lack: str = "") -> Response:
    """The newest signals of a source, or those that changed no verdict, without personal data."""
    services = request.services
    chosen = UnevaluatedReason(lack) if lack in set(UnevaluatedReason) else None
    with services.store.begin() as tx:
        if chosen is None:
            lines = list_signals(tx, source[:60], now=services.clock.now())
        else:
            lateness = timedelta(seconds=services.signals.late_seconds)
            lines = list_unevaluated_signals(tx, chosen, allowed_lateness=lateness)
    return request.page(
        "console/robot_signals.html",
        source=source[:60],
        lack=chosen,
        searched=SEARCHED,
        lines=[(line, say(request.lang, KIND_WORDS[line.kind])) for line in lines],
        is_cut=len(lines) == MOST_LINES,
    )


@robot_pages.post(_PATH + "/rules/resume", act=Permission.CONTROL)
def resume(request: CurrentRequest, rule: Words = "") -> Response:
    """Resumes a stopped rule: what it finds is sent again."""
    require_top_unit(request)
    resume_rule(request.services, request.actor, rule)
    return request.redirect_to(_PATH, notice=gettext_noop("The rule is in use again."))


@robot_pages.post(_PATH + "/sources/resume", act=Permission.CONTROL)
def resume_stopped_source(request: CurrentRequest, source: Words = "") -> Response:
    """Resumes what rests on a source: it is sent."""
    require_top_unit(request)
    resume_source(request.services, request.actor, source)
    return request.redirect_to(_PATH, notice=gettext_noop("What rests on the source is sent again."))
