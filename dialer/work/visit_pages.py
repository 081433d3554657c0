"""Pages of visits: the list, one visit, the conversation, the printed notice, and the acts of an officer's phone. A
phone may send each act twice, late or after the visit ended; it is answered with JSON, a plain form with the page.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Final

from fastapi import Depends, File, Form, UploadFile
from starlette.responses import JSONResponse, Response

from dialer.core.access import Permission, RevealReason
from dialer.core.case import AssignmentState, PersonMet, Reason, VisitStage, contact_of_outcome
from dialer.core.errors import Conflict, Invalid, NotFound, Refusal
from dialer.core.places import map_link
from dialer.core.text import Lang, gettext_noop
from dialer.core.timeline import ActKind
from dialer.core.values import (
    Amounts,
    Contact,
    EvidenceKind,
    OutcomeKind,
    ScammerContact,
    parse_yuan,
    typed_evidence,
)
from dialer.language.catalogue import say
from dialer.language.sentences import refusal_sentence
from dialer.language.words import actor_word, word_of
from dialer.runtime.services import Services
from dialer.staff.sign_in import list_units
from dialer.web.console import CurrentRequest, PageSection, RequestContext
from dialer.web.formats import format_day, typed_word, unit_tree
from dialer.web.rendering import static
from dialer.work.desk import call_points, notice_text, show_hand_over
from dialer.work.desk_view import SCAMMER_MISSING
from dialer.work.stop_requests import report_paid
from dialer.work.tasks import WorkReport, release_assignment
from dialer.work.transfers import accept_transfer, refuse_transfer, transfer_assignment
from dialer.work.visit_store import VisitAct, VisitClock, VisitLine
from dialer.work.visits import (
    PaperNotice,
    PhoneAct,
    RecordedAct,
    add_photo,
    list_visits,
    look_at_transfer,
    may_print,
    note_visit,
    open_visit,
    print_notice,
    read_visit,
    record_person_met,
    report_visit,
    show_photo_of,
    take_step,
)

CLOCKS: Final[Mapping[VisitClock, str]] = {
    VisitClock.SIGN: gettext_noop("Sign for by"),
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


def end_sentence(line: VisitLine, lang: Lang, name_of: Callable[[str], str]) -> str:
    """The sentence that says how a visit ended. `name_of`: the display name of a login."""
    if line.state is AssignmentState.WITHDRAWN:
        why = line.withdrawn_why
        reason = word_of(Reason(why), lang) if why in set(Reason) else why
        return say(lang, "No visit is needed any more: %(why)s.", why=reason)
    what = word_of(line.outcome, lang) if line.outcome is not None else ""
    return say(
        lang,
        "%(who)s reported: %(what)s.",
        who=actor_word(line.done_by, lang, {line.done_by: name_of(line.done_by)}),
        what=what,
    )


def act_sentence(act: VisitAct, lang: Lang) -> str:
    """The sentence that describes one act, without the text typed with it."""
    facts = act.facts
    match act.kind:
        case ActKind.VISIT_SEEN:
            seen = word_of(PersonMet(facts["who"]), lang)
            return say(lang, "seen: %(who)s", who=seen)
        case ActKind.VISIT_NOTE if facts.get("late"):
            what = word_of(OutcomeKind(facts["outcome"]), lang)
            return say(lang, "report that came too late, kept as a note: %(what)s", what=what)
        case ActKind.TRANSFER_ASKED | ActKind.TRANSFER_ACCEPTED | ActKind.UNIT_RAISED if facts.get("to"):
            return f"{word_of(act.kind, lang)}: {facts['to']}"
        case _:
            return word_of(act.kind, lang)


TEMPLATE = "console/visit.html"
_CONFLICT, _UNFIT = 409, 422


def show_visit(
    request: RequestContext, visit_id: int, *, status: int = 200, wrong: str = "", in_hand: bool = False
) -> Response:
    """The page, or with `in_hand` the part that changes when the visit is signed for. Its holder sees the person in
    clear, with a line in the audit.
    """
    opened = open_visit(request.services, request.actor, visit_id)
    line = opened.line
    facts: dict[str, Any] = {
        **_head_facts(request, line),
        "opened": opened,
        "map": map_link(request.services.work.map_address, opened.place) if opened.place else "",
        "unit_of": _unit_labels(request) if opened.nearby else None,
        "may_print": may_print(line, who=request.who),
        "may_answer": line.transfer is not None and _is_own_unit(request, line.transfer.to_unit_id),
        "course": [(act, act_sentence(act, request.lang)) for act in opened.course],
        "points": call_points(line.fraud_type, request.lang.value),
        "wrong": wrong,
        **form_facts(),
    }
    if in_hand:
        return request.part(TEMPLATE, "hand", **facts)
    others = [unit for unit in list_units(request.services, visible_to=None) if unit.active]
    return request.page(TEMPLATE, status=status, units=unit_tree(others), **facts)


def _unit_labels(request: RequestContext) -> Callable[[int | None], str]:
    with request.services.store.begin() as tx:
        index = request.services.units.current(tx)
    return lambda unit_id: index.label(unit_id) if unit_id is not None else ""


def show_why_not(request: RequestContext, visit_id: int) -> Response:
    """The page of the visit, with a refusal: only the holder of the visit may see what was asked for."""
    wrong = request.say(gettext_noop("Only the officer who has the visit sees this."))
    return show_visit(request, visit_id, status=_CONFLICT, wrong=wrong)


def show_head(request: RequestContext, visit_id: int) -> Response:
    """The progress of the visit, masked: refreshed by an open page."""
    line = read_visit(request.services, request.actor, visit_id)
    return request.part(TEMPLATE, "head", **_head_facts(request, line))


def _head_facts(request: RequestContext, line: VisitLine) -> dict[str, Any]:
    return {
        "line": line,
        "reveal_reasons": list(RevealReason),
        "is_mine": line.is_held_by(request.who),
        "over": "" if line.is_pending else end_sentence(line, request.lang, request.pages.name_of),
        "clock": request.say(CLOCKS[line.clock]),
        "steps": STEPS,
    }


def form_facts() -> dict[str, Any]:
    """The facts that the forms of every visit need."""
    return {
        "people": list(PersonMet),
        "results": RESULTS,
        "contacts": list(Contact),
        "met": {kind for kind in OutcomeKind if contact_of_outcome(kind) is Contact.VERIFIED},
        "scammer_contacts": list(ScammerContact),
        "evidence_kinds": list(EvidenceKind),
        "new_id": lambda: str(uuid.uuid4()),
    }


def _is_own_unit(request: RequestContext, unit_id: int) -> bool:
    """Whether the unit is this person's own, or one below it."""
    if request.member.unit_id is None:
        return True
    return any(unit.id == unit_id for unit in list_units(request.services, visible_to=request.member.unit_id))


