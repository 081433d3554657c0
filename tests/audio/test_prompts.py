"""The committed prompts: every one of every script is there, says the very text, and is fit to be heard."""

from __future__ import annotations

import pytest

from audio.check import problems
from audio.clips import PROMPTS, Clip, Manifest, text_hash
from dialer.runtime.sections import CentreSettings
from dialer.scripts.dialogue import Context, start
from dialer.scripts.inbound import inbound_list
from dialer.scripts.lint import good_path_seconds, lint_script
from dialer.scripts.reading import shipped_list, shipped_scripts
from dialer.scripts.rendered import RenderedScript

MANIFEST = Manifest.load()
DURATIONS = {(clip.language, clip.text): clip.duration_seconds for clip in MANIFEST.clips if not clip.slow}
MOST_BYTES = 19_000_000


@pytest.mark.parametrize("file", sorted({clip.file for clip in MANIFEST.clips}))
def test_format_loudness_silence_and_clipping(file: str):
    assert problems(PROMPTS / file) == ()


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
    assert 35 <= good_path_seconds(shipped_scripts()[script_id], "zh", DURATIONS) <= 60


@pytest.mark.parametrize("language", ["zh", "en", "mn"])
def test_a_call_finds_the_clips(language: str):
    for script in shipped_scripts().values():
        spoken = RenderedScript(script=script, clips=MANIFEST.clips)
        context = Context(language=language, clips=spoken.files_by_text, recordings=spoken.recordings)
        for said in start(script, context).utterances:
            assert said.audio is not None
            assert all(MANIFEST.path(file) is not None for file in said.audio)
