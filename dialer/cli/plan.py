"""`dialer plan`: the plan of the centre (policy, limits of sources, pace) and what a draft would change."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from dialer.cli.common import By
from dialer.cli.output import (
    AsJson,
    centre_time,
    command_application,
    print_found,
    print_json,
    print_rows,
    signed_application,
)
from dialer.control.plan_judgement import PlanWeek
from dialer.control.plan_view import Difference, differences
from dialer.control.plans import draft_plan, judge_plan, plan_of_version, read_plans
from dialer.core.access import Permission
from dialer.core.errors import UnusableFile
from dialer.core.text import Lang, Text
from dialer.db.plans import PlanVersion
from dialer.language.catalogue import say
from dialer.language.words import word_of
from dialer.runtime.plans import parse_plan
from dialer.runtime.services import Application

plan = typer.Typer(help="Policy, limits of sources and pace, as versions.", no_args_is_help=True)

Number = Annotated[int | None, typer.Argument(help="a version; default: what is in force", min=1)]
_WEEK: Final = timedelta(days=7)


@plan.command("list")
def list_command(*, as_json: AsJson = False) -> None:
    """Every version: who drafted and approved it, and which one is in force."""
    with command_application("plan") as app:
        print_found(
            read_plans(app.services),
            as_json=as_json,
            plain=_version_json,
            columns={
                "版本 version": lambda one: one.number,
                "状态 state": lambda one: word_of(one.state, Lang.ZH),
                "起草 drafted by": lambda one: one.drafted_by,
                "起草时间 drafted": lambda one: centre_time(one.drafted_at, app),
                "审批 approved by": lambda one: one.approved_by,
                "审批时间 approved": lambda one: centre_time(one.approved_at, app) if one.approved_at else "",
            },
            empty="没有版本，按各机器的设置 no version: the settings of each machine hold",
        )


@plan.command("show")
def show_command(version: Number = None, *, as_json: AsJson = False) -> None:
    """One version as TOML."""
    with command_application("plan") as app:
        found = plan_of_version(app.services, app.settings, version)
    if as_json:
        print_json({"number": found.number, "source": found.source})
    else:
        typer.echo(found.source, nl=False)


@plan.command("export")
def export_command(out: Annotated[Path, typer.Argument(help="the new file")], version: Number = None) -> None:
    """Writes one version as a TOML file, to be changed and drafted."""
    with command_application("plan") as app:
        found = plan_of_version(app.services, app.settings, version)
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(found.source)
    except OSError as fault:
        raise UnusableFile(Text("%(file)s: cannot be written", file=out.name)) from fault
    typer.echo(str(out))


@plan.command("draft")
def draft_command(
    file: Annotated[Path, typer.Argument(help="a plan as TOML")], by: By, *, as_json: AsJson = False
) -> None:
    """Stores a new version; it holds only after a second person has approved it under Approvals."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise UnusableFile(Text("%(file)s: cannot be read", file=file.name)) from fault
    with signed_application("plan", by, Permission.DRAFT_PLANS) as (app, actor):
        made = draft_plan(app.services, actor, text, channels=app.message_channels)
        changes = _differences(app, made.number)
    if as_json:
        print_json(_version_json(made))
        return
    _print_changes(changes)
    typer.echo(
        f"草稿已保存为第 {made.number} 版，等待另一人审批"
        f" stored as version {made.number}, waits for a second person"
    )


@plan.command("compare")
def compare_command(
    version: Annotated[int, typer.Argument(min=1)],
    *,
    week: Annotated[
        bool, typer.Option("--week", help="also what it would have changed in the last seven days")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """What a version has differently from the plan in force."""
    with command_application("plan") as app:
        changes, counted = _differences(app, version), _last_week(app, version) if week else None
    if as_json:
        week_json = None if counted is None else [asdict(count) for count in counted.different]
        print_json({"differences": [asdict(change) for change in changes], "week": week_json})
        return
    _print_changes(changes)
    if counted is not None:
        typer.echo(f"近七天 {counted.counted} 条记录 rows of the last seven days")
        print_rows(
            counted.different,
            {
                "等级或来源 grade or source": lambda one: (
                    word_of(one.grade, Lang.ZH) if one.grade else one.about
                ),
                "近七天 last seven days": lambda one: f"{say(Lang.ZH, one.what)} {one.what}",
                "总数 of": lambda one: one.of,
                "现行 in force": lambda one: one.live,
                "草稿 draft": lambda one: one.draft,
            },
            empty="近七天没有差别 no difference in these days",
        )


def _differences(app: Application, number: int) -> list[Difference]:
    live = plan_of_version(app.services, app.settings, None)
    chosen = plan_of_version(app.services, app.settings, number)
    return differences(parse_plan(live.source), parse_plan(chosen.source), Lang.ZH)


def _last_week(app: Application, number: int) -> PlanWeek:
    live = plan_of_version(app.services, app.settings, None)
    chosen = plan_of_version(app.services, app.settings, number)
    start = app.services.clock.now() - _WEEK
    return judge_plan(app.services, parse_plan(live.source), parse_plan(chosen.source), start=start)


def _print_changes(changes: list[Difference]) -> None:
    if not changes:
        typer.echo("与现行方案相同 the same as what is in force")
        return
    print_rows(
        changes,
        {
            "项目 value": lambda one: one.label,
            "现行 in force": lambda one: one.before,
            "改为 becomes": lambda one: one.after,
        },
    )


def _version_json(version: PlanVersion) -> dict[str, Any]:
    return {
        "number": version.number,
        "state": version.state.value,
        "drafted_by": version.drafted_by,
        "drafted_at": version.drafted_at,
        "approved_by": version.approved_by,
        "approved_at": version.approved_at,
    }
