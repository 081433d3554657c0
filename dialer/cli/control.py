"""Commands for whoever is in charge: pause, resume, what is paused, and the alarms that nobody has seen.

Commands of whoever looks after the service: doctor, keys, migrate, filed cases.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from dialer.bootstrap import application
from dialer.calls.pace import read_pace, restore_pace, set_pace
from dialer.calls.pauses import pause_calls, read_standing_pauses, resume_calls
from dialer.cases.alarms import unacknowledged_alarms_of
from dialer.cli.common import By
from dialer.control.overview import acknowledge_alarm
from dialer.core.effects import AlarmCode
from dialer.core.errors import Invalid
from dialer.core.values import FraudType, Grade, PauseScope
from dialer.db.migrations import database_revision
from dialer.db.vault import create, fingerprint
from dialer.language import Lang, Text, bilingual
from dialer.outcomes.filing import file_case
from dialer.runtime.doctor import Probe, Subject, examine_installation
from dialer.runtime.settings import Settings, load_settings
from dialer.wording.words import word_of

control = typer.Typer()
alarms = typer.Typer(help="What a supervisor must see.", invoke_without_command=True)

_Unit = Annotated[str | None, typer.Option("--unit", help="of this unit only 属地")]
_Load = Annotated[str | None, typer.Option("--load", help="of this list only 名单")]
_GradeOption = Annotated[str | None, typer.Option("--grade", help="of this grade only 等级")]


@control.command("pause")
def pause(
    minutes: Annotated[float, typer.Option(help="how long; it ends by itself")],
    by: By,
    why: Annotated[str, typer.Option(help="for the record, and for whoever wonders")],
    unit: _Unit = None,
    load: _Load = None,
    grade: _GradeOption = None,
) -> None:
    """暂停外呼: no robot rings meanwhile; people go on. All dialling, unless a unit, a list or a grade is named."""
    scope, subject = _what(unit, load, grade)
    with application(load_settings()) as app:
        paused = pause_calls(app.services, scope=scope, subject=subject, minutes=minutes, by=by, why=why)
    counts = "" if scope is PauseScope.ALL else f", {paused.held} rings held"
    typer.echo(f"{_named(scope, subject)} paused until {_at(paused.pause.until)}{counts}")


@control.command("resume")
def resume(
    by: By,
    why: Annotated[str, typer.Option(help="for the record")] = "",
    unit: _Unit = None,
    load: _Load = None,
    grade: _GradeOption = None,
) -> None:
    """恢复外呼: what a pause held may ring again."""
    scope, subject = _what(unit, load, grade)
    with application(load_settings()) as app:
        released = resume_calls(app.services, scope=scope, subject=subject, by=by, why=why)
    counts = "" if scope is PauseScope.ALL else f", {released} rings released"
    typer.echo(f"{_named(scope, subject)} resumed{counts}")


@control.command("pauses")
def pauses(*, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """What is paused now, by whom, until when and why."""
    with application(load_settings()) as app:
        standing = read_standing_pauses(app.services)
    if as_json:
        typer.echo(
            json.dumps(
                [
                    {
                        "scope": hold.scope.value,
                        "subject": hold.subject or None,
                        "until": hold.until.isoformat(),
                        "by": hold.by,
                        "why": hold.why,
                        "placed_at": hold.placed_at.isoformat(),
                    }
                    for hold in standing
                ],
                ensure_ascii=False,
            )
        )
        return
    if not standing:
        typer.echo("nothing is paused")
        return
    table = Table("范围 scope", "截止 until", "何人 by", "原因 why")
    for hold in standing:
        table.add_row(_named(hold.scope, hold.subject), _at(hold.until), hold.by, hold.why)
    Console().print(table)


@control.command("pace")
def pace(
    calls_per_second: Annotated[float | None, typer.Option(help="new calls, all workers together")] = None,
    lines: Annotated[int | None, typer.Option(help="calls at the same time")] = None,
    by: By = "",
    why: Annotated[str, typer.Option(help="for the record")] = "",
    *,
    from_settings: Annotated[
        bool, typer.Option("--from-settings", help="what the settings say again")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """外呼速度: how fast and on how many lines the robot rings; changed at once, up to what the settings allow."""
    with application(load_settings()) as app:
        now = read_pace(app.services)
        if from_settings:
            now = restore_pace(app.services, by=by, why=why)
        elif calls_per_second is not None or lines is not None:
            now = set_pace(
                app.services,
                calls_per_second=now.calls_per_second if calls_per_second is None else calls_per_second,
                lines=now.lines if lines is None else lines,
                by=by,
                why=why,
            )
    if as_json:
        told = {
            "calls_per_second": now.calls_per_second,
            "lines": now.lines,
            "most_calls_per_second": now.most_calls_per_second,
            "most_lines": now.most_lines,
            "by": now.asked_by,
            "why": now.asked_why,
            "at": now.asked_at.isoformat() if now.asked_at is not None else None,
        }
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    typer.echo(
        f"{now.calls_per_second:g} calls a second on {now.lines} lines"
        f" (settings: {now.most_calls_per_second:g} on {now.most_lines})"
        + (f", by {now.asked_by}: {now.asked_why}" if now.asked_by else "")
    )


@alarms.callback()
def list_alarms(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    *,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Alarms that nobody has seen yet, newest first; `see` takes one off the list."""
    if context.invoked_subcommand is not None:
        return
    with application(load_settings()) as app, app.services.store.begin() as tx:
        unseen = unacknowledged_alarms_of(tx, limit=limit)
    if as_json:
        typer.echo(
            json.dumps(
                [
                    {
                        "id": alarm.id,
                        "code": alarm.code,
                        "case_id": alarm.case_id,
                        "load_id": alarm.load_id,
                        "times": alarm.times,
                        "raised_at": alarm.raised_at.isoformat(),
                        "last_at": alarm.last_at.isoformat(),
                        "facts": alarm.facts,
                    }
                    for alarm in unseen
                ],
                ensure_ascii=False,
            )
        )
        return
    if not unseen:
        typer.echo("no alarm stands")
        return
    table = Table("ID", "告警 alarm", "预警单 case", "名单 load", "次数 times", "最近 last")
    for alarm in unseen:
        said = f"{word_of(AlarmCode(alarm.code), Lang.ZH)} {alarm.code}"
        case_id, load_id = str(alarm.case_id or "-"), str(alarm.load_id or "-")
        table.add_row(str(alarm.id), said, case_id, load_id, str(alarm.times), _at(alarm.last_at))
    Console().print(table)


