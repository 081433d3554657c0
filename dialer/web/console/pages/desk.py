"""Desk: one next task at a time for a caller with a headset, from the claim to the report."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import Depends, Form
from starlette.responses import Response

from dialer.domain.access import Act
from dialer.domain.case import Reason
from dialer.domain.errand import AssignmentState
from dialer.domain.stop_payment import StopResult
from dialer.errors import Conflict, Invalid, Overtaken, Refusal, Unavailable
from dialer.language import mark
from dialer.sentences import refusal_sentence
from dialer.store.desk import Scope
from dialer.usecases import show_desk as rooms
from dialer.usecases.choose_extension import choose_extension
from dialer.usecases.claim_errand import call_back, claim_next, heartbeat, release_errand
from dialer.usecases.list_units import list_units
from dialer.usecases.open_task import (
    Bench,
    Pulse,
    check_work_seen,
    open_task,
    show_bench,
    take_pulse,
    task_in_hand,
)
from dialer.usecases.pass_on import colleagues, pass_on
from dialer.usecases.report_errand import report_errand
from dialer.usecases.show_conversation import stop_payment_done
from dialer.usecases.take_up import take_up
from dialer.usecases.transfer_errand import accept_transfer, refuse_transfer, transfer_errand
from dialer.web.console import desk_words as words
from dialer.web.console.desk_form import CHOICES, MONEY, ReportForm, call_time
from dialer.web.console.registry import Section
from dialer.web.console.unit_choice import unit_tree
from dialer.web.console.visit import Asked, Visit

pages = Section()
_ROOM, _TASK = "console/desk.html", "console/desk_task.html"
_HOME = "/desk"
_UNFIT, _TAKEN = 422, 409

Token = Annotated[int, Form()]


@pages.get("/desk", act=Act.WORK_DESK, nav=mark("Desk"), order=20)
def desk(visit: Asked) -> Response:
    in_hand = task_in_hand(visit.engine, by=visit.who)
    if in_hand is not None:
        return _task(visit, show_bench(visit.engine, in_hand, by=visit.who, scope=_scope(visit)))
    return visit.page(_ROOM, **_room(visit), wrong={})


@pages.get("/desk/room", act=Act.WORK_DESK)
def room(visit: Asked) -> Response:
    """What waits, for a page that stands open."""
    return visit.part(_ROOM, "room", **_room(visit))


@pages.post("/desk/next", act=Act.WORK_DESK)
def following(visit: Asked) -> Response:
    return _next(visit)


@pages.post("/desk/extension", act=Act.WORK_DESK)
def extension(visit: Asked, extension: Annotated[str, Form()] = "") -> Response:
    try:
        choose_extension(visit.engine, visit.member, extension)
    except Invalid as fault:
        wrong = {"extension": refusal_sentence(fault, visit.lang)}
        return visit.page(_ROOM, status=_UNFIT, **_room(visit), wrong=wrong)
    return visit.go(_HOME, notice=mark("Your desk's telephone is kept."))


@pages.get("/desk/tasks/{task_id}/live", act=Act.WORK_DESK)
def live(visit: Asked, task_id: int, token: int = 0) -> Response:
    """What may have changed since the page was shown."""
    return _live(visit, task_id, token)


@pages.post("/desk/tasks/{task_id}/beat", act=Act.WORK_DESK)
def beat(visit: Asked, task_id: int, token: Token = 0) -> Response:
    """The lease is full again; 409 where there is none any more."""
    check_work_seen(visit.engine, task_id, scope=_scope(visit))
    heartbeat(visit.engine, task_id, by=visit.who, token=token)
    return Response(status_code=204)


@pages.post("/desk/tasks/{task_id}/open", act=Act.WORK_DESK)
def show_person(visit: Asked, task_id: int, token: Token = 0) -> Response:
    check_work_seen(visit.engine, task_id, scope=_scope(visit))
    open_task(visit.engine, task_id, by=visit.who, token=token)
    return visit.go(_HOME)


@pages.post("/desk/tasks/{task_id}/reclaim", act=Act.WORK_DESK)
def take(
    visit: Asked, task_id: int, token: Annotated[int | None, Form()] = None, park: Annotated[str, Form()] = ""
) -> Response:
    try:
        taken = take_up(
            visit.engine, task_id, by=visit.who, scope=_scope(visit), token=token, park=park == "yes"
        )
    except Overtaken:
        # The page of the duty line asks for it by itself, and two may sit at it.
        return visit.go(_HOME, notice=mark("Somebody else has this task now, or it is over."))
    open_task(visit.engine, task_id, by=visit.who, token=taken.token)
    return visit.go(_HOME)


@pages.post("/desk/tasks/{task_id}/call", act=Act.WORK_DESK)
def call(visit: Asked, task_id: int, token: Token = 0, number: Annotated[int, Form()] = 0) -> Response:
    """Click to call."""
    check_work_seen(visit.engine, task_id, scope=_scope(visit))
    try:
        asyncio.run(_put_through(visit, task_id, token=token, number=number))
    except Overtaken:
        return _live(visit, task_id, token) if visit.is_part else visit.go(_HOME)
    except Unavailable as fault:
        if fault.part != "carrier":
            raise
        raise Refusal(
            mark("The telephone network did not take the call. Try again, or dial by hand.")
        ) from None
    return _live(visit, task_id, token) if visit.is_part else visit.go(_HOME)


async def _put_through(visit: Visit, task_id: int, *, token: int, number: int) -> None:
    # What rings is 20 MB that a web process at rest does without.
    from dialer.telephony.desk import DeskClient  # noqa: PLC0415
    from dialer.usecases.dial_from_desk import dial_from_desk  # noqa: PLC0415

    async with DeskClient(visit.app.telephony) as client:
        await dial_from_desk(
            visit.engine,
            client,
            task_id,
            by=visit.who,
            token=token,
            extension=visit.member.extension,
            number=number,
        )


@pages.post("/desk/tasks/{task_id}/report", act=Act.WORK_DESK)
def report(visit: Asked, task_id: int, form: Annotated[ReportForm, Depends()]) -> Response:
    bench = show_bench(visit.engine, task_id, by=visit.who, scope=_scope(visit))
    given, faults = form.understood()
    if given is None:
        wrong = {name: refusal_sentence(fault, visit.lang) for name, fault in faults.items()}
        return _task(visit, bench, status=_UNFIT, form=form, wrong=wrong)
    points = _points(visit, bench)
    try:
        report_errand(
            visit.engine,
            task_id,
            by=visit.who,
            outcome=given.outcome,
            amounts=given.amounts,
            evidence=given.evidence,
            contact=given.contact,
            note=words.noted(given.note, given.said, points, visit.lang),
            token=form.token,
        )
    except Conflict:
        # Shown as it is now, with every word that was typed.
        now = show_bench(visit.engine, task_id, by=visit.who, scope=_scope(visit))
        return _task(visit, now, status=_TAKEN, form=form, token=form.token)
    kept = mark("The report is kept.")
    return _next(visit, notice=kept) if form.following else visit.go(_HOME, notice=kept)


@pages.post("/desk/tasks/{task_id}/call-back", act=Act.WORK_DESK)
def agree(
    visit: Asked,
    task_id: int,
    token: Token = 0,
    soon: Annotated[str, Form()] = "",
    at: Annotated[str, Form()] = "",
    agreed: Annotated[str, Form()] = "",
) -> Response:
    check_work_seen(visit.engine, task_id, scope=_scope(visit))
    try:
        when = call_time(soon, at, now=visit.now, timezone=visit.engine.centre.timezone)
        call_back(visit.engine, task_id, by=visit.who, token=token, at=when, note=agreed[:500])
    except (Invalid, Conflict) as fault:
        typed = {"soon": soon, "at": at, "agreed": agreed}
        return _again(visit, task_id, token, fault, dialog="call-back", typed=typed)
    return visit.go(_HOME, notice=mark("The appointment is kept: the task comes back at its time."))


@pages.post("/desk/tasks/{task_id}/release", act=Act.WORK_DESK)
def release(visit: Asked, task_id: int, token: Token = 0, why: Annotated[str, Form()] = "") -> Response:
    check_work_seen(visit.engine, task_id, scope=_scope(visit))
    try:
        release_errand(visit.engine, task_id, by=visit.who, token=token, why=why[:500])
    except (Invalid, Conflict) as fault:
        return _again(visit, task_id, token, fault, dialog="release", typed={"why": why})
    return visit.go(_HOME, notice=mark("The task is back in the queue."))


@pages.post("/desk/tasks/{task_id}/transfer", act=Act.WORK_DESK)
def transfer(
    visit: Asked,
    task_id: int,
    token: Token = 0,
    to: Annotated[str, Form()] = "",
    why: Annotated[str, Form()] = "",
) -> Response:
    """To a unit, which has to accept it, or to a colleague of one's own."""
    check_work_seen(visit.engine, task_id, scope=_scope(visit))
    kind, _, whom = to.partition(":")
    try:
        if kind == "unit" and whom.isdecimal():
            unit_id = int(whom)
            transfer_errand(
                visit.engine, task_id, to_unit_id=unit_id, by=visit.who, why=why[:500], token=token
            )
            notice = mark("The unit is asked to take it over. Until it does, the task is yours.")
        else:
            pass_on(visit.engine, task_id, to=whom, by=visit.who, token=token, why=why[:500])
            notice = mark("The task is passed on.")
    except (Invalid, Conflict) as fault:
        return _again(visit, task_id, token, fault, dialog="transfer", typed={"to": to, "why": why})
    return visit.go(_HOME, notice=notice)


