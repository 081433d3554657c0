"""A turn of a conversation as TwiML, the carrier's language. Built as text: it costs a webhook next to nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from uuid import UUID
from xml.sax.saxutils import escape, quoteattr

from audio.spoken import as_spoken
from dialer.scripts.dialogue import Ask, Position, Turn, Utterance
from dialer.telephony.config import TelephonyConfig
from dialer.telephony.urls import HookUrls

_OPEN: Final = '<?xml version="1.0" encoding="UTF-8"?><Response>'
_CLOSE: Final = "</Response>"

_VOICES: Final[Mapping[str, str]] = {
    "zh": 'voice="Polly.Zhiyu" language="cmn-CN"',
    "en": 'voice="Polly.Joanna" language="en-US"',
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
    said = "".join([_said(utterance, audio_url) for utterance in turn.utterances])
    if turn.ask is not None:
        language = turn.utterances[-1].language if turn.utterances else ""
        url = urls.call(attempt_id, step=step + 1, position=turn.ask.position.encode())
        return f"{_OPEN}{_gather(turn.ask, said, url, language, config)}{_redirect(url)}{_CLOSE}"
    if turn.hand_over and turn.position is not None:
        return f"{_OPEN}{said}{_hand_over(turn.position, urls, attempt_id, step, config)}{_CLOSE}"
    return f"{_OPEN}{said}<Hangup/>{_CLOSE}"


def fallback(*, bureau: str = "市反诈中心", hotline: str = "96110") -> str:
    """The safe sentence, twice, for when we are broken: it needs no database, no sound file and no person's data."""
    text = _SAFE_SENTENCE.format(bureau=bureau, hotline=hotline)
    return f'{_OPEN}<Say {_VOICES["zh"]} loop="2">{_text(as_spoken(text, "zh"))}</Say><Hangup/>{_CLOSE}'


def hang_up() -> str:
    """Ends the call without another word: after an officer has talked."""
    return f"{_OPEN}<Hangup/>{_CLOSE}"


def _said(utterance: Utterance, audio_url: Callable[[str], str]) -> str:
    if utterance.audio:
        return "".join([f"<Play>{_text(audio_url(name))}</Play>" for name in utterance.audio])
    language = utterance.language if utterance.language in _VOICES else "zh"
    # A voice that we do not choose may read 96110 as an amount.
    return f"<Say {_VOICES[language]}>{_text(as_spoken(utterance.text, language))}</Say>"


def _gather(ask: Ask, said: str, url: str, language: str, config: TelephonyConfig) -> str:
    """`actionOnEmptyResult`: silence is an answer too, and comes back like one."""
    listens = 'input="dtmf"'
    if config.hear_speech and ask.hints:
        hints = quoteattr(",".join(ask.hints).translate(_UNPRINTABLE))
        recognised = _RECOGNISED.get(language, _RECOGNISED["zh"])
        listens = f'input="dtmf speech" speechTimeout="auto" language="{recognised}" hints={hints}'
    return (
        f'<Gather {listens} numDigits="{ask.num_digits}" timeout="{ask.timeout_seconds}"'
        f' finishOnKey={quoteattr(ask.finish_on_key)} actionOnEmptyResult="true" method="POST"'
        f" action={quoteattr(url)}>{said}</Gather>"
    )


def _hand_over(
    position: Position, urls: HookUrls, attempt_id: UUID, step: int, config: TelephonyConfig
) -> str:
    """Rings an officer; when there is none to ring, the script goes on as if nobody had taken the call."""
    encoded = position.encode()
    if not config.officer_number:
        return _redirect(urls.call(attempt_id, step=step + 1, position=encoded))
    action = quoteattr(urls.dial(attempt_id, step=step + 1, position=encoded))
    told = quoteattr(urls.officer(attempt_id, step=step + 1))
    return (
        f'<Dial timeout="{config.officer_ring_seconds}" callerId={quoteattr(config.caller_number)}'
        f' method="POST" action={action}><Number statusCallbackEvent="answered" statusCallbackMethod="POST"'
        f" statusCallback={told}>{_text(config.officer_number)}</Number></Dial>"
    )


def _redirect(url: str) -> str:
    return f'<Redirect method="POST">{_text(url)}</Redirect>'


def _text(text: str) -> str:
    return escape(text.translate(_UNPRINTABLE))
