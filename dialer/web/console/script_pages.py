"""What the pages of one script share: its heading, and who may let all units' calls speak something else."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from dialer.domain.access import RELEASED_BY, SHIPPED_BY, Act
from dialer.language import mark
from dialer.scripts.model import Script
from dialer.store.scripts import Version
from dialer.usecases.list_units import list_units
from dialer.web.console.visit import Forbidden, Visit

KNOWN = (
    mark("is empty or too long"),
    mark("why this version, in a few words"),
    mark("what is to be found out"),
    mark("must name the live version, to compare the others with"),
)
"""What the use cases refuse with, beside its field."""

_NOBODY_HERE = {SHIPPED_BY: mark("shipped with the product"), RELEASED_BY: mark("the release's own review")}
_REASONS = (mark("first start"), mark("upgrade"))
"""Why what is shipped went live."""


def address(script_id: str, rest: str = "", **query: object) -> str:
    given = {name: value for name, value in query.items() if value not in {None, ""}}
    return f"/scripts/{quote(script_id)}{rest}" + (f"?{urlencode(given)}" if given else "")


def sees_all(visit: Visit) -> bool:
    """Somebody of the whole centre, or of its topmost unit: scripts are spoken to the people of every unit."""
    unit_id = visit.member.unit_id
    if unit_id is None:
        return True
    own = next((unit for unit in list_units(visit.engine, seen_by=unit_id) if unit.id == unit_id), None)
    return own is not None and own.parent_id is None


def need_all(visit: Visit) -> None:
    """Raises `Forbidden` for somebody of one unit among others."""
    if not sees_all(visit):
        raise Forbidden


def was_live(version: Version) -> bool:
    return any(approval.goes_live for approval in version.approvals)


def _by(visit: Visit, name: str) -> str:
    return visit.say(_NOBODY_HERE[name]) if name in _NOBODY_HERE else name


def heading(visit: Visit, script: Script, version: Version, here: str) -> dict[str, Any]:
    """What `console/script_head.html` shows. `here` is the tab that is open."""
    named = None if version.is_live else version.number
    tabs = [
        ("", mark("Script")),
        ("/walk", mark("Walk through")),
        ("/versions", mark("Versions")),
    ]
    if visit.may(Act.SEE_RATES):
        tabs.append(("/trial", mark("Trial")))
    return {
        "script": script,
        "version": version,
        "title": script.title_in(visit.lang.value),
        "tabs": [
            (address(script.id, rest, version=named if rest in {"", "/walk"} else None), visit.say(text))
            for rest, text in tabs
        ],
        "here": address(script.id, here, version=named if here in {"", "/walk"} else None),
        "address": address,
        "by": partial(_by, visit),
        "can_edit": visit.may(Act.EDIT_SCRIPTS),
        "can_approve": visit.may(Act.APPROVE) and sees_all(visit),
    }
