"""Commands of whoever looks after the service: doctor, keys, migrate, filed cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from dialer.bootstrap import application
from dialer.cli_end import By
from dialer.domain.values import FraudType
from dialer.errors import Invalid
from dialer.language import Text, bilingual
from dialer.runtime.doctor import Probe, Subject, examine
from dialer.settings import Settings, load_settings
from dialer.store import migrations
from dialer.store.keys import create, fingerprint
from dialer.usecases.file_case import file_case

care = typer.Typer()
keys = typer.Typer(help="The keys that personal data are sealed with.", no_args_is_help=True)
filed = typer.Typer(help="Cases filed with the police 立案.", no_args_is_help=True)


@care.command()
def migrate() -> None:
    """Bring the database to this version's schema."""
    with application(load_settings()) as app:
        typer.echo(f"schema {migrations.current(app.engine.store.engine)}")


@care.command()
def doctor(*, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Look whether this machine can run the service, and say how to mend what is not well; else exit 1."""
    settings = load_settings()
    found = examine(
        Subject(
            data_dir=settings.data_dir,
            web_host=settings.web.host,
            web_port=settings.web.port,
            keys_file=settings.keys.file,
            telephony_base_url=settings.telephony.base_url,
            embedded=settings.database.url is None or settings.broker.url is None,
            probes=(
                Probe(
                    name="database and broker",
                    run=lambda: _try_parts(settings),
                    mend="check DIALER_DATABASE__URL, DIALER_BROKER__URL and DIALER_KEYS__FILE",
                ),
            ),
        )
    )
    if as_json:
        plain = [
            {"name": one.name, "ok": one.ok, "detail": str(one.detail), "mend": str(one.mend)}
            for one in found
        ]
        typer.echo(json.dumps(plain, ensure_ascii=False))
    else:
        table = Table("", "检查 check", "结果 found", "怎么办 mend")
        for one in found:
            table.add_row(
                "[green]ok[/]" if one.ok else "[red]!![/]", *map(bilingual, (one.name, one.detail, one.mend))
            )
        Console().print(table)
    raise typer.Exit(0 if all(one.ok for one in found) else 1)


def _try_parts(settings: Settings) -> str:
    with application(settings) as app:
        revision = migrations.current(app.engine.store.engine)
        with app.celery.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, timeout=3)
    return f"schema {revision}, broker answers"


@keys.command("create")
def create_keys(path: Path) -> None:
    """Make a new keys file, mode 600; an existing one is never touched. Back it up apart from the database."""
    typer.echo(fingerprint(create(path)))


@filed.command("add")
def add_filed(
    case_number: Annotated[str, typer.Option(help="the police's number of the case")],
    by: By = "cli",
    id_number: Annotated[str, typer.Option(help="of the person")] = "",
    phone: Annotated[str, typer.Option(help="of the person, where no id number is known")] = "",
    fraud_type: Annotated[str, typer.Option(help="where the person has several cases")] = "unknown",
) -> None:
    """Record that a person reported a loss after all: a success of theirs is reversed."""
    if fraud_type not in set(FraudType):
        raise Invalid(
            field="--fraud-type",
            problem="is not known",
            mend=Text("one of %(known)s", known=", ".join(kind for kind in FraudType)),
        )
    with application(load_settings()) as app:
        found = file_case(
            app.engine,
            case_number=case_number,
            by=by,
            id_number=id_number,
            phone=phone,
            fraud_type=FraudType(fraud_type),
        )
    cases = ", ".join(map(str, found.case_ids))
    typer.echo(f"{found.case_number}: case {cases}" + (" (on record already)" if found.already else ""))
