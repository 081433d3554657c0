"""Spoken answers through the whole path: the sound of an answer on a telephone line, the line's detector, which decides
where speech begins and ends, the carrier's own recogniser, and the meaning of answers.

    python -m bench.hearing [--detector] [--styles var/voices] [--clips var/answers] [--rendered] [--voices NAME,...]
        [--cache FILE] [--fit] [--write bench/hearing.md]

The lines are those of `bench.line`. The detector alone is measured with parts of the shipped prompts and needs no
extra. The whole path needs `hearing` (the recogniser) and `speech` (the voices); `--rendered` takes only the answers
whose sound is in `--clips` already, and needs no voices. Each phrase is spoken by each voice in answer to its question,
and so is talk that answers nothing. *Right* is what the same words do as text; *wrong* leads to another step of the
call; the rest is asked again. `--fit` prints the weights by which the carrier is certain, from the answers of every
other voice.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from audio import compose
from audio.kokoro import Kokoro
from audio.spoken import as_spoken
from audio.wave_file import wav_bytes
from bench.line import LINES, Line, arrival, find, parts_of_prompts, prompt_of, shipped_prompts
from carrier.lines.sound import telephone_samples, wav_of
from carrier.speech_input import Recognised
from carrier.whisper import (
    Fit,
    WhisperRecogniser,
    choose_phrase,
    features,
    is_installed,
)
from dialer.scripts.answers import Heard, Understood, interpret_answer
from dialer.scripts.dialogue import Context, Position, advance
from dialer.scripts.model import Ask, Script, Target
from dialer.scripts.reading import shipped_scripts

WRONG_AIM = 0.005
AGAIN_AIM = 0.15
SECONDS_AIM = 1.5
VOICES = (
    "zf_xiaobei", "zf_xiaoni", "zf_xiaoxiao", "zf_xiaoyi", "zm_yunjian", "zm_yunxi", "zm_yunxia", "zm_yunyang",
)  # fmt: skip
FITTED = VOICES[0::2]
"""The voices whose answers gave the weights."""
WITHIN_FRAMES = 15
"""0.3 s: a begin or an end is found if it is no further off."""
FOUND_AIM = 0.85
FALSE_AIM = 0.01
PARTS = 200
_LANGUAGE = "cmn-Hans-CN"
ANSWERS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("general", "identity"): (
        "是", "是的", "是我", "对", "我是本人", "机主", "嗯", "不是", "不是我", "打错了", "听不懂",
    ),
    ("general", "scene"): (
        "有", "有的", "是", "是的", "没有", "没有人", "没转", "不是", "听得清",
        "已经转了", "我已经转了", "已经转账", "我转了五千", "人工", "找警察", "再说一遍", "重听",
    ),
    ("general", "acknowledge"): (
        "明白", "明白了", "知道了", "听明白了", "好的", "行", "嗯", "不转了", "不信", "我不信", "不相信",
        "你是骗子", "转人工", "再听一遍",
    ),
    ("general", "guardian"): ("我是家长", "家长在听", "家长不在", "不在"),
    ("follow_up", "scene"): ("有", "没有", "没有上当", "我知道是骗子"),
    ("follow_up", "acknowledge"): ("明白了", "不需要再回访", "别再打了"),
}  # fmt: skip
"""What people say to each question, by script and node."""
GREETINGS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("general", "identity"): ("喂", "喂喂", "喂你好", "你好", "谁啊", "哪位", "你是谁"),
    ("general", "scene"): ("喂", "你好", "谁啊", "哪位"),
}
"""What people say who have not listened yet."""
OFF_LIST = (
    "今天天气不错", "我在开车等一会儿", "你是哪个单位的", "我孙子的手机我不会用", "信号不好听不见",
    "我在医院排队呢", "你等一下我去关火", "你说的是什么钱", "快递放门口就行", "我要去接孩子了",
    "我家老头子出去了", "中午吃什么饭", "啊", "干什么", "等一下", "不知道",
)  # fmt: skip
"""Talk that answers no question; each is said to one of the first three questions in turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """Words said to a question: an answer, a greeting, or neither."""

    script: Script
    node: Ask
    words: str
    answers: bool
    greets: bool = False


