"""The commands of one module alone are those of the whole tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.main import get_command

from dialer.__main__ import build_command_line

WHOLE = get_command(build_command_line())
assert isinstance(WHOLE, typer.core.TyperGroup)


def helped(words: list[str], name: str) -> str:
    command = get_command(build_command_line(*words))
    assert isinstance(command, typer.core.TyperGroup)
    found = command.commands[name]
    parts = getattr(found, "commands", {})
    return " ".join([found.help or "", *sorted(parts), *(param.name or "" for param in found.params)])


@pytest.mark.parametrize("name", WHOLE.commands)
def test_a_command_alone_is_the_one_of_the_tree(name: str):
    assert helped([name], name) == helped([], name)


def test_a_word_that_is_no_command_has_the_whole_tree():
    found = get_command(build_command_line("nosuch"))
    assert isinstance(found, typer.core.TyperGroup)
    assert list(found.commands) == list(WHOLE.commands)


def options(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:  # noqa: ANN401  # Typer exports no class of commands
    """Every option of every command below this one, with the words that lead to it."""
    for name, found in getattr(command, "commands", {}).items():
        yield from options(found, (*path, name))
    for param in command.params:
        yield " ".join((*path, *param.opts)), param


def test_what_an_option_is_without_being_given_is_a_value_that_it_takes():
    """Typer checks a default as if it had been typed: `dialer webhook again --name X` was always refused."""
    outside = [
        name
        for name, param in options(WHOLE)
        if (least := getattr(param, "min", None)) is not None
        and isinstance(param.default, int | float)
        and param.default < least
    ]
    assert outside == []
    assert len([name for name, param in options(WHOLE) if getattr(param, "min", None) is not None]) > 5
