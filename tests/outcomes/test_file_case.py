"""A filed case undoes a success, once, and is never laid at another person's door."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from dialer.case_page.reading import show_case
from dialer.cases.timeline import filings
from dialer.core.access import unrestricted
from dialer.core.case import Case, CaseStatus
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.rates import Money
from dialer.core.timeline import EntryKind
from dialer.core.values import AmountKind, Amounts, Contact, FraudType, Grade
from dialer.db import tables as t
from dialer.db.acts import OpenAct
from dialer.db.unit_of_work import Tx
from dialer.db.units import add_unit
from dialer.figures.report import make_report
from dialer.outcomes.filing import (
    Filed,
    case_number_of,
    concerned_cases,
    correct_for_person,
    file_case,
    file_for_case,
    file_for_person,
    undo_for_person,
)
from dialer.outcomes.ledger import (
    CaseFilings,
    case_ids_filed_under,
    correct_outcome_row,
    filings_of_case,
    refuse_outcome_row,
)
from tests.audit_lines import audit_lines
from tests.outcomes.town import ID_NUMBER, MORNING, NAME, PHONE, Scenario

SUCCESS = {
    "status": CaseStatus.WATCHING,
    "outcome": "dissuaded_by_phone",
    "contact": Contact.VERIFIED,
    "watch_until": MORNING + timedelta(days=7),
}


def someone(scenario: Scenario) -> int:
    return scenario.person(name=NAME, phones=(PHONE,), id_number=ID_NUMBER)


def status(scenario: Scenario, case_id: int) -> str:
    with scenario.tx() as tx:
        return str(tx.scalar(sa.select(t.case.c.status).where(t.case.c.id == case_id)))


def ledger(scenario: Scenario, table: sa.Table) -> int:
    with scenario.tx() as tx:
        return int(tx.scalar(sa.select(sa.func.count()).select_from(table)))


def test_a_success_is_reversed_its_money_undone_and_the_report_says_so(scenario: Scenario):
    case_id = scenario.case(person_id=someone(scenario), **SUCCESS)
    scenario.outcome(case_id, intended_fen=500)
    filed = file_case(scenario.services, unrestricted("li"), id_number=ID_NUMBER, case_number=" A1 ")
    assert (filed.case_number, filed.case_ids, filed.already) == ("A1", (case_id,), False)
    file_case(scenario.services, unrestricted("li"), id_number=ID_NUMBER, case_number="A1")
    with scenario.tx() as tx:
        [line] = tx.rows(sa.select(t.audit.c.who, t.audit.c.act, t.audit.c.subject, t.audit.c.facts))
    assert line == {
        "who": "li",
        "act": "file_case",
        "subject": f"case/{case_id}",
        "facts": {"case_number": "A1"},
    }
    assert status(scenario, case_id) == "reversed"
    total = make_report(scenario.services).figures.total
    assert (total.counts.cases_reversed, total.counts.defrauded_after_warning) == (1, 1)
    assert total.amounts[AmountKind.INTENDED] == Money(reversed_fen=500)


def test_money_of_a_follow_up_is_undone_with_the_success(scenario: Scenario):
    case_id = scenario.case(person_id=someone(scenario), **SUCCESS)
    scenario.outcome(case_id, track="robot", reason="confirmed", recorded_by="robot")
    scenario.approve(scenario.outcome(case_id, reason="follow_up", intended_fen=20_000_000))
    scenario.outcome(case_id, reason="follow_up", intended_fen=300)
    before = make_report(scenario.services).figures.total.amounts[AmountKind.INTENDED]
    assert before == Money(approved_fen=20_000_000, unapproved_fen=300)
    file_case(scenario.services, unrestricted("li"), id_number=ID_NUMBER, case_number="A1")
    total = make_report(scenario.services).figures.total
    assert total.counts.dissuaded == 0
    assert total.amounts[AmountKind.INTENDED] == Money(reversed_fen=20_000_300)


def test_refused_money_of_a_filed_case_is_not_recorded_again(scenario: Scenario):
    case_id = scenario.case(person_id=someone(scenario), **SUCCESS)
    scenario.outcome(case_id, track="robot", reason="confirmed", recorded_by="robot")
    line = scenario.outcome(case_id, reason="follow_up", intended_fen=300)
    with scenario.tx() as tx:
        refuse_outcome_row(tx, line, by="zhao", why="没有凭证", now=MORNING)
    file_case(scenario.services, unrestricted("li"), id_number=ID_NUMBER, case_number="A1")
    with scenario.tx() as tx, pytest.raises(Conflict, match="reversed already"):
        correct_outcome_row(tx, line, amounts=Amounts(intended_fen=300), evidence=None, by="li", now=MORNING)


def test_the_same_number_again_needs_no_record(scenario: Scenario):
    case_id = scenario.case(person_id=someone(scenario), **SUCCESS)
    scenario.outcome(case_id)
    file_case(scenario.services, unrestricted("li"), id_number=ID_NUMBER, case_number="A1")
    before = (ledger(scenario, t.outcome), ledger(scenario, t.alarm))
    again = file_case(scenario.services, unrestricted("zhao"), phone="13800138000", case_number="A1")
    assert (again.case_ids, again.already) == ((case_id,), True)
    assert (ledger(scenario, t.outcome), ledger(scenario, t.alarm)) == before
    assert ledger(scenario, t.filed_case) == 1


def test_said_twice_at_once_it_is_on_record_once(scenario: Scenario):
    case_id = scenario.case(person_id=someone(scenario), **SUCCESS)
    scenario.outcome(case_id)

    def say(by: str) -> bool:
        return file_case(scenario.services, unrestricted(by), id_number=ID_NUMBER, case_number="A1").already

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(say, ("li", "zhao"))) == [False, True]
    assert ledger(scenario, t.filed_case) == 1
    with scenario.tx() as tx:
        reversals = tx.rows(sa.select(t.outcome).where(t.outcome.c.reverses.is_not(None)))
    assert len(reversals) == 1


def test_a_second_case_of_the_same_person_is_another_record_but_no_second_reversal(scenario: Scenario):
    case_id = scenario.case(person_id=someone(scenario), **SUCCESS)
    scenario.outcome(case_id)
    file_case(scenario.services, unrestricted("li"), id_number=ID_NUMBER, case_number="A1")
    again = file_case(scenario.services, unrestricted("li"), id_number=ID_NUMBER, case_number="A2")
    assert (again.case_ids, again.already) == ((case_id,), False)
    assert make_report(scenario.services).figures.total.counts.defrauded_after_warning == 1


def test_one_number_may_have_several_victims(scenario: Scenario):
    first = scenario.case(person_id=someone(scenario), **SUCCESS)
    second = scenario.case(person_id=scenario.person(phones=("+8613911112222",)), **SUCCESS)
    file_case(scenario.services, unrestricted("li"), id_number=ID_NUMBER, case_number="A1")
    other = file_case(scenario.services, unrestricted("li"), phone="13911112222", case_number="A1")
    assert (other.case_ids, other.already) == ((second,), False)
    assert status(scenario, first) == status(scenario, second) == "reversed"


def test_a_live_call_of_an_open_case_is_ended(scenario: Scenario):
    case_id = scenario.case(
        person_id=someone(scenario), robot_state="pending", robot_attempts=1, robot_reason="new_warning"
    )
    scenario.attempt(case_id, result=None)
    file_case(scenario.services, unrestricted("li"), id_number=ID_NUMBER, case_number="A1")
    assert status(scenario, case_id) == "closed"
    assert ("cancel_calls",) in scenario.enqueued
    with scenario.tx() as tx:
        assert tx.scalar(sa.select(t.attempt.c.cancel_asked)) is True


def test_a_named_fraud_type_spares_another_scam_s_success(scenario: Scenario):
    owner = someone(scenario)
    loan = scenario.case(person_id=owner, fraud_type=FraudType.LOAN, **SUCCESS)
    romance = scenario.case(person_id=owner, fraud_type=FraudType.ROMANCE, **SUCCESS)
    file_case(
        scenario.services,
        unrestricted("li"),
        id_number=ID_NUMBER,
        case_number="A1",
        fraud_type=FraudType.ROMANCE,
    )
    assert (status(scenario, loan), status(scenario, romance)) == ("watching", "reversed")


def test_a_shared_phone_names_nobody(scenario: Scenario):
    for _ in range(2):
        scenario.case(person_id=scenario.person(phones=("+864788123456",)), **SUCCESS)
    with pytest.raises(Conflict, match="several people") as refused:
        file_case(scenario.services, unrestricted("li"), phone="0478-8123456", case_number="A1")
    assert refused.value.current == "ambiguous"
    assert ledger(scenario, t.filed_case) == 0


def test_nobody_known_and_nothing_concerned(scenario: Scenario):
    with pytest.raises(NotFound, match="a person with this phone or id number does not exist"):
        file_case(scenario.services, unrestricted("li"), id_number=ID_NUMBER, case_number="A1")
    long_ago = MORNING - timedelta(days=400)
    scenario.case(
        person_id=someone(scenario), status=CaseStatus.CLOSED, outcome="refuses", opened_at=long_ago
    )
    with pytest.raises(NotFound, match="a case of this person that the filed one can concern does not exist"):
        file_case(scenario.services, unrestricted("li"), id_number=ID_NUMBER, case_number="A1")


def test_what_is_missing_is_said(scenario: Scenario):
    for given, field in (
        ({"case_number": "  "}, "case number"),
        ({"case_number": "x" * 101}, "case number"),
        ({"id_number": ""}, "id number"),
        ({"id_number": "", "phone": "8000"}, "phone"),
    ):
        with pytest.raises(Invalid) as refused:
            file_case(
                scenario.services,
                unrestricted("li"),
                **({"id_number": ID_NUMBER, "case_number": "A1"} | given),
            )
        assert refused.value.field == field, given


def test_a_case_number_has_at_most_a_hundred_characters():
    assert case_number_of(f" {'x' * 100} ") == "x" * 100


def test_a_case_that_is_not_there_or_of_another_unit_is_not_filed(scenario: Scenario):
    with scenario.tx() as tx:
        east, west = (add_unit(tx, name=name, parent_id=None) for name in ("东区", "西区"))
    case_id = scenario.case(person_id=someone(scenario), unit_id=east, **SUCCESS)
    for given, unit in ((case_id, west), (case_id + 1, None)):
        with pytest.raises(NotFound) as refused:
            file_for_case(scenario.services, unrestricted("li", unit_id=unit), given, case_number="A1")
        assert (refused.value.kind, refused.value.key) == ("case", given)
    filed = file_for_case(scenario.services, unrestricted("li", unit_id=east), case_id, case_number="A1")
    assert filed == Filed(case_number="A1", case_ids=(case_id,), already=False)
    [line] = audit_lines(scenario.store)
    assert (line["act"], line["subject"], line["why"], line["at"]) == (
        "file_case", f"case/{case_id}", "", MORNING,
    )  # fmt: skip


def test_the_live_call_of_the_case_that_is_filed_is_ended(scenario: Scenario):
    case_id = scenario.case(robot_state="pending", robot_attempts=1, robot_reason="new_warning")
    scenario.attempt(case_id, result=None)
    file_for_case(scenario.services, unrestricted("li"), case_id, case_number="A1")
    assert scenario.enqueued == [("cancel_calls",)]


def by_li(scenario: Scenario, tx: Tx) -> OpenAct:
    return OpenAct(tx, unrestricted("li"), scenario.clock.now)


def test_a_row_of_a_list_is_recorded_once_for_the_cases_that_it_concerns(scenario: Scenario):
    owner = someone(scenario)
    filed = scenario.case(person_id=owner, **SUCCESS)
    watched = scenario.case(person_id=owner, fraud_type=FraudType.ROMANCE, **SUCCESS)
    given = {"case_number": "A1"}

    def record(fraud_type: FraudType, happened_at: datetime) -> tuple[tuple[int, ...], bool]:
        with scenario.tx() as tx:
            return file_for_person(
                by_li(scenario, tx),
                scenario.services,
                owner,
                fraud_type=fraud_type,
                happened_at=happened_at,
                **given,
            )

    assert record(FraudType.LOAN, MORNING - timedelta(seconds=1)) == ((), False)
    assert record(FraudType.LOAN, MORNING) == ((filed,), False)
    assert record(FraudType.LOAN, MORNING) == ((), False)
    with scenario.tx() as tx:
        corrected = correct_for_person(
            by_li(scenario, tx),
            scenario.services,
            owner,
            fraud_type=FraudType.ROMANCE,
            happened_at=MORNING,
            **given,
        )
        assert corrected == ((watched,), False)
        assert case_ids_filed_under(tx, case_number="A1", case_ids=[filed, watched]) == [watched]
    assert (status(scenario, filed), status(scenario, watched)) == ("watching", "reversed")
    with scenario.tx() as tx:
        undone = undo_for_person(by_li(scenario, tx), scenario.services, owner, **given)
        assert undone == (watched,)
        assert undo_for_person(by_li(scenario, tx), scenario.services, owner, **given) == ()
    assert status(scenario, watched) == "watching"


def test_a_case_that_is_filed_again_after_an_undoing_tells_all_three(scenario: Scenario):
    owner = someone(scenario)
    filed = scenario.case(person_id=owner, **SUCCESS)
    given = {"case_number": "A1"}

    def record() -> None:
        with scenario.tx() as tx:
            loan = {"fraud_type": FraudType.LOAN, "happened_at": MORNING}
            assert file_for_person(by_li(scenario, tx), scenario.services, owner, **loan, **given) == (
                (filed,),
                False,
            )  # type: ignore[arg-type]

    first = scenario.clock.now()
    record()
    undone = first + timedelta(days=1)
    scenario.clock.set(undone)
    with scenario.tx() as tx:
        assert undo_for_person(by_li(scenario, tx), scenario.services, owner, **given) == (filed,)
        assert filings(tx, filed) == []
    again = first + timedelta(days=3)
    scenario.clock.set(again)
    record()
    told = [
        (entry.kind, entry.at, entry.facts["case_number"])
        for entry in show_case(scenario.services, filed).file.timeline
        if entry.kind in {EntryKind.FILED, EntryKind.FILING_UNDONE}
    ]
    assert told == [
        (EntryKind.FILED, first, "A1"),
        (EntryKind.FILING_UNDONE, undone, "A1"),
        (EntryKind.FILED, again, "A1"),
    ]
    with scenario.tx() as tx:
        assert filings(tx, filed) == [("A1", again)]


def test_what_an_older_version_filed_is_not_undone_and_stays_where_it_is(scenario: Scenario):
    """It recorded nothing of what the case was."""
    owner = someone(scenario)
    filed = scenario.case(person_id=owner, fraud_type=FraudType.ROMANCE, **SUCCESS)
    scenario.put_filed(filed, "A1")
    with scenario.tx() as tx:
        assert filings_of_case(tx, filed) == CaseFilings(numbers=frozenset({"A1"}), before=None)
        with pytest.raises(Conflict, match=f"case {filed} was filed before") as refused:
            undo_for_person(by_li(scenario, tx), scenario.services, owner, case_number="A1")
        assert refused.value.current == "filed"
        loan = {"fraud_type": FraudType.LOAN, "happened_at": MORNING}
        done = correct_for_person(by_li(scenario, tx), scenario.services, owner, case_number="A1", **loan)  # type: ignore[arg-type]
        assert done == ((), False)
        assert case_ids_filed_under(tx, case_number="A1", case_ids=[filed]) == [filed]
        assert [number for number, _ in filings(tx, filed)] == ["A1"]
    kinds = [entry.kind for entry in show_case(scenario.services, filed).file.timeline]
    assert kinds.count(EntryKind.FILED) == 1


def case(
    number: int, opened_at: datetime, status: CaseStatus, fraud_type: FraudType = FraudType.LOAN
) -> Case:
    return Case(
        id=number,
        grade=Grade.MEDIUM,
        fraud_type=fraud_type,
        opened_at=opened_at,
        policy_version=1,
        numbers=1,
        status=status,
    )


def test_a_loss_concerns_the_cases_that_were_opened_before_it():
    """Those that run; without any the newest of 180 days."""

    def of(*cases: Case, fraud_type: FraudType = FraudType.LOAN) -> list[int]:
        return [
            concerned_case.id
            for concerned_case in concerned_cases(cases, fraud_type=fraud_type, happened_at=MORNING)
        ]

    second, half_year = timedelta(seconds=1), timedelta(days=180)
    open_now = case(1, MORNING, CaseStatus.OPEN)
    watched = case(2, MORNING - 400 * timedelta(days=1), CaseStatus.WATCHING)
    later = case(3, MORNING + second, CaseStatus.OPEN)
    closed = case(4, MORNING - timedelta(days=1), CaseStatus.CLOSED)
    assert of(closed, watched, later, open_now) == [2, 1]
    assert of(later) == []
    assert of(case(5, MORNING - half_year + second, CaseStatus.CLOSED)) == [5]
    assert of(case(5, MORNING - half_year, CaseStatus.CLOSED)) == []
    proven = case(6, closed.opened_at, CaseStatus.PROVEN)
    older = case(7, MORNING - timedelta(days=2), CaseStatus.CLOSED)
    assert of(proven, closed, older) == [6]
    other = case(8, MORNING, CaseStatus.OPEN, FraudType.ROMANCE)
    assert of(other, closed) == [4]
    assert of(other, open_now, fraud_type=FraudType.UNKNOWN) == [8, 1]
