"""Rendered scripts: one version of a script with the sound that it was approved with, and where its files are.

A rendered script never changes, so a process reads each once. What is live is read again every two seconds.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType

from audio.clips import PROMPTS, RECORDED, Clip, Manifest, audio_hash, is_file_name, sha256_of
from dialer.core.access import SHIPPED_BY
from dialer.core.errors import DialerError, NotFound, Unavailable
from dialer.core.text import Text
from dialer.core.values import FraudType, Grade, Tag
from dialer.db.unit_of_work import Store
from dialer.scripts.model import Purpose, Script, first_said, prompt_of, with_defaults, with_names
from dialer.scripts.reading import (
    choose_script_id,
    prompt_list,
    read_canonical,
    shipped_scripts,
    slow_list,
)
from dialer.scripts.store import (
    live_scripts,
    running_script_trials,
    script_versions_of,
    sound_file_body,
    spoken_version,
)

_RETRY_AFTER = timedelta(seconds=30)
"""How long a missing file is not looked for again."""


@lru_cache(maxsize=16_384)
def _content_hash(path: str, changed_ns: int, size: int) -> str:  # noqa: ARG001  # read again only when they change
    return sha256_of(Path(path))


class Sounds:
    """The sound files of one process. A file is hashed again only if it has changed on the disk, so that checking it
    before every turn of a call costs next to nothing. Without a folder there are only the shipped files.
    """

    def __init__(self, store: Store, *, folder: Path | None = None, shipped: Path = PROMPTS) -> None:
        self._store = store
        self.folder = folder
        folders = (folder, shipped) if folder is not None else (shipped,)
        # Texts, not paths: this is looked up for every sound of every turn, and joining paths costs more than the look.
        self._folders = tuple(str(folder) for folder in folders)
        self._nowhere: dict[str, datetime] = {}

    def is_whole(self, file: str, sha256: str, *, real_now: datetime) -> bool:
        """Whether the file is there exactly as it was rendered."""
        return self._found(file, sha256, lambda path: _sha256(path) == sha256, real_now) is not None

    def whole(self, file: str, sha256: str, *, real_now: datetime) -> Path | None:
        """The path of the file, exactly as it was rendered; None if it is missing everywhere or damaged."""
        found = self._found(file, sha256, lambda path: _sha256(path) == sha256, real_now)
        return None if found is None else Path(found)

    def path(self, file: str, *, real_now: datetime) -> Path | None:
        """The path of a file with this name, to be served; None if it is missing everywhere."""
        found = self._found(file, "", os.path.isfile, real_now)
        return None if found is None else Path(found)

    def missing(self, clips: Iterable[Clip], *, real_now: datetime) -> list[Clip]:
        """The clips whose file is missing or damaged."""
        return [clip for clip in clips if not self.is_whole(clip.file, clip.sha256, real_now=real_now)]

    def _found(
        self, file: str, sha256: str, is_good: Callable[[str], bool], real_now: datetime
    ) -> str | None:
        if not is_file_name(file):
            return None
        for folder in self._folders:
            if is_good(path := f"{folder}/{file}"):
                return path
        return self._fetched(file, sha256, real_now)

    def _fetched(self, file: str, sha256: str, real_now: datetime) -> str | None:
        """Copies the file from the database: another machine may have rendered it, or this one's disk was replaced."""
        if self.folder is None or self._nowhere.get(file, real_now) > real_now:
            return None
        with self._store.begin() as tx:
            body = sound_file_body(tx, file)
        if body is None or (sha256 and hashlib.sha256(body).hexdigest() != sha256):
            self._nowhere[file] = real_now + _RETRY_AFTER
            return None
        path = self.folder / file
        with suppress(OSError):
            write_atomically(path, body)
        return str(path) if _sha256(str(path)) == hashlib.sha256(body).hexdigest() else None


def _sha256(path: str) -> str:
    """The SHA-256 of the content; '' if it cannot be read."""
    try:
        found = os.stat(path)  # noqa: PTH116  # a Path costs more than the look
        return _content_hash(path, found.st_mtime_ns, found.st_size)
    except OSError:
        return ""


