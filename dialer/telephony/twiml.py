"""A turn of a conversation as TwiML, the carrier's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from uuid import UUID

from twilio.twiml.voice_response import Gather, VoiceResponse

from audio.spoken import as_spoken
from dialer.scripts.dialogue import AskTurn, Position, Turn
from dialer.telephony.config import HookUrls, TelephonyConfig

_VOICES: Final[Mapping[str, Mapping[str, str]]] = {
    "zh": {"voice": "Polly.Zhiyu", "language": "cmn-CN"},
    "en": {"voice": "Polly.Joanna", "language": "en-US"},
}
"""By language of a script, as Twilio names its voices. A voice and a language that do not belong together fail."""

_RECOGNISED: Final[Mapping[str, str]] = {"zh": "cmn-Hans-CN", "en": "en-US"}

_UNPRINTABLE: Final = {code: None for code in range(32) if code not in {9, 10, 13}} | {
    0xFFFE: None,
    0xFFFF: None,
}
"""Characters that XML cannot hold: one of them and the carrier refuses the whole document."""

_SAFE_SENTENCE: Final = (
    "您好，这里是{bureau}，请您先不要转账，马上挂断对方的电话。我是反诈机器人，线路出了点问题，我们会再联系您。"
    "有骗子会说，我们是假警察。不放心，就请挂断，打区号加{hotline}，或者110，也可以去派出所问清楚。"
)


def write(
    turn: Turn,
    *,
    attempt_id: UUID,
    step: int,
    config: TelephonyConfig,
    audio_url: Callable[[str], str],
) -> str:
    """What the carrier is to do at `step`; what it hears comes back as the next step. A turn that neither asks nor
    hands over ends the call.
    """
    urls = HookUrls(config.public_url)
    response = VoiceResponse()
    if turn.ask is not None:
        language = turn.utterances[-1].language if turn.utterances else ""
        url = urls.call(attempt_id, step=step + 1, position=turn.ask.position.encode())
        gather = _gather(turn.ask, url, language, config)
        _say(gather, turn, audio_url)
        response.append(gather)
        response.redirect(url, method="POST")
        return str(response)
    _say(response, turn, audio_url)
    if turn.hand_over and turn.position is not None:
        _hand_over(response, turn.position, urls, attempt_id, step, config)
    else:
        response.hangup()
    return str(response)


def fallback(*, bureau: str = "市反诈中心", hotline: str = "96110") -> str:
    """The safe sentence, twice, for faults of ours: it needs no database, no sound file and no personal data."""
    text = _SAFE_SENTENCE.format(bureau=bureau, hotline=hotline)
    response = VoiceResponse()
    response.say(_printable(as_spoken(text, "zh")), loop=2, **_VOICES["zh"])
    response.hangup()
    return str(response)


def hang_up() -> str:
    """Ends the call without another word: after an officer has talked."""
    response = VoiceResponse()
    response.hangup()
    return str(response)


def _say(into: VoiceResponse | Gather, turn: Turn, audio_url: Callable[[str], str]) -> None:
    for utterance in turn.utterances:
        for name in utterance.audio or ():
            into.play(audio_url(name))
        if not utterance.audio:
            language = utterance.language if utterance.language in _VOICES else "zh"
            # A voice that we do not choose may read 96110 as an amount.
            into.say(_printable(as_spoken(utterance.text, language)), **_VOICES[language])


def _gather(ask: AskTurn, url: str, language: str, config: TelephonyConfig) -> Gather:
    """`actionOnEmptyResult`: silence is an answer too, and comes back like one."""
    listens: dict[str, str] = {"input": "dtmf"}
    if config.hear_speech and ask.hints:
        listens = {
            "input": "dtmf speech",
            "speech_timeout": "auto",
            "language": _RECOGNISED.get(language, _RECOGNISED["zh"]),
            "hints": _printable(",".join(ask.hints)),
        }
    return Gather(
        num_digits=ask.num_digits,
        timeout=ask.timeout_seconds,
        finish_on_key=ask.finish_on_key,
        action_on_empty_result=True,
        method="POST",
        action=url,
        **listens,
    )


def _hand_over(
    response: VoiceResponse,
    position: Position,
    urls: HookUrls,
    attempt_id: UUID,
    step: int,
    config: TelephonyConfig,
) -> None:
    """Calls an officer; without one the script goes on as if the call had not been taken."""
    encoded = position.encode()
    if not config.officer_number:
        response.redirect(urls.call(attempt_id, step=step + 1, position=encoded), method="POST")
        return
    dial = response.dial(
        timeout=config.officer_ring_seconds,
        caller_id=config.caller_number,
        method="POST",
        action=urls.dial(attempt_id, step=step + 1, position=encoded),
    )
    dial.number(
        config.officer_number,
        status_callback_event="answered",
        status_callback_method="POST",
        status_callback=urls.officer(attempt_id, step=step + 1),
    )


def _printable(text: str) -> str:
    return text.translate(_UNPRINTABLE)
