"""The `dialer` command."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from dialer.cli.common import answer
from dialer.cli.tree import tree


def commands(words: list[str]) -> typer.Typer:
    """The commands of the module that the words name one of, which alone is imported: it starts in half the time, and a
    process of the service would keep the memory of all the others for as long as it runs.
    """
    return tree(words[0] if words else "")


def main() -> NoReturn:
    """Runs what the command line asks for."""
    words = sys.argv[1:]
    answer(commands(words), words)


if __name__ == "__main__":
    main()
