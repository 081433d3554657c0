"""The results of the evaluator: verdicts with reasons, and grades by bands. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from dialer.core.text import Text
from dialer.core.values import FraudType, Grade, VerdictState, format_yuan
from dialer.signals.model import ListKind
from dialer.signals.rules import BLANK, Op


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """The grade by the expected loss: the probability times the money at risk. Amounts in fen.

    `typical_loss_fen` is used instead of the money if the known money is less. Below `least_probability` there is no
    warning, unless a rule sets a floor.
    """

    least_probability: float = 0.05
    typical_loss_fen: int = 3_000_000
    low_fen: int = 0
    medium_fen: int = 500_000
    high_fen: int = 1_500_000
    extra_high_fen: int = 5_000_000

    def grade(self, probability: float, money_fen: int) -> Grade | None:
        """The grade; None below the threshold."""
        expected = probability * max(money_fen, self.typical_loss_fen)
        if probability < self.least_probability or expected < self.low_fen:
            return None
        if expected >= self.extra_high_fen:
            return Grade.EXTRA_HIGH
        if expected >= self.high_fen:
            return Grade.HIGH
        return Grade.MEDIUM if expected >= self.medium_fen else Grade.LOW


class SignalName(NamedTuple):
    """Identifies a signal: its source and its number there."""

    source: str
    signal_no: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemStatus:
    """An item at a moment: the lists that contain it, by kind and name, and how many people touched it within the time
    for which a change of a list looks back.
    """

    lists: frozenset[tuple[ListKind, str]]
    touched: int


class VerdictChange(StrEnum):
    """How a verdict differs from the previous one of the same person. `lowered` and `withdrawn` follow a late signal
    that disproves what a rule had read; rules whose conditions are only lower bounds never cause them. `restated`
    follows a late signal too: grade and score are the same, what they rest on may not be.
    """

    NEW = "new"
    RAISED = "raised"
    LOWERED = "lowered"
    RESTATED = "restated"
    WITHDRAWN = "withdrawn"


class VerdictEvent(StrEnum):
    """What moves a stored verdict from one state to the next."""

    ABOVE = "above"
    """It was evaluated above the threshold."""
    BELOW = "below"
    """It was evaluated below the threshold."""
    WARNED = "warned"
    """A warning was made of it, within the budget or because it rose after an earlier one."""
    DRAWN = "drawn"
    """It was drawn at random, and a warning was made of it."""
    DROPPED = "dropped"
    """A person dropped it."""
    RISEN = "risen"
    """It was evaluated above the threshold, with a higher grade than before."""


_S = VerdictState
VERDICT_MOVES: Final[Mapping[VerdictEvent, Mapping[VerdictState, VerdictState]]] = {
    VerdictEvent.ABOVE: {
        _S.BELOW: _S.HELD, _S.HELD: _S.HELD, _S.SENT: _S.SENT, _S.DRAWN: _S.DRAWN, _S.DROPPED: _S.DROPPED,
    },
    VerdictEvent.RISEN: {
        _S.BELOW: _S.HELD, _S.HELD: _S.HELD, _S.SENT: _S.SENT, _S.DRAWN: _S.DRAWN, _S.DROPPED: _S.HELD,
    },
    VerdictEvent.BELOW: {
        _S.BELOW: _S.BELOW, _S.HELD: _S.BELOW, _S.SENT: _S.SENT, _S.DRAWN: _S.DRAWN, _S.DROPPED: _S.DROPPED,
    },
    VerdictEvent.WARNED: {_S.HELD: _S.SENT, _S.SENT: _S.SENT, _S.DRAWN: _S.DRAWN},
    VerdictEvent.DRAWN: {_S.BELOW: _S.DRAWN},
    VerdictEvent.DROPPED: {_S.HELD: _S.DROPPED},
}  # fmt: skip
"""For each event, the next state by the present state. A new verdict begins below the threshold. Whose warning was sent
stays sent, whatever is evaluated later: a grade falls only by a person. What a person dropped stays dropped until its
grade rises.
"""


def moved(state: VerdictState, event: VerdictEvent) -> VerdictState:
    """The state after the event. Raises `ValueError` where the event cannot happen."""
    if state not in VERDICT_MOVES[event]:
        raise ValueError(f"a verdict that is {state} is not {event}")
    return VERDICT_MOVES[event][state]


@dataclass(frozen=True, slots=True, kw_only=True)
class FiredRule:
    """A rule that fired: its points (for a mitigator those taken off), the figure of each feature, the signals that the
    features counted, the sources without which it would not have fired, of signals and of entries of lists, and the
    reason in both languages with the figures filled in.
    """

    rule: str
    version: str
    points: int
    values: Mapping[str, int]
    signals: tuple[SignalName, ...]
    sources: tuple[str, ...]
    reason: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterfactual:
    """One figure that would have kept a rule from firing had it been different: `feature` was `figure`, and the rule
    requires `op` `bound`; `said` is the same in words. `enough`: without this rule alone there would have been no
    warning.
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
    """The verdict on a person, at the strongest moment `at` of the incident that began at `since` (event times, UTC).
    `grade` None: below the threshold. `money_fen`: the largest amount in the 72 hours before `at`.

    `kept`: what would have kept its rules from firing. `calming`: mitigators that did not fire, each of which would
    have brought the verdict below the threshold.
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
    hits: tuple[FiredRule, ...]
    mitigators: tuple[FiredRule, ...]
    kept: tuple[Counterfactual, ...]
    calming: tuple[str, ...]


def fill_reason(template: str, values: Mapping[str, int]) -> str:
    """A template of a reason with its figures filled in: {name} as it is, {name:yuan} from fen, {name:minutes} and
    {name:hours} from seconds. {name|call|calls} is the figure and the word that agrees with it: 1 call, 2 calls; also
    after :yuan and the others.
    """
    shown: Mapping[str, Callable[[int], str]] = {
        "": str,
        "yuan": lambda fen: format_yuan(fen).removesuffix(".00"),
        "minutes": lambda seconds: str(max(1, seconds // 60)),
        "hours": lambda seconds: str(max(1, seconds // 3600)),
    }

    def shown_figure(found: re.Match[str]) -> str:
        figure = shown[found[2] or ""](values[found[1]])
        if found[3] is None:
            return figure
        return f"{figure} {found[3] if figure == '1' else found[4]}"

    return BLANK.sub(shown_figure, template)
