"""The pages of the rules of the warning robot: a version as a table in words, one rule with its thresholds to draft
from, and a draft beside the live rules, with what it would have done last week and its approval.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import Form
from starlette.responses import Response

from dialer.core.access import Permission
from dialer.core.errors import Conflict, Invalid, NotFound, Refusal
from dialer.core.text import Text, gettext_noop
from dialer.core.values import Grade
from dialer.language.sentences import refusal_sentence
from dialer.language.words import sentence, word_of
from dialer.script_versions.view import DiffLine, compare
from dialer.signals.lint import RuleFinding, check_texts
from dialer.signals.queries import RuleLine, rule_lines
from dialer.signals.replay import Replay, replay
from dialer.signals.rule_store import RuleVersion, live_rule_version, rule_version_by_number
from dialer.signals.rules import Rule, RuleUnreadable
from dialer.signals.thresholds import (
    ALL_OF,
    ANY_OF,
    LEAST_GRADE,
    POINTS,
    RuleChange,
    compare_rules,
    rule_words,
    thresholds_of,
    with_thresholds,
)
from dialer.signals.versions import EvaluatorRules, RulesNotApproved, approve_rules, draft_rule, parse_version
from dialer.web.console import CurrentRequest, PageSection, RequestContext, require_top_unit, sees_everything

rule_pages = PageSection()
_WEEK: Final = timedelta(days=7)
_LAST_MINUTE: Final = timedelta(minutes=1)
"""What has arrived in the minute of now is judged too."""
_MOST_SIGNALS: Final = 20_000
"""The signals that a page judges again, some seconds of work; the command line has no limit."""
_INVALID, _CONFLICT = 422, 409
_MOST_BYTES: Final = 256 * 1024
KNOWN = (
    gettext_noop("is not a grade"),
    gettext_noop("is not a number"),
    gettext_noop("is not a whole number"),
    gettext_noop("is not written as usual"),
    gettext_noop("change it in the TOML of the rule"),
)
"""Refusals of thresholds."""
Words = Annotated[str, Form(max_length=500)]
Number = Annotated[int, Form(ge=1, le=1_000_000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    """A version and its rules with their points in it."""

    version: RuleVersion
    rules: Sequence[tuple[Rule, int]]

    def rule(self, rule_id: str) -> tuple[Rule, int]:
        found = next((pair for pair in self.rules if pair[0].id == rule_id), None)
        if found is None:
            raise NotFound(kind="rule", key=rule_id)
        return found


def _opened(version: RuleVersion) -> _Open:
    read: EvaluatorRules = parse_version(version)
    points = read.scorecard.points_of(read.rules)
    return _Open(
        version=version, rules=[(rule, abs(n)) for rule, n in zip(read.rules.rules, points, strict=True)]
    )


def _versions(request: RequestContext, number: int | None) -> tuple[RuleVersion, RuleVersion]:
    """The version with this number, without one the live version; and the live version, if there is one."""
    with request.services.store.begin() as tx:
        live = live_rule_version(tx)
        chosen = live if number is None else rule_version_by_number(tx, number)
    if chosen is None:
        raise NotFound(kind="live version of the rules", key="")
    return chosen, live or chosen


@rule_pages.get("/robot/rules", act=Permission.SEE_CONTROL)
def rules(request: CurrentRequest, version: int | None = None) -> Response:
    """The rules of a version in words, with what each has found in the last week."""
    chosen, live = _versions(request, version)
    now = request.services.clock.now()
    with request.services.store.begin() as tx:
        figures: Mapping[str, RuleLine] = {
            line.rule: line for line in rule_lines(tx, since=now - _WEEK, now=now)
        }
    lines = [
        (rule, _said(request, rule_words(rule, points)), figures.get(rule.id))
        for rule, points in _opened(chosen).rules
    ]
    return request.page(
        "console/robot_rules.html",
        version=chosen,
        live=live,
        lines=sorted(lines, key=lambda line: -(line[2].verdicts if line[2] else 0)),
        all_of=ALL_OF,
        any_of=ANY_OF,
        points=POINTS,
        least_grade=LEAST_GRADE,
        **_rights(request),
    )


@rule_pages.get("/robot/rule", act=Permission.SEE_CONTROL)
def one_rule(request: CurrentRequest, rule: str = "", version: int | None = None) -> Response:
    """One rule of a version, with its thresholds to draft from; without a name, a form for a new rule."""
    chosen, _ = _versions(request, version)
    return _show_rule(request, chosen, rule[:60])


@rule_pages.post("/robot/rule", act=Permission.DRAFT_RULES, most_bytes=_MOST_BYTES)
def draft(
    request: CurrentRequest,
    version: Number,
    rule: Annotated[str, Form(max_length=60)] = "",
    name: Annotated[list[str], Form()] = [],  # noqa: B006  # FastAPI copies it
    value: Annotated[list[str], Form()] = [],  # noqa: B006
    points: Annotated[str, Form(max_length=20)] = "",
    floor: Annotated[str, Form(max_length=20)] = "",
    source: Annotated[str, Form(max_length=100_000)] = "",
    do: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Stores a new version with the changed rule: from the figures of the form, from the TOML with `do` toml, and
    without the rule with `do` remove. Nothing is stored while the lint finds something.
    """
    require_top_unit(request)
    chosen, _ = _versions(request, version)
    typed = dict(zip(name, value, strict=False))
    text: str | None = source.replace("\r\n", "\n")
    worth = None
    try:
        if do == "remove":
            text = None
        elif do != "toml":
            text, worth = _with_figures(chosen, rule, typed, points=points, floor=floor)
        made = draft_rule(request.services, request.actor, version, rule, text, points=worth)
    except Invalid as fault:
        back = {**typed, "points": points, "floor": floor}
        return _show_rule(request, chosen, rule, status=_INVALID, wrong=request.wrong(fault), typed=back)
    except RulesNotApproved as fault:
        return _show_rule(request, chosen, rule, status=_INVALID, findings=fault.findings, source=text)
    except RuleUnreadable as fault:
        refused = f"{refusal_sentence(fault, request.lang)}: {sentence(fault.fix, request.lang)}"
        return _show_rule(request, chosen, rule, status=_INVALID, refused=refused, source=text)
    except Conflict as fault:
        refused = refusal_sentence(fault, request.lang)
        return _show_rule(request, chosen, rule, status=_CONFLICT, refused=refused, source=text)
    return request.redirect_to(
        f"/robot/versions/{made.number}",
        notice=gettext_noop("The draft is stored and waits for a second person under Approvals."),
    )


