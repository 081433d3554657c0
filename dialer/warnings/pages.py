"""The console's list pages: a file is uploaded and previewed, then loaded, followed to its end, approved, paused or
withdrawn.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from fastapi import File, Form, Query, UploadFile
from fastapi import Path as InPath
from starlette.responses import Response

from dialer.calls.pauses import pause_calls, resume_calls
from dialer.core.access import Permission, RevealReason, is_same_actor
from dialer.core.errors import Conflict, Invalid, NoPhoneColumn, NotFound, TooMany, UnusableFile
from dialer.core.second_person import SamePerson
from dialer.core.text import Lang, Text, gettext_noop
from dialer.core.values import Grade, PauseScope
from dialer.intake.headings import fields_of
from dialer.intake.reader import LONGEST_GRADE_WORD
from dialer.intake.records import IMPLAUSIBLE_FEN, Field, NoticeCode
from dialer.language.catalogue import say
from dialer.language.sentences import refusal_sentence
from dialer.language.words import sentence, word_of
from dialer.warnings.held_store import waiting_of_list
from dialer.warnings.list_store import columns_of_load, drafts_by, get_draft
from dialer.warnings.lists import approve_load, begin_withdrawal, check_load_visible, load_outcome
from dialer.warnings.preview import (
    RowFilter,
    correct_draft,
    decide_amounts,
    draft_list,
    forget_corrections,
    forget_draft,
    load_draft,
    measure_draft,
    preview_draft,
    preview_waiting_list,
)
from dialer.warnings.queries import (
    LoadLine,
    LoadOutcome,
    first_reject_lines,
    load_line,
    load_page,
    loads_waiting,
    recent_sources,
)
from dialer.warnings.rejects import (
    ROWS_AT_ONCE,
    Why,
    correct_rows,
    export_draft_rejects,
    export_own_draft_rejects,
    export_own_rejects,
    export_rejects,
    rows_to_correct,
)
from dialer.web.cache import Cache
from dialer.web.console import CurrentRequest, PageSection, RequestContext

FIELDS: Mapping[Field, str] = {
    Field.INSTRUCTION_NO: gettext_noop("Instruction no."),
    Field.SOURCE: gettext_noop("Source"),
    Field.KIND: gettext_noop("Kind of warning"),
    Field.FRAUD_TYPE: gettext_noop("Fraud type"),
    Field.GRADE: gettext_noop("Grade"),
    Field.NAME: gettext_noop("Name"),
    Field.PHONE: gettext_noop("Phone"),
    Field.ID_NUMBER: gettext_noop("Id number"),
    Field.ADDRESS: gettext_noop("Home address"),
    Field.COORDINATES: gettext_noop("Longitude and latitude"),
    Field.UNIT: gettext_noop("Area or unit"),
    Field.FAMILY_CONTACT: gettext_noop("Family contact"),
    Field.FRAUD_NUMBERS: gettext_noop("Fraud number"),
    Field.FRAUD_URL: gettext_noop("Fraud site"),
    Field.FRAUD_APP: gettext_noop("Fraud app"),
    Field.FRAUD_ACCOUNT: gettext_noop("Fraud account"),
    Field.TALK_SECONDS: gettext_noop("Talk time"),
    Field.AMOUNT_AT_RISK: gettext_noop("Amount at risk"),
    Field.AMOUNT_PAID: gettext_noop("Amount already paid"),
    Field.EVENT_AT: gettext_noop("Happened at"),
    Field.PRODUCED_AT: gettext_noop("Warned at"),
    Field.EXPIRES_AT: gettext_noop("Expires"),
    Field.TAGS: gettext_noop("Tags"),
    Field.REMARKS: gettext_noop("Remarks"),
    Field.ROW_NUMBER: gettext_noop("Row number (not kept)"),
    Field.REJECTION: gettext_noop("Reason of an earlier refusal (not kept)"),
}

NOTICES: Mapping[NoticeCode, str] = {
    NoticeCode.NUMBER_USED_AGAIN: gettext_noop("The number was sent before with other content."),
    NoticeCode.GRADE_DEFAULTED: gettext_noop("No grade: taken as %(grade)s."),
    NoticeCode.ID_INVALID: gettext_noop("The id number fails its check and identifies nobody."),
    NoticeCode.ID_DIGITS_LOST: gettext_noop("The spreadsheet lost digits of the id number."),
    NoticeCode.NUMBER_DIGITS_LOST: gettext_noop(
        "The spreadsheet lost digits of the instruction number: one is made of the row's other cells."
    ),
    NoticeCode.FRAUD_TYPE_UNKNOWN: gettext_noop("A fraud type that is in no list of ours."),
    NoticeCode.KIND_UNKNOWN: gettext_noop("A kind of warning that is in no list of ours."),
    NoticeCode.UNIT_UNKNOWN: gettext_noop("A unit that is not registered: its cases wait to be sorted."),
    NoticeCode.PHONE_PART_UNUSABLE: gettext_noop("One of several numbers cannot be called; the others are."),
    NoticeCode.TALK_UNREADABLE: gettext_noop("A talk time that cannot be read."),
    NoticeCode.PLACE_UNREADABLE: gettext_noop(
        "A place that is not a longitude and a latitude in China: the visit has no map."
    ),
    NoticeCode.TAG_UNKNOWN: gettext_noop("A tag that is in no list of ours."),
    NoticeCode.TIME_IN_FUTURE: gettext_noop("A time that has not come yet."),
    NoticeCode.MISSED: gettext_noop("Of a high grade, expired before it arrived: it needs an explanation."),
    NoticeCode.AMOUNT_IMPLAUSIBLE: gettext_noop(
        "An implausible amount: it counts as unknown and stands in the remarks."
    ),
    NoticeCode.EXTRA_CELLS: gettext_noop("More cells than headings; they are kept in the remarks."),
}


def notice_words(code: NoticeCode, lang: Lang, *, default_grade: Grade) -> str:
    """The words of a notice: why a person should check an accepted row."""
    facts = {"grade": word_of(default_grade, lang)} if code is NoticeCode.GRADE_DEFAULTED else {}
    return say(lang, NOTICES[code], **facts)


list_pages = PageSection()
_LISTS, _DRAFT, _LOAD = "console/lists.html", "console/list_draft.html", "console/list.html"
_CORRECT = "console/list_correct.html"
_CORRECTED_BYTES = 1 << 22
_PAGE, _SHOWN_REJECTS = 50, 200
_INVALID = 422
_MEGABYTE = 1 << 20
MOST_MEGABYTES = 256
"""The largest file, which is streamed to the disk."""
_AT_ONCE = 20_000
"""The outcome of a longer list is counted after its page is shown."""
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_ALL_ROWS = RowFilter()
UNDECIDED = "?"
"""The choice for a column of which nobody has said yet what it holds."""
PAUSES = (30, 120, 480, 1440)

_Number = Annotated[int, InPath(ge=1, lt=1 << 63)]
_Page = Annotated[int, Query(ge=1, le=1000)]
_Code = Annotated[str, Form(max_length=40)]
_Why = Annotated[str, Form(max_length=500)]


@list_pages.get("/lists", act=Permission.LOAD_LISTS, nav=gettext_noop("Lists"), order=50)
def lists(request: CurrentRequest, before: int | None = None) -> Response:
    """The newest loads and the form for a new list, or the part of it that is refreshed."""
    if request.is_part:
        return request.part(_LISTS, "loads", **_overview(request, before))
    return _show_lists(request, before=before)


@list_pages.post("/lists", act=Permission.LOAD_LISTS, most_bytes=MOST_MEGABYTES * _MEGABYTE)
def drop(
    request: CurrentRequest,
    file: Annotated[UploadFile | None, File()] = None,
    source: Annotated[str, Form()] = "",
    dry: Annotated[str, Form()] = "",
) -> Response:
    """Stores the file as a draft and shows what it would bring; nothing is loaded."""
    if file is None or not file.filename:
        return _show_lists(
            request, wrong={"file": request.say(gettext_noop("Choose a file first."))}, source=source
        )
    try:
        draft_id = draft_list(
            request.services,
            request.actor,
            file.file,
            filename=file.filename,
            source=source,
        )
    except UnusableFile as fault:
        text = f"{file.filename}: {refusal_sentence(fault, request.lang)}"
        return _show_lists(request, wrong={"file": text}, source=source)
    except Invalid as fault:
        return _show_lists(request, wrong=_wrong(request, fault), source=source)
    return request.redirect_to(_draft_path(draft_id, dry=bool(dry)))


@list_pages.get("/lists/drafts/{draft_id}", act=Permission.LOAD_LISTS, shows_people=True)
def draft(
    request: CurrentRequest, draft_id: _Number, dry: str = "", problem: str = "", page: _Page = 1
) -> Response:
    """Shows what a draft would bring; redirects to the load of a draft that was loaded meanwhile."""
    try:
        return _show_draft(request, draft_id, dry=bool(dry), shown=RowFilter(problem=problem, page=page))
    except NotFound:
        return _loaded_already(request, draft_id)


@list_pages.get("/lists/drafts/{draft_id}/count", act=Permission.LOAD_LISTS)
def count(request: CurrentRequest, draft_id: _Number) -> Response:
    """Counts all rows of a file that is too long to be counted at once."""
    return request.part(_DRAFT, "counted", measured=measure_draft(request.services, draft_id, by=request.who))


@list_pages.post("/lists/drafts/{draft_id}/columns", act=Permission.LOAD_LISTS)
def columns(
    request: CurrentRequest,
    draft_id: _Number,
    heading: Annotated[list[str] | None, Form()] = None,
    field: Annotated[list[str] | None, Form()] = None,
    word: Annotated[list[str] | None, Form()] = None,
    grade: Annotated[list[str] | None, Form()] = None,
    source: Annotated[str, Form()] = "",
    dry: Annotated[str, Form()] = "",
) -> Response:
    """Applies a column mapping and what words of grades mean to the draft, and keeps both for the next lists of this
    source.
    """
    meant = {
        text[:LONGEST_GRADE_WORD]: Grade(code)
        for text, code in zip(word or (), grade or (), strict=False)
        if text.strip() and code in set(Grade)
    }
    chosen = {
        name: _field(text)
        for name, text in zip(heading or (), field or (), strict=False)
        if text != UNDECIDED
    }
    try:
        correct_draft(request.services, request.actor, draft_id, chosen, source=source, grades=meant)
    except Invalid as fault:
        return _show_draft(request, draft_id, dry=bool(dry), wrong=_wrong(request, fault))
    return request.redirect_to(
        _draft_path(draft_id, dry=bool(dry)), notice=gettext_noop("The column mapping is applied.")
    )


@list_pages.post("/lists/drafts/{draft_id}/columns/forget", act=Permission.LOAD_LISTS)
def forget_columns(request: CurrentRequest, draft_id: _Number, dry: Annotated[str, Form()] = "") -> Response:
    """Removes the corrections of this source: its headings have their own meaning again."""
    forget_corrections(request.services, request.actor, draft_id)
    return request.redirect_to(
        _draft_path(draft_id, dry=bool(dry)),
        notice=gettext_noop("The corrections of this source are removed."),
    )


@list_pages.post("/lists/drafts/{draft_id}/amounts", act=Permission.LOAD_LISTS)
def amounts(request: CurrentRequest, draft_id: _Number, believed: Annotated[str, Form()] = "") -> Response:
    """Says whether the implausible amounts of the draft are right, or that its rows are loaded without them."""
    decide_amounts(request.services, request.actor, draft_id, believed=bool(believed))
    return request.redirect_to(_draft_path(draft_id, dry=False))


@list_pages.post("/lists/drafts/{draft_id}/load", act=Permission.LOAD_LISTS)
def load(request: CurrentRequest, draft_id: _Number) -> Response:
    """Releases the draft to a worker, which loads it."""
    try:
        load_draft(request.services, request.actor, draft_id)
    except Conflict as fault:
        return _show_draft(
            request, draft_id, dry=False, wrong={"columns": refusal_sentence(fault, request.lang)}
        )
    except UnusableFile:
        return _show_draft(request, draft_id, dry=False, status=_INVALID)
    except NotFound:
        return _loaded_already(request, draft_id)
    return request.redirect_to(f"/lists/{draft_id}")


@list_pages.post("/lists/drafts/{draft_id}/forget", act=Permission.LOAD_LISTS)
def forget(request: CurrentRequest, draft_id: _Number) -> Response:
    """Deletes the draft and its file."""
    forget_draft(request.services, request.actor, draft_id)
    return request.redirect_to("/lists", notice=gettext_noop("File discarded; nothing was stored."))


@list_pages.get("/lists/drafts/{draft_id}/rejects", act=Permission.LOAD_LISTS)
def draft_rejects(request: CurrentRequest, draft_id: _Number) -> Response:
    """The rows that would be rejected, as a file with personal data masked."""
    return _file(
        request,
        draft_id,
        lambda path: export_draft_rejects(request.services, request.actor, draft_id, path),
    )


@list_pages.post("/lists/drafts/{draft_id}/rejects", act=Permission.REVEAL_LISTS)
def draft_rejects_in_clear(
    request: CurrentRequest, draft_id: _Number, reason: _Code = "", why: _Why = ""
) -> Response:
    """The rejected rows of a draft in clear, with a reason that the audit records."""
    return _file(
        request,
        draft_id,
        lambda path: export_draft_rejects(
            request.services, request.actor, draft_id, path, why=Why(reason=reason, words=why)
        ),
    )


@list_pages.post("/lists/drafts/{draft_id}/rejects/own", act=Permission.LOAD_LISTS)
def draft_rejects_to_correct(request: CurrentRequest, draft_id: _Number) -> Response:
    """The rejected rows of the own draft in clear, to correct them and load them again."""
    return _file(
        request,
        draft_id,
        lambda path: export_own_draft_rejects(request.services, request.actor, draft_id, path),
    )


@list_pages.get("/lists/{load_id}", act=Permission.LOAD_LISTS, shows_people=True)
def one(request: CurrentRequest, load_id: _Number) -> Response:
    """The page of a load."""
    return _show_load(request, load_id)


@list_pages.get("/lists/{load_id}/came", act=Permission.LOAD_LISTS, shows_people=True)
def outcome(request: CurrentRequest, load_id: _Number) -> Response:
    """The results of its cases so far; the part is requested again until they are counted."""
    found = _outcomes(request).get((load_id, request.member.unit_id))
    return request.part(_LOAD, "came", load_id=load_id, came=found.value)


@list_pages.get("/lists/{load_id}/look", act=Permission.LOAD_LISTS, shows_people=True)
def rest(request: CurrentRequest, load_id: _Number, problem: str = "", page: _Page = 1) -> Response:
    """The preview of the rest of a list that waits for a second person."""
    shown = RowFilter(problem=problem, page=page)
    found = preview_waiting_list(
        request.services,
        load_id,
        visible_to=request.member.unit_id,
        shown=shown,
        finds_cases=request.may(Permission.REVEAL),
    )
    return request.part(_LOAD, "rest", load_id=load_id, look=found, **_words(request))


@list_pages.get("/lists/{load_id}/rejected", act=Permission.LOAD_LISTS, shows_people=True)
def rejected(request: CurrentRequest, load_id: _Number) -> Response:
    """The rejected rows of a list that has just been loaded."""
    return request.part(_LOAD, "rejected", **_load_facts(request, load_id))


@list_pages.get("/lists/{load_id}/rejects", act=Permission.LOAD_LISTS)
def rejects(request: CurrentRequest, load_id: _Number) -> Response:
    """The rejected rows as a file with personal data masked."""
    return _file(
        request,
        load_id,
        lambda path: export_rejects(request.services, request.actor, load_id, path),
    )


@list_pages.post("/lists/{load_id}/rejects", act=Permission.REVEAL_LISTS)
def rejects_in_clear(
    request: CurrentRequest, load_id: _Number, reason: _Code = "", why: _Why = ""
) -> Response:
    """The rejected rows in clear, with a reason that the audit records."""
    return _file(
        request,
        load_id,
        lambda path: export_rejects(
            request.services,
            request.actor,
            load_id,
            path,
            why=Why(reason=reason, words=why),
        ),
    )


@list_pages.post("/lists/{load_id}/rejects/own", act=Permission.LOAD_LISTS)
def rejects_to_correct(request: CurrentRequest, load_id: _Number) -> Response:
    """The rejected rows of a list that this person loaded in clear, to correct them and load them again."""
    return _file(
        request,
        load_id,
        lambda path: export_own_rejects(request.services, request.actor, load_id, path),
    )


@list_pages.get("/lists/{load_id}/correct", act=Permission.LOAD_LISTS)
def show_correctable(request: CurrentRequest, load_id: _Number, after: int = 0) -> Response:
    """The rejected rows of a list that this person loaded in clear, to correct them cell by cell."""
    return _show_correctable(request, load_id, after=after)


@list_pages.post("/lists/{load_id}/correct", act=Permission.LOAD_LISTS, most_bytes=_CORRECTED_BYTES)
def correct(
    request: CurrentRequest,
    load_id: _Number,
    row: Annotated[list[int] | None, Form()] = None,
    cell: Annotated[list[str] | None, Form()] = None,
    after: Annotated[int, Form()] = 0,
) -> Response:
    """Makes a draft of the corrected rows and shows what it would bring; what is refused is shown as it was typed."""
    typed = cell or []
    try:
        draft_id = correct_rows(
            request.services, request.actor, load_id, typed, row_ids=row or [], after=after
        )
    except (Conflict, TooMany, UnusableFile) as fault:
        text = refusal_sentence(fault, request.lang)
        return _show_correctable(request, load_id, after=after, typed=typed, wrong=text)
    return request.redirect_to(_draft_path(draft_id, dry=False))


@list_pages.post("/lists/{load_id}/approve", act=Permission.APPROVE)
def approve(request: CurrentRequest, load_id: _Number) -> Response:
    """Approves a large list: the rest of it is loaded."""
    return _carry_out(
        request,
        load_id,
        lambda: approve_load(request.services, request.actor, load_id),
        gettext_noop("Approved: the rest of it is being loaded."),
    )


@list_pages.post("/lists/{load_id}/pause", act=Permission.LOAD_LISTS)
def pause(
    request: CurrentRequest,
    load_id: _Number,
    minutes: Annotated[float, Form()] = 0,
    why: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Pauses the calls of this list."""
    scope, subject = PauseScope.LOAD, str(load_id)
    return _carry_out(
        request,
        load_id,
        lambda: pause_calls(
            request.services, request.actor, scope=scope, subject=subject, minutes=minutes, why=why
        ),
        gettext_noop("Calls paused."),
        act="pause",
    )


