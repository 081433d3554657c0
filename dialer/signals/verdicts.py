"""What the evaluator says of a person: verdicts with reasons, grades by bands, and how two rule sets differ. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from dialer.core.values import FraudType, Grade, yuan
from dialer.language import Text
from dialer.signals.model import ListKind
from dialer.signals.rules import BLANK, Op


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """From probability and money at risk to a grade, by the expected loss (their product). Amounts in fen.

    `typical_loss_fen` stands for the money where less of it is known. Below `least_probability` there is no warning,
    unless a rule sets a floor.
    """

    least_probability: float = 0.05
    typical_loss_fen: int = 3_000_000
    low_fen: int = 0
    medium_fen: int = 500_000
    high_fen: int = 1_500_000
    extra_high_fen: int = 5_000_000

    def grade(self, probability: float, money_fen: int) -> Grade | None:
        """None: below the threshold."""
        expected = probability * max(money_fen, self.typical_loss_fen)
        if probability < self.least_probability or expected < self.low_fen:
            return None
        if expected >= self.extra_high_fen:
            return Grade.EXTRA_HIGH
        if expected >= self.high_fen:
            return Grade.HIGH
        return Grade.MEDIUM if expected >= self.medium_fen else Grade.LOW


class SignalName(NamedTuple):
    """Which signal: unique together."""

    source: str
    signal_no: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Of an item at a moment: the lists it stands in, by kind and name, and how many people touched it within the time
    that a change of a list looks back.
    """

    lists: frozenset[tuple[ListKind, str]]
    touched: int


class VerdictChange(StrEnum):
    """How a verdict differs from the one before it of the same person. `lowered` and `withdrawn` follow a late signal
    that disproves what a rule had read; rules that only count upwards never do.
    """

    NEW = "new"
    RAISED = "raised"
    LOWERED = "lowered"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A rule that fired: its points (of a mitigator those taken off), each feature's figure, the signals that its
    features counted, and its reason in both languages with the figures in it.
    """

    rule: str
    version: str
    points: int
    values: Mapping[str, int]
    signals: tuple[SignalName, ...]
    reason: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterfactual:
    """One thing that would have kept a rule from firing: `feature` was `figure`, the rule asks for `op` `bound`; in
    words, `said`. `enough`: without this rule alone there would have been no warning.
    """

    rule: str
    feature: str
    figure: int
    op: Op
    bound: float
    said: Text
    enough: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the robot says of a person, at the strongest moment `at` of the incident that began at `since` (event time,
    UTC). `grade` None: below the threshold. `money_fen`: the largest amount seen in the 72 hours before `at`.

    `calming`: mitigators that did not apply, each of which would have brought it below the threshold.
    """

    person: bytes
    change: VerdictChange
    at: datetime
    since: datetime
    score: int
    probability: float
    grade: Grade | None
    fraud_type: FraudType
    money_fen: int
    hits: tuple[Hit, ...]
    mitigators: tuple[Hit, ...]
    kept: tuple[Counterfactual, ...]
    calming: tuple[str, ...]

    @property
    def digest(self) -> bytes:
        """Sixteen bytes that two equal verdicts share; the change and the words of reasons are left out."""
        rules = [
            (one.rule, one.version, one.points, sorted(one.values.items()), one.signals)
            for one in (*self.hits, *self.mitigators)
        ]
        told = [
            self.person.hex(), self.at.isoformat(), self.since.isoformat(), self.score, self.grade, self.fraud_type,
            self.money_fen, rules,
        ]  # fmt: skip
        return hashlib.blake2b(json.dumps(told).encode(), digest_size=16).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """A person who touched an item: when last (UTC), and their money at risk then, in fen."""

    person: bytes
    last_at: datetime
    money_fen: int


def filled(template: str, values: Mapping[str, int]) -> str:
    """A reason with its figures: {name} as it is, {name:yuan} of fen, {name:minutes} and {name:hours} of seconds.
    {name|call|calls} is the figure and the word that goes with it: 1 call, 2 calls; also after :yuan and the others.
    """
    shown: Mapping[str, Callable[[int], str]] = {
        "": str,
        "yuan": lambda fen: yuan(fen).removesuffix(".00"),
        "minutes": lambda seconds: str(max(1, seconds // 60)),
        "hours": lambda seconds: str(max(1, seconds // 3600)),
    }

    def said(found: re.Match[str]) -> str:
        figure = shown[found[2] or ""](values[found[1]])
        if found[3] is None:
            return figure
        return f"{figure} {found[3] if figure == '1' else found[4]}"

    return BLANK.sub(said, template)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A draft's verdicts beside the live ones: persons only the draft warns, only the live one warns, and both with
    another grade.
    """

    new: tuple[bytes, ...]
    lost: tuple[bytes, ...]
    regraded: tuple[bytes, ...]


def compare(live: Mapping[bytes, Grade], draft: Mapping[bytes, Grade]) -> Compared:
    """Of the grades of warned persons, in the persons' order."""
    return Compared(
        new=tuple(sorted(draft.keys() - live.keys())),
        lost=tuple(sorted(live.keys() - draft.keys())),
        regraded=tuple(sorted(one for one in live.keys() & draft.keys() if live[one] is not draft[one])),
    )


def rules_that_fired(verdict: Verdict) -> tuple[str, ...]:
    """Ids, mitigators last."""
    return tuple(one.rule for one in (*verdict.hits, *verdict.mitigators))
