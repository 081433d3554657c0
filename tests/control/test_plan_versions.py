"""Drafts and approvals of versions in any order: nobody approves what they drafted, and the newest approval holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError

from dialer.control.plans import approve_plan, draft_plan, read_plans
from dialer.core.access import unrestricted
from dialer.core.errors import Conflict
from dialer.core.values import MessageChannel, VersionState
from dialer.db import tables as t
from dialer.db.plans import PLAN_VERSIONS
from dialer.runtime.plans import plan_of_settings, plan_text
from dialer.runtime.services import Services
from dialer.runtime.settings import load_settings
from tests.outcomes.town import Scenario

SMS = frozenset({MessageChannel.SMS})
PEOPLE = ("li", "wang", "zhao")


@pytest.fixture
def services(fresh_database: str) -> Iterator[Services]:
    with closing(Scenario(fresh_database)) as scenario:
        yield scenario.services


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    acts=st.lists(
        st.tuples(st.sampled_from(("draft", "approve")), st.sampled_from(PEOPLE), st.integers(1, 6)),
        max_size=12,
    )
)
def test_any_order_of_drafts_and_approvals(services: Services, acts: list[tuple[str, str, int]]):
    base = plan_text(plan_of_settings(load_settings({})))
    known = {version.source: version for version in read_plans(services)}
    newest = [version for version in known.values() if version.state is VersionState.APPROVED]
    for what, who, n in acts:
        if what == "draft":
            text = base.replace("visit_tries = 3", f"visit_tries = {n}")
            if text in known:
                with pytest.raises(Conflict):
                    draft_plan(services, unrestricted(who), text, channels=SMS)
            else:
                known[text] = draft_plan(services, unrestricted(who), text, channels=SMS)
                assert known[text].state is VersionState.DRAFT
            continue
        version = next((one for one in known.values() if one.number == n), None)
        if version is None:
            continue
        if version.drafted_by == who:
            with pytest.raises(Conflict):
                approve_plan(services, unrestricted(who), n, reason="x", channels=SMS)
        else:
            newest = [approve_plan(services, unrestricted(who), n, reason="x", channels=SMS)]
    read = read_plans(services)
    assert [one.number for one in read] == list(range(len(known), 0, -1))
    live = [one.number for one in read if one.state is VersionState.APPROVED]
    assert live == [one.number for one in newest]
    with services.store.begin() as tx:
        waiting = tx.rows(PLAN_VERSIONS.waiting())
    drafts = [one for one in read[:1] if one.state is VersionState.DRAFT]
    assert [row["number"] for row in waiting] == [one.number for one in drafts]


def test_the_database_refuses_an_approval_by_its_author_and_any_change(services: Services):
    text = plan_text(plan_of_settings(load_settings({})))
    made = draft_plan(services, unrestricted("li"), text, channels=SMS)
    for statement in (
        sa.insert(t.plan_approval).values(
            version_id=made.id,
            policy_version=1,
            drafted_by="li",
            approved_by="li",
            reason="x",
            at=services.clock.now(),
        ),
        sa.update(t.plan_version).values(source=""),
        sa.delete(t.plan_version),
    ):
        with pytest.raises(DBAPIError), services.store.begin() as tx:
            tx.execute(statement)
