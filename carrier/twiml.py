"""TwiML: the document of an application, read into verbs. A verb that the carrier cannot play is refused by name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

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
    `hears_speech`: the answer may be spoken; `hints` are the expected phrases. Without `barge_in` the prompts are
    spoken to their end, whatever is pressed or said; keys that are pressed meanwhile count.
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
    barge_in: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """The call goes on with the TwiML of another address."""

    url: str
    method: str = "POST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hangup:
    """Hangup, or Reject, which does the same: the call has been answered by then."""


CONFERENCE_EVENTS = frozenset({"start", "end", "join", "leave", "mute", "hold", "modify"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Conference:
    """A conference that the call enters, by its name, and how it enters."""

    name: str
    label: str = ""
    muted: bool = False
    starts: bool = True
    """The conference may start with this participant. Until it has started nobody hears anybody."""
    ends: bool = False
    """The conference ends when this participant leaves."""
    coached: str = ""
    """The sid of the call whose participant alone hears this one."""
    wait_url: str | None = None
    """What is heard until the conference starts: a sound or a document; '' for silence, None for a sound of ours."""
    wait_method: str = "POST"
    beeps: frozenset[str] = frozenset({"enter", "exit"})
    """At which moments the others hear a tone."""
    most: int = 250
    status_callback: str = ""
    status_method: str = "POST"
    events: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """Calls another number of the line and joins it to the call, or enters a conference."""

    number: str
    conference: Conference | None = None
    """In place of a number."""
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


@lru_cache(maxsize=512)
def parse_twiml(body: bytes) -> tuple[Verb, ...]:
    """The verbs of the document in order, cached. Raises `BadTwiml` for anything but a playable `<Response>`."""
    if b"<!DOCTYPE" in body.replace(b"\0", b""):
        # Entities could make a small document grow without bound. In UTF-16 every second byte is zero.
        raise BadTwiml("a document type is not allowed")
    try:
        root = ET.fromstring(body)  # noqa: S314 - without a document type
    except ET.ParseError as error:
        raise BadTwiml(f"not well-formed at line {error.position[0]}") from error
    except (LookupError, ValueError) as error:
        raise BadTwiml("in an encoding that is not read here") from error
    if root.tag != "Response":
        raise BadTwiml(f"the root is <{root.tag}>, not <Response>")
    return tuple(map(_verb, root))


def _content(element: Element) -> str:
    """The text of the element, without that of its children."""
    return "".join([element.text or "", *(child.tail or "" for child in element)]).strip()


def _number(element: Element, name: str, default: float) -> float:
    text = element.attrib.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError as error:
        raise BadTwiml(f"{name} of <{element.tag}> is not a number", code=INVALID_ATTRIBUTE) from error
    if not 0.0 <= value < 1e6:  # noqa: PLR2004 - also refuses nan and inf
        raise BadTwiml(f"{name} of <{element.tag}> is out of bounds", code=INVALID_ATTRIBUTE)
    return value


def _method(element: Element, name: str = "method") -> str:
    method = element.attrib.get(name, "POST").upper()
    if method not in {"GET", "POST"}:
        raise BadTwiml(f"{name} of <{element.tag}> is neither GET nor POST", code=INVALID_ATTRIBUTE)
    return method


def _prompt(element: Element) -> Prompt:
    match element.tag:
        case "Say":
            return Say(text=_content(element), loop=int(_number(element, "loop", 1)))
        case "Play" if not _content(element):
            raise BadTwiml("<Play> names no audio", code=INVALID_ATTRIBUTE)
        case "Play":
            return Play(url=_content(element), loop=int(_number(element, "loop", 1)))
        case "Pause":
            return Pause(seconds=_number(element, "length", 1.0))
        case name:
            raise BadTwiml(f"<{name}> cannot be played here")


def _gather(element: Element) -> Gather:
    attributes = element.attrib
    digits = int(_number(element, "numDigits", 0))
    timeout = attributes.get("timeout")
    hints = attributes.get("hints", "").split(",")
    return Gather(
        prompts=tuple(_prompt(child) for child in element),
        num_digits=digits or None,
        timeout_seconds=5.0 if timeout in {None, "auto"} else _number(element, "timeout", 5.0),
        finish_on_key=attributes.get("finishOnKey", "#"),
        action=attributes.get("action", ""),
        method=_method(element),
        action_on_empty=attributes.get("actionOnEmptyResult", "false").lower() == "true",
        hears_speech="speech" in attributes.get("input", "dtmf").split(),
        hints=tuple(dict.fromkeys(hint for hint in map(str.strip, hints) if hint)),
        language=attributes.get("language", "en-US"),
        barge_in=attributes.get("bargeIn", "true").lower() != "false",
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


def _dial(element: Element) -> Dial:
    number, called = _content(element), element
    for child in element:
        if child.tag == "Conference":
            return _dial_conference(element, child)
        if child.tag != "Number":
            raise BadTwiml(f"<Dial> cannot reach a <{child.tag}>")
        number, called = _content(child), child
    events = frozenset(called.attrib.get("statusCallbackEvent", "completed").split())
    if events - _DIAL_EVENTS:
        raise BadTwiml("statusCallbackEvent of <Number> is unknown", code=INVALID_ATTRIBUTE)
    if not number:
        raise BadTwiml("<Dial> names no number", code=INVALID_ATTRIBUTE)
    channels = _CHANNELS_OF.get(element.attrib.get("record", "do-not-record"))
    if channels is None:
        raise BadTwiml("<Dial> is recorded from its answer here, or not at all", code=INVALID_ATTRIBUTE)
    recording_events = frozenset(element.attrib.get("recordingStatusCallbackEvent", "completed").split())
    if recording_events - _RECORDING_EVENTS:
        raise BadTwiml("recordingStatusCallbackEvent of <Dial> is unknown", code=INVALID_ATTRIBUTE)
    for name, only in (("recordingTrack", "both"), ("trim", "do-not-trim")):
        if element.attrib.get(name, only) != only:
            raise BadTwiml(f"{name} of <Dial> can only be {only} here", code=INVALID_ATTRIBUTE)
    return Dial(
        number=number,
        timeout_seconds=_number(element, "timeout", 30.0),
        action=element.attrib.get("action", ""),
        method=_method(element),
        caller_id=element.attrib.get("callerId", ""),
        time_limit_seconds=_number(element, "timeLimit", 14_400.0),
        status_callback=called.attrib.get("statusCallback", ""),
        status_method=called.attrib.get("statusCallbackMethod", "POST").upper(),
        events=events,
        url=called.attrib.get("url", "") if called is not element else "",
        url_method=_method(called) if called is not element else "POST",
        recording_channels=channels,
        recording_callback=element.attrib.get("recordingStatusCallback", ""),
        recording_method=_method(element, "recordingStatusCallbackMethod"),
        recording_events=recording_events,
    )


def _flag(element: Element, name: str, *, default: bool) -> bool:
    text = element.attrib.get(name, "").lower()
    if text not in {"", "true", "false"}:
        raise BadTwiml(f"{name} of <{element.tag}> is neither true nor false", code=INVALID_ATTRIBUTE)
    return text == "true" if text else default


_BEEPS = {
    "true": frozenset({"enter", "exit"}),
    "false": frozenset[str](),
    "onEnter": frozenset({"enter"}),
    "onExit": frozenset({"exit"}),
}
_MOST_IN_CONFERENCE = 250
_LONGEST_NAME = 128


def _dial_conference(element: Element, room: Element) -> Dial:
    name = _content(room)
    if not name or len(name) > _LONGEST_NAME:
        raise BadTwiml("<Conference> has no name, or one that is too long", code=INVALID_ATTRIBUTE)
    events = frozenset(room.attrib.get("statusCallbackEvent", "").split())
    if events - CONFERENCE_EVENTS:
        raise BadTwiml("statusCallbackEvent of <Conference> is unknown", code=INVALID_ATTRIBUTE)
    beeps = _BEEPS.get(room.attrib.get("beep", "true"))
    if beeps is None:
        raise BadTwiml("beep of <Conference> is unknown", code=INVALID_ATTRIBUTE)
    most = int(_number(room, "maxParticipants", _MOST_IN_CONFERENCE))
    if not 2 <= most <= _MOST_IN_CONFERENCE:  # noqa: PLR2004 - two make a conference
        raise BadTwiml("maxParticipants of <Conference> is out of bounds", code=INVALID_ATTRIBUTE)
    for owner, attribute in ((room, "record"), (element, "record")):
        if owner.attrib.get(attribute, "do-not-record") != "do-not-record":
            raise BadTwiml("a <Conference> is not recorded here: its calls are", code=INVALID_ATTRIBUTE)
    return Dial(
        number="",
        conference=Conference(
            name=name,
            label=room.attrib.get("participantLabel", ""),
            muted=_flag(room, "muted", default=False),
            starts=_flag(room, "startConferenceOnEnter", default=True),
            ends=_flag(room, "endConferenceOnExit", default=False),
            coached=room.attrib.get("coach", ""),
            wait_url=room.attrib.get("waitUrl"),
            wait_method=_method(room, "waitMethod"),
            beeps=beeps,
            most=most,
            status_callback=room.attrib.get("statusCallback", ""),
            status_method=_method(room, "statusCallbackMethod"),
            events=events,
        ),
        action=element.attrib.get("action", ""),
        method=_method(element),
        time_limit_seconds=_number(element, "timeLimit", 14_400.0),
    )


def _verb(element: Element) -> Verb:
    match element.tag:
        case "Gather":
            return _gather(element)
        case "Redirect":
            return Redirect(url=_content(element), method=_method(element))
        case "Hangup" | "Reject":
            return Hangup()
        case "Dial":
            return _dial(element)
        case _:
            return _prompt(element)
