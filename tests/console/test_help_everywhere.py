"""No page, field, figure or refused form is without help: each leads to a paragraph that both manuals have."""

from __future__ import annotations

import itertools
import re
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

import dialer
from dialer.core.access import Role
from dialer.core.text import Lang
from dialer.help.pages import ACTS, FIELDS, anchor_of
from dialer.help.reading import chapters
from dialer.server.application import declarations
from tests.console.desk import ConsoleDesk, Person
from tests.console.row import Row, every_row
from tests.console.test_unfit_values import parameters

_NUMBERS = itertools.count(1)
_MAIN = re.compile(r"<main.*?</main>", re.DOTALL)
_FIELD = re.compile(r"<(?:input|select|textarea)\b[^>]*>")
_HELP = re.compile(r'href="(/help/of\?[^"]+)"')
_CHAPTERS = re.compile(r'href="/help/([a-z]+)#([^"]+)"')
_EMPTY = re.compile(r'<div class="empty">.*?</div></div>', re.DOTALL)
_DRAWN = re.compile(
    r"""<(?:input|select|textarea)\b(?![^>]*type="hidden")(?:\{\{.*?\}\}|\{%.*?%\}|[^<>])*>""", re.DOTALL
)
_NAME = re.compile(r"""\bname="(?:\{\{ (\w+) \}\}|([^"]+))\"""")
_MARK = re.compile(r"""help_beside\("?(\w+)"?\)""")
_MARKED_ELSEWHERE = {
    "help.html": {"q"},  # The search of the manual.
    "knowledge_parts.html": {
        "used"
    },  # Boxes within the desk's panel of knowledge, whose heading has the mark.
    "password.html": {"login"},  # Hidden: for the browser's store of passwords.
}
_TEMPLATES = Path(dialer.__file__).with_name("web") / "templates" / "console"
_WITHOUT_A_PLACE = ("csrf", "lang", "next", "token")


def anchors() -> set[str]:
    """The anchors that both languages have."""
    of = [{one.anchor for each in chapters(lang).values() for one in each.sections} for lang in Lang]
    return set.intersection(*of)


def address_of(link: str) -> tuple[str, str]:
    """The page and the field that a link to the manual names."""
    asked = parse_qs(urlsplit(unescape(link)).query)
    return asked["page"][0], asked.get("field", [""])[0]


def fields_of(main: str) -> set[str]:
    """The names of the fields that somebody sees."""
    seen = (
        one for one in _FIELD.findall(main) if 'type="hidden"' not in one and not one.endswith(" hidden>")
    )
    names = {found[1] for one in seen if (found := re.search(r'\bname="([^"]+)"', one))}
    return names - set(_WITHOUT_A_PLACE)


def main_of(answer: httpx.Response) -> str:
    """What the page shows between header and foot; '' for what is no page of the console."""
    found = _MAIN.search(answer.text) if "text/html" in answer.headers.get("content-type", "") else None
    return "" if found is None or "data-help" not in answer.text else found[0]


def without_a_mark(answer: httpx.Response) -> set[str]:
    """The names of the fields of a page, or of a part of one, that somebody sees without a link to their paragraph."""
    shown = main_of(answer) or (answer.text if is_part(answer) else "")
    return fields_of(shown) - {address_of(link)[1] for link in _HELP.findall(shown)}


def is_part(answer: httpx.Response) -> bool:
    return "text/html" in answer.headers.get("content-type", "") and "<html" not in answer.text


def somebody(console: ConsoleDesk, row: Row) -> Person:
    assert row.roles is not None
    role = Role.SUPERVISOR if Role.SUPERVISOR in row.roles else min(row.roles)
    return console.signed_in(console.account(role, login=f"{role.value}{next(_NUMBERS)}"))


