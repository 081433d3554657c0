"""Commands of those who run the service: pauses, pace and alarms; doctor, migrate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Annotated

import typer

from dialer.bootstrap import application
from dialer.calls.comparison import (
    UNTIL_RESUMED,
    compare_calls,
    comparison_sentence,
    read_awaited,
    skip_comparison,
)
from dialer.calls.comparison_store import FoundCalls
from dialer.calls.pacing import read_pace, restore_pace, set_pace
from dialer.calls.pauses import pause_calls, read_standing_pauses, resume_calls
from dialer.calls.reconcile import WEB
from dialer.cli.common import By
from dialer.cli.output import (
    AsJson,
    centre_time,
    command_application,
    fields_of,
    print_found,
    print_json,
    signed_application,
)
from dialer.cli.terminal import command_actor
from dialer.control.overview import acknowledge_alarm, adopt_identity
from dialer.control.trunks import check_trunks, read_trunks
from dialer.core.access import Actor, Permission, Role
from dialer.core.errors import DialerError, Invalid, Refusal, Unavailable
from dialer.core.events import AlarmCode
from dialer.core.text import Lang, Text, gettext_noop, listed
from dialer.core.values import Grade, PauseScope
from dialer.db.alarms import Alarm, unacknowledged_alarms_of
from dialer.db.migrations import Lock, examine_upgrade, owned_tables
from dialer.db.system_state import OtherSettings, living_processes, recorded_identity
from dialer.db.unit_of_work import is_pooled
from dialer.keys.actions import read_keys_status
from dialer.language.words import bilingual, stored_word, word_of
from dialer.retention.erasure import check_registered
from dialer.runtime.broker import check_broker
from dialer.runtime.doctor import Check, Probe, examine_installation
from dialer.runtime.local import database_url, own_carrier, own_servers
from dialer.runtime.sections import CentreSettings
from dialer.runtime.services import Application, ProcessPurpose, Services
from dialer.runtime.settings import Settings, load_settings
from dialer.runtime.settings_table import settings_table
from dialer.scripts.lint import LATEST_QUESTION_SECONDS
from dialer.scripts.model import language_text
from dialer.scripts.rendered import seconds_before_question
from dialer.staff.store import all_members
from dialer.telephony.public_address import check_public_address

control = typer.Typer()
alarms = typer.Typer(help="Alarms, and their acknowledgement.", invoke_without_command=True)

_Unit = Annotated[str | None, typer.Option("--unit", help="of this unit only 属地")]
_Load = Annotated[str | None, typer.Option("--load", help="of this list only 名单")]
_GradeOption = Annotated[str | None, typer.Option("--grade", help="of this grade only 等级")]


@control.command("pause")
def pause(
    minutes: Annotated[float, typer.Option(help="how long; it ends by itself")],
    by: By,
    why: Annotated[str, typer.Option(help="for the record; shown beside the pause")],
    unit: _Unit = None,
    load: _Load = None,
    grade: _GradeOption = None,
) -> None:
    """暂停外呼: robots stop calling until the pause ends; people go on. All dialling, or one unit, list or grade."""
    scope, subject = _pause_scope(unit, load, grade)
    opened = signed_application(
        "pause", by, Permission.CONTROL, purpose=ProcessPurpose.PAUSE, must_be_known=True
    )
    with opened as (app, actor):
        paused = pause_calls(app.services, actor, scope=scope, subject=subject, minutes=minutes, why=why)
    counts = "" if scope is PauseScope.ALL else f", {paused.held} calls held"
    typer.echo(f"{_scope_words(scope, subject)} paused until {centre_time(paused.pause.until, app)}{counts}")


@control.command("resume")
def resume(
    by: By,
    why: Annotated[str, typer.Option(help="for the record")] = "",
    unit: _Unit = None,
    load: _Load = None,
    grade: _GradeOption = None,
    *,
    without_comparison: Annotated[
        bool,
        typer.Option(
            "--without-comparison",
            help="after a restore, although the carrier's calls were not compared: people may be called again",
        ),
    ] = False,
) -> None:
    """恢复外呼: end a pause; the calls that it held may be placed again. After a restore the carrier is asked first."""
    scope, subject = _pause_scope(unit, load, grade)
    opened = signed_application(
        "resume", by, Permission.CONTROL, purpose=ProcessPurpose.PAUSE, must_be_known=True
    )
    with opened as (app, actor):
        if scope is PauseScope.ALL and without_comparison:
            skip_comparison(app.services, actor, why=why)
        elif scope is PauseScope.ALL and (found := asyncio.run(_compare(app, actor))) is not None:
            typer.echo(bilingual(comparison_sentence(found)))
        released = resume_calls(app.services, actor, scope=scope, subject=subject, why=why)
    counts = "" if scope is PauseScope.ALL else f", {released} calls released"
    typer.echo(f"{_scope_words(scope, subject)} resumed{counts}")


async def _compare(app: Application, actor: Actor) -> FoundCalls | None:
    if read_awaited(app.services) is None:
        return None
    # Imported when first used: no other command of these needs it.
    from dialer.telephony.client import CallClient  # noqa: PLC0415 - heavy, and of this command alone

    async with CallClient(app.telephony) as client:
        return await compare_calls(app.services, actor, client)


@control.command("pauses")
def pauses(*, as_json: AsJson = False) -> None:
    """What is paused now, by whom, until when and why."""
    with command_application("pauses", ProcessPurpose.PAUSE) as app:
        standing = read_standing_pauses(app.services)
    print_found(
        standing,
        as_json=as_json,
        plain=lambda pause: (
            fields_of(pause, "scope", "until", "by", "why", "placed_at") | {"subject": pause.subject or None}
        ),
        columns={
            "范围 scope": lambda pause: _scope_words(pause.scope, pause.subject),
            "截止 until": lambda pause: (
                "人工恢复为止 resumed" if pause.until == UNTIL_RESUMED else centre_time(pause.until, app)
            ),
            "操作人 by": lambda pause: pause.by,
            "原因 why": lambda pause: pause.why,
        },
        empty="nothing is paused",
    )


@control.command("pace")
def pace(
    calls_per_second: Annotated[float | None, typer.Option(help="new calls, all workers together")] = None,
    lines: Annotated[int | None, typer.Option(help="calls at the same time")] = None,
    by: By = "",
    why: Annotated[str, typer.Option(help="for the record")] = "",
    *,
    from_settings: Annotated[
        bool, typer.Option("--from-settings", help="back to the pace of the settings")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """外呼速度: show or change the pace and the lines of the robot, at once and up to what the settings allow."""
    with command_application("pace") as app:
        now = read_pace(app.services)
        if from_settings:
            now = restore_pace(app.services, _who_sets_pace(app, by), why=why)
        elif calls_per_second is not None or lines is not None:
            now = set_pace(
                app.services,
                _who_sets_pace(app, by),
                calls_per_second=now.calls_per_second if calls_per_second is None else calls_per_second,
                lines=now.lines if lines is None else lines,
                why=why,
            )
    if as_json:
        names = ("calls_per_second", "lines", "most_calls_per_second", "most_lines")
        print_json(fields_of(now, *names) | {"by": now.asked_by, "why": now.asked_why, "at": now.asked_at})
        return
    typer.echo(
        f"{now.calls_per_second:g} calls a second on {now.lines} lines"
        f" (settings: {now.most_calls_per_second:g} on {now.most_lines})"
        + (f", by {now.asked_by}: {now.asked_why}" if now.asked_by else "")
    )


def _who_sets_pace(app: Application, by: str) -> Actor:
    return command_actor(app, by, Permission.CONTROL, must_be_known=True)


@alarms.callback()
def list_alarms(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    *,
    as_json: AsJson = False,
) -> None:
    """Unacknowledged alarms, newest first; `acknowledge` acknowledges one."""
    if context.invoked_subcommand is not None:
        return
    with command_application("alarms") as app, app.services.store.begin() as tx:
        unseen, zone = unacknowledged_alarms_of(tx, limit=limit), app.services.centre.zone
    names = ("id", "code", "case_id", "load_id", "times", "raised_at", "last_at", "facts")
    print_found(
        unseen,
        as_json=as_json,
        plain=lambda alarm: fields_of(alarm, *names),
        columns={
            "ID": lambda alarm: alarm.id,
            "告警 alarm": lambda alarm: alarm.code,
            "说明 meaning": _alarm_facts,
            "次数 times": lambda alarm: alarm.times,
            "最近 last": lambda alarm: f"{alarm.last_at.astimezone(zone):%m-%d %H:%M:%S}",
        },
        empty="no unacknowledged alarms",
        narrow=2,
    )


@alarms.command("see", hidden=True)  # the name until 2026-11
@alarms.command()
def acknowledge(alarm_id: int, by: By) -> None:
    """已阅: acknowledge an alarm."""
    with signed_application("alarms", by, Permission.CONTROL) as (app, actor):
        acknowledge_alarm(app.services, actor, alarm_id)
    typer.echo(f"alarm {alarm_id} acknowledged by {actor.name}")


def _alarm_facts(alarm: Alarm) -> str:
    about = {"case": alarm.case_id, "load": alarm.load_id}
    named = {name: _fact(value) for name, value in (about | dict(alarm.facts)).items() if value is not None}
    return "\n".join(
        [stored_word(AlarmCode, alarm.code, Lang.ZH), *(f"{name}: {value}" for name, value in named.items())]
    )


def _fact(value: object) -> object:
    """The value of a fact as a person reads it: a sentence is stored as a template with its values."""
    if isinstance(value, dict) and set(value) == {"text", "values"}:
        return bilingual(Text.of_plain(value))
    return value


def _pause_scope(unit: str | None, load: str | None, grade: str | None) -> tuple[PauseScope, str]:
    scopes = ((PauseScope.UNIT, unit), (PauseScope.LOAD, load), (PauseScope.GRADE, grade))
    named = [(scope, subject) for scope, subject in scopes if subject is not None]
    if len(named) > 1:
        raise Invalid(
            field="pause", problem="names more than one of --unit, --load, --grade", fix="one pause each"
        )
    return named[0] if named else (PauseScope.ALL, "")


def _scope_words(scope: PauseScope, subject: str) -> str:
    if scope is PauseScope.ALL:
        return word_of(scope, Lang.ZH)
    shown = word_of(Grade(subject), Lang.ZH) if scope is PauseScope.GRADE else subject
    return f"{word_of(scope, Lang.ZH)} {shown}"


care = typer.Typer()
settings_commands = typer.Typer(
    help="Every setting, and those that the database belongs to.", no_args_is_help=True
)


@care.command()
def migrate() -> None:
    """Bring the database to this version's schema."""
    with command_application("migrate") as app:
        typer.echo(f"schema {app.services.schema}")


