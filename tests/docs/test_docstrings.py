"""A name in a docstring is one of the code: it stands between backticks, and a reader looks it up."""

from __future__ import annotations

import ast
import builtins
import gc
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_NAME = re.compile(r"(?<!`)`([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?)(?:\(\))?`(?!`)")
_WORD = re.compile(r"\w+")
_NAMED = frozenset({"id", "attr", "name", "arg", "asname", "module"})
_OTHERS = frozenset({"deadlock_timeout", "module", "function", "say1", "type500", "subprocess", "Popen"})
"""A setting of PostgreSQL, examples, and the standard library."""


def _docstrings(tree: ast.Module) -> Iterator[ast.Constant]:
    """Strings that stand alone: of modules, classes, functions, and below fields and constants."""
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str())):
                yield node.value


def _words(tree: ast.Module) -> set[str]:
    """The identifiers of a module, and the words of its strings: fields, columns, settings, words of a protocol."""
    told = {id(docstring) for docstring in _docstrings(tree)}
    names, texts = set[str](), set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str) and id(node) not in told:
                texts.add(node.value)
            continue
        for field in _NAMED.intersection(node._fields):
            if isinstance(given := getattr(node, field), str):
                names.add(given)
    return {part for name in names for part in name.split(".")}.union(*map(_WORD.findall, texts))


def _defined(tree: ast.Module) -> set[str]:
    """The functions, classes and constants of a module that others may use."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name for node in tree.body if isinstance(node, kinds)} | {
        node.target.id
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }


def _fields(tree: ast.Module) -> set[str]:
    """The fields of its classes: columns and settings, which other modules name."""
    return {
        one.target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for one in node.body
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
    }


def unknown_names(modules: dict[str, ast.Module]) -> list[str]:
    """The names in docstrings that mislead, by `folder/file.py`: those that occur nowhere in the modules, and functions
    of other folders that the module does not use. A class may be of any folder (an error passes through modules that
    do not name it), and a function that is called as a field is taken for the field.
    """
    words = {path: _words(tree) for path, tree in modules.items()}
    files = {part for path in modules for part in _WORD.findall(path)}
    known = set(dir(builtins)) | _OTHERS | files | set().union(*words.values())
    folders: dict[str, set[str]] = {}
    for path, tree in modules.items():
        folders.setdefault(path.rpartition("/")[0], set()).update(_defined(tree))
    elsewhere = {name for names in folders.values() for name in names if name.islower()}
    elsewhere -= set().union(*(_fields(tree) for tree in modules.values()))
    found = []
    for path, tree in modules.items():
        here = words[path] | folders[path.rpartition("/")[0]] | files
        for told in _docstrings(tree):
            assert isinstance(told.value, str)
            for name in _NAME.findall(told.value):
                parts = name.split(".")
                wrong = [one for one in parts if one not in known]
                wrong += [one for one in parts[:1] if one in elsewhere and one not in here]
                found += [f"{path}:{told.lineno} `{name}`"] if wrong else []
    return found


def test_a_name_in_a_docstring_exists():
    gc.disable()  # it would scan the 800,000 nodes again and again, which took longer than to parse them
    try:
        modules = {
            path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
            for package in ("dialer", "carrier")
            for path in sorted((ROOT / package).rglob("*.py"))
        }
        assert unknown_names(modules) == []
    finally:
        gc.enable()


def test_a_name_that_is_gone_or_of_another_place_is_found():
    here = '"""See `gone`, `move_case`, `kept`, `Refused`, `beside` and `ValueError`."""\ndef kept(): ...'
    modules = {
        "a/here.py": ast.parse(here),
        "a/near.py": ast.parse("def beside(): ..."),
        "b/there.py": ast.parse("def move_case(): ...\nclass Refused: ..."),
    }
    assert unknown_names(modules) == ["a/here.py:1 `gone`", "a/here.py:1 `move_case`"]
