"""Attacks on regular expressions: text that makes the search for a match take ever longer."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import audio
import carrier
import dialer
from dialer.intake.cells import LONGEST_VALUE
from dialer.intake.headings import HEADING_LENGTH
from dialer.telephony.callbacks import LONGEST_SPEECH

if TYPE_CHECKING:
    from types import FrameType, ModuleType

    from tests.attack.run import Attack, Target

_PACKAGES = (dialer, carrier, audio)
_SEARCHES = frozenset({"search", "sub", "subn", "split", "findall", "finditer"})
_LONG = 8_000
_MOST_SECONDS, _MOST_GROWTH = 0.05, 7.0
"""Text four times as long may take four times as long, not sixteen times."""
_GIVE_UP_SECONDS = 3.0
_MOST_SIGNS = 6
_BOUNDED = {
    "dialer.help.reading._HEADING": 1_000,  # a line of our own manual
    "dialer.understanding.slots": 600,
    "dialer.intake.cells._GRADE_NOISE": LONGEST_VALUE,
    "dialer.intake.cells._GRADE_TAIL": LONGEST_VALUE,
    "dialer.intake.headings._BRACKETS": 18 * 3 * HEADING_LENGTH,  # a sign may become 18 by NFKC
    "dialer.scripts.answers._AMOUNT": LONGEST_SPEECH,
    "carrier.lines.sip.trunks._SAID_NAME": 1_000,
}
"""Patterns, or modules, that are asked only about text of so many characters at most: their time for that is looked
at.
"""


class _TooLong(Exception):
    """The search was cut off."""


async def patterns(target: Target, attack: Attack) -> None:
    """The time of every pattern of ours grows no faster than the text."""
    slow, tried = slow_patterns()
    attack.tried += tried
    attack.got_through += slow
    attack.said = f"seed {target.seed}"


def slow_patterns() -> tuple[list[str], int]:
    """What is slow, in words, and how many texts were tried."""
    found, tried = [], 0
    for place, pattern, searches in sorted(own_patterns(), key=lambda one: one[0]):
        for pump in _pumps(pattern.pattern):
            tried += 1
            module = place.partition(":")[0] if ":" in place else place.rpartition(".")[0]
            most = _BOUNDED.get(place, _BOUNDED.get(module, _LONG))
            short, long = (_seconds(pattern, searches, pump, count) for count in (most // 4, most))
            if long > _MOST_SECONDS and long > _MOST_GROWTH * max(short, 0.000_1):
                text = f"{place}: {pattern.pattern[:60]!r} with {pump!r}: {short:.3f} s, then {long:.3f} s"
                found.append(text)
                break
    return found, tried


def own_patterns() -> Iterator[tuple[str, re.Pattern[str], bool]]:
    """Each pattern with its place, and whether it is searched for anywhere in the text."""
    seen: set[tuple[str, int, bool]] = set()
    modules = list(_modules())
    searched = {name for module in modules for name in _searched_names(module)}
    for module in modules:
        named = [(f"{module.__name__}.{name}", name, value) for name, value in vars(module).items()]
        inline = [(f"{module.__name__}:{line}", how, value) for line, how, value in _inline(module)]
        for place, how, value in (*named, *inline):
            is_search = how in searched or how in _SEARCHES
            for pattern in _inside(value):
                key = (pattern.pattern, pattern.flags, is_search)
                if key not in seen:
                    seen.add(key)
                    yield place, pattern, is_search


def _modules() -> Iterator[ModuleType]:
    for package in _PACKAGES:
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "__main__" not in found.name:
                with suppress(ImportError):  # an extra that is not installed
                    yield importlib.import_module(found.name)


def _inside(value: object) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern):
        if isinstance(value.pattern, str):
            yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _inside(one)
    elif isinstance(value, (tuple, list, frozenset)):
        for one in value:
            yield from _inside(one)


def _calls(module: ModuleType) -> Iterator[ast.Call]:
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node


def _searched_names(module: ModuleType) -> Iterator[str]:
    for call in _calls(module):
        assert isinstance(call.func, ast.Attribute)
        if call.func.attr in _SEARCHES and isinstance(call.func.value, ast.Name):
            yield call.func.value.id


def _inline(module: ModuleType) -> Iterator[tuple[int, str, re.Pattern[str]]]:
    """Patterns that are written where they are used."""
    for call in _calls(module):
        assert isinstance(call.func, ast.Attribute)
        owner, first = call.func.value, call.args[0] if call.args else None
        is_re = isinstance(owner, ast.Name) and owner.id == "re"
        if is_re and isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield call.lineno, call.func.attr, re.compile(first.value)


def _pumps(pattern: str) -> Iterable[str]:
    """Texts to repeat: signs that the pattern takes, alone and in pairs."""
    signs: dict[str, None] = {}
    for sign in _signs(re._parser.parse(pattern)):  # type: ignore[attr-defined]  # no public parser
        signs.setdefault(sign)
    few = [*signs][:_MOST_SIGNS]
    pairs = [one + two for one in few for two in few if one != two]
    return [*signs, *pairs]


_CATEGORIES = {"CATEGORY_DIGIT": "1", "CATEGORY_SPACE": " ", "CATEGORY_WORD": "a"}
_WITHIN = {
    "MAX_REPEAT": 2, "MIN_REPEAT": 2, "POSSESSIVE_REPEAT": 2, "SUBPATTERN": 3, "ASSERT": 1, "ASSERT_NOT": 1,
}  # fmt: skip
"""Which part of such a node is a pattern itself."""


def _signs(parsed: Any) -> Iterator[str]:  # noqa: ANN401  # the parser's own trees
    for kind, value in parsed:
        name = str(kind)
        if name == "BRANCH":
            for branch in value[1]:
                yield from _signs(branch)
        elif name in _WITHIN:
            yield from _signs(value[_WITHIN[name]])
        elif name in {"IN", "ATOMIC_GROUP"}:
            yield from _signs(value)
        else:
            yield from _signs_of(name, value)


def _signs_of(name: str, value: Any) -> str:  # noqa: ANN401  # the parser's own trees
    """Signs that a node without others in it takes."""
    taken = {
        "LITERAL": lambda: chr(value),
        "NOT_LITERAL": lambda: "a" if value != ord("a") else "b",
        "ANY": lambda: "a",
        "RANGE": lambda: chr(value[0]) + chr(value[1]),
        "CATEGORY": lambda: _CATEGORIES.get(str(value), "-"),
        "NEGATE": lambda: "a1 -",
    }
    return taken[name]() if name in taken else ""


def _seconds(pattern: re.Pattern[str], searches: bool, pump: str, count: int) -> float:
    text = pump * (count // len(pump)) + "\0"

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, _GIVE_UP_SECONDS)
    begun = time.process_time()
    try:
        if searches:
            for _ in pattern.finditer(text):
                pass
        else:
            pattern.fullmatch(text)
            pattern.match(text)
    except _TooLong:
        return _GIVE_UP_SECONDS
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return time.process_time() - begun
