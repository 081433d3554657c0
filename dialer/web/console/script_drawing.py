"""A script drawn: its nodes as boxes, their answers as labelled lines, the shortest way to a success on the left."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dialer.language import Lang, mark, say
from dialer.scripts import model
from dialer.scripts.graph import SUCCESSES
from dialer.scripts.model import Script
from dialer.web.console.graph_layout import Drawing, Line, Link, draw
from dialer.web.console.script_view import Card, Way, first_phrase

ANYWHERE = "anywhere"
"""The box that stands for every question."""
_WIDTH = 264.0
_INSIDE = 236.0
_HEAD, _TEXT_LINE, _PADDING = 24.0, 20.0, 22.0
_TEXT, _LABEL = 13.5, 13.0
_NARROW, _WIDE = 0.56, 1.0
_MOST_LABEL = 14
_LABEL_PADDING = 18.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    card: Card | None
    """None: every question."""
    x: float
    y: float
    width: float
    height: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Keys and the phrase that means the same, or words that say what else leads there."""

    key: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    line: Line
    answers: tuple[Answer, ...]
    width: float
    start: str
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def picture(script: Script, cards: Sequence[Card], lang: Lang, language: str) -> Picture:
    """`language` is the one whose words stand in the boxes."""
    texts = {card.id: card.words_in(language) or card.looks_at for card in cards}
    sizes = {card.id: (_WIDTH, _height(texts[card.id])) for card in cards}
    answers: dict[tuple[str, str], list[Answer]] = {
        (card.id, way.to): [] for card in cards for way in card.ways if way.to in sizes
    }
    for card in cards:
        for way in card.ways:
            if way.to in sizes:
                answers[card.id, way.to] += _answer(script, card.id, way, language)
    general = say(lang, mark("In every question"))
    for choice in script.anywhere.values():
        if choice.next in sizes:
            sizes.setdefault(ANYWHERE, (_WIDTH, _HEAD + _PADDING))
            answers.setdefault((ANYWHERE, choice.next), []).append(
                Answer(key=choice.key, text=_short(first_phrase(choice.phrases, language)))
            )
    links = {
        pair: Link(start=pair[0], to=pair[1], label_width=_width(found)) for pair, found in answers.items()
    }
    drawing = draw(sizes, list(links.values()), main_way(script))
    return Picture(
        width=drawing.width,
        height=drawing.height,
        boxes=tuple(_boxes(drawing, sizes, cards, texts, general)),
        arrows=tuple(
            Arrow(
                line=line,
                answers=tuple(answers[line.link.start, line.link.to]),
                width=line.link.label_width,
                start=line.link.start,
                to=line.link.to,
            )
            for line in drawing.lines
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


def _boxes(
    drawing: Drawing,
    sizes: Mapping[str, tuple[float, float]],
    cards: Sequence[Card],
    texts: Mapping[str, str],
    general: str,
) -> list[Box]:
    by_id = {card.id: card for card in cards}
    return [
        Box(
            card=by_id.get(name),
            x=drawing.places[name][0],
            y=drawing.places[name][1],
            width=width,
            height=height,
            text=texts.get(name, general),
        )
        for name, (width, height) in sizes.items()
    ]


def _answer(script: Script, node_id: str, way: Way, language: str) -> list[Answer]:
    if way.key:
        node = script.nodes[node_id]
        phrases = node.choices[way.key].phrases if isinstance(node, model.Ask) else {}
        return [Answer(key=way.key, text=_short(first_phrase(phrases, language)))]
    return [Answer(key="", text=way.label)] if way.label else []


def _short(text: str) -> str:
    return text if _measure(text, 1.0) <= _MOST_LABEL * _WIDE else text[: _MOST_LABEL - 2] + "…"


def _width(answers: Sequence[Answer]) -> float:
    if not answers:
        return 0.0
    told = " / ".join(f"{answer.key} {answer.text}".strip() for answer in answers)
    return _measure(told, _LABEL) + _LABEL_PADDING


def _height(text: str) -> float:
    lines = -(-_measure(text, _TEXT) // (_INSIDE - _TEXT)) if text else 0
    return _HEAD + _PADDING + lines * _TEXT_LINE


def _measure(text: str, size: float) -> float:
    """About as wide as any font shows it, rather more than less."""
    wide = sum(unicodedata.east_asian_width(sign) in "WF" for sign in text)
    return size * (wide * _WIDE + (len(text) - wide) * _NARROW)
