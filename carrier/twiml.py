"""TwiML: the document of an application, read into verbs. A verb that the carrier cannot play is refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from xml.parsers import expat

_MAX_DEPTH = 4
PARSE_FAILURE = 12100
INVALID_ATTRIBUTE = 12200


class BadTwiml(ValueError):
    """The document cannot be played. `code` is Twilio's error code."""

    def __init__(self, problem: str, *, code: int = PARSE_FAILURE) -> None:
        super().__init__(problem)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Words to speak, `loop` times; 0 is until the call ends."""

    text: str
    loop: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """A sound to play, `loop` times; 0 is until the call ends."""

    url: str
    loop: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Silence, in seconds."""

    seconds: float = 1.0


Prompt = Say | Play | Pause


@dataclass(frozen=True, slots=True, kw_only=True)
class Gather:
    """`num_digits` None: any number of keys, ended by `finish_on_key` or by `timeout_seconds` of silence.
    `hears_speech`: the answer may be spoken; `hints` are the expected phrases.
    """

    prompts: tuple[Prompt, ...] = ()
    num_digits: int | None = None
    timeout_seconds: float = 5.0
    finish_on_key: str = "#"
    action: str = ""
    method: str = "POST"
    action_on_empty: bool = False
    hears_speech: bool = False
    hints: tuple[str, ...] = ()
    language: str = "en-US"


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """The call goes on with the TwiML of another address."""

    url: str
    method: str = "POST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hangup:
    """Hangup, or Reject, which does the same: the call has been answered by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """Calls another number of the line and joins it to the call."""

    number: str
    timeout_seconds: float = 30.0
    action: str = ""
    method: str = "POST"
    caller_id: str = ""
    time_limit_seconds: float = 14_400.0
    status_callback: str = ""
    status_method: str = "POST"
    events: frozenset[str] = frozenset({"completed"})
    url: str = ""
    """A document that the called phone alone hears before the two are connected."""
    url_method: str = "POST"
    recording_channels: int = 0
    """0: not recorded. Of two, the first is the caller's."""
    recording_callback: str = ""
    recording_method: str = "POST"
    recording_events: frozenset[str] = frozenset({"completed"})


Verb = Say | Play | Pause | Gather | Redirect | Hangup | Dial


@dataclass(slots=True, kw_only=True)
class _Element:
    name: str
    attributes: Mapping[str, str]
    children: list[_Element] = field(default_factory=list)
    text: list[str] = field(default_factory=list)

    @property
    def content(self) -> str:
        return "".join(self.text).strip()


@lru_cache(maxsize=512)
def parse_twiml(body: bytes) -> tuple[Verb, ...]:
    """The verbs of the document in order, cached. Raises `BadTwiml` for anything but a playable `<Response>`."""
    root = _read(body)
    if root.name != "Response":
        raise BadTwiml(f"the root is <{root.name}>, not <Response>")
    return tuple(_verb(child) for child in root.children)


def _read(body: bytes) -> _Element:
    top = _Element(name="", attributes={})
    stack = [top]

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(stack) > _MAX_DEPTH:
            raise BadTwiml("nested too deep")
        element = _Element(name=name, attributes=attributes)
        stack[-1].children.append(element)
        stack.append(element)

    def end(_name: str) -> None:
        stack.pop()

    def text(data: str) -> None:
        stack[-1].text.append(data)

    def doctype(*_parts: object) -> None:
        # Entities could make a small document grow without bound.
        raise BadTwiml("a document type is not allowed")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise BadTwiml(f"not well-formed at line {error.lineno}") from error
    return top.children[0]


def _number(element: _Element, name: str, default: float) -> float:
    text = element.attributes.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError as error:
        raise BadTwiml(f"{name} of <{element.name}> is not a number", code=INVALID_ATTRIBUTE) from error
    if not 0.0 <= value < 1e6:  # noqa: PLR2004 - also refuses nan and inf
        raise BadTwiml(f"{name} of <{element.name}> is out of bounds", code=INVALID_ATTRIBUTE)
    return value


def _method(element: _Element, name: str = "method") -> str:
    method = element.attributes.get(name, "POST").upper()
    if method not in {"GET", "POST"}:
        raise BadTwiml(f"{name} of <{element.name}> is neither GET nor POST", code=INVALID_ATTRIBUTE)
    return method