@list_pages.post("/lists/{load_id}/resume", act=Permission.LOAD_LISTS)
def resume(request: CurrentRequest, load_id: _Number) -> Response:
    return _carry_out(
        request,
        load_id,
        lambda: resume_calls(request.services, request.actor, scope=PauseScope.LOAD, subject=str(load_id)),
        gettext_noop("Calls resumed."),
    )


@list_pages.post("/lists/{load_id}/withdraw", act=Permission.LOAD_LISTS)
def withdraw(
    request: CurrentRequest, load_id: _Number, why: Annotated[str, Form(max_length=500)] = ""
) -> Response:
    """Withdraws the list: its calls that have not begun are not made."""
    return _carry_out(
        request,
        load_id,
        lambda: begin_withdrawal(request.services, request.actor, load_id, why=why),
        gettext_noop("The list is withdrawn. What had begun goes on."),
        act="withdraw",
    )


def _carry_out(
    request: RequestContext, load_id: int, do: Callable[[], object], notice: str, *, act: str = ""
) -> Response:
    """Carries out the action and shows the list; a form that is refused is shown again."""
    check_load_visible(request.services, load_id, visible_to=request.member.unit_id)
    try:
        do()
    except Invalid as fault:
        return _show_load(request, load_id, act=act, wrong=_wrong(request, fault))
    except SamePerson:
        notice = _OWN
    except (Conflict, NotFound):
        notice = _MEANWHILE
    return request.redirect_to(f"/lists/{load_id}", notice=notice)


