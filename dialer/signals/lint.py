"""Checks of rules beyond reading them: runs their examples, and finds fraud types without a rule. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from dialer.core.sources import LISTS_SOURCE
from dialer.core.text import Text
from dialer.core.values import FraudType
from dialer.signals.evaluation import Evaluator
from dialer.signals.model import ItemKind, Signal, SignalKind, SignalReader, SignalReading
from dialer.signals.rules import BLANK, Example, Op, Rule, RuleSet, RuleUnreadable, Test, read_rule

_START: Final = datetime(2026, 3, 2, 1, tzinfo=UTC)
_PERSON: Final = "13800000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFinding:
    """One fault: its file, the id of its rule ('' for the file or set as a whole), what is wrong and what to do."""

    file: str
    rule: str
    problem: Text
    fix: Text

    @property
    def text(self) -> Text:
        """The finding with its place, in one line."""
        place = f"{self.file}: {self.rule}" if self.rule else self.file
        return Text(_FINDING, place=place, problem=self.problem, fix=self.fix)

    def __str__(self) -> str:
        return str(self.text)


_FINDING: Final = "%(place)s: %(problem)s; %(fix)s"
"""Without words, so the same in both languages."""


def check_texts(texts: Mapping[str, str]) -> tuple[RuleFinding, ...]:
    """Every fault of the rules in `texts`: the content of each file by its name without the ending."""
    rules: list[Rule] = []
    found: list[RuleFinding] = []
    for name, text in sorted(texts.items()):
        file = f"{name}.toml"
        try:
            rule = read_rule(text, file=file)
        except RuleUnreadable as error:
            found.append(RuleFinding(file=file, rule=error.rule, problem=error.problem, fix=error.fix))
            continue
        if rule.id != name:
            found.append(
                RuleFinding(
                    file=file, rule=rule.id, problem=Text("the file is not named as the rule"),
                    fix=Text("rename it to %(name)s.toml", name=rule.id),
                )
            )  # fmt: skip
        rules.append(rule)
        found += check_rule(rule, file=file)
    uncovered = set(FraudType) - {FraudType.UNKNOWN} - {rule.fraud_type for rule in rules}
    found += [
        RuleFinding(
            file="*", rule="", problem=Text("no rule is of the fraud type %(name)s", name=fraud_type),
            fix=Text("add a rule of this type"),
        )
        for fraud_type in sorted(uncovered)
    ]  # fmt: skip
    return tuple(found)


def check_rule(rule: Rule, *, file: str) -> tuple[RuleFinding, ...]:
    """The faults of one rule; () if every example has the result that it states."""
    found: list[RuleFinding] = []

    def add(problem: str | Text, fix: str | Text) -> None:
        found.append(RuleFinding(file=file, rule=rule.id, problem=Text.of(problem), fix=Text.of(fix)))

    for fires in (True, False):
        if not any(example.fires is fires for example in rule.examples):
            add(
                Text("has no example with fires = %(fires)s", fires=str(fires).lower()),
                Text("add [[examples]] with name, fires and signals"),
            )
    used = {name for test in (*rule.all_of, *rule.any_of) for name in (test.feature, test.other)}
    used |= {found[1] for template in rule.reason.values() for found in BLANK.finditer(template)}
    awaited = {feature.after for feature in rule.features.values()}
    for name, feature in rule.features.items():
        if name not in used and feature not in awaited:
            add(Text("nothing uses the feature %(name)s", name=name), Text("use it in when, or delete it"))
    for test in rule.all_of:
        if _is_always(test):
            add(
                Text("the condition on %(name)s always holds", name=test.feature),
                Text("compare with at least 1"),
            )
    if rule.points == 0 and rule.floor is None:
        add(Text("has no points and no floor"), Text("write the points, or delete the rule"))
    for example in rule.examples:
        try:
            fired = fires_on(rule, example)
        except ExampleUnreadable as error:
            add(Text("example %(name)s: %(problem)s", name=example.name, problem=error.problem), error.fix)
            continue
        if fired is not example.fires:
            name = example.name
            add(
                Text("example %(name)s fires", name=name)
                if fired
                else Text("example %(name)s does not fire", name=name),
                Text("correct the condition, or the example"),
            )
    return tuple(found)


def _is_always(test: Test) -> bool:
    return not test.other and test.op is Op.GE and test.factor == 0


class ExampleUnreadable(Exception):
    """A signal of an example that `SignalReader` rejects."""

    def __init__(self, problem: Text, fix: Text) -> None:
        super().__init__(str(problem))
        self.problem, self.fix = problem, fix


def fires_on(rule: Rule, example: Example) -> bool:
    """Whether the rule fires at the moment of the example's last signal. Raises `ExampleUnreadable`."""
    evaluator = Evaluator(RuleSet.of([rule]), allowed_lateness=timedelta(days=30))
    last = start = max(_START, rule.since or _START)
    for signal in example_signals(example, start):
        evaluator.apply(signal)
        last = max(last, signal.event_at)
    return bool(evaluator.rules_firing(_key(_PERSON), last))


def example_signals(example: Example, start: datetime) -> Iterable[Signal]:
    """The signals of an example, with an invented person and invented items. Raises `ExampleUnreadable`."""
    reader = SignalReader(
        zone=ZoneInfo("Asia/Shanghai"), area="0478",
        person=lambda phone, id_number: _key(phone.removeprefix("+86") or id_number),
        item=lambda kind, value: _key(f"{kind} {value}"),
    )  # fmt: skip
    for n, raw in enumerate(example.signals):
        at = start + timedelta(seconds=raw["at"])
        record: dict[str, Any] = {"source": "example", "signal_no": str(n), "event_at": at.isoformat(), **raw}
        del record["at"]
        for item in ItemKind:
            if item.value in record:
                record[item.value] = _item(item, str(record[item.value]))
        if record["kind"] != SignalKind.LIST_CHANGE:
            record.setdefault("phone", _PERSON)
        else:
            record["source"] = LISTS_SOURCE
        read = reader.read(record, received_at=at)
        if not isinstance(read, SignalReading):
            wrong = read[0]
            raise ExampleUnreadable(
                Text(
                    "signal %(number)s: %(field)s %(reason)s",
                    number=n + 1,
                    field=wrong.field,
                    reason=wrong.reason,
                ),
                wrong.fix,
            )
        yield read.signal


def _item(kind: ItemKind, name: str) -> str:
    """A usable item for a name; the same name always gives the same item."""
    digits = f"{int.from_bytes(_key(name)[:6]):015d}"[:15]
    match kind:
        case ItemKind.NUMBER:
            return digits
        case ItemKind.DOMAIN:
            return f"a{digits}.example"
        case ItemKind.APP | ItemKind.ACCOUNT:
            return f"a{digits}"


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:16]
