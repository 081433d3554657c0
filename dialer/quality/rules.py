"""The rules by which recorded calls are inspected: pure functions over the words of a transcript.

A rule passes, finds seconds, or abstains. It abstains where too many words are unsure to judge, and where what it found
rests on unsure words: then its findings are seconds to listen to, and count for nobody.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dialer.core.errors import Invalid
from dialer.core.inspection import Outcome, Side
from dialer.core.text import Lang, Text
from dialer.quality.model import Turn, Word, in_order, turns_of, unsure_count

_NOT_SPOKEN: Final = re.compile(r"[^\w]")
_CLAUSE_END: Final = re.compile(r"[,.!?;，。！？；]\s*$")
_CJK: Final = re.compile(r"[\u4e00-\u9fff]")
_VOWELS: Final = re.compile(r"[aeiouy]+")
_FEWEST_WORDS: Final = 3
"""With fewer words of the side nothing is known of what it did not say."""


class RuleKind(StrEnum):
    """What a rule looks at."""

    SAYS = "says"
    NEVER = "never"
    ORDER = "order"
    TALK_OVER = "talk_over"
    SILENCE = "silence"
    HOLD = "hold"
    PACE = "pace"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(_Part):
    """One rule, as rules.toml says it. Seconds of the recording; `needs`: percent."""

    id: str = Field(pattern=r"^[a-z][a-z_]{2,30}$")
    title: dict[Lang, str]
    kind: RuleKind
    side: Side | None = None
    gate: bool = False
    points: int = Field(default=0, ge=0, le=100)
    says: tuple[tuple[str, ...], ...] = ()
    """Any of these: each a meaning, of concepts that are all said."""
    unless: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    then: tuple[tuple[str, ...], ...] = ()
    within_seconds: float = Field(default=5.0, gt=0, le=60)
    from_begin_seconds: float | None = Field(default=None, gt=0)
    to_end_seconds: float | None = Field(default=None, gt=0)
    longest_seconds: float = Field(default=0.0, ge=0)
    most_syllables_a_second: float = Field(default=0.0, ge=0)
    needs: int = Field(ge=0, le=100)

    @model_validator(mode="after")
    def _is_whole(self) -> Rule:
        needed = {
            RuleKind.SAYS: bool(self.says),
            RuleKind.NEVER: bool(self.says),
            RuleKind.ORDER: bool(self.first and self.then),
            RuleKind.HOLD: bool(self.says) and self.longest_seconds > 0,
            RuleKind.PACE: self.most_syllables_a_second > 0 and self.longest_seconds > 0,
        }.get(self.kind, self.longest_seconds > 0)
        if not needed or (self.side is None and self.kind is not RuleKind.SILENCE):
            raise Invalid(field="rules", problem=Text("%(rule)s lacks what its kind needs", rule=self.id))
        if self.gate == bool(self.points):
            raise Invalid(
                field="rules", problem=Text("%(rule)s is either a hard gate or has points", rule=self.id)
            )
        return self

    def text(self, lang: Lang) -> str:
        """Its title."""
        return self.title[lang]


class Catalogue(_Part):
    """Rules with the concepts that they name."""

    concepts: dict[str, tuple[str, ...]]
    rule: tuple[Rule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_whole(self) -> Catalogue:
        names = [rule.id for rule in self.rule]
        if len(set(names)) != len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise Invalid(field="rules", problem=Text("two rules are called %(rule)s", rule=twice))
        for rule in self.rule:
            named = {*rule.first, *rule.unless, *(one for each in (*rule.says, *rule.then) for one in each)}
            if unknown := named - self.concepts.keys():
                raise Invalid(
                    field="rules",
                    problem=Text(
                        "%(rule)s names concepts that are not in the file: %(names)s",
                        rule=rule.id,
                        names=", ".join(sorted(unknown)),
                    ),
                )
            if set(rule.title) != set(Lang) or not all(rule.title.values()):
                raise Invalid(
                    field="rules", problem=Text("%(rule)s has no title in both languages", rule=rule.id)
                )
        for name, ways in self.concepts.items():
            if not ways or not all(map(_plain, ways)):
                raise Invalid(
                    field="rules", problem=Text("nothing is said for the concept %(name)s", name=name)
                )
        return self


def read_catalogue(toml: str) -> Catalogue:
    """The catalogue in this text. Raises `Invalid` with the first thing that is wrong."""
    try:
        return Catalogue.model_validate(tomllib.loads(toml))
    except (tomllib.TOMLDecodeError, RecursionError) as fault:
        raise Invalid(field="rules", problem=Text("is no TOML: %(error)s", error=str(fault))) from None
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        why = f"{place}: {first['msg']}".removeprefix(": ")
        raise Invalid(field="rules", problem=Text("%(why)s", why=why)) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Seconds to listen to."""

    begin: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a rule says of one call. `spans`: of what was found, or, where it abstains, of what may be it; of something
    that was not said there are none.
    """

    rule_id: str
    outcome: Outcome
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardCall:
    """The words of a call, how long it was, and whether it could be read at all."""

    words: tuple[Word, ...]
    seconds: float

    def of(self, side: Side) -> list[Word]:
        """What this side said, in order."""
        return [word for word in in_order(self.words) if word.side is side]


def judge(catalogue: Catalogue, call: HeardCall) -> list[Judgement]:
    """What every rule says of this call, in the order of the rules."""
    return [_JUDGES[rule.kind](rule, catalogue, call) for rule in catalogue.rule]


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidAt:
    """Who said what was looked for, and when, in seconds. `is_sure`: every word of it is."""

    side: Side
    begin: float
    is_sure: bool


def find_said(words: Sequence[Word], sought: str) -> list[SaidAt]:
    """Where somebody said this, whatever its spaces, marks and case, in order; nowhere if it has no sign."""
    if not _plain(sought):
        return []
    found = [
        SaidAt(side=side, begin=place.begin, is_sure=place.is_sure)
        for side in Side
        for place in _Spoken.of([word for word in in_order(words) if word.side is side]).places([sought])
    ]
    return sorted(found, key=lambda one: (one.begin, one.side is not Side.OURS))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A meaning that was said. `is_sure`: every word of it is. `first`, `last`: its words, by number."""

    begin: float
    end: float
    is_sure: bool
    first: int
    last: int

    @property
    def span(self) -> Span:
        return Span(begin=self.begin, end=self.end)