@care.command("upgrade")
def upgrade(
    *,
    check: Annotated[bool, typer.Option("--check", help="say what would change, and change nothing")] = False,
    as_json: AsJson = False,
) -> None:
    """升级检查: what `dialer migrate` of this version would do to the database, and what may run meanwhile."""
    if not check:
        raise Refusal("give --check, which changes nothing; `dialer migrate` upgrades the database")
    settings = load_settings()
    found = examine_upgrade(database_url(settings, own_servers(settings, may_start=False)))
    if as_json:
        print_json(
            fields_of(found, "found", "newest", "may_run_beside")
            | {
                "changes": [
                    fields_of(change, "revision", "title", "step", "why") for change in found.changes
                ],
                "tables": [fields_of(table, "name", "lock", "rows", "size_bytes") for table in found.tables],
            }
        )
        return
    typer.echo(f"schema {found.found or '-'} > {found.newest}")
    for change in found.changes:
        typer.echo(
            f"  {change.revision} {change.step}: {change.title}" + (f" ({change.why})" if change.why else "")
        )
    for table in found.tables:
        how_long = "for a moment" if table.lock is Lock.MOMENT else "while its rows are read"
        typer.echo(
            f"  locked 锁表 {how_long}: {table.name}, about {table.rows} rows, {table.size_bytes / 1e6:.1f} MB"
        )
    typer.echo(
        "旧版进程可同时运行 processes of the version before may run meanwhile"
        if found.may_run_beside
        else "须先停止旧版进程 stop the processes of the version before, web last: something that they use goes away"
    )


