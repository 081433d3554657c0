"""The renderer: what is made, what is kept, what is refused, and who speaks."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from audio.clips import Manifest, ManifestUnreadable
from audio.kokoro import Kokoro
from audio.render import MOST_DIGITS_A_SECOND, Item, Unfit, main, read_items, render, sentences
from audio.voices import Espeak, Recordings, VoiceMissing, voice_for
from audio.wave_file import NoSound, Sound, read_wav, wav_bytes

Make = Callable[..., Sound]


@dataclass(kw_only=True)
class Humming:
    """A voice that hums as long as the words are, and remembers what it was asked to say."""

    make: Make
    name: str = "humming"
    speed: float = 1.0
    said: list[str] = field(default_factory=list)

    @property
    def parameters(self) -> tuple[str, ...]:
        return (f"speed={self.speed}",)

    def languages(self) -> frozenset[str]:
        return frozenset({"zh"})

    def say(self, spoken: str, language: str) -> Sound:
        self.said.append(spoken)
        return self.make((0.5 + 0.05 * len(spoken)) / self.speed)

    def slower(self) -> Humming:
        return replace(self, speed=round(0.85 * self.speed, 2))


@pytest.fixture
def voice(tone: Make) -> Humming:
    return Humming(make=tone)


ITEM = Item(key="common.goodbye", language="zh", text="谢谢您。有事拨打96110！")


def test_every_sentence_is_said_by_itself_with_its_figures_in_words(voice: Humming, tmp_path: Path):
    manifest = render([ITEM], out=tmp_path, voices=[voice])
    assert list(dict.fromkeys(voice.said)) == ["谢谢您。", "有事拨", "打九六幺幺零！"]
    (clip,) = manifest.clips
    assert (clip.prompt_id, clip.text, clip.voice) == ("common.goodbye", ITEM.text, "humming")
    assert clip.duration_seconds > 1.5
    assert manifest.damaged() == ()


def test_a_telephone_number_is_said_slowly_enough_to_write_it_down(voice: Humming, tmp_path: Path):
    """The voice would say six syllables in 0.85 s; it is asked to speak slower until they take 1.5 s."""
    (plain,) = render([replace(ITEM, text="谢谢您。有事拨打！")], out=tmp_path / "a", voices=[voice]).clips
    voice.said.clear()
    (clip,) = render([ITEM], out=tmp_path / "b", voices=[voice]).clips
    assert voice.said.count("有事拨") == 1
    assert voice.said.count("打九六幺幺零！") > 2
    breath = 0.2
    assert clip.duration_seconds > plain.duration_seconds + breath + 5 / MOST_DIGITS_A_SECOND - 0.1


def test_nothing_is_made_twice_and_nothing_changes(voice: Humming, tmp_path: Path):
    render([ITEM], out=tmp_path, voices=[voice])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    said = len(voice.said)
    render([ITEM], out=tmp_path, voices=[voice])
    assert len(voice.said) == said
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_prompt_is_spoken_anew_when_asked(voice: Humming, tmp_path: Path):
    same = Item(key="b.x", language="zh", text=ITEM.text)
    render([ITEM, same], out=tmp_path, voices=[voice])
    render([ITEM, same], out=tmp_path, voices=[voice], again=frozenset({"b.x", ITEM.key}))
    assert voice.said.count("谢谢您。") == 2
    render([ITEM, same], out=tmp_path, voices=[voice], again=frozenset({"another"}))
    assert voice.said.count("谢谢您。") == 2


def test_another_speed_or_another_word_is_another_file_and_the_old_one_goes(voice: Humming, tmp_path: Path):
    first = render([ITEM], out=tmp_path, voices=[voice]).clips[0].file
    voice.speed = 0.9
    second = render([ITEM], out=tmp_path, voices=[voice]).clips[0].file
    other = Item(key=ITEM.key, language="zh", text="谢谢您。")
    third = render([other], out=tmp_path, voices=[voice]).clips[0].file
    assert len({first, second, third}) == 3
    assert [path.name for path in tmp_path.glob("*.wav")] == [third]


def test_prompts_that_say_the_same_share_a_file(voice: Humming, tmp_path: Path):
    manifest = render([ITEM, Item(key="b.x", language="zh", text=ITEM.text)], out=tmp_path, voices=[voice])
    assert len(manifest.clips) == 2
    assert len({clip.file for clip in manifest.clips}) == 1


def test_a_recording_is_preferred_and_needs_no_text(voice: Humming, tone: Make, tmp_path: Path):
    folder = tmp_path / "recordings" / "mn"
    folder.mkdir(parents=True)
    (folder / "common.goodbye.wav").write_bytes(wav_bytes(tone(1.0, rate_hz=44100)))
    slot = Item(key="common.goodbye", language="mn", text="")
    unspoken = Item(key="common.opening", language="mn", text="")
    manifest = render(
        [ITEM, slot, unspoken],
        out=tmp_path / "out",
        voices=[voice],
        recordings=Recordings(folder=tmp_path / "recordings"),
    )
    assert [(c.language, c.voice) for c in manifest.clips] == [("zh", "humming"), ("mn", "recorded")]
    assert [c.prompt_id for c in manifest.clips if c.language == "mn"] == ["common.goodbye"]


def test_a_recording_that_is_no_sound_is_refused(voice: Humming, tmp_path: Path):
    (tmp_path / "zh").mkdir()
    (tmp_path / "zh" / "common.goodbye.wav").write_bytes(b"not a sound")
    with pytest.raises(NoSound):
        render([ITEM], out=tmp_path / "out", voices=[voice], recordings=Recordings(folder=tmp_path))


def test_what_sounds_wrong_is_not_kept(tone: Make, quiet: Make, tmp_path: Path):
    holed = tone(0.5).pcm + quiet(3.0).pcm + tone(0.5).pcm
    voice = Humming(make=lambda _seconds: Sound(pcm=holed, rate_hz=24000))
    with pytest.raises(Unfit, match="pauses"):
        render([ITEM], out=tmp_path, voices=[voice])
    assert list(tmp_path.glob("*.wav")) == []


def test_progress_reaches_the_end(voice: Humming, tmp_path: Path):
    seen: list[tuple[int, int]] = []
    render([ITEM], out=tmp_path, voices=[voice], progress=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 1), (1, 1)]


def test_a_language_that_no_voice_speaks(voice: Humming, tmp_path: Path):
    with pytest.raises(VoiceMissing, match="no voice speaks mn"):
        render([Item(key="a", language="mn", text="x")], out=tmp_path, voices=[voice])
    with pytest.raises(VoiceMissing):
        voice_for("zh", [])


def test_a_voice_without_its_parts_says_so(tmp_path: Path):
    with pytest.raises(VoiceMissing):
        Kokoro(language="zh", speaker="nobody", styles=tmp_path).say("您好", "zh")


def test_espeak_is_named_as_the_last_resort():
    assert Espeak().name == "espeak-ng"
    assert Espeak().languages() in (frozenset(), frozenset({"zh", "en"}))


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("您好。请按一；请按二。再见！", ("您好。", "请按一；请按二。", "再见！")),
        (
            "Hello, officer. Press one, or ring 1.5 times. Bye",
            ("Hello, officer.", "Press one, or ring 1.5 times.", "Bye"),
        ),
        ("", ()),
    ],
)
def test_sentences(text: str, pieces: tuple[str, ...]):
    assert sentences(text) == pieces


def test_a_long_text_of_stops_takes_no_longer_than_its_length():
    """It took 60 seconds: 50,000 stops, looked at from each of them."""
    begun = time.process_time()
    assert sentences("." * 50_000) == ("." * 50_000,)
    assert sentences("字" + "。" * 50_000 + "字") == ("字" + "。" * 50_000, "字")
    assert time.process_time() - begun < 5


class TestCommand:
    def test_items_that_are_none_are_one_line_and_exit_2(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ):
        for body in ("{", "{}", "[1]", '[{"key": "a"}]'):
            (tmp_path / "items.json").write_text(body)
            assert main([str(tmp_path / "items.json"), "--out", str(tmp_path / "out")]) == 2
            error = capsys.readouterr().err
            assert error.count("\n") == 1
            assert "Traceback" not in error

    def test_no_items_leave_an_empty_manifest(self, tmp_path: Path):
        (tmp_path / "items.json").write_text("[]")
        assert main([str(tmp_path / "items.json"), "--out", str(tmp_path / "out")]) == 0
        assert Manifest.load(tmp_path / "out").clips == ()

    def test_items_are_read(self):
        body = json.dumps([{"key": "a", "language": "zh", "text": "您好"}])
        assert read_items(body) == (Item(key="a", language="zh", text="您好"),)


class TestManifest:
    def test_damage_is_seen(self, voice: Humming, tmp_path: Path):
        manifest = render([ITEM], out=tmp_path, voices=[voice])
        (path,) = tmp_path.glob("*.wav")
        path.write_bytes(path.read_bytes()[:-2] + b"xx")
        assert manifest.damaged() == (path.name,)
        path.unlink()
        assert manifest.damaged() == (path.name,)

    def test_only_its_own_files_are_served(self, voice: Humming, tmp_path: Path):
        manifest = render([ITEM], out=tmp_path, voices=[voice])
        file = manifest.clips[0].file
        (tmp_path / ("0" * 24 + ".wav")).write_bytes(b"other")
        assert manifest.path(file) == tmp_path / file
        for other in ("manifest.json", "../secret.wav", "0" * 24 + ".wav", ""):
            assert manifest.path(other) is None

    def test_text_and_length_are_found(self, voice: Humming, tmp_path: Path):
        render([ITEM], out=tmp_path, voices=[voice])
        loaded = Manifest.load(tmp_path)
        assert [(clip.language, clip.text) for clip in loaded.clips] == [("zh", ITEM.text)]
        assert loaded.clips[0].duration_seconds == pytest.approx(
            read_wav(tmp_path / loaded.clips[0].file).seconds, abs=0.001
        )

    @pytest.mark.parametrize("body", ["", "{}", '{"clips": [{"file": "x"}]}', "[]"])
    def test_one_that_is_none_is_refused(self, tmp_path: Path, body: str):
        (tmp_path / "manifest.json").write_text(body)
        with pytest.raises(ManifestUnreadable):
            Manifest.load(tmp_path)
