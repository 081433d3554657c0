"""A script as a picture: its nodes as boxes, their answers as labelled lines. dagre lays them out in the browser
(static/console/graph.js).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from dialer.language import Lang, mark, say
from dialer.scripts import model
from dialer.scripts.graph import SUCCESSES
from dialer.scripts.model import Script
from dialer.web.console.script_view import Card, Way, first_phrase

ANYWHERE = "anywhere"
"""The box that stands for every question."""
_MOST_LABEL = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    id: str
    card: Card | None
    """None: every question."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Keys and the phrase that means the same, or words that say what else leads there."""

    key: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """`is_main`: of the shortest way to a good end."""

    start: str
    to: str
    answers: tuple[Answer, ...]
    is_main: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def picture(script: Script, cards: Sequence[Card], lang: Lang, language: str) -> Picture:
    """`language` is the one whose words stand in the boxes."""
    boxes = {
        card.id: Box(id=card.id, card=card, text=card.words_in(language) or card.looks_at) for card in cards
    }
    answers: dict[tuple[str, str], list[Answer]] = {}
    for card in cards:
        for way in card.ways:
            if way.to in boxes:
                answers.setdefault((card.id, way.to), []).extend(_answer(script, card.id, way, language))
    for choice in script.anywhere.values():
        if choice.next in boxes:
            boxes.setdefault(ANYWHERE, Box(id=ANYWHERE, card=None, text=say(lang, mark("In every question"))))
            answers.setdefault((ANYWHERE, choice.next), []).append(
                Answer(key=choice.key, text=_short(first_phrase(choice.phrases, language)))
            )
    main = set(pairwise(main_way(script)))
    return Picture(
        boxes=tuple(boxes.values()),
        arrows=tuple(
            Arrow(start=start, to=to, answers=tuple(found), is_main=(start, to) in main)
            for (start, to), found in answers.items()
        ),
    )


def main_way(script: Script) -> tuple[str, ...]:
    """The nodes of the shortest way to a success; of a script without one, the first end."""
    came_from: dict[str, str] = {script.start: ""}
    ends: list[str] = []
    waiting = [script.start]
    for name in waiting:
        node = script.nodes[name]
        if isinstance(node, model.End):
            ends.append(name)
        for to in _following(node):
            if to in script.nodes and to not in came_from:
                came_from[to] = name
                waiting.append(to)
    good = [name for name in ends if getattr(script.nodes[name], "answer", None) in SUCCESSES]
    found: list[str] = []
    name = next(iter([*good, *ends]), "")
    while name:
        found.append(name)
        name = came_from[name]
    return tuple(reversed(found))


def _following(node: model.Node) -> list[str]:
    match node:
        case model.Say() | model.HandOver():
            return [node.next]
        case model.Branch():
            return [node.otherwise, *node.cases.values()]
        case model.Ask():
            return [*(choice.next for choice in node.choices.values()), node.next, node.otherwise]
        case model.End():
            return []


def _answer(script: Script, node_id: str, way: Way, language: str) -> list[Answer]:
    if way.key:
        node = script.nodes[node_id]
        phrases = node.choices[way.key].phrases if isinstance(node, model.Ask) else {}
        return [Answer(key=way.key, text=_short(first_phrase(phrases, language)))]
    return [Answer(key="", text=way.label)] if way.label else []


def _short(text: str) -> str:
    return text if len(text) <= _MOST_LABEL else text[: _MOST_LABEL - 2] + "…"
