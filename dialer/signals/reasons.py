"""Why the robot warned: the reasons of a case's warnings with their points and signals, masked, and what would have
prevented each warning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from dialer.cases.persons import mask_phone
from dialer.core.text import Lang, Text, gettext_noop
from dialer.core.values import FraudType, Grade
from dialer.db.unit_of_work import Tx
from dialer.signals.model import ItemKind, SignalKind
from dialer.signals.rules import shipped_rules
from dialer.signals.verdict_store import StoredReason, StoredVerdict, reasons_of, verdicts_of_case

_TAIL: Final = 4
KIND_WORDS: Final = {
    SignalKind.CALL: gettext_noop("a call"),
    SignalKind.SMS: gettext_noop("a text message"),
    SignalKind.WEB: gettext_noop("a visit to a site"),
    SignalKind.APP: gettext_noop("an app"),
    SignalKind.PAYMENT_ATTEMPT: gettext_noop("an attempt to pay"),
    SignalKind.LOGIN: gettext_noop("a sign-in to an account"),
    SignalKind.PLATFORM_PUSH: gettext_noop("a push of the platform"),
    SignalKind.REPORT: gettext_noop("a report of fraud"),
    SignalKind.LIST_CHANGE: gettext_noop("a change of a list"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSignal:
    """A signal of a reason, as pages show it; numbers and accounts are masked."""

    kind: SignalKind
    event_at: datetime
    source: str
    items: tuple[str, ...]
    amount_fen: int
    duration_seconds: int

    @property
    def word(self) -> str:
        """What was observed, in English."""
        return KIND_WORDS[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownReason:
    """A rule that fired. `title` and `sentence` are by language; the `points` of a mitigator are negative.
    `was_enough`: without this rule alone there would have been no warning.
    """

    rule: str
    version: str
    title: Mapping[str, str]
    sentence: Mapping[str, str]
    points: int
    signals: tuple[ShownSignal, ...]
    tests: tuple[Text, ...]
    """Each figure that the rule found, and what would have kept the rule from firing."""
    was_enough: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownVerdict:
    """The verdict of one incident, as pages show it. `calming`: titles of the mitigators that would have brought it
    below the threshold.
    """

    grade: Grade | None
    fraud_type: FraudType
    score: int
    probability: float
    money_fen: int
    since: datetime
    draw_share: float | None
    reasons: tuple[ShownReason, ...]
    calming: tuple[Mapping[str, str], ...]


def reasons_of_case(tx: Tx, case_id: int) -> tuple[ShownVerdict, ...]:
    """The verdicts that led to the warnings of a case, oldest first; () for a case without a warning of the robot."""
    verdicts = verdicts_of_case(tx, case_id)
    return shown_verdicts(tx, verdicts) if verdicts else ()


def shown_verdicts(tx: Tx, verdicts: Sequence[StoredVerdict]) -> tuple[ShownVerdict, ...]:
    """These verdicts as pages show them."""
    reasons = reasons_of(tx, [verdict.id for verdict in verdicts])
    return tuple(
        ShownVerdict(
            grade=verdict.grade,
            fraud_type=verdict.fraud_type,
            score=verdict.score,
            probability=verdict.probability,
            money_fen=verdict.money_fen,
            since=verdict.since,
            draw_share=verdict.draw_share,
            reasons=tuple(
                _shown(reason, verdict.personal.get("kept", ())) for reason in reasons.get(verdict.id, ())
            ),
            calming=tuple(rule_title(rule) for rule in verdict.personal.get("calming", ())),
        )
        for verdict in verdicts
    )


def rule_title(rule: str) -> Mapping[str, str]:
    """The title of a rule by language; the id instead for a rule that is not shipped."""
    titles = {known.id: known.title for known in shipped_rules().rules}
    return titles.get(rule, {lang.value: rule for lang in Lang})


def _shown(reason: StoredReason, kept: Sequence[Mapping[str, Any]]) -> ShownReason:
    own = [test for test in kept if test["rule"] == reason.rule]
    return ShownReason(
        rule=reason.rule,
        version=reason.version,
        title=rule_title(reason.rule),
        sentence=reason.details.get("reason", {}),
        points=reason.points,
        signals=tuple(map(_signal, reason.details.get("signals", ()))),
        tests=tuple(map(_test, own)),
        was_enough=any(test["enough"] for test in own),
    )


def _test(test: Mapping[str, Any]) -> Text:
    if "said" in test:
        return Text.of_plain(test["said"])
    # Earlier versions stored verdicts without the words.
    facts = {name: test[name] for name in ("feature", "op", "figure")}
    return Text("%(feature)s %(op)s %(bound)s (%(figure)s)", bound=f"{test['bound']:g}", **facts)


def _signal(signal: Mapping[str, Any]) -> ShownSignal:
    return ShownSignal(
        kind=SignalKind(signal["kind"]),
        event_at=datetime.fromisoformat(signal["event_at"]),
        source=signal["source"],
        items=tuple(mask_item(ItemKind(kind), value) for kind, value in signal.get("items", {}).items()),
        amount_fen=signal.get("amount_fen", 0),
        duration_seconds=signal.get("duration_seconds", 0),
    )


def mask_item(kind: ItemKind, value: str) -> str:
    """A number or account without its middle; a domain or an app in full, because it identifies no person."""
    if kind is ItemKind.NUMBER:
        return mask_phone(value)
    return f"****{value[-_TAIL:]}" if kind is ItemKind.ACCOUNT else value
