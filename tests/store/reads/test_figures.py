"""Every figure counts what its definition says, and nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from dialer.domain.case import CaseStatus
from dialer.domain.values import AmountKind, Contact, FraudType, Grade, OutcomeKind, TelephonyResult
from dialer.outcomes.counts import Counts
from dialer.outcomes.figures import Figures, Money
from dialer.outcomes.period import Period
from dialer.outcomes.rates import rates_of
from dialer.store.reads.figures import figures
from dialer.usecases.make_report import make_report
from tests.store.reads.town import MORNING, Town

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def read(
    town: Town, *, now: datetime = MORNING + DAY, period: Period | None = None, drill: bool | None = None
) -> Figures:
    with town.tx() as tx:
        marked = town.drill if drill is None else drill
        return figures(tx, period or Period(), drill=marked, now=now)


def counts(town: Town, *, now: datetime = MORNING + DAY, period: Period | None = None) -> Counts:
    return read(town, now=now, period=period).total.counts


def test_an_empty_database_gives_zeros_and_nulls(town: Town):
    report = make_report(town.engine)
    total = report.figures.total
    assert total.counts == Counts(results=dict.fromkeys(TelephonyResult, 0))
    assert {rate.value for rate in rates_of(total.counts)} == {None}
    assert total.first_attempt.p50_seconds is None
    assert total.amounts == {kind: Money() for kind in AmountKind}
    assert set(report.figures.by_grade) == set(Grade)
    assert set(report.figures.by_fraud_type) == set(FraudType)


def test_answered_per_attempt_leaves_out_what_says_nothing_about_the_person(town: Town):
    case_id = town.case()
    for n, result in enumerate(TelephonyResult, start=1):
        town.attempt(case_id, n=n, result=result.value)
    town.attempt(case_id, n=50, result=None)
    c = counts(town)
    assert c.robot_calls == 13
    assert c.robot_calls_counted == 9
    assert c.robot_calls_answered == 1
    assert (c.robot_calls_own_fault, c.robot_calls_cancelled) == (1, 1)
    assert (c.robot_calls_unknown, c.robot_calls_under_way) == (1, 1)
    assert c.results == dict.fromkeys(TelephonyResult, 1)


def test_a_ring_that_never_left_is_no_robot_call(town: Town):
    case_id = town.case()
    town.attempt(case_id, n=1, result=None, sent_at=None, state="planned")
    town.attempt(case_id, n=2, result=None, state="planned", sid=None)  # refused, waits again
    town.attempt(case_id, n=3, result="canceled", sid=None)  # then withdrawn
    assert counts(town).robot_calls == 0


def test_answered_per_person_counts_a_case_once(town: Town):
    twice, never, unrung = town.case(), town.case(), town.case()
    town.attempt(twice, n=1, result="answered")
    town.attempt(twice, n=2, result="answered")
    town.attempt(never, n=1, result="busy")
    town.attempt(unrung, n=1, result="blocked")
    c = counts(town)
    assert (c.cases_answered, c.cases_rung) == (1, 2)


def test_answered_is_not_reached_and_reached_is_not_dissuaded(town: Town):
    town.attempt(town.case(contact=Contact.UNVERIFIED), result="answered", contact="unverified")
    town.case(contact=Contact.VERIFIED)
    c = counts(town)
    assert c.cases_answered == 1
    assert c.verified_contact == 1
    assert c.dissuaded == 0


def test_successes_by_what_became_of_them(town: Town):
    by_phone, in_person = OutcomeKind.DISSUADED_BY_PHONE.value, OutcomeKind.DISSUADED_IN_PERSON.value
    town.case(status=CaseStatus.WATCHING, outcome=by_phone, contact=Contact.VERIFIED)
    town.case(status=CaseStatus.PROVEN, outcome=by_phone, contact=Contact.VERIFIED)
    town.case(status=CaseStatus.PROVEN, outcome=in_person, contact=Contact.VERIFIED)
    town.case(status=CaseStatus.PROVEN, outcome="saw_through_it", contact=Contact.VERIFIED)
    town.case(status=CaseStatus.REVERSED, outcome="already_defrauded", contact=Contact.VERIFIED)
    town.case(status=CaseStatus.CLOSED, outcome="refuses", contact=Contact.VERIFIED)
    c = counts(town)
    assert (c.cases_watching, c.cases_proven, c.cases_reversed, c.cases_closed) == (1, 3, 1, 1)
    assert (c.dissuaded, c.succeeded, c.judged) == (4, 5, 4)
    assert (c.dissuaded_by_phone, c.dissuaded_in_person, c.saw_through_it) == (2, 1, 1)


def test_what_was_never_ours_is_left_out_of_what_we_achieved(town: Town):
    town.case(status=CaseStatus.CLOSED, outcome="duplicate")
    town.case(status=CaseStatus.CLOSED, outcome="transferred", contact=Contact.VERIFIED)
    town.case()
    c = counts(town)
    assert (c.cases, c.cases_not_ours, c.cases_ours, c.verified_contact) == (3, 2, 1, 0)


def test_a_filed_case_counts_against_the_warning_whether_we_reached_the_person_or_not(town: Town):
    for case_id in (town.case(), town.case(status=CaseStatus.REVERSED, outcome="already_defrauded")):
        for number in ("A1", "A2"):
            town.put_filed(case_id, number)
    town.case(status=CaseStatus.CLOSED, outcome="already_defrauded")  # had paid before us; nobody filed
    c = counts(town)
    assert (c.defrauded_after_warning, c.cases) == (2, 3)


def test_false_alarms_are_told_only_where_somebody_found_out(town: Town):
    for outcome in ("mismatch", "not_the_person", "refuses", "cannot_find", "missed"):
        town.case(status=CaseStatus.CLOSED, outcome=outcome)
    town.case(outcome="mismatch")  # open still
    c = counts(town)
    assert (c.false_alarms, c.found, c.found_nothing, c.cases_open) == (2, 3, 2, 1)


def test_raised_compares_with_the_first_warning(town: Town):
    owner = town.person()
    raised = town.case(grade=Grade.HIGH, first_grade=Grade.LOW, person_id=owner)
    town.warning(raised, person_id=owner, grade="high")
    town.case(grade=Grade.LOW, first_grade=Grade.HIGH)
    town.case(grade=Grade.HIGH)
    assert counts(town).raised == 1


def test_handed_to_a_person(town: Town):
    case_id = town.case()
    town.assignment(case_id)
    town.assignment(case_id, kind="visit")
    town.case()
    assert counts(town).handed_to_person == 1


def test_calls_and_visits_are_those_that_were_made(town: Town):
    done = {"state": "done", "done_by": "li", "done_at": MORNING, "signed_at": MORNING}
    town.assignment(town.case(), **done, outcome="refuses")
    town.assignment(town.case(), **done, outcome="cannot_find_yet")
    town.assignment(town.case())
    town.assignment(town.case(), state="withdrawn", done_at=MORNING)
    town.assignment(town.case(), kind="visit", **done, outcome="dissuaded_in_person")
    town.assignment(town.case(), kind="visit", state="signed", signed_at=MORNING, signed_by="li")
    c = counts(town)
    assert (c.human_calls, c.human_calls_reached) == (2, 1)
    assert (c.human_calls_waiting, c.human_calls_withdrawn) == (1, 1)
    assert (c.visits, c.visits_met, c.visits_waiting) == (1, 1, 1)


def test_signing_and_feedback_in_time(town: Town):
    """Limits: sign by 5 minutes, feedback by 4 hours. At equality it is in time."""
    done = {"state": "done", "done_by": "li", "outcome": "refuses"}
    hour = timedelta(hours=1)
    town.assignment(town.case(), **done, signed_at=MORNING + 5 * MINUTE, done_at=MORNING + 4 * hour)
    town.assignment(town.case(), **done, signed_at=MORNING + 6 * MINUTE, done_at=MORNING + 5 * hour)
    town.assignment(town.case())  # nobody signed, and the time is over
    town.assignment(town.case(), state="withdrawn", done_at=MORNING + MINUTE)
    town.assignment(town.case(), state="withdrawn", done_at=MORNING + 6 * MINUTE)  # late when withdrawn
    c = counts(town, now=MORNING + DAY)
    assert (c.signed_in_time, c.sign_counted, c.sign_pending, c.sign_withdrawn) == (1, 4, 0, 1)
    assert (c.feedback_in_time, c.feedback_counted, c.feedback_withdrawn) == (1, 3, 2)
    early = counts(town, now=MORNING + 5 * MINUTE)
    assert (early.sign_pending, early.feedback_pending) == (1, 1)


@pytest.mark.parametrize(("seconds", "in_time"), [(899, True), (900, True), (901, False)])
def test_the_first_attempt_counts_against_the_limit_of_its_grade(town: Town, seconds: int, in_time: bool):
    town.case(grade=Grade.MEDIUM, first_attempt_at=MORNING + timedelta(seconds=seconds))
    c = counts(town)
    assert (c.first_attempt_in_time, c.first_attempt_counted) == (int(in_time), 1)


def test_a_raised_case_keeps_the_limit_of_the_grade_it_came_with(town: Town):
    town.case(
        grade=Grade.EXTRA_HIGH, first_grade=Grade.MEDIUM, first_attempt_at=MORNING + timedelta(seconds=600)
    )
    assert counts(town).first_attempt_in_time == 1


def test_a_caller_may_be_the_first_attempt(town: Town):
    case_id = town.case(grade=Grade.HIGH, first_attempt_at=MORNING + 10 * MINUTE)
    town.assignment(
        case_id,
        state="done",
        done_by="li",
        outcome="refuses",
        signed_at=MORNING,
        done_at=MORNING + timedelta(seconds=150),
    )
    total = read(town).total
    assert total.counts.first_attempt_in_time == 1
    assert total.first_attempt.p50_seconds == 150


def test_windowed_grades_count_from_the_opening(town: Town):
    """22:00 and 05:00 in Shanghai wait for 09:00; a high grade does not."""
    evening, opening = MORNING + timedelta(hours=12), MORNING + timedelta(hours=23)
    at = opening + MINUTE
    town.case(opened_at=evening, first_attempt_at=at)
    town.case(opened_at=evening + timedelta(hours=7), first_attempt_at=at)
    town.case(opened_at=evening, first_attempt_at=at, grade=Grade.HIGH)
    figures_ = read(town, now=MORNING + 2 * DAY)
    assert figures_.by_grade[Grade.MEDIUM].first_attempt.p90_seconds == 60
    assert figures_.by_grade[Grade.MEDIUM].counts.first_attempt_in_time == 2
    assert figures_.by_grade[Grade.HIGH].first_attempt.p50_seconds == 11 * 3600 + 60
    assert figures_.by_grade[Grade.HIGH].counts.first_attempt_in_time == 0


def test_untried_cases_are_late_once_their_limit_is_over(town: Town):
    town.case()
    town.case(status=CaseStatus.CLOSED, outcome="duplicate", settled_at=MORNING + MINUTE)
    town.case(status=CaseStatus.CLOSED, outcome="missed", settled_at=MORNING + DAY)
    before = counts(town, now=MORNING + 15 * MINUTE)
    assert (before.first_attempt_counted, before.first_attempt_pending) == (1, 1)
    assert before.first_attempt_not_wanted == 1
    after = counts(town, now=MORNING + 16 * MINUTE)
    assert (after.first_attempt_counted, after.first_attempt_in_time) == (2, 0)


def test_percentiles_of_the_first_attempt(town: Town):
    for seconds in (10, 20, 30, 40, 110):
        town.case(first_attempt_at=MORNING + timedelta(seconds=seconds))
    first = read(town).total.first_attempt
    assert (first.cases, first.p50_seconds, first.p90_seconds) == (5, 30, pytest.approx(82))


def test_amounts_are_kept_apart_by_kind_and_approval(town: Town):
    case_id = town.case(grade=Grade.HIGH)
    approved = town.outcome(case_id, intended_fen=100, stopped_fen=20)
    town.approve(approved)
    town.outcome(case_id, intended_fen=7, returned_fen=3)
    figures_ = read(town)
    expected = {
        AmountKind.INTENDED: Money(approved_fen=100, unapproved_fen=7),
        AmountKind.STOPPED: Money(approved_fen=20),
        AmountKind.RETURNED: Money(unapproved_fen=3),
    }
    assert figures_.total.amounts == expected
    assert figures_.by_grade[Grade.HIGH].amounts == expected
    assert figures_.by_grade[Grade.LOW].amounts == {kind: Money() for kind in AmountKind}


def test_a_reversed_line_counts_as_reversed_and_its_correction_in_its_place(town: Town):
    case_id = town.case()
    wrong = town.outcome(case_id, intended_fen=10_000)
    town.approve(wrong)
    town.outcome(case_id, intended_fen=1_000, reverses=wrong)
    assert read(town).total.amounts[AmountKind.INTENDED] == Money(unapproved_fen=1_000, reversed_fen=10_000)


def test_a_line_reversed_after_the_window_is_reversed_all_the_same(town: Town):
    case_id = town.case()
    wrong = town.outcome(case_id, stopped_fen=500)
    town.outcome(case_id, reverses=wrong, at=MORNING + 5 * DAY)
    window = Period(start=MORNING, end=MORNING + DAY)
    assert read(town, period=window).total.amounts[AmountKind.STOPPED] == Money(reversed_fen=500)


def test_the_window_is_half_open_and_each_kind_is_chosen_by_its_own_moment(town: Town):
    before = town.case(opened_at=MORNING - MINUTE)
    town.attempt(before, sent_at=MORNING)
    town.case(opened_at=MORNING)
    town.case(opened_at=MORNING + DAY)
    c = counts(town, period=Period(start=MORNING, end=MORNING + DAY))
    assert (c.cases, c.warnings, c.robot_calls) == (1, 1, 1)


def test_drill_records_are_in_no_figure_elsewhere_and_counted_as_left_out(town: Town):
    drilled = town.case(drill=True, contact=Contact.VERIFIED)
    town.attempt(drilled, drill=True, result="answered")
    town.assignment(drilled, drill=True)
    town.outcome(drilled, drill=True, intended_fen=5)
    town.case()
    figures_ = read(town)
    assert figures_.total.counts.cases == 1
    assert figures_.total.counts.verified_contact == 0
    assert figures_.total.counts.robot_calls == 0
    assert figures_.total.amounts[AmountKind.INTENDED] == Money()
    assert figures_.left_out == dict.fromkeys(
        ("warnings", "cases", "robot_calls", "assignments", "outcomes"), 1
    )


def test_a_drill_database_reports_its_drill(drill_town: Town):
    drill_town.case()
    report = make_report(drill_town.engine)
    assert report.drill is True
    assert report.figures.total.counts.cases == 1
    assert set(report.figures.left_out.values()) == {0}


def test_grades_and_fraud_types_add_up_to_the_whole(town: Town):
    for grade in Grade:
        for fraud_type in (FraudType.LOAN, FraudType.ROMANCE):
            case_id = town.case(grade=grade, fraud_type=fraud_type)
            town.attempt(case_id, result="answered")
            town.assignment(case_id)
    figures_ = read(town)
    for name in ("warnings", "cases", "robot_calls_answered", "sign_counted"):
        whole = getattr(figures_.total.counts, name)
        assert whole == 8
        assert sum(getattr(s.counts, name) for s in figures_.by_grade.values()) == whole
        assert sum(getattr(s.counts, name) for s in figures_.by_fraud_type.values()) == whole
