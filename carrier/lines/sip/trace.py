"""The SIP messages of the newest calls, from the stack's trace: where a call came from, and what was exchanged, for the
person who sets up a trunk. Numbers and credentials are masked before a message leaves the SIP process. What the stack
does not answer is answered from them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_PLACE: Final = r"\[?([0-9a-fA-F.:]+?)\]?:([0-9]+)"
_TRACED: Final = re.compile(rf"(RX|TX) (\S+) {_PLACE} -> {_PLACE}\s+")
_CALL_ID: Final = re.compile(r"^(?:Call-ID|i)\s*:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
_IN_ADDRESS: Final = re.compile(r"((?:sips?|tel):)(\+?[0-9][0-9.()-]{3,28}[0-9])", re.IGNORECASE)
_ADDRESSES: Final = re.compile(
    r"^((?:From|f|To|t|Contact|m|P-[A-Za-z-]*Identity|Remote-Party-ID|Diversion|History-Info|Reply-To|Referred-By|b"
    r"|Refer-To|r)[ \t]*:[ \t]*)[^<\s][^<\r\n]*(?=<)",
    re.IGNORECASE | re.MULTILINE,
)
"""Headers with an address, up to it: the display name, which may be a person's."""
_NUMBER: Final = re.compile(r"(?<![0-9A-Za-z.=])(\+?[0-9]{7,20})(?![0-9A-Za-z.])")
_MOBILE: Final = re.compile(r"(?<![0-9])((?:86)?1[3-9][0-9]{9})(?![0-9])")
"""A mobile number of mainland China, wherever it occurs: also after `%2B` or `=`, and in a Call-ID."""
_TECHNICAL: Final = re.compile(
    r"^(?:Via|v|Call-ID|i|CSeq|RSeq|RAck|Content-Length|l|[acmtbvo]=|[0-9.]+ (?:RX|TX) )", re.IGNORECASE
)
"""Lines whose long numbers are not telephone numbers."""
_ORIGIN: Final = re.compile(r"^(o=)\S+", re.MULTILINE)
_KEY: Final = re.compile(r"^(Signal[ \t]*=[ \t]*)[0-9A-D*#]+", re.IGNORECASE | re.MULTILINE)
_KEY_ALONE: Final = re.compile(
    r"(Content-Type[ \t]*:[ \t]*application/dtmf\b.*?\r?\n\r?\n).*", re.IGNORECASE | re.DOTALL
)
_CREDENTIALS: Final = re.compile(r"^((?:Proxy-)?Authorization\s*:).*$", re.IGNORECASE | re.MULTILINE)
_PATIENCE_SECONDS: Final = 2.0
_LOOK_SECONDS: Final = 0.02
_SHOWN_DIGITS: Final = 3
_ANSWER: Final = re.compile(r"^SIP/2\.0 ([1-6][0-9]{2}) ", re.MULTILINE)
_SOUND: Final = re.compile(r"^m=audio ", re.MULTILINE)
_KEY_EVENTS: Final = re.compile(r"^a=rtpmap:[0-9]+ telephone-event/", re.IGNORECASE | re.MULTILINE)
_LEAST_INTERVAL: Final = re.compile(
    r"^SIP/2\.0 422 .*?^Min-SE[ \t]*:[ \t]*([0-9]{1,6})", re.IGNORECASE | re.MULTILINE | re.DOTALL
)
_INVITE: Final = re.compile(r"^INVITE \S+ SIP/2\.0", re.MULTILINE)
_MOST_MESSAGES: Final = 200
"""Of one call, so that a message repeated for ever fills no memory."""
_LONGEST_MESSAGE: Final = 4000
"""Characters of a message that are kept: a datagram may have 64 kB, and 200 calls of 200 such messages would fill the
memory of a machine.
"""


def mask_message(message: str) -> str:
    """The message with telephone numbers as 138****0000, and without names, keys (a person may type a number or a year
    of birth) and the digest of its credentials.
    """
    message = _CREDENTIALS.sub(r"\1 (left out)", message)
    message = _IN_ADDRESS.sub(lambda found: found[1] + _stars(found[2]), message)
    message = _ADDRESSES.sub(r'\1"(left out)" ', message)
    message = _KEY.sub(r"\1(left out)", _KEY_ALONE.sub(r"\1(left out)", message))
    message = _ORIGIN.sub(r"\1(left out)", message)
    message = "".join(
        line if _TECHNICAL.match(line) else _NUMBER.sub(lambda found: _stars(found[1]), line)
        for line in message.splitlines(keepends=True)
    )
    return _MOBILE.sub(lambda found: _stars(found[1]), message)


