"""Knowledge cards: what a caller reads beside a call about one type of fraud, and the search among them. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dialer.core.errors import Invalid
from dialer.core.second_person import RequestState
from dialer.core.text import Lang, Text, gettext_noop
from dialer.core.values import FraudType


class CardState(StrEnum):
    """The state of one version of a card."""

    DRAFT = "draft"
    """It waits for a second person."""
    APPROVED = "approved"
    """The approved version with the highest number is the one that callers read."""
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    """By the person who drafted it."""


CARD_WORDS: Final[Mapping[RequestState, CardState]] = {
    RequestState.WAITING: CardState.DRAFT,
    RequestState.APPROVED: CardState.APPROVED,
    RequestState.REFUSED: CardState.REFUSED,
    RequestState.WITHDRAWN: CardState.WITHDRAWN,
}
"""A draft never expires: it waits in the approvals until somebody decides."""

LONGEST_TITLE: Final = 80
LONGEST_LINE: Final = 600
"""The most characters of a line, of an objection and of its answer."""
MOST_LINES: Final = 30
"""The most lines, and the most objections, of a part of a card."""
_EMPTY: Final = gettext_noop("is empty")
_BLANK_LINES: Final = re.compile(r"\n[ \t]*\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """What a person says against the warning, and what a caller answers."""

    says: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardText:
    """A card in one language."""

    title: str
    course: tuple[str, ...] = ()
    """The steps of the trick, in order."""
    objections: tuple[Objection, ...] = ()
    variants: tuple[str, ...] = ()
    """The latest forms of the trick."""
    never: tuple[str, ...] = ()
    """What nobody says on such a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardContent:
    """A card. `english` None: it is shown in Chinese to everybody."""

    fraud_type: FraudType
    """`FraudType.UNKNOWN`: a general card, beside every call."""
    chinese: CardText
    english: CardText | None = None

    def text(self, lang: Lang) -> CardText:
        """The card in this language, or in the one that it has."""
        return self.english if lang is Lang.EN and self.english is not None else self.chinese

    @property
    def digest(self) -> str:
        """The SHA-256 of the whole content in hexadecimal digits."""
        plain = json.dumps(card_as_json(self), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(plain.encode()).hexdigest()

    def has_passage(self, number: int) -> bool:
        """Whether the card has this passage: 0 is the card itself, 1 its first objection."""
        return 0 <= number <= len(self.chinese.objections)


def card_as_json(content: CardContent) -> dict[str, object]:
    """The content for a JSON column; `card_of_json` reads it."""
    made: dict[str, object] = {"fraud_type": content.fraud_type.value, "zh": _text_as_json(content.chinese)}
    if content.english is not None:
        made["en"] = _text_as_json(content.english)
    return made


def _text_as_json(text: CardText) -> dict[str, object]:
    return {
        "title": text.title,
        "course": list(text.course),
        "objections": [[one.says, one.answer] for one in text.objections],
        "variants": list(text.variants),
        "never": list(text.never),
    }


def card_of_json(stored: Mapping[str, object]) -> CardContent:
    """The content of a JSON column that `card_as_json` wrote."""
    english = stored.get("en")
    return CardContent(
        fraud_type=FraudType(str(stored["fraud_type"])),
        chinese=_text_of_json(stored["zh"]),
        english=None if english is None else _text_of_json(english),
    )


def _text_of_json(stored: object) -> CardText:
    assert isinstance(stored, Mapping)
    return CardText(
        title=stored["title"],
        course=tuple(stored["course"]),
        objections=tuple(Objection(says=says, answer=answer) for says, answer in stored["objections"]),
        variants=tuple(stored["variants"]),
        never=tuple(stored["never"]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedText:
    """One language of a card as it is typed: a line for each step, variant and sentence that is never said; objections
    as paragraphs, of which the first line is what the person says, and the others the answer.
    """

    title: str = ""
    course: str = ""
    objections: str = ""
    variants: str = ""
    never: str = ""

    @property
    def is_empty(self) -> bool:
        return not any(
            part.strip() for part in (self.title, self.course, self.objections, self.variants, self.never)
        )


def typed_of(text: CardText) -> TypedText:
    """A card as it stands in the fields of its form."""
    return TypedText(
        title=text.title,
        course="\n".join(text.course),
        objections="\n\n".join(f"{one.says}\n{one.answer}" for one in text.objections),
        variants="\n".join(text.variants),
        never="\n".join(text.never),
    )


def read_card(fraud_type: FraudType, chinese: TypedText, english: TypedText) -> CardContent:
    """The card that was typed; English may be missing as a whole. Raises `Invalid` with the name of the field, which
    ends in the language: title_zh.
    """
    content = CardContent(
        fraud_type=fraud_type,
        chinese=_read_text(chinese, "zh"),
        english=None if english.is_empty else _read_text(english, "en"),
    )
    in_english = content.english
    if in_english is not None and len(in_english.objections) != len(content.chinese.objections):
        raise Invalid(
            field="objections_en",
            problem=Text(
                "has %(n)s objections and the Chinese %(zh)s",
                n=len(in_english.objections),
                zh=len(content.chinese.objections),
            ),
            fix=gettext_noop("write the same ones in the same order"),
        )
    return content


def _read_text(typed: TypedText, lang: str) -> CardText:
    title = " ".join(typed.title.split())
    if not title:
        raise Invalid(field=f"title_{lang}", problem=_EMPTY)
    _check_length(title, f"title_{lang}", LONGEST_TITLE)
    course, objections = _lines(typed.course, f"course_{lang}"), _objections(typed.objections, lang)
    if not course:
        raise Invalid(field=f"course_{lang}", problem=_EMPTY)
    if not objections:
        raise Invalid(field=f"objections_{lang}", problem=_EMPTY)
    return CardText(
        title=title,
        course=course,
        objections=objections,
        variants=_lines(typed.variants, f"variants_{lang}"),
        never=_lines(typed.never, f"never_{lang}"),
    )


def _lines(text: str, field: str) -> tuple[str, ...]:
    lines = tuple(line for line in (" ".join(line.split()) for line in text.splitlines()) if line)
    _check_number(len(lines), field)
    for line in lines:
        _check_length(line, field, LONGEST_LINE)
    return lines


def _objections(text: str, lang: str) -> tuple[Objection, ...]:
    field = f"objections_{lang}"
    paragraphs = [part for part in _BLANK_LINES.split("\n".join(text.splitlines())) if part.strip()]
    _check_number(len(paragraphs), field)
    found: list[Objection] = []
    for paragraph in paragraphs:
        says, *rest = [" ".join(line.split()) for line in paragraph.strip().splitlines()]
        answer = " ".join(line for line in rest if line)
        if not answer:
            raise Invalid(
                field=field,
                problem=Text("has no answer below: %(says)s", says=says),
                fix=gettext_noop("write the answer on the next line, and an empty line after it"),
            )
        for part in (says, answer):
            _check_length(part, field, LONGEST_LINE)
        found.append(Objection(says=says, answer=answer))
    return tuple(found)


def _check_number(number: int, field: str) -> None:
    if number > MOST_LINES:
        raise Invalid(field=field, problem=Text("has more than %(most)s lines", most=MOST_LINES))


def _check_length(text: str, field: str, most: int) -> None:
    if len(text) > most:
        raise Invalid(field=field, problem=Text("has a line of more than %(most)s characters", most=most))


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A place in a card that a search finds: the card itself (number 0), or one of its objections from 1 on."""

    card: int
    """The place of its card among those that were searched."""
    number: int
    share: float
    """How much of what was looked for it contains, above 0 and up to 1."""


LEAST_SHARE: Final = 0.6
"""A passage with less of what was looked for is not found."""
_CHINESE: Final = re.compile(r"[\u3400-\u9fff]+")
_WORD: Final = re.compile(r"[a-z0-9]+")


def search_terms(text: str) -> frozenset[str]:
    """What is looked for in cards: words of Latin letters and digits, and of Chinese, which has no spaces, each pair of
    characters that stand together, or a character that stands alone.
    """
    plain = text.casefold()
    found = set(_WORD.findall(plain))
    for run in _CHINESE.findall(plain):
        found |= {run[n : n + 2] for n in range(max(1, len(run) - 1))}
    return frozenset(found)


def find_passages(cards: Sequence[CardContent], words: str, *, most: int) -> list[Passage]:
    """The passages with at least `LEAST_SHARE` of the words, in any language of the cards; the best first, then in the
    order of the cards. None without a word.
    """
    wanted = search_terms(words)
    if not wanted:
        return []
    found: list[Passage] = []
    for place, card in enumerate(cards):
        for number, texts in enumerate(_passages(card)):
            share = max(_share(wanted, text) for text in texts)
            if share >= LEAST_SHARE:
                found.append(Passage(card=place, number=number, share=share))
    return sorted(found, key=lambda one: (-one.share, one.card, one.number))[:most]


def _passages(card: CardContent) -> Iterable[list[str]]:
    texts = [card.chinese] if card.english is None else [card.chinese, card.english]
    yield ["\n".join((text.title, *text.course, *text.variants, *text.never)) for text in texts]
    for number in range(len(card.chinese.objections)):
        yield [f"{text.objections[number].says}\n{text.objections[number].answer}" for text in texts]


def _share(wanted: frozenset[str], text: str) -> float:
    plain = text.casefold()
    return sum(term in plain for term in wanted) / len(wanted)
