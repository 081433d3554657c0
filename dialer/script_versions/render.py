"""Renders the sound of a version: the request, its progress, and the work, which a worker does.

It goes prompt by prompt, from where the rendering stopped: recordings first, then shipped clips, then a voice. Each
prompt is stored when it is made, so a process that dies loses at most one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from audio.clips import RECORDED, Clip, from_plain, to_plain
from audio.render import Item, Unfit, clip_of, installed_voices, make, name_of
from audio.voices import Espeak, Recordings, Voice
from audio.wave_file import SoundFault
from dialer.core.access import RELEASED_BY, Actor, Permission
from dialer.core.errors import Refusal
from dialer.core.text import Text
from dialer.core.values import RenderState
from dialer.db.jobs import JobClaim
from dialer.db.system_state import worker_runs
from dialer.db.unit_of_work import Tx
from dialer.runtime.broker import BULK_QUEUE
from dialer.runtime.services import Services
from dialer.script_versions.actions import script_in
from dialer.scripts.lint import sound_flaw
from dialer.scripts.model import Script, language_text
from dialer.scripts.reading import PromptItem, prompt_list, slow_list
from dialer.scripts.rendered import shipped_manifest, write_atomically
from dialer.scripts.store import (
    RENDERS,
    Render,
    Version,
    approve_script_version,
    get_script_version,
    live_scripts,
    lock_scripts,
    newest_render,
    request_render,
    running_script_trials,
    script_version_by_id,
    sound_file_body,
    spoken_version,
    store_sound_files,
    take_render,
)


def start_rendering(services: Services, actor: Actor, script_id: str, number: int) -> Render:
    """Requests that a worker renders every prompt again, with what people have recorded since; one rendering of a
    version at a time. Raises `NotFound`.
    """
    with services.act(actor, Permission.EDIT_SCRIPTS, Permission.CONTROL) as act:
        act.needs_no_record()  # the row of the rendering names who asked for it
        tx = act.tx
        lock_scripts(tx)
        version = get_script_version(tx, script_id, number)
        total = len(_items(script_in(services, version)))
        real_now = services.real.now()
        render = request_render(tx, version.id, total=total, by=act.by, now=act.now, real_now=real_now)
    services.enqueue("render_script", render.id)
    return render


def render_names(services: Services, studio: Studio) -> int:
    """Requests renderings of live scripts that lack sound with the centre's names; returns how many. Until the sound is
    made, the telephone network's voice speaks those sentences; where only espeak-ng is installed, which is harder to
    understand, it keeps doing so. A script under trial is left until the trial has ended.
    """
    began: list[int] = []
    spoken = services.rendered_scripts.now(services.real.now()).live
    with services.store.begin() as tx:
        lock_scripts(tx)
        for live in (live for live in live_scripts(tx).values() if live.script_id in spoken):
            version = script_version_by_id(tx, live.version_id)
            script = script_in(services, version)
            items = prompt_list([script])
            clips = spoken_version(tx, version.id, live.audio_hash)[2]
            have = {(clip.language, clip.text) for clip in clips if not clip.slow}
            missing = {
                item.language for item in items if item.text and (item.language, item.text) not in have
            }
            voices = (voice for voice in studio.voices if not isinstance(voice, Espeak))
            speak = {language for voice in voices for language in voice.languages()}
            if missing and missing <= speak and _is_live(tx, version):
                now, real_now, total = services.clock.now(), services.real.now(), len(_items(script))
                render = request_render(
                    tx, version.id, total=total, by=RELEASED_BY, now=now, real_now=real_now
                )
                began.append(render.id)
    for render_id in began:
        services.enqueue("render_script", render_id)
    return len(began)


def rendering(services: Services, script_id: str, number: int) -> Render | None:
    """The newest rendering of a version; None before the first. Raises `NotFound`."""
    with services.store.begin() as tx:
        return newest_render(tx, get_script_version(tx, script_id, number).id)


def has_render_worker(services: Services) -> bool:
    """Whether a worker that renders sound is running."""
    with services.store.begin() as tx:
        return worker_runs(tx, BULK_QUEUE, real_now=services.real.now())


_LEASE = timedelta(seconds=120)
"""Longer than any one prompt takes; after it another process takes over from one that has died."""
_TAKES = 3
"""A voice says the same words a little differently each time, so an unfit take is tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Studio:
    """The voices and recordings that a rendering uses."""

    voices: Sequence[Voice]
    recordings: Recordings

    @classmethod
    def of(cls, data_dir: Path) -> Studio:
        """The voices that are installed, and the clips that people have put into the data folder."""
        return cls(
            voices=installed_voices(data_dir / "voices"),
            recordings=Recordings(folder=data_dir / "recordings"),
        )


