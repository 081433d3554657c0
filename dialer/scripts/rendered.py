"""Rendered scripts: one version of a script with the sound that it was approved with, and where the files lie.

A rendered script never changes, so a process reads each once. What is live is read again every other second.
"""

from __future__ import annotations

import hashlib
import math
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
from dialer.core.values import FraudType, Grade, Tag
from dialer.db.unit_of_work import Store
from dialer.language import Text
from dialer.scripts.model import Purpose, Script, first_said, named, prompt_of, with_defaults
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

_LOOK_AGAIN = timedelta(seconds=30)
"""How long a file that is nowhere is not asked for again."""


@lru_cache(maxsize=16_384)
def _content_hash(path: Path, changed_ns: int, size: int) -> str:  # noqa: ARG001  # read again only when they change
    return sha256_of(path)


class Sounds:
    """The files of one process. What was read once is read again only when it has changed on the disk, so that asking
    before every turn of a call costs next to nothing. Without a folder there are only the shipped files.
    """

    def __init__(self, store: Store, *, folder: Path | None = None, shipped: Path = PROMPTS) -> None:
        self._store = store
        self.folder = folder
        self._folders = (folder, shipped) if folder is not None else (shipped,)
        self._nowhere: dict[str, datetime] = {}

    def whole(self, file: str, sha256: str, *, real_now: datetime) -> Path | None:
        """Where the file lies just as it was rendered; None when it is missing everywhere, or broken."""
        return self._found(file, sha256, lambda path: _sha256(path) == sha256, real_now)

    def path(self, file: str, *, real_now: datetime) -> Path | None:
        """Where a file of this name lies, to be sent to the caller of its address."""
        return self._found(file, "", Path.is_file, real_now)

    def missing(self, clips: Iterable[Clip], *, real_now: datetime) -> list[Clip]:
        """Those of them whose file is missing or broken."""
        return [clip for clip in clips if self.whole(clip.file, clip.sha256, real_now=real_now) is None]

    def _found(
        self, file: str, sha256: str, is_good: Callable[[Path], bool], real_now: datetime
    ) -> Path | None:
        if not is_file_name(file):
            return None
        near = (folder / file for folder in self._folders)
        return next(filter(is_good, near), None) or self._fetched(file, sha256, real_now)

    def _fetched(self, file: str, sha256: str, real_now: datetime) -> Path | None:
        """Another machine may have rendered it, or this one's disk was replaced."""
        if self.folder is None or self._nowhere.get(file, real_now) > real_now:
            return None
        with self._store.begin() as tx:
            body = sound_file_body(tx, file)
        if body is None or (sha256 and hashlib.sha256(body).hexdigest() != sha256):
            self._nowhere[file] = real_now + _LOOK_AGAIN
            return None
        path = self.folder / file
        with suppress(OSError):
            put(path, body)
        return path if _sha256(path) == hashlib.sha256(body).hexdigest() else None


def _sha256(path: Path) -> str:
    """Of the content; '' when it cannot be read."""
    try:
        found = path.stat()
        return _content_hash(path, found.st_mtime_ns, found.st_size)
    except OSError:
        return ""


def put(path: Path, body: bytes) -> None:
    """Writes a file atomically: a reader sees all of it or no file. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_suffix(f".{hashlib.sha256(body).hexdigest()[:8]}.partial")
    partial.write_bytes(body)
    partial.replace(path)


_FRESH = timedelta(seconds=2)
_POINTS = 2.0**64


@dataclass(frozen=True, kw_only=True)
class RenderedScript:
    """`version_id` None: a shipped script in a database that knows no versions yet."""

    script: Script
    clips: tuple[Clip, ...]
    version_id: int | None = None
    number: int = 0

    @cached_property
    def audio_hash(self) -> str:
        """Hash of the sounds of all clips: the same sounds, the same hash."""
        return audio_hash(self.clips)

    @cached_property
    def by_text(self) -> Mapping[tuple[str, str], str]:
        """Language and text to the file that says it."""
        return self._spoken(slow=False)

    @cached_property
    def slow_by_text(self) -> Mapping[tuple[str, str], str]:
        """Language and text to the file that says it slowly; only what `slow_list` names has one."""
        return self._spoken(slow=True)

    def _spoken(self, *, slow: bool) -> Mapping[tuple[str, str], str]:
        return {
            (clip.language, clip.text): clip.file
            for clip in self.clips
            if clip.voice != RECORDED and clip.slow is slow
        }

    @cached_property
    def recordings(self) -> Mapping[tuple[str, str], str]:
        """Language and prompt to the file that a person spoke."""
        return {(clip.language, clip.prompt_id): clip.file for clip in self.clips if clip.voice == RECORDED}

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """Those in which every prompt has its sound."""
        items = prompt_list([self.script])
        spoken, recorded = self.by_text, self.recordings
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
        """What is spoken in a call in the language `own`: that, and what replaces it where it lacks sound."""
        return (own,) if own in self.languages else self.script.voices_of(own)

    def offers(self, languages: Iterable[str], own: str) -> tuple[str, ...]:
        """Those of them that a call in the language `own` may offer by key: others, with all of their sound."""
        return tuple(one for one in languages if one in self.languages and one not in self.voices_of(own))

    @cached_property
    def seconds(self) -> Mapping[str, float]:
        """By file."""
        return {clip.file: clip.duration_seconds for clip in self.clips}

    @cached_property
    def sha256(self) -> Mapping[str, str]:
        """By file."""
        return {clip.file: clip.sha256 for clip in self.clips}


@cache
def shipped_manifest() -> Manifest:
    """The sounds that come with the program, read once in a process."""
    return Manifest.load()


def clips_for(script: Script, clips: Iterable[Clip]) -> tuple[Clip, ...]:
    """Those of them that a script can play; where two say the same, the one of the script's own prompt."""
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
    """With all of its shipped sound, whatever names that says. Raises `RenderedScriptMissing`."""
    script = shipped_scripts().get(script_id)
    if script is None:
        raise RenderedScriptMissing(script_id=script_id, version_id=None)
    prompts = {(item.language, item.key) for item in prompt_list([script])}
    clips = (clip for clip in shipped_manifest().clips if (clip.language, clip.prompt_id) in prompts)
    return RenderedScript(script=named(script, names), clips=tuple(clips))