def _with_figures(
    chosen: RuleVersion, rule: str, typed: Mapping[str, str], *, points: str, floor: str
) -> tuple[str, int | None]:
    """The text of the rule with these figures, and its points if they belong to the scorecard."""
    found, _ = _opened(chosen).rule(rule)
    if chosen.scorecard is None or rule not in chosen.scorecard["points"]:
        return with_thresholds(found, typed, points=points, floor=floor), None
    if not points.strip().isdecimal():
        raise Invalid(field="points", problem="is not a whole number")
    return with_thresholds(found, typed, points=str(found.points), floor=floor), int(points)


@rule_pages.get("/robot/versions/{number}", act=Permission.SEE_CONTROL)
def version(request: CurrentRequest, number: int) -> Response:
    """A version beside the live rules, rule by rule in words."""
    return _show_version(request, number)


@rule_pages.get("/robot/versions/{number}/week", act=Permission.DRAFT_RULES)
def last_week(request: CurrentRequest, number: int) -> Response:
    """The same, with what the version would have done with the signals of the last week."""
    now = request.services.clock.now()
    _versions(request, number)
    end = now + _LAST_MINUTE
    done = replay(request.services, start=now - _WEEK, end=end, draft=number, most=_MOST_SIGNALS)
    return _show_version(request, number, done=done)


@rule_pages.get("/robot/versions/{number}/files", act=Permission.SEE_CONTROL)
def files(request: CurrentRequest, number: int) -> Response:
    """The TOML of all rules of the version as a zip file, for `dialer signals rules draft`."""
    chosen, _ = _versions(request, number)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(chosen.files.items()):
            archive.writestr(zipfile.ZipInfo(f"{name}.toml"), text)
    return Response(
        packed.getvalue(),
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="rules-{number}.zip"'},
    )


