"""Pages of the desk: one task at a time for a caller, from the claim to the report."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import Depends, Form
from starlette.responses import Response

from dialer.calls.number_marks import number_is_marked
from dialer.cases.persons import family_numbers
from dialer.core.access import Permission
from dialer.core.case import AssignmentState, StopResult, StopState
from dialer.core.errors import Conflict, Invalid, Overtaken, Refusal, Unavailable
from dialer.core.offers import TaskMode
from dialer.core.talk import TalkChange
from dialer.core.text import gettext_noop
from dialer.core.values import EvidenceKind, ScammerContact, Track, parse_yuan
from dialer.knowledge.actions import typed_uses
from dialer.knowledge.view import beside_call
from dialer.language.sentences import refusal_sentence
from dialer.language.words import actor_word
from dialer.outcomes.evidence_files import FIELD, clean_evidence
from dialer.staff.sign_in import choose_extension, list_units
from dialer.web.console import CurrentRequest, PageSection, RequestContext
from dialer.web.formats import FILES_AGAIN, MOST_EVIDENCE, sent_files, typed_number, typed_word, unit_tree
from dialer.work.assignments import Scope, check_assignment_visible
from dialer.work.desk import (
    DeskView,
    TaskState,
    calls_handed_over,
    complete_stop_payment,
    open_task,
    read_task_state,
    show_desk,
    show_overview,
    show_task,
    task_in_hand,
)
from dialer.work.desk_view import (
    CHOICES,
    FAMILY_CHOICES,
    MONEY,
    ChecklistPoint,
    PartyLine,
    ReportForm,
    StopRequestForm,
    announced_ear_sentence,
    busy_sentence,
    call_checklist,
    call_line,
    call_time,
    care_notes,
    contact_history,
    dialled_number,
    family_checklist,
    lost_sentence,
    may_have_party,
    note_with_points,
    party_line,
    party_name,
)
from dialer.work.offers import own_offer, pass_on
from dialer.work.stop_requests import BANK_ANSWERS, add_stop_request, report_paid, report_stop_request
from dialer.work.supervision import announced_listener, party_in_call
from dialer.work.tasks import (
    awaits_second_person,
    claim_next,
    colleagues,
    reassign,
    reclaim,
    release_assignment,
    renew_lease,
    report_assignment,
    schedule_call_back,
)
from dialer.work.transfers import accept_transfer, refuse_transfer, transfer_assignment

desk_pages = PageSection()
_DESK_TEMPLATE, _TASK_TEMPLATE = "console/desk.html", "console/desk_task.html"
_HOME = "/desk"
_PRACTICE = "/practice"
"""Where a report leads in a service for practice: to its score."""
_UNFIT, _TAKEN = 422, 409

Token = Annotated[int, Form()]


def _visible_task_id(request: CurrentRequest, task_id: int) -> int:
    """The id of a task that this caller may see. Raises `NotFound` for one that does not exist or belongs to other
    units.
    """
    with request.services.store.begin() as tx:
        check_assignment_visible(tx, task_id, _scope(request))
    return task_id


VisibleTask = Annotated[int, Depends(_visible_task_id)]


@desk_pages.get("/desk", act=Permission.WORK_DESK, nav=gettext_noop("Desk"), order=20)
def desk(request: CurrentRequest) -> Response:
    """The task in hand, or the overview from which the next one is taken."""
    in_hand = task_in_hand(request.services, by=request.who)
    if in_hand is not None:
        return _show_task(
            request, show_task(request.services, in_hand, by=request.who, scope=_scope(request))
        )
    return request.page(_DESK_TEMPLATE, **_desk_facts(request), wrong={})


@desk_pages.get("/desk/room", act=Permission.WORK_DESK)
def show_waiting_tasks(request: CurrentRequest) -> Response:
    """The waiting tasks, refreshed by an open page. If an inbound call has given the caller a task meanwhile, the page
    opens it.
    """
    if task_in_hand(request.services, by=request.who) is not None:
        return Response(status_code=200, headers={"HX-Redirect": _HOME})
    return request.part(_DESK_TEMPLATE, "room", **_desk_facts(request))


@desk_pages.post("/desk/next", act=Permission.WORK_DESK)
def take_next_task(request: CurrentRequest) -> Response:
    """Takes the most urgent waiting task."""
    return _claim_next(request)


@desk_pages.post("/desk/pass", act=Permission.WORK_DESK)
def pass_offer_on(request: CurrentRequest) -> Response:
    """Passes on the task that the caller is offered."""
    passed = pass_on(request.services, request.actor, staff_id=request.member.id)
    notice = (
        gettext_noop("The task is passed on.") if passed else gettext_noop("Nothing is offered to you now.")
    )
    return request.redirect_to(_HOME, notice=notice)


@desk_pages.post("/desk/extension", act=Permission.WORK_DESK)
def extension(request: CurrentRequest, extension: Annotated[str, Form()] = "") -> Response:
    """Stores the telephone at which the caller is reached."""
    try:
        choose_extension(request.services, request.member, extension)
    except Invalid as fault:
        wrong = {"extension": refusal_sentence(fault, request.lang)}
        return request.page(_DESK_TEMPLATE, status=_UNFIT, **_desk_facts(request), wrong=wrong)
    return request.redirect_to(_HOME, notice=gettext_noop("Your extension is saved."))


@desk_pages.get("/desk/tasks/{task_id}/live", act=Permission.WORK_DESK)
def live(request: CurrentRequest, task_id: int, token: int = 0) -> Response:
    """What may have changed since the page was shown."""
    return _show_live(request, task_id, token)


@desk_pages.post("/desk/tasks/{task_id}/beat", act=Permission.WORK_DESK)
def renew_task_lease(request: CurrentRequest, task_id: VisibleTask, token: Token = 0) -> Response:
    """Renews the lease; 409 if it has ended."""
    renew_lease(request.services, request.actor, task_id, token=token)
    return Response(status_code=204)


@desk_pages.post("/desk/tasks/{task_id}/open", act=Permission.WORK_DESK)
def show_person(request: CurrentRequest, task_id: VisibleTask, token: Token = 0) -> Response:
    """Opens the task's personal data, which is audited."""
    open_task(request.services, request.actor, task_id, token=token)
    return request.redirect_to(_HOME)


