"""The prompts for people who call us. Their sound is rendered with that of the scripts.

The warning comes before any question, and the words are the same for everybody who calls. After a typed number they do
not reveal whether it has an open case.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Final

from dialer.scripts.dialogue import Utterance
from dialer.scripts.reading import PromptItem
from dialer.scripts.rendered import shipped_manifest


class InboundPrompt(StrEnum):
    """A prompt of an inbound call, by its name."""

    OPENING = "opening"
    ASK_NUMBER = "ask_number"
    ASK_AGAIN = "ask_again"
    CONNECTING = "connecting"
    PLACE_1 = "place_1"
    PLACE_2 = "place_2"
    PLACE_3 = "place_3"
    PLACE_MORE = "place_more"
    STILL_BUSY = "still_busy"
    CALL_BACK = "call_back"
    NO_OFFICER = "no_officer"
    TEST_CALL = "test_call"
    """Spoken in a call of `dialer trunk call`."""
    RECORDED = "recorded"
    """Spoken before a call from a desk and an inbound call that are recorded."""


PLACES: Final = (InboundPrompt.PLACE_1, InboundPrompt.PLACE_2, InboundPrompt.PLACE_3)

TEXTS: Final[Mapping[InboundPrompt, Mapping[str, str]]] = {
    InboundPrompt.OPENING: {
        "zh": "您好，这里是反诈中心。我们的机器人打给您的电话是真的。有人让您转账，不要转，马上挂断他的电话。",
        "en": "This is the anti-fraud centre. If our robot called you, that call was real. If anybody wants a transfer,"
        " do not pay, and hang up on him.",
    },
    InboundPrompt.ASK_NUMBER: {
        "zh": "请按您接到电话的那个号码，然后按右下角的井号键。",
        "en": "Please type the telephone number that was called, and then the hash key at the bottom right.",
    },
    InboundPrompt.ASK_AGAIN: {
        "zh": "没有听清号码。请再按一次，然后按右下角的井号键。",
        "en": "I did not get the number. Please type it again, and then the hash key at the bottom right.",
    },
    InboundPrompt.CONNECTING: {
        "zh": "马上请警察跟您说，请不要挂断。",
        "en": "An officer will talk to you now. Please stay on the line.",
    },
    InboundPrompt.PLACE_1: {
        "zh": "现在警察都在忙。您是下一位，请不要挂断，也不要转账。",
        "en": "All officers are busy. You are the next one. Please stay on the line, and do not transfer any money.",
    },
    InboundPrompt.PLACE_2: {
        "zh": "现在警察都在忙。您前面还有一位，请不要挂断，也不要转账。",
        "en": "All officers are busy. One person is before you. Please stay on the line, and do not transfer any"
        " money.",
    },
    InboundPrompt.PLACE_3: {
        "zh": "现在警察都在忙。您前面还有两位，请不要挂断，也不要转账。",
        "en": "All officers are busy. Two people are before you. Please stay on the line, and do not transfer any"
        " money.",
    },
    InboundPrompt.PLACE_MORE: {
        "zh": "现在警察都在忙。您前面还有几位，请不要挂断，也不要转账。",
        "en": "All officers are busy. Some people are before you. Please stay on the line, and do not transfer any"
        " money.",
    },
    InboundPrompt.STILL_BUSY: {
        "zh": "请您再等一下，不要转账。",
        "en": "Please wait a little longer, and do not transfer any money.",
    },
    InboundPrompt.CALL_BACK: {
        "zh": "现在警察都在忙，很快会给您打电话。先不要转账，再见。",
        "en": "All officers are busy. One will call you very soon. Do not transfer any money. Goodbye.",
    },
    InboundPrompt.TEST_CALL: {
        "zh": "这是反诈中心的线路测试。请按几个数字键，听完再挂断。",
        "en": "This is a test of the anti-fraud centre's line. Please press some keys, then hang up.",
    },
    InboundPrompt.NO_OFFICER: {
        "zh": "现在警察都在忙。要是很急，请打110，打110。或者去附近的派出所。不要转账，再见。",
        "en": "All officers are busy. If it is urgent, dial 110, 110. Or ask at the nearest police station. Do not"
        " transfer any money. Goodbye.",
    },
    InboundPrompt.RECORDED: {"zh": "本次通话会录音。", "en": "This call is recorded."},
}


def inbound_list() -> tuple[PromptItem, ...]:
    """Every prompt in both languages, for rendering."""
    return tuple(
        PromptItem(key=f"inbound.{prompt.value}", language=language, text=text, must_say=False)
        for prompt, texts in TEXTS.items()
        for language, text in texts.items()
    )


def recorded_notice(language: str) -> Utterance:
    """The notice that the call is recorded; in Mandarin for a language without these words."""
    return _notice(InboundPrompt.RECORDED, language)


def hold_notice(language: str) -> Utterance:
    """What a person hears on hold; in Mandarin for a language without these words."""
    return _notice(InboundPrompt.STILL_BUSY, language)


def listener_notice(language: str) -> Utterance:
    """What caller and person hear before a supervisor listens; in Mandarin for a language without these words."""
    language = language if language in _LISTENS else "zh"
    return Utterance(prompt_id="inbound.listens", text=_LISTENS[language], language=language, audio=None)


_LISTENS: Final[Mapping[str, str]] = {
    "zh": "本次通话有值班领导旁听。",
    "en": "A supervisor is listening to this call.",
}


def _notice(prompt: InboundPrompt, language: str) -> Utterance:
    return inbound_utterance(prompt, language if language in TEXTS[prompt] else "zh")


def inbound_utterance(prompt: InboundPrompt, language: str) -> Utterance:
    """The prompt as an utterance; without a sound file the carrier speaks the text."""
    file = inbound_sound(prompt, language)
    return Utterance(
        prompt_id=f"inbound.{prompt.value}",
        text=TEXTS[prompt][language],
        language=language,
        audio=(file,) if file else None,
    )


@cache
def inbound_sound(prompt: InboundPrompt, language: str) -> str:
    """The sound file of a prompt; '' without one, then a voice of the network speaks the text."""
    text = TEXTS[prompt][language]
    clips = shipped_manifest().clips
    return next(
        (clip.file for clip in clips if (clip.language, clip.text) == (language, text) and not clip.slow), ""
    )
