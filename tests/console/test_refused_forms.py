"""A form that is filled in wrongly comes back with what is wrong in it: never the page of faults, which would lose what
was typed. The addresses and their fields are read from the routes themselves.
"""

from __future__ import annotations

import itertools

import httpx
import pytest

from dialer.core.access import Role
from tests.console.desk import ConsoleDesk
from tests.console.row import Row, every_row
from tests.console.test_unfit_values import parameters

pytestmark = pytest.mark.long

WRONG = ("", "?", "-7")
HIDDEN = frozenset({"token", "credential", "csrf"})
"""Fields that nobody types."""
NUMBERS = itertools.count(1)
FORMS = [row for row in every_row() if row.method == "POST"]


def is_lost(answer: httpx.Response) -> bool:
    """The page of faults says that something was filled in incorrectly."""
    return answer.status_code == 422 and 'class="fault-code"' in answer.text


async def sent(console: ConsoleDesk, row: Row, form: dict[str, str]) -> httpx.Response:
    role = Role.SUPERVISOR if row.roles is None or Role.SUPERVISOR in row.roles else min(row.roles)
    login = f"{role.value}{next(NUMBERS)}"
    person = console.signed_in(console.account(role, login=login))
    return await person.post(row.path.format(**row.target(console, None)), **form)


async def test_no_form_is_lost(console: ConsoleDesk):
    fields = parameters(console)
    lost = []
    for row in FORMS:
        names = [name for name in fields["POST", row.path].form if name not in HIDDEN]
        tries = [dict.fromkeys(row.form, "")] + [
            row.form | {name: value} for name in names for value in WRONG
        ]
        for form in tries:
            answer = await sent(console, row, form)
            if is_lost(answer):
                lost.append(f"{row.path} {form}")
    assert lost == []
