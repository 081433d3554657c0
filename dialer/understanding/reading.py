"""What a sentence means: its intent with a probability, its facts, and whether the call acts on it or asks again. Pure.

Abstention is part of the answer: below the probability of its intent the call asks once more, and nothing in a sentence
is ever an order, a query or a path.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from dialer.core.values import Intent
from dialer.understanding.head import Head, softmax, train
from dialer.understanding.model import RESPONSES, Response
from dialer.understanding.slots import Slots, read_slots
from dialer.understanding.wordings import read_wordings, shipped_source

SURE_ENOUGH: Final = 0.55
"""Below this probability the call asks again (docs/decisions/0905)."""
HARMLESS: Final = 0.42
"""The same where an officer takes over, which harms nobody if it was misheard."""
_HARMLESS: Final = frozenset(
    {Intent.WANTS_PERSON, Intent.PAID, Intent.WITH_FALSE_POLICE, Intent.SCREEN_SHARED}
)
LEAST_KNOWN: Final = 0.3
"""Below this share of known features a sentence is of no kind that the head has learned."""


class Decision(StrEnum):
    """What the call does with a sentence."""

    ACT = "act"
    ASK_AGAIN = "ask_again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a sentence means. `intent` is the likeliest one, also where the call asks again."""

    intent: Intent
    probability: float
    decision: Decision
    slots: Slots

    @property
    def response(self) -> Response:
        """What follows in the call; of `RESPONSES[UNCLEAR]` where it asks again."""
        return RESPONSES[self.intent if self.decision is Decision.ACT else Intent.UNCLEAR]


def understand(text: str, head: Head) -> Meaning:
    """The meaning of a sentence. Never fails: text without any meaning is `unclear`, asked again."""
    found = softmax(head.scores(text))
    best = max(range(len(found)), key=found.__getitem__)
    intent, probability = tuple(Intent)[best], found[best]
    least = HARMLESS if intent in _HARMLESS else SURE_ENOUGH
    is_sure = probability >= least and head.coverage(text) >= LEAST_KNOWN and intent is not Intent.UNCLEAR
    return Meaning(
        intent=intent,
        probability=probability,
        decision=Decision.ACT if is_sure else Decision.ASK_AGAIN,
        slots=read_slots(text),
    )


def head_of(source: str) -> Head:
    """The head that the wordings of a file teach. Takes seconds. Raises `Invalid` for a file with faults."""
    return train((family.intent, line) for family in read_wordings(source) for line in family.lines)


@lru_cache(maxsize=1)
def shipped_head() -> Head:
    """The head of the shipped wordings, trained when it is first asked for and kept in the process."""
    return head_of(shipped_source())
