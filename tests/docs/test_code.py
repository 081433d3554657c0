"""Code in documents runs, and the files and modules that they name exist."""

from __future__ import annotations

import importlib
import re
import subprocess
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_DOCUMENTS = sorted(
    [*ROOT.glob("docs/*.md"), *ROOT.glob("*.md"), ROOT / "bench/README.md", ROOT / "carrier/README.md"]
)
DOCUMENTS = [document for document in _DOCUMENTS if document.name != "CHANGELOG.md"]
"""Without the change log and the decisions, which tell of what was there at their time."""
RUN_BY_ITSELF = ROOT / "carrier/README.md"
"""`tests/carrier/test_alone.py` runs its example against a carrier."""
BLOCK = re.compile(r"^( *)```python\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"`([\w./-]*[\w-]\.(?:py|toml|html|sh|svg|css|js))`")
MODULE = re.compile(r"`(?:python -m )?((?:dialer|carrier|audio|bench|chaos|tools|tests)(?:\.\w+)+)[`\s\[]")
MADE_UP = re.compile(r"NAME|settings\.local\.toml|dialer\.target")
"""Names that stand for the reader's own, and a target of systemd that looks like a module."""


def blocks() -> list[tuple[str, int, str]]:
    return [
        (
            document.relative_to(ROOT).as_posix(),
            text.count("\n", 0, found.start()) + 1,
            textwrap.dedent(found[2]),
        )
        for document in DOCUMENTS
        if document != RUN_BY_ITSELF
        for text in [document.read_text(encoding="utf-8")]
        for found in BLOCK.finditer(text)
    ]


def test_there_is_code_in_documents():
    assert {document for document, _, _ in blocks()} >= {"docs/console.md", "docs/contributing.md"}


@pytest.mark.parametrize(("document", "line", "code"), blocks())
def test_code_runs_as_a_module_would(document: str, line: int, code: str):
    """Its imports, decorators and classes are those of today; what is inside a function does not run."""
    exec(
        compile(f"from __future__ import annotations\n{code}", f"{document}:{line}", "exec"), {}
    )  # our own documents


def tracked() -> list[str]:
    found = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    return found.split() or [
        path.relative_to(ROOT).as_posix()
        for folder in (
            "dialer",
            "carrier",
            "audio",
            "bench",
            "chaos",
            "tools",
            "tests",
            "docs",
            "deploy",
            "alembic",
        )
        for path in (ROOT / folder).rglob("*.*")
    ]


def test_the_files_that_documents_name_exist():
    there = ["/" + name for name in tracked()]
    missing = [
        f"{document.relative_to(ROOT)}: {name}"
        for document in DOCUMENTS
        for name in sorted(set(FILE.findall(document.read_text(encoding="utf-8"))))
        if not MADE_UP.search(name)
        and not name.startswith(("/", "~"))
        and not any(path.endswith("/" + name.removeprefix("./")) for path in there)
    ]
    assert missing == []


def test_the_modules_that_documents_name_can_be_imported():
    missing = [
        f"{document.relative_to(ROOT)}: {name}"
        for document in DOCUMENTS
        for name in sorted(set(MODULE.findall(document.read_text(encoding="utf-8"))))
        if not MADE_UP.search(name) and not _is_there(name)
    ]
    assert missing == []


def _is_there(name: str) -> bool:
    """Whether it is a module, or a name in one."""
    path, _, last = name.rpartition(".")
    as_file = ROOT / name.replace(".", "/")
    if as_file.with_suffix(".py").exists() or (as_file / "__init__.py").exists() or as_file.is_dir():
        return True
    return hasattr(importlib.import_module(path), last)