@alarms.command("see")
def see(alarm_id: int, by: By) -> None:
    """已阅: somebody has seen it."""
    with application(load_settings()) as app:
        acknowledge_alarm(app.services, alarm_id, by=by)
    typer.echo(f"alarm {alarm_id} seen by {by.strip()}")


def _what(unit: str | None, load: str | None, grade: str | None) -> tuple[PauseScope, str]:
    named = [
        (scope, subject)
        for scope, subject in (
            (PauseScope.UNIT, unit),
            (PauseScope.LOAD, load),
            (PauseScope.GRADE, grade),
        )
        if subject is not None
    ]
    if len(named) > 1:
        raise Invalid(
            field="pause", problem="names more than one of --unit, --load, --grade", mend="one pause each"
        )
    return named[0] if named else (PauseScope.ALL, "")


def _named(scope: PauseScope, subject: str) -> str:
    if scope is PauseScope.ALL:
        return word_of(scope, Lang.ZH)
    shown = word_of(Grade(subject), Lang.ZH) if scope is PauseScope.GRADE else subject
    return f"{word_of(scope, Lang.ZH)} {shown}"


def _at(moment: datetime) -> str:
    return moment.astimezone().isoformat(timespec="seconds")


care = typer.Typer()
keys = typer.Typer(help="The keys that personal data are sealed with.", no_args_is_help=True)
filed = typer.Typer(help="Cases filed with the police 立案.", no_args_is_help=True)


@care.command()
def migrate() -> None:
    """Bring the database to this version's schema."""
    with application(load_settings()) as app:
        typer.echo(f"schema {database_revision(app.services.store.sql_engine)}")


@care.command()
def doctor(*, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Look whether this machine can run the service, and say how to mend what is not well; else exit 1."""
    settings = load_settings()
    found = examine_installation(
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
        revision = database_revision(app.services.store.sql_engine)
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
            app.services,
            case_number=case_number,
            by=by,
            id_number=id_number,
            phone=phone,
            fraud_type=FraudType(fraud_type),
        )
    cases = ", ".join(map(str, found.case_ids))
    typer.echo(f"{found.case_number}: case {cases}" + (" (on record already)" if found.already else ""))
