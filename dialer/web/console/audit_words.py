"""What the acts in the audit are called."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from dialer.domain.access import Role
from dialer.domain.acts import ActKind
from dialer.domain.values import Grade, OutcomeKind
from dialer.language import Lang, mark, say
from dialer.store.reads.audit_search import AuditLine
from dialer.words import word

ACTS: Mapping[str, str] = {
    "alarm_seen": mark("an alarm seen"),
    "approve_load": mark("a list approved"),
    "approve_outcome": mark("an outcome approved"),
    "assign_unit": mark("a unit given to a case"),
    "breaker.closed": mark("the telephone network is back"),
    "breaker.opened": mark("the telephone network is down"),
    "conversation": mark("a conversation read"),
    "correct_columns": mark("a list's columns corrected"),
    "export": mark("records exported"),
    "extension": mark("the desk's telephone changed"),
    "file_case": mark("a case filed by the police"),
    "forget_columns": mark("a list's corrections forgotten"),
    "forget_alias": mark("a unit's alias forgotten"),
    "import_units": mark("units imported"),
    "load_list": mark("a list loaded"),
    "password_change": mark("password changed"),
    "pace": mark("the pace changed"),
    "pace.settings": mark("the settings' pace again"),
    "pause": mark("dialling paused"),
    "pause.over": mark("a pause ran out"),
    "print_notice": mark("a notice printed"),
    "resume": mark("dialling resumed"),
    "reveal": mark("hidden data looked at"),
    "script_approve": mark("a script approved"),
    "script_draft": mark("a script drafted"),
    "script_trial": mark("a script trial begun or ended"),
    "search": mark("a person searched for"),
    "sessions_end": mark("sessions ended"),
    "sign_in": mark("signed in"),
    "sign_in_failed": mark("sign-in failed"),
    "sign_in_locked": mark("locked after failures"),
    "sign_out": mark("signed out"),
    "staff_add": mark("account made"),
    "staff_change": mark("account changed"),
    "staff_disable": mark("account disabled"),
    "staff_enable": mark("account enabled again"),
    "staff_reset": mark("password reset"),
    "stop_payment": mark("stop payment reported"),
    "take_warnings": mark("warnings taken by the API"),
    "teach_alias": mark("a unit's alias learned"),
    "token_add": mark("API token made"),
    "token_revoke": mark("API token revoked"),
    "withdraw_load": mark("a list withdrawn"),
    "view_photo": mark("a photo looked at"),
}
FACTS: Mapping[str, str] = {
    "address": mark("from"),
    "role": mark("role"),
    "unit_id": mark("unit"),
    "unit": mark("unit"),
    "ended": mark("ended"),
    "lines": mark("lines"),
    "rows": mark("rows"),
    "what": mark("what"),
    "who": mark("who"),
    "act": mark("act"),
    "subject": mark("about"),
    "fields": mark("fields"),
    "extension": mark("telephone"),
    "until": mark("until"),
    "before": mark("before"),
    "after": mark("after"),
    "from": mark("before"),
    "to_unit_id": mark("unit"),
    "api_token": mark("token"),
    "name": mark("name"),
    "scopes": mark("scopes"),
    "days": mark("days"),
    "assignment_id": mark("work"),
    "outcome_id": mark("outcome"),
    "outcome": mark("outcome"),
    "case": mark("case"),
    "case_number": mark("filed case"),
    "count": mark("number"),
    "grade": mark("grade"),
    "version": mark("version"),
    "hash": mark("content"),
    "goes_live": mark("live at once"),
    "weights": mark("shares"),
    "handed_back": mark("rings handed back"),
    "placed": mark("cases placed"),
    "taught": mark("learnt"),
    "stop_payment": mark("stop payment"),
    "troubles": mark("troubles in a row"),
    "openings": mark("trials"),
    "open_seconds": mark("seconds without the network"),
}
_VALUES: Mapping[str, type[StrEnum]] = {
    "role": Role,
    "grade": Grade,
    "from": Grade,
    "outcome": OutcomeKind,
}
SUBJECTS: Mapping[str, str] = {
    "staff": mark("account %(what)s"),
    "search": mark("by %(what)s"),
    "list_load": mark("list %(what)s"),
    "api_token": mark("token %(what)s"),
    "unit": mark("unit %(what)s"),
}
_STAFF = "staff/"
TROUBLE = frozenset({"sign_in_failed", "sign_in_locked"})


def act_words(act: str, lang: Lang) -> str:
    """One of a later version is told as it stands."""
    if act in ACTS:
        return say(lang, ACTS[act])
    try:
        return word(ActKind(act), lang)
    except ValueError:
        return act


def subject_words(line: AuditLine, lang: Lang) -> str:
    """What the line is about; an account by its login."""
    kind, _, what = line.subject.partition("/")
    if not what or kind not in SUBJECTS:
        return line.subject
    if line.subject.startswith(_STAFF):
        what = str(line.facts.get("login") or line.who)
    return say(lang, SUBJECTS[kind], what=what)


def facts_words(line: AuditLine, lang: Lang) -> str:
    """Everything else that was noted, by name."""
    told = []
    for name, value in line.facts.items():
        if value in (None, "") or (name == "login" and line.subject.startswith(_STAFF)):
            continue
        known = FACTS.get(name)
        told.append(f"{say(lang, known) if known else name}: {_value_words(name, value, lang)}")
    return ", ".join(told)


def _value_words(name: str, value: object, lang: Lang) -> str:
    kind = _VALUES.get(name)
    if kind is not None and value in [member.value for member in kind]:
        return word(kind(str(value)), lang)
    if isinstance(value, bool):
        return say(lang, mark("yes") if value else mark("no"))
    return str(value)