@pages.post("/desk/transfers/{transfer_id}/accept", act=Act.WORK_DESK)
def accept(visit: Asked, transfer_id: int) -> Response:
    accept_transfer(visit.engine, transfer_id, by=visit.who, seen_by=visit.member.unit_id)
    return visit.go(_HOME, notice=mark("The task is taken over, and yours."))


@pages.post("/desk/transfers/{transfer_id}/refuse", act=Act.WORK_DESK)
def refuse(visit: Asked, transfer_id: int, why: Annotated[str, Form()] = "") -> Response:
    refuse_transfer(visit.engine, transfer_id, by=visit.who, why=why[:500], seen_by=visit.member.unit_id)
    return visit.go(_HOME, notice=mark("It stays where it was; they see why."))


@pages.post("/desk/stop-payments/{payment_id}/done", act=Act.WORK_DESK)
def stopped(
    visit: Asked, payment_id: int, result: Annotated[StopResult, Form()] = StopResult.ASKED
) -> Response:
    stop_payment_done(visit.engine, payment_id, by=visit.who, result=result, seen_by=visit.member.unit_id)
    return visit.go(_HOME, notice=mark("The stop-payment task is done."))


def _scope(visit: Visit) -> Scope:
    return Scope(unit_id=visit.member.unit_id)


