"""Lists of filed cases against the warned persons: certain matches count at once, doubtful ones wait."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from dialer.cases.persons import Person
from dialer.core.access import unrestricted
from dialer.core.case import CaseStatus
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.rates import Period
from dialer.core.values import AmountKind, Contact, FiledMatchState, FiledState, FraudType
from dialer.db import tables as t
from dialer.db.columns import is_reversed
from dialer.db.units import add_unit
from dialer.figures.report import make_report, refresh_figures
from dialer.intake.phones import id_check_character
from dialer.outcomes.filed_figures import count_filed, filed_figures
from dialer.outcomes.filed_lists import (
    CERTAIN,
    FiledLine,
    FiledLoad,
    decide_match,
    list_filed,
    load_filed,
    similarity,
    undo_filing,
    undo_match,
)
from dialer.outcomes.filing import file_for_case
from tests.audit_lines import audit_lines
from tests.figures.sources import figures
from tests.outcomes.town import ID_NUMBER, MORNING, NAME, PHONE, Scenario

OTHER_ID = "15040219800505433" + id_check_character("15040219800505433")
HEAD = "案件编号,姓名,手机号,身份证号,损失金额,立案时间,发案时间,案件类别,立案单位\n"
SUCCESS = {
    "status": CaseStatus.WATCHING,
    "outcome": "dissuaded_by_phone",
    "contact": Contact.VERIFIED,
    "watch_until": MORNING + timedelta(days=7),
}


def load(scenario: Scenario, rows: str, *, dry_run: bool = False) -> FiledLoad:
    return load_filed(
        scenario.services,
        unrestricted("li"),
        io.BytesIO((HEAD + rows).encode()),
        source="刑侦",
        dry_run=dry_run,
    )


def warned(
    scenario: Scenario,
    *,
    name: str = NAME,
    phone: str = PHONE,
    id_number: str = "",
    opened_at: datetime = MORNING,
) -> int:
    person_id = scenario.person(name=name, phones=(phone,), id_number=id_number)
    case_id = scenario.case(person_id=person_id, opened_at=opened_at, **SUCCESS)
    scenario.outcome(case_id, intended_fen=500)
    return case_id


def status(scenario: Scenario, case_id: int) -> str:
    with scenario.tx() as tx:
        return str(tx.scalar(sa.select(t.case.c.status).where(t.case.c.id == case_id)))


def lines(scenario: Scenario, state: FiledState | None = None) -> tuple[FiledLine, ...]:
    return list_filed(scenario.services, state=state).lines


@pytest.fixture
def later(scenario: Scenario) -> Scenario:
    """Three days after the warnings."""
    scenario.clock.set(MORNING + timedelta(days=3))
    return scenario


AFTER, BEFORE = "2026-11-26 09:00", "2026-11-24 09:00"


@pytest.mark.parametrize(
    ("row", "id_number"),
    [
        (f"A1,{NAME},,{ID_NUMBER}", ID_NUMBER),
        (f"A1,,,{ID_NUMBER}", ID_NUMBER),
        (f"A1,{NAME},{PHONE[3:]},", ""),
        (f"A1,{NAME},{PHONE[3:]},{ID_NUMBER}", ""),
    ],
)
def test_a_certain_match_reverses_the_success(later: Scenario, row: str, id_number: str):
    case_id = warned(later, id_number=id_number)
    done = load(later, f"{row},20000,{AFTER},{AFTER},,临河区分局\n")
    assert (done.new, done.reversed_cases) == (1, (case_id,))
    assert done.states == {FiledState.WARNED: 1}
    assert status(later, case_id) == "reversed"
    [line] = lines(later)
    assert (line.filed_for, line.amount_fen, line.unit) == ((case_id,), 2_000_000, "临河区分局")
    assert line.person.name in {"王*", ""}


def test_a_loss_before_the_warning_is_no_failure_of_it(later: Scenario):
    case_id = warned(later, id_number=ID_NUMBER)
    done = load(later, f"A1,{NAME},,{ID_NUMBER},1,{AFTER},{BEFORE},,\n")
    assert done.states == {FiledState.WARNED_LATE: 1}
    assert status(later, case_id) == "watching"


def test_a_warning_of_another_fraud_is_not_this_one(later: Scenario):
    case_id = warned(later, id_number=ID_NUMBER)
    done = load(later, f"A1,{NAME},,{ID_NUMBER},1,{AFTER},{AFTER},刷单返利,\n")
    assert done.states == {FiledState.WARNED_OTHERWISE: 1}
    assert status(later, case_id) == "watching"


def test_nobody_warned_is_a_miss(later: Scenario):
    warned(later)
    done = load(later, f"A1,赵六,13900009999,{ID_NUMBER},1,{AFTER},,,\n")
    assert done.states == {FiledState.NOT_WARNED: 1}


def test_pages_of_filed_cases_hold_each_of_them_once(later: Scenario):
    load(later, "".join(f"A{n},赵六,1390000999{n},,1,{AFTER},,,\n" for n in range(5)))
    pages, before_id = [], None
    while not pages or before_id is not None:
        page = list_filed(later.services, before_id=before_id, limit=2)
        pages.append([line.case_number for line in page.lines])
        before_id = page.next_before_id
    assert pages == [["A4", "A3"], ["A2", "A1"], ["A0"]]


@pytest.mark.parametrize("row", [f"A1,李四,{PHONE[3:]},", f"A1,,{PHONE[3:]},", f"A1,{NAME},,{OTHER_ID}"])
def test_a_doubtful_match_waits_and_a_supervisor_decides(later: Scenario, row: str):
    case_id = warned(later)
    done = load(later, f"{row},1,{AFTER},,,\n")
    assert done.states == {FiledState.DOUBTFUL: 1}
    assert status(later, case_id) == "watching"
    [line] = lines(later, FiledState.DOUBTFUL)
    [match] = line.matches
    assert (match.cases, match.state) == ((case_id,), FiledMatchState.DOUBTFUL)
    with pytest.raises(Invalid, match="why: is empty"):
        decide_match(later.services, unrestricted("zhao"), match.id, is_same_person=True, why=" ")
    state = decide_match(
        later.services, unrestricted("zhao"), match.id, is_same_person=True, why="笔录里有这个号码"
    )
    assert state is FiledState.WARNED
    assert status(later, case_id) == "reversed"
    with pytest.raises(Conflict):
        decide_match(later.services, unrestricted("zhao"), match.id, is_same_person=False, why="x")
    assert load(later, f"{row},1,{AFTER},,,\n").duplicate == 1


def test_a_rejected_match_stays_rejected(later: Scenario):
    case_id = warned(later)
    row = f"A1,李四,{PHONE[3:]},,1,{AFTER},,,\n"
    load(later, row)
    [line] = lines(later)
    decide_match(
        later.services, unrestricted("zhao"), line.matches[0].id, is_same_person=False, why="同号家属"
    )
    assert lines(later, FiledState.DOUBTFUL) == ()
    assert load(later, row.replace(",1,", ",2,")).changed == 1
    [line] = lines(later, FiledState.NOT_WARNED)
    assert line.matches[0].state is FiledMatchState.REJECTED
    assert status(later, case_id) == "watching"
    with pytest.raises(NotFound):
        decide_match(later.services, unrestricted("zhao"), 999, is_same_person=True, why="x")


def test_a_certain_person_leaves_no_doubt_about_others(later: Scenario):
    mine = warned(later, id_number=ID_NUMBER)
    theirs = warned(later, name="李四", phone=PHONE)
    done = load(later, f"A1,{NAME},{PHONE[3:]},{ID_NUMBER},1,{AFTER},,,\n")
    assert done.states == {FiledState.WARNED: 1}
    assert (status(later, mine), status(later, theirs)) == ("reversed", "watching")


def test_the_same_list_again_needs_no_record_and_a_mended_one_what_it_mends(later: Scenario):
    warned(later, id_number=ID_NUMBER)
    row = f"A1,{NAME},,{ID_NUMBER},1,{AFTER},,,\n"
    assert load(later, row).new == 1
    again = load(later, row)
    assert (again.new, again.duplicate, again.reversed_cases) == (0, 1, ())
    mended = load(later, row.replace(",1,", ",30000,"))
    assert (mended.changed, mended.reversed_cases) == (1, ())
    [line] = lines(later)
    assert line.amount_fen == 3_000_000


def row_of(*, happened: str = AFTER, kind: str = "", amount: int = 1) -> str:
    return f"A1,{NAME},,{ID_NUMBER},{amount},{AFTER},{happened},{kind},\n"


@pytest.mark.parametrize(
    ("first", "state"),
    [
        ({"kind": "刷单"}, FiledState.WARNED_OTHERWISE),
        ({"happened": BEFORE}, FiledState.WARNED_LATE),
    ],
)
def test_a_correction_of_the_list_is_applied_to_the_case(
    later: Scenario, first: dict[str, str], state: FiledState
):
    case_id = warned(later, id_number=ID_NUMBER)
    later.approve(1)
    before = counts(later)
    right = row_of(kind="贷款")
    assert load(later, row_of(**({"kind": "贷款"} | first))).states == {state: 1}
    assert (status(later, case_id), counts(later)) == ("watching", before)
    mended = load(later, right)
    assert (mended.changed, mended.states, mended.reversed_cases) == (1, {FiledState.WARNED: 1}, (case_id,))
    assert (status(later, case_id), counts(later)) == ("reversed", (1, 0, 0))
    back = load(later, row_of(**({"kind": "贷款"} | first)))
    assert (back.changed, back.states, back.reversed_cases) == (1, {state: 1}, ())
    assert (status(later, case_id), counts(later)) == ("watching", before)
    assert lines(later)[0].filed_for == ()
    assert load(later, right).reversed_cases == (case_id,)
    assert counts(later) == (1, 0, 0)


def test_a_correction_that_concerns_the_same_cases_adds_no_line(later: Scenario):
    case_id = warned(later, id_number=ID_NUMBER)
    load(later, row_of())
    before = ledger(later, case_id)
    assert load(later, row_of(kind="贷款", happened="2026-11-26 08:00")).changed == 1
    assert ledger(later, case_id) == before
    assert status(later, case_id) == "reversed"


def test_a_correction_moves_the_filing_from_one_case_to_another(later: Scenario):
    person_id = later.person(name=NAME, phones=(PHONE,), id_number=ID_NUMBER)
    loan = later.case(person_id=person_id, fraud_type=FraudType.LOAN, **SUCCESS)
    other = later.case(person_id=person_id, fraud_type=FraudType.FAKE_ORDER_REBATE, **SUCCESS)
    load(later, row_of(kind="贷款"))
    assert (status(later, loan), status(later, other)) == ("reversed", "watching")
    load(later, row_of(kind="刷单"))
    assert (status(later, loan), status(later, other)) == ("watching", "reversed")


def test_a_correction_does_not_count_an_undone_match_again(later: Scenario):
    case_id = warned(later, id_number=ID_NUMBER)
    load(later, row_of())
    undo_match(later.services, unrestricted("zhao"), lines(later)[0].matches[0].id, why="x")
    assert load(later, row_of(kind="贷款")).states == {FiledState.NOT_WARNED: 1}
    assert status(later, case_id) == "watching"


@pytest.mark.parametrize("typed", [False, True])
def test_a_number_typed_for_a_late_warning_makes_it_no_early_one(later: Scenario, typed: bool):
    case_id = warned(later, id_number=ID_NUMBER)
    if typed:
        file_for_case(later.services, unrestricted("li"), case_id, case_number="A1")
    assert load(later, row_of(happened=BEFORE)).states == {FiledState.WARNED_LATE: 1}
    total = filed_figures(later.services, Period()).total
    assert (total.warned, total.decided) == (0, 1)


def test_a_list_without_times_stays_in_the_month_of_its_first_load(later: Scenario):
    warned(later, id_number=ID_NUMBER)
    row = f"A1,{NAME},,{ID_NUMBER},1,,,,\n"
    first = later.clock.now()
    assert load(later, row).new == 1
    later.clock.set(first + timedelta(days=10))
    assert load(later, row).duplicate == 1
    assert lines(later)[0].filed_at == first
    assert [one.key for one in filed_figures(later.services, Period()).by_month] == ["2026-11"]


def test_a_row_needs_no_record_that_it_does_not_give(later: Scenario):
    warned(later, id_number=ID_NUMBER)
    full = f"A1,{NAME},,{ID_NUMBER},20000,{AFTER},{AFTER},贷款,临河区分局\n"
    assert load(later, full).new == 1
    [before] = lines(later)
    assert load(later, f"A1,{NAME},,{ID_NUMBER},,,,,\n").duplicate == 1
    assert lines(later) == (before,)


def test_a_filing_without_a_time_is_not_before_its_event(later: Scenario):
    warned(later, id_number=ID_NUMBER)
    load(later, f"A1,{NAME},,{ID_NUMBER},1,,2026-10-30 09:00,,\n")
    load(later, f"A1,{NAME},,{ID_NUMBER},1,,{AFTER},,\n")
    [line] = lines(later)
    assert line.filed_at == line.event_at


def test_a_loss_of_today_is_the_same_two_hours_later(later: Scenario):
    warned(later, id_number=ID_NUMBER)
    row = row_of(happened="2026-11-28").replace(AFTER, "2026-11-28")
    assert load(later, row).new == 1
    later.clock.set(later.clock.now() + timedelta(hours=2))
    assert load(later, row).duplicate == 1


def test_a_loss_of_which_the_day_alone_is_known_has_no_hour(later: Scenario):
    load(
        later,
        f"A1,赵六,13900009999,,1,{AFTER},2026-11-24,,\nA2,周八,13700000001,,1,{AFTER},2026-11-24 23:10,,\n",
    )
    found = filed_figures(later.services, Period())
    assert [(one.key, one.filed) for one in found.by_hour] == [("", 1), ("23", 1)]


def test_several_victims_of_one_case_are_several_lines(later: Scenario):
    rows = f"A1,{NAME},{PHONE[3:]},,1,{AFTER},,,\nA1,李四,13900001111,,2,{AFTER},,,\n"
    assert load(later, rows).new == 2
    assert load(later, rows).duplicate == 2
    assert len(lines(later)) == 2


def test_a_dry_run_keeps_nothing(later: Scenario):
    case_id = warned(later, id_number=ID_NUMBER)
    row = f"A1,{NAME},,{ID_NUMBER},1,{AFTER},,,\n"
    done = load(later, row + row + "A2,王,,,1,,,,\n", dry_run=True)
    assert (done.rows, done.new, done.duplicate, done.rejected) == (3, 1, 1, 1)
    assert done.reversed_cases == (case_id,)
    assert lines(later) == ()
    assert status(later, case_id) == "watching"


def test_figures_say_how_many_had_been_warned(later: Scenario):
    warned(later, id_number=ID_NUMBER)
    warned(later, name="孙七", phone="+8613700000001")
    load(
        later,
        f"A1,{NAME},,{ID_NUMBER},1,{AFTER},,网贷,临河区分局\n"
        f"A2,赵六,13900009999,,2,{AFTER},{BEFORE},刷单,临河区分局\n"
        f"A3,周八,13700000001,,3,{AFTER},,贷款,五原县局\n"
        f"A4,吴九,13900008888,,4,2026-10-01,,贷款,五原县局\n",
    )
    found = filed_figures(later.services, Period())
    assert [(one.key, one.filed) for one in found.by_month] == [("2026-10", 1), ("2026-11", 3)]
    assert [(one.key, one.filed) for one in found.by_hour] == [("", 3), ("09", 1)]
    total = found.total
    assert (total.filed, total.warned, total.doubtful, total.missed) == (4, 1, 1, 2)
    assert (total.decided, total.amount_fen) == (3, 1000)
    assert total.rate.value == pytest.approx(1 / 3)
    november = filed_figures(later.services, Period(start=MORNING - timedelta(days=5)))
    assert november.total.filed == 3
    assert {one.key: one.filed for one in november.by_unit} == {"临河区分局": 2, "五原县局": 1}
    assert [one.key for one in november.by_type] == ["loan", "fake_order_rebate"]


def test_no_person_of_a_list_is_stored_in_clear(later: Scenario):
    load(later, f"A1,{NAME},{PHONE[3:]},{ID_NUMBER},1,{AFTER},,,\n")
    with later.tx() as tx:
        [row] = tx.rows(sa.select(t.filed_record))
    text = repr({name: value for name, value in row.items() if name != "sealed"})
    for secret in (NAME, PHONE[3:], ID_NUMBER):
        assert secret not in text
        assert secret.encode() not in bytes(row["sealed"])


people = st.builds(
    Person,
    name=st.sampled_from(["", "甲", "乙"]),
    phones=st.sampled_from([(), ("+8613800000001",), ("+8613800000001", "+8613800000002")]),
    id_number=st.sampled_from(["", ID_NUMBER, OTHER_ID]),
    address=st.just(""),
    family_contact=st.just(""),
)


@given(people, people)
def test_likeness_is_mutual_and_two_id_numbers_are_never_certain(one: Person, other: Person):
    score = similarity(one, other)
    assert score == similarity(other, one)
    assert 0 <= score <= 100
    if one.id_number and other.id_number and one.id_number != other.id_number:
        assert score < CERTAIN
    if score >= CERTAIN:
        assert one.id_number == other.id_number != "" or set(one.phones) & set(other.phones)


def ledger(scenario: Scenario, case_id: int) -> list[tuple[str, str, bool]]:
    """Each line of the case: its reason, its outcome, and whether it stands as the report counts it."""
    statement = sa.text(
        f"SELECT o.reason, o.kind, {is_reversed('o.id')} AS reversed FROM outcome o"
        " WHERE o.case_id = :case ORDER BY o.id"
    )
    with scenario.tx() as tx:
        return [
            (row["reason"], row["kind"], not row["reversed"]) for row in tx.rows(statement, {"case": case_id})
        ]


def counts(scenario: Scenario) -> tuple[int, int, int]:
    """Reversed, standing successes, and approved loss prevented, recounted and from the rollup alike."""
    refresh_figures(scenario.services)
    report = make_report(scenario.services).figures.total
    with scenario.tx() as tx:
        again = figures(tx, Period(), drill=False, now=scenario.clock.now()).total
    assert report.counts == again.counts
    assert report.amounts == again.amounts
    c = report.counts
    assert c.defrauded_after_warning == c.cases_reversed
    return c.cases_reversed, c.dissuaded, report.amounts[AmountKind.INTENDED].approved_fen


def test_an_undone_match_gives_the_success_back(later: Scenario):
    case_id = warned(later, id_number=ID_NUMBER)
    later.approve(1)
    before = counts(later)
    row = f"A1,{NAME},,{ID_NUMBER},1,{AFTER},,,\n"
    load(later, row)
    assert counts(later) == (1, 0, 0)
    [line] = lines(later)
    [match] = line.matches
    with pytest.raises(Invalid, match="why: is empty"):
        undo_match(later.services, unrestricted("zhao"), match.id, why=" ")
    done = undo_match(later.services, unrestricted("zhao"), match.id, why="同名同号的家属")
    assert (done.state, done.case_ids) == (FiledState.NOT_WARNED, (case_id,))
    assert counts(later) == before == (0, 1, 500)
    assert ledger(later, case_id) == [
        ("reported", "dissuaded_by_phone", True),
        ("case_filed", "already_defrauded", False),
        ("case_filed", "dissuaded_by_phone", False),
        ("filing_undone", "already_defrauded", True),
        ("filing_undone", "dissuaded_by_phone", True),
    ]
    with later.tx() as tx:
        assert tx.one(sa.select(t.case.c.watch_until, t.case.c.settled_at)) == {
            "watch_until": SUCCESS["watch_until"],
            "settled_at": None,
        }
    with pytest.raises(Conflict):
        undo_match(later.services, unrestricted("zhao"), match.id, why="x")
    load(later, row.replace(",1,", ",2,"))
    [line] = lines(later)
    assert (line.state, line.filed_for, line.matches[0].state) == (
        FiledState.NOT_WARNED,
        (),
        FiledMatchState.UNDONE,
    )
    # Of this person after all: recorded by hand, and the same success is reversed again.
    file_for_case(later.services, unrestricted("zhao"), case_id, case_number="A1")
    assert counts(later) == (1, 0, 0)


def test_money_of_a_follow_up_comes_back_with_the_success(later: Scenario):
    case_id = warned(later, id_number=ID_NUMBER)
    later.approve(later.outcome(case_id, reason="follow_up", intended_fen=20_000_000))
    before = counts(later)
    load(later, f"A1,{NAME},,{ID_NUMBER},1,{AFTER},,,\n")
    assert counts(later) == (1, 0, 0)
    undo_match(later.services, unrestricted("zhao"), lines(later)[0].matches[0].id, why="x")
    assert counts(later) == before == (0, 1, 20_000_000)


def test_a_number_typed_by_mistake_is_undone_with_a_reason(later: Scenario):
    case_id = warned(later, id_number=ID_NUMBER)
    later.approve(1)
    before = counts(later)
    file_for_case(later.services, unrestricted("li"), case_id, case_number="typo")
    assert counts(later) == (1, 0, 0)
    given = {"case_number": " typo ", "why": "输错了"}
    zhao = unrestricted("zhao")
    for wrong, field in (
        ({"why": " "}, "why"),
        ({"case_number": "A9"}, "case number"),
        ({"case_number": ""}, "case number"),
    ):
        with pytest.raises(Invalid, match=f"^{field}: "):
            undo_filing(later.services, zhao, case_id, **(given | wrong))
    with pytest.raises(NotFound):
        undo_filing(later.services, zhao, 999, **given)
    assert counts(later) == (1, 0, 0)
    assert undo_filing(later.services, zhao, case_id, **given) == (case_id,)
    assert (status(later, case_id), counts(later)) == ("watching", before)
    with pytest.raises(Invalid):
        undo_filing(later.services, zhao, case_id, **given)


def test_a_match_of_a_number_that_was_undone_does_not_count_again(later: Scenario):
    case_id = warned(later, id_number=ID_NUMBER)
    load(later, row_of())
    undo_filing(later.services, unrestricted("zhao"), case_id, case_number="A1", why="另一个人")
    [line] = lines(later, FiledState.NOT_WARNED)
    assert line.matches[0].state is FiledMatchState.UNDONE
    load(later, row_of(kind="贷款", amount=7))
    assert status(later, case_id) == "watching"


def test_a_case_that_two_numbers_stand_for_goes_back_with_the_last(later: Scenario):
    case_id = warned(later, id_number=ID_NUMBER)
    load(later, f"A1,{NAME},,{ID_NUMBER},1,{AFTER},,,\nA2,{NAME},,{ID_NUMBER},1,{AFTER},,,\n")
    first, second = (line.matches[0].id for line in lines(later))
    undo_match(later.services, unrestricted("zhao"), first, why="x")
    assert (status(later, case_id), counts(later)[0]) == ("reversed", 1)
    undo_match(later.services, unrestricted("zhao"), second, why="x")
    assert (status(later, case_id), counts(later)[0]) == ("watching", 0)


def test_amounts_that_waited_wait_again(later: Scenario):
    warned(later, id_number=ID_NUMBER)
    waiting = sa.select(sa.func.count()).select_from(t.outcome_waiting)
    load(later, f"A1,{NAME},,{ID_NUMBER},1,{AFTER},,,\n")
    with later.tx() as tx:
        assert tx.scalar(waiting) == 0
    undo_match(later.services, unrestricted("zhao"), lines(later)[0].matches[0].id, why="x")
    with later.tx() as tx:
        assert tx.scalar(waiting) == 1


def someone(*, name: str = "", phones: tuple[str, ...] = (), id_number: str = "") -> Person:
    return Person(name=name, phones=phones, id_number=id_number, address="", family_contact="")


@pytest.mark.parametrize(
    ("filed", "known", "score"),
    [
        (someone(id_number=ID_NUMBER, name="甲"), someone(id_number=ID_NUMBER, name="甲"), 100),
        (someone(id_number=ID_NUMBER), someone(id_number=ID_NUMBER, name="甲"), 100),
        (someone(id_number=ID_NUMBER, name="甲"), someone(id_number=ID_NUMBER, name="乙"), 92),
        (someone(name="甲", phones=("1", "2")), someone(name="甲", phones=("2",)), 95),
        (
            someone(name="甲", phones=("1",), id_number=ID_NUMBER),
            someone(name="甲", phones=("1",), id_number=OTHER_ID),
            40,
        ),
        (someone(phones=("1",)), someone(name="甲", phones=("1",)), 70),
        (someone(name="乙", phones=("1",)), someone(name="甲", phones=("1",)), 50),
        (
            someone(name="乙", phones=("1",), id_number=ID_NUMBER),
            someone(name="甲", phones=("1",), id_number=OTHER_ID),
            0,
        ),
        (someone(name="甲"), someone(name="甲", phones=("1",), id_number=ID_NUMBER), 30),
        (someone(name="甲", id_number=OTHER_ID), someone(name="甲", id_number=ID_NUMBER), 0),
        (someone(name="甲", phones=("1",)), someone(name="乙", phones=("2",)), 0),
        (someone(), someone(), 0),
    ],
)
def test_how_sure_it_is_that_both_are_the_same_person(filed: Person, known: Person, score: int):
    assert similarity(filed, known) == similarity(known, filed) == score


def test_an_id_number_under_another_name_is_a_certain_match(later: Scenario):
    case_id = warned(later, id_number=ID_NUMBER)
    assert load(later, f"A1,李四,,{ID_NUMBER},1,{AFTER},,,\n").reversed_cases == (case_id,)
    [match] = lines(later)[0].matches
    assert (match.score, match.state, match.counts) == (92, FiledMatchState.CERTAIN, True)


def test_of_namesakes_at_most_three_are_a_hint(later: Scenario):
    for n in range(3):
        later.person(name=NAME, phones=(f"+861370000000{n}",))
    load(later, f"A1,{NAME},,{OTHER_ID},1,{AFTER},,,\n")
    later.person(name=NAME, phones=("+8613700000003",))
    load(later, f"A2,{NAME},,{OTHER_ID},1,{AFTER},,,\n")
    four, three = lines(later)
    assert [match.score for match in three.matches] == [30] * 3
    assert (three.state, four.state, four.matches) == (FiledState.DOUBTFUL, FiledState.NOT_WARNED, ())


def test_a_phone_that_more_than_twenty_share_names_nobody(later: Scenario):
    for _ in range(20):
        later.person(phones=(PHONE,))
    load(later, f"A1,,{PHONE[3:]},,1,{AFTER},,,\n")
    later.person(phones=(PHONE,))
    load(later, f"A2,,{PHONE[3:]},,1,{AFTER},,,\n")
    assert [len(line.matches) for line in lines(later)] == [0, 20]


def test_matches_stand_with_the_likeliest_first_and_each_with_all_its_cases(later: Scenario):
    later.person(name="李四", phones=(PHONE,))
    namesake = later.person(name=NAME, phones=("+8613700000001",))
    older, newer = (later.case(person_id=namesake, fraud_type=kind) for kind in list(FraudType)[:2])
    load(later, f"A1,{NAME},{PHONE[3:]},,1,{AFTER},,,\n")
    [line] = lines(later)
    assert [(one.score, one.cases) for one in line.matches] == [(50, ()), (30, (newer, older))]
    assert [one.person.name for one in line.matches] == ["李*", "王*"]
    assert {(one.decided_by, one.decided_at) for one in line.matches} == {("", None)}
    assert not any(one.counts for one in line.matches)
    decide_match(later.services, unrestricted("zhao"), line.matches[0].id, is_same_person=False, why="x")
    [decided, waits] = lines(later)[0].matches
    assert (decided.decided_by, decided.decided_at) == ("zhao", later.clock.now())
    assert waits.state is FiledMatchState.DOUBTFUL
    assert lines(later)[0].state is FiledState.DOUBTFUL


def audited(scenario: Scenario) -> list[tuple[str, str, str, str, object]]:
    return [
        (line["act"], line["who"], line["subject"], line["why"], line["facts"])
        for line in audit_lines(scenario.services.store)
    ]


def test_each_act_on_filed_cases_is_audited(later: Scenario):
    case_id = warned(later)
    load(later, f"A1,李四,{PHONE[3:]},,1,{AFTER},,,\nA2,王,,,1,,,,\n", dry_run=True)
    assert audited(later) == [], "nothing was stored"
    load(later, f"A1,李四,{PHONE[3:]},,1,{AFTER},,,\nA2,王,,,1,,,,\nA3,{NAME},{PHONE[3:]},,1,{AFTER},,,\n")
    of_a3, of_a1 = (line.matches[0] for line in lines(later))
    decide_match(later.services, unrestricted("zhao"), of_a1.id, is_same_person=True, why=" 笔录 ")
    undo_match(later.services, unrestricted("sun"), of_a1.id, why="同号")
    undo_filing(later.services, unrestricted("sun"), case_id, case_number="A3", why="输错")
    load(later, f"A4,吴九,{PHONE[3:]},,1,{AFTER},,,\n")
    of_a4 = lines(later)[0].matches[0]
    decide_match(later.services, unrestricted("zhao"), of_a4.id, is_same_person=False, why="家属")
    facts = {"file": "刑侦", "rows": 3, "accepted": 2, "rejected": 1}
    assert audited(later) == [
        ("load_filed", "li", "filed_record", "", facts),
        ("confirm_filed_match", "zhao", f"filed_match/{of_a1.id}", "笔录", {"case_number": "A1"}),
        ("undo_filed_match", "sun", f"filed_match/{of_a1.id}", "同号", {"case_number": "A1"}),
        ("undo_filing", "sun", f"case/{case_id}", "输错", {"case_number": "A3"}),
        ("load_filed", "li", "filed_record", "", facts | {"rows": 1, "accepted": 1, "rejected": 0}),
        ("reject_filed_match", "zhao", f"filed_match/{of_a4.id}", "家属", {"case_number": "A4"}),
    ]
    with later.tx() as tx:
        m = t.filed_match.c
        rows = {row["id"]: row for row in tx.rows(sa.select(m.id, m.state, m.decided_by, m.why_sealed))}
        for match, state, by, why in (
            (of_a1, "undone", "sun", "同号"),
            (of_a3, "undone", "sun", "输错"),
            (of_a4, "rejected", "zhao", "家属"),
        ):
            row = rows[match.id]
            place = {"table": "filed_match", "column": "why_sealed", "row": match.id}
            assert (row["state"], row["decided_by"]) == (state, by)
            assert tx.vault.open(row["why_sealed"], **place).decode() == why


def test_a_match_that_does_not_exist(later: Scenario):
    for act in (partial(decide_match, is_same_person=True), undo_match):
        with pytest.raises(NotFound) as missed:
            act(later.services, unrestricted("zhao"), 999, why="x")
        assert (missed.value.kind, missed.value.key) == ("match", 999)


def test_a_match_that_waits_is_decided_not_undone(later: Scenario):
    warned(later)
    load(later, f"A1,李四,{PHONE[3:]},,1,{AFTER},,,\n")
    [match] = lines(later)[0].matches
    with pytest.raises(Conflict, match="does not count"):
        undo_match(later.services, unrestricted("zhao"), match.id, why="x")


def being_called(scenario: Scenario, *, id_number: str = "") -> int:
    """An open case of somebody to whom a call is under way."""
    person_id = scenario.person(name=NAME, phones=(PHONE,), id_number=id_number)
    case_id = scenario.case(
        person_id=person_id, robot_state="pending", robot_attempts=1, robot_reason="new_warning"
    )
    scenario.attempt(case_id, result=None)
    return case_id


def test_a_filed_case_ends_a_call_that_is_under_way(later: Scenario):
    being_called(later, id_number=ID_NUMBER)
    row = f"A1,{NAME},,{ID_NUMBER},1,{AFTER},{AFTER},贷款,\n"
    load(later, row, dry_run=True)
    assert later.enqueued == []
    # The row before it ends none, and neither does the one after it.
    others = [f"A{n},赵六,1390000999{n},,1,{AFTER},,,\n" for n in (8, 9)]
    load(later, others[0] + row + others[1])
    assert later.enqueued == [("cancel_calls",)]
    load(later, row)
    assert later.enqueued == [("cancel_calls",)], "on record already"


def test_a_corrected_list_ends_a_call_that_is_under_way(later: Scenario):
    being_called(later, id_number=ID_NUMBER)
    load(later, f"A1,{NAME},,{ID_NUMBER},1,{AFTER},{AFTER},刷单,\n")
    assert later.enqueued == []
    load(later, f"A1,{NAME},,{ID_NUMBER},1,{AFTER},{AFTER},贷款,\n")
    assert later.enqueued == [("cancel_calls",)]


def test_a_confirmed_match_ends_a_call_that_is_under_way(later: Scenario):
    case_id = being_called(later)
    calm = warned(later, name="孙七", phone="+8613700000001")
    load(later, f"A1,李四,{PHONE[3:]},,1,{AFTER},,,\nA2,周八,13700000001,,1,{AFTER},,,\n")
    of_calm, of_called = (line.matches[0].id for line in lines(later))
    decide_match(later.services, unrestricted("zhao"), of_calm, is_same_person=True, why="x")
    assert (status(later, calm), later.enqueued) == ("reversed", [])
    decide_match(later.services, unrestricted("zhao"), of_called, is_same_person=True, why="x")
    assert (status(later, case_id), later.enqueued) == ("closed", [("cancel_calls",)])


def test_a_confirmed_match_concerns_the_cases_of_this_type_opened_before_the_loss(later: Scenario):
    told = (
        (f"1,{AFTER},{BEFORE},贷款", FiledState.WARNED_LATE, "watching"),
        (f"1,{BEFORE},{AFTER},贷款", FiledState.WARNED, "reversed"),
        (f"1,{AFTER},,刷单", FiledState.WARNED_OTHERWISE, "watching"),
        (f"1,{AFTER},,贷款", FiledState.WARNED, "reversed"),
        (f"1,{BEFORE},,贷款", FiledState.WARNED_LATE, "watching"),
    )
    cases = [warned(later, name=f"甲{n}", phone=f"+861370000000{n}") for n in range(len(told))]
    load(later, "".join(f"A{n},李四,1370000000{n},,{row},\n" for n, (row, _, _) in enumerate(told)))
    for line, case_id, (_, state, now) in zip(reversed(lines(later)), cases, told, strict=True):
        [match] = line.matches
        assert (
            decide_match(later.services, unrestricted("zhao"), match.id, is_same_person=True, why="x")
            is state
        )
        assert status(later, case_id) == now


@pytest.mark.parametrize(
    ("kind", "state", "now"),
    [("贷款", FiledState.WARNED, "reversed"), ("刷单", FiledState.WARNED_OTHERWISE, "watching")],
)
def test_a_warning_of_the_very_moment_of_the_loss_was_before_it(
    later: Scenario, kind: str, state: FiledState, now: str
):
    case_id = warned(later, id_number=ID_NUMBER)
    done = load(later, f"A1,{NAME},,{ID_NUMBER},1,{AFTER},2026-11-25 10:00:00,{kind},\n")
    assert (done.states, status(later, case_id)) == ({state: 1}, now)


def test_rows_of_one_number_are_the_same_victim_where_nothing_speaks_against_it(later: Scenario):
    rows = (
        ("甲某", "13900001111", ""),
        ("", "13900001111", ""),  # without a name, the same phone: on record already
        ("甲某", "13900002222 13900001111", ""),  # another phone more
        ("甲某", "13900002222", ID_NUMBER),  # now with an id number
        ("", "", ID_NUMBER),  # and known by it alone: on record already
        ("乙某", "13900001111", ""),  # another name is another victim
        ("", "13900003333", ""),  # and so is another phone
        ("丙某", "13900003333", ""),  # whose name is known later
    )
    text = "".join(f"A1,{name},{phone},{id_number},1,{AFTER},,,\n" for name, phone, id_number in rows)
    done = load(later, text)
    assert (done.new, done.changed, done.duplicate) == (3, 3, 2)
    third, second, first = lines(later)
    assert [one.person.name for one in (third, second, first)] == ["丙*", "乙*", "甲*"]
    assert [len(one.person.phones) for one in (third, second, first)] == [1, 1, 2]
    assert [bool(one.person.id_number) for one in (third, second, first)] == [False, False, True]


def test_of_two_lists_at_once_the_second_sees_what_the_first_has_stored(later: Scenario):
    rows = "".join(f"A{n},赵六,1390000999{n},,1,{AFTER},,,\n" for n in range(4))
    with ThreadPoolExecutor(2) as pool:
        loads = list(pool.map(partial(load, later), (rows, rows)))
    assert (sum(one.new for one in loads), sum(one.duplicate for one in loads)) == (4, 4)
    assert len(lines(later)) == 4


def test_a_page_ends_where_nothing_more_follows(later: Scenario):
    load(later, "".join(f"A{n},赵六,139000099{n},,1,{AFTER},,,\n" for n in range(10, 61)))
    page = list_filed(later.services)
    assert (len(page.lines), page.next_before_id) == (50, page.lines[-1].id)
    last = list_filed(later.services, before_id=page.next_before_id)
    assert ([line.case_number for line in last.lines], last.next_before_id) == (["A10"], None)
    assert list_filed(later.services, limit=51).next_before_id is None
    assert list_filed(later.services, period=Period(end=MORNING)).lines == ()


def test_a_line_says_what_the_list_said(later: Scenario):
    case_id = warned(later, id_number=ID_NUMBER)
    load(
        later,
        f"A1,{NAME},{PHONE[3:]},{ID_NUMBER},12.5,2026-11-26 09:30,2026-11-26 08:15,贷款,临河区分局\n"
        f"A2,赵六,13900009999,,,{AFTER},,,\n",
    )
    bare, full = lines(later)
    assert (full.case_number, full.amount_fen, full.unit, full.source) == ("A1", 1250, "临河区分局", "刑侦")
    assert full.filed_at == datetime(2026, 11, 26, 1, 30, tzinfo=UTC)
    assert full.event_at == datetime(2026, 11, 26, 0, 15, tzinfo=UTC)
    assert (full.fraud_type, full.state, full.filed_for) == (FraudType.LOAN, FiledState.WARNED, (case_id,))
    assert (bare.amount_fen, bare.event_at, bare.unit) == (None, None, "")
    assert (bare.fraud_type, bare.state) == (FraudType.UNKNOWN, FiledState.NOT_WARNED)
    assert (bare.matches, bare.filed_for) == ((), ())
    with later.tx() as tx:
        row = tx.one(sa.select(t.filed_record).where(t.filed_record.c.case_number == "A1"))
    assert row is not None
    assert (row["by"], row["at"], row["drill"]) == ("li", later.clock.now(), False)


def test_a_mistyped_number_is_undone_by_those_who_see_the_case(later: Scenario):
    with later.tx() as tx:
        own, other = (add_unit(tx, name=name, parent_id=None) for name in ("东区", "西区"))
    person_id = later.person(name=NAME, phones=(PHONE,), id_number=ID_NUMBER)
    first, second = (later.case(person_id=person_id, unit_id=own, **SUCCESS) for _ in range(2))
    load(later, row_of())
    given = {"case_number": "A1", "why": "x"}
    with pytest.raises(NotFound):
        undo_filing(later.services, unrestricted("zhao", unit_id=other), first, **given)
    with pytest.raises(Invalid, match="does not stand for this case") as refused:
        undo_filing(later.services, unrestricted("zhao"), first, **(given | {"case_number": "A2"}))
    assert refused.value.field == "case number"
    assert undo_filing(later.services, unrestricted("zhao", unit_id=own), first, **given) == (first, second)
    undone = [line for line in audited(later) if line[0] == "undo_filing"]
    assert [line[2] for line in undone] == [f"case/{first}", f"case/{second}"]


def test_a_drill_has_its_own_filed_cases(drill_scenario: Scenario):
    drill_scenario.clock.set(MORNING + timedelta(days=3))
    load(drill_scenario, f"A1,赵六,13900009999,,1,{AFTER},,,\n")
    with drill_scenario.tx() as tx:
        assert tx.scalar(sa.select(t.filed_record.c.drill)) is True
        assert count_filed(tx, Period(), drill=True).total.filed == 1
        assert count_filed(tx, Period(), drill=False).total.filed == 0
    assert filed_figures(drill_scenario.services, Period()).by_month[0].filed == 1


def test_figures_of_nothing_and_of_a_period(later: Scenario):
    nothing = filed_figures(later.services, Period())
    assert (nothing.total.key, nothing.by_type, nothing.by_unit, nothing.by_month, nothing.by_hour) == (
        "", (), (), (), (),
    )  # fmt: skip
    total = nothing.total
    assert (total.filed, total.warned, total.doubtful, total.amount_fen) == (0, 0, 0, 0)
    assert (total.decided, total.missed, total.rate.value) == (0, 0, None)
    warned(later)
    load(
        later,
        f"A1,赵六,13900009991,,,2026-11-20 00:00:00,,网贷,\n"
        f"A2,赵六,13900009992,,,2026-11-21 00:00:00,2026-11-19 08:05,网贷,乙\n"
        f"A3,李四,{PHONE[3:]},,,2026-11-20 12:00:00,2026-11-19 08:59,刷单,甲\n",
    )
    whole = filed_figures(later.services, Period())
    assert [(one.key, one.filed) for one in whole.by_type] == [("loan", 2), ("fake_order_rebate", 1)]
    assert [one.key for one in whole.by_unit] == ["", "乙", "甲"], "of as many, by name"
    assert [(one.key, one.filed) for one in whole.by_hour] == [("", 1), ("08", 2)]
    assert (whole.total.amount_fen, whole.total.doubtful, whole.total.rate.excludes) == (
        0, 1, {"filed_doubtful": 1},
    )  # fmt: skip
    start = datetime(2026, 11, 19, 16, tzinfo=UTC)
    period = Period(start=start, end=start + timedelta(days=1))
    assert filed_figures(later.services, period).total.filed == 2, "from the first moment to before the last"
    assert [line.case_number for line in list_filed(later.services, period=period).lines] == ["A3", "A1"]
    only = filed_figures(later.services, Period(start=start + timedelta(days=1)))
    assert [one.key for one in only.by_unit] == ["乙"]
