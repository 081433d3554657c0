"""Pages of rosters: who is on duty now in every unit, and the month of one roster, loaded from a spreadsheet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from io import BytesIO
from typing import Annotated, Any

from fastapi import File, Form, UploadFile
from starlette.responses import Response

from dialer.core.access import Permission
from dialer.core.errors import Conflict, Invalid, NotPermitted, UnusableFile
from dialer.core.rota import DutyKind, Roster, persons_in, swapped_entries
from dialer.core.second_person import RequestEvent
from dialer.core.text import gettext_noop
from dialer.duty.actions import (
    UnusableRoster,
    candidates,
    load_month,
    month_named,
    month_of,
    on_duty,
    take_shift,
    usual_in_gap,
)
from dialer.duty.model import RIGHTS, SwapOffer
from dialer.duty.rotations import TypedRotation, plan_rotation
from dialer.duty.store import RosterKey
from dialer.duty.swaps import ask_swap, decide_swap, swaps_seen_by, typed_entry
from dialer.duty.view import CalendarEvent, calendar_file, month_turns, person_turns
from dialer.language.words import sentence, word_of
from dialer.web.console import CurrentRequest, PageSection, RequestContext
from dialer.web.formats import Cell, Sheet, as_file, typed_unit, unit_names
from dialer.web.rendering import PlaceGroup

duty_pages = PageSection()
_PATH = "/duty"
_MOST_FILE = 2 * 1024 * 1024
_MOST_FORM = 4 * 1024 * 1024
_UNFIT = 422
_PRICE_SECONDS = 300.0
_MOST_PRICED = 20


@duty_pages.get(
    _PATH, act=Permission.SEE_DUTY, nav=gettext_noop("Duty"), order=84, group=PlaceGroup.ADMINISTRATION
)
def now(request: CurrentRequest) -> Response:
    """Who is on duty now in every unit that the reader sees, and where nobody will be."""
    return _show_now(request)


@duty_pages.post("/duty/load", act=Permission.MANAGE_DUTY, most_bytes=_MOST_FORM)
def load(
    request: CurrentRequest,
    file: Annotated[UploadFile | None, File()] = None,
    unit: Annotated[str, Form()] = "",
    kind: Annotated[str, Form()] = "",
    month: Annotated[str, Form()] = "",
) -> Response:
    """Loads the month of a roster. The faults of the file are shown by line and column, and nothing is loaded."""
    typed = {"unit": unit[:200], "kind": kind[:40], "month": month[:10]}
    if file is None or not file.filename:
        return _show_now(request, refused=request.say(gettext_noop("Choose a file first.")), typed=typed)
    data = file.file.read(_MOST_FILE + 1)
    if len(data) > _MOST_FILE:
        return _show_now(
            request, refused=request.say(gettext_noop("The file is larger than 2 MB.")), typed=typed
        )
    try:
        with request.services.store.begin() as tx:
            unit_id = typed_unit(request.services.units.current(tx), unit[:200])
        done = load_month(
            request.services,
            request.actor,
            BytesIO(data),
            unit_id=unit_id,
            kind=_kind(kind),
            month=month_named(month) if month else None,
        )
    except UnusableRoster as fault:
        return _show_now(request, fault=fault, name=file.filename[:100], typed=typed)
    except (Invalid, Conflict, UnusableFile) as fault:
        return _show_now(request, refused=request.refusal(fault), typed=typed)
    text = gettext_noop("Loaded: %(month)s, persons %(people)s, shifts %(entries)s.")
    if done.kept_days:
        text = gettext_noop(
            "Loaded: %(month)s, persons %(people)s, shifts %(entries)s. Days that are over stay as they were."
        )
    said = request.say(text, month=f"{done.month:%Y-%m}", people=done.people, entries=done.entries)
    return request.redirect_to(_address(unit_id, _kind(kind), done.month), notice=said)


@duty_pages.post("/duty/take", act=Permission.SEE_DUTY)
def take(
    request: CurrentRequest,
    unit: Annotated[int, Form()] = 0,
    kind: Annotated[str, Form()] = "",
    instead_of: Annotated[int, Form()] = 0,
) -> Response:
    """Puts the reader on duty from now on, until the turn of the person whose shift it is ends."""
    try:
        until = take_shift(
            request.services, request.actor, unit_id=unit, kind=_kind(kind), instead_of=instead_of or None
        )
    except (Invalid, Conflict) as fault:
        return _show_now(request, refused=request.refusal(fault))
    local = until.astimezone(request.services.centre.zone)
    notice = gettext_noop("You are on duty until %(time)s.")
    return request.redirect_to(_PATH, notice=request.say(notice, time=f"{local:%m-%d %H:%M}"))


@duty_pages.get("/duty/{unit_id}/{kind}", act=Permission.SEE_DUTY)
def month(request: CurrentRequest, unit_id: int, kind: str, month: str = "") -> Response:
    """The month of one roster: persons down, days across, with what was changed since."""
    return _show_month(request, (unit_id, _kind(kind)), month)


@duty_pages.post("/duty/{unit_id}/{kind}/swaps", act=Permission.SEE_DUTY)
def swap(
    request: CurrentRequest,
    unit_id: int,
    kind: str,
    month: Annotated[str, Form(max_length=10)] = "",
    shift: Annotated[str, Form(max_length=60)] = "",
    person: Annotated[str, Form(max_length=20)] = "",
    back: Annotated[str, Form(max_length=60)] = "",
) -> Response:
    """Asks another person to take a shift; a supervisor who gives none of their own decides it."""
    key = (unit_id, _kind(kind))
    try:
        offer = SwapOffer(
            given=typed_entry(shift, field="shift"),
            to_id=_number(person, field="person"),
            back=typed_entry(back, field="back") if back else None,
        )
        is_made = ask_swap(request.services, request.actor, key, offer)
    except (Invalid, Conflict, NotPermitted) as fault:
        return _show_month(request, key, month, refused=request.refusal(fault))
    asked = gettext_noop("The other person is asked on the page Duty.")
    notice = gettext_noop("The shifts are swapped.") if is_made else asked
    return request.redirect_to(_address(unit_id, key[1], offer.given.day), notice=request.say(notice))


@duty_pages.post("/duty/{unit_id}/{kind}/rotation", act=Permission.MANAGE_DUTY)
def rotation(
    request: CurrentRequest,
    unit_id: int,
    kind: str,
    mark: Annotated[str, Form(max_length=20)] = "",
    persons: Annotated[str, Form(max_length=8000)] = "",
    first: Annotated[str, Form(max_length=10)] = "",
    last: Annotated[str, Form(max_length=10)] = "",
    weekdays: Annotated[str, Form(max_length=20)] = "",
    each: Annotated[str, Form(max_length=10)] = "",
    weekly: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Plans a shift by a rotation; what does not fit is said on the page of the month."""
    key = (unit_id, _kind(kind))
    typed = TypedRotation(
        mark=mark,
        persons=persons,
        first=first,
        last=last,
        weekdays=weekdays,
        each=each,
        weekly=bool(weekly),
    )
    done = plan_rotation(request.services, request.actor, key, typed)
    notice = request.say(gettext_noop("Planned by the rotation: shifts %(n)s."), n=done.entries)
    return request.redirect_to(_address(unit_id, key[1], done.first), notice=notice)