_Text = Annotated[str, Form(max_length=4000)]
_Short = Annotated[str, Form(max_length=100)]


@dataclass(slots=True)
class PhoneForm:
    """Sent with every act on a visit: the number that the phone gave the act, and the time by the phone's clock."""

    request: CurrentRequest
    visit_id: int
    client_id: _Short = ""
    told_at: _Short = ""

    def apply(self, act: Callable[..., RecordedAct], notice: str) -> Response:
        """The answer to an act of `visits.py`: the state of the visit, or why it was refused. Raises `NotFound` from a
        plain form for a visit of another unit.
        """
        request = self.request
        try:
            sent = act(request.services, self.visit_id, phone=self._from_phone())
        except Refusal as fault:
            return _refused(request, self.visit_id, fault)
        if request.is_part:
            state = {"stage": sent.stage.value, "state": sent.state.value, "repeated": sent.repeated}
            return JSONResponse(state)
        return request.redirect_to(f"/visits/{self.visit_id}", notice=notice)

    def _from_phone(self) -> PhoneAct:
        """Raises `Invalid` without a valid number. An invalid time is left out."""
        try:
            number = uuid.UUID(self.client_id)
        except ValueError:
            raise Invalid(field="client_id", problem="is not a valid act number") from None
        try:
            at = datetime.fromisoformat(self.told_at)
            told_at = at.astimezone(UTC) if at.tzinfo is not None else None
        except (ValueError, OverflowError):
            told_at = None
        return PhoneAct(client_id=number, actor=self.request.actor, told_at=told_at)