@rule_pages.post("/robot/rules/{number}/approve", act=Permission.APPROVE)
def approve(request: CurrentRequest, number: int, reason: Words = "") -> Response:
    """A second person approves the version; the robot then evaluates with it."""
    require_top_unit(request)
    try:
        approve_rules(request.services, request.actor, number, reason=reason)
    except Conflict as fault:
        return _show_version(request, number, refused=refusal_sentence(fault, request.lang), status=_CONFLICT)
    except Refusal as fault:
        return _show_version(request, number, refused=refusal_sentence(fault, request.lang), status=_INVALID)
    return request.redirect_to(
        "/robot", notice=gettext_noop("The rules are approved; the robot uses them within seconds.")
    )


def _show_version(
    request: RequestContext, number: int, *, done: Replay | None = None, refused: str = "", status: int = 200
) -> Response:
    chosen, live = _versions(request, number)
    changes = compare_rules(_opened(live).rules, _opened(chosen).rules)
    findings: Sequence[RuleFinding] = check_texts(chosen.files) if chosen.approved_at is None else ()
    return request.page(
        "console/robot_version.html",
        status=status,
        version=chosen,
        live=live,
        changes=[_shown_change(request, change) for change in changes],
        files=_changed_files(live, chosen),
        findings=findings,
        done=done,
        refused=refused,
        may_approve=request.may(Permission.APPROVE) and sees_everything(request),
        most_signals=_MOST_SIGNALS,
        **_rights(request),
    )


def _shown_change(request: RequestContext, change: RuleChange) -> dict[str, Any]:
    return {
        "rule": change.rule,
        "is_new": change.before is None,
        "is_gone": change.after is None,
        "differences": [
            (request.say(one.what), _lines(request, one.before), _lines(request, one.after))
            for one in change.differences
        ],
        "words": _said(request, rule_words(change.rule, change.rule.points)),
    }


def _changed_files(live: RuleVersion, chosen: RuleVersion) -> list[tuple[str, list[DiffLine]]]:
    return [
        (f"{name}.toml", list(compare(live.files.get(name, ""), chosen.files.get(name, ""))))
        for name in sorted({*live.files, *chosen.files})
        if live.files.get(name) != chosen.files.get(name)
    ]


def _show_rule(
    request: RequestContext,
    chosen: RuleVersion,
    rule_id: str,
    *,
    wrong: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
    findings: Sequence[RuleFinding] = (),
    source: str | None = None,
    refused: str = "",
    status: int = 200,
) -> Response:
    found, points = _opened(chosen).rule(rule_id) if rule_id else (None, 0)
    typed = typed or {}
    return request.page(
        "console/robot_rule.html",
        status=status,
        version=chosen,
        rule=found,
        points=typed.get("points", str(points)),
        floor=typed.get("floor", found.floor.value if found and found.floor else ""),
        words=_said(request, rule_words(found, points)) if found else {},
        thresholds=[
            (one, sentence(one.what, request.lang), typed.get(one.name, one.value))
            for one in (thresholds_of(found) if found else ())
        ],
        grade_pairs=[(g.value, word_of(g, request.lang)) for g in sorted(Grade, key=lambda g: -g.rank)],
        wrong=wrong or {},
        findings=findings,
        source=source if source is not None else found.text if found else "",
        is_in_toml=source is not None,
        refused=refused,
        **_rights(request),
    )


def _rights(request: RequestContext) -> dict[str, Any]:
    """What the templates need besides their own facts."""
    return {
        "may_draft": request.may(Permission.DRAFT_RULES) and sees_everything(request),
        "say": lambda text: sentence(text, request.lang),
    }


def _said(request: RequestContext, words: Mapping[str, tuple[Any, ...]]) -> dict[str, list[str]]:
    """The lines of a rule in the language of the page, by what they say; without those that have none."""
    return {what: _lines(request, lines) for what, lines in words.items() if lines}


def _lines(request: RequestContext, lines: Sequence[Any]) -> list[str]:
    return [
        sentence(line, request.lang) if isinstance(line, Text) else word_of(line, request.lang)
        for line in lines
    ]
