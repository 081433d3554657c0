"""A policy as people read it: every sentence is made of the policy's own numbers.

Control as it is shown: parts and alarms by name, the pause form as it was filled in.

Control: what is paused, how fast it rings, by which rules, and whether every part is well.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Form
from starlette.responses import Response

from dialer.calls.pace import LEAST_CALLS_PER_SECOND, restore_pace, set_pace
from dialer.calls.pauses import pause_calls, resume_pause
from dialer.control.health import Health, PartName, PartState, watch_parts
from dialer.control.overview import (
    HELD_AT_MOST,
    acknowledge_alarm,
    acknowledge_alarms,
    live_policy,
    loads_to_pause,
    unacknowledged_alarms,
    visible_pace,
    visible_pauses,
)
from dialer.core.access import Permission
from dialer.core.effects import AlarmCode
from dialer.core.errors import Invalid
from dialer.core.policy import GradePolicy, Policy, Window
from dialer.core.values import Grade, Pause, PauseScope
from dialer.language import Lang, gettext_noop, say
from dialer.org.staff import list_units
from dialer.web.console import ConsoleContext, CurrentRequest, RequestContext, Section
from dialer.web.formats import format_span, unit_tree
from dialer.wording.sentences import refusal_sentence
from dialer.wording.words import word_of

_EVERYBODY = 100


def window_sentence(window: Window, lang: Lang) -> str:
    if window.opens == window.closes:
        return say(lang, "Robots ring at any hour.")
    facts = {"opens": f"{window.opens:%H:%M}", "closes": f"{window.closes:%H:%M}", "zone": window.zone}
    if window.opens > window.closes:
        return say(
            lang, "Robots ring from %(opens)s to %(closes)s of the next day, time of %(zone)s.", **facts
        )
    return say(lang, "Robots ring from %(opens)s to %(closes)s every day, time of %(zone)s.", **facts)


def grade_sentences(policy: Policy, grade: Grade, lang: Lang) -> list[str]:
    """What is done about a case of this grade, in the order in which it happens."""
    rules = policy.of(grade)
    told = [_ringing(rules, lang), _hours(rules, lang), _patience(rules, lang), _caller(rules, lang)]
    if not grade.is_high and rules.human_sample_percent < _EVERYBODY:
        told.append(_sample(rules, lang))
    told += [_officer(rules, lang), _clocks(rules, lang), *_messages(rules, lang)]
    return told


def common_sentences(policy: Policy, lang: Lang) -> list[str]:
    """What holds for every grade."""

    def told(text: str, seconds: int) -> str:
        return say(lang, text, span=format_span(seconds, lang))

    sentences = [
        told(
            gettext_noop(
                "Busy on a high grade: probably talking to the fraudster; the robot rings again after %(span)s."
            ),
            policy.busy_retry_seconds,
        ),
        say(
            lang,
            "A fault of our own line costs nobody a try: it rings again after %(span)s, and after %(faults)s in a row a"
            " person is asked.",
            span=format_span(policy.requeue_seconds, lang),
            faults=policy.max_own_faults,
        ),
        told(
            gettext_noop("One number rests %(span)s between two rings, whoever's case it is."),
            policy.number_spacing_seconds,
        ),
        say(
            lang,
            "An officer goes up to %(tries)s times, %(span)s apart; then the case ends as not found, with an alarm.",
            tries=policy.visit_tries,
            span=format_span(policy.visit_retry_seconds, lang),
        ),
        told(
            gettext_noop("A success is provisional for %(span)s; if no case is filed by then it is proven."),
            policy.watch_seconds,
        ),
    ]
    return [*sentences, *_order(policy, lang)]


def _order(policy: Policy, lang: Lang) -> list[str]:
    urgency = policy.urgency
    worth = [
        say(
            lang,
            "%(grade)s %(span)s",
            grade=word_of(grade, lang),
            span=format_span(urgency.grade_seconds.get(grade, 0), lang),
        )
        for grade in Grade
    ]
    return [
        say(
            lang,
            "In the queue a grade counts as so long a wait: %(worth)s.",
            worth=("，" if lang is Lang.ZH else ", ").join(worth),
        ),
        say(
            lang,
            "Ten times the amount at risk counts as %(span)s more; a warning that expires within %(horizon)s comes"
            " forward.",
            span=format_span(urgency.amount_seconds_per_tenfold, lang),
            horizon=format_span(urgency.expiry_horizon_seconds, lang),
        ),
    ]


def _ringing(rules: GradePolicy, lang: Lang) -> str:
    first = format_span(rules.first_attempt_seconds, lang)
    if rules.robot_tries == 1:
        return say(lang, "The robot is to ring within %(first)s, once.", first=first)
    return say(
        lang,
        "The robot is to ring within %(first)s, up to %(tries)s times, %(gap)s apart.",
        first=first,
        tries=rules.robot_tries,
        gap=format_span(rules.robot_gap_seconds, lang),
    )


def _hours(rules: GradePolicy, lang: Lang) -> str:
    if rules.windowed:
        return say(lang, "Outside the dialling window it waits.")
    return say(lang, "Outside the dialling window a person rings instead.")


def _patience(rules: GradePolicy, lang: Lang) -> str:
    return say(
        lang,
        "A ring that has not left after %(span)s goes to a person as well, with an alarm.",
        span=format_span(rules.robot_patience_seconds, lang),
    )


def _caller(rules: GradePolicy, lang: Lang) -> str:
    due = format_span(rules.human_due_seconds, lang)
    match rules.human_after_seconds:
        case None:
            return say(
                lang,
                "A caller rings only when the robot fails or the answer is doubtful, within %(due)s.",
                due=due,
            )
        case 0:
            return say(lang, "A caller rings at once beside the robot, within %(due)s.", due=due)
        case after:
            return say(
                lang,
                "Nobody reached after %(after)s: a caller rings, within %(due)s.",
                after=format_span(after, lang),
                due=due,
            )


def _sample(rules: GradePolicy, lang: Lang) -> str:
    if not rules.human_sample_percent:
        return say(
            lang, "Whom the robot does not reach is not rung by a person: the case ends as not found yet."
        )
    return say(
        lang,
        "Of those whom the robot does not reach a person rings %(percent)s %%; the others end as not found yet.",
        percent=rules.human_sample_percent,
    )


def _officer(rules: GradePolicy, lang: Lang) -> str:
    due = format_span(rules.visit_due_seconds, lang)
    match rules.visit_after_seconds:
        case 0:
            return say(lang, "An officer goes at once, within %(due)s.", due=due)
        case None if rules.visit_when_human_fails:
            return say(lang, "An officer goes when the call fails or is overdue, within %(due)s.", due=due)
        case None:
            return say(lang, "No officer goes by himself; a person may send one, within %(due)s.", due=due)
        case after:
            return say(
                lang,
                "Nobody reached after %(after)s: an officer goes, within %(due)s.",
                after=format_span(after, lang),
                due=due,
            )


def _clocks(rules: GradePolicy, lang: Lang) -> str:
    return say(
        lang,
        "Work is signed for within %(sign)s and reported within %(feedback)s.",
        sign=format_span(rules.sign_seconds, lang),
        feedback=format_span(rules.feedback_seconds, lang),
    )


def _messages(rules: GradePolicy, lang: Lang) -> list[str]:
    told = []
    if rules.message_when_unreachable:
        told.append(say(lang, "A message goes where the voice did not get through."))
    if rules.message_after_warning:
        told.append(say(lang, "A message goes to whoever was warned and said who they are."))
    return told


TEMPLATE = "console/control.html"
MINUTES = (15, 30, 60, 120, 240, 480, 720, 1440, 2880, 10080)
_ALARMS = 100
_LEAST_FREE = 1_000_000_000
_GIGA = 1e9
PARTS: Mapping[PartName, str] = {
    PartName.DATABASE: gettext_noop("Database"),
    PartName.WEB: gettext_noop("Web"),
    PartName.RINGING: gettext_noop("Calling workers"),
    PartName.BULK: gettext_noop("Workers for lists and sound"),
    PartName.SCHEDULER: gettext_noop("Leading scheduler"),
    PartName.BROKER: gettext_noop("Broker"),
    PartName.CYCLE: gettext_noop("Scheduling cycle"),
    PartName.SWEEP: gettext_noop("Due cases checked"),
    PartName.DIAL: gettext_noop("Dialled"),
    PartName.RECONCILE: gettext_noop("Calls reconciled"),
    PartName.AUDIT: gettext_noop("Consistency check"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """Of this machine's data folder."""

    free_bytes: int
    all_bytes: int

    @property
    def is_low(self) -> bool:
        return self.free_bytes < _LEAST_FREE


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What somebody has filled in."""

    scope: str = PauseScope.ALL.value
    unit: str = ""
    load: str = ""
    grade: str = ""
    minutes: str = "30"
    why: str = ""
    calls_per_second: str = ""
    lines: str = ""
    pace_why: str = ""


def now_facts(visit: RequestContext) -> dict[str, Any]:
    """What changes by itself while somebody looks."""
    services, unit_id = visit.services, visit.member.unit_id
    parts = watch_parts(services, late_seconds=visit.app.settings.scheduler.late_seconds)
    alarms = unacknowledged_alarms(services, unit_id=unit_id, limit=_ALARMS + 1)
    return {
        "parts": parts,
        "part_name": lambda part: say(visit.lang, PARTS[part.name]),
        "part_kind": _kind,
        "health": Health,
        "disk": _disk(visit),
        "pauses": visible_pauses(services, unit_id=unit_id),
        "pause_name": lambda hold: pause_name(hold, visit.lang),
        "held_at_most": HELD_AT_MOST,
        "alarms": alarms[:_ALARMS],
        "more_alarms": len(alarms) > _ALARMS,
        "alarm_word": lambda code: _alarm(code, visit.lang),
        "alarm_kinds": _repeated([alarm.code for alarm in alarms]),
        "is_whole": unit_id is None,
        "can": visit.may(Permission.CONTROL),
        "giga": lambda size: f"{size / _GIGA:,.1f}",
    }


def page_facts(visit: RequestContext, *, wrong: Mapping[str, str], typed: Typed | None) -> dict[str, Any]:
    services, unit_id, lang = visit.services, visit.member.unit_id, visit.lang
    live = live_policy(services)
    pace, in_use = visible_pace(services)
    scopes = list(PauseScope) if unit_id is None else [PauseScope.UNIT]
    given = typed or Typed(scope=scopes[0].value)
    return now_facts(visit) | {
        "wrong": wrong,
        "typed": given,
        "scopes": [(scope.value, word_of(scope, lang)) for scope in scopes],
        "units": unit_tree([unit for unit in list_units(services, visible_to=unit_id) if unit.active]),
        "loads": loads_to_pause(services) if unit_id is None else [],
        "grades": [(grade.value, word_of(grade, lang)) for grade in Grade],
        "minutes": MINUTES,
        "pace": pace,
        "in_use": in_use,
        "least_pace": min(LEAST_CALLS_PER_SECOND, pace.most_calls_per_second) if pace is not None else 0,
        "live": live,
        "window_sentence": window_sentence(live.policy.window, lang),
        "grade_sentences": [(grade, grade_sentences(live.policy, grade, lang)) for grade in Grade],
        "common_sentences": common_sentences(live.policy, lang),
    }


def pause_name(hold: Pause, lang: Lang) -> str:
    match hold.scope:
        case PauseScope.ALL:
            return word_of(hold.scope, lang)
        case PauseScope.GRADE:
            return word_of(Grade(hold.subject), lang)
        case PauseScope.LOAD:
            return say(lang, "list %(what)s", what=hold.subject)
        case PauseScope.UNIT:
            return hold.subject


def _kind(part: PartState) -> str:
    return {Health.GOOD: "live", Health.LATE: "trouble", Health.NEVER: "trouble"}[part.health]


def _disk(visit: RequestContext) -> Disk | None:
    try:
        usage = shutil.disk_usage(visit.app.settings.data_dir)
    except OSError:
        return None
    return Disk(free_bytes=usage.free, all_bytes=usage.total)


def _alarm(code: str, lang: Lang) -> str:
    """A code of a later version is told as it stands."""
    known = next((one for one in AlarmCode if one.value == code), None)
    return code if known is None else word_of(known, lang)


def _repeated(codes: list[str]) -> list[tuple[str, int]]:
    """Kinds of which there are several, the most frequent first."""
    counts = {code: codes.count(code) for code in dict.fromkeys(codes)}
    return sorted(((code, n) for code, n in counts.items() if n > 1), key=lambda one: -one[1])


control_pages = Section()
_HOME = "/control"
_UNFIT = 422


@control_pages.get("/control", act=Permission.SEE_CONTROL, nav=gettext_noop("Control"), order=80)
def control(visit: CurrentRequest) -> Response:
    return _show(visit)


@control_pages.get("/control/now", act=Permission.SEE_CONTROL, while_idle=True)
def now(visit: CurrentRequest) -> Response:
    """What an open page asks for again and again, which is no use of it."""
    return visit.part(TEMPLATE, "now", **now_facts(visit))


@control_pages.post("/control/pause", act=Permission.CONTROL)
def place(
    visit: CurrentRequest,
    scope: Annotated[str, Form()] = PauseScope.ALL.value,
    unit: Annotated[str, Form()] = "",
    load: Annotated[str, Form()] = "",
    grade: Annotated[str, Form()] = "",
    minutes: Annotated[str, Form()] = "",
    why: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    typed = Typed(scope=scope, unit=unit, load=load, grade=grade, minutes=minutes, why=why)
    try:
        wanted = _scope(scope)
        subject = {PauseScope.LOAD: load, PauseScope.GRADE: grade}.get(wanted, "")
        unit_id = _number(unit, "unit") if wanted is PauseScope.UNIT else None
        pause_calls(
            visit.services,
            scope=wanted,
            subject=subject,
            unit_id=unit_id,
            minutes=_number(minutes, "minutes"),
            by=visit.who,
            why=why,
            visible_to=visit.member.unit_id,
        )
    except Invalid as fault:
        return _show(visit, wrong={fault.field: refusal_sentence(fault, visit.lang)}, typed=typed)
    _forget_halted(visit)
    return visit.go(_HOME, notice=gettext_noop("Paused. Calls resume automatically when the time is over."))


@control_pages.post("/control/pauses/{hold_id}/resume", act=Permission.CONTROL)
def go_on(visit: CurrentRequest, hold_id: int) -> Response:
    try:
        resume_pause(visit.services, hold_id, by=visit.who, visible_to=visit.member.unit_id)
    finally:
        _forget_halted(visit)
    return visit.go(_HOME, notice=gettext_noop("The pause is over."))


@control_pages.post("/control/pace", act=Permission.CONTROL)
def pace(
    visit: CurrentRequest,
    calls_per_second: Annotated[str, Form()] = "",
    lines: Annotated[str, Form()] = "",
    pace_why: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    typed = Typed(calls_per_second=calls_per_second, lines=lines, pace_why=pace_why)
    try:
        set_pace(
            visit.services,
            calls_per_second=_fraction(calls_per_second, "calls_per_second"),
            lines=_number(lines, "lines"),
            by=visit.who,
            why=pace_why,
            visible_to=visit.member.unit_id,
        )
    except Invalid as fault:
        field = "pace_why" if fault.field == "why" else fault.field
        return _show(visit, wrong={field: refusal_sentence(fault, visit.lang)}, typed=typed)
    return visit.go(_HOME, notice=gettext_noop("The new pace holds."))


@control_pages.post("/control/pace/settings", act=Permission.CONTROL)
def pace_of_settings(visit: CurrentRequest) -> Response:
    restore_pace(visit.services, by=visit.who, visible_to=visit.member.unit_id)
    return visit.go(_HOME, notice=gettext_noop("The pace of the settings holds again."))


@control_pages.post("/control/alarms/{alarm_id}/seen", act=Permission.CONTROL)
def seen(visit: CurrentRequest, alarm_id: int) -> Response:
    acknowledge_alarm(visit.services, alarm_id, by=visit.who, visible_to=visit.member.unit_id)
    return visit.go(f"{_HOME}#alarms", notice=gettext_noop("The alarm is off the list."))


@control_pages.post("/control/alarms/all/{code}/seen", act=Permission.CONTROL)
def seen_all(visit: CurrentRequest, code: str) -> Response:
    acknowledge_alarms(visit.services, code, by=visit.who, visible_to=visit.member.unit_id)
    return visit.go(f"{_HOME}#alarms", notice=gettext_noop("The alarms are off the list."))


def _show(
    visit: RequestContext, *, wrong: Mapping[str, str] | None = None, typed: Typed | None = None
) -> Response:
    return visit.page(
        TEMPLATE, status=_UNFIT if wrong else 200, **page_facts(visit, wrong=wrong or {}, typed=typed)
    )


def _forget_halted(visit: RequestContext) -> None:
    console_context: ConsoleContext = visit.request.app.state.console_context
    console_context.halted.forget(None)


def _scope(text: str) -> PauseScope:
    try:
        return PauseScope(text)
    except ValueError:
        raise Invalid(field="scope", problem="is empty") from None


def _number(text: str, field: str) -> int:
    digits = text.strip()
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 10):  # noqa: PLR2004  # fits every column
        raise Invalid(
            field=field, problem=gettext_noop("is no whole number") if digits else gettext_noop("is empty")
        )
    return int(digits)


def _fraction(text: str, field: str) -> float:
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        raise Invalid(
            field=field, problem=gettext_noop("is no number") if text.strip() else gettext_noop("is empty")
        ) from None
    if value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124  # what is no number equals nothing
        raise Invalid(field=field, problem="is no number")
    return value
