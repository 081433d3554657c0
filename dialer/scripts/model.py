"""A call script as data: a graph of nodes that say, ask, branch, hand over and end; and what follows from its shape
alone.

Also the texts of prompts: their variables in braces, the values for them, and the greetings by time of day. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache

from dialer.core.text import Text
from dialer.core.values import Answer, Contact, FraudType, Tag


class Purpose(StrEnum):
    """Why a call is made: to warn 预警劝阻 of a fraud under way, or as a follow-up 回访 after a warning."""

    WARNING = "warning"
    FOLLOW_UP = "follow_up"


class EndUrgency(StrEnum):
    """How soon a person must deal with a call that ended here: now, soon (by the grade's limits), or never."""

    NOW = "now"
    SOON = "soon"
    NONE = "none"


class VariableKind(StrEnum):
    """The kind of a variable, which decides how it is spoken. `personal` is said only after verification."""

    TEXT = "text"
    PHONE = "phone"
    TIME_OF_DAY = "time_of_day"
    PERSONAL = "personal"


class BranchOn(StrEnum):
    """What a branch depends on: the person's tags, the local hour, or whether the person is verified."""

    TAG = "tag"
    TIME_OF_DAY = "time_of_day"
    CONTACT = "contact"


class Target(StrEnum):
    """A target of a key that is no node: the question again."""

    REPEAT = "repeat"


_LANGUAGES: Mapping[str, Text] = {
    "zh": Text("Mandarin"),
    "en": Text("English"),
    "mn": Text("Mongolian"),
}


def language_text(language: str) -> Text:
    """The name of a script's language, or its code where there is no name."""
    return _LANGUAGES.get(language, Text(language))


LANGUAGE_KEY = "8"
"""The key that chooses another language, at the first question of a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The file and the line that a part of a script was read from; line 0 if it was not read from a file."""

    file: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A variable of the texts. `defaults` (by language) are what the shipped recordings say."""

    name: str
    kind: VariableKind
    defaults: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A text to say, by language. `must_say` marks one that must be understood even on a bad line."""

    id: str
    texts: Mapping[str, str]
    must_say: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What a call has established so far. `answer` is `none` until the person has given one."""

    contact: Contact = Contact.NONE
    answer: Answer = Answer.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One answer to a question: its key, the phrases that mean the same, the next node and what it establishes.

    A choice that `needs_key` is never taken on a spoken answer alone: the script asks for the key.
    """

    key: str
    next: str
    phrases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    contact: Contact | None = None
    answer: Answer | None = None
    needs_key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Says a prompt and goes on to `next`."""

    id: str
    prompt: Prompt
    next: str
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A question. After silence or a wrong key it is asked again, at most `retries` times; then the call goes on at
    `otherwise`.

    `collect` names a fact that is typed as digits (up to `max_digits`, ended by #); the call then goes on at `next`.
    """

    id: str
    prompt: Prompt
    choices: Mapping[str, Choice]
    timeout_seconds: int
    retries: int
    otherwise: str
    origin: Origin
    repeat_from: str
    collect: str = ""
    max_digits: int = 1
    next: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """Chooses the next node by a fact of the person or of the call, without speaking."""

    id: str
    on: BranchOn
    cases: Mapping[str, str]
    otherwise: str
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """Calls an officer now; the call goes on at `next` when no officer takes it."""

    id: str
    prompt: Prompt
    next: str
    origin: Origin
    answer: Answer = Answer.WANTS_OFFICER
    urgency: EndUrgency = EndUrgency.NOW


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Ends the call. `contact` is the most that this end may claim; what was established before can lower it."""

    id: str
    prompt: Prompt | None
    contact: Contact
    answer: Answer
    urgency: EndUrgency
    origin: Origin


Node = Say | Ask | Branch | HandOver | End


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One immutable version. `content_hash` is the SHA-256 of `canonical`, from which the same script can be read back.

    `again` comes before a question that was met with silence, `wrong_key` before one where a key was pressed that it
    does not have, `unclear` before one where speech was not understood, `confirm` before one that was answered aloud
    where only its key counts. `greeting` answers one of `greetings` (by language). `other_language` offers the call in
    another language, and is spoken in that one; None: the version is from before languages could be chosen. `recorded`
    is the opening of a recorded call and says so; None: calls with this script are not recorded. `message` is what an
    SMS says in place of the call, by language.
    """

    id: str
    title: Mapping[str, str]
    purpose: Purpose
    fraud_types: frozenset[FraudType]
    tags: frozenset[Tag]
    languages: tuple[str, ...]
    default_language: str
    fallbacks: Mapping[str, str]
    variables: Mapping[str, Variable]
    start: str
    greeting: Prompt
    greetings: Mapping[str, tuple[str, ...]]
    again: Prompt
    wrong_key: Prompt
    unclear: Prompt
    confirm: Prompt
    other_language: Prompt | None
    recorded: Prompt | None
    """The opening of a recorded call; with `recorded_follows` a notice after the usual opening, as in older
    versions.
    """
    recorded_follows: bool
    message: Mapping[str, str]
    anywhere: Mapping[str, Choice]
    nodes: Mapping[str, Node]
    canonical: str
    content_hash: str
    origin: Origin

    @property
    def version(self) -> str:
        """The first twelve digits of the content hash: short enough for a page, long enough to be unique."""
        return self.content_hash[:12]

    def title_in(self, language: str) -> str:
        """The title in a language, else in the default language."""
        return self.title.get(language) or self.title[self.default_language]

    def voices_of(self, language: str) -> tuple[str, ...]:
        """The languages to try for a listener's language, best first, always including the default."""
        tried = [language] if language in self.languages else []
        while tried and tried[-1] in self.fallbacks and self.fallbacks[tried[-1]] not in tried:
            tried.append(self.fallbacks[tried[-1]])
        if self.default_language not in tried:
            tried.append(self.default_language)
        return tuple(tried)


SUCCESS_ANSWERS = frozenset({Answer.ACKNOWLEDGED, Answer.SAW_THROUGH})


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """One way from a node to the next. Without a `choice` that takes it, `label` says which way it is: next, otherwise,
    the case of a branch, or the name of the fact that is typed.
    """

    to: str
    choice: Choice | None = None
    label: str = ""


def arrows(script: Script, node: Node) -> tuple[Arrow, ...]:
    """Every way on from a node, except those that repeat a question."""
    match node:
        case Say() | HandOver():
            return (Arrow(to=node.next, label="next"),)
        case Branch():
            cases = [Arrow(to=to, label=case) for case, to in node.cases.items()]
            return (*cases, Arrow(to=node.otherwise, label="otherwise"))
        case Ask():
            choices = {**script.anywhere, **node.choices}.values()
            taken = [
                Arrow(to=choice.next, choice=choice) for choice in choices if choice.next != Target.REPEAT
            ]
            typed = [Arrow(to=node.next, label=node.collect)] if node.next else []
            return (*taken, *typed, Arrow(to=node.otherwise, label="otherwise"))
        case End():
            return ()


def prompt_of(node: Node) -> Prompt | None:
    """What a node says; None for a branch and for an end without words."""
    return None if isinstance(node, Branch) else node.prompt


def asides(script: Script) -> tuple[Prompt, ...]:
    """The prompts of a script besides its nodes, each once: the answer to a greeting, the words before a question is
    asked again, the offer of another language, and the opening of a recorded call.
    """
    said = (
        script.greeting,
        script.again,
        script.wrong_key,
        script.unclear,
        script.confirm,
        script.other_language,
        script.recorded,
    )
    return tuple({prompt.id: prompt for prompt in said if prompt is not None}.values())


def reachable(script: Script, start: str) -> frozenset[str]:
    """The nodes on any way from `start`, itself included."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        waiting += [arrow.to for arrow in arrows(script, script.nodes[name])]
    return frozenset(seen)


def circles(script: Script) -> tuple[str, ...]:
    """The ids of nodes from which a way leads back to them, so that a call might never end."""
    return tuple(
        name
        for name, node in script.nodes.items()
        if any(name in reachable(script, arrow.to) for arrow in arrows(script, node))
    )


def contacts(script: Script) -> Mapping[str, frozenset[Contact]]:
    """For every node, the contacts that a call may have when it gets there. The script must have no circles."""
    known: dict[str, frozenset[Contact]] = {name: frozenset() for name in script.nodes}
    waiting: list[tuple[str, Contact]] = [(script.start, Contact.UNVERIFIED)]
    while waiting:
        name, contact = waiting.pop()
        if contact in known[name]:
            continue
        known[name] |= {contact}
        for arrow in arrows(script, script.nodes[name]):
            taught = arrow.choice.contact if arrow.choice and arrow.choice.contact else contact
            waiting.append((arrow.to, taught))
    return known


def first_said(script: Script, start: str) -> Iterator[tuple[Node, ...]]:
    """Every sequence of nodes that speak up to and including the first question, one for each way through
    the branches.
    """
    node = script.nodes[start]
    match node:
        case Say():
            for rest in first_said(script, node.next):
                yield (node, *rest)
        case Branch():
            for to in dict.fromkeys((*node.cases.values(), node.otherwise)):
                yield from first_said(script, to)
        case _:
            yield (node,)


def first_questions(script: Script) -> tuple[Ask, ...]:
    """The first questions of a call, one for each way through the branches before it."""
    asked = {run[-1].id: run[-1] for run in first_said(script, script.start)}
    return tuple(node for node in asked.values() if isinstance(node, Ask))


def takes_language_key(script: Script, node: Ask) -> bool:
    """Whether a first question leaves `LANGUAGE_KEY` free for the choice of a language."""
    return LANGUAGE_KEY not in {**script.anywhere, **node.choices} and not node.collect


def longest(script: Script, seconds_of: Callable[[Prompt], float], *, good: bool) -> float:
    """Seconds of speech on the longest way, every question asked once; `good` counts only ways to a success.

    The script must have no circles. 0 if no way leads to a success.
    """

    @cache
    def from_here(name: str) -> float | None:
        node = script.nodes[name]
        prompt = prompt_of(node)
        own = seconds_of(prompt) if prompt is not None else 0.0
        if isinstance(node, End):
            return own if not good or node.answer in SUCCESS_ANSWERS else None
        ways = [rest for arrow in arrows(script, node) if (rest := from_here(arrow.to)) is not None]
        return own + max(ways) if ways else None

    return from_here(script.start) or 0.0


def quickest(script: Script, seconds_of: Callable[[Prompt], float]) -> float:
    """Seconds until the end of the last question before an acknowledgement, if every question is heard to its end and
    gets the answer that leads there soonest. At a branch, which nobody chooses, the longest way counts.

    The script must have no circles. 0 if no way leads to an acknowledgement.
    """

    @cache
    def from_here(name: str) -> float | None:
        node = script.nodes[name]
        if isinstance(node, End):
            return 0.0 if node.answer is Answer.ACKNOWLEDGED else None
        prompt = prompt_of(node)
        own = seconds_of(prompt) if prompt is not None else 0.0
        ways = [rest for arrow in arrows(script, node) if (rest := from_here(arrow.to)) is not None]
        pick = max if isinstance(node, Branch) else min
        return own + pick(ways) if ways else None

    return from_here(script.start) or 0.0


_BLANK = re.compile(r"\{([a-z][a-z0-9_]*)\}")
"""A variable in a text: {bureau}."""

_GREETINGS = {
    "zh": {"morning": "早上好", "noon": "中午好", "afternoon": "下午好", "evening": "晚上好"},
    "en": {
        "morning": "Good morning",
        "noon": "Good day",
        "afternoon": "Good afternoon",
        "evening": "Good evening",
    },
}
_STARTS = ((5, "evening"), (11, "morning"), (13, "noon"), (18, "afternoon"))


def variable_names(template: str) -> frozenset[str]:
    """The names of the variables in a text."""
    return frozenset(_BLANK.findall(template))


def time_of_day(local_hour: int) -> str:
    """morning, noon, afternoon or evening; before five and from 18 on it is evening."""
    return next((name for until, name in _STARTS if local_hour < until), "evening")


def needs_verification(script: Script, template: str) -> bool:
    """Whether the text says something personal, so that only the verified person may hear it."""
    return any(script.variables[name].kind is VariableKind.PERSONAL for name in variable_names(template))


def fill_template(
    script: Script, template: str, language: str, values: Mapping[str, str], local_hour: int
) -> str:
    """The text with every variable filled from `values`, else from the script's defaults."""

    def value(found: re.Match[str]) -> str:
        variable = script.variables[found.group(1)]
        given = values.get(variable.name, "")
        if not given and variable.kind is VariableKind.TIME_OF_DAY:
            words = _GREETINGS.get(language, _GREETINGS["zh"])
            return words[time_of_day(local_hour)]
        return given or variable.defaults.get(language) or variable.defaults.get(script.default_language, "")

    return _BLANK.sub(value, template)


def with_names(script: Script, names: Mapping[str, Mapping[str, str]]) -> Script:
    """The script with a centre's own names: `names` gives the words of a variable by language. The content and its hash
    stay as they are; a variable without a name, or with an empty one, keeps its own words.
    """
    variables = {
        name: replace(variable, defaults={**variable.defaults, **{k: v for k, v in names[name].items() if v}})
        if name in names
        else variable
        for name, variable in script.variables.items()
    }
    return replace(script, variables=variables)


def with_defaults(script: Script, template: str, language: str) -> str:
    """The text as the shipped recordings say it."""
    return fill_template(script, template, language, {}, 9)
