"""`dialer signals`: files of signals, the robot's status, replay, and its rules."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from dialer.cli.common import By, file_named_in_errors
from dialer.cli.output import (
    AsJson,
    centre_time,
    command_application,
    fields_of,
    print_found,
    print_json,
    print_rows,
    signed_application,
)
from dialer.cli.rejects import say_rejects, write_rejected
from dialer.core.access import Permission
from dialer.core.errors import Invalid, UnusableFile
from dialer.core.rates import period_of
from dialer.core.text import Text
from dialer.language.words import bilingual
from dialer.signals.learning import FittedRules, fit_rules
from dialer.signals.lint import check_texts
from dialer.signals.list_items import confirm_item, refuse_item, waiting_items
from dialer.signals.load import load_signals
from dialer.signals.model import ItemKind, ListChange, ListKind
from dialer.signals.queries import RobotStatus, read_status
from dialer.signals.replay import replay
from dialer.signals.rule_store import rule_versions
from dialer.signals.rules import shipped_texts
from dialer.signals.source_quotas import resume_source
from dialer.signals.versions import approve_rules, draft_rules, resume_rule

signals = typer.Typer(help="Signals and the warning robot 预警机器人.", no_args_is_help=True)
rules = typer.Typer(help="Rules of the warning robot.", no_args_is_help=True)
signals.add_typer(rules, name="rules")
_FIT_DAYS = 90
_DAYS = 7


@signals.command("load")
def load_command(
    file: Annotated[Path, typer.Argument(help="csv, tsv, txt, xlsx, xls or ods")],
    source: Annotated[str, typer.Option(help="source of rows that name none; default: the file's name")] = "",
    *,
    as_json: AsJson = False,
    by: By = "cli",
) -> None:
    """Load a file of signals; faults are named with line and column. Exit 2 if it is not a file of signals."""
    if not file.is_file():
        raise UnusableFile(Text("%(file)s: no such file", file=file.name))
    opened = signed_application("signals", by, Permission.LOAD_LISTS)
    with file_named_in_errors(file), opened as (app, actor), file.open("rb") as content:
        done = load_signals(app.services, content, filename=file.name, source=source)
        rejects = write_rejected(app, done, f"signals-{file.stem[:60]}", subject="signal", by=actor.name)
    if as_json:
        print_json(
            fields_of(done, "rows", "accepted", "duplicate", "rejected")
            | {
                "rejects": [
                    {"line": reject.line, "column": reject.column, "reason": bilingual(reject.reason)}
                    for reject in done.rejects
                ],
                "reject_file": str(rejects) if rejects else None,
            }
        )
        return
    for name, number in (
        ("行 rows", done.rows),
        ("已导入 accepted", done.accepted),
        ("重复 duplicate", done.duplicate),
        ("未通过 rejected", done.rejected),
    ):
        typer.echo(f"{name}: {number}")
    say_rejects(done, rejects)


@signals.command("status")
def status_command(
    days: Annotated[int, typer.Option(help="how many days", min=1, max=90)] = _DAYS,
    *,
    as_json: AsJson = False,
) -> None:
    """Signals by source, verdicts, and the precision of each rule."""
    with command_application("signals") as app, app.services.store.begin() as tx:
        now = app.services.clock.now()
        status = read_status(tx, since=now - timedelta(days=days), now=now)
    if as_json:
        print_json(status_json(status))
        return
    print_rows(
        status.sources,
        {
            "来源 source": lambda activity: activity.source,
            "每分钟 a minute": lambda activity: f"{activity.per_minute:.1f}",
            "一天 a day": lambda activity: activity.day,
            "中断 silent": lambda activity: "是 yes" if activity.is_silent else "",
        },
        empty="没有信号 no signals",
    )
    print_rows(
        status.rules,
        {
            "规则 rule": lambda measured: measured.rule,
            "预警 warnings": lambda measured: measured.warnings,
            "准确 right": lambda measured: f"{measured.right}/{measured.labelled}",
            "准确率下降 worse": lambda measured: "是 yes" if measured.is_worse else "",
            "停用 stopped": lambda measured: " ".join(
                f"{centre_time(stop.stopped_at, app)} {stop.source}".strip() for stop in measured.stops
            ),
        },
        empty="没有规则命中 no rule has fired",
    )
    typer.echo(" ".join(f"{state.value} {count}" for state, count in status.states.items()))
    if (shadow := status.shadow) is not None:
        typer.echo(
            f"草稿 draft {shadow.number}: "
            + " ".join(f"{kind.value} {count}" for kind, count in shadow.differences.items())
            + f"; 线路小时 line hours {shadow.live.line_hours} → {shadow.draft.line_hours},"
            f" 坐席小时 desk hours {shadow.live.desk_hours} → {shadow.draft.desk_hours}"
        )
    typer.echo(f"fingerprint {status.fingerprint}  behind {status.behind}")


def status_json(status: RobotStatus) -> dict[str, Any]:
    """The JSON of `dialer signals status --json`, described in docs/json.md."""
    plain = asdict(status)
    plain["states"] = {state.value: count for state, count in status.states.items()}
    if status.shadow is not None:
        plain["shadow"]["differences"] = {kind.value: n for kind, n in status.shadow.differences.items()}
    return plain


@signals.command("replay")
def replay_command(
    start: Annotated[str, typer.Option("--from", help="a day, or a moment, local")],
    end: Annotated[str, typer.Option("--to", help="a day, included")] = "",
    draft: Annotated[
        int | None, typer.Option("--rules", help="a version to compare with the live one")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Evaluate stored signals again, by the live rules and by a draft; nobody is warned."""
    with command_application("signals") as app:
        services = app.services
        period = period_of(start, end or None, timezone=services.centre.timezone)
        assert period.start is not None
        done = replay(services, start=period.start, end=period.end or services.clock.now(), draft=draft)
    if as_json:
        print_json(asdict(done))
        return
    typer.echo(
        f"信号 signals {done.signals}  {done.seconds} s  预警 warnings {done.warnings}\nfingerprint {done.fingerprint}"
    )
    if (shadow := done.shadow) is not None:
        typer.echo(
            f"版本 version {shadow.version}: 预警 warnings {shadow.warnings}, 新增 new {shadow.new},"
            f" 减少 lost {shadow.lost}, 等级不同 regraded {shadow.regraded};"
            f" 线路小时 line hours {done.line_hours} → {shadow.line_hours},"
            f" 坐席小时 desk hours {done.desk_hours} → {shadow.desk_hours}"
        )


