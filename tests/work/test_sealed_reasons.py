"""Reasons that people type are sealed in the database and readable where they may be shown."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from dialer.audit.trail import AuditQuery, search_audit
from dialer.case_page.acts import ask_person, change_grade
from dialer.core.access import unrestricted
from dialer.core.values import Grade, Track
from dialer.db import tables as t
from dialer.db.audit import AuditReason, Seal, audit_reason, write_audit
from dialer.db.unit_of_work import Row
from dialer.db.vault import UNREADABLE
from dialer.work.transfer_store import transfer_reason, waiting_transfers
from dialer.work.transfers import accept_transfer, refuse_transfer, transfer_assignment
from tests.outcomes.town import MORNING
from tests.work.bureau import Bureau, seen

REASON = "王秀兰说是她儿子 13912345678"


@pytest.fixture
def case_id(bureau: Bureau) -> int:
    return bureau.case_with_unit("临河分局", grade=Grade.MEDIUM)


def test_the_reason_of_an_act_is_sealed_and_the_auditor_reads_it(bureau: Bureau, case_id: int):
    change_grade(seen(bureau, case_id, 1), Grade.LOW, why=REASON)
    assert not clear(bureau, "audit")
    with bureau.services.store.begin() as tx:
        (line,) = search_audit(tx, AuditQuery(act="grade_lowered")).lines
    assert line.why == REASON


def test_the_reasons_of_a_transfer_are_sealed(bureau: Bureau, case_id: int):
    transfer_id = asked_next_door(bureau, case_id)
    with bureau.services.store.begin() as tx:
        assert [each.why for each in waiting_transfers(tx)] == [REASON]
    refuse_transfer(bureau.services, unrestricted("zhao"), transfer_id, why=f"不是 {REASON}")
    assert not clear(bureau, "assignment_transfer")


@pytest.mark.parametrize("why", [REASON, ""])
def test_an_altered_line_is_detected(bureau: Bureau, why: str):
    line = written(bureau, why=why)
    vault = bureau.services.store.vault
    assert audit_reason(vault, line) == AuditReason(why=why, seal=Seal.WHOLE)
    for column, forged in (
        ("who", "zhao"),
        ("act", "grade_raised"),
        ("subject", "case/99"),
        ("at", MORNING - timedelta(days=300)),
        ("facts", {"from": "low"}),
    ):
        assert audit_reason(vault, dict(line) | {column: forged}) == AuditReason(
            why=UNREADABLE, seal=Seal.BROKEN
        ), column


def test_a_removed_seal_is_detected(bureau: Bureau):
    line = dict(written(bureau, why=REASON)) | {"why_sealed": None, "why": "harmless"}
    vault = bureau.services.store.vault
    assert audit_reason(vault, line) == AuditReason(why=UNREADABLE, seal=Seal.BROKEN)
    assert audit_reason(vault, line | {"number": None}) == AuditReason(why="harmless", seal=Seal.NONE)


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"b": 1, "a": [1, 2.5, None, True, "王"]},
        {"share": 2.0, "large": 1e22, "small": 1e-7, "pair": (1, 2), "deep": {"x": {"y": 0.1}}},
    ],
)
def test_facts_of_every_kind_fit_their_seal_when_they_come_back(bureau: Bureau, facts: dict[str, object]):
    assert audit_reason(bureau.services.store.vault, written(bureau, why="x", facts=facts)).seal is Seal.WHOLE


def test_a_transfer_with_an_unreadable_reason_can_be_answered(bureau: Bureau, case_id: int):
    transfer_id = asked_next_door(bureau, case_id)
    with bureau.services.store.begin() as tx:
        tx.execute(sa.update(t.assignment_transfer).values(at=MORNING - timedelta(days=1)))
        assert [each.why for each in waiting_transfers(tx)] == [UNREADABLE]
    accept_transfer(bureau.services, unrestricted("zhao"), transfer_id)
    assert bureau.assignment_of(case_id, Track.VISIT)["unit_id"] == bureau.unit["五原分局"]


def test_a_line_from_before_is_read_as_it_was_written(bureau: Bureau):
    old = {"why": "旧的原因", "why_sealed": None, "number": None}
    vault = bureau.services.store.vault
    assert audit_reason(vault, old).why == transfer_reason(vault, old) == "旧的原因"


def asked_next_door(bureau: Bureau, case_id: int) -> int:
    """A visit of this case that asks another unit to take it."""
    ask_person(seen(bureau, case_id, 1), Track.VISIT)
    visit = bureau.assignment_of(case_id, Track.VISIT)["id"]
    return transfer_assignment(
        bureau.services, unrestricted("li"), visit, to_unit_id=bureau.unit["五原分局"], why=REASON
    )


def written(bureau: Bureau, *, why: str, facts: dict[str, object] | None = None) -> Row:
    """A line of the audit, as it comes back from the database."""
    with bureau.services.store.begin() as tx:
        now = bureau.services.clock.now()
        write_audit(tx, who="li", act="reveal", subject="case/1", why=why, now=now, facts=facts)
    with bureau.services.store.begin() as tx:
        (line,) = tx.rows(sa.select(t.audit))
        return line


def clear(bureau: Bureau, table: str) -> list[str]:
    """What of the reason stands there for anybody who reads the table."""
    with bureau.services.store.begin() as tx:
        rows = tx.rows(sa.text(f"SELECT to_jsonb(x)::text AS told FROM {table} x"))
    hidden = REASON.encode().hex()
    assert rows
    return [row["told"] for row in rows if REASON in row["told"] or hidden in row["told"]]