def _plain(text: str) -> str:
    """Without spaces, marks and upper case, as words are compared."""
    return _NOT_SPOKEN.sub("", text).casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spoken:
    """What one side said as one text, and the word of each character."""

    text: str
    word_at: tuple[int, ...]
    words: tuple[Word, ...]

    @classmethod
    def of(cls, words: Sequence[Word]) -> _Spoken:
        plain = [_plain(word.text) for word in words]
        owners = tuple(number for number, text in enumerate(plain) for _ in text)
        return cls(text="".join(plain), word_at=owners, words=tuple(words))

    def places(self, ways: Iterable[str]) -> Iterator[_Found]:
        """Where one of these ways is said."""
        for way in map(_plain, ways):
            at = self.text.find(way)
            while at >= 0:
                first, last = self.word_at[at], self.word_at[at + len(way) - 1]
                own = self.words[first : last + 1]
                is_sure = not any(word.is_unsure for word in own)
                yield _Found(begin=own[0].begin, end=own[-1].end, is_sure=is_sure, first=first, last=last)
                at = self.text.find(way, at + 1)

    def excuses(self, exception: _Found, found: _Found) -> bool:
        """Whether the exception is said in the clause in which what was found begins, or within it."""
        if exception.first >= found.first:
            return exception.first <= found.last
        between = self.words[exception.last : found.first]
        return not any(_CLAUSE_END.search(word.text) for word in between)


