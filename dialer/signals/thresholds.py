"""The thresholds of a rule: the figures in its file that decide when it fires and what it is worth, each with words,
and the text of the file with other figures. Comparison of two sets of rules in words. Pure.

A figure is changed in the text itself, so that comments, examples and order stay as they were written.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from dialer.core.errors import Invalid
from dialer.core.text import Text, gettext_noop
from dialer.core.values import Grade
from dialer.signals.conditions import asked_by, figure_words, where_words
from dialer.signals.rules import Aggregate, Feature, Rule

_AMOUNT, _DURATION, _HOURS = "amount_fen", "duration_seconds", frozenset({"known_hours", "listed_hours"})
_FEN, _MINUTE, _HOUR = 100, 60, 3600
_FIGURE: Final = re.compile(r"((?:>=|<=|!=|=|>|<)\s*)([0-9]+(?:\.[0-9]+)?)")
_POINTS: Final = re.compile(r"^points\s*=\s*[0-9]+", re.MULTILINE)
_FLOOR: Final = re.compile(r"^floor\s*=\s*[\"'][a-z_]+[\"']\n?", re.MULTILINE)
_WITHIN: Final = re.compile(r"^(within\s*=\s*)[\"'][0-9a-z]+[\"']", re.MULTILINE)
YUAN, MINUTES, HOURS, TIMES, NUMBER = (
    gettext_noop("yuan"), gettext_noop("minutes"), gettext_noop("hours"), gettext_noop("times"), ""
)  # fmt: skip
_SIZES: Final[Mapping[str, int]] = {YUAN: _FEN, MINUTES: _MINUTE, HOURS: _HOUR}


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A figure of a rule that can be changed by itself: its place in the file, what it means, and as it is now in
    `unit` ('' for a number).
    """

    name: str
    what: Text
    unit: str
    value: str


def thresholds_of(rule: Rule) -> tuple[Threshold, ...]:
    """The figures of its conditions, then the windows and the tests of single signals of its features."""
    raw = tomllib.loads(rule.text)
    found = []
    for key, tests in (("when", rule.all_of), ("any", rule.any_of)):
        for place, test in enumerate(tests):
            if _FIGURE.search(raw[key][place]):
                unit = TIMES if test.other else _unit_of(rule.features[test.feature])
                what = asked_by(test, rule.features)
                found.append(_threshold(f"{key}.{place}", what, unit, Decimal(str(test.factor))))
    for name, feature in rule.features.items():
        window = Text("Window of the %(what)s", what=figure_words(feature))
        found.append(_threshold(f"within.{name}", window, HOURS, Decimal(feature.within_seconds)))
        for place, where in enumerate(feature.where):
            unit = {_AMOUNT: YUAN, _DURATION: MINUTES}.get(where.name, NUMBER)
            if where.name in {_AMOUNT, _DURATION, *_HOURS}:
                what = Text("Counted are signals %(test)s", test=where_words(where, feature.kinds[0]))
                found.append(_threshold(f"where.{name}.{place}", what, unit, Decimal(int(where.values[0]))))
    return tuple(found)


def _unit_of(feature: Feature) -> str:
    if feature.aggregate in {Aggregate.COUNT, Aggregate.DISTINCT}:
        return NUMBER
    return {_AMOUNT: YUAN, _DURATION: MINUTES}[feature.field]


def _threshold(name: str, what: Text, unit: str, stored: Decimal) -> Threshold:
    value = stored / _SIZES.get(unit, 1)
    return Threshold(name=name, what=what, unit=unit, value=f"{value.normalize():f}"[:12])


def with_thresholds(rule: Rule, given: Mapping[str, str], *, points: str, floor: str) -> str:
    """The text of the rule with these figures by the name of their threshold; those that are not given stay. Raises
    `Invalid` for what is no number, and for a figure that has no place in the text that this finds.
    """
    text = rule.text
    for threshold in thresholds_of(rule):
        value = given.get(threshold.name, threshold.value).strip()
        if value != threshold.value:
            text = _changed(text, threshold, _number(threshold.name, value))
    if _whole("points", points) != rule.points:
        text = _POINTS.sub(f"points = {_whole('points', points)}", text, count=1)
    if floor not in {"", *Grade}:
        raise Invalid(field="floor", problem="is not a grade")
    if floor != (rule.floor.value if rule.floor else ""):
        text = _FLOOR.sub("", text, count=1)
        if floor:
            text = _POINTS.sub(lambda found: f'{found[0]}\nfloor = "{floor}"', text, count=1)
    return text


def _number(field: str, value: str) -> Decimal:
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise Invalid(field=field, problem="is not a number") from None
    if not number.is_finite() or number < 0:
        raise Invalid(field=field, problem="is not a number")
    return number


def _whole(field: str, value: str) -> int:
    number = _number(field, value)
    if number != int(number):
        raise Invalid(field=field, problem="is not a whole number")
    return int(number)