def sayings() -> Iterator[Saying]:
    scripts = shipped_scripts()

    def one(place: tuple[str, str], words: str, *, answers: bool = False, greets: bool = False) -> Saying:
        script = scripts[place[0]]
        node = script.nodes[place[1]]
        assert isinstance(node, Ask)
        return Saying(script=script, node=node, words=words, answers=answers, greets=greets)

    for place, phrases in ANSWERS.items():
        for words in phrases:
            yield one(place, words, answers=True)
        for words in GREETINGS.get(place, ()):
            yield one(place, words, greets=True)
    asked = list(ANSWERS)[:3]
    for number, words in enumerate(OFF_LIST):
        yield one(asked[number % len(asked)], words)


def hints_of(saying: Saying) -> tuple[str, ...]:
    """The phrases that the question's Gather gives to the recogniser."""
    turn = advance(saying.script, Position(node=saying.node.id), Heard.silence(), Context(language="zh"))
    assert turn.ask is not None
    return tuple(dict.fromkeys(turn.ask.hints))


def outcome(saying: Saying, told: Recognised | None) -> str:
    """ "right", "wrong" or "again"."""
    heard = Heard.said(told.text, told.confidence) if told else Heard.silence()
    got = interpret_answer(saying.script, saying.node, heard, ("zh",))
    if _leads_on(got) != _leads_on(
        interpret_answer(saying.script, saying.node, Heard.said(saying.words), ("zh",))
    ):
        return "wrong" if _leads_on(got) else "again"
    if saying.greets:
        return "right" if got.is_greeting else "again"
    return "right" if saying.answers and (got.choice or got.wants_key) else "again"


def _leads_on(understood: Understood) -> str:
    """The key that is followed; '' where the question is asked again, also for its key."""
    choice = understood.choice
    return choice.key if choice and choice.next != Target.REPEAT else ""


@dataclass(slots=True)
class Detection:
    """What the detector alone found on one line, of `answers`; `frames` without an answer; `false`: those of them that
    count as a voice.
    """

    line: Line
    answers: int = 0
    begins: int = 0
    ends: int = 0
    frames: int = 0
    false: int = 0
    seconds: float = 0.0
    used: float = 0.0

    @property
    def is_poor(self) -> bool:
        found = min(self.begins, self.ends) / self.answers
        return found < FOUND_AIM or self.false / self.frames > FALSE_AIM


def detect(line: Line, count: int = PARTS) -> Detection:
    """Parts of the shipped prompts as answers on this line."""
    made, prompts = Detection(line), shipped_prompts()
    for number, said in enumerate(parts_of_prompts(count, seed=1)):
        arrived = arrival(said, prompts[number % len(prompts)], line, seed=number)
        began = time.process_time()
        found = find(arrived)
        made.used += time.process_time() - began
        made.seconds += len(found.voices) / 50
        made.answers += 1
        if found.said:
            made.begins += abs(found.begins - arrived.begins) <= WITHIN_FRAMES
            made.ends += abs(found.ends - arrived.ends) <= WITHIN_FRAMES
        before = found.voices[: arrived.begins - 5]
        made.frames += len(before)
        made.false += sum(before)
    return made


def clip_of(words: str, voice: Kokoro, clips: Path) -> Path:
    """Where the clip of these words is kept."""
    name = hashlib.sha256(f"{words} {voice.speaker} {voice.speed}".encode()).hexdigest()[:24]
    return clips / f"{name}.wav"