@desk_pages.post("/desk/tasks/{task_id}/reclaim", act=Permission.WORK_DESK)
def take_back_task(
    request: CurrentRequest,
    task_id: int,
    token: Annotated[int | None, Form()] = None,
    park: Annotated[str, Form()] = "",
) -> Response:
    """Takes a task back, also from the duty line; one that somebody else has by then is left to them."""
    try:
        taken = reclaim(
            request.services, request.actor, task_id, scope=_scope(request), token=token, park=park == "yes"
        )
    except Overtaken:
        # The duty line's page sends this by itself, and two people may have it open.
        return request.redirect_to(
            _HOME, notice=gettext_noop("Somebody else has this task now, or it is over.")
        )
    open_task(request.services, request.actor, task_id, token=taken.token)
    return request.redirect_to(_HOME)


@desk_pages.post("/desk/tasks/{task_id}/call", act=Permission.WORK_DESK)
def call(
    request: CurrentRequest,
    task_id: VisibleTask,
    token: Token = 0,
    number: Annotated[int, Form()] = 0,
    family: Annotated[str, Form()] = "",
) -> Response:
    """Click to call."""
    try:
        asyncio.run(_put_through(request, task_id, token=token, number=number, family=bool(family)))
    except Overtaken:
        pass  # The page says who has it.
    except Unavailable as fault:
        if fault.part != "carrier":
            raise
        raise Refusal(
            gettext_noop("The telephone network did not take the call. Try again, or dial by hand.")
        ) from None
    return _show_live(request, task_id, token) if request.is_part else request.redirect_to(_HOME)


