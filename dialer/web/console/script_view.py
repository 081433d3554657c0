"""One version of a script as the page shows it: every node with its words, its sound and the ways that lead on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from audio.clips import RECORDED
from dialer.domain.values import Contact, Tag
from dialer.language import Lang, mark, say
from dialer.scripts import model
from dialer.scripts.findings import Finding
from dialer.scripts.model import Script
from dialer.sentences import sentence
from dialer.usecases.script_book import NodeView, SaidAs
from dialer.words import word

KINDS: Mapping[str, str] = {
    "say": mark("says"),
    "ask": mark("asks"),
    "branch": mark("branches"),
    "hand_over": mark("hands over to an officer"),
    "end": mark("ends"),
}
LANGUAGES: Mapping[str, str] = {"zh": mark("Mandarin"), "en": mark("English"), "mn": mark("Mongolian")}
_TIMES = {
    "morning": mark("morning"),
    "noon": mark("noon"),
    "afternoon": mark("afternoon"),
    "evening": mark("evening"),
}
_LOOKS_AT = {
    model.BranchOn.TAG: mark("By what is on record about the person"),
    model.BranchOn.TIME_OF_DAY: mark("By the time of day"),
    model.BranchOn.CONTACT: mark("By whether the person is verified"),
}
_URGENCIES = {
    model.Urgency.NOW: mark("a person looks at it now"),
    model.Urgency.SOON: mark("a person looks at it soon"),
    model.Urgency.NONE: mark("no action needed"),
}


class SoundKind(StrEnum):
    """Where the sound of a prompt comes from when a call plays it."""

    RECORDED = "recorded"
    VOICE = "voice"
    MECHANICAL = "mechanical"
    NETWORK = "network"
    """No file: the telephone network's own voice would read the words out."""
    FALLBACK = "fallback"
    """No words and no recording: another language is spoken."""