def spoken(words: str, voice: Kokoro, clips: Path) -> bytes:
    """The samples of these words; their clip is made where it is missing."""
    path = clip_of(words, voice, clips)
    if not path.is_file():
        path.write_bytes(wav_bytes(compose.prompt([voice.say(as_spoken(words, "zh"), "zh")])))
    return telephone_samples(path.read_bytes())


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One saying of one voice on one line; `seconds` are of one core."""

    saying: Saying
    voice: str
    line: str
    fits: tuple[Fit, ...]
    told: Recognised | None
    outcome: str
    seconds: float


class Ear:
    """The carrier's recogniser. With a `cache`, a sound is listened to once for the same phrases."""

    def __init__(self, cache: Path | None = None) -> None:
        self._cache = cache
        self._known: dict[str, dict[str, Any]] = {}
        if cache is not None and cache.is_file():
            lines = cache.read_text(encoding="utf-8").splitlines()
            self._known = {one["sound"]: one for one in map(json.loads, lines)}
        self._recogniser = WhisperRecogniser(threads=1)
        self._is_loaded = False

    def fits(self, wav: bytes, hints: tuple[str, ...]) -> tuple[tuple[Fit, ...], float]:
        """How well each phrase fits, and the seconds of one core that it took."""
        sound = hashlib.sha256(wav + "|".join(hints).encode()).hexdigest()
        if sound not in self._known:
            if not self._is_loaded:
                self._recogniser.load()
                self._is_loaded = True
            began = time.process_time()
            found = self._recogniser.fits(wav, hints=hints, language=_LANGUAGE)
            took = time.process_time() - began
            self._known[sound] = {"sound": sound, "took": took, "fits": [asdict(one) for one in found]}
            if self._cache is not None:
                with self._cache.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(self._known[sound], ensure_ascii=False) + "\n")
        known = self._known[sound]
        fits = tuple(Fit(**{**one, "heard": tuple(one["heard"])}) for one in known["fits"])
        return fits, float(known["took"])


def measure(
    styles: Path, clips: Path, voices: Sequence[str], ear: Ear, *, rendered: bool = False
) -> Iterator[Result]:
    """Every saying of every voice on every line; `rendered`: those alone whose clip is there."""
    clips.mkdir(parents=True, exist_ok=True)
    for number, saying in enumerate(sayings()):
        hints = hints_of(saying)
        for speaker in voices:
            voice = Kokoro(language="zh", speaker=speaker, styles=styles)
            if rendered and not clip_of(saying.words, voice, clips).is_file():
                continue
            said = spoken(saying.words, voice, clips)
            for line in LINES:
                found = find(arrival(said, prompt_of(saying.node.prompt.id), line, seed=number))
                fits, seconds = ear.fits(wav_of(found.said), hints) if found.said else ((), 0.0)
                told = choose_phrase(fits)
                yield Result(
                    saying=saying,
                    voice=speaker,
                    line=line.name,
                    fits=fits,
                    told=told,
                    outcome=outcome(saying, told),
                    seconds=seconds,
                )


def weights(results: Sequence[Result], *, ridge: float = 1.0, rounds: int = 50) -> tuple[float, ...]:
    """A logistic regression with a ridge on values of unit spread: whether the phrase that fits best is right."""
    numpy = importlib.import_module("numpy")
    known = [one for one in results if one.fits and one.voice in FITTED]
    rows = numpy.array([features(one.fits) for one in known])
    best = [max(one.fits, key=lambda fit: fit.score).phrase for one in known]
    sure = [Recognised(text=phrase, confidence=1.0) for phrase in best]
    right = numpy.array(
        [float(outcome(one.saying, told) == "right") for one, told in zip(known, sure, strict=True)]
    )
    middle, spread = rows.mean(axis=0), rows.std(axis=0)
    middle[0], spread[0] = 0.0, 1.0
    scaled = (rows - middle) / spread
    found = numpy.zeros(rows.shape[1])
    for _ in range(rounds):
        chance = 1 / (1 + numpy.exp(-scaled @ found))
        slope = scaled.T @ (right - chance) - ridge * found
        bend = (scaled * (chance * (1 - chance) + 1e-6)[:, None]).T @ scaled + ridge * numpy.eye(len(found))
        found = found + numpy.linalg.solve(bend, slope)
    found = found / spread
    found[0] -= float((middle[1:] * found[1:]).sum())
    return tuple(round(float(one), 2) for one in found)