def _wrong(request: RequestContext, fault: Invalid) -> dict[str, str]:
    return {fault.field: refusal_sentence(fault, request.lang)}


_OWN = gettext_noop("The person who loaded a list cannot approve it; another person does.")
_MEANWHILE = gettext_noop("Somebody else has already handled it. The current state is shown.")


def _overview(request: RequestContext, before: int | None) -> dict[str, Any]:
    visible_to = request.member.unit_id
    with request.services.store.begin() as tx:
        waiting = loads_waiting(tx, visible_to=visible_to) if before is None else ()
        page = load_page(tx, visible_to=visible_to, before_id=before, limit=_PAGE)
    return {
        "waiting": waiting,
        "page": page,
        "is_moving": any(line.is_moving for line in (*waiting, *page.lines)),
        "here": f"/lists?before={before}" if before else "/lists",
        "older": f"/lists?before={page.next_before_id}" if page.next_before_id else "",
        "newest": "/lists" if before else "",
    }


def _show_lists(
    request: RequestContext,
    *,
    before: int | None = None,
    wrong: dict[str, str] | None = None,
    source: str = "",
) -> Response:
    with request.services.store.begin() as tx:
        sources = recent_sources(tx, visible_to=request.member.unit_id)
        drafts = drafts_by(tx, by=request.who)
    facts: dict[str, Any] = {
        "wrong": defaultdict(str, wrong or {}),
        "source": source,
        "most_megabytes": MOST_MEGABYTES,
        "sources": sources,
    }
    status = _INVALID if wrong else 200
    if request.is_part:
        return request.part(_LISTS, "drop", status=status, **facts)
    return request.page(_LISTS, status=status, drafts=drafts, **facts, **_overview(request, before))


