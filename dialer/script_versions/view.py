"""A version of a script as its pages show it: cards with words, sound and answers; a drawn graph; the difference of two
versions.

dagre lays out the graph in the browser (static/console/graph.js).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import pairwise

from audio.clips import RECORDED
from dialer.core.text import Lang, gettext_noop
from dialer.core.values import Contact, Tag
from dialer.language.catalogue import say
from dialer.language.words import word_of
from dialer.script_versions.overview import NodeView, PromptText
from dialer.scripts.lint import LintFinding
from dialer.scripts.model import (
    SUCCESS_ANSWERS,
    Ask,
    Branch,
    BranchOn,
    Choice,
    End,
    EndUrgency,
    HandOver,
    Node,
    Say,
    Script,
    Target,
    language_text,
)
from dialer.scripts.store import Version

_AROUND = 3
_WORDS = re.compile(r"[A-Za-z0-9_]+|\s+|.")
_ALIKE = 0.3
"""Lines less alike than this are shown as removed and added, not as changed."""


class LineChange(StrEnum):
    """How a line differs between two versions."""

    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"
    SKIPPED = "skipped"
    """Lines that are in both and left out here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of a line, changed or not."""

    text: str
    is_changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffLine:
    """A line of a difference. `old` and `new` are its numbers in either file; 0 where it is not in that one."""

    change: LineChange
    old: int = 0
    new: int = 0
    pieces: tuple[Piece, ...] = ()
    many: int = 0
    """The number of skipped lines."""


def difference(old: Version, new: Version) -> list[tuple[str, list[DiffLine]]]:
    """The differences of the script's own file and of every file that it extends; files that are the same
    are left out.
    """
    before = {new.file: old.source} | dict(old.bases.values())
    after = {new.file: new.source} | dict(new.bases.values())
    return [
        (file, list(compare(before.get(file, ""), after.get(file, ""))))
        for file in dict.fromkeys([*after, *before])
        if before.get(file, "") != after.get(file, "")
    ]


def compare(before: str, after: str) -> Iterator[DiffLine]:
    """The changed lines of two texts, with the lines around them."""
    old, new = before.splitlines(), after.splitlines()
    end = 0
    for group in SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(_AROUND):
        if group[0][1] > end:
            yield DiffLine(change=LineChange.SKIPPED, many=group[0][1] - end)
        for kind, i1, i2, j1, j2 in group:
            if kind == "equal":
                for place, line in enumerate(old[i1:i2], start=1):
                    yield DiffLine(
                        change=LineChange.SAME, old=i1 + place, new=j1 + place, pieces=_whole(line)
                    )
            else:
                yield from _changed(old[i1:i2], new[j1:j2], i1, j1)
        end = group[-1][2]
    if end < len(old):
        yield DiffLine(change=LineChange.SKIPPED, many=len(old) - end)


def _changed(old: Sequence[str], new: Sequence[str], i: int, j: int) -> Iterator[DiffLine]:
    marked = [_words(left, right) for left, right in zip(old, new, strict=False)]
    removed = [pieces for pieces, _ in marked] + [_whole(line) for line in old[len(marked) :]]
    added = [pieces for _, pieces in marked] + [_whole(line) for line in new[len(marked) :]]
    for place, pieces in enumerate(removed, start=i + 1):
        yield DiffLine(change=LineChange.REMOVED, old=place, pieces=pieces)
    for place, pieces in enumerate(added, start=j + 1):
        yield DiffLine(change=LineChange.ADDED, new=place, pieces=pieces)


def _words(old: str, new: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    a, b = _WORDS.findall(old), _WORDS.findall(new)
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return _whole(old), _whole(new)
    removed, added = [], []
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        if i1 < i2:
            removed.append(Piece(text="".join(a[i1:i2]), is_changed=kind != "equal"))
        if j1 < j2:
            added.append(Piece(text="".join(b[j1:j2]), is_changed=kind != "equal"))
    return tuple(removed), tuple(added)


def _whole(line: str) -> tuple[Piece, ...]:
    return (Piece(text=line),) if line else ()


NODE_KINDS: Mapping[str, str] = {
    "say": gettext_noop("says"),
    "ask": gettext_noop("asks"),
    "branch": gettext_noop("branches"),
    "hand_over": gettext_noop("hands over to an officer"),
    "end": gettext_noop("ends"),
}
_TIMES = {
    "morning": gettext_noop("morning"),
    "noon": gettext_noop("noon"),
    "afternoon": gettext_noop("afternoon"),
    "evening": gettext_noop("evening"),
}
_LOOKS_AT = {
    BranchOn.TAG: gettext_noop("By what is on record about the person"),
    BranchOn.TIME_OF_DAY: gettext_noop("By the time of day"),
    BranchOn.CONTACT: gettext_noop("By whether the person is verified"),
}
_URGENCIES = {
    EndUrgency.NOW: gettext_noop("a person looks at it now"),
    EndUrgency.SOON: gettext_noop("a person looks at it soon"),
    EndUrgency.NONE: gettext_noop("no action needed"),
}


class SoundKind(StrEnum):
    """The source of a prompt's sound in a call."""

    RECORDED = "recorded"
    VOICE = "voice"
    MECHANICAL = "mechanical"
    NETWORK = "network"
    """No file: the telephone network's own voice would read the words out."""
    FALLBACK = "fallback"
    """No words and no recording: another language is spoken."""


