"""The manual in the console, open to everybody: chapters, the words that people look for, and the paragraph about the
page on which they stand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from markupsafe import Markup
from starlette.responses import FileResponse, Response

from dialer.core.access import Permission
from dialer.core.errors import NotFound
from dialer.help.reading import (
    INDEX,
    Found,
    Section,
    beginning_html,
    chapters,
    find,
    images_folder,
    section_html,
)
from dialer.web.console import OPEN, CurrentRequest, PageSection, RequestContext, home_of

help_pages = PageSection()
_MOST_WORDS: Final = 100
_TOUR_PAGES: Final = 5

PARAGRAPHS: Final = {
    "/": "start-page",
    "/account": "start-account",
    "/account/factors": "start-second-factor",
    "/account/factors/app": "start-app",
    "/account/password": "start-first-password",
    "/account-changes": "units-account-changes",
    "/accounts": "units-accounts",
    "/approvals": "supervisor-approvals",
    "/audit": "auditor-audit",
    "/audit/people": "auditor-people",
    "/board": "chief-board",
    "/bulletins": "supervisor-bulletins",
    "/cards/desk": "teller-desk",
    "/cards/fairness": "teller-fairness",
    "/cards/openers": "teller-openers",
    "/cards/outlets": "teller-outlets",
    "/cards/restrictions": "teller-restrictions",
    "/cards/rings": "teller-openers",
    "/cases": "caller-case",
    "/control": "alarms-control",
    "/control/alarms": "alarms-kind",
    "/counter": "teller-counter",
    "/desk": "caller-desk",
    "/corrections": "supervisor-corrections",
    "/desk/tasks": "caller-task",
    "/desks": "chief-desks",
    "/duty": "chief-duty",
    "/duty/leave": "chief-duty-leave",
    "/duty/online": "chief-duty-online",
    "/erasures": "auditor-erasures",
    "/filed": "supervisor-filed",
    "/first": "units-first-administrator",
    "/knowledge": "supervisor-knowledge",
    "/lists": "clerk-lists",
    "/lists/drafts": "clerk-preview",
    "/notifications": "officer-notifications",
    "/overdue": "chief-overdue",
    "/plan": "supervisor-plan",
    "/practice": "caller-practice",
    "/practice/people": "supervisor-practice",
    "/rates": "supervisor-rates",
    "/rates/callers": "supervisor-callers",
    "/rates/cases": "supervisor-rates",
    "/quality": "supervisor-quality",
    "/quality/rules": "supervisor-quality-rules",
    "/records": "supervisor-records",
    "/robot": "robot",
    "/robot/held": "robot-held",
    "/robot/rule": "robot-change",
    "/robot/rules": "robot-change",
    "/robot/signals": "robot-signals",
    "/robot/verdicts": "robot-verdicts",
    "/robot/versions": "robot-versions",
    "/scripts": "supervisor-scripts",
    "/sign-in": "start-sign-in",
    "/sign-in/second": "start-second-factor",
    "/settings": "administrator-look-at-settings",
    "/sources": "supervisor-sources",
    "/tokens": "units-tokens",
    "/units": "units-organisation",
    "/units/import": "units-import",
    "/units/transfers": "chief-transfers",
    "/units/unassigned": "chief-unassigned",
    "/units/work": "chief-transfers",
    "/visits": "officer-visits",
    "/visits/offline": "officer-offline",
    "/webhooks": "units-webhooks",
}
"""The anchor of the paragraph about each page, by the beginning of its address; the longest that fits is taken."""


ACTS: Final = {
    "/cards/desk/questions/*/answer": "teller-answer",
    "/cards/desk/questions/*/found": "teller-onsite",
    "/cards/desk/questions/*/onsite": "teller-onsite",
    "/cards/openers/*/object": "teller-objections",
    "/cards/restrictions/*/object": "teller-objections",
    "/control/pace": "chief-pace",
    "/control/pause": "chief-pause",
    "/counter/*/ask": "teller-ask",
    "/counter/*/object": "teller-objection",
    "/counter/*/result": "teller-result",
    "/desk/next": "caller-take",
    "/desk/stop-payments": "caller-stop-payment",
    "/desk/stop-requests": "caller-stop-payment",
    "/desk/tasks/*/call": "caller-call",
    "/desk/tasks/*/call-back": "caller-call-back",
    "/desk/tasks/*/release": "caller-release",
    "/desk/tasks/*/report": "caller-outcome",
    "/desk/tasks/*/transfer": "caller-transfer",
    "/duty/*/*/rotation": "chief-duty-rotation",
    "/duty/*/*/swaps": "chief-duty-swap",
    "/duty/load": "chief-duty-load",
    "/duty/swaps": "chief-duty-swap",
    "/duty/take": "chief-duty-take",
    "/lists/*/correct": "clerk-correct",
    "/lists/*/pause": "clerk-pause",
    "/lists/*/rejects": "clerk-rejected",
    "/lists/drafts/*/amounts": "clerk-undecided",
    "/lists/drafts/*/columns": "clerk-columns",
    "/presence": "caller-presence",
    "/scripts/*/approve": "supervisor-script-approval",
    "/scripts/*/trial": "supervisor-trial",
    "/sources/waiting": "supervisor-release",
    "/units/*/aliases": "units-aliases",
    "/visits/*/note": "officer-note",
    "/visits/*/photo": "officer-photo",
    "/visits/*/release": "officer-release",
    "/visits/*/report": "officer-report",
    "/visits/*/step": "officer-steps",
    "/visits/*/transfer": "officer-transfer",
}
"""The anchor of the paragraph about an act, by the beginning of the address of its form; `*` is any one part of it."""

FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "/accounts": {"role": "start-roles"},
    "/approvals": dict.fromkeys(
        ("evidence", "evidence_kind", "evidence_yuan", "evidence_files"), "supervisor-evidence"
    )
    | dict.fromkeys(("intended", "stopped", "returned"), "supervisor-money"),
    "/cases": {"text": "start-search", "reason": "start-reveal", "case_number": "supervisor-filed"},
    "/control": dict.fromkeys(("calls_per_second", "lines", "pace_why"), "chief-pace")
    | dict.fromkeys(("scope", "minutes", "sure"), "chief-pause"),
    "/desk": {
        "extension": "caller-before",
        "no_call": "caller-no-call",
        "q": "caller-knowledge",
        "said": "caller-guide",
        "used": "caller-knowledge",
        "verified": "caller-identity",
    }
    | dict.fromkeys(("outcome", "scammer", "note"), "caller-outcome")
    | dict.fromkeys(
        ("intended", "stopped", "returned", "evidence", "evidence_kind", "evidence_yuan", "evidence_files"),
        "caller-money",
    )
    | dict.fromkeys(("soon", "at", "agreed"), "caller-call-back")
    | dict.fromkeys(("bank", "account", "amount", "receipt"), "caller-stop-payment"),
    "/duty": {"file": "chief-duty-format"},
    "/lists": {"file": "clerk-formats", "source": "clerk-upload", "cell": "clerk-correct"},
    "/lists/drafts": {"field": "clerk-columns", "grade": "clerk-grade-words", "word": "clerk-grade-words"},
    "/scripts": {"share": "supervisor-trial"},
    "/visits": {"photo": "officer-photo", "words": "officer-note", "note": "officer-report"}
    | dict.fromkeys(("outcome", "contact", "scammer"), "officer-report")
    | dict.fromkeys(
        ("intended", "stopped", "returned", "evidence", "evidence_kind", "evidence_yuan"), "officer-money"
    ),
}
"""The anchors of paragraphs about fields that are not in the paragraph of their page or act, by the beginning of its
address.
"""


def anchor_of(path: str, field: str = "") -> str:
    """The anchor of the paragraph about the page or act with this address, or about a field there; '' if the manual has
    none.
    """
    if not path:
        return ""
    of_field = {begin: names[field] for begin, names in FIELDS.items() if field in names}
    return _longest(path, of_field) or _longest(path, {**PARAGRAPHS, **ACTS})


def _longest(path: str, anchors: Mapping[str, str]) -> str:
    """The anchor of the longest beginning of the address; '' if none fits."""
    asked = path.rstrip("/").split("/")
    fitting = [begin for begin in anchors if _begins(asked, begin.rstrip("/").split("/"))]
    return anchors[max(fitting, key=lambda begin: (begin.count("/"), "*" not in begin))] if fitting else ""


def _begins(asked: Sequence[str], begin: Sequence[str]) -> bool:
    if begin == [""]:  # The beginning of every address: of `/` alone.
        return asked == [""]
    parts = zip(asked, begin, strict=False)
    return len(begin) <= len(asked) and all(part in {here, "*"} for here, part in parts)


@help_pages.get("/help", act=OPEN, while_must_change=True, while_must_enrol=True)
def index(request: CurrentRequest, q: str = "") -> Response:
    """All chapters; with `q` the sections that contain these words."""
    words = q[:_MOST_WORDS].strip()
    found = find(request.lang, words) if words else []
    return _show(request, INDEX, words=words, found=found)


@help_pages.get("/help/of", act=OPEN, while_must_change=True, while_must_enrol=True)
def of_page(request: CurrentRequest, page: str = "", field: str = "") -> Response:
    """Leads to the paragraph about a page of the console or about a field of it, named by address and name."""
    return request.redirect_to(_address_of_anchor(request, anchor_of(page, field)))


@help_pages.get("/help/tour", act=Permission.OWN_ACCOUNT)
def tour(request: CurrentRequest) -> Response:
    """Begins the tour of this person's pages: each of them then says above what it is for, and leads to the next."""
    return request.redirect_to(_step_address(_tour_of(request), 1))