def _meanings(
    catalogue: Catalogue, spoken: _Spoken, names: Sequence[str], *, within: float, unless: Sequence[str] = ()
) -> list[_Found]:
    """Where all of these concepts are said within so many seconds, and none of the exceptions beside them, in order. Of
    two readings of a place the sure one counts.
    """
    firsts, *others = (list(spoken.places(catalogue.concepts[name])) for name in names)
    excused = [found for name in unless for found in spoken.places(catalogue.concepts[name])]
    met: list[_Found] = []
    for anchor in firsts:
        parts = [anchor]
        for places in others:
            near = [one for one in places if _apart(anchor, one) <= within]
            if not near:
                break
            parts.append(min(near, key=lambda one: (not one.is_sure, _apart(anchor, one))))
        else:
            whole = _Found(
                begin=min(one.begin for one in parts),
                end=max(one.end for one in parts),
                is_sure=all(one.is_sure for one in parts),
                first=min(one.first for one in parts),
                last=max(one.last for one in parts),
            )
            if not any(_apart(whole, one) <= within and spoken.excuses(one, whole) for one in excused):
                met.append(whole)
    return sorted(met, key=lambda one: (one.begin, one.end))


def _apart(one: _Found, other: _Found) -> float:
    return max(one.begin - other.end, other.begin - one.end, 0.0)


def _can_judge(rule: Rule, words: Sequence[Word]) -> bool:
    """Whether enough of these words are sure."""
    return len(words) >= _FEWEST_WORDS and 100 * unsure_count(words) <= rule.needs * len(words)


def _any_meaning(rule: Rule, catalogue: Catalogue, words: Sequence[Word]) -> list[_Found]:
    spoken = _Spoken.of(words)
    found = [
        one
        for names in rule.says
        for one in _meanings(catalogue, spoken, names, within=rule.within_seconds, unless=rule.unless)
    ]
    return sorted(found, key=lambda one: (one.begin, one.end))


def _judged(rule: Rule, outcome: Outcome, found: Iterable[_Found | Span] = ()) -> Judgement:
    spans = [one if isinstance(one, Span) else one.span for one in found]
    return Judgement(rule_id=rule.id, outcome=outcome, spans=tuple(dict.fromkeys(spans)))


def _side(rule: Rule) -> Side:
    assert rule.side is not None
    return rule.side


def _judge_says(rule: Rule, catalogue: Catalogue, call: HeardCall) -> Judgement:
    """Said for sure: passed. Said perhaps, or not and too much is unsure: abstains."""
    words = call.of(_side(rule))
    if rule.from_begin_seconds is not None:
        begin = words[0].begin if words else 0.0
        words = [word for word in words if word.begin <= begin + rule.from_begin_seconds]
    if rule.to_end_seconds is not None:
        end = words[-1].end if words else 0.0
        words = [word for word in words if word.end >= end - rule.to_end_seconds]
    found = _any_meaning(rule, catalogue, words)
    if any(one.is_sure for one in found):
        return _judged(rule, Outcome.PASSED, [one for one in found if one.is_sure][:1])
    if found or not _can_judge(rule, words):
        return _judged(rule, Outcome.ABSTAINED, found)
    return _judged(rule, Outcome.FAILED)


def _judge_never(rule: Rule, catalogue: Catalogue, call: HeardCall) -> Judgement:
    words = call.of(_side(rule))
    found = _any_meaning(rule, catalogue, words)
    sure = [one for one in found if one.is_sure]
    if sure:
        return _judged(rule, Outcome.FAILED, sure)
    if found or not _can_judge(rule, words):
        return _judged(rule, Outcome.ABSTAINED, found)
    return _judged(rule, Outcome.PASSED)


def _judge_order(rule: Rule, catalogue: Catalogue, call: HeardCall) -> Judgement:
    """Fails where the second thing is said for sure before the first; what comes before is read for it, too."""
    words = call.of(_side(rule))
    spoken = _Spoken.of(words)
    then = sorted(
        (
            one
            for names in rule.then
            for one in _meanings(catalogue, spoken, names, within=rule.within_seconds)
        ),
        key=lambda one: one.begin,
    )
    if not _can_judge(rule, words):
        return _judged(rule, Outcome.ABSTAINED, then[:1])
    if not then:
        return _judged(rule, Outcome.PASSED)
    first = _meanings(catalogue, spoken, rule.first, within=rule.within_seconds)
    before = [one for one in first if one.begin <= then[0].begin]
    if any(one.is_sure for one in before):
        return _judged(rule, Outcome.PASSED)
    earlier = [word for word in words if word.end <= then[0].begin]
    if before or not then[0].is_sure or (earlier and 100 * unsure_count(earlier) > rule.needs * len(earlier)):
        return _judged(rule, Outcome.ABSTAINED, then[:1])
    return _judged(rule, Outcome.FAILED, then[:1])


