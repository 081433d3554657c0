"""Bulletins on the console: drafted, read, decided by a second person in *Approvals*, taken away and audited."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO

import httpx
import pytest

from dialer.core.access import Role
from dialer.db import tables as t
from dialer.db.units import add_unit
from dialer.web.documents import office_program
from tests.console.desk import ConsoleDesk, text
from tests.outcomes.town import Scenario


@pytest.fixture
def scenario(console: ConsoleDesk) -> Scenario:
    return Scenario.on(console.app.services)


async def drafted(console: ConsoleDesk, *, name: str = "2026-10") -> int:
    answer = await console.person(Role.SUPERVISOR).post("/bulletins", kind="month", name=name)
    assert answer.status_code == 303
    [row] = console.rows(t.bulletin)
    assert answer.headers["location"] == f"/bulletins/{row['id']}"
    return int(row["id"])


def read_draft(page: httpx.Response) -> str:
    """When the draft on this page was made, as its forms say."""
    [made_at] = set(re.findall(r'name="made_at" value="([^"]+)"', page.text))
    return str(made_at)


async def test_a_refused_draft_is_refused(console: ConsoleDesk, scenario: Scenario):
    bulletin_id = await drafted(console)
    second = console.signed_in(console.account(Role.SUPERVISOR, login="zhao"))
    read = read_draft(await second.get(f"/bulletins/{bulletin_id}"))
    done = await second.post(f"/bulletins/{bulletin_id}/refuse", made_at=read, why="数字有误")
    assert done.status_code == 303
    assert [row["state"] for row in console.rows(t.bulletin)] == ["refused"]
    assert console.audited("approve_bulletin") == []


async def test_a_draft_waits_in_the_approvals_of_another_person(console: ConsoleDesk, scenario: Scenario):
    bulletin_id = await drafted(console)
    author = console.person(Role.SUPERVISOR)
    second = console.signed_in(console.account(Role.SUPERVISOR, login="zhao"))
    assert f"/bulletins/{bulletin_id}" not in (await author.get("/approvals")).text
    assert f"/bulletins/{bulletin_id}" in (await second.get("/approvals")).text
    page = text(await second.get(f"/bulletins/{bulletin_id}"))
    assert "Draft for review" in page
    assert "Approve the bulletin" in page
    assert (await second.post(f"/bulletins/{bulletin_id}/approve")).status_code == 409
    read = read_draft(await second.get(f"/bulletins/{bulletin_id}"))
    own = await author.get(f"/bulletins/{bulletin_id}")
    assert "a second person approves it" in text(own)
    assert (await author.post(f"/bulletins/{bulletin_id}/approve", made_at=read)).status_code == 409
    assert (await second.post(f"/bulletins/{bulletin_id}/refuse", made_at=read, why=" ")).status_code == 422
    console.pass_seconds(60)
    other = console.signed_in(console.account(Role.SUPERVISOR, login="sun"))
    assert (await other.post("/bulletins", kind="month", name="2026-10", anew="1")).status_code == 303
    overtaken = await second.post(f"/bulletins/{bulletin_id}/approve", made_at=read)
    assert overtaken.status_code == 409
    assert "drafted anew with other figures" in text(overtaken)
    read = read_draft(overtaken)
    assert (await second.post(f"/bulletins/{bulletin_id}/approve", made_at=read)).status_code == 303
    assert "Approved by zhao" in text(await author.get(f"/bulletins/{bulletin_id}"))
    [line] = console.audited("approve_bulletin")
    assert (line["who"], line["subject"]) == ("zhao", f"bulletin/{bulletin_id}")


async def test_a_file_is_audited_and_says_that_it_is_a_draft(console: ConsoleDesk, scenario: Scenario):
    bulletin_id = await drafted(console)
    answer = await console.person(Role.AUDITOR).get(f"/bulletins/{bulletin_id}/file/docx")
    assert answer.headers["content-disposition"] == 'attachment; filename="bulletin-2026-10.docx"'
    with zipfile.ZipFile(BytesIO(answer.content)) as package:
        assert "Draft for review" in package.read("word/document.xml").decode()
    [line] = console.audited("export")
    assert line["facts"] == {"days": "2026-10", "kind": "docx", "state": "draft"}


async def test_without_libreoffice_the_pdf_is_refused_in_a_sentence(
    console: ConsoleDesk, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PATH", "/nowhere")
    assert office_program() is None
    bulletin_id = await drafted(console)
    answer = await console.person(Role.AUDITOR).get(f"/bulletins/{bulletin_id}/file/pdf")
    assert answer.status_code == 503
    assert "LibreOffice is not installed on this machine" in text(answer)
    assert console.audited("export") == []
    assert "PDF file" not in text(await console.person(Role.AUDITOR).get(f"/bulletins/{bulletin_id}"))


async def test_what_is_no_month_is_refused_beside_its_field(console: ConsoleDesk, scenario: Scenario):
    answer = await console.person(Role.SUPERVISOR).post("/bulletins", kind="month", name="October")
    assert answer.status_code == 422
    assert "a month such as 2026-11" in text(answer)
    assert console.rows(t.bulletin) == []


async def test_accounts_of_a_unit_see_no_bulletins(console: ConsoleDesk, scenario: Scenario):
    bulletin_id = await drafted(console)
    with console.app.services.store.begin() as tx:
        unit_id = add_unit(tx, name="东区", parent_id=None)
    chief = console.person(Role.SUPERVISOR, unit_id=unit_id)
    assert (await chief.get("/bulletins")).status_code == 404
    assert (await chief.get(f"/bulletins/{bulletin_id}")).status_code == 404
    assert (await chief.post(f"/bulletins/{bulletin_id}/approve")).status_code == 404
    before = console.rows(t.bulletin)
    assert (await chief.post("/bulletins", kind="month", name="2026-09")).status_code == 404
    assert (await chief.get(f"/bulletins/{bulletin_id}/file/docx")).status_code == 404
    assert console.rows(t.bulletin) == before
    assert console.audited("export") == []


async def test_the_list_offers_the_month_that_is_over_and_keeps_what_was_typed(
    console: ConsoleDesk, scenario: Scenario
):
    chief, auditor = console.person(Role.SUPERVISOR), console.person(Role.AUDITOR)
    page = await chief.get("/bulletins")
    assert 'value="2026-10"' in page.text
    assert '<option value="month" selected>' in page.text
    assert "No bulletins yet" in text(page)
    assert "Draft a bulletin" not in text(await auditor.get("/bulletins"))
    future = await chief.post("/bulletins", kind="week", name="2026-W52")
    assert (future.status_code, "has not begun" in text(future)) == (422, True)
    assert ('value="2026-W52"' in future.text, '<option value="week" selected>' in future.text) == (
        True,
        True,
    )
    bulletin_id = await drafted(console, name=" 2026-10 ")
    listed = await auditor.get("/bulletins")
    assert f'<a href="/bulletins/{bulletin_id}">Monthly bulletin of warning and dissuasion</a>' in listed.text
    assert "October 2026" in text(listed)
    second = console.signed_in(console.account(Role.SUPERVISOR, login="zhao"))
    read = read_draft(await second.get(f"/bulletins/{bulletin_id}"))
    assert (await second.post(f"/bulletins/{bulletin_id}/approve", made_at=read)).status_code == 303
    again = await chief.post("/bulletins", kind="month", name="2026-10", anew="1")
    assert (again.status_code, 'value="2026-10"' in again.text) == (409, True)
    assert "this bulletin is approved: it is not drafted again" in text(again)


async def test_what_is_still_running_is_shown_and_neither_decided_nor_taken_away(
    console: ConsoleDesk, scenario: Scenario
):
    shown = await console.person(Role.SUPERVISOR).post("/bulletins", kind="month", name="2026-11")
    assert shown.status_code == 200
    page = text(shown)
    assert "The period is not over: figures until" in page
    assert "1. Overall" in page
    for offered in ("Word file", "Approve the bulletin", "a second person approves it"):
        assert offered not in page
    assert console.rows(t.bulletin) == []


async def test_a_refused_draft_says_who_refused_it_and_why(console: ConsoleDesk, scenario: Scenario):
    bulletin_id = await drafted(console)
    second = console.signed_in(console.account(Role.SUPERVISOR, login="zhao"))
    path = f"/bulletins/{bulletin_id}"
    read = read_draft(await second.get(path))
    assert "Word file" in text(await second.get(path))
    auditor = text(await console.person(Role.AUDITOR).get(path))
    assert ("Approve the bulletin" in auditor, "second person approves" in auditor) == (False, False)
    assert (await second.post(f"{path}/refuse", made_at=read, why="错" * 501)).status_code == 422
    assert (await second.post(f"{path}/refuse", made_at="yesterday", why="x")).status_code in {409, 422}
    assert (await second.post(f"{path}/refuse", made_at=read, why="错" * 500)).status_code == 303
    page = text(await second.get(path))
    assert f"Refused by Supervisor: {'错' * 500}" in page
    assert "Approve the bulletin" not in page
    [line] = console.audited("refuse_bulletin")
    assert line["who"] == "zhao"


async def test_a_number_that_no_bulletin_can_have_is_refused(console: ConsoleDesk, scenario: Scenario):
    bulletin_id = await drafted(console)
    assert bulletin_id == 1
    chief = console.person(Role.SUPERVISOR)
    assert (await chief.get(f"/bulletins/{bulletin_id}")).status_code == 200
    assert (await chief.get("/bulletins/999")).status_code == 404
    for number in (0, 2**63):
        assert (await chief.get(f"/bulletins/{number}")).status_code == 422
    assert (await chief.get(f"/bulletins/{bulletin_id}/file/odt")).status_code in {404, 422}
