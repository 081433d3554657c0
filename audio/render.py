"""Renders a list of prompts into a folder of WAV files with a manifest.

    python -m audio.render ITEMS.json [--out DIR] [--styles DIR] [--recordings DIR] [--speaker zh=NAME]
        [--again KEY] [--keep]

ITEMS.json is a list of {"key", "language", "text"}. What is already there under the same name is not made again,
and what no item needs any more is removed, so that running it twice changes nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from audio import compose
from audio.check import problems
from audio.clips import PROMPTS, RECORDED, Clip, Manifest, ManifestUnreadable, file_name, text_hash
from audio.kokoro import DEFAULT_SPEAKERS, DEFAULT_SPEEDS, Kokoro
from audio.spoken import as_spoken, pieces
from audio.voices import Espeak, Recordings, Voice, voice_for
from audio.wave_file import Flaw, Sound, SoundFault, read_wav, wav_bytes

COMPOSING = "compose-2"
"""Changed when `compose` makes another sound of the same speech, so that every prompt is rendered again."""
MOST_DIGITS_A_SECOND = 4.0
"""Of a telephone number: at more, a listener who does not know it writes down a wrong one."""
_MOST_SLOWER = 5
_SENTENCE_END = re.compile(r"(?<=[。！？])(?![。！？])|(?<=[.!?])(?=\s)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One prompt to render; `key` is its name in the scripts. `slow` asks for the slower reading."""

    key: str
    language: str
    text: str
    slow: bool = False


class Unfit(SoundFault):
    """A prompt was made but must not be played: the first thing that is wrong with it."""


def render(
    items: Sequence[Item],
    *,
    out: Path,
    voices: Sequence[Voice],
    recordings: Recordings | None = None,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
    prune: bool = True,
    again: frozenset[str] = frozenset(),
) -> Manifest:
    """Every item has its file and its place in the manifest. Raises `VoiceMissing`, `NoSound` or `Unfit`.

    Prompts named in `again` are spoken anew: a voice says the same words a little differently each time.
    """
    out.mkdir(parents=True, exist_ok=True)
    clips: list[Clip] = []
    removed: set[str] = set()
    for done, item in enumerate(items):
        progress(done, len(items))
        if item.key in again:
            name = name_of(item, voices=voices, recordings=recordings)
            if name is not None and name not in removed:
                (out / name).unlink(missing_ok=True)
                removed.add(name)
        clip = make(item, out=out, voices=voices, recordings=recordings)
        if clip is not None:
            clips.append(clip)
    progress(len(items), len(items))
    manifest = Manifest(folder=out, clips=tuple(dict.fromkeys(clips)))
    manifest.save()
    if prune:
        needed = {clip.file for clip in manifest.clips}
        for path in out.glob("*.wav"):
            if path.name not in needed:
                path.unlink()
    return manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class _Take:
    """One way to say an item: whose voice, under which file name, and how its parts are spoken."""

    voice: str
    file: str
    speak: Callable[[], list[Sound]]


def _take(item: Item, voices: Sequence[Voice], recordings: Recordings | None) -> _Take | None:
    """A recording is preferred to any voice. None for an empty text without a recording."""
    recorded = recordings.find(item.key, item.language) if recordings else None
    if recorded is not None:
        digest = hashlib.sha256(recorded.pcm).hexdigest()
        name = file_name(voice=RECORDED, text=digest, parameters=(item.language, COMPOSING))
        return _Take(voice=RECORDED, file=name, speak=lambda: [recorded])
    if not item.text:
        return None
    voice = voice_for(item.language, voices, slow=item.slow)
    spoken = as_spoken(item.text, item.language)
    has_number = any(count for _, count in pieces(spoken, item.language))
    pace = (f"digits={MOST_DIGITS_A_SECOND}",) if has_number else ()
    parameters = (item.language, *voice.parameters, *pace, COMPOSING)
    return _Take(
        voice=voice.name,
        file=file_name(voice=voice.name, text=spoken, parameters=parameters),
        speak=lambda: [_said(voice, sentence, item.language) for sentence in sentences(spoken)],
    )


def _said(voice: Voice, sentence: str, language: str) -> Sound:
    """The sentence; a telephone number in it by itself, and no faster than it can be written down."""
    parts = pieces(sentence, language)
    if not any(count for _, count in parts):
        return voice.say(sentence, language)
    return compose.phrase(
        [
            _number(voice, text, count, language) if count else voice.say(text, language)
            for text, count in parts
        ]
    )


def _number(voice: Voice, text: str, digits: int, language: str) -> Sound:
    sound = voice.say(text, language)
    for _ in range(_MOST_SLOWER):
        if digits <= MOST_DIGITS_A_SECOND * compose.speech_seconds(sound):
            break
        voice = voice.slower()
        sound = voice.say(text, language)
    return sound


