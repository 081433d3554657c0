"""`dialer scripts`: check, render and play scripts; versions, approvals and trials on a running service."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from audio.clips import MANIFEST, PROMPTS, ManifestUnreadable
from dialer.cli.common import By
from dialer.cli.output import (
    AsJson,
    WorkProgress,
    command_application,
    fields_of,
    print_found,
    print_json,
    print_rows,
    signed_application,
    wait_for_worker,
)
from dialer.core.access import Permission
from dialer.core.errors import Invalid, Refusal, UnusableFile
from dialer.core.intervals import TrialConclusion
from dialer.core.text import Lang, Text
from dialer.core.values import Grade, RenderState, Tag
from dialer.language.catalogue import say
from dialer.language.figure_words import NO_FILED_CASES, TRIAL_MEASURES, trial_sentence
from dialer.language.words import word_of
from dialer.runtime.sections import CentreSettings
from dialer.runtime.services import Application
from dialer.runtime.settings import load_settings
from dialer.script_versions.actions import approve_script, draft_script, shipped_bases
from dialer.script_versions.overview import ScriptPage, list_scripts, script_versions, show_script
from dialer.script_versions.render import has_render_worker, rendering, start_rendering
from dialer.script_versions.trials import Compared, Comparison, compare_versions, set_trial
from dialer.scripts.answers import Heard
from dialer.scripts.dialogue import Context, advance, start
from dialer.scripts.inbound import inbound_list
from dialer.scripts.lint import Durations, good_path_seconds, lint_script, longest_path_seconds, sound_flaw
from dialer.scripts.model import Script, circles
from dialer.scripts.reading import read_script, script_named, shipped_list, shipped_scripts
from dialer.scripts.rendered import durations_of, shipped_manifest
from dialer.scripts.store import Render, Version

scripts = typer.Typer(help="What the robot says.", no_args_is_help=True)

ScriptId = Annotated[str, typer.Argument(help="such as police_impersonation")]

_SLICE_SECONDS = 3600.0
_KEYS = frozenset("0123456789*#")
_MEASURES = {name: f"{say(Lang.ZH, text)} {text}" for name, text in TRIAL_MEASURES.items()}
_NO_FILED = f"{say(Lang.ZH, NO_FILED_CASES)} {NO_FILED_CASES}"


@scripts.command("list")
def list_command(*, as_json: AsJson = False) -> None:
    """Every script and its live version."""
    with command_application("scripts") as app:
        lines = list_scripts(app.services)
    print_found(
        lines,
        as_json=as_json,
        plain=asdict,
        columns={
            "话术 script": lambda line: line.script_id,
            "名称 title": lambda line: line.title.get("zh", ""),
            "在用 live": lambda line: line.live or "-",
            "审批人 approved by": lambda line: line.approved_by,
            "最新 newest": lambda line: line.newest,
            "草稿 drafts": lambda line: line.drafts,
        },
        narrow=1,
    )


@scripts.command("versions")
def versions_command(
    script: Annotated[str, typer.Argument(help="one script; default: all")] = "", *, as_json: AsJson = False
) -> None:
    """Every version: who drafted and approved it, and which one is live."""
    with command_application("scripts") as app:
        found = script_versions(app.services, script)

    def last(version: Version, field: str) -> str:
        return str(getattr(version.approvals[-1], field)) if version.approvals else ""

    print_found(
        found,
        as_json=as_json,
        plain=_version_json,
        columns={
            "话术 script": lambda version: version.script_id,
            "版本 version": lambda version: version.number,
            "状态 state": lambda version: (
                word_of(version.state, Lang.ZH) + (" · 在用 live" if version.is_live else "")
            ),
            "内容 hash": lambda version: version.content_hash[:12],
            "起草 drafted by": lambda version: version.drafted_by,
            "审批 approved by": lambda version: last(version, "approved_by"),
            "理由 reason": lambda version: last(version, "reason"),
        },
        narrow=4,
    )


@scripts.command("show")
def show_command(
    script: ScriptId,
    version: Annotated[int | None, typer.Argument(help="default: the live one")] = None,
    *,
    source: Annotated[bool, typer.Option("--source", help="the file as it was drafted")] = False,
    as_json: AsJson = False,
) -> None:
    """One version: its nodes, its prompts with their sound, and what prevents its approval."""
    with command_application("scripts") as app:
        page = show_script(app.services, script, version)
    if source:
        typer.echo(page.version.source, nl=False)
    elif as_json:
        print_json(_page_json(page))
    else:
        _print_page(page)


@scripts.command("draft")
def draft_command(
    file: Annotated[Path, typer.Argument(help="a script as TOML")], by: By, *, as_json: AsJson = False
) -> None:
    """Store a new version; it is used only after a second person has approved it."""
    text = _read(file)
    with signed_application("scripts", by, Permission.EDIT_SCRIPTS) as (app, actor):
        drafted = draft_script(app.services, actor, text, file=file.name)
        version = drafted.version
        render = start_rendering(app.services, actor, version.script_id, version.number)
    if as_json:
        findings = [asdict(finding) for finding in drafted.findings]
        print_json(_version_json(version) | {"findings": findings, "render": _render_json(render)})
        return
    typer.echo(f"{version.script_id} {version.number} {version.content_hash[:12]}")
    for finding in drafted.findings:
        typer.echo(str(finding), err=True)


@scripts.command("approve")
def approve_command(
    script: ScriptId,
    version: Annotated[int, typer.Argument(help="its number in `dialer scripts versions`")],
    by: By,
    reason: Annotated[str, typer.Option(help="why this version")],
    *,
    trial_only: Annotated[
        bool, typer.Option("--trial-only", help="only for trials; the live version stays")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a version live for new calls; approve an older version to go back to it."""
    with signed_application("scripts", by, Permission.APPROVE) as (app, actor):
        approved = approve_script(
            app.services, actor, script, version, reason=reason, goes_live=not trial_only
        )
    if as_json:
        print_json(_version_json(approved))
    else:
        live = "" if trial_only else ", live"
        typer.echo(f"{script} {version}: approved by {approved.approvals[-1].approved_by}{live}")