def _changed(text: str, threshold: Threshold, value: Decimal) -> str:
    kind, _, place = threshold.name.partition(".")
    stored = value * _SIZES.get(threshold.unit, 1)
    if threshold.unit != TIMES:
        if stored != int(stored):
            raise Invalid(field=threshold.name, problem="is not a whole number")
        stored = Decimal(int(stored))
    raw = tomllib.loads(text)
    if kind in {"when", "any"}:
        return _with_figure(text, raw[kind][int(place)], stored, threshold.name)
    name, _, number = place.partition(".")
    head, section, tail = _section(text, name, threshold.name)
    if kind == "within":
        changed = _WITHIN.sub(lambda found: f'{found[1]}"{_period(int(stored))}"', section, count=1)
    else:
        changed = _with_figure(section, raw["features"][name]["where"][int(number)], stored, threshold.name)
    if changed == section:
        raise _nowhere(threshold.name)
    return head + changed + tail


def _period(seconds: int) -> str:
    for size, unit in ((_HOUR, "h"), (_MINUTE, "m")):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _with_figure(text: str, condition: str, value: Decimal, field: str) -> str:
    changed = _FIGURE.sub(lambda found: f"{found[1]}{value.normalize():f}", condition, count=1)
    for quote in "\"'":
        if (written := f"{quote}{condition}{quote}") in text:
            return text.replace(written, f"{quote}{changed}{quote}", 1)
    raise _nowhere(field)


def _section(text: str, feature: str, field: str) -> tuple[str, str, str]:
    heading = re.search(rf"^\[features\.{re.escape(feature)}\]\s*\n", text, re.MULTILINE)
    if heading is None:
        raise _nowhere(field)
    following = re.compile(r"^\[", re.MULTILINE).search(text, heading.end())
    end = following.start() if following else len(text)
    return text[: heading.end()], text[heading.end() : end], text[end:]


def _nowhere(field: str) -> Invalid:
    return Invalid(field=field, problem="is not written as usual", fix="change it in the TOML of the rule")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that a change of a rule does. `before` and `after` are empty where it was not there or is no more."""

    what: str
    before: tuple[Text | Grade, ...] = ()
    after: tuple[Text | Grade, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChange:
    """What became of one rule between two versions. `before` and `after`: None where it is not in that version.
    `differences` is empty where only examples or remarks differ.
    """

    before: Rule | None
    after: Rule | None
    differences: tuple[Difference, ...]

    @property
    def rule(self) -> Rule:
        """The rule as it is now, or as it was when it is gone."""
        found = self.after or self.before
        assert found is not None
        return found


def compare_rules(
    before: Sequence[tuple[Rule, int]], after: Sequence[tuple[Rule, int]]
) -> tuple[RuleChange, ...]:
    """The rules that differ, by their ids. Each comes with the points that it has in its version."""
    old, new = ({rule.id: (rule, points) for rule, points in given} for given in (before, after))
    return tuple(
        RuleChange(
            before=old[name][0] if name in old else None,
            after=new[name][0] if name in new else None,
            differences=tuple(_differences(old.get(name), new.get(name))),
        )
        for name in sorted({*old, *new})
        if old.get(name) is None
        or new.get(name) is None
        or (old[name][0].text, old[name][1]) != (new[name][0].text, new[name][1])
    )


def _differences(old: tuple[Rule, int] | None, new: tuple[Rule, int] | None) -> Iterator[Difference]:
    if old is None or new is None:
        return
    before, after = rule_words(*old), rule_words(*new)
    for what, was in before.items():
        now = after[what]
        if was != now:
            yield Difference(
                what=what,
                before=tuple(line for line in was if line not in now),
                after=tuple(line for line in now if line not in was),
            )


POINTS: Final = gettext_noop("Points")
LEAST_GRADE: Final = gettext_noop("Least grade")
ALL_OF: Final = gettext_noop("All of these must hold")
ANY_OF: Final = gettext_noop("One of these must hold")


def rule_words(rule: Rule, points: int) -> Mapping[str, tuple[Any, ...]]:
    """A rule in words: by what is said, the lines that say it."""
    days = {name: (_plain(day.date().isoformat()),) if day else () for name, day in _days(rule).items()}
    return {
        ALL_OF: tuple(asked_by(test, rule.features) for test in rule.all_of),
        ANY_OF: tuple(asked_by(test, rule.features) for test in rule.any_of),
        POINTS: (Text("%(points)s", points=points),),
        LEAST_GRADE: (rule.floor,) if rule.floor else (),
        gettext_noop("Fraud type"): (rule.fraud_type or Text("as its signals say"),),
        gettext_noop("What it does"): (
            Text("adds points") if rule.effect.value == "points" else Text("takes points off"),
        ),
        **days,
        gettext_noop("Name in Chinese"): (_plain(rule.title["zh"]),),
        gettext_noop("Name in English"): (_plain(rule.title["en"]),),
        gettext_noop("Reason in Chinese"): (_plain(rule.reason["zh"]),),
        gettext_noop("Reason in English"): (_plain(rule.reason["en"]),),
    }


def _days(rule: Rule) -> Mapping[str, Any]:
    return {
        gettext_noop("In effect from"): rule.since,
        gettext_noop("In effect until"): rule.until,
    }


def _plain(text: str) -> Text:
    return Text("%(text)s", text=text)