def certain(results: Sequence[Result], found: Sequence[float]) -> float:
    """The lowest probability, in hundredths, from which on nothing is taken for another step of the call with these
    weights.
    """
    known = [one for one in results if one.voice in FITTED]
    for hundredth in range(99, 0, -1):
        told = [choose_phrase(one.fits, weights=found, certain=hundredth / 100) for one in known]
        if any(outcome(one.saying, said) == "wrong" for one, said in zip(known, told, strict=True)):
            return (hundredth + 1) / 100
    return 0.0


def shares(results: Sequence[Result]) -> tuple[float, float]:
    """Wrong among all of them, and asked again among the answers."""
    answers = [one for one in results if one.saying.answers]
    wrong = sum(one.outcome == "wrong" for one in results)
    again = sum(one.outcome == "again" for one in answers)
    return wrong / max(len(results), 1), again / max(len(answers), 1)


_HALVES = (
    ("the voices that the weights were fitted on", True),
    ("the voices that they have not seen", False),
)


def _half(name: str, results: Sequence[Result]) -> str:
    wrong, again = shares(results)
    return f"- {name}: {len(results)} utterances, wrong {wrong:.2%}, asked again {again:.1%}"


def misses(results: Sequence[Result]) -> bool:
    """Whether an aim is missed."""
    wrong, again = shares(results)
    slowest = sorted(one.seconds for one in results)[len(results) * 95 // 100]
    return wrong > WRONG_AIM or again > AGAIN_AIM or slowest > SECONDS_AIM


def page(detections: Sequence[Detection], results: Sequence[Result]) -> str:
    lines = [
        "# Spoken answers, heard",
        "",
        "`python -m bench.hearing --write bench/hearing.md`. The lines: clean; the noise of a street, made from a",
        "seed, 20, 15 and 10 dB below the voice; 3 % of the packets lost; and our own prompt that comes back after",
        "120 ms, 20 dB below, and is spoken until the middle of the answer. All of it is 8 kHz A-law.",
        "",
        "## The detector alone",
        "",
        f"{detections[0].answers} parts of the shipped prompts as answers, 0.4 to 1.6 s long. Begin and end: within",
        f"0.3 s of those of the clean sound; aim {FOUND_AIM:.0%}. No answer: frames before the answer, of noise,",
        f"silence or echo, that count as a voice; aim {FALSE_AIM:.0%} at most. Time: of a core, for a second.",
        "",
        "| line | begin | end | no answer | time |",
        "|---|---|---|---|---|",
        *(
            f"| {one.line.name} | {one.begins / one.answers:.1%} | {one.ends / one.answers:.1%} "
            f"| {one.false / one.frames:.2%} | {one.used / one.seconds * 1000:.1f} ms |"
            for one in detections
        ),
        "",
        "## The whole path",
        "",
    ]
    if not results:
        return "\n".join(
            [*lines, "Not measured: the extra `hearing` or the sound of the answers was missing.", ""]
        )
    return "\n".join([*lines, *_whole_path(results)]) + "\n"


def _whole_path(results: Sequence[Result]) -> list[str]:
    answers = [one for one in results if one.saying.answers]
    greetings = [one for one in results if one.saying.greets]
    talk = [one for one in results if not one.saying.answers and not one.saying.greets]
    greeted = Counter(one.outcome for one in greetings)
    seconds = sorted(one.seconds for one in results)
    wrong, again = shares(results)
    words = {(one.saying.node.id, one.saying.words) for one in answers}
    idle, voices = len({one.saying.words for one in talk}), ", ".join({one.voice: "" for one in results})
    middle, late = seconds[len(seconds) // 2], seconds[len(seconds) * 95 // 100]
    lines = [
        f"{len(words)} answers to the questions of the shipped scripts, greetings, and {idle} sentences that answer",
        f"nothing, spoken by {voices}. What the detector cuts out goes to the carrier's recogniser (Whisper base,",
        "int8) with the question's own phrases. *Right* is what the same words do as text, *wrong* leads to another",
        "step of the call, *again* is asked again.",
        f"Aims: wrong at most {WRONG_AIM:.1%}, again at most {AGAIN_AIM:.0%}, {SECONDS_AIM} s of one core for each.",
        "",
        f"- {len(results)} utterances: wrong {wrong:.2%}; of {len(answers)} answers asked again {again:.1%}",
        (
            f"- {len(greetings)} greetings, after which the question begins again: {greeted['right']} understood, "
            f"{greeted['again']} not, {greeted['wrong']} taken for an answer (counted as wrong above)"
        ),
        f"- seconds of one core: median {middle:.2f}, 95 of 100 within {late:.2f}, longest {seconds[-1]:.2f}",
        *(
            _half(name, half)
            for name, is_fitted in _HALVES
            if (half := [one for one in results if (one.voice in FITTED) is is_fitted])
        ),
        "",
        "Synthetic voices only: a spoken answer alone never makes a success or says who somebody is; a key does.",
        "",
        "| line | answers right | wrong | again | talk ignored | talk taken for an answer |",
        "|---|---|---|---|---|---|",
    ]
    for line in LINES:
        said = Counter(one.outcome for one in answers if one.line == line.name)
        ignored = Counter(one.outcome for one in talk if one.line == line.name)
        lines.append(
            f"| {line.name} | {said['right']} | {said['wrong']} | {said['again']} "
            f"| {ignored['again']} | {ignored['wrong']} |"
        )
    lines += ["", "| voice | right | wrong | again |", "|---|---|---|---|"]
    for voice in dict.fromkeys(one.voice for one in results):
        said = Counter(one.outcome for one in answers if one.voice == voice)
        lines.append(f"| {voice} | {said['right']} | {said['wrong']} | {said['again']} |")
    lines += ["", "| question | words | right | wrong | again |", "|---|---|---|---|---|"]
    for node, one_said in dict.fromkeys((one.saying.node.id, one.saying.words) for one in results):
        said = Counter(
            one.outcome for one in results if (one.saying.node.id, one.saying.words) == (node, one_said)
        )
        lines.append(f"| {node} | {one_said} | {said['right']} | {said['wrong']} | {said['again']} |")
    return lines


def main() -> int:
    """0 when the aims are met, 1 when not."""
    parser = argparse.ArgumentParser(prog="python -m bench.hearing")
    parser.add_argument("--detector", action="store_true", help="measure the detector alone")
    parser.add_argument("--styles", type=Path, default=Path("var/voices"))
    parser.add_argument(
        "--clips", type=Path, default=Path("var/answers"), help="where spoken answers are kept"
    )
    parser.add_argument("--rendered", action="store_true", help="only answers whose sound is kept there")
    parser.add_argument("--voices", default=",".join(VOICES))
    parser.add_argument("--cache", type=Path, metavar="FILE", help="how well phrases fitted before, by sound")
    parser.add_argument("--fit", action="store_true", help="print the weights of half of the voices")
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    detections = [detect(line) for line in LINES]
    results: list[Result] = []
    if not options.detector and is_installed():
        ear = Ear(options.cache)
        for one in measure(
            options.styles, options.clips, options.voices.split(","), ear, rendered=options.rendered
        ):
            results.append(one)
            if one.outcome == "wrong" or (one.outcome == "again") is (
                one.saying.answers or one.saying.greets
            ):
                sys.stderr.write(
                    f"{one.outcome}: {one.voice} {one.line} {one.saying.node.id} {one.saying.words} -> {one.told}\n"
                )
    if options.fit:
        found = weights(results)
        sys.stdout.write(f"weights: {found}, certain from {certain(results, found)}\n")
    text = page(detections, results)
    if options.write:
        options.write.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    is_poor = any(one.is_poor for one in detections) or (bool(results) and misses(results))
    return 1 if is_poor else 0


if __name__ == "__main__":
    raise SystemExit(main())
