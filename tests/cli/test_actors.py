"""Nobody signs with a name of the service, or with none: no command and no action accepts it."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
import typer
from typer.testing import CliRunner

import dialer
from dialer.__main__ import build_command_line
from dialer.core.access import LONGEST_NAME, RESERVED_NAMES, actor_name
from dialer.core.errors import Invalid
from dialer.org.accounts import login_of

app = build_command_line()

_PROGRAMS: Final = frozenset({"dialer.__main__", "dialer.runtime.guard"})
"""Modules that run when they are imported."""
READS: Final = frozenset(
    {
        "preview_draft",
        "measure_draft",
        "must_give_reason_to_search",
        "open_search",
        "read_task_state",
        "show_task",
        "show_overview",
        "task_in_hand",
    }
)
"""They sign nothing: the name only chooses which rows are found."""


def actions() -> Iterator[tuple[str, Callable[..., Any], str]]:
    """Every public action that a person signs, with the argument that names the person."""
    for found in pkgutil.walk_packages(dialer.__path__, "dialer."):
        if found.ispkg or found.name in _PROGRAMS:
            continue
        module = importlib.import_module(found.name)
        for name, function in inspect.getmembers(module, inspect.isfunction):
            taken = inspect.signature(function).parameters
            is_own = function.__module__ == module.__name__ and not name.startswith("_")
            if not is_own or next(iter(taken), "") != "services" or name in READS:
                continue
            signer = next((one for one in ("by", "who") if one in taken), None)
            if signer is not None and taken[signer].annotation == "str":
                yield f"{found.name.removeprefix('dialer.')}.{name}", function, signer


ACTIONS: Final = {name: (action, signer) for name, action, signer in actions()}


def _carry_out(action: Callable[..., Any], **arguments: object) -> None:
    done = action(**arguments)
    if inspect.iscoroutine(done):
        asyncio.run(done)


@pytest.mark.parametrize("name", ACTIONS)
def test_no_action_takes_a_name_of_the_service(name: str):
    """The name is looked at first: there are no services."""
    action, signer = ACTIONS[name]
    others = {
        taken.name: None
        for taken in inspect.signature(action).parameters.values()
        if taken.default is inspect.Parameter.empty and taken.name != signer
    }
    for by in ("robot", " Robot ", "release", "x" * (LONGEST_NAME + 1), " "):
        with pytest.raises(Invalid) as refused:
            _carry_out(action, **others, **{signer: by})
        assert (by, refused.value.field) == (by, "by")


def signed_commands(tree: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:  # noqa: ANN401  # typer does not export its type
    for name, command in tree.commands.items():
        if hasattr(command, "commands"):
            yield from signed_commands(command, (*words, name))
        elif SIGNED_BY & {option for param in command.params for option in param.opts}:
            yield " ".join((*words, name)), command


SIGNED_BY: Final = frozenset({"--by", "--reveal-by"})
COMMANDS: Final = dict(signed_commands(typer.main.get_command(app)))


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("by", sorted(RESERVED_NAMES))
def test_no_command_takes_a_name_of_the_service(name: str, by: str):
    """It is refused before a setting is read or a database is asked."""
    words = name.split()
    for param in COMMANDS[name].params:
        if SIGNED_BY & set(param.opts):
            words += [param.opts[0], by]
        elif param.required:
            given = "clerk" if param.name == "role" else "1"
            words += [given] if param.param_type_name == "argument" else [param.opts[0], given]
    with pytest.raises(Invalid, match="only the service signs with"):
        CliRunner().invoke(app, words, catch_exceptions=False)


def test_the_commands_are_found():
    assert len(COMMANDS) > 20
    assert {"pause", "case", "token add", "scripts approve", "work done"} <= set(COMMANDS)


@pytest.mark.parametrize("name", ["li", "李警官", "cli", "robots", "x" * LONGEST_NAME])
def test_a_person_signs_with_the_own_name(name: str):
    assert actor_name(f" {name} ") == name


@pytest.mark.parametrize("login", ["robot", "Shipped", "release"])
def test_no_account_has_a_name_of_the_service(login: str):
    with pytest.raises(Invalid, match="only the service signs with"):
        login_of(login)
