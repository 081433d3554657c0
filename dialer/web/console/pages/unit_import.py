"""The tree from a spreadsheet: dropped, looked at line by line, then taken in."""

from __future__ import annotations

import base64
import binascii
from io import BytesIO
from itertools import groupby
from typing import Annotated

from fastapi import File, Form, UploadFile
from starlette.responses import Response

from dialer.domain.access import Act
from dialer.errors import Conflict, NotFound, UnusableFile
from dialer.language import mark
from dialer.sentences import refusal_sentence
from dialer.usecases.import_units import Preview, UnusableUnits, import_units, preview_units
from dialer.web.console.registry import Section
from dialer.web.console.unit_views import fault_lines, unit_tabs
from dialer.web.console.visit import Asked, Visit

pages = Section()
_UNFIT = 422
_MOST_FILE = 2 * 1024 * 1024
_MOST_FORM = 4 * 1024 * 1024
_PAGE = "console/unit_import.html"


@pages.get("/units/import", act=Act.MANAGE_UNITS)
def choose(visit: Asked) -> Response:
    return visit.page(_PAGE, tabs=unit_tabs(visit), refused="", faults=[], name="")


@pages.post("/units/import", act=Act.MANAGE_UNITS, most_bytes=_MOST_FORM)
def preview(
    visit: Asked,
    file: Annotated[UploadFile | None, File()] = None,
    content: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    close: Annotated[bool, Form()] = False,
) -> Response:
    """What the list would do; the list itself travels with the page, so that nothing of it is kept."""
    _check_whole(visit)
    if content:
        data, name = _unpacked(content), name[:100]
    elif file is not None and file.filename:
        data, name = file.file.read(_MOST_FILE + 1), file.filename[:100]
    else:
        return _refuse(visit, visit.say(mark("Choose a file first.")))
    if len(data) > _MOST_FILE:
        return _refuse(visit, visit.say(mark("The file is larger than 2 MB.")), name)
    try:
        seen = preview_units(visit.engine, BytesIO(data), close_missing=close)
    except UnusableUnits as fault:
        return visit.page(
            _PAGE,
            status=_UNFIT,
            tabs=unit_tabs(visit),
            refused="",
            faults=fault_lines(fault, visit.lang),
            name=name,
        )
    except UnusableFile as fault:
        return _refuse(visit, refusal_sentence(fault, visit.lang), name)
    return _show(visit, seen, content=base64.b64encode(data).decode(), name=name, close=close)


@pages.post("/units/import/take", act=Act.MANAGE_UNITS, most_bytes=_MOST_FORM)
def take(
    visit: Asked,
    content: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    close: Annotated[bool, Form()] = False,
    revision: Annotated[str, Form()] = "",
) -> Response:
    _check_whole(visit)
    data = BytesIO(_unpacked(content))
    try:
        done = import_units(visit.engine, data, by=visit.who, close_missing=close, revision=revision)
    except Conflict as fault:
        return _refuse(visit, refusal_sentence(fault, visit.lang), name[:100])
    except UnusableFile as fault:
        return _refuse(visit, refusal_sentence(fault, visit.lang), name[:100])
    text = mark(
        "Taken in: added %(new)s, moved %(moved)s, renamed %(renamed)s, closed %(closed)s; aliases learned:"
        " %(aliases)s; cases sorted: %(placed)s."
    )
    facts = {key: getattr(done, key) for key in ("new", "moved", "renamed", "closed", "aliases", "placed")}
    return visit.go("/units", notice=visit.say(text, **facts))


def _check_whole(visit: Visit) -> None:
    """The tree is one: whoever sees a part of it does not replace it."""
    if visit.member.unit_id is not None:
        raise NotFound(kind="unit", key="the tree")


def _unpacked(content: str) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except (ValueError, binascii.Error):
        return b""


def _refuse(visit: Visit, text: str, name: str = "") -> Response:
    return visit.page(_PAGE, status=_UNFIT, tabs=unit_tabs(visit), refused=text, faults=[], name=name)


def _show(visit: Visit, seen: Preview, *, content: str, name: str, close: bool) -> Response:
    return visit.page(
        "console/unit_preview.html",
        tabs=unit_tabs(visit),
        seen=seen,
        kinds=[(kind, list(changes)) for kind, changes in groupby(seen.changes, key=lambda one: one.kind)],
        content=content,
        name=name,
        close=close,
    )