@care.command()
def doctor(*, as_json: AsJson = False) -> None:
    """Check whether this machine can run the service, and say how to fix what is wrong; exit 1 if anything is."""
    settings = load_settings()
    with ExitStack() as closing:
        opened: list[Application] = []

        def parts() -> Text:
            opened.append(closing.enter_context(application(settings, ProcessPurpose.LOOK)))
            return _check_parts(opened[0])

        found = examine_installation(
            settings,
            Probe(
                name=gettext_noop("database and broker"),
                run=parts,
                fix="check DIALER_DATABASE__URL, DIALER_BROKER__URL and DIALER_KEYS__FILE",
            ),
            *_probes(lambda: opened[0], settings),
            is_ours=lambda: _runs_here(settings),
            runs_elsewhere=lambda: _web_runs(settings),
        )
        records = any(getattr(settings.policy, grade.value).record_calls for grade in Grade)
        found = [*found, check_names(settings.centre, records=records), *_check_trunks(settings)]
    print_found(
        found,
        as_json=as_json,
        plain=lambda check: (
            fields_of(check, "name", "ok")
            | {"detail": str(check.detail)}
            | dict.fromkeys(("fix", "mend"), str(check.fix))
        ),
        columns={
            "": _mark,
            "检查 check": lambda check: bilingual(check.name),
            "结果 found": lambda check: bilingual(check.detail),
            "怎么办 fix": lambda check: bilingual(check.fix),
        },
    )
    raise typer.Exit(0 if all(check.ok for check in found) else 1)