@help_pages.get("/help/tour/{step}", act=Permission.OWN_ACCOUNT)
def tour_step(request: CurrentRequest, step: int) -> Response:
    """What the tour says above its page with this number, counted from 1."""
    paths = _tour_of(request)
    section = _section_of(request, anchor_of(paths[step - 1])) if 0 < step <= len(paths) else None
    if section is None:
        raise NotFound(kind="page", key=request.path)
    return request.part(
        "console/tour.html",
        "step",
        step=step,
        steps=len(paths),
        title=section.title,
        beginning=Markup(beginning_html(section, _address)),  # noqa: S704 - our own files
        more=_address(section.chapter, section.anchor),
        here=paths[step - 1],
        further=_step_address(paths, step + 1) if step < len(paths) else "",
    )


def _tour_of(request: RequestContext) -> list[str]:
    """The pages of the tour: first where this person begins, then others of the navigation, at last the own account."""
    own = home_of(request)
    others = [place.path for place in request.places if place.path != own and anchor_of(place.path)]
    return list(dict.fromkeys([own, *others[: _TOUR_PAGES - 2], "/account"]))


def _step_address(paths: Sequence[str], step: int) -> str:
    return f"{paths[step - 1]}?tour={step}"


@help_pages.get("/help/images/{file}", act=OPEN, while_must_change=True, while_must_enrol=True)
def image(request: CurrentRequest, file: str) -> Response:
    """A picture of the manual."""
    path = images_folder() / file
    if file not in {one.name for one in images_folder().iterdir()}:
        raise NotFound(kind="page", key=request.path)
    return FileResponse(path)