def write_atomically(path: Path, body: bytes) -> None:
    """Writes a file atomically: a reader sees all of it or no file. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_suffix(f".{hashlib.sha256(body).hexdigest()[:8]}.partial")
    partial.write_bytes(body)
    partial.replace(path)


_FRESH = timedelta(seconds=2)
_POINTS = 2.0**64


@dataclass(frozen=True, kw_only=True)
class RenderedScript:
    """A script with its sound. `version_id` None: a shipped script in a database without versions."""

    script: Script
    clips: tuple[Clip, ...]
    version_id: int | None = None
    number: int = 0

    @cached_property
    def audio_hash(self) -> str:
        """The hash of the sounds of all clips: equal for the same sounds."""
        return audio_hash(self.clips)

    @cached_property
    def files_by_text(self) -> Mapping[tuple[str, str], str]:
        """The sound file of each text, by language and text."""
        return self._spoken(slow=False)

    @cached_property
    def slow_files_by_text(self) -> Mapping[tuple[str, str], str]:
        """The slow sound file of each text, by language and text; only texts of `slow_list` have one."""
        return self._spoken(slow=True)

    def _spoken(self, *, slow: bool) -> Mapping[tuple[str, str], str]:
        return {
            (clip.language, clip.text): clip.file
            for clip in self.clips
            if clip.voice != RECORDED and clip.slow is slow
        }

    @cached_property
    def recordings(self) -> Mapping[tuple[str, str], str]:
        """The file that a person recorded, by language and prompt."""
        return {(clip.language, clip.prompt_id): clip.file for clip in self.clips if clip.voice == RECORDED}

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The languages in which every prompt has its sound."""
        items = prompt_list([self.script])
        spoken, recorded = self.files_by_text, self.recordings
        return tuple(
            language
            for language in self.script.languages
            if all(
                (language, item.key) in recorded or (language, item.text) in spoken
                for item in items
                if item.language == language
            )
        )

    def voices_of(self, own: str) -> tuple[str, ...]:
        """The languages that a call in the language `own` speaks: only that one if its sound is complete, else also its
        fallbacks.
        """
        return (own,) if own in self.languages else self.script.voices_of(own)

    def offers(self, languages: Iterable[str], own: str) -> tuple[str, ...]:
        """The languages that a call in the language `own` can offer by key: those with complete sound that it does not
        speak anyway.
        """
        return tuple(code for code in languages if code in self.languages and code not in self.voices_of(own))

    @cached_property
    def seconds(self) -> Mapping[str, float]:
        """The length in seconds of each file."""
        return {clip.file: clip.duration_seconds for clip in self.clips}

    @cached_property
    def sha256(self) -> Mapping[str, str]:
        """The SHA-256 of each file."""
        return {clip.file: clip.sha256 for clip in self.clips}


@cache
def shipped_manifest() -> Manifest:
    """The sounds that are shipped with the program, read once in a process."""
    return Manifest.load()


def clips_for(script: Script, clips: Iterable[Clip]) -> tuple[Clip, ...]:
    """The clips that a script can play; if two say the same, the one of the script's own prompt."""
    items = prompt_list([script])
    texts = {(item.language, item.text) for item in items}
    names = {(item.language, item.key) for item in items}
    slowly = {(item.language, item.text) for item in slow_list([script])}
    found = [
        clip
        for clip in clips
        if (
            (clip.language, clip.prompt_id) in names
            if clip.voice == RECORDED
            else (clip.language, clip.text) in (slowly if clip.slow else texts)
        )
    ]
    own = {
        (clip.language, clip.text, clip.slow) for clip in found if (clip.language, clip.prompt_id) in names
    }
    return tuple(
        clip
        for clip in found
        if (clip.language, clip.prompt_id) in names or (clip.language, clip.text, clip.slow) not in own
    )


class RenderedScriptMissing(DialerError):
    """A call was placed with words that this process cannot find: a fault of ours, not of the request."""

    def __init__(self, *, script_id: str, version_id: int | None) -> None:
        if version_id is None:
            super().__init__(Text("script %(script)s is not here", script=script_id))
        else:
            super().__init__(
                Text("script %(script)s in version %(id)s is not here", script=script_id, id=version_id)
            )


def shipped_script(
    script_id: str, names: Mapping[str, Mapping[str, str]] = MappingProxyType({})
) -> RenderedScript:
    """A shipped script with all of its sound, whichever names that says. Raises `RenderedScriptMissing`."""
    script = shipped_scripts().get(script_id)
    if script is None:
        raise RenderedScriptMissing(script_id=script_id, version_id=None)
    prompts = {(item.language, item.key) for item in prompt_list([script])}
    clips = (clip for clip in shipped_manifest().clips if (clip.language, clip.prompt_id) in prompts)
    return RenderedScript(script=with_names(script, names), clips=tuple(clips))


def durations_of(clips: Iterable[Clip]) -> Mapping[tuple[str, str], float]:
    """The seconds of the sound at the usual pace, by language and text."""
    return {(clip.language, clip.text): clip.duration_seconds for clip in clips if not clip.slow}


_CHARACTERS_PER_SECOND = {"zh": 4.0, "en": 13.0}


