"""`dialer scripts` on a running service: versions, drafts, their sound, and who approved what.

`dialer scripts trial` and `compare`: which words work.

`dialer scripts`: check what the robot may say, render it, and walk through it in the terminal.
"""

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

from audio.clips import MANIFEST, PROMPTS, ManifestUnreadable
from dialer.bootstrap import application
from dialer.calls.conversation import durations_by_text
from dialer.cli.common import By
from dialer.core.errors import Invalid, Refusal, UnusableFile
from dialer.core.intervals import Interval, Verdict
from dialer.core.values import Grade, RenderState
from dialer.language import Lang, Text, say
from dialer.runtime.logs import configure_logs
from dialer.runtime.settings import load_settings
from dialer.scripts.dialogue import Context, Heard, Turn, advance, start
from dialer.scripts.lint import Durations, check, good_path_seconds, longest_path_seconds, sound_flaw
from dialer.scripts.model import Script, circles
from dialer.scripts.overview import ScriptPage, list_scripts, script_versions, show_script
from dialer.scripts.reading import prompt_list, read_script, script_named, shipped_scripts
from dialer.scripts.render import has_render_worker, rendering, start_rendering
from dialer.scripts.rendered import shipped_manifest
from dialer.scripts.store import Render, Version
from dialer.scripts.trials import Comparison, Measured, compare_versions, set_trial
from dialer.scripts.versions import approve_script, draft_script, shipped_bases
from dialer.services import Application
from dialer.wording.words import MEASURES, NO_FILED_CASES, verdict_in, word_of

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
        lines = list_scripts(app.services)
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
        found = script_versions(app.services, script)
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
            word_of(version.state, Lang.ZH) + (" · 在用 live" if version.is_live else ""),
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
        page = show_script(app.services, script, version)
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
        drafted = draft_script(app.services, text, by=by, file=file.name)
        version = drafted.version
        render = start_rendering(app.services, version.script_id, version.number, by=by)
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
        approved = approve_script(
            app.services, script, version, by=by, reason=reason, goes_live=not trial_only
        )
    if as_json:
        typer.echo(_dumped(_plain(approved)))
    else:
        live = "" if trial_only else ", live"
        typer.echo(f"{script} {version}: approved by {approved.approvals[-1].approved_by}{live}")


def render_version(script: str, version: int | None, *, by: str) -> None:
    """The sound of a version is made when this returns: by a worker when one runs, else here."""
    with _app() as app:
        number = version if version is not None else show_script(app.services, script).version.number
        start_rendering(app.services, script, number, by=by)
        render = _wait(app, script, number)
    if render.state is RenderState.FAILED:
        raise Refusal(Text.load(render.error))
    typer.echo(f"{script} {number}: {len(render.clips)} clips")


def _wait(app: Application, script: str, number: int) -> Render:
    """A worker that shows no progress for a while is helped by this process."""
    console = Console(stderr=True)
    seen, since = -1, time.monotonic()
    helped = not has_render_worker(app.services)
    with Progress(
        TextColumn("rendering"), BarColumn(), MofNCompleteColumn(), console=console, transient=True
    ) as bar:
        task = bar.add_task("", total=None)
        while True:
            render = rendering(app.services, script, number)
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
    from dialer.scripts.render import Studio, render_script  # noqa: PLC0415

    studio = Studio.of(app.settings.data_dir)
    render_script(app.services, render.id, studio=studio, for_seconds=_SLICE_SECONDS)


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
        "start": page.script.start,
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
        f"{version.script_id} {version.number} · {word_of(version.state, Lang.ZH)} · {version.content_hash[:12]}"
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


trials = typer.Typer()

_MEASURES = {name: f"{say(Lang.ZH, text)} {text}" for name, text in MEASURES.items()}
_NO_FILED = f"{say(Lang.ZH, NO_FILED_CASES)} {NO_FILED_CASES}"


