"""Whatever the rows are, a numerator is a part of its denominator and the parts add up to the whole."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from dialer.core.case import CaseStatus
from dialer.core.rates import Period, Slice, rates_of
from dialer.core.values import Contact, FraudType, Grade, OutcomeKind, TelephonyResult
from tests.figures.sources import figures
from tests.outcomes.town import MORNING, Scenario
from tests.seeds import seeds

CASES = 40
_FRAUD_TYPES = tuple(FraudType)[:11]
"""So many that the draws stay the same when a type is added."""


def fill(scenario: Scenario, seed: int) -> None:
    chance = Random(seed)

    def moment() -> timedelta:
        return timedelta(minutes=chance.randrange(0, 3_000))

    for _ in range(CASES):
        status = chance.choice(list(CaseStatus))
        case_id = scenario.case(
            grade=chance.choice(list(Grade)),
            first_grade=chance.choice(list(Grade)),
            fraud_type=chance.choice(_FRAUD_TYPES),
            status=status,
            outcome=None if status is CaseStatus.OPEN else chance.choice(list(OutcomeKind)).value,
            contact=chance.choice(list(Contact)),
            opened_at=MORNING + moment(),
            first_attempt_at=chance.choice([None, MORNING + moment()]),
            drill=chance.random() < 0.1,
        )
        if chance.random() < 0.7:
            scenario.attempt(case_id, result=chance.choice([None, *(r.value for r in TelephonyResult)]))
        if chance.random() < 0.5:
            state = chance.choice(["open", "signed", "done", "withdrawn"])
            ended = state in {"done", "withdrawn"}
            scenario.assignment(
                case_id,
                kind=chance.choice(["human", "visit"]),
                state=state,
                opened_at=MORNING + moment(),
                signed_at=None if state == "open" else MORNING + moment(),
                done_at=MORNING + moment() if ended else None,
                done_by="li" if state == "done" else None,
                outcome=chance.choice(list(OutcomeKind)).value if state == "done" else None,
            )
        if chance.random() < 0.2:
            scenario.put_filed(case_id, "A1")
        if chance.random() < 0.5:
            line = scenario.outcome(
                case_id,
                at=MORNING + moment(),
                drill=chance.random() < 0.2,
                intended_fen=chance.randrange(1, 1_000_000),
                stopped_fen=chance.choice([0, chance.randrange(1_000_000)]),
                returned_fen=chance.choice([0, chance.randrange(1_000_000)]),
            )
            if chance.random() < 0.5:
                scenario.approve(line)
            if chance.random() < 0.2:
                scenario.outcome(case_id, at=MORNING + moment(), reverses=line)


def holds(one: Slice) -> None:
    c = one.counts
    assert all(0 <= rate.numerator <= rate.denominator for rate in rates_of(c))
    assert c.cases == c.cases_open + c.cases_watching + c.cases_proven + c.cases_reversed + c.cases_closed
    assert c.cases == c.cases_ours + c.cases_not_ours == c.cases_open + c.found + c.found_nothing
    left = c.first_attempt_pending + c.first_attempt_not_wanted
    assert c.cases == c.first_attempt_counted + left
    assert c.robot_calls == sum(c.results.values()) + c.robot_calls_under_way


@seeds(3)
def test_every_rate_is_a_part_of_a_whole(scenario: Scenario, seed: int):
    fill(scenario, seed)
    for hours in (0, 24, 1_000):
        for period in (
            Period(),
            Period(start=MORNING + timedelta(hours=9), end=MORNING + timedelta(hours=30)),
        ):
            with scenario.tx() as tx:
                found = figures(tx, period, drill=False, now=MORNING + timedelta(hours=hours))
            for one in (found.total, *found.by_grade.values(), *found.by_fraud_type.values()):
                holds(one)
            grades = sum(one.counts.cases for one in found.by_grade.values())
            types = sum(one.counts.cases for one in found.by_fraud_type.values())
            assert found.total.counts.cases == grades == types
