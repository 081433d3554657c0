"""The engine itself reads a call made of shipped prompts over A-law. Skipped without the extra `hearing`."""

from __future__ import annotations

import json
import re
import time
import warnings
from array import array
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from audio.resample import to_telephone
from audio.sides import read_sides
from audio.wave_file import read_wav
from dialer.core.access import unrestricted
from dialer.core.inspection import Side, TranscriptState
from dialer.quality.actions import read_call
from dialer.quality.hearing import WhisperReader, is_installed
from dialer.quality.transcribing import transcribe_due
from tests.control.scene import Scene
from tests.quality.recorded import alaw_wav, put_recording, silence

PROMPTS = Path(__file__).parents[2] / "audio" / "prompts"
pytestmark = [
    pytest.mark.skipif(not is_installed(), reason="the extra `hearing` is not installed"),
    pytest.mark.long,
]


@pytest.fixture(scope="module")
def reader() -> Iterator[WhisperReader]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with WhisperReader() as made:
            yield made


def spoken() -> list[tuple[str, bytes]]:
    """The longest Chinese prompts, as text and as samples at 8 kHz."""
    plain = json.loads((PROMPTS / "manifest.json").read_text(encoding="utf-8"))["clips"]
    clips = sorted((clip for clip in plain if clip["language"] == "zh"), key=lambda clip: -len(clip["text"]))
    found = []
    for clip in clips[:3]:
        sound = read_wav(PROMPTS / clip["file"])
        found.append((clip["text"], to_telephone(sound.samples, sound.rate_hz).tobytes()))
    return found


def signs(text: str) -> str:
    return re.sub(r"[^\w]", "", text)


def test_the_words_come_with_their_seconds_and_in_simplified_characters(reader: WhisperReader):
    text, sound = spoken()[0]
    ours = silence(2) + sound + silence(1)
    file = read_sides(alaw_wav(silence(len(ours) / 16_000), ours))
    piece = reader.read(file.channels[1], file.rate_hz, side=Side.OURS, begin=100.0)
    assert piece.language == "zh"
    heard = signs("".join(word.text for word in piece.words))
    likeness = SequenceMatcher(None, signs(text), heard, autojunk=False).ratio()
    assert likeness > 0.8, heard
    assert piece.words[0].begin >= 101.5
    assert piece.words[-1].end <= 100 + file.seconds + 0.5
    assert all(0 <= word.confidence <= 1 and word.begin <= word.end for word in piece.words)
    nobody = reader.read(file.channels[0], file.rate_hz, side=Side.PERSON, begin=100.0)
    assert (nobody.words, nobody.speech_seconds) == ((), 0.0)


def test_nothing_at_all_is_no_speech(reader: WhisperReader):
    assert reader.read(b"", 8000, side=Side.OURS, begin=0.0).words == ()
    assert reader.read(array("h", [0] * 8000).tobytes(), 8000, side=Side.OURS, begin=0.0).words == ()


def test_a_recorded_call_is_read_from_its_row(scene: Scene, reader: WhisperReader):
    """The robot speaks two prompts, and the person one between them."""
    (first, warns), (answer, says), (last, ends) = spoken()
    hush = silence(1)
    ours = warns + hush + bytes(len(says)) + hush + ends + hush
    person = bytes(len(warns)) + hush + says + hush + bytes(len(ends)) + hush
    recording_id = put_recording(scene, scene.case(), alaw_wav(person, ours))
    began = time.process_time()
    assert transcribe_due(scene.services, reader) == 1
    used = time.process_time() - began
    shown = read_call(scene.services, unrestricted("chief"), recording_id, reason="review", why="an appeal")
    assert shown.call.state is TranscriptState.READ
    sides = {side: [turn for turn in shown.turns if turn.side is side] for side in Side}
    for side, text in ((Side.PERSON, answer), (Side.OURS, first + last)):
        heard = signs("".join(turn.text for turn in sides[side]))
        likeness = SequenceMatcher(None, signs(text), heard, autojunk=False).ratio()
        print(f"{side}: {likeness:.3f} of {len(signs(text))} characters")
        assert likeness > 0.8, heard
    assert sides[Side.OURS][0].end <= sides[Side.PERSON][0].begin + 0.5
    seconds = len(ours) / 16_000
    print(f"{seconds:.1f} s of sound in {used:.1f} s of a core: {seconds / used:.1f} times as fast")