def _probes(opened: Callable[[], Application], settings: Settings) -> tuple[Probe, ...]:
    """The probes of an application that the first one has opened."""
    return (
        Probe(
            name=gettext_noop("settings of the database"),
            run=lambda: _compare_settings(opened()),
            fix=gettext_noop("correct the settings, or dialer settings adopt"),
        ),
        Probe(
            name=gettext_noop("pace"),
            run=lambda: _compare_pace(opened()),
            fix=gettext_noop("dialer pace --from-settings, or correct the settings"),
        ),
        Probe(
            name=gettext_noop("role of the database"),
            run=lambda: _check_role(opened()),
            fix=gettext_noop("use two roles, see docs/operations.md"),
            warns=True,
        ),
        Probe(
            name=gettext_noop("keys"),
            run=lambda: _check_keys(opened(), settings),
            fix=gettext_noop("dialer keys status"),
            warns=True,
        ),
        Probe(
            name=gettext_noop("register of erasures"),
            run=lambda: _check_register(opened(), settings),
            fix=gettext_noop("dialer person register, or correct erasure.register_file"),
            warns=True,
        ),
        Probe(
            name=gettext_noop("security administrators"),
            run=lambda: check_security_administrators(opened().services),
            fix=gettext_noop("make an account for a second one, on the page Accounts"),
            warns=True,
        ),
        Probe(
            name=gettext_noop("public address"),
            run=lambda: _check_public_address(opened()),
            fix=gettext_noop("check web.public_url"),
        ),
    )


