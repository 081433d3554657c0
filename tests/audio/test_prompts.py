"""The committed prompts: every one of every script is there, says the very text, and is fit to be heard."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

import pytest

from audio.check import problems
from audio.clips import PROMPTS, Clip, Manifest, text_hash
from audio.render import MOST_DIGITS_A_SECOND, sentences
from audio.spoken import as_spoken, pieces
from audio.wave_file import read_wav
from dialer.runtime.sections import CentreSettings
from dialer.scripts.dialogue import Context, start
from dialer.scripts.inbound import inbound_list
from dialer.scripts.lint import good_path_seconds, lint_script
from dialer.scripts.reading import shipped_list, shipped_scripts
from dialer.scripts.rendered import RenderedScript

MANIFEST = Manifest.load()
DURATIONS = {(clip.language, clip.text): clip.duration_seconds for clip in MANIFEST.clips if not clip.slow}
MOST_BYTES = 20_000_000


@pytest.mark.parametrize("file", sorted({clip.file for clip in MANIFEST.clips}))
def test_format_loudness_silence_and_clipping(file: str):
    assert problems(PROMPTS / file) == ()


WITH_NUMBERS = [
    clip
    for clip in MANIFEST.clips
    if any(count for _, count in pieces(as_spoken(clip.text, clip.language), clip.language))
]
SLOWEST_DIGITS_A_SECOND = 2.4
_SILENT_SECONDS = 0.18
"""Between parts there is nothing at all for longer than this; a voice that pauses breathes."""


def spoken_seconds(file: str) -> list[float]:
    """How long each stretch of a prompt is that has no silence in it."""
    sound = read_wav(PROMPTS / file)
    least = round(sound.rate_hz * _SILENT_SECONDS)
    stretches, length = [], 0
    for is_silent, run in groupby(sound.samples, key=lambda sample: abs(sample) <= 1):
        count = len(list(run))
        if not is_silent or count < least:
            length += count
        elif length:
            stretches.append(length / sound.rate_hz)
            length = 0
    return [*stretches, length / sound.rate_hz] if length else stretches


def fits(parts: Sequence[tuple[str, int]], stretches: Sequence[float]) -> bool:
    """Whether the stretches can be these parts, each number at a pace at which it is written down. Other parts may have
    pauses of their own, after each of their marks.
    """
    if not parts:
        return not stretches
    (text, digits), rest = parts[0], parts[1:]
    if digits:
        return (
            bool(stretches)
            and SLOWEST_DIGITS_A_SECOND <= digits / stretches[0] <= MOST_DIGITS_A_SECOND + 0.05
            and fits(rest, stretches[1:])
        )
    most = len(re.findall(r"[，：；。！？,:;.!?]", text)) + 1
    return any(fits(rest, stretches[count:]) for count in range(1, most + 1) if count <= len(stretches))


@pytest.mark.parametrize(
    "clip", WITH_NUMBERS, ids=lambda clip: f"{clip.prompt_id}-{clip.language}-{clip.file[:6]}"
)
def test_a_number_is_said_at_most_four_digits_a_second(clip: Clip):
    spoken = as_spoken(clip.text, clip.language)
    parts = [part for sentence in sentences(spoken) for part in pieces(sentence, clip.language)]
    assert fits(parts, spoken_seconds(clip.file)), spoken_seconds(clip.file)


def test_every_number_is_said_twice():
    assert {clip.prompt_id for clip in WITH_NUMBERS} >= {"common.caution", "common.unsure", "common.paid_end"}
    for clip in WITH_NUMBERS:
        spoken = as_spoken(clip.text, clip.language)
        said = [text.strip("打，。,. ") for text, count in pieces(spoken, clip.language) if count]
        assert said[::2] == said[1::2], clip.text


def test_every_prompt_of_every_script_has_its_sound():
    items = [item for item in (*shipped_list(CentreSettings().names()), *inbound_list()) if item.text]
    wanted = {(item.key, item.language, text_hash(item.text), item.slow) for item in items}
    assert wanted == {(clip.prompt_id, clip.language, clip.text_hash, clip.slow) for clip in MANIFEST.clips}


def test_no_file_is_damaged_and_none_is_left_over():
    assert MANIFEST.damaged() == ()
    assert {path.name for path in PROMPTS.glob("*.wav")} == {clip.file for clip in MANIFEST.clips}


def test_the_text_hash_is_of_the_text():
    def honest(clip: Clip) -> bool:
        return clip.text_hash == text_hash(clip.text)

    assert all(honest(clip) for clip in MANIFEST.clips)


def test_nothing_is_spoken_by_the_last_resort():
    assert {clip.voice.split("/")[0] for clip in MANIFEST.clips} == {"kokoro-82m-int8"}


def test_they_stay_small():
    assert sum(path.stat().st_size for path in PROMPTS.glob("*.wav")) < MOST_BYTES


@pytest.mark.parametrize("script_id", sorted(shipped_scripts()))
def test_the_lint_finds_nothing_with_the_real_lengths(script_id: str):
    assert [str(finding) for finding in lint_script(shipped_scripts()[script_id], durations=DURATIONS)] == []


def test_a_slower_reading_is_slower():
    slow = [clip for clip in MANIFEST.clips if clip.slow]
    assert slow
    assert all(clip.duration_seconds > DURATIONS[clip.language, clip.text] for clip in slow)


@pytest.mark.parametrize("script_id", sorted(shipped_scripts()))
def test_a_good_call_takes_as_long_as_a_person_listens(script_id: str):
    assert 35 <= good_path_seconds(shipped_scripts()[script_id], "zh", DURATIONS) <= 65


@pytest.mark.parametrize("language", ["zh", "en", "mn"])
def test_a_call_finds_the_clips(language: str):
    for script in shipped_scripts().values():
        spoken = RenderedScript(script=script, clips=MANIFEST.clips)
        context = Context(language=language, clips=spoken.files_by_text, recordings=spoken.recordings)
        for said in start(script, context).utterances:
            assert said.audio is not None
            assert all(MANIFEST.path(file) is not None for file in said.audio)