def seconds_before_question(
    names: Mapping[str, Mapping[str, str]], language: str, *, is_recorded: bool = False
) -> float:
    """Seconds until the first question if the shipped scripts say these names, of the script that takes longest; with
    `is_recorded`, in a recorded call. If no shipped sound says the names, the nearest shipped sound counts, corrected
    for the difference in characters.
    """
    clips = {(clip.language, clip.text): clip for clip in shipped_manifest().clips if not clip.slow}
    latest = 0.0
    for script in shipped_scripts().values():
        for run in first_said(script, script.start):
            prompts = [prompt for node in run[:-1] if (prompt := prompt_of(node))]
            if is_recorded and script.recorded is not None:
                prompts[0] = script.recorded
            seconds = 0.0
            for prompt in prompts:
                wanted = with_defaults(with_names(script, names), prompt.texts[language], language)
                clip = clips.get((language, wanted)) or min(
                    (
                        clip
                        for clip in clips.values()
                        if (clip.language, clip.prompt_id) == (language, prompt.id)
                    ),
                    key=lambda clip: (abs(len(clip.text) - len(wanted)), clip.file),
                )
                more = len(wanted) - len(clip.text)
                seconds += clip.duration_seconds + more / _CHARACTERS_PER_SECOND[language]
            latest = max(latest, seconds)
    return latest


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveScripts:
    """The scripts that are live at one moment, and the running trials."""

    read_at: datetime
    live: Mapping[str, RenderedScript]
    """The live version of each script, by its id."""
    shares: Mapping[tuple[str, str], Mapping[int, float]] = field(default_factory=dict)
    """Running trials: the share of each version by its number, by script and grade ('' is any)."""
    versions: Mapping[tuple[str, int], RenderedScript] = field(default_factory=dict)
    """The versions that trials compare, by script and number."""

    def for_call(
        self,
        fraud_type: FraudType,
        tags: Iterable[Tag],
        *,
        grade: Grade,
        person_id: int,
        purpose: Purpose = Purpose.WARNING,
    ) -> RenderedScript:
        """The script for a call. The same person hears the same version as long as a trial's shares stay the same."""
        script_id = choose_script_id(
            fraud_type, tags, purpose, among={name: e.script for name, e in self.live.items()}
        )
        chosen = self.live[script_id]
        shares = self.shares.get((script_id, grade.value)) or self.shares.get((script_id, ""))
        if not shares:
            return chosen
        number = draw_version(shares, f"{script_id}/{person_id}")
        return self.versions.get((script_id, number), chosen)


def draw_version(shares: Mapping[int, float], key: str) -> int:
    """The version number for a key: always the same, and each version as often as its share says. When shares change,
    only as many keys as necessary move to another version (weighted rendezvous hashing).
    """

    def rank(number: int) -> float:
        digest = hashlib.blake2b(f"{key}/{number}".encode(), digest_size=8).digest()
        point = (int.from_bytes(digest) + 0.5) / _POINTS
        return -math.log(point) / shares[number]

    return min((number for number in sorted(shares) if shares[number] > 0), key=rank)


class RenderedScripts:
    """The scripts that this process can speak. It sees an approval of another process within two seconds."""

    def __init__(
        self,
        store: Store,
        *,
        sounds: Sounds | None = None,
        names: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self._store = store
        self.sounds = sounds or Sounds(store)
        self.names = names or {}
        """The centre's own words for the variables of every script, by variable and language."""
        self._known: dict[tuple[str, int | None, str], RenderedScript] = {}
        self._choice: LiveScripts | None = None

    def of(self, script_id: str, version_id: int | None, audio_hash: str) -> RenderedScript:
        """The script that an attempt was placed with, whatever is live now. Raises `RenderedScriptMissing`."""
        key = (script_id, version_id, audio_hash)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = (
                shipped_script(script_id, self.names)
                if version_id is None
                else self._version(script_id, version_id, audio_hash)
            )
        return known

    def _version(self, script_id: str, version_id: int, audio_hash: str) -> RenderedScript:
        try:
            with self._store.begin() as tx:
                number, canonical, clips = spoken_version(tx, version_id, audio_hash)
        except NotFound as fault:
            raise RenderedScriptMissing(script_id=script_id, version_id=version_id) from fault
        script = with_names(read_canonical(canonical), self.names)
        return RenderedScript(script=script, clips=clips, version_id=version_id, number=number)

    def now(self, real_now: datetime) -> LiveScripts:
        """What is live now; while the database does not answer, what was live when it last did."""
        choice = self._choice
        if choice is not None and real_now - choice.read_at < _FRESH and real_now >= choice.read_at:
            return choice
        try:
            self._choice = self._read(real_now)
        except Unavailable:
            if choice is None:
                raise
            return choice
        return self._choice

    def refresh(self) -> None:
        """Makes the next call of `now` read what is live, even within the two seconds."""
        self._choice = None

    def _read(self, real_now: datetime) -> LiveScripts:
        with self._store.begin() as tx:
            live_rows = live_scripts(tx)
            shares = running_script_trials(tx, live_rows)
            wanted = {(script_id, number) for (script_id, _), weights in shares.items() for number in weights}
            compared = {
                (found.script_id, found.number): found
                for script_id in {script_id for script_id, _ in wanted}
                for found in script_versions_of(tx, script_id)
                if (found.script_id, found.number) in wanted and found.approvals
            }
        live = {script_id: self.of(script_id, None, "") for script_id in shipped_scripts()} | {
            script_id: self.of(script_id, row.version_id, row.audio_hash)
            for script_id, row in live_rows.items()
            # A script that the product no longer ships is spoken only if a centre wrote it.
            if script_id in shipped_scripts() or row.drafted_by != SHIPPED_BY
        }
        versions = {
            key: self.of(found.script_id, found.id, found.audio_hash) for key, found in compared.items()
        }
        return LiveScripts(
            read_at=real_now,
            live=MappingProxyType(live),
            shares=MappingProxyType(shares),
            versions=MappingProxyType(versions),
        )