Phone = Annotated[PhoneForm, Depends()]


def _refused(request: RequestContext, visit_id: int, fault: Refusal) -> Response:
    status = 404 if isinstance(fault, NotFound) else 409 if isinstance(fault, Conflict) else 422
    if request.is_part:
        gone = gettext_noop("The visit is not there, or belongs to another unit now.")
        why = (
            say(request.lang, gone) if isinstance(fault, NotFound) else refusal_sentence(fault, request.lang)
        )
        return JSONResponse({"refused": why}, status_code=status)
    if isinstance(fault, NotFound):
        raise fault
    return show_visit(request, visit_id, status=status, wrong=refusal_sentence(fault, request.lang))


_UNIT_DIGITS = 9
"""No unit id has more digits."""


def _unit_id(text: str) -> int | None:
    """The id of a unit; None for a text that is not one."""
    return int(text) if text.isdecimal() and len(text) <= _UNIT_DIGITS else None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeSheet:
    """The notice 劝阻告知书 in one language, as it is laid out on paper."""

    lang: Lang
    bureau: str
    number: str
    title: str
    facts: tuple[tuple[str, str], ...]
    """About the person: pairs of heading and text."""
    greeting: str
    paragraphs: tuple[str, ...]
    receipt: str
    signatures: tuple[tuple[str, str], ...]
    """Heading, and the text above the line; '' is left to be written by hand."""
    seal: str
    day: str
    copies: str


_RECEIPT = gettext_noop(
    "I have read this notice, and the officers have explained it to me. "
    "I know how this fraud works, and what I may lose."
)
_COPIES = gettext_noop("In two copies: one for the person addressed, one for the files.")


_HOTLINE = "96110"


def _as_dialled(number: str) -> str:
    """The number as it is dialled within the country: a landline with its area code."""
    national = number.removeprefix("+86")
    is_landline = national != number and not national.startswith("1")
    return f"0{national}" if is_landline else national


def notice_sheet(request: RequestContext, case_id: int, notice: PaperNotice, lang: Lang) -> NoticeSheet:
    """The notice in one language, for the signature of the officer who prints it."""
    person, centre = notice.person, request.services.centre
    bureau, zone = centre.bureau.get(lang.value, ""), centre.zone
    year = notice.printed_at.astimezone(zone).year
    hotline = _as_dialled(centre.callback_number) or _HOTLINE
    text = notice_text(notice.fraud_type, lang.value, name=person.name, bureau=bureau, hotline=hotline)
    facts = (
        (say(lang, "Name"), person.name),
        (say(lang, "Identity number"), person.id_number),
        (say(lang, "Home address"), person.address),
        (say(lang, "Handled by"), notice.unit),
    )
    return NoticeSheet(
        lang=lang,
        bureau=bureau,
        number=say(lang, "No. %(number)s", number=f"{year}-{case_id:06}"),
        title=text.title,
        facts=tuple((heading, fact) for heading, fact in facts if fact),
        greeting=text.paragraphs[0],
        paragraphs=text.paragraphs[1:],
        receipt=say(lang, _RECEIPT),
        signatures=(
            (say(lang, "Person addressed (signature, fingerprint)"), ""),
            (say(lang, "Date"), ""),
            (say(lang, "Officer (signature, number)"), request.member.display_name),
            (say(lang, "Second officer (signature, number)"), ""),
        ),
        seal=say(lang, "(seal)"),
        day=format_day(notice.printed_at, lang, zone),
        copies=say(lang, _COPIES),
    )