_SOUNDS = {
    SoundKind.RECORDED: gettext_noop("recorded by a person"),
    SoundKind.VOICE: gettext_noop("synthesised voice"),
    SoundKind.MECHANICAL: gettext_noop("mechanical voice, the last resort"),
    SoundKind.NETWORK: gettext_noop("no sound yet: the telephone network's voice would read it"),
    SoundKind.FALLBACK: gettext_noop("not recorded yet"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A prompt in one language, with the kind of its sound."""

    said: PromptText
    language_name: str
    kind: SoundKind
    kind_name: str
    instead: str
    """The name of the language that is spoken instead; '' where this one is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way on from a node. `key` '' for ways that no key takes; `label` then says which. `to` '' asks again."""

    key: str
    label: str
    to: str
    phrases: tuple[tuple[str, ...], ...] = ()
    """The phrases that mean the same, one tuple for each language that has any."""
    teaches: str = ""
    needs_key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One node, or a prompt besides the nodes, as the page shows it."""

    node: NodeView
    kind_name: str
    spoken: tuple[Spoken, ...]
    ways: tuple[Way, ...]
    looks_at: str
    """What a branch depends on."""
    means: str
    """What an end or a hand-over means."""
    patience: str
    """How long a question waits and how often it is asked again."""
    problems: tuple[LintFinding, ...]

    def has_words_in(self, language: str) -> bool:
        """Whether the node says anything in this language."""
        return any(said.language == language and said.text for said in self.node.said)

    def words_in(self, language: str) -> str:
        """The words that a listener of this language hears."""
        own = next((said.text for said in self.node.said if said.language == language), "")
        return own or next((said.text for said in self.node.said if said.text), "")


def script_cards(
    script: Script, nodes: Sequence[NodeView], findings: Sequence[LintFinding], lang: Lang
) -> tuple[Card, ...]:
    """The nodes in the order in which a call meets them; last, in their own order, those that no way leads to and the
    prompts besides the nodes.
    """
    by_id = {node.id: node for node in nodes}
    order = dict.fromkeys([*in_order(script), *by_id])
    return tuple(_card(script, by_id[name], findings, lang) for name in order if name in by_id)


def keys_anywhere(script: Script, lang: Lang) -> tuple[Way, ...]:
    """The keys that work in every question."""
    return tuple(_choice(choice, lang) for choice in script.anywhere.values())


def in_order(script: Script) -> tuple[str, ...]:
    """The ids of all nodes, depth first along the answers, so that what follows is near; unreachable ones last."""
    seen: dict[str, None] = {}
    waiting = [*reversed([choice.next for choice in script.anywhere.values()]), script.start]
    while waiting:
        name = waiting.pop()
        if name not in seen and name in script.nodes:
            seen[name] = None
            waiting += reversed(_following(script, name))
    return tuple(dict.fromkeys([*seen, *script.nodes]))


def _following(script: Script, name: str) -> list[str]:
    return [way.to for way in ways_of(script.nodes[name], Lang.EN) if way.to]


def _card(script: Script, node: NodeView, findings: Sequence[LintFinding], lang: Lang) -> Card:
    part = script.nodes.get(node.id)
    return Card(
        node=node,
        kind_name=say(lang, NODE_KINDS[node.kind]),
        spoken=tuple(_spoken(script, said, lang) for said in node.said),
        ways=tuple(ways_of(part, lang)) if part is not None else (),
        looks_at=say(lang, _LOOKS_AT[part.on]) if isinstance(part, Branch) else "",
        means=_means(part, lang),
        patience=_patience(part, lang),
        problems=tuple(finding for finding in findings if finding.node == node.id),
    )


def _spoken(script: Script, said: PromptText, lang: Lang) -> Spoken:
    instead = ""
    if said.file and said.voice == RECORDED:
        kind = SoundKind.RECORDED
    elif said.file:
        kind = SoundKind.MECHANICAL if said.voice.startswith("espeak") else SoundKind.VOICE
    elif said.text:
        kind = SoundKind.NETWORK
    else:
        kind = SoundKind.FALLBACK
        other = next((voice for voice in script.voices_of(said.language) if voice != said.language), "")
        instead = language_name(other, lang)
    return Spoken(
        said=said,
        language_name=language_name(said.language, lang),
        kind=kind,
        kind_name=say(lang, _SOUNDS[kind]),
        instead=instead,
    )


def language_name(language: str, lang: Lang) -> str:
    """The name of a script's language, or its code where there is no name."""
    return say(lang, language_text(language))


def ways_of(node: Node, lang: Lang) -> Iterator[Way]:
    """Every way on from a node, without the keys that work in every question."""
    match node:
        case Say():
            yield Way(key="", label="", to=node.next)
        case HandOver():
            yield Way(key="", label=say(lang, gettext_noop("nobody takes it")), to=node.next)
        case Branch():
            for case, to in node.cases.items():
                yield Way(key="", label=_case(node.on, case, lang), to=to)
            yield Way(key="", label=say(lang, gettext_noop("otherwise")), to=node.otherwise)
        case Ask():
            for choice in node.choices.values():
                yield _choice(choice, lang)
            if node.next:
                yield Way(key="", label=say(lang, gettext_noop("digits and #")), to=node.next)
            yield Way(key="", label=say(lang, gettext_noop("no answer")), to=node.otherwise)
        case End():
            return


def _choice(choice: Choice, lang: Lang) -> Way:
    taught = [word_of(fact, lang) for fact in (choice.contact, choice.answer) if fact is not None]
    again = choice.next == Target.REPEAT
    return Way(
        key=choice.key,
        label=say(lang, gettext_noop("hear it again")) if again else "",
        to="" if again else choice.next,
        phrases=tuple(phrases for _, phrases in sorted(choice.phrases.items(), reverse=True) if phrases),
        teaches=_listed(taught, lang),
        needs_key=choice.needs_key,
    )


def _case(on: BranchOn, case: str, lang: Lang) -> str:
    if on is BranchOn.TIME_OF_DAY and case in _TIMES:
        return say(lang, _TIMES[case])
    kind = {BranchOn.TAG: Tag, BranchOn.CONTACT: Contact}.get(on)
    if kind is not None and case in set(kind):
        return word_of(kind(case), lang)
    return case


def _means(node: Node | None, lang: Lang) -> str:
    if not isinstance(node, End | HandOver):
        return ""
    contact = [word_of(node.contact, lang)] if isinstance(node, End) else []
    return _listed([*contact, word_of(node.answer, lang), say(lang, _URGENCIES[node.urgency])], lang)


def _patience(node: Node | None, lang: Lang) -> str:
    if not isinstance(node, Ask):
        return ""
    return say(
        lang,
        gettext_noop("Waits %(seconds)s s for an answer and asks again %(times)s times at most."),
        seconds=node.timeout_seconds,
        times=node.retries,
    )


def _listed(parts: list[str], lang: Lang) -> str:
    return ("；" if lang is Lang.ZH else "; ").join(parts)


ANYWHERE = "anywhere"
"""The box that stands for every question."""
_MOST_LABEL = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A node in the picture of a script."""

    id: str
    card: Card | None
    """None for the box that stands for every question."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrowLabel:
    """The label of an arrow: a key and the phrase that means the same, or the words for what else leads there."""

    key: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureArrow:
    """An arrow between two boxes. `is_main`: it is on the shortest way to a success."""

    start: str
    to: str
    answers: tuple[ArrowLabel, ...]
    is_main: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The graph of a script, to be drawn."""

    boxes: tuple[Box, ...]
    arrows: tuple[PictureArrow, ...]


def picture(script: Script, cards: Sequence[Card], lang: Lang, language: str) -> Picture:
    """The graph of a script with the words of `language` in its boxes."""
    boxes = {
        card.node.id: Box(id=card.node.id, card=card, text=card.words_in(language) or card.looks_at)
        for card in cards
    }
    answers: defaultdict[tuple[str, str], list[ArrowLabel]] = defaultdict(list)
    for card in cards:
        for way in card.ways:
            if way.to in boxes:
                answers[card.node.id, way.to] += _answer(script, card.node.id, way, language)
    for choice in script.anywhere.values():
        if choice.next in boxes:
            text = say(lang, gettext_noop("In every question"))
            boxes.setdefault(ANYWHERE, Box(id=ANYWHERE, card=None, text=text))
            answers[ANYWHERE, choice.next].append(_keyed(choice, language))
    main = set(pairwise(main_way(script)))
    return Picture(
        boxes=tuple(boxes.values()),
        arrows=tuple(
            PictureArrow(start=start, to=to, answers=tuple(found), is_main=(start, to) in main)
            for (start, to), found in answers.items()
        ),
    )


def main_way(script: Script) -> tuple[str, ...]:
    """The nodes of the shortest way to a success; for a script without one, to the first end."""
    came_from: dict[str, str] = {script.start: ""}
    ends: list[str] = []
    good: list[str] = []
    waiting = [script.start]
    for name in waiting:
        node = script.nodes[name]
        if isinstance(node, End):
            (good if node.answer in SUCCESS_ANSWERS else ends).append(name)
        # The shortest way through a branch is the usual one: `otherwise` comes last.
        following = _following(script, name)
        for to in reversed(following) if isinstance(node, Branch) else following:
            if to in script.nodes and to not in came_from:
                came_from[to] = name
                waiting.append(to)
    found: list[str] = []
    name = next(iter([*good, *ends]), "")
    while name:
        found.append(name)
        name = came_from[name]
    return tuple(reversed(found))


def _answer(script: Script, node_id: str, way: Way, language: str) -> list[ArrowLabel]:
    node = script.nodes[node_id]
    if way.key and isinstance(node, Ask):
        return [_keyed(node.choices[way.key], language)]
    return [ArrowLabel(key="", text=way.label)] if way.label else []


def _keyed(choice: Choice, language: str) -> ArrowLabel:
    """The key of a choice with the phrase that means the same, cut short."""
    said = choice.phrases.get(language) or next(iter(choice.phrases.values()), ())
    text = said[0] if said else ""
    short = text if len(text) <= _MOST_LABEL else text[: _MOST_LABEL - 2] + "…"
    return ArrowLabel(key=choice.key, text=short)
