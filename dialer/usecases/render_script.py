"""Makes the sound of a version prompt by prompt, from where it stands: recordings first, then shipped clips, then a
voice. Each prompt is kept when it is made, so a process that dies costs one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from audio.clips import RECORDED, Clip, to_plain
from audio.render import Item, Unfit, clip_of, installed_voices, make, name_of
from audio.voices import Recordings, Voice
from audio.wave_file import SoundFault
from dialer.domain.script_life import RenderState
from dialer.errors import Refusal
from dialer.language import Text
from dialer.scripts.findings import sound_flaw
from dialer.scripts.prompts import PromptItem, prompt_list
from dialer.store import renders, scripts, sound_files
from dialer.usecases.draft_script import script_in
from dialer.usecases.editions import shipped_manifest
from dialer.usecases.engine import Engine
from dialer.usecases.sounds import put

_LEASE = timedelta(seconds=120)
"""Longer than any one prompt takes; a process that is gone is followed by another after it."""
_TAKES = 3
"""A voice says the same words a little differently each time, so an unfit take is tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Studio:
    """What speaks here."""

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
    engine: Engine,
    render_id: int,
    *,
    studio: Studio,
    for_seconds: float,
    stopping: Callable[[], bool] = lambda: False,
) -> bool:
    """True when it is over, or another process works on it; False when time is up and there is more to do. A prompt
    that cannot be made ends it as failed, with a line that says why.
    """
    folder = engine.editions.sounds.folder
    if folder is None:
        raise Refusal("there is no data folder to keep sound in")
    began = engine.real.now()
    with engine.store.begin() as tx:
        render = renders.take(tx, render_id, real_now=began, lease_until=began + _LEASE)
        if render is None:
            return True
        items = prompt_list([script_in(scripts.version_by_id(tx, render.version_id))])
    clips = list(render.clips)
    for done, item in enumerate(items[render.done :], start=render.done):
        if stopping() or (engine.real.now() - began).total_seconds() >= for_seconds:
            with engine.store.begin() as tx:
                renders.advance(tx, render_id, done=done, clips=clips, lease_until=None)
            return False
        try:
            clip = _clip(engine, item, studio, folder)
        except (SoundFault, OSError) as fault:
            with engine.store.begin() as tx:
                renders.end(
                    tx, render_id, RenderState.FAILED, now=engine.clock.now(), error=_line(item, fault).dump()
                )
            return True
        if clip is not None:
            clips += to_plain([clip])
        with engine.store.begin() as tx:
            lease = engine.real.now() + _LEASE
            renders.advance(tx, render_id, done=done + 1, clips=clips, lease_until=lease)
    with engine.store.begin() as tx:
        renders.end(tx, render_id, RenderState.DONE, now=engine.clock.now())
    return True


def _line(item: PromptItem, fault: SoundFault | OSError) -> Text:
    if isinstance(fault, Unfit):
        return sound_flaw(fault.flaw)
    why = sound_flaw(fault.flaw) if isinstance(fault, SoundFault) else Text("the disk refuses it")
    return Text("%(prompt)s in %(language)s: %(fault)s", prompt=item.key, language=item.language, fault=why)


def _clip(engine: Engine, item: PromptItem, studio: Studio, folder: Path) -> Clip | None:
    asked = Item(key=item.key, language=item.language, text=item.text)
    recorded = studio.recordings.find(item.key, item.language) is not None
    if not recorded:
        if not item.text:
            return None
        shipped = _shipped(item)
        if (
            shipped is not None
            and engine.editions.sounds.missing([shipped], real_now=engine.real.now()) == []
        ):
            return shipped
    name = name_of(asked, voices=studio.voices, recordings=studio.recordings)
    _fetch(engine, folder / name)
    clip = _made(asked, studio, folder)
    return None if clip is None else _kept(engine, asked, clip, folder)


def _fetch(engine: Engine, path: Path) -> None:
    """Another machine may have made it: the same name is the same sound everywhere."""
    if path.is_file():
        return
    with engine.store.begin() as tx:
        body = sound_files.body(tx, path.name)
    if body is not None:
        put(path, body)


def _made(asked: Item, studio: Studio, folder: Path) -> Clip | None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for left in reversed(range(_TAKES)):
        try:
            return make(asked, out=folder, voices=studio.voices, recordings=studio.recordings)
        except Unfit:
            if not left:
                raise
    return None


def _kept(engine: Engine, asked: Item, clip: Clip, folder: Path) -> Clip:
    path = folder / clip.file
    body = path.read_bytes()
    with engine.store.begin() as tx:
        sound_files.keep(tx, {clip.file: (hashlib.sha256(body).hexdigest(), body)})
        kept = sound_files.body(tx, clip.file)
    if kept is None or kept == body:
        return clip
    put(path, kept)
    return clip_of(asked, clip.voice, path)


def _shipped(item: PromptItem) -> Clip | None:
    return next(
        (
            clip
            for clip in shipped_manifest().clips
            if clip.voice != RECORDED and (clip.language, clip.text) == (item.language, item.text)
        ),
        None,
    )