@signals.command("fit")
def fit_command(
    by: By,
    days: Annotated[int, typer.Option(help="labels of the last days", min=7, max=730)] = _FIT_DAYS,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="store nothing")] = False,
    as_json: AsJson = False,
) -> None:
    """Fit points and probability from what calls and filed cases answered; the draft waits for a second person."""
    with signed_application("signals", by, Permission.DRAFT_RULES) as (app, actor):
        done = fit_rules(app.services, actor, days=days, store=not dry_run)
    if as_json:
        print_json(fit_json(done))
        return
    fitted = done.fitted
    print_rows(
        fitted.changes,
        {
            "规则 rule": lambda change: change[0],
            "现在 now": lambda change: change[1],
            "草稿 draft": lambda change: change[2],
        },
        empty="分值不变 no points change",
    )
    typer.echo(
        f"标签 labels: 准确 right {fitted.positive}, 有误 wrong {fitted.negative};"
        f" 线下参照 below the threshold {done.background}\n"
        f"校准误差 calibration error {fitted.error_before:.3f} → {fitted.error_after:.3f}"
    )
    if done.draft is not None:
        typer.echo(
            f"版本 version {done.draft.number} {done.draft.content_hash[:12]} 待第二人审批 waits for a second person;"
            f" dialer signals replay --from DAY --rules {done.draft.number}"
        )


def fit_json(done: FittedRules) -> dict[str, Any]:
    """The JSON of `dialer signals fit --json`, described in docs/json.md."""
    fitted = done.fitted
    return {
        "changes": [{"rule": rule, "now": now, "draft": draft} for rule, now, draft in fitted.changes],
        "right": fitted.positive,
        "wrong": fitted.negative,
        "background": done.background,
        "error_before": fitted.error_before,
        "error_after": fitted.error_after,
        "live": done.live,
        "draft": None if done.draft is None else done.draft.number,
    }


@rules.command("check")
def check_command(
    folder: Annotated[Path | None, typer.Argument(help="of .toml files; default: the shipped rules")] = None,
) -> None:
    """Read rules and run their examples; exit 1 when something is wrong."""
    texts = shipped_texts() if folder is None else _texts(folder)
    findings = check_texts(texts)
    for finding in findings:
        typer.echo(str(finding))
    if findings:
        raise typer.Exit(1)
    typer.echo(f"{len(texts)} 条规则无误 rules are right")


@rules.command("draft")
def draft_command(folder: Annotated[Path, typer.Argument(help="of .toml files")], by: By) -> None:
    """Store all rules of a folder as a new version, which waits for a second person."""
    texts = _texts(folder)
    with signed_application("signals", by, Permission.DRAFT_RULES) as (app, actor):
        version = draft_rules(app.services, actor, texts)
    typer.echo(f"{version.number} {version.content_hash[:12]}")