def _show_draft(
    request: RequestContext,
    draft_id: int,
    *,
    dry: bool,
    wrong: dict[str, str] | None = None,
    status: int = 200,
    shown: RowFilter = _ALL_ROWS,
) -> Response:
    visible_to = request.member.unit_id
    with request.services.store.begin() as tx:
        sources = recent_sources(tx, visible_to=visible_to)
    look, unusable = None, ""
    columns: Iterable[tuple[str, Field | None]] = ()
    undecided: Mapping[str, Field] = {}
    try:
        look = preview_draft(
            request.services,
            draft_id,
            by=request.who,
            visible_to=visible_to,
            shown=shown,
            finds_cases=request.may(Permission.REVEAL),
        )
        columns = ((column.heading, column.field) for column in look.columns)
        undecided = look.undecided
    except UnusableFile as fault:
        unusable = refusal_sentence(fault, request.lang)
        if isinstance(fault, NoPhoneColumn):
            columns = zip(fault.headings, fields_of(fault.headings), strict=True)
    with request.services.store.begin() as tx:
        draft = get_draft(tx, draft_id, by=request.who)  # as the preview has left it
    return request.page(
        _DRAFT,
        implausible_fen=IMPLAUSIBLE_FEN,
        status=_INVALID if wrong else status,
        draft_id=draft_id,
        draft=draft,
        look=look,
        unusable=unusable,
        columns=_once(columns, undecided),
        undecided=undecided,
        measured=None,
        dry=dry,
        wrong=defaultdict(str, wrong or {}),
        fields=[(field.value, request.say(text)) for field, text in FIELDS.items()],
        field_word=lambda field: request.say(FIELDS[field]),
        grades=list(Grade),
        **_words(request),
        sources=sources,
    )


