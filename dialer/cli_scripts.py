"""`dialer scripts`: check what the robot may say, render it, and walk through it in the terminal."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from audio.clips import MANIFEST, PROMPTS, ManifestUnreadable
from dialer.cli_end import By
from dialer.cli_trials import trials
from dialer.cli_versions import render_version, versions
from dialer.errors import Refusal, UnusableFile
from dialer.language import Text
from dialer.scripts.catalogue import script_named, shipped
from dialer.scripts.checks import Durations, check, good_path_seconds, longest_path_seconds
from dialer.scripts.dialogue import Context, Turn, advance, start
from dialer.scripts.findings import sound_flaw
from dialer.scripts.graph import circles
from dialer.scripts.hearing import Heard
from dialer.scripts.model import Script
from dialer.scripts.prompts import prompt_list
from dialer.scripts.reading import read_script
from dialer.usecases.choose_script import durations_by_text
from dialer.usecases.editions import shipped_manifest
from dialer.usecases.seed_scripts import shipped_bases

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
    chosen = [_script(script)] if script else list(shipped().values())
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
