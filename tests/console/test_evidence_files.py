"""Amounts have files as evidence: taken with the report or the correction, sealed, opened with a reason, deleted with
the person.
"""

from __future__ import annotations

import re
import uuid

import httpx
import pytest
import sqlalchemy as sa

from dialer.approvals.actions import InboxReader, read_inbox
from dialer.core.access import SERVICE, Role, unrestricted
from dialer.core.case import VisitStage
from dialer.core.errors import Invalid
from dialer.core.values import Amounts, Contact, Evidence, EvidenceKind, Grade, OutcomeKind
from dialer.db import tables as t
from dialer.db.acts import OpenAct
from dialer.outcomes.evidence_files import clean_evidence
from dialer.retention.erasing import erase_people
from dialer.work.assignments import Assignment, Scope
from dialer.work.tasks import WorkReport, claim_next, report_assignment
from dialer.work.visits import PhoneAct, add_photo, report_visit, take_step
from tests.console.desk import ConsoleDesk, Person, text
from tests.console.test_case import ConsoleScene
from tests.core.pdfs import pdf
from tests.core.pictures import SECRET, jpeg

PDF, PICTURE = pdf(), jpeg(colours=b"colours")
PAID = {
    "outcome": "already_defrauded",
    "verified": "yes",
    "scammer": "yes",
    "stopped": "5000",
    "evidence_kind": "bank_receipt",
    "evidence_yuan": "5000",
    "evidence": "回单 882",
}
SENT = {"receipt.pdf": (PDF, "application/pdf"), "page.jpg": (PICTURE, "image/jpeg")}


async def post(
    person: Person, path: str, fields: dict[str, str], files: dict[str, tuple[bytes, str]]
) -> httpx.Response:
    sent = [("evidence_files", (name, content, kind)) for name, (content, kind) in files.items()]
    return await person.client.post(path, data={"csrf": person.csrf} | fields, files=sent or {"none": b""})


@pytest.fixture
def scene(console: ConsoleDesk) -> ConsoleScene:
    return ConsoleScene(console)


@pytest.fixture
def caller(console: ConsoleDesk) -> Person:
    return console.signed_in(console.account(Role.CALLER, login="li"))


@pytest.fixture
def chief(console: ConsoleDesk) -> Person:
    return console.signed_in(console.account(Role.SUPERVISOR, login="zhao"))


@pytest.fixture
def task(scene: ConsoleScene) -> Assignment:
    scene.open_case(grade=Grade.EXTRA_HIGH)
    found = claim_next(scene.services, unrestricted("li"), scope=Scope())
    assert found is not None
    return found


async def test_a_report_with_files_is_shown_to_the_approver(
    console: ConsoleDesk, caller: Person, chief: Person, task: Assignment
):
    path = f"/desk/tasks/{task.id}/report"
    said = await post(caller, path, PAID | {"token": str(task.token), "verified": "no"}, SENT)
    assert said.status_code == 303, text(said)
    rows = {row["media_type"]: row for row in console.rows(t.evidence_file)}
    assert set(rows) == {"application/pdf", "image/jpeg"}
    assert rows["application/pdf"]["size_bytes"] == len(PDF)
    assert PDF not in bytes(rows["application/pdf"]["sealed"])
    [line] = console.rows(t.outcome)
    page = await chief.get("/approvals")
    assert "Open: PDF" in text(page)
    assert "Open: picture" in text(page)
    opened = {}
    for address in re.findall(r'action="(/approvals/outcomes/\d+/files/[^"]+)"', page.text):
        answer = await chief.post(address)
        opened[answer.headers["content-type"]] = answer
    assert opened["application/pdf"].content == PDF
    assert opened["application/pdf"].headers["content-disposition"].startswith("attachment")
    assert SECRET not in opened["image/jpeg"].content
    looks = console.audited("view_file")
    assert {(look["who"], look["why"], look["facts"]["outcome_id"]) for look in looks} == {
        ("zhao", "approval", line["id"])
    }
    # Who recorded it does not decide it, and is shown nothing there.
    assert (await caller.post(address)).status_code in {403, 404}
    # On the page of the case a reason is needed.
    case = f"/cases/{line['case_id']}"
    file = f"{case}/files/{rows['application/pdf']['id']}"
    assert file in (await chief.get(case)).text
    refused = await chief.post(file)
    assert (refused.status_code, "choose one of the list" in text(refused)) == (422, True)
    assert (await chief.post(file, reason="review", why="复核回单")).content == PDF
    assert console.audited("view_file")[-1]["facts"]["reason"] == "review"
    assert (await chief.post("/approvals/approve", outcome=line["id"])).status_code == 303
    assert (await chief.post(address)).status_code == 404  # it waits no longer


async def test_a_wrong_file_is_said_beside_its_field_and_the_rest_stays(
    console: ConsoleDesk, caller: Person, task: Assignment
):
    for files, why in (
        ({"a.gif": (b"GIF89a", "image/gif")}, "is no PDF"),
        ({"a.pdf": (pdf(trailer=b"/Encrypt 9 0 R"), "application/pdf")}, "is under a password"),
        ({"a.pdf": (b"%PDF-1.7 " + b"0" * (8 << 20), "application/pdf")}, "8 MB at most"),
        ({f"{n}.jpg": (PICTURE, "image/jpeg") for n in range(7)}, "6 at most"),
    ):
        answer = await post(caller, f"/desk/tasks/{task.id}/report", PAID | {"token": str(task.token)}, files)
        assert (answer.status_code, why in text(answer), "回单 882" in answer.text) == (422, True, True)
        assert console.rows(t.outcome) == []
        assert console.rows(t.evidence_file) == []


