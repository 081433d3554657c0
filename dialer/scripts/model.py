"""A call script as data: a graph of nodes that say, ask, branch, hand over and end. Nothing walks it here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from dialer.domain.values import Answer, Contact, FraudType, Tag


class Purpose(StrEnum):
    """Why we ring: to warn 预警劝阻 while it happens, or to look back 回访 after a warning was heard."""

    WARNING = "warning"
    FOLLOW_UP = "follow_up"


class Urgency(StrEnum):
    """How soon a person must look at a call that ended here: now, soon (by the grade's limits), or never."""

    NOW = "now"
    SOON = "soon"
    NONE = "none"


class VariableKind(StrEnum):
    """What a variable holds, which decides how it is spoken. `personal` is said only after verification."""

    TEXT = "text"
    PHONE = "phone"
    TIME_OF_DAY = "time_of_day"
    PERSONAL = "personal"


class BranchOn(StrEnum):
    """What a branch looks at: the person's tags, the hour where they are, or how far we know who it is."""

    TAG = "tag"
    TIME_OF_DAY = "time_of_day"
    CONTACT = "contact"


class Target(StrEnum):
    """Where a key leads that is no node: the question again."""

    REPEAT = "repeat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The file and the line a part of a script was read from; line 0 where it did not come from a file."""

    file: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A blank in the texts. `defaults` (by language) are what the shipped recordings say."""

    name: str
    kind: VariableKind
    defaults: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One thing said, by language. `must_say` marks a line that has to be understood even on a bad line."""

    id: str
    texts: Mapping[str, str]
    must_say: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What is known so far in a call. `answer` stays `none` until somebody gave one."""

    contact: Contact = Contact.NONE
    answer: Answer = Answer.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One answer to a question: its key, the phrases that mean the same, where it leads and what it teaches.

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
    id: str
    prompt: Prompt
    next: str
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A question. Silence and wrong keys are asked again `retries` times in all, then it goes to `otherwise`.

    `collect` names a fact typed as digits (up to `max_digits`, closed by #) that then goes to `next`.
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
    id: str
    on: BranchOn
    cases: Mapping[str, str]
    otherwise: str
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """An officer is rung now; `next` is where the talk goes on when nobody takes it."""

    id: str
    prompt: Prompt
    answer: Answer
    urgency: Urgency
    next: str
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The call is over. `contact` is the most this end may claim; what was learned before can lower it."""

    id: str
    prompt: Prompt | None
    contact: Contact
    answer: Answer
    urgency: Urgency
    origin: Origin


Node = Say | Ask | Branch | HandOver | End


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One immutable version. `content_hash` is the SHA-256 of `canonical`,
    from which the same script can be read back.

    `again` comes before a question that was met with silence or a wrong key, `confirm` before one that was
    answered aloud where only its key counts. `message` is what an SMS says in place of the call, by language.
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
    again: Prompt
    confirm: Prompt
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
        return self.title.get(language) or self.title[self.default_language]

    def voices_of(self, language: str) -> tuple[str, ...]:
        """The languages to try for a listener's language, best first, always ending in the default."""
        tried = [language] if language in self.languages else []
        while tried and tried[-1] in self.fallbacks and self.fallbacks[tried[-1]] not in tried:
            tried.append(self.fallbacks[tried[-1]])
        if self.default_language not in tried:
            tried.append(self.default_language)
        return tuple(tried)
