"""`dialer scripts` on a running service: versions, drafts, their sound, and who approved what."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from dialer.bootstrap import Application, application
from dialer.cli_end import By
from dialer.domain.script_life import RenderState
from dialer.errors import Refusal, UnusableFile
from dialer.language import Lang, Text
from dialer.runtime.logs import configure_logs
from dialer.settings import load_settings
from dialer.store.renders import Render
from dialer.store.scripts import Version
from dialer.usecases.approve_script import approve_script
from dialer.usecases.draft_script import draft_script
from dialer.usecases.script_book import ScriptPage, list_scripts, script_versions, show_script
from dialer.usecases.script_sound import rendering, somebody_renders, start_rendering
from dialer.words import word

versions = typer.Typer()

_POLL_SECONDS = 0.2
_STUCK_SECONDS = 15.0
_SLICE_SECONDS = 3600.0

Json = Annotated[bool, typer.Option("--json", help="one JSON object")]
ScriptId = Annotated[str, typer.Argument(help="such as police_impersonation")]


@versions.command("list")
def list_command(*, as_json: Json = False) -> None:
    """Every script and its live version."""
    with _app() as app:
        lines = list_scripts(app.engine)
    if as_json:
        typer.echo(_dumped([asdict(line) for line in lines]))
        return
    table = Table(
        "脚本 script", "名称 title", "在用 live", "批准人 approved by", "最新 newest", "草稿 drafts"
    )
    table.columns[0].no_wrap = True
    for line in lines:
        table.add_row(
            line.script_id,
            line.title.get("zh", ""),
            str(line.live or "-"),
            line.approved_by,
            str(line.newest),
            str(line.drafts),
        )
    Console().print(table)


@versions.command("versions")
def versions_command(
    script: Annotated[str, typer.Argument(help="one script; default: all")] = "", *, as_json: Json = False
) -> None:
    """Every version: who drafted it, who approved it, what is live."""
    with _app() as app:
        found = script_versions(app.engine, script)
    if as_json:
        typer.echo(_dumped([_plain(version) for version in found]))
        return
    table = Table(
        "脚本 script", "版本", "状态 state", "内容 hash", "起草 drafted by", "批准 approved by", "理由 reason"
    )
    for column in table.columns[:4]:
        column.no_wrap = True
    for version in found:
        last = version.approvals[-1] if version.approvals else None
        table.add_row(
            version.script_id,
            str(version.number),
            word(version.state, Lang.ZH) + (" · 在用 live" if version.is_live else ""),
            version.content_hash[:12],
            version.drafted_by,
            last.approved_by if last else "",
            last.reason if last else "",
        )
    Console().print(table)


@versions.command("show")
def show_command(
    script: ScriptId,
    version: Annotated[int | None, typer.Argument(help="default: the live one")] = None,
    *,
    source: Annotated[bool, typer.Option("--source", help="the file as it was drafted")] = False,
    as_json: Json = False,
) -> None:
    """One version: its nodes, its prompts with their sound, and what keeps it from being approved."""
    with _app() as app:
        page = show_script(app.engine, script, version)
    if source:
        typer.echo(page.version.source, nl=False)
    elif as_json:
        typer.echo(_dumped(_page(page)))
    else:
        _print_page(page)


@versions.command("draft")
def draft_command(
    file: Annotated[Path, typer.Argument(help="a script as TOML")], by: By, *, as_json: Json = False
) -> None:
    """Keep a new version; nobody hears it until a second person approves it."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise UnusableFile(Text("%(file)s: cannot be read", file=file.name)) from fault
    with _app() as app:
        drafted = draft_script(app.engine, text, by=by, file=file.name)
        version = drafted.version
        render = start_rendering(app.engine, version.script_id, version.number, by=by)
    if as_json:
        typer.echo(
            _dumped(
                _plain(version) | {"findings": [asdict(f) for f in drafted.findings], "render": _told(render)}
            )
        )
        return
    typer.echo(f"{version.script_id} {version.number} {version.content_hash[:12]}")
    for finding in drafted.findings:
        typer.echo(str(finding), err=True)


@versions.command("approve")
def approve_command(
    script: ScriptId,
    version: Annotated[int, typer.Argument(help="its number in `dialer scripts versions`")],
    by: By,
    reason: Annotated[str, typer.Option(help="why this version")],
    *,
    trial_only: Annotated[
        bool, typer.Option("--trial-only", help="may be compared in a trial; what is live stays")
    ] = False,
    as_json: Json = False,
) -> None:
    """Let new calls speak it; an older version is gone back to in the same way."""
    with _app() as app:
        approved = approve_script(app.engine, script, version, by=by, reason=reason, goes_live=not trial_only)
    if as_json:
        typer.echo(_dumped(_plain(approved)))
    else:
        live = "" if trial_only else ", live"
        typer.echo(f"{script} {version}: approved by {approved.approvals[-1].approved_by}{live}")