visit_pages = PageSection()
_LIST_TEMPLATE = "console/visits.html"
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


@visit_pages.get(
    "/visits", act=Permission.WORK_VISITS, nav=gettext_noop("Visits"), order=30, shows_people=True
)
def visits(request: CurrentRequest, unit: str = "") -> Response:
    """Visits that the officer may take or has; `unit` limits them to one unit."""
    unit_id = _unit_id(unit)
    found = list_visits(request.services, request.actor, unit_id=unit_id)
    facts: dict[str, Any] = {
        "found": found,
        "asked": {"unit": str(unit_id)} if unit_id is not None else {},
        "units": unit_tree(list_units(request.services, visible_to=request.member.unit_id)),
        "clocks": {clock: request.say(text) for clock, text in CLOCKS.items()},
        **form_facts(),
    }
    return (
        request.part(_LIST_TEMPLATE, "found", **facts)
        if request.is_part
        else request.page(_LIST_TEMPLATE, **facts)
    )


@visit_pages.get("/visits/pulse", act=Permission.WORK_VISITS)
def pulse(request: CurrentRequest) -> Response:
    """Whether this phone may send: the account that is signed in, and the token for its forms."""
    return JSONResponse({"csrf": request.csrf, "owner": request.member.id})


@visit_pages.get("/visits/offline", act=Permission.WORK_VISITS)
def offline(request: CurrentRequest) -> Response:
    """The page that a phone shows without a connection; it holds no data of any visit."""
    return request.page("console/visit_offline.html", **form_facts())


@visit_pages.get("/visits/worker.js", act=Permission.WORK_VISITS)
def worker(request: CurrentRequest) -> Response:
    """The service worker of the visit pages, with the files that it keeps for use without a network."""
    kept = [static(path) for path in _KEPT_OFFLINE] + [f"/static/visits/{name}" for name in _MODULES]
    # Modules import each other without a version; their versions are listed here so that a browser drops old ones.
    held = [static(f"visits/{name}") for name in _MODULES]
    shell = f"/visits/offline?lang={request.lang.value}"
    names = json.dumps({"shell": shell, "files": kept, "held": held})
    text = f"self.kept = {names};\nimportScripts({json.dumps(static('visits/worker.js'))});\n"
    return Response(text, media_type="text/javascript", headers={"Service-Worker-Allowed": "/visits"})


@visit_pages.get("/visits/{visit_id}", act=Permission.WORK_VISITS, shows_people=True)
def one_visit(request: CurrentRequest, visit_id: int, part: str = "") -> Response:
    """The page of a visit, or the part of it that is refreshed."""
    if request.is_part and part == "head":
        return show_head(request, visit_id)
    return show_visit(request, visit_id, in_hand=request.is_part and part == "hand")


@visit_pages.get("/visits/{visit_id}/conversation", act=Permission.WORK_VISITS)
def conversation(request: CurrentRequest, visit_id: int) -> Response:
    """What was said in the robot's call; only for the officer who has signed for the visit."""
    line = read_visit(request.services, request.actor, visit_id)
    if not line.is_held_by(request.who):
        return show_why_not(request, visit_id)
    facts: dict[str, Any] = {"line": line, "talk": show_hand_over(request.services, request.actor, visit_id)}
    template = "console/visit_talk.html"
    return request.part(template, "talk", **facts) if request.is_part else request.page(template, **facts)


@visit_pages.get("/visits/{visit_id}/notice", act=Permission.WORK_VISITS)
def notice(request: CurrentRequest, visit_id: int) -> Response:
    """The printed warning in both languages; printing it is audited."""
    line = read_visit(request.services, request.actor, visit_id)
    if not may_print(line, who=request.who):
        return show_why_not(request, visit_id)
    printed = print_notice(request.services, request.actor, line.case_id)
    sheets = [notice_sheet(request, line.case_id, printed, lang) for lang in Lang]
    return request.page("console/notice.html", line=line, sheets=sheets)


