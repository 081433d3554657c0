"""What waits for a decision: seen by those who may decide it, decided there, and counted beside the navigation."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from dialer.approvals.actions import InboxReader, read_inbox
from dialer.case_page.acts import revision_of
from dialer.cases.store import Act, StoredCase, lock_cases, note_acts
from dialer.core.access import Role, unrestricted
from dialer.core.case import CaseStatus
from dialer.core.errors import Conflict
from dialer.core.rates import Money, Period
from dialer.core.timeline import ActKind
from dialer.core.values import AmountKind, ApprovalKind, Contact
from dialer.db import tables as t
from dialer.db.unit_of_work import Tx
from dialer.org.account_changes import ask_new_account
from dialer.outcomes.filing import file_for_case
from dialer.outcomes.ledger import EvidenceUnread
from dialer.work import tasks
from dialer.work.tasks import approve_outcome
from tests.console.desk import ConsoleDesk, Person, text
from tests.console.town import ConsoleScenario
from tests.figures.sources import figures
from tests.outcomes.town import MORNING

RECEIPT = "银行回单 881"


class Inbox(ConsoleScenario):
    """Cases of a town with money on record."""

    def __init__(self, console: ConsoleDesk) -> None:
        super().__init__(console)
        self.console = console

    def open_case(self, unit_id: int | None = None, **columns: object) -> int:
        number = len(self.console.rows(t.person)) + 1
        owner = self.person(name=f"甲{number}", phones=(f"+86138{number:08d}",))
        return self.case(person_id=owner, unit_id=unit_id, warning=False, **columns)

    def money(self, case_id: int, *, by: str = "li", yuan: int = 200, hour: int = 0) -> int:
        with self.tx() as tx:
            place = {"table": "outcome", "column": "evidence_sealed", "row": f"case/{case_id}"}
            sealed = tx.vault.seal(RECEIPT.encode(), **place)
        at = MORNING + timedelta(hours=hour)
        return self.outcome(case_id, stopped_fen=yuan * 100, recorded_by=by, at=at, evidence_sealed=sealed)


@pytest.fixture
def town(console: ConsoleDesk) -> Inbox:
    return Inbox(console)


@pytest.fixture
def chief(console: ConsoleDesk) -> Person:
    return console.signed_in(console.account(Role.SUPERVISOR, login="zhao"))


PROOF = {"evidence_kind": "bank_receipt", "evidence_yuan": "20000", "evidence": "回单 882"}


async def badge(person: Person) -> int:
    """The number beside the navigation, of any page."""
    page = (await person.get("/account")).text
    entry = re.search(r'<a href="/approvals"[^>]*>[^<]*(?:<b[^>]*>(\d+))?', page)
    assert entry is not None
    return int(entry[1] or 0)


async def test_money_is_a_table_the_largest_first_and_refused_together_with_one_reason(
    console: ConsoleDesk, town: Inbox, chief: Person
):
    small, large, own = (
        town.money(town.open_case(), by=by, yuan=yuan, hour=hour)
        for hour, (by, yuan) in enumerate((("li", 20), ("li", 90_000), ("zhao", 5)))
    )
    page = await chief.get("/approvals")
    assert offered(page.text) == [large, small]
    assert "¥90,000" in text(page)
    assert "甲*" in text(page)
    assert "甲2" not in page.text
    assert offered((await chief.get("/approvals", order="oldest")).text) == [small, large]
    form = {"csrf": chief.csrf, "outcome": [small, large]}
    for wrong in ({"why": ""}, {"why": "x", "outcome": []}):
        assert (await chief.client.post("/approvals/refuse", data=form | wrong)).status_code == 422
    mixed = await chief.client.post(
        "/approvals/refuse", data=form | {"why": "illegible", "outcome": [small, own]}
    )
    assert (mixed.status_code, offered(mixed.text)) == (409, [large])
    done = await chief.client.post("/approvals/refuse", data=form | {"why": "illegible", "outcome": [large]})
    assert done.status_code == 303
    assert [line["why"] for line in console.audited("refuse_outcome")] == ["illegible"] * 2


def offered(page: str) -> list[int]:
    """The lines with money, in the order of the page."""
    return [int(one) for one in re.findall(r'<tr id="outcome-(\d+)"', page)]


async def test_one_sees_what_one_may_decide_oldest_first(console: ConsoleDesk, town: Inbox, chief: Person):
    unit, other_unit = town.unit("临河区"), town.unit("五原县")
    inside, outside = town.open_case(unit), town.open_case(other_unit)
    late, early = town.money(inside, hour=2), town.money(inside, hour=1)
    own = town.money(inside, by="zhao")
    elsewhere = town.money(outside, hour=3)
    approved = town.money(inside)
    town.approve(approved)
    town.put(t.stop_payment, case_id=inside, opened_at=MORNING, drill=False)
    page = await chief.get("/approvals")
    assert offered(page.text) == [early, late, elsewhere]
    assert "¥200" in text(page)
    assert RECEIPT not in page.text
    assert f"/cases/{inside}" in page.text
    assert await badge(chief) == 4
    local = console.signed_in(console.account(Role.SUPERVISOR, login="sun", unit_id=unit))
    assert sorted(offered((await local.get("/approvals")).text)) == sorted([own, early, late])
    assert await badge(local) == 4
    refused = await local.post(f"/approvals/outcomes/{elsewhere}/refuse", why="回单不符")
    assert refused.status_code == 404
    assert (await local.post("/approvals/approve", outcome=elsewhere)).status_code == 404
    assert (await local.post("/approvals/evidence", outcome=elsewhere)).status_code == 404
    assert (await chief.post("/approvals/approve", outcome=own)).status_code == 409
    assert RECEIPT in (await chief.post("/approvals/evidence", outcome=early)).text
    everybody = read_inbox(console.app.services, InboxReader(who="", role=None, unit_id=None))
    assert {one.id for one in everybody.money} == {own, early, late, elsewhere}
    assert everybody.counts[ApprovalKind.MONEY] == 4


async def test_a_small_batch_is_approved_and_the_number_falls(
    console: ConsoleDesk, town: Inbox, chief: Person
):
    lines = [town.money(town.open_case()) for _ in range(3)]
    assert await badge(chief) == 3
    done = await chief.client.post("/approvals/approve", data={"csrf": chief.csrf, "outcome": lines[:2]})
    assert done.status_code == 303
    assert await badge(chief) == 1
    assert offered((await chief.get("/approvals")).text) == lines[2:]
    assert [line["facts"]["outcome_id"] for line in console.audited("approve_outcome")] == lines[:2]
    # All or none: one of them is approved already.
    again = await chief.client.post("/approvals/approve", data={"csrf": chief.csrf, "outcome": lines})
    assert again.status_code == 409
    assert "approved already by zhao" in text(again)
    assert await badge(chief) == 1


async def test_a_large_batch_needs_the_evidence_of_a_sample(console: ConsoleDesk, town: Inbox, chief: Person):
    lines = [town.money(town.open_case()) for _ in range(11)]
    form = {"csrf": chief.csrf, "outcome": lines}
    first = await chief.client.post("/approvals/approve", data=form)
    assert first.status_code == 409
    assert "Compare this evidence with its amounts" in text(first)
    assert first.text.count(RECEIPT) == 3
    assert first.text.count(" checked") == 11
    read = console.audited("view_evidence")
    assert len(read) == 3
    assert {line["facts"]["outcome_id"] for line in read} < set(lines)
    # Another batch has a sample of its own, so that nobody approves more than was looked at.
    larger = {"csrf": chief.csrf, "outcome": [*lines, *(town.money(town.open_case()) for _ in range(9))]}
    assert (await chief.client.post("/approvals/approve", data=larger)).status_code == 409
    assert (await chief.client.post("/approvals/approve", data=form)).status_code == 303
    assert len(offered((await chief.get("/approvals")).text)) == 9


async def test_more_than_was_at_risk_is_approved_after_its_evidence_was_read(
    console: ConsoleDesk, town: Inbox, chief: Person
):
    case_id, other = town.open_case(), town.open_case()
    with town.tx() as tx:
        for of, yuan in ((case_id, 3_000), (other, 300_000)):
            tx.execute(sa.update(t.case).where(t.case.c.id == of).values(amount_at_risk_fen=yuan * 100))
    above, within = town.money(case_id, yuan=300_000), town.money(other, yuan=300_000)
    assert text(await chief.get("/approvals")).count("at risk in the warnings: read the evidence") == 1
    assert (await chief.post("/approvals/approve", outcome=within)).status_code == 303
    with pytest.raises(EvidenceUnread, match="read their evidence under Approvals first"):
        approve_outcome(console.app.services, unrestricted("zhao"), above)
    assert [line["facts"]["outcome_id"] for line in console.audited("approve_outcome")] == [within]
    refused = await chief.post("/approvals/approve", outcome=above)
    assert refused.status_code == 409
    assert [line["facts"] for line in console.audited("view_evidence")] == [{"outcome_id": above}]
    assert [line["facts"]["outcome_id"] for line in console.audited("approve_outcome")] == [within]
    assert (await chief.post("/approvals/approve", outcome=above)).status_code == 303


async def test_refused_money_goes_back_to_its_recorder(console: ConsoleDesk, town: Inbox, chief: Person):
    caller = console.signed_in(console.account(Role.CALLER, login="li"))
    until = MORNING + timedelta(days=7)
    success = {"status": CaseStatus.WATCHING, "outcome": "dissuaded_by_phone", "contact": Contact.VERIFIED}
    case_id = town.open_case(watch_until=until, **success)
    line = town.money(case_id, yuan=50_000)
    path = f"/approvals/outcomes/{line}"
    assert await badge(caller) == 0
    assert (await chief.post(f"{path}/refuse", why=" ")).status_code == 422
    assert (await chief.post(f"{path}/refuse", why="回单金额不符")).status_code == 303
    assert await badge(chief) == 0
    [original, refusal] = console.rows(t.outcome)
    assert (refusal["reverses"], refusal["recorded_by"], refusal["stopped_fen"]) == (line, "zhao", 0)
    assert original["stopped_fen"] == 5_000_000
    back = await caller.get("/approvals")
    assert "回单金额不符" in back.text
    assert 'value="50000"' in back.text
    assert (await chief.post("/approvals/approve", outcome=line)).status_code == 409
    other = console.signed_in(console.account(Role.CALLER, login="qian"))
    assert "回单金额不符" not in (await other.get("/approvals")).text
    assert (await other.post(f"{path}/correct", stopped="1", **PROOF)).status_code == 404
    unproven = await caller.post(f"{path}/correct", stopped="20000")
    assert unproven.status_code == 422
    assert "money on record needs its evidence" in text(unproven)
    assert (await caller.post(f"{path}/correct", stopped="20000", **PROOF)).status_code == 303
    assert (await caller.post(f"{path}/correct", stopped="1", **PROOF)).status_code == 409
    corrected = console.rows(t.outcome)[-1]
    assert (corrected["reverses"], corrected["stopped_fen"]) == (refusal["id"], 2_000_000)
    assert offered((await chief.get("/approvals")).text) == [corrected["id"]]
    assert (await chief.post("/approvals/approve", outcome=corrected["id"])).status_code == 303
    told = text(await chief.get(f"/cases/{case_id}"))
    assert f"the amounts of outcome {line} are refused" in told
    assert "refused amounts recorded again" in told
    # A filed case reverses the corrected amounts, and with them the success.
    file_for_case(console.app.services, unrestricted("zhao"), case_id, case_number="A1")
    last = console.rows(t.outcome)[-1]
    assert (last["reason"], last["reverses"]) == ("case_filed", corrected["id"])


async def test_what_a_person_signed_in_capitals_is_their_own(
    console: ConsoleDesk, town: Inbox, chief: Person
):
    """A command takes `--by Zhao`, and the account is zhao."""
    case_id = town.open_case()
    own = town.money(case_id, by="Zhao")
    town.put(
        t.list_load,
        filename="own.xlsx",
        state="held",
        content_hash=b"x",
        size_bytes=1,
        by="Zhao",
        created_at=MORNING,
        needs_approval=True,
        total=5_000,
    )
    [load] = console.rows(t.list_load)
    page = await chief.get("/approvals")
    assert offered(page.text) == []
    assert "own.xlsx" not in page.text
    assert await badge(chief) == 0
    assert f"/lists/{load['id']}/approve" not in (await chief.get(f"/lists/{load['id']}")).text
    assert (await chief.post("/approvals/approve", outcome=own)).status_code == 409
    other = console.signed_in(console.account(Role.SUPERVISOR, login="sun"))
    assert await badge(other) == 2
    assert (await other.post(f"/approvals/outcomes/{own}/refuse", why="回单金额不符")).status_code == 303
    assert "回单金额不符" in (await chief.get("/approvals")).text
    assert await badge(chief) == 1
    corrected = await chief.post(f"/approvals/outcomes/{own}/correct", stopped="200", **PROOF)
    assert corrected.status_code == 303
    assert await badge(chief) == 0


async def test_a_filed_case_reverses_a_success_whose_amounts_were_refused(
    console: ConsoleDesk, town: Inbox, chief: Person
):
    until = MORNING + timedelta(days=7)
    success = {"status": CaseStatus.WATCHING, "outcome": "dissuaded_by_phone", "contact": Contact.VERIFIED}
    case_id = town.open_case(watch_until=until, **success)
    line = town.money(case_id)
    await chief.post(f"/approvals/outcomes/{line}/refuse", why="回单不符")
    file_for_case(console.app.services, unrestricted("zhao"), case_id, case_number="A1")
    assert [row["reverses"] for row in console.rows(t.outcome) if row["reverses"]] == [line, line]
    assert (await chief.get(f"/cases/{case_id}")).text.count(f'id="outcome-{line}"') == 1
    # What is reversed altogether is not recorded again.
    caller = console.signed_in(console.account(Role.CALLER, login="li"))
    late = await caller.post(f"/approvals/outcomes/{line}/correct", stopped="1", **PROOF)
    assert late.status_code == 409
    assert await badge(caller) == 0


async def test_lists_scripts_and_stop_payments_wait_there(console: ConsoleDesk, town: Inbox, chief: Person):
    case_id = town.open_case()
    payment = town.put(t.stop_payment, case_id=case_id, opened_at=MORNING, drill=False)
    for by in ("li", "zhao"):
        town.put(
            t.list_load,
            filename=f"{by}.xlsx",
            state="held",
            content_hash=b"x",
            size_bytes=1,
            by=by,
            created_at=MORNING,
            needs_approval=True,
            total=5_000,
            early_accepted=12,
        )
    with town.tx() as tx:
        [version] = tx.rows(
            sa.select(t.script_version).where(
                t.script_version.c.script_id == "investment", t.script_version.c.number == 1
            )
        )
    changed = {"number": 2, "content_hash": "0" * 64, "drafted_by": "li", "drafted_at": MORNING}
    town.put(t.script_version, **{k: v for k, v in version.items() if k != "id"} | changed)
    page = await chief.get("/approvals")
    told = text(page)
    assert "li.xlsx" in told
    assert "zhao.xlsx" not in told
    assert "5,000 rows · high grades loaded already: 12" in told
    assert "/scripts/investment/difference?old=1&amp;new=2" in page.text
    assert await badge(chief) == 3
    caller = console.person(Role.CALLER)
    assert await badge(caller) == 1
    done = await caller.post(f"/approvals/stop-payments/{payment}/done", result="asked")
    assert done.status_code == 303
    assert await badge(caller) == 0
    assert (await chief.post(f"/approvals/stop-payments/{payment}/done")).status_code == 409


async def test_changes_of_accounts_wait_for_the_security_administrator_alone(
    console: ConsoleDesk, chief: Person
):
    security = console.person(Role.SECURITY_ADMINISTRATOR)
    admin = console.person(Role.ADMINISTRATOR)
    ask_new_account(
        console.app.services,
        unrestricted(admin.member.login),
        login="wu",
        display_name="吴",
        role=Role.AUDITOR,
        unit_id=None,
        language="zh",
        why="审计",
    )
    assert await badge(security) == 1
    assert "审计" in (await security.get("/approvals")).text
    assert await badge(chief) == 0
    assert (await admin.get("/approvals")).status_code == 403


async def test_two_entries_of_one_case_are_shown_together_and_one_counts(
    console: ConsoleDesk, town: Inbox, chief: Person
):
    case_id = town.open_case()
    first, second = town.money(case_id, yuan=200), town.money(case_id, by="qian", yuan=300, hour=1)
    apart = town.money(town.open_case(), yuan=500)
    page = text(await chief.get("/approvals"))
    assert page.count("It counts once") == 2
    assert f"outcome {second} qian" in page
    assert "Approve this one instead" not in page
    assert (await chief.post("/approvals/approve", outcome=first)).status_code == 303
    page = text(await chief.get("/approvals"))
    assert f"outcome {first} li" in page
    assert "Approve this one instead" in page
    sheet = text(await chief.get(f"/cases/{case_id}"))
    assert sheet.count("the same kind of amount counts once") == 2
    # Nothing of a batch is approved when one of it would count twice.
    both = await chief.client.post(
        "/approvals/approve", data={"csrf": chief.csrf, "outcome": [second, apart], "in_place": "1"}
    )
    assert both.status_code == 409
    assert f"of the same kind as outcome {first}, which is approved" in text(both)
    assert [line["facts"]["outcome_id"] for line in console.audited("approve_outcome")] == [first]
    assert (await chief.post("/approvals/approve", outcome=second, in_place="1")).status_code == 303
    last = console.rows(t.outcome)[-1]
    assert (last["reason"], last["reverses"], last["recorded_by"]) == ("money_replaced", first, "zhao")
    assert console.audited("approve_outcome")[-1]["facts"] == {"outcome_id": second, "replaces": first}
    with town.tx() as tx:
        total = figures(tx, Period(), drill=False, now=MORNING + timedelta(days=1)).total.amounts
    assert total[AmountKind.STOPPED] == Money(approved_fen=300_00, unapproved_fen=500_00, reversed_fen=200_00)
    sheet = text(await chief.get(f"/cases/{case_id}"))
    assert f"the amounts of outcome {first} are replaced by others" in sheet
    assert "the same kind of amount counts once" not in sheet


async def test_amounts_of_a_duplicate_count_once_with_those_of_the_case_that_stays(
    console: ConsoleDesk, town: Inbox, chief: Person
):
    here, there = town.unit("甲"), town.unit("乙")
    kept, twin = town.open_case(here), town.open_case(there)
    first, second = town.money(kept), town.money(twin, yuan=300, hour=1)
    assert (await chief.post("/approvals/approve", outcome=first)).status_code == 303
    revision = revision_of(console.app.services, twin)
    marked = await chief.post(
        f"/cases/{twin}/duplicate", of=kept, expected=revision, shown_at=MORNING.isoformat()
    )
    assert marked.status_code == 303
    page = text(await chief.get("/approvals"))
    assert f"outcome {first} of a duplicate, case #{kept}" in page
    for case_id, other, of in ((kept, second, twin), (twin, first, kept)):
        sheet = text(await chief.get(f"/cases/{case_id}"))
        assert f"in conflict with outcome {other}: the same kind of amount counts once case #{of}" in sheet
    assert (await chief.post("/approvals/approve", outcome=second)).status_code == 409
    # Somebody who does not see the other case is told so, sees nothing of it, and replaces nothing.
    local = console.person(Role.SUPERVISOR, unit_id=there)
    page = text(await local.get("/approvals"))
    assert (f"Case {twin}" in page, f"#{kept}" in page, "Approve this one instead" in page) == (
        True,
        False,
        False,
    )
    refused = await local.post("/approvals/approve", outcome=second, in_place="1")
    assert (refused.status_code, "is of a case of another unit" in text(refused)) == (409, True)
    assert (await chief.post("/approvals/approve", outcome=second, in_place="1")).status_code == 303
    with town.tx() as tx:
        total = figures(tx, Period(), drill=False, now=MORNING + timedelta(days=1)).total.amounts
    assert total[AmountKind.STOPPED] == Money(approved_fen=300_00, reversed_fen=200_00)


def test_a_case_that_is_marked_while_an_approval_waits_for_it_is_not_overlooked(
    console: ConsoleDesk, town: Inbox, monkeypatch: pytest.MonkeyPatch
):
    kept, twin = town.open_case(), town.open_case()
    town.money(kept)
    second = town.money(twin)

    def marked_first(tx: Tx, ids: Iterable[int]) -> dict[int, StoredCase]:
        with town.tx() as other:
            act = Act(case_id=twin, kind=ActKind.DUPLICATE, by="li", facts={"of": kept})
            note_acts(other, [act], now=MORNING)
        return lock_cases(tx, ids)

    monkeypatch.setattr(tasks, "lock_cases", marked_first)
    with pytest.raises(Conflict) as refused:
        approve_outcome(console.app.services, unrestricted("zhao"), second)
    assert refused.value.current == "marked"
    assert console.audited("approve_outcome") == []


async def test_amounts_of_other_kinds_and_cases_are_no_conflict(town: Inbox, chief: Person):
    case_id = town.open_case()
    lines = [town.money(case_id), town.money(town.open_case()), town.outcome(case_id, intended_fen=100)]
    assert "It counts once" not in text(await chief.get("/approvals"))
    form = {"csrf": chief.csrf, "outcome": lines}
    assert (await chief.client.post("/approvals/approve", data=form)).status_code == 303


async def test_a_replaced_success_is_still_reversed_by_a_filed_case(
    console: ConsoleDesk, town: Inbox, chief: Person
):
    success = {"status": CaseStatus.WATCHING, "outcome": "dissuaded_by_phone", "contact": Contact.VERIFIED}
    case_id = town.open_case(watch_until=MORNING + timedelta(days=7), **success)
    first, second = town.money(case_id), town.outcome(case_id, kind="already_defrauded", stopped_fen=900)
    for line in (first, second):
        assert (await chief.post("/approvals/approve", outcome=line, in_place="1")).status_code == 303
    file_for_case(console.app.services, unrestricted("zhao"), case_id, case_number="A1")
    last = console.rows(t.outcome)[-1]
    assert (last["reason"], last["reverses"]) == ("case_filed", first)


def test_the_database_caps_an_amount_by_its_evidence(town: Inbox):
    for columns, check in (
        ({"evidence_kind": "photo"}, "ck_outcome_evidence"),
        ({"evidence_fen": 500}, "ck_outcome_evidence"),
        ({"evidence_kind": "photo", "evidence_fen": 99}, "ck_outcome_capped_by_evidence"),
        ({"evidence_kind": "rumour", "evidence_fen": 100}, "ck_outcome_evidence_kind"),
        ({"evidence_kind": "photo", "evidence_fen": 100, "evidence_sealed": None}, "ck_outcome_"),
    ):
        with pytest.raises(sa.exc.IntegrityError, match=check):
            town.outcome(town.open_case(), returned_fen=100, **columns)


def test_the_database_counts_an_amount_once(town: Inbox):
    case_id = town.open_case()
    lines = [town.money(case_id), town.money(case_id)]
    town.approve(lines[0])
    with pytest.raises(sa.exc.IntegrityError, match="approved already"):
        town.approve(lines[1])


async def test_the_kind_of_evidence_and_what_it_shows_are_on_the_pages(
    console: ConsoleDesk, town: Inbox, chief: Person
):
    case_id = town.open_case()
    town.outcome(case_id, stopped_fen=100_00, evidence_kind="bank_receipt", evidence_fen=150_00)
    for path in ("/approvals", f"/cases/{case_id}"):
        assert "receipt of the bank, which shows ¥150" in text(await chief.get(path))


async def test_a_token_waits_for_the_security_administrator_and_is_decided_there(console: ConsoleDesk):
    asker = console.signed_in(console.account(Role.ADMINISTRATOR, login="asker"))
    second = console.signed_in(console.account(Role.SECURITY_ADMINISTRATOR, login="second"))
    unit = ConsoleScenario(console).unit("临河分局")
    local = console.signed_in(console.account(Role.SECURITY_ADMINISTRATOR, login="local", unit_id=unit))
    for name in ("bank", "gateway"):
        form = {
            "name": name,
            "scope": "signals:write",
            "sources": "人民银行\n反诈中心",
            "days": "30",
            "why": "接入",
        }
        assert (await asker.post("/tokens", **form)).status_code == 303
    assert await badge(second) == 2
    page = text(await second.get("/approvals"))
    assert "bank" in page
    assert "人民银行, 反诈中心" in page
    assert "send signals" in page
    assert "人民银行" not in text(await local.get("/approvals"))
    assert await badge(local) == 0
    [bank, gateway] = console.rows(t.token_request)
    made = await second.post(f"/tokens/requests/{bank['id']}/confirm")
    assert "The token bank is made" in text(made)
    refused = await second.post(f"/tokens/requests/{gateway['id']}/refuse", back="approvals")
    assert refused.headers["location"] == "/approvals"
    assert [row["sources"] for row in console.rows(t.api_token)] == [["人民银行", "反诈中心"]]
    reader = InboxReader(who="second", role=Role.SECURITY_ADMINISTRATOR, unit_id=None)
    assert read_inbox(console.app.services, reader).counts[ApprovalKind.API_TOKEN] == 0
    assert "人民银行" not in text(await second.get("/approvals"))