def _next(visit: Visit, *, notice: str = "") -> Response:
    task = claim_next(visit.engine, by=visit.who, scope=_scope(visit))
    if task is None:
        return visit.go(_HOME, notice=notice or mark("Nothing waits for you now."))
    open_task(visit.engine, task.assignment.id, by=visit.who, token=task.assignment.token)
    return visit.go(_HOME, notice=notice)


def _is_duty(visit: Visit) -> bool:
    """This caller sits at the telephone that hand-overs ring."""
    duty = visit.app.telephony.officer_number
    return bool(duty) and visit.member.extension == duty


def _room(visit: Visit) -> dict[str, Any]:
    return {
        "room": rooms.show_desk(visit.engine, by=visit.who, scope=_scope(visit)),
        "is_duty": _is_duty(visit),
        "stop_results": tuple(StopResult),
    }


def _points(visit: Visit, bench: Bench) -> tuple[words.Point, ...]:
    centre = visit.engine.centre
    return words.checklist(
        bench.case.fraud_type,
        visit.lang,
        bureau=centre.bureau.get(visit.lang.value, ""),
        hotline=words.dialled(centre.callback_number, centre.area_code),
    )


def _again(
    visit: Visit, task_id: int, token: int, fault: Invalid | Conflict, *, dialog: str, typed: dict[str, str]
) -> Response:
    """The page with its dialog as it was filled in, and what stands against it."""
    bench = show_bench(visit.engine, task_id, by=visit.who, scope=_scope(visit))
    if isinstance(fault, Invalid):
        wrong, status = {f"{dialog}.{fault.field}": refusal_sentence(fault, visit.lang)}, _UNFIT
    else:
        lost = isinstance(fault, Overtaken)
        wrong, status = ({} if lost else {f"{dialog}.": refusal_sentence(fault, visit.lang)}), _TAKEN
    return _task(visit, bench, status=status, wrong=wrong, dialog=dialog, typed=typed, token=token)


