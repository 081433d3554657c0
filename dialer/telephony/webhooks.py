"""Both sides of a webhook: whether the carrier signed it, and a turn of the conversation as TwiML.

Twilio signs the full public URL (never its fragment) and the sorted form fields with HMAC; with SHA-256 when a header
says so. Anything doubtful is refused.
"""

from __future__ import annotations

import hmac
from binascii import b2a_base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID
from xml.sax.saxutils import escape

from twilio.twiml.voice_response import Gather, VoiceResponse

from audio.spoken import as_spoken
from dialer.core.errors import Refusal
from dialer.core.text import Text
from dialer.scripts.dialogue import AskTurn, Turn, Utterance
from dialer.telephony.config import HookUrls, TelephonyConfig, recording_of_dial

SIGNATURE: Final = "X-Twilio-Signature"
SETTINGS: Final = "X-Twilio-Webhooks-Signature-Settings"
_DIGESTS: Final = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}
_PORTS: Final = {"http": 80, "https": 443}


class BadSignature(Refusal):
    """The request was not signed with one of our tokens; `reason` is for the log and quotes nothing of the request."""

    def __init__(self, *, reason: str) -> None:
        super().__init__(Text("webhook refused: %(reason)s", reason=Text(reason)))
        self.reason = reason


def verify_signature(
    *,
    url: str,
    params: Sequence[tuple[str, str]],
    headers: Mapping[str, str],
    tokens: Sequence[str],
) -> None:
    """Returns when one of the tokens signed this; raises `BadSignature` otherwise.

    `url` is the address that the carrier was given, from the public URL of the settings, with the query as it arrived;
    `params` are the form fields in any order, repeated ones kept. Proxies add and drop ports, so both forms are
    accepted.
    """
    given = _header(headers, SIGNATURE)
    if not given:
        raise BadSignature(reason="it has no signature")
    keys = [token.encode() for token in tokens if token]
    if not keys:
        raise BadSignature(reason="no token is configured")
    algorithm = _algorithm(_header(headers, SETTINGS))
    digest = _DIGESTS.get(algorithm.upper())
    if digest is None:
        raise BadSignature(reason="its algorithm is not known")
    expected = given.encode()
    url = url.partition("#")[0]
    fields = "".join([name + value for name, value in sorted(set(params))])
    for form in _with_and_without_port(url):
        if any(_matches(expected, key, form + fields, digest) for key in keys):
            break
    else:
        raise BadSignature(reason="the signature is not ours")
    _check_borders(params)


_NAMES: Final = frozenset(
    {
        "AccountSid", "AnsweredBy", "ApiVersion", "CallDuration", "CallSid", "CallStatus", "CallbackSource", "Called",
        "Caller", "Confidence", "DialCallDuration", "DialCallSid", "DialCallStatus", "Digits", "Direction",
        "Duration", "ErrorCode", "FinishedOnKey", "ForwardedFrom", "MachineDetectionDuration", "MessageSid",
        "MessageStatus", "ParentCallSid", "RecordingChannels", "RecordingDuration", "RecordingSid",
        "RecordingSource", "RecordingStartTime", "RecordingStatus", "RecordingTrack", "RecordingUrl",
        "SequenceNumber", "SipResponseCode", "SmsSid", "SmsStatus", "SpeechResult", "Timestamp", "From", "To",
    }
)  # fmt: skip
"""Fields of a webhook that a carrier sends."""
_LONG_NAME: Final = 5
"""Shorter names are parts of other words by chance."""


def _check_borders(params: Sequence[tuple[str, str]]) -> None:
    """The signature covers names and values in one, so that it does not say where a name ends. Raises `BadSignature`
    where an unknown name comes with a known one that is missing, and stands across a border that was moved.
    """
    names = {name for name, _ in params}
    if names <= _NAMES:
        return
    parts = [f"\0{value}" if name in _NAMES else name + value for name, value in sorted(set(params))]
    text = "".join(parts)
    if any(len(name) >= _LONG_NAME and name in text for name in _NAMES - names):
        raise BadSignature(reason="the name of a field runs into its value")


def sign_request(*, url: str, token: str) -> dict[str, str]:
    """The headers of a request without form fields, signed as the carrier signs."""
    made = _keyed(token.encode(), "sha1").copy()
    made.update(url.encode())
    return {SIGNATURE: b2a_base64(made.digest(), newline=False).decode()}


def _matches(expected: bytes, key: bytes, text: str, digest: str) -> bool:
    # Not `hmac.digest`, which releases the interpreter lock for every few bytes, and waits to get it back.
    made = _keyed(key, digest).copy()
    made.update(text.encode("utf-8", "surrogatepass"))
    return hmac.compare_digest(b2a_base64(made.digest(), newline=False), expected)


@lru_cache(maxsize=8)
def _keyed(key: bytes, digest: str) -> hmac.HMAC:
    return hmac.new(key, digestmod=digest)


def _header(headers: Mapping[str, str], name: str) -> str:
    return headers.get(name) or headers.get(name.lower()) or ""