_ANSWERS = {
    "agree": RequestEvent.APPROVED,
    "refuse": RequestEvent.REFUSED,
    "withdraw": RequestEvent.WITHDRAWN,
}


@duty_pages.post("/duty/swaps/{swap_id}", act=Permission.SEE_DUTY)
def answer_swap(request: CurrentRequest, swap_id: int, answer: Annotated[str, Form()] = "") -> Response:
    """The other person agrees to a swap or refuses it, or who asked withdraws it."""
    try:
        if answer not in _ANSWERS:
            raise _unknown("answer")
        decide_swap(request.services, request.actor, swap_id, _ANSWERS[answer])
    except (Invalid, Conflict, NotPermitted) as fault:
        return _show_now(request, refused=request.refusal(fault))
    said = {
        "agree": gettext_noop("The shifts are swapped."),
        "refuse": gettext_noop("The swap is refused."),
        "withdraw": gettext_noop("The swap is withdrawn."),
    }
    return request.redirect_to(_PATH, notice=request.say(said[answer]))


def _show_month(request: RequestContext, key: RosterKey, month: str, *, refused: str = "") -> Response:
    unit_id, services = key[0], request.services
    first = month_named(month) if month else _this_month(request)
    roster, people = month_of(services, key, first, visible_to=request.member.unit_id)
    days = _days(first)
    with services.store.begin() as tx:
        index = services.units.current(tx)
        unit = index.label(unit_id)
        takers = [person for person in candidates(tx, index[unit_id], key[1]) if person.able]
    cells = _cells(roster)
    before, after = first - timedelta(days=1), first + timedelta(days=32)
    to_come = _shifts_to_come(request, roster, people)
    manages = request.may(Permission.MANAGE_DUTY)
    return request.page(
        "console/duty_month.html",
        status=_UNFIT if refused else 200,
        refused=refused,
        swapped=[(one, _name(people, one.off), _name(people, one.on)) for one in roster.swaps],
        leaves=[(one, people[one.staff_id][0]) for one in roster.leaves if one.staff_id in cells],
        gives=[(key, text) for key, text, own in to_come if own or manages],
        gets=[("", request.say(gettext_noop("none")))]
        + [(key, text) for key, text, own in to_come if not own],
        takers=[(person.staff_id, person.name) for person in takers if person.staff_id != request.member.id],
        unit=unit,
        unit_id=unit_id,
        kind=key[1],
        first=first,
        days=days,
        today=request.now.astimezone(request.services.centre.zone).date(),
        people=[(people[staff_id][0], cells[staff_id]) for staff_id in cells],
        changes=[(change, _name(people, change.off), _name(people, change.on)) for change in roster.changes],
        shifts=request.services.duty.shifts,
        manages=manages,
        is_own=request.member.id in persons_in(roster),
        shift_options=[(mark, f"{mark} {hours}") for mark, hours in services.duty.shifts.items()],
        last=days[-1],
        before=_address(unit_id, key[1], before),
        after=_address(unit_id, key[1], after),
    )