@rules.command("approve")
def approve_command(
    number: Annotated[int, typer.Argument(help="of `dialer signals rules list`")],
    by: By,
    reason: Annotated[str, typer.Option(help="why this version")],
) -> None:
    """Approve a version, as a second person: the robot uses it within seconds."""
    with signed_application("signals", by, Permission.APPROVE) as (app, actor):
        version = approve_rules(app.services, actor, number, reason=reason)
    typer.echo(f"{version.number} {version.content_hash[:12]} {version.state.value}")


@rules.command("list")
def list_command() -> None:
    """All versions, newest first."""
    with command_application("signals") as app, app.services.store.begin() as tx:
        found = rule_versions(tx)
    for rules in found:
        typer.echo(
            f"{rules.number}  {rules.content_hash[:12]}  {rules.state.value}  {rules.drafted_by}  {rules.approved_by}"
        )


@rules.command("resume")
def resume_command(rule: Annotated[str, typer.Argument(help="that was stopped")], by: By) -> None:
    """Resume a stopped rule: what it finds is sent again."""
    with signed_application("signals", by, Permission.CONTROL) as (app, actor):
        if not resume_rule(app.services, actor, rule):
            raise Invalid(field="rule", problem=Text("%(rule)s is not stopped", rule=rule))
    typer.echo(rule)


@signals.command("confirm")
def confirm_command(
    item: Annotated[ItemKind, typer.Argument(help="what it is")],
    value: Annotated[str, typer.Argument(help="the number, site, app or account")],
    source: Annotated[str, typer.Option(help="whose entry is confirmed")],
    by: By,
    why: Annotated[str, typer.Option(help="the reason")],
    list_kind: Annotated[ListKind, typer.Option("--list", help="the list")] = ListKind.TRUSTED,
    *,
    remove: Annotated[bool, typer.Option("--remove", help="take it off again")] = False,
) -> None:
    """Confirm what a source lists: a trusted item for all sources, a public service as fraud. Two people give it."""
    change = ListChange.REMOVED if remove else ListChange.ENTERED
    with signed_application("signals", by, Permission.CONTROL) as (app, actor):
        is_done = confirm_item(
            app.services, actor, item, value, list_kind=list_kind, of=source, change=change, why=why
        )
    said = "" if is_done else " 待第二人以同一命令核准 waits: a second person gives the same command"
    typer.echo(f"{list_kind.value} {change.value}{said}")


@signals.command("confirmations")
def confirmations_command(*, as_json: AsJson = False) -> None:
    """What one person has asked to confirm, and waits for a second one."""
    with command_application("signals") as app:
        found = waiting_items(app.services)
    print_found(
        found,
        as_json=as_json,
        plain=lambda one: fields_of(
            one, "id", "item", "list_kind", "source", "change", "why", "asked_by", "asked_at", "expires_at"
        ),
        columns={
            "编号 id": lambda one: one.id,
            "来源 source": lambda one: one.source,
            "名单 list": lambda one: f"{one.list_kind.value} {one.change.value} {one.item.value}",
            "申请人 asked by": lambda one: one.asked_by,
            "理由 why": lambda one: one.why,
        },
        empty="没有待核准的名单项 no item of a list waits",
    )


@signals.command("refuse")
def refuse_command(
    request_id: Annotated[int, typer.Argument(help="of `dialer signals confirmations`")],
    by: By,
    why: Annotated[str, typer.Option(help="the reason")],
) -> None:
    """Refuse what another person has asked to confirm, or withdraw one's own."""
    with signed_application("signals", by, Permission.CONTROL) as (app, actor):
        refuse_item(app.services, actor, request_id, why=why)
    typer.echo(str(request_id))


@signals.command("resume")
def resume_source_command(
    source: Annotated[str, typer.Argument(help="whose verdicts were stopped")], by: By
) -> None:
    """Resume a source that was stopped: what rests on its signals alone is sent."""
    with signed_application("signals", by, Permission.CONTROL) as (app, actor):
        if not resume_source(app.services, actor, source):
            raise Invalid(field="source", problem=Text("%(source)s is not stopped", source=source))
    typer.echo(source)


def _texts(folder: Path) -> dict[str, str]:
    files = sorted(folder.glob("*.toml")) if folder.is_dir() else []
    if not files:
        raise UnusableFile(Text("%(folder)s: no .toml files", folder=folder.name))
    return {file.stem: file.read_text(encoding="utf-8") for file in files}