def render_script(
    services: Services,
    render_id: int,
    *,
    studio: Studio,
    for_seconds: float,
    stopping: Callable[[], bool] = lambda: False,
) -> bool:
    """Renders the prompts of a request. True when the rendering is over or another process works on it, False when the
    time is up and there is more to do. A prompt that cannot be made ends the rendering as failed, with the reason; a
    slow reading that cannot be made is left out. A rendering that was requested because of the centre's names goes
    live, since people have approved the words.
    """
    folder = services.rendered_scripts.sounds.folder
    if folder is None:
        raise Refusal("there is no data folder to keep sound in")
    began = services.real.now()
    with services.store.begin() as tx:
        taken = take_render(tx, render_id, now=services.clock.now(), real_now=began, lease=_LEASE)
        if taken is None:
            return True
        render, claim = taken
        version = script_version_by_id(tx, render.version_id)
        items = _items(script_in(services, version))
    clips = list(render.clips)
    for done, item in enumerate(items[render.done :], start=render.done):
        if stopping() or (services.real.now() - began).total_seconds() >= for_seconds:
            with services.store.begin() as tx:
                RENDERS.hand_back(tx, claim, due=services.real.now(), done=done, clips=clips)
            return False
        try:
            clip = _clip(services, item, studio, folder)
        except (SoundFault, OSError) as fault:
            clip = None
            if not item.slow:
                with services.store.begin() as tx:
                    _end(tx, services, claim, RenderState.FAILED, error=_failure(item, fault).dump())
                return True
        if clip is not None:
            clips += to_plain([clip])
        with services.store.begin() as tx:
            until = services.real.now() + _LEASE
            if not RENDERS.advance(tx, claim, until=until, done=done + 1, clips=clips):
                return True
    with services.store.begin() as tx:
        lock_scripts(tx)
        if not _end(tx, services, claim, RenderState.DONE):
            return True
        if render.asked_by == RELEASED_BY and _is_live(tx, version):
            _release(tx, version, clips, now=services.clock.now())
    services.rendered_scripts.refresh()
    return True


def _release(tx: Tx, version: Version, clips: list[Mapping[str, Any]], *, now: datetime) -> None:
    """Approves a version of which people have approved the words: only the names in them are new."""
    approve_script_version(
        tx,
        version,
        from_plain(clips),
        approved_by=RELEASED_BY,
        reason="names of the centre",
        goes_live=True,
        now=now,
    )


def _end(tx: Tx, services: Services, claim: JobClaim, state: RenderState, *, error: str = "") -> bool:
    """Ends the rendering; False if another process has taken it over."""
    now = services.clock.now()
    return RENDERS.finish(tx, claim, state=state.value, ended_at=now, error=error, lease_until=None)


def _is_live(tx: Tx, version: Version) -> bool:
    live = live_scripts(tx)
    live_version = live.get(version.script_id)
    in_trial = any(script_id == version.script_id for script_id, _ in running_script_trials(tx, live))
    return live_version is not None and live_version.version_id == version.id and not in_trial


def _items(script: Script) -> tuple[PromptItem, ...]:
    return (*prompt_list([script]), *slow_list([script]))


def _failure(item: PromptItem, fault: SoundFault | OSError) -> Text:
    if isinstance(fault, Unfit):
        return sound_flaw(fault.flaw)
    why = sound_flaw(fault.flaw) if isinstance(fault, SoundFault) else Text("the disk refuses it")
    return Text(
        "%(prompt)s in %(language)s: %(fault)s",
        prompt=item.key,
        language=language_text(item.language),
        fault=why,
    )


def _clip(services: Services, item: PromptItem, studio: Studio, folder: Path) -> Clip | None:
    asked = Item(key=item.key, language=item.language, text=item.text, slow=item.slow)
    if studio.recordings.find(item.key, item.language) is None:
        if not item.text:
            return None
        shipped = _shipped(item)
        sounds = services.rendered_scripts.sounds
        if shipped is not None and not sounds.missing([shipped], real_now=services.real.now()):
            return shipped
    name = name_of(asked, voices=studio.voices, recordings=studio.recordings)
    if name is not None and not (folder / name).is_file():
        # Another machine may have made it: the same name is the same sound everywhere.
        with services.store.begin() as tx:
            body = sound_file_body(tx, name)
        if body is not None:
            write_atomically(folder / name, body)
    clip = _render_clip(asked, studio, folder)
    return None if clip is None else _store_clip(services, asked, clip, folder)


def _render_clip(asked: Item, studio: Studio, folder: Path) -> Clip | None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for left in reversed(range(_TAKES)):
        try:
            return make(asked, out=folder, voices=studio.voices, recordings=studio.recordings)
        except Unfit:
            if not left:
                raise
    return None


def _store_clip(services: Services, asked: Item, clip: Clip, folder: Path) -> Clip:
    path = folder / clip.file
    body = path.read_bytes()
    with services.store.begin() as tx:
        store_sound_files(tx, {clip.file: (hashlib.sha256(body).hexdigest(), body)})
        kept = sound_file_body(tx, clip.file)
    if kept is None or kept == body:
        return clip
    write_atomically(path, kept)
    return clip_of(asked, clip.voice, path)


def _shipped(item: PromptItem) -> Clip | None:
    spoken = (clip for clip in shipped_manifest().clips if clip.voice != RECORDED)
    wanted = (item.language, item.text, item.slow)
    return next((clip for clip in spoken if (clip.language, clip.text, clip.slow) == wanted), None)
