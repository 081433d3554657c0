"""`make mutants`: changes one place of the code at a time, in a copy, and runs the tests that run that place.

A seeded sample of every group; what no test notices is printed as a difference. Fails where less than 90 % of a group
is noticed. The tests of a group run once on the code as it is, and coverage notes which of them run which line. What
no test runs in its own process (module level, processes that tests start) is tried with all tests of the group. One
library does this, cosmic-ray: it changes the working tree in place and keeps a session to manage, where a sample needs
neither.
"""

from __future__ import annotations

import argparse
import ast
import copy
import difflib
import importlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import coverage
import pytest

from dialer.runtime.embedded import ensure_servers
from tests.conftest import memory_home
from tools.mutant_groups import GROUPS, Group

ROOT = Path(__file__).resolve().parent.parent
_COPIED = ("dialer", "carrier", "audio", "alembic", "tests", "tools", "bench", "chaos", "docs", ".ci")
_FILES = ("pyproject.toml", "settings.toml", "Makefile", "README.md", "README.zh-CN.md", "requirements.lock")
SERVERS = "TESTS_SERVERS"
HOME = "TESTS_SERVERS_HOME"
_ENOUGH = 0.9
_LONGEST_SECONDS = 3600
"""For the tests of a group on the code as it is, on a machine with other work."""
_TIMES_AS_LONG = 5
"""A mutant that takes this many times as long as the code as it is never ends; that is noticed."""
_FAILED = 1
_BROKEN = 3
_NO_TESTS = 5
_LOOK_SECONDS = 0.05
_COVERED = "covered.json"
_READING = ("tests/wording/", "tests/docs/")
"""Tests that read the code as text run for every change."""
_LIBRARIES = (
    "alembic.autogenerate",
    "babel.messages.pofile",
    "celery",
    "fastapi",
    "jinja2",
    "psycopg",
    "pydantic_settings",
    "python_calamine",
    "redis.asyncio",
    "sqlalchemy.dialects.postgresql",
    "twilio.rest",
    "typer",
    "uvicorn",
)
"""Imported once, before the forks. What pytest rewrites when it loads its plugins is none of them."""
_PLUGINS = ("xdist.plugin", "_hypothesis_pytestplugin", "pytest_asyncio.plugin", "pytest_timeout")


"""The tests of a group in the order in which they run: what is quick and notices much comes first."""
_EQUIVALENT: dict[tuple[str, str], str] = {
    ("claims.py", "_PROMOTE_AT_ONCE = 5000"): "one more or less at a time",
    ("claims.py", "_WITHHOLD_AT_ONCE = 500"): "one more or less at a time",
    ("reconcile.py", "_AT_ONCE = 200"): "one more or less at a time",
    ("reconcile.py", "_AT_ONCE_SWEEP = 500"): "one more or less at a time",
    ("reconcile.py", '_T = TypeVar("_T")'): "no one reads the name",
    (
        "attempts.py",
        '_IDS = IdSet("ids", t.attempt.c.id)',
    ): "the name of a parameter that the set itself fills",
    (
        "attempts.py",
        '_LIVE = IdSet("ids", t.live_number.c.attempt_id)',
    ): "the name of a parameter that the set itself fills",
    (
        "dial.py",
        "services.rendered_scripts.now(services.real.now())",
    ): "what is read ahead is read again when a call leaves",
    ("console.py", '_Answer = TypeVar("_Answer", bound=Callable[..., Any])'): "the name is for mypy",
    ("console.py", '_Key = TypeVar("_Key", bound=Hashable)'): "the name is for mypy",
    ("console.py", '_T = TypeVar("_T")'): "the name is for mypy",
    (
        "staff.py",
        "for one, is_last in zip(tries.keys, tries.lasts, strict=True):",
    ): "both are made in one loop",
    ("staff.py", "_CACHE_SIZE = 1000"): "a token that was forgotten is read again",
    ("reader.py", "_FIRST_ID_RANGE = 2_000"): "how many cases are searched at once: the same are found",
    (
        "reader.py",
        "before, id_range = lowest, id_range * 4",
    ): "how many are searched next: the same are found",
    (
        "reader.py",
        'waited = [round(seconds, 9) for seconds in row["waited"] or ()] or (None, None)',
    ): "any nanosecond",
    ("facts.py", "_AT_ONCE: Final = 5_000"): "how many cases at once: the fact rows are the same",
    ("facts.py", "_LOCK_SECONDS: Final = 10.0"): "how long a reader waits: both sources give the same",
    ("facts.py", '"memory_limit": "512MB",'): "memory: the figures are the same",
    ("facts.py", '"threads": min(2, os.cpu_count() or 1),'): "threads: the figures are the same",
    ("facts.py", "time.sleep(0.01)"): "how often a reader looks",
    ("refreshing.py", "_NICENESS = 10"): "how much it gives way: the fact rows are the same",
    ("filing.py", "found = find_person_ids(tx, sought, limit=2)"): "two or more people are told alike",
    (
        "records.py",
        "DEFINITIONS_HASH = hashlib.blake2b(repr((KINDS, OWN_OF_CASE)).encode(), digest_size=8).hexdigest()",
    ): "any length tells definitions apart",
    (
        "stored.py",
        'return hashlib.blake2b(f"{DEFINITIONS_HASH} {asked!r}".encode(), digest_size=16).hexdigest()',
    ): "any length tells queries apart",
    ("verify.py", "_OWN_UNIT = 1_000"): "any depth below that of every tree",
    ("recordings.py", "self._made += 1"): "numbers keep their order",
    ("exchange.py", "self._made += 1"): "numbers keep their order",
}
"""Name of a file and a line of it that a mutant may change unnoticed, with the reason why it means the same."""

_SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    path: str
    before: str
    after: str
    lines: range

    def difference(self) -> str:
        lines = difflib.unified_diff(
            self.before.splitlines(), self.after.splitlines(), self.path, self.path, lineterm="", n=1
        )
        return "\n".join(lines)

    def changed_line(self) -> str:
        pairs = zip(self.before.splitlines(), self.after.splitlines(), strict=False)
        return next((was.strip() for was, is_now in pairs if was != is_now), "")


def mutants(path: Path) -> Iterator[Mutant]:
    """Every change of one place of a file, in the order of the places."""
    source = path.read_text(encoding="utf-8")
    name = str(path.relative_to(ROOT))
    for node in _places(ast.parse(source)):
        for changed in _changes(node):
            after = _replaced(source, node, changed)
            if after != source:
                assert isinstance(node, (ast.expr, ast.stmt))
                lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
                yield Mutant(path=name, before=source, after=after, lines=lines)


def _places(node: ast.AST) -> Iterator[ast.AST]:
    """What runs: no annotation, decorator, docstring, assertion or import, no part of a formatted string, and no
    sentence of the log.
    """
    yield node
    for field, value in ast.iter_fields(node):
        if field in {"annotation", "returns", "decorator_list", "type_params"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or _is_silent(child) or _is_text_of_log(node, child):
                continue
            yield from _places(child)


def _is_silent(node: ast.AST) -> bool:
    return isinstance(node, (ast.Assert, ast.Import, ast.ImportFrom, ast.JoinedStr)) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )


def _is_text_of_log(node: ast.AST, child: ast.AST) -> bool:
    """Whether the child is the sentence of a line of the log, which is for people: no test compares it."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "_log"
        and child in node.args[:1]
    )


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=[op, *_]) if type(op) in _SWAPS:
            changed = copy.deepcopy(node)
            changed.ops[0] = _SWAPS[type(op)]()  # type: ignore[call-overload]  # an operator for an operator
            yield changed
        case ast.BoolOp(op=op) | ast.BinOp(op=op) if type(op) in _SWAPS:
            swapped = copy.deepcopy(node)
            swapped.op = _SWAPS[type(op)]()  # type: ignore[assignment]  # an operator for an operator
            yield swapped
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.Constant(value=bool(value)):
            yield ast.Constant(value=not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value=value + 1)
        case ast.Constant(value=str(value)) if value:
            yield ast.Constant(value=value + "x")
        case ast.Expr(value=ast.Call()):
            yield ast.Pass()
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield ast.Return(value=ast.Constant(value=None))


def _replaced(source: str, node: ast.AST, changed: ast.AST) -> str:
    """The file with the text of one node exchanged; the rest stays as it is written."""
    assert isinstance(node, (ast.expr, ast.stmt))
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    lines = source.encode().splitlines(keepends=True)
    start = sum(map(len, lines[: node.lineno - 1])) + node.col_offset
    end = sum(map(len, lines[: node.end_lineno - 1])) + node.end_col_offset
    text = ast.unparse(changed)
    if isinstance(changed, ast.expr):
        text = f"({text})"
    return (source.encode()[:start] + text.encode() + source.encode()[end:]).decode()


def sampled(group: Group, seed: str, count: int) -> list[Mutant]:
    """So many changes of a group, the same for the same seed and code."""
    files = _found(group.modules)
    every = [
        one for path in files for one in mutants(path) if (path.name, one.changed_line()) not in _EQUIVALENT
    ]
    return random.Random(seed).sample(every, min(count, len(every)))  # noqa: S311  # a sample, not a secret


def _found(patterns: Sequence[str]) -> list[Path]:
    """What the patterns name; a pattern that names nothing is out of date."""
    for pattern in patterns:
        if not any(ROOT.glob(pattern)):
            sys.exit(f"mutants: nothing is called {pattern}")
    return list(dict.fromkeys(path for pattern in patterns for path in sorted(ROOT.glob(pattern))))


class _Noted:
    """A plugin of pytest: notes which tests run which lines of these modules."""

    def __init__(self, folder: Path, modules: Sequence[str]) -> None:
        self._folder = folder
        self._coverage = coverage.Coverage(
            data_file=None, config_file=False, include=[str(folder / name) for name in modules]
        )
        self._coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._coverage.switch_context(item.nodeid)
        result = yield
        self._coverage.switch_context("")
        return result

    def pytest_sessionfinish(self) -> None:
        self._coverage.stop()
        data = self._coverage.get_data()
        found = {
            str(Path(file).relative_to(self._folder)): data.contexts_by_lineno(file)
            for file in data.measured_files()
        }
        (self._folder / _COVERED).write_text(json.dumps(found), encoding="utf-8")


class _Only:
    """A plugin of pytest: leaves out all tests but these and those of these files."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._tests = frozenset(tests)

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        left_out = [item for item in items if not self._takes(item.nodeid)]
        items[:] = [item for item in items if self._takes(item.nodeid)]
        config.hook.pytest_deselected(items=left_out)

    def _takes(self, test: str) -> bool:
        return test in self._tests or test.partition("::")[0] in self._tests


def _pytest(folder: Path, tests: Sequence[str], within_seconds: float, *, notes: Sequence[str] = ()) -> bool:
    """Whether these tests of a folder pass. `notes`: of these modules it is noted which test runs which line, and why
    the tests do not pass is printed. They run in a fork of this process, which has the libraries already; to import
    them takes as long as most tests that notice a mutant.
    """
    output = folder / "output"
    child = os.fork()
    if child == 0:
        _run_here(folder, tests, output, notes=notes)
    until = time.monotonic() + within_seconds
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > until:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return False
        time.sleep(_LOOK_SECONDS)
    code = os.waitstatus_to_exitcode(ended[1])
    if code not in {0, _FAILED, 2} or (notes and code):
        sys.stdout.write(output.read_text(encoding="utf-8", errors="replace")[-2000:])
    if code == _NO_TESTS:
        sys.exit(f"mutants: none of these tests exists: {' '.join(tests)}")
    return code == 0


