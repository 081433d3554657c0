"""All commands of `dialer` in one tree."""

from __future__ import annotations

import typer

from dialer import __version__
from dialer.cli.accounts import staff, token, units
from dialer.cli.backup import backup, restore
from dialer.cli.bulletin import bulletin_command
from dialer.cli.cards import cards, openings
from dialer.cli.cases import case_command, cases_command, recording
from dialer.cli.control import alarms, audit, care, control, settings_commands
from dialer.cli.demo import demo_command
from dialer.cli.filed import filed
from dialer.cli.keys import keys
from dialer.cli.lists import load_command, loads
from dialer.cli.person import person, retention_command
from dialer.cli.report import report_command
from dialer.cli.scripts import scripts
from dialer.cli.serve import serve
from dialer.cli.signals import signals
from dialer.cli.trunk import trunk
from dialer.cli.webhooks import webhook
from dialer.cli.work import approvals_command, outcome, work

app = typer.Typer(
    help="Calls people who are being defrauded right now.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.registered_commands.extend(serve.registered_commands)
app.command("demo")(demo_command)
app.command("load")(load_command)
app.registered_commands.extend(care.registered_commands)
app.registered_commands.extend(control.registered_commands)
app.add_typer(alarms, name="alarms")
app.command("report")(report_command)
app.command("bulletin")(bulletin_command)
app.command("case")(case_command)
app.command("cases")(cases_command)
app.add_typer(recording, name="recording")
app.add_typer(work, name="work")
app.add_typer(scripts, name="scripts")
app.add_typer(signals, name="signals")
app.add_typer(backup, name="backup")
app.registered_commands.extend(restore.registered_commands)
app.add_typer(person, name="person")
app.command("retention")(retention_command)
app.add_typer(keys, name="keys")
app.add_typer(settings_commands, name="settings")
app.add_typer(token, name="token")
app.add_typer(units, name="units")
app.add_typer(webhook, name="webhook")
app.add_typer(trunk, name="trunk")
app.add_typer(loads, name="loads")
app.add_typer(staff, name="staff")
app.add_typer(filed, name="filed")
app.add_typer(openings, name="openings")
app.add_typer(cards, name="cards")
app.add_typer(outcome, name="outcome")
app.command("approvals")(approvals_command)
app.add_typer(audit, name="audit")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)
