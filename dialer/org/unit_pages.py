"""Pages of the organisation: the tree, one unit, transfers, unassigned cases, and the import of a spreadsheet."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from io import BytesIO
from itertools import groupby
from typing import Annotated, Any

from fastapi import File, Form, UploadFile
from starlette.responses import Response

from dialer.core.access import Permission
from dialer.core.errors import Conflict, Invalid, NotFound, UnusableFile
from dialer.core.text import Lang, gettext_noop
from dialer.core.units import SEPARATOR, UnitField, UnitIndex
from dialer.core.values import Grade
from dialer.db.units import AliasTaken, list_unit_aliases, subtree_ids
from dialer.language.words import sentence, word_of
from dialer.org.queries import Waiting, escalated_work, work_of_unit
from dialer.org.tree import (
    UnusableUnits,
    count_queues,
    import_units,
    preview_units,
    read_units_and_aliases,
    show_tree,
    show_work,
    unit_nodes,
    visible_unit,
)
from dialer.org.unassigned import (
    AssignedCases,
    assign_cases,
    assign_unit,
    forget_alias,
    show_group,
    show_unassigned,
    teach_alias,
)
from dialer.staff.store import all_members
from dialer.web.console import CurrentRequest, PageSection, RequestContext
from dialer.web.formats import Cell, Sheet, as_file, typed_unit, unit_names
from dialer.web.rendering import PlaceGroup
from dialer.work.assignments import overdue_among
from dialer.work.transfer_store import waiting_transfers
from dialer.work.transfers import accept_transfer, refuse_transfer, transfer_assignment

unit_pages = PageSection()
_UNFIT = 422
_UNASSIGNED, _TRANSFERS, _IMPORT = "/units/unassigned", "/units/transfers", "/units/import"
_MOST_CASES, _MOST_TRANSFERS = 50, 50
_ESCALATED_DAYS = 7
_MOST_FILE = 2 * 1024 * 1024
_MOST_FORM = 4 * 1024 * 1024


def unit_tabs(request: RequestContext) -> list[tuple[str, str]]:
    """The pages about units that the reader may open, with the number that waits on each."""
    visible_to = request.member.unit_id
    tabs = [("/units", request.say(gettext_noop("Organisation")))]
    if request.may(Permission.SORT_UNITS):
        cases, transfers = count_queues(request.services, visible_to=visible_to)
        if visible_to is None:
            tabs.append((_UNASSIGNED, _counted(request.say(gettext_noop("Unassigned cases")), cases)))
        tabs.append((_TRANSFERS, _counted(request.say(gettext_noop("Transfers")), transfers)))
    if request.may(Permission.MANAGE_UNITS) and visible_to is None:
        tabs.append((_IMPORT, request.say(gettext_noop("Import"))))
    return tabs


def _counted(text: str, n: int) -> str:
    return f"{text} {n:,}" if n else text


def _paths(index: UnitIndex) -> Mapping[int, str]:
    """The full path of each unit."""
    return {unit.id: SEPARATOR.join(index.names(unit.id)) for unit in index}


def _names(index: UnitIndex) -> Mapping[int, str]:
    return {unit.id: index.label(unit.id) for unit in index}


_COLUMNS = (UnitField.NAME, UnitField.PARENT, UnitField.LEVEL, UnitField.ALIASES, UnitField.STATE)
_NUMBER = {Lang.ZH: "系统编号", Lang.EN: "system_no"}
_STATES = {Lang.ZH: ("启用", "停用"), Lang.EN: ("open", "closed")}
"""As the import reads them."""
_FEW = 40
"""A tree of at most this many units is shown unfolded."""


@unit_pages.get(
    "/units", act=Permission.SEE_UNITS, nav=gettext_noop("Units"), order=85, group=PlaceGroup.ADMINISTRATION
)
def units(request: CurrentRequest, text: str = "") -> Response:
    """The tree as the reader sees it; `text` keeps the units that match and those above them."""
    tree = show_tree(request.services, visible_to=request.member.unit_id, text=text[:100])
    facts: dict[str, Any] = {
        "tree": tree,
        "text": text[:100],
        "unfold": bool(text.strip()) or tree.units <= _FEW,
        "tabs": unit_tabs(request),
        "may_manage": request.may(Permission.MANAGE_UNITS),
        "may_import": request.may(Permission.MANAGE_UNITS) and request.member.unit_id is None,
    }
    return request.page("console/units.html", **facts)


@unit_pages.get("/units/file", act=Permission.MANAGE_UNITS)
def export(request: CurrentRequest) -> Response:
    """The tree as the import takes it back, each unit after its parent."""
    visible_to = request.member.unit_id
    index, aliases = read_units_and_aliases(request.services)
    seen = [unit for unit in index if visible_to is None or visible_to in unit.path]
    with request.services.act(request.actor, Permission.MANAGE_UNITS) as act:
        act.audit("export", "units", facts={"lines": len(seen), "kind": "xlsx"})
    opened, closed = _STATES[request.lang]
    head = [word_of(field, request.lang) for field in _COLUMNS] + [_NUMBER[request.lang]]
    body: list[list[Cell]] = [
        [
            unit.name,
            SEPARATOR.join(index.names(unit.id)[:-1]),
            unit.level,
            ";".join(aliases.get(unit.id, ())),
            opened if unit.active else closed,
            unit.id,
        ]
        for unit in sorted(seen, key=lambda unit: unit.path)
    ]
    sheet = Sheet(title=request.say(gettext_noop("Units")), head=head, rows=body)
    local = request.now.astimezone(request.services.centre.zone)
    return as_file([sheet], name=f"units-{local:%Y%m%d-%H%M}", kind="xlsx")


@unit_pages.get("/units/transfers", act=Permission.SORT_UNITS, shows_people=True)
def transfers(request: CurrentRequest) -> Response:
    """Transfers into and out of the reader's units."""
    return _show_transfers(request)