def _live(visit: Visit, task_id: int, token: int) -> Response:
    pulse = take_pulse(visit.engine, task_id, by=visit.who, token=token, scope=_scope(visit))
    return visit.part(_TASK, "live", **_pulse(visit, pulse, token))


def _pulse(visit: Visit, pulse: Pulse, token: int) -> dict[str, Any]:
    """What of the page lives."""
    task = pulse.assignment
    handed_over = rooms.handed_over(visit.engine, scope=_scope(visit)) if _is_duty(visit) else ()
    return {
        "task": task,
        "token": token,
        "lost": "" if pulse.is_held else words.lost_sentence(task, visit.lang, pulse.names, who=visit.who),
        "may_take_again": task.state is AssignmentState.OPEN and task.token == token + 1,
        "beside": [
            words.beside_sentence(one, visit.lang, pulse.names, case_id=task.case_id) for one in pulse.beside
        ],
        "calls": [words.call_line(one, visit.lang) for one in reversed(pulse.calls)],
        "handed_over": [one for one in handed_over if one.id != task.id],
    }


def _task(
    visit: Visit,
    bench: Bench,
    *,
    status: int = 200,
    form: ReportForm | None = None,
    wrong: dict[str, str] | None = None,
    dialog: str = "",
    typed: dict[str, str] | None = None,
    token: int | None = None,
) -> Response:
    task = bench.assignment
    own = task.token if token is None else token
    overview = rooms.show_overview(visit.engine, by=visit.who, scope=_scope(visit))
    pulse = Pulse(
        assignment=task,
        is_held=bench.is_held and task.token == own,
        calls=bench.calls,
        beside=bench.beside,
        names=bench.names,
    )
    return visit.page(
        _TASK,
        status=status,
        bench=bench,
        phones=[
            words.dialled(phone, visit.engine.centre.area_code)
            for phone in (bench.opened.person.phones if bench.opened else ())
        ],
        reason=Reason(bench.assignment.reason),
        form=form or ReportForm(),
        wrong=wrong or {},
        dialog=dialog,
        typed=typed or {},
        kept_words=(typed or {}).get("why", "") or (typed or {}).get("agreed", ""),
        waits=sum(one.count for one in overview.queue),
        today=overview.today,
        lease_seconds=int(visit.engine.work.lease_seconds),
        choices=CHOICES,
        money_kinds=MONEY,
        points=_points(visit, bench),
        care=words.care_of(bench.case.tags, visit.lang),
        history=words.history(bench, visit.lang),
        units=unit_tree([unit for unit in list_units(visit.engine, seen_by=None) if unit.active]),
        colleagues=colleagues(visit.engine, by=visit.who, seen_by=visit.member.unit_id),
        stop_results=tuple(StopResult),
        **_pulse(visit, pulse, own),
    )
