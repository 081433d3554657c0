"""What every command shares: the option that names the actor, and how a command ends.

An error that a person can cause is one clear line on standard error and a non-zero exit.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from dialer.core.access import actor_name
from dialer.core.errors import DialerError, UnreadableFile, UnusableFile
from dialer.core.text import Lang, Text

_UNUSABLE = 2
_INTERRUPTED = 130

# The base class of usage errors: typer carries its own copy of click and exports no public name for it.
_MISTYPED: Any = typer.BadParameter.__mro__[2]


def signer(by: str) -> str:
    """The checked name of an actor; '' stays ''. Raises `Invalid`."""
    return actor_name(by) if by else by


By = Annotated[
    str, typer.Option(help="login of the account that does this; recorded in the audit", callback=signer)
]


@contextmanager
def file_named_in_errors(file: Path) -> Iterator[None]:
    """Names the file in the error of a file that cannot be read."""
    try:
        yield
    except UnreadableFile as fault:
        raise UnusableFile(Text("%(file)s: %(problem)s", file=file.name, problem=fault.text)) from fault


def run_command(tree: typer.Typer, words: Sequence[str]) -> NoReturn:
    """Runs the command that the words name, and ends the process with its exit code."""
    try:
        code = tree(args=list(words), standalone_mode=False)
    except typer.Exit as end:
        code = end.exit_code
    except _MISTYPED as fault:
        fault.show()
        code = fault.exit_code
    except (typer.Abort, KeyboardInterrupt):
        code = _INTERRUPTED
    except DialerError as fault:
        _say(fault.text)
        code = _UNUSABLE if isinstance(fault, UnusableFile) else 1
    except Exception as fault:
        if not _is_unfit(fault):
            raise
        _say(Text("a value is larger or longer than any that can be kept"))
        code = 1
    sys.exit(code if isinstance(code, int) else 0)


def terminal_language(environment: Mapping[str, str]) -> Lang:
    """The language of the messages of a terminal, as its locale says it: Chinese, or English for any other."""
    named = (environment.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return Lang.ZH if next(filter(None, named), "").lower().startswith("zh") else Lang.EN


def _say(text: Text) -> None:
    """Writes a refusal to standard error in the language of the terminal."""
    if terminal_language(os.environ) is Lang.ZH:
        from dialer.language.words import sentence  # noqa: PLC0415  # the memory of a process at rest

        sys.stderr.write(f"dialer：{sentence(text, Lang.ZH)}\n")
    else:
        sys.stderr.write(f"dialer: {text}\n")


def _is_unfit(fault: Exception) -> bool:
    """Whether the database has no column that can store what was typed."""
    from dialer.db.unit_of_work import UnfitValue  # noqa: PLC0415  # the memory of a process at rest

    return isinstance(fault, UnfitValue)