def _algorithm(settings: str) -> str:
    """The one named in `key=..,algorithm=..`; SHA-1 when none is named, as with an account's own token."""
    for part in settings.split(","):
        name, _, value = part.partition("=")
        if name.strip() == "algorithm" and value.strip():
            return value.strip()
    return "HMAC_SHA1"


def _with_and_without_port(url: str) -> Iterator[str]:
    """The URL as it is, then as it may look behind proxies."""
    yield url
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return
    if port is not None:
        yield urlunsplit(parts._replace(netloc=parts.netloc.removesuffix(f":{port}")))
    elif default := _PORTS.get(parts.scheme):
        yield urlunsplit(parts._replace(netloc=f"{parts.netloc}:{default}"))


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
"""Characters that XML cannot contain: with one of them the carrier refuses the whole document."""

_SAFE_SENTENCE: Final = (
    "您好，我是{bureau}机器人。有人让您转账，不要转，马上挂断他的电话。他会说我们是假警察，"
    "您自己打：{area_code} {hotline}，{area_code} {hotline}。或者打110，打110。线路出了点问题，我们还会联系您。"
)


def write_turn(
    turn: Turn,
    *,
    attempt_id: UUID,
    step: int,
    config: TelephonyConfig,
    audio_url: Callable[[str], str],
) -> str:
    """The TwiML for `step`; what the person answers comes back as the next step. A turn that neither asks nor hands
    over ends the call.
    """
    urls = HookUrls(config.public_url)
    encoded = turn.position.encode()
    if turn.hand_over:
        response = VoiceResponse()
        _say(response, turn.utterances, audio_url)
        _hand_over(response, encoded, urls, attempt_id, step, config)
        return str(response)
    is_played = all(utterance.audio for utterance in turn.utterances)
    # What is spoken may name a person, and is not kept.
    document = _turn_document if is_played else _turn_document.__wrapped__
    twiml = document(turn.utterances, turn.ask, config.hear_speech, audio_url)
    if turn.ask is None:
        return twiml
    address = urls.call(attempt_id, step=step + 1, position=encoded)
    return twiml.replace(_NEXT_TURN, escape(address, {'"': "&quot;"}))


_NEXT_TURN: Final = "next-turn.invalid"
"""In a turn's document, the address of the turn after it."""


@lru_cache(maxsize=512)
def _turn_document(
    utterances: tuple[Utterance, ...],
    ask: AskTurn | None,
    hear_speech: bool,  # arguments of a cached function are given by their place
    audio_url: Callable[[str], str],
) -> str:
    """The TwiML of a turn, the same for all calls that reach it, with `_NEXT_TURN` for the address of the next one.
    Writing it takes 0.2 ms, and each call has two or more.
    """
    response = VoiceResponse()
    if ask is None:
        _say(response, utterances, audio_url)
        response.hangup()
        return str(response)
    # What must be heard before the question is said before the Gather: neither a key nor a voice ends it.
    _say(response, utterances[: ask.before_question], audio_url)
    gather = _gather(ask, _NEXT_TURN, hear_speech=hear_speech)
    _say(gather, utterances[ask.before_question :], audio_url)
    response.append(gather)
    response.redirect(_NEXT_TURN, method="POST")
    return str(response)


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundTurn:
    """What a person who calls us hears next, and what comes after it: a telephone of ours rings, a number is asked for,
    the person waits, or the call ends.
    """

    turn: int = 0
    """Its number, from 1; what comes after it names it. 0: nothing comes after it."""
    says: tuple[Utterance, ...] = ()
    rings: str = ""
    """The telephone of ours that is called for `ring_seconds`."""
    ring_seconds: int = 0
    asks: bool = False
    """For a telephone number, typed and closed by #."""
    waits_seconds: int = 0
    recorded_as: UUID | None = None
    """The id of the call whose talk with the telephone that rings is recorded; None: it is not."""


_LONGEST_NUMBER: Final = 13
_TYPE_SECONDS: Final = 8


def write_inbound(turn: InboundTurn, *, config: TelephonyConfig, audio_url: Callable[[str], str]) -> str:
    """The turn as TwiML. A key cuts off the question, but nothing else that a person hears here."""
    urls = HookUrls(config.public_url)
    response = VoiceResponse()
    if turn.asks:
        url = urls.inbound_turn("number", turn=turn.turn)
        _say(response, turn.says[:-1], audio_url)
        gather = Gather(
            num_digits=_LONGEST_NUMBER,
            timeout=_TYPE_SECONDS,
            finish_on_key="#",
            action_on_empty_result=True,
            method="POST",
            action=url,
            input="dtmf",
        )
        _say(gather, turn.says[-1:], audio_url)
        response.append(gather)
        response.redirect(url, method="POST")
        return str(response)
    _say(response, turn.says, audio_url)
    if turn.rings and not config.is_desk(turn.rings):
        response.redirect(urls.inbound_turn("dial", turn=turn.turn), method="POST")
    elif turn.rings:
        dial = response.dial(
            timeout=turn.ring_seconds,
            caller_id=config.caller_number,
            method="POST",
            action=urls.inbound_turn("dial", turn=turn.turn),
            time_limit=_LONGEST_TALK_SECONDS,
            **(recording_of_dial(urls.recording(turn.recorded_as)) if turn.recorded_as is not None else {}),
        )
        dial.number(
            turn.rings,
            status_callback_event="answered",
            status_callback_method="POST",
            status_callback=urls.inbound_turn("desk", turn=turn.turn),
        )
    elif turn.waits_seconds:
        response.pause(length=turn.waits_seconds)
        response.redirect(urls.inbound_turn("wait", turn=turn.turn), method="POST")
    else:
        response.hangup()
    return str(response)


