"""What a person types as a reason is nowhere in clear in the database, and whoever may read it reads it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from dialer.domain.values import Grade, Track
from dialer.store import audits, transfers
from dialer.store import tables as t
from dialer.store.reads import audit_search
from dialer.store.reads.audit_search import AuditQuery
from dialer.store.vault import Tampered
from dialer.usecases.act_on_case import ask_person, change_grade
from dialer.usecases.transfer_errand import refuse_transfer, transfer_errand
from tests.work.bureau import Bureau

REASON = "王秀兰说是她儿子 13912345678"


@pytest.fixture
def case_id(bureau: Bureau) -> int:
    return bureau.case_with_unit("临河分局", grade=Grade.MEDIUM)


def test_the_reason_of_an_act_is_sealed_and_the_auditor_reads_it(bureau: Bureau, case_id: int):
    change_grade(bureau.engine, case_id, Grade.LOW, by="li", expected=1, why=REASON)
    assert not clear(bureau, "audit")
    with bureau.engine.store.begin() as tx:
        (line,) = audit_search.search(tx, AuditQuery(act="grade_lowered")).lines
    assert line.why == REASON


def test_the_reasons_of_a_transfer_are_sealed(bureau: Bureau, case_id: int):
    ask_person(bureau.engine, case_id, Track.VISIT, by="li", expected=1)
    visit = bureau.assignment_of(case_id, Track.VISIT)["id"]
    unit_id = bureau.unit["五原分局"]
    transfer_id = transfer_errand(bureau.engine, visit, to_unit_id=unit_id, by="li", why=REASON)
    with bureau.engine.store.begin() as tx:
        assert [each.why for each in transfers.waiting(tx)] == [REASON]
    refuse_transfer(bureau.engine, transfer_id, by="zhao", why=f"不是 {REASON}")
    assert not clear(bureau, "assignment_transfer")


@pytest.mark.parametrize("column", ["who", "act", "subject", "at"])
def test_a_line_that_was_altered_shows_itself(bureau: Bureau, case_id: int, column: str):
    change_grade(bureau.engine, case_id, Grade.LOW, by="li", expected=1, why=REASON)
    with bureau.engine.store.begin() as tx:
        (line,) = tx.rows(sa.select(t.audit))
        assert audits.why_of(tx.vault, line) == REASON
        another = line[column]
        forged = dict(line) | {column: another.replace(year=2001) if column == "at" else f"{another}x"}
        with pytest.raises(Tampered):
            audits.why_of(tx.vault, forged)


def test_a_line_from_before_is_read_as_it_was_written(bureau: Bureau):
    old = {"why": "旧的原因", "why_sealed": None}
    with bureau.engine.store.begin() as tx:
        assert audits.why_of(tx.vault, old) == transfers.why_of(tx.vault, old) == "旧的原因"


def clear(bureau: Bureau, table: str) -> list[str]:
    """What of the reason stands there for anybody who reads the table."""
    with bureau.engine.store.begin() as tx:
        rows = tx.rows(sa.text(f"SELECT to_jsonb(x)::text AS told FROM {table} x"))
    hidden = REASON.encode().hex()
    assert rows
    return [row["told"] for row in rows if REASON in row["told"] or hidden in row["told"]]
