"""Measurements are run seldom: what they import of ours must be there all the same."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

_BENCH = Path(__file__).resolve().parents[2] / "bench"
_OURS = ("dialer", "carrier", "audio", "bench")


@pytest.mark.parametrize("path", sorted(_BENCH.glob("*.py")), ids=lambda path: path.stem)
def test_every_name_that_a_measurement_imports_of_ours_exists(path: Path):
    missing = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in _OURS:
            folder = node.module or ""
            if folder.startswith("bench"):
                text = (_BENCH.parent / f"{folder.replace('.', '/')}.py").with_suffix(".py")
                known = _names(text) if text.exists() else {each.stem for each in _BENCH.glob("*.py")}
            else:
                known = set(dir(importlib.import_module(folder)))
            missing += [
                f"{folder}.{each.name}" for each in node.names if not _is_there(folder, each.name, known)
            ]
    assert missing == []


def _is_there(folder: str, name: str, known: set[str]) -> bool:
    if name in known:
        return True
    try:
        importlib.import_module(f"{folder}.{name}")
    except ModuleNotFoundError:
        return False
    return True


def _names(path: Path) -> set[str]:
    """The names that a measurement defines, which need not be imported for it: its libraries may be extras."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                found.add(name)
            case ast.Import() | ast.ImportFrom():
                found |= {(each.asname or each.name).partition(".")[0] for each in node.names}
    return found