@duty_pages.get("/duty/{unit_id}/{kind}/file", act=Permission.SEE_DUTY)
def export(request: CurrentRequest, unit_id: int, kind: str, month: str = "") -> Response:
    """The month as a spreadsheet that can be loaded again."""
    key, first = (unit_id, _kind(kind)), month_named(month) if month else _this_month(request)
    roster, people = month_of(request.services, key, first, visible_to=request.member.unit_id)
    _audit_export(request, key, first, lines=len(people))
    days, cells = _days(first), _cells(roster)
    title: list[Cell] = [f"{first.year}年{first.month}月"]
    head: list[Cell] = ["姓名", "账号", *(str(day.day) for day in days)]
    rows: list[list[Cell]] = [
        [people[staff_id][0], people[staff_id][1], *(own.get(day, "") for day in days)]
        for staff_id, own in cells.items()
    ]
    sheet = Sheet(title=f"{first:%Y-%m}", head=[str(cell) for cell in title], rows=[head, *rows])
    return as_file(
        [sheet, _final_sheet(roster, people, first)],
        name=f"duty-{unit_id}-{key[1].value}-{first:%Y%m}",
        kind="xlsx",
    )


def _final_sheet(roster: Roster, people: Mapping[int, tuple[str, str]], first: date) -> Sheet:
    """Who is really on duty when, with swaps, changes and leave; a row without persons is a gap."""
    rows = [
        [
            f"{turn.start.astimezone(roster.zone):%Y-%m-%d %H:%M}",
            f"{turn.end.astimezone(roster.zone):%Y-%m-%d %H:%M}",
            "、".join(people[staff_id][0] for staff_id in turn.staff_ids) or "空岗",
        ]
        for turn in month_turns(roster, first)
    ]
    return Sheet(title="实际值班", head=["起", "止", "值班人"], rows=rows)


