"""A form that is filled in wrongly comes back with what is wrong in it and with what was typed: never the page of
faults, which would lose it. The addresses and their fields are read from the routes themselves.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import httpx
import pytest

from dialer.core.access import Role
from dialer.db import tables as t
from tests.console.desk import ConsoleDesk, Person, text
from tests.console.row import Row, every_row
from tests.console.test_unfit_values import parameters
from tests.console.town import ConsoleScenario
from tests.outcomes.town import MORNING

WRONG = ("", "?", "-7")
TYPED = frozenset(
    {
        "account", "agreed", "amount", "at", "authority", "bank", "basis", "case", "case_number",
        "days", "display_name", "document_no", "employer", "evidence", "evidence_yuan", "extension", "from_on",
        "high_missed",
        "id_number", "intended", "limit", "lines", "load", "login", "name", "note", "of",
        "opening_no", "pace_why", "persons", "phone", "product", "purpose", "reason", "receipt", "returned",
        "sources", "stopped", "team", "text", "to", "unit", "url", "why", "words",
        "years",
    }
)  # fmt: skip
"""Fields that somebody types or has to choose; the others are hidden, or hold what the page offers."""
NUMBERS = itertools.count(1)
FORMS = [row for row in every_row() if row.method == "POST" and row.roles is not None]
SHOWN_ON = ("/desk", "/approvals", "/cards/desk", "/filed?state=certain", "/visits", "/units")
"""Pages with forms of other addresses."""
NOT_SHOWN = frozenset(
    {
        "/lists/{load_id}/rejects",
        "/cards/desk/questions/{question_id}/found",
        "/sources/one",
        "/sources/waiting",
        "/duty/take",
        "/desk/stop-payments",
    }
)
"""Their rows make a list without rejected rows, a question without a team, no source, no roster and no case: no page
shows the form then.
"""


def is_lost(answer: httpx.Response) -> bool:
    return answer.status_code == 422 and 'class="fault-code"' in answer.text


def wrong_forms(row: Row, names: list[str]) -> Iterator[dict[str, str]]:
    yield dict(row.form) | dict.fromkeys((name for name in names if name in row.form), "")
    for name in names:
        yield from (dict(row.form) | {name: value} for value in WRONG)


async def page_of(person: Person, path: str) -> str:
    """The page that holds the form, '' where none does."""
    parts = path.split("/")
    upward = ["/".join(parts[:n]) for n in range(len(parts), 1, -1)]
    for page in (*upward, *SHOWN_ON):
        found = await person.get(page)
        if found.status_code == 200 and f'action="{path}"' in found.text:
            return page
    return ""


@pytest.mark.long
async def test_no_form_is_lost(console: ConsoleDesk):
    fields = parameters(console)
    lost = []
    for row in FORMS:
        assert row.roles is not None
        role = Role.SUPERVISOR if Role.SUPERVISOR in row.roles else min(row.roles)
        names = [name for name in fields["POST", row.path].form if name in TYPED]
        if not names or row.path in NOT_SHOWN:
            continue
        person = console.signed_in(console.account(role, login=f"{role.value}{next(NUMBERS)}"))
        path = row.path.format(**row.target(console, None))
        for form in wrong_forms(row, names):
            answer = await person.post(path, **form)
            if not is_lost(answer):
                if (
                    answer.status_code == 303
                ):  # it was good after all, and what it is about may be done with it
                    path = row.path.format(**row.target(console, None))
                continue
            page = await page_of(person, path)
            sent = {"csrf": person.csrf} | form
            headers = {"Referer": f"http://test{page or '/'}"}
            if not page or is_lost(await person.client.post(path, data=sent, headers=headers)):
                lost.append(f"{row.path} {form} {page}")
    assert not lost, "\n".join(lost)


@pytest.fixture
def caller(console: ConsoleDesk) -> Person:
    return console.signed_in(console.account(Role.CALLER, login="li"))


@pytest.fixture
def payment(console: ConsoleDesk) -> tuple[int, int]:
    scenario = ConsoleScenario(console)
    case_id = scenario.case(person_id=scenario.person(), warning=False)
    return case_id, scenario.put(t.stop_payment, case_id=case_id, opened_at=MORNING, drill=False)


BANK = {"bank": "工商银行", "account": "12", "amount": "5,000", "receipt": "ZF 77", "at": ""}


async def send(person: Person, path: str, page: str, **fields: str) -> httpx.Response:
    headers = {"Referer": f"http://test{page}"}
    return await person.client.post(path, data={"csrf": person.csrf} | fields, headers=headers)


async def test_a_wrong_stop_payment_form_keeps_what_was_typed(
    console: ConsoleDesk, caller: Person, payment: tuple[int, int]
):
    case_id, payment_id = payment
    path = f"/desk/stop-payments/{payment_id}/requests"
    for page in ("/desk", "/approvals", f"/cases/{case_id}"):
        for field, wrong, says in (
            ("account", {"account": "12"}, "is not an account"),
            ("amount", {"amount": "viel", "account": "622202020000"}, "is not an amount"),
            ("bank", {"bank": " ", "account": "622202020000"}, "the name of the bank"),
            ("at", {"at": "2020-01-01T10:00", "account": "622202020000"}, "is not within the last 30 days"),
        ):
            answer = await send(caller, path, page, **(BANK | wrong))
            assert (answer.status_code, 'class="fault-code"' in answer.text) == (422, False)
            beside = re.search(
                rf'name="{field}"[^>]*aria-invalid="true"[^>]*>\s*<p class="problem"[^>]*>([^<]*)',
                answer.text,
            )
            assert beside is not None, (page, field)
            assert says in beside[1]
            assert 'value="ZF 77"' in answer.text
            assert answer.text.count("ZF 77") == 1
            assert re.search(r'<details class="stop-ask"\s+open>', answer.text)
    assert console.rows(t.stop_request) == []


async def test_without_its_page_the_reason_is_still_said(caller: Person, payment: tuple[int, int]):
    path = f"/desk/stop-payments/{payment[1]}/requests"
    for headers in ({}, {"Referer": "http://test/account"}, {"Referer": "http://test/nowhere"}):
        answer = await caller.client.post(path, data={"csrf": caller.csrf} | BANK, headers=headers)
        assert (answer.status_code, "is not an account" in text(answer)) == (422, True)


async def test_secrets_are_not_typed_again(console: ConsoleDesk):
    person = console.person(Role.CALLER)
    page = "/account/password"
    answer = await send(person, page, page, old="geheim-alt", new="kurz", again="kurz")
    assert "geheim-alt" not in answer.text