@trials.command("trial")
def trial_command(
    script: Annotated[str, typer.Argument(help="such as loan")],
    by: By,
    reason: Annotated[str, typer.Option(help="what is to be found out")],
    weights: Annotated[str, typer.Option(help="shares by version, such as 1=50,2=50; empty ends it")] = "",
    grade: Annotated[Grade | None, typer.Option(help="one grade; default: all others")] = None,
) -> None:
    """Speak approved versions in shares; the same person always hears the same."""
    shares = _shares(weights)
    settings = load_settings()
    configure_logs(level="warning", log_format=settings.log.format, process="scripts")
    with application(settings) as app:
        set_trial(app.services, script, shares, by=by, reason=reason, grade=grade)
    typer.echo(f"{script}: {weights or 'the trial is over'}")


@trials.command("compare")
def compare_command(
    script: Annotated[str, typer.Argument(help="such as loan")],
    grade: Annotated[Grade | None, typer.Option(help="the trial of one grade")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """The versions of a trial beside each other; may be asked at any time."""
    settings = load_settings()
    configure_logs(level="warning", log_format=settings.log.format, process="scripts")
    with application(settings) as app:
        found = compare_versions(app.services, script, grade=grade)
    if as_json:
        typer.echo(json.dumps(asdict(found), ensure_ascii=False, default=str))
    else:
        _print(found)


def _shares(text: str) -> dict[int, float]:
    try:
        pairs = [part.split("=") for part in text.split(",") if part.strip()]
        return {int(number): float(weight) for number, weight in pairs}
    except ValueError as fault:
        raise Invalid(field="weights", problem="cannot be read", mend="1=50,2=50") from fault


def _print(found: Comparison) -> None:
    trial = found.trial
    until = f" - {trial.ended_at:%Y-%m-%d %H:%M}" if trial.ended_at else ""
    table = Table("版本 version", *(_MEASURES[one.measure] for one in found.versions[0].measured))
    table.title = f"{trial.script_id} {trial.grade} {trial.at:%Y-%m-%d %H:%M}{until} UTC"
    for version in found.versions:
        live = " 在用 live" if version.is_live else ""
        table.add_row(f"{version.number}{live}", *(_figures(one) for one in version.measured))
    Console().print(table)
    for version in found.versions:
        for one in version.measured:
            if one.verdict is not None:
                typer.echo(
                    f"{version.number} {_MEASURES[one.measure]}: {verdict_words(one.verdict, trial.live)}"
                )
    if not found.filed_loaded:
        typer.echo(f"{_MEASURES['defrauded']}: {_NO_FILED}")


def _figures(one: Measured) -> str:
    share = "-" if one.tally.share is None else f"{100 * one.tally.share:.1f} %"
    return f"{one.tally.hits}/{one.tally.people} = {share}{_within(one.interval)}"


def _within(interval: Interval | None) -> str:
    return f" ({100 * interval.low:.0f}-{100 * interval.high:.0f})" if interval else ""


def verdict_words(verdict: Verdict, live: int) -> str:
    """One plain sentence, in both languages."""
    return f"{verdict_in(Lang.ZH, verdict, live)} {verdict_in(Lang.EN, verdict, live)}"


scripts = typer.Typer(help="What the robot says.", no_args_is_help=True)
_FINDINGS = 1
_KEYS = frozenset("0123456789*#")


@scripts.command("check")
def check_scripts(
    script: Annotated[str, typer.Argument(help="a shipped script or a TOML file; default: all shipped")] = "",
    *,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Every path, every rule of wording, every sound; exit 1 when anything is wrong."""
    chosen = [_script(script)] if script else list(shipped_scripts().values())
    durations = durations_by_text()
    findings = [finding for one in chosen for finding in check(one, durations=durations)]
    damaged = shipped_manifest().damaged()
    if as_json:
        typer.echo(
            json.dumps(
                {"findings": [asdict(finding) for finding in findings], "damaged": list(damaged)},
                ensure_ascii=False,
            )
        )
    else:
        table = Table("脚本 script", "语言", "走通 good path", "最长 longest", "问题 findings")
        for column in table.columns:
            column.no_wrap = True
        for one in chosen:
            count = sum(finding.file == one.origin.file for finding in findings)
            table.add_row(one.id, " ".join(one.languages), *_lengths(one, durations), str(count))
        Console().print(table)
        for line in dict.fromkeys(map(str, findings)):
            typer.echo(line, err=True)
        for file in damaged:
            typer.echo(f"audio/prompts/{file}: missing or changed since it was rendered", err=True)
    raise typer.Exit(_FINDINGS if findings or damaged else 0)


scripts.registered_commands.extend(versions.registered_commands)
scripts.registered_commands.extend(trials.registered_commands)


@scripts.command("render")
def render_scripts(
    script: Annotated[str, typer.Argument(help="a script of the service; default: the shipped files")] = "",
    version: Annotated[int | None, typer.Argument(help="default: the live one")] = None,
    by: By = "cli",
    *,
    out: Annotated[Path, typer.Option(help="where the sound goes")] = PROMPTS,
    styles: Annotated[Path, typer.Option(help="the voices of the engine (docs/scripts.md)")] = Path(
        "var/voices"
    ),
    recordings: Annotated[Path | None, typer.Option(help="clips that a person spoke")] = None,
) -> None:
    """Make the sound of a version, or of every shipped prompt; voices come with the extra `speech`."""
    if script:
        render_version(script, version, by=by)
        return
    # Sound processing is loaded here alone: no other command should pay for it.
    from audio.render import Item, default_voices, render  # noqa: PLC0415
    from audio.voices import Recordings  # noqa: PLC0415
    from audio.wave_file import SoundFault  # noqa: PLC0415

    items = [Item(key=item.key, language=item.language, text=item.text) for item in prompt_list()]
    try:
        made = render(
            items,
            out=out,
            voices=default_voices(styles),
            recordings=Recordings(folder=recordings) if recordings else None,
        )
    except SoundFault as fault:
        raise Refusal(sound_flaw(fault.flaw)) from fault
    except ManifestUnreadable as fault:
        raise Refusal(Text("%(file)s cannot be read: %(why)s", file=MANIFEST, why=fault.why)) from fault
    typer.echo(f"{len(made.clips)} prompts in {out}")


def _lengths(script: Script, durations: Durations) -> list[str]:
    """Seconds of the longest good way and of the longest way; of a script that may go round, neither is known."""
    if circles(script):
        return ["-", "-"]
    ways = (good_path_seconds, longest_path_seconds)
    return [f"{way(script, script.default_language, durations):.0f} s" for way in ways]


def _script(named: str) -> Script:
    """A shipped one by its id, or a file that may become a draft."""
    if not named.endswith(".toml"):
        return script_named(named)
    path = Path(named)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise UnusableFile(Text("%(file)s: cannot be read", file=path.name)) from fault
    return read_script(text, file=path.name, bases=shipped_bases())


@scripts.command("play")
def play(
    script: Annotated[str, typer.Argument(help="such as police_impersonation, or a TOML file")],
    language: Annotated[str, typer.Option(help="default: the script's own")] = "",
) -> None:
    """Walk through a script: read what is said, type keys, or words as if spoken; Enter alone is silence."""
    chosen = _script(script)
    context = Context(language=language or chosen.default_language)
    turn = start(chosen, context)
    while True:
        _say(turn)
        if turn.end is not None and not turn.hand_over:
            break
        if turn.ask is None:
            assert turn.position is not None
            typer.echo("  … rings an officer; nobody takes it")
            turn = advance(chosen, turn.position, Heard.silence(), context)
            continue
        typed = typer.prompt("key or words", default="", show_default=False).strip()
        heard = Heard.said(typed) if set(typed) - _KEYS else Heard.keys(typed)
        turn = advance(chosen, turn.ask.position, heard, context)
    typer.echo(f"  = contact {turn.end.contact}, answer {turn.end.answer}, urgency {turn.end.urgency}")


def _say(turn: Turn) -> None:
    for utterance in turn.utterances:
        typer.echo(f"  {utterance.text}")