@desk_pages.post("/desk/tasks/{task_id}/talk", act=Permission.WORK_DESK)
def talk(
    request: CurrentRequest, task_id: VisibleTask, token: Token = 0, change: Annotated[str, Form()] = ""
) -> Response:
    """Puts the person of the call under way on hold or takes them back; mutes the caller's telephone, or not."""
    wanted = typed_word(TalkChange, change)
    if wanted is None:
        raise Invalid(field="change", problem="is not a known value")
    try:
        asyncio.run(_ask_for_talk(request, task_id, wanted, token=token))
    except Overtaken:
        pass  # The page says who has it.
    except Unavailable as fault:
        if fault.part != "carrier":
            raise
        raise Refusal(
            gettext_noop("The telephone network does not answer. It is asked again until the call is over.")
        ) from None
    return _show_live(request, task_id, token) if request.is_part else request.redirect_to(_HOME)


@desk_pages.get("/desk/tasks/{task_id}/third-party", act=Permission.WORK_DESK)
def show_third_parties(request: CurrentRequest, task_id: VisibleTask) -> Response:
    """Whom the caller may bring into the call, as choices of the dialog."""
    from dialer.work.third_parties import parties_of_task  # noqa: PLC0415 - heavy, and of this form alone

    duty_line = request.app.telephony.officer_number
    parties = parties_of_task(request.services, task_id, duty_line=duty_line)
    return request.part(
        "console/desk_parties.html",
        "parties",
        parties=[(one.key, one.kind, party_name(one.name, request.lang)) for one in parties],
    )


@desk_pages.post("/desk/tasks/{task_id}/third-party", act=Permission.WORK_DESK)
def third_party(
    request: CurrentRequest,
    task_id: VisibleTask,
    token: Token = 0,
    party: Annotated[str, Form()] = "",
    hold: Annotated[str, Form()] = "",
) -> Response:
    """Brings a third party of the list into the call under way, with the person on hold or not."""
    return _change_party(request, task_id, token, _PartyForm(act="bring", party=party, holds=hold == "yes"))


@desk_pages.post("/desk/tasks/{task_id}/third-party/hand-over", act=Permission.WORK_DESK)
def hand_call_over(request: CurrentRequest, task_id: VisibleTask, token: Token = 0) -> Response:
    """The caller leaves the call to the third party."""
    return _change_party(request, task_id, token, _PartyForm(act="hand_over"))


