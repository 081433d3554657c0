"""What all commands share: the option that says who signs, and how a command ends. What a person can get wrong is one
clear line on standard error and a non-zero exit.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any, NoReturn

import typer

from dialer.core.access import actor_name
from dialer.core.errors import DialerError, UnusableFile
from dialer.language import Lang

_UNUSABLE = 2
_INTERRUPTED = 130

# The library's own word for whatever was typed wrongly; it carries a click of its own and gives this no public name.
_MISTYPED: Any = typer.BadParameter.__mro__[2]


def signer(by: str) -> str:
    """Checks a name that was given; '' is left to the command. Raises `Invalid`."""
    return actor_name(by) if by else by


By = Annotated[str, typer.Option(help="who does this; kept in the audit", callback=signer)]


def pick(lang: Lang, zh: str, en: str) -> str:
    return zh if lang is Lang.ZH else en


def answer(tree: typer.Typer, words: Sequence[str]) -> NoReturn:
    """The process does what the words ask for, and ends."""
    try:
        code = tree(args=list(words), standalone_mode=False)
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