def make(
    item: Item, *, out: Path, voices: Sequence[Voice], recordings: Recordings | None = None
) -> Clip | None:
    """The item's file, made unless it is there. None for an empty text without a recording. Raises `VoiceMissing`,
    `NoSound` or `Unfit`.
    """
    take = _take(item, voices, recordings)
    if take is None:
        return None
    path = out / take.file
    if not path.is_file():
        _write(path, item, compose.prompt(take.speak()))
    return clip_of(item, take.voice, path)


def name_of(item: Item, *, voices: Sequence[Voice], recordings: Recordings | None = None) -> str | None:
    """The file name that `make` gives the item; None where it makes none. Raises `VoiceMissing` or `NoSound`."""
    take = _take(item, voices, recordings)
    return take.file if take is not None else None


def sentences(text: str) -> tuple[str, ...]:
    """The sentences of a text, each with its closing mark."""
    return tuple(piece for found in _SENTENCE_END.split(text) if (piece := found.strip()))


def _write(path: Path, item: Item, sound: Sound) -> None:
    body = wav_bytes(sound)
    wrong = problems(body)
    if wrong:
        place = {"prompt": item.key, "language": item.language}
        raise Unfit(Flaw("%(prompt)s in %(language)s: %(fault)s", **place, fault=wrong[0]))
    partial = path.with_suffix(".partial")
    partial.write_bytes(body)
    partial.replace(path)


def clip_of(item: Item, voice: str, path: Path) -> Clip:
    """The file at `path` as the clip of this item. Raises `NoSound`."""
    body = path.read_bytes()
    return Clip(
        prompt_id=item.key,
        language=item.language,
        text=item.text,
        text_hash=text_hash(item.text),
        voice=voice,
        file=path.name,
        duration_seconds=round(read_wav(body).seconds, 3),
        sha256=hashlib.sha256(body).hexdigest(),
        slow=item.slow,
    )


def read_items(text: str) -> tuple[Item, ...]:
    """`slow` may be left out. Raises `ValueError` with one clear line."""
    raw = json.loads(text)
    if not isinstance(raw, list) or not all(isinstance(entry, dict) for entry in raw):
        raise ValueError("the items must be a list of objects with key, language and text")
    try:
        return tuple(
            Item(
                key=entry["key"],
                language=entry["language"],
                text=entry["text"],
                slow=entry.get("slow") is True,
            )
            for entry in raw
        )
    except KeyError as error:
        raise ValueError(f"an item has no {error.args[0]}") from error


def default_voices(styles: Path, speakers: Iterable[str] = ()) -> tuple[Voice, ...]:
    """Kokoro for Mandarin and English, espeak-ng behind it. `speakers` are `language=name` choices."""
    chosen = dict(DEFAULT_SPEAKERS) | dict(choice.split("=", 1) for choice in speakers)
    named = [
        Kokoro(language=language, speaker=speaker, styles=styles, speed=DEFAULT_SPEEDS.get(language, 1.0))
        for language, speaker in chosen.items()
    ]
    return (*named, Espeak())


def installed_voices(styles: Path) -> tuple[Voice, ...]:
    """As `default_voices`, without those whose parts are not all here."""
    return tuple(
        voice for voice in default_voices(styles) if not isinstance(voice, Kokoro) or voice.is_installed()
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every item has its file; 2 with one line on stderr otherwise."""
    parser = argparse.ArgumentParser(prog="python -m audio.render")
    parser.add_argument("items", type=Path)
    parser.add_argument("--out", type=Path, default=PROMPTS)
    parser.add_argument("--styles", type=Path, default=Path("var/voices"))
    parser.add_argument("--recordings", type=Path)
    parser.add_argument("--speaker", action="append", default=[], metavar="LANGUAGE=NAME")
    parser.add_argument("--again", action="append", default=[], metavar="KEY", help="speak this prompt anew")
    parser.add_argument("--keep", action="store_true", help="leave files that no item needs")
    chosen = parser.parse_args(arguments)
    try:
        manifest = render(
            read_items(chosen.items.read_text(encoding="utf-8")),
            out=chosen.out,
            voices=default_voices(chosen.styles, chosen.speaker),
            recordings=Recordings(folder=chosen.recordings) if chosen.recordings else None,
            progress=_show,
            prune=not chosen.keep,
            again=frozenset(chosen.again),
        )
    except (OSError, ValueError, SoundFault, ManifestUnreadable) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    seconds = sum({clip.file: clip.duration_seconds for clip in manifest.clips}.values())
    sys.stdout.write(f"{len(manifest.clips)} prompts, {seconds:.0f} s of speech\n")
    return 0


def _show(done: int, total: int) -> None:
    sys.stderr.write(f"\r{done}/{total}" + ("\n" if done == total else ""))
    sys.stderr.flush()


if __name__ == "__main__":
    raise SystemExit(main())
