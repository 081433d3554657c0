"""The people of practice, what may be said to them, what they answer, and what is true about them. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any, Final

from dialer.core.case import PersonMet, contact_of_outcome
from dialer.core.text import Lang
from dialer.core.values import Contact, FraudType, OutcomeKind, ScammerContact


class Course(StrEnum):
    """What is practised."""

    CALLS = "calls"
    VISITS = "visits"


class PersonKind(StrEnum):
    """Who answers the telephone, or opens the door."""

    BELIEVES = "believes"
    """Believes the scammer, and takes us for false police."""
    ANGRY = "angry"
    ELDERLY = "elderly"
    PAID = "paid"
    """Has sent money already."""
    SCAMMER = "scammer"
    """The scammer's own second telephone: nobody there is the person of the warning."""
    FAMILY = "family"
    """Another one of the household; the person is not at home."""
    NEIGHBOUR = "neighbour"
    """Nobody is at home, and a neighbour comes out."""


class Line(StrEnum):
    """What is said. The first six are the points of the call guide, under the same keys."""

    OPEN = "open"
    WHO = "who"
    ASKED = "asked"
    SAID = "said"
    POLICE = "police"
    REPEAT = "repeat"
    CALM = "calm"
    SLOWLY = "slowly"
    FAMILY = "family"
    PAYMENT = "payment"
    """Asks when and how much was paid, and says that the bank is asked to stop it."""
    CARD = "card"
    """Shows the police card and says why one comes."""
    WHERE = "where"
    """Asks where the person is, and when and how they are reached."""
    OTHER = "other"
    """Typed words that are none of the others."""


GUIDE: Final = (Line.OPEN, Line.WHO, Line.ASKED, Line.SAID, Line.POLICE, Line.REPEAT)
"""The points that are ticked in the report, in the order of the call guide."""
DETAILS: Final = frozenset({Line.ASKED, Line.SAID, Line.PAYMENT})
"""These lines tell what the case is about: nobody hears them whose identity was not asked."""
LINES: Final[Mapping[Course, tuple[Line, ...]]] = {
    Course.CALLS: (*GUIDE, Line.CALM, Line.SLOWLY, Line.FAMILY, Line.PAYMENT),
    Course.VISITS: (
        Line.CARD,
        *GUIDE[1:],
        Line.CALM,
        Line.SLOWLY,
        Line.FAMILY,
        Line.PAYMENT,
        Line.WHERE,
    ),
}
"""What may be said, in the order in which it is offered."""
_NOT_BEFORE_LISTENING: Final = frozenset({Line.ASKED, Line.SAID, Line.POLICE, Line.REPEAT})
MOST_LINES: Final = 60
"""A call has at most this many lines."""


class _Answer(StrEnum):
    """Answers beside those to a line."""

    HELLO = "hello"
    BLOCKED = "blocked"
    LOST = "lost"
    """To `Line.REPEAT`, when the person was not won."""


