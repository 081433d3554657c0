"""What an officer reads of a visit: clocks, the course of it, and why the server did not take what his phone sent.

One visit's page, as its parts need it.

What a phone sends and is answered: by itself as data, from a plain form as the page again.

The notice 劝阻告知书 as it is laid out on paper, each sheet in its own language whatever the page speaks.

Visits: who waits for an officer at the door, and what he needs there.

What is done on a visit. From a phone each act may come twice, late, or long after it was done: it counts once.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from fastapi import File, Form, UploadFile
from starlette.responses import JSONResponse, Response

from dialer.core.access import Permission
from dialer.core.case import AssignmentState, PersonMet, Reason, VisitStage
from dialer.core.errors import Conflict, Invalid, NotFound, Refusal
from dialer.core.timeline import ActKind
from dialer.core.values import Amounts, Contact, OutcomeKind, fen_of
from dialer.language import Lang, gettext_noop, say
from dialer.org.staff import list_units
from dialer.web.console import CurrentRequest, RequestContext, Section
from dialer.web.formats import format_day, unit_tree
from dialer.web.rendering import static
from dialer.wording.sentences import refusal_sentence
from dialer.wording.words import word_of
from dialer.work.desk import points_of, show_hand_over
from dialer.work.tasks import release_assignment
from dialer.work.transfers import accept_transfer, refuse_transfer, transfer_assignment
from dialer.work.visit_store import VisitAct, VisitClock, VisitLine
from dialer.work.visits import (
    FromPhone,
    Notice,
    Sent,
    VisitReport,
    add_photo,
    list_visits,
    look_at_transfer,
    look_at_visit,
    may_print,
    note_visit,
    open_visit,
    print_notice,
    report_visit,
    show_photo_of,
    take_step,
    tell_seen,
)

CLOCKS: Final[Mapping[VisitClock, str]] = {
    VisitClock.SIGN: gettext_noop("Acknowledge by"),
    VisitClock.ARRIVE: gettext_noop("Arrive by"),
    VisitClock.REPORT: gettext_noop("Report by"),
}
RESULTS: Final[tuple[tuple[str, tuple[OutcomeKind, ...]], ...]] = (
    (
        gettext_noop("The person will not pay"),
        (OutcomeKind.DISSUADED_IN_PERSON, OutcomeKind.SAW_THROUGH_IT, OutcomeKind.DISSUADED_BY_PHONE),
    ),
    (
        gettext_noop("Not dissuaded"),
        (OutcomeKind.HALF_BELIEVES, OutcomeKind.REFUSES, OutcomeKind.ALREADY_DEFRAUDED),
    ),
    (
        gettext_noop("Not met, or the record is wrong"),
        (
            OutcomeKind.CANNOT_FIND_YET,
            OutcomeKind.CANNOT_FIND,
            OutcomeKind.LANGUAGE_OR_HEARING,
            OutcomeKind.NOT_THE_PERSON,
            OutcomeKind.MISMATCH,
        ),
    ),
)
STEPS: Final = (VisitStage.ACCEPTED, VisitStage.ON_THE_WAY, VisitStage.ARRIVED, VisitStage.SEEN)


def refused_words(fault: Refusal, lang: Lang) -> str:
    """Why it was not taken, in one sentence."""
    if isinstance(fault, NotFound):
        return say(lang, "The visit is not there, or belongs to another unit now.")
    return refusal_sentence(fault, lang)


def withdrawn_words(why: str, lang: Lang) -> str:
    reason = next((one for one in Reason if one.value == why), None)
    told = word_of(reason, lang) if reason is not None else why
    return say(lang, "No visit is needed any more: %(why)s.", why=told)


def over_words(line: VisitLine, lang: Lang) -> str:
    """How a visit ended."""
    if line.state is AssignmentState.WITHDRAWN:
        return withdrawn_words(line.withdrawn_why, lang)
    what = word_of(line.outcome, lang) if line.outcome is not None else ""
    return say(lang, "%(who)s reported: %(what)s.", who=line.done_by, what=what)


def course_words(told: VisitAct, lang: Lang) -> str:
    """One act, without what was typed."""
    facts = told.facts
    match told.kind:
        case ActKind.VISIT_SEEN:
            seen = word_of(PersonMet(facts["who"]), lang)
            return say(lang, "seen: %(who)s", who=seen)
        case ActKind.VISIT_NOTE if facts.get("late"):
            what = word_of(OutcomeKind(facts["outcome"]), lang)
            return say(lang, "report that came too late, kept as a note: %(what)s", what=what)
        case ActKind.TRANSFER_ASKED | ActKind.TRANSFER_ACCEPTED | ActKind.UNIT_RAISED if facts.get("to"):
            return f"{word_of(told.kind, lang)}: {facts['to']}"
        case _:
            return word_of(told.kind, lang)


TEMPLATE = "console/visit.html"
_CONFLICT = 409


def show_visit(
    visit: RequestContext, visit_id: int, *, status: int = 200, wrong: str = "", in_hand: bool = False
) -> Response:
    """The page, or (`in_hand`) what changes when a visit is taken. Whoever has it in hand sees the person in clear, and
    the look is in the audit.
    """
    opened = open_visit(visit.services, visit_id, who=visit.who, visible_to=visit.member.unit_id)
    line = opened.line
    facts: dict[str, Any] = {
        **_head_facts(visit, line),
        "opened": opened,
        "may_print": may_print(line, who=visit.who),
        "may_answer": line.transfer is not None and _is_of(visit, line.transfer.to_unit_id),
        "course": [(told, course_words(told, visit.lang)) for told in opened.course],
        "points": points_of(line.fraud_type, visit.lang.value),
        "wrong": wrong,
        **form_facts(),
    }
    if in_hand:
        return visit.part(TEMPLATE, "hand", **facts)
    others = [unit for unit in list_units(visit.services, visible_to=None) if unit.active]
    return visit.page(TEMPLATE, status=status, units=unit_tree(others), **facts)


def show_why_not(visit: RequestContext, visit_id: int) -> Response:
    """The visit's page, for whoever asked what only its officer gets."""
    wrong = visit.say("Only whoever has the visit in hand sees this.")
    return show_visit(visit, visit_id, status=_CONFLICT, wrong=wrong)