def durations_of(clips: Iterable[Clip]) -> Mapping[tuple[str, str], float]:
    """Language and text to the seconds that its sound lasts, spoken at the usual pace."""
    return {(clip.language, clip.text): clip.duration_seconds for clip in clips if not clip.slow}


_SIGNS_PER_SECOND = {"zh": 4.0, "en": 13.0}


def seconds_before_question(
    names: Mapping[str, Mapping[str, str]], language: str, *, is_recorded: bool = False
) -> float:
    """When the first question of a shipped script begins if it says these names, at the latest of all scripts; with
    `is_recorded` in a recorded call. Where no shipped sound says them, the shipped sound counts, and the signs that the
    names have more or less.
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
                wanted = with_defaults(named(script, names), prompt.texts[language], language)
                clip = clips.get((language, wanted)) or min(
                    (one for one in clips.values() if (one.language, one.prompt_id) == (language, prompt.id)),
                    key=lambda one: (abs(len(one.text) - len(wanted)), one.file),
                )
                more = len(wanted) - len(clip.text)
                seconds += clip.duration_seconds + more / _SIGNS_PER_SECOND[language]
            latest = max(latest, seconds)
    return latest


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is live at one moment."""

    read_at: datetime
    live: Mapping[str, RenderedScript]
    """By script."""
    shares: Mapping[tuple[str, str], Mapping[int, float]] = field(default_factory=dict)
    """Running trials: script and grade ('' is any) to the share of each version, by its number."""
    versions: Mapping[tuple[str, int], RenderedScript] = field(default_factory=dict)
    """What a trial compares, by script and number."""

    def for_call(
        self,
        fraud_type: FraudType,
        tags: Iterable[Tag],
        *,
        grade: Grade,
        person_id: int,
        purpose: Purpose = Purpose.WARNING,
    ) -> RenderedScript:
        """The same person hears the same version for as long as a trial's shares stay."""
        script_id = choose_script_id(
            fraud_type, tags, purpose, among={name: e.script for name, e in self.live.items()}
        )
        chosen = self.live[script_id]
        shares = self.shares.get((script_id, grade.value)) or self.shares.get((script_id, ""))
        if not shares:
            return chosen
        number = drawn(shares, f"{script_id}/{person_id}")
        return self.versions.get((script_id, number), chosen)


def drawn(shares: Mapping[int, float], key: str) -> int:
    """The version number for a key: always the same, each as often as its share says. When shares change, only the keys
    that must move do (weighted rendezvous hashing).
    """

    def rank(number: int) -> float:
        digest = hashlib.blake2b(f"{key}/{number}".encode(), digest_size=8).digest()
        point = (int.from_bytes(digest) + 0.5) / _POINTS
        return -math.log(point) / shares[number]

    return min((number for number in sorted(shares) if shares[number] > 0), key=rank)


class RenderedScripts:
    """What this process may speak. Another process's approval is seen here within two seconds."""

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
        self._choice: Choice | None = None

    def of(self, script_id: str, version_id: int | None, audio_hash: str) -> RenderedScript:
        """What an attempt was placed with, whatever is live by now. Raises `RenderedScriptMissing`."""
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
        script = named(read_canonical(canonical), self.names)
        return RenderedScript(script=script, clips=clips, version_id=version_id, number=number)

    def now(self, real_now: datetime) -> Choice:
        """What is live. While the database does not answer, what was live when it last did."""
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
        """The next question reads what is live, also within the two seconds."""
        self._choice = None

    def _read(self, real_now: datetime) -> Choice:
        with self._store.begin() as tx:
            standing = live_scripts(tx)
            shares = running_script_trials(tx, standing)
            wanted = {(script_id, number) for (script_id, _), weights in shares.items() for number in weights}
            compared = {
                (found.script_id, found.number): found
                for script_id in {script_id for script_id, _ in wanted}
                for found in script_versions_of(tx, script_id)
                if (found.script_id, found.number) in wanted and found.approvals
            }
        live = {script_id: self.of(script_id, None, "") for script_id in shipped_scripts()} | {
            script_id: self.of(script_id, one.version_id, one.audio_hash)
            for script_id, one in standing.items()
            # A script that the product no longer ships is spoken only if a centre wrote it.
            if script_id in shipped_scripts() or one.drafted_by != SHIPPED_BY
        }
        versions = {
            key: self.of(found.script_id, found.id, found.audio_hash) for key, found in compared.items()
        }
        return Choice(
            read_at=real_now,
            live=MappingProxyType(live),
            shares=MappingProxyType(shares),
            versions=MappingProxyType(versions),
        )
