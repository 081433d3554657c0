"""Visits: who waits for an officer at the door, and what he needs there."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import JSONResponse, Response

from dialer.domain.access import Act
from dialer.language import mark
from dialer.usecases.list_units import list_units
from dialer.usecases.list_visits import list_visits
from dialer.usecases.open_visit import look_at_visit, may_print
from dialer.usecases.print_notice import print_notice
from dialer.usecases.show_conversation import show_hand_over
from dialer.web.console.notice_view import notice_views
from dialer.web.console.registry import Section
from dialer.web.console.rendering import static
from dialer.web.console.unit_choice import unit_tree
from dialer.web.console.visit import Asked
from dialer.web.console.visit_page import form_facts, show_head, show_visit, show_why_not
from dialer.web.console.visit_words import CLOCKS

pages = Section()
_LIST = "console/visits.html"
_KEPT_OFFLINE = (
    "console/tokens.css",
    "console/base.css",
    "console/layout.css",
    "console/forms.css",
    "console/components.css",
    "console/print.css",
    "console/visits.css",
    "console/mark.svg",
    "console/theme.js",
    "console/console.js",
    "vendor/htmx.min.js",
    "visits/keeping.js",
    "visits/page.js",
)
_MODULES = ("drafts.js", "here.js", "lines.js", "outbox.js", "photo.js", "store.js")


@pages.get("/visits", act=Act.WORK_VISITS, nav=mark("Visits"), order=30)
def visits(visit: Asked, unit: str = "") -> Response:
    unit_id = int(unit) if unit.isdecimal() and len(unit) < 10 else None  # noqa: PLR2004  # beyond it none is
    found = list_visits(visit.engine, who=visit.who, seen_by=visit.member.unit_id, unit_id=unit_id)
    facts: dict[str, Any] = {
        "found": found,
        "asked": {"unit": str(unit_id)} if unit_id is not None else {},
        "units": unit_tree(list_units(visit.engine, seen_by=visit.member.unit_id)),
        "clocks": {clock: visit.say(text) for clock, text in CLOCKS.items()},
        **form_facts(),
    }
    if visit.is_part:
        return visit.part(_LIST, "found", **facts)
    return visit.page(_LIST, **facts)


@pages.get("/visits/pulse", act=Act.WORK_VISITS)
def pulse(visit: Asked) -> Response:
    """Whether this phone may send, as whom, and with which proof."""
    return JSONResponse({"csrf": visit.csrf, "owner": visit.member.id})


@pages.get("/visits/offline", act=Act.WORK_VISITS)
def offline(visit: Asked) -> Response:
    """The page that a phone shows where there is no connection: it holds nothing of any visit."""
    return visit.page("console/visit_offline.html", **form_facts())


@pages.get("/visits/worker.js", act=Act.WORK_VISITS)
def worker(visit: Asked) -> Response:
    kept = [static(path) for path in _KEPT_OFFLINE] + [f"/static/visits/{name}" for name in _MODULES]
    # Modules name each other without a version: what they hold must be in here, or a browser keeps old ones.
    held = [static(f"visits/{name}") for name in _MODULES]
    shell = f"/visits/offline?lang={visit.lang.value}"
    names, code = (
        json.dumps({"shell": shell, "files": kept, "held": held}),
        json.dumps(static("visits/worker.js")),
    )
    text = f"self.kept = {names};\nimportScripts({code});\n"
    return Response(text, media_type="text/javascript", headers={"Service-Worker-Allowed": "/visits"})


@pages.get("/visits/{visit_id}", act=Act.WORK_VISITS)
def one_visit(visit: Asked, visit_id: int, part: str = "") -> Response:
    if visit.is_part and part == "head":
        return show_head(visit, visit_id)
    return show_visit(visit, visit_id, in_hand=visit.is_part and part == "hand")


@pages.get("/visits/{visit_id}/conversation", act=Act.WORK_VISITS)
def conversation(visit: Asked, visit_id: int) -> Response:
    line = look_at_visit(visit.engine, visit_id, who=visit.who, seen_by=visit.member.unit_id)
    if not line.is_held_by(visit.who):
        return show_why_not(visit, visit_id)
    facts: dict[str, Any] = {"line": line, "talk": show_hand_over(visit.engine, visit_id, by=visit.who)}
    if visit.is_part:
        return visit.part("console/visit_talk.html", "talk", **facts)
    return visit.page("console/visit_talk.html", **facts)


@pages.get("/visits/{visit_id}/notice", act=Act.WORK_VISITS)
def notice(visit: Asked, visit_id: int) -> Response:
    line = look_at_visit(visit.engine, visit_id, who=visit.who, seen_by=visit.member.unit_id)
    if not may_print(line, who=visit.who):
        return show_why_not(visit, visit_id)
    printed = print_notice(visit.engine, line.case_id, who=visit.who)
    return visit.page(
        "console/notice.html", line=line, sheets=notice_views(printed, officer=visit.member.display_name)
    )
