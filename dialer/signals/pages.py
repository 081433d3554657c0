"""The page *Warning robot* 预警机器人: signals by source, verdicts by state, the rules with their precision and
their versions; each figure leads to its verdicts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Form
from starlette.responses import Response

from dialer.core.access import Permission
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.text import gettext_noop
from dialer.core.values import VerdictState, VersionState
from dialer.language.catalogue import say
from dialer.signals.held import (
    HELD_WORDS,
    MOST_AT_ONCE,
    HeldWhy,
    drop_verdicts,
    release_verdicts,
    why_held,
)
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
from dialer.signals.reasons import KIND_WORDS, rule_title, shown_verdicts
from dialer.signals.rule_store import rule_versions
from dialer.signals.shadow import Side, VerdictDifference
from dialer.signals.source_quotas import resume_source
from dialer.signals.verdict_store import count_held, held_verdicts, verdict_by_id
from dialer.signals.versions import resume_rule
from dialer.web.console import CurrentRequest, PageSection, RequestContext, require_top_unit, sees_everything
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
_INVALID, _CONFLICT = 422, 409
Words = Annotated[str, Form(max_length=500)]
Numbers = Annotated[list[int], Form()]
KNOWN = (
    gettext_noop("choose 1 to %(most)s"),
    gettext_noop("they are no longer held, or have no telephone number"),
)
"""Refusals of `held`."""


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
        versions = rule_versions(tx)
        facts: dict[str, Any] = {
            "robot": read_status(tx, since=now - _DAYS, now=now),
            "versions": versions[:_VERSIONS],
            "has_live_rules": any(version.state is VersionState.APPROVED for version in versions),
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


@robot_pages.get(_PATH + "/verdicts", act=Permission.SEE_CONTROL, shows_people=True)
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


@robot_pages.get(_PATH + "/signals", act=Permission.SEE_CONTROL, shows_people=True)
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


@robot_pages.get(_PATH + "/held", act=Permission.SEE_CONTROL, shows_people=True)
def held(request: CurrentRequest) -> Response:
    """The held verdicts, each with why it is held, to be released or dropped together."""
    return _show_held(request)


@robot_pages.get(_PATH + "/held/{number}", act=Permission.SEE_CONTROL, shows_people=True)
def held_verdict(request: CurrentRequest, number: int) -> Response:
    """One verdict with its reasons and its signals, masked."""
    require_top_unit(request)
    with request.services.store.begin() as tx:
        verdict = verdict_by_id(tx, number)
        if verdict is None:
            raise NotFound(kind="verdict", key=number)
        shown = shown_verdicts(tx, [verdict])
        is_held = verdict.state is VerdictState.HELD
        why = why_held(tx, [verdict])[number] if is_held else None
    return request.page(
        "console/robot_held_verdict.html",
        verdict=verdict,
        sheet={"reasons": shown},
        why=_why_words(request, why) if why else "",
        may_decide=request.may(Permission.APPROVE) and is_held,
    )


@robot_pages.post(_PATH + "/held/release", act=Permission.APPROVE)
def release(request: CurrentRequest, verdict: Numbers = [], why: Words = "") -> Response:  # noqa: B006
    """Sends the chosen verdicts as warnings at once, with one reason."""
    return _decide_held(
        request, release_verdicts, verdict, why, gettext_noop("Warnings are made of the verdicts.")
    )


@robot_pages.post(_PATH + "/held/drop", act=Permission.APPROVE)
def drop(request: CurrentRequest, verdict: Numbers = [], why: Words = "") -> Response:  # noqa: B006
    """Drops the chosen verdicts, with one reason."""
    return _decide_held(
        request, drop_verdicts, verdict, why, gettext_noop("The verdicts are dropped; nobody is called.")
    )


def _decide_held(
    request: RequestContext, decide: Callable[..., int], chosen: list[int], why: str, notice: str
) -> Response:
    require_top_unit(request)
    try:
        decide(request.services, request.actor, chosen, why=why)
    except Invalid as fault:
        wrong = request.wrong(fault)
        return _show_held(request, status=_INVALID, wrong=wrong, chosen=chosen, why=why)
    except Conflict as fault:
        return _show_held(request, status=_CONFLICT, wrong={"verdict": request.refusal(fault)}, why=why)
    return request.redirect_to(_PATH + "/held", notice=notice)


def _show_held(
    request: RequestContext,
    *,
    status: int = 200,
    wrong: Mapping[str, str] | None = None,
    chosen: Collection[int] = (),
    why: str = "",
) -> Response:
    with request.services.store.begin() as tx:
        lines = held_verdicts(tx, limit=MOST_AT_ONCE)
        reasons = why_held(tx, lines)
        count = len(lines) if len(lines) < MOST_AT_ONCE else count_held(tx)
    return request.page(
        "console/robot_held.html",
        status=status,
        lines=[(line, _why_words(request, reasons[line.id])) for line in lines],
        count=count,
        wrong=wrong or {},
        chosen=set(chosen),
        why=why,
        may_decide=request.may(Permission.APPROVE) and sees_everything(request),
    )


def _why_words(request: RequestContext, why: HeldWhy) -> str:
    titles = [rule_title(name).get(request.lang.value, name) for name in why.names]
    words = request.say(HELD_WORDS[why.because])
    if not titles:
        return words
    return request.say(gettext_noop("%(why)s: %(names)s"), why=words, names=", ".join(titles))


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
