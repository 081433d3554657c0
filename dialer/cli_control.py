"""Commands for whoever is in charge: pause, resume, what is paused, and the alarms that nobody has seen."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from dialer.bootstrap import application
from dialer.cli_end import By
from dialer.domain.effects import AlarmCode
from dialer.domain.pause import PauseScope
from dialer.domain.values import Grade
from dialer.errors import Invalid
from dialer.language import Lang
from dialer.settings import load_settings
from dialer.store import alarms as alarm_rows
from dialer.usecases import pause as pausing
from dialer.usecases import set_pace as pacing
from dialer.usecases.see_alarm import see_alarm
from dialer.words import word

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
        paused = pausing.pause(app.engine, scope=scope, subject=subject, minutes=minutes, by=by, why=why)
    counts = "" if scope is PauseScope.ALL else f", {paused.held} rings held"
    typer.echo(f"{_named(scope, subject)} paused until {_at(paused.hold.until)}{counts}")


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
        released = pausing.resume(app.engine, scope=scope, subject=subject, by=by, why=why)
    counts = "" if scope is PauseScope.ALL else f", {released} rings released"
    typer.echo(f"{_named(scope, subject)} resumed{counts}")


@control.command("pauses")
def pauses(*, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """What is paused now, by whom, until when and why."""
    with application(load_settings()) as app:
        standing = pausing.standing_pauses(app.engine)
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
        now = pacing.read_pace(app.engine)
        if from_settings:
            now = pacing.restore_pace(app.engine, by=by, why=why)
        elif calls_per_second is not None or lines is not None:
            now = pacing.set_pace(
                app.engine,
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
    with application(load_settings()) as app, app.engine.store.begin() as tx:
        unseen = alarm_rows.unseen(tx, limit=limit)
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
        said = f"{word(AlarmCode(alarm.code), Lang.ZH)} {alarm.code}"
        case_id, load_id = str(alarm.case_id or "-"), str(alarm.load_id or "-")
        table.add_row(str(alarm.id), said, case_id, load_id, str(alarm.times), _at(alarm.last_at))
    Console().print(table)


@alarms.command("see")
def see(alarm_id: int, by: By) -> None:
    """已阅: somebody has seen it."""
    with application(load_settings()) as app:
        see_alarm(app.engine, alarm_id, by=by)
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
        return word(scope, Lang.ZH)
    shown = word(Grade(subject), Lang.ZH) if scope is PauseScope.GRADE else subject
    return f"{word(scope, Lang.ZH)} {shown}"


def _at(moment: datetime) -> str:
    return moment.astimezone().isoformat(timespec="seconds")
