"""The `dialer` command.

A process of the service (`dialer web`, ...) imports the commands of `serve` alone: all commands together would cost it
a hundred megabytes for as long as it runs.
"""

from __future__ import annotations

import sys
from typing import Final, NoReturn

import typer

from dialer.cli.common import answer

PROCESSES: Final = frozenset({"web", "worker", "scheduler", "carrier", "sip", "peer", "up", "prepare"})


def commands(words: list[str]) -> typer.Typer:
    """The commands among which the words name one."""
    if words and words[0] in PROCESSES:
        from dialer.cli.serve import serve  # the memory of a process at rest

        return serve
    from dialer.cli.tree import app  # the memory of a process at rest

    return app


def main() -> NoReturn:
    """Runs what the command line asks for."""
    words = sys.argv[1:]
    answer(commands(words), words)


if __name__ == "__main__":
    main()
