"""Every hard scenario names tests that exist."""

from __future__ import annotations

import ast
import re

import pytest

from tests.docs.pages import ROOT

_PAGE = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
_ROWS = dict(re.findall(r"^\| (\d+) \| (.*) \|$", _PAGE, re.MULTILINE))
_FILE = re.compile(r"`([\w/]+\.py)`: ((?:`test_\w+`(?:, )?)+)")


def _named(text: str) -> list[tuple[str, str]]:
    return [
        (file, test) for file, tests in _FILE.findall(text) for test in re.findall(r"`(test_\w+)`", tests)
    ]


def _functions(file: str) -> set[str]:
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    found = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, found)}


def test_none_of_the_scenarios_is_left_out() -> None:
    assert list(_ROWS) == [str(number) for number in range(1, 23)]


@pytest.mark.parametrize("number", _ROWS)
def test_a_scenario_names_tests_that_exist(number: str) -> None:
    named = _named(_ROWS[number])
    assert named
    assert len(named) == _ROWS[number].count("`test_")
    missing = [f"{file}: {test}" for file, test in named if test not in _functions(file)]
    assert missing == []


def test_whatever_else_the_page_names_exists() -> None:
    assert all(test in _functions(file) for file, test in _named(_PAGE))
