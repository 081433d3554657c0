"""The drawing of a ring, and the words for what links it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dialer.cards.rings.model import KeyKind, Ring
from dialer.cards.rings.openers import RingMember
from dialer.core.text import Lang, gettext_noop
from dialer.language.catalogue import say

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
_ROW, _TOP, _LEFT, _RIGHT, _WIDTH, _PERSON, _KEY = 46, 36, 150, 520, 700, 15, 9


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
    """A ring as two columns: persons, what they share, and a line from each person to each key."""

    width: int
    height: int
    dots: tuple[Dot, ...]
    lines: tuple[tuple[int, int, int, int], ...]


def draw_ring(ring: Ring, members: Sequence[RingMember], lang: Lang) -> Drawing:
    """Draws a ring. Persons are in the order of their first opening; a key is beside the middle of its persons."""
    owner = {opening_id: place for place, member in enumerate(members) for opening_id in member.opening_ids}
    shared: list[tuple[float, str, list[int]]] = []
    for key, ids in ring.links.items():
        persons = sorted({owner[opening_id] for opening_id in ids if opening_id in owner})
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
            text=say(
                lang, gettext_noop("%(name)s, %(n)s cards"), name=member.name, n=len(member.opening_ids)
            ),
            is_person=True,
        )
        for place, member in enumerate(members)
    ]
    lines = []
    for place, (_, kind, persons) in enumerate(shared):
        y = _TOP + step * place + (step - _ROW) // 2
        text = say(lang, gettext_noop("%(kind)s of %(n)s persons"), kind=kind, n=len(persons))
        dots.append(Dot(x=_RIGHT, y=y, radius=_KEY, text=text, is_person=False))
        lines += [(_LEFT + _PERSON, heights[person], _RIGHT - _KEY, y) for person in persons]
    return Drawing(width=_WIDTH, height=2 * _TOP + _ROW * (rows - 1), dots=tuple(dots), lines=tuple(lines))