@help_pages.get("/help/{name}", act=OPEN, while_must_change=True, while_must_enrol=True)
def chapter(request: CurrentRequest, name: str) -> Response:
    """One chapter."""
    return _show(request, name)


def _show(request: RequestContext, name: str, *, words: str = "", found: Sequence[Found] = ()) -> Response:
    every = chapters(request.lang)
    if name not in every:
        raise NotFound(kind="page", key=request.path)
    # Our own files, in which HTML is shown as text.
    sections = [(one, Markup(section_html(one, _address))) for one in every[name].sections]  # noqa: S704
    return request.page(
        "console/help.html",
        chapters=list(every.values()),
        shown=every[name],
        sections=sections,
        words=words,
        found=found,
    )


def _section_of(request: RequestContext, anchor: str) -> Section | None:
    sections = (one for each in chapters(request.lang).values() for one in each.sections)
    return next((one for one in sections if one.anchor == anchor), None)


def _address_of_anchor(request: RequestContext, anchor: str) -> str:
    section = _section_of(request, anchor)
    return "/help" if section is None else _address(section.chapter, section.anchor)


def _address(name: str, place: str) -> str:
    if not name:
        return f"/help/images/{place}"
    address = "/help" if name == INDEX else f"/help/{name}"
    return f"{address}#{place}" if place else address
