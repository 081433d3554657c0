"""What pages of two-card control show: sentences of findings, and the drawing of a ring."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from dialer.cards.checks import CheckFinding, shipped_checks
from dialer.cards.openers import RingMember
from dialer.cards.rings import KeyKind, Ring
from dialer.language import Lang, Text, gettext_noop, say

VICTIM_QUESTIONS: Final = (
    Text("Who asked you to open this card today, and have you met this person?"),
    Text(
        "Did somebody tell you to transfer money, to share your screen, or to keep this secret from the bank?"
    ),
    Text("Did somebody promise you a loan, earnings or a refund, or say that you are part of a case?"),
)
KEY_WORDS: Final[Mapping[KeyKind, str]] = {
    KeyKind.PHONE: gettext_noop("phone left"),
    KeyKind.ADDRESS: gettext_noop("address"),
    KeyKind.AGENT: gettext_noop("agent"),
    KeyKind.STORY: gettext_noop("purpose"),
    KeyKind.HOME: gettext_noop("county of the id number"),
}
REASON_WORDS: Final[Mapping[str, str]] = {
    "cards_each": gettext_noop("several cards each"),
    "out_of_town": gettext_noop("most from another place"),
    "top_limits": gettext_noop("most ask for the highest limit"),
    "institutions": gettext_noop("at several institutions each"),
    "same_agent": gettext_noop("the same agent"),
    "same_story": gettext_noop("the same purpose"),
    "same_phone": gettext_noop("the same phone left"),
    "family": gettext_noop("looks like a family"),
    "one_employer": gettext_noop("hired by one employer"),
    "students": gettext_noop("looks like students"),
}
NOTICE_WORDS: Final[Mapping[str, str]] = {
    "restriction_lifted": gettext_noop(
        "A restriction or finding of this customer is lifted: it no longer applies."
    ),
    "objection_upheld": gettext_noop(
        "The objection to this decision is upheld: offer the customer to open the card."
    ),
}
_ROW, _TOP, _LEFT, _RIGHT, _WIDTH, _PERSON, _KEY = 46, 36, 150, 520, 700, 15, 9


def sentences(findings: Sequence[CheckFinding], lang: Lang) -> list[tuple[str, CheckFinding]]:
    """Each finding in words, and with its basis in this language."""
    checks = shipped_checks()
    return [
        (checks.sentence(one, lang), replace(one, basis=checks.basis_in(one.basis, lang))) for one in findings
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A person (left) or a shared key (right) of the drawing."""

    x: int
    y: int
    radius: int
    text: str
    is_person: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A ring as two columns: persons, what they share, and a line for each that a person uses."""

    width: int
    height: int
    dots: tuple[Dot, ...]
    lines: tuple[tuple[int, int, int, int], ...]


def draw_ring(ring: Ring, members: Sequence[RingMember], lang: Lang) -> Drawing:
    """Persons keep the order of their first opening; keys stand beside the middle of their persons."""
    owner = {opening_id: place for place, one in enumerate(members) for opening_id in one.opening_ids}
    shared: list[tuple[float, str, list[int]]] = []
    for key, ids in ring.links.items():
        persons = sorted({owner[one] for one in ids if one in owner})
        if len(persons) > 1:
            kind = " + ".join(say(lang, KEY_WORDS[part[0]]) for part in key)
            shared.append((sum(persons) / len(persons), kind, persons))
    shared.sort()
    rows = max(len(members), len(shared), 1)
    heights = [_TOP + _ROW * place for place in range(len(members))]
    step = math.floor(_ROW * rows / max(1, len(shared)))
    dots = [
        Dot(
            x=_LEFT,
            y=heights[place],
            radius=_PERSON,
            text=say(lang, gettext_noop("%(name)s, %(n)s cards"), name=one.name, n=len(one.opening_ids)),
            is_person=True,
        )
        for place, one in enumerate(members)
    ]
    lines = []
    for place, (_, kind, persons) in enumerate(shared):
        y = _TOP + step * place + (step - _ROW) // 2
        text = say(lang, gettext_noop("%(kind)s of %(n)s persons"), kind=kind, n=len(persons))
        dots.append(Dot(x=_RIGHT, y=y, radius=_KEY, text=text, is_person=False))
        lines += [(_LEFT + _PERSON, heights[person], _RIGHT - _KEY, y) for person in persons]
    return Drawing(width=_WIDTH, height=2 * _TOP + _ROW * (rows - 1), dots=tuple(dots), lines=tuple(lines))
