"""requirements-runtime.lock: what the service needs of requirements.lock, with the same versions and hashes, and what
builds it. `python -m tools.runtime_lock` writes it; a test compares.
"""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCK, RUNTIME_LOCK = ROOT / "requirements.lock", ROOT / "requirements-runtime.lock"


def locked() -> list[tuple[str, str]]:
    """The lines of each package of requirements.lock, with its name; a package may have a version for each Python."""
    blocks = re.split(r"^(?=[A-Za-z0-9])", LOCK.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [
        (canonicalize_name(re.split(r"[=\[ ]", block, maxsplit=1)[0]), block)
        for block in blocks
        if block and block[0] != "#"
    ]


def needed() -> set[str]:
    """The packages of the service and of its build, with all that these need, on every supported Python."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    waiting = [
        Requirement(line)
        for line in (*project["project"]["dependencies"], *project["build-system"]["requires"])
    ]
    done: set[tuple[str, str]] = set()
    while waiting:
        one = waiting.pop()
        name = canonicalize_name(one.name)
        for extra in ("", *one.extras):
            if (name, extra) not in done:
                done.add((name, extra))
                waiting += _below(name, extra)
    return {name for name, _ in done}


def _below(name: str, extra: str) -> list[Requirement]:
    try:
        found = [Requirement(line) for line in requires(name) or ()]
    except PackageNotFoundError:  # of another Python
        return []
    # A marker of a Python version is left to pip: the lock holds what any of them needs.
    return [
        one
        for one in found
        if ("extra" not in str(one.marker) and not extra)
        or (
            extra
            and "extra" in str(one.marker)
            and one.marker is not None
            and one.marker.evaluate({"extra": extra})
        )
    ]


def runtime_lock() -> str:
    """The text of requirements-runtime.lock."""
    wanted = needed()
    return "".join(block for name, block in locked() if name in wanted)


if __name__ == "__main__":
    RUNTIME_LOCK.write_text(runtime_lock(), encoding="utf-8")
