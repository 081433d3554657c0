"""The sound files of prompts, named by their content, and the manifest that says what each one says."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

PROMPTS = Path(__file__).resolve().parent / "prompts"
"""The shipped prompts."""
MANIFEST = "manifest.json"
RECORDED = "recorded"
"""The voice of a clip that a person spoke; it is preferred to any rendered one."""
_FILE = re.compile(r"^[0-9a-f]{24}\.wav$")


class ManifestUnreadable(Exception):
    """The manifest is missing or is none; `why` is the kind of fault that was met."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{MANIFEST} cannot be read: {why}")
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One prompt in one language as a file. `text` is what the prompt says, before figures are put into words. `slow`
    marks the slower reading for people who do not hear well.
    """

    prompt_id: str
    language: str
    text: str
    text_hash: str
    voice: str
    file: str
    duration_seconds: float
    sha256: str
    slow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """All clips of a folder."""

    folder: Path
    clips: tuple[Clip, ...]

    @classmethod
    def load(cls, folder: Path = PROMPTS) -> Manifest:
        """Raises `ManifestUnreadable`. A folder without prompts has an empty manifest file, not none."""
        try:
            raw = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            clips = tuple(Clip(**entry) for entry in raw["clips"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ManifestUnreadable(type(error).__name__) from error
        return cls(folder=folder, clips=clips)

    def path(self, file: str) -> Path | None:
        """Where a file of this manifest lies; None for a name that is not in it, whatever is on the disk."""
        if not is_file_name(file) or all(clip.file != file for clip in self.clips):
            return None
        return self.folder / file

    def damaged(self) -> tuple[str, ...]:
        """Files that are missing or not what was rendered."""
        wanted = {clip.file: clip.sha256 for clip in self.clips}
        return tuple(sorted(file for file, sha in wanted.items() if sha256_of(self.folder / file) != sha))

    def save(self) -> None:
        """Writes the manifest in a fixed order, so that rendering nothing new changes nothing."""
        body = json.dumps({"clips": to_plain(self.clips)}, ensure_ascii=False, indent=1, sort_keys=True)
        (self.folder / MANIFEST).write_text(body + "\n", encoding="utf-8")


def to_plain(clips: Iterable[Clip]) -> list[dict[str, Any]]:
    """Clips as JSON, each once and in a fixed order."""
    return [
        asdict(clip)
        for clip in sorted(set(clips), key=lambda c: (c.prompt_id, c.language, c.text, c.slow, c.file))
    ]


def from_plain(entries: Iterable[Mapping[str, Any]]) -> tuple[Clip, ...]:
    return tuple(Clip(**entry) for entry in entries)


def audio_hash(clips: Iterable[Clip]) -> str:
    """One SHA-256 of everything that is played: another voice, another take or another recording is another hash."""
    played = [[clip["prompt_id"], clip["language"], clip["text"], clip["sha256"]] for clip in to_plain(clips)]
    return hashlib.sha256(json.dumps(played, ensure_ascii=False).encode()).hexdigest()


def text_hash(text: str) -> str:
    """The first 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def is_file_name(name: str) -> bool:
    """Whether it is the name of a sound file; no other name is ever read from a disk."""
    return _FILE.match(name) is not None


def file_name(*, voice: str, text: str, parameters: Iterable[str]) -> str:
    """The same voice, words and settings always have the same name."""
    key = json.dumps([voice, text, *parameters], ensure_ascii=False)
    return hashlib.sha256(key.encode()).hexdigest()[:24] + ".wav"


def sha256_of(path: Path) -> str:
    """'' for a file that is not there."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