_PHOTO_BYTES = 12 << 20
"""Of the whole request; the limit of a photo is a setting."""


@visit_pages.post("/visits/{visit_id}/step", act=Permission.WORK_VISITS)
def step(form: Phone, stage: _Short = "") -> Response:
    """Records a step: accepted, on the way or arrived."""
    known = typed_word(VisitStage, stage) or VisitStage.NONE
    return form.apply(partial(take_step, stage=known), gettext_noop("It is on record."))


@visit_pages.post("/visits/{visit_id}/seen", act=Permission.WORK_VISITS)
def seen(form: Phone, who: _Short = "", note: _Text = "") -> Response:
    """Records who was met."""

    def act(services: Services, visit_id: int, *, phone: PhoneAct) -> RecordedAct:
        met = typed_word(PersonMet, who)
        if met is None:
            raise Invalid(field="who", problem=gettext_noop("choose the person met"))
        return record_person_met(services, visit_id, met, phone=phone, note=note)

    return form.apply(act, gettext_noop("It is on record."))


@visit_pages.post("/visits/{visit_id}/note", act=Permission.WORK_VISITS)
def note(form: Phone, words: _Text = "") -> Response:
    return form.apply(partial(note_visit, words=words), gettext_noop("Note saved."))


@visit_pages.post("/visits/{visit_id}/photo", act=Permission.WORK_VISITS, most_bytes=_PHOTO_BYTES)
def photo(form: Phone, photo: Annotated[UploadFile | None, File()] = None) -> Response:
    """Adds a photo, without its metadata."""

    def act(services: Services, visit_id: int, *, phone: PhoneAct) -> RecordedAct:
        content = photo.file.read() if photo is not None else b""
        if not content:
            raise Invalid(field="photo", problem=gettext_noop("choose a photo"))
        return add_photo(services, visit_id, phone=phone, content=content)

    return form.apply(act, gettext_noop("Photo saved."))


@dataclass(slots=True)
class VisitReportForm:
    """The report 反馈 of a visit as it was typed; amounts in yuan."""

    outcome: _Short = ""
    contact: _Short = ""
    scammer: _Short = ""
    intended: _Short = ""
    stopped: _Short = ""
    returned: _Short = ""
    evidence_kind: _Short = ""
    evidence_yuan: _Short = ""
    evidence: _Text = ""
    note: _Text = ""

    def read(self) -> WorkReport:
        """The report that was typed. Raises `Invalid`."""
        kind = typed_word(OutcomeKind, self.outcome)
        if kind is None:
            raise Invalid(field="outcome", problem=gettext_noop("choose the result"))
        scammer = typed_word(ScammerContact, self.scammer)
        if scammer is None and contact_of_outcome(kind) is Contact.VERIFIED:
            raise Invalid(field="scammer", problem=SCAMMER_MISSING)
        amounts = Amounts(
            intended_fen=parse_yuan(self.intended or "0", field="intended"),
            stopped_fen=parse_yuan(self.stopped or "0", field="stopped"),
            returned_fen=parse_yuan(self.returned or "0", field="returned"),
        )
        return WorkReport(
            outcome=kind,
            contact=typed_word(Contact, self.contact),
            amounts=amounts,
            evidence=None
            if amounts.is_nothing
            else typed_evidence(self.evidence_kind, self.evidence_yuan, self.evidence),
            note=self.note,
            scammer_contact=scammer,
        )


@visit_pages.post("/visits/{visit_id}/report", act=Permission.WORK_VISITS)
def report(form: Phone, given: Annotated[VisitReportForm, Depends()]) -> Response:
    def act(services: Services, visit_id: int, *, phone: PhoneAct) -> RecordedAct:
        return report_visit(services, visit_id, given.read(), phone=phone)

    return form.apply(act, gettext_noop("The report is on record."))


