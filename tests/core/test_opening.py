"""What is remembered of openings is what would be decided anew, whatever came before."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dialer.core.case import Case
from dialer.core.decide import BulkCaseOpener, decide
from dialer.core.events import CaseOpened
from dialer.core.values import FraudType, Grade, Tag
from tests.core.samples import MORNING, NIGHT, POLICY

_MOMENTS = st.sampled_from([MORNING, NIGHT])
_CASES = st.lists(
    st.builds(
        lambda *facts: facts,
        st.sampled_from(list(Grade)),
        st.sampled_from(list(FraudType)),
        st.booleans(),
        st.sets(st.sampled_from(list(Tag))),
        st.none() | st.integers(min_value=0, max_value=10**9),
        st.none() | st.integers(min_value=-5, max_value=10**5),
        st.integers(min_value=1, max_value=3),
    ),
    min_size=1,
    max_size=12,
)


@given(moment=_MOMENTS, facts=_CASES)
def test_each_opening_is_decided_as_if_it_were_the_only_one(
    moment: datetime, facts: list[tuple[Any, ...]]
) -> None:
    openings = BulkCaseOpener(now=moment, policy=POLICY)
    for n, (grade, fraud_type, missed, tags, amount_fen, expires_seconds, numbers) in enumerate(facts):
        case = Case(
            id=n,
            grade=grade,
            fraud_type=fraud_type,
            opened_at=moment,
            policy_version=POLICY.version,
            numbers=numbers,
            expires_at=None if expires_seconds is None else moment + timedelta(seconds=expires_seconds),
            amount_at_risk_fen=amount_fen,
            missed=missed,
            tags=frozenset(tags),
        )
        assert openings.decide(case) == decide(case, CaseOpened(), moment, POLICY)
