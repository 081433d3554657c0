"""Whether a script's tables hold values of the kinds that they must, so that the reader may take them as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Table = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Misshapen:
    """`at` is the dotted name of the value, `node` the node it belongs to, '' for none."""

    node: str
    at: str
    problem: str


_Check = Callable[[object], str]


def _kind(kind: type, what: str) -> _Check:
    def check(value: object) -> str:
        good = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
        return "" if good else f"must be {what}"

    return check


_text = _kind(str, "a text")
_number = _kind(int, "a whole number")
_truth = _kind(bool, "true or false")
_table = _kind(dict, "a table")


def _texts(value: object) -> str:
    good = isinstance(value, list) and all(isinstance(one, str) for one in value)
    return "" if good else "must be a list of texts"


def _table_of(check: _Check) -> _Check:
    def each(value: object) -> str:
        if not isinstance(value, dict):
            return "must be a table"
        return next((f"{name} {wrong}" for name, one in value.items() if (wrong := check(one))), "")

    return each


def _phrases(value: object) -> str:
    return "" if isinstance(value, str) else _table_of(_texts)(value)


_CHOICE: Mapping[str, _Check] = {
    "next": _text,
    "phrases": _phrases,
    "contact": _text,
    "answer": _text,
    "needs_key": _truth,
}


def _choice(value: object) -> str:
    if not isinstance(value, dict):
        return "must be a table"
    return next(
        (
            f"{name} {wrong}"
            for name, check in _CHOICE.items()
            if name in value and (wrong := check(value[name]))
        ),
        "",
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
        if name in raw and (problem := check(raw[name])):
            yield Misshapen(node="", at=name, problem=f"{name} {problem}")
    for group, check in _EACH.items():
        for name, one in raw.get(group, {}).items():
            if problem := check(one):
                yield Misshapen(node="", at=f"{group}.{name}", problem=f"{name} {problem}")
    for name, variable in raw.get("variables", {}).items():
        yield from _within(f"variables.{name}", name, variable, _VARIABLE)
    for name in ("again", "confirm"):
        yield from _within(name, name, raw.get(name, {}), {"must_say": _truth})
    for name, node in raw.get("nodes", {}).items():
        yield from _within(f"nodes.{name}", name, node, _NODE)


def _within(at: str, node: str, table: Table, checks: Mapping[str, _Check]) -> Iterator[Misshapen]:
    for name, check in checks.items():
        if name in table and (problem := check(table[name])):
            yield Misshapen(node=node, at=f"{at}.{name}", problem=f"{name} {problem}")
