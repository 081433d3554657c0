"""The control page: pauses, pace, alarms, health, and the live policy as sentences made of its own numbers."""

from __future__ import annotations

import asyncio
import math
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Form, Query
from starlette.responses import Response

from dialer.calls.comparison import UNTIL_RESUMED, compare_calls, comparison_sentence, read_awaited
from dialer.calls.comparison_store import FoundCalls
from dialer.calls.pacing import LEAST_CALLS_PER_SECOND, read_line_group, restore_pace, set_pace
from dialer.calls.pauses import pause_calls, resume_pause
from dialer.case_page.pages import OVERDUE_PATH
from dialer.control.health import Health, PartName, watch_parts
from dialer.control.overview import (
    HELD_AT_MOST,
    acknowledge_alarm,
    acknowledge_alarms,
    alarm_kinds,
    live_policy,
    take_alarm,
    unacknowledged_alarms,
    visible_pauses,
)
from dialer.control.queries import OverdueLine, OverdueOrder, overdue_work, pending_work
from dialer.control.trunks import END_WORDS, TrunksNow, has_trunks, read_trunks
from dialer.core.access import Permission
from dialer.core.case import AssignmentState, VisitStage
from dialer.core.errors import Invalid, NotFound, Unavailable
from dialer.core.events import AlarmCode
from dialer.core.policy import GradePolicy, Policy, Window
from dialer.core.text import Lang, Text, gettext_noop
from dialer.core.values import Grade, Pause, PauseScope, Track
from dialer.language.catalogue import say
from dialer.language.sentences import refusal_sentence
from dialer.language.words import sentence, stored_word, word_of
from dialer.staff.sign_in import list_units
from dialer.warnings.queries import recent_loads
from dialer.web.console import ConsoleContext, CurrentRequest, PageSection, RequestContext
from dialer.web.formats import Filter, say_spans, typed_word, unit_tree
from dialer.web.rendering import PlaceGroup

TEMPLATE = "console/control.html"
MINUTES = (15, 30, 60, 120, 240, 480, 720, 1440, 2880, 10080)
"""The lengths of a pause to choose from."""
_ALARMS = 100
_LEAST_FREE_BYTES = 1_000_000_000
_ALL_PERCENT = 100
_MOST_DIGITS = 9
"""The most digits of a typed whole number, so that it fits every column."""
PARTS: Mapping[PartName, str] = {
    PartName.DATABASE: gettext_noop("Database"),
    PartName.WEB: gettext_noop("Web"),
    PartName.DIAL_WORKERS: gettext_noop("Calling workers"),
    PartName.BULK: gettext_noop("Workers for lists and sound"),
    PartName.SCHEDULER: gettext_noop("Leading scheduler"),
    PartName.BROKER: gettext_noop("Broker"),
    PartName.CYCLE: gettext_noop("Scheduling cycle"),
    PartName.SWEEP: gettext_noop("Due cases checked"),
    PartName.DIAL: gettext_noop("Dialled"),
    PartName.RECONCILE: gettext_noop("Calls reconciled"),
    PartName.CONSISTENCY: gettext_noop("Consistency check"),
    PartName.RETENTION: gettext_noop("Retention of data"),
}
control_pages = PageSection()


def window_sentence(window: Window, lang: Lang) -> str:
    """When the robots may call."""
    if window.opens == window.closes:
        return say(lang, "Robots call at any hour.")
    times = {"opens": f"{window.opens:%H:%M}", "closes": f"{window.closes:%H:%M}", "zone": window.zone}
    if window.opens > window.closes:
        return say(
            lang, "Robots call from %(opens)s to %(closes)s of the next day, time of %(zone)s.", **times
        )
    return say(lang, "Robots call from %(opens)s to %(closes)s every day, time of %(zone)s.", **times)


