"""Pages of the organisation: the tree, one unit, transfers, unassigned cases, and the import of a spreadsheet."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import asdict
from io import BytesIO
from itertools import groupby
from typing import Annotated, Any

from fastapi import File, Form, UploadFile
from starlette.responses import Response

from dialer.core.access import Permission
from dialer.core.errors import Conflict, Invalid, NotFound, UnusableFile
from dialer.core.units import SEPARATOR, UnitField, UnitIndex
from dialer.core.values import Grade
from dialer.language import Lang, gettext_noop, say
from dialer.outcomes.report import note_export
from dialer.sentences import refusal_sentence
from dialer.units.queries import Waiting
from dialer.units.tree import (
    UnusableUnits,
    count_queues,
    import_units,
    preview_units,
    show_transfers,
    show_tree,
    show_unit,
    show_work,
    unit_rows,
)
from dialer.units.unassigned import (
    Sorted,
    assign_cases,
    assign_unit,
    forget_alias,
    show_group,
    show_unassigned,
    teach_alias,
)
from dialer.web.console import CurrentRequest, RequestContext, Section
from dialer.web.formats import Cell, Sheet, as_file, typed_unit, unit_names
from dialer.words import word_of
from dialer.work.transfers import accept_transfer, refuse_transfer, transfer_assignment

unit_pages = Section()
_UNFIT = 422
_UNASSIGNED, _TRANSFERS, _IMPORT = "/units/unassigned", "/units/transfers", "/units/import"
_MOST_CASES = 50
_MOST_FILE = 2 * 1024 * 1024
_MOST_FORM = 4 * 1024 * 1024


def unit_tabs(visit: RequestContext) -> list[tuple[str, str]]:
    """The pages about units that the reader may open, with the number that waits on each."""
    visible_to = visit.member.unit_id
    tabs = [("/units", visit.say(gettext_noop("Organisation")))]
    if visit.may(Permission.SORT_UNITS):
        cases, transfers = count_queues(visit.services, visible_to=visible_to)
        if visible_to is None:
            tabs.append((_UNASSIGNED, _counted(visit.say(gettext_noop("Unassigned cases")), cases)))
        tabs.append((_TRANSFERS, _counted(visit.say(gettext_noop("Transfers")), transfers)))
    if visit.may(Permission.MANAGE_UNITS) and visible_to is None:
        tabs.append((_IMPORT, visit.say(gettext_noop("Import"))))
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
"""A tree of so many units is shown unfolded."""


@unit_pages.get("/units", act=Permission.SEE_UNITS, nav=gettext_noop("Units"), order=85)
def units(visit: CurrentRequest, text: str = "") -> Response:
    tree = show_tree(visit.services, visible_to=visit.member.unit_id, text=text[:100])
    facts: dict[str, Any] = {
        "tree": tree,
        "text": text[:100],
        "unfold": bool(text.strip()) or tree.units <= _FEW,
        "tabs": unit_tabs(visit),
        "may_manage": visit.may(Permission.MANAGE_UNITS),
        "may_import": visit.may(Permission.MANAGE_UNITS) and visit.member.unit_id is None,
    }
    return visit.page("console/units.html", **facts)


@unit_pages.get("/units/file", act=Permission.MANAGE_UNITS)
def export(visit: CurrentRequest) -> Response:
    """The tree as the import takes it back."""
    rows = unit_rows(visit.services, visible_to=visit.member.unit_id)
    note_export(visit.services, who=visit.who, subject="units", facts={"lines": len(rows), "kind": "xlsx"})
    opened, closed = _STATES[visit.lang]
    head = [word_of(field, visit.lang) for field in _COLUMNS] + [_NUMBER[visit.lang]]
    body: list[list[Cell]] = [
        [row.name, row.parent, row.level, ";".join(row.aliases), opened if row.active else closed, row.id]
        for row in rows
    ]
    sheet = Sheet(title=visit.say(gettext_noop("Units")), head=head, rows=body)
    return as_file([sheet], name=f"units-{visit.now:%Y%m%d-%H%M}", kind="xlsx")


@unit_pages.get("/units/transfers", act=Permission.SORT_UNITS)
def transfers(visit: CurrentRequest) -> Response:
    return _show_transfers(visit)


@unit_pages.post("/units/transfers/{transfer_id}/accept", act=Permission.SORT_UNITS)
def accept(visit: CurrentRequest, transfer_id: int) -> Response:
    accept_transfer(visit.services, transfer_id, by=visit.who, visible_to=visit.member.unit_id)
    return visit.go(
        _TRANSFERS, notice=gettext_noop("Accepted: the work is signed for by you, and its clocks go on.")
    )


@unit_pages.post("/units/transfers/{transfer_id}/refuse", act=Permission.SORT_UNITS)
def refuse(visit: CurrentRequest, transfer_id: int, why: Annotated[str, Form()] = "") -> Response:
    try:
        refuse_transfer(
            visit.services, transfer_id, by=visit.who, why=why[:500], visible_to=visit.member.unit_id
        )
    except Invalid as fault:
        return _show_transfers(visit, wrong={transfer_id: refusal_sentence(fault, visit.lang)})
    return visit.go(_TRANSFERS, notice=gettext_noop("Refused: the work stays where it is, and both see why."))


@unit_pages.get("/units/work/{assignment_id}/transfer", act=Permission.WORK_CASES)
def ask_form(visit: CurrentRequest, assignment_id: int) -> Response:
    return _show_form(visit, assignment_id)


@unit_pages.post("/units/work/{assignment_id}/transfer", act=Permission.WORK_CASES)
def ask(
    visit: CurrentRequest,
    assignment_id: int,
    unit: Annotated[str, Form()] = "",
    why: Annotated[str, Form()] = "",
) -> Response:
    typed = {"unit": unit[:200], "why": why[:500]}
    work, index = show_work(visit.services, assignment_id, visible_to=visit.member.unit_id)
    try:
        to_unit_id = typed_unit(index, unit[:200])
        transfer_assignment(
            visit.services,
            assignment_id,
            to_unit_id=to_unit_id,
            by=visit.who,
            why=why[:500],
            visible_to=visit.member.unit_id,
        )
    except (Invalid, Conflict) as fault:
        field = fault.field if isinstance(fault, Invalid) else "unit"
        problems = {field: refusal_sentence(fault, visit.lang)}
        return _show_form(visit, assignment_id, problems=problems, typed=typed)
    notice = gettext_noop("Asked: it stays here, and its clocks go on, until the other unit accepts.")
    return visit.go(f"/units/{work.unit_id}", notice=notice)


def _show_transfers(visit: RequestContext, *, wrong: dict[int, str] | None = None) -> Response:
    coming, leaving, index = show_transfers(visit.services, visible_to=visit.member.unit_id)
    return visit.page(
        "console/transfers.html",
        status=_UNFIT if wrong else 200,
        coming=coming,
        leaving=leaving,
        names=_names(index),
        wrong=wrong or {},
        tabs=unit_tabs(visit),
        visible=_visible(index, visit.member.unit_id),
    )


def _visible(index: UnitIndex, unit_id: int | None) -> frozenset[int] | None:
    """The units whose cases the reader may open; None: all."""
    if unit_id is None:
        return None
    return frozenset(unit.id for unit in index if unit_id in unit.path)


def _show_form(
    visit: RequestContext,
    assignment_id: int,
    *,
    problems: dict[str, str] | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    work, index = show_work(visit.services, assignment_id, visible_to=visit.member.unit_id)
    if work.unit_id is None and visit.member.unit_id is not None:
        raise NotFound(kind="assignment", key=assignment_id)
    return visit.page(
        "console/transfer.html",
        status=_UNFIT if problems else 200,
        work=work,
        names=_names(index),
        options=sorted(unit_names(index).values()),
        problems=problems or {},
        typed=typed or {},
    )


@unit_pages.get("/units/import", act=Permission.MANAGE_UNITS)
def choose(visit: CurrentRequest) -> Response:
    return _show_import(visit)


@unit_pages.post("/units/import", act=Permission.MANAGE_UNITS, most_bytes=_MOST_FORM)
def preview(
    visit: CurrentRequest,
    file: Annotated[UploadFile | None, File()] = None,
    content: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    close: Annotated[bool, Form()] = False,
) -> Response:
    """The changes that the list would make. The list travels with the page, so that nothing of it is stored."""
    _check_whole(visit)
    if content:
        data, name = _unpacked(content), name[:100]
    elif file is not None and file.filename:
        data, name = file.file.read(_MOST_FILE + 1), file.filename[:100]
    else:
        return _show_import(visit, refused=visit.say(gettext_noop("Choose a file first.")))
    if len(data) > _MOST_FILE:
        return _show_import(
            visit, refused=visit.say(gettext_noop("The file is larger than 2 MB.")), name=name
        )
    try:
        seen = preview_units(visit.services, BytesIO(data), close_missing=close)
    except UnusableUnits as fault:
        return _show_import(visit, fault=fault, name=name)
    except UnusableFile as fault:
        return _show_import(visit, refused=refusal_sentence(fault, visit.lang), name=name)
    return visit.page(
        "console/unit_preview.html",
        tabs=unit_tabs(visit),
        seen=seen,
        kinds=[(kind, list(changes)) for kind, changes in groupby(seen.changes, key=lambda one: one.kind)],
        content=base64.b64encode(data).decode(),
        name=name,
        close=close,
    )


@unit_pages.post("/units/import/take", act=Permission.MANAGE_UNITS, most_bytes=_MOST_FORM)
def take(
    visit: CurrentRequest,
    content: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    close: Annotated[bool, Form()] = False,
    revision: Annotated[str, Form()] = "",
) -> Response:
    _check_whole(visit)
    data = BytesIO(_unpacked(content))
    try:
        done = import_units(visit.services, data, by=visit.who, close_missing=close, revision=revision)
    except (Conflict, UnusableFile) as fault:
        return _show_import(visit, refused=refusal_sentence(fault, visit.lang), name=name[:100])
    text = gettext_noop(
        "Taken in: added %(new)s, moved %(moved)s, renamed %(renamed)s, closed %(closed)s; aliases learned:"
        " %(aliases)s; cases sorted: %(placed)s."
    )
    return visit.go("/units", notice=visit.say(text, **asdict(done)))


def _check_whole(visit: RequestContext) -> None:
    """Only a person who sees the whole tree imports it."""
    if visit.member.unit_id is not None:
        raise NotFound(kind="unit", key="the tree")


def _unpacked(content: str) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except (ValueError, binascii.Error):
        return b""


def _show_import(
    visit: RequestContext, *, refused: str = "", fault: UnusableUnits | None = None, name: str = ""
) -> Response:
    """The form, with the reason of a refusal, or the faults of the list by line and column."""
    faults = zip(fault.faults, fault.columns, strict=True) if fault is not None else ()
    return visit.page(
        "console/unit_import.html",
        status=_UNFIT if refused or fault is not None else 200,
        tabs=unit_tabs(visit),
        refused=refused,
        faults=[
            (one.line, column, say(visit.lang, one.problem), say(visit.lang, one.mend))
            for one, column in faults
        ],
        name=name,
    )


@unit_pages.get("/units/unassigned", act=Permission.SORT_UNITS)
def unassigned(visit: CurrentRequest) -> Response:
    return _show_unassigned(visit)


@unit_pages.post("/units/unassigned/{case_id}/sort", act=Permission.SORT_UNITS)
def sort(
    visit: CurrentRequest,
    case_id: int,
    unit: Annotated[str, Form()] = "",
    like: Annotated[str, Form()] = "",
    teach: Annotated[bool, Form()] = False,
) -> Response:
    """Every waiting case with the same text belongs to the unit; with `teach` later ones too."""
    visible_to, typed = visit.member.unit_id, (like or unit)[:200]
    group = show_group(visit.services, case_id, visible_to=visible_to, limit=1)
    try:
        unit_id = typed_unit(group.index, typed)
        done = assign_unit(
            visit.services,
            case_id,
            unit_id=unit_id,
            by=visit.who,
            alike=True,
            teach=teach,
            visible_to=visible_to,
        )
    except (Invalid, Conflict) as fault:
        if isinstance(fault, Conflict) and fault.current != "alias":
            raise
        return _show_unassigned(
            visit, case_id=case_id, wrong=refusal_sentence(fault, visit.lang), typed=typed
        )
    return visit.go(_UNASSIGNED, notice=_assigned_notice(visit, done, group.index.label(unit_id)))


@unit_pages.get("/units/unassigned/{case_id}", act=Permission.SORT_UNITS)
def group(visit: CurrentRequest, case_id: int, before: int | None = None) -> Response:
    return _show_group(visit, case_id, before=before)


@unit_pages.post("/units/unassigned/{case_id}/some", act=Permission.SORT_UNITS)
def some(
    visit: CurrentRequest,
    case_id: int,
    unit: Annotated[str, Form()] = "",
    like: Annotated[str, Form()] = "",
    case: Annotated[list[int] | None, Form()] = None,
) -> Response:
    """Only the chosen cases belong to the unit; no alias is taught."""
    visible_to, typed = visit.member.unit_id, (like or unit)[:200]
    page = show_group(visit.services, case_id, visible_to=visible_to, limit=1)
    chosen = (case or [])[:_MOST_CASES]
    try:
        unit_id = typed_unit(page.index, typed)
        done = assign_cases(visit.services, chosen, unit_id=unit_id, by=visit.who, visible_to=visible_to)
    except Invalid as fault:
        wrong = {fault.field: refusal_sentence(fault, visit.lang)}
        return _show_group(visit, case_id, wrong=wrong, typed=typed, chosen=frozenset(chosen))
    return visit.go(_UNASSIGNED, notice=_assigned_notice(visit, done, page.index.label(unit_id)))


def _assigned_notice(visit: RequestContext, done: Sorted, name: str) -> str:
    if done.alias:
        text = gettext_noop(
            "%(unit)s: cases sorted: %(n)s. Lists that write “%(words)s” mean it from now on."
        )
        return visit.say(text, unit=name, n=f"{done.placed:,}", words=done.alias)
    return visit.say(gettext_noop("%(unit)s: cases sorted: %(n)s."), unit=name, n=f"{done.placed:,}")


def _show_unassigned(
    visit: RequestContext, *, case_id: int | None = None, wrong: str = "", typed: str = ""
) -> Response:
    found = show_unassigned(visit.services, visible_to=visit.member.unit_id)
    offered = unit_names(found.index)
    return visit.page(
        "console/unassigned.html",
        status=_UNFIT if wrong else 200,
        unassigned=found,
        tabs=unit_tabs(visit),
        offered=offered,
        offered_of=lambda units: [offered[one.id] for one in units],
        options=sorted(offered.values()),
        paths=_paths(found.index),
        wrong_at=case_id,
        wrong=wrong,
        typed=typed,
        whole=visit.member.unit_id is None,
        liked=[offered[one.id] for one in found.index.near(typed)] if typed else [],
    )


def _show_group(
    visit: RequestContext,
    case_id: int,
    *,
    before: int | None = None,
    wrong: dict[str, str] | None = None,
    typed: str = "",
    chosen: frozenset[int] = frozenset(),
) -> Response:
    page = show_group(
        visit.services, case_id, visible_to=visit.member.unit_id, before_id=before, limit=_MOST_CASES
    )
    offered = unit_names(page.index)
    here = f"{_UNASSIGNED}/{case_id}"
    return visit.page(
        "console/unassigned_group.html",
        status=_UNFIT if wrong else 200,
        page=page,
        case_id=case_id,
        offered=offered,
        offered_of=lambda units: [offered[one.id] for one in units],
        options=sorted(offered.values()),
        wrong=wrong or {},
        typed=typed,
        chosen=chosen,
        older=f"{here}?before={page.next_before_id}" if page.next_before_id else "",
        newest=here if before else "",
        may_open=visit.may(Permission.SEE_CASES),
    )


# Routes are matched in order: this one comes after those whose last part is a word.
@unit_pages.get("/units/{unit_id}", act=Permission.SEE_UNITS)
def unit(visit: CurrentRequest, unit_id: int, waiting: str = "") -> Response:
    which = next((one for one in Waiting if one.value == waiting), Waiting.ALL)
    return _show(visit, unit_id, which)


@unit_pages.post("/units/{unit_id}/aliases", act=Permission.SORT_UNITS)
def add_alias(visit: CurrentRequest, unit_id: int, text: Annotated[str, Form()] = "") -> Response:
    try:
        done = teach_alias(
            visit.services, text[:100], unit_id=unit_id, by=visit.who, visible_to=visit.member.unit_id
        )
    except Invalid as fault:
        return _show(visit, unit_id, Waiting.ALL, wrong=refusal_sentence(fault, visit.lang), typed=text[:100])
    except Conflict:
        taken = visit.say(gettext_noop("means another unit already, or this one is closed"))
        return _show(visit, unit_id, Waiting.ALL, wrong=taken, typed=text[:100])
    notice = visit.say(
        gettext_noop("Lists that write “%(words)s” mean this unit now; cases sorted: %(n)s."),
        words=done.alias,
        n=f"{done.placed:,}",
    )
    return visit.go(f"/units/{unit_id}#aliases", notice=notice)


@unit_pages.post("/units/{unit_id}/aliases/forget", act=Permission.SORT_UNITS)
def drop_alias(visit: CurrentRequest, unit_id: int, text: Annotated[str, Form()] = "") -> Response:
    forget_alias(visit.services, text, by=visit.who, visible_to=visit.member.unit_id)
    notice = gettext_noop("The alias is forgotten; cases keep their units.")
    return visit.go(f"/units/{unit_id}#aliases", notice=notice)


def _show(
    visit: RequestContext, unit_id: int, which: Waiting, *, wrong: str = "", typed: str = ""
) -> Response:
    page = show_unit(visit.services, unit_id, visible_to=visit.member.unit_id, which=which)
    whole = visit.member.unit_id is None
    return visit.page(
        "console/unit.html",
        status=_UNFIT if wrong else 200,
        page=page,
        node=page.node,
        names=_names(page.index),
        paths=_paths(page.index),
        grades=list(Grade),
        wrong=wrong,
        typed=typed,
        kinds=_kinds(visit, unit_id),
        current=f"/units/{unit_id}" + (f"?waiting={which.value}" if which is not Waiting.ALL else ""),
        may_sort=visit.may(Permission.SORT_UNITS),
        may_name=visit.may(Permission.SORT_UNITS) and whole,
        may_work=visit.may(Permission.WORK_CASES),
    )


def _kinds(visit: RequestContext, unit_id: int) -> list[tuple[str, str]]:
    here = f"/units/{unit_id}"
    return [
        (here, visit.say(gettext_noop("All that waits"))),
        (f"{here}?waiting=unsigned", visit.say(gettext_noop("Unsigned"))),
        (f"{here}?waiting=overdue", visit.say(gettext_noop("Overdue"))),
        (f"{here}?waiting=feedback", visit.say(gettext_noop("Waiting for feedback"))),
    ]
