"""No Chinese page shows a code: the crawl opens every page of the console, with rows of every kind, and looks at each
Latin word of its visible text.
"""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

from dialer.audit.words import (
    ACTS,
    FACT_CODES,
    FACT_LIMITS,
    FACT_VALUES,
    FACTS,
    SUBJECTS,
)
from dialer.core.access import Role
from dialer.core.timeline import ActKind
from dialer.db.audit import write_audit
from dialer.language.enumerations import WORDS
from tests.console.desk import ConsoleDesk, Person
from tests.console.row import every_row
from tests.outcomes.town import MORNING

_NOT_READ = frozenset({"script", "style", "code", "pre", "kbd", "textarea", "template", "option", "title"})
_VOID = frozenset({"input", "br", "img", "meta", "link", "hr", "source", "col", "wbr"})
VALUES = frozenset(
    str(member) for kind in WORDS for member in kind if re.fullmatch("[a-z][a-z_]{2,}", str(member))
)
CODES = (
    re.compile(r"[a-z]+(?:_[a-z]+)+"),  # a name of ours
    re.compile(r"[\w.-]+\.toml(?::\d+)?"),  # a file and its line
    re.compile(r"[a-z]+ \d+ in hand"),
    re.compile(r"(?:^|[，、；\s])[a-z][a-z ]*: \S+"),  # a fact of the audit with its own name
    re.compile(r"\d ?(?:s|ms|min|h|d)(?=[\u4e00-\u9fff])"),  # a unit of time
)
"""What may not stand in a Chinese sentence, whatever it means."""


class _Read(HTMLParser):
    """The visible text of a page, an element a piece."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID and (self._hidden or tag in _NOT_READ):
            self._hidden += 1

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID and self._hidden:
            self._hidden -= 1

    def handle_data(self, data: str) -> None:
        if not self._hidden and data.strip():
            self.pieces.append(" ".join(data.split()))


def codes_in(page: str, *, known: frozenset[str] = frozenset()) -> set[str]:
    """Codes in the visible text: names, files, facts, and values of our enumerations as single words."""
    reader = _Read()
    reader.feed(page)
    found = set()
    for piece in reader.pieces:
        if piece in known:
            continue
        found |= {match[0].strip() for code in CODES for match in code.finditer(piece)}
        found |= VALUES.intersection(re.findall(r"(?<![\w@.-])[a-z_]+(?![\w@.-])", piece))
    return found - _KNOWN


_KNOWN = frozenset({"webhook", "settings.toml", "teller"})
"""What a Chinese reader of the page knows by this name: two terms, and the login of a teller."""
_OF_AUTHORS = "/scripts/"
"""A script's own pages show the names that its author has given to its parts, and its English text."""


def test_codes_are_found_and_words_are_not():
    assert "visit 571 in hand" in codes_in("<p>见面 visit 571 in hand</p>")
    assert "clear" in codes_in("<p>核查结论，verdict: clear</p>")
    assert codes_in("<p>token: 1</p>") == {"token: 1"}
    assert codes_in("<p>common.toml:124</p>") == {"common.toml:124"}
    assert codes_in("<p>89 s后退回队列</p>") == {"9 s"}
    assert codes_in("<p>extra_high</p><p>busy</p>") == {"extra_high", "busy"}
    assert codes_in("<p>13 秒后退回队列 <code>extra_high</code> API xlsx</p>") == set()


async def test_no_chinese_page_shows_a_code(console: ConsoleDesk):
    """Each page once, by a role that may open it, with what its row in the table of roles makes."""
    wrong: dict[str, list[str]] = {}
    people: dict[Role, Person] = {}
    for row in every_row():
        roles = sorted(row.roles or Role)
        role = Role.SUPERVISOR if Role.SUPERVISOR in roles else roles[0]
        if role not in people:
            login = f"{role.value[0]}0{len(people)}"
            people[role] = console.signed_in(console.account(role, login=login, language="zh"))
        path = row.path.format(**row.target(console, None))
        if row.method != "GET" or path in wrong or path.startswith(_OF_AUTHORS):
            continue
        answer = await people[role].get(path)
        if answer.status_code == 200 and answer.headers.get("content-type", "").startswith("text/html"):
            wrong[path] = sorted(codes_in(answer.text))
    assert len(wrong) > 60
    assert {path: found for path, found in wrong.items() if found} == {}


async def test_lines_of_the_audit_of_every_kind_are_chinese(console: ConsoleDesk):
    services = console.app.services
    values = {name: [member for kind in kinds for member in kind] for name, kinds in FACT_VALUES.items()}
    codes = {name: list(known) for name, known in FACT_CODES.items()}
    limits = {name: [None, 3] for name in FACT_LIMITS} | {"bank_reports": [True, None]}
    plain = dict.fromkeys(FACTS, 7) | {"ok": True, "counts": {"case": 1, "person": 2}}
    with services.store.begin() as tx:
        for n, act in enumerate(sorted({*ACTS, *ActKind})):
            given = (values, codes, limits, plain)[n % 4]
            subject = f"{sorted(SUBJECTS)[n % len(SUBJECTS)]}/7"
            write_audit(tx, who="li", act=str(act), subject=subject, why="核对", now=MORNING, facts=given)
        for act in ("reveal", "conversation"):
            for why in ("visit", "desk", "见面劝阻在办 visit 571 in hand"):
                write_audit(tx, who="li", act=act, subject="case/1", why=why, now=MORNING, facts={"token": 1})
    auditor = console.signed_in(console.account(Role.AUDITOR, login="a01", language="zh"))
    pages, older = [], "/audit"
    while older:
        page = (await auditor.get(older)).text
        pages.append(page)
        found = re.search(r'href="(/audit\?[^"]*before=[^"]+)"', page)
        older = html.unescape(found[1]) if found else ""
    whole = "".join(pages)
    cells = re.findall(r'<td class="small-here dim">([^<]*)</td>', whole)
    assert len(cells) > 100
    assert [cell for cell in cells if re.search(r"[,:]", cell)] == []
    assert codes_in(whole, known=frozenset({"li", "a01"})) == set()
    assert whole.count("正在办理见面劝阻") == 4