def grade_sentences(policy: Policy, grade: Grade, lang: Lang) -> list[str]:
    """What is done about a case of this grade, in the order in which it happens."""
    rules = policy.of(grade)
    sentences = [
        _robot_sentence(rules, lang),
        say(lang, "Outside the dialling window it waits.")
        if rules.windowed
        else say(lang, "Outside the dialling window a person calls instead."),
        say_spans(
            lang,
            "A call that has not been placed after %(span)s goes to a person as well, with an alarm.",
            span=rules.robot_patience_seconds,
        ),
        _caller_sentence(rules, lang),
    ]
    percent = rules.human_sample_percent
    if not grade.is_high and percent == 0:
        sentences.append(
            say(
                lang,
                "Persons the robot does not reach get no call from a caller: the case ends as not found yet.",
            )
        )
    elif not grade.is_high and percent < _ALL_PERCENT:
        sentences.append(
            say(
                lang,
                "Of the persons the robot does not reach a caller calls %(percent)s %%; the others end as not found"
                " yet.",
                percent=percent,
            )
        )
    sentences += [
        _officer_sentence(rules, lang),
        say_spans(
            lang,
            "Work is signed for within %(sign)s and reported within %(feedback)s.",
            sign=rules.sign_seconds,
            feedback=rules.feedback_seconds,
        ),
    ]
    if rules.family_after_seconds is not None:
        sentences.append(_family_sentence(rules.family_after_seconds, lang))
    if rules.record_calls:
        sentences.append(say(lang, "All calls with the person are recorded, and the person is told so."))
    channel = word_of(rules.message_channel, lang)
    if rules.message_when_unreachable:
        sentences.append(
            say(lang, "A message is sent by %(channel)s when no call got through.", channel=channel)
        )
    if rules.flash_every_seconds is not None:
        sentences.append(
            say_spans(
                lang,
                "After that a flash message goes every %(span)s, at most %(times)s times, until the person is reached.",
                span=rules.flash_every_seconds,
                times=rules.flash_times,
            )
        )
    if rules.message_after_warning:
        sentences.append(
            say(
                lang,
                "A message is sent by %(channel)s to persons who were warned and confirmed their identity.",
                channel=channel,
            )
        )
    return sentences + _follow_up_sentences(rules, lang)


def common_sentences(policy: Policy, lang: Lang) -> list[str]:
    """What applies to every grade."""
    urgency = policy.urgency
    worth = [
        say_spans(
            lang, "%(grade)s %(span)s", grade=word_of(grade, lang), span=urgency.grade_seconds.get(grade, 0)
        )
        for grade in Grade
    ]
    return [
        say_spans(
            lang,
            "Busy on a high grade: probably talking to the fraudster; the robot calls again after %(span)s.",
            span=policy.busy_retry_seconds,
        ),
        say_spans(
            lang,
            "A fault of our own line does not use up a try: the robot calls again after %(span)s, and after %(faults)s"
            " faults in a row a person takes over.",
            span=policy.requeue_seconds,
            faults=str(policy.max_own_faults),
        ),
        say_spans(
            lang,
            "One number rests %(span)s between two calls, also across cases.",
            span=policy.number_spacing_seconds,
        ),
        say_spans(
            lang,
            "An officer goes up to %(tries)s times, %(span)s apart; then the case ends as not found, with an alarm.",
            tries=str(policy.visit_tries),
            span=policy.visit_retry_seconds,
        ),
        say_spans(
            lang,
            "A success is provisional for %(span)s; if no case is filed by then it is proven.",
            span=policy.watch_seconds,
        ),
        say(
            lang,
            "In the queue each grade counts as time already waited: %(worth)s.",
            worth=("，" if lang is Lang.ZH else ", ").join(worth),
        ),
        say_spans(
            lang,
            "Ten times the amount at risk counts as %(span)s more; a warning that expires within %(horizon)s comes"
            " forward.",
            span=urgency.amount_seconds_per_tenfold,
            horizon=urgency.expiry_horizon_seconds,
        ),
    ]


def _robot_sentence(rules: GradePolicy, lang: Lang) -> str:
    first, gap, tries = rules.first_attempt_seconds, rules.robot_gap_seconds, rules.robot_tries
    if tries == 1:
        return say_spans(lang, "The robot calls within %(first)s, once.", first=first)
    return say_spans(
        lang,
        "The robot calls within %(first)s, up to %(tries)s times, %(gap)s apart.",
        first=first,
        tries=str(tries),
        gap=gap,
    )


def _caller_sentence(rules: GradePolicy, lang: Lang) -> str:
    due, after = rules.human_due_seconds, rules.human_after_seconds
    if after is None:
        return say_spans(
            lang,
            "A caller calls only when the robot fails or the answer is doubtful, within %(due)s.",
            due=due,
        )
    if after == 0:
        return say_spans(lang, "A caller calls at once beside the robot, within %(due)s.", due=due)
    return say_spans(
        lang, "Not reached after %(after)s: a caller calls, within %(due)s.", after=after, due=due
    )