def check_security_administrators(services: Services) -> Text:
    """How many security administrators there are. Raises `Refusal` if there are accounts and fewer than two: nobody
    confirms what the only one asks for, or helps when that one is locked out.
    """
    with services.store.begin() as tx:
        members = all_members(tx)
    able = sum(
        member.role is Role.SECURITY_ADMINISTRATOR and member.disabled_at is None for member in members
    )
    if members and able == 0:
        raise Refusal("none: nobody confirms tokens, and accounts that see persons")
    if members and able == 1:
        raise Refusal("one: if it is locked out, one person alone changes accounts")
    return Text("%(count)s", count=able)


def check_names(centre: CentreSettings, *, records: bool = False) -> Check:
    """Checks that the names spoken by the robot leave the first question within its limit, also in calls that are
    recorded if there are any. Calls work with longer names too.
    """
    name = gettext_noop("names in calls")
    late = {}
    for language in ("zh", "en"):
        seconds = max(
            seconds_before_question(centre.names(), language, is_recorded=recorded)
            for recorded in {False, records}
        )
        if seconds > LATEST_QUESTION_SECONDS:
            late[language] = f"{seconds:.1f}"
    if not late:
        return Check(name=name, detail=Text("%(bureau)s", bureau=f"{centre.bureau_zh} / {centre.bureau_en}"))
    detail = Text(
        "the first question begins after about %(seconds)s s (%(language)s); %(most)s s is the aim",
        seconds=", ".join(late.values()),
        language=listed([language_text(language) for language in late]),
        most=f"{LATEST_QUESTION_SECONDS:.0f}",
    )
    fix = gettext_noop(
        "give a shorter name, such as the short name of the bureau, in DIALER_CENTRE__BUREAU_ZH or _EN"
    )
    return Check(name=name, detail=detail, fix=fix, warns=True)


def _check_trunks(settings: Settings) -> list[Check]:
    """The findings about the trunks; none on a line without trunks."""
    if settings.telephony.base_url is not None or not settings.carrier.is_sip:
        return []
    carrier, running = own_carrier(settings, may_make=False), None
    if carrier is not None:
        with suppress(Unavailable):
            running = read_trunks(carrier)
    return check_trunks(settings.carrier.trunks(number=settings.telephony.caller_number), running)


def _mark(check: Check) -> str:
    if not check.ok:
        return "[red]!![/]"
    return "[yellow]![/]" if check.warns and check.fix else "[green]ok[/]"


def _check_parts(app: Application) -> Text:
    check_broker(app.celery)
    with app.services.store.begin() as tx:
        pooled = is_pooled(tx)
    if pooled:
        return Text("schema %(schema)s, through a pooler; the broker answers", schema=app.services.schema)
    return Text("schema %(schema)s; the broker answers", schema=app.services.schema)


def _check_public_address(app: Application) -> str | Text:
    """Checks the carrier's way to a web process, which must be running to be found."""
    if not _has_web(app):
        return Text("not asked: no web process runs")
    return asyncio.run(check_public_address(app.telephony))


def _has_web(app: Application) -> bool:
    with app.services.store.begin() as tx:
        beats = living_processes(tx, real_now=app.services.real.now())
    return any(beat.kind == WEB for beat in beats)


def _check_register(app: Application, settings: Settings) -> Text:
    return Text("%(count)s", count=check_registered(app.services, settings.register_of_erasures()))


