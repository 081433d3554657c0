"""The pages of practice 实训: the course, the talk beside the desk, a score with its reasons, the certificate, and who
has practised.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import Form, Path
from starlette.responses import Response

from dialer.core.access import Permission
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.text import Lang, gettext_noop
from dialer.core.values import Track
from dialer.practice.actions import (
    NoPractice,
    Scored,
    TaskInHand,
    choose_kinds,
    is_answered,
    read_attempt,
    read_course,
    read_courses,
    read_talk,
    say_line,
    take_case,
)
from dialer.practice.model import (
    GUIDE,
    LINES,
    Course,
    Line,
    PersonKind,
    PracticeCase,
    hear,
    kinds_of,
    line_of_words,
    own_lines,
)
from dialer.practice.scoring import PASS_PERCENT, Criterion
from dialer.web.console import CurrentRequest, PageSection, RequestContext
from dialer.web.formats import typed_word
from dialer.work.desk import open_task
from dialer.work.desk_view import call_checklist, dialled_number

practice_pages = PageSection()
_PATH: Final = "/practice"
_COURSE, _TALK, _ATTEMPT = (
    "console/practice.html",
    "console/practice_talk.html",
    "console/practice_attempt.html",
)
_CERTIFICATE, _PEOPLE = "console/practice_certificate.html", "console/practice_people.html"
_TAKEN, _DESK = 409, "/desk"
_LONGEST: Final = 300
Number = Annotated[int, Path(ge=1, lt=2**63)]

KIND_WORDS: Final[Mapping[PersonKind, str]] = {
    PersonKind.BELIEVES: gettext_noop("believes the scammer"),
    PersonKind.ANGRY: gettext_noop("angry"),
    PersonKind.ELDERLY: gettext_noop("elderly"),
    PersonKind.PAID: gettext_noop("has paid already"),
    PersonKind.SCAMMER: gettext_noop("the scammer's second telephone"),
    PersonKind.FAMILY: gettext_noop("family; the person is out"),
    PersonKind.NEIGHBOUR: gettext_noop("a neighbour; nobody is at home"),
}
CRITERION_WORDS: Final[Mapping[Criterion, str]] = {
    Criterion.OPENED: gettext_noop("First sentence"),
    Criterion.CARD: gettext_noop("Police card first"),
    Criterion.IDENTITY: gettext_noop("Identity before detail"),
    Criterion.WITHHELD: gettext_noop("Nothing told to a stranger"),
    Criterion.WHERE: gettext_noop("How the person is reached"),
    Criterion.MET: gettext_noop("Person met"),
    Criterion.RULE: gettext_noop("Rule of this fraud said"),
    Criterion.POLICE: gettext_noop("False police explained"),
    Criterion.REPEATED: gettext_noop("Repeated in own words"),
    Criterion.STOPPED: gettext_noop("Stop payment"),
    Criterion.OUTCOME: gettext_noop("Outcome"),
    Criterion.CONTACT: gettext_noop("Identity verified"),
    Criterion.SCAMMER: gettext_noop("Contact with the scammer"),
    Criterion.TICKED: gettext_noop("Ticks of the call guide"),
    Criterion.SECONDS: gettext_noop("Seconds"),
}
COURSE_WORDS: Final[Mapping[Course, str]] = {
    Course.CALLS: gettext_noop("Calls"),
    Course.VISITS: gettext_noop("Visits"),
}
_ABOUT: Final[Mapping[Course, str]] = {
    Course.CALLS: gettext_noop(
        "Calls with invented people at the real desk. Each report is laid beside the truth and scored."
    ),
    Course.VISITS: gettext_noop(
        "Visits to invented people on the real pages of a visit. Each report is laid beside the truth and scored."
    ),
}
KNOWN = (gettext_noop("practice case"), gettext_noop("practice attempt"))
"""Kinds of what may be missing."""


@practice_pages.get(_PATH, act=Permission.PRACTISE, nav=gettext_noop("Practice"), order=21)
def show_course(request: CurrentRequest) -> Response:
    """The reader's own course: its cases, with the best score of each."""
    return _show_course(request)


@practice_pages.post(_PATH + "/cases/{key}", act=Permission.PRACTISE)
def take(request: CurrentRequest, key: Annotated[str, Path(max_length=60)]) -> Response:
    """Takes a case: its call is in hand at the desk, or its visit on the page of the visit."""
    try:
        held = take_case(request.services, request.member, key)
    except (NoPractice, TaskInHand) as fault:
        return _show_course(request, refused=request.refusal(fault), status=_TAKEN)
    if held.kind is Track.VISIT:
        return request.redirect_to(f"/visits/{held.id}")
    open_task(request.services, request.actor, held.id, token=held.token)
    return request.redirect_to(_DESK)


@practice_pages.get(_PATH + "/talk/{task_id}", act=Permission.PRACTISE)
def show_talk(request: CurrentRequest, task_id: Number) -> Response:
    """The talk with the simulated person, for the page of the task."""
    return _show_talk(request, task_id)


