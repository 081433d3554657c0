"""Whether a script's tables hold values of the kinds that they must, so that the reader may take them as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dialer.language import Text, mark

Table = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Misshapen:
    """`at` is the dotted name of the value, `node` the node it belongs to, '' for none."""

    node: str
    at: str
    problem: Text


_Check = Callable[[object, str], Text | None]
"""What is wrong with a value, by the name that it stands under; None when it is right."""


def _kind(kind: type, must_be: str) -> _Check:
    def check(value: object, name: str) -> Text | None:
        good = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
        return None if good else Text(must_be, name=name)

    return check


_text = _kind(str, mark("%(name)s must be a text"))
_number = _kind(int, mark("%(name)s must be a whole number"))
_truth = _kind(bool, mark("%(name)s must be true or false"))
_table = _kind(dict, mark("%(name)s must be a table"))


def _texts(value: object, name: str) -> Text | None:
    good = isinstance(value, list) and all(isinstance(one, str) for one in value)
    return None if good else Text("%(name)s must be a list of texts", name=name)


def _table_of(check: _Check) -> _Check:
    def each(value: object, name: str) -> Text | None:
        if not isinstance(value, dict):
            return _table(value, name)
        return next((wrong for key, one in value.items() if (wrong := check(one, f"{name} {key}"))), None)

    return each


def _phrases(value: object, name: str) -> Text | None:
    return None if isinstance(value, str) else _table_of(_texts)(value, name)


_CHOICE: Mapping[str, _Check] = {
    "next": _text,
    "phrases": _phrases,
    "contact": _text,
    "answer": _text,
    "needs_key": _truth,
}


def _choice(value: object, name: str) -> Text | None:
    if not isinstance(value, dict):
        return _table(value, name)
    return next(
        (
            wrong
            for key, check in _CHOICE.items()
            if key in value and (wrong := check(value[key], f"{name} {key}"))
        ),
        None,
    )


_NODE: Mapping[str, _Check] = {
    "kind": _text,
    "next": _text,
    "otherwise": _text,
    "on": _text,
    "repeat_from": _text,
    "collect": _text,
    "answer": _text,
    "contact": _text,
    "urgency": _text,
    "cases": _table_of(_text),
    "choices": _table_of(_choice),
    "timeout_seconds": _number,
    "retries": _number,
    "max_digits": _number,
    "must_say": _truth,
}
_VARIABLE: Mapping[str, _Check] = {"kind": _text, "defaults": _table_of(_text)}
_WHOLE: Mapping[str, _Check] = {
    "extends": _text,
    "id": _text,
    "languages": _texts,
    "default_language": _text,
    "start": _text,
    "purpose": _text,
    "fraud_types": _texts,
    "tags": _texts,
    "title": _table_of(_text),
    "message": _table_of(_text),
    "fallbacks": _table_of(_text),
    "said_in": _table_of(_text),
    "phrases": _table,
    "anywhere": _table_of(_choice),
    "again": _table,
    "confirm": _table,
    "variables": _table,
    "nodes": _table,
}
_EACH: Mapping[str, _Check] = {"phrases": _table_of(_texts), "variables": _table, "nodes": _table}


def misshapen(raw: Table) -> Misshapen | None:
    """The first value that is of the wrong kind."""
    return next(_wrong(raw), None)


def _wrong(raw: Table) -> Iterator[Misshapen]:
    for name, check in _WHOLE.items():
        if name in raw and (problem := check(raw[name], name)):
            yield Misshapen(node="", at=name, problem=problem)
    for group, check in _EACH.items():
        for name, one in raw.get(group, {}).items():
            if problem := check(one, name):
                yield Misshapen(node="", at=f"{group}.{name}", problem=problem)
    for name, variable in raw.get("variables", {}).items():
        yield from _within(f"variables.{name}", name, variable, _VARIABLE)
    for name in ("again", "confirm"):
        yield from _within(name, name, raw.get(name, {}), {"must_say": _truth})
    for name, node in raw.get("nodes", {}).items():
        yield from _within(f"nodes.{name}", name, node, _NODE)


def _within(at: str, node: str, table: Table, checks: Mapping[str, _Check]) -> Iterator[Misshapen]:
    for name, check in checks.items():
        if name in table and (problem := check(table[name], name)):
            yield Misshapen(node=node, at=f"{at}.{name}", problem=problem)
