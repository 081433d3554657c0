"""The commands of one module alone are those of the whole tree."""

from __future__ import annotations

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
