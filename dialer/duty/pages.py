"""Pages of rosters: who is on duty now in every unit, and the month of one roster, loaded from a spreadsheet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from io import BytesIO
from typing import Annotated, Any

from fastapi import File, Form, UploadFile
from starlette.responses import Response

from dialer.core.access import Permission
from dialer.core.errors import Conflict, Invalid, UnusableFile
from dialer.core.rota import DutyKind, Roster
from dialer.core.text import gettext_noop
from dialer.duty.actions import (
    UnusableRoster,
    load_month,
    month_named,
    month_of,
    on_duty,
    take_shift,
)
from dialer.duty.model import RIGHTS
from dialer.language.words import sentence, word_of
from dialer.web.console import CurrentRequest, PageSection, RequestContext
from dialer.web.formats import Cell, Sheet, as_file, typed_unit, unit_names
from dialer.web.rendering import PlaceGroup

duty_pages = PageSection()
_PATH = "/duty"
_MOST_FILE = 2 * 1024 * 1024
_MOST_FORM = 4 * 1024 * 1024
_UNFIT = 422


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
    key, first = (unit_id, _kind(kind)), month_named(month) if month else _this_month(request)
    roster, people = month_of(request.services, key, first, visible_to=request.member.unit_id)
    days = _days(first)
    with request.services.store.begin() as tx:
        unit = request.services.units.current(tx).label(unit_id)
    cells = _cells(roster)
    before, after = first - timedelta(days=1), first + timedelta(days=32)
    return request.page(
        "console/duty_month.html",
        unit=unit,
        unit_id=unit_id,
        kind=key[1],
        first=first,
        days=days,
        today=request.now.astimezone(request.services.centre.zone).date(),
        people=[(people[staff_id][0], cells[staff_id]) for staff_id in cells],
        changes=[(change, _name(people, change.off), _name(people, change.on)) for change in roster.changes],
        shifts=request.services.duty.shifts,
        before=_address(unit_id, key[1], before),
        after=_address(unit_id, key[1], after),
    )


@duty_pages.get("/duty/{unit_id}/{kind}/file", act=Permission.SEE_DUTY)
def export(request: CurrentRequest, unit_id: int, kind: str, month: str = "") -> Response:
    """The month as a spreadsheet that can be loaded again."""
    key, first = (unit_id, _kind(kind)), month_named(month) if month else _this_month(request)
    roster, people = month_of(request.services, key, first, visible_to=request.member.unit_id)
    with request.services.act(request.actor, Permission.SEE_DUTY) as act:
        facts = {"kind": key[1].value, "month": f"{first:%Y-%m}", "lines": len(people)}
        act.audit("export", f"unit/{unit_id}", facts=facts)
    days, cells = _days(first), _cells(roster)
    title: list[Cell] = [f"{first.year}年{first.month}月"]
    head: list[Cell] = ["姓名", "账号", *(str(day.day) for day in days)]
    rows: list[list[Cell]] = [
        [people[staff_id][0], people[staff_id][1], *(own.get(day, "") for day in days)]
        for staff_id, own in cells.items()
    ]
    sheet = Sheet(title=f"{first:%Y-%m}", head=[str(cell) for cell in title], rows=[head, *rows])
    return as_file([sheet], name=f"duty-{unit_id}-{key[1].value}-{first:%Y%m}", kind="xlsx")


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
    facts: dict[str, Any] = {
        "found": found,
        "may_take": {
            (one.unit_id, one.kind): request.may(RIGHTS[one.kind])
            and member.id not in {person.staff_id for person in one.people}
            for one in found
        },
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
        problem, fix = gettext_noop("is not known"), gettext_noop("choose one of the list")
        raise Invalid(field="kind", problem=problem, fix=fix) from None


def _this_month(request: RequestContext) -> date:
    return request.now.astimezone(request.services.centre.zone).date().replace(day=1)


def _days(first: date) -> list[date]:
    days = [first + timedelta(days=number) for number in range(31)]
    return [day for day in days if day.month == first.month]


def _cells(roster: Roster) -> dict[int, dict[date, str]]:
    """The marks of each person by day."""
    cells: dict[int, dict[date, str]] = {}
    for entry in roster.entries:
        own = cells.setdefault(entry.staff_id, {})
        own[entry.day] = own.get(entry.day, "") + entry.mark
    return cells


def _name(people: Mapping[int, tuple[str, str]], staff_id: int | None) -> str:
    return "" if staff_id is None or staff_id not in people else people[staff_id][0]


def _address(unit_id: int, kind: DutyKind, month: date) -> str:
    return f"{_PATH}/{unit_id}/{kind.value}?month={month:%Y-%m}"
