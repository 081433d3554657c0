"""The audit page: who saw, changed and exported what, when and why; the names of acts and facts; the export, which is
audited itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Form, Query
from pydantic import Field
from starlette.responses import Response

from dialer.audit.trail import (
    AuditLine,
    AuditQuery,
    TrailState,
    audited_act_names,
    read_trail_state,
    search_audit,
)
from dialer.core.access import Actor, FactorKind, Permission, Role, required_text
from dialer.core.errors import Invalid
from dialer.core.rates import Period, period_of
from dialer.core.text import Lang, gettext_noop
from dialer.core.timeline import ActKind
from dialer.core.values import DeletedFor, Grade, OutcomeKind
from dialer.db.audit import Seal
from dialer.language.catalogue import say
from dialer.language.sentences import why_words
from dialer.language.words import word_of
from dialer.runtime.services import Services
from dialer.web.console import CurrentRequest, PageSection, RequestContext
from dialer.web.formats import Filter, Sheet, as_file, format_moment, format_number

MOST_EXPORTED = 100_000
"""The most lines of one file."""


def export_audit(services: Services, actor: Actor, query: AuditQuery, *, why: str) -> tuple[AuditLine, ...]:
    """The newest `MOST_EXPORTED` lines that fit the query; audits the reason and the number of lines first. Raises
    `Invalid` without a reason.
    """
    reason = required_text("why", why, fix="every export says what it is for")
    narrowed = {"who": query.who, "act": query.act, "subject": query.subject}
    with services.act(actor, Permission.SEE_AUDIT) as act:
        lines = search_audit(act.tx, replace(query, before=None, limit=MOST_EXPORTED)).lines
        facts = {"lines": len(lines)} | {name: text for name, text in narrowed.items() if text}
        act.audit("export", "audit", why=reason, facts=facts)
    return lines


ACTS: Mapping[str, str] = {
    "check_opening": gettext_noop("an opening checked"),
    "finish_opening": gettext_noop("an opening decided by its outlet"),
    "load_openings": gettext_noop("a daily file of openings"),
    "institution": gettext_noop("a bank or carrier registered"),
    "outlet": gettext_noop("an outlet registered"),
    "bind_teller": gettext_noop("a teller's account bound to an outlet"),
    "report_openings": gettext_noop("the openings reported for an outlet"),
    "opening_fact": gettext_noop("a later fact of a card"),
    "ask_desk": gettext_noop("the verification desk asked"),
    "claim_question": gettext_noop("a question of an outlet claimed"),
    "answer_question": gettext_noop("a question of an outlet answered"),
    "order_onsite": gettext_noop("a team sent to an outlet"),
    "arrive_onsite": gettext_noop("a team arrived at an outlet"),
    "end_onsite": gettext_noop("a check on the spot ended"),
    "sign_opener": gettext_noop("a frequent opener signed for"),
    "confirm_opener": gettext_noop("a frequent opener confirmed"),
    "lift_opener": gettext_noop("a frequent opener lifted"),
    "enter_determination": gettext_noop("a restriction entered"),
    "approve_determination": gettext_noop("a restriction approved"),
    "refuse_determination": gettext_noop("a restriction not approved"),
    "take_objection": gettext_noop("an objection taken"),
    "outlet_step": gettext_noop("a step about an outlet"),
    "monthly_notice": gettext_noop("the monthly notice of outlets made"),
    "uphold_objection": gettext_noop("an objection upheld"),
    "reject_objection": gettext_noop("an objection rejected"),
    "alarm_seen": gettext_noop("an alarm acknowledged"),
    "change_source": gettext_noop("what a source may send changed"),
    "approve_load": gettext_noop("a list approved"),
    "approve_outcome": gettext_noop("an outcome approved"),
    "refuse_outcome": gettext_noop("amounts refused"),
    "correct_outcome": gettext_noop("refused amounts recorded again"),
    "ask_bank": gettext_noop("a bank asked to stop a payment"),
    "report_paid": gettext_noop("told that money was sent"),
    "report_bank": gettext_noop("the answer of a bank reported"),
    "view_evidence": gettext_noop("evidence of amounts read"),
    "audit_chain": gettext_noop("earlier lines covered by the chain"),
    "audit_checkpoint": gettext_noop("a checkpoint of the audit"),
    "draft_bulletin": gettext_noop("a bulletin drafted"),
    "approve_bulletin": gettext_noop("a bulletin approved"),
    "refuse_bulletin": gettext_noop("a bulletin refused"),
    "load_roster": gettext_noop("roster of a month loaded"),
    "take_shift": gettext_noop("shift taken"),
    "notification_rules": gettext_noop("own notifications changed"),
    "notification_test": gettext_noop("own notifications tested"),
    "load_boundaries": gettext_noop("boundaries of units loaded"),
    "assign_unit": gettext_noop("a unit given to a case"),
    "breaker.closed": gettext_noop("the telephone network is back"),
    "breaker.opened": gettext_noop("the telephone network is down"),
    "conversation": gettext_noop("a conversation read"),
    "correct_columns": gettext_noop("a list's columns corrected"),
    "erase": gettext_noop("a person erased"),
    "erase_again": gettext_noop("a person erased again after a restore"),
    "erase_asked": gettext_noop("asked to erase a person"),
    "erase_refused": gettext_noop("a person not erased"),
    "export": gettext_noop("records exported"),
    "retention": gettext_noop("data past their period deleted or erased"),
    "extension": gettext_noop("the desk's telephone changed"),
    "export_rejects": gettext_noop("rejected rows exported in clear"),
    "decide_amounts": gettext_noop("implausible amounts of a list decided on"),
    "alarm_taken": gettext_noop("an alarm taken"),
    "show_rejects": gettext_noop("rejected rows shown in clear"),
    "correct_rejects": gettext_noop("rejected rows corrected"),
    "factor_add": gettext_noop("second factor set up"),
    "factor_remove": gettext_noop("second factor removed"),
    "factor_reset": gettext_noop("second factors reset"),
    "file_case": gettext_noop("a case filed by the police"),
    "keys_rotated": gettext_noop("keys rotated"),
    "keys_reseal_asked": gettext_noop("sealing again asked for"),
    "keys_resealed": gettext_noop("everything sealed again"),
    "key_retired": gettext_noop("a key retired"),
    "look_back": gettext_noop("a look-back opened"),
    "load_filed": gettext_noop("a list of filed cases"),
    "confirm_filed_match": gettext_noop("the person of a filed case confirmed"),
    "reject_filed_match": gettext_noop("the person of a filed case rejected"),
    "undo_filing": gettext_noop("the filing of a case undone"),
    "undo_filed_match": gettext_noop("the match of a filed case undone"),
    "forget_columns": gettext_noop("a list's corrections forgotten"),
    "forget_alias": gettext_noop("a unit's alias forgotten"),
    "import_units": gettext_noop("units imported"),
    "legal_hold": gettext_noop("a legal hold placed"),
    "legal_hold_lifted": gettext_noop("a legal hold lifted"),
    "load_list": gettext_noop("a list loaded"),
    "password_change": gettext_noop("password changed"),
    "pace": gettext_noop("the pace changed"),
    "pace.settings": gettext_noop("the settings' pace again"),
    "pause": gettext_noop("dialling paused"),
    "pause.over": gettext_noop("a pause ran out"),
    "restore": gettext_noop("restored a backup"),
    "restore.compared": gettext_noop("compared the carrier's calls after a restore"),
    "restore.not_compared": gettext_noop("resumed after a restore without comparing calls"),
    "print_notice": gettext_noop("a notice printed"),
    "recovery_code_used": gettext_noop("signed in with a recovery code"),
    "recovery_codes": gettext_noop("new recovery codes"),
    "resume": gettext_noop("dialling resumed"),
    "trunk_call": gettext_noop("a test call over a trunk"),
    "reveal": gettext_noop("hidden data looked at"),
    "script_approve": gettext_noop("a script approved"),
    "rules_draft": gettext_noop("a version of the warning robot's rules drafted"),
    "rules_approve": gettext_noop("a version of the warning robot's rules approved"),
    "rule_resume": gettext_noop("a rule of the warning robot in use again"),
    "confirm_list_item": gettext_noop("an entry of a list confirmed or taken off"),
    "list_item_asked": gettext_noop("an entry of a list to be confirmed or taken off"),
    "list_item_refused": gettext_noop("an entry of a list not confirmed"),
    "list_item_withdrawn": gettext_noop("an entry of a list no longer to be confirmed"),
    "source_resume": gettext_noop("what rests on a source of signals sent again"),
    "script_draft": gettext_noop("a script drafted"),
    "script_trial": gettext_noop("a script trial begun or ended"),
    "settings.adopt": gettext_noop("other settings adopted"),
    "search": gettext_noop("a person searched for"),
    "sessions_end": gettext_noop("sessions ended"),
    "sign_in": gettext_noop("signed in"),
    "sign_in_failed": gettext_noop("sign-in failed"),
    "sign_in_locked": gettext_noop("address blocked after failures"),
    "sign_out": gettext_noop("signed out"),
    "staff_add": gettext_noop("account made"),
    "staff_change": gettext_noop("account changed"),
    "staff_change_asked": gettext_noop("change of an account asked for"),
    "staff_change_confirmed": gettext_noop("change of an account confirmed"),
    "staff_change_refused": gettext_noop("change of an account refused"),
    "staff_change_withdrawn": gettext_noop("change of an account withdrawn"),
    "staff_disable": gettext_noop("account disabled"),
    "staff_enable": gettext_noop("account enabled again"),
    "staff_reset": gettext_noop("password reset"),
    "stop_payment": gettext_noop("stop payment reported"),
    "take_warnings": gettext_noop("warnings taken by the API"),
    "teach_alias": gettext_noop("a unit's alias learned"),
    "token_add": gettext_noop("API token made"),
    "token_asked": gettext_noop("API token asked for"),
    "token_confirmed": gettext_noop("API token confirmed"),
    "token_refused": gettext_noop("API token refused"),
    "token_withdrawn": gettext_noop("API token no longer asked for"),
    "token_revoke": gettext_noop("API token revoked"),
    "withdraw_load": gettext_noop("a list withdrawn"),
    "view_photo": gettext_noop("a photo looked at"),
    "view_file": gettext_noop("a file that proves an amount looked at"),
    "hear_recording": gettext_noop("the recording of a call listened to"),
    "delete_recording": gettext_noop("the recording of a call deleted"),
    "webhook_add": gettext_noop("an outgoing webhook added"),
    "webhook_again": gettext_noop("deliveries of an outgoing webhook sent again"),
    "webhook_end": gettext_noop("an outgoing webhook ended"),
}
FACTS: Mapping[str, str] = {
    "address": gettext_noop("from"),
    "how": gettext_noop("by"),
    "factor": gettext_noop("second factor"),
    "role": gettext_noop("role"),
    "reason": gettext_noop("reason"),
    "kind": gettext_noop("kind"),
    "asked_by": gettext_noop("asked by"),
    "confirmed_by": gettext_noop("confirmed by"),
    "alone": gettext_noop("without a second person"),
    "unit_id": gettext_noop("unit"),
    "unit": gettext_noop("unit"),
    "ended": gettext_noop("ended"),
    "lines": gettext_noop("lines"),
    "believed": gettext_noop("taken as right"),
    "rows": gettext_noop("rows"),
    "what": gettext_noop("what"),
    "who": gettext_noop("who"),
    "act": gettext_noop("act"),
    "subject": gettext_noop("about"),
    "fields": gettext_noop("fields"),
    "extension": gettext_noop("telephone"),
    "until": gettext_noop("until"),
    "before": gettext_noop("before"),
    "after": gettext_noop("after"),
    "from": gettext_noop("before"),
    "to_unit_id": gettext_noop("unit"),
    "api_token": gettext_noop("token"),
    "name": gettext_noop("name"),
    "scopes": gettext_noop("scopes"),
    "days": gettext_noop("days"),
    "assignment_id": gettext_noop("work"),
    "outcome_id": gettext_noop("outcome"),
    "outcome": gettext_noop("outcome"),
    "case": gettext_noop("case"),
    "case_number": gettext_noop("filed case"),
    "count": gettext_noop("number"),
    "grade": gettext_noop("grade"),
    "version": gettext_noop("version"),
    "hash": gettext_noop("content"),
    "goes_live": gettext_noop("live at once"),
    "weights": gettext_noop("shares"),
    "handed_back": gettext_noop("calls handed back"),
    "placed": gettext_noop("cases placed"),
    "taught": gettext_noop("learnt"),
    "stop_payment": gettext_noop("stop payment"),
    "stop_request": gettext_noop("request to a bank"),
    "replaces": gettext_noop("in the place of outcome"),
    "troubles": gettext_noop("troubles in a row"),
    "openings": gettext_noop("trials"),
    "open_seconds": gettext_noop("seconds without the network"),
    "digest": gettext_noop("digest"),
    "recording": gettext_noop("recording of a call"),
    "attempt": gettext_noop("the robot's call"),
    "desk_call": gettext_noop("call from the desk"),
    "inbound_call": gettext_noop("inbound call"),
    "size_bytes": gettext_noop("bytes"),
    "seconds": gettext_noop("seconds"),
    "deleted_for": gettext_noop("why deleted"),
    "through": gettext_noop("up to line"),
    "chain": gettext_noop("chain"),
}
_VALUES: Mapping[str, type[StrEnum]] = {
    "factor": FactorKind,
    "role": Role,
    "grade": Grade,
    "from": Grade,
    "outcome": OutcomeKind,
    "deleted_for": DeletedFor,
}
SUBJECTS: Mapping[str, str] = {
    "staff": gettext_noop("account %(what)s"),
    "search": gettext_noop("by %(what)s"),
    "list_load": gettext_noop("list %(what)s"),
    "api_token": gettext_noop("token %(what)s"),
    "token_request": gettext_noop("request for a token %(what)s"),
    "unit": gettext_noop("unit %(what)s"),
}
_STAFF = "staff/"
TROUBLE = frozenset({"sign_in_failed", "sign_in_locked"})


def act_words(act: str, lang: Lang) -> str:
    """The words for an act; its code if it has none."""
    if act in ACTS:
        return say(lang, ACTS[act])
    try:
        return word_of(ActKind(act), lang)
    except ValueError:
        return act


def subject_words(line: AuditLine, lang: Lang) -> str:
    """The subject of the line in words; an account by its login."""
    kind, _, what = line.subject.partition("/")
    if not what or kind not in SUBJECTS:
        return line.subject
    if line.subject.startswith(_STAFF):
        what = str(line.facts.get("login") or line.who)
    return say(lang, SUBJECTS[kind], what=what)


def facts_words(line: AuditLine, lang: Lang) -> str:
    """The facts of the line with their names, separated by commas."""
    words = []
    for name, value in line.facts.items():
        if value in (None, "") or (name == "login" and line.subject.startswith(_STAFF)):
            continue
        known = FACTS.get(name)
        words.append(f"{say(lang, known) if known else name}: {_value_words(name, value, lang)}")
    return ", ".join(words)


def _value_words(name: str, value: object, lang: Lang) -> str:
    kind = _VALUES.get(name)
    if kind is not None and value in [member.value for member in kind]:
        return word_of(kind(str(value)), lang)
    if isinstance(value, bool):
        return say(lang, gettext_noop("yes") if value else gettext_noop("no"))
    return str(value)


audit_pages = PageSection()
_TEMPLATE = "console/audit.html"
_UNFIT = 422
_PAGE = 50
_DIGITS = 18
"""A number of at most this many digits is an id."""
_SEALS = {
    Seal.WHOLE: gettext_noop("whole"),
    Seal.NONE: gettext_noop("not sealed"),
    Seal.BROKEN: gettext_noop("altered, or its key is missing"),
    Seal.LOOSE: gettext_noop("does not follow the line before it"),
}

_Text = Annotated[str, Field(max_length=100)]


class AuditFilter(Filter):
    """The filter of the page, as typed."""

    who: _Text = ""
    act: _Text = ""
    subject: _Text = ""
    since: Annotated[str, Field(alias="from", max_length=40)] = ""
    until: Annotated[str, Field(alias="to", max_length=40)] = ""


class AuditPlace(AuditFilter):
    """The filter, and where the page begins: below the line that `before` names, or at the newest line."""

    before: _Text = ""


class AuditExport(AuditFilter):
    """An export of the lines that the filter finds, as a file; `why` is audited."""

    beside = frozenset({"kind", "why"})
    kind: Literal["csv", "xlsx"]
    why: Annotated[str, Field(max_length=500)] = ""


@audit_pages.get("/audit", act=Permission.SEE_AUDIT, nav=gettext_noop("Audit"), order=95)
def audit(request: CurrentRequest, place: Annotated[AuditPlace, Query()]) -> Response:
    """Lines of the audit, newest first, a page at a time."""
    return _show(request, place.asked(), before=place.before)


@audit_pages.post("/audit/export", act=Permission.SEE_AUDIT)
def export(request: CurrentRequest, form: Annotated[AuditExport, Form()]) -> Response:
    """The lines as a file; the export itself is audited, with its reason."""
    asked = form.asked()
    try:
        query = _query(request, asked, _period(request, asked))
        lines = export_audit(request.services, request.actor, query, why=form.why)
    except Invalid as fault:
        wrong = request.wrong(fault)
        return _show(request, asked, status=_UNFIT, wrong=wrong)
    zone = request.services.centre.zone
    heading = [
        request.say(text)
        for text in (
            gettext_noop("When"),
            gettext_noop("Who"),
            gettext_noop("What"),
            gettext_noop("Act"),
            gettext_noop("About"),
            gettext_noop("Why"),
            gettext_noop("Facts"),
            gettext_noop("Number"),
            gettext_noop("Seal"),
        )
    ]
    rows = [
        (
            line.at.astimezone(zone).isoformat(sep=" ", timespec="seconds"),
            line.who,
            act_words(line.act, request.lang),
            line.act,
            line.subject,
            line.why,
            facts_words(line, request.lang),
            line.number,
            request.say(_SEALS[line.seal]),
        )
        for line in lines
    ]
    name = f"audit-{request.now.astimezone(zone):%Y%m%d-%H%M}"
    sheet = Sheet(title=request.say(gettext_noop("Audit")), head=heading, rows=rows)
    return as_file([sheet], name=name, kind=form.kind)


def _show(
    request: RequestContext,
    asked: Mapping[str, str],
    *,
    before: str = "",
    status: int = 200,
    wrong: Mapping[str, str] | None = None,
) -> Response:
    faults, period = dict(wrong or {}), Period()
    try:
        period = _period(request, asked)
    except Invalid as fault:
        faults[fault.field] = request.refusal(fault)
    with request.services.store.begin() as tx:
        found = search_audit(tx, _query(request, asked, period, before=_moment(before)))
        acts = {act: act_words(act, request.lang) for act in audited_act_names(tx)}
        state = read_trail_state(tx)
    facts: dict[str, Any] = {
        "found": found,
        "asked": asked,
        "wrong": faults,
        "acts": sorted(acts.items(), key=lambda act: act[1]),
        "act_words": lambda act: act_words(act, request.lang),
        "why": lambda line: why_words(line.why, request.lang, act=line.act, is_typed="reason" in line.facts),
        "facts_of": lambda line: facts_words(line, request.lang),
        "subject_of": lambda line: subject_words(line, request.lang),
        "trouble": TROUBLE,
        "check": state_words(request, state),
        "is_broken": state.found > 0,
        "seals": {seal.value: request.say(words) for seal, words in _SEALS.items()},
        "older": _address(asked, before=_token(found.next_before)) if found.next_before else "",
        "newest": _address(asked) if before else "",
    }
    if request.is_part:
        return request.part(_TEMPLATE, "found", **facts)
    return request.page(_TEMPLATE, status=status, **facts)


def state_words(request: RequestContext, state: TrailState) -> str:
    """A sentence about the last check of the chain: how far it got and what it found."""
    if state.at is None:
        return request.say(gettext_noop("The lines have not been checked yet."))
    values = {
        "number": format_number(state.number),
        "found": format_number(state.found),
        "at": format_moment(state.at, request.now, request.lang, request.services.centre.zone),
    }
    if state.found:
        return request.say(
            gettext_noop(
                "The check of %(at)s found %(found)s lines missing or altered: dialer audit verify names them."
            ),
            **values,
        )
    return request.say(gettext_noop("Lines up to %(number)s were checked at %(at)s: whole."), **values)


def _period(request: RequestContext, asked: Mapping[str, str]) -> Period:
    return period_of(asked.get("from"), asked.get("to"), timezone=request.services.centre.timezone)


def _query(
    request: RequestContext,
    asked: Mapping[str, str],
    period: Period,
    *,
    before: tuple[datetime, int] | None = None,
) -> AuditQuery:
    subject = asked.get("subject", "")
    return AuditQuery(
        who=asked.get("who", ""),
        act=asked.get("act", ""),
        # "#7" is what the pages call a case.
        subject=f"case/{subject[1:]}" if subject.startswith("#") else subject,
        period=period,
        visible_to=request.member.unit_id,
        before=before,
        limit=_PAGE,
    )


def _token(place: tuple[datetime, int]) -> str:
    return f"{place[0].astimezone(UTC).isoformat()}~{place[1]}"


def _moment(token: str) -> tuple[datetime, int] | None:
    """The place that `_token` wrote; None for any other text."""
    at, _, number = token.partition("~")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    is_whole = moment.tzinfo is not None and number.isdecimal() and len(number) <= _DIGITS
    return (moment, int(number)) if is_whole else None


def _address(asked: Mapping[str, str], **more: str) -> str:
    query = urlencode({**asked, **more})
    return "/audit" + (f"?{query}" if query else "")
