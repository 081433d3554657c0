"""Signals as rows in memory, and rules compiled to one Python function that reads the rows of a person once. Pure.

A row is 37 bytes. The rows of a person are joined in one `bytes`, oldest first; their names (source and number) are in
a second one, in the same order. A window is exact: at a moment `t`, a row counts if `t - within < event_at <= t`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from struct import Struct
from typing import Any, Final

from dialer.core.values import FraudType, Grade
from dialer.signals.model import (
    FLAGS,
    Direction,
    Item,
    ListKind,
    Reporter,
    Signal,
    SignalKind,
    Topic,
)
from dialer.signals.rules import Aggregate, Feature, Op, RuleSet, Test, Where

ROW: Final = Struct("<qBBBHq8s8s")
"""Microseconds since 1970, kind, topic or fraud type, grade or reporter, flags, number, two items."""
AT: Final = Struct("<q")
KNOWN: Final = Struct("<8sqq")
"""An item of rows that were dropped, with the times of its first and last touch."""
NO_ITEM: Final = bytes(8)
SECOND: Final = 1_000_000
MONEY_SECONDS: Final = 72 * 3600
"""The window of the money at risk, and of the contacts that a change of a list finds."""
FORGET_SECONDS: Final = 30 * 86400
"""An item that a person has not touched for this long counts as new."""

KINDS: Final = {kind: n for n, kind in enumerate(SignalKind, start=1)}
MORE_ITEMS: Final = 255
"""The kind of a row with the third and fourth item of a push or report. No feature reads it; among rows with the same
time it comes last, whatever arrived first.
"""
_ENUMS: Final[Mapping[str, Mapping[str, int]]] = {
    "topic": {word: n for n, word in enumerate(Topic, start=1)},
    "fraud_type": {word: n for n, word in enumerate(FraudType, start=1)},
    "grade": {word: n for n, word in enumerate(Grade, start=1)},
    "reporter": {word: n for n, word in enumerate(Reporter, start=1)},
}
FRAUD_TYPES: Final = tuple(FraudType)
_COLUMN: Final = {"topic": "c1", "fraud_type": "c1", "grade": "c2", "reporter": "c2"}
_FLAG: Final = {name: 1 << n for n, name in enumerate(("out", *FLAGS))}
_OUT: Final = _FLAG["out"]
_LIST_BIT: Final = {word: 1 << n for n, word in enumerate(ListKind)}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_OPS: Final = {Op.EQ: "==", Op.NE: "!=", Op.GE: ">=", Op.LE: "<=", Op.GT: ">", Op.LT: "<"}

Row = tuple[int, int, int, int, int, int, bytes, bytes]
Listing = tuple[int, bytes, int, str, bool]
"""Microseconds, name key, bit of the list's kind, its name, whether the item was entered."""