def _show_load(
    request: RequestContext, load_id: int, *, act: str = "", wrong: dict[str, str] | None = None
) -> Response:
    facts = _load_facts(request, load_id)
    line: LoadLine = facts["line"]
    if request.is_part:
        response = request.part(_LOAD, "live", **facts)
        if not line.is_moving:
            response.headers["HX-Trigger"] = "list-over"
        return response
    is_short = line.accepted + line.early_accepted <= _AT_ONCE
    came = _outcomes(request).get((load_id, request.member.unit_id)).value if is_short else None
    return request.page(
        _LOAD,
        status=_INVALID if wrong else 200,
        field_word=lambda field: request.say(FIELDS[field]),
        came=came,
        pauses=PAUSES,
        act=act,
        wrong=defaultdict(str, wrong or {}),
        **facts,
    )


def _show_correctable(
    request: RequestContext, load_id: int, *, after: int, typed: Sequence[str] = (), wrong: str = ""
) -> Response:
    rows = rows_to_correct(request.services, request.actor, load_id, after=after)
    with request.services.store.begin() as tx:
        line = load_line(tx, load_id, visible_to=request.member.unit_id)
    is_same = len(typed) == sum(len(row.cells) for row in rows)
    cells = iter(typed if is_same else [cell.text for row in rows for cell in row.cells])
    return request.page(
        _CORRECT,
        status=_INVALID if wrong else 200,
        line=line,
        rows=[(row, [(cell, next(cells)) for cell in row.cells]) for row in rows],
        after=after,
        next_after=rows[-1].id if len(rows) == ROWS_AT_ONCE else None,
        wrong=wrong,
        **_words(request),
    )


