"""What was written as evidence of an amount is read again by who approves it."""

from __future__ import annotations

from dialer.approvals.queries import evidence_of
from dialer.core.values import Amounts, Contact, OutcomeKind, Track
from dialer.outcomes.ledger import OutcomeLine, append_outcome
from tests.outcomes.town import MORNING, Scenario


def test_a_reference_is_read_by_who_approves(scenario: Scenario):
    case_id = scenario.case()
    with scenario.tx() as tx:
        line = append_outcome(
            tx,
            OutcomeLine(
                case_id=case_id,
                assignment_id=None,
                kind=OutcomeKind.DISSUADED_BY_PHONE,
                contact=Contact.VERIFIED,
                track=Track.HUMAN,
                reason="reported",
                amounts=Amounts(stopped_fen=5_000_00),
                evidence="止付回执 0017",
                drill=False,
            ),
            by="li",
            now=MORNING,
        )
        assert evidence_of(tx, [line]) == {line: "止付回执 0017"}
