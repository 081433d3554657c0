"""Versions of the robot's rules, approved like call scripts: a draft is stored as it was written, and a second person
approves it once the lint finds nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from dialer.core.access import RELEASED_BY, SHIPPED_BY, Actor, Permission, required_text
from dialer.core.errors import Conflict, NotFound, Refusal
from dialer.core.text import Text, stacked
from dialer.db.second_person import require_second_person
from dialer.db.unit_of_work import Tx
from dialer.runtime.services import Services
from dialer.signals.lint import RuleFinding, check_rule, check_texts
from dialer.signals.rule_store import (
    RuleVersion,
    add_rule_version,
    approve_rule_version,
    live_rule_version,
    lock_rules,
    rule_version_by_number,
    rule_versions,
)
from dialer.signals.rules import RuleSet, read_rule, shipped_texts
from dialer.signals.scorecard import Scorecard
from dialer.signals.verdict_store import end_rule_stop

_SHOWN: Final = 20


class RulesNotApproved(Refusal):
    """The findings that must be corrected before a version can be approved."""

    def __init__(self, *, number: int, findings: Sequence[RuleFinding]) -> None:
        lines = [finding.text for finding in findings[:_SHOWN]]
        super().__init__(
            Text(
                "version %(number)s of the rules cannot be approved, %(count)s findings:\n  %(findings)s",
                number=number,
                count=len(findings),
                findings=stacked(lines),
            )
        )
        self.findings = tuple(findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatorRules:
    """The rules and the scorecard that an evaluator works with. `content_hash` identifies their version."""

    content_hash: str
    rules: RuleSet
    scorecard: Scorecard


def content_hash_of(files: Mapping[str, str], scorecard: Mapping[str, Any] | None) -> str:
    """The hash of rules and scorecard; equal content has the same hash."""
    content = json.dumps([sorted(files.items()), scorecard], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()


def parse_version(version: RuleVersion) -> EvaluatorRules:
    """The rules and scorecard of a version. Raises `RuleUnreadable` and `ScorecardUnreadable`."""
    return EvaluatorRules(
        content_hash=version.content_hash,
        rules=RuleSet.of(read_rule(text, file=f"{name}.toml") for name, text in version.files.items()),
        scorecard=Scorecard()
        if version.scorecard is None
        else Scorecard.from_json(json.dumps(version.scorecard)),
    )


def seed_rules(tx: Tx, *, now: datetime) -> bool:
    """Stores the shipped rules as a version; False if they are stored already. They go live at the first start, and if
    the live version was shipped too; if a centre has rules of its own, they stay a draft.
    """
    files = dict(shipped_texts())
    digest = content_hash_of(files, None)
    lock_rules(tx)
    if any(version.content_hash == digest for version in rule_versions(tx)):
        return False
    live = live_rule_version(tx)
    number = add_rule_version(
        tx, content_hash=digest, files=files, scorecard=None, drafted_by=SHIPPED_BY, now=now
    )
    if live is None or live.drafted_by == SHIPPED_BY:
        version = rule_version_by_number(tx, number)
        reason = "first start" if live is None else "upgrade"
        approve_rule_version(tx, version, approved_by=RELEASED_BY, reason=reason, now=now)
    return True


def live_rules(tx: Tx) -> EvaluatorRules:
    """The live rules. Raises `NotFound` in a database that no robot has prepared."""
    version = live_rule_version(tx)
    if version is None:
        raise NotFound(kind="live version of the rules", key="")
    return parse_version(version)


def draft_rules(
    services: Services,
    actor: Actor,
    files: Mapping[str, str],
    *,
    scorecard: Mapping[str, Any] | None = None,
) -> RuleVersion:
    """Stores a new version, which waits for a second person. Raises `Conflict` when a version has the same content."""
    digest = content_hash_of(files, scorecard)
    with services.act(actor, Permission.DRAFT_RULES) as act:
        lock_rules(act.tx)
        same = next((known for known in rule_versions(act.tx) if known.content_hash == digest), None)
        if same is not None:
            problem = Text("version %(number)s of the rules says just that", number=same.number)
            raise Conflict(problem, current=same.state.value)
        number = add_rule_version(
            act.tx, content_hash=digest, files=files, scorecard=scorecard, drafted_by=act.by, now=act.now
        )
        act.audit("rules_draft", "rules", facts={"version": number, "hash": digest[:12]})
        return rule_version_by_number(act.tx, number)


def draft_rule(
    services: Services, actor: Actor, base: int, rule: str, text: str | None, *, points: int | None = None
) -> RuleVersion:
    """Stores the version `base` with this text of one rule, or without the rule, as a new version. A rule whose id
    differs from `rule` is added to it. `points` go to the scorecard, if it has those of the rule. Raises `NotFound`,
    `RuleUnreadable`, `RulesNotApproved` for what the lint finds in this rule, and `Conflict` as `draft_rules`.
    """
    with services.store.begin() as tx:
        version = rule_version_by_number(tx, base)
    files, scorecard = dict(version.files), version.scorecard
    if rule and rule not in files:
        raise NotFound(kind="rule", key=rule)
    if text is None:
        del files[rule]
    else:
        read = read_rule(text, file=f"{rule or 'rule'}.toml")
        if findings := check_rule(read, file=f"{read.id}.toml"):
            raise RulesNotApproved(number=base, findings=findings)
        files[read.id] = text
        if points is not None and scorecard is not None and read.id in scorecard["points"]:
            scorecard = {**scorecard, "points": {**scorecard["points"], read.id: points}}
    return draft_rules(services, actor, files, scorecard=scorecard)


def approve_rules(services: Services, actor: Actor, number: int, *, reason: str) -> RuleVersion:
    """Approves a version; the robot evaluates with it within seconds. Raises `NotFound`, `Invalid`, `RulesNotApproved`,
    and `Conflict` for the person who drafted it.
    """
    why = required_text("reason", reason)
    with services.act(actor, Permission.APPROVE) as act:
        lock_rules(act.tx)
        version = rule_version_by_number(act.tx, number)
        require_second_person(act.tx, act.by, version.drafted_by)
        if findings := check_texts(version.files):
            raise RulesNotApproved(number=number, findings=findings)
        approve_rule_version(act.tx, version, approved_by=act.by, reason=why, now=act.now)
        act.audit(
            "rules_approve", "rules", why=why, facts={"version": number, "hash": version.content_hash[:12]}
        )
        return rule_version_by_number(act.tx, number)


def resume_rule(services: Services, actor: Actor, rule: str) -> bool:
    """Resumes a stopped rule, so that what it finds is sent again; False when it was not stopped."""
    with services.act(actor, Permission.CONTROL) as act:
        is_stopped = end_rule_stop(act.tx, rule, by=act.by, now=act.now)
        if is_stopped:
            act.audit("rule_resume", f"rule/{rule}")
        else:
            act.needs_no_record()
    return is_stopped