_SOUNDS = {
    SoundKind.RECORDED: mark("recorded by a person"),
    SoundKind.VOICE: mark("synthesised voice"),
    SoundKind.MECHANICAL: mark("mechanical voice, the last resort"),
    SoundKind.NETWORK: mark("no sound yet: the telephone network's voice would read it"),
    SoundKind.FALLBACK: mark("not recorded yet"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A prompt in one language."""

    language: str
    language_name: str
    text: str
    file: str
    voice: str
    seconds: float
    kind: SoundKind
    kind_name: str
    instead: str
    """The name of the language that is spoken instead; '' where this one is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """`key` '' for ways that no key takes; `label` then says which. `to` '' asks again."""

    key: str
    label: str
    to: str
    phrases: tuple[tuple[str, ...], ...] = ()
    """By language, as far as there are any."""
    teaches: str = ""
    needs_key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One node, or one of the words that come before a question is asked again."""

    id: str
    kind: str
    kind_name: str
    must_say: bool
    file: str
    line: int
    spoken: tuple[Spoken, ...]
    ways: tuple[Way, ...]
    looks_at: str
    """What a branch goes by."""
    means: str
    """What an end or a hand-over means."""
    patience: str
    """How long a question waits and how often it is asked again."""
    problems: tuple[str, ...]

    def has_words_in(self, language: str) -> bool:
        return any(one.language == language and one.text for one in self.spoken)

    def words_in(self, language: str) -> str:
        """As a listener of this language hears it."""
        own = next((one.text for one in self.spoken if one.language == language), "")
        return own or next((one.text for one in self.spoken if one.text), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A finding in the reader's language."""

    node: str
    file: str
    line: int
    text: str


def cards(
    script: Script, nodes: Sequence[NodeView], findings: Sequence[Finding], lang: Lang
) -> tuple[Card, ...]:
    """The nodes in the order in which a call meets them, those that no way leads to last."""
    by_id = {node.id: node for node in nodes}
    return tuple(_card(script, by_id[name], script.nodes[name], findings, lang) for name in in_order(script))


def common_cards(script: Script, prompts: Sequence[NodeView], lang: Lang) -> tuple[Card, ...]:
    """What is said before a question is asked again."""
    return tuple(_card(script, prompt, None, (), lang) for prompt in prompts)


def anywhere(script: Script, lang: Lang) -> tuple[Way, ...]:
    """The keys that work in every question."""
    return tuple(_choice(choice, lang) for choice in script.anywhere.values())


def problems(findings: Sequence[Finding], lang: Lang) -> tuple[Problem, ...]:
    """Each once, whole ones first."""
    told = {
        Problem(node=one.node, file=one.file, line=one.line, text=sentence(one.problem, lang)): None
        for one in findings
    }
    return tuple(told)


def in_order(script: Script) -> tuple[str, ...]:
    """Depth first along the answers, so that what follows is near."""
    seen: dict[str, None] = {}
    waiting = [script.start]
    while waiting:
        name = waiting.pop()
        if name in seen or name not in script.nodes:
            continue
        seen[name] = None
        waiting += reversed(_next(script, name))
    later = dict.fromkeys(
        to for choice in script.anywhere.values() for to in _chain(script, choice.next) if to in script.nodes
    )
    return tuple(dict.fromkeys([*seen, *later, *script.nodes]))


def _next(script: Script, name: str) -> list[str]:
    return [way.to for way in ways_of(script.nodes[name], Lang.EN) if way.to]


def _chain(script: Script, start: str) -> Iterator[str]:
    waiting, seen = [start], set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in script.nodes:
            continue
        seen.add(name)
        yield name
        waiting += _next(script, name)


def _card(
    script: Script, node: NodeView, part: model.Node | None, findings: Sequence[Finding], lang: Lang
) -> Card:
    return Card(
        id=node.id,
        kind=node.kind,
        kind_name=say(lang, KINDS[node.kind]),
        must_say=node.must_say,
        file=node.file,
        line=node.line,
        spoken=tuple(_spoken(script, said, lang) for said in node.said),
        ways=tuple(ways_of(part, lang)) if part is not None else (),
        looks_at=say(lang, _LOOKS_AT[part.on]) if isinstance(part, model.Branch) else "",
        means=_means(part, lang),
        patience=_patience(part, lang),
        problems=tuple(one.text for one in problems(findings, lang) if one.node == node.id),
    )


def _spoken(script: Script, said: SaidAs, lang: Lang) -> Spoken:
    kind = _sound_kind(said)
    instead = ""
    if kind is SoundKind.FALLBACK:
        other = next((one for one in script.voices_of(said.language) if one != said.language), "")
        instead = language_name(other, lang)
    return Spoken(
        language=said.language,
        language_name=language_name(said.language, lang),
        text=said.text,
        file=said.file,
        voice=said.voice,
        seconds=said.seconds,
        kind=kind,
        kind_name=say(lang, _SOUNDS[kind]),
        instead=instead,
    )


def language_name(language: str, lang: Lang) -> str:
    return say(lang, LANGUAGES[language]) if language in LANGUAGES else language


def _sound_kind(said: SaidAs) -> SoundKind:
    if said.file:
        if said.voice == RECORDED:
            return SoundKind.RECORDED
        return SoundKind.MECHANICAL if said.voice.startswith("espeak") else SoundKind.VOICE
    return SoundKind.NETWORK if said.text else SoundKind.FALLBACK


def ways_of(node: model.Node, lang: Lang) -> Iterator[Way]:
    """Every way on, what works in every question left out."""
    match node:
        case model.Say():
            yield Way(key="", label="", to=node.next)
        case model.HandOver():
            yield Way(key="", label=say(lang, mark("nobody takes it")), to=node.next)
        case model.Branch():
            for case, to in node.cases.items():
                yield Way(key="", label=_case(node.on, case, lang), to=to)
            yield Way(key="", label=say(lang, mark("otherwise")), to=node.otherwise)
        case model.Ask():
            for choice in node.choices.values():
                yield _choice(choice, lang)
            if node.next:
                yield Way(key="", label=say(lang, mark("digits and #")), to=node.next)
            yield Way(key="", label=say(lang, mark("no answer")), to=node.otherwise)
        case model.End():
            return


def _choice(choice: model.Choice, lang: Lang) -> Way:
    taught = []
    if choice.contact is not None:
        taught.append(word(choice.contact, lang))
    if choice.answer is not None:
        taught.append(word(choice.answer, lang))
    again = choice.next == model.Target.REPEAT
    return Way(
        key=choice.key,
        label=say(lang, mark("hear it again")) if again else "",
        to="" if again else choice.next,
        phrases=tuple(phrases for _, phrases in sorted(choice.phrases.items(), reverse=True) if phrases),
        teaches=_listed(taught, lang),
        needs_key=choice.needs_key,
    )


def first_phrase(choice_phrases: Mapping[str, tuple[str, ...]], language: str) -> str:
    said = choice_phrases.get(language) or next(iter(choice_phrases.values()), ())
    return said[0] if said else ""


def _case(on: model.BranchOn, case: str, lang: Lang) -> str:
    if on is model.BranchOn.TIME_OF_DAY and case in _TIMES:
        return say(lang, _TIMES[case])
    kind = {model.BranchOn.TAG: Tag, model.BranchOn.CONTACT: Contact}.get(on)
    if kind is not None and case in set(kind):
        return word(kind(case), lang)
    return case


def _means(node: model.Node | None, lang: Lang) -> str:
    match node:
        case model.End():
            parts = [word(node.contact, lang), word(node.answer, lang), say(lang, _URGENCIES[node.urgency])]
        case model.HandOver():
            parts = [word(node.answer, lang), say(lang, _URGENCIES[node.urgency])]
        case _:
            return ""
    return _listed(parts, lang)


def _patience(node: model.Node | None, lang: Lang) -> str:
    if not isinstance(node, model.Ask):
        return ""
    return say(
        lang,
        mark("Waits %(seconds)s s for an answer and asks again %(times)s times at most."),
        seconds=node.timeout_seconds,
        times=node.retries,
    )


def _listed(parts: list[str], lang: Lang) -> str:
    return ("；" if lang is Lang.ZH else "; ").join(parts)
