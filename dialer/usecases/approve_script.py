"""A second person lets a version be spoken: every rule of wording holds, and every prompt has sound that is whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from audio.check import problems
from audio.clips import RECORDED, Clip, from_plain, to_plain
from dialer.domain.access import actor_name
from dialer.domain.script_life import RenderState
from dialer.errors import Conflict, Invalid, Refusal
from dialer.language import Text
from dialer.scripts.checks import check
from dialer.scripts.findings import Finding, sound_flaw
from dialer.scripts.graph import prompt_of
from dialer.scripts.model import Script
from dialer.scripts.prompts import prompt_list
from dialer.store import audits, renders, scripts
from dialer.store.scripts import Version
from dialer.store.unit_of_work import Tx
from dialer.usecases.draft_script import script_in
from dialer.usecases.editions import clips_for, edition, shipped_manifest
from dialer.usecases.engine import Engine

_SHOWN = 20
_REASON_LENGTH = 500


class NotApproved(Refusal):
    """What must be mended first; each finding names its file, node and line."""

    def __init__(self, *, script_id: str, number: int, findings: Sequence[Finding]) -> None:
        lines = [str(finding) for finding in findings[:_SHOWN]]
        if len(findings) > _SHOWN:
            lines.append(f"... and {len(findings) - _SHOWN} more")
        super().__init__(
            Text(
                "version %(number)s of %(script)s cannot be approved, %(count)s findings:\n  %(findings)s",
                number=number,
                script=script_id,
                count=len(findings),
                findings="\n  ".join(lines),
            )
        )
        self.script_id = script_id
        self.number = number
        self.findings = tuple(findings)


class NotRendered(Refusal):
    """Prompts have no sound yet. `render` None: nobody has asked for it."""

    def __init__(self, *, script_id: str, number: int, missing: int, render: renders.Render | None) -> None:
        super().__init__(
            Text(
                "version %(number)s of %(script)s has %(missing)s prompts without sound%(progress)s: "
                "`dialer scripts render %(script)s %(number)s` makes them",
                number=number,
                script=script_id,
                missing=missing,
                progress=_progress(render),
            )
        )
        self.missing = missing
        self.render = render


def _progress(render: renders.Render | None) -> Text:
    if render is None:
        return Text("")
    if not render.error:
        return Text(", %(done)s of %(total)s made so far", done=render.done, total=render.total)
    return Text(
        ", %(done)s of %(total)s made so far (it failed: %(error)s)",
        done=render.done,
        total=render.total,
        error=Text.load(render.error),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sounded:
    """The sound that a version would be approved with. `absent` are prompts with words and without a clip."""

    clips: tuple[Clip, ...]
    absent: tuple[str, ...]
    render: renders.Render | None


def approve_script(
    engine: Engine, script_id: str, number: int, *, by: str, reason: str, goes_live: bool = True
) -> Version:
    """New calls speak it as soon as their process looks, within two seconds; calls under way keep theirs. An older one
    is gone back to in the same way. With `goes_live` false it may only be compared in a trial.

    Raises `NotFound`, `Invalid`, `Conflict` for the person who drafted it, `NotRendered` and `NotApproved`.
    """
    who = actor_name(by)
    why = reason.strip()
    if not why or len(why) > _REASON_LENGTH:
        raise Invalid(field="reason", problem="is empty or too long", mend="why this version, in a few words")
    with engine.store.begin() as tx:
        version = scripts.version(tx, script_id, number)
        sounded = sound_of(tx, version, script_in(version))
    if who.casefold() == version.drafted_by.casefold():
        raise Conflict(
            Text(
                "%(who)s drafted version %(number)s of %(script)s: a second person approves it",
                who=who,
                number=number,
                script=script_id,
            )
        )
    script = script_in(version)
    _refuse_unfit(engine, version, script, sounded)
    now = engine.clock.now()
    with engine.store.begin() as tx:
        scripts.lock(tx)
        scripts.approve(
            tx,
            version_id=version.id,
            drafted_by=version.drafted_by,
            approved_by=who,
            reason=why,
            sound=(edition(script, sounded.clips).audio_hash, to_plain(sounded.clips)),
            goes_live=goes_live,
            now=now,
        )
        audits.write(
            tx,
            who=who,
            act="script_approve",
            subject=f"script/{script_id}",
            why=why,
            now=now,
            facts={"version": number, "hash": script.version, "goes_live": goes_live},
        )
        approved = scripts.version(tx, script_id, number)
    engine.editions.refresh()
    return approved


def findings_of(engine: Engine, version: Version, script: Script, sounded: Sounded) -> tuple[Finding, ...]:
    """Everything that keeps a version from being approved, the sound that it has among it."""
    durations = {(clip.language, clip.text): clip.duration_seconds for clip in sounded.clips}
    # A prompt without sound is told by `absent`: here it would be counted twice.
    wording = [finding for finding in check(script, durations=durations) if finding.rule != "sound"]
    return (*wording, *_broken(engine, version, script, sounded.clips))


def sound_of(tx: Tx, version: Version, script: Script) -> Sounded:
    """By the newest rendering; without one, by what was approved last and by what is shipped."""
    render = renders.newest(tx, version.id)
    clips = [*clips_for(script, shipped_manifest().clips)]
    if version.audio_hash:
        clips = [*clips, *from_plain(scripts.spoken(tx, version.id, version.audio_hash)[2])]
    if render is not None and render.state is RenderState.DONE:
        clips = [*from_plain(render.clips)]
    have = {(clip.language, clip.text) for clip in clips}
    absent = tuple(
        f"{item.key} ({item.language})"
        for item in prompt_list([script])
        if item.text and (item.language, item.text) not in have
    )
    return Sounded(clips=_each_once(clips), absent=absent, render=render)


def _each_once(clips: Iterable[Clip]) -> tuple[Clip, ...]:
    """One clip for each thing to say, the last one named: what was approved is preferred to what was shipped."""
    chosen = {(clip.language, clip.text, clip.prompt_id, clip.voice == RECORDED): clip for clip in clips}
    return tuple(chosen.values())


def _refuse_unfit(engine: Engine, version: Version, script: Script, sounded: Sounded) -> None:
    findings = findings_of(engine, version, script, sounded)
    if findings:
        raise NotApproved(script_id=version.script_id, number=version.number, findings=findings)
    if sounded.absent or (sounded.render is not None and sounded.render.state.is_open):
        raise NotRendered(
            script_id=version.script_id,
            number=version.number,
            missing=len(sounded.absent),
            render=sounded.render,
        )


@lru_cache(maxsize=4096)
def _problems_of(sha256: str, path: Path) -> tuple[Text, ...]:  # noqa: ARG001  # this content is looked at once
    return tuple(sound_flaw(flaw) for flaw in problems(path))


def _broken(engine: Engine, version: Version, script: Script, clips: Iterable[Clip]) -> list[Finding]:
    """Sound that is missing, not what was rendered, or not fit to be played."""
    nodes = {prompt.id: node.id for node in script.nodes.values() if (prompt := prompt_of(node)) is not None}
    found = []
    real_now = engine.real.now()
    for clip in clips:
        path = engine.editions.sounds.whole(clip.file, clip.sha256, real_now=real_now)
        wrong = (
            _problems_of(clip.sha256, path)
            if path is not None
            else (Text("is missing, or not what was rendered"),)
        )
        node = nodes.get(clip.prompt_id, "")
        line = script.nodes[node].origin.line if node else 0
        found += [
            Finding(
                file=script.nodes[node].origin.file if node else version.file,
                line=line,
                node=node or clip.prompt_id,
                rule="sound",
                problem=Text(
                    "its sound in %(language)s (%(file)s) %(fault)s",
                    language=clip.language,
                    file=clip.file,
                    fault=problem,
                ),
            )
            for problem in wrong
        ]
    return found