def _officer_sentence(rules: GradePolicy, lang: Lang) -> str:
    due, after = rules.visit_due_seconds, rules.visit_after_seconds
    if after == 0:
        return say_spans(lang, "An officer goes at once, within %(due)s.", due=due)
    if after is not None:
        return say_spans(
            lang, "Not reached after %(after)s: an officer goes, within %(due)s.", after=after, due=due
        )
    if rules.visit_when_human_fails:
        return say_spans(lang, "An officer goes when the call fails or is overdue, within %(due)s.", due=due)
    return say_spans(lang, "No officer goes automatically; a person may send one, within %(due)s.", due=due)


def _family_sentence(after: int, lang: Lang) -> str:
    if after == 0:
        return say(
            lang, "When neither robot nor caller reaches the person, a caller calls the family contact."
        )
    return say_spans(
        lang,
        "When neither robot nor caller reaches the person, a caller calls the family contact after %(after)s.",
        after=after,
    )


_FOLLOW_UP_BY = {
    Track.ROBOT: gettext_noop(
        "In the watch period the robot calls again after %(after)s, up to %(tries)s times, %(gap)s apart."
    ),
    Track.HUMAN: gettext_noop("In the watch period a caller calls again after %(after)s."),
    Track.VISIT: gettext_noop("In the watch period an officer goes again after %(after)s."),
}
_FOLLOW_UP_THEN = {
    Track.ROBOT: gettext_noop(
        "If that does not reach the person, the robot calls, up to %(tries)s times, %(gap)s apart."
    ),
    Track.HUMAN: gettext_noop("If that does not reach the person, a caller calls."),
    Track.VISIT: gettext_noop("If that does not reach the person, an officer goes."),
}


