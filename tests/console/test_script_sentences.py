"""What is wrong with a script is said in Chinese too, whatever it is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from dialer import scripts
from dialer.language import Lang
from dialer.web.console.script_sentences import problem_in

_FILES = [
    Path(scripts.__path__[0]) / f"{name}.py" for name in ("checks", "message_rules", "reading", "shape")
]
_ELSEWHERE = {"7 7", "7 must be a 7", "is no stored script version"}
"""What is put together of two, and what no person can cause."""
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("no way leads here", "没有路径能到这里"),
        ("waits 90 s for silence; 3 to 30 is allowed", "静默等待 90 秒，允许 3 至 30 秒"),
        ("the message in zh holds a number", "zh 短信含有号码"),
        ("its sound in en (ab.wav) is silent", "en 语音（ab.wav）没有声音"),
        ("retries must be a whole number", "retries 应为整数"),
        ("leads to nowhere, which is no node", "指向 nowhere，但没有这个节点"),
    ],
)
def test_facts_stay_where_they_belong(english: str, chinese: str):
    assert problem_in(Lang.ZH, english) == chinese
    assert problem_in(Lang.EN, english) == english


def said(file: Path) -> set[str]:
    """Every problem that a module may name: what goes into its findings and refusals, places filled."""
    found = set()
    for call in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(call, ast.Yield) and file.stem == "message_rules":
            found.add(filled(call.value))
        if isinstance(call, ast.Call):
            name = getattr(call.func, "id", getattr(call.func, "attr", ""))
            place = {"at": 2, "of": 2, "_wrong": 1, "_at_prompt": 3}.get(name)
            if place is not None and len(call.args) > place:
                found.add(filled(call.args[place]))
            if name in {"ScriptUnreadable", "Misshapen"}:
                found |= {filled(one.value) for one in call.keywords if one.arg == "problem"}
        if isinstance(call, ast.Assign) and getattr(call.targets[0], "id", "") == "problem":
            found.add(filled(call.value))
    return {text for text in found if " " in text} - _ELSEWHERE


def filled(part: ast.AST | None) -> str:
    match part:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(filled(one) if isinstance(one, ast.Constant) else "7" for one in parts)
    return ""


def test_every_problem_has_its_sentence():
    told = {text for file in _FILES for text in said(file)}
    assert len(told) > 40
    missing = sorted(text for text in told if not _CHINESE.search(problem_in(Lang.ZH, text)))
    assert missing == []