def show_head(visit: RequestContext, visit_id: int) -> Response:
    """How far the visit is; masked, so that a page may look again and again."""
    line = look_at_visit(visit.services, visit_id, who=visit.who, visible_to=visit.member.unit_id)
    return visit.part(TEMPLATE, "head", **_head_facts(visit, line))


def _head_facts(visit: RequestContext, line: VisitLine) -> dict[str, Any]:
    return {
        "line": line,
        "is_mine": line.is_held_by(visit.who),
        "over": "" if line.is_pending else over_words(line, visit.lang),
        "clock": visit.say(CLOCKS[line.clock]),
        "steps": STEPS,
    }


def form_facts() -> dict[str, Any]:
    """What the forms need whichever visit it is."""
    return {
        "people": list(PersonMet),
        "results": RESULTS,
        "contacts": list(Contact),
        "new_id": lambda: str(uuid.uuid4()),
    }


def _is_of(visit: RequestContext, unit_id: int) -> bool:
    """The unit is this person's own, or one below it."""
    if visit.member.unit_id is None:
        return True
    return any(unit.id == unit_id for unit in list_units(visit.services, visible_to=visit.member.unit_id))


Shown = Callable[[int, str], Response]
"""Shows the page again, with this status and this word of what is wrong."""


def from_phone(visit: RequestContext, client_id: str, told_at: str) -> FromPhone:
    """Raises `Invalid` for a number that is none: what has no number cannot count once."""
    try:
        number = uuid.UUID(client_id)
    except ValueError:
        raise Invalid(field="client_id", problem="is no number that a phone made") from None
    return FromPhone(
        client_id=number, by=visit.who, told_at=_moment(told_at), visible_to=visit.member.unit_id
    )


def _moment(text: str) -> datetime | None:
    """The phone's own time; one that it cannot say is left out rather than losing the act."""
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        return None
    return told.astimezone(UTC) if told.tzinfo is not None else None


def taken(
    visit: RequestContext, visit_id: int, act: Callable[[], Sent], *, notice: str, again: Shown
) -> Response:
    """Whatever the act comes to, said so that a phone may forget it, or keep it and say why it was refused. Raises
    `NotFound` for a visit of another unit.
    """
    try:
        sent = act()
    except Refusal as fault:
        return refused(visit, fault, again=again)
    if visit.is_part:
        return JSONResponse({"stage": sent.stage.value, "state": sent.state.value, "repeated": sent.repeated})
    return visit.go(f"/visits/{visit_id}", notice=notice)


