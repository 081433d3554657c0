"""Drafts and approvals of script versions, and the shipped scripts as first versions.

A draft is stored as it was written and is never used in a call until a second person approves it. An approval requires
that the lint finds nothing and that every prompt has undamaged sound.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from audio.check import problems
from audio.clips import RECORDED, Clip, from_plain
from dialer.core.access import RELEASED_BY, SHIPPED_BY, Actor, Permission
from dialer.core.errors import Conflict, Invalid, Refusal
from dialer.core.text import Text, gettext_noop, stacked
from dialer.core.values import RenderState
from dialer.db.second_person import require_second_person
from dialer.db.unit_of_work import Tx
from dialer.runtime.services import Services
from dialer.scripts.lint import LintFinding, at, lint_script, sound_flaw
from dialer.scripts.model import Script, language_text, prompt_of, with_names
from dialer.scripts.reading import prompt_list, read_script, shipped_scripts, shipped_texts
from dialer.scripts.rendered import clips_for, durations_of, shipped_manifest, shipped_script
from dialer.scripts.store import (
    Render,
    Version,
    add_script_version,
    approve_script_version,
    get_script_version,
    known_script_hashes,
    known_sound_files,
    live_scripts,
    lock_scripts,
    newest_render,
    script_version_by_id,
    spoken_version,
    store_sound_files,
)


def seed_scripts(tx: Tx, *, now: datetime) -> int:
    """Stores every shipped script as a version, with its sound; returns how many are new. A new version goes live if
    the live one was shipped too; if a centre uses a version of its own, the new one stays a draft for a person. Sound
    with the centre's names that is not shipped is rendered later (`render_names`).
    """
    known = known_script_hashes(tx)
    wanted = [shipped_scripts()[name] for name in sorted(shipped_scripts())]
    if all((script.id, script.content_hash) in known for script in wanted):
        return 0
    lock_scripts(tx)
    known, live_scripts_before = known_script_hashes(tx), live_scripts(tx)
    added = 0
    for script in wanted:
        if (script.id, script.content_hash) in known:
            continue
        added += 1
        shipped = shipped_script(script.id)
        source = shipped_texts()[script.origin.file.removesuffix(".toml")]
        version = add_script_version(
            tx, script, source=source, bases=shipped_bases(), drafted_by=SHIPPED_BY, now=now
        )
        live = live_scripts_before.get(script.id)
        is_live_shipped = live is None or script_version_by_id(tx, live.version_id).drafted_by == SHIPPED_BY
        items = prompt_list([script])
        if is_live_shipped and all(
            (item.language, item.text) in shipped.files_by_text for item in items if item.text
        ):
            approve_script_version(
                tx,
                version,
                shipped.clips,
                approved_by=RELEASED_BY,
                reason="first start" if version.number == 1 else "upgrade",
                goes_live=True,
                now=now,
            )
    _store_shipped_sounds(tx)
    return added


def shipped_bases() -> dict[str, tuple[str, str]]:
    """What a script can name in `extends`: by name, the file and its text."""
    return {"common": ("common.toml", shipped_texts()["common"])}


def _store_shipped_sounds(tx: Tx) -> None:
    """Stores the shipped sound in the database, so that an older version can go live after an upgrade removed its
    files.
    """
    manifest = shipped_manifest()
    files = {clip.file: clip.sha256 for clip in manifest.clips}
    missing = set(files) - known_sound_files(tx, files)
    bodies = {
        file: (files[file], path.read_bytes())
        for file in missing
        if (path := manifest.path(file)) is not None and path.is_file()
    }
    store_sound_files(tx, bodies)


_MOST_CHARACTERS = 200_000


class SameWords(Conflict):
    """The script has a version with the same content already."""

    def __init__(self, version: Version) -> None:
        super().__init__(
            Text(
                "version %(number)s of %(script)s says just that",
                number=version.number,
                script=version.script_id,
            ),
            current=version.state.value,
        )
        self.version = version


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """The stored draft, and the faults of its wording that keep it from being approved."""

    version: Version
    findings: tuple[LintFinding, ...]


def draft_script(services: Services, actor: Actor, text: str, *, file: str = "") -> Drafted:
    """Stores a draft. Raises `ScriptUnreadable` with file, node and line, `SameWords` if a version has the same content
    already, and `Invalid` without a name.
    """
    script, findings = examine_script(services, text, file=file)
    now = services.clock.now()
    with services.act(actor, Permission.EDIT_SCRIPTS) as act:
        tx = act.tx
        lock_scripts(tx)
        known = known_script_hashes(tx).get((script.id, script.content_hash))
        if known is not None:
            raise SameWords(script_version_by_id(tx, known))
        version = add_script_version(
            tx, script, source=text, bases=shipped_bases(), drafted_by=act.by, now=now
        )
        act.audit(
            "script_draft", f"script/{script.id}", facts={"version": version.number, "hash": script.version}
        )
    return Drafted(version=version, findings=findings)


def examine_script(
    services: Services, text: str, *, file: str = ""
) -> tuple[Script, tuple[LintFinding, ...]]:
    """Reads and checks a draft without storing it. Raises `ScriptUnreadable` and `Invalid`."""
    if len(text) > _MOST_CHARACTERS:
        raise Invalid(field="script", problem="is too long to be one")
    script = read_script(text, file=file or "draft.toml", bases=shipped_bases())
    return script, lint_script(script, offered=services.centre.languages)


def script_in(services: Services, version: Version) -> Script:
    """A version's script with the centre's names, read from the file that it was drafted from, so that a finding can
    name its line.
    """
    bases = {name: (base[0], base[1]) for name, base in version.bases.items()}
    script = read_script(version.source, file=version.file, bases=bases)
    return with_names(script, services.rendered_scripts.names)


_SHOWN = 20
_REASON_LENGTH = 500


class NotApproved(Refusal):
    """The version cannot be approved because of findings; each names its file, node and line."""

    def __init__(self, *, script_id: str, number: int, findings: Sequence[LintFinding]) -> None:
        lines = [finding.text for finding in findings[:_SHOWN]]
        if len(findings) > _SHOWN:
            lines.append(Text("... and %(n)s more", n=len(findings) - _SHOWN))
        super().__init__(
            Text(
                "version %(number)s of %(script)s cannot be approved, %(count)s findings:\n  %(findings)s",
                number=number,
                script=script_id,
                count=len(findings),
                findings=stacked(lines),
            )
        )
        self.findings = tuple(findings)


class NotRendered(Refusal):
    """The version has prompts without sound. `render` None: no rendering was requested."""

    def __init__(self, *, script_id: str, number: int, missing: int, render: Render | None) -> None:
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


def _progress(render: Render | None) -> Text:
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
class ApprovalSound:
    """The sound that a version would be approved with. `absent`: prompts with text but without a clip."""

    clips: tuple[Clip, ...]
    absent: tuple[str, ...]
    render: Render | None


def approve_script(
    services: Services, actor: Actor, script_id: str, number: int, *, reason: str, goes_live: bool = True
) -> Version:
    """Approves a version. New calls use it within two seconds; calls under way keep theirs. An older version becomes
    live again in the same way. With `goes_live` false it can only be compared in a trial.

    Raises `NotFound`, `Invalid`, `Conflict` for the person who drafted it, `NotRendered` and `NotApproved`.
    """
    why = reason.strip()
    if not why or len(why) > _REASON_LENGTH:
        raise Invalid(field="reason", problem="is empty or too long", fix="why this version, in a few words")
    actor.check_may(Permission.APPROVE)
    with services.store.begin() as tx:
        version = get_script_version(tx, script_id, number)
        require_second_person(tx, actor.name, version.drafted_by)
        sounded = sound_of(tx, version, script := script_in(services, version))
    findings = findings_of(services, version, script, sounded)
    if findings:
        raise NotApproved(script_id=script_id, number=number, findings=findings)
    if sounded.absent or (sounded.render is not None and sounded.render.state.is_open):
        raise NotRendered(
            script_id=script_id, number=number, missing=len(sounded.absent), render=sounded.render
        )
    with services.act(actor, Permission.APPROVE) as act:
        tx = act.tx
        lock_scripts(tx)
        require_second_person(tx, act.by, version.drafted_by)
        approve_script_version(
            tx, version, sounded.clips, approved_by=act.by, reason=why, goes_live=goes_live, now=act.now
        )
        act.audit(
            "script_approve",
            f"script/{script_id}",
            why=why,
            facts={"version": number, "hash": script.version, "goes_live": goes_live},
        )
        approved = get_script_version(tx, script_id, number)
    services.rendered_scripts.refresh()
    return approved


def findings_of(
    services: Services, version: Version, script: Script, sounded: ApprovalSound
) -> tuple[LintFinding, ...]:
    """Everything that keeps a version from being approved, including faults of its sound."""
    # A prompt without sound is in `absent` already.
    wording = [
        finding
        for finding in lint_script(
            script, durations=durations_of(sounded.clips), offered=services.centre.languages
        )
        if finding.rule != "sound"
    ]
    return (*wording, *_broken(services, version, script, sounded.clips))


def sound_of(tx: Tx, version: Version, script: Script) -> ApprovalSound:
    """The sound of the newest finished rendering; without one, what was approved last and what is shipped."""
    render = newest_render(tx, version.id)
    if render is not None and render.state is RenderState.DONE:
        clips = from_plain(render.clips)
    else:
        clips = clips_for(script, shipped_manifest().clips)
        if version.audio_hash:
            clips += spoken_version(tx, version.id, version.audio_hash)[2]
    have = {(clip.language, clip.text) for clip in clips if not clip.slow}
    absent = tuple(
        f"{item.key} ({item.language})"
        for item in prompt_list([script])
        if item.text and (item.language, item.text) not in have
    )
    # One clip for each thing to say, the last one: approved sound is preferred to shipped sound.
    chosen = {
        (clip.language, clip.text, clip.prompt_id, clip.slow, clip.voice == RECORDED): clip for clip in clips
    }
    return ApprovalSound(clips=tuple(chosen.values()), absent=absent, render=render)


@lru_cache(maxsize=4096)
def _problems_of(sha256: str, path: Path) -> tuple[Text, ...]:  # noqa: ARG001  # each content is checked once
    return tuple(sound_flaw(flaw) for flaw in problems(path))


def _broken(services: Services, version: Version, script: Script, clips: Iterable[Clip]) -> list[LintFinding]:
    """A finding for each clip that is missing, not what was rendered, or not fit to be played."""
    nodes = {prompt.id: node for node in script.nodes.values() if (prompt := prompt_of(node)) is not None}
    found: list[LintFinding] = []
    real_now = services.real.now()
    for clip in clips:
        path = services.rendered_scripts.sounds.whole(clip.file, clip.sha256, real_now=real_now)
        missing = (Text("is missing, or not what was rendered"),)
        faults = missing if path is None else _problems_of(clip.sha256, path)
        node = nodes.get(clip.prompt_id)
        for fault in faults:
            text = gettext_noop("its sound in %(language)s (%(file)s) %(fault)s")
            problem = Text(text, language=language_text(clip.language), file=clip.file, fault=fault)
            elsewhere = LintFinding(
                file=version.file, line=0, node=clip.prompt_id, rule="sound", problem=problem
            )
            found.append(at(node, "sound", problem) if node else elsewhere)
    return found