def _run_here(folder: Path, tests: Sequence[str], output: Path, *, notes: Sequence[str]) -> NoReturn:
    """Ends this process with the exit code of pytest. A changed file is not compiled to disk: the next change may have
    the same size and second.
    """
    code = _BROKEN
    try:
        os.setsid()
        to = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(to, 1)
        os.dup2(to, 2)
        os.chdir(folder)
        os.environ |= {
            "PYTHONPATH": str(folder), SERVERS: str(folder / "servers"), HOME: memory_home(),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        }  # fmt: skip
        for name in [
            name
            for name in sys.modules
            if name.partition(".")[0] in {"dialer", "carrier", "audio", "tests", "tools"}
        ]:
            del sys.modules[name]
        sys.path[:] = [str(folder), *(place for place in sys.path if place not in {"", str(ROOT)})]
        sys.dont_write_bytecode = not notes
        loaded = [part for name in _PLUGINS for part in ("-p", name)]
        own: list[object] = [_Noted(folder, notes)] if notes else []
        if any("::" in test for test in tests):
            own.append(_Only(tests))
        files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
        options = ["-q", "-x", "-n", "0", "-p", "no:cacheprovider", *loaded]
        code = int(pytest.main([*options, *files], plugins=own))
        sys.stdout.flush()
    finally:
        os._exit(code)


def killed(group: Group, chosen: Sequence[Mutant], folder: Path) -> int:
    """How many the group's tests notice, which must pass on the code as it is; prints those that they do not."""
    tests = [str(path.relative_to(ROOT)) for path in _found(group.tests)]
    began = time.monotonic()
    if not _pytest(folder, tests, _LONGEST_SECONDS, notes=group.modules):
        sys.exit(f"mutants: the tests fail without any change: {' '.join(group.tests)}")
    seconds = time.monotonic() - began
    _write(f"the tests took {seconds:.0f} s on the code as it is\n")
    covered = json.loads((folder / _COVERED).read_text(encoding="utf-8"))
    left = 0
    for mutant in chosen:
        place = folder / mutant.path
        place.write_text(mutant.after, encoding="utf-8")
        if _pytest(folder, _tests_of(mutant, covered, tests), _TIMES_AS_LONG * seconds):
            left += 1
            _write(f"\n{mutant.difference()}\n")
        else:
            _write(".")
        place.write_text(mutant.before, encoding="utf-8")
    return len(chosen) - left


def _tests_of(
    mutant: Mutant, covered: Mapping[str, Mapping[str, Sequence[str]]], tests: Sequence[str]
) -> list[str]:
    """Those that run a line of what was changed, and those that read the code; else all, those first whose files import
    its module.
    """
    of_file = covered.get(mutant.path, {})
    running = [name for line in mutant.lines for name in of_file.get(str(line), ())]
    if running and "" not in running:
        reading = [test for test in tests if test.startswith(_READING)]
        return [*dict.fromkeys(running), *reading]
    module = mutant.path.removesuffix(".py").replace("/", ".")
    return sorted(tests, key=lambda test: module not in (ROOT / test).read_text(encoding="utf-8"))


def _copied(folder: Path) -> None:
    for name in _COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in _FILES:
        shutil.copy(ROOT / name, folder / name)


def main() -> int:
    ask = argparse.ArgumentParser()
    ask.add_argument("--seed", default="1")
    ask.add_argument("--number", type=int, default=20)
    ask.add_argument("groups", nargs="*", metavar="GROUP", help=" ".join(GROUPS))
    asked = ask.parse_args()
    poor, home = False, memory_home()
    for library in _LIBRARIES:
        importlib.import_module(library)
    with (
        tempfile.TemporaryDirectory(prefix="mutants-") as name,
        ensure_servers(Path(name) / "servers", ephemeral=True, home=Path(home) if home else None),
    ):
        folder = Path(name)
        _copied(folder)
        for group_name in asked.groups or GROUPS:
            group = GROUPS[group_name]
            chosen = sampled(group, f"{asked.seed}/{group_name}", asked.number)
            noticed = killed(group, chosen, folder)
            _write(f"\n{group_name}: {noticed} of {len(chosen)} killed ({noticed / len(chosen):.0%})\n")
            poor = poor or noticed < _ENOUGH * len(chosen)
    return 1 if poor else 0


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