def refused(visit: RequestContext, fault: Refusal, *, again: Shown) -> Response:
    status = 404 if isinstance(fault, NotFound) else 409 if isinstance(fault, Conflict) else 422
    if visit.is_part:
        return JSONResponse({"refused": refused_words(fault, visit.lang)}, status_code=status)
    if isinstance(fault, NotFound):
        raise fault
    return again(status, refused_words(fault, visit.lang))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    lang: Lang
    bureau: str
    number: str
    title: str
    name: str
    facts: tuple[tuple[str, str], ...]
    """Who is addressed: heading and text."""
    greeting: str
    paragraphs: tuple[str, ...]
    receipt: str
    signatures: tuple[tuple[str, str], ...]
    """Heading, and what is printed above the line; '' is left to be written."""
    seal: str
    day: str
    copies: str


_RECEIPT = gettext_noop(
    "I have read this notice, and the officers have explained it to me. "
    "I know how this fraud works, and what I may lose."
)
_COPIES = gettext_noop("In two copies: one for the person addressed, one for the files.")


def notice_views(notice: Notice, *, officer: str) -> tuple[Sheet, ...]:
    """One sheet a language, Chinese first."""
    return tuple(_sheet(notice, lang, officer=officer) for lang in Lang)


def _sheet(notice: Notice, lang: Lang, *, officer: str) -> Sheet:
    text = notice.texts[lang.value]
    printed = format_day(notice.printed_at, lang, ZoneInfo(notice.timezone))
    facts = (
        (say(lang, "Name"), notice.name),
        (say(lang, "Identity number"), notice.id_number),
        (say(lang, "Home address"), notice.address),
        (say(lang, "Handled by"), notice.unit),
    )
    return Sheet(
        lang=lang,
        bureau=notice.bureau.get(lang.value, ""),
        number=say(lang, "No. %(number)s", number=f"{notice.printed_at.year}-{notice.case_id:06}"),
        title=text.title,
        name=notice.name,
        facts=tuple((heading, told) for heading, told in facts if told),
        greeting=text.paragraphs[0],
        paragraphs=text.paragraphs[1:],
        receipt=say(lang, _RECEIPT),
        signatures=(
            (say(lang, "Person addressed (signature, fingerprint)"), ""),
            (say(lang, "Date"), ""),
            (say(lang, "Officer (signature, number)"), officer),
            (say(lang, "Second officer (signature, number)"), ""),
        ),
        seal=say(lang, "(seal)"),
        day=printed,
        copies=say(lang, _COPIES),
    )


visit_pages = Section()
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


@visit_pages.get("/visits", act=Permission.WORK_VISITS, nav=gettext_noop("Visits"), order=30)
def visits(visit: CurrentRequest, unit: str = "") -> Response:
    unit_id = int(unit) if unit.isdecimal() and len(unit) < 10 else None  # noqa: PLR2004  # beyond it none is
    found = list_visits(visit.services, who=visit.who, visible_to=visit.member.unit_id, unit_id=unit_id)
    facts: dict[str, Any] = {
        "found": found,
        "asked": {"unit": str(unit_id)} if unit_id is not None else {},
        "units": unit_tree(list_units(visit.services, visible_to=visit.member.unit_id)),
        "clocks": {clock: visit.say(text) for clock, text in CLOCKS.items()},
        **form_facts(),
    }
    if visit.is_part:
        return visit.part(_LIST, "found", **facts)
    return visit.page(_LIST, **facts)


@visit_pages.get("/visits/pulse", act=Permission.WORK_VISITS)
def pulse(visit: CurrentRequest) -> Response:
    """Whether this phone may send, as whom, and with which proof."""
    return JSONResponse({"csrf": visit.csrf, "owner": visit.member.id})


@visit_pages.get("/visits/offline", act=Permission.WORK_VISITS)
def offline(visit: CurrentRequest) -> Response:
    """The page that a phone shows where there is no connection: it holds nothing of any visit."""
    return visit.page("console/visit_offline.html", **form_facts())


@visit_pages.get("/visits/worker.js", act=Permission.WORK_VISITS)
def worker(visit: CurrentRequest) -> Response:
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


@visit_pages.get("/visits/{visit_id}", act=Permission.WORK_VISITS)
def one_visit(visit: CurrentRequest, visit_id: int, part: str = "") -> Response:
    if visit.is_part and part == "head":
        return show_head(visit, visit_id)
    return show_visit(visit, visit_id, in_hand=visit.is_part and part == "hand")