def _stars(number: str) -> str:
    return f"{number[:_SHOWN_DIGITS]}****{number[-min(4, len(number) - _SHOWN_DIGITS) :]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """A SIP message that was received or sent, with the addresses (host and port) of both sides."""

    is_received: bool
    is_udp: bool
    ours: tuple[str, int]
    theirs: tuple[str, int]
    call_id: str
    text: str

    @property
    def status(self) -> int:
        """Of a response; 0 for a request."""
        found = _STATUS.match(self.text)
        return int(found[1]) if found else 0

    @property
    def method(self) -> str:
        """Of the request, also where this is the response to it."""
        return self.header("CSeq").partition(" ")[2].strip()

    @property
    def body(self) -> str:
        """What stands below the headers."""
        return self.text.replace("\r\n", "\n").partition("\n\n")[2]

    def headers(self, name: str, short: str = "-") -> list[str]:
        """The values of all headers of this name, or of its short form, in their order."""
        head = self.text.replace("\r\n", "\n").partition("\n\n")[0]
        lines = re.sub(r"\n[ \t]+", " ", head).splitlines()[1:]
        split = (line.partition(":") for line in lines)
        wanted = {name.lower(), short}
        return [value.strip() for found, _, value in split if found.strip().lower() in wanted]

    def header(self, name: str, short: str = "-") -> str:
        """The value of the first header of this name; '' where there is none."""
        return next(iter(self.headers(name, short)), "")


_STATUS: Final = re.compile(r"SIP/2\.0 ([1-6][0-9]{2}) ")
_BARE_KEYS: Final = {**{key: key for key in "0123456789*#ABCD"}, "10": "*", "11": "#"}


def bare_key(message: Traced) -> str:
    """The key of an INFO whose body is the key alone (`application/dtmf`), which the stack refuses; else ''."""
    if not message.is_received or message.status or message.method != "INFO":
        return ""
    kind = message.header("Content-Type", "c").partition(";")[0].strip().lower()
    return _BARE_KEYS.get(message.body.strip().upper(), "") if kind == "application/dtmf" else ""


def read_traced(text: str) -> Traced | None:
    """Reads what the stack writes of a message; None: it is not one of a call."""
    head = _TRACED.match(text)
    call_id = _CALL_ID.search(text)
    if head is None or call_id is None:
        return None
    from_, to = (head[3], int(head[4])), (head[5], int(head[6]))
    is_received = head[1] == "RX"
    return Traced(
        is_received=is_received,
        is_udp=head[2].lower() == "udp",
        ours=to if is_received else from_,
        theirs=from_ if is_received else to,
        call_id=call_id[1],
        text=text[head.end() :],
    )


async def _shown(look: Callable[[], str]) -> str:
    """What `look` finds, as soon as the trace shows it; '' where it does not in time."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        if found := look():
            return found
        await asyncio.sleep(_LOOK_SECONDS)
    return ""


class SipMessages(logging.Handler):
    """The SIP messages of the newest calls, collected from the stack's trace.

    The trace arrives on a thread of its own, a little after the event that it belongs to.
    """

    def __init__(self, *, keep: int = 200) -> None:
        super().__init__(logging.DEBUG)
        self._keep = keep
        self._give: Callable[[Traced], object] = lambda _message: None
        self._sources: OrderedDict[str, str] = OrderedDict()
        self._messages: OrderedDict[str, list[str]] = OrderedDict()

    def listen(self, *hear: Callable[[Traced], None]) -> None:
        """Listens from now on, and calls each of `hear` with each message, on the running loop; they reach no other
        log.
        """
        loop = asyncio.get_running_loop()

        def give(message: Traced) -> None:
            # The last messages may come after the loop is closed.
            with contextlib.suppress(RuntimeError):
                for one in hear:
                    loop.call_soon_threadsafe(one, message)

        self._give = give
        trace = logging.getLogger("baresip.native.sip")
        trace.setLevel(logging.DEBUG)
        trace.propagate = False
        trace.handlers = [self]

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        message = read_traced(text)
        if message is None:
            return
        with self.lock or contextlib.nullcontext():
            if message.is_received and _INVITE.search(text):
                self._sources.setdefault(message.call_id, message.theirs[0])
            kept_messages = self._messages.setdefault(message.call_id, [])
            if len(kept_messages) < _MOST_MESSAGES:
                kept_messages.append(f"{time.time():.3f} {text[:_LONGEST_MESSAGE]}")
            for kept in (self._sources, self._messages):
                while len(kept) > self._keep:
                    kept.popitem(last=False)
        self._give(message)

    async def source_of(self, call_id: str | None) -> str:
        """The address that sent the first INVITE of the call; '' where the trace does not show it in time."""
        return await _shown(lambda: self._sources.get(call_id or "", ""))

    async def least_interval(self, call_id: str | None) -> int:
        """For how many seconds at least a call is to last without a refresh, as a 422 says (Min-SE); 0 where the trace
        does not show it in time.
        """

        def look() -> str:
            texts = "\n".join(self._messages.get(call_id or "", ()))
            return next(iter(_LEAST_INTERVAL.findall(texts)), "")

        return int(await _shown(look) or 0)

    def has_key_events(self, call_id: str | None) -> bool | None:
        """Whether the far side's last description of its sound names keys as events (RFC 4733); None: the trace shows
        none yet.
        """
        with self.lock or contextlib.nullcontext():
            kept = list(self._messages.get(call_id or "", ()))
        described = [text for text in kept if " RX " in text and _SOUND.search(text)]
        return bool(_KEY_EVENTS.search(described[-1])) if described else None

    def is_trying(self, address: str) -> bool:
        """Whether the far side has answered our newest INVITE to this address with 100, and with nothing else. The
        stack names the Call-ID of a call only with its first progress.
        """
        invite = f"INVITE {address}"
        with self.lock or contextlib.nullcontext():
            calls = reversed(self._messages.values())
            kept = next((list(texts) for texts in calls if any(invite in text for text in texts)), [])
        answers = {found[1] for text in kept if " RX " in text and (found := _ANSWER.search(text))}
        return answers == {"100"}

    def newest(self, calls: int) -> list[list[str]]:
        """The messages of the newest calls, masked, the oldest message first; OPTIONS and REGISTER count as calls."""
        with self.lock or contextlib.nullcontext():
            return [
                [mask_message(text) for text in texts] for texts in list(self._messages.values())[-calls:]
            ]