def render_version(script: str, version: int | None, *, by: str) -> None:
    """Renders the sound of a version: by a worker if one runs, else in this process. Returns when it is done."""
    with signed_application("scripts", by, Permission.EDIT_SCRIPTS, Permission.CONTROL) as (app, actor):
        number = version if version is not None else show_script(app.services, script).version.number
        start_rendering(app.services, actor, script, number)
        render = _wait(app, script, number)
    if render.state is RenderState.FAILED:
        raise Refusal(Text.load(render.error))
    typer.echo(f"{script} {number}: {len(render.clips)} clips")


def _wait(app: Application, script: str, number: int) -> Render:
    def read() -> WorkProgress:
        render = rendering(app.services, script, number)
        assert render is not None
        return WorkProgress(done=render.done, total=render.total, is_over=not render.state.is_open)

    wait_for_worker(
        read,
        lambda: _render_here(app, script, number),
        what="rendering",
        shown=True,
        is_alone=not has_render_worker(app.services),
    )
    render = rendering(app.services, script, number)
    assert render is not None
    return render


def _render_here(app: Application, script: str, number: int) -> None:
    # Sound processing is loaded here alone: no other command needs its memory.
    from dialer.script_versions.render import Studio, render_script

    render = rendering(app.services, script, number)
    assert render is not None
    studio = Studio.of(app.settings.data_dir)
    render_script(app.services, render.id, studio=studio, for_seconds=_SLICE_SECONDS)


def _version_json(version: Version) -> dict[str, Any]:
    approvals = ("approved_by", "reason", "goes_live", "audio_hash", "at")
    return fields_of(version, "state", "audio_hash", "drafted_by", "drafted_at") | {
        "script": version.script_id,
        "version": version.number,
        "live": version.is_live,
        "hash": version.content_hash,
        "approvals": [fields_of(approval, *approvals) for approval in version.approvals],
    }


def _render_json(render: Render | None) -> dict[str, Any] | None:
    if render is None:
        return None
    return fields_of(render, "state", "done", "total") | {"error": str(Text.load(render.error))}


def _page_json(page: ScriptPage) -> dict[str, Any]:
    return _version_json(page.version) | {
        "start": page.script.start,
        "nodes": [asdict(node) for node in page.nodes],
        "edges": [asdict(edge) for edge in page.edges],
        "common": [asdict(node) for node in page.common],
        "findings": [asdict(finding) for finding in page.findings],
        "without_sound": list(page.without_sound),
        "voices": dict(page.voices),
        "render": _render_json(page.render),
    }