def _load_facts(request: RequestContext, load_id: int) -> dict[str, Any]:
    with request.services.store.begin() as tx:
        line = load_line(tx, load_id, visible_to=request.member.unit_id)
        columns = columns_of_load(tx, load_id)
        rejects = first_reject_lines(tx, load_id, limit=_SHOWN_REJECTS)
        waiting = waiting_of_list(tx, load_id)
    is_own = is_same_actor(line.by, request.who)
    return {
        "load_id": load_id,
        "line": line,
        "columns": columns,
        "rejects": rejects,
        "waiting": waiting,
        "sees_sources": request.may(Permission.SEE_CONTROL) and request.member.unit_id is None,
        **_words(request),
        "may_approve": request.may(Permission.APPROVE) and not is_own,
        "is_own": is_own,
        "look": None,
    }


def _words(request: RequestContext) -> dict[str, Any]:
    grade = request.services.centre.default_grade
    return {
        "may_reveal_rows": request.may(Permission.REVEAL_LISTS),
        "reveal_reasons": list(RevealReason),
        "reason": lambda text: sentence(text if isinstance(text, Text) else Text.load(text), request.lang),
        "notice": lambda code: notice_words(code, request.lang, default_grade=grade),
    }


def _once(
    columns: Iterable[tuple[str, Field | None]], undecided: Mapping[str, Field]
) -> list[tuple[str, str]]:
    """Each heading once, those to be decided first, with the choice that is offered: a correction applies to every
    column with that heading. What a column looks like is offered unless another one is read as it already.
    """
    found: dict[str, str] = {}
    for heading, field in columns:
        if heading and heading not in undecided:
            found.setdefault(heading, field.value if field else "")
    first: dict[str, str] = {}
    for heading, likely in undecided.items():
        is_free = likely.value not in {*found.values(), *first.values()}
        first[heading] = likely.value if is_free else UNDECIDED
    return [*first.items(), *found.items()]


