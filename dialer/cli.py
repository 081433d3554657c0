"""The command line. A process of the service is for ever what it was started as, so it does not import the other
commands: that would be a hundred megabytes that nothing uses.
"""

from __future__ import annotations

import sys
from typing import Final, NoReturn

import typer

from dialer.cli_end import answer

PROCESSES: Final = frozenset({"web", "worker", "scheduler", "carrier", "up", "prepare"})


def _tree(words: list[str]) -> typer.Typer:
    """The commands of a process that was asked for; else all."""
    if words and words[0] in PROCESSES:
        from dialer.cli_serve import serve

        return serve
    from dialer.commands import app

    return app


def main() -> NoReturn:
    """The `dialer` command."""
    words = sys.argv[1:]
    answer(_tree(words), words)