@desk_pages.post("/desk/tasks/{task_id}/third-party/stop", act=Permission.WORK_DESK)
def send_party_away(request: CurrentRequest, task_id: VisibleTask, token: Token = 0) -> Response:
    """The third party leaves the call."""
    return _change_party(request, task_id, token, _PartyForm(act="stop"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _PartyForm:
    """What is asked for of the third party in the call: `bring`, `hand_over` or `stop`."""

    act: str
    party: str = ""
    holds: bool = False


def _change_party(request: RequestContext, task_id: int, token: int, form: _PartyForm) -> Response:
    try:
        asyncio.run(_ask_for_party(request, task_id, token, form))
    except Overtaken:
        pass  # The page says who has it.
    except Unavailable as fault:
        if fault.part != "carrier":
            raise
        raise Refusal(
            gettext_noop("The telephone network does not answer. It is asked again until the call is over.")
        ) from None
    return _show_live(request, task_id, token) if request.is_part else request.redirect_to(_HOME)


async def _ask_for_party(request: RequestContext, task_id: int, token: int, form: _PartyForm) -> None:
    from dialer.telephony.client import DeskClient  # noqa: PLC0415 - heavy, and of this form alone
    from dialer.work import third_parties as parties  # noqa: PLC0415 - heavy, and of this form alone

    services, actor = request.services, request.actor
    async with DeskClient(request.app.telephony) as client:
        match form.act:
            case "bring":
                holds = form.holds
                await parties.bring_in(services, actor, client, task_id, form.party, holds=holds, token=token)
            case "hand_over":
                await parties.hand_over(services, actor, client, task_id, token=token)
            case _:
                await parties.send_away(services, actor, client, task_id, token=token)


async def _ask_for_talk(request: RequestContext, task_id: int, wanted: TalkChange, *, token: int) -> None:
    from dialer.telephony.client import DeskClient  # noqa: PLC0415 - heavy, and of this form alone
    from dialer.work.desk_talk import ask_for_talk  # noqa: PLC0415 - heavy, and of this form alone

    async with DeskClient(request.app.telephony) as client:
        await ask_for_talk(request.services, request.actor, client, task_id, wanted, token=token)


async def _put_through(
    request: RequestContext, task_id: int, *, token: int, number: int, family: bool
) -> None:
    # Imported when first used: the telephony client takes 20 MB that an idle web process does without.
    from dialer.telephony.client import DeskClient  # noqa: PLC0415 - heavy, and of this form alone
    from dialer.work.desk_calls import dial_from_desk  # noqa: PLC0415 - heavy, and of this form alone

    async with DeskClient(request.app.telephony) as client:
        await dial_from_desk(
            request.services,
            request.actor,
            client,
            task_id,
            token=token,
            extension=request.member.extension,
            number=number,
            family=family,
        )


@desk_pages.post("/desk/tasks/{task_id}/report", act=Permission.WORK_DESK, most_bytes=MOST_EVIDENCE)
def report(request: CurrentRequest, task_id: int, form: Annotated[ReportForm, Depends()]) -> Response:
    """Feedback on the task in hand. What is wrong in the form is shown beside its field."""
    view = show_task(request.services, task_id, by=request.who, scope=_scope(request))
    given, faults = form.parsed_report(to_family=view.is_to_family)
    sent = sent_files(form.evidence_files)
    try:
        files = clean_evidence(request.services, sent)
    except Invalid as fault:
        faults[fault.field] = fault
    if given is None or faults:
        return _report_again(request, view, form, faults, had_files=bool(sent))
    points = _points(request, view)
    note = note_with_points(given.note, form.said or [], points, request.lang)
    ticked = tuple(point.key for point in points if point.key in (form.said or []))
    used = typed_uses(form.used or ())
    given = replace(given, note=note, ticked=ticked, files=files, used=used)
    try:
        outcome_id = report_assignment(request.services, request.actor, task_id, given, token=form.token)
    except Invalid as fault:
        return _report_again(request, view, form, {fault.field: fault}, had_files=bool(sent))
    except Conflict:
        # Shown as it is now, with everything that was typed.
        now = show_task(request.services, task_id, by=request.who, scope=_scope(request))
        return _show_task(request, now, status=_TAKEN, form=form, token=form.token)
    kept = gettext_noop("Report saved.")
    if awaits_second_person(request.services, outcome_id):
        kept = gettext_noop("Report saved. Without a staff call a second person must approve it.")
    if request.services.practice:
        return request.redirect_to(_PRACTICE, notice=kept)
    return _claim_next(request, notice=kept) if form.following else request.redirect_to(_HOME, notice=kept)


@desk_pages.post("/desk/tasks/{task_id}/call-back", act=Permission.WORK_DESK)
def agree_call_back(
    request: CurrentRequest,
    task_id: VisibleTask,
    token: Token = 0,
    soon: Annotated[str, Form()] = "",
    at: Annotated[str, Form()] = "",
    agreed: Annotated[str, Form()] = "",
) -> Response:
    """Agrees a call-back: the task waits until then."""
    try:
        when = call_time(soon, at, now=request.now, timezone=request.services.centre.timezone)
        schedule_call_back(request.services, request.actor, task_id, token=token, at=when, note=agreed[:500])
    except (Invalid, Conflict) as fault:
        typed = {"soon": soon, "at": at, "agreed": agreed}
        return _show_dialog_again(request, task_id, token, fault, dialog="call-back", typed=typed)
    return request.redirect_to(
        _HOME, notice=gettext_noop("Appointment saved: the task comes back at that time.")
    )


@desk_pages.post("/desk/tasks/{task_id}/release", act=Permission.WORK_DESK)
def release(
    request: CurrentRequest, task_id: VisibleTask, token: Token = 0, why: Annotated[str, Form()] = ""
) -> Response:
    """Gives the task in hand back to the queue, with a reason."""
    try:
        release_assignment(request.services, request.actor, task_id, token=token, why=why[:500])
    except (Invalid, Conflict) as fault:
        return _show_dialog_again(request, task_id, token, fault, dialog="release", typed={"why": why})
    return request.redirect_to(_HOME, notice=gettext_noop("The task is back in the queue."))


@desk_pages.post("/desk/tasks/{task_id}/transfer", act=Permission.WORK_DESK)
def transfer(
    request: CurrentRequest,
    task_id: VisibleTask,
    token: Token = 0,
    to: Annotated[str, Form()] = "",
    why: Annotated[str, Form()] = "",
) -> Response:
    """Transfers the task to a unit, which has to accept it, or to a colleague in the reader's own units."""
    kind, _, whom = to.partition(":")
    try:
        if kind == "unit" and (unit_id := typed_number(whom, field="to")) is not None:
            transfer_assignment(
                request.services, request.actor, task_id, to_unit_id=unit_id, why=why[:500], token=token
            )
            notice = gettext_noop("The unit is asked to take it over. Until it does, the task is yours.")
        else:
            reassign(request.services, request.actor, task_id, to=whom, token=token, why=why[:500])
            notice = gettext_noop("The task is reassigned.")
    except (Invalid, Conflict) as fault:
        return _show_dialog_again(
            request, task_id, token, fault, dialog="transfer", typed={"to": to, "why": why}
        )
    return request.redirect_to(_HOME, notice=notice)


@desk_pages.post("/desk/transfers/{transfer_id}/accept", act=Permission.WORK_DESK)
def accept(request: CurrentRequest, transfer_id: int) -> Response:
    """Takes over a transferred task and signs for it."""
    kind = Track.HUMAN
    accept_transfer(request.services, request.actor, transfer_id, kind=kind)
    return request.redirect_to(_HOME, notice=gettext_noop("The task is taken over, and yours."))


@desk_pages.post("/desk/transfers/{transfer_id}/refuse", act=Permission.WORK_DESK)
def refuse(request: CurrentRequest, transfer_id: int, why: Annotated[str, Form()] = "") -> Response:
    """Refuses a transferred task, with a reason that the other unit sees."""
    kind = Track.HUMAN
    refuse_transfer(request.services, request.actor, transfer_id, why=why[:500], kind=kind)
    return request.redirect_to(
        _HOME, notice=gettext_noop("The transfer is refused; the unit that asked sees why.")
    )


@desk_pages.post("/desk/stop-payments/{payment_id}/done", act=Permission.WORK_DESK)
def report_stop_payment(
    request: CurrentRequest, payment_id: int, result: Annotated[StopResult, Form()] = StopResult.ASKED
) -> Response:
    """Reports what came of a stop-payment request."""
    complete_stop_payment(request.services, request.actor, payment_id, result=result)
    return request.redirect_to(_HOME, notice=gettext_noop("The stop-payment task is done."))


@desk_pages.post("/desk/stop-payments", act=Permission.WORK_DESK)
def report_payment(
    request: CurrentRequest, case: Annotated[str, Form()] = "", back: Annotated[str, Form()] = ""
) -> Response:
    """Records that the person of this case says that money has been sent."""
    case_id = typed_number(case, field="case")
    if case_id is None:
        raise Invalid(field="case", problem="is missing")
    report_paid(request.services, request.actor, case_id)
    return request.redirect_to(
        _path_back(back), notice=gettext_noop("Ask the bank now to stop the payment, and record the request.")
    )


def _path_back(back: str) -> str:
    """The page to which a form of a stop payment returns."""
    number = typed_number(back, field="back") if back.isdecimal() else None
    return f"/cases/{number}#money-heading" if number else _HOME


@desk_pages.post("/desk/stop-payments/{payment_id}/requests", act=Permission.WORK_DESK)
def ask_bank(
    request: CurrentRequest, payment_id: int, form: Annotated[StopRequestForm, Depends()]
) -> Response:
    """Records that a bank was asked to stop the payment."""
    given = form.read(now=request.now, timezone=request.services.centre.timezone)
    add_stop_request(request.services, request.actor, payment_id, given)
    return request.redirect_to(
        _path_back(form.back),
        notice=gettext_noop("The request is on record. Ask for the answer in 30 minutes."),
    )


@desk_pages.post("/desk/stop-requests/{request_id}/report", act=Permission.WORK_DESK)
def report_bank(
    request: CurrentRequest,
    request_id: int,
    result: Annotated[str, Form()] = "",
    stopped: Annotated[str, Form()] = "",
    back: Annotated[str, Form()] = "",
) -> Response:
    """Records what the bank answered, which another person reports than the one who asked."""
    state = typed_word(StopState, result)
    if state is None:
        raise Invalid(field="result", problem="is not chosen")
    fen = parse_yuan(stopped, field="stopped") if stopped.strip() and state is StopState.STOPPED else 0
    report_stop_request(request.services, request.actor, request_id, state, stopped_fen=fen)
    return request.redirect_to(_path_back(back), notice=gettext_noop("What the bank answered is on record."))


def _scope(request: RequestContext) -> Scope:
    return Scope(unit_id=request.member.unit_id)


def _claim_next(request: RequestContext, *, notice: str = "") -> Response:
    task = claim_next(request.services, request.actor, scope=_scope(request))
    if task is None:
        none = gettext_noop("No task waits for you now.")
        if request.services.work.tasks is TaskMode.OFFER:
            none = gettext_noop("Nothing is offered to you now.")
        return request.redirect_to(_HOME, notice=notice or none)
    open_task(request.services, request.actor, task.id, token=task.token)
    return request.redirect_to(_HOME, notice=notice)


def _is_duty(request: RequestContext) -> bool:
    """Whether this caller's extension is the duty line, where hand-overs are put through."""
    duty = request.app.telephony.officer_number
    return bool(duty) and request.member.extension == duty


def _desk_facts(request: RequestContext) -> dict[str, Any]:
    room = show_desk(request.services, by=request.who, scope=_scope(request))
    is_offering = request.services.work.tasks is TaskMode.OFFER
    return {
        "room": room,
        "is_offering": is_offering,
        "offer": own_offer(request.services, by=request.who) if is_offering else None,
        "real_now": request.services.real.now(),
        "stop_who": lambda login: actor_word(login, request.lang, room.names),
        "is_duty": _is_duty(request),
        "stop_results": (StopResult.TOO_LATE, StopResult.NOT_NEEDED),
        "stop_answers": BANK_ANSWERS,
    }


def _report_again(
    request: RequestContext,
    view: DeskView,
    form: ReportForm,
    faults: Mapping[str, Invalid],
    *,
    had_files: bool,
) -> Response:
    """The report as it was typed, with what is wrong beside its field. A browser does not keep chosen files."""
    wrong = {name: refusal_sentence(fault, request.lang) for name, fault in faults.items()}
    if had_files:
        wrong.setdefault(FIELD, request.say(FILES_AGAIN))
    return _show_task(request, view, status=_UNFIT, form=form, wrong=wrong)


def _points(request: RequestContext, view: DeskView) -> tuple[ChecklistPoint, ...]:
    centre = request.services.centre
    spoken = {
        "bureau": centre.bureau.get(request.lang.value, ""),
        "hotline": dialled_number(centre.callback_number, centre.area_code),
    }
    if view.is_to_family:
        name = view.opened.person.name if view.opened else view.masked.name
        return family_checklist(request.lang, name=name, **spoken)
    return call_checklist(view.case.fraud_type, request.lang, **spoken)


def _show_dialog_again(
    request: RequestContext,
    task_id: int,
    token: int,
    fault: Invalid | Conflict,
    *,
    dialog: str,
    typed: dict[str, str],
) -> Response:
    """The page with its dialog as it was filled in, and why it was refused."""
    view = show_task(request.services, task_id, by=request.who, scope=_scope(request))
    if isinstance(fault, Invalid):
        wrong, status = {f"{dialog}.{fault.field}": refusal_sentence(fault, request.lang)}, _UNFIT
    else:
        lost = isinstance(fault, Overtaken)
        wrong, status = ({} if lost else {f"{dialog}.": refusal_sentence(fault, request.lang)}), _TAKEN
    return _show_task(request, view, status=status, wrong=wrong, dialog=dialog, typed=typed, token=token)


def _show_live(request: RequestContext, task_id: int, token: int) -> Response:
    state = read_task_state(request.services, task_id, by=request.who, scope=_scope(request))
    return request.part(_TASK_TEMPLATE, "live", **_live_facts(request, state, token))


def _live_facts(request: RequestContext, state: TaskState, token: int) -> dict[str, Any]:
    """The facts of the part that is refreshed while the page is open."""
    task, is_held = state.assignment, state.is_held and state.assignment.token == token
    handed_over = calls_handed_over(request.services, scope=_scope(request)) if _is_duty(request) else ()
    return {
        "task": task,
        "token": token,
        "lost": "" if is_held else lost_sentence(task, request.lang, state.names, who=request.who),
        "may_take_again": task.state is AssignmentState.OPEN and task.token == token + 1,
        "beside": [
            busy_sentence(busy, request.lang, state.names, case_id=task.case_id) for busy in state.beside
        ],
        "calls": [call_line(call, request.lang) for call in reversed(state.calls)],
        "may_talk": is_held,
        "ear_text": _ear_text(request, state) if is_held else "",
        "party": _party_line(request, state) if is_held else None,
        "handed_over": [given for given in handed_over if given.id != task.id],
    }


def _ear_text(request: RequestContext, state: TaskState) -> str:
    """Who listens to the call under way; '' where nobody does, or it is not announced."""
    call = next((call for call in state.calls if call.may_hold and call.talk.needs_room), None)
    ear = None if call is None else announced_listener(request.services, call.id)
    if ear is None or ear.listener is None:
        return ""
    return announced_ear_sentence(ear.listener, ear.name, request.lang)


def _party_line(request: RequestContext, state: TaskState) -> PartyLine | None:
    """The third party in the call under way; None where there is none."""
    call = next((call for call in state.calls if may_have_party(call)), None)
    party = None if call is None else party_in_call(request.services, call.id)
    return None if party is None else party_line(party, request.lang)


def _show_task(
    request: RequestContext,
    view: DeskView,
    *,
    status: int = 200,
    form: ReportForm | None = None,
    wrong: dict[str, str] | None = None,
    dialog: str = "",
    typed: dict[str, str] | None = None,
    token: int | None = None,
) -> Response:
    own = view.assignment.token if token is None else token
    overview = show_overview(request.services, by=request.who, scope=_scope(request))
    opened, to_family = view.opened, view.is_to_family
    phones: tuple[str, ...] = ()
    if opened is not None:
        area_code = request.services.centre.area_code
        phones = family_numbers(opened.person, area_code) if to_family else opened.person.phones
    return request.page(
        _TASK_TEMPLATE,
        status=status,
        view=view,
        phones=[dialled_number(phone, request.services.centre.area_code) for phone in phones],
        to_family=to_family,
        reason=view.assignment.reason,
        form=form or ReportForm(),
        wrong=wrong or {},
        dialog=dialog,
        typed=typed or {},
        kept_words=(typed or {}).get("why", "") or (typed or {}).get("agreed", ""),
        waits=sum(waiting.count for waiting in overview.queue),
        today=overview.today,
        lease_seconds=int(request.services.work.lease_seconds),
        choices=FAMILY_CHOICES if to_family else CHOICES,
        money_kinds=MONEY,
        scammer_contacts=tuple(ScammerContact),
        evidence_kinds=tuple(EvidenceKind),
        points=_points(request, view),
        knowledge=None
        if to_family
        else beside_call(request, view.case.fraud_type, (form or ReportForm()).used),
        care=care_notes(view.case.tags, request.lang),
        history=contact_history(view, request.lang),
        units=unit_tree([unit for unit in list_units(request.services, visible_to=None) if unit.active]),
        colleagues=colleagues(request.services, request.actor),
        is_number_marked=number_is_marked(request.services),
        own_number=request.services.centre.callback_number,
        stop_results=(StopResult.TOO_LATE, StopResult.NOT_NEEDED),
        stop_answers=BANK_ANSWERS,
        **_live_facts(request, view, own),
    )