def to_microseconds(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def from_microseconds(at: int) -> datetime:
    """The moment (UTC) of microseconds since 1970; the reverse of `to_microseconds`."""
    return _EPOCH + timedelta(microseconds=at)


def item_key(item: Item) -> bytes:
    """Eight bytes that identify an item in memory; never `NO_ITEM`."""
    return blake2b(item.key, digest_size=8, person=item.kind.encode()).digest()


def rows_of(signal: Signal) -> bytes:
    """The signal as one row, or as two if a push or report has more than two items."""
    flags = _OUT if signal.direction is Direction.OUT else 0
    kind = signal.kind
    if kind is SignalKind.PAYMENT_ATTEMPT and signal.direction is None:
        flags = _OUT
    for name in FLAGS:
        if getattr(signal, name):
            flags |= _FLAG[name]
    of_type = signal.topic is None and signal.fraud_type is not None
    c1 = _ENUMS["fraud_type"][signal.fraud_type] if of_type else _ENUMS["topic"].get(signal.topic or "", 0)  # type: ignore[index]
    c2 = _ENUMS["grade"].get(signal.grade or "", 0) or _ENUMS["reporter"].get(signal.reporter or "", 0)
    items = [item_key(one) for one in signal.items]
    items += [NO_ITEM] * (2 - len(items))
    at = to_microseconds(signal.event_at)
    number = signal.duration_seconds or signal.amount_fen
    packed = ROW.pack(at, KINDS[kind], c1, c2, flags, number, items[0], items[1])
    if len(items) > 2:  # noqa: PLR2004 - two items a row
        packed += ROW.pack(at, MORE_ITEMS, 0, 0, 0, 0, items[2], items[3] if len(items) > 3 else NO_ITEM)  # noqa: PLR2004  # the row has room for three
    return packed


_CONTACT_KINDS: Final = {
    KINDS[one] for one in (SignalKind.CALL, SignalKind.SMS, SignalKind.WEB, SignalKind.APP)
}


def may_name_scammer(row: Row) -> bool:
    """Whether the items of a row may belong to a scammer: those of a call, message, site or app, or of a payment to a
    new payee. A login has the person's own account.
    """
    if row[1] == KINDS[SignalKind.PAYMENT_ATTEMPT]:
        return bool(row[4] & _OUT and row[4] & _FLAG["new_payee"])
    return row[1] in _CONTACT_KINDS


def listing_of(signal: Signal) -> tuple[bytes, Listing]:
    """The key of the item in a change of a list, and the change."""
    assert signal.list_kind is not None
    entry = (
        to_microseconds(signal.event_at),
        blake2b(f"{signal.source}\t{signal.signal_no}".encode(), digest_size=8).digest(),
        _LIST_BIT[signal.list_kind],
        signal.list_name,
        signal.change == "entered",
    )
    return item_key(signal.items[0]), entry


class Listings:
    """Which items are in which lists, at any moment. Changes may arrive in any order."""

    def __init__(self) -> None:
        self.changes: dict[bytes, tuple[Listing, ...]] = {}

    def add(self, item: bytes, change: Listing) -> bool:
        """Adds a change of a list; False if it was there already."""
        have = self.changes.get(item, ())
        if any(one[:2] == change[:2] for one in have):
            return False
        self.changes[item] = tuple(sorted((*have, change)))
        return True

    def kinds_at(self, item: bytes, t: int) -> int:
        """The bits of the kinds of lists that contain the item at `t`."""
        have = self.changes.get(item)
        if have is None:
            return 0
        if len(have) == 1:
            at, _, bit, _, entered = have[0]
            return bit if entered and at <= t else 0
        kinds = 0
        for (bit, _), entered in self._state(item, t).items():
            kinds |= bit * entered
        return kinds

    def _state(self, item: bytes, t: int) -> dict[tuple[int, str], bool]:
        state: dict[tuple[int, str], bool] = {}
        for at, _, bit, name, entered in self.changes.get(item, ()):
            if at <= t:
                state[bit, name] = entered
        return state

    def lists_at(self, item: bytes, t: int) -> frozenset[tuple[ListKind, str]]:
        """Kinds and names of the lists that contain the item at `t`."""
        kinds = {bit: kind for kind, bit in _LIST_BIT.items()}
        return frozenset((kinds[bit], name) for (bit, name), on in self._state(item, t).items() if on)

    def entered_at(self, item: bytes, t: int) -> int:
        """When the item was last entered in a fraud or suspected list, at or before `t`; 0 if never."""
        bits = _LIST_BIT[ListKind.FRAUD] | _LIST_BIT[ListKind.SUSPECTED]
        return max(
            (
                at
                for at, _, bit, _, entered in self.changes.get(item, ())
                if entered and bit & bits and at <= t
            ),
            default=0,
        )


@dataclass(frozen=True, slots=True)
class Trace:
    """What the rules found at a moment: the bits of those that fired, the money at risk, and for each feature its
    figure and the indexes of the rows that it counted.
    """

    fired: int
    money_fen: int
    figures: tuple[int, ...]
    rows: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class CompiledRules:
    """The functions of a rule set. Both take the rows up to `t`, oldest first, `t`, the listings, and the items known
    from dropped rows. `score` returns (bits of the rules that fired, money at risk in fen); `trace` also returns what
    they found.

    `names[i]` maps the features of rule i to their positions among the figures of a trace. `longest_seconds` is the
    longest of all windows.
    """

    score: Callable[[Iterable[Row], int, Listings, bytes], tuple[int, int]]
    trace: Callable[[Iterable[Row], int, Listings, bytes], Trace]
    names: tuple[Mapping[str, int], ...]
    longest_seconds: int
    source: str


def compile_rules(rules: RuleSet) -> CompiledRules:
    """Compiles the rules to functions that read the rows once. Equal features of several rules are computed once."""
    places: dict[Feature, int] = {}

    def place(feature: Feature) -> int:
        if feature.after is not None:
            place(feature.after)
        return places.setdefault(feature, len(places))

    names = tuple({name: place(one) for name, one in rule.features.items()} for rule in rules.rules)
    quick, full = _Source(places, rules, names, traced=False), _Source(places, rules, names, traced=True)
    space: dict[str, Any] = {"KNOWN": KNOWN, "FORGET": FORGET_SECONDS * SECOND}
    exec(compile(f"{quick.text}\n{full.text}", "<rules>", "exec"), space)  # noqa: S102 - made of checked names and numbers alone
    traced = space["trace"]
    longest = max((one.within_seconds for one in places), default=0)
    return CompiledRules(
        score=space["score"],
        trace=lambda *given: Trace(*traced(*given)),
        names=names,
        longest_seconds=max(longest, MONEY_SECONDS),
        source=quick.text,
    )


class _Source:
    """Writes the text of one function. Only names and whole numbers of checked rules get into it."""

    def __init__(
        self,
        places: Mapping[Feature, int],
        rules: RuleSet,
        names: Sequence[Mapping[str, int]],
        *,
        traced: bool,
    ) -> None:
        self.lines: list[str] = []
        self.traced = traced
        self.places = places
        self.awaited = {one.after for one in places if one.after is not None}
        self._known = any(where.name == "known_hours" for one in places for where in one.where)
        self._head()
        self._loop()
        self._tests(rules, names)
        self.text = "\n".join(self.lines)

    def _add(self, depth: int, line: str) -> None:
        self.lines.append("    " * depth + line)

    def _head(self) -> None:
        self._add(0, f"def {'trace' if self.traced else 'score'}(rows, t, listings, known):")
        self._add(1, "money = 0")
        self._add(1, f"wm = t - {MONEY_SECONDS * SECOND}")
        self._add(1, "changes = listings.changes")
        for within in sorted({one.within_seconds for one in self.places}):
            self._add(1, f"w{within} = t - {within * SECOND}")
        for feature, n in self.places.items():
            self._add(1, f"f{n} = 0")
            if feature in self.awaited:
                self._add(1, f"l{n} = 0")
            if feature.aggregate is Aggregate.DISTINCT:
                self._add(1, f"s{n} = set()")
            elif feature.per_item:
                self._add(1, f"d{n} = {{}}")
            if self.traced:
                self._add(1, f"r{n} = []")
        if self._known:
            self._add(
                1, "seen = {i: (first, last) for i, first, last in KNOWN.iter_unpack(known)} if known else {}"
            )

    def _loop(self) -> None:
        counter = (
            "i, (at, kind, c1, c2, flags, n, a, b) in enumerate(rows)"
            if self.traced
            else ("at, kind, c1, c2, flags, n, a, b in rows")
        )
        self._add(1, f"for {counter}:")
        if self._known:
            self._add(2, "was = seen.get(a)")
            self._add(2, "first = at if was is None or at - was[1] > FORGET else was[0]")
            self._add(2, "seen[a] = (first, at)")
        word = "if"
        for kind, number in KINDS.items():
            mine = [one for one in self.places if kind in one.kinds]
            pays = kind in {SignalKind.PAYMENT_ATTEMPT, SignalKind.REPORT}
            if not mine and not pays:
                continue
            self._add(2, f"{word} kind == {number}:")
            word = "elif"
            if pays:
                out = f" and flags & {_OUT}" if kind is SignalKind.PAYMENT_ATTEMPT else ""
                self._add(3, f"if n > money and at > wm{out}:")
                self._add(4, "money = n")
            if any(where.name == "listed" for one in mine for where in one.where):
                self._add(
                    3,
                    "m = (listings.kinds_at(a, t) if a in changes else 0)"
                    " | (listings.kinds_at(b, t) if b in changes else 0)",
                )
            # A feature that comes after another reads it before this row is counted there.
            for feature in sorted(mine, key=lambda one: -self.places[one]):
                self._feature(feature)

    def _feature(self, feature: Feature) -> None:
        n = self.places[feature]
        tests = [f"at > w{feature.within_seconds}"]
        if feature.after is not None:
            other = self.places[feature.after]
            tests.append(f"l{other}")
            if feature.gap_seconds:
                tests.append(f"at - l{other} <= {feature.gap_seconds * SECOND}")
        tests += [_where(one) for one in feature.where]
        self._add(3, f"if {' and '.join(tests)}:")
        value = "1" if feature.aggregate is Aggregate.COUNT else "n"
        if feature.aggregate is Aggregate.DISTINCT:
            self._add(4, f"s{n}.add(a)")
        elif feature.per_item and feature.aggregate is not Aggregate.MAX:
            self._add(4, f"d{n}[a] = v = d{n}.get(a, 0) + {value}")
            self._add(4, f"if v > f{n}:")
            self._add(5, f"f{n} = v")
        elif feature.aggregate is Aggregate.MAX:
            self._add(4, f"if n > f{n}:")
            self._add(5, f"f{n} = n")
        else:
            self._add(4, f"f{n} += {value}")
        if feature in self.awaited:
            self._add(4, f"l{n} = at")
        if self.traced:
            self._add(4, f"r{n}.append(i)")

    def _tests(self, rules: RuleSet, names: Sequence[Mapping[str, int]]) -> None:
        for feature, n in self.places.items():
            if feature.aggregate is Aggregate.DISTINCT:
                self._add(1, f"f{n} = len(s{n})")
        self._add(1, "fired = 0")
        for number, rule in enumerate(rules.rules):
            tests = [_test(one, names[number]) for one in rule.all_of]
            if rule.any_of:
                tests.append("(" + " or ".join(_test(one, names[number]) for one in rule.any_of) + ")")
            if rule.since is not None:
                tests.append(f"t >= {to_microseconds(rule.since)}")
            if rule.until is not None:
                tests.append(f"t < {to_microseconds(rule.until)}")
            self._add(1, f"if {' and '.join(tests)}:")
            self._add(2, f"fired |= {1 << number}")
        if self.traced:
            figures = "".join(f"f{n}, " for n in self.places.values())
            rows = "".join(f"tuple(r{n}), " for n in self.places.values())
            self._add(1, f"return fired, money, ({figures}), ({rows})")
        else:
            self._add(1, "return fired, money")


def _where(where: Where) -> str:  # noqa: PLR0911 - one for each kind of test
    name, op = where.name, where.op
    if name in FLAGS:
        return f"flags & {_FLAG[name]}" if where.values[0] else f"not flags & {_FLAG[name]}"
    if name == "listed":
        bits = sum(_LIST_BIT[ListKind(str(one))] for one in where.values)
        return f"not m & {bits}" if op is Op.NE else f"m & {bits}"
    if name == "direction":
        out = {Direction.OUT: True, Direction.IN: False}
        wanted = {out[Direction(str(one))] ^ (op is Op.NE) for one in where.values}
        if len(wanted) == len(out):
            return "True"
        return f"flags & {_OUT}" if wanted == {True} else f"not flags & {_OUT}"
    if name in _COLUMN:
        codes = tuple(_ENUMS[name][str(one)] for one in where.values)
        column = _COLUMN[name]
        if op is Op.IN:
            return f"{column} in {(*codes,)!r}"
        return f"{column} {_OPS[op]} {codes[0]}"
    value = int(where.values[0])
    if name == "known_hours":
        # Whole hours by an exact comparison of microseconds: >= 24 means at least 24 h, = 0 means now or never before.
        return f"at - first {_OPS[op]} {value * 3600 * SECOND}"
    if name == "listed_hours":
        return f"t - max(listings.entered_at(a, t), listings.entered_at(b, t)) {_OPS[op]} {value * 3600 * SECOND}"
    return f"n {_OPS[op]} {value}"


def _test(test: Test, names: Mapping[str, int]) -> str:
    left = f"f{names[test.feature]}"
    factor = int(test.factor) if test.factor == int(test.factor) else test.factor
    if test.other:
        right = f"f{names[test.other]}" if factor == 1 else f"{factor} * f{names[test.other]}"
    else:
        right = str(factor)
    return f"{left} {_OPS[test.op]} {right}"


def test_passes(test: Test, names: Mapping[str, int], figures: Sequence[int]) -> bool:
    """Whether a test passes with the figures of a trace."""
    left = figures[names[test.feature]]
    right = test.factor * (figures[names[test.other]] if test.other else 1)
    return {
        Op.EQ: left == right, Op.NE: left != right, Op.GE: left >= right, Op.LE: left <= right, Op.GT: left > right,
        Op.LT: left < right,
    }[test.op]  # fmt: skip