@unit_pages.post("/units/transfers/{transfer_id}/accept", act=Permission.SORT_UNITS)
def accept(request: CurrentRequest, transfer_id: int) -> Response:
    """Takes over transferred work: the reader signs for it or, if they do no such work, leaves it to the unit."""
    is_signed = accept_transfer(request.services, request.actor, transfer_id)
    notice = gettext_noop("Accepted: the work is signed for by you, and its clocks go on.")
    if not is_signed:
        notice = gettext_noop("Accepted: the work waits in your unit for a signature, and its clocks go on.")
    return request.redirect_to(_TRANSFERS, notice=notice)


@unit_pages.post("/units/transfers/{transfer_id}/refuse", act=Permission.SORT_UNITS)
def refuse(request: CurrentRequest, transfer_id: int, why: Annotated[str, Form()] = "") -> Response:
    """Refuses transferred work, with a reason that the other unit sees."""
    try:
        refuse_transfer(request.services, request.actor, transfer_id, why=why[:500])
    except Invalid as fault:
        return _show_transfers(request, wrong={transfer_id: request.refusal(fault)})
    return request.redirect_to(
        _TRANSFERS, notice=gettext_noop("Refused: the work stays where it is, and both see why.")
    )


@unit_pages.get("/units/work/{assignment_id}/transfer", act=Permission.WORK_CASES)
def ask_form(request: CurrentRequest, assignment_id: int) -> Response:
    """The form that asks another unit to take over work."""
    return _show_form(request, assignment_id)


@unit_pages.post("/units/work/{assignment_id}/transfer", act=Permission.WORK_CASES)
def ask(
    request: CurrentRequest,
    assignment_id: int,
    unit: Annotated[str, Form()] = "",
    why: Annotated[str, Form()] = "",
) -> Response:
    """Asks another unit to take over work. What is wrong is shown beside its field."""
    typed = {"unit": unit[:200], "why": why[:500]}
    work, index = show_work(request.services, assignment_id, visible_to=request.member.unit_id)
    try:
        to_unit_id = typed_unit(index, unit[:200])
        transfer_assignment(
            request.services,
            request.actor,
            assignment_id,
            to_unit_id=to_unit_id,
            why=why[:500],
        )
    except (Invalid, Conflict) as fault:
        field = fault.field if isinstance(fault, Invalid) else "unit"
        problems = {field: request.refusal(fault)}
        return _show_form(request, assignment_id, problems=problems, typed=typed)
    notice = gettext_noop("Asked: it stays here, and its clocks go on, until the other unit accepts.")
    return request.redirect_to(f"/units/{work.unit_id}", notice=notice)


def _show_transfers(request: RequestContext, *, wrong: dict[int, str] | None = None) -> Response:
    visible_to = request.member.unit_id
    with request.services.store.begin() as tx:
        coming = waiting_transfers(tx, into=visible_to, limit=_MOST_TRANSFERS)
        leaving = (
            waiting_transfers(tx, out_of=visible_to, limit=_MOST_TRANSFERS) if visible_to is not None else []
        )
        moving = {transfer.assignment_id for transfer in (*coming, *leaving)}
        overdue = overdue_among(tx, moving, now=request.now)
        index = request.services.units.current(tx)
    return request.page(
        "console/transfers.html",
        overdue=overdue,
        status=_UNFIT if wrong else 200,
        coming=coming,
        leaving=leaving,
        names=_names(index),
        wrong=wrong or {},
        tabs=unit_tabs(request),
        visible=_visible(index, visible_to),
    )