def _judge_talk_over(rule: Rule, _catalogue: Catalogue, call: HeardCall) -> Judgement:
    """Begins to speak while the other speaks, and both speak on for longer than allowed."""
    if not _can_judge(rule, call.words):
        return _judged(rule, Outcome.ABSTAINED)
    sure = [word for word in call.words if not word.is_unsure]
    turns = turns_of(sure)
    own = [turn for turn in turns if turn.side is rule.side]
    others = [turn for turn in turns if turn.side is not rule.side]
    found = [
        Span(begin=turn.begin, end=min(turn.end, other.end))
        for turn in own
        for other in others
        if other.begin < turn.begin < other.end
        and min(turn.end, other.end) - turn.begin > rule.longest_seconds
    ]
    return _judged(rule, Outcome.FAILED if found else Outcome.PASSED, found)


def _gaps(call: HeardCall) -> Iterator[Span]:
    """Where nobody speaks, from the first word on to the end of the call."""
    heard = -1.0
    for word in in_order(call.words):
        if 0 <= heard < word.begin:
            yield Span(begin=heard, end=word.begin)
        heard = max(heard, word.end)
    if 0 <= heard < call.seconds:
        yield Span(begin=heard, end=call.seconds)


def _judge_silence(rule: Rule, _catalogue: Catalogue, call: HeardCall) -> Judgement:
    if not _can_judge(rule, call.words):
        return _judged(rule, Outcome.ABSTAINED)
    found = [gap for gap in _gaps(call) if gap.end - gap.begin > rule.longest_seconds]
    return _judged(rule, Outcome.FAILED if found else Outcome.PASSED, found)


def _judge_hold(rule: Rule, catalogue: Catalogue, call: HeardCall) -> Judgement:
    """Asks to wait, and then says nothing for longer than allowed."""
    words = call.of(_side(rule))
    begins = [word.begin for word in words]
    found = []
    for asked in _any_meaning(rule, catalogue, words):
        after = bisect_right(begins, asked.end)
        again = begins[after] if after < len(begins) else call.seconds
        if again - asked.end > rule.longest_seconds:
            found.append(replace(asked, end=again))
    sure = [one for one in found if one.is_sure]
    if sure:
        return _judged(rule, Outcome.FAILED, sure)
    if found or not _can_judge(rule, words):
        return _judged(rule, Outcome.ABSTAINED, found)
    return _judged(rule, Outcome.PASSED)


def _judge_pace(rule: Rule, _catalogue: Catalogue, call: HeardCall) -> Judgement:
    """In turns of at least `longest_seconds`, syllables a second."""
    words = call.of(_side(rule))
    if not _can_judge(rule, words):
        return _judged(rule, Outcome.ABSTAINED)
    found = [
        Span(begin=turn.begin, end=turn.end)
        for turn in turns_of(words)
        if turn.end - turn.begin >= rule.longest_seconds
        and _syllables(turn) / (turn.end - turn.begin) > rule.most_syllables_a_second
    ]
    return _judged(rule, Outcome.FAILED if found else Outcome.PASSED, found)


def _syllables(turn: Turn) -> int:
    """Characters of Chinese, groups of vowels of other words."""
    text = turn.text.casefold()
    return len(_CJK.findall(text)) + len(_VOWELS.findall(_CJK.sub(" ", text)))


_JUDGES: Final[Mapping[RuleKind, Any]] = {
    RuleKind.SAYS: _judge_says,
    RuleKind.NEVER: _judge_never,
    RuleKind.ORDER: _judge_order,
    RuleKind.TALK_OVER: _judge_talk_over,
    RuleKind.SILENCE: _judge_silence,
    RuleKind.HOLD: _judge_hold,
    RuleKind.PACE: _judge_pace,
}
