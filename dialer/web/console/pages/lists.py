"""Lists: a file is dropped and looked at before anything of it is kept, then loaded, and followed to its end."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import File, Form, UploadFile
from fastapi import Path as InPath
from starlette.responses import Response

from dialer.domain.access import Act
from dialer.domain.pause import PauseScope
from dialer.errors import Conflict, Invalid, NoPhoneColumn, NotFound, UnusableFile
from dialer.intake.headings import fields_of
from dialer.intake.records import Field
from dialer.language import mark
from dialer.sentences import refusal_sentence, sentence
from dialer.store.reads.load_lines import CameOfIt
from dialer.usecases.decide_load import approve_load, begin_withdrawal
from dialer.usecases.draft_list import (
    correct_draft,
    draft_list,
    drafts_of,
    forget_corrections,
    forget_draft,
    load_draft,
    show_draft,
)
from dialer.usecases.export_rejects import export_draft_rejects, export_rejects
from dialer.usecases.look_at_list import look_at_draft, look_at_waiting, measure_draft
from dialer.usecases.pause import pause, resume
from dialer.usecases.show_loads import (
    LoadFile,
    came_of_load,
    check_load_seen,
    known_sources,
    show_load,
    show_loads,
)
from dialer.web.cache import Cache
from dialer.web.console.list_words import FIELDS, notice_words
from dialer.web.console.registry import Section
from dialer.web.console.visit import Asked, Visit

pages = Section()
_LISTS, _DRAFT, _LOAD = "console/lists.html", "console/list_draft.html", "console/list.html"
_PAGE = 50
_UNFIT = 422
_MEGABYTE = 1 << 20
MOST_MEGABYTES = 256
"""Of one file. It goes to the disk as it comes."""
_AT_ONCE = 20_000
"""What came of a longer list is counted after its page is there."""
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PAUSES = (30, 120, 480, 1440)

_Number = Annotated[int, InPath(ge=1, lt=1 << 63)]


@pages.get("/lists", act=Act.LOAD_LISTS, nav=mark("Lists"), order=50)
def lists(visit: Asked, before: int | None = None) -> Response:
    if visit.is_part:
        return visit.part(_LISTS, "loads", **_overview(visit, before))
    return _show_lists(visit, before=before)


@pages.post("/lists", act=Act.LOAD_LISTS, most_bytes=MOST_MEGABYTES * _MEGABYTE)
def drop(
    visit: Asked,
    file: Annotated[UploadFile | None, File()] = None,
    source: Annotated[str, Form()] = "",
    dry: Annotated[str, Form()] = "",
) -> Response:
    if file is None or not file.filename:
        return _show_lists(visit, wrong={"file": visit.say(mark("Choose a file first."))}, source=source)
    try:
        draft_id = draft_list(
            visit.engine,
            file.file,
            filename=file.filename,
            source=source,
            by=visit.who,
            unit_id=visit.member.unit_id,
        )
    except UnusableFile as fault:
        told = f"{file.filename}: {refusal_sentence(fault, visit.lang)}"
        return _show_lists(visit, wrong={"file": told}, source=source)
    except Invalid as fault:
        return _show_lists(visit, wrong={fault.field: refusal_sentence(fault, visit.lang)}, source=source)
    return visit.go(_draft_path(draft_id, dry=bool(dry)))


@pages.get("/lists/drafts/{draft_id}", act=Act.LOAD_LISTS)
def draft(visit: Asked, draft_id: _Number, dry: str = "") -> Response:
    try:
        return _show_draft(visit, draft_id, dry=bool(dry))
    except NotFound:
        return _loaded_already(visit, draft_id)


@pages.get("/lists/drafts/{draft_id}/count", act=Act.LOAD_LISTS)
def count(visit: Asked, draft_id: _Number) -> Response:
    """All rows of a file that is too long to be counted at once."""
    return visit.part(_DRAFT, "counted", measured=measure_draft(visit.engine, draft_id, by=visit.who))


@pages.post("/lists/drafts/{draft_id}/columns", act=Act.LOAD_LISTS)
def columns(
    visit: Asked,
    draft_id: _Number,
    heading: Annotated[list[str] | None, Form()] = None,
    field: Annotated[list[str] | None, Form()] = None,
    source: Annotated[str, Form()] = "",
    dry: Annotated[str, Form()] = "",
) -> Response:
    chosen = {name: _field(text) for name, text in zip(heading or (), field or (), strict=False)}
    try:
        correct_draft(visit.engine, draft_id, chosen, source=source, by=visit.who)
    except Invalid as fault:
        return _show_draft(
            visit, draft_id, dry=bool(dry), wrong={fault.field: refusal_sentence(fault, visit.lang)}
        )
    return visit.go(_draft_path(draft_id, dry=bool(dry)), notice=mark("The column mapping is applied."))


@pages.post("/lists/drafts/{draft_id}/columns/forget", act=Act.LOAD_LISTS)
def forget_columns(visit: Asked, draft_id: _Number, dry: Annotated[str, Form()] = "") -> Response:
    forget_corrections(visit.engine, draft_id, by=visit.who)
    return visit.go(
        _draft_path(draft_id, dry=bool(dry)), notice=mark("The headings speak for themselves again.")
    )


@pages.post("/lists/drafts/{draft_id}/load", act=Act.LOAD_LISTS)
def load(visit: Asked, draft_id: _Number) -> Response:
    try:
        load_draft(visit.engine, draft_id, by=visit.who)
    except UnusableFile:
        return _show_draft(visit, draft_id, dry=False, status=_UNFIT)
    except NotFound:
        return _loaded_already(visit, draft_id)
    return visit.go(f"/lists/{draft_id}")


@pages.post("/lists/drafts/{draft_id}/forget", act=Act.LOAD_LISTS)
def forget(visit: Asked, draft_id: _Number) -> Response:
    forget_draft(visit.engine, draft_id, by=visit.who)
    return visit.go("/lists", notice=mark("The file is discarded; nothing of it was kept."))


@pages.get("/lists/drafts/{draft_id}/rejects", act=Act.LOAD_LISTS)
def draft_rejects(visit: Asked, draft_id: _Number) -> Response:
    return _file(
        visit, draft_id, lambda path: export_draft_rejects(visit.engine, draft_id, path, who=visit.who)
    )


@pages.get("/lists/{load_id}", act=Act.LOAD_LISTS)
def one(visit: Asked, load_id: _Number) -> Response:
    return _show_load(visit, load_id)


@pages.get("/lists/{load_id}/came", act=Act.LOAD_LISTS)
def came(visit: Asked, load_id: _Number) -> Response:
    """What came of its cases so far; a part that asks again where it is not counted yet."""
    count = _came(visit).get((load_id, visit.member.unit_id))
    return visit.part(_LOAD, "came", load_id=load_id, came=count.value)


@pages.get("/lists/{load_id}/look", act=Act.LOAD_LISTS)
def rest(visit: Asked, load_id: _Number) -> Response:
    """What would become of the rest of a list that waits for a second person."""
    found = look_at_waiting(visit.engine, load_id, seen_by=visit.member.unit_id)
    return visit.part(_LOAD, "rest", load_id=load_id, look=found, **_words(visit))


@pages.get("/lists/{load_id}/rejected", act=Act.LOAD_LISTS)
def rejected(visit: Asked, load_id: _Number) -> Response:
    """The refused rows of a list that has just been loaded."""
    found = show_load(visit.engine, load_id, seen_by=visit.member.unit_id)
    return visit.part(_LOAD, "rejected", **_load_facts(visit, found))


@pages.get("/lists/{load_id}/rejects", act=Act.LOAD_LISTS)
def rejects(visit: Asked, load_id: _Number) -> Response:
    seen_by = visit.member.unit_id
    return _file(
        visit,
        load_id,
        lambda path: export_rejects(visit.engine, load_id, path, who=visit.who, seen_by=seen_by),
    )


@pages.post("/lists/{load_id}/approve", act=Act.APPROVE)
def approve(visit: Asked, load_id: _Number) -> Response:
    check_load_seen(visit.engine, load_id, seen_by=visit.member.unit_id)
    try:
        approve_load(visit.engine, load_id, by=visit.who)
    except Conflict as fault:
        own = fault.current == "own load"
        return visit.go(f"/lists/{load_id}", notice=_OWN if own else _MEANWHILE)
    return visit.go(f"/lists/{load_id}", notice=mark("Approved: the rest of it is being loaded."))


@pages.post("/lists/{load_id}/pause", act=Act.LOAD_LISTS)
def hold(
    visit: Asked,
    load_id: _Number,
    minutes: Annotated[float, Form()] = 0,
    why: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    check_load_seen(visit.engine, load_id, seen_by=visit.member.unit_id)
    try:
        pause(
            visit.engine,
            scope=PauseScope.LOAD,
            subject=str(load_id),
            minutes=minutes,
            by=visit.who,
            why=why,
        )
    except Invalid as fault:
        return _show_load(
            visit, load_id, act="pause", wrong={fault.field: refusal_sentence(fault, visit.lang)}
        )
    return visit.go(f"/lists/{load_id}", notice=mark("Calls paused."))


@pages.post("/lists/{load_id}/resume", act=Act.LOAD_LISTS)
def go_on(visit: Asked, load_id: _Number) -> Response:
    check_load_seen(visit.engine, load_id, seen_by=visit.member.unit_id)
    try:
        resume(visit.engine, scope=PauseScope.LOAD, subject=str(load_id), by=visit.who)
    except NotFound:
        return visit.go(f"/lists/{load_id}", notice=_MEANWHILE)
    return visit.go(f"/lists/{load_id}", notice=mark("Calls resumed."))


@pages.post("/lists/{load_id}/withdraw", act=Act.LOAD_LISTS)
def withdraw(visit: Asked, load_id: _Number, why: Annotated[str, Form(max_length=500)] = "") -> Response:
    check_load_seen(visit.engine, load_id, seen_by=visit.member.unit_id)
    try:
        begin_withdrawal(visit.engine, load_id, by=visit.who, why=why)
    except Invalid as fault:
        return _show_load(
            visit, load_id, act="withdraw", wrong={fault.field: refusal_sentence(fault, visit.lang)}
        )
    except Conflict:
        return visit.go(f"/lists/{load_id}", notice=_MEANWHILE)
    return visit.go(f"/lists/{load_id}", notice=mark("The list is withdrawn. What had begun goes on."))


_OWN = mark("Whoever loaded a list does not approve it: another person does.")
_MEANWHILE = mark("Somebody else has already handled it. The current state is shown.")


def _overview(visit: Visit, before: int | None) -> dict[str, Any]:
    found = show_loads(visit.engine, seen_by=visit.member.unit_id, before_id=before, limit=_PAGE)
    page = found.page
    return {
        "waiting": found.waiting,
        "page": page,
        "is_moving": any(line.is_moving for line in (*found.waiting, *page.lines)),
        "here": f"/lists?before={before}" if before else "/lists",
        "older": f"/lists?before={page.next_before_id}" if page.next_before_id else "",
        "newest": "/lists" if before else "",
    }


def _show_lists(
    visit: Visit, *, before: int | None = None, wrong: dict[str, str] | None = None, source: str = ""
) -> Response:
    facts: dict[str, Any] = {
        "wrong": defaultdict(str, wrong or {}),
        "source": source,
        "most_megabytes": MOST_MEGABYTES,
        "sources": known_sources(visit.engine, seen_by=visit.member.unit_id),
    }
    status = _UNFIT if wrong else 200
    if visit.is_part:
        return visit.part(_LISTS, "drop", status=status, **facts)
    return visit.page(
        _LISTS,
        status=status,
        drafts=drafts_of(visit.engine, by=visit.who),
        **facts,
        **_overview(visit, before),
    )


def _show_draft(
    visit: Visit, draft_id: int, *, dry: bool, wrong: dict[str, str] | None = None, status: int = 200
) -> Response:
    line = show_draft(visit.engine, draft_id, by=visit.who)
    look, unusable = None, ""
    columns: list[tuple[str, str]] = []
    try:
        look = look_at_draft(visit.engine, draft_id, by=visit.who, seen_by=visit.member.unit_id)
        columns = _once((column.heading, column.field) for column in look.columns)
    except UnusableFile as fault:
        unusable = refusal_sentence(fault, visit.lang)
        if isinstance(fault, NoPhoneColumn):
            columns = _once(zip(fault.headings, fields_of(fault.headings), strict=True))
    return visit.page(
        _DRAFT,
        status=_UNFIT if wrong else status,
        draft_id=draft_id,
        draft=line,
        look=look,
        unusable=unusable,
        columns=columns,
        measured=None,
        dry=dry,
        wrong=defaultdict(str, wrong or {}),
        fields=[(field.value, visit.say(text)) for field, text in FIELDS.items()],
        **_words(visit),
        sources=known_sources(visit.engine, seen_by=visit.member.unit_id),
    )


def _show_load(visit: Visit, load_id: int, *, act: str = "", wrong: dict[str, str] | None = None) -> Response:
    seen_by = visit.member.unit_id
    found = show_load(visit.engine, load_id, seen_by=seen_by)
    line, facts = found.line, _load_facts(visit, found)
    if visit.is_part:
        response = visit.part(_LOAD, "live", **facts)
        if not line.is_moving:
            response.headers["HX-Trigger"] = "list-over"
        return response
    is_short = line.accepted + line.early_accepted <= _AT_ONCE
    return visit.page(
        _LOAD,
        status=_UNFIT if wrong else 200,
        columns=found.columns,
        field_word=lambda field: visit.say(FIELDS[field]),
        came=_came(visit).get((load_id, seen_by)).value if is_short else None,
        pauses=PAUSES,
        act=act,
        wrong=defaultdict(str, wrong or {}),
        **facts,
    )


def _load_facts(visit: Visit, found: LoadFile) -> dict[str, Any]:
    line = found.line
    return {
        "load_id": line.id,
        "line": line,
        "rejects": found.rejects,
        **_words(visit),
        "may_approve": visit.may(Act.APPROVE) and line.by != visit.who,
        "is_own": line.by == visit.who,
        "look": None,
    }


def _words(visit: Visit) -> dict[str, Any]:
    grade = visit.engine.centre.default_grade
    return {
        "reason": lambda text: sentence(text, visit.lang),
        "notice": lambda code: notice_words(code, visit.lang, default_grade=grade),
    }


def _once(columns: Iterable[tuple[str, Field | None]]) -> list[tuple[str, str]]:
    """Each heading with its field; what is said of one holds for every column that has it."""
    found: dict[str, str] = {}
    for heading, field in columns:
        if heading:
            found.setdefault(heading, field.value if field else "")
    return list(found.items())


def _loaded_already(visit: Visit, draft_id: int) -> Response:
    """Whoever goes back, or presses twice, comes to what became of it. Raises `NotFound`."""
    check_load_seen(visit.engine, draft_id, seen_by=visit.member.unit_id)
    return visit.go(f"/lists/{draft_id}")


def _draft_path(draft_id: int, *, dry: bool) -> str:
    return f"/lists/drafts/{draft_id}" + ("?dry=1" if dry else "")


def _field(text: str) -> Field | None:
    """A word that is none stands for a column that carries nothing that we know."""
    return next((field for field in Field if field.value == text), None)


def _file(visit: Visit, load_id: int, write: Callable[[Path], int]) -> Response:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rejects.xlsx"
        write(path)
        body = path.read_bytes()
    at = visit.now.astimezone(ZoneInfo(visit.engine.centre.timezone))
    disposition = f'attachment; filename="rejects-{load_id}-{at:%Y%m%d-%H%M}.xlsx"'
    return Response(body, media_type=_XLSX, headers={"Content-Disposition": disposition})


def _came(visit: Visit) -> Cache[tuple[int, int | None], CameOfIt]:
    """What came of a list, as far as somebody of this unit sees it."""
    engine = visit.engine
    return visit.cache("came", lambda key: came_of_load(engine, key[0], seen_by=key[1]))
