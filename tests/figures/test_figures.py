"""Every figure counts what its definition says, and nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from dialer.core.case import CaseStatus
from dialer.core.follow_up import UNDOING_ANSWERS
from dialer.core.rates import Counts, Figures, Money, Period, rates_of
from dialer.core.values import AmountKind, Answer, Contact, FraudType, Grade, OutcomeKind, TelephonyResult
from dialer.figures.progress import NotCalled, count_not_called
from dialer.figures.report import make_report
from tests.figures.sources import figures
from tests.outcomes.town import MORNING, Scenario

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def read(
    scenario: Scenario,
    *,
    now: datetime = MORNING + DAY,
    period: Period | None = None,
    drill: bool | None = None,
) -> Figures:
    with scenario.tx() as tx:
        marked = scenario.drill if drill is None else drill
        return figures(tx, period or Period(), drill=marked, now=now)


def counts(scenario: Scenario, *, now: datetime = MORNING + DAY, period: Period | None = None) -> Counts:
    return read(scenario, now=now, period=period).total.counts


def test_an_empty_database_gives_zeros_and_nulls(scenario: Scenario):
    report = make_report(scenario.services)
    total = report.figures.total
    assert total.counts == Counts(results=dict.fromkeys(TelephonyResult, 0))
    assert {rate.value for rate in rates_of(total.counts)} == {None}
    assert total.first_attempt.p50_seconds is None
    assert total.amounts == {kind: Money() for kind in AmountKind}
    assert set(report.figures.by_grade) == set(Grade)
    assert set(report.figures.by_fraud_type) == set(FraudType)


def test_answered_per_attempt_leaves_out_what_says_nothing_about_the_person(scenario: Scenario):
    case_id = scenario.case()
    for n, result in enumerate(TelephonyResult, start=1):
        scenario.attempt(case_id, n=n, result=result.value)
    scenario.attempt(case_id, n=50, result=None)
    c = counts(scenario)
    assert c.robot_calls == 14
    assert c.robot_calls_counted == 9
    assert c.robot_calls_answered == 1
    assert (c.robot_calls_own_fault, c.robot_calls_cancelled) == (2, 1)
    assert (c.robot_calls_unknown, c.robot_calls_under_way) == (1, 1)
    assert c.results == dict.fromkeys(TelephonyResult, 1)


def test_a_call_that_never_left_is_no_robot_call(scenario: Scenario):
    case_id = scenario.case()
    scenario.attempt(case_id, n=1, result=None, sent_at=None, state="planned")
    scenario.attempt(case_id, n=2, result=None, state="planned", sid=None)  # refused, waits again
    scenario.attempt(case_id, n=3, result="canceled", sid=None)  # then withdrawn
    assert counts(scenario).robot_calls == 0


def test_answered_per_person_counts_a_case_once(scenario: Scenario):
    twice, never, unrung = scenario.case(), scenario.case(), scenario.case()
    scenario.attempt(twice, n=1, result="answered")
    scenario.attempt(twice, n=2, result="answered")
    scenario.attempt(never, n=1, result="busy")
    scenario.attempt(unrung, n=1, result="blocked")
    c = counts(scenario)
    assert (c.cases_answered, c.cases_rung) == (1, 2)


def test_answered_is_not_reached_and_reached_is_not_dissuaded(scenario: Scenario):
    scenario.attempt(scenario.case(contact=Contact.UNVERIFIED), result="answered", contact="unverified")
    scenario.case(contact=Contact.VERIFIED)
    c = counts(scenario)
    assert c.cases_answered == 1
    assert c.verified_contact == 1
    assert c.dissuaded == 0


def test_successes_by_what_became_of_them(scenario: Scenario):
    by_phone, in_person = OutcomeKind.DISSUADED_BY_PHONE.value, OutcomeKind.DISSUADED_IN_PERSON.value
    scenario.case(status=CaseStatus.WATCHING, outcome=by_phone, contact=Contact.VERIFIED)
    scenario.case(status=CaseStatus.PROVEN, outcome=by_phone, contact=Contact.VERIFIED)
    scenario.case(status=CaseStatus.PROVEN, outcome=in_person, contact=Contact.VERIFIED)
    scenario.case(status=CaseStatus.PROVEN, outcome="saw_through_it", contact=Contact.VERIFIED)
    scenario.case(status=CaseStatus.REVERSED, outcome="already_defrauded", contact=Contact.VERIFIED)
    scenario.case(status=CaseStatus.CLOSED, outcome="refuses", contact=Contact.VERIFIED)
    c = counts(scenario)
    assert (c.cases_watching, c.cases_proven, c.cases_reversed, c.cases_closed) == (1, 3, 1, 1)
    assert (c.dissuaded, c.succeeded, c.judged) == (4, 5, 4)
    assert (c.dissuaded_by_phone, c.dissuaded_in_person, c.saw_through_it) == (2, 1, 1)


def test_what_was_never_ours_is_left_out_of_what_we_achieved(scenario: Scenario):
    scenario.case(status=CaseStatus.CLOSED, outcome="duplicate")
    scenario.case(status=CaseStatus.CLOSED, outcome="transferred", contact=Contact.VERIFIED)
    scenario.case()
    c = counts(scenario)
    assert (c.cases, c.cases_not_ours, c.cases_ours, c.verified_contact) == (3, 2, 1, 0)


def test_a_filed_case_counts_against_the_warning_whether_we_reached_the_person_or_not(scenario: Scenario):
    for case_id in (scenario.case(), scenario.case(status=CaseStatus.REVERSED, outcome="already_defrauded")):
        for number in ("A1", "A2"):
            scenario.put_filed(case_id, number)
    scenario.case(status=CaseStatus.CLOSED, outcome="already_defrauded")  # had paid before us; nobody filed
    c = counts(scenario)
    assert (c.defrauded_after_warning, c.cases) == (2, 3)


def test_false_alarms_are_told_only_where_somebody_found_out(scenario: Scenario):
    for outcome in ("mismatch", "not_the_person", "refuses", "cannot_find", "missed"):
        scenario.case(status=CaseStatus.CLOSED, outcome=outcome)
    scenario.case(outcome="mismatch")  # open still
    c = counts(scenario)
    assert (c.false_alarms, c.found, c.found_nothing, c.cases_open) == (2, 3, 2, 1)


def test_a_case_that_was_missed_stays_counted_after_a_warning_that_has_not_expired_joined(scenario: Scenario):
    owner = scenario.person()
    once = scenario.case(warning=False, person_id=owner)
    scenario.warning(once, person_id=owner, missed=True)
    scenario.warning(once, person_id=owner)
    other = scenario.person()
    never = scenario.case(person_id=other)
    scenario.warning(never, person_id=other, missed=True)
    scenario.case(missed=True)
    assert counts(scenario).cases_missed == 2


def test_raised_compares_with_the_first_warning(scenario: Scenario):
    owner = scenario.person()
    raised = scenario.case(grade=Grade.HIGH, first_grade=Grade.LOW, person_id=owner)
    scenario.warning(raised, person_id=owner, grade="high")
    scenario.case(grade=Grade.LOW, first_grade=Grade.HIGH)
    scenario.case(grade=Grade.HIGH)
    assert counts(scenario).raised == 1


def test_handed_to_a_person(scenario: Scenario):
    case_id = scenario.case()
    scenario.assignment(case_id)
    scenario.assignment(case_id, kind="visit")
    scenario.case()
    assert counts(scenario).handed_to_person == 1


def test_calls_and_visits_are_those_that_were_made(scenario: Scenario):
    done = {"state": "done", "done_by": "li", "done_at": MORNING, "signed_at": MORNING}
    scenario.assignment(scenario.case(), **done, outcome="refuses")
    scenario.assignment(scenario.case(), **done, outcome="cannot_find_yet")
    scenario.assignment(scenario.case())
    scenario.assignment(scenario.case(), state="withdrawn", done_at=MORNING)
    scenario.assignment(scenario.case(), kind="visit", **done, outcome="dissuaded_in_person")
    scenario.assignment(scenario.case(), kind="visit", state="signed", signed_at=MORNING, signed_by="li")
    c = counts(scenario)
    assert (c.human_calls, c.human_calls_reached) == (2, 1)
    assert (c.human_calls_waiting, c.human_calls_withdrawn) == (1, 1)
    assert (c.visits, c.visits_met, c.visits_waiting) == (1, 1, 1)


def follow_up(scenario: Scenario, case_id: int, n: int = 1, **columns: object) -> None:
    scenario.attempt(case_id, n=n, reason="follow_up", **columns)


def test_follow_up_calls_have_counts_of_their_own(scenario: Scenario):
    case_id = scenario.case()
    scenario.attempt(case_id, n=1, result="answered", contact="verified", answer="acknowledged")
    follow_up(scenario, case_id, n=2, result="busy")
    follow_up(scenario, case_id, n=3, result="blocked")
    follow_up(scenario, case_id, n=4, result=None)
    follow_up(scenario, case_id, n=5, result="answered", contact="unverified", answer="doubtful")
    follow_up(scenario, case_id, n=6, result="answered", contact="unverified", answer="wants_officer")
    follow_up(scenario, case_id, n=7, result="answered", contact="verified", answer="acknowledged")
    follow_up(scenario, case_id, n=8, result="answered", contact="verified", answer="in_contact")
    c = counts(scenario)
    assert (c.robot_calls, c.robot_calls_verified, c.results[TelephonyResult.BUSY]) == (1, 1, 0)
    assert (c.follow_up_calls_counted, c.follow_up_calls_not_counted) == (5, 2)
    assert (c.follow_up_calls_answered, c.follow_up_calls_verified, c.follow_up_calls_undoing) == (4, 2, 2)
    rates = {rate.definition.name: (rate.numerator, rate.denominator) for rate in rates_of(c)}
    assert rates["follow_up_verified"] == (2, 5)
    assert rates["follow_up_undoing"] == (2, 4)


def test_a_call_counts_as_undoing_exactly_where_its_answer_opens_the_case_again(scenario: Scenario):
    before = 0
    for answer in Answer:
        follow_up(scenario, scenario.case(), result="answered", contact="verified", answer=answer.value)
        now = counts(scenario).follow_up_calls_undoing
        assert (now > before) is (answer in UNDOING_ANSWERS), answer
        before = now


def test_a_success_was_followed_up_if_the_person_was_spoken_to_again(scenario: Scenario):
    success = {"status": CaseStatus.WATCHING, "outcome": OutcomeKind.DISSUADED_BY_PHONE.value}
    done = {"state": "done", "done_by": "li", "done_at": MORNING, "signed_at": MORNING}
    by_robot, by_caller, not_reached, not_found, never = (scenario.case(**success) for _ in range(5))
    follow_up(scenario, by_robot, result="answered", contact="verified", answer="acknowledged")
    follow_up(scenario, not_reached, result="answered", contact="unverified", answer="doubtful")
    scenario.assignment(by_caller, reason="follow_up", **done, outcome="dissuaded_by_phone")
    scenario.assignment(not_found, reason="follow_up", **done, outcome="cannot_find_yet")
    scenario.assignment(never, **done, outcome="dissuaded_by_phone")
    undone = scenario.case()  # open again: no success any more
    follow_up(scenario, undone, result="answered", contact="verified", answer="in_contact")
    c = counts(scenario)
    assert (c.followed_up, c.succeeded) == (2, 5)


def test_signing_and_feedback_in_time(scenario: Scenario):
    """Limits: sign by 5 minutes, feedback by 4 hours. At equality it is in time."""
    done = {"state": "done", "done_by": "li", "outcome": "refuses"}
    hour = timedelta(hours=1)
    scenario.assignment(scenario.case(), **done, signed_at=MORNING + 5 * MINUTE, done_at=MORNING + 4 * hour)
    scenario.assignment(scenario.case(), **done, signed_at=MORNING + 6 * MINUTE, done_at=MORNING + 5 * hour)
    scenario.assignment(scenario.case())  # nobody signed, and the time is over
    scenario.assignment(scenario.case(), state="withdrawn", done_at=MORNING + MINUTE)
    scenario.assignment(
        scenario.case(), state="withdrawn", done_at=MORNING + 6 * MINUTE
    )  # late when withdrawn
    c = counts(scenario, now=MORNING + DAY)
    assert (c.signed_in_time, c.sign_counted, c.sign_pending, c.sign_withdrawn) == (1, 4, 0, 1)
    assert (c.feedback_in_time, c.feedback_counted, c.feedback_withdrawn) == (1, 3, 2)
    early = counts(scenario, now=MORNING + 5 * MINUTE)
    assert (early.sign_pending, early.feedback_pending) == (1, 1)


@pytest.mark.parametrize(("seconds", "in_time"), [(899, True), (900, True), (901, False)])
def test_the_first_attempt_counts_against_the_limit_of_its_grade(
    scenario: Scenario, seconds: int, in_time: bool
):
    scenario.case(grade=Grade.MEDIUM, first_attempt_at=MORNING + timedelta(seconds=seconds))
    c = counts(scenario)
    assert (c.first_attempt_in_time, c.first_attempt_counted) == (int(in_time), 1)


def test_a_raised_case_keeps_the_limit_of_the_grade_it_came_with(scenario: Scenario):
    scenario.case(
        grade=Grade.EXTRA_HIGH, first_grade=Grade.MEDIUM, first_attempt_at=MORNING + timedelta(seconds=600)
    )
    assert counts(scenario).first_attempt_in_time == 1


def test_a_caller_may_be_the_first_attempt(scenario: Scenario):
    case_id = scenario.case(grade=Grade.HIGH, first_attempt_at=MORNING + 10 * MINUTE)
    scenario.assignment(
        case_id,
        state="done",
        done_by="li",
        outcome="refuses",
        signed_at=MORNING,
        done_at=MORNING + timedelta(seconds=150),
    )
    total = read(scenario).total
    assert total.counts.first_attempt_in_time == 1
    assert total.first_attempt.p50_seconds == 150


def test_windowed_grades_count_from_the_opening(scenario: Scenario):
    """22:00 and 05:00 in Shanghai wait for 09:00; a high grade does not."""
    evening, opening = MORNING + timedelta(hours=12), MORNING + timedelta(hours=23)
    at = opening + MINUTE
    scenario.case(opened_at=evening, first_attempt_at=at)
    scenario.case(opened_at=evening + timedelta(hours=7), first_attempt_at=at)
    scenario.case(opened_at=evening, first_attempt_at=at, grade=Grade.HIGH)
    figures_ = read(scenario, now=MORNING + 2 * DAY)
    assert figures_.by_grade[Grade.MEDIUM].first_attempt.p90_seconds == 60
    assert figures_.by_grade[Grade.MEDIUM].counts.first_attempt_in_time == 2
    assert figures_.by_grade[Grade.HIGH].first_attempt.p50_seconds == 11 * 3600 + 60
    assert figures_.by_grade[Grade.HIGH].counts.first_attempt_in_time == 0


def test_untried_cases_are_late_once_their_limit_is_over(scenario: Scenario):
    scenario.case()
    scenario.case(status=CaseStatus.CLOSED, outcome="duplicate", settled_at=MORNING + MINUTE)
    scenario.case(status=CaseStatus.CLOSED, outcome="missed", settled_at=MORNING + DAY)
    before = counts(scenario, now=MORNING + 15 * MINUTE)
    assert (before.first_attempt_counted, before.first_attempt_pending) == (1, 1)
    assert before.first_attempt_not_wanted == 1
    after = counts(scenario, now=MORNING + 16 * MINUTE)
    assert (after.first_attempt_counted, after.first_attempt_in_time) == (2, 0)


def test_percentiles_of_the_first_attempt(scenario: Scenario):
    for seconds in (10, 20, 30, 40, 110):
        scenario.case(first_attempt_at=MORNING + timedelta(seconds=seconds))
    first = read(scenario).total.first_attempt
    assert (first.cases, first.p50_seconds, first.p90_seconds) == (5, 30, pytest.approx(82))


def test_amounts_are_kept_apart_by_kind_and_approval(scenario: Scenario):
    case_id = scenario.case(grade=Grade.HIGH)
    approved = scenario.outcome(case_id, intended_fen=100, stopped_fen=20)
    scenario.approve(approved)
    scenario.outcome(case_id, intended_fen=7, returned_fen=3)
    figures_ = read(scenario)
    expected = {
        AmountKind.INTENDED: Money(approved_fen=100, unapproved_fen=7),
        AmountKind.STOPPED: Money(approved_fen=20),
        AmountKind.RETURNED: Money(unapproved_fen=3),
    }
    assert figures_.total.amounts == expected
    assert figures_.by_grade[Grade.HIGH].amounts == expected
    assert figures_.by_grade[Grade.LOW].amounts == {kind: Money() for kind in AmountKind}


def test_a_reversed_line_counts_as_reversed_and_its_correction_in_its_place(scenario: Scenario):
    case_id = scenario.case()
    wrong = scenario.outcome(case_id, intended_fen=10_000)
    scenario.approve(wrong)
    scenario.outcome(case_id, intended_fen=1_000, reverses=wrong)
    assert read(scenario).total.amounts[AmountKind.INTENDED] == Money(
        unapproved_fen=1_000, reversed_fen=10_000
    )


def test_a_line_reversed_after_the_window_is_reversed_all_the_same(scenario: Scenario):
    case_id = scenario.case()
    wrong = scenario.outcome(case_id, stopped_fen=500)
    scenario.outcome(case_id, reverses=wrong, at=MORNING + 5 * DAY)
    window = Period(start=MORNING, end=MORNING + DAY)
    assert read(scenario, period=window).total.amounts[AmountKind.STOPPED] == Money(reversed_fen=500)


def test_the_window_is_half_open_and_each_kind_is_chosen_by_its_own_moment(scenario: Scenario):
    before = scenario.case(opened_at=MORNING - MINUTE)
    scenario.attempt(before, sent_at=MORNING)
    scenario.case(opened_at=MORNING)
    scenario.case(opened_at=MORNING + DAY)
    c = counts(scenario, period=Period(start=MORNING, end=MORNING + DAY))
    assert (c.cases, c.warnings, c.robot_calls) == (1, 1, 1)


def test_drill_records_are_in_no_figure_elsewhere_and_counted_as_left_out(scenario: Scenario):
    drilled = scenario.case(drill=True, contact=Contact.VERIFIED)
    scenario.attempt(drilled, drill=True, result="answered")
    scenario.assignment(drilled, drill=True)
    scenario.outcome(drilled, drill=True, intended_fen=5)
    scenario.case()
    figures_ = read(scenario)
    assert figures_.total.counts.cases == 1
    assert figures_.total.counts.verified_contact == 0
    assert figures_.total.counts.robot_calls == 0
    assert figures_.total.amounts[AmountKind.INTENDED] == Money()
    assert figures_.left_out == dict.fromkeys(
        ("warnings", "cases", "robot_calls", "assignments", "outcomes"), 1
    )


def test_a_drill_database_reports_its_drill(drill_scenario: Scenario):
    drill_scenario.case()
    report = make_report(drill_scenario.services)
    assert report.drill is True
    assert report.figures.total.counts.cases == 1
    assert set(report.figures.left_out.values()) == {0}


def test_grades_and_fraud_types_add_up_to_the_whole(scenario: Scenario):
    for grade in Grade:
        for fraud_type in (FraudType.LOAN, FraudType.ROMANCE):
            case_id = scenario.case(grade=grade, fraud_type=fraud_type)
            scenario.attempt(case_id, result="answered")
            scenario.assignment(case_id)
    figures_ = read(scenario)
    for name in ("warnings", "cases", "robot_calls_answered", "sign_counted"):
        whole = getattr(figures_.total.counts, name)
        assert whole == 8
        assert sum(getattr(s.counts, name) for s in figures_.by_grade.values()) == whole
        assert sum(getattr(s.counts, name) for s in figures_.by_fraud_type.values()) == whole


def test_calls_that_never_rang_are_counted_by_the_reason(scenario: Scenario):
    case_id = scenario.case()
    for n, (result, more) in enumerate(
        (
            ("no_answer", {"ringing_at": MORNING}),
            ("unknown", {}),
            ("canceled", {"sid": None}),
            ("failed", {"sid": None}),
            ("failed", {"sid": None}),
            ("invalid_number", {}),
        ),
        start=1,
    ):
        scenario.attempt(case_id, n=n, result=result, **more)
    with scenario.tx() as tx:
        assert count_not_called(tx) == NotCalled(refused=2, cancelled=1, unreachable=1, unknown=1)