def render_version(script: str, version: int | None, *, by: str) -> None:
    """The sound of a version is made when this returns: by a worker when one runs, else here."""
    with _app() as app:
        number = version if version is not None else show_script(app.engine, script).version.number
        start_rendering(app.engine, script, number, by=by)
        render = _wait(app, script, number)
    if render.state is RenderState.FAILED:
        raise Refusal(Text.load(render.error))
    typer.echo(f"{script} {number}: {len(render.clips)} clips")


def _wait(app: Application, script: str, number: int) -> Render:
    """A worker that shows no progress for a while is helped by this process."""
    console = Console(stderr=True)
    seen, since = -1, time.monotonic()
    helped = not somebody_renders(app.engine)
    with Progress(
        TextColumn("rendering"), BarColumn(), MofNCompleteColumn(), console=console, transient=True
    ) as bar:
        task = bar.add_task("", total=None)
        while True:
            render = rendering(app.engine, script, number)
            assert render is not None
            bar.update(task, completed=render.done, total=render.total)
            if not render.state.is_open:
                return render
            if render.done != seen:
                seen, since = render.done, time.monotonic()
            elif helped or time.monotonic() - since > _STUCK_SECONDS:
                _render_here(app, render)
                since = time.monotonic()
            time.sleep(_POLL_SECONDS)


def _render_here(app: Application, render: Render) -> None:
    # Sound processing is loaded here alone: no other command should pay for it.
    from dialer.usecases.render_script import Studio, render_script  # noqa: PLC0415

    studio = Studio.of(app.settings.data_dir)
    render_script(app.engine, render.id, studio=studio, for_seconds=_SLICE_SECONDS)


@contextmanager
def _app() -> Iterator[Application]:
    settings = load_settings()
    configure_logs(level="warning", log_format=settings.log.format, process="scripts")
    with application(settings) as app:
        yield app


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _plain(version: Version) -> dict[str, Any]:
    return {
        "script": version.script_id,
        "version": version.number,
        "state": version.state.value,
        "live": version.is_live,
        "hash": version.content_hash,
        "audio_hash": version.audio_hash,
        "drafted_by": version.drafted_by,
        "drafted_at": version.drafted_at.isoformat(),
        "approvals": [
            {
                "approved_by": approval.approved_by,
                "reason": approval.reason,
                "goes_live": approval.goes_live,
                "audio_hash": approval.audio_hash,
                "at": approval.at.isoformat(),
            }
            for approval in version.approvals
        ],
    }


def _told(render: Render | None) -> dict[str, Any] | None:
    if render is None:
        return None
    return {
        "state": render.state.value,
        "done": render.done,
        "total": render.total,
        "error": str(Text.load(render.error)),
    }


def _page(page: ScriptPage) -> dict[str, Any]:
    return _plain(page.version) | {
        "start": page.start,
        "nodes": [asdict(node) for node in page.nodes],
        "edges": [asdict(edge) for edge in page.edges],
        "common": [asdict(node) for node in page.common],
        "findings": [asdict(finding) for finding in page.findings],
        "without_sound": list(page.without_sound),
        "voices": dict(page.voices),
        "render": _told(page.render),
    }


def _print_page(page: ScriptPage) -> None:
    version = page.version
    console = Console()
    console.print(
        f"{version.script_id} {version.number} · {word(version.state, Lang.ZH)} · {version.content_hash[:12]}"
        f" · {version.drafted_by}",
        markup=False,
    )
    table = Table("节点 node", "类型 kind", "去向 leads to", "说 says", "声音 voice")
    for node in page.nodes:
        ways = [f"{edge.key or edge.label}→{edge.to}" for edge in page.edges if edge.start == node.id]
        said = next((one for one in node.said if one.text), None)
        voices = " ".join(f"{one.language}:{one.voice or '-'}" for one in node.said)
        table.add_row(node.id, node.kind, " ".join(ways), said.text if said else "", voices)
    console.print(table)
    if page.render is not None:
        typer.echo(
            f"{page.render.state.value} {page.render.done}/{page.render.total} {Text.load(page.render.error)}".rstrip()
        )
    for line in dict.fromkeys(map(str, page.findings)):
        typer.echo(line, err=True)
    for prompt in page.without_sound:
        typer.echo(f"{prompt}: has no sound", err=True)