def _follow_up_sentences(rules: GradePolicy, lang: Lang) -> list[str]:
    if rules.follow_up_by is None:
        return []
    texts = [_FOLLOW_UP_BY[rules.follow_up_by]]
    if rules.follow_up_then not in {None, rules.follow_up_by}:
        texts.append(_FOLLOW_UP_THEN[rules.follow_up_then])
    after, gap, tries = rules.follow_up_after_seconds, rules.follow_up_gap_seconds, str(rules.follow_up_tries)
    return [say_spans(lang, text, after=after, tries=tries, gap=gap) for text in texts]


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What was typed into the forms of the page."""

    scope: str = PauseScope.ALL.value
    unit: str = ""
    load: str = ""
    grade: str = ""
    minutes: str = "30"
    why: str = ""
    calls_per_second: str = ""
    lines: str = ""
    pace_why: str = ""


def _cause(facts: Mapping[str, Any], *, lang: Lang) -> str:
    """What an alarm says of its cause and of what to do; empty for most, whose name says it."""
    parts = (facts.get(name) for name in ("problem", "fix"))
    said = [sentence(Text.of_plain(part), lang) for part in parts if isinstance(part, dict)]
    return "".join(f"{part}。" for part in said) if lang is Lang.ZH else " ".join(f"{part}." for part in said)


def _trunks(request: RequestContext) -> TrunksNow | None:
    """The trunks; None without trunks, and while the carrier does not answer."""
    app = request.app
    if app.carrier is None or not has_trunks(app):
        return None
    try:
        return read_trunks(app.carrier)
    except Unavailable:
        return TrunksNow(trunks=())


def now_facts(request: RequestContext) -> dict[str, Any]:
    """The facts of the part of the page that renews itself."""
    services, unit_id = request.services, request.member.unit_id
    parts = watch_parts(services, late_seconds=request.app.settings.scheduler.late_seconds)
    alarms = unacknowledged_alarms(services, unit_id=unit_id, limit=_ALARMS + 1)
    disk = None
    with suppress(OSError):
        disk = shutil.disk_usage(request.app.settings.data_dir)
    return {
        "trunks": _trunks(request),
        "problem_word": lambda problem: word_of(problem, request.lang),
        "cause_word": lambda cause: say(request.lang, END_WORDS[cause]) if cause in END_WORDS else cause,
        "parts": parts,
        "part_name": lambda part: say(request.lang, PARTS[part.name]),
        "part_kind": lambda part: "live" if part.health is Health.GOOD else "trouble",
        "disk": disk,
        "disk_is_low": disk is not None and disk.free < _LEAST_FREE_BYTES,
        "pauses": visible_pauses(services, unit_id=unit_id),
        "pause_name": lambda pause: pause_name(pause, request.lang),
        "until_resumed": UNTIL_RESUMED,
        "held_at_most": HELD_AT_MOST,
        "alarms": alarms[:_ALARMS],
        "more_alarms": len(alarms) > _ALARMS,
        "alarm_word": lambda code: stored_word(AlarmCode, code, request.lang),
        "alarm_cause": partial(_cause, lang=request.lang),
        "alarm_kinds": alarm_kinds(request.services, unit_id=unit_id),
        "is_whole": unit_id is None,
        "can": request.may(Permission.CONTROL),
        "giga": lambda size: f"{size / 1e9:,.1f}",
    }


def _show(
    request: RequestContext,
    *,
    wrong: Mapping[str, str] | None = None,
    typed: Typed | None = None,
    asks_to_pause_all: bool = False,
) -> Response:
    """The page; `wrong` has what is to be corrected, by field."""
    services, unit_id, lang = request.services, request.member.unit_id, request.lang
    live = live_policy(services)
    scopes = list(PauseScope) if unit_id is None else [PauseScope.UNIT]
    with services.store.begin() as tx:
        line_pace = read_line_group(tx)
        loads = recent_loads(tx) if unit_id is None else []
    facts = now_facts(request) | {
        "sees_erasures": request.may(Permission.SEE_ERASURES),
        "sees_settings": request.may(Permission.SEE_SETTINGS) and unit_id is None,
        "wrong": wrong or {},
        "asks_to_pause_all": asks_to_pause_all,
        "typed": typed or Typed(scope=scopes[0].value),
        "scopes": [(scope.value, word_of(scope, lang)) for scope in scopes],
        "units": unit_tree([unit for unit in list_units(services, visible_to=unit_id) if unit.active]),
        "loads": loads,
        "grades": [(grade.value, word_of(grade, lang)) for grade in Grade],
        "minutes": MINUTES,
        "pace": line_pace,
        "least_pace": min(LEAST_CALLS_PER_SECOND, line_pace.most_calls_per_second) if line_pace else 0,
        "live": live,
        "window_sentence": window_sentence(live.policy.window, lang),
        "grade_sentences": [(grade, grade_sentences(live.policy, grade, lang)) for grade in Grade],
        "common_sentences": common_sentences(live.policy, lang),
    }
    return request.page(TEMPLATE, status=422 if wrong else 200, **facts)


def pause_name(pause: Pause, lang: Lang) -> str:
    """What is paused."""
    match pause.scope:
        case PauseScope.ALL:
            return word_of(pause.scope, lang)
        case PauseScope.GRADE:
            return word_of(Grade(pause.subject), lang)
        case PauseScope.LOAD:
            return say(lang, "list %(what)s", what=pause.subject)
        case PauseScope.UNIT:
            return pause.subject


@control_pages.get(
    "/control",
    act=Permission.SEE_CONTROL,
    nav=gettext_noop("Control"),
    order=80,
    group=PlaceGroup.ADMINISTRATION,
)
def control(request: CurrentRequest) -> Response:
    return _show(request)


@control_pages.get("/control/now", act=Permission.SEE_CONTROL, while_idle=True)
def now(request: CurrentRequest) -> Response:
    """The part of an open page that renews itself."""
    return request.part(TEMPLATE, "now", **now_facts(request))


OVERDUE_TEMPLATE = "console/overdue.html"
_OVERDUE = 50
_BROKEN_SIGN, _BROKEN_CALL, _BROKEN_ARRIVE, _BROKEN_REPORT = (
    gettext_noop("not signed for"),
    gettext_noop("not called"),
    gettext_noop("officer not there"),
    gettext_noop("not reported"),
)


def _broken(line: OverdueLine, now: datetime) -> str:
    """Which time limit has passed, in English of the catalogue."""
    if line.state is AssignmentState.OPEN and line.sign_by <= now:
        return _BROKEN_SIGN
    if line.kind is Track.HUMAN:
        return _BROKEN_CALL
    return _BROKEN_REPORT if line.stage.rank >= VisitStage.ARRIVED.rank else _BROKEN_ARRIVE


class OverdueForm(Filter):
    """What of the overdue work is shown, and what stands first."""

    kind: str = ""
    unsigned: str = ""
    order: str = ""


@control_pages.get(OVERDUE_PATH, act=Permission.SEE_CASES, shows_people=True)
def overdue(request: CurrentRequest, form: Annotated[OverdueForm, Query()]) -> Response:
    """Overdue calls and visits, the oldest or the dearest first, with what can be done about each."""
    unit_id, now = request.member.unit_id, request.now
    kind, unsigned = typed_word(Track, form.kind), bool(form.unsigned)
    order = typed_word(OverdueOrder, form.order) or OverdueOrder.OLDEST
    with request.services.store.begin() as tx:
        work = pending_work(tx, now=now, unit_id=unit_id)
        lines = overdue_work(
            tx, now=now, unit_id=unit_id, kind=kind, unsigned=unsigned, order=order, limit=_OVERDUE
        )
    chosen = [count for track, count in work.items() if kind in {None, track}]
    return request.page(
        OVERDUE_TEMPLATE,
        lines=lines,
        work=work,
        kind=kind,
        unsigned=unsigned,
        order=order,
        total=sum(count.unsigned if unsigned else count.overdue for count in chosen),
        broken=lambda line: request.say(_broken(line, now)),
        here=f"{OVERDUE_PATH}?{urlencode(form.asked())}",
        may_work=request.may(Permission.WORK_CASES),
        may_visit=request.may(Permission.WORK_VISITS),
        may_call=request.may(Permission.WORK_DESK),
        higher=lambda grade: [one for one in Grade if one.rank > grade.rank],
        Track=Track,
    )


@control_pages.post("/control/pause", act=Permission.CONTROL)
def pause(
    request: CurrentRequest,
    scope: Annotated[str, Form()] = PauseScope.ALL.value,
    unit: Annotated[str, Form()] = "",
    load: Annotated[str, Form()] = "",
    grade: Annotated[str, Form()] = "",
    minutes: Annotated[str, Form()] = "",
    why: Annotated[str, Form(max_length=200)] = "",
    sure: Annotated[str, Form(max_length=1)] = "",
) -> Response:
    """Pauses calls; all of them only when it was asked once more. What is wrong in the form is shown beside its field,
    with what was typed.
    """
    typed = Typed(scope=scope, unit=unit, load=load, grade=grade, minutes=minutes, why=why)
    try:
        wanted = _scope(scope)
        subject = {PauseScope.LOAD: load, PauseScope.GRADE: grade}.get(wanted, "")
        unit_id = _number(unit, "unit") if wanted is PauseScope.UNIT else None
        length = _number(minutes, "minutes")
        is_whole = wanted is PauseScope.ALL and request.member.unit_id is None
        if is_whole and not sure and why.strip() and length > 0:
            return _show(request, typed=typed, asks_to_pause_all=True)
        pause_calls(
            request.services,
            request.actor,
            scope=wanted,
            subject=subject,
            unit_id=unit_id,
            minutes=length,
            why=why,
        )
    except Invalid as fault:
        return _show(request, wrong={fault.field: refusal_sentence(fault, request.lang)}, typed=typed)
    _forget_halted(request)
    return request.redirect_to(
        "/control", notice=gettext_noop("Paused. Calls resume automatically when the time is over.")
    )


@control_pages.post("/control/pauses/{pause_id}/resume", act=Permission.CONTROL)
def resume(request: CurrentRequest, pause_id: int) -> Response:
    """Ends a pause. After a restore the carrier's calls are compared first, which takes as long as the carrier's list
    does.
    """
    found = None
    if request.member.unit_id is None and read_awaited(request.services) is not None:
        found = asyncio.run(_compare(request))
    try:
        resume_pause(request.services, request.actor, pause_id)
    finally:
        _forget_halted(request)
    notice = gettext_noop("The pause is over.")
    return request.redirect_to(
        "/control", notice=notice if found is None else sentence(comparison_sentence(found), request.lang)
    )


async def _compare(request: RequestContext) -> FoundCalls | None:
    # Imported when first used: the telephony client takes 20 MB that an idle web process does without.
    from dialer.telephony.client import CallClient  # noqa: PLC0415 - heavy, and of this page alone

    async with CallClient(request.app.telephony) as client:
        return await compare_calls(request.services, request.actor, client)


@control_pages.post("/control/pace", act=Permission.CONTROL)
def change_pace(
    request: CurrentRequest,
    calls_per_second: Annotated[str, Form()] = "",
    lines: Annotated[str, Form()] = "",
    pace_why: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Sets a pace in place of that of the settings. What is wrong is shown beside its field."""
    typed = Typed(calls_per_second=calls_per_second, lines=lines, pace_why=pace_why)
    try:
        set_pace(
            request.services,
            request.actor,
            calls_per_second=_fraction(calls_per_second, "calls_per_second"),
            lines=_number(lines, "lines"),
            why=pace_why,
        )
    except Invalid as fault:
        field = "pace_why" if fault.field == "why" else fault.field
        return _show(request, wrong={field: refusal_sentence(fault, request.lang)}, typed=typed)
    return request.redirect_to("/control", notice=gettext_noop("The pace is changed."))