@pytest.mark.long
async def test_each_page_field_figure_and_empty_place_leads_to_a_paragraph(console: ConsoleDesk):
    known, without, seen = anchors(), [], 0
    for row in every_row():
        if row.method != "GET" or row.roles is None:
            continue
        answer = await somebody(console, row).get(row.path.format(**row.target(console, None)))
        main = main_of(answer)
        path = answer.request.url.path
        if answer.status_code == 200 and not path.startswith("/help"):
            without += [f"{path}: nothing beside {name}" for name in sorted(without_a_mark(answer))]
        if answer.status_code != 200 or not main:
            continue
        if not path.startswith("/help"):
            seen += 1
            wanted = ["", *fields_of(main)]
            without += [f"{path} {field}" for field in wanted if anchor_of(path, field) not in known]
        links = [address_of(link) for link in _HELP.findall(answer.text)]
        without += [f"{path}: {link}" for link in links if anchor_of(*link) not in known]
        without += [f"{path}: #{place}" for _, place in _CHAPTERS.findall(main) if place not in known]
        without += [f"{path}: {one}" for one in _EMPTY.findall(main) if "/help/of?" not in one]
        if "95%" in main and path.startswith(("/rates", "/knowledge")):
            without += [] if "supervisor-read-rate" in main else [f"{path}: a rate"]
    assert without == []
    assert seen > 40


@pytest.mark.long
async def test_each_refused_form_leads_to_what_it_wants(console: ConsoleDesk):
    known, without, seen = anchors(), [], 0
    fields = parameters(console)
    for row in every_row():
        names = fields["POST", row.path].form if row.method == "POST" else ()
        if row.roles is None or not names:
            continue
        person, path = somebody(console, row), row.path.format(**row.target(console, None))
        answer = await person.post(path, **dict.fromkeys(names, "?"))
        main = main_of(answer)
        if answer.status_code not in {409, 422} or not main:
            continue
        seen += 1
        links = [address_of(link) for link in _HELP.findall(main)]
        if not links or any(anchor_of(*link) not in known for link in links):
            without.append(f"{row.path}: {links}")
    assert without == []
    assert seen > 20


def test_each_template_that_draws_a_field_has_its_mark():
    without, seen = [], 0
    for template in sorted(_TEMPLATES.glob("*.html")):
        source = template.read_text(encoding="utf-8")
        names = {found[1] or found[2] for one in _DRAWN.findall(source) if (found := _NAME.search(one))}
        seen += len(names)
        marked = set(_MARK.findall(source)) | _MARKED_ELSEWHERE.get(template.name, set())
        without += [f"{template.name}: {name}" for name in sorted(names - marked)]
    assert without == []
    assert seen > 60


async def test_a_wrong_field_leads_to_its_own_paragraph(console: ConsoleDesk):
    caller = console.person(Role.CALLER)
    answer = await caller.post("/desk/extension", extension="?" * 90)
    assert answer.status_code == 422
    link = ("/desk/extension", "extension")
    assert link in map(address_of, _HELP.findall(main_of(answer)))
    led = await caller.get("/help/of", page=link[0], field=link[1])
    assert led.headers["location"] == "/help/caller#caller-before"


@pytest.mark.parametrize(
    ("path", "field", "anchor"),
    [
        ("/desk", "", "caller-desk"),
        ("/desk", "verified", "caller-identity"),
        ("/desk", "nothing", "caller-desk"),
        ("/desk/tasks/7/report", "", "caller-outcome"),
        ("/desk/tasks/7/report", "intended", "caller-money"),
        ("/desk/tasks/7/transfer", "why", "caller-transfer"),
        ("/desk/tasks/7/live", "", "caller-task"),
        ("/lists/drafts/7", "word", "clerk-grade-words"),
        ("/lists/7/rejects", "", "clerk-rejected"),
        ("/deskless", "", ""),
        ("/", "", "start-page"),
        ("", "", ""),
        ("/nothing", "extension", ""),
    ],
)
def test_the_most_particular_paragraph_is_meant(path: str, field: str, anchor: str):
    assert anchor_of(path, field) == anchor


def test_paragraphs_of_acts_and_fields_are_of_forms_that_are_there(console: ConsoleDesk):
    known, declared = anchors(), {(page.method, page.path) for page in declarations()}
    assert {*ACTS.values(), *(anchor for names in FIELDS.values() for anchor in names.values())} <= known

    def fits(begin: str, path: str) -> bool:
        pattern = re.escape(begin).replace(r"\*", "[^/]+")
        return re.match(rf"{pattern}(/|$)", path) is not None

    posts = [path for method, path in declared if method == "POST"]
    assert [begin for begin in ACTS if not any(fits(begin, path) for path in posts)] == []
    taken = parameters(console)
    for begin, names in FIELDS.items():
        there = {
            name
            for (method, path), given in taken.items()
            if fits(begin, path)
            for name in (*given.form, *(given.query if method == "GET" else ()))
        }
        searched = {"q"} if begin == "/desk" else set()
        assert set(names) - there - searched == set(), begin