async def test_files_that_prove_no_amount_are_not_swallowed(
    console: ConsoleDesk, caller: Person, task: Assignment
):
    form = {"outcome": "refuses", "verified": "no", "scammer": "yes", "token": str(task.token)}
    answer = await post(caller, f"/desk/tasks/{task.id}/report", form, SENT)
    assert (answer.status_code, "prove no amount" in text(answer)) == (422, True)
    assert console.rows(t.evidence_file) == []


async def test_what_else_is_wrong_asks_for_the_files_again(caller: Person, task: Assignment):
    form = PAID | {"token": str(task.token), "evidence_yuan": "1"}
    answer = await post(caller, f"/desk/tasks/{task.id}/report", form, SENT)
    assert "choose the files again" in text(answer)


async def test_a_refused_amount_is_recorded_again_with_a_file(
    console: ConsoleDesk, scene: ConsoleScene, caller: Person, chief: Person, task: Assignment
):
    proof = Evidence(kind=EvidenceKind.BANK_RECEIPT, reference="回单", shows_fen=500_000)
    given = WorkReport(
        outcome=OutcomeKind.ALREADY_DEFRAUDED,
        contact=Contact.UNVERIFIED,
        amounts=Amounts(stopped_fen=500_000),
        evidence=proof,
    )
    line = report_assignment(scene.services, unrestricted("li"), task.id, given)
    assert "no file beside the reference" in text(await chief.get("/approvals"))
    path = f"/approvals/outcomes/{line}"
    assert (await chief.post(f"{path}/refuse", why="没有回单")).status_code == 303
    wrong = await post(caller, f"{path}/correct", {"stopped": "x", "evidence": "回单 9"}, SENT)
    assert (wrong.status_code, "is not an amount" in text(wrong), "回单 9" in wrong.text) == (422, True, True)
    fields = {name: PAID[name] for name in ("stopped", "evidence_kind", "evidence_yuan", "evidence")}
    assert (await post(caller, f"{path}/correct", fields, SENT)).status_code == 303
    new = console.rows(t.outcome)[-1]["id"]
    assert {row["outcome_id"] for row in console.rows(t.evidence_file)} == {new}
    inbox = read_inbox(scene.services, InboxReader(who="zhao", role=Role.SUPERVISOR, unit_id=None))
    assert [len(files) for files in inbox.files.values()] == [2]


async def test_photos_of_a_visit_stand_beside_its_amounts(
    console: ConsoleDesk, scene: ConsoleScene, chief: Person
):
    case_id = scene.open_case(grade=Grade.EXTRA_HIGH)
    visit = next(row["id"] for row in scene.assignments_of(case_id) if row["kind"] == "visit")

    def phone() -> PhoneAct:
        return PhoneAct(client_id=uuid.uuid4(), actor=unrestricted("officer"))

    take_step(scene.services, visit, VisitStage.ARRIVED, phone=phone())
    add_photo(scene.services, visit, phone=phone(), content=PICTURE)
    proof = Evidence(kind=EvidenceKind.PHOTO, reference="照片", shows_fen=500)
    given = WorkReport(
        outcome=OutcomeKind.DISSUADED_IN_PERSON, amounts=Amounts(intended_fen=500), evidence=proof
    )
    report_visit(scene.services, visit, given, phone=phone())
    page = await chief.get("/approvals")
    assert "Open: photo of the visit" in text(page)
    [address] = re.findall(r'action="(/approvals/outcomes/\d+/files/[^"]+)"', page.text)
    assert (await chief.post(address)).headers["content-type"] == "image/jpeg"
    assert console.audited("view_photo")[-1]["why"] == "approval"


def test_files_go_with_the_person(console: ConsoleDesk, scene: ConsoleScene, task: Assignment):
    files = clean_evidence(scene.services, [PDF, PICTURE])
    proof = Evidence(kind=EvidenceKind.DOCUMENT, reference="书证", shows_fen=500)
    given = WorkReport(
        outcome=OutcomeKind.ALREADY_DEFRAUDED,
        contact=Contact.UNVERIFIED,
        amounts=Amounts(stopped_fen=500),
        evidence=proof,
        files=files,
    )
    report_assignment(scene.services, unrestricted("li"), task.id, given)
    with scene.services.store.begin() as tx:
        person = tx.scalar(sa.select(t.case.c.person_id).where(t.case.c.id == task.case_id))
        counts = erase_people(OpenAct(tx, SERVICE, console.clock.now), [person])
    assert counts["evidence_file"] == 2
    assert console.rows(t.evidence_file) == []


def test_no_more_than_so_many(scene: ConsoleScene):
    with pytest.raises(Invalid, match="are too many"):
        clean_evidence(scene.services, [PDF] * 7)