@visit_pages.post("/visits/{visit_id}/photos/{client_id}", act=Permission.WORK_VISITS)
def look_at_photo(
    request: CurrentRequest,
    visit_id: int,
    client_id: uuid.UUID,
    reason: Annotated[str, Form(max_length=40)] = "",
    why: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """The picture; the viewer and the reason are in the audit."""
    try:
        media_type, content = show_photo_of(
            request.services,
            request.actor,
            visit_id,
            client_id,
            reason=reason,
            why=why,
        )
    except Refusal as fault:
        # The page's script shows the sentence beside the form; without a script the whole page shows it.
        if not request.is_part:
            raise
        return _refused(request, visit_id, fault)
    return Response(content, media_type=media_type, headers={"Content-Disposition": "inline"})


@visit_pages.post("/visits/{visit_id}/paid", act=Permission.WORK_VISITS)
def report_payment(request: CurrentRequest, visit_id: int) -> Response:
    """Records that the person says that money has been sent: the desk asks the bank to stop the payment."""
    line = read_visit(request.services, request.actor, visit_id)
    report_paid(request.services, request.actor, line.case_id)
    return request.redirect_to(
        f"/visits/{visit_id}",
        notice=gettext_noop(
            "The centre asks the bank to stop the payment. Have the person call the bank too."
        ),
    )


@visit_pages.post("/visits/{visit_id}/release", act=Permission.WORK_VISITS)
def release(request: CurrentRequest, visit_id: int, why: _Text = "") -> Response:
    """Returns the visit to the queue."""
    read_visit(request.services, request.actor, visit_id)
    try:
        release_assignment(request.services, request.actor, visit_id, why=why)
    except Refusal as fault:
        return _refused(request, visit_id, fault)
    return request.redirect_to(
        "/visits", notice=gettext_noop("The visit is back in the queue. Its clocks go on.")
    )


@visit_pages.post("/visits/{visit_id}/transfer", act=Permission.WORK_VISITS)
def transfer(request: CurrentRequest, visit_id: int, to: _Short = "", why: _Text = "") -> Response:
    """Asks another unit to take over the visit."""
    read_visit(request.services, request.actor, visit_id)
    try:
        unit_id = _unit_id(to)
        if unit_id is None:
            raise Invalid(field="to", problem=gettext_noop("choose a unit"))
        transfer_assignment(request.services, request.actor, visit_id, to_unit_id=unit_id, why=why)
    except NotFound:
        return show_visit(request, visit_id, status=_UNFIT, wrong=request.say("choose a unit"))
    except Refusal as fault:
        return _refused(request, visit_id, fault)
    return request.redirect_to(
        f"/visits/{visit_id}",
        notice=gettext_noop("The other unit is asked. Until it accepts the visit stays yours."),
    )


@visit_pages.post("/visits/transfers/{transfer_id}/accept", act=Permission.WORK_VISITS)
def accept(request: CurrentRequest, transfer_id: int) -> Response:
    """Accepts a transferred visit, which this officer has then signed for."""
    line = look_at_transfer(request.services, transfer_id, visible_to=request.member.unit_id)
    try:
        accept_transfer(request.services, request.actor, transfer_id)
    except Refusal as fault:
        return _refused(request, line.id, fault)
    return request.redirect_to(
        f"/visits/{line.id}", notice=gettext_noop("The visit is yours. Its clocks go on.")
    )


@visit_pages.post("/visits/transfers/{transfer_id}/refuse", act=Permission.WORK_VISITS)
def refuse(request: CurrentRequest, transfer_id: int, why: _Text = "") -> Response:
    """Refuses a transferred visit, with a reason that the other unit sees."""
    line = look_at_transfer(request.services, transfer_id, visible_to=request.member.unit_id)
    try:
        refuse_transfer(request.services, request.actor, transfer_id, why=why)
    except Refusal as fault:
        return _refused(request, line.id, fault)
    return request.redirect_to(
        "/visits", notice=gettext_noop("The transfer is refused; the unit that asked sees why.")
    )