@control_pages.post("/control/pace/settings", act=Permission.CONTROL)
def reset_pace(request: CurrentRequest) -> Response:
    """Ends a pace that was set by hand: the pace of the settings applies again."""
    restore_pace(request.services, request.actor)
    return request.redirect_to("/control", notice=gettext_noop("The pace of the settings applies again."))


@control_pages.post("/control/alarms/{alarm_id}/seen", act=Permission.CONTROL)
def acknowledge(request: CurrentRequest, alarm_id: int) -> Response:
    """Acknowledges this alarm."""
    acknowledge_alarm(request.services, request.actor, alarm_id)
    return request.redirect_to("/control#alarms", notice=gettext_noop("The alarm is acknowledged."))


@control_pages.post("/control/alarms/{alarm_id}/take", act=Permission.CONTROL)
def take(
    request: CurrentRequest, alarm_id: int, comment: Annotated[str, Form(max_length=200)] = "", code: str = ""
) -> Response:
    """Makes the reader the owner of this alarm, with what is being done about it; it stays open."""
    back = f"/control/alarms/{code}" if code in set(AlarmCode) else "/control#alarms"
    try:
        take_alarm(request.services, request.actor, alarm_id, comment=comment)
    except Invalid as fault:
        return request.redirect_to(back, notice=refusal_sentence(fault, request.lang))
    return request.redirect_to(back, notice=gettext_noop("The alarm is yours; it stays open."))