def _print_page(page: ScriptPage) -> None:
    version = page.version
    Console().print(
        f"{version.script_id} {version.number} · {word_of(version.state, Lang.ZH)} · {version.content_hash[:12]}"
        f" · {version.drafted_by}",
        markup=False,
    )
    print_rows(
        page.nodes,
        {
            "节点 node": lambda node: node.id,
            "类型 kind": lambda node: node.kind,
            "去向 leads to": lambda node: " ".join(
                f"{edge.key or edge.label}→{edge.to}" for edge in page.edges if edge.start == node.id
            ),
            "说 says": lambda node: next((spoken.text for spoken in node.said if spoken.text), ""),
            "声音 voice": lambda node: " ".join(
                f"{spoken.language}:{spoken.voice or '-'}" for spoken in node.said
            ),
        },
    )
    if page.render is not None:
        typer.echo(
            f"{page.render.state.value} {page.render.done}/{page.render.total} {Text.load(page.render.error)}".rstrip()
        )
    for line in dict.fromkeys(map(str, page.findings)):
        typer.echo(line, err=True)
    for prompt in page.without_sound:
        typer.echo(f"{prompt}: has no sound", err=True)


@scripts.command("trial")
def trial_command(
    script: Annotated[str, typer.Argument(help="such as loan")],
    by: By,
    reason: Annotated[str, typer.Option(help="the question that the trial answers")],
    weights: Annotated[str, typer.Option(help="shares by version, such as 1=50,2=50; empty ends it")] = "",
    grade: Annotated[Grade | None, typer.Option(help="one grade; default: all others")] = None,
) -> None:
    """Divide calls among approved versions by shares; a person always hears the same version."""
    shares = _shares(weights)
    with signed_application("scripts", by, Permission.EDIT_SCRIPTS) as (app, actor):
        set_trial(app.services, actor, script, shares, reason=reason, grade=grade)
    typer.echo(f"{script}: {weights or 'the trial is over'}")