def _visible(index: UnitIndex, unit_id: int | None) -> frozenset[int] | None:
    """The units whose cases the reader may open; None: all."""
    if unit_id is None:
        return None
    return frozenset(unit.id for unit in index if unit_id in unit.path)


def _show_form(
    request: RequestContext,
    assignment_id: int,
    *,
    problems: dict[str, str] | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    work, index = show_work(request.services, assignment_id, visible_to=request.member.unit_id)
    if work.unit_id is None and request.member.unit_id is not None:
        raise NotFound(kind="assignment", key=assignment_id)
    return request.page(
        "console/transfer.html",
        status=_UNFIT if problems else 200,
        work=work,
        names=_names(index),
        options=sorted(unit_names(index).values()),
        problems=problems or {},
        typed=typed or {},
    )


@unit_pages.get("/units/import", act=Permission.MANAGE_UNITS)
def choose(request: CurrentRequest) -> Response:
    """The form for a file of units."""
    return _show_import(request)


@unit_pages.post("/units/import", act=Permission.MANAGE_UNITS, most_bytes=_MOST_FORM)
def preview(
    request: CurrentRequest,
    file: Annotated[UploadFile | None, File()] = None,
    content: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    close: Annotated[bool, Form()] = False,
) -> Response:
    """The changes that the list would make. The list travels with the page, so that nothing of it is stored."""
    request.check_sees_whole_centre()
    if content:
        data, name = _unpacked(content), name[:100]
    elif file is not None and file.filename:
        data, name = file.file.read(_MOST_FILE + 1), file.filename[:100]
    else:
        return _show_import(request, refused=request.say(gettext_noop("Choose a file first.")))
    if len(data) > _MOST_FILE:
        return _show_import(
            request, refused=request.say(gettext_noop("The file is larger than 2 MB.")), name=name
        )
    try:
        seen = preview_units(request.services, BytesIO(data), close_missing=close)
    except UnusableUnits as fault:
        return _show_import(request, fault=fault, name=name)
    except UnusableFile as fault:
        return _show_import(request, refused=f"{name}: {request.refusal(fault)}", name=name)
    return request.page(
        "console/unit_preview.html",
        tabs=unit_tabs(request),
        seen=seen,
        kinds=[
            (kind, list(changes)) for kind, changes in groupby(seen.changes, key=lambda change: change.kind)
        ],
        content=base64.b64encode(data).decode(),
        name=name,
        close=close,
    )


@unit_pages.post("/units/import/take", act=Permission.MANAGE_UNITS, most_bytes=_MOST_FORM)
def take(
    request: CurrentRequest,
    content: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    close: Annotated[bool, Form()] = False,
    revision: Annotated[str, Form()] = "",
) -> Response:
    """Loads the units of the file that was previewed. Refused if the tree has changed since the preview."""
    request.check_sees_whole_centre()
    data = BytesIO(_unpacked(content))
    try:
        done = import_units(request.services, request.actor, data, close_missing=close, revision=revision)
    except (Conflict, UnusableFile) as fault:
        return _show_import(request, refused=request.refusal(fault), name=name[:100])
    text = gettext_noop(
        "Taken in: added %(new)s, moved %(moved)s, renamed %(renamed)s, closed %(closed)s; aliases learned:"
        " %(aliases)s; cases sorted: %(placed)s."
    )
    return request.redirect_to("/units", notice=request.say(text, **asdict(done)))


def _unpacked(content: str) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except (ValueError, binascii.Error):
        return b""


def _show_import(
    request: RequestContext, *, refused: str = "", fault: UnusableUnits | None = None, name: str = ""
) -> Response:
    """The form, with the reason of a refusal, or the faults of the list by line and column."""
    faults = zip(fault.faults, fault.columns, strict=True) if fault is not None else ()
    return request.page(
        "console/unit_import.html",
        status=_UNFIT if refused or fault is not None else 200,
        tabs=unit_tabs(request),
        refused=refused,
        faults=[
            (fault.line, column, sentence(fault.problem, request.lang), sentence(fault.fix, request.lang))
            for fault, column in faults
        ],
        name=name,
    )


@unit_pages.get("/units/unassigned", act=Permission.SORT_UNITS, shows_people=True)
def unassigned(request: CurrentRequest) -> Response:
    """Unassigned cases, grouped by what their lists wrote."""
    return _show_unassigned(request)


@unit_pages.post("/units/unassigned/{case_id}/sort", act=Permission.SORT_UNITS)
def sort(
    request: CurrentRequest,
    case_id: int,
    unit: Annotated[str, Form()] = "",
    like: Annotated[str, Form()] = "",
    teach: Annotated[bool, Form()] = False,
) -> Response:
    """Assigns every waiting case with the same text to the unit; with `teach` later ones too."""
    visible_to, typed = request.member.unit_id, (like or unit)[:200]
    group = show_group(request.services, case_id, visible_to=visible_to, limit=1)
    try:
        unit_id = typed_unit(group.index, typed)
        done = assign_unit(
            request.services,
            request.actor,
            case_id,
            unit_id=unit_id,
            alike=True,
            teach=teach,
        )
    except (Invalid, AliasTaken) as fault:
        return _show_unassigned(request, case_id=case_id, wrong=request.refusal(fault), typed=typed)
    return request.redirect_to(
        _UNASSIGNED, notice=_assigned_notice(request, done, group.index.label(unit_id))
    )


@unit_pages.get("/units/unassigned/{case_id}", act=Permission.SORT_UNITS, shows_people=True)
def group(request: CurrentRequest, case_id: int, before: int | None = None) -> Response:
    """The cases of one group; the address names one of them."""
    return _show_group(request, case_id, before=before)


@unit_pages.post("/units/unassigned/{case_id}/some", act=Permission.SORT_UNITS)
def some(
    request: CurrentRequest,
    case_id: int,
    unit: Annotated[str, Form()] = "",
    like: Annotated[str, Form()] = "",
    case: Annotated[list[int] | None, Form()] = None,
) -> Response:
    """Assigns only the chosen cases to the unit; no alias is taught."""
    visible_to, typed = request.member.unit_id, (like or unit)[:200]
    page = show_group(request.services, case_id, visible_to=visible_to, limit=1)
    chosen = (case or [])[:_MOST_CASES]
    try:
        unit_id = typed_unit(page.index, typed)
        done = assign_cases(request.services, request.actor, chosen, unit_id=unit_id)
    except Invalid as fault:
        wrong = request.wrong(fault)
        return _show_group(request, case_id, wrong=wrong, typed=typed, chosen=frozenset(chosen))
    return request.redirect_to(_UNASSIGNED, notice=_assigned_notice(request, done, page.index.label(unit_id)))


def _assigned_notice(request: RequestContext, done: AssignedCases, name: str) -> str:
    if done.alias:
        text = gettext_noop(
            "%(unit)s: cases sorted: %(n)s. Lists that write “%(words)s” mean it from now on."
        )
        return request.say(text, unit=name, n=f"{done.placed:,}", words=done.alias)
    return request.say(gettext_noop("%(unit)s: cases sorted: %(n)s."), unit=name, n=f"{done.placed:,}")


def _show_unassigned(
    request: RequestContext, *, case_id: int | None = None, wrong: str = "", typed: str = ""
) -> Response:
    found = show_unassigned(request.services, visible_to=request.member.unit_id)
    offered = unit_names(found.index)
    return request.page(
        "console/unassigned.html",
        status=_UNFIT if wrong else 200,
        unassigned=found,
        tabs=unit_tabs(request),
        offered=offered,
        offered_of=lambda units: [offered[unit.id] for unit in units],
        options=sorted(offered.values()),
        paths=_paths(found.index),
        wrong_at=case_id,
        wrong=wrong,
        typed=typed,
        whole=request.member.unit_id is None,
        liked=[offered[unit.id] for unit in found.index.similar_units(typed)] if typed else [],
    )


def _show_group(
    request: RequestContext,
    case_id: int,
    *,
    before: int | None = None,
    wrong: dict[str, str] | None = None,
    typed: str = "",
    chosen: frozenset[int] = frozenset(),
) -> Response:
    page = show_group(
        request.services, case_id, visible_to=request.member.unit_id, before_id=before, limit=_MOST_CASES
    )
    offered = unit_names(page.index)
    here = f"{_UNASSIGNED}/{case_id}"
    return request.page(
        "console/unassigned_group.html",
        status=_UNFIT if wrong else 200,
        page=page,
        case_id=case_id,
        offered=offered,
        offered_of=lambda units: [offered[unit.id] for unit in units],
        options=sorted(offered.values()),
        wrong=wrong or {},
        typed=typed,
        chosen=chosen,
        older=f"{here}?before={page.next_before_id}" if page.next_before_id else "",
        newest=here if before else "",
        may_open=request.may(Permission.SEE_CASES),
    )


# Routes are matched in order: this one follows those whose last part is a word.
@unit_pages.get("/units/{unit_id}", act=Permission.SEE_UNITS)
def unit(request: CurrentRequest, unit_id: int, waiting: str = "") -> Response:
    """A unit with its work and aliases; `waiting` chooses which of its work."""
    which = next((which for which in Waiting if which.value == waiting), Waiting.ALL)
    return _show(request, unit_id, which)


@unit_pages.post("/units/{unit_id}/aliases", act=Permission.SORT_UNITS)
def add_alias(request: CurrentRequest, unit_id: int, text: Annotated[str, Form()] = "") -> Response:
    """Teaches the unit an alias, and gives it the unassigned cases of that text."""
    try:
        done = teach_alias(request.services, request.actor, text[:100], unit_id=unit_id)
    except Invalid as fault:
        return _show(request, unit_id, Waiting.ALL, wrong=request.refusal(fault), typed=text[:100])
    except Conflict:
        taken = request.say(gettext_noop("means another unit already, or this one is closed"))
        return _show(request, unit_id, Waiting.ALL, wrong=taken, typed=text[:100])
    notice = request.say(
        gettext_noop("Lists that write “%(words)s” mean this unit now; cases sorted: %(n)s."),
        words=done.alias,
        n=f"{done.placed:,}",
    )
    return request.redirect_to(f"/units/{unit_id}#aliases", notice=notice)


@unit_pages.post("/units/{unit_id}/aliases/forget", act=Permission.SORT_UNITS)
def drop_alias(request: CurrentRequest, unit_id: int, text: Annotated[str, Form()] = "") -> Response:
    """Deletes an alias of this unit."""
    forget_alias(request.services, request.actor, text)
    notice = gettext_noop("The alias is forgotten; cases keep their units.")
    return request.redirect_to(f"/units/{unit_id}#aliases", notice=notice)


def _show(
    request: RequestContext, unit_id: int, which: Waiting, *, wrong: str = "", typed: str = ""
) -> Response:
    services, visible_to = request.services, request.member.unit_id
    with services.store.begin() as tx:
        index = services.units.current(tx)
        unit = visible_unit(index, unit_id, visible_to)
        (node,) = unit_nodes(tx, services, index, unit_id)
        since = request.now - timedelta(days=_ESCALATED_DAYS)
        facts: dict[str, Any] = {
            "node": node,
            "aliases": list_unit_aliases(tx, unit_id),
            # Those of the units below are in its counts.
            "staff": [
                member
                for member in all_members(tx, visible_to=unit_id)
                if member.unit_id == unit_id and member.disabled_at is None
            ],
            "work": work_of_unit(tx, unit_id, which=which, now=request.now),
            "coming": waiting_transfers(tx, into=unit_id, limit=_MOST_TRANSFERS),
            "leaving": waiting_transfers(tx, out_of=unit_id, limit=_MOST_TRANSFERS),
            "escalated": escalated_work(tx, subtree_ids(tx, unit_id), since=since),
        }
        moving = {transfer.assignment_id for transfer in (*facts["coming"], *facts["leaving"])}
        facts["overdue"] = overdue_among(tx, moving, now=request.now)
    top = unit.path.index(visible_to) if visible_to is not None else 0
    return request.page(
        "console/unit.html",
        status=_UNFIT if wrong else 200,
        **facts,
        above=[index[step] for step in unit.path[top:-1]],
        clocks=services.policies.newest.grades,
        escalated_days=_ESCALATED_DAYS,
        names=_names(index),
        paths=_paths(index),
        grades=list(Grade),
        wrong=wrong,
        typed=typed,
        kinds=_kinds(request, unit_id),
        current=f"/units/{unit_id}" + (f"?waiting={which.value}" if which is not Waiting.ALL else ""),
        may_sort=request.may(Permission.SORT_UNITS),
        may_name=request.may(Permission.SORT_UNITS) and visible_to is None,
        may_work=request.may(Permission.WORK_CASES),
    )


def _kinds(request: RequestContext, unit_id: int) -> list[tuple[str, str]]:
    here = f"/units/{unit_id}"
    return [
        (here, request.say(gettext_noop("All that waits"))),
        (f"{here}?waiting=unsigned", request.say(gettext_noop("Unsigned"))),
        (f"{here}?waiting=overdue", request.say(gettext_noop("Overdue"))),
        (f"{here}?waiting=feedback", request.say(gettext_noop("Waiting for feedback"))),
    ]
