"""A command that a page names exists, with the options that it is shown with."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from dialer.__main__ import build_command_line
from tests.docs.pages import PAGES, ROOT, code, name

app = build_command_line()

_TREE: Any = typer.main.get_command(app)
_TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
_PREFIX = re.compile(r"^(?:[A-Z_]+=\S+ +)*(?:\S*/)?(?:python -m )?dialer +(?=[a-z|-])")


def _words(line: str) -> list[str]:
    """The words after `dialer`, up to a pipe or a second command; [] when the line is none of ours."""
    found = _PREFIX.match(line)
    if found is None:
        return []
    return shlex.split(re.split(r" (?:\||>|&&|;) ", line[found.end() :])[0].replace("…", ""))


def _faults(words: list[str]) -> list[str]:
    """What of a command line does not exist. `web|worker` names several commands at once."""
    command, faults, rest = _TREE, [], list(words)
    while rest and rest[0] != "--help" and getattr(command, "commands", None):
        if getattr(command, "invoke_without_command", False) and rest[0].startswith("--"):
            break  # a group that is a command by itself, as `dialer alarms`
        names = rest.pop(0).split("|")
        missing = [one for one in names if one not in command.commands]
        if missing:
            return [f"no command {one}" for one in missing]
        command = command.commands[names[0]]
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    for word in rest:
        option = word.strip("[]").partition("=")[0]
        if option.startswith("--") and option not in known:
            faults.append(f"no option {option}")
    return faults


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_on_a_page_exists(page: Path) -> None:
    for line in code(page.read_text(encoding="utf-8")):
        if words := _words(line):
            assert not _faults(words), f"{name(page)}: {line}"
        for target in re.findall(r"^make ([a-z-]+)", line):
            assert target in _TARGETS, f"{name(page)}: {line}"


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("dialer loda x.csv", "no command loda"),
        ("dialer load x.csv --dryrun", "no option --dryrun"),
        ("dialer work ended 1", "no command ended"),
        ("dialer web|wroker", "no command wroker"),
    ],
)
def test_a_misspelt_command_would_be_noticed(line: str, fault: str) -> None:
    assert _faults(_words(line)) == [fault]


def test_every_command_is_on_a_page() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    for command, inner in _TREE.commands.items():
        if inner.hidden:
            continue
        shown = [sub for sub, one in getattr(inner, "commands", {}).items() if not one.hidden]
        names = [f"dialer {command} {sub}" for sub in shown] or [f"dialer {command}"]
        for full in names:
            assert full in text or command == "version", f"{full} is on no page"
