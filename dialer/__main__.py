"""The `dialer` command: all commands in one tree, or those of one module, which takes half the time to import."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final, NoReturn

import typer

from dialer import __version__
from dialer.cli.common import answer

_COMMANDS: Final[Mapping[str, str]] = {
    "demo": "demo.demo_command",
    "load": "lists.load_command",
    "report": "report.report_command",
    "bulletin": "bulletin.bulletin_command",
    "case": "cases.case_command",
    "cases": "cases.cases_command",
    "retention": "person.retention_command",
    "approvals": "work.approvals_command",
}
"""The function of each, in a module of this folder."""
_SEVERAL: Final[Mapping[str, tuple[str, ...]]] = {
    "serve.serve": ("web", "worker", "scheduler", "robot", "carrier", "sip", "peer", "prepare", "up"),
    "control.care": ("migrate", "upgrade", "doctor"),
    "control.control": ("pause", "resume", "pauses", "pace"),
    "backup.restore": ("restore",),
}
"""Commands that stand together in their module."""
_GROUPS: Final[Mapping[str, str]] = {
    "alarms": "control.alarms",
    "recording": "cases.recording",
    "work": "work.work",
    "scripts": "scripts.scripts",
    "signals": "signals.signals",
    "backup": "backup.backup",
    "person": "person.person",
    "keys": "keys.keys",
    "settings": "control.settings_commands",
    "token": "accounts.token",
    "units": "accounts.units",
    "webhook": "webhooks.webhook",
    "trunk": "trunk.trunk",
    "loads": "lists.loads",
    "staff": "accounts.staff",
    "filed": "filed.filed",
    "openings": "cards.openings",
    "cards": "cards.cards",
    "outcome": "work.outcome",
    "audit": "control.audit",
}


def tree(word: str = "") -> typer.Typer:
    """All commands; or only what is in the module of the command `word`, if there is such a command: it starts in half
    the time, and a process of the service would keep the memory of all the others for as long as it runs.
    """
    several = {name: place for place, names in _SEVERAL.items() for name in names}
    place = {**_COMMANDS, **several, **_GROUPS}.get(word, "")
    module = place.partition(".")[0]

    def is_wanted(place: str) -> bool:
        return not module or place.partition(".")[0] == module

    app = typer.Typer(
        help="Calls people who are being defrauded right now.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    for place in filter(is_wanted, _SEVERAL):
        app.registered_commands.extend(_found(place).registered_commands)
    for name, place in _COMMANDS.items():
        if is_wanted(place):
            app.command(name)(_found(place))
    for name, place in _GROUPS.items():
        if is_wanted(place):
            app.add_typer(_found(place), name=name)
    # Beside another one, or the only command would have no name.
    app.command()(version)
    return app


def _found(place: str) -> Any:  # noqa: ANN401  # a function or a group of commands
    module, _, name = place.partition(".")
    return getattr(import_module(f"dialer.cli.{module}"), name)


def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> NoReturn:
    """Runs what the command line asks for."""
    words = sys.argv[1:]
    answer(tree(words[0] if words else ""), words)


if __name__ == "__main__":
    main()
