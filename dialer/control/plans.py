"""Plans are drafted, compared with the one in force, judged on the last week and approved by a second person. Policies
of running cases do not change: a case keeps the policy it began with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from dialer.calls.pacing import configure_line_group
from dialer.control.plan_judgement import PlanWeek, WeekRows, judge_week
from dialer.control.plan_store import read_week
from dialer.core.access import Actor, Permission, required_text
from dialer.core.errors import Conflict, SettingsError
from dialer.core.policy import to_plain
from dialer.core.text import Text
from dialer.core.values import Grade, MessageChannel
from dialer.db.plans import PLAN_VERSIONS, PlanVersion, plan_by_number, plan_in_force, plan_versions
from dialer.db.policies import ensure_policy_version
from dialer.db.second_person import require_second_person
from dialer.runtime.plans import Plan, parse_plan, plan_of_settings, plan_text, with_values
from dialer.runtime.services import Services
from dialer.runtime.settings import Settings

MOST_ROWS: Final = 20_000
"""So many calls, tasks and warnings are judged again, of each the newest."""


def check_plan(services: Services, plan: Plan, *, channels: Container[MessageChannel]) -> None:
    """Raises `SettingsError` for what this installation cannot do: a pace above that of its lines, and messages by a
    channel that is not configured.
    """
    lines = services.lines
    for name, most in (
        ("calls_per_second", lines.settings_calls_per_second),
        ("lines", lines.settings_lines),
    ):
        if most is not None and getattr(plan.pace, name) > most:
            problem = Text("is above what the settings allow, %(most)s", most=f"{most:g}")
            raise SettingsError(key=f"pace.{name}", problem=problem)
    for grade in Grade:
        if getattr(plan.policy, grade.value).message_channel not in channels:
            raise SettingsError(key=f"policy.{grade.value}.message_channel", problem="is not configured here")


def draft_plan(
    services: Services, actor: Actor, source: str, *, channels: Container[MessageChannel]
) -> PlanVersion:
    """Stores this TOML as a new version, which waits for a second person. Raises `SettingsError`, and `Conflict` when a
    version has the same content.
    """
    actor.check_may(Permission.DRAFT_PLANS)
    plan = parse_plan(source)
    check_plan(services, plan, channels=channels)
    digest = hashlib.sha256(plan_text(plan).encode()).hexdigest()
    with services.act(actor, Permission.DRAFT_PLANS) as act:
        PLAN_VERSIONS.lock(act.tx)
        same = next((known for known in plan_versions(act.tx) if known.content_hash == digest), None)
        if same is not None:
            problem = Text("version %(number)s of the plan says just that", number=same.number)
            raise Conflict(problem, current=same.state.value)
        number = PLAN_VERSIONS.add(act.tx, content_hash=digest, drafted_by=act.by, now=act.now, source=source)
        act.audit("plan_draft", "plan", facts={"version": number, "hash": digest[:12]})
        return plan_by_number(act.tx, number)


def draft_values(
    services: Services, actor: Actor, typed: Mapping[str, str], *, channels: Container[MessageChannel]
) -> PlanVersion:
    """Stores these values, by key, as a new version. Raises as `draft_plan`."""
    return draft_plan(services, actor, plan_text(with_values(typed)), channels=channels)


def approve_plan(
    services: Services, actor: Actor, number: int, *, reason: str, channels: Container[MessageChannel]
) -> PlanVersion:
    """Approves a version: within seconds new cases get its policy, sources its limits and the robot its pace, up to
    which a person may have lowered it. Raises `NotFound`, `Invalid`, `SettingsError`, and `Conflict` for the person who
    drafted it.
    """
    why = required_text("reason", reason)
    with services.act(actor, Permission.APPROVE) as act:
        PLAN_VERSIONS.lock(act.tx)
        version = plan_by_number(act.tx, number)
        require_second_person(act.tx, act.by, version.drafted_by)
        plan = parse_plan(version.source)
        check_plan(services, plan, channels=channels)
        policy = plan.policy.policy(zone=services.centre.timezone)
        PLAN_VERSIONS.approve(
            act.tx,
            version.id,
            drafted_by=version.drafted_by,
            approved_by=act.by,
            reason=why,
            now=act.now,
            policy_version=ensure_policy_version(act.tx, to_plain(policy), now=services.real.now()),
        )
        configure_line_group(
            act.tx,
            calls_per_second=plan.pace.calls_per_second,
            lines=plan.pace.lines,
            real_now=services.real.now(),
        )
        act.audit(
            "plan_approve", "plan", why=why, facts={"version": number, "hash": version.content_hash[:12]}
        )
        approved = plan_by_number(act.tx, number)
    if services.policies.plan is not None:
        services.policies.plan.read()
    services.enqueue("dial")
    return approved


def read_plans(services: Services) -> list[PlanVersion]:
    """All versions, newest first."""
    with services.store.begin() as tx:
        return plan_versions(tx)


def read_plan(services: Services, number: int) -> PlanVersion:
    """Raises `NotFound`."""
    with services.store.begin() as tx:
        return plan_by_number(tx, number)


def number_in_force(services: Services) -> int | None:
    """The number of the version in force; None while the settings are."""
    with services.store.begin() as tx:
        found = plan_in_force(tx)
    return None if found is None else found.number


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanText:
    """The TOML of a plan. `number` is None for that of the settings, which no version holds."""

    number: int | None
    source: str


def plan_of_version(services: Services, settings: Settings, number: int | None) -> PlanText:
    """The version with this number; without one the plan in force. Raises `NotFound`."""
    chosen = number_in_force(services) if number is None else number
    if chosen is None:
        return PlanText(number=None, source=plan_text(plan_of_settings(settings)))
    return PlanText(number=chosen, source=read_plan(services, chosen).source)


def judge_plan(services: Services, now_in_force: Plan, draft: Plan, *, start: datetime) -> PlanWeek:
    """What the draft would have changed since `start`, counted beside the plan in force. Nothing is stored."""
    with services.store.begin() as tx:
        rows: WeekRows = read_week(tx, start=start, now=services.clock.now(), most=MOST_ROWS)
    return judge_week(rows, now_in_force, draft, zone=services.centre.timezone)