@scripts.command("compare")
def compare_command(
    script: Annotated[str, typer.Argument(help="such as loan")],
    grade: Annotated[Grade | None, typer.Option(help="the trial of one grade")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """The versions of a trial side by side, at any time during it."""
    with command_application("scripts") as app:
        found = compare_versions(app.services, script, grade=grade)
    if as_json:
        print_json(asdict(found), default=str)
    else:
        _print(found)


def _shares(text: str) -> dict[int, float]:
    try:
        pairs = [part.split("=") for part in text.split(",") if part.strip()]
        return {int(number): float(weight) for number, weight in pairs}
    except ValueError as fault:
        raise Invalid(field="weights", problem="cannot be read", fix="1=50,2=50") from fault


def _print(found: Comparison) -> None:
    trial = found.trial
    until = f" - {trial.ended_at:%Y-%m-%d %H:%M}" if trial.ended_at else ""
    columns: dict[str, Callable[[Compared], str]] = {
        "版本 version": lambda version: f"{version.number}{' 在用 live' if version.is_live else ''}",
    }
    for place, measured in enumerate(found.versions[0].measured):
        columns[_MEASURES[measured.measure]] = partial(_figures, place)
    print_rows(
        found.versions,
        columns,
        title=f"{trial.script_id} {trial.grade} {trial.at:%Y-%m-%d %H:%M}{until} UTC",
    )
    for version in found.versions:
        for measured in version.measured:
            if measured.verdict is not None:
                typer.echo(
                    f"{version.number} {_MEASURES[measured.measure]}: {verdict_words(measured.verdict, trial.live)}"
                )
    if not found.filed_loaded:
        typer.echo(f"{_MEASURES['defrauded']}: {_NO_FILED}")


def _figures(place: int, version: Compared) -> str:
    measured = version.measured[place]
    share = "-" if measured.tally.share is None else f"{100 * measured.tally.share:.1f} %"
    within = (
        f" ({100 * measured.interval.low:.0f}-{100 * measured.interval.high:.0f})"
        if measured.interval
        else ""
    )
    return f"{measured.tally.hits}/{measured.tally.people} = {share}{within}"


def verdict_words(verdict: TrialConclusion, live: int) -> str:
    """The verdict as a sentence in both languages."""
    return f"{trial_sentence(Lang.ZH, verdict, live)} {trial_sentence(Lang.EN, verdict, live)}"


@scripts.command("check")
def check_scripts(
    script: Annotated[str, typer.Argument(help="a shipped script or a TOML file; default: all shipped")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Check every path, every rule of wording and every sound; exit 1 on a finding."""
    chosen = [_script(script)] if script else list(shipped_scripts().values())
    durations = durations_of(shipped_manifest().clips)
    offered = load_settings().centre.offered_languages
    findings = [
        finding for script in chosen for finding in lint_script(script, durations=durations, offered=offered)
    ]
    damaged = shipped_manifest().damaged()
    if as_json:
        print_json({"findings": [asdict(finding) for finding in findings], "damaged": list(damaged)})
    else:
        counts = Counter(finding.file for finding in findings)
        lengths = {script.id: _lengths(script, durations) for script in chosen}
        print_rows(
            chosen,
            {
                "话术 script": lambda script: script.id,
                "语言 languages": lambda script: " ".join(script.languages),
                "走通 good path": lambda script: lengths[script.id][0],
                "最长 longest": lambda script: lengths[script.id][1],
                "问题 findings": lambda script: counts[script.origin.file],
            },
            narrow=5,
        )
        for line in dict.fromkeys(map(str, findings)):
            typer.echo(line, err=True)
        for file in damaged:
            typer.echo(f"audio/prompts/{file}: missing or changed since it was rendered", err=True)
    raise typer.Exit(1 if findings or damaged else 0)


@scripts.command("render")
def render_scripts(
    script: Annotated[str, typer.Argument(help="a script of the service; default: the shipped files")] = "",
    version: Annotated[int | None, typer.Argument(help="default: the live one")] = None,
    by: By = "cli",
    *,
    out: Annotated[Path, typer.Option(help="the folder for the sound")] = PROMPTS,
    styles: Annotated[Path, typer.Option(help="the voices of the engine (docs/scripts.md)")] = Path(
        "var/voices"
    ),
    recordings: Annotated[Path | None, typer.Option(help="clips recorded by a person")] = None,
) -> None:
    """Render the sound of a version, or of every shipped prompt; voices come with the extra `speech`."""
    if script:
        render_version(script, version, by=by)
        return
    # Sound processing is loaded here alone: no other command needs its memory.
    from audio.render import Item, default_voices, render
    from audio.voices import Recordings
    from audio.wave_file import SoundFault

    items = [
        Item(key=item.key, language=item.language, text=item.text, slow=item.slow)
        for item in (*shipped_list(CentreSettings().names()), *inbound_list())
    ]
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
    """Seconds of the longest good path and of the longest path; '-' for a script with a loop."""
    if circles(script):
        return ["-", "-"]
    ways = (good_path_seconds, longest_path_seconds)
    return [f"{way(script, script.default_language, durations):.0f} s" for way in ways]


def _script(named: str) -> Script:
    """A shipped script by its id, or one in a TOML file."""
    if not named.endswith(".toml"):
        return script_named(named)
    path = Path(named)
    return read_script(_read(path), file=path.name, bases=shipped_bases())


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise UnusableFile(Text("%(file)s: cannot be read", file=file.name)) from fault


@scripts.command("play")
def play(
    script: Annotated[str, typer.Argument(help="such as police_impersonation, or a TOML file")],
    language: Annotated[str, typer.Option(help="default: the script's own")] = "",
    offers: Annotated[list[str] | None, typer.Option(help="a language that key 8 chooses")] = None,
    tag: Annotated[list[Tag] | None, typer.Option(help="of the person, such as minor or hearing")] = None,
) -> None:
    """Walk through a script: read what the robot says, type keys or words as if spoken; Enter alone is silence."""
    chosen = _script(script)
    context = Context(
        language=language or chosen.default_language, offered=tuple(offers or ()), tags=frozenset(tag or ())
    )
    turn = start(chosen, context)
    while True:
        for utterance in turn.utterances:
            typer.echo(f"  {utterance.text}")
        if turn.is_over:
            break
        if turn.ask is None:
            typer.echo("  … calls an officer, who does not answer")
            turn = advance(chosen, turn.position, Heard.silence(), context)
            continue
        typed = typer.prompt("key or words", default="", show_default=False).strip()
        heard = Heard.said(typed) if set(typed) - _KEYS else Heard.keys(typed)
        turn = advance(chosen, turn.position, heard, context)
    typer.echo(f"  = contact {turn.learned.contact}, answer {turn.learned.answer}, urgency {turn.end}")
