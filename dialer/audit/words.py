"""What lines of the audit say: the words of acts, of what they are about, of reasons and of facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from dialer.audit.trail import AuditLine
from dialer.core.access import FactorKind, RevealReason, Role, StaffChangeKind
from dialer.core.cards import CheckVerdict, OpeningFactKind, OpeningResult, OutletStep
from dialer.core.case import StopResult, StopState
from dialer.core.events import AlarmCode
from dialer.core.notifications import NotificationChannel
from dialer.core.periods import BulletinKind
from dialer.core.rota import DutyKind
from dialer.core.text import Lang, gettext_noop
from dialer.core.third_party import PartyKind
from dialer.core.timeline import ActKind
from dialer.core.values import DeletedFor, Grade, OutcomeKind, Track
from dialer.language.catalogue import say
from dialer.language.sentences import why_words
from dialer.language.words import script_word, stored_word, word_of
from dialer.staff.token_store import SCOPE_WORDS

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
    "warn_customer": gettext_noop("a customer of an outlet to be called"),
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
    "approve_quality_rules": gettext_noop("rules of inspection approved"),
    "draft_quality_rules": gettext_noop("rules of inspection drafted"),
    "approve_card": gettext_noop("a version of a knowledge card approved"),
    "draft_card": gettext_noop("a version of a knowledge card drafted"),
    "refuse_card": gettext_noop("a version of a knowledge card refused"),
    "withdraw_card": gettext_noop("a draft of a knowledge card withdrawn"),
    "draft_bulletin": gettext_noop("a bulletin drafted"),
    "approve_bulletin": gettext_noop("a bulletin approved"),
    "refuse_bulletin": gettext_noop("a bulletin refused"),
    "load_roster": gettext_noop("roster of a month loaded"),
    "plan_rotation": gettext_noop("shift planned by rotation"),
    "take_shift": gettext_noop("shift taken"),
    "swap_asked": gettext_noop("swap of shifts asked for"),
    "swap_made": gettext_noop("shifts swapped by a supervisor"),
    "swap_agreed": gettext_noop("swap of shifts agreed"),
    "swap_refused": gettext_noop("swap of shifts refused"),
    "swap_withdrawn": gettext_noop("swap of shifts withdrawn"),
    "listen": gettext_noop("a supervisor asked to listen to a call"),
    "listen_mode": gettext_noop("a listening supervisor chose who hears them"),
    "listen_stop": gettext_noop("a supervisor stopped listening"),
    "third_party": gettext_noop("a third party asked into a call"),
    "third_party_leaves": gettext_noop("a third party asked out of a call"),
    "third_party_hand_over": gettext_noop("a call to be handed over to a third party"),
    "force_break": gettext_noop("break set by a supervisor"),
    "practice_choose": gettext_noop("kinds of people chosen for practice"),
    "force_sign_out": gettext_noop("signed out by a supervisor"),
    "issue_correction": gettext_noop("order to correct issued"),
    "sign_correction": gettext_noop("order to correct signed for"),
    "answer_correction": gettext_noop("order to correct answered"),
    "send_back_correction": gettext_noop("answer to an order sent back"),
    "close_correction": gettext_noop("order to correct closed"),
    "withdraw_correction": gettext_noop("order to correct withdrawn"),
    "enter_leave": gettext_noop("leave entered"),
    "end_leave": gettext_noop("leave ended"),
    "notification_rules": gettext_noop("own notifications changed"),
    "notification_test": gettext_noop("own notifications tested"),
    "push_browser_add": gettext_noop("a browser added for notifications"),
    "push_browser_remove": gettext_noop("a browser removed from notifications"),
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
    "failover": gettext_noop("paused dialling after a failover of the database"),
    "restore.compared": gettext_noop("compared the carrier's calls after a restore or failover"),
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
    "plan_draft": gettext_noop("a version of the plan drafted"),
    "plan_approve": gettext_noop("a version of the plan approved"),
    "verdict_release": gettext_noop("a held verdict sent as a warning"),
    "verdict_drop": gettext_noop("a held verdict dropped"),
    "rule_resume": gettext_noop("a rule of the warning robot in use again"),
    "confirm_list_item": gettext_noop("an entry of a list confirmed or taken off"),
    "list_item_asked": gettext_noop("an entry of a list to be confirmed or taken off"),
    "list_item_refused": gettext_noop("an entry of a list not confirmed"),
    "list_item_withdrawn": gettext_noop("an entry of a list no longer to be confirmed"),
    "source_resume": gettext_noop("what rests on a source of signals sent again"),
    "script_draft": gettext_noop("a script drafted"),
    "script_trial": gettext_noop("a script trial begun or ended"),
    "settings.adopt": gettext_noop("other settings adopted"),
    "read_pages": gettext_noop("many pages with people opened"),
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
    "changed_alone": gettext_noop("an account or a token changed without a second person"),
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
    "mode": gettext_noop("heard by"),
    "party": gettext_noop("third party"),
    "party_kind": gettext_noop("kind"),
    "size_bytes": gettext_noop("bytes"),
    "seconds": gettext_noop("seconds"),
    "deleted_for": gettext_noop("why deleted"),
    "through": gettext_noop("up to line"),
    "chain": gettext_noop("chain"),
    "shift": gettext_noop("shift"),
    "giver": gettext_noop("gives"),
    "taker": gettext_noop("takes"),
    "in_return": gettext_noop("in return"),
    "start": gettext_noop("from"),
    "gaps": gettext_noop("gaps"),
    "track": gettext_noop("kind"),
    "visit": gettext_noop("visit"),
    "host": gettext_noop("address"),
    "terminal": gettext_noop("terminal"),
    "named": gettext_noop("account named, not signed in"),
    "accepted": gettext_noop("accepted"),
    "rejected": gettext_noop("rejected"),
    "duplicate": gettext_noop("duplicates"),
    "merged": gettext_noop("merged"),
    "audit_lines": gettext_noop("lines of the audit"),
    "audit_number": gettext_noop("up to line"),
    "backup_at": gettext_noop("backup of"),
    "restored_at": gettext_noop("restored at"),
    "calls": gettext_noop("calls"),
    "cases": gettext_noop("cases"),
    "for_persons": gettext_noop("calls for persons"),
    "going_on": gettext_noop("calls that go on"),
    "timeline": gettext_noop("timeline of the database"),
    "without_case": gettext_noop("without a case"),
    "channels": gettext_noop("channels"),
    "code": gettext_noop("number of the outlet"),
    "counts": gettext_noop("counts"),
    "kinds": gettext_noop("counts"),
    "values": gettext_noop("values"),
    "persons": gettext_noop("persons"),
    "cutoff": gettext_noop("before"),
    "day": gettext_noop("day"),
    "month": gettext_noop("month"),
    "entries": gettext_noop("shifts"),
    "events": gettext_noop("events"),
    "url": gettext_noop("address"),
    "file": gettext_noop("file"),
    "first_day": gettext_noop("from"),
    "last_day": gettext_noop("to"),
    "hold": gettext_noop("legal hold"),
    "key": gettext_noop("key"),
    "use": gettext_noop("use"),
    "suite": gettext_noop("cipher suite"),
    "encryption": gettext_noop("encryption key"),
    "index": gettext_noop("index key"),
    "unreadable": gettext_noop("unreadable values"),
    "line": gettext_noop("line"),
    "login": gettext_noop("account"),
    "number": gettext_noop("number"),
    "retires": gettext_noop("retires the card"),
    "outlet": gettext_noop("outlet"),
    "reported": gettext_noop("reported"),
    "request": gettext_noop("request"),
    "result": gettext_noop("result"),
    "since": gettext_noop("since"),
    "sources": gettext_noop("sources"),
    "step": gettext_noop("step"),
    "verdict": gettext_noop("result of the check"),
    "unknown": gettext_noop("unknown"),
    "units": gettext_noop("units"),
    "new": gettext_noop("new"),
    "moved": gettext_noop("moved"),
    "closed": gettext_noop("closed"),
    "assigned": gettext_noop("cases placed"),
    "aliases": gettext_noop("aliases"),
    "changed": gettext_noop("changed"),
    "renamed": gettext_noop("renamed"),
    "unchanged": gettext_noop("unchanged"),
    "in_clear": gettext_noop("in clear"),
    "instead_of": gettext_noop("instead of"),
    "item": gettext_noop("entry"),
    "list": gettext_noop("list"),
    "change": gettext_noop("change"),
    "source": gettext_noop("source"),
    "query": gettext_noop("search"),
    "sought": gettext_noop("search"),
    "found": gettext_noop("found"),
    "to": gettext_noop("to"),
}
FACT_LIMITS: Mapping[str, str] = {
    "per_minute": gettext_noop("Warnings a minute"),
    "per_hour": gettext_noop("Warnings an hour"),
    "per_day": gettext_noop("Warnings a day"),
    "extra_high_per_minute": gettext_noop("Extra-high warnings a minute"),
    "extra_high_per_hour": gettext_noop("Extra-high warnings an hour"),
    "extra_high_per_day": gettext_noop("Extra-high warnings a day"),
    "signals_per_minute": gettext_noop("Signals a minute"),
    "signals_per_hour": gettext_noop("Signals an hour"),
    "signals_per_day": gettext_noop("Signals a day"),
    "most_grade": gettext_noop("Highest grade"),
    "most_amount_fen": gettext_noop("largest amount (fen)"),
    "units": gettext_noop("units"),
    "signal_kinds": gettext_noop("kinds of signals"),
    "list_kinds": gettext_noop("lists"),
    "bank_reports": gettext_noop("reports of banks taken"),
    "on_probation": gettext_noop("on probation"),
}
"""Of a source whose limits were changed: each has the value before and the one after."""
_BEFORE_AND_AFTER = 2
_SECONDS = "_seconds"
FACT_VALUES: Mapping[str, tuple[type[StrEnum], ...]] = {
    "factor": (FactorKind,),
    "role": (Role,),
    "grade": (Grade,),
    "from": (Grade,),
    "most_grade": (Grade,),
    "outcome": (OutcomeKind,),
    "deleted_for": (DeletedFor,),
    "verdict": (CheckVerdict,),
    "result": (OpeningResult, StopResult),
    "step": (OutletStep,),
    "reason": (RevealReason,),
    "track": (Track,),
    "party_kind": (PartyKind,),
    "kind": (StaffChangeKind, OpeningFactKind, DutyKind, BulletinKind),
}
"""The enumerations of the values of a fact, in the order in which they are tried."""
FACT_CODES: Mapping[str, Mapping[str, str]] = {
    "how": {
        "password": gettext_noop("password"),
        "link": gettext_noop("link of the first start"),
        "passkey": gettext_noop("passkey"),
        "totp": gettext_noop("code of an app"),
        "recovery code": gettext_noop("recovery code"),
        "identity provider": gettext_noop("identity provider"),
        "certificate": gettext_noop("certificate"),
    },
    "what": {"rejects": gettext_noop("rejected rows")},
    "kind": {"page": gettext_noop("on the page")},
    "scopes": {scope.value: text for scope, text in SCOPE_WORDS.items()},
}
SUBJECTS: Mapping[str, str] = {
    "alarm": gettext_noop("alarm %(what)s"),
    "alarms": gettext_noop("alarms: %(what)s"),
    "all": gettext_noop("all dialling"),
    "api_token": gettext_noop("token %(what)s"),
    "audit": gettext_noop("the audit"),
    "bulletin": gettext_noop("bulletin %(what)s"),
    "card_determination": gettext_noop("restriction %(what)s"),
    "card_objection": gettext_noop("objection %(what)s"),
    "card_opener": gettext_noop("frequent opener %(what)s"),
    "card_question": gettext_noop("question of an outlet %(what)s"),
    "case": gettext_noop("case %(what)s"),
    "cases": gettext_noop("cases"),
    "correction": gettext_noop("order to correct %(what)s"),
    "database": gettext_noop("database"),
    "erasure": gettext_noop("request to erase %(what)s"),
    "filed_match": gettext_noop("match of a filed case %(what)s"),
    "filed_record": gettext_noop("filed cases"),
    "grade": gettext_noop("grade %(what)s"),
    "institution": gettext_noop("bank or carrier %(what)s"),
    "key": gettext_noop("key %(what)s"),
    "keys": gettext_noop("keys"),
    "line_group": gettext_noop("lines"),
    "list_item": gettext_noop("entry of a list %(what)s"),
    "list_load": gettext_noop("list %(what)s"),
    "list_mapping": gettext_noop("columns of lists"),
    "load": gettext_noop("list %(what)s"),
    "opening": gettext_noop("opening %(what)s"),
    "opening_fact": gettext_noop("openings of cards"),
    "outlet": gettext_noop("outlet %(what)s"),
    "person": gettext_noop("person %(what)s"),
    "phone": gettext_noop("the simulated line"),
    "rates": gettext_noop("success rates"),
    "plan": gettext_noop("plan of the centre"),
    "report": gettext_noop("report"),
    "retention": gettext_noop("periods of data"),
    "rule": gettext_noop("rule %(what)s"),
    "rules": gettext_noop("rules of the warning robot"),
    "script": gettext_noop("script %(what)s"),
    "search": gettext_noop("by %(what)s"),
    "settings": gettext_noop("settings"),
    "source": gettext_noop("source %(what)s"),
    "staff": gettext_noop("account %(what)s"),
    "staff_change": gettext_noop("change of an account %(what)s"),
    "token_request": gettext_noop("request for a token %(what)s"),
    "trunk": gettext_noop("trunk"),
    "unit": gettext_noop("unit %(what)s"),
    "unit_alias": gettext_noop("aliases of units"),
    "units": gettext_noop("units"),
    "webhook": gettext_noop("outgoing webhook %(what)s"),
}
_SOUGHT: Mapping[str, str] = {
    "phone": gettext_noop("phone"),
    "phone_end": gettext_noop("end of a phone"),
    "id_number": gettext_noop("id number"),
    "name": gettext_noop("name"),
}
_STAFF = "staff/"
_RESULTS: Mapping[str, type[StrEnum]] = {"stop_payment": StopResult, "report_bank": StopState}
"""Acts whose reason is the result that was reported."""
_CHANNELS = frozenset(channel.value for channel in NotificationChannel)
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
    if kind not in SUBJECTS:
        return line.subject
    if line.subject.startswith(_STAFF):
        what = str(line.facts.get("login") or line.who)
    elif kind == "search":
        what = say(lang, _SOUGHT[what]) if what in _SOUGHT else what
    elif kind == "grade":
        what = stored_word(Grade, what, lang)
    elif kind == "alarms":
        what = stored_word(AlarmCode, what, lang)
    elif kind == "script":
        what = script_word(what, lang)
    return say(lang, SUBJECTS[kind], what=what).strip()


def why_of(line: AuditLine, lang: Lang) -> str:
    """The reason as typed; one that the work gave, or that is the result of a bank, in this language."""
    if line.act in _RESULTS:
        return stored_word(_RESULTS[line.act], line.why, lang)
    return why_words(line.why, lang, act=line.act, is_typed="reason" in line.facts)


def facts_words(line: AuditLine, lang: Lang) -> str:
    """The facts of the line with their names, separated by commas of the language. Counts that are 0 are left out."""
    return _comma(lang).join(_pairs(line.facts, lang, is_staff=line.subject.startswith(_STAFF)))


def _comma(lang: Lang, *, within: bool = False) -> str:
    """Between facts, or `within` one fact between its values."""
    if lang is Lang.ZH:
        return "、" if within else "，"
    return ", "


def _pairs(facts: Mapping[str, object], lang: Lang, *, is_staff: bool = False) -> Iterator[str]:
    for name, value in facts.items():
        if value in (None, "", [], {}) or name == "token" or (is_staff and name == "login"):
            continue
        known = FACTS.get(name) or FACT_LIMITS.get(name)
        if known is None and name.endswith(_SECONDS) and name.removesuffix(_SECONDS) in _CHANNELS:
            channel = word_of(NotificationChannel(name.removesuffix(_SECONDS)), lang)
            yield channel + _after_colon(say(lang, gettext_noop("after %(seconds)s s"), seconds=value), lang)
            continue
        yield (say(lang, known) if known else name) + _after_colon(_value_words(name, value, lang), lang)


def _after_colon(text: str, lang: Lang) -> str:
    return say(lang, gettext_noop(": %(why)s"), why=text)


def _value_words(name: str, value: object, lang: Lang) -> str:
    if isinstance(value, bool):
        return say(lang, gettext_noop("yes") if value else gettext_noop("no"))
    if isinstance(value, Mapping):
        # Counts by table say nothing on a page: here is their sum.
        counts = [count for count in value.values() if isinstance(count, int)]
        is_by_table = len(counts) == len(value) and not value.keys() <= FACTS.keys()
        return str(sum(counts)) if is_by_table else _comma(lang, within=True).join(_pairs(value, lang))
    if isinstance(value, Sequence) and not isinstance(value, str):
        is_change = name in FACT_LIMITS and len(value) == _BEFORE_AND_AFTER
        joint = " → " if is_change else _comma(lang, within=True)
        return joint.join(_value_words(name, one, lang) for one in value) or "–"
    if value is None:
        return "–"
    for kind in FACT_VALUES.get(name, ()):
        if value in [member.value for member in kind]:
            return word_of(kind(str(value)), lang)
    known = FACT_CODES.get(name, {}).get(str(value))
    return say(lang, known) if known else str(value)