_LONGEST_TALK_SECONDS: Final = 3600


def fallback_twiml(
    *, bureau: str = "市公安局反诈中心", area_code: str = "当地区号", hotline: str = "96110"
) -> str:
    """The safe sentence, twice, for faults of ours: it needs no database, no sound file and no personal data."""
    text = _SAFE_SENTENCE.format(bureau=bureau, area_code=area_code, hotline=hotline)
    response = VoiceResponse()
    response.say(_printable(as_spoken(text, "zh")), loop=2, **_VOICES["zh"])
    response.hangup()
    return str(response)


def hang_up_twiml() -> str:
    """Ends the call without another sentence: after an officer has talked."""
    response = VoiceResponse()
    response.hangup()
    return str(response)


def write_notice(notice: Utterance, *, audio_url: Callable[[str], str]) -> str:
    """What the second telephone hears before it is connected."""
    response = VoiceResponse()
    _say(response, [notice], audio_url)
    return str(response)


_HOLD_PAUSE_SECONDS: Final = 10
_HOLD_ROUNDS: Final = 60


def write_hold(notice: Utterance, *, again_url: str, audio_url: Callable[[str], str]) -> str:
    """What the person hears on hold: the notice every ten seconds or so, until they are taken back."""
    response = VoiceResponse()
    for _ in range(_HOLD_ROUNDS):
        _say(response, [notice], audio_url)
        response.pause(length=_HOLD_PAUSE_SECONDS)
    response.redirect(again_url, method="POST")
    return str(response)


_KEY_SECONDS: Final = 8
_TIMES_ASKED: Final = 2


def write_duty_call(text: str, language: str, *, action: str) -> str:
    """Says the text to somebody on duty and waits for a key, twice; the key goes to `action`."""
    response = VoiceResponse()
    said = Utterance(prompt_id="", language=language, text=text, audio=None)
    for _ in range(_TIMES_ASKED):
        gather = Gather(num_digits=1, timeout=_KEY_SECONDS, method="POST", action=action, input="dtmf")
        _say(gather, [said], lambda name: name)
        response.append(gather)
    response.hangup()
    return str(response)


def write_farewell(text: str, language: str) -> str:
    """Says the text and ends the call."""
    response = VoiceResponse()
    _say(response, [Utterance(prompt_id="", language=language, text=text, audio=None)], lambda name: name)
    response.hangup()
    return str(response)


def _say(
    into: VoiceResponse | Gather, utterances: Sequence[Utterance], audio_url: Callable[[str], str]
) -> None:
    for utterance in utterances:
        for name in utterance.audio or ():
            into.play(audio_url(name))
        if not utterance.audio:
            language = utterance.language if utterance.language in _VOICES else "zh"
            # A voice that we do not choose may read 96110 as an amount.
            into.say(_printable(as_spoken(utterance.text, language)), **_VOICES[language])


def _gather(ask: AskTurn, url: str, *, hear_speech: bool) -> Gather:
    """`actionOnEmptyResult`: silence is an answer too, and is reported like one."""
    listens: dict[str, str] = {"input": "dtmf"}
    if hear_speech and ask.hints:
        listens = {
            "input": "dtmf speech",
            "speech_timeout": "auto",
            "language": _RECOGNISED.get(ask.language, _RECOGNISED["zh"]),
            "hints": _printable(",".join(ask.hints)),
        }
    if ask.before_question < ask.uninterrupted:
        # Keys count from the first moment of the question, and our carrier speaks it to its end. At another provider a
        # key may cut it off: then it is asked again.
        listens["barge_in"] = "false"
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
    position: str,
    urls: HookUrls,
    attempt_id: UUID,
    step: int,
    config: TelephonyConfig,
) -> None:
    """Calls an officer; without one the script goes on as if the call had not been taken."""
    if not config.is_desk(config.officer_number):
        response.redirect(urls.call(attempt_id, step=step + 1, position=position), method="POST")
        return
    dial = response.dial(
        timeout=config.officer_ring_seconds,
        caller_id=config.caller_number,
        method="POST",
        action=urls.dial(attempt_id, step=step + 1, position=position),
    )
    dial.number(
        config.officer_number,
        status_callback_event="answered",
        status_callback_method="POST",
        status_callback=urls.officer(attempt_id, step=step + 1),
    )


def _printable(text: str) -> str:
    return text.translate(_UNPRINTABLE)
