"""The command line. What a person can get wrong is one clear line on standard error and a non-zero exit.

A process of the service is for ever what it was started as, so it does not import the other commands: that would be a
hundred megabytes that nothing uses.
"""

from __future__ import annotations

import sys
from typing import Any, Final, NoReturn

import typer

from dialer.errors import DialerError, UnusableFile

_UNUSABLE = 2
_INTERRUPTED = 130
# The library's own word for whatever was typed wrongly; it carries a click of its own and gives this no public name.
_MISTYPED: Any = typer.BadParameter.__mro__[2]
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
    try:
        code = _tree(sys.argv[1:])(standalone_mode=False)
    except typer.Exit as end:
        code = end.exit_code
    except _MISTYPED as fault:
        fault.show()
        code = fault.exit_code
    except (typer.Abort, KeyboardInterrupt):
        code = _INTERRUPTED
    except UnusableFile as fault:
        sys.stderr.write(f"dialer: {fault}\n")
        code = _UNUSABLE
    except DialerError as fault:
        sys.stderr.write(f"dialer: {fault}\n")
        code = 1
    sys.exit(code if isinstance(code, int) else 0)
