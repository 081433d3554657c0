"""Commands of the audit trail: checked, anchored, and told what set the database back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from dialer.audit.trail import (
    Anchor,
    anchor_trail,
    note_restore,
    read_anchors,
    stamped_at,
    verify_trail,
    write_checkpoint,
)
from dialer.cli.common import By
from dialer.cli.output import (
    AsJson,
    command_application,
    print_json,
    signed_application,
)
from dialer.core.access import Permission
from dialer.core.errors import Invalid
from dialer.core.text import Text
from dialer.db.audit import AuditFinding, AuditFlaw, TrailCheck
from dialer.runtime.settings import Settings

audit = typer.Typer(
    help="The audit trail 审计: checked, anchored outside the database.", no_args_is_help=True
)

_MOST_SHOWN = 50
_FLAWS = {
    AuditFlaw.MISSING: ("缺失", "missing"),
    AuditFlaw.ALTERED: ("被改动，或缺少密钥", "altered, or its key is missing"),
    AuditFlaw.DOUBLED: ("重复", "doubled"),
    AuditFlaw.MOVED: ("顺序不符", "out of order"),
    AuditFlaw.LOOSE: ("与上一条不衔接", "does not follow the line before it"),
    AuditFlaw.FOREIGN: ("无编号，非系统写入", "has no number: not written by the service"),
    AuditFlaw.EARLIER: ("启用编号前的记录有变动", "lines from before the chain were changed"),
    AuditFlaw.HEAD: ("末条登记不符", "the head names another last line"),
    AuditFlaw.ANCHOR: ("与外部存证不符", "differs from an anchor"),
}


@audit.command("verify")
def verify(
    anchor: Annotated[
        Path | None,
        typer.Option(help="an anchor file, or the log of a syslog server; default: the settings' file"),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """核验审计: read every line and name those missing, altered, doubled or out of order; exit 1 if there is any."""
    with command_application("audit") as app:
        settings = app.settings
        file = anchor or settings.audit_places().anchor_file
        text = _text_of(file) if file is not None and (anchor is not None or file.exists()) else ""
        anchors, foreign = read_anchors(app.services.store.vault, text)
        unstamped = sum(not _is_stamped(found, settings) for found in anchors if found.stamp)
        if anchor is not None and not anchors and not foreign:
            raise Invalid(field="--anchor", problem="holds no anchor")
        verdict = verify_trail(app.services, anchors=anchors)
    newest = max(anchors, key=lambda found: found.number, default=None)
    outside = {"foreign_anchors": foreign, "wrong_stamps": unstamped}
    counts = dict(verdict.counts) | {name: count for name, count in outside.items() if count}
    if as_json:
        print_json(
            {
                "whole": not counts,
                "lines": verdict.lines,
                "last": verdict.end.number,
                "anchors": verdict.anchors,
                "last_anchor": None
                if newest is None
                else {"number": newest.number, "chain": newest.chain.hex(), "at": newest.at.isoformat()},
                "counts": counts,
                "findings": [finding.plain() for finding in verdict.findings],
            }
        )
    else:
        _print_verdict(verdict, counts)
        if before := len(anchors) - verdict.anchors:
            typer.echo(
                f"{before} 条外部存证早于恢复，不作对照 anchors are from before a restore and do not count"
            )
        if newest is not None and AuditFlaw.ANCHOR in verdict.counts and newest.number > verdict.end.number:
            _print_cut(newest, last=verdict.end.number)
    raise typer.Exit(1 if counts else 0)


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise Invalid(field=str(file), problem=Text("cannot be read (%(why)s)", why=error.strerror)) from None


def _is_stamped(anchor: Anchor, settings: Settings) -> bool:
    try:
        stamped_at(anchor.stamp, anchor.seal, certificate=settings.audit.anchor_tsa_certificate)
    except (OSError, ValueError):
        return False
    return True


def _print_verdict(verdict: TrailCheck, counts: Mapping[str, int]) -> None:
    findings, lines, last, anchors = verdict.findings, verdict.lines, verdict.end.number, verdict.anchors
    for finding in findings[:_MOST_SHOWN]:
        chinese, english = _FLAWS[finding.flaw]
        typer.echo(
            f"{_place(finding)}: {chinese} {english}{'' if finding.of is None else f' ({finding.of})'}"
        )
    if len(findings) > _MOST_SHOWN:
        typer.echo(f"... {len(findings) - _MOST_SHOWN} more: --json names up to 1,000")
    if foreign := counts.get("foreign_anchors"):
        typer.echo(f"{foreign} 条外部存证非本系统所写 anchors were not written by us")
    if wrong := counts.get("wrong_stamps"):
        typer.echo(f"{wrong} 个时间戳不符 stamps do not fit their anchor")
    against = f"，对照 {anchors} 条外部存证 against {anchors} anchors" if anchors else ""
    state = "不完整 NOT whole" if counts else "完整 whole"
    typer.echo(f"{state}: {lines} lines, last number {last}{against}")


def _print_cut(newest: Anchor, *, last: int) -> None:
    head, at = newest.chain.hex()[:16], newest.at.isoformat(timespec="seconds")
    typer.echo(
        f"尾部被截去：最后一条外部存证（{at}）记录第 {newest.number} 条，链值 {head}，数据库止于第 {last} 条\n"
        f"the end was cut off: the last anchor ({at}) names line {newest.number} with head {head}, "
        f"the database ends at {last}"
    )


def _place(finding: AuditFinding) -> str:
    if finding.number is None:
        return "-" if finding.id is None else f"id {finding.id}"
    if finding.last is not None and finding.last != finding.number:
        return f"第 {finding.number} 至 {finding.last} 条 lines {finding.number} to {finding.last}"
    return f"第 {finding.number} 条 line {finding.number}"


@audit.command("anchor")
def anchor_now() -> None:
    """存证: write the last line to the anchors of the settings now."""
    with command_application("audit") as app:
        anchored, faults = anchor_trail(app.services, app.settings.audit_places(), always=True)
    for place, problem in faults.items():
        typer.echo(f"{place}: {problem}", err=True)
    assert anchored is not None
    typer.echo(f"line {anchored.number}")
    raise typer.Exit(1 if faults else 0)


@audit.command("restored")
def restored(
    by: By, why: Annotated[str, typer.Option(help="what set the database back, for the record")]
) -> None:
    """已回退: the database was set back by PostgreSQL's own means; anchors of later lines count no more."""
    with signed_application("audit", by, Permission.CONTROL, Permission.SEE_AUDIT, must_be_known=True) as (
        app,
        actor,
    ):
        last = note_restore(app.services, actor, why=why)
    typer.echo(f"anchors of lines after {last} count no more")


@audit.command("checkpoint")
def checkpoint(
    through: Annotated[int, typer.Argument(help="the last line that may be deleted")],
    by: By,
    why: Annotated[str, typer.Option(help="the order to delete, for the record")],
) -> None:
    """检查点: permit the database's owner to delete the lines up to this one; a check then begins after it."""
    with signed_application("audit", by, Permission.CONTROL, Permission.SEE_AUDIT, must_be_known=True) as (
        app,
        actor,
    ):
        place = write_checkpoint(app.services, actor, through=through, why=why)
    typer.echo(f"lines up to {place.number} may be deleted")
