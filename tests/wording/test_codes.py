"""No sentence has a code in it: a value of an enumeration or a language goes into it as what can be translated."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

import dialer
from dialer.core import errors
from dialer.core.case import TransferState
from dialer.core.errors import DialerError
from dialer.core.text import Lang, Text, listed, stacked
from dialer.core.values import FraudType, TrunkProblem
from dialer.language.words import bilingual, sentence
from dialer.scripts.model import language_text

_ROOT = Path(dialer.__file__).resolve().parent
_REFUSALS = {
    name
    for name, kind in vars(errors).items()
    if inspect.isclass(kind) and issubclass(kind, DialerError) and kind is not DialerError
}
_SAID = _REFUSALS | {"Text", "say", "say_many", "sentence", "at"}
"""What is called with the values of a sentence as keywords."""
_FOR_MACHINES = {"current", "field", "key", "what", "who"}
"""Keywords of refusals that no sentence, or only that of a terminal, has."""
_TYPED = {
    ("staff/sign_in.py", "scope"),
    ("cli/control.py", "suite"),
    ("db/vault.py", "suite"),
    ("signals/rules.py", "what"),
    ("signals/rules.py", "language"),
}
"""Codes that a person types just so: the scopes of tokens, a setting, the keys of a file of rules."""


def _codes_in(source: str) -> Iterator[tuple[int, str]]:
    """The line and the keyword of every value in a sentence that nothing can translate."""
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call):
            continue
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        if name not in _SAID:
            continue
        for given in call.keywords:
            if given.arg is None or (name in _REFUSALS and given.arg in _FOR_MACHINES):
                continue
            is_word = name not in _REFUSALS and _is_word(given.value)
            is_language = given.arg == "language" and _callee(given.value) not in {"language_text", "listed"}
            if _has_code(given.value) or is_word or is_language:
                yield call.lineno, given.arg


def _callee(part: ast.expr) -> str:
    return getattr(part.func, "id", "") if isinstance(part, ast.Call) else ""


def _has_code(part: ast.AST) -> bool:
    """Whether the value of a member stands in it, and not in a call that makes words or a figure of it."""
    if isinstance(part, ast.Attribute) and part.attr == "value":
        return True
    if isinstance(part, ast.Call) and not (isinstance(part.func, ast.Attribute) and part.func.attr == "join"):
        return False
    return any(_has_code(iter_child_node) for iter_child_node in ast.iter_child_nodes(part))


def _is_word(part: ast.expr) -> bool:
    """Whether it may be a plain word of the code."""
    match part:
        case ast.Constant(value=str(text)):
            return any(letter.isalpha() for letter in text)
        case ast.BoolOp(values=parts):
            return any(map(_is_word, parts))
        case ast.IfExp(body=one, orelse=other):
            return _is_word(one) or _is_word(other)
        case ast.Subscript(value=ast.Dict(values=parts)):
            return any(map(_is_word, parts))
        case _:
            return False


def test_no_sentence_has_a_code():
    found = []
    for path in sorted(_ROOT.rglob("*.py")):
        place = path.relative_to(_ROOT).as_posix()
        found += [
            f"{place}:{line}: {name}"
            for line, name in _codes_in(path.read_text("utf-8"))
            if (place, name) not in _TYPED
        ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "Text('%(state)s', state=erasure.state.value)",
        "Text('%(names)s', names=', '.join(f'{name} ({why.value})' for name, why in failing.items()))",
        "at(script, 'must_say', text, kind=fraud_type.value, language=language_text(language))",
        "Text('%(why)s', why=error.strerror or 'no address')",
        "Text('%(kind)s', kind={str: 'text', int: 'whole number'}[kind])",
        "Text('%(language)s', language=clip.language)",
        "Invalid(field='one', problem=state.value)",
        "Text('%(state)s', state=one.value if one else '')",
    ],
)
def test_a_code_is_found(source: str):
    assert list(_codes_in(source))


@pytest.mark.parametrize(
    "source",
    [
        "Conflict('it is over', current=state.value)",
        "Invalid(field=kind.value, problem='is out of range')",
        "Text('%(state)s', state=erasure.state)",
        "Text('%(n)s of %(what)s', n=len(found), what=Text('calls'))",
        "say(lang, '%(rate)s', rate=percent(rate.value))",
        "Text('%(found)s', found=found or '?')",
    ],
)
def test_what_a_person_can_read_is_none(source: str):
    assert not list(_codes_in(source))


def test_members_and_languages_are_said_in_both_languages():
    one = Text("%(state)s, %(kind)s", state=TransferState.ACCEPTED, kind=FraudType.POLICE_IMPERSONATION)
    assert sentence(one, Lang.EN) == "accepted, fake police or government"
    assert "accepted" not in sentence(one, Lang.ZH)
    assert sentence("%(n)s %% of %(kind)s", Lang.ZH, n=3, kind=TrunkProblem.NOT_REGISTERED).endswith("未注册")
    assert bilingual(one) == f"{sentence(one, Lang.ZH)} ({sentence(one, Lang.EN)})"
    assert sentence(language_text("mn"), Lang.ZH) == "蒙古语"
    assert str(language_text("bo")) == "bo"
    within = Text("has no sound in %(language)s", language=language_text("zh"))
    assert sentence(within, Lang.ZH) == "没有普通话语音"
    assert str(within) == "has no sound in Mandarin"


def test_texts_are_joined():
    texts = [Text("%(name)s", name="a"), Text("%(name)s", name=TrunkProblem.NOT_REGISTERED)]
    assert sentence(listed(texts), Lang.ZH) == "a，未注册"
    assert sentence(stacked(texts), Lang.EN) == "a\n  not registered"
    assert str(stacked([])) == ""