def _runs_here(settings: Settings) -> bool:
    """Whether the server at the web address answers as only a process with our token can."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.web.host, settings.web.host)  # noqa: S104 - no bind
    local = f"http://[{host}]" if ":" in host else f"http://{host}"
    try:
        with application(settings, ProcessPurpose.LOOK) as app:
            asyncio.run(check_public_address(app.telephony, through=f"{local}:{settings.web.port}"))
    except DialerError:
        return False
    return True


def _web_runs(settings: Settings) -> bool:
    """Whether a web process of this service runs, on whatever machine and port."""
    try:
        with application(settings, ProcessPurpose.LOOK) as app:
            return _has_web(app)
    except DialerError:
        return False


def _compare_settings(app: Application) -> str | Text:
    if app.differences:
        raise OtherSettings(app.differences)
    return Text("as those of this process")


def _compare_pace(app: Application) -> str:
    now, lines = read_pace(app.services), app.services.lines
    live = f"{now.most_calls_per_second:g}/s, {now.most_lines}"
    if app.services.policies.in_force() is not None:
        return live
    wanted = f"{lines.settings_calls_per_second:g}/s, {lines.settings_lines}"
    if live != wanted:
        raise Refusal(Text("the settings say %(wanted)s, and %(live)s applies", wanted=wanted, live=live))
    return live


def _check_role(app: Application) -> Text:
    with app.services.store.begin() as tx:
        if count := owned_tables(tx):
            raise Refusal(Text("the service's role owns %(count)s tables and could change them", count=count))
    return Text("the service's role owns no table")


def _check_keys(app: Application, settings: Settings) -> Text:
    found = read_keys_status(app.services)
    if found.waiting:
        raise Refusal(Text("new keys wait for %(processes)s", processes=", ".join(found.waiting)))
    if not found.is_resealed:
        raise Refusal("values are being sealed again since the last rotation")
    other = {key.suite for key in found.keys if key.state == "current"} - {settings.keys.suite.value}
    if other:
        raise Refusal(
            Text(
                "keys.suite is %(suite)s, and keys of %(other)s are in use until you rotate them",
                suite=settings.keys.suite.value,
                other=", ".join(sorted(other)),
            )
        )
    return Text("every value uses the current keys")


@settings_commands.command("show")
def show_settings(*, as_json: AsJson = False) -> None:
    """本库所属设置: the line and the centre that the database belongs to, beside the settings of this process."""
    with command_application("settings") as app:
        with app.services.store.begin() as tx:
            recorded = recorded_identity(tx) or {}
        differing = {difference.setting for difference in app.differences}
        rows = [
            (name, ", ".join(recorded.get(name, ())), ", ".join(values), name not in differing)
            for name, values in app.identity.items()
        ]
    print_found(
        rows,
        as_json=as_json,
        plain=lambda row: dict(zip(("setting", "recorded", "here", "fits"), row, strict=True)),
        columns={
            "": lambda row: "[green]ok[/]" if row[3] else "[red]!![/]",
            "设置 setting": lambda row: row[0],
            "数据库 database": lambda row: row[1] or "-",
            "本进程 this process": lambda row: row[2],
        },
    )


@settings_commands.command("list")
def list_settings(
    words: Annotated[str, typer.Argument(help="parts of a name or value; all settings without")] = "",
    as_json: AsJson = False,
) -> None:
    """设置列表: each setting of this machine, its value and where it is set. Secrets are not shown."""
    found = [row for row in settings_table(load_settings()) if row.matches(words)]
    print_found(
        found,
        as_json=as_json,
        plain=lambda row: {
            "setting": row.key,
            "variable": row.variable,
            "value": None if row.is_secret else row.value,
            "is_set": row.is_set,
            "is_secret": row.is_secret,
            "place": row.place,
        },
        columns={
            "设置 setting": lambda row: row.key,
            "值 value": lambda row: ("*" if row.is_set else "-") if row.is_secret else row.value or "-",
            "位置 set in": lambda row: row.place or "默认 default",
        },
        empty="没有这样的设置 no setting is called like this",
    )


@settings_commands.command("adopt")
def adopt_settings(by: By, why: Annotated[str, typer.Option(help="for the record")]) -> None:
    """采用本进程设置: the database belongs to the settings of this process from now on. Stop the service first."""
    opened = signed_application(
        "settings", by, Permission.CONTROL, purpose=ProcessPurpose.ADOPT, must_be_known=True
    )
    with opened as (app, actor):
        changed = adopt_identity(app.services, actor, app.identity, why=why)
    for difference in changed:
        typer.echo(f"{difference.setting}: {difference.recorded} > {difference.here}")
    if not changed:
        typer.echo("nothing differed")