def _prompt(element: _Element) -> Prompt:
    match element.name:
        case "Say":
            return Say(text=element.content, loop=int(_number(element, "loop", 1)))
        case "Play" if not element.content:
            raise BadTwiml("<Play> names no audio", code=INVALID_ATTRIBUTE)
        case "Play":
            return Play(url=element.content, loop=int(_number(element, "loop", 1)))
        case "Pause":
            return Pause(seconds=_number(element, "length", 1.0))
        case name:
            raise BadTwiml(f"<{name}> cannot be played here")


def _gather(element: _Element) -> Gather:
    attributes = element.attributes
    digits = int(_number(element, "numDigits", 0))
    timeout = attributes.get("timeout")
    hints = attributes.get("hints", "").split(",")
    return Gather(
        prompts=tuple(_prompt(child) for child in element.children),
        num_digits=digits or None,
        timeout_seconds=5.0 if timeout in {None, "auto"} else _number(element, "timeout", 5.0),
        finish_on_key=attributes.get("finishOnKey", "#"),
        action=attributes.get("action", ""),
        method=_method(element),
        action_on_empty=attributes.get("actionOnEmptyResult", "false").lower() == "true",
        hears_speech="speech" in attributes.get("input", "dtmf").split(),
        hints=tuple(dict.fromkeys(hint for hint in map(str.strip, hints) if hint)),
        language=attributes.get("language", "en-US"),
    )


_DIAL_EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
_RECORDING_EVENTS = frozenset({"in-progress", "completed", "absent"})
_CHANNELS_OF = {
    "do-not-record": 0,
    "false": 0,
    "record-from-answer": 1,
    "true": 1,
    "record-from-answer-dual": 2,
}


def _dial(element: _Element) -> Dial:
    number, called = element.content, element
    for child in element.children:
        if child.name != "Number":
            raise BadTwiml(f"<Dial> cannot reach a <{child.name}>")
        number, called = child.content, child
    events = frozenset(called.attributes.get("statusCallbackEvent", "completed").split())
    if events - _DIAL_EVENTS:
        raise BadTwiml("statusCallbackEvent of <Number> is unknown", code=INVALID_ATTRIBUTE)
    if not number:
        raise BadTwiml("<Dial> names no number", code=INVALID_ATTRIBUTE)
    channels = _CHANNELS_OF.get(element.attributes.get("record", "do-not-record"))
    if channels is None:
        raise BadTwiml("<Dial> is recorded from its answer here, or not at all", code=INVALID_ATTRIBUTE)
    recording_events = frozenset(element.attributes.get("recordingStatusCallbackEvent", "completed").split())
    if recording_events - _RECORDING_EVENTS:
        raise BadTwiml("recordingStatusCallbackEvent of <Dial> is unknown", code=INVALID_ATTRIBUTE)
    for name, only in (("recordingTrack", "both"), ("trim", "do-not-trim")):
        if element.attributes.get(name, only) != only:
            raise BadTwiml(f"{name} of <Dial> can only be {only} here", code=INVALID_ATTRIBUTE)
    return Dial(
        number=number,
        timeout_seconds=_number(element, "timeout", 30.0),
        action=element.attributes.get("action", ""),
        method=_method(element),
        caller_id=element.attributes.get("callerId", ""),
        time_limit_seconds=_number(element, "timeLimit", 14_400.0),
        status_callback=called.attributes.get("statusCallback", ""),
        status_method=called.attributes.get("statusCallbackMethod", "POST").upper(),
        events=events,
        url=called.attributes.get("url", "") if called is not element else "",
        url_method=_method(called) if called is not element else "POST",
        recording_channels=channels,
        recording_callback=element.attributes.get("recordingStatusCallback", ""),
        recording_method=_method(element, "recordingStatusCallbackMethod"),
        recording_events=recording_events,
    )


def _verb(element: _Element) -> Verb:
    match element.name:
        case "Gather":
            return _gather(element)
        case "Redirect":
            return Redirect(url=element.content, method=_method(element))
        case "Hangup" | "Reject":
            return Hangup()
        case "Dial":
            return _dial(element)
        case _:
            return _prompt(element)