def _loaded_already(request: RequestContext, draft_id: int) -> Response:
    """Redirects to the list that the draft has become, for a person who goes back or clicks twice.
    Raises `NotFound`.
    """
    check_load_visible(request.services, draft_id, visible_to=request.member.unit_id)
    return request.redirect_to(f"/lists/{draft_id}")


def _draft_path(draft_id: int, *, dry: bool) -> str:
    return f"/lists/drafts/{draft_id}" + ("?dry=1" if dry else "")


def _field(text: str) -> Field | None:
    """The field of a column; None for a column without one."""
    return next((field for field in Field if field.value == text), None)


def _file(request: RequestContext, load_id: int, write: Callable[[Path], int]) -> Response:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rejects.xlsx"
        write(path)
        body = path.read_bytes()
    at = request.now.astimezone(request.services.centre.zone)
    disposition = f'attachment; filename="rejects-{load_id}-{at:%Y%m%d-%H%M}.xlsx"'
    return Response(body, media_type=_XLSX, headers={"Content-Disposition": disposition})


def _outcomes(request: RequestContext) -> Cache[tuple[int, int | None], LoadOutcome]:
    """The cached outcome of each list, as far as a unit sees it."""
    services = request.services
    return request.cache("came", lambda key: load_outcome(services, key[0], visible_to=key[1]))