Words = Mapping[Lang, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeCase:
    """One case of the course, with what is true about it."""

    key: str
    course: Course
    kind: PersonKind
    fraud_type: FraudType
    name: str
    about: Words
    """What happens to this person, in one sentence: shown after the call."""
    at_risk_yuan: int
    paid_yuan: int
    listens_after: Line | None
    """The person takes in nothing of the guide before this line; None: listens from the beginning."""
    needs: frozenset[Line]
    """What the person must have taken in to be won."""
    won: OutcomeKind
    lost: OutcomeKind
    scammer: ScammerContact
    most_seconds: int | None
    """From the first line of a call to its last; None for a visit."""
    answers: Mapping[str, Words]

    @property
    def is_person(self) -> bool:
        """Whether the right person is on the line."""
        return contact_of_outcome(self.won) is Contact.VERIFIED

    @property
    def met(self) -> PersonMet:
        """Who is met at the door."""
        return _MET.get(self.kind, PersonMet.PERSON)

    @property
    def hello(self) -> Words:
        """The words with which the telephone is answered or the door opened."""
        return self.answers[_Answer.HELLO]


_MET: Final = {PersonKind.FAMILY: PersonMet.FAMILY, PersonKind.NEIGHBOUR: PersonMet.NEIGHBOUR}


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the person has taken in of a call, and their words to each of its lines."""

    taken_in: frozenset[Line]
    answers: tuple[Words, ...]
    is_won: bool


def hear(case: PracticeCase, said: Sequence[Line]) -> Heard:
    """How this person takes what was `said`, in order."""
    taken_in: set[Line] = set()
    answers: list[Words] = []
    listens = case.listens_after is None
    for spoken in said:
        line = spoken if spoken in LINES[case.course] else Line.OTHER
        listens = listens or line is case.listens_after
        if not listens and line in _NOT_BEFORE_LISTENING:
            answers.append(case.answers[_Answer.BLOCKED])
            continue
        if line is not Line.OTHER:
            taken_in.add(line)
        is_lost = line is Line.REPEAT and not case.needs <= taken_in
        answers.append(case.answers[_Answer.LOST if is_lost else line])
    return Heard(
        taken_in=frozenset(taken_in), answers=tuple(answers), is_won=case.needs <= taken_in | {Line.REPEAT}
    )


def true_outcome(case: PracticeCase, said: Sequence[Line]) -> OutcomeKind:
    """The outcome that a report of this call must have."""
    return case.won if hear(case, said).is_won else case.lost


_FILES: Final = {Course.CALLS: "cases.toml", Course.VISITS: "visits.toml"}


@cache
def _content(of: Course) -> Mapping[str, Any]:
    text = resources.files("dialer.practice").joinpath(_FILES[of]).read_text(encoding="utf-8")
    return tomllib.loads(text)


def _words(stored: Mapping[str, str]) -> Words:
    return {lang: stored[lang.value] for lang in Lang}


def course(of: Course = Course.CALLS) -> tuple[PracticeCase, ...]:
    """The cases of a course, in their order."""
    return _course(of)


@cache
def _course(of: Course) -> tuple[PracticeCase, ...]:
    content = _content(of)
    made = []
    for key, stored in content["cases"].items():
        kind = content["kinds"][stored["kind"]]
        answers = content["answers"] | kind.get("answers", {}) | stored.get("answers", {})
        truth = kind | stored
        made.append(
            PracticeCase(
                key=key,
                course=of,
                kind=PersonKind(stored["kind"]),
                fraud_type=FraudType(stored["fraud_type"]),
                name=stored["name"],
                about=_words(stored["about"]),
                at_risk_yuan=stored["at_risk_yuan"],
                paid_yuan=stored.get("paid_yuan", 0),
                listens_after=Line(truth["listens_after"]) if truth.get("listens_after") else None,
                needs=frozenset(Line(line) for line in truth["needs"]),
                won=OutcomeKind(truth["won"]),
                lost=OutcomeKind(truth["lost"]),
                scammer=ScammerContact(truth["scammer"]),
                most_seconds=truth.get("most_seconds"),
                answers={name: _words(words) for name, words in answers.items()},
            )
        )
    return tuple(made)


@cache
def kinds_of(of: Course) -> tuple[PersonKind, ...]:
    """The kinds of people that a course has."""
    met = {case.kind for case in course(of)}
    return tuple(kind for kind in PersonKind if kind in met)


def case_of(key: str) -> PracticeCase | None:
    """The case with this key, of any course; None without one."""
    return next((case for of in Course for case in course(of) if case.key == key), None)


@cache
def own_lines(lang: Lang) -> Mapping[Line, str]:
    """The sentences of practice itself, for the lines that are not in the call guide."""
    return {
        Line(key): stored["say"][lang.value]
        for key, stored in _content(Course.CALLS)["lines"].items()
        if "say" in stored
    }


@cache
def _signs() -> Mapping[Line, tuple[str, ...]]:
    return {
        Line(key): tuple(sign.casefold() for sign in stored["signs"])
        for key, stored in _content(Course.CALLS)["lines"].items()
    }


def line_of_words(
    words: str, sentences: Mapping[Line, str], among: Collection[Line] = LINES[Course.CALLS]
) -> Line:
    """The line that these typed words are: the one of `sentences` that is in them; else the one of `among` with the
    most of its signs in them, the first of several.
    """
    typed = words.casefold()
    for line, sentence in sentences.items():
        if sentence.casefold() in typed:
            return line
    found = {line: sum(sign in typed for sign in signs) for line, signs in _signs().items() if line in among}
    best = max(found, key=lambda line: found[line])
    return best if found[best] else Line.OTHER