@practice_pages.post(_PATH + "/talk/{task_id}", act=Permission.PRACTISE)
def speak(
    request: CurrentRequest,
    task_id: Number,
    line: Annotated[str, Form(max_length=20)] = "",
    words: Annotated[str, Form(max_length=_LONGEST)] = "",
) -> Response:
    """Says a line that was chosen, or the typed words."""
    found = read_talk(request.services, request.member, task_id)
    if found is None:
        raise NotFound(kind="assignment", key=task_id)
    said = typed_word(Line, line)
    if said not in LINES[found.case.course]:
        said = None
    if said is None and words.strip():
        said = line_of_words(words, _sentences(request, found.case), LINES[found.case.course])
    try:
        if said is None:
            raise Invalid(field="words", problem=gettext_noop("is empty"))  # noqa: TRY301
        say_line(request.services, request.member, task_id, said)
    except (Invalid, Conflict) as fault:
        return _show_talk(request, task_id, refused=request.refusal(fault))
    return _show_talk(request, task_id)


@practice_pages.get(_PATH + "/attempts/{attempt_id}", act=Permission.PRACTISE)
def show_attempt(request: CurrentRequest, attempt_id: Number) -> Response:
    """One attempt: the truth beside what was recorded, and each criterion with its reason."""
    member, found = read_attempt(request.services, attempt_id, reader=request.member)
    return request.page(
        _ATTEMPT,
        member=member,
        is_own=member.id == request.member.id,
        found=found,
        turns=_turns(request, found),
        guide=[(line.value, text) for line, text in _sentences(request, found.case).items() if line in GUIDE],
        pass_percent=PASS_PERCENT,
        **_words(),
    )


@practice_pages.get(_PATH + "/certificate/{staff_id}", act=Permission.PRACTISE)
def show_certificate(request: CurrentRequest, staff_id: Number) -> Response:
    """The certificate of a completed course, to be printed."""
    return request.page(
        _CERTIFICATE,
        course=read_course(request.services, staff_id, reader=request.member),
        pass_percent=PASS_PERCENT,
        **_words(),
    )


@practice_pages.get(_PATH + "/people", act=Permission.MANAGE_DUTY)
def show_people(request: CurrentRequest) -> Response:
    """Who of the reader's units has practised, and how far they are."""
    courses = read_courses(request.services, visible_to=request.member.unit_id)
    return request.page(_PEOPLE, courses=courses, pass_percent=PASS_PERCENT, **_words())


@practice_pages.get(_PATH + "/people/{staff_id}", act=Permission.MANAGE_DUTY)
def show_person(request: CurrentRequest, staff_id: Number) -> Response:
    """The course of one person, with every attempt."""
    found = read_course(request.services, staff_id, reader=request.member)
    return request.page(
        _COURSE,
        course=found,
        is_own=False,
        refused="",
        pass_percent=PASS_PERCENT,
        sees_people=True,
        **_words(),
    )


@practice_pages.post(_PATH + "/people/{staff_id}/kinds", act=Permission.MANAGE_DUTY)
def choose_people(
    request: CurrentRequest, staff_id: Number, kind: Annotated[list[str] | None, Form()] = None
) -> Response:
    """Chooses the kinds of people that this person practises with."""
    chosen = {known for known in (typed_word(PersonKind, one) for one in kind or []) if known is not None}
    choose_kinds(request.services, request.member, staff_id, chosen)
    return request.redirect_to(
        f"{_PATH}/people/{staff_id}", notice=gettext_noop("The kinds are chosen, and shown on the course.")
    )


def _show_course(request: RequestContext, *, refused: str = "", status: int = 200) -> Response:
    found = read_course(request.services, request.member.id, reader=request.member)
    return request.page(
        _COURSE,
        status=status,
        course=found,
        is_own=True,
        refused=refused,
        pass_percent=PASS_PERCENT,
        sees_people=request.may(Permission.MANAGE_DUTY),
        **_words(),
    )


def _show_talk(request: RequestContext, task_id: int, *, refused: str = "") -> Response:
    found = read_talk(request.services, request.member, task_id)
    if not request.is_part:
        return request.redirect_to(_PATH)
    lines = [] if found is None else list(_sentences(request, found.case).items())
    return request.part(
        _TALK,
        "talk",
        task_id=task_id,
        found=found,
        hello=found.case.hello[request.lang] if found else "",
        answered=found is not None and is_answered(request.services, request.member, task_id),
        turns=_turns(request, found) if found else [],
        lines=[(line.value, text) for line, text in lines],
        refused=refused,
    )


def _sentences(request: RequestContext, case: PracticeCase) -> Mapping[Line, str]:
    """What may be said to this person: points of the call guide, and sentences of practice."""
    centre = request.services.centre
    guide = call_checklist(
        case.fraud_type,
        request.lang,
        bureau=centre.bureau.get(request.lang.value, ""),
        hotline=dialled_number(centre.callback_number, centre.area_code),
    )
    spoken = {Line(point.key): point.text for point in guide} | dict(own_lines(request.lang))
    return {line: spoken[line] for line in LINES[case.course]}


def _turns(request: RequestContext, found: Scored) -> list[tuple[str, str]]:
    """What was said and what was answered, in order."""
    sentences = _sentences(request, found.case)
    said, lang = found.attempt.said, Lang(request.lang)
    answers = hear(found.case, said).answers
    other = request.say(gettext_noop("(something else)"))
    return [(sentences.get(line, other), answer[lang]) for line, answer in zip(said, answers, strict=True)]


def _words() -> dict[str, Any]:
    return {
        "kind_words": KIND_WORDS,
        "criterion_words": CRITERION_WORDS,
        "course_words": COURSE_WORDS,
        "about_course": _ABOUT,
        "kinds_of": kinds_of,
    }