@duty_pages.get("/duty/{unit_id}/{kind}/calendar", act=Permission.SEE_DUTY)
def calendar(request: CurrentRequest, unit_id: int, kind: str, month: str = "", own: str = "") -> Response:
    """The final schedule of the month as a calendar file; with `own` the reader's turns alone."""
    key, first = (unit_id, _kind(kind)), month_named(month) if month else _this_month(request)
    services = request.services
    roster, people = month_of(services, key, first, visible_to=request.member.unit_id)
    turns = [turn for turn in person_turns(roster, first) if not own or turn.staff_id == request.member.id]
    with services.store.begin() as tx:
        unit = services.units.current(tx).label(unit_id)
    word = word_of(key[1], request.lang)
    events = [
        CalendarEvent(
            uid=f"{unit_id}-{key[1].value}-{turn.staff_id}-{turn.start:%Y%m%dT%H%MZ}@dialer",
            start=turn.start,
            end=turn.end,
            summary=f"{unit} {word}: {people[turn.staff_id][0]}",
        )
        for turn in turns
    ]
    _audit_export(request, key, first, lines=len(events))
    name = f"duty-{unit_id}-{key[1].value}-{first:%Y%m}.ics"
    return Response(
        calendar_file(events, name=f"{unit} {word}", now=request.now),
        media_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _audit_export(request: RequestContext, key: RosterKey, first: date, *, lines: int) -> None:
    with request.services.act(request.actor, Permission.SEE_DUTY) as act:
        facts = {"kind": key[1].value, "month": f"{first:%Y-%m}", "lines": lines}
        act.audit("export", f"unit/{key[0]}", facts=facts)


def _shifts_to_come(
    request: RequestContext, roster: Roster, people: Mapping[int, tuple[str, str]]
) -> list[tuple[str, str, bool]]:
    """Value and words of each shift that has not begun, and whether it is the reader's."""
    shifts = {shift.mark: shift for shift in roster.shifts}
    entries = [entry for entry in swapped_entries(roster) if entry.mark in shifts]
    return [
        (
            f"{entry.day}/{entry.staff_id}/{entry.mark}",
            f"{entry.day:%m-%d} {entry.mark} {people[entry.staff_id][0]}",
            entry.staff_id == request.member.id,
        )
        for entry in sorted(entries, key=lambda entry: entry.day)
        if shifts[entry.mark].span(entry.day, roster.zone)[0] > request.now
    ]


def _show_now(
    request: RequestContext,
    *,
    refused: str = "",
    fault: UnusableRoster | None = None,
    name: str = "",
    typed: Mapping[str, str] | None = None,
) -> Response:
    services, member = request.services, request.member
    found = on_duty(services, visible_to=member.unit_id)
    with services.store.begin() as tx:
        index = services.units.current(tx)
    prices = request.cache("gap_prices", partial(usual_in_gap, services), seconds=_PRICE_SECONDS)
    gaps = [(one.unit_id, one.gap) for one in found if one.gap is not None][:_MOST_PRICED]
    facts: dict[str, Any] = {
        "found": found,
        # A gap that has begun begins now: it is counted anew every five minutes.
        "usual": {
            (unit_id, gap.start): prices.get(
                (
                    unit_id,
                    gap.start.replace(minute=gap.start.minute // 5 * 5, second=0, microsecond=0),
                    gap.end,
                )
            ).value
            for unit_id, gap in gaps
        },
        "may_take": {
            (one.unit_id, one.kind): request.may(RIGHTS[one.kind])
            and member.id not in {person.staff_id for person in one.people}
            for one in found
        },
        "swaps": swaps_seen_by(services, request.actor, member.id),
        "may_load": request.may(Permission.MANAGE_DUTY),
        "refused": refused,
        "faults": fault.faults if fault is not None else (),
        "in_words": lambda text: sentence(text, request.lang),
        "name": name,
        "typed": dict(typed or {}),
        "options": sorted(unit_names(index).values()),
        "kinds": [(kind.value, word_of(kind, request.lang)) for kind in DutyKind],
        "shifts": services.duty.shifts,
        "off_marks": services.duty.off_marks,
        "gap_hours": services.duty.gap_hours,
    }
    return request.page("console/duty.html", status=_UNFIT if refused or fault else 200, **facts)


def _kind(text: str) -> DutyKind:
    try:
        return DutyKind(text)
    except ValueError:
        raise _unknown("kind") from None


def _number(text: str, *, field: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise _unknown(field) from None


def _unknown(field: str) -> Invalid:
    problem, fix = gettext_noop("is not known"), gettext_noop("choose one of the list")
    return Invalid(field=field, problem=problem, fix=fix)


def _this_month(request: RequestContext) -> date:
    return request.now.astimezone(request.services.centre.zone).date().replace(day=1)


def _days(first: date) -> list[date]:
    days = [first + timedelta(days=number) for number in range(31)]
    return [day for day in days if day.month == first.month]


def _cells(roster: Roster) -> dict[int, dict[date, str]]:
    """The marks of each person by day."""
    cells: dict[int, dict[date, str]] = {}
    for entry in swapped_entries(roster):
        own = cells.setdefault(entry.staff_id, {})
        own[entry.day] = own.get(entry.day, "") + entry.mark
    return cells


def _name(people: Mapping[int, tuple[str, str]], staff_id: int | None) -> str:
    return "" if staff_id is None or staff_id not in people else people[staff_id][0]


def _address(unit_id: int, kind: DutyKind, month: date) -> str:
    return f"{_PATH}/{unit_id}/{kind.value}?month={month:%Y-%m}"
