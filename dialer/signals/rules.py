"""Rules of the warning robot: read from TOML, checked, and identified by the hash of their content. Pure.

A rule has a condition over features of one person, points, a reason in both languages, a fraud type, the days on which
it is in effect, and its own examples. docs/signals.md describes the file; `features.py` compiles it.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any, Final, TypeVar

from dialer.core.errors import Refusal
from dialer.core.text import Text
from dialer.core.values import FraudType, Grade
from dialer.signals.model import (
    FIELDS_OF_SIGNAL,
    FLAGS,
    ITEM_KINDS_OF_SIGNAL,
    NUMBERS,
    Direction,
    ListKind,
    Reporter,
    SignalKind,
    Topic,
)

LONGEST_WINDOW_HOURS: Final = 14 * 24
"""A longer window would contain more signals of each person than fit in memory."""
MOST_POINTS: Final = 100
BY_SIGNAL: Final = "signal"
"""As the fraud type of a rule: the type that its signals state."""


class RuleUnreadable(Refusal):
    """A rule that cannot be read: its file, its id (empty if that is missing), the problem and what to write."""

    def __init__(self, *, file: str, rule: str, problem: Text, fix: Text) -> None:
        self.file, self.rule, self.problem = file, rule, problem
        self.fix: Text = fix
        super().__init__(
            Text("%(file)s: rule %(rule)s: %(problem)s", file=file, rule=rule or "?", problem=problem)
        )


class Aggregate(StrEnum):
    """How a feature makes a figure from the signals that it selects."""

    COUNT = "count"
    SUM = "sum"
    MAX = "max"
    DISTINCT = "distinct"


class Effect(StrEnum):
    """Whether a rule adds its points to the score or takes them off."""

    POINTS = "points"
    MITIGATOR = "mitigator"


class Op(StrEnum):
    """How a value is compared."""

    EQ = "="
    NE = "!="
    GE = ">="
    LE = "<="
    GT = ">"
    LT = "<"
    IN = "in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """One test of a signal: `name` is a field of its kind, or `listed`, `known_hours` or `listed_hours`."""

    name: str
    op: Op
    values: tuple[int | str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A figure of one person at a moment: an aggregate over the signals of `kinds` in the window before it.

    `field`: what a sum or maximum is taken of, or the item whose distinct values are counted. `per_item`: the largest
    figure of any one item instead of the figure of all together. `after`: only signals later than one that this other
    feature counted, by at most `gap_seconds` unless that is 0.
    """

    aggregate: Aggregate
    kinds: tuple[SignalKind, ...]
    field: str
    where: tuple[Where, ...]
    within_seconds: int
    per_item: bool
    after: Feature | None
    gap_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """`feature op factor * other`, or `feature op factor` without `other`."""

    __test__ = False

    feature: str
    op: Op
    factor: float
    other: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Signals of one person for which the rule must fire, or must not. `signals` are raw records: `at` is the offset in
    seconds, and items may have any names.
    """

    name: str
    fires: bool
    signals: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One immutable version of a rule. It fires where every test of `all_of` passes and, if there are any, one of
    `any_of`.

    `points` apply unless a scorecard replaces them. `floor`: the lowest grade of a warning for which the rule fired.
    `fraud_type` None: the type that its signals state. `text` is the content of its file.
    """

    id: str
    title: Mapping[str, str]
    reason: Mapping[str, str]
    effect: Effect
    points: int
    floor: Grade | None
    fraud_type: FraudType | None
    since: datetime | None
    until: datetime | None
    features: Mapping[str, Feature]
    all_of: tuple[Test, ...]
    any_of: tuple[Test, ...]
    examples: tuple[Example, ...]
    text: str
    content_hash: str

    @property
    def version(self) -> str:
        """The first twelve digits of the content hash."""
        return self.content_hash[:12]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules in the order of their ids; `content_hash` changes with any of them."""

    rules: tuple[Rule, ...]
    content_hash: str

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> RuleSet:
        """A set of these rules. Raises `ValueError` if two of them have the same id."""
        ordered = tuple(sorted(rules, key=lambda rule: rule.id))
        ids = [rule.id for rule in ordered]
        if len(set(ids)) != len(ids):
            raise ValueError("two rules with one id")
        content = json.dumps([[rule.id, rule.content_hash] for rule in ordered])
        return cls(ordered, hashlib.sha256(content.encode()).hexdigest())

    def __getitem__(self, rule_id: str) -> Rule:
        return next(rule for rule in self.rules if rule.id == rule_id)


_Enum = TypeVar("_Enum", bound=StrEnum)
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,47}")
_PERIOD: Final = re.compile(r"([1-9][0-9]{0,4})(s|m|h|d)")
_UNIT: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_WHERE: Final = re.compile(r"([a-z_]+)\s*(>=|<=|!=|=|>|<|\bin\b)\s*(.+)")
_TEST: Final = re.compile(
    r"([a-z][a-z0-9_]*)\s*(>=|<=|!=|=|>|<)\s*(?:([0-9]+(?:\.[0-9]+)?)(?:\s*\*\s*([a-z][a-z0-9_]*))?|([a-z][a-z0-9_]*))"
)
BLANK: Final = re.compile(r"\{([a-z][a-z0-9_]*)(?::(yuan|minutes|hours))?(?:\|([^{}|]+)\|([^{}|]+))?\}")
"""A figure in a reason: its feature, its format, and the words that follow one and more than one, if any."""
_KEYS: Final = frozenset(
    {
        "id", "title", "reason", "effect", "points", "floor", "fraud_type", "from", "until", "when", "any", "features",
        "examples",
    }
)  # fmt: skip
_FEATURE_KEYS: Final = frozenset({*Aggregate, "where", "within", "per_item", "after", "gap"})
_DERIVED: Final = ("known_hours", "listed_hours")
_WORDS: Final[Mapping[str, frozenset[str]]] = {
    "direction": frozenset(Direction),
    "topic": frozenset(Topic),
    "reporter": frozenset(Reporter),
    "fraud_type": frozenset(FraudType),
    "grade": frozenset(Grade),
    "listed": frozenset(ListKind),
}


class _Wrong(Exception):
    def __init__(self, problem: Text, fix: str | Text) -> None:
        super().__init__()
        self.problem, self.fix = problem, Text.of(fix)


def read_rule(text: str, *, file: str) -> Rule:
    """The rule in the text of one TOML file. Raises `RuleUnreadable` for the first fault."""
    rule_id = ""
    try:
        try:
            raw = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise _Wrong(
                Text("is not TOML: %(error)s", error=str(error)), Text("correct that line")
            ) from None
        rule_id = str(raw.get("id", ""))
        return _rule(raw, text)
    except _Wrong as wrong:
        raise RuleUnreadable(file=file, rule=rule_id, problem=wrong.problem, fix=wrong.fix) from None


def _rule(raw: Mapping[str, Any], text: str) -> Rule:
    _only(raw, _KEYS, "rule")
    rule_id = _need(raw, "id", str)
    if not _NAME.fullmatch(rule_id):
        raise _Wrong(Text("id is not a name"), Text("use up to 48 lower-case letters, digits and _"))
    effect = _word(raw.get("effect", "points"), Effect, "effect")
    points = _need(raw, "points", int)
    if not 0 <= points <= MOST_POINTS:
        raise _Wrong(
            Text("points are %(points)s", points=points),
            Text(
                "write 0 to %(most)s; a rule that takes points off has effect = 'mitigator'", most=MOST_POINTS
            ),
        )
    floor = _word(raw["floor"], Grade, "floor") if "floor" in raw else None
    if floor is not None and effect is Effect.MITIGATOR:
        raise _Wrong(Text("a mitigator has a floor"), Text("leave floor out"))
    features = _features(_need(raw, "features", dict))
    all_of = tuple(_test(condition, features) for condition in _texts(raw.get("when", []), "when"))
    any_of = tuple(_test(condition, features) for condition in _texts(raw.get("any", []), "any"))
    if not all_of and not any_of:
        raise _Wrong(Text("has no condition"), Text("write when = ['feature >= 1']"))
    title, reason = _in_both_languages(raw, "title"), _in_both_languages(raw, "reason")
    for language, template in reason.items():
        unknown = {found[1] for found in BLANK.finditer(template)} - set(features)
        if unknown or "{" in BLANK.sub("", template):
            raise _Wrong(
                Text("reason.%(language)s names a value that is not a feature", language=language),
                Text(
                    "use {name}, {name:yuan}, {name:minutes}, {name:hours} or {name|call|calls} of: %(names)s",
                    names=_list(features),
                ),
            )
    fraud_type = raw.get("fraud_type", FraudType.UNKNOWN.value)
    since, until = _day(raw, "from"), _day(raw, "until")
    if since and until and until <= since:
        raise _Wrong(Text("until is not after from"), Text("correct one of the two days"))
    content = json.dumps(raw, sort_keys=True, ensure_ascii=False, default=str)
    return Rule(
        id=rule_id, title=title, reason=reason, effect=effect, points=points, floor=floor,
        fraud_type=None if fraud_type == BY_SIGNAL else _word(fraud_type, FraudType, "fraud_type"),
        since=since, until=until, features=features, all_of=all_of, any_of=any_of,
        examples=tuple(_example(example) for example in raw.get("examples", [])),
        text=text, content_hash=hashlib.sha256(content.encode()).hexdigest(),
    )  # fmt: skip


def _features(raw: Mapping[str, Any]) -> Mapping[str, Feature]:
    made: dict[str, Feature] = {}
    for name, table in raw.items():
        if not _NAME.fullmatch(name) or not isinstance(table, dict):
            raise _Wrong(
                Text("feature %(name)s is not a table with a usable name", name=name),
                Text("correct its heading"),
            )
        made[name] = _feature(name, table, made)
    return made


def _feature(name: str, raw: Mapping[str, Any], before: Mapping[str, Feature]) -> Feature:
    place = f"features.{name}"
    _only(raw, _FEATURE_KEYS, place)
    which = [known for known in Aggregate if known in raw]
    if len(which) != 1:
        raise _Wrong(
            Text("%(place)s needs one of count, sum, max and distinct", place=place),
            Text("write count = 'call', for example"),
        )
    aggregate = which[0]
    given = raw[aggregate]
    parts = [
        part.partition(".")
        for part in ([given] if isinstance(given, str) else _texts(given, f"{place}.{aggregate}"))
    ]
    kinds = tuple(_word(kind, SignalKind, place) for kind, _, _ in parts)
    fields = {field for _, _, field in parts}
    if len(fields) != 1 or SignalKind.LIST_CHANGE in kinds:
        raise _Wrong(
            Text("%(place)s mixes fields, or counts list changes", place=place),
            Text("use one field, and listed"),
        )
    (field,) = fields
    allowed = {
        Aggregate.COUNT: {""},
        Aggregate.DISTINCT: {ITEM_KINDS_OF_SIGNAL[kind][0].value for kind in kinds},
    }.get(
        aggregate, {number for number in NUMBERS if all(number in FIELDS_OF_SIGNAL[kind] for kind in kinds)}
    )
    if field not in allowed or (aggregate is Aggregate.DISTINCT and len(allowed) != 1):
        raise _Wrong(
            Text("%(place)s cannot take the %(what)s of this", place=place, what=aggregate.value),
            Text("allowed after the kind: %(allowed)s", allowed=_list(allowed) or "-"),
        )
    after = raw.get("after")
    if after is not None and after not in before:
        raise _Wrong(
            Text("%(place)s comes after a feature that is not above it", place=place),
            Text("one of: %(names)s", names=_list(before) or "-"),
        )
    if "gap" in raw and after is None:
        raise _Wrong(
            Text("%(place)s has a gap without after", place=place), Text("add after, or leave gap out")
        )
    return Feature(
        aggregate=aggregate, kinds=kinds, field=field,
        where=tuple(_where(test, kinds, place) for test in _texts(raw.get("where", []), f"{place}.where")),
        within_seconds=_period(raw.get("within"), f"{place}.within"),
        per_item=bool(raw.get("per_item", False)),
        after=before[after] if after is not None else None,
        gap_seconds=_period(raw["gap"], f"{place}.gap") if "gap" in raw else 0,
    )  # fmt: skip


def _where(text: str, kinds: Sequence[SignalKind], place: str) -> Where:
    found = _WHERE.fullmatch(text.strip())
    if found is None:
        raise _Wrong(
            Text("%(place)s: %(text)s is not a test", place=place, text=text),
            Text("write name = value, with =, !=, >=, <=, in"),
        )
    name, op, written = found[1], Op(found[2]), found[3].split()
    known = {
        field
        for field in FIELDS_OF_SIGNAL[kinds[0]]
        if all(field in FIELDS_OF_SIGNAL[kind] for kind in kinds)
    }
    has_items = not {SignalKind.PLATFORM_PUSH, SignalKind.REPORT} & set(kinds)
    known |= {"listed", *_DERIVED} if has_items else set()
    if name not in known:
        raise _Wrong(
            Text("%(place)s: %(name)s is not known of %(kinds)s", place=place, name=name, kinds=_list(kinds)),
            Text("one of: %(names)s", names=_list(known)),
        )
    if len(written) != 1 and op is not Op.IN:
        raise _Wrong(
            Text("%(place)s: %(name)s has several values", place=place, name=name),
            Text("write in instead of ="),
        )
    if name in _WORDS:
        if op not in {Op.EQ, Op.NE, Op.IN}:
            raise _Wrong(
                Text("%(place)s: %(name)s has no order", place=place, name=name), Text("write =, != or in")
            )
        for word in written:
            if word not in _WORDS[name]:
                raise _Wrong(
                    Text("%(place)s: %(name)s is never %(value)s", place=place, name=name, value=word),
                    Text("one of: %(names)s", names=_list(_WORDS[name])),
                )
        return Where(name=name, op=op, values=tuple(written))
    if name in FLAGS:
        if op is not Op.EQ or written[0] not in {"true", "false"}:
            raise _Wrong(
                Text("%(place)s: %(name)s is true or false", place=place, name=name),
                Text("write = true or = false"),
            )
        return Where(name=name, op=op, values=(int(written[0] == "true"),))
    if op is Op.IN or not written[0].isdecimal():
        raise _Wrong(
            Text("%(place)s: %(name)s is a number", place=place, name=name), Text("write >= 600, for example")
        )
    return Where(name=name, op=op, values=(int(written[0]),))


def _test(text: str, features: Mapping[str, Feature]) -> Test:
    found = _TEST.fullmatch(text.strip())
    if found is None:
        raise _Wrong(
            Text("%(text)s is not a condition", text=text),
            Text("write feature >= 2, or feature >= 3 * other"),
        )
    other = found[4] or found[5] or ""
    for name in filter(None, (found[1], other)):
        if name not in features:
            raise _Wrong(
                Text("%(name)s is not a feature of this rule", name=name),
                Text("one of: %(names)s", names=_list(features)),
            )
    return Test(feature=found[1], op=Op(found[2]), factor=float(found[3] or 1), other=other)


def _example(raw: object) -> Example:
    if not isinstance(raw, dict):
        raise _Wrong(Text("an example is not a table"), Text("write [[examples]]"))
    _only(raw, frozenset({"name", "fires", "signals"}), "examples")
    signals = []
    for signal in _need(raw, "signals", list):
        if not isinstance(signal, dict) or "kind" not in signal:
            raise _Wrong(
                Text("a signal of an example has no kind"), Text("write { at = '10m', kind = 'call', ... }")
            )
        at = signal.get("at", "0")
        signals.append({**signal, "at": 0 if at == "0" else _period(at, "examples.at", longest=10**9)})
    return Example(name=_need(raw, "name", str), fires=_need(raw, "fires", bool), signals=tuple(signals))


def _period(value: object, place: str, *, longest: int = LONGEST_WINDOW_HOURS * 3600) -> int:
    found = _PERIOD.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise _Wrong(
            Text("%(place)s is not a period", place=place),
            Text("write a number and s, m, h or d, such as '72h'"),
        )
    seconds = int(found[1]) * _UNIT[found[2]]
    if seconds > longest:
        raise _Wrong(
            Text("%(place)s is too long", place=place),
            Text("write at most %(hours)s hours", hours=longest // 3600),
        )
    return seconds


def _day(raw: Mapping[str, Any], name: str) -> datetime | None:
    if name not in raw:
        return None
    value = raw[name]
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise _Wrong(Text("%(name)s has no offset", name=name), Text("write 2026-12-01T00:00:00+08:00"))
        return value.astimezone(UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    raise _Wrong(Text("%(name)s is not a day", name=name), Text("write 2026-12-01, without quotes"))


def _only(raw: Mapping[str, Any], allowed: frozenset[str], place: str) -> None:
    for name in raw:
        if name not in allowed:
            raise _Wrong(
                Text("%(name)s is not known in %(place)s", name=name, place=place),
                Text("one of: %(names)s", names=_list(allowed)),
            )


_KINDS_OF_VALUE: Final[Mapping[type, Text]] = {
    str: Text("text"),
    int: Text("whole number"),
    dict: Text("table"),
    list: Text("list"),
    bool: Text("truth value"),
}


def _need(raw: Mapping[str, Any], name: str, kind: type) -> Any:  # noqa: ANN401 - of the type asked for
    value = raw.get(name)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise _Wrong(
            Text("%(name)s is missing or of the wrong type", name=name),
            Text("write a %(kind)s", kind=_KINDS_OF_VALUE[kind]),
        )
    return value


def _in_both_languages(raw: Mapping[str, Any], name: str) -> Mapping[str, str]:
    value: dict[str, Any] = _need(raw, name, dict)
    if set(value) != {"zh", "en"} or not all(
        isinstance(words, str) and words.strip() for words in value.values()
    ):
        raise _Wrong(
            Text("%(name)s is not in both languages", name=name),
            Text("write %(name)s.zh and %(name)s.en", name=name),
        )
    return value


def _texts(value: object, place: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise _Wrong(Text("%(place)s is not a list of texts", place=place), Text("write ['...', '...']"))
    return value


def _word(value: object, enum: type[_Enum], place: str) -> _Enum:
    try:
        return enum(str(value))
    except ValueError:
        raise _Wrong(
            Text("%(place)s: %(value)s is not known", place=place, value=str(value)),
            Text("one of: %(names)s", names=_list(enum)),
        ) from None


def _list(names: Iterable[str]) -> str:
    return ", ".join(str(name) for name in sorted(names))


def shipped_texts() -> Mapping[str, str]:
    """The text of every shipped rule by the name of its file without the ending."""
    folder = resources.files("dialer.signals") / "rules"
    return {
        entry.name.removesuffix(".toml"): entry.read_text(encoding="utf-8")
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    }


@cache
def shipped_rules() -> RuleSet:
    """The rules that are shipped. Raises `RuleUnreadable` when a file is damaged."""
    return RuleSet.of(read_rule(text, file=f"{name}.toml") for name, text in shipped_texts().items())
