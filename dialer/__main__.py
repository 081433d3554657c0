"""The `dialer` command: all commands in one tree, or those of one module, which takes half the time to import."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final, NoReturn

import typer

from dialer import __version__
from dialer.cli.common import run_command

_COMMANDS: Final[Mapping[str, str]] = {
    "demo": "demo.demo_command",
    "practice": "practice.practice_command",
    "load": "lists.load_command",
    "report": "report.report_command",
    "records": "oversight.records_command",
    "understand": "understand.understand_command",
    "whatif": "whatif.whatif_command",
    "bulletin": "bulletin.bulletin_command",
    "case": "cases.case_command",
    "cases": "cases.cases_command",
    "retention": "person.retention_command",
    "approvals": "work.approvals_command",
}
"""By command: its function, as `module.function` below `dialer.cli`."""
_SEVERAL: Final[Mapping[str, tuple[str, ...]]] = {
    "serve.serve": ("web", "worker", "scheduler", "robot", "carrier", "sip", "peer", "prepare", "up"),
    "control.care": ("migrate", "upgrade", "doctor"),
    "control.control": ("pause", "resume", "pauses", "pace"),
    "backup.restore": ("restore",),
    "terminal.terminal": ("sign-in", "sign-out"),
}
"""By `module.app` below `dialer.cli`: the commands that this app defines."""
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
    "source": "sources.source",
    "corrections": "oversight.corrections",
    "duty": "duty.duty",
    "plan": "plan.plan",
    "units": "accounts.units",
    "webhook": "webhooks.webhook",
    "trunk": "trunk.trunk",
    "loads": "lists.loads",
    "staff": "accounts.staff",
    "filed": "filed.filed",
    "openings": "cards.openings",
    "cards": "cards.cards",
    "outcome": "work.outcome",
    "audit": "audit.audit",
}


def build_command_line(word: str = "") -> typer.Typer:
    """The command-line application: all commands, or only those of the module that defines the command `word`. That
    halves the start time, and a process of the service does not hold the other modules in memory.
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
        app.registered_commands.extend(_import(place).registered_commands)
    for name, place in _COMMANDS.items():
        if is_wanted(place):
            app.command(name)(_import(place))
    for name, place in _GROUPS.items():
        if is_wanted(place):
            app.add_typer(_import(place), name=name)
    # Always a second command: Typer drops the name of an only one.
    app.command()(version)
    return app


def _import(place: str) -> Any:  # noqa: ANN401  # a function or a group of commands
    module, _, name = place.partition(".")
    return getattr(import_module(f"dialer.cli.{module}"), name)


def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> NoReturn:
    """Runs the command of the command line and exits; `--version` is another word for `version`."""
    words = sys.argv[1:]
    if words[:1] == ["--version"]:
        words = ["version"]
    run_command(build_command_line(words[0] if words else ""), words)


if __name__ == "__main__":
    main()