@control_pages.get("/control/alarms/{code}", act=Permission.SEE_CONTROL)
def alarms_of_kind(request: CurrentRequest, code: str) -> Response:
    """The unacknowledged alarms of one kind."""
    return _show_alarms(request, code)


def _show_alarms(request: RequestContext, code: str, *, wrong: Mapping[str, str] | None = None) -> Response:
    unit_id = request.member.unit_id
    kinds = alarm_kinds(request.services, unit_id=unit_id)
    if code not in {*AlarmCode, *(kind.code for kind in kinds)}:
        raise NotFound(kind="alarm", key=code)
    return request.page(
        "console/alarms.html",
        status=422 if wrong else 200,
        code=code,
        kinds=kinds,
        total=next((kind.count for kind in kinds if kind.code == code), 0),
        alarms=unacknowledged_alarms(request.services, unit_id=unit_id, limit=_ALARMS, code=code),
        alarm_word=lambda code: stored_word(AlarmCode, code, request.lang),
        alarm_cause=partial(_cause, lang=request.lang),
        is_whole=unit_id is None,
        can=request.may(Permission.CONTROL),
        wrong=wrong or {},
    )


@control_pages.post("/control/alarms/all/{code}/seen", act=Permission.CONTROL)
def acknowledge_all(
    request: CurrentRequest, code: str, why: Annotated[str, Form(max_length=500)] = ""
) -> Response:
    """Acknowledges all alarms of this kind that the reader sees, with what is done about them."""
    try:
        acknowledge_alarms(request.services, request.actor, code, why=why)
    except Invalid as fault:
        return _show_alarms(request, code, wrong=request.wrong(fault))
    return request.redirect_to("/control#alarms", notice=gettext_noop("The alarms are acknowledged."))


def _forget_halted(request: RequestContext) -> None:
    """Has the note about a pause of all dialling, which every page shows, read again."""
    context: ConsoleContext = request.request.app.state.console_context
    context.halted.forget(None)


def _scope(text: str) -> PauseScope:
    try:
        return PauseScope(text)
    except ValueError:
        raise Invalid(field="scope", problem="is empty") from None


def _number(text: str, field: str) -> int:
    digits = text.strip()
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= _MOST_DIGITS):
        raise Invalid(
            field=field, problem=gettext_noop("is not a whole number") if digits else gettext_noop("is empty")
        )
    return int(digits)


def _fraction(text: str, field: str) -> float:
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        problem = gettext_noop("is not a number") if text.strip() else gettext_noop("is empty")
        raise Invalid(field=field, problem=problem) from None
    if not math.isfinite(value):
        raise Invalid(field=field, problem="is not a number")
    return value