@visit_pages.get("/visits/{visit_id}/conversation", act=Permission.WORK_VISITS)
def conversation(visit: CurrentRequest, visit_id: int) -> Response:
    line = look_at_visit(visit.services, visit_id, who=visit.who, visible_to=visit.member.unit_id)
    if not line.is_held_by(visit.who):
        return show_why_not(visit, visit_id)
    facts: dict[str, Any] = {"line": line, "talk": show_hand_over(visit.services, visit_id, by=visit.who)}
    if visit.is_part:
        return visit.part("console/visit_talk.html", "talk", **facts)
    return visit.page("console/visit_talk.html", **facts)


@visit_pages.get("/visits/{visit_id}/notice", act=Permission.WORK_VISITS)
def notice(visit: CurrentRequest, visit_id: int) -> Response:
    line = look_at_visit(visit.services, visit_id, who=visit.who, visible_to=visit.member.unit_id)
    if not may_print(line, who=visit.who):
        return show_why_not(visit, visit_id)
    printed = print_notice(visit.services, line.case_id, who=visit.who)
    return visit.page(
        "console/notice.html", line=line, sheets=notice_views(printed, officer=visit.member.display_name)
    )


visit_act_pages = Section()
_PHOTO_BYTES = 12 << 20
"""Of the whole request; how large a photo may be is the setting's."""

_Text = Annotated[str, Form(max_length=4000)]
_Short = Annotated[str, Form(max_length=100)]


@visit_act_pages.post("/visits/{visit_id}/step", act=Permission.WORK_VISITS)
def step(
    visit: CurrentRequest, visit_id: int, stage: _Short = "", client_id: _Short = "", told_at: _Short = ""
) -> Response:
    """Accepted, on the way, arrived."""

    def act() -> Sent:
        phone = from_phone(visit, client_id, told_at)
        known = next((one for one in VisitStage if one.value == stage), VisitStage.NONE)
        return take_step(visit.services, visit_id, known, phone=phone)

    return taken(visit, visit_id, act, notice=gettext_noop("It is on record."), again=_again(visit, visit_id))


@visit_act_pages.post("/visits/{visit_id}/seen", act=Permission.WORK_VISITS)
def seen(
    visit: CurrentRequest,
    visit_id: int,
    who: _Short = "",
    note: _Text = "",
    client_id: _Short = "",
    told_at: _Short = "",
) -> Response:
    def act() -> Sent:
        phone = from_phone(visit, client_id, told_at)
        met = next((one for one in PersonMet if one.value == who), None)
        if met is None:
            raise Invalid(field="who", problem=gettext_noop("choose the person met"))
        return tell_seen(visit.services, visit_id, met, phone=phone, note=note)

    return taken(visit, visit_id, act, notice=gettext_noop("It is on record."), again=_again(visit, visit_id))


@visit_act_pages.post("/visits/{visit_id}/note", act=Permission.WORK_VISITS)
def note(
    visit: CurrentRequest, visit_id: int, words: _Text = "", client_id: _Short = "", told_at: _Short = ""
) -> Response:
    def act() -> Sent:
        phone = from_phone(visit, client_id, told_at)
        return note_visit(visit.services, visit_id, phone=phone, words=words)

    return taken(
        visit, visit_id, act, notice=gettext_noop("The note is kept."), again=_again(visit, visit_id)
    )


@visit_act_pages.post("/visits/{visit_id}/photo", act=Permission.WORK_VISITS, most_bytes=_PHOTO_BYTES)
def photo(
    visit: CurrentRequest,
    visit_id: int,
    photo: Annotated[UploadFile | None, File()] = None,
    client_id: _Short = "",
    told_at: _Short = "",
) -> Response:
    def act() -> Sent:
        phone = from_phone(visit, client_id, told_at)
        content = photo.file.read() if photo is not None else b""
        if not content:
            raise Invalid(field="photo", problem=gettext_noop("choose a photo"))
        return add_photo(visit.services, visit_id, phone=phone, content=content)

    return taken(
        visit, visit_id, act, notice=gettext_noop("The photo is kept."), again=_again(visit, visit_id)
    )


