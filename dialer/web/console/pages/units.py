"""Units: the organisation with what waits in each, and one unit with its clocks, its work and its names."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Form
from starlette.responses import Response

from dialer.domain.access import Act
from dialer.domain.unit_plan import UnitField
from dialer.domain.values import Grade
from dialer.errors import Conflict, Invalid
from dialer.language import Lang, mark
from dialer.sentences import refusal_sentence
from dialer.store.reads.unit_work import Waiting
from dialer.usecases.cut_rates import note_export
from dialer.usecases.show_units import show_tree, show_unit, unit_rows
from dialer.usecases.sort_tray import forget_alias, teach_alias
from dialer.web.console.registry import Section
from dialer.web.console.sheets import Cell, Sheet, as_file
from dialer.web.console.unit_views import names, paths, unit_tabs
from dialer.web.console.visit import Asked, Visit
from dialer.words import word

pages = Section()
_UNFIT = 422
_COLUMNS = (
    UnitField.NAME,
    UnitField.PARENT,
    UnitField.LEVEL,
    UnitField.ALIASES,
    UnitField.STATE,
    UnitField.NUMBER,
)
_NUMBER = {Lang.ZH: "系统编号", Lang.EN: "system_no"}
_STATES = {Lang.ZH: ("启用", "停用"), Lang.EN: ("open", "closed")}
"""As the import reads them."""
_FEW = 40
"""So many units are shown unfolded."""


@pages.get("/units", act=Act.SEE_UNITS, nav=mark("Units"), order=85)
def units(visit: Asked, text: str = "") -> Response:
    tree = show_tree(visit.engine, seen_by=visit.member.unit_id, text=text[:100])
    facts: dict[str, Any] = {
        "tree": tree,
        "text": text[:100],
        "unfold": bool(text.strip()) or tree.units <= _FEW,
        "tabs": unit_tabs(visit),
        "may_manage": visit.may(Act.MANAGE_UNITS),
        "may_import": visit.may(Act.MANAGE_UNITS) and visit.member.unit_id is None,
    }
    return visit.page("console/units.html", **facts)


@pages.get("/units/file", act=Act.MANAGE_UNITS)
def export(visit: Asked) -> Response:
    """The tree as the import takes it back."""
    rows = unit_rows(visit.engine, seen_by=visit.member.unit_id)
    note_export(visit.engine, who=visit.who, subject="units", facts={"lines": len(rows), "kind": "xlsx"})
    opened, closed = _STATES[visit.lang]
    body: list[list[Cell]] = [
        [
            row.name,
            row.parent,
            row.level,
            ";".join(row.aliases),
            opened if row.active else closed,
            row.id,
        ]
        for row in rows
    ]
    sheet = Sheet(title=visit.say(mark("Units")), head=[_head(visit, field) for field in _COLUMNS], rows=body)
    return as_file([sheet], name=f"units-{visit.now:%Y%m%d-%H%M}", kind="xlsx")


def _head(visit: Visit, field: UnitField) -> str:
    return word(field, visit.lang) if field is not UnitField.NUMBER else _NUMBER[visit.lang]


# Below the pages with names of their own, which the tray, the transfers and the import have: they are found first.
@pages.get("/units/{unit_id}", act=Act.SEE_UNITS)
def unit(visit: Asked, unit_id: int, waiting: str = "") -> Response:
    which = next((one for one in Waiting if one.value == waiting), Waiting.ALL)
    return _show(visit, unit_id, which)


@pages.post("/units/{unit_id}/aliases", act=Act.SORT_UNITS)
def add_alias(visit: Asked, unit_id: int, text: Annotated[str, Form()] = "") -> Response:
    try:
        done = teach_alias(
            visit.engine, text[:100], unit_id=unit_id, by=visit.who, seen_by=visit.member.unit_id
        )
    except Invalid as fault:
        return _show(visit, unit_id, Waiting.ALL, wrong=refusal_sentence(fault, visit.lang), typed=text[:100])
    except Conflict:
        taken = visit.say(mark("means another unit already, or this one is closed"))
        return _show(visit, unit_id, Waiting.ALL, wrong=taken, typed=text[:100])
    told = visit.say(
        mark("Lists that write “%(words)s” mean this unit now; cases sorted: %(n)s."),
        words=done.alias,
        n=f"{done.placed:,}",
    )
    return visit.go(f"/units/{unit_id}#aliases", notice=told)


@pages.post("/units/{unit_id}/aliases/forget", act=Act.SORT_UNITS)
def drop_alias(visit: Asked, unit_id: int, text: Annotated[str, Form()] = "") -> Response:
    forget_alias(visit.engine, text, by=visit.who, seen_by=visit.member.unit_id)
    notice = mark("The alias is forgotten; cases keep their units.")
    return visit.go(f"/units/{unit_id}#aliases", notice=notice)


def _show(visit: Visit, unit_id: int, which: Waiting, *, wrong: str = "", typed: str = "") -> Response:
    page = show_unit(visit.engine, unit_id, seen_by=visit.member.unit_id, which=which)
    whole = visit.member.unit_id is None
    return visit.page(
        "console/unit.html",
        status=_UNFIT if wrong else 200,
        page=page,
        node=page.node,
        names=names(page.index),
        paths=paths(page.index),
        grades=list(Grade),
        wrong=wrong,
        typed=typed,
        kinds=_kinds(visit, unit_id),
        current=f"/units/{unit_id}" + (f"?waiting={which.value}" if which is not Waiting.ALL else ""),
        may_sort=visit.may(Act.SORT_UNITS),
        may_name=visit.may(Act.SORT_UNITS) and whole,
        may_work=visit.may(Act.WORK_CASES),
    )


def _kinds(visit: Visit, unit_id: int) -> list[tuple[str, str]]:
    here = f"/units/{unit_id}"
    return [
        (here, visit.say(mark("All that waits"))),
        (f"{here}?waiting=unsigned", visit.say(mark("Unsigned"))),
        (f"{here}?waiting=overdue", visit.say(mark("Overdue"))),
        (f"{here}?waiting=feedback", visit.say(mark("Waiting for feedback"))),
    ]