@visit_act_pages.post("/visits/{visit_id}/report", act=Permission.WORK_VISITS)
def report(
    visit: CurrentRequest,
    visit_id: int,
    outcome: _Short = "",
    contact: _Short = "",
    intended: _Short = "",
    stopped: _Short = "",
    returned: _Short = "",
    evidence: _Text = "",
    note: _Text = "",
    client_id: _Short = "",
    told_at: _Short = "",
) -> Response:
    """反馈."""

    def act() -> Sent:
        phone = from_phone(visit, client_id, told_at)
        kind = next((one for one in OutcomeKind if one.value == outcome), None)
        if kind is None:
            raise Invalid(field="outcome", problem=gettext_noop("choose the result"))
        result = VisitReport(
            outcome=kind,
            contact=next((one for one in Contact if one.value == contact), None),
            amounts=Amounts(
                intended_fen=fen_of(intended or "0", field="intended"),
                stopped_fen=fen_of(stopped or "0", field="stopped"),
                returned_fen=fen_of(returned or "0", field="returned"),
            ),
            evidence=evidence,
            note=note,
        )
        return report_visit(visit.services, visit_id, result, phone=phone)

    return taken(
        visit,
        visit_id,
        act,
        notice=gettext_noop("The report is on record."),
        again=_again(visit, visit_id),
    )


@visit_act_pages.post("/visits/{visit_id}/photos/{client_id}", act=Permission.WORK_VISITS)
def look_at_photo(
    visit: CurrentRequest, visit_id: int, client_id: uuid.UUID, why: Annotated[str, Form(max_length=500)] = ""
) -> Response:
    """The picture itself; who looked and why is in the audit."""
    media_type, content = show_photo_of(
        visit.services, visit_id, client_id, who=visit.who, visible_to=visit.member.unit_id, why=why
    )
    return Response(content, media_type=media_type, headers={"Content-Disposition": "inline"})


@visit_act_pages.post("/visits/{visit_id}/release", act=Permission.WORK_VISITS)
def release(visit: CurrentRequest, visit_id: int, why: _Text = "") -> Response:
    """Back to the queue."""
    look_at_visit(visit.services, visit_id, who=visit.who, visible_to=visit.member.unit_id)
    try:
        release_assignment(visit.services, visit_id, by=visit.who, why=why)
    except Refusal as fault:
        return refused(visit, fault, again=_again(visit, visit_id))
    return visit.go("/visits", notice=gettext_noop("The visit is back in the queue. Its clocks go on."))


@visit_act_pages.post("/visits/{visit_id}/transfer", act=Permission.WORK_VISITS)
def transfer(visit: CurrentRequest, visit_id: int, to: _Short = "", why: _Text = "") -> Response:
    look_at_visit(visit.services, visit_id, who=visit.who, visible_to=visit.member.unit_id)
    try:
        if not to.isdecimal() or len(to) > 9:  # noqa: PLR2004  # beyond it none is
            raise Invalid(field="to", problem=gettext_noop("choose a unit"))
        transfer_assignment(visit.services, visit_id, to_unit_id=int(to), by=visit.who, why=why)
    except NotFound:
        return _again(visit, visit_id)(422, visit.say("choose a unit"))
    except Refusal as fault:
        return refused(visit, fault, again=_again(visit, visit_id))
    return visit.go(
        f"/visits/{visit_id}",
        notice=gettext_noop("The other unit is asked. Until it accepts the visit stays yours."),
    )


@visit_act_pages.post("/visits/transfers/{transfer_id}/accept", act=Permission.WORK_VISITS)
def accept(visit: CurrentRequest, transfer_id: int) -> Response:
    """The visit is this officer's own."""
    line = look_at_transfer(visit.services, transfer_id, visible_to=visit.member.unit_id)
    try:
        accept_transfer(visit.services, transfer_id, by=visit.who, visible_to=visit.member.unit_id)
    except Refusal as fault:
        return refused(visit, fault, again=_again(visit, line.id))
    return visit.go(f"/visits/{line.id}", notice=gettext_noop("The visit is yours. Its clocks go on."))


@visit_act_pages.post("/visits/transfers/{transfer_id}/refuse", act=Permission.WORK_VISITS)
def refuse(visit: CurrentRequest, transfer_id: int, why: _Text = "") -> Response:
    line = look_at_transfer(visit.services, transfer_id, visible_to=visit.member.unit_id)
    try:
        refuse_transfer(visit.services, transfer_id, by=visit.who, why=why, visible_to=visit.member.unit_id)
    except Refusal as fault:
        return refused(visit, fault, again=_again(visit, line.id))
    return visit.go("/visits", notice=gettext_noop("The transfer is refused; whoever asked sees why."))


def _again(visit: RequestContext, visit_id: int) -> Shown:
    def show(status: int, wrong: str) -> Response:
        return show_visit(visit, visit_id, status=status, wrong=wrong)

    return show
